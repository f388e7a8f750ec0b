//! Parties, their addresses and what both kinds of document share.

use super::Text;
use super::gather::record;
use super::value::Given;
use super::words::TaxRegistrationType;

record! {
    /// A party to a document: buyer, seller, payee, or where goods go to and come from.
    #[schemars(extend("required" = []))]
    pub struct Party<'a> {
        /// The party's identifier: the seller's (BT-29), the buyer's (BT-46) or the payee's (BT-60).
        id: Text<'a>,
        /// The party's name (BT-27, BT-44, BT-59).
        name: Text<'a>,
        /// The legal entity within the buyer's group.
        entity: Text<'a>,
        /// The postal address (BG-5, BG-8, BG-15).
        address: Option<Address<'a>>,
        /// Tax registrations (BT-31, BT-48).
        tax_registrations: Vec<TaxRegistration<'a>>,
    }
}

record! {
    /// A postal address.
    #[schemars(extend("required" = ["lines", "country"]))]
    pub struct Address<'a> {
        /// To whom; the party's name when it is not given.
        name: Text<'a>,
        /// One to three lines (BT-35, BT-36, BT-162).
        lines: Vec<Text<'a>>,
        /// The city (BT-37).
        city: Text<'a>,
        /// The county.
        county: Text<'a>,
        /// The district.
        district: Text<'a>,
        /// The state or region (BT-39).
        region: Text<'a>,
        /// The postal code (BT-38).
        postal_code: Text<'a>,
        /// The country, ISO 3166-1 alpha-2 (BT-40).
        country: Text<'a>,
        /// A telephone number.
        phone: Text<'a>,
    }
}

record! {
    /// A tax registration of a party.
    #[schemars(extend("required" = ["type", "number"]))]
    pub struct TaxRegistration<'a> {
        /// Under which tax.
        r#type: Given<TaxRegistrationType>,
        /// The number (BT-31, BT-48).
        number: Text<'a>,
    }
}

record! {
    /// What is bought or billed.
    pub struct Item<'a> {
        /// The buyer's identifier of the item (BT-156).
        buyers_id: Text<'a>,
        /// The seller's identifier of the item (BT-155).
        sellers_id: Text<'a>,
        /// A standard identifier such as a GTIN (BT-157).
        standard_id: Text<'a>,
        /// The classification in the Harmonised System (BT-158).
        hsn_code: Text<'a>,
        /// The item's name (BT-153).
        name: Text<'a>,
        /// The item's description (BT-154).
        description: Text<'a>,
        /// The item's identifier in the ERP.
        external_id: Text<'a>,
    }
}
