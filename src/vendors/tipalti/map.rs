//! The words and values of a canonical order as Tipalti has them.

use rust_decimal::Decimal;

use super::Tipalti;
use crate::model::{LineKind, OrderLine, OrderStatus, PurchaseOrder, decimal, derived_amount};

/// Decimals have at most four places (Tipalti v6 page).
pub(super) const PLACES: u32 = 4;

/// `Status` (eUploadCenterRecordStatus).
pub(super) fn status(status: OrderStatus) -> &'static str {
    match status {
        OrderStatus::Active => "Active",
        OrderStatus::Closed => "Closed",
        OrderStatus::Deleted => "Deleted",
        OrderStatus::PartiallyBilled => "PartiallyBilled",
        OrderStatus::PendingApproval => "PendingApproval",
    }
}

/// `LineType` (eLineType).
pub(super) fn line_type(kind: LineKind) -> &'static str {
    match kind {
        LineKind::Item => "Item",
        LineKind::Expense => "Expense",
    }
}

/// `Units`: the target's name for the code, or the code as it is.
pub(super) fn unit<'u>(code: &'u str, target: &'u Tipalti) -> &'u str {
    if target.units.is_empty() { code } else { target.units.get(code).map_or(code, String::as_str) }
}

/// `PayerEntity`: the document's, or the target's.
pub(super) fn payer_entity<'e>(order: &'e PurchaseOrder<'_>, target: &'e Tipalti) -> &'e str {
    order.buyer.as_ref().and_then(|buyer| buyer.entity.given()).unwrap_or(&target.payer_entity)
}

/// `Amount`: given, or Rate × Quantity; the flag says whether rounding changed it.
pub(super) fn amount(line: &OrderLine<'_>) -> Option<(Decimal, bool)> {
    derived_amount(line, PLACES)
}

/// `NetValue`: given, or Amount − discount where there is a discount; the flag says whether rounding changed it.
pub(super) fn net_value(line: &OrderLine<'_>, amount: Option<Decimal>) -> Option<(Decimal, bool)> {
    match (*line.net_amount, *line.discount_amount) {
        (Some(net), _) => Some((net, false)),
        (None, Some(discount)) => decimal::subtract(amount?, discount).map(|net| decimal::round(net, PLACES)),
        (None, None) => None,
    }
}
