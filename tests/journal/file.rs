//! What only a journal in a file can do: outlive a run, be held by another one, go back in time, be tampered with.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::*;

struct Folder {
    folder: tempfile::TempDir,
}

impl Folder {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn db(&self) -> PathBuf {
        self.path("payables.db")
    }

    fn try_open(&self) -> Result<Sqlite, Error> {
        Sqlite::open(&self.db(), Duration::ZERO)
    }

    fn bench(&self) -> Bench {
        bench("file", Box::new(self.try_open().unwrap()), None)
    }

    /// Changes the database behind the program's back.
    fn tamper(&self, sql: &str) {
        Connection::open(self.db()).unwrap().execute_batch(sql).unwrap();
    }

    fn findings(&self) -> Vec<String> {
        Sqlite::check(&self.db()).unwrap().iter().map(ToString::to_string).collect()
    }
}

fn unusable<T>(result: Result<T, Error>) -> String {
    match result {
        Err(Error::Unusable(why)) => why,
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("it was opened"),
    }
}

#[test]
fn what_was_stored_is_there_when_it_is_opened_again() {
    let folder = Folder::new();
    let mut bench = folder.bench();
    let versions = bench.ready(&[("A", 1), ("B", 1)]);
    let call = bench.arm(&versions);
    bench.journal.keep(call, &answer("yes")).unwrap();
    bench.settle(call, &versions[0], Event::Accept).unwrap();
    let open = format!("{:?}", bench.journal.unsettled(bench.scope).unwrap());
    drop(bench);
    let mut again = folder.try_open().unwrap();
    assert_eq!(format!("{:?}", again.unsettled(1).unwrap()), open);
    assert_eq!(again.version(versions[0].id).unwrap().unwrap().standing.state, State::Accepted);
    assert_eq!(again.payees(1).unwrap(), ["payee of A"]);
    assert_eq!(folder.findings(), Vec::<String>::new());
    // The log is emptied into the database when it is closed.
    drop(again);
    assert!(!folder.path("payables.db-wal").exists());
}

#[cfg(unix)]
#[test]
fn nobody_else_can_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let _bench = folder.bench();
    let names: Vec<_> = fs::read_dir(folder.folder.path()).unwrap().map(|entry| entry.unwrap()).collect();
    assert!(names.len() >= 6, "{names:?}");
    for entry in names {
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.path());
    }
}

#[test]
fn one_run_at_a_time() {
    let folder = Folder::new();
    let first = folder.try_open().unwrap();
    let began = Instant::now();
    let why = match folder.try_open() {
        Err(Error::Busy(why)) => why,
        other => panic!("{other:?}"),
    };
    assert!(began.elapsed() < Duration::from_secs(1));
    assert!(why.contains(&format!("another run (process {}, since 2", std::process::id())), "{why}");
    let began = Instant::now();
    assert!(matches!(Sqlite::open(&folder.db(), Duration::from_millis(200)), Err(Error::Busy(_))));
    assert!((Duration::from_millis(200)..Duration::from_secs(2)).contains(&began.elapsed()));
    // Another name of the same file is no way around it.
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(folder.db(), folder.path("other.db")).unwrap();
        assert!(matches!(Sqlite::open(&folder.path("other.db"), Duration::ZERO), Err(Error::Busy(_))));
    }
    // Whoever waits gets it.
    let waits = std::thread::spawn({
        let path = folder.db();
        move || Sqlite::open(&path, Duration::from_secs(10)).map(drop)
    });
    std::thread::sleep(Duration::from_millis(100));
    drop(first);
    waits.join().unwrap().unwrap();
}

/// Not a test: what the next one starts as another process.
#[test]
fn holds_it_for_another_test() {
    let Some(path) = std::env::var_os("JOURNAL_TO_HOLD") else { return };
    let _held = Sqlite::open(Path::new(&path), Duration::ZERO).unwrap();
    println!("\nheld");
    std::thread::sleep(Duration::from_secs(60));
}

