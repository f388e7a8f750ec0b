//! The settings of a target, as `[targets.NAME]` has them, and what of them decides what goes on the wire.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::{TimeZone, TimeZoneDatabase};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Amazon;
use super::map::Words;
use super::sign::{PARTS, TOKEN_ENDPOINT};
use crate::model::{Address, Party, Path, TaxRegistration, TaxRegistrationType, check_details};
use crate::outcome::Exit;
use crate::rules::{Level, Levels};
use crate::vendors::{Connection, SettingsError, VendorEnvironment};

/// A region of the Selling Partner API.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Region {
    /// North and South America.
    #[default]
    Na,
    /// Europe, Africa, the Middle East and India.
    Eu,
    /// The Far East and Australia.
    Fe,
}

/// Which party stands in when a document names none, by its id.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DefaultParties {
    /// Who is billed.
    pub buyer: String,
    /// Where goods go.
    pub ship_to: String,
    /// Where goods come from.
    pub ship_from: String,
}

/// What is known of a party, for documents that name only its id.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PartySettings {
    /// The name, which stands in the address.
    pub name: String,
    /// The address.
    pub address: Option<AddressSettings>,
    /// Tax registrations.
    pub tax_registrations: Vec<RegistrationSettings>,
}

/// An address.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AddressSettings {
    /// To whom; the party's name when it is not given.
    pub name: String,
    /// One to three lines.
    pub lines: Vec<String>,
    /// The city.
    pub city: String,
    /// The county.
    pub county: String,
    /// The district.
    pub district: String,
    /// The state or region.
    pub region: String,
    /// The postal code.
    pub postal_code: String,
    /// The country, ISO 3166-1 alpha-2.
    pub country: String,
    /// A telephone number.
    pub phone: String,
}

/// A tax registration.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RegistrationSettings {
    /// `vat` or `gst`.
    pub r#type: String,
    /// The number.
    pub number: String,
}

/// The settings of `[targets.NAME]` with `kind = "amazon-vendor"`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AmazonSettings {
    /// Always `amazon-vendor`.
    pub kind: String,
    /// The region that the vendor's marketplaces belong to.
    pub region: Region,
    /// Production, or Amazon's own static sandbox.
    pub environment: VendorEnvironment,
    /// Where the client's id is: `env:NAME`, `file:PATH` or `cmd:COMMAND`.
    pub client_id: Option<String>,
    /// Where the client's secret is, likewise. It has to be made anew every 180 days.
    pub client_secret: Option<String>,
    /// Where the vendor's refresh token is, likewise.
    pub refresh_token: Option<String>,
    /// How much it weighs when sums do not agree: `error`, `warn` or `off`.
    pub arithmetic: Level,
    /// Whether a total that is not given is computed.
    pub derive_total: bool,
    /// What a plain date means, and a time without an offset: a name of the IANA database, such as `America/New_York`.
    pub time_zone: String,
    /// Which party stands in when a document names none, by its id.
    pub defaults: DefaultParties,
    /// What is known of parties, by their ids.
    pub parties: BTreeMap<String, PartySettings>,
    /// Calls in flight, 1 to 64.
    #[schemars(range(min = 1, max = 64))]
    pub concurrency: usize,
    /// Invoices a second, and questions a second, at least 1; the vendor allows 10 of each.
    pub requests_per_second: u32,
    /// Calls at once before the pace holds, at least 1; the vendor allows 10.
    pub burst: u32,
    /// The longest that a call may take, in seconds.
    pub timeout_s: u64,
    /// How long an invoice in doubt rests before anything newer is sent for it, in seconds.
    pub quarantine_s: u64,
    /// How long a transaction has to be silent before its invoice is presumed to be accepted, in seconds.
    pub presume_after_s: u64,
    /// `Eaches` or `Cases` for UN/ECE Recommendation 20 codes, laid over the built-in ones.
    pub units: BTreeMap<String, String>,
    /// Where calls go instead of Amazon, a base URL; plain http only to this machine.
    pub endpoint: Option<String>,
    /// Where tokens are fetched instead of Amazon, a whole URL; likewise.
    pub token_endpoint: Option<String>,
    /// Levels of rules by their code: `error`, `warn` or `off`.
    pub rules: Levels,
}

impl Default for AmazonSettings {
    fn default() -> Self {
        Self {
            kind: "amazon-vendor".to_owned(),
            region: Region::Na,
            environment: VendorEnvironment::Production,
            client_id: None,
            client_secret: None,
            refresh_token: None,
            arithmetic: Level::Warn,
            derive_total: false,
            time_zone: "UTC".to_owned(),
            defaults: DefaultParties::default(),
            parties: BTreeMap::new(),
            concurrency: 8,
            requests_per_second: 10,
            burst: 10,
            timeout_s: 120,
            quarantine_s: 600,
            presume_after_s: 900,
            units: BTreeMap::new(),
            endpoint: None,
            token_endpoint: None,
            rules: Levels::new(),
        }
    }
}

/// The longest that silence may have to last.
const LONGEST_SILENCE_S: u64 = 30 * 86_400;
/// Calls that reach the vendor closer together than they left would be one too many where the whole burst was used.
const BURST_TO_SPARE: u32 = 2;

impl AmazonSettings {
    /// Codes are capital letters; the environment brings them in small ones. An empty text is a setting that is not given.
    pub fn normalise(&mut self) {
        let upper = |code: String| code.to_ascii_uppercase();
        self.units = std::mem::take(&mut self.units).into_iter().map(|(code, name)| (upper(code), name)).collect();
        self.rules = std::mem::take(&mut self.rules).into_iter().map(|(code, level)| (upper(code), level)).collect();
        let texts =
            [&mut self.client_id, &mut self.client_secret, &mut self.refresh_token, &mut self.endpoint, &mut self.token_endpoint];
        for text in texts {
            *text = text.take().filter(|text| !text.is_empty());
        }
    }

