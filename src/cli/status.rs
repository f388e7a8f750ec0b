//! `payables status`: what is open and needs somebody, or how one document stands.

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write, stdout};

use comfy_table::{Cell, CellAlignment};
use serde::Serialize;

use super::args::Output;
use super::args::operator::StatusArgs;
use super::lookup::{self, Named, Runs, nothing_yet};
use super::print::{grid, number, one_line, plain, quoted, write_json};
use super::run::colours;
use super::standing::Standing;
use super::times::{age, now, stamp, when};
use super::{Ended, Failure, logging, tell};
use crate::engine::record::Version;
use crate::engine::state::{Millis, State};
use crate::journal::{Intents, Journal, OpenIntent, Tally};
use crate::outcome::Exit;

/// The name and version of the answer's shape.
const SCHEMA: &str = "payables.status.v1";

/// What needs somebody, the most urgent first.
const URGENT: [State; 8] = [
    State::InDoubt,
    State::Held,
    State::Rejected,
    State::Received,
    State::Armed,
    State::Ready,
    State::Submitted,
    State::Presumed,
];

/// How many documents of a target stand so.
#[derive(Debug, Serialize)]
struct Count {
    target: String,
    environment: String,
    account: String,
    state: State,
    documents: u64,
    /// Since when the oldest of them stands so, RFC 3339 in UTC.
    since: String,
    age_s: i64,
    #[serde(skip)]
    oldest: Millis,
}

/// How the last run of a target ended, if it did: documents that are invalid, or were held because they contradict each other, stand in
/// its report and nowhere else.
#[derive(Debug, Serialize)]
struct LastRun {
    target: String,
    run: String,
    began_at: String,
    /// `null` for one that is at work or has broken off.
    ended_at: Option<String>,
    outcomes: BTreeMap<String, u64>,
    /// What is to be said of it besides, such as why it ended early.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
    #[serde(skip)]
    times: (Millis, Option<Millis>),
}

/// A request to a vendor that keeps things, of which nobody has seen the end.
#[derive(Debug, Serialize)]
struct OpenRequest {
    target: String,
    operation: String,
    /// What it is about: an ARN, or what something without one is known by.
    subject: String,
    since: String,
    age_s: i64,
    #[serde(skip)]
    at: Millis,
}

/// The answer.
#[derive(Debug, Serialize)]
struct Status {
    schema: &'static str,
    at: String,
    counts: Vec<Count>,
    last_runs: Vec<LastRun>,
    requests: Vec<OpenRequest>,
    documents: Vec<Standing>,
    /// How many documents that need somebody are not listed.
    more: u64,
}

/// `payables status`
pub(super) fn status(args: &StatusArgs) -> Ended {
    logging::begin(false);
    let (configuration, path) = lookup::configured(args.config.config.as_deref())?;
    if let Some(to) = args.to.as_ref().filter(|to| configuration.aws_target(Some(to)).is_err()) {
        configuration.target(to)?;
    }
    let now = now();
    let empty = Status {
        schema: SCHEMA,
        at: stamp(now),
        counts: Vec::new(),
        last_runs: Vec::new(),
        requests: Vec::new(),
        documents: Vec::new(),
        more: 0,
    };
    let Some(mut journal) = lookup::read(&path)? else {
        match args.output {
            Output::Table => writeln!(stdout(), "{}", nothing_yet(&path)).map_err(|error| Failure::output(&error))?,
            _ => print(&empty, args.output, now)?,
        }
        return Ok(Exit::Done);
    };
    let runs = Runs::of(&mut journal)?;
    let targets = lookup::scopes(&mut journal, &configuration, &runs, args.to.as_deref())?;
    let Some(wanted) = &args.number else {
        let counts = counts(&journal.tally()?, &targets, now);
        let most = if args.limit == 0 { usize::MAX } else { args.limit };
        let (documents, more) = open_documents(&mut journal, (&targets, &runs), &counts, most, now)?;
        let last_runs = targets.iter().filter_map(|target| last_run(target, &runs)).collect();
        let requests = open_requests(&mut journal, &targets, now)?;
        print(&Status { counts, last_runs, requests, documents, more, ..empty }, args.output, now)?;
        return Ok(Exit::Done);
    };
    let documents = documents(&mut journal, &targets, &runs, wanted, now)?;
    if documents.is_empty() {
        let place = args.to.as_deref().map(|to| format!(" of {to}")).unwrap_or_default();
        tell(format_args!("payables: the journal knows no document{place} with the number {}", number(wanted)));
        if args.output == Output::Table {
            return Ok(Exit::Documents);
        }
    }
    let exit = if documents.is_empty() { Exit::Documents } else { Exit::Done };
    print(&Status { documents, ..empty }, args.output, now)?;
    Ok(exit)
}

