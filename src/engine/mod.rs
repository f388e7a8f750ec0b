//! The engine: what becomes of every document, as pure functions from a state and an event to a state and actions.
//!
//! It has no clock, no randomness, no file and no socket of its own; whoever drives it brings them.
//!
//! * [`state`] is the life of one version of one document;
//! * [`plan`] says what a document that comes in means, given what is known of its number;
//! * [`run`] makes calls of documents: which goes when, what is written before and after, and when to stop;
//! * [`settle`] says what a call means for each of its documents;
//! * [`follow`] asks for verdicts that come later;
//! * [`pace`] is how fast.

pub mod follow;
mod hear;
pub mod pace;
pub mod plan;
pub mod record;
pub mod run;
pub mod settle;
pub mod state;
mod steer;
