//! What a reply says of each order.
//!
//! A row is matched by PurchaseOrderNumber, never by position, and its own `Succeeded` decides: the call as a whole says
//! ValidationError as soon as one of its orders failed, while the others were taken. Without any row the call's
//! errorCode speaks for all. With rows, an order that has none is in doubt.

use std::collections::HashMap;

use super::codes::{self, Class};
use crate::adapter::{Decoded, Rest, Verdict};
use crate::formats::soap::{self, Body};
use crate::model::{Fault, Path, shorten};
use crate::wire::WireResponse;

/// The namespace of Tipalti's elements.
const NAMESPACE: &str = "http://Tipalti.org/";

/// Reads the reply to a call with the orders of these numbers.
pub(super) fn decode(numbers: &[&str], response: &WireResponse) -> Decoded {
    match response.status {
        401 | 403 => {
            let fault = vendor_fault("TIP-AUTH", format!("Tipalti refused the caller (HTTP {})", response.status), None, None);
            return Decoded::whole(Rest::Stop(fault));
        }
        429 => {
            let fault = vendor_fault("TIP-BUSY", "Tipalti asked for a pause (HTTP 429)".to_owned(), None, None);
            return Decoded::whole(Rest::BackOff(fault, response.retry_after));
        }
        _ => {}
    }
    match soap::read::<Reply>(&response.body) {
        Ok(Body::Fault(fault)) if fault.is_senders() => {
            let message = format!("Tipalti could not read the order: {}", shorten(&fault.reason));
            Decoded::whole(Rest::Refused(vendor_fault("TIP-VENDOR", message, Some(&fault.code), Some(&fault.reason))))
        }
        Ok(Body::Fault(fault)) => {
            Decoded::whole(Rest::Silent(format!("Tipalti answered with a fault ({}: {})", fault.code, shorten(&fault.reason))))
        }
        // A result that came with an error status was made by something that does not know what it says.
        Ok(Body::Content(_)) if !(200..300).contains(&response.status) => {
            Decoded::whole(Rest::Silent(format!("Tipalti answered with HTTP {}", response.status)))
        }
        Ok(Body::Content(reply)) => judge(numbers, reply),
        Err(unreadable) => Decoded::whole(Rest::Silent(format!("HTTP {}: {unreadable}", response.status))),
    }
}

fn judge(numbers: &[&str], reply: Reply) -> Decoded {
    let Reply { code, message, rows, .. } = reply;
    if rows.is_empty() {
        return Decoded::whole(judge_call(code.as_deref(), message.as_deref()));
    }
    let places: HashMap<&str, usize> = numbers.iter().enumerate().map(|(place, number)| (*number, place)).collect();
    let mut verdicts: Vec<Option<Verdict>> = vec![None; numbers.len()];
    let mut notes = Vec::new();
    for row in rows {
        let number = row.number.as_deref().map(str::trim).unwrap_or_default();
        let Some(verdict_of_number) = places.get(number).and_then(|&place| verdicts.get_mut(place)) else {
            notes.push(format!("the reply has a row for {:?}, which was not in the call", shorten(number)));
            continue;
        };
        let verdict = judge_row(&row, code.as_deref());
        *verdict_of_number = Some(match verdict_of_number.take() {
            // Two rows that agree are one; a refusal keeps its first reason.
            None => verdict,
            Some(Verdict::Accepted) if verdict == Verdict::Accepted => Verdict::Accepted,
            Some(earlier @ Verdict::Rejected(_)) if matches!(verdict, Verdict::Rejected(_)) => earlier,
            Some(_) => Verdict::Unclear("the reply has two rows for the order, and they disagree".to_owned()),
        });
    }
    Decoded {
        verdicts: verdicts.into_iter().enumerate().filter_map(|(place, verdict)| Some((place, verdict?))).collect(),
        rest: Rest::Silent("the reply has no row for the order".to_owned()),
        notes,
    }
}

fn judge_row(row: &Row, call_code: Option<&str>) -> Verdict {
    match row.succeeded {
        Some(true) => Verdict::Accepted,
        Some(false) => {
            let said = row.message.as_deref().map(str::trim).filter(|message| !message.is_empty());
            let message = match said {
                Some(said) => format!("Tipalti refused the order: {}", shorten(said)),
                None => "Tipalti refused the order without saying why; look at the order in Tipalti".to_owned(),
            };
            Verdict::Rejected(vendor_fault("TIP-VENDOR", message, call_code, said))
        }
        None => Verdict::Unclear("the row of the order does not say whether it succeeded".to_owned()),
    }
}

