//! The library call: a bridge to one target, put together and used.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::fetch::Fetcher;
use super::items::{Items, Work};
use super::line::{self, Line};
use super::session::Session;
use super::stopper::Stopper;
use super::survey::Guards;
use super::{Error, Observer};
use crate::adapter::{Payees, Submit};
use crate::engine::state::{Millis, Rules};
use crate::intake::Input;
use crate::journal::Journal;
use crate::report::Summary;
use crate::rules::Levels;
use crate::transport::Transport;
use crate::wire::Credentials;

/// A bridge to one target.
///
/// ```no_run
/// use std::path::Path;
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// use payables_bridge::bridge::Bridge;
/// use payables_bridge::intake::Input;
/// use payables_bridge::journal::Sqlite;
/// use payables_bridge::vendors::tipalti::Tipalti;
/// use payables_bridge::wire::Secret;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let target = Tipalti { payer_name: "AcmeCorp".into(), ..Tipalti::default() };
/// let bridge = Bridge::builder()
///     .vendor(Arc::new(target))
///     .credentials(Secret::new(std::env::var("TIPALTI_MASTER_KEY")?))
///     .journal(Sqlite::open(Path::new("payables.db"), Duration::ZERO)?)
///     .build()?;
/// let mut items = bridge.submit(vec![Input::new("orders.jsonl", std::fs::File::open("orders.jsonl")?)]);
/// while let Some(item) = items.next().await {
///     println!("{:?} {}", item.number, item.outcome.word());
/// }
/// let summary = items.summary().await?;
/// println!("{} documents, exit code {}", summary.documents, summary.exit().code());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Bridge {
    pub(super) line: Arc<Line>,
    pub(super) journal: Arc<Mutex<Option<Box<dyn Journal>>>>,
    pub(super) guards: Arc<Guards>,
    pub(super) settings: Arc<Settings>,
    pub(super) stopper: Stopper,
}

/// The settings of runs.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) target: String,
    pub(super) pace: (u32, u32),
    pub(super) concurrency: usize,
    pub(super) replay_after: Duration,
    pub(super) quarantine: Duration,
    pub(super) wait: Duration,
    pub(super) deadline: Duration,
    pub(super) seed: Option<u64>,
}

impl Bridge {
    /// Begins to put a bridge together.
    pub fn builder() -> BridgeBuilder {
        BridgeBuilder {
            submit: None,
            credentials: None,
            journal: None,
            transport: None,
            guards: Guards::default(),
            clock: Arc::new(|| jiff::Timestamp::now().as_millisecond()),
            timeout: Duration::from_secs(120),
            settings: Settings {
                target: String::new(),
                pace: (1, 1),
                concurrency: 1,
                replay_after: Duration::from_secs(30),
                quarantine: Duration::from_secs(600),
                wait: Duration::from_secs(60),
                deadline: Duration::from_secs(4 * 3600),
                seed: None,
            },
        }
    }

    /// Reads all inputs, stores them, sends what may go, together with what earlier runs left, and brings each document as
    /// soon as it is settled. It begins at once, on a thread of its own.
    pub fn submit(&self, inputs: Vec<Input<'static>>) -> Items {
        self.begin(Work::Submit(inputs))
    }

    /// Reads all inputs and says of each document what [`submit`](Self::submit) would do. Nothing is stored or sent.
    pub fn plan(&self, inputs: Vec<Input<'static>>) -> Items {
        self.begin(Work::Plan(inputs))
    }

    /// Asks now for the verdicts that are still to come.
    pub fn follow_up(&self) -> Items {
        self.begin(Work::FollowUp)
    }

    /// Sends once more what was rejected in a run (in any, without a name), and what earlier runs left.
    pub fn retry(&self, run: Option<String>) -> Items {
        self.begin(Work::Retry(run))
    }

    fn begin(&self, work: Work<'static>) -> Items {
        let bridge = Self { stopper: Stopper::new(), ..self.clone() };
        Items::begin(bridge, work, self.run_name())
    }

