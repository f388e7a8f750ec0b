//! What AWS holds, as far as it tells: the same fields as in a file, and what only AWS knows.
//!
//! Get shows the secrets of portals in clear. They are kept as [`Secret`], so that they can be compared and never shown.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use super::compare::canon;
use super::resource::Resource;
use crate::wire::Secret;

/// Something that AWS holds.
#[derive(Debug, Clone)]
pub struct Held<T> {
    /// What it says, with its ARN and tags and without secrets.
    pub content: T,
    /// The secrets, by the fields that they stand in.
    pub secrets: Vec<(&'static str, Secret)>,
    /// How often it was changed, where AWS counts.
    pub version: Option<i64>,
    /// How its parts stand, in AWS's words.
    pub statuses: Vec<Status>,
    /// What else AWS tells, by names in snake_case.
    pub facts: Vec<(&'static str, String)>,
}

/// How a part of a preference stands. The word is AWS's; those that nobody has heard of are shown as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Which part: `einvoice` or `po_retrieval`.
    pub part: &'static str,
    /// The word, such as `ACTIVE`.
    pub word: String,
    /// Why.
    pub reason: Option<String>,
}

impl Status {
    /// The words that the API's model lists (`ProcurementPortalPreferenceStatus`).
    pub const WORDS: [&str; 7] = [
        "PENDING_VERIFICATION",
        "VALIDATED",
        "TEST_INITIALIZED",
        "TEST_INITIALIZATION_FAILED",
        "TEST_FAILED",
        "ACTIVE",
        "SUSPENDED",
    ];
}

impl<T: Resource> Held<T> {
    /// Its ARN.
    pub fn arn(&self) -> &str {
        self.content.arn().unwrap_or_default()
    }

    /// What tells one state of it from another, but for secrets.
    pub fn fingerprint(&self) -> String {
        let mut hasher = Sha256::new();
        hasher.update(canon(&self.content).to_string());
        for (name, value) in self.content.tags().iter().flat_map(|tags| &tags.0) {
            hasher.update(format!("\n{name:?} {value:?}"));
        }
        hasher.update(format!("\n{:?} {}", self.version, self.arn()));
        hex(&hasher.finalize())
    }

    /// How it stands: what somebody may have changed without changing what it says.
    pub fn standing(&self) -> String {
        let statuses: Vec<String> = self.statuses.iter().map(|status| format!("{} {}", status.part, status.word)).collect();
        let changed_at = self.facts.iter().find(|(name, _)| *name == "changed_at").map_or("", |(_, at)| at);
        let version = self.version.map_or_else(String::new, |version| format!("version {version}, "));
        format!("{version}{changed_at}, {}", statuses.join(", "))
    }

    /// The secret of a field.
    pub fn secret(&self, field: &str) -> Option<&Secret> {
        self.secrets.iter().find(|(known, _)| *known == field).map(|(_, secret)| secret)
    }
}

/// Bytes as hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String does not fail.
        let _written = write!(text, "{byte:02x}");
        text
    })
}
