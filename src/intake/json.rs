//! One document, a list of documents, or JSON Lines: told apart by looking, and cut into texts of one document each.

use std::io::{self, Read};

use super::Record;
use super::scan::{Scan, is_one_document};
use crate::model::{Fault, Path};

/// The most bytes that one document may have.
pub const MAX_DOCUMENT_BYTES: usize = 8 << 20;

const FIRST_BUFFER: usize = 256 << 10;

/// How documents stand in the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Unknown,
    /// One a line.
    Lines,
    /// One after the other, over as many lines as they like.
    Values,
    /// In `[ ]`.
    List,
    /// The list is closed.
    AfterList,
    Done,
}

/// Cuts an input into the texts of its documents.
///
/// ```
/// use payables_bridge::intake::Records;
///
/// let mut records = Records::new(&b"{\"number\": \"1\"}\n\n{\"number\": \"2\"}\n"[..]);
/// assert_eq!(records.next().unwrap().unwrap().line, 1);
/// assert_eq!(records.next().unwrap().unwrap().text.unwrap(), "{\"number\": \"2\"}");
/// assert!(records.next().unwrap().is_none());
/// ```
pub struct Records<R> {
    reader: R,
    buffer: Vec<u8>,
    /// The unread bytes are `buffer[start..end]`.
    start: usize,
    end: usize,
    at_end: bool,
    /// The line of `start`.
    line: u64,
    bytes: u64,
    shape: Shape,
}

impl<R: Read> Records<R> {
    /// Begins to read.
    pub fn new(reader: R) -> Self {
        Self { reader, buffer: Vec::new(), start: 0, end: 0, at_end: false, line: 1, bytes: 0, shape: Shape::Unknown }
    }

