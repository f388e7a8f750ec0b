//! The `payables` binary: parse, run, exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    payables_bridge::cli::main()
}
