//! What a reply says of each order: replies as Tipalti writes them, replies as nobody should, and replies that mean harm.
//!
//! Everything goes through the door that the bridge uses: numbers and bytes in, verdicts out. What must never happen is
//! an order that is called accepted although its own row does not say so.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use payables_bridge::adapter::{Decoded, Rest, Submit, Verdict};
use payables_bridge::formats::soap::{SOAP11, SOAP12};
use payables_bridge::vendors::tipalti::Tipalti;
use payables_bridge::vendors::tipalti::codes::{CODES, Class};
use payables_bridge::wire::WireResponse;
use proptest::prelude::*;

/// The numbers of the orders in every call of this file.
const NUMBERS: [&str; 3] = ["PO-1", "PO-2", "PO-3"];
const TIPALTI: &str = "http://Tipalti.org/";
const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";

fn decode_with(status: u16, body: &[u8]) -> Decoded {
    Tipalti::default().decode(&NUMBERS, &WireResponse { status, headers: vec![], retry_after: None, body: body.to_vec() })
}

fn decode(body: impl AsRef<[u8]>) -> Decoded {
    decode_with(200, body.as_ref())
}

/// An envelope as Tipalti's platform writes it, with this in its body.
fn envelope(content: &str) -> String {
    format!(
        r#"<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="{SOAP12}" xmlns:xsi="{XSI}"><soap:Body>{content}</soap:Body></soap:Envelope>"#
    )
}

/// A response with this in its result.
fn response(content: &str) -> String {
    envelope(&format!(
        r#"<CreateOrUpdatePurchaseOrdersResponse xmlns="{TIPALTI}"><CreateOrUpdatePurchaseOrdersResult>{content}</CreateOrUpdatePurchaseOrdersResult></CreateOrUpdatePurchaseOrdersResponse>"#
    ))
}

/// A whole reply of a call-level code and rows.
fn reply(code: &str, rows: &str) -> String {
    response(&format!(
        r#"<errorMessage>{code}</errorMessage><errorCode>{code}</errorCode><b xsi:nil="true" /><i xsi:nil="true" /><d xsi:nil="true" /><PurchaseOrderErrors>{rows}</PurchaseOrderErrors>"#
    ))
}

fn row_of(members: &str) -> String {
    format!("<TipaltiPurchaseOrderItemResult>{members}</TipaltiPurchaseOrderItemResult>")
}

/// A row; a refusal says "no" and the order's number.
fn row(number: &str, succeeded: &str) -> String {
    let message = if succeeded == "false" { format!("<ErrorMessage>no {number}</ErrorMessage>") } else { String::new() };
    row_of(&format!("{message}<Succeeded>{succeeded}</Succeeded><PurchaseOrderNumber>{number}</PurchaseOrderNumber>"))
}

/// The reply to a call that went well.
fn all_accepted() -> String {
    reply("OK", &NUMBERS.map(|number| row(number, "true")).concat())
}

/// The reply to a call of which nothing was taken.
fn all_rejected() -> String {
    reply("ValidationError", &NUMBERS.map(|number| row(number, "false")).concat())
}

/// What is said of the order at this place.
fn word(decoded: &Decoded, place: usize) -> &'static str {
    let mut named = decoded.verdicts.iter().filter(|(named, _)| *named == place).map(|(_, verdict)| verdict);
    let word = match named.next() {
        None => "-",
        Some(Verdict::Submitted(_)) => "submitted",
        Some(Verdict::Accepted) => "accepted",
        Some(Verdict::Rejected(_)) => "rejected",
        Some(Verdict::Unclear(_)) => "unclear",
    };
    assert!(named.next().is_none(), "an order has two verdicts: {decoded:?}");
    word
}

/// What is said of the three orders.
fn words(decoded: &Decoded) -> [&'static str; 3] {
    assert!(decoded.verdicts.iter().all(|(place, _)| *place < NUMBERS.len()), "{decoded:?}");
    [0, 1, 2].map(|place| word(decoded, place))
}

/// What is said of orders that have no verdict of their own.
fn rest(decoded: &Decoded) -> &'static str {
    match &decoded.rest {
        Rest::Accepted => "accepted",
        Rest::Refused(_) => "refused",
        Rest::Stop(_) => "stop",
        Rest::Expired(_) => "expired",
        Rest::BackOff(..) => "back off",
        Rest::Silent(_) => "silent",
    }
}

/// What is said of the call when nothing is said of any order.
fn whole(decoded: &Decoded) -> &'static str {
    assert_eq!(decoded.verdicts, [], "an order is named");
    rest(decoded)
}

/// Why nothing can be concluded, if nothing can.
fn doubt(decoded: &Decoded) -> Option<&str> {
    if let Rest::Silent(doubt) = &decoded.rest { Some(&doubt.why) } else { None }
}

fn accepts_something(decoded: &Decoded) -> bool {
    decoded.rest == Rest::Accepted || words(decoded).contains(&"accepted")
}

