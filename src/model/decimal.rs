//! Exact decimals: reading, rounding, multiplying and writing them without a binary float anywhere.

use rust_decimal::{Decimal, RoundingStrategy};

/// The most significant digits a decimal may have.
pub const MAX_DIGITS: usize = 28;

/// Why a text is not a decimal we can carry exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecimalError {
    /// Something else than digits, one point, a leading minus and an exponent.
    #[error("is not a decimal number; write it with digits and a point only, such as 1234.50")]
    Form,
    /// It would not be exact any more.
    #[error("has more than {MAX_DIGITS} digits; it cannot be carried exactly")]
    Digits,
}

/// Reads a decimal exactly as it is written, trailing zeros included.
///
/// The form is that of a JSON number (`-12.50`, `1e3`), with leading zeros allowed, since exports that
/// quote their numbers pad them.
///
/// ```
/// use payables_bridge::model::decimal;
///
/// assert_eq!(decimal::parse("1234567890123456.7890").unwrap().to_string(), "1234567890123456.7890");
/// assert!(decimal::parse("12,50").is_err());
/// ```
///
/// # Errors
/// When the text is not a decimal, or has more than 28 significant digits.
pub fn parse(text: &str) -> Result<Decimal, DecimalError> {
    short(text.as_bytes()).map_or_else(|| long(text), Ok)
}

/// The common case: at most 18 digits, no exponent. `None` means "not mine", not "wrong".
fn short(bytes: &[u8]) -> Option<Decimal> {
    let (negative, digits) = match bytes {
        [b'-', rest @ ..] => (true, rest),
        all => (false, all),
    };
    // The first and the last character must be digits, so ".5", "5." and "" are left to the careful reader.
    if digits.len() > 19 || !digits.first()?.is_ascii_digit() || !digits.last()?.is_ascii_digit() {
        return None;
    }
    let mut value: u64 = 0;
    let mut count = 0_u32;
    let mut point: Option<u32> = None;
    for byte in digits {
        match byte {
            b'0'..=b'9' => {
                value = value.wrapping_mul(10).wrapping_add(u64::from(byte - b'0'));
                count += 1;
            }
            b'.' if point.is_none() => point = Some(count),
            _ => return None,
        }
    }
    // 18 digits cannot overflow the 64 bits.
    if count > 18 {
        return None;
    }
    let scale = point.map_or(0, |at| count - at);
    #[expect(clippy::cast_possible_truncation, reason = "the two halves of 64 bits")]
    Some(Decimal::from_parts(value as u32, (value >> 32) as u32, 0, negative && value != 0, scale))
}

fn long(text: &str) -> Result<Decimal, DecimalError> {
    let (negative, rest) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, parse_exponent(exponent)?),
        None => (rest, 0),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((_, "")) => return Err(DecimalError::Form),
        Some(parts) => parts,
        None => (mantissa, ""),
    };
    let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !is_digits(whole) || !is_digits(fraction) {
        return Err(DecimalError::Form);
    }
    let mut digits = format!("{whole}{fraction}");
    let mut scale = i64::try_from(fraction.len()).map_err(|_| DecimalError::Digits)?.saturating_sub(exponent);
    let significant = digits.trim_start_matches('0').len();
    digits.drain(..digits.len() - significant);
    if digits.is_empty() {
        return Ok(Decimal::new(0, u32::try_from(scale.clamp(0, 28)).unwrap_or_default()));
    }
    // Zeros behind the point that do not fit change nothing and are dropped; a whole number gets its zeros.
    while scale > 0 && (digits.len() > MAX_DIGITS || scale > 28) && digits.ends_with('0') {
        digits.pop();
        scale -= 1;
    }
    while scale < 0 && digits.len() <= MAX_DIGITS {
        digits.push('0');
        scale += 1;
    }
    if digits.len() > MAX_DIGITS || !(0..=28).contains(&scale) {
        return Err(DecimalError::Digits);
    }
    let value: i128 = digits.parse().map_err(|_| DecimalError::Digits)?;
    let scale = u32::try_from(scale).map_err(|_| DecimalError::Digits)?;
    Decimal::try_from_i128_with_scale(if negative { -value } else { value }, scale).map_err(|_| DecimalError::Digits)
}

