//! Decides which faults strike a call: the counters behind `times=` and `every=`.
//!
//! Faults are of two sorts. *Shapes* change an answer that is otherwise sent (rows, prefixes, delay);
//! all that strike go together. *Endings* replace the answer; the first in the given order that
//! strikes wins, and those behind it are not asked, so that `http-503:times=2 timeout:times=1` plays
//! one after the other.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::fault::{Fault, FaultKind, Party};

/// The faults of one vendor with their counters.
#[derive(Debug)]
pub(super) struct Script {
    armed: Mutex<Vec<Armed>>,
}

#[derive(Debug)]
struct Armed {
    fault: Fault,
    matched: u64,
    struck: u64,
}

/// What strikes one call.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// How long the answer waits.
    pub(super) delay: Duration,
    /// The faults that change the answer.
    pub(super) shapes: Vec<Fault>,
    /// The fault that replaces it.
    pub(super) ending: Option<Fault>,
}

impl Plan {
    /// Whether a shape of this kind strikes the document with this number.
    pub(super) fn shapes(&self, kind: FaultKind, number: Option<&str>) -> bool {
        self.shapes.iter().any(|fault| fault.kind == kind && (fault.number.is_none() || fault.number.as_deref() == number))
    }

    /// Whether a shape of this kind strikes the call at all.
    pub(super) fn has(&self, kind: FaultKind) -> bool {
        self.shapes.iter().any(|fault| fault.kind == kind)
    }
}

impl Script {
    /// Leaves out the faults that this vendor does not know.
    pub(super) fn new(faults: &[Fault], vendor: Party) -> Self {
        let known = faults.iter().filter(|fault| fault.kind.is_known_to(vendor)).cloned();
        Self { armed: Mutex::new(known.map(|fault| Armed { fault, matched: 0, struck: 0 }).collect()) }
    }

    /// Whether this call is cut before its body is read. A fault that names a document cannot tell
    /// yet, and is asked again in [`Script::plan`].
    pub(super) fn cuts_before_the_body(&self) -> bool {
        self.strikes(FaultKind::ConnectionResetBefore)
    }

    /// Whether a fault of this kind strikes a call of which nothing is known yet. Those that name a
    /// document are asked by [`Script::strikes_one_of`].
    pub(super) fn strikes(&self, kind: FaultKind) -> bool {
        let mut armed = self.armed.lock().unwrap_or_else(PoisonError::into_inner);
        armed.iter_mut().any(|armed| armed.fault.kind == kind && armed.fault.number.is_none() && armed.strikes(&[]))
    }

    /// Whether a fault of this kind names one of these documents and strikes its call.
    pub(super) fn strikes_one_of(&self, kind: FaultKind, numbers: &[&str]) -> bool {
        let mut armed = self.armed.lock().unwrap_or_else(PoisonError::into_inner);
        armed.iter_mut().any(|armed| armed.fault.kind == kind && armed.fault.number.is_some() && armed.strikes(numbers))
    }

    /// What strikes the call that holds the documents with these numbers.
    pub(super) fn plan(&self, numbers: &[&str]) -> Plan {
        let mut armed = self.armed.lock().unwrap_or_else(PoisonError::into_inner);
        let mut plan = Plan::default();
        for armed in armed.iter_mut() {
            let is_shape = is_shape(armed.fault.kind);
            if is_asked_apart(&armed.fault) || (!is_shape && plan.ending.is_some()) || !armed.strikes(numbers) {
                continue;
            }
            let fault = armed.fault.clone();
            if fault.kind == FaultKind::Slow {
                plan.delay += Duration::from_millis(fault.size.unwrap_or(1_000));
            } else if is_shape {
                plan.shapes.push(fault);
            } else {
                plan.ending = Some(fault);
            }
        }
        plan
    }
}

impl Armed {
    fn strikes(&mut self, numbers: &[&str]) -> bool {
        if self.fault.number.as_deref().is_some_and(|wanted| !numbers.contains(&wanted)) {
            return false;
        }
        // Without its only row, an answer would say that all went well.
        if self.fault.kind == FaultKind::LostRow && numbers.len() < 2 {
            return false;
        }
        self.matched += 1;
        let due = self.fault.every.is_none_or(|every| self.matched.is_multiple_of(every));
        let left = self.fault.times.is_none_or(|times| self.struck < times);
        if due && left {
            self.struck += 1;
        }
        due && left
    }
}

