//! Amazon's purchase orders: how they are asked for, page by page, and what becomes of one.
//!
//! Source: SP-API model vendorOrders, "getPurchaseOrders", "getPurchaseOrder" and "getPurchaseOrdersStatus".

mod flip;
mod order;
mod read;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Amazon, map, reply};
use crate::adapter::{Answer, Fetch, Fetched, Page, Question, Span, Stamp, Wanted, When};
use crate::formats::{clock, percent};
use crate::model::Fault;
use crate::wire::{Method, WireRequest, WireResponse};

const ORDERS: &str = "/vendor/orders/v1/purchaseOrders";
const STATUS: &str = "/vendor/orders/v1/purchaseOrdersStatus";
const DAY: u64 = 86_400;
/// The longest span of one question.
const LONGEST_SPAN: u64 = 7 * DAY;
/// Whether the ends of a span belong to it is not documented, so spans overlap by a second. An order that comes twice is
/// noticed.
const OVERLAP: u64 = 1;
/// Orders are kept for six months; this is the longest that six months can be.
const OLDEST: u64 = 184 * DAY;

impl Fetch for Amazon {
    fn questions(&self, wanted: &Wanted, unix_seconds: u64) -> Result<Vec<Question>, String> {
        let (name, span) = match wanted {
            Wanted::Placed(span) => ("created", span),
            Wanted::Changed(span) => ("changed", span),
            Wanted::Numbers(numbers) => return numbers.iter().map(|number| one_order(number)).collect(),
        };
        let (since, until) = self.span(span, unix_seconds)?;
        let mut questions = Vec::new();
        let mut from = since.saturating_sub(OVERLAP);
        loop {
            let to = until.min(from + LONGEST_SPAN);
            let (after, before) = (rfc3339(from), rfc3339(to));
            questions.push(Question(format!(
                "{ORDERS}?{name}After={after}&{name}Before={before}&includeDetails=true&sortOrder=ASC&limit=100"
            )));
            if to == until {
                return Ok(questions);
            }
            from = to - OVERLAP;
        }
    }

    fn ask(&self, question: &Question, stamp: &Stamp<'_>) -> WireRequest {
        let url = format!("{}{}", self.endpoint, question.0);
        WireRequest { method: Method::Get, url, headers: Self::headers(stamp), body: Vec::new() }
    }

    fn page(&self, question: &Question, response: &WireResponse) -> Answer {
        if response.status != 200 {
            return reply::setback(&described(question), response);
        }
        match page(question, &response.body) {
            Some(page) => Answer::Page(page),
            None => Answer::Unclear("the answer is not what Amazon documents".into()),
        }
    }

    fn order(&self, order: &str) -> Fetched {
        order::order(order, self)
    }

    fn standing(&self, order: &str) -> Result<Question, Box<Fetched>> {
        let number = flip::number(order)?;
        let mut question = format!("{STATUS}?purchaseOrderNumber=");
        percent::encode(&number, &mut question);
        Ok(Question(question))
    }

    fn invoice(&self, order: &str, standing: &[String]) -> Fetched {
        flip::invoice(order, standing, self)
    }
}

impl Amazon {
    /// From when to when, in seconds since 1970.
    fn span(&self, span: &Span, now: u64) -> Result<(u64, u64), String> {
        let since = self.seconds(span.since, now)?;
        let until = span.until.map_or(Ok(now), |until| self.seconds(until, now))?.min(now);
        if since >= until {
            let (since, until) = (rfc3339(since), rfc3339(until));
            return Err(format!(
                "the span from {since} to {until} has nothing in it; its beginning comes first, and lies in the past"
            ));
        }
        if since + OLDEST < now {
            let oldest = rfc3339(now - OLDEST);
            return Err(format!(
                "Amazon keeps orders for six months, and {} is before {oldest}; ask for a later time",
                rfc3339(since)
            ));
        }
        Ok((since, until))
    }

    fn seconds(&self, when: When, now: u64) -> Result<u64, String> {
        match when {
            When::Ago(ago) => Ok(now.saturating_sub(ago.as_secs())),
            When::At(date) => {
                let moment = map::moment(date, &self.time_zone).and_then(|moment| u64::try_from(moment.as_second()).ok());
                moment.ok_or_else(|| format!("{date} is before 1970"))
            }
        }
    }
}

fn one_order(number: &str) -> Result<Question, String> {
    if number.len() == 8 && number.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Ok(Question(format!("{ORDERS}/{number}")));
    }
    Err(format!("{number:?} is no number of an order of Amazon's: those have 8 letters and digits"))
}

/// What a question asks for, in words.
fn described(question: &Question) -> String {
    let (path, query) = question.0.split_once('?').unwrap_or((&question.0, ""));
    match path.strip_prefix(ORDERS).and_then(|rest| rest.strip_prefix('/')) {
        Some(number) => format!("order {number}"),
        None if path == STATUS => format!("the status of order {}", query.rsplit('=').next().unwrap_or_default()),
        None => format!("the orders with {}", query.split('&').take(2).collect::<Vec<_>>().join(" and ")),
    }
}

/// The orders of an answer.
fn page(question: &Question, body: &[u8]) -> Option<Page> {
    let payload = serde_json::from_slice::<Payload<'_>>(body).ok()?.payload?;
    let path = question.0.split('?').next().unwrap_or_default();
    if path != ORDERS && path != STATUS {
        return Some(Page { orders: vec![payload.get().to_owned()], next: None });
    }
    let list: List<'_> = serde_json::from_str(payload.get()).ok()?;
    let orders = if path == ORDERS { list.orders } else { list.status };
    let orders = orders.unwrap_or_default().into_iter().map(|order| order.get().to_owned()).collect();
    let token = list.pagination.and_then(|pagination| pagination.token).filter(|token| !token.is_empty());
    Some(Page { orders, next: token.map(|token| next(question, &token)) })
}

/// The same question for the next page. The token has signs that an address cannot hold as they are.
fn next(question: &Question, token: &str) -> Question {
    let first = question.0.split("&nextToken=").next().unwrap_or_default();
    let mut next = format!("{first}&nextToken=");
    percent::encode(token, &mut next);
    Question(next)
}

/// Always UTC with `Z`: an offset has a plus sign, which an address takes for a blank.
fn rfc3339(seconds: u64) -> String {
    let moment = i64::try_from(seconds).ok().and_then(|seconds| Timestamp::from_second(seconds).ok()).unwrap_or(Timestamp::MAX);
    let mut text = Vec::new();
    clock::write(jiff::tz::Offset::UTC.to_datetime(moment), &mut text);
    text.push(b'Z');
    String::from_utf8(text).unwrap_or_default()
}

#[derive(Deserialize)]
struct Payload<'a> {
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct List<'a> {
    #[serde(borrow)]
    orders: Option<Vec<&'a RawValue>>,
    #[serde(borrow, rename = "ordersStatus")]
    status: Option<Vec<&'a RawValue>>,
    pagination: Option<Pagination>,
}

#[derive(Deserialize)]
struct Pagination {
    #[serde(rename = "nextToken")]
    token: Option<String>,
}

/// An order that nothing can be made of.
fn unreadable(raw: &str) -> Fetched {
    let message = "what Amazon sent is no order with a number";
    let fault = Fault::error("AMZ-080", crate::model::Path::ROOT, message).found(raw);
    Fetched { faults: vec![fault], ..Fetched::default() }
}

#[cfg(test)]
mod tests;
