//! Drives a run: does what the engine says, with a journal, a transport and a clock, and tells it what happened.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::evidence::evidence;
use super::line::{Line, decode};
use super::session::{NoToken, TokenWatch};
use super::stopper::Stopper;
use super::{Error, Observer};
use crate::adapter::Stamp;
use crate::engine::record::{CallId, Move, Ruling, RunId, ScopeId, Version, VersionId};
use crate::engine::run::{Action, Candidate, Engine, Event};
use crate::engine::state::State;
use crate::journal::{self, Arm, Journal, Settle};
use crate::outcome::Exit;
use crate::report::{Item, Summary};
use crate::wire::{SendError, WireResponse};

/// How long until a full observer is looked at again.
const LOOK_AGAIN: Duration = Duration::from_millis(2);

/// Clocks that are farther apart are told of.
const MOST_SECONDS_APART: i64 = 120;

/// A call that came back: the engine's name of it, the journal's, and what it brought, without secrets.
type Back = (u64, CallId, Result<WireResponse, SendError>);

/// A run with everything it needs.
pub(super) struct Drive<'d> {
    pub(super) line: Arc<Line>,
    pub(super) journal: &'d mut dyn Journal,
    pub(super) scope: ScopeId,
    pub(super) run: RunId,
    pub(super) engine: Engine,
    pub(super) summary: &'d mut Summary,
    pub(super) observer: &'d mut dyn Observer,
    pub(super) shelf: Shelf,
    in_flight: JoinSet<Back>,
    /// The question for a token, while there is one.
    pub(super) login: JoinSet<Result<(), NoToken>>,
    pub(super) token: TokenWatch,
    interval: Option<Duration>,
    clocks_compared: bool,
    /// Calls that were not made, because their intent could not be stored.
    pub(super) unsent: BTreeSet<u64>,
    /// Whether the engine knows that the observer is full.
    crowded: bool,
    /// Documents that were not given to this run.
    left_over: u64,
    /// The numbers of calls on their way.
    numbers: HashMap<u64, Vec<String>>,
    /// The journal's names of calls that came back.
    stored: HashMap<u64, CallId>,
    pub(super) events: Vec<Event>,
    /// What the engine said and is still to be done.
    pub(super) undone: VecDeque<Action>,
}

/// How far the documents that may go have been taken.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    /// Whether documents in doubt may be replayed, and have not all been taken.
    pub(super) doubtful: bool,
    /// The last one that was taken.
    pub(super) after: VersionId,
}