    /// Checks what the types cannot; `name` is the target's, for messages.
    ///
    /// # Errors
    /// When a setting is out of its range.
    pub fn check(&self, name: &str) -> Result<(), SettingsError> {
        let wrong =
            |key: &str, says: String| Err(SettingsError { message: format!("targets.{name}.{key}: {says}"), exit: Exit::Config });
        if zone(&self.time_zone).is_none() {
            let says =
                format!("{:?} is not a time zone; write a name of the IANA database, such as America/New_York", self.time_zone);
            return wrong("time_zone", says);
        }
        if !(1..=LONGEST_SILENCE_S).contains(&self.presume_after_s) {
            return wrong("presume_after_s", format!("{} is not between 1 and {LONGEST_SILENCE_S}", self.presume_after_s));
        }
        if self.arithmetic == Level::Off
            && let Some(code) = ["AMZ-031", "AMZ-032", "AMZ-033"].iter().find(|code| self.rules.contains_key(**code))
        {
            return wrong("rules", format!("{code} has a level, and arithmetic = \"off\" switches it off; keep one of the two"));
        }
        for (code, unit) in &self.units {
            if !matches!(unit.as_str(), "Eaches" | "Cases") {
                return wrong(&format!("units.{code}"), format!("{unit:?} is not one of: Eaches Cases"));
            }
        }
        for (id, settings) in &self.parties {
            for registration in &settings.tax_registrations {
                if TaxRegistrationType::from_word(&registration.r#type).is_none() {
                    let says = format!("{:?} is not one of: vat gst", registration.r#type);
                    return wrong(&format!("parties.{id}.tax_registrations"), says);
                }
            }
            let mut faults = Vec::new();
            check_details(&party(id, settings), &Path::ROOT, &mut faults);
            if let Some(fault) = faults.first() {
                return wrong(&format!("parties.{id}.{}", fault.path), fault.message.clone());
            }
        }
        Ok(())
    }

    /// The adapter.
    pub fn adapter(&self) -> Amazon {
        let sandbox = self.environment == VendorEnvironment::Sandbox;
        let endpoint = self.endpoint.as_deref().map(|endpoint| endpoint.trim_end_matches('/').to_owned());
        Amazon {
            endpoint: endpoint.unwrap_or_else(|| host(self.region, sandbox)),
            token_endpoint: self.token_endpoint.clone().unwrap_or_else(|| TOKEN_ENDPOINT.to_owned()),
            sandbox,
            defaults: self.defaults.clone(),
            parties: self.parties.iter().map(|(id, settings)| (id.clone(), party(id, settings))).collect(),
            arithmetic: self.arithmetic,
            derive_total: self.derive_total,
            time_zone: zone(&self.time_zone).unwrap_or(TimeZone::UTC),
            presume_after: Duration::from_secs(self.presume_after_s),
            speed: 1,
            words: Arc::new(Words::new(&self.units)),
        }
    }

    /// What a run needs to know besides.
    pub fn connection(&self) -> Connection<'_> {
        let secrets = [&self.client_id, &self.client_secret, &self.refresh_token];
        Connection {
            endpoints: vec![("endpoint", self.endpoint.as_deref()), ("token_endpoint", self.token_endpoint.as_deref())],
            account: None,
            secrets: PARTS.into_iter().zip(secrets.map(|secret| secret.as_deref())).collect(),
            known_payees: None,
            rules: &self.rules,
            concurrency: self.concurrency,
            requests_per_second: self.requests_per_second,
            burst: if self.burst == 0 { 0 } else { self.burst.saturating_sub(BURST_TO_SPARE).max(1) },
            timeout_s: self.timeout_s,
            replay_after_s: 0,
            quarantine_s: self.quarantine_s,
        }
    }
}

/// The host of a region.
fn host(region: Region, sandbox: bool) -> String {
    let region = match region {
        Region::Na => "na",
        Region::Eu => "eu",
        Region::Fe => "fe",
    };
    format!("https://{}sellingpartnerapi-{region}.amazon.com", if sandbox { "sandbox." } else { "" })
}

/// The zone of a name. The database is part of the program, so that every machine means the same.
fn zone(name: &str) -> Option<TimeZone> {
    if name == "UTC" { Some(TimeZone::UTC) } else { TimeZoneDatabase::bundled().get(name).ok() }
}

fn party(id: &str, settings: &PartySettings) -> Party<'static> {
    let text = |text: &str| text.to_owned().into();
    let address = |address: &AddressSettings| Address {
        name: text(&address.name),
        lines: address.lines.iter().map(|line| text(line)).collect(),
        city: text(&address.city),
        county: text(&address.county),
        district: text(&address.district),
        region: text(&address.region),
        postal_code: text(&address.postal_code),
        country: text(&address.country),
        phone: text(&address.phone),
    };
    let registration = |registration: &RegistrationSettings| TaxRegistration {
        r#type: TaxRegistrationType::from_word(&registration.r#type).map(Into::into).unwrap_or_default(),
        number: text(&registration.number),
    };
    Party {
        id: text(id),
        name: text(&settings.name),
        address: settings.address.as_ref().map(address),
        tax_registrations: settings.tax_registrations.iter().map(registration).collect(),
        ..Party::default()
    }
}
