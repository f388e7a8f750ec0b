//! Every rule has a case, and no message holds a secret.

mod planning;
mod saved;
mod words_and_tags;

use std::collections::BTreeSet;

use serde_json::Value;

use super::*;
use crate::adapter::DRY_RUN;
use crate::rules::{self, Levels};

/// What files are about.
#[derive(Clone, Copy)]
enum Kind {
    Preference,
    Unit,
}

/// 2026-03-01
const NOW: u64 = 1_772_323_200;
const COUPA: &str = include_str!("../../../examples/portals/coupa.toml");
const SAP: &str = include_str!("../../../examples/portals/sap.toml");
const RESEARCH: &str = include_str!("../../../examples/invoice-units/research.toml");
const RETAIL: &str = include_str!("../../../examples/invoice-units/retail.toml");

/// What is said of the files: rule, whether it is an error, path.
fn told(kind: Kind, texts: &[&str]) -> Vec<(String, bool, String)> {
    let files: Vec<File> = texts.iter().enumerate().map(|(place, text)| File::new(format!("{place}.toml"), text)).collect();
    let faults = match kind {
        Kind::Preference => {
            judge_preferences(&files, &Levels::new(), NOW).into_iter().flat_map(|judged| judged.faults).collect::<Vec<_>>()
        }
        Kind::Unit => judge_units(&files, &Levels::new()).into_iter().flat_map(|judged| judged.faults).collect(),
    };
    faults.into_iter().map(|fault| (fault.rule.to_string(), fault.is_error(), fault.path)).collect()
}

/// A file with a piece of its text replaced.
fn with(text: &str, old: &str, new: &str) -> String {
    assert!(text.contains(old), "{old}");
    text.replacen(old, new, 1)
}

#[test]
fn the_examples_are_sound() {
    assert_eq!(told(Kind::Preference, &[COUPA, SAP]), []);
    assert_eq!(told(Kind::Unit, &[RESEARCH, RETAIL]), []);
}

