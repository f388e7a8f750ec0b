//! The simulated Amazon over real sockets: who may call, how fast, and what is answered.

mod bodies;
mod faults;
mod orders;

use std::time::Duration;

use serde_json::{Value, json};

use super::super::tests::exchange;
use super::super::{AmazonOptions, LedgerSnapshot, Options, Sandbox};

const AGENT: &str = "payables/0.1 (Language=Rust/1.95; Platform=Linux)";

/// A running sandbox, and a token for it.
struct Desk {
    sandbox: Sandbox,
    token: String,
}

/// An answer: its status, its headers in lower case, its body.
#[derive(Debug)]
struct Answer {
    status: u16,
    headers: String,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    fn codes(&self) -> Vec<String> {
        let errors = self.json()["errors"].as_array().cloned().unwrap_or_default();
        errors.iter().map(|error| error["code"].as_str().unwrap().to_owned()).collect()
    }

    fn has_rate(&self) -> bool {
        self.headers.contains("x-amzn-ratelimit-limit: 10.0\r\n")
    }

    fn has_request_id(&self) -> bool {
        self.headers.contains("x-amzn-requestid: ")
    }
}

impl Desk {
    async fn open(faults: &[&str]) -> Self {
        Self::with(faults, AmazonOptions::default()).await
    }

    async fn with(faults: &[&str], amazon: AmazonOptions) -> Self {
        let faults = faults.iter().map(|fault| fault.parse().unwrap()).collect();
        let sandbox = Sandbox::start(Options { faults, amazon, ..Options::default() }).await.unwrap();
        let mut desk = Self { sandbox, token: String::new() };
        desk.token = desk.refresh().await.json()["access_token"].as_str().unwrap_or_default().to_owned();
        desk
    }

    /// Asks for a token with these parameters instead of the right ones.
    async fn ask(&self, changes: &[(&str, &str)]) -> Answer {
        let ready = self.sandbox.ready().amazon;
        let mut form = vec![
            ("grant_type", "refresh_token"),
            ("client_id", &ready.client_id),
            ("client_secret", &ready.client_secret),
            ("refresh_token", &ready.refresh_token),
        ];
        for (name, value) in changes {
            form.retain(|(there, _)| there != name);
            form.push((name, value));
        }
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let content_type = "Content-Type: application/x-www-form-urlencoded;charset=UTF-8";
        self.send("POST /auth/o2/token", &[content_type], &body).await
    }

    async fn refresh(&self) -> Answer {
        self.ask(&[]).await
    }

    async fn submit(&self, body: &Value) -> Answer {
        self.post(&body.to_string()).await
    }

    async fn post(&self, body: &str) -> Answer {
        self.call("POST /vendor/payments/v1/invoices", &["Content-Type: application/json"], body).await
    }

    /// Submits an invoice, and gives back the name of its transaction.
    async fn take(&self, invoice: Value) -> String {
        let answer = self.submit(&json!({ "invoices": [invoice] })).await;
        assert_eq!(answer.status, 202, "{answer:?}");
        answer.json()["payload"]["transactionId"].as_str().unwrap().to_owned()
    }

    /// How a transaction stands, and the codes of its errors.
    async fn verdict(&self, id: &str) -> String {
        let answer = self.get(&format!("/vendor/transactions/v1/transactions/{id}")).await;
        let transaction = &answer.json()["payload"]["transactionStatus"];
        assert_eq!(transaction["transactionId"], id);
        let errors = transaction["errors"].as_array().cloned().unwrap_or_default();
        let codes: String = errors.iter().map(|error| format!(" {}", error["code"].as_str().unwrap())).collect();
        transaction["status"].as_str().unwrap().to_owned() + &codes
    }

    async fn get(&self, path: &str) -> Answer {
        self.call(&format!("GET {path}"), &[], "").await
    }

    /// A call with the headers that the vendor demands.
    async fn call(&self, line: &str, headers: &[&str], body: &str) -> Answer {
        let token = format!("x-amz-access-token: {}", self.token);
        let agent = format!("User-Agent: {AGENT}");
        let headers: Vec<&str> = [token.as_str(), agent.as_str()].into_iter().chain(headers.iter().copied()).collect();
        self.send(line, &headers, body).await
    }

