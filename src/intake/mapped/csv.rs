//! Rows of CSV, each with the line that it begins on. A broken row is one fault, and does not take those behind it with it.

use std::io::{self, Read};

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use super::row::{Cell, Content, Row};
use crate::intake::MAX_DOCUMENT_BYTES;
use crate::intake::window::Window;
use crate::mappings::source::Dialect;
use crate::model::{Fault, Path, Text, Token, shorten};

/// The most columns that a source may have.
const MOST_COLUMNS: usize = 4096;

/// A row, kept: its cells one behind the other.
#[derive(Debug, Default, Clone)]
pub(super) struct Stored {
    pub(super) line: u64,
    text: String,
    /// Where each cell ends.
    ends: Vec<usize>,
}

impl Stored {
    /// The cells, in the order of the columns.
    pub(super) fn cells(&self) -> impl Iterator<Item = &str> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| self.text.get(start..*end).unwrap_or_default())
    }

    pub(super) fn size(&self) -> usize {
        self.text.len() + self.ends.len() * size_of::<usize>()
    }
}

/// A heading and the rows below it.
pub(super) struct Rows<R> {
    window: Window<R>,
    parser: Reader,
    quote: u8,
    delimiter: u8,
    escape: Option<u8>,
    comment: Option<u8>,
    /// Whether a character that could not be decoded stands as U+FFFD.
    pub(super) is_decoded: bool,
    pub(super) headings: Vec<String>,
    fields: Vec<u8>,
    ends: Vec<usize>,
}

/// What comes next.
pub(super) enum Next {
    Row(Stored),
    /// A row that cannot be read, and its line.
    Broken(u64, Box<Fault>),
    End,
}

impl<R: Read> Rows<R> {
    pub(super) fn new(window: Window<R>, dialect: &Dialect, is_decoded: bool) -> Self {
        let parser = ReaderBuilder::new()
            .delimiter(dialect.delimiter)
            .quote(dialect.quote)
            .double_quote(dialect.escape.is_none())
            .escape(dialect.escape)
            .build();
        let Dialect { delimiter, quote, escape, comment, .. } = *dialect;
        let (fields, ends) = (vec![0; 4096], vec![0; 64]);
        Self { window, parser, quote, delimiter, escape, comment, is_decoded, headings: Vec::new(), fields, ends }
    }

    /// Reads the heading; `row` is its line, and what stands above it is skipped. `false` when there is none.
    pub(super) fn read_heading(&mut self, row: u32) -> io::Result<Result<bool, Box<Fault>>> {
        for _ in 1..row {
            self.window.skip_line()?;
        }
        match self.next()? {
            Next::Row(row) => {
                self.headings = row.cells().map(str::to_owned).collect();
                Ok(Ok(true))
            }
            Next::Broken(_, fault) => Ok(Err(fault)),
            Next::End => Ok(Ok(false)),
        }
    }

    /// The next row.
    pub(super) fn next(&mut self) -> io::Result<Next> {
        loop {
            if self.skip_empty_lines()? {
                return Ok(Next::End);
            }
            let line = self.window.line;
            let Some((length, count)) = self.parse()? else {
                self.window.skip_line()?;
                let message = format!(
                    "the row is larger than {} MiB; most likely a quote is missing in it, so correct it or export the file again",
                    MAX_DOCUMENT_BYTES >> 20
                );
                return Ok(Next::Broken(line, Box::new(Fault::error("DOC-SIZE", Path::ROOT, message))));
            };
            let piece = self.window.unread().get(..length).unwrap_or_default();
            let has_breaks = piece.trim_ascii_end().contains(&b'\n');
            let is_clean = !piece.contains(&self.quote) || self.is_clean(piece);
            let is_short = !self.headings.is_empty() && count != self.headings.len();
            // A quote that is missing joins rows. What is left of the first one stays a fault, and the others are read.
            if !is_clean || has_breaks && is_short {
                return self.broken_quote(line);
            }
            if is_short {
                let fault = self.wrong_count(piece, count);
                self.window.take(length);
                return Ok(Next::Broken(line, Box::new(fault)));
            }
            let stored = self.store(line, count);
            self.window.take(length);
            match stored {
                // A row of nothing, as spreadsheets leave them at their end.
                Ok(row) if row.text.is_empty() && !self.headings.is_empty() => {}
                Ok(row) => return Ok(Next::Row(row)),
                Err(fault) => return Ok(Next::Broken(line, fault)),
            }
        }
    }

