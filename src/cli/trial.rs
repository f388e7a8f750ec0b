//! A trial: the target's vendor, simulated in this process.

use super::Failure;
use crate::config::Target;
use crate::outcome::Exit;
use crate::sandbox::{AmazonOptions, Options, Sandbox};
use crate::vendors::{SIMULATED_SPEED, Vendor};
use crate::wire::{Credentials, Secret};

/// A simulated vendor, and what is needed to talk to it.
pub(super) struct Trial {
    sandbox: Sandbox,
    pub(super) vendor: Vendor,
    pub(super) credentials: Credentials,
}

impl Trial {
    /// Starts the simulator on a free port of this machine.
    pub(super) async fn start(target: &Target) -> Result<Self, Failure> {
        let connection = target.connection();
        let defaults = Options::default();
        let account = connection.account.and_then(|(_, account)| account);
        let payer_name = account.map_or(defaults.payer_name, str::to_owned);
        // A trial takes seconds where the world takes minutes, and nobody else has to be left room.
        let amazon = AmazonOptions { speed: SIMULATED_SPEED, requests_per_second: 0, ..defaults.amazon };
        let sandbox = Sandbox::start(Options { payer_name, amazon, ..Options::default() })
            .await
            .map_err(|error| Failure::new(Exit::Unexpected, format!("the simulator cannot start: {error}")))?;
        let ready = serde_json::to_value(sandbox.ready()).unwrap_or_default();
        let says = |setting: &str| {
            let said = ready.get(target.settings.kind().word()).and_then(|vendor| vendor.get(setting)?.as_str());
            said.unwrap_or_default().to_owned()
        };
        let credentials = Credentials::new(connection.secrets.iter().map(|(part, _)| (*part, Secret::new(says(part)))));
        let vendor = target.settings.vendor().simulated(&says);
        Ok(Self { sandbox, vendor, credentials })
    }

    /// Ends it.
    pub(super) async fn stop(self) {
        self.sandbox.stop().await;
    }
}
