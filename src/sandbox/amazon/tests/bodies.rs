//! What may stand in a body, what the schema covers, and the verdicts on what is wrong in another way.

use std::time::Instant;

use serde_json::{Value, json};

use super::*;

const SCHEMA: &str = include_str!("../../../../wsdl/amazon/submit-invoices.schema.json");

/// The members of each object of the vendor's model, with those that it demands.
const MEMBERS: &[(&str, &str, &str)] = &[
    (
        "invoice",
        "invoiceType id date remitToParty invoiceTotal",
        "referenceNumber shipToParty shipFromParty billToParty paymentTerms taxDetails additionalDetails chargeDetails \
         allowanceDetails items",
    ),
    ("party", "partyId", "address taxRegistrationDetails"),
    (
        "address",
        "name addressLine1 countryCode",
        "addressLine2 addressLine3 city county district stateOrRegion postalOrZipCode phone",
    ),
    ("taxRegistration", "taxRegistrationType taxRegistrationNumber", ""),
    (
        "item",
        "itemSequenceNumber invoicedQuantity netCost",
        "amazonProductIdentifier vendorProductIdentifier netCostUnitOfMeasure purchaseOrderNumber hsnCode creditNoteDetails \
         taxDetails chargeDetails allowanceDetails",
    ),
    ("quantity", "amount unitOfMeasure", "unitSize totalWeight"),
    ("weight", "unitOfMeasure amount", ""),
    // The model demands neither; an amount without its currency is nothing.
    ("money", "currencyCode amount", ""),
    ("tax", "taxType taxAmount", "taxRate taxableAmount"),
    ("charge", "type chargeAmount", "description taxDetails"),
    ("allowance", "type allowanceAmount", "description taxDetails"),
    ("additionalDetail", "type detail", "languageCode"),
    ("paymentTerms", "", "type discountPercent discountDueDays netDueDays"),
    (
        "creditNoteDetails",
        "",
        "referenceInvoiceNumber debitNoteNumber returnsReferenceNumber goodsReturnDate rmaId coopReferenceNumber \
         consignorsReferenceNumber",
    ),
];

/// The values of each list of the vendor's model.
const VALUES: &[(&str, &str)] = &[
    ("/invoice/properties/invoiceType", "Invoice CreditNote"),
    ("/quantity/properties/unitOfMeasure", "Cases Eaches"),
    ("/weightUnit", "POUNDS OUNCES GRAMS KILOGRAMS"),
    ("/taxRegistration/properties/taxRegistrationType", "VAT GST"),
    ("/tax/properties/taxType", "CGST SGST CESS UTGST IGST MwSt. PST TVA VAT GST ST Consumption MutuallyDefined DomesticVAT"),
    (
        "/charge/properties/type",
        "Freight Packing Duty Service SmallOrder InsurancePlacementCost InsuranceFee SpecialHandlingService \
         CollectionAndRecyclingService EnvironmentalProtectionService TaxCollectedAtSource",
    ),
    ("/allowance/properties/type", "Discount DiscountIncentive Defective Promotional UnsaleableMerchandise Special"),
    ("/additionalDetail/properties/type", "SUR OCR CartonCount"),
    ("/paymentTerms/properties/type", "Basic EndOfMonth FixedDate Proximo PaymentDueUponReceiptOfInvoice LetterofCredit"),
];

fn words(text: &str) -> Vec<&str> {
    let mut words: Vec<&str> = text.split_whitespace().collect();
    words.sort_unstable();
    words
}

fn texts(value: &Value) -> Vec<&str> {
    let mut texts: Vec<&str> = value.as_array().into_iter().flatten().map(|text| text.as_str().unwrap()).collect();
    texts.sort_unstable();
    texts
}

#[test]
fn the_schema_covers_the_vendors_model() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let definitions = &schema["$defs"];
    for (name, demanded, others) in MEMBERS {
        let object = &definitions[name];
        assert_eq!(texts(&object["required"]), words(demanded), "{name}");
        let members: Vec<&str> = object["properties"].as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(members, words(&format!("{demanded} {others}")), "{name}");
        assert_eq!(object["additionalProperties"], false, "{name}");
    }
    for (path, values) in VALUES {
        assert_eq!(texts(&definitions.pointer(path).unwrap()["enum"]), words(values), "{path}");
    }
    let objects = definitions.as_object().unwrap().iter().filter(|(_, it)| it["type"] == "object");
    assert_eq!(objects.count(), MEMBERS.len());
}

