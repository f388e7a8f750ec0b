//! Reads all inputs before anything is sent.

use super::prepare::{Preparer, find_empty};
use super::seen::{Seen, Sighting};
use super::spool::{Drain, Spool};
use super::{Error, Observer};
use crate::adapter::{Payees, Submit};
use crate::intake::{Input, Records};
use crate::report::Summary;
use crate::rules::Levels;

/// The documents that are ready, and what is known of their numbers.
pub(super) struct Imported {
    pub(super) drain: Drain,
    pub(super) seen: Seen,
    /// Why nothing of it may be sent.
    pub(super) fuse: Option<String>,
}

/// What may stop a document, or all of them, before anything is sent.
#[derive(Debug, Clone, Default)]
pub(super) struct Guards {
    pub(super) payees: Payees,
    pub(super) levels: Levels,
    pub(super) allow_empty: bool,
}

/// Reads and prepares all documents: those that are ready are kept for sending, the others are reported at once.
pub(super) fn import<'r>(
    submit: &dyn Submit,
    guards: &Guards,
    mut inputs: Vec<Input<'r>>,
    summary: &mut Summary,
    observer: &mut dyn Observer,
) -> Result<Imported, Error> {
    let mut spool = Spool::new().map_err(Error::Spool)?;
    let mut seen = Seen::default();
    let mut preparer = Preparer::new(submit, &guards.payees, &guards.levels);
    let fuse = find_empty(&mut inputs, guards.allow_empty, summary)?;
    let mut ready = 0;
    for input in inputs {
        let mut records = Records::new(input.bytes);
        while let Some(record) = records.next().map_err(|source| Error::read(&input.name, source))? {
            let prepared = preparer.prepare(record, &input.name);
            let sighting = prepared.identity.map(|(key, digest)| (key, seen.note(key, digest) != Sighting::First));
            let (Some((key, repeated)), true) = (sighting, prepared.is_ready()) else {
                summary.count(&prepared.item);
                observer.item(prepared.item);
                continue;
            };
            spool.push(&prepared.item, &preparer.fragment.bytes, key, repeated).map_err(Error::Spool)?;
            ready += 1;
        }
    }
    preparer.conclude(summary);
    observer.imported(ready);
    Ok(Imported { drain: spool.read().map_err(Error::Spool)?, seen, fuse })
}
