//! What the vendor finds out about an invoice only after it took it: the rules of the business. A body
//! that comes here has the right shape.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::reply::Problem;

/// How far an invoice's date may be ahead: clocks differ.
const AHEAD: SignedDuration = SignedDuration::from_mins(5);

/// What is kept of an invoice that was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Invoice {
    pub(super) number: String,
    pub(super) payee: String,
    pub(super) kind: String,
    pub(super) total: String,
    pub(super) currency: String,
    pub(super) digest: String,
    /// Why its transaction will fail, if it does.
    pub(super) problems: Vec<Problem>,
}

impl Invoice {
    /// By what the vendor knows it: numbers are the payee's, and credit notes share them.
    pub(super) fn key(&self) -> String {
        format!("{}/{}", self.payee, self.number)
    }
}

/// Reads and judges all invoices of a body.
pub(super) fn read(body: &Value, now: Timestamp) -> Vec<Invoice> {
    let invoices = body.get("invoices").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    invoices.iter().map(|invoice| read_one(invoice, now)).collect()
}

fn read_one(invoice: &Value, now: Timestamp) -> Invoice {
    let text = |path| text(invoice, path).to_owned();
    Invoice {
        number: text("/id"),
        payee: text("/remitToParty/partyId"),
        kind: text("/invoiceType"),
        total: text("/invoiceTotal/amount"),
        currency: text("/invoiceTotal/currencyCode"),
        digest: digest(invoice),
        problems: problems(invoice, now),
    }
}

fn text<'a>(value: &'a Value, path: &str) -> &'a str {
    value.pointer(path).and_then(Value::as_str).unwrap_or_default()
}

fn problems(invoice: &Value, now: Timestamp) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut add = |code, message: String| problems.push(Problem::new(code, message));
    if is_zero(text(invoice, "/invoiceTotal/amount")) {
        add("INVALID_INVOICE_TOTAL", "The total of the invoice is zero.".to_owned());
    }
    // The schema has seen to it that there is a date.
    if text(invoice, "/date").parse::<Timestamp>().is_ok_and(|date| date.duration_since(now) > AHEAD) {
        add("INVALID_INVOICE_DATE", "The date of the invoice is in the future.".to_owned());
    }
    if invoice.get("billToParty").is_none() {
        add("MISSING_BILL_TO_PARTY", "The invoice has no bill to party.".to_owned());
    }
    let items = invoice.get("items").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if items.is_empty() {
        add("MISSING_ITEMS", "The invoice has no items.".to_owned());
    }
    let is_credit_note = text(invoice, "/invoiceType") == "CreditNote";
    if is_credit_note && items.iter().all(|item| item.get("creditNoteDetails").is_none()) {
        add("MISSING_CREDIT_NOTE_DETAILS", "The credit note has no credit note details.".to_owned());
    }
    let mut seen = HashSet::new();
    for item in items {
        let sequence = item.get("itemSequenceNumber").and_then(Value::as_i64).unwrap_or_default();
        if !seen.insert(sequence) {
            add("INVALID_ITEM_SEQUENCE_NUMBER", format!("The item sequence number {sequence} is there twice."));
        }
        if item.pointer("/invoicedQuantity/amount").and_then(Value::as_i64).is_none_or(|amount| amount <= 0) {
            add("INVALID_QUANTITY", format!("The quantity of item {sequence} is not greater than zero."));
        }
        let cost = text(item, "/netCost/amount");
        if is_zero(cost) || cost.starts_with('-') {
            add("INVALID_NET_COST", format!("The net cost of item {sequence} is not greater than zero."));
        }
        if item.get("amazonProductIdentifier").is_none() && item.get("vendorProductIdentifier").is_none() {
            add("INVALID_PRODUCT_ID", format!("Item {sequence} has no product identifier."));
        }
    }
    problems
}

/// SHA-256 of the content. Objects of this kind are sorted by name, and decimals count by value.
fn digest(invoice: &Value) -> String {
    let mut invoice = invoice.clone();
    normalise(&mut invoice);
    Sha256::digest(invoice.to_string()).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn normalise(value: &mut Value) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(normalise),
        Value::Object(members) => {
            for (name, value) in members {
                match value {
                    Value::String(text) if matches!(name.as_str(), "amount" | "taxRate" | "discountPercent") => {
                        *text = shortest(text).to_owned();
                    }
                    value => normalise(value),
                }
            }
        }
        _ => {}
    }
}

/// The shortest spelling of a decimal without an exponent.
fn shortest(decimal: &str) -> &str {
    if is_zero(decimal) {
        return "0";
    }
    match decimal.contains('.') && !decimal.contains(['e', 'E']) {
        true => decimal.trim_end_matches('0').trim_end_matches('.'),
        false => decimal,
    }
}

fn is_zero(decimal: &str) -> bool {
    let mantissa = decimal.split(['e', 'E']).next().unwrap_or_default();
    !mantissa.contains(|char: char| matches!(char, '1'..='9'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_count_by_value() {
        for (spelt, expected) in [("1.50", "1.5"), ("10", "10"), ("10.0", "10"), ("-0.00", "0"), ("0e5", "0"), ("1.0e1", "1.0e1")]
        {
            assert_eq!(shortest(spelt), expected);
        }
        assert!(is_zero("-0.000E7") && !is_zero("0.01"));
    }

    #[test]
    fn a_digest_is_of_values_and_not_of_spellings() {
        let of = |text: &str| digest(&serde_json::from_str(text).unwrap());
        let one = of(r#"{"id":"1","invoiceTotal":{"amount":"1.50","currencyCode":"EUR"}}"#);
        assert_eq!(one, of(r#"{"invoiceTotal":{"currencyCode":"EUR","amount":"1.5"},"id":"1"}"#));
        assert_ne!(one, of(r#"{"id":"1.0","invoiceTotal":{"amount":"1.50","currencyCode":"EUR"}}"#));
    }
}
