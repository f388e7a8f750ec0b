//! The only place that opens a socket.

mod http;
mod pace;

use std::future::Future;
use std::pin::Pin;

pub use http::{Http, HttpError, MAX_RESPONSE_BYTES};
pub use pace::Pace;

use crate::wire::{SendError, WireRequest, WireResponse};

/// Moves a request to the vendor and its answer back, once: it never sends a request a second time by itself.
///
/// A transport of one's own has to tell the two errors apart truthfully. [`SendError::NotSent`] says that no byte of the
/// body left; whatever is less certain is [`SendError::MaybeSent`].
///
/// ```
/// use payables_bridge::transport::{Sending, Transport};
/// use payables_bridge::wire::{SendError, WireRequest};
///
/// struct Unplugged;
/// impl Transport for Unplugged {
///     fn send(&self, _: WireRequest) -> Sending<'_> {
///         Box::pin(async { Err(SendError::NotSent("there is no cable".into())) })
///     }
/// }
/// ```
pub trait Transport: Send + Sync {
    /// Sends it.
    fn send(&self, request: WireRequest) -> Sending<'_>;
}

/// A request on its way.
pub type Sending<'s> = Pin<Box<dyn Future<Output = Result<WireResponse, SendError>> + Send + 's>>;
