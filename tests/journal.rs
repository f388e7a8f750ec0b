//! What every journal does alike: each test runs on the one in memory, on a file, and on a temporary one.

use std::time::Duration;

use payables_bridge::adapter::Scope;
use payables_bridge::engine::state::{Event, Millis, Rules, Standing, State, step};
use payables_bridge::journal::{
    Act, Arm, CallId, Error, Evidence, EvidenceKind, Import, Journal, Key, Memory, Move, NewRun, NewVersion, Ruling, RunId,
    ScopeId, Settle, Sqlite, Version, VersionId,
};
use payables_bridge::model::{Fault, Kind};
use payables_bridge::outcome::Outcome;
use payables_bridge::report::{Amount, Item};
use proptest::prelude::*;

mod file;

const RULES: Rules = Rules { repeatable: true, quarantine: 600_000 };
const T0: Millis = 1_767_225_600_000;

/// A journal with a scope and a run in it.
struct Bench {
    name: &'static str,
    journal: Box<dyn Journal>,
    scope: ScopeId,
    run: RunId,
    _folder: Option<tempfile::TempDir>,
}

fn scope(account: &str) -> Scope {
    Scope {
        kind: "tipalti".into(),
        environment: "sandbox".into(),
        endpoint: "https://example.invalid/".into(),
        account: account.into(),
    }
}

fn new_run(scope: ScopeId, name: &str) -> NewRun {
    NewRun { name: name.into(), scope, target: "tipalti".into(), at: T0, inputs: vec!["a \"b\".jsonl".into(), "-".into()] }
}

fn bench(name: &'static str, mut journal: Box<dyn Journal>, folder: Option<tempfile::TempDir>) -> Bench {
    let scope = journal.scope(&scope("acme")).unwrap();
    let run = journal.begin(&new_run(scope, "run-1")).unwrap();
    Bench { name, journal, scope, run, _folder: folder }
}

fn benches() -> Vec<Bench> {
    let folder = tempfile::tempdir().unwrap();
    let file = Sqlite::open(&folder.path().join("payables.db"), Duration::ZERO).unwrap();
    vec![
        bench("memory", Box::new(Memory::new()), None),
        bench("file", Box::new(file), Some(folder)),
        bench("temporary", Box::new(Sqlite::temporary().unwrap()), None),
    ]
}

fn on_each(test: impl Fn(&mut Bench)) {
    for mut bench in benches() {
        println!("on {}", bench.name);
        test(&mut bench);
    }
}

fn key(number: &str) -> Key {
    Key { kind: Kind::PurchaseOrder, owner: String::new(), number: number.into() }
}

fn item(number: &str, outcome: Outcome) -> Item {
    Item {
        kind: Some(Kind::PurchaseOrder),
        number: Some(number.into()),
        outcome,
        reference: None,
        faults: vec![Fault::warning("TIP-UNDO", "lines[0].price", "told").found("4.95")],
        source: None,
        plan: None,
        amount: Some(Amount { currency: "EUR".into(), value: "12.50".parse().unwrap() }),
    }
}

fn new(number: &str, revision: u32) -> NewVersion {
    NewVersion {
        key: key(number),
        revision,
        digest: [7; 32],
        memo: vec![0, 255, 3],
        payee: Some(format!("payee of {number}")),
        item: item(number, Outcome::Planned),
        standing: Standing::received(T0),
        payload: format!("<PO>{number}</PO>").into_bytes(),
    }
}

fn answer(body: &str) -> Evidence {
    Evidence {
        at: T0 + 5,
        kind: EvidenceKind::Answer,
        status: 200,
        headers: vec![("date".into(), "Fri, 20 Nov 2026 18:00:00 GMT".into())],
        body: body.into(),
        cut: false,
    }
}

fn fault() -> Fault {
    Fault::error("DOC-DOUBT", "", "nobody knows").vendor(Some("E1"), None)
}

impl Bench {
    /// Brings versions in and makes them ready.
    fn ready(&mut self, versions: &[(&str, u32)]) -> Vec<Version> {
        let new = versions.iter().map(|(number, revision)| new(number, *revision)).collect();
        self.journal.import(self.run, &Import { new, ..Import::default() }).unwrap();
        self.journal.promote(self.run, T0 + 1).unwrap();
        let last = |number: &str, journal: &mut dyn Journal| journal.find(number).unwrap()[0].1.clone();
        versions.iter().map(|(number, _)| last(number, &mut *self.journal)).collect()
    }

    fn arm_at(&mut self, versions: &[Version], at: Millis) -> Result<CallId, Error> {
        let armed = versions.iter().map(|version| moved(version, Event::Arm, at)).collect();
        self.journal.arm(&Arm { run: self.run, scope: self.scope, at, superseded: vec![], armed })
    }

    fn arm(&mut self, versions: &[Version]) -> CallId {
        self.arm_at(versions, T0 + 2).unwrap()
    }

