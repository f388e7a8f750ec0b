//! Plans: what is done, what is not, in which order.

use super::super::*;
use super::{COUPA, NOW, RESEARCH, RETAIL, SAP, with};
use crate::model::Fault;
use crate::outcome::{Action, Change, Outcome};
use crate::rules::Levels;
use crate::wire::Secret;

pub(super) const ARN: &str = "arn:aws:invoicing::123456789012:procurement-portal-preference/a";
pub(super) const OTHER: &str = "arn:aws:invoicing::123456789012:procurement-portal-preference/b";

pub(super) fn secret(reference: &Reference<'_>) -> Option<Secret> {
    reference.given().map(|reference| Secret::new(format!("canary of {reference}")))
}

/// Files, and what AWS would hold after they were applied.
pub(super) struct World(Vec<File>);

impl World {
    pub(super) fn of(texts: &[&str]) -> Self {
        Self(texts.iter().enumerate().map(|(place, text)| File::new(format!("{place}.toml"), text)).collect())
    }

    pub(super) fn preferences(&self) -> Vec<Judged<'_, Preference<'_>>> {
        judge_preferences(&self.0, &Levels::new(), NOW)
    }

    fn units(&self) -> Vec<Judged<'_, InvoiceUnit<'_>>> {
        judge_units(&self.0, &Levels::new())
    }

    pub(super) fn held_preferences<'w>(&'w self, arns: &[&str]) -> Vec<Held<Preference<'w>>> {
        let held = |(judged, arn): (Judged<'w, Preference<'w>>, &&str)| {
            let secrets = judged.content.secrets().into_iter().filter_map(|(path, reference)| Some((path, secret(reference)?)));
            let secrets = secrets.collect();
            let mut content = judged.content;
            content.arn = (*arn).to_owned().into();
            content.procurement_portal_shared_secret = Reference::default();
            if let Some(test) = &mut content.test_env_preference {
                test.procurement_portal_shared_secret = Reference::default();
            }
            Held { content, secrets, version: Some(1), statuses: vec![], facts: vec![] }
        };
        self.preferences().into_iter().zip(arns).map(held).collect()
    }

    fn held_units<'w>(&'w self, arns: &[&str]) -> Vec<Held<InvoiceUnit<'w>>> {
        let held = |(judged, arn): (Judged<'w, InvoiceUnit<'w>>, &&str)| {
            let mut content = judged.content;
            content.arn = (*arn).to_owned().into();
            Held { content, secrets: vec![], version: None, statuses: vec![], facts: vec![] }
        };
        self.units().into_iter().zip(arns).map(held).collect()
    }
}

/// What the steps are: what is done, to what, with which outcome, and which errors are told.
pub(super) fn told<T: Resource>(steps: &[Step<T>]) -> Vec<(Action, Option<String>, Outcome, Vec<String>)> {
    let rules =
        |step: &Step<T>| step.faults.iter().filter(|fault| fault.is_error()).map(|fault| fault.rule.to_string()).collect();
    steps.iter().map(|step| (step.action, step.arn().map(str::to_owned), step.outcome, rules(step))).collect()
}

pub(super) fn operations<T: Resource>(step: &Step<T>) -> Vec<&'static str> {
    step.calls().iter().map(Call::operation).collect()
}

pub(super) fn change(path: &str, old: Option<&str>, new: Option<&str>) -> Change {
    Change { path: path.to_owned(), old: old.map(str::to_owned), new: new.map(str::to_owned) }
}

