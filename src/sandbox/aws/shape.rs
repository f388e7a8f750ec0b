//! What requests have to look like, as the API's model says it: a table for each operation.

use serde_json::{Map, Value};

/// What a member can hold.
pub(super) enum Kind {
    /// A text of so many characters at most.
    Text(usize),
    /// The same without blanks.
    Solid,
    /// A text of 12 digits.
    Account,
    /// The ARN of a preference.
    PreferenceArn,
    /// The ARN of a unit.
    UnitArn,
    Email,
    UnitName,
    Word(&'static [&'static str]),
    Flag,
    /// Seconds since 1970.
    Time,
    /// A whole number in this range.
    Whole(i64, i64),
    /// A list of so many at least and at most.
    List(&'static Kind, usize, usize),
    Object(&'static [Member]),
}

/// A member of a request.
pub(super) struct Member {
    name: &'static str,
    is_required: bool,
    kind: Kind,
}

const fn needs(name: &'static str, kind: Kind) -> Member {
    Member { name, is_required: true, kind }
}

const fn may(name: &'static str, kind: Kind) -> Member {
    Member { name, is_required: false, kind }
}

const PORTAL: Kind = Kind::Word(&["SAP_BUSINESS_NETWORK", "COUPA"]);
const DOMAIN: Kind = Kind::Word(&["NetworkID"]);
const DOCUMENT: Kind = Kind::Word(&[
    "AWS_CLOUD_INVOICE",
    "AWS_CLOUD_CREDIT_MEMO",
    "AWS_MARKETPLACE_INVOICE",
    "AWS_MARKETPLACE_CREDIT_MEMO",
    "AWS_REQUEST_FOR_PAYMENT",
]);
const STATUS: Kind = Kind::Word(&[
    "PENDING_VERIFICATION",
    "VALIDATED",
    "TEST_INITIALIZED",
    "TEST_INITIALIZATION_FAILED",
    "TEST_FAILED",
    "ACTIVE",
    "SUSPENDED",
]);
const SELECTOR: Kind = Kind::Object(&[
    may("InvoiceUnitArns", Kind::List(&Kind::UnitArn, 0, 500)),
    may("SellerOfRecords", Kind::List(&Kind::Solid, 0, 100)),
]);
const TEST_ENVIRONMENT: Kind = Kind::Object(&[
    needs("BuyerDomain", DOMAIN),
    needs("BuyerIdentifier", Kind::Solid),
    needs("SupplierDomain", DOMAIN),
    needs("SupplierIdentifier", Kind::Solid),
    may("ProcurementPortalSharedSecret", Kind::Solid),
    may("ProcurementPortalInstanceEndpoint", Kind::Solid),
]);
const SOURCE: Kind = Kind::Object(&[
    may("EinvoiceDeliveryDocumentType", DOCUMENT),
    may("PurchaseOrderDataSourceType", Kind::Word(&["ASSOCIATED_PURCHASE_ORDER_REQUIRED", "PURCHASE_ORDER_NOT_REQUIRED"])),
]);
const DELIVERY: Kind = Kind::Object(&[
    needs("EinvoiceDeliveryDocumentTypes", Kind::List(&DOCUMENT, 0, 10)),
    may("EinvoiceDeliveryAttachmentTypes", Kind::List(&Kind::Word(&["INVOICE_PDF", "RFP_PDF"]), 0, 10)),
    needs("Protocol", Kind::Word(&["CXML"])),
    needs("PurchaseOrderDataSources", Kind::List(&SOURCE, 0, 10)),
    needs("ConnectionTestingMethod", Kind::Word(&["PROD_ENV_DOLLAR_TEST", "TEST_ENV_REPLAY_TEST"])),
    needs("EinvoiceDeliveryActivationDate", Kind::Time),
]);
const PUNCH_OUT: Kind = Kind::Object(&[may("ApprovalRequestRedirectUrl", Kind::Solid)]);
const CONTACT: Kind = Kind::Object(&[may("Name", Kind::Text(1024)), may("Email", Kind::Email)]);
const TAG: Kind = Kind::Object(&[needs("Key", Kind::Text(128)), needs("Value", Kind::Text(256))]);
const RULE: Kind = Kind::Object(&[
    may("LinkedAccounts", Kind::List(&Kind::Account, 0, 1000)),
    may("BillSourceAccounts", Kind::List(&Kind::Account, 0, 1000)),
]);
const INTERVAL: Kind = Kind::Object(&[needs("StartDate", Kind::Time), needs("EndDate", Kind::Time)]);
const PERIOD: Kind = Kind::Object(&[needs("Month", Kind::Whole(1, 12)), needs("Year", Kind::Whole(2005, 9999))]);

const UNIT_FILTERS: Kind = Kind::Object(&[
    may("Names", Kind::List(&Kind::UnitName, 0, 1000)),
    may("InvoiceReceivers", Kind::List(&Kind::Account, 1, 1000)),
    may("Accounts", Kind::List(&Kind::Account, 1, 1000)),
    may("BillSourceAccounts", Kind::List(&Kind::Account, 1, 1000)),
]);
const INVOICE_SELECTOR: Kind =
    Kind::Object(&[needs("ResourceType", Kind::Word(&["ACCOUNT_ID", "INVOICE_ID"])), needs("Value", Kind::Text(1024))]);
const INVOICE_FILTER: Kind = Kind::Object(&[
    may("TimeInterval", INTERVAL),
    may("BillingPeriod", PERIOD),
    may("InvoicingEntity", Kind::Text(1024)),
    may("ReceiverRole", Kind::Word(&["SELLER", "RESELLER", "BUYER"])),
]);

/// The members of an operation's request; `None` for an operation that there is not.
pub(super) fn members(operation: &str) -> Option<&'static [Member]> {
    Some(match operation {
        "CreateProcurementPortalPreference" => {
            const {
                &[
                    needs("ProcurementPortalName", PORTAL),
                    needs("BuyerDomain", DOMAIN),
                    needs("BuyerIdentifier", Kind::Solid),
                    needs("SupplierDomain", DOMAIN),
                    needs("SupplierIdentifier", Kind::Solid),
                    may("Selector", SELECTOR),
                    may("ProcurementPortalSharedSecret", Kind::Solid),
                    may("ProcurementPortalInstanceEndpoint", Kind::Solid),
                    may("TestEnvPreference", TEST_ENVIRONMENT),
                    needs("EinvoiceDeliveryEnabled", Kind::Flag),
                    may("EinvoiceDeliveryPreference", DELIVERY),
                    needs("PurchaseOrderRetrievalEnabled", Kind::Flag),
                    may("MarketplacePunchOutEnabled", Kind::Flag),
                    may("MarketplacePunchOutPreference", PUNCH_OUT),
                    needs("Contacts", Kind::List(&CONTACT, 1, 1)),
                    may("ResourceTags", Kind::List(&TAG, 0, 200)),
                    may("ClientToken", Kind::Solid),
                ]
            }
        }
        "PutProcurementPortalPreference" => {
            const {
                &[
                    needs("ProcurementPortalPreferenceArn", Kind::PreferenceArn),
                    may("Selector", SELECTOR),
                    may("ProcurementPortalSharedSecret", Kind::Solid),
                    may("ProcurementPortalInstanceEndpoint", Kind::Solid),
                    may("TestEnvPreference", TEST_ENVIRONMENT),
                    needs("EinvoiceDeliveryEnabled", Kind::Flag),
                    may("EinvoiceDeliveryPreference", DELIVERY),
                    needs("PurchaseOrderRetrievalEnabled", Kind::Flag),
                    may("MarketplacePunchOutEnabled", Kind::Flag),
                    may("MarketplacePunchOutPreference", PUNCH_OUT),
                    needs("Contacts", Kind::List(&CONTACT, 1, 1)),
                    may("ClientToken", Kind::Solid),
                ]
            }
        }
        "UpdateProcurementPortalPreferenceStatus" => {
            const {
                &[
                    needs("ProcurementPortalPreferenceArn", Kind::PreferenceArn),
                    may("EinvoiceDeliveryPreferenceStatus", STATUS),
                    may("EinvoiceDeliveryPreferenceStatusReason", Kind::Text(1024)),
                    may("PurchaseOrderRetrievalPreferenceStatus", STATUS),
                    may("PurchaseOrderRetrievalPreferenceStatusReason", Kind::Text(1024)),
                    may("ClientToken", Kind::Solid),
                ]
            }
        }
        "GetProcurementPortalPreference" => const { &[needs("ProcurementPortalPreferenceArn", Kind::PreferenceArn)] },
        "DeleteProcurementPortalPreference" | "SendProcurementPortalValidation" => {
            const { &[needs("ProcurementPortalPreferenceArn", Kind::PreferenceArn), may("ClientToken", Kind::Solid)] }
        }
        "VerifyProcurementPortalValidation" => {
            const {
                &[
                    needs("ProcurementPortalPreferenceArn", Kind::PreferenceArn),
                    needs("Code", Kind::Solid),
                    may("ClientToken", Kind::Solid),
                ]
            }
        }
        "ListProcurementPortalPreferences" | "ListProcurementPortals" => {
            const { &[may("NextToken", Kind::Solid), may("MaxResults", Kind::Whole(1, 100))] }
        }
        "ListProcurementPortalSuppliers" => {
            const {
                &[
                    needs("PortalIdentifier", Kind::Text(1024)),
                    may("NextToken", Kind::Solid),
                    may("MaxResults", Kind::Whole(1, 100)),
                ]
            }
        }
        "CreateInvoiceUnit" => {
            const {
                &[
                    needs("Name", Kind::UnitName),
                    needs("InvoiceReceiver", Kind::Account),
                    may("Description", Kind::Text(500)),
                    may("TaxInheritanceDisabled", Kind::Flag),
                    needs("Rule", RULE),
                    may("ResourceTags", Kind::List(&TAG, 0, 200)),
                    may("ClientToken", Kind::Solid),
                ]
            }
        }
        "UpdateInvoiceUnit" => {
            const {
                &[
                    needs("InvoiceUnitArn", Kind::UnitArn),
                    may("Description", Kind::Text(500)),
                    may("TaxInheritanceDisabled", Kind::Flag),
                    may("Rule", RULE),
                    may("ClientToken", Kind::Solid),
                ]
            }
        }
        "DeleteInvoiceUnit" => const { &[needs("InvoiceUnitArn", Kind::UnitArn), may("ClientToken", Kind::Solid)] },
        "GetInvoiceUnit" => const { &[needs("InvoiceUnitArn", Kind::UnitArn), may("AsOf", Kind::Time)] },
        "ListInvoiceUnits" => {
            const {
                &[
                    may("Filters", UNIT_FILTERS),
                    may("NextToken", Kind::Text(4096)),
                    may("MaxResults", Kind::Whole(1, 500)),
                    may("AsOf", Kind::Time),
                ]
            }
        }
        "ListInvoiceSummaries" => {
            const {
                &[
                    needs("Selector", INVOICE_SELECTOR),
                    may("Filter", INVOICE_FILTER),
                    may("NextToken", Kind::Text(4096)),
                    may("MaxResults", Kind::Whole(1, 100)),
                ]
            }
        }
        "GetInvoicePDF" => const { &[needs("InvoiceId", Kind::Text(1024))] },
        "BatchGetInvoiceProfile" => const { &[needs("AccountIds", Kind::List(&Kind::Account, 1, 1000))] },
        "ListTagsForResource" => const { &[needs("ResourceArn", Kind::Text(1011))] },
        "TagResource" => const { &[needs("ResourceArn", Kind::Text(1011)), needs("ResourceTags", Kind::List(&TAG, 0, 200))] },
        "UntagResource" => {
            const { &[needs("ResourceArn", Kind::Text(1011)), needs("ResourceTagKeys", Kind::List(&Kind::Text(128), 0, 200))] }
        }
        _ => return None,
    })
}

