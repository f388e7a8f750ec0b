//! The run: reads everything, sends it call by call, and settles every document.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::import::{Guards, Imported, import};
use super::prepare::{hold_by_fuse, hold_contradiction};
use super::settle::{Again, Fate, History, Rules, left, settle};
use super::spool::Ready;
use super::{Error, Observer, Stopper};
use crate::adapter::{Decoded, Stamp};
use crate::intake::Input;
use crate::model::{Fault, Path};
use crate::outcome::{Exit, Outcome};
use crate::report::{Item, Summary};
use crate::transport::{Pace, Transport};
use crate::vendors::Vendor;
use crate::wire::{Secret, SendError};

/// After so many calls in a row that ended in doubt, nothing new is sent: whatever it is, it is not one document.
const MOST_DOUBTS_IN_A_ROW: u32 = 5;

/// What a run needs besides its inputs; made by [`Bridge::builder`](super::Bridge::builder).
pub(super) struct Line {
    pub(super) vendor: Vendor,
    pub(super) secret: Secret,
    pub(super) transport: Arc<dyn Transport>,
    pub(super) clock: Arc<dyn Fn() -> u64 + Send + Sync>,
    pub(super) pace: Pace,
}

/// The settings of a run.
#[derive(Debug, Clone)]
pub(super) struct Limits {
    pub(super) concurrency: usize,
    pub(super) replay_after: Duration,
}

/// After so many orders that were refused one by one, with nothing accepted between them, nothing new is sent: bisecting
/// finds one guilty order among many, and here there are none but guilty ones.
const MOST_REFUSED_IN_A_ROW: u32 = 100;

/// Longer than any call takes.
const A_LONG_TIME: Duration = Duration::from_secs(86_400);

/// A call on its way, or waiting for it.
struct Call {
    documents: Vec<Ready>,
    history: History,
}

/// A run in progress.
pub(super) struct Running<'r> {
    line: Arc<Line>,
    limits: Limits,
    imported: Imported,
    summary: Summary,
    observer: &'r mut dyn Observer,
    /// Calls that may go at once.
    queue: VecDeque<Call>,
    /// Calls that go later.
    later: Vec<(Instant, Call)>,
    /// Nothing goes until then: the vendor asked for a pause, or the line is down.
    paused_until: Option<Instant>,
    /// How many pauses there were since the vendor last gave its word; while there are any, one call goes at a time.
    pauses: u32,
    /// How many orders in a row were refused alone, with nothing accepted between them.
    refused_in_a_row: u32,
    in_flight: JoinSet<(Call, Result<Decoded, SendError>)>,
    /// Tells calls that wait for their turn that there is none any more.
    halted: Arc<AtomicBool>,
    doubts_in_a_row: u32,
    /// Why nothing new is begun.
    closed: Option<String>,
    /// Why nothing at all is sent any more.
    stopped: Option<(Exit, String)>,
    /// How many documents were left because of either.
    left: u64,
}

/// Reads, sends and settles.
pub(super) async fn run<'r>(
    line: Arc<Line>,
    guards: &Guards,
    limits: Limits,
    stopper: &Stopper,
    inputs: Vec<Input<'r>>,
    observer: &mut dyn Observer,
) -> Result<Summary, Error> {
    let mut summary = Summary::default();
    let imported = import(line.vendor.submit(), guards, inputs, &mut summary, observer)?;
    let running = Running {
        line,
        limits,
        imported,
        summary,
        observer,
        queue: VecDeque::new(),
        later: Vec::new(),
        paused_until: None,
        pauses: 0,
        refused_in_a_row: 0,
        in_flight: JoinSet::new(),
        halted: Arc::default(),
        left: 0,
        doubts_in_a_row: 0,
        closed: None,
        stopped: None,
    };
    running.finish(stopper).await
}

