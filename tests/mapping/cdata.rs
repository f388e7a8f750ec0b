//! The shape of CData's SubmitVendorPayments: good invoices in each of its forms, and the example of its documentation.

use std::sync::Arc;

use payables_bridge::mappings::source::Mapping;
use payables_bridge::model::{Document, read};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{briefs, each, mapping, open, texts};
use crate::support::project;

const FILE: &str = include_str!("../../mappings/sources/cdata-submit-vendor-payments.toml");

fn cdata() -> Arc<Mapping> {
    Arc::new(Mapping::built_in("cdata-submit-vendor-payments").unwrap())
}

fn example(name: &str) -> Vec<u8> {
    std::fs::read(project("examples").join(name)).unwrap()
}

#[test]
fn good_invoices_are_the_same_in_every_form() {
    let csv = texts(&example("cdata-invoices.csv"), &cdata());
    assert_eq!(csv.len(), 4);
    assert_eq!(texts(&example("cdata-invoices-xml.csv"), &cdata()), csv);
    let json = example("cdata-invoices.json");
    assert_eq!(texts(&json, &cdata()), csv);
    let records: Vec<Value> = serde_json::from_slice(&json).unwrap();
    let lines: String = records.iter().map(|record| format!("{record}\n")).collect();
    assert_eq!(texts(lines.as_bytes(), &cdata()), csv);
    for name in ["cdata-invoices.csv", "cdata-invoices-xml.csv", "cdata-invoices.json"] {
        assert_eq!(briefs(&example(name), &cdata()), [""; 0], "{name}");
    }
    let pretty = |text: &String| serde_json::to_string_pretty(&read(text).unwrap()).unwrap();
    insta::assert_snapshot!(csv.iter().map(pretty).collect::<Vec<_>>().join("\n"));
}

#[test]
fn the_example_of_the_documentation_comes_in_and_its_faults_are_told() {
    let seed = |name: &str| std::fs::read(project("tests/mapping").join(name)).unwrap();
    let items = "MAP-TWICE lines[0].id @2 Items[0].ItemSequenceNumber \"111\"";
    let expected = ["MAP-DATE issue_date @2 Date \"2022\"", items];
    assert_eq!(briefs(&seed("seed.csv"), &cdata()), expected);
    assert_eq!(briefs(&seed("seed-xml.csv"), &cdata()), expected);
    assert_eq!(briefs(&seed("seed.ndjson"), &cdata()), expected.map(|brief| brief.replace("@2", "@1")));
    // In a file over several lines, each value knows its own.
    assert_eq!(briefs(&seed("seed.json"), &cdata()), [expected[0].replace("@2", "@5"), items.replace("@2", "@13")]);
    assert_eq!(
        briefs(&seed("seed-temp.csv"), &cdata()),
        [
            "MAP-DATE issue_date @2 Date \"2022\"",
            "MAP-TABLE ship_to.address @2 ShipToPartyAddress \"shipAddr#TEMP\"",
            "MAP-TABLE taxes @2 TaxDetails \"tax#TEMP\"",
            "MAP-TABLE lines @2 Items \"invoiceItems#TEMP\"",
        ]
    );
}

#[test]
fn what_is_wrong_is_told_with_the_cell_it_stands_in() {
    let source = concat!(
        "Id,InvoiceTyp,Date,TotalAmount,TotalCurrencyCode,RemitToPartyId,RemitToPartyAddress,TaxDetails,Items\n",
        "1,Invoice,2026-03-01,\"1,50\",EUR,7,\"[{\"\"Name\"\":\"\"A\"\"},{\"\"Name\"\":\"\"B\"\"}]\",\"[{\"\"Type\"\":\"\"MwSt\"\",\"\"TaxAmount\"\":1,\"\"Rate\"\":19}]\",<Row><NetCostAmount>x</NetCostAmount></Row>\n",
        "2,,2026-03-01,1,EUR,,{,7,\"[3]\"\n",
    );
    assert_eq!(
        briefs(source.as_bytes(), &cdata()),
        [
            "MAP-COLUMN InvoiceTyp @2 InvoiceTyp \"Invoice\"",
            "MAP-TABLE payee.address @2 RemitToPartyAddress \"[{\\\"Name\\\":\\\"A\\\"},{\\\"Name\\\":\\\"B\\\"}]\"",
            "MAP-COLUMN taxes[0].Rate @2 TaxDetails[0].Rate \"19\"",
            "MAP-WORD taxes[0].type @2 TaxDetails[0].Type \"MwSt\"",
            "DOC-DECIMAL total @2 TotalAmount \"1,50\"",
            "DOC-DECIMAL lines[0].price @2 Items[0].NetCostAmount \"x\"",
            "DOC-REQUIRED lines[0].item @2 Items[0].AmazonProductIdentifier \"\"",
            "DOC-REQUIRED lines[0].quantity @2 Items[0].InvoicedQuantityAmount \"\"",
            "DOC-REQUIRED lines[0].unit @2 Items[0].InvoicedQuantityUnit \"\"",
            "MAP-COLUMN InvoiceTyp @3 InvoiceTyp \"\"",
            "MAP-TABLE payee.address @3 RemitToPartyAddress \"{\"",
            "MAP-TABLE taxes @3 TaxDetails \"7\"",
            "MAP-TABLE lines @3 Items \"[3]\"",
            "DOC-REQUIRED payee @3 RemitToPartyId \"\"",
        ]
    );
}

