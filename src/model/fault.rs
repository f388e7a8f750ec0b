//! What is wrong with a document: one fault for one field, said so that the person who keys orders can mend it.

use std::borrow::Cow;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How much a fault weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The document is not sent.
    Error,
    /// The document goes, and the person is told. Never changes the exit code.
    Warning,
}

/// Where in the input a fault stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Source {
    /// The file as it was named on the command line; `-` is standard input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<Cow<'static, str>>,
    /// The line, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// The column: a heading in tabular input, the position in the line (counted from 1, in characters) in JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// What stood there, cut after 120 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw: Option<String>,
}

/// One fault of one field of one document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Fault {
    /// The rule's stable code; `payables explain CODE` says what to do.
    pub rule: Cow<'static, str>,
    /// Whether the document is stopped by it.
    pub severity: Severity,
    /// The field, such as `lines[0].price`; empty when the document as a whole is meant.
    pub path: String,
    /// What is wrong, what stood there and what to do.
    pub message: String,
    /// The vendor's own code, verbatim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vendor_code: Option<String>,
    /// The vendor's own words, verbatim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vendor_message: Option<String>,
    /// Where the value came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
}

impl Fault {
    /// A fault that stops the document.
    pub fn error(rule: &'static str, path: impl fmt::Display, message: impl Into<String>) -> Self {
        Self {
            rule: Cow::Borrowed(rule),
            severity: Severity::Error,
            path: path.to_string(),
            message: message.into(),
            vendor_code: None,
            vendor_message: None,
            source: None,
        }
    }

    /// A fault that is only told.
    pub fn warning(rule: &'static str, path: impl fmt::Display, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(rule, path, message) }
    }

    /// Keeps what stood in the field.
    #[must_use]
    pub fn found(mut self, raw: impl fmt::Display) -> Self {
        self.source.get_or_insert_default().raw = Some(shorten(&raw.to_string()));
        self
    }

    /// Keeps what the vendor said, in its own words.
    #[must_use]
    pub fn vendor(mut self, code: Option<&str>, message: Option<&str>) -> Self {
        self.vendor_code = code.filter(|code| !code.is_empty()).map(str::to_owned);
        self.vendor_message = message.filter(|message| !message.is_empty()).map(str::to_owned);
        self
    }

    /// Whether the fault stops the document.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// The most faults that are collected of one document: who has so many mends the export, not the document.
pub(crate) const MOST_FAULTS: usize = 1000;

/// Counts the errors among faults as they come in, each once.
#[derive(Debug, Default)]
pub(crate) struct ErrorCount {
    looked_at: usize,
    errors: usize,
}

impl ErrorCount {
    /// Whether there are more errors than anybody would read. Warnings do not count: a long order may have many.
    pub(crate) fn is_full(&mut self, faults: &[Fault]) -> bool {
        self.errors += faults.get(self.looked_at..).unwrap_or_default().iter().filter(|fault| fault.is_error()).count();
        self.looked_at = faults.len();
        self.errors >= MOST_FAULTS
    }
}

/// The longest piece of a value that a fault repeats, in characters.
const LONGEST_FOUND: usize = 120;

/// A value as it may be shown: cut, so that a megabyte of garbage does not fill a report.
pub fn shorten(raw: &str) -> String {
    match raw.char_indices().nth(LONGEST_FOUND) {
        Some((cut, _)) => format!("{}…", raw.get(..cut).unwrap_or_default()),
        None => raw.to_owned(),
    }
}

/// The way to a field, kept on the stack while a document is read or checked, and only written out for a fault.
#[derive(Debug, Clone, Copy)]
pub struct Path<'p> {
    parent: Option<&'p Path<'p>>,
    step: Step<'p>,
}

#[derive(Debug, Clone, Copy)]
enum Step<'p> {
    Root,
    Field(&'p str),
    Index(usize),
}

impl<'p> Path<'p> {
    /// The document itself.
    pub const ROOT: Path<'static> = Path { parent: None, step: Step::Root };

    /// A field below this one.
    pub fn field<'q>(&'q self, name: &'q str) -> Path<'q>
    where
        'p: 'q,
    {
        Path { parent: Some(self), step: Step::Field(name) }
    }

    /// An element of this list, counted from 0.
    pub fn index<'q>(&'q self, index: usize) -> Path<'q>
    where
        'p: 'q,
    {
        Path { parent: Some(self), step: Step::Index(index) }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(parent) = self.parent else { return Ok(()) };
        parent.fmt(f)?;
        match self.step {
            Step::Root => Ok(()),
            Step::Index(index) => write!(f, "[{index}]"),
            Step::Field(name) if matches!(parent.step, Step::Root) => f.write_str(name),
            Step::Field(name) => write!(f, ".{name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_reads_as_a_clerk_writes_it() {
        let lines = Path::ROOT.field("lines");
        let line = lines.index(2);
        let item = line.field("item");
        assert_eq!(item.field("buyers_id").to_string(), "lines[2].item.buyers_id");
        assert_eq!(Path::ROOT.to_string(), "");
    }

    #[test]
    fn a_long_value_is_cut_between_characters() {
        assert_eq!(shorten("short"), "short");
        assert_eq!(shorten(&"ü".repeat(500)).chars().count(), LONGEST_FOUND + 1);
    }
}
