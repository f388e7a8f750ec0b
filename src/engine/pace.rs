//! How fast, how often, how long: the pace of calls, the wait before another try, and the allowance of tries, as pure
//! functions of a time that is handed in.

use std::time::Duration;

/// A moment: milliseconds on a clock that never goes back.
pub type Tick = u64;

/// Lets `burst` calls pass at once and `per_second` a second after that (a token bucket, kept as one number: when it
/// would be full again). It is a hundredth slower than it is told to be: the other side counts by a clock of its own.
#[derive(Debug, Clone)]
pub struct Pace {
    /// What one call costs in microseconds; 0 where there is no pace.
    cost: u64,
    /// The same, as it was set at the beginning.
    own_cost: u64,
    /// How many calls one may be ahead.
    burst: u64,
    full_at: u64,
}

impl Pace {
    /// A pace; 0 calls a second mean that none is set.
    pub fn new(per_second: u32, burst: u32) -> Self {
        let cost = 1_010_000_u64.checked_div(u64::from(per_second)).unwrap_or_default();
        Self { cost, own_cost: cost, burst: u64::from(burst.max(1)), full_at: 0 }
    }

    /// Lets at least so much time pass between calls from now on, but never less than was set at the beginning.
    pub fn slow_down(&mut self, interval: Duration) {
        let interval = u64::try_from(interval.as_micros()).unwrap_or(u64::MAX / 200);
        let cost = self.own_cost.max(interval.saturating_mul(101) / 100);
        // The last call counts as one of the new pace, so that the next one is not too early.
        self.full_at += cost.saturating_sub(self.cost);
        self.cost = cost;
    }

    /// When the next call may go.
    pub fn next(&self, now: Tick) -> Tick {
        if self.cost == 0 {
            return now;
        }
        now.max((self.full_at + self.cost).saturating_sub(self.cost.saturating_mul(self.burst)).div_ceil(1000))
    }

    /// A call goes.
    pub fn take(&mut self, now: Tick) {
        if self.cost > 0 {
            // A tick is a whole millisecond; what a wait was rounded up by is not lost.
            self.full_at = self.full_at.max((now * 1000).saturating_sub(999)) + self.cost;
        }
    }
}

/// Draws numbers that only have to differ: the same seed gives the same ones.
#[derive(Debug, Clone)]
pub struct Jitter(u64);

impl Jitter {
    /// From a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A pause between nothing and `base` × 2^`tries`, at most `cap` (full jitter): many who lost the same line do not come
    /// back at once.
    pub fn wait(&mut self, base: Duration, tries: u32, cap: Duration) -> Duration {
        let most = base.saturating_mul(2_u32.saturating_pow(tries)).min(cap);
        // splitmix64
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut drawn = self.0;
        drawn = (drawn ^ (drawn >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        drawn = (drawn ^ (drawn >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        drawn ^= drawn >> 31;
        Duration::from_millis(drawn % (u64::try_from(most.as_millis()).unwrap_or(u64::MAX - 1) + 1))
    }
}

/// An allowance of tries: each costs a token, each success gives a tenth of one back. So an outage makes calls fewer, not
/// more.
#[derive(Debug, Clone)]
pub struct Allowance {
    tenths: u32,
    most: u32,
}

impl Allowance {
    /// A full allowance.
    pub fn new(tokens: u32) -> Self {
        Self { tenths: tokens * 10, most: tokens * 10 }
    }

    /// Takes a token, if there is one.
    pub fn take(&mut self) -> bool {
        let left = self.tenths.checked_sub(10);
        self.tenths = left.unwrap_or(self.tenths);
        left.is_some()
    }

    /// A call went well.
    pub fn give_back(&mut self) {
        self.tenths = (self.tenths + 1).min(self.most);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_then_the_rate_holds() {
        let mut pace = Pace::new(10, 3);
        let mut now = 5000;
        let mut gone = Vec::new();
        for _ in 0..13 {
            now = pace.next(now);
            pace.take(now);
            gone.push(now - 5000);
        }
        assert_eq!(gone, [0, 0, 0, 101, 202, 303, 404, 505, 606, 707, 808, 909, 1010]);
        // A pause gives the burst back, and no more than the burst.
        assert_eq!([pace.next(60_000), 60_000], [60_000; 2]);
    }

    #[test]
    fn a_pace_that_does_not_divide_a_second_is_never_exceeded() {
        let mut pace = Pace::new(3, 1);
        let (mut now, mut gone) = (0, Vec::new());
        for _ in 0..300 {
            now = pace.next(now);
            pace.take(now);
            gone.push(now);
        }
        assert!(gone.windows(4).all(|calls| calls[3] - calls[0] >= 999), "{gone:?}");
        assert!((100_600..=100_700).contains(&gone[299]), "{}", gone[299]);
    }

    #[test]
    fn a_vendor_may_slow_the_pace_and_give_it_back() {
        let mut pace = Pace::new(10, 1);
        let gap = |pace: &mut Pace, now| {
            pace.take(now);
            pace.next(now) - now
        };
        pace.slow_down(Duration::from_secs(2));
        assert_eq!(gap(&mut pace, 10_000), 2020);
        pace.slow_down(Duration::from_millis(1));
        assert_eq!(gap(&mut pace, 20_000), 101);
    }

    #[test]
    fn no_pace_never_waits() {
        let mut pace = Pace::new(0, 1);
        for _ in 0..1000 {
            assert_eq!(pace.next(7), 7);
            pace.take(7);
        }
    }

    #[test]
    fn waits_grow_and_stay_within_their_bounds() {
        let (base, cap) = (Duration::from_secs(1), Duration::from_secs(60));
        let longest = |tries| {
            let mut jitter = Jitter::new(7);
            (0..1000).map(|_| jitter.wait(base, tries, cap)).max().unwrap()
        };
        assert!((Duration::from_millis(950)..=base).contains(&longest(0)));
        assert!((Duration::from_millis(3800)..=Duration::from_secs(4)).contains(&longest(2)));
        assert!((Duration::from_secs(57)..=cap).contains(&longest(40)));
        let mut jitter = Jitter::new(7);
        let waits: std::collections::BTreeSet<_> = (0..100).map(|_| jitter.wait(base, 3, cap)).collect();
        assert!(waits.len() > 90);
    }

    #[test]
    fn waits_are_drawn_from_splitmix64_and_nothing_is_a_wait_too() {
        let mut jitter = Jitter::new(1_234_567);
        let drawn = [(); 3].map(|()| jitter.wait(Duration::MAX, 0, Duration::MAX).as_millis());
        assert_eq!(drawn, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
        assert_eq!(jitter.wait(Duration::ZERO, 3, Duration::MAX), Duration::ZERO);
    }

    #[test]
    fn an_allowance_runs_out_and_comes_back_slowly() {
        let mut allowance = Allowance::new(2);
        assert_eq!([(); 3].map(|()| allowance.take()), [true, true, false]);
        for _ in 0..9 {
            allowance.give_back();
        }
        assert!(!allowance.take());
        allowance.give_back();
        assert!(allowance.take());
        for _ in 0..1000 {
            allowance.give_back();
        }
        assert_eq!([(); 3].map(|()| allowance.take()), [true, true, false]);
    }
}
