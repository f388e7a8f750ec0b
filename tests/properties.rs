//! What holds for every document: nothing lost, nothing rounded, both readers agree.

use payables_bridge::adapter::{Context, Findings, Fragment, Payees, Submit};
use payables_bridge::bridge::Translator;
use payables_bridge::intake::Input;
use payables_bridge::model::{Document, decimal, read};
use payables_bridge::outcome::Outcome;
use payables_bridge::vendors::tipalti::Tipalti;
use proptest::prelude::*;
use rust_decimal::Decimal;

use crate::support::{order, order_with};

/// What documents are judged against where only they matter.
const ANYTIME: Context<'static> = Context { payees: &Payees::Any, unix_seconds: 1_767_225_600 };

fn encode(text: &str) -> (Fragment, Findings) {
    let document = read(text).unwrap();
    let (mut fragment, mut findings) = (Fragment::default(), Findings::default());
    Tipalti::default().encode(&document, &ANYTIME, &mut fragment, &mut findings);
    (fragment, findings)
}

fn element<'x>(xml: &'x str, name: &str) -> &'x str {
    xml.split(&format!("<{name}>")).nth(1).and_then(|rest| rest.split(&format!("</{name}>")).next()).unwrap()
}

fn line(quantity: &str, price: &str) -> String {
    format!(
        r#"{{"kind":"purchase_order","number":"PO-1","issue_date":"2026-03-02","currency":"EUR","note":"x","lines":[{{"id":"1","item":{{"buyers_id":"P","external_id":"5"}},"quantity":{quantity},"price":{price},"account":{{"external_id":"6"}}}}]}}"#
    )
}

proptest! {
    /// A price is either on the wire with its exact value, or the order is refused.
    #[test]
    fn no_number_is_rounded_in_silence(mantissa in -10_i128.pow(20)..10_i128.pow(20), scale in 0_u32..12, quoted: bool) {
        let price = Decimal::from_i128_with_scale(mantissa, scale);
        let text = if quoted { format!("\"{price}\"") } else { price.to_string() };
        let (fragment, findings) = encode(&line("1", &text));
        if findings.has_errors() {
            prop_assert!(price.normalize().scale() > 4);
        } else {
            let wire = String::from_utf8(fragment.bytes).unwrap();
            let rate = element(&wire, "Rate");
            prop_assert_eq!(decimal::parse(rate).unwrap(), price);
            prop_assert!(!rate.contains(['e', 'E', '+']));
            prop_assert!(rate.split('.').nth(1).is_none_or(|places| places.len() <= 4));
        }
    }

    /// Rate × Quantity is exact, or rounded with a warning.
    #[test]
    fn a_derived_amount_is_exact_or_told(price in 0_i64..10_i64.pow(12), quantity in 0_i64..10_i64.pow(9), p in 0_u32..5, q in 0_u32..5) {
        let (price, quantity) = (Decimal::new(price, p), Decimal::new(quantity, q));
        let (fragment, findings) = encode(&line(&format!("\"{quantity}\""), &format!("\"{price}\"")));
        let wire = String::from_utf8(fragment.bytes).unwrap();
        let amount = decimal::parse(element(&wire, "Amount")).unwrap();
        let warned = findings.faults.iter().any(|fault| fault.rule == "TIP-ROUNDED");
        prop_assert_eq!(amount == price * quantity, !warned);
        prop_assert!((amount - price * quantity).abs() <= Decimal::new(5, 5));
    }

    /// Any text at all: on the wire as it was, or refused; never a broken document.
    #[test]
    fn any_text_arrives_or_is_refused(note in any::<String>()) {
        let escaped = serde_json::to_string(&note).unwrap();
        let (fragment, findings) = encode(&format!(r#"{{"kind":"purchase_order","number":"1","note":{escaped},"lines":[]}}"#));
        if !findings.has_errors() {
            let wire = String::from_utf8(fragment.bytes).unwrap();
            prop_assert!(!wire.contains(['\n', '\r']));
            let mut reader = quick_xml::Reader::from_str(&wire);
            while !matches!(reader.read_event().unwrap(), quick_xml::events::Event::Eof) {}
        }
    }

    /// The digest is that of the values: other spellings of the same numbers do not change it, other numbers do.
    #[test]
    fn the_digest_goes_by_value(price in 1_i64..10_i64.pow(9), scale in 0_u32..3, zeros in 0_u32..2) {
        let price = Decimal::new(price, scale);
        let mut longer = price;
        longer.rescale(scale + zeros);
        let digest = |price: Decimal| encode(&line("2", &format!("\"{price}\""))).0.digest();
        prop_assert_eq!(digest(price), digest(longer));
        prop_assert_ne!(digest(price), digest(price + Decimal::new(1, 4)));
    }

    /// Every document in comes out exactly once, whatever stands between the good ones.
    #[test]
    fn every_document_comes_out_once(kinds in proptest::collection::vec(0_u8..4, 1..30)) {
        let lines: Vec<String> = kinds.iter().enumerate().map(|(at, kind)| match kind {
            0 => order(&format!("PO-{at}")),
            1 => order_with(&format!("PO-{at}"), "\"notte\":\"x\","),
            2 => "{\"kind\":\"purchase_order\",".to_owned(),
            _ => format!("[{at}]"),
        }).collect();
        // A list at the beginning would be read as a list of documents.
        let text = format!("{}\n{}\n", order("first"), lines.join("\n"));
        let (mut wire, mut outcomes) = (Vec::new(), Vec::new());
        let target = Tipalti::default();
        Translator::new(&target, &Payees::Any, 0).translate([Input::new("x", text.as_bytes())], &mut wire, &mut |item| outcomes.push(item.outcome)).unwrap();
        prop_assert_eq!(outcomes.len(), kinds.len() + 1);
        let good = kinds.iter().filter(|kind| **kind == 0).count() + 1;
        prop_assert_eq!(outcomes.iter().filter(|outcome| **outcome == Outcome::Planned).count(), good);
        prop_assert_eq!(String::from_utf8(wire).unwrap().matches("<PurchaseOrderNumber>").count(), good);
    }

    /// Garbage makes faults, never a panic, and what can be read is written back the same.
    #[test]
    fn garbage_is_refused_and_the_rest_survives(mut text in Just(order("PO-1").into_bytes()), at in any::<proptest::sample::Index>(), byte: u8) {
        let place = at.index(text.len());
        text[place] = byte;
        if let Ok(text) = std::str::from_utf8(&text)
            && let Ok(document) = read(text)
        {
            let written = serde_json::to_string(&document).unwrap();
            prop_assert_eq!(read(&written).unwrap(), document);
        }
    }
}

#[test]
fn the_two_readers_make_the_same_of_the_same() {
    // A null where an object is expected is refused by the fast reader and taken by the thorough one.
    let text = order("PO-1");
    let slow = text.replacen("{\"id\"", "{\"tax\":null,\"closed\":\"\",\"id\"", 1);
    assert_ne!(text, slow);
    let (Ok(Document::PurchaseOrder(fast)), Ok(Document::PurchaseOrder(slow))) = (read(&text), read(&slow)) else {
        panic!("not read")
    };
    assert_eq!(fast, slow);
}
