//! What AWS Invoicing holds is brought about over real sockets: each once, whatever goes wrong on the way.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use payables_bridge::adapter::Scope;
use payables_bridge::bridge::aws::{Access, Account, Applied, Apply, Kept};
use payables_bridge::journal::{Journal as _, NewRun, Sqlite};
use payables_bridge::outcome::{Action, Outcome};
use payables_bridge::rules::Levels;
use payables_bridge::sandbox::{Options, Sandbox};
use payables_bridge::vendors::aws::{
    Allowed, Call, File, Held, InvoiceUnit, Judged, Preference, Reference, Step, judge_preferences, judge_units, plan,
};
use payables_bridge::wire::Secret;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::project;

const CREATE: &str = "CreateProcurementPortalPreference";
const PUT: &str = "PutProcurementPortalPreference";

/// The secret that a reference stands for.
pub(crate) fn secret(reference: &Reference<'_>) -> Option<Secret> {
    reference.given().map(|reference| Secret::new(format!("canary-{}", reference.trim_start_matches("env:"))))
}

/// The files of a folder of examples.
pub(crate) fn files(folder: &str) -> Vec<File> {
    let mut paths: Vec<_> = fs::read_dir(project(folder)).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| File::new(path.display().to_string(), &fs::read_to_string(path).unwrap())).collect()
}

pub(crate) fn preferences(files: &[File]) -> Vec<Judged<'_, Preference<'_>>> {
    judge_preferences(files, &Levels::new(), 0)
}

pub(crate) fn units(files: &[File]) -> Vec<Judged<'_, InvoiceUnit<'_>>> {
    judge_units(files, &Levels::new())
}

/// A simulated AWS, a journal, and the way between them.
pub(crate) struct Office {
    pub(crate) sandbox: Sandbox,
    pub(crate) account: Account,
    pub(crate) folder: TempDir,
    pub(crate) now: Cell<i64>,
    pub(crate) window: Duration,
}

impl Office {
    pub(crate) async fn open(faults: &[&str]) -> Self {
        let faults = faults.iter().map(|fault| fault.parse().unwrap()).collect();
        let sandbox = Sandbox::start(Options { faults, ..Options::default() }).await.unwrap();
        let account = Account::open(&access(&sandbox)).await.unwrap();
        let (folder, now) = (TempDir::new().unwrap(), Cell::new(1_772_323_200_000));
        Self { sandbox, account, folder, now, window: Duration::from_secs(600) }
    }

    pub(crate) fn journal(&self) -> Sqlite {
        Sqlite::open(&self.path(), Duration::ZERO).unwrap()
    }

    fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("payables.db")
    }

    /// The steps that files ask for.
    pub(crate) async fn plan<'f, T: Kept>(&self, wanted: Vec<Judged<'f, T>>, allowed: Allowed) -> Vec<Step<T>> {
        plan(wanted, self.account.all::<T>().await.unwrap(), allowed, &secret)
    }

    /// Does steps.
    pub(crate) async fn run<T: Kept>(&self, steps: &[Step<T>]) -> Vec<Applied> {
        let mut journal = self.journal();
        let (scope, run) = begin(&mut journal, &self.sandbox.ready().aws.endpoint);
        let clock = || self.now.get();
        let (account, window) = (&self.account, self.window);
        let mut all = Vec::new();
        for step in steps {
            let mut apply = Apply { account, journal: &mut journal, scope, run, window, secret: &secret, clock: &clock };
            all.push(apply.step(step).await.unwrap());
        }
        all
    }

    pub(crate) async fn apply<'f, T: Kept>(&self, wanted: Vec<Judged<'f, T>>) -> Vec<Applied> {
        let steps = self.plan(wanted, Allowed::default()).await;
        self.run(&steps).await
    }

    fn performed(&self, operation: &str) -> u64 {
        self.sandbox.aws_performed().get(operation).copied().unwrap_or_default()
    }

    /// The intents of the journal: operation, token, outcome.
    pub(crate) fn intents(&self) -> Vec<(String, String, Option<String>)> {
        let mut lines = Vec::new();
        Sqlite::read(&self.path()).unwrap().export(&mut lines).unwrap();
        let lines = String::from_utf8(lines).unwrap();
        assert!(!lines.contains("canary"), "{lines}");
        let rows = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let intent = |row: Value| {
            let intent = row.get("intent")?;
            Some((text(&intent["operation"])?, text(&intent["token"])?, text(&intent["outcome"])))
        };
        rows.filter_map(intent).collect()
    }
}

