//! Amazon's Selling Partner API for vendors, simulated from what its documentation and its users tell:
//! `token` gives access tokens, `gate` and `quota` stand before everything else, `submit` takes
//! invoices by the shape of `schema` and the rules of `invoice`, `books` holds the transactions, and
//! `orders` the purchase orders.
//!
//! Like the real one it never says Success of an invoice: what is not a Failure stays in Processing.
//! Where the real service shrugs (members that it does not know, empty texts), this one refuses.

mod books;
mod clock;
mod gate;
mod invoice;
mod json;
mod orders;
mod quota;
mod reply;
mod schema;
mod submit;
mod token;

#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderValue};
use hyper::http::StatusCode;
use hyper::{Method, Request, Response};

use self::books::Books;
use self::clock::{Clock, is_transaction_id};
use self::orders::Catalogue;
use self::quota::{Operation, Quota};
use self::reply::{JSON, Refusal};
use self::token::{NoToken, Standing, Tokens};
use super::answer::{Body, Cut, page, response};
use super::fault::FaultKind;
use super::ledger::Ledger;
use super::options::AmazonOptions;
use super::ready::AmazonReady;
use super::script::Script;
use super::server::Connection;

const TOKEN: &str = "auth/o2/token";
const PAYMENTS: &str = "vendor/payments/v1/invoices";
const TRANSACTIONS: &str = "vendor/transactions/v1/transactions/";
const ORDERS: &str = "vendor/orders/v1/purchaseOrders";
const ORDERS_STATUS: &str = "vendor/orders/v1/purchaseOrdersStatus";

const EXPIRED: &str = "The access token has expired.";

/// The simulated service.
#[derive(Debug)]
pub(super) struct Amazon {
    tokens: Tokens,
    quota: Quota,
    clock: Arc<Clock>,
    books: Arc<Books>,
    catalogue: Catalogue,
    script: Script,
    ledger: Arc<Ledger>,
}

/// What a call asks for.
enum Call {
    Token,
    Submit,
    Transaction(String),
    Orders,
    Order(String),
    OrdersStatus,
}

impl Amazon {
    pub(super) fn new(options: AmazonOptions, script: Script, ledger: Arc<Ledger>) -> Self {
        let clock = Clock::new(options.speed);
        Self {
            tokens: Tokens::new(&options),
            quota: Quota::new(options.requests_per_second, options.burst),
            catalogue: Catalogue::new(clock.origin()),
            clock: Arc::new(clock),
            books: Arc::new(Books::new(options.verdict_after_s)),
            script,
            ledger,
        }
    }

    pub(super) fn ready(&self, addr: SocketAddr) -> AmazonReady {
        AmazonReady {
            endpoint: format!("http://{addr}"),
            token_endpoint: format!("http://{addr}/{TOKEN}"),
            client_id: self.tokens.client_id(),
            client_secret: self.tokens.client_secret(),
            refresh_token: self.tokens.refresh_token(),
        }
    }

    /// Whether the path is one of the service's, or looks like one.
    pub(super) fn serves(path: &str) -> bool {
        path.starts_with("/auth/") || path.starts_with("/vendor/")
    }

    pub(super) async fn answer(&self, request: Request<Incoming>, connection: &Connection) -> Result<Response<Body>, Cut> {
        let answer = match Call::of(request.method(), request.uri().path()) {
            Ok(Call::Token) => return self.token(request, connection).await,
            Ok(Call::Submit) => self.submit(request, connection).await?,
            Ok(Call::Transaction(id)) => self.transaction(&id, request.headers()),
            Ok(call) => self.orders(&call, &request).unwrap_or_else(Response::from),
            Err(refusal) => refusal.into(),
        };
        Ok(reply::with_headers(answer, self.quota.rate()))
    }

    async fn token(&self, request: Request<Incoming>, connection: &Connection) -> Result<Response<Body>, Cut> {
        let (head, body) = request.into_parts();
        let content_type = head.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let granted = match connection.read(body).await {
            Err(_) => Err(NoToken::InvalidRequest("The body was not read")),
            Ok(_) if self.script.strikes(FaultKind::TokenDown) => Err(NoToken::TemporarilyUnavailable),
            Ok(_) if self.script.strikes(FaultKind::InvalidClient) => Err(NoToken::InvalidClient),
            Ok(body) => self.tokens.grant(content_type, &body, self.clock.now()),
        };
        let (status, body) = match granted {
            Ok(body) => {
                self.ledger.count_token_grant();
                (StatusCode::OK, body)
            }
            Err(why) => (why.status(), why.body()),
        };
        let mut answer = response(status, JSON, reply::bytes_of(&body));
        answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Ok(answer)
    }

