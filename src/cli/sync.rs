//! `payables sync` and `payables validate`.

use std::io::{self, BufWriter, IsTerminal, Write, stderr, stdout};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::args::{DocumentArgs, SyncArgs, ValidateArgs};
use super::print::Printer;
use super::progress::Progress;
use super::{Ended, Failure, inputs, logging, tell};
use crate::adapter::Payees;
use crate::bridge::{Bridge, Error, Observer, Stopper, Translator};
use crate::config::{Configuration, Target};
use crate::intake::Input;
use crate::outcome::Exit;
use crate::report::{Item, Run, Summary};
use crate::sandbox::{Options, Sandbox};
use crate::wire::Secret;

/// `payables sync`
pub(super) fn sync(args: &SyncArgs) -> Ended {
    logging::begin(args.dry_run);
    let target = Configuration::load(args.documents.config.as_deref())?.target(&args.documents.to)?;
    if args.dry_run {
        let payees = target.payees(args.documents.allow_new_payees, false)?;
        let inputs = inputs::open(&args.documents.files)?;
        let report = Printer::new(BufWriter::new(stderr().lock()), args.documents.output, colours(&stderr()));
        // Standard output may be closed early; a large buffer makes few calls.
        let mut out = BufWriter::with_capacity(1 << 20, RawStdout::new());
        return translate(&target, &payees, inputs, &args.documents, args.pretty, &mut out, report);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Exit::Unexpected, format!("no threads: {error}")))?;
    runtime.block_on(send(args, &target))
}

/// `payables validate`
pub(super) fn validate(args: &ValidateArgs) -> Ended {
    logging::begin(false);
    let target = Configuration::load(args.documents.config.as_deref())?.target(&args.documents.to)?;
    let payees = target.payees(args.documents.allow_new_payees, false)?;
    let inputs = inputs::open(&args.documents.files)?;
    let report = Printer::new(BufWriter::new(stdout().lock()), args.documents.output, colours(&stdout()));
    translate(&target, &payees, inputs, &args.documents, false, &mut io::sink(), report)
}

fn translate<W: Write>(
    target: &Target,
    payees: &Payees,
    inputs: Vec<Input<'_>>,
    args: &DocumentArgs,
    pretty: bool,
    out: &mut dyn Write,
    mut report: Printer<W>,
) -> Ended {
    let run = Begun::new(target, true, false);
    let vendor = target.settings.vendor();
    let translator = Translator::new(vendor.submit(), payees, now())
        .levels(target.connection().rules.clone())
        .pretty(pretty)
        .allow_empty(args.allow_empty);
    let mut seen = Summary::default();
    let summary = translator.translate(inputs, out, &mut |item| {
        seen.count(&item);
        report.item(item);
    });
    match summary {
        Ok(summary) => finish(report, run, &summary),
        Err(error) => broken(error, report, run, seen),
    }
}

/// A run that broke off: its report is finished with what is known, and the code says that there is more.
fn broken<W: Write>(error: Error, report: Printer<W>, run: Begun, mut seen: Summary) -> Ended {
    let failure = Failure::from(error);
    if let Some(message) = &failure.message {
        seen.note(format!("broken off: {message}"));
        seen.end_with(failure.exit);
        finish(report, run, &seen)?;
    }
    // The report has said it, in a form that nothing may follow.
    Err(Failure { message: None, ..failure })
}

async fn send(args: &SyncArgs, target: &Target) -> Ended {
    let connection = target.connection();
    // Everything that can be wrong with the configuration is found before a byte is read.
    let vendor = target.settings.vendor();
    let sandbox = if args.sandbox { Some(start_sandbox(connection.account.1).await?) } else { None };
    let (vendor, secret, payees, pace) = match &sandbox {
        Some(sandbox) => {
            let ready = sandbox.ready().tipalti;
            // Nobody has to be spared there.
            (vendor.simulated(&ready.endpoint, &ready.payer_name), Secret::new(ready.master_key), Payees::Any, (0, 1))
        }
        None => {
            let payees = target.payees(args.documents.allow_new_payees, true)?;
            (vendor, target.secret()?, payees, (connection.requests_per_second, connection.burst))
        }
    };
    let inputs = inputs::open(&args.documents.files)?;
    let bridge = Bridge::builder(vendor, secret)
        .payees(payees)
        .levels(connection.rules.clone())
        .timeout(Duration::from_secs(connection.timeout_s))
        .pace(pace.0, pace.1)
        .concurrency(connection.concurrency)
        .replay_after(Duration::from_secs(connection.replay_after_s))
        .allow_empty(args.documents.allow_empty)
        .build()?;
    let sending = Arc::new(AtomicBool::new(false));
    stop_on_signal(bridge.stopper(), Arc::clone(&sending));
    let run = Begun::new(target, false, args.sandbox);
    let report = Printer::new(BufWriter::new(stdout()), args.documents.output, colours(&stdout()));
    let mut watcher = Watcher { report, progress: Progress::new(), sending, seen: Summary::default() };
    let span = tracing::error_span!("run", run = run.id, target = target.name);
    span.in_scope(|| tracing::info!("the run begins"));
    let summary = tracing::Instrument::instrument(bridge.sync(inputs, &mut watcher), span).await;
    watcher.progress.finish();
    let ended = match summary {
        Ok(summary) => finish(watcher.report, run, &summary),
        Err(error) => broken(error, watcher.report, run, watcher.seen),
    };
    if let Some(sandbox) = sandbox {
        sandbox.stop().await;
    }
    ended
}

