//! The configuration: defaults, then the file, then the environment. What a setting means stands in `payables init`.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use config::{Environment, File, FileFormat};
use schemars::{JsonSchema, Schema, generate::SchemaSettings};
use serde::{Deserialize, Serialize};

use crate::adapter::Payees;
use crate::outcome::Exit;
use crate::rules::{self, Levels};
use crate::secrets;
use crate::vendors::tipalti::{self, MAX_BATCH, Spelling, Tipalti};
use crate::vendors::{SettingsError, VendorKind};
use crate::wire::Secret;

/// The file that is looked for when none is named.
pub const FILE_NAME: &str = "payables.toml";

/// The targets that are there when no file names any.
const BUILT_IN: [(&str, VendorKind); 3] =
    [("tipalti", VendorKind::Tipalti), ("amazon", VendorKind::AmazonVendor), ("aws", VendorKind::AwsInvoicing)];

/// A configuration as it was read; targets are looked at when they are asked for.
#[derive(Debug)]
pub struct Configuration {
    targets: BTreeMap<String, config::Value>,
    /// The file, for messages.
    file: Option<PathBuf>,
}

fn wrong<T>(message: impl Into<String>) -> Result<T, SettingsError> {
    Err(SettingsError { message: message.into(), exit: Exit::Config })
}

impl Configuration {
    /// Reads the file that is named, else the one in the working directory when there is one, and the environment.
    ///
    /// # Errors
    /// When the file is not there, cannot be read, or is no configuration.
    pub fn load(named: Option<&Path>) -> Result<Self, SettingsError> {
        let file = match named {
            Some(path) => Some(path.to_owned()),
            None => Some(PathBuf::from(FILE_NAME)).filter(|path| path.exists()),
        };
        let mut builder = config::Config::builder();
        if let Some(file) = &file {
            let text = match std::fs::read_to_string(file) {
                Ok(text) => text,
                Err(error) => return wrong(format!("{}: {error}", file.display())),
            };
            builder = builder.add_source(File::from_str(&text, FileFormat::Toml));
        }
        let environment = Environment::with_prefix("PAYABLES").prefix_separator("__").separator("__").try_parsing(true);
        let place = file.as_ref().map_or_else(|| "the environment".to_owned(), |file| file.display().to_string());
        let refuse = |error: config::ConfigError| SettingsError { message: format!("{place}: {error}"), exit: Exit::Config };
        let table: BTreeMap<String, config::Value> =
            builder.add_source(environment).build().and_then(config::Config::try_deserialize).map_err(refuse)?;
        for key in table.keys() {
            if key != "targets" && key != "journal" {
                return wrong(format!("{place}: `{key}` is not a setting; there are [journal] and [targets.NAME]"));
            }
        }
        let targets = match table.get("targets") {
            Some(targets) => targets.clone().try_deserialize().map_err(refuse)?,
            None => BTreeMap::new(),
        };
        Ok(Self { targets, file })
    }