/// An invoice with everything that an invoice can have.
fn full() -> Value {
    let money = json!({ "currencyCode": "EUR", "amount": "-1.5e+3" });
    let tax = json!([{ "taxType": "MwSt.", "taxRate": "19", "taxAmount": money, "taxableAmount": money }]);
    let charge = json!([{ "type": "Freight", "description": "d", "chargeAmount": money, "taxDetails": tax }]);
    let allowance = json!([{ "type": "Special", "description": "d", "allowanceAmount": money, "taxDetails": tax }]);
    let address = json!({
        "name": "n", "addressLine1": "1", "addressLine2": "2", "addressLine3": "3", "city": "c", "county": "c", "district": "d",
        "stateOrRegion": "r", "postalOrZipCode": "p", "countryCode": "DE", "phone": "1",
    });
    let registration = json!([{ "taxRegistrationType": "VAT", "taxRegistrationNumber": "DE1" }]);
    let party = json!({ "partyId": "P", "address": address, "taxRegistrationDetails": registration });
    let mut full = invoice("INV-1");
    for (path, value) in [
        ("/referenceNumber", json!("r")),
        ("/date", json!("2026-01-31T01:02:03.456+09:00")),
        ("/remitToParty", party.clone()),
        ("/shipToParty", party.clone()),
        ("/shipFromParty", party.clone()),
        ("/billToParty", party),
        ("/paymentTerms", json!({ "type": "Basic", "discountPercent": "2", "discountDueDays": 10, "netDueDays": 30.5 })),
        ("/taxDetails", tax.clone()),
        ("/additionalDetails", json!([{ "type": "SUR", "detail": "d", "languageCode": "PL" }])),
        ("/chargeDetails", charge.clone()),
        ("/allowanceDetails", allowance.clone()),
        ("/items/0/vendorProductIdentifier", json!("0001")),
        ("/items/0/invoicedQuantity/unitSize", json!(12)),
        ("/items/0/invoicedQuantity/totalWeight", json!({ "unitOfMeasure": "POUNDS", "amount": "0.5" })),
        ("/items/0/netCostUnitOfMeasure", json!("POUNDS")),
        ("/items/0/hsnCode", json!("76.06.92.99.00")),
        ("/items/0/taxDetails", tax),
        ("/items/0/chargeDetails", charge),
        ("/items/0/allowanceDetails", allowance),
    ] {
        full = with(full, path, Some(value));
    }
    full
}

fn credit_note(number: &str) -> Value {
    let details = json!({
        "referenceInvoiceNumber": "1", "debitNoteNumber": "2", "returnsReferenceNumber": "3",
        "goodsReturnDate": "2026-01-31T00:00:00Z", "rmaId": "4", "coopReferenceNumber": "5", "consignorsReferenceNumber": "6",
    });
    let note = with(invoice(number), "/invoiceType", Some(json!("CreditNote")));
    let note = with(note, "/items/0/purchaseOrderNumber", None);
    with(note, "/items/0/creditNoteDetails", Some(details))
}

#[tokio::test]
async fn everything_that_the_model_knows_may_be_sent() {
    let desk = Desk::with(&[], unlimited()).await;
    let answer = desk.submit(&json!({ "invoices": [full(), credit_note("CN-1")] })).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    let id = answer.json()["payload"]["transactionId"].as_str().unwrap().to_owned();
    assert_eq!(desk.verdict(&id).await, "Processing");
    assert_eq!(desk.ledger().invoices.into_keys().collect::<Vec<_>>(), ["ACME/CN-1", "P/INV-1"]);
}

