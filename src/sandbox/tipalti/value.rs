//! The texts that the schema's types allow, as the vendor's XML reader takes them. A text that is
//! refused here sinks the whole call.

use std::borrow::Cow;

use jiff::civil::DateTime;

/// A type of the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Text,
    Decimal,
    Int,
    Double,
    Boolean,
    DateTime,
    OneOf(&'static [&'static str]),
}

impl Type {
    /// Whether the text is of the type. Only a string may be empty.
    pub(super) fn takes(self, text: &str) -> bool {
        let trimmed = trim(text);
        match self {
            Self::Text => true,
            Self::Decimal => is_decimal(trimmed),
            Self::Int => is_int(trimmed),
            Self::Double => is_double(trimmed),
            Self::Boolean => matches!(trimmed, "true" | "false" | "1" | "0"),
            Self::DateTime => is_date_time(trimmed),
            // The reader compares enum names as they stand, without trimming.
            Self::OneOf(names) => names.contains(&text),
        }
    }

    /// The same text for the same value, so that spelling does not make a new version of an order.
    pub(super) fn canonical(self, text: &str) -> Cow<'_, str> {
        match self {
            Self::Decimal => canonical_decimal(trim(text)),
            Self::Boolean if matches!(trim(text), "true" | "1") => Cow::Borrowed("true"),
            Self::Boolean => Cow::Borrowed("false"),
            Self::Text | Self::OneOf(_) => Cow::Borrowed(text),
            Self::Int | Self::Double | Self::DateTime => Cow::Borrowed(trim(text)),
        }
    }
}

/// How many decimal places a decimal is written with.
pub(super) fn places(decimal: &str) -> usize {
    trim(decimal).split_once('.').map_or(0, |(_, fraction)| fraction.len())
}

/// Whether the text is a date and time as the documentation wants it: no fraction, no zone.
pub(super) fn is_plain_date_time(text: &str) -> bool {
    text.len() == 19 && is_date_time(text)
}

/// XML's white space, which is narrower than Unicode's.
pub(super) fn trim(text: &str) -> &str {
    text.trim_matches(is_space)
}

