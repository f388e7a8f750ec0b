//! What is required of an invoice, and what must agree with what in it.

use super::{
    check_blank, check_currency, check_lines, check_number, check_party, check_reference, missing, require, require_text, trimmed,
};
use crate::model::{Allowance, Charge, Credit, ErrorCount, Fault, Invoice, InvoiceLine, Path, Tax, Text};

pub(super) fn check(invoice: &Invoice<'_>, faults: &mut Vec<Fault>) {
    let at = Path::ROOT;
    check_number(&invoice.number, faults);
    check_reference(&invoice.reference, &at.field("reference"), faults);
    require(&invoice.issue_date, &at.field("issue_date"), "give the date as YYYY-MM-DD", faults);
    check_currency(&invoice.currency, &at.field("currency"), true, faults);
    if invoice.payee.is_none() {
        faults.push(missing(&at.field("payee"), "name the party that is paid"));
    }
    let parties =
        [("payee", &invoice.payee), ("buyer", &invoice.buyer), ("ship_to", &invoice.ship_to), ("ship_from", &invoice.ship_from)];
    for (name, party) in parties {
        if let Some(party) = party {
            check_party(party, &at.field(name), faults);
            // Numbers of documents are told apart by their parties.
            if !trimmed(&party.id).is_empty() {
                check_blank(&party.id, &at.field(name).field("id"), faults);
            }
        }
    }
    check_taxes(&invoice.taxes, &at, faults);
    check_charges(&invoice.charges, &at, faults);
    check_allowances(&invoice.allowances, &at, faults);
    let details = at.field("additional_details");
    each(&invoice.additional_details, &details, faults, |detail, at, faults| {
        require(&detail.r#type, &at.field("type"), "write sur, ocr or carton_count", faults);
        require_text(&detail.detail, &at.field("detail"), "write the statement", faults);
    });
    check_lines(&invoice.lines, faults, |line| &line.id, check_line);
}

fn check_line(line: &InvoiceLine<'_>, at: &Path<'_>, faults: &mut Vec<Fault>) {
    let item = at.field("item");
    if !line.item.buyers_id.is_given() && !line.item.sellers_id.is_given() {
        faults.push(missing(&item, "give the buyer's code (buyers_id) or the seller's code (sellers_id) of the item"));
    }
    let references: [(&Text<'_>, _); 4] = [
        (&line.item.buyers_id, item.field("buyers_id")),
        (&line.item.sellers_id, item.field("sellers_id")),
        (&line.item.hsn_code, item.field("hsn_code")),
        (&line.order_reference, at.field("order_reference")),
    ];
    for (text, at) in references {
        check_reference(text, &at, faults);
    }
    require(&line.quantity, &at.field("quantity"), "say how many are billed", faults);
    require_text(&line.unit, &at.field("unit"), "give the unit as a UN/ECE Recommendation 20 code, such as EA", faults);
    require(&line.price, &at.field("price"), "give the price of one unit, such as 4.95", faults);
    check_currency(&line.price_currency, &at.field("price_currency"), false, faults);
    if let Some(weight) = &line.weight {
        let at = at.field("weight");
        require(&weight.value, &at.field("value"), "say how heavy the goods are", faults);
        require_text(&weight.unit, &at.field("unit"), "give the unit as a UN/ECE Recommendation 20 code, such as KGM", faults);
    }
    if let Some(credit) = &line.credit {
        check_credit(credit, &at.field("credit"), faults);
    }
    check_taxes(&line.taxes, at, faults);
    check_charges(&line.charges, at, faults);
    check_allowances(&line.allowances, at, faults);
}

fn check_credit(credit: &Credit<'_>, at: &Path<'_>, faults: &mut Vec<Fault>) {
    for (name, text) in [
        ("invoice", &credit.invoice),
        ("debit_note", &credit.debit_note),
        ("returns_reference", &credit.returns_reference),
        ("rma", &credit.rma),
        ("coop_reference", &credit.coop_reference),
        ("consignor_reference", &credit.consignor_reference),
    ] {
        check_reference(text, &at.field(name), faults);
    }
}

fn check_taxes(taxes: &[Tax<'_>], at: &Path<'_>, faults: &mut Vec<Fault>) {
    each(taxes, &at.field("taxes"), faults, |tax, at, faults| {
        require(&tax.r#type, &at.field("type"), "write the kind of tax, such as vat", faults);
        require(&tax.amount, &at.field("amount"), "give the amount of the tax", faults);
        check_currency(&tax.currency, &at.field("currency"), false, faults);
        check_currency(&tax.taxable_currency, &at.field("taxable_currency"), false, faults);
    });
}

fn check_charges(charges: &[Charge<'_>], at: &Path<'_>, faults: &mut Vec<Fault>) {
    each(charges, &at.field("charges"), faults, |charge, at, faults| {
        require(&charge.r#type, &at.field("type"), "write the kind of charge, such as freight", faults);
        require(&charge.amount, &at.field("amount"), "give the amount of the charge", faults);
        check_currency(&charge.currency, &at.field("currency"), false, faults);
        check_taxes(&charge.taxes, at, faults);
    });
}

fn check_allowances(allowances: &[Allowance<'_>], at: &Path<'_>, faults: &mut Vec<Fault>) {
    each(allowances, &at.field("allowances"), faults, |allowance, at, faults| {
        require(&allowance.r#type, &at.field("type"), "write the kind of allowance, such as discount", faults);
        require(&allowance.amount, &at.field("amount"), "give the amount of the allowance", faults);
        check_currency(&allowance.currency, &at.field("currency"), false, faults);
        check_taxes(&allowance.taxes, at, faults);
    });
}

/// Checks the members of a list, as long as anybody would read what is wrong with them.
fn each<T>(list: &[T], at: &Path<'_>, faults: &mut Vec<Fault>, check: impl Fn(&T, &Path<'_>, &mut Vec<Fault>)) {
    if list.is_empty() {
        return;
    }
    let mut count = ErrorCount::default();
    for (index, member) in list.iter().enumerate() {
        if count.is_full(faults) {
            return;
        }
        check(member, &at.index(index), faults);
    }
}
