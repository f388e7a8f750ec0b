//! Amazon: `submitInvoices` of the Selling Partner API for vendors, and what becomes of the transaction; and the purchase
//! orders that Amazon has for a vendor.
//!
//! An invoice is taken for processing, and its verdict comes later, mostly as silence. There is no key that makes a second
//! call harmless and no way to ask whether an invoice arrived, so one invoice goes in a call, and what is in doubt is never
//! sent again by itself.

mod check;
pub(super) mod codes;
mod compare;
mod map;
mod orders;
mod reply;
mod settings;
mod sign;
mod wire;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

use crate::adapter::{Context, Decoded, Fetch, Findings, FollowUp, Fragment, Login, News, Scope, Stamp, Submit, Trace};
use crate::formats::{json, percent};
use crate::model::{Document, Fault, Invoice, Party, Path, decimal};
use crate::rules::Level;
use crate::vendors::SIMULATED_SPEED;
use crate::wire::{Method, WireRequest, WireResponse};

pub use settings::{AddressSettings, AmazonSettings, DefaultParties, PartySettings, Region, RegistrationSettings};

/// Mandatory, with the language in it (SP-API, "Include a User-Agent header").
const USER_AGENT: &str =
    concat!("payables-bridge/", env!("CARGO_PKG_VERSION"), " (Language=Rust/", env!("CARGO_PKG_RUST_VERSION"), ")");
/// The longest time between two calls that an answer may ask for: a slip in a header does not stop a night.
const LONGEST_INTERVAL: Duration = Duration::from_secs(60);
/// When a transaction is asked about, in seconds after it was taken. Failure was seen within seconds, and after fifteen
/// minutes silence means that the invoice was processed.
const SCHEDULE_S: [u64; 8] = [20, 60, 180, 420, 900, 1800, 7200, 86_400];

/// The settings of an Amazon target that decide what goes on the wire.
///
/// ```
/// use payables_bridge::vendors::amazon::Amazon;
///
/// let mut target = Amazon::default();
/// target.derive_total = true;
/// assert_eq!(target.endpoint, "https://sellingpartnerapi-na.amazon.com");
/// ```
#[derive(Debug, Clone)]
pub struct Amazon {
    /// Where calls go: a base URL without a slash at its end.
    pub endpoint: String,
    /// Where tokens are fetched: the whole URL.
    pub token_endpoint: String,
    /// Whether calls go to Amazon's own static sandbox.
    pub sandbox: bool,
    /// Which party stands in when a document names none.
    pub defaults: DefaultParties,
    /// What is known of parties by their ids, for documents that name only the id.
    pub parties: BTreeMap<String, Party<'static>>,
    /// How much it weighs when sums do not agree.
    pub arithmetic: Level,
    /// Whether a total that is not given is computed.
    pub derive_total: bool,
    /// What a plain date means, and a time without an offset.
    pub time_zone: TimeZone,
    /// How long a transaction has to be silent before its invoice is presumed to be accepted.
    pub presume_after: Duration,
    /// How many times faster than in the world time goes where the vendor is simulated.
    speed: u32,
    words: Arc<map::Words>,
}

impl Default for Amazon {
    fn default() -> Self {
        AmazonSettings::default().adapter()
    }
}

impl Amazon {
    /// Names of units that are laid over the built-in ones: UN/ECE Recommendation 20 code, and `Eaches` or `Cases`.
    #[must_use]
    pub fn units(mut self, units: &BTreeMap<String, String>) -> Self {
        self.words = Arc::new(map::Words::new(units));
        self
    }

    /// The same vendor at other addresses, where time goes faster.
    #[must_use]
    pub(super) fn simulated(mut self, endpoint: String, token_endpoint: String) -> Self {
        (self.endpoint, self.token_endpoint, self.speed) = (endpoint, token_endpoint, SIMULATED_SPEED);
        self
    }

    /// The headers of every call.
    fn headers(stamp: &Stamp<'_>) -> Vec<(&'static str, String)> {
        let seconds = i64::try_from(stamp.unix_seconds).unwrap_or_default();
        let date = jiff::Timestamp::from_second(seconds).unwrap_or_default().strftime("%Y%m%dT%H%M%SZ").to_string();
        let token = stamp.secret.map_or(crate::adapter::DRY_RUN, |token| token.expose());
        vec![("x-amz-access-token", token.to_owned()), ("x-amz-date", date), ("user-agent", USER_AGENT.to_owned())]
    }

    fn invoice<'d, 'a>(document: &'d Document<'a>) -> Option<&'d Invoice<'a>> {
        match document {
            Document::Invoice(invoice) => Some(invoice),
            Document::PurchaseOrder(_) => None,
        }
    }
}

impl Submit for Amazon {
    fn scope(&self) -> Scope {
        Scope {
            kind: super::VendorKind::AmazonVendor.word().to_owned(),
            environment: if self.sandbox { "sandbox" } else { "production" }.to_owned(),
            endpoint: self.endpoint.clone(),
            // The account is the payee, and every document names its own.
            account: String::new(),
        }
    }