#[test]
fn what_aws_holds_already_is_left_alone_however_it_is_written() {
    let world = World::of(&[COUPA, SAP]);
    let mut held = world.held_preferences(&[ARN, OTHER]);
    // AWS tells what is taken for granted in files, in an order of its own.
    let coupa = &mut held[0].content;
    coupa.buyer_domain = "NetworkID".into();
    let delivery = coupa.einvoice_delivery_preference.as_mut().unwrap();
    delivery.protocol = "CXML".into();
    delivery.einvoice_delivery_document_types.reverse();
    delivery.purchase_order_data_sources.reverse();
    delivery.einvoice_delivery_activation_date = "2099-01-01T01:00:00+01:00".parse::<crate::model::Date>().unwrap().into();
    coupa.resource_tags.get_or_insert_default().0.push(("aws:cloudformation:stack-name".into(), "x".into()));
    held[1].content.marketplace_punch_out_enabled = false.into();
    held[1].content.resource_tags.get_or_insert_default().0.push(("somebody".into(), "else".into()));
    let steps = plan(world.preferences(), held, Allowed::default(), &secret);
    let unchanged = |arn: &str| (Action::Keep, Some(arn.to_owned()), Outcome::Unchanged, vec![]);
    assert_eq!(told(&steps), [unchanged(ARN), unchanged(OTHER)]);
    assert!(steps.iter().all(|step| step.calls().is_empty()));
}

#[test]
fn a_change_is_told_field_by_field_and_secrets_are_not() {
    let world = World::of(&[COUPA]);
    let mut held = world.held_preferences(&[ARN]);
    held[0].secrets = vec![(SECRET, Secret::new("canary of old"))];
    held[0].content.contacts[0].email = "old@example.com".into();
    held[0].content.selector.seller_of_records = vec!["AWS_EUROPE".into()];
    held[0].content.einvoice_delivery_preference.as_mut().unwrap().purchase_order_data_sources.pop();
    held[0].content.resource_tags = Some(Tags(vec![("team".into(), "x".into()), ("old".into(), "y".into())]));
    let steps = plan(world.preferences(), held, Allowed::default(), &secret);
    let sources = "einvoice_delivery_preference.purchase_order_data_sources.AWS_MARKETPLACE_INVOICE";
    assert_eq!(
        steps[0].changes,
        [
            change("contacts[0].email", Some("old@example.com"), Some("ap@example.com")),
            change(sources, None, Some("ASSOCIATED_PURCHASE_ORDER_REQUIRED")),
            change("selector.seller_of_records", Some("AWS_EUROPE"), None),
            change("selector.seller_of_records", None, Some("AWS_INC")),
            change("resource_tags.team", Some("x"), Some("finance")),
            change("resource_tags.old", Some("y"), None),
            change(SECRET, Some("(a secret)"), Some("(a secret) from env:COUPA_SHARED_SECRET")),
        ]
    );
    assert_eq!(operations(&steps[0]), ["PutProcurementPortalPreference", "UntagResource", "TagResource"]);
    let saved = serde_json::to_string(&SavedPlan::of("aws", String::new(), String::new(), &steps)).unwrap();
    let said = format!("{saved} {:?}", steps[0]);
    assert!(!said.contains("canary"), "{said}");
}

#[test]
fn only_tags_that_change_need_no_put() {
    let world = World::of(&[COUPA]);
    let mut held = world.held_preferences(&[ARN]);
    held[0].content.resource_tags = Some(Tags(vec![("team".into(), "x".into())]));
    let steps = plan(world.preferences(), held, Allowed::default(), &secret);
    assert_eq!(operations(&steps[0]), ["TagResource"]);
}

#[test]
fn what_cannot_be_changed_is_replaced_only_when_that_is_said() {
    let text = format!("arn = \"{ARN}\"\n{}", with(COUPA, "\"acme\"", "\"acme-2\""));
    let (world, before) = (World::of(&[&text]), World::of(&[COUPA]));
    let steps = |replace| plan(world.preferences(), before.held_preferences(&[ARN]), Allowed { replace, prune: false }, &secret);
    let told_of = |outcome, rules: &[&str]| {
        (Action::Replace, Some(ARN.to_owned()), outcome, rules.iter().map(|rule| (*rule).to_owned()).collect())
    };
    assert_eq!(told(&steps(false)), [told_of(Outcome::Held, &["AWS-051"])]);
    let steps = steps(true);
    assert_eq!(told(&steps), [told_of(Outcome::Planned, &[])]);
    assert_eq!(operations(&steps[0]), ["DeleteProcurementPortalPreference", "CreateProcurementPortalPreference"]);
    assert!(steps[0].destroys());
}

