//! Reads a call: the SOAP envelope, then the records of the schema one after the other. Each order is
//! judged as it passes and only its verdict is kept, so that a hostile call of a million lines costs
//! no more room than an honest one.

use std::borrow::Cow;

use super::check::{Judge, Order};
use super::schema::{Content, Element, Record};
use super::xml::{Cursor, Refusal, Space, Start, shorten};

/// A call whose XML was in order.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) payer_name: Option<String>,
    pub(super) timestamp: Option<String>,
    pub(super) key: Option<String>,
    /// The orders, of which no more than one above the limit are kept.
    pub(super) orders: Vec<Order>,
}

/// The values of a record in the order of its elements; those of lists stay empty.
pub(super) type Values<'i> = Vec<Option<Cow<'i, str>>>;

/// Reads the body of a request.
pub(super) fn read(body: &[u8]) -> Result<Call, Refusal> {
    let mut cursor = Cursor::new(body)?;
    let envelope = required(&mut cursor, "Envelope")?;
    if envelope.name() != "Envelope" {
        return Err(unexpected(&cursor, &envelope, "the SOAP Envelope"));
    }
    if envelope.space != Space::Soap12 {
        return Err(Refusal::VersionMismatch);
    }
    let mut part = required(&mut cursor, "Body")?;
    if part.is(Space::Soap12, "Header") {
        while let Some(block) = cursor.child()? {
            cursor.skip(&block)?;
        }
        part = required(&mut cursor, "Body")?;
    }
    if !part.is(Space::Soap12, "Body") {
        return Err(unexpected(&cursor, &part, "the SOAP Body"));
    }
    let operation = required(&mut cursor, "CreateOrUpdatePurchaseOrders")?;
    if !operation.is(Space::Tipalti, "CreateOrUpdatePurchaseOrders") {
        let name = shorten(operation.name());
        return Err(Refusal::Sender(format!("Server did not recognize the request '{name}' in its namespace.")));
    }
    let mut judge = Judge::default();
    let mut values = record(&mut cursor, Record::Call, &mut judge)?.into_iter();
    for parent in ["Body", "Envelope"] {
        if let Some(child) = cursor.child()? {
            return Err(unexpected(&cursor, &child, &format!("the end of '{parent}'")));
        }
    }
    cursor.finish()?;
    let mut next = || values.next().flatten().map(Cow::into_owned);
    Ok(Call { payer_name: next(), timestamp: next(), key: next(), orders: judge.into_orders() })
}

fn required<'i>(cursor: &mut Cursor<'i>, name: &str) -> Result<Start<'i>, Refusal> {
    cursor.child()?.ok_or_else(|| cursor.refuse(&format!("Element '{name}' is missing.")))
}

fn unexpected(cursor: &Cursor<'_>, start: &Start<'_>, expected: &str) -> Refusal {
    let name = shorten(start.name());
    cursor.refuse(&format!("Element '{name}' stands where {expected} is expected."))
}

/// Reads the elements of a record up to its end, and shows the judge the records within.
fn record<'i>(cursor: &mut Cursor<'i>, record_of: Record, judge: &mut Judge) -> Result<Values<'i>, Refusal> {
    let elements = record_of.elements();
    let mut values = vec![None; elements.len()];
    let mut next = 0;
    while let Some(start) = cursor.child()? {
        let (index, element) = place(cursor, elements, next, &start)?;
        next = index + 1;
        if start.nil {
            if !element.nillable || !cursor.text()?.is_empty() {
                return Err(cursor.refuse(&format!("Element '{}' cannot be nil.", element.name)));
            }
            continue;
        }
        match element.content {
            Content::List(item_of, name) => {
                judge.enter(record_of, index);
                while let Some(item) = cursor.child()? {
                    if !item.is(Space::Tipalti, name) || item.nil {
                        return Err(unexpected(cursor, &item, &format!("'{name}'")));
                    }
                    let item = record(cursor, item_of, judge)?;
                    judge.take(item_of, &item);
                }
            }
            Content::Value(of) => {
                let text = cursor.text()?;
                if !of.takes(&text) {
                    return Err(cursor.refuse(&format!(
                        "Element '{}': '{}' is not a valid value.",
                        element.name,
                        shorten(&text)
                    )));
                }
                if let Some(value) = values.get_mut(index) {
                    *value = Some(text);
                }
            }
        }
    }
    Ok(values)
}

/// Finds the element that a start tag stands for, among those that may still come.
fn place(
    cursor: &Cursor<'_>,
    elements: &'static [Element],
    next: usize,
    start: &Start<'_>,
) -> Result<(usize, &'static Element), Refusal> {
    let name = start.name();
    let found = elements.iter().enumerate().find(|(_, element)| element.is_called(name));
    let why = match found {
        Some(_) if start.space != Space::Tipalti => "is in the wrong namespace",
        Some((index, _)) if index + 1 == next => "is there twice",
        Some((index, _)) if index < next => "is out of order",
        Some(found) => return Ok(found),
        None => "is not known to the schema",
    };
    Err(cursor.refuse(&format!("Element '{}' {why}.", shorten(name))))
}