#[tokio::test]
async fn a_body_of_another_shape_is_refused() {
    let desk = Desk::with(&[], unlimited()).await;
    let big = Some(json!("1"));
    for (path, value, part) in [
        // A value that is not on its list.
        ("/invoiceType", Some(json!("Invoic")), "with respect to enumeration '[Invoice, CreditNote]'"),
        ("/items/0/invoicedQuantity/unitOfMeasure", Some(json!("EA")), "with respect to enumeration '[Cases, Eaches]'"),
        // Something that is missing.
        ("/id", None, "One of '{id}' is expected"),
        ("/remitToParty/partyId", None, "One of '{partyId}' is expected"),
        ("/billToParty/address/name", None, "One of '{name}' is expected"),
        ("/invoiceTotal/currencyCode", None, "One of '{currencyCode}' is expected"),
        ("/items/0/purchaseOrderNumber", None, "One of '{purchaseOrderNumber}' is expected"),
        // Another type, or another form.
        ("/invoiceTotal/amount", Some(json!(25)), "'25' is not a valid value for 'string'"),
        ("/invoiceTotal/amount", Some(json!("1,000.00")), "with respect to pattern"),
        ("/invoiceTotal/amount", Some(json!(".5")), "with respect to pattern"),
        ("/invoiceTotal/amount", Some(json!("+5")), "with respect to pattern"),
        ("/invoiceTotal/amount", Some(json!("05")), "with respect to pattern"),
        ("/invoiceTotal/currencyCode", Some(json!("usd")), "with respect to pattern"),
        ("/items/0/itemSequenceNumber", big.clone(), "'1' is not a valid value for 'integer'"),
        ("/items/0/itemSequenceNumber", Some(json!(1.5)), "is not a valid value for 'integer'"),
        ("/items/0/invoicedQuantity/amount", Some(json!(2.0)), "'2.0' is not a valid value for 'integer'"),
        ("/items/0/invoicedQuantity/unitSize", Some(json!(0)), "minInclusive '1'"),
        ("/items/0/purchaseOrderNumber", Some(json!("PO-12345")), "with respect to pattern"),
        ("/items/0/hsnCode", Some(json!("76A")), "with respect to pattern"),
        ("/billToParty/address/countryCode", Some(json!("USA")), "with respect to pattern"),
        ("/billToParty/taxRegistrationDetails", Some(json!({})), "is not a valid value for 'array'"),
        ("/date", Some(json!("2026-01-31")), "with respect to pattern"),
        ("/date", Some(json!("2026-01-31T00:00:00")), "with respect to pattern"),
        ("/date", Some(json!("2026-02-30T00:00:00Z")), "not a valid value for 'date-time'"),
        // Something that nobody knows.
        ("/items/0/upc", big.clone(), "starting with element 'upc' in 'items'"),
        ("/payload", big, "starting with element 'payload' in 'invoices'"),
        // Nothing where something is.
        ("/referenceNumber", Some(json!(null)), "'null' is not a valid value for 'string'"),
        ("/referenceNumber", Some(json!("")), "of element 'referenceNumber' is not valid"),
        ("/referenceNumber", Some(json!(" ")), "of element 'referenceNumber' is not valid"),
        ("/items", Some(json!([])), "element 'items' is not complete"),
        ("/paymentTerms", Some(json!({})), "element 'paymentTerms' is not complete"),
        ("/shipToParty", Some(json!({})), "One of '{partyId}' is expected"),
    ] {
        let answer = desk.submit(&json!({ "invoices": [with(invoice("INV-1"), path, value.clone())] })).await;
        assert!(answer.status == 400 && answer.has_request_id(), "{path} {value:?}: {answer:?}");
        assert!(answer.codes().iter().all(|code| code == "InvalidInput"), "{answer:?}");
        assert!(answer.body.contains(part), "{path} {value:?}: {answer:?}");
    }
    let good = json!({ "invoices": [invoice("INV-1")] }).to_string();
    for (body, part) in [
        (json!({ "body": { "invoices": [] } }).to_string(), "element 'body' is not complete. One of '{invoices}' is expected"),
        (json!({ "invoices": [] }).to_string(), "element 'invoices' is not complete"),
        (good.replacen("\"id\"", "\"id\":\"INV-0\",\"id\"", 1), "The element 'id' is there twice"),
        (good.replacen('{', "", 1), "not valid JSON"),
        (format!("\u{feff}{good}"), "not valid JSON"),
        (String::new(), "not valid JSON"),
        ("[".repeat(100_000), "not valid JSON"),
    ] {
        let answer = desk.post(&body).await;
        assert!(answer.status == 400 && answer.body.contains(part), "{part}: {answer:?}");
    }
    // One bad value is told of twice, and many faults are told of at once.
    let several = with(with(invoice("INV-1"), "/invoiceType", Some(json!("Invoic"))), "/id", None);
    assert_eq!(desk.submit(&json!({ "invoices": [several] })).await.codes().len(), 3);
    assert_eq!(desk.submit(&json!({ "invoices": vec![json!({}); 50] })).await.codes().len(), 20);
    assert!(desk.ledger().invoices.is_empty());
}

