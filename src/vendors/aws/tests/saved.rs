//! Plans that were saved and meet another world.

use super::super::*;
use super::planning::{ARN, OTHER, World, secret};
use super::{COUPA, SAP, with};
use crate::model::Fault;
use crate::outcome::{Action, Outcome};

/// Plans for these files against that, saves the plan, and follows it against another world.
fn followed(
    now: Vec<Held<Preference<'_>>>,
    planned: &World,
    then: &World,
    allowed: Allowed,
) -> Vec<(Action, Outcome, Vec<String>)> {
    let steps = plan(planned.preferences(), then.held_preferences(&[ARN, OTHER]), allowed, &secret);
    let text = serde_json::to_string(&SavedPlan::of("aws", String::new(), "2026-03-01T00:00:00Z".to_owned(), &steps)).unwrap();
    let saved: SavedPlan<Preference<'_>> = serde_json::from_str(&text).unwrap();
    // What is left out of a plan is not done.
    assert!(saved.steps.iter().all(|step| step.action != Action::Keep));
    let followed = saved.follow(now, &secret);
    let rules = |step: &Step<_>| step.faults.iter().map(|fault: &Fault| format!("{} {}", fault.rule, fault.path)).collect();
    followed.iter().map(|step| (step.action, step.outcome, rules(step))).collect()
}

#[test]
fn a_saved_plan_is_done_as_it_was_shown_or_not_at_all() {
    let changed = with(&with(COUPA, "ap@example.com", "new@example.com"), "\"AWS_INC\"", "\"AWS_EUROPE\"");
    let (planned, then) = (World::of(&[&changed, SAP]), World::of(&[COUPA]));
    let arns = [ARN, OTHER];
    let none = Allowed::default;
    let follow = |now: Vec<Held<Preference<'_>>>| followed(now, &planned, &then, none());
    // Nothing has changed: a change and a creation.
    let as_planned = follow(then.held_preferences(&arns));
    assert_eq!(as_planned, [(Action::Change, Outcome::Planned, vec![]), (Action::Create, Outcome::Planned, vec![])]);
    // It was done already, wholly or in part.
    let done = World::of(&[&changed, SAP]);
    assert_eq!(
        follow(done.held_preferences(&arns)),
        [(Action::Keep, Outcome::Unchanged, vec![]), (Action::Keep, Outcome::Unchanged, vec![])]
    );
    let half = World::of(&[&with(COUPA, "ap@example.com", "new@example.com")]);
    assert_eq!(follow(half.held_preferences(&arns))[0], (Action::Change, Outcome::Planned, vec![]));
    // Somebody else has changed a field of the plan, or another one.
    for (old, new, path) in [
        ("ap@example.com", "else@example.com", "contacts[0].email"),
        ("cxml/invoices", "cxml/other", "procurement_portal_instance_endpoint"),
    ] {
        let drifted = World::of(&[&with(COUPA, old, new)]);
        let rules = vec!["AWS-050 ".to_owned(), format!("AWS-050 {path}")];
        assert_eq!(follow(drifted.held_preferences(&arns))[0], (Action::Change, Outcome::Held, rules), "{path}");
    }
    // It is gone; and somebody has made what was to be made, differently.
    assert_eq!(follow(vec![])[0], (Action::Change, Outcome::Held, vec!["AWS-050 ".to_owned()]));
    let other_sap = World::of(&[COUPA, &with(SAP, "ap@example.com", "else@example.com")]);
    let made = follow(other_sap.held_preferences(&arns));
    assert_eq!((made[1].0, made[1].1), (Action::Create, Outcome::Held));
}

#[test]
fn a_saved_deletion_deletes_what_was_shown_and_nothing_else() {
    let (planned, then) = (World::of(&[COUPA]), World::of(&[COUPA, SAP]));
    let prune = || Allowed { prune: true, replace: false };
    let arns = [ARN, OTHER];
    let as_planned = followed(then.held_preferences(&arns), &planned, &then, prune());
    assert_eq!(as_planned, [(Action::Delete, Outcome::Planned, vec![])]);
    assert_eq!(followed(vec![], &planned, &then, prune()), [(Action::Delete, Outcome::Unchanged, vec![])]);
    let drifted = World::of(&[COUPA, &with(SAP, "ap@example.com", "else@example.com")]);
    let held = followed(drifted.held_preferences(&arns), &planned, &then, prune());
    assert_eq!((held[0].0, held[0].1), (Action::Delete, Outcome::Held));
    // A replacement of which the first half was done is finished.
    let renamed = World::of(&[&format!("arn = \"{ARN}\"\n{}", with(COUPA, "\"acme\"", "\"acme-2\""))]);
    let replace = || Allowed { prune: false, replace: true };
    assert_eq!(followed(vec![], &renamed, &then, replace()), [(Action::Create, Outcome::Planned, vec![])]);
    assert_eq!(followed(then.held_preferences(&arns), &renamed, &then, replace()), [(Action::Replace, Outcome::Planned, vec![])]);
    // Somebody has made another one of the new name since, so nothing may be deleted for it.
    let taken = World::of(&[COUPA, &with(&with(COUPA, "\"acme\"", "\"acme-2\""), "ap@example.com", "else@example.com")]);
    let held = followed(taken.held_preferences(&arns), &renamed, &then, replace());
    assert_eq!(held, [(Action::Replace, Outcome::Held, vec!["AWS-061 ".to_owned()])]);
    // One that was done whole is over, whatever ARN that brought; and what somebody has made instead is not touched.
    let made = || renamed.held_preferences(&["arn:made-anew"]);
    assert_eq!(followed(made(), &renamed, &then, replace()), [(Action::Keep, Outcome::Unchanged, vec![])]);
    let mut other = made();
    other[0].content.contacts[0].email = "else@example.com".into();
    let held = followed(other, &renamed, &then, replace());
    assert_eq!((held[0].0, held[0].1), (Action::Replace, Outcome::Held));
}

#[test]
fn a_saved_plan_notices_who_became_active_and_who_is_another_one() {
    let (planned, then) = (World::of(&[COUPA]), World::of(&[COUPA, SAP]));
    let prune = Allowed { prune: true, replace: false };
    let mut now = then.held_preferences(&[ARN, OTHER]);
    now[1].statuses = vec![Status { part: "einvoice", word: "ACTIVE".into(), reason: None }];
    assert_eq!(followed(now, &planned, &then, prune), [(Action::Delete, Outcome::Held, vec!["AWS-050 ".to_owned()])]);
    let changed = World::of(&[&with(COUPA, "ap@example.com", "new@example.com")]);
    let now = then.held_preferences(&["arn:of-another", OTHER]);
    let steps = followed(now, &changed, &then, Allowed::default());
    assert_eq!(steps, [(Action::Change, Outcome::Held, vec!["AWS-050 ".to_owned()])]);
}
