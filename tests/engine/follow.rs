//! Questions for verdicts, from the engine's point of view.

use std::time::Duration;

use payables_bridge::adapter::News;
use payables_bridge::engine::follow::{Action, Event, Follow, Policy};
use payables_bridge::engine::record::{Ruling, Version};
use payables_bridge::engine::run::Now;
use payables_bridge::engine::state::State;
use payables_bridge::outcome::{Exit, Outcome};
use payables_bridge::wire::SendError;

use super::{ONCE, fault, version};

const START: i64 = 1_700_000_000_000;

pub(super) fn policy(patience: Option<u64>) -> Policy {
    Policy {
        rules: ONCE,
        schedule: [20, 60, 180].map(Duration::from_secs).to_vec(),
        presume_after: Duration::from_secs(900),
        concurrency: 2,
        pace: (0, 1),
        patience: patience.map(Duration::from_secs),
        deadline: Duration::from_secs(14_400),
    }
}

/// A document that the vendor took so many seconds ago, to be asked about now.
pub(super) fn submitted(id: i64, seconds_ago: i64) -> Version {
    let mut version = version(id, State::Submitted);
    version.standing.reference = Some(format!("T-{id}"));
    version.standing.submitted_at = START - seconds_ago * 1000;
    version.standing.ask_at = START;
    version
}

pub(super) fn at(seconds: u64) -> Now {
    Now { tick: seconds * 1000, wall: START + i64::try_from(seconds * 1000).unwrap() }
}

/// What was learnt, and who is asked.
fn split(actions: Vec<Action>) -> (Vec<Ruling>, Vec<i64>, Vec<String>) {
    let (mut rulings, mut asked, mut notes) = (Vec::new(), Vec::new(), Vec::new());
    for action in actions {
        match action {
            Action::Rule(ruling) => rulings.push(ruling),
            Action::Ask { version, reference } => {
                assert_eq!(reference, format!("T-{version}"));
                asked.push(version);
            }
            Action::Note(note) => notes.push(note),
            Action::Take { .. } | Action::Renew => {}
        }
    }
    (rulings, asked, notes)
}

/// Asks about one document that was taken so long ago, once, and hears this.
fn learn(seconds_ago: i64, news: Result<News, SendError>) -> (Follow, Vec<Ruling>) {
    let mut follow = Follow::new(policy(None));
    assert!(matches!(follow.on(at(0), Event::Tick)[..], [Action::Take { due: None, most: 4 }]));
    let (_, asked, _) = split(follow.on(at(0), Event::Taken { versions: vec![submitted(1, seconds_ago)], next: None }));
    assert_eq!(asked, [1]);
    let (rulings, _, _) = split(follow.on(at(1), Event::Answered { version: 1, news }));
    (follow, rulings)
}

#[test]
fn an_answer_decides() {
    let cases = [
        (30, News::Accepted, State::Accepted, Outcome::Accepted),
        (30, News::Rejected(fault("NO")), State::Rejected, Outcome::Rejected),
        (30, News::Processing, State::Submitted, Outcome::Submitted),
        (898, News::Processing, State::Submitted, Outcome::Submitted),
        (899, News::Processing, State::Presumed, Outcome::Presumed),
        // Only silence that the vendor calls silence counts.
        (9000, News::Unclear("a page of HTML".into()), State::Submitted, Outcome::Submitted),
    ];
    for (seconds_ago, news, state, outcome) in cases {
        let (follow, rulings) = learn(seconds_ago, Ok(news));
        assert_eq!((rulings[0].to.to.state, rulings[0].item.as_ref().unwrap().outcome), (state, outcome));
        assert_eq!(rulings[0].item.as_ref().unwrap().reference.as_deref(), Some("T-1"));
        assert!(follow.is_over(at(1)) && follow.ended_early().is_none());
    }
    let (_, rulings) = learn(9000, Err(SendError::MaybeSent("timeout".to_owned())));
    assert_eq!(rulings[0].to.to.state, State::Submitted);
}

#[test]
fn the_next_question_follows_the_schedule() {
    // Asked for the first time after 30 s, so the next one is due 60 s after it was taken.
    let (_, rulings) = learn(30, Ok(News::Processing));
    assert_eq!((rulings[0].to.to.asked, rulings[0].to.to.ask_at), (1, START + 30_000));
    // Long past its schedule: asked again at once, and no question is lost.
    let (_, rulings) = learn(5000, Ok(News::Processing));
    assert_eq!(rulings[0].to.to.ask_at, START + 1001);
}

