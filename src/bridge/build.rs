//! The library call: a bridge to one target, put together and used.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::import::Guards;
use super::run::{Limits, Line, run};
use super::{Error, Observer};
use crate::adapter::Payees;
use crate::intake::Input;
use crate::report::Summary;
use crate::rules::Levels;
use crate::transport::{Http, Pace, Transport};
use crate::vendors::Vendor;
use crate::wire::Secret;

/// A bridge to one target.
///
/// ```no_run
/// use payables_bridge::bridge::Bridge;
/// use payables_bridge::intake::Input;
/// use payables_bridge::vendors::{Vendor, tipalti::Tipalti};
/// use payables_bridge::wire::Secret;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let target = Tipalti { payer_name: "AcmeCorp".into(), ..Tipalti::default() };
/// let bridge = Bridge::builder(Vendor::Tipalti(target), Secret::new(std::env::var("TIPALTI_MASTER_KEY")?)).build()?;
/// let orders = std::fs::File::open("orders.jsonl")?;
/// let summary = bridge.sync(vec![Input::new("orders.jsonl", orders)], &mut |item| println!("{item:?}")).await?;
/// println!("{} documents, exit code {}", summary.documents, summary.exit().code());
/// # Ok(())
/// # }
/// ```
pub struct Bridge {
    line: Arc<Line>,
    guards: Guards,
    limits: Limits,
    stopper: Stopper,
}

impl Bridge {
    /// Begins with a vendor and the secret that signs its calls.
    pub fn builder(vendor: Vendor, secret: Secret) -> BridgeBuilder {
        BridgeBuilder {
            vendor,
            secret,
            transport: None,
            guards: Guards::default(),
            clock: Arc::new(|| u64::try_from(jiff::Timestamp::now().as_second()).unwrap_or_default()),
            timeout: Duration::from_secs(120),
            pace: (1, 1),
            limits: Limits { concurrency: 1, replay_after: Duration::from_secs(30) },
        }
    }

    /// Reads all inputs, then sends what is ready, and reports each document once, as soon as it is settled.
    ///
    /// Reading is not asynchronous: a slow input holds the task up.
    ///
    /// # Errors
    /// When an input cannot be read, before anything is sent, or when the machine fails.
    pub async fn sync(&self, inputs: Vec<Input<'_>>, observer: &mut dyn Observer) -> Result<Summary, Error> {
        run(Arc::clone(&self.line), &self.guards, self.limits.clone(), &self.stopper, inputs, observer).await
    }

    /// A handle that stops the run: what is in flight is finished, the rest is left for the next run.
    pub fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }
}

/// Stops a run from outside.
#[derive(Debug, Clone)]
pub struct Stopper(Arc<watch::Sender<bool>>);

impl Stopper {
    fn new() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }

    /// Asks the run to stop.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }

    pub(super) fn is_stopped(&self) -> bool {
        *self.0.borrow()
    }

    pub(super) async fn stopped(&self) {
        let mut receiver = self.0.subscribe();
        // The sender lives as long as this handle.
        let _never_closed = receiver.wait_for(|stopped| *stopped).await;
    }
}

/// Puts a [`Bridge`] together.
pub struct BridgeBuilder {
    vendor: Vendor,
    secret: Secret,
    transport: Option<Arc<dyn Transport>>,
    guards: Guards,
    clock: Arc<dyn Fn() -> u64 + Send + Sync>,
    timeout: Duration,
    pace: (u32, u32),
    limits: Limits,
}

impl BridgeBuilder {
    /// Which payees are known; none, unless said otherwise. Documents for others are held.
    #[must_use]
    pub fn payees(mut self, payees: Payees) -> Self {
        self.guards.payees = payees;
        self
    }

    /// Gives rules other levels than their own.
    #[must_use]
    pub fn levels(mut self, levels: Levels) -> Self {
        self.guards.levels = levels;
        self
    }

    /// A transport of one's own.
    #[must_use]
    pub fn transport(mut self, transport: Arc<dyn Transport>) -> Self {
        self.transport = Some(transport);
        self
    }

    /// A clock of one's own: whole seconds since 1970 in UTC.
    #[must_use]
    pub fn clock(mut self, clock: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// The longest that a call may take (120 s).
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How many calls may go in a second (1), and how many at once (1). 0 a second sets no pace.
    #[must_use]
    pub fn pace(mut self, per_second: u32, burst: u32) -> Self {
        self.pace = (per_second, burst);
        self
    }

    /// How many calls may be in flight (1).
    #[must_use]
    pub fn concurrency(mut self, calls: usize) -> Self {
        self.limits.concurrency = calls.max(1);
        self
    }

    /// How long a call in doubt rests before it is replayed, where the vendor makes that harmless (30 s).
    #[must_use]
    pub fn replay_after(mut self, pause: Duration) -> Self {
        self.limits.replay_after = pause;
        self
    }

    /// Lets an input without a byte pass.
    #[must_use]
    pub fn allow_empty(mut self, allow: bool) -> Self {
        self.guards.allow_empty = allow;
        self
    }

    /// The bridge.
    ///
    /// # Errors
    /// When the transport cannot be set up.
    pub fn build(self) -> Result<Bridge, Error> {
        let transport = match self.transport {
            Some(transport) => transport,
            None => {
                // Plain http goes to this machine only, and needs nobody's certificates.
                let is_plain = self.vendor.submit().request(Vec::new()).url.starts_with("http://");
                let http = if is_plain { Http::without_tls(self.timeout) } else { Http::new(self.timeout) };
                Arc::new(http.map_err(|error| Error::Transport(error.to_string()))?)
            }
        };
        let pace = Pace::new(self.pace.0, self.pace.1);
        let line = Arc::new(Line { vendor: self.vendor, secret: self.secret, transport, clock: self.clock, pace });
        Ok(Bridge { line, guards: self.guards, limits: self.limits, stopper: Stopper::new() })
    }
}
