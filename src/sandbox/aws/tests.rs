//! The service without a client: what it takes, what it refuses, and what it remembers.

use serde_json::{Value, json};

use super::*;
use crate::sandbox::fault::Party;

const NOW: i64 = 1_772_323_200;
const AT: Moment<'static> = Moment { now: NOW, lag: Duration::ZERO, host: "127.0.0.1" };

struct Desk(Aws);

impl Desk {
    fn new() -> Self {
        Self(Aws::new(Script::new(&[], Party::Aws)))
    }

    fn ask(&self, operation: &str, body: &Value) -> Value {
        self.0.perform(operation, body.to_string().as_bytes(), &AT).unwrap_or_else(|refusal| panic!("{operation}: {refusal:?}"))
    }

    /// The kind of a refusal, or what stands in its place.
    fn refused(&self, operation: &str, body: &Value) -> String {
        format!("{:?}", self.0.perform(operation, body.to_string().as_bytes(), &AT).unwrap_err())
    }
}

fn preference() -> Value {
    json!({
        "ProcurementPortalName": "COUPA", "BuyerDomain": "NetworkID", "BuyerIdentifier": "acme", "SupplierDomain": "NetworkID",
        "SupplierIdentifier": "aws", "ProcurementPortalSharedSecret": "secret", "EinvoiceDeliveryEnabled": true,
        "PurchaseOrderRetrievalEnabled": false, "Contacts": [{"Name": "N", "Email": "a@b.de"}],
    })
}

fn with(mut value: Value, name: &str, more: Value) -> Value {
    value[name] = more;
    value
}

#[test]
fn a_preference_lives_from_its_creation_to_its_end() {
    let desk = Desk::new();
    let made =
        desk.ask("CreateProcurementPortalPreference", &with(preference(), "ResourceTags", json!([{"Key": "a", "Value": "b"}])));
    let arn = made["ProcurementPortalPreferenceArn"].clone();
    let one = json!({ "ProcurementPortalPreferenceArn": arn });
    let get = || desk.ask("GetProcurementPortalPreference", &one)["ProcurementPortalPreference"].clone();
    assert_eq!((&get()["Version"], &get()["EinvoiceDeliveryPreferenceStatus"]), (&json!(1), &json!("PENDING_VERIFICATION")));
    assert!(get().get("ResourceTags").is_none());
    assert!(desk.refused("CreateProcurementPortalPreference", &preference()).contains("ConflictException"));

    let put = json!({
        "ProcurementPortalPreferenceArn": arn, "EinvoiceDeliveryEnabled": true, "PurchaseOrderRetrievalEnabled": true,
        "Contacts": [{"Email": "c@d.de"}],
    });
    desk.ask("PutProcurementPortalPreference", &put);
    let told = get();
    assert_eq!(
        (&told["Version"], &told["BuyerIdentifier"], &told["Contacts"][0]["Email"]),
        (&json!(2), &json!("acme"), &json!("c@d.de"))
    );
    // What was not put is not there any more.
    assert!(told.get("ProcurementPortalSharedSecret").is_none() && told.get("PurchaseOrderRetrievalEndpoint").is_some());

    let code = |code: &str| with(one.clone(), "Code", json!(code));
    assert!(
        desk.refused("VerifyProcurementPortalValidation", &code(&desk.0.code)).contains("ValidationException"),
        "none was sent"
    );
    desk.ask("SendProcurementPortalValidation", &one);
    assert!(desk.refused("VerifyProcurementPortalValidation", &code("wrong")).contains("ValidationException"));
    desk.ask("VerifyProcurementPortalValidation", &code(&desk.0.code));
    assert_eq!(get()["PurchaseOrderRetrievalPreferenceStatus"], "VALIDATED");
    let suspended = json!({
        "ProcurementPortalPreferenceArn": arn, "EinvoiceDeliveryPreferenceStatus": "SUSPENDED",
        "EinvoiceDeliveryPreferenceStatusReason": "moving",
    });
    desk.ask("UpdateProcurementPortalPreferenceStatus", &suspended);
    assert_eq!((&get()["EinvoiceDeliveryPreferenceStatus"], &get()["Version"]), (&json!("SUSPENDED"), &json!(4)));

    let listed = desk.ask("ListProcurementPortalPreferences", &json!({}));
    let [brief] = &listed["ProcurementPortalPreferences"].as_array().unwrap()[..] else { panic!("{listed}") };
    assert!(brief.get("Contacts").is_none() && brief["Version"] == 4);
    let tags = desk.ask("ListTagsForResource", &json!({ "ResourceArn": arn }));
    assert_eq!(tags["ResourceTags"], json!([{"Key": "a", "Value": "b"}]));
    desk.ask("DeleteProcurementPortalPreference", &one);
    assert!(desk.refused("GetProcurementPortalPreference", &one).contains("ResourceNotFoundException"));
}

