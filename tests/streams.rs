//! Runs as streams that nobody reads, and runs whose journal fails in the middle: nothing is forgotten either way.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use payables_bridge::adapter::Scope;
use payables_bridge::bridge::{Bridge, BridgeBuilder};
use payables_bridge::engine::state::{Millis, State};
use payables_bridge::intake::Input;
use payables_bridge::journal::{
    Act, Arm, Attempt, CallId, Error, Evidence, Import, Journal, Key, Memory, NewRun, OpenCall, Result, Ruling, RunId, RunRecord,
    ScopeId, Settle, Sqlite, Tally, Version, VersionId,
};
use payables_bridge::outcome::Outcome;
use payables_bridge::report::Item;
use payables_bridge::transport::{Permit, Sending, Transport};
use payables_bridge::vendors::tipalti::Tipalti;
use payables_bridge::wire::{Secret, WireRequest, WireResponse};

use crate::support::order;

/// A vendor that accepts everything, and counts.
#[derive(Default)]
struct Welcoming {
    calls: AtomicUsize,
}

impl Transport for Welcoming {
    fn send(&self, request: WireRequest, _: Permit) -> Sending<'_> {
        Box::pin(async move {
            self.calls.fetch_add(1, Ordering::SeqCst);
            let body = String::from_utf8(request.body).unwrap();
            let numbers = body.split("<PurchaseOrderNumber>").skip(1).map(|part| part.split_once('<').unwrap().0);
            let rows: String = numbers
                .map(|number| {
                    format!(
                        "<TipaltiPurchaseOrderItemResult><Succeeded>true</Succeeded><PurchaseOrderNumber>{number}\
                         </PurchaseOrderNumber></TipaltiPurchaseOrderItemResult>"
                    )
                })
                .collect();
            let reply = format!(
                "<soap:Envelope xmlns:soap=\"http://www.w3.org/2003/05/soap-envelope\"><soap:Body>\
                 <CreateOrUpdatePurchaseOrdersResponse xmlns=\"http://Tipalti.org/\"><CreateOrUpdatePurchaseOrdersResult>\
                 <errorCode>OK</errorCode><PurchaseOrderErrors>{rows}</PurchaseOrderErrors>\
                 </CreateOrUpdatePurchaseOrdersResult></CreateOrUpdatePurchaseOrdersResponse></soap:Body></soap:Envelope>"
            );
            Ok(WireResponse { status: 200, body: reply.into_bytes(), ..WireResponse::default() })
        })
    }
}

fn orders(count: usize) -> String {
    (1..=count).map(|number| order(&format!("PO-{number}")) + "\n").collect()
}

fn bridge(batch_size: usize, vendor: &Arc<Welcoming>, journal: impl Journal + 'static) -> BridgeBuilder {
    let target = Tipalti { batch_size, endpoint: "https://vendor.example/".to_owned(), ..Tipalti::default() };
    let transport = Arc::clone(vendor) as Arc<dyn Transport>;
    Bridge::builder().vendor(Arc::new(target)).credentials(Secret::new("k")).journal(journal).transport(transport).pace(0, 1)
}

fn counted(db: &Path, state: State) -> u64 {
    let mut journal = Sqlite::read_if_any(db).unwrap().unwrap();
    journal.tally().unwrap().iter().filter(|tally| tally.state == state).map(|tally| tally.count).sum()
}

#[test]
fn a_stream_that_nobody_reads_holds_new_calls_back_and_no_record() {
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("payables.db");
    let vendor = Arc::new(Welcoming::default());
    let journal = Sqlite::open(&db, Duration::ZERO).unwrap();
    let bridge = bridge(1, &vendor, journal).concurrency(4).build().unwrap();
    let mut items = bridge.submit(vec![Input::new("orders", std::io::Cursor::new(orders(600).into_bytes()))]);
    // Until nothing moves any more.
    let (mut before, began) = (0, Instant::now());
    loop {
        std::thread::sleep(Duration::from_millis(150));
        let now = vendor.calls.load(Ordering::SeqCst);
        if now >= 200 && now == before {
            break;
        }
        before = now;
        assert!(began.elapsed() < Duration::from_secs(60), "{now} calls");
    }
    assert!((200..300).contains(&before), "{before} calls were made while nobody read");
    assert_eq!((counted(&db, State::Accepted), counted(&db, State::Armed)), (before as u64, 0));
    assert_eq!(items.blocking().filter(|item| item.outcome == Outcome::Accepted).count(), 600);
    assert_eq!(vendor.calls.load(Ordering::SeqCst), 600);
}

