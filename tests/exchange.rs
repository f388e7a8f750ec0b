//! Runs over real sockets: the bridge and its own transport against the sandbox, and against servers that mean harm.
//!
//! What is shown is always the same: every order comes back exactly once, what is called accepted was taken, what is
//! called not sent was not, and whatever the other side does costs bounded time and memory. Where only the run's
//! decisions matter and hours would pass, a scripted transport and a paused clock stand in for the network.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use payables_bridge::bridge::{Bridge, BridgeBuilder};
use payables_bridge::intake::Input;
use payables_bridge::journal::Memory;
use payables_bridge::outcome::{Exit, Outcome};
use payables_bridge::report::{Item, Summary};
use payables_bridge::sandbox::{FAULTS, Options, Sandbox};
use payables_bridge::transport::{Http, Permit, Sending, Transport};
use payables_bridge::vendors::tipalti::{Tipalti, sign};
use payables_bridge::wire::{Secret, SendError, WireRequest, WireResponse};
use tokio::sync::Notify;

use crate::support::{order, order_with};

const PAYER: &str = "SandboxPayer";
const MASTER_KEY: &str = "canary-2b7e151628aed2a6";
/// Long enough for a busy machine; nothing waits for it unless the other side never answers.
const PATIENT: Duration = Duration::from_secs(15);
/// For calls that end no other way.
const IMPATIENT: Duration = Duration::from_millis(400);

/// What a run reported.
struct Ran {
    items: Vec<Item>,
    summary: Summary,
}

impl Ran {
    fn exit(&self) -> Exit {
        self.summary.exit()
    }

    /// The order's item, of which there is one and no more.
    fn item(&self, number: &str) -> &Item {
        let mut items = self.items.iter().filter(|item| item.number.as_deref() == Some(number));
        let item = items.next().unwrap_or_else(|| panic!("{number} has no outcome"));
        assert!(items.next().is_none(), "{number} has two outcomes");
        item
    }

    fn outcome(&self, number: &str) -> Outcome {
        self.item(number).outcome
    }

    /// The numbers that ended so.
    fn numbers(&self, outcome: Outcome) -> BTreeSet<&str> {
        self.items.iter().filter(|item| item.outcome == outcome).filter_map(|item| item.number.as_deref()).collect()
    }

    /// Each order of [`orders`] has one outcome, and it is this one.
    fn assert_all(&self, what: &str, outcome: Outcome, exit: Exit) {
        for number in 1..=self.items.len() {
            assert_eq!(self.outcome(&format!("PO-{number}")), outcome, "{what}: PO-{number}");
        }
        assert_eq!(self.exit(), exit, "{what}");
    }
}

/// Runs it, and checks what holds for every run: as many items as documents, and counts that agree.
async fn sync(bridge: &Bridge, inputs: &[&str]) -> Ran {
    let mut items: Vec<Item> = Vec::new();
    let inputs = inputs.iter().map(|input| Input::new("orders.jsonl", input.as_bytes())).collect();
    let summary = bridge.sync(inputs, &mut |item| items.push(item)).await.unwrap();
    assert_eq!(summary.documents, items.len() as u64);
    for outcome in Outcome::ALL {
        let counted = items.iter().filter(|item| item.outcome == outcome).count();
        assert_eq!(summary.of(outcome), counted as u64, "{outcome:?}");
    }
    Ran { items, summary }
}

async fn run(builder: BridgeBuilder, input: &str) -> Ran {
    let ran = sync(&builder.build().unwrap(), &[input]).await;
    assert_eq!(ran.items.len(), input.lines().count(), "every document has one item");
    ran
}

/// PO-1, PO-2 and so on, one a line, each of 39.80 EUR.
fn orders(count: usize) -> String {
    (1..=count).map(|number| order(&format!("PO-{number}")) + "\n").collect()
}

fn target(endpoint: String) -> Tipalti {
    Tipalti { payer_name: PAYER.to_owned(), endpoint, ..Tipalti::default() }
}

/// A permit that does not end.
fn always() -> Permit {
    Permit::new(|| true)
}

/// A bridge in a hurry: no pace, and replays after a moment.
fn hurry(target: Tipalti) -> BridgeBuilder {
    let builder = Bridge::builder().vendor(Arc::new(target)).credentials(Secret::new(MASTER_KEY)).journal(Memory::new());
    builder.pace(0, 1).replay_after(Duration::from_millis(50)).timeout(PATIENT)
}

fn to(endpoint: impl Into<String>) -> BridgeBuilder {
    hurry(target(endpoint.into()))
}

async fn sandbox(faults: &[&str]) -> Sandbox {
    let faults = faults.iter().map(|fault| fault.parse().unwrap()).collect();
    let options = Options { payer_name: PAYER.to_owned(), master_key: MASTER_KEY.to_owned(), faults, ..Options::default() };
    Sandbox::start(options).await.unwrap()
}

fn to_sandbox(sandbox: &Sandbox) -> BridgeBuilder {
    to(sandbox.ready().tipalti.endpoint)
}

/// Runs a case of a table on a task of its own; a table takes as long as its slowest row.
async fn all_at_once<F: Future<Output = ()> + Send + 'static>(cases: impl IntoIterator<Item = F>) {
    let cases: Vec<_> = cases.into_iter().map(tokio::spawn).collect();
    for case in cases {
        case.await.unwrap();
    }
}

/// A server of a few lines that speaks as much HTTP as a test wants, and remembers what reached it.
struct Peer {
    addr: SocketAddr,
    seen: Arc<Seen>,
    accepting: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Seen {
    closing: AtomicBool,
    connections: AtomicUsize,
    requests: Mutex<Vec<String>>,
}

/// A connection to a peer.
struct Visit {
    stream: TcpStream,
    seen: Arc<Seen>,
}

impl Peer {
    /// Hands each connection to `talk`, on a thread of its own. The connection is closed when `talk` returns.
    fn new(talk: impl Fn(&mut Visit) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let seen = Arc::new(Seen::default());
        let (talk, shared) = (Arc::new(talk), Arc::clone(&seen));
        let accept = move || {
            for stream in listener.incoming() {
                if shared.closing.load(Ordering::SeqCst) {
                    return;
                }
                let stream = stream.unwrap();
                stream.set_read_timeout(Some(PATIENT)).unwrap();
                stream.set_write_timeout(Some(PATIENT)).unwrap();
                stream.set_nodelay(true).unwrap();
                shared.connections.fetch_add(1, Ordering::SeqCst);
                let (talk, mut visit) = (Arc::clone(&talk), Visit { stream, seen: Arc::clone(&shared) });
                std::thread::spawn(move || talk(&mut visit));
            }
        };
        Self { addr, seen, accepting: Some(std::thread::spawn(accept)) }
    }

    /// Answers the first request of each connection, counted over all of them, and closes it.
    fn answering(answer: impl Fn(usize, &str) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self::new(move |visit| {
            if let Some((nth, request)) = visit.request() {
                visit.write(&answer(nth, &request));
                visit.finish();
            }
        })
    }

    fn endpoint(&self) -> String {
        format!("http://{}/v6/payerfunctions.asmx", self.addr)
    }

    fn connections(&self) -> usize {
        self.seen.connections.load(Ordering::SeqCst)
    }

