//! `payables portal` and `payables invoice-unit` as a person uses them, against a simulated AWS. No command shows a secret.

use std::fs;
use std::path::Path;
use std::process::Output;
use std::time::Duration;

use payables_bridge::journal::{Intents as _, NewIntent, Sqlite};
use payables_bridge::sandbox::{Options, Sandbox};
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::support::{payables, project, run};

const SECRETS: [(&str, &str); 3] =
    [("COUPA_SHARED_SECRET", "canary-coupa"), ("SAP_SHARED_SECRET", "canary-sap"), ("SAP_TEST_SHARED_SECRET", "canary-test")];

/// A simulated AWS, and a folder that is configured for it.
struct Office {
    runtime: Runtime,
    sandbox: Sandbox,
    folder: TempDir,
}

/// What a command did.
struct Done {
    code: i32,
    out: String,
    err: String,
}

impl Done {
    fn ends(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}\n{}", self.out, self.err);
        self
    }

    fn says(self, words: &str) -> Self {
        assert!(self.out.contains(words) || self.err.contains(words), "{words}: {}\n{}", self.out, self.err);
        self
    }

    /// Outcomes of the items of a report, by their names.
    fn outcomes(&self) -> Vec<(String, String)> {
        let report: Value = serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}", self.out));
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        report["items"].as_array().unwrap().iter().map(|item| (text(&item["number"]), text(&item["outcome"]))).collect()
    }
}

impl Office {
    fn open(faults: &[&str]) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let faults = faults.iter().map(|fault| fault.parse().unwrap()).collect();
        let sandbox = runtime.block_on(Sandbox::start(Options { faults, ..Options::default() })).unwrap();
        let folder = TempDir::new().unwrap();
        let endpoint = sandbox.ready().aws.endpoint;
        let text = format!("[targets.aws]\nkind = \"aws-invoicing\"\nendpoint = {endpoint:?}\ntimeout_s = 5\n");
        fs::write(folder.path().join("payables.toml"), text).unwrap();
        for name in ["portals", "invoice-units"] {
            fs::create_dir(folder.path().join(name)).unwrap();
            for entry in fs::read_dir(project("examples").join(name)).unwrap() {
                let path = entry.unwrap().path();
                fs::copy(&path, folder.path().join(name).join(path.file_name().unwrap())).unwrap();
            }
        }
        Self { runtime, sandbox, folder }
    }

    fn output(&self, line: &str, environment: &[(&str, &str)]) -> Output {
        let ready = self.sandbox.ready().aws;
        let mut command = payables();
        command.current_dir(&self.folder).args(line.split(' '));
        // Nothing of the machine's own is asked.
        command
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_CONFIG_FILE", "none")
            .env("AWS_SHARED_CREDENTIALS_FILE", "none");
        command.env("AWS_ACCESS_KEY_ID", ready.access_key_id).env("AWS_SECRET_ACCESS_KEY", ready.secret_access_key);
        command.envs(SECRETS).envs(environment.iter().copied());
        run(&mut command, b"")
    }

    fn run(&self, line: &str) -> Done {
        self.run_with(line, &[])
    }

    fn run_with(&self, line: &str, environment: &[(&str, &str)]) -> Done {
        let output = self.output(line, environment);
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        let key = self.sandbox.ready().aws.secret_access_key;
        for said in [&out, &err] {
            assert!(!said.contains("canary") && !said.contains(&key), "{line}: {said}");
        }
        self.look_for_secrets(line, &key);
        Done { code: output.status.code().unwrap(), out, err }
    }

    /// No file holds a secret, neither plans nor what was imported nor the journal.
    fn look_for_secrets(&self, line: &str, key: &str) {
        let mut folders = vec![self.folder.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                // What a run beside this one has there may be gone by now.
                let Ok(bytes) = fs::read(&path) else { continue };
                let has = |secret: &str| bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
                assert!(!has("canary") && !has(key), "{line}: a secret is in {}", path.display());
            }
        }
    }

    fn edit(&self, file: &str, old: &str, new: &str) {
        let path = self.folder.path().join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(old), "{file}: {old}");
        fs::write(path, text.replacen(old, new, 1)).unwrap();
    }

    fn arn(&self, kind: &str, name: &str) -> String {
        let list = self.run(&format!("{kind} list --output json")).ends(0);
        let list: Value = serde_json::from_str(&list.out).unwrap();
        let is_meant = |held: &&Value| held["content"].to_string().contains(name);
        list.as_array().unwrap().iter().find(is_meant).unwrap()["arn"].as_str().unwrap().to_owned()
    }
}

