//! What an earlier run left behind when it died: calls without an outcome are judged from what was kept of them, and where
//! nothing was kept their documents are in doubt.

use super::Error;
use super::evidence;
use super::line::{Line, decode};
use crate::engine::record::{Move, Ruling, ScopeId, Version};
use crate::engine::settle::{Fate, settle};
use crate::engine::state::{Event, Millis, Rules, State, step};
use crate::journal::{Journal, OpenCall, Settle};
use crate::report::Summary;
use crate::wire::SendError;

/// Settles every call that has no outcome.
pub(super) fn recover(
    line: &Line,
    (journal, scope, run): (&mut dyn Journal, ScopeId, i64),
    rules: Rules,
    now: Millis,
    summary: &mut Summary,
) -> Result<(), Error> {
    let (mut calls, mut doubtful) = (0_u64, 0_u64);
    for call in journal.unsettled(scope)? {
        let mut settle = judge(line, &call, run, rules, now);
        calls += 1;
        for ruling in settle.rulings.iter_mut().filter(|ruling| matches!(ruling.to.to.state, State::Accepted | State::Rejected)) {
            let Some((_, version)) = call.members.iter().find(|(_, version)| version.id == ruling.to.version) else { continue };
            if ruling.to.to.state == State::Rejected && !version.standing.doubtful {
                continue;
            }
            let (known, _) = journal.known(scope, &version.key)?;
            let is_before = |other: &&Version| other.standing.state == State::Accepted && other.id != version.id;
            ruling.superseded = known.iter().find(is_before).map(|other| other.id);
        }
        doubtful += settle.rulings.iter().filter(|ruling| ruling.to.to.state == State::InDoubt).count() as u64;
        journal.settle(&settle)?;
    }
    if calls > 0 {
        tracing::warn!(calls, doubtful, "an earlier run broke off");
        summary.note(format!(
            "an earlier run broke off in the middle of calls ({calls}); documents that may have been received: {doubtful}"
        ));
    }
    Ok(())
}

fn judge(line: &Line, call: &OpenCall, run: i64, rules: Rules, now: Millis) -> Settle {
    let numbers: Vec<&str> = call.numbers.iter().map(String::as_str).collect();
    let (at, result) = match &call.evidence {
        Some(kept) => (kept.at, evidence::result(kept).map(|response| decode(line, &numbers, &response))),
        None => {
            // A process that died may have had its request on the wire for as long as a call may take.
            let latest = call.armed_at + line.longest_call();
            (latest.min(now), Err(SendError::MaybeSent("the run that sent it broke off before an answer was stored".to_owned())))
        }
    };
    let fates = settle(numbers.len(), result).fates;
    let rulings = call.members.iter().filter_map(|(place, version)| {
        let event = match fates.get(*place)? {
            Fate::Accepted => Event::Accept,
            Fate::Submitted(reference) => Event::Submit { reference: reference.clone(), ask_after: 0 },
            Fate::Rejected(fault) => Event::Reject(fault.clone()),
            Fate::Doubt(fault) => Event::Doubt(fault.clone()),
            Fate::NotSent(_) | Fate::Split => Event::NotSent,
        };
        let to = step(&version.standing, event, at, rules).ok()?;
        Some(Ruling { to: Move::new(version, to), superseded: None, item: None })
    });
    Settle { call: call.id, run, rulings: rulings.collect() }
}
