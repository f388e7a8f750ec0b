//! What a new version of an order would undo or leave out of the one that Tipalti has.
//!
//! The call is an upsert: a field that is not given is written with its default, and takes back what a person did in
//! Tipalti. So what differs from the defaults is remembered of every version that goes out.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::super::OnMissing;
use super::map;
use crate::adapter::{Findings, Trace};
use crate::model::{ErrorCount, Fault, OrderLine, OrderStatus, Path, PurchaseOrder, decimal};

/// What is remembered of an order: what differs from the defaults, and which lines there are.
#[derive(Serialize, Deserialize)]
struct Memo {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<String>,
    lines: Vec<MemoLine>,
}

#[derive(Serialize, Deserialize)]
struct MemoLine {
    id: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    closed: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    billed_quantity: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    billed_amount: Option<String>,
}

/// What has to be remembered of an order.
pub(super) fn trace(order: &PurchaseOrder<'_>) -> Trace {
    let billed = |value: Option<Decimal>| value.filter(|value| !value.is_zero()).map(|value| decimal::to_text(value.normalize()));
    let line = |line: &OrderLine<'_>| MemoLine {
        id: line.id.to_string(),
        closed: line.closed.unwrap_or(false),
        billed_quantity: billed(*line.billed_quantity),
        billed_amount: billed(*line.billed_amount),
    };
    let status = order.status.filter(|status| *status != OrderStatus::Active).map(|status| map::status(status).to_owned());
    let memo = Memo { status, lines: order.lines.iter().map(line).collect() };
    // Strings and lists have nothing in them that JSON could refuse.
    let memo = serde_json::to_vec(&memo).unwrap_or_default();
    let payee = order.seller.as_ref().and_then(|seller| seller.id.given()).map(str::to_owned);
    Trace { payee, memo }
}

/// Compares an order with what is remembered of an earlier version.
pub(super) fn compare(order: &PurchaseOrder<'_>, earlier: &[u8], on_missing: OnMissing, findings: &mut Findings) {
    let Ok(earlier) = serde_json::from_slice::<Memo>(earlier) else { return };
    let mut undo = Undo { on_missing, findings, count: ErrorCount::default() };
    if let (Some(status), None) = (&earlier.status, *order.status) {
        undo.tell(&Path::ROOT.field("status"), status, "Active");
    }
    let mut vanished: Vec<&str> = Vec::new();
    let lines = Path::ROOT.field("lines");
    for (place, before) in earlier.lines.iter().enumerate() {
        // A line without an id is the one at its place: Tipalti has nothing else to know it by.
        let same =
            |(at, line): &(usize, &OrderLine<'_>)| if before.id.is_empty() { *at == place } else { *line.id == *before.id };
        let Some((index, line)) = order.lines.iter().enumerate().find(same) else {
            vanished.push(&before.id);
            continue;
        };
        let at = lines.index(index);
        if before.closed && line.closed.is_none() {
            undo.tell(&at.field("closed"), "true", "false");
        }
        if let (Some(billed), None) = (&before.billed_quantity, *line.billed_quantity) {
            undo.tell(&at.field("billed_quantity"), billed, "0");
        }
        if let (Some(billed), None) = (&before.billed_amount, *line.billed_amount) {
            undo.tell(&at.field("billed_amount"), billed, "0");
        }
    }
    if !vanished.is_empty() {
        let names = vanished.iter().take(20).map(|id| format!("{id:?}")).collect::<Vec<_>>().join(", ");
        let more = if vanished.len() > 20 { ", …" } else { "" };
        let message = format!(
            "{} of the last version are not in this one: {names}{more}; if they are to go, nothing has to be done",
            if vanished.len() == 1 { "1 line".to_owned() } else { format!("{} lines", vanished.len()) }
        );
        findings.faults.push(Fault::warning("TIP-VANISHED", lines, message));
    }
}

struct Undo<'f> {
    on_missing: OnMissing,
    findings: &'f mut Findings,
    count: ErrorCount,
}

impl Undo<'_> {
    fn tell(&mut self, at: &Path<'_>, before: &str, default: &str) {
        if self.count.is_full(&self.findings.faults) {
            return;
        }
        let what = format!("{at} is not given, and the last version had {before}");
        let fault = match self.on_missing {
            OnMissing::Hold => {
                self.findings.guards += 1;
                let message = format!("{what}; {default} would undo that. Give the field, or release the order");
                Fault::error("TIP-UNDO", at, message)
            }
            OnMissing::Default => Fault::warning("TIP-UNDO", at, format!("{what}; it is sent as {default}")),
        };
        self.findings.faults.push(fault);
    }
}
