//! The vendors, simulated on loopback over real HTTP.
//!
//! The sandbox lets a newcomer see the main job run without an account, and lets tests see what
//! becomes of documents when a vendor or the network misbehaves. It reads the wire with code of its
//! own: nothing here knows the adapters, so that it can disagree with them. It checks keys and tokens,
//! keeps a ledger of what it took, answers for every document, and logs nothing.
//!
//! * `server` is the HTTP plumbing, `answer` the bodies that it sends, `gzip` one of their disguises;
//! * `fault` names what can go wrong, `script` decides when, `misbehave` does what needs no vendor;
//! * one folder a vendor: [`LedgerSnapshot`] is what they remember.

mod amazon;
mod answer;
mod aws;
mod fault;
mod gzip;
mod ledger;
mod misbehave;
mod options;
mod ready;
mod script;
mod server;
mod tipalti;

#[cfg(test)]
mod tests;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::http::StatusCode;
use hyper::{Request, Response};

pub use fault::{Applied, FAULTS, Fault, FaultError, FaultKind};
pub use ledger::{InvoiceRecord, LedgerSnapshot, OrderRecord};
pub use options::{AmazonOptions, Options};
pub use ready::{AmazonReady, AwsReady, Ready, TipaltiReady};

use amazon::Amazon;
use answer::{Body, Cut, page};
use aws::Aws;
use fault::Party;
use ledger::Ledger;
use script::Script;
use server::{Connection, Handler, Server};
use tipalti::Tipalti;

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
        let addr = self.addr();
        let Front { tipalti, amazon, aws, .. } = &*self.front;
        Ready { tipalti: tipalti.ready(addr), amazon: amazon.ready(addr), aws: aws.ready(addr) }
    }

    /// What it has taken so far.
    #[must_use]
    pub fn ledger(&self) -> LedgerSnapshot {
        self.front.ledger.snapshot()
    }

    /// How often each operation of AWS Invoicing that changes something with a ClientToken did so. What came again with its
    /// token is not counted.
    #[must_use]
    pub fn aws_performed(&self) -> std::collections::BTreeMap<String, u64> {
        self.front.aws.performed()
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
    amazon: Amazon,
    aws: Arc<Aws>,
}

impl Front {
    fn new(options: Options) -> Self {
        let ledger = Arc::new(Ledger::new(options.known_payees));
        let account = tipalti::Account {
            payer_name: options.payer_name,
            master_key: options.master_key,
            timestamp_window_s: options.timestamp_window_s,
        };
        let script = |vendor| Script::new(&options.faults, vendor);
        let tipalti = Tipalti::new(account, script(Party::Tipalti), Arc::clone(&ledger));
        let amazon = Amazon::new(options.amazon, script(Party::Amazon), Arc::clone(&ledger));
        let aws = Arc::new(Aws::new(script(Party::Aws)));
        Self { ledger, tipalti, amazon, aws }
    }
}

impl Handler for Front {
    async fn handle(&self, request: Request<Incoming>, connection: Connection) -> Result<Response<Body>, Cut> {
        self.ledger.count_request();
        let path = request.uri().path();
        if Tipalti::serves(path) {
            return self.tipalti.answer(request, &connection).await;
        }
        if Amazon::serves(path) {
            return self.amazon.answer(request, &connection).await;
        }
        if Aws::serves(&request) {
            return self.aws.answer(request, &connection).await;
        }
        if path.starts_with(misbehave::ELSEWHERE) {
            self.ledger.count_redirect();
        }
        Ok(page(StatusCode::NOT_FOUND, "Not Found", "The resource cannot be found."))
    }
}