    fn again(&mut self, version: &Version) -> Version {
        self.journal.version(version.id).unwrap().unwrap()
    }

    fn settle(&mut self, call: CallId, version: &Version, event: Event) -> Result<(), Error> {
        let version = self.again(version);
        let to = moved(&version, event, T0 + 10);
        let rulings = vec![Ruling { to, superseded: None, item: Some(item(&version.key.number, Outcome::Accepted)) }];
        self.journal.settle(&Settle { call, run: self.run, rulings })
    }

    fn states(&mut self, number: &str) -> Vec<State> {
        self.journal.find(number).unwrap().iter().map(|(_, version)| version.standing.state).collect()
    }
}

fn moved(version: &Version, event: Event, at: Millis) -> Move {
    Move::new(version, step(&version.standing, event, at, RULES).unwrap())
}

fn fenced<T>(result: Result<T, Error>) -> Vec<VersionId> {
    match result {
        Err(Error::Fenced(versions)) => versions,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it was not refused"),
    }
}

#[test]
fn a_version_comes_out_as_it_went_in() {
    on_each(|bench| {
        let mut given = new("PO ä\u{1F600}'\"", u32::MAX);
        given.standing = Standing {
            state: State::Held,
            epoch: 4,
            doubtful: true,
            released: true,
            not_before: 1,
            rest_until: 2,
            first_armed_at: 3,
            asked: 5,
            ask_at: 6,
            submitted_at: 7,
            reference: Some("ref".into()),
            fault: Some(fault()),
            changed_at: -8,
        };
        given.key = Key { kind: Kind::Invoice, owner: "V1".into(), ..given.key };
        bench.journal.import(bench.run, &Import { new: vec![given.clone()], ..Import::default() }).unwrap();
        let (versions, last) = bench.journal.known(bench.scope, &given.key).unwrap();
        let [version] = versions.as_slice() else { panic!("{versions:?}") };
        assert_eq!(last, u32::MAX);
        let NewVersion { key, revision, digest, memo, payee, item, standing, payload } = given;
        assert_eq!(
            (&version.key, version.revision, version.digest, &version.memo, &version.payee, &version.item, &version.standing),
            (&key, revision, digest, &memo, &payee, &item, &standing)
        );
        assert_eq!(version.run, bench.run);
        assert_eq!(bench.journal.payload(version.id).unwrap(), Some(payload));
        assert_eq!(bench.journal.payload(version.id + 1).unwrap(), None);
        assert_eq!(bench.journal.version(version.id + 1).unwrap(), None);
        // Another owner's or another account's document is another document.
        let other = Key { owner: "V2".into(), ..key.clone() };
        assert_eq!(bench.journal.known(bench.scope, &other).unwrap(), (vec![], 0));
        let elsewhere = bench.journal.scope(&scope("other")).unwrap();
        assert_ne!(elsewhere, bench.scope);
        assert_eq!(bench.journal.known(elsewhere, &key).unwrap(), (vec![], 0));
        assert_eq!(bench.journal.scope(&scope("other")).unwrap(), elsewhere);
        assert_eq!(bench.journal.scopes().unwrap(), [(bench.scope, scope("acme")), (elsewhere, scope("other"))]);
    });
}

#[test]
fn what_was_decided_on_something_older_is_refused_whole() {
    on_each(|bench| {
        let versions = bench.ready(&[("A", 1), ("B", 1)]);
        let call = bench.arm(&versions[..1]);
        // A is armed now; B is not armed because A cannot be.
        assert_eq!(fenced(bench.arm_at(&versions, T0 + 3)), [versions[0].id]);
        assert_eq!(bench.states("B"), [State::Ready]);
        assert_eq!(bench.journal.attempts(versions[1].id).unwrap(), []);
        let unsettled = bench.journal.unsettled(bench.scope).unwrap();
        assert_eq!(unsettled.iter().map(|call| call.id).collect::<Vec<_>>(), [call]);
        // A verdict on an earlier epoch does not count, and nothing that comes with it does.
        let a = bench.again(&versions[0]);
        let mut late = moved(&a, Event::Accept, T0 + 4);
        late.epoch = 0;
        let rulings = vec![
            Ruling { to: moved(&versions[1], Event::Cancel, T0 + 4), superseded: None, item: Some(item("B", Outcome::Held)) },
            Ruling { to: late, superseded: None, item: Some(item("A", Outcome::Accepted)) },
        ];
        assert_eq!(fenced(bench.journal.settle(&Settle { call, run: bench.run, rulings: rulings.clone() })), [a.id]);
        assert_eq!(fenced(bench.journal.rule(Some(bench.run), &rulings, &[act(&a)])), [a.id]);
        assert_eq!((bench.states("A"), bench.states("B")), (vec![State::Armed], vec![State::Ready]));
        assert_eq!(bench.journal.items(bench.run, 0, 9).unwrap(), []);
        assert_eq!(bench.journal.acts(a.id).unwrap(), []);
        assert_eq!(bench.journal.payees(bench.scope).unwrap(), Vec::<String>::new());
        let part = Import {
            moves: vec![(moved(&versions[0], Event::Cancel, T0 + 4), None)],
            new: vec![new("C", 1)],
            items: vec![item("D", Outcome::Invalid)],
        };
        assert_eq!(fenced(bench.journal.import(bench.run, &part)), [a.id]);
        assert_eq!(bench.states("C"), []);
        assert_eq!(bench.journal.items(bench.run, 0, 9).unwrap(), []);
    });
}

