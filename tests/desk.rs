//! What a person may decide about a document, and what is left of it: on a journal in memory, with a clock of its own.

use payables_bridge::adapter::Scope;
use payables_bridge::bridge::{Decision, Desk, DeskError, Order};
use payables_bridge::engine::record::{Key, Move, Ruling, Version};
use payables_bridge::engine::state::{Event, Rules, Standing, State, step};
use payables_bridge::journal::{Arm, Import, Journal, Memory, NewRun, NewVersion};
use payables_bridge::model::{Fault, Kind, Path};
use payables_bridge::outcome::Outcome;
use payables_bridge::report::Item;

const T0: i64 = 1_767_225_600_000;
const ONCE: Rules = Rules { repeatable: false, quarantine: 600_000 };

fn scope(account: &str) -> Scope {
    Scope { kind: "test".into(), environment: "production".into(), endpoint: String::new(), account: account.into() }
}

struct Table {
    journal: Memory,
    scope: i64,
    run: i64,
    revision: u32,
}

impl Table {
    fn new() -> Self {
        let mut journal = Memory::new();
        let scope = journal.scope(&scope("Acme")).unwrap();
        let new = NewRun { name: "R".into(), scope, target: "test".into(), at: T0, inputs: vec![] };
        let run = journal.begin(&new).unwrap();
        Self { journal, scope, run, revision: 0 }
    }

    /// A new version that is held.
    fn held(&mut self, owner: &str, number: &str) -> Version {
        self.revision += 1;
        let key = Key { kind: Kind::Invoice, owner: owner.into(), number: number.into() };
        let fault = Fault::error("DOC-DUPLICATE", Path::ROOT, "twice");
        let standing = Standing { state: State::Held, fault: Some(fault), ..Standing::received(T0) };
        let item = Item {
            kind: Some(Kind::Invoice),
            number: Some(number.into()),
            outcome: Outcome::Held,
            reference: None,
            faults: vec![],
            source: None,
            plan: None,
            amount: None,
        };
        let (digest, payload, memo) = ([7; 32], b"x".to_vec(), vec![]);
        let revision = self.revision;
        let new = NewVersion { key, revision, digest, memo, payee: Some("V-1".into()), item, standing, payload };
        self.journal.import(self.run, &Import { new: vec![new], ..Import::default() }).unwrap();
        self.journal.find(number).unwrap()[0].1.clone()
    }

    fn step(&mut self, version: &Version, events: Vec<Event>) -> Version {
        for event in events {
            let version = self.again(version);
            let to = step(&version.standing, event.clone(), T0, ONCE).unwrap();
            let change = Move::new(&version, to);
            if event == Event::Arm {
                let (run, scope) = (self.run, self.scope);
                self.journal.arm(&Arm { run, scope, at: T0, superseded: vec![], armed: vec![change] }).unwrap();
            } else {
                self.journal.rule(None, &[Ruling { to: change, superseded: None, item: None }], &[]).unwrap();
            }
        }
        self.again(version)
    }

    fn doubtful(&mut self, owner: &str, number: &str) -> Version {
        let version = self.held(owner, number);
        let doubt = Event::Doubt(Fault::error("DOC-DOUBT", Path::ROOT, "silence"));
        self.step(&version, vec![Event::Release, Event::Arm, doubt])
    }

    fn again(&mut self, version: &Version) -> Version {
        self.journal.version(version.id).unwrap().unwrap()
    }

    /// Decides, and stores it when it can be.
    fn decide(&mut self, orders: &[Order], now: i64) -> Result<Vec<Option<u32>>, Vec<(usize, String)>> {
        let clock = move || now;
        let mut desk = Desk::new(&mut self.journal, &scope("Acme"), ONCE, &clock).unwrap();
        match desk.decide(orders) {
            Ok(decided) => {
                desk.store("ada@erp", &decided).unwrap();
                Ok(decided.iter().map(|one| one.replaced_by).collect())
            }
            Err(DeskError::Refused(refused)) => Err(refused.into_iter().map(|one| (one.place, one.why)).collect()),
            Err(DeskError::Journal(error)) => panic!("{error}"),
        }
    }
}

fn order(number: &str, decision: Decision) -> Order {
    Order { number: number.into(), owner: None, decision, reason: " because ".into() }
}

#[test]
fn a_decision_is_stored_with_who_when_and_why() {
    let mut table = Table::new();
    let version = table.held("", "I-1");
    table.decide(&[order("I-1", Decision::Release)], T0 + 5).unwrap();
    let after = table.again(&version);
    assert_eq!((after.standing.state, after.standing.released, after.standing.changed_at), (State::Ready, true, T0 + 5));
    let act = table.journal.acts(version.id).unwrap()[0].clone();
    assert_eq!((act.verb.as_str(), act.who.as_str(), act.reason.as_str(), act.at), ("release", "ada@erp", "because", T0 + 5));
    let again = table.decide(&[order("I-1", Decision::Release)], T0).unwrap_err();
    assert!(again[0].1.contains("nothing is held") && again[0].1.contains("ready"), "{again:?}");
}

