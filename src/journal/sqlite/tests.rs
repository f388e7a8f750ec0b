//! What cannot be seen from outside: how rows are found, what a full disk and a failed commit do, and what it all costs.

use std::path::Path;
use std::time::Instant;

use super::*;
use crate::engine::state::{Event, Rules, Standing, step};
use crate::journal::{EvidenceKind, MOST_EVIDENCE, Move, NewVersion};
use crate::model::Kind;

const RULES: Rules = Rules { repeatable: true, quarantine: 600_000 };
const T0: Millis = 1_767_225_600_000;

fn open(folder: &Path) -> Sqlite {
    Sqlite::open(&folder.join("payables.db"), Duration::ZERO).unwrap()
}

fn begun(journal: &mut Sqlite) -> (ScopeId, RunId) {
    let word = || "word".to_owned();
    let scope = journal.scope(&Scope { kind: word(), environment: word(), endpoint: word(), account: word() }).unwrap();
    let run = NewRun { name: word(), scope, target: word(), at: T0, inputs: vec![] };
    (scope, journal.begin(&run).unwrap())
}

fn item(number: &str) -> Item {
    let json = serde_json::json!({ "kind": "purchase_order", "number": number, "outcome": "accepted", "faults": [] });
    serde_json::from_value(json).unwrap()
}

fn new(number: usize, payload: usize) -> NewVersion {
    let number = format!("PO-{number:08}");
    NewVersion {
        item: item(&number),
        key: Key { kind: Kind::PurchaseOrder, owner: String::new(), number },
        revision: 1,
        digest: [7; 32],
        memo: vec![3; 100],
        payee: Some("somebody".into()),
        standing: Standing::received(T0),
        payload: vec![b'x'; payload],
    }
}

fn armed(journal: &mut Sqlite, scope: ScopeId, run: RunId, most: usize) -> (CallId, Vec<Version>) {
    let ready = journal.list(scope, State::Ready, 0, most).unwrap();
    let moves = ready.iter().map(|version| Move::new(version, step(&version.standing, Event::Arm, T0, RULES).unwrap()));
    let call = journal.arm(&Arm { run, scope, at: T0, superseded: vec![], armed: moves.collect() }).unwrap();
    (call, ready)
}

fn answer(bytes: usize) -> Evidence {
    Evidence { at: T0, kind: EvidenceKind::Answer, status: 200, headers: vec![], body: vec![b'y'; bytes], cut: false }
}

fn one_armed(folder: &Path) -> (Sqlite, CallId, VersionId) {
    let mut journal = open(folder);
    let (scope, run) = begun(&mut journal);
    journal.import(run, &Import { new: vec![new(1, 10)], ..Import::default() }).unwrap();
    journal.promote(run, T0).unwrap();
    let (call, versions) = armed(&mut journal, scope, run, 1);
    (journal, call, versions[0].id)
}

#[test]
fn what_runs_ask_for_is_found_without_looking_at_what_is_over() {
    let journal = Sqlite::temporary().unwrap();
    let asked = [
        read::ONE_VERSION,
        read::KNOWN,
        read::LAST_REVISION,
        read::LIST,
        read::DUE,
        read::PAYLOAD,
        read::PAYEES,
        read::OPEN_CALLS,
        read::NUMBERS,
        read::EVIDENCE,
        read::LAST_EVIDENCE,
        read::RUN,
        read::ITEMS,
        write::PROMOTE,
    ];
    for sql in asked {
        let mut statement = journal.connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let count = statement.parameter_count();
        let params = rusqlite::params_from_iter((0..count).map(|_| 1));
        let plan: Vec<String> =
            statement.query_map(params, |row| row.get(3)).unwrap().collect::<std::result::Result<_, _>>().unwrap();
        // Open attempts are all that their index has in it, so that one may be gone through from end to end.
        let looks_at_all = |step: &&String| step.starts_with("SCAN") && !step.contains("one_open_attempt");
        assert!(!plan.iter().any(|step| looks_at_all(&step)), "{sql}\n{plan:#?}");
        // Nothing is sorted but what is on its way, and the versions of one document.
        let sorts = plan.iter().any(|step| step.contains("TEMP B-TREE"));
        assert!(!sorts || [read::OPEN_CALLS, read::KNOWN].contains(&sql), "{sql}\n{plan:#?}");
    }
}