    /// Lets a call pass that has a good token, comes slowly enough and says who it is.
    fn admit(&self, operation: Operation, headers: &HeaderMap) -> Result<(), Refusal> {
        let Some(token) = headers.get("x-amz-access-token").and_then(|value| value.to_str().ok()) else {
            return Err(Refusal::unauthorized("The access token is missing in the request headers."));
        };
        match self.tokens.standing(token, self.clock.now()) {
            Standing::Good if self.script.strikes(FaultKind::TokenExpired) => return Err(Refusal::unauthorized(EXPIRED)),
            Standing::Good => {}
            Standing::Expired => return Err(Refusal::unauthorized(EXPIRED)),
            Standing::Unknown => return Err(Refusal::unauthorized("The access token is not valid.")),
        }
        if !self.quota.takes(operation) {
            self.ledger.count_throttled();
            let message = "The quota of this operation is used up.";
            return Err(Refusal::new(StatusCode::TOO_MANY_REQUESTS, "QuotaExceeded", message));
        }
        gate::check_user_agent(headers)
    }

    fn transaction(&self, id: &str, headers: &HeaderMap) -> Response<Body> {
        self.ledger.count_poll();
        if let Err(refusal) = self.admit(Operation::GetTransaction, headers) {
            return refusal.into();
        }
        let numbers = self.books.numbers(id).unwrap_or_default();
        let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
        if self.script.strikes(FaultKind::Poll500) || self.script.strikes_one_of(FaultKind::Poll500, &numbers) {
            return page(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error", "The server met an unexpected condition.");
        }
        if self.script.strikes_one_of(FaultKind::TokenExpired, &numbers) {
            return Refusal::unauthorized(EXPIRED).into();
        }
        if !is_transaction_id(id) {
            return Refusal::input("Invalid transmission ID.").into();
        }
        match self.books.status(id, self.clock.now()) {
            Some(status) => reply::payload(&status),
            None => Refusal::new(StatusCode::NOT_FOUND, "ResourceNotFound", "There is no such transaction.").into(),
        }
    }

    fn orders(&self, call: &Call, request: &Request<Incoming>) -> Result<Response<Body>, Refusal> {
        let (query, now) = (request.uri().query().unwrap_or_default(), self.clock.now());
        let operation = match call {
            Call::Order(_) => Operation::GetPurchaseOrder,
            Call::OrdersStatus => Operation::GetPurchaseOrdersStatus,
            _ => Operation::GetPurchaseOrders,
        };
        self.admit(operation, request.headers())?;
        let payload = match call {
            Call::Order(number) => self.catalogue.order(number, query)?,
            Call::OrdersStatus => self.catalogue.statuses(query, now)?,
            _ => self.catalogue.orders(query, now)?,
        };
        Ok(reply::payload(&payload))
    }
}

impl Call {
    /// What the path means; paths are told apart by case, unlike those of other vendors.
    fn of(method: &Method, path: &str) -> Result<Self, Refusal> {
        let path = path.strip_prefix('/').unwrap_or(path);
        let part = |prefix: &str| {
            let rest = path.strip_prefix(prefix).filter(|rest| !rest.is_empty() && !rest.contains('/'))?;
            Some(gate::decode(rest).ok_or_else(|| Refusal::input("The address is not encoded rightly.")))
        };
        let call = match path {
            TOKEN => Self::Token,
            PAYMENTS => Self::Submit,
            ORDERS => Self::Orders,
            ORDERS_STATUS => Self::OrdersStatus,
            _ => match (part(TRANSACTIONS), part(&format!("{ORDERS}/"))) {
                (Some(id), _) => Self::Transaction(id?),
                (_, Some(number)) => Self::Order(number?),
                _ => return Err(Refusal::new(StatusCode::NOT_FOUND, "ResourceNotFound", "There is nothing at this path.")),
            },
        };
        let expected = if matches!(call, Self::Token | Self::Submit) { Method::POST } else { Method::GET };
        if *method == expected {
            return Ok(call);
        }
        let (status, code) = (StatusCode::METHOD_NOT_ALLOWED, "InvalidRequest");
        Err(Refusal::new(status, code, format!("The method {method} is not allowed here.")))
    }
}
