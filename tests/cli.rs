//! The binary as a clerk, a script and an operator meet it.

use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{order, order_with, payables, project, run};

fn code(output: &std::process::Output) -> i32 {
    output.status.code().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// A dry run in an empty folder: code, standard output, standard error. Nothing may be written.
fn dry_run(input: &[u8], more: &[&str]) -> (i32, String, String) {
    let folder = TempDir::new().unwrap();
    let output = run(payables().current_dir(&folder).args(["sync", "-", "--to", "tipalti", "--dry-run"]).args(more), input);
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0, "a dry run wrote something");
    (code(&output), text(&output.stdout).to_owned(), text(&output.stderr).to_owned())
}

fn sandbox_report(input: &[u8], more: &[&str]) -> (i32, Value) {
    let folder = TempDir::new().unwrap();
    let mut command = payables();
    let output = run(
        command.current_dir(&folder).args(["sync", "-", "--to", "tipalti", "--sandbox", "--output", "json"]).args(more),
        input,
    );
    (code(&output), serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", text(&output.stderr))))
}

#[test]
fn a_dry_run_prints_a_wire_document_a_line_and_the_report_aside() {
    let input: String = (0..120).map(|number| order(&format!("PO-{number}")) + "\n").collect();
    let (code, wire, report) = dry_run(input.as_bytes(), &["--output", "json"]);
    assert_eq!(code, 0);
    assert_eq!(wire.lines().count(), 3);
    for line in wire.lines() {
        assert!(line.starts_with("<?xml version=\"1.0\" encoding=\"utf-8\"?><soap12:Envelope "), "{line}");
        assert!(line.contains("<payerName>DRY-RUN</payerName>") && line.contains("<key>DRY-RUN</key>"));
    }
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["summary"]["outcomes"]["planned"], 120);
    assert_eq!(report["run"]["dry_run"], true);
    assert_eq!(report["summary"]["requests"], 0);
}

#[test]
fn the_same_input_gives_the_same_bytes_but_for_the_time() {
    let without_time = |wire: &str| {
        wire.split("<timestamp>").map(|part| part.trim_start_matches(|c: char| c.is_ascii_digit()).to_owned()).collect::<Vec<_>>()
    };
    let input = std::fs::read(project("examples/purchase-orders.jsonl")).unwrap();
    let (first, second) = (dry_run(&input, &[]), dry_run(&input, &[]));
    assert_eq!(without_time(&first.1), without_time(&second.1));
    assert_eq!(first.2, second.2);
}

#[test]
fn one_document_a_list_and_lines_are_the_same_to_it() {
    let (one, two) = (order("PO-1"), order("PO-2"));
    let pretty = one.replace(',', ",\n  ");
    let numbers = |input: &str| dry_run(input.as_bytes(), &[]).1.matches("<PurchaseOrderNumber>").count();
    assert_eq!(numbers(&one), 1);
    assert_eq!(numbers(&pretty), 1);
    assert_eq!(numbers(&format!("[{pretty},\n{two}]")), 2);
    assert_eq!(numbers(&format!("{one}\n\n{two}\n")), 2);
    assert_eq!(numbers(&format!("\u{feff}{one}\r\n{two}")), 2);
}

#[test]
fn pretty_indents_and_needs_a_dry_run() {
    let (_, wire, _) = dry_run(order("PO-1").as_bytes(), &["--pretty"]);
    assert!(wire.contains("\n        <TipaltiPurchaseOrderItem>\n"), "{wire}");
    let output = run(payables().args(["sync", "-", "--to", "tipalti", "--pretty"]), b"");
    assert_eq!(code(&output), 2);
}

