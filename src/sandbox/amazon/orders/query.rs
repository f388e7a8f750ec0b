//! The parameters of the calls that list orders. One that the vendor does not know is refused, so that
//! a slip does not widen a search without a word.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use xxhash_rust::xxh3::xxh3_64;

use super::super::reply::Refusal;

const MOST_RECORDS: usize = 100;
const LONGEST_RANGE: SignedDuration = SignedDuration::from_hours(7 * 24);
/// A range that ends now grows while its call is on its way.
const SLACK: SignedDuration = SignedDuration::from_mins(5);
/// Half a year.
const OLDEST: SignedDuration = SignedDuration::from_hours(183 * 24);

/// The parameters of one call.
#[derive(Debug)]
pub(super) struct Query(BTreeMap<String, String>);

/// From when to when, both included.
pub(super) type Range = (Timestamp, Timestamp);

impl Query {
    pub(super) fn read(text: &str, known: &[&str]) -> Result<Self, Refusal> {
        let mut all = BTreeMap::new();
        for (name, value) in url::form_urlencoded::parse(text.as_bytes()) {
            if !known.contains(&name.as_ref()) {
                return Err(Refusal::input(format!("The parameter '{name}' is not known.")));
            }
            if value.is_empty() {
                return Err(Refusal::input(format!("The parameter '{name}' is empty.")));
            }
            if all.insert(name.to_string(), value.into_owned()).is_some() {
                return Err(Refusal::input(format!("The parameter '{name}' is there twice.")));
            }
        }
        Ok(Self(all))
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub(super) fn one_of(&self, name: &str, values: &[&'static str]) -> Result<Option<&'static str>, Refusal> {
        let Some(given) = self.text(name) else { return Ok(None) };
        let known = values.iter().find(|value| **value == given);
        known.copied().map(Some).ok_or_else(|| invalid(name))
    }

    pub(super) fn limit(&self) -> Result<usize, Refusal> {
        match self.text("limit").map(str::parse) {
            None => Ok(MOST_RECORDS),
            Some(Ok(limit)) if (1..=MOST_RECORDS).contains(&limit) => Ok(limit),
            Some(_) => Err(Refusal::input("The parameter 'limit' must be from 1 to 100.")),
        }
    }

    /// The range between two parameters, when one of them is given.
    pub(super) fn range(&self, after: &str, before: &str, now: Timestamp) -> Result<Option<Range>, Refusal> {
        let range = match (self.time(after)?, self.time(before)?) {
            (None, None) => return Ok(None),
            (Some(from), Some(to)) => (from, to),
            (Some(from), None) => (from, now.max(from)),
            (None, Some(to)) => (to.saturating_sub(LONGEST_RANGE).unwrap_or(Timestamp::MIN), to),
        };
        let slack = if self.text(before).is_none() { SLACK } else { SignedDuration::ZERO };
        let (from, to) = range;
        if from > to {
            return Err(Refusal::input(format!("'{after}' is later than '{before}'.")));
        }
        if to.duration_since(from) > LONGEST_RANGE + slack {
            return Err(Refusal::input("The date range must not exceed 7 days."));
        }
        if now.duration_since(from) > OLDEST + LONGEST_RANGE {
            return Err(Refusal::input("Orders are kept for 6 months."));
        }
        Ok(Some(range))
    }

    /// ISO 8601 with a zone. A plus sign that was not encoded arrives as a blank.
    fn time(&self, name: &str) -> Result<Option<Timestamp>, Refusal> {
        let Some(given) = self.text(name) else { return Ok(None) };
        let is_plain = given.bytes().all(|byte| byte.is_ascii_digit() || b"-+:.TZ".contains(&byte));
        let time = given.parse().ok().filter(|_| is_plain);
        time.map(Some).ok_or_else(|| invalid(name))
    }

    /// Where the page begins. A token goes with the parameters of the call that it came from.
    pub(super) fn offset(&self) -> Result<usize, Refusal> {
        let Some(token) = self.text("nextToken") else { return Ok(0) };
        let offset = token.split('+').next().unwrap_or_default().parse().unwrap_or_default();
        if token == self.token(offset) { Ok(offset) } else { Err(invalid("nextToken")) }
    }

    /// The token of the page that begins there. It has signs that an address cannot hold as they are.
    pub(super) fn token(&self, offset: usize) -> String {
        let others = self.0.iter().filter(|(name, _)| !matches!(name.as_str(), "nextToken" | "limit"));
        let others: Vec<_> = others.map(|(name, value)| format!("{name}={value}")).collect();
        format!("{offset}+/{:016x}==", xxh3_64(others.join("&").as_bytes()))
    }
}

fn invalid(name: &str) -> Refusal {
    Refusal::input(format!("The value of the parameter '{name}' is not valid."))
}
