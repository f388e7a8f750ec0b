//! Percent-encoding, for a segment of a path and for a field of a form.

/// Appends a text with everything encoded but letters, digits, `-`, `.`, `_` and `~` (RFC 3986, section 2.3).
///
/// ```
/// use payables_bridge::formats::percent::encode;
///
/// let mut out = String::new();
/// encode("Atzr|a/b ü", &mut out);
/// assert_eq!(out, "Atzr%7Ca%2Fb%20%C3%BC");
/// ```
pub fn encode(text: &str, out: &mut String) {
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => {
                let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or_default().to_ascii_uppercase();
                out.extend(['%', digit(byte >> 4), digit(byte & 15)]);
            }
        }
    }
}
