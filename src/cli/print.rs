//! Prints a report as it grows: a table for eyes, one JSON report, or an item a line.

use std::borrow::Cow;
use std::io::{self, Write};

use comfy_table::{Attribute, Cell, Color, ContentArrangement, LineStyle, Table, TableStyle};

use super::args::Output;
use crate::model::Fault;
use crate::outcome::Outcome;
use crate::report::{Item, Plan, Run, SCHEMA, Sum, Summary};

/// A table shows all documents up to so many, and of more only those that a person has to look at.
const MOST_ROWS: usize = 100;
/// And of those at most so many.
const MOST_TROUBLED_ROWS: usize = 1000;

/// A line below the headings and none between the rows: a clerk reads down a column.
const STYLE: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// The most characters of a number that a table shows.
const LONGEST_NUMBER: usize = 60;

/// How wide a table is where no terminal says it: mails and logs.
const WIDTH: u16 = 120;
/// A narrower table would be a column of letters.
const LEAST_WIDTH: u16 = 60;

/// Prints to a writer. A writer that fails does not stop a run: the failure is told at the end.
pub(super) struct Printer<W: Write> {
    out: W,
    output: Output,
    colours: bool,
    items: u64,
    rows: Vec<Item>,
    failed: Option<io::Error>,
    about: About,
}

/// What a report is about, for its words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum About {
    /// Documents that are sent.
    Documents,
    /// What is kept at the vendor, and files speak of.
    Kept,
}

impl About {
    fn heading(self) -> &'static str {
        match self {
            Self::Documents => "Document",
            Self::Kept => "Name",
        }
    }

    /// How many there are, and where they go.
    fn count(self, count: u64, target: &str) -> String {
        let s = if count == 1 { "" } else { "s" };
        match self {
            Self::Documents => format!("{count} document{s} to {target}"),
            Self::Kept => format!("{count} at {target}"),
        }
    }

    /// What the person does next.
    fn next_step(self, outcome: Outcome) -> Option<&'static str> {
        match (self, outcome) {
            (Self::Documents, outcome) => outcome.next_step(),
            (Self::Kept, Outcome::Held) => Some("do what its message says"),
            (Self::Kept, Outcome::Invalid | Outcome::Rejected) => Some("mend what its message names, and do it again"),
            (Self::Kept, Outcome::NotSent) => Some("do it again, unless its message says what has to be done first"),
            (Self::Kept, Outcome::InDoubt) => Some("do it once more: what is there is read first, so nothing is done twice"),
            (Self::Kept, _) => None,
        }
    }
}

impl<W: Write> Printer<W> {
    pub(super) fn new(out: W, output: Output, colours: bool) -> Self {
        Self { out, output, colours, items: 0, rows: Vec::new(), failed: None, about: About::Documents }
    }

    /// A report about what is kept at the vendor.
    #[cfg(feature = "aws")]
    pub(super) fn about_kept(self) -> Self {
        Self { about: About::Kept, ..self }
    }

    pub(super) fn item(&mut self, item: Item) {
        if self.failed.is_some() {
            return;
        }
        let result = match self.output {
            Output::Table => {
                self.keep(item);
                Ok(())
            }
            Output::Json => {
                let begin = format!("{{\"schema\":\"{SCHEMA}\",\"items\":[\n");
                let between = if self.items == 0 { begin.as_str() } else { ",\n" };
                self.out.write_all(between.as_bytes()).and_then(|()| write_json(&mut self.out, &item))
            }
            Output::Ndjson => {
                write_json(&mut self.out, &item).and_then(|()| self.out.write_all(b"\n")).and_then(|()| self.out.flush())
            }
        };
        self.items += 1;
        self.failed = result.err();
    }

    /// Keeps a bounded number of items for the table.
    fn keep(&mut self, item: Item) {
        let worth_showing = item.outcome.needs_attention() || !item.faults.is_empty();
        if self.rows.len() < MOST_ROWS || worth_showing && self.rows.len() < MOST_TROUBLED_ROWS {
            self.rows.push(item);
        }
    }

