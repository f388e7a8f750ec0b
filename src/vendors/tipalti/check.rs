//! Preflight: what Tipalti would refuse, and what it would take although it looks wrong.

use rust_decimal::Decimal;

use super::Tipalti;
use super::map::{self, PLACES};
use crate::adapter::{Findings, Payees};
use crate::model::{ErrorCount, Fault, Item, Number, OrderLine, Party, Path, PurchaseOrder, decimal};

/// The longest payee id (Tipalti's error 18, IdapMaxLengthExceeded).
const LONGEST_PAYEE_ID: usize = 64;

/// Collects the faults of an order for this target.
pub(super) fn check(order: &PurchaseOrder<'_>, target: &Tipalti, payees: &Payees, findings: &mut Findings) {
    let at = Path::ROOT;
    if let Some(seller) = &order.seller {
        check_payee(seller, payees, findings);
        not_carried_of_seller(seller, findings);
    }
    if let Some(buyer) = &order.buyer {
        not_carried_of_buyer(buyer, findings);
    }
    if target.several_entities && map::payer_entity(order, target).trim().is_empty() {
        findings.faults.push(Fault::error(
            "TIP-ENTITY",
            at.field("buyer").field("entity"),
            "buyer.entity is not given, and the payer has several entities; name the entity that buys",
        ));
    }
    let mut count = ErrorCount::default();
    for (index, approver) in order.approvers.iter().enumerate() {
        if count.is_full(&findings.faults) {
            break;
        }
        if approver.name.trim().is_empty() && approver.email.trim().is_empty() {
            let message = format!(
                "approvers[{index}] has neither a name nor an e-mail address; give one of them, or leave the approver out"
            );
            findings.faults.push(Fault::error("TIP-APPROVER", at.field("approvers").index(index), message));
        }
    }
    let mut total = Some(Decimal::ZERO);
    let lines = at.field("lines");
    for (index, line) in order.lines.iter().enumerate() {
        if count.is_full(&findings.faults) {
            break;
        }
        let amount = check_line(line, &lines.index(index), target, findings);
        total = total.zip(amount).and_then(|(total, amount)| decimal::add(total, amount));
    }
    findings.amount = total.filter(|_| !order.lines.is_empty());
}

/// A payee that Tipalti does not know is created in silence, so an unknown one is a reason to stop.
fn check_payee(seller: &Party<'_>, payees: &Payees, findings: &mut Findings) {
    let Some(id) = seller.id.given() else { return };
    findings.unchecked_payees += u64::from(matches!(payees, Payees::Unchecked));
    let seller = Path::ROOT.field("seller");
    let at = seller.field("id");
    let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b',' | b'.' | b'_' | b'-');
    if id.len() > LONGEST_PAYEE_ID || !id.bytes().all(is_legal) {
        let message = format!(
            "{id:?} is not a payee id; Tipalti takes letters, digits, comma, period, underscore and dash, at most {LONGEST_PAYEE_ID} \
             of them"
        );
        findings.faults.push(Fault::error("TIP-PAYEE-ID", at, message).found(id));
    } else if !payees.knows(id) {
        let message = format!(
            "{id:?} is not a known payee, and Tipalti would create it; check the id, add it to known_payees, or run with \
             --allow-new-payees"
        );
        findings.faults.push(Fault::error("TIP-PAYEE", at, message).found(id));
        findings.guards += 1;
    }
}

/// Returns the line's amount.
fn check_line(line: &OrderLine<'_>, at: &Path<'_>, target: &Tipalti, findings: &mut Findings) -> Option<Decimal> {
    if !line.id.is_given() {
        let message = format!("{at}.id is not given; without it Tipalti cannot tell which line a later change or a bill means");
        findings.faults.push(Fault::warning("TIP-LINE-ID", at.field("id"), message));
    }
    if target.several_gl_accounts && !line.account.number.is_given() {
        let message = format!("{at}.account.number is not given, and the payer has several GL accounts; name the account");
        findings.faults.push(Fault::error("TIP-ACCOUNT", at.field("account").field("number"), message));
    }
    for (name, value) in [
        ("quantity", &line.quantity),
        ("price", &line.price),
        ("amount", &line.amount),
        ("discount_amount", &line.discount_amount),
        ("net_amount", &line.net_amount),
        ("billed_quantity", &line.billed_quantity),
        ("billed_amount", &line.billed_amount),
    ] {
        check_places(value, &at.field(name), findings);
    }
    check_places(&line.tax.amount, &at.field("tax").field("amount"), findings);
    not_carried_of_item(&line.item, findings);
    check_sums(line, at, findings)
}

