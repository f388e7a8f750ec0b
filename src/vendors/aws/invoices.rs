//! Invoices of AWS's own, as AWS lists them, and whether our side has what they stand for.

use std::collections::HashSet;

use serde::Serialize;

/// An invoice that AWS lists. Words are AWS's; those that nobody has heard of are shown as they are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct AwsInvoice {
    /// The account.
    pub account: Option<String>,
    /// The invoice's id.
    pub invoice: Option<String>,
    /// `INVOICE`, `CREDIT_MEMO`, `PAYMENT_RECEIPT` …
    pub kind: Option<String>,
    /// When it was issued, RFC 3339 in UTC.
    pub issued_at: Option<String>,
    /// When it is due.
    pub due_at: Option<String>,
    /// The invoice that it corrects.
    pub original_invoice: Option<String>,
    /// The number of the purchase order.
    pub purchase_order: Option<String>,
    /// `DELIVERED` or `NOT_DELIVERED`.
    pub delivery: Option<String>,
    /// What tax authorities made of it.
    pub tax_authority: Option<String>,
    /// The currency, ISO 4217.
    pub currency: Option<String>,
    /// The total, as AWS writes it.
    pub total: Option<String>,
    /// What our side lacks of it, when it was compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing: Option<Missing>,
    /// The files that were saved of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
    /// Why there are not more of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unsaved: Vec<String>,
}

/// What our side lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// The order that it names.
    PurchaseOrder,
    /// The invoice itself, although AWS says that it was delivered.
    Invoice,
    /// Both.
    Both,
}

/// What our side has.
#[derive(Debug, Clone, Default)]
pub struct Ours {
    /// Numbers of purchase orders; nothing where our side keeps none.
    pub orders: Option<HashSet<String>>,
    /// Numbers of invoices, likewise.
    pub invoices: Option<HashSet<String>>,
}

impl Ours {
    /// What is missing of an invoice: the order that it names, and the invoice itself where it was delivered.
    pub fn lacks(&self, invoice: &AwsInvoice) -> Option<Missing> {
        let lacks = |known: &Option<HashSet<String>>, number: Option<&String>| {
            known.as_ref().zip(number).is_some_and(|(known, number)| !known.contains(number.as_str()))
        };
        let was_delivered = invoice.delivery.as_deref() == Some("DELIVERED");
        let order = lacks(&self.orders, invoice.purchase_order.as_ref());
        let itself = was_delivered && lacks(&self.invoices, invoice.invoice.as_ref());
        match (order, itself) {
            (true, true) => Some(Missing::Both),
            (true, false) => Some(Missing::PurchaseOrder),
            (false, true) => Some(Missing::Invoice),
            (false, false) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_our_side_lacks_is_told() {
        let set = |numbers: &[&str]| Some(numbers.iter().map(|number| (*number).to_owned()).collect());
        let invoice = |id: &str, order: Option<&str>, delivery: &str| AwsInvoice {
            invoice: Some(id.to_owned()),
            purchase_order: order.map(str::to_owned),
            delivery: Some(delivery.to_owned()),
            ..AwsInvoice::default()
        };
        let both = Ours { orders: set(&["PO-1"]), invoices: set(&["I-1"]) };
        assert_eq!(both.lacks(&invoice("I-1", Some("PO-1"), "DELIVERED")), None);
        assert_eq!(both.lacks(&invoice("I-2", Some("PO-1"), "DELIVERED")), Some(Missing::Invoice));
        assert_eq!(both.lacks(&invoice("I-2", Some("PO-1"), "NOT_DELIVERED")), None);
        assert_eq!(both.lacks(&invoice("I-2", Some("PO-2"), "DELIVERED")), Some(Missing::Both));
        assert_eq!(both.lacks(&invoice("I-1", None, "DELIVERED")), None);
        let orders = Ours { orders: set(&[]), invoices: None };
        assert_eq!(orders.lacks(&invoice("I-2", Some("PO-2"), "DELIVERED")), Some(Missing::PurchaseOrder));
        assert_eq!(Ours::default().lacks(&invoice("I-2", Some("PO-2"), "DELIVERED")), None);
    }
}
