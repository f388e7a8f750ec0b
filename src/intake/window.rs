//! A window on a stream of bytes: it grows to the largest piece that is looked at as one, and knows its line.

use std::io::{self, Read};

const FIRST_SIZE: usize = 256 << 10;

/// The unread bytes that have come in so far.
pub(super) struct Window<R> {
    reader: R,
    buffer: Vec<u8>,
    /// The unread bytes are `buffer[start..end]`.
    start: usize,
    end: usize,
    at_end: bool,
    /// The line of the first unread byte, counted from 1.
    pub(super) line: u64,
    /// How many bytes have come in so far.
    pub(super) bytes: u64,
}

impl<R: Read> Window<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader, buffer: Vec::new(), start: 0, end: 0, at_end: false, line: 1, bytes: 0 }
    }

    pub(super) fn unread(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    /// Whether nothing more will come in.
    pub(super) fn at_end(&self) -> bool {
        self.at_end
    }

    /// Reads more bytes behind the unread ones. `false` when there are no more.
    pub(super) fn fill(&mut self) -> io::Result<bool> {
        if self.at_end {
            return Ok(false);
        }
        if self.start > 0 && (self.start == self.end || self.end == self.buffer.len()) {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.end == self.buffer.len() {
            self.buffer.resize((self.buffer.len() * 2).max(FIRST_SIZE), 0);
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

    /// Takes `count` unread bytes and counts their lines.
    pub(super) fn take(&mut self, count: usize) -> &[u8] {
        let taken = self.buffer.get(self.start..(self.start + count).min(self.end)).unwrap_or_default();
        self.line += memchr::memchr_iter(b'\n', taken).count() as u64;
        self.start += taken.len();
        taken
    }

    /// Takes a line of this length, and its end when `ended`; what is handed out is without it.
    pub(super) fn take_line(&mut self, length: usize, ended: bool) -> &[u8] {
        let from = self.start;
        self.start += length + usize::from(ended);
        self.line += u64::from(ended);
        self.buffer.get(from..from + length).unwrap_or_default()
    }

    /// Skips white space; the next byte, if there is one.
    pub(super) fn skip_blanks(&mut self) -> io::Result<Option<u8>> {
        loop {
            let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
            let blanks = self.unread().iter().take_while(|byte| is_blank(byte)).count();
            self.take(blanks);
            if let Some(&byte) = self.unread().first() {
                return Ok(Some(byte));
            }
            if !self.fill()? {
                return Ok(None);
            }
        }
    }

    /// The place of the next line break in the unread bytes, from a place on. `None` when there is none within `limit`.
    pub(super) fn find_newline(&mut self, mut from: usize, limit: usize) -> io::Result<Option<usize>> {
        loop {
            let unread = self.unread();
            if let Some(at) = memchr::memchr(b'\n', unread.get(from..).unwrap_or_default()) {
                return Ok(Some(from + at));
            }
            from = unread.len();
            if from > limit || !self.fill()? {
                return Ok(None);
            }
        }
    }

    /// Skips the rest of a line without keeping it.
    pub(super) fn skip_line(&mut self) -> io::Result<()> {
        loop {
            match memchr::memchr(b'\n', self.unread()) {
                Some(at) => {
                    self.take(at + 1);
                    return Ok(());
                }
                None => self.start = self.end,
            }
            if !self.fill()? {
                return Ok(());
            }
        }
    }

    #[cfg(test)]
    pub(super) fn size(&self) -> usize {
        self.buffer.len()
    }
}
