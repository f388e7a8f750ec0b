//! One document, a list of documents, or JSON Lines: told apart by looking, and cut into texts of one document each.

use std::io::{self, Read};

use super::Record;
use super::scan::{Scan, closes, is_json, is_one_document, is_one_object};
use super::window::Window;
use crate::model::{Fault, Path};

/// The most bytes that one document may have.
pub const MAX_DOCUMENT_BYTES: usize = 8 << 20;

/// How many bytes are looked at to find out how the documents stand in the input.
const FIRST_LOOK: usize = 256 << 10;

/// How documents stand in the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Unknown,
    /// One a line.
    Lines,
    /// One after the other, over as many lines as they like.
    Values,
    /// In `[ ]`; `true` after a document.
    List(bool),
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
    window: Window<R>,
    shape: Shape,
    /// Whether something else may follow the list.
    is_part: bool,
}

impl<R: Read> Records<R> {
    /// Begins to read.
    pub fn new(reader: R) -> Self {
        Self::of_window(Window::new(reader))
    }

    /// Goes on with what has been looked at.
    pub(super) fn of_window(window: Window<R>) -> Self {
        Self { window, shape: Shape::Unknown, is_part: false }
    }

    /// Goes on within a list that is part of something larger.
    pub(super) fn in_list(window: Window<R>) -> Self {
        Self { window, shape: Shape::List(false), is_part: true }
    }

    /// How many bytes have come in so far.
    pub fn bytes(&self) -> u64 {
        self.window.bytes
    }