#[test]
fn nothing_is_deleted_because_nobody_speaks_of_it_unless_that_is_said() {
    let (world, before) = (World::of(&[COUPA]), World::of(&[COUPA, SAP]));
    let steps = |files: &World, prune| {
        told(&plan(files.preferences(), before.held_preferences(&[ARN, OTHER]), Allowed { prune, replace: false }, &secret))
    };
    let keep = (Action::Keep, Some(ARN.to_owned()), Outcome::Unchanged, vec![]);
    assert_eq!(steps(&world, false), std::slice::from_ref(&keep));
    let delete = |outcome, rules: &[&str]| {
        (Action::Delete, Some(OTHER.to_owned()), outcome, rules.iter().map(|rule| (*rule).to_owned()).collect::<Vec<_>>())
    };
    assert_eq!(steps(&world, true), [delete(Outcome::Planned, &[]), keep.clone()]);
    // The file that cannot be read may be the one that speaks of it.
    let broken = World::of(&[COUPA, "procurement_portal_name = \"SAP"]);
    let invalid = (Action::Create, None, Outcome::Invalid, vec!["AWS-040".to_owned()]);
    assert_eq!(steps(&broken, true), [delete(Outcome::Held, &["AWS-052"]), keep, invalid]);
}

#[test]
fn which_one_is_meant_is_found_by_arn_or_by_what_cannot_change() {
    let before = World::of(&[COUPA, SAP]);
    let rules_of = |texts: &[&str], arns: &[&str]| {
        let world = World::of(texts);
        let steps = plan(world.preferences(), before.held_preferences(arns), Allowed::default(), &secret);
        let rules = |step: &Step<_>| step.faults.iter().map(|fault: &Fault| fault.rule.to_string()).collect::<Vec<_>>();
        steps.iter().map(|step| (step.arn().map(str::to_owned), rules(step))).collect::<Vec<_>>()
    };
    let gone = format!("arn = \"{ARN}x\"\n{COUPA}");
    assert_eq!(rules_of(&[&gone], &[ARN, OTHER]), [(Some(ARN.to_owned()), vec!["AWS-043".to_owned()])]);
    // Two files, of which one names it by its ARN, and says that it is to be another.
    let renamed = format!("arn = \"{ARN}\"\n{}", with(COUPA, "\"acme\"", "\"acme-2\""));
    let [first, second] = rules_of(&[&renamed, COUPA], &[ARN, OTHER]).try_into().unwrap();
    assert_eq!(first, (Some(ARN.to_owned()), vec!["AWS-051".to_owned()]));
    assert_eq!(second, (None, vec!["AWS-041".to_owned()]));
    // Units may have one name twice at AWS.
    let twice = World::of(&[RETAIL, RETAIL]);
    let world = World::of(&[RETAIL]);
    let steps = plan(world.units(), twice.held_units(&["arn:1", "arn:2"]), Allowed::default(), &secret);
    assert_eq!(told(&steps), [(Action::Create, None, Outcome::Invalid, vec!["AWS-044".to_owned()])]);
}

