//! The configuration: defaults, then the file, then the environment. What a setting means stands in `payables init`.

mod aws;

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use config::{Environment, File, FileFormat};
use schemars::{JsonSchema, Schema, generate::SchemaSettings};
use serde::Deserialize;

use crate::adapter::Payees;
use crate::outcome::Exit;
use crate::rules;
use crate::secrets;
use crate::vendors::amazon::AmazonSettings;
use crate::vendors::aws::AwsSettings;
use crate::vendors::tipalti::TipaltiSettings;
use crate::vendors::{Connection, Settings, SettingsError, VendorKind};
use crate::wire::Credentials;

pub use aws::AwsTarget;

/// The file that is looked for when none is named.
pub const FILE_NAME: &str = "payables.toml";

/// The variable that names a file when the command line does not.
pub const FILE_VARIABLE: &str = "PAYABLES_CONFIG";

/// A configuration as it was read; targets are looked at when they are asked for.
#[derive(Debug)]
pub struct Configuration {
    targets: BTreeMap<String, config::Value>,
    /// Where it was read from, for messages.
    place: String,
    folder: Option<PathBuf>,
    journal: Option<String>,
}

/// The journal when nothing is said of it.
const JOURNAL: &str = "sqlite:payables.db";

fn wrong<T>(message: impl Into<String>) -> Result<T, SettingsError> {
    Err(SettingsError { message: message.into(), exit: Exit::Config })
}

impl Configuration {
    /// Reads the file that is named, else the one in the working directory when there is one, and the environment.
    ///
    /// # Errors
    /// When the file is not there, cannot be read, or is no configuration.
    pub fn load(named: Option<&Path>) -> Result<Self, SettingsError> {
        let from_environment = std::env::var_os(FILE_VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from);
        let file = match named.map(Path::to_owned).or(from_environment) {
            Some(path) => Some(path),
            None => Some(PathBuf::from(FILE_NAME)).filter(|path| path.exists()),
        };
        let place = file.as_ref().map_or_else(|| "the environment".to_owned(), |file| file.display().to_string());
        let mut builder = config::Config::builder();
        if let Some(file) = &file {
            let text = match std::fs::read_to_string(file) {
                Ok(text) => text,
                Err(error) => return wrong(format!("{place}: {error}")),
            };
            // The error of a reader shows the line, and somebody may have put a secret there.
            if let Err(error) = toml::from_str::<toml::Table>(&text) {
                let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
                let (line, column) =
                    (before.matches('\n').count() + 1, before.rsplit('\n').next().unwrap_or_default().chars().count() + 1);
                return wrong(format!("{place}, line {line}, column {column}: {}", error.message()));
            }
            builder = builder.add_source(File::from_str(&text, FileFormat::Toml));
        }
        let environment = Environment::with_prefix("PAYABLES").prefix_separator("__").separator("__");
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
        let names: Vec<&String> = targets.keys().collect();
        for (at, name) in names.iter().enumerate() {
            if names.iter().skip(at + 1).any(|other| other.eq_ignore_ascii_case(name)) {
                return wrong(format!(
                    "{place}: the environment reaches targets by names in small letters, and [targets.{name}] is not one; rename it"
                ));
            }
        }
        let folder = file.as_deref().and_then(Path::parent).map(Path::to_owned);
        let journal: Option<JournalSettings> = match table.get("journal") {
            Some(journal) => Some(journal.clone().try_deserialize().map_err(refuse)?),
            None => None,
        };
        let journal = journal.and_then(|journal| journal.url).filter(|url| !url.is_empty());
        Ok(Self { targets, place, folder, journal })
    }

    /// The file of the journal: beside the configuration, wherever the run is started from, for another journal knows
    /// nothing of what was sent.
    ///
    /// # Errors
    /// When it is not in a file.
    pub fn journal(&self) -> Result<PathBuf, SettingsError> {
        let url = self.journal.as_deref().unwrap_or(JOURNAL);
        match url.strip_prefix("sqlite:").map(|path| path.strip_prefix("//").unwrap_or(path)) {
            Some(path) if !path.is_empty() => Ok(self.folder.as_deref().unwrap_or_else(|| Path::new("")).join(path)),
            _ if url.starts_with("postgres") => {
                wrong(format!("{}: journal.url: this version keeps its journal in a file, such as {JOURNAL:?}", self.place))
            }
            _ => wrong(format!("{}: journal.url: {url:?} is not a journal; write it such as {JOURNAL:?}", self.place)),
        }
    }

