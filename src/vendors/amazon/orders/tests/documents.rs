//! What becomes of orders as Amazon was seen to send them, and as it should not.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::*;
use crate::model::Party;

const STATED: &str = r#"{"purchaseOrderNumber": "4Z32PABC", "purchaseOrderStatus": "OPEN", "lastUpdatedDate": "2026-02-20T10:00:00Z",
    "itemStatus": ["#;

fn an_order(state: &str, details: &Value) -> String {
    json!({"purchaseOrderNumber": "4Z32PABC", "purchaseOrderState": state, "orderDetails": details}).to_string()
}

/// An order of one line, and what is said of how the line stands.
fn flip(line: &Value, acknowledged: &Value) -> Fetched {
    let order = an_order("Acknowledged", &json!({"paymentMethod": "Invoice", "items": [line]}));
    let mut status = json!({"itemSequenceNumber": "1", "buyerProductIdentifier": "B01"});
    if !acknowledged.is_null() {
        status["acknowledgementStatus"] = acknowledged.clone();
    }
    Amazon::default().invoice(&order, &[format!("{STATED}{status}]}}")])
}

fn pieces(amount: i64) -> Value {
    json!({"amount": amount, "unitOfMeasure": "Eaches"})
}

fn cases(amount: i64, size: i64) -> Value {
    json!({"amount": amount, "unitOfMeasure": "Cases", "unitSize": size})
}

fn a_line(ordered: &Value) -> Value {
    json!({"itemSequenceNumber": "00001", "amazonProductIdentifier": "B01", "orderedQuantity": ordered, "isBackOrderAllowed": false,
        "netCost": {"currencyCode": "USD", "amount": "12.50"}})
}

fn document(fetched: &Fetched) -> Value {
    serde_json::to_value(fetched.document.as_ref().unwrap_or_else(|| panic!("{fetched:?}"))).unwrap()
}

fn rules(fetched: &Fetched) -> Vec<(&str, &str)> {
    fetched.faults.iter().map(|fault| (&*fault.rule, &*fault.path)).collect()
}

#[test]
fn an_order_keeps_all_that_it_came_with() {
    let raw = r#"{"purchaseOrderNumber": "4Z32PABC", "purchaseOrderState": "Acknowledged", "somethingNew": [1.10, null],
        "orderDetails": {"purchaseOrderDate": "2026-02-19T14:00:00.000Z", "dealCode": "", "paymentMethod": "Invoice",
        "buyingParty": {"partyId": "ABE2"}, "sellingParty": {"partyId": "ACMEW", "extra": "x", "address": {"name": "Acme", "postalOrZipCode": "y",
        "addressLine1": "1 Way", "addressLine3": "Floor 3", "stateOrRegion": "WA", "postalCode": "98109", "countryCode": "US"},
        "taxInfo": {"taxRegistrationType": "VAT", "taxRegistrationNumber": "GB1"}},
        "items": [{"itemSequenceNumber": "1", "amazonProductIdentifier": "B01", "vendorProductIdentifier": "0007",
        "orderedQuantity": {"amount": 10, "unitOfMeasure": "Cases", "unitSize": 12}, "isBackOrderAllowed": true,
        "netCost": {"currencyCode": "USD", "amount": 12.50}, "listPrice": {"currencyCode": "USD", "amount": "20.0"}},
        {"itemSequenceNumber": "2", "orderedQuantity": {"amount": 7, "unitOfMeasure": "Eaches"},
        "netCost": {"currencyCode": "USD", "amount": "0.333333"}}]}}"#;
    let fetched = Amazon::default().order(raw);
    assert_eq!(rules(&fetched), []);
    assert_eq!(
        document(&fetched),
        json!({
            "kind": "purchase_order", "number": "4Z32PABC", "issue_date": "2026-02-19T14:00:00Z", "currency": "USD", "status": "active",
            "seller": {"id": "ACMEW", "address": {"name": "Acme", "lines": ["1 Way", "Floor 3"], "region": "WA",
                "postal_code": "98109", "country": "US"}, "tax_registrations": [{"type": "vat", "number": "GB1"}]},
            "buyer": {"id": "ABE2"},
            "custom_fields": [
                {"key": "purchaseOrderState", "value": "Acknowledged"}, {"key": "somethingNew[0]", "value": "1.10"},
                {"key": "paymentMethod", "value": "Invoice"}, {"key": "sellingParty.extra", "value": "x"},
                {"key": "sellingParty.address.postalOrZipCode", "value": "y"},
            ],
            "lines": [
                {"id": "1", "item": {"buyers_id": "B01", "sellers_id": "0007"}, "quantity": "120", "unit": "EA", "price": "12.50",
                    "custom_fields": [
                        {"key": "orderedQuantity.amount", "value": "10"}, {"key": "orderedQuantity.unitOfMeasure", "value": "Cases"},
                        {"key": "orderedQuantity.unitSize", "value": "12"}, {"key": "isBackOrderAllowed", "value": "true"},
                        {"key": "listPrice.currencyCode", "value": "USD"}, {"key": "listPrice.amount", "value": "20.0"},
                    ]},
                {"id": "2", "quantity": "7", "unit": "EA", "price": "0.333333"},
            ],
        })
    );
}

