//! What may stand on the command line of `payables portal` and `payables invoice-unit`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Output;
use super::fetch::when;
use crate::adapter::When;

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  payables portal plan examples/portals --sandbox")]
pub(crate) struct PortalArgs {
    #[command(subcommand)]
    pub(crate) what: PortalCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PortalCommand {
    /// Show what would have to be done so that AWS holds what files say
    #[command(after_help = "Examples:
  payables portal plan portals
  payables portal plan portals -o plan.json
  payables portal plan portals --prune --detailed-exitcode")]
    Plan(PlanArgs),
    /// Do it: a plan, or what files say
    #[command(after_help = "Examples:
  payables portal apply plan.json
  payables portal apply portals --yes
  payables portal apply portals --dry-run       the requests, for an AWS that holds nothing
  payables portal apply plan.json --dry-run     the requests of a plan")]
    Apply(ApplyArgs),
    /// Write files from what AWS holds; secrets are never written
    #[command(after_help = "Example:\n  payables portal import --dir portals")]
    Import(ImportArgs),
    /// List what AWS holds
    #[command(after_help = "Example:\n  payables portal list --output ndjson")]
    List(ListArgs),
    /// Show what AWS holds under an ARN, as a file
    #[command(after_help = "Example:\n  payables portal get arn:aws:invoicing::123456789012:procurement-portal-preference/abc")]
    Get(GetArgs),
    /// Prove that a portal is yours: have AWS send a code there, then say which one came
    #[command(after_help = "Examples:
  payables portal validate portals/coupa.toml                 AWS sends a code to the portal
  payables portal validate portals/coupa.toml --code 123456   this one came")]
    Validate(ValidateArgs),
    /// Show how deliveries and retrievals stand, or set that
    #[command(after_help = "Examples:
  payables portal status portals/coupa.toml
  payables portal status portals/coupa.toml --einvoice SUSPENDED --reason \"year-end closing\"")]
    Status(StatusArgs),
    /// Delete a preference at AWS. That cannot be undone
    #[command(after_help = "Example:\n  payables portal delete portals/coupa.toml --yes")]
    Delete(DeleteArgs),
    /// List the portals that AWS knows, and its sellers' ids there
    #[command(after_help = "Example:\n  payables portal suppliers COUPA")]
    Suppliers(SuppliersArgs),
    /// List AWS's invoices with their orders and deliveries, and say what is missing on your side
    #[command(after_help = "Examples:
  payables portal invoices --since 30d
  payables portal invoices --since 2026-10-01 --against invoices.jsonl --pdf invoices
  payables portal invoices --since 30d --against tipalti

