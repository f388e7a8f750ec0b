//! Keeps documents between reading and storing: on disk, so that memory stays flat, in a file that has no name.
//!
//! The whole input is read before anything is stored as wanted. Only then is it known which numbers stand in it twice, and
//! an input that changes or ends in the middle has done no harm.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};

use serde::{Deserialize, Serialize};

use super::seen;
use crate::engine::record::{Digest, Key, VersionId};
use crate::engine::state::Millis;
use crate::journal::{read_item, write_item};
use crate::outcome::Outcome;
use crate::report::Item;

/// What is to be done about a document when it is certain that its number stands in the run once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Role {
    /// Its item says all.
    Over,
    /// A version with its content stands in the journal already, and goes.
    Carry(VersionId),
    /// A version with its content stands in the journal already, and is held.
    Hold(VersionId),
    /// It becomes a new version, held or not as its item says.
    New {
        /// The revision.
        revision: u32,
        /// It is not sent before.
        not_before: Millis,
    },
    /// Its number stands in the run with other content too: nothing of the number goes.
    Contested,
}

/// A document of the run, after everything that can be said of it alone.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub(super) item: Item,
    /// Its number, and whether an earlier document of the run has it too.
    pub(super) seen: Option<(seen::Key, bool)>,
    pub(super) role: Role,
    /// Whose number it is, when somebody remembers numbers.
    pub(super) key: Option<Key>,
    /// Versions whose place it takes.
    pub(super) replaced: Vec<VersionId>,
    /// Versions of its number that wait to be sent.
    pub(super) waiting: Vec<VersionId>,
    /// Of a new version: the payee that becomes known when it is accepted, what goes on the wire, in short and whole, and
    /// what the adapter remembers.
    pub(super) payee: Option<String>,
    pub(super) digest: Digest,
    pub(super) memo: Vec<u8>,
    pub(super) payload: Vec<u8>,
}

impl Entry {
    /// Whether it is going to be sent: how it ends is told later.
    pub(super) fn goes(&self) -> bool {
        matches!(self.role, Role::Carry(_) | Role::New { .. }) && self.item.outcome == Outcome::Planned
    }

    /// A document of which its item says all.
    pub(super) fn of(item: Item) -> Self {
        Self {
            item,
            seen: None,
            role: Role::Over,
            key: None,
            replaced: Vec::new(),
            waiting: Vec::new(),
            payee: None,
            digest: Digest::default(),
            memo: Vec::new(),
            payload: Vec::new(),
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Head {
    seen: Option<(seen::Key, bool)>,
    role: Role,
    key: Option<Key>,
    replaced: Vec<VersionId>,
    waiting: Vec<VersionId>,
    payee: Option<String>,
}

/// Documents go in at the end.
pub(super) struct Spool {
    file: BufWriter<File>,
    buffer: Vec<u8>,
    count: u64,
}

impl Spool {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { file: BufWriter::with_capacity(256 << 10, tempfile::tempfile()?), buffer: Vec::new(), count: 0 })
    }

    /// The payload is passed beside the entry, so that it need not be copied.
    pub(super) fn push(&mut self, entry: &Entry, payload: &[u8]) -> io::Result<()> {
        let head = Head {
            seen: entry.seen,
            role: entry.role.clone(),
            key: entry.key.clone(),
            payee: entry.payee.clone(),
            replaced: entry.replaced.clone(),
            waiting: entry.waiting.clone(),
        };
        self.buffer.clear();
        serde_json::to_writer(&mut self.buffer, &head)?;
        let head = self.buffer.len();
        write_item(&entry.item, &mut self.buffer)?;
        let item = self.buffer.len() - head;
        for length in [head, item, entry.memo.len(), payload.len()] {
            self.file.write_all(&(length as u64).to_le_bytes())?;
        }
        self.file.write_all(&self.buffer)?;
        self.file.write_all(&entry.digest)?;
        self.file.write_all(&entry.memo)?;
        self.file.write_all(payload)?;
        self.count += 1;
        Ok(())
    }

    /// Turns to reading, from the beginning.
    pub(super) fn read(self) -> io::Result<Drain> {
        let mut file = self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.seek(SeekFrom::Start(0))?;
        Ok(Drain { file: BufReader::with_capacity(256 << 10, file), count: self.count, left: self.count })
    }
}

/// Documents come out in the order in which they went in.
pub(super) struct Drain {
    file: BufReader<File>,
    count: u64,
    left: u64,
}

impl Drain {
    /// Begins anew.
    pub(super) fn rewind(&mut self) -> io::Result<()> {
        self.file.rewind()?;
        self.left = self.count;
        Ok(())
    }