/// What is asked of a journal that writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Write {
    Import,
    Promote,
    Arm,
    Keep,
    Settle,
    End,
}

/// A journal that can be read always, and fails for good at the so-many-th write of one kind.
struct Failing {
    memory: Arc<Mutex<Memory>>,
    at: (Write, usize),
    /// Whether the write that fails is stored nevertheless.
    lands: bool,
    broken: bool,
}

impl Failing {
    fn write<T>(&mut self, write: Write, work: impl FnOnce(&mut Memory) -> Result<T>) -> Result<T> {
        if self.at.0 == write {
            self.at.1 = self.at.1.saturating_sub(1);
        }
        let fails_now = !self.broken && self.at == (write, 0);
        self.broken |= fails_now;
        if self.broken {
            if fails_now && self.lands {
                work(&mut self.memory.lock().unwrap())?;
            }
            return Err(Error::Failed("no space left on the disk".to_owned()));
        }
        work(&mut self.memory.lock().unwrap())
    }

    fn read<T>(&self, work: impl FnOnce(&mut Memory) -> T) -> T {
        work(&mut self.memory.lock().unwrap())
    }
}

impl Journal for Failing {
    fn scope(&mut self, scope: &Scope) -> Result<ScopeId> {
        self.read(|memory| memory.scope(scope))
    }
    fn begin(&mut self, run: &NewRun) -> Result<RunId> {
        self.read(|memory| memory.begin(run))
    }
    fn end(&mut self, run: RunId, at: Millis, summary: &str) -> Result<()> {
        self.write(Write::End, |memory| memory.end(run, at, summary))
    }
    fn payees(&mut self, scope: ScopeId) -> Result<Vec<String>> {
        self.read(|memory| memory.payees(scope))
    }
    fn known(&mut self, scope: ScopeId, key: &Key) -> Result<(Vec<Version>, u32)> {
        self.read(|memory| memory.known(scope, key))
    }
    fn list(&mut self, scope: ScopeId, state: State, after: VersionId, most: usize) -> Result<Vec<Version>> {
        self.read(|memory| memory.list(scope, state, after, most))
    }
    fn due(&mut self, scope: ScopeId, run: Option<RunId>, until: Millis, most: usize) -> Result<Vec<Version>> {
        self.read(|memory| memory.due(scope, run, until, most))
    }
    fn version(&mut self, id: VersionId) -> Result<Option<Version>> {
        self.read(|memory| memory.version(id))
    }
    fn payload(&mut self, id: VersionId) -> Result<Option<Vec<u8>>> {
        self.read(|memory| memory.payload(id))
    }
    fn unsettled(&mut self, scope: ScopeId) -> Result<Vec<OpenCall>> {
        self.read(|memory| memory.unsettled(scope))
    }
    fn import(&mut self, run: RunId, part: &Import) -> Result<()> {
        self.write(Write::Import, |memory| memory.import(run, part))
    }
    fn promote(&mut self, run: RunId, at: Millis) -> Result<u64> {
        self.write(Write::Promote, |memory| memory.promote(run, at))
    }
    fn arm(&mut self, call: &Arm) -> Result<CallId> {
        self.write(Write::Arm, |memory| memory.arm(call))
    }
    fn keep(&mut self, call: CallId, evidence: &Evidence) -> Result<()> {
        self.write(Write::Keep, |memory| memory.keep(call, evidence))
    }
    fn settle(&mut self, settle: &Settle) -> Result<()> {
        self.write(Write::Settle, |memory| memory.settle(settle))
    }
    fn rule(&mut self, run: Option<RunId>, rulings: &[Ruling], acts: &[Act]) -> Result<()> {
        self.read(|memory| memory.rule(run, rulings, acts))
    }
    fn report(&mut self, run: RunId, items: &[Item]) -> Result<()> {
        self.read(|memory| memory.report(run, items))
    }
    fn scopes(&mut self) -> Result<Vec<(ScopeId, Scope)>> {
        self.read(Journal::scopes)
    }
    fn tally(&mut self) -> Result<Vec<Tally>> {
        self.read(Journal::tally)
    }
    fn find(&mut self, number: &str) -> Result<Vec<(ScopeId, Version)>> {
        self.read(|memory| memory.find(number))
    }
    fn attempts(&mut self, version: VersionId) -> Result<Vec<Attempt>> {
        self.read(|memory| memory.attempts(version))
    }
    fn acts(&mut self, version: VersionId) -> Result<Vec<Act>> {
        self.read(|memory| memory.acts(version))
    }
    fn runs(&mut self, most: usize) -> Result<Vec<RunRecord>> {
        self.read(|memory| memory.runs(most))
    }
    fn run(&mut self, name: &str) -> Result<Option<RunRecord>> {
        self.read(|memory| memory.run(name))
    }
    fn items(&mut self, run: RunId, after: u64, most: usize) -> Result<Vec<Item>> {
        self.read(|memory| memory.items(run, after, most))
    }
}