/// Whether the fault has its own place in the course of a call, before or beside the answer.
fn is_asked_apart(fault: &Fault) -> bool {
    match fault.kind {
        FaultKind::ConnectionResetBefore => fault.number.is_none(),
        FaultKind::TokenExpired | FaultKind::TokenDown | FaultKind::InvalidClient | FaultKind::Poll500 => true,
        _ => false,
    }
}

fn is_shape(kind: FaultKind) -> bool {
    matches!(
        kind,
        FaultKind::Slow
            | FaultKind::DropRows
            | FaultKind::LostRow
            | FaultKind::NoRows
            | FaultKind::DoubleRows
            | FaultKind::ContradictRows
            | FaultKind::ReorderRows
            | FaultKind::UnknownRow
            | FaultKind::Reject
            | FaultKind::SucceededMissing
            | FaultKind::WrongTypes
            | FaultKind::WrongNamespace
            | FaultKind::Soap12Prefix
            | FaultKind::Nil
            | FaultKind::TransactionFailure
            | FaultKind::TransactionSuccess
            | FaultKind::Stale
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(faults: &[&str]) -> Script {
        script_of(faults, Party::Tipalti)
    }

    fn script_of(faults: &[&str], vendor: Party) -> Script {
        let faults: Vec<Fault> = faults.iter().map(|fault| fault.parse().unwrap()).collect();
        Script::new(&faults, vendor)
    }

    fn endings(script: &Script, calls: usize) -> Vec<Option<FaultKind>> {
        (0..calls).map(|_| script.plan(&["PO-1"]).ending.map(|fault| fault.kind)).collect()
    }

    #[test]
    fn endings_play_one_after_the_other() {
        let script = script(&["http-503:times=2", "timeout:times=1"]);
        let expected = [Some(FaultKind::Http503), Some(FaultKind::Http503), Some(FaultKind::Timeout), None];
        assert_eq!(endings(&script, 4), expected);
    }

    #[test]
    fn every_counts_the_calls_that_match() {
        let script = script(&["truncated:every=3,times=1"]);
        let expected = [None, None, Some(FaultKind::Truncated), None, None, None];
        assert_eq!(endings(&script, 6), expected);
    }

    #[test]
    fn a_number_confines_a_fault_to_the_calls_that_hold_it() {
        let script = script(&["reject:number=PO-17,times=1", "slow:ms=5", "slow:ms=7"]);
        assert!(script.plan(&["PO-1"]).shapes.is_empty());
        let plan = script.plan(&["PO-1", "PO-17"]);
        assert!(plan.shapes(FaultKind::Reject, Some("PO-17")));
        assert!(!plan.shapes(FaultKind::Reject, Some("PO-1")));
        assert_eq!(plan.delay, Duration::from_millis(12));
        assert!(script.plan(&["PO-17"]).shapes.is_empty());
    }

    #[test]
    fn a_cut_before_the_body_is_counted_once() {
        let script = script(&["connection-reset-before:times=1"]);
        assert!(script.cuts_before_the_body());
        assert!(!script.cuts_before_the_body());
        assert!(script.plan(&[]).ending.is_none());
    }
    #[test]
    fn a_vendor_has_its_own_faults_and_those_of_the_network() {
        let faults = ["drop-rows", "no-transaction", "poll-500", "http-503"];
        let kinds = |vendor| {
            let plan = script_of(&faults, vendor).plan(&["1"]);
            (plan.shapes.len(), plan.ending.map(|fault| fault.kind))
        };
        assert_eq!(kinds(Party::Tipalti), (1, Some(FaultKind::Http503)));
        assert_eq!(kinds(Party::Amazon), (0, Some(FaultKind::NoTransaction)));
    }

    #[test]
    fn a_fault_with_a_place_of_its_own_is_asked_there_only() {
        let script = script_of(&["poll-500:times=1", "poll-500:number=7,times=1"], Party::Amazon);
        assert!(script.plan(&["7"]).ending.is_none());
        assert!(script.strikes(FaultKind::Poll500) && !script.strikes(FaultKind::Poll500));
        assert!(!script.strikes_one_of(FaultKind::Poll500, &["6"]));
        assert!(script.strikes_one_of(FaultKind::Poll500, &["6", "7"]));
        assert!(!script.strikes_one_of(FaultKind::Poll500, &["7"]));
    }
}
