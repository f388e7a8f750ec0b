//! The words and values of a canonical invoice as Amazon has them.

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

use super::Amazon;
use crate::mappings::{self, Names};
use crate::model::{
    Address, AllowanceType, ChargeType, Date, DetailType, Invoice, InvoiceSum, InvoiceType, Party, PaymentTermsType,
    TaxRegistration, TaxRegistrationType, TaxType, Text, decimal, minor_unit,
};

/// Amazon's words, each at the place that ours has in its list.
#[derive(Debug, Clone)]
pub(super) struct Words {
    pub(super) units: Names,
    pub(super) weight_units: Names,
    invoice_types: Vec<String>,
    tax_types: Vec<String>,
    tax_registrations: Vec<String>,
    charge_types: Vec<String>,
    allowance_types: Vec<String>,
    detail_types: Vec<String>,
    payment_terms: Vec<String>,
}

/// Declares how a word of ours becomes one of Amazon's.
macro_rules! words {
    ($($name:ident: $type:ty = $table:ident;)+) => {$(
        pub(super) fn $name(&self, value: $type) -> &str {
            self.$table.get(value as usize).map_or("", String::as_str)
        }
    )+};
}

impl Words {
    /// The tables that are compiled in, with a target's own units laid over them.
    pub(super) fn new(units: &Names) -> Self {
        let tables = mappings::amazon();
        let mut all = tables.units;
        all.extend(units.clone());
        Self {
            units: all,
            weight_units: tables.weight_units,
            invoice_types: list(InvoiceType::ALL, InvoiceType::word, &tables.invoice_types),
            tax_types: list(TaxType::ALL, TaxType::word, &tables.tax_types),
            tax_registrations: list(TaxRegistrationType::ALL, TaxRegistrationType::word, &tables.tax_registrations),
            charge_types: list(ChargeType::ALL, ChargeType::word, &tables.charge_types),
            allowance_types: list(AllowanceType::ALL, AllowanceType::word, &tables.allowance_types),
            detail_types: list(DetailType::ALL, DetailType::word, &tables.detail_types),
            payment_terms: list(PaymentTermsType::ALL, PaymentTermsType::word, &tables.payment_terms),
        }
    }

    words! {
        invoice_type: InvoiceType = invoice_types;
        tax_type: TaxType = tax_types;
        tax_registration: TaxRegistrationType = tax_registrations;
        charge_type: ChargeType = charge_types;
        allowance_type: AllowanceType = allowance_types;
        detail_type: DetailType = detail_types;
        payment_term: PaymentTermsType = payment_terms;
    }
}

fn list<T: Copy>(all: &[T], word: fn(T) -> &'static str, names: &Names) -> Vec<String> {
    all.iter().map(|value| names.get(word(*value)).cloned().unwrap_or_default()).collect()
}

/// A party with what the configuration knows of it where the document is silent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Who<'w> {
    pub(super) id: &'w str,
    pub(super) name: &'w str,
    pub(super) address: Option<&'w Address<'w>>,
    pub(super) registrations: &'w [TaxRegistration<'w>],
}

/// The parties of an invoice as they go on the wire.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parties<'w> {
    /// `remitToParty`
    pub(super) payee: Option<Who<'w>>,
    /// `billToParty`
    pub(super) buyer: Option<Who<'w>>,
    pub(super) ship_to: Option<Who<'w>>,
    pub(super) ship_from: Option<Who<'w>>,
}

/// The parties of an invoice: its own, else those that stand in for them.
pub(super) fn parties<'w>(invoice: &'w Invoice<'w>, target: &'w Amazon) -> Parties<'w> {
    let defaults = &target.defaults;
    Parties {
        payee: party(invoice.payee.as_ref(), "", target),
        buyer: party(invoice.buyer.as_ref(), &defaults.buyer, target),
        ship_to: party(invoice.ship_to.as_ref(), &defaults.ship_to, target),
        ship_from: party(invoice.ship_from.as_ref(), &defaults.ship_from, target),
    }
}

fn party<'w>(own: Option<&'w Party<'w>>, default: &'w str, target: &'w Amazon) -> Option<Who<'w>> {
    let id = own.map_or(default, |own| own.id.as_str());
    let known = target.parties.get(id);
    if own.is_none() && id.is_empty() {
        return None;
    }
    let text = |pick: fn(&'w Party<'w>) -> &'w Text<'w>| {
        own.and_then(|own| pick(own).given()).or_else(|| known.and_then(|known| pick(known).given())).unwrap_or_default()
    };
    let registrations = |party: &'w Party<'w>| party.tax_registrations.as_slice();
    let own_registrations = own.map(registrations).filter(|list| !list.is_empty());
    Some(Who {
        id,
        name: text(|party| &party.name),
        address: own.and_then(|own| own.address.as_ref()).or_else(|| known.and_then(|known| known.address.as_ref())),
        registrations: own_registrations.or_else(|| known.map(registrations)).unwrap_or_default(),
    })
}

