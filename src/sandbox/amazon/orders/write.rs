//! Writes an order in the two shapes that the vendor has for it: as it was ordered, and how it stands.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::catalogue::{Line, Market, Order, Price};

/// An order with its times, so many hours before the sandbox was started.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dated {
    pub(super) order: &'static Order,
    pub(super) created: Timestamp,
    pub(super) state_changed: Timestamp,
    pub(super) changed: Option<Timestamp>,
}

impl Dated {
    pub(super) fn new(order: &'static Order, origin: Timestamp) -> Self {
        let ago = |hours| origin.saturating_sub(SignedDuration::from_hours(hours)).unwrap_or(origin);
        let (created, state_changed) = (ago(order.created_h), ago(order.state_changed_h));
        Self { order, created, state_changed, changed: order.changed_h.map(ago) }
    }

    /// When anything about it changed last.
    pub(super) fn updated(&self) -> Timestamp {
        self.changed.map_or(self.state_changed, |changed| changed.max(self.state_changed))
    }

    /// Without details: the number and the state.
    pub(super) fn brief(&self) -> Value {
        json!({ "purchaseOrderNumber": self.order.number, "purchaseOrderState": self.order.state })
    }

    /// As it was ordered.
    pub(super) fn whole(&self) -> Value {
        let Order { market, vendor, ship_to, has_addresses, .. } = *self.order;
        let day = |days: i64| time(self.created.saturating_add(SignedDuration::from_hours(24 * days)).unwrap_or(self.created));
        let items = self.order.lines.iter().enumerate().map(|(index, line)| self.item(index, line));
        let mut details = json!({
            "purchaseOrderDate": time(self.created),
            "purchaseOrderStateChangedDate": time(self.state_changed),
            "purchaseOrderType": self.order.kind,
            "paymentMethod": self.order.payment,
            "buyingParty": party(ship_to, None),
            "sellingParty": party(vendor, None),
            "shipToParty": party(ship_to, has_addresses.then_some(market)),
            "billToParty": bill_to(market, has_addresses),
            "shipWindow": format!("{}--{}", day(1), day(4)),
            "deliveryWindow": format!("{}--{}", day(3), day(8)),
            "items": items.collect::<Vec<_>>(),
        });
        if let (Some(changed), Some(details)) = (self.changed, details.as_object_mut()) {
            details.insert("purchaseOrderChangedDate".to_owned(), time(changed).into());
        }
        json!({
            "purchaseOrderNumber": self.order.number,
            "purchaseOrderState": self.order.state,
            "orderDetails": details,
        })
    }

    fn item(&self, index: usize, line: &Line) -> Value {
        let mut item = Map::new();
        item.insert("itemSequenceNumber".to_owned(), self.sequence(index).into());
        insert(&mut item, "amazonProductIdentifier", line.asin);
        insert(&mut item, "vendorProductIdentifier", line.vendors_id);
        item.insert("orderedQuantity".to_owned(), quantity(line, line.ordered));
        item.insert("isBackOrderAllowed".to_owned(), false.into());
        self.insert_price(&mut item, line);
        item.into()
    }

    /// How it stands: what was accepted, what arrived.
    pub(super) fn status(&self) -> Value {
        let Order { market, vendor, ship_to, has_addresses, .. } = *self.order;
        let items = self.order.lines.iter().enumerate().map(|(index, line)| self.item_status(index, line));
        json!({
            "purchaseOrderNumber": self.order.number,
            "purchaseOrderStatus": self.standing(),
            "purchaseOrderDate": time(self.created),
            "lastUpdatedDate": time(self.updated()),
            "sellingParty": party(vendor, None),
            "shipToParty": party(ship_to, has_addresses.then_some(market)),
            "itemStatus": items.collect::<Vec<_>>(),
        })
    }

