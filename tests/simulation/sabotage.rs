//! Bridges that are broken on purpose, each at a seam, to see whether the oracle notices.
//!
//! There are no vendors with idempotency tokens yet, so the two ways to misuse a token are left out.

use std::time::Duration;

use payables_bridge::adapter::{Decoded, Rest, Verdict};
use payables_bridge::engine::record::{Move, Ruling};
use payables_bridge::engine::state::State;
use payables_bridge::journal::{Journal, Memory, OpenCall, Settle};
use payables_bridge::model::{Fault, Path};
use payables_bridge::wire::{SendError, WireResponse};

use super::journal::Store;

/// A way to break it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sabotage {
    /// The intent is not on the disk when the call leaves.
    NoIntent,
    /// A commit says that it is on the disk when it is not.
    NoSync,
    /// What timed out is taken for not sent.
    ResendOnTimeout,
    /// What failed at the vendor is taken for not received.
    ResendOnError,
    /// Calls that a dead process left go again.
    ResendOnLease,
    /// What was decided on something old is stored all the same.
    NoFence,
    /// A document without a row is taken for accepted.
    MissingIsSuccess,
    /// Rows are matched by their place.
    ByPosition,
    /// A newer version does not wait until an older one has rested.
    NotHeldBack,
    /// A reference is taken for a verdict.
    TakenIsAccepted,
}

impl Sabotage {
    pub(super) const ALL: [Self; 10] = [
        Self::NoIntent,
        Self::NoSync,
        Self::ResendOnTimeout,
        Self::ResendOnError,
        Self::ResendOnLease,
        Self::NoFence,
        Self::MissingIsSuccess,
        Self::ByPosition,
        Self::NotHeldBack,
        Self::TakenIsAccepted,
    ];

    /// The quarantine that a bridge is given.
    pub(super) fn quarantine(sabotage: Option<Self>) -> Duration {
        Duration::from_secs(if sabotage == Some(Self::NotHeldBack) { 0 } else { 600 })
    }

    /// What a sabotaged adapter reads.
    pub(super) fn decoded(self, mut decoded: Decoded, response: &WireResponse) -> Decoded {
        match self {
            Self::ResendOnError if matches!(decoded.rest, Rest::Silent(_)) && decoded.verdicts.is_empty() => {
                decoded.rest = Rest::BackOff(Fault::error("TIP-VENDOR", Path::ROOT, "it failed"), Some(Duration::from_secs(1)));
            }
            Self::MissingIsSuccess if response.status == 200 && !decoded.verdicts.is_empty() => decoded.rest = Rest::Accepted,
            Self::TakenIsAccepted => {
                for (_, verdict) in &mut decoded.verdicts {
                    if matches!(verdict, Verdict::Submitted(_)) {
                        *verdict = Verdict::Accepted;
                    }
                }
            }
            _ => {}
        }
        decoded
    }

    /// What a sabotaged transport says of a call.
    pub(super) fn result(self, result: Result<WireResponse, SendError>) -> Result<WireResponse, SendError> {
        match (self, result) {
            (Self::ResendOnTimeout, Err(SendError::MaybeSent(why))) => Err(SendError::NotSent(why)),
            (_, result) => result,
        }
    }
}

/// A sabotaged journal lets moves pass whatever they were decided on.
pub(super) fn unfence<'m>(sabotage: Option<Sabotage>, store: &Store, moves: impl Iterator<Item = &'m mut Move>) {
    if sabotage != Some(Sabotage::NoFence) {
        return;
    }
    for change in moves {
        if let Ok(Some(present)) = store.with(|memory| memory.version(change.version)) {
            (change.from, change.epoch) = (present.standing.state, present.standing.epoch);
        }
    }
}

/// A sabotaged journal makes ready again what a dead process was sending. Says whether it did.
pub(super) fn reclaims(sabotage: Option<Sabotage>, memory: &mut Memory, call: &OpenCall) -> bool {
    if sabotage != Some(Sabotage::ResendOnLease) || call.evidence.is_some() {
        return false;
    }
    let rulings = call.members.iter().map(|(_, version)| {
        let mut to = version.standing.clone();
        to.state = State::Ready;
        Ruling { to: Move::new(version, to), superseded: None, item: None }
    });
    let rulings = rulings.collect();
    let run = call.members.first().map_or(1, |(_, version)| version.run);
    memory.settle(&Settle { call: call.id, run, rulings }).is_ok()
}
