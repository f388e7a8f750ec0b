//! The rules and their stable codes: what each one means, and what to do about it. `payables explain CODE` prints them.

mod amazon;
mod aws;
mod documents;
mod mapping;
mod tipalti;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{Fault, Severity};

/// A rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// The stable code.
    pub code: &'static str,
    /// What it is about, in a few words.
    pub title: &'static str,
    /// What it means and why it is there.
    pub meaning: &'static str,
    /// What to do.
    pub remedy: &'static str,
    /// Whether a configuration may change its level. Rules without which no document could be made may not.
    pub adjustable: bool,
}

/// How much a rule weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The document is not sent.
    Error,
    /// The person is told.
    Warn,
    /// Nobody is told.
    Off,
}

/// Levels that differ from the built-in ones, by the code of the rule.
pub type Levels = BTreeMap<String, Level>;

/// Gives faults the levels that the configuration asks for.
pub fn apply_levels(levels: &Levels, faults: &mut Vec<Fault>) {
    if levels.is_empty() {
        return;
    }
    faults.retain_mut(|fault| match levels.get(&*fault.rule) {
        Some(Level::Error) => {
            fault.severity = Severity::Error;
            true
        }
        Some(Level::Warn) => {
            fault.severity = Severity::Warning;
            true
        }
        Some(Level::Off) => false,
        None => true,
    });
}

/// Looks a rule up.
pub fn find(code: &str) -> Option<&'static Rule> {
    all().find(|rule| rule.code.eq_ignore_ascii_case(code))
}

const fn rule(code: &'static str, title: &'static str, meaning: &'static str, remedy: &'static str) -> Rule {
    Rule { code, title, meaning, remedy, adjustable: false }
}

const fn adjustable(code: &'static str, title: &'static str, meaning: &'static str, remedy: &'static str) -> Rule {
    Rule { code, title, meaning, remedy, adjustable: true }
}

/// All rules.
pub fn all() -> impl Iterator<Item = &'static Rule> {
    [documents::RULES, tipalti::RULES, amazon::RULES, aws::RULES, mapping::RULES].into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Path;

    #[test]
    fn codes_are_unique_and_found_in_any_case() {
        for rule in all() {
            assert_eq!(find(&rule.code.to_lowercase()), Some(rule));
            assert!(rule.title.len() > 5 && rule.meaning.ends_with('.') && rule.remedy.ends_with('.'), "{}", rule.code);
        }
    }

    #[test]
    fn levels_change_and_silence() {
        let faults = || {
            vec![
                Fault::warning("TIP-NET", Path::ROOT, "a"),
                Fault::error("TIP-ENTITY", Path::ROOT, "b"),
                Fault::warning("TIP-LINE-ID", Path::ROOT, "c"),
            ]
        };
        let levels = Levels::from([
            ("TIP-NET".into(), Level::Error),
            ("TIP-ENTITY".into(), Level::Warn),
            ("TIP-LINE-ID".into(), Level::Off),
        ]);
        let mut changed = faults();
        apply_levels(&levels, &mut changed);
        assert_eq!(
            changed.iter().map(|fault| (&*fault.rule, fault.is_error())).collect::<Vec<_>>(),
            [("TIP-NET", true), ("TIP-ENTITY", false)]
        );
        let mut same = faults();
        apply_levels(&Levels::new(), &mut same);
        assert_eq!(same, faults());
    }
}