/// The word on a call whose reply has no rows.
fn judge_call(code: Option<&str>, message: Option<&str>) -> Rest {
    let Some(code) = code.map(str::trim).filter(|code| !code.is_empty()) else {
        return Rest::Silent("the reply has neither an errorCode nor rows".to_owned());
    };
    let said = message.map(str::trim).filter(|message| !message.is_empty());
    let known = codes::look_up(code);
    let meaning = known.map_or("a code that is not documented", |known| known.meaning);
    let text = match said {
        Some(said) => format!("Tipalti answered {}: {} ({meaning})", shorten(code), shorten(said)),
        None => format!("Tipalti answered {} ({meaning})", shorten(code)),
    };
    let fault = |rule| vendor_fault(rule, text.clone(), Some(code), said);
    match known.map_or(Class::Doubt, |known| known.class) {
        Class::Ok => Rest::Accepted,
        Class::Stop => Rest::Stop(fault("TIP-AUTH")),
        Class::Document => Rest::Refused(fault("TIP-VENDOR")),
        Class::BackOff => Rest::BackOff(fault("TIP-BUSY"), None),
        Class::Doubt => Rest::Silent(text),
    }
}

fn vendor_fault(rule: &'static str, message: String, code: Option<&str>, said: Option<&str>) -> Fault {
    Fault::error(rule, Path::ROOT, message).vendor(code, said)
}

/// `CreateOrUpdatePurchaseOrdersResult`.
#[derive(Debug, Default)]
struct Reply {
    found: bool,
    code: Option<String>,
    message: Option<String>,
    rows: Vec<Row>,
    here: Vec<Tag>,
}

/// `TipaltiPurchaseOrderItemResult`.
#[derive(Debug, Default)]
struct Row {
    message: Option<String>,
    succeeded: Option<bool>,
    number: Option<String>,
}

/// The elements that matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tag {
    Response,
    Result,
    Rows,
    Row,
    Leaf(Leaf),
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Leaf {
    CallCode,
    CallMessage,
    RowMessage,
    RowSucceeded,
    RowNumber,
}

impl soap::Content for Reply {
    fn open(&mut self, depth: usize, namespace: &str, name: &str, nil: bool) {
        self.here.truncate(depth - 1);
        let tag = if namespace == NAMESPACE {
            match (self.here.as_slice(), name) {
                ([], "CreateOrUpdatePurchaseOrdersResponse") => Tag::Response,
                ([Tag::Response], "CreateOrUpdatePurchaseOrdersResult") => Tag::Result,
                ([Tag::Response, Tag::Result], "errorCode") if !nil => Tag::Leaf(Leaf::CallCode),
                ([Tag::Response, Tag::Result], "errorMessage") if !nil => Tag::Leaf(Leaf::CallMessage),
                ([Tag::Response, Tag::Result], "PurchaseOrderErrors") => Tag::Rows,
                ([Tag::Response, Tag::Result, Tag::Rows], "TipaltiPurchaseOrderItemResult") => Tag::Row,
                ([.., Tag::Row], "ErrorMessage") if !nil => Tag::Leaf(Leaf::RowMessage),
                ([.., Tag::Row], "Succeeded") if !nil => Tag::Leaf(Leaf::RowSucceeded),
                ([.., Tag::Row], "PurchaseOrderNumber") if !nil => Tag::Leaf(Leaf::RowNumber),
                _ => Tag::Other,
            }
        } else {
            Tag::Other
        };
        match tag {
            Tag::Result => self.found = true,
            Tag::Row => self.rows.push(Row::default()),
            _ => {}
        }
        self.here.push(tag);
    }

    fn close(&mut self, depth: usize, text: &str) {
        // The text belongs to the element only when it is the innermost one.
        if self.here.len() == depth
            && let Some(Tag::Leaf(leaf)) = self.here.last()
        {
            let row = self.rows.last_mut();
            match (leaf, row) {
                (Leaf::CallCode, _) => self.code = Some(text.to_owned()),
                (Leaf::CallMessage, _) => self.message = Some(text.to_owned()),
                (Leaf::RowMessage, Some(row)) => row.message = Some(text.to_owned()),
                (Leaf::RowSucceeded, Some(row)) => row.succeeded = boolean(text),
                (Leaf::RowNumber, Some(row)) => row.number = Some(text.to_owned()),
                (_, None) => {}
            }
        }
        self.here.truncate(depth.saturating_sub(1));
    }

    fn is_complete(&self) -> bool {
        self.found
    }
}

/// `xs:boolean`, to the letter: `TRUE` is none.
fn boolean(text: &str) -> Option<bool> {
    match text.trim() {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}
