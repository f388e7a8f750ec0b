//! Tags that nobody speaks of and tags that are taken away; words that AWS has gained.

use super::super::*;
use super::planning::{ARN, World, change, operations, secret, told};
use super::{COUPA, NOW, with};
use crate::outcome::{Action, Outcome};
use crate::rules::Levels;

const TAGS: &str = "\n[resource_tags]\nteam = \"finance\"\n";

#[test]
fn an_empty_table_of_tags_takes_them_away_and_none_leaves_them() {
    let before = World::of(&[COUPA]);
    let steps = |tags: &str| {
        let world = World::of(&[&with(COUPA, TAGS, tags)]);
        let mut held = before.held_preferences(&[ARN]);
        held[0].content.resource_tags.get_or_insert_default().0.push(("aws:createdBy".into(), "x".into()));
        let steps = plan(world.preferences(), held, Allowed::default(), &secret);
        // A plan that was saved says the same.
        let saved = serde_json::to_string(&SavedPlan::of("aws", String::new(), String::new(), &steps)).unwrap();
        let saved: SavedPlan<Preference<'_>> = serde_json::from_str(&saved).unwrap();
        let again = saved.follow(before.held_preferences(&[ARN]), &secret);
        let of = |steps: &[Step<Preference<'_>>]| steps.iter().flat_map(operations).collect::<Vec<_>>();
        assert_eq!(of(&again), of(&steps));
        (steps[0].action, steps[0].changes.clone(), of(&steps))
    };
    assert_eq!(steps(""), (Action::Keep, vec![], vec![]));
    let gone = change("resource_tags.team", Some("finance"), None);
    assert_eq!(steps("[resource_tags]\n"), (Action::Change, vec![gone], vec!["UntagResource"]));
}

#[test]
fn a_replacement_speaks_of_tags() {
    let text = format!("arn = \"{ARN}\"\n{}", with(&with(COUPA, "\"acme\"", "\"acme-2\""), TAGS, ""));
    let (world, before) = (World::of(&[&text]), World::of(&[COUPA]));
    let mut held = before.held_preferences(&[ARN]);
    held[0].content.resource_tags.get_or_insert_default().0.push(("aws:createdBy".into(), "x".into()));
    let steps = plan(world.preferences(), held, Allowed { replace: true, prune: false }, &secret);
    let rules = vec!["AWS-051".to_owned()];
    assert_eq!(told(&steps), [(Action::Replace, Some(ARN.to_owned()), Outcome::Held, rules)]);
    assert!(steps[0].faults[0].message.contains("(team)"), "{:?}", steps[0].faults);
}

#[test]
fn tags_of_aws_and_empty_tables_are_not_imported() {
    let world = World::of(&[COUPA]);
    let mut held = world.held_preferences(&[ARN]).remove(0);
    held.content.resource_tags.get_or_insert_default().0.push(("aws:createdBy".into(), "x".into()));
    let text = file_text(&held, None).unwrap();
    assert!(text.contains("team = \"finance\"") && !text.contains("createdBy"), "{text}");
    held.content.resource_tags = Some(Tags::default());
    assert!(!file_text(&held, None).unwrap().contains("resource_tags"));
}

/// Words where AWS lists words: a field, a list, and kinds of documents.
const WORDS: [(&str, &str); 3] = [
    ("\"PROD_ENV_DOLLAR_TEST\"", "\"NEW_TEST\""),
    ("[\"INVOICE_PDF\"]", "[\"INVOICE_PDF\", \"NEW_PDF\"]"),
    ("AWS_MARKETPLACE_INVOICE", "AWS_NEW_INVOICE"),
];

#[test]
fn a_word_that_aws_holds_is_kept_and_one_that_it_does_not_hold_is_refused() {
    for (old, new) in WORDS {
        let there = World::of(&[&COUPA.replace(old, new)]);
        let elsewhere = World::of(&[COUPA]);
        // It says the new word and something else, so there is something to do.
        let changed = COUPA.replace(old, new).replace("ap@example.com", "new@example.com");
        let world = World::of(&[&changed]);
        let steps = plan(world.preferences(), there.held_preferences(&[ARN]), Allowed::default(), &secret);
        assert_eq!(told(&steps), [(Action::Change, Some(ARN.to_owned()), Outcome::Planned, vec![])], "{new}");
        assert!(steps[0].faults.iter().any(|fault| fault.rule == "AWS-002" && fault.message.contains("AWS holds it")), "{new}");
        let mut saved = SavedPlan::of("aws", String::new(), String::new(), &steps);
        let errors = |step: &SavedStep<_>| step.judge(&Levels::new(), NOW).iter().filter(|fault| fault.is_error()).count();
        assert_eq!(errors(&saved.steps[0]), 0, "{new}");
        // A plan that was changed by hand has no word from AWS.
        saved.steps[0].held = elsewhere.held_preferences(&[ARN]).pop().map(|held| held.content);
        assert_ne!(errors(&saved.steps[0]), 0, "{new}");
        let steps = plan(world.preferences(), elsewhere.held_preferences(&[ARN]), Allowed::default(), &secret);
        assert_eq!(steps[0].outcome, Outcome::Invalid, "{new}");
        let steps = plan(world.preferences(), vec![], Allowed::default(), &secret);
        assert_eq!(steps[0].outcome, Outcome::Invalid, "{new}");
    }
}
