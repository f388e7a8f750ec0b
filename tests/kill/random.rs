//! The program itself, killed at random moments with a signal that nobody can catch, and started again as cron would.

use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use fastrand::Rng;
use payables_bridge::journal::{Journal as _, Sqlite};
use payables_bridge::outcome::Outcome;
use payables_bridge::report::Item;
use serde_json::Value;

use super::story::{BROKEN, REFUSED, Story, Told, Wanted, change};
use super::{Running, kills, oracle, seed};
use crate::support::payables;

/// What goes wrong besides, a story each. A fault that strikes now and then is got over in time.
const FAULTS: [&[&str]; 12] = [
    &[],
    &["slow:ms=15"],
    &["reset-after:every=4", "slow:ms=5"],
    &["drop-rows:every=3"],
    &["reject:number=PO-REFUSED", "slow:ms=5"],
    &["http-500-html:every=4,applied=half"],
    &["late:ms=200,every=4"],
    &["lost-row:every=3"],
    &["truncated:every=5", "contradict-rows:every=4"],
    &["slow:ms=40"],
    &["no-rows:every=4", "http-503:every=5,after=0"],
    &["timeout:every=9", "garbage:every=5"],
];
/// The longest that a run may take that is not killed.
const PATIENCE: Duration = Duration::from_secs(90);

/// When a process is killed.
#[derive(Debug, Clone, Copy)]
enum Plan {
    Never,
    After(Duration),
    /// So long after so many more calls have reached the vendor.
    AfterCalls(u64, Duration),
    /// So long after this file is there, or has been, from an earlier run.
    AfterFile(&'static str, Duration),
}

/// What all stories come to.
#[derive(Debug, Default)]
struct Figures {
    kills: u64,
    /// The runs that came to their end before they were killed.
    survived: u64,
    finished: u64,
    documents: u64,
    /// After so many kills the journal was looked at before the next start; it stood so.
    looked_at: u64,
    without_a_journal: u64,
    importing: u64,
    sending: u64,
    on_the_way: u64,
    unsettled: u64,
    answered: u64,
    /// From the start of a process to its first call, after a kill, where nothing has to rest.
    first_request: Duration,
    /// The same where a call in doubt rests before it is replayed, or a document before its newer content is sent.
    first_request_after_a_rest: Duration,
}

/// How a process ended.
enum End {
    Killed,
    Finished(Told),
}

#[test]
fn a_program_that_is_killed_at_any_moment_loses_nothing_and_sends_nothing_unseen() {
    let is_replay = std::env::var_os("KILL_SEED").is_some();
    let (seed, most) = (seed(), if is_replay { 1 } else { kills() });
    // A story mostly waits, for the disk and for documents that rest.
    let at_once = match most {
        _ if is_replay => 1,
        0..100 => 3,
        _ => 6,
    };
    let (next, killed, figures) = (AtomicU64::new(seed), AtomicU64::new(0), Mutex::new(Figures::default()));
    let began = Instant::now();
    let usual = measure();
    std::thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                while killed.load(Ordering::SeqCst) < most {
                    tell(next.fetch_add(1, Ordering::SeqCst), usual, &killed, &figures);
                }
            });
        }
    });
    println!("{:#?}\nseed {seed}, a run that nobody kills {usual:?}, all {:?}", figures.into_inner().unwrap(), began.elapsed());
}

/// How long a run takes that nobody kills.
fn measure() -> Duration {
    let mut story = Story::begin("measured".to_owned(), &[]);
    story.configure(1, 0);
    let wanted: Wanted = (0..12).map(|number| (format!("PO-{number:04}"), 1)).collect();
    story.write(&wanted);
    let began = Instant::now();
    assert!(matches!(run(&mut story, &wanted, Plan::Never).0, End::Finished(_)));
    began.elapsed()
}

