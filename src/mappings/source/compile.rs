//! Checks a mapping file and looks up every name in it. It says everything that is wrong, not only the first thing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value as Json;
use toml::Table;

use super::canon::{Canon, Holds};
use super::fields::{Entry, flatten, shown};
use super::file::{DialectSection, Format, FormatsSection, MappingFile};
use super::plan::{DateFormat, Dialect, Field, Formats, Group, Known, Part, Plan, Value, WordMap};
use super::{Problem, Problems};
use crate::model::closest;

/// Tables within tables go no deeper.
const MAX_DEPTH: usize = 8;

/// Checks a file and makes a plan of it.
pub(super) fn compile(file: &MappingFile) -> Result<Plan, Problems> {
    let mut compiler = Compiler::new(file);
    let plan = compiler.plan();
    if compiler.problems.is_empty() { Ok(plan) } else { Err(Problems(compiler.problems)) }
}

pub(super) struct Compiler<'f> {
    file: &'f MappingFile,
    canon: Canon,
    maps: BTreeMap<&'f str, Arc<WordMap>>,
    pub(super) problems: Vec<Problem>,
    /// What is described and never used is most likely misspelt where it was to be used.
    used: BTreeSet<String>,
}

impl<'f> Compiler<'f> {
    fn new(file: &'f MappingFile) -> Self {
        let maps =
            file.maps.iter().map(|(name, words)| (name.as_str(), Arc::new(WordMap { name: name.clone(), words: words.clone() })));
        Self { file, canon: Canon::new(file.document), maps: maps.collect(), problems: Vec::new(), used: BTreeSet::new() }
    }

    pub(super) fn problem(&mut self, key: impl Into<String>, message: impl Into<String>) {
        self.problems.push(Problem { key: key.into(), message: message.into() });
    }

    fn plan(&mut self) -> Plan {
        let file = self.file;
        if file.version != 1 {
            self.problem("version", format!("is {}; this program knows version 1", file.version));
        }
        let source = &file.source;
        let encoding = self.encoding(source.encoding.as_deref());
        let records_at = self.records_at(source.records_at.as_deref());
        if !records_at.is_empty() && matches!(source.format, Format::Csv) {
            self.problem("source.records_at", "is for JSON, and the format is csv; take one of them out");
        }
        let header = self.header();
        let group = self.group(&header);
        let plan = Plan {
            kind: file.document,
            format: source.format,
            encoding,
            records_at,
            dialect: self.dialect(&source.dialect),
            formats: self.formats(&source.formats),
            header,
            group,
        };
        let tables = file.tables.keys().map(|name| format!("tables.{name}"));
        for key in tables.chain(file.maps.keys().map(|name| format!("map.{name}"))).collect::<Vec<_>>() {
            if !self.used.contains(&key) {
                self.problem(key, "is described here and used nowhere; use it or take it out");
            }
        }
        plan
    }

    /// The header, with the lines where a column holds them.
    fn header(&mut self) -> Part {
        let root = self.canon.root().clone();
        let mut header = self.part("header", &self.file.header, &root, &[]);
        let Some(lines) = &self.file.lines else { return header };
        let Some(at) = lines.get("at") else { return header };
        let Some(at) = at.as_str() else {
            self.problem("lines.at", format!("is {}; write the name of the column that holds the lines", shown(at)));
            return header;
        };
        if self.file.group.is_some() {
            self.problem("lines.at", "says that a column holds the lines, and [group] that each row is one; keep one of them");
        }
        if header.fields.iter().any(|field| field.path.first() == Some(&super::Step::Field("lines".into()))) {
            self.problem("header.lines", "and [lines] say the same thing twice; keep [lines]");
        }
        let part = self.lines(lines);
        header.columns.read.insert(at.to_owned());
        header.fields.push(Field {
            path: vec![super::Step::Field("lines".into())],
            name: "lines".into(),
            from: vec![at.to_owned()],
            value: Value::Rows(Box::new(part)),
        });
        header
    }

    fn lines(&mut self, lines: &Table) -> Part {
        let root = self.canon.root();
        let line = self.canon.walk(root, &[super::Step::Field("lines".into()), super::Step::Index(0)]).cloned();
        match line {
            Ok(line) => self.part("lines", lines, &line, &[]),
            Err(_) => Part::default(),
        }
    }

