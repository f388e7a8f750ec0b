//! Rules that hold for a document whatever its target: what is required, and what must agree with what.

mod invoice;

use super::fault::{ErrorCount, Fault, Path};
use super::{Address, CustomField, Document, Given, OrderLine, Party, PurchaseOrder, Text};

/// Collects everything that is wrong with a document in itself.
///
/// ```
/// use payables_bridge::model::{Document, PurchaseOrder, check};
///
/// let mut faults = Vec::new();
/// check(&Document::PurchaseOrder(PurchaseOrder { number: "PO-1".into(), ..PurchaseOrder::default() }), &mut faults);
/// assert!(faults.iter().any(|fault| fault.rule == "DOC-REQUIRED" && fault.path == "lines"));
/// ```
pub fn check(document: &Document<'_>, faults: &mut Vec<Fault>) {
    match document {
        Document::PurchaseOrder(order) => check_order(order, faults),
        Document::Invoice(invoice) => invoice::check(invoice, faults),
    }
}

fn check_order(order: &PurchaseOrder<'_>, faults: &mut Vec<Fault>) {
    let at = Path::ROOT;
    check_number(&order.number, faults);
    require(&order.issue_date, &at.field("issue_date"), "give the date as YYYY-MM-DD", faults);
    check_currency(&order.currency, &at.field("currency"), true, faults);
    require_text(&order.note, &at.field("note"), "say in a few words what the order is for", faults);
    check_custom_fields(&order.custom_fields, &at, faults);
    for (name, party) in [("seller", &order.seller), ("buyer", &order.buyer)] {
        if let Some(party) = party {
            let at = at.field(name);
            check_details(party, &at, faults);
            check_reference(&party.entity, &at.field("entity"), faults);
        }
    }
    check_blank(&order.previous_number, &at.field("previous_number"), faults);
    check_lines(&order.lines, faults, |line| &line.id, check_order_line);
}

fn check_order_line(line: &OrderLine<'_>, at: &Path<'_>, faults: &mut Vec<Fault>) {
    let item = at.field("item");
    require_text(&line.item.buyers_id, &item.field("buyers_id"), "give the buyer's code of the item", faults);
    require_text(&line.item.external_id, &item.field("external_id"), "give the item's identifier in the ERP", faults);
    require(&line.quantity, &at.field("quantity"), "say how many or how much is bought, such as 20 or 2.5", faults);
    require(&line.price, &at.field("price"), "give the price of one unit, such as 4.95", faults);
    let (account, tax) = (at.field("account"), at.field("tax"));
    for (text, at) in [
        (&line.item.buyers_id, item.field("buyers_id")),
        (&line.item.external_id, item.field("external_id")),
        (&line.account.external_id, account.field("external_id")),
    ] {
        // One that is nothing but blanks has been told already: it is required.
        if !trimmed(text).is_empty() {
            check_reference(text, &at, faults);
        }
    }
    check_reference(&line.account.number, &account.field("number"), faults);
    check_reference(&line.unit, &at.field("unit"), faults);
    check_reference(&line.unit_external_id, &at.field("unit_external_id"), faults);
    check_reference(&line.tax.code, &tax.field("code"), faults);
    require_text(&line.account.external_id, &account.field("external_id"), "give the account's identifier in the ERP", faults);
    check_custom_fields(&line.custom_fields, at, faults);
}

