//! What may stand on the command line.

#[cfg(feature = "aws")]
pub(crate) mod aws;
pub(crate) mod fetch;
pub(crate) mod mapping;
pub(crate) mod operator;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

#[cfg(feature = "aws")]
use aws::{PortalArgs, UnitArgs};
use fetch::FetchArgs;
use mapping::MappingArgs;
use operator::{FollowUpArgs, JournalArgs, ReleaseArgs, ResolveArgs, RetryArgs, ShowArgs, StatusArgs};

/// Purchase orders and invoices to the payables systems that take them, and what became of every single one.
#[derive(Debug, Parser)]
#[command(name = "payables", version, arg_required_else_help = true)]
#[command(after_help = "Examples:
  payables sync orders.jsonl --to tipalti --dry-run      show what would be sent
  payables sync orders.jsonl --to tipalti --sandbox      try it without an account
  payables sync orders.jsonl --to tipalti                send it
  payables status                                        what is open, and what to do about it

Exit codes:
  0   done                                   5   a document is in doubt
  1   unexpected failure                     75  temporary: vendor or network down
  2   usage                                  77  credentials or permission refused
  3   a document is invalid, held, rejected  78  configuration or mapping wrong
  4   nothing was sent")]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Send documents and report what became of each
    Sync(SyncArgs),
    /// Apply every rule, without network
    Validate(ValidateArgs),
    /// Say what is open and needs somebody, or how a document stands
    Status(StatusArgs),
    /// Tell the story of a document, or of a run
    Show(ShowArgs),
    /// Let a held document go, as it stands now
    Release(ReleaseArgs),
    /// Say what became of documents in doubt
    Resolve(ResolveArgs),
    /// Send once more what failed
    Retry(RetryArgs),
    /// Ask now for the verdicts that are still to come
    FollowUp(FollowUpArgs),
    /// Fetch what a vendor's system has for you
    Fetch(FetchArgs),
    /// AWS's procurement portal preferences, kept as files
    #[cfg(feature = "aws")]
    Portal(PortalArgs),
    /// AWS's invoice units, kept as files
    #[cfg(feature = "aws")]
    InvoiceUnit(UnitArgs),
    /// Check, export or prune what the program remembers
    Journal(JournalArgs),
    /// List, check and try out the mappings of sources
    Mapping(MappingArgs),
    /// Run the vendors, simulated, on this machine
    Sandbox(SandboxArgs),
    /// Write a commented payables.toml and an example
    Init(InitArgs),
    /// Print a JSON Schema
    Schema(SchemaArgs),
    /// Print completions for a shell
    Completions(CompletionsArgs),
    /// Print the manual page
    #[command(after_help = "Example:\n  payables man > payables.1")]
    Man,
    /// Say what a rule or an error code means and what to do
    Explain(ExplainArgs),
}

/// What is read, and for which target.
#[derive(Debug, Args)]
pub(crate) struct DocumentArgs {
    /// Files with documents: one, a list, or one a line, or what the mapping reads; `-` is standard input
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<String>,
    /// The target, by its name in payables.toml
    #[arg(long = "to", value_name = "TARGET")]
    pub(crate) to: String,
    /// How the files become canonical documents: a name from `payables mapping list`, or a mapping file
    #[arg(long, value_name = "NAME|FILE")]
    pub(crate) mapping: Option<String>,
    /// The configuration, instead of $PAYABLES_CONFIG or payables.toml in this directory
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The form of the report
    #[arg(long, value_enum, default_value_t = Output::Table)]
    pub(crate) output: Output,
    /// Let an input without a byte pass
    #[arg(long)]
    pub(crate) allow_empty: bool,
    /// Let orders pass whose payee is not known; the vendor creates it
    #[arg(long)]
    pub(crate) allow_new_payees: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  payables sync orders.jsonl --to tipalti
  erp-export | payables sync - --to tipalti --output ndjson
  payables sync orders.jsonl --to tipalti --dry-run --pretty | less

A dry run prints the wire documents to stdout and the report to stderr.")]
pub(crate) struct SyncArgs {
    #[command(flatten)]
    pub(crate) documents: DocumentArgs,
    /// Print what would be sent, one wire document a line, and send nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Indent what a dry run prints
    #[arg(long, requires = "dry_run")]
    pub(crate) pretty: bool,
    /// Send to the built-in simulator instead of the vendor
    #[arg(long)]
    pub(crate) sandbox: bool,
    #[command(flatten)]
    pub(crate) times: TimeArgs,
}

/// How much time a run has, and what it waits for.
#[derive(Debug, Args)]
pub(crate) struct TimeArgs {
    /// How long to wait for verdicts after the last call, and for a document that has to rest
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub(crate) wait: u64,
    /// How long to wait for another run to end; without it, a second run ends at once with 75
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    pub(crate) wait_lock: u64,
    /// The time that the run has; nothing is begun in its last 5 minutes, if it has more than 10
    #[arg(long, value_name = "SECONDS", default_value_t = 14_400, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) deadline: u64,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  payables validate orders.jsonl --to tipalti")]
pub(crate) struct ValidateArgs {
    #[command(flatten)]
    pub(crate) documents: DocumentArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  payables sandbox --listen 127.0.0.1:8080 --fault drop-rows:every=3
  payables sandbox --speed 60 --fault transaction-failure:number=INV-7

One line of JSON on stdout says where it listens and which names, keys and tokens it takes. Ctrl-C ends it.")]
pub(crate) struct SandboxArgs {
    /// Where to listen; loopback only, port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    pub(crate) listen: SocketAddr,
    /// Misbehave in this way; `--fault help` lists the ways. May be given more than once
    #[arg(long = "fault", value_name = "FAULT")]
    pub(crate) faults: Vec<String>,
    /// How many seconds pass for Amazon's tokens and verdicts in a real one; quotas are not touched
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) speed: u32,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  payables init payables-config")]
pub(crate) struct InitArgs {
    /// Where to write
    #[arg(value_name = "DIR", default_value = ".")]
    pub(crate) dir: PathBuf,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  payables schema purchase-order > purchase-order.schema.json")]
pub(crate) struct SchemaArgs {
    /// Of what
    #[arg(value_enum, value_name = "NAME", default_value_t = SchemaName::Document)]
    pub(crate) name: SchemaName,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  payables completions bash > /etc/bash_completion.d/payables")]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  payables explain TIP-PLACES\n  payables explain EncryptionKeyFailedValidation")]
pub(crate) struct ExplainArgs {
    /// A rule of ours or an error code of a vendor; without one, all rules are listed
    pub(crate) code: Option<String>,
}

/// The forms of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For eyes
    Table,
    /// One report
    Json,
    /// One item a line as it settles, then the summary
    Ndjson,
}

/// What there are schemas of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaName {
    /// A canonical document of either kind
    Document,
    /// A purchase order
    PurchaseOrder,
    /// An invoice or a credit note
    Invoice,
    /// The report of a run
    Report,
    /// payables.toml
    Config,
    /// The mapping of a source
    Mapping,
    /// A file with a procurement portal preference
    Portal,
    /// A file with an invoice unit
    InvoiceUnit,
}
