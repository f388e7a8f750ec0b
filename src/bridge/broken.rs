//! What is told when a run breaks off because its journal fails: every document still comes out once.

use std::collections::VecDeque;

use super::drive::{Drive, emit};
use super::survey::Survey;
use super::{Error, Observer, wait_for_room};
use crate::engine::record::VersionId;
use crate::engine::run::{Action, Event};
use crate::engine::settle::{ended, not_sent};
use crate::engine::state::State;
use crate::model::{Fault, Path};
use crate::outcome::{Exit, Outcome};
use crate::report::{Item, Summary};

/// Documents whose input could not be stored are not sent. Of the first `stored` ones, those that end without being sent
/// have been told.
pub(super) fn tell_unsent(survey: &mut Survey, stored: u64, error: &Error, summary: &mut Summary, observer: &mut dyn Observer) {
    let why = Fault::error(
        "DOC-NOT-SENT",
        Path::ROOT,
        format!("not sent: the input could not be stored, because {}; give the same input again", brief(error)),
    );
    summary.note("the input could not be stored, so nothing of it is sent; give the same input again".to_owned());
    if survey.rewind().is_err() {
        return;
    }
    let mut place = 0;
    while let Ok(Some(mut entry)) = survey.next() {
        place += 1;
        if entry.goes() {
            entry.item.outcome = Outcome::NotSent;
            entry.item.faults.push(why.clone());
        } else if place <= stored {
            continue;
        }
        wait_for_room(observer);
        emit(entry.item, summary, observer);
    }
}

/// What broke, for each of many documents; all of it stands once in the notes of the run.
fn brief(error: &Error) -> String {
    match error {
        Error::Journal(_) => "the journal failed".to_owned(),
        other => other.to_string(),
    }
}

impl Drive<'_> {
    /// Tells of documents that have not come to their end: what is on its way may have been received, and what waits is
    /// left. For those that were not even taken, the journal is asked, as far as it can still be read.
    pub(super) fn tell_broken(&mut self, error: &Error) {
        let mut events = VecDeque::from([Event::Stop(Exit::Unexpected, brief(error)), Event::Crowded(false)]);
        while let Some(action) = self.undone.pop_front() {
            events.extend(self.perform_broken(action));
        }
        events.extend(std::mem::take(&mut self.events));
        loop {
            while let Some(event) = events.pop_front() {
                // What has not been judged is not judged any more, since it could not be stored.
                if !matches!(event, Event::Returned { .. }) {
                    for action in self.engine.on(self.line.now(), event) {
                        events.extend(self.perform_broken(action));
                    }
                }
            }
            let on_its_way = self.engine.abandon(&self.unsent);
            if on_its_way.is_empty() {
                return;
            }
            for (id, item) in on_its_way {
                self.tell_as_it_stands(id, item);
            }
            events.push_back(Event::Tick);
        }
    }

    fn perform_broken(&mut self, action: Action) -> Option<Event> {
        match action {
            Action::Take(most) => {
                let taken = self.take(most).unwrap_or_else(|_| {
                    let note = "the journal cannot be read any more; documents that are not listed stand in it and were not sent";
                    self.summary.note(note.to_owned());
                    (Vec::new(), true)
                });
                return Some(Event::Taken { candidates: taken.0, last: taken.1 });
            }
            Action::Report(items) => self.tell_all(items),
            Action::Rule(ruling) => self.tell_all(ruling.item),
            Action::Note(note) => self.summary.note(note),
            // Nothing is begun in a run that was stopped, and what was made of a call cannot be stored.
            Action::Send { call, .. } => _ = self.unsent.insert(call),
            Action::Settle { .. } | Action::Renew => {}
        }
        None
    }

    /// Tells of a document whose call came back or did not. What was made of it may be stored although the journal failed.
    fn tell_as_it_stands(&mut self, id: VersionId, item: Item) {
        let stands = self.journal.version(id).ok().flatten();
        match stands.filter(|version| version.run == self.run) {
            // Whoever asks for verdicts tells of it.
            Some(version) if matches!(version.standing.state, State::Submitted | State::Presumed) => {}
            Some(version) if matches!(version.standing.state, State::Accepted | State::Rejected) => {
                self.tell_all([ended(&version, &version.standing, &not_sent(""))]);
            }
            _ => self.tell_all([item]),
        }
    }

    fn tell_all(&mut self, items: impl IntoIterator<Item = Item>) {
        for item in items {
            wait_for_room(self.observer);
            emit(item, self.summary, self.observer);
        }
    }
}
