//! Intents: what is about to be asked of a vendor that knows a request again by a token, stored before it is asked.
//!
//! A process that dies between the request and the record of its answer leaves an open intent. Whoever goes on reads back what
//! the vendor holds; what is still to be done is asked for with the same token, for as long as the vendor may know it.

use super::{Digest, Millis, Result, RunId, ScopeId};

/// The identifier of an intent.
pub type IntentId = i64;

/// An intent that is to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewIntent {
    /// Where.
    pub scope: ScopeId,
    /// In which run.
    pub run: RunId,
    /// What it is about: an ARN, or what something without one is known by.
    pub subject: String,
    /// The operation.
    pub operation: String,
    /// The request in short, without secrets and token, and what it was decided on.
    pub digest: Digest,
    /// The token by which the vendor knows the request again.
    pub token: String,
    /// When.
    pub at: Millis,
}

/// An intent whose end is not in the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    /// Its identifier.
    pub id: IntentId,
    /// The operation.
    pub operation: String,
    /// The request in short.
    pub digest: Digest,
    /// The token.
    pub token: String,
    /// When it was stored.
    pub at: Millis,
}

/// An intent that the vendor carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carried {
    /// When that was seen.
    pub at: Millis,
    /// What was stored of it, such as the ARN of what was made.
    pub detail: String,
}

/// An intent whose end nobody has seen yet, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenIntent {
    /// Where.
    pub scope: ScopeId,
    /// What it is about.
    pub subject: String,
    /// The operation.
    pub operation: String,
    /// When it was stored.
    pub at: Millis,
}

/// How an intent ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Concluded {
    /// The vendor did it.
    Done,
    /// The vendor refused it.
    Refused,
    /// It certainly did not reach the vendor.
    NotSent,
    /// What the vendor holds was read back, and something else was decided.
    Overtaken,
}

impl Concluded {
    /// The word that is stored.
    pub fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
            Self::NotSent => "not_sent",
            Self::Overtaken => "overtaken",
        }
    }
}

/// Where intents are stored. Each method that writes is one durable commit.
pub trait Intents: Send {
    /// The open intents about a subject, the first one first.
    fn intents(&mut self, scope: ScopeId, subject: &str) -> Result<Vec<Intent>>;
    /// All open intents, the first one first.
    fn open_intents(&mut self) -> Result<Vec<OpenIntent>>;
    /// Stores an intent, before its request leaves.
    fn intend(&mut self, intent: &NewIntent) -> Result<IntentId>;
    /// The last intent about a subject that the vendor carried out with an operation.
    fn carried(&mut self, scope: ScopeId, subject: &str, operation: &str) -> Result<Option<Carried>>;
    /// Whether the vendor may have carried out an operation on a subject: an intent of it is neither refused nor unsent.
    fn may_have_carried(&mut self, scope: ScopeId, subject: &str, operation: &str) -> Result<bool>;
    /// Stores how an intent ended, with a word or a reference that says more, and forgets its digest.
    fn conclude(&mut self, intent: IntentId, at: Millis, how: Concluded, detail: &str) -> Result<()>;
    /// Stores that intents from before then are not taken up any more, here or in another scope of the kind: their tokens may be
    /// forgotten by now.
    fn lapse(&mut self, scope: ScopeId, before: Millis, at: Millis) -> Result<()>;
}
