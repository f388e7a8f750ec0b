//! An order of Amazon's as the draft of an invoice: what was accepted of it, at the order's prices. What an order does not say
//! (the invoice's number and date, taxes, weights) stays open, for a person or an ERP to fill in.

use rust_decimal::Decimal;

use super::super::{Amazon, map};
use super::order::no_net_cost;
use super::read::{Counted, Price, Quantity, Reader, moment, text, weight_unit};
use super::unreadable;
use crate::adapter::Fetched;
use crate::formats::tree::Tree;
use crate::model::{Document, Fault, Given, Invoice, InvoiceLine, InvoiceType, Item, Party, Path, Text};

/// The number of an order that may become an invoice.
pub(super) fn number(raw: &str) -> Result<String, Box<Fetched>> {
    let Some(tree) = Tree::read(raw) else { return Err(Box::new(unreadable(raw))) };
    let Some(number) = tree.text("purchaseOrderNumber") else { return Err(Box::new(unreadable(raw))) };
    let no = |rule: &'static str, path: &str, found: &str, says: &str| {
        let fault = Fault::warning(rule, path, format!("{found}: {says}")).found(found);
        Err(Box::new(Fetched { number: Some(number.to_owned()), document: None, faults: vec![fault] }))
    };
    match tree.get("orderDetails").and_then(|details| details.text("paymentMethod")) {
        None | Some("Invoice") => {}
        Some(other) => {
            return no("AMZ-086", "paymentMethod", other, "the order is not paid by invoice, so none is drafted");
        }
    }
    if let Some(state @ "New") = tree.text("purchaseOrderState") {
        return no("AMZ-087", "purchaseOrderState", state, "the order is not acknowledged yet, so nothing of it can be invoiced");
    }
    Ok(number.to_owned())
}

/// The draft of an invoice for an order, with its status.
pub(super) fn invoice(raw: &str, standing: &[String], target: &Amazon) -> Fetched {
    let Some(mut tree) = Tree::read(raw) else { return unreadable(raw) };
    let Some(number) = tree.take_text("purchaseOrderNumber") else { return unreadable(raw) };
    let mut reader = Reader::new(target);
    let mut details = tree.take("orderDetails").unwrap_or_default();
    let at = Path::ROOT;
    let status = Status::of(&number, standing, &mut reader);
    let state = tree.text("purchaseOrderState").unwrap_or_default();
    if !matches!(state, "" | "Acknowledged" | "Closed") {
        let message = format!("{state:?} is a state that is not known here; look whether the order may be invoiced");
        reader.faults.push(Fault::warning("AMZ-085", "purchaseOrderState", message).found(state));
    }
    if state == "Closed" {
        let message = "Closed: Amazon expects nothing more for this order; look whether it was invoiced already";
        reader.faults.push(Fault::warning("AMZ-092", "purchaseOrderState", message).found("Closed"));
    }
    let changed = reader.date(&mut details, "purchaseOrderChangedDate", &at);
    if let (Some(changed), Some(updated)) = (changed.and_then(moment), status.updated)
        && changed > updated
    {
        let message = format!("the order was changed at {changed}, and its status is of {updated}; compare the quantities");
        reader.faults.push(Fault::warning("AMZ-091", at.field("purchaseOrderChangedDate"), message));
    }
    let seller = reader.party(&mut details, "sellingParty", &at).map(|party| known(party, target));
    let mut party = |name: &str| reader.party(&mut details, name, &at).map(|party| known(party, target));
    let (buyer, ship_to) = (party("billToParty"), party("shipToParty"));
    let mut invoice = Invoice {
        r#type: InvoiceType::Invoice.into(),
        payee: seller.clone(),
        buyer,
        ship_to,
        ship_from: seller,
        ..Invoice::default()
    };
    for (index, item) in details.take_list("items").into_iter().enumerate() {
        let items = at.field("items");
        let line = line(item, &items.index(index), &number, &status, &mut reader);
        let Some((mut line, price)) = line else { continue };
        if !invoice.currency.is_given() {
            invoice.currency = price.currency.clone();
        }
        if price.currency != invoice.currency {
            line.price_currency = price.currency;
        }
        invoice.lines.push(line);
    }
    let mut faults = reader.faults;
    let is_empty = invoice.lines.is_empty();
    if is_empty {
        let message = "no line is left to invoice";
        faults.push(Fault::warning("AMZ-090", at.field("items"), message));
    }
    Fetched { number: Some(number), document: (!is_empty).then_some(Document::Invoice(invoice)), faults }
}

