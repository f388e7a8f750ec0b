//! An order of Amazon's as a canonical purchase order. What has no field of ours stands among the custom fields, under Amazon's
//! own names.

use super::super::Amazon;
use super::read::{Reader, text};
use super::unreadable;
use crate::adapter::Fetched;
use crate::formats::tree::Tree;
use crate::model::{CustomField, Document, Fault, Given, Item, OrderLine, OrderStatus, Path, PurchaseOrder, Text, decimal};

/// The purchase order that an order is.
pub(super) fn order(raw: &str, target: &Amazon) -> Fetched {
    let Some(mut tree) = Tree::read(raw) else { return unreadable(raw) };
    let Some(number) = tree.take_text("purchaseOrderNumber") else { return unreadable(raw) };
    let mut reader = Reader::new(target);
    let status = status(&tree);
    let mut details = tree.take("orderDetails").unwrap_or_default();
    let at = Path::ROOT;
    let date = reader.date(&mut details, "purchaseOrderDate", &at);
    let buyer = reader.party(&mut details, "buyingParty", &at);
    let seller = reader.party(&mut details, "sellingParty", &at);
    let mut currency = Text::default();
    let mut lines = Vec::new();
    for (index, item) in details.take_list("items").into_iter().enumerate() {
        let here = at.field("items");
        lines.push(line(item, &here.index(index), &mut currency, &mut reader));
    }
    let mut fields = custom_fields(&tree);
    fields.extend(custom_fields(&details));
    let order = PurchaseOrder {
        number: number.clone().into(),
        issue_date: Given(date),
        currency,
        status,
        seller,
        buyer,
        custom_fields: fields,
        lines,
        ..PurchaseOrder::default()
    };
    let faults = reader.faults;
    let is_whole = !faults.iter().any(Fault::is_error);
    Fetched { number: Some(number), document: is_whole.then_some(Document::PurchaseOrder(order)), faults }
}

/// How far an order has come, in our words. Amazon's own word stays among the custom fields: that an order is acknowledged has
/// no word of ours.
fn status(tree: &Tree) -> Given<OrderStatus> {
    match tree.text("purchaseOrderState") {
        Some("New" | "Acknowledged") => OrderStatus::Active.into(),
        Some("Closed") => OrderStatus::Closed.into(),
        _ => Given(None),
    }
}

fn line(mut item: Tree, at: &Path<'_>, currency: &mut Text<'static>, reader: &mut Reader<'_>) -> OrderLine<'static> {
    let mut line = OrderLine {
        id: text(&mut item, "itemSequenceNumber"),
        item: Item {
            buyers_id: text(&mut item, "amazonProductIdentifier"),
            sellers_id: text(&mut item, "vendorProductIdentifier"),
            ..Item::default()
        },
        ..OrderLine::default()
    };
    let price = reader.price(&item, at);
    let quantity = reader.quantity(&item, "orderedQuantity", at);
    let by_weight = !price.weight.is_empty();
    let mut is_as_it_came = false;
    match quantity.as_ref().map(|quantity| (quantity.amount, quantity.counted(by_weight))) {
        Some((ordered, Ok(counted))) => {
            is_as_it_came = counted.unit == "EA" && counted.amount == ordered;
            line.quantity = counted.amount.into();
            line.unit = counted.unit.into();
        }
        Some((_, Err(why))) => {
            reader.faults.push(Fault::warning("AMZ-082", at.field("orderedQuantity"), format!("{why}; quantity is left out")));
        }
        None => {}
    }
    match price.amount {
        Some(_) if by_weight => {
            let message = format!("the price is for {}, not for a piece; price is left out", price.weight.to_lowercase());
            reader.faults.push(Fault::warning("AMZ-083", at.field("netCost"), message));
        }
        Some(amount) => line.price = amount.into(),
        None => reader.faults.push(no_net_cost(&item, at)),
    }
    if price.currency.is_given() {
        if currency.is_given() && *currency != price.currency {
            let message = format!("{} is not the currency of the lines before, {currency}", price.currency);
            reader.faults.push(Fault::error("AMZ-081", at.field("netCost").field("currencyCode"), message));
        }
        *currency = price.currency;
    }
    line.custom_fields = custom_fields(&item);
    // What stands in a field of ours is not said twice. Cases that were counted in pieces, and a price by weight, are.
    line.custom_fields.retain(|field| match field.key.as_str() {
        "orderedQuantity.amount" | "orderedQuantity.unitOfMeasure" => !is_as_it_came,
        "netCost.amount" | "netCost.currencyCode" => line.price.is_none(),
        _ => true,
    });
    line
}

/// That a line has no net cost, and what it has instead.
pub(super) fn no_net_cost(item: &Tree, at: &Path<'_>) -> Fault {
    let list_price = item.get("listPrice").and_then(|price| decimal::parse(price.text("amount")?).ok()).map(decimal::to_text);
    let message = match list_price {
        Some(amount) => format!("the line has no net cost, only a list price of {amount}; price is left out"),
        None => "the line has no net cost; price is left out".to_owned(),
    };
    Fault::warning("AMZ-084", at.field("netCost"), message)
}

fn custom_fields(tree: &Tree) -> Vec<CustomField<'static>> {
    let field = |(key, value): (String, String)| CustomField { key: key.into(), value: value.into() };
    tree.leaves().into_iter().map(field).collect()
}
