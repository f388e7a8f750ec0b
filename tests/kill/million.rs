//! How long a restart takes when the journal knows a million documents.

use std::fs::{self, File};
use std::process::Stdio;
use std::time::{Duration, Instant};

use payables_bridge::adapter::Submit as _;
use payables_bridge::engine::record::Key;
use payables_bridge::engine::state::{Standing, State};
use payables_bridge::journal::{Import, Journal as _, NewRun, NewVersion, Sqlite};
use payables_bridge::model::Kind;
use payables_bridge::outcome::Outcome;
use payables_bridge::report::Item;
use payables_bridge::vendors::tipalti::Tipalti;

use super::Running;
use super::story::{PAYER, Story, Wanted};
use crate::support::payables;

const DOCUMENTS: usize = 1_000_000;
const PART: usize = 20_000;
/// From the start of a process to its first call.
const BAR: Duration = Duration::from_secs(2);
/// Some day of 2026.
const AT: i64 = 1_767_225_600_000;

/// An order that was accepted long ago.
fn version(number: usize) -> NewVersion {
    let name = format!("OLD-{number:07}");
    let mut digest = [0; 32];
    digest[..8].copy_from_slice(&number.to_be_bytes());
    let item = Item {
        kind: Some(Kind::PurchaseOrder),
        number: Some(name.clone()),
        outcome: Outcome::Planned,
        reference: None,
        faults: vec![],
        source: None,
        plan: None,
        amount: None,
    };
    let key = Key { kind: Kind::PurchaseOrder, owner: String::new(), number: name };
    let standing = Standing { state: State::Accepted, epoch: 1, first_armed_at: AT, ..Standing::received(AT) };
    let payload = b"<TipaltiPurchaseOrderItem/>".to_vec();
    NewVersion { key, revision: 1, digest, memo: vec![], payee: None, item, standing, payload }
}

/// Fills a journal, and tells how.
fn fill(story: &Story) {
    let began = Instant::now();
    let mut journal = Sqlite::open(&story.journal(), Duration::ZERO).unwrap();
    let target = Tipalti { payer_name: PAYER.to_owned(), endpoint: story.endpoint(), ..Tipalti::default() };
    let scope = journal.scope(&target.scope()).unwrap();
    let run = NewRun { name: "old".to_owned(), scope, target: "tipalti".to_owned(), at: AT, inputs: vec![] };
    let run = journal.begin(&run).unwrap();
    for part in 0..DOCUMENTS / PART {
        let new = (part * PART..(part + 1) * PART).map(version).collect();
        journal.import(run, &Import { new, ..Import::default() }).unwrap();
    }
    journal.promote(run, AT).unwrap();
    journal.end(run, AT, "{}").unwrap();
    drop(journal);
    let size = fs::metadata(story.journal()).unwrap().len() >> 20;
    println!("filled with {DOCUMENTS} documents in {:?}, {size} MiB", began.elapsed());
}

/// Starts the program and waits for its first call.
fn start(story: &Story) -> (Running, Duration) {
    let mut command = payables();
    command.current_dir(&story.folder).args(["sync", "orders.jsonl", "--to", "tipalti", "--output", "ndjson"]);
    let errors = File::create(story.folder.path().join("errors")).unwrap();
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(errors);
    let before = story.sandbox.ledger().calls;
    let began = Instant::now();
    let mut running = Running(command.spawn().unwrap());
    while story.sandbox.ledger().calls == before {
        let errors = || fs::read_to_string(story.folder.path().join("errors"));
        assert!(running.0.try_wait().unwrap().is_none(), "it sent nothing: {:?}", errors());
        assert!(began.elapsed() < BAR * 30, "it sends nothing");
        std::thread::sleep(Duration::from_micros(200));
    }
    (running, began.elapsed())
}

#[test]
#[ignore = "it fills a journal of several hundred megabytes; to be run by name, in release"]
fn a_restart_with_a_million_documents_sends_at_once() {
    // The answer takes long enough to be killed before it.
    let mut story = Story::begin("a million".to_owned(), &["slow:ms=500,times=1"]);
    story.configure(1, 0);
    fill(&story);
    let mut wanted = Wanted::from([("PO-0001".to_owned(), 1)]);
    story.write(&wanted);
    let (mut running, first) = start(&story);
    running.0.kill().unwrap();
    running.0.wait().unwrap();
    // What was on its way is replayed at once, and so is what is new.
    wanted.insert("PO-0002".to_owned(), 1);
    story.write(&wanted);
    let (mut running, again) = start(&story);
    assert!(running.0.wait().unwrap().success());
    println!("first call {first:?} after the start, {again:?} after the start that followed a kill");
    assert_eq!(story.sandbox.ledger().orders.len(), 2);
    assert!(first < BAR && again < BAR, "{first:?}, {again:?}");
}
