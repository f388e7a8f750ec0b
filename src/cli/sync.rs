//! `payables sync` and `payables validate`.

use std::io::{self, BufWriter, Write, stderr, stdout};
use std::path::Path;
use std::time::Duration;

use super::args::{DocumentArgs, SyncArgs, ValidateArgs};
use super::print::Printer;
use super::run::{self, Begun, Signals, colours};
use super::trial::Trial;
use super::{Ended, Failure, inputs, logging};
use crate::adapter::Payees;
use crate::bridge::Translator;
use crate::config::{Configuration, Target};
use crate::intake::Input;
use crate::journal::Sqlite;
use crate::report::Summary;

/// `payables sync`
pub(super) fn sync(args: &SyncArgs) -> Ended {
    logging::begin(args.dry_run);
    let configuration = Configuration::load(args.documents.config.as_deref())?;
    let target = configuration.target(&args.documents.to)?;
    if args.dry_run {
        let payees = target.payees(args.documents.allow_new_payees, false)?;
        let inputs = inputs::documents(&args.documents)?;
        let report = Printer::new(BufWriter::new(stderr().lock()), args.documents.output, colours(&stderr()));
        // Standard output may be closed early; a large buffer makes few calls.
        let mut out = BufWriter::with_capacity(1 << 20, RawStdout::new());
        return translate(&target, &payees, inputs, &args.documents, args.pretty, &mut out, report);
    }
    run::runtime()?.block_on(send(args, &target, &configuration.journal()?))
}

/// `payables validate`
pub(super) fn validate(args: &ValidateArgs) -> Ended {
    logging::begin(false);
    let target = Configuration::load(args.documents.config.as_deref())?.target(&args.documents.to)?;
    let payees = target.payees(args.documents.allow_new_payees, false)?;
    let inputs = inputs::documents(&args.documents)?;
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
    let begun = Begun::new(target, true, false);
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
        Ok(summary) => run::finish(report, begun, &summary),
        Err(error) => run::broken(error, report, begun, seen),
    }
}

async fn send(args: &SyncArgs, target: &Target, journal: &Path) -> Ended {
    let connection = target.connection();
    // Everything that can be wrong with the configuration is found before a byte is read.
    let vendor = target.settings.vendor();
    let trial = if args.sandbox { Some(Trial::start(target).await?) } else { None };
    let (vendor, credentials, payees, pace) = match &trial {
        // Nobody has to be spared there.
        Some(trial) => (trial.vendor.clone(), trial.credentials.clone(), Payees::Any, (0, 1)),
        None => {
            let payees = target.payees(args.documents.allow_new_payees, true)?;
            (vendor, target.credentials()?, payees, (connection.requests_per_second, connection.burst))
        }
    };
    let inputs = inputs::documents(&args.documents)?;
    // The trial's journal lives and dies with the run.
    let journal = match &trial {
        Some(_) => Sqlite::temporary(),
        None => Sqlite::open(journal, Duration::from_secs(args.times.wait_lock)),
    };
    let journal = journal.map_err(Failure::from)?;
    let bridge = run::bridge(target, pace, &args.times)
        .vendor(vendor.into_submit())
        .credentials(credentials)
        .journal(journal)
        .payees(payees)
        .allow_empty(args.documents.allow_empty)
        .build()?;
    let begun = Begun::new(target, false, args.sandbox);
    let ended = run::watch(bridge.submit(inputs), begun, args.documents.output, &Signals::default()).await;
    if let Some(trial) = trial {
        trial.stop().await;
    }
    ended
}

fn now() -> u64 {
    u64::try_from(jiff::Timestamp::now().as_second()).unwrap_or_default()
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
