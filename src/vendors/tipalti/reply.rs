//! What a reply says of each order.
//!
//! A row is matched by PurchaseOrderNumber, never by position, and its own `Succeeded` decides: the call as a whole says
//! ValidationError as soon as one of its orders failed, while the others were taken. Without any row the call's
//! errorCode speaks for all. With rows, an order that has none is in doubt.

use std::collections::HashMap;

use super::codes::{self, Class};
use crate::adapter::{Decoded, Doubt, Rest, Verdict};
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
        300..=399 => {
            let why = format!(
                "HTTP {}: a redirect, which is not followed since the key would go with it; check the endpoint",
                response.status
            );
            return Decoded::whole(Rest::Silent(why.into()));
        }
        _ => {}
    }
    match soap::read::<Reply>(&response.body) {
        Ok(Body::Fault(fault)) => Decoded::whole(judge_fault(&fault)),
        // A result that came with an error status was made by something that does not know what it says.
        Ok(Body::Content(_)) if !(200..300).contains(&response.status) => {
            Decoded::whole(Rest::Silent(format!("Tipalti answered with HTTP {}", response.status).into()))
        }
        Ok(Body::Content(reply)) => judge(numbers, reply),
        Err(unreadable) => Decoded::whole(Rest::Silent(format!("HTTP {}: {unreadable}", response.status).into())),
    }
}

/// The most rows for orders that nobody sent that are told one by one.
const MOST_STRANGERS: usize = 5;

fn judge(numbers: &[&str], reply: Reply) -> Decoded {
    let Reply { code, message, rows, strange, .. } = reply;
    if rows.is_empty() {
        let mut decoded = Decoded::whole(judge_call(code.as_deref(), message.as_deref()));
        if strange && decoded.rest == Rest::Accepted {
            // A yes to all is believed only where nothing else was said.
            decoded.rest = Rest::Silent("the reply says OK, and has something in it that is not understood".into());
        }
        let said = message.as_deref().map(str::trim).filter(|said| codes::look_up(said).is_none() && !said.is_empty());
        if let (Rest::Accepted, Some(said)) = (&decoded.rest, said) {
            decoded.notes.push(format!("Tipalti took a call and added: {}", shorten(said)));
        }
        return decoded;
    }
    let places: HashMap<&str, usize> = numbers.iter().enumerate().map(|(place, number)| (*number, place)).collect();
    let mut verdicts: Vec<Option<Verdict>> = vec![None; numbers.len()];
    let (mut notes, mut strangers) = (Vec::new(), 0);
    for row in rows {
        let number = row.number.as_deref().map(str::trim).unwrap_or_default();
        let Some(verdict_of_number) = places.get(number).and_then(|&place| verdicts.get_mut(place)) else {
            strangers += 1;
            if strangers <= MOST_STRANGERS {
                notes.push(format!("the reply has a row for {:?}, which was not in the call", shorten(&redact(number))));
            }
            continue;
        };
        let verdict = judge_row(&row, code.as_deref());
        *verdict_of_number = Some(match verdict_of_number.take() {
            // Two rows that agree are one; a refusal keeps its first reason.
            None => verdict,
            Some(Verdict::Accepted) if verdict == Verdict::Accepted => Verdict::Accepted,
            Some(earlier @ Verdict::Rejected(_)) if matches!(verdict, Verdict::Rejected(_)) => earlier,
            Some(_) => Verdict::Unclear("the reply has two rows for the order, and they disagree".into()),
        });
    }
    if strangers > MOST_STRANGERS {
        notes.push(format!("the reply has rows for {strangers} orders that were not in the call"));
    }
    Decoded {
        verdicts: verdicts.into_iter().enumerate().filter_map(|(place, verdict)| Some((place, verdict?))).collect(),
        rest: Rest::Silent("the reply has no row for the order".into()),
        notes,
    }
}

