//! What the simulated vendors remember: the proof of what was really taken, for tests and for the
//! curious. It holds digests and not the documents.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

/// What a sandbox has seen and taken up to one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LedgerSnapshot {
    /// Every HTTP request, wherever it went.
    pub requests: u64,
    /// The posts to Tipalti's endpoint, whatever became of them.
    pub calls: u64,
    /// The requests that followed a `redirect` to where they should not go.
    pub redirects_followed: u64,
    /// The most calls that were at work at once.
    pub most_at_once: u64,
    /// The orders that were taken, by number.
    pub orders: BTreeMap<String, OrderRecord>,
    /// The payees that came into being because an order named them.
    pub payees_created: BTreeSet<String>,
}

/// One order in the ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct OrderRecord {
    /// How many contents it has had, one after the other: 1 for an order that was never changed.
    pub versions: u64,
    /// How many times it was written, the same content included.
    pub writes: u64,
    /// SHA-256 of its content, in hex: the same for the same values, however they are spelt.
    pub digest: String,
    /// Its status as it was sent, `Active` when none was.
    pub status: String,
    /// Its payee, when it names one.
    pub payee: Option<String>,
    /// How many lines it has.
    pub lines: u64,
}

/// An order that is about to be written.
#[derive(Debug)]
pub(super) struct Write<'a> {
    pub(super) number: &'a str,
    /// The number that it had before, when it gives one.
    pub(super) old_number: Option<&'a str>,
    pub(super) payee: Option<&'a str>,
    pub(super) status: &'a str,
    pub(super) digest: &'a str,
    pub(super) lines: u64,
}

#[derive(Debug)]
pub(super) struct Ledger {
    known_payees: Option<BTreeSet<String>>,
    written: Mutex<Written>,
    requests: AtomicU64,
    calls: AtomicU64,
    redirects: AtomicU64,
    at_work: AtomicU64,
    most_at_once: AtomicU64,
}

#[derive(Debug, Default)]
struct Written {
    orders: BTreeMap<String, OrderRecord>,
    payees_created: BTreeSet<String>,
}

/// Counts a call as being at work until it is dropped.
#[derive(Debug)]
pub(super) struct AtWork<'a>(&'a Ledger);

impl Drop for AtWork<'_> {
    fn drop(&mut self) {
        self.0.at_work.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Ledger {
    pub(super) fn new(known_payees: Option<BTreeSet<String>>) -> Self {
        Self {
            known_payees,
            written: Mutex::default(),
            requests: AtomicU64::new(0),
            calls: AtomicU64::new(0),
            redirects: AtomicU64::new(0),
            at_work: AtomicU64::new(0),
            most_at_once: AtomicU64::new(0),
        }
    }

    pub(super) fn count_request(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_redirect(&self) {
        self.redirects.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_call(&self) -> AtWork<'_> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let now = self.at_work.fetch_add(1, Ordering::Relaxed) + 1;
        self.most_at_once.fetch_max(now, Ordering::Relaxed);
        AtWork(self)
    }

    /// Creates or updates an order, and its payee when nobody knows it yet.
    pub(super) fn write(&self, write: &Write<'_>) {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        // An order that is renumbered keeps its history, unless the new number is taken.
        let moved = write.old_number.filter(|old| *old != write.number);
        if let Some(moved) = moved.and_then(|old| written.orders.remove(old)) {
            written.orders.entry(write.number.to_owned()).or_insert(moved);
        }
        let record = written.orders.entry(write.number.to_owned()).or_default();
        if record.digest != write.digest {
            record.versions += 1;
            record.digest = write.digest.to_owned();
        }
        record.writes += 1;
        record.status = write.status.to_owned();
        record.payee = write.payee.map(str::to_owned);
        record.lines = write.lines;
        if let (Some(payee), Some(known)) = (write.payee, &self.known_payees)
            && !known.contains(payee)
        {
            written.payees_created.insert(payee.to_owned());
        }
    }

    pub(super) fn snapshot(&self) -> LedgerSnapshot {
        let written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        LedgerSnapshot {
            requests: self.requests.load(Ordering::Relaxed),
            calls: self.calls.load(Ordering::Relaxed),
            redirects_followed: self.redirects.load(Ordering::Relaxed),
            most_at_once: self.most_at_once.load(Ordering::Relaxed),
            orders: written.orders.clone(),
            payees_created: written.payees_created.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write<'a>(number: &'a str, digest: &'a str) -> Write<'a> {
        Write { number, old_number: None, payee: Some("p1"), status: "Active", digest, lines: 1 }
    }

    #[test]
    fn a_replay_is_a_write_and_not_a_version() {
        let ledger = Ledger::new(Some(BTreeSet::from(["p0".to_owned()])));
        for digest in ["a", "a", "b"] {
            ledger.write(&write("PO-1", digest));
        }
        let snapshot = ledger.snapshot();
        let order = &snapshot.orders["PO-1"];
        assert_eq!((order.versions, order.writes), (2, 3));
        assert!(snapshot.payees_created.contains("p1"));
    }

    #[test]
    fn a_renumbered_order_keeps_its_history() {
        let ledger = Ledger::new(None);
        ledger.write(&write("PO-1", "a"));
        ledger.write(&Write { old_number: Some("PO-1"), ..write("PO-2", "b") });
        let snapshot = ledger.snapshot();
        assert_eq!(snapshot.orders.keys().collect::<Vec<_>>(), ["PO-2"]);
        assert_eq!(snapshot.orders["PO-2"].versions, 2);
        assert!(snapshot.payees_created.is_empty());
    }

    #[test]
    fn calls_at_work_are_counted() {
        let ledger = Ledger::new(None);
        let first = ledger.count_call();
        drop(ledger.count_call());
        drop(first);
        let _third = ledger.count_call();
        let snapshot = ledger.snapshot();
        assert_eq!((snapshot.calls, snapshot.most_at_once), (3, 2));
    }
}
