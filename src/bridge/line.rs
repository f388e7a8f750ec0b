//! The way to a vendor: the adapter, the secret, the transport and the clock that calls are made with.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::evidence::clean;
use crate::adapter::{Decoded, Rest, Stamp, Submit};
use crate::engine::run::Now;
use crate::engine::state::Millis;
use crate::transport::{Permit, Transport};
use crate::wire::{Secret, SendError, WireResponse};

/// A call whose first byte has not left so long after its intent was stored is not made: by then another process may have
/// been given reason to think that it was.
pub(super) const SEND_BUDGET: Duration = Duration::from_secs(5);

/// The way to a vendor.
pub(super) struct Line {
    pub(super) submit: Arc<dyn Submit>,
    pub(super) secret: Secret,
    pub(super) transport: Arc<dyn Transport>,
    pub(super) clock: Arc<dyn Fn() -> Millis + Send + Sync>,
    pub(super) timeout: Duration,
    /// Where ticks are counted from.
    pub(super) epoch: Instant,
}

impl Line {
    pub(super) fn now(&self) -> Now {
        let tick = u64::try_from(self.epoch.elapsed().as_millis()).unwrap_or(u64::MAX);
        Now { tick, wall: (self.clock)() }
    }

    pub(super) fn unix_seconds(&self) -> u64 {
        u64::try_from((self.clock)() / 1000).unwrap_or_default()
    }

    /// From the intent to the last moment at which a request may be on the wire, in milliseconds.
    pub(super) fn longest_call(&self) -> Millis {
        Millis::try_from((SEND_BUDGET + self.timeout).as_millis()).unwrap_or(Millis::MAX / 4)
    }

    pub(super) fn instant(&self, tick: u64) -> Instant {
        self.epoch + Duration::from_millis(tick)
    }

    /// What a call with a stamp of this time brought, without its keys.
    pub(super) fn without_secrets(
        &self,
        stamped: u64,
        result: Result<WireResponse, SendError>,
    ) -> Result<WireResponse, SendError> {
        let keys = self.submit.keys(&Stamp { unix_seconds: stamped, secret: Some(&self.secret) });
        let secrets: Vec<&str> = keys.iter().map(String::as_str).chain([self.secret.expose()]).collect();
        clean(result, &secrets)
    }

    /// A permit that ends with the budget, by both clocks: the one that stands still while a machine sleeps, and the other.
    pub(super) fn permit(&self) -> Permit {
        let (began, wall, clock) = (Instant::now(), (self.clock)(), Arc::clone(&self.clock));
        let budget = Millis::try_from(SEND_BUDGET.as_millis()).unwrap_or_default();
        Permit::new(move || began.elapsed() < SEND_BUDGET && (clock() - wall).abs() < budget)
    }
}

/// Reads a reply. A reply that makes the reader fail is a reply that says nothing.
pub(super) fn decode(line: &Line, numbers: &[&str], response: &WireResponse) -> Decoded {
    catch_unwind(AssertUnwindSafe(|| line.submit.decode(numbers, response)))
        .unwrap_or_else(|_| Decoded::whole(Rest::Silent("its answer could not be read".into())))
}