    async fn send(&self, line: &str, headers: &[&str], body: &str) -> Answer {
        let (_, text) = exchange(&self.sandbox, request(line, headers, body), 8 << 20).await;
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, headers: head.to_lowercase() + "\r\n", body: body.to_owned() }
    }

    fn ledger(&self) -> LedgerSnapshot {
        self.sandbox.ledger()
    }
}

fn request(line: &str, headers: &[&str], body: &str) -> String {
    let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
    let length = body.len();
    format!("{line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n{body}")
}

/// A good invoice.
fn invoice(number: &str) -> Value {
    let address =
        json!({ "name": "N", "addressLine1": "1 Street", "city": "Seattle", "postalOrZipCode": "98109", "countryCode": "US" });
    json!({
        "invoiceType": "Invoice",
        "id": number,
        "date": "2026-01-31T00:00:00Z",
        "remitToParty": { "partyId": "ACME", "address": address },
        "billToParty": { "partyId": "AMAZONUS", "address": address },
        "invoiceTotal": { "currencyCode": "USD", "amount": "25.00" },
        "items": [{
            "itemSequenceNumber": 1,
            "amazonProductIdentifier": "B0SANDBX01",
            "invoicedQuantity": { "amount": 2, "unitOfMeasure": "Eaches" },
            "netCost": { "currencyCode": "USD", "amount": "12.50" },
            "purchaseOrderNumber": "SB1USA01",
        }],
    })
}

/// The invoice with a value at this path, or without it.
fn with(mut invoice: Value, path: &str, value: Option<Value>) -> Value {
    let (parent, name) = path.rsplit_once('/').unwrap();
    let parent = invoice.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    match value {
        Some(value) => parent.insert(name.to_owned(), value),
        None => parent.remove(name),
    };
    invoice
}

/// Limits that no test is to meet by chance.
fn unlimited() -> AmazonOptions {
    AmazonOptions { requests_per_second: 0, verdict_after_s: 0, ..AmazonOptions::default() }
}

#[tokio::test]
async fn an_invoice_is_taken_and_stays_in_processing() {
    let desk = Desk::open(&[]).await;
    let answer = desk.submit(&json!({ "invoices": [invoice("INV-1")] })).await;
    assert!(answer.status == 202 && answer.has_rate() && answer.has_request_id(), "{answer:?}");
    let id = answer.json()["payload"]["transactionId"].as_str().unwrap().to_owned();
    assert_eq!(desk.verdict(&id).await, "Processing");
    let encoded = desk.get(&format!("/vendor/transactions/v1/transactions/{}", id.replace('-', "%2D"))).await;
    assert!(encoded.status == 200 && encoded.has_rate(), "{encoded:?}");
    let ledger = desk.ledger();
    let record = &ledger.invoices["ACME/INV-1"];
    assert_eq!((record.writes, record.contents, record.failures), (1, 1, 0));
    assert_eq!((record.kind.as_str(), record.total.as_str(), record.currency.as_str()), ("Invoice", "25.00", "USD"));
    assert_eq!(record.transactions, [id]);
    assert_eq!((ledger.token_grants, ledger.submissions, ledger.polls, ledger.throttled), (1, 1, 2, 0));
    assert_eq!((ledger.requests, ledger.calls, ledger.most_submissions_at_once), (4, 0, 1));
    desk.sandbox.stop().await;
}

