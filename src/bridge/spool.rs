//! Keeps documents between reading and sending: on disk, so that memory stays flat, in a file that has no name.
//!
//! The whole input is read before anything is sent. Only then is it known which numbers stand in it twice, and an input
//! that changes or ends in the middle has done no harm.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};

use serde::{Deserialize, Serialize};

use super::seen::Key;
use crate::report::{Amount, Item};

/// A document that is ready to be sent.
#[derive(Debug, Clone)]
pub(super) struct Ready {
    pub(super) item: Item,
    pub(super) fragment: Vec<u8>,
    pub(super) key: Key,
    /// Whether an earlier document of the run has the same number.
    pub(super) repeated: bool,
}

#[derive(Serialize, Deserialize)]
struct Head<I> {
    item: I,
    currency: Option<String>,
    amount: Option<String>,
    key: Key,
    repeated: bool,
    fragment_bytes: usize,
}

/// Documents go in at the end.
pub(super) struct Spool {
    file: BufWriter<File>,
    head: Vec<u8>,
    count: u64,
}

impl Spool {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { file: BufWriter::with_capacity(256 << 10, tempfile::tempfile()?), head: Vec::new(), count: 0 })
    }

    pub(super) fn push(&mut self, item: &Item, fragment: &[u8], key: Key, repeated: bool) -> io::Result<()> {
        let currency = item.amount.as_ref().map(|amount| amount.currency.clone());
        let amount = item.amount.as_ref().map(|amount| amount.value.to_string());
        let head = Head { item, currency, amount, key, repeated, fragment_bytes: fragment.len() };
        self.head.clear();
        serde_json::to_writer(&mut self.head, &head)?;
        self.file.write_all(&(self.head.len() as u64).to_le_bytes())?;
        self.file.write_all(&self.head)?;
        self.file.write_all(fragment)?;
        self.count += 1;
        Ok(())
    }

    /// Turns to reading, from the beginning.
    pub(super) fn read(self) -> io::Result<Drain> {
        let mut file = self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.seek(SeekFrom::Start(0))?;
        Ok(Drain { file: BufReader::with_capacity(256 << 10, file), head: Vec::new(), left: self.count })
    }
}

/// Documents come out in the order in which they went in.
pub(super) struct Drain {
    file: BufReader<File>,
    head: Vec<u8>,
    left: u64,
}

impl Drain {
    /// How many documents are still in it.
    pub(super) fn left(&self) -> u64 {
        self.left
    }

    pub(super) fn next(&mut self) -> io::Result<Option<Ready>> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        let ready = self.read();
        if ready.is_err() {
            // What comes after something unreadable cannot be told from garbage.
            self.left = 0;
        }
        ready.map(Some)
    }

    fn read(&mut self) -> io::Result<Ready> {
        let mut length = [0; 8];
        self.file.read_exact(&mut length)?;
        self.head.resize(usize::try_from(u64::from_le_bytes(length)).map_err(io::Error::other)?, 0);
        self.file.read_exact(&mut self.head)?;
        let head: Head<Item> = serde_json::from_slice(&self.head)?;
        let mut fragment = vec![0; head.fragment_bytes];
        self.file.read_exact(&mut fragment)?;
        let value = head.amount.map(|text| text.parse()).transpose().map_err(io::Error::other)?;
        let mut item = head.item;
        item.amount = head.currency.zip(value).map(|(currency, value)| Amount { currency, value });
        Ok(Ready { item, fragment, key: head.key, repeated: head.repeated })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Kind;
    use crate::outcome::Outcome;

    fn item(number: &str) -> Item {
        let amount = Some(Amount { currency: "KWD".into(), value: "1.500".parse().unwrap() });
        let number = Some(number.to_owned());
        Item {
            kind: Some(Kind::PurchaseOrder),
            number,
            outcome: Outcome::Planned,
            reference: None,
            faults: vec![],
            source: None,
            amount,
        }
    }

    fn spool(numbers: &[&str]) -> Spool {
        let mut spool = Spool::new().unwrap();
        for number in numbers {
            spool.push(&item(number), number.as_bytes(), Key::new(Kind::PurchaseOrder, number), false).unwrap();
        }
        spool
    }

    #[test]
    fn what_goes_in_comes_out() {
        let mut drain = spool(&["A", "B"]).read().unwrap();
        for number in ["A", "B"] {
            let ready = drain.next().unwrap().unwrap();
            assert_eq!((ready.item, ready.fragment.as_slice()), (item(number), number.as_bytes()));
        }
        assert!(drain.next().unwrap().is_none());
    }

    #[test]
    fn a_file_that_breaks_is_told_once_and_read_no_further() {
        let mut spool = spool(&["A", "B", "C"]);
        spool.file.flush().unwrap();
        let length = spool.file.get_ref().metadata().unwrap().len();
        spool.file.get_ref().set_len(length - 5).unwrap();
        let mut drain = spool.read().unwrap();
        assert!(drain.next().unwrap().is_some() && drain.next().unwrap().is_some());
        assert_eq!(drain.left(), 1);
        assert!(drain.next().is_err());
        assert!(drain.next().unwrap().is_none());
    }
}
