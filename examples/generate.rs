//! Prints documents for load tests: `cargo run --release --example generate 100000 [invoices] > documents.jsonl`.
//!
//! The same count gives the same bytes. An order has 6.4 lines on average and about 2.6 kB, as an ERP's have; an invoice as
//! many lines and about 2.0 kB.

use std::io::{BufWriter, Write};

/// A small generator of numbers, so that the output never changes.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    fn pick<'w>(&mut self, words: &[&'w str]) -> &'w str {
        let place = self.below(words.len() as u64);
        usize::try_from(place).ok().and_then(|place| words.get(place)).copied().unwrap_or_default()
    }
}

const ITEMS: &[&str] = &[
    "Copy paper A4, 80 g/m², 500 sheets",
    "Hexagon bolt M8 × 40, zinc plated",
    "Cleaning, offices, per hour",
    "Laptop 14\\\", 32 GB & docking station",
    "Kugellager 6204-2RS",
    "Consulting <senior>, per day",
];

fn main() -> std::io::Result<()> {
    let count = std::env::args().nth(1).and_then(|count| count.parse().ok()).unwrap_or(1000_u64);
    let mut out = BufWriter::with_capacity(1 << 20, std::io::stdout().lock());
    let mut numbers = Numbers(2026);
    let are_invoices = std::env::args().nth(2).as_deref() == Some("invoices");
    for number in 0..count {
        if are_invoices {
            write_invoice(&mut out, &mut numbers, number)?;
        } else {
            write_order(&mut out, &mut numbers, number)?;
        }
    }
    out.flush()
}

/// An invoice whose total is the sum of its lines and its tax.
fn write_invoice(out: &mut impl Write, numbers: &mut Numbers, invoice: u64) -> std::io::Result<()> {
    let (month, day) = (numbers.below(9) + 1, numbers.below(28) + 1);
    write!(
        out,
        r#"{{"kind":"invoice","number":"INV-{invoice:08}","issue_date":"2026-{month:02}-{day:02}","currency":"EUR","payee":{{"id":"MUELL","name":"Müller & Söhne","address":{{"lines":["Industriestraße 5"],"city":"Nürnberg","postal_code":"90402","country":"DE"}},"tax_registrations":[{{"type":"vat","number":"DE811907980"}}]}},"buyer":{{"id":"AMAZONDE","name":"Amazon EU","address":{{"lines":["Marcel-Breuer-Str. 12"],"city":"München","postal_code":"80807","country":"DE"}}}},"payment_terms":{{"type":"basic","net_due_days":60}},"lines":["#,
    )?;
    let mut cents = 0;
    for line in 1..=numbers.below(11) + 1 {
        let comma = if line == 1 { "" } else { "," };
        let (item, quantity, price) = (numbers.below(90_000) + 10_000, numbers.below(500) + 1, numbers.below(20_000) + 1);
        cents += quantity * price;
        write!(
            out,
            r#"{comma}{{"id":"{line}","item":{{"buyers_id":"B000{item}","sellers_id":"MH-{item}"}},"order_reference":"3DE{item}","quantity":{quantity},"unit":"{}","unit_size":12,"price":"{}.{:02}"}}"#,
            numbers.pick(&["EA", "C62", "CS"]),
            price / 100,
            price % 100,
        )?;
    }
    let tax = cents * 19 / 100;
    let total = cents + tax;
    writeln!(
        out,
        r#"],"taxes":[{{"type":"mwst","rate":"19","amount":"{}.{:02}","taxable_amount":"{}.{:02}"}}],"total":"{}.{:02}"}}"#,
        tax / 100,
        tax % 100,
        cents / 100,
        cents % 100,
        total / 100,
        total % 100,
    )
}

fn write_order(out: &mut impl Write, numbers: &mut Numbers, order: u64) -> std::io::Result<()> {
    let (month, day) = (numbers.below(12) + 1, numbers.below(28) + 1);
    write!(
        out,
        r#"{{"kind":"purchase_order","number":"PO-{order:08}","issue_date":"2026-{month:02}-{day:02}","currency":"{}","status":"active","note":"{} {order}","seller":{{"id":"V-{:05}"}},"buyer":{{"entity":"{}"}},"#,
        numbers.pick(&["EUR", "USD", "GBP", "CHF"]),
        numbers.pick(&["Replenishment of stock, week", "Maintenance contract, site", "Project material for order"]),
        numbers.below(5000),
        numbers.pick(&["Acme GmbH", "Acme Inc.", "Acme Ltd."]),
    )?;
    write!(out, r#""approvers":[{{"name":"Ada Lovelace","email":"ada@example.com","order":1}}],"#)?;
    write!(out, r#""custom_fields":[{{"key":"Project","value":"P-{:04}"}}],"lines":["#, numbers.below(900))?;
    for line in 1..=numbers.below(11) + 1 {
        let comma = if line == 1 { "" } else { "," };
        write!(out, "{comma}")?;
        write_line(out, numbers, line)?;
    }
    writeln!(out, "]}}")
}

fn write_line(out: &mut impl Write, numbers: &mut Numbers, line: u64) -> std::io::Result<()> {
    let (item, account) = (numbers.below(90_000) + 10_000, numbers.below(90) + 6800);
    write!(
        out,
        r#"{{"id":"{line}","kind":"item","item":{{"buyers_id":"ITEM-{item}","external_id":"{item}","description":"{}"}},"#,
        numbers.pick(ITEMS)
    )?;
    let (quantity, euros, cents) = (numbers.below(500) + 1, numbers.below(2000), numbers.below(100));
    write!(
        out,
        r#""quantity":{quantity},"unit":"{}","price":"{euros}.{cents:02}","#,
        numbers.pick(&["EA", "C62", "KGM", "HUR"])
    )?;
    if numbers.below(4) == 0 {
        write!(out, r#""discount_amount":"{}.50","#, numbers.below(10))?;
    }
    write!(
        out,
        r#""tax":{{"amount":"{}.{:02}","code":"DE-19"}},"account":{{"number":"{account}","external_id":"GL-{account}"}},"billed_quantity":0,"billed_amount":"0.00","closed":false,"custom_fields":[{{"key":"Cost centre","value":"CC-{}"}}]}}"#,
        numbers.below(400),
        numbers.below(100),
        numbers.below(300) + 100,
    )
}