#[tokio::test]
async fn tokens_are_given_for_the_right_words_only() {
    let desk = Desk::open(&[]).await;
    let answer = desk.refresh().await;
    assert!(answer.status == 200 && answer.headers.contains("cache-control: no-store\r\n"), "{answer:?}");
    let given = answer.json();
    assert!(given["access_token"].as_str().unwrap().starts_with("Atza|"));
    assert_eq!((given["token_type"].as_str(), given["expires_in"].as_u64()), (Some("bearer"), Some(3_600)));
    assert_eq!(given["refresh_token"], desk.sandbox.ready().amazon.refresh_token);
    for (name, value, status, error) in [
        ("grant_type", "", 400, "invalid_request"),
        ("grant_type", "password", 400, "unsupported_grant_type"),
        ("grant_type", "client_credentials", 400, "unauthorized_client"),
        ("client_id", "somebody", 401, "invalid_client"),
        ("client_id", "", 400, "invalid_request"),
        ("client_secret", "guess", 401, "invalid_client"),
        ("refresh_token", "Atzr|other", 400, "invalid_grant"),
        ("refresh_token", "", 400, "invalid_request"),
    ] {
        let answer = desk.ask(&[(name, value)]).await;
        assert_eq!((answer.status, answer.json()["error"].as_str()), (status, Some(error)), "{name}={value}");
        assert!(answer.json()["error_description"].is_string());
    }
    let ready = desk.sandbox.ready().amazon;
    let words = json!({ "grant_type": "refresh_token", "client_id": ready.client_id, "client_secret": ready.client_secret, "refresh_token": ready.refresh_token });
    let json = async |body: String| desk.send("POST /auth/o2/token", &["Content-Type: application/json"], &body).await.status;
    assert_eq!(json(words.to_string()).await, 200);
    assert_eq!(json(words.to_string().replacen('{', "{\"grant_type\":\"refresh_token\",", 1)).await, 400);
    assert_eq!(json("[]".to_owned()).await, 400);
    assert_eq!(desk.send("POST /auth/o2/token", &["Content-Type: text/plain"], "a=b").await.status, 400);
    assert_eq!(desk.send("GET /auth/o2/token", &[], "").await.status, 405);
    assert_eq!(desk.ledger().token_grants, 3);
}

#[tokio::test]
async fn who_calls_and_how_is_checked_before_what_is_said() {
    let desk = Desk::with(&[], AmazonOptions { requests_per_second: 10, burst: 1_000, ..AmazonOptions::default() }).await;
    let body = json!({ "invoices": [invoice("INV-1")] }).to_string();
    let token = format!("x-amz-access-token: {}", desk.token);
    let agent = format!("User-Agent: {AGENT}");
    let long = format!("User-Agent: {AGENT}").replace("Linux", &"x".repeat(500));
    let json = "Content-Type: application/json";
    let post = "POST /vendor/payments/v1/invoices";
    for (line, headers, status, code, rate) in [
        (post, vec![&*agent, json], 403, "Unauthorized", false),
        (post, vec!["x-amz-access-token: Atza|guess", &agent, json], 403, "Unauthorized", false),
        (post, vec!["Authorization: Bearer x", &agent, json], 403, "Unauthorized", false),
        (post, vec![&token, json], 400, "InvalidInput", true),
        (post, vec![&token, "User-Agent: curl/8.0", json], 400, "InvalidInput", true),
        (post, vec![&token, "User-Agent: payables/0.1 (Platform=Linux)", json], 400, "InvalidInput", true),
        (post, vec![&token, &long, json], 400, "InvalidInput", true),
        (post, vec![&token, &agent], 415, "UnsupportedMediaType", false),
        (post, vec![&token, &agent, "Content-Type: text/json"], 415, "UnsupportedMediaType", false),
        (post, vec![&token, &agent, "Content-Type: application/json; charset=latin1"], 415, "UnsupportedMediaType", false),
        (post, vec![&token, &agent, json, "Content-Encoding: gzip"], 415, "UnsupportedMediaType", false),
        ("POST /vendor/payments/v1/invoices?marketplaceIds=A", vec![&token, &agent, json], 400, "InvalidInput", true),
        ("PUT /vendor/payments/v1/invoices", vec![&token, &agent, json], 405, "InvalidRequest", false),
        ("POST /vendor/payments/v1/Invoices", vec![&token, &agent, json], 404, "ResourceNotFound", true),
        ("GET /vendor/transactions/v1/transactions/", vec![&token, &agent], 404, "ResourceNotFound", true),
        ("GET /vendor/transactions/v1/transactionStatus/1", vec![&token, &agent], 404, "ResourceNotFound", true),
    ] {
        let answer = desk.send(line, &headers, &body).await;
        assert_eq!((answer.status, answer.codes()), (status, vec![code.to_owned()]), "{line} {headers:?}");
        assert!(answer.has_rate() == rate && answer.has_request_id(), "{line} {headers:?}: {answer:?}");
    }
    let charset = ["Content-Type: application/json; charset=UTF-8"];
    assert_eq!(desk.call(post, &charset, &body).await.status, 202);
    let poll = async |id: &str| desk.get(&format!("/vendor/transactions/v1/transactions/{id}")).await;
    let unknown = poll("20190904190535-eef8cad8-418e-4ed3-ac72-789e2ee6214a").await;
    assert_eq!((unknown.status, unknown.codes()), (404, vec!["ResourceNotFound".to_owned()]));
    for malformed in ["Tran0904190535-eef8cad8-418e-4ed3-ac72-789e2ee6214a", "1", "%zz"] {
        assert_eq!(poll(malformed).await.status, 400, "{malformed}");
    }
    assert_eq!(desk.ledger().invoices.len(), 1);
}

