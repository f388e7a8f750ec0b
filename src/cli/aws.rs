//! `payables portal` and `payables invoice-unit`: what AWS Invoicing is to be set to, as files.

use std::fs;
use std::io::{BufWriter, Read as _, Write, stderr, stdout};
use std::path::{Path, PathBuf};

use super::args::aws::{ApplyArgs, PortalArgs, PortalCommand, UnitArgs, UnitCommand};
use super::print::Printer;
use super::run::{self, Begun, colours};
use super::{Ended, Failure};
use crate::adapter::DRY_RUN;
use crate::model::{Fault, Source};
use crate::outcome::{Exit, Outcome};
use crate::report::{Item, Summary};
use crate::rules::Levels;
use crate::vendors::aws::{Call, File, InvoiceUnit, Judged, Preference, judge_preferences, judge_units};

/// The target that is there without a configuration.
const TARGET: &str = "aws";
/// The largest file that is read; thousands of accounts take a tenth of that.
const LARGEST: u64 = 1 << 20;

/// `payables portal`
pub(super) fn portal(args: &PortalArgs) -> Ended {
    let PortalCommand::Apply(args) = &args.what;
    let files = read(&args.path)?;
    let now = u64::try_from(jiff::Timestamp::now().as_second()).unwrap_or_default();
    let judged = judge_preferences(&files, &Levels::new(), now);
    let name = |preference: &Preference<'_>| {
        let texts = [&preference.procurement_portal_name, &preference.buyer_identifier, &preference.supplier_identifier];
        texts.iter().all(|text| text.is_given()).then(|| texts.map(|text| text.as_str()).join(" "))
    };
    let call = |preference: &Preference<'_>| Call::create_preference(preference, &|_| DRY_RUN.to_owned(), DRY_RUN);
    dry_run(args, judged, name, call)
}

/// `payables invoice-unit`
pub(super) fn invoice_unit(args: &UnitArgs) -> Ended {
    let UnitCommand::Apply(args) = &args.what;
    let files = read(&args.path)?;
    let judged = judge_units(&files, &Levels::new());
    let name = |unit: &InvoiceUnit<'_>| unit.name.given().map(str::to_owned);
    dry_run(args, judged, name, |unit: &InvoiceUnit<'_>| Call::create_unit(unit, DRY_RUN))
}

/// Prints the request for each file that is sound, and reports all.
fn dry_run<T>(
    args: &ApplyArgs,
    judged: Vec<Judged<'_, T>>,
    name: impl Fn(&T) -> Option<String>,
    call: impl Fn(&T) -> Call,
) -> Ended {
    let begun = Begun::of(TARGET, args.dry_run, false);
    let mut report = Printer::new(BufWriter::new(stderr().lock()), args.output, colours(&stderr()));
    let (mut summary, mut out) = (Summary::default(), BufWriter::new(stdout().lock()));
    for one in judged {
        let outcome = if one.is_sound() { Outcome::Planned } else { Outcome::Invalid };
        if outcome == Outcome::Planned {
            let mut line = call(&one.content).line();
            line.push(b'\n');
            out.write_all(&line).map_err(|error| Failure::output(&error))?;
        }
        let place = |fault: Fault| {
            let source = fault.source.unwrap_or_default();
            Fault { source: Some(Source { file: Some(one.name.to_owned().into()), ..source }), ..fault }
        };
        let item = Item {
            kind: None,
            number: name(&one.content),
            outcome,
            reference: None,
            faults: one.faults.into_iter().map(place).collect(),
            source: Some(Source { file: Some(one.name.to_owned().into()), line: Some(1), ..Source::default() }),
            amount: None,
        };
        summary.count(&item);
        report.item(item);
    }
    out.flush().map_err(|error| Failure::output(&error))?;
    run::finish(report, begun, &summary)
}

/// The files of a path: itself, or those in it whose names end in `.toml`, by name.
fn read(path: &Path) -> Result<Vec<File>, Failure> {
    let refuse =
        |path: &Path, error: &std::io::Error| Failure::new(Exit::Usage, format!("{} cannot be read: {error}", path.display()));
    let mut paths: Vec<PathBuf> = Vec::new();
    if path.is_dir() {
        for entry in fs::read_dir(path).map_err(|error| refuse(path, &error))? {
            let file = entry.map_err(|error| refuse(path, &error))?.path();
            if file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("toml")) {
                paths.push(file);
            }
        }
        if paths.is_empty() {
            return Err(Failure::new(Exit::Usage, format!("{} has no file in it whose name ends in .toml", path.display())));
        }
        paths.sort();
    } else {
        fs::metadata(path).map_err(|error| refuse(path, &error))?;
        paths.push(path.to_owned());
    }
    Ok(paths.iter().map(|path| read_one(path)).collect())
}

/// One file. What cannot be read is told of like what is wrong in it, so that the others are looked at as well.
fn read_one(path: &Path) -> File {
    let name = path.display().to_string();
    // Neither a device nor a pipe has an end that one could wait for.
    match fs::metadata(path) {
        Ok(about) if about.is_file() => {}
        Ok(_) => return File::unreadable(name, "it is no plain file"),
        Err(error) => return File::unreadable(name, error),
    }
    let mut text = String::new();
    let read = fs::File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_string(&mut text));
    match read.map(|size| size as u64) {
        Err(error) => File::unreadable(name, error),
        Ok(size) if size > LARGEST => File::unreadable(name, format!("it is larger than {} KiB", LARGEST >> 10)),
        Ok(_) => File::new(name, text.strip_prefix('\u{feff}').unwrap_or(&text)),
    }
}
