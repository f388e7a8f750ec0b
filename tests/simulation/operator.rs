//! The person who looks at the vendor what became of documents in doubt, once they have rested, and who tries again what was
//! rejected.

use payables_bridge::engine::record::{Move, Ruling, Version};
use payables_bridge::engine::state::{Event, Rules, State, step};
use payables_bridge::journal::{Act, Journal, Memory};
use payables_bridge::model::{Fault, Path};

use super::journal::Store;
use super::ledger::{Effect, Word};
use super::world::{Shared, World};

/// Resolves what is in doubt, has rested, and is not about to be replaced by something newer.
pub(super) fn resolve(store: &Store, world: &Shared, is_once: bool) {
    let mut world = world.lock();
    world.catch_up();
    store.with(|memory| {
        for (scope, _) in memory.scopes().unwrap() {
            for version in memory.list(scope, State::InDoubt, 0, 1000).unwrap() {
                let (known, _) = memory.known(scope, &version.key).unwrap();
                let is_waiting = |state| matches!(state, State::Received | State::Ready);
                if !known.iter().any(|other| other.revision > version.revision && is_waiting(other.standing.state)) {
                    look_after(memory, &mut world, &version, is_once);
                }
            }
        }
    });
}

/// Lets what was rejected go once more.
pub(super) fn retry(store: &Store, world: &Shared) {
    let mut world = world.lock();
    let now = world.now() + world.skew;
    store.with(|memory| {
        for (scope, _) in memory.scopes().unwrap() {
            for version in memory.list(scope, State::Rejected, 0, 1000).unwrap() {
                let to = step(&version.standing, Event::Retry, now, Rules { repeatable: true, quarantine: 0 }).unwrap();
                world.tell(|| format!("operator: {} revision {} is tried again", version.key.number, version.revision));
                memory.rule(None, &[Ruling { to: Move::new(&version, to), superseded: None, item: None }], &[]).unwrap();
            }
        }
    });
}

fn look_after(memory: &mut Memory, world: &mut World, version: &Version, is_once: bool) {
    let now = world.now() + world.skew;
    if now < version.standing.rest_until {
        return;
    }
    let at = world.now();
    let number = &version.key.number;
    let of_it = |content| content == version.digest;
    let event = if is_once {
        // The network may have made two of one, and a person who sees that goes by the one that matters most.
        let seen: Vec<&Effect> =
            world.ledger.effects.iter().filter(|effect| effect.number == *number && of_it(effect.content)).collect();
        let is_open = |effect: &&&Effect| effect.word_at > at || effect.word == Word::Never;
        if seen.iter().any(|effect| effect.word == Word::Yes && effect.word_at <= at) {
            Event::Accept
        } else if let Some(open) = seen.iter().find(is_open) {
            Event::Submit { reference: open.reference.clone(), ask_after: 0 }
        } else if seen.is_empty() {
            Event::Absent
        } else {
            Event::Reject(Fault::error("TIP-VENDOR", Path::ROOT, "it was refused"))
        }
    } else if world.ledger.standing(number).next().is_some_and(|effect| of_it(effect.content)) {
        Event::Accept
    } else {
        Event::Absent
    };
    world.tell(|| format!("operator: {number} revision {}: {event:?}", version.revision));
    // Only what may be replayed may be replaced; the rest of the rules does not matter to a person.
    let Ok(to) = step(&version.standing, event, now, Rules { repeatable: !is_once, quarantine: 0 }) else { return };
    let act = Act {
        at: now,
        version: version.id,
        verb: "resolve".to_owned(),
        who: "operator".to_owned(),
        reason: "looked it up".to_owned(),
    };
    // Like the library's own desk: what was accepted before it is not what the vendor has any more.
    let scope = memory.find(number).unwrap().into_iter().find(|(_, other)| other.id == version.id).unwrap().0;
    let (known, _) = memory.known(scope, &version.key).unwrap();
    let older = known.iter().find(|other| other.standing.state == State::Accepted && other.id != version.id);
    let superseded = older.map(|older| older.id).filter(|_| to.state == State::Accepted);
    memory.rule(None, &[Ruling { to: Move::new(version, to), superseded, item: None }], &[act]).unwrap();
}
