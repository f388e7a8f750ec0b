//! Whether two of a kind say the same, and field by field what they do not.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::Tags;
use super::check::moment;
use super::resource::Resource;
use crate::model::{Date, Fault, Severity};
use crate::outcome::Change;

/// Lists without an order: what counts is who is in them.
const SETS: [&str; 6] = [
    "invoice_unit_arns",
    "seller_of_records",
    "einvoice_delivery_document_types",
    "einvoice_delivery_attachment_types",
    "linked_accounts",
    "bill_source_accounts",
];
/// What a field is when nothing is said of it, by the fields that it goes with.
const DEFAULTS: [(&str, &str, &str); 3] = [
    ("buyer_identifier", "buyer_domain", "NetworkID"),
    ("supplier_identifier", "supplier_domain", "NetworkID"),
    ("connection_testing_method", "protocol", "CXML"),
];

/// What something says, in one form for each meaning: without ARN, tags and secrets, with defaults, lists without an order
/// sorted, and moments in UTC.
pub(super) fn canon<T: Resource>(content: &T) -> Value {
    let mut value = serde_json::to_value(content).unwrap_or_default();
    if let Some(object) = value.as_object_mut() {
        object.remove("arn");
        object.remove("resource_tags");
        plain(object);
    }
    value
}

fn plain(object: &mut Map<String, Value>) {
    object.remove(super::resource::SECRET);
    for (beside, name, value) in DEFAULTS {
        if object.contains_key(beside) {
            object.entry(name).or_insert_with(|| value.into());
        }
    }
    // What is not enabled is not enabled, whether it is said or not.
    object.retain(|name, value| {
        !(value == &Value::Bool(false) && matches!(name.as_str(), "marketplace_punch_out_enabled" | "tax_inheritance_disabled"))
    });
    for (name, value) in object.iter_mut() {
        match value {
            Value::Object(inner) => plain(inner),
            Value::Array(list) if SETS.contains(&name.as_str()) => {
                let set: BTreeSet<String> = list.iter().filter_map(|entry| entry.as_str().map(str::to_owned)).collect();
                *list = set.into_iter().map(Value::String).collect();
            }
            Value::Array(list) if name == "purchase_order_data_sources" => *value = by_document(list),
            Value::Array(list) => list.iter_mut().filter_map(Value::as_object_mut).for_each(plain),
            Value::String(text) if name == "einvoice_delivery_activation_date" => {
                if let Some(moment) = text.parse::<Date>().ok().and_then(moment) {
                    *text = moment.to_string();
                }
            }
            _ => {}
        }
    }
}

/// What is wanted of orders, by the kind of document: the order of the entries says nothing.
fn by_document(sources: &[Value]) -> Value {
    let text = |source: &Value, name: &str| source.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let entry = |source: &Value| {
        (text(source, "einvoice_delivery_document_type"), text(source, "purchase_order_data_source_type").into())
    };
    Value::Object(sources.iter().map(entry).collect())
}

/// What changes when one becomes the other, tags included and secrets not.
pub(super) fn changes<T: Resource>(old: Option<&T>, new: &T) -> Vec<Change> {
    let mut all = Vec::new();
    let before = old.map(canon);
    differ(before.as_ref(), Some(&canon(new)), "", &mut all);
    // Tags that nobody speaks of stay.
    if let Some(wanted) = new.tags() {
        let none = Tags::default();
        let before = old.and_then(Resource::tags).unwrap_or(&none);
        for (name, value) in &wanted.0 {
            let was = before.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.to_string());
            if was.as_deref() != Some(value.as_str()) {
                all.push(Change { path: format!("resource_tags.{name}"), old: was, new: Some(value.to_string()) });
            }
        }
        for (name, value) in before.ours().filter(|(name, _)| wanted.0.iter().all(|(known, _)| known.as_str() != *name)) {
            all.push(Change { path: format!("resource_tags.{name}"), old: Some(value.to_owned()), new: None });
        }
    }
    all
}

/// Words that nobody here has heard of are AWS's when AWS holds them in that very field.
pub(super) fn believe<T: Resource>(faults: &mut [Fault], held: &T, wanted: &T) {
    let mut unknown: Vec<&mut Fault> = faults.iter_mut().filter(|fault| fault.rule == "AWS-002" && fault.is_error()).collect();
    if unknown.is_empty() {
        return;
    }
    let [held, wanted] = [held, wanted].map(|content| serde_json::to_value(content).unwrap_or_default());
    for fault in &mut unknown {
        let word = at(&wanted, &fault.path, true).into_iter().next();
        if word.is_some_and(|word| at(&held, &fault.path, false).contains(&word)) {
            fault.severity = Severity::Warning;
            fault.message.push_str("; AWS holds it, so it is taken for one of AWS's");
        }
    }
}

/// The values at a path such as `a.b[0].c`: the one at its very place, or those at all places of its lists.
fn at<'v>(value: &'v Value, path: &str, exactly: bool) -> Vec<&'v Value> {
    let mut values = vec![value];
    for part in path.split('.') {
        let (name, place) = part.split_once('[').unwrap_or((part, ""));
        values = values.into_iter().filter_map(|value| value.get(name)).collect();
        if let Some(place) = place.strip_suffix(']') {
            let entries = |value: &'v Value| value.as_array().into_iter().flatten();
            let entries = values.into_iter().flat_map(entries);
            values = match place.parse::<usize>() {
                Ok(place) if exactly => entries.skip(place).take(1).collect(),
                _ => entries.collect(),
            };
        }
    }
    values
}

fn differ(old: Option<&Value>, new: Option<&Value>, path: &str, all: &mut Vec<Change>) {
    if old == new {
        return;
    }
    let is = |kind: fn(&Value) -> bool| old.or(new).is_some_and(kind) && new.or(old).is_some_and(kind);
    if is(Value::is_object) {
        let members = |value: Option<&Value>| value.and_then(Value::as_object).cloned().unwrap_or_default();
        let (before, after) = (members(old), members(new));
        let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        for name in names {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            differ(before.get(name), after.get(name), &path, all);
        }
    } else if is(Value::is_array) {
        let entries = |value: Option<&Value>| value.and_then(Value::as_array).cloned().unwrap_or_default();
        let (before, after) = (entries(old), entries(new));
        if before.iter().chain(&after).any(Value::is_object) {
            for place in 0..before.len().max(after.len()) {
                differ(before.get(place), after.get(place), &format!("{path}[{place}]"), all);
            }
        } else {
            let change = |old: Option<&Value>, new: Option<&Value>| Change {
                path: path.to_owned(),
                old: old.map(shown),
                new: new.map(shown),
            };
            all.extend(before.iter().filter(|entry| !after.contains(entry)).map(|entry| change(Some(entry), None)));
            all.extend(after.iter().filter(|entry| !before.contains(entry)).map(|entry| change(None, Some(entry))));
        }
    } else {
        all.push(Change { path: path.to_owned(), old: old.map(shown), new: new.map(shown) });
    }
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
