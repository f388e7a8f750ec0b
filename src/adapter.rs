//! The seam between the bridge and a vendor: what an adapter can do, and what it says of a document and of a reply.

mod fetch;

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use rust_decimal::Decimal;

use crate::model::{Document, Fault};
use crate::wire::{Credentials, Secret, WireRequest, WireResponse};

pub use fetch::{Answer, Fetch, Fetched, Page, Question, Span, Wanted, When};

/// Where a target sends to: what one scope accepted says nothing about another.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Scope {
    /// The kind of target, as in `kind = "…"`.
    pub kind: String,
    /// Production, or the vendor's own sandbox.
    pub environment: String,
    /// The address.
    pub endpoint: String,
    /// The account.
    pub account: String,
}

/// A vendor that documents can be submitted to.
///
/// The wire form of a document is a *fragment*: it holds nothing of credentials and time, so that it can be compared,
/// kept, and sent again with a fresh key. A request is made of one fragment or several.
pub trait Submit: Send + Sync {
    /// Where it sends to.
    fn scope(&self) -> Scope;

    /// How many documents one call carries at most.
    fn batch_size(&self) -> usize;

    /// Writes the wire form of a document and collects everything that is wrong with it. The fragment is of use only
    /// when no fault is an error.
    fn encode(&self, document: &Document<'_>, context: &Context<'_>, fragment: &mut Fragment, findings: &mut Findings);

    /// Whose number a document has, where the scope's account does not say; else empty. Two documents with one number are
    /// two documents where their owners differ.
    fn owner<'d>(&self, document: &'d Document<'_>) -> &'d str;

    /// What of a document has to be remembered besides its wire form.
    fn trace(&self, document: &Document<'_>) -> Trace;

    /// What a new version of a document would undo, or leave out, of an earlier one that the vendor has or may have; that
    /// one is given by its [`Trace::memo`].
    fn compare(&self, document: &Document<'_>, earlier: &[u8], findings: &mut Findings);

    /// Appends the body of a call: what goes around the fragments, and the fragments.
    fn assemble(&self, fragments: &mut dyn Iterator<Item = &[u8]>, stamp: &Stamp<'_>, body: &mut Vec<u8>);

    /// Makes a call of a body.
    fn request(&self, body: Vec<u8>, stamp: &Stamp<'_>) -> WireRequest;

    /// Reads a reply to a call that carried the documents of these numbers. It speaks only of documents that the reply
    /// names, matched by number, never by position.
    fn decode(&self, numbers: &[&str], response: &WireResponse) -> Decoded;

    /// The body in a form for eyes.
    fn pretty(&self, body: &[u8]) -> Vec<u8>;

    /// Whether sending a document a second time does no harm, so that one in doubt may be replayed.
    fn repeatable(&self) -> bool;

    /// What of a call with this stamp must not be kept: keys that are made of the secret. The secret itself never is.
    fn keys(&self, stamp: &Stamp<'_>) -> Vec<String>;

    /// The shortest time between two calls that the vendor allows from now on, where its answer says so.
    fn interval(&self, response: &WireResponse) -> Option<Duration>;

    /// How verdicts are asked for, where the vendor gives them later.
    fn follow_up(&self) -> Option<&dyn FollowUp>;

    /// How a token is fetched, where calls are signed with one; else the credentials themselves sign them.
    fn login(&self) -> Option<&dyn Login>;

    /// How orders are fetched, where the vendor has any to give.
    fn fetch(&self) -> Option<&dyn Fetch>;
}

/// A vendor that gives a token for credentials; the token signs calls until it ends.
pub trait Login: Send + Sync {
    /// The question for a token.
    fn request(&self, credentials: &Credentials) -> WireRequest;

    /// Reads the answer. Nobody else ever sees it: there is a secret in it.
    fn decode(&self, response: &WireResponse) -> Token;
}

/// What came of the question for a token.
#[derive(Debug, Clone)]
pub enum Token {
    /// Here it is, and how long it is good.
    Granted(Secret, Duration),
    /// The credentials were refused, and asking again will not help.
    Refused(Fault),
    /// Nothing came of it this time, and why.
    Unclear(String),
}

/// What a document is judged against besides itself.
#[derive(Debug, Clone, Copy)]
pub struct Context<'c> {
    /// Which payees are known.
    pub payees: &'c Payees,
    /// What time it is: whole seconds since 1970 in UTC.
    pub unix_seconds: u64,
}

/// A vendor that gives its verdict later, to whoever asks for it.
pub trait FollowUp: Send + Sync {
    /// The question what became of the document that the vendor gave this reference to.
    fn ask(&self, reference: &str, stamp: &Stamp<'_>) -> WireRequest;

    /// Reads the answer to the question about this reference.
    fn decode(&self, reference: &str, response: &WireResponse) -> News;

    /// How long after the vendor took a document it is asked for the `asked`-th time (0: the first); `None`: not any more.
    fn schedule(&self, asked: u32) -> Option<Duration>;

    /// After how long a silence the document is presumed to be accepted.
    fn presume_after(&self) -> Duration;
}

/// What a vendor answers when it is asked for a verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// Confirmed.
    Accepted,
    /// Refused, and why.
    Rejected(Fault),
    /// No verdict yet.
    Processing,
    /// Nothing that one could rely on; it is asked again.
    Unclear(Doubt),
    /// The caller was refused.
    Stop(Fault),
    /// The caller was refused, perhaps only because its token has ended.
    Expired(Fault),
    /// Too many calls.
    BackOff(Fault, Option<Duration>),
}

/// What a call is stamped with: the time, and the secret that signs it. Without a secret it is a dry run.
#[derive(Debug, Clone, Copy)]
pub struct Stamp<'s> {
    /// Whole seconds since 1970 in UTC.
    pub unix_seconds: u64,
    /// What signs the call.
    pub secret: Option<&'s Secret>,
}

/// The word that stands for a secret where a document is only shown.
pub const DRY_RUN: &str = "DRY-RUN";

/// Which payees are known, so that a slip of the pen makes no new one. None, unless somebody says so.
#[derive(Debug, Clone)]
pub enum Payees {
    /// All are welcome.
    Any,
    /// Nobody said which are known; that is told.
    Unchecked,
    /// These, and no others.
    Listed(std::collections::HashSet<String>),
}

impl Default for Payees {
    fn default() -> Self {
        Self::Listed(std::collections::HashSet::new())
    }
}

impl Payees {
    /// Whether a payee is known.
    pub fn knows(&self, id: &str) -> bool {
        match self {
            Self::Any | Self::Unchecked => true,
            Self::Listed(ids) => ids.contains(id),
        }
    }
}

/// The wire form of one document.
#[derive(Debug, Clone, Default)]
pub struct Fragment {
    /// The bytes.
    pub bytes: Vec<u8>,
    redundant: Vec<Range<usize>>,
}

impl Fragment {
    /// Empties it, keeping the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.redundant.clear();
    }

    /// Appends a decimal and marks the zeros that say nothing about its value.
    pub(crate) fn decimal(&mut self, value: Decimal) {
        let zeros = crate::model::decimal::write(value, &mut self.bytes);
        if zeros > 0 {
            self.redundant.push(self.bytes.len() - zeros..self.bytes.len());
        }
    }

    /// A digest of the content in which decimals count by value: 10.0 and 10.00 are the same. It is fast, and good for one run.
    pub fn digest(&self) -> u64 {
        let mut hash = xxhash_rust::xxh3::Xxh3Default::new();
        self.essence(|bytes| hash.update(bytes));
        hash.digest()
    }

    /// The same as SHA-256: what a journal compares later versions with.
    pub fn sha256(&self) -> [u8; 32] {
        use sha2::Digest as _;
        let mut hash = sha2::Sha256::new();
        self.essence(|bytes| hash.update(bytes));
        hash.finalize().into()
    }

    fn essence(&self, mut part: impl FnMut(&[u8])) {
        let mut from = 0;
        for zeros in &self.redundant {
            part(self.bytes.get(from..zeros.start).unwrap_or_default());
            from = zeros.end;
        }
        part(self.bytes.get(from..).unwrap_or_default());
    }
}

/// What an adapter found in a document.
#[derive(Debug, Clone, Default)]
pub struct Findings {
    /// Faults, errors and warnings alike.
    pub faults: Vec<Fault>,
    /// How many of the errors are guards: they stop a document that breaks no rule.
    pub guards: usize,
    /// What the document is about, in its own currency.
    pub amount: Option<Decimal>,
    /// How many payees were named and not looked up.
    pub unchecked_payees: u64,
    /// Fields with a value that the target has no place for.
    pub not_carried: BTreeMap<&'static str, u64>,
}

/// What is remembered of a document besides its wire form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trace {
    /// The payee that becomes known when the document is accepted.
    pub payee: Option<String>,
    /// What a later version is compared with; only the adapter reads it.
    pub memo: Vec<u8>,
}

impl Findings {
    /// Counts a field that the target has no place for.
    pub(crate) fn not_carried(&mut self, path: &'static str, given: bool) {
        if given {
            *self.not_carried.entry(path).or_default() += 1;
        }
    }