    pub(super) fn standing(&self) -> &'static str {
        if self.order.state == "Closed" { "CLOSED" } else { "OPEN" }
    }

    fn item_status(&self, index: usize, line: &Line) -> Value {
        let mut ordered = json!({ "orderedQuantity": quantity(line, line.ordered) });
        if let (Some(changed), Some(ordered)) = (self.changed.filter(|_| line.cancelled > 0), ordered.as_object_mut()) {
            let change = json!({
                "updatedDate": time(changed),
                "orderedQuantity": quantity(line, line.ordered),
                "cancelledQuantity": quantity(line, line.cancelled),
            });
            ordered.insert("orderedQuantityDetails".to_owned(), json!([change]));
        }
        let mut acknowledged = json!({ "confirmationStatus": confirmation(line) });
        if let (Some(accepted), Some(acknowledged)) = (line.accepted, acknowledged.as_object_mut()) {
            acknowledged.insert("acceptedQuantity".to_owned(), quantity(line, accepted));
            acknowledged.insert("rejectedQuantity".to_owned(), quantity(line, line.ordered - accepted));
        }
        let mut received = json!({ "receiveStatus": receipt(line), "receivedQuantity": quantity(line, line.received) });
        if let Some(received) = received.as_object_mut().filter(|_| line.received > 0) {
            received.insert("lastReceiveDate".to_owned(), time(self.updated()).into());
        }
        let mut item = Map::new();
        item.insert("itemSequenceNumber".to_owned(), self.sequence(index).into());
        // The same id has another name here.
        insert(&mut item, "buyerProductIdentifier", line.asin);
        insert(&mut item, "vendorProductIdentifier", line.vendors_id);
        self.insert_price(&mut item, line);
        item.insert("orderedQuantity".to_owned(), ordered);
        item.insert("acknowledgementStatus".to_owned(), acknowledged);
        item.insert("receivingStatus".to_owned(), received);
        item.into()
    }

    fn sequence(&self, index: usize) -> String {
        let number = index + 1;
        if self.order.padded { format!("{number:05}") } else { number.to_string() }
    }

    fn insert_price(&self, item: &mut Map<String, Value>, line: &Line) {
        let currency = self.order.market.currency;
        let (name, price) = match line.price {
            Price::Net(amount) => ("netCost", json!({ "currencyCode": currency, "amount": amount })),
            Price::List(amount) => ("listPrice", json!({ "currencyCode": currency, "amount": amount })),
            Price::NetByWeight(amount, unit) => {
                ("netCost", json!({ "currencyCode": currency, "amount": amount, "unitOfMeasure": unit }))
            }
        };
        item.insert(name.to_owned(), price);
    }
}

/// What the vendor said of a line.
pub(super) fn confirmation(line: &Line) -> &'static str {
    match line.accepted {
        None => "UNCONFIRMED",
        Some(0) => "REJECTED",
        Some(accepted) if accepted < line.ordered => "PARTIALLY_ACCEPTED",
        Some(_) => "ACCEPTED",
    }
}

/// What arrived of a line.
pub(super) fn receipt(line: &Line) -> &'static str {
    match line.received {
        0 => "NOT_RECEIVED",
        received if Some(received) < line.accepted => "PARTIALLY_RECEIVED",
        _ => "RECEIVED",
    }
}

fn time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn insert(item: &mut Map<String, Value>, name: &str, value: Option<&str>) {
    if let Some(value) = value {
        item.insert(name.to_owned(), value.into());
    }
}

fn quantity(line: &Line, amount: i64) -> Value {
    match line.case_of {
        None => json!({ "amount": amount, "unitOfMeasure": "Eaches" }),
        Some(size) => json!({ "amount": amount, "unitOfMeasure": "Cases", "unitSize": size }),
    }
}

fn party(id: &str, address: Option<&Market>) -> Value {
    match address {
        None => json!({ "partyId": id }),
        Some(market) => json!({ "partyId": id, "address": address_of(market) }),
    }
}

fn bill_to(market: &Market, has_address: bool) -> Value {
    let mut party = party(market.bill_to, has_address.then_some(market));
    if let (Some((kind, number)), Some(party)) = (market.tax, party.as_object_mut()) {
        let tax = json!({ "taxRegistrationType": kind, "taxRegistrationNumber": number });
        party.insert("taxInfo".to_owned(), tax);
    }
    party
}

fn address_of(market: &Market) -> Value {
    let mut address = Map::new();
    for (name, value) in [
        ("name", Some(market.name)),
        ("addressLine1", Some(market.street)),
        ("city", Some(market.city)),
        ("stateOrRegion", market.region),
        ("postalCode", Some(market.postal_code)),
        ("countryCode", Some(market.country)),
    ] {
        insert(&mut address, name, value);
    }
    address.into()
}