pub(crate) fn access(sandbox: &Sandbox) -> Access {
    let ready = sandbox.ready().aws;
    Access {
        endpoint: Some(ready.endpoint),
        timeout: Duration::from_secs(5),
        key: Some((ready.access_key_id, Secret::new(ready.secret_access_key))),
        ..Access::default()
    }
}

/// Begins a run where the program would for an endpoint of one's own.
pub(crate) fn begin(journal: &mut Sqlite, endpoint: &str) -> (i64, i64) {
    let word = |text: &str| text.to_owned();
    let scope =
        Scope { kind: word("aws-invoicing"), environment: word("production"), endpoint: word(endpoint), account: word("") };
    let scope = journal.scope(&scope).unwrap();
    let run = NewRun { name: word("a run"), scope, target: word("aws"), at: 1, inputs: vec![] };
    (scope, journal.begin(&run).unwrap())
}

pub(crate) fn outcomes(all: &[Applied]) -> Vec<Outcome> {
    all.iter().map(|applied| applied.outcome).collect()
}

/// A file of an example with a piece of its text replaced.
fn changed(path: &str, old: &str, new: &str) -> File {
    let text = fs::read_to_string(project(path)).unwrap();
    assert!(text.contains(old), "{path}: {old}");
    File::new(Path::new(path).file_name().unwrap().to_str().unwrap(), &text.replacen(old, new, 1))
}

const BOTH: [Outcome; 2] = [Outcome::Accepted, Outcome::Accepted];
const NEITHER: [Outcome; 2] = [Outcome::Unchanged, Outcome::Unchanged];

#[tokio::test]
async fn a_second_apply_does_nothing_and_a_change_is_made_once() {
    let office = Office::open(&[]).await;
    let (portals, unit_files) = (files("examples/portals"), files("examples/invoice-units"));
    assert_eq!(outcomes(&office.apply(preferences(&portals)).await), BOTH);
    assert_eq!(outcomes(&office.apply(preferences(&portals)).await), NEITHER);
    assert_eq!(outcomes(&office.apply(units(&unit_files)).await), BOTH);
    assert_eq!(outcomes(&office.apply(units(&unit_files)).await), NEITHER);
    let wanted = [changed("examples/portals/coupa.toml", "ap@example.com", "new@example.com")];
    assert_eq!(outcomes(&office.apply(preferences(&wanted)).await), [Outcome::Accepted]);
    assert_eq!(outcomes(&office.apply(preferences(&wanted)).await), [Outcome::Unchanged]);
    // A unit loses its description, which has to be said, and becomes another by its tags alone.
    let wanted = [changed("examples/invoice-units/research.toml", "description = \"Accounts of the research teams\"\n", "")];
    let steps = office.plan(units(&wanted), Allowed::default()).await;
    assert_eq!(steps[0].changes.iter().map(|change| &*change.path).collect::<Vec<_>>(), ["description"]);
    assert_eq!(outcomes(&office.run(&steps).await), [Outcome::Accepted]);
    assert_eq!(outcomes(&office.apply(units(&wanted)).await), [Outcome::Unchanged]);
    let performed = office.sandbox.aws_performed();
    let expected = [(CREATE, 2), (PUT, 1), ("CreateInvoiceUnit", 2), ("UpdateInvoiceUnit", 1)];
    assert_eq!(performed, expected.into_iter().map(|(name, count)| (name.to_owned(), count)).collect::<BTreeMap<_, _>>());
    let intents = office.intents();
    assert!(intents.len() == 6 && intents.iter().all(|(.., outcome)| outcome.as_deref() == Some("done")), "{intents:?}");
}

