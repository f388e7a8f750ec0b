//! The bridge: the only place that knows both sides, documents and vendors.
//!
//! [`Translator`] is the dry run. [`Bridge`] sends. Both prepare documents in the same way.
//!
//! # A connector
//!
//! What an ERP connector does: hand documents over, and hear of each what became of it. The journal remembers what was sent,
//! so handing a document over twice does no harm.
//!
//! ```no_run
//! # #[cfg(feature = "net")]
//! # async fn connector(export: Vec<u8>) -> Result<(), Box<dyn std::error::Error>> {
//! use std::{path::Path, sync::Arc, time::Duration};
//!
//! use payables_bridge::{bridge::Bridge, intake::Input, journal::Sqlite, outcome::Outcome};
//! use payables_bridge::{vendors::tipalti::Tipalti, wire::Secret};
//!
//! let bridge = Bridge::builder()
//!     .vendor(Arc::new(Tipalti { payer_name: "AcmeCorp".into(), ..Tipalti::default() }))
//!     .credentials(Secret::new(std::env::var("TIPALTI_MASTER_KEY")?))
//!     .journal(Sqlite::open(Path::new("payables.db"), Duration::from_secs(10))?)
//!     .build()?;
//! let mut items = bridge.submit(vec![Input::new("export", std::io::Cursor::new(export))]);
//! while let Some(item) = items.next().await {
//!     match item.outcome {
//!         Outcome::Accepted | Outcome::Unchanged => { /* mark it as sent */ }
//!         outcome => eprintln!("{:?}: {} {:?}", item.number, outcome.word(), item.faults),
//!     }
//! }
//! let summary = items.summary().await?;
//! # drop(summary);
//! # Ok(())
//! # }
//! ```
//!
//! # A dry run into a buffer
//!
//! ```
//! use payables_bridge::{adapter::Payees, bridge::Translator, intake::Input, vendors::tipalti::Tipalti};
//!
//! let order = br#"{"kind": "purchase_order", "number": "PO-1", "issue_date": "2026-03-01", "currency": "EUR", "note": "Paper",
//!     "lines": [{"id": "1", "item": {"buyers_id": "P-80", "external_id": "501"}, "quantity": 2, "price": "19.90",
//!     "account": {"external_id": "6800"}}]}"#;
//! let mut bodies: Vec<u8> = Vec::new();
//! Translator::new(&Tipalti::default(), &Payees::Any, 1_767_225_600)
//!     .translate([Input::new("order", &order[..])], &mut bodies, &mut |_| {})?;
//! assert!(bodies.ends_with(b"</soap12:Envelope>\n"));
//! # Ok::<(), payables_bridge::bridge::Error>(())
//! ```
//!
//! # A transport and a clock of one's own
//!
//! ```
//! # #[cfg(feature = "net")]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::sync::Arc;
//!
//! use payables_bridge::transport::{Permit, Sending, Transport};
//! use payables_bridge::wire::{Secret, SendError, WireRequest};
//! use payables_bridge::{bridge::Bridge, intake::Input, journal::Memory, outcome::Outcome, vendors::tipalti::Tipalti};
//!
//! struct Unplugged;
//! impl Transport for Unplugged {
//!     fn send(&self, _: WireRequest, _: Permit) -> Sending<'_> {
//!         Box::pin(async { Err(SendError::NotSent("there is no cable".into())) })
//!     }
//! }
//!
//! let order = br#"{"kind": "purchase_order", "number": "PO-1", "issue_date": "2026-03-01", "currency": "EUR", "note": "Paper",
//!     "lines": [{"id": "1", "item": {"buyers_id": "P-80", "external_id": "501"}, "quantity": 2, "price": "19.90",
//!     "account": {"external_id": "6800"}}]}"#;
//! let bridge = Bridge::builder()
//!     .vendor(Arc::new(Tipalti::default()))
//!     .credentials(Secret::new("a master key"))
//!     .journal(Memory::new())
//!     .transport(Arc::new(Unplugged))
//!     .clock(|| 1_767_225_600_000)
//!     .build()?;
//! let mut items = bridge.submit(vec![Input::new("order", &order[..])]);
//! let outcomes: Vec<Outcome> = items.blocking().map(|item| item.outcome).collect();
//! assert_eq!(outcomes, [Outcome::NotSent]);
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "net"))]
//! # fn main() {}
//! ```

mod prepare;
pub mod seen;
mod translate;

#[cfg(feature = "net")]
mod ask;
#[cfg(feature = "aws")]
pub mod aws;
#[cfg(feature = "net")]
mod broken;
#[cfg(feature = "net")]
mod build;
#[cfg(feature = "net")]
mod desk;
#[cfg(feature = "net")]
mod drive;
#[cfg(feature = "net")]
mod evidence;
#[cfg(feature = "net")]
mod fetch;
#[cfg(feature = "net")]
mod import;
#[cfg(feature = "net")]
mod items;
#[cfg(feature = "net")]
mod line;
#[cfg(feature = "net")]
mod recover;
#[cfg(feature = "net")]
mod session;
#[cfg(feature = "net")]
mod spool;
#[cfg(feature = "net")]
mod stopper;
#[cfg(feature = "net")]
mod survey;
#[cfg(feature = "net")]
mod work;

use std::io;

pub use translate::Translator;

#[cfg(feature = "net")]
pub use build::{Bridge, BridgeBuilder};
#[cfg(feature = "net")]
pub use desk::{Decided, Decision, Desk, DeskError, Order, Refused};
#[cfg(feature = "net")]
pub use fetch::{FetchError, Fetcher, Form};
#[cfg(feature = "net")]
pub use items::{Items, Progress};
#[cfg(feature = "net")]
pub use stopper::Stopper;

use crate::report::Item;

/// Is told how a run goes. Any `FnMut(Item)` will do.
pub trait Observer: Send {
    /// Everything has been read and stored, and so many documents are going to be sent, besides those of earlier runs.
    fn imported(&mut self, _going: u64) {}
    /// A document has come to its end.
    fn item(&mut self, item: Item);
    /// Whether it has more than it can take. While it says so, nothing new is begun, and what is on its way is still told.
    fn is_full(&self) -> bool {
        false
    }
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
    /// The journal refuses or fails.
    #[error(transparent)]
    Journal(#[from] crate::journal::Error),
    /// A bridge without one of its parts.
    #[error("the bridge has no {0}")]
    Incomplete(&'static str),
    /// Something was named that nobody knows.
    #[error("{0}")]
    Unknown(String),
    /// The transport cannot be set up, or a call broke off in a way that no network explains.
    #[error("{0}")]
    Transport(String),
}

/// Waits until an observer takes more. Only for where nothing is on its way.
#[cfg(feature = "net")]
fn wait_for_room(observer: &dyn Observer) {
    while observer.is_full() {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
}

impl Error {
    pub(crate) fn read(name: &str, source: io::Error) -> Self {
        Self::Read { name: name.to_owned(), source }
    }
}
