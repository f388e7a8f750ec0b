//! A record of a source before it is mapped: columns in their order, doubled ones and all, whatever it was written in.

use serde_json::value::RawValue;

use super::xml::Element;
use crate::mappings::source::Known;
use crate::model::{Members, Text, Token};

/// A record, or a row of a table within a column.
#[derive(Debug)]
pub(super) struct Row<'s> {
    /// The line that it begins on.
    pub(super) line: u64,
    pub(super) cells: Vec<Cell<'s>>,
}

/// A cell with its column.
#[derive(Debug)]
pub(super) struct Cell<'s> {
    pub(super) column: Text<'s>,
    pub(super) line: u64,
    pub(super) content: Content<'s>,
}

/// What stands in a cell.
#[derive(Debug)]
pub(super) enum Content<'s> {
    /// One value. CSV and XML have texts only.
    Value(Token<'s>),
    /// An object or a list of JSON.
    Json(&'s str),
    /// Elements within an element.
    Xml(&'s Element),
}

impl<'s> Row<'s> {
    /// Reads an object of JSON. `line` is that of its first character; `counts` says whether its line breaks are lines of the
    /// file.
    pub(super) fn json(text: &'s str, line: u64, counts: bool) -> Result<Self, serde_json::Error> {
        let Members(members) = serde_json::from_str(text)?;
        let mut place = Place { at: 0, line };
        let cells = members.into_iter().map(|(column, raw)| {
            let line = if counts { place.of(text, raw) } else { line };
            let content = match Token::of(raw.get()) {
                Token::Nested => Content::Json(raw.get()),
                token => Content::Value(token),
            };
            Cell { column, line, content }
        });
        Ok(Self { line, cells: cells.collect() })
    }

    /// Takes the children of an element for columns.
    fn elements(elements: &'s [Element], line: u64) -> Self {
        let cells = elements.iter().map(|element| {
            let content = if element.children.is_empty() {
                Content::Value(Token::Text(element.text.as_str().into()))
            } else {
                Content::Xml(element)
            };
            Cell { column: Text::from(element.name.as_str()), line, content }
        });
        Self { line, cells: cells.collect() }
    }

    /// The cell of a column; the first, where the column is doubled.
    pub(super) fn cell(&self, column: &str) -> Option<&Cell<'s>> {
        self.cells.iter().find(|cell| cell.column.as_str() == column)
    }
}

/// Counts lines as far as they are asked for, which mostly goes forward.
struct Place {
    at: usize,
    line: u64,
}

impl Place {
    fn of(&mut self, text: &str, raw: &RawValue) -> u64 {
        // A raw value is a slice of the text, so its place is the distance between the two.
        let offset = (raw.get().as_ptr() as usize).wrapping_sub(text.as_ptr() as usize);
        let between = text.as_bytes().get(self.at..offset).unwrap_or_default();
        self.line += memchr::memchr_iter(b'\n', between).count() as u64;
        self.at = offset.max(self.at);
        self.line
    }
}

/// The rows of a table in JSON: a list of objects, or one object.
pub(super) fn json_rows(text: &str, line: u64, counts: bool) -> Result<Vec<Row<'_>>, String> {
    let text = text.trim_ascii();
    let broken = |error: serde_json::Error| {
        let says = error.to_string();
        format!("is not valid JSON ({}); write the table as JSON or XML", says.split(" at line ").next().unwrap_or_default())
    };
    if !text.starts_with('[') {
        return Ok(vec![Row::json(text, line, counts).map_err(broken)?]);
    }
    let raws: Vec<&RawValue> = serde_json::from_str(text).map_err(broken)?;
    let mut place = Place { at: 0, line };
    let rows = raws.into_iter().enumerate().map(|(index, raw)| {
        let line = if counts { place.of(text, raw) } else { line };
        Row::json(raw.get(), line, counts).map_err(|_| {
            format!("has {} as its row {}; write every row as an object in {{ }}", Token::of(raw.get()).describe(), index + 1)
        })
    });
    rows.collect()
}

/// The rows of a table in XML: an element with rows in it, rows one after the other, or one row. A row is known by the
/// columns in it.
pub(super) fn xml_rows<'e>(elements: &'e [Element], line: u64, columns: &Known) -> Vec<Row<'e>> {
    let knows = |elements: &[Element]| elements.iter().any(|element| columns.has(&element.name));
    if knows(elements) {
        return vec![Row::elements(elements, line)];
    }
    let rows = match elements {
        [only] if only.children.is_empty() => &[],
        [only] if knows(&only.children) || only.children.iter().any(|child| child.children.is_empty()) => elements,
        [only] => only.children.as_slice(),
        rows => rows,
    };
    rows.iter().map(|row| Row::elements(&row.children, line)).collect()
}
