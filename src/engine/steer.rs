//! How a run is steered: what goes next, what waits, what is left.

use std::collections::VecDeque;
use std::time::Duration;

use super::pace::{Allowance, Jitter, Pace, Tick};
use super::record::{Move, VersionId};
use super::run::{Action, Call, Candidate, Engine, Event, Now, Policy};
use super::settle::{self, ended};
use super::state::{self, Millis, State, step};
use crate::model::{Fault, Path};
use crate::outcome::Exit;
use crate::report::Item;

/// Nothing is begun so shortly before the run's time is over.
const LAST_CALL: Duration = Duration::from_secs(300);
/// Tries of calls that did not arrive, for the whole run.
const RETRY_TOKENS: u32 = 10;

impl Engine {
    /// A run that has not begun.
    pub fn new(policy: Policy) -> Self {
        Self {
            pace: Pace::new(policy.pace.0, policy.pace.1),
            jitter: Jitter::new(policy.seed),
            allowance: Allowance::new(RETRY_TOKENS),
            policy,
            began_at: None,
            queue: VecDeque::new(),
            later: Vec::new(),
            last_call: 0,
            in_flight: std::collections::BTreeMap::new(),
            settling: std::collections::BTreeMap::new(),
            taking: false,
            taken_all: false,
            draining: false,
            crowded: false,
            tokenless: false,
            renewed: None,
            paused_until: None,
            pauses: 0,
            openings: 0,
            reached: false,
            refused_in_a_row: 0,
            doubts_in_a_row: 0,
            closed: None,
            stopped: None,
            left: 0,
        }
    }

    /// What is to be done now that this has happened.
    pub fn on(&mut self, now: Now, event: Event) -> Vec<Action> {
        let mut actions = Vec::new();
        let began_at = *self.began_at.get_or_insert(now.tick);
        match event {
            Event::Tick => {}
            Event::Taken { candidates, last } => {
                self.taking = false;
                self.taken_all |= last;
                self.sort_in(candidates, now, &mut actions);
            }
            Event::Overtaken { call, versions } => self.overtaken(call, &versions, &mut actions),
            Event::Refused { call, why } => {
                self.queue.extend(self.in_flight.remove(&call));
                self.stop(Exit::Temporary, why);
            }
            Event::Returned { call, result } => self.returned(call, result, now, &mut actions),
            Event::Settled { call, fenced } => self.settled(call, fenced, now, &mut actions),
            Event::Postponed(call) => {
                self.tokenless = true;
                self.queue.extend(self.in_flight.remove(&call));
            }
            Event::Token(is_there) => self.tokenless = !is_there,
            Event::Interval(interval) => self.pace.slow_down(interval),
            Event::Crowded(crowded) => self.crowded = crowded,
            Event::Stop(exit, why) => self.stop(exit, why),
        }
        if now.tick >= began_at + self.time_to_begin() {
            self.stop(Exit::Temporary, "the time for the run is over".to_owned());
        }
        self.pump(now, &mut actions);
        actions
    }

    /// Whether nothing is left to do.
    pub fn is_over(&self) -> bool {
        let waits = !self.queue.is_empty() || !self.later.is_empty();
        !waits && self.in_flight.is_empty() && self.settling.is_empty() && !self.taking && self.taken_all
    }

    /// When to come back if nothing happens before.
    pub fn wake_at(&self, now: Now) -> Option<Tick> {
        if self.stopped.is_some() {
            return None;
        }
        let end = self.began_at.map(|began| began + self.time_to_begin());
        if !self.has_room() {
            return end;
        }
        let may_go = self.paused_until.unwrap_or_default().max(self.pace.next(now.tick));
        let is_waiting = !self.queue.is_empty() || (!self.taken_all && !self.taking && self.closed.is_none());
        let next = self.later.iter().map(|(due, _)| (*due).max(may_go)).chain(is_waiting.then_some(may_go)).min();
        next.into_iter().chain(end).min()
    }

