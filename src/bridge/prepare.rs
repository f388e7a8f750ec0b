//! From a record of the input to a document that is ready to be sent, or to the reasons why it is not.

use std::collections::BTreeMap;

use super::seen::Key;
use crate::adapter::{Findings, Fragment, Payees, Submit};
use crate::intake::{Record, place_faults};
use crate::model::{self, Document, Fault, Source, Unreadable};
use crate::outcome::Outcome;
use crate::report::{Amount, Item};
use crate::rules::{Levels, apply_levels};

/// A document after preparation. Its outcome is `planned` when nothing speaks against it.
pub(super) struct Prepared {
    pub(super) item: Item,
    /// Its identity and the digest of its content, when it is ready.
    pub(super) identity: Option<(Key, u64)>,
}

/// Prepares documents one after the other and keeps its buffers between them.
pub(super) struct Preparer<'p> {
    submit: &'p dyn Submit,
    payees: &'p Payees,
    levels: &'p Levels,
    findings: Findings,
    /// The wire form of the last document that was ready.
    pub(super) fragment: Fragment,
}

impl<'p> Preparer<'p> {
    pub(super) fn new(submit: &'p dyn Submit, payees: &'p Payees, levels: &'p Levels) -> Self {
        Self { submit, payees, levels, findings: Findings::default(), fragment: Fragment::default() }
    }

    pub(super) fn prepare(&mut self, record: Record<'_>, file: &str) -> Prepared {
        let line = record.line;
        let document = match record.text {
            Ok(text) => match model::read(text) {
                Ok(document) => document,
                Err(unreadable) => return self.refuse(*unreadable, file, line),
            },
            Err(fault) => {
                let unreadable = Unreadable { kind: None, number: None, faults: vec![*fault], rest: None };
                return self.refuse(unreadable, file, line);
            }
        };
        let mut faults = self.check(&document);
        place_faults(&mut faults, file, line);
        let outcome = self.judge(&faults);
        let number = document.number();
        let identity = (outcome == Outcome::Planned).then(|| (Key::new(document.kind(), number), self.fragment.digest()));
        // A sum in something that is no currency is no sum.
        let value = self.findings.amount.filter(|_| model::is_currency(document.currency()));
        let amount = value.map(|value| Amount { currency: document.currency().to_owned(), value });
        let item = Item {
            kind: Some(document.kind()),
            number: (!number.is_empty()).then(|| number.to_owned()),
            outcome,
            reference: None,
            faults,
            source: Some(source(file, line)),
            amount,
        };
        Prepared { item, identity }
    }

    /// Applies every rule to a document and writes its wire form.
    fn check(&mut self, document: &Document<'_>) -> Vec<Fault> {
        self.findings.held = false;
        self.findings.amount = None;
        self.fragment.clear();
        model::check(document, &mut self.findings.faults);
        self.submit.encode(document, self.payees, &mut self.fragment, &mut self.findings);
        let mut faults = std::mem::take(&mut self.findings.faults);
        apply_levels(self.levels, &mut faults);
        faults
    }

    /// A document whose text was refused. The rules are applied to what is left of it: a person who mends the text
    /// should not have to come back for the rest.
    fn refuse(&mut self, mut unreadable: Unreadable<'_>, file: &str, line: u64) -> Prepared {
        if let Some(rest) = unreadable.rest.take() {
            let more: Vec<Fault> = self.check(&rest).into_iter().filter(|fault| !unreadable.has_refused(&fault.path)).collect();
            unreadable.faults.extend(more);
        }
        let Unreadable { kind, number, mut faults, .. } = unreadable;
        place_faults(&mut faults, file, line);
        let source = Some(source(file, line));
        let item = Item { kind, number, outcome: Outcome::Invalid, reference: None, faults, source, amount: None };
        Prepared { item, identity: None }
    }

    /// A guard holds a document only when nothing else is wrong with it.
    fn judge(&self, faults: &[Fault]) -> Outcome {
        match faults.iter().filter(|fault| fault.is_error()).count() {
            0 => Outcome::Planned,
            1 if self.findings.held => Outcome::Held,
            _ => Outcome::Invalid,
        }
    }

    /// How often fields stood in documents that the target has no place for.
    pub(super) fn not_carried(&self) -> BTreeMap<String, u64> {
        self.findings.not_carried.iter().map(|(path, count)| ((*path).to_owned(), *count)).collect()
    }
}

fn source(file: &str, line: u64) -> Source {
    Source { file: Some(file.to_owned().into()), line: Some(line), ..Source::default() }
}
