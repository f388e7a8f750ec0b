//! Who is paid, billed and supplied: what Amazon matches against its own records.

use crate::adapter::Findings;
use crate::model::{Fault, Invoice, Path, TaxRegistrationType};
use crate::vendors::amazon::map::{Parties, Who};

/// Where a vendor that leaves its VAT number out is taken at first, and refused later.
const VAT: &[&str] = &[
    "AT", "BE", "CZ", "DE", "DK", "EG", "ES", "FI", "FR", "GB", "IE", "IT", "LU", "NL", "PL", "PT", "SA", "SE", "AE", "TR", "ZA",
];
/// Where it is a GST number.
const GST: &[&str] = &["IN"];
/// The form of an Indian one (GSTIN).
const GSTIN: usize = 15;

pub(super) fn check(invoice: &Invoice<'_>, parties: &Parties<'_>, findings: &mut Findings) {
    if parties.buyer.is_none() {
        let message = "buyer is not given, and Amazon refuses invoices without one; name the Amazon entity that is billed, or set \
                       defaults.buyer for all of the target's invoices";
        findings.faults.push(Fault::error("AMZ-020", Path::ROOT.field("buyer"), message));
    }
    for (name, party) in
        [("payee", &parties.payee), ("buyer", &parties.buyer), ("ship_to", &parties.ship_to), ("ship_from", &parties.ship_from)]
    {
        if let Some(party) = party {
            check_address(party, &Path::ROOT.field(name), findings);
        }
    }
    if let Some(vendor) = vendor(parties) {
        let country = buying_country(parties);
        check_registrations(&vendor, country, findings);
        if country == "IN" {
            check_india(invoice, parties, findings);
        } else if VAT.contains(&country) && !has_taxes(invoice) {
            let message =
                format!("no tax is given, and invoices to {country} need one; give taxes, with a rate of 0 where none is due");
            findings.faults.push(Fault::warning("AMZ-075", Path::ROOT.field("taxes"), message));
        }
    }
}

/// Amazon's own parties are called so (Amazon's list of bill-to addresses).
fn is_amazon(party: &Who<'_>) -> bool {
    party.id.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("AMAZON"))
}

/// The vendor among payee and buyer, and the name of its field. In Amazon's guide a European credit note has the two the other
/// way round.
fn vendor<'w>(parties: &Parties<'w>) -> Option<(&'static str, Who<'w>)> {
    match (parties.payee, parties.buyer) {
        (Some(payee), Some(buyer)) if is_amazon(&payee) && !is_amazon(&buyer) => Some(("buyer", buyer)),
        (Some(payee), _) => Some(("payee", payee)),
        _ => None,
    }
}

/// The country of the Amazon entity that buys; empty when nobody knows.
pub(super) fn buying_country<'w>(parties: &Parties<'w>) -> &'w str {
    let (payee, buyer) = (parties.payee, parties.buyer);
    let amazon = buyer.filter(is_amazon).or(payee.filter(is_amazon)).or(buyer);
    let country = |party: Option<Who<'w>>| party.and_then(|party| party.address).map_or("", |address| &*address.country);
    // Amazon's ids end with the code of the marketplace (AMAZONFR), and goods go to the country that buys.
    let candidates =
        [country(amazon), amazon.filter(is_amazon).map_or("", |amazon| marketplace(amazon.id)), country(parties.ship_to)];
    candidates.into_iter().find(|country| !country.is_empty()).unwrap_or_default()
}

/// The country at the end of the id of one of Amazon's parties.
fn marketplace(id: &str) -> &str {
    match id.get(6..) {
        Some(code) if code.eq_ignore_ascii_case("UK") => "GB",
        Some(code) if code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase()) => code,
        _ => "",
    }
}

fn check_address(party: &Who<'_>, at: &Path<'_>, findings: &mut Findings) {
    let Some(address) = party.address else {
        let message = format!(
            "{at} has no address, and Amazon wants it whole; give it, or write it once under parties of the target for {:?}",
            party.id
        );
        findings.faults.push(Fault::warning("AMZ-021", at.field("address"), message));
        return;
    };
    let missing: Vec<&str> = [("city", &address.city), ("postal_code", &address.postal_code)]
        .iter()
        .filter(|(_, text)| !text.is_given())
        .map(|(name, _)| *name)
        .collect();
    if !missing.is_empty() {
        let message = format!("the address of {at} has no {}, and Amazon wants it whole; give it", missing.join(" and no "));
        findings.faults.push(Fault::warning("AMZ-024", at.field("address"), message));
    }
}

fn check_registrations((field, vendor): &(&'static str, Who<'_>), country: &str, findings: &mut Findings) {
    let (wanted, name) = match country {
        _ if VAT.contains(&country) => (TaxRegistrationType::Vat, "VAT"),
        _ if GST.contains(&country) => (TaxRegistrationType::Gst, "GST"),
        _ => return,
    };
    let at = Path::ROOT.field(field);
    let list = at.field("tax_registrations");
    if !vendor.registrations.iter().any(|registration| *registration.r#type == Some(wanted)) {
        let message = format!(
            "{at} has no {name} number, and Amazon refuses invoices to {country} without one, often only later; give it, or write it \
             once under parties of the target"
        );
        findings.faults.push(Fault::warning("AMZ-022", list, message));
    }
    for (index, registration) in vendor.registrations.iter().enumerate() {
        let number = &registration.number;
        let is_gstin = number.len() == GSTIN && number.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if *registration.r#type == Some(TaxRegistrationType::Gst) && country == "IN" && number.is_given() && !is_gstin {
            let number = number.as_str();
            let message = format!("{number:?} is not a GST number of India; those have {GSTIN} letters and digits");
            findings.faults.push(Fault::warning("AMZ-023", list.index(index).field("number"), message).found(number));
        }
    }
}

fn has_taxes(invoice: &Invoice<'_>) -> bool {
    !invoice.taxes.is_empty() || invoice.lines.iter().any(|line| !line.taxes.is_empty())
}

/// India wants more than others (Amazon's guide).
fn check_india(invoice: &Invoice<'_>, parties: &Parties<'_>, findings: &mut Findings) {
    let mut warn = |rule, at: &Path<'_>, message: String| findings.faults.push(Fault::warning(rule, at, message));
    let at = Path::ROOT;
    if !invoice.reference.is_given() {
        let message = "reference is not given; invoices to India need the government's invoice reference".to_owned();
        warn("AMZ-071", &at.field("reference"), message);
    }
    for (name, party) in [("ship_from", &parties.ship_from), ("ship_to", &parties.ship_to)] {
        if party.is_none() {
            warn("AMZ-072", &at.field(name), format!("{name} is not given; invoices to India name it"));
        }
    }
    if !has_taxes(invoice) {
        let message = "no tax is given; invoices to India show them, such as cgst and sgst, or igst".to_owned();
        warn("AMZ-073", &at.field("taxes"), message);
    }
    let lines = at.field("lines");
    let mut order = None;
    for (index, line) in invoice.lines.iter().enumerate() {
        let line_at = lines.index(index);
        if !line.item.hsn_code.is_given() {
            let item = line_at.field("item");
            let field = item.field("hsn_code");
            warn("AMZ-070", &field, format!("{field} is not given; invoices to India name the HSN code of every item"));
        }
        let Some(number) = line.order_reference.given() else { continue };
        let first = *order.get_or_insert(number);
        if first != number {
            let message = format!("{number:?} is another purchase order than {first:?}; an invoice to India bills one");
            warn("AMZ-074", &line_at.field("order_reference"), message);
            return;
        }
    }
}
