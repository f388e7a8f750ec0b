//! What is kept at AWS: the program dies while it applies, at random moments and at every step. The next apply ends with what is
//! wanted, and nothing is made twice.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use fastrand::Rng;
use payables_bridge::bridge::aws::{Access, Account, Applied, Apply};
use payables_bridge::journal::{Carried, Concluded, Intent, IntentId, Intents, NewIntent, OpenIntent, Result, ScopeId, Sqlite};
use payables_bridge::outcome::Outcome;
use payables_bridge::vendors::aws::{Allowed, Preference, plan};
use payables_bridge::wire::Secret;

use super::deadly::{Deadly, Fuse};
use super::{Running, kills, seed};
use crate::aws::{Office, begin, files, preferences, secret, units};
use crate::support::{payables, project};

/// Where an apply may die. Two preferences are made, one after the other; or one is deleted and made anew.
const STEPS: [&str; 8] = [
    "intend.before.1",
    "intend.after.1",
    "conclude.before.1",
    "conclude.after.1",
    "intend.before.2",
    "intend.after.2",
    "conclude.before.2",
    "conclude.after.2",
];
/// What goes wrong besides.
const FAULTS: [&[&str]; 4] =
    [&[], &["reset-after:every=3"], &["http-500-html:every=4", "slow:ms=5"], &["stale:ms=300", "http-429:every=5"]];

/// Where nothing is to be replaced it makes no difference.
const REPLACE: Allowed = Allowed { replace: true, prune: false };

/// What is wanted, and what AWS has done in all when it has come about.
struct Wanted {
    portals: PathBuf,
    performed: &'static [(&'static str, u64)],
}

impl Wanted {
    /// The examples.
    fn made() -> Self {
        let portals = project("examples/portals");
        Self { portals, performed: &[("CreateInvoiceUnit", 2), ("CreateProcurementPortalPreference", 2)] }
    }

    /// The examples after they were made, but for one that has to be another one now.
    async fn replaced(office: &Office) -> Self {
        conclude(office, &Self::made(), "before anything is replaced").await;
        let all = office.account.all::<Preference<'_>>().await.unwrap();
        let portals = office.folder.path().join("portals");
        fs::create_dir(&portals).unwrap();
        let coupa = all.iter().find(|held| held.content.procurement_portal_name.as_str() == "COUPA").unwrap();
        let example = |name: &str| fs::read_to_string(project("examples/portals").join(name)).unwrap();
        let text = example("coupa.toml").replace("\"acme\"", "\"acme-2\"");
        fs::write(portals.join("coupa.toml"), format!("arn = {:?}\n{text}", coupa.arn())).unwrap();
        fs::write(portals.join("sap.toml"), example("sap.toml")).unwrap();
        let performed =
            &[("CreateInvoiceUnit", 2), ("CreateProcurementPortalPreference", 3), ("DeleteProcurementPortalPreference", 1)];
        Self { portals, performed }
    }

    async fn apply(&self, office: &Office) -> Vec<Applied> {
        let (portals, unit_files) = (files(self.portals.to_str().unwrap()), files("examples/invoice-units"));
        let mut all = office.run(&office.plan(preferences(&portals), REPLACE).await).await;
        all.extend(office.apply(units(&unit_files)).await);
        all
    }
}

impl Intents for Deadly<Sqlite> {
    fn intents(&mut self, scope: ScopeId, subject: &str) -> Result<Vec<Intent>> {
        self.inner.intents(scope, subject)
    }

    fn open_intents(&mut self) -> Result<Vec<OpenIntent>> {
        self.inner.open_intents()
    }

    fn may_have_carried(&mut self, scope: ScopeId, subject: &str, operation: &str) -> Result<bool> {
        self.inner.may_have_carried(scope, subject, operation)
    }

    fn carried(&mut self, scope: ScopeId, subject: &str, operation: &str) -> Result<Option<Carried>> {
        self.inner.carried(scope, subject, operation)
    }

    fn lapse(&mut self, scope: ScopeId, before: i64, at: i64) -> Result<()> {
        self.inner.lapse(scope, before, at)
    }

    fn intend(&mut self, intent: &NewIntent) -> Result<IntentId> {
        self.fuse.burn("intend", "before");
        let done = self.inner.intend(intent);
        self.fuse.burn("intend", "after");
        done
    }

