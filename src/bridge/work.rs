//! A run from its beginning to its end: recover, read, store, send, ask, and note the end.

use std::collections::BTreeSet;
use std::sync::Arc;

use tracing::Instrument as _;

use super::ask::{Ask, tell_the_rest};
use super::build::{Bridge, Lease};
use super::drive::Drive;
use super::import::import;
use super::items::Work;
use super::recover::recover;
use super::survey::survey;
use super::{Error, Observer};
use crate::engine::follow::{self, Follow};
use crate::engine::record::{Move, Ruling, RunId, ScopeId, Version};
use crate::engine::run::{Engine, Policy};
use crate::engine::state::{Event, State, step};
use crate::intake::Input;
use crate::journal::{Journal, NewRun};
use crate::model::Kind;
use crate::outcome::Outcome;
use crate::report::Summary;

/// Versions that are looked at together.
const PAGE: usize = 500;
/// So many calls in a row in doubt close the target to new ones; fewer where each costs a person's time.
const DOUBTS_IN_A_ROW: (u32, u32) = (5, 3);
/// The most questions that one document is asked, whatever a schedule says.
const MOST_QUESTIONS: u32 = 100;

impl Bridge {
    pub(super) async fn work(&self, work: Work<'_>, name: &str, observer: &mut dyn Observer) -> Result<Summary, Error> {
        let span = tracing::error_span!("run", run = name, target = self.settings.target);
        self.work_in(work, name, observer).instrument(span).await
    }

    async fn work_in(&self, work: Work<'_>, name: &str, observer: &mut dyn Observer) -> Result<Summary, Error> {
        tracing::info!("the run begins");
        let mut lease = Lease::take(&self.journal)?;
        let journal = lease.journal();
        let scope = journal.scope(&self.line.submit.scope())?;
        let mut summary = Summary::default();
        if let Work::Plan(inputs) = work {
            self.plan_with(journal, scope, inputs, &mut summary, observer)?;
            return Ok(summary);
        }
        let inputs = match &work {
            Work::Submit(inputs) => inputs.iter().map(|input| input.name.to_string()).collect(),
            _ => Vec::new(),
        };
        let at = (self.line.clock)();
        let target = self.settings.target.clone();
        let run = journal.begin(&NewRun { name: name.to_owned(), scope, target, at, inputs })?;
        recover(&self.line, (&mut *journal, scope, run), self.rules(), at, &mut summary)?;
        match work {
            Work::Submit(inputs) => self.send(journal, (scope, run), inputs, &mut summary, observer).await?,
            Work::Retry(failed) => {
                if self.reopen(journal, scope, failed.as_deref())? == 0 {
                    summary.note(
                        "nothing that was rejected is tried again: none of it is, by now, or it is not of that run".to_owned(),
                    );
                }
                self.tell_of_others(journal, scope, &mut summary);
                self.go(journal, (scope, run, false), &mut summary, observer).await?;
            }
            Work::FollowUp => self.follow(journal, (scope, run), true, &mut summary, observer).await?,
            Work::Plan(_) => {}
        }
        let text = serde_json::to_string(&summary).unwrap_or_default();
        journal.end(run, (self.line.clock)(), &text)?;
        tracing::info!(documents = summary.documents, requests = summary.requests, "the run ends");
        Ok(summary)
    }

    /// Says what would be done.
    fn plan_with(
        &self,
        journal: &mut dyn Journal,
        scope: ScopeId,
        inputs: Vec<Input<'_>>,
        summary: &mut Summary,
        observer: &mut dyn Observer,
    ) -> Result<(), Error> {
        let submit = (&*self.line.submit, self.line.unix_seconds());
        let mut survey = survey(submit, &self.guards, self.rules(), (journal, scope), inputs, summary)?;
        while let Some(entry) = survey.next()? {
            super::wait_for_room(observer);
            summary.count(&entry.item);
            observer.item(entry.item);
        }
        Ok(())
    }