/// A moment in UTC. A time without an offset is in the target's time zone, and a plain date is its midnight there. Where a
/// clock that is set back shows a time twice, the first one is meant; where it skips one, the time after the gap.
pub(super) fn moment(date: Date, zone: &TimeZone) -> Option<Timestamp> {
    let clock = date.wall_clock();
    let moment = match date.offset {
        Some(minutes) => Offset::from_seconds(i32::from(minutes) * 60).ok()?.to_timestamp(clock).ok()?,
        None if *zone == TimeZone::UTC => Offset::UTC.to_timestamp(clock).ok()?,
        None => zone.to_ambiguous_timestamp(clock).compatible().ok()?,
    };
    // The wire has four digits for the year, and RFC 3339 no year 0.
    (1..=9999).contains(&Offset::UTC.to_datetime(moment).year()).then_some(moment)
}

/// `itemSequenceNumber`: the line's id as a whole number, so that "00010" is 10.
pub(super) fn sequence(id: &str) -> Option<u64> {
    let digits = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
    id.parse().ok().filter(|_| digits)
}

/// A quantity as a whole number, if it is one.
pub(super) fn whole(quantity: Decimal) -> Option<u64> {
    decimal::fit(quantity, 0)?.to_u64()
}

/// `invoiceTotal`: given, or what the parts add up to, rounded to the currency's minor unit. The flag says whether rounding
/// changed it.
pub(super) fn total(invoice: &Invoice<'_>, sum: Option<InvoiceSum>, target: &Amazon) -> Option<(Decimal, bool)> {
    match *invoice.total {
        Some(total) => Some((total, false)),
        None if target.derive_total => Some(decimal::round(sum?.total()?, minor_unit(&invoice.currency)?)),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_ours_has_one_of_amazons() {
        let words = Words::new(&Names::new());
        let lists = [
            &words.invoice_types,
            &words.tax_types,
            &words.tax_registrations,
            &words.charge_types,
            &words.allowance_types,
            &words.detail_types,
            &words.payment_terms,
        ];
        for list in lists {
            assert!(!list.is_empty() && list.iter().all(|word| !word.is_empty()), "{list:?}");
        }
        assert_eq!(words.tax_type(TaxType::Mwst), "MwSt.");
        assert_eq!(words.payment_term(PaymentTermsType::LetterOfCredit), "LetterofCredit");
        assert_eq!(words.charge_type(ChargeType::TaxCollectedAtSource), "TaxCollectedAtSource");
    }

    #[test]
    fn a_plain_date_is_midnight_where_the_target_is() {
        let new_york = jiff::tz::TimeZoneDatabase::bundled().get("America/New_York").unwrap();
        for (date, zone, expected) in [
            ("2026-03-01", &TimeZone::UTC, "2026-03-01T00:00:00Z"),
            ("2026-03-01", &new_york, "2026-03-01T05:00:00Z"),
            ("2026-07-01", &new_york, "2026-07-01T04:00:00Z"),
            ("2026-03-01T23:30:00", &new_york, "2026-03-02T04:30:00Z"),
            ("2026-03-01T23:30:00+05:30", &new_york, "2026-03-01T18:00:00Z"),
            // The clock is set forward at 2:00, and back at 2:00.
            ("2026-03-08T02:30:00", &new_york, "2026-03-08T07:30:00Z"),
            ("2026-11-01T01:30:00", &new_york, "2026-11-01T05:30:00Z"),
        ] {
            assert_eq!(moment(date.parse().unwrap(), zone).unwrap().to_string(), expected, "{date}");
        }
        assert_eq!(moment("0001-01-01T00:00:00+14:00".parse().unwrap(), &TimeZone::UTC), None);
        assert_eq!(moment("9999-12-31T23:00:00-14:00".parse().unwrap(), &TimeZone::UTC), None);
    }

    #[test]
    fn an_id_is_a_number_whatever_zeros_stand_before_it() {
        assert_eq!(
            ["00010", "1", "+1", "1a", "", "99999999999999999999"].map(sequence),
            [Some(10), Some(1), None, None, None, None]
        );
    }
}
