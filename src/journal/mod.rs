//! The journal: what was wanted, what was tried, what came back, and what was made of it, kept so that a machine that dies
//! at any instant leaves the truth behind.
//!
//! A journal decides nothing. It stores what [`engine::state::step`](crate::engine::state::step) gave, all of a call or
//! nothing of it, and refuses what was decided on a standing that is not the present one any more.

mod intent;
mod memory;
mod shared;
#[cfg(feature = "net")]
mod sqlite;
#[cfg(feature = "net")]
mod stored;

use serde::{Deserialize, Serialize};

use crate::adapter::Scope;
pub use crate::engine::record::{CallId, Digest, Key, Move, Ruling, RunId, ScopeId, Version, VersionId};
use crate::engine::state::{Millis, Standing, State};
use crate::report::Item;

pub use intent::{Carried, Concluded, Intent, IntentId, Intents, NewIntent, OpenIntent};
pub use memory::Memory;
use shared::moved_twice;
#[cfg(feature = "net")]
pub use sqlite::{Finding, Pruned, Sqlite};
#[cfg(feature = "net")]
pub(crate) use stored::{read_item, write_item};

/// A version that is new.
#[derive(Debug, Clone, PartialEq)]
pub struct NewVersion {
    /// Which document it is a version of.
    pub key: Key,
    /// The revision.
    pub revision: u32,
    /// What goes on the wire, in short.
    pub digest: Digest,
    /// The adapter's memory.
    pub memo: Vec<u8>,
    /// The payee that becomes known when it is accepted.
    pub payee: Option<String>,
    /// How it is reported.
    pub item: Item,
    /// Where it stands: received or held.
    pub standing: Standing,
    /// What goes on the wire, but for key and time.
    pub payload: Vec<u8>,
}

/// A run that begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRun {
    /// The name that people use.
    pub name: String,
    /// Where it sends to.
    pub scope: ScopeId,
    /// The target's name in the configuration.
    pub target: String,
    /// When.
    pub at: Millis,
    /// What it reads.
    pub inputs: Vec<String>,
}

/// A run as the journal knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRecord {
    /// Its identifier.
    pub id: RunId,
    /// The name that people use.
    pub name: String,
    /// Where it sent to.
    pub scope: ScopeId,
    /// The target's name in the configuration.
    pub target: String,
    /// When it began.
    pub began_at: Millis,
    /// When all of its input was stored.
    pub imported_at: Option<Millis>,
    /// When it ended.
    pub ended_at: Option<Millis>,
    /// What it read.
    pub inputs: Vec<String>,
    /// Its summary as JSON, when it ended.
    pub summary: Option<String>,
}

/// Part of an input: one commit.
#[derive(Debug, Clone, Default)]
pub struct Import {
    /// Versions that stand otherwise now, and the item by which they are reported from now on. They are moved before new
    /// ones come in.
    pub moves: Vec<(Move, Option<Item>)>,
    /// Versions that are new.
    pub new: Vec<NewVersion>,
    /// Documents that have come to their end already.
    pub items: Vec<Item>,
}

/// The intent to make a call.
#[derive(Debug, Clone)]
pub struct Arm {
    /// The run.
    pub run: RunId,
    /// The scope.
    pub scope: ScopeId,
    /// When.
    pub at: Millis,
    /// Versions whose place is taken.
    pub superseded: Vec<Move>,
    /// Versions that are sent, in their order in the call; each becomes an attempt, and is carried by this run from now on.
    pub armed: Vec<Move>,
}

/// What came back of a call, kept before it is judged. It holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// When.
    pub at: Millis,
    /// What it is.
    pub kind: EvidenceKind,
    /// The HTTP status of an answer.
    pub status: u16,
    /// Headers that say something about the answer.
    pub headers: Vec<(String, String)>,
    /// The answer's body, or what the transport says, cut after [`MOST_EVIDENCE`] bytes.
    pub body: Vec<u8>,
    /// Whether it was cut. A cut answer is not judged again.
    pub cut: bool,
}

