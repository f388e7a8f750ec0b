//! How a version of a document stands, and what the person does next: for tables and for programs.

use serde::Serialize;

use super::lookup::{Named, Runs};
use super::print::{number, one_line, quoted};
use super::times::{age, span, stamp, when};
use crate::engine::record::Version;
use crate::engine::state::{Millis, State};
use crate::model::{Fault, Kind};

/// How a version of a document stands.
#[derive(Debug, Serialize)]
pub(super) struct Standing {
    pub(super) target: String,
    pub(super) kind: Kind,
    pub(super) number: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) owner: String,
    pub(super) revision: u32,
    pub(super) state: State,
    /// Since when, RFC 3339 in UTC.
    pub(super) since: String,
    pub(super) age_s: i64,
    pub(super) attempts: u32,
    pub(super) reference: Option<String>,
    /// The run that brought it, or carried it last.
    pub(super) run: String,
    /// It is not sent before, RFC 3339 in UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) not_before: Option<String>,
    /// Nothing newer is sent for its number before, RFC 3339 in UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rests_until: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) fault: Option<Fault>,
    /// What the person does next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next: Option<String>,
    /// The command for it, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) command: Option<String>,
    #[serde(skip)]
    changed_at: Millis,
    #[serde(skip)]
    rest: Option<Millis>,
}

impl Standing {
    pub(super) fn of(version: &Version, target: &Named, runs: &Runs, now: Millis) -> Self {
        let standing = &version.standing;
        let ahead = |at: Millis| Some(at).filter(|at| *at > now);
        let is_waiting = matches!(standing.state, State::Received | State::Ready);
        let not_before = ahead(standing.not_before).filter(|_| is_waiting);
        let rests_until = ahead(standing.rest_until).filter(|_| standing.state == State::InDoubt);
        Self {
            target: target.name.clone(),
            kind: version.key.kind,
            number: version.key.number.clone(),
            owner: version.key.owner.clone(),
            revision: version.revision,
            state: standing.state,
            since: stamp(standing.changed_at),
            age_s: now.saturating_sub(standing.changed_at) / 1000,
            attempts: standing.epoch,
            reference: standing.reference.clone(),
            run: runs.name(version.run),
            not_before: not_before.map(stamp),
            rests_until: rests_until.map(stamp),
            fault: standing.fault.clone(),
            next: next_step(version, target, runs, now),
            command: command(version, target, runs),
            changed_at: standing.changed_at,
            rest: not_before.or(rests_until),
        }
    }

    /// The state in words.
    pub(super) fn state_word(&self) -> String {
        self.state.word().replace('_', " ")
    }

    /// Since when, with the age in words.
    pub(super) fn since_words(&self, now: Millis) -> String {
        format!("{} ({})", when(self.changed_at), age(self.changed_at, now))
    }

    /// Why it stands so, and until when it rests.
    pub(super) fn why(&self) -> String {
        let fault = self.fault.as_ref().map(|fault| format!("{} [{}]", one_line(&fault.message, 500), fault.rule));
        let rest = self.rest.map(|at| format!("It rests until {}.", when(at)));
        [fault, rest].into_iter().flatten().collect::<Vec<_>>().join("\n")
    }

    /// The number, and whose it is where that has to be said.
    pub(super) fn name(&self) -> String {
        let owner = if self.owner.is_empty() { String::new() } else { format!("\nof {}", one_line(&self.owner, 60)) };
        format!("{}{owner}", number(&self.number))
    }
}

/// What the person does next; nothing for what is over and well.
fn next_step(version: &Version, target: &Named, runs: &Runs, now: Millis) -> Option<String> {
    let standing = &version.standing;
    let is_broken_off = runs.is_broken_off(version.run);
    let rest = standing.rest_until.max(standing.not_before);
    let is_open = !matches!(standing.state, State::Presumed | State::Accepted | State::Superseded | State::Cancelled);
    if target.repeatable.is_none() && is_open {
        let (endpoint, account) = (one_line(&target.scope.endpoint, 100), one_line(&target.scope.account, 60));
        let account = if account.is_empty() { String::new() } else { format!(" as {account}") };
        return Some(format!(
            "no target of the configuration sends to {endpoint}{account} any more; configure it again to go on with it"
        ));
    }
    let wait = Some(rest.saturating_sub(now)).filter(|wait| *wait > 0).map(|wait| span(wait.saturating_add(999)));
    Some(match standing.state {
        State::Held => "mend it and send it again, or release it".to_owned(),
        State::InDoubt => {
            let from = wait.map_or_else(String::new, |wait| format!(" (the latter in {wait} at the earliest)"));
            let replay = if target.repeatable == Some(true) { "the next run sends it again; or " } else { "" };
            format!("{replay}look it up at the vendor and resolve it as accepted or absent{from}")
        }
        State::Rejected => "mend it and send it again, or try it again as it is".to_owned(),
        State::Received if is_broken_off => {
            format!("run {} broke off before its input was stored; give it the same input again", runs.name(version.run))
        }
        State::Received => "its run reads its input; if none is at work, give it the same input again".to_owned(),
        State::Armed if is_broken_off => "its run broke off; the next run reads what came back".to_owned(),
        State::Armed => "it is on its way; if no run is at work, the next one reads what came back".to_owned(),
        State::Ready => wait.map_or_else(
            || "nothing; the next run sends it".to_owned(),
            |wait| format!("nothing; a run sends it, in {wait} or later"),
        ),
        State::Submitted => "wait for the vendor's verdict, or ask now".to_owned(),
        State::Presumed => "nothing; if the vendor does not have it, or has refused it, resolve it as absent".to_owned(),
        State::Accepted | State::Superseded | State::Cancelled => return None,
    })
}

/// The command for it, as it can be given to a shell.
fn command(version: &Version, target: &Named, runs: &Runs) -> Option<String> {
    // Of a target that is not configured any more nothing can be decided about.
    target.repeatable?;
    let (name, to) = (quoted(&version.key.number), quoted(&target.name));
    let owner = Some(&version.key.owner).filter(|owner| !owner.is_empty());
    let owner = owner.map(|owner| format!(" --owner {}", quoted(owner))).unwrap_or_default();
    match version.standing.state {
        State::Held => Some(format!("payables release {name} --to {to}{owner} --reason '…'")),
        State::InDoubt => Some(format!("payables resolve {name} --accepted --to {to}{owner} --reason '…'")),
        State::Rejected => Some(format!("payables retry --to {to} --run {}", quoted(&runs.name(version.run)))),
        State::Submitted => Some(format!("payables follow-up --to {to}")),
        _ => None,
    }
}
