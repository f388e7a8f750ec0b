//! Reads all inputs and says of every document what is to become of it, before anything is stored or sent.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Error;
use super::prepare::{Prepared, Preparer, Recall, find_empty, hold_by_fuse, hold_changed, hold_contradiction};
use super::seen::{Seen, Sighting};
use super::spool::{Drain, Entry, Role, Spool};
use crate::adapter::{Context, Payees, Submit};
use crate::engine::plan::{Decision, Known, plan};
use crate::engine::record::{Key, ScopeId, Version, VersionId};
use crate::engine::state::{Millis, Rules};
use crate::intake::Input;
use crate::journal::{ACCEPT_ROLLBACK, Journal};
use crate::model::{Fault, Severity};
use crate::outcome::Outcome;
use crate::report::{Item, Summary};
use crate::rules::Levels;

/// What may stop a document, or all of them, before anything is sent.
#[derive(Debug, Clone, Default)]
pub(super) struct Guards {
    pub(super) payees: Payees,
    pub(super) levels: Levels,
    pub(super) allow_empty: bool,
}

/// All documents of a run, read and judged.
pub(super) struct Survey {
    drain: Drain,
    seen: Seen,
    /// Why nothing of it may be sent.
    pub(super) fuse: Option<String>,
}

/// Asks the journal about numbers.
struct FromJournal<'j> {
    journal: &'j mut dyn Journal,
    scope: ScopeId,
    /// When a person last took it as it is although it was put back from an older copy, where that makes a difference.
    forgot_at: Option<Millis>,
}

impl FromJournal<'_> {
    fn new<'j>(journal: &'j mut dyn Journal, scope: ScopeId, rules: Rules) -> Result<FromJournal<'j>, Error> {
        // To send once more what was sent and forgotten does no harm where calls may be repeated.
        let acts = if rules.repeatable { Vec::new() } else { journal.acts(0)? };
        let forgot_at = acts.iter().filter(|act| act.verb == ACCEPT_ROLLBACK).map(|act| act.at).max();
        Ok(FromJournal { journal, scope, forgot_at })
    }
}

impl Recall for FromJournal<'_> {
    fn forgot_at(&self) -> Option<Millis> {
        self.forgot_at
    }

    fn recall(&mut self, key: &Key) -> Result<(Vec<Version>, u32), Error> {
        Ok(self.journal.known(self.scope, key)?)
    }
}

/// Reads all inputs.
pub(super) fn survey(
    (submit, unix_seconds): (&dyn Submit, u64),
    guards: &Guards,
    rules: Rules,
    (journal, scope): (&mut dyn Journal, ScopeId),
    mut inputs: Vec<Input<'_>>,
    summary: &mut Summary,
) -> Result<Survey, Error> {
    let mut payees = guards.payees.clone();
    if let Payees::Listed(listed) = &mut payees {
        // Whoever an earlier order was accepted for is known.
        listed.extend(journal.payees(scope)?);
    }
    let mut spool = Spool::new().map_err(Error::Spool)?;
    let mut seen = Seen::default();
    let context = Context { payees: &payees, unix_seconds };
    let mut preparer = Preparer::new(submit, context, &guards.levels);
    let fuse = find_empty(&mut inputs, guards.allow_empty, summary)?;
    let mut recall = FromJournal::new(journal, scope, rules)?;
    for input in inputs {
        let name = Arc::clone(&input.name);
        let mut records = input.documents();
        while let Some(record) = records.next().map_err(|source| Error::read(&name, source))? {
            let prepared = preparer.prepare(record, &name, Some(&mut recall))?;
            let sighting = prepared.identity.map(|(key, digest)| (key, seen.note(key, digest) != Sighting::First));
            let entry = decide(prepared, sighting, rules);
            let is_new = matches!(entry.role, Role::New { .. });
            let payload = if is_new { preparer.fragment.bytes.as_slice() } else { &[] };
            spool.push(&entry, payload).map_err(Error::Spool)?;
        }
    }
    preparer.conclude(summary);
    Ok(Survey { drain: spool.read().map_err(Error::Spool)?, seen, fuse })
}

