//! From a record of the input to a document that is ready to be sent, or to the reasons why it is not.

use std::collections::BTreeMap;

use jiff::tz::Offset;
use jiff::{Timestamp, ToSpan as _};

use super::{Error, seen};
use crate::adapter::{Context, Findings, Fragment, Submit, Trace};
use crate::engine::plan::Known;
use crate::engine::record::{Digest, Key, Version};
use crate::engine::state::Millis;
use crate::intake::{Input, Record};
use crate::model::{self, Document, ErrorCount, Fault, MOST_FAULTS, Path, Source, Unreadable};
use crate::outcome::{Exit, Outcome};
use crate::report::{Amount, Item, Summary};
use crate::rules::{Levels, apply_levels};

/// A document after preparation. Its outcome is `planned` when nothing speaks against it.
#[cfg_attr(not(feature = "net"), expect(dead_code, reason = "only a run remembers"))]
pub(super) struct Prepared {
    pub(super) item: Item,
    /// Its identity and the digest of its content, when they are known. A version that is not sent counts too: nobody
    /// knows whether it is the right one.
    pub(super) identity: Option<(seen::Key, u64)>,
    /// What an earlier run left of its number, when somebody remembers.
    pub(super) memory: Option<Memory>,
}

/// What is remembered of a document's number.
#[cfg_attr(not(feature = "net"), expect(dead_code, reason = "only a run remembers"))]
pub(super) struct Memory {
    pub(super) key: Key,
    pub(super) trace: Trace,
    /// What would go on the wire; `None` for a document that has no wire form.
    pub(super) digest: Option<Digest>,
    /// The versions that count, the newest first.
    pub(super) known: Vec<Version>,
    /// The highest revision that there ever was.
    pub(super) last_revision: u32,
}

/// Remembers the versions of a number that count, and its highest revision.
pub(super) trait Recall {
    /// Until when documents may have been sent once that nobody remembers, if there are any.
    fn forgot_at(&self) -> Option<Millis>;
    fn recall(&mut self, key: &Key) -> Result<(Vec<Version>, u32), Error>;
}

impl Prepared {
    pub(super) fn is_ready(&self) -> bool {
        self.item.outcome == Outcome::Planned
    }
}

/// Prepares documents one after the other and keeps its buffers between them.
pub(super) struct Preparer<'p> {
    submit: &'p dyn Submit,
    context: Context<'p>,
    levels: &'p Levels,
    findings: Findings,
    /// The wire form of the last document that was ready.
    pub(super) fragment: Fragment,
}

impl<'p> Preparer<'p> {
    pub(super) fn new(submit: &'p dyn Submit, context: Context<'p>, levels: &'p Levels) -> Self {
        Self { submit, context, levels, findings: Findings::default(), fragment: Fragment::default() }
    }

