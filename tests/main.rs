//! The whole of it, from outside: one binary, a file for each matter.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on should say where"
)]

mod amazon;
mod amazon_exchange;
mod amazon_orders;
#[cfg(feature = "aws")]
mod aws;
#[cfg(feature = "aws")]
mod aws_cli;
mod cli;
mod desk;
mod engine;
mod exchange;
mod golden;
mod journal;
#[cfg(unix)]
mod kill;
mod layers;
mod mapping;
mod operator;
mod properties;
mod replies;
mod schema;
mod simulation;
mod streams;
mod support;