/// What is to become of a document, as far as it alone decides.
fn decide(prepared: Prepared, seen: Option<(super::seen::Key, bool)>, rules: Rules) -> Entry {
    let Prepared { mut item, memory, .. } = prepared;
    let mut entry = Entry { seen, ..Entry::of(item.clone()) };
    let Some(memory) = memory else { return entry };
    let known = Known(&memory.known);
    entry.waiting = known.waiting().map(|version| version.id).collect();
    if let Some(digest) = memory.digest {
        let guarded = item.outcome == Outcome::Held;
        let decision = plan(&digest, guarded, known, rules);
        let same = known.waiting().find(|version| version.digest == digest);
        let new = |not_before| Role::New { revision: memory.last_revision + 1, not_before };
        entry.role = match decision {
            Decision::Unchanged(version) => {
                settle_item(&mut item, Outcome::Unchanged, version);
                Role::Over
            }
            Decision::InDoubt(version) => {
                settle_item(&mut item, Outcome::InDoubt, version);
                Role::Over
            }
            Decision::StaysRejected(version) => {
                settle_item(&mut item, Outcome::Rejected, version);
                Role::Over
            }
            Decision::Carry(version) => {
                let_go(&mut item);
                Role::Carry(version.id)
            }
            Decision::Hold(version) => Role::Hold(version.id),
            Decision::New(not_before) => new(not_before),
            Decision::NewHeld => new(0),
            Decision::Contradicts(other) => {
                hold_changed(&mut item, other);
                same.map_or_else(|| new(0), |version| Role::Hold(version.id))
            }
        };
        if let Role::New { .. } = entry.role {
            entry.replaced = known.replaced_by(&digest).map(|version| version.id).collect();
            entry.payee = memory.trace.payee;
            entry.memo = memory.trace.memo;
            entry.digest = digest;
        }
    }
    if !matches!(entry.role, Role::New { .. }) {
        // Whatever else waits for its number is not what is wanted any more, also when this one cannot be sent.
        let stays = |id: &VersionId| matches!(entry.role, Role::Carry(kept) | Role::Hold(kept) if kept == *id);
        // What was refused before is not to be tried again either, where this one is known to be what is wanted.
        let refused = memory.digest.iter().flat_map(|digest| known.replaced_by(digest)).map(|version| version.id);
        let replaced: BTreeSet<VersionId> = entry.waiting.iter().copied().chain(refused).filter(|id| !stays(id)).collect();
        entry.replaced = replaced.into_iter().collect();
    }
    entry.key = Some(memory.key);
    entry.item = item;
    entry
}

/// The item of a document whose end an earlier run has brought.
fn settle_item(item: &mut Item, outcome: Outcome, version: &Version) {
    let_go(item);
    item.outcome = outcome;
    item.reference.clone_from(&version.standing.reference);
    if let (Some(fault), true) = (&version.standing.fault, outcome.needs_attention()) {
        item.faults.push(Fault { source: item.source.clone(), ..fault.clone() });
    }
}

/// A document that a guard would stop goes nevertheless: what the guard had to say becomes a warning.
fn let_go(item: &mut Item) {
    item.outcome = Outcome::Planned;
    for fault in &mut item.faults {
        fault.severity = Severity::Warning;
    }
}

impl Survey {
    /// Begins anew with the first document.
    pub(super) fn rewind(&mut self) -> Result<(), Error> {
        self.drain.rewind().map_err(Error::Spool)
    }

    /// The next document, with what the others of the run mean for it: two with one number and other content are both held,
    /// and of two that are the same one goes.
    pub(super) fn next(&mut self) -> Result<Option<Entry>, Error> {
        let Some(mut entry) = self.drain.next().map_err(Error::Spool)? else { return Ok(None) };
        let goes = entry.item.outcome == Outcome::Planned;
        let contested = entry.seen.is_some_and(|(key, _)| self.seen.is_contradictory(key));
        let repeated = entry.seen.is_some_and(|(_, repeated)| repeated);
        match &self.fuse {
            Some(why) if entry.item.outcome != Outcome::Invalid => {
                // What is there already, or in doubt, or held for a reason of its own, stays so.
                if goes {
                    hold_by_fuse(&mut entry.item, why);
                }
                (entry.role, entry.replaced, entry.waiting) = (Role::Over, Vec::new(), Vec::new());
            }
            Some(_) => (entry.replaced, entry.waiting) = (Vec::new(), Vec::new()),
            None if contested => {
                if goes || entry.item.outcome == Outcome::Unchanged {
                    hold_contradiction(&mut entry.item);
                }
                (entry.role, entry.replaced) = (Role::Contested, Vec::new());
            }
            None if repeated => {
                if goes {
                    entry.item.outcome = Outcome::Unchanged;
                }
                (entry.role, entry.replaced, entry.waiting) = (Role::Over, Vec::new(), Vec::new());
            }
            None => {}
        }
        Ok(Some(entry))
    }
}
