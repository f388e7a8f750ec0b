//! Documents that may or may not have arrived: what is replayed, what is left, and what a late verdict means.

use payables_bridge::adapter::{Decoded, Doubt, Rest, Verdict};
use payables_bridge::engine::run::{Action, Engine, Event, Now, Policy};
use payables_bridge::engine::state::{Rules, State};
use payables_bridge::outcome::{Exit, Outcome};
use payables_bridge::wire::SendError;

use super::bench::{Bench, START, accepted, candidate, down, policy, silence, whole};
use super::{ONCE, UPSERT, fault, version};

#[test]
fn silence_is_replayed_three_times_and_then_in_doubt() {
    let mut bench = Bench::new(Policy { concurrency: 1, ..policy(UPSERT) }, 1);
    for replay in 1..=3_u64 {
        bench.back(silence());
        assert_eq!(bench.states().last(), Some(&State::InDoubt));
        assert!(bench.items.is_empty());
        assert_eq!(bench.wake(), replay * 30_000);
    }
    assert_eq!(bench.sent.len(), 4);
    bench.back(silence());
    assert_eq!(bench.outcomes(), [("PO-1", Outcome::InDoubt)]);
    assert_eq!(bench.items[0].faults[0].rule, "DOC-DOUBT");
    assert!(bench.engine.is_over());
    assert_eq!(bench.exit(), None);
}

#[test]
fn what_cannot_be_repeated_is_never_repeated() {
    let mut bench = Bench::new(Policy { batch_size: 1, concurrency: 1, doubts_in_a_row: 3, ..policy(ONCE) }, 9);
    for _ in 0..3 {
        bench.back(silence());
    }
    assert_eq!(bench.sent.len(), 3);
    assert!(bench.engine.is_over());
    let doubts = bench.items.iter().filter(|item| item.outcome == Outcome::InDoubt).count();
    let left = bench.items.iter().filter(|item| item.outcome == Outcome::NotSent).count();
    assert_eq!((doubts, left, bench.exit()), (3, 6, Some(Exit::Temporary)));
    assert!(bench.items[8].faults[0].message.contains("3 calls in a row ended in doubt"));
}

#[test]
fn a_usable_answer_ends_the_count_of_doubts() {
    let mut bench = Bench::new(Policy { batch_size: 1, concurrency: 1, doubts_in_a_row: 3, ..policy(ONCE) }, 9);
    for _ in 0..4 {
        bench.back(silence());
        bench.back(silence());
        if bench.engine.is_over() {
            break;
        }
        bench.back(accepted(1));
    }
    assert_eq!(bench.sent.len(), 9);
    assert_eq!(bench.exit(), None);
}

#[test]
fn after_many_doubts_nothing_new_is_begun_until_a_replay_is_answered() {
    let mut bench = Bench::new(Policy { batch_size: 1, concurrency: 1, ..policy(UPSERT) }, 20);
    for _ in 0..5 {
        bench.back(silence());
    }
    assert_eq!(bench.sent.len(), 5);
    bench.wake();
    assert_eq!((bench.sent.len(), bench.sent[5].numbers[0].as_str()), (6, "PO-1"));
    bench.back(accepted(1));
    assert_eq!(bench.sent.last().unwrap().numbers, ["PO-2"]);
    while !bench.engine.is_over() {
        bench.back(accepted(1));
    }
    assert_eq!((bench.items.len(), bench.exit()), (20, None));
}

#[test]
fn a_vendor_that_stays_away_is_left() {
    let mut bench = Bench::new(Policy { batch_size: 1, concurrency: 1, ..policy(UPSERT) }, 20);
    while !bench.engine.is_over() {
        if bench.engine.wake_at(bench.time()).is_some_and(|at| at < 14_000_000) && bench.sent.len() == bench.states().len() {
            bench.wake();
        } else {
            bench.back(silence());
        }
    }
    let of = |outcome| bench.items.iter().filter(|item| item.outcome == outcome).count();
    assert_eq!((of(Outcome::InDoubt), of(Outcome::NotSent), bench.exit()), (5, 15, Some(Exit::Temporary)));
    assert_eq!(bench.sent.len(), 20);
}

