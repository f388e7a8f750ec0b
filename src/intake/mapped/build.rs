//! Fills a document from a record: goes through the fields of the mapping, and writes down where each value came from.

use std::collections::BTreeSet;

use super::convert::{self, is_missing, raw_text};
use super::out::{Moved, Out};
use super::row::{Cell, Content, Row, json_rows, xml_rows};
use super::xml;
use crate::intake::origin::{self, Origin, source_of};
use crate::mappings::source::{Field, Formats, Known, Part, Scalar, Value};
use crate::model::{Fault, MOST_FAULTS, Token, closest, shorten};

/// A row takes far more memory than the two bytes that it takes to write.
const MOST_ROWS: usize = 1 << 16;
/// The columns of one record that nobody knows are named up to here.
const MOST_UNKNOWN: usize = 50;

/// Where something is: in the document, and in the source.
#[derive(Debug, Clone, Copy)]
struct At<'a> {
    path: &'a str,
    column: &'a str,
}

impl At<'_> {
    fn path(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    fn column(&self, name: &str) -> String {
        if self.column.is_empty() { name.to_owned() } else { format!("{}.{name}", self.column) }
    }
}

/// Fills one document.
pub(super) struct Builder<'b> {
    formats: &'b Formats,
    origin: &'b mut Origin,
    rows: usize,
}

impl<'b> Builder<'b> {
    pub(super) fn new(formats: &'b Formats, origin: &'b mut Origin) -> Self {
        Self { formats, origin, rows: 0 }
    }

    /// Fills the document from one record.
    pub(super) fn record(&mut self, part: &Part, row: &Row<'_>) -> Out {
        let at = At { path: "", column: "" };
        let doubled = self.audit(&part.columns, part, row, at);
        self.part(part, row, at, &doubled)
    }

