//! The report: one item for each document, the counts and sums over them, and the exit code that follows.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use schemars::{JsonSchema, Schema, generate::SchemaSettings};
use serde::{Deserialize, Serialize, Serializer};

use crate::model::{self, Fault, Kind, Source, decimal};
use crate::outcome::{Action, Change, Exit, Outcome};

/// The name and version of the report's shape.
pub const SCHEMA: &str = "payables.report.v1";

/// What became of one document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Item {
    /// The kind, when it could be made out.
    pub kind: Option<Kind>,
    /// The number, when it could be made out.
    pub number: Option<String>,
    /// What became of it.
    pub outcome: Outcome,
    /// The vendor's reference: a transactionId, an ARN.
    pub reference: Option<String>,
    /// Everything that is wrong or worth a warning.
    pub faults: Vec<Fault>,
    /// Where the document stands in the input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// What is done about it, where something is kept at the vendor rather than sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Box<Plan>>,
    /// What it is about, for the sums.
    #[serde(skip)]
    #[schemars(skip)]
    pub amount: Option<Amount>,
}

/// What is done about something that is kept at the vendor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    /// What is done.
    pub action: Action,
    /// The fields that change. Secrets are not shown, only where they are from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
}

/// An amount of money.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Amount {
    /// ISO 4217.
    pub currency: String,
    /// How much.
    pub value: Decimal,
}

/// Which run it was.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Run {
    /// The run's own identifier.
    pub id: String,
    /// The target's name.
    pub target: String,
    /// When it began, RFC 3339 in UTC.
    pub started_at: String,
    /// When it ended, RFC 3339 in UTC.
    pub finished_at: String,
    /// The version of this program.
    pub version: String,
    /// Whether nothing was sent on purpose.
    pub dry_run: bool,
    /// Whether the built-in simulator stood in for the vendor.
    pub sandbox: bool,
}

/// Counts and sums over the items of a run, in memory that does not grow with them.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct Summary {
    /// How many documents the run was given.
    pub documents: u64,
    /// How many ended how.
    pub outcomes: BTreeMap<Outcome, u64>,
    /// The sums by currency and outcome.
    pub amounts: BTreeMap<String, BTreeMap<Outcome, Sum>>,
    /// How many requests with documents, or with questions about them, went out.
    pub requests: u64,
    /// How many warnings were given.
    pub warnings: u64,
    /// Fields that the target has no place for, and in how many places they stood.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub not_carried: BTreeMap<String, u64>,
    /// What happened besides, such as a reply that named a document nobody sent.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    #[serde(skip)]
    #[schemars(skip)]
    end: Option<Exit>,
}

/// A sum of money; written with at least the places of its currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sum {
    /// How much, and the least number of places to write.
    Exact(Decimal, u32),
    /// More digits than can be kept; no sum is better than a wrong one.
    TooLarge,
}

impl Sum {
    /// An amount as a sum of one.
    pub fn of(amount: &Amount) -> Self {
        Self::Exact(amount.value, model::minor_unit(&amount.currency).unwrap_or_default())
    }

    /// The sum with the places of its currency, or more where it has them.
    pub fn text(self) -> Option<String> {
        match self {
            Self::Exact(value, places) => {
                let mut value = value.normalize();
                if value.scale() < places {
                    value.rescale(places);
                }
                Some(decimal::to_text(value))
            }
            Self::TooLarge => None,
        }
    }
}

impl Serialize for Sum {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.text().serialize(serializer)
    }
}

impl JsonSchema for Sum {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Sum".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> Schema {
        schemars::json_schema!({ "type": ["string", "null"], "pattern": "^-?[0-9]+(\\.[0-9]+)?$" })
    }
}

/// The most notes that a summary keeps.
const MOST_NOTES: usize = 100;