#[test]
fn when_the_journal_fails_every_document_is_told_of_once_and_truly() {
    // 1,200 orders in calls of 100, the last one twice: what was accepted by then, what may have been received, what was not.
    let (first, half) = ((1200, 1), (600, 0));
    let cases = [
        (Write::Import, 1, false, [0, 0, first.0]),
        (Write::Import, 2, true, [0, 0, first.0]),
        (Write::Promote, 1, false, [0, 0, first.0]),
        (Write::Arm, 1, true, [0, 0, first.0]),
        (Write::Arm, 7, false, [half.0, 0, half.0]),
        (Write::Keep, 7, false, [half.0, 100, half.0 - 100]),
        (Write::Settle, 7, false, [half.0, 100, half.0 - 100]),
        (Write::Settle, 7, true, [half.0 + 100, 0, half.0 - 100]),
        (Write::End, 1, false, [first.0, 0, 0]),
    ];
    for (write, nth, lands, expected) in cases {
        let vendor = Arc::new(Welcoming::default());
        let memory = Arc::new(Mutex::new(Memory::new()));
        let journal = Failing { memory: Arc::clone(&memory), at: (write, nth), lands, broken: false };
        let bridge = bridge(100, &vendor, journal).build().unwrap();
        let text = orders(1200) + &order("PO-1200");
        let mut items = bridge.submit(vec![Input::new("orders", std::io::Cursor::new(text.into_bytes()))]);
        let (mut outcomes, mut numbers) = (BTreeMap::new(), BTreeMap::new());
        for item in items.blocking() {
            *outcomes.entry(item.outcome).or_insert(0) += 1;
            *numbers.entry(item.number.unwrap()).or_insert(0) += 1;
        }
        let error = items.blocking_summary().unwrap_err().to_string();
        assert!(error.contains("no space left"), "{write:?}: {error}");
        let count = |outcome| outcomes.get(&outcome).copied().unwrap_or(0);
        let told = [Outcome::Accepted, Outcome::InDoubt, Outcome::NotSent].map(count);
        assert_eq!((told, count(Outcome::Unchanged)), (expected, 1), "{write:?} {nth} {lands}");
        assert!(numbers.iter().all(|(number, count)| *count == 1 + usize::from(number == "PO-1200")), "{write:?}");
        // The next run makes it whole, and nobody has two of anything.
        let after = Failing { memory, at: (Write::End, 99), lands: false, broken: false };
        let again = self::bridge(100, &vendor, after).replay_after(Duration::ZERO).build().unwrap();
        let mut items = again.submit(vec![Input::new("orders", std::io::Cursor::new(orders(1200).into_bytes()))]);
        let ends = items.blocking().filter(|item| matches!(item.outcome, Outcome::Accepted | Outcome::Unchanged)).count();
        assert_eq!((ends, items.blocking_summary().unwrap().documents), (1200, 1200), "{write:?}");
    }
}
