//! Calls against the reader, the rules and the answers, without a socket.

use std::time::SystemTime;

use super::super::fault::{Fault, Party};
use super::super::ledger::LedgerSnapshot;
use super::xml::MOST_TEXT;
use super::*;

const LINE: &str = "<Item>I-1</Item><Quantity>2</Quantity><Rate>1.5</Rate><Amount>3.0000</Amount>\
    <PoLineId>1</PoLineId><LineType>Item</LineType><BilledQuantity>0</BilledQuantity>\
    <BilledAmount>0</BilledAmount><AccountExternalID>a</AccountExternalID>\
    <ItemExternalID>i</ItemExternalID><IsClosed>false</IsClosed>";

/// A call of these orders, rightly signed; each order is the text within its element.
pub(in super::super) fn envelope(payer_name: &str, master_key: &str, orders: &[String]) -> String {
    use hmac::{Hmac, KeyInit, Mac};
    let timestamp = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs().to_string();
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(master_key.as_bytes()).unwrap();
    mac.update(format!("{payer_name}{timestamp}").as_bytes());
    let key: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let orders: String =
        orders.iter().map(|order| format!("<TipaltiPurchaseOrderItem>{order}</TipaltiPurchaseOrderItem>")).collect();
    format!(
        r#"<?xml version="1.0" encoding="utf-8"?><soap12:Envelope xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:soap12="http://www.w3.org/2003/05/soap-envelope"><soap12:Body><CreateOrUpdatePurchaseOrders xmlns="http://Tipalti.org/"><payerName>{payer_name}</payerName><timestamp>{timestamp}</timestamp><key>{key}</key><purchaseOrders>{orders}</purchaseOrders></CreateOrUpdatePurchaseOrders></soap12:Body></soap12:Envelope>"#
    )
}

pub(in super::super) fn order(number: &str) -> String {
    order_with(number, &format!("<PurchaseOrderLine>{LINE}</PurchaseOrderLine>"))
}

fn order_with(number: &str, lines: &str) -> String {
    format!(
        "<Idap>payee-1</Idap><PurchaseOrderNumber>{number}</PurchaseOrderNumber><Status>Active</Status>\
         <Memo>Memo &amp; more</Memo><PurchaseOrderDate>2026-01-31T00:00:00</PurchaseOrderDate>\
         <Currency>EUR</Currency><PurchaseOrderLines>{lines}</PurchaseOrderLines>"
    )
}

fn tipalti(faults: &[&str]) -> Tipalti {
    let faults: Vec<Fault> = faults.iter().map(|fault| fault.parse().unwrap()).collect();
    let account = Account { payer_name: "Payer".to_owned(), master_key: "master-key".to_owned(), timestamp_window_s: 300 };
    let known = Some(std::collections::BTreeSet::from(["payee-1".to_owned()]));
    Tipalti::new(account, Script::new(&faults, Party::Tipalti), Arc::new(Ledger::new(known)))
}

fn call_of(orders: &[String]) -> String {
    envelope("Payer", "master-key", orders)
}

/// The answer to a call, as `code|number=verdict:problem|…`.
fn answer(tipalti: &Tipalti, body: &str) -> Result<String, Refusal> {
    let (plan, outcome) = tipalti.judge(body.as_bytes(), &Connection::detached());
    let mut outcome = outcome?;
    ending::distort(&mut outcome, &plan);
    let rows = outcome.rows.map_or("no rows".to_owned(), |rows| {
        let row = |row: &reply::Row| {
            let problem = row.problem.as_deref().unwrap_or_default();
            format!("{}={:?}:{problem}", row.number.as_deref().unwrap_or_default(), row.succeeded)
        };
        rows.iter().map(row).collect::<Vec<_>>().join("|")
    });
    Ok(format!("{}|{rows}", outcome.code))
}

fn orders_in(tipalti: &Tipalti) -> LedgerSnapshot {
    tipalti.ledger.snapshot()
}

