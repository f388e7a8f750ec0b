//! Opening: what has to hold before anything is stored, and what a journal that was left behind is asked first.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension};

use super::lock::Lock;
use super::mark::{Known, Mark};
use super::place::Place;
use super::schema::{self, Found};
use super::spill::Spill;
use super::trouble::{Tried, Trouble};
use super::{Keeper, Sqlite, write};
use crate::engine::state::Millis;
use crate::journal::{CallId, Error, Result};

/// Earlier releases can corrupt a write-ahead log that two connections reset at once.
const OLDEST_SQLITE: i32 = 3_051_003;

/// A journal that is locked and of today's shape, before it is compared with its mark.
pub(super) struct Opened {
    pub(super) connection: Connection,
    pub(super) place: Place,
    lock: Lock,
    /// What the database knows.
    pub(super) ours: Known,
    /// What the mark knows.
    pub(super) marked: Option<Known>,
    pub(super) floor: CallId,
}

impl Sqlite {
    /// Opens a journal to write to it, and makes it where there is none. Its folder has to be there.
    ///
    /// # Errors
    /// [`Error::Busy`] when another run holds it for longer than `wait`, also one in this process;
    /// [`Error::Unusable`] when it is not a journal, was made by a newer version of the program, was put back from a
    /// backup, or lies where it could get lost.
    pub fn open(path: &Path, wait: Duration) -> Result<Self> {
        let opened = prepare(path, wait)?;
        let (ours, place) = (&opened.ours, &opened.place);
        match &opened.marked {
            None if ours.call > 0 => {
                tracing::warn!(path = %place.path.display(), "the journal has lost its mark, as when it was copied: whether it is the latest one is not known");
            }
            Some(marked) if marked.journal != ours.journal => {
                return Err(place.unusable(format_args!(
                    "is not the journal that {} was written for: it was replaced by another one. Put the right one back, or \
                     let `payables journal check --accept-rollback` treat what may have been sent as in doubt",
                    place.beside("-hwm").display()
                )));
            }
            Some(marked) if marked.call > ours.call => return Err(rolled_back(place, ours, marked)),
            None | Some(_) => {}
        }
        opened.finish()
    }