Against a file, its purchase orders are looked for by number, and its invoices by AWS's invoice id where AWS says DELIVERED.
Against a target, the purchase orders that its journal has sent. Exit code 3: something is missing.")]
    Invoices(InvoicesArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  payables invoice-unit plan examples/invoice-units --sandbox")]
pub(crate) struct UnitArgs {
    #[command(subcommand)]
    pub(crate) what: UnitCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum UnitCommand {
    /// Show what would have to be done so that AWS holds what files say
    #[command(after_help = "Example:\n  payables invoice-unit plan invoice-units -o plan.json")]
    Plan(PlanArgs),
    /// Do it: a plan, or what files say
    #[command(after_help = "Examples:
  payables invoice-unit apply plan.json
  payables invoice-unit apply invoice-units --dry-run")]
    Apply(ApplyArgs),
    /// Write files from what AWS holds
    #[command(after_help = "Example:\n  payables invoice-unit import --dir invoice-units")]
    Import(ImportArgs),
    /// List what AWS holds
    #[command(after_help = "Example:\n  payables invoice-unit list")]
    List(ListArgs),
    /// Show what AWS holds under an ARN, as a file
    #[command(after_help = "Example:\n  payables invoice-unit get arn:aws:invoicing::123456789012:invoice-unit/abc")]
    Get(GetArgs),
    /// Delete an invoice unit at AWS. That cannot be undone
    #[command(after_help = "Example:\n  payables invoice-unit delete invoice-units/research.toml --yes")]
    Delete(DeleteArgs),
}

/// Which account of AWS's.
#[derive(Debug, Args)]
pub(crate) struct TargetArgs {
    /// The target, by its name in payables.toml [default: the only one with kind = "aws-invoicing", or aws]
    #[arg(long = "to", value_name = "TARGET")]
    pub(crate) to: Option<String>,
    /// The configuration, instead of $PAYABLES_CONFIG or payables.toml in this directory
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The form of what is told
    #[arg(long, value_enum, default_value_t = Output::Table)]
    pub(crate) output: Output,
}

/// What a plan may do.
#[derive(Debug, Args)]
pub(crate) struct AllowedArgs {
    /// Delete what AWS holds and no file of the folder speaks of
    #[arg(long)]
    pub(crate) prune: bool,
    /// Delete and make anew where a field that changes cannot be changed
    #[arg(long)]
    pub(crate) replace: bool,
}

#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    /// A file, or a folder of files whose names end in .toml
    #[arg(value_name = "DIR|FILE")]
    pub(crate) path: PathBuf,
    /// Write the plan to a file, for apply
    #[arg(short = 'o', long = "out", value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) allowed: AllowedArgs,
    /// End with 10 when something would be done
    #[arg(long)]
    pub(crate) detailed_exitcode: bool,
    /// Compare with the built-in simulator, which holds nothing
    #[arg(long)]
    pub(crate) sandbox: bool,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ApplyArgs {
    /// A plan, whose name ends in .json; or a file, or a folder of files whose names end in .toml
    #[arg(value_name = "plan.json|DIR|FILE")]
    pub(crate) path: PathBuf,
    /// Delete what the plan deletes or replaces. That cannot be undone
    #[arg(long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) allowed: AllowedArgs,
    /// Print each request, and ask nobody. Of files: as for an AWS that holds nothing
    #[arg(long, conflicts_with_all = ["sandbox", "prune", "replace"])]
    pub(crate) dry_run: bool,
    /// Do it at the built-in simulator, which holds nothing
    #[arg(long)]
    pub(crate) sandbox: bool,
    /// How long to wait for another run to end; without it, a second run ends at once with 75
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    pub(crate) wait_lock: u64,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// Where to write [default: portals or invoice-units]
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    /// Write over files that say something else
    #[arg(long)]
    pub(crate) overwrite: bool,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    pub(crate) target: TargetArgs,
}

#[derive(Debug, Args)]
pub(crate) struct GetArgs {
    /// Its ARN
    #[arg(value_name = "ARN")]
    pub(crate) arn: String,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
}

/// Which one is meant.
#[derive(Debug, Args)]
pub(crate) struct MeantArgs {
    /// Its ARN, or the file that speaks of it
    #[arg(value_name = "ARN|FILE")]
    pub(crate) meant: String,
    /// How long to wait for another run to end; without it, a second run ends at once with 75
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    pub(crate) wait_lock: u64,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ValidateArgs {
    #[command(flatten)]
    pub(crate) meant: MeantArgs,
    /// The code that came; without it AWS is asked to send one
    #[arg(long, value_name = "CODE")]
    pub(crate) code: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    pub(crate) meant: MeantArgs,
    /// Set the status of deliveries, such as SUSPENDED or ACTIVE
    #[arg(long, value_name = "STATUS")]
    pub(crate) einvoice: Option<String>,
    /// Set the status of retrievals
    #[arg(long, value_name = "STATUS")]
    pub(crate) po_retrieval: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct DeleteArgs {
    #[command(flatten)]
    pub(crate) meant: MeantArgs,
    /// Yes, delete it. That cannot be undone
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct SuppliersArgs {
    /// The portal, such as COUPA; all, when none is given
    #[arg(value_name = "PORTAL")]
    pub(crate) portal: Option<String>,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
}

#[derive(Debug, Args)]
pub(crate) struct InvoicesArgs {
    /// Issued since then: a date, a date with a time, or an age such as 36h or 30d
    #[arg(long, value_name = "WHEN", value_parser = when)]
    pub(crate) since: When,
    /// The end of that span; now, when none is given
    #[arg(long, value_name = "WHEN", value_parser = when)]
    pub(crate) until: Option<When>,
    /// The account [default: the one that holds the preferences]
    #[arg(long, value_name = "ID")]
    pub(crate) account: Option<String>,
    /// Say what is missing there: canonical documents in a file, or what was sent to a target
    #[arg(long, value_name = "FILE|TARGET")]
    pub(crate) against: Option<String>,
    /// How the file of --against becomes canonical documents: a name from `payables mapping list`, or a mapping file
    #[arg(long, value_name = "NAME|FILE", requires = "against")]
    pub(crate) mapping: Option<String>,
    /// Save the documents of the invoices there
    #[arg(long, value_name = "DIR")]
    pub(crate) pdf: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
}
