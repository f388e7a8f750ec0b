//! What is done to a journal now and then, by a person: taking it as it is after it went back in time, and pruning.

use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;

use super::open::{now, prepare, time};
use super::trouble::{Tried, Trouble};
use super::{Sqlite, chain, read, write};
use crate::engine::state::{Millis, Standing, State};
use crate::journal::{ACCEPT_ROLLBACK, Act, Move, Result, Ruling, VersionId};
use crate::model::{self, Fault};

/// How much was pruned.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Wire forms of versions that are over.
    pub payloads: u64,
    /// Bodies of answers to calls all of whose documents are over.
    pub bodies: u64,
    /// Lines of the reports of runs that ended.
    pub items: u64,
    /// Intents that ended more than a day ago.
    pub intents: u64,
    /// Bytes that the file is smaller by.
    pub bytes: u64,
}

/// What may have been sent without the journal knowing, and whether it is the newest such version of a document that has
/// none on its way. Of a document one version at most can be in doubt; a newer one that was accepted settles the rest.
const UNSURE: &str = "SELECT v.id, NOT EXISTS (SELECT 1 FROM version w WHERE w.number = v.number AND w.scope = v.scope \
       AND w.kind = v.kind AND w.owner = v.owner AND (w.state IN ('armed', 'submitted', 'presumed', 'in_doubt') \
         OR w.state IN ('received', 'ready', 'held', 'rejected') AND w.id > v.id)) \
     FROM version v INDEXED BY version_by_state \
     WHERE v.state <> 'accepted' AND v.state IN ('received', 'ready', 'held', 'rejected') \
       AND NOT EXISTS (SELECT 1 FROM version w WHERE w.number = v.number AND w.scope = v.scope AND w.kind = v.kind \
         AND w.owner = v.owner AND w.state = 'accepted' AND w.id > v.id) ORDER BY v.id";

impl Sqlite {
    /// Takes a journal that was put back from an older copy as it is, on a person's word. What may have been sent since
    /// the copy was made is in doubt from now on. Returns how many versions that is.
    ///
    /// Of several versions of one document, only one can be in doubt, and that is the newest; of the others, those that
    /// would have been sent are held, and all are doubtful.
    ///
    /// # Errors
    /// As [`Sqlite::open`], but for a journal that agrees with its mark: then nothing is done, and that is said.
    pub fn accept_rollback(path: &Path, who: &str, why: &str) -> Result<u64> {
        let mut opened = prepare(path, Duration::ZERO)?;
        let marked = opened.marked.clone();
        let missing = marked.filter(|marked| marked.journal != opened.ours.journal || marked.call > opened.ours.call);
        let Some(marked) = missing else {
            return Err(opened.place.unusable("was not put back from an older copy, so there is nothing to accept"));
        };
        let since = if opened.ours.at == 0 { "the beginning".to_owned() } else { time(opened.ours.at) };
        let reason =
            format!("the journal was put back from an older copy; calls from {since} to {} are missing", time(marked.at));
        // Calls that the journal does not know were given these numbers. They are not used again, so that what came back
        // of them is never taken for an answer to another call.
        opened.floor = opened.floor.max(marked.call);
        opened.ours.call = opened.ours.call.max(marked.call);
        opened.ours.at = opened.ours.at.max(marked.at);
        let (floor, at) = (opened.floor, now());
        let words = format!("{why} ({reason})");
        let act = |version, verb: &str| Act { at, version, verb: verb.to_owned(), who: who.to_owned(), reason: words.clone() };
        // The mark stays as it is until the database has changed: a power loss in between leaves what has to be accepted.
        let sql = "INSERT INTO meta (key, value) VALUES ('floor', ?1) ON CONFLICT DO UPDATE SET value = ?1";
        let work = |connection: &Connection| -> Tried<u64> {
            let doubted = doubt(connection, at, &reason, |version| act(version, ACCEPT_ROLLBACK))?;
            connection.execute(sql, [floor.to_string()])?;
            chain::append_act(connection, &act(0, ACCEPT_ROLLBACK))?;
            Ok(doubted)
        };
        let transaction =
            opened.connection.unchecked_transaction().map_err(|error| Trouble::from(error).of(&opened.place.path))?;
        let done = work(&transaction).and_then(|doubted| transaction.commit().map(|()| doubted).map_err(Trouble::from));
        let doubted = done.map_err(|trouble| trouble.of(&opened.place.path))?;
        opened.finish()?;
        Ok(doubted)
    }

