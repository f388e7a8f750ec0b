//! Invoices, which nobody may send twice: the program is killed while it sends them, at random moments and at every step.
//!
//! A person looks after what is in doubt, as persons do: looks whether the vendor has it, and says so. In the end the vendor has
//! every invoice, each received once.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{Cursor, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use fastrand::Rng;
use payables_bridge::bridge::{Bridge, BridgeBuilder};
use payables_bridge::engine::state::State;
use payables_bridge::intake::Input;
use payables_bridge::journal::{Journal as _, Sqlite};
use payables_bridge::outcome::Outcome;
use payables_bridge::report::Item;
use payables_bridge::sandbox::{AmazonOptions, Options, Sandbox};
use payables_bridge::transport::Http;
use payables_bridge::vendors::{Settings, VendorKind};
use payables_bridge::wire::{Credentials, Secret};
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::deadly::{Deadly, Fuse};
use super::{Running, kills, seed};
use crate::support::payables;

const PAYEE: &str = "ACMEW";
/// An invoice whose verdict is a refusal.
const FAILING: &str = "INV-FAILING";
/// An invoice that breaks a rule.
const BROKEN: &str = "INV-BROKEN";
const FAULTS: [&[&str]; 12] = [
    &[],
    &["slow:ms=15"],
    &["reset-after:every=4", "slow:ms=5"],
    &["connection-reset-before:every=3"],
    &["http-500-html:every=4,applied=half"],
    &["late:ms=200,every=4"],
    &["no-transaction:every=4"],
    &["token-expired:every=5", "slow:ms=5"],
    &["http-429:every=4,after=0", "truncated:every=7"],
    &["token-down:every=2", "slow:ms=5"],
    &["slow:ms=40"],
    &["timeout:every=9", "garbage:every=5"],
];
/// The longest that a run, or a person, may take.
const PATIENCE: Duration = Duration::from_secs(90);
/// Where a process may die. Tokens are fetched in calls, too.
const STEPS: [&str; 18] = [
    "import.before",
    "import.after",
    "promote.after",
    "arm.before",
    "arm.after",
    "send.before",
    "body.before",
    "answer.before",
    "answer.after",
    "keep.before",
    "keep.after",
    "settle.before",
    "settle.after",
    "rule.before",
    "rule.after",
    "report.before",
    "report.after",
    "end.before",
];

/// One simulated Amazon, one journal, and an input that grows.
struct Story {
    name: String,
    runtime: Runtime,
    sandbox: Sandbox,
    says: Value,
    folder: TempDir,
    wanted: BTreeSet<String>,
}

