//! What AWS would refuse, told before it is asked, and what is most likely a mistake.
//!
//! What the model of the API states is an error. What follows only from what the fields are for is a warning.

mod preference;
mod shared;
mod unit;

use std::collections::BTreeMap;

pub use preference::moment;

use super::file::File;
use super::{InvoiceUnit, Preference};
use crate::model::{ErrorCount, Fault, MOST_FAULTS, Path};
use crate::rules::{Levels, apply_levels};

/// A file that was read, and all that is to be said of it.
#[derive(Debug)]
pub struct Judged<'f, T> {
    /// The file's name.
    pub name: &'f str,
    /// What it says.
    pub content: T,
    /// What is to be said of it.
    pub faults: Vec<Fault>,
}

impl<T> Judged<'_, T> {
    /// Whether it may be applied.
    pub fn is_sound(&self) -> bool {
        !self.faults.iter().any(Fault::is_error)
    }
}

/// What is to be said of one preference.
pub(super) fn preference(content: &Preference<'_>, unix_seconds: u64) -> Vec<Fault> {
    let mut faults = Vec::new();
    preference::check(content, unix_seconds, &mut faults);
    faults
}

/// What is to be said of one unit.
pub(super) fn unit(content: &InvoiceUnit<'_>) -> Vec<Fault> {
    let mut faults = Vec::new();
    unit::check(content, &mut faults);
    faults
}

/// Reads and checks files with procurement portal preferences, each for itself and all together.
pub fn judge_preferences<'f>(files: &'f [File], levels: &Levels, unix_seconds: u64) -> Vec<Judged<'f, Preference<'f>>> {
    let judge = |file: &'f File| {
        let (content, mut faults) = file.read::<Preference<'f>>();
        if faults.iter().all(|fault| fault.rule != "AWS-040") {
            preference::check(&content, unix_seconds, &mut faults);
        }
        Judged { name: &file.name, content, faults }
    };
    let mut all: Vec<_> = files.iter().map(judge).collect();
    let identity = |preference: &Preference<'_>| {
        // Those that are told apart by their ARNs are not the same.
        if preference.arn.is_given() {
            return Some(preference.arn.to_string());
        }
        let texts = [&preference.procurement_portal_name, &preference.buyer_identifier, &preference.supplier_identifier];
        let key = texts.map(|text| text.as_str()).join(" ");
        texts.iter().all(|text| text.is_given()).then_some(key)
    };
    told_once(&mut all, identity, "portal, buyer and supplier");
    level(&mut all, levels);
    all
}

/// Reads and checks files with invoice units, each for itself and all together.
pub fn judge_units<'f>(files: &'f [File], levels: &Levels) -> Vec<Judged<'f, InvoiceUnit<'f>>> {
    let judge = |file: &'f File| {
        let (content, mut faults) = file.read::<InvoiceUnit<'f>>();
        if faults.iter().all(|fault| fault.rule != "AWS-040") {
            unit::check(&content, &mut faults);
        }
        Judged { name: &file.name, content, faults }
    };
    let mut all: Vec<_> = files.iter().map(judge).collect();
    let identity = |unit: &InvoiceUnit<'_>| {
        if unit.arn.is_given() {
            return Some(unit.arn.to_string());
        }
        let is_whole = unit.name.is_given() && unit.invoice_receiver.is_given();
        is_whole.then(|| format!("{} {}", unit.invoice_receiver.as_str(), unit.name.as_str()))
    };
    told_once(&mut all, identity, "name and receiver");
    unit::accounts_in_one_unit(&mut all);
    level(&mut all, levels);
    all
}

/// Two files for one thing contradict each other.
fn told_once<T>(all: &mut [Judged<'_, T>], identity: impl Fn(&T) -> Option<String>, by: &str) {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut twins = Vec::new();
    for (place, judged) in all.iter().enumerate() {
        let Some(identity) = identity(&judged.content) else { continue };
        if let Some(first) = seen.get(&identity) {
            twins.push((place, *first, identity));
        } else {
            seen.insert(identity, place);
        }
    }
    for (place, first, identity) in twins {
        let names = [first, place].map(|place| all.get(place).map_or("", |judged| judged.name).to_owned());
        for (own, other) in [(place, &names[0]), (first, &names[1])] {
            let message = format!("{identity}: {other} has the same {by}; keep one of the two files");
            let judged = all.get_mut(own);
            judged.into_iter().for_each(|judged| judged.faults.push(Fault::error("AWS-041", Path::ROOT, message.clone())));
        }
    }
}

fn level<T>(all: &mut [Judged<'_, T>], levels: &Levels) {
    for judged in all {
        if ErrorCount::default().is_full(&judged.faults) {
            let message = format!("there are more than {MOST_FAULTS} faults; the others are not listed");
            judged.faults.truncate(MOST_FAULTS);
            judged.faults.push(Fault::error("DOC-MANY", Path::ROOT, message));
        }
        apply_levels(levels, &mut judged.faults);
    }
}
