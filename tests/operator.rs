//! What an operator does the morning after: looks, decides, tries again, and looks after the journal.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Output, Stdio};
use std::time::{Duration, Instant};

use payables_bridge::journal::Sqlite;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{order, order_with, payables, run};

/// A simulator in a process of its own, which ends with the test, however that ends.
struct Vendor {
    child: Child,
    ready: Value,
}

impl Vendor {
    fn start(faults: &[&str]) -> Self {
        let mut command = payables();
        command.arg("sandbox").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        for fault in faults {
            command.args(["--fault", fault]);
        }
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        Self { ready: serde_json::from_str(&line).unwrap(), child }
    }

    fn says(&self, key: &str) -> &str {
        self.ready["tipalti"][key].as_str().unwrap()
    }
}

impl Drop for Vendor {
    fn drop(&mut self) {
        let _gone_already = self.child.kill();
        let _gone_already = self.child.wait();
    }
}

/// An office: a folder with a configuration, and whoever works there.
struct Office {
    folder: TempDir,
    key: String,
}

struct Answer {
    code: i32,
    out: String,
    err: String,
}

impl Answer {
    fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Self { code: output.status.code().unwrap(), out: text(&output.stdout), err: text(&output.stderr) }
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {} {}", self.out, self.err))
    }

    #[track_caller]
    fn ends(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}\n{}", self.out, self.err);
        self
    }

    /// What both say, on one line as far as a table has broken it.
    fn all(&self) -> String {
        format!("{} {}", self.out, self.err).split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

impl Office {
    fn new(vendor: &Vendor, more: &str) -> Self {
        let office = Self { folder: TempDir::new().unwrap(), key: vendor.says("master_key").to_owned() };
        office.move_to(vendor, more);
        office
    }

    fn move_to(&self, vendor: &Vendor, more: &str) {
        let config = format!(
            "[targets.erp]\nkind = \"tipalti\"\npayer_name = \"{}\"\nmaster_key = \"env:SANDBOX_KEY\"\nendpoint = \"{}\"\n\
             requests_per_second = 100\nburst = 100\nreplay_after_s = 0\n{more}\n",
            vendor.says("payer_name"),
            vendor.says("endpoint")
        );
        std::fs::write(self.path("payables.toml"), config).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn db(&self) -> PathBuf {
        self.path("payables.db")
    }

    fn with(&self, arguments: &[&str], input: &str) -> Answer {
        let mut command = payables();
        command
            .current_dir(&self.folder)
            .env("SANDBOX_KEY", &self.key)
            .env_remove("SUDO_USER")
            .env("USER", "ada")
            .args(arguments);
        let answer = Answer::of(&run(&mut command, input.as_bytes()));
        assert!(!answer.all().contains(&self.key), "the key was shown");
        assert!(!answer.all().contains('\u{1b}'), "a terminal was commanded");
        answer
    }

    fn run(&self, arguments: &[&str]) -> Answer {
        self.with(arguments, "")
    }

    fn sync(&self, input: &str) -> Answer {
        self.with(&["sync", "-", "--to", "erp", "--output", "json", "--wait", "3"], input)
    }

    /// Nothing new to send; what waits goes.
    fn sync_nothing(&self) -> Answer {
        self.sync("[]")
    }

    /// How the document stands, after `status`.
    fn state(&self, number: &str) -> String {
        let status = self.run(&["status", number, "--output", "json"]).ends(0).json();
        status["documents"][0]["state"].as_str().unwrap().to_owned()
    }

    fn resolve(&self, arguments: &[&str]) -> Answer {
        let more = ["--to", "erp", "--reason", "seen in the portal"];
        self.run(&[&["resolve"], arguments, &more].concat())
    }
}

fn unknown_payee(number: &str) -> String {
    order_with(number, "\"seller\":{\"id\":\"V-1\"},")
}

#[test]
fn what_is_held_is_seen_released_and_sent() {
    let vendor = Vendor::start(&[]);
    let office = Office::new(&vendor, "");
    office.sync(&[unknown_payee("PO-1"), order("PO-2")].join("\n")).ends(3);
    let status = office.run(&["status"]).ends(0).all();
    for words in ["erp held 1", "erp accepted 1", "PO-1", "TIP-PAYEE", "held: payables release PO-1 --to erp --reason '…'", " s)"]
    {
        assert!(status.contains(words), "{words}: {status}");
    }
    let json = office.run(&["status", "--output", "json"]).ends(0).json();
    assert_eq!((json["schema"].as_str(), json["more"].as_u64()), (Some("payables.status.v1"), Some(0)));
    assert_eq!(json["documents"].as_array().unwrap().len(), 1);
    assert_eq!(json["documents"][0]["fault"]["rule"], "TIP-PAYEE");
    // Nothing goes by itself, and what is not held is not released.
    office.sync_nothing().ends(0);
    assert!(office.run(&["release", "PO-2", "--to", "erp", "--reason", "r"]).ends(3).err.contains("nothing is held"));
    assert!(office.run(&["release", "PO-9", "--to", "erp", "--reason", "r"]).ends(3).err.contains("no such document"));
    let released = office.run(&["release", "PO-1", "--to", "erp", "--reason", "checked with purchasing"]).ends(0);
    assert!(released.err.contains("the next sync sends it"), "{}", released.err);
    assert_eq!(office.state("PO-1"), "ready");
    let report = office.sync_nothing().ends(0).json();
    assert_eq!(report["summary"]["outcomes"], serde_json::json!({"accepted": 1}));
    let story = office.run(&["show", "PO-1"]).ends(0).all();
    for words in ["purchase order to erp", "release by ada", "checked with purchasing", "attempt 1", "status 200", "accepted"] {
        assert!(story.contains(words), "{words}: {story}");
    }
    let story = office.run(&["show", "PO-1", "--output", "json"]).ends(0).json();
    let version = &story["versions"][0];
    assert_eq!((version["state"].as_str(), version["released"].as_bool()), (Some("accepted"), Some(true)));
    assert_eq!(version["acts"][0]["verb"], "release");
    assert!(version["acts"][0]["who"].as_str().unwrap().starts_with("ada"));
    assert!(version["tries"][0]["evidence"][0]["body"].as_str().unwrap().contains("PO-1"));
    // The payee is known from now on, and what stands there is not sent twice.
    let again = office.sync(&[unknown_payee("PO-1"), order("PO-2")].join("\n")).ends(0).json();
    assert_eq!((&again["summary"]["outcomes"], &again["summary"]["requests"]), (&serde_json::json!({"unchanged": 2}), &0.into()));
    assert!(office.run(&["status"]).ends(0).all().contains("Nothing is open."));
}

#[test]
fn a_run_is_shown_with_its_documents() {
    let vendor = Vendor::start(&[]);
    let office = Office::new(&vendor, "");
    let report = office.sync(&[unknown_payee("PO-1"), order("PO-2")].join("\n")).ends(3).json();
    let id = report["run"]["id"].as_str().unwrap();
    let shown = office.run(&["show", id]).ends(0).all();
    for words in ["to erp", "its input was stored completely (-)", "PO-1", "TIP-PAYEE", "PO-2", "1 accepted", "1 request"] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    let json = office.run(&["show", id, "--output", "json"]).ends(0).json();
    assert_eq!((json["schema"].as_str(), json["run"]["id"].as_str()), (Some("payables.run.v1"), Some(id)));
    assert_eq!(json["items"].as_array().unwrap().len(), 2);
    assert_eq!(json["summary"]["documents"], 2);
    office.run(&["show", "20200101T000000Z-00000000"]).ends(3);
}

#[test]
fn what_is_in_doubt_is_resolved_by_a_persons_word() {
    let vendor = Vendor::start(&["succeeded-missing:number=PO-1"]);
    let office = Office::new(&vendor, "quarantine_s = 600");
    office.sync(&[order("PO-1"), order("PO-2")].join("\n")).ends(5);
    let status = office.run(&["status"]).ends(0).all();
    for words in ["in doubt: payables resolve PO-1 --accepted --to erp", "or --absent", "It rests until"] {
        assert!(status.contains(words), "{words}: {status}");
    }
    let refused = office.resolve(&["PO-1", "--absent"]).ends(3);
    assert!(refused.err.contains("may still be on its way; look again in"), "{}", refused.err);
    assert_eq!(office.state("PO-1"), "in_doubt");
    assert!(office.resolve(&["PO-2", "--accepted"]).ends(3).err.contains("it is accepted"));
    let resolved = office.resolve(&["PO-1", "--accepted"]).ends(0);
    // What came back last is seen before it is decided.
    assert!(resolved.err.contains("status 200") && resolved.err.contains("taken as accepted"), "{}", resolved.err);
    assert_eq!(office.state("PO-1"), "accepted");
    assert!(office.run(&["show", "PO-1"]).ends(0).all().contains("resolve --accepted by ada"));
    let again = office.sync(&order("PO-1")).ends(0).json();
    assert_eq!(again["summary"]["outcomes"], serde_json::json!({"unchanged": 1}));
}

#[test]
fn what_the_vendor_does_not_have_goes_once_more() {
    // An attempt and its three replays are answered in a way that says nothing.
    let vendor = Vendor::start(&["succeeded-missing:number=PO-1,times=4"]);
    let office = Office::new(&vendor, "quarantine_s = 0");
    office.sync(&order("PO-1")).ends(5);
    office.resolve(&["PO-1", "--absent"]).ends(0);
    assert_eq!(office.state("PO-1"), "ready");
    assert!(office.run(&["status", "PO-1"]).ends(0).all().contains("the next run sends it"));
    assert!(office.resolve(&["PO-1", "--absent"]).ends(3).err.contains("nothing is in doubt"));
    let report = office.sync_nothing().ends(0).json();
    assert_eq!(report["summary"]["outcomes"], serde_json::json!({"accepted": 1}));
    let story = office.run(&["show", "PO-1"]).ends(0).all();
    assert!(story.contains("resolve --absent by ada") && story.contains("attempt 5"), "{story}");
}

#[test]
fn a_newer_version_takes_the_place_of_one_that_is_absent() {
    let vendor = Vendor::start(&["succeeded-missing:number=PO-1"]);
    let office = Office::new(&vendor, "quarantine_s = 2");
    office.sync(&order("PO-1")).ends(5);
    let newer = unknown_payee("PO-1");
    office.sync(&newer);
    std::thread::sleep(Duration::from_millis(2100));
    let states = |office: &Office| -> Vec<String> {
        let story = office.run(&["show", "PO-1", "--output", "json"]).ends(0).json();
        story["versions"].as_array().unwrap().iter().map(|one| one["state"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(states(&office), ["in_doubt", "held"]);
    let resolved = office.resolve(&["PO-1", "--absent"]).ends(0);
    assert!(resolved.err.contains("revision 2 has taken its place"), "{}", resolved.err);
    assert_eq!(states(&office), ["superseded", "held"]);
}

#[test]
fn a_file_of_verdicts_is_stored_whole_or_not_at_all() {
    let vendor = Vendor::start(&["succeeded-missing:number=PO-11", "succeeded-missing:number=PO-12"]);
    let office = Office::new(&vendor, "quarantine_s = 0");
    let numbers = ["PO-11", "PO-12"];
    office.sync(&["PO-1", "PO-11", "PO-12"].map(order).join("\n")).ends(5);
    let from = |text: &str| {
        std::fs::write(office.path("verdicts.csv"), text).unwrap();
        office.resolve(&["--from", "verdicts.csv"])
    };
    let bad = from("number,verdict\nPO-11,accepted\nPO-11,absent\nPO-1,absent\nPO-404,absent\n").ends(3);
    for words in ["line 3: PO-11: it is decided about twice", "line 4: PO-1: nothing", "line 5: PO-404", "nothing was stored"] {
        assert!(bad.err.contains(words), "{words}: {}", bad.err);
    }
    assert!(!bad.err.contains("line 2"), "{}", bad.err);
    let bad = from("number,verdict\nPO-11,perhaps\n,absent\nPO-12\n").ends(3);
    assert!(["line 2", "line 3", "line 4"].iter().all(|line| bad.err.contains(line)), "{}", bad.err);
    from("nummer,verdict\nPO-11,absent\n").ends(3);
    from("number,verdict\n").ends(0);
    assert!(numbers.iter().all(|number| office.state(number) == "in_doubt"));
    let good = "Number;Verdict;Reason\r\nPO-11;accepted;in the portal\r\nPO-12;absent;\r\n";
    let answer = office.with(&["resolve", "--from", "-", "--to", "erp", "--reason", "export of Monday"], good).ends(0);
    assert!(answer.err.contains("PO-11: taken as accepted") && answer.err.contains("PO-12: taken as not received"));
    assert_eq!(numbers.map(|number| office.state(number)), ["accepted", "ready"]);
    assert!(office.run(&["show", "PO-11"]).ends(0).all().contains("in the portal"));
    assert!(office.run(&["show", "PO-12"]).ends(0).all().contains("export of Monday"));
    // A line without a reason, and none for all.
    let bad = office.with(&["resolve", "--from", "-", "--to", "erp"], good).ends(3);
    assert!(bad.err.contains("line 3: reason"), "{}", bad.err);
}

#[test]
fn what_was_rejected_is_tried_again() {
    let vendor = Vendor::start(&["reject:number=PO-1,times=1"]);
    let office = Office::new(&vendor, "");
    let first = office.sync(&[order("PO-1"), order("PO-2")].join("\n")).ends(3).json();
    assert_eq!(office.state("PO-1"), "rejected");
    assert!(office.run(&["status"]).ends(0).all().contains("rejected: payables retry --to erp"));
    office.run(&["retry", "--run", "no-such-run"]).ends(3);
    office.run(&["retry", "--to", "nowhere"]).ends(2);
    let report = office.run(&["retry", "--output", "json"]).ends(0).json();
    assert_eq!(report["schema"], "payables.report.v1");
    assert_eq!(report["summary"]["outcomes"], serde_json::json!({"accepted": 1}));
    assert_eq!(report["items"][0]["number"], "PO-1");
    let run = first["run"]["id"].as_str().unwrap();
    let report = office.run(&["retry", "--run", run, "--output", "json"]).ends(0).json();
    assert_eq!(report["summary"]["requests"], 0);
    // Where several targets could be meant, somebody has to say which; a run tells.
    let config = std::fs::read_to_string(office.path("payables.toml")).unwrap();
    std::fs::write(office.path("payables.toml"), format!("{config}[targets.other]\nkind = \"tipalti\"\n")).unwrap();
    assert!(office.run(&["retry"]).ends(2).err.contains("erp other"));
    office.run(&["retry", "--to", "erp"]).ends(0);
    office.run(&["retry", "--run", run]).ends(0);
    office.run(&["retry", "--run", run, "--to", "other"]).ends(2);
}

#[cfg(unix)]
#[test]
fn a_retry_that_is_terminated_finishes_what_is_on_its_way() {
    let vendor = Vendor::start(&["reject:times=2", "slow:ms=1200"]);
    let office = Office::new(&vendor, "batch_size = 1");
    office.sync(&[order("PO-1"), order("PO-2")].join("\n")).ends(3);
    let mut command = payables();
    command
        .current_dir(&office.folder)
        .env("SANDBOX_KEY", &office.key)
        .args(["retry", "--output", "json"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    std::thread::sleep(Duration::from_millis(600));
    let kill = std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
    let answer = Answer::of(&child.wait_with_output().unwrap()).ends(75);
    assert!(answer.err.contains("stopping"), "{}", answer.err);
    assert_eq!(answer.json()["summary"]["outcomes"], serde_json::json!({"accepted": 1, "not_sent": 1}));
    assert_eq!((office.state("PO-1").as_str(), office.state("PO-2").as_str()), ("accepted", "ready"));
}

#[cfg(unix)]
#[test]
fn a_run_that_is_terminated_twice_leaves_a_whole_report() {
    let vendor = Vendor::start(&["timeout"]);
    let office = Office::new(&vendor, "batch_size = 1");
    std::fs::write(office.path("orders"), [order("PO-1"), order("PO-2")].join("\n")).unwrap();
    let mut command = payables();
    command
        .current_dir(&office.folder)
        .env("SANDBOX_KEY", &office.key)
        .args(["sync", "orders", "--to", "erp", "--output", "json"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    let term = || std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    std::thread::sleep(Duration::from_millis(800));
    assert!(term().success());
    std::thread::sleep(Duration::from_millis(400));
    assert!(term().success());
    let answer = Answer::of(&child.wait_with_output().unwrap()).ends(5);
    assert!(answer.err.contains("in doubt"), "{}", answer.err);
    let report = answer.json();
    assert!(report["summary"]["notes"].to_string().contains("not listed"), "{report}");
    assert_eq!(office.run(&["status", "PO-1", "--output", "json"]).ends(0).json()["documents"][0]["state"], "armed");
    let status = office.run(&["status", "--output", "json"]).ends(0).json();
    assert_eq!((&status["last_runs"][0]["ended_at"], &status["last_runs"][0]["run"]), (&Value::Null, &report["run"]["id"]));
    assert!(office.run(&["status"]).ends(0).all().contains("at work, or broken off; payables show"));
}

#[cfg(unix)]
#[test]
fn a_run_that_is_terminated_while_it_reads_leaves_a_report_and_sends_nothing() {
    let vendor = Vendor::start(&[]);
    let office = Office::new(&vendor, "");
    let mut command = payables();
    command
        .current_dir(&office.folder)
        .env("SANDBOX_KEY", &office.key)
        .args(["sync", "-", "--to", "erp", "--output", "json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // The input does not come to an end.
    let mut input = child.stdin.take().unwrap();
    input.write_all((order("PO-1") + "\n").as_bytes()).unwrap();
    std::thread::sleep(Duration::from_millis(600));
    assert!(std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    let answer = Answer::of(&child.wait_with_output().unwrap()).ends(75);
    assert!(answer.err.contains("nothing was sent"), "{}", answer.err);
    assert!(answer.json()["summary"]["notes"].to_string().contains("before anything was sent"));
    drop(input);
    assert!(office.run(&["status"]).ends(0).all().contains("Nothing is open"));
}

#[test]
fn a_fuse_holds_what_would_go_and_leaves_the_rest_as_it_stands() {
    let vendor = Vendor::start(&[]);
    let office = Office::new(&vendor, "");
    office.sync(&order("PO-1")).ends(0);
    std::fs::write(office.path("both"), [order("PO-1"), order("PO-2")].join("\n")).unwrap();
    std::fs::write(office.path("empty"), "").unwrap();
    let report = office.run(&["sync", "both", "empty", "--to", "erp", "--output", "json"]).ends(4).json();
    assert_eq!(report["summary"]["outcomes"], serde_json::json!({"unchanged": 1, "held": 1}));
}

#[test]
fn status_lists_as_many_as_are_wanted_and_says_how_the_last_run_ended() {
    let vendor = Vendor::start(&[]);
    let office = Office::new(&vendor, "");
    let wrong = order_with("PO-9", "\"colour\":\"red\",");
    let report = office.sync(&[unknown_payee("PO-1"), unknown_payee("PO-2"), order("PO-3"), wrong].join("\n")).ends(3).json();
    let run = report["run"]["id"].as_str().unwrap();
    let status = office.run(&["status", "--limit", "1"]).ends(0).all();
    let told = format!("ago: 1 accepted, 2 held, 1 invalid; payables show {run}");
    for words in ["PO-1", "And 1 more", &told] {
        assert!(status.contains(words), "{words}: {status}");
    }
    let json = office.run(&["status", "--limit", "0", "--output", "json"]).ends(0).json();
    assert_eq!((json["documents"].as_array().unwrap().len(), json["more"].as_u64()), (2, Some(0)));
    assert_eq!(json["last_runs"][0]["outcomes"], serde_json::json!({"accepted": 1, "held": 2, "invalid": 1}));
    // Of a target that moved away, nobody says that the next run sends it.
    let other = Vendor::start(&[]);
    office.move_to(&other, "");
    let json = office.run(&["status", "--output", "json"]).ends(0).json();
    let next = json["documents"][0]["next"].as_str().unwrap();
    assert!(next.contains("no target of the configuration sends to"), "{next}");
}

#[test]
fn who_has_nothing_to_tell_is_not_asked() {
    let folder = TempDir::new().unwrap();
    let ask = |arguments: &[&str]| {
        let mut command = payables();
        command.current_dir(&folder).arg("follow-up").args(arguments);
        Answer::of(&run(&mut command, b""))
    };
    // Neither configuration nor credentials nor journal.
    let report = ask(&["--output", "json"]).ends(0).json();
    assert_eq!((report["summary"]["documents"].as_u64(), report["items"].as_array().map(Vec::len)), (Some(0), Some(0)));
    assert!(report["summary"]["notes"][0].as_str().unwrap().contains("nothing to ask for"));
    std::fs::write(folder.path().join("payables.toml"), "[targets.a]\nkind = \"tipalti\"\n[targets.b]\nkind = \"tipalti\"\n")
        .unwrap();
    assert_eq!(ask(&["--output", "ndjson"]).ends(0).out.lines().count(), 2);
    ask(&["--to", "nowhere"]).ends(2);
    ask(&["--to", "aws"]).ends(2);
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1, "it wrote something");
}

#[test]
fn decisions_wait_for_nobody_unless_they_are_told_to() {
    let vendor = Vendor::start(&[]);
    let office = Office::new(&vendor, "");
    office.sync(&unknown_payee("PO-1")).ends(3);
    let held = Sqlite::open(&office.db(), Duration::ZERO).unwrap();
    let began = Instant::now();
    for command in [
        &["release", "PO-1", "--to", "erp", "--reason", "r"][..],
        &["resolve", "PO-1", "--accepted", "--to", "erp", "--reason", "r"],
        &["retry"],
        &["journal", "prune", "--before", "2020-01-01", "--yes"],
    ] {
        let answer = office.run(command).ends(75);
        assert!(!answer.err.is_empty(), "{command:?}");
    }
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    // Looking is always allowed.
    assert_eq!(office.state("PO-1"), "held");
    office.run(&["show", "PO-1"]).ends(0);
    office.run(&["journal", "check"]).ends(0);
    let waiting = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(500));
        drop(held);
    });
    office.run(&["release", "PO-1", "--to", "erp", "--reason", "r", "--wait-lock", "20"]).ends(0);
    waiting.join().unwrap();
}

#[test]
fn the_journal_is_checked_exported_and_pruned() {
    let vendor = Vendor::start(&[]);
    let office = Office::new(&vendor, "");
    office.sync(&[unknown_payee("PO-1"), order("PO-2")].join("\n")).ends(3);
    assert!(office.run(&["journal", "check"]).ends(0).out.contains("is whole"));
    let export = office.run(&["journal", "export"]).ends(0).out;
    let lines: Vec<Value> = export.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.iter().filter(|line| line.get("version").is_some()).count(), 2);
    let would = office.run(&["journal", "prune", "--before", "2099-01-01"]).ends(0).out;
    assert!(would.contains("1 wire form, 1 answer, 2 report lines") && would.contains("--yes"), "{would}");
    let pruned = office.run(&["journal", "prune", "--before", "2099-01-01T00:00:00Z", "--yes"]).ends(0).out;
    assert!(pruned.contains("1 wire form, 1 answer, 2 report lines"), "{pruned}");
    assert!(office.run(&["journal", "prune", "--before", "2099-01-01"]).ends(0).out.contains("0 wire forms"));
    office.run(&["journal", "prune", "--before", "yesterday"]).ends(2);
    office.run(&["journal", "prune"]).ends(2);
    office.run(&["journal", "check"]).ends(0);
    assert!(office.run(&["show", "PO-2"]).ends(0).all().contains("pruned"));
    // What is held is still there to be released.
    office.run(&["release", "PO-1", "--to", "erp", "--reason", "r"]).ends(0);
    office.sync_nothing().ends(0);
    tamper(&office.db(), "DROP TRIGGER act_is_not_changed; UPDATE act SET reason = 'nothing'");
    let found = office.run(&["journal", "check"]).ends(1).out;
    assert!(found.lines().count() >= 2 && found.contains("act_is_not_changed"), "{found}");
}

#[test]
fn a_journal_that_was_put_back_is_taken_on_a_persons_word() {
    let vendor = Vendor::start(&[]);
    let office = Office::new(&vendor, "");
    office.sync(&unknown_payee("PO-1")).ends(3);
    std::fs::copy(office.db(), office.path("backup.db")).unwrap();
    office.run(&["journal", "check", "--accept-rollback", "--reason", "r"]).ends(78);
    office.run(&["release", "PO-1", "--to", "erp", "--reason", "r"]).ends(0);
    office.sync(&order("PO-2")).ends(0);
    std::fs::copy(office.path("backup.db"), office.db()).unwrap();
    let refused = office.sync_nothing().ends(78);
    assert!(refused.err.contains("--accept-rollback"), "{}", refused.err);
    assert!(office.run(&["journal", "check"]).ends(1).out.contains("older copy"));
    office.run(&["journal", "check", "--accept-rollback"]).ends(2);
    office.run(&["journal", "check", "--accept-rollback", "--reason", "  "]).ends(2);
    let taken = office.run(&["journal", "check", "--accept-rollback", "--reason", "backup of Sunday"]).ends(0);
    // A guard held it when the copy was made, so it is not replayed; but it may have been let go since.
    assert!(taken.out.contains("In doubt from now on: 0"), "{}", taken.out);
    let held = office.run(&["status", "PO-1"]).ends(0).out;
    assert!(held.contains("held") && held.contains("may have been sent"), "{held}");
    assert!(office.run(&["show", "PO-1"]).ends(0).all().contains("backup of Sunday"));
    office.run(&["journal", "check"]).ends(0);
}

#[test]
fn without_a_journal_nothing_is_open_and_nothing_is_made() {
    let folder = TempDir::new().unwrap();
    let ask = |arguments: &[&str]| {
        let mut command = payables();
        command.current_dir(&folder).args(arguments);
        Answer::of(&run(&mut command, b""))
    };
    assert!(ask(&["status"]).ends(0).out.contains("nothing has been sent yet"));
    assert!(ask(&["status", "PO-1"]).ends(0).out.contains("nothing has been sent yet"));
    assert_eq!(ask(&["status", "--output", "json"]).ends(0).json()["documents"], serde_json::json!([]));
    ask(&["status", "--to", "nowhere"]).ends(2);
    ask(&["show", "PO-1"]).ends(3);
    ask(&["journal", "check"]).ends(0);
    ask(&["journal", "export"]).ends(0);
    ask(&["journal", "prune", "--before", "2020-01-01", "--yes"]).ends(0);
    ask(&["retry"]).ends(0);
    ask(&["release", "PO-1", "--to", "tipalti", "--reason", "r"]).ends(3);
    ask(&["status", "--config", "missing.toml"]).ends(78);
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0, "something was made");
}

#[test]
fn what_makes_no_sense_is_refused_and_commands_no_terminal() {
    let vendor = Vendor::start(&[]);
    let office = Office::new(&vendor, "");
    office.sync(&unknown_payee("PO-1")).ends(3);
    for arguments in [
        &["release", "PO-1", "--to", "erp"][..],
        &["release", "PO-1", "--to", "erp", "--reason", ""],
        &["release", "PO-1", "--to", "erp", "--reason", " \t"],
        &["release", "PO-1", "--reason", "r"],
        &["release", "", "--to", "erp", "--reason", "r"],
        &["release", "PO-1", "--to", "nowhere", "--reason", "r"],
        &["resolve", "PO-1", "--to", "erp", "--reason", "r"],
        &["resolve", "PO-1", "--accepted", "--absent", "--to", "erp", "--reason", "r"],
        &["resolve", "PO-1", "--from", "x.csv", "--to", "erp", "--reason", "r"],
        &["resolve", "--accepted", "--from", "x.csv", "--to", "erp", "--reason", "r"],
        &["resolve", "--to", "erp", "--reason", "r"],
        &["resolve", "--from", "missing.csv", "--to", "erp", "--reason", "r"],
        &["journal"],
        &["status", "--output", "xml"],
    ] {
        let answer = office.run(arguments);
        assert_eq!(answer.code, 2, "{arguments:?}: {}", answer.err);
    }
    let hostile = "PO\u{1b}[2J\u{202e}\n1";
    for arguments in [
        &["status", hostile][..],
        &["show", hostile],
        &["release", hostile, "--to", "erp", "--reason", "r"],
        &["resolve", hostile, "--absent", "--to", "erp", "--reason", "r"],
        &["retry", "--run", hostile],
    ] {
        office.run(arguments).ends(3);
    }
    // A reason may try, too.
    office.run(&["release", "PO-1", "--to", "erp", "--reason", "it is\u{1b}[31m fine\nreally"]).ends(0);
    let story = office.run(&["show", "PO-1"]).ends(0);
    assert!(story.all().contains("it is\u{fffd}[31m fine\u{fffd}really"), "{}", story.out);
}

#[test]
fn a_file_that_is_no_journal_is_not_taken_for_one() {
    let vendor = Vendor::start(&[]);
    let office = Office::new(&vendor, "");
    std::fs::write(office.db(), "a letter, and not a database, however long one looks at it".repeat(100)).unwrap();
    for arguments in [
        &["status"][..],
        &["show", "PO-1"],
        &["release", "PO-1", "--to", "erp", "--reason", "r"],
        &["retry"],
        &["journal", "check"],
        &["journal", "export"],
    ] {
        let answer = office.run(arguments);
        assert!(answer.code == 78 && answer.err.contains("payables.db"), "{arguments:?}: {} {}", answer.code, answer.err);
    }
    std::fs::remove_file(office.db()).unwrap();
    std::fs::create_dir(office.db()).unwrap();
    office.run(&["status"]).ends(78);
}

#[cfg(unix)]
#[test]
fn a_journal_that_may_not_be_read_says_so() {
    use std::os::unix::fs::PermissionsExt;
    let vendor = Vendor::start(&[]);
    let office = Office::new(&vendor, "");
    office.sync(&unknown_payee("PO-1")).ends(3);
    std::fs::set_permissions(office.db(), std::fs::Permissions::from_mode(0o000)).unwrap();
    // Whoever may do everything may read it nevertheless.
    if std::fs::File::open(office.db()).is_err() {
        let answer = office.run(&["status"]).ends(78);
        assert!(answer.err.contains("cannot be opened"), "{}", answer.err);
    }
}

/// Changes the database behind the program's back.
fn tamper(path: &Path, sql: &str) {
    rusqlite::Connection::open(path).unwrap().execute_batch(sql).unwrap();
}
