//! What goes over the wire and comes back, as bytes: plain values that an adapter makes and a transport moves.

use std::fmt;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

/// A secret: it has no `Display` and no `Serialize`, and its `Debug` shows nothing of it.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Keeps a secret.
    pub fn new(secret: impl Into<String>) -> Self {
        Self(SecretString::from(secret.into()))
    }

    /// The secret itself, for signing and for nothing else.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// A request that is ready to be sent. Its body and headers may hold a key, so `Debug` shows neither.
#[derive(Clone)]
pub struct WireRequest {
    /// Where to.
    pub url: String,
    /// Header names (lower case) and values.
    pub headers: Vec<(&'static str, String)>,
    /// The body of a POST.
    pub body: Vec<u8>,
}

impl fmt::Debug for WireRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WireRequest").field("url", &self.url).field("bytes", &self.body.len()).finish_non_exhaustive()
    }
}

/// A whole answer, whatever its status.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WireResponse {
    /// The HTTP status.
    pub status: u16,
    /// Headers that say something about the answer and hold no secret (names in lower case).
    pub headers: Vec<(&'static str, String)>,
    /// `Retry-After`, when it was given in seconds or as a date.
    pub retry_after: Option<Duration>,
    /// The body, decompressed.
    pub body: Vec<u8>,
}

/// A call that brought no whole answer, by whether the vendor may have acted on it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// No byte of the body left this machine.
    #[error("{0}")]
    NotSent(String),
    /// Some of the body left, and what became of it is unknown.
    #[error("{0}")]
    MaybeSent(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_secret() {
        let request = WireRequest {
            url: "https://example.com".into(),
            headers: vec![("authorization", "canary".into())],
            body: b"canary".to_vec(),
        };
        assert!(!format!("{request:?} {:?}", Secret::new("canary")).contains("canary"));
    }
}