#[tokio::test]
async fn whatever_goes_wrong_on_the_way_each_is_made_once() {
    let tokens =
        |office: &Office| office.intents().into_iter().map(|(_, token, _)| token).collect::<std::collections::BTreeSet<_>>();
    for fault in [
        // The answer is lost, and the second try with the same token gets it.
        "reset-after:times=1",
        "timeout:times=1",
        "truncated:times=1",
        "late:times=1,ms=50",
        "http-status:times=1,status=502",
        "gzip:times=1",
        "http-429:times=2",
        "http-500-html:times=2",
        "connection-reset-before:times=2",
        // No try brings an answer, and what is there is read back.
        "reset-after:times=4",
    ] {
        let fault = format!("{fault},number={CREATE}");
        let office = Office::open(&[&fault]).await;
        let portals = files("examples/portals");
        let applied = office.apply(preferences(&portals)).await;
        assert_eq!(outcomes(&applied), BOTH, "{fault}: {applied:?}");
        assert!(applied.iter().all(|applied| applied.faults.is_empty() && applied.arn.is_some()), "{fault}: {applied:?}");
        assert_eq!((office.performed(CREATE), tokens(&office).len()), (2, 2), "{fault}");
        assert_eq!(outcomes(&office.apply(preferences(&portals)).await), NEITHER, "{fault}");
    }
}

#[tokio::test]
async fn what_is_in_doubt_is_asked_once_more_with_its_token_and_after_its_window_with_another() {
    for (later, same) in [(599, true), (601, false), (-1, false)] {
        // Nothing of it arrives, and nobody can know that.
        let office = Office::open(&[&format!("empty-200:times=1,number={CREATE}")]).await;
        let wanted = [changed("examples/portals/coupa.toml", "x", "x")];
        let applied = office.apply(preferences(&wanted)).await;
        assert_eq!(outcomes(&applied), [Outcome::InDoubt], "{applied:?}");
        assert_eq!(applied[0].faults[0].rule, "AWS-062");
        assert_eq!(office.performed(CREATE), 0);
        office.now.set(office.now.get() + later * 1000);
        assert_eq!(outcomes(&office.apply(preferences(&wanted)).await), [Outcome::Accepted]);
        assert_eq!(office.performed(CREATE), 1);
        let ends: Vec<_> = office.intents().into_iter().map(|(.., outcome)| outcome.unwrap()).collect();
        assert_eq!(ends, if same { vec!["done"] } else { vec!["overtaken", "done"] }, "{later}");
    }
}

#[tokio::test]
async fn a_token_is_not_used_for_another_intent() {
    let office = Office::open(&[&format!("empty-200:times=1,number={CREATE}")]).await;
    let first = [changed("examples/portals/coupa.toml", "x", "x")];
    assert_eq!(outcomes(&office.apply(preferences(&first)).await), [Outcome::InDoubt]);
    let second = [changed("examples/portals/coupa.toml", "ap@example.com", "new@example.com")];
    // AWS may still make the first one, and nobody would know which of the two it is.
    assert_eq!(outcomes(&office.apply(preferences(&second)).await), [Outcome::NotSent]);
    assert_eq!(office.intents().len(), 1);
    office.now.set(office.now.get() + 600_001);
    assert_eq!(outcomes(&office.apply(preferences(&second)).await), [Outcome::Accepted]);
    let intents = office.intents();
    assert_eq!(intents.len(), 2);
    assert_ne!(intents[0].1, intents[1].1);
    assert_eq!(intents[0].2.as_deref(), Some("overtaken"));
}

#[tokio::test]
async fn a_change_that_was_undone_meanwhile_is_made_again() {
    // The answer to the first change is lost for good.
    let office = Office::open(&[]).await;
    let before = [changed("examples/portals/coupa.toml", "x", "x")];
    let after = [changed("examples/portals/coupa.toml", "ap@example.com", "new@example.com")];
    assert_eq!(outcomes(&office.apply(preferences(&before)).await), [Outcome::Accepted]);
    for wanted in [&after, &before, &after, &before] {
        assert_eq!(outcomes(&office.apply(preferences(wanted)).await), [Outcome::Accepted]);
        assert_eq!(outcomes(&office.apply(preferences(wanted)).await), [Outcome::Unchanged]);
    }
    assert_eq!(office.performed(PUT), 4);
    let tokens: std::collections::BTreeSet<String> = office.intents().into_iter().map(|(_, token, _)| token).collect();
    assert_eq!(tokens.len(), 5);
}

