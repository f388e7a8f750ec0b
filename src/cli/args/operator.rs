//! What may stand on the command line of those who look after what was sent.

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{ArgGroup, Args, Subcommand, ValueEnum};

use super::{Output, TimeArgs};

/// Where the configuration is.
#[derive(Debug, Args)]
pub(crate) struct ConfigArgs {
    /// The configuration, instead of $PAYABLES_CONFIG or payables.toml in this directory
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  payables status                                 what is open, and what needs somebody
  payables status PO-1001                         how this document stands
  payables status --to tipalti --output json --limit 0

It may run while documents are being sent. Exit code 3: the journal knows no document with this number.")]
pub(crate) struct StatusArgs {
    /// A document's number; without one, everything that is open
    #[arg(value_name = "NUMBER", value_parser = NonEmptyStringValueParser::new(), allow_negative_numbers = true)]
    pub(crate) number: Option<String>,
    /// Only this target, by its name in payables.toml
    #[arg(long = "to", value_name = "TARGET")]
    pub(crate) to: Option<String>,
    /// The most documents that are listed; of the others there is the count (0: all)
    #[arg(long, value_name = "DOCUMENTS", default_value_t = 200)]
    pub(crate) limit: usize,
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t = Output::Table)]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  payables show PO-1001                           what was sent, what came back, who did what
  payables show 20260302T040000Z-3f9c01aa         a run and its documents
  payables show PO-1001 --output json             answers as they came, whole

Exit code 3: the journal knows neither a run nor a document of this name.")]
pub(crate) struct ShowArgs {
    /// A run's name, or a document's number
    #[arg(value_name = "RUN|NUMBER", value_parser = NonEmptyStringValueParser::new(), allow_negative_numbers = true)]
    pub(crate) what: String,
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t = Form::Table)]
    pub(crate) output: Form,
}

/// The forms of an answer about one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// For eyes
    Table,
    /// For programs, with everything
    Json,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  payables release PO-1001 --to tipalti --reason 'the payee is new, checked with purchasing'

It goes as it stands now, with the next run. Exit code 3: nothing is held under this number.")]
pub(crate) struct ReleaseArgs {
    /// The document's number
    #[arg(value_name = "NUMBER", value_parser = NonEmptyStringValueParser::new(), allow_negative_numbers = true)]
    pub(crate) number: String,
    #[command(flatten)]
    pub(crate) desk: DeskArgs,
    /// Why; it is recorded together with who and when
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    pub(crate) reason: String,
    /// Whose number it is, where several have documents with it
    #[arg(long, value_name = "ID")]
    pub(crate) owner: Option<String>,
}

/// Where a decision is stored.
#[derive(Debug, Args)]
pub(crate) struct DeskArgs {
    /// The target, by its name in payables.toml
    #[arg(long = "to", value_name = "TARGET")]
    pub(crate) to: String,
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// How long to wait for a run to end; without it, the command ends at once with 75 while one is at work
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    pub(crate) wait_lock: u64,
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("what").required(true).args(["number", "from"]))]
#[command(group = ArgGroup::new("verdict").args(["accepted", "absent"]))]
#[command(after_help = "Examples:
  payables resolve PO-1001 --accepted --to tipalti --reason 'it is in the portal'
  payables resolve PO-1002 --absent --to tipalti --reason 'not in the portal an hour later'
  payables resolve --from verdicts.csv --to tipalti --reason 'portal export of 2 March'

The file is CSV with the columns number and verdict (accepted or absent), and reason and owner where
lines have their own. Nothing is stored unless every line can be.
Exit code 3: at least one cannot.")]
pub(crate) struct ResolveArgs {
    /// The document's number
    #[arg(value_name = "NUMBER", value_parser = NonEmptyStringValueParser::new(), allow_negative_numbers = true, requires = "verdict")]
    pub(crate) number: Option<String>,
    /// The vendor has it
    #[arg(long, conflicts_with = "from")]
    pub(crate) accepted: bool,
    /// The vendor does not have it; it goes with the next run
    #[arg(long, conflicts_with = "from")]
    pub(crate) absent: bool,
    /// A file of verdicts; `-` is standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) from: Option<String>,
    #[command(flatten)]
    pub(crate) desk: DeskArgs,
    /// Why; it is recorded together with who and when
    #[arg(long, value_name = "TEXT", value_parser = reason, required_unless_present = "from")]
    pub(crate) reason: Option<String>,
    /// Whose number it is, where several have documents with it
    #[arg(long, value_name = "ID", conflicts_with = "from")]
    pub(crate) owner: Option<String>,
}

