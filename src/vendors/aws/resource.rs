//! What preferences and units have in common: both are known by an ARN or by what cannot be changed in them, both have tags,
//! and both are created, changed and deleted by requests.

use serde::Serialize;

use super::check;
use super::wire::Object;
use super::{InvoiceUnit, Preference, Reference, Tags};
use crate::model::{Fault, Text};

/// The fields of a preference that hold secrets.
pub const SECRET: &str = "procurement_portal_shared_secret";
/// The one of the test environment.
pub const TEST_SECRET: &str = "test_env_preference.procurement_portal_shared_secret";

/// What gives the text of a secret that a reference stands for.
pub type Secrets<'s> = &'s dyn Fn(&Reference<'_>) -> String;

/// Something that is kept at AWS: a [`Preference`] or an [`InvoiceUnit`].
pub trait Resource: Serialize {
    /// What it is called in plans and on the command line.
    const WORD: &'static str;
    /// What it is called in sentences.
    const NOUN: &'static str;
    /// The fields that cannot be changed.
    const FIXED: &'static [&'static str];
    /// The operations that create, change and delete one.
    const OPERATIONS: [&'static str; 3];
    /// The member of requests that holds the ARN.
    const ARN: &'static str;

    /// Its ARN, if it is known.
    fn arn(&self) -> Option<&str>;
    /// What it is known by without an ARN: the texts that tell it from others.
    fn identity(&self) -> Option<String>;
    /// What it is called for people.
    fn name(&self) -> Option<String>;
    /// Its tags; nothing where nobody speaks of them.
    fn tags(&self) -> Option<&Tags<'_>>;
    /// Has the tags that something held has, but for AWS's own; where there are none, nobody speaks of them.
    fn take_tags(&mut self, held: Option<&Tags<'_>>);
    /// Where its secrets are, by the fields that they stand in.
    fn secrets(&self) -> Vec<(&'static str, &Reference<'_>)> {
        Vec::new()
    }
    /// Accounts of which each belongs to one of its kind at most.
    fn accounts(&self) -> &[Text<'_>] {
        &[]
    }
    /// What is to be said of it by itself.
    fn judge(&self, unix_seconds: u64) -> Vec<Fault>;
    /// Writes what creates one, but for the token.
    fn write_create(&self, object: &mut Object<'_>, secrets: Secrets<'_>);
    /// Writes what makes one that is there become this, but for its ARN and the token.
    fn write_change(&self, object: &mut Object<'_>, secrets: Secrets<'_>);
}

/// Texts that together tell one thing from another, if all are given.
fn joined(texts: &[&Text<'_>]) -> Option<String> {
    let parts: Option<Vec<&str>> = texts.iter().map(|text| text.given()).collect();
    parts.map(|parts| parts.join(" "))
}

fn ours(tags: &Tags<'_>) -> Option<Tags<'static>> {
    let ours: Vec<_> = tags.ours().map(|(name, value)| (name.to_owned().into(), value.to_owned().into())).collect();
    (!ours.is_empty()).then_some(Tags(ours))
}

impl Resource for Preference<'_> {
    const WORD: &'static str = "portal";
    const NOUN: &'static str = "preference";
    const FIXED: &'static [&'static str] =
        &["procurement_portal_name", "buyer_domain", "buyer_identifier", "supplier_domain", "supplier_identifier"];
    const OPERATIONS: [&'static str; 3] =
        ["CreateProcurementPortalPreference", "PutProcurementPortalPreference", "DeleteProcurementPortalPreference"];
    const ARN: &'static str = "ProcurementPortalPreferenceArn";

    fn arn(&self) -> Option<&str> {
        self.arn.given()
    }

    fn identity(&self) -> Option<String> {
        joined(&[&self.procurement_portal_name, &self.buyer_identifier, &self.supplier_identifier])
    }

    fn name(&self) -> Option<String> {
        self.identity()
    }

    fn tags(&self) -> Option<&Tags<'_>> {
        self.resource_tags.as_ref()
    }

    fn take_tags(&mut self, held: Option<&Tags<'_>>) {
        self.resource_tags = held.and_then(ours);
    }

    fn secrets(&self) -> Vec<(&'static str, &Reference<'_>)> {
        let test = self.test_env_preference.as_ref().map(|test| (TEST_SECRET, &test.procurement_portal_shared_secret));
        let all = [(SECRET, &self.procurement_portal_shared_secret)].into_iter().chain(test);
        all.filter(|(_, reference)| reference.given().is_some()).collect()
    }

    fn judge(&self, unix_seconds: u64) -> Vec<Fault> {
        check::preference(self, unix_seconds)
    }

    fn write_create(&self, object: &mut Object<'_>, secrets: Secrets<'_>) {
        object.preference_identity(self);
        object.preference(self, secrets);
        object.tags(self.tags());
    }

    fn write_change(&self, object: &mut Object<'_>, secrets: Secrets<'_>) {
        object.preference(self, secrets);
    }
}

impl Resource for InvoiceUnit<'_> {
    const WORD: &'static str = "invoice-unit";
    const NOUN: &'static str = "invoice unit";
    const FIXED: &'static [&'static str] = &["name", "invoice_receiver"];
    const OPERATIONS: [&'static str; 3] = ["CreateInvoiceUnit", "UpdateInvoiceUnit", "DeleteInvoiceUnit"];
    const ARN: &'static str = "InvoiceUnitArn";

    fn arn(&self) -> Option<&str> {
        self.arn.given()
    }

    fn identity(&self) -> Option<String> {
        joined(&[&self.invoice_receiver, &self.name])
    }

    fn name(&self) -> Option<String> {
        self.name.given().map(str::to_owned)
    }

    fn tags(&self) -> Option<&Tags<'_>> {
        self.resource_tags.as_ref()
    }

    fn take_tags(&mut self, held: Option<&Tags<'_>>) {
        self.resource_tags = held.and_then(ours);
    }

    fn accounts(&self) -> &[Text<'_>] {
        &self.rule.linked_accounts
    }

    fn judge(&self, _: u64) -> Vec<Fault> {
        check::unit(self)
    }

    fn write_create(&self, object: &mut Object<'_>, _: Secrets<'_>) {
        object.text("Name", &self.name);
        object.text("InvoiceReceiver", &self.invoice_receiver);
        object.text("Description", &self.description);
        object.flag("TaxInheritanceDisabled", *self.tax_inheritance_disabled);
        object.rule(&self.rule);
        object.tags(self.tags());
    }

    /// All of it is said, also what is not given: what is left out stays as it is.
    fn write_change(&self, object: &mut Object<'_>, _: Secrets<'_>) {
        object.word("Description", &self.description);
        object.flag("TaxInheritanceDisabled", Some(self.tax_inheritance_disabled.unwrap_or(false)));
        object.rule(&self.rule);
    }
}