    /// Removes the wire forms, report lines and answers of what is over since before then, and gives the space back.
    /// Keys, digests, what adapters remember, attempts and hashes stay for ever: they are what keeps documents from being
    /// sent twice.
    ///
    /// # Errors
    /// [`Error::Failed`](crate::journal::Error::Failed) when it could not be stored; what was removed until then stays removed.
    pub fn prune(&mut self, before: Millis, who: &str) -> Result<Pruned> {
        let size = |connection: &Connection| -> Tried<u64> {
            let value =
                |pragma: &str| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0)).map(i64::unsigned_abs);
            Ok(value("page_count")?.saturating_mul(value("page_size")?))
        };
        let was = self.ask(size)?;
        let mut pruned = Pruned {
            payloads: self.sweep("SELECT max(id) FROM version", PAYLOADS, before)?,
            bodies: self.sweep("SELECT max(id) FROM evidence", BODIES, before)?,
            items: self.sweep("SELECT max(id) FROM run", ITEMS, before)?,
            intents: self.sweep("SELECT max(id) FROM intent", INTENTS, before.min(now() - LONGEST_WINDOW))?,
            bytes: 0,
        };
        self.give_back()?;
        pruned.bytes = was.saturating_sub(self.ask(size)?);
        let Pruned { payloads, bodies, items, intents, .. } = pruned;
        let reason = format!(
            "what was over before {}: {payloads} payloads, {bodies} answers, {items} items, {intents} intents",
            time(before)
        );
        let act = Act { at: now(), version: 0, verb: "prune".to_owned(), who: who.to_owned(), reason };
        self.write(|connection| chain::append_act(connection, &act))?;
        Ok(pruned)
    }

    /// Counts what [`Sqlite::prune`] would remove; how many bytes that is shows only when it is done.
    ///
    /// # Errors
    /// [`Error::Failed`](crate::journal::Error::Failed) when it cannot be read.
    pub fn prunable(&mut self, before: Millis) -> Result<Pruned> {
        let count = |sql: &str, before: Millis| -> Result<u64> {
            let count: i64 = self.ask(|connection| Ok(connection.query_row(sql, (0, i64::MAX, before), |row| row.get(0))?))?;
            Ok(count.unsigned_abs())
        };
        let (payloads, bodies) = (count(PAYLOADS_THERE, before)?, count(BODIES_THERE, before)?);
        let items = count(ITEMS_THERE, before)?;
        let intents = count(INTENTS_THERE, before.min(now() - LONGEST_WINDOW))?;
        Ok(Pruned { payloads, bodies, items, intents, bytes: 0 })
    }

    /// Goes through a table in commits of a bounded size, so that the log does not grow with the journal.
    fn sweep(&mut self, last: &str, sql: &str, before: Millis) -> Result<u64> {
        let last: Option<i64> = self.ask(|connection| Ok(connection.query_row(last, [], |row| row.get(0))?))?;
        let (mut after, mut changed) = (0, 0);
        while after < last.unwrap_or_default() {
            changed += self.write(|connection| Ok(connection.prepare_cached(sql)?.execute((after, after + STEP, before))?))?;
            after += STEP;
        }
        Ok(u64::try_from(changed).unwrap_or(u64::MAX))
    }

    /// Gives free pages back, a part at a time, and then the room that the log took.
    fn give_back(&mut self) -> Result<()> {
        loop {
            let free: i64 =
                self.ask(|connection| Ok(connection.pragma_query_value(None, "freelist_count", |row| row.get(0))?))?;
            if free == 0 {
                break;
            }
            let done = self.connection.execute_batch("PRAGMA incremental_vacuum(4096)");
            done.map_err(|error| self.failed(error.into()))?;
            let left: i64 =
                self.ask(|connection| Ok(connection.pragma_query_value(None, "freelist_count", |row| row.get(0))?))?;
            if left >= free {
                break;
            }
        }
        let sql = "PRAGMA wal_checkpoint(TRUNCATE)";
        // A reader may keep the log from being emptied; the next checkpoint does it then.
        self.ask(|connection| Ok(connection.query_row(sql, [], |_| Ok(()))?))
    }
}

