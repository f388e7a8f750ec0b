//! The tables of `mappings/`: data that a person may read and correct, compiled in.

pub mod source;

use std::collections::BTreeMap;

use serde::Deserialize;

/// The table of a target.
#[derive(Deserialize)]
struct TargetTable {
    #[serde(default)]
    units: BTreeMap<String, String>,
}

/// Tipalti's names of units by their UN/ECE Recommendation 20 code.
pub(crate) fn tipalti_units() -> BTreeMap<String, String> {
    // A test reads the table; one that cannot be read would otherwise mean "no names", which is also the default.
    toml::from_str::<TargetTable>(include_str!("../../mappings/targets/tipalti.toml"))
        .map(|table| table.units)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_can_be_read() {
        toml::from_str::<TargetTable>(include_str!("../../mappings/targets/tipalti.toml")).unwrap();
    }
}
