//! The shape of the database: what is set on a connection, and how an older database becomes one of today.

use rusqlite::Connection;

use super::trouble::{Tried, Trouble};

/// `PAYJ`: whose database it is.
const APPLICATION: i32 = 0x5041_594a;

/// The steps from an empty database to one of today. A step that was released is not changed any more.
const MIGRATIONS: &[&str] = &[include_str!("schema/001.sql"), include_str!("schema/002.sql"), include_str!("schema/003.sql")];

/// What is found in a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// Nothing at all.
    Empty,
    /// A journal of ours, after so many steps.
    Journal(usize),
    /// A journal that a newer version of the program made.
    Newer,
    /// A database of somebody else.
    Foreign,
}

/// Looks at what a database is.
pub(super) fn look(connection: &Connection) -> Tried<Found> {
    let number = |pragma: &str| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let (application, version) = (number("application_id")?, number("user_version")?);
    if application != i64::from(APPLICATION) {
        return Ok(if tables == 0 && application == 0 && version == 0 { Found::Empty } else { Found::Foreign });
    }
    Ok(match usize::try_from(version) {
        Ok(version) if version > MIGRATIONS.len() => Found::Newer,
        Ok(version) => Found::Journal(version),
        Err(_) => Found::Foreign,
    })
}

/// Whether a journal after so many steps is one of today.
pub(super) fn is_current(steps: usize) -> bool {
    steps == MIGRATIONS.len()
}

/// Makes every power loss leave what was committed, and bounds what a connection keeps in memory.
pub(super) fn configure(connection: &Connection, is_empty: bool) -> Tried<()> {
    if is_empty {
        // Three wire forms of the usual size fit into a page of 8 KiB, and only one into the usual 4 KiB. Pages can be
        // given back one by one, so pruning works on a disk that has no room for a second copy.
        connection.execute_batch("PRAGMA page_size = 8192; PRAGMA auto_vacuum = INCREMENTAL")?;
    }
    let mode: String = connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    if mode != "wal" {
        return Err(Trouble::Wrong(format!("it cannot be kept with a write-ahead log here (SQLite says {mode:?})")));
    }
    connection.execute_batch("PRAGMA synchronous = FULL; PRAGMA fullfsync = 1; PRAGMA checkpoint_fullfsync = 1")?;
    common(connection)
}

/// What holds for connections that only read, too.
pub(super) fn common(connection: &Connection) -> Tried<()> {
    connection.set_prepared_statement_cache_capacity(96);
    connection.execute_batch(
        "PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0; \
         PRAGMA busy_timeout = 5000; PRAGMA cache_size = -4096",
    )?;
    Ok(())
}

/// Brings a database to the shape of today, each step in a commit of its own.
pub(super) fn migrate(connection: &Connection, from: usize) -> Tried<()> {
    for (step, sql) in (1..).zip(MIGRATIONS).skip(from) {
        connection.execute_batch(&format!(
            "BEGIN IMMEDIATE; {sql}; PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {step}; COMMIT"
        ))?;
    }
    Ok(())
}

/// The statements that make up a database, by name.
pub(super) fn shape(connection: &Connection) -> Tried<Vec<(String, String)>> {
    let sql = "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_stat%' ORDER BY name";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The shape that a journal of today has.
pub(super) fn shape_of_today() -> Tried<Vec<(String, String)>> {
    let connection = Connection::open_in_memory()?;
    migrate(&connection, 0)?;
    shape(&connection)
}
