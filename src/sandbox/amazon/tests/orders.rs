//! The purchase orders: what there is, and how it is asked for.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::*;

const ORDERS: &str = "/vendor/orders/v1/purchaseOrders";
const STATUS: &str = "/vendor/orders/v1/purchaseOrdersStatus";

/// A time so many days ago, as a query may hold it.
fn days_ago(days: i64) -> String {
    (Timestamp::now() - SignedDuration::from_hours(24 * days)).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn numbers(payload: &Value, list: &str) -> Vec<String> {
    let orders = payload[list].as_array().unwrap();
    orders.iter().map(|order| order["purchaseOrderNumber"].as_str().unwrap().to_owned()).collect()
}

impl Desk {
    async fn ask_for(&self, path: &str, query: &str) -> Value {
        let answer = self.get(&format!("{path}?{query}")).await;
        assert_eq!(answer.status, 200, "{query}: {answer:?}");
        answer.json()["payload"].clone()
    }

    async fn found(&self, query: &str) -> Vec<String> {
        numbers(&self.ask_for(ORDERS, query).await, "orders")
    }

    /// All orders of the month, week by week.
    async fn all(&self, path: &str, list: &str) -> Vec<Value> {
        let mut all = Vec::new();
        for week in 0..5 {
            let query = format!("createdAfter={}&createdBefore={}", days_ago(7 * week + 7), days_ago(7 * week));
            all.extend(self.ask_for(path, &query).await[list].as_array().unwrap().iter().cloned());
        }
        all
    }
}

#[tokio::test]
async fn orders_have_everything_that_orders_can_have() {
    let desk = Desk::with(&[], unlimited()).await;
    let orders = desk.all(ORDERS, "orders").await;
    assert_eq!(orders.len(), 12);
    let all = |pointer: &str| -> BTreeSet<String> {
        orders.iter().filter_map(|order| order.pointer(pointer)).map(ToString::to_string).collect()
    };
    assert_eq!(all("/purchaseOrderState").len(), 3);
    assert!(all("/orderDetails/billToParty/partyId").len() >= 7);
    assert!(all("/orderDetails/billToParty/taxInfo/taxRegistrationType").contains("\"GST\""));
    assert_eq!(all("/orderDetails/items/0/orderedQuantity/unitOfMeasure").len(), 2);
    assert_eq!(all("/orderDetails/items/0/netCost/unitOfMeasure").len(), 2);
    assert_eq!(all("/orderDetails/items/1/orderedQuantity/amount").iter().filter(|amount| *amount == "0").count(), 1);
    assert_eq!(all("/orderDetails/items/0/itemSequenceNumber").len(), 2);
    assert!(orders.iter().any(|order| order.pointer("/orderDetails/shipToParty/address").is_none()));
    let without_cost: Vec<_> = orders.iter().filter(|order| order.pointer("/orderDetails/items/0/netCost").is_none()).collect();
    assert!(without_cost.len() == 1 && without_cost[0].pointer("/orderDetails/items/0/listPrice").is_some());
    for order in &orders {
        let number = order["purchaseOrderNumber"].as_str().unwrap();
        let single = desk.get(&format!("{ORDERS}/{number}")).await;
        assert_eq!(single.json()["payload"], *order);
    }
}

#[tokio::test]
async fn orders_are_found_by_time_and_state() {
    let desk = Desk::with(&[], unlimited()).await;
    let week = ["SB1USA04", "SB1USA03", "SB1USA02", "SB1DEU02", "SB1USA01"];
    assert_eq!(desk.found("").await, week);
    assert_eq!(desk.found(&format!("createdAfter={}", days_ago(7))).await, week);
    assert_eq!(desk.found("sortOrder=DESC&purchaseOrderState=New").await, ["SB1USA01", "SB1DEU02"]);
    assert_eq!(desk.found(&format!("changedAfter={}", days_ago(3))).await, ["SB1USA04"]);
    assert_eq!(desk.found("isPOChanged=true").await, ["SB1USA04"]);
    assert_eq!(desk.found("poItemState=Cancelled").await, ["SB1USA04"]);
    assert_eq!(desk.found("orderingVendorCode=SBVDE").await, ["SB1DEU02"]);
    let offset = (Timestamp::now() - SignedDuration::from_hours(48)).strftime("%Y-%m-%dT%H:%M:%S%%2B00:00").to_string();
    assert_eq!(desk.found(&format!("createdAfter={offset}")).await, ["SB1USA02", "SB1DEU02", "SB1USA01"]);
    let brief = desk.ask_for(ORDERS, "includeDetails=false&limit=1").await;
    assert_eq!(brief["orders"][0], json!({ "purchaseOrderNumber": "SB1USA04", "purchaseOrderState": "Acknowledged" }));
}

#[tokio::test]
async fn lists_come_page_by_page() {
    let desk = Desk::with(&[], unlimited()).await;
    let (mut all, mut token, mut pages) = (Vec::new(), None, 0);
    loop {
        let next = token.map_or(String::new(), |token: String| {
            let encoded: String = url::form_urlencoded::byte_serialize(token.as_bytes()).collect();
            format!("&nextToken={encoded}")
        });
        let payload = desk.ask_for(ORDERS, &format!("limit=2&sortOrder=ASC{next}")).await;
        all.extend(numbers(&payload, "orders"));
        pages += 1;
        token = payload["pagination"]["nextToken"].as_str().map(str::to_owned);
        if token.is_none() {
            break;
        }
    }
    assert_eq!((all.len(), pages), (5, 3));
    let token = desk.ask_for(ORDERS, "limit=2").await["pagination"]["nextToken"].as_str().unwrap().to_owned();
    assert!(token.contains('+') && token.contains('='));
    let encoded: String = url::form_urlencoded::byte_serialize(token.as_bytes()).collect();
    for query in [format!("nextToken={token}"), format!("nextToken={encoded}&sortOrder=DESC")] {
        assert_eq!(desk.get(&format!("{ORDERS}?{query}")).await.status, 400, "{query}");
    }
}

#[tokio::test]
async fn a_query_that_is_wrong_is_refused() {
    let desk = Desk::with(&[], unlimited()).await;
    let (eight, month, now, nine) = (days_ago(8), days_ago(30), days_ago(0), days_ago(9));
    for query in [
        "limit=0".to_owned(),
        "limit=101".to_owned(),
        "limit=ten".to_owned(),
        "limit=1&limit=2".to_owned(),
        "marketplaceIds=ATVPDKIKX0DER".to_owned(),
        "purchaseOrderState=Open".to_owned(),
        "sortOrder=asc".to_owned(),
        "includeDetails=yes".to_owned(),
        "poItemState=".to_owned(),
        "createdAfter=2026-01-01".to_owned(),
        "createdAfter=2026-01-01T00:00:00".to_owned(),
        "createdAfter=2026-01-01T00:00:00+09:00".to_owned(),
        format!("createdAfter={eight}"),
        format!("createdAfter={month}&createdBefore={now}"),
        format!("changedAfter={month}&changedBefore={now}"),
        format!("createdAfter={eight}&createdBefore={nine}"),
        format!("createdAfter={}&createdBefore={}", days_ago(300), days_ago(295)),
        "nextToken=2".to_owned(),
    ] {
        let answer = desk.get(&format!("{ORDERS}?{query}")).await;
        assert_eq!((answer.status, answer.codes()), (400, vec!["InvalidInput".to_owned()]), "{query}");
        assert!(answer.has_request_id());
    }
    for (path, status) in [("SB1USA99", 404), ("SB1-SA01", 400), ("SB1USA01/items", 404), ("SB1USA01?limit=1", 400)] {
        assert_eq!(desk.get(&format!("{ORDERS}/{path}")).await.status, status, "{path}");
    }
    assert_eq!(desk.call("POST /vendor/orders/v1/purchaseOrders", &[], "").await.status, 405);
    assert_eq!(desk.send(&format!("GET {ORDERS}"), &[], "").await.status, 403);
}

#[tokio::test]
async fn a_status_tells_what_was_accepted_and_what_arrived() {
    let desk = Desk::with(&[], unlimited()).await;
    let statuses = desk.all(STATUS, "ordersStatus").await;
    assert_eq!(statuses.len(), 12);
    let of = |number: &str| statuses.iter().find(|status| status["purchaseOrderNumber"] == number).unwrap();
    let partly = &of("SB1USA02")["itemStatus"][0];
    assert_eq!(partly["buyerProductIdentifier"], "B0SANDBX01");
    let acknowledged = &partly["acknowledgementStatus"];
    assert_eq!(acknowledged["confirmationStatus"], "PARTIALLY_ACCEPTED");
    assert_eq!(
        (&acknowledged["acceptedQuantity"]["amount"], &acknowledged["rejectedQuantity"]["amount"]),
        (&json!(8), &json!(2))
    );
    assert_eq!(partly["orderedQuantity"]["orderedQuantity"], json!({ "amount": 10, "unitOfMeasure": "Cases", "unitSize": 12 }));
    let cancelled = &of("SB1USA04")["itemStatus"][1]["orderedQuantity"];
    assert_eq!(cancelled["orderedQuantityDetails"][0]["cancelledQuantity"]["amount"], 12);
    assert_eq!(of("SB1FRA01")["itemStatus"][0]["receivingStatus"]["receiveStatus"], "PARTIALLY_RECEIVED");
    assert_eq!(of("SB1USA05")["purchaseOrderStatus"], "CLOSED");
    let found = async |query: &str| numbers(&desk.ask_for(STATUS, query).await, "ordersStatus");
    assert_eq!(found("purchaseOrderNumber=SB1DEU01").await, ["SB1DEU01"]);
    assert_eq!(found("itemConfirmationStatus=UNCONFIRMED").await, ["SB1DEU02", "SB1USA01"]);
    assert_eq!(found(&format!("updatedAfter={}&updatedBefore={}", days_ago(17), days_ago(10))).await.len(), 4);
    let query = format!("createdAfter={}&createdBefore={}", days_ago(30), days_ago(23));
    assert_eq!(found(&format!("{query}&purchaseOrderStatus=CLOSED")).await, ["SB1DEU01"]);
    assert_eq!(found(&format!("{query}&itemConfirmationStatus=REJECTED")).await, ["SB1JPN01"]);
    assert_eq!(found(&format!("{query}&itemReceiveStatus=RECEIVED&shipToPartyId=SBX7")).await, ["SB1DEU01"]);
    assert_eq!(desk.get(&format!("{STATUS}?includeDetails=true")).await.status, 400);
}