#[test]
fn every_fault_of_a_document_is_told_with_its_place() {
    let bad = order_with("PO-9", "\"curency\":\"EUR\",").replace("\"19.90\"", "\"19,90\"").replace("\"note\":\"Paper\",", "");
    let input = format!("{}\n{bad}\n{}\n", order("PO-8"), order("PO-10"));
    let (code, wire, report) = dry_run(input.as_bytes(), &["--output", "ndjson"]);
    assert_eq!(code, 3);
    assert!(wire.contains("PO-8") && wire.contains("PO-10") && !wire.contains("PO-9"));
    let item: Value =
        report.lines().map(|line| serde_json::from_str(line).unwrap()).find(|item: &Value| item["number"] == "PO-9").unwrap();
    assert_eq!(item["outcome"], "invalid");
    let faults: Vec<(&str, &str)> = item["faults"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| (fault["rule"].as_str().unwrap(), fault["path"].as_str().unwrap()))
        .collect();
    assert_eq!(faults, [("DOC-FIELD", "curency"), ("DOC-DECIMAL", "lines[0].price"), ("DOC-REQUIRED", "note")]);
    let price = &item["faults"][1];
    assert_eq!((price["source"]["file"].as_str(), price["source"]["line"].as_u64()), (Some("-"), Some(2)));
    assert_eq!(price["source"]["raw"], "19,90");
    let summary: Value = serde_json::from_str(report.lines().last().unwrap()).unwrap();
    assert_eq!(summary["summary"]["documents"], 3);
}

#[test]
fn the_faults_file_does_what_its_table_says() {
    let table = std::fs::read_to_string(project("examples/purchase-orders-with-faults.md")).unwrap();
    let input = std::fs::read(project("examples/purchase-orders-with-faults.jsonl")).unwrap();
    let (code, report) = sandbox_report(&input, &[]);
    assert_eq!(code, 3);
    let mut rows = 0;
    for row in table.lines() {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let Some(line) = cells.first().and_then(|cell| cell.trim_matches('`').parse::<u64>().ok()) else { continue };
        rows += 1;
        let item = report["items"].as_array().unwrap().iter().find(|item| item["source"]["line"] == line).unwrap();
        let outcome =
            cells.iter().find(|cell| ["invalid", "held", "unchanged", "accepted"].contains(&cell.trim_matches('`'))).unwrap();
        assert_eq!(item["outcome"].as_str().unwrap(), outcome.trim_matches('`'), "line {line}");
        let rules = cells.last().unwrap();
        for fault in item["faults"].as_array().unwrap() {
            let rule = fault["rule"].as_str().unwrap();
            assert!(rules.contains(rule), "line {line}: {rule} is not in the table ({rules}): {fault}");
        }
        for rule in rules
            .split(|c: char| !c.is_ascii_uppercase() && c != '-')
            .filter(|word| word.starts_with("DOC-") || word.starts_with("TIP-"))
        {
            assert!(item["faults"].as_array().unwrap().iter().any(|fault| fault["rule"] == rule), "line {line}: no {rule}");
        }
    }
    assert_eq!(rows, 55);
}

#[test]
fn the_main_job_ends_with_every_order_accepted() {
    let input = std::fs::read(project("examples/purchase-orders.jsonl")).unwrap();
    let (code, report) = sandbox_report(&input, &[]);
    assert_eq!(code, 0);
    assert_eq!(report["schema"], "payables.report.v1");
    assert_eq!(report["summary"]["documents"], 44);
    assert_eq!(report["summary"]["outcomes"], serde_json::json!({"accepted": 44}));
    assert_eq!((report["run"]["sandbox"].as_bool(), report["run"]["target"].as_str()), (Some(true), Some("tipalti")));
    assert_eq!(report["items"].as_array().unwrap().len(), 44);
    let output = run(
        payables().args(["sync", "examples/purchase-orders.jsonl", "--to", "tipalti", "--sandbox"]).current_dir(project("")),
        b"",
    );
    let table = text(&output.stdout);
    assert!(table.contains("PO-1001") && table.contains("44 accepted"), "{table}");
    assert!(!table.contains('\u{1b}'), "colours where nobody looks");
}

#[test]
fn numbers_that_stand_twice_are_sent_once_or_not_at_all() {
    let other = order("PO-2").replace("19.90", "19.95");
    let same = order("PO-1").replace("19.90", "19.9000");
    let input = [order("PO-1"), order("PO-2"), same, other, order("PO-3")].join("\n");
    let (code, report) = sandbox_report(input.as_bytes(), &[]);
    assert_eq!(code, 3);
    assert_eq!(report["summary"]["outcomes"], serde_json::json!({"accepted": 2, "unchanged": 1, "held": 2}));
    let (code, wire, _) = dry_run(input.as_bytes(), &[]);
    assert_eq!((code, wire.matches("<PurchaseOrderNumber>").count()), (3, 3));
}