#[test]
fn a_commit_moves_a_version_once() {
    on_each(|bench| {
        let a = bench.ready(&[("A", 1)])[0].clone();
        let twice = vec![(moved(&a, Event::Hold(fault()), T0), None), (moved(&a, Event::Cancel, T0), None)];
        assert_eq!(fenced(bench.journal.import(bench.run, &Import { moves: twice, ..Import::default() })), [a.id]);
        assert_eq!(bench.states("A"), [State::Ready]);
    });
}

#[test]
fn of_one_document_one_version_is_accepted() {
    on_each(|bench| {
        let versions = [bench.ready(&[("A", 1)])[0].clone(), bench.ready(&[("B", 1)])[0].clone()];
        for version in &versions {
            let call = bench.arm(std::slice::from_ref(version));
            bench.settle(call, version, Event::Accept).unwrap();
        }
        let second = bench.ready(&[("A", 2)])[0].clone();
        let call = bench.arm(std::slice::from_ref(&second));
        // While nobody knows, the vendor may still have the first.
        bench.settle(call, &second, Event::Doubt(fault())).unwrap();
        assert_eq!(bench.states("A"), [State::InDoubt, State::Accepted]);
        // Whoever accepts it, and whatever he says of others.
        let ruling = Ruling { to: moved(&bench.again(&second), Event::Accept, T0 + 9), superseded: None, item: None };
        bench.journal.rule(None, &[ruling], &[]).unwrap();
        assert_eq!(bench.states("A"), [State::Accepted, State::Superseded]);
        assert_eq!(bench.again(&versions[0]).standing.changed_at, T0 + 9);
        assert_eq!(bench.states("B"), [State::Accepted]);
    });
}

#[test]
fn of_one_document_one_version_is_open() {
    on_each(|bench| {
        let first = bench.ready(&[("A", 1)])[0].clone();
        let second = bench.ready(&[("A", 2)])[0].clone();
        let call = bench.arm(std::slice::from_ref(&first));
        assert_eq!(fenced(bench.arm_at(std::slice::from_ref(&second), T0 + 3)), [second.id]);
        assert_eq!(bench.journal.attempts(second.id).unwrap(), []);
        bench.settle(call, &first, Event::Doubt(fault())).unwrap();
        assert_eq!(fenced(bench.arm_at(std::slice::from_ref(&second), T0 + 700_000)), [second.id]);
        // No other way leads there, either.
        let doubted = Standing { state: State::InDoubt, ..second.standing.clone() };
        let ruling = Ruling { to: Move::new(&second, doubted.clone()), superseded: None, item: None };
        assert_eq!(fenced(bench.journal.rule(None, &[ruling], &[])), [second.id]);
        let part = Import { moves: vec![(Move::new(&second, doubted), None)], ..Import::default() };
        assert_eq!(fenced(bench.journal.import(bench.run, &part)), [second.id]);
        // The place is given up and taken in one commit.
        let first = bench.again(&first);
        let at = T0 + 700_000;
        let superseded = vec![moved(&first, Event::Supersede, at)];
        let armed = vec![moved(&second, Event::Arm, at)];
        bench.journal.arm(&Arm { run: bench.run, scope: bench.scope, at, superseded, armed }).unwrap();
        assert_eq!(bench.states("A"), [State::Armed, State::Superseded]);
        // Another owner's document of the same number is another document.
        let mut other = new("A", 1);
        other.key.owner = "V2".into();
        bench.journal.import(bench.run, &Import { new: vec![other], ..Import::default() }).unwrap();
        bench.journal.promote(bench.run, T0).unwrap();
        let other = bench.journal.find("A").unwrap()[0].1.clone();
        bench.arm(&[other]);
    });
}

