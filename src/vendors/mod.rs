//! The vendors, one folder each, with the same file names in every folder: `settings`, `map`, `check`, `wire`, `reply`,
//! `sign`.
//!
//! The only `match` over vendors is here.

pub mod amazon;
pub mod aws;
pub mod tipalti;

use std::path::Path;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use crate::adapter::Submit;
use crate::outcome::Exit;
use crate::rules::Levels;
use amazon::{Amazon, AmazonSettings};
use tipalti::{Tipalti, TipaltiSettings};

/// How many times faster than in the world time goes in a trial: a quarter of an hour takes a second.
pub const SIMULATED_SPEED: u32 = 1000;

/// The kinds of targets that a configuration may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VendorKind {
    /// Tipalti's SOAP API for payers.
    Tipalti,
    /// Amazon's Selling Partner API for vendors.
    AmazonVendor,
    /// AWS Invoicing.
    AwsInvoicing,
}

impl VendorKind {
    /// The kinds, each with the name of the target that is there without a configuration.
    pub const ALL: [(Self, &'static str); 3] =
        [(Self::Tipalti, "tipalti"), (Self::AmazonVendor, "amazon"), (Self::AwsInvoicing, "aws")];

    /// The word for it in `kind = "…"`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Tipalti => "tipalti",
            Self::AmazonVendor => "amazon-vendor",
            Self::AwsInvoicing => "aws-invoicing",
        }
    }

    /// The kind for a word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().map(|(kind, _)| kind).find(|kind| kind.word() == word)
    }

    /// Why documents cannot be sent to a target of this kind, if they cannot.
    pub fn takes_documents(self) -> Result<(), &'static str> {
        match self {
            Self::Tipalti | Self::AmazonVendor => Ok(()),
            Self::AwsInvoicing => Err(
                "AWS Invoicing takes no documents and has none to give; `payables portal` and `payables invoice-unit` are for it",
            ),
        }
    }
}

/// The settings of a target, whatever its vendor.
#[derive(Debug, Clone)]
pub enum Settings {
    /// Tipalti's.
    Tipalti(TipaltiSettings),
    /// Amazon's.
    AmazonVendor(AmazonSettings),
}

impl Settings {
    /// Reads the settings of a kind.
    ///
    /// # Errors
    /// When they have a key or a value that the kind does not know.
    pub fn read<'de, D: Deserializer<'de>>(kind: VendorKind, deserializer: D) -> Result<Self, D::Error> {
        match kind {
            VendorKind::Tipalti => TipaltiSettings::deserialize(deserializer).map(Self::Tipalti),
            VendorKind::AmazonVendor => AmazonSettings::deserialize(deserializer).map(Self::AmazonVendor),
            VendorKind::AwsInvoicing => Err(serde::de::Error::custom("no documents go there")),
        }
    }

    /// The settings of a kind of which nothing is said.
    pub fn of(kind: VendorKind) -> Option<Self> {
        match kind {
            VendorKind::Tipalti => Some(Self::Tipalti(TipaltiSettings::default())),
            VendorKind::AmazonVendor => Some(Self::AmazonVendor(AmazonSettings::default())),
            VendorKind::AwsInvoicing => None,
        }
    }

    /// The kind.
    pub fn kind(&self) -> VendorKind {
        match self {
            Self::Tipalti(_) => VendorKind::Tipalti,
            Self::AmazonVendor(_) => VendorKind::AmazonVendor,
        }
    }

    /// Brings what may be written in several ways into one.
    pub fn normalise(&mut self) {
        match self {
            Self::Tipalti(settings) => settings.normalise(),
            Self::AmazonVendor(settings) => settings.normalise(),
        }
    }

    /// Checks what the types cannot.
    ///
    /// # Errors
    /// When a setting is out of its range.
    pub fn check(&self, name: &str) -> Result<(), SettingsError> {
        match self {
            Self::Tipalti(settings) => settings.check(name),
            Self::AmazonVendor(settings) => settings.check(name),
        }
    }

    /// The vendor with these settings.
    pub fn vendor(&self) -> Vendor {
        match self {
            Self::Tipalti(settings) => Vendor::Tipalti(settings.adapter()),
            Self::AmazonVendor(settings) => Vendor::AmazonVendor(settings.adapter()),
        }
    }

    /// What a run needs to know besides.
    pub fn connection(&self) -> Connection<'_> {
        match self {
            Self::Tipalti(settings) => settings.connection(),
            Self::AmazonVendor(settings) => settings.connection(),
        }
    }
}

/// What every target says of how it is reached, and how fast. Secrets and files are named here and fetched elsewhere.
#[derive(Debug, Clone)]
pub struct Connection<'s> {
    /// The settings that may name addresses of one's own, and their values.
    pub endpoints: Vec<(&'static str, Option<&'s str>)>,
    /// The setting that names the account, where there is one, and its value.
    pub account: Option<(&'static str, Option<&'s str>)>,
    /// The settings that say where the credentials are, part by part, and their values.
    pub secrets: Vec<(&'static str, Option<&'s str>)>,
    /// The file of the payees that are known.
    pub known_payees: Option<&'s Path>,
    /// Levels of rules.
    pub rules: &'s Levels,
    /// Calls in flight.
    pub concurrency: usize,
    /// Calls a second.
    pub requests_per_second: u32,
    /// Calls at once.
    pub burst: u32,
    /// The longest that a call may take.
    pub timeout_s: u64,
    /// The pause before a replay.
    pub replay_after_s: u64,
    /// How long a document in doubt rests before anything newer is sent for it.
    pub quarantine_s: u64,
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

/// A vendor with its settings.
#[derive(Debug, Clone)]
pub enum Vendor {
    /// Tipalti.
    Tipalti(Tipalti),
    /// Amazon.
    AmazonVendor(Amazon),
}

impl Vendor {
    /// What documents are submitted through.
    pub fn submit(&self) -> &dyn Submit {
        match self {
            Self::Tipalti(tipalti) => tipalti,
            Self::AmazonVendor(amazon) => amazon,
        }
    }

    /// The same, to be shared.
    pub fn into_submit(self) -> Arc<dyn Submit> {
        match self {
            Self::Tipalti(tipalti) => Arc::new(tipalti),
            Self::AmazonVendor(amazon) => Arc::new(amazon),
        }
    }

    /// The same vendor where it is simulated; `says` is what the simulator says of itself, by the names of the settings.
    #[must_use]
    pub fn simulated(self, says: &dyn Fn(&str) -> String) -> Self {
        match self {
            Self::Tipalti(tipalti) => {
                Self::Tipalti(Tipalti { endpoint: says("endpoint"), payer_name: says("payer_name"), ..tipalti })
            }
            Self::AmazonVendor(amazon) => Self::AmazonVendor(amazon.simulated(says("endpoint"), says("token_endpoint"))),
        }
    }
}

/// What an error code of a vendor means, by its name or its number.
pub fn explain(code: &str) -> Option<String> {
    let Some(code) = tipalti::codes::look_up(code).or_else(|| tipalti::codes::by_number(code)) else {
        return amazon::codes::explain(code).or_else(|| aws::explain(code));
    };
    Some(format!("{} (Tipalti): {}.\n\nWhat the bridge does: {}\n", code.name, code.meaning, code.class.meaning()))
}

/// A reason why a target cannot be used, and the code that it ends with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SettingsError {
    /// What is wrong and what to do.
    pub message: String,
    /// The code.
    pub exit: Exit,
}