fn counts(tallies: &[Tally], targets: &[Named], now: Millis) -> Vec<Count> {
    let of_tally = |tally: &Tally| {
        let target = targets.iter().find(|target| target.id == tally.scope)?;
        Some(Count {
            target: target.name.clone(),
            environment: target.scope.environment.clone(),
            account: target.scope.account.clone(),
            state: tally.state,
            documents: tally.count,
            since: stamp(tally.oldest),
            age_s: now.saturating_sub(tally.oldest) / 1000,
            oldest: tally.oldest,
        })
    };
    let current = tallies.iter().filter(|tally| !matches!(tally.state, State::Superseded | State::Cancelled));
    current.filter_map(of_tally).collect()
}

fn last_run(target: &Named, runs: &Runs) -> Option<LastRun> {
    #[derive(serde::Deserialize)]
    struct Told {
        outcomes: BTreeMap<String, u64>,
        #[serde(default)]
        notes: Vec<String>,
    }
    let run = runs.last_of(target.id)?;
    let summary = run.summary.as_deref().and_then(|summary| serde_json::from_str::<Told>(summary).ok());
    let (outcomes, notes) = summary.map(|told| (told.outcomes, told.notes)).unwrap_or_default();
    Some(LastRun {
        target: target.name.clone(),
        run: run.name.clone(),
        began_at: stamp(run.began_at),
        ended_at: run.ended_at.map(stamp),
        outcomes,
        notes,
        times: (run.began_at, run.ended_at),
    })
}

fn open_requests(journal: &mut dyn Intents, targets: &[Named], now: Millis) -> Result<Vec<OpenRequest>, Failure> {
    let of_target = |open: OpenIntent| {
        let target = targets.iter().find(|target| target.id == open.scope)?.name.clone();
        let OpenIntent { subject, operation, at, .. } = open;
        Some(OpenRequest { target, operation, subject, since: stamp(at), age_s: now.saturating_sub(at) / 1000, at })
    };
    Ok(journal.open_intents()?.into_iter().filter_map(of_target).collect())
}

/// The documents that need somebody, and how many more there are.
fn open_documents(
    journal: &mut dyn Journal,
    (targets, runs): (&[Named], &Runs),
    counts: &[Count],
    most: usize,
    now: Millis,
) -> Result<(Vec<Standing>, u64), Failure> {
    let mut documents = Vec::new();
    for state in URGENT {
        for target in targets {
            let room = most - documents.len();
            if room > 0 {
                let versions = journal.list(target.id, state, 0, room)?;
                documents.extend(versions.iter().map(|version| Standing::of(version, target, runs, now)));
            }
        }
    }
    let all: u64 = counts.iter().filter(|count| URGENT.contains(&count.state)).map(|count| count.documents).sum();
    let shown = u64::try_from(documents.len()).unwrap_or(u64::MAX);
    // Between the count and the list, a run may have been at work.
    Ok((documents, all.saturating_sub(shown)))
}

/// How the documents with a number stand: the newest version of each, and older ones that are not over.
fn documents(
    journal: &mut dyn Journal,
    targets: &[Named],
    runs: &Runs,
    wanted: &str,
    now: Millis,
) -> Result<Vec<Standing>, Failure> {
    let mut by_document: BTreeMap<_, Vec<(usize, Version)>> = BTreeMap::new();
    for (scope, version) in journal.find(wanted)? {
        if let Some(place) = targets.iter().position(|target| target.id == scope) {
            by_document.entry((scope, version.key.clone())).or_default().push((place, version));
        }
    }
    let mut all = Vec::new();
    for versions in by_document.values() {
        for (nth, (place, version)) in versions.iter().enumerate() {
            let is_current = !matches!(version.standing.state, State::Superseded | State::Cancelled);
            if let Some(target) = targets.get(*place).filter(|_| nth == 0 || is_current) {
                all.push(Standing::of(version, target, runs, now));
            }
        }
    }
    Ok(all)
}

fn print(status: &Status, output: Output, now: Millis) -> Result<(), Failure> {
    let mut out = BufWriter::new(stdout().lock());
    let printed = match output {
        Output::Table => table(&mut out, status, now),
        Output::Json => write_json(&mut out, status).and_then(|()| out.write_all(b"\n")),
        Output::Ndjson => lines(&mut out, status),
    };
    printed.and_then(|()| out.flush()).map_err(|error| Failure::output(&error))
}