#[test]
fn an_attempt_without_an_outcome_is_the_only_one() {
    on_each(|bench| {
        let a = bench.ready(&[("A", 1)])[0].clone();
        bench.arm(std::slice::from_ref(&a));
        let armed = bench.again(&a);
        let again = Standing { epoch: 2, ..armed.standing.clone() };
        let arm = Arm { run: bench.run, scope: bench.scope, at: T0, superseded: vec![], armed: vec![Move::new(&armed, again)] };
        assert_eq!(fenced(bench.journal.arm(&arm)), [a.id]);
        assert_eq!(bench.again(&a), armed);
        // Whoever moves it on: what became of the version became of the attempt.
        let ruling = Ruling { to: moved(&armed, Event::Doubt(fault()), T0 + 4), superseded: None, item: None };
        bench.journal.rule(None, &[ruling], &[]).unwrap();
        assert_eq!(bench.journal.attempts(a.id).unwrap()[0].outcome, Some(State::InDoubt));
        assert!(bench.journal.unsettled(bench.scope).unwrap().is_empty());
        let doubted = bench.again(&a);
        bench.arm_at(&[doubted], T0 + 700_000).unwrap();
        let outcomes: Vec<_> =
            bench.journal.attempts(a.id).unwrap().iter().map(|attempt| (attempt.epoch, attempt.outcome)).collect();
        assert_eq!(outcomes, [(1, Some(State::InDoubt)), (2, None)]);
    });
}

#[test]
fn known_versions_and_revisions() {
    on_each(|bench| {
        assert_eq!(bench.journal.known(bench.scope, &key("A")).unwrap(), (vec![], 0));
        let first = bench.ready(&[("A", 1)])[0].clone();
        let second = bench.ready(&[("A", 2)])[0].clone();
        bench.ready(&[("B", 9)]);
        assert_eq!(bench.journal.known(bench.scope, &key("A")).unwrap(), (vec![second.clone(), first.clone()], 2));
        let cancel = |version: &Version| (moved(version, Event::Cancel, T0 + 9), None);
        let part = Import { moves: vec![cancel(&second)], ..Import::default() };
        bench.journal.import(bench.run, &part).unwrap();
        // A number is not given twice, although the version does not count any more.
        assert_eq!(bench.journal.known(bench.scope, &key("A")).unwrap(), (vec![first], 2));
    });
}

#[test]
fn what_the_vendor_may_still_have_counts_until_something_newer_is_accepted() {
    on_each(|bench| {
        let accepted = bench.ready(&[("A", 1)])[0].clone();
        let call = bench.arm(std::slice::from_ref(&accepted));
        bench.settle(call, &accepted, Event::Accept).unwrap();
        let doubtful = bench.ready(&[("A", 2)])[0].clone();
        let call = bench.arm(std::slice::from_ref(&doubtful));
        bench.settle(call, &doubtful, Event::Doubt(fault())).unwrap();
        // The third takes the place of both, and is refused: the vendor has one of the two.
        let third = bench.ready(&[("A", 3)])[0].clone();
        let at = T0 + 700_000;
        let superseded = [&accepted, &doubtful].map(|older| moved(&bench.again(older), Event::Supersede, at)).to_vec();
        let armed = vec![moved(&third, Event::Arm, at)];
        let call = bench.journal.arm(&Arm { run: bench.run, scope: bench.scope, at, superseded, armed }).unwrap();
        bench.settle(call, &third, Event::Reject(fault())).unwrap();
        let known = |bench: &mut Bench| {
            let (known, _) = bench.journal.known(bench.scope, &key("A")).unwrap();
            known.iter().map(|version| (version.revision, version.standing.may_be_there())).collect::<Vec<_>>()
        };
        assert_eq!(known(bench), [(3, false), (2, true), (1, true)]);
        let fourth = bench.ready(&[("A", 4)])[0].clone();
        let call = bench.arm(std::slice::from_ref(&fourth));
        bench.settle(call, &fourth, Event::Accept).unwrap();
        assert_eq!(known(bench), [(4, true), (3, false)]);
        assert_eq!(bench.again(&accepted).standing.changed_at, at);
    });
}

#[test]
fn promotion_is_of_the_run_that_brought_or_carried_them() {
    on_each(|bench| {
        let part = Import { new: vec![new("A", 1), new("B", 1)], ..Import::default() };
        bench.journal.import(bench.run, &part).unwrap();
        assert!(bench.journal.run("run-1").unwrap().unwrap().imported_at.is_none());
        let next = bench.journal.begin(&new_run(bench.scope, "run-2")).unwrap();
        let carried = bench.journal.find("A").unwrap()[0].1.clone();
        let stays = Move::new(&carried, carried.standing.clone());
        let part = Import { moves: vec![(stays, Some(item("A", Outcome::Held)))], ..Import::default() };
        bench.journal.import(next, &part).unwrap();
        assert_eq!(bench.journal.promote(next, T0 + 9).unwrap(), 1);
        let a = bench.again(&carried);
        assert_eq!((a.standing.state, a.standing.changed_at, a.run), (State::Ready, T0 + 9, next));
        assert_eq!(a.item, item("A", Outcome::Held));
        assert_eq!(bench.states("B"), [State::Received]);
        let run = bench.journal.run("run-2").unwrap().unwrap();
        assert_eq!((run.imported_at, run.ended_at, run.inputs.len()), (Some(T0 + 9), None, 2));
        assert_eq!(bench.journal.promote(bench.run, T0).unwrap(), 1);
        assert_eq!(bench.journal.promote(bench.run, T0).unwrap(), 0);
    });
}

