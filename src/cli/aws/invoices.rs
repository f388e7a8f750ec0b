//! `portal invoices`: what AWS lists of its own invoices, and what of them is missing on our side.

use std::collections::HashSet;
use std::fs;
use std::io::{Write as _, stdout};
use std::path::Path;

use super::office::{self, Desk, Office, refused};
use super::run;
use crate::adapter::When;
use crate::bridge::aws::Account;
use crate::cli::args::Output;
use crate::cli::args::aws::InvoicesArgs;
use crate::cli::inputs;
use crate::cli::lookup;
use crate::cli::mapping;
use crate::cli::print::{grid, plain};
use crate::cli::run::colours;
use crate::cli::{Ended, Failure, tell};
use crate::engine::state::State;
use crate::journal::Journal as _;
use crate::model::Kind;
use crate::outcome::Exit;
use crate::vendors::aws::{AwsInvoice, Missing, Ours, Preference, moment};

/// `portal invoices`
pub(super) fn invoices(args: &InvoicesArgs) -> Ended {
    let office = Office::of(&args.target)?;
    let now = jiff::Timestamp::now().as_second();
    let seconds = |when: &When| match when {
        When::Ago(age) => now - i64::try_from(age.as_secs()).unwrap_or(now),
        When::At(date) => moment(*date).map_or(now, |moment| moment.as_second()),
    };
    let (since, until) = (seconds(&args.since), args.until.as_ref().map_or(now, seconds));
    if since >= until {
        return Err(Failure::new(Exit::Usage, "--since: the span is empty; it has to begin before it ends"));
    }
    if let Some(account) =
        args.account.as_ref().filter(|account| account.len() != 12 || !account.bytes().all(|byte| byte.is_ascii_digit()))
    {
        return Err(Failure::new(Exit::Usage, format!("--account: {account:?} is no account of AWS: those have 12 digits")));
    }
    let ours = args.against.as_deref().map(|against| ours(&office, against, args.mapping.as_deref())).transpose()?;
    let (account, mut all, again) = run::runtime()?.block_on(async {
        let desk = office.desk(false).await?;
        let account = match &args.account {
            Some(account) => account.clone(),
            None => account_of(&desk).await?,
        };
        let mut again = false;
        let mut all = desk.account.invoices(&account, since, until).await.map_err(|trouble| refused(&trouble))?;
        if let Some(folder) = &args.pdf {
            fs::create_dir_all(folder)
                .map_err(|error| Failure::new(Exit::Usage, format!("{} cannot be made: {error}", folder.display())))?;
            for invoice in &mut all {
                again |= save(&desk.account, invoice, folder).await?;
            }
        }
        Ok::<_, Failure>((account, all, again))
    })?;
    if let Some(ours) = &ours {
        all.iter_mut().for_each(|invoice| invoice.missing = ours.lacks(invoice));
    }
    print(&all, office.output).map_err(|error| Failure::output(&error))?;
    let missing = all.iter().filter(|invoice| invoice.missing.is_some()).count();
    let undelivered = all.iter().filter(|invoice| invoice.delivery.as_deref().is_some_and(|word| word != "DELIVERED")).count();
    let of_ours = if ours.is_some() { format!(", {missing} of them missing on our side") } else { String::new() };
    let count = if all.len() == 1 { "1 invoice".to_owned() } else { format!("{} invoices", all.len()) };
    tell(format_args!("{count} of AWS's for account {}, {undelivered} not delivered{of_ours}", plain(&account)));
    let unsaved = all.iter().filter(|invoice| !invoice.unsaved.is_empty()).count();
    if unsaved > 0 {
        tell(format_args!("the documents of {unsaved} of them could not be saved; the same command once more tries that again"));
    }
    let exit = if missing + unsaved > 0 { Exit::Documents } else { Exit::Done };
    Ok(if again { exit.worse(Exit::Temporary) } else { exit })
}

/// The account that holds the preferences.
async fn account_of(desk: &Desk) -> Result<String, Failure> {
    let all = desk.all::<Preference<'_>>().await?;
    let account =
        all.iter().flat_map(|held| &held.facts).find(|(name, _)| *name == "account").map(|(_, account)| account.clone());
    account.ok_or_else(|| {
        Failure::new(Exit::Usage, "AWS holds no preference that would say which account is meant; say --account ID")
    })
}

