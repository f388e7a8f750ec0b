//! What Amazon's answers say: of a submitted invoice, and later of its transaction.
//!
//! Taken means "taken for processing": a 202 with a transactionId is no verdict. There is no way to ask whether an invoice
//! arrived, so whatever is not clearly one of the documented answers is doubt.

use serde_json::Value;

use crate::adapter::{Answer, Decoded, Doubt, News, Rest, Verdict};
use crate::model::{Fault, Path, shorten};
use crate::wire::WireResponse;

/// The longest answer that is read; those of the model have a few hundred bytes.
const LONGEST_ANSWER: usize = 1 << 20;
/// The most errors of an answer that are told.
const MOST_ERRORS: usize = 10;
/// The longest transactionId; those that were seen have about fifty characters.
const LONGEST_ID: usize = 200;

/// Reads the answer to a call with one invoice.
pub(super) fn decode(response: &WireResponse) -> Decoded {
    let status = response.status;
    let said = Said::of(response);
    if let Some(rest) = refusal(response, &said) {
        return Decoded::whole(match rest {
            Refusal::Caller(fault) => Rest::Expired(fault),
            Refusal::Busy(fault) => Rest::BackOff(fault, response.retry_after),
            Refusal::Address(fault) | Refusal::Ours(fault) => Rest::Stop(fault),
        });
    }
    match status {
        200..=299 => match said.text("/payload/transactionId").filter(|id| is_id(id)) {
            Some(id) => Decoded {
                verdicts: vec![(0, Verdict::Submitted(id.to_owned()))],
                rest: Rest::Silent("the answer speaks of one invoice only".into()),
                notes: Vec::new(),
            },
            None => silent(format!("HTTP {status} without a transactionId"), &said),
        },
        // Refused as a whole, and said by Amazon: a page of somebody on the way proves nothing.
        400 | 413 | 422 if !said.errors.is_empty() => Decoded::whole(Rest::Refused(said.fault("Amazon refused the invoice"))),
        300..=399 => silent(format!("HTTP {status}: a redirect, which is not followed since the token would go with it"), &said),
        _ => silent(format!("Amazon answered with HTTP {status}"), &said),
    }
}

/// Reads the answer to the question about a transaction.
pub(super) fn news(reference: &str, is_static_sandbox: bool, response: &WireResponse) -> News {
    let status = response.status;
    let said = Said::of(response);
    match refusal(response, &said) {
        Some(Refusal::Caller(fault)) => return News::Expired(fault),
        Some(Refusal::Busy(fault)) => return News::BackOff(fault, response.retry_after),
        // That one transaction is not found says nothing of the address.
        Some(Refusal::Address(_) | Refusal::Ours(_)) | None => {}
    }
    let unclear = |why: String| News::Unclear(said.doubt(why));
    if status != 200 {
        return unclear(format!("HTTP {status}"));
    }
    let is_ours = said.text("/payload/transactionStatus/transactionId") == Some(reference);
    match said.text("/payload/transactionStatus/status") {
        // Amazon's own sandbox answers with this for any transaction, and gives another's id.
        Some("Processing") if is_ours || is_static_sandbox => News::Processing,
        Some("Success") if is_ours => News::Accepted,
        Some("Failure") if is_ours => News::Rejected(said.fault("Amazon refused the invoice")),
        Some("Success" | "Failure" | "Processing") => unclear("the answer speaks of another transaction".to_owned()),
        Some(other) => unclear(format!("the status {:?} is not known", shorten(other))),
        None => unclear("the answer has no status".to_owned()),
    }
}

/// Why the question for these orders brought none.
pub(super) fn setback(orders: &str, response: &WireResponse) -> Answer {
    let status = response.status;
    let said = Said::of(response);
    match refusal(response, &said) {
        Some(Refusal::Caller(fault)) => return Answer::Expired(fault),
        Some(Refusal::Busy(fault)) => return Answer::BackOff(fault, response.retry_after),
        // It may be the order that is not known.
        Some(Refusal::Address(_) | Refusal::Ours(_)) | None => {}
    }
    if matches!(status, 400..=499) && !said.errors.is_empty() {
        let message = format!("Amazon gives no answer for {orders} (HTTP {status}): {}", shorten(&said.words()));
        // Pages that were refused as wrong have been seen to come when they were asked for a second or third time.
        return Answer::Refused { fault: said.complete(Fault::error("AMZ-093", Path::ROOT, message)), for_good: status != 400 };
    }
    Answer::Unclear(said.doubt(format!("Amazon answered with HTTP {status}")))
}

/// A refusal that has nothing to do with a document.
enum Refusal {
    Caller(Fault),
    Busy(Fault),
    Address(Fault),
    /// It is our mistake, and the next document would fare no better.
    Ours(Fault),
}