/// File, what is replaced, by what; rule, whether it is an error, path.
fn cases() -> Vec<(&'static str, &'static str, String, &'static str, bool, &'static str)> {
    let case = |file, old, new: &str, rule, error, path| (file, old, new.to_owned(), rule, error, path);
    let long = format!("buyer_identifier = \"{}\"", "x".repeat(1025));
    let arns = format!("invoice_unit_arns = [{}]\n", "\"arn:aws:invoicing::123456789012:invoice-unit/a\",".repeat(501));
    let accounts = format!("linked_accounts = [{}]", "\"000000000001\",".repeat(1001));
    let tag = format!("team = \"{}\"", "x".repeat(257));
    vec![
        case(COUPA, "buyer_identifier = \"acme\"\n", "", "AWS-001", true, "buyer_identifier"),
        case(COUPA, "einvoice_delivery_enabled = true\n", "", "AWS-001", true, "einvoice_delivery_enabled"),
        case(COUPA, "\"COUPA\"", "\"Coupa\"", "AWS-002", true, "procurement_portal_name"),
        case(
            COUPA,
            "[\"INVOICE_PDF\"]",
            "[\"PDF\"]",
            "AWS-002",
            true,
            "einvoice_delivery_preference.einvoice_delivery_attachment_types[0]",
        ),
        case(COUPA, "\"acme\"", "\"ac me\"", "AWS-003", true, "buyer_identifier"),
        case(COUPA, "buyer_identifier = \"acme\"", &long, "AWS-003", true, "buyer_identifier"),
        case(COUPA, "[[contacts]]", "[[contacts]]\nname = \"B\"\n[[contacts]]", "AWS-004", true, "contacts"),
        case(COUPA, "ap@example.com", "ap@exämple.com", "AWS-005", true, "contacts[0].email"),
        case(
            COUPA,
            "https://acme.coupahost.com/cxml/invoices",
            "http://acme.coupahost.com/cxml/invoices",
            "AWS-006",
            true,
            "procurement_portal_instance_endpoint",
        ),
        case(
            COUPA,
            "https://acme.coupahost.com/cxml/invoices",
            "https://10.0.0.1/cxml/invoices",
            "AWS-006",
            true,
            "procurement_portal_instance_endpoint",
        ),
        case(
            COUPA,
            "https://acme.coupahost.com/cxml/invoices",
            "https://[::1]/cxml/invoices",
            "AWS-006",
            true,
            "procurement_portal_instance_endpoint",
        ),
        case(COUPA, "/cxml/invoices", "/cxml/orders", "AWS-007", false, "procurement_portal_instance_endpoint"),
        case(COUPA, "env:COUPA_SHARED_SECRET", "the-secret", "AWS-008", true, "procurement_portal_shared_secret"),
        case(
            COUPA,
            "procurement_portal_shared_secret = \"env:COUPA_SHARED_SECRET\"\n",
            "",
            "AWS-009",
            false,
            "procurement_portal_shared_secret",
        ),
        case(COUPA, "PROD_ENV_DOLLAR_TEST", "TEST_ENV_REPLAY_TEST", "AWS-010", false, "test_env_preference"),
        case(SAP, "AN01000000001-T", "AN01000000001", "AWS-011", false, "test_env_preference.buyer_identifier"),
        case(
            COUPA,
            "[\"AWS_CLOUD_INVOICE\", ",
            "[",
            "AWS-012",
            false,
            "einvoice_delivery_preference.purchase_order_data_sources[0]",
        ),
        case(
            SAP,
            "\"AWS_CLOUD_CREDIT_MEMO\"]",
            "\"AWS_CLOUD_CREDIT_MEMO\", \"AWS_REQUEST_FOR_PAYMENT\"]",
            "AWS-012",
            false,
            "einvoice_delivery_preference.purchase_order_data_sources",
        ),
        case(
            COUPA,
            "[\"INVOICE_PDF\"]",
            "[\"RFP_PDF\"]",
            "AWS-013",
            false,
            "einvoice_delivery_preference.einvoice_delivery_attachment_types[0]",
        ),
        case(
            COUPA,
            "2099-01-01",
            "2025-06-01",
            "AWS-014",
            false,
            "einvoice_delivery_preference.einvoice_delivery_activation_date",
        ),
        case(
            COUPA,
            "einvoice_delivery_enabled = true",
            "einvoice_delivery_enabled = false",
            "AWS-015",
            false,
            "einvoice_delivery_enabled",
        ),
        case(
            COUPA,
            "approval_request_redirect_url = \"https://acme.coupahost.com/punchout/approve\"",
            "",
            "AWS-016",
            true,
            "marketplace_punch_out_preference.approval_request_redirect_url",
        ),
        case(
            COUPA,
            "https://acme.coupahost.com/punchout",
            "https://evil.example.com/punchout",
            "AWS-016",
            true,
            "marketplace_punch_out_preference.approval_request_redirect_url",
        ),
        case(SAP, "\"AN01000000001\"", "\"acme\"", "AWS-017", false, "buyer_identifier"),
        case(SAP, "\"AN01000000001\"", "\"AN01000000001-T\"", "AWS-018", true, "buyer_identifier"),
        case(COUPA, "[selector]\n", &format!("[selector]\n{arns}"), "AWS-019", true, "selector.invoice_unit_arns"),
        case(COUPA, "team = \"finance\"", &tag, "AWS-020", true, "resource_tags.team"),
        case(COUPA, "team = \"finance\"", "\"AWS:team\" = \"x\"", "AWS-020", true, "resource_tags.AWS:team"),
        case(COUPA, "procurement_portal_name", "arn = \"arn:aws:x\"\nprocurement_portal_name", "AWS-022", true, "arn"),
        case(
            COUPA,
            "[selector]\n",
            "[selector]\ninvoice_unit_arns = [\"x\"]\n",
            "AWS-022",
            true,
            "selector.invoice_unit_arns[0]",
        ),
        case(COUPA, "\"AWS_INC\"", "\"AWS INC\"", "AWS-003", true, "selector.seller_of_records[0]"),
        case(
            COUPA,
            "2099-01-01",
            "9999-12-31",
            "AWS-023",
            true,
            "einvoice_delivery_preference.einvoice_delivery_activation_date",
        ),
        case(RESEARCH, "\"Research\"", "\" Research\"", "AWS-030", true, "name"),
        case(RESEARCH, "\"111122223333\"\n", "\"11112222333\"\n", "AWS-031", true, "invoice_receiver"),
        case(RESEARCH, "\"222233334444\"", "\"2222\"", "AWS-031", true, "rule.linked_accounts[1]"),
        case(RESEARCH, "\"222233334444\"", "\"111122223333\"", "AWS-032", true, "rule.linked_accounts[1]"),
        case(RETAIL, "linked_accounts = [\"333344445555\"]", &accounts, "AWS-019", true, "rule.linked_accounts"),
        case(RETAIL, "linked_accounts = [\"333344445555\"]", "", "AWS-001", true, "rule"),
        case(RETAIL, "name = ", "name = = ", "AWS-040", true, ""),
    ]
}

