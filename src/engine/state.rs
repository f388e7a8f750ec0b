//! The state machine of one version of one document: what it may become, and what is remembered of it.
//!
//! ```text
//!            plan            arm               accept
//!  received ──────▶ ready ──────────▶ armed ─────────────▶ accepted ──▶ superseded
//!     │  ▲            ▲                 │ │ reject
//!     │  └─ hold ─▶ held (release)      │ └──────────────▶ rejected (retry ▶ ready)
//!     │               ▲  not sent       │ submit
//!     │             ready ◀─────────────┤ ────▶ submitted ──▶ presumed ──▶ accepted, rejected
//!     │                                 │ doubt
//!     ▼                                 └─────▶ in_doubt ──▶ armed (a replay, where it does no harm),
//!  superseded, cancelled                                     ready (`resolve --absent`), accepted, rejected, submitted
//! ```
//!
//! Nothing else decides: a journal stores what comes out of [`step`], and refuses what was decided on something older.

use serde::{Deserialize, Serialize};

use crate::model::Fault;

/// Milliseconds since 1970 in UTC.
pub type Millis = i64;

/// Where a version of a document stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Stored, while the rest of its input is not.
    Received,
    /// It may be sent.
    Ready,
    /// It is about to be sent, or on its way: the intent is stored, the answer is not.
    Armed,
    /// The vendor has it; its verdict is still to come.
    Submitted,
    /// The vendor stayed silent past its documented time.
    Presumed,
    /// It may or may not have been received.
    InDoubt,
    /// A guard stopped it.
    Held,
    /// The vendor confirmed it.
    Accepted,
    /// The vendor said no.
    Rejected,
    /// A newer version took its place.
    Superseded,
    /// A person took it back.
    Cancelled,
}

impl State {
    /// All states, in the order of a document's way.
    pub const ALL: [Self; 11] = [
        Self::Received,
        Self::Ready,
        Self::Armed,
        Self::Submitted,
        Self::Presumed,
        Self::InDoubt,
        Self::Held,
        Self::Accepted,
        Self::Rejected,
        Self::Superseded,
        Self::Cancelled,
    ];

    /// The word that is stored and shown.
    pub fn word(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Ready => "ready",
            Self::Armed => "armed",
            Self::Submitted => "submitted",
            Self::Presumed => "presumed",
            Self::InDoubt => "in_doubt",
            Self::Held => "held",
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
            Self::Superseded => "superseded",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }

    /// Whether the vendor may be about to act on it: of one document, one version at most stands so.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Armed | Self::Submitted | Self::Presumed | Self::InDoubt)
    }

    /// Whether nothing happens to it any more, other than that a newer version takes its place.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Accepted | Self::Rejected | Self::Superseded | Self::Cancelled)
    }

    /// Whether the vendor has it, or may have it.
    pub fn may_be_there(self) -> bool {
        self.is_open() || self == Self::Accepted
    }
}

/// What is remembered of a version and changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Where it stands.
    pub state: State,
    /// How often it was armed. A verdict counts only while this has not moved on.
    pub epoch: u32,
    /// Whether the vendor may have it without anybody knowing: an attempt may have been received, or something newer took
    /// its place here and may not have done so there.
    pub doubtful: bool,
    /// Whether a person let it go in spite of a guard.
    pub released: bool,
    /// It is not sent before; 0 is always.
    pub not_before: Millis,
    /// Nothing newer is sent for its number before; 0 is always.
    pub rest_until: Millis,
    /// When it was armed for the first time; 0 is never.
    pub first_armed_at: Millis,
    /// How often the vendor was asked for its verdict.
    pub asked: u32,
    /// When the vendor is to be asked for its verdict; 0 is never.
    pub ask_at: Millis,
    /// When the vendor took it without a verdict; 0 is never.
    pub submitted_at: Millis,
    /// The vendor's reference.
    pub reference: Option<String>,
    /// Why it is held, rejected or in doubt.
    pub fault: Option<Fault>,
    /// When any of this changed.
    pub changed_at: Millis,
}

impl Standing {
    /// Of a version that has just come in.
    pub fn received(at: Millis) -> Self {
        Self {
            state: State::Received,
            epoch: 0,
            doubtful: false,
            released: false,
            not_before: 0,
            rest_until: 0,
            first_armed_at: 0,
            asked: 0,
            ask_at: 0,
            submitted_at: 0,
            reference: None,
            fault: None,
            changed_at: at,
        }
    }

    /// Whether the vendor has it, or may have it.
    pub fn may_be_there(&self) -> bool {
        self.state.may_be_there() || (self.state == State::Superseded && self.doubtful)
    }
}

/// What happens to a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Its input is complete, and no guard stops it.
    Plan,
    /// A guard stops it.
    Hold(Fault),
    /// A person lets it go.
    Release,
    /// The intent to send it is stored.
    Arm,
    /// The attempt certainly did not arrive.
    NotSent,
    /// The attempt may have arrived.
    Doubt(Fault),
    /// The vendor took it and will give its verdict later, to whoever asks with this reference.
    Submit {
        /// The vendor's reference.
        reference: String,
        /// How long until the first question.
        ask_after: Millis,
    },
    /// The vendor was asked, and has no verdict yet.
    Ask {
        /// How long until the next question; `None` when there is none.
        ask_after: Option<Millis>,
        /// Whether its documented time is over.
        presume: bool,
    },
    /// The vendor confirmed it, or a person saw that it did.
    Accept,
    /// The vendor said no.
    Reject(Fault),
    /// A person saw that the vendor does not have it.
    Absent,
    /// What was rejected goes once more.
    Retry,
    /// A newer version takes its place.
    Supersede,
    /// A person takes it back.
    Cancel,
}

