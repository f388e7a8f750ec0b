//! What else is done with a preference: proving that the portal is one's own, setting its statuses; and which portals and
//! suppliers AWS knows.

use aws_sdk_invoicing::types::{ProcurementPortalPreferenceStatus, ProcurementPortalSupplier};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::apply::{Apply, LOOKS};
use super::ask::pages;
use super::{Account, Applied, Trouble};
use crate::journal::{self, Concluded, Digest};
use crate::model::{Fault, Path};
use crate::outcome::Outcome;
use crate::vendors::aws::{Held, Meaning, Preference};
use crate::wire::Secret;

/// A portal that AWS knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Portal {
    /// Its identifier, by which suppliers are asked for.
    pub identifier: String,
    /// Its name, such as `COUPA`.
    pub name: String,
    /// What it is called for people.
    pub shown_as: Option<String>,
    /// AWS's sellers there.
    pub suppliers: Vec<Supplier>,
}

/// One of AWS's sellers, as a portal knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Supplier {
    /// What goes into `supplier_identifier`.
    pub identifier: String,
    /// The seller of record, such as `AWS_INC`.
    pub seller: Option<String>,
    /// The country, ISO 3166-1 alpha-2.
    pub country: Option<String>,
    /// `PROD` or `TEST`.
    pub environment: Option<String>,
}

/// The statuses that are to be set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewStatus {
    /// Of the delivery of invoices.
    pub einvoice: Option<String>,
    /// Of the retrieval of orders.
    pub po_retrieval: Option<String>,
    /// Why.
    pub reason: Option<String>,
}

impl Apply<'_> {
    /// Has AWS send a validation code to the portal.
    ///
    /// # Errors
    /// When the journal fails.
    pub async fn send_code(&mut self, arn: &str) -> journal::Result<Applied> {
        let operation = "SendProcurementPortalValidation";
        let intent = self.intend(arn, operation, &|token| short(&[token, operation, arn]))?;
        let client = &self.account.client;
        let request =
            client.send_procurement_portal_validation().procurement_portal_preference_arn(arn).client_token(&intent.token);
        let result = self.account.ask(|| request.clone().send()).await.map(|_| ());
        self.ended(&intent, arn, result)
    }

    /// Tells AWS the code that the portal has shown.
    ///
    /// # Errors
    /// When the journal fails.
    pub async fn verify(&mut self, arn: &str, code: &str) -> journal::Result<Applied> {
        let operation = "VerifyProcurementPortalValidation";
        let intent = {
            // A code is short: whatever were kept of it would tell it. So each try is an intent of its own.
            let own = fastrand::u128(..).to_string();
            self.intend(arn, operation, &|_| short(&[operation, arn, &own]))?
        };
        let client = &self.account.client;
        let request = client
            .verify_procurement_portal_validation()
            .procurement_portal_preference_arn(arn)
            .code(code)
            .client_token(&intent.token);
        let result = self.account.ask(|| request.clone().send()).await.map(|_| ());
        self.ended(&intent, arn, result.map_err(|trouble| trouble.without(&[Secret::new(code)])))
    }

    /// Sets statuses of what AWS holds, and reads back whether they are. Words that nobody has heard of go to AWS as they are.
    ///
    /// # Errors
    /// When the journal fails.
    pub async fn set_status(&mut self, held: &Held<Preference<'_>>, status: &NewStatus) -> journal::Result<Applied> {
        let (operation, arn) = ("UpdateProcurementPortalPreferenceStatus", held.arn());
        let NewStatus { einvoice, po_retrieval, reason } = status;
        let word = |text: &Option<String>| text.clone().unwrap_or_default();
        let (wanted, seen) = (format!("{} {} {}", word(einvoice), word(po_retrieval), word(reason)), held.standing());
        let intent = self.intend(arn, operation, &|token| short(&[token, operation, arn, &wanted, &seen]))?;
        let reason_for = |part: &Option<String>| part.as_ref().and(reason.clone());
        let sdk = |word: &Option<String>| word.as_deref().map(ProcurementPortalPreferenceStatus::from);
        let request = self
            .account
            .client
            .update_procurement_portal_preference_status()
            .procurement_portal_preference_arn(arn)
            .set_einvoice_delivery_preference_status(sdk(einvoice))
            .set_einvoice_delivery_preference_status_reason(reason_for(einvoice))
            .set_purchase_order_retrieval_preference_status(sdk(po_retrieval))
            .set_purchase_order_retrieval_preference_status_reason(reason_for(po_retrieval))
            .client_token(&intent.token);
        let result = self.account.ask(|| request.clone().send()).await.map(|_| ());
        let is_unsure =
            |trouble: &Trouble| matches!(trouble, Trouble::MaybeSent(_)) || trouble.meaning() == Some(Meaning::Conflict);
        if result.as_ref().err().is_some_and(|trouble| !is_unsure(trouble)) {
            return self.ended(&intent, arn, result);
        }
        let mut shows = String::new();
        for pause in LOOKS {
            tokio::time::sleep(pause).await;
            let now = self.account.get::<Preference<'_>>(arn).await;
            let Ok(Some(now)) = now else { continue };
            let is_set = |part: &str, word: &Option<String>| {
                word.is_none() || now.statuses.iter().any(|status| status.part == part && Some(&status.word) == word.as_ref())
            };
            if is_set("einvoice", einvoice) && is_set("po_retrieval", po_retrieval) {
                return self.ended(&intent, arn, Ok(()));
            }
            shows = now.statuses.iter().map(|status| format!("{}: {}", status.part, status.word)).collect::<Vec<_>>().join(", ");
        }
        let mut ended = self.ended(&intent, arn, result)?;
        if ended.outcome == Outcome::Accepted {
            // AWS said yes, and shows something else: nobody may take it for done.
            ended.outcome = if intent.was_used { Outcome::NotSent } else { Outcome::Rejected };
        }
        let message =
            format!("AWS does not show what was to be set; it shows {shows}. Look once more, and set it again if it stays");
        ended.faults.push(Fault::error("AWS-064", Path::ROOT, message));
        Ok(ended)
    }

    fn ended(&mut self, intent: &super::intents::Intended, arn: &str, result: Result<(), Trouble>) -> journal::Result<Applied> {
        let (outcome, how, faults, denied) = match result {
            Ok(()) => (Outcome::Accepted, Some(Concluded::Done), Vec::new(), false),
            Err(trouble) => {
                let (outcome, how) = trouble.outcome();
                (outcome, how, trouble.faults(), trouble.is_denied())
            }
        };
        if let Some(how) = how {
            self.conclude(Some(intent), how, outcome.word())?;
        }
        Ok(Applied { outcome, arn: Some(arn.to_owned()), faults, denied })
    }
}

