//! AWS Invoicing, simulated from the API's model: awsJson1.0, every request signed (`sign`) and of the right shape (`shape`),
//! `portals` and `units` keep what was set, `invoices` has a few to list.
//!
//! Where the real service is silent, this one is strict: members that it does not know are refused, a preference that is put is
//! replaced as a whole, and a ClientToken that comes again with another request is refused.

mod invoices;
mod portals;
mod refusal;
mod shape;
mod sign;
mod units;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hyper::body::Incoming;
use hyper::header::HOST;
use hyper::http::StatusCode;
use hyper::http::request::Parts;
use hyper::{Request, Response};
use serde_json::{Map, Value};
use xxhash_rust::xxh3::xxh3_64;

use self::portals::Portals;
use self::refusal::{Refusal, said};
use self::sign::Signed;
use self::units::Units;
use super::answer::{Body, Cut, page};
use super::fault::{Applied, Fault, FaultKind};
use super::misbehave::{self, Good};
use super::options::random;
use super::ready::AwsReady;
use super::script::Script;
use super::server::Connection;

const TARGET: &str = "x-amz-target";
const PREFIX: &str = "Invoicing.";
/// The account that everything belongs to.
const ACCOUNT: &str = "123456789012";

/// What an operation is given: its members.
type Asked = Map<String, Value>;
/// What it answers.
type Answer = Result<Value, Refusal>;

/// The simulated service.
pub(super) struct Aws {
    access_key: String,
    secret: String,
    /// What a portal would show to whoever has to prove that it is theirs.
    code: String,
    books: Mutex<Books>,
    script: Script,
}

/// Without the key, and without the secrets of the portals.
impl std::fmt::Debug for Aws {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Aws").field("access_key", &self.access_key).finish_non_exhaustive()
    }
}

/// A request that was read.
struct Heard {
    operation: String,
    head: Parts,
    body: Vec<u8>,
    /// How long questions are answered as before a change.
    lag: Duration,
}

/// When something is asked, and how.
struct Moment<'m> {
    now: i64,
    /// How long questions are answered as before a change.
    lag: Duration,
    /// How the client calls this machine.
    host: &'m str,
}

/// What was set.
#[derive(Default)]
struct Books {
    portals: Portals,
    units: Units,
    /// When something was changed last, and what was set before.
    before: Option<(Instant, Portals, Units)>,
    /// How often each operation that changes something did so.
    performed: BTreeMap<String, u64>,
    /// What was answered to requests with a ClientToken, with the operation and a digest of the request.
    answered: BTreeMap<String, (String, u64, Value)>,
}

impl Aws {
    pub(super) fn new(script: Script) -> Self {
        let upper = || fastrand::alphanumeric().to_ascii_uppercase();
        Self {
            access_key: random("AKIA", 16, upper),
            secret: random("", 40, fastrand::alphanumeric),
            code: random("", 6, || fastrand::digit(10)),
            books: Mutex::default(),
            script,
        }
    }

    pub(super) fn ready(&self, addr: SocketAddr) -> AwsReady {
        AwsReady {
            endpoint: format!("http://{addr}"),
            region: "us-east-1".to_owned(),
            access_key_id: self.access_key.clone(),
            secret_access_key: self.secret.clone(),
            validation_code: self.code.clone(),
        }
    }

    pub(super) fn performed(&self) -> BTreeMap<String, u64> {
        self.books().performed.clone()
    }

    /// Whether a request is for the service: all of them go to one path, but for documents.
    pub(super) fn serves(request: &Request<Incoming>) -> bool {
        request.headers().contains_key(TARGET) || request.uri().path().starts_with(invoices::PAPERS)
    }