/// What the machine has to know besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Whether sending a document twice does no harm.
    pub repeatable: bool,
    /// How long a document in doubt rests before anything newer is sent for its number.
    pub quarantine: Millis,
}

/// A step that is not allowed; the journal stays as it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Forbidden {
    /// Why, as a sentence for a person.
    pub why: String,
}

/// The next standing of a version.
///
/// # Errors
/// When the event cannot happen to a version that stands so.
pub fn step(from: &Standing, event: Event, now: Millis, rules: Rules) -> Result<Standing, Forbidden> {
    use State as S;
    let mut to = Standing { changed_at: now, ..from.clone() };
    to.state = match (from.state, event) {
        (S::Received | S::Held, Event::Plan) => without_fault(&mut to, S::Ready),
        (S::Received | S::Ready | S::Held, Event::Hold(fault)) => {
            to.released = false;
            with_fault(&mut to, fault, S::Held)
        }
        (S::Held, Event::Release) => {
            to.released = true;
            without_fault(&mut to, S::Ready)
        }
        (S::Ready, Event::Arm) => {
            if now < from.not_before {
                return Err(forbidden(format!("it rests for another {} s", (from.not_before - now + 999) / 1000)));
            }
            arm(&mut to, now)
        }
        (S::InDoubt, Event::Arm) if rules.repeatable => arm(&mut to, now),
        // What may have arrived earlier is not made undone by an attempt that did not.
        (S::Armed, Event::NotSent) if from.doubtful => S::InDoubt,
        (S::Armed, Event::NotSent) => S::Ready,
        (S::Armed, Event::Doubt(fault)) => {
            to.doubtful = true;
            to.rest_until = to.rest_until.max(now + rules.quarantine);
            with_fault(&mut to, fault, S::InDoubt)
        }
        (S::Armed | S::InDoubt, Event::Submit { reference, ask_after }) => {
            to.doubtful = false;
            to.reference = Some(reference);
            to.submitted_at = now;
            to.asked = 0;
            to.ask_at = now + ask_after;
            without_fault(&mut to, S::Submitted)
        }
        (S::Submitted | S::Presumed, Event::Ask { ask_after, presume }) => {
            to.asked += 1;
            to.ask_at = ask_after.map_or(0, |after| now + after);
            if presume { S::Presumed } else { from.state }
        }
        (S::Armed | S::InDoubt | S::Submitted | S::Presumed, Event::Accept) => {
            to.doubtful = false;
            to.ask_at = 0;
            without_fault(&mut to, S::Accepted)
        }
        (S::Armed | S::InDoubt | S::Submitted | S::Presumed, Event::Reject(fault)) => {
            to.doubtful = false;
            to.ask_at = 0;
            with_fault(&mut to, fault, S::Rejected)
        }
        (S::InDoubt, Event::Absent) => {
            if now < from.rest_until {
                let wait = (from.rest_until - now + 999) / 1000;
                return Err(forbidden(format!("an attempt may still be on its way; look again in {wait} s")));
            }
            to.doubtful = false;
            without_fault(&mut to, S::Ready)
        }
        // It was taken, and then lost or refused where nobody can ask: only a person can see that.
        (S::Submitted | S::Presumed, Event::Absent) => {
            let seen_at = from.submitted_at + rules.quarantine;
            if now < seen_at {
                let wait = (seen_at - now + 999) / 1000;
                return Err(forbidden(format!("the vendor has only just taken it; look again in {wait} s")));
            }
            (to.reference, to.submitted_at, to.asked, to.ask_at) = (None, 0, 0, 0);
            without_fault(&mut to, S::Ready)
        }
        (S::Rejected, Event::Retry) => without_fault(&mut to, S::Ready),
        (S::InDoubt, Event::Supersede) if !rules.repeatable => {
            return Err(forbidden("it may have been received, and nothing newer may be sent for its number".to_owned()));
        }
        (S::InDoubt, Event::Supersede) if now < from.rest_until => {
            let wait = (from.rest_until - now + 999) / 1000;
            return Err(forbidden(format!("it rests for another {wait} s before anything newer is sent for its number")));
        }
        // The vendor has it until it takes the newer one, which it may refuse.
        (S::InDoubt | S::Accepted, Event::Supersede) => {
            to.doubtful = true;
            S::Superseded
        }
        (S::Received | S::Ready | S::Held | S::Rejected, Event::Supersede) => S::Superseded,
        (S::Received | S::Ready | S::Held | S::Rejected, Event::Cancel) => S::Cancelled,
        (state, event) => return Err(forbidden(format!("{} is not for a document that is {}", event.verb(), state.word()))),
    };
    Ok(to)
}

impl Event {
    fn verb(&self) -> &'static str {
        match self {
            Self::Plan => "planning",
            Self::Hold(_) => "holding",
            Self::Release => "releasing",
            Self::Arm => "sending",
            Self::NotSent | Self::Doubt(_) | Self::Submit { .. } | Self::Accept | Self::Reject(_) => "a verdict",
            Self::Ask { .. } => "asking for a verdict",
            Self::Absent => "resolving",
            Self::Retry => "trying again",
            Self::Supersede => "replacing",
            Self::Cancel => "taking back",
        }
    }
}

fn arm(to: &mut Standing, now: Millis) -> State {
    to.epoch += 1;
    if to.first_armed_at == 0 {
        to.first_armed_at = now;
    }
    State::Armed
}

fn with_fault(to: &mut Standing, fault: Fault, state: State) -> State {
    to.fault = Some(fault);
    state
}

fn without_fault(to: &mut Standing, state: State) -> State {
    to.fault = None;
    state
}

fn forbidden(why: String) -> Forbidden {
    Forbidden { why }
}
