//! Runs whose calls carry a token that may end in the middle.

use std::time::Duration;

use payables_bridge::adapter::{Decoded, News, Rest, Verdict};
use payables_bridge::engine::follow::{Action, Event as FollowEvent, Follow};
use payables_bridge::engine::run::{Event, Policy};
use payables_bridge::outcome::{Exit, Outcome};
use payables_bridge::wire::SendError;

use super::bench::{Bench, policy};
use super::follow::{at, policy as questions, submitted};
use super::{ONCE, UPSERT, fault};

fn one_by_one(documents: i64) -> Bench {
    // Several at once from the beginning, which only goes where a doubt costs nobody's time.
    Bench::new(Policy { batch_size: 1, ..policy(UPSERT) }, documents)
}

fn expired() -> Result<Decoded, SendError> {
    Ok(Decoded::whole(Rest::Expired(fault("AUTH"))))
}

fn taken() -> Result<Decoded, SendError> {
    Ok(Decoded { verdicts: vec![(0, Verdict::Submitted("T".into()))], rest: Rest::Silent("".into()), notes: vec![] })
}

fn back(bench: &mut Bench, call: u64, result: Result<Decoded, SendError>) {
    bench.on(Event::Returned { call, result });
}

#[test]
fn nothing_is_begun_without_a_token() {
    let mut bench = one_by_one(4);
    bench.on(Event::Token(false));
    for call in [1, 2] {
        back(&mut bench, call, taken());
    }
    assert_eq!((bench.sent.len(), bench.engine.is_over()), (2, false));
    bench.on(Event::Token(true));
    assert_eq!(bench.sent.len(), 4);
}

#[test]
fn a_token_that_ended_is_renewed_once_for_all_calls_that_went_with_it() {
    let mut bench = one_by_one(4);
    assert_eq!(bench.sent.len(), 2);
    back(&mut bench, 1, expired());
    back(&mut bench, 2, expired());
    assert_eq!((bench.renewals, bench.sent.len()), (1, 2), "nothing goes before the fresh token is there");
    bench.on(Event::Token(true));
    for call in 3..=6 {
        back(&mut bench, call, taken());
    }
    let numbers: Vec<&str> = bench.sent.iter().flat_map(|sent| &sent.numbers).map(String::as_str).collect();
    assert_eq!(numbers.len(), 6);
    assert_eq!(numbers[..2], numbers[2..4], "those that were refused go first");
    assert!(bench.items.iter().all(|item| item.outcome == Outcome::Submitted) && bench.items.len() == 4);
    assert!(bench.engine.is_over() && bench.engine.ended_early().is_none());
}

#[test]
fn a_fresh_token_that_is_refused_ends_the_run() {
    let mut bench = one_by_one(3);
    back(&mut bench, 1, expired());
    bench.on(Event::Token(true));
    // The second one went with the old token still.
    back(&mut bench, 2, expired());
    assert_eq!(bench.engine.ended_early(), None);
    back(&mut bench, 3, expired());
    assert_eq!(bench.engine.ended_early().map(|(exit, _)| exit), Some(Exit::Refused));
    back(&mut bench, 4, taken());
    assert_eq!(bench.renewals, 1);
    let outcomes: Vec<Outcome> = bench.items.iter().map(|item| item.outcome).collect();
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Outcome::NotSent).count(), 2, "{outcomes:?}");
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Outcome::Submitted).count(), 1, "{outcomes:?}");
}

#[test]
fn a_token_may_end_again_after_it_was_good() {
    let mut bench = Bench::new(Policy { batch_size: 1, concurrency: 1, ..policy(ONCE) }, 2);
    for (call, result) in [(1, expired()), (2, taken()), (3, expired()), (4, taken())] {
        back(&mut bench, call, result);
        bench.on(Event::Token(true));
    }
    assert_eq!((bench.renewals, bench.items.len()), (2, 2));
    assert!(bench.engine.ended_early().is_none());
}

#[test]
fn a_call_that_could_not_be_made_for_want_of_a_token_goes_when_there_is_one() {
    let mut bench = one_by_one(1);
    bench.on(Event::Postponed(1));
    assert_eq!(bench.sent.len(), 1);
    bench.on(Event::Token(true));
    assert_eq!(bench.sent.len(), 2);
    back(&mut bench, 2, taken());
    assert_eq!(bench.items[0].outcome, Outcome::Submitted);
}

#[test]
fn a_vendor_may_slow_the_calls_down() {
    let mut bench = Bench::new(Policy { batch_size: 1, concurrency: 1, pace: (10, 1), ..policy(ONCE) }, 3);
    back(&mut bench, 1, taken());
    assert_eq!(bench.wake(), 101);
    bench.on(Event::Interval(Duration::from_secs(5)));
    back(&mut bench, 2, taken());
    assert!(bench.wake() >= 5000, "{}", bench.now);
}

#[test]
fn questions_go_again_with_a_fresh_token_and_end_when_that_is_refused_too() {
    let answer = |version, news| FollowEvent::Answered { version, news: Ok(news) };
    let mut follow = Follow::new(questions(None));
    follow.on(at(0), FollowEvent::Tick);
    let versions = (1..=2).map(|id| submitted(id, 30)).collect();
    follow.on(at(0), FollowEvent::Taken { versions, next: None });
    let actions = follow.on(at(1), answer(1, News::Expired(fault("AUTH"))));
    assert!(matches!(actions[..], [Action::Renew, Action::Ask { version: 1, .. }]), "{actions:?}");
    // The other one went with the token that had ended.
    let actions = follow.on(at(1), answer(2, News::Expired(fault("AUTH"))));
    assert!(matches!(actions[..], [Action::Ask { version: 2, .. }]), "{actions:?}");
    let actions = follow.on(at(1), answer(2, News::Accepted));
    assert!(matches!(actions[..], [Action::Rule(_)]), "{actions:?}");
    let actions = follow.on(at(2), answer(1, News::Expired(fault("AUTH"))));
    assert!(matches!(actions[..], [Action::Renew, Action::Ask { .. }]), "the token was good in between: {actions:?}");
    let actions = follow.on(at(2), answer(1, News::Expired(fault("AUTH"))));
    assert!(matches!(actions[..], [Action::Rule(_)]), "{actions:?}");
    assert_eq!(follow.ended_early().map(|(exit, _)| *exit), Some(Exit::Refused));
}