#[test]
fn a_full_disk_leaves_the_answer_in_the_spill_file() {
    let folder = tempfile::tempdir().unwrap();
    let (mut journal, call, version) = one_armed(folder.path());
    let pages: i64 = journal.connection.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    journal.connection.execute_batch(&format!("PRAGMA max_page_count = {pages}")).unwrap();
    for bytes in [MOST_EVIDENCE, 20_000] {
        let why = journal.keep(call, &answer(bytes)).unwrap_err().to_string();
        assert!(why.contains("the disk is full") && why.contains("payables.db-spill, and the next run reads it"), "{why}");
    }
    // Nothing of it is in the journal, which is as whole as it was.
    assert_eq!(journal.attempts(version).unwrap()[0].evidence, []);
    drop(journal);
    let spilled = Sqlite::check(&folder.path().join("payables.db")).unwrap();
    assert_eq!(spilled.len(), 2);
    assert!(spilled[0].what.contains("what came back of call 1 (answer, status 200) lies in the spill file"), "{spilled:?}");
    let mut journal = open(folder.path());
    assert_eq!(journal.attempts(version).unwrap()[0].evidence, [answer(MOST_EVIDENCE), answer(20_000)]);
    drop(journal);
    assert_eq!(open(folder.path()).attempts(version).unwrap()[0].evidence.len(), 2);
    assert_eq!(Sqlite::check(&folder.path().join("payables.db")).unwrap(), []);
}

#[test]
fn an_answer_that_is_there_is_not_taken_twice_and_one_to_a_lost_call_leaves_a_note() {
    let folder = tempfile::tempdir().unwrap();
    let (mut journal, call, version) = one_armed(folder.path());
    journal.keep(call, &answer(10)).unwrap();
    let keeper = journal.keeper.as_mut().unwrap();
    keeper.spill.put(call, &answer(10)).unwrap();
    keeper.spill.put(call + 7, &answer(20)).unwrap();
    drop(journal);
    let mut journal = open(folder.path());
    assert_eq!(journal.attempts(version).unwrap()[0].evidence.len(), 1);
    let note: String =
        journal.connection.query_row("SELECT reason FROM act WHERE version IS NULL", [], |row| row.get(0)).unwrap();
    assert!(note.contains("call 8 is not in the journal") && note.ends_with(&"y".repeat(20)), "{note}");
}

#[test]
fn after_a_failed_commit_nothing_goes_on_and_answers_are_still_kept() {
    let folder = tempfile::tempdir().unwrap();
    let (mut journal, call, version) = one_armed(folder.path());
    let failed = journal.write(|connection| {
        // A reference that leads nowhere is found out by the commit itself.
        connection.execute_batch("PRAGMA defer_foreign_keys = ON; INSERT INTO payee VALUES (99, 'x')")?;
        Ok(())
    });
    assert!(matches!(failed, Err(Error::Failed(why)) if why.contains("a commit failed")));
    for error in [
        journal.report(1, &[]).unwrap_err(),
        journal.version(version).map(drop).unwrap_err(),
        journal.scopes().map(drop).unwrap_err(),
        journal.end(1, T0, "{}").unwrap_err(),
        journal.prune(T0, "me").map(drop).unwrap_err(),
    ] {
        assert!(matches!(&error, Error::Failed(why) if why.contains("nothing more is stored until the next run")), "{error}");
    }
    let arm = Arm { run: 1, scope: 1, at: T0, superseded: vec![], armed: vec![] };
    assert!(matches!(journal.arm(&arm), Err(Error::Failed(_))));
    let why = journal.keep(call, &answer(10)).unwrap_err().to_string();
    assert!(why.contains("the next run reads it"), "{why}");
    drop(journal);
    let mut journal = open(folder.path());
    assert_eq!(journal.payees(99).unwrap(), Vec::<String>::new());
    assert_eq!(journal.attempts(version).unwrap()[0].evidence, [answer(10)]);
}

#[test]
fn a_mark_that_cannot_be_written_stops_the_call() {
    let folder = tempfile::tempdir().unwrap();
    let (mut journal, ..) = one_armed(folder.path());
    journal.import(1, &Import { new: vec![new(2, 10)], ..Import::default() }).unwrap();
    journal.promote(1, T0).unwrap();
    journal.keeper.as_mut().unwrap().mark.break_for_test(&folder.path().join("payables.db-hwm"));
    let ready = journal.list(1, State::Ready, 0, 1).unwrap();
    let moves = ready.iter().map(|version| Move::new(version, step(&version.standing, Event::Arm, T0, RULES).unwrap()));
    let arm = Arm { run: 1, scope: 1, at: T0, superseded: vec![], armed: moves.collect() };
    assert!(matches!(journal.arm(&arm), Err(Error::Failed(why)) if why.contains("-hwm cannot be written")));
    assert!(matches!(journal.scopes(), Err(Error::Failed(_))));
    drop(journal);
    // The intent is there, so the next run asks what became of it.
    assert_eq!(open(folder.path()).unsettled(1).unwrap().len(), 2);
}

