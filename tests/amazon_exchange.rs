//! Invoices over real sockets, against a simulated Amazon that counts what it was sent and keeps to its quota.
//!
//! What is shown is always the same: every invoice comes back once, nothing is sent twice that was not certainly refused, and
//! whatever may have arrived is never sent again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use payables_bridge::bridge::{Bridge, BridgeBuilder, Decision, Desk, Order};
use payables_bridge::engine::state::Rules;
use payables_bridge::intake::Input;
use payables_bridge::journal::{Journal as _, Memory, Sqlite};
use payables_bridge::outcome::{Exit, Outcome};
use payables_bridge::report::{Item, Summary};
use payables_bridge::sandbox::{AmazonOptions, Options, Sandbox};
use payables_bridge::transport::{Permit, Sending, Transport};
use payables_bridge::vendors::{Settings, VendorKind};
use payables_bridge::wire::{Credentials, Secret, WireRequest, WireResponse};
use serde_json::{Value, json};

/// Invoices of one payee, INV-1 and so on.
fn invoices(count: usize) -> String {
    (1..=count).map(|number| invoice(&format!("INV-{number}"), "ACMEW", "5.00").to_string() + "\n").collect()
}

fn invoice(number: &str, payee: &str, price: &str) -> Value {
    let address = json!({"lines": ["1 Way"], "city": "Seattle", "postal_code": "98109", "country": "US"});
    json!({
        "kind": "invoice", "number": number, "issue_date": "2026-03-01", "currency": "USD", "total": price,
        "payee": {"id": payee, "name": "Acme", "address": address}, "buyer": {"id": "AMAZONUS", "name": "Amazon", "address": address},
        "lines": [{"item": {"buyers_id": "B00EXAMPL1"}, "order_reference": "4Z32PABC", "quantity": 1, "unit": "EA", "price": price}],
    })
}

/// A simulated Amazon where a thousand seconds pass in one, without a quota unless one is given.
struct Vendor {
    sandbox: Sandbox,
    says: Value,
}

impl Vendor {
    async fn with(faults: &[&str], amazon: AmazonOptions) -> Self {
        let faults = faults.iter().map(|fault| fault.parse().unwrap()).collect();
        let sandbox = Sandbox::start(Options { faults, amazon, ..Options::default() }).await.unwrap();
        let says = serde_json::to_value(sandbox.ready()).unwrap()["amazon-vendor"].clone();
        Self { sandbox, says }
    }

    async fn new(faults: &[&str]) -> Self {
        Self::with(faults, AmazonOptions { speed: 1000, requests_per_second: 0, ..AmazonOptions::default() }).await
    }

    fn bridge(&self) -> BridgeBuilder {
        let says = |name: &str| self.says[name].as_str().unwrap().to_owned();
        let settings = Settings::of(VendorKind::AmazonVendor).unwrap();
        let parts = settings.connection().secrets.into_iter().map(|(part, _)| (part, Secret::new(says(part))));
        Bridge::builder()
            .vendor(settings.vendor().simulated(&says).into_submit())
            .credentials(Credentials::new(parts))
            .journal(Memory::new())
            .pace(0, 1)
            .concurrency(8)
            .timeout(Duration::from_secs(15))
            .wait(Duration::from_secs(20))
            .seed(7)
    }

    /// How often each invoice was taken.
    fn writes(&self) -> BTreeMap<String, u64> {
        self.sandbox.ledger().invoices.into_values().map(|invoice| (invoice.number, invoice.writes)).collect()
    }
}

struct Ran {
    items: Vec<Item>,
    summary: Summary,
}

impl Ran {
    fn outcomes(&self) -> BTreeMap<&str, Outcome> {
        let outcomes: BTreeMap<&str, Outcome> =
            self.items.iter().map(|item| (item.number.as_deref().unwrap(), item.outcome)).collect();
        assert_eq!(outcomes.len(), self.items.len(), "each once");
        outcomes
    }

    #[track_caller]
    fn assert_all(&self, count: usize, outcome: Outcome, exit: Exit) {
        let outcomes = self.outcomes();
        assert_eq!((outcomes.len(), self.summary.exit()), (count, exit), "{outcomes:?} {:?}", self.summary.notes);
        assert!(outcomes.values().all(|one| *one == outcome), "{outcomes:?} {:?}", self.items[0].faults);
    }
}

