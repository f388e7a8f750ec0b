//! The sandbox over real sockets, with a client that knows no more than HTTP/1.1 bytes.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::tipalti::tests::{envelope, order};
use super::*;

async fn start(faults: &[&str]) -> Sandbox {
    let faults = faults.iter().map(|fault| fault.parse().unwrap()).collect();
    Sandbox::start(Options { faults, ..Options::default() }).await.unwrap()
}

fn post(sandbox: &Sandbox, numbers: &[&str]) -> String {
    let ready = sandbox.ready().tipalti;
    let orders: Vec<String> = numbers.iter().map(|number| order(number)).collect();
    let body = envelope(&ready.payer_name, &ready.master_key, &orders);
    format!(
        "POST /V6/PayerFunctions.asmx HTTP/1.1\r\nHost: x\r\nContent-Type: application/soap+xml; charset=utf-8\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Sends the bytes and reads up to this many of the answer, until it ends, breaks or takes too long.
pub(super) async fn exchange(sandbox: &Sandbox, request: String, most: u64) -> (std::io::Result<()>, String) {
    let addr = sandbox.addr();
    let talk = move || {
        let mut stream = TcpStream::connect(addr).unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        let mut chunk = [0; 65_536];
        let ended = loop {
            match stream.read(&mut chunk) {
                Ok(0) => break Ok(()),
                Ok(read) => answer.extend_from_slice(&chunk[..read]),
                Err(error) => break Err(error),
            }
            if answer.len() as u64 >= most {
                break Ok(());
            }
        };
        (ended, String::from_utf8_lossy(&answer).into_owned())
    };
    tokio::task::spawn_blocking(talk).await.unwrap()
}

async fn answer(sandbox: &Sandbox, request: String) -> String {
    let closing = request.replacen("\r\n", "\r\nConnection: close\r\n", 1);
    exchange(sandbox, closing, 1 << 20).await.1
}

/// The answer to a call of one order under this fault.
async fn under(fault: &str) -> String {
    let sandbox = start(&[fault]).await;
    let request = post(&sandbox, &["PO-1"]);
    let answer = answer(&sandbox, request).await;
    sandbox.stop().await;
    answer
}

#[tokio::test]
async fn a_healthy_sandbox_takes_orders_over_one_connection() {
    let sandbox = start(&[]).await;
    let first = post(&sandbox, &["PO-1"]);
    let answer = answer(&sandbox, first).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains("content-type: application/soap+xml; charset=utf-8\r\n"));
    assert!(answer.contains("<Succeeded>true</Succeeded><PurchaseOrderNumber>PO-1</PurchaseOrderNumber>"));
    let second = exchange(&sandbox, post(&sandbox, &["PO-2"]) + &post(&sandbox, &["PO-3"]), 1 << 20).await.1;
    assert_eq!(second.matches("<errorCode>OK</errorCode>").count(), 2);
    let ledger = sandbox.ledger();
    assert_eq!(ledger.orders.keys().collect::<Vec<_>>(), ["PO-1", "PO-2", "PO-3"]);
    assert_eq!((ledger.requests, ledger.calls), (3, 3));
    sandbox.stop().await;
}

#[tokio::test]
async fn it_listens_on_loopback_only_and_tells_where() {
    let anywhere = Options { listen: "0.0.0.0:0".parse().unwrap(), ..Options::default() };
    assert_eq!(Sandbox::start(anywhere).await.unwrap_err().kind(), io::ErrorKind::InvalidInput);
    let amazon = AmazonOptions {
        client_id: "app".to_owned(),
        client_secret: "hidden".to_owned(),
        refresh_token: "hidden".to_owned(),
        ..AmazonOptions::default()
    };
    let options = Options { master_key: "hidden".to_owned(), amazon, ..Options::default() };
    assert!(!format!("{options:?}").contains("hidden"));
    let sandbox = Sandbox::start(options).await.unwrap();
    let ready = sandbox.ready();
    let shown = format!("{sandbox:?} {ready:?}");
    assert!(!shown.contains("hidden") && !shown.contains(&ready.aws.secret_access_key), "{shown}");
    let line = serde_json::to_string(&ready).unwrap();
    let aws = serde_json::to_string(&ready.aws).unwrap();
    assert_eq!((&*ready.aws.endpoint, &*ready.aws.region), (&*format!("http://{}", sandbox.addr()), "us-east-1"));
    assert!(ready.aws.access_key_id.starts_with("AKIA") && ready.aws.secret_access_key.len() == 40);
    let addr = sandbox.addr();
    let expected = format!(
        r#"{{"tipalti":{{"endpoint":"http://{addr}/v6/payerfunctions.asmx","payer_name":"SandboxPayer","master_key":"hidden"}},"amazon-vendor":{{"endpoint":"http://{addr}","token_endpoint":"http://{addr}/auth/o2/token","client_id":"app","client_secret":"hidden","refresh_token":"hidden"}},"aws-invoicing":{aws}}}"#
    );
    assert_eq!(line, expected);
}

#[tokio::test]
async fn what_is_not_a_call_is_turned_away() {
    let sandbox = start(&[]).await;
    let good = post(&sandbox, &["PO-1"]);
    for (from, to, status) in [
        ("/V6/PayerFunctions.asmx", "/v6/payeefunctions.asmx", "404"),
        ("/V6/", "/vX/", "404"),
        ("/V6/", "/v14/", "200"),
        ("POST", "PUT", "405"),
        ("application/soap+xml; charset=utf-8", "text/xml; charset=utf-8", "415"),
        ("application/soap+xml; charset=utf-8", "application/soap+xml", "415"),
        ("application/soap+xml; charset=utf-8", "application/soap+xml; charset=\"UTF-8\"; action=\"x\"", "200"),
        ("Host: x\r\n", "Host: x\r\nContent-Encoding: gzip\r\n", "415"),
        ("Content-Length: ", "Content-Length: 99999", "413"),
        ("http://www.w3.org/2003/05/soap-envelope", "http://schemas.xmlsoap.org/soap/envelope/", "500"),
        ("<Idap>", "<Idax>", "400"),
    ] {
        let answer = answer(&sandbox, good.replace(from, to)).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{from} → {to}: {answer}");
    }
    let page = answer(&sandbox, "GET /v6/payerfunctions.asmx HTTP/1.1\r\nHost: x\r\n\r\n".to_owned()).await;
    assert!(page.starts_with("HTTP/1.1 200 ") && page.contains("<html>"));
    let header = format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(200_000));
    let (_, refused) = exchange(&sandbox, header, 1 << 20).await;
    assert!(refused.is_empty() || refused.starts_with("HTTP/1.1 431 "), "{refused}");
}