#[test]
fn several_owners_have_to_be_told_apart() {
    let mut table = Table::new();
    let (one, other) = (table.held("ALPHA", "I-1"), table.held("BETA", "I-1"));
    let why = table.decide(&[order("I-1", Decision::Release)], T0).unwrap_err();
    assert!(why[0].1.contains("ALPHA") && why[0].1.contains("BETA"), "{why:?}");
    let of = |owner: &str| Order { owner: Some(owner.into()), ..order("I-1", Decision::Release) };
    assert!(table.decide(&[of("GAMMA")], T0).is_err());
    table.decide(&[of("BETA")], T0).unwrap();
    assert_eq!(table.again(&one).standing.state, State::Held);
    assert_eq!(table.again(&other).standing.state, State::Ready);
}

#[test]
fn absent_waits_for_the_quarantine_and_accepted_does_not() {
    let mut table = Table::new();
    let version = table.doubtful("", "I-1");
    let early = table.decide(&[order("I-1", Decision::Absent)], T0 + 599_000).unwrap_err();
    assert!(early[0].1.contains("look again in 1 s"), "{early:?}");
    table.decide(&[order("I-1", Decision::Accepted)], T0).unwrap();
    let after = table.again(&version);
    assert_eq!((after.standing.state, after.standing.doubtful), (State::Accepted, false));
    assert_eq!(table.journal.payees(table.scope).unwrap(), ["V-1"]);
    let other = table.doubtful("", "I-2");
    table.decide(&[order("I-2", Decision::Absent)], T0 + 600_000).unwrap();
    assert_eq!(table.again(&other).standing.state, State::Ready);
}

#[test]
fn what_waits_for_a_verdict_can_be_accepted_or_when_it_has_rested_be_absent() {
    let mut table = Table::new();
    let version = table.held("", "I-1");
    let submit = Event::Submit { reference: "T-1".into(), ask_after: 0 };
    table.step(&version, vec![Event::Release, Event::Arm, submit]);
    let early = table.decide(&[order("I-1", Decision::Absent)], T0 + 599_000).unwrap_err();
    assert!(early[0].1.contains("look again in 1 s"), "{early:?}");
    table.decide(&[order("I-1", Decision::Accepted)], T0).unwrap();
    let after = table.again(&version);
    assert_eq!((after.standing.state, after.standing.reference.as_deref()), (State::Accepted, Some("T-1")));
}

#[test]
fn a_version_that_was_accepted_before_is_superseded_and_a_newer_one_takes_the_place_of_an_absent_one() {
    let mut table = Table::new();
    let first = table.doubtful("", "I-1");
    table.decide(&[order("I-1", Decision::Accepted)], T0).unwrap();
    let second = table.doubtful("", "I-1");
    table.decide(&[order("I-1", Decision::Accepted)], T0).unwrap();
    assert_eq!(table.again(&first).standing.state, State::Superseded);
    assert_eq!(table.again(&second).standing.state, State::Accepted);
    let third = table.doubtful("", "I-1");
    let fourth = table.held("", "I-1");
    assert_eq!(table.decide(&[order("I-1", Decision::Absent)], T0 + 600_000).unwrap(), [Some(4)]);
    assert_eq!(table.again(&third).standing.state, State::Superseded);
    assert_eq!(table.again(&fourth).standing.state, State::Held);
}

#[test]
fn all_is_decided_or_nothing_is() {
    let mut table = Table::new();
    let version = table.held("", "I-1");
    let empty = Order { reason: " ".into(), ..order("I-1", Decision::Release) };
    let orders = [order("I-1", Decision::Release), order("I-1", Decision::Release), order("I-404", Decision::Release), empty];
    let why = table.decide(&orders, T0).unwrap_err();
    let places: Vec<usize> = why.iter().map(|(place, _)| *place).collect();
    assert_eq!(places, [1, 2, 3], "{why:?}");
    assert_eq!(table.again(&version).standing.state, State::Held);
    assert!(table.journal.acts(version.id).unwrap().is_empty());
    // What another account has is nothing to decide about.
    let clock = || T0;
    let mut desk = Desk::new(&mut table.journal, &scope("Other"), ONCE, &clock).unwrap();
    assert!(matches!(desk.decide(&[order("I-1", Decision::Release)]), Err(DeskError::Refused(_))));
}
