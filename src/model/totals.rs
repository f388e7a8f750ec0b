//! What documents add up to.

use rust_decimal::Decimal;

use super::Text;
use super::decimal::{add, multiply, round, subtract};
use super::invoice::{Invoice, InvoiceLine, Tax};
use super::purchase_order::{OrderLine, PurchaseOrder};

/// The amount of an order's line: as given, else price × quantity rounded half away from zero to `places`.
/// The flag says whether rounding changed it. `None` when price or quantity is missing, or the product has more
/// digits than can be kept.
pub fn derived_amount(line: &OrderLine<'_>, places: u32) -> Option<(Decimal, bool)> {
    match (*line.amount, *line.price, *line.quantity) {
        (Some(amount), ..) => Some((amount, false)),
        (None, Some(price), Some(quantity)) => multiply(price, quantity).map(|product| round(product, places)),
        _ => None,
    }
}

/// The sum of an order's line amounts, in the order's currency; what a report counts.
pub fn order_total(order: &PurchaseOrder<'_>, places: u32) -> Option<Decimal> {
    order.lines.iter().try_fold(Decimal::ZERO, |sum, line| add(sum, derived_amount(line, places)?.0))
}

/// What an invoice's `total` is checked against, part by part.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct InvoiceSum {
    /// Σ quantity × price, or weight × price where the line is priced by weight.
    pub lines: Decimal,
    /// Charges and their taxes: the invoice's where given, else the lines'.
    pub charges: Decimal,
    /// Allowances and their taxes, likewise.
    pub allowances: Decimal,
    /// Taxes, likewise.
    pub taxes: Decimal,
}

impl InvoiceSum {
    /// Lines plus charges minus allowances plus taxes.
    pub fn total(&self) -> Option<Decimal> {
        subtract(add(add(self.lines, self.charges)?, self.taxes)?, self.allowances)
    }
}

/// Adds an invoice up. Amounts in another currency than the invoice's stay out. `None` when a part has more digits than
/// can be kept.
pub fn invoice_sum(invoice: &Invoice<'_>) -> Option<InvoiceSum> {
    let own = |currency: &Text<'_>| !currency.is_given() || **currency == *invoice.currency;
    let taxes = |taxes: &[Tax<'_>]| {
        taxes.iter().filter(|tax| own(&tax.currency)).try_fold(Decimal::ZERO, |sum, tax| add(sum, tax.amount.unwrap_or_default()))
    };
    // An allowance or a charge, with its taxes.
    let with_taxes = |amount: Decimal, currency: &Text<'_>, of: &[Tax<'_>]| {
        add(if own(currency) { amount } else { Decimal::ZERO }, taxes(of)?)
    };
    let mut sum = InvoiceSum::default();
    for line in &invoice.lines {
        if own(&line.price_currency) {
            sum.lines = add(sum.lines, line_amount(line)?)?;
        }
        if invoice.charges.is_empty() {
            for charge in &line.charges {
                sum.charges = add(sum.charges, with_taxes(charge.amount.unwrap_or_default(), &charge.currency, &charge.taxes)?)?;
            }
        }
        if invoice.allowances.is_empty() {
            for allowance in &line.allowances {
                let amount = allowance.amount.unwrap_or_default();
                sum.allowances = add(sum.allowances, with_taxes(amount, &allowance.currency, &allowance.taxes)?)?;
            }
        }
        if invoice.taxes.is_empty() {
            sum.taxes = add(sum.taxes, taxes(&line.taxes)?)?;
        }
    }
    for charge in &invoice.charges {
        sum.charges = add(sum.charges, with_taxes(charge.amount.unwrap_or_default(), &charge.currency, &charge.taxes)?)?;
    }
    for allowance in &invoice.allowances {
        let amount = allowance.amount.unwrap_or_default();
        sum.allowances = add(sum.allowances, with_taxes(amount, &allowance.currency, &allowance.taxes)?)?;
    }
    sum.taxes = add(sum.taxes, taxes(&invoice.taxes)?)?;
    Some(sum)
}

/// Quantity × price, or weight × price where the line is priced by weight.
fn line_amount(line: &InvoiceLine<'_>) -> Option<Decimal> {
    let measure = match &line.weight {
        Some(weight) if line.price_unit.is_given() => weight.value,
        _ => line.quantity,
    };
    multiply(measure.unwrap_or_default(), line.price.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::super::{Charge, Document, read};
    use super::*;

    fn invoice(text: &str) -> Invoice<'_> {
        match read(text).unwrap() {
            Document::Invoice(invoice) => invoice,
            Document::PurchaseOrder(_) => unreachable!(),
        }
    }

    #[test]
    fn header_lists_win_over_the_lines_and_weight_over_quantity() {
        let mut invoice = invoice(
            r#"{"kind": "invoice", "currency": "EUR",
                "taxes": [{"type": "vat", "amount": "1.90"}, {"type": "domestic_vat", "amount": "8", "currency": "PLN"}],
                "lines": [
                  {"quantity": 2, "price": "10.00", "taxes": [{"type": "vat", "amount": "99"}],
                   "charges": [{"type": "freight", "amount": 5, "taxes": [{"type": "vat", "amount": "0.95"}]}]},
                  {"quantity": 1, "price": "3.00", "price_unit": "KGM", "weight": {"value": "1.5", "unit": "KGM"},
                   "allowances": [{"type": "discount", "amount": "0.50"}]}]}"#,
        );
        let text = |value: Decimal| value.normalize().to_string();
        let sum = invoice_sum(&invoice).unwrap();
        assert_eq!(text(sum.lines), "24.5");
        assert_eq!(text(sum.charges), "5.95");
        assert_eq!(text(sum.allowances), "0.5");
        assert_eq!(text(sum.taxes), "1.9");
        assert_eq!(text(sum.total().unwrap()), "31.85");
        invoice.charges = vec![Charge { amount: Decimal::ONE.into(), ..Charge::default() }];
        assert_eq!(text(invoice_sum(&invoice).unwrap().charges), "1");
    }
}
