//! `payables journal`: whether the journal is whole, what it knows, and what of it is not needed any more.

use std::io::{self, BufWriter, Write, stdout};
use std::path::Path;
use std::time::Duration;

use super::args::operator::{CheckArgs, ExportArgs, JournalArgs, JournalCommand, PruneArgs};
use super::lookup::{self, nothing_yet};
use super::print::plain;
use super::times::when;
use super::{Ended, Failure, logging, person, tell};
use crate::journal::{Pruned, Sqlite};
use crate::outcome::Exit;

/// `payables journal`
pub(super) fn journal(args: &JournalArgs) -> Ended {
    logging::begin(false);
    match &args.command {
        JournalCommand::Check(args) => check(args),
        JournalCommand::Export(args) => export(args),
        JournalCommand::Prune(args) => prune(args),
    }
}

fn say(text: std::fmt::Arguments<'_>) -> Result<(), Failure> {
    writeln!(stdout(), "{text}").map_err(|error| Failure::output(&error))
}

fn check(args: &CheckArgs) -> Ended {
    let (_, path) = lookup::configured(args.config.config.as_deref())?;
    if let Some(reason) = args.reason.as_ref().filter(|_| args.accept_rollback) {
        return accept_rollback(&path, reason);
    }
    if lookup::read(&path)?.is_none() {
        say(format_args!("{}", nothing_yet(&path)))?;
        return Ok(Exit::Done);
    }
    let findings = Sqlite::check(&path)?;
    for finding in &findings {
        say(format_args!("{}", plain(&finding.what)))?;
    }
    if findings.is_empty() {
        say(format_args!("{} is whole.", path.display()))?;
        return Ok(Exit::Done);
    }
    Ok(Exit::Unexpected)
}

fn accept_rollback(path: &Path, reason: &str) -> Ended {
    let doubted = Sqlite::accept_rollback(path, &person::who(), reason)?;
    say(format_args!(
        "The journal is taken as it is. In doubt from now on: {doubted}; `payables status` lists them, and \
         `payables resolve` says what became of each. What the journal knows nothing of, and is not dated later than today, is \
         held where a vendor takes a document once: it may have been sent before."
    ))?;
    Ok(if doubted > 0 { Exit::InDoubt } else { Exit::Done })
}

fn export(args: &ExportArgs) -> Ended {
    let (_, path) = lookup::configured(args.config.config.as_deref())?;
    let Some(mut journal) = lookup::read(&path)? else {
        tell(format_args!("payables: {}", nothing_yet(&path)));
        return Ok(Exit::Done);
    };
    let mut out = Remembering { inner: BufWriter::with_capacity(1 << 16, stdout().lock()), failed: None };
    let exported = journal.export(&mut out);
    if let Some(error) = out.failed {
        return Err(Failure::output(&error));
    }
    exported?;
    out.inner.flush().map_err(|error| Failure::output(&error))?;
    Ok(Exit::Done)
}

/// Remembers why it could not be written, which the journal can only tell in words.
struct Remembering<W> {
    inner: W,
    failed: Option<io::Error>,
}

impl<W: Write> Write for Remembering<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.inner.write(bytes).inspect_err(|error| self.failed = Some(error.kind().into()))
    }
    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush().inspect_err(|error| self.failed = Some(error.kind().into()))
    }
}

fn prune(args: &PruneArgs) -> Ended {
    let (_, path) = lookup::configured(args.config.config.as_deref())?;
    let Some(mut journal) = lookup::read(&path)? else {
        say(format_args!("{}", nothing_yet(&path)))?;
        return Ok(Exit::Done);
    };
    let before = when(args.before);
    if !args.yes {
        let there = journal.prunable(args.before)?;
        say(format_args!("Over before {before}, and not needed any more: {}.", words(&there)))?;
        say(format_args!("Nothing was removed; --yes removes it."))?;
        return Ok(Exit::Done);
    }
    drop(journal);
    let mut journal = Sqlite::open(&path, Duration::from_secs(args.wait_lock))?;
    let pruned = journal.prune(args.before, &person::who())?;
    say(format_args!("Removed what was over before {before}: {}; {} KiB were given back.", words(&pruned), pruned.bytes >> 10))?;
    Ok(Exit::Done)
}

fn words(pruned: &Pruned) -> String {
    let Pruned { payloads, bodies, items, intents, .. } = pruned;
    let count = |n: u64, one: &str| if n == 1 { format!("1 {one}") } else { format!("{n} {one}s") };
    let documents = [count(*payloads, "wire form"), count(*bodies, "answer"), count(*items, "report line")].join(", ");
    // Most journals never had one.
    if *intents == 0 { documents } else { format!("{documents}, {}", count(*intents, "intent")) }
}
