//! `payables sandbox`: the vendors, simulated, until somebody ends it.

use std::io::{Write, stdout};

use super::args::SandboxArgs;
use super::{Ended, Failure, run};
use crate::outcome::Exit;
use crate::sandbox::{AmazonOptions, FAULTS, Fault, Options, Sandbox};

/// `payables sandbox`
pub(super) fn serve(args: SandboxArgs) -> Ended {
    if args.faults.iter().any(|fault| fault == "help") {
        let mut out = stdout().lock();
        for (name, meaning) in FAULTS {
            writeln!(out, "{name:<28} {meaning}").map_err(|error| Failure::output(&error))?;
        }
        return Ok(Exit::Done);
    }
    let faults = args.faults.iter().map(|fault| fault.parse::<Fault>()).collect::<Result<Vec<_>, _>>();
    let faults = faults.map_err(|error| Failure::new(Exit::Usage, format!("--fault: {error}; `--fault help` lists them")))?;
    let runtime = run::runtime()?;
    runtime.block_on(async {
        let listen = args.listen;
        let amazon = AmazonOptions { speed: args.speed, ..AmazonOptions::default() };
        let sandbox = Sandbox::start(Options { listen, faults, amazon, ..Options::default() })
            .await
            .map_err(|error| Failure::new(Exit::Usage, format!("cannot listen on {listen}: {error}")))?;
        let line = serde_json::to_string(&sandbox.ready()).map_err(|error| Failure::new(Exit::Unexpected, error.to_string()))?;
        let mut out = stdout();
        writeln!(out, "{line}").and_then(|()| out.flush()).map_err(|error| Failure::output(&error))?;
        run::wait_for_signal().await;
        sandbox.stop().await;
        Ok(Exit::Done)
    })
}
