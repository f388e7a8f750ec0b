//! Orders that Amazon has for a vendor: fetched over real sockets from the simulated one, and through every setback from one
//! that plays by a script.

use std::collections::{BTreeMap, VecDeque};
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use payables_bridge::adapter::{Fetched, Payees, Span, Wanted, When};
use payables_bridge::bridge::{Bridge, BridgeBuilder, FetchError, Form, Translator};
use payables_bridge::intake::Input;
use payables_bridge::outcome::{Exit, Outcome};
use payables_bridge::sandbox::{AmazonOptions, Options, Sandbox};
use payables_bridge::transport::{Http, Permit, Sending, Transport};
use payables_bridge::vendors::amazon::Amazon;
use payables_bridge::vendors::{Settings, VendorKind};
use payables_bridge::wire::{Credentials, Secret, SendError, WireRequest, WireResponse};
use serde_json::{Value, json};

use crate::support::{payables, run};

const DAY: Duration = Duration::from_secs(86_400);

/// The orders of the last month.
fn month() -> Wanted {
    Wanted::Placed(Span { since: When::Ago(30 * DAY), until: None })
}

async fn fetch(builder: BridgeBuilder, wanted: &Wanted, form: Form) -> (Vec<Fetched>, Result<(), FetchError>) {
    let mut all = Vec::new();
    let fetcher = builder.seed(7).fetcher().unwrap();
    let mut take = |fetched| {
        all.push(fetched);
        ControlFlow::Continue(())
    };
    let ended = fetcher.fetch(wanted, form, &mut take).await;
    (all, ended)
}

/// Asks for pages of two where the adapter asks for a hundred, so that a dozen orders have several.
struct SmallPages(Http, Arc<Mutex<Vec<String>>>);

impl Transport for SmallPages {
    fn send(&self, mut request: WireRequest, permit: Permit) -> Sending<'_> {
        request.url = request.url.replace("limit=100", "limit=2");
        self.1.lock().unwrap().push(request.url.clone());
        self.0.send(request, permit)
    }
}

/// The simulated Amazon, and the questions that it was asked.
async fn sandbox() -> (Sandbox, BridgeBuilder, Arc<Mutex<Vec<String>>>) {
    let amazon = AmazonOptions { speed: 1000, requests_per_second: 0, ..AmazonOptions::default() };
    let sandbox = Sandbox::start(Options { amazon, ..Options::default() }).await.unwrap();
    let said = serde_json::to_value(sandbox.ready()).unwrap()["amazon-vendor"].clone();
    let says = |name: &str| said[name].as_str().unwrap().to_owned();
    let settings = Settings::of(VendorKind::AmazonVendor).unwrap();
    let parts = settings.connection().secrets.into_iter().map(|(part, _)| (part, Secret::new(says(part))));
    let asked = Arc::new(Mutex::new(Vec::new()));
    let transport = SmallPages(Http::without_tls(Duration::from_secs(15)).unwrap(), Arc::clone(&asked));
    let builder = Bridge::builder()
        .vendor(settings.vendor().simulated(&says).into_submit())
        .credentials(Credentials::new(parts))
        .transport(Arc::new(transport))
        .pace(0, 1);
    (sandbox, builder, asked)
}

