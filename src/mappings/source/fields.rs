//! The entries of a section: a column or a table of options for each field, and what is wrong with them.

use std::collections::BTreeSet;

use serde::Deserialize;
use toml::{Table, Value as Toml};

use super::Problem;
use super::canon::Holds;
use super::compile::Compiler;
use super::file::{Columns, FIELD_OPTIONS, FieldSection};
use super::plan::{DateFormat, Field, Scalar};
use crate::model::{Date, decimal};

/// A field as the file names it.
pub(super) struct Entry {
    /// Where it stands in the file.
    pub(super) key: String,
    /// The way to the field, from its section on.
    pub(super) path: String,
    pub(super) section: FieldSection,
}

/// Goes through a section. TOML makes tables within tables of `payee.id = "…"`; a table with an option in it is a field.
pub(super) fn flatten(
    key: &str,
    path: &str,
    table: &Table,
    skip: &[&str],
    entries: &mut Vec<Entry>,
    problems: &mut Vec<Problem>,
) {
    for (name, value) in table.iter().filter(|(name, _)| !(path.is_empty() && skip.contains(&name.as_str()))) {
        let here = format!("{key}.{name}");
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        match value {
            Toml::String(column) => {
                let section = FieldSection { from: Some(Columns::One(column.clone())), ..FieldSection::default() };
                entries.push(Entry { key: here, path, section });
            }
            Toml::Table(options) if options.keys().any(|option| FIELD_OPTIONS.contains(&option.as_str())) => {
                match FieldSection::deserialize(value.clone()) {
                    Ok(section) => entries.push(Entry { key: here, path, section }),
                    Err(error) => problems.push(Problem { key: here, message: error.message().trim_end().to_owned() }),
                }
            }
            Toml::Table(part) if part.is_empty() => {
                problems.push(Problem { key: here, message: "is empty; name a column, or take it out".into() });
            }
            Toml::Table(part) => flatten(&here, &path, part, &[], entries, problems),
            other => {
                let message = format!("is {}; write the name of a column in quotes, or options in {{ }}", shown(other));
                problems.push(Problem { key: here, message });
            }
        }
    }
}

impl Compiler<'_> {
    /// The columns of a section that are known and not read.
    pub(super) fn ignored(&mut self, key: &str, section: &Table) -> BTreeSet<String> {
        let Some(ignore) = section.get("ignore") else { return BTreeSet::new() };
        let names = ignore.as_array().map(|names| names.iter().map(|name| name.as_str().map(str::to_owned)).collect());
        names.flatten().unwrap_or_else(|| {
            self.problem(
                format!("{key}.ignore"),
                format!("is {}; write a list of columns, such as [\"Remarks\"]", shown(ignore)),
            );
            BTreeSet::new()
        })
    }

    /// The columns that an entry names.
    pub(super) fn columns(&mut self, entry: &Entry) -> Vec<String> {
        let columns = match &entry.section.from {
            None => Vec::new(),
            Some(Columns::One(column)) => vec![column.clone()],
            Some(Columns::Several(columns)) if columns.is_empty() => {
                self.problem(&entry.key, "names no column in `from`");
                Vec::new()
            }
            Some(Columns::Several(columns)) => columns.clone(),
        };
        for column in columns.iter().filter(|column| column.is_empty() || column.starts_with('/')) {
            self.problem(&entry.key, format!("names the column {column:?}; a name is wanted, and pointers are not read here"));
        }
        if entry.section.constant.is_some() && !columns.is_empty() {
            self.problem(&entry.key, "has both a column and a constant; keep one of them");
        }
        if entry.section.constant.is_none() && columns.is_empty() && entry.section.table.is_none() {
            self.problem(&entry.key, "has neither a column nor a constant; add from = \"…\" or const = \"…\"");
        }
        columns
    }

    /// How one value is made.
    pub(super) fn scalar(&mut self, entry: &Entry, holds: Holds, from: &[String]) -> Scalar {
        let (key, options) = (entry.key.as_str(), &entry.section);
        if options.constant.is_some()
            && from.is_empty()
            && (options.default.is_some() || options.map.is_some() || options.trim.is_some())
        {
            self.problem(key, "default, map and trim are for the value of a column, and none is named");
        }
        if options.format.is_some() && holds != Holds::Date {
            self.problem(key, "format is for dates, and this is none; take it out");
        }
        for (name, value) in [("const", &options.constant), ("default", &options.default)] {
            if let Some(why) = value.as_deref().and_then(|value| refuse(&holds, value)) {
                self.problem(key, format!("{name} is {:?}, which {why}", value.as_deref().unwrap_or_default()));
            }
        }
        let words = options.map.as_deref().and_then(|name| self.word_map(key, name));
        for (word, value) in words.iter().flat_map(|map| &map.words) {
            if let Some(why) = refuse(&holds, value) {
                let map = options.map.as_deref().unwrap_or_default();
                self.problem(key, format!("map.{map} makes {value:?} of {word:?}, which {why}"));
            }
        }
        let date = if holds == Holds::Date { self.date_format(key, options.format.as_deref()) } else { DateFormat::Iso8601 };
        Scalar {
            holds,
            constant: options.constant.clone(),
            default: options.default.clone(),
            words,
            date,
            trim: options.trim.unwrap_or_else(|| self.trims()),
        }
    }

    /// A field is said once, and not both as a whole and in parts.
    pub(super) fn refuse_overlaps(&mut self, key: &str, fields: &[Field]) {
        for (index, field) in fields.iter().enumerate() {
            for other in fields.iter().skip(index + 1) {
                let shorter = field.path.len().min(other.path.len());
                if field.path.iter().take(shorter).eq(other.path.iter().take(shorter)) {
                    self.problem(
                        format!("{key}.{}", other.name),
                        format!("and {key}.{} say the same thing twice; keep one", field.name),
                    );
                }
            }
        }
    }
}