    pub(super) fn next(&mut self) -> io::Result<Option<Entry>> {
        if self.left == 0 {
            return Ok(None);
        }
        let entry = self.entry();
        // What comes after something unreadable cannot be told from garbage.
        self.left = if entry.is_ok() { self.left - 1 } else { 0 };
        entry.map(Some)
    }

    fn entry(&mut self) -> io::Result<Entry> {
        let mut lengths = [0; 4];
        for length in &mut lengths {
            let mut bytes = [0; 8];
            self.file.read_exact(&mut bytes)?;
            *length = usize::try_from(u64::from_le_bytes(bytes)).map_err(io::Error::other)?;
        }
        let [head, item, memo, payload] = lengths;
        let head: Head = serde_json::from_slice(&self.bytes(head)?)?;
        let item = read_item(&self.bytes(item)?).map_err(io::Error::other)?;
        let mut digest = [0; 32];
        self.file.read_exact(&mut digest)?;
        let Head { seen, role, key, replaced, waiting, payee } = head;
        let (memo, payload) = (self.bytes(memo)?, self.bytes(payload)?);
        Ok(Entry { item, seen, role, key, replaced, waiting, payee, digest, memo, payload })
    }

    fn bytes(&mut self, length: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        self.file.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Kind;
    use crate::report::Amount;

    fn entry(number: &str) -> Entry {
        let amount = Some(Amount { currency: "KWD".into(), value: "1.500".parse().unwrap() });
        let kind = Kind::PurchaseOrder;
        let item = Item {
            kind: Some(kind),
            number: Some(number.to_owned()),
            outcome: Outcome::Planned,
            reference: None,
            faults: vec![],
            source: None,
            plan: None,
            amount,
        };
        let key = Key { kind, owner: String::new(), number: number.to_owned() };
        Entry {
            item,
            seen: Some((seen::Key::new(kind, "", number), true)),
            role: Role::New { revision: 3, not_before: 7 },
            key: Some(key),
            payee: Some("V-1".into()),
            replaced: vec![4, 5],
            waiting: vec![5],
            digest: [9; 32],
            memo: b"memo".to_vec(),
            payload: number.as_bytes().to_vec(),
        }
    }

    fn spool(numbers: &[&str]) -> Spool {
        let mut spool = Spool::new().unwrap();
        for number in numbers {
            spool.push(&entry(number), number.as_bytes()).unwrap();
        }
        spool
    }

    #[test]
    fn what_goes_in_comes_out() {
        let mut drain = spool(&["A", "B"]).read().unwrap();
        assert_eq!(drain.next().unwrap(), Some(entry("A")));
        assert_eq!(drain.next().unwrap(), Some(entry("B")));
        assert_eq!(drain.next().unwrap(), None);
        drain.rewind().unwrap();
        assert_eq!(drain.next().unwrap(), Some(entry("A")));
    }

    #[test]
    fn a_file_that_ends_early_is_an_error_once() {
        let mut drain = spool(&["A", "B"]).read().unwrap();
        drain.left = 3;
        assert!(drain.next().is_ok() && drain.next().is_ok());
        assert!(drain.next().is_err());
        assert_eq!(drain.next().unwrap(), None);
    }
}
