//! The settings of a target, as `[targets.NAME]` has them, and what of them decides what goes on the wire.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{MAX_BATCH, Spelling, Tipalti, endpoint};
use crate::outcome::Exit;
use crate::rules::Levels;
use crate::vendors::{Connection, OnMissing, SettingsError, VendorEnvironment};

/// The settings of `[targets.NAME]` with `kind = "tipalti"`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TipaltiSettings {
    /// Always `tipalti`.
    pub kind: String,
    /// Production, or Tipalti's own sandbox.
    pub environment: VendorEnvironment,
    /// The version in the address of the API.
    pub api_version: String,
    /// The payer's name as Tipalti assigned it, at most 50 characters, letter case included.
    pub payer_name: Option<String>,
    /// Where the master key is: `env:NAME`, `file:PATH` or `cmd:COMMAND`.
    pub master_key: Option<String>,
    /// The payer's entity when a document names none.
    pub payer_entity: Option<String>,
    /// A file with one payee id a line; orders for others are held.
    pub known_payees: Option<PathBuf>,
    /// Whether the payer has several entities: then every order must name one.
    pub several_entities: bool,
    /// Whether the payer has several GL accounts: then every line must name one.
    pub several_gl_accounts: bool,
    /// What to do where a default would undo what a person did.
    pub on_missing: OnMissing,
    /// Orders in one call, 1 to 250.
    #[schemars(range(min = 1, max = 250))]
    pub batch_size: usize,
    /// Calls in flight, 1 to 64.
    #[schemars(range(min = 1, max = 64))]
    pub concurrency: usize,
    /// Calls a second, at least 1.
    pub requests_per_second: Option<u32>,
    /// Calls at once before the pace holds, at least 1.
    pub burst: u32,
    /// The longest that a call may take, in seconds.
    pub timeout_s: u64,
    /// The pause before a call in doubt is replayed, in seconds.
    pub replay_after_s: u64,
    /// How long a document in doubt rests before anything newer is sent for it, in seconds.
    pub quarantine_s: u64,
    /// `documented`: AccountExternalID; `schema`: AccountExternalId.
    pub external_id_spelling: Spelling,
    /// Names in Tipalti for UN/ECE Recommendation 20 codes, laid over the built-in ones.
    pub units: BTreeMap<String, String>,
    /// Where calls go instead of Tipalti; plain http only to this machine.
    pub endpoint: Option<String>,
    /// Levels of rules by their code: `error`, `warn` or `off`.
    pub rules: Levels,
}

impl Default for TipaltiSettings {
    fn default() -> Self {
        Self {
            kind: "tipalti".to_owned(),
            environment: VendorEnvironment::Production,
            api_version: "v6".to_owned(),
            payer_name: None,
            master_key: None,
            payer_entity: None,
            known_payees: None,
            several_entities: false,
            several_gl_accounts: false,
            on_missing: OnMissing::Hold,
            batch_size: 50,
            concurrency: 1,
            requests_per_second: None,
            burst: 1,
            timeout_s: 120,
            replay_after_s: 30,
            quarantine_s: 600,
            external_id_spelling: Spelling::Documented,
            units: BTreeMap::new(),
            endpoint: None,
            rules: Levels::new(),
        }
    }
}

/// Calls a second where the configuration says nothing: Tipalti publishes no limit.
const CAREFUL_PACE: u32 = 1;

impl TipaltiSettings {
    /// Codes are capital letters; the environment brings them in small ones. An empty text is a setting that is not given.
    pub fn normalise(&mut self) {
        let upper = |code: String| code.to_ascii_uppercase();
        self.units = std::mem::take(&mut self.units).into_iter().map(|(code, name)| (upper(code), name)).collect();
        self.rules = std::mem::take(&mut self.rules).into_iter().map(|(code, level)| (upper(code), level)).collect();
        for text in [&mut self.payer_entity, &mut self.endpoint, &mut self.master_key, &mut self.payer_name] {
            *text = text.take().filter(|text| !text.is_empty());
        }
        self.known_payees = self.known_payees.take().filter(|path| !path.as_os_str().is_empty());
    }

    /// Checks what the types cannot; `name` is the target's, for messages.
    ///
    /// # Errors
    /// When a setting is out of its range.
    pub fn check(&self, name: &str) -> Result<(), SettingsError> {
        let wrong =
            |key: &str, says: String| Err(SettingsError { message: format!("targets.{name}.{key}: {says}"), exit: Exit::Config });
        if !(1..=MAX_BATCH).contains(&self.batch_size) {
            return wrong("batch_size", format!("{} is not between 1 and {MAX_BATCH}", self.batch_size));
        }
        if let Some(payer_name) = &self.payer_name
            && (payer_name.is_empty() || payer_name.chars().count() > 50 || payer_name.chars().any(char::is_control))
        {
            return wrong("payer_name", format!("{payer_name:?} is not a payer's name (1 to 50 characters)"));
        }
        let digits = self.api_version.strip_prefix('v').unwrap_or_default();
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return wrong("api_version", format!("{:?} is not a version such as v6", self.api_version));
        }
        Ok(())
    }

    /// The adapter.
    pub fn adapter(&self) -> Tipalti {
        let mut units = crate::mappings::tipalti_units();
        units.extend(self.units.clone());
        let sandbox = self.environment == VendorEnvironment::Sandbox;
        Tipalti {
            payer_name: self.payer_name.clone().unwrap_or_default(),
            endpoint: self.endpoint.clone().unwrap_or_else(|| endpoint(sandbox, &self.api_version)),
            payer_entity: self.payer_entity.clone().unwrap_or_default(),
            several_entities: self.several_entities,
            several_gl_accounts: self.several_gl_accounts,
            batch_size: self.batch_size,
            external_id_spelling: self.external_id_spelling,
            on_missing: self.on_missing,
            sandbox,
            units,
        }
    }

    /// What a run needs to know besides.
    pub fn connection(&self) -> Connection<'_> {
        Connection {
            endpoints: vec![("endpoint", self.endpoint.as_deref())],
            account: Some(("payer_name", self.payer_name.as_deref())),
            secrets: vec![("master_key", self.master_key.as_deref())],
            known_payees: self.known_payees.as_deref(),
            rules: &self.rules,
            concurrency: self.concurrency,
            requests_per_second: self.requests_per_second.unwrap_or(CAREFUL_PACE),
            burst: self.burst,
            timeout_s: self.timeout_s,
            replay_after_s: self.replay_after_s,
            quarantine_s: self.quarantine_s,
        }
    }
}
