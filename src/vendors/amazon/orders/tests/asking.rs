//! How orders are asked for, and what a page says.

use std::time::Duration;

use super::super::*;

/// 2026-03-01T12:00:00Z
const NOW: u64 = 1_772_366_400;

fn placed(since: When, until: Option<When>) -> Result<Vec<String>, String> {
    let questions = Amazon::default().questions(&Wanted::Placed(Span { since, until }), NOW)?;
    Ok(questions.into_iter().map(|question| question.0).collect())
}

fn at(date: &str) -> When {
    When::At(date.parse().unwrap())
}

#[test]
fn a_span_is_asked_for_in_weeks_that_overlap() {
    let questions = placed(at("2026-02-10"), None).unwrap();
    let spans: Vec<&str> = questions.iter().map(|question| question.split('&').next().unwrap()).collect();
    assert_eq!(
        spans,
        [
            "/vendor/orders/v1/purchaseOrders?createdAfter=2026-02-09T23:59:59Z",
            "/vendor/orders/v1/purchaseOrders?createdAfter=2026-02-16T23:59:58Z",
            "/vendor/orders/v1/purchaseOrders?createdAfter=2026-02-23T23:59:57Z",
        ]
    );
    assert!(questions[0].ends_with("&createdBefore=2026-02-16T23:59:59Z&includeDetails=true&sortOrder=ASC&limit=100"));
    assert!(questions[2].contains("&createdBefore=2026-03-01T12:00:00Z&"));
    let changed = Wanted::Changed(Span { since: When::Ago(Duration::from_secs(3600)), until: None });
    let [question] = Amazon::default().questions(&changed, NOW).unwrap().try_into().unwrap();
    assert!(question.0.contains("?changedAfter=2026-03-01T10:59:59Z&changedBefore=2026-03-01T12:00:00Z&"), "{question:?}");
}

#[test]
fn half_a_year_is_the_most_and_the_future_is_not_asked_for() {
    assert_eq!(placed(When::Ago(Duration::from_secs(OLDEST)), None).unwrap().len(), 27);
    for (since, until, says) in [
        (at("2025-08-29"), None, "six months"),
        (at("2026-03-02"), None, "nothing in it"),
        (at("2026-02-02"), Some(at("2026-02-01")), "nothing in it"),
        (at("1960-01-01"), None, "before 1970"),
    ] {
        assert!(placed(since, until).unwrap_err().contains(says), "{since:?}");
    }
    // What has not happened yet is not asked for.
    assert!(placed(at("2026-02-28"), Some(at("2027-01-01"))).unwrap()[0].contains("createdBefore=2026-03-01T12:00:00Z"));
    let tokyo = Amazon { time_zone: jiff::tz::TimeZoneDatabase::bundled().get("Asia/Tokyo").unwrap(), ..Amazon::default() };
    let question = tokyo.questions(&Wanted::Placed(Span { since: at("2026-02-28"), until: None }), NOW).unwrap().remove(0);
    assert!(question.0.contains("createdAfter=2026-02-27T14:59:59Z"), "{question:?}");
}

#[test]
fn a_number_goes_into_the_address_only_when_it_is_one() {
    let numbers = |list: &[&str]| Wanted::Numbers(list.iter().map(|number| (*number).to_owned()).collect());
    let questions = Amazon::default().questions(&numbers(&["4Z32PABC"]), NOW).unwrap();
    assert_eq!(questions, [Question("/vendor/orders/v1/purchaseOrders/4Z32PABC".into())]);
    for wrong in ["4Z32PAB", "../../ab", "4Z32PABCD", "4Z32PAB?"] {
        assert!(Amazon::default().questions(&numbers(&[wrong]), NOW).is_err(), "{wrong}");
    }
}

fn page(question: &str, status: u16, body: &str) -> Answer {
    let response = WireResponse { status, body: body.as_bytes().to_vec(), ..WireResponse::default() };
    Amazon::default().page(&Question(question.to_owned()), &response)
}

fn read(question: &str, body: &str) -> Page {
    let Answer::Page(page) = page(question, 200, body) else { panic!("{body}") };
    page
}

#[test]
fn pages_follow_one_another_by_their_token() {
    let first = format!("{ORDERS}?createdAfter=x");
    let page = read(&first, r#"{"payload": {"orders": [{"a": 1}, 7], "pagination": {"nextToken": "1+/a=="}}}"#);
    assert_eq!(page.orders, [r#"{"a": 1}"#, "7"]);
    let second = page.next.unwrap();
    assert_eq!(second.0, format!("{first}&nextToken=1%2B%2Fa%3D%3D"));
    let page = read(&second.0, r#"{"payload": {"orders": [], "pagination": {"nextToken": "2"}}}"#);
    assert_eq!(page.next.unwrap().0, format!("{first}&nextToken=2"));
    for end in [r#"{"payload": {"orders": []}}"#, r#"{"payload": {"pagination": {"nextToken": ""}}}"#, r#"{"payload": {}}"#] {
        assert_eq!(read(&first, end), Page::default(), "{end}");
    }
    let one = read(&format!("{ORDERS}/4Z32PABC"), r#"{"payload": {"purchaseOrderNumber": "4Z32PABC"}}"#);
    assert_eq!(one.orders, [r#"{"purchaseOrderNumber": "4Z32PABC"}"#]);
    let status = read(&format!("{STATUS}?x"), r#"{"payload": {"ordersStatus": [{}], "orders": [1, 2]}}"#);
    assert_eq!(status.orders, ["{}"]);
}

#[test]
fn what_is_no_page_is_no_empty_page() {
    for body in ["", "{}", "[]", "<html>", r#"{"payload": null}"#, r#"{"payload": []}"#, r#"{"payload": {"orders": {}}}"#] {
        assert!(matches!(page(&format!("{ORDERS}?x"), 200, body), Answer::Unclear(_)), "{body}");
    }
    let errors = r#"{"errors": [{"code": "InvalidInput", "message": "no", "details": ""}]}"#;
    assert!(
        matches!(page(ORDERS, 400, errors), Answer::Refused { fault, for_good: false } if fault.vendor_code.as_deref() == Some("InvalidInput"))
    );
    let missing = page(&format!("{ORDERS}/4Z32PABC"), 404, errors);
    assert!(matches!(missing, Answer::Refused { fault, for_good: true } if fault.message.contains("order 4Z32PABC")));
    assert!(matches!(page(ORDERS, 403, errors), Answer::Expired(_)));
    assert!(matches!(page(ORDERS, 429, errors), Answer::BackOff(..)));
    for (status, body) in [(400, "<html>"), (500, errors), (503, ""), (302, ""), (204, "")] {
        assert!(matches!(page(ORDERS, status, body), Answer::Unclear(_)), "{status}");
    }
}
