//! The part of the oracle that compares books: calls with intents, reports with journal.

use std::collections::BTreeSet;

use payables_bridge::engine::record::CallId;
use payables_bridge::journal::{EvidenceKind, Journal as _};
use payables_bridge::outcome::Outcome;

use super::night::Case;
use super::oracle::{Books, count, kind_of};
use super::world::Sent;

/// O8. Each call on the wire goes with one intent, of the same process and contents, stored before it; and what the journal
/// says of whether it left is true.
pub(super) fn every_call_was_intended(case: &Case, books: &Books, wrong: &mut Vec<String>) {
    let mut is_used = vec![false; case.sent.len()];
    for (place, armed) in case.armed.iter().enumerate() {
        let fits = |(call, sent): (usize, &Sent)| {
            !is_used[call] && sent.process == armed.process && sent.contents == armed.contents && sent.at >= armed.at
        };
        let call = case.sent.iter().enumerate().position(fits);
        let evidence = kinds(books, armed.call);
        if let Some(call) = call {
            is_used[call] = true;
            let wrote = case.sent[call].wrote;
            let says_not_sent = evidence == Some(EvidenceKind::NotSent);
            if evidence.is_some() && says_not_sent == wrote {
                wrong.push(format!("O8: the journal says {evidence:?} of call {}, and whether it left is {wrote}", armed.call));
            }
        } else if is_finished(case, armed.process) {
            wrong.push(format!("O8: intent {place} of process {} led to no call", armed.process));
        }
        if evidence.is_none() && is_finished(case, armed.process) {
            wrong.push(format!("O8: nothing was kept of call {} of process {}", armed.call, armed.process));
        }
    }
    for (sent, _) in case.sent.iter().zip(&is_used).filter(|(sent, is_used)| !sent.contents.is_empty() && !**is_used) {
        wrong.push(format!("O8: process {} made a call that nobody meant to", sent.process));
    }
    let known: BTreeSet<CallId> = books.versions.iter().flat_map(|(_, attempts)| attempts).map(|attempt| attempt.call).collect();
    if known.len() != case.armed.len() {
        wrong.push(format!("O8: the journal has {} calls, and {} were meant", known.len(), case.armed.len()));
    }
}

/// What the journal says of a call.
fn kinds(books: &Books, call: CallId) -> Option<EvidenceKind> {
    let mut attempts = books.versions.iter().flat_map(|(_, attempts)| attempts);
    attempts.find(|attempt| attempt.call == call).and_then(kind_of)
}

fn is_finished(case: &Case, process: u32) -> bool {
    case.ended.iter().any(|ended| ended.process == process && ended.summary.is_some())
}

/// O10. A report counts what was told, and the journal has what was told.
pub(super) fn reports_add_up(case: &Case, wrong: &mut Vec<String>) {
    for ended in &case.ended {
        let (Some(summary), Some(run)) = (&ended.summary, ended.run) else { continue };
        let again = count(ended);
        let process = ended.process;
        if (summary.documents, &summary.outcomes) != (again.documents, &again.outcomes) || summary.amounts != again.amounts {
            wrong.push(format!("O10: process {process} told {:?} and reports {:?}", again.outcomes, summary.outcomes));
        }
        let calls = case.sent.iter().filter(|sent| sent.process == process && !sent.is_login);
        let left = calls.filter(|sent| sent.wrote || sent.contents.is_empty()).count() as u64;
        if summary.requests != left {
            wrong.push(format!("O10: process {process} made {left} requests and reports {}", summary.requests));
        }
        let (stored, record) = case.store.with(|memory| {
            let record = memory.runs(usize::MAX).unwrap().into_iter().find(|record| record.id == run);
            (memory.items(run, 0, usize::MAX).unwrap(), record)
        });
        let key = |item: &payables_bridge::report::Item| format!("{:?}", item);
        let mut stored: Vec<String> = stored.iter().map(key).collect();
        let mut told: Vec<String> = ended.items.iter().filter(|item| item.outcome != Outcome::Unchanged).map(key).collect();
        stored.sort();
        told.sort();
        if stored != told {
            let lost = told.iter().find(|item| !stored.contains(item));
            let more = stored.iter().find(|item| !told.contains(item));
            wrong.push(format!(
                "O10: the journal has {} items of process {process}, which told {}; only told: {lost:?}, only stored: {more:?}",
                stored.len(),
                told.len()
            ));
        }
        let text = serde_json::to_string(summary).unwrap();
        if record.and_then(|record| record.summary).as_deref() != Some(text.as_str()) {
            wrong.push(format!("O10: the journal has another summary of process {process}"));
        }
    }
    // What a run told as accepted, the vendor has done.
    for item in case.ended.iter().flat_map(|ended| &ended.items).filter(|item| item.outcome == Outcome::Accepted) {
        let number = item.number.as_deref().unwrap_or_default();
        if !case.ledger.effects.iter().any(|effect| effect.number == number) {
            wrong.push(format!("O10: {number} was told as accepted, and the vendor never did anything of it"));
        }
    }
}