#[test]
fn lists_run_by_identifier_and_go_on_after_one() {
    on_each(|bench| {
        let versions = bench.ready(&[("C", 1), ("A", 1), ("B", 1)]);
        let ids: Vec<_> = versions.iter().map(|version| version.id).collect();
        let list = |bench: &mut Bench, state, after, most| {
            let list = bench.journal.list(bench.scope, state, after, most).unwrap();
            list.iter().map(|version| version.id).collect::<Vec<_>>()
        };
        assert_eq!(list(bench, State::Ready, 0, 9), ids);
        assert_eq!(list(bench, State::Ready, ids[0], 1), ids[1..2]);
        assert_eq!(list(bench, State::Ready, VersionId::MAX, usize::MAX), ids[3..]);
        assert_eq!(list(bench, State::Held, 0, 9), ids[3..]);
        let call = bench.arm(&versions[..1]);
        bench.settle(call, &versions[0], Event::Accept).unwrap();
        assert_eq!(list(bench, State::Accepted, 0, 9), ids[..1]);
        assert_eq!(list(bench, State::Accepted, ids[0], 9), ids[3..]);
        assert_eq!(list(bench, State::Ready, 0, usize::MAX), ids[1..]);
    });
}

#[test]
fn what_is_due_comes_in_the_order_of_its_time() {
    on_each(|bench| {
        let versions = bench.ready(&[("A", 1), ("B", 1), ("C", 1)]);
        let call = bench.arm(&versions);
        for (version, ask_after) in versions.iter().zip([300, 100, 100]) {
            let submit = Event::Submit { reference: version.key.number.clone(), ask_after };
            bench.settle(call, version, submit).unwrap();
        }
        let due = |bench: &mut Bench, until, most| {
            let due = bench.journal.due(bench.scope, None, until, most).unwrap();
            due.into_iter().map(|version| version.key.number).collect::<Vec<_>>()
        };
        assert_eq!(due(bench, T0 + 400, 9), ["B", "C", "A"]);
        assert_eq!(due(bench, T0 + 400, 2), ["B", "C"]);
        assert_eq!(due(bench, T0 + 110, 9), ["B", "C"]);
        assert_eq!(due(bench, T0 + 109, 9), Vec::<String>::new());
        // What is presumed is asked about by whoever wants to know, and no run waits for it.
        let b = bench.again(&versions[1]);
        let ruling =
            Ruling { to: moved(&b, Event::Ask { ask_after: Some(1), presume: true }, T0 + 120), superseded: None, item: None };
        bench.journal.rule(Some(bench.run), &[ruling], &[]).unwrap();
        assert_eq!(due(bench, Millis::MAX, 9), ["C", "A"]);
        assert_eq!(bench.again(&b).standing.state, State::Presumed);
    });
}

#[test]
fn calls_without_an_outcome_are_found_with_what_came_back() {
    on_each(|bench| {
        let versions = bench.ready(&[("A", 1), ("B", 1), ("C", 1)]);
        let first = bench.arm(&versions[..2]);
        let second = bench.arm(&versions[2..]);
        assert!(second > first);
        bench.journal.keep(second, &answer("one")).unwrap();
        bench.journal.keep(second, &answer("two")).unwrap();
        bench.settle(first, &versions[0], Event::NotSent).unwrap();
        let open = bench.journal.unsettled(bench.scope).unwrap();
        assert_eq!(open.len(), 2);
        // A is ready again, and B keeps its place.
        let b = bench.again(&versions[1]);
        assert_eq!((open[0].id, open[0].armed_at, &open[0].members), (first, T0 + 2, &vec![(1, b)]));
        assert_eq!(open[0].numbers, ["A", "B"]);
        assert_eq!(open[0].evidence, None);
        assert_eq!(open[1].evidence, Some(answer("two")));
        let elsewhere = bench.journal.scope(&scope("other")).unwrap();
        assert!(bench.journal.unsettled(elsewhere).unwrap().is_empty());
        bench.settle(first, &versions[1], Event::Doubt(fault())).unwrap();
        bench.settle(second, &versions[2], Event::Accept).unwrap();
        assert!(bench.journal.unsettled(bench.scope).unwrap().is_empty());
        assert_eq!(bench.journal.payees(bench.scope).unwrap(), ["payee of C"]);
    });
}