fn refusal(response: &WireResponse, said: &Said) -> Option<Refusal> {
    let status = response.status;
    let fault = |rule: &'static str, what: &str| said.complete(Fault::error(rule, Path::ROOT, format!("{what} (HTTP {status})")));
    match status {
        401 | 403 => Some(Refusal::Caller(fault(
            "AMZ-002",
            "Amazon refused the caller; check that the refresh token is that of this vendor and region, and that the application has \
             the role that the call needs",
        ))),
        404 => Some(Refusal::Address(fault("AMZ-002", "Amazon does not know the address; check region and endpoint"))),
        // Also where nothing is said with it: a wrong type is refused before anything is looked at.
        415 => Some(Refusal::Ours(fault("AMZ-002", "Amazon does not take the form in which invoices are sent; report this"))),
        429 => Some(Refusal::Busy(fault("AMZ-003", "Amazon asked for a pause"))),
        _ => None,
    }
}

fn silent(why: String, said: &Said) -> Decoded {
    Decoded::whole(Rest::Silent(said.doubt(why)))
}

fn is_id(id: &str) -> bool {
    !id.is_empty() && id.len() <= LONGEST_ID && !id.chars().any(char::is_control)
}

/// What an answer says, as far as it can be read.
struct Said {
    body: Value,
    /// Code and words of every error.
    errors: Vec<(String, String)>,
}

impl Said {
    fn of(response: &WireResponse) -> Self {
        let body = Some(&response.body).filter(|body| body.len() <= LONGEST_ANSWER);
        let body: Value = body.and_then(|body| serde_json::from_slice(body).ok()).unwrap_or_default();
        let lists = ["/errors", "/payload/transactionStatus/errors"];
        let errors = lists.iter().filter_map(|list| body.pointer(list)?.as_array()).flatten().map(error).collect();
        Self { body, errors }
    }

    fn text(&self, pointer: &str) -> Option<&str> {
        self.body.pointer(pointer)?.as_str()
    }

    /// The errors in Amazon's own words, each once.
    fn words(&self) -> String {
        let mut told: Vec<(&(String, String), usize)> = Vec::new();
        for error in &self.errors {
            match told.iter_mut().find(|(known, _)| *known == error) {
                Some((_, count)) => *count += 1,
                None => told.push((error, 1)),
            }
        }
        let more = told.len().saturating_sub(MOST_ERRORS);
        let line = |((code, words), count): &(&(String, String), usize)| {
            let times = if *count > 1 { format!(" ({count} times)") } else { String::new() };
            format!("{code}: {words}{times}")
        };
        let mut lines: Vec<String> = told.iter().take(MOST_ERRORS).map(line).collect();
        if more > 0 {
            lines.push(format!("and {more} more"));
        }
        lines.join("; ")
    }

    fn code(&self) -> Option<&str> {
        self.errors.first().map(|(code, _)| code.as_str())
    }

    /// Amazon's code and words beside ours.
    fn complete(&self, fault: Fault) -> Fault {
        fault.vendor(self.code(), Some(&self.words()))
    }

    fn doubt(&self, why: String) -> Doubt {
        let words = Some(self.words()).filter(|words| !words.is_empty());
        Doubt { why, vendor_code: self.code().map(str::to_owned), vendor_message: words }
    }

    /// The fault of an invoice that was refused.
    fn fault(&self, what: &str) -> Fault {
        let message = match self.code() {
            None => format!("{what} without saying why; look at Payments > Invoices in Vendor Central"),
            // The code that says that there is nothing to be said.
            Some("NotAvailable") => format!(
                "{what} and gives no reason (NotAvailable); the usual ones are a bill-to party or a tax registration that is not as \
                 Amazon has it, and goods that are not confirmed as shipped"
            ),
            Some(_) => format!("{what}: {}", shorten(&self.words())),
        };
        self.complete(Fault::error("AMZ-001", Path::ROOT, message))
    }
}

