//! Asks for verdicts that come later: does what [`Follow`] says, and tells it what happened.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::drive::emit;
use super::line::{Line, SEND_BUDGET};
use super::session::NoToken;
use super::stopper::Stopper;
use super::{Error, Observer, wait_for_room};
use crate::adapter::{FollowUp, News, Stamp};
use crate::engine::follow::{Action, Event, Follow};
use crate::engine::record::{RunId, ScopeId, VersionId};
use crate::engine::settle::ended;
use crate::engine::state::{Millis, State};
use crate::journal::{self, Journal};
use crate::model::{Fault, Path};
use crate::outcome::Exit;
use crate::report::Summary;
use crate::transport::Permit;
use crate::wire::SendError;

/// Documents that are looked at together.
const PAGE: usize = 500;

/// A question that came back.
struct Back {
    version: VersionId,
    news: Result<News, SendError>,
    /// How fast the next ones may go.
    interval: Option<Duration>,
    /// Whether there was a token to ask it with.
    asked: bool,
}

/// Questions with everything they need.
pub(super) struct Ask<'a> {
    pub(super) line: Arc<Line>,
    pub(super) journal: &'a mut dyn Journal,
    pub(super) scope: ScopeId,
    pub(super) run: RunId,
    pub(super) follow: Follow,
    pub(super) summary: &'a mut Summary,
    pub(super) observer: &'a mut dyn Observer,
    /// The last document that was looked at, of those submitted and then of those presumed.
    pub(super) page: (State, VersionId),
    /// Whether every document that waits is asked about, or only those of this run, when they are due.
    pub(super) all: bool,
}

