//! A file, from its text to what it says, with everything that is wrong with it.

use serde_json::Value;
use serde_json::value::RawValue;

use crate::model::gather::{Gather, Sink};
use crate::model::{Fault, Path, Source};

/// The text of a file, and its values as JSON, by which the readers of the model read them.
#[derive(Debug)]
pub struct File {
    /// What it is called, for messages.
    pub name: String,
    json: Result<Box<RawValue>, Box<Fault>>,
}

impl File {
    /// Takes the text of a file.
    pub fn new(name: impl Into<String>, text: &str) -> Self {
        let json = match toml::from_str::<toml::Table>(text) {
            Ok(table) => serde_json::value::to_raw_value(&plain(toml::Value::Table(table)))
                .map_err(|error| Box::new(Fault::error("AWS-040", Path::ROOT, error.to_string()))),
            Err(error) => Err(Box::new(no_toml(text, &error))),
        };
        Self { name: name.into(), json }
    }

    /// A file whose text cannot be had.
    pub fn unreadable(name: impl Into<String>, why: impl std::fmt::Display) -> Self {
        let fault = Fault::error("AWS-040", Path::ROOT, format!("the file cannot be read: {why}"));
        Self { name: name.into(), json: Err(Box::new(fault)) }
    }

    /// What it says, and what is wrong with that.
    pub(super) fn read<'f, T: Gather<'f>>(&'f self) -> (T, Vec<Fault>) {
        let raw = match &self.json {
            Ok(raw) => raw,
            Err(fault) => return (T::default(), vec![(**fault).clone()]),
        };
        let mut sink = Sink::new(raw.get());
        let read = T::gather(raw, &Path::ROOT, &mut sink);
        (read, sink.faults.into_iter().map(discreet).collect())
    }
}

/// A fault without what may be a secret: what stands under a name that is not known, or where something else belongs. Lines and
/// columns are those of the JSON and mean nothing to anybody.
fn discreet(mut fault: Fault) -> Fault {
    let raw = fault.source.take().and_then(|source| source.raw).unwrap_or_default();
    match &*fault.rule {
        "DOC-TYPE" | "DOC-DATE" if !raw.is_empty() => {
            let quoted = format!("\"{raw}\"");
            let says = [quoted.as_str(), raw.as_str()].iter().find_map(|shown| fault.message.strip_prefix(*shown));
            fault.message = format!("what stands here{}", says.unwrap_or(" is not what belongs here"));
        }
        // A name that nobody would give a field may be anything.
        "DOC-FIELD" if !fault.path.bytes().all(|byte| byte.is_ascii_lowercase() || b"._[]0123456789".contains(&byte)) => {
            let (above, _) = fault.path.rsplit_once('.').unwrap_or_default();
            fault.path = above.to_owned();
            fault.message = "there is a key here that is not a field; it is not shown, since it may be a secret".to_owned();
        }
        _ => {}
    }
    fault
}

fn no_toml(text: &str, error: &toml::de::Error) -> Fault {
    let before = text.get(..error.span().map_or(0, |span| span.start)).unwrap_or_default();
    let (line, column) = (before.matches('\n').count() + 1, before.chars().rev().take_while(|c| *c != '\n').count() + 1);
    let message = format!("the file is not TOML: {} (line {line}, column {column})", error.message());
    let mut fault = Fault::error("AWS-040", Path::ROOT, message);
    let source = Source { line: u64::try_from(line).ok(), column: Some(column.to_string()), ..Source::default() };
    fault.source = Some(source);
    fault
}

/// A value of TOML as one of JSON. Dates become text, and so does a number that is not whole: no field takes one.
fn plain(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Boolean(value) => value.into(),
        toml::Value::Float(number) => number.to_string().into(),
        toml::Value::Datetime(mut date) => {
            // TOML 1.1 lets the seconds be left out.
            if let Some(time) = &mut date.time {
                time.second.get_or_insert(0);
                time.nanosecond = time.nanosecond.filter(|parts| *parts > 0);
            }
            date.to_string().into()
        }
        toml::Value::Array(list) => list.into_iter().map(plain).collect(),
        toml::Value::Table(table) => Value::Object(table.into_iter().map(|(name, value)| (name, plain(value))).collect()),
    }
}