impl Story {
    fn begin(name: String, faults: &[&str], invoices: usize) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let failing = format!("transaction-failure:number={FAILING}");
        let faults = faults.iter().copied().chain([failing.as_str()]).map(|fault| fault.parse().unwrap()).collect();
        // Tokens end after seconds, whatever was said of them.
        let amazon = AmazonOptions { speed: 1000, requests_per_second: 0, ..AmazonOptions::default() };
        let sandbox = runtime.block_on(Sandbox::start(Options { faults, amazon, ..Options::default() })).unwrap();
        let says = serde_json::to_value(sandbox.ready()).unwrap()["amazon-vendor"].clone();
        let numbers = (0..invoices).map(|number| format!("INV-{number:04}"));
        let wanted = numbers.chain([FAILING.to_owned(), BROKEN.to_owned()]).collect();
        let story = Self { name, runtime, sandbox, says, folder: TempDir::new().unwrap(), wanted };
        for secret in ["client_id", "client_secret", "refresh_token"] {
            let mut file = fs::OpenOptions::new();
            let mut file = file.write(true).create_new(true).mode(0o600).open(story.folder.path().join(secret)).unwrap();
            file.write_all(story.says[secret].as_str().unwrap().as_bytes()).unwrap();
        }
        story
    }

    fn configure(&self, concurrency: u64) {
        let folder = self.folder.path().display();
        let (endpoint, token_endpoint) = (&self.says["endpoint"], &self.says["token_endpoint"]);
        let text = format!(
            "[targets.amazon]\nclient_id = \"file:{folder}/client_id\"\nclient_secret = \"file:{folder}/client_secret\"\n\
             refresh_token = \"file:{folder}/refresh_token\"\nendpoint = {endpoint}\ntoken_endpoint = {token_endpoint}\n\
             concurrency = {concurrency}\nrequests_per_second = 1000\nburst = 10\ntimeout_s = 2\nquarantine_s = 1\n"
        );
        fs::write(self.folder.path().join("payables.toml"), text).unwrap();
    }

    /// An invoice a line, and the last one once more.
    fn write(&self) {
        let again = self.wanted.iter().next_back();
        let lines: String = self.wanted.iter().chain(again).map(|number| line(number)).collect();
        fs::write(self.folder.path().join("invoices.jsonl"), lines).unwrap();
    }

    fn journal(&self) -> PathBuf {
        self.folder.path().join("payables.db")
    }

    /// Runs the program, and kills it unless it has ended before its time. Returns what a whole run told, and its code.
    fn run(&self, killed: Option<(u64, Duration)>) -> Option<(Vec<Item>, i32)> {
        let (output, errors) = (self.folder.path().join("report"), self.folder.path().join("errors"));
        let mut command = payables();
        command.current_dir(&self.folder).args("sync invoices.jsonl --to amazon --wait 0 --output ndjson".split(' '));
        command.stdin(Stdio::null()).stdout(File::create(&output).unwrap()).stderr(File::create(&errors).unwrap());
        let (before, began) = (self.sandbox.ledger().submissions, Instant::now());
        let mut running = Running(command.spawn().unwrap());
        let mut reached = None;
        let status = loop {
            if let Some(status) = running.0.try_wait().unwrap() {
                break status;
            }
            assert!(began.elapsed() < PATIENCE, "{}: a run does not end", self.name);
            if let Some((calls, later)) = killed
                && self.sandbox.ledger().submissions - before >= calls
                && reached.get_or_insert_with(Instant::now).elapsed() >= later
            {
                running.0.kill().unwrap();
                break running.0.wait().unwrap();
            }
            std::thread::sleep(Duration::from_micros(300));
        };
        if status.signal() == Some(9) {
            return None;
        }
        let (said, errors) = (fs::read_to_string(&output).unwrap(), fs::read_to_string(&errors).unwrap());
        let mut lines: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let summary = lines.pop_if(|line| line.get("summary").is_some());
        assert!(summary.is_some(), "{}: {status} without a summary: {said}\n{errors}", self.name);
        Some((lines.into_iter().map(|line| serde_json::from_value(line).unwrap()).collect(), status.code().unwrap()))
    }

    /// What a whole run told: each line once, and nothing that is not so. Returns whether nothing is open.
    fn is_settled(&self, items: &[Item], exit: i32) -> bool {
        let mut lines: Vec<u64> = items.iter().map(|item| item.source.as_ref().unwrap().line.unwrap()).collect();
        lines.sort_unstable();
        assert_eq!(lines, (1..=self.wanted.len() as u64 + 1).collect::<Vec<_>>(), "{}: {items:#?}", self.name);
        let ledger = self.sandbox.ledger();
        for item in items {
            let number = item.number.as_deref().unwrap();
            let is_there = ledger.invoices.contains_key(&format!("{PAYEE}/{number}"));
            let is_right = match item.outcome {
                Outcome::Submitted | Outcome::Accepted | Outcome::Presumed => is_there,
                // The second line of a number is unchanged whatever becomes of the first.
                Outcome::Unchanged => is_there || self.wanted.last().is_some_and(|last| last == number),
                Outcome::Rejected => is_there && number == FAILING,
                Outcome::Invalid => number == BROKEN,
                Outcome::InDoubt | Outcome::NotSent => true,
                Outcome::Held | Outcome::Planned => false,
            };
            assert!(is_right, "{}: {number} is {:?}, and there: {is_there}", self.name, item.outcome);
        }
        let has = |outcome| items.iter().any(|item| item.outcome == outcome);
        let code = if has(Outcome::InDoubt) { 5 } else { exit };
        assert!(exit == code && [3, 5, 75].contains(&exit), "{}: exit {exit}: {items:#?}", self.name);
        !has(Outcome::InDoubt) && !has(Outcome::NotSent)
    }

    /// A person says of everything in doubt whether the vendor has it.
    fn decide(&self) {
        let began = Instant::now();
        let in_doubt = |journal: &mut Sqlite| -> Vec<String> {
            let scopes = journal.scopes().unwrap();
            let versions = scopes.iter().flat_map(|(scope, _)| journal.list(*scope, State::InDoubt, 0, usize::MAX).unwrap());
            versions.map(|version| version.key.number).collect()
        };
        for number in in_doubt(&mut Sqlite::read(&self.journal()).unwrap()) {
            loop {
                let is_there = self.sandbox.ledger().invoices.contains_key(&format!("{PAYEE}/{number}"));
                let verdict = if is_there { "--accepted" } else { "--absent" };
                let mut command = payables();
                command.current_dir(&self.folder).args([
                    "resolve",
                    &number,
                    verdict,
                    "--to",
                    "amazon",
                    "--reason",
                    "looked it up",
                ]);
                let output = command.output().unwrap();
                match output.status.code() {
                    Some(0) => break,
                    // It has to rest before anybody may say that it is not there.
                    Some(3) if !is_there => std::thread::sleep(Duration::from_millis(50)),
                    other => panic!("{}: {number} {verdict}: {other:?} {output:?}", self.name),
                }
                assert!(began.elapsed() < PATIENCE, "{}: {number} cannot be decided: {output:?}", self.name);
            }
        }
    }

    fn bridge(&self) -> BridgeBuilder {
        bridge(&self.says)
    }

    /// Runs and decisions until nothing is open, and then a look at everything.
    fn conclude(&self) {
        for nth in 0.. {
            let (items, exit) = self.run(None).unwrap();
            if self.is_settled(&items, exit) {
                break;
            }
            self.decide();
            assert!(nth < 40, "{}: it does not come to an end: {items:#?}", self.name);
        }
        self.judge();
    }

    fn judge(&self) {
        let (name, ledger) = (&self.name, self.sandbox.ledger());
        let received: Vec<(&str, u64)> = ledger.invoices.values().map(|invoice| (&*invoice.number, invoice.writes)).collect();
        let expected: Vec<(&str, u64)> =
            self.wanted.iter().filter(|number| *number != BROKEN).map(|number| (&**number, 1)).collect();
        assert_eq!(received, expected, "{name}");
        let mut journal = Sqlite::open(&self.journal(), Duration::from_secs(5)).unwrap();
        let mut calls = BTreeSet::new();
        for number in &self.wanted {
            for (_, version) in journal.find(number).unwrap() {
                for attempt in journal.attempts(version.id).unwrap() {
                    assert!(attempt.outcome.is_some(), "{name}: an attempt of {number} is open: {attempt:?}");
                    calls.insert(attempt.call);
                }
            }
        }
        assert!(ledger.submissions <= calls.len() as u64, "{name}: {} calls, and {} armed", ledger.submissions, calls.len());
        // The verdicts, as they come.
        let bridge = self.bridge().journal(journal).build().unwrap();
        let began = Instant::now();
        let states = loop {
            let summary = self.runtime.block_on(bridge.ask(&mut |_: Item| {})).unwrap();
            let tally = bridge.with_journal(|journal| journal.tally().unwrap()).unwrap();
            let states: Vec<(State, u64)> = tally.into_iter().map(|tally| (tally.state, tally.count)).collect();
            if states.iter().all(|(state, _)| *state != State::Submitted) {
                break states;
            }
            assert!(began.elapsed() < PATIENCE, "{name}: there are no verdicts: {states:?} {:?}", summary.notes);
            std::thread::sleep(Duration::from_millis(100));
        };
        let known = [State::Accepted, State::Presumed, State::Rejected, State::Superseded];
        assert!(states.iter().all(|(state, _)| known.contains(state)), "{name}: {states:?}");
        drop(bridge);
        let findings = Sqlite::check(&self.journal()).unwrap();
        assert!(findings.is_empty(), "{name}: the journal is not whole: {findings:?}");
        self.look_for_secrets();
        // Once more, and nothing is sent.
        let (items, exit) = self.run(None).unwrap();
        assert!(self.is_settled(&items, exit), "{name}: {items:#?}");
        assert_eq!(self.sandbox.ledger().submissions, ledger.submissions, "{name}: a further run sent something");
    }

    fn look_for_secrets(&self) {
        let secrets = ["client_secret", "refresh_token"].map(|name| self.says[name].as_str().unwrap().to_owned());
        for file in fs::read_dir(self.folder.path()).unwrap() {
            let path = file.unwrap().path();
            let file = path.file_name().unwrap().to_string_lossy().into_owned();
            let is_ours = file.starts_with("payables.db") || file == "report" || file == "errors";
            let bytes = if is_ours { fs::read(&path).unwrap() } else { Vec::new() };
            let has = |secret: &str| bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            let leaks = secrets.iter().any(|secret| has(secret)) || has("Atza|");
            assert!(!leaks, "{}: a secret is in {}", self.name, path.display());
        }
    }
}

