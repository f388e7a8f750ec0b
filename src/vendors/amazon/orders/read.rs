//! The parts that an order and its status are made of, read leniently: Amazon's own samples break Amazon's own model.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

use super::super::{Amazon, map};
use crate::formats::tree::Tree;
use crate::model::{Address, Date, Fault, Party, Path, TaxRegistration, TaxRegistrationType, Text, decimal};

/// Reads parts of a tree, and tells of every value that is not what Amazon documents.
pub(super) struct Reader<'r> {
    pub(super) target: &'r Amazon,
    pub(super) faults: Vec<Fault>,
}

impl Reader<'_> {
    pub(super) fn new(target: &Amazon) -> Reader<'_> {
        Reader { target, faults: Vec::new() }
    }

    fn strange(&mut self, at: &Path<'_>, value: &str, says: &str) {
        let message = format!("{value:?} {says}; it is left out");
        self.faults.push(Fault::warning("AMZ-085", at, message).found(value));
    }

    /// A decimal, written as a text or as a number.
    fn decimal(&mut self, from: &Tree, name: &str, at: &Path<'_>) -> Option<Decimal> {
        let text = from.text(name)?;
        match decimal::parse(text) {
            Ok(value) => Some(value),
            Err(error) => {
                self.strange(&at.field(name), text, &error.to_string());
                None
            }
        }
    }

    /// Takes a date out. What is none stays.
    pub(super) fn date(&mut self, from: &mut Tree, name: &str, at: &Path<'_>) -> Option<Date> {
        let text = from.text(name)?;
        if let Some(date) = date(text) {
            from.take(name);
            return Some(date);
        }
        let text = text.to_owned();
        self.strange(&at.field(name), &text, "is no date");
        None
    }

    /// Takes a party out. What of it has no place of ours stays.
    pub(super) fn party(&mut self, from: &mut Tree, name: &str, at: &Path<'_>) -> Option<Party<'static>> {
        let mut party = from.take(name)?;
        let at = at.field(name);
        let id = text(&mut party, "partyId");
        let mut tax = party.take("taxInfo").unwrap_or_default();
        let registration = self.registration(&mut tax, &at);
        party.put("taxInfo", tax);
        let mut place = party.take("address").unwrap_or_default();
        let address = address(&mut place);
        party.put("address", place);
        from.put(name, party);
        if !id.is_given() && address.is_none() && registration.is_none() {
            return None;
        }
        Some(Party { id, address, tax_registrations: registration.into_iter().collect(), ..Party::default() })
    }

    fn registration(&mut self, tax: &mut Tree, at: &Path<'_>) -> Option<TaxRegistration<'static>> {
        let word = tax.text("taxRegistrationType")?;
        let known = TaxRegistrationType::ALL.iter().find(|known| self.target.words.tax_registration(**known) == word);
        let Some(known) = known else {
            let word = word.to_owned();
            self.strange(&at.field("taxInfo").field("taxRegistrationType"), &word, "is no kind of tax registration");
            return None;
        };
        tax.take("taxRegistrationType");
        Some(TaxRegistration { r#type: (*known).into(), number: text(tax, "taxRegistrationNumber") })
    }

    /// What a line costs.
    pub(super) fn price(&mut self, item: &Tree, at: &Path<'_>) -> Price {
        let (net, list) = (item.get("netCost"), item.get("listPrice"));
        // A line that has only a list price is paid for in the same currency.
        let currency = [net, list].into_iter().flatten().find_map(|price| price.text("currencyCode"));
        Price {
            amount: net.and_then(|net| self.decimal(net, "amount", &at.field("netCost"))),
            currency: currency.map(|currency| currency.to_owned().into()).unwrap_or_default(),
            weight: net.and_then(|net| net.text("unitOfMeasure")).unwrap_or_default().to_owned(),
        }
    }

    /// A quantity.
    pub(super) fn quantity(&mut self, from: &Tree, name: &str, at: &Path<'_>) -> Option<Quantity> {
        let (quantity, at) = (from.get(name)?, at.field(name));
        let amount = self.decimal(quantity, "amount", &at);
        let size = self.decimal(quantity, "unitSize", &at);
        Some(Quantity { amount: amount?, unit: quantity.text("unitOfMeasure").unwrap_or_default().to_owned(), size })
    }
}

/// The net cost of a piece, or of a unit of weight.
#[derive(Debug, Clone, Default)]
pub(super) struct Price {
    pub(super) amount: Option<Decimal>,
    pub(super) currency: Text<'static>,
    /// Amazon's word for the unit of weight; empty where a piece is priced.
    pub(super) weight: String,
}

/// A quantity.
#[derive(Debug, Clone)]
pub(super) struct Quantity {
    pub(super) amount: Decimal,
    pub(super) unit: String,
    pub(super) size: Option<Decimal>,
}

/// A quantity as a line has it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Counted {
    pub(super) amount: Decimal,
    /// UN/ECE Recommendation 20.
    pub(super) unit: &'static str,
    /// How many are in a case, where cases are counted.
    pub(super) size: Option<u64>,
}

impl Quantity {
    /// Counts pieces, since prices are for one piece also where cases were ordered ("per each or weight unit"); what is
    /// priced by weight is counted as it was ordered.
    pub(super) fn counted(&self, by_weight: bool) -> Result<Counted, String> {
        let is = |word: &str| self.unit.eq_ignore_ascii_case(word);
        let size = self.size.filter(|size| *size > Decimal::ZERO);
        if is("Eaches") {
            return Ok(Counted { amount: self.amount, unit: "EA", size: None });
        }
        if !is("Cases") {
            return Err(format!("it is not known what {:?} counts", self.unit));
        }
        if by_weight {
            return Ok(Counted { amount: self.amount, unit: "CS", size: size.and_then(|size| size.to_u64()) });
        }
        let pieces = size.and_then(|size| decimal::multiply(self.amount, size));
        let pieces = pieces.ok_or_else(|| "it counts cases, and it is not said how many pieces are in one".to_owned())?;
        Ok(Counted { amount: pieces, unit: "EA", size: None })
    }
}

/// The code of ours for a unit of weight.
pub(super) fn weight_unit(word: &str, target: &Amazon) -> Option<String> {
    target.words.weight_units.iter().find(|(_, theirs)| theirs.as_str() == word).map(|(code, _)| code.clone())
}

/// Takes a text, or nothing.
pub(super) fn text(from: &mut Tree, name: &str) -> Text<'static> {
    from.take_text(name).map(Text::from).unwrap_or_default()
}

fn address(address: &mut Tree) -> Option<Address<'static>> {
    let lines = ["addressLine1", "addressLine2", "addressLine3"];
    let read = Address {
        name: text(address, "name"),
        lines: lines.iter().map(|line| text(address, line)).filter(Text::is_given).collect(),
        city: text(address, "city"),
        county: text(address, "county"),
        district: text(address, "district"),
        region: text(address, "stateOrRegion"),
        // It has another name in invoices.
        postal_code: text(address, "postalCode"),
        country: text(address, "countryCode"),
        phone: text(address, "phone"),
    };
    (read != Address::default()).then_some(read)
}

