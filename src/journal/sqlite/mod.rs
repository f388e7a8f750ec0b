//! The journal in an SQLite file: one writer, any number of readers, and nothing lost that was said to be stored.
//!
//! Beside the database `payables.db` lie, for as long as the journal does, `payables.db-lock` (who writes to it),
//! `payables.db-hwm` (the last call that was armed, so that a database that was put back from a backup is found out) and
//! `payables.db-spill` (room for answers that come when the disk is full). All of them are for their owner alone.

mod care;
mod chain;
mod check;
mod export;
mod intents;
mod lock;
mod mark;
mod open;
mod place;
mod read;
mod rows;
mod schema;
mod spill;
#[cfg(test)]
mod tests;
mod trouble;
mod write;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use self::lock::Lock;
use self::mark::{Known, Mark};
use self::place::Place;
use self::spill::Spill;
use self::trouble::{Tried, Trouble};
use super::{
    Act, Arm, Attempt, CallId, Error, Evidence, Import, Journal, Key, NewRun, OpenCall, Result, Ruling, RunId, RunRecord,
    ScopeId, Settle, Tally, Version, VersionId,
};
use crate::adapter::Scope;
use crate::engine::state::{Millis, State};
use crate::report::Item;

pub use self::care::Pruned;
pub use self::check::Finding;

/// Nothing is sent while less than this is free: the answer would have no place.
const LEAST_ROOM: u64 = 64 << 20;
/// How long what is known of the free room holds.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// A journal in an SQLite file.
///
/// After a failed commit nobody knows what is on the disk, and asking again may be answered wrongly: from then on every
/// method returns [`Error::Failed`], and only a journal that is opened anew goes on.
#[derive(Debug)]
pub struct Sqlite {
    // Fields are dropped in this order: the database is closed before the lock is given back.
    connection: Connection,
    path: PathBuf,
    reads_only: bool,
    /// Why nothing goes on.
    broken: Option<String>,
    /// What lies beside the database of a journal that is written to, unless it is a temporary one.
    keeper: Option<Keeper>,
}

/// What lies beside the database.
#[derive(Debug)]
struct Keeper {
    place: Place,
    known: Known,
    /// Identifiers of calls that a journal armed that was given up for an older one; they are not used again.
    floor: CallId,
    mark: Mark,
    spill: Spill,
    /// When there was room on the disk.
    looked: Option<Instant>,
    _lock: Lock,
}

impl Sqlite {
    fn sound(&self) -> Result<()> {
        match &self.broken {
            Some(why) => Err(Error::Failed(format!("{why}; nothing more is stored until the next run"))),
            None => Ok(()),
        }
    }

    /// Nothing goes on from here.
    fn poison(&mut self, why: &str) {
        if self.broken.is_none() {
            self.broken = Some(why.to_owned());
            // Closing would copy pages from a log that may not be on the disk. The next run reads what really is.
            let _best_effort = self.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
        }
    }

    fn ask<T>(&self, work: impl FnOnce(&Connection) -> Tried<T>) -> Result<T> {
        self.sound()?;
        work(&self.connection).map_err(|trouble| trouble.of(&self.path))
    }

    /// Does a piece of work in one commit, all of it or nothing.
    fn write<T>(&mut self, work: impl FnOnce(&Connection) -> Tried<T>) -> Result<T> {
        self.sound()?;
        if self.reads_only {
            return Err(Error::Failed(format!("{} is open for reading only", self.path.display())));
        }
        if let Err(trouble) = run(&self.connection, "BEGIN IMMEDIATE") {
            if trouble.is_busy() {
                let path = self.path.display();
                return Err(Error::Busy(format!("somebody else writes to {path}, and not through this program; close it there")));
            }
            return Err(self.failed(trouble));
        }
        match work(&self.connection) {
            Ok(value) => match run(&self.connection, "COMMIT") {
                Ok(()) => Ok(value),
                Err(trouble) => {
                    let error = trouble.of(&self.path);
                    self.poison(&format!("a commit failed: {error}"));
                    Err(Error::Failed(format!("a commit failed: {error}")))
                }
            },
            Err(trouble) => {
                // Some errors have taken everything back already.
                if !self.connection.is_autocommit()
                    && let Err(undone) = run(&self.connection, "ROLLBACK")
                {
                    let error = undone.of(&self.path);
                    self.poison(&format!("what was begun could not be taken back: {error}"));
                }
                Err(self.failed(trouble))
            }
        }
    }

    fn failed(&mut self, trouble: Trouble) -> Error {
        let of_the_disk = trouble.is_of_the_disk();
        let error = trouble.of(&self.path);
        if of_the_disk {
            self.poison(&error.to_string());
        }
        error
    }

    /// Refuses to go on when there would be no room for what comes back.
    fn has_room(&mut self) -> Result<()> {
        let Some(keeper) = &mut self.keeper else { return Ok(()) };
        if keeper.looked.is_some_and(|looked| looked.elapsed() < LOOK_AGAIN) {
            return Ok(());
        }
        if let Some(free) = keeper.place.free().filter(|free| *free < LEAST_ROOM) {
            let path = self.path.display();
            return Err(Error::Busy(format!(
                "only {} MiB are free where {path} lies, and nothing is sent below {} MiB; make room and run again",
                free >> 20,
                LEAST_ROOM >> 20
            )));
        }
        keeper.looked = Some(Instant::now());
        Ok(())
    }