impl Drop for Office {
    fn drop(&mut self) {
        // The sandbox ends with its runtime.
        let _alive = &self.runtime;
    }
}

fn names(outcomes: &[(&str, &str)]) -> Vec<(String, String)> {
    outcomes.iter().map(|(name, outcome)| ((*name).to_owned(), (*outcome).to_owned())).collect()
}

const COUPA: &str = "COUPA acme aws-acme";
const SAP: &str = "SAP_BUSINESS_NETWORK AN01000000001 AN01000000002";

#[test]
fn portals_are_planned_applied_looked_at_and_deleted() {
    let office = Office::open(&[]);
    office.run("portal plan portals").ends(0).says("create");
    office.run("portal plan portals -o plan.json --detailed-exitcode").ends(10);
    let dry = office.run("portal apply plan.json --dry-run").ends(0);
    assert_eq!(dry.out.lines().filter(|line| line.contains("\"ClientToken\":\"DRY-RUN\"")).count(), 2, "{}", dry.out);
    let applied = office.run("portal apply plan.json --output json").ends(0);
    assert_eq!(applied.outcomes(), names(&[(COUPA, "accepted"), (SAP, "accepted")]));
    for again in ["plan.json", "portals"] {
        let applied = office.run(&format!("portal apply {again} --output json")).ends(0);
        assert_eq!(applied.outcomes(), names(&[(COUPA, "unchanged"), (SAP, "unchanged")]), "{again}");
    }
    office.run("portal plan portals --detailed-exitcode").ends(0);
    office.run("portal list").ends(0).says(COUPA).says("PENDING_VERIFICATION");
    let coupa = office.arn("portal", "coupahost");
    office.run(&format!("portal get {coupa}")).ends(0).says("env:COUPA_ACME_AWS_ACME_SECRET");
    office.run(&format!("portal get {coupa}x")).ends(3).says("AWS holds no preference");
    // The status flow.
    office.run("portal status portals/coupa.toml").ends(0).says("PENDING_VERIFICATION");
    let code = office.sandbox.ready().aws.validation_code;
    office.run(&format!("portal validate portals/coupa.toml --code {code}")).ends(3).says("AWS-060");
    office.run("portal validate portals/coupa.toml").ends(0).says("--code");
    office.run("portal validate portals/coupa.toml --code nonsense").ends(3);
    office.run(&format!("portal validate {coupa} --code {code}")).ends(0);
    office.run("portal status portals/coupa.toml").ends(0).says("VALIDATED");
    office.run("portal status portals/coupa.toml --einvoice SUSPENDED --reason closing").ends(0);
    office.run("portal status portals/coupa.toml --output json").ends(0).says("closing").says("SUSPENDED");
    office.run("portal status portals/coupa.toml --einvoice NO_SUCH_STATUS").ends(3);
    office.run("portal status portals/coupa.toml --reason closing").ends(2);
    office.run("portal suppliers coupa").ends(0).says("aws-acme");
    office.run("portal suppliers nobody").ends(2);
    // Drift: somebody has changed what the plan would change.
    office.edit("portals/coupa.toml", "ap@example.com", "one@example.com");
    office.run("portal plan portals -o plan.json").ends(0).says("\"ap@example.com\" → \"one@example.com\"");
    office.edit("portals/coupa.toml", "one@example.com", "two@example.com");
    office.run("portal apply portals").ends(0);
    office.run("portal apply plan.json").ends(3).says("AWS-050").says("two@example.com");
    // A secret that has changed is seen, and not shown.
    let other = [("COUPA_SHARED_SECRET", "canary-other")];
    office.run_with("portal plan portals", &other).ends(0).says("(a secret)");
    office.run_with("portal apply portals", &other).ends(0);
    office.run_with("portal plan portals --detailed-exitcode", &other).ends(0);
    office.run_with("portal plan portals", &[("SAP_SHARED_SECRET", "")]).ends(3).says("AWS-042");
    // What cannot be changed.
    office.run("portal import --dir portals").ends(0);
    office.edit("portals/sap.toml", "AN01000000002\"", "AN01000000009\"");
    office.run("portal apply portals").ends(3).says("AWS-051");
    // What a file says of secrets stays, whatever else is written over.
    office.run("portal import --dir portals --overwrite").ends(0);
    office.run("portal plan portals --detailed-exitcode").ends(0);
    office.edit("portals/sap.toml", "AN01000000002\"", "AN01000000009\"");
    office.run("portal apply portals --replace").ends(3).says("AWS-054");
    office.run("portal apply portals --replace --yes").ends(0).says("AWS-043");
    office.run("portal delete nowhere.toml --yes").ends(2).says("cannot be read");
    // The ARN in the file is that of the one that was replaced, until it is imported again.
    office.run("portal plan portals --detailed-exitcode").ends(0).says("AWS-043");
    office.run("portal import --dir portals").ends(0);
    assert!(!office.run("portal plan portals --detailed-exitcode").ends(0).out.contains("AWS-043"));
    // Deletions.
    office.run("portal delete portals/coupa.toml").ends(3).says("AWS-054");
    office.run("portal delete portals/coupa.toml --yes").ends(0);
    office.run("portal delete portals/coupa.toml --yes").ends(3).says("AWS holds no preference");
    fs::remove_file(office.folder.path().join("portals/sap.toml")).unwrap();
    office.run("portal plan portals").ends(0).says("no file speaks");
    office.run("portal plan portals --prune").ends(0).says("cannot be undone");
    office.run("portal apply portals --prune --yes").ends(0);
    office.run("status").ends(0);
    // Runs are remembered.
    let last = office.run("portal apply portals --output json").ends(0);
    let report: Value = serde_json::from_str(&last.out).unwrap();
    office.run(&format!("show {}", report["run"]["id"].as_str().unwrap())).ends(0).says("aws");
}