/// What kind of evidence it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EvidenceKind {
    /// An answer.
    Answer,
    /// The transport says that the call did not arrive.
    NotSent,
    /// The transport says that the call may have arrived.
    MaybeSent,
}

impl EvidenceKind {
    /// The word that is stored.
    pub fn word(self) -> &'static str {
        match self {
            Self::Answer => "answer",
            Self::NotSent => "not_sent",
            Self::MaybeSent => "maybe_sent",
        }
    }
}

/// The most bytes of an answer that are kept.
pub const MOST_EVIDENCE: usize = 1 << 20;

/// What was made of a call.
#[derive(Debug, Clone)]
pub struct Settle {
    /// The call.
    pub call: CallId,
    /// The run.
    pub run: RunId,
    /// One for each document of the call.
    pub rulings: Vec<Ruling>,
}

/// A call whose outcome is not in the journal.
#[derive(Debug, Clone)]
pub struct OpenCall {
    /// The call.
    pub id: CallId,
    /// When it was armed.
    pub armed_at: Millis,
    /// Its documents that are still armed for it, with their places in the call.
    pub members: Vec<(usize, Version)>,
    /// The numbers of all its documents, in their order.
    pub numbers: Vec<String>,
    /// What came back, if anything did.
    pub evidence: Option<Evidence>,
}

/// The verb of whoever takes a journal that was put back from an older copy as it is.
pub const ACCEPT_ROLLBACK: &str = "accept-rollback";

/// What a person did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// When.
    pub at: Millis,
    /// The version; 0: the journal itself.
    pub version: VersionId,
    /// The verb: `release`, `resolve --accepted` …
    pub verb: String,
    /// Who.
    pub who: String,
    /// Why.
    pub reason: String,
}

/// One attempt to send a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Which call carried it.
    pub call: CallId,
    /// The version's epoch.
    pub epoch: u32,
    /// When it was armed.
    pub armed_at: Millis,
    /// What became of it: the state that it led to; `None` while nobody knows.
    pub outcome: Option<State>,
    /// What came back.
    pub evidence: Vec<Evidence>,
}

/// How many versions stand so, and since when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    /// Where.
    pub scope: ScopeId,
    /// How they stand.
    pub state: State,
    /// How many.
    pub count: u64,
    /// When the one that has not changed for longest changed.
    pub oldest: Millis,
}

/// Why the journal did not do something.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Versions have moved on since it was decided. Nothing of it was stored.
    #[error("decided on something older: versions {0:?} stand otherwise now")]
    Fenced(Vec<VersionId>),
    /// Another run is at work.
    #[error("{0}")]
    Busy(String),
    /// The journal cannot be used as it is, and a person has to look.
    #[error("{0}")]
    Unusable(String),
    /// Reading or writing failed. Whether the last commit is there is not known, so nothing goes on.
    #[error("the journal failed: {0}")]
    Failed(String),
}

/// A result of the journal.
pub type Result<T> = std::result::Result<T, Error>;

/// Where it is stored what was wanted, tried, answered and decided.
///
/// Each method that writes is one durable commit: when it returns `Ok`, a power loss does not undo it; when it returns an
/// error, nothing of it counts, or ([`Error::Failed`]) nobody knows. Two things hold whatever is asked of it: of the
/// versions of one document (one [`Key`] in one scope), at most one is open ([`State::is_open`]); and an attempt without
/// an outcome is the only one of its version. What would break either, or move a version twice in one commit, is
/// [`Error::Fenced`], as is what was decided on something older. A version that moves to accepted makes its payee known,
/// and takes the place of whatever was accepted of its document before it, so that one version at most is accepted, and
/// nothing that was superseded before it is doubtful any more; whoever moves a version from armed to another state, that state is the outcome of its open attempt.
pub trait Journal: Send {
    /// The identifier of a scope; makes one for a scope that is new.
    fn scope(&mut self, scope: &Scope) -> Result<ScopeId>;
    /// Notes that a run begins.
    fn begin(&mut self, run: &NewRun) -> Result<RunId>;
    /// Notes that a run ended, with its summary as JSON.
    fn end(&mut self, run: RunId, at: Millis, summary: &str) -> Result<()>;

