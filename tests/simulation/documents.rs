//! The documents of a night: what they say, and what is to become of them at the vendor.

use payables_bridge::engine::record::Digest;
use sha2::{Digest as _, Sha256};

/// What a document's content means to the vendor. It stands in the content, so that a vendor that is asked twice says the
/// same twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nature {
    /// It is taken.
    Good,
    /// It is refused.
    Bad,
    /// The whole call is refused for its sake.
    Poison,
    /// It is taken, and refused later, where verdicts come later.
    Failing,
    /// It is taken, and no verdict ever comes, where verdicts come later.
    Silent,
    /// It is not even sent: a guard stops it.
    Guarded,
}

impl Nature {
    const ALL: [Self; 6] = [Self::Good, Self::Bad, Self::Poison, Self::Failing, Self::Silent, Self::Guarded];

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Bad => "bad",
            Self::Poison => "poison",
            Self::Failing => "failing",
            Self::Silent => "silent",
            Self::Guarded => "guarded",
        }
    }

    /// The nature of a content as it stands on the wire.
    pub(super) fn of(line: &str) -> Option<Self> {
        let note = line.split(';').nth(1)?;
        let word = note.split(' ').next()?;
        Self::ALL.into_iter().find(|nature| nature.word() == word)
    }
}

/// A document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Paper {
    pub(super) number: String,
    pub(super) nature: Nature,
    /// Another edition has other content.
    pub(super) edition: u32,
}

impl Paper {
    fn note(&self) -> String {
        format!("{} {}", self.nature.word(), self.edition)
    }

    fn price(&self) -> String {
        format!("{}.5", 10 + self.edition)
    }

    /// As it comes in.
    pub(super) fn json(&self) -> String {
        let (number, note, price) = (&self.number, self.note(), self.price());
        format!(
            r#"{{"kind":"purchase_order","number":"{number}","issue_date":"2026-03-02","currency":"EUR","note":"{note}","lines":[{{"id":"1","item":{{"buyers_id":"PAPER","external_id":"501"}},"quantity":"1","price":"{price}","account":{{"external_id":"6815"}}}}]}}"#
        )
    }

    /// As it goes on the wire.
    pub(super) fn line(&self) -> String {
        format!("{};{};{}", self.number, self.note(), self.price())
    }
}

/// What stands in the journal for a content.
pub(super) fn digest(line: &str) -> Digest {
    Sha256::digest(line.as_bytes()).into()
}

/// Something to read: a name, and documents line by line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pile {
    pub(super) name: String,
    pub(super) lines: Vec<String>,
}
