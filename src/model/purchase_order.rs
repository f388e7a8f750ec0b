//! The purchase order, in the words of UBL 2.1 Order and EN 16931.

use super::date::Date;
use super::gather::record;
use super::party::{Item, Party};
use super::value::{Given, Number};
use super::words::{LineKind, OrderStatus};
use super::{OrderTag, Text};

record! {
    /// A purchase order.
    ///
    /// ```
    /// use payables_bridge::model::{OrderLine, PurchaseOrder};
    ///
    /// let order = PurchaseOrder {
    ///     number: "PO-1001".into(),
    ///     currency: "EUR".into(),
    ///     lines: vec![OrderLine { id: "1".into(), ..OrderLine::default() }],
    ///     ..PurchaseOrder::default()
    /// };
    /// assert_eq!(order.lines.len(), 1);
    /// ```
    #[schemars(extend("required" = ["kind", "number", "issue_date", "currency", "note", "lines"]))]
    pub struct PurchaseOrder<'a> {
        /// Always `purchase_order`.
        kind: OrderTag,
        /// The order's number (UBL Order ID).
        number: Text<'a>,
        /// The number that the order had before.
        previous_number: Text<'a>,
        /// When it was issued (UBL IssueDate).
        issue_date: Given<Date>,
        /// The currency, ISO 4217 (BT-5).
        currency: Text<'a>,
        /// How far it has come; `active` when it is not given.
        status: Given<OrderStatus>,
        /// What it is for (BT-22).
        note: Text<'a>,
        /// The supplier; its `id` (BT-29) is the payee.
        seller: Option<Party<'a>>,
        /// The buyer; its `entity` is the payer's legal entity.
        buyer: Option<Party<'a>>,
        /// Who approves the bills.
        approvers: Vec<Approver<'a>>,
        /// Fields of one's own.
        custom_fields: Vec<CustomField<'a>>,
        /// The lines, at least one.
        lines: Vec<OrderLine<'a>>,
    }
}

record! {
    /// Somebody who approves the bills of an order.
    pub struct Approver<'a> {
        /// The approver's name.
        name: Text<'a>,
        /// The approver's e-mail address.
        email: Text<'a>,
        /// The place in the sequence of approvals.
        order: Given<i32>,
    }
}

record! {
    /// A field of one's own, by its title in the target.
    #[schemars(extend("required" = ["key"]))]
    pub struct CustomField<'a> {
        /// The field's title.
        key: Text<'a>,
        /// Its value.
        value: Text<'a>,
    }
}

record! {
    /// The tax of an order's line.
    pub struct LineTax<'a> {
        /// How much, in the order's currency.
        amount: Number,
        /// The tax code's identifier in the ERP.
        code: Text<'a>,
    }
}

record! {
    /// The general-ledger account of a line.
    #[schemars(extend("required" = ["external_id"]))]
    pub struct Account<'a> {
        /// The account's reference in the ERP (BT-133).
        number: Text<'a>,
        /// The account's unique identifier in the ERP.
        external_id: Text<'a>,
    }
}

record! {
    /// A line of a purchase order.
    #[schemars(extend("required" = ["item", "quantity", "price", "account"]))]
    pub struct OrderLine<'a> {
        /// The line's identifier, unique within the order (BT-126).
        id: Text<'a>,
        /// Item or expense; `item` when it is not given.
        kind: Given<LineKind>,
        /// What is bought.
        item: Item<'a>,
        /// How much of it (BT-129).
        quantity: Number,
        /// The unit, UN/ECE Recommendation 20 (BT-130).
        unit: Text<'a>,
        /// The unit's identifier in the ERP.
        unit_external_id: Text<'a>,
        /// The price of one unit (BT-146).
        price: Number,
        /// Price × quantity when it is not given.
        amount: Number,
        /// The discount on the line (BT-136).
        discount_amount: Number,
        /// Amount − discount when it is not given but a discount is (BT-131).
        net_amount: Number,
        /// The tax on the line.
        tax: LineTax<'a>,
        /// The general-ledger account.
        account: Account<'a>,
        /// How much has been billed; 0 when it is not given.
        billed_quantity: Number,
        /// For how much has been billed; 0 when it is not given.
        billed_amount: Number,
        /// Whether the line is out of matching; `false` when it is not given.
        closed: Given<bool>,
        /// Fields of one's own.
        custom_fields: Vec<CustomField<'a>>,
    }
}