#[tokio::test]
async fn a_step_that_is_done_in_part_is_nobody_elses() {
    let office = Office::open(&["http-500-html:number=TagResource"]).await;
    let before = [changed("examples/portals/coupa.toml", "x", "x")];
    assert_eq!(outcomes(&office.apply(preferences(&before)).await), [Outcome::Accepted]);
    let text = fs::read_to_string(project("examples/portals/coupa.toml")).unwrap();
    let text = text.replace("ap@example.com", "new@example.com").replace("\"finance\"", "\"accounting\"");
    let after = [File::new("coupa.toml", &text)];
    let applied = office.apply(preferences(&after)).await;
    let rules: Vec<&str> = applied[0].faults.iter().map(|fault| &*fault.rule).collect();
    assert_eq!((applied[0].outcome, rules), (Outcome::InDoubt, vec!["AWS-062", "AWS-060"]), "{applied:?}");
    // What is left are the tags.
    let steps = office.plan(preferences(&after), Allowed::default()).await;
    assert_eq!(steps[0].calls().iter().map(Call::operation).collect::<Vec<_>>(), ["TagResource"]);
    assert_eq!(office.performed(PUT), 1);
}

#[tokio::test]
async fn what_aws_shows_late_is_waited_for() {
    let office = Office::open(&["stale:ms=900"]).await;
    let wanted = [changed("examples/portals/coupa.toml", "x", "x")];
    let applied = office.apply(preferences(&wanted)).await;
    assert_eq!(outcomes(&applied), [Outcome::Accepted]);
    assert!(applied[0].faults.is_empty(), "{applied:?}");
    let wanted = [changed("examples/portals/coupa.toml", "ap@example.com", "new@example.com")];
    let applied = office.apply(preferences(&wanted)).await;
    assert_eq!((applied[0].outcome, applied[0].faults.len()), (Outcome::Accepted, 0), "{applied:?}");
    assert_eq!(outcomes(&office.apply(preferences(&wanted)).await), [Outcome::Unchanged]);
}

#[tokio::test]
async fn what_aws_never_shows_is_told_and_not_believed_twice() {
    let office = Office::open(&["stale:ms=60000"]).await;
    let wanted = [changed("examples/portals/coupa.toml", "x", "x")];
    let applied = office.apply(preferences(&wanted)).await;
    assert_eq!(outcomes(&applied), [Outcome::Submitted]);
    assert_eq!(applied[0].faults.iter().map(|fault| (&*fault.rule, fault.is_error())).collect::<Vec<_>>(), [("AWS-064", false)]);
    // It is not seen yet, and the journal knows that it was made.
    let applied = office.apply(preferences(&wanted)).await;
    assert_eq!((applied[0].outcome, &*applied[0].faults[0].rule), (Outcome::NotSent, "AWS-064"), "{applied:?}");
    assert_eq!(office.intents().len(), 1);
    // After a long while it is made once more, and AWS says that it is there.
    office.now.set(office.now.get() + 600_001);
    let applied = office.apply(preferences(&wanted)).await;
    assert_eq!(outcomes(&applied), [Outcome::Rejected], "{applied:?}");
    assert_eq!(applied[0].faults[0].vendor_code.as_deref(), Some("ConflictException"));
    assert_eq!(office.performed(CREATE), 1);
}

