//! Writes answers in the vendor's shape: `soap:` as the prefix, nil members spelt out, and one row for
//! each order in the order of the call.

use std::borrow::Cow;
use std::fmt::Write as _;

use bytes::Bytes;

use super::xml::Refusal;

/// What became of one order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) number: Option<String>,
    pub(super) succeeded: Succeeded,
    /// Why it failed; `None` when it did not.
    pub(super) problem: Option<String>,
}

/// What a row says under `Succeeded`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Succeeded {
    True,
    False,
    /// The element is missing.
    Missing,
    /// The element holds something that is not a boolean.
    Nonsense,
}

/// What became of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    pub(super) code: String,
    pub(super) message: String,
    /// `None` leaves the list out.
    pub(super) rows: Option<Vec<Row>>,
}

impl Outcome {
    /// A failure of the whole call.
    pub(super) fn failed(code: &str, message: &str) -> Self {
        Self { code: code.to_owned(), message: message.to_owned(), rows: None }
    }
}

/// How an answer is dressed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dress {
    pub(super) prefix: &'static str,
    pub(super) namespace: &'static str,
    /// Whether absent strings are written as nil too, and a nil row is added.
    pub(super) all_nil: bool,
}

impl Default for Dress {
    fn default() -> Self {
        Self { prefix: "soap", namespace: "http://Tipalti.org/", all_nil: false }
    }
}

/// An answer in its three parts, so that a fault can stretch the message or the list.
#[derive(Debug)]
pub(super) struct Answer {
    /// Up to where the `errorMessage` begins.
    pub(super) head: String,
    /// From the `errorMessage` to where another row could follow.
    pub(super) middle: String,
    /// The rest.
    pub(super) tail: String,
}

impl Answer {
    /// An answer that cannot be stretched.
    pub(super) fn whole(head: String) -> Self {
        Self { head, middle: String::new(), tail: String::new() }
    }
}

impl From<Answer> for Bytes {
    fn from(answer: Answer) -> Self {
        let Answer { mut head, middle, tail } = answer;
        head.push_str(&middle);
        head.push_str(&tail);
        Self::from(head)
    }
}

const DECLARATION: &str = r#"<?xml version="1.0" encoding="utf-8"?>"#;
const NIL: &str = r#" xsi:nil="true" />"#;

pub(super) fn answer(outcome: &Outcome, dress: Dress) -> Answer {
    let Dress { prefix, namespace, all_nil } = dress;
    let head = format!(
        "{DECLARATION}{}<CreateOrUpdatePurchaseOrdersResponse xmlns=\"{namespace}\">\
         <CreateOrUpdatePurchaseOrdersResult><errorMessage>",
        opening(prefix)
    );
    let mut middle = format!(
        "{}</errorMessage><errorCode>{}</errorCode><b{NIL}<i{NIL}<d{NIL}",
        escape(&outcome.message),
        escape(&outcome.code)
    );
    if all_nil {
        middle.push_str("<s");
        middle.push_str(NIL);
    }
    let mut tail = String::new();
    if let Some(rows) = &outcome.rows {
        middle.push_str("<PurchaseOrderErrors>");
        for row in rows {
            push_row(&mut middle, row, all_nil);
        }
        if all_nil {
            middle.push_str("<TipaltiPurchaseOrderItemResult");
            middle.push_str(NIL);
        }
        tail.push_str("</PurchaseOrderErrors>");
    }
    // Writing to a string does not fail.
    let _ = write!(tail, "</CreateOrUpdatePurchaseOrdersResult></CreateOrUpdatePurchaseOrdersResponse>{}", closing(prefix));
    Answer { head, middle, tail }
}

/// One row as it stands in the list.
pub(super) fn row(row: &Row) -> String {
    let mut text = String::new();
    push_row(&mut text, row, false);
    text
}

