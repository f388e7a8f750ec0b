//! The requests that bring about what files say: one JSON object each, as awsJson1.0 wants it, its members in the order of the
//! API's pages. Times are whole seconds since 1970.

use super::check::moment;
use super::{DeliveryPreference, InvoiceUnit, Preference, Reference, Selector, Tags, TestEnvironment};
use crate::formats::json::write_text;
use crate::model::Text;

/// An operation of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// `CreateProcurementPortalPreference`
    CreatePreference,
    /// `CreateInvoiceUnit`
    CreateUnit,
}

impl Operation {
    /// The operation's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::CreatePreference => "CreateProcurementPortalPreference",
            Self::CreateUnit => "CreateInvoiceUnit",
        }
    }
}

/// A request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// What is asked for.
    pub operation: Operation,
    /// The request; it may hold secrets.
    body: Vec<u8>,
}

impl Call {
    /// The request that creates a preference. `secret` gives what a reference stands for.
    pub fn create_preference(preference: &Preference<'_>, secret: &dyn Fn(&Reference<'_>) -> String, client_token: &str) -> Self {
        let mut body = Vec::new();
        let mut object = Object::begin(&mut body);
        object.text("ProcurementPortalName", &preference.procurement_portal_name);
        parties(
            &mut object,
            [&preference.buyer_domain, &preference.supplier_domain],
            [&preference.buyer_identifier, &preference.supplier_identifier],
        );
        selector(&mut object, &preference.selector);
        object.secret("ProcurementPortalSharedSecret", &preference.procurement_portal_shared_secret, secret);
        object.text("ProcurementPortalInstanceEndpoint", &preference.procurement_portal_instance_endpoint);
        if let Some(test) = &preference.test_env_preference {
            object.member("TestEnvPreference", |out| test_environment(test, secret, out));
        }
        object.flag("EinvoiceDeliveryEnabled", *preference.einvoice_delivery_enabled);
        if let Some(delivery) = &preference.einvoice_delivery_preference {
            object.member("EinvoiceDeliveryPreference", |out| write_delivery(delivery, out));
        }
        object.flag("PurchaseOrderRetrievalEnabled", *preference.purchase_order_retrieval_enabled);
        object.flag("MarketplacePunchOutEnabled", *preference.marketplace_punch_out_enabled);
        if let Some(punch_out) = &preference.marketplace_punch_out_preference {
            object.member("MarketplacePunchOutPreference", |out| {
                let mut object = Object::begin(out);
                object.text("ApprovalRequestRedirectUrl", &punch_out.approval_request_redirect_url);
                object.end();
            });
        }
        object.list("Contacts", &preference.contacts, |contact, out| {
            let mut object = Object::begin(out);
            object.text("Name", &contact.name);
            object.text("Email", &contact.email);
            object.end();
        });
        tags(&mut object, &preference.resource_tags);
        object.word("ClientToken", client_token);
        object.end();
        Self { operation: Operation::CreatePreference, body }
    }

    /// The request that creates an invoice unit.
    pub fn create_unit(unit: &InvoiceUnit<'_>, client_token: &str) -> Self {
        let mut body = Vec::new();
        let mut object = Object::begin(&mut body);
        object.text("Name", &unit.name);
        object.text("InvoiceReceiver", &unit.invoice_receiver);
        object.text("Description", &unit.description);
        object.flag("TaxInheritanceDisabled", *unit.tax_inheritance_disabled);
        object.member("Rule", |out| {
            let mut object = Object::begin(out);
            object.texts("LinkedAccounts", &unit.rule.linked_accounts);
            object.texts("BillSourceAccounts", &unit.rule.bill_source_accounts);
            object.end();
        });
        tags(&mut object, &unit.resource_tags);
        object.word("ClientToken", client_token);
        object.end();
        Self { operation: Operation::CreateUnit, body }
    }

    /// The request with its operation, on one line, to be shown. Whoever shows it has written no secret into it.
    pub fn line(&self) -> Vec<u8> {
        let mut line = format!("{{\"operation\":\"{}\",\"request\":", self.operation.name()).into_bytes();
        line.extend_from_slice(&self.body);
        line.push(b'}');
        line
    }
}

fn parties(object: &mut Object<'_>, domains: [&Text<'_>; 2], identifiers: [&Text<'_>; 2]) {
    let names = [("BuyerDomain", "BuyerIdentifier"), ("SupplierDomain", "SupplierIdentifier")];
    for ((domain, identifier), (domain_name, name)) in domains.into_iter().zip(identifiers).zip(names) {
        object.word(domain_name, domain.given().unwrap_or("NetworkID"));
        object.text(name, identifier);
    }
}