/// The problem of the only order in a call.
fn problem(order: String) -> String {
    let all = answer(&tipalti(&[]), &call_of(&[order])).unwrap();
    all.split_once(':').unwrap().1.to_owned()
}

fn refusal(body: &str) -> String {
    match answer(&tipalti(&[]), body).unwrap_err() {
        Refusal::Sender(why) => why,
        other => format!("{other:?}"),
    }
}

#[test]
fn good_orders_are_taken_and_listed_in_their_order() {
    let tipalti = tipalti(&[]);
    let body = call_of(&[order("PO-2"), order("PO-1")]);
    assert_eq!(answer(&tipalti, &body).unwrap(), "OK|PO-2=True:|PO-1=True:");
    answer(&tipalti, &body).unwrap();
    let ledger = orders_in(&tipalti);
    assert_eq!((ledger.orders["PO-1"].versions, ledger.orders["PO-1"].writes), (1, 2));
    assert_eq!(ledger.orders["PO-1"].lines, 1);
    assert!(ledger.payees_created.is_empty());
}

#[test]
fn spelling_makes_no_new_version_and_content_does() {
    let tipalti = tipalti(&[]);
    let first = order("PO-1");
    let spelt = first.replace("3.0000", "+3.0").replace("ExternalID>", "ExternalId>").replace("false", "0");
    let changed = first.replace("3.0000", "30000");
    let header = first.replace(
        "<PurchaseOrderLines>",
        "<CustomFields><KeyValuePair><Key>k</Key></KeyValuePair></CustomFields><PurchaseOrderLines>",
    );
    let in_line = first.replace("<PoLineId>", "<CustomFields><KeyValuePair><Key>k</Key></KeyValuePair></CustomFields><PoLineId>");
    for (order, versions) in [(&first, 1), (&spelt, 1), (&changed, 2), (&header, 3), (&in_line, 4), (&in_line, 4)] {
        answer(&tipalti, &call_of(std::slice::from_ref(order))).unwrap();
        assert_eq!(orders_in(&tipalti).orders["PO-1"].versions, versions);
    }
}

#[test]
fn a_row_names_every_problem_of_its_order_and_spares_the_others() {
    let tipalti = tipalti(&[]);
    let bad = order("PO-2").replace("<Memo>Memo &amp; more</Memo>", "").replace(">1.5<", ">1.50000<");
    let all = answer(&tipalti, &call_of(&[order("PO-1"), bad, order("PO-1")])).unwrap();
    let expected = "ValidationError|PO-1=True:|PO-2=False:Line 1: Rate has more than four decimal places; \
        Memo is mandatory|PO-1=False:PurchaseOrderNumber is twice in this call";
    assert_eq!(all, expected);
    assert_eq!(orders_in(&tipalti).orders.keys().collect::<Vec<_>>(), ["PO-1"]);
}

#[test]
fn the_rules_of_the_documentation_hold() {
    let good = order("PO-1");
    let line = |from: &str, to: &str| problem(good.replace(from, to));
    assert!(line("<IsClosed>false</IsClosed>", "").starts_with("Line 1: IsClosed is mandatory"));
    assert!(line("<Item>I-1</Item>", "<Item> </Item>").contains("Item is mandatory"));
    assert!(line("<PurchaseOrderDate>2026-01-31T00:00:00</PurchaseOrderDate>", "").contains("Date is mandatory"));
    assert!(line("T00:00:00<", "T00:00:00Z<").contains("PurchaseOrderDate: must be"));
    assert!(line(">EUR<", ">EUX<").contains("UnknownCurrencyCode"));
    assert!(line(">payee-1<", ">payee 1<").contains("IdapContainsSpaces"));
    assert!(line(">payee-1<", ">payee/1<").contains("IdapContainsIllegalCharacters"));
    assert!(line(">payee-1<", &format!(">{}<", "p".repeat(65))).contains("IdapMaxLengthExceeded"));
    assert!(line(">PO-1<", "><").contains("PurchaseOrderNumber is mandatory"));
    assert!(problem(order_with("PO-1", "")).contains("at least one line"));
    let lines = format!("<PurchaseOrderLine>{LINE}</PurchaseOrderLine>").repeat(2);
    assert_eq!(problem(order_with("PO-1", &lines)), "Line 2: PoLineId '1' is used twice");
    assert_eq!(line("<Idap>payee-1</Idap>", ""), "");
    assert_eq!(line("<Status>Active</Status>", ""), "");
    assert_eq!(line("<Quantity>2<", "<Quantity xsi:nil=\"false\">2<"), "");
    assert!(line("<Quantity>2</Quantity>", "<Quantity xsi:nil='1'/>").contains("Quantity is mandatory"));
    let many = order_with("PO-1", &"<PurchaseOrderLine/>".repeat(10));
    assert!(problem(many).ends_with("; and 80 more problems"));
}

