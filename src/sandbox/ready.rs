//! What a client must know to talk to a sandbox.

use std::fmt;

use serde::Serialize;

/// What a client must know to talk to a sandbox: the line that `payables sandbox` prints.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Ready {
    /// Tipalti's side.
    pub tipalti: TipaltiReady,
    /// Amazon's side.
    #[serde(rename = "amazon-vendor")]
    pub amazon: AmazonReady,
    /// The side of AWS Invoicing.
    #[serde(rename = "aws-invoicing")]
    pub aws: AwsReady,
}

/// What a client must know to talk to the simulated Tipalti.
#[derive(Clone, Serialize)]
#[non_exhaustive]
pub struct TipaltiReady {
    /// Where calls are posted to.
    pub endpoint: String,
    /// The payer.
    pub payer_name: String,
    /// The payer's master key. It opens nothing but this sandbox.
    pub master_key: String,
}

/// Without the master key.
impl fmt::Debug for TipaltiReady {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TipaltiReady")
            .field("endpoint", &self.endpoint)
            .field("payer_name", &self.payer_name)
            .finish_non_exhaustive()
    }
}

/// What a client must know to talk to the simulated Amazon. Its secrets open nothing but this sandbox.
#[derive(Clone, Serialize)]
#[non_exhaustive]
pub struct AmazonReady {
    /// What the paths of the Selling Partner API are appended to.
    pub endpoint: String,
    /// Where tokens are asked for.
    pub token_endpoint: String,
    /// The application.
    pub client_id: String,
    /// The application's secret.
    pub client_secret: String,
    /// What access tokens are given for.
    pub refresh_token: String,
}

/// What a client must know to talk to the simulated AWS Invoicing. Its key opens nothing but this sandbox.
#[derive(Clone, Serialize)]
#[non_exhaustive]
pub struct AwsReady {
    /// Where requests are posted to.
    pub endpoint: String,
    /// The region that requests may be signed for; others do as well.
    pub region: String,
    /// Whose requests they are.
    pub access_key_id: String,
    /// What they are signed with.
    pub secret_access_key: String,
    /// The code that a portal would show once it was sent.
    pub validation_code: String,
}

/// Without the key.
impl fmt::Debug for AwsReady {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwsReady")
            .field("endpoint", &self.endpoint)
            .field("region", &self.region)
            .field("access_key_id", &self.access_key_id)
            .finish_non_exhaustive()
    }
}

/// Without the secret and the token.
impl fmt::Debug for AmazonReady {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AmazonReady")
            .field("endpoint", &self.endpoint)
            .field("token_endpoint", &self.token_endpoint)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}