fn check_custom_fields(fields: &[CustomField<'_>], at: &Path<'_>, faults: &mut Vec<Fault>) {
    let mut count = ErrorCount::default();
    for (index, field) in fields.iter().enumerate() {
        if count.is_full(faults) {
            break;
        }
        require_text(&field.key, &at.field("custom_fields").index(index).field("key"), "give the title of the field", faults);
    }
}

/// At least one line, no identifier twice, and each line's own rules.
fn check_lines<'d, L>(
    lines: &'d [L],
    faults: &mut Vec<Fault>,
    id: impl Fn(&'d L) -> &'d Text<'d>,
    check_line: impl Fn(&L, &Path<'_>, &mut Vec<Fault>),
) {
    let at = Path::ROOT.field("lines");
    if lines.is_empty() {
        faults.push(missing(&at, "a document has at least one line"));
    }
    let mut count = ErrorCount::default();
    let mut ids: Vec<(&str, usize)> = Vec::with_capacity(lines.len());
    for (index, line) in lines.iter().enumerate() {
        if count.is_full(faults) {
            break;
        }
        check_line(line, &at.index(index), faults);
        let id = id(line);
        check_blank(id, &at.index(index).field("id"), faults);
        if id.is_given() {
            ids.push((id.as_str(), index));
        }
    }
    // Lines mostly come sorted, which makes this one pass.
    ids.sort_unstable();
    for pair in ids.windows(2) {
        if let [(first, earlier), (second, later)] = pair
            && first == second
        {
            let message = format!("{second:?} is already the id of lines[{earlier}]; give every line an id of its own");
            faults.push(Fault::error("DOC-LINE-ID", at.index(*later).field("id"), message).found(second));
        }
    }
}

fn check_number(number: &Text<'_>, faults: &mut Vec<Fault>) {
    let root = Path::ROOT;
    let at = root.field("number");
    require_text(number, &at, "every document needs its number", faults);
    if !trimmed(number).is_empty() {
        check_blank(number, &at, faults);
    }
}

/// Blanks, and the characters that look like nothing at all.
fn is_blank(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{200B}' | '\u{2060}' | '\u{FEFF}')
}

/// The text without blanks around it. Nearly every text begins and ends with an ASCII character that is none.
fn trimmed<'t>(text: &'t Text<'_>) -> &'t str {
    match text.as_bytes() {
        [first, .., last] if first.is_ascii_graphic() && last.is_ascii_graphic() => text,
        _ => text.trim_matches(is_blank),
    }
}

/// Two systems may not agree that a number with blanks around it is the same number.
fn check_blank(text: &Text<'_>, at: &Path<'_>, faults: &mut Vec<Fault>) {
    let trimmed = trimmed(text);
    if trimmed.len() == text.len() {
        return;
    }
    let what = if trimmed.is_empty() { "has nothing but blanks in it" } else { "begins or ends with a blank" };
    let message = format!("{:?} {what}, and two systems may not agree what it is; take the blank out", text.as_str());
    faults.push(Fault::error("DOC-BLANK", at, message).found(format_args!("{:?}", text.as_str())));
}

/// The same for what only points to something: the document goes, and the person is told.
fn check_reference(text: &Text<'_>, at: &Path<'_>, faults: &mut Vec<Fault>) {
    let before = faults.len();
    check_blank(text, at, faults);
    if let Some(fault) = faults.get_mut(before).filter(|_| !trimmed(text).is_empty()) {
        fault.severity = super::Severity::Warning;
    }
}

fn check_party(party: &Party<'_>, at: &Path<'_>, faults: &mut Vec<Fault>) {
    require_text(&party.id, &at.field("id"), "give the party's identifier", faults);
    check_details(party, at, faults);
}

/// Address and tax registrations, where they are given.
pub(crate) fn check_details(party: &Party<'_>, at: &Path<'_>, faults: &mut Vec<Fault>) {
    if let Some(address) = &party.address {
        check_address(address, &at.field("address"), faults);
        if !address.name.is_given() && !party.name.is_given() {
            faults.push(missing(&at.field("address").field("name"), "give the name at the address, or the party's name"));
        }
    }
    for (index, registration) in party.tax_registrations.iter().enumerate() {
        let registrations = at.field("tax_registrations");
        let at = registrations.index(index);
        require(&registration.r#type, &at.field("type"), "write vat or gst", faults);
        require_text(&registration.number, &at.field("number"), "give the registration's number", faults);
    }
}

fn check_address(address: &Address<'_>, at: &Path<'_>, faults: &mut Vec<Fault>) {
    match address.lines.as_slice() {
        [] => faults.push(missing(&at.field("lines"), "give the first line of the address")),
        [first, ..] if !first.is_given() => {
            faults.push(missing(&at.field("lines").index(0), "give the first line of the address"))
        }
        [_, _, _, _, ..] => {
            let message = format!("an address has at most three lines, and this one has {}", address.lines.len());
            faults.push(Fault::error("DOC-ADDRESS", at.field("lines"), message));
        }
        _ => {}
    }
    let field = at.field("country");
    require_text(&address.country, &field, "give the country as two letters (ISO 3166), such as DE", faults);
    if address.country.is_given() && (address.country.len() != 2 || rust_iso3166::from_alpha2(&address.country).is_none()) {
        let message = format!("{:?} is not a country; write its two letters (ISO 3166), such as DE", address.country.as_str());
        faults.push(Fault::error("DOC-COUNTRY", field, message).found(address.country.as_str()));
    }
}

/// Whether a text is a currency of ISO 4217.
pub(crate) fn is_currency(text: &str) -> bool {
    // The list has codes for "no currency" and for tests, of which nobody can be paid.
    !matches!(text, "XXX" | "XTS") && iso_currency::Currency::from_code(text).is_some()
}

/// The decimal places of a currency's minor unit (ISO 4217): 2 for EUR, 0 for JPY, 3 for KWD.
pub(crate) fn minor_unit(currency: &str) -> Option<u32> {
    iso_currency::Currency::from_code(currency)?.exponent().map(u32::from)
}

fn check_currency(currency: &Text<'_>, at: &Path<'_>, required: bool, faults: &mut Vec<Fault>) {
    if !currency.is_given() {
        if required {
            faults.push(missing(at, "give the currency as three letters (ISO 4217), such as EUR"));
        }
        return;
    }
    if !is_currency(currency) {
        let message =
            format!("{:?} is not a currency; write its three capital letters (ISO 4217), such as EUR", currency.as_str());
        faults.push(Fault::error("DOC-CURRENCY", at, message).found(currency.as_str()));
    }
}

fn require_text(text: &Text<'_>, at: &Path<'_>, remedy: &str, faults: &mut Vec<Fault>) {
    if !text.is_given() {
        faults.push(missing(at, remedy));
    } else if trimmed(text).is_empty() {
        let message = format!("{at} has nothing but blanks in it; {remedy}");
        faults.push(Fault::error("DOC-REQUIRED", at, message).found(format_args!("{:?}", text.as_str())));
    }
}

fn require<T>(value: &Given<T>, at: &Path<'_>, remedy: &str, faults: &mut Vec<Fault>) {
    if value.is_none() {
        faults.push(missing(at, remedy));
    }
}

fn missing(at: &Path<'_>, remedy: &str) -> Fault {
    Fault::error("DOC-REQUIRED", at, format!("{at} is not given; {remedy}"))
}