#[test]
fn who_calls_is_checked_before_what_is_said() {
    let good = call_of(&[order("PO-1")]);
    let answer_to = |body: &str| answer(&tipalti(&[]), body).unwrap();
    assert_eq!(answer_to(&good.replace(">Payer<", ">payer<")), "PayerUnknown|no rows");
    let key_at = good.find("<key>").unwrap() + 5;
    let key = &good[key_at..key_at + 64];
    let refused = "EncryptionKeyFailedValidation|no rows";
    for bad in [key.to_uppercase(), key[..62].to_owned(), "DRY-RUN".to_owned(), String::new(), "0".repeat(64)] {
        assert_eq!(answer_to(&good.replace(key, &bad)), refused, "{bad}");
    }
    assert_eq!(answer_to(&good.replace("</timestamp>", ".0</timestamp>")), refused);
    let stale = good.replace("<timestamp>", "<timestamp>1");
    assert_eq!(answer_to(&stale), refused);
    assert_eq!(answer_to(&call_of(&[])), "ParameterError|no rows");
    let many: Vec<String> = (0..251).map(|index| order(&format!("PO-{index}"))).collect();
    assert_eq!(answer_to(&call_of(&many)), "ParameterError|no rows");
    assert!(answer_to(&call_of(&many[..250])).starts_with("OK|"));
}

#[test]
fn what_the_schema_does_not_know_sinks_the_call() {
    let good = call_of(&[order("PO-1")]);
    let refused = |from: &str, to: &str| refusal(&good.replace(from, to));
    assert!(refused("<Idap>", "<Vendor>x</Vendor><Idap>").contains("'Vendor' is not known"));
    assert!(refused("</Memo>", "</Memo><Idap>x</Idap>").contains("'Idap' is out of order"));
    assert!(refused("<Idap>payee-1</Idap>", "<Idap>a</Idap><Idap>b</Idap>").contains("'Idap' is there twice"));
    assert!(refused("<Idap>", "<Idap xmlns=''>").contains("'Idap' is in the wrong namespace"));
    assert!(refused("<Idap>", "<Idap kind='x'>").contains("Attribute 'kind'"));
    assert!(refused("<Idap>", "text<Idap>").contains("Text is not allowed"));
    assert!(refused("payee-1</Idap>", "<b/></Idap>").contains("'b' stands where text"));
    assert!(refused("</purchaseOrders>", "</purchaseOrders><more/>").contains("'more' is not known"));
    assert!(refused("</soap12:Body>", "<x/></soap12:Body>").contains("'x' stands where the end of 'Body'"));
    assert!(refused("CreateOrUpdatePurchaseOrders", "CreateOrUpdateInvoices").contains("did not recognize"));
    assert!(refused("PurchaseOrderLine>", "Line>").contains("'Line' stands where 'PurchaseOrderLine'"));
    for (element, value) in [
        ("Status", "Open"),
        ("Status", ""),
        ("LineType", "item"),
        ("LineType", ""),
        ("IsClosed", ""),
        ("IsClosed", "False"),
        ("Rate", "1,5"),
        ("Rate", ""),
        ("Rate", "1e3"),
        ("PurchaseOrderDate", "2026-01-31"),
        ("PurchaseOrderDate", ""),
        ("timestamp", "now"),
    ] {
        let start = good.find(&format!("<{element}>")).unwrap() + element.len() + 2;
        let end = start + good[start..].find('<').unwrap();
        let why = refusal(&format!("{}{value}{}", &good[..start], &good[end..]));
        assert!(why.contains(&format!("Element '{element}': '{value}' is not a valid value.")), "{why}");
    }
    assert!(refused("<IsClosed>false<", "<IsClosed xsi:nil='true'><").contains("'IsClosed' cannot be nil"));
    assert!(refused("<Rate>", "<Rate xsi:nil='true'>").contains("'Rate' cannot be nil"));
    assert!(refused("<BilledQuantity>", "<Order/><BilledQuantity>").contains("'Order' is not known"));
    let approver = "<Approvers><TipaltiInvoiceApprover><Order>first</Order></TipaltiInvoiceApprover></Approvers>";
    assert!(refused("<PurchaseOrderLines>", &format!("{approver}<PurchaseOrderLines>")).contains("'Order': 'first'"));
}

