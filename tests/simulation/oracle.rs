//! The oracle: what must be true after a night, whatever happened in it. It knows what the vendor did; the bridge does not.
//!
//! O1 to O6 and O8 to O11; O7 is for vendors with idempotency tokens, of which there are none yet.

use std::collections::BTreeMap;

use payables_bridge::engine::record::{CallId, Digest, Version};
use payables_bridge::engine::state::State;
use payables_bridge::journal::{Attempt, EvidenceKind, Journal as _, Memory};
use payables_bridge::outcome::Outcome;
use payables_bridge::report::{Item, Summary};

use super::adapters::CANARY;
use super::ledger::{Effect, Word};
use super::night::{Case, Ended};
use super::world::Millis;

/// How far a clock may be off.
const MOST_SKEW: Millis = 4 * 3_600_000;
/// A run ends so long after its deadline at the latest: what is on its way is waited for, then verdicts.
const GRACE: Millis = 200_000;

/// The versions of a night, with their attempts.
pub(super) struct Books {
    pub(super) versions: Vec<(Version, Vec<Attempt>)>,
}

impl Books {
    pub(super) fn read(memory: &mut Memory) -> Self {
        let mut versions = Vec::new();
        for (scope, _) in memory.scopes().unwrap() {
            for state in State::ALL {
                versions.extend(memory.list(scope, state, 0, usize::MAX).unwrap());
            }
        }
        versions.sort_by_key(|version| version.id);
        let with_attempts = |version: Version| {
            let attempts = memory.attempts(version.id).unwrap();
            (version, attempts)
        };
        Self { versions: versions.into_iter().map(with_attempts).collect() }
    }
}

/// All that is wrong.
pub(super) fn judge(case: &Case) -> Vec<String> {
    let books = case.store.with(Books::read);
    judge_books(case, &books)
}

/// All that is wrong, given what the journal says.
pub(super) fn judge_books(case: &Case, books: &Books) -> Vec<String> {
    let mut wrong = Vec::new();
    every_document_ends(case, books, &mut wrong);
    nothing_is_done_twice(case, &mut wrong);
    what_is_said_is_true(case, books, &mut wrong);
    every_effect_was_intended(case, books, &mut wrong);
    the_newest_is_there(case, books, &mut wrong);
    super::audit::every_call_was_intended(case, books, &mut wrong);
    no_secret_is_kept(case, books, &mut wrong);
    super::audit::reports_add_up(case, &mut wrong);
    in_time(case, &mut wrong);
    wrong
}

/// O1.
fn every_document_ends(case: &Case, books: &Books, wrong: &mut Vec<String>) {
    let last = case.ended.iter().rfind(|ended| ended.pile.is_some() && ended.summary.is_some());
    for (version, _) in &books.versions {
        let (state, number) = (version.standing.state, version.key.number.as_str());
        let is_listed = |item: &Item| item.number.as_deref() == Some(number) && item.outcome == Outcome::InDoubt;
        let may_stay = match state {
            State::Presumed | State::Held => true,
            State::InDoubt => last.is_some_and(|last| last.items.iter().any(is_listed)),
            state => state.is_over(),
        };
        if !may_stay {
            wrong.push(format!("O1: {number} revision {} is still {}", version.revision, state.word()));
        }
    }
    // Where two are at work on one journal, either may bring a document to its end, and each reports what it did itself.
    for ended in case.ended.iter().filter(|ended| (ended.summary.is_some() || ended.error.is_some()) && !ended.has_company) {
        let Some(pile) = &ended.pile else { continue };
        for line in 1..=pile.lines.len() as u64 {
            let is_of_it = |item: &&Item| {
                let source = item.source.as_ref();
                source.is_some_and(|source| source.file.as_deref() == Some(pile.name.as_str()) && source.line == Some(line))
            };
            let items: Vec<&str> = ended.items.iter().filter(is_of_it).map(|item| item.outcome.word()).collect();
            // A run whose journal failed before its input was read has nothing to tell.
            let is_unread = ended.error.is_some() && ended.items.is_empty();
            if items.len() != 1 && !is_unread {
                wrong.push(format!("O1: process {}: line {line} of {} came back as {items:?}", ended.process, pile.name));
            }
        }
    }
}

