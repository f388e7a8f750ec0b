//! What a line must say, and in which form.

use rust_decimal::Decimal;

use super::{is_credit_note, shown};
use crate::adapter::Findings;
use crate::mappings::Names;
use crate::model::{ErrorCount, Fault, Invoice, InvoiceLine, Path};
use crate::vendors::amazon::{Amazon, map};

/// A purchase order's number has so many letters and digits (SP-API model, `purchaseOrderNumber`).
const ORDER_NUMBER: usize = 8;
/// The most eaches or cases of a line: what the smallest of the usual integers holds.
const MOST_PIECES: i32 = i32::MAX;

pub(super) fn check(invoice: &Invoice<'_>, target: &Amazon, findings: &mut Findings) {
    let lines = Path::ROOT.field("lines");
    let has_ids = invoice.lines.iter().any(|line| line.id.is_given());
    let mut count = ErrorCount::default();
    let mut sequences: Vec<(u64, usize)> = Vec::with_capacity(if has_ids { invoice.lines.len() } else { 0 });
    for (index, line) in invoice.lines.iter().enumerate() {
        if count.is_full(&findings.faults) {
            return;
        }
        let at = lines.index(index);
        if has_ids {
            sequences.extend(check_id(line, &at, findings).map(|sequence| (sequence, index)));
        }
        check_order(line, &at, is_credit_note(invoice), findings);
        check_quantity(line, &at, target, findings);
        check_price(line, &at, target, findings);
        check_hsn(line, &at, findings);
        if line.price_currency.is_given() && *line.price_currency != *invoice.currency {
            let message = format!(
                "the price is in {} and the invoice in {}; the line stays out of the sums",
                line.price_currency.as_str(),
                invoice.currency.as_str()
            );
            findings.faults.push(Fault::warning("AMZ-034", at.field("price_currency"), message));
        }
    }
    sequences.sort_unstable();
    for pair in sequences.windows(2) {
        if let [(first, earlier), (second, later)] = pair
            && first == second
            && let (Some(one), Some(other)) = (invoice.lines.get(*earlier), invoice.lines.get(*later))
            && one.id != other.id
        {
            let message = format!(
                "{:?} and the id of lines[{earlier}], {:?}, are the same number {first} at Amazon; give every line a number of its own",
                other.id.as_str(),
                one.id.as_str()
            );
            findings.faults.push(Fault::error("AMZ-041", lines.index(*later).field("id"), message).found(other.id.as_str()));
        }
    }
}

fn check_id(line: &InvoiceLine<'_>, at: &Path<'_>, findings: &mut Findings) -> Option<u64> {
    let field = at.field("id");
    if !line.id.is_given() {
        let message = format!("{field} is not given, and other lines have an id; give every line one, or none");
        findings.faults.push(Fault::error("AMZ-041", field, message));
        return None;
    }
    let sequence = map::sequence(&line.id);
    if sequence.is_none() {
        let id = line.id.as_str();
        let message = format!("{id:?} is not a whole number, and Amazon numbers lines; write 1, 2, 3 …, or leave all ids out");
        findings.faults.push(Fault::error("AMZ-040", field, message).found(id));
    }
    sequence
}

fn check_order(line: &InvoiceLine<'_>, at: &Path<'_>, is_credit_note: bool, findings: &mut Findings) {
    let field = at.field("order_reference");
    let Some(number) = line.order_reference.given() else {
        if !is_credit_note {
            let message = format!("{field} is not given; name the purchase order of Amazon that the line bills");
            findings.faults.push(Fault::error("AMZ-042", field, message));
        }
        return;
    };
    if number.len() != ORDER_NUMBER || !number.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        let message = format!(
            "{number:?} is not the number of a purchase order of Amazon; those have {ORDER_NUMBER} letters and digits, such as 4Z32PABC"
        );
        // Amazon does not use it on credit notes.
        let fault =
            if is_credit_note { Fault::warning("AMZ-043", field, message) } else { Fault::error("AMZ-043", field, message) };
        findings.faults.push(fault.found(number));
    }
}