#[test]
fn evidence_that_comes_late_is_kept_and_may_be_judged() {
    on_each(|bench| {
        let a = bench.ready(&[("A", 1)])[0].clone();
        let call = bench.arm(std::slice::from_ref(&a));
        bench.settle(call, &a, Event::Doubt(fault())).unwrap();
        bench.journal.keep(call, &answer("late")).unwrap();
        let attempts = bench.journal.attempts(a.id).unwrap();
        assert_eq!((attempts[0].call, attempts[0].epoch, attempts[0].armed_at), (call, 1, T0 + 2));
        assert_eq!((attempts[0].outcome, &attempts[0].evidence), (Some(State::InDoubt), &vec![answer("late")]));
        bench.settle(call, &a, Event::Accept).unwrap();
        assert_eq!(bench.journal.attempts(a.id).unwrap()[0].outcome, Some(State::Accepted));
        assert!(matches!(bench.journal.keep(call + 1, &answer("")), Err(Error::Failed(_))));
        // A mistake of the caller's is no damage.
        bench.journal.keep(call, &Evidence { kind: EvidenceKind::MaybeSent, cut: true, ..answer("") }).unwrap();
        assert_eq!(bench.journal.attempts(a.id).unwrap()[0].evidence.len(), 2);
    });
}

#[test]
fn an_older_version_gives_its_place_up_only_when_it_was_accepted() {
    on_each(|bench| {
        let first = bench.ready(&[("A", 1)])[0].clone();
        let call = bench.arm(std::slice::from_ref(&first));
        bench.settle(call, &first, Event::Accept).unwrap();
        let second = bench.ready(&[("A", 2)])[0].clone();
        let call = bench.arm(std::slice::from_ref(&second));
        let second = bench.again(&second);
        let ruling = |to| Ruling { to, superseded: Some(first.id), item: None };
        let rulings = vec![ruling(moved(&second, Event::Accept, T0 + 20))];
        bench.journal.settle(&Settle { call, run: bench.run, rulings }).unwrap();
        assert_eq!(bench.states("A"), [State::Accepted, State::Superseded]);
        assert_eq!(bench.again(&first).standing.changed_at, T0 + 20);
        let third = bench.ready(&[("A", 3)])[0].clone();
        bench.journal.rule(None, &[ruling(moved(&third, Event::Cancel, T0 + 30))], &[]).unwrap();
        assert_eq!(bench.again(&first).standing.changed_at, T0 + 20);
        assert!(!bench.again(&first).standing.doubtful);
        // Where a refused attempt had an earlier one that may have arrived, nobody knows which the vendor has.
        let fourth = bench.ready(&[("A", 4)])[0].clone();
        let call = bench.arm(std::slice::from_ref(&fourth));
        let change = moved(&bench.again(&fourth), Event::Reject(fault()), T0 + 40);
        let rulings = vec![Ruling { to: change, superseded: Some(second.id), item: None }];
        bench.journal.settle(&Settle { call, run: bench.run, rulings }).unwrap();
        assert_eq!(bench.states("A"), [State::Rejected, State::Cancelled, State::Superseded, State::Superseded]);
        assert!(bench.again(&second).standing.doubtful);
    });
}

#[test]
fn payees_are_known_once_and_by_account() {
    on_each(|bench| {
        let mut versions = vec![new("B", 1), new("A", 1), new("C", 1), new("D", 1)];
        versions[2].payee = None;
        versions[3].payee = versions[0].payee.clone();
        bench.journal.import(bench.run, &Import { new: versions, ..Import::default() }).unwrap();
        bench.journal.promote(bench.run, T0).unwrap();
        let versions = bench.journal.list(bench.scope, State::Ready, 0, 9).unwrap();
        let call = bench.arm(&versions);
        for version in &versions {
            bench.settle(call, version, Event::Accept).unwrap();
        }
        assert_eq!(bench.journal.payees(bench.scope).unwrap(), ["payee of A", "payee of B"]);
        let elsewhere = bench.journal.scope(&scope("other")).unwrap();
        assert!(bench.journal.payees(elsewhere).unwrap().is_empty());
    });
}

#[test]
fn items_come_in_pages_in_the_order_in_which_they_ended() {
    on_each(|bench| {
        let part = Import { items: vec![item("1", Outcome::Invalid), item("2", Outcome::Invalid)], ..Import::default() };
        bench.journal.import(bench.run, &part).unwrap();
        let a = bench.ready(&[("3", 1)])[0].clone();
        let call = bench.arm(std::slice::from_ref(&a));
        bench.settle(call, &a, Event::Accept).unwrap();
        bench.journal.report(bench.run, &[item("4", Outcome::NotSent)]).unwrap();
        bench.journal.report(bench.run, &[]).unwrap();
        let page = |bench: &mut Bench, after, most| {
            let items = bench.journal.items(bench.run, after, most).unwrap();
            items.into_iter().filter_map(|item| item.number).collect::<Vec<_>>()
        };
        assert_eq!(page(bench, 0, 9), ["1", "2", "3", "4"]);
        assert_eq!(page(bench, 1, 2), ["2", "3"]);
        assert_eq!(page(bench, 4, 9), Vec::<String>::new());
        assert_eq!(page(bench, u64::MAX, usize::MAX), Vec::<String>::new());
        assert_eq!(bench.journal.items(bench.run, 3, 1).unwrap(), [item("4", Outcome::NotSent)]);
        assert_eq!(bench.journal.items(bench.run + 1, 0, 1).unwrap(), []);
    });
}