fn check_places(value: &Number, at: &Path<'_>, findings: &mut Findings) {
    let Some(value) = **value else { return };
    if decimal::fit(value, PLACES).is_none() {
        let text = decimal::to_text(value);
        let message = format!("{text} has more than four decimal places, and Tipalti takes four; round it where it comes from");
        findings.faults.push(Fault::error("TIP-PLACES", at, message).found(text));
    }
}

/// Amount against price × quantity, net amount against amount − discount, and whether they can be computed at all.
fn check_sums(line: &OrderLine<'_>, at: &Path<'_>, findings: &mut Findings) -> Option<Decimal> {
    let (price, quantity) = ((*line.price)?, (*line.quantity)?);
    let product = decimal::multiply(price, quantity);
    let Some((amount, rounded)) = map::amount(line) else {
        let message = format!("{price} × {quantity} has more digits than can be carried exactly; check price and quantity");
        findings.faults.push(Fault::error("TIP-AMOUNT", at.field("amount"), message));
        return None;
    };
    let fits = |value: Decimal| decimal::fit(value, PLACES).is_some();
    if rounded && fits(price) && fits(quantity) {
        let exact = product.unwrap_or_default();
        let message = format!("{price} × {quantity} is {exact}, sent as {amount}: Tipalti takes four decimal places");
        findings.faults.push(Fault::warning("TIP-ROUNDED", at.field("amount"), message));
    } else if line.amount.is_some() && product != Some(amount) {
        let exact = product.map_or_else(|| "something else".to_owned(), |product| product.normalize().to_string());
        let message =
            format!("{amount} is not price × quantity ({price} × {quantity} = {exact}); check which of the three is wrong");
        findings.faults.push(Fault::warning("TIP-AMOUNT", at.field("amount"), message).found(amount));
    }
    let field = at.field("net_amount");
    match (map::net_value(line, Some(amount)), *line.discount_amount) {
        (Some((net, true)), Some(discount)) => {
            let message = format!("{amount} − {discount} is sent as {net}: Tipalti takes four decimal places");
            findings.faults.push(Fault::warning("TIP-ROUNDED", field, message));
        }
        (Some((net, false)), discount) if line.net_amount.is_some() => {
            let discount = discount.unwrap_or_default();
            if decimal::subtract(amount, discount) != Some(net) {
                let message =
                    format!("{net} is not amount − discount ({amount} − {discount}); check which of the three is wrong");
                findings.faults.push(Fault::warning("TIP-NET", field, message).found(net));
            }
        }
        (None, Some(discount)) => {
            let message = format!("{amount} − {discount} has more digits than can be carried exactly; check the two");
            findings.faults.push(Fault::error("TIP-NET", field, message));
        }
        _ => {}
    }
    Some(amount)
}

fn not_carried_of_item(item: &Item<'_>, findings: &mut Findings) {
    findings.not_carried("lines[].item.sellers_id", item.sellers_id.is_given());
    findings.not_carried("lines[].item.standard_id", item.standard_id.is_given());
    findings.not_carried("lines[].item.hsn_code", item.hsn_code.is_given());
    findings.not_carried("lines[].item.name", item.name.is_given() && item.description.is_given());
}

fn not_carried_of_seller(seller: &Party<'_>, findings: &mut Findings) {
    findings.not_carried("seller.name", seller.name.is_given());
    findings.not_carried("seller.entity", seller.entity.is_given());
    findings.not_carried("seller.address", seller.address.is_some());
    findings.not_carried("seller.tax_registrations", !seller.tax_registrations.is_empty());
}

fn not_carried_of_buyer(buyer: &Party<'_>, findings: &mut Findings) {
    findings.not_carried("buyer.id", buyer.id.is_given());
    findings.not_carried("buyer.name", buyer.name.is_given());
    findings.not_carried("buyer.address", buyer.address.is_some());
    findings.not_carried("buyer.tax_registrations", !buyer.tax_registrations.is_empty());
}