#[test]
fn rows_decide_each_for_its_own_order() {
    let (yes, no) = (|number| row(number, "true"), |number| row(number, "false"));
    let (a, r, u, n) = ("accepted", "rejected", "unclear", "-");
    let named = |number: &str| row(number, "true");
    for (what, rows, expected) in [
        ("as the documentation has it", yes("PO-1") + &no("PO-2") + &yes("PO-3"), [a, r, a]),
        ("in another order", yes("PO-3") + &yes("PO-1") + &no("PO-2"), [a, r, a]),
        ("one missing", yes("PO-1") + &yes("PO-3"), [a, n, a]),
        ("only one there, a refusal", no("PO-2"), [n, r, n]),
        ("twice, agreeing on success", yes("PO-1") + &yes("PO-2") + &yes("PO-1"), [a, a, n]),
        ("twice, agreeing on refusal", no("PO-1") + &no("PO-1") + &yes("PO-2"), [r, a, n]),
        ("twice, contradicting", yes("PO-1") + &no("PO-1") + &yes("PO-2"), [u, a, n]),
        ("twice, contradicting the other way round", no("PO-1") + &yes("PO-1"), [u, n, n]),
        ("three times, the last two agreeing", no("PO-1") + &yes("PO-1") + &yes("PO-1"), [u, n, n]),
        ("one without a verdict beside one with", row("PO-1", "maybe") + &yes("PO-1"), [u, n, n]),
        ("one nobody sent", yes("PO-1") + &yes("PO-9"), [a, n, n]),
        ("nobody's only", no("PO-9"), [n, n, n]),
        ("blanks around the number", named("  PO-1\n\t") + &named(" PO-2"), [a, a, n]),
        ("another letter case", named("po-1") + &named("Po-2") + &yes("PO-3"), [n, n, a]),
        ("a number cut short or gone on", named("PO-") + &named("PO-11") + &named("PO-1 PO-2"), [n, n, n]),
        ("a full-width digit", named("PO-１"), [n, n, n]),
        ("references in the number", named("&#80;O&#x2D;1"), [a, n, n]),
        ("CDATA in the number", named("<![CDATA[PO-1]]>") + &named("PO-<![CDATA[2]]>"), [a, a, n]),
        ("comments in the number", named("PO<!-- PO-2 -->-1"), [a, n, n]),
        ("comments and instructions between", format!("<!-- a -->{}<?b c?>\n{}", yes("PO-1"), no("PO-2")), [a, r, n]),
    ] {
        let decoded = decode(reply("OK", &rows));
        assert_eq!(words(&decoded), expected, "{what}");
        assert_eq!(rest(&decoded), "silent", "{what}");
    }
}

#[test]
fn succeeded_is_an_xml_boolean_to_the_letter() {
    for (text, expected) in [
        ("true", "accepted"),
        ("1", "accepted"),
        (" true\n", "accepted"),
        ("<![CDATA[true]]>", "accepted"),
        ("t<!-- -->rue", "accepted"),
        ("false", "rejected"),
        ("0", "rejected"),
        ("TRUE", "unclear"),
        ("True", "unclear"),
        ("yes", "unclear"),
        ("2", "unclear"),
        ("01", "unclear"),
        ("", "unclear"),
        ("true false", "unclear"),
        ("truetrue", "unclear"),
    ] {
        assert_eq!(words(&decode(reply("OK", &row("PO-1", text)))), [expected, "-", "-"], "{text:?}");
    }
    let missing = row_of("<PurchaseOrderNumber>PO-1</PurchaseOrderNumber>");
    assert_eq!(words(&decode(reply("OK", &missing))), ["unclear", "-", "-"]);
    let no_number = row_of("<Succeeded>true</Succeeded>");
    assert_eq!(words(&decode(reply("OK", &no_number))), ["-", "-", "-"]);
}

#[test]
fn prefixes_and_the_order_of_members_mean_nothing_and_namespaces_everything() {
    let good = all_accepted();
    for (what, body) in [
        ("soap12", good.replace("soap:", "soap12:").replace("xmlns:soap=", "xmlns:soap12=")),
        ("the default namespace", good.replace("soap:", "").replace("xmlns:soap=", "xmlns=")),
        ("SOAP 1.1", good.replace(SOAP12, SOAP11)),
        ("no declaration", good.split_once("?>").unwrap().1.to_owned()),
        ("a byte order mark", format!("\u{feff}{good}")),
        ("upper case in the declaration", good.replace("utf-8", "UTF-8")),
        ("single quotes", good.replace('"', "'")),
        ("line breaks everywhere", good.replace("><", ">\r\n <")),
        ("a prefix on the payload", payload_with_prefix()),
        ("unknown elements", good.replace("<errorCode>", "<soon attr='1'><Succeeded>false</Succeeded></soon><errorCode>")),
        ("a header", good.replace("<soap:Body>", "<soap:Header><a xmlns='urn:a'>b</a></soap:Header><soap:Body>")),
        (
            "number first",
            reply(
                "OK",
                &NUMBERS
                    .map(|n| row_of(&format!("<PurchaseOrderNumber>{n}</PurchaseOrderNumber><Succeeded>1</Succeeded>")))
                    .concat(),
            ),
        ),
    ] {
        let decoded = decode(&body);
        assert_eq!(words(&decoded), ["accepted"; 3], "{what}: {body}");
        assert_eq!(decoded.notes, [""; 0], "{what}");
    }
    for (what, body) in [
        ("the payload's namespace", good.replace(TIPALTI, "http://tipalti.org/")),
        ("the payload's namespace without its slash", good.replace(TIPALTI, "http://Tipalti.org")),
        ("no payload namespace", good.replace(&format!(" xmlns=\"{TIPALTI}\""), "")),
        ("the envelope's namespace", good.replace(SOAP12, "http://www.w3.org/2003/05/soap")),
        ("no envelope namespace", good.replace(&format!(" xmlns:soap=\"{SOAP12}\""), "")),
        ("the envelope's name", good.replace("soap:Envelope", "soap:Envelop")),
        ("the body's name", good.replace("soap:Body", "soap:body")),
        ("another operation", good.replace("PurchaseOrdersResponse", "InvoicesResponse")),
        ("another result", good.replace("PurchaseOrdersResult", "InvoicesResult")),
    ] {
        assert_ne!(body, good, "{what}");
        assert_eq!(whole(&decode(&body)), "silent", "{what}");
    }
}