fn check_quantity(line: &InvoiceLine<'_>, at: &Path<'_>, target: &Amazon, findings: &mut Findings) {
    if let Some(quantity) = *line.quantity {
        let field = at.field("quantity");
        let text = shown(line.quantity);
        if quantity.is_zero() || quantity.is_sign_negative() {
            let message = format!("{text} is not above 0; leave the line out, or correct the quantity");
            findings.faults.push(Fault::error("AMZ-045", field, message).found(text));
        } else if quantity > Decimal::from(MOST_PIECES) {
            let message = format!("{text} is more than anybody delivers, and more than Amazon can count; correct the quantity");
            findings.faults.push(Fault::error("AMZ-044", field, message).found(text));
        } else if map::whole(quantity).is_none() {
            let message = format!("{text} is not a whole number, and Amazon counts whole eaches or cases; bill in another unit");
            findings.faults.push(Fault::error("AMZ-044", field, message).found(text));
        }
    }
    let Some(unit) = line.unit.given() else { return };
    let Some(name) = target.words.units.get(unit) else {
        let message = format!("{unit:?} is not a unit that Amazon takes; there are: {}", listed(&target.words.units));
        findings.faults.push(Fault::error("AMZ-046", at.field("unit"), message).found(unit));
        return;
    };
    let field = at.field("unit_size");
    match *line.unit_size {
        Some(0) => {
            let message = "a case of 0 pieces is none; give how many pieces are in a case, or leave it out";
            findings.faults.push(Fault::error("AMZ-047", field, message).found(0));
        }
        None if name == "Cases" => {
            let message = format!("{field} is not given; say how many pieces are in a case, as on the purchase order");
            findings.faults.push(Fault::warning("AMZ-047", field, message));
        }
        _ => {}
    }
}

/// The codes of a table, for whoever has to choose one.
fn listed(names: &Names) -> String {
    names.iter().map(|(code, name)| format!("{code} ({name})")).collect::<Vec<_>>().join(", ")
}

fn check_price(line: &InvoiceLine<'_>, at: &Path<'_>, target: &Amazon, findings: &mut Findings) {
    if let Some(price) = *line.price
        && (price.is_zero() || price.is_sign_negative())
    {
        let text = shown(line.price);
        let message = format!("{text} is not above 0, and Amazon refuses such prices; correct it, or leave the line out");
        findings.faults.push(Fault::error("AMZ-048", at.field("price"), message).found(text));
    }
    let units = &target.words.weight_units;
    let (price_unit, weight_unit) = (line.price_unit.given(), line.weight.as_ref().and_then(|weight| weight.unit.given()));
    let given = [(price_unit, at.field("price_unit").to_string()), (weight_unit, at.field("weight").field("unit").to_string())];
    for (unit, field) in given {
        if let Some(unit) = unit.filter(|unit| !units.contains_key(*unit)) {
            let message = format!("{unit:?} is not a unit of weight that Amazon takes; there are: {}", listed(units));
            findings.faults.push(Fault::error("AMZ-049", field, message).found(unit));
        }
    }
    match (price_unit, weight_unit) {
        (Some(price_unit), None) => {
            let message = format!("the price is for one {price_unit}, and the weight of the line is not given; give it");
            findings.faults.push(Fault::error("AMZ-049", at.field("weight"), message));
        }
        (Some(price_unit), Some(weight_unit)) if price_unit != weight_unit => {
            let message = format!("the price is for one {price_unit}, and the weight is in {weight_unit}; give both in one unit");
            findings.faults.push(Fault::error("AMZ-049", at.field("weight").field("unit"), message).found(weight_unit));
        }
        _ => {}
    }
    if let Some(weight) =
        line.weight.as_ref().filter(|weight| weight.value.is_some_and(|value| value.is_zero() || value.is_sign_negative()))
    {
        let text = shown(weight.value);
        let message = format!("{text} is not above 0; give the weight of all the goods of the line");
        findings.faults.push(Fault::error("AMZ-049", at.field("weight").field("value"), message).found(text));
    }
}

fn check_hsn(line: &InvoiceLine<'_>, at: &Path<'_>, findings: &mut Findings) {
    let Some(code) = line.item.hsn_code.given() else { return };
    let item = at.field("item");
    let field = item.field("hsn_code");
    // The model: "cannot contain alphabets"; its own example has dots in it.
    if !code.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        let message = format!("{code:?} is not a code of the Harmonised System; it has digits only, such as 76069299");
        findings.faults.push(Fault::error("AMZ-051", field, message).found(code));
    } else if code.bytes().filter(u8::is_ascii_digit).count() > 8 {
        let message = format!("{code:?} has more than the 8 digits that Amazon's guide allows; check it");
        findings.faults.push(Fault::warning("AMZ-051", field, message).found(code));
    }
}