#[test]
fn another_process_holds_it_until_it_dies() {
    let folder = Folder::new();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "journal::file::holds_it_for_another_test", "--nocapture"])
        .env("JOURNAL_TO_HOLD", folder.db())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap() == "held"));
    match folder.try_open() {
        Err(Error::Busy(why)) => assert!(why.contains(&format!("process {},", child.id())), "{why}"),
        other => panic!("{other:?}"),
    }
    child.kill().unwrap();
    child.wait().unwrap();
    folder.try_open().unwrap();
}

#[test]
fn a_reader_sees_what_is_stored_and_changes_nothing() {
    let folder = Folder::new();
    assert!(unusable(Sqlite::read(&folder.db())).contains("is not there"));
    let mut bench = folder.bench();
    let mut reader = Sqlite::read(&folder.db()).unwrap();
    let versions = bench.ready(&[("A", 1)]);
    assert_eq!(reader.find("A").unwrap()[0].1, versions[0]);
    assert_eq!(reader.scope(&scope("acme")).unwrap(), bench.scope);
    for refused in [reader.scope(&scope("other")).map(drop), reader.begin(&new_run(1, "x")).map(drop), reader.report(1, &[])] {
        assert!(matches!(refused, Err(Error::Failed(why)) if why.contains("for reading only")));
    }
    drop(bench);
    assert_eq!(Sqlite::read(&folder.db()).unwrap().tally().unwrap()[0].count, 1);
}

#[test]
fn what_cannot_be_a_journal_is_refused_with_its_name() {
    let folder = Folder::new();
    let why = unusable(Sqlite::open(&folder.path("no/payables.db"), Duration::ZERO));
    assert!(why.contains("no/payables.db") && why.contains("make it first"), "{why}");
    assert!(unusable(Sqlite::open(folder.folder.path(), Duration::ZERO)).contains("a folder"));
    fs::write(folder.path("text.db"), "this is a text, and has been one for a long time. ".repeat(100)).unwrap();
    let why = unusable(Sqlite::open(&folder.path("text.db"), Duration::ZERO));
    assert!(why.contains("text.db is not a database"), "{why}");
    Connection::open(folder.path("other.db")).unwrap().execute_batch("CREATE TABLE t (x)").unwrap();
    assert!(unusable(Sqlite::open(&folder.path("other.db"), Duration::ZERO)).contains("of another program"));
    drop(folder.bench());
    folder.tamper("PRAGMA user_version = 99");
    assert!(unusable(folder.try_open()).contains("newer version"));
    assert!(unusable(Sqlite::read(&folder.db())).contains("newer version"));
}

/// Arms and settles one call, so that time goes on.
fn go_on(folder: &Folder, number: &str) {
    let mut bench = folder.bench();
    let version = bench.ready(&[(number, 1)])[0].clone();
    let call = bench.arm_at(std::slice::from_ref(&version), T0 + 3_600_000).unwrap();
    bench.settle(call, &version, Event::Accept).unwrap();
}