    /// Why the run ended early, if it did, and with which code.
    pub fn ended_early(&self) -> Option<(Exit, String)> {
        match (&self.stopped, &self.closed) {
            // A caller that is refused and a machine that fails are ends of their own, whatever is left.
            (Some((exit @ (Exit::Refused | Exit::Unexpected), why)), _) => Some((*exit, why.clone())),
            (Some((exit, why)), _) if self.left > 0 => Some((*exit, why.clone())),
            (None, Some(why)) if self.left > 0 => Some((Exit::Temporary, why.clone())),
            _ => None,
        }
    }

    /// Nothing is begun after that.
    fn time_to_begin(&self) -> Tick {
        let deadline = self.policy.deadline;
        millis(if deadline > LAST_CALL * 2 { deadline - LAST_CALL } else { deadline })
    }

    pub(super) fn stop(&mut self, exit: Exit, why: String) {
        self.stopped.get_or_insert((exit, why));
    }

    fn has_room(&self) -> bool {
        if self.crowded || self.tokenless {
            return false;
        }
        // Where each doubt costs a person's time, one call goes until the vendor has shown that it can be understood.
        let is_costly = !self.policy.rules.repeatable && (!self.reached || self.doubts_in_a_row > 0);
        let most = if self.pauses > 0 || is_costly { 1 } else { self.policy.concurrency };
        self.in_flight.len() + self.settling.len() < most
    }

    /// Begins what can be begun.
    fn pump(&mut self, now: Now, actions: &mut Vec<Action>) {
        if self.stopped.is_some() {
            self.paused_until = None;
            let waiting: Vec<Call> = self.queue.drain(..).chain(self.later.drain(..).map(|(_, call)| call)).collect();
            let items = waiting.into_iter().flat_map(|call| call.documents).map(|document| self.leave(document)).collect();
            report(items, actions);
            // What is on its way comes first, so that documents are told in their order.
            if self.in_flight.is_empty() && self.settling.is_empty() {
                self.take(actions);
            }
            return;
        }
        while self.has_room() {
            if self.paused_until.is_some_and(|until| until > now.tick) || self.pace.next(now.tick) > now.tick {
                return;
            }
            self.paused_until = None;
            let due = self.later.iter().position(|(due, _)| *due <= now.tick);
            if let Some(call) = self.queue.pop_front().or_else(|| due.map(|place| self.later.remove(place).1)) {
                self.send(call, now, actions);
                continue;
            }
            let is_idle = self.in_flight.is_empty() && self.settling.is_empty() && self.later.is_empty();
            // What went away has not come back: there is nobody left to hear of it from.
            self.draining |= self.closed.is_some() && is_idle;
            if self.closed.is_none() || self.draining {
                self.take(actions);
            }
            return;
        }
    }

    fn take(&mut self, actions: &mut Vec<Action>) {
        if !self.taking && !self.taken_all && !self.crowded {
            self.taking = true;
            actions.push(Action::Take(self.policy.batch_size));
        }
    }

    /// Makes calls of documents that may go.
    fn sort_in(&mut self, candidates: Vec<Candidate>, now: Now, actions: &mut Vec<Action>) {
        let mut left = Vec::new();
        let (mut fresh, mut doubtful, mut resting) = (Vec::new(), Vec::new(), Vec::new());
        let (mut replay_at, mut rested_at) = (now.wall, now.wall);
        for candidate in candidates {
            let rests_until = rests_until(&candidate);
            let standing = &candidate.version.standing;
            if self.stopped.is_some() || self.draining {
                left.push(self.leave(candidate));
            } else if standing.state == State::InDoubt {
                // A clock that was set back since does not hold the run up.
                let pause = signed(self.policy.replay_after);
                replay_at = replay_at.max((standing.changed_at + pause).min(now.wall + pause));
                doubtful.push(candidate);
            } else if rests_until <= now.wall {
                fresh.push(candidate);
            } else if rests_until - now.wall <= signed(self.policy.wait) {
                rested_at = rested_at.max(rests_until);
                resting.push(candidate);
            } else {
                left.push(self.leave_resting(candidate, rests_until));
            }
        }
        report(left, actions);
        // An attempt of another run counts like one of this run.
        for (documents, replays, at) in [(fresh, 0, now.wall), (doubtful, 1, replay_at), (resting, 0, rested_at)] {
            let call = Call { documents, replays, ..Call::default() };
            match u64::try_from(at - now.wall) {
                _ if call.documents.is_empty() => {}
                Ok(wait @ 1..) => self.later.push((now.tick + wait, call)),
                _ => self.queue.push_back(call),
            }
        }
    }