impl Running<'_> {
    async fn finish(mut self, stopper: &Stopper) -> Result<Summary, Error> {
        if let Some(why) = self.imported.fuse.clone() {
            self.hold_everything(&why);
            return Ok(self.summary);
        }
        loop {
            if stopper.is_stopped() {
                self.halted.store(true, Ordering::SeqCst);
                self.stopped.get_or_insert_with(|| (Exit::Temporary, "the run was interrupted".to_owned()));
            }
            while self.has_room() {
                let Some(call) = self.next_call() else { break };
                self.send(call);
            }
            let Some(due) = self.next_due() else { break };
            let has_room = self.has_room();
            tokio::select! {
                Some(joined) = self.in_flight.join_next(), if !self.in_flight.is_empty() => match joined {
                    Ok((call, result)) => self.settle(call, result),
                    Err(error) => return Err(Error::Transport(format!("a call ended in a way that it cannot: {error}"))),
                },
                () = sleep_until(due), if has_room => {}
                () = stopper.stopped(), if self.stopped.is_none() => {}
            }
        }
        self.leave_the_rest();
        tracing::info!(documents = self.summary.documents, requests = self.summary.requests, "the run ends");
        Ok(self.summary)
    }

    fn has_room(&self) -> bool {
        let most = if self.pauses > 0 { 1 } else { self.limits.concurrency };
        self.in_flight.len() < most
    }

    /// When to look again for something to send; far away while there are only replies to wait for, and `None` when there
    /// is nothing to wait for at all.
    fn next_due(&self) -> Option<Instant> {
        let first = self.later.iter().map(|(due, _)| *due).min();
        // A pause holds back what is due, what is queued and what is new.
        let due = first.max(self.paused_until);
        due.or((!self.in_flight.is_empty()).then(|| Instant::now() + A_LONG_TIME))
    }

    /// The next call that may go now.
    fn next_call(&mut self) -> Option<Call> {
        if self.stopped.is_some() {
            self.paused_until = None;
            let waiting = self.queue.drain(..).chain(self.later.drain(..).map(|(_, call)| call));
            for call in waiting.collect::<Vec<_>>() {
                self.leave(call);
            }
            return None;
        }
        let now = Instant::now();
        if self.paused_until.is_some_and(|until| until > now) {
            return None;
        }
        self.paused_until = None;
        if let Some(call) = self.queue.pop_front() {
            return Some(call);
        }
        if let Some(place) = self.later.iter().position(|(due, _)| *due <= now) {
            return Some(self.later.swap_remove(place).1);
        }
        if self.closed.is_some() {
            return None;
        }
        let size = self.line.vendor.submit().batch_size();
        let mut documents = Vec::new();
        while documents.len() < size {
            match self.next_ready() {
                Some(ready) => documents.push(ready),
                None => break,
            }
        }
        (!documents.is_empty()).then(|| Call { documents, history: History::default() })
    }

    /// The next document that goes; those that stand in the run twice are settled on the way.
    fn next_ready(&mut self) -> Option<Ready> {
        while let Some(mut ready) = self.draw() {
            if self.imported.seen.is_contradictory(ready.key) {
                hold_contradiction(&mut ready.item);
                self.emit(ready.item);
            } else if ready.repeated {
                ready.item.outcome = Outcome::Unchanged;
                self.emit(ready.item);
            } else {
                return Some(ready);
            }
        }
        None
    }

    /// The next document of the spool. When the disk fails, what is on its way is still settled and reported.
    fn draw(&mut self) -> Option<Ready> {
        let left = self.imported.drain.left();
        self.imported.drain.next().unwrap_or_else(|error| {
            let why = format!("{left} documents cannot be read back from the temporary file ({error}); none of them was sent");
            self.summary.note(why.clone());
            self.stopped = Some((Exit::Unexpected, why));
            None
        })
    }

    fn send(&mut self, call: Call) {
        let (line, halted) = (Arc::clone(&self.line), Arc::clone(&self.halted));
        self.in_flight.spawn(async move {
            line.pace.wait().await;
            if halted.load(Ordering::SeqCst) {
                return (call, Err(SendError::NotSent("the run was stopped".to_owned())));
            }
            let submit = line.vendor.submit();
            // The time is taken as late as possible: a key is good for a moment only.
            let stamp = Stamp { unix_seconds: (line.clock)(), secret: Some(&line.secret) };
            let size = call.documents.iter().map(|ready| ready.fragment.len()).sum::<usize>();
            let mut body = Vec::with_capacity(size + 1024);
            submit.assemble(&mut call.documents.iter().map(|ready| ready.fragment.as_slice()), &stamp, &mut body);
            let result = line.transport.send(submit.request(body)).await;
            let numbers: Vec<&str> = call.documents.iter().filter_map(|ready| ready.item.number.as_deref()).collect();
            let result = result.map(|response| submit.decode(&numbers, &response));
            (call, result)
        });
    }

    fn settle(&mut self, mut call: Call, result: Result<Decoded, SendError>) {
        // Pauses are counted for the target: eight calls that are asked for one together have been asked once, and those
        // that were on their way when it began belong to it.
        let in_pause = self.paused_until.is_some_and(|until| until > Instant::now());
        call.history.pauses = self.pauses.saturating_sub(u32::from(in_pause));
        if !matches!(result, Err(SendError::NotSent(_))) {
            self.summary.requests += 1;
        }
        let rules = Rules { repeatable: self.line.vendor.submit().repeatable(), replay_after: self.limits.replay_after };
        let count = call.documents.len();
        let settlement = settle(count, &call.history, result, rules);
        for note in settlement.notes {
            tracing::warn!(note, first = call.documents.first().and_then(|ready| ready.item.number.as_deref()), "reply");
            self.summary.note(note);
        }
        let first = call.documents.first().and_then(|ready| ready.item.number.clone());
        tracing::info!(documents = count, first, silent = settlement.silent, "a call has come back");
        let (mut again, mut split) = (Vec::new(), Vec::new());
        for (ready, fate) in call.documents.into_iter().zip(settlement.fates) {
            match fate {
                Fate::Settled(outcome, fault) => self.end(ready, outcome, fault),
                Fate::Again => again.push(ready),
                Fate::Split => split.push(ready),
            }
        }
        if !split.is_empty() {
            tracing::info!(documents = split.len(), "the call was refused as a whole; splitting it");
            let second = split.split_off(split.len() / 2);
            for documents in [second, split] {
                self.queue.push_front(Call { documents, history: call.history.clone() });
            }
        }
        if settlement.silent {
            self.doubts_in_a_row += 1;
        } else if settlement.answered {
            // It speaks again, so there is no reason left to hold anything back.
            self.doubts_in_a_row = 0;
            self.pauses = 0;
            self.closed = None;
        }
        if settlement.refused_alone {
            self.refused_in_a_row += 1;
        } else if settlement.answered {
            self.refused_in_a_row = 0;
        }
        if self.refused_in_a_row >= MOST_REFUSED_IN_A_ROW && self.closed.is_none() {
            self.closed =
                Some(format!("{MOST_REFUSED_IN_A_ROW} orders in a row were refused, each alone; the cause is not in the orders"));
        }
        if self.doubts_in_a_row >= MOST_DOUBTS_IN_A_ROW && self.closed.is_none() {
            self.closed = Some(format!("{MOST_DOUBTS_IN_A_ROW} calls in a row ended in doubt"));
        }
        if let (Some(Again { after, history }), false) = (settlement.again, again.is_empty()) {
            // A pause is for the target, and so is a line that is down.
            if history.pauses > call.history.pauses || history.tries > call.history.tries {
                self.pauses += u32::from(!in_pause);
                self.paused_until = self.paused_until.max(Some(Instant::now() + after));
            }
            let first = again.first().and_then(|ready| ready.item.number.as_deref());
            let doubt = history.doubt.as_ref().map(|doubt| doubt.why.as_str());
            tracing::warn!(documents = again.len(), first, after_s = after.as_secs(), doubt, "a call goes again");
            self.later.push((Instant::now() + after, Call { documents: again, history }));
        }
        if let Some(stop) = settlement.stop {
            tracing::error!(reason = stop.1, "the target is stopped");
            self.halted.store(true, Ordering::SeqCst);
            self.stopped.get_or_insert(stop);
        }
    }

    /// A document's end.
    fn end(&mut self, ready: Ready, outcome: Outcome, fault: Option<Box<Fault>>) {
        let mut item = ready.item;
        item.outcome = outcome;
        if let Some(mut fault) = fault {
            fault.source.clone_from(&item.source);
            item.faults.push(*fault);
        }
        self.emit(item);
    }

    fn emit(&mut self, item: Item) {
        if item.outcome.needs_attention() {
            tracing::info!(number = item.number, outcome = item.outcome.word(), "settled");
        } else {
            tracing::debug!(number = item.number, outcome = item.outcome.word(), "settled");
        }
        self.summary.count(&item);
        self.observer.item(item);
    }

    /// A call that will not be made any more.
    fn leave(&mut self, call: Call) {
        for ready in call.documents {
            let fault = self.not_sent();
            if let Fate::Settled(outcome, fault) = left(&call.history, fault) {
                self.left += 1;
                self.end(ready, outcome, fault);
            }
        }
    }

    fn not_sent(&self) -> Fault {
        let (exit, why) = match (&self.stopped, &self.closed) {
            (Some((exit, why)), _) => (*exit, why.as_str()),
            (None, Some(why)) => (Exit::Temporary, why.as_str()),
            (None, None) => (Exit::Temporary, "the run ended"),
        };
        let then = if exit == Exit::Refused { "mend that, and the next run sends it" } else { "the next run sends it" };
        Fault::error("DOC-NOT-SENT", Path::ROOT, format!("not sent: {why}; {then}"))
    }

    /// What was not even begun.
    fn leave_the_rest(&mut self) {
        if self.stopped.is_none() && self.closed.is_none() {
            return;
        }
        while let Some(ready) = self.next_ready() {
            let fault = self.not_sent();
            self.left += 1;
            self.end(ready, Outcome::NotSent, Some(Box::new(fault)));
        }
        let (exit, why) = match (self.stopped.take(), self.closed.take()) {
            // A caller that is refused and a machine that fails are ends of their own, whatever is left.
            (Some((exit @ (Exit::Refused | Exit::Unexpected), why)), _) => (exit, why),
            (Some((exit, why)), _) if self.left > 0 => (exit, why),
            (None, Some(why)) if self.left > 0 => (Exit::Temporary, why),
            _ => return,
        };
        self.summary.end_with(exit);
        self.summary.note(format!("stopped early: {why}"));
    }

    fn hold_everything(&mut self, why: &str) {
        while let Some(ready) = self.draw() {
            let mut item = ready.item;
            hold_by_fuse(&mut item, why);
            self.emit(item);
        }
    }
}