    pub(super) fn finish(mut self, run: &Run, summary: &Summary) -> io::Result<()> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        match self.output {
            Output::Table => self.table(run, summary)?,
            Output::Json => {
                if self.items == 0 {
                    write!(self.out, "{{\"schema\":\"{SCHEMA}\",\"items\":[")?;
                }
                self.out.write_all(b"],\n\"run\":")?;
                write_json(&mut self.out, run)?;
                self.out.write_all(b",\n\"summary\":")?;
                write_json(&mut self.out, summary)?;
                self.out.write_all(b"}\n")?;
            }
            Output::Ndjson => {
                self.out.write_all(b"{\"summary\":")?;
                write_json(&mut self.out, summary)?;
                self.out.write_all(b"}\n")?;
            }
        }
        self.out.flush()
    }

    fn table(&mut self, run: &Run, summary: &Summary) -> io::Result<()> {
        self.documents()?;
        self.totals(run, summary)
    }

    /// The documents that are worth showing, and how many are not.
    pub(super) fn documents(&mut self) -> io::Result<()> {
        let show_all = self.items <= MOST_ROWS as u64;
        let rows: Vec<&Item> =
            self.rows.iter().filter(|item| show_all || item.outcome.needs_attention() || !item.faults.is_empty()).collect();
        let file = |item: &&Item| item.source.as_ref().and_then(|source| source.file.clone());
        let several_files = rows.windows(2).any(|pair| matches!(pair, [one, other] if file(one) != file(other)));
        if !rows.is_empty() {
            let has_amounts = self.about == About::Documents;
            let headings = [Some(self.about.heading()), Some("Outcome"), has_amounts.then_some("Amount"), Some("Remarks")];
            let mut table = grid(&headings.into_iter().flatten().collect::<Vec<_>>(), self.colours);
            for item in &rows {
                // What has no name is told by its file.
                let with_file = several_files || (item.number.is_none() && self.about == About::Kept);
                let amount = || Cell::new(plain(&amount(item))).set_alignment(comfy_table::CellAlignment::Right);
                let cells = [
                    Some(Cell::new(plain(&name(item, !item.faults.is_empty(), with_file)))),
                    Some(self.outcome_cell(item.outcome)),
                    has_amounts.then(amount),
                    Some(Cell::new(plain(&remarks(item)))),
                ];
                table.add_row(cells.into_iter().flatten());
            }
            writeln!(self.out, "{}", table.trim_fmt())?;
        }
        let hidden = self.items - rows.len() as u64;
        if hidden > 0 {
            writeln!(
                self.out,
                "{hidden} documents of which there is nothing to say are not shown; --output ndjson shows them all."
            )?;
        }
        Ok(())
    }

    fn outcome_cell(&self, outcome: Outcome) -> Cell {
        let cell = Cell::new(outcome.word().replace('_', " "));
        if !self.colours {
            return cell;
        }
        match outcome {
            Outcome::Accepted | Outcome::Planned | Outcome::Presumed => cell.fg(Color::Green),
            Outcome::Unchanged | Outcome::Submitted => cell,
            Outcome::Held | Outcome::NotSent => cell.fg(Color::Yellow),
            Outcome::Invalid | Outcome::Rejected | Outcome::InDoubt => cell.fg(Color::Red).add_attribute(Attribute::Bold),
        }
    }

    fn totals(&mut self, run: &Run, summary: &Summary) -> io::Result<()> {
        let counts: Vec<String> = Outcome::ALL
            .iter()
            .filter(|outcome| summary.of(**outcome) > 0)
            .map(|outcome| format!("{} {}", summary.of(*outcome), outcome.word().replace('_', " ")))
            .collect();
        let how = match (run.dry_run, run.sandbox) {
            (true, _) => ", nothing was sent",
            (_, true) => " (simulated)",
            _ => "",
        };
        let documents = self.about.count(summary.documents, &plain(&run.target));
        let counts = if counts.is_empty() { String::new() } else { format!(": {}", counts.join(", ")) };
        writeln!(self.out, "{documents}{how}{counts}")?;
        for (currency, sums) in &summary.amounts {
            let sums: Vec<String> =
                sums.iter().map(|(outcome, sum)| format!("{} {}", sum_text(*sum), outcome.word().replace('_', " "))).collect();
            writeln!(self.out, "  {currency}  {}", sums.join(", "))?;
        }
        if summary.warnings > 0 {
            writeln!(self.out, "{} warning{}", summary.warnings, if summary.warnings == 1 { "" } else { "s" })?;
        }
        for (path, count) in &summary.not_carried {
            writeln!(
                self.out,
                "The target has no place for {path}, which {count} time{} had a value.",
                if *count == 1 { "" } else { "s" }
            )?;
        }
        for note in &summary.notes {
            writeln!(self.out, "{}", plain(note))?;
        }
        for outcome in Outcome::ALL {
            if let Some(step) = self.about.next_step(outcome).filter(|_| summary.of(outcome) > 0) {
                writeln!(self.out, "{}: {step}.", outcome.word().replace('_', " "))?;
            }
        }
        Ok(())
    }
}

