//! The story of a document: its versions, what was tried, what came back, what was made of it, and who did what.

use std::io::{self, Write};

use serde::Serialize;

use super::Failure;
use super::lookup::{Named, Runs};
use super::print::{number, one_line, plain, write_json};
use super::standing::Standing;
use super::times::{stamp, when};
use crate::engine::record::CallId;
use crate::engine::state::{Millis, State};
use crate::journal::{Act, Attempt, Evidence, EvidenceKind, Journal};

/// The name and version of a story's shape.
const SCHEMA: &str = "payables.document.v1";

/// So much of an answer is shown to a person: lines, and characters of a line.
const LINES: usize = 12;
const WIDTH: usize = 150;

/// A version with everything that happened to it.
#[derive(Debug, Serialize)]
pub(super) struct Chapter {
    #[serde(flatten)]
    standing: Standing,
    /// SHA-256 of what goes on the wire, but for key and time.
    digest: String,
    payee: Option<String>,
    /// Whether a person let it go in spite of a guard.
    released: bool,
    /// What was tried, the first attempt first.
    tries: Vec<Try>,
    /// What people did.
    acts: Vec<Deed>,
    #[serde(skip)]
    changed_at: Millis,
    #[serde(skip)]
    place: String,
}

#[derive(Debug, Serialize)]
struct Try {
    call: CallId,
    attempt: u32,
    armed_at: String,
    /// The state that it led to; nothing while nobody knows.
    outcome: Option<State>,
    evidence: Vec<Proof>,
    #[serde(skip)]
    at: Millis,
}

#[derive(Debug, Serialize)]
struct Proof {
    at: String,
    kind: EvidenceKind,
    status: u16,
    headers: Vec<(String, String)>,
    /// The answer's body, or what the transport says. Bytes that are no text are replaced.
    body: String,
    /// Whether there was more of it.
    cut: bool,
    #[serde(skip)]
    when: Millis,
}

#[derive(Debug, Serialize)]
struct Deed {
    at: String,
    verb: String,
    who: String,
    reason: String,
    #[serde(skip)]
    when: Millis,
}

impl From<Attempt> for Try {
    fn from(attempt: Attempt) -> Self {
        let Attempt { call, epoch, armed_at, outcome, evidence } = attempt;
        let evidence = evidence.into_iter().map(Proof::from).collect();
        Self { call, attempt: epoch, armed_at: stamp(armed_at), outcome, evidence, at: armed_at }
    }
}

impl From<Evidence> for Proof {
    fn from(evidence: Evidence) -> Self {
        let Evidence { at, kind, status, headers, body, cut } = evidence;
        let body = String::from_utf8_lossy(&body).into_owned();
        Self { at: stamp(at), kind, status, headers, body, cut, when: at }
    }
}

impl From<Act> for Deed {
    fn from(act: Act) -> Self {
        Self { at: stamp(act.at), verb: act.verb, who: act.who, reason: act.reason, when: act.at }
    }
}

/// The versions with a number, document by document, the oldest first.
pub(super) fn of(
    journal: &mut dyn Journal,
    targets: &[Named],
    runs: &Runs,
    wanted: &str,
    now: Millis,
) -> Result<Vec<Chapter>, Failure> {
    let mut versions = journal.find(wanted)?;
    versions.sort_by(|(one, a), (other, b)| (one, &a.key, a.id).cmp(&(other, &b.key, b.id)));
    let mut chapters = Vec::new();
    for (scope, version) in versions {
        let Some(target) = targets.iter().find(|target| target.id == scope) else { continue };
        let tries = journal.attempts(version.id)?.into_iter().map(Try::from).collect();
        let acts = journal.acts(version.id)?.into_iter().map(Deed::from).collect();
        chapters.push(Chapter {
            standing: Standing::of(&version, target, runs, now),
            digest: version.digest.iter().map(|byte| format!("{byte:02x}")).collect(),
            payee: version.payee,
            released: version.standing.released,
            tries,
            acts,
            changed_at: version.standing.changed_at,
            place: [&target.scope.environment, &target.scope.account]
                .map(String::as_str)
                .into_iter()
                .filter(|part| !part.is_empty())
                .collect::<Vec<_>>()
                .join(", "),
        });
    }
    Ok(chapters)
}

pub(super) fn json(out: &mut impl Write, wanted: &str, chapters: &[Chapter]) -> io::Result<()> {
    #[derive(Serialize)]
    struct Story<'c> {
        schema: &'static str,
        number: &'c str,
        versions: &'c [Chapter],
    }
    write_json(out, &Story { schema: SCHEMA, number: wanted, versions: chapters })?;
    out.write_all(b"\n")
}

