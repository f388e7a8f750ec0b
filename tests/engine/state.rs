//! Every state with every event.

use payables_bridge::engine::state::{Event, Standing, State, step};

use super::{ONCE, UPSERT, fault};

const NOW: i64 = 1_000_000;

/// Each event by a name.
fn events() -> Vec<(&'static str, Event)> {
    vec![
        ("plan", Event::Plan),
        ("hold", Event::Hold(fault("HOLD"))),
        ("release", Event::Release),
        ("arm", Event::Arm),
        ("not sent", Event::NotSent),
        ("doubt", Event::Doubt(fault("DOUBT"))),
        ("submit", Event::Submit { reference: "T-1".into(), ask_after: 20 }),
        ("ask", Event::Ask { ask_after: Some(60), presume: false }),
        ("presume", Event::Ask { ask_after: None, presume: true }),
        ("accept", Event::Accept),
        ("reject", Event::Reject(fault("NO"))),
        ("absent", Event::Absent),
        ("retry", Event::Retry),
        ("supersede", Event::Supersede),
        ("cancel", Event::Cancel),
    ]
}

fn event(name: &str) -> Event {
    events().into_iter().find(|(word, _)| *word == name).unwrap().1
}

fn standing(state: State) -> Standing {
    Standing { state, epoch: 3, ..Standing::received(7) }
}

/// What a vendor that takes a document twice allows: the state before, and the events that lead somewhere, with where.
const ALLOWED: &[(State, &str)] = &[
    (State::Received, "plan>ready hold>held supersede>superseded cancel>cancelled"),
    (State::Ready, "hold>held arm>armed supersede>superseded cancel>cancelled"),
    (State::Held, "plan>ready hold>held release>ready supersede>superseded cancel>cancelled"),
    (State::Armed, "not sent>ready doubt>in_doubt submit>submitted accept>accepted reject>rejected"),
    (State::Submitted, "ask>submitted presume>presumed accept>accepted reject>rejected absent>ready"),
    (State::Presumed, "ask>presumed presume>presumed accept>accepted reject>rejected absent>ready"),
    (State::InDoubt, "arm>armed submit>submitted accept>accepted reject>rejected absent>ready supersede>superseded"),
    (State::Accepted, "supersede>superseded"),
    (State::Rejected, "retry>ready supersede>superseded cancel>cancelled"),
    (State::Superseded, ""),
    (State::Cancelled, ""),
];

#[test]
fn every_state_takes_the_events_that_it_takes_and_no_others() {
    for rules in [UPSERT, ONCE] {
        for (state, allowed) in ALLOWED {
            let mut taken: Vec<String> = Vec::new();
            for (name, event) in events() {
                if let Ok(to) = step(&standing(*state), event, NOW, rules) {
                    assert_eq!(to.changed_at, NOW);
                    taken.push(format!("{name}>{}", to.state.word()));
                }
            }
            let is_safe = |edge: &&str| {
                rules == UPSERT || *state != State::InDoubt || !["arm>armed", "supersede>superseded"].contains(edge)
            };
            // Names of events have spaces in them, names of states do not.
            let words: Vec<&str> = allowed.split_inclusive(' ').collect();
            let mut edges: Vec<String> = Vec::new();
            let mut edge = String::new();
            for word in words {
                edge.push_str(word);
                if word.contains('>') {
                    edges.push(std::mem::take(&mut edge).trim().to_owned());
                }
            }
            let expected: Vec<&str> = edges.iter().map(String::as_str).filter(is_safe).collect();
            assert_eq!(taken, expected, "{state:?} {rules:?}");
        }
    }
    assert_eq!(ALLOWED.len(), State::ALL.len());
}