fn selector(object: &mut Object<'_>, selector: &Selector<'_>) {
    if selector.invoice_unit_arns.is_empty() && selector.seller_of_records.is_empty() {
        return;
    }
    object.member("Selector", |out| {
        let mut object = Object::begin(out);
        object.texts("InvoiceUnitArns", &selector.invoice_unit_arns);
        object.texts("SellerOfRecords", &selector.seller_of_records);
        object.end();
    });
}

fn test_environment(test: &TestEnvironment<'_>, secret: &dyn Fn(&Reference<'_>) -> String, out: &mut Vec<u8>) {
    let mut object = Object::begin(out);
    parties(&mut object, [&test.buyer_domain, &test.supplier_domain], [&test.buyer_identifier, &test.supplier_identifier]);
    object.secret("ProcurementPortalSharedSecret", &test.procurement_portal_shared_secret, secret);
    object.text("ProcurementPortalInstanceEndpoint", &test.procurement_portal_instance_endpoint);
    object.end();
}

fn write_delivery(delivery: &DeliveryPreference<'_>, out: &mut Vec<u8>) {
    let mut object = Object::begin(out);
    object.texts("EinvoiceDeliveryDocumentTypes", &delivery.einvoice_delivery_document_types);
    object.texts("EinvoiceDeliveryAttachmentTypes", &delivery.einvoice_delivery_attachment_types);
    object.word("Protocol", delivery.protocol.given().unwrap_or("CXML"));
    object.list("PurchaseOrderDataSources", &delivery.purchase_order_data_sources, |source, out| {
        let mut object = Object::begin(out);
        object.text("EinvoiceDeliveryDocumentType", &source.einvoice_delivery_document_type);
        object.text("PurchaseOrderDataSourceType", &source.purchase_order_data_source_type);
        object.end();
    });
    object.text("ConnectionTestingMethod", &delivery.connection_testing_method);
    if let Some(moment) = delivery.einvoice_delivery_activation_date.and_then(moment) {
        object.member("EinvoiceDeliveryActivationDate", |out| out.extend_from_slice(moment.as_second().to_string().as_bytes()));
    }
    object.end();
}

fn tags(object: &mut Object<'_>, tags: &Tags<'_>) {
    object.list("ResourceTags", &tags.0, |(name, value), out| {
        let mut object = Object::begin(out);
        object.text("Key", name);
        // A tag without a value has an empty one.
        object.word("Value", value);
        object.end();
    });
}

/// An object that is being written.
struct Object<'o> {
    out: &'o mut Vec<u8>,
    is_empty: bool,
}

impl<'o> Object<'o> {
    fn begin(out: &'o mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, is_empty: true }
    }

    fn end(self) {
        self.out.push(b'}');
    }

    fn member(&mut self, name: &str, write: impl FnOnce(&mut Vec<u8>)) {
        if !std::mem::take(&mut self.is_empty) {
            self.out.push(b',');
        }
        write_text(name, self.out);
        self.out.push(b':');
        write(self.out);
    }

    fn word(&mut self, name: &str, word: &str) {
        self.member(name, |out| write_text(word, out));
    }

    /// A text, unless it is not given.
    fn text(&mut self, name: &str, text: &Text<'_>) {
        if let Some(text) = text.given() {
            self.word(name, text);
        }
    }

    fn secret(&mut self, name: &str, reference: &Reference<'_>, secret: &dyn Fn(&Reference<'_>) -> String) {
        if reference.given().is_some() {
            self.word(name, &secret(reference));
        }
    }

    fn flag(&mut self, name: &str, flag: Option<bool>) {
        if let Some(flag) = flag {
            self.member(name, |out| out.extend_from_slice(if flag { b"true" } else { b"false" }));
        }
    }

    /// A list, unless it is empty.
    fn list<T>(&mut self, name: &str, list: &[T], mut write: impl FnMut(&T, &mut Vec<u8>)) {
        if list.is_empty() {
            return;
        }
        self.member(name, |out| {
            for (place, entry) in list.iter().enumerate() {
                out.push(if place == 0 { b'[' } else { b',' });
                write(entry, out);
            }
            out.push(b']');
        });
    }

    fn texts(&mut self, name: &str, texts: &[Text<'_>]) {
        self.list(name, texts, |text, out| write_text(text, out));
    }
}
