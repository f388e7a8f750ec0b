//! A token bucket for each operation, in real time: it fills at the rate up to the burst, and a call
//! that finds it empty is refused.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The operations that have a bucket of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    SubmitInvoices,
    GetTransaction,
    GetPurchaseOrders,
    GetPurchaseOrder,
    GetPurchaseOrdersStatus,
}

const OPERATIONS: usize = 5;

#[derive(Debug)]
pub(super) struct Quota {
    rate: u32,
    /// What one call costs, and how much a full bucket holds, as the time that it takes to fill.
    cost: Duration,
    full: Duration,
    /// When each bucket will be full, if nobody takes from it.
    full_at: Mutex<[Option<Instant>; OPERATIONS]>,
}

impl Quota {
    pub(super) fn new(rate: u32, burst: u32) -> Self {
        let cost = Duration::from_secs(1).checked_div(rate).unwrap_or_default();
        Self { rate, cost, full: cost.saturating_mul(burst.max(1)), full_at: Mutex::default() }
    }

    /// The rate, when there is one.
    pub(super) fn rate(&self) -> Option<u32> {
        (self.rate > 0).then_some(self.rate)
    }

    /// Takes a call of the operation from its bucket, or says that it is empty.
    pub(super) fn takes(&self, operation: Operation) -> bool {
        self.takes_at(operation, Instant::now())
    }

    fn takes_at(&self, operation: Operation, now: Instant) -> bool {
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(bucket) = full_at.get_mut(operation as usize) else { return true };
        let missing = bucket.map_or(Duration::ZERO, |full_at| full_at.saturating_duration_since(now));
        let takes = missing + self.cost <= self.full;
        if takes {
            *bucket = Some(now + missing + self.cost);
        }
        takes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_gives_its_burst_and_then_its_rate() {
        let (quota, start) = (Quota::new(10, 3), Instant::now());
        let at = |ms| quota.takes_at(Operation::SubmitInvoices, start + Duration::from_millis(ms));
        assert_eq!([0, 0, 0, 0, 99, 100, 150, 200].map(at), [true, true, true, false, false, true, false, true]);
        assert_eq!([10_000; 4].map(at), [true, true, true, false]);
        assert!(quota.takes_at(Operation::GetTransaction, start));
    }

    #[test]
    fn without_a_rate_everything_goes() {
        let (quota, now) = (Quota::new(0, 0), Instant::now());
        assert!((0..1_000).all(|_| quota.takes_at(Operation::GetTransaction, now)));
        assert_eq!(quota.rate(), None);
    }
}