    fn send(&mut self, mut call: Call, now: Now, actions: &mut Vec<Action>) {
        // The clock that waits are measured by may be a moment ahead of the one that says when a rest is over.
        let rest = call.documents.iter().map(rests_until).max().unwrap_or_default() - now.wall;
        if let (Ok(rest @ 1..), true) = (u64::try_from(rest), rest <= signed(self.policy.wait)) {
            self.later.push((now.tick + rest, call));
            return;
        }
        let (mut superseded, mut armed, mut items) = (Vec::new(), Vec::new(), Vec::new());
        call.armed.clear();
        let rules = self.policy.rules;
        for candidate in std::mem::take(&mut call.documents) {
            let older: Result<Vec<Move>, _> = candidate
                .doubtful
                .iter()
                .map(|older| step(&older.standing, state::Event::Supersede, now.wall, rules).map(|to| Move::new(older, to)))
                .collect();
            match (older, step(&candidate.version.standing, state::Event::Arm, now.wall, rules)) {
                (Ok(older), Ok(to)) => {
                    superseded.extend(older);
                    armed.push(Move::new(&candidate.version, to.clone()));
                    call.armed.push(to);
                    call.documents.push(candidate);
                }
                (Err(why), _) | (_, Err(why)) => {
                    self.left += 1;
                    items.push(ended(&candidate.version, &candidate.version.standing, &settle::not_sent(&why.why)));
                }
            }
        }
        report(items, actions);
        if call.documents.is_empty() {
            return;
        }
        self.pace.take(now.tick);
        self.last_call += 1;
        let numbers = call.documents.iter().map(|candidate| candidate.version.key.number.clone()).collect();
        self.in_flight.insert(self.last_call, call);
        actions.push(Action::Send { call: self.last_call, superseded, armed, numbers });
    }

    /// Somebody else has changed documents of a call that was about to go: the others go without them.
    fn overtaken(&mut self, call: u64, versions: &[VersionId], actions: &mut Vec<Action>) {
        let Some(mut call) = self.in_flight.remove(&call) else { return };
        let is_meant = |candidate: &Candidate| {
            let ids = candidate.doubtful.iter().map(|older| older.id).chain([candidate.version.id]);
            ids.into_iter().any(|id| versions.contains(&id))
        };
        let (mut gone, mut stay): (Vec<Candidate>, Vec<Candidate>) = call.documents.into_iter().partition(is_meant);
        if gone.is_empty() {
            // It was refused because of something that this run knows nothing of: nobody goes.
            std::mem::swap(&mut gone, &mut stay);
        }
        let why = settle::not_sent("somebody else has changed it meanwhile");
        self.left += gone.len() as u64;
        report(gone.iter().map(|candidate| ended(&candidate.version, &candidate.version.standing, &why)).collect(), actions);
        call.documents = stay;
        if !call.documents.is_empty() {
            self.queue.push_front(call);
        }
    }

    /// A document that is not sent any more in this run.
    pub(super) fn leave(&mut self, candidate: Candidate) -> Item {
        let why = self.not_begun();
        self.left += u64::from(candidate.version.standing.state != State::InDoubt);
        ended(&candidate.version, &candidate.version.standing, &why)
    }

