//! Nights without end: the real bridge against vendors that keep books, over a network that fails, with a journal that
//! outlives its processes, in a time that only passes when nothing else is left to do. Everything comes from one number, so
//! that whatever goes wrong can be had again. After each night an oracle compares what the bridge says with what the vendor
//! did.
//!
//! * `cargo test simulation` has a moderate number of nights.
//! * `SIMULATION_NIGHTS=20000 cargo test --release --test suite simulation` has as many as are named, and every night of three
//!   documents in which two processes die, at any two steps. `SIMULATION_FIRST` is the first seed; with `SIMULATION_ALL` a
//!   night that goes wrong does not end it.
//! * `SIMULATION_SEED=7 cargo test --test suite simulation::tests::one -- --nocapture` has one night and tells all that
//!   happens in it. That is told of the first night that goes wrong, too.
//! * `SIMULATION_SABOTAGE=20000` is the number of nights in which a bridge that is broken on purpose has to be noticed.
//! * `SIMULATION_TWICE=1000` is the number of nights that are had twice, to see that a seed is a night.
//!
//! What it does not do: clocks that go forward by more than minutes (a journal goes by the clock, and a clock that leaps
//! forward ends a rest early); a process that stands still for longer than the quarantine between the last look at its permit
//! and the first byte; a journal that loses what it said is stored, other than as sabotage; vendors with idempotency tokens.
//! Of two processes on one journal, which only a broken lock allows, each reports what it did itself: that a document which
//! both were given comes back from both is not asked for.

mod adapters;
mod audit;
mod chance;
mod days;
mod documents;
mod journal;
mod ledger;
mod network;
mod night;
mod operator;
mod oracle;
mod process;
mod sabotage;
mod selftest;
mod swarm;
mod tests;
mod world;
