//! `payables fetch orders`.

use std::io::{BufWriter, Write, stdout};
use std::ops::ControlFlow;
use std::time::Duration;

use super::args::fetch::{FetchArgs, FetchCommand, OrdersArgs};
use super::print::{number, plain, write_json};
use super::run::{self, wait_for_signal};
use super::trial::Trial;
use super::{Ended, Failure, logging, tell};
use crate::adapter::Fetched;
use crate::bridge::{Bridge, FetchError, Form};
use crate::config::{Configuration, Target};
use crate::outcome::Exit;

/// `payables fetch`
pub(super) fn fetch(args: &FetchArgs) -> Ended {
    let FetchCommand::Orders(args) = &args.what;
    logging::begin(false);
    let target = Configuration::load(args.config.config.as_deref())?.target(&args.from)?;
    // What cannot be asked is told before credentials are looked for.
    let vendor = target.settings.vendor();
    let Some(fetch) = vendor.submit().fetch() else {
        return Err(Failure::new(Exit::Usage, format!("{} has no orders to give; documents are only sent there", target.name)));
    };
    let now = u64::try_from(jiff::Timestamp::now().as_second()).unwrap_or_default();
    fetch.questions(&args.wanted(), now).map_err(|why| Failure::new(Exit::Usage, why))?;
    run::runtime()?.block_on(orders(args, &target))
}

async fn orders(args: &OrdersArgs, target: &Target) -> Ended {
    let connection = target.connection();
    let trial = if args.sandbox { Some(Trial::start(target).await?) } else { None };
    let (vendor, credentials, pace) = match &trial {
        Some(trial) => (trial.vendor.clone(), trial.credentials.clone(), (0, 1)),
        None => (target.settings.vendor(), target.credentials()?, (connection.requests_per_second, connection.burst)),
    };
    let fetcher = Bridge::builder()
        .vendor(vendor.into_submit())
        .credentials(credentials)
        .levels(connection.rules.clone())
        .timeout(Duration::from_secs(connection.timeout_s))
        .pace(pace.0, pace.1)
        .fetcher()?;
    let form = if args.invoice { Form::Invoices } else { Form::Orders };
    let wanted = args.wanted();
    let mut printer = Printer { out: BufWriter::new(stdout()), written: 0, left_out: 0, unreadable: 0, failed: None };
    let mut take = |fetched| printer.take(fetched);
    let ended = tokio::select! {
        ended = fetcher.fetch(&wanted, form, &mut take) => ended,
        () = wait_for_signal() => {
            Err(FetchError { exit: Exit::Temporary, message: "stopped".to_owned() })
        }
    };
    if let Some(trial) = trial {
        trial.stop().await;
    }
    printer.finish(&target.name, ended)
}

/// Writes documents to standard output, and what is to be said of them to standard error.
struct Printer<W: Write> {
    out: W,
    written: u64,
    left_out: u64,
    unreadable: u64,
    failed: Option<std::io::Error>,
}

impl<W: Write> Printer<W> {
    fn take(&mut self, fetched: Fetched) -> ControlFlow<()> {
        let name = fetched.number.as_deref().map(|name| format!("{}: ", number(name))).unwrap_or_default();
        for fault in &fetched.faults {
            let weight = if fault.is_error() { "" } else { "warning: " };
            let path = if fault.path.is_empty() { String::new() } else { format!("{}: ", fault.path) };
            tell(format_args!("{}", plain(&format!("{name}{weight}{path}{} [{}]", fault.message, fault.rule))));
        }
        let Some(document) = &fetched.document else {
            let is_error = fetched.faults.iter().any(crate::model::Fault::is_error);
            *(if is_error { &mut self.unreadable } else { &mut self.left_out }) += 1;
            return ControlFlow::Continue(());
        };
        // Whoever reads along gets whole lines.
        let wrote = write_json(&mut self.out, document).and_then(|()| self.out.write_all(b"\n")).and_then(|()| self.out.flush());
        match wrote {
            Ok(()) => {
                self.written += 1;
                ControlFlow::Continue(())
            }
            Err(error) => {
                self.failed = Some(error);
                ControlFlow::Break(())
            }
        }
    }

    fn finish(self, target: &str, ended: Result<(), FetchError>) -> Ended {
        if let Some(error) = self.failed {
            return Err(Failure::output(&error));
        }
        let count = |count: u64, what: &str| if count > 0 { format!(", {count} {what}") } else { String::new() };
        let orders = if self.written == 1 { "1 order".to_owned() } else { format!("{} orders", self.written) };
        let left_out = count(self.left_out, "left out");
        let unreadable = count(self.unreadable, "could not be had");
        let fetched = format!("{orders} from {target}{left_out}{unreadable}");
        match ended {
            Ok(()) => {
                tell(format_args!("{}", plain(&fetched)));
                Ok(if self.unreadable > 0 { Exit::Documents } else { Exit::Done })
            }
            Err(FetchError { message, exit }) => Err(Failure::new(exit, format!("{message}\n{fetched}; there may be more"))),
        }
    }
}
