//! The JSON Schemas of the canonical documents.

use schemars::generate::SchemaSettings;
use schemars::{Schema, json_schema};
use serde_json::{Value, json};

use super::{Invoice, PurchaseOrder};

/// The JSON Schema of a purchase order.
pub fn purchase_order_schema() -> Schema {
    titled(SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<PurchaseOrder<'static>>(), "Purchase order")
}

/// The JSON Schema of an invoice or a credit note.
pub fn invoice_schema() -> Schema {
    titled(SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<Invoice<'static>>(), "Invoice or credit note")
}

/// The JSON Schema of a canonical document of either kind.
pub fn document_schema() -> Schema {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let kinds = [generator.subschema_for::<PurchaseOrder<'static>>(), generator.subschema_for::<Invoice<'static>>()];
    let definitions = generator.take_definitions(true);
    let schema = json_schema!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "oneOf": kinds,
        "$defs": definitions,
    });
    titled(schema, "Canonical document")
}

fn titled(mut schema: Schema, title: &str) -> Schema {
    schema.insert("title".into(), title.into());
    allow_nothing(&mut schema);
    schema
}

/// Lists and parts may be `null` or `""`, as every scalar may: both mean "not given".
fn allow_nothing(schema: &mut Schema) {
    fn walk(value: &mut Value) {
        let Some(object) = value.as_object_mut() else { return };
        if let Some(properties) = object.get_mut("properties").and_then(Value::as_object_mut) {
            for property in properties.values_mut() {
                let is_part = property.get("$ref").is_some() || property.get("type").is_some_and(|kind| kind == "array");
                if is_part || property.get("anyOf").is_some_and(|any| any.to_string().contains("$ref")) {
                    let part = property.take();
                    *property = json!({ "anyOf": [part, { "enum": [null, ""] }] });
                }
            }
        }
        if let Some(definitions) = object.get_mut("$defs").and_then(Value::as_object_mut) {
            definitions.values_mut().for_each(walk);
        }
    }
    let mut value = schema.clone().to_value();
    walk(&mut value);
    // What was a schema still is one.
    if let Ok(changed) = Schema::try_from(value) {
        *schema = changed;
    }
}