    /// The targets that documents can be sent to, by their names: those of the file, and those that are always there.
    pub fn target_names(&self) -> Vec<String> {
        let built_in = VendorKind::ALL.into_iter().map(|(_, name)| name.to_owned());
        let mut names: Vec<String> = self.targets.keys().cloned().chain(built_in).collect();
        names.sort_unstable();
        names.dedup();
        names.retain(|name| self.kind(name).is_ok_and(|kind| kind.takes_documents().is_ok()));
        names
    }

    /// The targets that documents can be sent to and that somebody wrote down, by their names.
    pub fn written_targets(&self) -> Vec<String> {
        self.target_names().into_iter().filter(|name| self.targets.contains_key(name)).collect()
    }

    /// The target of a name.
    ///
    /// # Errors
    /// When there is none, or its settings are wrong.
    pub fn target(&self, name: &str) -> Result<Target, SettingsError> {
        let kind = self.kind(name)?;
        if let Err(why) = kind.takes_documents() {
            return Err(SettingsError { message: format!("{name}: {why}"), exit: Exit::Usage });
        }
        let settings = match self.targets.get(name) {
            Some(value) => Settings::read(kind, value.clone()).map(Some),
            None => Ok(Settings::of(kind)),
        };
        match settings {
            Ok(Some(mut settings)) => {
                settings.normalise();
                settings.check(name)?;
                let target = Target { name: name.to_owned(), settings, folder: self.folder.clone() };
                target.check_connection()?;
                Ok(target)
            }
            Ok(None) => wrong(format!("targets.{name}: nothing is known of it")),
            Err(error) => wrong(format!("{}: targets.{name}: {error}", self.place)),
        }
    }

    fn kind(&self, name: &str) -> Result<VendorKind, SettingsError> {
        let built_in = VendorKind::ALL.into_iter().find(|(_, known)| *known == name).map(|(kind, _)| kind);
        let value = self.targets.get(name);
        let written = value.and_then(|value| value.clone().into_table().ok()).and_then(|table| table.get("kind").cloned());
        match (written.map(config::Value::into_string), built_in) {
            (Some(Ok(word)), _) => match VendorKind::from_word(&word) {
                Some(kind) => Ok(kind),
                None => {
                    let words = VendorKind::ALL.map(|(kind, _)| kind.word()).join(" ");
                    wrong(format!("targets.{name}.kind: {word:?} is not one of: {words}"))
                }
            },
            (Some(Err(error)), _) => wrong(format!("targets.{name}.kind: {error}")),
            (None, Some(kind)) => Ok(kind),
            (None, None) if value.is_some() => wrong(format!("targets.{name}: `kind` is missing, such as kind = \"tipalti\"")),
            (None, None) => {
                let mut names: Vec<&str> =
                    self.targets.keys().map(String::as_str).chain(VendorKind::ALL.map(|(_, name)| name)).collect();
                names.sort_unstable();
                names.dedup();
                Err(SettingsError {
                    message: format!("there is no target {name:?}; there are: {}", names.join(" ")),
                    exit: Exit::Usage,
                })
            }
        }
    }
}

/// A target that documents can be sent to.
#[derive(Debug, Clone)]
pub struct Target {
    /// Its name.
    pub name: String,
    /// Its settings.
    pub settings: Settings,
    /// The folder of the configuration.
    folder: Option<PathBuf>,
}