#[test]
fn a_journal_that_was_put_back_is_found_out() {
    let folder = Folder::new();
    let mut bench = folder.bench();
    let held = new("H", 1);
    let held = NewVersion { standing: step(&held.standing, Event::Hold(fault()), T0, RULES).unwrap(), ..held };
    bench.journal.import(bench.run, &Import { new: vec![held], ..Import::default() }).unwrap();
    let versions = bench.ready(&[("A", 1), ("B", 1), ("C", 1), ("D", 1)]);
    let newer = bench.ready(&[("B", 2)])[0].clone();
    let call = bench.arm(&versions[2..]);
    bench.settle(call, &versions[2], Event::Accept).unwrap();
    bench.settle(call, &versions[3], Event::Reject(fault())).unwrap();
    drop(bench);
    fs::copy(folder.db(), folder.path("copy")).unwrap();
    go_on(&folder, "X");
    fs::copy(folder.path("copy"), folder.db()).unwrap();
    let why = unusable(folder.try_open());
    assert!(
        why.contains(
            "payables.db was put back from an older copy: 1 calls between 2026-01-01T00:00:00Z and 2026-01-01T01:00:00Z"
        ),
        "{why}"
    );
    assert!(why.contains("--accept-rollback"), "{why}");
    assert!(folder.findings()[0].contains("older copy"), "{:?}", folder.findings());
    // A, the newer B and D are in doubt. C was accepted. H stays held, for nobody has let it go.
    assert_eq!(Sqlite::accept_rollback(&folder.db(), "me", "the disk was replaced").unwrap(), 3);
    let mut bench = folder.bench();
    assert_eq!(bench.states("C"), [State::Accepted]);
    assert_eq!(bench.states("B"), [State::InDoubt, State::Held]);
    for version in [&versions[0], &newer, &versions[3]] {
        let version = bench.again(version);
        assert_eq!((version.standing.state, version.standing.doubtful, version.standing.rest_until), (State::InDoubt, true, 0));
        let act = bench.journal.acts(version.id).unwrap()[0].clone();
        assert_eq!((act.verb.as_str(), act.who.as_str()), ("accept-rollback", "me"));
        assert!(act.reason.starts_with("the disk was replaced (the journal was put back"), "{}", act.reason);
    }
    assert_eq!(bench.states("H"), [State::Held]);
    // The number of the call that is lost is not used again.
    let next = bench.ready(&[("Y", 1)])[0].clone();
    assert_eq!(bench.arm(&[next]), 3);
    drop(bench);
    assert_eq!(folder.findings(), Vec::<String>::new());
    assert!(unusable(Sqlite::accept_rollback(&folder.db(), "me", "the disk was replaced")).contains("nothing to accept"));
}

#[test]
fn a_journal_that_is_gone_or_exchanged_is_found_out_and_a_copied_one_goes_on() {
    let folder = Folder::new();
    drop(folder.bench());
    go_on(&folder, "A");
    fs::copy(folder.db(), folder.path("moved.db")).unwrap();
    fs::remove_file(folder.db()).unwrap();
    let why = unusable(folder.try_open());
    assert!(why.contains("is gone, but") && why.contains("payables.db-hwm"), "{why}");
    assert!(!folder.db().exists());
    fs::write(folder.db(), "").unwrap();
    assert!(unusable(folder.try_open()).contains("is gone, but"));
    let other = Folder::new();
    drop(other.bench());
    fs::copy(other.db(), folder.db()).unwrap();
    assert!(unusable(folder.try_open()).contains("replaced by another one"));
    // A copy without its mark is taken as it is, and has one from then on.
    let mut moved = Sqlite::open(&folder.path("moved.db"), Duration::ZERO).unwrap();
    assert_eq!(moved.find("A").unwrap().len(), 1);
    assert!(folder.path("moved.db-hwm").exists());
    // One that is damaged is not taken for none.
    drop(moved);
    fs::write(folder.path("moved.db-hwm"), "x").unwrap();
    assert!(unusable(Sqlite::open(&folder.path("moved.db"), Duration::ZERO)).contains("moved.db-hwm is damaged"));
}

const WITHOUT_GUARDS: &str = "DROP TRIGGER evidence_is_not_changed; DROP TRIGGER evidence_is_not_deleted; \
     DROP TRIGGER act_is_not_changed; DROP TRIGGER act_is_not_deleted; ";

/// A journal with three answers and two acts in it.
fn told() -> Folder {
    let folder = Folder::new();
    let mut bench = folder.bench();
    let a = bench.ready(&[("A", 1)])[0].clone();
    let call = bench.arm(std::slice::from_ref(&a));
    for body in ["one", "two", "three"] {
        bench.journal.keep(call, &answer(body)).unwrap();
    }
    bench.journal.rule(None, &[], &[act(&a), act(&a)]).unwrap();
    folder
}