pub(super) fn is_space(char: char) -> bool {
    matches!(char, ' ' | '\t' | '\n' | '\r')
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn unsigned(text: &str) -> &str {
    text.strip_prefix(['+', '-']).unwrap_or(text)
}

fn is_decimal(text: &str) -> bool {
    /// The integer part that the reader's 96-bit decimal can still hold.
    const MOST: &str = "79228162514264337593543950335";
    let text = unsigned(text);
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let whole_digits = whole.trim_start_matches('0');
    let fits = whole_digits.len() < MOST.len() || (whole_digits.len() == MOST.len() && whole_digits <= MOST);
    let shape = match (whole.is_empty(), fraction.is_empty()) {
        (false, false) => is_digits(whole) && is_digits(fraction),
        (false, true) => is_digits(whole),
        (true, false) => is_digits(fraction) && text.starts_with('.'),
        (true, true) => false,
    };
    shape && fits
}

fn canonical_decimal(text: &str) -> Cow<'_, str> {
    let digits = unsigned(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
    if whole.is_empty() && fraction.is_empty() {
        return Cow::Borrowed("0");
    }
    let sign = if text.starts_with('-') { "-" } else { "" };
    Cow::Owned(format!("{sign}{whole}.{fraction}"))
}

fn is_int(text: &str) -> bool {
    is_digits(unsigned(text)) && text.parse::<i32>().is_ok()
}

fn is_double(text: &str) -> bool {
    if matches!(text, "INF" | "-INF" | "NaN") {
        return true;
    }
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let mantissa = unsigned(mantissa);
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let digits = |text: &str| text.is_empty() || is_digits(text);
    let some = is_digits(whole) || (mantissa.contains('.') && is_digits(fraction));
    some && digits(whole) && digits(fraction) && is_digits(unsigned(exponent))
}

fn is_date_time(text: &str) -> bool {
    let Some((plain, rest)) = text.split_at_checked(19) else { return false };
    let layout = plain
        .bytes()
        .zip(b"dddd-dd-ddTdd:dd:dd")
        .all(|(byte, wanted)| if *wanted == b'd' { byte.is_ascii_digit() } else { byte == *wanted });
    layout && plain.parse::<DateTime>().is_ok() && is_fraction_and_zone(rest)
}

fn is_fraction_and_zone(text: &str) -> bool {
    let zone = match text.strip_prefix('.') {
        None => text,
        Some(fraction) => {
            let zone = fraction.trim_start_matches(|char: char| char.is_ascii_digit());
            if zone.len() == fraction.len() {
                return false;
            }
            zone
        }
    };
    match zone.strip_prefix(['+', '-']).map(|zone| zone.split_once(':')) {
        None => zone.is_empty() || zone == "Z",
        Some(Some((hours, minutes))) if hours.len() == 2 && minutes.len() == 2 => {
            is_digits(hours) && is_digits(minutes) && (hours, minutes) <= ("14", "00") && minutes < "60"
        }
        Some(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(of: Type, good: &[&str], bad: &[&str]) {
        for text in good {
            assert!(of.takes(text), "{text:?} is good");
        }
        for text in bad {
            assert!(!of.takes(text), "{text:?} is bad");
        }
    }

    #[test]
    fn decimals() {
        check(
            Type::Decimal,
            &["0", "1.5", "-1.5000", "+.5", "5.", " 7 ", "007", "79228162514264337593543950335.9"],
            &[
                "",
                " ",
                ".",
                "-",
                "1e3",
                "1,5",
                "1_000",
                "1.2.3",
                "0x1",
                "NaN",
                "1 2",
                "٣",
                "--1",
                "79228162514264337593543950336",
            ],
        );
    }

    #[test]
    fn other_numbers() {
        check(Type::Int, &["1", "-1", "+7", "2147483647"], &["", "1.0", "2147483648", "one"]);
        check(
            Type::Double,
            &["1700000000", "1.7E9", "1700000000.0", "-.5e-3", "INF", "NaN", "5."],
            &["", "e5", ".", "1e", "1.7E9.5", "inf", "1,7"],
        );
        check(Type::Boolean, &["true", "false", "1", "0", " true\n"], &["", "True", "yes", "FALSE"]);
    }

    #[test]
    fn dates() {
        check(
            Type::DateTime,
            &["2026-02-28T23:59:59", "2024-02-29T00:00:00Z", "2026-01-01T00:00:00.123+14:00"],
            &[
                "",
                "2026-02-29T00:00:00",
                "2026-01-01",
                "2026-01-01 00:00:00",
                "2026-1-1T00:00:00",
                "2026-01-01T24:01:00",
                "2026-01-01T00:00:00.",
                "2026-01-01T00:00:00+15:00",
                "2026-01-01T00:00:00+0100",
                "2026-01-01T00:00:00z",
                "2026-01-01T00:00:0é",
            ],
        );
        assert!(is_plain_date_time("2026-01-01T00:00:00"));
        assert!(!is_plain_date_time("2026-01-01T00:00:00Z"));
    }

    #[test]
    fn enums_are_literal() {
        check(Type::OneOf(&["Item", "Expense"]), &["Item"], &["item", " Item", "", "Other"]);
    }

    #[test]
    fn one_value_has_one_canonical_text() {
        for (left, right) in [("1.50", "+01.5"), ("-0.0", "0"), (".5", "0.5"), ("7", "7.")] {
            assert_eq!(Type::Decimal.canonical(left), Type::Decimal.canonical(right));
        }
        assert_ne!(Type::Decimal.canonical("15"), Type::Decimal.canonical("1.5"));
        assert_ne!(Type::Decimal.canonical("-1"), Type::Decimal.canonical("1"));
        assert_eq!(Type::Boolean.canonical("1"), "true");
        assert_eq!((places("1.50"), places("1"), places("1.")), (2, 0, 0));
    }
}
