//! Translates documents to wire bytes, without network, files or clock: it builds with `--no-default-features`.
//!
//! ```text
//! cargo run --no-default-features --example translate < examples/purchase-orders.jsonl
//! ```

use std::io::{stdin, stdout};

use payables_bridge::adapter::Payees;
use payables_bridge::bridge::{Error, Translator};
use payables_bridge::intake::Input;
use payables_bridge::vendors::tipalti::Tipalti;

fn main() -> Result<(), Error> {
    let target = Tipalti { payer_name: "AcmeCorp".into(), payer_entity: "Acme GmbH".into(), ..Tipalti::default() };
    // The time is an argument: the same input gives the same bytes.
    let summary = Translator::new(&target, &Payees::Any, 1_767_225_600).translate(
        [Input::new("standard input", stdin())],
        &mut stdout().lock(),
        &mut |item| {
            for fault in &item.faults {
                eprintln!("{}: {}: {}", item.number.as_deref().unwrap_or("?"), fault.path, fault.message);
            }
        },
    )?;
    eprintln!("{} documents, exit code {}", summary.documents, summary.exit().code());
    Ok(())
}
