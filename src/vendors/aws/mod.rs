//! AWS Invoicing: procurement portal preferences and invoice units, kept as files.
//!
//! A file says what is wanted, in the words of AWS's API (`procurement_portal_name` for `ProcurementPortalName`). It is read and
//! checked here without asking anybody, and written as the requests that would bring it about.
//!
//! Source: the API's model of 2024-12-01 as of botocore 1.44.5, and the pages of its operations.

mod check;
mod compare;
mod file;
mod held;
mod invoices;
mod plan;
mod preference;
mod reference;
mod reply;
mod resource;
mod saved;
mod settings;
mod text;
mod unit;
mod wire;

pub use check::{Judged, judge_preferences, judge_units, moment};
pub use file::File;
pub use held::{Held, Status};
pub use invoices::{AwsInvoice, Missing, Ours};
pub use plan::{Allowed, Step, delete, plan};
pub use preference::{Contact, DeliveryPreference, OrderSource, Preference, PunchOutPreference, Selector, Tags, TestEnvironment};
pub use reference::Reference;
pub use reply::{Meaning, Refusal, explain};
pub use resource::{Resource, SECRET, Secrets, TEST_SECRET};
pub use saved::{SCHEMA as PLAN_SCHEMA, SavedPlan, SavedStep};
pub use settings::AwsSettings;
pub use text::{Writable, file_name, file_text};
pub use unit::{InvoiceUnit, Rule};
pub use wire::{Call, Object};

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
