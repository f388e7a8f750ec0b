//! The procurement portal preferences.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::refusal::Refusal;
use super::{ACCOUNT, Answer, Asked, Tags, one_page, read_tags, text};

const ARN: &str = "ProcurementPortalPreferenceArn";
/// What makes one preference another: it cannot be changed.
const IDENTITY: [&str; 5] = ["ProcurementPortalName", "BuyerDomain", "BuyerIdentifier", "SupplierDomain", "SupplierIdentifier"];
const STATUSES: [(&str, &str); 2] = [
    ("EinvoiceDeliveryEnabled", "EinvoiceDeliveryPreferenceStatus"),
    ("PurchaseOrderRetrievalEnabled", "PurchaseOrderRetrievalPreferenceStatus"),
];
/// What a list does not tell.
const DETAILS: [&str; 7] = [
    "ProcurementPortalSharedSecret",
    "ProcurementPortalInstanceEndpoint",
    "PurchaseOrderRetrievalEndpoint",
    "TestEnvPreference",
    "EinvoiceDeliveryPreference",
    "MarketplacePunchOutPreference",
    "Contacts",
];

/// All preferences, by their ARNs.
#[derive(Clone, Default)]
pub(super) struct Portals {
    all: BTreeMap<String, Preference>,
    made: u64,
}

#[derive(Clone)]
struct Preference {
    /// What Get tells, secrets and all, as the real service does.
    told: Map<String, Value>,
    tags: Tags,
    version: u64,
    code_sent: bool,
}

impl Preference {
    fn touch(&mut self, now: i64) {
        self.version += 1;
        self.told.insert("Version".to_owned(), self.version.into());
        self.told.insert("LastUpdateDate".to_owned(), now.into());
    }

    /// What the service adds to what it was told.
    fn complete(&mut self) {
        for (enabled, status) in STATUSES {
            if self.told.get(enabled) == Some(&Value::Bool(true)) {
                self.told.entry(status.to_owned()).or_insert_with(|| "PENDING_VERIFICATION".into());
            }
        }
        if self.told.get("PurchaseOrderRetrievalEnabled") == Some(&Value::Bool(true)) {
            self.told.insert("PurchaseOrderRetrievalEndpoint".to_owned(), "https://invoicing.example.com/purchase-orders".into());
        }
    }
}

impl Portals {
    fn find(&mut self, asked: &Asked) -> Result<&mut Preference, Refusal> {
        let arn = text(asked, ARN);
        self.all.get_mut(arn).ok_or_else(|| Refusal::missing(arn))
    }

    pub(super) fn create(&mut self, asked: &Asked, now: i64) -> Answer {
        check_punch_out(asked, text(asked, "ProcurementPortalName"))?;
        let identity = |told: &Map<String, Value>| IDENTITY.map(|name| told.get(name).cloned());
        if let Some((arn, _)) = self.all.iter().find(|(_, other)| identity(&other.told) == identity(asked)) {
            return Err(Refusal::conflict(arn));
        }
        self.made += 1;
        let arn = format!("arn:aws:invoicing::{ACCOUNT}:procurement-portal-preference/pref-{:08x}", self.made);
        let mut told = asked.clone();
        told.remove("ResourceTags");
        told.insert(ARN.to_owned(), arn.clone().into());
        told.insert("AwsAccountId".to_owned(), ACCOUNT.into());
        told.insert("CreateDate".to_owned(), now.into());
        let mut preference = Preference { told, tags: read_tags(asked), version: 0, code_sent: false };
        preference.touch(now);
        preference.complete();
        self.all.insert(arn.clone(), preference);
        Ok(json!({ ARN: arn }))
    }

    pub(super) fn get(&mut self, asked: &Asked) -> Answer {
        let preference = self.find(asked)?;
        Ok(json!({ "ProcurementPortalPreference": preference.told }))
    }

    pub(super) fn put(&mut self, asked: &Asked, now: i64) -> Answer {
        let preference = self.find(asked)?;
        check_punch_out(asked, text(&preference.told, "ProcurementPortalName"))?;
        let stays = |name: &str| {
            IDENTITY.contains(&name)
                || ["AwsAccountId", "CreateDate"].contains(&name)
                || STATUSES.iter().any(|(_, status)| name.starts_with(status))
        };
        let mut told: Map<String, Value> =
            preference.told.iter().filter(|(name, _)| stays(name)).map(|(name, value)| (name.clone(), value.clone())).collect();
        told.extend(asked.clone());
        preference.told = told;
        preference.touch(now);
        preference.complete();
        Ok(json!({ ARN: text(asked, ARN) }))
    }

    pub(super) fn set_status(&mut self, asked: &Asked, now: i64) -> Answer {
        let preference = self.find(asked)?;
        preference.told.extend(asked.clone());
        preference.touch(now);
        Ok(json!({ ARN: text(asked, ARN) }))
    }

    pub(super) fn delete(&mut self, asked: &Asked) -> Answer {
        self.find(asked)?;
        self.all.remove(text(asked, ARN));
        Ok(json!({ ARN: text(asked, ARN) }))
    }

    pub(super) fn list(&self, asked: &Asked) -> Answer {
        let brief = |preference: &Preference| {
            let told = preference.told.iter().filter(|(name, _)| !DETAILS.contains(&name.as_str()));
            Value::Object(told.map(|(name, value)| (name.clone(), value.clone())).collect())
        };
        one_page(asked, "ProcurementPortalPreferences", 100, self.all.values().map(brief).collect())
    }

    pub(super) fn send_code(&mut self, asked: &Asked) -> Answer {
        self.find(asked)?.code_sent = true;
        Ok(json!({ ARN: text(asked, ARN) }))
    }

    pub(super) fn verify(&mut self, asked: &Asked, code: &str, now: i64) -> Answer {
        let preference = self.find(asked)?;
        if !preference.code_sent || text(asked, "Code") != code {
            return Err(Refusal::invalid("invalidInput", "The validation code is not the one that was sent."));
        }
        for (enabled, status) in STATUSES {
            if preference.told.get(enabled) == Some(&Value::Bool(true)) {
                preference.told.insert(status.to_owned(), "VALIDATED".into());
            }
        }
        preference.touch(now);
        Ok(json!({ ARN: text(asked, ARN) }))
    }

    pub(super) fn tags(&mut self, arn: &str) -> Option<&mut Tags> {
        self.all.get_mut(arn).map(|preference| &mut preference.tags)
    }
}

/// The approval of purchases is Coupa's, and on the portal's host.
fn check_punch_out(asked: &Asked, portal: &str) -> Result<(), Refusal> {
    let refuse = |message: &str| Err(Refusal::fields(&[("MarketplacePunchOutPreference".to_owned(), message.to_owned())]));
    let redirect = asked.get("MarketplacePunchOutPreference").and_then(|preference| preference.get("ApprovalRequestRedirectUrl"));
    let host = |text: &str| url::Url::parse(text).ok().and_then(|address| address.host_str().map(str::to_owned));
    let is_enabled = asked.get("MarketplacePunchOutEnabled") == Some(&Value::Bool(true));
    match redirect.and_then(Value::as_str) {
        None if is_enabled && portal == "COUPA" => refuse("It is required where purchases are approved."),
        Some(_) if portal != "COUPA" => refuse("It is for Coupa only."),
        Some(redirect) if host(redirect) != host(text(asked, "ProcurementPortalInstanceEndpoint")) => {
            refuse("Its host must be that of the instance endpoint.")
        }
        _ => Ok(()),
    }
}
