//! Mapping files themselves, and the commands around them.

use payables_bridge::mappings::source::{Mapping, mapping_schema};
use serde_json::Value;

use crate::support::{payables, project, run};

const CDATA: &str = "cdata-submit-vendor-payments";

fn problems(text: &str) -> Vec<String> {
    Mapping::parse("my.toml", text).unwrap_err().0.iter().map(ToString::to_string).collect()
}

#[test]
fn everything_that_is_wrong_with_a_mapping_is_said_at_once() {
    let text = r#"
version  = 2
document = "invoice"
title    = "t"
[source]
encoding = "klingon"
records_at = "value"
[source.dialect]
delimiter = "ü"
[source.formats]
decimal_char = ","
group_char = ","
date = "dd.mm.yyyy"
[header]
number = "No"
nummer = "No"
kind = "Kind"
issue_date = { from = "Date", format = "%Q" }
total = { from = "Sum", const = "1" }
currency = { default = "EUR" }
type = { from = "Type", map = "typ" }
payee = "Payee"
payee.id = "x"
buyer.address = { from = "A", table = "adress" }
ship_to.name = { const = 5 }
taxes = { from = "T", table = "tax", default = "x" }
note = 7
[lines]
id = "Pos"
[tables.tax]
type = { from = "Type", map = "tax" }
amout = "Amount"
[tables.unused]
x = "y"
[map.tax]
VAT = "wat"
[map.type]
I = "invoice"
"#;
    // A key cannot be both a value and a table in TOML.
    assert!(problems(text)[0].contains("payee"));
    insta::assert_snapshot!(problems(&text.replace("payee = \"Payee\"\n", "")).join("\n"));
    assert!(problems("version = 1\nfoo = 2\n")[0].contains("foo"));
    assert!(problems("version = ")[0].contains("version ="));
}

#[test]
fn the_schema_knows_every_section() {
    let schema = mapping_schema().to_value();
    let file: Value = {
        let text = std::fs::read_to_string(project("mappings/sources/cdata-submit-vendor-payments.toml")).unwrap();
        serde_json::to_value(text.parse::<toml::Table>().unwrap()).unwrap()
    };
    for section in file.as_object().unwrap().keys() {
        assert!(schema["properties"].get(section).is_some(), "{section}");
    }
    let output = run(payables().args(["schema", "mapping"]), b"");
    assert_eq!(serde_json::from_slice::<Value>(&output.stdout).unwrap(), schema);
}

#[test]
fn a_mapping_is_named_or_a_file_and_a_wrong_one_ends_with_78() {
    let csv = "Id,TotalAmount\n17,\"1,50\"\n";
    let output =
        run(payables().args(["validate", "-", "--to", "tipalti", "--output", "json", "--mapping", CDATA]), csv.as_bytes());
    assert_eq!(output.status.code(), Some(4));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let item = &report["items"][0];
    assert_eq!((&item["number"], &item["outcome"], &item["source"]["line"]), (&"17".into(), &"invalid".into(), &2.into()));
    let faults = item["faults"].as_array().unwrap();
    let total = faults.iter().find(|fault| fault["path"] == "total").unwrap();
    assert_eq!(total["source"], serde_json::json!({"file": "-", "line": 2, "column": "TotalAmount", "raw": "1,50"}));

    let output = run(payables().args(["validate", "-", "--to", "tipalti", "--mapping", "nobody"]), b"");
    assert_eq!(output.status.code(), Some(78));
    assert!(String::from_utf8(output.stderr).unwrap().contains(CDATA));

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("my.toml");
    std::fs::write(&path, "version = 1\ndocument = \"invoice\"\ntitle = \"t\"\n[header]\nnumbr = \"Id\"\n").unwrap();
    for arguments in [vec!["sync", "-", "--to", "tipalti", "--dry-run", "--mapping"], vec!["mapping", "check"]] {
        let output = run(payables().args(arguments).arg(&path), csv.as_bytes());
        assert_eq!(output.status.code(), Some(78));
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(message.contains("header.numbr") && message.contains("`number`"), "{message}");
    }
}

#[test]
fn orders_of_an_erp_go_on_the_wire() {
    let heading = "Beleg;Datum;Betreff;Pos;Artikel;Menge;Preis;Konto;Art\n";
    let rows: String =
        (1..=3).map(|n| format!("B-{n};02.03.2026;Papier;1;P;2;1.019,90;6815;Z\n;;;2;P;1;0,10;6815;Z\n")).collect();
    let mapping = project("tests/mapping/orders.toml");
    let output = run(
        payables().args(["sync", "-", "--to", "tipalti", "--dry-run", "--mapping"]).arg(&mapping),
        format!("{heading}{rows}").as_bytes(),
    );
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let wire = String::from_utf8(output.stdout).unwrap();
    assert_eq!(wire.matches("<PurchaseOrderNumber>").count(), 3);
    assert!(wire.contains("<Rate>1019.90</Rate><Amount>2039.80</Amount>"), "{wire}");
    let output = run(
        payables().args(["sync", "-", "--to", "tipalti", "--sandbox", "--mapping"]).arg(&mapping),
        format!("{heading}{rows}").as_bytes(),
    );
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn mappings_are_listed_checked_and_tried_out() {
    let output = run(payables().args(["mapping", "list"]), b"");
    assert!(output.status.success() && String::from_utf8(output.stdout).unwrap().contains(CDATA));
    let output = run(payables().args(["mapping", "check", CDATA]), b"");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), format!("{CDATA}: ok, makes a document of kind invoice\n"));

    let example = project("examples/cdata-invoices.csv");
    let output =
        run(payables().args(["mapping", "preview", "--mapping", CDATA, "--row", "3", "--output", "json"]).arg(&example), b"");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let preview: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&preview["line"], &preview["document"]["number"]), (&4.into(), &"GB-CN-31".into()));
    let unit = preview["cells"].as_array().unwrap().iter().find(|cell| cell["path"] == "lines[0].unit").unwrap();
    let expected = serde_json::json!({"path": "lines[0].unit", "line": 4, "column": "Items[0].InvoicedQuantityUnit", "raw": "Eaches", "value": "EA"});
    assert_eq!(*unit, expected);

    let table = run(payables().args(["mapping", "preview", "--mapping", CDATA, "-"]), b"Id,Date\n17,2022\n");
    assert_eq!(table.status.code(), Some(3));
    assert!(String::from_utf8(table.stderr).unwrap().contains("issue_date: the column Date holds \"2022\""));
    let beyond = run(payables().args(["mapping", "preview", "--mapping", CDATA, "--row", "9"]).arg(&example), b"");
    assert_eq!(beyond.status.code(), Some(2));
}
