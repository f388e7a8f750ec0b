//! Tipalti's `CreateOrUpdatePurchaseOrders`, simulated from what its documentation and its clients
//! tell: `xml` and `call` read a request by the tables of `schema` and `value`, `check` judges the
//! orders, `reply` writes the answer and `ending` spoils it.
//!
//! Where the real service shrugs (elements that it does not know, or out of order), this one refuses,
//! so that a slip shows here and not in someone's books.

mod call;
mod check;
mod ending;
mod reply;
mod schema;
mod service;
mod value;
mod xml;

#[cfg(test)]
pub(super) mod tests;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::header::{ALLOW, CONTENT_ENCODING, HeaderMap, HeaderValue};
use hyper::http::StatusCode;
use hyper::{Method, Request, Response};

use self::check::Order;
use self::reply::{Answer, Outcome};
use self::service::Settled;
use self::xml::Refusal;
use super::TipaltiReady;
use super::answer::{Body, Cut, page};
use super::fault::{Fault, FaultKind};
use super::ledger::Ledger;
use super::misbehave::{self, Good};
use super::script::{Plan, Script};
use super::server::Connection;

pub(super) use self::service::Account;

const CONTENT_TYPE: &str = "application/soap+xml; charset=utf-8";

/// The simulated service.
#[derive(Debug)]
pub(super) struct Tipalti {
    account: Account,
    script: Script,
    ledger: Arc<Ledger>,
}

impl Tipalti {
    pub(super) fn new(account: Account, script: Script, ledger: Arc<Ledger>) -> Self {
        Self { account, script, ledger }
    }

    pub(super) fn ready(&self, addr: SocketAddr) -> TipaltiReady {
        TipaltiReady {
            endpoint: format!("http://{addr}/v6/payerfunctions.asmx"),
            payer_name: self.account.payer_name.clone(),
            master_key: self.account.master_key.clone(),
        }
    }

    /// Whether the path is that of the service, in any version and any case.
    pub(super) fn serves(path: &str) -> bool {
        let path = path.to_ascii_lowercase();
        let version = path.strip_prefix("/v").and_then(|rest| rest.strip_suffix("/payerfunctions.asmx"));
        version.is_some_and(|version| !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit()))
    }

    pub(super) async fn answer(&self, request: Request<Incoming>, connection: &Connection) -> Result<Response<Body>, Cut> {
        match *request.method() {
            Method::POST => self.call(request, connection).await,
            Method::GET | Method::HEAD => Ok(page(
                StatusCode::OK,
                "TipaltiPayerSOAP (sandbox)",
                "The following operations are supported: CreateOrUpdatePurchaseOrders",
            )),
            _ => {
                let mut answer = page(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed", "");
                answer.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD, POST"));
                Ok(answer)
            }
        }
    }

    async fn call(&self, request: Request<Incoming>, connection: &Connection) -> Result<Response<Body>, Cut> {
        let _at_work = self.ledger.count_call();
        if self.script.cuts_before_the_body() {
            return Err(connection.reset());
        }
        if !is_soap12(request.headers()) {
            return Ok(page(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "Unsupported Media Type",
                "The content type must be 'application/soap+xml; charset=utf-8'.",
            ));
        }
        let body = match connection.read(request.into_body()).await {
            Ok(body) => body,
            Err(status) => return Ok(page(status, "The request was not read", status.as_str())),
        };
        let (plan, verdict) = self.judge(&body, connection);
        // A slow answer need not hold on to the question.
        drop(body);
        if !plan.delay.is_zero() {
            tokio::time::sleep(plan.delay).await;
        }
        end(&plan, verdict, connection).await
    }

    /// Reads a call, decides what goes wrong with it, and applies it as far as that lets it.
    fn judge(&self, body: &[u8], connection: &Connection) -> (Plan, Result<Outcome, Refusal>) {
        let call = match call::read(body) {
            Ok(call) => call,
            Err(refusal) => return (self.script.plan(&[]), Err(refusal)),
        };
        let numbers: Vec<&str> = call.orders.iter().filter_map(|order| order.number.as_deref()).collect();
        let plan = self.script.plan(&numbers);
        let Settled { outcome, accepted } = self.account.settle(&call, &plan);
        if let Some(late) = plan.ending.as_ref().filter(|fault| fault.kind == FaultKind::Late) {
            self.write_later(late, accepted, connection);
        } else {
            let applied = plan.ending.as_ref().map(misbehave::applied);
            service::write(&self.ledger, service::part(&accepted, applied));
        }
        (plan, Ok(outcome))
    }

    fn write_later(&self, late: &Fault, accepted: Vec<&Order>, connection: &Connection) {
        let accepted: Vec<Order> = accepted.into_iter().cloned().collect();
        let wait = Duration::from_millis(late.size.unwrap_or(1_000));
        let (ledger, connection) = (Arc::clone(&self.ledger), connection.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = connection.closing() => {}
                () = tokio::time::sleep(wait) => service::write(&ledger, &accepted),
            }
        });
    }
}

/// Puts the verdict on the wire, or what the plan makes of it.
async fn end(plan: &Plan, verdict: Result<Outcome, Refusal>, connection: &Connection) -> Result<Response<Body>, Cut> {
    let (status, answer) = match verdict {
        Ok(mut outcome) => {
            if let Some(error) = plan.ending.as_ref().filter(|f| f.kind == FaultKind::CallError) {
                outcome = ending::call_error(error);
            }
            ending::distort(&mut outcome, plan);
            (StatusCode::OK, reply::answer(&outcome, ending::dress(plan)))
        }
        Err(refusal) => {
            let status = match refusal {
                Refusal::Sender(_) => StatusCode::BAD_REQUEST,
                _ => StatusCode::INTERNAL_SERVER_ERROR,
            };
            (status, Answer::whole(reply::refusal(&refusal)))
        }
    };
    let Some(fault) = &plan.ending else { return Ok(ending::soap(status, Bytes::from(answer))) };
    match ending::end(fault, answer) {
        Ok(answer) => Ok(answer),
        Err(answer) => {
            let good = Good { status, content_type: CONTENT_TYPE, body: answer.into(), path: "payerfunctions.asmx" };
            misbehave::end(fault, good, connection).await
        }
    }
}

/// Whether the headers announce an uncompressed SOAP 1.2 message in UTF-8.
fn is_soap12(headers: &HeaderMap) -> bool {
    let text = |value: &HeaderValue| value.to_str().map(str::to_ascii_lowercase).unwrap_or_default();
    let encoding = headers.get(CONTENT_ENCODING).map(text);
    if encoding.is_some_and(|encoding| encoding != "identity") {
        return false;
    }
    let Some(content_type) = headers.get(hyper::header::CONTENT_TYPE).map(text) else {
        return false;
    };
    let mut parts = content_type.split(';').map(str::trim);
    let media_type = parts.next() == Some("application/soap+xml");
    let charset = parts.find_map(|part| part.strip_prefix("charset="));
    media_type && charset.is_some_and(|charset| charset.trim_matches('"') == "utf-8")
}