#[test]
fn a_step_that_is_not_allowed_says_why() {
    let why = |state, name: &str| step(&standing(state), event(name), NOW, ONCE).unwrap_err().to_string();
    assert_eq!(why(State::Accepted, "arm"), "sending is not for a document that is accepted");
    assert_eq!(why(State::Ready, "release"), "releasing is not for a document that is ready");
    assert_eq!(why(State::Held, "absent"), "resolving is not for a document that is held");
    assert_eq!(why(State::Accepted, "retry"), "trying again is not for a document that is accepted");
    assert_eq!(why(State::Armed, "supersede"), "replacing is not for a document that is armed");
    assert_eq!(why(State::Armed, "cancel"), "taking back is not for a document that is armed");
    assert_eq!(why(State::Ready, "accept"), "a verdict is not for a document that is ready");
    assert_eq!(why(State::Ready, "ask"), "asking for a verdict is not for a document that is ready");
    assert_eq!(why(State::Armed, "hold"), "holding is not for a document that is armed");
    assert_eq!(why(State::Armed, "plan"), "planning is not for a document that is armed");
    assert!(why(State::InDoubt, "supersede").contains("may have been received"));
}

#[test]
fn what_is_superseded_before_its_successor_is_taken_may_still_be_there() {
    for (state, is_there) in [(State::Accepted, true), (State::InDoubt, true), (State::Ready, false), (State::Rejected, false)] {
        let gone = step(&standing(state), Event::Supersede, NOW, UPSERT).unwrap();
        assert_eq!((gone.state, gone.doubtful, gone.may_be_there()), (State::Superseded, is_there, is_there), "{state:?}");
    }
    assert!(standing(State::Accepted).may_be_there() && !standing(State::Superseded).may_be_there());
}

#[test]
fn arming_counts_and_remembers_the_first_time() {
    let first = step(&standing(State::Ready), Event::Arm, NOW, UPSERT).unwrap();
    assert_eq!((first.epoch, first.first_armed_at), (4, NOW));
    let doubtful = step(&first, event("doubt"), NOW + 5, UPSERT).unwrap();
    let second = step(&doubtful, Event::Arm, NOW + 9, UPSERT).unwrap();
    assert_eq!((second.epoch, second.first_armed_at, second.doubtful), (5, NOW, true));
}

#[test]
fn doubt_rests_and_stays_until_somebody_knows() {
    let doubtful = step(&standing(State::Armed), event("doubt"), NOW, UPSERT).unwrap();
    assert_eq!((doubtful.doubtful, doubtful.rest_until, doubtful.fault.clone()), (true, NOW + 600_000, Some(fault("DOUBT"))));
    // An attempt that did not arrive says nothing about an earlier one.
    let again = step(&doubtful, Event::Arm, NOW + 1, UPSERT).unwrap();
    let back = step(&again, Event::NotSent, NOW + 2, UPSERT).unwrap();
    assert_eq!(
        (back.state, back.doubtful, back.rest_until, back.fault),
        (State::InDoubt, true, NOW + 600_000, Some(fault("DOUBT")))
    );
    // A second doubt never shortens the rest.
    let late = Standing { rest_until: NOW + 9_000_000, ..again.clone() };
    assert_eq!(step(&late, event("doubt"), NOW + 3, UPSERT).unwrap().rest_until, NOW + 9_000_000);
    for name in ["accept", "reject", "submit"] {
        assert!(!step(&doubtful, event(name), NOW, UPSERT).unwrap().doubtful, "{name}");
    }
    assert_eq!(step(&doubtful, Event::Accept, NOW, UPSERT).unwrap().fault, None);
}

#[test]
fn a_person_may_call_it_absent_and_something_newer_may_go_when_it_has_rested() {
    let doubtful = Standing { doubtful: true, rest_until: NOW, ..standing(State::InDoubt) };
    for (name, to) in [("absent", State::Ready), ("supersede", State::Superseded)] {
        let why = step(&doubtful, event(name), NOW - 1, UPSERT).unwrap_err().to_string();
        assert!(why.contains("1 s"), "{why}");
        assert_eq!(step(&doubtful, event(name), NOW, UPSERT).unwrap().state, to);
    }
    let absent = step(&doubtful, Event::Absent, NOW, ONCE).unwrap();
    assert_eq!((absent.doubtful, absent.fault), (false, None));
    let early = Standing { rest_until: NOW + 1001, ..doubtful };
    assert!(step(&early, Event::Absent, NOW, ONCE).unwrap_err().to_string().contains("2 s"));
    assert!(step(&early, Event::Supersede, NOW, UPSERT).unwrap_err().to_string().contains("2 s"));
    let resting = Standing { not_before: NOW + 1001, ..standing(State::Ready) };
    assert_eq!(step(&resting, Event::Arm, NOW, UPSERT).unwrap_err().to_string(), "it rests for another 2 s");
    assert!(step(&resting, Event::Arm, NOW + 1000, UPSERT).is_err());
    assert!(step(&resting, Event::Arm, NOW + 1001, UPSERT).is_ok());
}

