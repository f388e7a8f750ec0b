//! x
pub mod model;
pub mod outcome;
pub mod report;
pub mod wire;
pub mod adapter;
pub mod formats;
