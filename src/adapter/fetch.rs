//! The other direction: a vendor that has orders to give.

use std::time::Duration;

use super::{Doubt, Stamp};
use crate::model::{Date, Document, Fault};
use crate::wire::{WireRequest, WireResponse};

/// A vendor that has orders to give: the buyer's, to whoever delivers.
pub trait Fetch: Send + Sync {
    /// The questions that bring what is wanted, in this order.
    ///
    /// # Errors
    /// When the vendor cannot be asked for that; the text is for the person who wanted it.
    fn questions(&self, wanted: &Wanted, unix_seconds: u64) -> Result<Vec<Question>, String>;

    /// A question as a call.
    fn ask(&self, question: &Question, stamp: &Stamp<'_>) -> WireRequest;

    /// Reads the answer to a question: the orders of a page as they came, or why there are none.
    fn page(&self, question: &Question, response: &WireResponse) -> Answer;

    /// An order, as it came, as a canonical purchase order.
    fn order(&self, order: &str) -> Fetched;

    /// The question how an order stands that is to become an invoice; an order that cannot become one is told of instead.
    fn standing(&self, order: &str) -> Result<Question, Box<Fetched>>;

    /// An order as the draft of an invoice, with what was answered to [`standing`](Self::standing). What an order does not
    /// say stays open.
    fn invoice(&self, order: &str, standing: &[String]) -> Fetched;
}

/// Which orders are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// Those that were placed in a span of time.
    Placed(Span),
    /// Those that were changed in a span of time.
    Changed(Span),
    /// These, by their numbers.
    Numbers(Vec<String>),
}

/// A span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Its beginning.
    pub since: When,
    /// Its end; now, when none is given.
    pub until: Option<When>,
}

/// A moment as a person names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// So long before now.
    Ago(Duration),
    /// A date, or a date and a time. What a missing offset means is for the vendor's settings to say.
    At(Date),
}

/// A question to a vendor: what the address says after the endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question(pub String);

/// Some of the orders that are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// Each as it came.
    pub orders: Vec<String>,
    /// The question that brings the next ones.
    pub next: Option<Question>,
}

/// What came of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Orders, or none.
    Page(Page),
    /// The caller was refused, perhaps only because its token has ended.
    Expired(Fault),
    /// Too many calls.
    BackOff(Fault, Option<Duration>),
    /// The question was refused.
    Refused {
        /// Why.
        fault: Fault,
        /// Whether it is refused for good; else it may be answered when it is asked again.
        for_good: bool,
    },
    /// Nothing that one could rely on.
    Unclear(Doubt),
}

/// What became of an order that was fetched.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Fetched {
    /// Its number, when that could be made out.
    pub number: Option<String>,
    /// The document; none, when none can be made, or when there is a reason to make none.
    pub document: Option<Document<'static>>,
    /// What is to be said of it. An error means that it was to become a document and could not.
    pub faults: Vec<Fault>,
}
