//! What came back of a call, as it is kept before it is judged: without secrets, and not longer than anybody needs.

use std::time::Duration;

use crate::engine::state::Millis;
use crate::journal::{Evidence, EvidenceKind, MOST_EVIDENCE};
use crate::wire::{SendError, WireResponse};

/// What stands where a secret stood.
const REDACTED: &[u8] = b"REDACTED";

/// Makes evidence of what a call brought, once it has been [cleaned](clean).
pub(super) fn evidence(result: &Result<WireResponse, SendError>, at: Millis) -> Evidence {
    let (kind, status, headers, body) = match result {
        Ok(response) => {
            let headers = response.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
            (EvidenceKind::Answer, response.status, headers, response.body.clone())
        }
        Err(SendError::NotSent(why)) => (EvidenceKind::NotSent, 0, Vec::new(), why.clone().into_bytes()),
        Err(SendError::MaybeSent(why)) => (EvidenceKind::MaybeSent, 0, Vec::new(), why.clone().into_bytes()),
    };
    let cut = body.len() > MOST_EVIDENCE;
    let mut body = body;
    body.truncate(MOST_EVIDENCE);
    Evidence { at, kind, status, headers, body, cut }
}

/// What a call brought, without the secrets that the other side may have sent back: its words end up in reports.
pub(super) fn clean(result: Result<WireResponse, SendError>, secrets: &[&str]) -> Result<WireResponse, SendError> {
    match result {
        Ok(response) => {
            let headers = response.headers.into_iter().map(|(name, value)| (name, text(&value, secrets))).collect();
            Ok(WireResponse { headers, body: redact(&response.body, secrets), ..response })
        }
        Err(SendError::NotSent(why)) => Err(SendError::NotSent(text(&why, secrets))),
        Err(SendError::MaybeSent(why)) => Err(SendError::MaybeSent(text(&why, secrets))),
    }
}

/// What a call brought, from its evidence.
pub(super) fn result(evidence: &Evidence) -> Result<WireResponse, SendError> {
    let text = || String::from_utf8_lossy(&evidence.body).into_owned();
    match evidence.kind {
        // Half an answer says nothing, whatever its first half says.
        _ if evidence.cut => Err(SendError::MaybeSent("its answer was too long to be kept whole".to_owned())),
        EvidenceKind::NotSent => Err(SendError::NotSent(text())),
        EvidenceKind::MaybeSent => Err(SendError::MaybeSent(text())),
        EvidenceKind::Answer => {
            let wait = evidence.headers.iter().find(|(name, _)| name == "retry-after").and_then(|(_, value)| value.parse().ok());
            Ok(WireResponse {
                status: evidence.status,
                headers: Vec::new(),
                retry_after: wait.map(Duration::from_secs),
                body: evidence.body.clone(),
            })
        }
    }
}

pub(super) fn text(value: &str, secrets: &[&str]) -> String {
    String::from_utf8_lossy(&redact(value.as_bytes(), secrets)).into_owned()
}

fn redact(bytes: &[u8], secrets: &[&str]) -> Vec<u8> {
    let mut clean = bytes.to_vec();
    // Whoever reads the answer reads what stands behind its escapes.
    if memchr::memchr3(b'\\', b'&', b'%', bytes).is_some() {
        for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
            clean = redact_escaped(&clean, secret.as_bytes());
        }
    }
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        let finder = memchr::memmem::Finder::new(secret.as_bytes());
        if finder.find(&clean).is_none() {
            continue;
        }
        let mut rest = clean.as_slice();
        let mut kept = Vec::with_capacity(clean.len());
        while let Some(place) = finder.find(rest) {
            kept.extend_from_slice(rest.get(..place).unwrap_or_default());
            kept.extend_from_slice(REDACTED);
            rest = rest.get(place + secret.len()..).unwrap_or_default();
        }
        kept.extend_from_slice(rest);
        clean = kept;
    }
    clean
}

/// Takes out a secret that is written with the escapes of JSON, XML or addresses, wholly or in part.
fn redact_escaped(bytes: &[u8], secret: &[u8]) -> Vec<u8> {
    let mut clean = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(byte) = rest.first() {
        match escaped(rest, secret) {
            Some(length) => {
                clean.extend_from_slice(REDACTED);
                rest = rest.get(length..).unwrap_or_default();
            }
            None => {
                clean.push(*byte);
                rest = rest.get(1..).unwrap_or_default();
            }
        }
    }
    clean
}