    fn group(&mut self, header: &Part) -> Option<Group> {
        let file = self.file;
        let Some(section) = &file.group else {
            if file.lines.as_ref().is_some_and(|lines| !lines.contains_key("at")) {
                self.problem(
                    "lines",
                    "has no `at` that names the column with the lines, and there is no [group] of rows; add one",
                );
            }
            return None;
        };
        if file.source.format != Format::Csv {
            self.problem("group", "is for flat rows; set source.format = \"csv\"");
        }
        if section.key.is_empty() {
            self.problem("group.key", "names no column; name those that tell one document from the next");
        }
        let lines = file.lines.as_ref().filter(|lines| !lines.contains_key("at"));
        if file.lines.is_none() {
            self.problem("lines", "is missing; with [group] each row is a line");
        }
        let lines = lines.map(|lines| self.lines(lines)).unwrap_or_default();
        if header.fields.iter().any(|field| field.path.first() == Some(&super::Step::Field("lines".into()))) {
            self.problem("header.lines", "describes the lines, and with [group] each row is one; take it out");
        }
        let mut columns: Known = header.columns.clone();
        columns.read.extend(lines.columns.read.iter().cloned());
        columns.ignored.extend(lines.columns.ignored.iter().cloned());
        columns.read.extend(section.key.iter().cloned());
        columns.read.extend(section.skip_rows.iter().map(|skip| skip.column.clone()));
        Some(Group {
            key: section.key.clone(),
            fill_down: section.fill_down,
            skip: section.skip_rows.clone(),
            conflict: section.header_conflict,
            lines,
            columns,
        })
    }

    /// The fields of one section. `within` are the tables that it is part of.
    pub(super) fn part(&mut self, key: &str, section: &Table, node: &Json, within: &[&str]) -> Part {
        let mut part = Part::default();
        part.columns.ignored = self.ignored(key, section);
        let mut entries: Vec<Entry> = Vec::new();
        let (mut problems, skip) = (Vec::new(), if key == "lines" { &["at", "ignore"][..] } else { &["ignore"] });
        flatten(key, "", section, skip, &mut entries, &mut problems);
        self.problems.append(&mut problems);
        for entry in entries {
            if let Some(field) = self.field(&entry, node, within) {
                part.columns.read.extend(field.from.iter().cloned());
                part.fields.push(field);
            }
        }
        self.refuse_overlaps(key, &part.fields);
        for column in part.columns.ignored.intersection(&part.columns.read).cloned().collect::<Vec<_>>() {
            self.problem(format!("{key}.ignore"), format!("names `{column}`, which is read elsewhere; keep one of the two"));
        }
        part
    }

    fn field(&mut self, entry: &Entry, node: &Json, within: &[&str]) -> Option<Field> {
        let path = match super::canon::parse_path(&entry.path) {
            Ok(path) => path,
            Err(why) => {
                self.problem(&entry.key, why);
                return None;
            }
        };
        let target = match self.canon.walk(node, &path) {
            Ok(target) => target.clone(),
            Err(why) => {
                self.problem(&entry.key, why);
                return None;
            }
        };
        let from = self.columns(entry);
        let holds = self.canon.holds(&target);
        let value = match (&holds, &entry.section.table) {
            (Holds::Fixed, _) => {
                self.problem(&entry.key, "is said by `document` already; take it out");
                return None;
            }
            (Holds::Part | Holds::List, None) => {
                self.problem(
                    &entry.key,
                    "has fields of its own; name one of them, or the table of the column with table = \"…\"",
                );
                return None;
            }
            (Holds::Part | Holds::List, Some(table)) => self.table(entry, table, &target, &from, within)?,
            (_, Some(table)) => {
                self.problem(&entry.key, format!("is one value and takes no table, but table is {table:?}; take it out"));
                return None;
            }
            (_, None) => Value::Scalar(Box::new(self.scalar(entry, holds, &from))),
        };
        Some(Field { path, name: entry.path.clone(), from, value })
    }

    fn table(&mut self, entry: &Entry, table: &str, target: &Json, from: &[String], within: &[&str]) -> Option<Value> {
        let options = &entry.section;
        if from.is_empty() {
            self.problem(&entry.key, "has a table and no column; name it with from = \"…\"");
        }
        for (name, given) in [
            ("const", options.constant.is_some()),
            ("default", options.default.is_some()),
            ("map", options.map.is_some()),
            ("format", options.format.is_some()),
            ("trim", options.trim.is_some()),
        ] {
            if given {
                self.problem(&entry.key, format!("has a table, and {name} is for one value; take one of them out"));
            }
        }
        let file = self.file;
        let Some(section) = file.tables.get(table) else {
            let names: Vec<&str> = file.tables.keys().map(String::as_str).collect();
            let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            self.problem(
                &entry.key,
                format!("names the table {table:?}, which is not described under [tables]; there are: {known}"),
            );
            return None;
        };
        self.used.insert(format!("tables.{table}"));
        if within.contains(&table) || within.len() >= MAX_DEPTH {
            self.problem(&entry.key, format!("puts the table {table:?} into itself, or tables too deep into each other"));
            return None;
        }
        let within: Vec<&str> = within.iter().copied().chain([table]).collect();
        let key = format!("tables.{table}");
        let element = self.canon.element(target).cloned();
        let is_list = element.is_some();
        let node = element.unwrap_or_else(|| target.clone());
        if self.canon.holds(&node) != Holds::Part {
            self.problem(&entry.key, "is a list of texts, and no table; name its elements one by one, as in lines[0]");
            return None;
        }
        let before = self.problems.len();
        let part = Box::new(self.part(&key, section, &node, &within));
        // A table that is used in several places is wrong in the same way in all of them.
        let added: Vec<Problem> = self.problems.drain(before..).collect();
        for problem in added {
            if !self.problems.contains(&problem) {
                self.problems.push(problem);
            }
        }
        Some(if is_list { Value::Rows(part) } else { Value::One(part) })
    }

