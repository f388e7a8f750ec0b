//! What a procurement portal preference has to be.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::tz::Offset;

use super::shared::Checker;
use super::unit::is_arn as is_unit_arn;
use crate::model::{Date, Fault, Path, Text, shorten};
use crate::vendors::aws::{DeliveryPreference, Preference, TestEnvironment};

const PORTALS: [&str; 2] = ["SAP_BUSINESS_NETWORK", "COUPA"];
const DOMAINS: [&str; 1] = ["NetworkID"];
const DOCUMENTS: [&str; 5] = [
    "AWS_CLOUD_INVOICE",
    "AWS_CLOUD_CREDIT_MEMO",
    "AWS_MARKETPLACE_INVOICE",
    "AWS_MARKETPLACE_CREDIT_MEMO",
    "AWS_REQUEST_FOR_PAYMENT",
];
const ATTACHMENTS: [&str; 2] = ["INVOICE_PDF", "RFP_PDF"];
const SOURCES: [&str; 2] = ["ASSOCIATED_PURCHASE_ORDER_REQUIRED", "PURCHASE_ORDER_NOT_REQUIRED"];
const TESTS: [&str; 2] = ["PROD_ENV_DOLLAR_TEST", "TEST_ENV_REPLAY_TEST"];

/// Checks one.
pub(super) fn check(preference: &Preference<'_>, unix_seconds: u64, faults: &mut Vec<Fault>) {
    let mut checker = Checker { faults };
    let root = Path::ROOT;
    if preference.arn.given().is_some_and(|arn| !is_arn(arn)) {
        let message = format!("{:?} is not the ARN of a procurement portal preference", shorten(&preference.arn));
        checker.error("AWS-022", &root.field("arn"), message);
    }
    let at = root.field("procurement_portal_name");
    checker.required(preference.procurement_portal_name.is_given(), &at, "write SAP_BUSINESS_NETWORK or COUPA");
    checker.word(&preference.procurement_portal_name, &PORTALS, &at);
    let own = [&preference.buyer_identifier, &preference.supplier_identifier];
    parties(&mut checker, &root, own, [&preference.buyer_domain, &preference.supplier_domain]);
    identifiers(&mut checker, preference);
    selector(&mut checker, preference);
    let endpoint = root.field("procurement_portal_instance_endpoint");
    let host = checker.endpoint(&preference.procurement_portal_instance_endpoint, &endpoint);
    if preference.procurement_portal_name.as_str() == "COUPA"
        && host.is_some()
        && !preference.procurement_portal_instance_endpoint.ends_with("/cxml/invoices")
    {
        checker.warn("AWS-007", &endpoint, "Coupa takes invoices at /cxml/invoices; check the path");
    }
    delivery(&mut checker, preference, unix_seconds);
    if let Some(test) = &preference.test_env_preference {
        test_environment(&mut checker, preference, test);
    }
    punch_out(&mut checker, preference, host.as_deref());
    contacts(&mut checker, preference);
    checker.tags(preference.resource_tags.as_ref(), &root.field("resource_tags"));
}

/// `arn:aws:invoicing::<account>:procurement-portal-preference/<id>`; there are none in other partitions.
fn is_arn(arn: &str) -> bool {
    let Some((account, id)) =
        arn.strip_prefix("arn:aws:invoicing::").and_then(|rest| rest.split_once(":procurement-portal-preference/"))
    else {
        return false;
    };
    let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    let is_id = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    is_account && is_id && arn.len() <= 256
}

fn parties(checker: &mut Checker<'_>, at: &Path<'_>, [buyer, supplier]: [&Text<'_>; 2], domains: [&Text<'_>; 2]) {
    for (text, name, hint) in [
        (buyer, "buyer_identifier", "give the id by which the portal knows you"),
        (supplier, "supplier_identifier", "give the id by which the portal knows AWS; `payables portal suppliers` lists them"),
    ] {
        let at = at.field(name);
        checker.required(text.is_given(), &at, hint);
        checker.solid(text, &at);
    }
    for (domain, name) in domains.into_iter().zip(["buyer_domain", "supplier_domain"]) {
        checker.word(domain, &DOMAINS, &at.field(name));
    }
}

