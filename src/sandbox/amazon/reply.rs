//! Answers in the shape of the Selling Partner API: a payload or a list of errors, a request id
//! always, and the rate with some statuses only.

use bytes::Bytes;
use hyper::Response;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::http::StatusCode;
use serde_json::{Value, json};

use super::super::answer::{Body, response};
use super::clock::uuid;

pub(super) const JSON: &str = "application/json";

/// One error of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) code: String,
    pub(super) message: String,
    pub(super) details: String,
}

impl Problem {
    pub(super) fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into(), details: String::new() }
    }
}

/// A call that is not answered as it was meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) problems: Vec<Problem>,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, code: &str, message: impl Into<String>) -> Self {
        Self { status, problems: vec![Problem::new(code, message)] }
    }

    /// The most frequent one.
    pub(super) fn input(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "InvalidInput", message)
    }

    /// The vendor says little about why, and a little more in the details.
    pub(super) fn unauthorized(details: &str) -> Self {
        let mut refusal = Self::new(StatusCode::FORBIDDEN, "Unauthorized", "Access to requested resource is denied.");
        for problem in &mut refusal.problems {
            details.clone_into(&mut problem.details);
        }
        refusal
    }

    pub(super) fn body(&self) -> Bytes {
        bytes_of(&json!({ "errors": errors(&self.problems) }))
    }
}

impl From<Refusal> for Response<Body> {
    fn from(refusal: Refusal) -> Self {
        response(refusal.status, JSON, refusal.body())
    }
}

/// The list as it stands in an answer.
pub(super) fn errors(problems: &[Problem]) -> Vec<Value> {
    let error = |problem: &Problem| json!({ "code": problem.code, "message": problem.message, "details": problem.details });
    problems.iter().map(error).collect()
}

/// HTTP 200 with this payload.
pub(super) fn payload(payload: &Value) -> Response<Body> {
    response(StatusCode::OK, JSON, bytes_of(&json!({ "payload": payload })))
}

pub(super) fn bytes_of(value: &Value) -> Bytes {
    Bytes::from(value.to_string())
}

/// Adds the headers that the gateway adds to what comes from behind it.
pub(super) fn with_headers(mut answer: Response<Body>, rate: Option<u32>) -> Response<Body> {
    let status = answer.status();
    let tells_rate = matches!(status.as_u16(), 200..=209 | 400 | 404);
    let is_ours = answer.headers().get(CONTENT_TYPE).is_some_and(|value| value.as_bytes() == JSON.as_bytes());
    let mut add = |name, value: String| {
        if let Ok(value) = HeaderValue::try_from(value) {
            answer.headers_mut().insert(HeaderName::from_static(name), value);
        }
    };
    add("x-amzn-requestid", uuid());
    if let Some(rate) = rate.filter(|_| tells_rate && is_ours) {
        add("x-amzn-ratelimit-limit", format!("{rate}.0"));
    }
    answer
}