    fn conclude(&mut self, intent: IntentId, at: i64, how: Concluded, detail: &str) -> Result<()> {
        self.fuse.burn("conclude", "before");
        let done = self.inner.conclude(intent, at, how, detail);
        self.fuse.burn("conclude", "after");
        done
    }
}

/// Does nothing unless it is told where to die.
#[test]
fn child() {
    let Ok(step) = std::env::var("KILL_KEPT_STEP") else { return };
    let path = |name: &str| PathBuf::from(std::env::var_os(name).unwrap());
    let mut inner = Sqlite::open(&path("KILL_FOLDER").join("payables.db"), Duration::from_secs(5)).unwrap();
    let endpoint = std::env::var("KILL_ENDPOINT").unwrap();
    let (scope, run) = begin(&mut inner, &endpoint);
    let mut journal = Deadly { inner, fuse: Fuse::new(&step) };
    let key = [std::env::var("KILL_KEY").unwrap(), std::env::var("KILL_SECRET").unwrap()];
    let access = Access {
        endpoint: Some(endpoint),
        timeout: Duration::from_secs(5),
        key: Some((key[0].clone(), Secret::new(key[1].clone()))),
        ..Access::default()
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let account = Account::open(&access).await.unwrap();
        let files = files(&std::env::var("KILL_PORTALS").unwrap());
        let held = account.all::<Preference<'_>>().await.unwrap();
        for step in plan(preferences(&files), held, REPLACE, &secret) {
            let (window, clock) = (Duration::from_secs(600), || 1_772_323_200_000);
            let mut apply =
                Apply { account: &account, journal: &mut journal, scope, run, window, secret: &secret, clock: &clock };
            apply.step(&step).await.unwrap();
        }
    });
}

/// Applies in a process that dies at a step. Returns whether it came so far.
fn crash(office: &Office, wanted: &Wanted, step: &str) -> bool {
    let ready = office.sandbox.ready().aws;
    let log = office.folder.path().join("log");
    // A shell is in between only so that no memory is dumped.
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -c 0; exec \"$@\"", "sh"]).arg(std::env::current_exe().unwrap());
    command.args(["--exact", "kill::kept::child", "--nocapture"]);
    command
        .env("KILL_PORTALS", &wanted.portals)
        .env("KILL_KEPT_STEP", step)
        .env("KILL_FOLDER", office.folder.path())
        .env("KILL_ENDPOINT", ready.endpoint);
    command.env("KILL_KEY", ready.access_key_id).env("KILL_SECRET", ready.secret_access_key).stdin(Stdio::null());
    let output = File::create(&log).unwrap();
    command.stderr(output.try_clone().unwrap()).stdout(output);
    let mut running = Running(command.spawn().unwrap());
    let status = wait(&mut running, step);
    let died = status.signal().is_some();
    assert!(died || status.success(), "{step}: it ended with {status}: {}", fs::read_to_string(&log).unwrap_or_default());
    died
}

fn wait(running: &mut Running, what: &str) -> std::process::ExitStatus {
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(status) = running.0.try_wait().unwrap() {
            return status;
        }
        assert!(Instant::now() < until, "{what}: it neither dies nor ends");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Lets an apply come to its end, and another one that has nothing to do. Each thing was done once.
async fn conclude(office: &Office, wanted: &Wanted, what: &str) {
    for tries in 0.. {
        let all = wanted.apply(office).await;
        if all.iter().all(|applied| matches!(applied.outcome, Outcome::Accepted | Outcome::Unchanged)) {
            break;
        }
        // What AWS shows late is refused when it is made once more; it is seen a moment later.
        tokio::time::sleep(Duration::from_millis(400)).await;
        assert!(tries < 10, "{what}: it does not come to an end: {all:?}");
    }
    tokio::time::sleep(Duration::from_millis(350)).await;
    let all = wanted.apply(office).await;
    assert!(all.iter().all(|applied| applied.outcome == Outcome::Unchanged), "{what}: {all:?}");
    let performed: BTreeMap<String, u64> = office.sandbox.aws_performed();
    let expected = wanted.performed.iter().map(|(name, count)| ((*name).to_owned(), *count));
    assert_eq!(performed, expected.collect(), "{what}");
    let open: Vec<_> = office.intents().into_iter().filter(|(.., outcome)| outcome.is_none()).collect();
    assert!(open.is_empty(), "{what}: {open:?}");
    assert_eq!(Sqlite::check(&office.folder.path().join("payables.db")).unwrap(), [], "{what}");
    look_for_secrets(office.folder.path(), what);
}

fn look_for_secrets(folder: &Path, what: &str) {
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.is_dir() {
            continue;
        }
        let bytes = fs::read(&path).unwrap();
        assert!(!bytes.windows(6).any(|window| window == b"canary"), "{what}: a secret is in {}", path.display());
    }
}

