//! The dry run: documents in, wire documents out, one a line. It sends nothing and knows no credentials.

use std::io::{self, Write};
use std::sync::Arc;

use super::Error;
use super::prepare::{Preparer, find_empty, hold_by_fuse, hold_contradiction};
use super::seen::{Seen, Sighting};
use crate::adapter::{Context, Payees, Stamp, Submit};
use crate::intake::Input;
use crate::outcome::Outcome;
use crate::report::{Item, Summary};
use crate::rules::Levels;

/// Translates documents into the bodies that would be posted to a vendor that knows none of them.
///
/// ```
/// use payables_bridge::adapter::Payees;
/// use payables_bridge::bridge::Translator;
/// use payables_bridge::intake::Input;
/// use payables_bridge::vendors::tipalti::Tipalti;
///
/// let order = br#"{"kind": "purchase_order", "number": "PO-1", "issue_date": "2026-03-01", "currency": "EUR", "note": "Paper",
///     "lines": [{"id": "1", "item": {"buyers_id": "P-80", "external_id": "501"}, "quantity": 2, "price": "19.90",
///     "account": {"external_id": "6800"}}]}"#;
/// let mut bodies = Vec::new();
/// let target = Tipalti::default();
/// let summary = Translator::new(&target, &Payees::Any, 1_700_000_000)
///     .translate([Input::new("orders.json", &order[..])], &mut bodies, &mut |item| assert!(item.faults.is_empty()))
///     .unwrap();
/// assert_eq!(summary.documents, 1);
/// assert!(String::from_utf8(bodies).unwrap().contains("<Amount>39.80</Amount>"));
/// ```
pub struct Translator<'t> {
    submit: &'t dyn Submit,
    payees: &'t Payees,
    unix_seconds: u64,
    levels: Levels,
    pretty: bool,
    allow_empty: bool,
}

impl<'t> Translator<'t> {
    /// Translates for a vendor; the time is what the bodies are stamped with.
    pub fn new(submit: &'t dyn Submit, payees: &'t Payees, unix_seconds: u64) -> Self {
        Self { submit, payees, unix_seconds, levels: Levels::new(), pretty: false, allow_empty: false }
    }

    /// Gives rules other levels than their own.
    #[must_use]
    pub fn levels(mut self, levels: Levels) -> Self {
        self.levels = levels;
        self
    }

    /// Indents the bodies for eyes.
    #[must_use]
    pub fn pretty(mut self, pretty: bool) -> Self {
        self.pretty = pretty;
        self
    }

    /// Lets an input without a byte pass.
    #[must_use]
    pub fn allow_empty(mut self, allow_empty: bool) -> Self {
        self.allow_empty = allow_empty;
        self
    }

    /// Translates all inputs: bodies go to `out`, and each document's item to `on_item` as soon as it is known. Of two
    /// documents with one number the later one is left out.
    ///
    /// # Errors
    /// When an input cannot be read or `out` not written. What is wrong with documents is in their items.
    pub fn translate<'r>(
        &self,
        inputs: impl IntoIterator<Item = Input<'r>>,
        out: &mut dyn Write,
        on_item: &mut dyn FnMut(Item),
    ) -> Result<Summary, Error> {
        let mut inputs: Vec<Input<'r>> = inputs.into_iter().collect();
        let mut summary = Summary::default();
        let fuse = find_empty(&mut inputs, self.allow_empty, &mut summary)?;
        let mut seen = Seen::default();
        let context = Context { payees: self.payees, unix_seconds: self.unix_seconds };
        let mut preparer = Preparer::new(self.submit, context, &self.levels);
        let mut batch = Batch::default();
        for input in inputs {
            let name = Arc::clone(&input.name);
            let mut records = input.documents();
            while let Some(record) = records.next().map_err(|source| Error::read(&name, source))? {
                let mut prepared = preparer.prepare(record, &name, None)?;
                let sighting = prepared.identity.map_or(Sighting::First, |(key, digest)| seen.note(key, digest));
                match (&fuse, sighting) {
                    _ if !prepared.is_ready() => {}
                    (Some(why), _) => hold_by_fuse(&mut prepared.item, why),
                    (None, Sighting::First) => batch.push(&preparer.fragment.bytes),
                    (None, Sighting::Same) => prepared.item.outcome = Outcome::Unchanged,
                    (None, Sighting::Different) => hold_contradiction(&mut prepared.item),
                }
                summary.count(&prepared.item);
                on_item(prepared.item);
                if batch.ends.len() >= self.submit.batch_size() {
                    self.write(&mut batch, out).map_err(Error::Write)?;
                }
            }
        }
        self.write(&mut batch, out).map_err(Error::Write)?;
        out.flush().map_err(Error::Write)?;
        preparer.conclude(&mut summary);
        Ok(summary)
    }

    fn write(&self, batch: &mut Batch, out: &mut dyn Write) -> io::Result<()> {
        if batch.ends.is_empty() {
            return Ok(());
        }
        batch.body.clear();
        let stamp = Stamp { unix_seconds: self.unix_seconds, secret: None };
        let mut from = 0;
        let mut fragments = batch.ends.iter().map(|&end| {
            let fragment = batch.fragments.get(from..end).unwrap_or_default();
            from = end;
            fragment
        });
        self.submit.assemble(&mut fragments, &stamp, &mut batch.body);
        if self.pretty {
            batch.body = self.submit.pretty(&batch.body);
        }
        batch.body.push(b'\n');
        out.write_all(&batch.body)?;
        batch.fragments.clear();
        batch.ends.clear();
        Ok(())
    }
}

/// The documents of the next body, one after the other in one buffer.
#[derive(Default)]
struct Batch {
    fragments: Vec<u8>,
    ends: Vec<usize>,
    body: Vec<u8>,
}

impl Batch {
    fn push(&mut self, fragment: &[u8]) {
        self.fragments.extend_from_slice(fragment);
        self.ends.push(self.fragments.len());
    }
}