    /// The requests that came, heads and bodies.
    fn requests(&self) -> Vec<String> {
        self.seen.requests.lock().unwrap().clone()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.seen.closing.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts.
        let _nobody_listens = TcpStream::connect(self.addr);
        let _has_said_why = self.accepting.take().map(JoinHandle::join);
    }
}

impl Visit {
    /// Reads one whole request and remembers it; none when the other side is gone.
    fn request(&mut self) -> Option<(usize, String)> {
        let mut bytes = Vec::new();
        let mut chunk = [0; 16 << 10];
        loop {
            let text = String::from_utf8_lossy(&bytes);
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let length =
                    head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
                if body.len() >= length.unwrap_or(0) {
                    let text = text.into_owned();
                    let mut requests = self.seen.requests.lock().unwrap();
                    requests.push(text.clone());
                    return Some((requests.len() - 1, text));
                }
            }
            match self.stream.read(&mut chunk) {
                Ok(0) | Err(_) => return None,
                Ok(read) => bytes.extend_from_slice(&chunk[..read]),
            }
        }
    }

    /// Writes as much as the other side takes, and tells whether it took everything.
    fn write(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).is_ok()
    }

    /// Says that no more is coming, and waits until the other side is gone: a second request would be seen.
    fn finish(&mut self) {
        let _may_be_gone = self.stream.shutdown(std::net::Shutdown::Write);
        while self.request().is_some() {}
    }
}

fn answer(head: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {head}\r\nContent-Type: application/soap+xml; charset=utf-8\r\n\r\n{body}").into_bytes()
}

/// An answer that declares its length.
fn measured(status: &str, body: &str) -> Vec<u8> {
    answer(&format!("{status}\r\nContent-Length: {}", body.len()), body)
}

/// The numbers of the orders in a request.
fn numbers_in(request: &str) -> Vec<&str> {
    let parts = request.split("<PurchaseOrderNumber>").skip(1);
    parts.map(|part| part.split_once('<').unwrap().0).collect()
}

/// The reply that accepts every order of a request.
fn acceptance(request: &str) -> String {
    let row = |number| {
        format!(
            "<TipaltiPurchaseOrderItemResult><Succeeded>true</Succeeded><PurchaseOrderNumber>{number}</PurchaseOrderNumber></TipaltiPurchaseOrderItemResult>"
        )
    };
    let rows: String = numbers_in(request).into_iter().map(row).collect();
    reply(&format!("<errorCode>OK</errorCode><PurchaseOrderErrors>{rows}</PurchaseOrderErrors>"))
}

/// A reply with this as its result.
fn reply(result: &str) -> String {
    format!(
        "<soap:Envelope xmlns:soap=\"http://www.w3.org/2003/05/soap-envelope\"><soap:Body><CreateOrUpdatePurchaseOrdersResponse \
         xmlns=\"http://Tipalti.org/\"><CreateOrUpdatePurchaseOrdersResult>{result}</CreateOrUpdatePurchaseOrdersResult>\
         </CreateOrUpdatePurchaseOrdersResponse></soap:Body></soap:Envelope>"
    )
}

fn between<'t>(text: &'t str, open: &str, close: &str) -> &'t str {
    text.split_once(open).unwrap().1.split_once(close).unwrap().0
}

