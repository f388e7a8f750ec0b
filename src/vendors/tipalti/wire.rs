//! The wire document: elements in the order of the v6 page, written straight into the buffer.
//!
//! An element that has no value is left out, never written empty: an empty decimal, boolean or enumeration makes the
//! whole call fail. `Status`, `PurchaseOrderDate` and `IsClosed` are not optional in the schema and always stand there.

use rust_decimal::Decimal;

use super::map::{self, PLACES};
use super::{Spelling, Tipalti, sign};
use crate::adapter::{DRY_RUN, Findings, Fragment, Stamp};
use crate::formats::{clock, soap, xml};
use crate::model::{Approver, CustomField, Date, Fault, LineKind, Number, OrderLine, OrderStatus, Path, PurchaseOrder, decimal};

/// Appends the body of a call.
pub(super) fn write_call(fragments: &mut dyn Iterator<Item = &[u8]>, payer_name: &str, stamp: &Stamp<'_>, body: &mut Vec<u8>) {
    body.extend_from_slice(soap::OPEN.as_bytes());
    body.extend_from_slice(br#"<CreateOrUpdatePurchaseOrders xmlns="http://Tipalti.org/"><payerName>"#);
    // The settings were checked: the name has no character that XML could not carry.
    let _checked = xml::escape(if payer_name.is_empty() { DRY_RUN } else { payer_name }, body);
    body.extend_from_slice(b"</payerName><timestamp>");
    body.extend_from_slice(itoa::Buffer::new().format(stamp.unix_seconds).as_bytes());
    body.extend_from_slice(b"</timestamp><key>");
    match stamp.secret {
        Some(master_key) => {
            let key = sign::key(master_key, &sign::string_to_sign(payer_name, stamp.unix_seconds));
            body.extend_from_slice(key.as_bytes());
        }
        None => body.extend_from_slice(DRY_RUN.as_bytes()),
    }
    body.extend_from_slice(b"</key><purchaseOrders>");
    for fragment in fragments {
        body.extend_from_slice(fragment);
    }
    body.extend_from_slice(b"</purchaseOrders></CreateOrUpdatePurchaseOrders>");
    body.extend_from_slice(soap::CLOSE.as_bytes());
}

/// Writes one `TipaltiPurchaseOrderItem`.
pub(super) fn write_order(order: &PurchaseOrder<'_>, target: &Tipalti, fragment: &mut Fragment, findings: &mut Findings) {
    let at = Path::ROOT;
    let mut w = Writer { fragment, findings };
    w.raw("<TipaltiPurchaseOrderItem>");
    if let Some(seller) = &order.seller {
        w.text("Idap", &seller.id, || at.field("seller").field("id").to_string());
    }
    w.text("PurchaseOrderNumber", &order.number, || at.field("number").to_string());
    w.plain("Status", map::status(order.status.unwrap_or(OrderStatus::Active)));
    w.text("Memo", &order.note, || at.field("note").to_string());
    w.date(*order.issue_date);
    w.text("PayerEntity", map::payer_entity(order, target), || at.field("buyer").field("entity").to_string());
    w.text("Currency", &order.currency, || at.field("currency").to_string());
    w.approvers(&order.approvers);
    w.custom_fields(&order.custom_fields, &at);
    w.raw("<PurchaseOrderLines>");
    let lines = at.field("lines");
    for (index, line) in order.lines.iter().enumerate() {
        w.line(line, &lines.index(index), target);
    }
    w.raw("</PurchaseOrderLines>");
    w.text("OldPurchaseOrderNumber", &order.previous_number, || at.field("previous_number").to_string());
    w.raw("</TipaltiPurchaseOrderItem>");
}

struct Writer<'w> {
    fragment: &'w mut Fragment,
    findings: &'w mut Findings,
}