async fn start_sandbox(payer_name: Option<&str>) -> Result<Sandbox, Failure> {
    let defaults = Options::default();
    let payer_name = payer_name.map_or(defaults.payer_name, str::to_owned);
    Sandbox::start(Options { payer_name, ..Options::default() })
        .await
        .map_err(|error| Failure::new(Exit::Unexpected, format!("the simulator cannot start: {error}")))
}

/// The first signal asks the run to stop, the second one ends it. Before anything is sent the first one ends it.
fn stop_on_signal(stopper: Stopper, sending: Arc<AtomicBool>) {
    tokio::spawn(async move {
        wait_for_signal().await;
        if !sending.load(Ordering::SeqCst) {
            tell(format_args!("payables: stopped; nothing was sent"));
            std::process::exit(i32::from(Exit::Temporary.code()));
        }
        stopper.stop();
        tell(format_args!("payables: stopping; what is on its way is finished, and the rest is left for the next run"));
        wait_for_signal().await;
        tell(format_args!("payables: stopped; what was on its way is in doubt"));
        std::process::exit(i32::from(Exit::InDoubt.code()));
    });
}

/// Waits for Ctrl-C or, where there is one, a request to terminate.
pub(super) async fn wait_for_signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    // Without a handler the default stays: the signal ends the process.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

struct Watcher<W: Write> {
    report: Printer<W>,
    progress: Progress,
    sending: Arc<AtomicBool>,
    /// What has been reported so far, in case the run breaks.
    seen: Summary,
}

impl<W: Write + Send> Observer for Watcher<W> {
    fn imported(&mut self, ready: u64) {
        self.sending.store(true, Ordering::SeqCst);
        self.progress.expect(ready);
    }
    fn item(&mut self, item: Item) {
        self.progress.step();
        self.seen.count(&item);
        self.report.item(item);
    }
}

/// A run that has begun.
struct Begun {
    id: String,
    target: String,
    started_at: String,
    dry_run: bool,
    sandbox: bool,
}

impl Begun {
    fn new(target: &Target, dry_run: bool, sandbox: bool) -> Self {
        let started = jiff::Timestamp::now();
        let id = format!("{}-{:04x}", started.strftime("%Y%m%dT%H%M%SZ"), fastrand::u16(..));
        Self { id, target: target.name.clone(), started_at: rfc3339(started), dry_run, sandbox }
    }
}

fn finish<W: Write>(report: Printer<W>, run: Begun, summary: &Summary) -> Ended {
    let Begun { id, target, started_at, dry_run, sandbox } = run;
    let version = env!("CARGO_PKG_VERSION").to_owned();
    let run = Run { id, target, started_at, finished_at: rfc3339(jiff::Timestamp::now()), version, dry_run, sandbox };
    report.finish(&run, summary).map_err(|error| Failure::output(&error))?;
    Ok(summary.exit())
}

fn rfc3339(time: jiff::Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn now() -> u64 {
    u64::try_from(jiff::Timestamp::now().as_second()).unwrap_or_default()
}

fn colours(stream: &impl IsTerminal) -> bool {
    stream.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Standard output without the line buffer that the library puts before it.
struct RawStdout {
    #[cfg(unix)]
    file: Option<std::fs::File>,
}

impl RawStdout {
    fn new() -> Self {
        #[cfg(unix)]
        {
            use std::os::fd::AsFd;
            let file = stdout().as_fd().try_clone_to_owned().ok().map(std::fs::File::from);
            Self { file }
        }
        #[cfg(not(unix))]
        Self {}
    }
}

impl Write for RawStdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        #[cfg(unix)]
        if let Some(file) = &mut self.file {
            return file.write(bytes);
        }
        stdout().write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        stdout().flush()
    }
}