    /// Prepares a document, in the light of what is remembered of its number if anybody remembers.
    pub(super) fn prepare(&mut self, record: Record<'_>, file: &str, recall: Option<&mut dyn Recall>) -> Result<Prepared, Error> {
        let line = record.line;
        let document = match record.read() {
            Ok(document) => document,
            Err(unreadable) => return self.refuse(*unreadable, &record, file, recall),
        };
        let mut faults = self.check(&document);
        let memory = self.remember(&document, &mut faults, recall)?;
        record.place(&mut faults, file);
        let text = record.text.as_deref().unwrap_or_default();
        let outcome = self.judge(&faults);
        let number = document.number();
        // The wire form of a document that breaks a rule may lack what is wrong with it, and so look like a good one's.
        let digest = || if outcome == Outcome::Invalid { digest_of_text(text) } else { self.fragment.digest() };
        let key = || seen::Key::new(document.kind(), self.submit.owner(&document), number);
        let identity = (!number.is_empty()).then(|| (key(), digest()));
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
            plan: None,
            amount,
        };
        Ok(Prepared { item, identity, memory })
    }

    /// Compares a document that breaks no rule with what the vendor has of it, or may have.
    fn remember(
        &mut self,
        document: &Document<'_>,
        faults: &mut Vec<Fault>,
        recall: Option<&mut dyn Recall>,
    ) -> Result<Option<Memory>, Error> {
        let Some(recall) = recall.filter(|_| !document.number().is_empty()) else { return Ok(None) };
        let trace = self.submit.trace(document);
        let key =
            Key { kind: document.kind(), owner: self.submit.owner(document).to_owned(), number: document.number().to_owned() };
        let (known, last_revision) = recall.recall(&key)?;
        let forgot_at = recall.forgot_at().filter(|at| may_be_forgotten(document, &known, &self.fragment, *at));
        if let Some(at) = forgot_at {
            faults.push(forgotten(at));
            self.findings.guards += 1;
        }
        let digest = (self.judge(faults) != Outcome::Invalid).then(|| self.fragment.sha256());
        // The same content undoes nothing.
        for version in Known(&known).all_at_vendor().filter(|version| digest.is_some_and(|digest| digest != version.digest)) {
            self.submit.compare(document, &version.memo, &mut self.findings);
        }
        let mut more = std::mem::take(&mut self.findings.faults);
        apply_levels(self.levels, &mut more);
        for fault in more {
            if !faults.contains(&fault) {
                faults.push(fault);
            }
        }
        Ok(Some(Memory { key, trace, digest, known, last_revision }))
    }

    /// Applies every rule to a document and writes its wire form.
    fn check(&mut self, document: &Document<'_>) -> Vec<Fault> {
        self.findings.guards = 0;
        self.findings.amount = None;
        self.fragment.clear();
        model::check(document, &mut self.findings.faults);
        self.submit.encode(document, &self.context, &mut self.fragment, &mut self.findings);
        let mut faults = std::mem::take(&mut self.findings.faults);
        if ErrorCount::default().is_full(&faults) {
            let message = format!("there are more than {MOST_FAULTS} faults; the others are not listed");
            faults.push(Fault::error("DOC-MANY", Path::ROOT, message));
        }
        apply_levels(self.levels, &mut faults);
        faults
    }

    /// A document whose text was refused. The rules are applied to what is left of it: a person who mends the text
    /// should not have to come back for the rest.
    fn refuse(
        &mut self,
        mut unreadable: Unreadable<'_>,
        record: &Record<'_>,
        file: &str,
        recall: Option<&mut dyn Recall>,
    ) -> Result<Prepared, Error> {
        let (line, text) = (record.line, record.text.as_deref().unwrap_or_default());
        let mut owner = String::new();
        if let Some(rest) = unreadable.rest.take() {
            self.submit.owner(&rest).clone_into(&mut owner);
            let more: Vec<Fault> = self.check(&rest).into_iter().filter(|fault| !unreadable.has_refused(&fault.path)).collect();
            unreadable.faults.extend(more);
        }
        let Unreadable { kind, number, mut faults, .. } = unreadable;
        record.place(&mut faults, file);
        let source = Some(source(file, line));
        let named = kind.zip(number.as_deref());
        let identity = named.map(|(kind, number)| (seen::Key::new(kind, &owner, number), digest_of_text(text)));
        let key = kind.zip(number.clone()).map(|(kind, number)| Key { kind, owner, number });
        let memory = match (key, recall) {
            (Some(key), Some(recall)) => {
                let (known, last_revision) = recall.recall(&key)?;
                Some(Memory { key, trace: Trace::default(), digest: None, known, last_revision })
            }
            _ => None,
        };
        let item = Item { kind, number, outcome: Outcome::Invalid, reference: None, faults, source, plan: None, amount: None };
        Ok(Prepared { item, identity, memory })
    }

    /// A guard holds a document only when nothing else is wrong with it.
    fn judge(&self, faults: &[Fault]) -> Outcome {
        match faults.iter().filter(|fault| fault.is_error()).count() {
            0 => Outcome::Planned,
            errors if errors <= self.findings.guards => Outcome::Held,
            _ => Outcome::Invalid,
        }
    }

    /// What is to be said of all documents together.
    pub(super) fn conclude(&self, summary: &mut Summary) {
        summary.not_carried = self.not_carried();
        let unchecked = self.findings.unchecked_payees;
        if unchecked > 0 {
            summary.note(format!(
                "known_payees is not set, so {unchecked} payee ids were not checked; a run holds payees that are not known"
            ));
        }
    }

    /// How often fields stood in documents that the target has no place for.
    fn not_carried(&self) -> BTreeMap<String, u64> {
        self.findings.not_carried.iter().map(|(path, count)| ((*path).to_owned(), *count)).collect()
    }
}

