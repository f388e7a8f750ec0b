//! What AWS knows of its own invoices, and of the portals: a few of each, to be listed.

use bytes::Bytes;
use hyper::Response;
use hyper::http::StatusCode;
use serde_json::{Value, json};

use super::super::answer::{Body, page, response};
use super::refusal::Refusal;
use super::{ACCOUNT, Answer, Asked, one_page, text};

const DAY: i64 = 86_400;

/// Id, days before now, kind, purchase order, delivery, total, currency.
type Invoice = (&'static str, i64, &'static str, Option<&'static str>, &'static str, &'static str, &'static str);
const INVOICES: [Invoice; 6] = [
    ("SBX-1001", 3, "INVOICE", Some("PO-1001"), "DELIVERED", "1234.56", "USD"),
    ("SBX-1002", 5, "INVOICE", Some("PO-1002"), "NOT_DELIVERED", "89.00", "USD"),
    ("SBX-1003", 8, "INVOICE", None, "DELIVERED", "10000.00", "EUR"),
    ("SBX-1004", 9, "CREDIT_MEMO", Some("PO-1001"), "DELIVERED", "-34.56", "USD"),
    ("SBX-1005", 40, "INVOICE", Some("PO-0990"), "DELIVERED", "77.70", "USD"),
    ("SBX-1006", 41, "PAYMENT_RECEIPT", None, "NOT_DELIVERED", "0.00", "USD"),
];

/// Where documents are.
pub(super) const PAPERS: &str = "/aws-invoicing/papers/";

/// A document.
pub(super) fn paper(path: &str) -> Response<Body> {
    let id = path.strip_prefix(PAPERS).and_then(|name| name.strip_suffix(".pdf")).unwrap_or_default();
    if INVOICES.iter().any(|(known, ..)| *known == id) {
        let text = format!("%PDF-1.4\n% Invoice {id} of the simulated AWS\n%%EOF\n");
        response(StatusCode::OK, "application/pdf", Body::from(Bytes::from(text)))
    } else {
        page(StatusCode::NOT_FOUND, "Not found", "There is no such document.")
    }
}

pub(super) fn answer(operation: &str, asked: &Asked, now: i64, host: &str) -> Answer {
    match operation {
        "ListProcurementPortals" => {
            let portal = |(id, name, shown): (&str, &str, &str)| json!({ "PortalIdentifier": id, "PortalName": name, "PortalDisplayName": shown });
            let all = [("sap-business-network", "SAP_BUSINESS_NETWORK", "SAP Business Network"), ("coupa", "COUPA", "Coupa")]
                .map(portal);
            one_page(asked, "ProcurementPortals", 100, all.to_vec())
        }
        "ListProcurementPortalSuppliers" => suppliers(asked),
        "ListInvoiceSummaries" => summaries(asked, now),
        "GetInvoicePDF" => {
            let id = text(asked, "InvoiceId");
            let known = INVOICES.iter().any(|(known, ..)| *known == id);
            let url = format!("http://{host}{PAPERS}{id}.pdf");
            let pdf = json!({ "InvoiceId": id, "DocumentUrl": url, "DocumentUrlExpirationDate": now + 3600, "SupplementalDocuments": [] });
            if known { Ok(json!({ "InvoicePDF": pdf })) } else { Err(Refusal::missing(id)) }
        }
        _ => {
            let accounts = asked.get("AccountIds").and_then(Value::as_array).cloned().unwrap_or_default();
            let profile = |account: Value| json!({ "AccountId": account, "ReceiverName": "Sandbox", "Issuer": "AWS_INC" });
            Ok(json!({ "Profiles": accounts.into_iter().map(profile).collect::<Vec<_>>() }))
        }
    }
}

fn suppliers(asked: &Asked) -> Answer {
    let supplier = |(id, seller, country, environment): (&str, &str, &str, &str)| json!({ "SupplierIdentifier": id, "SellerOfRecord": seller, "CountryCode": country, "Environment": environment });
    let all: Vec<Value> = match text(asked, "PortalIdentifier") {
        "sap-business-network" => [
            ("AN01000000002", "AWS_INC", "US", "PROD"),
            ("AN01000000002-T", "AWS_INC", "US", "TEST"),
            ("AN01000000003", "AWS_EUROPE", "DE", "PROD"),
        ]
        .map(supplier)
        .to_vec(),
        "coupa" => vec![supplier(("aws-acme", "AWS_INC", "US", "PROD"))],
        other => return Err(Refusal::missing(other)),
    };
    one_page(asked, "ProcurementPortalSuppliers", 100, all)
}

fn summaries(asked: &Asked, now: i64) -> Answer {
    let selector = asked.get("Selector");
    let part = |name: &str| selector.and_then(|selector| selector.get(name)).and_then(Value::as_str).unwrap_or_default();
    let interval = asked.get("Filter").and_then(|filter| filter.get("TimeInterval"));
    // Clients send parts of a second, too.
    let seconds = |time: &Value| time.to_string().split('.').next().and_then(|whole| whole.parse().ok()).unwrap_or(now);
    let moment = |name: &str| interval.and_then(|interval| interval.get(name)).map(seconds);
    let has_role = asked.get("Filter").is_some_and(|filter| filter.get("ReceiverRole").is_some());
    let range = match (moment("StartDate"), moment("EndDate")) {
        (Some(from), Some(to)) if !has_role && to - from > 31 * DAY => {
            return Err(Refusal::invalid("invalidInput", "The time interval must not exceed one month."));
        }
        (Some(from), Some(to)) => from..=to,
        _ => now - 365 * DAY..=now,
    };
    let by_invoice = part("ResourceType") == "INVOICE_ID";
    let summary = |(id, days, kind, order, delivered, total, currency): &Invoice| {
        let mut summary = json!({
            "AccountId": ACCOUNT, "InvoiceId": id, "IssuedDate": now - days * DAY, "DueDate": now - days * DAY + 30 * DAY,
            "InvoiceType": kind, "EinvoiceDeliveryStatus": delivered,
            "PaymentCurrencyAmount": { "TotalAmount": total, "CurrencyCode": currency },
        });
        if let (Some(order), Some(summary)) = (order, summary.as_object_mut()) {
            summary.insert("PurchaseOrderNumber".to_owned(), (*order).into());
        }
        summary
    };
    let wanted = |(id, days, ..): &&Invoice| {
        let is_meant = if by_invoice { *id == part("Value") } else { part("Value") == ACCOUNT };
        is_meant && range.contains(&(now - days * DAY))
    };
    one_page(asked, "InvoiceSummaries", 100, INVOICES.iter().filter(wanted).map(summary).collect())
}
