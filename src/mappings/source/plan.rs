//! A mapping as the reader of sources uses it: checked, with every name looked up.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::canon::{Holds, Step};
use super::file::{Format, HeaderConflict, SkipSection};
use crate::model::Kind;

/// A mapping, checked.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) kind: Kind,
    pub(crate) format: Format,
    /// `None` is UTF-8, which needs no decoding.
    pub(crate) encoding: Option<&'static encoding_rs::Encoding>,
    /// The members on the way to the list of records.
    pub(crate) records_at: Vec<String>,
    pub(crate) dialect: Dialect,
    pub(crate) formats: Formats,
    /// The fields of the document, with its lines where they stand in a column.
    pub(crate) header: Part,
    /// How flat rows make documents.
    pub(crate) group: Option<Group>,
}

/// How the cells of CSV are told apart; all of it ASCII.
#[derive(Debug)]
pub(crate) struct Dialect {
    pub(crate) delimiter: u8,
    pub(crate) quote: u8,
    pub(crate) escape: Option<u8>,
    pub(crate) comment: Option<u8>,
    pub(crate) header_row: u32,
}

/// How values are written.
#[derive(Debug)]
pub(crate) struct Formats {
    pub(crate) decimal: char,
    pub(crate) group: Option<char>,
    pub(crate) parentheses_negative: bool,
    pub(crate) missing: Vec<String>,
    pub(crate) yes: Vec<String>,
    pub(crate) no: Vec<String>,
}

/// How flat rows make documents.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) key: Vec<String>,
    pub(crate) fill_down: bool,
    pub(crate) skip: Vec<SkipSection>,
    pub(crate) conflict: HeaderConflict,
    /// The fields of a line.
    pub(crate) lines: Part,
    /// What the mapping knows of a row's columns: header, lines, key and all.
    pub(crate) columns: Known,
}

/// A part of a document, filled from one record.
#[derive(Debug, Default)]
pub(crate) struct Part {
    pub(crate) fields: Vec<Field>,
    pub(crate) columns: Known,
}

/// The columns that a mapping knows.
#[derive(Debug, Default, Clone)]
pub(crate) struct Known {
    /// Those that are read.
    pub(crate) read: BTreeSet<String>,
    /// Those that are known and not read.
    pub(crate) ignored: BTreeSet<String>,
}

impl Known {
    /// Whether the mapping speaks of a column.
    pub(crate) fn has(&self, column: &str) -> bool {
        self.read.contains(column) || self.ignored.contains(column)
    }
}

/// A field and where its value comes from.
#[derive(Debug)]
pub(crate) struct Field {
    /// The way to it, from the part on.
    pub(crate) path: Vec<Step>,
    /// The same, as text.
    pub(crate) name: String,
    /// The columns; the first with a value counts.
    pub(crate) from: Vec<String>,
    pub(crate) value: Value,
}

/// What becomes of a cell.
#[derive(Debug)]
pub(crate) enum Value {
    /// One value.
    Scalar(Box<Scalar>),
    /// The one row of a table within the cell.
    One(Box<Part>),
    /// The rows of a table within the cell.
    Rows(Box<Part>),
}

/// How one value is made.
#[derive(Debug)]
pub(crate) struct Scalar {
    pub(crate) holds: Holds,
    /// The value, whatever the source says.
    pub(crate) constant: Option<String>,
    /// The value when the source gives none.
    pub(crate) default: Option<String>,
    pub(crate) words: Option<Arc<WordMap>>,
    /// How a date is written.
    pub(crate) date: DateFormat,
    pub(crate) trim: bool,
}

/// Words of a source and what they become.
#[derive(Debug)]
pub(crate) struct WordMap {
    pub(crate) name: String,
    pub(crate) words: BTreeMap<String, String>,
}

/// How dates are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DateFormat {
    /// A day, or a day and a time, with an offset or without.
    Iso8601,
    /// A day and a time with an offset.
    Rfc3339,
    /// A pattern of strptime.
    Pattern(String),
}
