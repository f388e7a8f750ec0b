//! A procurement portal preference as a file has it: how AWS's invoices reach a portal, and how orders are fetched from there.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use super::reference::Reference;
use crate::model::gather::{Gather, Members, Sink, record};
use crate::model::{Date, Fault, Given, Path, Text};

record! {
    /// A procurement portal preference (`CreateProcurementPortalPreference`).
    #[schemars(extend("required" = ["procurement_portal_name", "buyer_identifier", "supplier_identifier", "einvoice_delivery_enabled",
        "purchase_order_retrieval_enabled", "contacts"]))]
    pub struct Preference<'a> {
        /// Its ARN, once AWS has it. Written by `portal import`; without it the preference is known by portal, buyer and supplier.
        arn: Text<'a>,
        /// `SAP_BUSINESS_NETWORK` or `COUPA`.
        procurement_portal_name: Text<'a>,
        /// `NetworkID`, which it is when it is not given.
        buyer_domain: Text<'a>,
        /// Who buys, as the portal knows them.
        buyer_identifier: Text<'a>,
        /// `NetworkID`, which it is when it is not given.
        supplier_domain: Text<'a>,
        /// AWS's seller, as the portal knows it.
        supplier_identifier: Text<'a>,
        /// Which invoices it is for.
        selector: Selector<'a>,
        /// Where the secret is that AWS shows to the portal.
        procurement_portal_shared_secret: Reference<'a>,
        /// Where invoices are sent to, https.
        procurement_portal_instance_endpoint: Text<'a>,
        /// The portal's test environment.
        test_env_preference: Option<TestEnvironment<'a>>,
        /// Whether invoices are delivered.
        einvoice_delivery_enabled: Given<bool>,
        /// How they are delivered.
        einvoice_delivery_preference: Option<DeliveryPreference<'a>>,
        /// Whether orders are fetched from the portal.
        purchase_order_retrieval_enabled: Given<bool>,
        /// Whether purchases on the Marketplace are approved in the portal (Coupa).
        marketplace_punch_out_enabled: Given<bool>,
        /// How that is done.
        marketplace_punch_out_preference: Option<PunchOutPreference<'a>>,
        /// Whom AWS writes to: exactly one.
        contacts: Vec<Contact<'a>>,
        /// Tags, as a table. Without it those that are there stay; with it they become these, and an empty one takes all away.
        resource_tags: Option<Tags<'a>>,
    }
}

record! {
    /// Which invoices a preference is for.
    pub struct Selector<'a> {
        /// ARNs of invoice units, at most 500.
        invoice_unit_arns: Vec<Text<'a>>,
        /// Sellers of record such as `AWS_INC`, at most 100.
        seller_of_records: Vec<Text<'a>>,
    }
}

record! {
    /// The portal's test environment.
    #[schemars(extend("required" = ["buyer_identifier", "supplier_identifier"]))]
    pub struct TestEnvironment<'a> {
        /// `NetworkID`, which it is when it is not given.
        buyer_domain: Text<'a>,
        /// Who buys, as the test environment knows them.
        buyer_identifier: Text<'a>,
        /// `NetworkID`, which it is when it is not given.
        supplier_domain: Text<'a>,
        /// AWS's seller, as the test environment knows it.
        supplier_identifier: Text<'a>,
        /// Where the secret is that AWS shows there.
        procurement_portal_shared_secret: Reference<'a>,
        /// Where invoices are sent to, https.
        procurement_portal_instance_endpoint: Text<'a>,
    }
}

record! {
    /// How invoices are delivered.
    #[schemars(extend("required" = ["einvoice_delivery_document_types", "purchase_order_data_sources", "connection_testing_method",
        "einvoice_delivery_activation_date"]))]
    pub struct DeliveryPreference<'a> {
        /// What is delivered: `AWS_CLOUD_INVOICE`, `AWS_CLOUD_CREDIT_MEMO`, `AWS_MARKETPLACE_INVOICE`, `AWS_MARKETPLACE_CREDIT_MEMO`,
        /// `AWS_REQUEST_FOR_PAYMENT`.
        einvoice_delivery_document_types: Vec<Text<'a>>,
        /// What goes along: `INVOICE_PDF`, `RFP_PDF`.
        einvoice_delivery_attachment_types: Vec<Text<'a>>,
        /// `CXML`, which it is when it is not given.
        protocol: Text<'a>,
        /// For each kind of document, whether it waits for an order.
        purchase_order_data_sources: Vec<OrderSource<'a>>,
        /// `PROD_ENV_DOLLAR_TEST` or `TEST_ENV_REPLAY_TEST`.
        connection_testing_method: Text<'a>,
        /// From when on; a plain date is its midnight in UTC.
        einvoice_delivery_activation_date: Given<Date>,
    }
}

record! {
    /// Whether documents of a kind wait for an order.
    pub struct OrderSource<'a> {
        /// The kind of document.
        einvoice_delivery_document_type: Text<'a>,
        /// `ASSOCIATED_PURCHASE_ORDER_REQUIRED` or `PURCHASE_ORDER_NOT_REQUIRED`.
        purchase_order_data_source_type: Text<'a>,
    }
}

record! {
    /// How purchases on the Marketplace are approved.
    pub struct PunchOutPreference<'a> {
        /// Where buyers are sent to; on the same host as the portal's endpoint.
        approval_request_redirect_url: Text<'a>,
    }
}

record! {
    /// Whom AWS writes to.
    pub struct Contact<'a> {
        /// Their name.
        name: Text<'a>,
        /// Their e-mail address.
        email: Text<'a>,
    }
}

/// Tags: names and values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tags<'a>(pub Vec<(Text<'a>, Text<'a>)>);

/// What the names of tags of AWS's own begin with. Nobody else may touch those.
const RESERVED: &str = "aws:";

impl Tags<'_> {
    /// Names and values of those that are not AWS's own.
    pub(super) fn ours(&self) -> impl Iterator<Item = (&str, &str)> {
        let all = self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        all.filter(|(name, _)| !name.starts_with(RESERVED))
    }
}

impl<'a> Gather<'a> for Tags<'a> {
    fn gather(raw: &'a RawValue, at: &Path<'_>, sink: &mut Sink<'a>) -> Self {
        let Ok(Members(members)) = serde_json::from_str::<Members<'a>>(raw.get()) else {
            sink.faults.push(Fault::error("DOC-TYPE", at, "tags are a table: name = \"value\""));
            return Self::default();
        };
        let tag = |(name, value): (Text<'a>, &'a RawValue)| {
            let value = Text::gather(value, &at.field(&name), sink);
            (name, value)
        };
        Self(members.into_iter().map(tag).collect())
    }
}

impl Serialize for Tags<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Tags<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let map = std::collections::BTreeMap::<String, String>::deserialize(deserializer)?;
        Ok(Self(map.into_iter().map(|(name, value)| (name.into(), value.into())).collect()))
    }
}

impl JsonSchema for Tags<'_> {
    fn schema_name() -> Cow<'static, str> {
        "Tags".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object", "additionalProperties": { "type": "string", "maxLength": 256 } })
    }
}
