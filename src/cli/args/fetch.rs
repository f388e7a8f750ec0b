//! What may stand on the command line of `payables fetch`.

use std::time::Duration;

use clap::{Args, Subcommand};

use super::operator::ConfigArgs;
use crate::adapter::{Span, Wanted, When};

#[derive(Debug, Args)]
pub(crate) struct FetchArgs {
    #[command(subcommand)]
    pub(crate) what: FetchCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum FetchCommand {
    /// Purchase orders that a vendor's system has for you, as canonical documents, one a line
    Orders(OrdersArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  payables fetch orders --from amazon --since 7d > orders.jsonl
  payables fetch orders --from amazon --changed-since 2026-03-01 --until 2026-03-08
  payables fetch orders --from amazon --order 4Z32PABC --invoice > draft.jsonl
  payables fetch orders --from amazon --sandbox

A draft of an invoice has what was accepted of an order, at the order's prices. `payables validate draft.jsonl
--to amazon` names what is to be filled in. What is to be said of an order stands on stderr.
Exit code 3: an order could not be read.")]
pub(crate) struct OrdersArgs {
    /// The target that has the orders, by its name in payables.toml
    #[arg(long = "from", value_name = "TARGET")]
    pub(crate) from: String,
    /// Orders placed since then: a date, a date with a time, or an age such as 36h or 7d [default: 7d]
    #[arg(long, value_name = "WHEN", value_parser = when, conflicts_with_all = ["changed_since", "order"])]
    pub(crate) since: Option<When>,
    /// Orders that were changed since then, instead
    #[arg(long, value_name = "WHEN", value_parser = when, conflicts_with = "order")]
    pub(crate) changed_since: Option<When>,
    /// The end of that span, which is not part of it; now, when none is given
    #[arg(long, value_name = "WHEN", value_parser = when, conflicts_with = "order")]
    pub(crate) until: Option<When>,
    /// This order, by its number. May be given more than once
    #[arg(long, value_name = "NUMBER")]
    pub(crate) order: Vec<String>,
    /// Draft invoices of them
    #[arg(long)]
    pub(crate) invoice: bool,
    /// Ask the built-in simulator instead of the vendor
    #[arg(long)]
    pub(crate) sandbox: bool,
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
}

impl OrdersArgs {
    /// Which orders are wanted.
    pub(crate) fn wanted(&self) -> Wanted {
        if !self.order.is_empty() {
            return Wanted::Numbers(self.order.clone());
        }
        let span = |since| Span { since, until: self.until };
        match self.changed_since {
            Some(since) => Wanted::Changed(span(since)),
            None => Wanted::Placed(span(self.since.unwrap_or(When::Ago(Duration::from_secs(7 * 86_400))))),
        }
    }
}

/// A moment: a date, or an age.
pub(super) fn when(text: &str) -> Result<When, String> {
    if let Ok(date) = text.parse() {
        return Ok(When::At(date));
    }
    let age = text.strip_suffix('d').map(|days| (days, 86_400)).or_else(|| text.strip_suffix('h').map(|hours| (hours, 3600)));
    age.and_then(|(count, unit)| count.parse::<u32>().ok().map(|count| When::Ago(Duration::from_secs(u64::from(count) * unit))))
        .ok_or_else(|| "write a date (2026-03-01), a date with a time (2026-03-01T09:00:00Z), or an age (36h, 7d)".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_date_or_an_age() {
        assert_eq!(when("7d"), Ok(When::Ago(Duration::from_secs(604_800))));
        assert_eq!(when("36h"), Ok(When::Ago(Duration::from_secs(129_600))));
        assert_eq!(when("2026-03-01"), Ok(When::At("2026-03-01".parse().unwrap())));
        assert_eq!(when("2026-03-01T09:00:00Z"), Ok(When::At("2026-03-01T09:00:00Z".parse().unwrap())));
        for wrong in ["", "d", "7", "-1d", "1.5h", "yesterday", "99999999999d", "2026-02-30"] {
            assert!(when(wrong).is_err(), "{wrong}");
        }
    }
}