fn notes(case: &Case) -> impl Iterator<Item = &String> {
    case.ended.iter().filter_map(|ended| ended.summary.as_ref()).flat_map(|summary| &summary.notes)
}

/// O2. A number is done once. It may be done again when the bridge could know that the vendor had refused it.
fn nothing_is_done_twice(case: &Case, wrong: &mut Vec<String>) {
    if !case.knobs.is_once {
        return;
    }
    let mut earlier: BTreeMap<&str, Vec<&Effect>> = BTreeMap::new();
    for effect in case.ledger.effects.iter().filter(|effect| !effect.is_copy) {
        let earlier = earlier.entry(&effect.number).or_default();
        let may_stand = |other: &&&Effect| other.word != Word::No || other.word_at > effect.at;
        let is_told = || notes(case).any(|note| note.starts_with(&format!("{} was taken twice", effect.number)));
        if let Some(other) = earlier.iter().find(may_stand)
            && !is_told()
        {
            wrong.push(format!("O2: {} was done as {} and as {}", effect.number, other.reference, effect.reference));
        }
        earlier.push(effect);
    }
}

/// O3 and O4.
fn what_is_said_is_true(case: &Case, books: &Books, wrong: &mut Vec<String>) {
    for (version, _) in &books.versions {
        let (number, standing) = (&version.key.number, &version.standing);
        let of_it = |effect: &&Effect| effect.number == *number && effect.content == version.digest;
        let mut effects = case.ledger.effects.iter().filter(of_it);
        let is_true = match standing.state {
            State::Accepted => effects.any(|effect| effect.word == Word::Yes),
            State::Presumed => {
                effects.any(|effect| effect.word != Word::No && Some(&effect.reference) == standing.reference.as_ref())
            }
            State::Submitted => effects.any(|effect| Some(&effect.reference) == standing.reference.as_ref()),
            State::Rejected => effects.all(|effect| effect.word == Word::No),
            _ => true,
        };
        if !is_true {
            let check = if standing.state == State::Rejected { "O4" } else { "O3" };
            wrong.push(format!("{check}: {number} revision {} is not {}", version.revision, standing.state.word()));
        }
    }
}

/// O5.
fn every_effect_was_intended(case: &Case, books: &Books, wrong: &mut Vec<String>) {
    let mut done: BTreeMap<(&str, Digest), usize> = BTreeMap::new();
    for effect in &case.ledger.effects {
        let attempts = || {
            let of_it = |version: &Version| version.key.number == effect.number && version.digest == effect.content;
            books.versions.iter().filter(move |(version, _)| of_it(version)).flat_map(|(_, attempts)| attempts)
        };
        if !attempts().any(|attempt| attempt.armed_at <= effect.at + MOST_SKEW) {
            wrong.push(format!("O5: {} was done as {}, and nobody meant to", effect.number, effect.reference));
        }
        let is_armed_before = |armed: &super::world::Armed| armed.at <= effect.at && armed.contents.contains(&effect.content);
        if !case.armed.iter().any(is_armed_before) {
            wrong.push(format!("O5: {} was done as {} before its intent was stored", effect.number, effect.reference));
        }
        if !effect.is_copy {
            let count = done.entry((&effect.number, effect.content)).or_default();
            *count += 1;
            if *count > attempts().count() {
                wrong.push(format!("O5: {} was done more often than it was meant to", effect.number));
            }
        }
    }
}

