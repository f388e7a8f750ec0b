//! An engine on a bench: what runs are tested with.

use std::time::Duration;

use payables_bridge::adapter::{Decoded, Rest, Verdict};
use payables_bridge::engine::record::{Move, Ruling};
use payables_bridge::engine::run::{Action, Candidate, Engine, Event, Now, Policy};
use payables_bridge::engine::state::{Rules, State};
use payables_bridge::outcome::{Exit, Outcome};
use payables_bridge::report::Item;
use payables_bridge::wire::SendError;

use super::version;

pub(super) const START: i64 = 1_700_000_000_000;

pub(super) fn policy(rules: Rules) -> Policy {
    Policy {
        rules,
        batch_size: 2,
        concurrency: 2,
        pace: (0, 1),
        replay_after: Duration::from_secs(30),
        wait: Duration::from_secs(60),
        doubts_in_a_row: 5,
        deadline: Duration::from_secs(14_400),
        ask_after: Duration::from_secs(20),
        follows: false,
        seed: 7,
    }
}

/// A call that the engine has made.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sent {
    pub(super) call: u64,
    pub(super) numbers: Vec<String>,
    pub(super) superseded: Vec<Move>,
    pub(super) at: u64,
}

/// An engine with a shelf of documents, a clock, and a memory of what it did. What it wants stored is stored.
pub(super) struct Bench {
    pub(super) engine: Engine,
    pub(super) shelf: Vec<Candidate>,
    pub(super) now: u64,
    pub(super) sent: Vec<Sent>,
    pub(super) items: Vec<Item>,
    pub(super) rulings: Vec<Ruling>,
    pub(super) notes: Vec<String>,
    /// Calls that came back.
    pub(super) settled: usize,
    /// Fresh tokens that were asked for.
    pub(super) renewals: usize,
}

impl Bench {
    pub(super) fn new(policy: Policy, documents: i64) -> Self {
        let shelf = (1..=documents).map(|id| candidate(id, State::Ready)).collect();
        Self::with(policy, shelf)
    }

    pub(super) fn with(policy: Policy, shelf: Vec<Candidate>) -> Self {
        let (engine, now) = (Engine::new(policy), 0);
        let mut bench = Self {
            engine,
            shelf,
            now,
            sent: Vec::new(),
            items: Vec::new(),
            rulings: Vec::new(),
            notes: Vec::new(),
            settled: 0,
            renewals: 0,
        };
        bench.on(Event::Tick);
        bench
    }

    pub(super) fn time(&self) -> Now {
        Now { tick: self.now, wall: START + i64::try_from(self.now).unwrap() }
    }

    pub(super) fn on(&mut self, event: Event) {
        let mut events = vec![event];
        while !events.is_empty() {
            for action in self.engine.on(self.time(), events.remove(0)) {
                match action {
                    Action::Take(most) => {
                        let candidates: Vec<Candidate> = self.shelf.drain(..most.min(self.shelf.len())).collect();
                        let last = candidates.len() < most;
                        events.push(Event::Taken { candidates, last });
                    }
                    Action::Send { call, superseded, armed, numbers } => {
                        assert_eq!(armed.len(), numbers.len());
                        assert!(
                            armed.iter().all(|change| change.to.state == State::Armed && change.to.epoch == change.epoch + 1)
                        );
                        self.sent.push(Sent { call, numbers, superseded, at: self.now });
                    }
                    Action::Settle { call, rulings } => {
                        self.items.extend(rulings.iter().filter_map(|ruling| ruling.item.clone()));
                        self.rulings.extend(rulings);
                        self.settled += 1;
                        events.push(Event::Settled { call, fenced: Vec::new() });
                    }
                    Action::Rule(ruling) => {
                        self.items.extend(ruling.item.clone());
                        self.rulings.push(ruling);
                    }
                    Action::Report(items) => self.items.extend(items),
                    Action::Renew => self.renewals += 1,
                    Action::Note(note) => self.notes.push(note),
                }
            }
        }
    }

    /// The call that was made last comes back so.
    pub(super) fn back(&mut self, result: Result<Decoded, SendError>) {
        let call = self.sent.last().unwrap().call;
        self.on(Event::Returned { call, result });
    }

    /// Goes on to the next moment at which the engine wants to be woken.
    pub(super) fn wake(&mut self) -> u64 {
        let at = self.engine.wake_at(self.time()).expect("the engine waits for nothing");
        assert!(at >= self.now);
        self.now = at;
        self.on(Event::Tick);
        at
    }

    pub(super) fn outcomes(&self) -> Vec<(&str, Outcome)> {
        self.items.iter().map(|item| (item.number.as_deref().unwrap(), item.outcome)).collect()
    }

    pub(super) fn states(&self) -> Vec<State> {
        self.rulings.iter().map(|ruling| ruling.to.to.state).collect()
    }

    pub(super) fn exit(&self) -> Option<Exit> {
        self.engine.ended_early().map(|(exit, _)| exit)
    }
}

pub(super) fn candidate(id: i64, state: State) -> Candidate {
    Candidate { version: version(id, state), doubtful: Vec::new(), accepted: None }
}

pub(super) fn accepted(count: usize) -> Result<Decoded, SendError> {
    let verdicts = (0..count).map(|place| (place, Verdict::Accepted)).collect();
    Ok(Decoded { verdicts, rest: Rest::Silent("no row".into()), notes: vec![] })
}

pub(super) fn whole(rest: Rest) -> Result<Decoded, SendError> {
    Ok(Decoded::whole(rest))
}

pub(super) fn silence() -> Result<Decoded, SendError> {
    Err(SendError::MaybeSent("timeout".to_owned()))
}

pub(super) fn down() -> Result<Decoded, SendError> {
    Err(SendError::NotSent("refused".to_owned()))
}