#[tokio::test]
async fn connections_are_cut_as_told_to() {
    for (fault, taken) in [("connection-reset-before", 0), ("reset-after", 1), ("truncated", 1), ("timeout", 1)] {
        let sandbox = start(&[fault]).await;
        let request = post(&sandbox, &["PO-1"]);
        let (ended, answer) = exchange(&sandbox, request, 1 << 20).await;
        let broken = ended.err().map(|error| error.kind());
        match fault {
            "truncated" => assert!(answer.contains("<soap:Envelope") && !answer.contains("</soap:Envelope>")),
            "timeout" => assert_eq!(broken, Some(io::ErrorKind::WouldBlock)),
            _ => assert_eq!((broken, answer.as_str()), (Some(io::ErrorKind::ConnectionReset), "")),
        }
        assert_eq!(sandbox.ledger().orders.len(), taken, "{fault}");
        sandbox.stop().await;
    }
}

#[tokio::test]
async fn answers_are_spoilt_as_told_to() {
    for (fault, status, part) in [
        ("http-500-html", "500", "<html>"),
        ("http-503:after=7", "503", "retry-after: 7\r\n"),
        ("http-429", "429", "retry-after: 1\r\n"),
        ("http-status:status=418", "418", "content-length: 0\r\n"),
        ("html-200", "200", "Sign in"),
        ("empty-200", "200", "content-length: 0\r\n"),
        ("garbage", "200", "&&&&;"),
        ("big-headers:kb=100", "200", "x-padding: xxxx"),
        ("redirect:port=9", "307", "location: http://127.0.0.1:9/elsewhere/payerfunctions.asmx\r\n"),
        ("gzip", "200", "content-encoding: gzip\r\n"),
        ("soap-fault-sender", "400", "<soap:Value>soap:Sender</soap:Value>"),
        ("soap-fault-server", "500", "<soap:Value>soap:Receiver</soap:Value>"),
        ("soap11-fault", "500", "<faultcode>soap:Client</faultcode>"),
        ("call-error", "200", "<errorMessage>Internal server errror</errorMessage><errorCode>UnknownError<"),
        ("call-error:code=RequestLimitReached", "200", "<errorCode>RequestLimitReached<"),
        ("entity-bomb", "200", "<errorMessage>&e9;</errorMessage>"),
        ("deep-xml:depth=3", "200", "<a><a><a></a></a></a>"),
        ("huge-body:mb=1", "200", "<errorMessage>xxx"),
        ("wrong-namespace", "200", "xmlns=\"http://tipalti.example/\""),
        ("soap12-prefix", "200", "<soap12:Body>"),
        ("nil", "200", "<s xsi:nil=\"true\" /><PurchaseOrderErrors>"),
        ("succeeded-missing", "200", "Result><PurchaseOrderNumber>PO-1<"),
        ("slow:ms=20", "200", "<Succeeded>true<"),
        ("slow-drip:ms=0", "200", "</soap:Envelope>"),
    ] {
        let answer = under(fault).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{fault}: {answer}");
        assert!(answer.contains(part), "{fault}: {answer}");
    }
}

#[tokio::test]
async fn an_endless_answer_stops_with_the_sandbox() {
    let sandbox = start(&["endless"]).await;
    let request = post(&sandbox, &["PO-1"]);
    let (ended, answer) = exchange(&sandbox, request, 4 << 20).await;
    assert!(ended.is_ok() && answer.len() >= 4 << 20);
    let (request, began) = (post(&sandbox, &["PO-2"]), Instant::now());
    let mut stream = TcpStream::connect(sandbox.addr()).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    sandbox.stop().await;
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn orders_can_come_late() {
    let sandbox = start(&["late:ms=50"]).await;
    let request = post(&sandbox, &["PO-1"]);
    assert!(exchange(&sandbox, request, 1 << 20).await.0.is_err());
    assert!(sandbox.ledger().orders.is_empty());
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(sandbox.ledger().orders.len(), 1);
}

#[tokio::test]
async fn whoever_follows_a_redirect_is_noticed() {
    let sandbox = start(&["redirect"]).await;
    let request = post(&sandbox, &["PO-1"]);
    let location = format!("location: http://{}/elsewhere/payerfunctions.asmx", sandbox.addr());
    assert!(answer(&sandbox, request).await.contains(&location));
    assert_eq!(sandbox.ledger().redirects_followed, 0);
    let request = post(&sandbox, &["PO-1"]).replace("/V6/", "/elsewhere/");
    assert!(answer(&sandbox, request).await.starts_with("HTTP/1.1 404 "));
    assert_eq!(sandbox.ledger().redirects_followed, 1);
    assert!(sandbox.ledger().orders.is_empty());
}