#[test]
fn an_account_leaves_one_unit_before_it_joins_another() {
    let moved = with(RETAIL, "[\"333344445555\"]", "[\"333344445555\", \"222233334444\"]");
    let left = with(RESEARCH, "[\"111122223333\", \"222233334444\"]", "[\"111122223333\"]");
    let before = World::of(&[RESEARCH, RETAIL]);
    // The unit that takes the account stands first.
    let world = World::of(&[&moved, &left]);
    let steps = plan(world.units(), before.held_units(&["arn:research", "arn:retail"]), Allowed::default(), &secret);
    let order: Vec<_> = steps.iter().map(|step| (step.arn().unwrap_or_default(), step.outcome)).collect();
    assert_eq!(order, [("arn:research", Outcome::Planned), ("arn:retail", Outcome::Planned)]);
    // Each wants what the other has.
    let swapped = with(RETAIL, "[\"333344445555\"]", "[\"222233334444\"]");
    let other = with(RESEARCH, "\"222233334444\"]", "\"333344445555\"]");
    let world = World::of(&[&swapped, &other]);
    let steps = plan(world.units(), before.held_units(&["arn:research", "arn:retail"]), Allowed::default(), &secret);
    assert!(steps.iter().all(|step| step.outcome == Outcome::Held), "{:?}", told(&steps));
    assert!(told(&steps).iter().all(|(.., rules)| rules == &["AWS-053"]));
    // The one that has it is not sound, so it gives nothing up.
    let unsound = with(&left, "name = \"Research\"", "name = \" Research\"");
    let world = World::of(&[&moved, &format!("arn = \"arn:aws:invoicing::123456789012:unit\"\n{unsound}")]);
    let arns = ["arn:aws:invoicing::123456789012:unit", "arn:retail"];
    let steps = plan(world.units(), before.held_units(&arns), Allowed::default(), &secret);
    let outcomes: Vec<_> = steps.iter().map(|step| step.outcome).collect();
    assert!(outcomes.contains(&Outcome::Held) && outcomes.contains(&Outcome::Invalid), "{:?}", told(&steps));
}

#[test]
fn a_name_is_given_up_before_another_takes_it() {
    let text = |arn: &str, buyer: &str| format!("arn = \"{arn}\"\n{}", with(COUPA, "\"acme\"", &format!("\"{buyer}\"")));
    let replace = Allowed { prune: false, replace: true };
    let before = World::of(&[COUPA, &with(COUPA, "\"acme\"", "\"acme-2\"")]);
    let steps = |wanted: [&str; 2], allowed| {
        let world = World::of(&[&text(ARN, wanted[0]), &text(OTHER, wanted[1])]);
        let steps = plan(world.preferences(), before.held_preferences(&[ARN, OTHER]), allowed, &secret);
        let saved = serde_json::to_string(&SavedPlan::of("aws", String::new(), String::new(), &steps)).unwrap();
        let saved: SavedPlan<Preference<'_>> = serde_json::from_str(&saved).unwrap();
        let again = saved.follow(before.held_preferences(&[ARN, OTHER]), &secret);
        let told_of = |steps: &[Step<Preference<'_>>]| {
            told(steps).into_iter().map(|(_, arn, outcome, rules)| (arn, outcome, rules)).collect::<Vec<_>>()
        };
        (told_of(&steps), told_of(&again))
    };
    let one = |arn: &str, outcome, rules: &[&str]| {
        (Some(arn.to_owned()), outcome, rules.iter().map(|rule| (*rule).to_owned()).collect::<Vec<_>>())
    };
    // The second one gives up the name that the first one takes.
    let (chain, again) = steps(["acme-2", "acme-3"], replace);
    assert_eq!(chain, [one(OTHER, Outcome::Planned, &[]), one(ARN, Outcome::Planned, &[])]);
    assert_eq!(again, chain);
    // Each wants the name of the other, and none can begin; or the other one stays.
    let swap = steps(["acme-2", "acme"], replace).0;
    assert_eq!(swap, [one(OTHER, Outcome::Held, &["AWS-061"]), one(ARN, Outcome::Held, &["AWS-061"])]);
    let taken = steps(["acme-2", "acme-2"], replace).0;
    assert!(taken.iter().all(|(_, outcome, _)| *outcome != Outcome::Planned), "{taken:?}");
}

