//! The closed lists of words that documents use.

use super::value::words;

words! {
    /// How far a purchase order has come.
    pub enum OrderStatus {
        Active = "active",
        Closed = "closed",
        Deleted = "deleted",
        PartiallyBilled = "partially_billed",
        PendingApproval = "pending_approval",
    }

    /// What a line of a purchase order buys: an item of the catalogue, or an expense of an account.
    pub enum LineKind {
        Item = "item",
        Expense = "expense",
    }

    /// What an invoice document is (BT-3).
    pub enum InvoiceType {
        Invoice = "invoice",
        CreditNote = "credit_note",
    }

    /// How the time of payment is counted (BT-20).
    pub enum PaymentTermsType {
        Basic = "basic",
        EndOfMonth = "end_of_month",
        FixedDate = "fixed_date",
        Proximo = "proximo",
        DueUponReceipt = "due_upon_receipt",
        LetterOfCredit = "letter_of_credit",
    }

    /// The kind of a tax (BG-23).
    pub enum TaxType {
        Cgst = "cgst",
        Sgst = "sgst",
        Cess = "cess",
        Utgst = "utgst",
        Igst = "igst",
        Mwst = "mwst",
        Pst = "pst",
        Tva = "tva",
        Vat = "vat",
        Gst = "gst",
        St = "st",
        Consumption = "consumption",
        MutuallyDefined = "mutually_defined",
        DomesticVat = "domestic_vat",
    }

    /// The kind of a charge (BG-21).
    pub enum ChargeType {
        Freight = "freight",
        Packing = "packing",
        Duty = "duty",
        Service = "service",
        SmallOrder = "small_order",
        InsurancePlacementCost = "insurance_placement_cost",
        InsuranceFee = "insurance_fee",
        SpecialHandlingService = "special_handling_service",
        CollectionAndRecyclingService = "collection_and_recycling_service",
        EnvironmentalProtectionService = "environmental_protection_service",
        TaxCollectedAtSource = "tax_collected_at_source",
    }

    /// The kind of an allowance (BG-20).
    pub enum AllowanceType {
        Discount = "discount",
        DiscountIncentive = "discount_incentive",
        Defective = "defective",
        Promotional = "promotional",
        UnsaleableMerchandise = "unsaleable_merchandise",
        Special = "special",
    }

    /// The kind of an additional detail.
    pub enum DetailType {
        Sur = "sur",
        Ocr = "ocr",
        CartonCount = "carton_count",
    }

    /// Under which tax a party is registered.
    pub enum TaxRegistrationType {
        Vat = "vat",
        Gst = "gst",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_values_are_inverse() {
        for tax in TaxType::ALL {
            assert_eq!(TaxType::from_word(tax.word()), Some(*tax));
        }
        assert_eq!(OrderStatus::from_word("Active"), None);
    }
}