/// Tells a story: rounds of kills with inputs that change, and a run to the end in each.
fn tell(seed: u64, mut usual: Duration, killed: &AtomicU64, figures: &Mutex<Figures>) {
    let mut rng = Rng::with_seed(seed);
    let faults = FAULTS[usize::try_from(seed).unwrap() % FAULTS.len()];
    let name = format!("KILL_SEED={seed} ({})", faults.join(" "));
    let mut story = Story::begin(name.clone(), faults);
    let (concurrency, replay_after) = (rng.u64(1..=4), u64::from(rng.u8(..5) == 0));
    story.configure(concurrency, replay_after);
    let mut wanted: Wanted = (0..rng.usize(6..16)).map(|number| (format!("PO-{number:04}"), rng.u64(..6))).collect();
    if rng.bool() {
        wanted.insert(BROKEN.to_owned(), 0);
    }
    if story.refuses(REFUSED) {
        wanted.insert(REFUSED.to_owned(), 0);
    }
    for round in 0..4 {
        story.name = format!("{name}, round {round}");
        if round > 0 && rng.u8(..5) > 0 {
            let new = rng.usize(..5);
            change(&mut wanted, &mut rng, new);
        }
        story.write(&wanted);
        // In the first round there is nothing yet whose contents could change.
        let (mut after_a_kill, mut rests) = (false, replay_after > 0 || round > 0);
        for _ in 0..rng.u8(1..=3) {
            let (end, first) = run(&mut story, &wanted, plan(&mut rng, usual));
            note_first(figures, (after_a_kill, rests), first);
            let mut figures = figures.lock().unwrap();
            match end {
                End::Killed => {
                    killed.fetch_add(1, Ordering::SeqCst);
                    figures.kills += 1;
                    // Whoever looks takes part: the log is read anew. So not every restart is looked at before.
                    if rng.u8(..4) > 0 {
                        look(&story, &mut figures);
                    }
                    after_a_kill = true;
                }
                End::Finished(told) => {
                    figures.survived += 1;
                    drop(figures);
                    oracle::report(&story, &wanted, &told);
                    after_a_kill = false;
                }
            }
            if rng.u8(..4) == 0 {
                // The export has gone on meanwhile.
                rests = true;
                change(&mut wanted, &mut rng, 1);
                story.write(&wanted);
            }
        }
        let finished = finish(&mut story, &wanted, (after_a_kill, rests), &mut usual, figures);
        let mut figures = figures.lock().unwrap();
        figures.finished += finished;
        figures.documents += wanted.len() as u64 + 1;
    }
}

/// Lets runs come to their end until everything is settled, and then looks at everything.
fn finish(
    story: &mut Story,
    wanted: &Wanted,
    (mut after_a_kill, rests): (bool, bool),
    usual: &mut Duration,
    figures: &Mutex<Figures>,
) -> u64 {
    for nth in 1.. {
        let (before, began) = (story.sandbox.ledger(), Instant::now());
        let (end, first) = run(story, wanted, Plan::Never);
        let End::Finished(told) = end else { unreachable!("nobody killed it") };
        note_first(figures, (after_a_kill, rests), first);
        let was_killed = std::mem::take(&mut after_a_kill);
        let is_settled = oracle::report(story, wanted, &told);
        if story.is_healthy() {
            let calls = story.sandbox.ledger().calls - before.calls;
            // Requests of a process that was killed may be read only now.
            let agrees = told.requests == calls || was_killed && told.requests < calls;
            assert!(agrees, "{}: {calls} calls came, and {} were told", story.name, told.requests);
            // Documents that rest are waited for; a run with those says nothing of the next one.
            *usual = (*usual).max(began.elapsed().min(*usual * 3));
        }
        if is_settled {
            if story.faults.iter().any(|fault| fault.starts_with("late")) {
                std::thread::sleep(Duration::from_millis(300));
            }
            oracle::books(story, wanted);
            let before = story.sandbox.ledger();
            let End::Finished(told) = run(story, wanted, Plan::Never).0 else { unreachable!("nobody killed it") };
            oracle::further(story, wanted, &before, &told);
            return nth + 1;
        }
        assert!(!story.is_healthy() && nth < 12, "{}: it does not come to an end: {told:#?}", story.name);
    }
    unreachable!("it returns or fails")
}

fn note_first(figures: &Mutex<Figures>, (after_a_kill, rests): (bool, bool), first: Option<Duration>) {
    if let (true, Some(first)) = (after_a_kill, first) {
        let mut figures = figures.lock().unwrap();
        let longest = if rests { &mut figures.first_request_after_a_rest } else { &mut figures.first_request };
        *longest = first.max(*longest);
    }
}

fn plan(rng: &mut Rng, usual: Duration) -> Plan {
    let files = ["payables.db", "payables.db-lock", "payables.db-wal", "payables.db-hwm", "payables.db-spill"];
    if let Some(file) = files.get(rng.usize(..files.len() * 5)) {
        Plan::AfterFile(file, Duration::from_micros(rng.u64(..5000)))
    } else if rng.u8(..5) < 3 {
        Plan::After(usual * rng.u32(..1100) / 1000)
    } else {
        Plan::AfterCalls(rng.u64(1..=4), Duration::from_micros(rng.u64(..8000)))
    }
}

