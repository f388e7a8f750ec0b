//! A death right before and right after each step of a run, once and twice in a row.
//!
//! The process that dies is this program, started again with a step in its environment: it takes the same input with the
//! same journal, and ends itself there.

use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use fastrand::Rng;
use payables_bridge::journal::Sqlite;
use payables_bridge::transport::Http;

use super::deadly::{Deadly, Fuse};
use super::story::{BROKEN, REFUSED, Story, Wanted, bridge, submit};
use super::{Running, kills, oracle, seed};

/// The steps of a run. What a journal is only asked is not among them: to die there is to die after what was stored last.
const STEPS: [&str; 24] = [
    "scope.before",
    "scope.after",
    "begin.before",
    "begin.after",
    "import.before",
    "import.after",
    "promote.before",
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
    "end.after",
];

/// A way to go about it.
#[derive(Clone, Copy)]
struct Case {
    name: &'static str,
    faults: &'static [&'static str],
    concurrency: usize,
    /// Whether the next run is given another input: an order with other contents, and a new one.
    changes: bool,
}

const CASES: [Case; 4] = [
    Case { name: "the same again", faults: &[], concurrency: 1, changes: false },
    Case { name: "other contents", faults: &[], concurrency: 2, changes: true },
    Case { name: "doubts and contents", faults: &["reset-after:every=3"], concurrency: 1, changes: true },
    Case { name: "a refusal", faults: &["reject:number=PO-REFUSED"], concurrency: 3, changes: false },
];

/// Does nothing unless it is told where to die.
#[test]
fn child() {
    let Ok(step) = std::env::var("KILL_STEP") else { return };
    let folder = PathBuf::from(std::env::var_os("KILL_FOLDER").unwrap());
    let fuse = Fuse::new(&step);
    let inner = Sqlite::open(&folder.join("payables.db"), Duration::from_secs(5)).unwrap();
    let journal = Deadly { inner, fuse: Arc::clone(&fuse) };
    let transport = Deadly { inner: Http::without_tls(Duration::from_secs(10)).unwrap(), fuse };
    let builder = bridge(std::env::var("KILL_ENDPOINT").unwrap(), 2).journal(journal).transport(Arc::new(transport));
    let concurrency = std::env::var("KILL_CONCURRENCY").unwrap().parse().unwrap();
    let text = fs::read_to_string(folder.join("orders.jsonl")).unwrap();
    submit(builder.concurrency(concurrency), text);
}

/// Runs the input in a process that dies at a step. Returns whether it came so far.
fn crash(story: &Story, step: &str, concurrency: usize) -> bool {
    let log = story.folder.path().join("log");
    // A shell is in between only so that no memory is dumped.
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -c 0; exec \"$@\"", "sh"]).arg(std::env::current_exe().unwrap());
    command.args(["--exact", "kill::steps::child", "--nocapture"]);
    command.env("KILL_STEP", step).env("KILL_FOLDER", story.folder.path()).env("KILL_ENDPOINT", story.endpoint());
    command.env("KILL_CONCURRENCY", concurrency.to_string()).stdin(Stdio::null());
    let output = File::create(&log).unwrap();
    command.stderr(output.try_clone().unwrap()).stdout(output);
    let mut running = Running(command.spawn().unwrap());
    let until = Instant::now() + Duration::from_secs(60);
    let status = loop {
        match running.0.try_wait().unwrap() {
            Some(status) => break status,
            None => assert!(Instant::now() < until, "{}: {step}: it neither dies nor ends", story.name),
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    let log = fs::read_to_string(&log).unwrap_or_default();
    let died = status.signal().is_some();
    assert!(died || status.success(), "{}: {step}: it ended with {status}: {log}", story.name);
    died
}

/// Dies at each of these steps, a process each, and then lets a run come to its end. Returns how many died.
fn tell(case: Case, steps: &[String]) -> usize {
    // A call that is waited for has to take its time.
    let slow = steps.iter().any(|step| step.starts_with("answer.before")).then_some("slow:ms=100,times=4");
    let faults: Vec<&'static str> = case.faults.iter().copied().chain(slow).collect();
    let mut story = Story::begin(format!("{}, died at {}", case.name, steps.join(" and ")), &faults);
    let mut wanted: Wanted = (0..5).map(|number| (format!("PO-{number:04}"), number)).collect();
    wanted.insert(BROKEN.to_owned(), 0);
    if story.refuses(REFUSED) {
        wanted.insert(REFUSED.to_owned(), 0);
    }
    let mut died = 0;
    for step in steps {
        story.write(&wanted);
        died += usize::from(crash(&story, step, case.concurrency));
        if case.changes {
            *wanted.entry("PO-0001".to_owned()).or_default() += 7;
            wanted.insert(format!("PO-1{died:03}"), 1);
        }
    }
    conclude(&mut story, &wanted);
    died
}

/// Lets runs come to their end until everything is settled, and then looks at everything.
fn conclude(story: &mut Story, wanted: &Wanted) {
    story.write(wanted);
    for nth in 0.. {
        let before = story.sandbox.ledger();
        let told = story.finish(wanted);
        if oracle::report(story, wanted, &told) {
            // Requests of a process that died may be read only now.
            let calls = story.sandbox.ledger().calls - before.calls;
            assert!(told.requests <= calls, "{}: {calls} calls came, and {} were told", story.name, told.requests);
            break;
        }
        assert!(!story.is_healthy() && nth < 12, "{}: it does not come to an end: {told:#?}", story.name);
    }
    oracle::books(story, wanted);
    let before = story.sandbox.ledger();
    let told = story.finish(wanted);
    oracle::further(story, wanted, &before, &told);
}

/// Every step with every occurrence that there is.
fn every_step(case: Case) -> Vec<String> {
    let (fired, next) = (Mutex::new(Vec::new()), AtomicUsize::new(0));
    at_once(|| {
        let Some(step) = STEPS.get(next.fetch_add(1, Ordering::SeqCst)) else { return false };
        let nth = |nth: usize| format!("{step}.{nth}");
        let mut all = (1..).map(nth).take_while(|step| tell(case, std::slice::from_ref(step)) > 0).collect();
        fired.lock().unwrap().append(&mut all);
        true
    });
    let mut fired = fired.into_inner().unwrap();
    fired.sort();
    fired
}

/// Works on several threads, for as long as there is something to do.
fn at_once(work: impl Fn() -> bool + Sync) {
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| while work() {});
        }
    });
}

