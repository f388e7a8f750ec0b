//! The high-water mark: a small file beside the database that knows the last call that was armed.
//!
//! A database that was put back from a backup is whole and well, and knows nothing of what was sent since. What was sent
//! then would be sent again. The mark does not go back with it, so the two disagree, and that is seen.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::chain::digest;
use super::place::options;
use crate::engine::state::Millis;
use crate::journal::{CallId, Error, Result};

/// What the mark knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Known {
    /// Which journal it is of.
    pub(super) journal: String,
    /// The last call that was armed.
    pub(super) call: CallId,
    /// When that was.
    pub(super) at: Millis,
}

/// The bytes of a slot. Two slots are written in turn, each in a block of its own: a power loss while one of them is
/// written leaves the other.
const SLOT: usize = 256;
const APART: u64 = 4096;

/// The open file.
#[derive(Debug)]
pub(super) struct Mark {
    file: File,
    path: PathBuf,
    slot: u64,
}

impl Mark {
    /// What the file says; `None` when there is none.
    pub(super) fn look(path: &Path) -> Result<Option<Known>> {
        let Some(slots) = slots(path)? else { return Ok(None) };
        slots.into_iter().flatten().max_by_key(|known| known.call).map(Some).ok_or_else(|| {
            let path = path.display();
            Error::Unusable(format!(
                "{path} is damaged, and without it nobody knows whether the journal is the latest one; if it was not put back \
                 from a backup, remove {path}"
            ))
        })
    }

    /// Opens the file, or makes it, and writes what is known unless that stands there already.
    pub(super) fn write_new(path: PathBuf, known: &Known) -> Result<Self> {
        let failed = |error| Error::Unusable(format!("{} cannot be written: {error}", path.display()));
        let slots = slots(&path)?;
        // A new file gets its name when it is written: a process that dies before leaves none, and not an empty one, which
        // would say that a mark was damaged.
        let unnamed = slots.is_none().then(|| unnamed(&path));
        let slots = slots.unwrap_or_default();
        let at = unnamed.as_deref().unwrap_or(&path);
        let mut file = options().create(true).truncate(unnamed.is_some()).open(at).map_err(failed)?;
        let stands = slots.iter().position(|slot| slot.as_ref() == Some(known));
        let is_last = slots.iter().flatten().all(|slot| slot.journal == known.journal && slot.call <= known.call);
        if let Some(slot) = stands.filter(|_| is_last && slots.iter().all(Option::is_some)) {
            let slot = u64::try_from(slot).unwrap_or_default();
            return Ok(Self { file, path, slot });
        }
        // Both slots are filled, so that the blocks are there when the disk is full, and nothing older is left.
        for slot in [0, 1] {
            put(&mut file, slot, known).map_err(failed)?;
        }
        file.sync_all().map_err(failed)?;
        if let Some(unnamed) = unnamed {
            std::fs::rename(unnamed, &path).map_err(failed)?;
        }
        Ok(Self { file, path, slot: 0 })
    }

    /// Writes down a call; it is on the disk when this returns.
    pub(super) fn advance(&mut self, known: &Known) -> Result<()> {
        self.slot = 1 - self.slot;
        put(&mut self.file, self.slot, known)
            .and_then(|()| self.file.sync_data())
            .map_err(|error| Error::Failed(format!("{} cannot be written: {error}", self.path.display())))
    }
}

#[cfg(test)]
impl Mark {
    /// Makes the next write fail, as a disk that died would.
    pub(super) fn break_for_test(&mut self, path: &Path) {
        self.file = File::open(path).unwrap();
    }
}

/// Where a mark is made.
fn unnamed(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-new");
    PathBuf::from(name)
}

/// Both slots, as far as they are whole; `None` when there is no file.
fn slots(path: &Path) -> Result<Option<[Option<Known>; 2]>> {
    let mut bytes = Vec::new();
    match File::open(path).and_then(|file| file.take(2 * APART).read_to_end(&mut bytes)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::Unusable(format!("{} cannot be read: {error}", path.display()))),
        Ok(_) => {}
    }
    let second = usize::try_from(APART).unwrap_or_default();
    Ok(Some([bytes.get(..SLOT), bytes.get(second..second + SLOT)].map(|slot| slot.and_then(read))))
}

fn put(file: &mut File, slot: u64, known: &Known) -> io::Result<()> {
    let text = format!("payables-mark 1 {} {} {}", known.journal, known.call, known.at);
    let line = format!("{text} {}", check(&text));
    file.seek(SeekFrom::Start(slot * APART))?;
    file.write_all(format!("{line:<width$}\n", width = SLOT - 1).as_bytes())
}

fn read(slot: &[u8]) -> Option<Known> {
    let (text, sum) = std::str::from_utf8(slot).ok()?.trim_end().rsplit_once(' ')?;
    if sum != check(text) {
        return None;
    }
    let mut words = text.strip_prefix("payables-mark 1 ")?.split(' ');
    Some(Known { journal: words.next()?.to_owned(), call: words.next()?.parse().ok()?, at: words.next()?.parse().ok()? })
}

fn check(text: &str) -> String {
    hex(&digest(text.as_bytes())).chars().take(16).collect()
}

/// Bytes as hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string does not fail.
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(call: CallId) -> Known {
        Known { journal: "ab12".into(), call, at: 1_767_225_600_000 }
    }

    #[test]
    fn the_later_of_two_slots_counts_and_a_torn_one_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mark");
        assert_eq!(Mark::look(&path).unwrap(), None);
        let mut mark = Mark::write_new(path.clone(), &known(1)).unwrap();
        mark.advance(&known(2)).unwrap();
        mark.advance(&known(3)).unwrap();
        assert_eq!(Mark::look(&path).unwrap(), Some(known(3)));
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[30] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        assert_eq!(Mark::look(&path).unwrap(), Some(known(2)));
        bytes[4096 + 30] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        assert!(Mark::look(&path).unwrap_err().to_string().contains("damaged"));
    }

    #[test]
    fn a_process_that_died_while_it_made_a_mark_has_made_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mark");
        std::fs::write(unnamed(&path), "payables-mark 1 ab").unwrap();
        assert_eq!(Mark::look(&path).unwrap(), None);
        let mut mark = Mark::write_new(path.clone(), &known(1)).unwrap();
        mark.advance(&known(2)).unwrap();
        assert_eq!(Mark::look(&path).unwrap(), Some(known(2)));
        assert!(!unnamed(&path).exists());
    }
}