#[test]
fn what_amazon_should_not_send_is_left_out_and_told() {
    let line = json!({"itemSequenceNumber": "1", "orderedQuantity": {"amount": "3 boxes", "unitOfMeasure": "CASES"},
        "netCost": {"amount": "12,50"}});
    let details = json!({"purchaseOrderDate": "last week", "sellingParty": {"partyId": "A", "taxInfo": {"taxRegistrationType": "EIN"}},
        "items": [line, {"orderedQuantity": {"amount": 3, "unitOfMeasure": "Cases"}, "netCost": {"amount": "1", "unitOfMeasure": "POUNDS"}},
            {"orderedQuantity": {"amount": 3, "unitOfMeasure": "Cases"}, "netCost": {"amount": "1"}}, 7]});
    let fetched = Amazon::default().order(&an_order("Sleeping", &details));
    assert_eq!(
        rules(&fetched),
        [
            ("AMZ-085", "purchaseOrderDate"),
            ("AMZ-085", "sellingParty.taxInfo.taxRegistrationType"),
            ("AMZ-085", "items[0].netCost.amount"),
            ("AMZ-085", "items[0].orderedQuantity.amount"),
            ("AMZ-084", "items[0].netCost"),
            ("AMZ-083", "items[1].netCost"),
            ("AMZ-082", "items[2].orderedQuantity"),
            ("AMZ-084", "items[3].netCost"),
        ]
    );
    let order = document(&fetched);
    assert_eq!((&order["status"], &order["issue_date"], &order["lines"][0]["price"]), (&Value::Null, &Value::Null, &Value::Null));
    let fields = |fields: &Value| -> BTreeMap<String, String> {
        let text = |field: &Value, name: &str| field[name].as_str().unwrap().to_owned();
        fields.as_array().unwrap().iter().map(|field| (text(field, "key"), text(field, "value"))).collect()
    };
    // What was left out still stands somewhere.
    assert_eq!(fields(&order["custom_fields"])["purchaseOrderDate"], "last week");
    assert_eq!(fields(&order["custom_fields"])["sellingParty.taxInfo.taxRegistrationType"], "EIN");
    assert_eq!(fields(&order["lines"][0]["custom_fields"])["netCost.amount"], "12,50");
    assert_eq!(fields(&order["lines"][0]["custom_fields"])["orderedQuantity.amount"], "3 boxes");
    assert_eq!(fields(&order["lines"][1]["custom_fields"])["netCost.unitOfMeasure"], "POUNDS");
    assert_eq!((&order["lines"][1]["quantity"], &order["lines"][1]["unit"]), (&json!("3"), &json!("CS")));
    for broken in ["", "7", "{", "{}", r#"{"purchaseOrderNumber": ""}"#, r#"{"purchaseOrderNumber": {}}"#] {
        let fetched = Amazon::default().order(broken);
        assert_eq!((rules(&fetched), &fetched.document), (vec![("AMZ-080", "")], &None), "{broken}");
        assert!(Amazon::default().standing(broken).is_err() && Amazon::default().invoice(broken, &[]).document.is_none());
    }
}

