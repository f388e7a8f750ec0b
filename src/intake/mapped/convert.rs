//! From what stands in a cell to the value of a field. Nothing is rounded, and nothing is guessed.

use std::borrow::Cow;

use jiff::fmt::strtime;

use super::out::Out;
use crate::mappings::source::{DateFormat, Formats, Holds, Scalar};
use crate::model::{Date, Token};

/// Why a value cannot be taken: the rule, and the end of a sentence that begins with the value.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) rule: &'static str,
    pub(super) says: String,
}

fn wrong<T>(rule: &'static str, says: impl Into<String>) -> Result<T, Wrong> {
    Err(Wrong { rule, says: says.into() })
}

/// What the document says, in text and in JSON.
pub(super) type Made = (String, Out);

/// What stood in a cell, as a person would read it off the screen.
pub(super) fn raw_text<'t>(token: &'t Token<'_>) -> Cow<'t, str> {
    match token {
        Token::Null => Cow::Borrowed(""),
        Token::Bool(true) => Cow::Borrowed("true"),
        Token::Bool(false) => Cow::Borrowed("false"),
        Token::Number(digits) => Cow::Borrowed(digits),
        Token::Text(text) => Cow::Borrowed(text),
        Token::Nested => Cow::Borrowed("{}"),
        Token::Broken => Cow::Borrowed("a broken escape"),
    }
}

/// Whether a cell says nothing.
pub(super) fn is_missing(token: &Token<'_>, trim: bool, formats: &Formats) -> bool {
    match token {
        Token::Null => true,
        Token::Text(text) => {
            let text = if trim { text.trim() } else { text };
            text.is_empty() || formats.missing.iter().any(|missing| missing == text)
        }
        _ => false,
    }
}

/// Makes a value of a cell that says something.
pub(super) fn make(token: &Token<'_>, scalar: &Scalar, formats: &Formats) -> Result<Made, Wrong> {
    if *token == Token::Broken {
        return wrong("MAP-TYPE", "has a broken escape in it; export the file again");
    }
    let text = raw_text(token);
    let text = if scalar.trim { text.trim() } else { &text };
    if let Some(map) = &scalar.words {
        return match map.words.get(text) {
            Some(word) => Ok(fixed(word, &scalar.holds)),
            None => {
                let known: Vec<&str> = map.words.keys().map(String::as_str).collect();
                let known = known.join(", ");
                wrong(
                    "MAP-WORD",
                    format!("is not known; known are: {known}. Correct it, or add it to [map.{}] of the mapping", map.name),
                )
            }
        };
    }
    // A number of JSON is written in one way, whatever the mapping says of texts.
    let is_number = matches!(token, Token::Number(_));
    match &scalar.holds {
        Holds::Bool => yes_or_no(text, formats),
        _ if matches!(token, Token::Bool(_)) => wrong("MAP-TYPE", "is a yes or no; another value is wanted here"),
        Holds::Decimal | Holds::Whole if !is_number => decimal(text, formats).map(|text| as_text(&text)),
        Holds::Date => date(text, &scalar.date).map(|text| as_text(&text)),
        _ => Ok(as_text(text)),
    }
}

/// A value that the mapping itself gives.
pub(super) fn fixed(text: &str, holds: &Holds) -> Made {
    match holds {
        // It is true or false: the mapping was checked.
        Holds::Bool => (text.to_owned(), Out::Json(text.to_owned())),
        _ => as_text(text),
    }
}

/// Every value but yes and no may stand as text in a document.
fn as_text(text: &str) -> Made {
    (text.to_owned(), Out::text(text))
}

fn yes_or_no(text: &str, formats: &Formats) -> Result<Made, Wrong> {
    let is_in = |words: &[String]| words.iter().any(|word| word == text);
    match (is_in(&formats.yes), is_in(&formats.no)) {
        (true, _) => Ok(fixed("true", &Holds::Bool)),
        (_, true) => Ok(fixed("false", &Holds::Bool)),
        _ => {
            let words = [formats.yes.join(", "), formats.no.join(", ")].join(" or ");
            wrong("MAP-TYPE", format!("is neither yes nor no; write {words}"))
        }
    }
}