#[test]
fn invoice_units_are_planned_applied_imported_and_deleted() {
    let office = Office::open(&[]);
    office.run("invoice-unit plan invoice-units -o plan.json").ends(0);
    office.run("portal apply plan.json").ends(2).says("payables invoice-unit");
    let applied = office.run("invoice-unit apply plan.json --output json").ends(0);
    assert_eq!(applied.outcomes(), names(&[("Research", "accepted"), ("Retail", "accepted")]));
    office.run("invoice-unit plan invoice-units --detailed-exitcode").ends(0);
    office.run("invoice-unit list").ends(0).says("Research");
    let arn = office.arn("invoice-unit", "Retail");
    office.run(&format!("invoice-unit get {arn}")).ends(0).says("333344445555");
    office.run("invoice-unit import").ends(0);
    assert!(fs::read_to_string(office.folder.path().join("invoice-units/retail.toml")).unwrap().starts_with("arn = "));
    assert_eq!(
        office
            .run("invoice-unit import --output json")
            .ends(0)
            .outcomes()
            .iter()
            .filter(|(_, outcome)| outcome == "unchanged")
            .count(),
        2
    );
    office.edit("invoice-units/retail.toml", "# The shops.", "# The shops.\ndescription = \"shops\"");
    office.run("invoice-unit import").ends(3).says("AWS-055").says("description");
    office.run("invoice-unit import --overwrite").ends(0);
    office.run("invoice-unit plan invoice-units --detailed-exitcode").ends(0);
    office.run("invoice-unit delete invoice-units/retail.toml --yes").ends(0);
    office.run("invoice-unit plan invoice-units").ends(0).says("AWS-043").says("create");
    // An ARN decides alone: the unit that is made anew is not the one that the file names.
    office.run("invoice-unit apply invoice-units").ends(0);
    office.run("invoice-unit delete invoice-units/retail.toml --yes").ends(3).says("AWS holds no invoice unit");
    fs::write(office.folder.path().join("odd.toml"), "name = \"Retail\"\ninvoice_receiver = \"333344445555\"\nfoo = 1\n")
        .unwrap();
    office.run("invoice-unit delete odd.toml --yes").ends(2).says("not sound");
    // What stands below is not read, so nothing is deleted for it.
    fs::create_dir(office.folder.path().join("invoice-units/eu")).unwrap();
    fs::write(office.folder.path().join("invoice-units/eu/more.toml"), "").unwrap();
    office.run("invoice-unit plan invoice-units --prune").ends(2).says("eu");
    office.run("invoice-unit plan invoice-units/retail.toml --prune").ends(2).says("folder");
}

