//! Response bodies that are played from a short list of parts, so that a body of any size, pace or
//! brokenness costs the sandbox next to no memory.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::Response;
use hyper::body::{Frame, SizeHint};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::http::StatusCode;
use tokio::time::{Sleep, sleep};

/// The connection ends here, without the rest of the response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cut;

impl std::fmt::Display for Cut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the connection was cut")
    }
}

impl std::error::Error for Cut {}

/// One part of a body.
#[derive(Debug)]
pub(super) enum Part {
    /// These bytes.
    Data(Bytes),
    /// These bytes over and over, so many bytes in all.
    Repeat(Bytes, u64),
    /// These bytes without end.
    Forever(Bytes),
    /// These bytes one at a time, with a pause before each but the first.
    Drip(Bytes, Duration),
    /// A pause, in which what was played so far reaches the client.
    Pause(Duration),
    /// The connection is closed.
    Cut,
}

/// A response body.
#[derive(Debug, Default)]
pub(super) struct Body {
    parts: VecDeque<Part>,
    pause: Option<Pin<Box<Sleep>>>,
}

impl Body {
    /// The bytes of a body that has its data in one piece.
    pub(super) fn take_data(&mut self) -> Bytes {
        match self.parts.pop_front() {
            Some(Part::Data(bytes)) => bytes,
            _ => Bytes::new(),
        }
    }

    pub(super) fn new(parts: impl IntoIterator<Item = Part>) -> Self {
        Self { parts: parts.into_iter().collect(), pause: None }
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        if bytes.is_empty() { Self::default() } else { Self::new([Part::Data(bytes)]) }
    }
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        let this = &mut *self;
        loop {
            if let Some(pause) = &mut this.pause {
                ready!(pause.as_mut().poll(context));
                this.pause = None;
            }
            let bytes = match this.parts.pop_front() {
                None => return Poll::Ready(None),
                Some(Part::Data(bytes)) => bytes,
                Some(Part::Repeat(chunk, left)) => this.repeat(chunk, left),
                Some(Part::Forever(chunk)) => {
                    this.parts.push_front(Part::Forever(chunk.clone()));
                    chunk
                }
                Some(Part::Drip(mut rest, every)) => {
                    let first = rest.split_to(rest.len().min(1));
                    if !rest.is_empty() {
                        this.parts.push_front(Part::Drip(rest, every));
                        this.parts.push_front(Part::Pause(every));
                    }
                    first
                }
                Some(Part::Pause(time)) => {
                    this.pause = Some(Box::pin(sleep(time)));
                    continue;
                }
                Some(Part::Cut) => return Poll::Ready(Some(Err(Cut))),
            };
            if !bytes.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(bytes))));
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.parts.is_empty()
    }

    /// Exact where the body has an end, so that the server declares its length.
    fn size_hint(&self) -> SizeHint {
        let length = self.parts.iter().try_fold(0_u64, |sum, part| match part {
            Part::Data(bytes) | Part::Drip(bytes, _) => sum.checked_add(bytes.len() as u64),
            Part::Repeat(_, left) => sum.checked_add(*left),
            Part::Pause(_) => Some(sum),
            Part::Forever(_) | Part::Cut => None,
        });
        length.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

impl Body {
    fn repeat(&mut self, chunk: Bytes, left: u64) -> Bytes {
        let length = chunk.len() as u64;
        // An empty chunk would be repeated for ever without a byte.
        if length == 0 || left == 0 {
            return Bytes::new();
        }
        if left > length {
            self.parts.push_front(Part::Repeat(chunk.clone(), left - length));
            return chunk;
        }
        chunk.slice(..usize::try_from(left).unwrap_or(chunk.len()))
    }
}

/// A response with this status, content type and body.
pub(super) fn response(status: StatusCode, content_type: &'static str, body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// A small HTML page, as web servers show them.
pub(super) fn page(status: StatusCode, title: &str, text: &str) -> Response<Body> {
    let page = format!(
        "<!DOCTYPE html>\n<html><head><title>{title}</title></head>\
         <body><h1>{title}</h1><p>{text}</p></body></html>\n"
    );
    response(status, "text/html; charset=utf-8", Bytes::from(page))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;
    use hyper::body::Body as _;

    async fn played(parts: Vec<Part>) -> Result<Vec<u8>, Cut> {
        let body = Body::new(parts).collect().await?;
        Ok(body.to_bytes().to_vec())
    }

    #[tokio::test]
    async fn parts_are_played_in_order() {
        let parts = vec![
            Part::Data(Bytes::from_static(b"a")),
            Part::Repeat(Bytes::from_static(b"xyz"), 7),
            Part::Pause(Duration::from_millis(1)),
            Part::Drip(Bytes::from_static(b"end"), Duration::from_millis(1)),
        ];
        assert_eq!(played(parts).await.unwrap(), b"axyzxyzxend");
        assert_eq!(played(vec![Part::Data(Bytes::from_static(b"a")), Part::Cut]).await, Err(Cut));
    }

    #[test]
    fn a_length_is_declared_only_where_there_is_one() {
        let repeat = || Part::Repeat(Bytes::from_static(b"xyz"), 100);
        assert_eq!(Body::new([repeat(), repeat()]).size_hint().exact(), Some(200));
        assert_eq!(Body::new([repeat(), Part::Cut]).size_hint().exact(), None);
        assert_eq!(Body::new([Part::Forever(Bytes::from_static(b"a"))]).size_hint().exact(), None);
        assert_eq!(Body::from(Bytes::new()).size_hint().exact(), Some(0));
    }
}
