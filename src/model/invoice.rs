//! The invoice and the credit note, in the words of EN 16931.

use super::date::Date;
use super::gather::record;
use super::party::{Item, Party};
use super::value::{Given, Number};
use super::words::{AllowanceType, ChargeType, DetailType, InvoiceType, PaymentTermsType, TaxType};
use super::{InvoiceTag, Text};

record! {
    /// An invoice or a credit note.
    #[schemars(extend("required" = ["kind", "number", "issue_date", "currency", "payee", "lines"]))]
    pub struct Invoice<'a> {
        /// Always `invoice`.
        kind: InvoiceTag,
        /// Invoice or credit note (BT-3); `invoice` when it is not given.
        r#type: Given<InvoiceType>,
        /// The invoice's number (BT-1).
        number: Text<'a>,
        /// A further reference, such as a government's invoice reference.
        reference: Text<'a>,
        /// A note (BT-22).
        note: Text<'a>,
        /// When it was issued (BT-2).
        issue_date: Given<Date>,
        /// The currency of every amount that does not carry its own, ISO 4217 (BT-5).
        currency: Text<'a>,
        /// To whom to remit (BG-10).
        payee: Option<Party<'a>>,
        /// Who is billed (BG-7).
        buyer: Option<Party<'a>>,
        /// Where the goods went (BG-13).
        ship_to: Option<Party<'a>>,
        /// Where the goods came from.
        ship_from: Option<Party<'a>>,
        /// When and how to pay (BT-20).
        payment_terms: Option<PaymentTerms>,
        /// What is to be paid (BT-115).
        total: Number,
        /// The taxes of the whole invoice (BG-23).
        taxes: Vec<Tax<'a>>,
        /// The charges of the whole invoice (BG-21).
        charges: Vec<Charge<'a>>,
        /// The allowances of the whole invoice (BG-20).
        allowances: Vec<Allowance<'a>>,
        /// Further statements.
        additional_details: Vec<AdditionalDetail<'a>>,
        /// The lines, at least one (BG-25).
        lines: Vec<InvoiceLine<'a>>,
    }
}

record! {
    /// When and how to pay (BT-20).
    pub struct PaymentTerms {
        /// How the time is counted.
        r#type: Given<PaymentTermsType>,
        /// Days until the payment is due.
        net_due_days: Given<u32>,
        /// The discount for early payment, in percent.
        discount_percent: Number,
        /// Days within which the discount holds.
        discount_due_days: Given<u32>,
    }
}

record! {
    /// A tax (BG-23).
    #[schemars(extend("required" = ["type", "amount"]))]
    pub struct Tax<'a> {
        /// The kind of tax.
        r#type: Given<TaxType>,
        /// The rate in percent (BT-119).
        rate: Number,
        /// The amount (BT-117).
        amount: Number,
        /// The amount's currency, when it is not the invoice's; such an amount stays out of the sums.
        currency: Text<'a>,
        /// What is taxed (BT-116).
        taxable_amount: Number,
        /// That amount's currency, when it is not the invoice's.
        taxable_currency: Text<'a>,
    }
}

record! {
    /// A charge (BG-21).
    #[schemars(extend("required" = ["type", "amount"]))]
    pub struct Charge<'a> {
        /// The kind of charge.
        r#type: Given<ChargeType>,
        /// What it is for (BT-104).
        description: Text<'a>,
        /// The amount (BT-99).
        amount: Number,
        /// The amount's currency, when it is not the invoice's; such an amount stays out of the sums.
        currency: Text<'a>,
        /// The taxes on the charge.
        taxes: Vec<Tax<'a>>,
    }
}

record! {
    /// An allowance (BG-20).
    #[schemars(extend("required" = ["type", "amount"]))]
    pub struct Allowance<'a> {
        /// The kind of allowance.
        r#type: Given<AllowanceType>,
        /// What it is for (BT-97).
        description: Text<'a>,
        /// The amount (BT-92).
        amount: Number,
        /// The amount's currency, when it is not the invoice's; such an amount stays out of the sums.
        currency: Text<'a>,
        /// The taxes on the allowance.
        taxes: Vec<Tax<'a>>,
    }
}

record! {
    /// A further statement on an invoice.
    #[schemars(extend("required" = ["type", "detail"]))]
    pub struct AdditionalDetail<'a> {
        /// The kind of statement.
        r#type: Given<DetailType>,
        /// The statement.
        detail: Text<'a>,
        /// Its language.
        language: Text<'a>,
    }
}

record! {
    /// The total weight of a line that is priced by weight.
    #[schemars(extend("required" = ["value", "unit"]))]
    pub struct Weight<'a> {
        /// How heavy.
        value: Number,
        /// The unit, UN/ECE Recommendation 20.
        unit: Text<'a>,
    }
}

record! {
    /// What a line of a credit note refers to (BT-25).
    pub struct Credit<'a> {
        /// The number of the invoice that is credited.
        invoice: Text<'a>,
        /// The number of the debit note.
        debit_note: Text<'a>,
        /// The reference of the return.
        returns_reference: Text<'a>,
        /// When the goods were returned.
        goods_return_date: Given<Date>,
        /// The authorisation of the return.
        rma: Text<'a>,
        /// The reference of a co-operation agreement.
        coop_reference: Text<'a>,
        /// The consignor's reference.
        consignor_reference: Text<'a>,
    }
}

record! {
    /// A line of an invoice (BG-25).
    #[schemars(extend("required" = ["quantity", "unit", "price"]))]
    pub struct InvoiceLine<'a> {
        /// The line's identifier (BT-126); 1, 2, 3 … when no line has one.
        id: Text<'a>,
        /// What is billed.
        item: Item<'a>,
        /// The order that is billed (BT-13).
        order_reference: Text<'a>,
        /// How much of it (BT-129).
        quantity: Number,
        /// The unit, UN/ECE Recommendation 20 (BT-130).
        unit: Text<'a>,
        /// How many pieces are in a case.
        unit_size: Given<u64>,
        /// The total weight, for a line that is priced by weight.
        weight: Option<Weight<'a>>,
        /// The price of one unit (BT-146), or of one unit of weight where `price_unit` is given.
        price: Number,
        /// The price's currency, when it is not the invoice's; such a line stays out of the sums.
        price_currency: Text<'a>,
        /// The unit of weight that the price is for, UN/ECE Recommendation 20.
        price_unit: Text<'a>,
        /// What a credit note's line refers to.
        credit: Option<Credit<'a>>,
        /// The taxes of the line.
        taxes: Vec<Tax<'a>>,
        /// The charges of the line.
        charges: Vec<Charge<'a>>,
        /// The allowances of the line.
        allowances: Vec<Allowance<'a>>,
    }
}
