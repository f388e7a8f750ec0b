//! A run from the engine's point of view: what it asks for, when it begins something, and how it ends.

use std::time::Duration;

use payables_bridge::adapter::{Decoded, Doubt, Rest, Verdict};
use payables_bridge::engine::run::{Candidate, Event, Policy};
use payables_bridge::engine::state::State;
use payables_bridge::model::Source;
use payables_bridge::outcome::{Exit, Outcome};

use super::bench::{Bench, START, accepted, candidate, down, policy, silence, whole};
use super::{ONCE, UPSERT, fault, version};

#[test]
fn documents_go_in_calls_as_many_as_allowed_and_then_it_is_over() {
    let mut bench = Bench::new(policy(UPSERT), 5);
    assert_eq!(bench.sent.iter().map(|sent| sent.numbers.join(" ")).collect::<Vec<_>>(), ["PO-1 PO-2", "PO-3 PO-4"]);
    for call in [1, 2] {
        bench.on(Event::Returned { call, result: accepted(2) });
    }
    assert!(!bench.engine.is_over());
    bench.back(accepted(1));
    assert!(bench.engine.is_over());
    assert_eq!(bench.items.len(), 5);
    assert!(bench.outcomes().iter().all(|(_, outcome)| *outcome == Outcome::Accepted));
    assert_eq!(bench.exit(), None);
}

#[test]
fn a_run_of_nothing_is_over_at_once() {
    assert!(Bench::new(policy(UPSERT), 0).engine.is_over());
}

#[test]
fn the_pace_is_kept_before_the_intent_is_stored() {
    let mut bench = Bench::new(Policy { pace: (2, 1), concurrency: 9, ..policy(UPSERT) }, 8);
    while bench.sent.len() < 4 {
        bench.wake();
    }
    assert_eq!(bench.sent.iter().map(|sent| sent.at).collect::<Vec<_>>(), [0, 505, 1010, 1515]);
}

#[test]
fn an_interrupted_run_finishes_what_is_on_its_way_and_leaves_the_rest() {
    let mut bench = Bench::new(policy(UPSERT), 8);
    bench.on(Event::Returned { call: 1, result: silence() });
    bench.on(Event::Stop(Exit::Temporary, "the run was interrupted".to_owned()));
    for call in [2, 3] {
        assert!(!bench.engine.is_over());
        bench.on(Event::Returned { call, result: accepted(2) });
    }
    assert!(bench.engine.is_over());
    let of = |outcome| bench.items.iter().filter(|item| item.outcome == outcome).count();
    assert_eq!((of(Outcome::InDoubt), of(Outcome::Accepted), of(Outcome::NotSent)), (2, 4, 2));
    assert_eq!(bench.exit(), Some(Exit::Temporary));
    assert_eq!(bench.engine.wake_at(bench.time()), None);
}

#[test]
fn what_comes_back_after_an_interruption_is_told_when_it_is_stored_and_with_its_own_reason() {
    let mut bench = Bench::new(Policy { batch_size: 1, ..policy(UPSERT) }, 2);
    bench.on(Event::Stop(Exit::Temporary, "the run was interrupted".to_owned()));
    for (call, result) in [(1, silence()), (2, down())] {
        bench.on(Event::Returned { call, result });
        assert!(bench.rulings.last().unwrap().item.is_some());
    }
    assert_eq!(bench.outcomes(), [("PO-1", Outcome::InDoubt), ("PO-2", Outcome::NotSent)]);
    assert_eq!(bench.items[1].faults[0].message, "not sent: refused; the next run sends it");
}

#[test]
fn a_fault_is_told_at_the_place_of_its_document_with_what_stood_there() {
    let mut placed = candidate(1, State::Ready);
    let place = Source { file: Some("orders.json".into()), line: Some(3), ..Source::default() };
    placed.version.item.source = Some(place.clone());
    let mut bench = Bench::with(policy(UPSERT), vec![placed]);
    bench.back(whole(Rest::Refused(fault("NO").found("1.5"))));
    assert_eq!(bench.items[0].faults[0].source, Some(Source { raw: Some("1.5".to_owned()), ..place }));
}

#[test]
fn nothing_is_begun_when_the_time_is_almost_over() {
    let mut bench = Bench::new(Policy { batch_size: 1, concurrency: 1, ..policy(UPSERT) }, 3);
    bench.now = 14_100_000 - 1;
    bench.back(accepted(1));
    assert_eq!(bench.sent.len(), 2);
    bench.now = 14_100_000;
    bench.back(accepted(1));
    assert!(bench.engine.is_over());
    assert_eq!((bench.sent.len(), bench.exit()), (2, Some(Exit::Temporary)));
    // A short time has no five minutes to spare.
    let mut bench = Bench::new(Policy { batch_size: 1, concurrency: 1, deadline: Duration::from_secs(60), ..policy(UPSERT) }, 2);
    bench.now = 59_999;
    bench.back(accepted(1));
    assert_eq!(bench.sent.len(), 2);
    assert_eq!(bench.engine.wake_at(bench.time()), Some(60_000));
    for (seconds, end) in [(240, 240_000), (600, 600_000), (601, 301_000)] {
        let bench = Bench::new(Policy { concurrency: 1, deadline: Duration::from_secs(seconds), ..policy(UPSERT) }, 1);
        assert_eq!(bench.engine.wake_at(bench.time()), Some(end));
    }
}