    pub(super) async fn answer(
        self: &Arc<Self>,
        request: Request<Incoming>,
        connection: &Connection,
    ) -> Result<Response<Body>, Cut> {
        let (head, body) = request.into_parts();
        if self.script.cuts_before_the_body() {
            return Err(connection.reset());
        }
        let body = match connection.read(body).await {
            Ok(body) => body,
            Err(status) => return Ok(page(status, "Error", "The request could not be read.")),
        };
        if head.uri.path().starts_with(invoices::PAPERS) {
            return Ok(invoices::paper(head.uri.path()));
        }
        let target = head.headers.get(TARGET).and_then(|target| target.to_str().ok()).unwrap_or_default();
        let operation = target.strip_prefix(PREFIX).unwrap_or_default().to_owned();
        // A fault may be confined to an operation, as it may to a document elsewhere.
        let plan = self.script.plan(&[&operation]);
        if plan.delay > Duration::ZERO {
            tokio::time::sleep(plan.delay).await;
        }
        let lag = plan.shapes.iter().find(|fault| fault.kind == FaultKind::Stale);
        let lag = lag.map_or(Duration::ZERO, |fault| Duration::from_millis(fault.size.unwrap_or(1_000)));
        let asked = Heard { operation, head, body, lag };
        let Some(fault) = plan.ending else { return Ok(self.hear(&asked).unwrap_or_else(Response::from)) };
        if fault.kind == FaultKind::Late {
            self.hear_later(&fault, asked, connection);
            return Err(connection.reset());
        }
        let heard = match misbehave::applied(&fault) {
            Applied::No => Ok(said(StatusCode::OK, &Value::Object(Map::new()))),
            _ => self.hear(&asked),
        };
        match fault.kind {
            FaultKind::Http429 => return Ok(Refusal::throttled().into()),
            FaultKind::Http500Html | FaultKind::Http503 => return Ok(Refusal::broken().into()),
            _ => {}
        }
        let right = heard.unwrap_or_else(Response::from);
        let (status, mut body) = (right.status(), right.into_body());
        let good = Good { status, content_type: refusal::JSON, body: body.take_data(), path: "" };
        misbehave::end_json(&fault, good, connection).await
    }

    /// Checks who asks, and does what is asked.
    fn hear(&self, asked: &Heard) -> Result<Response<Body>, Refusal> {
        let Heard { operation, head, body, lag } = asked;
        let signed = Signed {
            method: head.method.as_str(),
            path: head.uri.path(),
            query: head.uri.query().unwrap_or_default(),
            headers: &head.headers,
        };
        let now = now();
        sign::check(&signed, body, &self.access_key, &self.secret, now).map_err(Refusal::denied)?;
        let host = head.headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        let value = self.perform(operation, body, &Moment { now, lag: *lag, host })?;
        Ok(said(StatusCode::OK, &value))
    }

