//! Intake: bytes become documents, one at a time, each with the place that it came from.
//!
//! It streams: the memory it takes is that of the largest document, whatever the size of the input.

mod json;
mod scan;
mod window;

use std::io::{self, Read};
use std::sync::Arc;

use crate::model::{Fault, Source};

pub use json::{MAX_DOCUMENT_BYTES, Records};

/// Something to read documents from: a name for reports, and the bytes.
pub struct Input<'r> {
    /// The name as the person gave it; `-` is standard input.
    pub name: Arc<str>,
    /// The bytes.
    pub bytes: Box<dyn Read + Send + 'r>,
}

impl<'r> Input<'r> {
    /// An input with a name.
    pub fn new(name: &str, bytes: impl Read + Send + 'r) -> Self {
        Self { name: Arc::from(name), bytes: Box::new(bytes) }
    }

    /// Whether there is no byte in it. It waits for the first one.
    ///
    /// # Errors
    /// When reading fails.
    pub fn is_empty(&mut self) -> io::Result<bool> {
        let mut first = [0];
        loop {
            match self.bytes.read(&mut first) {
                Ok(0) => return Ok(true),
                Ok(_) => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        let rest = std::mem::replace(&mut self.bytes, Box::new(io::empty()));
        self.bytes = Box::new(io::Cursor::new(first).chain(rest));
        Ok(false)
    }
}

/// The text of one document, or why there is none, and the line that it begins on.
#[derive(Debug)]
pub struct Record<'b> {
    /// The line of its first character, counted from 1.
    pub line: u64,
    /// The text.
    pub text: Result<&'b str, Box<Fault>>,
}

/// Completes the places of faults: they are counted from the document's first line.
pub fn place_faults(faults: &mut [Fault], file: &str, line: u64) {
    for fault in faults {
        let source = fault.source.get_or_insert_with(Source::default);
        source.file = Some(file.to_owned().into());
        source.line = Some(line + source.line.map_or(0, |below| below.saturating_sub(1)));
    }
}