#[test]
fn a_token_makes_a_second_request_the_first_one() {
    let desk = Desk::new();
    let asked = with(preference(), "ClientToken", json!("t-1"));
    let made = desk.ask("CreateProcurementPortalPreference", &asked);
    assert_eq!(desk.ask("CreateProcurementPortalPreference", &asked), made);
    let other = with(asked, "BuyerIdentifier", json!("other"));
    assert!(desk.refused("CreateProcurementPortalPreference", &other).contains("another request"));
    // What was refused is not remembered.
    let broken = with(with(preference(), "ClientToken", json!("t-2")), "Contacts", json!([]));
    assert!(desk.refused("CreateProcurementPortalPreference", &broken).contains("fieldValidationFailed"));
    desk.ask(
        "CreateProcurementPortalPreference",
        &with(with(preference(), "ClientToken", json!("t-2")), "BuyerIdentifier", json!("x")),
    );
}

#[test]
fn an_account_is_in_one_unit() {
    let desk = Desk::new();
    let unit = |name: &str, account: &str| json!({"Name": name, "InvoiceReceiver": "111122223333", "Rule": {"LinkedAccounts": [account]}});
    let arn = desk.ask("CreateInvoiceUnit", &unit("One", "111122223333"))["InvoiceUnitArn"].clone();
    assert!(desk.refused("CreateInvoiceUnit", &unit("One", "222233334444")).contains("duplicateInvoiceUnit"));
    assert!(desk.refused("CreateInvoiceUnit", &unit("Two", "111122223333")).contains("mutualExclusionError"));
    desk.ask("CreateInvoiceUnit", &unit("Two", "222233334444"));
    desk.ask("UpdateInvoiceUnit", &json!({"InvoiceUnitArn": arn, "Description": "d"}));
    assert_eq!(desk.ask("GetInvoiceUnit", &json!({"InvoiceUnitArn": arn}))["Description"], "d");
    let first = desk.ask("ListInvoiceUnits", &json!({"MaxResults": 1}));
    let second = desk.ask("ListInvoiceUnits", &json!({"MaxResults": 1, "NextToken": first["NextToken"]}));
    assert!(second.get("NextToken").is_none() && first["InvoiceUnits"] != second["InvoiceUnits"]);
    assert!(desk.refused("ListInvoiceUnits", &json!({"NextToken": "page-99"})).contains("invalidNextToken"));
    let found = desk.ask("ListInvoiceUnits", &json!({"Filters": {"Accounts": ["222233334444"]}}));
    assert_eq!(found["InvoiceUnits"].as_array().unwrap().len(), 1);
    desk.ask("DeleteInvoiceUnit", &json!({"InvoiceUnitArn": arn}));
    assert!(desk.refused("DeleteInvoiceUnit", &json!({"InvoiceUnitArn": arn})).contains("ResourceNotFoundException"));
}

#[test]
fn what_is_of_another_shape_is_refused_with_every_field() {
    let desk = Desk::new();
    let wrong =
        json!({"ProcurementPortalName": "ARIBA", "BuyerIdentifier": "a b", "Surprise": 1, "Contacts": [{"Email": "x"}, {}]});
    let refused = desk.refused("CreateProcurementPortalPreference", &wrong);
    for field in
        ["ProcurementPortalName", "BuyerDomain", "BuyerIdentifier", "Surprise", "Contacts.1.member.Email", "\"Contacts\""]
    {
        assert!(refused.contains(field), "{field}: {refused}");
    }
    let punch_out =
        with(preference(), "MarketplacePunchOutPreference", json!({"ApprovalRequestRedirectUrl": "https://evil.example.com"}));
    assert!(desk.refused("CreateProcurementPortalPreference", &punch_out).contains("host"));
    assert!(desk.refused("Nothing", &json!({})).contains("unknownOperation"));
    assert!(format!("{:?}", desk.0.perform("GetInvoicePDF", b"[", &AT).unwrap_err()).contains("cannotParse"));
    let long = json!({"Selector": {"ResourceType": "ACCOUNT_ID", "Value": ACCOUNT},
        "Filter": {"TimeInterval": {"StartDate": NOW - 60 * 86_400, "EndDate": NOW}}});
    assert!(desk.refused("ListInvoiceSummaries", &long).contains("one month"));
    let month = with(long, "Filter", json!({"TimeInterval": {"StartDate": NOW - 30 * 86_400, "EndDate": NOW}}));
    assert_eq!(desk.ask("ListInvoiceSummaries", &month)["InvoiceSummaries"].as_array().unwrap().len(), 4);
}
