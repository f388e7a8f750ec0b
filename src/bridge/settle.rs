//! From what a call brought back to what becomes of each of its documents. The only place that says `not_sent` or
//! `in_doubt` after a call was tried.

use std::time::Duration;

use crate::adapter::{Decoded, Doubt, Rest, Verdict};
use crate::model::{Fault, Path};
use crate::outcome::{Exit, Outcome};
use crate::wire::SendError;

/// How often a call in doubt is replayed where that does no harm.
pub const MAX_REPLAYS: u32 = 3;
/// How often a call that certainly did not arrive is tried.
pub const MAX_TRIES: u32 = 3;
/// How often a call is made again after the vendor asked for a pause.
pub const MAX_PAUSES: u32 = 5;
/// The first pause before a call is tried again; it doubles.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// The first pause where the vendor asked for one and did not say how long.
const FIRST_PAUSE: Duration = Duration::from_secs(30);
/// The longest pause that a vendor may ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// What is known of a call before its result is looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    /// Why its documents may have been received by an earlier attempt.
    pub doubt: Option<Doubt>,
    /// How often it was replayed because of that.
    pub replays: u32,
    /// How often it did not even leave.
    pub tries: u32,
    /// How often the vendor asked for a pause.
    pub pauses: u32,
}

/// What becomes of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// This is the end.
    Settled(Outcome, Option<Box<Fault>>),
    /// It goes again with the others of its call that do.
    Again,
    /// It goes again in a smaller call, since one of these is at fault.
    Split,
}

/// What becomes of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// One for each document.
    pub fates: Vec<Fate>,
    /// Why the whole target is to be stopped.
    pub stop: Option<(Exit, String)>,
    /// How those that go again go.
    pub again: Option<Again>,
    /// Whether the call may have arrived and brought nothing that one could rely on.
    pub silent: bool,
    /// Whether the vendor gave its word on a document.
    pub answered: bool,
    /// Whether a call with one document was refused as a whole.
    pub refused_alone: bool,
    /// What is worth telling besides.
    pub notes: Vec<String>,
}

/// The next attempt: after which pause, and with which history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Again {
    /// How long to wait.
    pub after: Duration,
    /// What is known by then.
    pub history: History,
}

/// What a vendor allows.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// Whether sending a document twice does no harm.
    pub repeatable: bool,
    /// The pause before a replay.
    pub replay_after: Duration,
}

/// Settles a call with `count` documents.
pub fn settle(count: usize, history: &History, result: Result<Decoded, SendError>, rules: Rules) -> Settlement {
    let mut settlement = Settlement {
        fates: Vec::with_capacity(count),
        stop: None,
        again: None,
        silent: false,
        answered: false,
        refused_alone: false,
        notes: Vec::new(),
    };
    let decoded = match result {
        Ok(decoded) => decoded,
        Err(SendError::MaybeSent(why)) => Decoded::whole(Rest::Silent(why.into())),
        Err(SendError::NotSent(why)) => {
            let tries = history.tries + 1;
            let stop = (tries >= MAX_TRIES).then(|| (Exit::Temporary, why.clone()));
            let again = Again { after: FIRST_WAIT * 2_u32.pow(tries - 1), history: History { tries, ..history.clone() } };
            settlement.fates = vec![again_or_left(stop.is_none(), history, &why); count];
            settlement.again = stop.is_none().then_some(again);
            settlement.stop = stop;
            return settlement;
        }
    };
    settlement.refused_alone = count == 1 && decoded.verdicts.is_empty() && matches!(decoded.rest, Rest::Refused(_));
    let mut named: Vec<Option<Verdict>> = vec![None; count];
    for (place, verdict) in decoded.verdicts {
        if let Some(slot) = named.get_mut(place) {
            *slot = Some(verdict);
        }
    }
    settlement.notes = decoded.notes;
    for verdict in named {
        let fate = match verdict {
            Some(Verdict::Accepted) => Fate::Settled(Outcome::Accepted, None),
            Some(Verdict::Rejected(fault)) => Fate::Settled(Outcome::Rejected, Some(Box::new(fault))),
            Some(Verdict::Unclear(why)) => silence(&why, history, rules, &mut settlement.again),
            None => rest(&decoded.rest, count, history, rules, &mut settlement),
        };
        settlement.fates.push(fate);
    }
    settlement.answered =
        settlement.fates.iter().any(|fate| matches!(fate, Fate::Settled(Outcome::Accepted | Outcome::Rejected, _)));
    let replayed = settlement.again.as_ref().is_some_and(|again| again.history.replays > history.replays);
    let doubted = replayed || settlement.fates.iter().any(|fate| matches!(fate, Fate::Settled(Outcome::InDoubt, _)));
    settlement.silent = doubted && !settlement.answered && settlement.stop.is_none();
    settlement
}