/// A decimal with the declared separators, as documents write it. What is no number at all is left for the document's own
/// reader to say, where the separators are its own.
fn decimal<'t>(text: &'t str, formats: &Formats) -> Result<Cow<'t, str>, Wrong> {
    if formats.decimal == '.' && formats.group.is_none() && !formats.parentheses_negative {
        return Ok(Cow::Borrowed(text));
    }
    let parentheses =
        formats.parentheses_negative.then(|| text.strip_prefix('(').and_then(|text| text.strip_suffix(')'))).flatten();
    let (negative, digits) = match (parentheses, text.strip_prefix('-')) {
        (Some(inner), _) => (true, inner),
        (None, Some(rest)) => (true, rest),
        (None, None) => (false, text),
    };
    let (whole, places) = match digits.split_once(formats.decimal) {
        Some((whole, places)) => (whole, Some(places)),
        None => (digits, None),
    };
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let whole = formats.group.map_or(Some(Cow::Borrowed(whole)), |group| ungroup(whole, group));
    match whole {
        Some(whole) if is_digits(&whole) && places.is_none_or(is_digits) => {
            let sign = if negative { "-" } else { "" };
            let point = if places.is_some() { "." } else { "" };
            Ok(Cow::Owned(format!("{sign}{whole}{point}{}", places.unwrap_or_default())))
        }
        _ => {
            let group = formats.group.map_or_else(String::new, |group| format!(" and {group:?} between groups of three digits"));
            wrong("MAP-DECIMAL", format!("is no number with {:?} before its places{group}; correct it", formats.decimal))
        }
    }
}

/// Takes the separators out; `None` where they do not stand before groups of three digits.
fn ungroup(whole: &str, group: char) -> Option<Cow<'_, str>> {
    if !whole.contains(group) {
        return Some(Cow::Borrowed(whole));
    }
    let mut parts = whole.split(group);
    let first = parts.next().filter(|first| (1..=3).contains(&first.len()))?;
    parts.clone().all(|part| part.len() == 3).then(|| Cow::Owned(parts.fold(first.to_owned(), |all, part| all + part)))
}

/// A date in the declared form, as documents write it.
fn date(text: &str, format: &DateFormat) -> Result<String, Wrong> {
    let pattern = match format {
        DateFormat::Iso8601 | DateFormat::Rfc3339 => {
            let rest_is_given = |date: &Date| date.time.is_some() && date.offset.is_some();
            let strict = *format == DateFormat::Rfc3339;
            return match iso_date(text).filter(|date| !strict || rest_is_given(date)) {
                Some(date) => Ok(date.to_string()),
                None if strict => wrong("MAP-DATE", "is no date with a time and an offset; write it as 2026-03-01T09:30:00Z"),
                None => wrong("MAP-DATE", "is no date; write it as YYYY-MM-DD or YYYY-MM-DDThh:mm:ss, such as 2026-03-01"),
            };
        }
        DateFormat::Pattern(pattern) => pattern,
    };
    let no_date =
        || Wrong { rule: "MAP-DATE", says: format!("is no date as the mapping has it ({pattern}); correct one of the two") };
    let read = strtime::parse(pattern, text).map_err(|_| no_date())?;
    // A year of two digits where four are declared is a slip, and no year of the Romans.
    let day = read.to_date().ok().filter(|day| day.year() >= 1000).ok_or_else(no_date)?;
    let mut date = Date::day(day);
    // A pattern without an hour gives a plain day, and not its midnight.
    date.time = read.hour().and_then(|_| read.to_time().ok());
    // A fraction of a second has no place in a document.
    if date.time.is_some_and(|time| time.subsec_nanosecond() != 0) {
        return wrong("MAP-DATE", "has a fraction of a second, for which documents have no place; leave it out");
    }
    if let Some(offset) = read.offset() {
        if offset.seconds() % 60 != 0 {
            return Err(no_date());
        }
        date.offset = i16::try_from(offset.seconds() / 60).ok();
        date.time = date.time.or_else(|| Some(jiff::civil::Time::midnight()));
    }
    Ok(date.to_string())
}

