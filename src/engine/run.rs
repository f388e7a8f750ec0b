//! A run: which documents go in which call and when, what is written before and after, and when to stop. Pure: it is told
//! what happened and what time it is, and says what to do.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::hear::Settling;
use super::pace::{Allowance, Jitter, Pace, Tick};
use super::record::{Move, Ruling, Version, VersionId};
use super::state::{Millis, Rules, Standing};

use crate::adapter::Decoded;
use crate::outcome::Exit;
use crate::report::Item;
use crate::wire::SendError;

/// How a run goes about it.
#[derive(Debug, Clone)]
pub struct Policy {
    /// What the vendor allows.
    pub rules: Rules,
    /// Documents in one call.
    pub batch_size: usize,
    /// Calls in flight.
    pub concurrency: usize,
    /// Calls a second (0: no pace) and at once.
    pub pace: (u32, u32),
    /// The pause before a call in doubt is replayed.
    pub replay_after: Duration,
    /// How long a document is waited for that has to rest.
    pub wait: Duration,
    /// How many calls in a row may end without a usable answer.
    pub doubts_in_a_row: u32,
    /// The time that the run has.
    pub deadline: Duration,
    /// When to ask a vendor that gives its verdict later for the first time.
    pub ask_after: Duration,
    /// Whether somebody is going to ask in this run, so that being taken is no document's end in it.
    pub follows: bool,
    /// What waits are drawn from.
    pub seed: u64,
}

/// What time it is: on a clock that never goes back, and on the wall.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Now {
    /// For waits.
    pub tick: Tick,
    /// For records.
    pub wall: Millis,
}

/// A document that may go.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// The version.
    pub version: Version,
    /// Older versions of it that are in doubt: it takes their place.
    pub doubtful: Vec<Version>,
    /// An older version that was accepted; it is superseded when this one is.
    pub accepted: Option<VersionId>,
}

/// What happened.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "one exists at a time, and a box would be made for each document")]
pub enum Event {
    /// The run begins, or time has passed.
    Tick,
    /// Documents that may go, in answer to [`Action::Take`].
    Taken {
        /// In their order.
        candidates: Vec<Candidate>,
        /// Whether there are no more.
        last: bool,
    },
    /// The journal refused to arm a call, because somebody else has changed these versions.
    Overtaken {
        /// The call.
        call: u64,
        /// The versions.
        versions: Vec<VersionId>,
    },
    /// The journal could not take the intent to make a call, and has not; it may be able to another time.
    Refused {
        /// The call.
        call: u64,
        /// Why.
        why: String,
    },
    /// A call could not be made for want of a token, and nothing was stored of it.
    Postponed(u64),
    /// Whether there is a token to sign calls with. Without one nothing is begun.
    Token(bool),
    /// The shortest time between two calls that the vendor allows from now on.
    Interval(Duration),
    /// A call came back.
    Returned {
        /// The call.
        call: u64,
        /// What it brought.
        result: Result<Decoded, SendError>,
    },
    /// What was made of a call is stored, but for versions that somebody else has changed meanwhile.
    Settled {
        /// The call.
        call: u64,
        /// Those, as they stand now.
        fenced: Vec<Version>,
    },
    /// Whether those who hear of ended documents have more than they can take: nothing is begun meanwhile, and what is on
    /// its way is settled all the same.
    Crowded(bool),
    /// Nothing is sent any more: a person said so, or the machine fails.
    Stop(Exit, String),
}

/// What to do.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "one exists at a time, and a box would be made for each document")]
pub enum Action {
    /// Say which documents may go.
    Take(usize),
    /// Store the intent, then make the call.
    Send {
        /// The call.
        call: u64,
        /// Older versions whose place is taken.
        superseded: Vec<Move>,
        /// The versions that go, in their order.
        armed: Vec<Move>,
        /// Their numbers.
        numbers: Vec<String>,
    },
    /// Store what was made of a call.
    Settle {
        /// The call.
        call: u64,
        /// One for each document.
        rulings: Vec<Ruling>,
    },
    /// Store a verdict that came late for its call; when it is refused again, let it be.
    Rule(Ruling),
    /// Store and tell how documents ended that no ruling speaks of.
    Report(Vec<Item>),
    /// Fetch a fresh token.
    Renew,
    /// Tell something besides.
    Note(String),
}

/// A call on its way, or waiting for it.
#[derive(Debug, Clone, Default)]
pub(super) struct Call {
    pub(super) documents: Vec<Candidate>,
    /// How the documents stand while it is on its way.
    pub(super) armed: Vec<Standing>,
    /// How often it was replayed because it was in doubt.
    pub(super) replays: u32,
    /// How often it did not even leave.
    pub(super) tries: u32,
}

/// A run in progress.
#[derive(Debug)]
pub struct Engine {
    pub(super) policy: Policy,
    pub(super) pace: Pace,
    pub(super) jitter: Jitter,
    pub(super) allowance: Allowance,
    pub(super) began_at: Option<Tick>,
    /// Calls that may go at once.
    pub(super) queue: VecDeque<Call>,
    /// Calls that go later.
    pub(super) later: Vec<(Tick, Call)>,
    pub(super) last_call: u64,
    pub(super) in_flight: BTreeMap<u64, Call>,
    /// Calls that came back and are being stored.
    pub(super) settling: BTreeMap<u64, Settling>,
    /// Whether documents have been asked for.
    pub(super) taking: bool,
    /// Whether there are no more.
    pub(super) taken_all: bool,
    /// Whether what is left is only counted.
    pub(super) draining: bool,
    /// Whether nothing is begun until somebody has taken what has ended.
    pub(super) crowded: bool,
    /// Whether nothing is begun for want of a token.
    pub(super) tokenless: bool,
    /// The last call that was made with the token that seems to have ended, until the vendor gives its word again.
    pub(super) renewed: Option<u64>,
    /// Nothing goes until then: the vendor asked for a pause, or the line is down.
    pub(super) paused_until: Option<Tick>,
    /// How many pauses there were since the vendor last gave its word; while there are any, one call goes at a time.
    pub(super) pauses: u32,
    /// How often the run waited for a vendor that went away.
    pub(super) openings: u32,
    /// Whether the vendor gave its word in this run.
    pub(super) reached: bool,
    pub(super) refused_in_a_row: u32,
    pub(super) doubts_in_a_row: u32,
    /// Why nothing new is begun.
    pub(super) closed: Option<String>,
    /// Why nothing at all is sent any more.
    pub(super) stopped: Option<(Exit, String)>,
    /// How many documents were left because of either.
    pub(super) left: u64,
}
