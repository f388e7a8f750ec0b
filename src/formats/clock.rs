//! A day and a time as wire documents write them.

use jiff::civil::DateTime;

/// Appends `YYYY-MM-DDThh:mm:ss`. The year has four digits.
///
/// ```
/// use payables_bridge::formats::clock::write;
///
/// let mut out = Vec::new();
/// write("2026-03-01T09:05:00".parse()?, &mut out);
/// assert_eq!(out, b"2026-03-01T09:05:00");
/// # Ok::<(), jiff::Error>(())
/// ```
pub fn write(clock: DateTime, out: &mut Vec<u8>) {
    two_digits(clock.year() / 100, out);
    two_digits(clock.year() % 100, out);
    for (mark, part) in
        [(b'-', clock.month()), (b'-', clock.day()), (b'T', clock.hour()), (b':', clock.minute()), (b':', clock.second())]
    {
        out.push(mark);
        two_digits(i16::from(part), out);
    }
}

/// A number from 0 to 99 in two digits.
fn two_digits(value: i16, out: &mut Vec<u8>) {
    let digit = |value: i16| b'0' + u8::try_from(value.rem_euclid(10)).unwrap_or_default();
    out.extend_from_slice(&[digit(value / 10), digit(value)]);
}
