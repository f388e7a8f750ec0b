//! What a run makes of a call that came back: for each of its documents, and for the calls that follow.

use std::collections::BTreeSet;
use std::time::Duration;

use super::pace::Tick;
use super::record::{Move, Ruling, Version, VersionId};
use super::run::{Action, Call, Engine, Now};
use super::settle::{Fate, Line, doubt_fault, ended, settle};
use super::state::{self, Standing, State, step};
use super::steer::{millis, report, signed};
use crate::adapter::Decoded;
use crate::model::Fault;
use crate::outcome::Exit;
use crate::report::Item;
use crate::wire::SendError;

/// How often a call in doubt is replayed where that does no harm.
const MAX_REPLAYS: u32 = 3;
/// How often a call that certainly did not arrive is tried.
const MAX_TRIES: u32 = 3;
/// How often a pause may be asked for before the run gives up.
const MAX_PAUSES: u32 = 5;
/// How often the run waits for a vendor that went away.
const MAX_OPENINGS: u32 = 3;
/// The first wait before a call is tried again; it doubles, and its length is drawn.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// The longest wait before a call is tried again.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// The first pause where the vendor asked for one and did not say how long.
const FIRST_PAUSE: Duration = Duration::from_secs(30);
/// The longest pause that a vendor may ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// After so many documents that were refused one by one, with nothing accepted between them, nothing new is sent: bisecting
/// finds one guilty document among many, and here there are none but guilty ones.
const MOST_REFUSED_IN_A_ROW: u32 = 100;

/// A call that came back, while what was made of it is being stored.
#[derive(Debug)]
pub(super) struct Settling {
    call: Call,
    thens: Vec<Then>,
    /// What the call says of each document, in case somebody else has changed it meanwhile.
    fates: Vec<Fate>,
    /// When a document goes again that did not arrive.
    again: Option<Again>,
}

/// When a document goes again that did not arrive, and how often its call has been tried by then.
#[derive(Debug, Clone, Copy)]
struct Again {
    due: Tick,
    tries: u32,
}

/// What becomes of a document after its call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    /// This is its end in this run.
    End,
    /// It is replayed.
    Replay,
    /// It goes again, since it did not arrive.
    Again,
    /// It goes again in a smaller call, since one of these is at fault.
    Split,
}

impl Engine {
    pub(super) fn returned(&mut self, id: u64, result: Result<Decoded, SendError>, now: Now, actions: &mut Vec<Action>) {
        let Some(mut call) = self.in_flight.remove(&id) else { return };
        let settlement = settle(call.documents.len(), result);
        actions.extend(settlement.notes.into_iter().map(Action::Note));
        let has_word = |fate: &Fate| matches!(fate, Fate::Accepted | Fate::Submitted(_) | Fate::Rejected(_));
        let worded = settlement.fates.iter().any(has_word);
        let again = match &settlement.line {
            Line::Expired(fault) => self.renew((id, call.tries), fault, now, actions),
            line => self.hear(line, worded, settlement.refused_alone, &call, now),
        };
        let (mut rulings, mut thens) = (Vec::new(), Vec::new());
        for ((candidate, armed), fate) in call.documents.iter_mut().zip(&call.armed).zip(&settlement.fates) {
            let then = match fate {
                Fate::Accepted | Fate::Submitted(_) | Fate::Rejected(_) => Then::End,
                _ if self.stopped.is_some() => Then::End,
                Fate::Doubt(_) if self.policy.rules.repeatable && call.replays < MAX_REPLAYS => Then::Replay,
                Fate::NotSent(_) if again.is_some() => Then::Again,
                Fate::Split => Then::Split,
                Fate::Doubt(_) | Fate::NotSent(_) => Then::End,
            };
            // An armed document takes any verdict, so the step never fails; if it did, the document would stay armed and
            // be in doubt for the next run.
            let to = step(armed, self.event(fate), now.wall, self.policy.rules).unwrap_or_else(|_| armed.clone());
            let follows = to.state == State::Submitted && self.policy.follows;
            let item = (then == Then::End && !follows).then(|| self.end(&candidate.version, &to, fate));
            // An earlier attempt may have taken its place already, although this one was refused.
            let is_gone = to.state == State::Accepted || (to.state == State::Rejected && armed.doubtful);
            let superseded = candidate.accepted.filter(|_| is_gone);
            let change = Move { version: candidate.version.id, from: State::Armed, epoch: armed.epoch, to: to.clone() };
            rulings.push(Ruling { to: change, superseded, item });
            // Whatever it takes the place of is gone since it was armed.
            candidate.doubtful.clear();
            candidate.version.standing = to;
            thens.push(then);
        }
        actions.push(Action::Settle { call: id, rulings });
        self.settling.insert(id, Settling { call, thens, fates: settlement.fates, again });
    }