#[test]
fn invoices_are_compared_with_ours() {
    let office = Office::open(&[]);
    office.run("portal invoices --since 30d").ends(2).says("--account");
    office.run("portal apply portals").ends(0);
    let orders = project("examples/purchase-orders.jsonl");
    let listed =
        office.run(&format!("portal invoices --since 60d --against {} --output ndjson --pdf papers", orders.display())).ends(3);
    let lines: Vec<Value> = listed.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let missing: Vec<_> = lines.iter().filter(|line| line.get("missing").is_some()).map(|line| &line["invoice"]).collect();
    assert_eq!((lines.len(), missing), (6, vec![&Value::from("SBX-1005")]));
    assert!(fs::read(office.folder.path().join("papers/SBX-1001.pdf")).unwrap().starts_with(b"%PDF"));
    office.run("portal invoices --since 2d --account 123456789012").ends(0).says("0 invoices");
    office.run("portal invoices --since 7d --against nowhere").ends(2);
    office.run("portal invoices --since 7d --against tipalti").ends(2).says("nothing has been sent");
    fs::write(office.folder.path().join("ours.jsonl"), "{\"kind\":\"invoice\",\"number\":\"SBX-1001\"}\n").unwrap();
    let listed = office.run("portal invoices --since 7d --against ours.jsonl").ends(0);
    assert!(listed.err.contains("0 of them missing"), "{}", listed.err);
}

#[test]
fn one_command_shows_it_without_an_account() {
    let folder = TempDir::new().unwrap();
    for (kind, path) in [("portal", "examples/portals"), ("invoice-unit", "examples/invoice-units")] {
        for what in ["plan", "apply"] {
            let mut command = payables();
            command.current_dir(&folder).arg(kind).arg(what).arg(project(path)).args(["--sandbox", "--output", "json"]);
            for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("AWS_")) {
                command.env_remove(name);
            }
            let output = run(&mut command, b"");
            let report: Value = serde_json::from_slice(&output.stdout).unwrap();
            let outcome = if what == "plan" { "planned" } else { "accepted" };
            assert_eq!((output.status.code(), &report["summary"]["outcomes"][outcome]), (Some(0), &Value::from(2)), "{report}");
        }
    }
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0, "a trial leaves nothing");
}

#[test]
fn what_makes_no_sense_is_refused_before_anybody_is_asked() {
    let office = Office::open(&[]);
    fs::write(office.folder.path().join("plan.json"), "{\"schema\":\"nonsense\"").unwrap();
    office.run("portal apply plan.json").ends(2).says("no plan");
    fs::write(office.folder.path().join("empty.json"), "").unwrap();
    office.run("portal apply empty.json").ends(2);
    office.run("portal apply portals --dry-run --prune").ends(2);
    office.run("portal plan nowhere").ends(2);
    office.run("portal plan portals --to tipalti").ends(2).says("kind tipalti");
    office.run("portal plan portals --to nobody").ends(2);
    office.run("portal get arn:nonsense").ends(3).says("procurement_portal_preference_arn");
    office.run("portal get nonsense").ends(2).says("portal list");
    office.run("portal plan portals -o nowhere/plan.json").ends(2).says("no folder nowhere");
    // A file that has no name to be called by is called by its own.
    fs::write(office.folder.path().join("half.toml"), "procurement_portal_name = \"SAP").unwrap();
    office.run("portal plan half.toml").ends(4).says("half.toml").says("AWS-040");
    office.run_with("portal plan portals", &[("SAP_SHARED_SECRET", "canary with blanks")]).ends(3).says("blank");
    // A plan that somebody has changed by hand.
    office.run("portal plan portals -o plan.json").ends(0);
    office.edit("plan.json", "\"ap@example.com\"", "\"nobody\"");
    office.run("portal apply plan.json").ends(4).says("e-mail");
    // One that was made for another place, and one that says what no plan says.
    office.run("portal plan portals -o trial.json --sandbox").ends(0);
    office.run("portal apply trial.json").ends(2).says("a trial");
    office.run("portal plan portals -o plan.json").ends(0);
    office.edit("plan.json", "\"create\"", "\"delete\"");
    office.run("portal apply plan.json --yes").ends(4).says("delete needs");
    office.run("portal invoices --since 7d --account abc").ends(2).says("12 digits");
    office.edit("payables.toml", "timeout_s = 5", "timeout_s = 0");
    office.run("portal list").ends(78).says("timeout_s");
    office.edit("payables.toml", "timeout_s = 0", "[targets.other]\nkind = \"aws-invoicing\"");
    office.run("portal list").ends(2).says("--to");
    office.run_with("portal list --to aws", &[("AWS_SECRET_ACCESS_KEY", "wrong")]).ends(77).says("refuses");
    office
        .run_with("portal list --to aws", &[("AWS_ACCESS_KEY_ID", ""), ("AWS_SECRET_ACCESS_KEY", "")])
        .ends(77)
        .says("no credentials");
    assert!(!Path::new(&office.folder.path().join("payables.db")).exists(), "nothing was to be remembered");
}