pub(super) fn tell(out: &mut impl Write, chapters: &[Chapter]) -> io::Result<()> {
    let mut document = None;
    for chapter in chapters {
        let standing = &chapter.standing;
        let this = (&standing.target, &chapter.place, standing.kind, &standing.owner);
        if document != Some(this) {
            let owner = if standing.owner.is_empty() { String::new() } else { format!(" of {}", one_line(&standing.owner, 60)) };
            let kind = standing.kind.word().replace('_', " ");
            let (number, target) = (number(&standing.number), plain(&standing.target));
            writeln!(out, "{number}: {kind}{owner} to {target} ({})", plain(&chapter.place))?;
        }
        document = Some(this);
        tell_chapter(out, chapter)?;
    }
    Ok(())
}

fn tell_chapter(out: &mut impl Write, chapter: &Chapter) -> io::Result<()> {
    let Chapter { standing, digest, changed_at, .. } = chapter;
    let short = digest.get(..12).unwrap_or_default();
    writeln!(out, "\nRevision {}, content {short}, last carried by run {}", standing.revision, plain(&standing.run))?;
    let mut events: Vec<(Millis, Vec<String>)> = Vec::new();
    for one in &chapter.tries {
        let outcome = one.outcome.map_or_else(|| "nobody knows yet".to_owned(), |state| state.word().replace('_', " "));
        let outcome = if one.evidence.is_empty() { format!("{outcome} (no answer is stored)") } else { outcome };
        events.push((one.at, vec![format!("attempt {} (call {}) begins; it ended: {outcome}", one.attempt, one.call)]));
        events.extend(one.evidence.iter().map(|proof| (proof.when, proof.words())));
    }
    for act in &chapter.acts {
        let words = format!("{} by {}: {}", plain(&act.verb), one_line(&act.who, 100), one_line(&act.reason, 2000));
        events.push((act.when, vec![words]));
    }
    // What came first stays first where two have the same time.
    events.sort_by_key(|(at, _)| *at);
    let why = standing.why().replace('\n', " ");
    let why = if why.is_empty() { String::new() } else { format!(": {why}") };
    let reference = standing.reference.as_deref().map(|reference| format!(", reference {}", number(reference)));
    let state = format!("{}{}{why}", standing.state_word(), reference.unwrap_or_default());
    events.push((*changed_at, vec![state]));
    for (at, lines) in &events {
        let mut lines = lines.iter();
        writeln!(out, "  {}  {}", when(*at), lines.next().map_or("", String::as_str))?;
        for line in lines {
            writeln!(out, "      {line}")?;
        }
    }
    if let Some(next) = &standing.next {
        writeln!(out, "  What to do: {next}")?;
        if let Some(command) = &standing.command {
            writeln!(out, "    {command}")?;
        }
    }
    Ok(())
}

impl Proof {
    /// What came back, as a person reads it: a line that says what it is, and the beginning of it.
    fn words(&self) -> Vec<String> {
        excerpt(self.kind, self.status, &self.headers, &self.body, self.cut)
    }
}

/// Evidence as a person reads it, without what commands a terminal.
pub(super) fn evidence(evidence: &Evidence) -> Vec<String> {
    let body = String::from_utf8_lossy(&evidence.body);
    excerpt(evidence.kind, evidence.status, &evidence.headers, &body, evidence.cut)
}

fn excerpt(kind: EvidenceKind, status: u16, headers: &[(String, String)], body: &str, cut: bool) -> Vec<String> {
    let what = match kind {
        EvidenceKind::Answer => {
            let headers: String =
                headers.iter().map(|(name, value)| format!("; {}: {}", one_line(name, 60), one_line(value, 100))).collect();
            format!("an answer came, status {status}{headers}")
        }
        EvidenceKind::NotSent => "the network says that it did not arrive".to_owned(),
        EvidenceKind::MaybeSent => "the network says that it may have arrived".to_owned(),
    };
    let mut lines = vec![what];
    let mut rest = 0_usize;
    for line in body.lines() {
        let line = line.replace('\t', "  ");
        let characters: Vec<char> = line.chars().collect();
        for piece in characters.chunks(WIDTH) {
            if lines.len() <= LINES {
                lines.push(format!("| {}", plain(&piece.iter().collect::<String>())));
            } else {
                rest += 1;
            }
        }
    }
    if rest > 0 {
        lines.push(format!("| … {rest} more lines; --output json shows them"));
    }
    if cut {
        lines.push("| (it was cut, or was pruned)".to_owned());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_shown_harmless_and_short() {
        let body = format!("<a>\u{1b}[2J\u{202e}</a>\r\n{}", "x".repeat(10_000));
        let lines = excerpt(EvidenceKind::Answer, 200, &[("date".into(), "\u{7}today".into())], &body, true);
        assert_eq!(lines[0], "an answer came, status 200; date: \u{fffd}today");
        assert_eq!(lines[1], "| <a>\u{fffd}[2J\u{fffd}</a>");
        assert_eq!(lines.len(), 1 + LINES + 2, "{lines:?}");
        assert!(lines[LINES + 1].contains("more lines"));
        assert!(lines.iter().all(|line| !line.contains('\u{1b}') && line.chars().count() <= WIDTH + 2));
    }
}
