//! Preflight: what Amazon would refuse, at once or later and without a word of why.
//!
//! Errors are what the API's model asks for and what its guides say will fail. What the guides only say in passing, or where
//! Amazon's own samples break Amazon's own rules, is a warning; every level can be changed.

mod credit;
mod lines;
mod parties;
mod sums;

use rust_decimal::Decimal;

use super::Amazon;
use super::map::{self, Parties};
use crate::adapter::{Context, Findings};
use crate::model::{Fault, Invoice, InvoiceType, Number, Path, decimal, invoice_sum, minor_unit};
use crate::rules::Level;

/// A moment that is farther ahead is in the future whatever the time zone of whoever wrote it.
const DAY_S: i64 = 86_400;

/// What the checks found out and the wire needs.
pub(super) struct Judged {
    /// `invoiceTotal`
    pub(super) total: Option<Decimal>,
}

/// Collects the faults of an invoice for this target.
pub(super) fn check(
    invoice: &Invoice<'_>,
    parties: &Parties<'_>,
    target: &Amazon,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Judged {
    check_date(invoice, target, context, findings);
    check_terms(invoice, findings);
    parties::check(invoice, parties, findings);
    let total = check_total(invoice, target, findings);
    lines::check(invoice, target, findings);
    credit::check(invoice, parties, target, findings);
    not_carried(invoice, parties, findings);
    findings.amount = total;
    Judged { total }
}

/// Whether it is a credit note.
fn is_credit_note(invoice: &Invoice<'_>) -> bool {
    *invoice.r#type == Some(InvoiceType::CreditNote)
}

fn check_date(invoice: &Invoice<'_>, target: &Amazon, context: &Context<'_>, findings: &mut Findings) {
    let Some(date) = *invoice.issue_date else { return };
    let at = Path::ROOT.field("issue_date");
    let Some(moment) = map::moment(date, &target.time_zone) else {
        let message = format!("{date} is not a moment between the years 1 and 9999 in UTC; correct it");
        findings.faults.push(Fault::error("AMZ-012", at, message).found(date));
        return;
    };
    let now = i64::try_from(context.unix_seconds).unwrap_or(i64::MAX);
    if moment.as_second() > now.saturating_add(DAY_S) {
        let message = format!("{date} is in the future, and Amazon refuses such invoices; correct the date, or wait for it");
        findings.faults.push(Fault::error("AMZ-011", at, message).found(date));
    }
}

/// Terms of payment that cannot be meant. Amazon wants those that were agreed with the buyer.
fn check_terms(invoice: &Invoice<'_>, findings: &mut Findings) {
    let Some(terms) = &invoice.payment_terms else { return };
    let at = Path::ROOT.field("payment_terms");
    if let Some(percent) = *terms.discount_percent
        && (percent.is_sign_negative() || percent > Decimal::ONE_HUNDRED)
    {
        let message = format!("{percent} is no discount in percent; write one from 0 to 100");
        findings.faults.push(Fault::warning("AMZ-018", at.field("discount_percent"), message).found(percent));
    }
    if let (Some(discount), Some(net)) = (*terms.discount_due_days, *terms.net_due_days)
        && discount > net
    {
        let message = format!("the discount holds for {discount} days, and the payment is due after {net}; check both");
        findings.faults.push(Fault::warning("AMZ-018", at.field("discount_due_days"), message).found(discount));
    }
}

/// The total as it is given or derived, and whether it agrees with its parts.
fn check_total(invoice: &Invoice<'_>, target: &Amazon, findings: &mut Findings) -> Option<Decimal> {
    let at = Path::ROOT.field("total");
    let sum = invoice_sum(invoice);
    let places = minor_unit(&invoice.currency);
    let Some((total, rounded)) = map::total(invoice, sum, target) else {
        // What has to be rounded to a currency that has no smallest unit, or is none, is told of where the currency is.
        let (rule, message) = if target.derive_total && places.is_none() {
            ("AMZ-013", "total is not given, and cannot be computed in this currency; give what is to be paid")
        } else if target.derive_total && !invoice.lines.is_empty() {
            ("AMZ-030", "the parts add up to more digits than can be carried exactly; check prices and quantities")
        } else {
            ("AMZ-013", "total is not given; give what is to be paid, or set derive_total = true to have it computed")
        };
        findings.faults.push(Fault::error(rule, at, message));
        return None;
    };
    if rounded {
        let exact = sum.and_then(|sum| sum.total()).unwrap_or_default().normalize();
        let message = format!("the parts add up to {exact}, sent as {total}: {} has so many places", invoice.currency.as_str());
        findings.faults.push(Fault::warning("AMZ-016", at, message));
    }
    if places.is_some_and(|places| decimal::fit(total, places).is_none()) {
        let places = places.unwrap_or_default();
        let message =
            format!("{total} has more places than {} has ({places}); round it where it comes from", invoice.currency.as_str());
        findings.faults.push(Fault::error("AMZ-015", at, message).found(total));
    }
    if total.is_zero() {
        let message = "the total is 0, and Amazon refuses such invoices; leave the invoice out, or correct the total";
        findings.faults.push(Fault::error("AMZ-014", at, message).found(total));
    } else if total.is_sign_negative() {
        let message = format!("{total} is less than nothing; a credit note has amounts above 0 like an invoice, check the sign");
        findings.faults.push(Fault::warning("AMZ-014", at, message).found(total));
    }
    if invoice.total.is_some() {
        sums::check_total(invoice, total, sum, target, findings);
    }
    sums::check_parts(invoice, target, findings);
    Some(total)
}

/// A fault of the sums, at the level that the target gives to arithmetic.
fn arithmetic(target: &Amazon, rule: &'static str, at: impl std::fmt::Display, message: String, findings: &mut Findings) {
    match target.arithmetic {
        Level::Error => findings.faults.push(Fault::error(rule, at, message)),
        Level::Warn => findings.faults.push(Fault::warning(rule, at, message)),
        Level::Off => {}
    }
}

/// A number as people write it.
fn shown(number: Number) -> String {
    number.map_or_else(|| "nothing".to_owned(), |value| decimal::to_text(value.normalize()))
}

fn not_carried(invoice: &Invoice<'_>, parties: &Parties<'_>, findings: &mut Findings) {
    findings.not_carried("note", invoice.note.is_given());
    let documents = [
        ("payee.entity", &invoice.payee),
        ("buyer.entity", &invoice.buyer),
        ("ship_to.entity", &invoice.ship_to),
        ("ship_from.entity", &invoice.ship_from),
    ];
    for (path, party) in documents {
        findings.not_carried(path, party.as_ref().is_some_and(|party| party.entity.is_given()));
    }
    // The wire has a name only where it has an address. What the configuration says of a party is not the document's.
    let names = [
        ("payee.name", &invoice.payee, &parties.payee),
        ("buyer.name", &invoice.buyer, &parties.buyer),
        ("ship_to.name", &invoice.ship_to, &parties.ship_to),
        ("ship_from.name", &invoice.ship_from, &parties.ship_from),
    ];
    for (path, own, party) in names {
        let is_lost =
            |party: &map::Who<'_>| party.address.is_none_or(|address| address.name.is_given() && *address.name != *party.name);
        let is_named = own.as_ref().is_some_and(|own| own.name.is_given());
        findings.not_carried(path, is_named && party.as_ref().is_some_and(is_lost));
    }
    for line in &invoice.lines {
        findings.not_carried("lines[].item.standard_id", line.item.standard_id.is_given());
        findings.not_carried("lines[].item.name", line.item.name.is_given());
        findings.not_carried("lines[].item.description", line.item.description.is_given());
        findings.not_carried("lines[].item.external_id", line.item.external_id.is_given());
    }
}