#[test]
fn an_empty_input_stops_the_run_unless_it_is_allowed() {
    for (input, more, expected) in [
        (&b""[..], &[][..], 4),
        (b"", &["--allow-empty"], 0),
        (b"[]", &[], 0),
        (b"\n", &[], 0),
        (b"{", &[], 4),
        (b"\xff\xfe{\0}\0", &[], 4),
    ] {
        assert_eq!(dry_run(input, more).0, expected, "{input:?} {more:?}");
        assert_eq!(sandbox_report(input, more).0, expected, "{input:?} {more:?}");
    }
}

#[test]
fn usage_and_configuration_have_codes_of_their_own() {
    let folder = TempDir::new().unwrap();
    let config = |text: &str| std::fs::write(folder.path().join("payables.toml"), text).unwrap();
    let sync = |more: &[&str]| {
        let output = run(payables().current_dir(&folder).args(["sync", "-"]).args(more), order("PO-1").as_bytes());
        (code(&output), text(&output.stderr).to_owned())
    };
    assert_eq!(sync(&[]).0, 2);
    assert_eq!(sync(&["--to", "nowhere"]).0, 2);
    assert_eq!(sync(&["--to", "aws"]).0, 2);
    assert_eq!(sync(&["--to", "tipalti", "--dry-run", "--sandbox"]).0, 0);
    assert_eq!(sync(&["--to", "tipalti", "no-such-file.json", "--dry-run"]).0, 2);
    assert_eq!(sync(&["--to", "tipalti", ".", "--dry-run"]).0, 2);
    let (code, message) = sync(&["--to", "tipalti"]);
    assert_eq!(code, 78);
    assert!(message.contains("payer_name"), "{message}");
    assert_eq!(sync(&["--to", "tipalti", "--config", "missing.toml"]).0, 78);
    for (wrong, word) in [
        ("[targets.tipalti]\nkind = \"tipaly\"", "tipaly"),
        ("[targets.tipalti]\nbatch_size = 251", "batch_size"),
        ("[targets.tipalti]\nbatch_sise = 5", "batch_sise"),
        ("[targets.tipalti]\nendpoint = \"http://example.com/\"", "https"),
        ("[targets.tipalti]\nendpoint = \"http://127.0.0.1.example.com/\"", "https"),
        ("[targets.tipalti]\nendpoint = \"https://user:canary@example.com/\"", "password"),
        ("[targets.tipalti.rules]\n\"TIP-TEXT\" = \"off\"", "TIP-TEXT"),
        ("[targets.tipalti.rules]\n\"TIP-NOPE\" = \"off\"", "TIP-NOPE"),
        ("[targets.tipalti]\nkind = ", "payables.toml"),
        ("[target.tipalti]", "target"),
        ("[targets.tipalti]\nmaster_key = \"canary-that-is-not-closed", "line 2"),
        ("[targets.tipalti]\nendpoint = \"https://example.com/#x\"", "#"),
        ("[targets.Tipalti]\nkind = \"tipalti\"\n[targets.tipalti]\nkind = \"tipalti\"", "small letters"),
    ] {
        config(wrong);
        let (code, message) = sync(&["--to", "tipalti", "--dry-run"]);
        assert_eq!(code, 78, "{wrong}");
        assert!(message.contains(word) && !message.contains("canary"), "{message}");
    }
    config("[targets.tipalti]\npayer_name = \"Acme\"\nmaster_key = \"canary-key\"");
    let (code, message) = sync(&["--to", "tipalti"]);
    assert_eq!(code, 78);
    assert!(message.contains("master_key") && !message.contains("canary"), "{message}");
}

