//! What several of the tests need.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// The binary under test, in an environment without settings of ours.
pub(crate) fn payables() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_payables"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("PAYABLES") || name == "NO_COLOR") {
        command.env_remove(name);
    }
    command
}

/// Runs it with this on standard input.
pub(crate) fn run(command: &mut Command, stdin: &[u8]) -> Output {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut pipe = child.stdin.take().unwrap();
    let bytes = stdin.to_vec();
    let writer = std::thread::spawn(move || {
        // A program that ends early does not read everything.
        let _closed_early = pipe.write_all(&bytes);
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

/// A file of the project.
pub(crate) fn project(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A good order with this number.
pub(crate) fn order(number: &str) -> String {
    order_with(number, "")
}

/// A good order with this number and further members at its head (each with a comma behind it).
pub(crate) fn order_with(number: &str, more: &str) -> String {
    format!(
        r#"{{"kind":"purchase_order",{more}"number":"{number}","issue_date":"2026-03-02","currency":"EUR","note":"Paper","lines":[{{"id":"1","item":{{"buyers_id":"PAPER","external_id":"501"}},"quantity":"2","price":"19.90","account":{{"external_id":"6815"}}}}]}}"#
    )
}
