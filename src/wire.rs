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

/// What a vendor has to be shown, by the names that its settings use for it.
///
/// ```
/// use payables_bridge::wire::{Credentials, Secret};
///
/// let credentials = Credentials::new([("client_id", Secret::new("me")), ("client_secret", Secret::new("a secret"))]);
/// assert!(credentials.get("client_id").is_some());
/// assert_eq!(format!("{credentials:?}"), r#"Credentials([("client_id", Secret), ("client_secret", Secret)])"#);
/// ```
#[derive(Debug, Clone)]
pub struct Credentials(Vec<(&'static str, Secret)>);

impl Credentials {
    /// Credentials of several parts.
    pub fn new(parts: impl IntoIterator<Item = (&'static str, Secret)>) -> Self {
        Self(parts.into_iter().collect())
    }

    /// The part of a name.
    pub fn get(&self, name: &str) -> Option<&Secret> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, secret)| secret)
    }

    /// All parts.
    pub fn secrets(&self) -> impl Iterator<Item = &Secret> {
        self.0.iter().map(|(_, secret)| secret)
    }
}

/// The one secret of a vendor that wants no more.
impl From<Secret> for Credentials {
    fn from(secret: Secret) -> Self {
        Self(vec![("", secret)])
    }
}

/// What is asked of a server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Method {
    /// To tell something; there is no body.
    Get,
    /// To take a body.
    #[default]
    Post,
}

/// A request that is ready to be sent. Its body and headers may hold a key, so `Debug` shows neither.
#[derive(Clone, Default)]
pub struct WireRequest {
    /// What is asked.
    pub method: Method,
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
            ..WireRequest::default()
        };
        assert!(!format!("{request:?} {:?}", Secret::new("canary")).contains("canary"));
    }
}