/// A reason that says something.
fn reason(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        return Err("say why, in a few words; it is what the next person reads".to_owned());
    }
    Ok(text.trim().to_owned())
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  payables retry                                  what the last run left rejected or unsent
  payables retry --run 20260302T040000Z-3f9c01aa")]
pub(crate) struct RetryArgs {
    /// The run, by its name; without one, the last run of the target that ended
    #[arg(long, value_name = "ID")]
    pub(crate) run: Option<String>,
    /// The target, by its name in payables.toml; needed where several could be meant
    #[arg(long = "to", value_name = "TARGET")]
    pub(crate) to: Option<String>,
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// The form of the report
    #[arg(long, value_enum, default_value_t = Output::Table)]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) times: TimeArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  payables follow-up --to amazon

Each target has a report of its own; with --output json they follow one another.")]
pub(crate) struct FollowUpArgs {
    /// The target, by its name in payables.toml; without one, all that documents are sent to
    #[arg(long = "to", value_name = "TARGET")]
    pub(crate) to: Option<String>,
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// The form of the report
    #[arg(long, value_enum, default_value_t = Output::Table)]
    pub(crate) output: Output,
    /// How long to wait for another run to end; without it, the command ends at once with 75
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    pub(crate) wait_lock: u64,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  payables journal check
  payables journal export > journal.jsonl
  payables journal prune --before 2025-01-01 --yes")]
pub(crate) struct JournalArgs {
    #[command(subcommand)]
    pub(crate) command: JournalCommand,
}

/// What is done to the journal itself.
#[derive(Debug, Subcommand)]
pub(crate) enum JournalCommand {
    /// Say whether it is whole, and the latest one
    Check(CheckArgs),
    /// Print everything that it knows, a line of JSON for each row
    Export(ExportArgs),
    /// Remove the contents of what is over for long
    Prune(PruneArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  payables journal check
  payables journal check --accept-rollback --reason 'restored from the backup of Sunday'

Exit code 1: something was found.")]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// Take a journal that was put back from an older copy as it is: what may have been sent since is in doubt from then on
    #[arg(long, requires = "reason")]
    pub(crate) accept_rollback: bool,
    /// Why; it is recorded together with who and when
    #[arg(long, value_name = "TEXT", value_parser = reason, requires = "accept_rollback")]
    pub(crate) reason: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  payables journal export | gzip > journal.jsonl.gz")]
pub(crate) struct ExportArgs {
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  payables journal prune --before 2025-01-01          say what would go
  payables journal prune --before 2025-01-01 --yes    remove it

Wire forms, answers and report lines of what is over go, and so does what was asked of AWS more
than a day ago and has ended. Numbers, digests, attempts and what
people did stay for ever: they are what keeps a document from being sent twice.")]
pub(crate) struct PruneArgs {
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// What was over before this day (its midnight in UTC) or time, such as 2025-01-01 or 2025-01-01T12:00:00Z
    #[arg(long, value_name = "DATE", value_parser = moment)]
    pub(crate) before: i64,
    /// Remove it, instead of saying what would go
    #[arg(long)]
    pub(crate) yes: bool,
    /// How long to wait for a run to end; without it, the command ends at once with 75 while one is at work
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    pub(crate) wait_lock: u64,
}

/// A day or a time, in milliseconds since 1970 in UTC.
fn moment(text: &str) -> Result<i64, String> {
    if let Ok(time) = text.parse::<jiff::Timestamp>() {
        return Ok(time.as_millisecond());
    }
    let is_day = text.len() == 10;
    let day = text.parse::<jiff::civil::Date>().ok().filter(|_| is_day);
    let midnight = day.and_then(|day| jiff::tz::Offset::UTC.to_timestamp(day.to_datetime(jiff::civil::Time::midnight())).ok());
    midnight.map(jiff::Timestamp::as_millisecond).ok_or_else(|| "write it such as 2025-01-01 or 2025-01-01T12:00:00Z".to_owned())
}
