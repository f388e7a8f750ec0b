//! `submitInvoices`: reads and judges a body, applies it as far as the plan lets it, and answers, or
//! spoils the answer.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::http::StatusCode;
use hyper::{Request, Response};
use serde_json::json;

use super::super::answer::{Body, Cut, response};
use super::super::fault::{Applied, Fault, FaultKind};
use super::super::misbehave::{self, Good};
use super::super::script::Plan;
use super::super::server::Connection;
use super::books::Verdict;
use super::invoice::{self, Invoice};
use super::quota::Operation;
use super::reply::{JSON, Problem, Refusal, bytes_of};
use super::{Amazon, PAYMENTS, gate, json as strict, schema};

/// How often the vendor repeats the error that says nothing.
const REPEATED: usize = 6;

impl Amazon {
    pub(super) async fn submit(&self, request: Request<Incoming>, connection: &Connection) -> Result<Response<Body>, Cut> {
        let _at_work = self.ledger.count_submission();
        if self.script.cuts_before_the_body() {
            return Err(connection.reset());
        }
        let admitted = self
            .admit(Operation::SubmitInvoices, request.headers())
            .and_then(|()| gate::check_media_type(request.headers()))
            .and_then(|()| match request.uri().query() {
                None => Ok(()),
                Some(_) => Err(Refusal::input("The operation takes no parameters in its address.")),
            });
        // Whoever refuses before it has read may be heard by nobody: the client is still writing.
        let body = match connection.read(request.into_body()).await {
            Ok(body) => body,
            Err(status) => return Ok(Refusal::new(status, "InvalidInput", "The request body was not read.").into()),
        };
        if let Err(refusal) = admitted {
            return Ok(refusal.into());
        }
        let (plan, verdict) = self.judge(&body, connection);
        drop(body);
        if !plan.delay.is_zero() {
            tokio::time::sleep(plan.delay).await;
        }
        end(&plan, verdict, connection).await
    }

    /// Reads a call, decides what goes wrong with it, and applies it as far as that lets it. The
    /// verdict is the transaction's name.
    fn judge(&self, body: &[u8], connection: &Connection) -> (Plan, Result<String, Refusal>) {
        let now = self.clock.now();
        let invoices = strict::read(body).map_err(Refusal::input).and_then(|body| {
            schema::check(&body)?;
            Ok(invoice::read(&body, now))
        });
        let invoices = match invoices {
            Ok(invoices) => invoices,
            Err(refusal) => return (self.script.plan(&[]), Err(refusal)),
        };
        let numbers: Vec<&str> = invoices.iter().map(|invoice| invoice.number.as_str()).collect();
        if self.script.strikes_one_of(FaultKind::TokenExpired, &numbers) {
            return (Plan::default(), Err(Refusal::unauthorized(super::EXPIRED)));
        }
        let plan = self.script.plan(&numbers);
        let id = self.clock.transaction_id();
        let wanted = wanted_verdict(&plan);
        if let Some(late) = plan.ending.as_ref().filter(|fault| fault.kind == FaultKind::Late) {
            self.enter_later(late, id.clone(), invoices, wanted, connection);
        } else {
            let part = part(&invoices, plan.ending.as_ref().map(misbehave::applied));
            if !part.is_empty() {
                self.books.enter(&id, part, wanted, now, &self.ledger);
            }
        }
        (plan, Ok(id))
    }

    fn enter_later(&self, late: &Fault, id: String, invoices: Vec<Invoice>, wanted: Option<Verdict>, connection: &Connection) {
        let wait = Duration::from_millis(late.size.unwrap_or(1_000));
        let (books, clock, ledger) = (Arc::clone(&self.books), Arc::clone(&self.clock), Arc::clone(&self.ledger));
        let connection = connection.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = connection.closing() => {}
                () = tokio::time::sleep(wait) => books.enter(&id, &invoices, wanted, clock.now(), &ledger),
            }
        });
    }
}

/// The part of the invoices that a fault lets through.
fn part(invoices: &[Invoice], applied: Option<Applied>) -> &[Invoice] {
    let count = match applied {
        None | Some(Applied::Yes) => invoices.len(),
        Some(Applied::Half) => invoices.len().div_ceil(2),
        Some(Applied::No) => 0,
    };
    invoices.get(..count).unwrap_or_default()
}

/// The verdict that a fault asks for, whatever the invoices are like.
fn wanted_verdict(plan: &Plan) -> Option<Verdict> {
    plan.shapes.iter().find_map(|fault| match fault.kind {
        FaultKind::TransactionFailure => {
            let code = fault.code.as_deref().unwrap_or("NotAvailable");
            let problem = Problem::new(code, "Error details are not available. The input payload has to be valid.");
            Some(Verdict::Failure(vec![problem; REPEATED]))
        }
        FaultKind::TransactionSuccess => Some(Verdict::Success),
        _ => None,
    })
}

/// Puts the verdict on the wire, or what the plan makes of it.
async fn end(plan: &Plan, verdict: Result<String, Refusal>, connection: &Connection) -> Result<Response<Body>, Cut> {
    let (status, body) = match &verdict {
        Ok(id) => (StatusCode::ACCEPTED, bytes_of(&json!({ "payload": { "transactionId": id } }))),
        Err(refusal) => (refusal.status, refusal.body()),
    };
    let good = Good { status, content_type: JSON, body, path: PAYMENTS };
    let Some(fault) = &plan.ending else { return Ok(good.into()) };
    match fault.kind {
        FaultKind::NoTransaction if verdict.is_ok() => Ok(response(status, JSON, Bytes::from_static(br#"{"payload":{}}"#))),
        _ => misbehave::end_json(fault, good, connection).await,
    }
}