    /// Whether anything stops the document.
    pub fn has_errors(&self) -> bool {
        self.faults.iter().any(Fault::is_error)
    }
}

/// What a reply says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded {
    /// Verdicts on documents that the reply names, by their place in the call.
    pub verdicts: Vec<(usize, Verdict)>,
    /// What the reply says of the documents that it does not name.
    pub rest: Rest,
    /// What is worth telling besides.
    pub notes: Vec<String>,
}

impl Decoded {
    /// A reply that names no document.
    pub fn whole(rest: Rest) -> Self {
        Self { verdicts: Vec::new(), rest, notes: Vec::new() }
    }
}

/// The vendor's word on one document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Confirmed.
    Accepted,
    /// Taken, with the reference under which the verdict can be asked for.
    Submitted(String),
    /// Refused, and why.
    Rejected(Fault),
    /// The reply contradicts itself, or does not say.
    Unclear(Doubt),
}

/// Why it is not known what became of a document, and what the vendor said, if it said anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubt {
    /// The reason, as part of a sentence.
    pub why: String,
    /// The vendor's code, verbatim.
    pub vendor_code: Option<String>,
    /// The vendor's words, verbatim.
    pub vendor_message: Option<String>,
}

impl<T: Into<String>> From<T> for Doubt {
    fn from(why: T) -> Self {
        Self { why: why.into(), vendor_code: None, vendor_message: None }
    }
}

/// What a reply says of the documents that it does not name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rest {
    /// All of them are confirmed.
    Accepted,
    /// The call was refused as a whole because of at least one of them; alone, that one is rejected for this.
    Refused(Fault),
    /// The caller was refused: nobody's document was looked at.
    Stop(Fault),
    /// The same, perhaps only because its token has ended: with a fresh one the call may be made again.
    Expired(Fault),
    /// Too many calls: nothing was looked at, and the call may be made again after a while.
    BackOff(Fault, Option<Duration>),
    /// Nothing that one could rely on.
    Silent(Doubt),
}
