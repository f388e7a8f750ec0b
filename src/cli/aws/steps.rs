//! Does the steps of a plan, reports each as it ends, and keeps the report in the journal.

use std::io::{BufWriter, Write, stdout};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::files::Vault;
use super::office::{Desk, Office};
use crate::bridge::Error;
use crate::bridge::aws::{Applied, Apply, Kept};
use crate::cli::print::Printer;
use crate::cli::run::{self, Begun, colours, wait_for_signal};
use crate::cli::times;
use crate::cli::{Ended, tell};
use crate::journal::{Intents as _, Journal as _, NewRun, Sqlite};
use crate::model::{Fault, Path, Source};
use crate::outcome::{Action, Exit, Outcome};
use crate::report::{Item, Plan, Summary};
use crate::vendors::aws::{Resource, Step};

/// A report that grows.
pub(super) struct Reported<W: Write> {
    pub(super) report: Printer<W>,
    pub(super) begun: Begun,
    pub(super) summary: Summary,
}

impl<W: Write> Reported<W> {
    pub(super) fn to(out: W, colours: bool, office: &Office, dry_run: bool, is_trial: bool) -> Self {
        let begun = Begun::of(&office.target.name, dry_run, is_trial);
        Self { report: Printer::new(out, office.output, colours).about_kept(), begun, summary: Summary::default() }
    }

    pub(super) fn item(&mut self, item: Item) {
        self.summary.count(&item);
        self.report.item(item);
    }

    pub(super) fn finish(self) -> Ended {
        run::finish(self.report, self.begun, &self.summary)
    }
}

/// A report on standard output.
pub(super) fn on_stdout(office: &Office, is_trial: bool) -> Reported<BufWriter<std::io::Stdout>> {
    Reported::to(BufWriter::new(stdout()), colours(&stdout()), office, false, is_trial)
}

/// A step as an item of a report.
pub(super) fn item<T: Resource>(step: &Step<T>, outcome: Outcome, arn: Option<String>, faults: Vec<Fault>) -> Item {
    let file = step.file.clone();
    let place = |fault: Fault| match &file {
        None => fault,
        Some(file) => {
            let source = fault.source.unwrap_or_default();
            Fault { source: Some(Source { file: Some(file.clone().into()), ..source }), ..fault }
        }
    };
    // What is wrong is mended before anybody asks what would be done.
    let is_sound = outcome != Outcome::Invalid;
    Item {
        kind: None,
        number: step.name.clone(),
        outcome,
        reference: arn.or_else(|| step.arn().map(str::to_owned)),
        faults: faults.into_iter().map(place).collect(),
        source: file.as_ref().map(|file| Source { file: Some(file.clone().into()), ..Source::default() }),
        plan: (is_sound && step.action != Action::Keep)
            .then(|| Box::new(Plan { action: step.action, changes: step.changes.clone() })),
        amount: None,
    }
}

/// Does steps and reports them.
pub(super) async fn run<T: Kept>(
    office: &Office,
    desk: &Desk,
    mut journal: Sqlite,
    vault: &Vault,
    steps: Vec<Step<T>>,
    inputs: Vec<String>,
    is_trial: bool,
) -> Ended {
    let mut reported = on_stdout(office, is_trial);
    match do_all(office, desk, &mut journal, vault, steps, inputs, &mut reported).await {
        Ok(()) => reported.finish(),
        Err(error) => run::broken(Error::Journal(error), reported.report, reported.begun, reported.summary),
    }
}

async fn do_all<T: Kept, W: Write>(
    office: &Office,
    desk: &Desk,
    journal: &mut Sqlite,
    vault: &Vault,
    steps: Vec<Step<T>>,
    inputs: Vec<String>,
    reported: &mut Reported<W>,
) -> crate::journal::Result<()> {
    let scope = journal.scope(&office.target.scope())?;
    let (name, target) = (reported.begun.id().to_owned(), office.target.name.clone());
    let run = journal.begin(&NewRun { name, scope, target, at: times::now(), inputs })?;
    // There is no input that could have been stored in part.
    journal.promote(run, times::now())?;
    let stopped = Arc::new(AtomicBool::new(false));
    let listener = tokio::spawn(stop_on_signal(Arc::clone(&stopped)));
    let secret = |reference: &crate::vendors::aws::Reference<'_>| vault.get(reference);
    let window = Duration::from_secs(office.target.settings.token_window_s);
    let oldest = i64::try_from(window.as_millis()).map_or(0, |window| times::now() - window);
    journal.lapse(scope, oldest, times::now())?;
    let mut denied = false;
    // Steps that were not done, with what they have not given up.
    let mut not_done: Vec<Step<T>> = Vec::new();
    let mut left_over = false;
    let mut items = Vec::new();
    for mut step in steps {
        let in_the_way = not_done.iter().find_map(|other| Some((step.waits_for(other)?, other.name.as_deref())));
        if let Some((rule, name)) = in_the_way {
            step.hold_for(rule, name);
        }
        let left_out = if denied {
            Some("AWS refuses whoever asks, as is said above")
        } else if stopped.load(Ordering::SeqCst) {
            Some("stopped before")
        } else {
            None
        };
        let applied = match left_out.filter(|_| step.outcome == Outcome::Planned) {
            Some(why) => {
                let fault = Fault::error("AWS-063", Path::ROOT, why);
                Applied { outcome: Outcome::NotSent, arn: None, faults: vec![fault], denied: false }
            }
            None => {
                let account = &desk.account;
                let mut apply = Apply { account, journal, scope, run, window, secret: &secret, clock: &times::now };
                apply.step(&step).await?
            }
        };
        denied |= applied.denied;
        left_over |= left_out.is_some() && applied.outcome == Outcome::NotSent;
        let item = item(&step, applied.outcome, applied.arn, applied.faults);
        items.push(item.clone());
        if !matches!(item.outcome, Outcome::Accepted | Outcome::Submitted | Outcome::Unchanged) {
            not_done.push(step);
        }
        reported.item(item);
    }
    listener.abort();
    if denied {
        reported.summary.end_with(Exit::Refused);
    }
    if stopped.load(Ordering::SeqCst) && left_over {
        reported.summary.note("stopped; the next apply does the rest".to_owned());
        reported.summary.end_with(Exit::Temporary);
    }
    reported.summary.requests = desk.account.requests();
    journal.report(run, &items)?;
    let summary = serde_json::to_string(&reported.summary).unwrap_or_default();
    journal.end(run, times::now(), &summary)
}

/// The first signal lets the step end that has begun, the second one ends the process; the next apply finds out what was done.
async fn stop_on_signal(stopped: Arc<AtomicBool>) {
    wait_for_signal().await;
    stopped.store(true, Ordering::SeqCst);
    tell(format_args!("payables: stopping; what has begun is finished, and the rest is left for the next apply"));
    wait_for_signal().await;
    tell(format_args!("payables: stopped; what was on its way is in doubt until the next apply"));
    std::process::exit(i32::from(Exit::InDoubt.code()));
}
