//! The rules of the business, which a call meets once its XML was read: what is mandatory, what is too
//! long, what is there twice. A broken rule rejects its order and no other.

use std::collections::HashSet;
use std::fmt::Write as _;

use iso_currency::Currency;
use sha2::{Digest, Sha256};

use super::call::Values;
use super::schema::{Content, Element, Record};
use super::value::{Type, is_plain_date_time, places, trim};
use super::xml::shorten;

/// The most orders in a call that the vendor answers in time.
pub(super) const MOST_ORDERS: usize = 250;
const LONGEST_IDAP: usize = 64;
const MOST_PLACES: usize = 4;
/// An order with more problems than this says only how many more there are.
const MOST_PROBLEMS: usize = 20;

/// What is kept of an order that was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) number: Option<String>,
    pub(super) old_number: Option<String>,
    pub(super) payee: Option<String>,
    pub(super) status: Option<String>,
    pub(super) digest: String,
    pub(super) lines: u64,
    /// Why the order is refused, if it is.
    pub(super) problem: Option<String>,
}

/// Looks at the records of a call as they are read, the inner ones first.
#[derive(Default)]
pub(super) struct Judge {
    orders: Vec<Order>,
    digest: Sha256,
    problems: Problems,
    line_ids: HashSet<String>,
    lines: u64,
}

impl Judge {
    pub(super) fn into_orders(self) -> Vec<Order> {
        self.orders
    }

    /// A list of the record begins. The digest takes note, so that a custom field of the order is
    /// not the same as one of its first line.
    pub(super) fn enter(&mut self, record: Record, index: usize) {
        // The list of the orders belongs to the call, and says nothing about the first of them.
        if !matches!(record, Record::Call) {
            self.digest.update([b'[', record as u8, small(index)]);
        }
    }

    /// A record ends.
    pub(super) fn take(&mut self, record: Record, values: &Values<'_>) {
        self.digest_of(record, values);
        match record {
            Record::Order => self.take_order(values),
            Record::Line => self.take_line(values),
            Record::Call | Record::Approver | Record::CustomField => {}
        }
    }

    fn digest_of(&mut self, record: Record, values: &Values<'_>) {
        self.digest.update([b'(', record as u8]);
        for (index, (element, value)) in record.elements().iter().zip(values).enumerate() {
            if let (Content::Value(of), Some(value)) = (element.content, value) {
                let value = of.canonical(value);
                self.digest.update([small(index)]);
                self.digest.update((value.len() as u64).to_le_bytes());
                self.digest.update(value.as_bytes());
            }
        }
    }

    fn take_line(&mut self, values: &Values<'_>) {
        self.lines += 1;
        let line = self.lines;
        for (element, value) in Record::Line.elements().iter().zip(values) {
            let value = value.as_deref().filter(|value| !trim(value).is_empty());
            match (element.name, value) {
                (_, None) if element.mandatory => {
                    self.problems.add(|text| write!(text, "Line {line}: {} is mandatory", element.name));
                }
                (name, Some(value)) if has_too_many_places(element, value) => {
                    self.problems.add(|text| write!(text, "Line {line}: {name} has more than four decimal places"));
                }
                ("PoLineId", Some(value)) if !self.line_ids.insert(value.to_owned()) => {
                    self.problems.add(|text| write!(text, "Line {line}: PoLineId '{}' is used twice", shorten(value)));
                }
                _ => {}
            }
        }
    }

    fn take_order(&mut self, values: &Values<'_>) {
        let digest = self.digest.finalize_reset();
        let lines = std::mem::take(&mut self.lines);
        self.line_ids.clear();
        let mut problems = std::mem::take(&mut self.problems);
        // One more than the limit is enough to know that there are too many.
        if self.orders.len() > MOST_ORDERS {
            return;
        }
        let mut order = Order { digest: hex(&digest), lines, ..Order::default() };
        for (element, value) in Record::Order.elements().iter().zip(values) {
            let value = value.as_deref().filter(|value| !trim(value).is_empty());
            if value.is_none() && element.mandatory {
                problems.add(|text| write!(text, "{} is mandatory", element.name));
            }
            let Some(value) = value else { continue };
            if let Some(why) = order_problem(element.name, value) {
                problems.add(|text| write!(text, "{}: {why}", element.name));
            }
            match element.name {
                "PurchaseOrderNumber" => order.number = Some(value.to_owned()),
                "OldPurchaseOrderNumber" => order.old_number = Some(value.to_owned()),
                "Idap" => order.payee = Some(value.to_owned()),
                "Status" => order.status = Some(value.to_owned()),
                _ => {}
            }
        }
        if lines == 0 {
            problems.add(|text| write!(text, "PurchaseOrderLines: at least one line is mandatory"));
        }
        order.problem = problems.joined();
        self.orders.push(order);
    }
}

/// What is wrong with one value of an order, beyond its being there.
fn order_problem(name: &str, value: &str) -> Option<&'static str> {
    let is_idap_char = |char: char| char.is_ascii_alphanumeric() || matches!(char, ',' | '.' | '_' | '-');
    match name {
        "Idap" if value.chars().count() > LONGEST_IDAP => Some("longer than 64 characters (IdapMaxLengthExceeded)"),
        "Idap" if value.contains(char::is_whitespace) => Some("has spaces (IdapContainsSpaces)"),
        "Idap" if !value.chars().all(is_idap_char) => {
            Some("only letters, digits and , . _ - are allowed (IdapContainsIllegalCharacters)")
        }
        "Currency" if Currency::from_code(value).is_none() => Some("not a currency code of ISO 4217 (UnknownCurrencyCode)"),
        "PurchaseOrderDate" if !is_plain_date_time(trim(value)) => Some("must be of the form YYYY-MM-DDThh:mm:ss"),
        _ => None,
    }
}

fn has_too_many_places(element: &Element, value: &str) -> bool {
    element.content == Content::Value(Type::Decimal) && places(value) > MOST_PLACES
}

/// What is wrong with an order, joined as it is found.
#[derive(Default)]
struct Problems {
    text: String,
    count: usize,
}

impl Problems {
    fn add(&mut self, problem: impl FnOnce(&mut String) -> std::fmt::Result) {
        self.count += 1;
        if self.count <= MOST_PROBLEMS {
            if self.count > 1 {
                self.text.push_str("; ");
            }
            // Writing to a string does not fail.
            let _ = problem(&mut self.text);
        }
    }

    fn joined(mut self) -> Option<String> {
        if self.count > MOST_PROBLEMS {
            let _ = write!(self.text, "; and {} more problems", self.count - MOST_PROBLEMS);
        }
        (self.count > 0).then_some(self.text)
    }
}

/// An index of the schema, which is always small.
fn small(index: usize) -> u8 {
    u8::try_from(index).unwrap_or(u8::MAX)
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(*DIGITS.get(usize::from(nibble)).unwrap_or(&b'0'));
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}
