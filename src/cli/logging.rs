//! Logs: for eyes on a terminal, as JSON otherwise; on stderr, about the run, never with a secret.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::EnvFilter;

/// The variable that says what is logged, such as `info` or `payables_bridge=debug`.
const VARIABLE: &str = "PAYABLES_LOG";

/// What is logged when nobody asks: what is odd.
const QUIET: &str = "warn";

/// What the SDK of AWS logs may hold whole requests, and so secrets: none of it is logged, whatever is asked for.
const SILENT: &str = "aws";

fn filter(asked: &str) -> EnvFilter {
    let asked: Vec<&str> =
        asked.split(',').filter(|part| !part.trim_start().trim_start_matches('[').starts_with(SILENT)).collect();
    let filter = EnvFilter::try_new(asked.join(",")).unwrap_or_else(|_| EnvFilter::new(QUIET));
    match format!("{SILENT}=off").parse() {
        Ok(directive) => filter.add_directive(directive),
        Err(_) => filter,
    }
}

/// Begins to log. A run whose report goes to stderr logs only what it is asked for.
pub(super) fn begin(report_on_stderr: bool) {
    let asked = std::env::var(VARIABLE).ok();
    if report_on_stderr && asked.is_none() {
        return;
    }
    let filter = filter(asked.as_deref().unwrap_or(QUIET));
    let is_terminal = stderr().is_terminal();
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr).with_target(false);
    // Only the first call in a process counts.
    let _already_begun = if is_terminal {
        let colours = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        builder.with_ansi(colours).without_time().try_init()
    } else {
        builder.json().flatten_event(true).with_span_list(false).try_init()
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_the_sdk_is_logged() {
        for asked in ["trace", "aws_smithy_runtime=trace", "info,aws_config::profile=debug", "warn"] {
            let filter = filter(asked).to_string();
            assert!(filter.contains("aws=off") && !filter.contains("aws_"), "{asked}: {filter}");
        }
    }
}
