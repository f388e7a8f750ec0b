//! What may stand on the command line behind `payables mapping`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

#[derive(Debug, Args)]
#[command(
    arg_required_else_help = true,
    after_help = "Example:\n  payables mapping preview export.csv --mapping cdata-submit-vendor-payments"
)]
pub(crate) struct MappingArgs {
    #[command(subcommand)]
    pub(crate) command: MappingCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum MappingCommand {
    /// List the mappings that are built in
    #[command(after_help = "Example:\n  payables mapping list")]
    List,
    /// Say what is wrong with a mapping file, or `ok`
    #[command(after_help = "Example:\n  payables mapping check my.toml")]
    Check {
        /// The mapping file, or the name of one that is built in
        #[arg(value_name = "FILE")]
        mapping: String,
    },
    /// Show what becomes of one record: field, column, what stands there, and the value
    #[command(after_help = "Example:\n  payables mapping preview export.csv --mapping my.toml --row 17")]
    Preview(PreviewArgs),
}

#[derive(Debug, Args)]
pub(crate) struct PreviewArgs {
    /// The source; `-` is standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The name of a mapping, or a mapping file
    #[arg(long, value_name = "NAME|FILE")]
    pub(crate) mapping: String,
    /// Which document of the source, counted from 1
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) row: u64,
    /// The form in which it is shown
    #[arg(long, value_enum, default_value_t = Shown::Table)]
    pub(crate) output: Shown,
}

/// The forms of a preview.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shown {
    /// For eyes
    Table,
    /// One object
    Json,
}
