//! Rows of CSV become documents: each row by itself, or those that follow one another with the same key.

use std::io::{self, Read};

use super::build::Builder;
use super::csv::{Next, Rows, Stored};
use super::out::Out;
use super::row::Row;
use crate::intake::MAX_DOCUMENT_BYTES;
use crate::intake::origin::{Origin, source_of};
use crate::mappings::source::{Formats, Group, HeaderConflict, Part, Plan};
use crate::model::{Fault, Path, shorten};

/// Documents made of rows. It keeps the rows of one document, and the row behind them.
pub(super) struct Documents<R> {
    rows: Rows<R>,
    /// The first row of the next document.
    next: Option<Stored>,
    /// A row that could not be read, between the last document and the next one: it may belong to either.
    broken: Option<(u64, Fault)>,
}

/// A document, or why there is none, and the line that it begins on.
pub(super) type Found = (u64, Result<Out, Box<Fault>>);

impl<R: Read> Documents<R> {
    pub(super) fn new(rows: Rows<R>) -> Self {
        Self { rows, next: None, broken: None }
    }

    pub(super) fn next(&mut self, plan: &Plan, origin: &mut Origin) -> io::Result<Option<Found>> {
        let Some(group) = &plan.group else {
            return Ok(match self.rows.next()? {
                Next::End => None,
                Next::Broken(line, fault) => Some((line, Err(fault))),
                Next::Row(stored) => {
                    let row = Rows::<R>::row(&self.rows.headings, &stored);
                    let document = Builder::new(&plan.formats, origin).record(&plan.header, &row);
                    Some((stored.line, Ok(document)))
                }
            });
        };
        let Some((first, mut faults, broken_after)) = self.collect(group, &plan.formats)? else {
            // Broken rows without a document to belong to stand for themselves.
            return Ok(self.broken.take().map(|(line, fault)| (line, Err(Box::new(fault)))));
        };
        let Some(line) = first.first().map(|row| row.line) else { return Ok(None) };
        let rows: Vec<Row<'_>> = first.iter().map(|stored| Rows::<R>::row(&self.rows.headings, stored)).collect();
        if group.conflict == HeaderConflict::Error {
            conflicts(&plan.header, group, &plan.formats, &rows, &mut faults);
        }
        let document = Builder::new(&plan.formats, origin).rows(&plan.header, &group.lines, &group.columns, &rows);
        origin.faults.append(&mut faults);
        self.broken = broken_after;
        Ok(Some((line, Ok(document))))
    }

    /// The rows of the next document, and what is wrong between them.
    #[expect(clippy::type_complexity, reason = "the three parts are taken apart at once, in the only place that calls it")]
    fn collect(
        &mut self,
        group: &Group,
        formats: &Formats,
    ) -> io::Result<Option<(Vec<Stored>, Vec<Fault>, Option<(u64, Fault)>)>> {
        let mut rows: Vec<Stored> = Vec::new();
        let mut faults: Vec<Fault> = Vec::new();
        let mut key: Vec<String> = Vec::new();
        let (mut size, mut is_too_large, mut after) = (0, false, None);
        if let Some((line, fault)) = self.broken.as_ref() {
            faults.push(beside(*line, fault));
        }
        loop {
            let stored = match self.next.take() {
                Some(stored) => stored,
                None => match self.rows.next()? {
                    Next::Row(stored) => stored,
                    Next::End => break,
                    Next::Broken(line, fault) => {
                        if rows.is_empty() && self.broken.is_none() {
                            self.broken = Some((line, (*fault).clone()));
                        }
                        faults.push(beside(line, &fault));
                        after = Some((line, *fault));
                        continue;
                    }
                },
            };
            let row = Rows::<R>::row(&self.rows.headings, &stored);
            if group.skip.iter().any(|skip| value(&row, &skip.column) == skip.equals) {
                continue;
            }
            let here: Vec<String> = group.key.iter().map(|column| value(&row, column).to_owned()).collect();
            let is_blank = here.iter().all(|value| value.is_empty() || formats.missing.contains(value));
            let belongs = rows.is_empty() || here == key || group.fill_down && is_blank;
            if !belongs {
                drop(row);
                self.next = Some(stored);
                break;
            }
            if rows.is_empty() {
                (key, after) = (here, None);
            } else if after.is_some() {
                // The rows on both sides belong to one document, so the one between them does too.
                after = None;
            }
            size += stored.size();
            is_too_large |= size > MAX_DOCUMENT_BYTES;
            if rows.is_empty() || !is_too_large {
                drop(row);
                rows.push(stored);
            }
        }
        if is_too_large {
            let message =
                format!("the rows of the document are larger than {} MiB; look at the key of [group]", MAX_DOCUMENT_BYTES >> 20);
            faults.push(Fault::error("DOC-SIZE", Path::ROOT, message));
        }
        Ok((!rows.is_empty()).then_some((rows, faults, after)))
    }
}

fn value<'r>(row: &'r Row<'_>, column: &str) -> &'r str {
    row.cell(column)
        .and_then(|cell| match &cell.content {
            super::row::Content::Value(crate::model::Token::Text(text)) => Some(&**text),
            _ => None,
        })
        .unwrap_or_default()
}

/// A broken row refuses the documents on both sides of it: without it, one of them would go with a line too few.
fn beside(line: u64, fault: &Fault) -> Fault {
    let message = format!("a row beside this document, in line {line}, may belong to it and cannot be read: {}", fault.message);
    let raw = fault.source.as_ref().and_then(|source| source.raw.clone()).unwrap_or_default();
    Fault { source: Some(source_of(line, "", &raw)), ..Fault::error("MAP-ROW", Path::ROOT, message) }
}

/// Columns of the header that differ between the rows of one document.
fn conflicts(header: &Part, group: &Group, formats: &Formats, rows: &[Row<'_>], faults: &mut Vec<Fault>) {
    let Some((first, rest)) = rows.split_first() else { return };
    let missing = |text: &str| text.is_empty() || formats.missing.iter().any(|missing| missing == text);
    for field in &header.fields {
        for column in &field.from {
            let expected = value(first, column);
            let differs = |row: &&Row<'_>| {
                let found = value(row, column);
                found != expected && !(group.fill_down && missing(found))
            };
            if let Some(row) = rest.iter().find(differs) {
                let found = value(row, column);
                let message = format!(
                    "the column {column} holds {:?} in line {} and {:?} in line {}, in one document; correct one of the two",
                    shorten(expected),
                    first.line,
                    shorten(found),
                    row.line
                );
                let source = Some(source_of(row.line, column, found));
                faults.push(Fault { source, ..Fault::error("MAP-CONFLICT", &field.name, message) });
            }
        }
    }
}