    /// Skips empty lines and remarks; `true` at the end.
    fn skip_empty_lines(&mut self) -> io::Result<bool> {
        loop {
            match self.window.unread().first().copied() {
                Some(b'\n' | b'\r') => {
                    self.window.take(1);
                }
                Some(byte) if Some(byte) == self.comment => self.window.skip_line()?,
                Some(_) => return Ok(false),
                None if !self.window.fill()? => return Ok(true),
                None => {}
            }
        }
    }

    /// Finds the end of the row and takes its cells apart: how many bytes it has, and how many cells. `None` when it has no
    /// end within reason.
    fn parse(&mut self) -> io::Result<Option<(usize, usize)>> {
        self.parser.reset();
        let (mut at, mut written, mut count) = (0, 0, 0);
        loop {
            if at == self.window.unread().len() {
                self.window.fill()?;
            }
            // At the end of the source an empty piece says so.
            let input = self.window.unread().get(at..).unwrap_or_default();
            let fields = self.fields.get_mut(written..).unwrap_or_default();
            let ends = self.ends.get_mut(count..).unwrap_or_default();
            let (result, read, wrote, ended) = self.parser.read_record(input, fields, ends);
            (at, written, count) = (at + read, written + wrote, count + ended);
            match result {
                ReadRecordResult::Record => return Ok(Some((at, count))),
                ReadRecordResult::End => return Ok(Some((at, count))),
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => self.fields.resize(self.fields.len() * 2, 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
            }
            if at > MAX_DOCUMENT_BYTES || count > MOST_COLUMNS {
                return Ok(None);
            }
        }
    }

    /// Whether every quote in a row stands where one may stand. A parser that is lenient would join rows in silence.
    fn is_clean(&self, piece: &[u8]) -> bool {
        let (mut quoted, mut begins) = (false, true);
        let mut bytes = piece.iter().copied().peekable();
        while let Some(byte) = bytes.next() {
            if quoted {
                match byte {
                    _ if Some(byte) == self.escape => {
                        bytes.next();
                    }
                    _ if byte == self.quote => match bytes.peek() {
                        Some(next) if *next == self.quote && self.escape.is_none() => {
                            bytes.next();
                        }
                        None | Some(b'\n' | b'\r') => quoted = false,
                        Some(next) if *next == self.delimiter => quoted = false,
                        Some(_) => return false,
                    },
                    _ => {}
                }
                begins = false;
            } else {
                quoted = begins && byte == self.quote;
                begins = byte == self.delimiter || byte == b'\n';
            }
        }
        // What is still open at the end of the source was never closed.
        !quoted
    }

    fn broken_quote(&mut self, line: u64) -> io::Result<Next> {
        let end = self.window.find_newline(0, MAX_DOCUMENT_BYTES)?.unwrap_or(self.window.unread().len());
        let raw = String::from_utf8_lossy(self.window.unread().get(..end.min(1024)).unwrap_or_default()).into_owned();
        self.window.take(end + 1);
        let quote = char::from(self.quote);
        let message = format!(
            "a quote ({quote}) in the row is not closed, or stands where none may stand, so its cells cannot be told apart; correct \
             it, or export the file again"
        );
        Ok(Next::Broken(line, Box::new(Fault::error("MAP-ROW", Path::ROOT, message).found(raw.trim_end()))))
    }

    fn wrong_count(&self, piece: &[u8], count: usize) -> Fault {
        let raw = String::from_utf8_lossy(piece.get(..1024).unwrap_or(piece)).into_owned();
        let other = [b',', b';', b'\t', b'|'].into_iter().find(|other| *other != self.delimiter && piece.contains(other));
        let hint = match other.filter(|_| count == 1) {
            Some(other) => format!(
                "; its cells seem to be told apart by {:?}, and the mapping says {:?}",
                char::from(other),
                char::from(self.delimiter)
            ),
            None => String::new(),
        };
        let message = format!(
            "the row has {count} cell{} and the heading {}, so values stand in the wrong columns{hint}; correct it, or export the file \
             again",
            if count == 1 { "" } else { "s" },
            self.headings.len(),
        );
        Fault::error("MAP-ROW", Path::ROOT, message).found(raw.trim_end())
    }

    fn store(&self, line: u64, count: usize) -> Result<Stored, Box<Fault>> {
        let ends: Vec<usize> = self.ends.get(..count).unwrap_or_default().to_vec();
        let bytes = self.fields.get(..ends.last().copied().unwrap_or_default()).unwrap_or_default();
        let text = simdutf8::basic::from_utf8(bytes).ok();
        // A character that is cut by the end of a cell would make two broken cells look whole.
        let text = text.filter(|text| ends.iter().all(|end| text.is_char_boundary(*end)));
        match text.filter(|text| !self.is_decoded || !text.contains('\u{FFFD}')) {
            Some(text) => Ok(Stored { line, text: text.to_owned(), ends }),
            None => {
                let lossy = String::from_utf8_lossy(bytes);
                let near = lossy
                    .find('\u{FFFD}')
                    .map_or("", |at| lossy.get(lossy.floor_char_boundary(at.saturating_sub(20))..).unwrap_or_default());
                Err(Box::new(encoding_fault(near)))
            }
        }
    }

    /// A stored row under the heading.
    pub(super) fn row<'s>(headings: &'s [String], stored: &'s Stored) -> Row<'s> {
        let cells = headings.iter().zip(stored.cells()).map(|(heading, cell)| Cell {
            column: Text::from(heading.as_str()),
            line: stored.line,
            content: Content::Value(Token::Text(cell.into())),
        });
        Row { line: stored.line, cells: cells.collect() }
    }
}

/// A record has bytes in it that are no text in its encoding.
pub(super) fn encoding_fault(near: &str) -> Fault {
    let near: String = shorten(near).chars().take(40).collect();
    let message = format!(
        "the record has bytes that are no text in the encoding of the mapping (near {near:?}); say how the file is written with \
         encoding under [source], such as windows-1252, or export it as UTF-8"
    );
    Fault::error("DOC-ENCODING", Path::ROOT, message).found(near)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &[u8]) -> Vec<(u64, String)> {
        let dialect = Dialect { delimiter: b',', quote: b'"', escape: None, comment: Some(b'#'), header_row: 1 };
        let mut rows = Rows::new(Window::new(text), &dialect, false);
        let mut all = Vec::new();
        assert!(rows.read_heading(1).unwrap().unwrap());
        loop {
            match rows.next().unwrap() {
                Next::Row(row) => all.push((row.line, row.cells().collect::<Vec<_>>().join("|"))),
                Next::Broken(line, fault) => all.push((line, fault.rule.to_string())),
                Next::End => return all,
            }
        }
    }