/// Everything that is wrong with a request: the path of each field, and what is wrong with it.
pub(super) fn faults(members: &[Member], request: &Map<String, Value>) -> Vec<(String, String)> {
    let mut faults = Vec::new();
    check_object(members, request, "", &mut faults);
    faults
}

fn check_object(members: &[Member], object: &Map<String, Value>, path: &str, faults: &mut Vec<(String, String)>) {
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    for member in members {
        match object.get(member.name) {
            None if member.is_required => faults.push((below(member.name), "Member must not be null.".to_owned())),
            None => {}
            Some(value) => check(&member.kind, value, &below(member.name), faults),
        }
    }
    for name in object.keys().filter(|name| members.iter().all(|member| member.name != **name)) {
        faults.push((below(name), "There is no such member.".to_owned()));
    }
}

fn check(kind: &Kind, value: &Value, path: &str, faults: &mut Vec<(String, String)>) {
    let text = value.as_str();
    let is_right = match kind {
        Kind::Text(most) => text.is_some_and(|text| text.chars().count() <= *most),
        Kind::Solid => {
            text.is_some_and(|text| !text.is_empty() && text.chars().count() <= 1024 && !text.contains(char::is_whitespace))
        }
        Kind::Account => text.is_some_and(|text| text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())),
        Kind::PreferenceArn => {
            text.is_some_and(|text| text.starts_with("arn:aws:invoicing::") && text.contains(":procurement-portal-preference/"))
        }
        Kind::UnitArn => {
            let is_good = |c: char| c.is_ascii_alphanumeric() || "-/:_".contains(c);
            text.is_some_and(|text| {
                text.starts_with("arn:aws") && text.split(':').count() >= 6 && text.len() <= 256 && text.chars().all(is_good)
            })
        }
        Kind::Email => {
            text.is_some_and(|text| text.is_ascii() && text.split_once('@').is_some_and(|(_, host)| host.contains('.')))
        }
        Kind::UnitName => text.is_some_and(|text| {
            let is_good = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
            (1..=50).contains(&text.chars().count()) && text.chars().all(is_good) && text.trim_matches(' ').len() == text.len()
        }),
        Kind::Word(words) => text.is_some_and(|text| words.contains(&text)),
        Kind::Flag => value.is_boolean(),
        Kind::Time => value.is_number(),
        Kind::Whole(least, most) => value.as_i64().is_some_and(|number| (*least..=*most).contains(&number)),
        Kind::List(of, least, most) => {
            let Some(list) = value.as_array() else { return faults.push((path.to_owned(), "It must be a list.".to_owned())) };
            list.iter().enumerate().for_each(|(place, value)| check(of, value, &format!("{path}.{}.member", place + 1), faults));
            (*least..=*most).contains(&list.len())
        }
        Kind::Object(members) => {
            let Some(object) = value.as_object() else {
                return faults.push((path.to_owned(), "It must be an object.".to_owned()));
            };
            return check_object(members, object, path, faults);
        }
    };
    if !is_right {
        faults.push((path.to_owned(), "It failed to satisfy its constraint.".to_owned()));
    }
}