#[test]
fn a_run_may_die_at_any_step() {
    let cases = if kills() < 200 { &CASES[..2] } else { &CASES[..] };
    for case in cases {
        let began = Instant::now();
        let fired = every_step(*case);
        let took = began.elapsed();
        println!("{}: died at {} steps, in {took:?}", case.name, fired.len());
        // Three calls at least, of each kind of step around them one at least for each.
        for (step, least) in [("import.after", 1), ("arm.after", 3), ("answer.before", 3), ("settle.before", 3), ("end.after", 1)]
        {
            let times = fired.iter().filter(|fired| fired.starts_with(step)).count();
            assert!(times >= least, "{}: {step} came {times} times: {fired:?}", case.name);
        }
    }
}

#[test]
fn what_follows_a_death_may_die_as_well() {
    let (seed, kills, began) = (seed(), kills(), Instant::now());
    let mut pairs = Vec::new();
    for case in CASES {
        // What a run does and what its successor does are the same steps, and a few more of settling.
        let steps = STEPS.iter().flat_map(|step| (1..=4).map(move |nth| format!("{step}.{nth}")));
        let steps: Vec<String> =
            steps.filter(|step| !["scope.", "rule.", "report."].iter().any(|rare| step.starts_with(rare))).collect();
        let once = |step: &String| {
            !["begin.", "import.", "promote.", "end."].iter().any(|one| step.starts_with(one)) || step.ends_with('1')
        };
        let steps: Vec<&String> = steps.iter().filter(|step| once(step)).collect();
        for first in &steps {
            pairs.extend(steps.iter().map(|second| (case, [(*first).clone(), (*second).clone()])));
        }
    }
    let mut rng = Rng::with_seed(seed);
    rng.shuffle(&mut pairs);
    let most = match kills {
        0..200 => 10,
        200..2000 => 200,
        _ => 2000,
    };
    pairs.truncate(most);
    let (next, twice) = (AtomicUsize::new(0), AtomicUsize::new(0));
    at_once(|| {
        let Some((case, steps)) = pairs.get(next.fetch_add(1, Ordering::SeqCst)) else { return false };
        let died = std::panic::catch_unwind(|| tell(*case, steps));
        let died = died.unwrap_or_else(|_| panic!("KILL_SEED={seed}: {}, died at {}", case.name, steps.join(" and ")));
        twice.fetch_add(usize::from(died == 2), Ordering::SeqCst);
        true
    });
    println!("{} pairs, {} of them died twice, in {:?} (seed {seed})", pairs.len(), twice.into_inner(), began.elapsed());
}

#[test]
fn an_input_of_several_parts_may_break_off_between_them() {
    let steps: &[&str] = if kills() < 200 {
        &["import.after.2"]
    } else {
        &["import.before.1", "import.after.1", "import.before.2", "import.after.2", "import.after.3", "promote.before.1"]
    };
    for step in steps {
        let mut story = Story::begin(format!("a large input, died at {step}"), &[]);
        // Parts have 1000 documents, and calls in this run as many as a call can have: the story is about the import.
        let mut wanted: Wanted = (0..2100).map(|number| (format!("PO-{number:04}"), 0)).collect();
        story.write(&wanted);
        assert!(crash(&story, step, 4), "{step} did not come");
        assert_eq!(story.sandbox.ledger().calls, 0, "{}: something was sent before all was stored", story.name);
        wanted.insert("PO-0007".to_owned(), 1);
        story.write(&wanted);
        let journal = Sqlite::open(&story.journal(), Duration::from_secs(5)).unwrap();
        let told = submit(bridge(story.endpoint(), 250).journal(journal), super::story::text(&wanted));
        assert!(oracle::report(&story, &wanted, &told));
        oracle::books(&story, &wanted);
        let before = story.sandbox.ledger();
        oracle::further(&story, &wanted, &before, &story.finish(&wanted));
    }
}
