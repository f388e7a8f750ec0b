//! The file of `payables resolve --from`: CSV with the columns `number`, `verdict` and, where lines have
//! their own, `reason` and `owner`: whose number it is, where two have the same.

use std::io::{IsTerminal, Read, stdin};

use super::Failure;
use super::print::one_line;
use crate::bridge::{Decision, Order};
use crate::outcome::Exit;

/// The largest file that is read; a million verdicts are no work for a person.
const LARGEST: u64 = 64 << 20;

/// The columns that there may be.
const COLUMNS: [&str; 4] = ["number", "verdict", "reason", "owner"];

/// Reads all verdicts, each with its line. A line without a reason of its own has the given one.
pub(super) fn read(file: &str, reason: Option<&str>) -> Result<Vec<(Order, Option<u64>)>, Failure> {
    let bytes = bytes(file)?;
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    parse(bytes, reason).map_err(|faults| nothing_stored(&faults))
}

/// The failure of those who gave several decisions of which at least one cannot be taken.
pub(super) fn nothing_stored(faults: &[String]) -> Failure {
    let end = if faults.len() > 1 { "\nnothing was stored" } else { "; nothing was stored" };
    Failure::new(Exit::Documents, format!("{}{end}", faults.join("\n")))
}

fn bytes(file: &str) -> Result<Vec<u8>, Failure> {
    let refuse = |error: std::io::Error| Failure::new(Exit::Usage, format!("{file} cannot be read: {error}"));
    let mut bytes = Vec::new();
    if file == "-" {
        if stdin().is_terminal() {
            return Err(Failure::new(Exit::Usage, "name a file, or send verdicts to standard input"));
        }
        stdin().lock().take(LARGEST + 1).read_to_end(&mut bytes).map_err(refuse)?;
    } else {
        std::fs::File::open(file).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes)).map_err(refuse)?;
    }
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > LARGEST {
        return Err(Failure::new(Exit::Usage, format!("{file} is larger than {} MiB; cut it into parts", LARGEST >> 20)));
    }
    Ok(bytes)
}

fn parse(bytes: &[u8], reason: Option<&str>) -> Result<Vec<(Order, Option<u64>)>, Vec<String>> {
    let first = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    // Where a decimal comma is written, tables are separated by semicolons.
    let separator = if first.contains(&b';') && !first.contains(&b',') { b';' } else { b',' };
    let mut reader = csv::ReaderBuilder::new().delimiter(separator).flexible(true).trim(csv::Trim::All).from_reader(bytes);
    let mut lines = Lines { bytes, place: 0, line: 1 };
    let header = reader.headers().map_err(|error| vec![unreadable(&error, &mut lines)])?.clone();
    let columns = columns(&header)?;
    let (mut orders, mut faults) = (Vec::new(), Vec::new());
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                faults.push(unreadable(&error, &mut lines));
                continue;
            }
        };
        let line = record.position().map(|position| lines.at(position));
        let at = |what: String| format!("line {}: {what}", line.unwrap_or_default());
        let field = |column: Option<usize>| column.and_then(|column| record.get(column)).unwrap_or_default();
        if record.len() != header.len() {
            faults.push(at(format!("it has {} fields, and the header has {}", record.len(), header.len())));
            continue;
        }
        let (number, verdict) = (field(columns.number), field(columns.verdict));
        let own = Some(field(columns.reason)).filter(|own| !own.is_empty());
        let decision = match verdict.to_ascii_lowercase().as_str() {
            "accepted" => Some(Decision::Accepted),
            "absent" => Some(Decision::Absent),
            _ => None,
        };
        if number.is_empty() {
            faults.push(at("number: it is empty; write the document's number".to_owned()));
        }
        if decision.is_none() {
            let found = one_line(verdict, 60);
            faults.push(at(format!("verdict: {found:?} is not a verdict; write accepted or absent")));
        }
        let Some(reason) = own.or(reason) else {
            faults.push(at("reason: it is empty; write why, or give --reason for all lines".to_owned()));
            continue;
        };
        if let Some(decision) = decision.filter(|_| !number.is_empty()) {
            let owner = Some(field(columns.owner)).filter(|owner| !owner.is_empty()).map(str::to_owned);
            orders.push((Order { number: number.to_owned(), owner, decision, reason: reason.to_owned() }, line));
        }
    }
    if faults.is_empty() { Ok(orders) } else { Err(faults) }
}