    /// The target of a name.
    ///
    /// # Errors
    /// When there is none, or its settings are wrong.
    pub fn target(&self, name: &str) -> Result<Target, SettingsError> {
        let built_in = BUILT_IN.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind);
        let value = self.targets.get(name);
        let written = value.and_then(|value| value.clone().into_table().ok()).and_then(|table| table.get("kind").cloned());
        let kind = match written.map(config::Value::into_string) {
            Some(Ok(word)) => match VendorKind::from_word(&word) {
                Some(kind) => kind,
                None => {
                    return wrong(format!("targets.{name}.kind: {word:?} is not one of: tipalti amazon-vendor aws-invoicing"));
                }
            },
            Some(Err(error)) => return wrong(format!("targets.{name}.kind: {error}")),
            None if built_in.is_some() => built_in.unwrap_or(VendorKind::Tipalti),
            None if value.is_some() => return wrong(format!("targets.{name}: `kind` is missing; say kind = \"tipalti\"")),
            None => return Err(SettingsError { message: self.no_target(name), exit: Exit::Usage }),
        };
        match kind {
            VendorKind::Tipalti => {
                let settings = match value {
                    Some(value) => value.clone().try_deserialize().map_err(|error| self.refuse(name, &error))?,
                    None => TipaltiSettings::default(),
                };
                Ok(Target { name: name.to_owned(), settings: settings.checked(name)? })
            }
            VendorKind::AwsInvoicing => {
                let message = format!("{name} is a target for AWS Invoicing, which takes no documents; it is not for `--to`");
                Err(SettingsError { message, exit: Exit::Usage })
            }
            VendorKind::AmazonVendor => {
                let message = format!("{name} is a target for Amazon vendors, which this version cannot send to yet");
                Err(SettingsError { message, exit: Exit::Usage })
            }
        }
    }

    fn refuse(&self, name: &str, error: &config::ConfigError) -> SettingsError {
        let file = self.file.as_ref().map_or_else(String::new, |file| format!("{}: ", file.display()));
        SettingsError { message: format!("{file}targets.{name}: {error}"), exit: Exit::Config }
    }

    fn no_target(&self, name: &str) -> String {
        let mut names: Vec<&str> = self.targets.keys().map(String::as_str).chain(BUILT_IN.map(|(name, _)| name)).collect();
        names.sort_unstable();
        names.dedup();
        format!("there is no target {name:?}; there are: {}", names.join(" "))
    }
}

/// A target that documents can be sent to.
#[derive(Debug, Clone)]
pub struct Target {
    /// Its name.
    pub name: String,
    /// Its settings.
    pub settings: TipaltiSettings,
}

/// Production, or the vendor's own sandbox.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum VendorEnvironment {
    /// Where the money is.
    #[default]
    Production,
    /// Where it is not.
    Sandbox,
}

