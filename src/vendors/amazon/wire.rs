//! The wire document: one `Invoice` of the SP-API model, written straight into the buffer in the order of the model.
//!
//! A member that has no value is left out: Amazon does not take "null" or an empty text for "absent". Amounts are texts, so
//! that no reader makes binary floats of them.

use jiff::tz::Offset;
use rust_decimal::Decimal;

use super::map::{self, Parties, Who};
use super::{Amazon, check::Judged};
use crate::adapter::{Findings, Fragment};
use crate::formats::{clock, json};
use crate::model::{
    AdditionalDetail, Address, Allowance, Charge, Credit, Date, Fault, Invoice, InvoiceLine, InvoiceType, PaymentTerms, Tax,
};

/// Appends the body of a call: one invoice.
pub(super) fn write_call(fragments: &mut dyn Iterator<Item = &[u8]>, body: &mut Vec<u8>) {
    body.extend_from_slice(br#"{"invoices":["#);
    for (place, fragment) in fragments.enumerate() {
        if place > 0 {
            body.push(b',');
        }
        body.extend_from_slice(fragment);
    }
    body.extend_from_slice(b"]}");
}

/// Writes one invoice.
pub(super) fn write_invoice(
    invoice: &Invoice<'_>,
    parties: &Parties<'_>,
    judged: &Judged,
    target: &Amazon,
    fragment: &mut Fragment,
    findings: &mut Findings,
) {
    let mut w = Writer { fragment, findings, target, currency: &invoice.currency, line: None };
    w.open();
    w.word("invoiceType", target.words.invoice_type(invoice.r#type.unwrap_or(InvoiceType::Invoice)));
    w.text("id", &invoice.number, "number");
    w.text("referenceNumber", &invoice.reference, "reference");
    w.date("date", *invoice.issue_date);
    w.party("remitToParty", parties.payee.as_ref(), "payee");
    w.party("shipToParty", parties.ship_to.as_ref(), "ship_to");
    w.party("shipFromParty", parties.ship_from.as_ref(), "ship_from");
    w.party("billToParty", parties.buyer.as_ref(), "buyer");
    w.payment_terms(invoice.payment_terms.as_ref());
    w.money("invoiceTotal", judged.total, "");
    w.taxes(&invoice.taxes);
    w.list("additionalDetails", &invoice.additional_details, Writer::additional_detail);
    w.charges(&invoice.charges);
    w.allowances(&invoice.allowances);
    w.list("items", &invoice.lines, |w, line| {
        w.line = Some(w.line.map_or(0, |before| before + 1));
        w.item(line);
    });
    w.close();
}

struct Writer<'w> {
    fragment: &'w mut Fragment,
    findings: &'w mut Findings,
    target: &'w Amazon,
    /// The currency of amounts that do not carry their own.
    currency: &'w str,
    /// The place of the line that is being written.
    line: Option<usize>,
}

impl Writer<'_> {
    fn out(&mut self) -> &mut Vec<u8> {
        &mut self.fragment.bytes
    }

    fn open(&mut self) {
        self.out().push(b'{');
    }

    fn close(&mut self) {
        self.out().push(b'}');
    }

    /// The name of a member, with a comma before it unless it is the first one.
    fn name(&mut self, name: &'static str) {
        let out = self.out();
        if !matches!(out.last(), Some(b'{')) {
            out.push(b',');
        }
        out.push(b'"');
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b"\":");
    }

    /// A member whose text needs no escaping.
    fn word(&mut self, name: &'static str, word: &str) {
        self.name(name);
        let out = self.out();
        out.push(b'"');
        out.extend_from_slice(word.as_bytes());
        out.push(b'"');
    }

    /// A member with text of the document, unless there is none.
    fn text(&mut self, name: &'static str, text: &str, path: &str) {
        if text.is_empty() {
            return;
        }
        self.name(name);
        json::write_text(text, self.out());
        // Amazon's refusals are those of an XML schema: what it takes is XML by then.
        if text.bytes().any(|byte| byte < b' ' && !matches!(byte, b'\n' | b'\r' | b'\t')) {
            let path = self.line.map_or_else(|| path.to_owned(), |line| format!("lines[{line}].{path}"));
            let message = format!("{path} has a control character in it ({}); take it out", text.escape_debug());
            self.findings.faults.push(Fault::error("AMZ-017", path, message).found(text.escape_debug()));
        }
    }

    fn number(&mut self, name: &'static str, number: u64) {
        self.name(name);
        self.out().extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
    }

    /// A decimal as text, unless there is none.
    fn decimal(&mut self, name: &'static str, value: Option<Decimal>) {
        let Some(value) = value else { return };
        self.name(name);
        self.out().push(b'"');
        self.fragment.decimal(value);
        self.out().push(b'"');
    }

    /// An amount in its own currency, or in the invoice's.
    fn money(&mut self, name: &'static str, amount: Option<Decimal>, currency: &str) {
        let Some(amount) = amount else { return };
        self.name(name);
        self.open();
        let currency = if currency.is_empty() { self.currency } else { currency };
        self.text("currencyCode", currency, "currency");
        self.decimal("amount", Some(amount));
        self.close();
    }

    /// A list, unless there is nothing in it.
    fn list<T>(&mut self, name: &'static str, members: &[T], mut write: impl FnMut(&mut Self, &T)) {
        if members.is_empty() {
            return;
        }
        self.name(name);
        self.out().push(b'[');
        for (place, member) in members.iter().enumerate() {
            if place > 0 {
                self.out().push(b',');
            }
            self.open();
            write(self, member);
            self.close();
        }
        self.out().push(b']');
    }

    /// A moment as RFC 3339 has it, in UTC. One that cannot be told has its fault already.
    fn date(&mut self, name: &'static str, date: Option<Date>) {
        let Some(moment) = date.and_then(|date| map::moment(date, &self.target.time_zone)) else { return };
        self.name(name);
        let out = self.out();
        out.push(b'"');
        clock::write(Offset::UTC.to_datetime(moment), out);
        out.extend_from_slice(b"Z\"");
    }

    fn party(&mut self, name: &'static str, party: Option<&Who<'_>>, path: &'static str) {
        let Some(party) = party else { return };
        self.name(name);
        self.open();
        self.text("partyId", party.id, path);
        if let Some(address) = party.address {
            self.address(address, party.name, path);
        }
        self.list("taxRegistrationDetails", party.registrations, |w, registration| {
            if let Some(kind) = *registration.r#type {
                w.word("taxRegistrationType", w.target.words.tax_registration(kind));
            }
            w.text("taxRegistrationNumber", &registration.number, path);
        });
        self.close();
    }

    fn address(&mut self, address: &Address<'_>, name: &str, path: &'static str) {
        self.name("address");
        self.open();
        self.text("name", address.name.given().unwrap_or(name), path);
        for (name, line) in ["addressLine1", "addressLine2", "addressLine3"].into_iter().zip(&address.lines) {
            self.text(name, line, path);
        }
        for (name, text) in [
            ("city", &address.city),
            ("county", &address.county),
            ("district", &address.district),
            ("stateOrRegion", &address.region),
            ("postalOrZipCode", &address.postal_code),
            ("countryCode", &address.country),
            ("phone", &address.phone),
        ] {
            self.text(name, text, path);
        }
        self.close();
    }

    fn payment_terms(&mut self, terms: Option<&PaymentTerms>) {
        let Some(terms) = terms else { return };
        let is_empty = terms.r#type.is_none()
            && terms.net_due_days.is_none()
            && terms.discount_percent.is_none()
            && terms.discount_due_days.is_none();
        if is_empty {
            return;
        }
        self.name("paymentTerms");
        self.open();
        if let Some(kind) = *terms.r#type {
            self.word("type", self.target.words.payment_term(kind));
        }
        self.decimal("discountPercent", *terms.discount_percent);
        for (name, days) in [("discountDueDays", *terms.discount_due_days), ("netDueDays", *terms.net_due_days)] {
            if let Some(days) = days {
                self.number(name, u64::from(days));
            }
        }
        self.close();
    }

    fn taxes(&mut self, taxes: &[Tax<'_>]) {
        self.list("taxDetails", taxes, |w, tax| {
            if let Some(kind) = *tax.r#type {
                w.word("taxType", w.target.words.tax_type(kind));
            }
            w.decimal("taxRate", *tax.rate);
            w.money("taxAmount", *tax.amount, &tax.currency);
            w.money("taxableAmount", *tax.taxable_amount, &tax.taxable_currency);
        });
    }

    fn charges(&mut self, charges: &[Charge<'_>]) {
        self.list("chargeDetails", charges, |w, charge| {
            if let Some(kind) = *charge.r#type {
                w.word("type", w.target.words.charge_type(kind));
            }
            w.text("description", &charge.description, "charges");
            w.money("chargeAmount", *charge.amount, &charge.currency);
            w.taxes(&charge.taxes);
        });
    }

    fn allowances(&mut self, allowances: &[Allowance<'_>]) {
        self.list("allowanceDetails", allowances, |w, allowance| {
            if let Some(kind) = *allowance.r#type {
                w.word("type", w.target.words.allowance_type(kind));
            }
            w.text("description", &allowance.description, "allowances");
            w.money("allowanceAmount", *allowance.amount, &allowance.currency);
            w.taxes(&allowance.taxes);
        });
    }

    fn additional_detail(&mut self, detail: &AdditionalDetail<'_>) {
        if let Some(kind) = *detail.r#type {
            self.word("type", self.target.words.detail_type(kind));
        }
        self.text("detail", &detail.detail, "additional_details");
        self.text("languageCode", &detail.language, "additional_details");
    }

    /// A line. One that has no id is known by its place; where others have one, that is a fault.
    fn item(&mut self, line: &InvoiceLine<'_>) {
        let place = self.line.and_then(|place| u64::try_from(place + 1).ok()).unwrap_or_default();
        self.number("itemSequenceNumber", map::sequence(&line.id).unwrap_or(place));
        self.text("amazonProductIdentifier", &line.item.buyers_id, "item.buyers_id");
        self.text("vendorProductIdentifier", &line.item.sellers_id, "item.sellers_id");
        self.quantity(line);
        self.money("netCost", *line.price, &line.price_currency);
        if let Some(unit) = self.target.words.weight_units.get(&*line.price_unit) {
            self.word("netCostUnitOfMeasure", unit);
        }
        self.text("purchaseOrderNumber", &line.order_reference, "order_reference");
        self.text("hsnCode", &line.item.hsn_code, "item.hsn_code");
        if let Some(credit) = &line.credit {
            self.credit(credit);
        }
        self.taxes(&line.taxes);
        self.charges(&line.charges);
        self.allowances(&line.allowances);
    }

    /// What does not fit has its fault already.
    fn quantity(&mut self, line: &InvoiceLine<'_>) {
        self.name("invoicedQuantity");
        self.open();
        self.number("amount", line.quantity.and_then(map::whole).unwrap_or_default());
        if let Some(unit) = self.target.words.units.get(&*line.unit) {
            self.text("unitOfMeasure", unit, "unit");
        }
        if let Some(size) = *line.unit_size {
            self.number("unitSize", size);
        }
        if let Some(weight) = &line.weight
            && let Some(unit) = self.target.words.weight_units.get(&*weight.unit)
        {
            self.name("totalWeight");
            self.open();
            self.word("unitOfMeasure", unit);
            self.decimal("amount", *weight.value);
            self.close();
        }
        self.close();
    }

    fn credit(&mut self, credit: &Credit<'_>) {
        let texts = [
            ("referenceInvoiceNumber", &credit.invoice),
            ("debitNoteNumber", &credit.debit_note),
            ("returnsReferenceNumber", &credit.returns_reference),
            ("rmaId", &credit.rma),
            ("coopReferenceNumber", &credit.coop_reference),
            ("consignorsReferenceNumber", &credit.consignor_reference),
        ];
        if credit.goods_return_date.is_none() && texts.iter().all(|(_, text)| !text.is_given()) {
            return;
        }
        self.name("creditNoteDetails");
        self.open();
        let (before, after) = texts.split_at(3);
        for (name, text) in before {
            self.text(name, text, "credit");
        }
        self.date("goodsReturnDate", *credit.goods_return_date);
        for (name, text) in after {
            self.text(name, text, "credit");
        }
        self.close();
    }
}