/// What stands in the file, in words.
pub(super) fn shown(value: &Toml) -> String {
    match value {
        Toml::String(text) => format!("{text:?}"),
        Toml::Integer(number) => number.to_string(),
        Toml::Boolean(flag) => flag.to_string(),
        other => format!("of the type {}", other.type_str()),
    }
}

/// Why a field cannot hold a value that the mapping itself gives.
fn refuse(holds: &Holds, value: &str) -> Option<String> {
    match holds {
        Holds::Words(words) if !words.iter().any(|word| word == value) => Some(format!("is not one of: {}", words.join(", "))),
        Holds::Decimal => decimal::parse(value).err().map(|why| why.to_string()),
        Holds::Date => value.parse::<Date>().err().map(|why| why.to_string()),
        Holds::Whole => value.parse::<i64>().is_err().then(|| "is not a whole number".to_owned()),
        Holds::Bool => (!matches!(value, "true" | "false")).then(|| "is neither true nor false".to_owned()),
        _ => None,
    }
}

/// Looks at a format of dates. One that cannot read what it has written names no day.
pub(super) fn date_format(format: &str) -> Result<DateFormat, String> {
    match format {
        "iso8601" => return Ok(DateFormat::Iso8601),
        "rfc3339" => return Ok(DateFormat::Rfc3339),
        _ => {}
    }
    let wrong = |why: &str| format!("is {format:?}, which {why}; write iso8601, rfc3339 or a pattern such as %d.%m.%Y");
    if !format.contains('%') {
        return Err(wrong("is no pattern"));
    }
    let moment = jiff::civil::date(2026, 11, 23).at(14, 5, 9, 0);
    let written = jiff::tz::TimeZone::UTC
        .to_zoned(moment)
        .map_err(|error| error.to_string())
        .and_then(|moment| jiff::fmt::strtime::format(format, &moment).map_err(|error| error.to_string()));
    let read = written.and_then(|text| jiff::fmt::strtime::parse(format, text).map_err(|error| error.to_string()));
    match read.and_then(|read| read.to_date().map_err(|error| error.to_string())) {
        Ok(day) if day == moment.date() => Ok(DateFormat::Pattern(format.to_owned())),
        Ok(_) => Err(wrong("does not give the whole year")),
        Err(why) => Err(wrong(&format!("cannot be used ({why})"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_must_name_a_day() {
        for good in ["iso8601", "rfc3339", "%d.%m.%Y", "%m/%d/%Y", "%d-%b-%Y", "%Y%m%d", "%Y-%m-%d %H:%M:%S", "%m/%d/%y"] {
            assert!(date_format(good).is_ok(), "{good}: {:?}", date_format(good));
        }
        for bad in ["", "dd.mm.yyyy", "%m/%Y", "%Q", "%H:%M", "%"] {
            assert!(date_format(bad).is_err(), "{bad}");
        }
    }
}
