//! What a credit note refers to.

use super::is_credit_note;
use super::parties::buying_country;
use crate::adapter::Findings;
use crate::model::{Credit, ErrorCount, Fault, Invoice, Path};
use crate::vendors::amazon::Amazon;
use crate::vendors::amazon::map::{self, Parties};

/// Where Amazon says that credit notes are taken (its page on them).
const TAKEN_IN: &[&str] = &["ES", "IN", "IE", "ZA", "BE", "FR", "EG", "PL", "NL", "GB", "DE", "SE", "SA", "IT"];

pub(super) fn check(invoice: &Invoice<'_>, parties: &Parties<'_>, target: &Amazon, findings: &mut Findings) {
    let lines = Path::ROOT.field("lines");
    if !is_credit_note(invoice) {
        let details = invoice.lines.iter().position(|line| line.credit.is_some());
        if let Some(index) = details {
            let at = lines.index(index);
            let message =
                format!("{at}.credit is given, and the document is an invoice; set type to credit_note, or take it out");
            findings.faults.push(Fault::warning("AMZ-063", at.field("credit"), message));
        }
        return;
    }
    let country = buying_country(parties);
    if !country.is_empty() && !TAKEN_IN.contains(&country) {
        let message = format!("Amazon does not list {country} among the countries whose credit notes it takes in this way");
        findings.faults.push(Fault::warning("AMZ-064", Path::ROOT.field("type"), message));
    }
    let none = Credit::default();
    let mut count = ErrorCount::default();
    let mut credited: Option<&str> = None;
    for (index, line) in invoice.lines.iter().enumerate() {
        if count.is_full(&findings.faults) {
            return;
        }
        let at = lines.index(index);
        let field = at.field("credit");
        let credit = line.credit.as_ref().unwrap_or(&none);
        check_references(credit, &field, target, findings);
        let Some(number) = credit.invoice.given() else { continue };
        let first = *credited.get_or_insert(number);
        if first != number {
            let message =
                format!("{number:?} is another invoice than {first:?}, and a credit note credits one; split the credit note");
            findings.faults.push(Fault::error("AMZ-062", field.field("invoice"), message).found(number));
        }
    }
}

/// One of the references at least, and for a return all that belong to it.
fn check_references(credit: &Credit<'_>, at: &Path<'_>, target: &Amazon, findings: &mut Findings) {
    let references =
        [&credit.invoice, &credit.debit_note, &credit.returns_reference, &credit.coop_reference, &credit.consignor_reference];
    let is_return = credit.returns_reference.is_given() || credit.rma.is_given() || credit.goods_return_date.is_some();
    if !is_return && references.iter().all(|reference| !reference.is_given()) {
        let message = format!(
            "{at} names nothing that is credited; give the invoice, for a return returns_reference and goods_return_date, for \
             co-operation coop_reference or debit_note, for consignment consignor_reference"
        );
        findings.faults.push(Fault::error("AMZ-060", at, message));
    }
    if is_return {
        let missing = [
            ("returns_reference", !credit.returns_reference.is_given()),
            ("goods_return_date", credit.goods_return_date.is_none()),
        ];
        for (name, _) in missing.iter().filter(|(_, is_missing)| *is_missing) {
            let message = format!("{at}.{name} is not given, and a credit note for a return needs it; give it");
            findings.faults.push(Fault::error("AMZ-061", at.field(name), message));
        }
    }
    if let Some(date) = credit.goods_return_date.filter(|date| map::moment(*date, &target.time_zone).is_none()) {
        let message = format!("{date} is not a moment between the years 1 and 9999 in UTC; correct it");
        findings.faults.push(Fault::error("AMZ-012", at.field("goods_return_date"), message).found(date));
    }
}
