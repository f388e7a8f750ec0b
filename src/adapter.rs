//! The seam between the bridge and a vendor: what an adapter can do, and what it says of a document and of a reply.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use rust_decimal::Decimal;

use crate::model::{Document, Fault};
use crate::wire::{Secret, WireRequest, WireResponse};

/// A vendor that documents can be submitted to.
///
/// The wire form of a document is a *fragment*: it holds nothing of credentials and time, so that it can be compared,
/// kept, and sent again with a fresh key. A request is made of one fragment or several.
pub trait Submit: Send + Sync {
    /// How many documents one call carries at most.
    fn batch_size(&self) -> usize;

    /// Writes the wire form of a document and collects everything that is wrong with it. The fragment is of use only
    /// when no fault is an error.
    fn encode(&self, document: &Document<'_>, payees: &Payees, fragment: &mut Fragment, findings: &mut Findings);

    /// Appends the body of a call: what goes around the fragments, and the fragments.
    fn assemble(&self, fragments: &mut dyn Iterator<Item = &[u8]>, stamp: &Stamp<'_>, body: &mut Vec<u8>);

    /// Makes a call of a body.
    fn request(&self, body: Vec<u8>) -> WireRequest;

    /// Reads a reply to a call that carried the documents of these numbers. It speaks only of documents that the reply
    /// names, matched by number, never by position.
    fn decode(&self, numbers: &[&str], response: &WireResponse) -> Decoded;

    /// The body in a form for eyes.
    fn pretty(&self, body: &[u8]) -> Vec<u8>;

    /// Whether sending a document a second time does no harm, so that one in doubt may be replayed.
    fn repeatable(&self) -> bool;
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

    /// A digest of the content in which decimals count by value: 10.0 and 10.00 are the same.
    pub fn digest(&self) -> u64 {
        let mut hash = xxhash_rust::xxh3::Xxh3Default::new();
        let mut from = 0;
        for zeros in &self.redundant {
            hash.update(self.bytes.get(from..zeros.start).unwrap_or_default());
            from = zeros.end;
        }
        hash.update(self.bytes.get(from..).unwrap_or_default());
        hash.digest()
    }
}

/// What an adapter found in a document.
#[derive(Debug, Clone, Default)]
pub struct Findings {
    /// Faults, errors and warnings alike.
    pub faults: Vec<Fault>,
    /// Whether a guard stops the document although it breaks no rule.
    pub held: bool,
    /// What the document is about, in its own currency.
    pub amount: Option<Decimal>,
    /// How many payees were named and not looked up.
    pub unchecked_payees: u64,
    /// Fields with a value that the target has no place for.
    pub not_carried: BTreeMap<&'static str, u64>,
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
    /// Too many calls: nothing was looked at, and the call may be made again after a while.
    BackOff(Fault, Option<Duration>),
    /// Nothing that one could rely on.
    Silent(Doubt),
}