impl<'d> Drive<'d> {
    pub(super) fn new(
        line: Arc<Line>,
        (journal, scope, run): (&'d mut dyn Journal, ScopeId, RunId),
        engine: Engine,
        summary: &'d mut Summary,
        observer: &'d mut dyn Observer,
    ) -> Self {
        let shelf = Shelf { doubtful: line.submit.repeatable(), after: 0 };
        let (in_flight, numbers, stored, events) = (JoinSet::new(), HashMap::new(), HashMap::new(), Vec::new());
        Self {
            line,
            journal,
            scope,
            run,
            engine,
            summary,
            observer,
            shelf,
            in_flight,
            login: JoinSet::new(),
            token: TokenWatch::default(),
            interval: None,
            clocks_compared: false,
            unsent: BTreeSet::new(),
            crowded: false,
            left_over: 0,
            numbers,
            stored,
            events,
            undone: VecDeque::new(),
        }
    }

    /// Sends what may go, until nothing is left to do. Returns how many documents went that were not given to this run.
    pub(super) async fn finish(mut self, stopper: &Stopper) -> Result<u64, Error> {
        let ended = self.run(stopper).await;
        if let Err(error) = &ended {
            // Whatever is on its way is waited for, and what it brings is kept if the journal still can.
            while let Some(back) = self.in_flight.join_next().await {
                if let Ok((_, call, result)) = back {
                    let _last_attempt = self.keep(call, &result);
                }
            }
            self.tell_broken(error);
        }
        ended?;
        if let Some((exit, why)) = self.engine.ended_early() {
            self.summary.end_with(exit);
            self.summary.note(format!("stopped early: {why}"));
        }
        Ok(self.left_over)
    }

    async fn run(&mut self, stopper: &Stopper) -> Result<(), Error> {
        let mut told_to_stop = false;
        self.token.needed = self.line.submit.login().is_some() && self.has_something_to_send()?;
        self.watch_token();
        self.events.push(Event::Tick);
        loop {
            if stopper.is_stopped() && !told_to_stop {
                told_to_stop = true;
                self.events.push(Event::Stop(Exit::Temporary, "the run was interrupted".to_owned()));
            }
            if self.observer.is_full() != self.crowded {
                self.crowded = !self.crowded;
                self.events.push(Event::Crowded(self.crowded));
            }
            while !self.events.is_empty() {
                let event = self.events.remove(0);
                self.undone.extend(self.engine.on(self.line.now(), event));
                while let Some(action) = self.undone.pop_front() {
                    self.perform(action)?;
                }
            }
            if self.engine.is_over() {
                return Ok(());
            }
            // What has just happened may have taken the token away.
            self.watch_token();
            if !self.events.is_empty() {
                continue;
            }
            let wake = self.engine.wake_at(self.line.now()).map(|tick| self.line.instant(tick));
            let look = self.crowded.then(|| Instant::now() + LOOK_AGAIN);
            let wake = wake.into_iter().chain(look).min();
            tokio::select! {
                biased;
                Some(back) = self.in_flight.join_next(), if !self.in_flight.is_empty() => self.came_back(back)?,
                Some(login) = self.login.join_next(), if !self.login.is_empty() => self.logged_in(login),
                () = stopper.stopped(), if !told_to_stop => {}
                () = sleep_until(wake.unwrap_or_else(Instant::now)), if wake.is_some() => self.events.push(Event::Tick),
                // With nothing on its way and nothing to wait for, the engine would have said that it is over.
                else => return Err(Error::Transport("the run has come to a standstill".to_owned())),
            }
        }
    }

    fn perform(&mut self, action: Action) -> Result<(), Error> {
        match action {
            Action::Take(most) => {
                let (candidates, last) = self.take(most)?;
                self.left_over += candidates.iter().filter(|candidate| candidate.version.run != self.run).count() as u64;
                self.events.push(Event::Taken { candidates, last });
            }
            Action::Send { call, superseded, armed, numbers } => {
                self.numbers.insert(call, numbers);
                self.send(call, superseded, armed)?;
            }
            Action::Settle { call, rulings } => {
                let fenced = self.settle(call, rulings)?;
                self.events.push(Event::Settled { call, fenced });
            }
            Action::Rule(ruling) => {
                let ruled = self.journal.rule(Some(self.run), std::slice::from_ref(&ruling), &[]);
                self.emit_all(ruling.item);
                match ruled {
                    Ok(()) | Err(journal::Error::Fenced(_)) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            Action::Report(items) => {
                let reported = self.journal.report(self.run, &items);
                self.emit_all(items);
                reported?;
            }
            Action::Renew => {
                self.line.session.forget();
                self.token.missing = true;
            }
            Action::Note(note) => {
                tracing::warn!(note, "reply");
                self.summary.note(note);
            }
        }
        Ok(())
    }

    /// The next documents that may go: first those in doubt, where they can be replayed, then those that are ready.
    pub(super) fn take(&mut self, most: usize) -> Result<(Vec<Candidate>, bool), Error> {
        if self.shelf.doubtful {
            let versions = self.journal.list(self.scope, State::InDoubt, self.shelf.after, most)?;
            self.shelf.doubtful = versions.len() == most;
            // Those that are ready are taken from the first one on.
            self.shelf.after = versions.last().filter(|_| self.shelf.doubtful).map_or(0, |version| version.id);
            let mut candidates = Vec::new();
            for version in versions {
                let (known, _) = self.journal.known(self.scope, &version.key)?;
                let is_waiting = |other: &Version| other.revision > version.revision && other.standing.state == State::Ready;
                // A newer version takes the place of this one, when it has rested.
                if !known.iter().any(is_waiting) {
                    candidates.push(Candidate { accepted: accepted(&known), doubtful: Vec::new(), version });
                }
            }
            return Ok((candidates, false));
        }
        let versions = self.journal.list(self.scope, State::Ready, self.shelf.after, most)?;
        self.shelf.after = versions.last().map_or(self.shelf.after, |version| version.id);
        let last = versions.len() < most;
        let mut candidates = Vec::with_capacity(versions.len());
        for version in versions {
            let known = if version.revision > 1 { self.journal.known(self.scope, &version.key)?.0 } else { Vec::new() };
            let accepted = accepted(&known);
            let is_in_doubt = |other: &Version| other.standing.state == State::InDoubt;
            // Where one is in doubt, nobody knows whether the vendor still has what it accepted before.
            let doubtful = if known.iter().any(is_in_doubt) {
                known.into_iter().filter(|other| is_in_doubt(other) || other.standing.state == State::Accepted).collect()
            } else {
                Vec::new()
            };
            candidates.push(Candidate { version, doubtful, accepted });
        }
        Ok((candidates, last))
    }

    /// Stores the intent, then makes the call.
    fn send(&mut self, call: u64, superseded: Vec<Move>, armed: Vec<Move>) -> Result<(), Error> {
        let Some(signer) = self.line.signer() else {
            self.token.missing = true;
            self.events.push(Event::Postponed(call));
            return Ok(());
        };
        let mut fragments = Vec::with_capacity(armed.len());
        for change in &armed {
            match self.journal.payload(change.version).inspect_err(|_| _ = self.unsent.insert(call))? {
                Some(fragment) => fragments.push(fragment),
                // It cannot go, and nothing is armed that cannot go.
                None => {
                    let versions = vec![change.version];
                    self.events.push(Event::Overtaken { call, versions });
                    return Ok(());
                }
            }
        }
        let permit = self.line.permit();
        let arm = Arm { run: self.run, scope: self.scope, at: self.line.now().wall, superseded, armed };
        let stored = match self.journal.arm(&arm) {
            Ok(stored) => stored,
            Err(journal::Error::Fenced(versions)) => {
                self.events.push(Event::Overtaken { call, versions });
                return Ok(());
            }
            // Nothing is armed, so nothing is lost: what is left is told, and the next run sends it.
            Err(journal::Error::Busy(why)) => {
                self.events.push(Event::Refused { call, why });
                return Ok(());
            }
            Err(error) => {
                self.unsent.insert(call);
                return Err(error.into());
            }
        };
        let line = Arc::clone(&self.line);
        self.in_flight.spawn(async move {
            // The time is taken as late as possible: a key is good for a moment only.
            let stamp = Stamp { unix_seconds: line.unix_seconds(), secret: Some(&signer) };
            let mut body = Vec::with_capacity(fragments.iter().map(Vec::len).sum::<usize>() + 1024);
            line.submit.assemble(&mut fragments.iter().map(Vec::as_slice), &stamp, &mut body);
            drop(fragments);
            let result = line.transport.send(line.submit.request(body, &stamp), permit).await;
            (call, stored, line.without_secrets(&stamp, result))
        });
        Ok(())
    }

    fn keep(&mut self, call: CallId, result: &Result<WireResponse, SendError>) -> Result<(), journal::Error> {
        self.journal.keep(call, &evidence(result, self.line.now().wall))
    }

    /// Keeps what a call brought, then reads it.
    fn came_back(&mut self, back: Result<Back, tokio::task::JoinError>) -> Result<(), Error> {
        let (call, stored, result) =
            back.map_err(|error| Error::Transport(format!("a call ended in a way that it cannot: {error}")))?;
        self.keep(stored, &result)?;
        let numbers = self.numbers.remove(&call).unwrap_or_default();
        tracing::info!(documents = numbers.len(), first = numbers.first(), call = stored, "a call has come back");
        if let Ok(response) = &result {
            self.compare_clocks(response);
            let interval = self.line.submit.interval(response);
            if let Some(interval) = interval.filter(|_| interval != self.interval) {
                self.interval = Some(interval);
                self.events.push(Event::Interval(interval));
            }
        }
        self.summary.requests += u64::from(!matches!(result, Err(SendError::NotSent(_))));
        let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
        let result = result.map(|response| decode(&self.line, &numbers, &response));
        self.stored.insert(call, stored);
        self.events.push(Event::Returned { call, result });
        Ok(())
    }

    /// A key is good for a while around its time, so a clock that goes wrong is told before it is too wrong.
    fn compare_clocks(&mut self, response: &WireResponse) {
        let date = response.headers.iter().find(|(name, _)| *name == "date");
        let Some(theirs) = date.and_then(|(_, date)| jiff::fmt::rfc2822::parse(date).ok()) else { return };
        let apart = (theirs.timestamp().as_millisecond() - (self.line.clock)()) / 1000;
        if apart.abs() > MOST_SECONDS_APART && !self.clocks_compared {
            self.clocks_compared = true;
            let which = if apart > 0 { "behind" } else { "ahead of" };
            let apart = apart.abs();
            self.summary
                .note(format!("this machine's clock is {apart} s {which} the vendor's; set it, or its calls may be refused"));
        }
    }

    /// Stores what was made of a call, but for versions that somebody else has changed meanwhile; those are returned.
    fn settle(&mut self, call: u64, rulings: Vec<Ruling>) -> Result<Vec<Version>, Error> {
        let Some(call) = self.stored.remove(&call) else { return Ok(Vec::new()) };
        let mut settle = Settle { call, run: self.run, rulings };
        let mut fenced = Vec::new();
        loop {
            match self.journal.settle(&settle) {
                Ok(()) => break,
                Err(journal::Error::Fenced(versions)) => {
                    let before = settle.rulings.len();
                    settle.rulings.retain(|ruling| !versions.contains(&ruling.to.version));
                    if settle.rulings.len() == before {
                        return Err(journal::Error::Fenced(versions).into());
                    }
                    for id in versions {
                        fenced.extend(self.journal.version(id)?);
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
        self.emit_all(settle.rulings.into_iter().filter_map(|ruling| ruling.item));
        Ok(fenced)
    }

    pub(super) fn emit_all(&mut self, items: impl IntoIterator<Item = Item>) {
        for item in items {
            emit(item, self.summary, self.observer);
        }
    }
}

/// Counts and tells how a document ended.
pub(super) fn emit(item: Item, summary: &mut Summary, observer: &mut dyn Observer) {
    if item.outcome.needs_attention() {
        tracing::info!(number = item.number, outcome = item.outcome.word(), "settled");
    } else {
        tracing::debug!(number = item.number, outcome = item.outcome.word(), "settled");
    }
    summary.count(&item);
    observer.item(item);
}

fn accepted(known: &[Version]) -> Option<VersionId> {
    known.iter().find(|version| version.standing.state == State::Accepted).map(|version| version.id)
}