fn lines(out: &mut impl Write, status: &Status) -> io::Result<()> {
    #[derive(Serialize)]
    #[serde(rename_all = "snake_case")]
    enum Line<'s> {
        Count(&'s Count),
        LastRun(&'s LastRun),
        Request(&'s OpenRequest),
        Document(&'s Standing),
    }
    let counts = status.counts.iter().map(Line::Count);
    let last_runs = status.last_runs.iter().map(Line::LastRun);
    let requests = status.requests.iter().map(Line::Request);
    for line in counts.chain(last_runs).chain(requests).chain(status.documents.iter().map(Line::Document)) {
        write_json(out, &line)?;
        out.write_all(b"\n")?;
    }
    writeln!(out, "{{\"schema\":\"{SCHEMA}\",\"at\":\"{}\",\"more\":{}}}", status.at, status.more)
}

fn table(out: &mut impl Write, status: &Status, now: Millis) -> io::Result<()> {
    let colours = colours(&stdout());
    if !status.counts.is_empty() {
        let mut table = grid(&["Target", "State", "Documents", "Oldest"], colours);
        for count in &status.counts {
            let is_open = count.state != State::Accepted;
            let oldest = if is_open { format!("{} ({})", when(count.oldest), age(count.oldest, now)) } else { "–".to_owned() };
            table.add_row([
                Cell::new(plain(&count.target)),
                Cell::new(count.state.word().replace('_', " ")),
                Cell::new(count.documents).set_alignment(CellAlignment::Right),
                Cell::new(oldest),
            ]);
        }
        writeln!(out, "{}", table.trim_fmt())?;
    }
    for last in &status.last_runs {
        let counts: Vec<String> =
            last.outcomes.iter().map(|(outcome, count)| format!("{count} {}", outcome.replace('_', " "))).collect();
        let counts = if counts.is_empty() { "no document".to_owned() } else { counts.join(", ") };
        let (target, run) = (plain(&last.target), quoted(&last.run));
        match last.times {
            (_, Some(ended)) => writeln!(out, "Last run of {target}, {} ago: {counts}; payables show {run}", age(ended, now))?,
            (began, None) => {
                let began = age(began, now);
                writeln!(out, "Last run of {target}, begun {began} ago: at work, or broken off; payables show {run}")?;
            }
        }
        for note in &last.notes {
            writeln!(out, "  {}", one_line(note, 500))?;
        }
    }
    for open in &status.requests {
        let (target, subject) = (plain(&open.target), one_line(&open.subject, 300));
        let (operation, age) = (&open.operation, age(open.at, now));
        writeln!(out, "Not known to have ended, asked of {target} {age} ago: {operation} {subject}")?;
        writeln!(out, "  Give the same command once more: what AWS holds is read before anything is done again.")?;
    }
    if !status.documents.is_empty() {
        if !status.counts.is_empty() {
            writeln!(out)?;
        }
        let mut table = grid(&["Document", "Target", "State", "Why", "What to do"], colours);
        for one in &status.documents {
            let more = [
                (one.revision > 1).then(|| format!("revision {}", one.revision)),
                (one.attempts > 0).then(|| format!("tried {} time{}", one.attempts, if one.attempts == 1 { "" } else { "s" })),
                one.reference.as_ref().map(|reference| format!("reference {}", number(reference))),
            ];
            let more: String = more.into_iter().flatten().map(|part| format!("\n{part}")).collect();
            table.add_row([
                Cell::new(one.name()),
                Cell::new(plain(&one.target)),
                Cell::new(format!("{}\n{}{more}", one.state_word(), one.since_words(now))),
                Cell::new(one.why()),
                Cell::new(one.next.as_deref().unwrap_or("–")),
            ]);
        }
        writeln!(out, "{}", table.trim_fmt())?;
        commands(out, &status.documents)?;
    }
    if status.more > 0 {
        writeln!(out, "And {} more that need somebody or wait.", status.more)?;
    } else if status.documents.is_empty() && status.requests.is_empty() {
        writeln!(out, "Nothing is open.")?;
    }
    Ok(())
}

/// The commands by which people decide, on lines of their own so that they can be copied: one for each state.
fn commands(out: &mut impl Write, documents: &[Standing]) -> io::Result<()> {
    let mut told = Vec::new();
    for one in documents {
        let Some(command) = one.command.as_ref().filter(|_| !told.contains(&one.state)) else { continue };
        if told.is_empty() {
            writeln!(out)?;
        }
        told.push(one.state);
        let or = if one.state == State::InDoubt { "   (or --absent)" } else { "" };
        writeln!(out, "{}: {command}{or}", one.state_word())?;
    }
    Ok(())
}
