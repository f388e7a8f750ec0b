//! Times and ages, as people and programs read them.

use crate::engine::state::Millis;

/// The time, which the library is handed.
pub(super) fn now() -> Millis {
    jiff::Timestamp::now().as_millisecond()
}

/// RFC 3339 in UTC, for programs.
pub(super) fn stamp(at: Millis) -> String {
    format(at, "%Y-%m-%dT%H:%M:%SZ")
}

/// For people.
pub(super) fn when(at: Millis) -> String {
    format(at, "%Y-%m-%d %H:%M:%S UTC")
}

fn format(at: Millis, how: &str) -> String {
    // A time that no calendar has was put there by hand.
    jiff::Timestamp::from_millisecond(at).map_or_else(|_| at.to_string(), |at| at.strftime(how).to_string())
}

/// How long ago, in words: one unit, rounded down.
pub(super) fn age(at: Millis, now: Millis) -> String {
    span(now.saturating_sub(at))
}

/// A length of time in words.
pub(super) fn span(millis: Millis) -> String {
    let seconds = millis / 1000;
    match seconds {
        i64::MIN..=0 => "0 s".to_owned(),
        1..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..86_400 => format!("{} h", seconds / 3600),
        86_400..172_800 => "1 day".to_owned(),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_words() {
        for (millis, words) in [
            (-5, "0 s"),
            (999, "0 s"),
            (59_999, "59 s"),
            (60_000, "1 min"),
            (3 * 3_600_000 + 5, "3 h"),
            (86_400_000, "1 day"),
            (40 * 86_400_000, "40 days"),
            (Millis::MAX, "106751991167 days"),
        ] {
            assert_eq!(span(millis), words);
        }
        assert_eq!(age(Millis::MIN, Millis::MAX), span(Millis::MAX));
        assert_eq!(stamp(0), "1970-01-01T00:00:00Z");
        assert_eq!(stamp(Millis::MAX), Millis::MAX.to_string());
    }
}