/// A date as ISO 8601 has it; parts of a second are not kept.
fn date(text: &str) -> Option<Date> {
    let Some((clock, rest)) = text.split_once('.') else { return text.parse().ok() };
    let zone = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    if rest.len() == zone.len() { None } else { format!("{clock}{zone}").parse().ok() }
}

/// A date as a moment; one without a zone is UTC, as Amazon's samples suggest.
pub(super) fn moment(date: Date) -> Option<Timestamp> {
    map::moment(date, &TimeZone::UTC)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_counted_and_never_guessed() {
        let counted = |amount: i64, unit: &str, size: Option<i64>, by_weight| {
            let quantity = Quantity { amount: amount.into(), unit: unit.to_owned(), size: size.map(Decimal::from) };
            quantity.counted(by_weight).map(|counted| (counted.amount.to_string(), counted.unit, counted.size)).ok()
        };
        let pieces = |count: &str| Some((count.to_owned(), "EA", None));
        assert_eq!(counted(7, "Eaches", None, false), pieces("7"));
        assert_eq!(counted(7, "EACHES", Some(12), false), pieces("7"));
        assert_eq!(counted(7, "Cases", Some(12), false), pieces("84"));
        assert_eq!(counted(7, "Cases", Some(12), true), Some(("7".to_owned(), "CS", Some(12))));
        assert_eq!(counted(7, "Cases", None, true), Some(("7".to_owned(), "CS", None)));
        for (unit, size) in [("Cases", None), ("Cases", Some(0)), ("Cases", Some(-2)), ("", None), ("Pallets", Some(2))] {
            assert_eq!(counted(7, unit, size, false), None, "{unit} {size:?}");
        }
    }

    #[test]
    fn dates_come_in_the_forms_that_amazon_was_seen_to_write() {
        for (text, expected) in [
            ("2019-08-20T14:00:00", Some("2019-08-20T14:00:00")),
            ("2019-08-20T14:00:00Z", Some("2019-08-20T14:00:00Z")),
            ("2019-08-20T14:00:00.000Z", Some("2019-08-20T14:00:00Z")),
            ("2019-08-20T14:00:00.123456-07:00", Some("2019-08-20T14:00:00-07:00")),
            ("2019-08-20", Some("2019-08-20")),
            ("2019-08-20T14:00:00.Z", None),
            ("2019", None),
            ("20.08.2019", None),
        ] {
            assert_eq!(date(text).map(|date| date.to_string()).as_deref(), expected, "{text}");
        }
    }
}
