//! Procurement portal preferences: from the SDK's types to ours and back.

use aws_sdk_invoicing::error::BuildError;
use aws_sdk_invoicing::types::{self as sdk, ProcurementPortalPreference, ProcurementPortalPreferenceSummary};
use aws_smithy_types::DateTime;

use super::ask::pages;
use super::units::tag;
use super::{Account, Kept, Trouble, date, given, list, moment, text, texts, told};
use crate::model::Given;
use crate::vendors::aws::{
    Call, Contact, DeliveryPreference, Held, Meaning, OrderSource, Preference, PunchOutPreference, Reference, SECRET, Secrets,
    Selector, Status, TEST_SECRET, TestEnvironment,
};
use crate::wire::Secret;

/// What the requests that create and change one have in common; the SDK has a type of its own for each.
macro_rules! filled {
    ($request:expr, $wanted:expr, $secrets:expr, $token:expr) => {
        $request
            .set_selector(selector(&$wanted.selector))
            .set_procurement_portal_shared_secret(secret(&$wanted.procurement_portal_shared_secret, $secrets))
            .set_procurement_portal_instance_endpoint(given(&$wanted.procurement_portal_instance_endpoint))
            .set_test_env_preference(test_environment($wanted, $secrets).map_err(unbuilt)?)
            .set_einvoice_delivery_enabled(*$wanted.einvoice_delivery_enabled)
            .set_einvoice_delivery_preference(delivery($wanted).map_err(unbuilt)?)
            .set_purchase_order_retrieval_enabled(*$wanted.purchase_order_retrieval_enabled)
            .set_marketplace_punch_out_enabled(*$wanted.marketplace_punch_out_enabled)
            .set_marketplace_punch_out_preference(punch_out($wanted))
            .set_contacts(Some(contacts($wanted)))
            .client_token($token)
    };
}

fn unbuilt(error: BuildError) -> Trouble {
    Trouble::NotSent(format!("the request cannot be made: {error}"))
}

impl Kept for Preference<'_> {
    async fn all(account: &Account) -> Result<Vec<Held<Self>>, Trouble> {
        let mut all = Vec::new();
        for summary in summaries(account).await? {
            // Somebody may have deleted it since the list was made.
            all.extend(Self::get(account, summary.procurement_portal_preference_arn()).await?);
        }
        Ok(all)
    }

    async fn get(account: &Account, arn: &str) -> Result<Option<Held<Self>>, Trouble> {
        let question = account.client.get_procurement_portal_preference().procurement_portal_preference_arn(arn);
        match account.ask(|| question.clone().send()).await {
            Ok(answer) => match answer.procurement_portal_preference {
                Some(preference) => {
                    let tags = account.tags(arn).await?;
                    let mut held = held(preference);
                    held.content.resource_tags = Some(tags);
                    Ok(Some(held))
                }
                None => Err(Trouble::MaybeSent("AWS answers without a preference".to_owned())),
            },
            Err(trouble) if trouble.meaning() == Some(Meaning::Missing) => Ok(None),
            Err(trouble) => Err(trouble),
        }
    }

    async fn call(
        account: &Account,
        call: &Call<'_, Self>,
        secrets: Secrets<'_>,
        token: &str,
    ) -> Result<Option<String>, Trouble> {
        let client = &account.client;
        match call {
            Call::Create(wanted) => {
                let [buyer, supplier] = domains(wanted.buyer_domain.given(), wanted.supplier_domain.given());
                let request = client
                    .create_procurement_portal_preference()
                    .procurement_portal_name(wanted.procurement_portal_name.as_str().into())
                    .buyer_domain(buyer.into())
                    .buyer_identifier(wanted.buyer_identifier.to_string())
                    .supplier_domain(supplier.into())
                    .supplier_identifier(wanted.supplier_identifier.to_string());
                let mut request = filled!(request, wanted, secrets, token);
                for (name, value) in wanted.resource_tags.iter().flat_map(|tags| &tags.0) {
                    request = request.resource_tags(tag(name, value)?);
                }
                let answer = account.ask(|| request.clone().send()).await?;
                told(answer.procurement_portal_preference_arn)
            }
            Call::Change(arn, wanted) => {
                let request = client.put_procurement_portal_preference().procurement_portal_preference_arn(*arn);
                let request = filled!(request, wanted, secrets, token);
                let answer = account.ask(|| request.clone().send()).await?;
                told(answer.procurement_portal_preference_arn)
            }
            Call::Delete(arn) => {
                let request =
                    client.delete_procurement_portal_preference().procurement_portal_preference_arn(*arn).client_token(token);
                account.ask(|| request.clone().send()).await?;
                Ok(None)
            }
            Call::Tag(arn, tags) => account.tag(arn, tags).await.map(|()| None),
            Call::Untag(arn, names) => account.untag(arn, names).await.map(|()| None),
        }
    }
}