    pub(super) fn word_map(&mut self, key: &str, name: &str) -> Option<Arc<WordMap>> {
        let found = self.maps.get(name).map(Arc::clone);
        if found.is_some() {
            self.used.insert(format!("map.{name}"));
        } else {
            let names: Vec<&str> = self.maps.keys().copied().collect();
            let hint = closest(name, &names).map_or_else(
                || format!("there are: {}", if names.is_empty() { "none".to_owned() } else { names.join(", ") }),
                |near| format!("did you mean {near:?}?"),
            );
            self.problem(key, format!("names the map {name:?}, which is not described under [map]; {hint}"));
        }
        found
    }

    fn encoding(&mut self, label: Option<&str>) -> Option<&'static encoding_rs::Encoding> {
        let label = label?;
        let Some(encoding) = encoding_rs::Encoding::for_label(label.as_bytes()) else {
            self.problem("source.encoding", format!("{label:?} is no encoding; write its WHATWG label, such as windows-1252"));
            return None;
        };
        (encoding != encoding_rs::UTF_8).then_some(encoding)
    }

    fn records_at(&mut self, pointer: Option<&str>) -> Vec<String> {
        let Some(pointer) = pointer.filter(|pointer| !pointer.is_empty()) else { return Vec::new() };
        let Some(members) = pointer.strip_prefix('/') else {
            self.problem("source.records_at", format!("is {pointer:?}; a JSON Pointer begins with a slash, as in /value"));
            return Vec::new();
        };
        members.split('/').map(|member| member.replace("~1", "/").replace("~0", "~")).collect()
    }

    fn dialect(&mut self, section: &DialectSection) -> Dialect {
        let mut ascii = |name: &str, c: char| {
            let byte = u8::try_from(c).ok().filter(|byte| byte.is_ascii() && !matches!(byte, b'\n' | b'\r'));
            byte.unwrap_or_else(|| {
                self.problem(
                    format!("source.dialect.{name}"),
                    format!("is {c:?}; an ASCII character is wanted, and no line break"),
                );
                b'\0'
            })
        };
        let dialect = Dialect {
            delimiter: ascii("delimiter", section.delimiter),
            quote: ascii("quote_char", section.quote_char),
            escape: section.escape_char.map(|c| ascii("escape_char", c)),
            comment: section.comment_char.map(|c| ascii("comment_char", c)),
            header_row: section.header_row,
        };
        if section.header_row == 0 {
            self.problem("source.dialect.header_row", "is 0; lines are counted from 1");
        }
        if dialect.delimiter == dialect.quote {
            self.problem("source.dialect.quote_char", "is the delimiter too; they must differ");
        }
        dialect
    }

    fn formats(&mut self, section: &FormatsSection) -> Formats {
        let is_bad = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '+' | '(' | ')');
        if is_bad(section.decimal_char) || section.group_char.is_some_and(is_bad) {
            self.problem("source.formats", "decimal_char and group_char must be neither letters, digits, signs nor parentheses");
        }
        if section.group_char == Some(section.decimal_char) {
            self.problem(
                "source.formats.group_char",
                format!("is {:?}, and so is decimal_char; they must differ", section.decimal_char),
            );
        }
        Formats {
            decimal: section.decimal_char,
            group: section.group_char,
            parentheses_negative: section.parentheses_negative,
            missing: section.missing_values.clone(),
            yes: section.true_values.clone(),
            no: section.false_values.clone(),
        }
    }

    /// How the file's dates are written, unless a field says otherwise.
    pub(super) fn date_format(&mut self, key: &str, format: Option<&str>) -> DateFormat {
        let (key, format) = match format {
            Some(format) => (key, format),
            None => ("source.formats.date", self.file.source.formats.date.as_str()),
        };
        super::fields::date_format(format).unwrap_or_else(|why| {
            let problem = Problem { key: key.to_owned(), message: why };
            if !self.problems.contains(&problem) {
                self.problems.push(problem);
            }
            DateFormat::Iso8601
        })
    }

    pub(super) fn trims(&self) -> bool {
        self.file.source.formats.trim
    }
}
