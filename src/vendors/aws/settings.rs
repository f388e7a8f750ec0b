//! The settings of a target, as `[targets.NAME]` has them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::outcome::Exit;
use crate::rules::Levels;
use crate::vendors::SettingsError;

/// The settings of `[targets.NAME]` with `kind = "aws-invoicing"`. Credentials come from the ordinary chain of AWS: environment,
/// profile, single sign-on, container, instance role.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AwsSettings {
    /// Always `aws-invoicing`.
    #[schemars(extend("const" = "aws-invoicing"))]
    pub kind: String,
    /// The profile of `~/.aws/config`; the usual one when it is not given.
    pub profile: Option<String>,
    /// The region, for an endpoint of one's own; AWS itself has one place for all regions.
    pub region: Option<String>,
    /// Where requests go instead of AWS, a base URL; plain http only to this machine.
    pub endpoint: Option<String>,
    /// The longest that a request may take, in seconds.
    pub timeout_s: u64,
    /// How long an intent that was not seen to its end is repeated with the token that it was begun with, in seconds. AWS does
    /// not say how long it knows a token.
    pub token_window_s: u64,
    /// Levels of rules by their code: `error`, `warn` or `off`.
    pub rules: Levels,
}

impl Default for AwsSettings {
    fn default() -> Self {
        Self {
            kind: "aws-invoicing".to_owned(),
            profile: None,
            region: None,
            endpoint: None,
            timeout_s: 30,
            token_window_s: 600,
            rules: Levels::default(),
        }
    }
}

impl AwsSettings {
    /// Takes what is empty as not given.
    pub fn normalise(&mut self) {
        for setting in [&mut self.profile, &mut self.region, &mut self.endpoint] {
            *setting = setting.take().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        }
    }

    /// Checks what the types cannot.
    ///
    /// # Errors
    /// When a setting is out of its range.
    pub fn check(&self, name: &str) -> Result<(), SettingsError> {
        let ranges = [("timeout_s", self.timeout_s, 1..=3600), ("token_window_s", self.token_window_s, 0..=86_400)];
        for (setting, value, range) in ranges {
            if !range.contains(&value) {
                let message = format!("targets.{name}.{setting}: {value} is not between {} and {}", range.start(), range.end());
                return Err(SettingsError { message, exit: Exit::Config });
            }
        }
        Ok(())
    }
}
