//! What a person decides about documents: to let one go that is held, and to say what became of one in doubt.
//!
//! A decision is a step of the state machine and nothing else, and it is stored together with who took it, when and why.
//! All decisions that are given at once are checked before any of them is stored, and then they are stored in one commit.

use std::collections::BTreeSet;

use crate::adapter::Scope;
use crate::engine::record::{Move, Ruling, ScopeId, Version};
use crate::engine::state::{Event, Millis, Rules, Standing, State, step};
use crate::journal::{self, Act, Evidence, Journal};

/// What is decided about a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// What is held goes as it stands now.
    Release,
    /// The vendor has what is in doubt, submitted or presumed.
    Accepted,
    /// The vendor does not have what is in doubt, submitted or presumed, or has refused it where nobody can ask; it goes once
    /// more.
    Absent,
}

impl Decision {
    /// The verb by which it is recorded: the command that a person gave.
    pub fn verb(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Accepted => "resolve --accepted",
            Self::Absent => "resolve --absent",
        }
    }

    /// The states of the documents that it is for.
    fn is_for(self) -> &'static [State] {
        match self {
            Self::Release => &[State::Held],
            Self::Accepted | Self::Absent => &[State::InDoubt, State::Submitted, State::Presumed],
        }
    }

    fn event(self) -> Event {
        match self {
            Self::Release => Event::Release,
            Self::Accepted => Event::Accept,
            Self::Absent => Event::Absent,
        }
    }
}

/// A decision about one document, as a person gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The document's number.
    pub number: String,
    /// Whose number it is, where several have documents with it.
    pub owner: Option<String>,
    /// What is decided.
    pub decision: Decision,
    /// Why.
    pub reason: String,
}

/// A decision that can be stored.
#[derive(Debug, Clone)]
pub struct Decided {
    /// The version that it is about, as it stands now.
    pub version: Version,
    /// How it will stand.
    pub to: Standing,
    /// What was decided.
    pub decision: Decision,
    /// Why.
    pub reason: String,
    /// The newer version that goes in its place, by its revision.
    pub replaced_by: Option<u32>,
    ruling: Ruling,
}

/// Why one of the decisions cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Its place among those that were given, from 0.
    pub place: usize,
    /// Why, as a sentence for a person.
    pub why: String,
}

/// Why nothing was decided.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// At least one of the decisions cannot be taken; none was.
    #[error("{}", sentences(.0))]
    Refused(Vec<Refused>),
    /// The journal refuses or fails.
    #[error(transparent)]
    Journal(#[from] journal::Error),
}

fn sentences(refused: &[Refused]) -> String {
    refused.iter().map(|refused| refused.why.as_str()).collect::<Vec<_>>().join("\n")
}

/// The place where a person decides about the documents of one target.
///
/// ```
/// use payables_bridge::adapter::Scope;
/// use payables_bridge::bridge::{Decision, Desk, DeskError, Order};
/// use payables_bridge::engine::state::Rules;
/// use payables_bridge::journal::Memory;
///
/// let scope = Scope { kind: "tipalti".into(), environment: "production".into(), endpoint: String::new(), account: "Acme".into() };
/// let mut journal = Memory::new();
/// let mut desk = Desk::new(&mut journal, &scope, Rules { repeatable: true, quarantine: 600_000 }, &|| 0)?;
/// let order = Order { number: "PO-1".into(), owner: None, decision: Decision::Release, reason: "the payee is new".into() };
/// assert!(matches!(desk.decide(&[order]), Err(DeskError::Refused(_))));
/// # Ok::<(), payables_bridge::journal::Error>(())
/// ```
pub struct Desk<'j> {
    journal: &'j mut dyn Journal,
    scope: Option<ScopeId>,
    rules: Rules,
    clock: &'j dyn Fn() -> Millis,
}

