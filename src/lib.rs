//! Purchase orders and invoices from an ERP to the payables systems that take them, and what became of every single one.
//!
//! A document comes in as canonical JSON ([`intake`], [`model`]), is checked, is written in the vendor's own form
//! ([`vendors`], through the seam in [`adapter`]), is sent ([`bridge`], [`transport`]), and ends in exactly one
//! [`outcome::Outcome`] in a [`report`].
//!
//! Translating needs no network and no credentials:
//!
//! ```
//! use payables_bridge::adapter::Payees;
//! use payables_bridge::bridge::Translator;
//! use payables_bridge::intake::Input;
//! use payables_bridge::outcome::Outcome;
//! use payables_bridge::vendors::tipalti::Tipalti;
//!
//! let orders = br#"{"kind": "purchase_order", "number": "PO-1001", "issue_date": "2026-03-01", "currency": "EUR",
//!   "note": "Office paper", "lines": [{"id": "1", "item": {"buyers_id": "PAPER-A4", "external_id": "501"},
//!   "quantity": "20", "price": "4.95", "account": {"external_id": "6815"}}]}"#;
//! let target = Tipalti { payer_name: "AcmeCorp".into(), ..Tipalti::default() };
//! let (mut bodies, mut outcomes) = (Vec::new(), Vec::new());
//! Translator::new(&target, &Payees::Any, 1_767_225_600)
//!     .translate([Input::new("orders.json", &orders[..])], &mut bodies, &mut |item| outcomes.push(item.outcome))?;
//! assert_eq!(outcomes, [Outcome::Planned]);
//! assert!(String::from_utf8(bodies).unwrap().contains("<Rate>4.95</Rate><Amount>99.00</Amount>"));
//! # Ok::<(), payables_bridge::bridge::Error>(())
//! ```
//!
//! Sending is [`bridge::Bridge`], with the feature `net`.
//!
//! # Features
//!
//! | feature | what it adds |
//! |---|---|
//! | `cli` (default) | the `payables` binary, and reading `payables.toml` |
//! | `sandbox` | the vendors, simulated on loopback |
//! | `net` | sending |
//!
//! Without any of them the crate is pure: no socket, no file, no clock, no randomness.

pub mod model;

pub mod outcome;
pub mod report;
pub mod rules;

pub mod intake;

pub mod adapter;
pub mod formats;
pub mod mappings;
pub mod vendors;
pub mod wire;

pub mod engine;
pub mod journal;

pub mod bridge;

#[cfg(feature = "net")]
pub mod transport;

#[cfg(feature = "sandbox")]
pub mod sandbox;

#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "cli")]
pub mod config;
#[cfg(feature = "cli")]
pub mod secrets;
