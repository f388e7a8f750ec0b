//! Signature Version 4, checked: from what arrived and from the secret that both sides know.

use hmac::{Hmac, KeyInit, Mac};
use hyper::HeaderMap;
use sha2::{Digest, Sha256};

/// What of a request goes into the signature, besides its body.
pub(super) struct Signed<'s> {
    pub(super) method: &'s str,
    pub(super) path: &'s str,
    pub(super) query: &'s str,
    pub(super) headers: &'s HeaderMap,
}

/// Checks a signature. The error says what is wrong with it.
pub(super) fn check(request: &Signed<'_>, body: &[u8], access_key: &str, secret: &str, now: i64) -> Result<(), &'static str> {
    let header = |name: &str| request.headers.get(name).and_then(|value| value.to_str().ok());
    let authorization = header("authorization").ok_or("The request is not signed.")?;
    let rest = authorization.strip_prefix("AWS4-HMAC-SHA256 ").ok_or("The request is not signed with AWS4-HMAC-SHA256.")?;
    let part = |name: &str| {
        rest.split(',')
            .find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='))
            .ok_or("The Authorization header is not whole.")
    };
    let (credential, names, signature) = (part("Credential")?, part("SignedHeaders")?, part("Signature")?);
    // Whatever region a client is set to, it signs for it: only the rest of the scope is known beforehand.
    let mut scope = credential.splitn(2, '/');
    let (key, scope) = (scope.next().unwrap_or_default(), scope.next().unwrap_or_default());
    if key != access_key {
        return Err("The access key is not known.");
    }
    let [day, region, "invoicing", "aws4_request"] = scope.split('/').collect::<Vec<_>>()[..] else {
        return Err("The credential scope is not one of this service.");
    };
    let date = header("x-amz-date").ok_or("There is no x-amz-date.")?;
    let sent = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", date).map_err(|_| "The x-amz-date is no time.")?;
    let sent = jiff::tz::Offset::UTC.to_timestamp(sent).map_err(|_| "The x-amz-date is no time.")?.as_second();
    if !date.starts_with(day) || (sent - now).abs() > 300 {
        return Err("The signature is not of now.");
    }
    let list: Vec<&str> = names.split(';').collect();
    if !list.is_sorted() || !["host", "x-amz-date", "x-amz-target"].iter().all(|wanted| list.contains(wanted)) {
        return Err("The signed headers are not sorted, or host, x-amz-date and x-amz-target are not all among them.");
    }
    let hash = hex(&Sha256::digest(body));
    if header("x-amz-content-sha256").is_some_and(|said| said != hash) {
        return Err("The body is not the one that x-amz-content-sha256 speaks of.");
    }
    let lines: String = list.iter().map(|name| format!("{name}:{}\n", header(name).unwrap_or_default().trim())).collect();
    let canonical = format!("{}\n{}\n{}\n{lines}\n{names}\n{hash}", request.method, request.path, request.query);
    let to_sign = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", hex(&Sha256::digest(canonical.as_bytes())));
    let mut signing_key = format!("AWS4{secret}").into_bytes();
    for step in [day, region, "invoicing", "aws4_request"] {
        signing_key = mac(&signing_key, step.as_bytes());
    }
    if hex(&mac(&signing_key, to_sign.as_bytes())) == signature { Ok(()) } else { Err("The signature does not match.") }
}

fn mac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return Vec::new() };
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