/// What AWS lists: without secrets and details.
async fn summaries(account: &Account) -> Result<Vec<ProcurementPortalPreferenceSummary>, Trouble> {
    pages(async |next| {
        let question = account.client.list_procurement_portal_preferences().max_results(100).set_next_token(next);
        let answer = account.ask(|| question.clone().send()).await?;
        Ok((answer.procurement_portal_preferences.unwrap_or_default(), answer.next_token))
    })
    .await
}

fn held(preference: ProcurementPortalPreference) -> Held<Preference<'static>> {
    let mut secrets = Vec::new();
    secrets.extend(preference.procurement_portal_shared_secret.map(|secret| (SECRET, Secret::new(secret))));
    let mut facts = vec![("account", preference.aws_account_id)];
    facts.push(("created_at", moment(&preference.create_date)));
    facts.push(("changed_at", moment(&preference.last_update_date)));
    facts.extend(preference.purchase_order_retrieval_endpoint.map(|endpoint| ("purchase_order_retrieval_endpoint", endpoint)));
    let test = preference.test_env_preference.map(|test| {
        secrets.extend(test.procurement_portal_shared_secret.map(|secret| (TEST_SECRET, Secret::new(secret))));
        facts.extend(test.purchase_order_retrieval_endpoint.map(|endpoint| ("test_purchase_order_retrieval_endpoint", endpoint)));
        TestEnvironment {
            buyer_domain: text(test.buyer_domain.as_str()),
            buyer_identifier: text(test.buyer_identifier),
            supplier_domain: text(test.supplier_domain.as_str()),
            supplier_identifier: text(test.supplier_identifier),
            procurement_portal_shared_secret: Reference::default(),
            procurement_portal_instance_endpoint: text(test.procurement_portal_instance_endpoint.unwrap_or_default()),
        }
    });
    let status = |part, word: Option<sdk::ProcurementPortalPreferenceStatus>, reason| {
        word.map(|word| Status { part, word: word.as_str().to_owned(), reason })
    };
    let einvoice =
        status("einvoice", preference.einvoice_delivery_preference_status, preference.einvoice_delivery_preference_status_reason);
    let retrieval = status(
        "po_retrieval",
        preference.purchase_order_retrieval_preference_status,
        preference.purchase_order_retrieval_preference_status_reason,
    );
    let selector = preference.selector.map(|selector| Selector {
        invoice_unit_arns: texts(selector.invoice_unit_arns()),
        seller_of_records: texts(selector.seller_of_records()),
    });
    let contact = |contact: sdk::Contact| Contact {
        name: text(contact.name.unwrap_or_default()),
        email: text(contact.email.unwrap_or_default()),
    };
    let content = Preference {
        arn: text(preference.procurement_portal_preference_arn),
        procurement_portal_name: text(preference.procurement_portal_name.as_str()),
        buyer_domain: text(preference.buyer_domain.as_str()),
        buyer_identifier: text(preference.buyer_identifier),
        supplier_domain: text(preference.supplier_domain.as_str()),
        supplier_identifier: text(preference.supplier_identifier),
        selector: selector.unwrap_or_default(),
        procurement_portal_shared_secret: Reference::default(),
        procurement_portal_instance_endpoint: text(preference.procurement_portal_instance_endpoint.unwrap_or_default()),
        test_env_preference: test,
        einvoice_delivery_enabled: Given(Some(preference.einvoice_delivery_enabled)),
        einvoice_delivery_preference: preference.einvoice_delivery_preference.map(held_delivery),
        purchase_order_retrieval_enabled: Given(Some(preference.purchase_order_retrieval_enabled)),
        marketplace_punch_out_enabled: Given(preference.marketplace_punch_out_enabled),
        marketplace_punch_out_preference: preference.marketplace_punch_out_preference.map(|preference| PunchOutPreference {
            approval_request_redirect_url: text(preference.approval_request_redirect_url.unwrap_or_default()),
        }),
        contacts: preference.contacts.unwrap_or_default().into_iter().map(contact).collect(),
        resource_tags: None,
    };
    let statuses = einvoice.into_iter().chain(retrieval).collect();
    Held { content, secrets, version: Some(preference.version), statuses, facts }
}

