//! Processes that are killed: the real journal in a file, the real network on loopback, and an end at any instant.
//!
//! Whatever the instant, what the vendor holds, what the journal knows and what the reports said have to agree once a run
//! has come to its end: `oracle` looks at all three. `random` kills the program itself with a signal that nobody can catch;
//! `steps` lets a process die right before and right after each step that it takes; `million` looks at how long a restart
//! takes when the journal has grown. `once` is about documents that may not be sent twice, `kept` about what is kept at AWS.
//!
//! `KILLS=n` sets how many processes are killed at random moments, and from 200 on every pair of steps is tried as well.
//! `KILL_SEED=n` tries what failed once more: the same story with the same inputs, faults and waits, as far as a machine
//! does twice what it did once.

mod deadly;
#[cfg(feature = "aws")]
mod kept;
mod million;
mod once;
mod oracle;
mod random;
mod steps;
mod story;

use std::process::Child;

/// How many processes are killed at random moments.
fn kills() -> u64 {
    std::env::var("KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(40)
}

/// The seed to begin with.
fn seed() -> u64 {
    std::env::var("KILL_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(|| fastrand::u64(..1 << 32))
}

/// A process that is gone when this is, also when a test fails.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _gone_already = self.0.kill();
        let _nothing_to_learn = self.0.wait();
    }
}