#[test]
fn a_caller_that_is_refused_asks_no_more() {
    let (follow, rulings) = learn(30, Ok(News::Stop(fault("AUTH"))));
    assert_eq!(follow.ended_early().map(|(exit, _)| *exit), Some(Exit::Refused));
    assert_eq!(rulings[0].item.as_ref().unwrap().outcome, Outcome::Submitted);
    assert!(follow.is_over(at(1)));
}

#[test]
fn a_pause_is_kept_and_the_question_is_asked_again() {
    for (wait, seconds) in [(None, 30), (Some(7), 7), (Some(9999), 300)] {
        let (mut follow, rulings) = learn(30, Ok(News::BackOff(fault("BUSY"), wait.map(Duration::from_secs))));
        assert!(rulings.is_empty() && !follow.is_over(at(1)));
        assert_eq!(follow.wake_at(at(1)), Some((1 + seconds) * 1000));
        let (_, asked, _) = split(follow.on(at(1 + seconds), Event::Tick));
        assert_eq!(asked, [1]);
    }
}

#[test]
fn questions_without_answers_end() {
    let mut follow = Follow::new(Policy { concurrency: 1, ..policy(None) });
    follow.on(at(0), Event::Tick);
    let mut next: Vec<i64> =
        split(follow.on(at(0), Event::Taken { versions: (1..=20).map(|id| submitted(id, 30)).collect(), next: None })).1;
    let mut answers = 0;
    while let Some(version) = next.pop() {
        let (_, asked, notes) = split(follow.on(at(1), Event::Answered { version, news: Ok(News::Unclear("HTML".into())) }));
        assert_eq!(notes.len(), 1);
        answers += 1;
        next = asked;
    }
    assert_eq!(answers, 10);
    assert_eq!(follow.ended_early().map(|(exit, _)| *exit), Some(Exit::Temporary));
}

#[test]
fn a_run_asks_when_it_is_time_and_for_as_long_as_it_waits() {
    let mut follow = Follow::new(policy(Some(60)));
    assert!(matches!(follow.on(at(0), Event::Tick)[..], [Action::Take { due: Some(START), .. }]));
    // Nothing is due for 20 s.
    follow.on(at(0), Event::Taken { versions: vec![], next: Some(START + 20_000) });
    assert_eq!(follow.wake_at(at(0)), Some(20_000));
    follow.on(at(20), Event::Tick);
    let (_, asked, _) = split(
        follow.on(at(20), Event::Taken { versions: vec![submitted(1, 20), submitted(2, 20), submitted(3, 20)], next: None }),
    );
    assert_eq!(asked, [1, 2]);
    // What is being asked about is not asked about twice.
    let (rulings, asked, _) = split(follow.on(at(21), Event::Answered { version: 1, news: Ok(News::Processing) }));
    assert_eq!(asked, [3]);
    assert!(rulings[0].item.is_none(), "it is told when the waiting is over");
    let first_is_due_at = rulings[0].to.to.ask_at;
    let (rulings, ..) = split(follow.on(at(22), Event::Answered { version: 2, news: Ok(News::Accepted) }));
    assert_eq!(rulings[0].item.as_ref().unwrap().outcome, Outcome::Accepted);
    // When the first is due again, the journal says: 60 s after it was taken, which is in 19 s.
    assert_eq!(first_is_due_at, START + 40_000);
    follow.on(at(22), Event::Taken { versions: vec![], next: Some(START + 40_000) });
    assert_eq!(follow.wake_at(at(22)), Some(40_000));
    follow.on(at(59), Event::Answered { version: 3, news: Ok(News::Processing) });
    follow.on(at(59), Event::Taken { versions: vec![], next: Some(START + 60_000) });
    assert!(!follow.is_over(at(59)));
    assert_eq!(follow.wake_at(at(59)), Some(60_000));
    assert!(follow.is_over(at(60)));
}

