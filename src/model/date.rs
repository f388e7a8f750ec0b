//! Dates as documents give them: a day, or a day and a time, with an offset or without.

use std::fmt;

use jiff::civil;

/// A date of a document: `YYYY-MM-DD` or `YYYY-MM-DDThh:mm:ss`, with an optional offset (`Z`, `+02:00`).
///
/// It keeps what was written. What a plain date or a missing offset means is for the target to say.
///
/// ```
/// use payables_bridge::model::Date;
///
/// let date: Date = "2026-03-01T23:30:00+02:00".parse().unwrap();
/// assert_eq!(date.to_string(), "2026-03-01T23:30:00+02:00");
/// assert!("01.03.2026".parse::<Date>().is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Date {
    /// The day on the writer's calendar.
    pub day: civil::Date,
    /// The wall clock, when it was given.
    pub time: Option<civil::Time>,
    /// The offset from UTC in minutes, when it was given.
    pub offset: Option<i16>,
}

impl Date {
    /// A plain day.
    pub fn day(day: civil::Date) -> Self {
        Self { day, time: None, offset: None }
    }

    /// The wall clock: the day and the time as written; a plain day is its midnight.
    pub fn wall_clock(&self) -> civil::DateTime {
        self.day.to_datetime(self.time.unwrap_or_default())
    }
}

/// The text is no date in one of the two forms, or no day of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a date; write it as YYYY-MM-DD or YYYY-MM-DDThh:mm:ss")]
pub struct DateError;

impl std::str::FromStr for Date {
    type Err = DateError;
    fn from_str(text: &str) -> Result<Self, DateError> {
        parse(text.as_bytes()).ok_or(DateError)
    }
}

fn parse(text: &[u8]) -> Option<Date> {
    let (day, rest) = text.split_at_checked(10)?;
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = day else { return None };
    let year = i16::from(two(*y1, *y2)?) * 100 + i16::from(two(*y3, *y4)?);
    // XML Schema and RFC 3339 have no year 0.
    let day = civil::Date::new(if year == 0 { return None } else { year }, two(*m1, *m2)?, two(*d1, *d2)?).ok()?;
    let (time, rest) = match rest.split_at_checked(9) {
        Some(([b'T', h1, h2, b':', m1, m2, b':', s1, s2], rest)) => {
            (Some(civil::Time::new(two(*h1, *h2)?, two(*m1, *m2)?, two(*s1, *s2)?, 0).ok()?), rest)
        }
        _ => (None, rest),
    };
    let offset = match rest {
        [] => None,
        b"Z" => Some(0),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (hours, minutes) = (two(*h1, *h2)?, two(*m1, *m2)?);
            // XML Schema and RFC 3339 both end at 14:00 in practice; 59 is the last minute.
            if hours > 14 || minutes > 59 {
                return None;
            }
            let offset = i16::from(hours) * 60 + i16::from(minutes);
            Some(if *sign == b'-' { -offset } else { offset })
        }
        _ => return None,
    };
    Some(Date { day, time, offset })
}

fn two(tens: u8, ones: u8) -> Option<i8> {
    let digit = |byte: u8| byte.is_ascii_digit().then(|| (byte - b'0').cast_signed());
    Some(digit(tens)? * 10 + digit(ones)?)
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.day.year(), self.day.month(), self.day.day())?;
        if let Some(time) = self.time {
            write!(f, "T{:02}:{:02}:{:02}", time.hour(), time.minute(), time.second())?;
        }
        match self.offset {
            None => Ok(()),
            Some(0) => f.write_str("Z"),
            Some(offset) => {
                let sign = if offset < 0 { '-' } else { '+' };
                write!(f, "{sign}{:02}:{:02}", offset.unsigned_abs() / 60, offset.unsigned_abs() % 60)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_survive() {
        for same in [
            "2026-03-01",
            "2024-02-29",
            "2026-03-01T23:30:59",
            "2026-03-01T00:00:00Z",
            "2026-03-01T23:30:00-05:30",
            "2026-03-01+02:00",
            "0001-01-01",
        ] {
            assert_eq!(same.parse::<Date>().unwrap().to_string(), same);
        }
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for wrong in [
            "",
            "2026-3-1",
            "2026-02-30",
            "2025-02-29",
            "31.12.2026",
            "2026-03-01T24:00:00",
            "2026-03-01T10:00",
            "2026-03-01 10:00:00",
            "2026-03-01T10:00:00.5",
            "2026-03-01T10:00:00+2",
            "2026-03-01T10:00:00+15:00",
            "20260301",
            "2026-13-01",
            "0000-01-01",
            "2026-03-01Tx0:00:00",
        ] {
            assert_eq!(wrong.parse::<Date>(), Err(DateError), "{wrong}");
        }
    }
}
