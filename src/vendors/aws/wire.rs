//! The requests that bring about what files say: one JSON object each, as awsJson1.0 wants it, its members in the order of the
//! API's pages. Times are whole seconds since 1970.

use super::check::moment;
use super::resource::{Resource, Secrets};
use super::{DeliveryPreference, Preference, Reference, Rule, Selector, Tags, TestEnvironment};
use crate::formats::json::write_text;
use crate::model::Text;

/// A request that changes something at AWS.
#[derive(Debug, Clone, PartialEq)]
pub enum Call<'p, T> {
    /// Makes one.
    Create(&'p T),
    /// Makes the one of this ARN become another.
    Change(&'p str, &'p T),
    /// Deletes the one of this ARN, for ever.
    Delete(&'p str),
    /// Sets tags.
    Tag(&'p str, Vec<(String, String)>),
    /// Takes tags away, by their names.
    Untag(&'p str, Vec<String>),
}

impl<T: Resource> Call<'_, T> {
    /// The operation's name.
    pub fn operation(&self) -> &'static str {
        let [create, change, delete] = T::OPERATIONS;
        match self {
            Self::Create(_) => create,
            Self::Change(..) => change,
            Self::Delete(_) => delete,
            Self::Tag(..) => "TagResource",
            Self::Untag(..) => "UntagResource",
        }
    }

    /// Whether AWS takes a ClientToken with it. What takes none says the same when it is said twice.
    pub fn takes_token(&self) -> bool {
        !matches!(self, Self::Tag(..) | Self::Untag(..))
    }

    /// The request. `secrets` gives what a reference stands for.
    pub fn request(&self, secrets: Secrets<'_>, client_token: &str) -> Vec<u8> {
        let mut body = Vec::new();
        let mut object = Object::begin(&mut body);
        match self {
            Self::Create(content) => content.write_create(&mut object, secrets),
            Self::Change(arn, content) => {
                object.word(T::ARN, arn);
                content.write_change(&mut object, secrets);
            }
            Self::Delete(arn) => object.word(T::ARN, arn),
            Self::Tag(arn, tags) => {
                object.word("ResourceArn", arn);
                object.pairs(tags.iter().map(|(name, value)| (name.as_str(), value.as_str())));
            }
            Self::Untag(arn, names) => {
                object.word("ResourceArn", arn);
                object.list("ResourceTagKeys", names, |name, out| write_text(name, out));
            }
        }
        if self.takes_token() {
            object.word("ClientToken", client_token);
        }
        object.end();
        body
    }

    /// The request with its operation, on one line, to be shown. Whoever shows it gives no secret.
    pub fn line(&self, secrets: Secrets<'_>, client_token: &str) -> Vec<u8> {
        let mut line = format!("{{\"operation\":\"{}\",\"request\":", self.operation()).into_bytes();
        line.extend_from_slice(&self.request(secrets, client_token));
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

fn test_environment(test: &TestEnvironment<'_>, secrets: Secrets<'_>, out: &mut Vec<u8>) {
    let mut object = Object::begin(out);
    parties(&mut object, [&test.buyer_domain, &test.supplier_domain], [&test.buyer_identifier, &test.supplier_identifier]);
    object.secret("ProcurementPortalSharedSecret", &test.procurement_portal_shared_secret, secrets);
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

/// An object that is being written.
#[derive(Debug)]
pub struct Object<'o> {
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

    pub(super) fn word(&mut self, name: &str, word: &str) {
        self.member(name, |out| write_text(word, out));
    }

    /// A text, unless it is not given.
    pub(super) fn text(&mut self, name: &str, text: &Text<'_>) {
        if let Some(text) = text.given() {
            self.word(name, text);
        }
    }

    fn secret(&mut self, name: &str, reference: &Reference<'_>, secrets: Secrets<'_>) {
        if reference.given().is_some() {
            self.word(name, &secrets(reference));
        }
    }

    pub(super) fn flag(&mut self, name: &str, flag: Option<bool>) {
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

    /// What cannot be changed in a preference.
    pub(super) fn preference_identity(&mut self, preference: &Preference<'_>) {
        self.text("ProcurementPortalName", &preference.procurement_portal_name);
        let domains = [&preference.buyer_domain, &preference.supplier_domain];
        parties(self, domains, [&preference.buyer_identifier, &preference.supplier_identifier]);
    }

    /// What can be changed in a preference.
    pub(super) fn preference(&mut self, preference: &Preference<'_>, secrets: Secrets<'_>) {
        selector(self, &preference.selector);
        self.secret("ProcurementPortalSharedSecret", &preference.procurement_portal_shared_secret, secrets);
        self.text("ProcurementPortalInstanceEndpoint", &preference.procurement_portal_instance_endpoint);
        if let Some(test) = &preference.test_env_preference {
            self.member("TestEnvPreference", |out| test_environment(test, secrets, out));
        }
        self.flag("EinvoiceDeliveryEnabled", *preference.einvoice_delivery_enabled);
        if let Some(delivery) = &preference.einvoice_delivery_preference {
            self.member("EinvoiceDeliveryPreference", |out| write_delivery(delivery, out));
        }
        self.flag("PurchaseOrderRetrievalEnabled", *preference.purchase_order_retrieval_enabled);
        self.flag("MarketplacePunchOutEnabled", *preference.marketplace_punch_out_enabled);
        if let Some(punch_out) = &preference.marketplace_punch_out_preference {
            self.member("MarketplacePunchOutPreference", |out| {
                let mut object = Object::begin(out);
                object.text("ApprovalRequestRedirectUrl", &punch_out.approval_request_redirect_url);
                object.end();
            });
        }
        self.list("Contacts", &preference.contacts, |contact, out| {
            let mut object = Object::begin(out);
            object.text("Name", &contact.name);
            object.text("Email", &contact.email);
            object.end();
        });
    }

    /// Which accounts belong to a unit.
    pub(super) fn rule(&mut self, rule: &Rule<'_>) {
        self.member("Rule", |out| {
            let mut object = Object::begin(out);
            object.texts("LinkedAccounts", &rule.linked_accounts);
            object.texts("BillSourceAccounts", &rule.bill_source_accounts);
            object.end();
        });
    }

    /// Tags, unless there are none. A tag without a value has an empty one.
    pub(super) fn tags(&mut self, tags: Option<&Tags<'_>>) {
        if let Some(tags) = tags.filter(|tags| !tags.0.is_empty()) {
            self.pairs(tags.0.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        }
    }

    fn pairs<'t>(&mut self, tags: impl Iterator<Item = (&'t str, &'t str)>) {
        let tags: Vec<(&str, &str)> = tags.collect();
        self.list("ResourceTags", &tags, |(name, value), out| {
            let mut object = Object::begin(out);
            object.word("Key", name);
            object.word("Value", value);
            object.end();
        });
    }
}
