//! The bridge: the only place that knows both sides, documents and vendors.
//!
//! [`Translator`] is the dry run. [`Bridge`] sends. Both prepare documents in the same way.

mod prepare;
pub mod seen;
pub mod settle;
mod translate;

#[cfg(feature = "net")]
mod build;
#[cfg(feature = "net")]
mod import;
#[cfg(feature = "net")]
mod run;
#[cfg(feature = "net")]
mod spool;

use std::io;

pub use translate::Translator;

#[cfg(feature = "net")]
pub use build::{Bridge, BridgeBuilder, Stopper};

use crate::report::Item;

/// Is told how a run goes. Any `FnMut(Item)` will do.
pub trait Observer: Send {
    /// Everything has been read, and so many documents are ready to be sent.
    fn imported(&mut self, _ready: u64) {}
    /// A document has come to its end.
    fn item(&mut self, item: Item);
}

impl<F: FnMut(Item) + Send> Observer for F {
    fn item(&mut self, item: Item) {
        self(item);
    }
}

/// A reason why a run cannot go on. What is wrong with one document is a fault of that document instead.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An input cannot be read.
    #[error("{name} cannot be read: {source}")]
    Read {
        /// The input.
        name: String,
        /// Why.
        source: io::Error,
    },
    /// The output cannot be written.
    #[error("the output cannot be written: {0}")]
    Write(#[source] io::Error),
    /// What has been read so far cannot be kept.
    #[error("the documents cannot be kept in a temporary file ({0}); TMPDIR says where it is made")]
    Spool(#[source] io::Error),
    /// The transport cannot be set up, or a call broke off in a way that no network explains.
    #[error("{0}")]
    Transport(String),
}

impl Error {
    pub(crate) fn read(name: &str, source: io::Error) -> Self {
        Self::Read { name: name.to_owned(), source }
    }
}