    /// Reads, stores, sends, asks.
    async fn send(
        &self,
        journal: &mut dyn Journal,
        (scope, run): (ScopeId, RunId),
        inputs: Vec<Input<'_>>,
        summary: &mut Summary,
        observer: &mut dyn Observer,
    ) -> Result<(), Error> {
        let submit = (&*self.line.submit, self.line.unix_seconds());
        let survey = survey(submit, &self.guards, self.rules(), (&mut *journal, scope), inputs, summary)?;
        let is_blown = survey.fuse.is_some();
        let clock = || (self.line.clock)();
        let going = import(survey, (&mut *journal, run), (self.rules(), &clock), summary, observer)?;
        self.tell_of_others(journal, scope, summary);
        observer.imported(going);
        if is_blown {
            return Ok(());
        }
        self.go(journal, (scope, run, true), summary, observer).await
    }

    /// Sends what may go, then asks for verdicts where they come later.
    async fn go(
        &self,
        journal: &mut dyn Journal,
        (scope, run, has_input): (ScopeId, RunId, bool),
        summary: &mut Summary,
        observer: &mut dyn Observer,
    ) -> Result<(), Error> {
        self.stopper.begin_to_send();
        let driven = self.drive(&mut *journal, (scope, run), summary, observer).await;
        let driven = driven.map(|left_over| {
            if left_over > 0 && has_input {
                summary.note(format!("documents of earlier runs that went along, besides those of this input: {left_over}"));
            }
        });
        match (self.line.submit.follow_up(), driven) {
            (Some(_), Ok(())) => self.follow(journal, (scope, run), false, summary, observer).await,
            (Some(_), Err(error)) => tell_the_rest((journal, scope, run), true, summary, observer).and(Err(error)),
            (None, driven) => driven,
        }
    }

    /// What earlier runs left that this one does not touch.
    fn tell_of_others(&self, journal: &mut dyn Journal, scope: ScopeId, summary: &mut Summary) {
        if let Err(error) = self.find_others(journal, scope, summary) {
            tracing::warn!(%error, "what earlier runs left cannot be told");
        }
    }

    fn find_others(&self, journal: &mut dyn Journal, scope: ScopeId, summary: &mut Summary) -> Result<(), Error> {
        if let Some(version) = journal.list(scope, State::Received, 0, 1)?.first() {
            let runs = journal.runs(PAGE)?;
            let run = runs.into_iter().find(|run| run.id == version.run);
            let (name, inputs) = run.map_or_else(Default::default, |run| (run.name, run.inputs.join(", ")));
            summary.note(format!(
                "run {name} broke off while its input ({inputs}) was being stored, and nothing of it was sent; give it the same \
                 input again"
            ));
        }
        if !self.line.submit.repeatable() {
            let doubtful = journal.list(scope, State::InDoubt, 0, PAGE)?.len();
            if doubtful > 0 {
                let count = if doubtful == PAGE { format!("{doubtful} or more") } else { doubtful.to_string() };
                summary.note(format!("{count} documents of earlier runs are in doubt; `payables status` lists them"));
            }
        }
        Ok(())
    }

    async fn drive(
        &self,
        journal: &mut dyn Journal,
        (scope, run): (ScopeId, RunId),
        summary: &mut Summary,
        observer: &mut dyn Observer,
    ) -> Result<u64, Error> {
        let engine = Engine::new(self.policy());
        Drive::new(Arc::clone(&self.line), (journal, scope, run), engine, summary, observer).finish(&self.stopper).await
    }

    fn policy(&self) -> Policy {
        let submit = &*self.line.submit;
        let follow_up = submit.follow_up();
        let repeatable = submit.repeatable();
        Policy {
            rules: self.rules(),
            batch_size: submit.batch_size(),
            concurrency: self.settings.concurrency,
            pace: self.settings.pace,
            replay_after: self.settings.replay_after,
            wait: self.settings.wait,
            doubts_in_a_row: if repeatable { DOUBTS_IN_A_ROW.0 } else { DOUBTS_IN_A_ROW.1 },
            deadline: self.settings.deadline,
            ask_after: follow_up.and_then(|follow_up| follow_up.schedule(0)).unwrap_or_default(),
            follows: follow_up.is_some(),
            seed: self.settings.seed.unwrap_or_else(|| fastrand::u64(..)),
        }
    }

