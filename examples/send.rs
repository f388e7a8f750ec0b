//! Sends documents from a program of one's own, here to the built-in simulator: what an ERP connector does.
//!
//! ```text
//! cargo run --example send < examples/purchase-orders.jsonl
//! ```

use std::io::stdin;
use std::sync::Arc;

use payables_bridge::adapter::Payees;
use payables_bridge::bridge::Bridge;
use payables_bridge::intake::Input;
use payables_bridge::journal::Memory;
use payables_bridge::sandbox::{Options, Sandbox};
use payables_bridge::vendors::tipalti::Tipalti;
use payables_bridge::wire::Secret;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sandbox = Sandbox::start(Options::default()).await?;
    let ready = sandbox.ready().tipalti;
    // Against Tipalti itself, leave the endpoint out, take the key from where secrets are kept, and keep the journal in a
    // file: Sqlite::open(Path::new("payables.db"), Duration::ZERO)?
    let target = Tipalti { payer_name: ready.payer_name, endpoint: ready.endpoint, ..Tipalti::default() };
    let bridge = Bridge::builder()
        .vendor(Arc::new(target))
        .credentials(Secret::new(ready.master_key))
        .journal(Memory::new())
        .payees(Payees::Any)
        .pace(5, 1)
        .build()?;
    // Each document comes back exactly once, as soon as it is settled.
    let mut items = bridge.submit(vec![Input::new("standard input", stdin())]);
    while let Some(item) = items.next().await {
        println!("{:<40} {}", item.number.as_deref().unwrap_or("?"), item.outcome.word());
    }
    let summary = items.summary().await?;
    println!("{} documents in {} calls, exit code {}", summary.documents, summary.requests, summary.exit().code());
    sandbox.stop().await;
    Ok(())
}
