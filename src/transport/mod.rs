//! The only place that opens a socket.

#[cfg(feature = "aws")]
pub mod aws;
mod http;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

pub use http::{Http, HttpError, MAX_RESPONSE_BYTES};

use crate::wire::{SendError, WireRequest, WireResponse};

/// Moves a request to the vendor and its answer back, once: it never sends a request a second time by itself.
///
/// A transport of one's own has to come to an end by itself, within the timeout that the bridge was given: a run waits for
/// it, and the next run relies on it. And it has to tell the two errors apart truthfully. [`SendError::NotSent`] says that no byte of the
/// body left; whatever is less certain is [`SendError::MaybeSent`].
///
/// ```
/// use payables_bridge::transport::{Permit, Sending, Transport};
/// use payables_bridge::wire::{SendError, WireRequest};
///
/// struct Unplugged;
/// impl Transport for Unplugged {
///     fn send(&self, _: WireRequest, _: Permit) -> Sending<'_> {
///         Box::pin(async { Err(SendError::NotSent("there is no cable".into())) })
///     }
/// }
/// ```
pub trait Transport: Send + Sync {
    /// Sends it. The permit is asked right before the first byte of the body leaves; when it is over, nothing may leave.
    fn send(&self, request: WireRequest, permit: Permit) -> Sending<'_>;
}

/// The permit to make a call. It is good for a moment only: a process that was stopped between the record of its intent and
/// its call may find that another one has gone on without it.
#[derive(Clone)]
pub struct Permit(Arc<dyn Fn() -> bool + Send + Sync>);

impl Permit {
    /// A permit that is good for as long as `is_good` says so.
    pub fn new(is_good: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(is_good))
    }

    /// Whether the first byte may leave now.
    pub fn may_write(&self) -> bool {
        (self.0)()
    }
}

/// A request on its way.
pub type Sending<'s> = Pin<Box<dyn Future<Output = Result<WireResponse, SendError>> + Send + 's>>;