    /// The next document.
    ///
    /// # Errors
    /// When reading fails. What is wrong with a document is in the record.
    #[expect(clippy::should_implement_trait, reason = "the record borrows from the reader, which an iterator cannot do")]
    pub fn next(&mut self) -> io::Result<Option<Record<'_>>> {
        if self.shape == Shape::Unknown {
            self.shape = self.look()?;
            if self.shape == Shape::Done && !self.window.unread().is_empty() {
                return Ok(Some(refused(1, encoding_fault("is not UTF-8 but UTF-16, or no text at all"))));
            }
        }
        match self.shape {
            Shape::Lines => self.next_line(),
            Shape::Values => self.next_value(false),
            Shape::List(after_document) => self.next_of_list(after_document),
            Shape::AfterList => self.after_list(),
            Shape::Unknown | Shape::Done => Ok(None),
        }
    }

    /// Finds out how the documents stand in the input.
    fn look(&mut self) -> io::Result<Shape> {
        while self.window.unread().len() < 3 && self.window.fill()? {}
        if self.window.unread().starts_with(b"\xEF\xBB\xBF") {
            self.window.take(3);
        }
        if matches!(self.window.unread(), [0xFE, 0xFF, ..] | [0xFF, 0xFE, ..] | [0, ..] | [_, 0, ..]) {
            return Ok(Shape::Done);
        }
        match self.window.skip_blanks()? {
            None => return Ok(Shape::Done),
            Some(b'[') => {
                self.window.take(1);
                return Ok(Shape::List(false));
            }
            Some(_) => {}
        }
        // JSON Lines: the first line is a whole object, or it is broken and a later line is a document. Anything else is a
        // document over several lines.
        let Some(first) = self.window.find_newline(0, MAX_DOCUMENT_BYTES)? else {
            let is_endless = self.window.unread().len() > MAX_DOCUMENT_BYTES;
            return Ok(if is_endless { Shape::Lines } else { Shape::Values });
        };
        if is_one_object(self.window.unread().get(..first).unwrap_or_default()) {
            return Ok(Shape::Lines);
        }
        while self.window.unread().len() < first + FIRST_LOOK && self.window.fill()? {}
        if closes(self.window.unread()) {
            return Ok(Shape::Values);
        }
        let rest = self.window.unread().get(first + 1..).unwrap_or_default();
        let rest = rest.get(..FIRST_LOOK).unwrap_or(rest);
        let mut lines = rest.split(|byte| *byte == b'\n');
        let second_is_object = lines.next().is_some_and(|line| line.first() == Some(&b'{') && is_one_object(line));
        Ok(if second_is_object || lines.any(is_one_document) { Shape::Lines } else { Shape::Values })
    }

    fn next_line(&mut self) -> io::Result<Option<Record<'_>>> {
        if self.window.skip_blanks()?.is_none() {
            return Ok(None);
        }
        let line = self.window.line;
        let found = self.window.find_newline(0, MAX_DOCUMENT_BYTES)?;
        let length = found.unwrap_or(self.window.unread().len());
        if length > MAX_DOCUMENT_BYTES {
            self.window.skip_line()?;
            return Ok(Some(refused(line, size_fault())));
        }
        Ok(Some(Record::new(line, as_text(self.window.take_line(length, found.is_some())))))
    }

    /// The next document of a list, and what stands between it and the one before.
    fn next_of_list(&mut self, after_document: bool) -> io::Result<Option<Record<'_>>> {
        let mut commas = 0;
        let mut next = self.window.skip_blanks()?;
        while next == Some(b',') {
            self.window.take(1);
            commas += 1;
            next = self.window.skip_blanks()?;
        }
        let line = self.window.line;
        let is_end = matches!(next, None | Some(b']'));
        if next.is_some() && commas != usize::from(after_document && !is_end) {
            // The documents on both sides may be whole, but whoever wrote this did not write JSON.
            self.shape = Shape::List(false);
            let what = if commas == 0 { "a comma is missing" } else { "there is a comma too many" };
            let message = format!("{what} between two documents of the list; export the file again");
            return Ok(Some(refused(line, Fault::error("DOC-JSON", Path::ROOT, message))));
        }
        match next {
            None => {
                self.shape = Shape::Done;
                let message = "the list of documents is not closed; the file seems to be cut off, export it again";
                Ok(Some(refused(line, Fault::error("DOC-JSON", Path::ROOT, message))))
            }
            Some(b']') => {
                self.window.take(1);
                self.shape = Shape::AfterList;
                self.after_list()
            }
            Some(_) => {
                self.shape = Shape::List(true);
                self.next_value(true)
            }
        }
    }

    /// The next document of a list, or of documents that follow one another.
    fn next_value(&mut self, in_list: bool) -> io::Result<Option<Record<'_>>> {
        if self.window.skip_blanks()?.is_none() {
            return Ok(None);
        }
        let line = self.window.line;
        let mut scan = Scan::default();
        let mut is_too_large = false;
        let length = loop {
            let all = self.window.at_end();
            if let Some(length) = scan.find_end(self.window.unread(), in_list, all) {
                // Another document within this one is a fault of it, and no reason to take it apart; a broken one is.
                break match scan.suspect {
                    Some(suspect) if !is_json(self.window.unread().get(..length).unwrap_or_default()) => suspect,
                    _ => length,
                };
            }
            if let (Some(suspect), true) = (scan.suspect, all || self.window.unread().len() > MAX_DOCUMENT_BYTES) {
                break suspect;
            }
            if self.window.unread().len() > MAX_DOCUMENT_BYTES {
                // What has been looked at is not needed any more, but its end has to be found.
                is_too_large = true;
                self.window.take(scan.at);
                scan.at = 0;
                scan.suspect = None;
            }
            if !self.window.fill()? && all {
                self.shape = Shape::Done;
                break self.window.unread().len();
            }
        };
        // After a document that is not closed, what separates it from the next one has been taken with it.
        let value = self.window.unread().get(..length).unwrap_or_default().trim_ascii_end();
        if in_list && value.starts_with(b"{") && !value.ends_with(b"}") && self.shape != Shape::Done {
            self.shape = Shape::List(false);
        }
        let taken = self.window.take(length);
        Ok(Some(if is_too_large { refused(line, size_fault()) } else { Record::new(line, as_text(taken)) }))
    }

    fn after_list(&mut self) -> io::Result<Option<Record<'_>>> {
        if self.is_part {
            self.shape = Shape::Done;
            return Ok(None);
        }
        let rest = self.window.skip_blanks()?;
        self.shape = Shape::Done;
        let message = "something follows the list of documents and cannot be read; export the file again";
        Ok(rest.map(|_| refused(self.window.line, Fault::error("DOC-JSON", Path::ROOT, message))))
    }
}