/// ISO 8601 as databases write it: a blank instead of the `T`, no seconds, or zeros behind them.
fn iso_date(text: &str) -> Option<Date> {
    if let Ok(date) = text.parse() {
        return Some(date);
    }
    let (day, rest) = text.split_at_checked(10)?;
    let rest = rest.strip_prefix(['T', ' '])?;
    let cut = rest.find(['Z', '+', '-', ' ']).unwrap_or(rest.len());
    let (clock, offset) = rest.split_at_checked(cut)?;
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    if fraction.is_empty() || !fraction.bytes().all(|byte| byte == b'0') {
        return None;
    }
    let seconds = match clock.len() {
        5 if fraction == "0" => ":00",
        8 => "",
        _ => return None,
    };
    format!("{day}T{clock}{seconds}{}", offset.trim_start_matches(' ')).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn formats(decimal: char, group: Option<char>) -> Formats {
        let (yes, no) = (vec!["Ja".into()], vec!["Nein".into()]);
        Formats { decimal, group, parentheses_negative: true, missing: vec!["- None -".into()], yes, no }
    }

    fn number(text: &str, decimal_char: char, group: Option<char>) -> Option<String> {
        decimal(text, &formats(decimal_char, group)).ok().map(Cow::into_owned)
    }

    #[test]
    fn decimals_are_read_by_the_declared_separators_only() {
        for (text, expected) in [
            ("32.000,00", Some("32000.00")),
            ("32000,00", Some("32000.00")),
            ("1.234.567,8900", Some("1234567.8900")),
            ("-32.000", Some("-32000")),
            ("(32.000,00)", Some("-32000.00")),
            ("12,50", Some("12.50")),
            ("32,000.00", None),
            ("12.50", None),
            ("1.23.456,00", None),
            ("1234.567", None),
            (".500", None),
            ("12,5O", None),
            ("12,", None),
            (",5", None),
            ("", None),
            ("$ 12,00", None),
            ("(-12,00)", None),
        ] {
            assert_eq!(number(text, ',', Some('.')).as_deref(), expected, "{text}");
        }
        assert_eq!(number("32,000.00", '.', Some(',')).as_deref(), Some("32000.00"));
        assert_eq!(number("12,50", '.', Some(',')), None);
        assert_eq!(number("32\u{a0}000,00", ',', Some('\u{a0}')).as_deref(), Some("32000.00"));
    }

    #[test]
    fn dates_are_read_in_the_declared_form_only() {
        let iso = |text: &str| date(text, &DateFormat::Iso8601).ok();
        for (text, expected) in [
            ("2026-03-01", "2026-03-01"),
            ("2026-03-01 09:30:00", "2026-03-01T09:30:00"),
            ("2026-03-01 09:30", "2026-03-01T09:30:00"),
            ("2026-03-01T09:30:00.000Z", "2026-03-01T09:30:00Z"),
            ("2026-03-01T09:30:00.0000000 +02:00", "2026-03-01T09:30:00+02:00"),
        ] {
            assert_eq!(iso(text).as_deref(), Some(expected), "{text}");
        }
        for text in ["2022", "2022-02-30", "01.03.2026", "2026-03-01T09:30:00.5Z", "2026-03-01T", "2026-03-01 9:30", "ü026-03-01"]
        {
            assert_eq!(iso(text), None, "{text}");
        }
        let by = |pattern: &str, text: &str| date(text, &DateFormat::Pattern(pattern.into())).ok();
        assert_eq!(by("%d.%m.%Y", "01.03.2026").as_deref(), Some("2026-03-01"));
        assert_eq!(by("%d.%m.%Y %H:%M", "01.03.2026 09:30").as_deref(), Some("2026-03-01T09:30:00"));
        assert_eq!(by("%d-%b-%Y", "1-Mar-2026").as_deref(), Some("2026-03-01"));
        assert_eq!(by("%m/%d/%Y", "13/01/2026"), None);
        assert_eq!(by("%d.%m.%Y", "2022"), None);
        assert_eq!(by("%d.%m.%Y", "1.3.26"), None);
        assert_eq!(by("%d.%m.%y", "1.3.26").as_deref(), Some("2026-03-01"));
        assert_eq!(by("%Y-%m-%dT%H:%M:%S%z", "2026-03-01T09:30:00-0530").as_deref(), Some("2026-03-01T09:30:00-05:30"));
        let strict = |text: &str| date(text, &DateFormat::Rfc3339).ok();
        assert_eq!(strict("2026-03-01T09:30:00Z").as_deref(), Some("2026-03-01T09:30:00Z"));
        assert_eq!(strict("2026-03-01"), None);
    }

    #[test]
    fn nothing_is_said_in_several_ways() {
        let formats = formats('.', None);
        let text = |text: &'static str| Token::Text(text.into());
        assert!(is_missing(&Token::Null, false, &formats) && is_missing(&text(""), false, &formats));
        assert!(is_missing(&text("- None -"), false, &formats) && is_missing(&text("  "), true, &formats));
        assert!(!is_missing(&text("  "), false, &formats) && !is_missing(&Token::Number("0"), false, &formats));
        assert_eq!(yes_or_no("Ja", &formats).map(|made| made.0), Ok("true".into()));
        assert!(yes_or_no("yes", &formats).is_err());
    }
}