/// Intents tell what a vendor may not show yet for a day at most, in milliseconds.
const LONGEST_WINDOW: Millis = 86_400_000;

/// How many rows one commit of a pruning looks at.
const STEP: i64 = 2000;

macro_rules! is_over {
    () => {
        "v.state IN ('accepted', 'rejected', 'superseded', 'cancelled') AND v.changed_at < ?3"
    };
}

// What was rejected may go once more, so it keeps what goes on the wire.
macro_rules! payloads {
    () => {
        concat!(
            "FROM payload WHERE version > ?1 AND version <= ?2 AND EXISTS (SELECT 1 FROM version v WHERE v.id = payload.version \
             AND v.state <> 'rejected' AND ",
            is_over!(),
            ")"
        )
    };
}
/// A call may carry many documents, and its answer speaks of all of them.
macro_rules! bodies {
    () => {
        concat!(
            "WHERE id > ?1 AND id <= ?2 AND body IS NOT NULL AND NOT EXISTS (SELECT 1 FROM attempt a \
             JOIN version v ON v.id = a.version WHERE a.call = evidence.call AND NOT (",
            is_over!(),
            "))"
        )
    };
}
macro_rules! items {
    () => {
        "FROM item WHERE run IN (SELECT id FROM run WHERE id > ?1 AND id <= ?2 AND ended_at < ?3)"
    };
}
macro_rules! intents {
    () => {
        "FROM intent WHERE id > ?1 AND id <= ?2 AND ended_at < ?3"
    };
}

const PAYLOADS: &str = concat!("DELETE ", payloads!());
const BODIES: &str = concat!("UPDATE evidence SET body = NULL ", bodies!());
const ITEMS: &str = concat!("DELETE ", items!());
const INTENTS: &str = concat!("DELETE ", intents!());
const PAYLOADS_THERE: &str = concat!("SELECT count(*) ", payloads!());
const BODIES_THERE: &str = concat!("SELECT count(*) FROM evidence ", bodies!());
const ITEMS_THERE: &str = concat!("SELECT count(*) ", items!());
const INTENTS_THERE: &str = concat!("SELECT count(*) ", intents!());

/// Doubts what may have been sent.
fn doubt(connection: &Connection, at: Millis, reason: &str, act: impl Fn(VersionId) -> Act) -> Tried<u64> {
    let mut statement = connection.prepare(UNSURE)?;
    let unsure: Vec<(VersionId, bool)> =
        statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<std::result::Result<_, _>>()?;
    let mut doubted = 0;
    for (id, is_newest) in unsure {
        let Some(version) = read::version(connection, id)? else { continue };
        let state = match version.standing.state {
            // What a guard held stays held: nobody has let it go, and a replay would.
            State::Received | State::Held => State::Held,
            _ if is_newest => State::InDoubt,
            State::Ready => State::Held,
            other => other,
        };
        let message = format!("it may have been sent: {reason}");
        // Nothing has to rest: whatever was sent was sent before the copy was put back, by a process that is gone since,
        // and a person takes longer for that than a call is on its way.
        let to = Standing {
            state,
            doubtful: true,
            released: false,
            rest_until: 0,
            fault: Some(Fault::error("DOC-DOUBT", model::Path::ROOT, message)),
            changed_at: at,
            ..version.standing.clone()
        };
        let ruling = Ruling { to: Move::new(&version, to), superseded: None, item: None };
        write::rule(connection, None, &[ruling], &[act(id)])?;
        doubted += u64::from(state == State::InDoubt);
    }
    Ok(doubted)
}
