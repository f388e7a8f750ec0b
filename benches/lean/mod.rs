//! The leanest reader and writer of invoices that there could be: it borrows what it reads, writes straight into a buffer, knows no
//! rule, and trusts every line. What a dry run costs is compared with it.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

type Text<'a> = Option<Cow<'a, str>>;
type Raw<'a> = Option<&'a RawValue>;

#[derive(Deserialize)]
struct Invoice<'a> {
    #[serde(borrow)]
    number: Cow<'a, str>,
    #[serde(borrow)]
    r#type: Text<'a>,
    #[serde(borrow)]
    issue_date: Cow<'a, str>,
    #[serde(borrow)]
    currency: Cow<'a, str>,
    #[serde(borrow)]
    reference: Text<'a>,
    #[serde(borrow)]
    payee: Option<Party<'a>>,
    #[serde(borrow)]
    buyer: Option<Party<'a>>,
    #[serde(borrow)]
    ship_to: Option<Party<'a>>,
    #[serde(borrow)]
    ship_from: Option<Party<'a>>,
    #[serde(borrow)]
    total: Raw<'a>,
    #[serde(borrow, default)]
    taxes: Vec<Tax<'a>>,
    #[serde(borrow, default)]
    charges: Vec<Charge<'a>>,
    #[serde(borrow, default)]
    allowances: Vec<Charge<'a>>,
    #[serde(borrow)]
    lines: Vec<Line<'a>>,
}

#[derive(Deserialize)]
struct Party<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    address: Option<Address<'a>>,
    #[serde(borrow, default)]
    tax_registrations: Vec<Registration<'a>>,
}

#[derive(Deserialize)]
struct Registration<'a> {
    #[serde(borrow)]
    r#type: Cow<'a, str>,
    #[serde(borrow)]
    number: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Address<'a> {
    #[serde(borrow)]
    lines: Vec<Cow<'a, str>>,
    #[serde(borrow)]
    city: Text<'a>,
    #[serde(borrow)]
    region: Text<'a>,
    #[serde(borrow)]
    postal_code: Text<'a>,
    #[serde(borrow)]
    country: Text<'a>,
}

#[derive(Deserialize)]
struct Tax<'a> {
    #[serde(borrow)]
    r#type: Cow<'a, str>,
    #[serde(borrow)]
    rate: Raw<'a>,
    #[serde(borrow)]
    amount: Raw<'a>,
    #[serde(borrow)]
    taxable_amount: Raw<'a>,
}

#[derive(Deserialize)]
struct Charge<'a> {
    #[serde(borrow)]
    r#type: Cow<'a, str>,
    #[serde(borrow)]
    description: Text<'a>,
    #[serde(borrow)]
    amount: Raw<'a>,
    #[serde(borrow, default)]
    taxes: Vec<Tax<'a>>,
}

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    item: Item<'a>,
    #[serde(borrow)]
    order_reference: Text<'a>,
    #[serde(borrow)]
    quantity: Raw<'a>,
    #[serde(borrow)]
    unit: Text<'a>,
    #[serde(borrow)]
    unit_size: Raw<'a>,
    #[serde(borrow)]
    price: Raw<'a>,
    #[serde(borrow, default)]
    taxes: Vec<Tax<'a>>,
}

#[derive(Deserialize)]
struct Item<'a> {
    #[serde(borrow)]
    buyers_id: Text<'a>,
    #[serde(borrow)]
    sellers_id: Text<'a>,
    #[serde(borrow)]
    hsn_code: Text<'a>,
}

