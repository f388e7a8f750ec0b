//! Whether a journal is whole: what SQLite says, what the chains say, and whether its parts agree.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use rusqlite::Connection;

use super::mark::{Known, Mark};
use super::open::what_it_knows;
use super::place::Place;
use super::spill::Spill;
use super::trouble::{Tried, Trouble};
use super::{Sqlite, chain, schema};
use crate::journal::{CallId, Evidence, Result};

/// Something that a person has to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What is wrong, as a sentence.
    pub what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

/// The most findings of one kind: who has so many restores the journal.
const MOST: usize = 100;

/// What rows may not be there, and what it means when they are. Each query gives one number for each row.
const AGREEMENTS: &[(&str, &str)] = &[
    (
        "SELECT min(id) FROM version WHERE state IN ('armed', 'submitted', 'presumed', 'in_doubt') \
         GROUP BY scope, kind, owner, number HAVING count(*) > 1",
        "another version of the same document is on its way at the same time as version",
    ),
    (
        "SELECT version FROM attempt WHERE outcome IS NULL GROUP BY version HAVING count(*) > 1",
        "several attempts are open of version",
    ),
    (
        "SELECT id FROM version v WHERE state = 'armed' \
         AND NOT EXISTS (SELECT 1 FROM attempt a WHERE a.version = v.id AND a.epoch = v.epoch AND a.outcome IS NULL)",
        "no attempt is open, although it is armed, of version",
    ),
    (
        "SELECT a.version FROM attempt a JOIN version v ON v.id = a.version WHERE a.outcome IS NULL AND v.state <> 'armed'",
        "an attempt is open, although it is not armed, of version",
    ),
    (
        "SELECT v.id FROM version v WHERE (SELECT max(epoch) FROM attempt a WHERE a.version = v.id) > v.epoch",
        "an attempt is later than what stands of version",
    ),
    (
        "SELECT max(id) FROM version GROUP BY number, scope, kind, owner, revision HAVING count(*) > 1",
        "a revision is there twice; the later one is version",
    ),
    (
        "SELECT v.id FROM version v WHERE NOT EXISTS (SELECT 1 FROM content c WHERE c.version = v.id)",
        "the content is missing of version",
    ),
    (
        "SELECT v.id FROM version v WHERE v.state NOT IN ('accepted', 'rejected', 'superseded', 'cancelled') \
         AND NOT EXISTS (SELECT 1 FROM payload p WHERE p.version = v.id)",
        "what would be sent is missing of version",
    ),
];

impl Sqlite {
    /// Looks a journal through, beside whoever writes to it; nothing is changed. No findings: it is whole.
    ///
    /// # Errors
    /// When it cannot be read at all.
    pub fn check(path: &Path) -> Result<Vec<Finding>> {
        let place = Place::find(path)?;
        // The mark is read first: it follows the database, so what is read later cannot be behind it.
        let mark = Mark::look(&place.beside("-hwm"));
        let spilled = Spill::look(&place.beside("-spill"));
        let journal = Self::read(path)?;
        let connection = &journal.connection;
        let mut all = Vec::new();
        let mut look = |work: &dyn Fn(&Connection) -> Tried<Vec<String>>| {
            let found = work(connection).unwrap_or_else(|trouble| vec![trouble.of(&journal.path).to_string()]);
            all.extend(found.into_iter().take(MOST).map(|what| Finding { what }));
        };
        // One point in time for all of it, whatever is written meanwhile.
        look(&|connection| Ok(connection.execute_batch("BEGIN").map(|()| Vec::new())?));
        look(&of_sqlite);
        look(&shapes);
        look(&chain::follow_evidence);
        look(&chain::follow_acts);
        look(&agreements);
        look(&|connection| match &mark {
            Ok(marked) => compare(connection, marked.as_ref()),
            Err(error) => Ok(vec![error.to_string()]),
        });
        look(&|_| match &spilled {
            Ok(spilled) => Ok(spilled.iter().map(told).collect()),
            Err(error) => Ok(vec![error.to_string()]),
        });
        Ok(all)
    }
}

fn of_sqlite(connection: &Connection) -> Tried<Vec<String>> {
    let mut statement = connection.prepare("PRAGMA integrity_check")?;
    let lines: Vec<String> = statement.query_map([], |row| row.get(0))?.collect::<std::result::Result<_, _>>()?;
    let mut found: Vec<String> =
        lines.into_iter().filter(|line| line != "ok").map(|line| format!("the file is damaged: {line}")).collect();
    let mut statement = connection.prepare("PRAGMA foreign_key_check")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (table, id, parent): (String, Option<i64>, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let id = id.map(|id| format!(" {id}")).unwrap_or_default();
        found.push(format!("a row of {table}{id} speaks of a row of {parent} that is not there"));
    }
    Ok(found)
}

/// Guards that somebody took away guard nothing.
fn shapes(connection: &Connection) -> Tried<Vec<String>> {
    let ours: BTreeMap<String, String> = schema::shape(connection)?.into_iter().collect();
    let expected: BTreeMap<String, String> = schema::shape_of_today()?.into_iter().collect();
    let differs = expected.iter().filter(|(name, sql)| ours.get(*name) != Some(sql));
    let mut found: Vec<String> =
        differs.map(|(name, _)| format!("the part {name} of the database is missing or was changed by hand")).collect();
    let more = ours.keys().filter(|name| !expected.contains_key(*name));
    found.extend(more.map(|name| format!("the part {name} of the database was added by hand")));
    Ok(found)
}

fn agreements(connection: &Connection) -> Tried<Vec<String>> {
    let mut found = Vec::new();
    for (sql, what) in AGREEMENTS {
        let mut statement = connection.prepare(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            found.push(format!("{what} {}", row.get::<_, i64>(0)?));
        }
    }
    Ok(found)
}

fn compare(connection: &Connection, marked: Option<&Known>) -> Tried<Vec<String>> {
    let (ours, _) = what_it_knows(connection)?;
    Ok(match marked {
        None if ours.call > 0 => {
            vec!["the journal has lost its mark, as when it was copied; the next run makes it anew".to_owned()]
        }
        Some(marked) if marked.journal != ours.journal => vec!["the mark is that of another journal".to_owned()],
        Some(marked) if marked.call > ours.call => {
            let (call, last) = (marked.call, ours.call);
            vec![format!("the journal was put back from an older copy: it ends with call {last}, and its mark with call {call}")]
        }
        None | Some(_) => Vec::new(),
    })
}

fn told((call, evidence): &(CallId, Evidence)) -> String {
    let kind = evidence.kind.word();
    format!("what came back of call {call} ({kind}, status {}) lies in the spill file; the next run takes it in", evidence.status)
}

/// So that a trouble can be shown where no file has a name.
impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sql(error) => error.fmt(f),
            Self::Fenced(versions) => write!(f, "versions {versions:?} stand otherwise now"),
            Self::Wrong(what) => f.write_str(what),
        }
    }
}