fn act(version: &Version) -> Act {
    let (verb, who, reason) = ("release".to_owned(), "me@here".to_owned(), "it is right".to_owned());
    Act { at: T0 + 50, version: version.id, verb, who, reason }
}

#[test]
fn acts_runs_and_counts_are_there_to_be_looked_at() {
    on_each(|bench| {
        let versions = bench.ready(&[("A", 1), ("B", 1)]);
        let ruling =
            Ruling { to: moved(&versions[0], Event::Cancel, T0 + 50), superseded: None, item: Some(item("A", Outcome::Held)) };
        let second = Act { verb: "note".into(), ..act(&versions[0]) };
        bench.journal.rule(None, &[ruling], &[act(&versions[0]), second.clone()]).unwrap();
        assert_eq!(bench.journal.acts(versions[0].id).unwrap(), [act(&versions[0]), second]);
        assert_eq!(bench.journal.acts(versions[1].id).unwrap(), []);
        // Without a run there is no report that the item could stand in.
        assert_eq!(bench.journal.items(bench.run, 0, 9).unwrap(), []);
        let tally: Vec<_> = bench.journal.tally().unwrap().iter().map(|tally| (tally.state, tally.count, tally.oldest)).collect();
        assert_eq!(tally, [(State::Ready, 1, T0 + 1), (State::Cancelled, 1, T0 + 50)]);
        let next = bench.journal.begin(&new_run(bench.scope, "run-2")).unwrap();
        bench.journal.end(next, T0 + 60, "{\"documents\":0}").unwrap();
        let runs = bench.journal.runs(9).unwrap();
        assert_eq!(runs.iter().map(|run| run.id).collect::<Vec<_>>(), [next, bench.run]);
        assert_eq!((runs[0].ended_at, runs[0].summary.as_deref()), (Some(T0 + 60), Some("{\"documents\":0}")));
        assert_eq!(bench.journal.runs(1).unwrap(), runs[..1]);
        assert_eq!(bench.journal.run("run-1").unwrap().unwrap(), runs[1]);
        assert_eq!(bench.journal.run("run-3").unwrap(), None);
        assert!(matches!(bench.journal.end(next + 1, T0, "{}"), Err(Error::Failed(_))));
        assert!(matches!(bench.journal.import(next + 1, &Import::default()), Err(Error::Failed(_))));
        assert!(matches!(bench.journal.promote(next + 1, T0), Err(Error::Failed(_))));
    });
}

/// Something that is asked of a journal; numbers pick from what is there.
#[derive(Debug, Clone)]
enum Ask {
    Import(Vec<(u8, bool)>),
    Move(u8, u8),
    Promote,
    Arm(Vec<u8>, Option<u8>),
    Keep(u8),
    Settle(u8, u8, Option<u8>, bool),
    Rule(u8, u8),
    NewRun,
}

fn asks() -> impl Strategy<Value = Vec<Ask>> {
    let ask = prop_oneof![
        3 => prop::collection::vec((0..5u8, any::<bool>()), 0..4).prop_map(Ask::Import),
        1 => (any::<u8>(), any::<u8>()).prop_map(|(version, event)| Ask::Move(version, event)),
        2 => Just(Ask::Promote),
        5 => (prop::collection::vec(any::<u8>(), 0..4), prop::option::of(any::<u8>())).prop_map(|(armed, old)| Ask::Arm(armed, old)),
        2 => any::<u8>().prop_map(Ask::Keep),
        6 => (any::<u8>(), any::<u8>(), prop::option::of(any::<u8>()), any::<bool>())
            .prop_map(|(version, event, older, is_late)| Ask::Settle(version, event, older, is_late)),
        2 => (any::<u8>(), any::<u8>()).prop_map(|(version, event)| Ask::Rule(version, event)),
        1 => Just(Ask::NewRun),
    ];
    prop::collection::vec(ask, 1..40)
}

fn event(number: u8) -> Event {
    match number % 11 {
        0 => Event::Accept,
        1 => Event::Reject(fault()),
        2 => Event::Doubt(fault()),
        3 => Event::NotSent,
        4 => Event::Submit { reference: "r".into(), ask_after: i64::from(number) },
        5 => Event::Ask { ask_after: number.is_multiple_of(2).then_some(7), presume: number.is_multiple_of(3) },
        6 => Event::Absent,
        7 => Event::Retry,
        8 => Event::Cancel,
        9 => Event::Hold(fault()),
        _ => Event::Release,
    }
}

