//! The whole of it, from outside: one binary, a file for each matter.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on should say where"
)]

mod cli;
mod exchange;
mod golden;
mod layers;
mod properties;
mod replies;
mod schema;
mod support;