/// How many bytes of a text are a secret, if it begins with one.
fn escaped(text: &[u8], secret: &[u8]) -> Option<usize> {
    let mut at = 0;
    for wanted in secret {
        let here = text.get(at..)?;
        let escape = character(here).filter(|(byte, _)| byte == wanted).map(|(_, length)| length);
        let length = escape.or_else(|| (here.first() == Some(wanted)).then_some(1))?;
        at += length;
    }
    Some(at)
}

/// The ASCII character that an escape stands for, and how long the escape is.
fn character(text: &[u8]) -> Option<(u8, usize)> {
    let hex = |digits: &[u8]| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok();
    match text {
        [b'\\', b'u', b'0', b'0', high, low, ..] => Some((hex(&[*high, *low])?, 6)),
        [b'\\', byte @ (b'/' | b'"' | b'\\'), ..] => Some((*byte, 2)),
        [b'%', high, low, ..] => Some((hex(&[*high, *low])?, 3)),
        [b'&', rest @ ..] => {
            let end = rest.iter().take(8).position(|byte| *byte == b';')?;
            let name = std::str::from_utf8(rest.get(..end)?).ok()?;
            let byte = match name {
                "amp" => b'&',
                "lt" => b'<',
                "gt" => b'>',
                "quot" => b'"',
                "apos" => b'\'',
                _ => match name.strip_prefix("#x").or_else(|| name.strip_prefix("#X")) {
                    Some(digits) => u8::from_str_radix(digits, 16).ok()?,
                    None => name.strip_prefix('#')?.parse().ok()?,
                },
            };
            Some((byte, end + 2))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_that_comes_back_is_not_kept() {
        let response = WireResponse {
            status: 200,
            headers: vec![("date", "canary".into())],
            retry_after: None,
            body: b"<key>canary</key> and canarycanary, canar".to_vec(),
        };
        let evidence = evidence(&clean(Ok(response), &["", "canary", "another"]), 7);
        assert_eq!(evidence.body, b"<key>REDACTED</key> and REDACTEDREDACTED, canar");
        assert_eq!(evidence.headers, [("date".to_owned(), "REDACTED".to_owned())]);
        let failed = super::evidence(&clean(Err(SendError::MaybeSent("canary".into())), &["canary"]), 7);
        assert_eq!((failed.kind, failed.body), (EvidenceKind::MaybeSent, b"REDACTED".to_vec()));
    }

    #[test]
    fn no_escape_hides_a_secret() {
        let secret = "Atza|a/b=\"&";
        for hidden in [
            r#"Atza\u007Ca\/b\u003d\"&"#,
            r#"\u0041tza|a/b=\u0022\u0026"#,
            "Atza%7Ca%2fb%3D%22%26",
            "Atza&#124;a&#x2F;b=&quot;&amp;",
            "Atza|a/b=\"&",
        ] {
            let body = format!("<x>{hidden}</x> {hidden}{hidden} Atza\\");
            let redacted = String::from_utf8(redact(body.as_bytes(), &[secret])).unwrap();
            assert_eq!(redacted, "<x>REDACTED</x> REDACTEDREDACTED Atza\\", "{hidden}");
        }
        assert_eq!(redact(br"\u00", &["q"]), br"\u00");
        assert_eq!(redact("&;&#;&#x;%zz%\\".as_bytes(), &["q"]), "&;&#;&#x;%zz%\\".as_bytes());
    }

    #[test]
    fn what_is_kept_is_judged_like_what_came() {
        let response = WireResponse {
            status: 429,
            headers: vec![("retry-after", "7".into())],
            body: b"x".to_vec(),
            ..WireResponse::default()
        };
        let again = result(&evidence(&Ok(response), 7)).unwrap();
        assert_eq!((again.status, again.retry_after, again.body), (429, Some(Duration::from_secs(7)), b"x".to_vec()));
        for error in [SendError::NotSent("no cable".into()), SendError::MaybeSent("late".into())] {
            assert_eq!(result(&evidence(&Err(error.clone()), 7)), Err(error));
        }
    }

    #[test]
    fn a_long_answer_is_cut_and_not_judged_again() {
        let response = WireResponse { status: 200, body: vec![b'x'; MOST_EVIDENCE + 1], ..WireResponse::default() };
        let evidence = evidence(&Ok(response), 7);
        assert_eq!((evidence.body.len(), evidence.cut), (MOST_EVIDENCE, true));
        assert!(matches!(result(&evidence), Err(SendError::MaybeSent(_))));
    }
}