/// Asks one thing, and tells all that can be told of what came of it.
fn tell(bench: &mut Bench, ask: &Ask, at: Millis) -> String {
    let pick = |bench: &mut Bench, number: u8| {
        let all: Vec<Version> = (1..).map_while(|id| bench.journal.version(id).unwrap()).collect();
        (!all.is_empty()).then(|| all[usize::from(number) % all.len()].clone())
    };
    // What the state machine does not allow is asked with a standing that is not the present one.
    let change = |version: &Version, event: Event| {
        step(&version.standing, event, at, RULES).map_or_else(
            |_| Move { epoch: version.standing.epoch + 1, ..Move::new(version, version.standing.clone()) },
            |to| Move::new(version, to),
        )
    };
    let (run, scope) = (bench.run, bench.scope);
    let said = match ask {
        Ask::Import(list) => {
            let mut part = Import::default();
            for (number, is_item) in list {
                let number = format!("N{number}");
                if *is_item {
                    part.items.push(item(&number, Outcome::Invalid));
                }
                let (_, last) = bench.journal.known(scope, &key(&number)).unwrap();
                part.new.push(new(&number, last + 1));
            }
            format!("{:?}", bench.journal.import(run, &part))
        }
        Ask::Move(version, number) => {
            let Some(version) = pick(bench, *version) else { return String::new() };
            let moves = vec![(change(&version, event(*number)), (number % 2 == 0).then(|| item("moved", Outcome::Held)))];
            format!("{:?}", bench.journal.import(run, &Import { moves, ..Import::default() }))
        }
        Ask::Promote => format!("{:?}", bench.journal.promote(run, at)),
        Ask::Arm(list, old) => {
            let versions: Vec<_> = list.iter().filter_map(|number| pick(bench, *number)).collect();
            let armed =
                versions.iter().map(|version| change(version, Event::Arm)).filter(|change| change.to.state == State::Armed);
            let old = old.and_then(|number| pick(bench, number)).map(|version| change(&version, Event::Supersede));
            let arm = Arm { run, scope, at, superseded: old.into_iter().collect(), armed: armed.collect() };
            match bench.journal.arm(&arm) {
                // Which one of two that contest each other is named does not matter.
                Err(Error::Fenced(_)) => "fenced".to_owned(),
                other => format!("{other:?}"),
            }
        }
        Ask::Keep(call) => format!("{:?}", bench.journal.keep(i64::from(call % 8), &answer("kept")).is_ok()),
        Ask::Settle(version, number, older, is_late) => {
            let Some(version) = pick(bench, *version) else { return String::new() };
            let attempts = bench.journal.attempts(version.id).unwrap();
            let attempt = if *is_late { attempts.first() } else { attempts.last() };
            let Some(call) = attempt.map(|attempt| attempt.call) else { return String::new() };
            let superseded = older.and_then(|number| pick(bench, number)).map(|version| version.id);
            let ruling = Ruling { to: change(&version, event(*number)), superseded, item: Some(item("s", Outcome::Accepted)) };
            format!("{:?}", bench.journal.settle(&Settle { call, run, rulings: vec![ruling] }))
        }
        Ask::Rule(version, number) => {
            let Some(version) = pick(bench, *version) else { return String::new() };
            let ruling = Ruling { to: change(&version, event(*number)), superseded: None, item: None };
            format!("{:?}", bench.journal.rule((number % 2 == 0).then_some(run), &[ruling], &[act(&version)]))
        }
        Ask::NewRun => {
            bench.run = bench.journal.begin(&new_run(scope, &format!("at {at}"))).unwrap();
            format!("{}", bench.run)
        }
    };
    let mut told = vec![said];
    let journal = &mut bench.journal;
    for state in State::ALL {
        told.push(format!("{:?}", journal.list(scope, state, i64::from(at % 2 == 0), 5).unwrap()));
    }
    for number in 0..5 {
        told.push(format!("{:?}", journal.known(scope, &key(&format!("N{number}"))).unwrap()));
    }
    for id in (1..).map_while(|id| journal.version(id).unwrap().map(|_| id)).collect::<Vec<_>>() {
        told.push(format!("{:?} {:?}", journal.attempts(id).unwrap(), journal.acts(id).unwrap()));
    }
    told.push(format!("{:?}", journal.due(scope, None, at, 5).unwrap()));
    told.push(format!("{:?}", journal.unsettled(scope).unwrap()));
    told.push(format!("{:?} {:?}", journal.tally().unwrap(), journal.payees(scope).unwrap()));
    told.push(format!("{:?} {:?}", journal.items(bench.run, 1, 5).unwrap(), journal.runs(3).unwrap()));
    told.join("\n")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn all_journals_say_the_same(asks in asks()) {
        let mut memory = bench("memory", Box::new(Memory::new()), None);
        let mut sqlite = bench("temporary", Box::new(Sqlite::temporary().unwrap()), None);
        // Time runs by more than the quarantine now and then.
        for (asked, at) in asks.iter().zip((T0..).step_by(250_000)) {
            let (expected, said) = (tell(&mut memory, asked, at), tell(&mut sqlite, asked, at));
            prop_assert_eq!(expected, said, "after {:?}", asked);
        }
    }
}
