//! Login with Amazon: the refresh token becomes an access token that is good for an hour, and goes with every call.
//!
//! The signatures of AWS are not wanted any more (since October 2023).

use std::time::Duration;

use serde::Deserialize;

use super::Amazon;
use crate::adapter::{Login, Token};
use crate::formats::percent;
use crate::model::{Fault, Path, shorten};
use crate::wire::{Credentials, Secret, WireRequest, WireResponse};

/// Where tokens are fetched, for all regions.
pub(super) const TOKEN_ENDPOINT: &str = "https://api.amazon.com/auth/o2/token";
/// The parts of the credentials, as the settings and the form call them.
pub(super) const PARTS: [&str; 3] = ["client_id", "client_secret", "refresh_token"];
/// How long a token is good when the answer does not say.
const LIFETIME_S: u64 = 1800;
/// The longest answer that is read.
const LONGEST_ANSWER: usize = 64 << 10;

#[derive(Deserialize)]
struct Answer {
    access_token: Option<String>,
    #[serde(default)]
    expires_in: serde_json::Value,
    error: Option<String>,
    error_description: Option<String>,
}

impl Login for Amazon {
    fn request(&self, credentials: &Credentials) -> WireRequest {
        let mut body = "grant_type=refresh_token".to_owned();
        for part in PARTS {
            body.push('&');
            body.push_str(part);
            body.push('=');
            percent::encode(credentials.get(part).map_or("", Secret::expose), &mut body);
        }
        let headers = vec![
            ("content-type", "application/x-www-form-urlencoded;charset=UTF-8".to_owned()),
            ("user-agent", super::USER_AGENT.to_owned()),
        ];
        WireRequest { url: self.token_endpoint.clone(), headers, body: body.into_bytes(), ..WireRequest::default() }
    }

    fn decode(&self, response: &WireResponse) -> Token {
        let status = response.status;
        let body = Some(&response.body).filter(|body| body.len() <= LONGEST_ANSWER);
        let Some(answer) = body.and_then(|body| serde_json::from_slice::<Answer>(body).ok()) else {
            return Token::Unclear(format!("the token endpoint answered with HTTP {status} and something that is no token"));
        };
        let token = answer.access_token.filter(|token| is_token(token));
        match (status, token, answer.error) {
            (200, Some(token), None) => {
                Token::Granted(Secret::new(token), Duration::from_secs(seconds(&answer.expires_in).unwrap_or(LIFETIME_S)))
            }
            (_, _, Some(error)) => refused(status, &error, answer.error_description.as_deref()),
            _ => Token::Unclear(format!("the token endpoint answered with HTTP {status} and no token")),
        }
    }
}

/// Whole seconds, as a number or as text.
fn seconds(value: &serde_json::Value) -> Option<u64> {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    // What ended before it began is no token.
    if text.starts_with('-') { Some(0) } else { text.split('.').next()?.parse().ok() }
}

/// Whether a text can go in a header, as a token has to.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.len() <= 4096 && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn refused(status: u16, error: &str, description: Option<&str>) -> Token {
    let what = match error {
        "invalid_client" => {
            "the client is not known, or its secret has ended: a client secret has to be made anew every 180 days. Make one in the \
             developer console and put it where client_secret points; the refresh token stays good"
        }
        "invalid_grant" => {
            "the refresh token is wrong, was withdrawn, or belongs to another client; authorise the application anew and put the new \
             one where refresh_token points"
        }
        "unauthorized_client" => "the application may not ask for tokens in this way; look at its registration",
        "access_denied" => "the vendor's account refused the application; have it authorised again",
        "invalid_scope" => "the application asked for something that it may not have; look at its registration",
        "invalid_request" | "unsupported_grant_type" => {
            "the question was not understood; look whether client_id, client_secret and refresh_token hold what their names say"
        }
        "server_error" | "temporarily_unavailable" => return Token::Unclear(format!("Login with Amazon says {error}")),
        _ if status == 429 || status >= 500 => return Token::Unclear(format!("Login with Amazon says {}", shorten(error))),
        _ => "Login with Amazon refused the credentials",
    };
    let message = format!("{what} ({}, HTTP {status})", shorten(error));
    Token::Refused(Fault::error("AMZ-004", Path::ROOT, message).vendor(Some(&shorten(error)), description))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Token {
        Amazon::default().decode(&WireResponse { status, body: body.as_bytes().to_vec(), ..WireResponse::default() })
    }

    #[test]
    fn the_form_has_every_part_and_nothing_that_it_could_not_carry() {
        let credentials = Credentials::new(PARTS.map(|part| (part, Secret::new(format!("{part}|&=")))));
        let request = Login::request(&Amazon::default(), &credentials);
        assert_eq!(
            String::from_utf8(request.body).unwrap(),
            "grant_type=refresh_token&client_id=client_id%7C%26%3D&client_secret=client_secret%7C%26%3D\
             &refresh_token=refresh_token%7C%26%3D"
        );
        assert_eq!(request.url, TOKEN_ENDPOINT);
    }

    #[test]
    fn a_token_is_kept_for_as_long_as_it_says() {
        let granted = |body: &str| match answer(200, body) {
            Token::Granted(token, lifetime) => (token.expose().to_owned(), lifetime.as_secs()),
            other => panic!("{other:?}"),
        };
        assert_eq!(granted(r#"{"access_token": "Atza|x", "token_type": "bearer", "expires_in": 3600}"#), ("Atza|x".into(), 3600));
        for said in ["", r#", "expires_in": null"#, r#", "expires_in": "soon""#] {
            let body = format!(r#"{{"access_token": "Atza|x"{said}}}"#);
            assert_eq!(granted(&body), ("Atza|x".into(), LIFETIME_S));
        }
        for said in ["60", r#""60""#, "60.0"] {
            let body = format!(r#"{{"access_token": "Atza|x", "expires_in": {said}}}"#);
            assert_eq!(granted(&body), ("Atza|x".into(), 60));
        }
    }

    #[test]
    fn every_documented_error_is_told_in_plain_words_and_only_some_are_worth_another_try() {
        for error in [
            "invalid_client",
            "invalid_grant",
            "unauthorized_client",
            "access_denied",
            "invalid_scope",
            "invalid_request",
            "unsupported_grant_type",
            "something_new",
        ] {
            let Token::Refused(fault) = answer(400, &format!(r#"{{"error": "{error}", "error_description": "words"}}"#)) else {
                panic!("{error}")
            };
            assert!(fault.message.contains(error) && fault.message.len() > 40, "{fault:?}");
            assert_eq!((fault.vendor_code.as_deref(), fault.vendor_message.as_deref()), (Some(error), Some("words")));
        }
        let Token::Refused(fault) = answer(401, r#"{"error": "invalid_client"}"#) else { panic!() };
        assert!(fault.message.contains("180 days"), "{fault:?}");
        for (status, body) in [
            (400, r#"{"error": "server_error"}"#),
            (400, r#"{"error": "temporarily_unavailable"}"#),
            (503, r#"{"error": "busy"}"#),
            (429, r#"{"error": "slow_down"}"#),
            (500, "<html>"),
            (200, ""),
            (200, "{}"),
            (200, r#"{"access_token": ""}"#),
            (200, "{\"access_token\": \"a\\nb\"}"),
            (200, r#"{"access_token": 7}"#),
            (302, r#"{"access_token": "Atza|x"}"#),
        ] {
            assert!(matches!(answer(status, body), Token::Unclear(_)), "{status} {body}");
        }
    }
}