fn judge_row(row: &Row, call_code: Option<&str>) -> Verdict {
    match row.succeeded.filter(|_| !row.spoiled) {
        Some(true) => Verdict::Accepted,
        Some(false) => {
            let said = row.message.as_deref().map(str::trim).filter(|message| !message.is_empty());
            let message = match said {
                Some(said) => format!("Tipalti refused the order: {}", shorten(said)),
                None => "Tipalti refused the order without saying why; look at the order in Tipalti".to_owned(),
            };
            Verdict::Rejected(vendor_fault("TIP-VENDOR", message, call_code, said))
        }
        None if row.spoiled => Verdict::Unclear("the row of the order contradicts itself".into()),
        None => Verdict::Unclear("the row of the order does not say whether it succeeded".into()),
    }
}

/// A fault of the sender is about the message, so about one of its orders; any other may have come after the fact.
fn judge_fault(fault: &soap::Fault) -> Rest {
    let (code, reason) = (redact(&fault.code), redact(&fault.reason));
    if fault.is_senders() {
        let message = format!("Tipalti could not read the order: {}", shorten(&reason));
        return Rest::Refused(vendor_fault("TIP-VENDOR", message, Some(&code), Some(&reason)));
    }
    let why = format!("Tipalti answered with a fault ({}: {})", shorten(&code), shorten(&reason));
    Rest::Silent(doubt(why, Some(&code), Some(&reason)))
}

/// The word on a call whose reply has no rows.
fn judge_call(code: Option<&str>, message: Option<&str>) -> Rest {
    let Some(code) = code.map(str::trim).filter(|code| !code.is_empty()) else {
        return Rest::Silent("the reply has neither an errorCode nor rows".into());
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
        Class::Doubt => Rest::Silent(doubt(text, Some(code), said)),
    }
}

fn vendor_fault(rule: &'static str, message: String, code: Option<&str>, said: Option<&str>) -> Fault {
    let (code, said) = (code.map(quote), said.map(quote));
    Fault::error(rule, Path::ROOT, message).vendor(code.as_deref(), said.as_deref())
}

fn doubt(why: String, code: Option<&str>, said: Option<&str>) -> Doubt {
    Doubt { why, vendor_code: code.map(quote), vendor_message: said.map(quote) }
}

/// The most characters of the vendor's own words that are kept: every order of a call may get a copy.
const LONGEST_QUOTE: usize = 2000;

/// The vendor's words as they may be kept.
fn quote(text: &str) -> String {
    let end = text.char_indices().nth(LONGEST_QUOTE).map_or(text.len(), |(at, _)| at);
    text.get(..end).unwrap_or_default().to_owned()
}

/// A message that repeats our call may have the key of it in it, and a key is good for any other call as long as its
/// time is taken. Keys are 64 hexadecimal digits, and so is nothing that a person would miss.
fn redact(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_hexdigit()) {
        let (before, word) = rest.split_at(start);
        let (word, after) = word.split_at(word.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(word.len()));
        out.push_str(before);
        out.push_str(if word.len() >= 64 { "[key]" } else { word });
        rest = after;
    }
    out.push_str(rest);
    out
}

/// `CreateOrUpdatePurchaseOrdersResult`.
#[derive(Debug, Default)]
struct Reply {
    found: bool,
    code: Option<String>,
    message: Option<String>,
    rows: Vec<Row>,
    here: Vec<Tag>,
    /// The leaves of the call and of the row that is being read, as far as they have come.
    seen: Vec<Leaf>,
    /// Whether something of the call stands there twice or within another: then nothing of it is believed.
    spoiled: bool,
    /// Whether there is something in it that may be about an order and is not understood.
    strange: bool,
}