    fn leave_resting(&mut self, candidate: Candidate, until: Millis) -> Item {
        self.left += 1;
        let until = jiff::Timestamp::from_millisecond(until).map(|time| time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string());
        let until = until.unwrap_or_else(|_| "later".to_owned());
        let why = format!(
            "an earlier version may still be on its way, and this one rests until {until} (quarantine_s) so that the older one \
             cannot come after it"
        );
        ended(&candidate.version, &candidate.version.standing, &settle::not_sent(&why))
    }

    pub(super) fn not_begun(&self) -> Fault {
        let (exit, why) = match (&self.stopped, &self.closed) {
            (Some((exit, why)), _) => (*exit, why.as_str()),
            (None, Some(why)) => (Exit::Temporary, why.as_str()),
            (None, None) => (Exit::Temporary, "the run ended"),
        };
        let then = if exit == Exit::Refused { "mend that, and the next run sends it" } else { "the next run sends it" };
        Fault::error("DOC-NOT-SENT", Path::ROOT, format!("not sent: {why}; {then}"))
    }
}

/// Before that, a document is not sent: it, or an older version of it, has to rest.
fn rests_until(candidate: &Candidate) -> Millis {
    let older = candidate.doubtful.iter().map(|older| older.standing.rest_until).max();
    candidate.version.standing.not_before.max(older.unwrap_or_default())
}

pub(super) fn report(items: Vec<Item>, actions: &mut Vec<Action>) {
    if !items.is_empty() {
        actions.push(Action::Report(items));
    }
}

pub(super) fn millis(time: Duration) -> Tick {
    Tick::try_from(time.as_millis()).unwrap_or(Tick::MAX / 4)
}

pub(super) fn signed(time: Duration) -> Millis {
    Millis::try_from(time.as_millis()).unwrap_or(Millis::MAX / 4)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::record::{Key, Version};
    use crate::engine::state::{Rules, Standing};
    use crate::model::Kind;
    use crate::outcome::Outcome;

    fn policy() -> Policy {
        let second = Duration::from_secs(1);
        Policy {
            rules: Rules { repeatable: true, quarantine: 1000 },
            batch_size: 1,
            concurrency: 1,
            pace: (0, 1),
            replay_after: second,
            wait: second,
            doubts_in_a_row: 5,
            deadline: second * 3600,
            ask_after: second,
            follows: false,
            seed: 1,
        }
    }

    fn resting(until: Millis) -> Candidate {
        let key = Key { kind: Kind::PurchaseOrder, owner: String::new(), number: "PO-1".into() };
        let item = Item {
            kind: None,
            number: None,
            outcome: Outcome::Planned,
            reference: None,
            faults: vec![],
            source: None,
            plan: None,
            amount: None,
        };
        let standing = Standing { state: State::Ready, not_before: until, ..Standing::received(0) };
        let version = Version { id: 1, key, revision: 1, digest: [0; 32], memo: vec![], payee: None, run: 1, item, standing };
        Candidate { version, doubtful: vec![], accepted: None }
    }

    #[test]
    fn a_rest_is_over_by_the_clock_that_it_was_set_by() {
        let mut engine = Engine::new(policy());
        engine.on(Now { tick: 0, wall: 1000 }, Event::Tick);
        let taken = Event::Taken { candidates: vec![resting(1100)], last: true };
        assert!(engine.on(Now { tick: 0, wall: 1000 }, taken).is_empty());
        // Both clocks have gone on, and one of them stands a moment before its next millisecond.
        let early = Now { tick: 100, wall: 1099 };
        assert_eq!(engine.wake_at(early), Some(100));
        assert!(engine.on(early, Event::Tick).is_empty());
        assert_eq!(engine.wake_at(early), Some(101));
        let actions = engine.on(Now { tick: 101, wall: 1100 }, Event::Tick);
        assert!(matches!(actions.as_slice(), [Action::Send { .. }]), "{actions:?}");
    }
}
