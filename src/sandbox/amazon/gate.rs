//! What the gateway looks at before anybody reads a body: the caller's name, the media type, the path.

use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, USER_AGENT};
use hyper::http::StatusCode;

use super::reply::Refusal;

const LONGEST_USER_AGENT: usize = 500;

/// Whether the user agent is `AppId/Version (Language=…; …)`, as the vendor demands it.
pub(super) fn check_user_agent(headers: &HeaderMap) -> Result<(), Refusal> {
    let Some(text) = headers.get(USER_AGENT) else {
        return Err(Refusal::input("The user-agent header is missing."));
    };
    if text.len() > LONGEST_USER_AGENT {
        return Err(Refusal::input("The user-agent header has more than 500 characters."));
    }
    let attributes = text.to_str().ok().and_then(attributes);
    match attributes {
        None => Err(Refusal::input("The user-agent header is not of the form AppId/Version (Language=…).")),
        Some(names) if names.iter().any(|name| name == "Language") => Ok(()),
        Some(_) => Err(Refusal::input("The user-agent header has no Language attribute.")),
    }
}

/// The names of the attributes, when the whole has the right form.
fn attributes(text: &str) -> Option<Vec<String>> {
    let (app, rest) = until(text, b"/")?;
    let (version, mut rest) = until(rest, b"(")?;
    if app.trim().is_empty() || version.trim().is_empty() || !version.ends_with(' ') {
        return None;
    }
    let mut names = Vec::new();
    loop {
        let (name, behind) = until(rest, b"=")?;
        let (value, behind) = until(behind, b";)")?;
        if name.trim().is_empty() || value.trim().is_empty() {
            return None;
        }
        names.push(name.trim().to_owned());
        // The mark that ended the value stands right behind it.
        let mark = rest.len() - behind.len() - 1;
        if rest.as_bytes().get(mark) == Some(&b')') {
            return behind.is_empty().then_some(names);
        }
        rest = behind;
    }
}

/// Cuts the text at the first of these marks that no backslash stands before.
fn until<'a>(text: &'a str, marks: &[u8]) -> Option<(&'a str, &'a str)> {
    let mut escaped = false;
    for (place, byte) in text.bytes().enumerate() {
        if !escaped && marks.contains(&byte) {
            return Some((text.get(..place)?, text.get(place + 1..)?));
        }
        escaped = !escaped && byte == b'\\';
    }
    None
}

/// Whether the headers announce JSON that is not compressed.
pub(super) fn check_media_type(headers: &HeaderMap) -> Result<(), Refusal> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_ascii_lowercase();
    let encoding = text(CONTENT_ENCODING);
    let content_type = text(CONTENT_TYPE);
    let mut parts = content_type.split(';').map(str::trim);
    let is_json = parts.next() == Some("application/json");
    let is_utf8 = parts.all(|part| part.strip_prefix("charset=").is_none_or(|charset| charset.trim_matches('"') == "utf-8"));
    if is_json && is_utf8 && matches!(encoding.as_str(), "" | "identity") {
        return Ok(());
    }
    let (status, code) = (StatusCode::UNSUPPORTED_MEDIA_TYPE, "UnsupportedMediaType");
    Err(Refusal::new(status, code, "The content type must be application/json, not compressed."))
}

/// A part of a path without its percent signs.
pub(super) fn decode(part: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let mut digit = || char::from(rest.next()?).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
            bytes.push(digit()? << 4 | digit()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_agents() {
        for good in [
            "payables/0.1 (Language=Rust/1.95; Platform=Linux)",
            "My Tool/2.0 (Language=Java/1.8.0;Platform=Windows/10)",
            r"a\/b/1\(2 (Language=Rust\; stable\); X\=Y=1)",
        ] {
            assert!(attributes(good).is_some_and(|names| names[0] == "Language"), "{good}");
        }
        for bad in [
            "",
            "curl/8.0",
            "payables (Language=Rust)",
            "payables/0.1(Language=Rust)",
            "payables/0.1 ()",
            "payables/0.1 (Language)",
            "payables/0.1 (Language=)",
            "payables/0.1 (Language=Rust",
            "payables/0.1 (Language=Rust) more",
            "/0.1 (Language=Rust)",
            r"payables\/0.1 (Language=Rust)",
        ] {
            assert!(attributes(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn percent_signs() {
        assert_eq!(decode("a%2Db%c3%a9").as_deref(), Some("a-bé"));
        for bad in ["%", "%2", "%zz", "%ff"] {
            assert_eq!(decode(bad), None, "{bad}");
        }
    }
}