#[test]
fn a_vendor_that_falls_silent_for_the_third_time_is_left_at_once() {
    let mut bench = Bench::new(Policy { batch_size: 1, concurrency: 1, doubts_in_a_row: 2, ..policy(UPSERT) }, 20);
    for _ in 0..2 {
        bench.back(silence());
        bench.back(silence());
        assert_eq!(bench.exit(), None);
        bench.wake();
        bench.back(accepted(1));
    }
    bench.back(silence());
    bench.back(silence());
    // What could still be replayed is not replayed.
    assert!(bench.engine.is_over());
    let doubts = bench.items.iter().filter(|item| item.outcome == Outcome::InDoubt).count();
    assert_eq!((bench.sent.len(), bench.items.len(), doubts, bench.exit()), (8, 20, 2, Some(Exit::Temporary)));
}

#[test]
fn replays_and_tries_are_counted_together_whatever_comes_between_them() {
    let mut bench = Bench::new(Policy { concurrency: 1, ..policy(UPSERT) }, 1);
    bench.back(silence());
    bench.wake();
    bench.back(down());
    for _ in 0..3 {
        bench.wake();
        bench.back(silence());
    }
    // The first attempt, one that did not arrive, and three replays.
    assert_eq!((bench.sent.len(), bench.outcomes()), (5, vec![("PO-1", Outcome::InDoubt)]));
    let mut bench = Bench::new(Policy { concurrency: 1, ..policy(UPSERT) }, 1);
    for result in [down(), silence(), down(), down()] {
        bench.back(result);
        if !bench.engine.is_over() {
            bench.wake();
        }
    }
    assert!(bench.engine.is_over());
    assert_eq!((bench.sent.len(), bench.outcomes()), (4, vec![("PO-1", Outcome::InDoubt)]));
}

#[test]
fn halves_of_a_call_have_been_through_what_the_whole_was() {
    let refused = || whole(Rest::Refused(fault("NO")));
    let mut bench = Bench::new(Policy { concurrency: 1, doubts_in_a_row: 99, ..policy(UPSERT) }, 2);
    bench.back(silence());
    bench.wake();
    bench.back(refused());
    while !bench.engine.is_over() {
        if bench.sent.len() == bench.settled {
            bench.wake();
        }
        bench.back(silence());
    }
    // One replay of both, and of each half its first call and two replays.
    assert_eq!(bench.sent.len(), 8);
    let mut bench = Bench::new(Policy { concurrency: 1, ..policy(UPSERT) }, 2);
    bench.back(down());
    bench.wake();
    bench.back(refused());
    for _ in 0..2 {
        bench.back(down());
        bench.wake();
    }
    bench.back(down());
    // The third time of one of them is the last of the run.
    assert!(bench.engine.is_over());
    assert_eq!((bench.sent.len(), bench.exit()), (5, Some(Exit::Temporary)));
}

#[test]
fn what_an_earlier_run_left_in_doubt_is_replayed_when_its_pause_is_over() {
    let mut doubtful = candidate(1, State::InDoubt);
    doubtful.version.standing.changed_at = START - 10_000;
    let mut long_ago = candidate(2, State::InDoubt);
    long_ago.version.standing.changed_at = START - 60_000;
    let mut bench = Bench::with(Policy { batch_size: 1, ..policy(UPSERT) }, vec![doubtful, long_ago]);
    assert_eq!(bench.sent[0].numbers, ["PO-2"]);
    bench.back(silence());
    assert_eq!(bench.wake(), 20_000);
    assert_eq!(bench.sent[1].numbers, ["PO-1"]);
    bench.back(accepted(1));
    // Three replays, the first of which was this run's first call.
    for at in [30_000, 60_000] {
        assert_eq!(bench.wake(), at);
        bench.back(silence());
    }
    assert_eq!(bench.outcomes(), [("PO-1", Outcome::Accepted), ("PO-2", Outcome::InDoubt)]);
    assert!(bench.engine.is_over());
}