/// An error of the model: code, message and details. What has another form is told as it stands.
fn error(error: &Value) -> (String, String) {
    let text = |name: &str| error.get(name).and_then(Value::as_str).map(str::trim).unwrap_or_default();
    if !error.is_object() {
        return ("?".to_owned(), shorten(&error.to_string()));
    }
    let code = if text("code").is_empty() { "?" } else { text("code") };
    let words = match (text("message"), text("details")) {
        (message, "") => message.to_owned(),
        ("", details) => details.to_owned(),
        (message, details) => format!("{message} ({details})"),
    };
    (shorten(code), words.chars().take(1000).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(status: u16, body: &str) -> WireResponse {
        WireResponse { status, body: body.as_bytes().to_vec(), ..WireResponse::default() }
    }

    fn rest(status: u16, body: &str) -> Rest {
        let decoded = decode(&response(status, body));
        assert!(decoded.verdicts.is_empty(), "{decoded:?}");
        decoded.rest
    }

    const ERRORS: &str = r#"{"errors": [{"code": "InvalidInput", "message": "Value 'Invoic' is not valid", "details": ""},
        {"code": "InvalidInput", "message": "One of '{invoiceType}' is expected", "details": "x"}]}"#;

    #[test]
    fn taken_is_no_verdict_and_nothing_less_than_an_id_is_taken() {
        let decoded = decode(&response(202, r#"{"payload": {"transactionId": "20190904-e1275c33"}}"#));
        assert_eq!(decoded.verdicts, [(0, Verdict::Submitted("20190904-e1275c33".into()))]);
        for body in [
            "",
            "{}",
            "<html>",
            r#"{"payload": null}"#,
            r#"{"payload": {"transactionId": ""}}"#,
            r#"{"payload": {"transactionId": 7}}"#,
            r#"{"transactionId": "x"}"#,
        ] {
            assert!(matches!(rest(202, body), Rest::Silent(_)), "{body}");
        }
    }

    #[test]
    fn a_refusal_is_believed_when_amazon_gives_its_reasons() {
        let Rest::Refused(fault) = rest(400, ERRORS) else { panic!() };
        assert_eq!(fault.vendor_code.as_deref(), Some("InvalidInput"));
        assert_eq!(
            fault.vendor_message.as_deref(),
            Some("InvalidInput: Value 'Invoic' is not valid; InvalidInput: One of '{invoiceType}' is expected (x)")
        );
        assert!(matches!(rest(413, ERRORS), Rest::Refused(_)));
        for (status, body) in [(400, "<html>"), (400, "{}"), (413, ""), (500, ERRORS), (503, "<html>"), (302, ""), (600, ERRORS)]
        {
            assert!(matches!(rest(status, body), Rest::Silent(_)), "{status} {body}");
        }
        let Rest::Silent(doubt) = rest(500, ERRORS) else { panic!() };
        assert_eq!(doubt.vendor_code.as_deref(), Some("InvalidInput"));
    }

    #[test]
    fn a_caller_that_is_refused_may_come_back_with_a_fresh_token_and_a_busy_one_later() {
        assert!(matches!(rest(403, ERRORS), Rest::Expired(fault) if fault.rule == "AMZ-002"));
        assert!(matches!(rest(401, ""), Rest::Expired(_)));
        assert!(matches!(rest(404, ERRORS), Rest::Stop(_)));
        assert!(matches!(rest(415, ERRORS), Rest::Stop(_)));
        assert!(matches!(rest(429, ""), Rest::BackOff(fault, None) if fault.rule == "AMZ-003"));
    }

    fn status(status: &str, errors: &str) -> News {
        let body = format!(
            r#"{{"payload": {{"transactionStatus": {{"transactionId": "T-1", "status": "{status}", "errors": [{errors}]}}}}}}"#
        );
        news("T-1", false, &response(200, &body))
    }

    #[test]
    fn a_transaction_ends_in_success_or_failure_or_goes_on() {
        assert_eq!(status("Success", ""), News::Accepted);
        assert_eq!(status("Processing", ""), News::Processing);
        assert!(matches!(status("Sleeping", ""), News::Unclear(_)));
        let same = [r#"{"code": "NotAvailable", "message": "Error details are not available.", "details": ""}"#; 6].join(",");
        let News::Rejected(fault) = status("Failure", &same) else { panic!() };
        assert_eq!(fault.vendor_message.as_deref(), Some("NotAvailable: Error details are not available. (6 times)"));
        assert!(fault.message.contains("gives no reason"), "{fault:?}");
        let News::Rejected(fault) = status("Failure", "7, {\"code\": \"INVALID_ORDER_ID\", \"message\": \"Invalid order ID.\"}")
        else {
            panic!()
        };
        assert_eq!(fault.vendor_message.as_deref(), Some("?: 7; INVALID_ORDER_ID: Invalid order ID."));
        assert!(matches!(status("Failure", ""), News::Rejected(_)));
    }

    #[test]
    fn a_verdict_on_another_transaction_is_none() {
        let of =
            |status: &str| format!(r#"{{"payload": {{"transactionStatus": {{"transactionId": "T-2", "status": "{status}"}}}}}}"#);
        for status in ["Success", "Failure", "Processing"] {
            assert!(matches!(news("T-1", false, &response(200, &of(status))), News::Unclear(_)), "{status}");
        }
        // Amazon's static sandbox has one answer for all.
        assert_eq!(news("T-1", true, &response(200, &of("Processing"))), News::Processing);
        assert!(matches!(news("T-1", true, &response(200, &of("Success"))), News::Unclear(_)));
    }

    #[test]
    fn other_answers_to_a_question_are_no_news() {
        for (status, body) in [(200, ""), (200, "[]"), (404, ERRORS), (400, ERRORS), (500, "<html>"), (302, "")] {
            assert!(matches!(news("T-1", false, &response(status, body)), News::Unclear(_)), "{status}");
        }
        assert!(matches!(news("T-1", false, &response(403, ERRORS)), News::Expired(_)));
        assert!(matches!(news("T-1", false, &response(429, "")), News::BackOff(..)));
    }

    #[test]
    fn hostile_answers_cost_little_and_say_nothing() {
        let deep = "[".repeat(100_000);
        let long = format!(r#"{{"payload": {{"transactionId": "x"}}, "a": "{}"}}"#, "y".repeat(LONGEST_ANSWER));
        for body in [deep.as_str(), &long, "\u{feff}", "nul", "{\"payload\": {\"transactionId\": \"a\\u0000b\"}}"] {
            assert!(matches!(rest(202, body), Rest::Silent(_)));
        }
    }
}
