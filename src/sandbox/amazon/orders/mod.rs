//! The purchase orders: lists of them by time and state, page by page, and single ones.

mod catalogue;
mod query;
mod write;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use self::catalogue::{Line, ORDERS};
use self::query::{Query, Range};
use self::write::{Dated, confirmation, receipt};
use super::reply::Refusal;

const LIST: &[&str] = &[
    "limit",
    "createdAfter",
    "createdBefore",
    "sortOrder",
    "nextToken",
    "includeDetails",
    "changedAfter",
    "changedBefore",
    "poItemState",
    "isPOChanged",
    "purchaseOrderState",
    "orderingVendorCode",
];

const STATUS: &[&str] = &[
    "limit",
    "sortOrder",
    "nextToken",
    "createdAfter",
    "createdBefore",
    "updatedAfter",
    "updatedBefore",
    "purchaseOrderNumber",
    "purchaseOrderStatus",
    "itemConfirmationStatus",
    "itemReceiveStatus",
    "orderingVendorCode",
    "shipToPartyId",
];

/// All orders, the oldest first.
#[derive(Debug)]
pub(super) struct Catalogue {
    orders: Vec<Dated>,
}

impl Catalogue {
    /// The orders of the month before this time.
    pub(super) fn new(origin: Timestamp) -> Self {
        let mut orders: Vec<Dated> = ORDERS.iter().map(|order| Dated::new(order, origin)).collect();
        orders.sort_by_key(|order| order.created);
        Self { orders }
    }

    /// One order.
    pub(super) fn order(&self, number: &str, query: &str) -> Result<Value, Refusal> {
        Query::read(query, &[])?;
        if number.len() != 8 || !number.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(Refusal::input("The purchase order number must be an 8-character alpha-numeric code."));
        }
        let found = self.orders.iter().find(|order| order.order.number == number);
        let missing = || Refusal::new(hyper::http::StatusCode::NOT_FOUND, "ResourceNotFound", "There is no such purchase order.");
        found.map(Dated::whole).ok_or_else(missing)
    }

    /// The orders that match.
    pub(super) fn orders(&self, query: &str, now: Timestamp) -> Result<Value, Refusal> {
        let query = Query::read(query, LIST)?;
        let booleans = ["true", "false"];
        let with_details = query.one_of("includeDetails", &booleans)? != Some("false");
        let changed_only = query.one_of("isPOChanged", &booleans)? == Some("true");
        let cancelled_only = query.one_of("poItemState", &["Cancelled"])?.is_some();
        let state = query.one_of("purchaseOrderState", &["New", "Acknowledged", "Closed"])?;
        let vendor = query.text("orderingVendorCode");
        let changed = query.range("changedAfter", "changedBefore", now)?;
        let created = query.range("createdAfter", "createdBefore", now)?;
        let created = created.or_else(|| changed.is_none().then(|| last_week(now)));
        let matches = |order: &&Dated| {
            is_within(created, Some(order.created))
                && is_within(changed, order.changed)
                && (!changed_only || order.changed.is_some())
                && (!cancelled_only || order.order.lines.iter().any(|line| line.ordered == 0))
                && state.is_none_or(|state| order.order.state == state)
                && vendor.is_none_or(|vendor| order.order.vendor == vendor)
        };
        let found: Vec<&Dated> = self.orders.iter().filter(matches).collect();
        page(&query, found, "orders", if with_details { Dated::whole } else { Dated::brief })
    }

    /// How the orders stand that match.
    pub(super) fn statuses(&self, query: &str, now: Timestamp) -> Result<Value, Refusal> {
        let query = Query::read(query, STATUS)?;
        let standing = query.one_of("purchaseOrderStatus", &["OPEN", "CLOSED"])?;
        let confirmations = ["ACCEPTED", "PARTIALLY_ACCEPTED", "REJECTED", "UNCONFIRMED"];
        let confirmed = query.one_of("itemConfirmationStatus", &confirmations)?;
        let received = query.one_of("itemReceiveStatus", &["NOT_RECEIVED", "PARTIALLY_RECEIVED", "RECEIVED"])?;
        let number = query.text("purchaseOrderNumber");
        let (vendor, ship_to) = (query.text("orderingVendorCode"), query.text("shipToPartyId"));
        let updated = query.range("updatedAfter", "updatedBefore", now)?;
        let created = query.range("createdAfter", "createdBefore", now)?;
        // Who names an order means it, whatever its age.
        let created = created.or_else(|| (updated.is_none() && number.is_none()).then(|| last_week(now)));
        let any = |order: &Dated, test: &dyn Fn(&Line) -> bool| order.order.lines.iter().any(test);
        let matches = |order: &&Dated| {
            is_within(created, Some(order.created))
                && is_within(updated, Some(order.updated()))
                && number.is_none_or(|number| order.order.number == number)
                && standing.is_none_or(|standing| order.standing() == standing)
                && confirmed.is_none_or(|wanted| any(order, &|line| confirmation(line) == wanted))
                && received.is_none_or(|wanted| any(order, &|line| receipt(line) == wanted))
                && vendor.is_none_or(|vendor| order.order.vendor == vendor)
                && ship_to.is_none_or(|ship_to| order.order.ship_to == ship_to)
        };
        let found: Vec<&Dated> = self.orders.iter().filter(matches).collect();
        page(&query, found, "ordersStatus", Dated::status)
    }
}

/// One page of what was found, and a token when there are more.
fn page(query: &Query, mut found: Vec<&Dated>, name: &str, write: impl Fn(&Dated) -> Value) -> Result<Value, Refusal> {
    if query.one_of("sortOrder", &["ASC", "DESC"])? == Some("DESC") {
        found.reverse();
    }
    let (offset, limit) = (query.offset()?, query.limit()?);
    let orders: Vec<Value> = found.iter().skip(offset).take(limit).map(|order| write(order)).collect();
    let next = offset + orders.len();
    let mut payload = json!({ name: orders });
    if let Some(payload) = payload.as_object_mut().filter(|_| next < found.len()) {
        payload.insert("pagination".to_owned(), json!({ "nextToken": query.token(next) }));
    }
    Ok(payload)
}

fn last_week(now: Timestamp) -> Range {
    (now.saturating_sub(SignedDuration::from_hours(7 * 24)).unwrap_or(Timestamp::MIN), now)
}

fn is_within(range: Option<Range>, time: Option<Timestamp>) -> bool {
    range.is_none_or(|(from, to)| time.is_some_and(|time| from <= time && time <= to))
}
