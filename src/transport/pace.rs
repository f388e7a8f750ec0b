//! The pace of calls: a token bucket.

use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};

/// Lets `burst` calls pass at once and `per_second` a second after that.
#[derive(Debug)]
pub struct Pace {
    /// The time that one call costs, and how far one may be ahead of it; `None` sets no pace.
    limit: Option<(Duration, Duration)>,
    /// When the bucket would be full again if nothing more came.
    full_at: Mutex<Option<Instant>>,
}

impl Pace {
    /// A pace; 0 calls a second mean that none is set.
    pub fn new(per_second: u32, burst: u32) -> Self {
        let limit = (per_second > 0).then(|| {
            let cost = Duration::from_secs(1) / per_second;
            (cost, cost * burst.max(1))
        });
        Self { limit, full_at: Mutex::new(None) }
    }

    /// Waits until the next call may go. Callers are served in their order.
    pub async fn wait(&self) {
        let Some((cost, ahead)) = self.limit else { return };
        let mut full_at = self.full_at.lock().await;
        let full = full_at.unwrap_or_else(Instant::now).max(Instant::now()) + cost;
        *full_at = Some(full);
        // Waiting with the lock held keeps the order.
        if let Some(ready) = full.checked_sub(ahead) {
            sleep_until(ready).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_passes_and_then_the_rate_holds() {
        let pace = Pace::new(10, 3);
        let start = Instant::now();
        for _ in 0..3 {
            pace.wait().await;
        }
        assert_eq!(start.elapsed().as_millis(), 0);
        for _ in 0..10 {
            pace.wait().await;
        }
        assert!((1000..=1010).contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn no_pace_never_waits() {
        let pace = Pace::new(0, 1);
        let start = Instant::now();
        for _ in 0..1000 {
            pace.wait().await;
        }
        assert_eq!(start.elapsed().as_millis(), 0);
    }
}