#[tokio::test]
async fn what_breaks_the_rules_of_the_business_fails_later() {
    let desk = Desk::with(&[], unlimited()).await;
    for (number, (path, value, expected)) in [
        ("/invoiceTotal/amount", Some(json!("0.00")), "INVALID_INVOICE_TOTAL"),
        ("/date", Some(json!("2999-01-01T00:00:00Z")), "INVALID_INVOICE_DATE"),
        ("/billToParty", None, "MISSING_BILL_TO_PARTY"),
        ("/items", None, "MISSING_ITEMS"),
        ("/invoiceType", Some(json!("CreditNote")), "MISSING_CREDIT_NOTE_DETAILS"),
        ("/items/0/invoicedQuantity/amount", Some(json!(0)), "INVALID_QUANTITY"),
        ("/items/0/invoicedQuantity/amount", Some(json!(-1)), "INVALID_QUANTITY"),
        ("/items/0/netCost/amount", Some(json!("0e1")), "INVALID_NET_COST"),
        ("/items/0/netCost/amount", Some(json!("-1")), "INVALID_NET_COST"),
        ("/items/0/amazonProductIdentifier", None, "INVALID_PRODUCT_ID"),
    ]
    .into_iter()
    .enumerate()
    {
        let id = desk.take(with(invoice(&format!("INV-{number}")), path, value)).await;
        assert_eq!(desk.verdict(&id).await, format!("Failure {expected}"), "{path}");
    }
    let both = json!([invoice("")["items"][0], invoice("")["items"][0]]);
    let id = desk.take(with(invoice("INV-A"), "/items", Some(both))).await;
    assert_eq!(desk.verdict(&id).await, "Failure INVALID_ITEM_SEQUENCE_NUMBER");
    assert!(desk.ledger().invoices.values().all(|record| record.failures == 1));
}

#[tokio::test]
async fn a_number_is_used_up_by_what_did_not_fail() {
    let desk = Desk::with(&[], unlimited()).await;
    let bad = desk.take(with(invoice("INV-1"), "/billToParty", None)).await;
    assert!(desk.verdict(&bad).await.starts_with("Failure"));
    let good = desk.take(invoice("INV-1")).await;
    assert_eq!(desk.verdict(&good).await, "Processing");
    for again in [invoice("INV-1"), credit_note("INV-1")] {
        let id = desk.take(again).await;
        assert_eq!(desk.verdict(&id).await, "Failure DUPLICATE_INVOICE_NUMBER");
    }
    let elsewhere = desk.take(with(invoice("INV-1"), "/remitToParty", Some(json!({ "partyId": "OTHER" })))).await;
    assert_eq!(desk.verdict(&elsewhere).await, "Processing");
    let twice = desk.submit(&json!({ "invoices": [invoice("INV-2"), invoice("INV-2")] })).await.json();
    let id = twice["payload"]["transactionId"].as_str().unwrap();
    assert_eq!(desk.verdict(id).await, "Failure DUPLICATE_INVOICE_NUMBER");
    let record = &desk.ledger().invoices["ACME/INV-1"];
    assert_eq!((record.writes, record.contents, record.failures), (4, 3, 3));
}

#[tokio::test]
async fn a_verdict_comes_by_the_clock_of_the_sandbox() {
    let options = AmazonOptions { verdict_after_s: 600, speed: 2_000, ..unlimited() };
    let desk = Desk::with(&[], AmazonOptions { token_lifetime_s: 1_000_000, ..options }).await;
    let (began, bad) = (Instant::now(), with(invoice("INV-1"), "/billToParty", None));
    let id = desk.take(bad).await;
    loop {
        let verdict = desk.verdict(&id).await;
        let passed = began.elapsed();
        if verdict != "Processing" {
            assert_eq!(verdict, "Failure MISSING_BILL_TO_PARTY");
            assert!(passed >= Duration::from_millis(300));
            break;
        }
        assert!(passed < Duration::from_secs(5));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
