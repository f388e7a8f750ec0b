//! Stops a run from outside: before anything is sent, or after what is on its way has come back.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tokio::sync::watch;

/// Stops a run from outside.
#[derive(Debug, Clone)]
pub struct Stopper {
    stop: Arc<watch::Sender<bool>>,
    /// How far the run has come: one of the three below.
    stage: Arc<AtomicU8>,
}

/// Nothing has been sent.
const BEFORE: u8 = 0;
/// Something may have been sent.
const SENDING: u8 = 1;
/// Nothing was sent, and nothing will be.
const CANCELLED: u8 = 2;

impl Stopper {
    pub(super) fn new() -> Self {
        Self { stop: Arc::new(watch::Sender::new(false)), stage: Arc::default() }
    }

    /// Asks the run to stop.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Whether the run has come so far that something may have been sent.
    pub fn may_have_sent(&self) -> bool {
        self.stage.load(Ordering::SeqCst) == SENDING
    }

    /// Stops the run before anything is sent. `false`: it is too late for that, and the run goes on.
    pub fn cancel(&self) -> bool {
        let cancelled = self.stage.compare_exchange(BEFORE, CANCELLED, Ordering::SeqCst, Ordering::SeqCst);
        if cancelled.is_ok() {
            self.stop();
        }
        cancelled.is_ok()
    }

    /// A run that was cancelled finds itself stopped, and sends nothing.
    pub(super) fn begin_to_send(&self) {
        let _cancelled = self.stage.compare_exchange(BEFORE, SENDING, Ordering::SeqCst, Ordering::SeqCst);
    }

    pub(super) fn is_stopped(&self) -> bool {
        *self.stop.borrow()
    }

    pub(super) async fn stopped(&self) {
        let mut receiver = self.stop.subscribe();
        // The sender lives as long as this handle.
        let _never_closed = receiver.wait_for(|stopped| *stopped).await;
    }
}