    fn expect(text: &str, expected: &[(u64, &str)]) {
        let expected: Vec<_> = expected.iter().map(|(line, text)| (*line, (*text).to_owned())).collect();
        assert_eq!(rows(text.as_bytes()), expected, "{text:?}");
    }

    #[test]
    fn rows_come_with_their_lines() {
        expect("a,b\n1,2\n", &[(2, "1|2")]);
        expect("a,b\r\n1,2\r\n\r\n# remark\r\n3,\"4\r\n5\"\r\n6,7", &[(2, "1|2"), (5, "3|4\r\n5"), (7, "6|7")]);
        expect("a,b\n\"say \"\"hi\"\"\",\"x,y\"\n,\n", &[(2, "say \"hi\"|x,y")]);
        expect("a,b", &[]);
        expect("\n\na\n1\n", &[(4, "1")]);
    }

    #[test]
    fn a_broken_row_does_not_take_others_with_it() {
        expect("a,b\n1\n2,3,4\n5,6\n", &[(2, "MAP-ROW"), (3, "MAP-ROW"), (4, "5|6")]);
        // The parser would make one row with the right number of cells of these two.
        expect("a,b,c\n5,\"foo,1\n6,\"bar\",2\n7,8,9\n", &[(2, "MAP-ROW"), (3, "6|bar|2"), (4, "7|8|9")]);
        expect("a,b\n1,\"2\n3,4\n5,6\n", &[(2, "MAP-ROW"), (3, "3|4"), (4, "5|6")]);
        expect("a,b\n1,\"2", &[(2, "MAP-ROW")]);
        assert_eq!(rows(b"a,b\n\xFC,2\n3,4\n"), [(2, "DOC-ENCODING".to_owned()), (3, "3|4".to_owned())]);
        assert_eq!(rows(b"a,b\n\xC3,\xBC\n"), [(2, "DOC-ENCODING".to_owned())]);
    }

    #[test]
    fn an_endless_row_costs_bounded_memory() {
        let mut text = b"a,b\n1,2\n3,\"".to_vec();
        text.resize(20 << 20, b'x');
        text.extend_from_slice(b"\n5,6\n");
        assert_eq!(rows(&text).iter().map(|row| row.1.as_str()).collect::<Vec<_>>(), ["1|2", "DOC-SIZE", "5|6"]);
    }
}