fn line(number: &str) -> String {
    let address = r#"{"lines":["1 Way"],"city":"Seattle","postal_code":"98109","country":"US"}"#;
    let currency = if number == BROKEN { "NOPE" } else { "USD" };
    format!(
        "{{\"kind\":\"invoice\",\"number\":\"{number}\",\"issue_date\":\"2026-03-01\",\"currency\":\"{currency}\",\"total\":\"5.00\",\
         \"payee\":{{\"id\":\"{PAYEE}\",\"name\":\"Acme\",\"address\":{address}}},\
         \"buyer\":{{\"id\":\"AMAZONUS\",\"name\":\"Amazon\",\"address\":{address}}},\
         \"lines\":[{{\"item\":{{\"buyers_id\":\"B00EXAMPL1\"}},\"order_reference\":\"4Z32PABC\",\"quantity\":1,\"unit\":\"EA\",\"price\":\"5.00\"}}]}}\n"
    )
}

/// A bridge for which a thousand seconds pass in one, but not for its calls.
fn bridge(says: &Value) -> BridgeBuilder {
    let said = |name: &str| says[name].as_str().unwrap().to_owned();
    let settings = Settings::of(VendorKind::AmazonVendor).unwrap();
    let parts = settings.connection().secrets.into_iter().map(|(part, _)| (part, Secret::new(said(part))));
    Bridge::builder()
        .vendor(settings.vendor().simulated(&said).into_submit())
        .credentials(Credentials::new(parts))
        .pace(0, 1)
        .timeout(Duration::from_secs(2))
        .quarantine(Duration::from_secs(1))
        .wait(Duration::ZERO)
}

