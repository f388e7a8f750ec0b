//! The endings that know nothing of a vendor: what a network, a proxy or a web server does to an
//! answer that was right. The endings that speak a vendor's own format are in the vendor's folder.

use std::time::Duration;

use bytes::Bytes;
use hyper::Response;
use hyper::header::{CONTENT_ENCODING, CONTENT_LENGTH, HeaderName, HeaderValue, LOCATION, RETRY_AFTER};
use hyper::http::StatusCode;

use super::answer::{Body, Cut, Part, page, response};
use super::fault::{Applied, Fault, FaultKind};
use super::gzip;
use super::server::Connection;

/// How much of a long answer is made at once.
pub(super) const CHUNK: usize = 48 << 10;

/// The path that `redirect` points to. Nothing honest is there.
pub(super) const ELSEWHERE: &str = "/elsewhere";

/// An answer before it is put on the wire.
#[derive(Debug)]
pub(super) struct Good {
    pub(super) status: StatusCode,
    pub(super) content_type: &'static str,
    pub(super) body: Bytes,
    /// The path that the call came to, without its first slash: where a redirect leads, elsewhere.
    pub(super) path: &'static str,
}

impl From<Good> for Response<Body> {
    fn from(good: Good) -> Self {
        response(good.status, good.content_type, good.body)
    }
}

/// How much of a call a fault of this kind lets through.
pub(super) fn applied(fault: &Fault) -> Applied {
    fault.applied.unwrap_or(match fault.kind {
        FaultKind::ResetAfter
        | FaultKind::Timeout
        | FaultKind::Truncated
        | FaultKind::SlowDrip
        | FaultKind::BigHeaders
        | FaultKind::Gzip
        | FaultKind::GzipBomb
        | FaultKind::DeepXml
        | FaultKind::EntityBomb
        | FaultKind::HugeBody
        | FaultKind::Endless
        | FaultKind::NoTransaction => Applied::Yes,
        _ => Applied::No,
    })
}

/// Plays one of the endings of this file; one that is of a vendor leaves the answer as it was.
pub(super) async fn end(fault: &Fault, good: Good, connection: &Connection) -> Result<Response<Body>, Cut> {
    let size = fault.size;
    let mut answer = match fault.kind {
        FaultKind::ConnectionResetBefore | FaultKind::ResetAfter | FaultKind::Late => {
            return Err(connection.reset());
        }
        FaultKind::Timeout | FaultKind::TimeoutUnapplied => {
            connection.closing().await;
            return Err(Cut);
        }
        FaultKind::Http500Html => page(
            StatusCode::INTERNAL_SERVER_ERROR,
            "Server Error in '/' Application.",
            "Runtime Error. The current custom error settings prevent the details from being viewed.",
        ),
        FaultKind::Http503 => page(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable", "HTTP Error 503."),
        FaultKind::Http429 => page(StatusCode::TOO_MANY_REQUESTS, "Too Many Requests", "HTTP Error 429."),
        FaultKind::HttpStatus => {
            let status = size.and_then(|size| u16::try_from(size).ok()).unwrap_or(403);
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::FORBIDDEN);
            response(status, "text/plain; charset=utf-8", Bytes::new())
        }
        FaultKind::Html200 => page(StatusCode::OK, "Sign in", "Your session has expired."),
        FaultKind::Empty200 => response(StatusCode::OK, good.content_type, Bytes::new()),
        FaultKind::Garbage => {
            let garbage: &[u8] = b"\x00\xff\xfe\x80<\xc3\x28 &&&&; ]]> \x1b[2J</\xf0\x9f";
            response(StatusCode::OK, good.content_type, Bytes::from_static(garbage))
        }
        FaultKind::Truncated => truncated(good),
        FaultKind::SlowDrip => {
            let pause = Duration::from_millis(size.unwrap_or(1_000));
            response(good.status, good.content_type, Body::new([Part::Drip(good.body, pause)]))
        }
        FaultKind::BigHeaders => with_big_headers(good, size.unwrap_or(1_024)),
        FaultKind::Redirect => redirect(size, good.path, connection),
        FaultKind::Gzip => response(good.status, good.content_type, gzip::stored(&good.body)),
        FaultKind::GzipBomb => {
            let parts = gzip::bomb(&good.body, size.unwrap_or(1_024));
            response(good.status, good.content_type, Body::new(parts))
        }
        _ => good.into(),
    };
    let headers = answer.headers_mut();
    if matches!(fault.kind, FaultKind::Http503 | FaultKind::Http429) {
        headers.insert(RETRY_AFTER, HeaderValue::from(size.unwrap_or(1)));
    }
    if matches!(fault.kind, FaultKind::Gzip | FaultKind::GzipBomb) {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    Ok(answer)
}

/// The same for an answer that is an object of JSON: it may also be very long.
pub(super) async fn end_json(fault: &Fault, good: Good, connection: &Connection) -> Result<Response<Body>, Cut> {
    let filler = || Bytes::from(vec![b'x'; CHUNK]);
    let is_empty = good.body.len() <= 2;
    match fault.kind {
        FaultKind::HugeBody => {
            let bytes = fault.size.unwrap_or(100).saturating_mul(1 << 20);
            let parts = [
                Part::Data(Bytes::from_static(br#"{"filler":""#)),
                Part::Repeat(filler(), bytes),
                Part::Data(Bytes::from_static(if is_empty { b"\"" } else { b"\"," })),
                Part::Data(good.body.slice(good.body.len().min(1)..)),
            ];
            Ok(response(good.status, good.content_type, Body::new(parts)))
        }
        FaultKind::Endless => {
            // The object stays open behind its last member.
            let mut open = good.body.slice(..good.body.len().saturating_sub(1)).to_vec();
            open.extend_from_slice(if is_empty { br#""filler":""# } else { br#","filler":""# });
            Ok(response(good.status, good.content_type, Body::new([Part::Data(open.into()), Part::Forever(filler())])))
        }
        _ => end(fault, good, connection).await,
    }
}

/// Declares the whole length and sends half of it. The pause lets the half leave the machine before
/// the connection closes.
fn truncated(good: Good) -> Response<Body> {
    let length = good.body.len();
    let half = good.body.slice(..length / 2);
    let parts = [Part::Data(half), Part::Pause(Duration::from_millis(20)), Part::Cut];
    let mut answer = response(good.status, good.content_type, Body::new(parts));
    answer.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
    answer
}

fn with_big_headers(good: Good, kilobytes: u64) -> Response<Body> {
    let mut answer = Response::<Body>::from(good);
    let value = HeaderValue::try_from("x".repeat(1_000)).unwrap_or(HeaderValue::from_static("x"));
    for _ in 0..kilobytes {
        answer.headers_mut().append(HeaderName::from_static("x-padding"), value.clone());
    }
    answer
}

fn redirect(port: Option<u64>, path: &str, connection: &Connection) -> Response<Body> {
    let port = port.unwrap_or_else(|| connection.addr().port().into());
    // An IPv6 address stands in brackets.
    let host = match connection.addr().ip() {
        std::net::IpAddr::V4(ip) => ip.to_string(),
        std::net::IpAddr::V6(ip) => format!("[{ip}]"),
    };
    let mut answer = page(StatusCode::TEMPORARY_REDIRECT, "Object moved", "Object moved.");
    let location = format!("http://{host}:{port}{ELSEWHERE}/{path}");
    if let Ok(location) = HeaderValue::try_from(location) {
        answer.headers_mut().insert(LOCATION, location);
    }
    answer
}