/// What it costs: `cargo test --release --all-features --lib -- --ignored --nocapture costs`, one at a time.
#[test]
#[ignore = "a measurement"]
fn ten_thousand_documents_cost() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = open(folder.path());
    let (scope, run) = begun(&mut journal);
    let parts: Vec<Import> = (0..10)
        .map(|part| Import { new: (0..1000).map(|at| new(part * 1000 + at, 2500)).collect(), ..Import::default() })
        .collect();
    let (began, (user, system)) = (Instant::now(), cpu_ticks());
    let cpu = |what: &str, began: Instant| {
        let now = cpu_ticks();
        println!("{what}: {:?}, CPU in ticks of 10 ms: {} user, {} system", began.elapsed(), now.0 - user, now.1 - system);
    };
    for part in &parts {
        journal.import(run, part).unwrap();
    }
    cpu("import", began);
    journal.promote(run, T0).unwrap();
    cpu("promote", began);
    let mut arms = Duration::ZERO;
    for _ in 0..200 {
        let before = Instant::now();
        let (call, versions) = armed(&mut journal, scope, run, 50);
        arms += before.elapsed();
        journal.keep(call, &answer(8000)).unwrap();
        settle(&mut journal, run, call, &versions);
    }
    cpu("all", began);
    println!("200 arms took {arms:?}");
    let before = Instant::now();
    for _ in 0..2000 {
        journal.arm(&Arm { run, scope, at: T0, superseded: vec![], armed: vec![] }).unwrap();
    }
    println!("arms: {} each second", 2_000_000_000 / before.elapsed().as_micros().max(1));
}

fn settle(journal: &mut Sqlite, run: RunId, call: CallId, versions: &[Version]) {
    let rulings = versions.iter().map(|version| {
        let to = step(&version.standing, Event::Arm, T0, RULES).and_then(|armed| step(&armed, Event::Accept, T0, RULES)).unwrap();
        let from = Move { from: State::Armed, epoch: to.epoch, version: version.id, to };
        Ruling { to: from, superseded: None, item: Some(item(&version.key.number)) }
    });
    journal.settle(&Settle { call, run, rulings: rulings.collect() }).unwrap();
}

/// A million accepted versions, and what a start-up asks then.
#[test]
#[ignore = "a measurement"]
fn a_million_documents_cost() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = open(folder.path());
    let (scope, run) = begun(&mut journal);
    for part in 0..1000 {
        journal
            .import(run, &Import { new: (0..1000).map(|at| new(part * 1000 + at, 200)).collect(), ..Import::default() })
            .unwrap();
        journal.promote(run, T0).unwrap();
        let (call, versions) = armed(&mut journal, scope, run, 1000);
        settle(&mut journal, run, call, &versions);
    }
    journal.import(run, &Import { new: (1_000_000..1_000_200).map(|at| new(at, 200)).collect(), ..Import::default() }).unwrap();
    journal.promote(run, T0).unwrap();
    armed(&mut journal, scope, run, 50);
    drop(journal);
    let time = |what: &str, began: Instant| println!("{what}: {:?}", began.elapsed());
    for _ in 0..2 {
        let began = Instant::now();
        let mut journal = open(folder.path());
        time("open", began);
        let began = Instant::now();
        assert_eq!(journal.unsettled(scope).unwrap().len(), 1);
        time("unsettled (50 documents)", began);
        for state in [State::Ready, State::InDoubt, State::Received] {
            let began = Instant::now();
            let list = journal.list(scope, state, 0, 50).unwrap().len();
            time(&format!("list {} ({list})", state.word()), began);
        }
        let began = Instant::now();
        journal.due(scope, None, Millis::MAX, 50).unwrap();
        time("due", began);
        let began = Instant::now();
        assert_eq!(journal.known(scope, &new(500_000, 0).key).unwrap().0.len(), 1);
        time("known", began);
        let began = Instant::now();
        for at in 0..1000 {
            journal.known(scope, &new(at * 997, 0).key).unwrap();
        }
        time("known, a thousand times", began);
        let began = Instant::now();
        journal.tally().unwrap();
        time("tally", began);
        drop(journal);
    }
}

fn cpu_ticks() -> (u64, u64) {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    (fields[11].parse().unwrap(), fields[12].parse().unwrap())
}
