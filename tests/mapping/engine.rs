//! What mappings can say besides: flat rows that make documents, separators, encodings, places within JSON.

use std::sync::Arc;

use payables_bridge::mappings::source::Mapping;

use super::{briefs, mapping, open, texts};

const ORDERS: &str = include_str!("orders.toml");

fn orders() -> Arc<Mapping> {
    mapping(ORDERS)
}

/// A text in windows-1252.
fn latin(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(c).unwrap()).collect()
}

const HEADING: &str =
    "Beleg;Datum;Währung;Betreff;Lieferant;Werk;Pos;Artikel;Text;Menge;Preis;Konto;Erledigt;Art;Freigabe;Drucker\n";

#[test]
fn rows_become_documents_with_all_that_a_mapping_can_say() {
    let source = format!(
        "{HEADING}{}",
        "# exportiert am Montag
B-1;01.03.2026;Euro;Papier für alle;V7;Köln;1;P-80; Papier ;1.200;4,9500;6815;Ja;Z;\"[{\"\"Name\"\":\"\"Ö\"\",\"\"Rang\"\":1}]\";LP1
;;;;;;2;P-90;;0,5;-1.234,56;6815;;Z;;
;;;;;;;;;;;;;Summe;;

B-2;02.03.2026;- Kein -;;V8;;1;P-80;Papier;1;2;6815;Nein;Z;;
"
    );
    let found = texts(&latin(&source), &orders());
    assert_eq!(found.len(), 2, "{:?}", briefs(&latin(&source), &orders()));
    insta::assert_snapshot!(found.join("\n"));
    assert_eq!(briefs(&latin(&source), &orders()), [""; 0]);
}

#[test]
fn what_is_wrong_in_a_group_is_told_where_it_stands() {
    let source = format!(
        "{HEADING}{}",
        "B-1;1.3.26;Pfund;N;V;;1;A;;1,2,3;1.23;6815;ja;Z;;
B-1;01.03.2026;Pfund;N;V;;1;A;;1;1,00;6815;;Z;;
B-2;01.03.2026;Euro;N;V;;1;A;;1;1;6815;;Z;;
B-2;kaputt
B-3;01.03.2026;Euro;N;V;;1;A;;1;1;6815;;Z;;
B-4;01.03.2026;Euro;N;V;;1;A;;1;1;6815;;Z;;
"
    );
    assert_eq!(
        briefs(&latin(&source), &orders()),
        [
            "MAP-WORD currency @2 Währung \"Pfund\"",
            "MAP-DATE issue_date @2 Datum \"1.3.26\"",
            "MAP-TYPE lines[0].closed @2 Erledigt \"ja\"",
            "MAP-DECIMAL lines[0].price @2 Preis \"1.23\"",
            "MAP-DECIMAL lines[0].quantity @2 Menge \"1,2,3\"",
            "MAP-CONFLICT issue_date @3 Datum \"01.03.2026\"",
            "DOC-LINE-ID lines[1].id @3 Pos \"1\"",
            "MAP-ROW  @5  \"B-2;kaputt\"",
            "MAP-ROW  @5  \"B-2;kaputt\"",
        ]
    );
    let heading = "Beleg;Datum;Datum;Mengen\nB-1;1;2;3\n";
    assert_eq!(
        briefs(&latin(heading), &orders())[..2],
        ["MAP-COLUMN Mengen @2 Mengen \"3\"", "MAP-TWICE issue_date @2 Datum \"1\""]
    );
}