#[test]
fn messages_name_the_column_what_stood_there_and_what_to_do() {
    let source = "Id,Datee,InvoiceType,TotalAmount\n1,x,Invoic,1.2.3\n";
    let mut messages = Vec::new();
    each(open(source.as_bytes(), &cdata()), |record| {
        messages
            .extend(super::faults(record).into_iter().filter(|fault| fault.rule != "DOC-REQUIRED").map(|fault| fault.message));
    });
    assert_eq!(
        messages,
        [
            "the column `Datee` is not in the mapping; did you mean `Date`?",
            "the column InvoiceType holds \"Invoic\", which is not known; known are: CreditNote, Invoice. Correct it, or add it to [map.invoice_type] of the mapping",
            "\"1.2.3\" is not a decimal number; write it with digits and a point only, such as 1234.50 (line 2, column TotalAmount)",
        ]
    );
}

#[test]
fn every_word_that_the_vendor_takes_is_in_the_tables() {
    use payables_bridge::model::{AllowanceType, ChargeType, DetailType, PaymentTermsType, TaxRegistrationType, TaxType};
    let file: toml::Table = FILE.parse().unwrap();
    let mapped =
        |name: &str| file["map"][name].as_table().unwrap().values().map(|word| word.as_str().unwrap().to_owned()).collect();
    let expect = |name: &str, words: Vec<&str>| {
        let (mut found, mut words): (Vec<String>, Vec<String>) = (mapped(name), words.into_iter().map(str::to_owned).collect());
        found.sort();
        words.sort();
        assert_eq!(found, words, "{name}");
    };
    expect("tax_type", TaxType::ALL.iter().map(|word| word.word()).collect());
    expect("charge_type", ChargeType::ALL.iter().map(|word| word.word()).collect());
    expect("allowance_type", AllowanceType::ALL.iter().map(|word| word.word()).collect());
    expect("detail_type", DetailType::ALL.iter().map(|word| word.word()).collect());
    expect("payment_type", PaymentTermsType::ALL.iter().map(|word| word.word()).collect());
    expect("registration_type", TaxRegistrationType::ALL.iter().map(|word| word.word()).collect());
}

/// A cell as CData would write it.
enum Cell {
    Value(String),
    Rows(Vec<Row>),
    One(Row),
}
type Row = Vec<(String, Cell)>;

/// The mapping, backwards: the columns of a document or a part of it.
fn backwards(file: &toml::Table, section: &toml::Table, node: &Value) -> Row {
    let mut entries = Vec::new();
    flatten("", section, &mut entries);
    let cells = entries.into_iter().filter_map(|(path, spec)| {
        let mut here = node;
        for step in path.split(['.', '[']) {
            here = match step.strip_suffix(']') {
                Some(index) => here.get(index.parse::<usize>().unwrap())?,
                None => here.get(step)?,
            };
        }
        let option = |name: &str| spec.get(name).and_then(toml::Value::as_str);
        let part = |table: &str, node: &Value| backwards(file, file["tables"][table].as_table().unwrap(), node);
        let cell = match (option("table"), option("map"), here) {
            (Some(table), _, Value::Array(rows)) => Cell::Rows(rows.iter().map(|row| part(table, row)).collect()),
            (Some(table), _, row) => Cell::One(part(table, row)),
            (_, Some(map), word) => {
                let word = word.as_str().unwrap();
                let words = file["map"][map].as_table().unwrap();
                Cell::Value(words.iter().find(|(_, ours)| ours.as_str() == Some(word)).unwrap().0.clone())
            }
            (_, _, value) => Cell::Value(value.as_str().map_or_else(|| value.to_string(), str::to_owned)),
        };
        Some((option("from").map(str::to_owned).unwrap(), cell))
    });
    cells.collect()
}