fn held_delivery(delivery: sdk::EinvoiceDeliveryPreference) -> DeliveryPreference<'static> {
    let words = |words: Vec<String>| texts(&words);
    let source = |source: &sdk::PurchaseOrderDataSource| OrderSource {
        einvoice_delivery_document_type: text(source.einvoice_delivery_document_type().map_or("", |word| word.as_str())),
        purchase_order_data_source_type: text(source.purchase_order_data_source_type().map_or("", |word| word.as_str())),
    };
    DeliveryPreference {
        einvoice_delivery_document_types: words(
            delivery.einvoice_delivery_document_types.iter().map(|word| word.as_str().to_owned()).collect(),
        ),
        einvoice_delivery_attachment_types: words(
            delivery.einvoice_delivery_attachment_types().iter().map(|word| word.as_str().to_owned()).collect(),
        ),
        protocol: text(delivery.protocol.as_str()),
        purchase_order_data_sources: delivery.purchase_order_data_sources.iter().map(source).collect(),
        connection_testing_method: text(delivery.connection_testing_method.as_str()),
        einvoice_delivery_activation_date: Given(date(&delivery.einvoice_delivery_activation_date)),
    }
}

fn domains<'d>(buyer: Option<&'d str>, supplier: Option<&'d str>) -> [&'d str; 2] {
    [buyer, supplier].map(|domain| domain.unwrap_or("NetworkID"))
}

fn secret(reference: &Reference<'_>, secrets: Secrets<'_>) -> Option<String> {
    reference.given().map(|_| secrets(reference))
}

fn selector(selector: &Selector<'_>) -> Option<sdk::ProcurementPortalPreferenceSelector> {
    let (units, sellers) = (list(&selector.invoice_unit_arns), list(&selector.seller_of_records));
    let is_empty = units.is_none() && sellers.is_none();
    let builder = sdk::ProcurementPortalPreferenceSelector::builder();
    (!is_empty).then(|| builder.set_invoice_unit_arns(units).set_seller_of_records(sellers).build())
}

fn test_environment(wanted: &Preference<'_>, secrets: Secrets<'_>) -> Result<Option<sdk::TestEnvPreferenceInput>, BuildError> {
    let Some(test) = &wanted.test_env_preference else { return Ok(None) };
    let [buyer, supplier] = domains(test.buyer_domain.given(), test.supplier_domain.given());
    sdk::TestEnvPreferenceInput::builder()
        .buyer_domain(buyer.into())
        .buyer_identifier(test.buyer_identifier.to_string())
        .supplier_domain(supplier.into())
        .supplier_identifier(test.supplier_identifier.to_string())
        .set_procurement_portal_shared_secret(secret(&test.procurement_portal_shared_secret, secrets))
        .set_procurement_portal_instance_endpoint(given(&test.procurement_portal_instance_endpoint))
        .build()
        .map(Some)
}

fn delivery(wanted: &Preference<'_>) -> Result<Option<sdk::EinvoiceDeliveryPreference>, BuildError> {
    let Some(delivery) = &wanted.einvoice_delivery_preference else { return Ok(None) };
    let words = |texts: &[crate::model::Text<'_>]| list::<String>(texts);
    let source = |source: &OrderSource<'_>| {
        sdk::PurchaseOrderDataSource::builder()
            .set_einvoice_delivery_document_type(source.einvoice_delivery_document_type.given().map(Into::into))
            .set_purchase_order_data_source_type(source.purchase_order_data_source_type.given().map(Into::into))
            .build()
    };
    let documents = words(&delivery.einvoice_delivery_document_types).unwrap_or_default();
    let attachments = words(&delivery.einvoice_delivery_attachment_types);
    let activation = delivery.einvoice_delivery_activation_date.and_then(crate::vendors::aws::moment);
    sdk::EinvoiceDeliveryPreference::builder()
        .set_einvoice_delivery_document_types(Some(documents.iter().map(|word| word.as_str().into()).collect()))
        .set_einvoice_delivery_attachment_types(attachments.map(|words| words.iter().map(|word| word.as_str().into()).collect()))
        .protocol(delivery.protocol.given().unwrap_or("CXML").into())
        .set_purchase_order_data_sources(Some(delivery.purchase_order_data_sources.iter().map(source).collect()))
        .connection_testing_method(delivery.connection_testing_method.as_str().into())
        .set_einvoice_delivery_activation_date(activation.map(|moment| DateTime::from_secs(moment.as_second())))
        .build()
        .map(Some)
}

fn punch_out(wanted: &Preference<'_>) -> Option<sdk::MarketplacePunchOutPreference> {
    wanted.marketplace_punch_out_preference.as_ref().map(|preference| {
        let redirect = given(&preference.approval_request_redirect_url);
        sdk::MarketplacePunchOutPreference::builder().set_approval_request_redirect_url(redirect).build()
    })
}

fn contacts(wanted: &Preference<'_>) -> Vec<sdk::Contact> {
    let contact =
        |contact: &Contact<'_>| sdk::Contact::builder().set_name(given(&contact.name)).set_email(given(&contact.email)).build();
    wanted.contacts.iter().map(contact).collect()
}
