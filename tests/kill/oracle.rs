//! What has to hold after a run that came to its end, whatever was killed before it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use payables_bridge::engine::state::State;
use payables_bridge::journal::{Journal as _, Sqlite};
use payables_bridge::outcome::Outcome;
use payables_bridge::sandbox::LedgerSnapshot;

use super::story::{BROKEN, MASTER_KEY, Story, Told, Wanted};

/// Looks at a report alone: each document of the input is in it once, and the code follows from what became of them.
/// Returns whether everything has come to the end that it should.
pub(super) fn report(story: &Story, wanted: &Wanted, told: &Told) -> bool {
    let name = &story.name;
    let lines: Vec<u64> = told.items.iter().filter_map(|item| item.source.as_ref()?.line).collect();
    let distinct: BTreeSet<u64> = lines.iter().copied().collect();
    let expected: BTreeSet<u64> = (1..=wanted.len() as u64 + 1).collect();
    assert!(distinct == expected && lines.len() == distinct.len(), "{name}: the lines {lines:?} are told: {told:#?}");
    assert_eq!(told.items.len(), lines.len(), "{name}: documents of no line are told");
    let has = |outcome| told.items.iter().any(|item| item.outcome == outcome);
    let code = match () {
        () if has(Outcome::InDoubt) => 5,
        () if has(Outcome::NotSent) => 75,
        () if [Outcome::Invalid, Outcome::Held, Outcome::Rejected].into_iter().any(has) => 3,
        () => 0,
    };
    // A vendor that is given up for the day is told by the code as well, when anything was left because of it.
    assert!(told.exit == code || told.exit == 75 && !story.is_healthy(), "{name}: exit {} and not {code}", told.exit);
    let settled = |outcome, number: &str| match outcome {
        Outcome::Accepted | Outcome::Unchanged => number != BROKEN && !story.refuses(number),
        Outcome::Rejected => story.refuses(number),
        Outcome::Invalid => number == BROKEN,
        _ => false,
    };
    for item in &told.items {
        let (number, outcome) = (item.number.as_deref().unwrap_or_default(), item.outcome);
        // The second line of a number says `unchanged` whatever becomes of the first.
        let again = item.source.as_ref().and_then(|source| source.line) == Some(wanted.len() as u64 + 1);
        let open = matches!(outcome, Outcome::InDoubt | Outcome::NotSent);
        let is_right = settled(outcome, number) || again && outcome == Outcome::Unchanged || open && !story.is_healthy();
        assert!(is_right, "{name}: {number} is {outcome:?}: {:?}", item.faults);
        // What was told as accepted stays so, and is not in doubt or wrong a moment later.
        let remembered = wanted.get(number).is_some_and(|content| story.accepted.get(number) == Some(content));
        let is_kept = matches!(outcome, Outcome::Accepted | Outcome::Unchanged);
        assert!(!remembered || is_kept, "{name}: {number} was told as accepted, and is now {outcome:?}");
    }
    !has(Outcome::InDoubt) && !has(Outcome::NotSent)
}

/// Looks at the vendor's books, at the journal and at both together, after everything has come to its end.
pub(super) fn books(story: &Story, wanted: &Wanted) {
    let (name, ledger) = (&story.name, story.sandbox.ledger());
    let reference = story.reference(wanted);
    for (number, order) in &reference.orders {
        let there = ledger.orders.get(number).unwrap_or_else(|| panic!("{name}: the vendor does not have {number}"));
        let is_right = (&there.digest, there.lines) == (&order.digest, order.lines);
        assert!(is_right, "{name}: the vendor has another content of {number}, of {there:?}");
    }
    for number in ledger.orders.keys() {
        assert!(story.sent.contains(number), "{name}: nobody sent {number}");
        assert!(reference.orders.contains_key(number), "{name}: the vendor has {number}, which it cannot have");
    }
    assert_eq!(ledger.redirects_followed, 0, "{name}");
    journal(story, &ledger);
    let findings = Sqlite::check(&story.journal()).unwrap();
    assert!(findings.is_empty(), "{name}: the journal is not whole: {findings:?}");
    for file in fs::read_dir(story.folder.path()).unwrap() {
        let path = file.unwrap().path();
        let is_ours = path.file_name().is_some_and(|file| file.to_string_lossy().starts_with("payables.db"));
        let bytes = fs::read(&path).unwrap();
        let leaks = is_ours && bytes.windows(MASTER_KEY.len()).any(|window| window == MASTER_KEY.as_bytes());
        assert!(!leaks, "{name}: the master key is in {}", path.display());
    }
}

/// Every effect has an attempt in the journal that explains it, and no attempt is left open.
fn journal(story: &Story, ledger: &LedgerSnapshot) {
    let name = &story.name;
    let mut journal = Sqlite::read(&story.journal()).unwrap();
    let mut calls = BTreeSet::new();
    for number in &story.sent {
        let mut attempts = 0;
        for (_, version) in journal.find(number).unwrap() {
            for attempt in journal.attempts(version.id).unwrap() {
                assert!(attempt.outcome.is_some(), "{name}: an attempt of {number} is open: {attempt:?}");
                calls.insert(attempt.call);
                attempts += 1;
            }
        }
        let writes = ledger.orders.get(number).map_or(0, |order| order.writes);
        assert!(writes <= attempts, "{name}: {number} was written {writes} times, in {attempts} attempts");
    }
    assert!(ledger.calls <= calls.len() as u64, "{name}: {} calls came, and {} were armed", ledger.calls, calls.len());
    let states: BTreeMap<State, u64> = journal.tally().unwrap().into_iter().map(|tally| (tally.state, tally.count)).collect();
    assert!(states.keys().all(|state| state.is_over()), "{name}: {states:?}");
    let last = journal.runs(1).unwrap();
    assert!(last.iter().all(|run| run.ended_at.is_some()), "{name}: the last run has no end: {last:?}");
}

/// Looks at a further run of the same input: it sends nothing, but for what is refused and tried again.
pub(super) fn further(story: &Story, wanted: &Wanted, before: &LedgerSnapshot, told: &Told) {
    let (name, after) = (&story.name, story.sandbox.ledger());
    assert!(report(story, wanted, told), "{name}: a further run did not settle everything: {told:#?}");
    let refused = wanted.keys().any(|number| story.refuses(number));
    if !refused {
        assert_eq!((after.calls - before.calls, told.requests), (0, 0), "{name}: a further run sent something");
    }
    assert_eq!(after.orders, before.orders, "{name}: a further run changed the vendor's books");
    assert!(told.items.iter().all(|item| item.outcome != Outcome::Accepted), "{name}: a further run had something accepted");
}
