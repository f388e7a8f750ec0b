//! The bridge's side of the two vendors: how documents and replies are written and read.

use std::time::Duration;

use payables_bridge::adapter::{
    Context, Decoded, Fetch, Findings, FollowUp, Fragment, Login, News, Rest, Scope, Stamp, Submit, Token, Trace, Verdict,
};
use payables_bridge::model::{Document, Fault, Path};
use payables_bridge::wire::{Credentials, Secret, WireRequest, WireResponse};

use super::sabotage::Sabotage;

/// Stands at the end of the secret and of every key that is made of it; it must be found nowhere.
pub(super) const CANARY: &str = "-canary";

/// The adapter of either vendor.
#[derive(Debug, Clone)]
pub(super) struct Adapter {
    pub(super) is_once: bool,
    pub(super) batch_size: usize,
    pub(super) sabotage: Option<Sabotage>,
}

/// A call of the vendor that takes everything once is signed with a token as it is.
fn token(stamp: &Stamp<'_>) -> String {
    stamp.secret.map(|secret| secret.expose().to_owned()).unwrap_or_default()
}

fn key(stamp: &Stamp<'_>) -> String {
    let sum = stamp.secret.map_or(0, |secret| secret.expose().bytes().map(u64::from).sum());
    format!("{:x}{CANARY}", stamp.unix_seconds.wrapping_mul(0x9E37_79B9).wrapping_add(sum))
}

fn refused(words: &str) -> Fault {
    Fault::error("TIP-VENDOR", Path::ROOT, "the vendor refused it").vendor(words.split(' ').next(), Some(words))
}

impl Submit for Adapter {
    fn scope(&self) -> Scope {
        Scope {
            kind: if self.is_once { "once" } else { "upsert" }.to_owned(),
            environment: "sandbox".to_owned(),
            endpoint: "https://vendor.test/".to_owned(),
            account: "acme".to_owned(),
        }
    }

    fn batch_size(&self) -> usize {
        if self.is_once { 1 } else { self.batch_size }
    }

    fn encode(&self, document: &Document<'_>, _: &Context<'_>, fragment: &mut Fragment, findings: &mut Findings) {
        let Document::PurchaseOrder(order) = document else { return };
        let Some(price) = order.lines.first().and_then(|line| *line.price) else { return };
        if order.note.starts_with("guarded") {
            findings.faults.push(Fault::error("TIP-PAYEE-UNKNOWN", Path::ROOT, "a guard stops it"));
            findings.guards += 1;
        }
        findings.amount = Some(price);
        fragment.bytes.extend_from_slice(format!("{};{};{price}", order.number.as_str(), order.note.as_str()).as_bytes());
    }

    fn owner<'d>(&self, _: &'d Document<'_>) -> &'d str {
        ""
    }

    fn trace(&self, _: &Document<'_>) -> Trace {
        Trace::default()
    }