    /// Gives up what is on its way or has not been settled, because it cannot be stored. Returns how its documents end in
    /// this run: in doubt, but for those that certainly did not arrive, and those of calls that were not even made.
    pub fn abandon(&mut self, not_made: &BTreeSet<u64>) -> Vec<(VersionId, Item)> {
        let made = std::mem::take(&mut self.in_flight).into_iter();
        let settling = std::mem::take(&mut self.settling).into_values();
        let calls = made.map(|(id, call)| (!not_made.contains(&id), call)).chain(settling.map(|settling| (true, settling.call)));
        let mut items = Vec::new();
        for (is_made, call) in calls {
            for (candidate, armed) in call.documents.into_iter().zip(&call.armed) {
                // Of a call that came back, the candidate stands as was made of it.
                let did_not_arrive =
                    candidate.version.standing.epoch == armed.epoch && candidate.version.standing.state == State::Ready;
                let doubt = doubt_fault(&"its answer could not be stored; the next run says more".into());
                let version = candidate.version.id;
                let item = match step(armed, state::Event::Doubt(doubt), armed.changed_at, self.policy.rules) {
                    Ok(to) if is_made && !did_not_arrive => ended(&candidate.version, &to, &self.not_begun()),
                    _ => self.leave(candidate),
                };
                items.push((version, item));
            }
        }
        items
    }

    fn event(&self, fate: &Fate) -> state::Event {
        match fate {
            Fate::Accepted => state::Event::Accept,
            Fate::Submitted(reference) => {
                state::Event::Submit { reference: reference.clone(), ask_after: signed(self.policy.ask_after) }
            }
            Fate::Rejected(fault) => state::Event::Reject(fault.clone()),
            Fate::Doubt(fault) => state::Event::Doubt(fault.clone()),
            Fate::NotSent(_) | Fate::Split => state::Event::NotSent,
        }
    }

    /// The item of a document that comes to its end.
    fn end(&mut self, version: &Version, to: &Standing, fate: &Fate) -> Item {
        let why = match fate {
            Fate::NotSent(fault) => fault.clone(),
            _ => self.not_begun(),
        };
        self.left += u64::from(to.state == State::Ready);
        ended(version, to, &why)
    }

    /// What a call says of the target. Returns when documents go again that did not arrive; `None`: not in this run.
    fn hear(&mut self, line: &Line, worded: bool, refused_alone: bool, call: &Call, now: Now) -> Option<Again> {
        let in_pause = self.paused_until.is_some_and(|until| until > now.tick);
        if worded {
            // It speaks again, so there is no reason left to hold anything back.
            (self.doubts_in_a_row, self.pauses, self.closed, self.reached) = (0, 0, None, true);
            self.renewed = None;
            self.allowance.give_back();
        }
        self.refused_in_a_row = if refused_alone {
            self.refused_in_a_row + 1
        } else if worded {
            0
        } else {
            self.refused_in_a_row
        };
        if self.refused_in_a_row >= MOST_REFUSED_IN_A_ROW {
            self.closed.get_or_insert_with(|| {
                format!("{MOST_REFUSED_IN_A_ROW} documents in a row were refused, each alone; the cause is not in the documents")
            });
        }
        let (after, tries) = match line {
            Line::Answered | Line::Expired(_) => return None,
            Line::Silent => {
                self.fall_silent();
                return None;
            }
            Line::Refused(fault) => {
                self.stop(Exit::Refused, fault.message.clone());
                return None;
            }
            Line::Pause(fault, wait) => {
                // Eight calls that are asked for a pause together have been asked once, and those that were on their way
                // when it began belong to it.
                let pauses = self.pauses.saturating_sub(u32::from(in_pause)) + 1;
                if pauses >= MAX_PAUSES {
                    self.stop(Exit::Temporary, fault.message.clone());
                    return None;
                }
                (wait.unwrap_or(FIRST_PAUSE * 2_u32.pow(pauses - 1)).min(LONGEST_PAUSE), call.tries)
            }
            Line::Down(why) => {
                let tries = call.tries + 1;
                if tries < MAX_TRIES && self.allowance.take() {
                    (self.jitter.wait(FIRST_WAIT, tries - 1, LONGEST_WAIT), tries)
                } else if self.reached && self.openings + 1 < MAX_OPENINGS {
                    // It was there, and went away: worth a longer wait than one that never answered.
                    self.openings += 1;
                    (self.policy.replay_after * 10, 0)
                } else {
                    self.stop(Exit::Temporary, why.clone());
                    return None;
                }
            }
        };
        self.pauses += u32::from(!in_pause);
        let due = now.tick + millis(after);
        self.paused_until = self.paused_until.max(Some(due));
        Some(Again { due, tries })
    }