    /// Like [`submit`](Self::submit), on the caller's task: for programs with a runtime and an order of their own.
    ///
    /// Dropping the future is like killing the process: the journal knows what was on its way, and the next run finds it in
    /// doubt. Reading and storing are not asynchronous and hold the task up.
    ///
    /// # Errors
    /// When an input cannot be read, before anything is sent, or when the journal or the machine fails.
    pub async fn sync(&self, inputs: Vec<Input<'_>>, observer: &mut dyn Observer) -> Result<Summary, Error> {
        self.work(Work::Submit(inputs), &self.run_name(), observer).await
    }

    /// Like [`follow_up`](Self::follow_up), on the caller's task.
    ///
    /// # Errors
    /// When the journal or the machine fails.
    pub async fn ask(&self, observer: &mut dyn Observer) -> Result<Summary, Error> {
        self.work(Work::FollowUp, &self.run_name(), observer).await
    }

    /// A handle that stops what runs on the caller's task, now and later.
    pub fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    /// Does something with the journal, between runs.
    ///
    /// # Errors
    /// When a run has it.
    pub fn with_journal<T>(&self, work: impl FnOnce(&mut dyn Journal) -> T) -> Result<T, Error> {
        let mut lease = Lease::take(&self.journal)?;
        Ok(work(lease.journal()))
    }

    pub(super) fn rules(&self) -> Rules {
        let quarantine = Millis::try_from(self.settings.quarantine.as_millis()).unwrap_or(Millis::MAX / 4);
        Rules { repeatable: self.line.submit.repeatable(), quarantine }
    }

    fn run_name(&self) -> String {
        let began = jiff::Timestamp::from_millisecond((self.line.clock)()).unwrap_or_default();
        let end =
            self.settings.seed.map_or_else(|| fastrand::u32(..), |seed| u32::try_from(seed & 0xffff_ffff).unwrap_or_default());
        format!("{}-{end:08x}", began.strftime("%Y%m%dT%H%M%SZ"))
    }
}

/// The journal, while a run has it; it goes back when the run ends, however it ends.
pub(super) struct Lease<'b> {
    slot: &'b Mutex<Option<Box<dyn Journal>>>,
    journal: Box<dyn Journal>,
}

impl<'b> Lease<'b> {
    pub(super) fn take(slot: &'b Mutex<Option<Box<dyn Journal>>>) -> Result<Self, Error> {
        let journal = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
        let journal = journal
            .ok_or_else(|| crate::journal::Error::Busy("another run of this bridge is at work; wait for its end".to_owned()))?;
        Ok(Self { slot, journal })
    }

    pub(super) fn journal(&mut self) -> &mut dyn Journal {
        self.journal.as_mut()
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        let journal = std::mem::replace(&mut self.journal, Box::new(crate::journal::Memory::new()));
        *self.slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(journal);
    }
}

/// Puts a [`Bridge`] together.
pub struct BridgeBuilder {
    submit: Option<Arc<dyn Submit>>,
    credentials: Option<Credentials>,
    journal: Option<Box<dyn Journal>>,
    transport: Option<Arc<dyn Transport>>,
    guards: Guards,
    clock: Arc<dyn Fn() -> Millis + Send + Sync>,
    timeout: Duration,
    settings: Settings,
}

impl BridgeBuilder {
    /// The vendor. Needed.
    #[must_use]
    pub fn vendor(mut self, vendor: Arc<dyn Submit>) -> Self {
        self.submit = Some(vendor);
        self
    }

    /// The secret that signs calls, or what a token is fetched with. Needed.
    #[must_use]
    pub fn credentials(mut self, credentials: impl Into<Credentials>) -> Self {
        self.credentials = Some(credentials.into());
        self
    }

