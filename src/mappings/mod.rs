//! The tables of `mappings/`: data that a person may read and correct, compiled in.

pub mod source;

use std::collections::BTreeMap;

use serde::Deserialize;

/// Words of ours, and the target's for them.
pub(crate) type Names = BTreeMap<String, String>;

const TIPALTI: &str = include_str!("../../mappings/targets/tipalti.toml");
const AMAZON: &str = include_str!("../../mappings/targets/amazon-vendor.toml");

/// The tables of a target, by their names.
type Tables = BTreeMap<String, Names>;

fn tables(text: &str) -> Tables {
    // A test reads every table; one that cannot be read would otherwise be an empty one.
    toml::from_str(text).unwrap_or_default()
}

/// Tipalti's names of units by their UN/ECE Recommendation 20 code.
pub(crate) fn tipalti_units() -> Names {
    tables(TIPALTI).remove("units").unwrap_or_default()
}

/// Amazon's tables.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AmazonTables {
    pub(crate) units: Names,
    pub(crate) weight_units: Names,
    pub(crate) invoice_types: Names,
    pub(crate) tax_types: Names,
    pub(crate) tax_registrations: Names,
    pub(crate) charge_types: Names,
    pub(crate) allowance_types: Names,
    pub(crate) detail_types: Names,
    pub(crate) payment_terms: Names,
}

/// Amazon's tables.
pub(crate) fn amazon() -> AmazonTables {
    toml::from_str(AMAZON).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_can_be_read() {
        toml::from_str::<Tables>(TIPALTI).unwrap();
        toml::from_str::<AmazonTables>(AMAZON).unwrap();
    }
}
