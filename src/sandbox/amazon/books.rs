//! The transactions, their verdicts, and the numbers that are used up.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::super::ledger::{InvoiceWrite, Ledger};
use super::invoice::Invoice;
use super::reply::{Problem, errors};

/// What a transaction comes to, once there is a verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// None ever comes: the vendor does not confirm invoices.
    Silence,
    Failure(Vec<Problem>),
    Success,
}

#[derive(Debug)]
pub(super) struct Books {
    verdict_after: SignedDuration,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    transactions: HashMap<String, Transaction>,
    /// The invoices of transactions that did not fail, by payee and number.
    used: HashSet<String>,
}

#[derive(Debug)]
struct Transaction {
    began: Timestamp,
    verdict: Verdict,
    numbers: Vec<String>,
}

impl Books {
    pub(super) fn new(verdict_after_s: u64) -> Self {
        let verdict_after = SignedDuration::from_secs(i64::try_from(verdict_after_s).unwrap_or(i64::MAX));
        Self { verdict_after, inner: Mutex::default() }
    }

    /// Enters the invoices of one call, and decides what becomes of them: all or none are good.
    pub(super) fn enter(&self, id: &str, invoices: &[Invoice], wanted: Option<Verdict>, now: Timestamp, ledger: &Ledger) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let verdict = wanted.unwrap_or_else(|| inner.judge(invoices));
        let fails = matches!(verdict, Verdict::Failure(_));
        if !fails {
            inner.used.extend(invoices.iter().map(Invoice::key));
        }
        let numbers = invoices.iter().map(|invoice| invoice.number.clone()).collect();
        inner.transactions.insert(id.to_owned(), Transaction { began: now, verdict, numbers });
        for invoice in invoices {
            ledger.write_invoice(&InvoiceWrite {
                number: &invoice.number,
                payee: &invoice.payee,
                kind: &invoice.kind,
                digest: &invoice.digest,
                transaction: id,
                total: &invoice.total,
                currency: &invoice.currency,
                fails,
            });
        }
    }

    /// The numbers of the invoices of a transaction, when there is such a one.
    pub(super) fn numbers(&self, id: &str) -> Option<Vec<String>> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.transactions.get(id).map(|transaction| transaction.numbers.clone())
    }

    /// How a transaction stands.
    pub(super) fn status(&self, id: &str, now: Timestamp) -> Option<Value> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = inner.transactions.get(id)?;
        let is_over = now.duration_since(transaction.began) >= self.verdict_after;
        let status = match &transaction.verdict {
            Verdict::Failure(problems) if is_over => {
                json!({ "transactionId": id, "status": "Failure", "errors": errors(problems) })
            }
            Verdict::Success if is_over => json!({ "transactionId": id, "status": "Success" }),
            _ => json!({ "transactionId": id, "status": "Processing" }),
        };
        Some(json!({ "transactionStatus": status }))
    }
}

impl Inner {
    fn judge(&self, invoices: &[Invoice]) -> Verdict {
        let mut problems = Vec::new();
        let mut seen = HashSet::new();
        for invoice in invoices {
            problems.extend_from_slice(&invoice.problems);
            let key = invoice.key();
            if self.used.contains(&key) || !seen.insert(key) {
                let message = format!("The invoice number {} was used before.", invoice.number);
                problems.push(Problem::new("DUPLICATE_INVOICE_NUMBER", message));
            }
        }
        if problems.is_empty() { Verdict::Silence } else { Verdict::Failure(problems) }
    }
}