fn push_row(text: &mut String, row: &Row, all_nil: bool) {
    text.push_str("<TipaltiPurchaseOrderItemResult>");
    push_member(text, "ErrorMessage", row.problem.as_deref(), all_nil);
    let succeeded = match row.succeeded {
        Succeeded::True => Some("true"),
        Succeeded::False => Some("false"),
        Succeeded::Nonsense => Some("maybe"),
        Succeeded::Missing => None,
    };
    push_member(text, "Succeeded", succeeded, all_nil);
    push_member(text, "PurchaseOrderNumber", row.number.as_deref(), all_nil);
    text.push_str("</TipaltiPurchaseOrderItemResult>");
}

fn push_member(text: &mut String, name: &str, value: Option<&str>, all_nil: bool) {
    let _ = match value {
        Some(value) => write!(text, "<{name}>{}</{name}>", escape(value)),
        None if all_nil => write!(text, "<{name}{NIL}"),
        None => Ok(()),
    };
}

/// The vendor's platform calls the one who sent nonsense `soap:Sender`, and declares the detail empty.
pub(super) fn refusal(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Sender(why) => fault("Sender", why),
        Refusal::VersionMismatch => fault(
            "VersionMismatch",
            "Possible SOAP version mismatch: the Envelope is not in the namespace \
             http://www.w3.org/2003/05/soap-envelope.",
        ),
        Refusal::MustUnderstand(name) => fault("MustUnderstand", &format!("SOAP header {name} was not understood.")),
    }
}

/// A SOAP 1.2 fault.
pub(super) fn fault(code: &str, reason: &str) -> String {
    format!(
        "{DECLARATION}{}<soap:Fault><soap:Code><soap:Value>soap:{code}</soap:Value></soap:Code>\
         <soap:Reason><soap:Text xml:lang=\"en\">{}</soap:Text></soap:Reason><soap:Detail />\
         </soap:Fault>{}",
        opening("soap"),
        escape(reason),
        closing("soap")
    )
}

/// The beginning of an envelope, up to what its body holds.
pub(super) fn opening(prefix: &str) -> String {
    format!(
        "<{prefix}:Envelope xmlns:{prefix}=\"http://www.w3.org/2003/05/soap-envelope\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" \
         xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\"><{prefix}:Body>"
    )
}

/// The end of an envelope.
pub(super) fn closing(prefix: &str) -> String {
    format!("</{prefix}:Body></{prefix}:Envelope>")
}

fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(['<', '>', '&', '\r']) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for char in text.chars() {
        match char {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            // A reader would turn a bare one into a line feed.
            '\r' => escaped.push_str("&#xD;"),
            char => escaped.push(char),
        }
    }
    Cow::Owned(escaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_written_and_escaped_as_the_vendor_does() {
        let rows = vec![
            Row { number: Some("A&<B>".into()), succeeded: Succeeded::True, problem: None },
            Row { number: None, succeeded: Succeeded::False, problem: Some("no".into()) },
        ];
        let outcome = Outcome { code: "OK".into(), message: "OK".into(), rows: Some(rows) };
        let text: Bytes = answer(&outcome, Dress::default()).into();
        let text = std::str::from_utf8(&text).unwrap();
        let expected = "<errorMessage>OK</errorMessage><errorCode>OK</errorCode>\
            <b xsi:nil=\"true\" /><i xsi:nil=\"true\" /><d xsi:nil=\"true\" /><PurchaseOrderErrors>\
            <TipaltiPurchaseOrderItemResult><Succeeded>true</Succeeded>\
            <PurchaseOrderNumber>A&amp;&lt;B&gt;</PurchaseOrderNumber></TipaltiPurchaseOrderItemResult>\
            <TipaltiPurchaseOrderItemResult><ErrorMessage>no</ErrorMessage><Succeeded>false</Succeeded>\
            </TipaltiPurchaseOrderItemResult></PurchaseOrderErrors>";
        assert!(text.contains(expected), "{text}");
        assert!(text.starts_with("<?xml version=\"1.0\" encoding=\"utf-8\"?><soap:Envelope xmlns:soap="));
        assert!(text.ends_with("</soap:Body></soap:Envelope>"));
    }
}