    /// Puts an answer into the spill file, as the journal could not take it.
    fn spill(&mut self, call: CallId, evidence: &Evidence, why: Error) -> Error {
        let Some(keeper) = &mut self.keeper else { return why };
        let path = keeper.place.beside("-spill");
        let path = path.display();
        match keeper.spill.put(call, evidence) {
            Ok(()) => {
                Error::Failed(format!("{why}; what came back of call {call} was kept in {path}, and the next run reads it"))
            }
            Err(error) => Error::Failed(format!("{why}; what came back of call {call} was lost, as {path} failed, too: {error}")),
        }
    }
}

/// Begins or ends a commit.
fn run(connection: &Connection, sql: &str) -> Tried<()> {
    connection.prepare_cached(sql)?.execute([])?;
    Ok(())
}

impl Journal for Sqlite {
    fn scope(&mut self, scope: &Scope) -> Result<ScopeId> {
        match self.ask(|connection| read::scope_of(connection, scope))? {
            Some(known) => Ok(known),
            None => self.write(|connection| write::scope(connection, scope)),
        }
    }

    fn begin(&mut self, run: &NewRun) -> Result<RunId> {
        self.write(|connection| write::begin(connection, run))
    }

    fn end(&mut self, run: RunId, at: Millis, summary: &str) -> Result<()> {
        self.write(|connection| write::end(connection, run, at, summary))
    }

    fn payees(&mut self, scope: ScopeId) -> Result<Vec<String>> {
        self.ask(|connection| read::payees(connection, scope))
    }

    fn known(&mut self, scope: ScopeId, key: &Key) -> Result<(Vec<Version>, u32)> {
        self.ask(|connection| read::known(connection, scope, key))
    }

    fn list(&mut self, scope: ScopeId, state: State, after: VersionId, most: usize) -> Result<Vec<Version>> {
        self.ask(|connection| read::list(connection, scope, state, after, most))
    }

    fn due(&mut self, scope: ScopeId, run: Option<RunId>, until: Millis, most: usize) -> Result<Vec<Version>> {
        self.ask(|connection| read::due(connection, scope, run, until, most))
    }

    fn version(&mut self, id: VersionId) -> Result<Option<Version>> {
        self.ask(|connection| read::version(connection, id))
    }

    fn payload(&mut self, id: VersionId) -> Result<Option<Vec<u8>>> {
        self.ask(|connection| read::payload(connection, id))
    }

    fn unsettled(&mut self, scope: ScopeId) -> Result<Vec<OpenCall>> {
        self.ask(|connection| read::unsettled(connection, scope))
    }

    fn import(&mut self, run: RunId, part: &Import) -> Result<()> {
        self.write(|connection| write::import(connection, run, part))
    }

    fn promote(&mut self, run: RunId, at: Millis) -> Result<u64> {
        self.write(|connection| write::promote(connection, run, at))
    }

    fn arm(&mut self, call: &Arm) -> Result<CallId> {
        self.sound()?;
        self.has_room()?;
        let floor = self.keeper.as_ref().map_or(0, |keeper| keeper.floor);
        let id = self.write(|connection| write::arm(connection, call, floor))?;
        if let Some(keeper) = &mut self.keeper {
            keeper.known = Known { call: id, at: call.at, ..keeper.known.clone() };
            // The intent is stored, but the call may not be made: an older database would not know of it.
            if let Err(error) = keeper.mark.advance(&keeper.known) {
                self.poison(&error.to_string());
                return Err(error);
            }
        }
        Ok(id)
    }

    fn keep(&mut self, call: CallId, evidence: &Evidence) -> Result<()> {
        match self.write(|connection| write::keep(connection, call, evidence)) {
            Ok(true) => Ok(()),
            Ok(false) => Err(Error::Failed(format!("there is no call {call} in {}", self.path.display()))),
            Err(why) => Err(self.spill(call, evidence, why)),
        }
    }

    fn settle(&mut self, settle: &Settle) -> Result<()> {
        self.write(|connection| write::settle(connection, settle))
    }

    fn rule(&mut self, run: Option<RunId>, rulings: &[Ruling], acts: &[Act]) -> Result<()> {
        self.write(|connection| write::rule(connection, run, rulings, acts))
    }

    fn report(&mut self, run: RunId, items: &[Item]) -> Result<()> {
        self.write(|connection| write::report(connection, run, items.iter()))
    }

    fn scopes(&mut self) -> Result<Vec<(ScopeId, Scope)>> {
        self.ask(read::scopes)
    }

    fn tally(&mut self) -> Result<Vec<Tally>> {
        self.ask(read::tally)
    }

    fn find(&mut self, number: &str) -> Result<Vec<(ScopeId, Version)>> {
        self.ask(|connection| read::find(connection, number))
    }

    fn attempts(&mut self, version: VersionId) -> Result<Vec<Attempt>> {
        self.ask(|connection| read::attempts(connection, version))
    }

    fn acts(&mut self, version: VersionId) -> Result<Vec<Act>> {
        self.ask(|connection| read::acts(connection, version))
    }

    fn runs(&mut self, most: usize) -> Result<Vec<RunRecord>> {
        self.ask(|connection| read::runs(connection, most))
    }

    fn run(&mut self, name: &str) -> Result<Option<RunRecord>> {
        self.ask(|connection| read::run(connection, name))
    }

    fn items(&mut self, run: RunId, after: u64, most: usize) -> Result<Vec<Item>> {
        self.ask(|connection| read::items(connection, run, after, most))
    }
}