/// O6.
fn the_newest_is_there(case: &Case, books: &Books, wrong: &mut Vec<String>) {
    if case.knobs.is_once {
        return;
    }
    let mut newest: BTreeMap<&str, &Version> = BTreeMap::new();
    for (version, _) in books.versions.iter().filter(|(version, _)| version.standing.state == State::Accepted) {
        let newest = newest.entry(&version.key.number).or_insert(version);
        if version.revision >= newest.revision {
            *newest = version;
        }
    }
    for (number, version) in newest {
        // What nobody could know of may have come last: nobody can be blamed for it. But a person may have seen it there.
        let unheard_of = case.ledger.standing(number).take_while(|effect| case.ledger.is_unheard_of(effect)).count();
        let mut present = case.ledger.standing(number).take(unheard_of + 1);
        if !present.any(|effect| effect.content == version.digest) {
            let has = case.ledger.standing(number).nth(unheard_of).map_or("nothing", |effect| effect.reference.as_str());
            wrong.push(format!("O6: the vendor has {has} of {number}, and not the accepted revision {}", version.revision));
        }
    }
}

/// O9.
fn no_secret_is_kept(case: &Case, books: &Books, wrong: &mut Vec<String>) {
    let mut look = |what: String, bytes: &[u8]| {
        if bytes.windows(CANARY.len()).any(|window| window == CANARY.as_bytes()) {
            wrong.push(format!("O9: a key stands in {what}"));
        }
    };
    for ended in &case.ended {
        for item in &ended.items {
            look(format!("an item of process {}", ended.process), &serde_json::to_vec(item).unwrap());
        }
        if let Some(summary) = &ended.summary {
            look(format!("the summary of process {}", ended.process), &serde_json::to_vec(summary).unwrap());
        }
        look(format!("the error of process {}", ended.process), ended.error.as_deref().unwrap_or_default().as_bytes());
    }
    let mut seen: Vec<CallId> = Vec::new();
    for (version, attempts) in &books.versions {
        look(format!("version {}", version.id), format!("{:?} {:?}", version.standing, version.item).as_bytes());
        for attempt in attempts {
            if seen.contains(&attempt.call) {
                continue;
            }
            seen.push(attempt.call);
            for evidence in &attempt.evidence {
                look(format!("the evidence of call {}", attempt.call), &evidence.body);
                look(format!("the evidence of call {}", attempt.call), format!("{:?}", evidence.headers).as_bytes());
            }
        }
    }
    case.store.with(|memory| {
        for (version, _) in &books.versions {
            look(format!("the payload of version {}", version.id), &memory.payload(version.id).unwrap().unwrap_or_default());
        }
        for run in memory.runs(usize::MAX).unwrap() {
            look(format!("run {}", run.id), run.summary.unwrap_or_default().as_bytes());
            for item in memory.items(run.id, 0, usize::MAX).unwrap() {
                look(format!("an item of run {}", run.id), &serde_json::to_vec(&item).unwrap());
            }
        }
    });
}

/// O11.
fn in_time(case: &Case, wrong: &mut Vec<String>) {
    let deadline = Millis::try_from((case.knobs.deadline + case.knobs.wait).as_millis()).unwrap();
    for ended in &case.ended {
        if ended.ended - ended.began > deadline + GRACE + ended.paused {
            wrong.push(format!("O11: process {} took {} s", ended.process, (ended.ended - ended.began) / 1000));
        }
        let is_call = |sent: &&super::world::Sent| sent.process == ended.process && sent.wrote && !sent.contents.is_empty();
        let calls = case.sent.iter().filter(is_call);
        let times: Vec<Millis> = calls.map(|sent| sent.at).collect();
        let (per_second, burst) = case.knobs.pace;
        let most = usize::try_from(per_second + burst).unwrap();
        if per_second > 0 && times.windows(most + 1).any(|calls| calls[most] - calls[0] < 1000) {
            wrong.push(format!("O11: process {} made more than {most} calls in a second", ended.process));
        }
    }
}

/// What kind of end a call had, as the journal has it.
pub(super) fn kind_of(attempt: &Attempt) -> Option<EvidenceKind> {
    attempt.evidence.last().map(|evidence| evidence.kind)
}

/// A summary made again from the items.
pub(super) fn count(ended: &Ended) -> Summary {
    let mut summary = Summary::default();
    for item in &ended.items {
        summary.count(item);
    }
    summary
}
