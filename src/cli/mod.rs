//! The command line: one file a command. Data goes to stdout, everything else to stderr.

mod again;
mod args;
#[cfg(feature = "aws")]
mod aws;
mod decide;
mod explain;
mod fetch;
mod init;
mod inputs;
mod journal;
mod logging;
mod lookup;
mod mapping;
mod person;
mod print;
mod progress;
mod reference;
mod run;
mod sandbox;
mod show;
mod standing;
mod status;
mod story;
mod sync;
mod times;
mod trial;
mod verdicts;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use crate::outcome::Exit;
use crate::vendors::SettingsError;
use args::{Cli, Command};

/// Why a command failed, and the code that it ends with.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    /// What is told; nothing when the reader of the output went away.
    message: Option<String>,
}

impl Failure {
    fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: Some(message.into()) }
    }

    /// The output cannot be written. A reader that has seen enough needs no message.
    fn output(error: &std::io::Error) -> Self {
        let quiet = error.kind() == std::io::ErrorKind::BrokenPipe;
        Self { exit: Exit::Unexpected, message: (!quiet).then(|| format!("the output cannot be written: {error}")) }
    }
}

impl From<SettingsError> for Failure {
    fn from(error: SettingsError) -> Self {
        Self::new(error.exit, error.message)
    }
}

impl From<crate::journal::Error> for Failure {
    fn from(error: crate::journal::Error) -> Self {
        let exit = match error {
            crate::journal::Error::Busy(_) => Exit::Temporary,
            crate::journal::Error::Unusable(_) => Exit::Config,
            crate::journal::Error::Fenced(_) | crate::journal::Error::Failed(_) => Exit::Unexpected,
        };
        Self::new(exit, error.to_string())
    }
}

impl From<crate::bridge::Error> for Failure {
    fn from(error: crate::bridge::Error) -> Self {
        match error {
            crate::bridge::Error::Write(error) => Self::output(&error),
            crate::bridge::Error::Journal(error) => error.into(),
            error => Self::new(Exit::Unexpected, error.to_string()),
        }
    }
}

/// Says something on stderr. Nobody may be listening there, which is no reason to fail.
pub(crate) fn tell(message: std::fmt::Arguments<'_>) {
    let _nobody_listens = writeln!(std::io::stderr(), "{message}");
}

type Ended = Result<Exit, Failure>;

/// Parses the command line, runs the command and returns its code.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no errors and go to stdout.
            let code = if error.use_stderr() { Exit::Usage } else { Exit::Done };
            let _nobody_reads_it = error.print();
            return ExitCode::from(code.code());
        }
    };
    let ended = match cli.command {
        Command::Sync(args) => sync::sync(&args),
        Command::Validate(args) => sync::validate(&args),
        Command::Status(args) => status::status(&args),
        Command::Show(args) => show::show(&args),
        Command::Release(args) => decide::release(&args),
        Command::Resolve(args) => decide::resolve(&args),
        Command::Retry(args) => again::retry(&args),
        Command::FollowUp(args) => again::follow_up(&args),
        Command::Fetch(args) => fetch::fetch(&args),
        #[cfg(feature = "aws")]
        Command::Portal(args) => aws::portal(&args),
        #[cfg(feature = "aws")]
        Command::InvoiceUnit(args) => aws::invoice_unit(&args),
        Command::Journal(args) => journal::journal(&args),
        Command::Mapping(args) => mapping::mapping(&args),
        Command::Sandbox(args) => sandbox::serve(args),
        Command::Init(args) => init::init(&args),
        Command::Schema(args) => reference::schema(&args),
        Command::Completions(args) => reference::completions(&args),
        Command::Man => reference::man(),
        Command::Explain(args) => explain::explain(&args),
    };
    let exit = ended.unwrap_or_else(|failure| {
        if let Some(message) = &failure.message {
            tell(format_args!("payables: {}", print::plain(message)));
        }
        failure.exit
    });
    ExitCode::from(exit.code())
}