    /// How many bytes have come in so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The next document.
    ///
    /// # Errors
    /// When reading fails. What is wrong with a document is in the record.
    #[expect(clippy::should_implement_trait, reason = "the record borrows from the reader, which an iterator cannot do")]
    pub fn next(&mut self) -> io::Result<Option<Record<'_>>> {
        if self.shape == Shape::Unknown {
            self.shape = self.look()?;
            if self.shape == Shape::Done && self.end > self.start {
                let fault = encoding_fault("is not UTF-8 but UTF-16, or no text at all");
                return Ok(Some(Record { line: 1, text: Err(Box::new(fault)) }));
            }
        }
        match self.shape {
            Shape::Lines => self.next_line(),
            Shape::Values => self.next_value(false),
            Shape::List => self.next_value(true),
            Shape::AfterList => self.after_list(),
            Shape::Unknown | Shape::Done => Ok(None),
        }
    }

    fn unread(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    /// Reads more bytes behind the unread ones. `false` when there are no more.
    fn fill(&mut self) -> io::Result<bool> {
        if self.at_end {
            return Ok(false);
        }
        if self.start > 0 && (self.start == self.end || self.end == self.buffer.len()) {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.end == self.buffer.len() {
            self.buffer.resize((self.buffer.len() * 2).max(FIRST_BUFFER), 0);
        }
        loop {
            match self.reader.read(self.buffer.get_mut(self.end..).unwrap_or_default()) {
                Ok(0) => {
                    self.at_end = true;
                    return Ok(false);
                }
                Ok(count) => {
                    self.end += count;
                    self.bytes += count as u64;
                    return Ok(true);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Skips `count` unread bytes and counts their lines.
    fn skip(&mut self, count: usize) {
        let skipped = self.buffer.get(self.start..self.start + count).unwrap_or_default();
        self.line += memchr::memchr_iter(b'\n', skipped).count() as u64;
        self.start += count;
    }

    /// Skips white space, and commas where `separators` are allowed; the next byte, if there is one.
    fn skip_blanks(&mut self, separators: bool) -> io::Result<Option<u8>> {
        loop {
            let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n') || separators && *byte == b',';
            let blanks = self.unread().iter().take_while(|byte| is_blank(byte)).count();
            self.skip(blanks);
            if let Some(&byte) = self.unread().first() {
                return Ok(Some(byte));
            }
            if !self.fill()? {
                return Ok(None);
            }
        }
    }

    /// Finds out how the documents stand in the input.
    fn look(&mut self) -> io::Result<Shape> {
        while self.unread().len() < 3 && self.fill()? {}
        if self.unread().starts_with(b"\xEF\xBB\xBF") {
            self.start += 3;
        }
        if matches!(self.unread(), [0xFE, 0xFF, ..] | [0xFF, 0xFE, ..] | [0, ..] | [_, 0, ..]) {
            return Ok(Shape::Done);
        }
        match self.skip_blanks(false)? {
            None => return Ok(Shape::Done),
            Some(b'[') => {
                self.skip(1);
                return Ok(Shape::List);
            }
            Some(_) => {}
        }
        // A first line that holds a whole document, or a second one that does: JSON Lines. Anything else is a document
        // over several lines.
        let Some(first) = self.find_newline(0)? else { return Ok(Shape::Values) };
        if is_one_document(self.unread().get(..first).unwrap_or_default()) {
            return Ok(Shape::Lines);
        }
        let second = self.find_newline(first + 1)?.unwrap_or(self.unread().len());
        let second = self.unread().get(first + 1..second).unwrap_or_default();
        let is_lines = second.first() == Some(&b'{') && is_one_document(second);
        Ok(if is_lines { Shape::Lines } else { Shape::Values })
    }

    /// The place of the next line break in the unread bytes, from a place on. `None` when there is none within the size
    /// of a document.
    fn find_newline(&mut self, mut from: usize) -> io::Result<Option<usize>> {
        loop {
            let unread = self.unread();
            if let Some(at) = memchr::memchr(b'\n', unread.get(from..).unwrap_or_default()) {
                return Ok(Some(from + at));
            }
            from = unread.len();
            if from > MAX_DOCUMENT_BYTES || !self.fill()? {
                return Ok(None);
            }
        }
    }

    fn next_line(&mut self) -> io::Result<Option<Record<'_>>> {
        if self.skip_blanks(false)?.is_none() {
            return Ok(None);
        }
        let line = self.line;
        let found = self.find_newline(0)?;
        let length = found.unwrap_or(self.unread().len());
        if length > MAX_DOCUMENT_BYTES {
            self.skip_line()?;
            return Ok(Some(Record { line, text: Err(Box::new(size_fault())) }));
        }
        let (from, to) = (self.start, self.start + length);
        self.start = to + usize::from(found.is_some());
        self.line += u64::from(found.is_some());
        Ok(Some(Record { line, text: as_text(self.buffer.get(from..to).unwrap_or_default()) }))
    }

    /// Skips the rest of a line without keeping it.
    fn skip_line(&mut self) -> io::Result<()> {
        loop {
            match memchr::memchr(b'\n', self.unread()) {
                Some(at) => {
                    self.skip(at + 1);
                    return Ok(());
                }
                None => self.start = self.end,
            }
            if !self.fill()? {
                return Ok(());
            }
        }
    }

    /// The next document of a list, or of documents that follow one another.
    fn next_value(&mut self, in_list: bool) -> io::Result<Option<Record<'_>>> {
        let first = self.skip_blanks(in_list)?;
        let line = self.line;
        match first {
            None if in_list => {
                self.shape = Shape::Done;
                let message = "the list of documents is not closed; the file seems to be cut off, export it again";
                return Ok(Some(Record { line, text: Err(Box::new(Fault::error("DOC-JSON", Path::ROOT, message))) }));
            }
            None => return Ok(None),
            Some(b']') if in_list => {
                self.skip(1);
                self.shape = Shape::AfterList;
                return self.after_list();
            }
            Some(_) => {}
        }
        let mut scan = Scan::default();
        loop {
            if let Some(length) = scan.find_end(self.unread(), in_list) {
                let (from, to) = (self.start, self.start + length);
                self.skip(length);
                return Ok(Some(Record { line, text: as_text(self.buffer.get(from..to).unwrap_or_default()) }));
            }
            if self.unread().len() > MAX_DOCUMENT_BYTES {
                // Where the next document begins cannot be known any more.
                self.shape = Shape::Done;
                return Ok(Some(Record { line, text: Err(Box::new(size_fault())) }));
            }
            if !self.fill()? {
                self.shape = Shape::Done;
                return Ok(Some(Record { line, text: as_text(self.unread()) }));
            }
        }
    }

    fn after_list(&mut self) -> io::Result<Option<Record<'_>>> {
        let rest = self.skip_blanks(false)?;
        self.shape = Shape::Done;
        let message = "something follows the list of documents and cannot be read; export the file again";
        Ok(rest.map(|_| Record { line: self.line, text: Err(Box::new(Fault::error("DOC-JSON", Path::ROOT, message))) }))
    }
}

fn as_text(bytes: &[u8]) -> Result<&str, Box<Fault>> {
    simdutf8::basic::from_utf8(bytes).map_err(|_| {
        let place = std::str::from_utf8(bytes).map_err(|error| error.valid_up_to()).err().unwrap_or_default();
        let lossy =
            String::from_utf8_lossy(bytes.get(place.saturating_sub(20)..(place + 20).min(bytes.len())).unwrap_or_default());
        Box::new(encoding_fault(&format!("is not UTF-8 from its byte {} on (near {lossy:?})", place + 1)).found(&lossy))
    })
}

fn encoding_fault(what: &str) -> Fault {
    Fault::error("DOC-ENCODING", Path::ROOT, format!("the text {what}; export it again as UTF-8"))
}

fn size_fault() -> Fault {
    let message =
        format!("the document is larger than {} MiB; a document of this size is no purchase order", MAX_DOCUMENT_BYTES >> 20);
    Fault::error("DOC-SIZE", Path::ROOT, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Hands out its bytes a few at a time.
    struct Slow<'b>(&'b [u8], usize);
    impl Read for Slow<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(self.0.len()).min(out.len());
            out[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    fn cut(bytes: &[u8], step: usize) -> Vec<(u64, String)> {
        let mut records = Records::new(Slow(bytes, step));
        let mut all = Vec::new();
        while let Some(record) = records.next().unwrap() {
            all.push((record.line, record.text.map_or_else(|fault| fault.rule.to_string(), |text| text.trim().to_owned())));
        }
        all
    }

    fn texts(bytes: &str) -> Vec<(u64, String)> {
        let whole = cut(bytes.as_bytes(), usize::MAX);
        assert_eq!(whole, cut(bytes.as_bytes(), 1), "the size of the pieces must not matter");
        whole
    }

    fn expect(bytes: &str, expected: &[(u64, &str)]) {
        let expected: Vec<_> = expected.iter().map(|(line, text)| (*line, (*text).to_owned())).collect();
        assert_eq!(texts(bytes), expected, "{bytes}");
    }

    #[test]
    fn lines_lists_and_documents_are_told_apart() {
        expect("", &[]);
        expect(" \n\n", &[]);
        expect("[]", &[]);
        expect("{\"a\":1}", &[(1, "{\"a\":1}")]);
        expect("\n{\"a\":1}\r\n\n{\"b\":\"}\"}\n", &[(2, "{\"a\":1}"), (4, "{\"b\":\"}\"}")]);
        expect("[{\"a\":\"\\\\\"},\n {\"b\":[1]}\n]\n", &[(1, "{\"a\":\"\\\\\"}"), (2, "{\"b\":[1]}")]);
        expect("{\n \"a\": [\n {}]\n}\n{\n}\n", &[(1, "{\n \"a\": [\n {}]\n}"), (5, "{\n}")]);
        expect("\u{feff}{\"a\":1}\n", &[(1, "{\"a\":1}")]);
        expect("{}{}", &[(1, "{}"), (1, "{}")]);
    }

    #[test]
    fn a_broken_line_is_one_record_and_the_rest_goes_on() {
        expect("{\"a\":1}\n{\"b\":\n{\"c\":1}\n", &[(1, "{\"a\":1}"), (2, "{\"b\":"), (3, "{\"c\":1}")]);
        expect("{\"b\":\n{\"c\":1}\n{\"d\":1}\n", &[(1, "{\"b\":"), (2, "{\"c\":1}"), (3, "{\"d\":1}")]);
        expect("nonsense\n{\"c\":1}\n", &[(1, "nonsense"), (2, "{\"c\":1}")]);
        expect("[1, {\"a\":2}, \"x\"]", &[(1, "1"), (1, "{\"a\":2}"), (1, "\"x\"")]);
    }

    #[test]
    fn what_is_cut_off_is_told() {
        expect("[{\"a\":1},\n", &[(1, "{\"a\":1}"), (2, "DOC-JSON")]);
        expect("[{\"a\":1},{\"b", &[(1, "{\"a\":1}"), (1, "{\"b")]);
        expect("[{\"a\":1}] x", &[(1, "{\"a\":1}"), (1, "DOC-JSON")]);
        expect("{\"a\":", &[(1, "{\"a\":")]);
    }

    #[test]
    fn other_encodings_are_named() {
        assert_eq!(cut(b"\xFF\xFE{\0}\0", 1), [(1, "DOC-ENCODING".to_owned())]);
        assert_eq!(
            cut(b"{\"a\":1}\n{\"b\":\"\xFC\"}\n{}\n", 3).iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>(),
            ["{\"a\":1}", "DOC-ENCODING", "{}"]
        );
    }

    #[test]
    fn an_endless_line_costs_bounded_memory() {
        let mut input = b"{\"a\":1}\n{\"b\":\"".to_vec();
        input.resize(40 << 20, b'x');
        input.extend_from_slice(b"\"}\n{\"c\":1}\n");
        let mut records = Records::new(&input[..]);
        let mut seen = Vec::new();
        while let Some(record) = records.next().unwrap() {
            seen.push((record.line, record.text.map_or_else(|fault| fault.rule.to_string(), str::to_owned)));
        }
        assert_eq!(seen, [(1, "{\"a\":1}".to_owned()), (2, "DOC-SIZE".to_owned()), (3, "{\"c\":1}".to_owned())]);
        assert!(records.buffer.len() <= 4 * MAX_DOCUMENT_BYTES);
    }

    proptest! {
        #[test]
        fn no_input_makes_it_fail_or_hang(bytes in proptest::collection::vec(prop_oneof![Just(b'{'), Just(b'}'), Just(b'['), Just(b']'), Just(b'"'), Just(b'\\'), Just(b'\n'), Just(b','), Just(b' '), any::<u8>()], 0..200)) {
            prop_assert_eq!(cut(&bytes, usize::MAX), cut(&bytes, 1));
        }
    }
}