fn short(words: &[&str]) -> Digest {
    let mut hasher = Sha256::new();
    words.iter().for_each(|word| hasher.update(format!("{word:?} ")));
    hasher.finalize().into()
}

impl Account {
    /// The portals that AWS knows, or one of them, with its sellers there.
    ///
    /// # Errors
    /// When AWS does not tell.
    pub async fn portals(&self, wanted: Option<&str>) -> Result<Vec<Portal>, Trouble> {
        let portals = pages(async |next| {
            let question = self.client.list_procurement_portals().set_next_token(next);
            let answer = self.ask(|| question.clone().send()).await?;
            Ok((answer.procurement_portals, answer.next_token))
        });
        let mut all = Vec::new();
        for portal in portals.await? {
            let (identifier, name) = (portal.portal_identifier, portal.portal_name.as_str().to_owned());
            let is_wanted = |wanted: &str| wanted.eq_ignore_ascii_case(&identifier) || wanted.eq_ignore_ascii_case(&name);
            if wanted.is_none_or(is_wanted) {
                let suppliers = self.suppliers(&identifier).await?;
                all.push(Portal { identifier, name, shown_as: portal.portal_display_name, suppliers });
            }
        }
        Ok(all)
    }

    async fn suppliers(&self, portal: &str) -> Result<Vec<Supplier>, Trouble> {
        let suppliers = pages(async |next| {
            let question = self.client.list_procurement_portal_suppliers().portal_identifier(portal).set_next_token(next);
            let answer = self.ask(|| question.clone().send()).await?;
            Ok((answer.procurement_portal_suppliers, answer.next_token))
        });
        let supplier = |supplier: ProcurementPortalSupplier| Supplier {
            identifier: supplier.supplier_identifier,
            seller: supplier.seller_of_record,
            country: supplier.country_code,
            environment: supplier.environment.map(|environment| environment.as_str().to_owned()),
        };
        Ok(suppliers.await?.into_iter().map(supplier).collect())
    }
}