/// What our side has: the documents of a file, or the orders that were sent to a target.
fn ours(office: &Office, against: &str, mapping: Option<&str>) -> Result<Ours, Failure> {
    if !Path::new(against).exists() && office.configuration.target_names().iter().any(|name| name == against) {
        return of_target(office, against);
    }
    if !Path::new(against).exists() && office.configuration.aws_target(Some(against)).is_ok() {
        return Err(Failure::new(Exit::Usage, format!("{against} takes no purchase orders; name a file, or a target that does")));
    }
    let mapping = mapping.map(mapping::load).transpose()?;
    let mut ours = Ours { orders: None, invoices: None };
    let mut unread = 0_u64;
    for input in inputs::open(&[against.to_owned()])? {
        let mut documents = match &mapping {
            Some(mapping) => input.mapped(mapping.clone()).documents(),
            None => input.documents(),
        };
        let unreadable = |error: std::io::Error| Failure::new(Exit::Usage, format!("{against} cannot be read: {error}"));
        while let Some(record) = documents.next().map_err(unreadable)? {
            // What is wrong with a document is not the matter here, as long as it can be told which one it is.
            let (kind, number) = match record.read() {
                Ok(document) => (Some(document.kind()), Some(document.number().to_owned())),
                Err(unreadable) => (unreadable.kind, unreadable.number),
            };
            let known = match kind {
                Some(Kind::PurchaseOrder) => &mut ours.orders,
                Some(Kind::Invoice) => &mut ours.invoices,
                None => {
                    unread += 1;
                    continue;
                }
            };
            known.get_or_insert_with(HashSet::new).extend(number);
        }
    }
    if unread > 0 {
        tell(format_args!("payables: {unread} documents of {against} could not be read, and count as missing"));
    }
    if ours.orders.is_none() && ours.invoices.is_none() {
        return Err(Failure::new(Exit::Usage, format!("{against} has no document in it that could be compared")));
    }
    Ok(ours)
}

fn of_target(office: &Office, name: &str) -> Result<Ours, Failure> {
    let target = office.configuration.target(name)?;
    let path = office.journal_path()?;
    let Some(mut journal) = lookup::read(&path)? else {
        return Err(Failure::new(Exit::Usage, lookup::nothing_yet(&path)));
    };
    let scope = lookup::scope(&target);
    let Some((id, _)) = journal.scopes()?.into_iter().find(|(_, known)| *known == scope) else {
        return Err(Failure::new(Exit::Usage, format!("nothing has been sent to {name} yet")));
    };
    let mut orders = HashSet::new();
    for state in [State::Accepted, State::Submitted, State::Presumed] {
        let mut after = 0;
        loop {
            let some = journal.list(id, state, after, 1000)?;
            let Some(last) = some.last() else { break };
            after = last.id;
            orders.extend(
                some.into_iter().filter(|version| version.key.kind == Kind::PurchaseOrder).map(|version| version.key.number),
            );
        }
    }
    if orders.is_empty() {
        let message =
            format!("{name} has taken no purchase order yet, so there is nothing to compare with; name a target of orders");
        return Err(Failure::new(Exit::Usage, message));
    }
    Ok(Ours { orders: Some(orders), invoices: None })
}

/// Saves the documents of an invoice. What is there already stays. Returns whether some of them may be had later.
async fn save(account: &Account, invoice: &mut AwsInvoice, folder: &Path) -> Result<bool, Failure> {
    let Some(id) = &invoice.invoice else { return Ok(false) };
    let mut again = false;
    let papers = match account.papers(id).await {
        Ok(papers) => papers,
        Err(trouble) if trouble.is_denied() => return Err(refused(&trouble)),
        Err(trouble) => {
            tell(format_args!("payables: {}: its documents cannot be had: {trouble}", plain(id)));
            invoice.unsaved.push(format!("its documents cannot be had: {trouble}"));
            return Ok(trouble.exit() == Exit::Temporary);
        }
    };
    for paper in papers {
        let end = if paper.name.is_empty() { String::new() } else { format!("-{}", paper.name) };
        let safe = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '_' };
        let name: String = format!("{id}{end}").chars().map(safe).take(120).collect();
        let path = folder.join(format!("{}.pdf", name.trim_start_matches('.')));
        if !path.exists() {
            match account.fetch(&paper).await {
                Ok(bytes) => office::write(&path, &bytes)?,
                Err(trouble) => {
                    tell(format_args!("payables: {}: {trouble}", plain(id)));
                    invoice.unsaved.push(format!("{}: {trouble}", path.display()));
                    again |= trouble.exit() == Exit::Temporary;
                    continue;
                }
            }
        }
        invoice.files.push(path.display().to_string());
    }
    Ok(again)
}

fn print(all: &[AwsInvoice], output: Output) -> std::io::Result<()> {
    let mut out = stdout();
    match output {
        Output::Json => return writeln!(out, "{:#}", serde_json::json!(all)),
        Output::Ndjson => return all.iter().try_for_each(|invoice| writeln!(out, "{}", serde_json::json!(invoice))),
        Output::Table => {}
    }
    let mut table = grid(&["Invoice", "Issued", "Kind", "Purchase order", "Total", "Delivery", "Missing"], colours(&out));
    for invoice in all {
        let word = |text: &Option<String>| text.clone().unwrap_or_default();
        let day = invoice.issued_at.as_deref().and_then(|time| time.get(..10)).unwrap_or_default().to_owned();
        let total = format!("{} {}", word(&invoice.total), word(&invoice.currency));
        let missing = match invoice.missing {
            None => "",
            Some(Missing::PurchaseOrder) => "its purchase order",
            Some(Missing::Invoice) => "the invoice",
            Some(Missing::Both) => "the invoice and its purchase order",
        };
        let row = [
            word(&invoice.invoice),
            day,
            word(&invoice.kind),
            word(&invoice.purchase_order),
            total.trim().to_owned(),
            word(&invoice.delivery),
            missing.to_owned(),
        ];
        table.add_row(row.map(|cell| plain(&cell).into_owned()));
    }
    writeln!(out, "{}", table.trim_fmt())
}
