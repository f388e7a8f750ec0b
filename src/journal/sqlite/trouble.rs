//! What goes wrong inside of the SQLite journal, until it is known which file it happened to.

use std::path::Path;

use rusqlite::ErrorCode;
use rusqlite::ffi::{SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_UNIQUE};

use crate::journal::{Error, VersionId};

/// Why a piece of work was not done.
#[derive(Debug)]
pub(super) enum Trouble {
    /// SQLite said no.
    Sql(rusqlite::Error),
    /// Versions have moved on.
    Fenced(Vec<VersionId>),
    /// Something that is in the journal, or is missing from it, as a sentence.
    Wrong(String),
}

/// The result of a piece of work.
pub(super) type Tried<T> = Result<T, Trouble>;

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl Trouble {
    /// Whether one of the two structural guards stopped it.
    pub(super) fn is_guard(error: &rusqlite::Error) -> bool {
        let code = error.sqlite_error().map(|error| error.extended_code);
        code.is_some_and(|code| code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY)
    }

    /// Whether another process holds the database for longer than anybody waits.
    pub(super) fn is_busy(&self) -> bool {
        matches!(self.code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
    }

    /// Whether it is the disk that failed, or what lies on it: nothing that is read afterwards can be relied on.
    pub(super) fn is_of_the_disk(&self) -> bool {
        use ErrorCode as C;
        let of_the_disk = [C::SystemIoFailure, C::DatabaseCorrupt, C::NotADatabase, C::CannotOpen, C::FileLockingProtocolFailed];
        self.code().is_some_and(|code| of_the_disk.contains(&code))
    }

    fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::Sql(error) => error.sqlite_error_code(),
            Self::Fenced(_) | Self::Wrong(_) => None,
        }
    }

    /// As an error that names the file.
    pub(super) fn of(self, path: &Path) -> Error {
        let path = path.display();
        match self {
            Self::Fenced(versions) => Error::Fenced(versions),
            Self::Wrong(what) => Error::Failed(format!("{path}: {what}")),
            Self::Sql(error) => match error.sqlite_error_code() {
                Some(ErrorCode::DiskFull) => Error::Failed(format!("{path}: the disk is full; make room and run again")),
                Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Error::Unusable(format!(
                    "{path} is damaged ({error}); run `payables journal check` and restore it from a backup"
                )),
                Some(ErrorCode::ReadOnly) => Error::Unusable(format!(
                    "{path}: nothing may be written in its folder, and SQLite keeps a file there even for looking; run this as the \
                     user that sends"
                )),
                _ => Error::Failed(format!("{path}: {error}")),
            },
        }
    }
}