/// Where the columns are.
struct Columns {
    number: Option<usize>,
    verdict: Option<usize>,
    reason: Option<usize>,
    owner: Option<usize>,
}

fn columns(header: &csv::StringRecord) -> Result<Columns, Vec<String>> {
    let place = |name: &str| header.iter().position(|column| column.eq_ignore_ascii_case(name));
    let mut faults = Vec::new();
    for name in ["number", "verdict"] {
        if place(name).is_none() {
            faults.push(format!("line 1: there is no column {name}; the header is number,verdict or number,verdict,reason"));
        }
    }
    for (nth, column) in header.iter().enumerate() {
        let is_known = COLUMNS.iter().any(|name| column.eq_ignore_ascii_case(name));
        let is_first = header.iter().position(|other| other.eq_ignore_ascii_case(column)) == Some(nth);
        if (!is_known || !is_first) && faults.is_empty() {
            faults.push(format!(
                "line 1: {:?} is a column too many; there are number, verdict, reason, owner",
                one_line(column, 60)
            ));
        }
    }
    let columns = Columns { number: place("number"), verdict: place("verdict"), reason: place("reason"), owner: place("owner") };
    if faults.is_empty() { Ok(columns) } else { Err(faults) }
}

fn unreadable(error: &csv::Error, lines: &mut Lines<'_>) -> String {
    let line = error.position().map(|position| format!("line {}: ", lines.at(position))).unwrap_or_default();
    let what = match error.kind() {
        csv::ErrorKind::Utf8 { .. } => "it is not UTF-8; save the file as UTF-8".to_owned(),
        _ => error.to_string(),
    };
    format!("{line}{what}")
}

/// Counts lines as an editor does; the reader's own count is one short after lines that end in a carriage return.
struct Lines<'b> {
    bytes: &'b [u8],
    place: usize,
    line: u64,
}

impl Lines<'_> {
    /// The line of a record. Records are asked for in their order.
    fn at(&mut self, position: &csv::Position) -> u64 {
        let start = usize::try_from(position.byte()).unwrap_or(usize::MAX);
        while let Some(byte) = self.bytes.get(self.place) {
            // The end of the line before, and empty lines, may still be ahead of the record.
            if self.place >= start && !matches!(byte, b'\r' | b'\n') {
                break;
            }
            self.line += u64::from(*byte == b'\n');
            self.place += 1;
        }
        self.line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn orders(text: &str, reason: Option<&str>) -> Vec<(String, Decision, String, u64)> {
        let orders = parse(text.as_bytes(), reason).unwrap();
        orders.into_iter().map(|(order, line)| (order.number, order.decision, order.reason, line.unwrap())).collect()
    }

    #[test]
    fn tables_are_read_as_programs_write_them() {
        let both = [
            ("PO-1".to_owned(), Decision::Accepted, "all".to_owned(), 2),
            ("PO, 2".to_owned(), Decision::Absent, "seen".to_owned(), 3),
        ];
        assert_eq!(orders("number,verdict,reason\nPO-1,accepted,\n\"PO, 2\", Absent ,seen\n", Some("all")), both);
        assert_eq!(orders("Reason;Verdict;Number\r\n;accepted;PO-1\r\nseen;absent;PO, 2\r\n\r\n", Some("all")), both);
        assert_eq!(orders("number,verdict", None), []);
        let owned = parse(b"owner,number,verdict\nACMEW,INV-1,absent\n", Some("all")).unwrap();
        assert_eq!(owned[0].0.owner.as_deref(), Some("ACMEW"));
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let faults = |text: &[u8], reason| parse(text, reason).unwrap_err();
        let all = faults(b"number,verdict\n,accepted\nPO-1,maybe\nPO-2\nPO-3,absent\nP\xff,absent\n", Some("all"));
        for (fault, starts) in all.iter().zip(["line 2: number", "line 3: verdict: \"maybe\"", "line 4: it has 1", "line 6: "]) {
            assert!(fault.starts_with(starts), "{fault}");
        }
        assert_eq!(all.len(), 4);
        assert!(faults(b"number,verdict\nPO-1,absent\n", None)[0].contains("line 2: reason"));
        assert!(faults(b"", None)[0].contains("no column number"));
        assert!(faults(b"number,verdict,amount\n", None)[0].contains("amount"));
        assert!(faults(b"number,verdict,number\n", None)[0].contains("number"));
    }
}
