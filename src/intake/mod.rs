//! Intake: bytes become documents, one at a time, each with the place that it came from.
//!
//! It streams: the memory it takes is that of the largest document, whatever the size of the input. Canonical documents are
//! read as they are; other sources come through a [`Mapping`], and every value of theirs knows its cell.
//!
//! ```
//! use std::sync::Arc;
//!
//! use payables_bridge::intake::Input;
//! use payables_bridge::mappings::source::Mapping;
//! use payables_bridge::model::Document;
//!
//! let mapping = Mapping::built_in("cdata-submit-vendor-payments").unwrap();
//! let export = "Id,TotalAmount\n2026-17,19.90\n2026-18,\"19,90\"\n";
//! let mut documents = Input::new("export.csv", export.as_bytes()).mapped(Arc::new(mapping)).documents();
//!
//! let record = documents.next()?.unwrap();
//! let Ok(Document::Invoice(invoice)) = record.read() else { panic!() };
//! assert_eq!(invoice.number.as_str(), "2026-17");
//!
//! let record = documents.next()?.unwrap();
//! let fault = &record.read().unwrap_err().faults[0];
//! let source = fault.source.as_ref().unwrap();
//! assert_eq!((source.line, source.column.as_deref(), source.raw.as_deref()), (Some(3), Some("TotalAmount"), Some("19,90")));
//! # Ok::<(), std::io::Error>(())
//! ```

mod json;
mod mapped;
mod origin;
mod pointer;
mod scan;
mod window;

use std::io::{self, Read};
use std::sync::Arc;

use crate::mappings::source::Mapping;
use crate::model::{self, Document, Fault, Source, Unreadable};

pub use json::{MAX_DOCUMENT_BYTES, Records};
pub use origin::{Cell, Origin};

/// Something to read documents from: a name for reports, and the bytes.
pub struct Input<'r> {
    /// The name as the person gave it; `-` is standard input.
    pub name: Arc<str>,
    /// The bytes.
    pub bytes: Box<dyn Read + Send + 'r>,
    /// How the bytes become documents, when they are not canonical ones.
    pub mapping: Option<Arc<Mapping>>,
}

impl<'r> Input<'r> {
    /// An input with a name.
    pub fn new(name: &str, bytes: impl Read + Send + 'r) -> Self {
        Self { name: Arc::from(name), bytes: Box::new(bytes), mapping: None }
    }

    /// Reads the input through a mapping.
    #[must_use]
    pub fn mapped(mut self, mapping: Arc<Mapping>) -> Self {
        self.mapping = Some(mapping);
        self
    }

    /// Begins to read the documents.
    pub fn documents(self) -> Documents<'r> {
        Documents(match self.mapping {
            None => Way::Canonical(Records::new(self.bytes)),
            Some(mapping) => Way::Mapped(Box::new(mapped::Mapped::new(self.bytes, mapping))),
        })
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

/// The documents of an input, one after the other.
pub struct Documents<'r>(Way<'r>);

enum Way<'r> {
    Canonical(Records<Box<dyn Read + Send + 'r>>),
    Mapped(Box<mapped::Mapped<'r>>),
}

impl Documents<'_> {
    /// The next document.
    ///
    /// # Errors
    /// When reading fails. What is wrong with a document is in the record.
    #[expect(clippy::should_implement_trait, reason = "the record borrows from the reader, which an iterator cannot do")]
    pub fn next(&mut self) -> io::Result<Option<Record<'_>>> {
        match &mut self.0 {
            Way::Canonical(records) => records.next(),
            Way::Mapped(records) => records.next(),
        }
    }
}

/// The text of one document, or why there is none, and the line that it begins on.
#[derive(Debug)]
pub struct Record<'b> {
    /// The line of its first character, counted from 1.
    pub line: u64,
    /// The canonical text.
    pub text: Result<&'b str, Box<Fault>>,
    /// Where its values came from, when a mapping made the text.
    pub origin: Option<&'b Origin>,
}

impl<'b> Record<'b> {
    fn new(line: u64, text: Result<&'b str, Box<Fault>>) -> Self {
        Self { line, text, origin: None }
    }

    /// Reads the document.
    ///
    /// # Errors
    /// With all that is wrong with the text, and with what the mapping made it of. [`place`](Self::place) says where.
    pub fn read(&self) -> Result<Document<'b>, Box<Unreadable<'b>>> {
        let text = match &self.text {
            Ok(text) => *text,
            Err(fault) => {
                let faults = vec![(**fault).clone()];
                return Err(Box::new(Unreadable { kind: None, number: None, faults, rest: None }));
            }
        };
        let read = model::read(text);
        let Some(origin) = self.origin else { return read };
        let mut unreadable = match read {
            Ok(document) if origin.faults.is_empty() => return Ok(document),
            Ok(document) => {
                let number = Some(document.number()).filter(|number| !number.is_empty()).map(str::to_owned);
                Box::new(Unreadable { kind: Some(document.kind()), number, faults: Vec::new(), rest: Some(document) })
            }
            Err(unreadable) => unreadable,
        };
        for fault in &mut unreadable.faults {
            origin.place(fault, self.line);
        }
        unreadable.faults.splice(0..0, origin.faults.iter().cloned());
        Err(unreadable)
    }

    /// Completes the places of faults: the file, and the line or the cell.
    pub fn place(&self, faults: &mut [Fault], file: &str) {
        let Some(origin) = self.origin else { return place_faults(faults, file, self.line) };
        for fault in faults {
            if fault.source.as_ref().is_none_or(|source| source.line.is_none()) {
                origin.place(fault, self.line);
            }
            fault.source.get_or_insert_default().file = Some(file.to_owned().into());
        }
    }
}

/// Completes the places of faults: they are counted from the document's first line.
pub fn place_faults(faults: &mut [Fault], file: &str, line: u64) {
    for fault in faults {
        let source = fault.source.get_or_insert_with(Source::default);
        source.file = Some(file.to_owned().into());
        source.line = Some(line + source.line.map_or(0, |below| below.saturating_sub(1)));
    }
}
