//! Invoice units: from the SDK's types to ours and back. Tags, which preferences have as well, are at the end.

use aws_sdk_invoicing::types as sdk;
use aws_smithy_types::DateTime;

use super::ask::pages;
use super::{Account, Kept, Trouble, given, list, moment, text, texts, told};
use crate::model::Given;
use crate::vendors::aws::{Call, Held, InvoiceUnit, Meaning, Rule, Secrets, Tags};

impl Kept for InvoiceUnit<'_> {
    async fn all(account: &Account) -> Result<Vec<Held<Self>>, Trouble> {
        let units = pages(async |next| {
            let question = account.client.list_invoice_units().max_results(100).set_next_token(next);
            let answer = account.ask(|| question.clone().send()).await?;
            Ok((answer.invoice_units.unwrap_or_default(), answer.next_token))
        });
        let mut all = Vec::new();
        for unit in units.await? {
            let mut held = held(unit);
            held.content.resource_tags = Some(account.tags(held.arn()).await?);
            all.push(held);
        }
        Ok(all)
    }

    async fn get(account: &Account, arn: &str) -> Result<Option<Held<Self>>, Trouble> {
        let question = account.client.get_invoice_unit().invoice_unit_arn(arn);
        match account.ask(|| question.clone().send()).await {
            Ok(answer) => {
                let unit = sdk::InvoiceUnit::builder()
                    .set_invoice_unit_arn(answer.invoice_unit_arn.or_else(|| Some(arn.to_owned())))
                    .set_invoice_receiver(answer.invoice_receiver)
                    .set_name(answer.name)
                    .set_description(answer.description)
                    .set_tax_inheritance_disabled(answer.tax_inheritance_disabled)
                    .set_rule(answer.rule)
                    .set_last_modified(answer.last_modified);
                let mut held = held(unit.build());
                held.content.resource_tags = Some(account.tags(arn).await?);
                Ok(Some(held))
            }
            Err(trouble) if trouble.meaning() == Some(Meaning::Missing) => Ok(None),
            Err(trouble) => Err(trouble),
        }
    }

    async fn call(account: &Account, call: &Call<'_, Self>, _: Secrets<'_>, token: &str) -> Result<Option<String>, Trouble> {
        let client = &account.client;
        match call {
            Call::Create(wanted) => {
                let mut request = client
                    .create_invoice_unit()
                    .name(wanted.name.to_string())
                    .invoice_receiver(wanted.invoice_receiver.to_string())
                    .set_description(given(&wanted.description))
                    .set_tax_inheritance_disabled(*wanted.tax_inheritance_disabled)
                    .rule(rule(&wanted.rule))
                    .client_token(token);
                for (name, value) in wanted.resource_tags.iter().flat_map(|tags| &tags.0) {
                    request = request.resource_tags(tag(name, value)?);
                }
                told(account.ask(|| request.clone().send()).await?.invoice_unit_arn.unwrap_or_default())
            }
            Call::Change(arn, wanted) => {
                // All of it is said, also what is not given: what is left out stays as it is.
                let request = client
                    .update_invoice_unit()
                    .invoice_unit_arn(*arn)
                    .description(wanted.description.to_string())
                    .tax_inheritance_disabled(wanted.tax_inheritance_disabled.unwrap_or(false))
                    .rule(rule(&wanted.rule))
                    .client_token(token);
                told(account.ask(|| request.clone().send()).await?.invoice_unit_arn.unwrap_or_default())
            }
            Call::Delete(arn) => {
                let request = client.delete_invoice_unit().invoice_unit_arn(*arn).client_token(token);
                account.ask(|| request.clone().send()).await?;
                Ok(None)
            }
            Call::Tag(arn, tags) => account.tag(arn, tags).await.map(|()| None),
            Call::Untag(arn, names) => account.untag(arn, names).await.map(|()| None),
        }
    }
}

fn held(unit: sdk::InvoiceUnit) -> Held<InvoiceUnit<'static>> {
    let rule = unit.rule.map(|rule| Rule {
        linked_accounts: texts(rule.linked_accounts()),
        bill_source_accounts: texts(rule.bill_source_accounts()),
    });
    let changed = |time: DateTime| ("changed_at", moment(&time));
    Held {
        content: InvoiceUnit {
            arn: text(unit.invoice_unit_arn.unwrap_or_default()),
            name: text(unit.name.unwrap_or_default()),
            invoice_receiver: text(unit.invoice_receiver.unwrap_or_default()),
            description: text(unit.description.unwrap_or_default()),
            tax_inheritance_disabled: Given(unit.tax_inheritance_disabled),
            rule: rule.unwrap_or_default(),
            resource_tags: None,
        },
        secrets: Vec::new(),
        version: None,
        statuses: Vec::new(),
        facts: unit.last_modified.map(changed).into_iter().collect(),
    }
}

fn rule(rule: &Rule<'_>) -> sdk::InvoiceUnitRule {
    sdk::InvoiceUnitRule::builder()
        .set_linked_accounts(list(&rule.linked_accounts))
        .set_bill_source_accounts(list(&rule.bill_source_accounts))
        .build()
}

pub(super) fn tag(name: &str, value: &str) -> Result<sdk::ResourceTag, Trouble> {
    let tag = sdk::ResourceTag::builder().key(name).value(value).build();
    tag.map_err(|error| Trouble::NotSent(format!("the request cannot be made: {error}")))
}

impl Account {
    /// The tags of a resource, by name.
    pub(super) async fn tags(&self, arn: &str) -> Result<Tags<'static>, Trouble> {
        let question = self.client.list_tags_for_resource().resource_arn(arn);
        match self.ask(|| question.clone().send()).await {
            Ok(answer) => {
                let mut tags = answer.resource_tags.unwrap_or_default();
                tags.sort_by(|one, other| one.key.cmp(&other.key));
                Ok(Tags(tags.into_iter().map(|tag| (text(tag.key), text(tag.value))).collect()))
            }
            // It may be gone since it was seen.
            Err(trouble) if trouble.meaning() == Some(Meaning::Missing) => Ok(Tags::default()),
            Err(trouble) => Err(trouble),
        }
    }

    pub(super) async fn tag(&self, arn: &str, tags: &[(String, String)]) -> Result<(), Trouble> {
        let mut request = self.client.tag_resource().resource_arn(arn);
        for (name, value) in tags {
            request = request.resource_tags(tag(name, value)?);
        }
        self.ask(|| request.clone().send()).await.map(|_| ())
    }

    pub(super) async fn untag(&self, arn: &str, names: &[String]) -> Result<(), Trouble> {
        let request = self.client.untag_resource().resource_arn(arn).set_resource_tag_keys(Some(names.to_vec()));
        self.ask(|| request.clone().send()).await.map(|_| ())
    }
}