    /// A call was refused because its token has ended, as it seems: it goes again with a fresh one, unless it had that already.
    fn renew(&mut self, (id, tries): (u64, u32), fault: &Fault, now: Now, actions: &mut Vec<Action>) -> Option<Again> {
        match self.renewed {
            Some(last) if id > last => {
                self.stop(Exit::Refused, fault.message.clone());
                return None;
            }
            Some(_) => {}
            None => {
                (self.renewed, self.tokenless) = (Some(self.last_call), true);
                actions.push(Action::Renew);
            }
        }
        Some(Again { due: now.tick, tries })
    }

    /// A call ended in doubt. After a few in a row nothing new is begun: each new one would be one more document in doubt.
    fn fall_silent(&mut self) {
        self.doubts_in_a_row += 1;
        let most = self.policy.doubts_in_a_row;
        if self.doubts_in_a_row < most || self.closed.is_some() {
            return;
        }
        let why = format!("{} calls in a row ended in doubt", self.doubts_in_a_row);
        self.openings += 1;
        if self.openings >= MAX_OPENINGS {
            self.stop(Exit::Temporary, why.clone());
        }
        self.closed = Some(why);
    }

    /// What was made of a call is stored: what goes again is put in its place.
    pub(super) fn settled(&mut self, id: u64, fenced: Vec<Version>, now: Now, actions: &mut Vec<Action>) {
        let Some(Settling { call, thens, fates, again }) = self.settling.remove(&id) else { return };
        let (mut replay, mut retry, mut split) = (Vec::new(), Vec::new(), Vec::new());
        for ((candidate, then), fate) in call.documents.into_iter().zip(thens).zip(&fates) {
            if let Some(present) = fenced.iter().find(|version| version.id == candidate.version.id) {
                self.late(present, (fate, candidate.accepted), now, actions);
                continue;
            }
            match then {
                Then::End => {}
                Then::Replay => replay.push(candidate),
                Then::Again => retry.push(candidate),
                Then::Split => split.push(candidate),
            }
        }
        let tries = again.map_or(call.tries, |again| again.tries);
        if !replay.is_empty() {
            let due = now.tick + millis(self.policy.replay_after);
            self.later.push((due, Call { documents: replay, replays: call.replays + 1, tries, ..Call::default() }));
        }
        if let (Some(again), false) = (again, retry.is_empty()) {
            self.later.push((again.due, Call { documents: retry, replays: call.replays, tries, ..Call::default() }));
        }
        if !split.is_empty() {
            let second = split.split_off(split.len() / 2);
            for documents in [second, split].into_iter().filter(|documents| !documents.is_empty()) {
                self.queue.push_front(Call { documents, replays: call.replays, tries, ..Call::default() });
            }
        }
    }

    /// A verdict for an attempt that somebody else has given up meanwhile. It is still true: where the document is in doubt
    /// it ends the doubt, and where another attempt was taken too, the vendor has it twice.
    fn late(&mut self, present: &Version, (fate, accepted): (&Fate, Option<VersionId>), now: Now, actions: &mut Vec<Action>) {
        let standing = &present.standing;
        let is_verdict = matches!(fate, Fate::Accepted | Fate::Submitted(_) | Fate::Rejected(_));
        if standing.state == State::InDoubt
            && is_verdict
            && let Ok(to) = step(standing, self.event(fate), now.wall, self.policy.rules)
        {
            let item = Some(self.end(present, &to, fate));
            // One of its attempts may have taken the older one's place, also where this one was refused.
            let superseded = accepted.filter(|_| to.state.is_over());
            actions.push(Action::Rule(Ruling { to: Move::new(present, to), superseded, item }));
            return;
        }
        if let (Fate::Submitted(reference), Some(other)) = (fate, &standing.reference)
            && reference != other
        {
            let number = &present.key.number;
            actions.push(Action::Note(format!(
                "{number} was taken twice by the vendor, as {other} and as {reference}; have one of them cancelled there"
            )));
        }
        let item = self.end(present, standing, fate);
        report(vec![item], actions);
    }
}