    fn batch_size(&self) -> usize {
        // A transactionId and its errors cannot be pinned to one invoice otherwise.
        1
    }

    fn encode(&self, document: &Document<'_>, context: &Context<'_>, fragment: &mut Fragment, findings: &mut Findings) {
        let Some(invoice) = Self::invoice(document) else {
            findings.faults.push(Fault::error(
                "AMZ-010",
                Path::ROOT.field("kind"),
                "purchase_order: this target takes invoices and credit notes only; send orders to a target that takes them",
            ));
            return;
        };
        let parties = map::parties(invoice, self);
        let judged = check::check(invoice, &parties, self, context, findings);
        wire::write_invoice(invoice, &parties, &judged, self, fragment, findings);
    }

    fn owner<'d>(&self, document: &'d Document<'_>) -> &'d str {
        Self::invoice(document).and_then(|invoice| invoice.payee.as_ref()).map_or("", |payee| payee.id.as_str())
    }

    fn trace(&self, document: &Document<'_>) -> Trace {
        Self::invoice(document).map(|invoice| compare::trace(invoice, &map::parties(invoice, self))).unwrap_or_default()
    }

    fn compare(&self, document: &Document<'_>, earlier: &[u8], findings: &mut Findings) {
        if let Some(invoice) = Self::invoice(document) {
            compare::compare(invoice, &map::parties(invoice, self), earlier, findings);
        }
    }

    fn assemble(&self, fragments: &mut dyn Iterator<Item = &[u8]>, _stamp: &Stamp<'_>, body: &mut Vec<u8>) {
        wire::write_call(fragments, body);
    }

    fn request(&self, body: Vec<u8>, stamp: &Stamp<'_>) -> WireRequest {
        let mut headers = Self::headers(stamp);
        headers.push(("content-type", "application/json".to_owned()));
        WireRequest { method: Method::Post, url: format!("{}/vendor/payments/v1/invoices", self.endpoint), headers, body }
    }

    fn decode(&self, _numbers: &[&str], response: &WireResponse) -> Decoded {
        reply::decode(response)
    }

    fn pretty(&self, body: &[u8]) -> Vec<u8> {
        json::pretty(body)
    }

    fn repeatable(&self) -> bool {
        false
    }

    fn keys(&self, _stamp: &Stamp<'_>) -> Vec<String> {
        // The token goes as it is.
        Vec::new()
    }

    fn interval(&self, response: &WireResponse) -> Option<Duration> {
        let (_, limit) = response.headers.iter().find(|(name, _)| *name == "x-amzn-ratelimit-limit")?;
        let limit = decimal::parse(limit.trim()).ok().filter(|limit| *limit > Decimal::ZERO)?;
        let micros = Decimal::from(1_000_000).checked_div(limit)?.ceil().to_u64()?;
        Some(Duration::from_micros(micros).min(LONGEST_INTERVAL))
    }

    fn follow_up(&self) -> Option<&dyn FollowUp> {
        Some(self)
    }

    fn login(&self) -> Option<&dyn Login> {
        Some(self)
    }

    fn fetch(&self) -> Option<&dyn Fetch> {
        Some(self)
    }
}

impl FollowUp for Amazon {
    fn ask(&self, reference: &str, stamp: &Stamp<'_>) -> WireRequest {
        let mut url = format!("{}/vendor/transactions/v1/transactions/", self.endpoint);
        percent::encode(reference, &mut url);
        WireRequest { method: Method::Get, url, headers: Self::headers(stamp), body: Vec::new() }
    }

    fn decode(&self, reference: &str, response: &WireResponse) -> News {
        reply::news(reference, self.sandbox, response)
    }

    /// The fixed times, and the moment from which silence means something.
    fn schedule(&self, asked: u32) -> Option<Duration> {
        let mut times: Vec<Duration> = SCHEDULE_S.map(|seconds| Duration::from_secs(seconds) / self.speed).to_vec();
        if let Err(place) = times.binary_search(&self.presume_after()) {
            times.insert(place, self.presume_after());
        }
        times.get(usize::try_from(asked).ok()?).copied()
    }

    fn presume_after(&self) -> Duration {
        self.presume_after / self.speed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pace_that_amazon_asks_for_is_kept_within_reason() {
        let interval = |limit: &str| {
            let headers = vec![("x-amzn-ratelimit-limit", limit.to_owned())];
            Amazon::default().interval(&WireResponse { status: 202, headers, ..WireResponse::default() })
        };
        assert_eq!(interval("10.0"), Some(Duration::from_millis(100)));
        assert_eq!(interval(" 3 "), Some(Duration::from_micros(333_334)));
        // A slip does not stop a night.
        assert_eq!(["0.0001", "1e-12"].map(interval), [Some(LONGEST_INTERVAL); 2]);
        assert_eq!(["0", "-1", "", "many", "1e-20"].map(interval), [None; 5]);
        assert_eq!(Amazon::default().interval(&WireResponse::default()), None);
    }
}
