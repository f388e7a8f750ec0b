//! The misbehaviours that speak the vendor's own format: rows that go astray, SOAP faults, and answers
//! that are a danger to whoever reads them.

use bytes::Bytes;
use hyper::Response;
use hyper::http::StatusCode;

use super::super::answer::{Body, Part, response};
use super::super::fault::{Fault, FaultKind};
use super::super::misbehave::CHUNK;
use super::super::script::Plan;
use super::CONTENT_TYPE;
use super::reply::{self, Answer, Dress, Outcome, Row, Succeeded};

/// Changes the rows as the plan wants it.
pub(super) fn distort(outcome: &mut Outcome, plan: &Plan) {
    let Some(rows) = outcome.rows.take() else { return };
    if plan.has(FaultKind::NoRows) {
        return;
    }
    let mut distorted = Vec::with_capacity(rows.len());
    for row in rows {
        let strikes = |kind| plan.shapes(kind, row.number.as_deref());
        if strikes(FaultKind::DoubleRows) {
            distorted.push(row.clone());
        }
        let opposite = strikes(FaultKind::ContradictRows).then(|| opposite(&row));
        let succeeded = match row.succeeded {
            _ if strikes(FaultKind::SucceededMissing) => Succeeded::Missing,
            _ if strikes(FaultKind::WrongTypes) => Succeeded::Nonsense,
            succeeded => succeeded,
        };
        distorted.push(Row { succeeded, ..row });
        distorted.extend(opposite);
    }
    for fault in &plan.shapes {
        if matches!(fault.kind, FaultKind::DropRows | FaultKind::LostRow) {
            drop_row(&mut distorted, fault);
        }
    }
    if plan.has(FaultKind::ReorderRows) {
        distorted.reverse();
    }
    if plan.has(FaultKind::UnknownRow) {
        distorted.push(stray());
    }
    outcome.rows = Some(distorted);
}

fn opposite(row: &Row) -> Row {
    let failed = row.succeeded == Succeeded::False;
    Row {
        number: row.number.clone(),
        succeeded: if failed { Succeeded::True } else { Succeeded::False },
        problem: (!failed).then(|| "The order could not be saved.".to_owned()),
    }
}

/// A row for an order that nobody sent.
fn stray() -> Row {
    let number = Some("SANDBOX-NOT-SENT".to_owned());
    Row { number, succeeded: Succeeded::True, problem: None }
}

fn drop_row(rows: &mut Vec<Row>, fault: &Fault) {
    match &fault.number {
        Some(number) => rows.retain(|row| row.number.as_ref() != Some(number)),
        None => drop(rows.pop()),
    }
}

/// How the answer is dressed under this plan.
pub(super) fn dress(plan: &Plan) -> Dress {
    let mut dress = Dress::default();
    if plan.has(FaultKind::Soap12Prefix) {
        dress.prefix = "soap12";
    }
    if plan.has(FaultKind::WrongNamespace) {
        dress.namespace = "http://tipalti.example/";
    }
    dress.all_nil = plan.has(FaultKind::Nil);
    dress
}

/// The answer to a whole call that fails, with the vendor's own slip of the pen.
pub(super) fn call_error(fault: &Fault) -> Outcome {
    let code = fault.code.as_deref().unwrap_or("UnknownError");
    let message = match code {
        "OK" => "OK",
        "UnknownError" => "Internal server errror",
        _ => "The call failed as a whole.",
    };
    Outcome::failed(code, message)
}

/// Replaces the answer by one of this file's, or gives it back when the fault is of another sort.
pub(super) fn end(fault: &Fault, answer: Answer) -> Result<Response<Body>, Answer> {
    let size = fault.size;
    let answer = match fault.kind {
        FaultKind::SoapFaultSender => {
            let why = "Server was unable to read request. ---> Wanted by the sandbox.";
            soap(StatusCode::BAD_REQUEST, Bytes::from(reply::fault("Sender", why)))
        }
        FaultKind::SoapFaultServer => {
            let why = "Server was unable to process request. ---> Wanted by the sandbox.";
            soap(StatusCode::INTERNAL_SERVER_ERROR, Bytes::from(reply::fault("Receiver", why)))
        }
        FaultKind::Soap11Fault => response(StatusCode::INTERNAL_SERVER_ERROR, "text/xml; charset=utf-8", soap11_fault()),
        FaultKind::EntityBomb => soap(StatusCode::OK, entity_bomb()),
        FaultKind::DeepXml => soap(StatusCode::OK, deep(size.unwrap_or(1_000_000))),
        FaultKind::HugeBody => {
            let bytes = size.unwrap_or(100).saturating_mul(1 << 20);
            let filler = Part::Repeat(Bytes::from(vec![b'x'; CHUNK]), bytes);
            let rest = answer.middle + &answer.tail;
            soap(StatusCode::OK, Body::new([Part::Data(answer.head.into()), filler, Part::Data(rest.into())]))
        }
        FaultKind::Endless => {
            let rows = reply::row(&stray()).repeat(200);
            let start = Part::Data((answer.head + &answer.middle).into());
            soap(StatusCode::OK, Body::new([start, Part::Forever(rows.into())]))
        }
        _ => return Err(answer),
    };
    Ok(answer)
}

/// A response in SOAP 1.2.
pub(super) fn soap(status: StatusCode, body: impl Into<Body>) -> Response<Body> {
    response(status, CONTENT_TYPE, body)
}

fn soap11_fault() -> Bytes {
    Bytes::from_static(
        b"<?xml version=\"1.0\" encoding=\"utf-8\"?>\
          <soap:Envelope xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\"><soap:Body>\
          <soap:Fault><faultcode>soap:Client</faultcode>\
          <faultstring>Server was unable to read request. ---&gt; Wanted by the sandbox.</faultstring>\
          <detail /></soap:Fault></soap:Body></soap:Envelope>",
    )
}

/// Ten entities, each ten times the one before: ten gigabytes for a reader that believes them.
fn entity_bomb() -> Bytes {
    let entities: String = (1..10)
        .map(|level| {
            let ten = format!("&e{};", level - 1).repeat(10);
            format!("<!ENTITY e{level} \"{ten}\">")
        })
        .collect();
    let answer = reply::answer(&Outcome::failed("OK", "@"), Dress::default());
    let text = (answer.head + &answer.middle + &answer.tail).replacen('@', "&e9;", 1);
    let doctype = format!("?><!DOCTYPE bomb [<!ENTITY e0 \"xxxxxxxxxx\">{entities}]>");
    Bytes::from(text.replacen("?>", &doctype, 1))
}

fn deep(depth: u64) -> Body {
    let level = |tag: &'static str| {
        let bytes = depth.saturating_mul(tag.len() as u64);
        Part::Repeat(Bytes::from(tag.repeat(CHUNK / tag.len())), bytes)
    };
    Body::new([Part::Data(reply::opening("soap").into()), level("<a>"), level("</a>"), Part::Data(reply::closing("soap").into())])
}