#[test]
fn an_order_has_one_currency() {
    let line = |currency: &str| json!({"orderedQuantity": pieces(1), "netCost": {"currencyCode": currency, "amount": "1"}});
    let of = |currencies: [&str; 3]| an_order("New", &json!({"items": currencies.map(line)}));
    let fetched = Amazon::default().order(&of(["USD", "", "EUR"]));
    assert_eq!((rules(&fetched), &fetched.document), (vec![("AMZ-081", "items[2].netCost.currencyCode")], &None));
    // An invoice may have lines in other currencies; they say so.
    let status = format!("{STATED}]}}");
    let draft = document(&Amazon::default().invoice(&of(["USD", "USD", "EUR"]), &[status]));
    assert_eq!((&draft["currency"], &draft["lines"][2]["price_currency"]), (&json!("USD"), &json!("EUR")));
    assert_eq!(draft["lines"][1]["price_currency"], Value::Null);
}

#[test]
fn a_draft_has_what_was_accepted_in_pieces() {
    for (ordered, accepted, quantity) in [
        (pieces(24), pieces(20), "20"),
        (cases(10, 12), cases(8, 12), "96"),
        // The case of a line has one size, whoever names it.
        (cases(10, 12), json!({"amount": 8, "unitOfMeasure": "Cases"}), "96"),
        (cases(10, 12), pieces(96), "96"),
        (json!({"amount": "24", "unitOfMeasure": "EACHES"}), json!({"amount": "24.0", "unitOfMeasure": "Eaches"}), "24.0"),
    ] {
        let fetched = flip(&a_line(&ordered), &json!({"confirmationStatus": "ACCEPTED", "acceptedQuantity": accepted}));
        assert_eq!(rules(&fetched), [], "{ordered}");
        let line = &document(&fetched)["lines"][0];
        let expected = json!({"id": "00001", "item": {"buyers_id": "B01"}, "order_reference": "4Z32PABC", "quantity": quantity,
            "unit": "EA", "price": "12.50"});
        assert_eq!(*line, expected, "{ordered}");
    }
}

