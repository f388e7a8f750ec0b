//! Stores what a survey found, in parts, and reports what has come to its end already.

use super::spool::{Entry, Role};
use super::survey::Survey;
use super::{Error, Observer, broken};
use crate::engine::record::{Move, RunId, Version, VersionId};
use crate::engine::state::{Event, Millis, Rules, Standing, State, step};
use crate::journal::{Import, Journal, NewVersion};
use crate::model::{Fault, Path};
use crate::outcome::Outcome;
use crate::report::{Item, Summary};

/// The most documents in one commit.
const PART: u64 = 1000;

/// Stores all documents of a run. What is new is received; it becomes ready when all of it is stored. Returns how many
/// documents are going to be sent.
pub(super) fn import(
    mut survey: Survey,
    (journal, run): (&mut dyn Journal, RunId),
    (rules, now): (Rules, &dyn Fn() -> Millis),
    summary: &mut Summary,
    observer: &mut dyn Observer,
) -> Result<u64, Error> {
    let mut stored = 0;
    let imported = store(&mut survey, (journal, run), (rules, now), summary, observer, &mut stored);
    if let Err(error) = &imported {
        broken::tell_unsent(&mut survey, stored, error, summary, observer);
    }
    imported
}

/// Stores them; `stored` counts those whose part is stored and whose ends are told.
fn store(
    survey: &mut Survey,
    (journal, run): (&mut dyn Journal, RunId),
    (rules, now): (Rules, &dyn Fn() -> Millis),
    summary: &mut Summary,
    observer: &mut dyn Observer,
    stored: &mut u64,
) -> Result<u64, Error> {
    let (mut part, mut over, mut going, mut size) = (Import::default(), Vec::new(), 0, 0);
    loop {
        let entry = survey.next()?;
        let is_last = entry.is_none();
        if let Some(entry) = entry {
            size += 1;
            going += u64::from(entry.goes());
            add(entry, &mut part, &mut over, journal, rules, now())?;
        }
        if size >= PART || is_last {
            part.items = over.iter().filter(|item: &&Item| item.outcome != Outcome::Unchanged).cloned().collect();
            if !(part.items.is_empty() && part.moves.is_empty() && part.new.is_empty()) {
                journal.import(run, &part)?;
            }
            for item in over.drain(..) {
                super::wait_for_room(observer);
                summary.count(&item);
                observer.item(item);
            }
            *stored += size;
            (part, size) = (Import::default(), 0);
        }
        if is_last {
            break;
        }
    }
    journal.promote(run, now())?;
    Ok(going)
}

/// Adds what a document means to a part.
fn add(
    entry: Entry,
    part: &mut Import,
    over: &mut Vec<Item>,
    journal: &mut dyn Journal,
    rules: Rules,
    now: Millis,
) -> Result<(), Error> {
    let held_by = || {
        let why = || Fault::error("DOC-DUPLICATE", Path::ROOT, "its number came again, with different contents");
        entry.item.faults.iter().rfind(|fault| fault.is_error()).cloned().unwrap_or_else(why)
    };
    let mut change = |id: VersionId, event: Event, item: Option<&Item>, journal: &mut dyn Journal| -> Result<(), Error> {
        // Of documents that contradict each other, the first has spoken for what waits.
        if part.moves.iter().any(|(change, _)| change.version == id) {
            return Ok(());
        }
        let Some(version) = journal.version(id)? else { return Ok(()) };
        let Some(to) = next(&version, event, rules, now) else { return Ok(()) };
        part.moves.push((Move::new(&version, to), item.cloned()));
        Ok(())
    };
    for id in &entry.replaced {
        change(*id, Event::Supersede, None, journal)?;
    }
    match entry.role {
        Role::Over => over.push(entry.item),
        Role::Contested => {
            for id in &entry.waiting {
                // Somebody wants something else under its number, and it is not known what.
                change(*id, Event::Supersede, None, journal)?;
            }
            over.push(entry.item);
        }
        Role::Hold(id) => {
            change(id, Event::Hold(held_by()), Some(&entry.item), journal)?;
            over.push(entry.item);
        }
        Role::Carry(id) => change(id, Event::Plan, Some(&entry.item), journal)?,
        Role::New { revision, not_before } => {
            let Some(key) = entry.key.clone() else { return Ok(()) };
            let mut standing = Standing { not_before, ..Standing::received(now) };
            if entry.item.outcome == Outcome::Held {
                standing.state = State::Held;
                standing.fault = Some(held_by());
                over.push(entry.item.clone());
            }
            let Entry { item, payee, digest, memo, payload, .. } = entry;
            part.new.push(NewVersion { key, revision, digest, memo, payee, item, standing, payload });
        }
    }
    Ok(())
}

/// How a version stands after what its document's coming in means for it; where it goes as it is, it stays as it is.
fn next(version: &Version, event: Event, rules: Rules, now: Millis) -> Option<Standing> {
    let from = &version.standing;
    let event = match (from.state, event) {
        (State::Received | State::Ready | State::InDoubt, Event::Plan) => return Some(from.clone()),
        (State::Rejected, Event::Plan) => Event::Retry,
        (_, event) => event,
    };
    step(from, event, now, rules).ok()
}