impl<'j> Desk<'j> {
    /// The desk of a target. Of a target that the journal does not know there is nothing to decide about.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn new(
        journal: &'j mut dyn Journal,
        scope: &Scope,
        rules: Rules,
        clock: &'j dyn Fn() -> Millis,
    ) -> journal::Result<Self> {
        let known = journal.scopes()?.into_iter().find(|(_, known)| known == scope);
        Ok(Self { journal, scope: known.map(|(id, _)| id), rules, clock })
    }

    /// Checks decisions, all of them. Nothing is stored.
    ///
    /// # Errors
    /// [`DeskError::Refused`] with everything that speaks against them.
    pub fn decide(&mut self, orders: &[Order]) -> Result<Vec<Decided>, DeskError> {
        let now = (self.clock)();
        let (mut decided, mut refused, mut seen) = (Vec::new(), Vec::new(), BTreeSet::new());
        for (place, order) in orders.iter().enumerate() {
            match self.judge(order, now)? {
                Ok(one) if seen.insert(one.version.id) => decided.push(one),
                Ok(one) => {
                    let why = format!("{}: it is decided about twice; once is enough", one.version.key.number);
                    refused.push(Refused { place, why });
                }
                Err(why) => refused.push(Refused { place, why }),
            }
        }
        if refused.is_empty() { Ok(decided) } else { Err(DeskError::Refused(refused)) }
    }

    /// Stores decisions in one commit: all of them or none.
    ///
    /// # Errors
    /// When the journal refuses or fails.
    pub fn store(&mut self, who: &str, decided: &[Decided]) -> journal::Result<()> {
        let at = (self.clock)();
        let act = |one: &Decided| Act {
            at,
            version: one.version.id,
            verb: one.decision.verb().to_owned(),
            who: who.to_owned(),
            reason: one.reason.clone(),
        };
        let rulings: Vec<Ruling> = decided.iter().map(|one| one.ruling.clone()).collect();
        let acts: Vec<Act> = decided.iter().map(act).collect();
        self.journal.rule(None, &rulings, &acts)
    }

    /// What came back last of a version.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn evidence(&mut self, version: &Version) -> journal::Result<Option<Evidence>> {
        let attempts = self.journal.attempts(version.id)?;
        Ok(attempts.into_iter().rev().flat_map(|attempt| attempt.evidence.into_iter().rev()).next())
    }

    fn judge(&mut self, order: &Order, now: Millis) -> Result<Result<Decided, String>, DeskError> {
        let Order { number, decision, reason, .. } = order;
        if reason.trim().is_empty() {
            return Ok(Err(format!("{number}: a reason is missing; it is what the next person reads")));
        }
        let all = match self.scope {
            Some(scope) => {
                let of_the_owner = |version: &Version| order.owner.as_ref().is_none_or(|owner| *owner == version.key.owner);
                let found = self.journal.find(number)?.into_iter();
                found.filter(|(at, version)| *at == scope && of_the_owner(version)).map(|(_, version)| version).collect()
            }
            None => Vec::new(),
        };
        let version = match the_one(number, *decision, &all) {
            Ok(version) => version.clone(),
            Err(why) => return Ok(Err(why)),
        };
        let (known, _) = match self.scope {
            Some(scope) => self.journal.known(scope, &version.key)?,
            None => Default::default(),
        };
        Ok(self.ruling(version, &known, order, now).map_err(|why| format!("{number}: {why}")))
    }

    fn ruling(&self, version: Version, known: &[Version], order: &Order, now: Millis) -> Result<Decided, String> {
        let forbidden = |forbidden: crate::engine::state::Forbidden| forbidden.why;
        let mut to = step(&version.standing, order.decision.event(), now, self.rules).map_err(forbidden)?;
        let is_open = |other: &&Version| other.id != version.id && other.standing.state.is_open();
        if let (Decision::Release, false, Some(open)) = (order.decision, self.rules.repeatable, known.iter().find(is_open)) {
            // The vendor takes a number once, and may have it: this one could never go.
            let (revision, state) = (open.revision, open.standing.state.word());
            return Err(format!("revision {revision} is {state}; say first what became of it, with payables resolve"));
        }
        let newer = known.iter().filter(|other| other.revision > version.revision);
        let is_waiting = |other: &&Version| matches!(other.standing.state, State::Received | State::Ready | State::Held);
        // What would go once more is not what is wanted any more.
        let replaced_by = newer.filter(is_waiting).map(|other| other.revision).max().filter(|_| to.state == State::Ready);
        if replaced_by.is_some() {
            to = step(&to, Event::Supersede, now, self.rules).map_err(forbidden)?;
        }
        let accepted = known.iter().find(|other| other.standing.state == State::Accepted && other.id != version.id);
        let superseded = accepted.map(|other| other.id).filter(|_| to.state == State::Accepted);
        let ruling = Ruling { to: Move::new(&version, to.clone()), superseded, item: None };
        let Order { decision, reason, .. } = order.clone();
        Ok(Decided { version, to, decision, reason: reason.trim().to_owned(), replaced_by, ruling })
    }
}

/// The version that a decision is about, of all that have the number.
fn the_one<'v>(number: &str, decision: Decision, all: &'v [Version]) -> Result<&'v Version, String> {
    let states = decision.is_for();
    let fitting: Vec<&Version> = all.iter().filter(|version| states.contains(&version.standing.state)).collect();
    let documents: BTreeSet<_> = fitting.iter().map(|version| &version.key).collect();
    match (fitting.first(), documents.len()) {
        (Some(version), 1) => Ok(version),
        (Some(_), _) => {
            let list: Vec<String> = documents.iter().map(|key| format!("{} of {:?}", kind(key.kind), key.owner)).collect();
            Err(format!("{number}: several documents have this number; say whose is meant: {}", list.join(", ")))
        }
        (None, _) => Err(match all.first() {
            None => format!("{number}: the journal knows no such document of this target"),
            Some(newest) => {
                let what = match decision {
                    Decision::Release => "nothing is held",
                    Decision::Accepted | Decision::Absent => "nothing is in doubt, submitted or presumed",
                };
                let state = newest.standing.state;
                let hint = if state == State::Armed {
                    "; the run that sent it broke off, and the next one reads what came back"
                } else {
                    ""
                };
                format!("{number}: {what} under this number; it is {}{hint}", state.word().replace('_', " "))
            }
        }),
    }
}

fn kind(kind: crate::model::Kind) -> String {
    kind.word().replace('_', " ")
}