    /// Fills the document from several flat rows: the header from the first, a line from each.
    pub(super) fn rows(&mut self, header: &Part, lines: &Part, columns: &Known, rows: &[Row<'_>]) -> Out {
        let at = At { path: "", column: "" };
        let Some(first) = rows.first() else { return Out::Object(Vec::new()) };
        // The heading is the same for all rows, and so is what is wrong with it.
        let doubled = self.audit(columns, header, first, at);
        let mut document = self.part(header, first, at, &doubled);
        let mut list = Vec::new();
        for (index, row) in rows.iter().enumerate() {
            let path = format!("lines[{index}]");
            list.push(self.part(lines, row, At { path: &path, column: "" }, &doubled));
        }
        document.put(&[crate::mappings::source::Step::Field("lines".into())], Out::List(list));
        document
    }

    /// Looks for columns that the mapping does not know, and for doubled ones; those come back.
    fn audit(&mut self, columns: &Known, part: &Part, row: &Row<'_>, at: At<'_>) -> BTreeSet<String> {
        let mut seen = BTreeSet::new();
        let mut doubled = BTreeSet::new();
        let mut unknown = 0;
        for cell in &row.cells {
            let name = cell.column.as_str();
            if columns.read.contains(name) && !seen.insert(name) {
                doubled.insert(name.to_owned());
            }
            // A heading without a name, as a delimiter at the end of each line makes it, has nothing below it.
            let is_nothing =
                name.is_empty() && matches!(&cell.content, Content::Value(token) if is_missing(token, true, self.formats));
            if !columns.has(name) && !is_nothing && unknown < MOST_UNKNOWN {
                unknown += 1;
                self.unknown(columns, cell, at);
            }
        }
        for name in &doubled {
            self.doubled(part, row, name, at);
        }
        doubled
    }

    fn unknown(&mut self, columns: &Known, cell: &Cell<'_>, at: At<'_>) {
        let name = cell.column.as_str();
        let names: Vec<&str> = columns.read.iter().map(String::as_str).collect();
        let hint = closest(name, &names)
            .map_or_else(|| "add it to the mapping, or to its `ignore`".to_owned(), |near| format!("did you mean `{near}`?"));
        let message = format!("the column `{}` is not in the mapping; {hint}", shorten(name));
        self.fault("MAP-COLUMN", at.path(&shorten(name)), message, (cell.line, &at.column(name), &raw_of(cell)));
    }

    fn doubled(&mut self, part: &Part, row: &Row<'_>, name: &str, at: At<'_>) {
        let field = part.fields.iter().find(|field| field.from.iter().any(|column| column == name));
        let path = field.map_or_else(|| at.path(name), |field| at.path(&field.name));
        let cells: Vec<&Cell<'_>> = row.cells.iter().filter(|cell| cell.column.as_str() == name).collect();
        let values: Vec<String> = cells.iter().take(5).map(|cell| format!("{:?}", shorten(&raw_of(cell)))).collect();
        let message = format!(
            "the column `{name}` stands {} times in one record, with the values {}, so the values behind it may stand in the wrong \
             columns; keep one of them",
            cells.len(),
            values.join(" and "),
        );
        let line = cells.first().map_or(row.line, |cell| cell.line);
        let raw = cells.first().map(|cell| raw_of(cell)).unwrap_or_default();
        self.fault("MAP-TWICE", path, message, (line, &at.column(name), &raw));
    }

    /// Fills a part of the document.
    fn part(&mut self, part: &Part, row: &Row<'_>, at: At<'_>, doubled: &BTreeSet<String>) -> Out {
        let first = self.origin.cells.len();
        let mut out = Out::Object(Vec::new());
        for field in &part.fields {
            if self.origin.faults.len() >= MOST_FAULTS {
                break;
            }
            if field.from.iter().any(|column| doubled.contains(column)) {
                continue;
            }
            if let Some(value) = self.field(field, row, at) {
                out.put(&field.path, value);
            }
        }
        let mut moved = Vec::new();
        out.close_gaps(at.path, &mut moved);
        self.rename(first, &moved);
        out
    }

    /// What has moved within its list is found under its new place.
    fn rename(&mut self, first: usize, moved: &[Moved]) {
        for Moved { from, to } in moved {
            let below =
                |path: &str| path.strip_prefix(from.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']));
            let cells = self.origin.cells.split_off(first.min(self.origin.cells.len()));
            self.origin.cells.extend(cells.into_iter().filter_map(|mut cell| {
                if below(&cell.path) {
                    let rest = cell.path.get(from.len()..).unwrap_or_default();
                    cell.path = format!("{}{rest}", to.as_ref()?);
                }
                Some(cell)
            }));
        }
    }

    fn field(&mut self, field: &Field, row: &Row<'_>, at: At<'_>) -> Option<Out> {
        let trims = matches!(&field.value, Value::Scalar(scalar) if scalar.trim);
        let says_something =
            |cell: &&Cell<'_>| !matches!(&cell.content, Content::Value(token) if is_missing(token, trims, self.formats));
        let given = field.from.iter().filter_map(|column| row.cell(column)).find(says_something);
        match &field.value {
            Value::Scalar(scalar) => self.scalar(field, scalar, given, row, at),
            Value::One(part) => self.table(field, part, given, row, at, false),
            Value::Rows(part) => self.table(field, part, given, row, at, true),
        }
    }

    fn scalar(&mut self, field: &Field, scalar: &Scalar, given: Option<&Cell<'_>>, row: &Row<'_>, at: At<'_>) -> Option<Out> {
        let path = at.path(&field.name);
        let Some(cell) = given else {
            let fixed = scalar.constant.as_ref().or(scalar.default.as_ref());
            let made = fixed.map(|text| convert::fixed(text, &scalar.holds));
            let (value, out) = made.map_or((None, None), |(text, out)| (Some(text), Some(out)));
            // A column without a value is what a person has to look at when one is required.
            let column = field.from.first().map_or_else(String::new, |column| at.column(column));
            let line = field.from.first().and_then(|column| row.cell(column)).map_or(row.line, |cell| cell.line);
            self.note(path, line, column, "", value);
            return out;
        };
        let column = at.column(&cell.column);
        let Content::Value(token) = &cell.content else {
            let message = format!("the column {column} holds a table, where one value is wanted; export the value itself");
            self.fault("MAP-TYPE", path, message, (cell.line, &column, &raw_of(cell)));
            return None;
        };
        let raw = raw_text(token);
        match convert::make(token, scalar, self.formats) {
            Ok((value, out)) => {
                self.note(path, cell.line, column, &raw, Some(value));
                Some(out)
            }
            Err(wrong) => {
                let message = format!("the column {column} holds {:?}, which {}", shorten(&raw), wrong.says);
                self.fault(wrong.rule, path, message, (cell.line, &column, &raw));
                None
            }
        }
    }

    /// Fills parts from the rows of a table within a cell.
    fn table(
        &mut self,
        field: &Field,
        part: &Part,
        given: Option<&Cell<'_>>,
        row: &Row<'_>,
        at: At<'_>,
        is_list: bool,
    ) -> Option<Out> {
        let path = at.path(&field.name);
        let Some(cell) = given else {
            let column = field.from.first().map_or_else(String::new, |column| at.column(column));
            self.note(path, row.line, column, "", None);
            return None;
        };
        let column = at.column(&cell.column);
        let raw = raw_of(cell);
        self.note(path.clone(), cell.line, column.clone(), &raw, None);
        let parsed;
        let rows = match &cell.content {
            Content::Json(text) => json_rows(text, cell.line, true),
            Content::Xml(element) => Ok(xml_rows(&element.children, cell.line, &part.columns)),
            Content::Value(Token::Text(text)) if text.trim_start().starts_with(['[', '{']) => json_rows(text, cell.line, false),
            Content::Value(Token::Text(text)) if text.trim_start().starts_with('<') => match xml::parse(text) {
                Ok(elements) => {
                    parsed = elements;
                    Ok(xml_rows(&parsed, cell.line, &part.columns))
                }
                Err(why) => Err(why),
            },
            Content::Value(Token::Text(text)) if text.contains("#TEMP") => {
                Err("names a temporary table, which only the connection that made it can read; put its rows there as JSON or XML"
                    .to_owned())
            }
            Content::Value(_) => Err("is no table; put its rows there as JSON or XML".to_owned()),
        };
        let refused = match &rows {
            Err(why) => Some(format!("the column {column} holds {:?}, which {why}", shorten(&raw))),
            Ok(rows) if !is_list && rows.len() > 1 => {
                Some(format!("the column {column} holds {} rows, where one is wanted; keep the right one", rows.len()))
            }
            Ok(rows) if self.rows + rows.len() > MOST_ROWS => {
                Some(format!("the tables of the document have more than {MOST_ROWS} rows; no document is that long"))
            }
            Ok(_) => None,
        };
        if let Some(message) = refused {
            self.fault("MAP-TABLE", path, message, (cell.line, &column, &raw));
            return None;
        }
        let rows = rows.unwrap_or_default();
        self.rows += rows.len();
        let mut list: Vec<Out> = Vec::with_capacity(rows.len());
        for (index, row) in rows.iter().enumerate() {
            let (path, column) =
                if is_list { (format!("{path}[{index}]"), format!("{column}[{index}]")) } else { (path.clone(), column.clone()) };
            let at = At { path: &path, column: &column };
            if is_list {
                self.note(path.clone(), row.line, column.clone(), "", None);
            }
            let doubled = self.audit(&part.columns, part, row, at);
            list.push(self.part(part, row, at, &doubled));
        }
        if is_list { (!list.is_empty()).then_some(Out::List(list)) } else { list.pop().filter(|_| has_cells(&rows)) }
    }

    fn note(&mut self, path: String, line: u64, column: String, raw: &str, value: Option<String>) {
        self.origin.cells.push(origin::Cell { path, line, column, raw: shorten(raw), value });
    }

    fn fault(&mut self, rule: &'static str, path: String, message: String, (line, column, raw): (u64, &str, &str)) {
        if self.origin.faults.len() < MOST_FAULTS {
            let source = Some(source_of(line, column, raw));
            self.origin.faults.push(Fault { source, ..Fault::error(rule, path, message) });
        }
    }
}

fn has_cells(rows: &[Row<'_>]) -> bool {
    rows.iter().any(|row| !row.cells.is_empty())
}

/// What stands in a cell, as far as it is shown.
fn raw_of(cell: &Cell<'_>) -> String {
    match &cell.content {
        Content::Value(token) => raw_text(token).into_owned(),
        Content::Json(text) => shorten(text),
        Content::Xml(element) => format!("<{}>", element.name),
    }
}
