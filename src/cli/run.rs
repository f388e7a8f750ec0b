//! A run as the command line carries it: put together from a target, watched, stopped by signals, and reported.

use std::io::{BufWriter, IsTerminal, Write, stdout};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

use super::args::{Output, TimeArgs};
use super::print::Printer;
use super::progress::Progress;
use super::{Ended, Failure, tell};
use crate::bridge::{Bridge, BridgeBuilder, Error, Items, Observer, Stopper};
use crate::config::Target;
use crate::outcome::Exit;
use crate::report::{Item, Run, Summary};

/// The threads that a run waits on.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Exit::Unexpected, format!("no threads: {error}")))
}

/// A bridge as the target's settings want it, but for vendor, credentials, journal and guards.
pub(super) fn bridge(target: &Target, pace: (u32, u32), times: &TimeArgs) -> BridgeBuilder {
    let connection = target.connection();
    Bridge::builder()
        .target(&target.name)
        .levels(connection.rules.clone())
        .timeout(Duration::from_secs(connection.timeout_s))
        .pace(pace.0, pace.1)
        .concurrency(connection.concurrency)
        .replay_after(Duration::from_secs(connection.replay_after_s))
        .quarantine(Duration::from_secs(connection.quarantine_s))
        .wait(Duration::from_secs(times.wait))
        .deadline(Duration::from_secs(times.deadline))
}

/// What a signal may do to a run, and whether it did.
#[derive(Debug, Clone, Default)]
pub(super) struct Signals {
    /// Whether something may have been sent.
    pub(super) sending: Arc<AtomicBool>,
    /// Whether the run was asked to stop.
    pub(super) stopped: Arc<AtomicBool>,
}

/// Watches a run to its end, and reports it on standard output.
pub(super) async fn watch(mut items: Items, mut run: Begun, output: Output, signals: &Signals) -> Ended {
    let report = Printer::new(BufWriter::new(stdout()), output, colours(&stdout()));
    let sending = Arc::clone(&signals.sending);
    let mut watcher = Watcher { report, progress: Progress::new(), sending, seen: Summary::default() };
    items.run().clone_into(&mut run.id);
    let given_up = Arc::new(Notify::new());
    let listener = stop_on_signal(items.stopper(), signals.clone(), Arc::clone(&given_up));
    loop {
        let progress = tokio::select! {
            biased;
            () = given_up.notified() => {
                watcher.progress.finish();
                return give_up(watcher.report, run, watcher.seen, !signals.stopped.load(Ordering::SeqCst));
            }
            progress = items.progress() => progress,
        };
        match progress {
            Some(crate::bridge::Progress::Imported(going)) => watcher.imported(going),
            Some(crate::bridge::Progress::Settled(item)) => watcher.item(item),
            None => break,
        }
    }
    let summary = items.summary().await;
    listener.abort();
    watcher.progress.finish();
    match summary {
        Ok(summary) => finish(watcher.report, run, &summary),
        Err(error) => broken(error, watcher.report, run, watcher.seen),
    }
}

/// The first signal asks the run to stop, the second one ends it. Before anything is sent the first one ends it.
fn stop_on_signal(stopper: Stopper, signals: Signals, given_up: Arc<Notify>) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move {
        wait_for_signal().await;
        if !signals.sending.load(Ordering::SeqCst) && stopper.cancel() {
            give_up_at(&given_up, Exit::Temporary).await;
        }
        signals.stopped.store(true, Ordering::SeqCst);
        stopper.stop();
        tell(format_args!("payables: stopping; what is on its way is finished, and the rest is left for the next run"));
        wait_for_signal().await;
        give_up_at(&given_up, Exit::InDoubt).await;
    })
}

/// Has the report finished, and ends the process even when nobody reads that.
async fn give_up_at(given_up: &Notify, exit: Exit) {
    given_up.notify_one();
    tokio::time::sleep(Duration::from_secs(2)).await;
    std::process::exit(i32::from(exit.code()));
}

/// The end of a run that nobody waits for: its report is whole, although not all of its documents stand in it.
fn give_up<W: Write>(report: Printer<W>, run: Begun, mut seen: Summary, before_sending: bool) -> Ended {
    let (told, note, exit) = if before_sending {
        (
            "payables: stopped; nothing was sent",
            "stopped before anything was sent: documents that are not listed were not sent",
            Exit::Temporary,
        )
    } else {
        (
            "payables: stopped; what was on its way is in doubt",
            "stopped in the middle of calls: documents that are not listed are in doubt or were left for the next run; `payables \
             status` lists them",
            Exit::InDoubt,
        )
    };
    tell(format_args!("{told}"));
    seen.note(note.to_owned());
    seen.end_with(exit);
    finish(report, run, &seen)
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
pub(super) struct Begun {
    id: String,
    target: String,
    started_at: String,
    dry_run: bool,
    sandbox: bool,
}

impl Begun {
    pub(super) fn new(target: &Target, dry_run: bool, sandbox: bool) -> Self {
        Self::of(&target.name, dry_run, sandbox)
    }

    /// The name that people use.
    #[cfg(feature = "aws")]
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// The same for a target of which only the name is known.
    pub(super) fn of(target: &str, dry_run: bool, sandbox: bool) -> Self {
        let started = jiff::Timestamp::now();
        let id = format!("{}-{:04x}", started.strftime("%Y%m%dT%H%M%SZ"), fastrand::u16(..));
        Self { id, target: target.to_owned(), started_at: rfc3339(started), dry_run, sandbox }
    }
}

/// The end of a report, and the code of the run.
pub(super) fn finish<W: Write>(report: Printer<W>, run: Begun, summary: &Summary) -> Ended {
    let Begun { id, target, started_at, dry_run, sandbox } = run;
    let version = env!("CARGO_PKG_VERSION").to_owned();
    let run = Run { id, target, started_at, finished_at: rfc3339(jiff::Timestamp::now()), version, dry_run, sandbox };
    report.finish(&run, summary).map_err(|error| Failure::output(&error))?;
    Ok(summary.exit())
}

/// A run that broke off: its report is finished with what is known, and the code says that there is more.
pub(super) fn broken<W: Write>(error: Error, report: Printer<W>, run: Begun, mut seen: Summary) -> Ended {
    let failure = Failure::from(error);
    if let Some(message) = &failure.message {
        seen.note(format!("broken off: {message}"));
        seen.end_with(failure.exit);
        finish(report, run, &seen)?;
    }
    // The report has said it, in a form that nothing may follow.
    Err(Failure { message: None, ..failure })
}

fn rfc3339(time: jiff::Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Whether colours are wanted on a stream.
pub(super) fn colours(stream: &impl IsTerminal) -> bool {
    stream.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