fn flatten(path: &str, section: &toml::Table, entries: &mut Vec<(String, toml::Table)>) {
    for (name, value) in section.iter().filter(|(name, _)| *name != "at") {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        match value {
            toml::Value::String(column) => entries.push((path, toml::Table::from_iter([("from".into(), column.clone().into())]))),
            toml::Value::Table(spec) if spec.contains_key("from") => entries.push((path, spec.clone())),
            toml::Value::Table(part) => flatten(&path, part, entries),
            _ => unreachable!(),
        }
    }
}

fn row_of(document: &Value) -> Row {
    let file: toml::Table = FILE.parse().unwrap();
    let mut row = backwards(&file, file["header"].as_table().unwrap(), document);
    let lines = document["lines"].as_array().unwrap();
    let lines = lines.iter().map(|line| backwards(&file, file["lines"].as_table().unwrap(), line)).collect();
    row.push((file["lines"]["at"].as_str().unwrap().to_owned(), Cell::Rows(lines)));
    row
}

fn as_json(row: &Row) -> Value {
    let value = |cell: &Cell| match cell {
        Cell::Value(text) => json!(text),
        Cell::Rows(rows) => rows.iter().map(as_json).collect(),
        Cell::One(row) => as_json(row),
    };
    row.iter().map(|(column, cell)| (column.clone(), value(cell))).collect()
}

fn as_xml(row: &Row) -> String {
    let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let value = |cell: &Cell| match cell {
        Cell::Value(text) => escape(text),
        Cell::Rows(rows) => rows.iter().map(|row| format!("<Row>{}</Row>", as_xml(row))).collect(),
        Cell::One(row) => as_xml(row),
    };
    row.iter().map(|(column, cell)| format!("<{column}>{}</{column}>", value(cell))).collect()
}

/// One record with its tables in JSON or XML, as CSV.
fn as_csv(row: &Row, xml: bool) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(row.iter().map(|(column, _)| column)).unwrap();
    writer
        .write_record(row.iter().map(|(column, cell)| match cell {
            Cell::Value(text) => text.clone(),
            Cell::Rows(rows) if xml => format!(
                "<{column}>{}</{column}>",
                rows.iter().map(|row| format!("<Row>{}</Row>", as_xml(row))).collect::<String>()
            ),
            Cell::One(row) if xml => format!("<{column}>{}</{column}>", as_xml(row)),
            Cell::Rows(rows) => Value::from_iter(rows.iter().map(as_json)).to_string(),
            Cell::One(row) => as_json(row).to_string(),
        }))
        .unwrap();
    writer.into_inner().unwrap()
}

fn words(words: &'static [&'static str]) -> BoxedStrategy<Value> {
    proptest::sample::select(words).prop_map(|word| json!(word)).boxed()
}

fn text() -> BoxedStrategy<Value> {
    "[!-~äß€][ -~äß€\n]{0,8}[!-~äß€]".prop_map(|text| json!(text)).boxed()
}

fn decimal() -> BoxedStrategy<Value> {
    "-?(0|[1-9][0-9]{0,7})(\\.[0-9]{1,4})?".prop_map(|text| json!(text)).boxed()
}

fn date() -> BoxedStrategy<Value> {
    words(&["2026-03-01", "2024-02-29T23:59:59", "2026-03-01T00:00:00Z", "2026-03-01T09:30:00+05:30"])
}

fn count() -> BoxedStrategy<Value> {
    (0_u32..1000).prop_map(|count| json!(count)).boxed()
}

