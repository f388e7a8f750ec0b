//! From what a call brought back to what it says of each of its documents. The only place that may say of a call that was
//! tried that a document was not sent, and the only place where silence becomes doubt, for all vendors.

use std::time::Duration;

use super::record::Version;
use super::state::{Standing, State};
use crate::adapter::{Decoded, Doubt, Rest, Verdict};
use crate::model::{Fault, Path, Severity, Source};
use crate::outcome::Outcome;
use crate::report::Item;
use crate::wire::SendError;

/// What a call says of one of its documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// The vendor confirmed it.
    Accepted,
    /// The vendor took it, and gives its verdict to whoever asks with this reference.
    Submitted(String),
    /// The vendor said no.
    Rejected(Fault),
    /// It may have been received.
    Doubt(Fault),
    /// This attempt certainly did not arrive.
    NotSent(Fault),
    /// Nobody looked at it: one of its call is at fault, and it goes again in a smaller one.
    Split,
}

/// What a call says of the whole target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// The vendor gave its word on a document, or refused a call for the sake of one.
    Answered,
    /// The call may have arrived, and nothing came back that one could rely on.
    Silent,
    /// The call did not arrive.
    Down(String),
    /// The vendor asked for a pause, and perhaps said how long.
    Pause(Fault, Option<Duration>),
    /// The caller was refused: there is no use in going on.
    Refused(Fault),
    /// The caller was refused, perhaps only because its token has ended.
    Expired(Fault),
}

/// What a call brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// One for each document.
    pub fates: Vec<Fate>,
    /// What it says of the target.
    pub line: Line,
    /// Whether a call with one document was refused as a whole.
    pub refused_alone: bool,
    /// What is worth telling besides.
    pub notes: Vec<String>,
}

/// Settles a call with `count` documents.
pub fn settle(count: usize, result: Result<Decoded, SendError>) -> Settlement {
    let decoded = match result {
        Ok(decoded) => decoded,
        Err(SendError::MaybeSent(why)) => Decoded::whole(Rest::Silent(why.into())),
        Err(SendError::NotSent(why)) => {
            let fates = vec![Fate::NotSent(not_sent(&why)); count];
            return Settlement { fates, line: Line::Down(why), refused_alone: false, notes: Vec::new() };
        }
    };
    let refused_alone = count == 1 && decoded.verdicts.is_empty() && matches!(decoded.rest, Rest::Refused(_));
    let mut named: Vec<Option<Verdict>> = vec![None; count];
    for (place, verdict) in decoded.verdicts {
        if let Some(slot) = named.get_mut(place) {
            *slot = Some(verdict);
        }
    }
    let fates: Vec<Fate> = named.into_iter().map(|verdict| fate(verdict, &decoded.rest, count)).collect();
    let answers = |fate: &Fate| matches!(fate, Fate::Accepted | Fate::Submitted(_) | Fate::Rejected(_));
    let line = match decoded.rest {
        Rest::Stop(fault) => Line::Refused(fault),
        Rest::Expired(fault) => Line::Expired(fault),
        Rest::BackOff(fault, wait) => Line::Pause(fault, wait),
        _ if fates.iter().any(answers) => Line::Answered,
        _ if fates.iter().any(|fate| matches!(fate, Fate::Doubt(_))) => Line::Silent,
        _ => Line::Answered,
    };
    Settlement { fates, line, refused_alone, notes: decoded.notes }
}

fn fate(verdict: Option<Verdict>, rest: &Rest, count: usize) -> Fate {
    match (verdict, rest) {
        (Some(Verdict::Accepted), _) | (None, Rest::Accepted) => Fate::Accepted,
        (Some(Verdict::Submitted(reference)), _) => Fate::Submitted(reference),
        (Some(Verdict::Rejected(fault)), _) => Fate::Rejected(fault),
        (Some(Verdict::Unclear(doubt)), _) => Fate::Doubt(doubt_fault(&doubt)),
        (None, Rest::Refused(fault)) if count == 1 => Fate::Rejected(fault.clone()),
        (None, Rest::Refused(_)) => Fate::Split,
        (None, Rest::Stop(fault) | Rest::Expired(fault) | Rest::BackOff(fault, _)) => Fate::NotSent(fault.clone()),
        (None, Rest::Silent(doubt)) => Fate::Doubt(doubt_fault(doubt)),
    }
}

/// The fault of a document that did not leave.
pub fn not_sent(why: &str) -> Fault {
    Fault::error("DOC-NOT-SENT", Path::ROOT, format!("not sent: {why}; the next run sends it"))
}

/// The fault of a document that may have been received.
pub fn doubt_fault(doubt: &Doubt) -> Fault {
    let why = &doubt.why;
    let message =
        format!("it is not known whether the document was received ({why}); `payables status` says what is to be done about it");
    Fault::error("DOC-DOUBT", Path::ROOT, message).vendor(doubt.vendor_code.as_deref(), doubt.vendor_message.as_deref())
}

