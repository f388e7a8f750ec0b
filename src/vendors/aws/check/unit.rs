//! What an invoice unit has to be.

use std::collections::BTreeMap;

use super::Judged;
use super::shared::Checker;
use crate::model::{Fault, Path, Text, shorten};
use crate::vendors::aws::InvoiceUnit;

/// Checks one.
pub(super) fn check(unit: &InvoiceUnit<'_>, faults: &mut Vec<Fault>) {
    let mut checker = Checker { faults };
    let root = Path::ROOT;
    if unit.arn.given().is_some_and(|arn| !is_arn(arn)) {
        checker.error("AWS-022", &root.field("arn"), format!("{:?} is not the ARN of an invoice unit", shorten(&unit.arn)));
    }
    let at = root.field("name");
    checker.required(unit.name.is_given(), &at, "give the unit a name");
    if unit.name.given().is_some_and(|name| !is_name(name)) {
        let message = format!(
            "{:?} is no name that AWS takes: 1 to 50 letters, digits, blanks, - and _, and no blank at its ends",
            shorten(&unit.name)
        );
        checker.error("AWS-030", &at, message);
    }
    let at = root.field("invoice_receiver");
    checker.required(unit.invoice_receiver.is_given(), &at, "name the account that receives the invoice");
    checker.account(&unit.invoice_receiver, &at);
    checker.length(&unit.description, 500, &root.field("description"));
    let at = root.field("rule");
    let (linked, sources) = (&unit.rule.linked_accounts, &unit.rule.bill_source_accounts);
    let is_empty = linked.is_empty() && sources.is_empty();
    checker.required(!is_empty, &at, "name linked_accounts or bill_source_accounts");
    for (accounts, name) in [(linked, "linked_accounts"), (sources, "bill_source_accounts")] {
        let at = at.field(name);
        checker.count(accounts.len(), 1000, &at);
        accounts.iter().enumerate().for_each(|(place, account)| checker.account(account, &at.index(place)));
    }
    checker.tags(unit.resource_tags.as_ref(), &root.field("resource_tags"));
}

/// `(?! )[\p{L}\p{N}\p{Z}-_]*(?<! )`, 1 to 50 characters. A blank is what Unicode calls one.
fn is_name(name: &str) -> bool {
    let is_good = |c: char| c.is_alphanumeric() || (c.is_whitespace() && !c.is_control()) || matches!(c, '-' | '_');
    let has_blank_end = name.starts_with(' ') || name.ends_with(' ');
    (1..=50).contains(&name.chars().count()) && name.chars().all(is_good) && !has_blank_end
}

/// `arn:aws[-a-z0-9]*:[a-z0-9]+:[-a-z0-9]*:[0-9]{12}:[-a-zA-Z0-9/:_]+`, at most 256 characters.
pub(super) fn is_arn(arn: &str) -> bool {
    let mut parts = arn.splitn(6, ':');
    let mut part = || parts.next().unwrap_or_default();
    let (arn_word, partition, service, region, account, rest) = (part(), part(), part(), part(), part(), part());
    let lower = |text: &str| text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    arn.len() <= 256
        && arn_word == "arn"
        && partition.starts_with("aws")
        && lower(partition)
        && !service.is_empty()
        && lower(service)
        && !service.contains('-')
        && lower(region)
        && account.len() == 12
        && account.bytes().all(|byte| byte.is_ascii_digit())
        && !rest.is_empty()
        && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-/:_".contains(&byte))
}

/// An account belongs to one unit at most.
pub(super) fn accounts_in_one_unit(all: &mut [Judged<'_, InvoiceUnit<'_>>]) {
    let mut units: BTreeMap<String, (usize, String)> = BTreeMap::new();
    let mut twice = Vec::new();
    for (place, judged) in all.iter().enumerate() {
        for (index, account) in judged.content.rule.linked_accounts.iter().enumerate().filter(|(_, account)| account.is_given()) {
            match units.get(account.as_str()) {
                None => _ = units.insert(account.to_string(), (place, judged.name.to_owned())),
                Some((_, other)) => twice.push((place, index, account.to_string(), other.clone())),
            }
        }
    }
    for (place, index, account, other) in twice {
        let Some(judged) = all.get_mut(place) else { continue };
        let (rule, here) = (Path::ROOT.field("rule"), Text::from(other));
        let list = rule.field("linked_accounts");
        let message = if here.as_str() == judged.name {
            format!("{account} stands here twice")
        } else {
            format!("{account} is in {} already, and an account belongs to one unit at most", here.as_str())
        };
        judged.faults.push(Fault::error("AWS-032", list.index(index), message));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_arns_have_the_forms_of_the_model() {
        let long = "x".repeat(51);
        let names = ["Team-1_ü 漢", "x", "", " x", "x ", "x/y", "a\u{7}b", "a.b", &long];
        assert_eq!(names.map(is_name), [true, true, false, false, false, false, false, false, false]);
        let arns = [
            "arn:aws:invoicing::123456789012:invoice-unit/abc_1",
            "arn:aws-us-gov:invoicing:us-gov-east-1:123456789012:invoice-unit/a",
            "arn:aws:invoicing::12345678901:invoice-unit/a",
            "arn:aws:invoicing::123456789012:",
            "arn:azure:invoicing::123456789012:a",
            "",
        ];
        assert_eq!(arns.map(is_arn), [true, true, false, false, false, false]);
    }
}
