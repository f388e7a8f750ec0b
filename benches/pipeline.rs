//! What each step costs, and what share of the whole the bare parsing of JSON has.
//!
//! `cargo bench` prints them; read the ratios within one run, not the times across machines. For the whole program,
//! generate a large file with the `generate` example and use `/usr/bin/time -v` on a dry run.

#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing)]

mod lean;

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use payables_bridge::adapter::{Context, Findings, Fragment, Payees, Stamp, Submit};
use payables_bridge::bridge::Translator;
use payables_bridge::intake::{Input, Records};
use payables_bridge::model::{check, read};
use payables_bridge::vendors::amazon::Amazon;
use payables_bridge::vendors::tipalti::{Tipalti, sign};
use payables_bridge::wire::{Secret, WireResponse};

/// What documents are judged against where only they matter.
const ANYTIME: Context<'static> = Context { payees: &Payees::Any, unix_seconds: 1_790_000_000 };

/// Documents as they come: an example file over and over, with numbers of their own.
fn documents(file: &str, count: usize) -> String {
    let mut text = String::new();
    for (at, line) in file.lines().cycle().take(count).enumerate() {
        let (before, number) = line.split_once("\"number\":").unwrap();
        text.push_str(&format!("{before}\"number\":\"{at}-{}\n", number.trim_start().trim_start_matches('"')));
    }
    text
}

fn steps(criterion: &mut Criterion) {
    let text = documents(include_str!("../examples/purchase-orders.jsonl"), 440);
    let lines: Vec<&str> = text.lines().collect();
    let target = Tipalti { payer_name: "AcmeCorp".into(), ..Tipalti::default() };
    let mut group = criterion.benchmark_group("440 orders");
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("cut", |bencher| {
        bencher.iter(|| {
            let mut records = Records::new(text.as_bytes());
            while let Some(record) = records.next().unwrap() {
                black_box(record.line);
            }
        });
    });
    // The floor: JSON parsed and thrown away.
    group.bench_function("parse JSON, nothing kept", |bencher| {
        bencher.iter(|| lines.iter().for_each(|line| drop(black_box(serde_json::from_str::<serde::de::IgnoredAny>(line)))));
    });
    group.bench_function("read", |bencher| bencher.iter(|| lines.iter().for_each(|line| drop(black_box(read(line).unwrap())))));
    let documents: Vec<_> = lines.iter().map(|line| read(line).unwrap()).collect();
    group.bench_function("check", |bencher| {
        bencher.iter(|| {
            let mut faults = Vec::new();
            documents.iter().for_each(|document| check(document, &mut faults));
            black_box(faults)
        });
    });
    group.bench_function("check for the target and encode", |bencher| {
        let (mut fragment, mut findings) = (Fragment::default(), Findings::default());
        bencher.iter(|| {
            for document in &documents {
                fragment.clear();
                target.encode(document, &ANYTIME, &mut fragment, &mut findings);
                black_box(fragment.digest());
            }
            findings.faults.clear();
        });
    });
    group.bench_function("the whole dry run", |bencher| {
        bencher.iter(|| {
            let input = [Input::new("orders", text.as_bytes())];
            Translator::new(&target, &Payees::Any, 0)
                .translate(input, &mut std::io::sink(), &mut |item| drop(black_box(item)))
                .unwrap()
        });
    });
    group.finish();
}

/// Invoices, with all rules on, beside the leanest that could be: the bar is 2.5 times that.
fn invoices(criterion: &mut Criterion) {
    let text = documents(include_str!("../examples/invoices.jsonl"), 350);
    let lines: Vec<&str> = text.lines().collect();
    let target = Amazon::default();
    let mut group = criterion.benchmark_group("350 invoices");
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("parse JSON, nothing kept", |bencher| {
        bencher.iter(|| lines.iter().for_each(|line| drop(black_box(serde_json::from_str::<serde::de::IgnoredAny>(line)))));
    });
    group.bench_function("the leanest reader and writer", |bencher| {
        let mut body = Vec::new();
        bencher.iter(|| {
            for line in text.lines() {
                body.clear();
                lean::translate(line, &mut body);
                black_box(&body);
            }
        });
    });
    group.bench_function("read", |bencher| bencher.iter(|| lines.iter().for_each(|line| drop(black_box(read(line).unwrap())))));
    let documents: Vec<_> = lines.iter().map(|line| read(line).unwrap()).collect();
    group.bench_function("check for the target and encode", |bencher| {
        let (mut fragment, mut findings) = (Fragment::default(), Findings::default());
        bencher.iter(|| {
            for document in &documents {
                fragment.clear();
                target.encode(document, &ANYTIME, &mut fragment, &mut findings);
                black_box(fragment.digest());
            }
            findings.faults.clear();
        });
    });
    group.bench_function("the whole dry run", |bencher| {
        bencher.iter(|| {
            let input = [Input::new("invoices", text.as_bytes())];
            Translator::new(&target, &Payees::Any, ANYTIME.unix_seconds)
                .translate(input, &mut std::io::sink(), &mut |item| drop(black_box(item)))
                .unwrap()
        });
    });
    group.finish();
}

fn calls(criterion: &mut Criterion) {
    let secret = Secret::new("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
    criterion.bench_function("sign", |bencher| {
        bencher.iter(|| sign::key(&secret, &sign::string_to_sign("AcmeCorp", black_box(1_767_225_600))));
    });
    let target = Tipalti::default();
    let numbers: Vec<String> = (0..50).map(|number| format!("PO-{number:08}")).collect();
    let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
    let stamp = Stamp { unix_seconds: 1_767_225_600, secret: Some(&secret) };
    let fragment = vec![b'x'; 4400];
    criterion.bench_function("assemble 50 orders", |bencher| {
        bencher.iter(|| {
            let mut body = Vec::new();
            target.assemble(&mut std::iter::repeat_n(fragment.as_slice(), 50), &stamp, &mut body);
            body
        });
    });
    for rows in [1, 50] {
        let response = WireResponse { status: 200, headers: vec![], retry_after: None, body: reply(&numbers[..rows]) };
        criterion.bench_with_input(BenchmarkId::new("decode rows", rows), &response, |bencher, response| {
            bencher.iter(|| target.decode(&numbers[..rows], response));
        });
    }
}

fn reply(numbers: &[&str]) -> Vec<u8> {
    let rows: String = numbers
        .iter()
        .map(|number| format!("<TipaltiPurchaseOrderItemResult><Succeeded>true</Succeeded><PurchaseOrderNumber>{number}</PurchaseOrderNumber></TipaltiPurchaseOrderItemResult>"))
        .collect();
    format!(
        r#"<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="http://www.w3.org/2003/05/soap-envelope" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soap:Body><CreateOrUpdatePurchaseOrdersResponse xmlns="http://Tipalti.org/"><CreateOrUpdatePurchaseOrdersResult><errorMessage>OK</errorMessage><errorCode>OK</errorCode><b xsi:nil="true"/><PurchaseOrderErrors>{rows}</PurchaseOrderErrors></CreateOrUpdatePurchaseOrdersResult></CreateOrUpdatePurchaseOrdersResponse></soap:Body></soap:Envelope>"#
    )
    .into_bytes()
}

criterion_group!(benches, steps, invoices, calls);
criterion_main!(benches);