    /// The journal. Needed: without its memory, what was sent is sent again. [`Memory`](crate::journal::Memory) forgets
    /// everything at the end of the process.
    #[must_use]
    pub fn journal(mut self, journal: impl Journal + 'static) -> Self {
        self.journal = Some(Box::new(journal));
        self
    }

    /// A transport of one's own, instead of HTTPS.
    #[must_use]
    pub fn transport(mut self, transport: Arc<dyn Transport>) -> Self {
        self.transport = Some(transport);
        self
    }

    /// A clock of one's own: milliseconds since 1970 in UTC.
    #[must_use]
    pub fn clock(mut self, clock: impl Fn() -> Millis + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// The target's name for records; its kind when none is given.
    #[must_use]
    pub fn target(mut self, name: impl Into<String>) -> Self {
        self.settings.target = name.into();
        self
    }

    /// Which payees are known, besides those whom an order was accepted for; none, unless said otherwise. Documents for
    /// others are held.
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

    /// The longest that a call may take (120 s).
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How many calls may go in a second (1), and how many at once (1). 0 a second sets no pace.
    #[must_use]
    pub fn pace(mut self, per_second: u32, burst: u32) -> Self {
        self.settings.pace = (per_second, burst);
        self
    }

    /// How many calls may be in flight (1).
    #[must_use]
    pub fn concurrency(mut self, calls: usize) -> Self {
        self.settings.concurrency = calls.max(1);
        self
    }

    /// How long a call in doubt rests before it is replayed, where the vendor makes that harmless (30 s).
    #[must_use]
    pub fn replay_after(mut self, pause: Duration) -> Self {
        self.settings.replay_after = pause;
        self
    }

    /// How long a document in doubt rests before anything newer is sent for its number (600 s).
    #[must_use]
    pub fn quarantine(mut self, rest: Duration) -> Self {
        self.settings.quarantine = rest;
        self
    }

    /// How long a run waits for verdicts after its last call, and for a document that has to rest (60 s).
    #[must_use]
    pub fn wait(mut self, wait: Duration) -> Self {
        self.settings.wait = wait;
        self
    }

    /// The time that a run has (4 h). Nothing is begun in its last 5 minutes, if it has more than 10.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.settings.deadline = deadline;
        self
    }

    /// What the lengths of waits are drawn from; a number of the machine's choice when none is given.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.settings.seed = Some(seed);
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
    /// When vendor, credentials or journal are missing, or the transport cannot be set up.
    pub fn build(mut self) -> Result<Bridge, Error> {
        let line = self.line()?;
        let journal = self.journal.ok_or(Error::Incomplete("journal"))?;
        let mut settings = self.settings;
        if settings.target.is_empty() {
            settings.target = line.submit.scope().kind;
        }
        Ok(Bridge {
            line: Arc::new(line),
            journal: Arc::new(Mutex::new(Some(journal))),
            guards: Arc::new(self.guards),
            settings: Arc::new(settings),
            stopper: Stopper::new(),
        })
    }

    /// What fetches orders from the vendor. Journal, payees and the times of runs play no part in it.
    ///
    /// # Errors
    /// When vendor or credentials are missing, or the transport cannot be set up.
    pub fn fetcher(mut self) -> Result<Fetcher, Error> {
        let line = self.line()?;
        let seed = self.settings.seed.unwrap_or_else(|| fastrand::u64(..));
        Ok(Fetcher { line, pace: self.settings.pace, levels: self.guards.levels, seed })
    }

    fn line(&mut self) -> Result<Line, Error> {
        let submit = self.submit.take().ok_or(Error::Incomplete("vendor"))?;
        let credentials = self.credentials.take().ok_or(Error::Incomplete("credentials"))?;
        let transport = match self.transport.take() {
            Some(transport) => transport,
            None => line::https(&*submit, &credentials, self.timeout)?,
        };
        let (session, clock) = (Session::new(credentials), Arc::clone(&self.clock));
        Ok(Line { submit, session, transport, clock, timeout: self.timeout, epoch: Instant::now() })
    }
}