/// The fate of a document that the reply does not name.
fn rest(rest: &Rest, count: usize, history: &History, rules: Rules, settlement: &mut Settlement) -> Fate {
    match rest {
        Rest::Accepted => Fate::Settled(Outcome::Accepted, None),
        Rest::Refused(fault) if count == 1 => Fate::Settled(Outcome::Rejected, Some(Box::new(fault.clone()))),
        Rest::Refused(_) => Fate::Split,
        Rest::Stop(fault) => {
            settlement.stop = Some((Exit::Refused, fault.message.clone()));
            left(history, fault.clone())
        }
        Rest::BackOff(fault, wait) => {
            let pauses = history.pauses + 1;
            if pauses >= MAX_PAUSES {
                settlement.stop = Some((Exit::Temporary, fault.message.clone()));
                return left(history, fault.clone());
            }
            let after = wait.unwrap_or(FIRST_PAUSE * 2_u32.pow(pauses - 1)).min(LONGEST_PAUSE);
            settlement.again = Some(Again { after, history: History { pauses, ..history.clone() } });
            Fate::Again
        }
        Rest::Silent(why) => silence(why, history, rules, &mut settlement.again),
    }
}

/// Nothing that one could rely on came back: the document may or may not have been received. It is replayed where that
/// does no harm, and otherwise in doubt. For all vendors, this is the one place.
fn silence(doubt: &Doubt, history: &History, rules: Rules, again: &mut Option<Again>) -> Fate {
    if rules.repeatable && history.replays < MAX_REPLAYS {
        let history = History { doubt: Some(doubt.clone()), replays: history.replays + 1, ..history.clone() };
        *again = Some(Again { after: rules.replay_after, history });
        return Fate::Again;
    }
    Fate::Settled(Outcome::InDoubt, Some(Box::new(doubt_fault(doubt))))
}

fn again_or_left(again: bool, history: &History, why: &str) -> Fate {
    if again {
        return Fate::Again;
    }
    left(history, Fault::error("DOC-NOT-SENT", Path::ROOT, format!("not sent: {why}; the next run sends it")))
}

/// A document whose last attempt certainly did not arrive; an earlier one may have.
pub fn left(history: &History, fault: Fault) -> Fate {
    match &history.doubt {
        Some(doubt) => Fate::Settled(Outcome::InDoubt, Some(Box::new(doubt_fault(doubt)))),
        None => Fate::Settled(Outcome::NotSent, Some(Box::new(fault))),
    }
}

fn doubt_fault(doubt: &Doubt) -> Fault {
    let why = &doubt.why;
    let message =
        format!("it is not known whether the document was received ({why}); look it up at the vendor before sending it again");
    Fault::error("DOC-DOUBT", Path::ROOT, message).vendor(doubt.vendor_code.as_deref(), doubt.vendor_message.as_deref())
}

#[cfg(test)]
mod tests {
    use super::*;

    const UPSERT: Rules = Rules { repeatable: true, replay_after: Duration::from_secs(30) };
    const ONCE: Rules = Rules { repeatable: false, replay_after: Duration::from_secs(30) };

    fn fault() -> Fault {
        Fault::error("TIP-VENDOR", Path::ROOT, "no")
    }

    fn outcomes(settlement: &Settlement) -> Vec<Option<Outcome>> {
        settlement.fates.iter().map(|fate| if let Fate::Settled(outcome, _) = fate { Some(*outcome) } else { None }).collect()
    }