#[tokio::test]
async fn a_conflict_is_read_back() {
    let mut office = Office::open(&[]).await;
    let wanted = [changed("examples/portals/coupa.toml", "x", "x")];
    let early = office.plan(preferences(&wanted), Allowed::default()).await;
    // Somebody is faster, with a journal of their own, and makes the same.
    let own = std::mem::replace(&mut office.folder, TempDir::new().unwrap());
    assert_eq!(outcomes(&office.apply(preferences(&wanted)).await), [Outcome::Accepted]);
    let theirs = std::mem::replace(&mut office.folder, own);
    let applied = office.run(&early).await;
    assert_eq!((applied[0].outcome, applied[0].faults.len()), (Outcome::Accepted, 0), "{applied:?}");
    // Or another one.
    let other = [changed("examples/portals/coupa.toml", "ap@example.com", "new@example.com")];
    assert_eq!(outcomes(&office.apply(preferences(&other)).await), [Outcome::Accepted]);
    // Neither a journal that has made it nor one that knows of nothing makes it again.
    let applied = office.run(&early).await;
    assert_eq!((applied[0].outcome, &*applied[0].faults[0].rule), (Outcome::NotSent, "AWS-064"), "{applied:?}");
    office.folder = TempDir::new().unwrap();
    drop(theirs);
    let applied = office.run(&early).await;
    assert_eq!((applied[0].outcome, &*applied[0].faults[0].rule), (Outcome::Held, "AWS-061"), "{applied:?}");
    assert_eq!(office.performed(CREATE), 1);
    // A unit of this name is there: AWS says so in another way.
    let unit = [changed("examples/invoice-units/retail.toml", "Retail", "Retail")];
    let early = office.plan(units(&unit), Allowed::default()).await;
    assert_eq!(outcomes(&office.apply(units(&unit)).await), [Outcome::Accepted]);
    assert_eq!(outcomes(&office.run(&early).await), [Outcome::Accepted]);
    assert_eq!(office.performed("CreateInvoiceUnit"), 1);
}

#[tokio::test]
async fn what_is_replaced_or_deleted_is_gone_and_what_is_gone_stays_so() {
    let office = Office::open(&[]).await;
    let portals = files("examples/portals");
    assert_eq!(outcomes(&office.apply(preferences(&portals)).await), BOTH);
    let held: Vec<Held<Preference<'_>>> = office.account.all().await.unwrap();
    let coupa = held.iter().find(|held| held.content.procurement_portal_name.as_str() == "COUPA").unwrap();
    let arn = format!("arn = \"{}\"\nbuyer_identifier = \"acme-2\"", coupa.arn());
    let wanted = [changed("examples/portals/coupa.toml", "buyer_identifier = \"acme\"", &arn)];
    let steps = office.plan(preferences(&wanted), Allowed { prune: true, replace: true }).await;
    assert_eq!(steps.iter().map(|step| step.action).collect::<Vec<_>>(), [Action::Delete, Action::Replace]);
    assert_eq!(outcomes(&office.run(&steps).await), BOTH);
    // Done once more, both are gone already; what is there is the one that was made.
    let again = office.run(&steps[..1]).await;
    assert_eq!(outcomes(&again), [Outcome::Accepted], "{again:?}");
    let held: Vec<Held<Preference<'_>>> = office.account.all().await.unwrap();
    assert_eq!(held.iter().map(|held| held.content.buyer_identifier.as_str()).collect::<Vec<_>>(), ["acme-2"]);
    assert_eq!((office.performed(CREATE), office.performed("DeleteProcurementPortalPreference")), (3, 2));
}

#[tokio::test]
async fn what_was_deleted_and_shows_still_is_no_success() {
    let office = Office::open(&["stale:ms=60000"]).await;
    let unit = [changed("examples/invoice-units/retail.toml", "Retail", "Retail")];
    let held = |arn: &str| {
        let content = InvoiceUnit { arn: arn.to_owned().into(), ..units(&unit).remove(0).content };
        Held { content, secrets: vec![], version: None, statuses: vec![], facts: vec![] }
    };
    assert_eq!(outcomes(&office.apply(units(&unit)).await), [Outcome::Submitted]);
    let arn = "arn:aws:invoicing::123456789012:invoice-unit/unit-00000001";
    office.run(&[payables_bridge::vendors::aws::delete(held(arn))]).await;
    // A list that is late would show it as it was.
    let late = || plan(units(&unit), vec![held(arn)], Allowed::default(), &secret);
    assert_eq!(outcomes(&office.run(&late()).await), [Outcome::NotSent]);
    office.now.set(office.now.get() + 600_001);
    assert_eq!(outcomes(&office.run(&late()).await), [Outcome::Unchanged]);
}