#[test]
fn every_rule_is_told_where_it_is_broken() {
    for (file, old, new, rule, error, path) in cases() {
        let kind = if file == COUPA || file == SAP { Kind::Preference } else { Kind::Unit };
        let told = told(kind, &[&with(file, old, &new)]);
        assert!(told.contains(&(rule.to_owned(), error, path.to_owned())), "{rule} at {path}: {told:#?}");
        // Nothing else is wrong, but for what follows from it.
        let others: BTreeSet<&str> = told.iter().map(|(rule, ..)| rule.as_str()).filter(|other| *other != rule).collect();
        let follows: &[&str] = match rule {
            "AWS-002" | "AWS-006" => &["AWS-012", "AWS-016"],
            "AWS-018" => &["AWS-011"],
            "AWS-019" => &["AWS-032", "DOC-MANY"],
            _ => &[],
        };
        assert!(others.iter().all(|other| follows.contains(other)), "{rule}: {others:?}");
    }
}

#[test]
fn every_rule_has_a_case() {
    let cased: BTreeSet<&str> = cases().into_iter().map(|(.., rule, _, _)| rule).chain(["AWS-041"]).collect();
    // From 042 on they speak of what AWS holds, and have their cases where that is known.
    let is_of_files = |code: &&str| code.starts_with("AWS-") && *code < "AWS-042";
    let all: BTreeSet<&str> = rules::all().map(|rule| rule.code).filter(is_of_files).collect();
    assert_eq!(all, cased);
}

#[test]
fn two_files_for_one_thing_are_both_told() {
    let told_of = |kind, texts: &[&str]| told(kind, texts).into_iter().map(|(rule, ..)| rule).collect::<Vec<_>>();
    assert_eq!(told_of(Kind::Preference, &[COUPA, SAP, COUPA]), ["AWS-041", "AWS-041"]);
    assert_eq!(told_of(Kind::Unit, &[RETAIL, RETAIL]), ["AWS-041", "AWS-041", "AWS-032"]);
}

#[test]
fn all_faults_of_a_file_are_told_at_once_and_none_shows_a_secret() {
    let text = r#"
        procurement_portal_name = "SAP"
        supplier_identifier = 7
        procurement_portal_shared_secret = "canary"
        procurement_portal_shared_secrt = "canary"
        procurement_portal_instance_endpoint = "http://me:canary@10.0.0.1/x#y"
        einvoice_delivery_enabled = "yes"
        test_env_preference = [{ procurement_portal_shared_secret = "canary" }]
        resource_tags = "none"
        marketplace_punch_out_preference = { approval_request_redirect_url = "ftp:/canary@[" }
    "#;
    let files = [File::new("bad.toml", text)];
    let [judged] = judge_preferences(&files, &Levels::new(), NOW).try_into().unwrap();
    let paths: BTreeSet<&str> = judged.faults.iter().map(|fault| &*fault.path).collect();
    for path in [
        "procurement_portal_name",
        "buyer_identifier",
        "supplier_identifier",
        "procurement_portal_shared_secret",
        "procurement_portal_shared_secrt",
        "procurement_portal_instance_endpoint",
        "einvoice_delivery_enabled",
        "purchase_order_retrieval_enabled",
        "test_env_preference",
        "resource_tags",
        "contacts",
    ] {
        assert!(paths.contains(path), "{path}: {paths:?}");
    }
    let hidden = [
        r#"procurement_portal_instance_endpoint = "https://u:canary@acme coupahost.com/x""#,
        r#"procurement_portal_instance_endpoint = "acct:canary@acme.coupahost.com/cxml/invoices""#,
        r#"procurement_portal_instance_endpoint = "https://acme.coupahost.com/cxml/invoices?secret=canary""#,
        r#"test_env_preference = "canary""#,
        r#"contacts = "canary""#,
        r#"einvoice_delivery_enabled = "canary""#,
        r#"einvoice_delivery_preference = { einvoice_delivery_activation_date = "canary" }"#,
        r#"CANARYcanary = "x""#,
        r#"contacts = [{ "my canary" = "x" }]"#,
    ];
    for text in hidden {
        let files = [File::new("bad.toml", text)];
        let [judged] = judge_preferences(&files, &Levels::new(), NOW).try_into().unwrap();
        let said = serde_json::to_string(&judged.faults).unwrap();
        assert!(!said.contains("canary") && !judged.is_sound(), "{text}: {said}");
    }
    let said = format!("{:?} {}", judged.faults, serde_json::to_string(&judged.faults).unwrap());
    assert!(!said.contains("canary"), "{said}");
    let secrets = [&judged.content.procurement_portal_shared_secret, &Reference::default()];
    assert_eq!(secrets.map(|secret| format!("{secret:?}")), ["none", "none"]);
    // What does not reach its field reaches no request.
    let line = Call::Create(&judged.content).line(&|_| DRY_RUN.to_owned(), DRY_RUN);
    assert!(!String::from_utf8(line).unwrap().replace("http://me:canary@", "").replace("ftp:/canary", "").contains("canary"));
}

