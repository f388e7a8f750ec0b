//! How a new version of an invoice differs from the one that was sent: what a person wants to know before anything is
//! released, since Amazon takes a number once.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::map::{Parties, Who};
use crate::adapter::{Findings, Trace};
use crate::model::{Fault, Given, Invoice, Path, Tax, decimal};

/// The most differences that are told.
const MOST: usize = 12;
/// The most lines that are remembered.
const MOST_LINES: usize = 200;

/// What is remembered of an invoice: the fields that money hangs on, each with its path.
fn essence(invoice: &Invoice<'_>, parties: &Parties<'_>) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    let mut put = |path: String, value: String| {
        if !value.is_empty() {
            all.insert(path, value);
        }
    };
    let id = |party: &Option<Who<'_>>| party.map(|party| party.id.to_owned()).unwrap_or_default();
    put("type".to_owned(), invoice.r#type.map(|kind| kind.word().to_owned()).unwrap_or_default());
    put("issue_date".to_owned(), invoice.issue_date.map(|date| date.to_string()).unwrap_or_default());
    put("currency".to_owned(), invoice.currency.to_string());
    put("total".to_owned(), number(invoice.total));
    put("reference".to_owned(), invoice.reference.to_string());
    put("buyer.id".to_owned(), id(&parties.buyer));
    put("ship_to.id".to_owned(), id(&parties.ship_to));
    put("payee.id".to_owned(), id(&parties.payee));
    put("ship_from.id".to_owned(), id(&parties.ship_from));
    put("number of lines".to_owned(), invoice.lines.len().to_string());
    if let Some(terms) = &invoice.payment_terms {
        put("payment_terms.type".to_owned(), terms.r#type.map(|kind| kind.word().to_owned()).unwrap_or_default());
        put("payment_terms.net_due_days".to_owned(), terms.net_due_days.map(|days| days.to_string()).unwrap_or_default());
        put("payment_terms.discount_percent".to_owned(), number(terms.discount_percent));
        put(
            "payment_terms.discount_due_days".to_owned(),
            terms.discount_due_days.map(|days| days.to_string()).unwrap_or_default(),
        );
    }
    put_taxes("taxes", &invoice.taxes, &mut put);
    put_amounts("charges", invoice.charges.iter().map(|charge| (charge.amount, &charge.taxes)), &mut put);
    put_amounts("allowances", invoice.allowances.iter().map(|allowance| (allowance.amount, &allowance.taxes)), &mut put);
    for (index, line) in invoice.lines.iter().take(MOST_LINES).enumerate() {
        put(format!("lines[{index}].quantity"), number(line.quantity));
        put(format!("lines[{index}].price"), number(line.price));
        put(format!("lines[{index}].order_reference"), line.order_reference.to_string());
        put(format!("lines[{index}].unit"), line.unit.to_string());
        put(format!("lines[{index}].unit_size"), line.unit_size.map(|size| size.to_string()).unwrap_or_default());
        put(format!("lines[{index}].price_unit"), line.price_unit.to_string());
        put(format!("lines[{index}].price_currency"), line.price_currency.to_string());
        if let Some(weight) = &line.weight {
            put(format!("lines[{index}].weight"), format!("{} {}", number(weight.value), weight.unit.as_str()));
        }
        if let Some(credit) = &line.credit {
            put(format!("lines[{index}].credit.invoice"), credit.invoice.to_string());
            put(format!("lines[{index}].credit.debit_note"), credit.debit_note.to_string());
            put(format!("lines[{index}].credit.returns_reference"), credit.returns_reference.to_string());
        }
        put_taxes(&format!("lines[{index}].taxes"), &line.taxes, &mut put);
        let (charges, allowances) = (format!("lines[{index}].charges"), format!("lines[{index}].allowances"));
        put_amounts(&charges, line.charges.iter().map(|charge| (charge.amount, &charge.taxes)), &mut put);
        put_amounts(&allowances, line.allowances.iter().map(|allowance| (allowance.amount, &allowance.taxes)), &mut put);
        let item = line.item.buyers_id.given().or_else(|| line.item.sellers_id.given());
        put(format!("lines[{index}].item"), item.unwrap_or_default().to_owned());
    }
    all
}

fn number(value: Given<Decimal>) -> String {
    value.map(|value| decimal::to_text(value.normalize())).unwrap_or_default()
}

fn put_taxes(path: &str, taxes: &[Tax<'_>], put: &mut impl FnMut(String, String)) {
    for (index, tax) in taxes.iter().enumerate() {
        put(format!("{path}[{index}].type"), tax.r#type.map(|kind| kind.word().to_owned()).unwrap_or_default());
        put(format!("{path}[{index}].rate"), number(tax.rate));
        put(format!("{path}[{index}].amount"), number(tax.amount));
    }
}

/// Charges or allowances, with their taxes.
fn put_amounts<'i>(
    path: &str,
    amounts: impl Iterator<Item = (Given<Decimal>, &'i Vec<Tax<'i>>)>,
    put: &mut impl FnMut(String, String),
) {
    for (index, (amount, taxes)) in amounts.enumerate() {
        put(format!("{path}[{index}].amount"), number(amount));
        put_taxes(&format!("{path}[{index}].taxes"), taxes, put);
    }
}

/// What has to be remembered of an invoice.
pub(super) fn trace(invoice: &Invoice<'_>, parties: &Parties<'_>) -> Trace {
    // Texts have nothing in them that JSON could refuse.
    Trace { payee: None, memo: serde_json::to_vec(&essence(invoice, parties)).unwrap_or_default() }
}

/// Tells how an invoice differs from what is remembered of an earlier version.
pub(super) fn compare(invoice: &Invoice<'_>, parties: &Parties<'_>, earlier: &[u8], findings: &mut Findings) {
    let Ok(before) = serde_json::from_slice::<BTreeMap<String, String>>(earlier) else { return };
    let now = essence(invoice, parties);
    let nothing = || "nothing".to_owned();
    let mut differences = Vec::new();
    for (path, value) in &now {
        let old = before.get(path);
        if old != Some(value) {
            differences.push(format!("{path}: {} → {value}", old.cloned().unwrap_or_else(nothing)));
        }
    }
    for (path, old) in before.iter().filter(|(path, _)| !now.contains_key(*path)) {
        differences.push(format!("{path}: {old} → nothing"));
    }
    let message = if differences.is_empty() {
        "this version differs from the one that was sent in something that no money hangs on, such as an address or a text"
            .to_owned()
    } else {
        let more = differences.len().saturating_sub(MOST);
        let rest = if more > 0 { format!("; and {more} more") } else { String::new() };
        differences.truncate(MOST);
        format!("this version differs from the one that was sent: {}{rest}", differences.join("; "))
    };
    findings.faults.push(Fault::warning("AMZ-005", Path::ROOT, message));
}