    /// Asks for verdicts: all of them once, or those of this run for as long as it waits.
    async fn follow(
        &self,
        journal: &mut dyn Journal,
        (scope, run): (ScopeId, RunId),
        all: bool,
        summary: &mut Summary,
        observer: &mut dyn Observer,
    ) -> Result<(), Error> {
        let Some(follow_up) = self.line.submit.follow_up() else {
            summary.note(format!("{} gives its verdicts at once; there is nothing to ask for", self.settings.target));
            return Ok(());
        };
        let policy = follow::Policy {
            rules: self.rules(),
            schedule: (0..MOST_QUESTIONS).map_while(|asked| follow_up.schedule(asked)).collect(),
            presume_after: follow_up.presume_after(),
            concurrency: self.settings.concurrency,
            pace: self.settings.pace,
            patience: (!all).then_some(self.settings.wait),
            deadline: self.settings.deadline,
        };
        let (line, follow) = (Arc::clone(&self.line), Follow::new(policy));
        let (page, told) = ((State::Submitted, 0), &mut *summary);
        let (journal, observer) = (&mut *journal, &mut *observer);
        let mut ask = Ask { line, journal, scope, run, follow, summary: told, observer, page, all };
        let asked = ask.finish(&self.stopper).await;
        // Where all are asked, each is told when it was asked.
        let told = if all { Ok(()) } else { tell_the_rest((journal, scope, run), asked.is_err(), summary, observer) };
        asked.and(told)
    }

    /// What was rejected may go once more. Returns how many documents that is.
    fn reopen(&self, journal: &mut dyn Journal, scope: ScopeId, failed: Option<&str>) -> Result<usize, Error> {
        let failed = match failed {
            Some(name) => {
                let run = journal.run(name)?;
                let run = run.ok_or_else(|| Error::Unknown(format!("the journal knows no run {name}")))?.id;
                Some((run, rejected_in(journal, run)?))
            }
            None => None,
        };
        let is_of = |version: &Version| match &failed {
            None => true,
            // What stayed rejected in a run was brought by an earlier one.
            Some((run, told)) => *run == version.run || told.contains(&(version.key.kind, version.key.number.clone())),
        };
        let (mut after, mut reopened) = (0, 0);
        loop {
            let versions = journal.list(scope, State::Rejected, after, PAGE)?;
            let Some(last) = versions.last() else { return Ok(reopened) };
            after = last.id;
            let now = (self.line.clock)();
            let ours = versions.iter().filter(|version| is_of(version));
            let rulings = ours.filter_map(|version| {
                let to = step(&version.standing, Event::Retry, now, self.rules()).ok()?;
                Some(Ruling { to: Move::new(version, to), superseded: None, item: None })
            });
            let rulings: Vec<Ruling> = rulings.collect();
            reopened += rulings.len();
            if !rulings.is_empty() {
                journal.rule(None, &rulings, &[])?;
            }
        }
    }
}

/// The documents that a run told to be rejected.
fn rejected_in(journal: &mut dyn Journal, run: RunId) -> Result<BTreeSet<(Kind, String)>, Error> {
    let (mut all, mut after) = (BTreeSet::new(), 0);
    loop {
        let items = journal.items(run, after, PAGE)?;
        let Ok(count @ 1..) = u64::try_from(items.len()) else { return Ok(all) };
        after += count;
        let rejected = items.into_iter().filter(|item| item.outcome == Outcome::Rejected);
        all.extend(rejected.filter_map(|item| Some((item.kind?, item.number?))));
    }
}