/// Ids of SAP Business Network, and of which environment they are.
fn identifiers(checker: &mut Checker<'_>, preference: &Preference<'_>) {
    if preference.procurement_portal_name.as_str() != "SAP_BUSINESS_NETWORK" {
        return;
    }
    for (text, name) in
        [(&preference.buyer_identifier, "buyer_identifier"), (&preference.supplier_identifier, "supplier_identifier")]
    {
        let at = Path::ROOT.field(name);
        if text.to_ascii_uppercase().ends_with("-T") {
            let message = format!("{:?} is an id of the test environment (-T); it belongs to test_env_preference", shorten(text));
            checker.error("AWS-018", &at, message);
        } else if text.is_given() && !is_network_id(text) {
            let message = format!("{:?} does not look like an id of SAP Business Network (AN and 11 digits)", shorten(text));
            checker.warn("AWS-017", &at, message);
        }
    }
}

fn is_network_id(id: &str) -> bool {
    id.strip_prefix("AN").is_some_and(|digits| digits.len() == 11 && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

fn selector(checker: &mut Checker<'_>, preference: &Preference<'_>) {
    let at = Path::ROOT.field("selector");
    let selector = &preference.selector;
    let (units, sellers) = (at.field("invoice_unit_arns"), at.field("seller_of_records"));
    checker.count(selector.invoice_unit_arns.len(), 500, &units);
    for (place, arn) in selector.invoice_unit_arns.iter().enumerate().filter(|(_, arn)| !is_unit_arn(arn)) {
        let message = format!("{:?} is not the ARN of an invoice unit; `payables invoice-unit list` shows them", shorten(arn));
        checker.error("AWS-022", &units.index(place), message);
    }
    checker.count(selector.seller_of_records.len(), 100, &sellers);
    for (place, seller) in selector.seller_of_records.iter().enumerate() {
        checker.solid(seller, &sellers.index(place));
    }
}

fn delivery(checker: &mut Checker<'_>, preference: &Preference<'_>, unix_seconds: u64) {
    let (delivers, fetches) = (*preference.einvoice_delivery_enabled, *preference.purchase_order_retrieval_enabled);
    let at = Path::ROOT.field("einvoice_delivery_enabled");
    checker.required(delivers.is_some(), &at, "say true or false");
    checker.required(fetches.is_some(), &Path::ROOT.field("purchase_order_retrieval_enabled"), "say true or false");
    if (delivers, fetches) == (Some(false), Some(false)) {
        checker.warn("AWS-015", &at, "neither are invoices delivered nor orders fetched; the preference does nothing");
    }
    if delivers == Some(true) {
        let root = Path::ROOT;
        for (is_given, name, what) in [
            (preference.procurement_portal_shared_secret.given().is_some(), "procurement_portal_shared_secret", "the secret"),
            (preference.procurement_portal_instance_endpoint.is_given(), "procurement_portal_instance_endpoint", "the address"),
            (preference.einvoice_delivery_preference.is_some(), "einvoice_delivery_preference", "the way"),
        ] {
            if !is_given && !checker.faults.iter().any(|fault| fault.path == name) {
                checker.warn(
                    "AWS-009",
                    &root.field(name),
                    format!("is not given, and invoices are to be delivered; give {what}"),
                );
            }
        }
    }
    if let Some(delivery) = &preference.einvoice_delivery_preference {
        documents(checker, delivery);
        testing(checker, preference, delivery);
        activation(checker, delivery, unix_seconds);
    }
}

fn documents(checker: &mut Checker<'_>, delivery: &DeliveryPreference<'_>) {
    let at = Path::ROOT.field("einvoice_delivery_preference");
    let here = at.field("einvoice_delivery_document_types");
    let types = &delivery.einvoice_delivery_document_types;
    checker.required(!types.is_empty(), &here, "say what is to be delivered");
    checker.count(types.len(), 10, &here);
    let mut enabled = BTreeSet::new();
    for (place, kind) in types.iter().enumerate() {
        checker.word(kind, &DOCUMENTS, &here.index(place));
        if !enabled.insert(kind.as_str()) {
            checker.warn("AWS-012", &here.index(place), format!("{} stands here twice", kind.as_str()));
        }
    }
    let attachments = at.field("einvoice_delivery_attachment_types");
    for (place, kind) in delivery.einvoice_delivery_attachment_types.iter().enumerate() {
        checker.word(kind, &ATTACHMENTS, &attachments.index(place));
        let has = |wanted: &dyn Fn(&str) -> bool| enabled.iter().any(|kind| wanted(kind));
        let fits = match kind.as_str() {
            "RFP_PDF" => has(&|kind| kind == "AWS_REQUEST_FOR_PAYMENT"),
            "INVOICE_PDF" => has(&|kind| kind != "AWS_REQUEST_FOR_PAYMENT"),
            _ => true,
        };
        if !fits {
            let message = format!("{} goes with no document that is delivered", kind.as_str());
            checker.warn("AWS-013", &attachments.index(place), message);
        }
    }
    sources(checker, delivery, &enabled, &at.field("purchase_order_data_sources"));
}

fn sources(checker: &mut Checker<'_>, delivery: &DeliveryPreference<'_>, enabled: &BTreeSet<&str>, at: &Path<'_>) {
    let mut told = BTreeSet::new();
    checker.required(!delivery.purchase_order_data_sources.is_empty(), at, "say for each document whether it waits for an order");
    for (place, source) in delivery.purchase_order_data_sources.iter().enumerate() {
        let at = at.index(place);
        let (kind, wants) = (&source.einvoice_delivery_document_type, &source.purchase_order_data_source_type);
        checker.word(kind, &DOCUMENTS, &at.field("einvoice_delivery_document_type"));
        checker.word(wants, &SOURCES, &at.field("purchase_order_data_source_type"));
        if !kind.is_given() || !wants.is_given() {
            checker.warn("AWS-012", &at, "says not both: which document, and whether it waits for an order");
        } else if !told.insert(kind.as_str()) {
            checker.warn("AWS-012", &at, format!("{} stands here twice", kind.as_str()));
        } else if !enabled.contains(kind.as_str()) {
            checker.warn("AWS-012", &at, format!("{} is not delivered", kind.as_str()));
        }
    }
    for kind in enabled.iter().filter(|kind| !told.contains(**kind)) {
        checker.warn("AWS-012", at, format!("does not say whether {kind} waits for an order"));
    }
}

fn testing(checker: &mut Checker<'_>, preference: &Preference<'_>, delivery: &DeliveryPreference<'_>) {
    let at = Path::ROOT.field("einvoice_delivery_preference");
    let method = &delivery.connection_testing_method;
    let here = at.field("connection_testing_method");
    checker.required(method.is_given(), &here, "write PROD_ENV_DOLLAR_TEST or TEST_ENV_REPLAY_TEST");
    checker.word(method, &TESTS, &here);
    checker.word(&delivery.protocol, &["CXML"], &at.field("protocol"));
    if method.as_str() == "TEST_ENV_REPLAY_TEST" && preference.test_env_preference.is_none() {
        checker.warn("AWS-010", &Path::ROOT.field("test_env_preference"), "is not given, and the connection is tested there");
    }
}

fn activation(checker: &mut Checker<'_>, delivery: &DeliveryPreference<'_>, unix_seconds: u64) {
    let at = Path::ROOT.field("einvoice_delivery_preference");
    let here = at.field("einvoice_delivery_activation_date");
    let date = *delivery.einvoice_delivery_activation_date;
    checker.required(date.is_some(), &here, "say from when on invoices are delivered");
    let Some(date) = date else { return };
    match moment(date) {
        None => checker.error("AWS-023", &here, format!("{date} is no moment that can be told to AWS; write an earlier year")),
        Some(moment) if u64::try_from(moment.as_second()).unwrap_or_default() < unix_seconds => {
            checker.warn("AWS-014", &here, format!("{date} has passed; AWS may deliver from today on"));
        }
        Some(_) => {}
    }
}

/// A date as a moment: without an offset it is in UTC.
pub fn moment(date: Date) -> Option<Timestamp> {
    let offset = date.offset.map_or(Some(Offset::UTC), |minutes| Offset::from_seconds(i32::from(minutes) * 60).ok());
    offset?.to_timestamp(date.wall_clock()).ok()
}

fn test_environment(checker: &mut Checker<'_>, preference: &Preference<'_>, test: &TestEnvironment<'_>) {
    let at = Path::ROOT.field("test_env_preference");
    let own = [&test.buyer_identifier, &test.supplier_identifier];
    parties(checker, &at, own, [&test.buyer_domain, &test.supplier_domain]);
    checker.endpoint(&test.procurement_portal_instance_endpoint, &at.field("procurement_portal_instance_endpoint"));
    for (test, production, name) in [
        (&test.buyer_identifier, &preference.buyer_identifier, "buyer_identifier"),
        (&test.supplier_identifier, &preference.supplier_identifier, "supplier_identifier"),
    ] {
        if test.is_given() && test == production {
            checker.warn("AWS-011", &at.field(name), format!("{:?} is the id of the production environment, too", shorten(test)));
        }
    }
}

fn punch_out(checker: &mut Checker<'_>, preference: &Preference<'_>, host: Option<&str>) {
    let is_enabled = *preference.marketplace_punch_out_enabled == Some(true);
    let is_coupa = preference.procurement_portal_name.as_str() == "COUPA";
    let at = Path::ROOT.field("marketplace_punch_out_preference");
    let here = at.field("approval_request_redirect_url");
    let redirect =
        preference.marketplace_punch_out_preference.as_ref().map(|preference| &preference.approval_request_redirect_url);
    if is_enabled && is_coupa && !redirect.is_some_and(|redirect| redirect.is_given()) {
        checker.error("AWS-016", &here, "is not given, and Coupa needs it where purchases are approved in the portal");
    }
    if redirect.is_some() && preference.procurement_portal_name.is_given() && !is_coupa {
        checker.error("AWS-016", &at, "is for Coupa only");
    }
    let target = redirect.and_then(|redirect| checker.endpoint(redirect, &here));
    if let (Some(target), Some(host)) = (target, host)
        && !target.eq_ignore_ascii_case(host)
    {
        checker.error("AWS-016", &here, format!("its host {target:?} is not that of the portal's endpoint, {host:?}"));
    }
}

fn contacts(checker: &mut Checker<'_>, preference: &Preference<'_>) {
    let at = Path::ROOT.field("contacts");
    match preference.contacts.len() {
        1 => {}
        0 => _ = checker.required(false, &at, "AWS wants one contact, with name and email"),
        count => checker.error("AWS-004", &at, format!("has {count} entries; AWS takes exactly one contact")),
    }
    for (place, contact) in preference.contacts.iter().enumerate() {
        let at = at.index(place);
        checker.length(&contact.name, 1024, &at.field("name"));
        checker.length(&contact.email, 1024, &at.field("email"));
        if contact.email.given().is_some_and(|email| !is_email(email)) {
            let message = format!("{:?} is no e-mail address that AWS takes; it has ASCII letters only", shorten(&contact.email));
            checker.error("AWS-005", &at.field("email"), message);
        }
    }
}

/// `[a-zA-Z0-9._%+-]+@[a-zA-Z0-9.-]+\.[a-zA-Z]{2,}`
fn is_email(email: &str) -> bool {
    let Some((who, place)) = email.split_once('@') else { return false };
    let Some((host, end)) = place.rsplit_once('.') else { return false };
    let all = |text: &str, more: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c));
    all(who, "._%+-") && all(host, ".-") && end.len() >= 2 && end.bytes().all(|byte| byte.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_names_have_the_forms_of_the_model() {
        let emails =
            ["a@b.de", "a.b+c%d@e-f.example.com", "", "a", "@b.de", "a@b", "a@.de", "ü@b.de", "a b@c.de", "a@b.d", "a@b@c.de"];
        assert_eq!(emails.map(is_email), [true, true, false, false, false, false, false, false, false, false, false]);
        let arns = [
            "arn:aws:invoicing::123456789012:procurement-portal-preference/a-1",
            "arn:aws-cn:invoicing::123456789012:procurement-portal-preference/a",
            "arn:aws:invoicing::12345678901:procurement-portal-preference/a",
            "arn:aws:invoicing::123456789012:procurement-portal-preference/",
            "arn:aws:invoicing::123456789012:invoice-unit/a",
        ];
        assert_eq!(arns.map(is_arn), [true, false, false, false, false]);
        assert_eq!(
            ["AN01010639538", "AN0101063953", "AN01010639538-T", "01010639538"].map(is_network_id),
            [true, false, false, false]
        );
    }
}
