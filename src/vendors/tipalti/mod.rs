//! Tipalti: `CreateOrUpdatePurchaseOrders` of the SOAP API for payers, version 6.
//!
//! The call is an upsert by PurchaseOrderNumber. It is signed with an HMAC over the payer's name and the time; the body
//! is not part of what is signed, so a key lets anything pass for as long as Tipalti takes its timestamp.

mod check;
pub mod codes;
mod compare;
mod map;
mod reply;
mod settings;
pub mod sign;
mod wire;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::OnMissing;
use crate::adapter::{Context, Decoded, Fetch, Findings, FollowUp, Fragment, Login, Scope, Stamp, Submit, Trace};
use crate::formats::{soap, xml};
use crate::model::{Document, Fault, Path};
use crate::wire::{WireRequest, WireResponse};

pub use settings::TipaltiSettings;

/// The most orders that one call may carry (Tipalti's general limit of records; above it calls time out).
pub const MAX_BATCH: usize = 250;

/// How the external identifiers are spelled on the wire.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Spelling {
    /// `AccountExternalID`, as the documentation of v6 prints it.
    #[default]
    Documented,
    /// `AccountExternalId`, as the schema of later versions has it.
    Schema,
}

/// The settings of a Tipalti target that decide what goes on the wire.
///
/// ```
/// use payables_bridge::vendors::tipalti::Tipalti;
///
/// let target = Tipalti { payer_name: "AcmeCorp".into(), ..Tipalti::default() };
/// assert_eq!(target.batch_size, 50);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tipalti {
    /// The payer's name as Tipalti assigned it; empty only for a dry run.
    pub payer_name: String,
    /// Where calls go.
    pub endpoint: String,
    /// The payer's entity when a document names none.
    pub payer_entity: String,
    /// Whether the payer has several entities, so that PayerEntity is mandatory.
    pub several_entities: bool,
    /// Whether the payer has several GL accounts, so that Account is mandatory.
    pub several_gl_accounts: bool,
    /// How many orders one call carries, 1 to 250.
    pub batch_size: usize,
    /// The spelling of the external identifiers.
    pub external_id_spelling: Spelling,
    /// What to do where a default would undo what a person did.
    pub on_missing: OnMissing,
    /// Whether calls go to Tipalti's own sandbox.
    pub sandbox: bool,
    /// Names for UN/ECE Recommendation 20 codes; a code that is not in it passes as it is.
    pub units: BTreeMap<String, String>,
}

impl Default for Tipalti {
    fn default() -> Self {
        Self {
            payer_name: String::new(),
            endpoint: endpoint(false, "v6"),
            payer_entity: String::new(),
            several_entities: false,
            several_gl_accounts: false,
            batch_size: 50,
            external_id_spelling: Spelling::Documented,
            on_missing: OnMissing::Hold,
            sandbox: false,
            units: crate::mappings::tipalti_units(),
        }
    }
}

/// The address of the API for payers, in production or in Tipalti's own sandbox.
pub fn endpoint(sandbox: bool, version: &str) -> String {
    // The host of the sandbox and the spelling of its path are those that other clients use.
    if sandbox {
        format!("https://api.sandbox.tipalti.com/{version}/PayerFunctions.asmx")
    } else {
        format!("https://api.tipalti.com/{version}/payerfunctions.asmx")
    }
}

impl Submit for Tipalti {
    fn scope(&self) -> Scope {
        Scope {
            kind: super::VendorKind::Tipalti.word().to_owned(),
            environment: if self.sandbox { "sandbox" } else { "production" }.to_owned(),
            endpoint: self.endpoint.clone(),
            account: self.payer_name.clone(),
        }
    }

    fn batch_size(&self) -> usize {
        self.batch_size.clamp(1, MAX_BATCH)
    }

    fn encode(&self, document: &Document<'_>, context: &Context<'_>, fragment: &mut Fragment, findings: &mut Findings) {
        match document {
            Document::PurchaseOrder(order) => {
                check::check(order, self, context.payees, findings);
                wire::write_order(order, self, fragment, findings);
            }
            Document::Invoice(_) => findings.faults.push(Fault::error(
                "TIP-KIND",
                Path::ROOT.field("kind"),
                "invoice: this target takes purchase orders only; send invoices to a target that takes them",
            )),
        }
    }

    fn owner<'d>(&self, _document: &'d Document<'_>) -> &'d str {
        // The payer's numbers are its own, and the payer is the account.
        ""
    }

    fn trace(&self, document: &Document<'_>) -> Trace {
        match document {
            Document::PurchaseOrder(order) => compare::trace(order),
            Document::Invoice(_) => Trace::default(),
        }
    }

    fn compare(&self, document: &Document<'_>, earlier: &[u8], findings: &mut Findings) {
        if let Document::PurchaseOrder(order) = document {
            compare::compare(order, earlier, self.on_missing, findings);
        }
    }

    fn assemble(&self, fragments: &mut dyn Iterator<Item = &[u8]>, stamp: &Stamp<'_>, body: &mut Vec<u8>) {
        wire::write_call(fragments, &self.payer_name, stamp, body);
    }

    fn request(&self, body: Vec<u8>, _stamp: &Stamp<'_>) -> WireRequest {
        let headers = vec![("content-type", soap::CONTENT_TYPE.to_owned())];
        WireRequest { url: self.endpoint.clone(), headers, body, ..WireRequest::default() }
    }

    fn decode(&self, numbers: &[&str], response: &WireResponse) -> Decoded {
        reply::decode(numbers, response)
    }

    fn pretty(&self, body: &[u8]) -> Vec<u8> {
        xml::pretty(body)
    }

    fn repeatable(&self) -> bool {
        // An upsert of the same content changes nothing the second time.
        true
    }

    fn keys(&self, stamp: &Stamp<'_>) -> Vec<String> {
        let key = |secret| sign::key(secret, &sign::string_to_sign(&self.payer_name, stamp.unix_seconds));
        stamp.secret.map(key).into_iter().collect()
    }

    fn interval(&self, _response: &WireResponse) -> Option<Duration> {
        // Tipalti says nothing of the kind.
        None
    }

    fn follow_up(&self) -> Option<&dyn FollowUp> {
        // Every call is answered with its verdicts.
        None
    }

    fn login(&self) -> Option<&dyn Login> {
        // The master key signs every call.
        None
    }

    fn fetch(&self) -> Option<&dyn Fetch> {
        // Orders go there, and none come from there.
        None
    }
}
