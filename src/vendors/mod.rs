//! The vendors, one folder each, with the same file names in every folder: `map`, `check`, `wire`, `reply`, `sign`.
//!
//! The `match` here is the only one over vendors.

pub mod tipalti;

use crate::adapter::Submit;
use crate::outcome::Exit;

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
        [Self::Tipalti, Self::AmazonVendor, Self::AwsInvoicing].into_iter().find(|kind| kind.word() == word)
    }
}

/// A vendor with its settings.
#[derive(Debug, Clone)]
pub enum Vendor {
    /// Tipalti.
    Tipalti(tipalti::Tipalti),
}

impl Vendor {
    /// What documents are submitted through.
    pub fn submit(&self) -> &dyn Submit {
        match self {
            Self::Tipalti(tipalti) => tipalti,
        }
    }
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
