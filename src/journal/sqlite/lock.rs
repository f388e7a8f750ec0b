//! The lock: one process at a time writes to a journal.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::thread;
use std::time::{Duration, Instant};

use super::place::{Place, options};
use crate::journal::{Error, Result};

/// How often somebody who waits looks again.
const PAUSE: Duration = Duration::from_millis(50);

/// The lock, for as long as it lives. The operating system takes it back when the process dies, however it dies.
///
/// The file stays: whoever removed it would let two processes hold a lock on two files of one name.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock, and waits for it for so long at most.
    pub(super) fn take(place: &Place, wait: Duration) -> Result<Self> {
        let path = place.beside("-lock");
        let unusable = |error: std::io::Error| Error::Unusable(format!("{} cannot be locked: {error}", path.display()));
        let mut file = options().create(true).truncate(false).open(&path).map_err(unusable)?;
        let until = Instant::now() + wait;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if Instant::now() < until => {
                    thread::sleep(PAUSE.min(until.saturating_duration_since(Instant::now())));
                }
                Err(TryLockError::WouldBlock) => return Err(busy(place, &mut file)),
                Err(TryLockError::Error(error)) => return Err(unusable(error)),
            }
        }
        // Who holds it is told to whoever comes next; nothing depends on it.
        let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ");
        let note = format!("process {}, since {now}\n", std::process::id());
        let written = file.set_len(0).and_then(|()| file.seek(SeekFrom::Start(0))).and_then(|_| file.write_all(note.as_bytes()));
        written.map_err(unusable)?;
        Ok(Self { _file: file })
    }
}

fn busy(place: &Place, file: &mut File) -> Error {
    let mut note = String::new();
    // Who holds it may be writing its note just now.
    let holder = match Read::by_ref(file).take(200).read_to_string(&mut note) {
        Ok(_) if !note.trim().is_empty() => note.trim(),
        _ => "a process that has just begun",
    };
    let path = place.path.display();
    Error::Busy(format!("another run ({holder}) is at work on {path}; wait for its end, or look at what holds it up"))
}