#[test]
fn a_date_may_be_written_in_every_way_of_toml() {
    for (written, seconds) in [
        ("2099-01-01", 4_070_908_800_i64),
        ("2099-01-01T10:00:00Z", 4_070_944_800),
        ("2099-01-01T10:00Z", 4_070_944_800),
        ("2099-01-01 10:00:00", 4_070_944_800),
        ("2099-01-01T10:00:00+02:00", 4_070_937_600),
        ("\"2099-01-01T10:00:00Z\"", 4_070_944_800),
    ] {
        let files = [File::new("coupa.toml", &with(COUPA, "2099-01-01", written))];
        let [judged] = judge_preferences(&files, &Levels::new(), NOW).try_into().unwrap();
        assert!(judged.is_sound(), "{written}: {:?}", judged.faults);
        let line = Call::Create(&judged.content).line(&|_| DRY_RUN.to_owned(), DRY_RUN);
        let value: Value = serde_json::from_slice(&line).unwrap();
        assert_eq!(value["request"]["EinvoiceDeliveryPreference"]["EinvoiceDeliveryActivationDate"], seconds, "{written}");
    }
}

#[test]
fn a_request_has_the_members_of_the_api_in_their_order() {
    let files = [File::new("sap.toml", SAP)];
    let [judged] = judge_preferences(&files, &Levels::new(), NOW).try_into().unwrap();
    let secrets = |reference: &Reference<'_>| format!("<{}>", reference.given().unwrap());
    let line = String::from_utf8(Call::Create(&judged.content).line(&secrets, "token-1")).unwrap();
    let value: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(value["operation"], "CreateProcurementPortalPreference");
    let request = &value["request"];
    assert_eq!(request["ProcurementPortalSharedSecret"], "<env:SAP_SHARED_SECRET>");
    assert_eq!(request["TestEnvPreference"]["ProcurementPortalSharedSecret"], "<env:SAP_TEST_SHARED_SECRET>");
    assert_eq!(request["EinvoiceDeliveryPreference"]["EinvoiceDeliveryActivationDate"], 4_070_908_800_u64);
    assert_eq!(request["EinvoiceDeliveryPreference"]["PurchaseOrderDataSources"].as_array().unwrap().len(), 2);
    assert_eq!((&request["ClientToken"], &request["BuyerDomain"]), (&Value::from("token-1"), &Value::from("NetworkID")));
    assert!(request.get("Selector").is_none() && request.get("ResourceTags").is_none(), "what is not given is not written");
    let order = [
        "ProcurementPortalName",
        "BuyerDomain",
        "TestEnvPreference",
        "EinvoiceDeliveryEnabled",
        "PurchaseOrderRetrievalEnabled",
        "Contacts",
        "ClientToken",
    ];
    let places: Vec<usize> = order.iter().map(|name| line.find(&format!("\"{name}\"")).unwrap()).collect();
    assert!(places.is_sorted(), "{places:?}");
}
