//! The purchase orders that the sandbox has: a dozen, each there for something that orders can have.
//! Their times are hours before the sandbox was started.

/// One order.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) number: &'static str,
    pub(super) state: &'static str,
    pub(super) kind: &'static str,
    pub(super) payment: &'static str,
    pub(super) market: &'static Market,
    /// The id that the buyer knows the vendor by.
    pub(super) vendor: &'static str,
    /// The warehouse.
    pub(super) ship_to: &'static str,
    /// Whether its parties come with their addresses, or with their ids only.
    pub(super) has_addresses: bool,
    /// How its lines are numbered: `1` or `00001`.
    pub(super) padded: bool,
    pub(super) created_h: i64,
    pub(super) state_changed_h: i64,
    pub(super) changed_h: Option<i64>,
    pub(super) lines: &'static [Line],
}

/// One marketplace, and who pays there.
#[derive(Debug)]
pub(super) struct Market {
    pub(super) bill_to: &'static str,
    pub(super) name: &'static str,
    pub(super) street: &'static str,
    pub(super) city: &'static str,
    pub(super) region: Option<&'static str>,
    pub(super) postal_code: &'static str,
    pub(super) country: &'static str,
    pub(super) currency: &'static str,
    /// Type and number of the tax registration.
    pub(super) tax: Option<(&'static str, &'static str)>,
}

/// One line.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) asin: Option<&'static str>,
    pub(super) vendors_id: Option<&'static str>,
    pub(super) ordered: i64,
    /// What the buyer took back of a larger quantity.
    pub(super) cancelled: i64,
    /// How many there are in a case; `None` for Eaches.
    pub(super) case_of: Option<i64>,
    pub(super) price: Price,
    /// `None` as long as the vendor has said nothing.
    pub(super) accepted: Option<i64>,
    pub(super) received: i64,
}

