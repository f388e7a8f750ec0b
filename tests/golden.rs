//! Wire documents, read by eye against the documentation page and kept.

use payables_bridge::adapter::{Payees, Stamp, Submit};
use payables_bridge::bridge::Translator;
use payables_bridge::intake::Input;
use payables_bridge::vendors::tipalti::{Spelling, Tipalti, sign};
use payables_bridge::wire::Secret;

use crate::support::order;

/// Everything that an order can say.
const FULL: &str = include_str!("golden/full-order.json");
/// What an order must say, and no more.
const SMALL: &str = include_str!("golden/small-order.json");
/// Text that asks for trouble.
const TEXTS: &str = include_str!("golden/texts.json");

fn target() -> Tipalti {
    Tipalti { payer_name: "Acme & Söhne".into(), payer_entity: "Acme GmbH".into(), ..Tipalti::default() }
}

fn translate(target: &Tipalti, orders: &str, pretty: bool) -> String {
    let mut bodies = Vec::new();
    let mut faults = Vec::new();
    Translator::new(target, &Payees::Any, 1_767_225_600)
        .pretty(pretty)
        .translate([Input::new("orders.json", orders.as_bytes())], &mut bodies, &mut |item| faults.extend(item.faults))
        .unwrap();
    assert!(faults.iter().all(|fault| !fault.is_error()), "{faults:#?}");
    String::from_utf8(bodies).unwrap()
}

#[test]
fn every_element_in_the_order_of_the_page() {
    insta::assert_snapshot!(translate(&target(), FULL, true));
}

#[test]
fn an_order_without_more_than_it_needs() {
    insta::assert_snapshot!(translate(&target(), SMALL, true));
}

#[test]
fn texts_are_escaped_and_stay_on_one_line() {
    let wire = translate(&target(), TEXTS, false);
    assert_eq!(wire.lines().count(), 1);
    insta::assert_snapshot!(wire);
}

#[test]
fn the_other_spelling_changes_two_names_and_nothing_else() {
    let documented = translate(&target(), FULL, false);
    let schema = translate(&Tipalti { external_id_spelling: Spelling::Schema, ..target() }, FULL, false);
    assert_ne!(documented, schema);
    assert_eq!(documented.replace("AccountExternalID", "AccountExternalId").replace("ItemExternalID", "ItemExternalId"), schema);
}

/// The elements below `TipaltiPurchaseOrderItem`, as the v6 page lists them, and `OldPurchaseOrderNumber` last.
const PAGE: &str = "Idap PurchaseOrderNumber Status Memo PurchaseOrderDate PayerEntity Currency Approvers TipaltiInvoiceApprover Name Email \
    Order CustomFields KeyValuePair Key Value PurchaseOrderLines PurchaseOrderLine Item Quantity Units LineDescription Rate Amount \
    DiscountValue NetValue Account TaxAmount CustomFields KeyValuePair Key Value PoLineId LineType BilledQuantity BilledAmount \
    AccountExternalID ItemExternalID IsClosed TaxCodeExternalId UnitsExternalId OldPurchaseOrderNumber";

#[test]
fn the_full_order_has_every_element_of_the_page_in_its_order() {
    let wire = translate(&target(), FULL, false);
    let item = wire.split("<TipaltiPurchaseOrderItem>").nth(1).unwrap().split("</TipaltiPurchaseOrderItem>").next().unwrap();
    let names: Vec<&str> = item
        .split('<')
        .filter(|tag| !tag.starts_with('/'))
        .filter_map(|tag| tag.split('>').next())
        .filter(|name| !name.is_empty())
        .collect();
    assert_eq!(names.join(" "), PAGE.split_whitespace().collect::<Vec<_>>().join(" "));
}

#[test]
fn a_signed_call_carries_its_key_and_the_same_time_in_both_places() {
    let target = Tipalti { payer_name: "MyPayer".into(), ..Tipalti::default() };
    let secret = Secret::new("boguskey");
    let mut body = Vec::new();
    target.assemble(&mut std::iter::empty(), &Stamp { unix_seconds: 1_521_234_048, secret: Some(&secret) }, &mut body);
    let body = String::from_utf8(body).unwrap();
    assert_eq!(sign::string_to_sign("MyPayer", 1_521_234_048), "MyPayer1521234048");
    assert!(body.contains("<payerName>MyPayer</payerName><timestamp>1521234048</timestamp><key>bbffdacec3452b3ea2a23302589166c3fdee0224c5c07dd66b04a357d8bc1162</key>"), "{body}");
}

#[test]
fn batches_hold_as_many_orders_as_they_are_told_to() {
    let orders: String = (0..7).map(|number| order(&format!("PO-{number}")) + "\n").collect();
    let wire = translate(&Tipalti { batch_size: 3, ..target() }, &orders, false);
    let counts: Vec<usize> = wire.lines().map(|line| line.matches("<TipaltiPurchaseOrderItem>").count()).collect();
    assert_eq!(counts, [3, 3, 1]);
}
