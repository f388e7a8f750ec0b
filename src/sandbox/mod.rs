//! The vendors, simulated on loopback over real HTTP.
//!
//! The sandbox lets a newcomer see the main job run without an account, and lets tests see what
//! becomes of documents when a vendor or the network misbehaves. It reads the wire with code of its
//! own: nothing here knows the adapters, so that it can disagree with them. It checks keys, keeps a
//! ledger of what it took, answers for every document, and logs nothing.
//!
//! * `server` is the HTTP plumbing, `answer` the bodies that it sends, `gzip` one of their disguises;
//! * `fault` names what can go wrong, `script` decides when, `misbehave` does what needs no vendor;
//! * one folder a vendor: [`LedgerSnapshot`] is what they remember.

mod answer;
mod fault;
mod gzip;
mod ledger;
mod misbehave;
mod script;
mod server;
mod tipalti;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::http::StatusCode;
use hyper::{Request, Response};
use serde::Serialize;

pub use fault::{Applied, FAULTS, Fault, FaultError, FaultKind};
pub use ledger::{LedgerSnapshot, OrderRecord};

use answer::{Body, Cut, page};
use ledger::Ledger;
use script::Script;
use server::{Connection, Handler, Server};
use tipalti::Tipalti;

/// How a sandbox is set up.
#[derive(Clone)]
pub struct Options {
    /// The address to listen on, which must be loopback; port 0 picks a free one.
    pub listen: SocketAddr,
    /// The only payer that there is.
    pub payer_name: String,
    /// The payer's master key.
    pub master_key: String,
    /// The payees that exist; `None` stands for all that anyone may name.
    pub known_payees: Option<BTreeSet<String>>,
    /// What goes wrong.
    pub faults: Vec<Fault>,
    /// How many seconds a call's timestamp may be away from the sandbox's clock.
    pub timestamp_window_s: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            payer_name: "SandboxPayer".to_owned(),
            master_key: std::iter::repeat_with(fastrand::alphanumeric).take(64).collect(),
            known_payees: None,
            faults: Vec::new(),
            timestamp_window_s: 300,
        }
    }
}

/// Without the master key.
impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("listen", &self.listen)
            .field("payer_name", &self.payer_name)
            .field("known_payees", &self.known_payees)
            .field("faults", &self.faults)
            .field("timestamp_window_s", &self.timestamp_window_s)
            .finish_non_exhaustive()
    }
}

/// What a client must know to talk to a sandbox: the line that `payables sandbox` prints.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Ready {
    /// Tipalti's side.
    pub tipalti: TipaltiReady,
}

/// What a client must know to talk to the simulated Tipalti.
#[derive(Clone, Serialize)]
#[non_exhaustive]
pub struct TipaltiReady {
    /// Where calls are posted to.
    pub endpoint: String,
    /// The payer.
    pub payer_name: String,
    /// The payer's master key. It opens nothing but this sandbox.
    pub master_key: String,
}

/// Without the master key.
impl fmt::Debug for TipaltiReady {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TipaltiReady")
            .field("endpoint", &self.endpoint)
            .field("payer_name", &self.payer_name)
            .finish_non_exhaustive()
    }
}

/// The running simulation. Dropping it cuts all its connections; [`Sandbox::stop`] is kinder.
#[derive(Debug)]
pub struct Sandbox {
    server: Server,
    front: Arc<Front>,
}

impl Sandbox {
    /// Binds the address and serves on tasks of the current Tokio runtime.
    ///
    /// # Errors
    ///
    /// When the address is not loopback or cannot be bound.
    pub async fn start(options: Options) -> io::Result<Self> {
        let listen = options.listen;
        let front = Arc::new(Front::new(options));
        let server = Server::start(listen, Arc::clone(&front)).await?;
        Ok(Self { server, front })
    }

    /// The address that it listens on.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.server.addr()
    }

    /// What a client must know to talk to it.
    #[must_use]
    pub fn ready(&self) -> Ready {
        Ready { tipalti: self.front.tipalti.ready(self.addr()) }
    }

    /// What it has taken so far.
    #[must_use]
    pub fn ledger(&self) -> LedgerSnapshot {
        self.front.ledger.snapshot()
    }

    /// Takes no more connections, lets calls at work finish for a second, and closes the rest.
    pub async fn stop(self) {
        self.server.stop().await;
    }
}

/// Shows each request to the vendor whose path it names.
#[derive(Debug)]
struct Front {
    ledger: Arc<Ledger>,
    tipalti: Tipalti,
}

impl Front {
    fn new(options: Options) -> Self {
        let ledger = Arc::new(Ledger::new(options.known_payees));
        let script = Script::new(options.faults);
        let account = tipalti::Account {
            payer_name: options.payer_name,
            master_key: options.master_key,
            timestamp_window_s: options.timestamp_window_s,
        };
        let tipalti = Tipalti::new(account, script, Arc::clone(&ledger));
        Self { ledger, tipalti }
    }
}

impl Handler for Front {
    async fn handle(&self, request: Request<Incoming>, connection: Connection) -> Result<Response<Body>, Cut> {
        self.ledger.count_request();
        let path = request.uri().path();
        if Tipalti::serves(path) {
            return self.tipalti.answer(request, &connection).await;
        }
        if path.starts_with(misbehave::ELSEWHERE) {
            self.ledger.count_redirect();
        }
        Ok(page(StatusCode::NOT_FOUND, "Not Found", "The resource cannot be found."))
    }
}
