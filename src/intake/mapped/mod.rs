//! Sources that reach the canonical form through a mapping: CSV and JSON in, the canonical text of one document at a time out,
//! with the place that every value came from.
//!
//! What comes out is text like any other, so every check of a document applies to it.

mod build;
mod convert;
mod csv;
mod decode;
mod group;
mod out;
mod row;
mod xml;

use std::io::{self, Read};
use std::sync::Arc;

use super::json::encoding_fault as wrong_encoding;
use super::origin::Origin;
use super::window::Window;
use super::{Record, Records, pointer};
use crate::mappings::source::{Format, Mapping, Plan};
use crate::model::{Fault, Path, shorten};
use build::Builder;
use csv::Rows;
use group::Documents;
use out::Out;
use row::Row;

type Bytes<'r> = Box<dyn Read + Send + 'r>;

/// Reads a source through its mapping.
pub(super) struct Mapped<'r> {
    mapping: Arc<Mapping>,
    state: State<'r>,
    text: String,
    origin: Origin,
}

enum State<'r> {
    New(Bytes<'r>),
    Json(Records<Bytes<'r>>),
    Csv(Box<Documents<Bytes<'r>>>),
    Done,
}

impl<'r> Mapped<'r> {
    pub(super) fn new(bytes: Bytes<'r>, mapping: Arc<Mapping>) -> Self {
        Self { mapping, state: State::New(bytes), text: String::new(), origin: Origin::default() }
    }

    /// The next document.
    pub(super) fn next(&mut self) -> io::Result<Option<Record<'_>>> {
        if let State::New(_) = self.state
            && let Err((line, fault)) = self.begin()?
        {
            return Ok(Some(Record { line, text: Err(fault), origin: None }));
        }
        self.origin.cells.clear();
        self.origin.faults.clear();
        let plan = &self.mapping.plan;
        let (line, document) = match &mut self.state {
            State::New(_) | State::Done => return Ok(None),
            State::Json(records) => {
                let Some(record) = records.next()? else { return Ok(None) };
                let line = record.line;
                let text = match record.text {
                    Ok(text) => text,
                    Err(fault) => return Ok(Some(Record { line, text: Err(fault), origin: None })),
                };
                if plan.encoding.is_some() && text.contains('\u{FFFD}') {
                    let fault = Box::new(csv::encoding_fault(text));
                    return Ok(Some(Record { line, text: Err(fault), origin: None }));
                }
                match Row::json(text, line, true) {
                    Ok(row) => (line, Builder::new(&plan.formats, &mut self.origin).record(&plan.header, &row)),
                    // What is no object is told of by the reader of documents, in its words.
                    Err(_) => return Ok(Some(Record { line, text: Ok(text), origin: None })),
                }
            }
            State::Csv(documents) => match documents.next(plan, &mut self.origin)? {
                None => return Ok(None),
                Some((line, Err(fault))) => return Ok(Some(Record { line, text: Err(fault), origin: None })),
                Some((line, Ok(document))) => (line, document),
            },
        };
        write(plan, document, &mut self.text);
        Ok(Some(Record { line, text: Ok(&self.text), origin: Some(&self.origin) }))
    }

    /// Finds out how the source is written. What cannot be read at all is one fault.
    fn begin(&mut self) -> io::Result<Result<(), (u64, Box<Fault>)>> {
        let State::New(bytes) = std::mem::replace(&mut self.state, State::Done) else { return Ok(Ok(())) };
        let plan = &self.mapping.plan;
        let bytes: Bytes<'r> = match plan.encoding {
            Some(encoding) => Box::new(decode::Decoding::new(bytes, encoding)),
            None => bytes,
        };
        let mut window = Window::new(bytes);
        while window.unread().len() < 3 && window.fill()? {}
        if window.unread().starts_with(b"\xEF\xBB\xBF") {
            window.take(3);
        }
        if matches!(window.unread(), [0xFE, 0xFF, ..] | [0xFF, 0xFE, ..] | [0, ..] | [_, 0, ..]) {
            let says = "is not UTF-8 but UTF-16, or no text at all; add encoding = \"utf-16le\" under [source] of the mapping";
            return Ok(Err((1, Box::new(wrong_encoding(says)))));
        }
        if !plan.records_at.is_empty() {
            return Ok(match pointer::enter(&mut window, &plan.records_at)? {
                Ok(()) => {
                    self.state = State::Json(Records::in_list(window));
                    Ok(())
                }
                Err(fault) => Err((window.line, fault)),
            });
        }
        let is_json = match plan.format {
            Format::Csv => false,
            Format::Json | Format::Ndjson => true,
            // A heading may begin with blanks, and they may be delimiters: nothing is taken.
            Format::Auto => first_character(&mut window)?.is_some_and(|byte| matches!(byte, b'{' | b'[')),
        };
        if is_json {
            self.state = State::Json(Records::of_window(window));
            return Ok(Ok(()));
        }
        let mut rows = Rows::new(window, &plan.dialect, plan.encoding.is_some());
        match rows.read_heading(plan.dialect.header_row)? {
            Ok(false) => return Ok(Ok(())),
            Err(fault) => return Ok(Err((u64::from(plan.dialect.header_row), fault))),
            Ok(true) => {}
        }
        if let Some(fault) = foreign_heading(plan, &rows.headings) {
            return Ok(Err((u64::from(plan.dialect.header_row), Box::new(fault))));
        }
        self.state = State::Csv(Box::new(Documents::new(rows)));
        Ok(Ok(()))
    }
}

/// The first character that is no blank, without taking anything.
fn first_character<R: Read>(window: &mut Window<R>) -> io::Result<Option<u8>> {
    loop {
        if let Some(byte) = window.unread().iter().find(|byte| !byte.is_ascii_whitespace()) {
            return Ok(Some(*byte));
        }
        if !window.fill()? {
            return Ok(None);
        }
    }
}

/// A heading of which the mapping knows not one column is that of another file, or it is told apart in another way.
fn foreign_heading(plan: &Plan, headings: &[String]) -> Option<Fault> {
    let columns = plan.group.as_ref().map_or(&plan.header.columns, |group| &group.columns);
    if headings.iter().any(|heading| columns.has(heading)) {
        return None;
    }
    let delimiter = char::from(plan.dialect.delimiter);
    let other = [',', ';', '\t', '|'].into_iter().find(|other| {
        let parts = headings.iter().flat_map(|heading| heading.split(*other)).map(|part| part.trim_matches('"'));
        *other != delimiter && parts.filter(|part| columns.has(part)).count() > 0
    });
    let what = match other {
        Some(other) => format!("its columns are told apart by {other:?}, and the mapping says {delimiter:?} (delimiter)"),
        None => {
            format!("the mapping knows columns such as {}", columns.read.iter().take(3).cloned().collect::<Vec<_>>().join(", "))
        }
    };
    let message = format!("not one column of the heading is in the mapping, so nothing of the file is read; {what}");
    Some(Fault::error("MAP-COLUMN", Path::ROOT, message).found(shorten(&headings.join(&delimiter.to_string()))))
}

fn write(plan: &Plan, document: Out, text: &mut String) {
    text.clear();
    let mut members = vec![("kind".to_owned(), Out::text(plan.kind.word()))];
    if let Out::Object(more) = document {
        members.extend(more);
    }
    Out::Object(members).write(text);
}