/// What an each or a unit of weight costs.
#[derive(Debug)]
pub(super) enum Price {
    Net(&'static str),
    NetByWeight(&'static str, &'static str),
    /// Books are bought at a part of their list price.
    List(&'static str),
}

const US: &Market = &Market {
    bill_to: "AMAZONUS",
    name: "Sandbox Retail US",
    street: "1 Sandbox Avenue",
    city: "Seattle",
    region: Some("WA"),
    postal_code: "98109",
    country: "US",
    currency: "USD",
    tax: None,
};
const CA: &Market = &Market {
    bill_to: "AMAZONCA",
    name: "Sandbox Retail Canada",
    street: "2 Sandbox Street",
    city: "Toronto",
    region: Some("ON"),
    postal_code: "M5H 2N2",
    country: "CA",
    currency: "CAD",
    tax: None,
};
const GB: &Market = &Market {
    bill_to: "AMAZONGB",
    name: "Sandbox Retail UK",
    street: "3 Sandbox Place",
    city: "London",
    region: None,
    postal_code: "EC2A 2FA",
    country: "GB",
    currency: "GBP",
    tax: Some(("VAT", "GB000000000")),
};
const DE: &Market = &Market {
    bill_to: "AMAZONDE",
    name: "Sandbox Retail Deutschland",
    street: "Sandkastenweg 4",
    city: "München",
    region: None,
    postal_code: "80807",
    country: "DE",
    currency: "EUR",
    tax: Some(("VAT", "DE000000000")),
};
const FR: &Market = &Market {
    bill_to: "AMAZONFR",
    name: "Sandbox Retail France",
    street: "5 rue du Bac à Sable",
    city: "Clichy",
    region: None,
    postal_code: "92110",
    country: "FR",
    currency: "EUR",
    tax: Some(("VAT", "FR00000000000")),
};
const IN: &Market = &Market {
    bill_to: "AMAZONIN",
    name: "Sandbox Retail India",
    street: "6 Sandbox Road",
    city: "Bengaluru",
    region: Some("Karnataka"),
    postal_code: "560055",
    country: "IN",
    currency: "INR",
    tax: Some(("GST", "29AAAAA0000A1Z0")),
};
const JP: &Market = &Market {
    bill_to: "AMAZONJP",
    name: "Sandbox Retail Japan",
    street: "7 Sandbox",
    city: "Tokyo",
    region: None,
    postal_code: "153-0064",
    country: "JP",
    currency: "JPY",
    tax: None,
};

/// A plain order, acknowledged in half a day. The others say how they differ.
const ORDER: Order = Order {
    number: "",
    state: "Acknowledged",
    kind: "RegularOrder",
    payment: "Invoice",
    market: US,
    vendor: "SBVND",
    ship_to: "SBX1",
    has_addresses: true,
    padded: false,
    created_h: 0,
    state_changed_h: 0,
    changed_h: None,
    lines: &[],
};

/// Eaches of which the vendor has said nothing yet.
const LINE: Line = Line {
    asin: Some("B0SANDBX01"),
    vendors_id: Some("0001-A"),
    ordered: 24,
    cancelled: 0,
    case_of: None,
    price: Price::Net("12.50"),
    accepted: None,
    received: 0,
};

pub(super) const ORDERS: &[Order] = &[
    Order {
        number: "SB1USA01",
        state: "New",
        created_h: 6,
        state_changed_h: 6,
        lines: &[
            LINE,
            Line { asin: Some("B0SANDBX02"), vendors_id: Some("0002-B"), ordered: 6, price: Price::Net("3.99"), ..LINE },
        ],
        ..ORDER
    },
    Order {
        number: "SB1DEU02",
        state: "New",
        kind: "ConsignedOrder",
        payment: "Consignment",
        market: DE,
        vendor: "SBVDE",
        ship_to: "SBX7",
        created_h: 26,
        state_changed_h: 26,
        lines: &[Line { ordered: 100, price: Price::Net("1.15"), ..LINE }],
        ..ORDER
    },
    Order {
        number: "SB1USA02",
        created_h: 40,
        state_changed_h: 28,
        lines: &[
            // Priced by the each although it is ordered by the case.
            Line { ordered: 10, case_of: Some(12), accepted: Some(8), ..LINE },
            Line {
                asin: Some("B0SANDBX02"),
                vendors_id: None,
                ordered: 30,
                price: Price::Net("3.99"),
                accepted: Some(30),
                ..LINE
            },
        ],
        ..ORDER
    },
    Order {
        number: "SB1USA03",
        created_h: 75,
        state_changed_h: 60,
        lines: &[Line {
            asin: Some("B0SANDBX03"),
            vendors_id: Some("CHEESE-5LB"),
            ordered: 4,
            case_of: Some(6),
            price: Price::NetByWeight("5.25", "POUNDS"),
            accepted: Some(4),
            ..LINE
        }],
        ..ORDER
    },
    Order {
        number: "SB1USA04",
        created_h: 122,
        state_changed_h: 110,
        changed_h: Some(50),
        lines: &[
            Line { accepted: Some(24), ..LINE },
            Line { asin: Some("B0SANDBX02"), ordered: 0, cancelled: 12, price: Price::Net("3.99"), accepted: Some(0), ..LINE },
        ],
        ..ORDER
    },
    Order {
        number: "SB1CAN01",
        market: CA,
        ship_to: "SBX4",
        has_addresses: false,
        created_h: 200,
        state_changed_h: 190,
        lines: &[Line { ordered: 48, price: Price::Net("17.20"), accepted: Some(48), received: 48, ..LINE }],
        ..ORDER
    },
    Order {
        number: "SB1GBR01",
        market: GB,
        vendor: "SBVGB",
        ship_to: "SBX5",
        created_h: 240,
        state_changed_h: 230,
        lines: &[Line {
            asin: Some("1999999999"),
            vendors_id: Some("9781999999990"),
            ordered: 15,
            price: Price::List("20.00"),
            accepted: Some(15),
            ..LINE
        }],
        ..ORDER
    },
    Order {
        number: "SB1IND01",
        market: IN,
        vendor: "SBVIN",
        ship_to: "SBX8",
        created_h: 290,
        state_changed_h: 280,
        lines: &[Line { ordered: 500, price: Price::Net("749.00"), accepted: Some(450), ..LINE }],
        ..ORDER
    },
    Order {
        number: "SB1FRA01",
        market: FR,
        vendor: "SBVFR",
        ship_to: "SBX6",
        created_h: 360,
        state_changed_h: 350,
        lines: &[Line {
            asin: None,
            vendors_id: Some("FROMAGE"),
            ordered: 20,
            case_of: Some(2),
            price: Price::NetByWeight("11.4", "KILOGRAMS"),
            accepted: Some(20),
            received: 12,
            ..LINE
        }],
        ..ORDER
    },
    Order {
        number: "SB1USA05",
        state: "Closed",
        created_h: 490,
        state_changed_h: 250,
        changed_h: Some(470),
        lines: &[Line { accepted: Some(24), received: 24, ..LINE }],
        ..ORDER
    },
    Order {
        number: "SB1JPN01",
        kind: "RushOrder",
        market: JP,
        vendor: "SBVJP",
        ship_to: "SBX9",
        created_h: 610,
        state_changed_h: 609,
        lines: &[Line { ordered: 5, price: Price::Net("1980"), accepted: Some(0), ..LINE }],
        ..ORDER
    },
    Order {
        number: "SB1DEU01",
        state: "Closed",
        market: DE,
        vendor: "SBVDE",
        ship_to: "SBX7",
        padded: true,
        created_h: 690,
        state_changed_h: 400,
        lines: &[
            Line { ordered: 5, case_of: Some(20), price: Price::Net("0.89"), accepted: Some(5), received: 5, ..LINE },
            Line { asin: Some("B0SANDBX04"), ordered: 7, price: Price::Net("104.95"), accepted: Some(7), received: 7, ..LINE },
        ],
        ..ORDER
    },
];