    fn compare(&self, _: &Document<'_>, _: &[u8], _: &mut Findings) {}

    fn assemble(&self, fragments: &mut dyn Iterator<Item = &[u8]>, stamp: &Stamp<'_>, body: &mut Vec<u8>) {
        let key = if self.is_once { token(stamp) } else { key(stamp) };
        body.extend_from_slice(format!("key {key}\n").as_bytes());
        for fragment in fragments {
            body.extend_from_slice(fragment);
            body.push(b'\n');
        }
    }

    fn request(&self, body: Vec<u8>, _: &Stamp<'_>) -> WireRequest {
        WireRequest { url: "https://vendor.test/submit".to_owned(), body, ..WireRequest::default() }
    }

    fn decode(&self, numbers: &[&str], response: &WireResponse) -> Decoded {
        let decoded = if self.is_once { decode_once(response) } else { self.decode_rows(numbers, response) };
        self.sabotage.map_or(decoded.clone(), |sabotage| sabotage.decoded(decoded, response))
    }

    fn pretty(&self, body: &[u8]) -> Vec<u8> {
        body.to_vec()
    }

    fn repeatable(&self) -> bool {
        !self.is_once
    }

    fn keys(&self, stamp: &Stamp<'_>) -> Vec<String> {
        if self.is_once { Vec::new() } else { vec![key(stamp)] }
    }

    fn interval(&self, _: &WireResponse) -> Option<Duration> {
        None
    }

    fn follow_up(&self) -> Option<&dyn FollowUp> {
        self.is_once.then_some(self as &dyn FollowUp)
    }

    fn fetch(&self) -> Option<&dyn Fetch> {
        None
    }

    fn login(&self) -> Option<&dyn Login> {
        self.is_once.then_some(self as &dyn Login)
    }
}

/// The lines of an answer that is whole.
fn whole(response: &WireResponse) -> Option<Vec<&str>> {
    let text = std::str::from_utf8(&response.body).ok()?;
    Some(text.strip_suffix("end\n")?.lines().collect())
}

/// What an answer says of the caller, or that it says nothing.
fn of_the_caller(response: &WireResponse) -> Rest {
    match response.status {
        401 => Rest::Stop(refused("refused")),
        403 => Rest::Expired(refused("expired")),
        429 => Rest::BackOff(refused("slower"), response.retry_after),
        status => Rest::Silent(format!("the answer {status} says nothing").as_str().into()),
    }
}

fn decode_once(response: &WireResponse) -> Decoded {
    let lines = whole(response).unwrap_or_default();
    match (response.status, lines.as_slice()) {
        (202, [line]) if line.strip_prefix("reference ").is_some_and(|reference| !reference.is_empty()) => {
            let reference = line.trim_start_matches("reference ").to_owned();
            Decoded { verdicts: vec![(0, Verdict::Submitted(reference))], ..Decoded::whole(Rest::Silent("".into())) }
        }
        (400, [line]) if line.starts_with("no ") => Decoded::whole(Rest::Refused(refused(line.trim_start_matches("no ")))),
        _ => Decoded::whole(of_the_caller(response)),
    }
}

impl Adapter {
    fn decode_rows(&self, numbers: &[&str], response: &WireResponse) -> Decoded {
        let (200, Some(lines)) = (response.status, whole(response)) else {
            return Decoded::whole(of_the_caller(response));
        };
        if let Some(words) = lines.first().and_then(|line| line.strip_prefix("fault ")) {
            return Decoded::whole(Rest::Refused(refused(words)));
        }
        let mut decoded = Decoded::whole(Rest::Silent("the answer has no row for it".into()));
        for (row, line) in lines.iter().enumerate() {
            let mut words = line.splitn(4, ' ');
            let ("row", Some(number), Some(word)) = (words.next().unwrap_or_default(), words.next(), words.next()) else {
                return Decoded::whole(Rest::Silent("the answer has a row that is none".into()));
            };
            let verdict = match word {
                "yes" => Verdict::Accepted,
                "no" => Verdict::Rejected(refused(words.next().unwrap_or_default())),
                _ => Verdict::Unclear("the row says neither yes nor no".into()),
            };
            let place = if self.sabotage == Some(Sabotage::ByPosition) {
                Some(row).filter(|row| *row < numbers.len())
            } else {
                numbers.iter().position(|known| *known == number)
            };
            let Some(place) = place else {
                decoded.notes.push(format!("the answer has a row for {number}, which was not sent"));
                continue;
            };
            let is_yes = verdict == Verdict::Accepted;
            match decoded.verdicts.iter_mut().find(|(known, _)| *known == place) {
                Some((_, earlier)) if (*earlier == Verdict::Accepted) != is_yes => {
                    *earlier = Verdict::Unclear("the answer says yes and no".into());
                }
                Some(_) => {}
                None => decoded.verdicts.push((place, verdict)),
            }
        }
        decoded
    }
}

impl Login for Adapter {
    fn request(&self, credentials: &Credentials) -> WireRequest {
        let secret = credentials.secrets().next().map(Secret::expose).unwrap_or_default();
        let body = format!("key {secret}\n").into_bytes();
        WireRequest { url: "https://vendor.test/login".to_owned(), body, ..WireRequest::default() }
    }

    fn decode(&self, response: &WireResponse) -> Token {
        let lines = whole(response).unwrap_or_default();
        match (response.status, lines.as_slice()) {
            (200, [line]) => {
                let mut words = line.split(' ');
                match (words.next(), words.next(), words.next().and_then(|seconds| seconds.parse().ok())) {
                    (Some("token"), Some(token), Some(seconds)) => {
                        Token::Granted(Secret::new(token), Duration::from_secs(seconds))
                    }
                    _ => Token::Unclear("the answer has no token".to_owned()),
                }
            }
            (401, _) => Token::Refused(refused("the secret is refused")),
            _ => Token::Unclear(format!("the answer {} has no token", response.status)),
        }
    }
}

impl FollowUp for Adapter {
    fn ask(&self, reference: &str, stamp: &Stamp<'_>) -> WireRequest {
        let body = format!("key {}\nask {reference}", token(stamp)).into_bytes();
        WireRequest { url: "https://vendor.test/ask".to_owned(), body, ..WireRequest::default() }
    }

    fn decode(&self, _: &str, response: &WireResponse) -> News {
        let lines = whole(response).unwrap_or_default();
        match (response.status, lines.as_slice()) {
            (200, ["news processing"]) => News::Processing,
            (200, ["news success"]) => News::Accepted,
            (200, [line]) if line.starts_with("news failure ") => {
                News::Rejected(refused(line.trim_start_matches("news failure ")))
            }
            _ => match of_the_caller(response) {
                Rest::Stop(fault) => News::Stop(fault),
                Rest::Expired(fault) => News::Expired(fault),
                Rest::BackOff(fault, wait) => News::BackOff(fault, wait),
                _ => News::Unclear("the answer says nothing".into()),
            },
        }
    }

    fn schedule(&self, asked: u32) -> Option<Duration> {
        const SECONDS: [u64; 8] = [20, 60, 180, 420, 900, 1800, 7200, 86_400];
        SECONDS.get(usize::try_from(asked).unwrap()).map(|seconds| Duration::from_secs(*seconds))
    }

    fn presume_after(&self) -> Duration {
        Duration::from_secs(900)
    }
}