#[test]
fn the_environment_wins_over_the_file() {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("payables.toml"), "[targets.tipalti]\npayer_name = \"File\"\nbatch_size = 1").unwrap();
    let input = format!("{}\n{}", order("PO-1"), order("PO-2"));
    let sync = |environment: &[(&str, &str)]| {
        let mut command = payables();
        command.current_dir(&folder).envs(environment.iter().copied()).args(["sync", "-", "--to", "tipalti", "--dry-run"]);
        text(&run(&mut command, input.as_bytes()).stdout).to_owned()
    };
    assert!(sync(&[]).contains("<payerName>File</payerName>"));
    assert_eq!(sync(&[]).lines().count(), 2);
    let changed = sync(&[("PAYABLES__TARGETS__TIPALTI__PAYER_NAME", "0047"), ("PAYABLES__TARGETS__TIPALTI__BATCH_SIZE", "2")]);
    assert!(changed.contains("<payerName>0047</payerName>"), "{changed}");
    assert_eq!(changed.lines().count(), 1);
}

#[test]
fn settings_decide_what_is_demanded_and_written() {
    let folder = TempDir::new().unwrap();
    let sync = |config: &str, input: &str| {
        std::fs::write(folder.path().join("payables.toml"), config).unwrap();
        let mut command = payables();
        command.current_dir(&folder).args(["sync", "-", "--to", "tipalti", "--dry-run", "--output", "json"]);
        let output = run(&mut command, input.as_bytes());
        (code(&output), text(&output.stdout).to_owned(), text(&output.stderr).to_owned())
    };
    let (code, _, report) = sync("[targets.tipalti]\nseveral_entities = true\nseveral_gl_accounts = true", &order("PO-1"));
    assert!(code == 4 && report.contains("TIP-ENTITY") && report.contains("TIP-ACCOUNT"), "{report}");
    let (code, wire, _) = sync("[targets.tipalti]\nseveral_entities = true\npayer_entity = \"Acme Inc.\"", &order("PO-1"));
    assert!(code == 0 && wire.contains("<PayerEntity>Acme Inc.</PayerEntity>"));
    let unit = order("PO-1").replace("\"price\"", "\"unit\":\"KGM\",\"price\"");
    assert!(sync("", &unit).1.contains("<Units>KGM</Units>"));
    assert!(sync("[targets.tipalti.units]\nKGM = \"kilograms\"", &unit).1.contains("<Units>kilograms</Units>"));
    assert!(
        sync("[targets.tipalti]\nexternal_id_spelling = \"schema\"", &unit)
            .1
            .contains("<AccountExternalId>6815</AccountExternalId>")
    );
    let no_id = order("PO-1").replace("\"id\":\"1\",", "");
    assert_eq!(sync("", &no_id).0, 0);
    assert_eq!(sync("[targets.tipalti.rules]\n\"TIP-LINE-ID\" = \"error\"", &no_id).0, 4);
    std::fs::write(folder.path().join("payees.txt"), "V-1\n\n  V-2 \n").unwrap();
    let payees = "[targets.tipalti]\nknown_payees = \"payees.txt\"";
    let payee = |id: &str| order_with("PO-1", &format!("\"seller\":{{\"id\":\"{id}\"}},"));
    assert_eq!(sync(payees, &payee("V-2")).0, 0);
    let (code, wire, report) = sync(payees, &payee("V-3"));
    assert!(code == 3 && wire.is_empty() && report.contains("TIP-PAYEE") && report.contains("\"held\""), "{report}");
}

#[test]
fn one_empty_input_among_several_holds_them_all() {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("orders.jsonl"), order("PO-1")).unwrap();
    std::fs::write(folder.path().join("empty.jsonl"), "").unwrap();
    for mode in ["--dry-run", "--sandbox"] {
        let mut command = payables();
        command.current_dir(&folder).args(["sync", "orders.jsonl", "empty.jsonl", "--to", "tipalti", "--output", "json", mode]);
        let output = run(&mut command, b"");
        let report = if mode == "--dry-run" { &output.stderr } else { &output.stdout };
        let report: Value = serde_json::from_slice(report).unwrap();
        assert_eq!((code(&output), &report["summary"]["outcomes"]), (4, &serde_json::json!({"held": 1})), "{mode}");
        assert!(mode == "--sandbox" || output.stdout.is_empty());
    }
}