#[test]
fn what_is_no_proper_xml_sinks_the_call() {
    let good = call_of(&[order("PO-1")]);
    let refused = |from: &str, to: &str| refusal(&good.replacen(from, to, 1));
    assert!(refused("?>", "?><!DOCTYPE x [<!ENTITY a 'b'>]>").contains("DTD is prohibited"));
    assert!(refused("Memo &amp;", "Memo &a;").contains("undeclared entity 'a'"));
    assert!(refused("Memo &amp;", "Memo &#1;").contains("undeclared entity '#1'"));
    assert!(refused("Memo &amp;", "Memo \u{1}").contains("invalid character"));
    assert!(refused("Memo &amp;", "Memo &").contains("(1, "));
    assert!(refused("</Memo>", "</memo>").contains("error in XML document"));
    assert!(refused("utf-8", "utf-16").contains("not UTF-8"));
    assert!(refused("<soap12:Envelope", " <?xml version='1.0'?><soap12:Envelope").contains("XML declaration"));
    assert!(refused("<Idap>", "<no:Idap>").contains("undeclared prefix"));
    assert!(refusal(&format!("{good}<more/>")).contains("after the root element"));
    assert!(refusal(&good[..good.len() - 1]).contains("error in XML document"));
    assert!(refusal("").contains("Unexpected end of file"));
    let (plan, verdict) = tipalti(&[]).judge(b"<a>\xff</a>", &Connection::detached());
    assert!(plan.ending.is_none());
    assert!(matches!(verdict, Err(Refusal::Sender(why)) if why.contains("Invalid UTF-8")));
    assert_eq!(answer(&tipalti(&[]), &format!("\u{feff}{good}<!-- end -->\n")).unwrap(), "OK|PO-1=True:");
}

#[test]
fn envelopes_of_other_kinds_are_told_apart() {
    let good = call_of(&[order("PO-1")]);
    let soap11 = good.replace("http://www.w3.org/2003/05/soap-envelope", "http://schemas.xmlsoap.org/soap/envelope/");
    assert_eq!(answer(&tipalti(&[]), &soap11), Err(Refusal::VersionMismatch));
    assert!(refusal("<html/>").contains("'html' stands where the SOAP Envelope"));
    let header = |block: &str| good.replace("<soap12:Body>", &format!("<soap12:Header>{block}</soap12:Header><soap12:Body>"));
    assert!(answer(&tipalti(&[]), &header("<a xmlns='urn:a' b='c'><d>e</d></a>")).is_ok());
    let must = header("<a xmlns='urn:a' soap12:mustUnderstand='1'/>");
    assert_eq!(answer(&tipalti(&[]), &must), Err(Refusal::MustUnderstand("a".to_owned())));
    assert!(refusal(&header(&"<a>".repeat(100_000))).contains("nested too deeply"));
}

