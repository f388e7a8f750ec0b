//! How a sandbox is set up.

use std::collections::BTreeSet;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};

use super::fault::Fault;

/// How a sandbox is set up.
#[derive(Clone)]
pub struct Options {
    /// The address to listen on, which must be loopback; port 0 picks a free one.
    pub listen: SocketAddr,
    /// The only payer that there is.
    pub payer_name: String,
    /// The payer's master key.
    pub master_key: String,
    /// The payees that exist; `None` stands for all that anyone may name.
    pub known_payees: Option<BTreeSet<String>>,
    /// What goes wrong. Each vendor counts for itself, and knows its own faults only.
    pub faults: Vec<Fault>,
    /// How many seconds a call's timestamp may be away from the sandbox's clock.
    pub timestamp_window_s: u64,
    /// Amazon's side.
    pub amazon: AmazonOptions,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            payer_name: "SandboxPayer".to_owned(),
            master_key: random("", 64, fastrand::alphanumeric),
            known_payees: None,
            faults: Vec::new(),
            timestamp_window_s: 300,
            amazon: AmazonOptions::default(),
        }
    }
}

/// Without the master key.
impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("listen", &self.listen)
            .field("payer_name", &self.payer_name)
            .field("known_payees", &self.known_payees)
            .field("faults", &self.faults)
            .field("timestamp_window_s", &self.timestamp_window_s)
            .field("amazon", &self.amazon)
            .finish_non_exhaustive()
    }
}

/// How the simulated Amazon is set up.
#[derive(Clone)]
pub struct AmazonOptions {
    /// The only application that there is.
    pub client_id: String,
    /// The application's secret.
    pub client_secret: String,
    /// What the only selling partner gave the application.
    pub refresh_token: String,
    /// How many seconds of the sandbox's clock an access token lasts.
    pub token_lifetime_s: u64,
    /// How many calls a second each operation takes for ever; 0 for as many as come.
    pub requests_per_second: u32,
    /// How many calls of an operation may come at once after a rest.
    pub burst: u32,
    /// How many seconds of its clock pass in a real one. Tokens and verdicts follow this clock, the
    /// quota does not.
    pub speed: u32,
    /// After how many seconds of its clock a verdict is there, where there is one.
    pub verdict_after_s: u64,
}

impl Default for AmazonOptions {
    fn default() -> Self {
        let hex = || fastrand::digit(16);
        Self {
            client_id: random("amzn1.application-oa2-client.", 32, hex),
            client_secret: random("amzn1.oa2-cs.v1.", 64, hex),
            refresh_token: random("Atzr|", 200, fastrand::alphanumeric),
            token_lifetime_s: 3_600,
            requests_per_second: 10,
            burst: 10,
            speed: 1,
            verdict_after_s: 10,
        }
    }
}

/// Without the secret and the token.
impl fmt::Debug for AmazonOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AmazonOptions")
            .field("client_id", &self.client_id)
            .field("token_lifetime_s", &self.token_lifetime_s)
            .field("requests_per_second", &self.requests_per_second)
            .field("burst", &self.burst)
            .field("speed", &self.speed)
            .field("verdict_after_s", &self.verdict_after_s)
            .finish_non_exhaustive()
    }
}

/// A name or a secret that nobody else has.
pub(super) fn random(prefix: &str, length: usize, char: impl FnMut() -> char) -> String {
    prefix.chars().chain(std::iter::repeat_with(char).take(length)).collect()
}