impl Summary {
    /// Counts an item.
    pub fn count(&mut self, item: &Item) {
        self.documents += 1;
        *self.outcomes.entry(item.outcome).or_default() += 1;
        self.warnings += item.faults.iter().filter(|fault| !fault.is_error()).count() as u64;
        if let Some(amount) = &item.amount {
            // The currency is looked up before it is cloned: there are few, and many documents.
            if !self.amounts.contains_key(&amount.currency) {
                self.amounts.insert(amount.currency.clone(), BTreeMap::new());
            }
            if let Some(sums) = self.amounts.get_mut(&amount.currency) {
                let places = model::minor_unit(&amount.currency).unwrap_or_default();
                let sum = sums.entry(item.outcome).or_insert(Sum::Exact(Decimal::ZERO, places));
                if let Sum::Exact(value, places) = *sum {
                    *sum = decimal::add(value, amount.value).map_or(Sum::TooLarge, |value| Sum::Exact(value, places));
                }
            }
        }
        let end = match item.outcome {
            Outcome::InDoubt => Exit::InDoubt,
            Outcome::NotSent => Exit::Temporary,
            Outcome::Invalid | Outcome::Held | Outcome::Rejected => Exit::Documents,
            _ => Exit::Done,
        };
        self.end_with(end);
    }

    /// How many documents ended so.
    pub fn of(&self, outcome: Outcome) -> u64 {
        self.outcomes.get(&outcome).copied().unwrap_or_default()
    }

    /// Keeps a sentence about the run as a whole.
    pub fn note(&mut self, note: String) {
        if self.notes.len() < MOST_NOTES && !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// Something about the run as a whole decides its end, unless something worse does.
    pub fn end_with(&mut self, exit: Exit) {
        self.end = Some(self.end.unwrap_or(Exit::Done).worse(exit));
    }

    /// The code that the run ends with.
    pub fn exit(&self) -> Exit {
        let end = self.end.unwrap_or(Exit::Done);
        let nothing = self.documents > 0 && self.of(Outcome::Invalid) == self.documents;
        if nothing { end.worse(Exit::Nothing) } else { end }
    }
}

/// What became of the documents of a run.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(title = "Report of a run")]
pub struct Report {
    /// The name and version of this shape: `payables.report.v1`.
    pub schema: String,
    /// Which run it was.
    pub run: Run,
    /// Counts and sums.
    pub summary: Summary,
    /// One for each document.
    pub items: Vec<Item>,
}

/// The JSON Schema of a report.
pub fn report_schema() -> Schema {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    settings.into_generator().into_root_schema_for::<Report>()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(outcome: Outcome, value: &str) -> Item {
        let amount = Amount { currency: "USD".into(), value: decimal::parse(value).unwrap() };
        Item {
            kind: None,
            number: None,
            outcome,
            reference: None,
            faults: vec![],
            source: None,
            plan: None,
            amount: Some(amount),
        }
    }

    #[test]
    fn sums_are_exact_and_have_the_places_of_their_currency() {
        let mut summary = Summary::default();
        summary.count(&item(Outcome::Accepted, "12495"));
        summary.count(&item(Outcome::Accepted, "12495.0000"));
        summary.count(&item(Outcome::Rejected, "0.125"));
        let json = serde_json::to_value(&summary).unwrap();
        assert_eq!(json["amounts"]["USD"]["accepted"], "24990.00");
        assert_eq!(json["amounts"]["USD"]["rejected"], "0.125");
        assert_eq!(json["outcomes"]["accepted"], 2);
        assert_eq!(summary.exit(), Exit::Documents);
    }

    #[test]
    fn a_sum_that_cannot_be_kept_is_no_sum() {
        let mut summary = Summary::default();
        summary.count(&item(Outcome::Accepted, "9999999999999999999999999999"));
        for _ in 0..9 {
            summary.count(&item(Outcome::Accepted, "9999999999999999999999999999.0"));
        }
        assert!(serde_json::to_value(&summary).unwrap()["amounts"]["USD"]["accepted"].is_null());
    }

    #[test]
    fn a_run_of_nothing_but_invalid_documents_sent_nothing() {
        let mut summary = Summary::default();
        assert_eq!(summary.exit(), Exit::Done);
        summary.count(&item(Outcome::Invalid, "1"));
        assert_eq!(summary.exit(), Exit::Nothing);
        summary.count(&item(Outcome::Planned, "1"));
        assert_eq!(summary.exit(), Exit::Documents);
    }
}
