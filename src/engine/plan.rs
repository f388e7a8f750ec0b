//! What a document that comes in means, given what is known of its number.

use super::record::{Digest, Version};
use super::state::{Millis, Rules, State};

/// What is to be done about a document that came in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Decision<'k> {
    /// The vendor has exactly this: it was accepted, submitted or presumed.
    Unchanged(&'k Version),
    /// It goes, or goes on: a version with this content stands ready, was held and is not any more, is in doubt and can be
    /// replayed, or was rejected and is tried again.
    Carry(&'k Version),
    /// A guard stops it, and a version with this content stands already.
    Hold(&'k Version),
    /// It may have been received, and cannot be sent again.
    InDoubt(&'k Version),
    /// It was rejected as it is, and stays so until a person says otherwise.
    StaysRejected(&'k Version),
    /// It is new, and may be sent from then on.
    New(Millis),
    /// It is new, and a guard stops it.
    NewHeld,
    /// The number has been sent with other content, and the vendor takes a number once.
    Contradicts(&'k Version),
}

/// What is known of a number: its versions that count, the newest first. Those are neither superseded nor cancelled, or
/// superseded by something that the vendor has not taken yet.
#[derive(Debug, Clone, Copy)]
pub struct Known<'k>(pub &'k [Version]);

impl<'k> Known<'k> {
    /// The newest version that the vendor has, or may have.
    pub fn at_vendor(self) -> Option<&'k Version> {
        self.0.iter().find(|version| version.standing.state.may_be_there())
    }

    /// Versions that the vendor has, or may have; a new one must not undo any of them unseen.
    pub fn all_at_vendor(self) -> impl Iterator<Item = &'k Version> {
        self.0.iter().filter(|version| version.standing.may_be_there())
    }

    /// Versions that wait to be sent.
    pub fn waiting(self) -> impl Iterator<Item = &'k Version> {
        self.0.iter().filter(|version| matches!(version.standing.state, State::Received | State::Ready | State::Held))
    }

    /// Versions that something newer takes the place of: those that wait, and those that were refused.
    pub fn replaced_by(self, digest: &'k Digest) -> impl Iterator<Item = &'k Version> {
        let is_replaced =
            |version: &&Version| matches!(version.standing.state, State::Received | State::Ready | State::Held | State::Rejected);
        self.0.iter().filter(is_replaced).filter(move |version| version.digest != *digest)
    }

    /// Before that, nothing new is sent for the number.
    fn rests_until(self) -> Millis {
        let latest = |version: &Version| version.standing.rest_until.max(version.standing.not_before);
        self.0.iter().map(latest).max().unwrap_or_default()
    }
}

/// Decides about a document by the digest of what would go on the wire; `guarded` says whether a guard stops it.
pub fn plan<'k>(digest: &Digest, guarded: bool, known: Known<'k>, rules: Rules) -> Decision<'k> {
    let same = |version: &&Version| version.digest == *digest;
    let at_vendor = known.at_vendor();
    if let Some(version) = at_vendor.filter(same) {
        return match version.standing.state {
            State::Accepted | State::Submitted | State::Presumed => Decision::Unchanged(version),
            _ if rules.repeatable => Decision::Carry(version),
            _ => Decision::InDoubt(version),
        };
    }
    if let Some(version) = known.waiting().find(same) {
        let goes = version.standing.released || !guarded;
        return match at_vendor {
            Some(other) if !rules.repeatable && !version.standing.released => Decision::Contradicts(other),
            _ if goes => Decision::Carry(version),
            _ => Decision::Hold(version),
        };
    }
    if let (Some(other), false) = (at_vendor, rules.repeatable) {
        return Decision::Contradicts(other);
    }
    if guarded {
        return Decision::NewHeld;
    }
    let rejected = known.0.iter().find(|version| version.standing.state == State::Rejected);
    match rejected.filter(same) {
        // Only where nothing else has been there since: what went between is what the vendor would get back.
        Some(version) if at_vendor.is_none_or(|other| other.revision < version.revision) => {
            if rules.repeatable {
                Decision::Carry(version)
            } else {
                Decision::StaysRejected(version)
            }
        }
        _ => Decision::New(known.rests_until()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::record::Key;
    use crate::engine::state::Standing;
    use crate::model::Kind;
    use crate::outcome::Outcome;
    use crate::report::Item;

    const UPSERT: Rules = Rules { repeatable: true, quarantine: 600_000 };
    const ONCE: Rules = Rules { repeatable: false, quarantine: 600_000 };

    /// Versions with these contents and states, the oldest first.
    fn history(versions: &[(u8, State)]) -> Vec<Version> {
        let version = |(place, (content, state)): (usize, &(u8, State))| Version {
            id: i64::try_from(place).unwrap() + 1,
            key: Key { kind: Kind::PurchaseOrder, owner: String::new(), number: "PO-1".into() },
            revision: u32::try_from(place).unwrap() + 1,
            digest: [*content; 32],
            memo: vec![],
            payee: None,
            run: 1,
            item: Item {
                kind: None,
                number: None,
                outcome: Outcome::Planned,
                reference: None,
                faults: vec![],
                source: None,
                plan: None,
                amount: None,
            },
            standing: Standing { state: *state, ..Standing::received(0) },
        };
        let mut versions: Vec<Version> = versions.iter().enumerate().map(version).collect();
        versions.reverse();
        versions
    }

    /// The decision's name, and the revision that it speaks of.
    fn decide(content: u8, guarded: bool, versions: &[Version], rules: Rules) -> (&'static str, u32) {
        match plan(&[content; 32], guarded, Known(versions), rules) {
            Decision::Unchanged(version) => ("unchanged", version.revision),
            Decision::Carry(version) => ("carry", version.revision),
            Decision::Hold(version) => ("hold", version.revision),
            Decision::InDoubt(version) => ("in doubt", version.revision),
            Decision::StaysRejected(version) => ("stays rejected", version.revision),
            Decision::New(_) => ("new", 0),
            Decision::NewHeld => ("new, held", 0),
            Decision::Contradicts(version) => ("contradicts", version.revision),
        }
    }

    #[test]
    fn what_is_known_of_a_number_decides() {
        use State as S;
        type Case<'c> = (&'c [(u8, State)], &'c str, &'c str);
        let cases: &[Case<'_>] = &[
            (&[], "new 0", "new 0"),
            (&[(1, S::Accepted)], "unchanged 1", "unchanged 1"),
            (&[(1, S::Submitted)], "unchanged 1", "unchanged 1"),
            (&[(1, S::Presumed)], "unchanged 1", "unchanged 1"),
            (&[(1, S::InDoubt)], "carry 1", "in doubt 1"),
            (&[(1, S::Ready)], "carry 1", "carry 1"),
            (&[(1, S::Held)], "carry 1", "carry 1"),
            (&[(1, S::Received)], "carry 1", "carry 1"),
            (&[(1, S::Rejected)], "carry 1", "stays rejected 1"),
            (&[(2, S::Accepted)], "new 0", "contradicts 1"),
            (&[(2, S::Submitted)], "new 0", "contradicts 1"),
            (&[(2, S::InDoubt)], "new 0", "contradicts 1"),
            (&[(2, S::Rejected)], "new 0", "new 0"),
            (&[(2, S::Ready)], "new 0", "new 0"),
            // The vendor has the first; the second did not pass, or is on its way.
            (&[(1, S::Accepted), (2, S::Rejected)], "unchanged 1", "unchanged 1"),
            (&[(1, S::Accepted), (2, S::Ready)], "unchanged 1", "unchanged 1"),
            (&[(2, S::Accepted), (1, S::Rejected)], "carry 2", "contradicts 1"),
            (&[(1, S::Accepted), (2, S::InDoubt)], "new 0", "contradicts 2"),
            (&[(1, S::Rejected), (2, S::Accepted)], "new 0", "contradicts 2"),
            (&[(2, S::InDoubt), (1, S::Ready)], "carry 2", "contradicts 1"),
        ];
        for (versions, upsert, once) in cases {
            let versions = history(versions);
            for (rules, expected) in [(UPSERT, upsert), (ONCE, once)] {
                let (word, revision) = decide(1, false, &versions, rules);
                assert_eq!(&format!("{word} {revision}"), expected, "{versions:?}");
            }
        }
    }

    #[test]
    fn a_guard_holds_what_a_person_has_not_let_go() {
        let mut waiting = history(&[(1, State::Held)]);
        assert_eq!(decide(1, true, &waiting, UPSERT), ("hold", 1));
        assert_eq!(decide(2, true, &waiting, UPSERT), ("new, held", 0));
        waiting[0].standing.released = true;
        assert_eq!(decide(1, true, &waiting, UPSERT), ("carry", 1));
        assert_eq!(decide(2, true, &waiting, UPSERT), ("new, held", 0));
        // What is there already is not stopped by a guard.
        assert_eq!(decide(1, true, &history(&[(1, State::Accepted)]), UPSERT), ("unchanged", 1));
        let mut contradiction = history(&[(2, State::Accepted), (1, State::Held)]);
        assert_eq!(decide(1, false, &contradiction, ONCE), ("contradicts", 1));
        contradiction[0].standing.released = true;
        assert_eq!(decide(1, true, &contradiction, ONCE), ("carry", 2));
    }

    #[test]
    fn something_new_rests_while_something_older_may_be_on_its_way() {
        let mut versions = history(&[(2, State::InDoubt), (3, State::Ready)]);
        versions[1].standing.rest_until = 700;
        versions[0].standing.not_before = 900;
        assert_eq!(plan(&[1; 32], false, Known(&versions), UPSERT), Decision::New(900));
    }

    #[test]
    fn whatever_the_vendor_may_have_of_a_number_is_known_and_whatever_waits() {
        let versions =
            history(&[(2, State::Accepted), (3, State::Rejected), (4, State::InDoubt), (5, State::Held), (6, State::Ready)]);
        let revisions =
            |versions: &mut dyn Iterator<Item = &Version>| versions.map(|version| version.revision).collect::<Vec<_>>();
        assert_eq!(revisions(&mut Known(&versions).all_at_vendor()), [3, 1]);
        assert_eq!(revisions(&mut Known(&versions).waiting()), [5, 4]);
        assert_eq!(Known(&versions).at_vendor().map(|version| version.revision), Some(3));
    }

    #[test]
    fn something_new_takes_the_place_of_what_waits_or_was_refused() {
        let versions = history(&[(2, State::Accepted), (3, State::Rejected), (4, State::Held), (1, State::Ready)]);
        let replaced: Vec<u32> = Known(&versions).replaced_by(&[1; 32]).map(|version| version.revision).collect();
        assert_eq!(replaced, [3, 2]);
    }
}