#[test]
fn a_plan_that_was_done_is_done() {
    let office = Office::open(&[]);
    office.run("portal apply portals").ends(0);
    office.run("portal import --dir portals").ends(0);
    office.edit("portals/coupa.toml", "\"acme\"", "\"acme-2\"");
    office.run("portal plan portals --replace -o plan.json").ends(0).says("replace");
    office.run("portal apply plan.json --yes").ends(0);
    let again = office.run("portal apply plan.json --yes --output json").ends(0);
    assert_eq!(again.outcomes(), names(&[("COUPA acme-2 aws-acme", "unchanged")]));
    assert_eq!(office.sandbox.aws_performed()["CreateProcurementPortalPreference"], 3);
}

#[test]
fn what_cannot_be_asked_is_reported_item_by_item() {
    let office = Office::open(&[]);
    let nobody = "http://127.0.0.1:9";
    office.edit("payables.toml", &office.sandbox.ready().aws.endpoint, nobody);
    office.edit("portals/sap.toml", "buyer_identifier", "buyer_identifer");
    for command in ["portal plan portals", "portal apply portals"] {
        let told = office.run(&format!("{command} --output json")).ends(75);
        assert_eq!(told.outcomes().iter().map(|(_, outcome)| outcome.as_str()).collect::<Vec<_>>(), ["not_sent", "invalid"]);
        told.says("AWS-063").says("DOC-FIELD").says(nobody);
    }
}

#[test]
fn what_is_half_done_is_told_by_status() {
    let office = Office::open(&["http-500-html:number=CreateInvoiceUnit", "http-500-html:number=GetInvoicePDF"]);
    office.run("invoice-unit apply invoice-units/retail.toml").ends(5).says("AWS-062");
    let status = office.run("status").ends(0).says("CreateInvoiceUnit 333344445555 Retail");
    assert!(!status.out.contains("Nothing is open"), "{}", status.out);
    let json: Value = serde_json::from_str(&office.run("status --output json").ends(0).out).unwrap();
    assert_eq!((&json["requests"][0]["target"], &json["requests"][0]["operation"]), (&"aws".into(), &"CreateInvoiceUnit".into()));
    // Documents that were not to be had are no success either.
    let listed = office.run("portal invoices --since 60d --account 123456789012 --pdf papers --output ndjson").ends(75);
    listed.says("unsaved");
}

#[test]
fn a_deletion_whose_end_nobody_saw_is_found_to_be_done() {
    let office = Office::open(&[]);
    office.run("invoice-unit apply invoice-units/retail.toml").ends(0);
    let arn = office.arn("invoice-unit", "Retail");
    {
        // A process that died after it had asked.
        let mut journal = Sqlite::open(&office.folder.path().join("payables.db"), Duration::ZERO).unwrap();
        let (scope, run) = crate::aws::begin(&mut journal, &office.sandbox.ready().aws.endpoint);
        let (operation, token) = ("DeleteInvoiceUnit".to_owned(), "a token".to_owned());
        journal.intend(&NewIntent { scope, run, subject: arn.clone(), operation, digest: [0; 32], token, at: 1 }).unwrap();
    }
    office.run("status --to aws").ends(0).says("DeleteInvoiceUnit");
    // AWS did it: here somebody else does, with a journal of their own.
    fs::create_dir(office.folder.path().join("other")).unwrap();
    fs::copy(office.folder.path().join("payables.toml"), office.folder.path().join("other/payables.toml")).unwrap();
    office.run(&format!("invoice-unit delete {arn} --yes --config other/payables.toml")).ends(0).says("accepted");
    office.run(&format!("invoice-unit delete {arn} --yes")).ends(0).says("unchanged").says("already");
    office.run("status --to aws").ends(0).says("Nothing is open");
    office.run(&format!("invoice-unit delete {arn} --yes")).ends(3);
}

#[test]
fn one_apply_at_a_time() {
    let office = Office::open(&["slow:ms=700"]);
    let other = {
        let ready = office.sandbox.ready().aws;
        let mut command = payables();
        command.current_dir(&office.folder).args(["portal", "apply", "portals", "--output", "json"]).envs(SECRETS);
        command.env("AWS_ACCESS_KEY_ID", ready.access_key_id).env("AWS_SECRET_ACCESS_KEY", ready.secret_access_key);
        command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap()
    };
    let mut other = other;
    while !office.folder.path().join("payables.db").exists() {
        std::thread::sleep(Duration::from_millis(5));
    }
    office.run("portal apply portals").ends(75).says("another run");
    assert!(other.wait().unwrap().success());
    office.run("portal apply portals --output json").ends(0);
}