#[test]
fn a_version_that_cannot_be_sent_holds_the_other_one_too() {
    let broken = order("PO-1").replace("\"19.90\"", "\"19,90\"");
    let incomplete = order("PO-2").replace("\"note\":\"Paper\",", "");
    let input = [broken, order("PO-1"), order("PO-2"), incomplete, order("PO-3")].join("\n");
    let (code, report) = sandbox_report(input.as_bytes(), &[]);
    assert_eq!(code, 3);
    assert_eq!(report["summary"]["outcomes"], serde_json::json!({"accepted": 1, "held": 2, "invalid": 2}));
}

#[test]
fn a_good_order_is_not_the_same_as_a_bad_one_with_the_same_wire_form() {
    let good = order_with("PO-1", "\"seller\":{\"id\":\"V-1\"},");
    let bad = good.replace("\"V-1\"", "\"V-1\",\"address\":{\"lines\":[\"x\"],\"country\":\"ZZ\"}");
    for input in [format!("{bad}\n{good}"), format!("{good}\n{bad}")] {
        let (code, report) = sandbox_report(input.as_bytes(), &[]);
        assert_eq!((code, &report["summary"]["outcomes"]), (3, &serde_json::json!({"held": 1, "invalid": 1})));
    }
}

#[test]
fn an_order_within_something_else_is_not_sent() {
    let event = format!("{{\"event\":\"cancelled\",\"data\":{}}}", order("PO-1"));
    let nested = order_with("PO-2", &format!("\"previous\":{},", order("PO-2")));
    for input in [event.clone(), nested.clone(), format!("[{event},{nested}]"), nested.replace(',', ",\n ")] {
        let (code, wire, report) = dry_run(input.as_bytes(), &["--output", "json"]);
        assert_eq!((code, wire.as_str()), (4, ""), "{report}");
    }
}

#[test]
fn numbers_with_many_zeros_are_what_they_are() {
    let input = order("PO-1")
        .replace("\"19.90\"", "\"1.00000000000000000000\"")
        .replace("\"quantity\":\"2\"", "\"quantity\":\"2.0000000000\"");
    let (code, wire, _) = dry_run(input.as_bytes(), &[]);
    assert!(code == 0 && wire.contains("<Rate>1.0000</Rate><Amount>2"), "{wire}");
}

#[test]
fn a_list_full_of_nothing_costs_little() {
    let input = format!(r#"{{"kind":"purchase_order","number":"PO-1","lines":[{}]}}"#, vec!["null"; 1_500_000].join(","));
    let (code, _, report) = dry_run(input.as_bytes(), &["--output", "json"]);
    assert_eq!(code, 4);
    assert!(report.len() < 2_000_000 && report.contains("DOC-TYPE"), "{}", report.len());
}

#[test]
fn a_long_order_with_many_warnings_goes_and_one_with_many_errors_does_not() {
    let start = order("PO-1");
    let (head, line) = start.split_once("\"lines\":[").unwrap();
    let line = line.trim_end_matches("]}").replace("\"id\":\"1\",", "");
    let long = |line: &str| format!("{head}\"lines\":[{}]}}", vec![line; 3000].join(","));
    let (code, _, report) = dry_run(long(&line).as_bytes(), &["--output", "json"]);
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!((code, &report["summary"]["warnings"]), (0, &3000.into()));
    let (code, _, report) = dry_run(long(&line.replace("\"19.90\"", "null")).as_bytes(), &["--output", "json"]);
    assert!(code == 4 && report.contains("DOC-MANY"), "{code}");
}

#[test]
fn nobody_has_to_listen_on_stderr() {
    for arguments in [&["explain", "nope"][..], &["sync", "nope", "--to", "tipalti", "--dry-run"]] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full");
        let Ok(full) = full else { return };
        let status = payables().args(arguments).stdin(Stdio::null()).stderr(full).status().unwrap();
        assert_eq!(status.code(), Some(2));
    }
}

#[test]
fn logs_name_the_run_and_the_documents() {
    let mut command = payables();
    command.env("PAYABLES_LOG", "info").args(["sync", "-", "--to", "tipalti", "--sandbox", "--output", "json"]);
    let output = run(&mut command, order("PO-1").as_bytes());
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let lines: Vec<Value> = text(&output.stderr).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.len() >= 3, "{lines:?}");
    assert!(lines.iter().any(|line| line["first"] == "PO-1"), "{lines:?}");
    for line in lines.iter().skip(1) {
        assert_eq!(line["span"]["run"], report["run"]["id"], "{line}");
    }
}