#[test]
fn an_address_closes_up_and_its_lines_are_still_found() {
    let mapping = mapping(
        "version = 1\ndocument = \"invoice\"\ntitle = \"t\"\n[header]\nnumber = \"No\"\ntotal = \"Sum\"\n\
         \"payee.address.lines[0]\" = \"L1\"\n\"payee.address.lines[1]\" = \"L2\"\n\"payee.address.lines[2]\" = \"L3\"\n",
    );
    assert_eq!(
        texts(b"No,L1,L2,L3\n1,a,,c\n", &mapping),
        [r#"{"kind":"invoice","number":"1","payee":{"address":{"lines":["a","c"]}}}"#]
    );
    let mut documents = open(b"No,L1,L2,L3\n1,a,,c\n", &mapping);
    let record = documents.next().unwrap().unwrap();
    let cell = record.origin.unwrap().locate("payee.address.lines[1]").unwrap();
    assert_eq!((cell.column.as_str(), cell.raw.as_str()), ("L3", "c"));
    let first = briefs(b"No,L1,L2,L3\n1,,b,\n", &mapping);
    assert!(first.iter().any(|brief| brief.starts_with("DOC-REQUIRED payee.address.lines[0] @2 L1")), "{first:?}");
}

#[test]
fn records_are_found_within_json() {
    let file = "version = 1\ndocument = \"invoice\"\ntitle = \"t\"\n[source]\nformat = \"json\"\nrecords_at = \"/d/results\"\n[header]\nnumber = \"No\"\n";
    let source = "{\"count\": [2], \"d\": {\"results\": [\n{\"No\": 0010},\n{\"No\": 17},\n{\"No\": \"18\"}\n], \"next\": null}}";
    assert_eq!(
        texts(source.as_bytes(), &mapping(file)),
        [r#"{"kind":"invoice","number":"17"}"#, r#"{"kind":"invoice","number":"18"}"#]
    );
    assert!(briefs(source.as_bytes(), &mapping(file))[0].starts_with("DOC-JSON  @2"));
    let wrong = briefs(b"{\"d\": {\"values\": []}}", &mapping(file));
    assert_eq!(wrong.len(), 1);
    assert!(wrong[0].starts_with("MAP-TABLE"), "{wrong:?}");
    let cut = briefs(b"{\"d\": {\"results\": [{\"No\": 1}", &mapping(file));
    assert!(cut.iter().any(|brief| brief.starts_with("DOC-JSON")), "{cut:?}");
}

#[test]
fn encodings_are_declared_and_never_guessed() {
    let utf8 = mapping("version = 1\ndocument = \"invoice\"\ntitle = \"t\"\n[header]\nnumber = \"No\"\n");
    assert_eq!(texts("\u{feff}No\nä\n".as_bytes(), &utf8), [r#"{"kind":"invoice","number":"ä"}"#]);
    assert!(briefs(b"No\n\xE4\n", &utf8)[0].starts_with("DOC-ENCODING  @2"));
    assert!(briefs(b"\xFF\xFEN\0o\0", &utf8)[0].starts_with("DOC-ENCODING  @1"));
    let utf16 = mapping(
        "version = 1\ndocument = \"invoice\"\ntitle = \"t\"\n[source]\nencoding = \"utf-16le\"\n[header]\nnumber = \"No\"\n",
    );
    let source: Vec<u8> = "\u{feff}No\nä\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(texts(&source, &utf16), [r#"{"kind":"invoice","number":"ä"}"#]);
    let broken: Vec<u8> = [0x4E, 0x6F, 0x0A, 0xD800, 0x0A].iter().flat_map(|unit: &u16| unit.to_le_bytes()).collect();
    assert!(briefs(&broken, &utf16)[0].starts_with("DOC-ENCODING  @2"));
}

#[test]
fn hostile_sources_cost_bounded_work_and_never_a_crash() {
    let cdata = Arc::new(Mapping::built_in("cdata-submit-vendor-payments").unwrap());
    let many = format!("[{{\"Id\": \"1\", \"Items\": [{}{{}}]}}]", "{},".repeat(100_000));
    assert!(briefs(many.as_bytes(), &cdata)[0].starts_with("MAP-TABLE lines"));
    let deep = format!("Id,Items\n1,{}\n", "<a>".repeat(100_000));
    assert!(briefs(deep.as_bytes(), &cdata)[0].starts_with("MAP-TABLE lines"));
    let nested = format!("{{\"Id\": \"1\", \"Items\": {}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(!briefs(nested.as_bytes(), &cdata).is_empty());
    let wide = format!("{{{}\"Id\": \"1\"}}", "\"x\": 1,".repeat(100_000));
    assert_eq!(briefs(wide.as_bytes(), &cdata).iter().filter(|brief| brief.starts_with("MAP-COLUMN")).count(), 50);
    for nothing in ["", "Id\n", "[]", "\u{feff}"] {
        assert_eq!(briefs(nothing.as_bytes(), &cdata), [""; 0], "{nothing:?}");
    }
    assert!(briefs(b"not a heading of ours\n1\n2\n", &cdata)[0].starts_with("MAP-COLUMN  @1"));
    assert!(briefs(b"[1, \"x\"]", &cdata).iter().all(|brief| brief.starts_with("DOC-JSON")));
}
