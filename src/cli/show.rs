//! `payables show`: a run with its documents, or the whole story of a document.

use std::io::{self, BufWriter, Write, stdout};

use serde::Serialize;
use serde_json::value::RawValue;

use super::args::Output;
use super::args::operator::{Form, ShowArgs};
use super::lookup::{self, Runs, nothing_yet};
use super::print::{Printer, number, one_line, plain, write_json};
use super::run::colours;
use super::story;
use super::times::{now, span, stamp, when};
use super::{Ended, Failure, logging};
use crate::journal::{Journal, RunRecord};
use crate::outcome::Exit;
use crate::report::Item;

/// The name and version of a run's shape.
const SCHEMA: &str = "payables.run.v1";

/// Documents that are read together.
const PAGE: usize = 500;

/// `payables show`
pub(super) fn show(args: &ShowArgs) -> Ended {
    logging::begin(false);
    let (configuration, path) = lookup::configured(args.config.config.as_deref())?;
    let unknown = |why: &str| Failure::new(Exit::Documents, format!("{}: {why}", number(&args.what)));
    let Some(mut journal) = lookup::read(&path)? else { return Err(unknown(&nothing_yet(&path))) };
    let runs = Runs::of(&mut journal)?;
    if let Some(run) = journal.run(&args.what)? {
        let mut out = BufWriter::new(stdout().lock());
        let is_broken_off = runs.is_broken_off(run.id);
        match args.output {
            Form::Table => table(&mut out, &mut journal, &run, is_broken_off)?,
            Form::Json => json(&mut out, &mut journal, &run)?,
        }
        out.flush().map_err(|error| Failure::output(&error))?;
        return Ok(Exit::Done);
    }
    let targets = lookup::scopes(&mut journal, &configuration, &runs, None)?;
    let documents = story::of(&mut journal, &targets, &runs, &args.what, now())?;
    if documents.is_empty() {
        return Err(unknown("the journal knows neither a run nor a document of this name"));
    }
    let mut out = BufWriter::new(stdout().lock());
    let printed = match args.output {
        Form::Table => story::tell(&mut out, &documents),
        Form::Json => story::json(&mut out, &args.what, &documents),
    };
    printed.and_then(|()| out.flush()).map_err(|error| Failure::output(&error))?;
    Ok(Exit::Done)
}

/// A run, as far as it is no list.
#[derive(Serialize)]
struct Head<'r> {
    id: &'r str,
    target: &'r str,
    began_at: String,
    imported_at: Option<String>,
    ended_at: Option<String>,
    inputs: &'r [String],
}

impl<'r> Head<'r> {
    fn of(run: &'r RunRecord) -> Self {
        Self {
            id: &run.name,
            target: &run.target,
            began_at: stamp(run.began_at),
            imported_at: run.imported_at.map(stamp),
            ended_at: run.ended_at.map(stamp),
            inputs: &run.inputs,
        }
    }
}

/// The documents of a run, one after the other.
fn each(journal: &mut dyn Journal, run: &RunRecord, mut take: impl FnMut(Item) -> io::Result<()>) -> Result<(), Failure> {
    let mut after = 0;
    loop {
        let items = journal.items(run.id, after, PAGE)?;
        let is_last = items.len() < PAGE;
        after += u64::try_from(items.len()).unwrap_or_default();
        for item in items {
            take(item).map_err(|error| Failure::output(&error))?;
        }
        if is_last {
            return Ok(());
        }
    }
}

fn summary(run: &RunRecord) -> Option<&RawValue> {
    run.summary.as_deref().and_then(|text| serde_json::from_str(text).ok())
}

fn json(out: &mut impl Write, journal: &mut dyn Journal, run: &RunRecord) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::output(&error);
    let mut head = || -> io::Result<()> {
        write!(out, "{{\"schema\":\"{SCHEMA}\",\"run\":")?;
        write_json(out, &Head::of(run))?;
        out.write_all(b",\n\"summary\":")?;
        write_json(out, &summary(run))?;
        out.write_all(b",\n\"items\":[")
    };
    head().map_err(failed)?;
    let mut between = "\n";
    each(journal, run, |item| {
        out.write_all(between.as_bytes())?;
        between = ",\n";
        write_json(out, &item)
    })?;
    out.write_all(b"]}\n").map_err(failed)
}

fn table(out: &mut impl Write, journal: &mut dyn Journal, run: &RunRecord, is_broken_off: bool) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::output(&error);
    let ended = match (run.ended_at, is_broken_off) {
        (Some(at), _) => format!("ended {} ({})", when(at), span(at.saturating_sub(run.began_at))),
        (None, true) => "it broke off".to_owned(),
        (None, false) => "it is at work, or broke off".to_owned(),
    };
    let inputs: Vec<String> = run.inputs.iter().map(|input| one_line(input, 200)).collect();
    let stored = match (run.imported_at, inputs.is_empty()) {
        (Some(_), _) => "its input was stored completely",
        (None, true) => "it read no input",
        (None, false) => "its input was not stored completely, and nothing of it was sent",
    };
    let inputs = if inputs.is_empty() { String::new() } else { format!(" ({})", inputs.join(", ")) };
    writeln!(out, "Run {} to {}", plain(&run.name), plain(&run.target)).map_err(failed)?;
    writeln!(out, "began {}, {ended}; {stored}{inputs}\n", when(run.began_at)).map_err(failed)?;
    let mut printer = Printer::new(&mut *out, Output::Table, colours(&stdout()));
    each(journal, run, |item| {
        printer.item(item);
        Ok(())
    })?;
    printer.documents().map_err(failed)?;
    drop(printer);
    words(out, run).map_err(failed)
}

/// The summary in words.
fn words(out: &mut impl Write, run: &RunRecord) -> io::Result<()> {
    let text = run.summary.as_deref().unwrap_or_default();
    let Ok(summary) = serde_json::from_str::<serde_json::Value>(text) else { return Ok(()) };
    let count = |value: Option<&serde_json::Value>| value.and_then(serde_json::Value::as_u64).unwrap_or_default();
    let outcomes = summary.get("outcomes").and_then(serde_json::Value::as_object);
    let outcomes: Vec<String> = outcomes
        .map(|outcomes| {
            outcomes.iter().map(|(word, n)| format!("{} {}", count(Some(n)), plain(&word.replace('_', " ")))).collect()
        })
        .unwrap_or_default();
    let outcomes = if outcomes.is_empty() { String::new() } else { format!(": {}", outcomes.join(", ")) };
    let (documents, requests) = (count(summary.get("documents")), count(summary.get("requests")));
    writeln!(out, "{documents} document{}{outcomes}; {requests} request{}", plural(documents), plural(requests))?;
    for note in summary.get("notes").and_then(serde_json::Value::as_array).into_iter().flatten() {
        writeln!(out, "{}", plain(note.as_str().unwrap_or_default()))?;
    }
    Ok(())
}

fn plural(count: u64) -> &'static str {
    if count == 1 { "" } else { "s" }
}
