//! Every fault that this vendor knows, on the wire.

use std::io;

use serde_json::json;

use super::super::super::fault::{FAULTS, Fault, Party};
use super::*;

/// Sends one invoice, and reads up to a few megabytes of what comes.
async fn provoke(desk: &Desk) -> (io::Result<()>, String) {
    let body = json!({ "invoices": [invoice("INV-1")] }).to_string();
    let headers =
        [&*format!("x-amz-access-token: {}", desk.token), &*format!("User-Agent: {AGENT}"), "Content-Type: application/json"];
    exchange(&desk.sandbox, request("POST /vendor/payments/v1/invoices", &headers, &body), 4 << 20).await
}

#[tokio::test]
async fn connections_are_cut_and_invoices_applied_as_told_to() {
    for (fault, kind, taken) in [
        ("connection-reset-before", io::ErrorKind::ConnectionReset, 0),
        ("connection-reset-before:number=INV-1", io::ErrorKind::ConnectionReset, 0),
        ("reset-after", io::ErrorKind::ConnectionReset, 1),
        ("reset-after:applied=no", io::ErrorKind::ConnectionReset, 0),
        ("timeout", io::ErrorKind::WouldBlock, 1),
        ("timeout-unapplied", io::ErrorKind::WouldBlock, 0),
    ] {
        let desk = Desk::open(&[fault]).await;
        let (ended, answer) = provoke(&desk).await;
        assert_eq!((ended.unwrap_err().kind(), answer.as_str()), (kind, ""), "{fault}");
        assert_eq!(desk.ledger().invoices.len(), taken, "{fault}");
        desk.sandbox.stop().await;
    }
    let desk = Desk::open(&["late:ms=50"]).await;
    assert!(provoke(&desk).await.0.is_err() && desk.ledger().invoices.is_empty());
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(desk.ledger().invoices.len(), 1);
}

#[tokio::test]
async fn answers_are_spoilt_as_told_to() {
    for (fault, status, part, taken) in [
        ("http-500-html", "500", "<html>", 0),
        ("http-500-html:applied=yes", "500", "<html>", 1),
        ("http-503:after=7", "503", "retry-after: 7\r\n", 0),
        ("http-429", "429", "retry-after: 1\r\n", 0),
        ("http-status:status=418", "418", "content-length: 0\r\n", 0),
        ("html-200", "200", "Sign in", 0),
        ("empty-200", "200", "content-length: 0\r\n", 0),
        ("garbage", "200", "&&&&;", 0),
        ("big-headers:kb=50", "202", "x-padding: xxxx", 1),
        ("redirect:port=9", "307", "location: http://127.0.0.1:9/elsewhere/vendor/payments/v1/invoices\r\n", 0),
        ("gzip", "202", "content-encoding: gzip\r\n", 1),
        ("gzip-bomb:mb=1", "202", "content-encoding: gzip\r\n", 1),
        ("truncated", "202", "{\"payload\":{\"trans", 1),
        ("huge-body:mb=1", "202", "{\"filler\":\"xxx", 1),
        ("endless", "202", "\"},\"filler\":\"", 1),
        ("slow:ms=20", "202", "transactionId", 1),
        ("slow-drip:ms=0", "202", "\"}}", 1),
        ("no-transaction", "202", "{\"payload\":{}}", 1),
        ("no-transaction:applied=no", "202", "{\"payload\":{}}", 0),
        ("token-expired", "403", "The access token has expired.", 0),
        ("token-expired:number=INV-1", "403", "The access token has expired.", 0),
        ("token-expired:number=INV-2", "202", "transactionId", 1),
        ("drop-rows", "202", "transactionId", 1),
        ("soap-fault-sender", "202", "transactionId", 1),
    ] {
        let desk = Desk::open(&[fault]).await;
        let (_, answer) = provoke(&desk).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")) && answer.contains(part), "{fault}: {answer:.600}");
        assert!(answer.contains("x-amzn-requestid: "), "{fault}");
        assert_eq!(desk.ledger().invoices.len(), taken, "{fault}");
    }
}

#[tokio::test]
async fn a_huge_answer_is_still_json() {
    let desk = Desk::open(&["huge-body:mb=1"]).await;
    let answer = desk.submit(&json!({ "invoices": [invoice("INV-1")] })).await;
    assert!(answer.body.len() > 1 << 20 && answer.json()["payload"]["transactionId"].is_string());
}

#[tokio::test]
async fn verdicts_are_as_told_to() {
    let desk = Desk::with(
        &[
            "transaction-failure:number=INV-1",
            "transaction-failure:number=INV-2,code=INVALID_ORDER_ID",
            "transaction-success:number=INV-3",
        ],
        unlimited(),
    )
    .await;
    for (number, expected) in [
        ("INV-1", "Failure".to_owned() + &" NotAvailable".repeat(6)),
        ("INV-2", "Failure".to_owned() + &" INVALID_ORDER_ID".repeat(6)),
        ("INV-3", "Success".to_owned()),
        ("INV-4", "Processing".to_owned()),
    ] {
        let id = desk.take(invoice(number)).await;
        assert_eq!(desk.verdict(&id).await, expected, "{number}");
    }
    assert_eq!(desk.ledger().invoices["ACME/INV-1"].failures, 1);
}

#[tokio::test]
async fn a_poll_can_fail() {
    let desk = Desk::with(&["poll-500:times=1", "poll-500:number=INV-2,times=1"], unlimited()).await;
    let (one, two) = (desk.take(invoice("INV-1")).await, desk.take(invoice("INV-2")).await);
    let mut poll = Vec::new();
    for id in [&one, &one, &two, &two] {
        let answer = desk.get(&format!("/vendor/transactions/v1/transactions/{id}")).await;
        assert!(answer.has_request_id() && answer.body.contains("<html>") != (answer.status == 200));
        poll.push(answer.status);
    }
    assert_eq!(poll, [500, 200, 500, 200]);
    let desk = Desk::with(&["token-expired:times=2"], unlimited()).await;
    let mut calls = Vec::new();
    for _ in 0..3 {
        calls.push(desk.get("/vendor/transactions/v1/transactions/1").await.status);
    }
    assert_eq!(calls, [403, 403, 400]);
}

#[tokio::test]
async fn tokens_can_be_out_of_reach() {
    let desk = Desk::open(&["token-down:times=2", "invalid-client:times=1"]).await;
    // The first was asked for when the desk was opened.
    for (status, error) in [(503, "temporarily_unavailable"), (401, "invalid_client")] {
        let answer = desk.refresh().await;
        assert_eq!((answer.status, answer.json()["error"].as_str()), (status, Some(error)));
    }
    assert_eq!((desk.refresh().await.status, desk.ledger().token_grants), (200, 1));
}

#[test]
fn the_faults_of_the_network_and_of_this_vendor_are_known() {
    let known = FAULTS.iter().filter(|(name, _)| name.parse::<Fault>().unwrap().kind.is_known_to(Party::Amazon));
    assert_eq!(known.count(), 21 + 7);
}