#[test]
fn text_is_read_as_xml_means_it() {
    let number = "<PurchaseOrderNumber>P<!-- c -->O&#45;<![CDATA[<1>]]>\r\n&quot;</PurchaseOrderNumber>";
    let tipalti = tipalti(&[]);
    let body = call_of(&[order("PO-1").replace("<PurchaseOrderNumber>PO-1</PurchaseOrderNumber>", number)]);
    assert_eq!(answer(&tipalti, &body).unwrap(), "OK|PO-<1>\n\"=True:");
}

#[test]
fn rows_go_astray_as_they_are_told_to() {
    let body = call_of(&[order("PO-1"), order("PO-2"), order("PO-3")]);
    for (fault, expected) in [
        ("drop-rows", "OK|PO-1=True:|PO-2=True:"),
        ("drop-rows:number=PO-1", "OK|PO-2=True:|PO-3=True:"),
        ("lost-row:number=PO-1", "OK|PO-2=True:|PO-3=True:"),
        ("no-rows", "OK|no rows"),
        ("drop-rows:number=PO-9", "OK|PO-1=True:|PO-2=True:|PO-3=True:"),
        ("reorder-rows", "OK|PO-3=True:|PO-2=True:|PO-1=True:"),
        ("unknown-row", "OK|PO-1=True:|PO-2=True:|PO-3=True:|SANDBOX-NOT-SENT=True:"),
        ("double-rows:number=PO-2", "OK|PO-1=True:|PO-2=True:|PO-2=True:|PO-3=True:"),
        ("succeeded-missing:number=PO-2", "OK|PO-1=True:|PO-2=Missing:|PO-3=True:"),
        ("wrong-types:number=PO-2", "OK|PO-1=True:|PO-2=Nonsense:|PO-3=True:"),
        ("contradict-rows:number=PO-2", "OK|PO-1=True:|PO-2=True:|PO-2=False:The order could not be saved.|PO-3=True:"),
        ("reject:number=PO-2", "ValidationError|PO-1=True:|PO-2=False:Rejected, as the sandbox was told to|PO-3=True:"),
    ] {
        assert_eq!(answer(&tipalti(&[fault]), &body).unwrap(), expected);
    }
}

#[test]
fn a_fault_applies_as_much_as_it_says() {
    let body = call_of(&[order("PO-1"), order("PO-2"), order("PO-3")]);
    for (fault, taken) in [
        ("truncated", 3),
        ("timeout", 3),
        ("timeout-unapplied", 0),
        ("http-500-html", 0),
        ("call-error", 0),
        ("http-503:applied=yes", 3),
        ("reset-after:applied=half", 2),
        ("reject:number=PO-2", 2),
        ("lost-row", 2),
        ("drop-rows", 3),
        ("html-200", 0),
        ("gzip", 3),
    ] {
        let tipalti = tipalti(&[fault]);
        answer(&tipalti, &body).unwrap();
        assert_eq!(orders_in(&tipalti).orders.len(), taken, "{fault}");
    }
}

#[test]
fn no_byte_out_of_place_is_fatal() {
    let good = call_of(&[order("PO-1")]);
    let (service, connection) = (tipalti(&[]), Connection::detached());
    for place in 0..good.len() {
        let _ = service.judge(&good.as_bytes()[..place], &connection);
        for byte in [b'<', b'>', b'&', b'/', b'"', b' ', 0, 0xff] {
            let mut bad = good.clone().into_bytes();
            bad[place] = byte;
            let _ = service.judge(&bad, &connection);
        }
    }
    let long = good.replace("Memo &amp;", &"m".repeat(MOST_TEXT + 1));
    assert!(refusal(&long).contains("too long"));
}