/// An object of which each field is there or not; without any, it is not there itself.
fn object(fields: Vec<(&'static str, BoxedStrategy<Value>)>) -> BoxedStrategy<Value> {
    let fields: Vec<_> = fields.into_iter().map(|(name, field)| (Just(name), proptest::option::of(field))).collect();
    let given = |fields: Vec<(&'static str, Option<Value>)>| {
        let given = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        Value::Object(given.filter(|(_, value)| *value != json!({}) && *value != json!([])).collect())
    };
    fields.prop_map(given).boxed()
}

fn list(element: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    let some = |all: Vec<Value>| all.into_iter().filter(|element| *element != json!({})).collect();
    proptest::collection::vec(element, 0..3).prop_map(some).boxed()
}

fn tax() -> BoxedStrategy<Value> {
    let types = words(&["mwst", "cgst", "domestic_vat", "st"]);
    object(vec![("type", types), ("rate", decimal()), ("amount", decimal()), ("currency", text()), ("taxable_amount", decimal())])
}

fn party() -> BoxedStrategy<Value> {
    let lines = proptest::collection::vec(text(), 0..4).prop_map(Value::from).boxed();
    let address =
        object(vec![("name", text()), ("lines", lines), ("city", text()), ("postal_code", text()), ("country", text())]);
    let registration = object(vec![("type", words(&["vat", "gst"])), ("number", text())]);
    object(vec![("id", text()), ("address", address), ("tax_registrations", list(registration))])
}

fn invoice() -> BoxedStrategy<Value> {
    let charge =
        |types| object(vec![("type", words(types)), ("description", text()), ("amount", decimal()), ("taxes", list(tax()))]);
    let charges = || list(charge(&["small_order", "tax_collected_at_source"]));
    let allowances = || list(charge(&["discount_incentive", "special"]));
    let item = object(vec![("buyers_id", text()), ("sellers_id", text()), ("hsn_code", text())]);
    let credit = object(vec![("invoice", text()), ("goods_return_date", date()), ("consignor_reference", text())]);
    let line = object(vec![
        ("id", text()),
        ("item", item),
        ("order_reference", text()),
        ("quantity", decimal()),
        ("unit", words(&["CS", "EA"])),
        ("unit_size", count()),
        ("price", decimal()),
        ("credit", credit),
        ("taxes", list(tax())),
        ("charges", charges()),
    ]);
    let terms = object(vec![
        ("type", words(&["due_upon_receipt", "letter_of_credit"])),
        ("net_due_days", count()),
        ("discount_percent", decimal()),
    ]);
    let detail = object(vec![("type", words(&["sur", "carton_count"])), ("detail", text())]);
    let fields = object(vec![
        ("type", words(&["invoice", "credit_note"])),
        ("number", text()),
        ("issue_date", date()),
        ("currency", text()),
        ("payee", party()),
        ("buyer", party()),
        ("ship_from", party()),
        ("payment_terms", terms),
        ("total", decimal()),
        ("taxes", list(tax())),
        ("charges", charges()),
        ("allowances", allowances()),
        ("additional_details", list(detail)),
    ]);
    (fields, proptest::collection::vec(line.prop_filter("a row of nothing is no row", |line| *line != json!({})), 1..3))
        .prop_map(|(mut invoice, lines)| {
            invoice["kind"] = json!("invoice");
            invoice["lines"] = lines.into();
            invoice
        })
        .boxed()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn what_is_written_as_cdata_rows_reads_back_the_same(invoice in invoice()) {
        let text = invoice.to_string();
        let expected = read(&text).unwrap();
        let row = row_of(&invoice);
        let json = as_json(&row).to_string();
        let pretty = serde_json::to_string_pretty(&vec![as_json(&row)]).unwrap();
        let mapping = cdata();
        for source in [as_csv(&row, false), as_csv(&row, true), json.into_bytes(), pretty.into_bytes()] {
            let mut count = 0;
            each(open(&source, &mapping), |record| {
                count += 1;
                let found = record.read().unwrap_or_else(|unreadable| panic!("{:?} in {}", unreadable.faults, String::from_utf8_lossy(&source)));
                assert_eq!(found, expected);
                // Decimals are equal by their value; here their places count too.
                assert_eq!(serde_json::to_string(&found).unwrap(), serde_json::to_string(&expected).unwrap());
                let Document::Invoice(_) = found else { panic!() };
            });
            assert_eq!(count, 1);
        }
    }
}

#[test]
fn the_mapping_can_be_copied_and_changed() {
    let changed = FILE.replace("format = \"auto\"", "format = \"csv\"\n[source.dialect]\ndelimiter = \";\"");
    let csv = "Id;TotalAmount\n17;1.50\n";
    assert_eq!(texts(csv.as_bytes(), &mapping(&changed)).len(), 1);
    // The mapping that was not changed says what is different.
    let mut messages = Vec::new();
    each(open(csv.as_bytes(), &cdata()), |record| messages.extend(super::faults(record).into_iter().map(|fault| fault.message)));
    assert_eq!(messages.len(), 1);
    assert!(messages[0].contains("';'"), "{messages:?}");
}
