//! Whether the parts add up. Amazon's own samples do not always, so the target says how much that weighs.

use rust_decimal::Decimal;

use super::arithmetic;
use crate::adapter::Findings;
use crate::model::{Fault, Invoice, InvoiceSum, Path, Tax, Text, decimal, minor_unit};
use crate::rules::Level;
use crate::vendors::amazon::Amazon;

/// The total against the sum of its parts.
pub(super) fn check_total(
    invoice: &Invoice<'_>,
    total: Decimal,
    sum: Option<InvoiceSum>,
    target: &Amazon,
    findings: &mut Findings,
) {
    let at = Path::ROOT.field("total");
    let Some((sum, exact)) = sum.and_then(|sum| Some((sum, sum.total()?))) else {
        let message = "the parts add up to more digits than can be carried exactly; check prices and quantities";
        findings.faults.push(Fault::error("AMZ-030", at, message));
        return;
    };
    let Some(difference) = decimal::subtract(total, exact) else { return };
    if difference.is_zero() || difference.abs() <= tolerance(invoice) {
        return;
    }
    let text = |value: Decimal| decimal::to_text(value.normalize());
    let message = format!(
        "{} is not the sum of its parts, {} (lines {} + charges {} − allowances {} + taxes {}); check which of them is wrong",
        text(total),
        text(exact),
        text(sum.lines),
        text(sum.charges),
        text(sum.allowances),
        text(sum.taxes)
    );
    arithmetic(target, "AMZ-031", at, message, findings);
}

/// What rounding each line to the currency's minor unit can come to: half a unit for each line that has to be rounded.
fn tolerance(invoice: &Invoice<'_>) -> Decimal {
    let places = minor_unit(&invoice.currency).unwrap_or_default();
    let is_rounded = |measure: Option<Decimal>, price: Option<Decimal>| {
        let product = decimal::multiply(measure.unwrap_or_default(), price.unwrap_or_default());
        product.is_none_or(|product| decimal::fit(product, places).is_none())
    };
    let rounded = invoice.lines.iter().filter(|line| {
        let weight = line.weight.as_ref().filter(|_| line.price_unit.is_given()).and_then(|weight| *weight.value);
        is_rounded(weight.or(*line.quantity), *line.price)
    });
    let half = Decimal::new(5, places + 1);
    decimal::multiply(half, Decimal::from(rounded.count())).unwrap_or_default()
}

/// The invoice's lists against those of its lines.
pub(super) fn check_parts(invoice: &Invoice<'_>, target: &Amazon, findings: &mut Findings) {
    if target.arithmetic == Level::Off {
        return;
    }
    let own = |currency: &Text<'_>| !currency.is_given() || **currency == *invoice.currency;
    let add = |list: &[Tax<'_>]| {
        let mut amounts = list.iter().filter(|tax| own(&tax.currency));
        amounts.try_fold(Decimal::ZERO, |sum, tax| decimal::add(sum, tax.amount.unwrap_or_default()))
    };
    let lines_have_taxes = invoice.lines.iter().any(|line| !line.taxes.is_empty());
    if lines_have_taxes && !invoice.taxes.is_empty() {
        let lines = invoice.lines.iter().try_fold(Decimal::ZERO, |sum, line| decimal::add(sum, add(&line.taxes)?));
        if let (Some(header), Some(lines)) = (add(&invoice.taxes), lines)
            && header != lines
        {
            let text = |value: Decimal| decimal::to_text(value.normalize());
            let message = format!(
                "the taxes of the invoice are {}, and those of its lines {}; Amazon wants them to be the same",
                text(header),
                text(lines)
            );
            arithmetic(target, "AMZ-032", Path::ROOT.field("taxes"), message, findings);
        }
    }
    let lists = [
        ("charges", invoice.charges.is_empty(), invoice.lines.iter().any(|line| !line.charges.is_empty())),
        ("allowances", invoice.allowances.is_empty(), invoice.lines.iter().any(|line| !line.allowances.is_empty())),
        ("taxes", invoice.taxes.is_empty(), lines_have_taxes),
    ];
    for (name, header_is_empty, lines_have_some) in lists {
        if header_is_empty && lines_have_some {
            let message =
                format!("lines have {name}, and the invoice has none; Amazon wants every kind once more for the whole invoice");
            arithmetic(target, "AMZ-033", Path::ROOT.field(name), message, findings);
        }
    }
}
