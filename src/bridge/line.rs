//! The way to a vendor: the adapter, the session, the transport and the clock that calls are made with.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::Error;
use super::evidence::clean;
use super::session::Session;
use crate::adapter::{Decoded, Rest, Stamp, Submit};
use crate::engine::run::Now;
use crate::engine::state::Millis;
use crate::transport::{Http, Permit, Transport};
use crate::wire::{Credentials, Secret, SendError, WireResponse};

/// A call whose first byte has not left so long after its intent was stored is not made: by then another process may have
/// been given reason to think that it was.
pub(super) const SEND_BUDGET: Duration = Duration::from_secs(5);

/// The way to a vendor.
pub(super) struct Line {
    pub(super) submit: Arc<dyn Submit>,
    pub(super) session: Session,
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

    /// What a call with this stamp brought, without its keys and without what they are made of.
    pub(super) fn without_secrets(
        &self,
        stamp: &Stamp<'_>,
        result: Result<WireResponse, SendError>,
    ) -> Result<WireResponse, SendError> {
        let keys = self.submit.keys(stamp);
        let secrets = stamp.secret.into_iter().chain(self.session.credentials.secrets()).map(Secret::expose);
        let secrets: Vec<&str> = keys.iter().map(String::as_str).chain(secrets).collect();
        clean(result, &secrets)
    }

    /// A permit that ends with the budget, by both clocks: the one that stands still while a machine sleeps, and the other.
    pub(super) fn permit(&self) -> Permit {
        let (began, wall, clock) = (Instant::now(), (self.clock)(), Arc::clone(&self.clock));
        let budget = Millis::try_from(SEND_BUDGET.as_millis()).unwrap_or_default();
        Permit::new(move || began.elapsed() < SEND_BUDGET && (clock() - wall).abs() < budget)
    }
}

/// The transport of a bridge that was given none.
pub(super) fn https(submit: &dyn Submit, credentials: &Credentials, timeout: Duration) -> Result<Arc<dyn Transport>, Error> {
    // Plain http goes to this machine only, and needs nobody's certificates.
    let call = submit.request(Vec::new(), &Stamp { unix_seconds: 0, secret: None });
    let login = submit.login().map(|login| login.request(credentials));
    let is_plain = [Some(call), login].iter().flatten().all(|request| request.url.starts_with("http://"));
    let http = if is_plain { Http::without_tls(timeout) } else { Http::new(timeout) };
    Ok(Arc::new(http.map_err(|error| Error::Transport(error.to_string()))?))
}

/// Reads a reply. A reply that makes the reader fail is a reply that says nothing.
pub(super) fn decode(line: &Line, numbers: &[&str], response: &WireResponse) -> Decoded {
    catch_unwind(AssertUnwindSafe(|| line.submit.decode(numbers, response)))
        .unwrap_or_else(|_| Decoded::whole(Rest::Silent("its answer could not be read".into())))
}
