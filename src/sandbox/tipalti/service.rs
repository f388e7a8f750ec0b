//! The business side of a call: who is calling, what becomes of each order, what is written down.

use std::collections::HashSet;
use std::fmt;
use std::time::SystemTime;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::super::fault::{Applied, Fault, FaultKind};
use super::super::ledger::{Ledger, Write};
use super::super::script::Plan;
use super::call::Call;
use super::check::{MOST_ORDERS, Order};
use super::reply::{Outcome, Row, Succeeded};
use super::value::trim;

/// Who may call.
pub(in super::super) struct Account {
    pub(in super::super) payer_name: String,
    pub(in super::super) master_key: String,
    pub(in super::super) timestamp_window_s: u64,
}

/// Without the master key.
impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("payer_name", &self.payer_name).finish_non_exhaustive()
    }
}

/// What a call comes to.
pub(super) struct Settled<'a> {
    pub(super) outcome: Outcome,
    /// The orders to be written down.
    pub(super) accepted: Vec<&'a Order>,
}

impl Account {
    /// Judges a call whose XML was in order.
    pub(super) fn settle<'a>(&self, call: &'a Call, plan: &Plan) -> Settled<'a> {
        if let Some(outcome) = self.failure(call) {
            return Settled { outcome, accepted: Vec::new() };
        }
        let mut seen = HashSet::new();
        let mut accepted = Vec::new();
        let mut rows = Vec::with_capacity(call.orders.len());
        let lost = lost(call, plan);
        for (index, order) in call.orders.iter().enumerate() {
            let number = order.number.as_deref();
            let problem = if number.is_some() && !seen.insert(number) {
                Some("PurchaseOrderNumber is twice in this call".to_owned())
            } else if plan.shapes(FaultKind::Reject, number) {
                Some("Rejected, as the sandbox was told to".to_owned())
            } else {
                order.problem.clone()
            };
            if problem.is_none() && !lost.contains(&index) {
                accepted.push(order);
            }
            let succeeded = if problem.is_some() { Succeeded::False } else { Succeeded::True };
            rows.push(Row { number: order.number.clone(), succeeded, problem });
        }
        Settled { outcome: outcome(rows), accepted }
    }

    /// Why the call fails as a whole, if it does.
    fn failure(&self, call: &Call) -> Option<Outcome> {
        let payer_name = call.payer_name.as_deref().unwrap_or_default();
        if payer_name != self.payer_name {
            return Some(Outcome::failed("PayerUnknown", "Payer name is not known."));
        }
        let timestamp = trim(call.timestamp.as_deref().unwrap_or_default());
        let key = call.key.as_deref().unwrap_or_default();
        if !self.is_timely(timestamp) || !self.is_signed(payer_name, timestamp, key) {
            return Some(Outcome::failed("EncryptionKeyFailedValidation", "Encryption key failed validation."));
        }
        match call.orders.len() {
            0 => Some(Outcome::failed("ParameterError", "purchaseOrders is mandatory.")),
            1..=MOST_ORDERS => None,
            _ => Some(Outcome::failed("ParameterError", "purchaseOrders: no more than 250 in a call.")),
        }
    }

    /// The schema's double would allow an exponent; the signature is over whole seconds.
    fn is_timely(&self, timestamp: &str) -> bool {
        if !timestamp.bytes().all(|byte| byte.is_ascii_digit()) {
            return false;
        }
        let now = SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_secs());
        timestamp.parse::<u64>().is_ok_and(|time| time.abs_diff(now) <= self.timestamp_window_s)
    }

    fn is_signed(&self, payer_name: &str, timestamp: &str, key: &str) -> bool {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.master_key.as_bytes()) else {
            return false;
        };
        mac.update(payer_name.as_bytes());
        mac.update(timestamp.as_bytes());
        // The comparison takes the same time wherever the keys differ.
        unhex(key).is_some_and(|key| mac.verify_slice(&key).is_ok())
    }
}

/// The places of the orders that `lost-row` keeps from being written.
fn lost(call: &Call, plan: &Plan) -> Vec<usize> {
    let place = |fault: &Fault| match &fault.number {
        None => call.orders.len().checked_sub(1),
        number => call.orders.iter().position(|order| order.number == *number),
    };
    plan.shapes.iter().filter(|fault| fault.kind == FaultKind::LostRow).filter_map(place).collect()
}

/// The code of the whole is that of its worst row, as the twin call for invoices does it.
fn outcome(rows: Vec<Row>) -> Outcome {
    let failed = rows.iter().enumerate().find_map(|(index, row)| {
        let number = row.number.as_deref().unwrap_or_default();
        row.problem.as_ref().map(|problem| format!("Line {index} / ID {number}: {problem}"))
    });
    let code = if failed.is_some() { "ValidationError" } else { "OK" };
    let message = failed.unwrap_or_else(|| "OK".to_owned());
    Outcome { code: code.to_owned(), message, rows: Some(rows) }
}

/// The part of the accepted orders that a fault lets through.
pub(super) fn part<'a, 'b>(accepted: &'a [&'b Order], applied: Option<Applied>) -> &'a [&'b Order] {
    let count = match applied {
        None | Some(Applied::Yes) => accepted.len(),
        Some(Applied::Half) => accepted.len().div_ceil(2),
        Some(Applied::No) => 0,
    };
    accepted.get(..count).unwrap_or_default()
}

/// Writes orders down. Those without a number were never accepted.
pub(super) fn write(ledger: &Ledger, orders: &[impl std::borrow::Borrow<Order>]) {
    for order in orders {
        let order: &Order = order.borrow();
        if let Some(number) = &order.number {
            ledger.write(&Write {
                number,
                old_number: order.old_number.as_deref(),
                payee: order.payee.as_deref(),
                // The first of the schema's values, which is what an absent one reads as.
                status: order.status.as_deref().unwrap_or("Active"),
                digest: &order.digest,
                lines: order.lines,
            });
        }
    }
}

/// Lower-case hex only, as the vendor documents the key.
fn unhex(text: &str) -> Option<Vec<u8>> {
    let nibble = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let bytes = text.as_bytes().chunks(2);
    bytes
        .map(|pair| match *pair {
            [high, low] => Some(nibble(high)? << 4 | nibble(low)?),
            _ => None,
        })
        .collect()
}