    /// The payees that are known because a document for them was accepted.
    fn payees(&mut self, scope: ScopeId) -> Result<Vec<String>>;
    /// The versions of a document that count, the newest first, and the highest revision that there ever was (0: none).
    /// Those are all but the cancelled and the superseded ones; of the latter, those that are doubtful.
    fn known(&mut self, scope: ScopeId, key: &Key) -> Result<(Vec<Version>, u32)>;
    /// Versions that stand so, by ascending identifier, after one.
    fn list(&mut self, scope: ScopeId, state: State, after: VersionId, most: usize) -> Result<Vec<Version>>;
    /// Versions that are submitted and to be asked about until then, the first to be asked about first; only
    /// those that a run carried last, when one is given.
    fn due(&mut self, scope: ScopeId, run: Option<RunId>, until: Millis, most: usize) -> Result<Vec<Version>>;
    /// A version as it stands now.
    fn version(&mut self, id: VersionId) -> Result<Option<Version>>;
    /// What goes on the wire for a version; `None` when it was pruned.
    fn payload(&mut self, id: VersionId) -> Result<Option<Vec<u8>>>;
    /// Calls whose outcome is not in the journal, the first one first, and of several answers to one the last.
    fn unsettled(&mut self, scope: ScopeId) -> Result<Vec<OpenCall>>;

    /// Stores a part of an input.
    fn import(&mut self, run: RunId, part: &Import) -> Result<()>;
    /// The input is complete: what the run received is ready. Returns how many are.
    fn promote(&mut self, run: RunId, at: Millis) -> Result<u64>;
    /// Stores the intent to make a call, before its first byte leaves.
    fn arm(&mut self, call: &Arm) -> Result<CallId>;
    /// Stores what came back, before it is judged. It is appended even when the call was overtaken. An answer that was
    /// pruned later reads as one that was cut to nothing.
    fn keep(&mut self, call: CallId, evidence: &Evidence) -> Result<()>;
    /// Stores what was made of a call.
    fn settle(&mut self, settle: &Settle) -> Result<()>;
    /// Stores what was made of versions outside of a call: a verdict that was asked for, a person's word. Items are
    /// stored only with a run.
    fn rule(&mut self, run: Option<RunId>, rulings: &[Ruling], acts: &[Act]) -> Result<()>;
    /// Stores how documents ended that no ruling speaks of.
    fn report(&mut self, run: RunId, items: &[Item]) -> Result<()>;

    /// The scopes that there are.
    fn scopes(&mut self) -> Result<Vec<(ScopeId, Scope)>>;
    /// How many versions stand how.
    fn tally(&mut self) -> Result<Vec<Tally>>;
    /// All versions with this number, in all scopes, the newest first.
    fn find(&mut self, number: &str) -> Result<Vec<(ScopeId, Version)>>;
    /// All attempts of a version, the first one first.
    fn attempts(&mut self, version: VersionId) -> Result<Vec<Attempt>>;
    /// What people did about a version, in the order in which they did; of 0: about the journal itself.
    fn acts(&mut self, version: VersionId) -> Result<Vec<Act>>;
    /// The last runs, the latest first.
    fn runs(&mut self, most: usize) -> Result<Vec<RunRecord>>;
    /// A run by its name.
    fn run(&mut self, name: &str) -> Result<Option<RunRecord>>;
    /// The documents of a run that came to an end in it, other than unchanged ones, in order, after so many.
    fn items(&mut self, run: RunId, after: u64, most: usize) -> Result<Vec<Item>>;
}
