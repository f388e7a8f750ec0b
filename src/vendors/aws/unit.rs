//! An invoice unit as a file has it: accounts whose charges come on one invoice.

use super::preference::Tags;
use crate::model::gather::record;
use crate::model::{Given, Text};

record! {
    /// An invoice unit (`CreateInvoiceUnit`).
    #[schemars(extend("required" = ["name", "invoice_receiver", "rule"]))]
    pub struct InvoiceUnit<'a> {
        /// Its ARN, once AWS has it. Written by `invoice-unit import`; without it the unit is known by name and receiver.
        arn: Text<'a>,
        /// Its name, at most 50 letters, digits, blanks, `-` and `_`.
        name: Text<'a>,
        /// The account that receives the invoice.
        invoice_receiver: Text<'a>,
        /// What it is for, at most 500 characters.
        description: Text<'a>,
        /// Whether the tax settings of the management account are not inherited.
        tax_inheritance_disabled: Given<bool>,
        /// Which accounts belong to it.
        rule: Rule<'a>,
        /// Tags, as a table. Without it those that are there stay; with it they become these, and an empty one takes all away.
        resource_tags: Option<Tags<'a>>,
    }
}

record! {
    /// Which accounts belong to a unit.
    pub struct Rule<'a> {
        /// Linked accounts, at most 1000.
        linked_accounts: Vec<Text<'a>>,
        /// Accounts that the charges come from, at most 1000.
        bill_source_accounts: Vec<Text<'a>>,
    }
}