#[test]
fn whoever_asks_about_everything_goes_on_after_a_page_with_nothing_on_it() {
    let mut follow = Follow::new(policy(None));
    follow.on(at(0), Event::Tick);
    let (_, asked, _) = split(follow.on(at(0), Event::Taken { versions: vec![submitted(1, 30)], next: Some(0) }));
    assert_eq!(asked, [1]);
    // The first is not answered yet, and after an empty page there are more.
    let actions = follow.on(at(0), Event::Taken { versions: vec![], next: Some(0) });
    assert!(matches!(actions[..], [Action::Take { due: None, .. }]), "{actions:?}");
    let (_, asked, _) = split(follow.on(at(0), Event::Taken { versions: vec![submitted(2, 9000)], next: None }));
    assert_eq!(asked, [2]);
    for version in [1, 2] {
        assert!(!follow.is_over(at(1)));
        follow.on(at(1), Event::Answered { version, news: Ok(News::Processing) });
    }
    assert!(follow.is_over(at(1)));
}

#[test]
fn what_is_being_asked_about_is_not_looked_for_again_before_an_answer() {
    let mut follow = Follow::new(policy(Some(60)));
    follow.on(at(0), Event::Tick);
    // The journal says that a document is due for as long as its answer has not come.
    let taken = || Event::Taken { versions: vec![submitted(1, 20)], next: Some(START) };
    assert!(matches!(follow.on(at(0), taken())[..], [Action::Ask { version: 1, .. }, Action::Take { .. }]));
    assert!(follow.on(at(0), taken()).is_empty());
    assert!(!follow.is_over(at(0)));
    assert_eq!(follow.wake_at(at(0)), None);
    let actions = follow.on(at(1), Event::Answered { version: 1, news: Ok(News::Processing) });
    assert!(matches!(actions[..], [Action::Rule(_), Action::Take { .. }]));
}

#[test]
fn questions_keep_the_pace() {
    let mut follow = Follow::new(Policy { concurrency: 3, pace: (2, 1), ..policy(Some(60)) });
    // Twice as many as may be on their way, so that the next ones are at hand.
    assert!(matches!(follow.on(at(0), Event::Tick)[..], [Action::Take { most: 6, .. }]));
    let versions = (1..=3).map(|id| submitted(id, 30)).collect();
    let (_, asked, _) = split(follow.on(at(0), Event::Taken { versions, next: None }));
    assert_eq!((asked, follow.wake_at(at(0))), (vec![1], Some(505)));
    let half = Now { tick: 505, wall: START + 505 };
    let (_, asked, _) = split(follow.on(half, Event::Tick));
    assert_eq!((asked, follow.wake_at(half)), (vec![2], Some(1010)));
}

#[test]
fn only_answers_are_waited_for_when_no_more_may_be_asked() {
    let mut follow = Follow::new(policy(Some(60)));
    follow.on(at(0), Event::Tick);
    let versions = (1..=3).map(|id| submitted(id, 30)).collect();
    let (_, asked, _) = split(follow.on(at(0), Event::Taken { versions, next: None }));
    // As many as allowed are on their way.
    assert_eq!((asked, follow.wake_at(at(1))), (vec![1, 2], None));
    let (_, asked, _) = split(follow.on(at(60), Event::Answered { version: 1, news: Ok(News::Accepted) }));
    // The time for waiting is over, and one is still on its way.
    assert_eq!((asked, follow.wake_at(at(60))), (vec![], None));
    assert!(!follow.is_over(at(60)));
}

#[test]
fn an_answer_that_is_none_is_told_with_its_number_and_reason() {
    let mut follow = Follow::new(policy(None));
    follow.on(at(7), Event::Tick);
    follow.on(at(8), Event::Taken { versions: vec![submitted(1, 30)], next: None });
    let (_, _, notes) = split(follow.on(at(9), Event::Answered { version: 1, news: Ok(News::Unclear("a page of HTML".into())) }));
    assert!(notes[0].starts_with("PO-1: ") && notes[0].ends_with("(a page of HTML)"), "{notes:?}");
    assert_eq!(follow.began_on(), START + 7000);
}

#[test]
fn a_person_who_stops_it_is_heard() {
    let mut follow = Follow::new(policy(Some(60)));
    follow.on(at(0), Event::Tick);
    follow.on(at(0), Event::Taken { versions: vec![submitted(1, 20), submitted(2, 20), submitted(3, 20)], next: None });
    follow.on(at(1), Event::Stop(Exit::Temporary, "the run was interrupted".to_owned()));
    assert!(!follow.is_over(at(1)));
    for version in [1, 2] {
        let (_, asked, _) = split(follow.on(at(2), Event::Answered { version, news: Ok(News::Accepted) }));
        assert!(asked.is_empty());
    }
    assert!(follow.is_over(at(2)));
    assert_eq!(follow.wake_at(at(2)), None);
}
