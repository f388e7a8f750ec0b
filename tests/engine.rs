//! The engine alone: every transition of a document, and every decision of a run, without journal, network or clock.

mod bench;
mod doubt;
mod follow;
mod run;
mod state;
mod target;
mod token;

use payables_bridge::engine::record::{Key, Version};
use payables_bridge::engine::state::{Rules, Standing, State};
use payables_bridge::model::{Fault, Kind};
use payables_bridge::outcome::Outcome;
use payables_bridge::report::Item;

/// A vendor that takes a document twice without harm, and one that does not.
const UPSERT: Rules = Rules { repeatable: true, quarantine: 600_000 };
const ONCE: Rules = Rules { repeatable: false, quarantine: 600_000 };

fn fault(rule: &'static str) -> Fault {
    Fault::error(rule, "", rule)
}

/// The so-many-th document of a run, standing so.
fn version(id: i64, state: State) -> Version {
    let number = format!("PO-{id}");
    let item = Item {
        kind: Some(Kind::PurchaseOrder),
        number: Some(number.clone()),
        outcome: Outcome::Planned,
        reference: None,
        faults: vec![],
        source: None,
        plan: None,
        amount: None,
    };
    Version {
        id,
        key: Key { kind: Kind::PurchaseOrder, owner: String::new(), number },
        revision: 1,
        digest: [1; 32],
        memo: vec![],
        payee: None,
        run: 1,
        item,
        standing: Standing { state, ..Standing::received(0) },
    }
}
