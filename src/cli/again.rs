//! `payables retry` and `payables follow-up`: runs that read nothing, and go on with what the journal knows.

use std::io::{BufWriter, stdout};
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::args::operator::{FollowUpArgs, RetryArgs};
use super::args::{Output, TimeArgs};
use super::lookup::{self, Runs, nothing_yet};
use super::print::{Printer, number};
use super::run::{self, Begun, Signals, colours};
use super::{Ended, Failure, logging, tell};
use crate::bridge::Bridge;
use crate::config::{Configuration, Target};
use crate::journal::{Journal, Sqlite};
use crate::outcome::Exit;
use crate::report::Summary;

/// `payables retry`
pub(super) fn retry(args: &RetryArgs) -> Ended {
    logging::begin(false);
    let (configuration, path) = lookup::configured(args.config.config.as_deref())?;
    if let Some(to) = &args.to {
        configuration.target(to)?;
    }
    let Some(mut journal) = lookup::read(&path)? else {
        tell(format_args!("payables: {}", nothing_yet(&path)));
        return Ok(if args.run.is_some() { Exit::Documents } else { Exit::Done });
    };
    let (target, run) = match &args.run {
        Some(name) => of_run(&mut journal, &configuration, name, args.to.as_deref())?,
        None => {
            let target = configuration.target(&the_only(&configuration, args.to.as_deref())?)?;
            match last_run(&mut journal, &target)? {
                Some(run) => (target, run),
                None => {
                    tell(format_args!("payables: no run to {} has ended yet; there is nothing to try again", target.name));
                    return Ok(Exit::Done);
                }
            }
        }
    };
    drop(journal);
    run::runtime()?.block_on(async {
        let bridge = bridge(&target, &path, &args.times)?;
        let begun = Begun::new(&target, false, false);
        run::watch(bridge.retry(Some(run)), begun, args.output, &at_work()).await
    })
}

/// The target of a run, and the run.
fn of_run(
    journal: &mut dyn Journal,
    configuration: &Configuration,
    name: &str,
    to: Option<&str>,
) -> Result<(Target, String), Failure> {
    let unknown = || Failure::new(Exit::Documents, format!("{}: the journal knows no run of this name", number(name)));
    let run = journal.run(name)?.ok_or_else(unknown)?;
    let target = configuration.target(to.unwrap_or(&run.target))?;
    let scope = journal.scopes()?.into_iter().find(|(id, _)| *id == run.scope).map(|(_, scope)| scope);
    if scope.as_ref() != Some(&lookup::scope(&target)) {
        let place = scope.map(|scope| format!(" ({}, {})", scope.environment, scope.account)).unwrap_or_default();
        return Err(Failure::new(
            Exit::Usage,
            format!("run {name} went to {}{place}, and {} is another account or address now", run.target, target.name),
        ));
    }
    Ok((target, run.name))
}

fn last_run(journal: &mut dyn Journal, target: &Target) -> Result<Option<String>, Failure> {
    let scope = lookup::scope(target);
    let Some((id, _)) = journal.scopes()?.into_iter().find(|(_, known)| *known == scope) else { return Ok(None) };
    Ok(Runs::of(journal)?.last_of(id).map(|run| run.name.clone()))
}

/// The target that is meant where none is named.
fn the_only(configuration: &Configuration, to: Option<&str>) -> Result<String, Failure> {
    if let Some(to) = to {
        return Ok(to.to_owned());
    }
    match targets(configuration).as_slice() {
        [only] => Ok(only.clone()),
        several => Err(Failure::new(Exit::Usage, format!("say which target is meant with --to: {}", several.join(" ")))),
    }
}

/// The targets that are configured; without any, those that are always there and want no credentials to be asked.
fn targets(configuration: &Configuration) -> Vec<String> {
    let written = configuration.written_targets();
    if !written.is_empty() {
        return written;
    }
    let is_free = |name: &String| configuration.target(name).is_ok_and(|target| !has_answers(&target));
    configuration.target_names().into_iter().filter(is_free).collect()
}

/// Whether the target's vendor gives its verdicts later.
fn has_answers(target: &Target) -> bool {
    target.settings.vendor().submit().follow_up().is_some()
}

/// `payables follow-up`
pub(super) fn follow_up(args: &FollowUpArgs) -> Ended {
    logging::begin(false);
    let (configuration, path) = lookup::configured(args.config.config.as_deref())?;
    let names = args.to.clone().map_or_else(|| targets(&configuration), |to| vec![to]);
    // Everything that can be wrong with the configuration is found before anybody is asked.
    let targets = names.iter().map(|name| configuration.target(name)).collect::<Result<Vec<_>, _>>()?;
    let times = TimeArgs { wait: 0, wait_lock: args.wait_lock, deadline: 14_400 };
    run::runtime()?.block_on(async {
        let signals = at_work();
        let mut end = Exit::Done;
        for target in &targets {
            end = end.worse(follow_one(target, &path, &times, args.output, &signals).await?);
            if signals.stopped.load(Ordering::SeqCst) {
                return Ok(end.worse(Exit::Temporary));
            }
        }
        Ok(end)
    })
}

async fn follow_one(target: &Target, path: &Path, times: &TimeArgs, output: Output, signals: &Signals) -> Ended {
    let begun = Begun::new(target, false, false);
    // Who has nothing to answer is not asked, and needs neither credentials nor the journal.
    if !has_answers(target) {
        let mut summary = Summary::default();
        summary.note(format!("{} gives its verdicts at once; there is nothing to ask for", target.name));
        let report = Printer::new(BufWriter::new(stdout()), output, colours(&stdout()));
        return run::finish(report, begun, &summary);
    }
    let bridge = bridge(target, path, times)?;
    run::watch(bridge.follow_up(), begun, output, signals).await
}

/// A bridge that reads no documents, so that no guard has anything to say.
fn bridge(target: &Target, path: &Path, times: &TimeArgs) -> Result<Bridge, Failure> {
    let connection = target.connection();
    let credentials = target.credentials()?;
    let journal = Sqlite::open(path, Duration::from_secs(times.wait_lock))?;
    let bridge = run::bridge(target, (connection.requests_per_second, connection.burst), times)
        .vendor(target.settings.vendor().into_submit())
        .credentials(credentials)
        .journal(journal)
        .build()?;
    Ok(bridge)
}

/// What such a run begins with may be sent at once, so a signal never just ends it.
fn at_work() -> Signals {
    let signals = Signals::default();
    signals.sending.store(true, Ordering::SeqCst);
    signals
}
