//! How AWS says no: a type, a message, and for values that are wrong the fields.

use bytes::Bytes;
use hyper::Response;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::http::StatusCode;
use serde_json::{Map, Value, json};

use super::super::answer::{Body, response};

/// The media type of awsJson1.0.
pub(super) const JSON: &str = "application/x-amz-json-1.0";

/// An error of the service's.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Refusal {
    status: StatusCode,
    kind: &'static str,
    more: Map<String, Value>,
}

impl Refusal {
    fn new(status: StatusCode, kind: &'static str, message: &str) -> Self {
        Self { status, kind, more: Map::from_iter([("message".to_owned(), message.into())]) }
    }

    fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.more.insert(name.to_owned(), value.into());
        self
    }

    /// A value that is wrong, or something that the service does not do.
    pub(super) fn invalid(reason: &str, message: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "ValidationException", message).with("reason", reason)
    }

    /// Fields that are wrong, each with what is wrong with it.
    pub(super) fn fields(fields: &[(String, String)]) -> Self {
        let list: Vec<Value> = fields.iter().map(|(name, message)| json!({ "name": name, "message": message })).collect();
        Self::invalid("fieldValidationFailed", "The request has fields that are not valid.").with("fieldList", list)
    }

    pub(super) fn missing(what: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "ResourceNotFoundException", "There is no such resource.").with("resourceName", what)
    }

    pub(super) fn conflict(arn: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "ConflictException", "The resource exists already.")
            .with("resourceId", arn)
            .with("resourceType", "ProcurementPortalPreference")
    }

    pub(super) fn denied(message: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, "AccessDeniedException", message)
    }

    pub(super) fn throttled() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "ThrottlingException", "The request was denied due to throttling.")
    }

    pub(super) fn broken() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerException", "Something went wrong.")
            .with("retryAfterSeconds", 1)
    }
}

impl From<Refusal> for Response<Body> {
    fn from(refusal: Refusal) -> Self {
        let mut body = refusal.more;
        body.insert("__type".to_owned(), format!("com.amazonaws.invoicing#{}", refusal.kind).into());
        let mut answer = said(refusal.status, &Value::Object(body));
        answer.headers_mut().insert(HeaderName::from_static("x-amzn-errortype"), HeaderValue::from_static(refusal.kind));
        answer
    }
}

/// An answer with a body.
pub(super) fn said(status: StatusCode, body: &Value) -> Response<Body> {
    let mut answer = response(status, JSON, Body::from(Bytes::from(body.to_string())));
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
    answer
}