fn parse_exponent(text: &str) -> Result<i64, DecimalError> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(DecimalError::Form);
    }
    // An exponent that does not fit 64 bits is far outside of what a decimal holds.
    text.strip_prefix('+').unwrap_or(text).parse::<i64>().map_err(|_| DecimalError::Digits)
}

/// The same value with at most `places` decimal places, or `None` when digits other than zero would be lost.
pub fn fit(value: Decimal, places: u32) -> Option<Decimal> {
    if value.scale() <= places {
        return Some(value);
    }
    let cut = value.trunc_with_scale(places);
    (cut == value).then_some(cut)
}

/// Rounds half away from zero, as invoices are rounded, and says whether that changed the value.
pub fn round(value: Decimal, places: u32) -> (Decimal, bool) {
    match fit(value, places) {
        Some(same) => (same, false),
        None => (value.round_dp_with_strategy(places, RoundingStrategy::MidpointAwayFromZero), true),
    }
}

/// The product, or `None` when it has more digits than can be kept (the library would round it in silence).
pub fn multiply(a: Decimal, b: Decimal) -> Option<Decimal> {
    let exact = |a: Decimal, b: Decimal| {
        let product = a.checked_mul(b)?;
        (product.scale() == a.scale() + b.scale() || a.is_zero() || b.is_zero()).then_some(product)
    };
    // Zeros at the end take room that the digits may need.
    exact(a, b).or_else(|| exact(a.normalize(), b.normalize()))
}

/// The sum, or `None` when it has more digits than can be kept.
pub fn add(a: Decimal, b: Decimal) -> Option<Decimal> {
    let exact = |a: Decimal, b: Decimal| {
        let sum = a.checked_add(b)?;
        (sum.scale() >= a.scale().max(b.scale()) || sum.is_zero()).then_some(sum)
    };
    exact(a, b).or_else(|| exact(a.normalize(), b.normalize()))
}

/// The difference, or `None` when it has more digits than can be kept.
pub fn subtract(a: Decimal, b: Decimal) -> Option<Decimal> {
    add(a, -b)
}

/// Appends the decimal in fixed point, never with an exponent, and returns how many of the last bytes are
/// zeros (and a point) that say nothing about the value.
pub fn write(value: Decimal, out: &mut Vec<u8>) -> usize {
    let mut buffer = itoa::Buffer::new();
    let mantissa = value.mantissa().unsigned_abs();
    // The 128-bit division is slow, and hardly any price needs it.
    let digits = match u64::try_from(mantissa) {
        Ok(small) => buffer.format(small).as_bytes(),
        Err(_) => buffer.format(mantissa).as_bytes(),
    };
    if value.is_sign_negative() && mantissa != 0 {
        out.push(b'-');
    }
    let scale = value.scale() as usize;
    if scale == 0 {
        out.extend_from_slice(digits);
        return 0;
    }
    match digits.len().checked_sub(scale).and_then(|at| digits.split_at_checked(at)) {
        Some((whole, fraction)) if !whole.is_empty() => {
            out.extend_from_slice(whole);
            out.push(b'.');
            out.extend_from_slice(fraction);
        }
        _ => {
            out.extend_from_slice(b"0.");
            out.resize(out.len() + scale.saturating_sub(digits.len()), b'0');
            out.extend_from_slice(digits);
        }
    }
    let zeros = out.iter().rev().take(scale).take_while(|&&byte| byte == b'0').count();
    if zeros == scale { zeros + 1 } else { zeros }
}