fn refused(line: u64, fault: Fault) -> Record<'static> {
    Record::new(line, Err(Box::new(fault)))
}

fn as_text(bytes: &[u8]) -> Result<&str, Box<Fault>> {
    // Files that were joined have the mark of their encoding in the middle.
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    simdutf8::basic::from_utf8(bytes).map_err(|_| {
        let place = std::str::from_utf8(bytes).map_err(|error| error.valid_up_to()).err().unwrap_or_default();
        let lossy =
            String::from_utf8_lossy(bytes.get(place.saturating_sub(20)..(place + 20).min(bytes.len())).unwrap_or_default());
        Box::new(encoding_fault(&format!("is not UTF-8 from its byte {} on (near {lossy:?})", place + 1)).found(&lossy))
    })
}

pub(super) fn encoding_fault(what: &str) -> Fault {
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
        let good = "{\"kind\":\"purchase_order\"}";
        expect(&format!("{{\"b\":\n\n{good}\n{good}\n"), &[(1, "{\"b\":"), (3, good), (4, good)]);
        expect(&format!("{{\n \"b\": \"x\n}}\n{good}\n"), &[(1, "{"), (2, "\"b\": \"x"), (3, "}"), (4, good)]);
        expect(&format!("{{\n \"b\": 1\n}}\n{good}\n"), &[(1, "{\n \"b\": 1\n}"), (4, good)]);
        expect(&format!("[{{\"b\":[,\n{good},{good}]"), &[(1, "{\"b\":[,"), (2, good), (2, good)]);
        let nested = format!("{{\"event\":1,\"data\":{good}}}");
        expect(&format!("[{nested},{nested}]"), &[(1, &nested), (1, &nested)]);
        expect(&nested, &[(1, &nested)]);
        let last = "{\"number\":\"1\",\"kind\":\"invoice\"}";
        expect(&format!("[{{\"a\":[1],\n{last},\n{last}]"), &[(1, "{\"a\":[1],"), (2, last), (3, last)]);
        expect(&format!("{good}\n\u{feff}{good}\n"), &[(1, good), (2, good)]);
        expect(
            "[{},{} {},,{},]",
            &[(1, "{}"), (1, "{}"), (1, "DOC-JSON"), (1, "{}"), (1, "DOC-JSON"), (1, "{}"), (1, "DOC-JSON")],
        );
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
        assert!(records.window.size() <= 4 * MAX_DOCUMENT_BYTES);
    }

    #[test]
    fn a_document_that_is_too_large_does_not_take_the_others_with_it() {
        let (good, bad) = ("{\"kind\":\"invoice\"}", format!("{{\"b\":\"{}\"}}", "x".repeat(20 << 20)));
        let size = |input: String| cut(input.as_bytes(), usize::MAX).into_iter().map(|(_, text)| text).collect::<Vec<_>>();
        assert_eq!(size(format!("{bad}\n{good}\n")), ["DOC-SIZE", good]);
        assert_eq!(size(format!("[{good},{bad},{good}]")), [good, "DOC-SIZE", good]);
        assert_eq!(size(format!("{{\n}}\n{bad}{good}")), ["{\n}", "DOC-SIZE", good]);
    }

    proptest! {
        #[test]
        fn no_input_makes_it_fail_or_hang(bytes in proptest::collection::vec(prop_oneof![Just(b'{'), Just(b'}'), Just(b'['), Just(b']'), Just(b'"'), Just(b'\\'), Just(b'\n'), Just(b','), Just(b' '), any::<u8>()], 0..200)) {
            prop_assert_eq!(cut(&bytes, usize::MAX), cut(&bytes, 1));
        }
    }
}