#[test]
fn what_cannot_be_read_to_its_end_still_leaves_a_report() {
    if !std::path::Path::new("/proc/self/mem").exists() {
        return;
    }
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("orders.jsonl"), order("PO-1")).unwrap();
    let mut command = payables();
    command.current_dir(&folder).args([
        "sync",
        "orders.jsonl",
        "/proc/self/mem",
        "--to",
        "tipalti",
        "--sandbox",
        "--output",
        "json",
    ]);
    let output = run(&mut command, b"");
    assert_eq!(code(&output), 1);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(report["summary"]["notes"].to_string().contains("/proc/self/mem"), "{report}");
}

#[test]
fn invoices_are_not_for_tipalti() {
    let invoice = r#"{"kind":"invoice","number":"I-1","issue_date":"2026-03-02","currency":"EUR","payee":{"id":"V"},"lines":[{"item":{"buyers_id":"B"},"quantity":1,"unit":"EA","price":"1"}]}"#;
    let (code, wire, report) = dry_run(format!("{invoice}\n{}", order("PO-1")).as_bytes(), &["--output", "json"]);
    assert_eq!((code, wire.lines().count()), (3, 1));
    assert!(report.contains("TIP-KIND"), "{report}");
}

#[test]
fn fields_without_a_place_are_named_once_with_their_count() {
    let input = order("PO-1").replace("\"buyers_id\"", "\"sellers_id\":\"S-1\",\"buyers_id\"");
    let (_, _, report) = dry_run(format!("{input}\n{}", input.replace("PO-1", "PO-2")).as_bytes(), &["--output", "json"]);
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["summary"]["not_carried"], serde_json::json!({"lines[].item.sellers_id": 2}));
}