#[tokio::test]
async fn a_chain_of_replacements_loses_nothing() {
    let office = Office::open(&[]).await;
    let text = fs::read_to_string(project("examples/portals/coupa.toml")).unwrap();
    let called = |buyer: &str, arn: &str| {
        let arn = if arn.is_empty() { String::new() } else { format!("arn = {arn:?}\n") };
        File::new(format!("{buyer}.toml"), &format!("{arn}{}", text.replace("\"acme\"", &format!("{buyer:?}"))))
    };
    assert_eq!(outcomes(&office.apply(preferences(&[called("one", ""), called("two", "")])).await), BOTH);
    let held: Vec<Held<Preference<'_>>> = office.account.all().await.unwrap();
    let arn = |buyer: &str| held.iter().find(|held| held.content.buyer_identifier.as_str() == buyer).unwrap().arn();
    // The first one takes the name that the second one gives up.
    let wanted = [called("two", arn("one")), called("three", arn("two"))];
    let steps = office.plan(preferences(&wanted), Allowed { replace: true, prune: false }).await;
    assert_eq!(outcomes(&office.run(&steps).await), BOTH);
    let now: Vec<Held<Preference<'_>>> = office.account.all().await.unwrap();
    let mut buyers: Vec<_> = now.iter().map(|held| held.content.buyer_identifier.to_string()).collect();
    buyers.sort();
    assert_eq!(buyers, ["three", "two"]);
    assert_eq!((office.performed(CREATE), office.performed("DeleteProcurementPortalPreference")), (4, 2));
}

#[tokio::test]
async fn a_refusal_is_told_in_aws_words_and_changes_nothing() {
    let office = Office::open(&[]).await;
    let unit = [changed("examples/invoice-units/research.toml", "x", "x")];
    // An account of it joins another unit, which was planned when the first one was not there.
    let thief = [changed("examples/invoice-units/retail.toml", "[\"333344445555\"]", "[\"111122223333\"]")];
    let early = office.plan(units(&thief), Allowed::default()).await;
    assert_eq!(outcomes(&office.apply(units(&unit)).await), [Outcome::Accepted]);
    let applied = office.run(&early).await;
    assert_eq!(outcomes(&applied), [Outcome::Rejected]);
    let fault = &applied[0].faults[0];
    assert_eq!((&*fault.rule, fault.vendor_code.as_deref()), ("AWS-060", Some("ValidationException mutualExclusionError")));
    assert_eq!(office.intents().last().unwrap().2.as_deref(), Some("refused"));
}

#[tokio::test]
async fn a_wrong_key_stops_and_says_so() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let key = Some((sandbox.ready().aws.access_key_id, Secret::new("x".repeat(40))));
    let account = Account::open(&Access { key, ..access(&sandbox) }).await.unwrap();
    let trouble = account.all::<Preference<'_>>().await.unwrap_err();
    assert!(trouble.is_denied(), "{trouble:?}");
    assert_eq!(trouble.exit().code(), 77);
    assert_eq!(trouble.faults()[0].rule, "AWS-065");
    // Nobody is there at all.
    let gone = Access { endpoint: Some("http://127.0.0.1:9".to_owned()), ..access(&sandbox) };
    let account = Account::open(&gone).await.unwrap();
    let trouble = account.all::<Preference<'_>>().await.unwrap_err();
    assert_eq!((trouble.exit().code(), &*trouble.faults()[0].rule), (75, "AWS-063"), "{trouble:?}");
}