#[test]
fn an_invoice_is_sent_once_whenever_the_program_is_killed() {
    let (seed, most) = (seed(), kills().div_ceil(2));
    let (next, killed, survived) = (AtomicU64::new(seed), AtomicU64::new(0), AtomicU64::new(0));
    let began = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while killed.load(Ordering::SeqCst) < most {
                    let seed = next.fetch_add(1, Ordering::SeqCst);
                    let mut rng = Rng::with_seed(seed);
                    let faults = FAULTS[usize::try_from(seed).unwrap() % FAULTS.len()];
                    let mut story = Story::begin(format!("KILL_SEED={seed} ({})", faults.join(" ")), faults, rng.usize(4..12));
                    story.configure(rng.u64(1..=4));
                    for round in 0..rng.u8(2..=5) {
                        story.write();
                        let longest = rng.choice([6_000, 60_000]).unwrap();
                        let plan = (rng.u64(..=3), Duration::from_micros(rng.u64(..longest)));
                        match story.run(Some(plan)) {
                            None => _ = killed.fetch_add(1, Ordering::SeqCst),
                            Some((items, exit)) => {
                                survived.fetch_add(1, Ordering::SeqCst);
                                story.is_settled(&items, exit);
                            }
                        }
                        if rng.u8(..3) == 0 && story.journal().exists() {
                            // A person comes early, and may find what the dead left armed.
                            let _not_yet_there = Sqlite::read(&story.journal()).map(|_| story.decide());
                        }
                        story.wanted.insert(format!("INV-1{round:03}"));
                    }
                    story.write();
                    story.conclude();
                }
            });
        }
    });
    println!(
        "{} killed, {} came to their end before (seed {seed}), in {:?}",
        killed.into_inner(),
        survived.into_inner(),
        began.elapsed()
    );
}