fn payload_with_prefix() -> String {
    let rows: String = NUMBERS
        .iter()
        .map(|n| {
            format!("<t:TipaltiPurchaseOrderItemResult><t:Succeeded>true</t:Succeeded><t:PurchaseOrderNumber>{n}</t:PurchaseOrderNumber></t:TipaltiPurchaseOrderItemResult>")
        })
        .collect();
    envelope(&format!(
        "<t:CreateOrUpdatePurchaseOrdersResponse xmlns:t='{TIPALTI}'><t:CreateOrUpdatePurchaseOrdersResult><t:PurchaseOrderErrors>{rows}\
         </t:PurchaseOrderErrors></t:CreateOrUpdatePurchaseOrdersResult></t:CreateOrUpdatePurchaseOrdersResponse>"
    ))
}

#[test]
fn a_nil_member_is_an_absent_one() {
    let nil = r#" xsi:nil="true" /"#;
    let with = |members: &str| reply("OK", &row_of(members));
    for (what, body, expected) in [
        (
            "the message",
            with(&format!("<ErrorMessage{nil}><Succeeded>true</Succeeded><PurchaseOrderNumber>PO-1</PurchaseOrderNumber>")),
            ["accepted", "-", "-"],
        ),
        ("Succeeded", with(&format!("<Succeeded{nil}><PurchaseOrderNumber>PO-1</PurchaseOrderNumber>")), ["unclear", "-", "-"]),
        (
            "Succeeded, and a text all the same",
            with(r#"<Succeeded xsi:nil="1">true</Succeeded><PurchaseOrderNumber>PO-1</PurchaseOrderNumber>"#),
            ["unclear", "-", "-"],
        ),
        (
            "a nil that is none",
            with(r#"<Succeeded xsi:nil="false" nil="true">true</Succeeded><PurchaseOrderNumber>PO-1</PurchaseOrderNumber>"#),
            ["accepted", "-", "-"],
        ),
        ("the number", with(&format!("<Succeeded>true</Succeeded><PurchaseOrderNumber{nil}>")), ["-", "-", "-"]),
        ("a row", reply("OK", &format!("<TipaltiPurchaseOrderItemResult{nil}>{}", row("PO-2", "true"))), ["-", "accepted", "-"]),
    ] {
        let decoded = decode(&body);
        assert_eq!(words(&decoded), expected, "{what}");
        assert_eq!(rest(&decoded), "silent", "{what}");
    }
    let list = response(&format!("<errorCode>OK</errorCode><PurchaseOrderErrors{nil}>"));
    assert_eq!(whole(&decode(list)), "accepted", "a nil list is no list");
    let code = response(&format!("<errorMessage{nil}><errorCode{nil}>"));
    assert_eq!(whole(&decode(code)), "silent", "a nil code is no code");
}

#[test]
fn a_refusal_keeps_the_vendors_words_and_the_first_of_its_reasons() {
    let rows = row("PO-1", "false")
        + &row_of("<ErrorMessage>second</ErrorMessage><Succeeded>0</Succeeded><PurchaseOrderNumber>PO-1</PurchaseOrderNumber>");
    let silent =
        row_of("<ErrorMessage>  </ErrorMessage><Succeeded>false</Succeeded><PurchaseOrderNumber>PO-2</PurchaseOrderNumber>");
    let escaped = row_of(
        "<ErrorMessage>a &lt;b&gt; &amp; c</ErrorMessage><Succeeded>false</Succeeded><PurchaseOrderNumber>PO-3</PurchaseOrderNumber>",
    );
    let decoded = decode(reply("CodeOfTomorrow", &(rows + &silent + &escaped)));
    let faults: Vec<_> = decoded
        .verdicts
        .iter()
        .map(|(_, verdict)| match verdict {
            Verdict::Rejected(fault) => (fault.rule.as_ref(), fault.vendor_code.as_deref(), fault.vendor_message.as_deref()),
            other => panic!("{other:?}"),
        })
        .collect();
    let expected = |message| ("TIP-VENDOR", Some("CodeOfTomorrow"), message);
    assert_eq!(faults, [expected(Some("no PO-1")), expected(None), expected(Some("a <b> & c"))]);
}

#[test]
fn with_rows_the_code_of_the_call_decides_nothing() {
    let rows = row("PO-1", "true") + &row("PO-2", "false");
    for code in CODES.iter().map(|code| code.name).chain(["", "0", "CodeOfTomorrow"]) {
        let decoded = decode(reply(code, &rows));
        assert_eq!((words(&decoded), rest(&decoded)), (["accepted", "rejected", "-"], "silent"), "{code}");
    }
}

#[test]
fn a_row_that_nobody_asked_for_is_told() {
    let decoded = decode(reply("OK", &(row("PO-1", "true") + &row("PO-99", "true"))));
    assert_eq!(decoded.notes.len(), 1);
    assert!(decoded.notes[0].contains("PO-99"), "{:?}", decoded.notes);
}

#[test]
fn without_rows_the_code_of_the_call_speaks_for_all() {
    for code in CODES {
        let body = response(&format!("<errorMessage>why</errorMessage><errorCode>{}</errorCode>", code.name));
        let decoded = decode(&body);
        let fault = match (&decoded.rest, code.class) {
            (Rest::Accepted, Class::Ok) => continue,
            (Rest::Silent(_), Class::Doubt) => {
                let why = doubt(&decoded).unwrap();
                assert!(why.contains(code.name) && why.contains("why"), "{why}");
                continue;
            }
            (Rest::Stop(fault), Class::Stop) => fault,
            (Rest::Refused(fault), Class::Document) => fault,
            (Rest::BackOff(fault, None), Class::BackOff) => fault,
            (rest, class) => panic!("{}: {class:?} came out as {rest:?}", code.name),
        };
        assert_eq!(fault.vendor_code.as_deref(), Some(code.name));
        assert_eq!(fault.vendor_message.as_deref(), Some("why"));
        assert!(fault.message.contains(code.meaning), "{}", fault.message);
    }
}

#[test]
fn codes_have_the_classes_that_a_night_depends_on() {
    for (code, expected) in [
        ("OK", "accepted"),
        ("Ok", "accepted"),
        ("ok.", "accepted"),
        (" OK. ", "accepted"),
        ("EncryptionKeyFailedValidation", "stop"),
        ("PayerUnknown", "stop"),
        ("InvalidPayerIpAddress", "stop"),
        ("AuthorizationError", "stop"),
        ("ValidationError", "refused"),
        ("ParameterError", "refused"),
        ("RequestLimitReached", "back off"),
        ("UnknownError", "silent"),
        ("ItemAlreadyInProcess", "silent"),
        ("CodeOfTomorrow", "silent"),
        ("NotOK", "silent"),
        ("OK!", "silent"),
        ("0", "silent"),
        ("", "silent"),
        ("  ", "silent"),
    ] {
        for message in ["<errorMessage>OK</errorMessage>", ""] {
            let body = response(&format!("{message}<errorCode>{code}</errorCode>"));
            assert_eq!(whole(&decode(body)), expected, "{code:?}");
        }
    }
    assert_eq!(whole(&decode(response("<errorMessage>OK</errorMessage>"))), "silent", "no code at all");
    assert_eq!(whole(&decode(response(""))), "silent", "an empty result");
    assert_eq!(whole(&decode(reply("OK", ""))), "accepted", "an empty list is no list");
}

#[test]
fn a_code_that_nobody_knows_is_told_as_it_came() {
    let decoded = decode(response("<errorMessage>new</errorMessage><errorCode>CodeOfTomorrow</errorCode>"));
    let why = doubt(&decoded).unwrap();
    assert!(why.contains("CodeOfTomorrow") && why.contains("new"), "{why}");
}

#[test]
fn a_reply_that_contradicts_itself_accepts_nothing() {
    let number = "<PurchaseOrderNumber>PO-1</PurchaseOrderNumber>";
    let cases = [
        (
            "two verdicts in a row",
            reply("OK", &row_of(&format!("<Succeeded>false</Succeeded><Succeeded>true</Succeeded>{number}"))),
        ),
        (
            "a verdict and a nil one",
            reply("OK", &row_of(&format!("<Succeeded>true</Succeeded><Succeeded xsi:nil='true'/>{number}"))),
        ),
        (
            "two numbers in a row",
            reply("OK", &row_of(&format!("<Succeeded>true</Succeeded>{number}<PurchaseOrderNumber>PO-2</PurchaseOrderNumber>"))),
        ),
        ("two codes", response("<errorCode>ValidationError</errorCode><errorCode>OK</errorCode>")),
        (
            "two results",
            response(
                "<errorCode>ValidationError</errorCode></CreateOrUpdatePurchaseOrdersResult>\
                 <CreateOrUpdatePurchaseOrdersResult><errorCode>OK</errorCode>",
            ),
        ),
        (
            "a nil list that has rows",
            reply("OK", &row("PO-1", "false")).replace("<PurchaseOrderErrors>", "<PurchaseOrderErrors xsi:nil='1'>"),
        ),
        ("a result and a fault", response("<errorCode>OK</errorCode>").replace("</soap:Body>", "<soap:Fault/></soap:Body>")),
    ];
    let wrong: Vec<_> = cases.iter().filter(|(_, body)| accepts_something(&decode(body))).map(|(what, _)| what).collect();
    assert!(wrong.is_empty(), "accepted: {wrong:?}");
}

#[test]
fn text_of_an_element_within_is_not_text_of_the_element() {
    let with = |succeeded: &str, number: &str| {
        reply("OK", &row_of(&format!("<Succeeded>{succeeded}</Succeeded><PurchaseOrderNumber>{number}</PurchaseOrderNumber>")))
    };
    let cases = [
        ("a verdict within a verdict", with("<x>true</x>", "PO-1")),
        ("a refusal around a success", with("false<x>true</x>", "PO-1")),
        ("a number within a number", with("true", "<x>PO-1</x>")),
        ("another number around a number", with("true", "PO-9<x>PO-1</x>")),
        ("a code within a code", response("<errorCode><x>OK</x></errorCode>")),
        ("another code around a code", response("<errorCode>ValidationError<x>OK</x></errorCode>")),
    ];
    let wrong: Vec<_> = cases.iter().filter(|(_, body)| accepts_something(&decode(body))).map(|(what, _)| what).collect();
    assert!(wrong.is_empty(), "accepted: {wrong:?}");
}

#[test]
fn a_refusal_that_stands_in_a_strange_place_is_not_taken_for_silence() {
    let refusal = "<Succeeded>false</Succeeded><PurchaseOrderNumber>PO-1</PurchaseOrderNumber>";
    let row = format!("<TipaltiPurchaseOrderItemResult>{refusal}</TipaltiPurchaseOrderItemResult>");
    let rows =
        |content: &str| response(&format!("<errorCode>OK</errorCode><PurchaseOrderErrors>{content}</PurchaseOrderErrors>"));
    let cases = [
        ("a row without a namespace", rows(&row.replacen("Result>", "Result xmlns=\"\">", 1))),
        ("a row of another name", rows(&row.replace("ItemResult", "ItemOutcome"))),
        ("a row one level deeper", rows(&format!("<List>{row}</List>"))),
        ("a nil row that says something", rows(&row.replacen("Result>", "Result xsi:nil='true'>", 1))),
        ("words instead of rows", rows("PO-1 failed")),
        ("rows without a list", response(&format!("<errorCode>OK</errorCode>{row}"))),
        ("a list of another name", response(&format!("<errorCode>OK</errorCode><Errors>{row}</Errors>"))),
        ("a list without a namespace", rows(&row).replacen("PurchaseOrderErrors>", "PurchaseOrderErrors xmlns=\"\">", 1)),
    ];
    let wrong: Vec<_> = cases.iter().filter(|(_, body)| accepts_something(&decode(body))).map(|(what, _)| what).collect();
    assert!(wrong.is_empty(), "accepted: {wrong:?}");
    // What is only unknown does no harm.
    let harmless = response("<errorCode>OK</errorCode><newer>1</newer><PurchaseOrderErrors> </PurchaseOrderErrors>");
    assert_eq!(whole(&decode(harmless)), "accepted");
}

#[test]
fn a_result_in_the_wrong_place_is_no_result() {
    let lie = format!(
        "<CreateOrUpdatePurchaseOrdersResponse xmlns=\"{TIPALTI}\"><CreateOrUpdatePurchaseOrdersResult><errorCode>OK</errorCode>\
         <PurchaseOrderErrors>{}</PurchaseOrderErrors></CreateOrUpdatePurchaseOrdersResult></CreateOrUpdatePurchaseOrdersResponse>",
        row("PO-1", "true")
    );
    let escaped = lie.replace('&', "&amp;").replace('<', "&lt;");
    let refusal = |message: &str| {
        let members = format!(
            "<ErrorMessage>{message}</ErrorMessage><Succeeded>false</Succeeded><PurchaseOrderNumber>PO-1</PurchaseOrderNumber>"
        );
        reply("ValidationError", &row_of(&members))
    };
    for (what, body) in [
        ("as text of a message", refusal(&escaped)),
        ("as CDATA of a message", refusal(&format!("<![CDATA[{lie}]]>"))),
        ("as elements of a message", refusal(&lie)),
        ("as a row of a message", refusal(&row("PO-1", "true"))),
        ("in a comment", refusal(&format!("<!--{lie}-->"))),
        ("in an instruction", refusal(&format!("<?lie {lie}?>"))),
        ("in a header", refusal("no").replace("<soap:Body>", &format!("<soap:Header>{lie}</soap:Header><soap:Body>"))),
        (
            "in a body within a header",
            refusal("no").replace("<soap:Body>", &format!("<soap:Header><soap:Body>{lie}</soap:Body></soap:Header><soap:Body>")),
        ),
        ("after the body", refusal("no").replace("</soap:Body>", &format!("</soap:Body><x>{lie}</x>"))),
        ("within another element of the body", refusal("no").replace("<soap:Body>", &format!("<soap:Body><x>{lie}</x>"))),
        (
            "as rows outside of the list",
            refusal("no").replace("<PurchaseOrderErrors>", &format!("{}<PurchaseOrderErrors>", row("PO-1", "true"))),
        ),
    ] {
        assert_eq!(words(&decode(&body)), ["rejected", "-", "-"], "{what}: {body}");
    }
    let result = lie.replace(&format!("<CreateOrUpdatePurchaseOrdersResponse xmlns=\"{TIPALTI}\">"), "");
    let result =
        result.replace("</CreateOrUpdatePurchaseOrdersResponse>", "").replacen('>', &format!(" xmlns=\"{TIPALTI}\">"), 1);
    for (what, body) in [
        ("without its response", envelope(&result)),
        ("below its place", envelope(&format!("<x>{lie}</x>"))),
        ("without an envelope", lie.clone()),
        ("in a header only", envelope("").replace("<soap:Body>", &format!("<soap:Header>{lie}</soap:Header><soap:Body>"))),
        ("in the detail of a fault", fault("soap:Receiver", SOAP12).replace("<soap:Detail>", &format!("<soap:Detail>{lie}"))),
    ] {
        assert_eq!(whole(&decode(&body)), "silent", "{what}: {body}");
    }
}

/// A fault of the version that the namespace stands for.
fn fault(code: &str, namespace: &str) -> String {
    let content = if namespace == SOAP11 {
        format!("<faultcode>{code}</faultcode><faultstring>because</faultstring><detail />")
    } else {
        format!(
            "<soap:Code><soap:Value>{code}</soap:Value></soap:Code><soap:Reason><soap:Text xml:lang=\"en\">because</soap:Text></soap:Reason>\
             <soap:Detail></soap:Detail>"
        )
    };
    envelope(&format!("<soap:Fault>{content}</soap:Fault>")).replace(SOAP12, namespace)
}

#[test]
fn a_fault_of_the_sender_refuses_the_call_and_any_other_leaves_it_in_doubt() {
    for (code, namespace, expected) in [
        ("soap:Sender", SOAP12, "refused"),
        ("env:Sender", SOAP12, "refused"),
        ("Sender", SOAP12, "refused"),
        ("soap:Client", SOAP11, "refused"),
        ("soap:Client.Validation", SOAP11, "refused"),
        ("soap:Receiver", SOAP12, "silent"),
        ("soap:Server", SOAP11, "silent"),
        ("soap:Server.Client", SOAP11, "silent"),
        ("soap:VersionMismatch", SOAP11, "silent"),
        ("soap:MustUnderstand", SOAP12, "silent"),
        ("", SOAP12, "silent"),
    ] {
        for status in [400, 500, 200] {
            let decoded = decode_with(status, fault(code, namespace).as_bytes());
            assert_eq!(whole(&decoded), expected, "{code} with HTTP {status}");
            match &decoded.rest {
                Rest::Refused(fault) => {
                    assert_eq!(fault.vendor_message.as_deref(), Some("because"));
                    assert_eq!(fault.vendor_code.as_deref(), code.rsplit(':').next());
                }
                _ => assert!(doubt(&decoded).unwrap().contains("because"), "{decoded:?}"),
            }
        }
    }
}

#[test]
fn a_result_is_believed_only_when_the_status_is_a_success() {
    for status in 100..600 {
        let accepted = decode_with(status, all_accepted().as_bytes());
        let expected = match status {
            200..=299 => {
                assert_eq!(words(&accepted), ["accepted"; 3], "HTTP {status}");
                continue;
            }
            401 | 403 => "stop",
            429 => "back off",
            _ => "silent",
        };
        assert_eq!(whole(&accepted), expected, "HTTP {status}");
        let whole_call = decode_with(status, response("<errorCode>OK</errorCode>").as_bytes());
        assert_eq!(whole(&whole_call), expected, "HTTP {status}");
    }
}

#[test]
fn a_caller_who_is_refused_or_too_fast_is_told_so_whatever_the_body() {
    for body in ["", "<html>no</html>", &all_accepted(), &fault("soap:Sender", SOAP12)] {
        for (status, retry_after) in [(401, None), (403, None), (403, Some(7)), (429, None), (429, Some(0)), (429, Some(7))] {
            let retry_after = retry_after.map(Duration::from_secs);
            let response = WireResponse { status, headers: vec![], retry_after, body: body.as_bytes().to_vec() };
            let decoded = Tipalti::default().decode(&NUMBERS, &response);
            assert_eq!(decoded.verdicts, []);
            match decoded.rest {
                Rest::Stop(fault) => assert_eq!((fault.rule.as_ref(), status == 429), ("TIP-AUTH", false)),
                Rest::BackOff(fault, wait) => {
                    assert_eq!((fault.rule.as_ref(), status, wait), ("TIP-BUSY", 429, retry_after));
                }
                other => panic!("{other:?}"),
            }
        }
    }
}

#[test]
fn a_reply_that_is_cut_anywhere_says_nothing() {
    for good in [all_accepted(), all_rejected(), response("<errorCode>OK</errorCode>"), fault("soap:Sender", SOAP12)] {
        for cut in 0..good.len() {
            assert_eq!(whole(&decode(&good.as_bytes()[..cut])), "silent", "cut after {cut} bytes: {}", &good[..cut]);
        }
    }
}

#[test]
fn what_is_no_reply_says_nothing() {
    let good = all_accepted();
    let utf16: Vec<u8> = good.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut marked = vec![0xff, 0xfe];
    marked.extend_from_slice(&utf16);
    let mut no_utf8 = good.clone().into_bytes();
    no_utf8[good.find("PO-1").unwrap()] = 0xff;
    for (what, body) in [
        ("nothing", Vec::new()),
        ("blanks", b" \r\n\t".to_vec()),
        ("a page", b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body><p>Sign in<br></body></html>".to_vec()),
        ("a page that is XML", b"<html xmlns='http://www.w3.org/1999/xhtml'><body>Sign in</body></html>".to_vec()),
        ("JSON", br#"{"errorCode": "OK"}"#.to_vec()),
        ("text", b"OK".to_vec()),
        ("UTF-16", utf16),
        ("UTF-16 with its mark", marked),
        ("bytes that are no UTF-8", no_utf8),
        ("another encoding by its name", good.replace("utf-8", "iso-8859-1").into_bytes()),
        ("a NUL in a text", good.replace("PO-1", "PO-1\0").into_bytes()),
        ("a control character by reference", good.replace("PO-1", "PO-1&#1;").into_bytes()),
        ("an entity that nobody declared", good.replace("PO-1", "PO-1&nbsp;").into_bytes()),
        ("two replies", format!("{good}{}", all_accepted().split_once("?>").unwrap().1).into_bytes()),
        ("text behind it", format!("{good}OK").into_bytes()),
        ("text before it", format!("OK{}", good.split_once("?>").unwrap().1).into_bytes()),
        ("an end without a beginning", format!("{good}</soap:Envelope>").into_bytes()),
        (
            "ends in the wrong order",
            good.replace("</Succeeded><PurchaseOrderNumber>", "<PurchaseOrderNumber></Succeeded>").into_bytes(),
        ),
        ("an empty envelope", envelope("").into_bytes()),
    ] {
        assert_eq!(whole(&decode(&body)), "silent", "{what}");
    }
}

#[test]
fn a_document_type_is_refused_whatever_it_declares() {
    let with = |doctype: &str, text: &str| all_accepted().replace("?>", &format!("?>{doctype}")).replace("PO-1", text);
    let levels: String =
        (1..10).map(|level| format!("<!ENTITY e{level} \"{}\">", format!("&e{};", level - 1).repeat(10))).collect();
    for (what, body) in [
        ("an entity bomb", with(&format!("<!DOCTYPE a [<!ENTITY e0 \"PO-1\">{levels}]>"), "&e9;")),
        (
            "one long entity, often",
            with(&format!("<!DOCTYPE a [<!ENTITY e \"{}\">]>", "x".repeat(100_000)), &"&e;".repeat(100_000)),
        ),
        ("a file", with("<!DOCTYPE a [<!ENTITY e SYSTEM \"file:///etc/hostname\">]>", "&e;")),
        ("an address", with("<!DOCTYPE a SYSTEM \"http://127.0.0.1:1/a.dtd\">", "PO-1")),
        ("a parameter entity", with("<!DOCTYPE a [<!ENTITY % p SYSTEM \"file:///etc/hostname\"> %p;]>", "PO-1")),
        ("a declared number", with("<!DOCTYPE a [<!ENTITY e \"PO-1\">]>", "&e;")),
        ("nothing", with("<!DOCTYPE a>", "PO-1")),
    ] {
        assert_eq!(whole(&in_bounded_time(what, || decode(&body))), "silent", "{what}");
    }
}

/// Generous: what is meant is that nothing grows with the square of the reply.
fn in_bounded_time<T>(what: &str, act: impl FnOnce() -> T) -> T {
    let began = Instant::now();
    let result = act();
    assert!(began.elapsed() < Duration::from_secs(20), "{what} took {:?}", began.elapsed());
    result
}

#[test]
fn replies_that_are_large_in_a_strange_way_are_refused_in_bounded_time() {
    let good = all_accepted();
    let numbered = |count: usize, name: &str| {
        let mut text = String::new();
        for n in 0..count {
            write!(text, " {name}{n}=\"urn:{n}\"").unwrap();
        }
        text
    };
    let in_envelope = |attributes: &str| good.replacen("<soap:Envelope", &format!("<soap:Envelope{attributes}"), 1);
    for (what, body) in [
        ("a million deep", envelope(&("<a>".repeat(1_000_000) + &"</a>".repeat(1_000_000)))),
        ("a million deep, in a message", reply("OK", &row("PO-1", &("<a>".repeat(1_000_000) + &"</a>".repeat(1_000_000))))),
        ("80,000 attributes", in_envelope(&numbered(80_000, "a"))),
        ("80,000 attributes called nil", in_envelope(&" xsi:nil=\"true\"".repeat(80_000))),
        ("100,000 namespaces", in_envelope(&numbered(100_000, "xmlns:n"))),
        ("a tag that does not end", in_envelope(&" ".repeat(4 << 20)).replace('>', "")),
        ("a comment that does not end", good.replace("<soap:Body>", "<soap:Body><!--") + &" ".repeat(4 << 20)),
        ("a million openings", envelope(&"<".repeat(1 << 20))),
        ("a million ampersands", envelope(&"&".repeat(1 << 20))),
    ] {
        assert_eq!(whole(&in_bounded_time(what, || decode(&body))), "silent", "{what}");
    }
}

#[test]
fn replies_that_are_large_in_an_honest_way_are_read_in_bounded_time() {
    let good = all_accepted();
    let filler = |filler: &str| good.replace("<PurchaseOrderErrors>", &format!("{filler}<PurchaseOrderErrors>"));
    let message = |text: &str| good.replace("<errorMessage>OK<", &format!("<errorMessage>{text}<"));
    for (what, body) in [
        ("a long message", message(&"x".repeat(2 << 20))),
        ("many references", message(&"&amp;".repeat(256 << 10))),
        ("many comments", filler(&"<!-- -->".repeat(256 << 10))),
        ("many elements", filler(&"<a/>".repeat(256 << 10))),
        (
            "many rows for one order",
            filler("").replace("</PurchaseOrderErrors>", &(row("PO-1", "true").repeat(20_000) + "</PurchaseOrderErrors>")),
        ),
    ] {
        assert_eq!(words(&in_bounded_time(what, || decode(&body))), ["accepted"; 3], "{what}");
    }
}

#[test]
fn what_is_told_of_a_reply_does_not_grow_with_it() {
    let long = "x".repeat(1 << 20);
    let call =
        |code: &str, message: &str| response(&format!("<errorMessage>{message}</errorMessage><errorCode>{code}</errorCode>"));
    let reason = fault("soap:Sender", SOAP12).replace("because", &long);
    let cases = [
        ("a message that stops the target", call("AuthorizationError", &long)),
        ("a message that refuses the call", call("ValidationError", &long)),
        ("a message that asks for a pause", call("RequestLimitReached", &long)),
        ("a message of a code that nobody knows", call("CodeOfTomorrow", &long)),
        ("a code", call(&long, "no")),
        ("the reason of a fault", reason.clone()),
        ("the reason of a server's fault", reason.replace("soap:Sender", "soap:Receiver")),
        ("the code of a fault", fault(&format!("soap:{long}"), SOAP12)),
        ("a name that is not closed", envelope(&format!("<{long}></b>"))),
        ("a name that is not opened", envelope(&format!("</{long}>"))),
        ("an entity that nobody declared", envelope(&format!("&{long};"))),
        ("the message of a row", reply("OK", &row("PO-1", "false").replace("no PO-1", &long))),
        ("the code beside a row", reply(&long, &row("PO-1", "false"))),
        ("the number of a row", reply("OK", &row(&long, "false"))),
        ("rows that nobody asked for", reply("OK", &(0..10_000).map(|n| row(&format!("X-{n}"), "true")).collect::<String>())),
    ];
    // A call may carry 250 orders, and each of them is told what the reply says.
    let told = cases.iter().map(|(what, body)| (what, format!("{:?}", decode(body)).len()));
    let too_long: Vec<_> = told.filter(|(_, bytes)| *bytes > 100_000).collect();
    assert!(too_long.is_empty(), "bytes told: {too_long:?}");
}

/// A row as it may come, with the place of the order that it is for; none is for an order that was not sent.
#[derive(Debug, Clone)]
struct AnyRow {
    place: Option<usize>,
    succeeded: Option<bool>,
    nth: usize,
    blanks: bool,
    number_first: bool,
}

impl AnyRow {
    fn write(&self) -> String {
        let number = self.place.map_or("po-1", |place| NUMBERS[place]);
        let number = if self.blanks { format!("\n {number} ") } else { number.to_owned() };
        let number = format!("<PurchaseOrderNumber>{number}</PurchaseOrderNumber>");
        let message = format!("<ErrorMessage>reason {}</ErrorMessage>", self.nth);
        let succeeded = match (self.succeeded, self.nth % 2) {
            (Some(true), 0) => "<Succeeded>true</Succeeded>",
            (Some(true), _) => "<Succeeded>1</Succeeded>",
            (Some(false), 0) => "<Succeeded>false</Succeeded>",
            (Some(false), _) => "<Succeeded>0</Succeeded>",
            (None, 0) => "",
            (None, _) => "<Succeeded>TRUE</Succeeded>",
        };
        row_of(&if self.number_first { number + succeeded + &message } else { message + succeeded + &number })
    }
}

fn any_rows() -> impl Strategy<Value = Vec<AnyRow>> {
    let row = (prop::option::weighted(0.85, 0..NUMBERS.len()), prop::option::weighted(0.9, any::<bool>()), any::<(bool, bool)>());
    prop::collection::vec(row, 0..8).prop_map(|rows| {
        let numbered = rows.into_iter().enumerate();
        numbered
            .map(|(nth, (place, succeeded, (blanks, number_first)))| AnyRow { place, succeeded, nth, blanks, number_first })
            .collect()
    })
}

/// What rows say of an order, by another way than the decoder's: as a set of opinions.
fn expected_word(rows: &[AnyRow], place: usize) -> &'static str {
    let opinions: BTreeSet<Option<bool>> = rows.iter().filter(|row| row.place == Some(place)).map(|row| row.succeeded).collect();
    match opinions.into_iter().collect::<Vec<_>>().as_slice() {
        [] => "-",
        [Some(true)] => "accepted",
        [Some(false)] => "rejected",
        _ => "unclear",
    }
}

/// Something that happens to bytes on their way.
#[derive(Debug, Clone)]
enum Damage {
    Flip(prop::sample::Index, u8),
    Drop(prop::sample::Index, usize),
    Repeat(prop::sample::Index, usize),
    Cut(prop::sample::Index),
}

fn any_damage() -> impl Strategy<Value = Damage> {
    let index = || any::<prop::sample::Index>();
    prop_oneof![
        4 => (index(), 1..=u8::MAX).prop_map(|(at, mask)| Damage::Flip(at, mask)),
        2 => (index(), 1..400_usize).prop_map(|(at, length)| Damage::Drop(at, length)),
        2 => (index(), 1..400_usize).prop_map(|(at, length)| Damage::Repeat(at, length)),
        1 => index().prop_map(Damage::Cut),
    ]
}

fn damaged(mut bytes: Vec<u8>, damages: &[Damage]) -> Vec<u8> {
    for damage in damages {
        if bytes.is_empty() {
            break;
        }
        let to = |from: usize, length: usize| (from + length).min(bytes.len());
        match damage {
            Damage::Flip(at, mask) => {
                let at = at.index(bytes.len());
                bytes[at] ^= mask;
            }
            Damage::Drop(at, length) => {
                let at = at.index(bytes.len());
                bytes.drain(at..to(at, *length));
            }
            Damage::Repeat(at, length) => {
                let at = at.index(bytes.len());
                let piece = bytes[at..to(at, *length)].to_vec();
                bytes.splice(at..at, piece);
            }
            Damage::Cut(at) => bytes.truncate(at.index(bytes.len())),
        }
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn verdicts_are_those_of_the_model(rows in any_rows(), code in prop::sample::select(vec!["OK", "ValidationError", "UnknownError", "AuthorizationError", "Nonsense"])) {
        let body = reply(code, &rows.iter().map(AnyRow::write).collect::<String>());
        let decoded = decode(&body);
        prop_assert_eq!(words(&decoded), [0, 1, 2].map(|place| expected_word(&rows, place)));
        prop_assert_eq!(decoded.notes.len(), rows.iter().filter(|row| row.place.is_none()).count());
        if !rows.is_empty() {
            prop_assert_eq!(rest(&decoded), "silent");
        }
        for (place, verdict) in &decoded.verdicts {
            if let Verdict::Rejected(fault) = verdict {
                let first = rows.iter().find(|row| row.place == Some(*place)).unwrap();
                let reason = format!("reason {}", first.nth);
                prop_assert_eq!(fault.vendor_message.as_deref(), Some(reason.as_str()));
            }
        }
    }

    #[test]
    fn no_damage_turns_a_refusal_into_an_acceptance(damages in prop::collection::vec(any_damage(), 1..6)) {
        let body = damaged(all_rejected().into_bytes(), &damages);
        prop_assert!(!accepts_something(&decode(&body)), "{}", String::from_utf8_lossy(&body));
    }

    #[test]
    fn no_bytes_upset_the_decoder(status in any::<u16>(), body in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(!accepts_something(&decode_with(status, &body)));
    }
}
