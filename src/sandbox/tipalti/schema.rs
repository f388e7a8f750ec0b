//! The shape of `CreateOrUpdatePurchaseOrders` (API v6): which elements there are, in which order, of
//! which type, and which of them the documentation calls mandatory.

use super::value::Type;

/// A record of the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Record {
    Call,
    Order,
    Line,
    Approver,
    CustomField,
}

/// What an element holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    Value(Type),
    /// Any number of records, each in an element of this name.
    List(Record, &'static str),
}

/// One element of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Element {
    pub(super) name: &'static str,
    pub(super) content: Content,
    /// Whether the element may say `xsi:nil`.
    pub(super) nillable: bool,
    /// Whether an order is refused without it.
    pub(super) mandatory: bool,
}

impl Element {
    /// Whether a local name is this element's. The vendor's page and its schema spell two names
    /// differently, and which of them v6 wants is not known: both are taken.
    pub(super) fn is_called(&self, name: &str) -> bool {
        self.name == name
            || match self.name {
                "AccountExternalID" => name == "AccountExternalId",
                "ItemExternalID" => name == "ItemExternalId",
                _ => false,
            }
    }
}

impl Record {
    /// The elements of the record, in the order of the schema.
    pub(super) fn elements(self) -> &'static [Element] {
        match self {
            Self::Call => CALL,
            Self::Order => ORDER,
            Self::Line => LINE,
            Self::Approver => APPROVER,
            Self::CustomField => CUSTOM_FIELD,
        }
    }
}

const TEXT: Content = Content::Value(Type::Text);
const DECIMAL: Content = Content::Value(Type::Decimal);
const CUSTOM_FIELDS: Content = Content::List(Record::CustomField, "KeyValuePair");
const STATUS: Content = Content::Value(Type::OneOf(&["Active", "Closed", "Deleted", "PartiallyBilled", "PendingApproval"]));
const LINE_TYPE: Content = Content::Value(Type::OneOf(&["Item", "Expense"]));

/// Strings and lists are reference types of the vendor's platform, and those may be nil.
const fn optional(name: &'static str, content: Content) -> Element {
    Element { name, content, nillable: true, mandatory: false }
}

const fn mandatory(name: &'static str, content: Content) -> Element {
    Element { name, content, nillable: true, mandatory: true }
}

/// A value type: it may be left out as far as the reader goes, but not be nil.
const fn plain(element: Element) -> Element {
    Element { nillable: false, ..element }
}

const CALL: &[Element] = &[
    optional("payerName", TEXT),
    plain(optional("timestamp", Content::Value(Type::Double))),
    optional("key", TEXT),
    optional("purchaseOrders", Content::List(Record::Order, "TipaltiPurchaseOrderItem")),
];

const ORDER: &[Element] = &[
    optional("Idap", TEXT),
    mandatory("PurchaseOrderNumber", TEXT),
    plain(optional("Status", STATUS)),
    mandatory("Memo", TEXT),
    plain(mandatory("PurchaseOrderDate", Content::Value(Type::DateTime))),
    optional("PayerEntity", TEXT),
    mandatory("Currency", TEXT),
    optional("Approvers", Content::List(Record::Approver, "TipaltiInvoiceApprover")),
    optional("CustomFields", CUSTOM_FIELDS),
    optional("PurchaseOrderLines", Content::List(Record::Line, "PurchaseOrderLine")),
    // Not on the vendor's page, but in its schema.
    optional("OldPurchaseOrderNumber", TEXT),
];

const LINE: &[Element] = &[
    mandatory("Item", TEXT),
    mandatory("Quantity", DECIMAL),
    optional("Units", TEXT),
    optional("LineDescription", TEXT),
    mandatory("Rate", DECIMAL),
    mandatory("Amount", DECIMAL),
    optional("DiscountValue", DECIMAL),
    optional("NetValue", DECIMAL),
    optional("Account", TEXT),
    optional("TaxAmount", DECIMAL),
    optional("CustomFields", CUSTOM_FIELDS),
    optional("PoLineId", TEXT),
    mandatory("LineType", LINE_TYPE),
    mandatory("BilledQuantity", DECIMAL),
    mandatory("BilledAmount", DECIMAL),
    mandatory("AccountExternalID", TEXT),
    mandatory("ItemExternalID", TEXT),
    plain(mandatory("IsClosed", Content::Value(Type::Boolean))),
    optional("TaxCodeExternalId", TEXT),
    optional("UnitsExternalId", TEXT),
];

const APPROVER: &[Element] = &[optional("Name", TEXT), optional("Email", TEXT), optional("Order", Content::Value(Type::Int))];

const CUSTOM_FIELD: &[Element] = &[optional("Key", TEXT), optional("Value", TEXT)];
