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
    /// The posts to Amazon's `submitInvoices`, whatever became of them.
    pub submissions: u64,
    /// The most of them that were at work at once.
    pub most_submissions_at_once: u64,
    /// The calls of Amazon's `getTransaction`, whatever became of them.
    pub polls: u64,
    /// The access tokens that Amazon gave.
    pub token_grants: u64,
    /// The calls that Amazon refused because they came too fast.
    pub throttled: u64,
    /// The invoices and credit notes that Amazon received, by `payee/number`.
    pub invoices: BTreeMap<String, InvoiceRecord>,
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

/// One invoice or credit note in the ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct InvoiceRecord {
    /// Its number.
    pub number: String,
    /// The party that is to be paid.
    pub payee: String,
    /// `Invoice` or `CreditNote`.
    pub kind: String,
    /// How many times it was received.
    pub writes: u64,
    /// With how many different contents.
    pub contents: u64,
    /// How many of those times end in a Failure.
    pub failures: u64,
    /// SHA-256 of the latest content, in hex: the same for the same values, however they are spelt.
    pub digest: String,
    /// The transactions that it was received in.
    pub transactions: Vec<String>,
    /// The latest total as it was sent.
    pub total: String,
    /// Its currency.
    pub currency: String,
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

/// An invoice that was received.
#[derive(Debug)]
pub(super) struct InvoiceWrite<'a> {
    pub(super) number: &'a str,
    pub(super) payee: &'a str,
    pub(super) kind: &'a str,
    pub(super) digest: &'a str,
    pub(super) transaction: &'a str,
    pub(super) total: &'a str,
    pub(super) currency: &'a str,
    /// Whether its transaction ends in a Failure.
    pub(super) fails: bool,
}

#[derive(Debug, Default)]
pub(super) struct Ledger {
    known_payees: Option<BTreeSet<String>>,
    written: Mutex<Written>,
    requests: AtomicU64,
    redirects: AtomicU64,
    calls: Gauge,
    submissions: Gauge,
    polls: AtomicU64,
    token_grants: AtomicU64,
    throttled: AtomicU64,
}

#[derive(Debug, Default)]
struct Written {
    orders: BTreeMap<String, OrderRecord>,
    payees_created: BTreeSet<String>,
    invoices: BTreeMap<String, InvoiceRecord>,
    /// The digests of invoices before their latest, of the few that have more than one.
    earlier_digests: BTreeMap<String, BTreeSet<String>>,
}

/// How many there were, how many are at work, and how many were at once.
#[derive(Debug, Default)]
struct Gauge {
    all: AtomicU64,
    at_work: AtomicU64,
    most_at_once: AtomicU64,
}

impl Gauge {
    fn count(&self) -> AtWork<'_> {
        self.all.fetch_add(1, Ordering::Relaxed);
        let now = self.at_work.fetch_add(1, Ordering::Relaxed) + 1;
        self.most_at_once.fetch_max(now, Ordering::Relaxed);
        AtWork(self)
    }
}

/// Counts a call as being at work until it is dropped.
#[derive(Debug)]
pub(super) struct AtWork<'a>(&'a Gauge);

impl Drop for AtWork<'_> {
    fn drop(&mut self) {
        self.0.at_work.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Ledger {
    pub(super) fn new(known_payees: Option<BTreeSet<String>>) -> Self {
        Self { known_payees, ..Self::default() }
    }

    pub(super) fn count_request(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_redirect(&self) {
        self.redirects.fetch_add(1, Ordering::Relaxed);
    }

    /// A call of Tipalti's.
    pub(super) fn count_call(&self) -> AtWork<'_> {
        self.calls.count()
    }

    /// A call of Amazon's that submits invoices.
    pub(super) fn count_submission(&self) -> AtWork<'_> {
        self.submissions.count()
    }

    pub(super) fn count_poll(&self) {
        self.polls.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_token_grant(&self) {
        self.token_grants.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_throttled(&self) {
        self.throttled.fetch_add(1, Ordering::Relaxed);
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

    /// Notes that an invoice was received.
    pub(super) fn write_invoice(&self, write: &InvoiceWrite<'_>) {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let written = &mut *written;
        let key = format!("{}/{}", write.payee, write.number);
        let record = written.invoices.entry(key.clone()).or_default();
        if record.digest != write.digest {
            let mut is_new = true;
            if record.writes > 0 {
                let earlier = written.earlier_digests.entry(key).or_default();
                is_new = !earlier.contains(write.digest);
                earlier.insert(std::mem::take(&mut record.digest));
            }
            record.contents += u64::from(is_new);
            record.digest = write.digest.to_owned();
        }
        record.number = write.number.to_owned();
        record.payee = write.payee.to_owned();
        record.kind = write.kind.to_owned();
        record.writes += 1;
        record.failures += u64::from(write.fails);
        record.transactions.push(write.transaction.to_owned());
        record.total = write.total.to_owned();
        record.currency = write.currency.to_owned();
    }

    pub(super) fn snapshot(&self) -> LedgerSnapshot {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        LedgerSnapshot {
            requests: count(&self.requests),
            calls: count(&self.calls.all),
            redirects_followed: count(&self.redirects),
            most_at_once: count(&self.calls.most_at_once),
            orders: written.orders.clone(),
            payees_created: written.payees_created.clone(),
            submissions: count(&self.submissions.all),
            most_submissions_at_once: count(&self.submissions.most_at_once),
            polls: count(&self.polls),
            token_grants: count(&self.token_grants),
            throttled: count(&self.throttled),
            invoices: written.invoices.clone(),
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
    #[test]
    fn contents_of_an_invoice_are_told_apart() {
        let ledger = Ledger::new(None);
        for (digest, transaction, fails) in [("a", "t1", true), ("b", "t2", false), ("a", "t3", false), ("a", "t4", false)] {
            let (number, payee, kind) = ("INV-1", "ACME", "Invoice");
            ledger.write_invoice(&InvoiceWrite { number, payee, kind, digest, transaction, total: "1", currency: "USD", fails });
        }
        let record = &ledger.snapshot().invoices["ACME/INV-1"];
        assert_eq!((record.writes, record.contents, record.failures, record.digest.as_str()), (4, 2, 1, "a"));
        assert_eq!(record.transactions, ["t1", "t2", "t3", "t4"]);
    }
}