#[test]
fn the_reader_of_the_output_may_go_away() {
    let mut command = payables();
    command
        .args(["sync", "-", "--to", "tipalti", "--dry-run"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    let input: String = (0..2000).map(|number| order(&format!("PO-{number}")) + "\n").collect();
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || std::io::Write::write_all(&mut stdin, input.as_bytes()));
    let output = child.wait_with_output().unwrap();
    let _the_program_may_have_stopped_reading = writer.join().unwrap();
    assert_eq!(code(&output), 1);
    assert_eq!(text(&output.stderr), "");
}

#[test]
fn the_sandbox_says_where_it_is_and_a_configured_target_reaches_it() {
    let folder = TempDir::new().unwrap();
    let mut server = payables().arg("sandbox").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(server.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let ready: Value = serde_json::from_str(&line).unwrap();
    let tipalti = |key: &str| ready["tipalti"][key].as_str().unwrap();
    let config = format!(
        "[targets.erp]\nkind = \"tipalti\"\npayer_name = \"{}\"\nmaster_key = \"env:SANDBOX_KEY\"\nendpoint = \"{}\"\n",
        tipalti("payer_name"),
        tipalti("endpoint")
    );
    std::fs::write(folder.path().join("payables.toml"), config).unwrap();
    let sync = |key: &str, input: &str, more: &[&str]| {
        let mut command = payables();
        command.current_dir(&folder).env("SANDBOX_KEY", key).args(["sync", "-", "--to", "erp", "--output", "json"]).args(more);
        let output = run(&mut command, input.as_bytes());
        let all = format!("{}{}", text(&output.stdout), text(&output.stderr));
        assert!(!all.contains(key), "the key was shown");
        (code(&output), all)
    };
    let (code, report) = sync(tipalti("master_key"), &order("PO-1"), &[]);
    assert!(code == 0 && report.contains("\"accepted\":1"), "{report}");
    // Nobody vouches for this payee.
    let payee = order_with("PO-2", "\"seller\":{\"id\":\"V-1\"},");
    let (code, report) = sync(tipalti("master_key"), &payee, &[]);
    assert!(code == 3 && report.contains("TIP-PAYEE"), "{report}");
    let (code, report) = sync(tipalti("master_key"), &payee, &["--allow-new-payees"]);
    assert!(code == 0, "{report}");
    let (code, report) = sync("canary-wrong-key", &order("PO-3"), &[]);
    assert!(code == 77 && report.contains("TIP-AUTH") && report.contains("not_sent"), "{report}");
    server.kill().unwrap();
    server.wait().unwrap();
    // Nobody listens any more.
    let (code, report) = sync("canary-any-key", &order("PO-4"), &[]);
    assert!(code == 75 && report.contains("not_sent"), "{report}");
}

#[test]
fn help_has_an_example_for_every_command() {
    let help = run(payables().arg("--help"), b"");
    assert_eq!(code(&help), 0);
    for command in [
        "sync",
        "validate",
        "sandbox",
        "init",
        "schema",
        "completions",
        "man",
        "explain",
        "status",
        "show",
        "release",
        "resolve",
        "retry",
        "follow-up",
        "journal",
    ] {
        assert!(text(&help.stdout).contains(command));
        let help = run(payables().args([command, "--help"]), b"");
        assert!(code(&help) == 0 && text(&help.stdout).contains(&format!("payables {command}")), "{command}");
    }
    for command in ["check", "export", "prune"] {
        let help = run(payables().args(["journal", command, "--help"]), b"");
        let example = format!("Example:\n  payables journal {command}");
        assert!(text(&help.stdout).replace("Examples:", "Example:").contains(&example), "{command}");
    }
}

#[test]
fn codes_are_explained() {
    for (known, says) in [
        ("TIP-PLACES", "four"),
        ("tip-payee", "known_payees"),
        ("EncryptionKeyFailedValidation", "the run is stopped"),
        ("1006", "EncryptionKeyFailedValidation"),
        ("RequestLimitReached", "made again after a pause"),
        ("UnknownError", "replayed"),
    ] {
        let output = run(payables().args(["explain", known]), b"");
        assert!(code(&output) == 0 && text(&output.stdout).contains(says), "{known}: {}", text(&output.stdout));
    }
    assert_eq!(code(&run(payables().args(["explain", "TIP-NOPE"]), b"")), 2);
    // Every rule that the sources name is explained.
    let list = text(&run(payables().arg("explain"), b"").stdout).to_owned();
    for file in [
        "src/model/check.rs",
        "src/model/mod.rs",
        "src/vendors/tipalti/check.rs",
        "src/vendors/tipalti/reply.rs",
        "src/engine/settle.rs",
        "src/bridge/prepare.rs",
        "src/vendors/tipalti/compare.rs",
    ] {
        let source = std::fs::read_to_string(project(file)).unwrap();
        for rule in
            source.split('"').filter(|word| ["DOC-", "TIP-"].iter().any(|prefix| word.starts_with(prefix)) && !word.contains(' '))
        {
            assert!(list.contains(rule), "{file}: {rule} is not explained");
        }
    }
}

#[test]
fn init_writes_a_configuration_that_works_and_never_over_one() {
    let folder = TempDir::new().unwrap();
    let init = || code(&run(payables().current_dir(&folder).arg("init"), b""));
    assert_eq!(init(), 0);
    assert_eq!(init(), 2);
    let mut command = payables();
    command.current_dir(&folder).args(["sync", "example-order.json", "--to", "tipalti", "--sandbox"]);
    assert_eq!(code(&run(&mut command, b"")), 0);
    // What is commented out is the default, so taking the comments away changes nothing.
    let config = std::fs::read_to_string(folder.path().join("payables.toml")).unwrap();
    let settings = config
        .lines()
        .map(|line| line.strip_prefix("# ").filter(|line| line.contains(" = ") || line.starts_with('[')).unwrap_or(line));
    let settings: String = settings
        .filter(|line| !line.contains("known_payees") && !line.starts_with("KGM"))
        .map(|line| format!("{line}\n"))
        .collect();
    std::fs::write(folder.path().join("payables.toml"), settings).unwrap();
    let mut command = payables();
    command.current_dir(&folder).args(["validate", "example-order.json", "--to", "tipalti"]);
    let output = run(&mut command, b"");
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
}

#[test]
fn completions_and_the_manual_are_printed() {
    for shell in ["bash", "zsh", "fish", "powershell"] {
        assert!(text(&run(payables().args(["completions", shell]), b"").stdout).contains("payables"));
    }
    assert!(text(&run(payables().arg("man"), b"").stdout).contains(".TH payables"));
}

#[test]
#[cfg(unix)]
fn a_terminated_run_finishes_what_is_on_its_way() {
    let folder = TempDir::new().unwrap();
    // A server that takes its time, and a run that is asked to end meanwhile.
    let mut server = payables().args(["sandbox", "--fault", "slow:ms=1500"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(server.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let ready: Value = serde_json::from_str(&line).unwrap();
    let mut command = payables();
    command
        .current_dir(&folder)
        .env("PAYABLES__TARGETS__TIPALTI__ENDPOINT", ready["tipalti"]["endpoint"].as_str().unwrap())
        .env("PAYABLES__TARGETS__TIPALTI__PAYER_NAME", ready["tipalti"]["payer_name"].as_str().unwrap())
        .env("PAYABLES__TARGETS__TIPALTI__MASTER_KEY", "env:SANDBOX_KEY")
        .env("PAYABLES__TARGETS__TIPALTI__BATCH_SIZE", "1")
        .env("SANDBOX_KEY", ready["tipalti"]["master_key"].as_str().unwrap())
        .args(["sync", "-", "--to", "tipalti", "--output", "ndjson"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let input = format!("{}\n{}\n", order("PO-1"), order("PO-2"));
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), input.as_bytes()).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(700));
    assert!(std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    let mut report = String::new();
    child.stdout.take().unwrap().read_to_string(&mut report).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(75), "{report}");
    let outcomes: Vec<String> = report
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter_map(|item| item["outcome"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(outcomes, ["accepted", "not_sent"]);
    server.kill().unwrap();
    server.wait().unwrap();
}

#[cfg(feature = "aws")]
#[test]
fn files_for_aws_are_checked_and_shown_and_tell_no_secret() {
    let folder = TempDir::new().unwrap();
    let apply = |command: &str, path: &str, more: &[&str]| {
        let mut payables = payables();
        run(payables.current_dir(&folder).args([command, "apply", path]).args(more), b"")
    };
    let portals = project("examples/portals");
    let output = apply("portal", portals.to_str().unwrap(), &["--dry-run", "--output", "json"]);
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    let calls: Vec<Value> = text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(calls.len(), 2);
    assert!(calls.iter().all(|call| call["request"]["ProcurementPortalSharedSecret"] == "DRY-RUN"));
    let report: Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!((&report["summary"]["outcomes"]["planned"], &report["run"]["target"]), (&Value::from(2), &Value::from("aws")));
    let units = project("examples/invoice-units");
    let output = apply("invoice-unit", units.to_str().unwrap(), &["--dry-run"]);
    assert_eq!((code(&output), text(&output.stdout).lines().count()), (0, 2));
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0, "a dry run wrote something");

    std::fs::write(folder.path().join("a.toml"), "procurement_portal_shared_secret = 'canary'\nsecret = 'canary'\n").unwrap();
    std::fs::write(folder.path().join("b.toml"), "name = 'canary\n").unwrap();
    std::fs::copy(project("examples/portals/sap.toml"), folder.path().join("c.toml")).unwrap();
    let output = apply("portal", ".", &["--dry-run"]);
    assert_eq!((code(&output), text(&output.stdout).lines().count()), (3, 1));
    assert!(!text(&output.stderr).contains("canary") && text(&output.stderr).contains("AWS-008"), "{}", text(&output.stderr));
    std::fs::write(folder.path().join("latin"), b"name = '\xe9'").unwrap();
    // What is no plain file is told of, and not waited for.
    for path in ["latin", "/dev/zero"] {
        let output = apply("portal", path, &["--dry-run"]);
        assert!(code(&output) == 4 && text(&output.stderr).contains("AWS-040"), "{path}: {}", text(&output.stderr));
    }
    let output = apply("portal", "nowhere", &["--dry-run"]);
    assert!(code(&output) == 2 && text(&output.stderr).contains("cannot be read"), "{}", text(&output.stderr));
}
