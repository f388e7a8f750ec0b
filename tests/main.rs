//! The whole of it, from outside: one binary, a file for each matter.

mod cli;
mod exchange;
mod golden;
mod layers;
mod properties;
mod replies;
mod schema;
mod support;
