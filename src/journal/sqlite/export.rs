//! Everything that a journal knows, as lines of JSON that other programs can read.

use std::io::Write;

use rusqlite::Connection;
use rusqlite::types::ValueRef;
use serde_json::{Map, Value};

use super::Sqlite;
use super::mark::hex;
use super::trouble::{Tried, Trouble};
use crate::journal::Result;

/// What is written, under which name. Each row is one line.
const TABLES: &[(&str, &str)] = &[
    ("scope", "SELECT * FROM scope ORDER BY id"),
    ("run", "SELECT * FROM run ORDER BY id"),
    (
        "version",
        "SELECT v.*, c.memo, c.item, p.body AS payload FROM version v LEFT JOIN content c ON c.version = v.id \
         LEFT JOIN payload p ON p.version = v.id ORDER BY v.id",
    ),
    ("call", "SELECT * FROM call ORDER BY id"),
    ("attempt", "SELECT * FROM attempt ORDER BY version, epoch"),
    ("evidence", "SELECT * FROM evidence ORDER BY id"),
    ("intent", "SELECT * FROM intent ORDER BY id"),
    ("act", "SELECT * FROM act ORDER BY id"),
    ("item", "SELECT * FROM item ORDER BY run, sequence"),
    ("payee", "SELECT * FROM payee ORDER BY scope, payee"),
    ("meta", "SELECT * FROM meta ORDER BY key"),
];

/// Columns that hold JSON already.
const JSON: &[&str] = &["inputs", "summary", "fault", "headers", "item"];
/// Columns whose bytes are no text.
const HASHES: &[&str] = &["digest", "body_digest", "previous", "hash"];

impl Sqlite {
    /// Writes everything, a line for each row: `{"version": {"id": 1, …}}`. Bytes that are no text are replaced where a
    /// text is shown. It is as it stands at one point in time, and takes no memory that grows with it.
    ///
    /// # Errors
    /// [`Error::Failed`](crate::journal::Error::Failed) when reading or writing fails.
    pub fn export(&mut self, into: &mut dyn Write) -> Result<()> {
        self.ask(|connection| {
            let whole = connection.unchecked_transaction()?;
            TABLES.iter().try_for_each(|(name, sql)| table(&whole, name, sql, into))?;
            Ok(whole.rollback()?)
        })
    }
}

fn table(connection: &Connection, name: &str, sql: &str, into: &mut dyn Write) -> Tried<()> {
    let failed = |error: std::io::Error| Trouble::Wrong(format!("the export cannot be written: {error}"));
    let mut statement = connection.prepare(sql)?;
    let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let mut line = Map::new();
        for (at, column) in columns.iter().enumerate() {
            line.insert(column.clone(), value(column, row.get_ref(at)?));
        }
        let line = Value::Object(Map::from_iter([(name.to_owned(), Value::Object(line))]));
        serde_json::to_writer(&mut *into, &line).map_err(|error| failed(error.into()))?;
        into.write_all(b"\n").map_err(failed)?;
    }
    Ok(())
}

fn value(column: &str, value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Integer(number) => number.into(),
        ValueRef::Text(text) if JSON.contains(&column) => {
            let text = String::from_utf8_lossy(text);
            // What cannot be read as JSON is shown as the text that it is.
            serde_json::from_str::<Value>(&text).unwrap_or_else(|_| text.into_owned().into())
        }
        ValueRef::Blob(bytes) if HASHES.contains(&column) => hex(bytes).into(),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => String::from_utf8_lossy(bytes).into_owned().into(),
        // There are no such columns.
        ValueRef::Null | ValueRef::Real(_) => Value::Null,
    }
}