#[test]
fn evidence_and_acts_are_not_changed() {
    let folder = told();
    let connection = Connection::open(folder.db()).unwrap();
    for sql in [
        "UPDATE evidence SET status = 500",
        "UPDATE evidence SET body = X'0102'",
        "UPDATE evidence SET body = NULL, status = 500",
        "DELETE FROM evidence",
        "INSERT OR REPLACE INTO act SELECT * FROM act WHERE id = 1",
        "UPDATE act SET who = 'x'",
        "DELETE FROM act",
    ] {
        let refused = connection.execute_batch(&format!("PRAGMA recursive_triggers = ON; {sql}"));
        assert!(refused.unwrap_err().to_string().contains("append-only"), "{sql}");
    }
    // A body is pruned once; then there is nothing left to change.
    connection.execute_batch("UPDATE evidence SET body = NULL").unwrap();
    assert!(connection.execute_batch("UPDATE evidence SET body = NULL").is_err());
    drop(connection);
    assert_eq!(folder.findings(), Vec::<String>::new());
}

#[test]
fn a_chain_shows_what_was_changed() {
    for (sql, finding) in [
        ("UPDATE evidence SET status = 500 WHERE id = 2", "evidence 2 was changed"),
        ("UPDATE evidence SET body = X'0102' WHERE id = 2", "the body of evidence 2 was changed"),
        ("UPDATE evidence SET headers = '[]' WHERE id = 3", "evidence 3 was changed"),
        ("UPDATE evidence SET hash = zeroblob(32) WHERE id = 1", "evidence 2 does not follow"),
        ("DELETE FROM evidence WHERE id = 1", "evidence 2 does not follow"),
        ("DELETE FROM evidence WHERE id = 2", "evidence 3 does not follow"),
        ("UPDATE act SET who = 'somebody' WHERE id = 1", "act 1 was changed"),
        ("DELETE FROM act WHERE id = 1", "act 2 does not follow"),
    ] {
        let folder = told();
        folder.tamper(&format!("{WITHOUT_GUARDS}{sql}"));
        let findings = folder.findings();
        assert!(findings.iter().any(|what| what.contains(finding)), "{sql}: {findings:?}");
        assert!(findings.iter().any(|what| what.contains("evidence_is_not_changed") && what.contains("by hand")), "{findings:?}");
    }
}

#[test]
fn parts_that_do_not_agree_are_found() {
    for (sql, finding) in [
        ("UPDATE attempt SET outcome = 'accepted'", "no attempt is open, although it is armed, of version 1"),
        ("UPDATE version SET state = 'ready'", "an attempt is open, although it is not armed, of version 1"),
        ("DELETE FROM payload", "what would be sent is missing of version 1"),
        ("PRAGMA foreign_keys = OFF; DELETE FROM run", "speaks of a row of run"),
        ("UPDATE version SET epoch = 0", "an attempt is later than what stands of version 1"),
        ("CREATE TRIGGER more AFTER INSERT ON run BEGIN SELECT 1; END", "the part more of the database was added"),
    ] {
        let folder = told();
        folder.tamper(sql);
        let findings = folder.findings();
        assert!(findings.iter().any(|what| what.contains(finding)), "{sql}: {findings:?}");
    }
}

#[test]
fn everything_is_exported() {
    let folder = told();
    let mut lines = Vec::new();
    Sqlite::read(&folder.db()).unwrap().export(&mut lines).unwrap();
    let lines: Vec<serde_json::Value> =
        String::from_utf8(lines).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |name: &str| lines.iter().filter_map(|line| line.get(name)).collect::<Vec<_>>();
    assert_eq!((of("run").len(), of("attempt").len(), of("evidence").len(), of("act").len()), (1, 1, 3, 2));
    let version = of("version")[0];
    assert_eq!((&version["number"], &version["payload"]), (&"A".into(), &"<PO>A</PO>".into()));
    assert_eq!((&version["item"]["amount"], &version["state"]), (&"12.50".into(), &"armed".into()));
    assert_eq!(version["digest"], "07".repeat(32));
    assert_eq!(of("evidence")[2]["headers"][0][0], "date");
}

