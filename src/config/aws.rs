//! The target of AWS Invoicing: nothing is sent there, so it is read apart from the others.

use std::time::Duration;

use serde::Deserialize;

use super::{Configuration, check_endpoint, check_rules, wrong};
use crate::adapter::Scope;
use crate::outcome::Exit;
use crate::secrets;
use crate::vendors::aws::AwsSettings;
use crate::vendors::{SettingsError, VendorKind};
use crate::wire::Secret;

/// A target whose preferences and invoice units are kept as files.
#[derive(Debug, Clone)]
pub struct AwsTarget {
    /// Its name.
    pub name: String,
    /// Its settings.
    pub settings: AwsSettings,
}

impl Configuration {
    /// All targets of this kind whose settings make sense, also the one that is always there.
    pub fn aws_targets(&self) -> Vec<AwsTarget> {
        let usual = VendorKind::ALL.into_iter().map(|(_, name)| name.to_owned());
        let names: std::collections::BTreeSet<String> = self.targets.keys().cloned().chain(usual).collect();
        names.iter().filter_map(|name| self.aws_target(Some(name)).ok()).collect()
    }

    /// The target of a name; without one, the only one of its kind that somebody wrote down, or else the one that is always
    /// there.
    ///
    /// # Errors
    /// When there is none, when there are several, or its settings are wrong.
    pub fn aws_target(&self, name: Option<&str>) -> Result<AwsTarget, SettingsError> {
        let is_aws = |kind: VendorKind| kind.takes_documents().is_err();
        let written: Vec<&String> = self.targets.keys().filter(|name| self.kind(name).is_ok_and(is_aws)).collect();
        let usage = |message: String| Err(SettingsError { message, exit: Exit::Usage });
        let name = match (name, written.as_slice()) {
            (Some(name), _) => name,
            (None, [only]) => only.as_str(),
            (None, []) => VendorKind::ALL.into_iter().find(|(kind, _)| is_aws(*kind)).map_or("", |(_, name)| name),
            (None, several) => {
                let names: Vec<&str> = several.iter().map(|name| name.as_str()).collect();
                return usage(format!("there are several targets of this kind; say --to with one of: {}", names.join(" ")));
            }
        };
        let kind = self.kind(name)?;
        if !is_aws(kind) {
            return usage(format!("{name} is a target of the kind {}; this command is for AWS Invoicing", kind.word()));
        }
        let mut settings = match self.targets.get(name) {
            Some(value) => match AwsSettings::deserialize(value.clone()) {
                Ok(settings) => settings,
                Err(error) => return wrong(format!("{}: targets.{name}: {error}", self.place)),
            },
            None => AwsSettings::default(),
        };
        settings.normalise();
        settings.check(name)?;
        if let Some(endpoint) = &settings.endpoint {
            check_endpoint(&format!("targets.{name}.endpoint"), endpoint)?;
        }
        check_rules(name, &settings.rules)?;
        Ok(AwsTarget { name: name.to_owned(), settings })
    }
}

/// What the environment says.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

impl AwsTarget {
    /// Where requests go, for the journal. Which account that is, the profile decides.
    pub fn scope(&self) -> Scope {
        Scope {
            kind: self.settings.kind.clone(),
            environment: "production".to_owned(),
            endpoint: self.endpoint().unwrap_or_default(),
            account: self.profile().unwrap_or_default(),
        }
    }

    /// The endpoint, if it is not AWS's usual one. What the settings leave open, the environment says.
    pub fn endpoint(&self) -> Option<String> {
        let set = || variable("AWS_ENDPOINT_URL_INVOICING").or_else(|| variable("AWS_ENDPOINT_URL"));
        self.settings.endpoint.clone().or_else(set)
    }

    /// The profile, if it is not the usual one.
    pub fn profile(&self) -> Option<String> {
        self.settings.profile.clone().or_else(|| variable("AWS_PROFILE"))
    }

    /// The longest that a request may take.
    pub fn timeout(&self) -> Duration {
        Duration::from_secs(self.settings.timeout_s)
    }

    /// What a reference in a file stands for; `field` is where it stands, for messages.
    ///
    /// # Errors
    /// When it cannot be had. The message repeats nothing of the secret.
    pub fn secret(field: &str, reference: &str) -> Result<Secret, String> {
        secrets::fetch(field, reference).map_err(|error| error.to_string())
    }
}
