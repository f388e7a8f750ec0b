//! AWS Invoicing: procurement portal preferences and invoice units, kept as files.
//!
//! A file says what is wanted, in the words of AWS's API (`procurement_portal_name` for `ProcurementPortalName`). It is read and
//! checked here without asking anybody, and written as the requests that would bring it about.
//!
//! Source: the API's model of 2024-12-01 as of botocore 1.44.5, and the pages of its operations.

mod check;
mod file;
mod preference;
mod reference;
mod unit;
mod wire;

pub use check::{Judged, judge_preferences, judge_units};
pub use file::File;
pub use preference::{Contact, DeliveryPreference, OrderSource, Preference, PunchOutPreference, Selector, Tags, TestEnvironment};
pub use reference::Reference;
pub use unit::{InvoiceUnit, Rule};
pub use wire::{Call, Operation};

use schemars::{Schema, generate::SchemaSettings};

/// The JSON Schema of a file with a procurement portal preference.
pub fn preference_schema() -> Schema {
    SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<Preference<'_>>()
}

/// The JSON Schema of a file with an invoice unit.
pub fn unit_schema() -> Schema {
    SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<InvoiceUnit<'_>>()
}

#[cfg(test)]
mod tests;
