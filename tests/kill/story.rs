//! A story: one vendor, one journal, and inputs that change from round to round.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Cursor;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use payables_bridge::bridge::{Bridge, BridgeBuilder};
use payables_bridge::intake::Input;
use payables_bridge::journal::{Memory, Sqlite};
use payables_bridge::report::Item;
use payables_bridge::sandbox::{LedgerSnapshot, Options, Sandbox};
use payables_bridge::vendors::tipalti::Tipalti;
use payables_bridge::wire::Secret;
use tempfile::TempDir;
use tokio::runtime::Runtime;

pub(super) const PAYER: &str = "SandboxPayer";
pub(super) const MASTER_KEY: &str = "canary-2b7e151628aed2a6";
/// The order that a vendor with the fault `reject:number=PO-REFUSED` refuses, whatever is in it.
pub(super) const REFUSED: &str = "PO-REFUSED";
/// An order that breaks a rule.
pub(super) const BROKEN: &str = "PO-BROKEN";
/// How long a call in doubt rests before anything newer is sent for its number. It covers the time that a request of a
/// process that died may still take to reach the vendor's books.
pub(super) const QUARANTINE: Duration = Duration::from_secs(1);

/// An input: for each number the content that is wanted; other contents are other orders.
pub(super) type Wanted = BTreeMap<String, u64>;

/// The input as a file: an order a line, and the last one once more, as exports do.
pub(super) fn text(wanted: &Wanted) -> String {
    let again = wanted.iter().next_back().into_iter();
    wanted.iter().chain(again).map(|(number, content)| line(number, *content)).collect()
}

fn line(number: &str, content: u64) -> String {
    let id = |line: u64| {
        format!(
            r#"{{"id":"{line}","item":{{"buyers_id":"PAPER","external_id":"501"}},"quantity":"{}","price":"19.90","account":{{"external_id":"6815"}}}}"#,
            content + 1
        )
    };
    let lines: Vec<String> = (1..=1 + content % 3).map(id).collect();
    let currency = if number == BROKEN { "NOPE" } else { "EUR" };
    let lines = lines.join(",");
    format!(
        "{{\"kind\":\"purchase_order\",\"number\":\"{number}\",\"issue_date\":\"2026-03-02\",\"currency\":\"{currency}\",\"note\":\"Paper\",\
         \"lines\":[{lines}]}}\n"
    )
}

/// What a finished run told.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) items: Vec<Item>,
    pub(super) exit: u8,
    /// How many requests it says that it made.
    pub(super) requests: u64,
}

/// One vendor and one journal.
pub(super) struct Story {
    /// What is told when something is wrong: how to have it again.
    pub(super) name: String,
    runtime: Runtime,
    pub(super) sandbox: Sandbox,
    pub(super) folder: TempDir,
    pub(super) faults: Vec<&'static str>,
    /// All numbers that were ever in an input.
    pub(super) sent: BTreeSet<String>,
    /// What was told to be accepted, and is wanted with no other content since.
    pub(super) accepted: BTreeMap<String, u64>,
}