/// Writes the body of a call for a line of input.
pub(crate) fn translate(line: &str, out: &mut Vec<u8>) {
    let invoice: Invoice<'_> = serde_json::from_str(line).unwrap();
    let currency = &invoice.currency;
    out.extend_from_slice(b"{\"invoices\":[{\"invoiceType\":");
    text(if invoice.r#type.is_some() { "CreditNote" } else { "Invoice" }, out);
    member("id", Some(&invoice.number), out);
    member("referenceNumber", invoice.reference.as_deref(), out);
    out.extend_from_slice(b",\"date\":\"");
    out.extend_from_slice(invoice.issue_date.get(..10).unwrap().as_bytes());
    out.extend_from_slice(b"T00:00:00Z\"");
    let parties = [
        ("remitToParty", &invoice.payee),
        ("billToParty", &invoice.buyer),
        ("shipToParty", &invoice.ship_to),
        ("shipFromParty", &invoice.ship_from),
    ];
    for (name, party) in parties {
        party.iter().for_each(|party| write_party(name, party, out));
    }
    money("invoiceTotal", invoice.total, currency, out);
    taxes(&invoice.taxes, currency, out);
    charges(("chargeDetails", "chargeAmount"), &invoice.charges, currency, out);
    charges(("allowanceDetails", "allowanceAmount"), &invoice.allowances, currency, out);
    out.extend_from_slice(b",\"items\":[");
    for (index, line) in invoice.lines.iter().enumerate() {
        out.extend_from_slice(if index > 0 { b",{\"itemSequenceNumber\":" } else { b"{\"itemSequenceNumber\":" });
        out.extend_from_slice((index + 1).to_string().as_bytes());
        member("amazonProductIdentifier", line.item.buyers_id.as_deref(), out);
        member("vendorProductIdentifier", line.item.sellers_id.as_deref(), out);
        out.extend_from_slice(b",\"invoicedQuantity\":{\"amount\":");
        out.extend_from_slice(digits(line.quantity).as_bytes());
        member("unitOfMeasure", line.unit.as_deref(), out);
        if let Some(size) = line.unit_size {
            out.extend_from_slice(b",\"unitSize\":");
            out.extend_from_slice(size.get().as_bytes());
        }
        out.push(b'}');
        money("netCost", line.price, currency, out);
        member("purchaseOrderNumber", line.order_reference.as_deref(), out);
        member("hsnCode", line.item.hsn_code.as_deref(), out);
        taxes(&line.taxes, currency, out);
        out.push(b'}');
    }
    out.extend_from_slice(b"]}]}\n");
}

fn text(text: &str, out: &mut Vec<u8>) {
    payables_bridge::formats::json::write_text(text, out);
}

fn member(name: &str, value: Option<&str>, out: &mut Vec<u8>) {
    if let Some(value) = value {
        out.extend_from_slice(b",\"");
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b"\":");
        text(value, out);
    }
}

fn digits<'a>(raw: Raw<'a>) -> &'a str {
    raw.map(|raw| raw.get().trim_matches('"')).unwrap_or_default()
}

fn money(name: &str, amount: Raw<'_>, currency: &str, out: &mut Vec<u8>) {
    if amount.is_some() {
        out.extend_from_slice(b",\"");
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b"\":{\"currencyCode\":");
        text(currency, out);
        out.extend_from_slice(b",\"amount\":\"");
        out.extend_from_slice(digits(amount).as_bytes());
        out.extend_from_slice(b"\"}");
    }
}

fn write_party(name: &str, party: &Party<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":{\"partyId\":");
    text(&party.id, out);
    if let Some(address) = &party.address {
        out.extend_from_slice(b",\"address\":{\"name\":");
        text(party.name.as_deref().unwrap_or_default(), out);
        for (line, name) in address.lines.iter().zip(["addressLine1", "addressLine2", "addressLine3"]) {
            member(name, Some(line), out);
        }
        member("city", address.city.as_deref(), out);
        member("stateOrRegion", address.region.as_deref(), out);
        member("postalOrZipCode", address.postal_code.as_deref(), out);
        member("countryCode", address.country.as_deref(), out);
        out.push(b'}');
    }
    for (index, registration) in party.tax_registrations.iter().enumerate() {
        out.extend_from_slice(if index > 0 { b",{" } else { b",\"taxRegistrationDetails\":[{" });
        out.extend_from_slice(b"\"taxRegistrationType\":");
        text(&registration.r#type, out);
        member("taxRegistrationNumber", Some(&registration.number), out);
        out.push(b'}');
    }
    if !party.tax_registrations.is_empty() {
        out.push(b']');
    }
    out.push(b'}');
}

fn taxes(taxes: &[Tax<'_>], currency: &str, out: &mut Vec<u8>) {
    for (index, tax) in taxes.iter().enumerate() {
        out.extend_from_slice(if index > 0 { b",{" } else { b",\"taxDetails\":[{" });
        out.extend_from_slice(b"\"taxType\":");
        text(&tax.r#type, out);
        if tax.rate.is_some() {
            out.extend_from_slice(b",\"taxRate\":\"");
            out.extend_from_slice(digits(tax.rate).as_bytes());
            out.push(b'"');
        }
        money("taxAmount", tax.amount, currency, out);
        money("taxableAmount", tax.taxable_amount, currency, out);
        out.push(b'}');
    }
    if !taxes.is_empty() {
        out.push(b']');
    }
}

fn charges((list, amount): (&str, &str), charges: &[Charge<'_>], currency: &str, out: &mut Vec<u8>) {
    for (index, charge) in charges.iter().enumerate() {
        if index == 0 {
            out.extend_from_slice(b",\"");
            out.extend_from_slice(list.as_bytes());
            out.extend_from_slice(b"\":[");
        } else {
            out.push(b',');
        }
        out.extend_from_slice(b"{\"type\":");
        text(&charge.r#type, out);
        member("description", charge.description.as_deref(), out);
        money(amount, charge.amount, currency, out);
        taxes(&charge.taxes, currency, out);
        out.push(b'}');
    }
    if !charges.is_empty() {
        out.push(b']');
    }
}