    /// Opens a journal to look at it, beside whoever writes to it. Whatever would write fails.
    ///
    /// # Errors
    /// [`Error::Unusable`] when there is none, or it is none.
    pub fn read(path: &Path) -> Result<Self> {
        let place = Place::find(path)?;
        if !place.path.exists() {
            return Err(place.unusable("is not there: no run has made a journal yet, or it was given another name"));
        }
        let connection = connect(&place, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        match look(&connection, &place)? {
            Found::Empty => return Err(place.unusable("is empty: no run has stored anything in it yet")),
            Found::Journal(steps) if !schema::is_current(steps) => {
                return Err(place.unusable("was made by an older version of this program; the next run brings it up to date"));
            }
            _ => {}
        }
        schema::common(&connection).map_err(|trouble| trouble.of(&place.path))?;
        Ok(Self { connection, path: place.path, reads_only: true, broken: None, keeper: None })
    }

    /// Like [`Sqlite::read`]; `None` when no run has made a journal yet.
    ///
    /// # Errors
    /// [`Error::Unusable`] when it is none, may not be looked at, or was there and is gone.
    pub fn read_if_any(path: &Path) -> Result<Option<Self>> {
        let place = Place::find(path)?;
        match place.path.try_exists() {
            // One that was to be made when the machine went down has nothing in it.
            Ok(true) if std::fs::metadata(&place.path).is_ok_and(|file| file.is_file() && file.len() == 0) => {}
            Ok(true) => return Self::read(path).map(Some),
            Ok(false) => {}
            Err(error) => {
                return Err(place.unusable(format_args!("cannot be looked at: {error}; look at who may use its folder")));
            }
        }
        match Mark::look(&place.beside("-hwm"))? {
            None => Ok(None),
            Some(_) => Err(gone(&place)),
        }
    }

    /// A journal that is gone when it is closed, for trial runs: it may grow large, so it lies on the disk, where nobody
    /// else sees it and nothing waits for the disk.
    ///
    /// # Errors
    /// [`Error::Failed`] when there is no place for it.
    pub fn temporary() -> Result<Self> {
        let path = PathBuf::from("the temporary journal");
        let make = || -> Tried<Connection> {
            let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let connection = Connection::open_with_flags("", flags | OpenFlags::SQLITE_OPEN_EXRESCODE)?;
            // What is refused has to be taken back, so there is a rollback journal, but none that outlives anything.
            connection.execute_batch("PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF")?;
            schema::common(&connection)?;
            schema::migrate(&connection, 0)?;
            Ok(connection)
        };
        let connection = make().map_err(|trouble| trouble.of(&path))?;
        Ok(Self { connection, path, reads_only: false, broken: None, keeper: None })
    }
}

/// Locks a journal, makes it where there is none, and brings it to today's shape.
pub(super) fn prepare(path: &Path, wait: Duration) -> Result<Opened> {
    let place = Place::find(path)?;
    if rusqlite::version_number() < OLDEST_SQLITE {
        return Err(place.unusable(format_args!("needs SQLite 3.51.3 or later, and this is {}", rusqlite::version())));
    }
    place.refuse_network()?;
    let lock = Lock::take(&place, wait)?;
    let marked = Mark::look(&place.beside("-hwm"))?;
    let is_new = !place.path.exists();
    if is_new && marked.is_some() {
        return Err(gone(&place));
    }
    place.create()?;
    let connection = connect(&place, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let of = |trouble: Trouble| trouble.of(&place.path);
    let steps = match look(&connection, &place)? {
        Found::Journal(steps) => steps,
        _ if marked.is_some() => return Err(gone(&place)),
        _ => 0,
    };
    if connection.is_readonly(rusqlite::MAIN_DB).map_err(|error| of(error.into()))? {
        return Err(place.unusable("may not be written to by this user; look at its permissions"));
    }
    schema::configure(&connection, steps == 0).and_then(|()| schema::migrate(&connection, steps)).map_err(of)?;
    if is_new {
        place.sync_folder()?;
    }
    let (ours, floor) = what_it_knows(&connection).map_err(of)?;
    Ok(Opened { connection, place, lock, ours, marked, floor })
}

impl Opened {
    /// Takes the mark and the spill file into use. What was spilled comes into the journal.
    pub(super) fn finish(self) -> Result<Sqlite> {
        let Self { connection, place, lock, ours, floor, .. } = self;
        let mark = Mark::write_new(place.beside("-hwm"), &ours)?;
        let (spill, spilled) = Spill::open(place.beside("-spill"))?;
        place.sync_folder()?;
        let path = place.path.clone();
        let keeper = Keeper { place, known: ours, floor, mark, spill, looked: None, _lock: lock };
        let mut journal = Sqlite { connection, path, reads_only: false, broken: None, keeper: Some(keeper) };
        if !spilled.is_empty() {
            let at = now();
            journal.write(|connection| write::take_spilled(connection, &spilled, at))?;
            tracing::warn!(
                answers = spilled.len(),
                "answers that came when the journal could not take them were read from the spill file"
            );
        }
        if let Some(keeper) = &mut journal.keeper {
            keeper.spill.clear()?;
        }
        Ok(journal)
    }
}

/// The time, where nobody brings it along.
pub(super) fn now() -> Millis {
    jiff::Timestamp::now().as_millisecond()
}

fn connect(place: &Place, flags: OpenFlags) -> Result<Connection> {
    let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_EXRESCODE;
    Connection::open_with_flags(&place.path, flags)
        .map_err(|error| place.unusable(format_args!("cannot be opened ({error}); look at who may use it and its folder")))
}

/// Refuses what is no journal of ours. Nothing was changed in it then.
fn look(connection: &Connection, place: &Place) -> Result<Found> {
    match schema::look(connection) {
        Ok(Found::Foreign) => Err(place.unusable("is a database of another program; give the journal a name of its own")),
        Ok(Found::Newer) => Err(place.unusable("was made by a newer version of this program; use that one")),
        Ok(found) => Ok(found),
        Err(Trouble::Sql(error)) if error.sqlite_error_code() == Some(ErrorCode::NotADatabase) => {
            Err(place.unusable("is not a database; give the journal a name of its own, or put it back from a backup"))
        }
        Err(Trouble::Sql(error)) if error.sqlite_error_code() == Some(ErrorCode::CannotOpen) => {
            Err(place.unusable(format_args!("cannot be opened ({error}); look at who may use it and its folder")))
        }
        Err(trouble) => Err(trouble.of(&place.path)),
    }
}

/// What the database knows of itself, and the number below which calls were made by a journal that was given up.
pub(super) fn what_it_knows(connection: &Connection) -> Tried<(Known, CallId)> {
    let meta = |key: &str| {
        connection.query_row("SELECT value FROM meta WHERE key = ?1", [key], |row| row.get::<_, String>(0)).optional()
    };
    let journal = meta("journal")?.ok_or_else(|| Trouble::Wrong("it does not know its own name any more".to_owned()))?;
    let floor = meta("floor")?.and_then(|floor| floor.parse().ok()).unwrap_or_default();
    let last = "SELECT id, at FROM call ORDER BY id DESC LIMIT 1";
    let last: Option<(CallId, Millis)> = connection.query_row(last, [], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let (call, at) = last.unwrap_or_default();
    Ok((Known { journal, call: call.max(floor), at }, floor))
}

fn gone(place: &Place) -> Error {
    let mark = place.beside("-hwm");
    place.unusable(format_args!(
        "is gone, but {} knows of it. Put it back from where it is: without it, everything that was sent would be sent again. \
         Only to begin anew on purpose, remove the latter, too",
        mark.display()
    ))
}

fn rolled_back(place: &Place, ours: &Known, marked: &Known) -> Error {
    let missing = marked.call - ours.call;
    let since = if ours.at == 0 { "its beginning".to_owned() } else { time(ours.at) };
    place.unusable(format_args!(
        "was put back from an older copy: {missing} calls between {since} and {} are missing, and what they sent would be sent \
         again. Put the latest one back, or let `payables journal check --accept-rollback` treat what may have been sent as in doubt",
        time(marked.at)
    ))
}

/// A time as people read it.
pub(super) fn time(at: Millis) -> String {
    jiff::Timestamp::from_millisecond(at).map_or_else(|_| at.to_string(), |at| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}