/// Runs the program once. Returns how it ended, and when its first call reached the vendor.
fn run(story: &mut Story, wanted: &Wanted, plan: Plan) -> (End, Option<Duration>) {
    let output = story.folder.path().join("report.ndjson");
    let errors = story.folder.path().join("errors");
    let mut command = payables();
    command.current_dir(&story.folder).args(["sync", "orders.jsonl", "--to", "tipalti", "--output", "ndjson"]);
    command.stdin(Stdio::null()).stdout(File::create(&output).unwrap()).stderr(File::create(&errors).unwrap());
    let before = story.sandbox.ledger().calls;
    let began = Instant::now();
    let mut running = Running(command.spawn().unwrap());
    let (mut first, mut reached) = (None, None);
    let status = loop {
        if let Some(status) = running.0.try_wait().unwrap() {
            break status;
        }
        let calls = story.sandbox.ledger().calls - before;
        if calls > 0 && first.is_none() {
            first = Some(began.elapsed());
        }
        let is_time = match plan {
            Plan::Never => {
                assert!(began.elapsed() < PATIENCE, "{}: a run does not end", story.name);
                false
            }
            Plan::After(time) => began.elapsed() >= time,
            Plan::AfterFile(file, time) => {
                let is_there = reached.is_some() || story.folder.path().join(file).exists();
                is_there && reached.get_or_insert_with(Instant::now).elapsed() >= time
            }
            Plan::AfterCalls(wanted, time) => calls >= wanted && reached.get_or_insert_with(Instant::now).elapsed() >= time,
        };
        if is_time {
            running.0.kill().unwrap();
            break running.0.wait().unwrap();
        }
        std::thread::sleep(Duration::from_micros(300));
    };
    let said = fs::read_to_string(&output).unwrap();
    let (items, summary) = read(&said);
    // What was told is told, however the run ended. A second line of a number says `unchanged` before the first has gone.
    let again = wanted.len() as u64 + 1;
    for item in items.iter().filter(|item| item.source.as_ref().and_then(|source| source.line) != Some(again)) {
        let number = item.number.clone().unwrap_or_default();
        if let (Some(content), Outcome::Accepted | Outcome::Unchanged) = (wanted.get(&number), item.outcome) {
            let is_there = story.sandbox.ledger().orders.contains_key(&number);
            assert!(is_there, "{}: {number} is told as {:?} and not there", story.name, item.outcome);
            let known = story.accepted.insert(number.clone(), *content) == Some(*content);
            assert!(!known || item.outcome == Outcome::Unchanged, "{}: {number} was accepted twice", story.name);
        }
    }
    if status.signal() == Some(9) {
        return (End::Killed, first);
    }
    let errors = fs::read_to_string(&errors).unwrap();
    let exit = status.code().and_then(|code| u8::try_from(code).ok());
    let exit = exit.unwrap_or_else(|| panic!("{}: it ended with {status}: {errors}", story.name));
    let summary = summary.unwrap_or_else(|| panic!("{}: exit {exit} without a summary: {said}\n{errors}", story.name));
    let requests = summary["summary"]["requests"].as_u64().unwrap();
    (End::Finished(Told { items, exit, requests }), first)
}

/// The whole lines of a report, and its summary when it has come so far.
fn read(said: &str) -> (Vec<Item>, Option<Value>) {
    let whole = said.rsplit_once('\n').map_or("", |(whole, _)| whole);
    let mut lines: Vec<Value> = whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let summary = lines.pop_if(|line| line.get("summary").is_some());
    (lines.into_iter().map(|line| serde_json::from_value(line).unwrap()).collect(), summary)
}

/// What a kill left behind.
fn look(story: &Story, figures: &mut Figures) {
    figures.looked_at += 1;
    // It may have been killed before there was a journal, or while it was being made.
    let Ok(mut journal) = Sqlite::read(&story.journal()) else {
        figures.without_a_journal += 1;
        return;
    };
    let last = journal.runs(1).unwrap();
    match last.first() {
        Some(run) if run.ended_at.is_none() && run.imported_at.is_none() => figures.importing += 1,
        Some(run) if run.ended_at.is_none() => figures.sending += 1,
        _ => {}
    }
    let scopes = journal.scopes().unwrap();
    let calls: Vec<_> = scopes.iter().flat_map(|(scope, _)| journal.unsettled(*scope).unwrap()).collect();
    let answered = calls.iter().filter(|call| call.evidence.is_some()).count() as u64;
    figures.unsettled += calls.len() as u64;
    figures.answered += answered;
    figures.on_the_way += u64::from(calls.len() as u64 > answered);
}
