//! What can become of a document, and the codes with which a run ends.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What became of a document. Every document of a run has exactly one for each target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It would be sent (a dry run, a plan, a validation).
    Planned,
    /// What would go on the wire was accepted or submitted earlier.
    Unchanged,
    /// The vendor confirmed it.
    Accepted,
    /// The vendor has it; its verdict is still to come.
    Submitted,
    /// The vendor stayed silent past its documented time.
    Presumed,
    /// Not sent: it breaks a rule.
    Invalid,
    /// Not sent: a guard stopped it.
    Held,
    /// The vendor said no.
    Rejected,
    /// Certainly not received.
    NotSent,
    /// It may or may not have been received.
    InDoubt,
}

impl Outcome {
    /// All outcomes, the good ones first.
    pub const ALL: [Self; 10] = [
        Self::Planned,
        Self::Unchanged,
        Self::Accepted,
        Self::Submitted,
        Self::Presumed,
        Self::Invalid,
        Self::Held,
        Self::Rejected,
        Self::NotSent,
        Self::InDoubt,
    ];

    /// The word as it stands in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Unchanged => "unchanged",
            Self::Accepted => "accepted",
            Self::Submitted => "submitted",
            Self::Presumed => "presumed",
            Self::Invalid => "invalid",
            Self::Held => "held",
            Self::Rejected => "rejected",
            Self::NotSent => "not_sent",
            Self::InDoubt => "in_doubt",
        }
    }

    /// What the person does next; nothing for what went well.
    pub fn next_step(self) -> Option<&'static str> {
        match self {
            Self::Planned | Self::Unchanged | Self::Accepted | Self::Presumed => None,
            Self::Submitted => Some("wait; the vendor's verdict is still to come"),
            Self::Invalid | Self::Rejected => Some("fix the document and send it again"),
            Self::Held => Some("do what its message says; what a guard stopped may also go as it is, with payables release"),
            Self::NotSent => Some("the next run sends it, unless its message says what has to be done first"),
            Self::InDoubt => {
                Some("the next run sends it again where that does no harm; else look it up at the vendor, then payables resolve")
            }
        }
    }

    /// Whether a person has to look at it.
    pub fn needs_attention(self) -> bool {
        matches!(self, Self::Invalid | Self::Held | Self::Rejected | Self::NotSent | Self::InDoubt)
    }
}

/// What is to be done, or was done, with something that is kept at a vendor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It is not there and is made.
    Create,
    /// It is there and becomes another.
    Change,
    /// It cannot become what is wanted, so it is deleted and made anew.
    Replace,
    /// It is there and nobody wants it.
    Delete,
    /// It is as it is wanted.
    Keep,
}

impl Action {
    /// The word as it stands in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Change => "change",
            Self::Replace => "replace",
            Self::Delete => "delete",
            Self::Keep => "keep",
        }
    }
}

/// One field that changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// The field, such as `contacts[0].email`; entries of a list that has no order have the path of the list.
    pub path: String,
    /// What stands there now; nothing where nothing does.
    pub old: Option<String>,
    /// What is to stand there; nothing where nothing is.
    pub new: Option<String>,
}

impl Change {
    /// Both values as sentences have them: quoted, or `nothing`.
    ///
    /// ```
    /// use payables_bridge::outcome::Change;
    ///
    /// let change = Change { path: "name".to_owned(), old: None, new: Some("Retail".to_owned()) };
    /// assert_eq!(change.quoted(), ["nothing", "\"Retail\""]);
    /// ```
    pub fn quoted(&self) -> [String; 2] {
        [&self.old, &self.new].map(|value| value.as_ref().map_or_else(|| "nothing".to_owned(), |value| format!("{value:?}")))
    }
}

/// The code that a process ends with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Exit {
    /// Done: everything accepted, submitted, presumed, unchanged or planned.
    Done = 0,
    /// An unexpected failure.
    Unexpected = 1,
    /// The command line makes no sense.
    Usage = 2,
    /// Finished, but at least one document is invalid, held or rejected.
    Documents = 3,
    /// Nothing was sent: every document was invalid, a fuse stopped the run, or an input had no byte in it.
    Nothing = 4,
    /// At least one document is in doubt.
    InDoubt = 5,
    /// A plan has changes that are pending.
    Changes = 10,
    /// Vendor or network down, another run holds the lock, documents left for the next run.
    Temporary = 75,
    /// Credentials or permission refused.
    Refused = 77,
    /// Configuration or mapping wrong.
    Config = 78,
}

impl Exit {
    /// The number.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The worse of two ends of a run.
    #[must_use]
    pub fn worse(self, other: Self) -> Self {
        if other.weight() > self.weight() { other } else { self }
    }

    fn weight(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Changes => 1,
            Self::Documents => 2,
            Self::Nothing => 3,
            Self::Temporary => 4,
            Self::InDoubt => 5,
            Self::Refused => 6,
            Self::Config => 7,
            Self::Usage => 8,
            Self::Unexpected => 9,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_code_wins() {
        let order = [Exit::Config, Exit::Refused, Exit::InDoubt, Exit::Temporary, Exit::Nothing, Exit::Documents, Exit::Done];
        for pair in order.windows(2) {
            assert_eq!(pair[0].worse(pair[1]), pair[0]);
            assert_eq!(pair[1].worse(pair[0]), pair[0]);
        }
    }
}
