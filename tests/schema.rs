//! The JSON Schemas say what the readers take: the same fields, and the examples pass.

use payables_bridge::model::{document_schema, invoice_schema, purchase_order_schema, read};
use serde_json::Value;

use crate::support::{payables, project, run};

fn properties(schema: &Value) -> Vec<&str> {
    schema["properties"].as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn the_schema_has_the_fields_of_the_contract_and_refuses_others() {
    let schema = purchase_order_schema().to_value();
    let mut expected = [
        "kind",
        "number",
        "previous_number",
        "issue_date",
        "currency",
        "status",
        "note",
        "seller",
        "buyer",
        "approvers",
        "custom_fields",
        "lines",
    ];
    let mut found = properties(&schema);
    expected.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, expected);
    assert_eq!(schema["additionalProperties"], false);
    assert_eq!(schema["required"], serde_json::json!(["kind", "number", "issue_date", "currency", "note", "lines"]));
    let line = &schema["$defs"]["OrderLine"];
    assert_eq!(line["additionalProperties"], false);
    assert!(properties(line).contains(&"discount_amount"));
    assert!(properties(&invoice_schema().to_value()).contains(&"type"));
    assert_eq!(document_schema().to_value()["oneOf"].as_array().unwrap().len(), 2);
}

#[test]
fn both_readers_know_every_field_of_the_schema() {
    // A value that no field takes: the thorough reader names each field it knows by complaining of its value, and a
    // field that it did not know would be called unknown.
    for (kind, schema) in [("purchase_order", purchase_order_schema()), ("invoice", invoice_schema())] {
        let schema = schema.to_value();
        for field in properties(&schema).into_iter().filter(|field| *field != "kind") {
            let text = format!(r#"{{"kind": "{kind}", "{field}": true}}"#);
            let faults = read(&text).unwrap_err().faults;
            assert_eq!(faults.len(), 1, "{text}: {faults:?}");
            assert_eq!((&*faults[0].rule, &*faults[0].path), ("DOC-TYPE", field));
        }
    }
}

#[test]
fn every_schema_is_printed() {
    for name in ["document", "purchase-order", "invoice", "report", "config", "mapping"] {
        let output = run(payables().args(["schema", name]), b"");
        assert!(output.status.success());
        let schema: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert!(schema.is_object() && schema.get("$schema").is_some(), "{name}");
    }
}

#[test]
fn the_examples_are_read_and_written_without_loss() {
    let text = std::fs::read_to_string(project("examples/purchase-orders.jsonl")).unwrap();
    assert!(text.lines().count() >= 40);
    for line in text.lines() {
        let document = read(line).unwrap_or_else(|unreadable| panic!("{:?}", unreadable.faults));
        let written = serde_json::to_string(&document).unwrap();
        assert_eq!(read(&written).unwrap(), document, "{written}");
    }
}