#[test]
fn a_time_without_end_does_not_end() {
    let mut resting = candidate(1, State::Ready);
    resting.version.standing.not_before = START + 90_000;
    let mut bench = Bench::with(Policy { deadline: Duration::MAX, wait: Duration::MAX, ..policy(UPSERT) }, vec![resting]);
    assert_eq!(bench.wake(), 90_000);
    bench.back(accepted(1));
    assert_eq!((bench.outcomes(), bench.exit()), (vec![("PO-1", Outcome::Accepted)], None));
}

#[test]
fn an_interruption_is_an_early_end_only_where_something_was_left() {
    let interrupted = |mut bench: Bench, exit| {
        bench.on(Event::Stop(exit, "the run was interrupted".to_owned()));
        assert_eq!(bench.sent.last().unwrap().numbers, ["PO-2"]);
        bench.back(accepted(1));
        assert!(bench.engine.is_over());
        (bench.outcomes().iter().filter(|(_, outcome)| *outcome == Outcome::NotSent).count(), bench.exit())
    };
    let with = |first: Vec<Candidate>| {
        let shelf = first.into_iter().chain([candidate(2, State::Ready)]).collect();
        Bench::with(Policy { concurrency: 1, ..policy(ONCE) }, shelf)
    };
    assert_eq!(interrupted(with(vec![]), Exit::Temporary), (0, None));
    // A machine that fails is told of also then.
    assert_eq!(interrupted(with(vec![]), Exit::Unexpected), (0, Some(Exit::Unexpected)));
    let mut resting = candidate(1, State::Ready);
    resting.version.standing.not_before = START + 90_000;
    assert_eq!(interrupted(with(vec![resting]), Exit::Temporary), (1, Some(Exit::Temporary)));
    let mut newer = candidate(1, State::Ready);
    newer.doubtful = vec![version(7, State::InDoubt)];
    let bench = with(vec![newer]);
    assert!(bench.items[0].faults[0].message.contains("nothing newer may be sent for its number"));
    assert_eq!(interrupted(bench, Exit::Temporary), (1, Some(Exit::Temporary)));
    let mut overtaken = with(vec![candidate(1, State::Ready)]);
    overtaken.on(Event::Overtaken { call: 1, versions: vec![1] });
    assert_eq!(interrupted(overtaken, Exit::Temporary), (1, Some(Exit::Temporary)));
}

#[test]
fn an_intent_that_cannot_be_stored_leaves_everything_for_the_next_run() {
    let mut bench = Bench::new(policy(UPSERT), 5);
    bench.on(Event::Refused { call: 2, why: "the disk is full".to_owned() });
    assert!(!bench.engine.is_over(), "the first call is on its way");
    bench.on(Event::Returned { call: 1, result: accepted(2) });
    assert!(bench.engine.is_over());
    let left: Vec<&payables_bridge::report::Item> = bench.items.iter().filter(|item| item.outcome == Outcome::NotSent).collect();
    assert!(left.len() == 3 && left.iter().all(|item| item.faults[0].message.contains("the disk is full")), "{left:?}");
    assert_eq!((bench.items.len(), bench.exit()), (5, Some(Exit::Temporary)));
}

#[test]
fn a_replay_that_is_refused_says_nothing_about_the_attempt_before_it() {
    for (silences, superseded) in [(0, None), (1, Some(77))] {
        let newer = payables_bridge::engine::run::Candidate { accepted: Some(77), ..candidate(2, State::Ready) };
        let mut bench = Bench::with(policy(UPSERT), vec![newer]);
        for _ in 0..silences {
            bench.back(silence());
            bench.wake();
        }
        bench.back(whole(Rest::Refused(fault("NO"))));
        assert_eq!(bench.outcomes(), [("PO-2", Outcome::Rejected)]);
        assert_eq!(bench.rulings.last().unwrap().superseded, superseded);
    }
}

#[test]
fn documents_that_somebody_else_has_changed_stay_behind() {
    let mut bench = Bench::new(Policy { concurrency: 1, ..policy(UPSERT) }, 2);
    bench.on(Event::Overtaken { call: 1, versions: vec![1] });
    assert_eq!(bench.outcomes(), [("PO-1", Outcome::NotSent)]);
    assert_eq!(bench.sent.last().unwrap().numbers, ["PO-2"]);
    bench.back(accepted(1));
    assert!(bench.engine.is_over());
}

#[test]
fn a_call_that_is_refused_for_the_sake_of_an_older_version_is_not_lost() {
    let mut newer = candidate(2, State::Ready);
    newer.doubtful = vec![version(1, State::InDoubt)];
    for versions in [vec![1], vec![77]] {
        let mut bench = Bench::with(policy(UPSERT), vec![newer.clone()]);
        bench.on(Event::Overtaken { call: 1, versions });
        assert_eq!(bench.outcomes(), [("PO-2", Outcome::NotSent)]);
        assert!(bench.engine.is_over());
    }
}

#[test]
fn being_taken_is_an_end_unless_somebody_asks_for_the_verdict() {
    let taken = || {
        let verdicts = vec![(0, Verdict::Submitted("T-1".to_owned()))];
        Ok(Decoded { verdicts, rest: Rest::Silent(Doubt::from("")), notes: vec!["a note".to_owned()] })
    };
    for (follows, items) in [(false, 1), (true, 0)] {
        let mut bench = Bench::new(Policy { batch_size: 1, follows, ..policy(ONCE) }, 1);
        bench.back(taken());
        assert_eq!((bench.items.len(), bench.notes.len()), (items, 1));
        assert_eq!(bench.rulings[0].to.to.ask_at, START + 20_000);
        assert!(bench.engine.is_over());
    }
}