fn by_number(all: Vec<Fetched>) -> BTreeMap<String, Fetched> {
    let count = all.len();
    let by_number: BTreeMap<_, _> = all.into_iter().map(|fetched| (fetched.number.clone().unwrap(), fetched)).collect();
    assert_eq!(by_number.len(), count, "each once");
    by_number
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_order_of_a_month_comes_once_through_all_pages_and_weeks() {
    let (sandbox, builder, asked) = sandbox().await;
    let (all, ended) = fetch(builder, &month(), Form::Orders).await;
    assert_eq!(ended, Ok(()));
    let all = by_number(all);
    let numbers: Vec<&str> = all.keys().map(String::as_str).collect();
    let expected = "SB1CAN01 SB1DEU01 SB1DEU02 SB1FRA01 SB1GBR01 SB1IND01 SB1JPN01 SB1USA01 SB1USA02 SB1USA03 SB1USA04 SB1USA05";
    assert_eq!(numbers, expected.split(' ').collect::<Vec<_>>());
    let asked = asked.lock().unwrap().clone();
    assert!(asked.iter().filter(|url| url.contains("createdAfter=")).count() >= 5 + 2, "{asked:#?}");
    assert!(asked.iter().any(|url| url.contains("&nextToken=2%2B%2F")), "{asked:#?}");
    for fetched in all.values() {
        // What is printed is what is read again.
        let text = serde_json::to_string(fetched.document.as_ref().unwrap()).unwrap();
        assert_eq!(payables_bridge::model::read(&text).as_ref().ok(), fetched.document.as_ref());
    }
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_draft_that_is_filled_in_is_an_invoice() {
    let (sandbox, builder, _) = sandbox().await;
    let (all, ended) = fetch(builder, &month(), Form::Invoices).await;
    assert_eq!(ended, Ok(()));
    let all = by_number(all);
    let without: Vec<&str> =
        all.values().filter(|one| one.document.is_none()).map(|one| one.number.as_deref().unwrap()).collect();
    assert_eq!(without, ["SB1DEU02", "SB1JPN01", "SB1USA01"]);
    let draft = |number: &str| serde_json::to_value(all[number].document.as_ref().unwrap()).unwrap();
    // Ten cases of twelve were ordered, and eight of them accepted.
    assert_eq!(draft("SB1USA02")["lines"][0]["quantity"], "96");
    assert_eq!(draft("SB1IND01")["lines"][0]["quantity"], "450");
    assert_eq!(draft("SB1USA04")["lines"].as_array().unwrap().len(), 1);

    let mut target = Amazon::default();
    target.derive_total = true;
    let judge = |draft: &Value| {
        let mut items = Vec::new();
        let text = draft.to_string();
        Translator::new(&target, &Payees::Any, 1_790_000_000)
            .translate([Input::new("draft", text.as_bytes())], &mut std::io::sink(), &mut |item| items.push(item))
            .unwrap();
        let item = items.pop().unwrap();
        let errors: Vec<String> = item.faults.iter().filter(|fault| fault.is_error()).map(|fault| fault.path.clone()).collect();
        (item.outcome, errors, item.amount.map(|amount| amount.value.to_string()))
    };
    assert_eq!(judge(&draft("SB1USA02")).1, ["number", "issue_date"]);
    assert_eq!(judge(&draft("SB1USA03")).1, ["number", "issue_date", "lines[0].weight"]);
    assert_eq!(judge(&draft("SB1GBR01")).1, ["number", "issue_date", "lines[0].price", "total"]);
    let mut filled = draft("SB1USA02");
    (filled["number"], filled["issue_date"]) = ("INV-1".into(), "2026-03-01".into());
    assert_eq!(judge(&filled), (Outcome::Planned, vec![], Some("1319.70".to_owned())));
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn orders_are_had_by_their_change_and_by_their_number() {
    let (sandbox, builder, _) = sandbox().await;
    let changed = Wanted::Changed(Span { since: When::Ago(10 * DAY), until: None });
    let (all, _) = fetch(builder, &changed, Form::Orders).await;
    assert_eq!(by_number(all).keys().collect::<Vec<_>>(), ["SB1USA04"]);
    let (other, builder, asked) = self::sandbox().await;
    let (all, ended) = fetch(builder, &Wanted::Numbers(vec!["SB1USA99".into(), "SB1CAN01".into()]), Form::Invoices).await;
    assert_eq!(ended, Ok(()));
    let [missing, found] = all.try_into().unwrap();
    let fault = &missing.faults[0];
    assert!(missing.document.is_none() && fault.is_error() && fault.message.contains("order SB1USA99"), "{fault:?}");
    assert_eq!((found.number.as_deref(), found.faults.len()), (Some("SB1CAN01"), 0));
    // Token, the order that is not there, the order, its status: nothing is asked twice.
    assert_eq!(asked.lock().unwrap().len(), 4);
    sandbox.stop().await;
    other.stop().await;
}

/// A vendor that answers as it is told, whatever it is asked. When it has no more to say, it says the last thing again.
#[derive(Clone, Default)]
struct Script {
    answers: Arc<Mutex<VecDeque<Result<WireResponse, SendError>>>>,
    asked: Arc<Mutex<Vec<(String, String)>>>,
}

impl Script {
    fn of(answers: impl IntoIterator<Item = (u16, String)>) -> Self {
        let answer =
            |(status, body): (u16, String)| Ok(WireResponse { status, body: body.into_bytes(), ..WireResponse::default() });
        Self { answers: Arc::new(Mutex::new(answers.into_iter().map(answer).collect())), ..Self::default() }
    }

    fn builder(&self) -> BridgeBuilder {
        let parts = ["client_id", "client_secret", "refresh_token"].map(|part| (part, Secret::new(format!("canary-{part}"))));
        Bridge::builder()
            .vendor(Arc::new(Amazon::default()))
            .credentials(Credentials::new(parts))
            .transport(Arc::new(self.clone()))
            .clock(|| 1_772_366_400_000)
            .pace(10, 10)
    }

    /// Fetches the orders of the last day.
    async fn day(&self) -> (Vec<Fetched>, Result<(), FetchError>) {
        fetch(self.builder(), &Wanted::Placed(Span { since: When::Ago(DAY), until: None }), Form::Orders).await
    }

    /// How many questions for orders were asked, and with how many tokens.
    fn counts(&self) -> (usize, usize) {
        let asked = self.asked.lock().unwrap();
        let tokens: std::collections::BTreeSet<&str> = asked.iter().map(|(_, token)| token.as_str()).collect();
        (asked.len(), tokens.len())
    }
}

impl Transport for Script {
    fn send(&self, request: WireRequest, _: Permit) -> Sending<'_> {
        Box::pin(async move {
            if request.url.ends_with("/auth/o2/token") {
                let token = format!("token-{}", fastrand::u64(..));
                let body = json!({"access_token": token, "token_type": "bearer", "expires_in": 3600});
                return Ok(WireResponse { status: 200, body: body.to_string().into_bytes(), ..WireResponse::default() });
            }
            let token = request.headers.iter().find(|(name, _)| *name == "x-amz-access-token").unwrap().1.clone();
            self.asked.lock().unwrap().push((request.url, token));
            let mut answers = self.answers.lock().unwrap();
            if answers.len() > 1 { answers.pop_front().unwrap() } else { answers[0].clone() }
        })
    }
}

fn order(number: &str, price: &str) -> String {
    json!({"purchaseOrderNumber": number, "purchaseOrderState": "New", "orderDetails": {"items": [
        {"itemSequenceNumber": "1", "orderedQuantity": {"amount": 1, "unitOfMeasure": "Eaches"},
         "netCost": {"currencyCode": "USD", "amount": price}}]}})
    .to_string()
}

fn page(orders: &[String], token: Option<&str>) -> (u16, String) {
    let next = token.map(|token| format!(r#", "pagination": {{"nextToken": "{token}"}}"#)).unwrap_or_default();
    (200, format!(r#"{{"payload": {{"orders": [{}]{next}}}}}"#, orders.join(",")))
}

fn refused(status: u16) -> (u16, String) {
    (status, r#"{"errors": [{"code": "InvalidInput", "message": "not now", "details": ""}]}"#.to_owned())
}

fn numbers(all: &[Fetched]) -> Vec<&str> {
    all.iter().map(|fetched| fetched.number.as_deref().unwrap_or("?")).collect()
}

#[tokio::test(start_paused = true)]
async fn a_question_is_asked_again_until_it_is_answered() {
    let html = (500, "<html>".to_owned());
    for setbacks in
        [vec![refused(429)], vec![refused(400); 4], vec![html.clone(), refused(503), (200, String::new())], vec![refused(403)]]
    {
        let script = Script::of(setbacks.clone().into_iter().chain([page(&[order("4Z32PAB1", "1")], None)]));
        let (all, ended) = script.day().await;
        assert_eq!((numbers(&all), ended), (vec!["4Z32PAB1"], Ok(())), "{setbacks:?}");
        let tokens = if setbacks[0].0 == 403 { 2 } else { 1 };
        assert_eq!(script.counts(), (setbacks.len() + 1, tokens));
    }
}

#[tokio::test(start_paused = true)]
async fn what_does_not_help_ends_with_what_was_had() {
    let first = page(&[order("4Z32PAB1", "1")], Some("2"));
    for (last, exit, asked, says) in [
        (refused(429), Exit::Temporary, 6, "Amazon asked for a pause"),
        ((500, "<html>".to_owned()), Exit::Temporary, 6, "HTTP 500"),
        ((200, "{}".to_owned()), Exit::Temporary, 6, "not what Amazon documents"),
        (refused(401), Exit::Refused, 3, "refused the caller"),
        // The same page for ever.
        (page(&[order("4Z32PAB1", "1")], Some("2")), Exit::Temporary, 2, "without end"),
    ] {
        let script = Script::of([first.clone(), last]);
        let (all, ended) = script.day().await;
        let error = ended.unwrap_err();
        assert_eq!((numbers(&all), error.exit), (vec!["4Z32PAB1"], exit), "{says}");
        assert!(error.message.contains(says) && !error.message.contains("canary"), "{error}");
        assert_eq!(script.counts().0, asked, "{says}");
    }
    // A question that is refused for good is told of, and the others are asked.
    let script =
        Script::of([refused(400), refused(400), refused(400), refused(400), refused(400), page(&[order("4Z32PAB1", "1")], None)]);
    let span = Span { since: When::Ago(8 * DAY), until: None };
    let (all, ended) = fetch(script.builder(), &Wanted::Placed(span), Form::Orders).await;
    assert_eq!((numbers(&all), ended), (vec!["?", "4Z32PAB1"], Ok(())));
    assert!(all[0].faults[0].is_error() && all[0].faults[0].vendor_code.as_deref() == Some("InvalidInput"), "{:?}", all[0]);
}

#[tokio::test(start_paused = true)]
async fn an_order_comes_once_unless_it_was_changed_and_what_is_none_is_told() {
    let script = Script::of([
        page(&[order("4Z32PAB1", "1"), "7".to_owned(), order("4Z32PAB2", "1")], Some("2")),
        page(&[order("4Z32PAB1", "1"), order("4Z32PAB2", "2")], None),
    ]);
    let (all, ended) = script.day().await;
    assert_eq!((numbers(&all), ended), (vec!["4Z32PAB1", "?", "4Z32PAB2", "4Z32PAB2"], Ok(())));
    assert_eq!((&*all[1].faults[0].rule, all[1].document.is_none()), ("AMZ-080", true));
    assert_eq!((&*all[3].faults[0].rule, all[3].document.is_some()), ("DOC-FETCHED", true));
}

#[tokio::test(start_paused = true)]
async fn a_draft_whose_status_cannot_be_had_stays_open() {
    let order = order("4Z32PAB1", "1").replace("New", "Acknowledged");
    let script = Script::of([(200, format!(r#"{{"payload": {order}}}"#)), refused(404)]);
    let (all, ended) = fetch(script.builder(), &Wanted::Numbers(vec!["4Z32PAB1".into()]), Form::Invoices).await;
    assert_eq!(ended, Ok(()));
    let told: Vec<(&str, bool)> = all[0].faults.iter().map(|fault| (&*fault.rule, fault.is_error())).collect();
    assert_eq!(told, [("AMZ-088", false), ("AMZ-093", false)]);
    assert!(all[0].document.is_some());
}

#[tokio::test(start_paused = true)]
async fn the_vendors_pace_is_kept() {
    let pages = (1..40).map(|at| page(&[], Some(&at.to_string()))).chain([page(&[], None)]);
    let script = Script::of(pages);
    let began = tokio::time::Instant::now();
    assert_eq!(script.day().await.1, Ok(()));
    assert_eq!(script.counts().0, 40);
    // Ten at once, and ten a second after that, a hundredth slower.
    let took = began.elapsed();
    assert!((Duration::from_millis(3030)..Duration::from_millis(3100)).contains(&took), "{took:?}");
}

/// What `payables fetch orders` prints, says and ends with.
fn command(args: &[&str]) -> (Vec<Value>, String, i32) {
    let folder = tempfile::TempDir::new().unwrap();
    let mut command = payables();
    let output = run(command.current_dir(&folder).args(["fetch", "orders", "--from"]).args(args), b"");
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0, "it wrote something");
    let lines = String::from_utf8(output.stdout).unwrap();
    let documents = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (documents, String::from_utf8(output.stderr).unwrap(), output.status.code().unwrap())
}

#[test]
fn documents_go_to_stdout_and_what_is_said_of_them_to_stderr() {
    let (orders, said, code) = command(&["amazon", "--sandbox", "--since", "30d"]);
    assert_eq!((orders.len(), code), (12, 0), "{said}");
    assert!(orders.iter().all(|order| order["kind"] == "purchase_order"));
    assert!(said.contains("SB1GBR01: warning: items[0].netCost: ") && said.ends_with("12 orders from amazon\n"), "{said}");
    let (drafts, said, code) = command(&["amazon", "--sandbox", "--since", "30d", "--invoice"]);
    assert_eq!((drafts.len(), code), (9, 0), "{said}");
    assert!(drafts.iter().all(|draft| draft["kind"] == "invoice" && draft["lines"][0]["order_reference"].is_string()));
    assert!(
        said.contains("SB1USA01: warning: purchaseOrderState: New: ") && said.ends_with("9 orders from amazon, 3 left out\n"),
        "{said}"
    );
    // A week, when nothing is said.
    assert_eq!(command(&["amazon", "--sandbox"]).0.len(), 5);
    let (orders, said, code) = command(&["amazon", "--sandbox", "--order", "SB1USA99", "--order", "SB1CAN01"]);
    assert_eq!((orders.len(), code), (1, 3), "{said}");
    assert!(said.contains("order SB1USA99") && said.ends_with("1 order from amazon, 1 could not be had\n"), "{said}");
}

#[test]
fn what_cannot_be_asked_is_said_before_anybody_is_asked() {
    for (args, code, says) in [
        (&["tipalti", "--sandbox"][..], 2, "tipalti has no orders to give"),
        (&["amazon", "--since", "300d"], 2, "six months"),
        (&["amazon", "--since", "2026-03-02", "--until", "2026-03-01"], 2, "nothing in it"),
        (&["amazon", "--order", "../x"], 2, "8 letters and digits"),
        (&["amazon", "--since", "yesterday"], 2, "36h"),
        (&["amazon", "--since", "1d", "--order", "4Z32PABC"], 2, "cannot be used with"),
        (&["amazon"], 78, "targets.amazon.client_id is not set"),
        (&["nowhere"], 2, "nowhere"),
    ] {
        let (documents, said, ended) = command(args);
        assert!(documents.is_empty() && ended == code && said.contains(says), "{args:?} {ended}: {said}");
    }
}
