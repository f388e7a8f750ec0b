//! `payables explain`: what a code means and what to do.

use std::io::{Write, stdout};

use super::args::ExplainArgs;
use super::{Ended, Failure};
use crate::outcome::Exit;
use crate::rules;
use crate::vendors;

/// `payables explain`
pub(super) fn explain(args: &ExplainArgs) -> Ended {
    let text = match args.code.as_deref() {
        None => rules::all().map(|rule| format!("{:<14} {}\n", rule.code, rule.title)).collect(),
        Some(code) => one(code).ok_or_else(|| {
            Failure::new(
                Exit::Usage,
                format!("{code:?} is neither a rule nor a vendor's code; `payables explain` lists the rules"),
            )
        })?,
    };
    stdout().write_all(text.as_bytes()).map_err(|error| Failure::output(&error))?;
    Ok(Exit::Done)
}

fn one(code: &str) -> Option<String> {
    if let Some(rule) = rules::find(code) {
        let level = if rule.adjustable { "Its level can be changed under [targets.NAME.rules].\n" } else { "" };
        return Some(format!("{}: {}\n\n{}\n\nWhat to do: {}\n{level}", rule.code, rule.title, rule.meaning, rule.remedy));
    }
    vendors::explain(code)
}
