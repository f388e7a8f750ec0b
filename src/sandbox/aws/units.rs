//! The invoice units.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::refusal::Refusal;
use super::{ACCOUNT, Answer, Asked, Tags, one_page, read_tags, text};

const ARN: &str = "InvoiceUnitArn";

/// All units, by their ARNs.
#[derive(Clone, Default)]
pub(super) struct Units {
    all: BTreeMap<String, (Map<String, Value>, Tags)>,
    made: u64,
}

impl Units {
    pub(super) fn create(&mut self, asked: &Asked, now: i64) -> Answer {
        let identity = |unit: &Map<String, Value>| [unit.get("Name").cloned(), unit.get("InvoiceReceiver").cloned()];
        if self.all.values().any(|(unit, _)| identity(unit) == identity(asked)) {
            return Err(Refusal::invalid("duplicateInvoiceUnit", "There is an invoice unit of this name."));
        }
        self.check_accounts(asked, "")?;
        self.made += 1;
        let arn = format!("arn:aws:invoicing::{ACCOUNT}:invoice-unit/unit-{:08x}", self.made);
        let mut unit = asked.clone();
        unit.remove("ResourceTags");
        unit.insert(ARN.to_owned(), arn.clone().into());
        unit.insert("LastModified".to_owned(), now.into());
        self.all.insert(arn.clone(), (unit, read_tags(asked)));
        Ok(json!({ ARN: arn }))
    }

    pub(super) fn get(&self, asked: &Asked) -> Answer {
        let (unit, _) = self.all.get(text(asked, ARN)).ok_or_else(|| Refusal::missing(text(asked, ARN)))?;
        Ok(Value::Object(unit.clone()))
    }

    pub(super) fn update(&mut self, asked: &Asked, now: i64) -> Answer {
        let arn = text(asked, ARN);
        if !self.all.contains_key(arn) {
            return Err(Refusal::missing(arn));
        }
        self.check_accounts(asked, arn)?;
        if let Some((unit, _)) = self.all.get_mut(arn) {
            unit.extend(asked.clone());
            unit.insert("LastModified".to_owned(), now.into());
        }
        Ok(json!({ ARN: arn }))
    }

    pub(super) fn delete(&mut self, asked: &Asked) -> Answer {
        let arn = text(asked, ARN);
        self.all.remove(arn).ok_or_else(|| Refusal::missing(arn))?;
        Ok(json!({ ARN: arn }))
    }

    pub(super) fn list(&self, asked: &Asked) -> Answer {
        let filters = asked.get("Filters");
        let wanted = |name: &str| filters.and_then(|filters| filters.get(name)).and_then(Value::as_array);
        let matches = |unit: &Map<String, Value>| {
            let one_of = |filter: &str, member: &str| {
                wanted(filter).is_none_or(|list| unit.get(member).is_some_and(|value| list.contains(value)))
            };
            let any_of = |filter: &str, list: &str| {
                wanted(filter).is_none_or(|wanted| accounts(unit, list).any(|account| wanted.iter().any(|one| one == account)))
            };
            one_of("Names", "Name")
                && one_of("InvoiceReceivers", "InvoiceReceiver")
                && any_of("Accounts", "LinkedAccounts")
                && any_of("BillSourceAccounts", "BillSourceAccounts")
        };
        let found = self.all.values().filter(|(unit, _)| matches(unit)).map(|(unit, _)| Value::Object(unit.clone()));
        one_page(asked, "InvoiceUnits", 500, found.collect())
    }

    pub(super) fn tags(&mut self, arn: &str) -> Option<&mut Tags> {
        self.all.get_mut(arn).map(|(_, tags)| tags)
    }

    /// An account belongs to one unit at most.
    fn check_accounts(&self, asked: &Asked, own: &str) -> Result<(), Refusal> {
        let others = || self.all.iter().filter(|(arn, _)| *arn != own).map(|(_, (unit, _))| unit);
        let is_taken = |account: &str| others().any(|unit| accounts(unit, "LinkedAccounts").any(|other| other == account));
        if accounts(asked, "LinkedAccounts").any(is_taken) {
            return Err(Refusal::invalid("mutualExclusionError", "An account is in another invoice unit."));
        }
        Ok(())
    }
}

fn accounts<'u>(unit: &'u Map<String, Value>, list: &str) -> impl Iterator<Item = &'u str> {
    unit.get("Rule").and_then(|rule| rule.get(list)).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}