#[test]
fn a_reference_is_kept_and_asked_about() {
    let submitted = step(&standing(State::Armed), event("submit"), NOW, ONCE).unwrap();
    assert_eq!(
        (submitted.reference.as_deref(), submitted.submitted_at, submitted.ask_at, submitted.asked),
        (Some("T-1"), NOW, NOW + 20, 0)
    );
    let asked = step(&submitted, event("ask"), NOW + 20, ONCE).unwrap();
    assert_eq!((asked.state, asked.asked, asked.ask_at), (State::Submitted, 1, NOW + 80));
    let presumed = step(&asked, event("presume"), NOW + 80, ONCE).unwrap();
    assert_eq!((presumed.state, presumed.asked, presumed.ask_at), (State::Presumed, 2, 0));
    for name in ["accept", "reject"] {
        let over = step(&asked, event(name), NOW + 90, ONCE).unwrap();
        assert_eq!((over.ask_at, over.reference.as_deref()), (0, Some("T-1")), "{name}");
    }
    let refused = step(&asked, event("reject"), NOW, ONCE).unwrap();
    assert_eq!(refused.fault, Some(fault("NO")));
    assert_eq!(step(&refused, Event::Retry, NOW, ONCE).unwrap().fault, None);
}

#[test]
fn letting_go_is_remembered_until_somebody_holds_it_again() {
    let held = step(&standing(State::Received), event("hold"), NOW, UPSERT).unwrap();
    assert_eq!(held.fault, Some(fault("HOLD")));
    let released = step(&held, Event::Release, NOW, UPSERT).unwrap();
    assert_eq!((released.state, released.released, released.fault.clone()), (State::Ready, true, None));
    assert!(!step(&released, event("hold"), NOW, UPSERT).unwrap().released);
    assert!(!step(&held, Event::Plan, NOW, UPSERT).unwrap().released);
}

#[test]
fn states_have_words_and_say_what_they_are() {
    for state in State::ALL {
        assert_eq!(State::from_word(state.word()), Some(state));
        assert_eq!(serde_json::to_value(state).unwrap(), state.word());
    }
    assert_eq!(State::from_word("lost"), None);
    let which = |is: fn(State) -> bool| State::ALL.into_iter().filter(|state| is(*state)).map(State::word).collect::<Vec<_>>();
    assert_eq!(which(State::is_open), ["armed", "submitted", "presumed", "in_doubt"]);
    assert_eq!(which(State::is_over), ["accepted", "rejected", "superseded", "cancelled"]);
    assert_eq!(which(State::may_be_there), ["armed", "submitted", "presumed", "in_doubt", "accepted"]);
}

#[test]
fn what_the_vendor_took_and_lost_goes_once_more_on_a_persons_word() {
    for state in [State::Submitted, State::Presumed] {
        let taken = Standing { reference: Some("T-1".into()), submitted_at: NOW - 598_000, ask_at: NOW, ..standing(state) };
        let early = step(&taken, Event::Absent, NOW, ONCE).unwrap_err().to_string();
        assert!(early.contains("2 s"), "{early}");
        let absent = step(&taken, Event::Absent, NOW + 2_000, ONCE).unwrap();
        assert_eq!((absent.state, absent.reference, absent.submitted_at, absent.ask_at), (State::Ready, None, 0, 0));
    }
}