#[test]
fn pruning_takes_what_is_over_and_leaves_what_guards() {
    let folder = Folder::new();
    let mut bench = folder.bench();
    let large = |number: &str| NewVersion { payload: vec![b'x'; 100_000], ..new(number, 1) };
    let part = Import { new: vec![large("A"), large("B"), large("C")], ..Import::default() };
    bench.journal.import(bench.run, &part).unwrap();
    bench.journal.promote(bench.run, T0).unwrap();
    let versions = bench.journal.list(bench.scope, State::Ready, 0, 9).unwrap();
    let (first, second) = (bench.arm(&versions[..1]), bench.arm(&versions[1..]));
    for call in [first, second] {
        bench.journal.keep(call, &answer(&"y".repeat(200_000))).unwrap();
    }
    bench.settle(first, &versions[0], Event::Accept).unwrap();
    bench.settle(second, &versions[1], Event::Accept).unwrap();
    bench.settle(second, &versions[2], Event::Doubt(fault())).unwrap();
    bench.journal.end(bench.run, T0 + 20, "{}").unwrap();
    drop(bench);
    let mut journal = folder.try_open().unwrap();
    // What was over at that very time is not older than it.
    let nothing = journal.prune(T0 + 10, "me").unwrap();
    assert_eq!((nothing.payloads, nothing.bodies, nothing.items), (0, 0, 0));
    let size = fs::metadata(folder.db()).unwrap().len();
    let there = journal.prunable(T0 + 100).unwrap();
    assert_eq!((there.payloads, there.bodies, there.items), (2, 1, 3));
    let pruned = journal.prune(T0 + 100, "me").unwrap();
    assert_eq!((pruned.payloads, pruned.bodies, pruned.items), (2, 1, 3));
    assert!(pruned.bytes >= 380_000, "{pruned:?}");
    assert!(fs::metadata(folder.db()).unwrap().len() <= size - 380_000);
    assert_eq!(journal.payload(versions[0].id).unwrap(), None);
    assert!(journal.payload(versions[2].id).unwrap().is_some());
    // A pruned answer is one that is not judged again.
    let evidence = &journal.attempts(versions[0].id).unwrap()[0].evidence[0];
    assert_eq!((evidence.body.len(), evidence.cut), (0, true));
    assert_eq!(journal.attempts(versions[2].id).unwrap()[0].evidence[0].body.len(), 200_000);
    assert_eq!(journal.find("A").unwrap()[0].1.memo, versions[0].memo);
    assert_eq!(folder.findings(), Vec::<String>::new());
}

#[test]
fn a_run_that_has_told_its_end_has_given_its_journal_back() {
    use payables_bridge::{bridge::Bridge, intake::Input, vendors::tipalti::Tipalti, wire::Secret};
    let folder = Folder::new();
    let endpoint = "http://127.0.0.1:9/v6/payerfunctions.asmx".to_owned();
    let target = std::sync::Arc::new(Tipalti { payer_name: "AcmeCorp".to_owned(), endpoint, ..Tipalti::default() });
    for _ in 0..20 {
        // A process that another test starts just now has the lock as well, for a moment.
        let journal = Sqlite::open(&folder.db(), Duration::from_secs(5)).unwrap();
        let builder = Bridge::builder().vendor(target.clone()).credentials(Secret::new("key")).journal(journal);
        let run = builder.build().unwrap().submit(vec![Input::new("orders.jsonl", &b"[]"[..])]);
        run.blocking_summary().unwrap();
        assert_eq!(std::sync::Arc::strong_count(&target), 1, "the bridge is still there, and its journal with it");
    }
}