/// `TipaltiPurchaseOrderItemResult`.
#[derive(Debug, Default)]
struct Row {
    message: Option<String>,
    succeeded: Option<bool>,
    number: Option<String>,
    /// Whether something stands in the row twice or within another: then nothing of it is believed.
    spoiled: bool,
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
        if let Some(Tag::Leaf(leaf)) = self.here.last() {
            self.spoil(*leaf);
        }
        let tag = if namespace == NAMESPACE { Tag::of(&self.here, name) } else { Tag::Other };
        // What stands among the rows and is none, or below something unknown, may be a verdict that cannot be read.
        self.strange |= match self.here.as_slice() {
            [.., Tag::Rows] => tag != Tag::Row,
            [Tag::Response, Tag::Result, Tag::Other] | [.., Tag::Rows, Tag::Other] => true,
            _ => false,
        };
        match tag {
            Tag::Result => {
                self.spoiled |= self.found;
                self.found = true;
            }
            // A row that is nil is none.
            Tag::Row if nil => {}
            Tag::Row => {
                self.rows.push(Row::default());
                self.seen.retain(|leaf| leaf.is_of_call());
            }
            Tag::Leaf(leaf) if self.seen.contains(&leaf) => self.spoil(leaf),
            Tag::Leaf(leaf) => self.seen.push(leaf),
            _ => {}
        }
        // What is nil has no text.
        self.here.push(if nil && tag != Tag::Rows { Tag::Other } else { tag });
    }

    fn close(&mut self, depth: usize, text: &str) {
        if self.here.len() == depth && self.here.last() == Some(&Tag::Rows) {
            self.strange |= !text.trim().is_empty();
        }
        // The text belongs to the element only when it is the innermost one.
        if self.here.len() == depth
            && let Some(Tag::Leaf(leaf)) = self.here.last()
        {
            let row = self.rows.last_mut();
            match (leaf, row) {
                (Leaf::CallCode, _) => self.code = Some(redact(text)),
                (Leaf::CallMessage, _) => self.message = Some(redact(text)),
                (Leaf::RowMessage, Some(row)) => row.message = Some(redact(text)),
                (Leaf::RowSucceeded, Some(row)) => row.succeeded = boolean(text),
                (Leaf::RowNumber, Some(row)) => row.number = Some(text.to_owned()),
                (_, None) => {}
            }
        }
        self.here.truncate(depth.saturating_sub(1));
    }

    fn is_complete(&self) -> bool {
        self.found && !self.spoiled
    }
}

impl Reply {
    /// A message is for eyes; everything else decides, and is not believed when it stands there in a strange way.
    fn spoil(&mut self, leaf: Leaf) {
        match (leaf, self.rows.last_mut()) {
            (Leaf::CallMessage | Leaf::RowMessage, _) => {}
            (Leaf::RowSucceeded | Leaf::RowNumber, Some(row)) => row.spoiled = true,
            _ => self.spoiled = true,
        }
    }
}

impl Tag {
    /// The element of this name at this place.
    fn of(here: &[Self], name: &str) -> Self {
        match (here, name) {
            ([], "CreateOrUpdatePurchaseOrdersResponse") => Self::Response,
            ([Self::Response], "CreateOrUpdatePurchaseOrdersResult") => Self::Result,
            ([Self::Response, Self::Result], "errorCode") => Self::Leaf(Leaf::CallCode),
            ([Self::Response, Self::Result], "errorMessage") => Self::Leaf(Leaf::CallMessage),
            ([Self::Response, Self::Result], "PurchaseOrderErrors") => Self::Rows,
            ([Self::Response, Self::Result, Self::Rows], "TipaltiPurchaseOrderItemResult") => Self::Row,
            ([.., Self::Row], "ErrorMessage") => Self::Leaf(Leaf::RowMessage),
            ([.., Self::Row], "Succeeded") => Self::Leaf(Leaf::RowSucceeded),
            ([.., Self::Row], "PurchaseOrderNumber") => Self::Leaf(Leaf::RowNumber),
            _ => Self::Other,
        }
    }
}

impl Leaf {
    fn is_of_call(self) -> bool {
        matches!(self, Self::CallCode | Self::CallMessage)
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