/// An empty table with these headings.
pub(super) fn grid(headings: &[&str], colours: bool) -> Table {
    let mut table = Table::new();
    table.load_style(STYLE).set_content_arrangement(ContentArrangement::Dynamic);
    match table.width() {
        // A terminal that does not say how wide it is says 0.
        None | Some(0) => table.set_width(WIDTH),
        Some(width) => table.set_width(width.max(LEAST_WIDTH)),
    };
    if colours {
        table.enforce_styling();
    }
    table.set_header(headings.iter().copied());
    table
}

pub(super) fn write_json(out: &mut impl Write, value: &impl serde::Serialize) -> io::Result<()> {
    serde_json::to_writer(out, value).map_err(io::Error::from)
}

/// The document's number, and its place where somebody may have to go there.
fn name(item: &Item, with_place: bool, with_file: bool) -> String {
    let source = item.source.as_ref();
    let file = source.and_then(|source| source.file.as_deref()).filter(|_| with_file);
    let line = source.and_then(|source| source.line).map(|line| format!("line {line}"));
    let place: Vec<String> = file.map(str::to_owned).into_iter().chain(line).collect();
    let number = item.number.as_deref().map(self::number);
    match number {
        Some(number) if with_place && !place.is_empty() => format!("{number}\n({})", place.join(", ")),
        Some(number) => number,
        None => place.join(", "),
    }
}

fn amount(item: &Item) -> String {
    item.amount.as_ref().map_or_else(String::new, |amount| format!("{} {}", sum_text(Sum::of(amount)), amount.currency))
}

fn sum_text(sum: Sum) -> String {
    sum.text().unwrap_or_else(|| "(too many digits)".to_owned())
}

fn remarks(item: &Item) -> String {
    let faults: Vec<String> = item
        .faults
        .iter()
        .map(|fault| {
            let path = if fault.path.is_empty() || fault.message.starts_with(&fault.path) {
                String::new()
            } else {
                format!("{}: ", fault.path)
            };
            let weight = if fault.is_error() { "" } else { "Warning: " };
            format!("{weight}{path}{}{} [{}]", fault.message, vendors_words(fault), fault.rule)
        })
        .collect();
    let plan = item.plan.iter().map(|plan| doing(plan));
    plan.chain(faults).collect::<Vec<_>>().join("\n")
}

/// What is done about something that is kept at the vendor, a line for each field.
fn doing(plan: &Plan) -> String {
    let mut lines = vec![plan.action.word().to_owned()];
    lines.extend(plan.changes.iter().map(|change| format!("  {}: {}", change.path, change.quoted().join(" → "))));
    lines.join("\n")
}

/// What the vendor said, where the message does not repeat it.
fn vendors_words(fault: &Fault) -> String {
    match fault.vendor_message.as_deref() {
        Some(words) if !fault.message.contains(words) => format!(" (the vendor says: {})", one_line(words, 300)),
        _ => String::new(),
    }
}

/// Text as a terminal may show it: without control characters, and without those that turn the direction of writing.
pub(super) fn plain(text: &str) -> Cow<'_, str> {
    let is_risky = |c: char| {
        (c.is_control() && c != '\n') || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{200E}' | '\u{200F}')
    };
    if text.contains(is_risky) { Cow::Owned(text.replace(is_risky, "\u{FFFD}")) } else { Cow::Borrowed(text) }
}

/// The start of a text, on one line.
pub(super) fn one_line(text: &str, most: usize) -> String {
    let short: String = text.chars().take(most).collect();
    let cut = if short.len() < text.len() { "…" } else { "" };
    format!("{}{cut}", plain(&short.replace('\n', "\u{FFFD}")))
}

/// A document's number as a table shows it.
pub(super) fn number(number: &str) -> String {
    one_line(number, LONGEST_NUMBER)
}

/// A word as a shell takes it.
pub(super) fn quoted(word: &str) -> String {
    let is_harmless = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | ':' | '@' | '+' | ',');
    if !word.is_empty() && word.chars().all(is_harmless) {
        return word.to_owned();
    }
    format!("'{}'", one_line(word, LONGEST_NUMBER).replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_not_commanded() {
        assert_eq!(plain("a\u{1b}[31mb\u{202e}c\nd"), "a\u{fffd}[31mb\u{fffd}c\nd");
        assert!(matches!(plain("ü 漢"), Cow::Borrowed(_)));
        assert_eq!(one_line("a\nb\u{7}", 10), "a\u{fffd}b\u{fffd}");
        assert_eq!(one_line("abcdef", 3), "abc…");
    }

    #[test]
    fn a_number_is_quoted_where_a_shell_would_read_something_else() {
        assert_eq!(quoted("PO-1001/7"), "PO-1001/7");
        assert_eq!(quoted("PO 1; rm -r"), "'PO 1; rm -r'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }
}