impl Story {
    pub(super) fn begin(name: String, faults: &[&'static str]) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let sandbox = start(&runtime, faults);
        let folder = TempDir::new().unwrap();
        let mut key = fs::OpenOptions::new();
        let mut key = key.write(true).create_new(true).mode(0o600).open(folder.path().join("key")).unwrap();
        std::io::Write::write_all(&mut key, MASTER_KEY.as_bytes()).unwrap();
        let (sent, accepted) = (BTreeSet::new(), BTreeMap::new());
        Self { name, runtime, sandbox, folder, faults: faults.to_vec(), sent, accepted }
    }

    /// Whether the vendor, and what lies between, work as they should, but for the order that is refused.
    pub(super) fn is_healthy(&self) -> bool {
        self.faults.iter().all(|fault| fault.starts_with("slow:") || fault.starts_with("reject:"))
    }

    pub(super) fn refuses(&self, number: &str) -> bool {
        number == REFUSED && self.faults.iter().any(|fault| fault.starts_with("reject:"))
    }

    pub(super) fn endpoint(&self) -> String {
        self.sandbox.ready().tipalti.endpoint
    }

    pub(super) fn journal(&self) -> PathBuf {
        self.folder.path().join("payables.db")
    }

    pub(super) fn input(&self) -> PathBuf {
        self.folder.path().join("orders.jsonl")
    }

    /// Puts an input in the place of the last one.
    pub(super) fn write(&mut self, wanted: &Wanted) {
        self.sent.extend(wanted.keys().cloned());
        // Once another content is wanted, the one that was accepted may have to be sent again.
        self.accepted.retain(|number, content| wanted.get(number).is_none_or(|wanted| wanted == content));
        fs::write(self.input(), text(wanted)).unwrap();
    }

    pub(super) fn configure(&self, concurrency: u64, replay_after: u64) {
        let key = self.folder.path().join("key");
        let endpoint = self.endpoint();
        let quarantine = QUARANTINE.as_secs();
        let text = format!(
            "[targets.tipalti]\npayer_name = \"{PAYER}\"\nmaster_key = \"file:{}\"\nendpoint = \"{endpoint}\"\nbatch_size = 3\n\
             concurrency = {concurrency}\nrequests_per_second = 1000\nburst = 10\ntimeout_s = 2\nreplay_after_s = {replay_after}\n\
             quarantine_s = {quarantine}\n",
            key.display()
        );
        fs::write(self.folder.path().join("payables.toml"), text).unwrap();
    }

    /// What the vendor's books would be if every order had been sent once, with nothing going wrong.
    pub(super) fn reference(&self, wanted: &Wanted) -> LedgerSnapshot {
        let sandbox = start(&self.runtime, &[]);
        let wanted: Wanted = wanted.iter().filter(|(number, _)| !self.refuses(number)).map(|(n, c)| (n.clone(), *c)).collect();
        let told = submit(bridge(sandbox.ready().tipalti.endpoint, 50).journal(Memory::new()), text(&wanted));
        assert!([0, 3].contains(&told.exit), "{told:?}");
        sandbox.ledger()
    }

    /// Takes an input in this process, with the journal in its file.
    pub(super) fn finish(&self, wanted: &Wanted) -> Told {
        // Nobody else has it. But a process that another thread starts holds whatever is open until it is what it is to be.
        let journal = Sqlite::open(&self.journal(), Duration::from_secs(5));
        let journal = journal.unwrap_or_else(|error| panic!("{}: the journal does not open: {error}", self.name));
        submit(bridge(self.endpoint(), 2).journal(journal), text(wanted))
    }
}

fn start(runtime: &Runtime, faults: &[&str]) -> Sandbox {
    let faults = faults.iter().map(|fault| fault.parse().unwrap()).collect();
    let options = Options { payer_name: PAYER.to_owned(), master_key: MASTER_KEY.to_owned(), faults, ..Options::default() };
    runtime.block_on(Sandbox::start(options)).unwrap()
}

/// A bridge without a journal.
pub(super) fn bridge(endpoint: String, batch_size: usize) -> BridgeBuilder {
    let target = Tipalti { payer_name: PAYER.to_owned(), endpoint, batch_size, ..Tipalti::default() };
    let builder = Bridge::builder().vendor(Arc::new(target)).credentials(Secret::new(MASTER_KEY)).pace(0, 1);
    builder.timeout(Duration::from_secs(10)).replay_after(Duration::ZERO).quarantine(Duration::from_millis(300))
}

pub(super) fn submit(builder: BridgeBuilder, text: String) -> Told {
    let mut run = builder.build().unwrap().submit(vec![Input::new("orders.jsonl", Cursor::new(text))]);
    let items: Vec<Item> = run.blocking().collect();
    let summary = run.blocking_summary().unwrap();
    Told { items, exit: summary.exit().code(), requests: summary.requests }
}

/// Changes an input as an export changes from day to day: what was there, some of it with other contents, and what is new.
pub(super) fn change(wanted: &mut Wanted, rng: &mut Rng, new: usize) {
    let numbers: Vec<String> = wanted.keys().cloned().collect();
    for number in numbers {
        if rng.u8(..4) == 0 {
            // Now and then what it was before: an order that was changed back.
            *wanted.entry(number).or_default() = rng.u64(..6);
        }
    }
    let count = wanted.len();
    for place in 0..new {
        wanted.insert(format!("PO-{:04}", count + place), rng.u64(..6));
    }
}