async fn run(bridge: &Bridge, input: &str) -> Ran {
    let mut items = Vec::new();
    let inputs = vec![Input::new("invoices.jsonl", input.as_bytes())];
    let summary = bridge.sync(inputs, &mut |item| items.push(item)).await.unwrap();
    Ran { items, summary }
}

async fn ask(bridge: &Bridge) -> Ran {
    let mut items = Vec::new();
    let summary = bridge.ask(&mut |item| items.push(item)).await.unwrap();
    Ran { items, summary }
}

/// A person decides about documents.
fn decide(bridge: &Bridge, numbers: &[&str], decision: Decision) {
    let order = |number: &&str| Order { number: (*number).into(), owner: None, decision, reason: "looked it up".to_owned() };
    let orders: Vec<Order> = numbers.iter().map(order).collect();
    bridge
        .with_journal(|journal| {
            let scope = journal.scopes().unwrap()[0].1.clone();
            let clock = || jiff::Timestamp::now().as_millisecond();
            let mut desk = Desk::new(journal, &scope, Rules { repeatable: false, quarantine: 0 }, &clock).unwrap();
            let decided = desk.decide(&orders).unwrap();
            desk.store("me", &decided).unwrap();
        })
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silence_ends_in_presumption_and_a_second_run_sends_nothing() {
    let vendor = Vendor::new(&[]).await;
    let bridge = vendor.bridge().build().unwrap();
    run(&bridge, &invoices(12)).await.assert_all(12, Outcome::Presumed, Exit::Done);
    let before = vendor.sandbox.ledger();
    assert!(before.submissions == 12 && before.token_grants == 1 && vendor.writes().values().all(|writes| *writes == 1));
    run(&bridge, &invoices(12)).await.assert_all(12, Outcome::Unchanged, Exit::Done);
    assert_eq!(vendor.sandbox.ledger().submissions, 12);
    // Whoever asks hears nothing new.
    ask(&bridge).await.assert_all(12, Outcome::Presumed, Exit::Done);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_does_not_wait_leaves_the_verdicts_to_whoever_asks() {
    let vendor = Vendor::new(&["transaction-success:number=INV-1", "transaction-failure:number=INV-2"]).await;
    let bridge = vendor.bridge().wait(Duration::ZERO).build().unwrap();
    run(&bridge, &invoices(3)).await.assert_all(3, Outcome::Submitted, Exit::Done);
    tokio::time::sleep(Duration::from_millis(100)).await;
    let asked = ask(&bridge).await;
    let outcomes = asked.outcomes();
    assert_eq!((outcomes["INV-1"], outcomes["INV-2"]), (Outcome::Accepted, Outcome::Rejected));
    assert!(matches!(outcomes["INV-3"], Outcome::Submitted | Outcome::Presumed));
    let rejected = asked.items.iter().find(|item| item.number.as_deref() == Some("INV-2")).unwrap();
    let fault = &rejected.faults[0];
    assert_eq!((&*fault.rule, fault.vendor_code.as_deref()), ("AMZ-001", Some("NotAvailable")));
    assert!(fault.vendor_message.as_deref().unwrap().ends_with("(6 times)"), "{fault:?}");
    assert!(rejected.reference.is_some() && asked.summary.exit() == Exit::Documents);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_may_have_arrived_is_in_doubt_and_never_sent_again() {
    for fault in [
        "reset-after",
        "timeout-unapplied",
        "truncated",
        "http-500-html:applied=yes",
        "http-500-html:applied=no",
        "http-503",
        "html-200",
        "empty-200",
        "garbage",
        "no-transaction",
        "redirect",
        "http-status:status=418",
    ] {
        let vendor = Vendor::new(&[&format!("{fault}:number=INV-2").replacen(
            ":number",
            if fault.contains(':') { ",number" } else { ":number" },
            1,
        )])
        .await;
        let bridge = vendor.bridge().timeout(Duration::from_secs(2)).build().unwrap();
        let ran = run(&bridge, &invoices(3)).await;
        let outcomes = ran.outcomes();
        assert_eq!(outcomes["INV-2"], Outcome::InDoubt, "{fault}");
        assert_eq!(
            (outcomes["INV-1"], outcomes["INV-3"], ran.summary.exit()),
            (Outcome::Presumed, Outcome::Presumed, Exit::InDoubt),
            "{fault}"
        );
        assert_eq!(vendor.sandbox.ledger().submissions, 3, "{fault}");
        // The same again, and something else under its number: neither goes.
        let again = run(&bridge, &invoices(3)).await;
        assert_eq!(again.outcomes()["INV-2"], Outcome::InDoubt, "{fault}");
        let other = run(&bridge, &invoice("INV-2", "ACMEW", "6.00").to_string()).await;
        assert_eq!(other.outcomes()["INV-2"], Outcome::Held, "{fault}");
        assert_eq!(vendor.sandbox.ledger().submissions, 3, "{fault}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_certainly_did_not_arrive_is_sent_again() {
    for fault in ["http-429:after=0,times=2", "token-expired:times=1"] {
        let vendor = Vendor::new(&[fault]).await;
        let ran = run(&vendor.bridge().concurrency(3).build().unwrap(), &invoices(6)).await;
        ran.assert_all(6, Outcome::Presumed, Exit::Done);
        assert!(vendor.writes().values().all(|writes| *writes == 1), "{fault}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_ends_in_the_middle_is_renewed_once_for_all() {
    // The vendor's token lasts a second of the world, and says that it lasts an hour.
    let amazon = AmazonOptions { speed: 3600, requests_per_second: 0, ..AmazonOptions::default() };
    let vendor = Vendor::with(&[], amazon).await;
    let ran = run(&vendor.bridge().pace(12, 1).build().unwrap(), &invoices(30)).await;
    ran.assert_all(30, Outcome::Presumed, Exit::Done);
    let ledger = vendor.sandbox.ledger();
    assert!((2..=8).contains(&ledger.token_grants), "{}", ledger.token_grants);
    assert!(vendor.writes().values().all(|writes| *writes == 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn credentials_that_are_refused_end_the_run_before_anything_is_sent() {
    let vendor = Vendor::new(&["invalid-client"]).await;
    let bridge = vendor.bridge().build().unwrap();
    let ran = run(&bridge, &invoices(3)).await;
    ran.assert_all(3, Outcome::NotSent, Exit::Refused);
    assert!(ran.items[0].faults[0].message.contains("180 days"), "{:?}", ran.items[0].faults);
    assert_eq!(vendor.sandbox.ledger().submissions, 0);
    let vendor = Vendor::new(&["token-expired"]).await;
    let ran = run(&vendor.bridge().build().unwrap(), &invoices(3)).await;
    ran.assert_all(3, Outcome::NotSent, Exit::Refused);
    assert_eq!((vendor.sandbox.ledger().token_grants, vendor.writes().len()), (2, 0));
}

/// Answers every question for a token with the same, and everything else with a failure.
struct TokenEndpoint {
    answer: fn(&str) -> (u16, String),
    asked: AtomicUsize,
}

impl Transport for TokenEndpoint {
    fn send(&self, request: WireRequest, _: Permit) -> Sending<'_> {
        let is_token = request.url.ends_with("/token");
        self.asked.fetch_add(usize::from(is_token), Ordering::SeqCst);
        let (status, body) = (self.answer)(&String::from_utf8(request.body).unwrap());
        let (status, body) = if is_token { (status, body) } else { (500, String::new()) };
        Box::pin(async move { Ok(WireResponse { status, body: body.into_bytes(), ..WireResponse::default() }) })
    }
}

#[tokio::test(start_paused = true)]
async fn hostile_tokens_end_no_run_in_a_crash_or_a_loop_and_repeat_no_secret() {
    type Case = (fn(&str) -> (u16, String), Outcome, Exit, usize);
    let cases: [Case; 4] = [
        // A token that ends at once, and one that never does.
        (|_| (200, r#"{"access_token": "Atza|x", "expires_in": 0}"#.into()), Outcome::NotSent, Exit::Temporary, 3),
        (
            |_| (200, r#"{"access_token": "Atza|x", "expires_in": 18446744073709551615}"#.into()),
            Outcome::InDoubt,
            Exit::InDoubt,
            1,
        ),
        (|_| (200, r#"{"access_token": "Atza|x", "expires_in": -1}"#.into()), Outcome::NotSent, Exit::Temporary, 3),
        // The refusal repeats the question, secrets and all.
        (
            |asked| (400, json!({"error": "invalid_grant", "error_description": asked}).to_string()),
            Outcome::NotSent,
            Exit::Refused,
            1,
        ),
    ];
    for (answer, outcome, exit, times) in cases {
        let endpoint = Arc::new(TokenEndpoint { answer, asked: AtomicUsize::new(0) });
        let settings = Settings::of(VendorKind::AmazonVendor).unwrap();
        let parts = ["client_id", "client_secret", "refresh_token"].map(|part| (part, Secret::new(format!("canary|{part}"))));
        let bridge = Bridge::builder()
            .vendor(settings.vendor().into_submit())
            .credentials(Credentials::new(parts))
            .journal(Memory::new())
            .transport(Arc::clone(&endpoint) as Arc<dyn Transport>)
            .build()
            .unwrap();
        let ran = run(&bridge, &invoices(1)).await;
        ran.assert_all(1, outcome, exit);
        assert_eq!(endpoint.asked.load(Ordering::SeqCst), times);
        assert!(!format!("{:?} {:?}", ran.items, ran.summary.notes).contains("canary"), "{:?}", ran.items);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_asked_of_anybody_where_nothing_goes() {
    let vendor = Vendor::new(&[]).await;
    let mut wrong = invoice("INV-1", "ACMEW", "5.00");
    wrong["buyer"] = Value::Null;
    run(&vendor.bridge().build().unwrap(), &wrong.to_string()).await.assert_all(1, Outcome::Invalid, Exit::Nothing);
    assert_eq!(vendor.sandbox.ledger().requests, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_vendors_quota_is_used_and_never_exceeded() {
    let amazon = AmazonOptions { speed: 1000, ..AmazonOptions::default() };
    let vendor = Vendor::with(&[], amazon).await;
    // As the settings have it: ten a second, and two of the burst of ten to spare.
    let bridge = vendor.bridge().pace(10, 8).concurrency(16).build().unwrap();
    run(&bridge, &invoices(40)).await.assert_all(40, Outcome::Presumed, Exit::Done);
    let ledger = vendor.sandbox.ledger();
    assert_eq!((ledger.throttled, ledger.submissions), (0, 40));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_invoice_is_told_in_amazons_words_and_may_be_mended() {
    let vendor = Vendor::new(&[]).await;
    let bridge = vendor.bridge().levels([("AMZ-020".to_owned(), payables_bridge::rules::Level::Off)].into()).build().unwrap();
    let mut wrong = invoice("INV-1", "ACMEW", "5.00");
    wrong["buyer"] = Value::Null;
    let ran = run(&bridge, &wrong.to_string()).await;
    ran.assert_all(1, Outcome::Rejected, Exit::Documents);
    assert!(ran.items[0].faults.iter().any(|fault| fault.vendor_code.is_some()), "{:?}", ran.items[0].faults);
    // As it is it stays refused; with other content it goes.
    run(&bridge, &wrong.to_string()).await.assert_all(1, Outcome::Rejected, Exit::Documents);
    assert_eq!(vendor.sandbox.ledger().submissions, 1);
    run(&bridge, &invoice("INV-1", "ACMEW", "5.00").to_string()).await.assert_all(1, Outcome::Presumed, Exit::Done);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_number_goes_once_and_its_other_content_is_held_with_the_difference() {
    let vendor = Vendor::new(&[]).await;
    let bridge = vendor.bridge().build().unwrap();
    run(&bridge, &invoices(1)).await.assert_all(1, Outcome::Presumed, Exit::Done);
    let ran = run(&bridge, &invoice("INV-1", "ACMEW", "7.50").to_string()).await;
    ran.assert_all(1, Outcome::Held, Exit::Documents);
    let told: String = ran.items[0].faults.iter().map(|fault| fault.message.as_str()).collect();
    for words in ["total: 5 → 7.5", "lines[0].price: 5 → 7.5", "sent before with other content"] {
        assert!(told.contains(words), "{words}: {told}");
    }
    // A credit note shares the numbers of invoices; another payee has numbers of its own.
    let mut note = invoice("INV-1", "ACMEW", "5.00");
    note["type"] = json!("credit_note");
    note["lines"][0]["credit"] = json!({"invoice": "INV-0"});
    run(&bridge, &note.to_string()).await.assert_all(1, Outcome::Held, Exit::Documents);
    let other = format!("{}\n{}", invoice("INV-2", "ACMEW", "5.00"), invoice("INV-1", "OTHER", "5.00"));
    let ran = run(&bridge, &other).await;
    assert!(ran.items.iter().all(|item| item.outcome == Outcome::Presumed), "{:?}", ran.items);
    assert_eq!(vendor.sandbox.ledger().submissions, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_older_journal_may_have_forgotten_is_held() {
    let vendor = Vendor::new(&[]).await;
    let folder = tempfile::TempDir::new().unwrap();
    let (db, copy) = (folder.path().join("payables.db"), folder.path().join("copy"));
    let bridge = |journal: Sqlite| vendor.bridge().journal(journal).build().unwrap();
    let open = || Sqlite::open(&db, Duration::from_secs(5)).unwrap();
    run(&bridge(open()), &invoices(1)).await.assert_all(1, Outcome::Presumed, Exit::Done);
    std::fs::copy(&db, &copy).unwrap();
    run(&bridge(open()), &invoices(3)).await;
    for more in ["payables.db-wal", "payables.db-shm"] {
        let _there_may_be_none = std::fs::remove_file(folder.path().join(more));
    }
    std::fs::copy(&copy, &db).unwrap();
    Sqlite::accept_rollback(&db, "me", "the disk was replaced").unwrap();
    assert_eq!(open().acts(0).unwrap().len(), 1);
    let later = invoice("INV-9", "ACMEW", "5.00").to_string().replace("2026-03-01", "2099-01-01");
    let ran = run(&bridge(open()), &(invoices(4) + &later)).await;
    let outcomes = ran.outcomes();
    assert_eq!(outcomes["INV-1"], Outcome::Unchanged);
    for number in ["INV-2", "INV-3", "INV-4"] {
        assert_eq!(outcomes[number], Outcome::Held, "{number}");
    }
    // Its own rule stops this one: it is dated ahead. But nothing of it can have been forgotten.
    let rules = |number: &str| -> Vec<String> {
        let item = ran.items.iter().find(|item| item.number.as_deref() == Some(number)).unwrap();
        item.faults.iter().map(|fault| fault.rule.to_string()).collect()
    };
    assert!(rules("INV-2").contains(&"DOC-FORGOTTEN".to_owned()) && !rules("INV-9").contains(&"DOC-FORGOTTEN".to_owned()));
    // Held again as long as nobody has looked, and sent when somebody has.
    run(&bridge(open()), &invoices(4)).await;
    let bridge = bridge(open());
    decide(&bridge, &["INV-4"], Decision::Release);
    let ran = run(&bridge, &invoices(4)).await;
    assert_eq!((ran.outcomes()["INV-3"], ran.outcomes()["INV-4"]), (Outcome::Held, Outcome::Presumed));
    assert_eq!(vendor.writes().values().copied().collect::<Vec<_>>(), [1; 4]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invoice_that_amazon_took_and_lost_is_sent_again_on_a_persons_word() {
    let vendor = Vendor::new(&[]).await;
    let bridge = vendor.bridge().quarantine(Duration::ZERO).build().unwrap();
    run(&bridge, &invoices(2)).await.assert_all(2, Outcome::Presumed, Exit::Done);
    let other = run(&bridge, &invoice("INV-1", "ACMEW", "6.00").to_string()).await;
    assert!(other.items[0].faults.iter().any(|fault| fault.message.contains("payables resolve --absent")), "{:?}", other.items);
    decide(&bridge, &["INV-1", "INV-2"], Decision::Absent);
    // The one goes as it was; of the other the newer content is what is wanted.
    let again =
        run(&bridge, &(invoice("INV-1", "ACMEW", "6.00").to_string() + "\n" + &invoice("INV-2", "ACMEW", "5.00").to_string()))
            .await;
    // This Amazon has lost nothing, and refuses what comes twice.
    again.assert_all(2, Outcome::Rejected, Exit::Documents);
    let ledger = vendor.sandbox.ledger();
    assert_eq!(ledger.invoices["ACMEW/INV-1"].contents, 2);
    assert_eq!((ledger.invoices["ACMEW/INV-2"].contents, ledger.invoices["ACMEW/INV-2"].writes), (1, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_hears_no_verdict_at_all_is_told_so() {
    let vendor = Vendor::new(&["poll-500"]).await;
    let bridge = vendor.bridge().wait(Duration::ZERO).build().unwrap();
    run(&bridge, &invoices(3)).await.assert_all(3, Outcome::Submitted, Exit::Done);
    let asked = ask(&bridge).await;
    assert_eq!((asked.items.len(), asked.summary.exit()), (3, Exit::Temporary), "{:?}", asked.summary.notes);
    vendor.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_stays_rejected_is_tried_again_by_the_run_that_said_so() {
    let vendor = Vendor::new(&["transaction-failure:number=INV-1,times=1"]).await;
    let bridge = vendor.bridge().build().unwrap();
    assert_eq!(run(&bridge, &invoices(2)).await.outcomes()["INV-1"], Outcome::Rejected);
    assert_eq!(run(&bridge, &invoices(2)).await.outcomes()["INV-1"], Outcome::Rejected);
    let last = bridge.with_journal(|journal| journal.runs(1).unwrap()[0].name.clone()).unwrap();
    let retry = |run: Option<String>| {
        let bridge = bridge.clone();
        async move {
            let mut items = bridge.retry(run);
            let mut all = Vec::new();
            while let Some(item) = items.next().await {
                all.push(item);
            }
            Ran { items: all, summary: items.summary().await.unwrap() }
        }
    };
    retry(Some(last.clone())).await.assert_all(1, Outcome::Presumed, Exit::Done);
    // Nothing is left to try, and that is said.
    let nothing = retry(Some(last)).await;
    assert!(nothing.items.is_empty() && nothing.summary.notes.iter().any(|note| note.contains("nothing that was rejected")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_vendor_that_is_not_understood_costs_as_few_doubts_as_can_be() {
    let vendor = Vendor::new(&["html-200"]).await;
    let ran = run(&vendor.bridge().concurrency(8).build().unwrap(), &invoices(20)).await;
    let doubts = ran.outcomes().values().filter(|outcome| **outcome == Outcome::InDoubt).count();
    assert_eq!((doubts, ran.summary.exit()), (3, Exit::InDoubt));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_escape_gives_no_token_away() {
    /// Gives a token, and repeats it with escapes in every answer.
    struct Echo;
    impl Transport for Echo {
        fn send(&self, request: WireRequest, _: Permit) -> Sending<'_> {
            Box::pin(async move {
                let body = if request.url.ends_with("/token") {
                    json!({"access_token": "Atza|TOKENSECRET==", "expires_in": 3600}).to_string()
                } else {
                    r#"{"errors": [{"code": "InvalidInput", "message": "Atza\u007cTOKENSECRET\u003d\u003d", "details": ""}]}"#
                        .to_owned()
                };
                let status = if request.url.ends_with("/token") { 200 } else { 400 };
                Ok(WireResponse { status, body: body.into_bytes(), ..WireResponse::default() })
            })
        }
    }
    let settings = Settings::of(VendorKind::AmazonVendor).unwrap();
    let parts = settings.connection().secrets.into_iter().map(|(part, _)| (part, Secret::new(format!("canary-{part}"))));
    let bridge = Bridge::builder()
        .vendor(settings.vendor().into_submit())
        .credentials(Credentials::new(parts))
        .journal(Memory::new())
        .transport(Arc::new(Echo))
        .build()
        .unwrap();
    let ran = run(&bridge, &invoices(1)).await;
    ran.assert_all(1, Outcome::Rejected, Exit::Documents);
    let said = format!("{:?}", ran.items);
    assert!(said.contains("REDACTED") && !said.contains("TOKENSECRET"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn that_one_content_is_not_there_says_nothing_of_a_forgotten_other_one() {
    let vendor = Vendor::new(&["transaction-failure:number=INV-1,times=1"]).await;
    let folder = tempfile::TempDir::new().unwrap();
    let (db, copy) = (folder.path().join("payables.db"), folder.path().join("copy"));
    let open = || Sqlite::open(&db, Duration::from_secs(5)).unwrap();
    let bridge = |journal: Sqlite| vendor.bridge().quarantine(Duration::ZERO).journal(journal).build().unwrap();
    let (first, second) = (invoice("INV-1", "ACMEW", "5.00").to_string(), invoice("INV-1", "ACMEW", "6.00").to_string());
    run(&bridge(open()), &first).await.assert_all(1, Outcome::Rejected, Exit::Documents);
    std::fs::copy(&db, &copy).unwrap();
    run(&bridge(open()), &second).await.assert_all(1, Outcome::Presumed, Exit::Done);
    for more in ["payables.db-wal", "payables.db-shm"] {
        let _there_may_be_none = std::fs::remove_file(folder.path().join(more));
    }
    std::fs::copy(&copy, &db).unwrap();
    Sqlite::accept_rollback(&db, "me", "the disk was replaced").unwrap();
    let bridge = bridge(open());
    decide(&bridge, &["INV-1"], Decision::Absent);
    let ran = run(&bridge, &second).await;
    assert_eq!(ran.outcomes()["INV-1"], Outcome::Held, "{:?}", ran.items);
    assert!(ran.items[0].faults.iter().any(|fault| fault.rule == "DOC-FORGOTTEN"), "{:?}", ran.items);
    assert_eq!(vendor.sandbox.ledger().invoices["ACMEW/INV-1"].writes, 2);
}
