//! What a call says of the whole target: a line that is down, a pause, a caller or a call that is refused.

use std::time::Duration;

use payables_bridge::adapter::Rest;
use payables_bridge::engine::run::{Event, Policy};
use payables_bridge::engine::state::State;
use payables_bridge::outcome::{Exit, Outcome};

use super::bench::{Bench, accepted, down, policy, whole};
use super::{UPSERT, fault};

#[test]
fn a_line_that_is_down_is_tried_three_times_with_growing_waits() {
    let mut bench = Bench::new(policy(UPSERT), 4);
    assert_eq!(bench.sent.len(), 2);
    bench.on(Event::Returned { call: 1, result: down() });
    bench.on(Event::Returned { call: 2, result: accepted(2) });
    let first = bench.wake();
    assert!(first <= 1000);
    bench.back(down());
    assert!(bench.wake() - first <= 2000);
    assert_eq!(bench.sent.len(), 4);
    assert!(bench.states()[..2].iter().all(|state| *state == State::Ready));
    bench.back(accepted(2));
    assert!(bench.engine.is_over());
    assert_eq!(bench.exit(), None);
}

#[test]
fn a_vendor_that_was_never_reached_stops_the_run() {
    let mut bench = Bench::new(Policy { concurrency: 1, ..policy(UPSERT) }, 5);
    for _ in 0..2 {
        bench.back(down());
        bench.wake();
    }
    bench.back(down());
    assert!(bench.engine.is_over());
    assert_eq!(bench.sent.len(), 3);
    assert!(bench.items.iter().all(|item| item.outcome == Outcome::NotSent && item.faults[0].rule == "DOC-NOT-SENT"));
    assert_eq!((bench.items.len(), bench.exit()), (5, Some(Exit::Temporary)));
}

#[test]
fn a_vendor_that_went_away_is_waited_for_and_not_for_ever() {
    let mut bench = Bench::new(Policy { batch_size: 1, concurrency: 1, ..policy(UPSERT) }, 3);
    bench.back(accepted(1));
    let mut waits = Vec::new();
    while !bench.engine.is_over() {
        let before = bench.now;
        bench.back(down());
        if !bench.engine.is_over() {
            waits.push(bench.wake() - before);
        }
    }
    // Two waits of ten times the pause before a replay; the third time it is left.
    assert_eq!(waits.iter().filter(|wait| **wait == 300_000).count(), 2, "{waits:?}");
    assert_eq!(waits.len(), 8);
    assert_eq!(bench.exit(), Some(Exit::Temporary));
}

#[test]
fn tries_run_out_for_the_run_as_a_whole() {
    let mut bench = Bench::new(Policy { batch_size: 1, concurrency: 1, ..policy(UPSERT) }, 50);
    bench.back(accepted(1));
    let mut waits = Vec::new();
    for _ in 0..12 {
        let before = bench.now;
        bench.back(down());
        waits.push(bench.wake() - before);
        bench.back(accepted(1));
    }
    // Ten tokens, and a tenth for each success: the eleventh is there, the twelfth is not, and the run waits for long.
    assert!(waits[..11].iter().all(|wait| *wait <= 1000) && waits[11] == 300_000, "{waits:?}");
}

#[test]
fn a_pause_is_for_the_target_and_within_bounds() {
    let pause = |wait| whole(Rest::BackOff(fault("BUSY"), wait));
    for (asked, kept) in [(None, 30_000), (Some(7), 7_000), (Some(1_000_000), 300_000)] {
        let mut bench = Bench::new(policy(UPSERT), 6);
        bench.on(Event::Returned { call: 1, result: pause(asked.map(Duration::from_secs)) });
        assert_eq!(bench.sent.len(), 2);
        bench.on(Event::Returned { call: 2, result: accepted(2) });
        assert_eq!(bench.wake(), kept);
        assert!(bench.items.len() == 2 && bench.sent.len() > 2);
    }
    let mut bench = Bench::new(Policy { concurrency: 1, ..policy(UPSERT) }, 2);
    let mut waits = Vec::new();
    for _ in 0..5 {
        let before = bench.now;
        bench.back(pause(None));
        if !bench.engine.is_over() {
            waits.push(bench.wake() - before);
        }
    }
    assert_eq!(waits, [30_000, 60_000, 120_000, 240_000]);
    assert_eq!((bench.outcomes()[0].1, bench.exit()), (Outcome::NotSent, Some(Exit::Temporary)));
    assert_eq!(bench.items[0].faults[0].rule, "BUSY");
}

#[test]
fn calls_that_are_asked_for_a_pause_together_are_asked_once() {
    let mut bench = Bench::new(Policy { batch_size: 1, concurrency: 8, ..policy(UPSERT) }, 8);
    for call in 1..=8 {
        bench.on(Event::Returned { call, result: whole(Rest::BackOff(fault("BUSY"), None)) });
    }
    assert_eq!(bench.wake(), 30_000);
    // One at a time until the vendor has given its word.
    assert_eq!(bench.sent.len(), 9);
    bench.back(accepted(1));
    assert!(bench.sent.len() > 10);
}

#[test]
fn a_refused_caller_ends_the_run() {
    let mut bench = Bench::new(policy(UPSERT), 6);
    bench.on(Event::Returned { call: 1, result: whole(Rest::Stop(fault("AUTH"))) });
    assert_eq!(bench.items[0].faults[0].rule, "AUTH");
    bench.on(Event::Returned { call: 2, result: whole(Rest::Stop(fault("AUTH"))) });
    assert!(bench.engine.is_over());
    assert_eq!((bench.sent.len(), bench.items.len(), bench.exit()), (2, 6, Some(Exit::Refused)));
    assert!(bench.items[5].faults[0].message.ends_with("mend that, and the next run sends it"));
}

#[test]
fn a_refused_call_is_halved_until_the_guilty_one_stands_alone() {
    let mut bench = Bench::new(Policy { batch_size: 4, concurrency: 1, ..policy(UPSERT) }, 4);
    let refused = || whole(Rest::Refused(fault("NO")));
    bench.back(refused());
    assert_eq!(bench.sent[1].numbers, ["PO-1", "PO-2"]);
    bench.back(accepted(2));
    assert_eq!(bench.sent[2].numbers, ["PO-3", "PO-4"]);
    bench.back(refused());
    bench.back(refused());
    assert_eq!(bench.outcomes()[2], ("PO-3", Outcome::Rejected));
    bench.back(accepted(1));
    assert_eq!((bench.sent.len(), bench.items.len(), bench.exit()), (5, 4, None));
}

#[test]
fn a_hundred_refused_in_a_row_are_no_fault_of_theirs() {
    let mut bench = Bench::new(Policy { batch_size: 1, concurrency: 1, ..policy(UPSERT) }, 150);
    while !bench.engine.is_over() {
        bench.back(whole(Rest::Refused(fault("NO"))));
    }
    assert_eq!((bench.sent.len(), bench.items.len(), bench.exit()), (100, 150, Some(Exit::Temporary)));
    let mut bench = Bench::new(Policy { batch_size: 1, concurrency: 1, ..policy(UPSERT) }, 150);
    for call in 0..150 {
        bench.back(if call == 60 { accepted(1) } else { whole(Rest::Refused(fault("NO"))) });
    }
    assert_eq!((bench.sent.len(), bench.exit()), (150, None));
}