/// What to do where a default would undo what a person did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OnMissing {
    /// Hold the document.
    #[default]
    Hold,
    /// Send the default.
    Default,
}

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
    pub batch_size: usize,
    /// Calls in flight, 1 to 64.
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
            kind: VendorKind::Tipalti.word().to_owned(),
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
    fn checked(self, name: &str) -> Result<Self, SettingsError> {
        let at = |key: &str| format!("targets.{name}.{key}");
        if !(1..=MAX_BATCH).contains(&self.batch_size) {
            return wrong(format!("{}: {} is not between 1 and {MAX_BATCH}", at("batch_size"), self.batch_size));
        }
        if !(1..=64).contains(&self.concurrency) {
            return wrong(format!("{}: {} is not between 1 and 64", at("concurrency"), self.concurrency));
        }
        if self.requests_per_second == Some(0) || self.burst == 0 || self.timeout_s == 0 {
            return wrong(format!("targets.{name}: requests_per_second, burst and timeout_s are at least 1"));
        }
        if self.replay_after_s > 3600 || self.timeout_s > 3600 || self.quarantine_s > 86_400 {
            return wrong(format!("targets.{name}: timeout_s and replay_after_s are at most 3600, quarantine_s at most 86400"));
        }
        if let Some(payer_name) = &self.payer_name
            && (payer_name.is_empty() || payer_name.chars().count() > 50 || payer_name.chars().any(char::is_control))
        {
            return wrong(format!("{}: {payer_name:?} is not a payer's name (1 to 50 characters)", at("payer_name")));
        }
        let is_version = self
            .api_version
            .strip_prefix('v')
            .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()));
        if !is_version {
            return wrong(format!("{}: {:?} is not a version such as v6", at("api_version"), self.api_version));
        }
        if let Some(endpoint) = &self.endpoint {
            check_endpoint(&at("endpoint"), endpoint)?;
        }
        for rule in self.rules.keys() {
            match rules::find(rule) {
                Some(known) if known.code == rule && known.adjustable => {}
                Some(known) if known.code == rule => {
                    return wrong(format!("{}: the level of {rule} cannot be changed", at("rules")));
                }
                _ => return wrong(format!("{}: {rule:?} is not a rule; `payables explain` lists them", at("rules"))),
            }
        }
        Ok(self)
    }

    /// The adapter.
    pub fn adapter(&self) -> Tipalti {
        let mut units = crate::mappings::tipalti_units();
        units.extend(self.units.clone());
        let sandbox = self.environment == VendorEnvironment::Sandbox;
        Tipalti {
            payer_name: self.payer_name.clone().unwrap_or_default(),
            endpoint: self.endpoint.clone().unwrap_or_else(|| tipalti::endpoint(sandbox, &self.api_version)),
            payer_entity: self.payer_entity.clone().unwrap_or_default(),
            several_entities: self.several_entities,
            several_gl_accounts: self.several_gl_accounts,
            batch_size: self.batch_size,
            external_id_spelling: self.external_id_spelling,
            units,
        }
    }

    /// The payees that are known, from their file.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn payees(&self) -> Result<Option<HashSet<String>>, SettingsError> {
        let Some(path) = &self.known_payees else { return Ok(None) };
        match std::fs::read_to_string(path) {
            Ok(text) => {
                let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
                Ok(Some(text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()))
            }
            Err(error) => wrong(format!("known_payees: {}: {error}", path.display())),
        }
    }

    /// The payees for a run: all, when new ones are allowed, else the listed ones. A list that is not there means that
    /// nobody is known (`asked`), or that nobody asks.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn guard(&self, allow_new: bool, asked: bool) -> Result<Payees, SettingsError> {
        Ok(match self.payees()? {
            _ if allow_new => Payees::Any,
            Some(listed) => Payees::Listed(listed),
            None if asked => Payees::Listed(HashSet::new()),
            None => Payees::Any,
        })
    }

    /// The master key.
    ///
    /// # Errors
    /// When payer name or key are not set, or the key cannot be had.
    pub fn credentials(&self, name: &str) -> Result<Secret, SettingsError> {
        if self.payer_name.is_none() {
            return wrong(format!("targets.{name}.payer_name is not set; it is the payer's name as Tipalti assigned it"));
        }
        let Some(reference) = &self.master_key else {
            return wrong(format!(
                "targets.{name}.master_key is not set; say where the key is, such as \"env:TIPALTI_MASTER_KEY\""
            ));
        };
        secrets::fetch(&format!("targets.{name}.master_key"), reference).or_else(|error| wrong(error.to_string()))
    }

    /// Calls a second and calls at once.
    pub fn pace(&self) -> (u32, u32) {
        (self.requests_per_second.unwrap_or(CAREFUL_PACE), self.burst)
    }

    /// The longest that a call may take.
    pub fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_s)
    }

    /// The pause before a replay.
    pub fn replay_after(&self) -> Duration {
        Duration::from_secs(self.replay_after_s)
    }
}

/// An address of one's own: https, or plain http to this machine.
fn check_endpoint(at: &str, endpoint: &str) -> Result<(), SettingsError> {
    let Ok(address) = url::Url::parse(endpoint) else { return wrong(format!("{at}: {endpoint:?} is not an address")) };
    if !address.username().is_empty() || address.password().is_some() {
        return wrong(format!("{at}: an address has no user and no password in it"));
    }
    let is_loopback = match address.host() {
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        Some(url::Host::Domain(domain)) => domain == "localhost",
        None => false,
    };
    match address.scheme() {
        "https" => Ok(()),
        "http" if is_loopback => Ok(()),
        "http" => wrong(format!("{at}: plain http goes to this machine only; the key would be readable on the way. Write https")),
        scheme => wrong(format!("{at}: {scheme:?} is not https")),
    }
}

/// The whole file, for its schema.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "a shape, never a value")]
#[schemars(title = "payables.toml", deny_unknown_fields)]
struct ConfigFile {
    /// Where the journal is.
    #[serde(default)]
    journal: Option<JournalSettings>,
    /// The targets by their names.
    #[serde(default)]
    targets: BTreeMap<String, TipaltiSettings>,
}

/// `[journal]`
#[derive(JsonSchema)]
#[expect(dead_code, reason = "a shape, never a value")]
#[schemars(deny_unknown_fields)]
struct JournalSettings {
    /// `sqlite:FILE` or `postgres://…`
    #[serde(default)]
    url: Option<String>,
}

/// The JSON Schema of `payables.toml`.
pub fn config_schema() -> Schema {
    SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<ConfigFile>()
}