#[test]
fn something_newer_takes_the_place_of_what_is_in_doubt_when_that_has_rested() {
    let newer = |rests: i64| {
        let mut newer = candidate(2, State::Ready);
        let mut older = version(1, State::InDoubt);
        older.standing.rest_until = START + rests;
        newer.doubtful = vec![older];
        newer.accepted = Some(77);
        vec![newer]
    };
    let mut rested = Bench::with(policy(UPSERT), newer(0));
    assert_eq!((rested.sent[0].superseded[0].version, rested.sent[0].superseded[0].to.state), (1, State::Superseded));
    rested.back(accepted(1));
    assert_eq!(rested.rulings[0].superseded, Some(77));
    let mut soon = Bench::with(policy(UPSERT), newer(60_000));
    assert_eq!(soon.wake(), 60_000);
    assert_eq!(soon.sent.len(), 1);
    soon.back(silence());
    assert_eq!(soon.rulings[0].superseded, None);
    let late = Bench::with(policy(UPSERT), newer(60_001));
    assert!(late.engine.is_over() && late.sent.is_empty());
    assert_eq!((late.outcomes()[0].1, late.exit()), (Outcome::NotSent, None));
    assert!(late.items[0].faults[0].message.contains("rests until 2023-11-14 22:14:20 UTC"), "{:?}", late.items[0].faults);
}

/// A call comes back after somebody else has given its document up.
fn late(rules: Rules, present: (State, Option<&str>), result: Result<Decoded, SendError>) -> (Vec<Outcome>, usize, usize) {
    let mut engine = Engine::new(policy(rules));
    let now = Now { tick: 0, wall: START };
    engine.on(now, Event::Tick);
    engine.on(now, Event::Taken { candidates: vec![candidate(1, State::Ready)], last: true });
    engine.on(now, Event::Returned { call: 1, result });
    let mut changed = version(1, present.0);
    changed.standing.epoch = 2;
    changed.standing.reference = present.1.map(str::to_owned);
    let actions = engine.on(now, Event::Settled { call: 1, fenced: vec![changed] });
    assert!(engine.is_over());
    let (mut items, mut rules, mut notes) = (Vec::new(), 0, 0);
    for action in actions {
        match action {
            Action::Rule(ruling) => {
                rules += 1;
                items.extend(ruling.item);
            }
            Action::Report(reported) => items.extend(reported),
            Action::Note(_) => notes += 1,
            other => panic!("{other:?}"),
        }
    }
    (items.into_iter().map(|item| item.outcome).collect(), rules, notes)
}

#[test]
fn a_late_verdict_is_still_true() {
    let submitted = |reference: &str| {
        let verdicts = vec![(0, Verdict::Submitted(reference.to_owned()))];
        Ok(Decoded { verdicts, rest: Rest::Silent(Doubt::from("")), notes: vec![] })
    };
    assert_eq!(late(ONCE, (State::InDoubt, None), submitted("T-1")), (vec![Outcome::Submitted], 1, 0));
    assert_eq!(late(UPSERT, (State::InDoubt, None), accepted(1)), (vec![Outcome::Accepted], 1, 0));
    assert_eq!(late(UPSERT, (State::InDoubt, None), silence()), (vec![Outcome::InDoubt], 0, 0));
    // Another attempt is on its way, or was taken: its own verdict counts.
    assert_eq!(late(UPSERT, (State::Armed, None), accepted(1)), (vec![Outcome::InDoubt], 0, 0));
    let refused = || whole(Rest::Refused(fault("NO")));
    assert_eq!(late(ONCE, (State::Submitted, Some("T-2")), refused()), (vec![Outcome::Submitted], 0, 0));
    // Taken twice: two references for one document.
    assert_eq!(late(ONCE, (State::Submitted, Some("T-2")), submitted("T-1")), (vec![Outcome::Submitted], 0, 1));
    assert_eq!(late(ONCE, (State::Submitted, Some("T-1")), submitted("T-1")), (vec![Outcome::Submitted], 0, 0));
}
