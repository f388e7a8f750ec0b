//! What may stand on the command line of `payables portal` and `payables invoice-unit`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Output;

#[derive(Debug, Args)]
pub(crate) struct PortalArgs {
    #[command(subcommand)]
    pub(crate) what: PortalCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PortalCommand {
    /// Show the requests that would bring about what files say
    #[command(after_help = "Example:\n  payables portal apply examples/portals --dry-run")]
    Apply(ApplyArgs),
}

#[derive(Debug, Args)]
pub(crate) struct UnitArgs {
    #[command(subcommand)]
    pub(crate) what: UnitCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum UnitCommand {
    /// Show the requests that would bring about what files say
    #[command(after_help = "Example:\n  payables invoice-unit apply examples/invoice-units --dry-run")]
    Apply(ApplyArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ApplyArgs {
    /// A file, or a folder of files whose names end in .toml
    #[arg(value_name = "DIR|FILE")]
    pub(crate) path: PathBuf,
    /// Check the files, and print the request for each, as for an AWS that has none of them. Nothing else is there yet
    #[arg(long, required = true)]
    pub(crate) dry_run: bool,
    /// The form of the report
    #[arg(long, value_enum, default_value_t = Output::Table)]
    pub(crate) output: Output,
}