impl Ask<'_> {
    /// Asks until nothing is left to ask, or the patience ends.
    pub(super) async fn finish(&mut self, stopper: &Stopper) -> Result<(), Error> {
        let mut in_flight: JoinSet<Back> = JoinSet::new();
        let mut events = vec![Event::Tick];
        let mut told_to_stop = false;
        loop {
            if stopper.is_stopped() && !told_to_stop {
                told_to_stop = true;
                events.push(Event::Stop(Exit::Temporary, "the run was interrupted".to_owned()));
            }
            while !events.is_empty() {
                let event = events.remove(0);
                for action in self.follow.on(self.line.now(), event) {
                    match action {
                        Action::Take { due, most } => events.push(self.take(due, most)?),
                        Action::Ask { version, reference } => self.ask(&mut in_flight, version, reference),
                        Action::Rule(ruling) => {
                            match self.journal.rule(Some(self.run), std::slice::from_ref(&ruling), &[]) {
                                Ok(()) | Err(journal::Error::Fenced(_)) => {}
                                Err(error) => {
                                    // It may be stored nevertheless, and then nobody else tells of it.
                                    let stands = self.journal.version(ruling.to.version).ok().flatten();
                                    let is_over = stands.is_some_and(|version| version.standing.state.is_over());
                                    for item in ruling.item.into_iter().filter(|_| is_over) {
                                        emit(item, self.summary, self.observer);
                                    }
                                    return Err(error.into());
                                }
                            }
                            if let Some(item) = ruling.item {
                                // What is on its way is only questions, and they can be asked again.
                                wait_for_room(self.observer);
                                emit(item, self.summary, self.observer);
                            }
                        }
                        Action::Renew => self.line.session.forget(),
                        Action::Note(note) => self.summary.note(note),
                    }
                }
            }
            if self.follow.is_over(self.line.now()) {
                break;
            }
            let wake = self.follow.wake_at(self.line.now()).map(|tick| self.line.instant(tick));
            tokio::select! {
                biased;
                Some(back) = in_flight.join_next(), if !in_flight.is_empty() => {
                    let Back { version, news, interval, asked } =
                        back.map_err(|error| Error::Transport(format!("a question ended in a way that it cannot: {error}")))?;
                    self.summary.requests += u64::from(asked);
                    events.extend(interval.map(Event::Interval));
                    events.push(Event::Answered { version, news });
                }
                () = stopper.stopped(), if !told_to_stop => {}
                () = sleep_until(wake.unwrap_or_else(Instant::now)), if wake.is_some() => events.push(Event::Tick),
                else => break,
            }
        }
        if let Some((exit, why)) = self.follow.ended_early() {
            self.summary.end_with(*exit);
            self.summary.note(format!("stopped asking for verdicts: {why}"));
        } else if self.all && self.follow.was_in_vain() {
            // Who came to hear verdicts has heard none.
            self.summary.end_with(Exit::Temporary);
            self.summary.note("no question for a verdict brought a usable answer; ask again later".to_owned());
        }
        Ok(())
    }

    fn take(&mut self, due: Option<Millis>, most: usize) -> Result<Event, Error> {
        if let (Some(due), false) = (due, self.all) {
            let versions = self.journal.due(self.scope, Some(self.run), due, most)?;
            let next = self.journal.due(self.scope, Some(self.run), Millis::MAX, 1)?;
            let next = next.first().map(|version| version.standing.ask_at);
            return Ok(Event::Taken { versions, next });
        }
        let (state, after) = self.page;
        let mut versions = self.journal.list(self.scope, state, after, most)?;
        let is_last = versions.len() < most;
        self.page = match versions.last() {
            _ if is_last && state == State::Submitted => (State::Presumed, 0),
            Some(last) => (state, last.id),
            None => self.page,
        };
        // Whatever has just been presumed was asked about a moment ago, and one that was silent to the end of its schedule
        // is not asked about any more.
        let began = self.follow.began_on();
        versions
            .retain(|version| state == State::Submitted || (version.standing.changed_at < began && version.standing.ask_at > 0));
        Ok(Event::Taken { versions, next: (!is_last || state == State::Submitted).then_some(0) })
    }

    fn ask(&self, in_flight: &mut JoinSet<Back>, version: VersionId, reference: String) {
        let line = Arc::clone(&self.line);
        in_flight.spawn(async move {
            let unasked = |news| Back { version, news, interval: None, asked: false };
            let Some(follow_up) = line.submit.follow_up() else {
                return unasked(Err(SendError::NotSent("nothing can be asked there".to_owned())));
            };
            let signer = match line.log_in().await {
                Ok(signer) => signer,
                Err(NoToken::Refused(fault)) => return unasked(Ok(News::Stop(fault))),
                Err(NoToken::Down(why)) => return unasked(Err(SendError::NotSent(why))),
            };
            let stamp = Stamp { unix_seconds: line.unix_seconds(), secret: Some(&signer) };
            let began = Instant::now();
            let permit = Permit::new(move || began.elapsed() < SEND_BUDGET);
            let response = line.transport.send(follow_up.ask(&reference, &stamp), permit).await;
            let response = line.without_secrets(&stamp, response);
            let interval = response.as_ref().ok().and_then(|response| line.submit.interval(response));
            let news = response.map(|response| read(follow_up, &reference, &response));
            Back { version, news, interval, asked: true }
        });
    }
}

/// Tells how documents of a run stand that have no verdict yet, and stores that; of a run that is broken, it only tells.
pub(super) fn tell_the_rest(
    (journal, scope, run): (&mut dyn Journal, ScopeId, RunId),
    broken: bool,
    summary: &mut Summary,
    observer: &mut dyn Observer,
) -> Result<(), Error> {
    let mut reported = Ok(());
    for state in [State::Submitted, State::Presumed] {
        let mut after = 0;
        loop {
            let versions = journal.list(scope, state, after, PAGE)?;
            let Some(last) = versions.last() else { break };
            after = last.id;
            let ours = versions.into_iter().filter(|version| version.run == run);
            let why = Fault::error("DOC-NOT-SENT", Path::ROOT, "");
            let items: Vec<_> = ours.map(|version| ended(&version, &version.standing, &why)).collect();
            if !items.is_empty() && !broken && reported.is_ok() {
                reported = journal.report(run, &items);
            }
            for item in items {
                wait_for_room(observer);
                emit(item, summary, observer);
            }
        }
    }
    Ok(reported?)
}

fn read(follow_up: &dyn FollowUp, reference: &str, response: &crate::wire::WireResponse) -> News {
    let decode = std::panic::AssertUnwindSafe(|| follow_up.decode(reference, response));
    std::panic::catch_unwind(decode).unwrap_or_else(|_| News::Unclear("its answer could not be read".into()))
}