    #[test]
    fn a_row_decides_for_its_document_and_silence_for_the_others() {
        let decoded = Decoded {
            verdicts: vec![(2, Verdict::Accepted), (0, Verdict::Rejected(fault()))],
            rest: Rest::Silent("no row".into()),
            notes: vec![],
        };
        let once = settle(3, &History::default(), Ok(decoded.clone()), ONCE);
        assert_eq!(outcomes(&once), [Some(Outcome::Rejected), Some(Outcome::InDoubt), Some(Outcome::Accepted)]);
        let upsert = settle(3, &History::default(), Ok(decoded), UPSERT);
        assert_eq!(outcomes(&upsert), [Some(Outcome::Rejected), None, Some(Outcome::Accepted)]);
        let again = upsert.again.unwrap();
        assert_eq!(
            (again.after, again.history.replays, again.history.doubt.as_ref().map(|doubt| doubt.why.as_str())),
            (UPSERT.replay_after, 1, Some("no row"))
        );
    }

    #[test]
    fn replays_end_in_doubt() {
        let history = History { doubt: Some("timeout".into()), replays: MAX_REPLAYS, ..History::default() };
        let settlement = settle(1, &history, Err(SendError::MaybeSent("timeout".into())), UPSERT);
        assert_eq!(outcomes(&settlement), [Some(Outcome::InDoubt)]);
    }

    #[test]
    fn what_was_in_doubt_is_not_called_not_sent_because_a_replay_did_not_leave() {
        let history = History { doubt: Some("timeout".into()), tries: MAX_TRIES - 1, ..History::default() };
        let settlement = settle(1, &history, Err(SendError::NotSent("refused".into())), UPSERT);
        assert_eq!(outcomes(&settlement), [Some(Outcome::InDoubt)]);
        let settlement = settle(1, &history, Ok(Decoded::whole(Rest::Stop(fault()))), UPSERT);
        assert_eq!(outcomes(&settlement), [Some(Outcome::InDoubt)]);
        assert_eq!(settlement.stop.map(|(exit, _)| exit), Some(Exit::Refused));
    }

    #[test]
    fn a_call_that_did_not_leave_is_tried_again_and_then_left() {
        let mut history = History::default();
        for expected in [1, 2] {
            let settlement = settle(2, &history, Err(SendError::NotSent("refused".into())), ONCE);
            let again = settlement.again.unwrap();
            assert_eq!(again.after, Duration::from_secs(expected));
            history = again.history;
        }
        let settlement = settle(2, &history, Err(SendError::NotSent("refused".into())), ONCE);
        assert_eq!(outcomes(&settlement), [Some(Outcome::NotSent); 2]);
        assert_eq!(settlement.stop.map(|(exit, _)| exit), Some(Exit::Temporary));
    }

    #[test]
    fn a_call_refused_as_a_whole_is_split_until_one_stands_alone() {
        let refused = || Ok(Decoded::whole(Rest::Refused(fault())));
        assert_eq!(settle(2, &History::default(), refused(), UPSERT).fates, [Fate::Split, Fate::Split]);
        assert_eq!(outcomes(&settle(1, &History::default(), refused(), UPSERT)), [Some(Outcome::Rejected)]);
    }

    #[test]
    fn a_pause_is_kept_within_bounds() {
        let back_off = |wait| Ok(Decoded::whole(Rest::BackOff(fault(), wait)));
        let after = |wait| settle(1, &History::default(), back_off(wait), UPSERT).again.unwrap().after;
        assert_eq!(after(None), FIRST_PAUSE);
        assert_eq!(after(Some(Duration::from_secs(7))), Duration::from_secs(7));
        assert_eq!(after(Some(Duration::from_secs(1_000_000))), LONGEST_PAUSE);
        let tired = History { pauses: MAX_PAUSES - 1, ..History::default() };
        assert_eq!(outcomes(&settle(1, &tired, back_off(None), UPSERT)), [Some(Outcome::NotSent)]);
    }
}
