//! HTTP over TLS, as a call wants it that must not be made twice: no retry, no redirect, no connection used again.

use std::error::Error as _;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::{Permit, Sending, Transport};
use crate::wire::{Method, SendError, WireRequest, WireResponse};

/// The most bytes of an answer that are read, after decompression.
pub const MAX_RESPONSE_BYTES: usize = 16 << 20;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Headers of an answer that are kept as evidence. None of them holds a secret.
const KEPT_HEADERS: [&str; 5] = ["content-type", "date", "retry-after", "x-amzn-ratelimit-limit", "x-amzn-requestid"];
const LONGEST_HEADER: usize = 200;

/// The client cannot be set up.
#[derive(Debug, thiserror::Error)]
#[error("the HTTPS client cannot be set up: {0}")]
pub struct HttpError(String);

/// An HTTP client.
#[derive(Debug, Clone)]
pub struct Http {
    pub(super) client: reqwest::Client,
}

impl Http {
    /// A client whose calls take at most `timeout` from the first packet to the last. It trusts whom the machine trusts.
    ///
    /// # Errors
    /// When TLS cannot be set up, for instance because the machine has no root certificates.
    pub fn new(timeout: Duration) -> Result<Self, HttpError> {
        // Fails when the program that uses this library has chosen a provider; its choice is as good.
        let _chosen_already = rustls::crypto::ring::default_provider().install_default();
        Self::build(reqwest::Client::builder(), timeout)
    }

    /// A client for plain http on this machine. It trusts nobody, so it does without root certificates, and https fails.
    ///
    /// # Errors
    /// When it cannot be set up.
    pub fn without_tls(timeout: Duration) -> Result<Self, HttpError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let nobody = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| HttpError(error.to_string()))?
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth();
        Self::build(reqwest::Client::builder().tls_backend_preconfigured(nobody), timeout)
    }

    fn build(builder: reqwest::ClientBuilder, timeout: Duration) -> Result<Self, HttpError> {
        builder
            .user_agent(concat!("payables-bridge/", env!("CARGO_PKG_VERSION")))
            .timeout(timeout)
            .connect_timeout(CONNECT_TIMEOUT.min(timeout))
            // A resend behind our back is a document sent twice.
            .retry(reqwest::retry::never())
            // The key is in the body, and a redirect would post it to somebody else.
            .redirect(reqwest::redirect::Policy::none())
            // On a connection that is used again, one cannot tell a call that was not sent from one that was.
            .pool_max_idle_per_host(0)
            .http1_only()
            .no_proxy()
            .tcp_nodelay(true)
            .build()
            .map(|client| Self { client })
            .map_err(|error| HttpError(innermost(&error)))
    }
}

impl Transport for Http {
    fn send(&self, request: WireRequest, permit: Permit) -> Sending<'_> {
        Box::pin(async move {
            let left = Arc::new(AtomicBool::new(false));
            let mut call = match request.method {
                Method::Get => self.client.get(&request.url),
                Method::Post => {
                    let body = Watched { body: Some(Bytes::from(request.body)), left: Arc::clone(&left), permit };
                    self.client.post(&request.url).body(reqwest::Body::wrap(body))
                }
            };
            for (name, value) in request.headers {
                call = call.header(name, value);
            }
            // What reaches the connection may reach the vendor; what does not, cannot.
            let fail = |error: reqwest::Error| {
                let why = reason(&error);
                if left.load(Ordering::SeqCst) { SendError::MaybeSent(why) } else { SendError::NotSent(why) }
            };
            let response = call.send().await.map_err(fail)?;
            let status = response.status().as_u16();
            let retry_after =
                response.headers().get("retry-after").and_then(|value| value.to_str().ok()).and_then(parse_retry_after);
            let headers = KEPT_HEADERS.iter().filter_map(|name| {
                let value = response.headers().get(*name)?.to_str().ok()?;
                Some((*name, value.chars().take(LONGEST_HEADER).collect()))
            });
            let headers = headers.collect();
            let body = read(response, fail).await?;
            Ok(WireResponse { status, headers, retry_after, body })
        })
    }
}

/// The whole body of an answer, unless it is too long.
pub(super) async fn read(
    mut response: reqwest::Response,
    fail: impl Fn(reqwest::Error) -> SendError,
) -> Result<Vec<u8>, SendError> {
    let status = response.status().as_u16();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(&fail)? {
        if body.len() + chunk.len() > MAX_RESPONSE_BYTES {
            let limit = MAX_RESPONSE_BYTES >> 20;
            return Err(SendError::MaybeSent(format!("the answer is larger than {limit} MiB (HTTP {status})")));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// A body that knows whether it has been handed to the connection.
pub(super) struct Watched {
    pub(super) body: Option<Bytes>,
    pub(super) left: Arc<AtomicBool>,
    pub(super) permit: Permit,
}

/// The permit was over when the body was to leave.
#[derive(Debug, thiserror::Error)]
#[error("too much time has passed since the call was prepared")]
pub(super) struct TooLate;

impl Body for Watched {
    type Data = Bytes;
    type Error = TooLate;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, TooLate>>> {
        if self.body.is_some() && !self.permit.may_write() {
            return Poll::Ready(Some(Err(TooLate)));
        }
        let frame = self.body.take();
        if frame.is_some() {
            self.left.store(true, Ordering::SeqCst);
        }
        Poll::Ready(frame.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.body.as_ref().map_or(0, |body| body.len() as u64))
    }
}

/// What went wrong, in the words of the innermost cause.
pub(super) fn reason(error: &reqwest::Error) -> String {
    let what = if error.is_timeout() {
        "no answer in time"
    } else if error.is_connect() {
        "no connection"
    } else {
        "the connection broke"
    };
    // reqwest's own message has the address in it and says no more than `what`.
    if error.source().is_none() { what.to_owned() } else { format!("{what} ({})", innermost(error)) }
}

fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

/// `Retry-After`: seconds, or a date.
fn parse_retry_after(value: &str) -> Option<Duration> {
    if let Ok(seconds) = value.trim().parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let until = jiff::fmt::rfc2822::parse(value.trim()).ok()?.timestamp();
    let seconds = until.as_second().saturating_sub(jiff::Timestamp::now().as_second());
    Some(Duration::from_secs(u64::try_from(seconds).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        assert_eq!(parse_retry_after("7"), Some(Duration::from_secs(7)));
        assert_eq!(parse_retry_after("-7"), None);
        assert_eq!(parse_retry_after("soon"), None);
        assert_eq!(parse_retry_after("Wed, 21 Oct 2015 07:28:00 GMT"), Some(Duration::ZERO));
    }
}
