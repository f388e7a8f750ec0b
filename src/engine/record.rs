//! What the engine and the journal pass to each other: versions of documents, and what becomes of them.

use serde::{Deserialize, Serialize};

use super::state::{Standing, State};
use crate::model::Kind;
use crate::report::Item;

/// What one target of one account knows nothing of another.
pub type ScopeId = i64;
/// A run.
pub type RunId = i64;
/// A version of a document.
pub type VersionId = i64;
/// A call that was made of one document or several.
pub type CallId = i64;
/// SHA-256 of what goes on the wire, but for key and time.
pub type Digest = [u8; 32];

/// A document's identity within a scope.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key {
    /// Its kind.
    pub kind: Kind,
    /// Whose number it is, where the account alone does not say; else empty.
    pub owner: String,
    /// Its number.
    pub number: String,
}

/// A version of a document.
#[derive(Debug, Clone, PartialEq)]
pub struct Version {
    /// Its identifier; later ones are larger.
    pub id: VersionId,
    /// Which document it is a version of.
    pub key: Key,
    /// 1, 2, 3 …
    pub revision: u32,
    /// What goes on the wire, in short.
    pub digest: Digest,
    /// What the adapter wants to remember for the comparison with later versions.
    pub memo: Vec<u8>,
    /// The payee that becomes known when it is accepted.
    pub payee: Option<String>,
    /// The run that brought it, or carried it last.
    pub run: RunId,
    /// How it is reported, but for its end: place, warnings, amount.
    pub item: Item,
    /// Where it stands.
    pub standing: Standing,
}

/// A change of a standing. It is refused unless the version still stands as `from` says.
#[derive(Debug, Clone, PartialEq)]
pub struct Move {
    /// Which version.
    pub version: VersionId,
    /// The state that it was decided on.
    pub from: State,
    /// The epoch that it was decided on.
    pub epoch: u32,
    /// The new standing.
    pub to: Standing,
}

impl Move {
    /// From a version's present standing to another.
    pub fn new(version: &Version, to: Standing) -> Self {
        Self { version: version.id, from: version.standing.state, epoch: version.standing.epoch, to }
    }
}

/// What was made of one document of a call.
#[derive(Debug, Clone)]
pub struct Ruling {
    /// Its new standing. Its epoch is that of the attempt, so a ruling on an attempt that was overtaken is refused.
    pub to: Move,
    /// An older version that the vendor has no more; it is doubtful unless the new standing is accepted.
    pub superseded: Option<VersionId>,
    /// How it is reported, when that is its end in this run.
    pub item: Option<Item>,
}
