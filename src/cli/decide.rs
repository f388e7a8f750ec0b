//! `payables release` and `payables resolve`: what a person decides about documents, stored with who and why.

use std::path::Path;
use std::time::Duration;

use super::args::operator::{DeskArgs, ReleaseArgs, ResolveArgs};
use super::lookup::{self, nothing_yet};
use super::print::{number, plain};
use super::times::now;
use super::{Ended, Failure, logging, person, story, tell, verdicts};
use crate::bridge::{Decided, Decision, Desk, DeskError, Order};
use crate::config::Target;
use crate::engine::state::State;
use crate::journal::Sqlite;
use crate::outcome::Exit;

/// So many documents of a file are shown with what came back last.
const MOST_SHOWN: usize = 20;

/// `payables release`
pub(super) fn release(args: &ReleaseArgs) -> Ended {
    logging::begin(false);
    let (target, journal) = open(&args.desk)?;
    let order = Order {
        number: args.number.clone(),
        owner: args.owner.clone(),
        decision: Decision::Release,
        reason: args.reason.clone(),
    };
    decide(&target, &journal, &args.desk, &[(order, None)])
}

/// `payables resolve`
pub(super) fn resolve(args: &ResolveArgs) -> Ended {
    logging::begin(false);
    let (target, journal) = open(&args.desk)?;
    let orders = match (&args.from, &args.number) {
        (Some(file), _) => verdicts::read(file, args.reason.as_deref())?,
        (None, Some(number)) => {
            let decision = if args.accepted { Decision::Accepted } else { Decision::Absent };
            let (number, reason) = (number.clone(), args.reason.clone().unwrap_or_default());
            vec![(Order { number, owner: args.owner.clone(), decision, reason }, None)]
        }
        (None, None) => Vec::new(),
    };
    decide(&target, &journal, &args.desk, &orders)
}

fn open(args: &DeskArgs) -> Result<(Target, std::path::PathBuf), Failure> {
    let (configuration, journal) = lookup::configured(args.config.config.as_deref())?;
    Ok((configuration.target(&args.to)?, journal))
}

/// Decides about all of them, or about none. Those of a file come with their lines.
fn decide(target: &Target, path: &Path, args: &DeskArgs, orders: &[(Order, Option<u64>)]) -> Ended {
    if orders.is_empty() {
        tell(format_args!("payables: there is nothing to decide about"));
        return Ok(Exit::Done);
    }
    // Nothing is made where nothing can be decided about.
    if lookup::read(path)?.is_none() {
        return Err(Failure::new(Exit::Documents, nothing_yet(path)));
    }
    let mut journal = Sqlite::open(path, Duration::from_secs(args.wait_lock))?;
    let rules = lookup::rules(target);
    let mut desk = Desk::new(&mut journal, &lookup::scope(target), rules, &now)?;
    let plain_orders: Vec<Order> = orders.iter().map(|(order, _)| order.clone()).collect();
    let decided = desk.decide(&plain_orders).map_err(|error| refused(error, orders))?;
    for one in decided.iter().take(MOST_SHOWN).filter(|one| one.decision != Decision::Release) {
        show_evidence(&mut desk, one)?;
    }
    if decided.len() > MOST_SHOWN {
        tell(format_args!("And {} more; `payables show NUMBER` tells of each.", decided.len() - MOST_SHOWN));
    }
    desk.store(&person::who(), &decided)?;
    for one in &decided {
        tell(format_args!("{}", outcome(one)));
    }
    Ok(Exit::Done)
}

/// What came back last of a document, before somebody decides that it is otherwise.
fn show_evidence(desk: &mut Desk<'_>, one: &Decided) -> Result<(), Failure> {
    let version = &one.version;
    let state = version.standing.state.word().replace('_', " ");
    tell(format_args!("{} (revision {}) is {state}.", number(&version.key.number), version.revision));
    match desk.evidence(version)? {
        Some(evidence) => {
            for line in story::evidence(&evidence) {
                tell(format_args!("  {line}"));
            }
        }
        None => tell(format_args!("  nothing came back, as far as the journal knows")),
    }
    Ok(())
}

/// What a decision means from now on.
fn outcome(one: &Decided) -> String {
    let name = number(&one.version.key.number);
    let revision = one.version.revision;
    match (one.decision, one.to.state, one.replaced_by) {
        (Decision::Release, ..) => format!("{name}: released as it stands now (revision {revision}); the next sync sends it"),
        (_, State::Accepted, _) => format!("{name}: taken as accepted (revision {revision})"),
        (_, _, Some(newer)) => {
            format!("{name}: taken as not received (revision {revision}); revision {newer} has taken its place")
        }
        _ => format!("{name}: taken as not received (revision {revision}); the next sync sends it"),
    }
}

/// Everything that speaks against it, each with its line.
fn refused(error: DeskError, orders: &[(Order, Option<u64>)]) -> Failure {
    let refused = match error {
        DeskError::Journal(error) => return error.into(),
        DeskError::Refused(refused) => refused,
    };
    let sentences: Vec<String> = refused
        .iter()
        .map(|refused| match orders.get(refused.place).and_then(|(_, line)| *line) {
            Some(line) => format!("line {line}: {}", plain(&refused.why)),
            None => refused.why.clone(),
        })
        .collect();
    verdicts::nothing_stored(&sentences)
}