/// Whether a document may have been sent before then and been forgotten. Who issued it is a day ahead of us at most.
fn may_be_forgotten(document: &Document<'_>, known: &[Version], fragment: &Fragment, at: Millis) -> bool {
    let last = Timestamp::from_millisecond(at).map(|at| Offset::UTC.to_datetime(at).date().saturating_add(1.day()));
    let is_old = document.issue_date().is_none_or(|date| last.is_ok_and(|last| date.day <= last));
    let digest = fragment.sha256();
    // What was sent since is known, and so is of this very content what is there, or what a person has said of it since. That
    // another content of the number is not there says nothing of this one.
    let is_known = |version: &Version| {
        let standing = &version.standing;
        let is_same = version.digest == digest && standing.first_armed_at != 0;
        standing.first_armed_at > at || is_same && (standing.may_be_there() || standing.changed_at >= at)
    };
    is_old && !known.iter().any(is_known)
}

fn forgotten(at: Millis) -> Fault {
    let day = Timestamp::from_millisecond(at).unwrap_or_default().strftime("%Y-%m-%d").to_string();
    let message = format!(
        "the journal was put back from an older copy, which was accepted on {day}, and knows nothing of this document, which is not \
         dated after that; it may have been sent before. Look whether the vendor has it, and release it when it is not there"
    );
    Fault::error("DOC-FORGOTTEN", Path::ROOT.field("number"), message)
}

fn source(file: &str, line: u64) -> Source {
    Source { file: Some(file.to_owned().into()), line: Some(line), ..Source::default() }
}

/// The digest of a document that has no wire form: no other document has the same but a copy of it.
fn digest_of_text(text: &str) -> u64 {
    xxhash_rust::xxh3::xxh3_64_with_seed(text.as_bytes(), 1)
}

/// Holds a document whose number another document of the run has too, with other content.
pub(super) fn hold_contradiction(item: &mut Item) {
    let number = item.number.clone().unwrap_or_default();
    let message = format!("{number:?} stands in this run more than once, with different content; keep the version that is right");
    let mut fault = Fault::error("DOC-DUPLICATE", Path::ROOT.field("number"), message).found(&number);
    if let Some(source) = &item.source {
        let raw = fault.source.take().and_then(|source| source.raw);
        fault.source = Some(Source { raw, ..source.clone() });
    }
    item.outcome = Outcome::Held;
    item.faults.push(fault);
}

/// Holds a document whose number the vendor has, or may have, with other content, and takes once.
#[cfg_attr(not(feature = "net"), expect(dead_code, reason = "only a run remembers"))]
pub(super) fn hold_changed(item: &mut Item, other: &Version) {
    let number = item.number.clone().unwrap_or_default();
    let state = other.standing.state.word();
    // What is open has to be settled first: the vendor may have it.
    let way = if other.standing.state.is_open() {
        "If the vendor does not have the earlier one, say so with payables resolve --absent, and give this one again"
    } else {
        "If this one is to go nevertheless, release it"
    };
    let message = format!(
        "{number:?} was sent before with other content (it is {}), and the vendor takes a number once; give the document a number of \
         its own. {way}",
        state.replace('_', " ")
    );
    let mut fault = Fault::error("DOC-CHANGED", Path::ROOT.field("number"), message).found(&number);
    if let Some(source) = &item.source {
        let raw = fault.source.take().and_then(|source| source.raw);
        fault.source = Some(Source { raw, ..source.clone() });
    }
    item.outcome = Outcome::Held;
    item.faults.push(fault);
}

fn empty_input(name: &str) -> String {
    format!("{name} has no byte in it; if that is right, say --allow-empty")
}

/// Looks at all inputs before anything is read: one without a byte is the sign of an export that failed.
pub(super) fn find_empty(inputs: &mut [Input<'_>], allow_empty: bool, summary: &mut Summary) -> Result<Option<String>, Error> {
    let mut fuse = None;
    for input in inputs.iter_mut().filter(|_| !allow_empty) {
        if input.is_empty().map_err(|source| Error::read(&input.name, source))? {
            let why = empty_input(&input.name);
            summary.note(why.clone());
            summary.end_with(Exit::Nothing);
            fuse.get_or_insert(why);
        }
    }
    Ok(fuse)
}

/// Holds a document because a fuse has blown.
pub(super) fn hold_by_fuse(item: &mut Item, why: &str) {
    let mut fault = Fault::error("DOC-EMPTY", Path::ROOT, format!("held, because {why}"));
    fault.source.clone_from(&item.source);
    item.outcome = Outcome::Held;
    item.faults.push(fault);
}
