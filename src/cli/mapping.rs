//! `payables mapping`: the mappings that there are, what is wrong with one, and what becomes of a record.

use std::fs;
use std::io::{self, Write, stdout};
use std::path::Path;
use std::sync::Arc;

use comfy_table::Cell;
use serde_json::json;
use serde_json::value::RawValue;

use super::args::mapping::{MappingArgs, MappingCommand, PreviewArgs, Shown};
use super::print::{grid, one_line, plain};
use super::{Ended, Failure, inputs, run, tell};
use crate::intake::Record;
use crate::mappings::source::Mapping;
use crate::model::{Fault, check};
use crate::outcome::Exit;

/// A value is shown up to here in a table.
const LONGEST_VALUE: usize = 60;

/// `payables mapping`
pub(super) fn mapping(args: &MappingArgs) -> Ended {
    match &args.command {
        MappingCommand::List => list(),
        MappingCommand::Check { mapping } => {
            let mapping = load(mapping)?;
            write(|out| writeln!(out, "{}: ok, makes a document of kind {}", plain(mapping.name()), mapping.kind().word()))
        }
        MappingCommand::Preview(args) => preview(args),
    }
}

/// Finds a mapping: by its name, or in a file.
pub(super) fn load(name: &str) -> Result<Arc<Mapping>, Failure> {
    if let Some(mapping) = Mapping::built_in(name) {
        return Ok(Arc::new(mapping));
    }
    let wrong = |message: String| Failure::new(Exit::Config, message);
    let text = fs::read_to_string(Path::new(name)).map_err(|error| {
        let names: Vec<&str> = Mapping::built_in_names().collect();
        let names = names.join(", ");
        wrong(match error.kind() {
            io::ErrorKind::NotFound => {
                format!("--mapping {name}: there is no such file, and no such mapping is built in; there are: {names}")
            }
            _ => format!("--mapping {name}: the file cannot be read: {error}; built in are: {names}"),
        })
    })?;
    let mapping = Mapping::parse(name, &text).map_err(|problems| wrong(format!("the mapping {name} is wrong:\n{problems}")))?;
    Ok(Arc::new(mapping))
}

fn list() -> Ended {
    let mut table = grid(&["Name", "Makes", "For"], run::colours(&stdout()));
    for mapping in Mapping::built_in_names().filter_map(Mapping::built_in) {
        table.add_row([mapping.name(), mapping.kind().word(), mapping.title()]);
    }
    write(|out| writeln!(out, "{}", table.trim_fmt()))
}

fn preview(args: &PreviewArgs) -> Ended {
    let mapping = load(&args.mapping)?;
    let name = args.file.display().to_string();
    let Some(input) = inputs::open(std::slice::from_ref(&name))?.pop() else { return Ok(Exit::Done) };
    let mut documents = input.mapped(mapping).documents();
    let mut seen = 0;
    loop {
        let read = |error: io::Error| Failure::new(Exit::Unexpected, format!("{name} cannot be read: {error}"));
        let Some(record) = documents.next().map_err(read)? else {
            return Err(Failure::new(Exit::Usage, format!("{name} has {seen} documents, so there is no document {}", args.row)));
        };
        seen += 1;
        if seen == args.row {
            return show(&record, &name, args.output);
        }
    }
}

fn show(record: &Record<'_>, name: &str, output: Shown) -> Ended {
    let mut faults: Vec<Fault> = Vec::new();
    match record.read() {
        Ok(document) => check(&document, &mut faults),
        Err(mut unreadable) => {
            let mut more = Vec::new();
            if let Some(rest) = unreadable.rest.take() {
                check(&rest, &mut more);
            }
            more.retain(|fault| !unreadable.has_refused(&fault.path));
            faults.append(&mut unreadable.faults);
            faults.append(&mut more);
        }
    }
    record.place(&mut faults, name);
    let exit = if faults.iter().any(Fault::is_error) { Exit::Documents } else { Exit::Done };
    match output {
        Shown::Json => show_json(record, &faults)?,
        Shown::Table => show_table(record, &faults)?,
    };
    Ok(exit)
}

fn show_json(record: &Record<'_>, faults: &[Fault]) -> Ended {
    let cells = record.origin.map(|origin| origin.cells.as_slice()).unwrap_or_default();
    let cells: Vec<serde_json::Value> = cells
        .iter()
        .filter(|cell| !cell.raw.is_empty() || cell.value.is_some())
        .map(|cell| json!({ "path": cell.path, "line": cell.line, "column": cell.column, "raw": cell.raw, "value": cell.value }))
        .collect();
    let document: Option<&RawValue> = record.text.as_ref().ok().and_then(|text| serde_json::from_str(text).ok());
    let shown = Preview { line: record.line, document, cells, faults };
    let text = serde_json::to_string(&shown).map_err(|error| Failure::new(Exit::Unexpected, error.to_string()))?;
    write(|out| writeln!(out, "{text}"))
}

#[derive(serde::Serialize)]
struct Preview<'p> {
    line: u64,
    document: Option<&'p RawValue>,
    cells: Vec<serde_json::Value>,
    faults: &'p [Fault],
}

fn show_table(record: &Record<'_>, faults: &[Fault]) -> Ended {
    let mut table = grid(&["Field", "Column", "What stands there", "Value"], run::colours(&stdout()));
    for cell in record.origin.iter().flat_map(|origin| &origin.cells) {
        // A part is shown by its fields, and a field that is not given by nothing.
        if let Some(value) = &cell.value {
            let column = if cell.column.is_empty() { "(constant)" } else { &cell.column };
            let row = [&cell.path, column, &cell.raw, value];
            table.add_row(row.map(|text| Cell::new(one_line(text, LONGEST_VALUE))));
        }
    }
    let ended = write(|out| writeln!(out, "{}", table.trim_fmt()))?;
    for fault in faults {
        let path = if fault.path.is_empty() { String::new() } else { format!("{}: ", fault.path) };
        let weight = if fault.is_error() { "" } else { "Warning: " };
        tell(format_args!("{}", plain(&format!("{weight}{path}{} [{}]", fault.message, fault.rule))));
    }
    Ok(ended)
}

fn write(print: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Ended {
    let mut out = stdout().lock();
    print(&mut out).and_then(|()| out.flush()).map_err(|error| Failure::output(&error))?;
    Ok(Exit::Done)
}
