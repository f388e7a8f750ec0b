//! Bytes of another encoding, as UTF-8.

use std::io::{self, Read};

use encoding_rs::{CoderResult, Decoder, Encoding};

const PIECE: usize = 64 << 10;

/// Reads a source that is not written in UTF-8. What cannot be decoded becomes U+FFFD, by which a record is known that cannot
/// be trusted.
pub(super) struct Decoding<R> {
    reader: R,
    decoder: Decoder,
    /// Bytes that have been read and not been decoded.
    raw: Vec<u8>,
    /// What has been decoded, handed out up to `at`.
    text: String,
    at: usize,
    is_over: bool,
}

impl<R: Read> Decoding<R> {
    pub(super) fn new(reader: R, encoding: &'static Encoding) -> Self {
        let (decoder, text) = (encoding.new_decoder(), String::with_capacity(PIECE));
        Self { reader, decoder, raw: Vec::new(), text, at: 0, is_over: false }
    }

    fn fill(&mut self) -> io::Result<()> {
        self.text.clear();
        self.at = 0;
        if self.raw.is_empty() {
            self.raw.resize(PIECE, 0);
            let count = self.reader.read(&mut self.raw);
            self.raw.truncate(*count.as_ref().unwrap_or(&0));
            self.is_over = count? == 0;
        }
        let (result, read, _) = self.decoder.decode_to_string(&self.raw, &mut self.text, self.is_over);
        self.raw.drain(..read.min(self.raw.len()));
        // The end of the source may need a second look for what is left in the decoder.
        self.is_over &= result == CoderResult::InputEmpty;
        Ok(())
    }
}

impl<R: Read> Read for Decoding<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.at == self.text.len() {
            if self.is_over {
                return Ok(0);
            }
            self.fill()?;
        }
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let count = rest.len().min(out.len());
        if let (Some(to), Some(from)) = (out.get_mut(..count), rest.get(..count)) {
            to.copy_from_slice(from);
        }
        self.at += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(bytes: &[u8], label: &str) -> String {
        let mut text = String::new();
        let encoding = Encoding::for_label(label.as_bytes()).unwrap();
        // One byte at a time finds every place where a character can be cut.
        let mut reader = Decoding::new(bytes, encoding);
        let mut byte = [0];
        let mut all = Vec::new();
        while reader.read(&mut byte).unwrap() == 1 {
            all.push(byte[0]);
        }
        text.push_str(std::str::from_utf8(&all).unwrap());
        text
    }

    #[test]
    fn other_encodings_are_read() {
        assert_eq!(decoded(b"S\xF6hne \x80", "windows-1252"), "Söhne €");
        assert_eq!(decoded(b"\xFF\xFEa\0\xF6\0", "utf-16le"), "aö");
        assert_eq!(decoded(b"a\0b", "utf-16le"), "a\u{fffd}");
        assert_eq!(decoded(b"", "windows-1252"), "");
        let long: Vec<u8> = std::iter::repeat_n(0xE9, 300_000).collect();
        assert_eq!(decoded(&long, "windows-1252").chars().filter(|c| *c == 'é').count(), 300_000);
    }
}