/// A party; where the configuration knows it by its id, only the id, so that what is on record there is what goes.
fn known(party: Party<'static>, target: &Amazon) -> Party<'static> {
    if target.parties.contains_key(party.id.as_str()) { Party { id: party.id, ..Party::default() } } else { party }
}

/// A line with its price; `None` where nothing of it is to be invoiced.
fn line(
    mut item: Tree,
    at: &Path<'_>,
    number: &str,
    status: &Status,
    reader: &mut Reader<'_>,
) -> Option<(InvoiceLine<'static>, Price)> {
    let mut line = InvoiceLine {
        id: text(&mut item, "itemSequenceNumber"),
        item: Item {
            buyers_id: text(&mut item, "amazonProductIdentifier"),
            sellers_id: text(&mut item, "vendorProductIdentifier"),
            ..Item::default()
        },
        order_reference: number.to_owned().into(),
        ..InvoiceLine::default()
    };
    let price = reader.price(&item, at);
    let by_weight = !price.weight.is_empty();
    let ordered = reader.quantity(&item, "orderedQuantity", at);
    match status.accepted(&line, ordered, by_weight, at, reader) {
        Accepted::Nothing => return None,
        Accepted::Unknown => {}
        Accepted::Some(counted) => {
            line.quantity = counted.amount.into();
            line.unit = counted.unit.into();
            line.unit_size = Given(counted.size);
        }
    }
    line.price = Given(price.amount);
    if price.amount.is_none() {
        reader.faults.push(no_net_cost(&item, at));
    }
    if by_weight {
        match weight_unit(&price.weight, reader.target) {
            Some(code) => line.price_unit = code.into(),
            None => {
                // A price without its unit would be a price for something else.
                line.price = Given(None);
                let message = format!("{:?} is no unit of weight; price is left out", price.weight);
                reader.faults.push(Fault::warning("AMZ-085", at.field("netCost").field("unitOfMeasure"), message));
            }
        }
        let message = "the price is for a unit of weight, and an order does not say how heavy the goods are; fill in weight";
        reader.faults.push(Fault::warning("AMZ-083", at.field("netCost"), message));
    }
    Some((line, price))
}

/// How much of a line was accepted.
enum Accepted {
    Some(Counted),
    Nothing,
    Unknown,
}

/// What Amazon says of how an order stands.
struct Status {
    updated: Option<jiff::Timestamp>,
    items: Vec<Tree>,
}

impl Status {
    fn of(number: &str, standing: &[String], reader: &mut Reader<'_>) -> Self {
        let mut trees = standing.iter().filter_map(|raw| Tree::read(raw));
        let Some(mut ours) = trees.find(|tree| tree.text("purchaseOrderNumber") == Some(number)) else {
            return Self { updated: None, items: Vec::new() };
        };
        let updated = reader.date(&mut ours, "lastUpdatedDate", &Path::ROOT.field("ordersStatus"));
        Self { updated: updated.and_then(moment), items: ours.take_list("itemStatus") }
    }

    /// The status of a line: by its place in the order, and not of another item.
    fn of_line(&self, line: &InvoiceLine<'_>) -> Option<&Tree> {
        let number = |id: &str| map::sequence(id).ok_or_else(|| id.to_owned());
        let is_ours = |status: &&Tree| {
            let same = |name, ours: &Text<'_>| match (status.text(name), ours.given()) {
                (Some(theirs), Some(ours)) => theirs == ours,
                _ => true,
            };
            status.text("itemSequenceNumber").is_some_and(|theirs| number(theirs) == number(&line.id))
                && same("buyerProductIdentifier", &line.item.buyers_id)
                && same("vendorProductIdentifier", &line.item.sellers_id)
        };
        let mut found = self.items.iter().filter(is_ours);
        found.next().filter(|_| found.next().is_none())
    }

    fn accepted(
        &self,
        line: &InvoiceLine<'_>,
        ordered: Option<Quantity>,
        by_weight: bool,
        at: &Path<'_>,
        reader: &mut Reader<'_>,
    ) -> Accepted {
        if ordered.as_ref().is_some_and(|ordered| ordered.amount.is_zero()) {
            reader.faults.push(Fault::warning("AMZ-089", at, "the line was cancelled, and is left out"));
            return Accepted::Nothing;
        }
        let Some(status) = self.of_line(line) else {
            return unknown("Amazon's status of the order does not speak of this line, or not in one voice", at, reader);
        };
        let acknowledged = status.get("acknowledgementStatus").unwrap_or(&Tree::Null);
        let Some(mut accepted) = reader.quantity(acknowledged, "acceptedQuantity", &at.field("acknowledgementStatus")) else {
            let why = match acknowledged.text("confirmationStatus") {
                Some("UNCONFIRMED") => "nothing is accepted of this line yet",
                _ => "it is not said how much of this line was accepted",
            };
            return unknown(why, at, reader);
        };
        if accepted.amount.is_zero() {
            reader.faults.push(Fault::warning("AMZ-089", at, "nothing of the line was accepted, and it is left out"));
            return Accepted::Nothing;
        }
        // A case of one line has the same size on both sides.
        accepted.size = accepted.size.or_else(|| ordered.as_ref().and_then(|ordered| ordered.size));
        let counted = match accepted.counted(by_weight) {
            Ok(counted) if counted.amount > Decimal::ZERO => counted,
            Ok(counted) => return unknown(&format!("{} is accepted, which is no quantity", counted.amount), at, reader),
            Err(why) => {
                let message = format!("{why}; quantity is left out");
                reader.faults.push(Fault::warning("AMZ-082", at.field("orderedQuantity"), message));
                return Accepted::Unknown;
            }
        };
        match ordered.map(|ordered| ordered.counted(by_weight)) {
            Some(Ok(ordered)) if ordered.unit == counted.unit && ordered.amount < counted.amount => {
                let why = format!("{} is accepted, and only {} is ordered by now", counted.amount, ordered.amount);
                unknown(&why, at, reader)
            }
            _ => Accepted::Some(counted),
        }
    }
}

fn unknown(why: &str, at: &Path<'_>, reader: &mut Reader<'_>) -> Accepted {
    let message = format!("{why}; quantity is left out, fill in what was delivered");
    reader.faults.push(Fault::warning("AMZ-088", at.field("orderedQuantity"), message));
    Accepted::Unknown
}