#[tokio::test]
async fn calls_that_come_too_fast_are_refused() {
    let desk = Desk::open(&[]).await;
    let body = json!({ "invoices": [invoice("INV-1")] }).to_string();
    let began = std::time::Instant::now();
    let answers = join((0..20).map(|_| Box::pin(desk.post(&body))).collect()).await;
    let refilled = 1 + began.elapsed().as_millis() / 100;
    let taken = answers.iter().filter(|answer| answer.status == 202).count();
    assert!(taken >= 10 && taken as u128 <= 10 + refilled, "{taken} in {refilled}");
    for refused in answers.iter().filter(|answer| answer.status != 202) {
        assert_eq!((refused.status, refused.codes()), (429, vec!["QuotaExceeded".to_owned()]));
        assert!(!refused.has_rate() && refused.has_request_id());
    }
    let ledger = desk.ledger();
    assert_eq!((ledger.submissions, ledger.throttled, ledger.invoices.len()), (20, 20 - taken as u64, 1));
    // Another operation has a bucket of its own.
    assert_eq!(desk.get("/vendor/transactions/v1/transactions/1").await.status, 400);
}

/// Waits for all of these at once.
async fn join<F: Future<Output = Answer> + Unpin>(mut calls: Vec<F>) -> Vec<Answer> {
    let mut answers = Vec::new();
    std::future::poll_fn(|context| {
        calls.retain_mut(|call| match std::pin::Pin::new(call).poll(context) {
            std::task::Poll::Ready(answer) => {
                answers.push(answer);
                false
            }
            std::task::Poll::Pending => true,
        });
        if calls.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    answers
}

#[tokio::test]
async fn a_token_expires_by_the_clock_of_the_sandbox() {
    let options = AmazonOptions { token_lifetime_s: 1_000, speed: 5_000, ..unlimited() };
    let desk = Desk::with(&[], options).await;
    let body = json!({ "invoices": [invoice("INV-1")] });
    tokio::time::sleep(Duration::from_millis(250)).await;
    let answer = desk.submit(&body).await;
    assert_eq!((answer.status, answer.json()["errors"][0]["details"].as_str()), (403, Some("The access token has expired.")));
    assert!(!answer.has_rate() && answer.has_request_id());
    // A quick client finds the next one good, on a machine that lets it be quick.
    let mut statuses = Vec::new();
    for _ in 0..20 {
        let token = desk.refresh().await.json()["access_token"].as_str().unwrap().to_owned();
        let headers = [format!("x-amz-access-token: {token}"), format!("User-Agent: {AGENT}")];
        let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
        let line = "GET /vendor/transactions/v1/transactions/1";
        statuses.push(desk.send(line, &headers, "").await.status);
        if statuses.ends_with(&[400]) {
            break;
        }
    }
    assert!(statuses.ends_with(&[400]), "{statuses:?}");
}
