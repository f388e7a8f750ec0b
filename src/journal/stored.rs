//! How an item is stored: as its JSON, with the amount that a report does not show.

use serde::{Deserialize, Serialize};

use crate::report::{Amount, Item};

/// An item with what its JSON leaves out.
#[derive(Serialize, Deserialize)]
struct Stored<I> {
    item: I,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    currency: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    amount: Option<String>,
}

/// Writes an item with its amount.
pub(crate) fn write_item(item: &Item, into: &mut Vec<u8>) -> serde_json::Result<()> {
    let currency = item.amount.as_ref().map(|amount| amount.currency.clone());
    let amount = item.amount.as_ref().map(|amount| amount.value.to_string());
    serde_json::to_writer(into, &Stored { item, currency, amount })
}

/// Reads what [`write_item`] wrote.
pub(crate) fn read_item(bytes: &[u8]) -> std::result::Result<Item, String> {
    let stored: Stored<Item> = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let value = stored.amount.map(|text| text.parse()).transpose().map_err(|error: rust_decimal::Error| error.to_string())?;
    let amount = stored.currency.zip(value).map(|(currency, value)| Amount { currency, value });
    Ok(Item { amount, ..stored.item })
}
