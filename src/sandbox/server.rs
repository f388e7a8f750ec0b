//! The HTTP plumbing that every simulated vendor shares: accepting, limits, cutting, stopping.
//!
//! The clients may be as hostile as the faults: connections, header sizes, body sizes and the bytes
//! of all bodies together are bounded, and whoever asks too slowly is cut off.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::http::StatusCode;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

use super::answer::{Body, Cut};

const CONNECTIONS: usize = 1_024;
const HEADER_BUFFER: usize = 64 << 10;
/// Counts an idle connection too.
const HEADER_TIME: Duration = Duration::from_secs(60);
const BODY_TIME: Duration = Duration::from_secs(60);
const ONE_BODY: usize = 64 << 20;
const ALL_BODIES: usize = 256 << 20;
/// How long a stopping server lets its connections finish.
const GRACE: Duration = Duration::from_secs(1);

/// A simulated vendor, or several behind one address.
pub(super) trait Handler: Send + Sync + 'static {
    /// Answers one request, or cuts the connection.
    fn handle(
        &self,
        request: Request<Incoming>,
        connection: Connection,
    ) -> impl Future<Output = Result<Response<Body>, Cut>> + Send;
}

/// What a handler may know of, and do to, the connection that a request came in on.
#[derive(Clone, Debug)]
pub(super) struct Connection {
    addr: SocketAddr,
    reset: Arc<AtomicBool>,
    stopping: watch::Receiver<bool>,
    body_bytes: Arc<AtomicUsize>,
}

impl Connection {
    /// A connection to nobody.
    #[cfg(test)]
    pub(super) fn detached() -> Self {
        let addr = SocketAddr::from(([127, 0, 0, 1], 1));
        Self { addr, reset: Arc::default(), stopping: watch::channel(false).1, body_bytes: Arc::default() }
    }

    /// The address of the server.
    pub(super) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Makes the connection end in a reset instead of an orderly close.
    pub(super) fn reset(&self) -> Cut {
        self.reset.store(true, Ordering::Relaxed);
        Cut
    }

    /// Waits until the server stops.
    pub(super) async fn closing(&self) {
        let mut stopping = self.stopping.clone();
        // An error means that the server is gone already.
        let _ = stopping.wait_for(|stopping| *stopping).await;
    }

    /// Reads the whole body of a request within the limits, or says with which status to refuse.
    pub(super) async fn read(&self, mut body: Incoming) -> Result<Vec<u8>, StatusCode> {
        if hyper::body::Body::size_hint(&body).lower() > ONE_BODY as u64 {
            return Err(StatusCode::PAYLOAD_TOO_LARGE);
        }
        let mut share = Share { all: Arc::clone(&self.body_bytes), bytes: 0 };
        let reading = async {
            let mut bytes = Vec::new();
            while let Some(frame) = body.frame().await {
                let frame = frame.map_err(|_| StatusCode::BAD_REQUEST)?;
                let Ok(data) = frame.into_data() else { continue };
                if bytes.len() + data.len() > ONE_BODY {
                    return Err(StatusCode::PAYLOAD_TOO_LARGE);
                }
                share.take(data.len())?;
                bytes.extend_from_slice(&data);
            }
            Ok(bytes)
        };
        timeout(BODY_TIME, reading).await.unwrap_or(Err(StatusCode::REQUEST_TIMEOUT))
    }
}

/// What one body takes of the room for all bodies, given back when it is read or given up.
struct Share {
    all: Arc<AtomicUsize>,
    bytes: usize,
}

impl Share {
    fn take(&mut self, bytes: usize) -> Result<(), StatusCode> {
        self.bytes += bytes;
        let before = self.all.fetch_add(bytes, Ordering::Relaxed);
        if before + bytes > ALL_BODIES { Err(StatusCode::SERVICE_UNAVAILABLE) } else { Ok(()) }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.all.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// A running server. Dropping it cuts everything at once.
#[derive(Debug)]
pub(super) struct Server {
    addr: SocketAddr,
    stop: watch::Sender<bool>,
    task: Option<JoinHandle<()>>,
}

impl Server {
    /// Binds the address and serves on tasks of the current runtime.
    pub(super) async fn start(listen: SocketAddr, handler: Arc<impl Handler>) -> io::Result<Self> {
        if !listen.ip().is_loopback() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("the sandbox listens on loopback only, not on {}", listen.ip()),
            ));
        }
        let listener = TcpListener::bind(listen).await?;
        let addr = listener.local_addr()?;
        let (stop, stopping) = watch::channel(false);
        let connection = Connection { addr, reset: Arc::default(), stopping, body_bytes: Arc::default() };
        let task = Some(tokio::spawn(accept(listener, handler, connection)));
        Ok(Self { addr, stop, task })
    }

    pub(super) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Takes no more connections, lets those at work finish for a moment, and closes the rest.
    pub(super) async fn stop(mut self) {
        self.stop.send_replace(true);
        if let Some(task) = self.task.take() {
            let _ = task.await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

async fn accept(listener: TcpListener, handler: Arc<impl Handler>, connection: Connection) {
    let mut connections = JoinSet::new();
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let accepted = async {
            let seat = Arc::clone(&room).acquire_owned().await;
            (listener.accept().await, seat)
        };
        tokio::select! {
            () = connection.closing() => break,
            Some(_) = connections.join_next() => {}
            (accepted, seat) = accepted => match accepted {
                Ok((stream, _)) => {
                    let handler = Arc::clone(&handler);
                    let connection = Connection { reset: Arc::default(), ..connection.clone() };
                    connections.spawn(async move {
                        serve(stream, handler, connection).await;
                        drop(seat);
                    });
                }
                // No file handles are left, or the client was gone again: others may have better luck.
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            },
        }
    }
    drop(listener);
    let finished = async { while connections.join_next().await.is_some() {} };
    if timeout(GRACE, finished).await.is_err() {
        connections.shutdown().await;
    }
}

async fn serve(stream: TcpStream, handler: Arc<impl Handler>, connection: Connection) {
    // Small answers must not wait for the acknowledgement of the one before.
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| {
        let (handler, connection) = (Arc::clone(&handler), connection.clone());
        Box::pin(async move { handler.handle(request, connection).await })
    });
    let mut http = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIME)
        .max_buf_size(HEADER_BUFFER)
        .serve_connection(TokioIo::new(stream), service);
    let ended = tokio::select! {
        _ = &mut http => true,
        () = connection.closing() => false,
    };
    if !ended {
        std::pin::Pin::new(&mut http).graceful_shutdown();
        let _ = (&mut http).await;
    }
    if connection.reset.load(Ordering::Relaxed) {
        // With no time to linger, closing sends a reset.
        let _ = http.into_parts().io.into_inner().set_zero_linger();
    }
}