#[test]
fn a_quantity_that_is_not_known_stays_open() {
    let accepted = |quantity: Value| json!({"confirmationStatus": "PARTIALLY_ACCEPTED", "acceptedQuantity": quantity});
    for (ordered, acknowledged, rule, path) in [
        (pieces(24), Value::Null, "AMZ-088", "items[0].orderedQuantity"),
        (pieces(24), json!({"confirmationStatus": "UNCONFIRMED"}), "AMZ-088", "items[0].orderedQuantity"),
        (pieces(24), json!({"confirmationStatus": "ACCEPTED"}), "AMZ-088", "items[0].orderedQuantity"),
        (pieces(24), accepted(pieces(-3)), "AMZ-088", "items[0].orderedQuantity"),
        // The order was made smaller after it was accepted.
        (pieces(10), accepted(pieces(24)), "AMZ-088", "items[0].orderedQuantity"),
        (cases(2, 6), accepted(pieces(13)), "AMZ-088", "items[0].orderedQuantity"),
        (pieces(24), accepted(json!({"amount": 2, "unitOfMeasure": "Cases"})), "AMZ-082", "items[0].orderedQuantity"),
        (pieces(24), accepted(json!({"amount": 2})), "AMZ-082", "items[0].orderedQuantity"),
    ] {
        let fetched = flip(&a_line(&ordered), &acknowledged);
        assert_eq!(rules(&fetched), [(rule, path)], "{ordered} {acknowledged}");
        let line = &document(&fetched)["lines"][0];
        assert_eq!((&line["quantity"], &line["unit"], &line["price"]), (&Value::Null, &Value::Null, &json!("12.50")));
    }
    // Of another item, of another order, of two lines at once: nothing is said of this one.
    let order = an_order("Acknowledged", &json!({"items": [a_line(&pieces(24))]}));
    let of = |number: &str, items: &str| {
        let status = format!(r#"{{"purchaseOrderNumber": "{number}", "itemStatus": [{items}]}}"#);
        Amazon::default().invoice(&order, &[status])
    };
    let item = |asin: &str| {
        let acknowledged = accepted(pieces(5));
        json!({"itemSequenceNumber": "1", "buyerProductIdentifier": asin, "acknowledgementStatus": acknowledged}).to_string()
    };
    for fetched in [
        of("4Z32PABC", &item("B02")),
        of("4Z32PABD", &item("B01")),
        of("4Z32PABC", &format!("{0}, {0}", item("B01"))),
        Amazon::default().invoice(&order, &[]),
        Amazon::default().invoice(&order, &["garbage".to_owned()]),
    ] {
        assert_eq!(rules(&fetched), [("AMZ-088", "items[0].orderedQuantity")]);
    }
    assert_eq!(rules(&of("4Z32PABC", &item("B01"))), []);
}

#[test]
fn what_is_not_to_be_invoiced_is_left_out() {
    let accepted = |amount| json!({"confirmationStatus": "ACCEPTED", "acceptedQuantity": pieces(amount)});
    for (ordered, amount) in [(pieces(0), 24), (pieces(24), 0)] {
        let fetched = flip(&a_line(&ordered), &accepted(amount));
        assert_eq!((rules(&fetched), &fetched.document), (vec![("AMZ-089", "items[0]"), ("AMZ-090", "items")], &None));
    }
    for (order, rule) in [
        (an_order("New", &json!({})), "AMZ-087"),
        (an_order("Acknowledged", &json!({"paymentMethod": "Consignment"})), "AMZ-086"),
    ] {
        let Err(fetched) = Amazon::default().standing(&order) else { panic!() };
        assert_eq!((fetched.number.as_deref(), &*fetched.faults[0].rule, fetched.document), (Some("4Z32PABC"), rule, None));
        assert!(!fetched.faults[0].is_error());
    }
    let question = Amazon::default().standing(&an_order("Acknowledged", &json!({}))).unwrap();
    assert_eq!(question.0, "/vendor/orders/v1/purchaseOrdersStatus?purchaseOrderNumber=4Z32PABC");
}

#[test]
fn a_weight_is_for_a_person_to_fill_in() {
    let mut line = a_line(&cases(4, 6));
    line["netCost"]["unitOfMeasure"] = "POUNDS".into();
    let accepted = json!({"confirmationStatus": "ACCEPTED", "acceptedQuantity": cases(4, 6)});
    let fetched = flip(&line, &accepted);
    assert_eq!(rules(&fetched), [("AMZ-083", "items[0].netCost")]);
    let read = &document(&fetched)["lines"][0];
    assert_eq!((&read["quantity"], &read["unit"], &read["unit_size"]), (&json!("4"), &json!("CS"), &json!(6)));
    assert_eq!((&read["price"], &read["price_unit"]), (&json!("12.50"), &json!("LBR")));
    // A unit that nobody knows makes of the price something that nobody knows.
    line["netCost"]["unitOfMeasure"] = "STONES".into();
    let fetched = flip(&line, &accepted);
    assert_eq!(rules(&fetched), [("AMZ-085", "items[0].netCost.unitOfMeasure"), ("AMZ-083", "items[0].netCost")]);
    assert_eq!(document(&fetched)["lines"][0]["price"], Value::Null);
}

#[test]
fn parties_of_the_configuration_stand_for_those_of_the_order() {
    let mut target = Amazon::default();
    target.parties.insert("AMAZONUS".to_owned(), Party::default());
    let address = json!({"name": "N", "addressLine1": "1", "countryCode": "US"});
    let details = json!({"sellingParty": {"partyId": "ACMEW"}, "billToParty": {"partyId": "AMAZONUS", "address": address},
        "shipToParty": {"partyId": "SBX1", "address": address}, "purchaseOrderChangedDate": "2026-02-21T00:00:00", "items": [a_line(&pieces(1))]});
    let fetched = target.invoice(&an_order("Closed", &details), &[format!("{STATED}]}}")]);
    let draft = document(&fetched);
    assert_eq!((&draft["payee"], &draft["ship_from"]), (&json!({"id": "ACMEW"}), &json!({"id": "ACMEW"})));
    assert_eq!(draft["buyer"], json!({"id": "AMAZONUS"}));
    assert_eq!(draft["ship_to"]["address"]["lines"], json!(["1"]));
    let told: Vec<_> = rules(&fetched).into_iter().map(|(rule, _)| rule).collect();
    assert_eq!(told, ["AMZ-092", "AMZ-091", "AMZ-088"]);
    assert!(draft["number"].is_null() && draft["issue_date"].is_null() && draft["total"].is_null());
}
