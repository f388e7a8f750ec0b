//! Sources through mappings: what comes out, where it came from, and what is told of what is wrong.

mod cdata;
mod engine;
mod files;

use std::sync::Arc;

use payables_bridge::intake::{Documents, Input, Record};
use payables_bridge::mappings::source::Mapping;
use payables_bridge::model::{Fault, check};

/// Reads a source to its end.
fn each(mut documents: Documents<'_>, mut see: impl FnMut(&Record<'_>)) {
    while let Some(record) = documents.next().unwrap() {
        see(&record);
    }
}

fn open<'b>(bytes: &'b [u8], mapping: &Arc<Mapping>) -> Documents<'b> {
    Input::new("source", bytes).mapped(Arc::clone(mapping)).documents()
}

fn mapping(text: &str) -> Arc<Mapping> {
    Arc::new(Mapping::parse("test.toml", text).unwrap_or_else(|problems| panic!("{problems}")))
}

/// All that is wrong with a document in itself.
fn faults(record: &Record<'_>) -> Vec<Fault> {
    let mut faults = Vec::new();
    match record.read() {
        Ok(document) => check(&document, &mut faults),
        Err(mut unreadable) => {
            if let Some(rest) = unreadable.rest.take() {
                check(&rest, &mut faults);
            }
            faults.retain(|fault| !unreadable.has_refused(&fault.path));
            faults.splice(0..0, unreadable.faults);
        }
    }
    record.place(&mut faults, "source");
    faults
}

/// A fault on one line: rule, field, place, and what stood there.
fn brief(fault: &Fault) -> String {
    let source = fault.source.clone().unwrap_or_default();
    format!(
        "{} {} @{} {} {:?}",
        fault.rule,
        fault.path,
        source.line.unwrap_or_default(),
        source.column.unwrap_or_default(),
        source.raw.unwrap_or_default()
    )
}

/// Every fault of every document, briefly.
fn briefs(bytes: &[u8], mapping: &Arc<Mapping>) -> Vec<String> {
    let mut all = Vec::new();
    each(open(bytes, mapping), |record| all.extend(faults(record).iter().map(brief)));
    all
}

/// The texts of the documents, those that cannot be read left out.
fn texts(bytes: &[u8], mapping: &Arc<Mapping>) -> Vec<String> {
    let mut all = Vec::new();
    each(open(bytes, mapping), |record| all.extend(record.read().ok().map(|document| serde_json::to_string(&document).unwrap())));
    all
}
