//! `validate`, `status` and `suppliers`: what only portals have.

use std::io::{Write as _, stdout};
use std::time::Duration;

use super::office::{Office, refused};
use super::run;
use super::steps::on_stdout;
use crate::bridge::aws::{Applied, Apply, NewStatus};
use crate::cli::args::Output;
use crate::cli::args::aws::{MeantArgs, StatusArgs, SuppliersArgs, ValidateArgs};
use crate::cli::print::{grid, plain};
use crate::cli::run::colours;
use crate::cli::times;
use crate::cli::{Ended, Failure, tell};
use crate::journal::{Journal as _, NewRun};
use crate::outcome::{Exit, Outcome};
use crate::report::Item;
use crate::vendors::aws::{Held, Judged, Preference, Resource as _, Status};

/// `portal validate`
pub(super) fn validate(args: &ValidateArgs, office: &Office, meant: Vec<Judged<'_, Preference<'_>>>) -> Ended {
    let what = match &args.code {
        Some(code) => What::Verify(code.clone()),
        None => What::SendCode,
    };
    let exit = change(office, &args.meant, meant, &what)?;
    if exit == Exit::Done && args.code.is_none() {
        let meant = &args.meant.meant;
        tell(format_args!("AWS sends a code to the portal; say which one came: payables portal validate {meant} --code CODE"));
    }
    Ok(exit)
}

/// `portal status`
pub(super) fn status(args: &StatusArgs, office: &Office, meant: Vec<Judged<'_, Preference<'_>>>) -> Ended {
    let StatusArgs { einvoice, po_retrieval, reason, .. } = args;
    if einvoice.is_some() || po_retrieval.is_some() {
        if reason.as_ref().is_some_and(|reason| reason.chars().count() > 1024) {
            return Err(Failure::new(Exit::Usage, "--reason: AWS takes 1024 characters"));
        }
        for word in [einvoice, po_retrieval].into_iter().flatten().filter(|word| !Status::WORDS.contains(&word.as_str())) {
            let known = Status::WORDS.join(" ");
            tell(format_args!(
                "payables: {:?} is none of the statuses that are known here ({known}); AWS is asked all the same",
                word
            ));
        }
        let status = NewStatus { einvoice: einvoice.clone(), po_retrieval: po_retrieval.clone(), reason: reason.clone() };
        return change(office, &args.meant, meant, &What::Status(status));
    }
    if reason.is_some() {
        return Err(Failure::new(Exit::Usage, "--reason goes with --einvoice or --po-retrieval"));
    }
    let held: Held<Preference<'_>> = run::runtime()?.block_on(async {
        let desk = office.desk(false).await?;
        desk.meant(&args.meant.meant, meant).await
    })?;
    show(office, &held).map_err(|error| Failure::output(&error))?;
    Ok(Exit::Done)
}

fn show(office: &Office, held: &Held<Preference<'_>>) -> std::io::Result<()> {
    let mut out = stdout();
    if office.output == Output::Table {
        let mut table = grid(&["Part", "Status", "Reason"], colours(&out));
        for status in &held.statuses {
            let reason = status.reason.clone().unwrap_or_default();
            table.add_row([status.part.to_owned(), status.word.clone(), reason].map(|cell| plain(&cell).into_owned()));
        }
        return writeln!(out, "{}\n{}", plain(&held.content.name().unwrap_or_default()), table.trim_fmt());
    }
    let statuses: serde_json::Map<String, serde_json::Value> = held
        .statuses
        .iter()
        .map(|status| (status.part.to_owned(), serde_json::json!({ "status": status.word, "reason": status.reason })))
        .collect();
    writeln!(out, "{}", serde_json::json!({ "arn": held.arn(), "name": held.content.name(), "statuses": statuses }))
}

/// What is done with a preference besides changing what it says.
enum What {
    SendCode,
    Verify(String),
    Status(NewStatus),
}

fn change(office: &Office, args: &MeantArgs, meant: Vec<Judged<'_, Preference<'_>>>, what: &What) -> Ended {
    run::runtime()?.block_on(async {
        let mut journal = office.journal(false, args.wait_lock)?;
        let desk = office.desk(false).await?;
        let held: Held<Preference<'_>> = desk.meant(&args.meant, meant).await?;
        let mut reported = on_stdout(office, false);
        let scope = journal.scope(&office.target.scope())?;
        let (name, target) = (reported.begun.id().to_owned(), office.target.name.clone());
        let run = journal.begin(&NewRun { name, scope, target, at: times::now(), inputs: vec![args.meant.clone()] })?;
        journal.promote(run, times::now())?;
        let window = Duration::from_secs(office.target.settings.token_window_s);
        let (account, arn) = (&desk.account, held.arn());
        let mut apply = Apply { account, journal: &mut journal, scope, run, window, secret: &|_| None, clock: &times::now };
        let Applied { outcome, faults, denied, .. } = match what {
            What::SendCode => apply.send_code(arn).await?,
            What::Verify(code) => apply.verify(arn, code).await?,
            What::Status(status) => apply.set_status(&held, status).await?,
        };
        let item = Item {
            kind: None,
            number: held.content.name(),
            outcome,
            reference: Some(arn.to_owned()),
            faults,
            source: None,
            plan: None,
            amount: None,
        };
        journal.report(run, std::slice::from_ref(&item))?;
        reported.item(item);
        if denied {
            reported.summary.end_with(Exit::Refused);
        }
        if outcome == Outcome::Accepted {
            let done = match what {
                What::SendCode => "a code is on its way to the portal",
                What::Verify(_) => "AWS took the code",
                What::Status(_) => "AWS shows what was to be set",
            };
            reported.summary.note(done.to_owned());
        }
        if outcome == Outcome::InDoubt {
            reported
                .summary
                .note("the same command once more finds out, and asks with the same token while AWS may know it".to_owned());
        }
        reported.summary.requests = account.requests();
        let summary = serde_json::to_string(&reported.summary).unwrap_or_default();
        journal.end(run, times::now(), &summary)?;
        reported.finish()
    })
}

/// `portal suppliers`
pub(super) fn suppliers(args: &SuppliersArgs) -> Ended {
    let office = Office::of(&args.target)?;
    let portals = run::runtime()?.block_on(async {
        let desk = office.desk(false).await?;
        desk.account.portals(args.portal.as_deref()).await.map_err(|trouble| refused(&trouble))
    })?;
    if portals.is_empty() {
        let wanted = args.portal.as_deref().unwrap_or_default();
        return Err(Failure::new(Exit::Usage, format!("AWS knows no portal {wanted:?}; `payables portal suppliers` lists all")));
    }
    let mut out = stdout();
    let written = match office.output {
        Output::Table => {
            let mut table = grid(&["Portal", "supplier_identifier", "Seller of record", "Country", "Environment"], colours(&out));
            for portal in &portals {
                for supplier in &portal.suppliers {
                    let word = |text: &Option<String>| text.clone().unwrap_or_default();
                    let (seller, country) = (word(&supplier.seller), word(&supplier.country));
                    let row = [portal.name.clone(), supplier.identifier.clone(), seller, country, word(&supplier.environment)];
                    table.add_row(row.map(|cell| plain(&cell).into_owned()));
                }
            }
            writeln!(out, "{}", table.trim_fmt())
        }
        Output::Json => writeln!(out, "{:#}", serde_json::json!(portals)),
        Output::Ndjson => portals.iter().try_for_each(|portal| writeln!(out, "{}", serde_json::json!(portal))),
    };
    written.map_err(|error| Failure::output(&error))?;
    Ok(Exit::Done)
}
