//! The JSON Schemas of the canonical documents.

use schemars::generate::SchemaSettings;
use schemars::{Schema, json_schema};

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
    json_schema!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Canonical document",
        "oneOf": kinds,
        "$defs": definitions,
    })
}

fn titled(mut schema: Schema, title: &str) -> Schema {
    schema.insert("title".into(), title.into());
    schema
}