impl Target {
    /// How it is reached.
    pub fn connection(&self) -> Connection<'_> {
        self.settings.connection()
    }

    fn check_connection(&self) -> Result<(), SettingsError> {
        let Self { name, .. } = self;
        let connection = self.connection();
        if !(1..=64).contains(&connection.concurrency) {
            return wrong(format!("targets.{name}.concurrency: {} is not between 1 and 64", connection.concurrency));
        }
        if connection.requests_per_second == 0 || connection.burst == 0 || connection.timeout_s == 0 {
            return wrong(format!("targets.{name}: requests_per_second, burst and timeout_s are at least 1"));
        }
        if connection.replay_after_s > 3600 || connection.timeout_s > 3600 || connection.quarantine_s > 86_400 {
            return wrong(format!("targets.{name}: timeout_s and replay_after_s are at most 3600, quarantine_s at most 86400"));
        }
        for (setting, endpoint) in &connection.endpoints {
            if let Some(endpoint) = endpoint {
                check_endpoint(&format!("targets.{name}.{setting}"), endpoint)?;
            }
        }
        check_rules(name, connection.rules)
    }

    /// The payees for a run: all, when new ones are allowed, else the listed ones. Without a list nobody is known when
    /// it matters (`strict`), and otherwise nobody asks.
    ///
    /// # Errors
    /// When the list cannot be read.
    pub fn payees(&self, allow_new: bool, strict: bool) -> Result<Payees, SettingsError> {
        let Some(path) = self.connection().known_payees else {
            return Ok(match (allow_new, strict) {
                (true, _) => Payees::Any,
                (false, true) => Payees::Listed(HashSet::new()),
                (false, false) => Payees::Unchecked,
            });
        };
        // A list that stands beside the configuration is found from wherever the run is started.
        let beside = self.folder.as_ref().map(|folder| folder.join(path)).filter(|path| path.exists());
        let path = beside.as_deref().unwrap_or(path);
        match std::fs::read_to_string(path) {
            Ok(_) if allow_new => Ok(Payees::Any),
            Ok(text) => {
                let lines = text.strip_prefix('\u{feff}').unwrap_or(&text).lines().map(str::trim);
                Ok(Payees::Listed(lines.filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect()))
            }
            Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {
                wrong(format!("targets.{}.known_payees: {} is not UTF-8; save it as UTF-8", self.name, path.display()))
            }
            Err(error) => wrong(format!("targets.{}.known_payees: {}: {error}", self.name, path.display())),
        }
    }

    /// What signs calls, or what a token is fetched with.
    ///
    /// # Errors
    /// When the account or a part of the credentials is not set, or a part cannot be had.
    pub fn credentials(&self) -> Result<Credentials, SettingsError> {
        let Self { name, .. } = self;
        let Connection { account, secrets, .. } = self.connection();
        if let Some((setting, None)) = account {
            return wrong(format!(
                "targets.{name}.{setting} is not set; `payables init` writes a file that says what goes there"
            ));
        }
        let mut parts = Vec::with_capacity(secrets.len());
        for (setting, reference) in secrets {
            let at = format!("targets.{name}.{setting}");
            let Some(reference) = reference else {
                return wrong(format!("{at} is not set; say where it is: env:NAME, file:PATH or cmd:COMMAND"));
            };
            parts.push((setting, secrets::fetch(&at, reference).or_else(|error| wrong(error.to_string()))?));
        }
        Ok(Credentials::new(parts))
    }
}

/// Levels are for rules that there are, and that may have another one.
fn check_rules(name: &str, levels: &rules::Levels) -> Result<(), SettingsError> {
    for code in levels.keys() {
        match rules::find(code) {
            Some(rule) if rule.code == code && rule.adjustable => {}
            Some(rule) if rule.code == code => {
                return wrong(format!("targets.{name}.rules: the level of {code} cannot be changed"));
            }
            _ => return wrong(format!("targets.{name}.rules: {code:?} is not a rule; `payables explain` lists them")),
        }
    }
    Ok(())
}

/// An address of one's own: https, or plain http to this machine.
fn check_endpoint(at: &str, endpoint: &str) -> Result<(), SettingsError> {
    let Ok(address) = url::Url::parse(endpoint) else { return wrong(format!("{at}: {endpoint:?} is not an address")) };
    if !address.username().is_empty() || address.password().is_some() {
        return wrong(format!("{at}: an address has no user and no password in it"));
    }
    if address.fragment().is_some() {
        return wrong(format!("{at}: an address has no # in it"));
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

/// Where documents go, and how they are sent there.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "a shape, never a value")]
#[schemars(title = "payables.toml", deny_unknown_fields)]
struct ConfigFile {
    /// Where the journal is.
    #[serde(default)]
    journal: Option<JournalSettings>,
    /// The targets by their names.
    #[serde(default)]
    targets: BTreeMap<String, TargetShape>,
}

/// The settings of a target.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "a shape, never a value")]
#[serde(untagged)]
enum TargetShape {
    /// Tipalti.
    Tipalti(Box<TipaltiSettings>),
    /// Amazon for vendors.
    AmazonVendor(Box<AmazonSettings>),
    /// AWS Invoicing.
    AwsInvoicing(Box<AwsSettings>),
}

/// `[journal]`
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct JournalSettings {
    /// `sqlite:FILE`; the file lies beside the configuration, or where its path says.
    #[serde(default)]
    url: Option<String>,
}

/// The JSON Schema of `payables.toml`.
pub fn config_schema() -> Schema {
    SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<ConfigFile>()
}
