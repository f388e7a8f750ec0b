//! Login with Amazon: access tokens for a refresh token.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use hyper::http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::super::options::{AmazonOptions, random};
use super::clock::uuid;
use super::json;

/// More tokens than this are not remembered, once they expired.
const MOST_TOKENS: usize = 1_000;

/// Who may ask, and what was given.
pub(super) struct Tokens {
    client_id: String,
    client_secret: String,
    refresh_token: String,
    lifetime_s: u64,
    /// When each token expires.
    given: Mutex<HashMap<String, Timestamp>>,
}

/// Without secrets and tokens.
impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

/// Why no token is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoToken {
    InvalidRequest(&'static str),
    InvalidClient,
    InvalidGrant,
    UnauthorizedClient,
    UnsupportedGrantType,
    TemporarilyUnavailable,
}

impl NoToken {
    pub(super) fn status(self) -> StatusCode {
        match self {
            Self::InvalidClient => StatusCode::UNAUTHORIZED,
            Self::TemporarilyUnavailable => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    pub(super) fn body(self) -> Value {
        let (error, description) = match self {
            Self::InvalidRequest(why) => ("invalid_request", why),
            Self::InvalidClient => ("invalid_client", "Client authentication failed"),
            Self::InvalidGrant => ("invalid_grant", "The refresh token is not known, or it was revoked"),
            Self::UnauthorizedClient => ("unauthorized_client", "The client may not use this grant type"),
            Self::UnsupportedGrantType => ("unsupported_grant_type", "The grant type is not supported"),
            Self::TemporarilyUnavailable => ("temporarily_unavailable", "The service is temporarily unavailable"),
        };
        json!({ "error": error, "error_description": description, "request_id": uuid() })
    }
}

/// What an access token is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Good,
    Expired,
    Unknown,
}

impl Tokens {
    pub(super) fn new(options: &AmazonOptions) -> Self {
        Self {
            client_id: options.client_id.clone(),
            client_secret: options.client_secret.clone(),
            refresh_token: options.refresh_token.clone(),
            lifetime_s: options.token_lifetime_s,
            given: Mutex::default(),
        }
    }

    pub(super) fn client_id(&self) -> String {
        self.client_id.clone()
    }

    pub(super) fn client_secret(&self) -> String {
        self.client_secret.clone()
    }

    pub(super) fn refresh_token(&self) -> String {
        self.refresh_token.clone()
    }

    /// Gives a token for what was asked.
    pub(super) fn grant(&self, content_type: &str, body: &[u8], now: Timestamp) -> Result<Value, NoToken> {
        let asked = Asked::read(content_type, body)?;
        let grant_type = asked.get("grant_type").ok_or(NoToken::InvalidRequest("grant_type is missing"))?;
        let is_refresh = match grant_type {
            "refresh_token" => true,
            // Known to the vendor, and nothing that this application may do.
            "authorization_code" | "client_credentials" => false,
            _ => return Err(NoToken::UnsupportedGrantType),
        };
        let client_id = asked.get("client_id").ok_or(NoToken::InvalidRequest("client_id is missing"))?;
        let client_secret = asked.get("client_secret").ok_or(NoToken::InvalidRequest("client_secret is missing"))?;
        if client_id != self.client_id || client_secret != self.client_secret {
            return Err(NoToken::InvalidClient);
        }
        if !is_refresh {
            return Err(NoToken::UnauthorizedClient);
        }
        let refresh_token = asked.get("refresh_token").ok_or(NoToken::InvalidRequest("refresh_token is missing"))?;
        if refresh_token != self.refresh_token {
            return Err(NoToken::InvalidGrant);
        }
        Ok(json!({
            "access_token": self.give(now),
            "token_type": "bearer",
            "expires_in": self.lifetime_s,
            "refresh_token": self.refresh_token,
        }))
    }

    fn give(&self, now: Timestamp) -> String {
        let token = random("Atza|", 300, fastrand::alphanumeric);
        let lifetime = SignedDuration::from_secs(i64::try_from(self.lifetime_s).unwrap_or(i64::MAX));
        let until = now.saturating_add(lifetime).unwrap_or(Timestamp::MAX);
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        if given.len() >= MOST_TOKENS {
            given.retain(|_, until| *until > now);
        }
        given.insert(token.clone(), until);
        token
    }

    /// What a token is worth now.
    pub(super) fn standing(&self, token: &str, now: Timestamp) -> Standing {
        let given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        match given.get(token) {
            Some(until) if *until > now => Standing::Good,
            Some(_) => Standing::Expired,
            None => Standing::Unknown,
        }
    }
}

/// The parameters of a request.
struct Asked(HashMap<String, String>);

impl Asked {
    /// A form is what the vendor documents; its own clients send JSON.
    fn read(content_type: &str, body: &[u8]) -> Result<Self, NoToken> {
        let media_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match media_type.as_str() {
            "application/x-www-form-urlencoded" => Self::from_form(body),
            "application/json" => Self::from_json(body),
            _ => Err(NoToken::InvalidRequest("Content-Type must be application/x-www-form-urlencoded")),
        }
    }

    fn from_form(body: &[u8]) -> Result<Self, NoToken> {
        let mut all = HashMap::new();
        for (key, value) in url::form_urlencoded::parse(body) {
            if all.insert(key.into_owned(), value.into_owned()).is_some() {
                return Err(NoToken::InvalidRequest("A parameter is there twice"));
            }
        }
        Ok(Self(all))
    }

    fn from_json(body: &[u8]) -> Result<Self, NoToken> {
        let malformed = NoToken::InvalidRequest("The body is not a JSON object of texts");
        let Ok(Value::Object(members)) = json::read(body) else { return Err(malformed) };
        let texts = members.into_iter().map(|(key, value)| match value {
            Value::String(text) => Ok((key, text)),
            _ => Err(malformed),
        });
        Ok(Self(texts.collect::<Result<_, _>>()?))
    }

    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str).filter(|value| !value.is_empty())
    }
}