    fn hear_later(self: &Arc<Self>, late: &Fault, asked: Heard, connection: &Connection) {
        let wait = Duration::from_millis(late.size.unwrap_or(1_000));
        let (aws, connection) = (Arc::clone(self), connection.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = connection.closing() => {}
                () = tokio::time::sleep(wait) => drop(aws.hear(&asked)),
            }
        });
    }

    fn perform(&self, operation: &str, body: &[u8], moment: &Moment<'_>) -> Answer {
        let Some(members) = shape::members(operation) else {
            return Err(Refusal::invalid("unknownOperation", "There is no such operation."));
        };
        let Ok(Value::Object(mut asked)) = serde_json::from_slice::<Value>(body) else {
            return Err(Refusal::invalid("cannotParse", "The body is no JSON object."));
        };
        let faults = shape::faults(members, &asked);
        if !faults.is_empty() {
            return Err(Refusal::fields(&faults));
        }
        // Two requests with one token come one after the other.
        let mut books = self.books();
        let Some(Value::String(token)) = asked.remove("ClientToken") else {
            return Self::act(operation, &asked, &mut books, moment, &self.code);
        };
        let digest = xxh3_64(Value::Object(asked.clone()).to_string().as_bytes());
        match books.answered.get(&token) {
            Some((same, seen, answer)) if same == operation && *seen == digest => Ok(answer.clone()),
            Some(_) => Err(Refusal::invalid("invalidInput", "The ClientToken was used for another request.")),
            None => {
                let before = (Instant::now(), books.portals.clone(), books.units.clone());
                let answer = Self::act(operation, &asked, &mut books, moment, &self.code)?;
                books.before = Some(before);
                *books.performed.entry(operation.to_owned()).or_default() += 1;
                books.answered.insert(token, (operation.to_owned(), digest, answer.clone()));
                Ok(answer)
            }
        }
    }

    fn act(operation: &str, asked: &Asked, books: &mut Books, moment: &Moment<'_>, code: &str) -> Answer {
        let now = moment.now;
        let is_question = ["Get", "List"].iter().any(|verb| operation.starts_with(verb));
        let Books { portals, units, before, .. } = books;
        let (portals, units) = match before {
            Some((when, portals, units)) if is_question && when.elapsed() < moment.lag => (portals, units),
            _ => (portals, units),
        };
        match operation {
            "CreateProcurementPortalPreference" => portals.create(asked, now),
            "GetProcurementPortalPreference" => portals.get(asked),
            "PutProcurementPortalPreference" => portals.put(asked, now),
            "UpdateProcurementPortalPreferenceStatus" => portals.set_status(asked, now),
            "DeleteProcurementPortalPreference" => portals.delete(asked),
            "ListProcurementPortalPreferences" => portals.list(asked),
            "SendProcurementPortalValidation" => portals.send_code(asked),
            "VerifyProcurementPortalValidation" => portals.verify(asked, code, now),
            "CreateInvoiceUnit" => units.create(asked, now),
            "GetInvoiceUnit" => units.get(asked),
            "UpdateInvoiceUnit" => units.update(asked, now),
            "DeleteInvoiceUnit" => units.delete(asked),
            "ListInvoiceUnits" => units.list(asked),
            "ListTagsForResource" | "TagResource" | "UntagResource" => {
                let arn = text(asked, "ResourceArn");
                let tags = portals.tags(arn).or_else(|| units.tags(arn)).ok_or_else(|| Refusal::missing(arn))?;
                tag(operation, asked, tags)
            }
            _ => invoices::answer(operation, asked, now, moment.host),
        }
    }

    fn books(&self) -> std::sync::MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tags of a resource, by name.
type Tags = BTreeMap<String, Value>;

fn tag(operation: &str, asked: &Asked, tags: &mut Tags) -> Answer {
    match operation {
        "TagResource" => tags.extend(read_tags(asked)),
        "UntagResource" => {
            let names = asked.get("ResourceTagKeys").and_then(Value::as_array).into_iter().flatten();
            names.filter_map(Value::as_str).for_each(|name| _ = tags.remove(name));
        }
        _ => {
            let list: Vec<Value> = tags.iter().map(|(name, value)| serde_json::json!({ "Key": name, "Value": value })).collect();
            return Ok(serde_json::json!({ "ResourceTags": list }));
        }
    }
    Ok(serde_json::json!({}))
}

fn read_tags(asked: &Asked) -> Tags {
    let list = asked.get("ResourceTags").and_then(Value::as_array).into_iter().flatten();
    list.filter_map(|tag| Some((tag.get("Key")?.as_str()?.to_owned(), tag.get("Value")?.clone()))).collect()
}

/// One page of a list, with the token of the next one.
fn one_page(asked: &Asked, name: &str, most: usize, all: Vec<Value>) -> Answer {
    let from = match asked.get("NextToken").and_then(Value::as_str) {
        None => 0,
        Some(token) => {
            let from = token.strip_prefix("page-").and_then(|place| place.parse().ok()).filter(|from| *from < all.len());
            from.ok_or_else(|| Refusal::invalid("invalidNextToken", "The NextToken is not one of this list."))?
        }
    };
    let size = asked.get("MaxResults").and_then(Value::as_u64).and_then(|size| usize::try_from(size).ok()).unwrap_or(most);
    let mut answer = Map::from_iter([(name.to_owned(), all.iter().skip(from).take(size).cloned().collect())]);
    if from + size < all.len() {
        answer.insert("NextToken".to_owned(), format!("page-{}", from + size).into());
    }
    Ok(answer.into())
}

fn text<'a>(asked: &'a Asked, name: &str) -> &'a str {
    asked.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}