impl Writer<'_> {
    fn raw(&mut self, markup: &str) {
        self.fragment.bytes.extend_from_slice(markup.as_bytes());
    }

    fn open(&mut self, name: &'static str) {
        self.fragment.bytes.push(b'<');
        self.raw(name);
        self.fragment.bytes.push(b'>');
    }

    fn close(&mut self, name: &'static str) {
        self.raw("</");
        self.raw(name);
        self.fragment.bytes.push(b'>');
    }

    /// An element with text that needs no escaping.
    fn plain(&mut self, name: &'static str, text: &str) {
        self.open(name);
        self.raw(text);
        self.close(name);
    }

    /// An element with text of the document, unless there is none. The path is made for a fault only.
    fn text(&mut self, name: &'static str, text: &str, path: impl FnOnce() -> String) {
        if text.is_empty() {
            return;
        }
        self.open(name);
        if let Err(illegal) = xml::escape(text, &mut self.fragment.bytes) {
            let path = path();
            let message = format!("{path} has the character {illegal} in it, which XML cannot carry; take it out");
            self.findings.faults.push(Fault::error("TIP-TEXT", path, message).found(text.escape_debug()));
        }
        self.close(name);
    }

    fn decimal(&mut self, name: &'static str, value: Option<Decimal>) {
        if let Some(value) = value {
            self.open(name);
            // A value with too many places has its fault already, and its fragment is thrown away.
            self.fragment.decimal(decimal::fit(value, PLACES).unwrap_or(value));
            self.close(name);
        }
    }

    /// The wall clock as it was written, without a zone: .NET would convert an offset to its own time and shift the day.
    fn date(&mut self, date: Option<Date>) {
        let Some(date) = date else { return };
        self.open("PurchaseOrderDate");
        clock::write(date.wall_clock(), &mut self.fragment.bytes);
        self.close("PurchaseOrderDate");
    }

    fn approvers(&mut self, approvers: &[Approver<'_>]) {
        if approvers.is_empty() {
            return;
        }
        let root = Path::ROOT.field("approvers");
        self.raw("<Approvers>");
        for (index, approver) in approvers.iter().enumerate() {
            let at = root.index(index);
            self.raw("<TipaltiInvoiceApprover>");
            self.text("Name", &approver.name, || at.field("name").to_string());
            self.text("Email", &approver.email, || at.field("email").to_string());
            if let Some(order) = *approver.order {
                self.plain("Order", itoa::Buffer::new().format(order));
            }
            self.raw("</TipaltiInvoiceApprover>");
        }
        self.raw("</Approvers>");
    }

    fn custom_fields(&mut self, fields: &[CustomField<'_>], at: &Path<'_>) {
        if fields.is_empty() {
            return;
        }
        let root = at.field("custom_fields");
        self.raw("<CustomFields>");
        for (index, field) in fields.iter().enumerate() {
            let at = root.index(index);
            self.raw("<KeyValuePair>");
            self.text("Key", &field.key, || at.field("key").to_string());
            self.text("Value", &field.value, || at.field("value").to_string());
            self.raw("</KeyValuePair>");
        }
        self.raw("</CustomFields>");
    }

    fn line(&mut self, line: &OrderLine<'_>, at: &Path<'_>, target: &Tipalti) {
        let path = |name: &str| at.field(name).to_string();
        let item = |name: &str| at.field("item").field(name).to_string();
        let amount = map::amount(line).map(|(amount, _)| amount);
        let (account_id, item_id) = match target.external_id_spelling {
            Spelling::Documented => ("AccountExternalID", "ItemExternalID"),
            Spelling::Schema => ("AccountExternalId", "ItemExternalId"),
        };
        self.raw("<PurchaseOrderLine>");
        self.text("Item", &line.item.buyers_id, || item("buyers_id"));
        self.decimal("Quantity", *line.quantity);
        self.text("Units", map::unit(&line.unit, target), || path("unit"));
        match line.item.description.given() {
            Some(description) => self.text("LineDescription", description, || item("description")),
            None => self.text("LineDescription", &line.item.name, || item("name")),
        }
        self.decimal("Rate", *line.price);
        self.decimal("Amount", amount);
        self.decimal("DiscountValue", *line.discount_amount);
        self.decimal("NetValue", map::net_value(line, amount).map(|(net, _)| net));
        self.text("Account", &line.account.number, || at.field("account").field("number").to_string());
        self.decimal("TaxAmount", *line.tax.amount);
        self.custom_fields(&line.custom_fields, at);
        self.text("PoLineId", &line.id, || path("id"));
        self.plain("LineType", map::line_type(line.kind.unwrap_or(LineKind::Item)));
        self.or_zero("BilledQuantity", &line.billed_quantity);
        self.or_zero("BilledAmount", &line.billed_amount);
        self.text(account_id, &line.account.external_id, || at.field("account").field("external_id").to_string());
        self.text(item_id, &line.item.external_id, || item("external_id"));
        self.plain("IsClosed", if line.closed.unwrap_or(false) { "true" } else { "false" });
        self.text("TaxCodeExternalId", &line.tax.code, || at.field("tax").field("code").to_string());
        self.text("UnitsExternalId", &line.unit_external_id, || path("unit_external_id"));
        self.raw("</PurchaseOrderLine>");
    }

    fn or_zero(&mut self, name: &'static str, value: &Number) {
        self.decimal(name, Some(value.unwrap_or(Decimal::ZERO)));
    }
}