/// The item of a document that stands so at its end; `why` is for one that was not sent.
pub(crate) fn ended(version: &Version, standing: &Standing, why: &Fault) -> Item {
    let outcome = outcome(standing.state);
    let fault = if outcome == Outcome::NotSent { Some(why) } else { standing.fault.as_ref() };
    let mut item = Item { outcome, reference: standing.reference.clone(), ..version.item.clone() };
    if !outcome.needs_attention() {
        // Somebody let it go in spite of a guard, and it went.
        item.faults.iter_mut().for_each(|fault| fault.severity = Severity::Warning);
    }
    if let (Some(fault), true) = (fault, outcome.needs_attention()) {
        let raw = fault.source.as_ref().and_then(|source| source.raw.clone());
        let source = item.source.clone().map(|source| Source { raw, ..source });
        item.faults.push(Fault { source, ..fault.clone() });
    }
    item
}

/// How a state is reported.
pub fn outcome(state: State) -> Outcome {
    match state {
        State::Received | State::Ready | State::Superseded | State::Cancelled => Outcome::NotSent,
        State::Armed | State::InDoubt => Outcome::InDoubt,
        State::Submitted => Outcome::Submitted,
        State::Presumed => Outcome::Presumed,
        State::Held => Outcome::Held,
        State::Accepted => Outcome::Accepted,
        State::Rejected => Outcome::Rejected,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault() -> Fault {
        Fault::error("TIP-VENDOR", Path::ROOT, "no")
    }

    fn words(settlement: &Settlement) -> Vec<&'static str> {
        let word = |fate: &Fate| match fate {
            Fate::Accepted => "accepted",
            Fate::Submitted(_) => "submitted",
            Fate::Rejected(_) => "rejected",
            Fate::Doubt(_) => "doubt",
            Fate::NotSent(_) => "not sent",
            Fate::Split => "split",
        };
        settlement.fates.iter().map(word).collect()
    }

    #[test]
    fn a_row_decides_for_its_document_and_silence_for_the_others() {
        let decoded = Decoded {
            verdicts: vec![(2, Verdict::Accepted), (0, Verdict::Rejected(fault())), (7, Verdict::Accepted)],
            rest: Rest::Silent("no row".into()),
            notes: vec!["a note".to_owned()],
        };
        let settlement = settle(3, Ok(decoded));
        assert_eq!(words(&settlement), ["rejected", "doubt", "accepted"]);
        assert_eq!((settlement.line, settlement.notes), (Line::Answered, vec!["a note".to_owned()]));
    }

    #[test]
    fn silence_is_doubt_and_a_line_that_is_down_is_not() {
        let silent = settle(2, Err(SendError::MaybeSent("timeout".into())));
        assert_eq!((words(&silent), silent.line), (vec!["doubt", "doubt"], Line::Silent));
        let down = settle(2, Err(SendError::NotSent("refused".into())));
        assert_eq!((words(&down), down.line), (vec!["not sent", "not sent"], Line::Down("refused".into())));
    }

    #[test]
    fn a_call_refused_as_a_whole_is_split_until_one_stands_alone() {
        let refused = || Ok(Decoded::whole(Rest::Refused(fault())));
        let (many, one) = (settle(2, refused()), settle(1, refused()));
        assert_eq!((words(&many), many.refused_alone, many.line), (vec!["split", "split"], false, Line::Answered));
        assert_eq!((words(&one), one.refused_alone), (vec!["rejected"], true));
    }

    #[test]
    fn a_caller_that_is_refused_or_asked_to_wait_has_sent_nothing() {
        let stop = settle(2, Ok(Decoded::whole(Rest::Stop(fault()))));
        assert_eq!((words(&stop), stop.line), (vec!["not sent", "not sent"], Line::Refused(fault())));
        let expired = settle(1, Ok(Decoded::whole(Rest::Expired(fault()))));
        assert_eq!((words(&expired), expired.line), (vec!["not sent"], Line::Expired(fault())));
        let pause = settle(1, Ok(Decoded::whole(Rest::BackOff(fault(), Some(Duration::from_secs(7))))));
        assert_eq!((words(&pause), pause.line), (vec!["not sent"], Line::Pause(fault(), Some(Duration::from_secs(7)))));
    }

    #[test]
    fn a_reference_is_no_verdict_and_an_unclear_row_is_doubt() {
        let decoded = Decoded {
            verdicts: vec![(0, Verdict::Submitted("T-1".into())), (1, Verdict::Unclear("contradictory".into()))],
            rest: Rest::Accepted,
            notes: vec![],
        };
        let settlement = settle(3, Ok(decoded));
        assert_eq!(words(&settlement), ["submitted", "doubt", "accepted"]);
        assert_eq!(settlement.line, Line::Answered);
    }
}