/// The decimal in fixed point, as it goes on the wire.
pub fn to_text(value: Decimal) -> String {
    let mut out = Vec::with_capacity(24);
    write(value, &mut out);
    String::from_utf8(out).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(input: &str) -> String {
        to_text(parse(input).unwrap())
    }

    #[test]
    fn decimals_survive_as_they_are_written() {
        for same in [
            "0",
            "-1",
            "12.50",
            "1234567890123456.7890",
            "0.0001",
            "-0.05",
            "9999999999999999999999999999",
            "0.0000000000000000000000000001",
            "18446744073709551616.5",
        ] {
            assert_eq!(text(same), same);
        }
    }

    #[test]
    fn other_spellings_of_a_number_are_read_exactly() {
        assert_eq!(text("1e3"), "1000");
        assert_eq!(text("1.50E1"), "15.0");
        assert_eq!(text("125e-2"), "1.25");
        assert_eq!(text("007.50"), "7.50");
        assert_eq!(text("-0"), "0");
        assert_eq!(text("-0.00"), "0.00");
        assert_eq!(text("0e999"), "0");
        assert_eq!(text("1.00000000000000000000000000000000000"), "1.000000000000000000000000000");
    }

    #[test]
    fn what_is_not_a_decimal_is_refused() {
        for wrong in [
            "", "-", ".", ".5", "5.", "+5", "1,234.50", "12,50", "12.5O", "NaN", "Infinity", "1e", "1e+", "0x10", " 1", "1 ",
            "1.2.3", "١", "--1", "1e1.5",
        ] {
            assert_eq!(parse(wrong), Err(DecimalError::Form), "{wrong}");
        }
        for wide in [
            "1e400",
            "1e28",
            "1e-29",
            "12345678901234567890123456789",
            "0.12345678901234567890123456789",
            "1e99999999999999999999",
        ] {
            assert_eq!(parse(wide), Err(DecimalError::Digits), "{wide}");
        }
    }

    #[test]
    fn rounding_is_half_away_from_zero_and_told() {
        let round = |text: &str| round(parse(text).unwrap(), 4);
        assert_eq!(round("1.23455"), (parse("1.2346").unwrap(), true));
        assert_eq!(round("-1.23455"), (parse("-1.2346").unwrap(), true));
        assert_eq!(round("1.500000"), (parse("1.5").unwrap(), false));
    }

    #[test]
    fn a_product_that_would_be_rounded_is_refused() {
        let wide = parse("1234567890123456789012.1234").unwrap();
        assert_eq!(multiply(wide, wide), None);
        let (one, two) = (parse("1.00000000000000000000").unwrap(), parse("2.0000000000").unwrap());
        assert_eq!(multiply(one, two), parse("2").ok());
        assert_eq!(
            add(parse("9999999999999999999999999999").unwrap(), parse("-1.00").unwrap()),
            parse("9999999999999999999999999998").ok()
        );
        assert_eq!(multiply(wide, Decimal::ZERO).map(|zero| zero.is_zero()), Some(true));
        assert_eq!(multiply(parse("12.50").unwrap(), parse("3").unwrap()), parse("37.50").ok());
    }

    #[test]
    fn redundant_zeros_are_counted() {
        let mut out = Vec::new();
        assert_eq!(write(parse("10.00").unwrap(), &mut out), 3);
        assert_eq!(write(parse("10.50").unwrap(), &mut out), 1);
        assert_eq!(write(parse("100").unwrap(), &mut out), 0);
        assert_eq!(write(parse("0.0").unwrap(), &mut out), 2);
    }

    proptest! {
        #[test]
        fn both_readers_agree_with_the_library(whole in 0u64..=999_999_999_999, fraction in "[0-9]{0,9}", negative: bool) {
            let input = format!("{}{whole}{}{fraction}", if negative { "-" } else { "" }, if fraction.is_empty() { "" } else { "." });
            let expected = Decimal::from_str_exact(&input).unwrap();
            prop_assert_eq!(parse(&input).unwrap(), expected);
            prop_assert_eq!(long(&input).unwrap(), expected);
            prop_assert_eq!(parse(&input).unwrap().scale(), expected.scale());
        }

        #[test]
        fn writing_and_reading_are_inverse(mantissa in -9_999_999_999_999_999_999_999_999_999_i128..=9_999_999_999_999_999_999_999_999_999, scale in 0u32..=28) {
            let value = Decimal::from_i128_with_scale(mantissa, scale);
            let back = parse(&to_text(value)).unwrap();
            prop_assert_eq!(back, value);
            prop_assert_eq!(back.scale(), value.scale());
        }
    }
}