/// Does nothing unless it is told where to die.
#[test]
fn child() {
    let (Ok(step), Ok(says)) = (std::env::var("KILL_STEP"), std::env::var("KILL_AMAZON")) else { return };
    let folder = PathBuf::from(std::env::var_os("KILL_FOLDER").unwrap());
    let fuse = Fuse::new(&step);
    let journal =
        Deadly { inner: Sqlite::open(&folder.join("payables.db"), Duration::from_secs(5)).unwrap(), fuse: Arc::clone(&fuse) };
    let transport = Deadly { inner: Http::without_tls(Duration::from_secs(10)).unwrap(), fuse };
    let says: Value = serde_json::from_str(&says).unwrap();
    // Long enough for the verdict of the one that is refused.
    let bridge = bridge(&says).journal(journal).transport(Arc::new(transport)).wait(Duration::from_millis(400)).build().unwrap();
    let text = fs::read(folder.join("invoices.jsonl")).unwrap();
    let mut items = bridge.submit(vec![Input::new("invoices.jsonl", Cursor::new(text))]);
    while items.blocking().next().is_some() {}
    items.blocking_summary().unwrap();
}

/// Runs the input in a process that dies at a step. Returns whether it came so far.
fn crash(story: &Story, step: &str) -> bool {
    let log: &Path = &story.folder.path().join("log");
    // A shell is in between only so that no memory is dumped.
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -c 0; exec \"$@\"", "sh"]).arg(std::env::current_exe().unwrap());
    command.args(["--exact", "kill::once::child", "--nocapture"]);
    command.env("KILL_STEP", step).env("KILL_FOLDER", story.folder.path()).env("KILL_AMAZON", story.says.to_string());
    let output = File::create(log).unwrap();
    command.stdin(Stdio::null()).stderr(output.try_clone().unwrap()).stdout(output);
    let mut running = Running(command.spawn().unwrap());
    let status = running.0.wait().unwrap();
    let log = fs::read_to_string(log).unwrap_or_default();
    let died = status.signal().is_some();
    assert!(died || status.success(), "{}: {step}: it ended with {status}: {log}", story.name);
    died
}

#[test]
fn an_invoice_is_sent_once_at_whatever_step_a_run_dies() {
    let (fired, next, began) = (Mutex::new(Vec::new()), AtomicUsize::new(0), Instant::now());
    // Every occurrence of a step where that is wanted, else the first ones.
    let most = if kills() < 200 { 2 } else { 40 };
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(step) = STEPS.get(next.fetch_add(1, Ordering::SeqCst)) {
                    for nth in 1..=most {
                        let story = Story::begin(format!("died at {step}.{nth}"), &["slow:ms=60,times=3"], 3);
                        story.configure(1);
                        story.write();
                        if !crash(&story, &format!("{step}.{nth}")) {
                            break;
                        }
                        story.conclude();
                        fired.lock().unwrap().push(*step);
                    }
                }
            });
        }
    });
    let fired = fired.into_inner().unwrap();
    println!("{} deaths, in {:?}", fired.len(), began.elapsed());
    let missing: Vec<&&str> = STEPS.iter().filter(|step| !fired.contains(step)).collect();
    assert!(missing.is_empty(), "nothing died at {missing:?}");
}
