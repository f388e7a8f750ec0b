//! A bar on stderr for work that takes a while, when somebody looks.

use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Nobody needs a bar for less.
const PATIENCE: Duration = Duration::from_secs(2);

/// The bar, once it is worth showing.
pub(super) struct Progress {
    bar: Option<ProgressBar>,
    since: Instant,
    total: u64,
    done: u64,
    enabled: bool,
}

impl Progress {
    pub(super) fn new() -> Self {
        Self { bar: None, since: Instant::now(), total: 0, done: 0, enabled: stderr().is_terminal() }
    }

    pub(super) fn expect(&mut self, total: u64) {
        self.total = total;
    }

    pub(super) fn step(&mut self) {
        self.done += 1;
        if !self.enabled {
            return;
        }
        if self.bar.is_none() && self.since.elapsed() > PATIENCE {
            let bar = ProgressBar::with_draw_target(Some(self.total), ProgressDrawTarget::stderr_with_hz(5));
            if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos} of {len} documents, {eta} left") {
                bar.set_style(style);
            }
            self.bar = Some(bar);
        }
        if let Some(bar) = &self.bar {
            bar.set_length(self.total.max(self.done));
            bar.set_position(self.done);
        }
    }

    pub(super) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