#[test]
fn a_file_that_is_imported_says_what_aws_holds_and_no_secret() {
    for (texts, arns) in [([COUPA, SAP], [ARN, OTHER])] {
        let world = World::of(&texts);
        for held in world.held_preferences(&arns) {
            let text = file_text(&held, None).unwrap();
            assert!(!text.contains("canary"), "{text}");
            let again = [File::new("imported.toml", &text)];
            let [judged] = judge_preferences(&again, &Levels::new(), NOW).try_into().unwrap();
            assert!(judged.is_sound(), "{text}\n{:?}", judged.faults);
            let secrets = held.secrets.clone();
            let known = |reference: &Reference<'_>| {
                let field = if reference.given()?.contains("TEST_SECRET") { TEST_SECRET } else { SECRET };
                secrets.iter().find(|(path, _)| *path == field).map(|(_, secret)| secret.clone())
            };
            let steps = plan(vec![judged], vec![held.clone()], Allowed::default(), &known);
            assert_eq!(steps[0].action, Action::Keep, "{text}\n{:?}", steps[0].changes);
        }
    }
    let world = World::of(&[RESEARCH]);
    let held = world.held_units(&["arn:aws:invoicing::123456789012:invoice-unit/unit-1"]);
    assert_eq!(file_name(&held[0]), "research-unit-1.toml");
    let again = [File::new("imported.toml", &file_text(&held[0], None).unwrap())];
    let steps = plan(judge_units(&again, &Levels::new()), held, Allowed::default(), &secret);
    assert_eq!(steps[0].action, Action::Keep, "{:?}", steps[0].changes);
}

#[test]
fn text_of_aws_cannot_break_out_of_a_file() {
    let world = World::of(&[COUPA]);
    let mut held = world.held_preferences(&[ARN]).remove(0);
    let evil = "x\"\nprocurement_portal_shared_secret = \"env:X\"\r# ";
    held.content.contacts[0].name = evil.into();
    held.statuses =
        vec![Status { part: "einvoice", word: "ACTIVE\nbuyer_identifier = \"y\"".into(), reason: Some("a\rb".into()) }];
    let again = [File::new("imported.toml", &file_text(&held, None).unwrap())];
    let [judged] = judge_preferences(&again, &Levels::new(), NOW).try_into().unwrap();
    assert_eq!(judged.content.contacts[0].name.as_str(), evil);
    assert_eq!(judged.content.buyer_identifier.as_str(), "acme");
}

#[test]
fn what_may_be_spoken_of_is_not_pruned() {
    let twice = World::of(&[RETAIL, RETAIL]);
    let world = World::of(&[RETAIL]);
    let prune = Allowed { prune: true, replace: true };
    let steps = plan(world.units(), twice.held_units(&["arn:1", "arn:2"]), prune, &secret);
    assert!(steps.iter().all(|step| step.outcome != Outcome::Planned), "{:?}", told(&steps));
    // Two files for the two of them, told apart by their ARNs, are sound.
    let arns = ["a", "b"].map(|end| format!("arn:aws:invoicing::123456789012:invoice-unit/{end}"));
    let texts = arns.clone().map(|arn| format!("arn = \"{arn}\"\n{}", RETAIL.replace("333344445555\"]", "333344445555\"] # x")));
    let first = World::of(&[&texts[0], &texts[1].replacen("[\"333344445555\"]", "[\"444455556666\"]", 1)]);
    let rules: Vec<_> = first.units().into_iter().flat_map(|judged| judged.faults).map(|fault| fault.rule).collect();
    assert_eq!(rules, Vec::<String>::new());
}

#[test]
fn nothing_is_deleted_for_what_cannot_be_made() {
    // The new name is that of another one.
    let arn = "arn:aws:invoicing::123456789012:invoice-unit/research";
    let renamed = format!(
        "arn = \"{arn}\"\n{}",
        with(&with(RESEARCH, "\"Research\"", "\"Retail\""), "\"111122223333\"", "\"333344445555\"")
    );
    let world = World::of(&[&renamed]);
    let before = World::of(&[RESEARCH, RETAIL]);
    let replace = Allowed { prune: false, replace: true };
    let steps = plan(world.units(), before.held_units(&[arn, "arn:retail"]), replace, &secret);
    assert_eq!((steps[0].action, steps[0].outcome), (Action::Replace, Outcome::Held), "{:?}", told(&steps));
    // An account is in a unit of which nobody speaks.
    let greedy =
        format!("arn = \"{arn}\"\n{}", with(&with(RESEARCH, "\"Research\"", "\"Else\""), "\"222233334444\"", "\"333344445555\""));
    let world = World::of(&[&greedy]);
    let steps = plan(world.units(), before.held_units(&[arn, "arn:retail"]), replace, &secret);
    assert_eq!(told(&steps)[0].3, ["AWS-053"], "{:?}", told(&steps));
}