#[test]
fn wherever_an_apply_dies_the_next_one_ends_as_it_should() {
    everywhere(false);
}

#[test]
fn wherever_a_replacement_dies_the_next_one_ends_as_it_should() {
    everywhere(true);
}

/// Dies at every step, with each kind of fault in a thread of its own: most of the time is spent waiting.
fn everywhere(replaces: bool) {
    let is_long = kills() >= 200;
    let run = move |place: usize, faults: &[&str]| {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        // A short test takes each step once, with one of the faults.
        let (first, stride) = if is_long { (0, 1) } else { (place, FAULTS.len()) };
        let steps = STEPS.iter().skip(first).step_by(stride);
        steps.map(|step| runtime.block_on(dies(step, faults, replaces))).collect::<Vec<_>>()
    };
    let died: Vec<bool> = std::thread::scope(|scope| {
        let threads = FAULTS.iter().enumerate().map(|(place, faults)| scope.spawn(move || run(place, faults)));
        threads.collect::<Vec<_>>().into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let count = died.iter().filter(|died| **died).count();
    assert!(count * 4 >= died.len() * 3, "only {count} of {} died", died.len());
}

/// An apply that dies at a step, and the next one. Returns whether it came so far.
async fn dies(step: &str, faults: &[&str], replaces: bool) -> bool {
    let mut office = Office::open(faults).await;
    // The child's clock stands still at the same time, so its tokens are within their window.
    office.window = Duration::from_secs(600);
    let wanted = if replaces { Wanted::replaced(&office).await } else { Wanted::made() };
    let died = crash(&office, &wanted, step);
    conclude(&office, &wanted, &format!("{step} with {faults:?}")).await;
    died
}

#[tokio::test(flavor = "multi_thread")]
async fn whenever_an_apply_is_killed_the_next_one_ends_as_it_should() {
    let mut rng = Rng::with_seed(seed());
    let most = kills().div_ceil(8);
    let (mut killed, mut survived) = (0, 0);
    while killed < most && survived < 4 * most {
        let seed = rng.get_seed();
        let faults = FAULTS[rng.usize(..FAULTS.len())];
        let office = Office::open(faults).await;
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        office.now.set(i64::try_from(now.as_millis()).unwrap());
        let ready = office.sandbox.ready().aws;
        let configuration = format!("[targets.aws]\nkind = \"aws-invoicing\"\nendpoint = {:?}\n", ready.endpoint);
        fs::write(office.folder.path().join("payables.toml"), configuration).unwrap();
        let mut command = payables();
        command.current_dir(&office.folder).args(["portal", "apply"]).arg(project("examples/portals"));
        command.env("AWS_EC2_METADATA_DISABLED", "true").env("AWS_ACCESS_KEY_ID", ready.access_key_id);
        command.env("AWS_SECRET_ACCESS_KEY", ready.secret_access_key).stdout(Stdio::null()).stderr(Stdio::null());
        for name in ["COUPA_SHARED_SECRET", "SAP_SHARED_SECRET", "SAP_TEST_SHARED_SECRET"] {
            command.env(name, format!("canary-{name}"));
        }
        let mut running = Running(command.spawn().unwrap());
        tokio::time::sleep(Duration::from_micros(rng.u64(..250_000))).await;
        let _gone_already = running.0.kill();
        let was_killed = wait(&mut running, "a killed apply").signal() == Some(9);
        killed += u64::from(was_killed);
        survived += u64::from(!was_killed);
        conclude(&office, &Wanted::made(), &format!("KILL_SEED={seed} with {faults:?}")).await;
    }
    println!("{killed} applies killed, {survived} ended before");
}