#[tokio::test]
async fn what_a_hostile_server_says_is_bounded_and_believed_by_nobody() {
    for fault in ["html-200", "garbage"] {
        let office = Office::open(&[fault]).await;
        let trouble = office.account.all::<Preference<'_>>().await.unwrap_err();
        assert_eq!(trouble.exit().code(), 75, "{fault}: {trouble:?}");
    }
    // An answer without a word names no preference, and what is said to be made is not taken to be there.
    let office = Office::open(&["empty-200"]).await;
    let wanted = [changed("examples/portals/coupa.toml", "x", "x")];
    let applied = office.apply(preferences(&wanted)).await;
    assert!(applied[0].outcome != Outcome::Accepted || !applied[0].faults.is_empty(), "{applied:?}");
}

/// Takes one request after the other, answers each with an ARN, and hands out what was asked: the operation and the body.
fn listener() -> (String, std::sync::mpsc::Receiver<(String, Value)>) {
    use std::io::{BufRead as _, BufReader, Read as _, Write as _};
    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", server.local_addr().unwrap());
    let (told, heard) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for stream in server.incoming() {
            let mut reader = BufReader::new(stream.unwrap());
            let (mut operation, mut length) = (String::new(), 0);
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                let Some((name, value)) = line.trim().split_once(": ") else {
                    if line.trim().is_empty() {
                        break;
                    }
                    continue;
                };
                match name.to_ascii_lowercase().as_str() {
                    "x-amz-target" => operation = value.trim_start_matches("Invoicing.").to_owned(),
                    "content-length" => length = value.parse().unwrap(),
                    _ => {}
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            let answer = r#"{"ProcurementPortalPreferenceArn":"arn:x","InvoiceUnitArn":"arn:x"}"#;
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\nConnection: close";
            write!(reader.get_mut(), "{head}\r\nContent-Length: {}\r\n\r\n{answer}", answer.len()).unwrap();
            if told.send((operation, serde_json::from_slice(&body).unwrap())).is_err() {
                break;
            }
        }
    });
    (endpoint, heard)
}

/// Makes a call, and compares what is sent with what a dry run shows of it.
async fn compare<T: Kept>(account: &Account, heard: &std::sync::mpsc::Receiver<(String, Value)>, call: &Call<'_, T>) {
    let expose = |reference: &Reference<'_>| secret(reference).unwrap().expose().to_owned();
    T::call(account, call, &expose, "token-1").await.unwrap();
    let (operation, sent) = heard.recv_timeout(Duration::from_secs(5)).unwrap();
    assert_eq!(operation, call.operation());
    let mut shown: Value = serde_json::from_slice(&call.request(&expose, "token-1")).unwrap();
    // The SDK writes moments as numbers with a point, which mean the same.
    let date = "/EinvoiceDeliveryPreference/EinvoiceDeliveryActivationDate";
    if let (Some(shown), Some(sent)) = (shown.pointer_mut(date), sent.pointer(date)) {
        assert_eq!(sent.as_f64(), shown.as_f64());
        *shown = sent.clone();
    }
    assert_eq!(sent, shown, "{operation}");
}

#[tokio::test]
async fn what_a_dry_run_shows_is_what_is_sent() {
    let (endpoint, heard) = listener();
    let key = Some(("AKIAEXAMPLE".to_owned(), Secret::new("x")));
    let access = Access { endpoint: Some(endpoint), timeout: Duration::from_secs(5), key, ..Access::default() };
    let account = Account::open(&access).await.unwrap();
    let (portals, unit_files) = (files("examples/portals"), files("examples/invoice-units"));
    let tags = vec![("a".to_owned(), "b".to_owned()), ("c".to_owned(), String::new())];
    for judged in preferences(&portals) {
        let wanted = &judged.content;
        for call in [Call::Create(wanted), Call::Change("arn:x", wanted), Call::Delete("arn:x")] {
            compare(&account, &heard, &call).await;
        }
        compare(&account, &heard, &Call::<Preference<'_>>::Tag("arn:x", tags.clone())).await;
        compare(&account, &heard, &Call::<Preference<'_>>::Untag("arn:x", vec!["a".to_owned()])).await;
    }
    for judged in units(&unit_files) {
        let wanted = &judged.content;
        for call in [Call::Create(wanted), Call::Change("arn:x", wanted), Call::Delete("arn:x")] {
            compare(&account, &heard, &call).await;
        }
    }
}