// A run that goes well.

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_healthy_run_takes_every_order_once() {
    let sandbox = sandbox(&[]).await;
    let ran = run(to_sandbox(&sandbox), &orders(120)).await;
    ran.assert_all("healthy", Outcome::Accepted, Exit::Done);
    assert!(ran.items.iter().all(|item| item.faults.is_empty() && item.source.is_some()));
    assert_eq!(serde_json::to_value(&ran.summary).unwrap()["amounts"]["EUR"]["accepted"], "4776.00");
    assert_eq!((ran.summary.requests, ran.summary.notes.len()), (3, 0));
    let ledger = sandbox.ledger();
    assert_eq!((ledger.orders.len(), ledger.requests, ledger.calls), (120, 3, 3));
    assert!(ledger.orders.values().all(|order| (order.versions, order.writes, order.lines) == (1, 1, 1)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_attempt_has_a_fresh_time_and_key_and_is_otherwise_the_same() {
    let time = Arc::new(AtomicI64::new(1_767_225_600_000));
    let passes = Arc::clone(&time);
    let peer = Peer::answering(move |nth, request| {
        passes.fetch_add(1000, Ordering::SeqCst);
        match nth {
            0 | 2 => measured("500 Internal Server Error", "<html></html>"),
            1 => answer("200 OK\r\nContent-Length: 5000", "<soap:"),
            _ => measured("200 OK", &acceptance(request)),
        }
    });
    let ran = run(to(peer.endpoint()).clock(move || time.load(Ordering::SeqCst)), &orders(3)).await;
    ran.assert_all("replayed", Outcome::Accepted, Exit::Done);
    let requests = peer.requests();
    let times: Vec<&str> = requests.iter().map(|request| between(request, "<timestamp>", "</timestamp>")).collect();
    assert_eq!(times, ["1767225600", "1767225601", "1767225602", "1767225603"]);
    for (request, time) in requests.iter().zip(&times) {
        let signed = sign::key(&Secret::new(MASTER_KEY), &format!("{PAYER}{time}"));
        assert_eq!(between(request, "<key>", "</key>"), signed);
        assert_eq!(
            between(request, "<purchaseOrders>", "</purchaseOrders>"),
            between(&requests[0], "<purchaseOrders>", "</purchaseOrders>")
        );
        assert!(request.to_ascii_lowercase().contains("\r\ncontent-type: application/soap+xml; charset=utf-8\r\n"), "{request}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_calls_are_in_flight_than_allowed() {
    let sandbox = sandbox(&["slow:ms=300"]).await;
    let target = Tipalti { batch_size: 2, ..target(sandbox.ready().tipalti.endpoint) };
    let ran = run(hurry(target).concurrency(3), &orders(12)).await;
    ran.assert_all("concurrent", Outcome::Accepted, Exit::Done);
    let ledger = sandbox.ledger();
    assert_eq!((ledger.calls, ledger.most_at_once), (6, 3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_connection_is_used_twice() {
    let peer = Peer::new(|visit| {
        // As a server does that would like to keep the connection.
        while let Some((_, request)) = visit.request() {
            visit.write(&measured("200 OK\r\nConnection: keep-alive\r\nKeep-Alive: timeout=60", &acceptance(&request)));
        }
    });
    let ran = run(to(peer.endpoint()), &orders(120)).await;
    ran.assert_all("kept alive", Outcome::Accepted, Exit::Done);
    assert_eq!((peer.connections(), peer.requests().len()), (3, 3));
}

// What goes wrong and passes.

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_passes_is_got_over() {
    let passing = [
        "connection-reset-before:times=1",
        "reset-after:times=1",
        "late:ms=10,times=1",
        "truncated:times=3",
        "http-500-html:times=3",
        "http-503:times=1",
        "http-429:times=2,after=0",
        "http-status:status=404,times=1",
        "html-200:times=1",
        "empty-200:times=1",
        "garbage:times=1",
        "redirect:times=1",
        "gzip-bomb:times=1,mb=20",
        "soap-fault-server:times=1",
        "call-error:times=1",
        "call-error:code=CodeOfTomorrow,times=1",
        "entity-bomb:times=1",
        "wrong-namespace:times=1",
        "drop-rows:times=3",
        "lost-row:times=2",
        "contradict-rows:times=1",
        "succeeded-missing:times=1",
        "wrong-types:times=1",
    ];
    let harmless = [
        "slow:ms=20",
        "gzip",
        "soap12-prefix",
        "nil",
        "double-rows",
        "reorder-rows",
        "unknown-row",
        "no-rows",
        "big-headers:kb=8",
        "slow-drip:ms=0",
    ];
    all_at_once(passing.into_iter().chain(harmless).map(|fault| async move {
        let sandbox = sandbox(&[fault]).await;
        run(to_sandbox(&sandbox), &orders(5)).await.assert_all(fault, Outcome::Accepted, Exit::Done);
        let orders = sandbox.ledger().orders;
        assert_eq!(orders.len(), 5, "{fault}");
        assert!(orders.values().all(|order| order.versions == 1), "{fault}: {orders:?}");
        if harmless.contains(&fault) {
            assert!(orders.values().all(|order| order.writes == 1), "{fault}: {orders:?}");
        }
    }))
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_is_not_answered_in_time_is_replayed() {
    all_at_once(["timeout:times=1", "timeout-unapplied:times=1"].map(|fault| async move {
        let sandbox = sandbox(&[fault]).await;
        let ran = run(to_sandbox(&sandbox).timeout(Duration::from_secs(2)), &orders(5)).await;
        ran.assert_all(fault, Outcome::Accepted, Exit::Done);
        assert_eq!((ran.summary.requests, sandbox.ledger().orders.len()), (2, 5), "{fault}");
    }))
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_what_is_in_doubt_is_replayed() {
    let sandbox = sandbox(&["drop-rows:number=PO-3,times=1"]).await;
    run(to_sandbox(&sandbox), &orders(5)).await.assert_all("one row missing", Outcome::Accepted, Exit::Done);
    let writes: Vec<u64> = sandbox.ledger().orders.values().map(|order| order.writes).collect();
    assert_eq!(writes, [1, 1, 2, 1, 1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pause_that_the_vendor_asks_for_is_kept() {
    let sandbox = sandbox(&["http-429:times=1,after=1"]).await;
    let began = Instant::now();
    run(to_sandbox(&sandbox), &orders(5)).await.assert_all("429", Outcome::Accepted, Exit::Done);
    assert!(began.elapsed() >= Duration::from_secs(1));
    assert_eq!(sandbox.ledger().calls, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_for_an_order_that_nobody_sent_is_told() {
    let sandbox = sandbox(&["unknown-row"]).await;
    let ran = run(to_sandbox(&sandbox), &orders(2)).await;
    assert!(ran.summary.notes.iter().any(|note| note.contains("SANDBOX-NOT-SENT")), "{:?}", ran.summary.notes);
}

// What goes wrong and stays so.

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_lasts_decides_the_outcome_and_the_exit_code() {
    let (doubt, refused, no) =
        ((Outcome::InDoubt, Exit::InDoubt), (Outcome::NotSent, Exit::Refused), (Outcome::Rejected, Exit::Documents));
    let cases = [
        ("reset-after", doubt),
        ("truncated", doubt),
        ("http-500-html", doubt),
        ("http-503", doubt),
        ("http-status:status=404", doubt),
        ("http-status:status=204", doubt),
        ("html-200", doubt),
        ("empty-200", doubt),
        ("garbage", doubt),
        ("redirect", doubt),
        ("big-headers:kb=1024", doubt),
        ("entity-bomb", doubt),
        ("soap-fault-server", doubt),
        ("wrong-namespace", doubt),
        ("contradict-rows", doubt),
        ("succeeded-missing", doubt),
        ("wrong-types", doubt),
        ("call-error", doubt),
        ("call-error:code=CodeOfTomorrow", doubt),
        ("http-status:status=401", refused),
        ("http-status:status=403", refused),
        ("call-error:code=EncryptionKeyFailedValidation", refused),
        ("call-error:code=PayerUnknown", refused),
        ("call-error:code=InvalidPayerIpAddress", refused),
        ("call-error:code=AuthorizationError", refused),
        ("http-429:after=0", (Outcome::NotSent, Exit::Temporary)),
        ("soap-fault-sender", no),
        ("soap11-fault", no),
        ("call-error:code=ValidationError", no),
        ("reject", no),
    ];
    all_at_once(cases.map(|(fault, (outcome, exit))| async move {
        let sandbox = sandbox(&[fault]).await;
        let ran = run(to_sandbox(&sandbox), &orders(5)).await;
        ran.assert_all(fault, outcome, exit);
        assert!(ran.items.iter().all(|item| item.faults.iter().any(|fault| fault.is_error())), "{fault}: nobody is told why");
        let expected = match (outcome, exit) {
            (Outcome::InDoubt, _) => 4,
            (_, Exit::Refused) => 1,
            // Five orders that nobody takes: all, 2 and 3, 1 and 1, 1 and 2, 1 and 1.
            _ if fault == "reject" => 1,
            (Outcome::Rejected, _) => 9,
            _ => 5,
        };
        assert_eq!((ran.summary.requests, sandbox.ledger().calls), (expected, expected), "{fault}");
        assert_eq!(sandbox.ledger().redirects_followed, 0, "{fault}");
    }))
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fault_of_one_order_is_the_outcome_of_that_order_alone() {
    let cases = [
        ("reject:number=PO-3", Outcome::Rejected, Exit::Documents),
        ("soap-fault-sender:number=PO-3", Outcome::Rejected, Exit::Documents),
        ("soap11-fault:number=PO-3", Outcome::Rejected, Exit::Documents),
        ("call-error:code=ParameterError,number=PO-3", Outcome::Rejected, Exit::Documents),
        ("drop-rows:number=PO-3", Outcome::Accepted, Exit::Done),
        ("succeeded-missing:number=PO-3", Outcome::InDoubt, Exit::InDoubt),
        ("wrong-types:number=PO-3", Outcome::InDoubt, Exit::InDoubt),
        ("contradict-rows:number=PO-3", Outcome::InDoubt, Exit::InDoubt),
    ];
    all_at_once(cases.map(|(fault, outcome, exit)| async move {
        let sandbox = sandbox(&[fault]).await;
        let ran = run(to_sandbox(&sandbox), &orders(5)).await;
        // A call whose only row is missing says OK without rows, and that is an answer.
        assert_eq!((ran.outcome("PO-3"), ran.exit()), (outcome, exit), "{fault}");
        let others = ["PO-1", "PO-2", "PO-4", "PO-5"];
        assert!(others.iter().all(|number| ran.outcome(number) == Outcome::Accepted), "{fault}");
        let orders = sandbox.ledger().orders;
        assert!(others.iter().all(|number| orders[*number].writes == 1), "{fault}: {orders:?}");
        assert_eq!(orders.contains_key("PO-3"), outcome != Outcome::Rejected, "{fault}");
    }))
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_guilty_among_many_are_found_by_halving() {
    let cases: [(&[&str], &[&str], u64); 4] = [
        (&["soap-fault-sender:number=PO-17"], &["PO-17"], 13),
        (&["call-error:code=ValidationError,number=PO-50"], &["PO-50"], 13),
        (&["soap-fault-sender:number=PO-1", "soap11-fault:number=PO-50"], &["PO-1", "PO-50"], 25),
        // A row that says why is lost, and with it the knowledge of whose it was.
        (&["reject:number=PO-17", "no-rows"], &["PO-17"], 13),
    ];
    all_at_once(cases.map(|(faults, guilty, most_requests)| async move {
        let sandbox = sandbox(faults).await;
        let ran = run(to_sandbox(&sandbox), &orders(50)).await;
        assert_eq!(ran.numbers(Outcome::Rejected), guilty.iter().copied().collect(), "{faults:?}");
        assert_eq!((ran.numbers(Outcome::Accepted).len(), ran.exit()), (50 - guilty.len(), Exit::Documents), "{faults:?}");
        assert!(ran.summary.requests <= most_requests, "{faults:?}: {} requests", ran.summary.requests);
        assert!(ran.item(guilty[0]).faults.iter().any(|fault| fault.rule == "TIP-VENDOR" && fault.vendor_code.is_some()));
        let orders = sandbox.ledger().orders;
        assert!(guilty.iter().all(|number| !orders.contains_key(*number)));
        assert_eq!(orders.len(), 50 - guilty.len(), "{faults:?}");
    }))
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_master_key_or_a_wrong_clock_stops_the_run_at_its_first_call() {
    let sandbox = sandbox(&[]).await;
    let target = || target(sandbox.ready().tipalti.endpoint);
    let wrong_key = hurry(target()).credentials(Secret::new("another"));
    let wrong_clock = hurry(target()).clock(|| 1_000_000_000_000);
    let wrong_payer = hurry(Tipalti { payer_name: "Somebody".to_owned(), ..target() });
    for (what, builder) in [("key", wrong_key), ("clock", wrong_clock), ("payer", wrong_payer)] {
        let ran = run(builder, &orders(120)).await;
        ran.assert_all(what, Outcome::NotSent, Exit::Refused);
        assert_eq!(ran.summary.requests, 1, "{what}");
        assert_eq!(ran.item("PO-1").faults[0].rule, "TIP-AUTH", "{what}");
    }
    assert_eq!((sandbox.ledger().calls, sandbox.ledger().orders.len()), (3, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_that_is_not_understood_stands_in_the_report_as_it_came() {
    let sandbox = sandbox(&["call-error:code=CodeOfTomorrow"]).await;
    let ran = run(to_sandbox(&sandbox), &orders(1)).await;
    let fault = &ran.item("PO-1").faults[0];
    assert_eq!(fault.rule, "DOC-DOUBT");
    assert!(fault.message.contains("CodeOfTomorrow"), "{}", fault.message);
    assert_eq!(fault.vendor_code.as_deref(), Some("CodeOfTomorrow"));
}

/// The settings that keep a fault small and quick.
fn in_small(fault: &str) -> String {
    match fault {
        "late" => "late:ms=20".to_owned(),
        "http-429" => "http-429:after=0".to_owned(),
        "huge-body" | "gzip-bomb" => format!("{fault}:mb=20"),
        "deep-xml" => "deep-xml:depth=100000".to_owned(),
        fault => fault.to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_fault_makes_a_report_untrue() {
    let lasting = FAULTS.iter().map(|(name, _)| in_small(name));
    let passing = FAULTS.iter().map(|(name, _)| {
        let fault = in_small(name);
        fault.clone() + if fault.contains(':') { "," } else { ":" } + "every=2"
    });
    all_at_once(lasting.chain(passing).map(|fault| async move {
        let sandbox = sandbox(&[&fault]).await;
        let target = Tipalti { batch_size: 3, ..target(sandbox.ready().tipalti.endpoint) };
        // Where answers come at all they are waited for, so that a busy machine adds no fault of its own.
        let never_ends = ["timeout", "slow"].iter().any(|name| fault.starts_with(name));
        let timeout = if never_ends { IMPATIENT } else { PATIENT };
        let ran = run(hurry(target).timeout(timeout).concurrency(3), &orders(7)).await;
        let taken = sandbox.ledger().orders;
        for number in ran.numbers(Outcome::Accepted) {
            assert!(taken.contains_key(number), "{fault}: {number} is called accepted");
        }
        for number in ran.numbers(Outcome::NotSent).into_iter().chain(ran.numbers(Outcome::Rejected)) {
            assert!(!taken.contains_key(number), "{fault}: {number} was taken");
        }
        assert!(taken.values().all(|order| order.versions == 1), "{fault}");
        let has = |outcome| !ran.numbers(outcome).is_empty();
        let expected = match (has(Outcome::InDoubt), has(Outcome::NotSent), has(Outcome::Rejected)) {
            (_, true, _) if ran.exit() == Exit::Refused => Exit::Refused,
            (true, ..) => Exit::InDoubt,
            (_, true, _) => Exit::Temporary,
            (.., true) => Exit::Documents,
            _ => Exit::Done,
        };
        assert_eq!(ran.exit(), expected, "{fault}");
    }))
    .await;
}

// Servers that mean harm, or know no better.

/// What a peer does with one connection.
type Talk = fn(&mut Visit);

fn answers_in_an_unusable_way() -> Vec<(&'static str, Talk)> {
    vec![
        ("closes after the request", |visit| drop(visit.request())),
        ("resets in the middle of the request", |visit| {
            let mut some = [0; 300];
            let _resets_by_not_reading_the_rest = visit.stream.read(&mut some);
        }),
        ("answers in another protocol", |visit| one(visit, b"\x16\x03\x03\x00\x02\x02\x28")),
        ("answers without a head", |visit| {
            if let Some((_, request)) = visit.request() {
                visit.write(acceptance(&request).as_bytes());
            }
        }),
        ("ends in its status line", |visit| one(visit, b"HTTP/1.1 200")),
        ("ends in its head", |visit| one(visit, b"HTTP/1.1 200 OK\r\nContent-Type: application/so")),
        ("ends before its body", |visit| one(visit, b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n")),
        ("says two lengths", |visit| one(visit, b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n<a/>")),
        ("cuts a body of known length", |visit| cut(visit, "\r\nContent-Length: 9999")),
        ("cuts a body of unknown length", |visit| cut(visit, "")),
        ("cuts a chunk", |visit| cut(visit, "\r\nTransfer-Encoding: chunked\r\n\r\n270f\r\nX: ")),
        ("cuts between chunks", |visit| one(visit, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n<a>\r\n")),
        ("counts its chunks in nonsense", |visit| {
            one(visit, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nmany\r\n<a/>\r\n0\r\n\r\n")
        }),
        ("calls gzip what is none", |visit| {
            if let Some((_, request)) = visit.request() {
                visit.write(&measured("200 OK\r\nContent-Encoding: gzip", &acceptance(&request)));
            }
        }),
        ("cuts a gzip body", |visit| {
            one(visit, b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff\x00\x40\x00\xbf\xff<soap:");
        }),
        ("switches protocols", |visit| {
            one(visit, b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n")
        }),
        ("has no content", |visit| one(visit, b"HTTP/1.1 204 No Content\r\n\r\n")),
        ("has nothing new", |visit| one(visit, b"HTTP/1.1 304 Not Modified\r\n\r\n")),
        ("accepts under HTTP 500", |visit| {
            if let Some((_, request)) = visit.request() {
                visit.write(&measured("500 Internal Server Error", &acceptance(&request)));
            }
        }),
        ("accepts the orders of others", |visit| {
            if let Some((_, request)) = visit.request() {
                visit.write(&measured("200 OK", &acceptance(&request.replace("PO-", "po-"))));
            }
        }),
    ]
}

/// Reads the request and answers with these bytes.
fn one(visit: &mut Visit, bytes: &[u8]) {
    if visit.request().is_some() {
        visit.write(bytes);
        visit.finish();
    }
}

/// Answers rightly under these headers, but for the last few bytes.
fn cut(visit: &mut Visit, headers: &str) {
    if let Some((_, request)) = visit.request() {
        let whole = answer(&format!("200 OK{headers}"), &acceptance(&request));
        visit.write(&whole[..whole.len() - 5]);
        visit.finish();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unusable_answer_leaves_orders_in_doubt_and_costs_one_request_an_attempt() {
    all_at_once(answers_in_an_unusable_way().into_iter().map(|(what, talk)| async move {
        let peer = Peer::new(talk);
        let ran = run(to(peer.endpoint()), &orders(3)).await;
        ran.assert_all(what, Outcome::InDoubt, Exit::InDoubt);
        assert_eq!((ran.summary.requests, peer.connections()), (4, 4), "{what}");
        let whole = peer.requests().len();
        assert!(whole == 4 || (whole == 0 && what.contains("middle of the request")), "{what}: {whole} requests");
    }))
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_does_not_come_to_an_end_is_given_up_in_time() {
    let never_ends: [(&str, Talk); 6] = [
        ("says nothing", |visit| {
            visit.request();
            visit.request();
        }),
        ("continues for ever", |visit| endless(visit, b"", b"HTTP/1.1 100 Continue\r\n\r\n")),
        ("has headers for ever", |visit| endless(visit, b"HTTP/1.1 200 OK\r\n", b"X-Padding: x\r\n")),
        ("is one header for ever", |visit| endless(visit, b"HTTP/1.1 200 OK\r\nX-Padding: ", b"xxxxxxxxxxxxxxxx")),
        ("has tiny chunks for ever", |visit| {
            endless(visit, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n");
        }),
        ("drips its head", |visit| drip(visit, b"HTTP/1.1 200 OK\r\n")),
    ];
    all_at_once(never_ends.map(|(what, talk)| async move {
        let peer = Peer::new(talk);
        let began = Instant::now();
        run(to(peer.endpoint()).timeout(IMPATIENT), &orders(3)).await.assert_all(what, Outcome::InDoubt, Exit::InDoubt);
        assert!(began.elapsed() < Duration::from_secs(20), "{what}: {:?}", began.elapsed());
        // On a machine that is busy, a call may time out before it has left, and then it is made again.
        assert!((4..=6).contains(&peer.connections()), "{what}: {}", peer.connections());
    }))
    .await;
}

/// Answers with the head and then with the rest over and over, until the other side has enough.
fn endless(visit: &mut Visit, head: &[u8], rest: &[u8]) {
    if visit.request().is_some() {
        let rest = rest.repeat(64);
        let mut goes_on = visit.write(head);
        while goes_on {
            goes_on = visit.write(&rest);
        }
    }
}

/// Answers with a byte now and then, header after header.
fn drip(visit: &mut Visit, head: &[u8]) {
    if visit.request().is_some() {
        let padding = b"X-Padding: x\r\n".iter().cycle();
        for byte in head.iter().chain(padding) {
            if !visit.write(&[*byte]) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn huge_answers_cost_bounded_time_and_memory() {
    let before = peak_memory();
    for (fault, timeout) in [
        ("huge-body:mb=100", PATIENT),
        ("endless", PATIENT),
        ("gzip-bomb:mb=4096", PATIENT),
        ("deep-xml:depth=1000000", PATIENT),
        ("big-headers:kb=16384", PATIENT),
        ("slow-drip:ms=20", IMPATIENT),
    ] {
        let sandbox = sandbox(&[fault]).await;
        let began = Instant::now();
        run(to_sandbox(&sandbox).timeout(timeout), &orders(3)).await.assert_all(fault, Outcome::InDoubt, Exit::InDoubt);
        assert!(began.elapsed() < Duration::from_secs(20), "{fault}: {:?}", began.elapsed());
    }
    // The other tests of this process need some of it.
    if let (Some(before), Some(after)) = (before, peak_memory()) {
        assert!(after - before < 1024 << 10, "{} MiB", (after - before) >> 10);
    }
}

/// The most memory that the process ever had, in KiB, where the system tells.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.trim().parse().ok())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redirect_is_never_followed() {
    let elsewhere = Arc::new(Peer::answering(|_, request| measured("200 OK", &acceptance(request))));
    let statuses = ["301 Moved", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent Redirect"];
    all_at_once(statuses.map(|status| {
        let elsewhere = Arc::clone(&elsewhere);
        async move {
            let head = format!("{status}\r\nLocation: {}\r\nContent-Length: 0", elsewhere.endpoint());
            let peer = Peer::answering(move |_, _| answer(&head, ""));
            run(to(peer.endpoint()), &orders(2)).await.assert_all(status, Outcome::InDoubt, Exit::InDoubt);
            assert_eq!(peer.requests().len(), 4, "{status}");
        }
    }))
    .await;
    assert_eq!(elsewhere.connections(), 0);
}

// What never leaves.

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_leave_is_not_sent() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let plain = Peer::new(|visit| {
        // What a TLS client says first is no request; it is kept as if it were one.
        let mut bytes = vec![0; 64 << 10];
        let read = visit.stream.read(&mut bytes).unwrap_or_default();
        visit.seen.requests.lock().unwrap().push(String::from_utf8_lossy(&bytes[..read]).into_owned());
        visit.write(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    let endpoints = [
        ("refused", format!("http://{closed}/v6/payerfunctions.asmx")),
        ("no such host", "http://payables-bridge.invalid/v6/payerfunctions.asmx".to_owned()),
        ("no TLS", plain.endpoint().replace("http:", "https:")),
    ];
    all_at_once(endpoints.map(|(what, endpoint)| async move {
        let ran = run(to(endpoint).timeout(Duration::from_secs(5)), &orders(120)).await;
        ran.assert_all(what, Outcome::NotSent, Exit::Temporary);
        assert_eq!(ran.item("PO-1").faults[0].rule, "DOC-NOT-SENT", "{what}");
    }))
    .await;
    assert!(plain.connections() > 0);
    assert!(plain.requests().iter().all(|bytes| !bytes.contains("Purchase") && !bytes.contains("POST")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_transport_tells_what_left_from_what_did_not() {
    let http = Http::new(PATIENT).unwrap();
    let request = |url: String| {
        let headers = vec![("content-type", "text/plain".to_owned())];
        WireRequest { url, headers, body: b"<a/>".to_vec(), ..WireRequest::default() }
    };
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let refused = http.send(request(format!("http://{closed}/")), always()).await;
    assert!(matches!(refused, Err(SendError::NotSent(_))), "{refused:?}");
    let unusable = http.send(request("no address".to_owned()), always()).await;
    assert!(matches!(unusable, Err(SendError::NotSent(_))), "{unusable:?}");
    let closes = Peer::new(|visit| drop(visit.request()));
    let broken = http.send(request(closes.endpoint()), always()).await;
    assert!(matches!(broken, Err(SendError::MaybeSent(_))), "{broken:?}");
    let silent = Peer::new(|visit| while visit.request().is_some() {});
    let late = Http::new(IMPATIENT).unwrap().send(request(silent.endpoint()), always()).await;
    assert!(matches!(late, Err(SendError::MaybeSent(_))), "{late:?}");
    let says_no = Peer::answering(|_, _| measured("418 I'm a teapot", "no"));
    let response = http.send(request(says_no.endpoint()), always()).await.unwrap();
    let headers = vec![("content-type", "application/soap+xml; charset=utf-8".to_owned())];
    assert_eq!(response, WireResponse { status: 418, headers, retry_after: None, body: b"no".to_vec() });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn retry_after_is_read_in_all_its_forms() {
    let http = Http::new(PATIENT).unwrap();
    for (value, expected) in [
        ("7", Some(7)),
        ("0", Some(0)),
        ("86400", Some(86_400)),
        ("Wed, 21 Oct 2015 07:28:00 GMT", Some(0)),
        ("-7", None),
        ("7.5", None),
        ("soon", None),
        ("", None),
        ("99999999999999999999999999", None),
        ("\u{fc}", None),
    ] {
        let peer = Peer::answering(move |_, _| measured(&format!("429 Too Many Requests\r\nRetry-After: {value}"), ""));
        let request = WireRequest { url: peer.endpoint(), ..WireRequest::default() };
        let response = http.send(request, always()).await.unwrap();
        assert_eq!((response.status, response.retry_after), (429, expected.map(Duration::from_secs)), "{value:?}");
    }
}

// Stopping.

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_run_finishes_what_is_in_flight_and_leaves_the_rest() {
    let (arrived, (release, released)) = (Arc::new(Notify::new()), mpsc::channel());
    let (arrives, released) = (Arc::clone(&arrived), Mutex::new(released));
    let peer = Peer::answering(move |_, request| {
        arrives.notify_one();
        released.lock().unwrap().recv().unwrap();
        measured("200 OK", &acceptance(request))
    });
    let bridge = to(peer.endpoint()).build().unwrap();
    let stopper = bridge.stopper();
    let running = tokio::spawn(async move { sync(&bridge, &[&orders(120)]).await });
    arrived.notified().await;
    stopper.stop();
    release.send(()).unwrap();
    let ran = running.await.unwrap();
    let (sent, left): (Vec<_>, Vec<_>) =
        (1..=120).map(|n| ran.outcome(&format!("PO-{n}"))).partition(|outcome| *outcome == Outcome::Accepted);
    assert_eq!((sent.len(), left), (50, vec![Outcome::NotSent; 70]));
    assert_eq!((ran.exit(), peer.requests().len()), (Exit::Temporary, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_is_stopped_before_it_sends_sends_nothing() {
    let sandbox = sandbox(&[]).await;
    let bridge = to_sandbox(&sandbox).build().unwrap();
    bridge.stopper().stop();
    sync(&bridge, &[&orders(120)]).await.assert_all("stopped", Outcome::NotSent, Exit::Temporary);
    assert_eq!(sandbox.ledger().requests, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_is_stopped_before_a_replay_leaves_the_doubt_standing() {
    let arrived = Arc::new(Notify::new());
    let arrives = Arc::clone(&arrived);
    let peer = Peer::answering(move |_, _| {
        arrives.notify_one();
        measured("500 Internal Server Error", "")
    });
    let bridge = to(peer.endpoint()).replay_after(Duration::from_secs(3600)).build().unwrap();
    let stopper = bridge.stopper();
    let running = tokio::spawn(async move { sync(&bridge, &[&orders(3)]).await });
    arrived.notified().await;
    stopper.stop();
    running.await.unwrap().assert_all("stopped", Outcome::InDoubt, Exit::InDoubt);
    assert_eq!(peer.requests().len(), 1);
}

// What is never sent at all.

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_empty_input_stops_everything_unless_it_is_allowed() {
    let sandbox = sandbox(&[]).await;
    let bridge = to_sandbox(&sandbox).build().unwrap();
    let ran = sync(&bridge, &[""]).await;
    assert_eq!((ran.items.len(), ran.exit()), (0, Exit::Nothing));
    assert!(ran.summary.notes[0].contains("orders.jsonl"), "{:?}", ran.summary.notes);
    sync(&bridge, &[&orders(2), ""]).await.assert_all("one of two is empty", Outcome::Held, Exit::Nothing);
    assert_eq!(sync(&bridge, &["[]"]).await.exit(), Exit::Done, "an empty list is an answer");
    assert_eq!(sandbox.ledger().requests, 0);
    let bridge = to_sandbox(&sandbox).allow_empty(true).build().unwrap();
    sync(&bridge, &[&orders(2), ""]).await.assert_all("allowed", Outcome::Accepted, Exit::Done);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_orders_with_one_number_the_same_goes_once_and_the_different_not_at_all() {
    let peer = Peer::answering(|_, request| measured("200 OK", &acceptance(request)));
    let same = order("PO-1").replace(r#""quantity":"2""#, r#""quantity":2.00"#);
    let other = order_with("PO-2", r#""status":"closed","#);
    let faulty = order("PO-4").replace("EUR", "");
    assert!(same != order("PO-1") && faulty != order("PO-4"));
    let first = [order("PO-1"), order("PO-2"), same, faulty].join("\n");
    let second = [order("PO-3"), other, order("PO-2")].join("\n");
    let ran = sync(&to(peer.endpoint()).build().unwrap(), &[&first, &second]).await;
    let mut outcomes: Vec<_> = ran.items.iter().map(|item| (item.number.as_deref().unwrap(), item.outcome)).collect();
    outcomes.sort();
    let held = ("PO-2", Outcome::Held);
    let expected = [
        ("PO-1", Outcome::Unchanged),
        ("PO-1", Outcome::Accepted),
        held,
        held,
        held,
        ("PO-3", Outcome::Accepted),
        ("PO-4", Outcome::Invalid),
    ];
    assert_eq!(outcomes, expected);
    assert_eq!(ran.exit(), Exit::Documents);
    let requests = peer.requests();
    assert_eq!(requests.iter().flat_map(|request| numbers_in(request)).collect::<Vec<_>>(), ["PO-1", "PO-3"]);
    assert!(requests.iter().all(|request| !request.contains("PO-2") && !request.contains("<Status>Closed")));
}

// Secrets.

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_master_key_is_told_to_nobody() {
    let peer = Peer::answering(|_, request| measured("400 Bad Request", request));
    let sandbox = sandbox(&["reject:number=PO-1", "call-error:number=PO-2", "drop-rows:number=PO-3"]).await;
    let builders = [to_sandbox(&sandbox), to(peer.endpoint()), to("http://127.0.0.1:1/"), to("no address")];
    all_at_once(builders.map(|builder| async move {
        let Ran { items, summary } = run(builder, &orders(3)).await;
        let json = serde_json::to_string(&items).unwrap() + &serde_json::to_string(&summary).unwrap();
        let told = format!("{items:?} {summary:?} {json}");
        assert!(told.contains("PO-3") && !told.contains(MASTER_KEY), "{told}");
    }))
    .await;
    assert!(peer.requests().len() == 4 && peer.requests().iter().all(|request| !request.contains(MASTER_KEY)));
    let target = payables_bridge::vendors::Vendor::Tipalti(target(sandbox.ready().tipalti.endpoint));
    assert!(!format!("{target:?} {:?} {:?} {:?}", Secret::new(MASTER_KEY), sandbox, sandbox.ready()).contains(MASTER_KEY));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_vendor_that_repeats_the_call_does_not_bring_its_key_into_the_report() {
    // Long texts are cut before they are told, and a cut must not make a key unrecognisable.
    const WORDS_BEFORE: [usize; 5] = [0, 20, 38, 640, 663];
    let peer = Peer::answering(|nth, request| {
        let (words, key) = ("so ".repeat(WORDS_BEFORE[nth / 2]), between(request, "<key>", "</key>"));
        let said = format!("Failed validation: {words}{key}.");
        if nth % 2 == 0 {
            let result = format!("<errorMessage>{said}</errorMessage><errorCode>EncryptionKeyFailedValidation</errorCode>");
            return measured("200 OK", &reply(&result));
        }
        let fault = format!("<s:Fault><faultcode>s:Client</faultcode><faultstring>{said}</faultstring></s:Fault>");
        let namespace = "http://schemas.xmlsoap.org/soap/envelope/";
        let envelope = format!("<s:Envelope xmlns:s=\"{namespace}\"><s:Body>{fault}</s:Body></s:Envelope>");
        measured("500 Internal Server Error", &envelope)
    });
    for words in WORDS_BEFORE {
        for outcome in [Outcome::NotSent, Outcome::Rejected] {
            let ran = run(to(peer.endpoint()), &orders(1)).await;
            assert_eq!(ran.outcome("PO-1"), outcome);
            let requests = peer.requests();
            let begins = &between(requests.last().unwrap(), "<key>", "</key>")[..16];
            let told = serde_json::to_string(&ran.items).unwrap() + &serde_json::to_string(&ran.summary).unwrap();
            assert!(told.contains("Failed validation") && !told.contains(begins), "{words} words before it: {told}");
        }
    }
}

// A transport of one's own, and a clock that does not make anybody wait.

/// What comes back for the so-many-th call with this body.
type Script = dyn Fn(usize, &str) -> Result<WireResponse, SendError> + Send + Sync;

/// Answers from a script, and remembers what was sent and when.
struct Scripted {
    answer: Box<Script>,
    sent: Mutex<Vec<(tokio::time::Instant, String)>>,
}

impl Scripted {
    fn new(answer: impl Fn(usize, &str) -> Result<WireResponse, SendError> + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self { answer: Box::new(answer), sent: Mutex::default() })
    }

    /// When calls were made, counted from the first.
    fn times(&self) -> Vec<Duration> {
        let sent = self.sent.lock().unwrap();
        sent.iter().map(|(at, _)| *at - sent[0].0).collect()
    }
}

impl Transport for Scripted {
    fn send(&self, request: WireRequest, _: Permit) -> Sending<'_> {
        Box::pin(async move {
            let body = String::from_utf8(request.body).unwrap();
            let nth = {
                let mut sent = self.sent.lock().unwrap();
                sent.push((tokio::time::Instant::now(), body.clone()));
                sent.len() - 1
            };
            (self.answer)(nth, &body)
        })
    }
}

fn responds(status: u16, body: impl Into<String>) -> Result<WireResponse, SendError> {
    Ok(WireResponse { status, headers: vec![], retry_after: None, body: body.into().into_bytes() })
}

fn too_many(seconds: u64) -> Result<WireResponse, SendError> {
    Ok(WireResponse { status: 429, headers: vec![], retry_after: Some(Duration::from_secs(seconds)), body: Vec::new() })
}

fn over(transport: &Arc<Scripted>, batch_size: usize) -> BridgeBuilder {
    let target = Tipalti { batch_size, ..target("https://vendor.example/".to_owned()) };
    hurry(target).transport(Arc::clone(transport) as Arc<dyn Transport>).replay_after(Duration::from_secs(30))
}

#[tokio::test(start_paused = true)]
async fn a_transport_of_ones_own_can_take_the_place_of_the_network() {
    let transport = Scripted::new(|_, body| responds(200, acceptance(body)));
    run(over(&transport, 2), &orders(5)).await.assert_all("scripted", Outcome::Accepted, Exit::Done);
    let sent = transport.sent.lock().unwrap();
    let numbers: Vec<_> = sent.iter().map(|(_, body)| numbers_in(body)).collect();
    assert_eq!(numbers, [vec!["PO-1", "PO-2"], vec!["PO-3", "PO-4"], vec!["PO-5"]]);
}

#[tokio::test(start_paused = true)]
async fn replays_are_three_and_keep_their_distance() {
    let transport = Scripted::new(|_, _| responds(502, ""));
    run(over(&transport, 50), &orders(3)).await.assert_all("502", Outcome::InDoubt, Exit::InDoubt);
    let times = transport.times();
    assert_eq!(times.len(), 4);
    assert!(times.windows(2).all(|pair| pair[1] - pair[0] >= Duration::from_secs(30)), "{times:?}");
}

#[tokio::test(start_paused = true)]
async fn a_vendor_that_is_always_busy_is_left_alone_in_the_end() {
    for (what, answer) in [
        ("a code", responds(200, reply("<errorCode>RequestLimitReached</errorCode>"))),
        ("a status", responds(429, "")),
        ("a status with a pause", too_many(120)),
        ("a status with a pause of a year", too_many(31_536_000)),
        ("a status with a pause without end", too_many(u64::MAX)),
    ] {
        let transport = Scripted::new(move |_, _| answer.clone());
        run(over(&transport, 50), &orders(3)).await.assert_all(what, Outcome::NotSent, Exit::Temporary);
        let times = transport.times();
        assert_eq!(times.len(), 5, "{what}");
        let longest = times.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
        assert!((Duration::from_secs(100)..Duration::from_secs(600)).contains(&longest), "{what}: {times:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_the_vendor_asks_for_holds_for_every_call() {
    let transport = Scripted::new(|nth, body| if nth == 0 { too_many(7) } else { responds(200, acceptance(body)) });
    run(over(&transport, 2), &orders(6)).await.assert_all("429", Outcome::Accepted, Exit::Done);
    let times = transport.times();
    assert_eq!(times.len(), 4);
    assert!(times[1] >= Duration::from_secs(7), "{times:?}");
}

#[tokio::test(start_paused = true)]
async fn a_vendor_that_answers_nothing_of_use_gets_no_new_orders() {
    let transport = Scripted::new(|_, _| responds(200, "<html></html>"));
    let ran = run(over(&transport, 1), &orders(20)).await;
    assert_eq!((ran.numbers(Outcome::InDoubt).len(), ran.numbers(Outcome::NotSent).len()), (5, 15));
    assert_eq!(ran.exit(), Exit::InDoubt);
    assert!(ran.summary.notes.iter().any(|note| note.starts_with("stopped early")), "{:?}", ran.summary.notes);
    let sent = transport.sent.lock().unwrap();
    let numbers: BTreeSet<_> = sent.iter().flat_map(|(_, body)| numbers_in(body)).collect();
    assert_eq!(numbers, ran.numbers(Outcome::InDoubt), "what is in doubt is what was sent");
}

#[tokio::test(start_paused = true)]
async fn what_may_have_arrived_once_is_never_called_not_sent() {
    for (what, later) in [
        ("the line is cut", Err(SendError::NotSent("no route".to_owned()))),
        ("the key is refused", responds(403, "")),
        ("the vendor is busy", responds(429, "")),
    ] {
        let transport =
            Scripted::new(move |nth, _| if nth == 0 { Err(SendError::MaybeSent("reset".to_owned())) } else { later.clone() });
        let ran = run(over(&transport, 50), &orders(2)).await;
        let exit = if what.contains("key") { Exit::Refused } else { Exit::InDoubt };
        ran.assert_all(what, Outcome::InDoubt, exit);
        assert!(ran.item("PO-1").faults[0].message.contains("reset"), "{what}: {:?}", ran.item("PO-1").faults);
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_caller_makes_no_further_call() {
    let transport = Scripted::new(|nth, body| if nth == 0 { responds(200, acceptance(body)) } else { responds(403, "") });
    let ran = run(over(&transport, 2), &orders(9)).await;
    assert_eq!(ran.numbers(Outcome::Accepted), BTreeSet::from(["PO-1", "PO-2"]));
    assert_eq!((ran.numbers(Outcome::NotSent).len(), ran.exit()), (7, Exit::Refused));
    assert_eq!(transport.times().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_a_vendor_says_at_length_is_not_said_for_every_order_at_length() {
    let long = "x".repeat(1 << 20);
    for (what, result) in [
        ("a message", format!("<errorMessage>{long}</errorMessage><errorCode>AuthorizationError</errorCode>")),
        ("a code", format!("<errorCode>{long}</errorCode>")),
    ] {
        let transport = Scripted::new(move |_, _| responds(200, reply(&result)));
        let ran = run(over(&transport, 250), &orders(250)).await;
        let told: usize = ran.items.iter().map(|item| serde_json::to_vec(item).unwrap().len()).sum();
        assert!(told < 8 << 20, "{what}: {} MiB", told >> 20);
    }
}

#[tokio::test(start_paused = true)]
async fn rows_that_are_missing_do_not_end_a_run_that_is_answered() {
    // Every call of several orders misses its last row; its replay brings it.
    let transport = Scripted::new(|_, body| {
        let answer = acceptance(body);
        let last = answer.rfind("<TipaltiPurchaseOrderItemResult>").unwrap();
        let end = answer.find("</PurchaseOrderErrors>").unwrap();
        let is_one = numbers_in(body).len() == 1;
        responds(200, if is_one { answer } else { format!("{}{}", &answer[..last], &answer[end..]) })
    });
    run(over(&transport, 3), &orders(30)).await.assert_all("missing rows", Outcome::Accepted, Exit::Done);
    assert_eq!(transport.times().len(), 20);
}

#[tokio::test(start_paused = true)]
async fn a_vendor_that_recovers_gets_the_rest() {
    let transport = Scripted::new(|nth, body| if nth < 5 { responds(502, "") } else { responds(200, acceptance(body)) });
    run(over(&transport, 2), &orders(40)).await.assert_all("recovered", Outcome::Accepted, Exit::Done);
}

#[tokio::test(start_paused = true)]
async fn a_line_that_is_down_stops_new_calls_until_it_is_up() {
    let transport =
        Scripted::new(
            |nth, body| {
                if nth == 0 { Err(SendError::NotSent("no route".to_owned())) } else { responds(200, acceptance(body)) }
            },
        );
    run(over(&transport, 2).concurrency(3), &orders(6)).await.assert_all("up again", Outcome::Accepted, Exit::Done);
    // The wait is drawn from the first second. Nothing is begun meanwhile but what was on its way, and then one at a time.
    let times = transport.times();
    assert!(times.len() == 4 && times[2] == Duration::ZERO && times[3] > Duration::ZERO, "{times:?}");
}

#[tokio::test(start_paused = true)]
async fn a_refused_caller_stops_the_calls_that_wait_for_their_turn() {
    let transport = Scripted::new(|_, _| responds(403, ""));
    let ran = run(over(&transport, 1).concurrency(8).pace(2, 1), &orders(20)).await;
    ran.assert_all("refused", Outcome::NotSent, Exit::Refused);
    assert_eq!((transport.times().len(), ran.summary.requests), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn calls_that_wait_together_are_not_made_together() {
    let transport = Scripted::new(|_, _| too_many(1));
    let ran = run(over(&transport, 1).concurrency(8), &orders(40)).await;
    ran.assert_all("busy", Outcome::NotSent, Exit::Temporary);
    // Eight were on their way when the first pause was asked for; after that one asks at a time.
    assert!(transport.times().len() <= 8 + 5, "{}", transport.times().len());
}

#[tokio::test(start_paused = true)]
async fn a_cause_that_is_not_in_the_orders_does_not_take_a_night_to_find() {
    let transport = Scripted::new(|_, _| responds(200, reply("<errorCode>ValidationError</errorCode>")));
    let ran = run(over(&transport, 50), &orders(1000)).await;
    assert!((100..=150).contains(&ran.numbers(Outcome::Rejected).len()), "{}", ran.numbers(Outcome::Rejected).len());
    assert_eq!(ran.numbers(Outcome::Rejected).len() + ran.numbers(Outcome::NotSent).len(), 1000);
    assert_eq!(ran.exit(), Exit::Temporary);
}

#[tokio::test(start_paused = true)]
async fn one_pause_that_many_calls_are_asked_for_is_one_pause() {
    let transport = Scripted::new(|nth, body| if nth < 8 { too_many(3) } else { responds(200, acceptance(body)) });
    run(over(&transport, 1).concurrency(8), &orders(40)).await.assert_all("a burst", Outcome::Accepted, Exit::Done);
    assert!(transport.times()[8] >= Duration::from_secs(3), "{:?}", transport.times());
}

#[tokio::test(start_paused = true)]
async fn a_payee_that_nobody_vouched_for_is_held_by_default() {
    let transport = Scripted::new(|_, body| responds(200, acceptance(body)));
    let order = crate::support::order_with("PO-1", "\"seller\":{\"id\":\"V-1\"},");
    let ran = run(over(&transport, 1), &order).await;
    assert_eq!((ran.outcome("PO-1"), transport.times().len()), (Outcome::Held, 0));
}

#[tokio::test(start_paused = true)]
async fn what_the_vendor_may_have_is_not_forgotten_because_something_newer_was_refused() {
    let transport = Scripted::new(|nth, body| match nth {
        1..=4 => responds(502, ""),
        5 => {
            let row = "<Succeeded>false</Succeeded><PurchaseOrderNumber>PO-1</PurchaseOrderNumber>";
            let row = format!("<TipaltiPurchaseOrderItemResult>{row}</TipaltiPurchaseOrderItemResult>");
            responds(200, reply(&format!("<errorCode>OK</errorCode><PurchaseOrderErrors>{row}</PurchaseOrderErrors>")))
        }
        _ => responds(200, acceptance(body)),
    });
    let bridge = over(&transport, 1).quarantine(Duration::ZERO).build().unwrap();
    let version = |more: &str, number: &str| order_with("PO-1", more).replace("Paper", number);
    let mut outcomes = Vec::new();
    // Closed, and accepted; in doubt; refused; and then one that would open it again unseen.
    for (more, note) in
        [("\"status\":\"closed\",", "1"), ("\"status\":\"closed\",", "2"), ("\"status\":\"closed\",", "3"), ("", "4")]
    {
        let ran = sync(&bridge, &[&version(more, note)]).await;
        outcomes.push(ran.outcome("PO-1"));
    }
    assert_eq!(outcomes, [Outcome::Accepted, Outcome::InDoubt, Outcome::Rejected, Outcome::Held]);
}
