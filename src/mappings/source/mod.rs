//! Mappings of sources: which column of an export becomes which field of a canonical document.
//!
//! A mapping is data: a closed set of options, and no language to write expressions in. It is checked as a whole before
//! anything is read, and everything that is wrong with it is said at once. [`mapping_schema`] is its JSON Schema, and the
//! folder `mappings/sources` holds those that are compiled in.
//!
//! ```
//! use payables_bridge::mappings::source::Mapping;
//!
//! let text = r#"
//! version  = 1
//! document = "invoice"
//! title    = "Invoices of our till"
//! [header]
//! number   = "No"
//! currency = { const = "EUR" }
//! "#;
//! assert_eq!(Mapping::parse("till.toml", text)?.title(), "Invoices of our till");
//!
//! let problems = Mapping::parse("till.toml", &text.replace("currency", "curency")).unwrap_err();
//! assert_eq!(problems.0[0].key, "header.curency");
//! # Ok::<(), payables_bridge::mappings::source::Problems>(())
//! ```

mod canon;
mod compile;
mod fields;
mod file;
mod plan;

use std::fmt;

use crate::model::Kind;

pub use file::mapping_schema;

pub(crate) use canon::{Holds, Step};
pub(crate) use file::{Format, HeaderConflict};
pub(crate) use plan::{DateFormat, Dialect, Field, Formats, Group, Known, Part, Plan, Scalar, Value};

/// The mappings that are compiled in: their names and texts.
const BUILT_IN: &[(&str, &str)] =
    &[("cdata-submit-vendor-payments", include_str!("../../../mappings/sources/cdata-submit-vendor-payments.toml"))];

/// How a source becomes canonical documents.
#[derive(Debug)]
pub struct Mapping {
    name: String,
    title: String,
    pub(crate) plan: Plan,
}

impl Mapping {
    /// Reads and checks a mapping file. The name is for messages: the built-in name, or the file's.
    ///
    /// # Errors
    /// With everything that is wrong with it, as far as it could be read.
    pub fn parse(name: &str, text: &str) -> Result<Self, Problems> {
        let file: file::MappingFile = toml::from_str(text).map_err(|error| Problems::of_toml(&error))?;
        let title = file.title.clone();
        compile::compile(&file).map(|plan| Self { name: name.to_owned(), title, plan })
    }

    /// A mapping that is compiled in.
    ///
    /// ```
    /// use payables_bridge::mappings::source::Mapping;
    ///
    /// assert!(Mapping::built_in("cdata-submit-vendor-payments").is_some());
    /// assert!(Mapping::built_in("nobody").is_none());
    /// ```
    pub fn built_in(name: &str) -> Option<Self> {
        // A test reads them all, so one that cannot be read does not come this far.
        BUILT_IN.iter().find(|(known, _)| *known == name).and_then(|(name, text)| Self::parse(name, text).ok())
    }

    /// The names of the mappings that are compiled in.
    pub fn built_in_names() -> impl Iterator<Item = &'static str> {
        BUILT_IN.iter().map(|(name, _)| *name)
    }

    /// The name that it was given.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is for.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// What it makes of a record.
    pub fn kind(&self) -> Kind {
        self.plan.kind
    }
}

/// Something that is wrong with a mapping file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The key, such as `header.payee.id`; empty when the file as a whole is meant.
    pub key: String,
    /// What is wrong, what stood there and what to do.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.key.is_empty() { f.write_str(&self.message) } else { write!(f, "{}: {}", self.key, self.message) }
    }
}

/// Everything that is wrong with a mapping file, a line each when printed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Problems(pub Vec<Problem>);

impl Problems {
    fn of_toml(error: &toml::de::Error) -> Self {
        // The reader of TOML shows the line and points at the place.
        Self(vec![Problem { key: String::new(), message: error.to_string().trim_end().to_owned() }])
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_compiled_in_can_be_read() {
        for (name, text) in BUILT_IN {
            let mapping = Mapping::parse(name, text).unwrap_or_else(|problems| panic!("{name}: {problems}"));
            assert!(!mapping.title().is_empty());
        }
    }
}
