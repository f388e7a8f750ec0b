//! The vendors, as they are in truth: what they did, when, and what they say of it.

use std::collections::BTreeMap;
use std::time::Duration;

use payables_bridge::engine::record::Digest;
use payables_bridge::wire::WireResponse;

use super::adapters::CANARY;
use super::documents::{Nature, digest};
use super::swarm::Class;
use super::world::{Delivery, Millis, World};

/// How an effect ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    Yes,
    No,
    Never,
}

/// Something that the vendor did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Effect {
    pub(super) number: String,
    pub(super) content: Digest,
    pub(super) at: Millis,
    /// Whether the network made it of a request that had arrived before.
    pub(super) is_copy: bool,
    /// The call that carried it.
    pub(super) trip: usize,
    /// How it ends, where verdicts come later, and when that is known.
    pub(super) word: Word,
    pub(super) word_at: Millis,
    pub(super) reference: String,
}

/// A vendor's books. One kind takes batches, creates or replaces by number, and answers with a row for each document. The
/// other takes one document, answers with a reference, gives its verdict later, and does everything as often as it is asked.
#[derive(Debug, Clone, Default)]
pub(super) struct Ledger {
    pub(super) is_once: bool,
    pub(super) effects: Vec<Effect>,
    /// The tokens that were given, and until when they are good.
    tokens: BTreeMap<String, Millis>,
}

impl Ledger {
    pub(super) fn new(is_once: bool) -> Self {
        Self { is_once, ..Self::default() }
    }

    /// Whether nobody could know of an effect: the network made it of a call that the vendor had answered without doing
    /// anything.
    pub(super) fn is_unheard_of(&self, effect: &Effect) -> bool {
        let is_first = |other: &&Effect| other.trip == effect.trip && other.number == effect.number && !other.is_copy;
        effect.is_copy && !self.effects.iter().any(|other| is_first(&other))
    }

    /// What the vendor has of a number now, the latest first, without what it refused later.
    pub(super) fn standing<'l>(&'l self, number: &'l str) -> impl Iterator<Item = &'l Effect> {
        self.effects.iter().rev().filter(move |effect| effect.number == number && effect.word != Word::No)
    }
}

fn answer(status: u16, body: impl Into<String>) -> WireResponse {
    WireResponse { status, body: body.into().into_bytes(), ..WireResponse::default() }
}

/// The vendor receives a request.
pub(super) fn receive(world: &mut World, at: Millis, delivery: Delivery) -> WireResponse {
    let body = String::from_utf8(delivery.body.clone()).unwrap();
    let echo = if world.strikes(Class::Echo) { format!(" you said {}", delivery.keys) } else { String::new() };
    let (is_stormy, until) = world.lasts(Class::Storm, world.storm_until);
    world.storm_until = until;
    if is_stormy {
        return answer(429, format!("slower{echo}"));
    }
    if delivery.is_login {
        return login(world, at, &echo);
    }
    if world.ledger.is_once && !is_signed(world, at, &body) {
        return answer(403, format!("expired{echo}"));
    }
    if let Some(reference) = body.lines().nth(1).and_then(|line| line.strip_prefix("ask ")) {
        return verdict(world, at, reference, &echo);
    }
    if world.strikes(Class::CallerRefused) {
        return answer(401, format!("refused{echo}"));
    }
    if world.strikes(Class::TooMany) {
        let mut too_many = answer(429, format!("slower{echo}"));
        if world.chance.percent(50) {
            let seconds = world.chance.pick(&[0, 1, 7, 40, 400, 100_000]);
            too_many.retry_after = Some(Duration::from_secs(seconds));
            too_many.headers.push(("retry-after", seconds.to_string()));
        }
        return too_many;
    }
    if world.strikes(Class::ErrorWithoutEffect) {
        return failure(world, &echo);
    }
    let lines: Vec<&str> = body.lines().skip(1).collect();
    if world.ledger.is_once { once(world, at, &delivery, &lines, &echo) } else { upsert(world, at, &delivery, &lines, &echo) }
}

/// Gives a token, mostly.
fn login(world: &mut World, at: Millis, echo: &str) -> WireResponse {
    if world.strikes(Class::LoginRefused) {
        return answer(401, format!("refused{echo}"));
    }
    if world.strikes(Class::ErrorWithoutEffect) {
        return failure(world, echo);
    }
    let token = format!("token-{}{CANARY}", world.ledger.tokens.len() + 1);
    let seconds = world.chance.pick(&[1, 60, 600, 3600, 3600]);
    world.ledger.tokens.insert(token.clone(), at + 1000 * seconds);
    answer(200, format!("token {token} {seconds}\nend\n"))
}

/// Whether a call has a token that is good.
fn is_signed(world: &mut World, at: Millis, body: &str) -> bool {
    let token = body.lines().next().and_then(|line| line.strip_prefix("key ")).unwrap_or_default();
    if world.strikes(Class::TokenEnds) {
        world.ledger.tokens.remove(token);
    }
    world.ledger.tokens.get(token).is_some_and(|until| at < *until)
}

fn failure(world: &mut World, echo: &str) -> WireResponse {
    let status = world.chance.pick(&[500, 502, 503, 504]);
    let body = world.chance.pick(&["", "<html>sorry</html>", "{\"error\":1}", "row"]);
    answer(status, format!("{body}{echo}"))
}

fn take(world: &mut World, at: Millis, line: &str, delivery: &Delivery) -> String {
    let word = match Nature::of(line) {
        Some(Nature::Failing) if world.ledger.is_once => Word::No,
        Some(Nature::Silent) if world.ledger.is_once => Word::Never,
        _ => Word::Yes,
    };
    // A clock may be 200 s fast; what is silent for fifteen minutes by that clock has been silent for less.
    let word_at = at + world.chance.between(5_000, 690_000);
    let number = line.split(';').next().unwrap().to_owned();
    let reference = format!("T-{}", world.ledger.effects.len() + 1);
    world.tell(|| format!("vendor: does {line} as {reference}"));
    let (content, is_copy, trip) = (digest(line), delivery.is_copy, delivery.trip);
    world.ledger.effects.push(Effect { number, content, at, is_copy, trip, word, word_at, reference: reference.clone() });
    reference
}

fn upsert(world: &mut World, at: Millis, delivery: &Delivery, lines: &[&str], echo: &str) -> WireResponse {
    if lines.iter().any(|line| Nature::of(line) == Some(Nature::Poison)) {
        return answer(200, format!("fault poison it is poisoned{echo}\nend\n"));
    }
    let breaks_after = if world.strikes(Class::ErrorAfterPart) { Some(world.chance.below(lines.len() as u64 + 1)) } else { None };
    let mut rows = Vec::new();
    for (place, line) in lines.iter().enumerate() {
        if breaks_after.is_some_and(|most| place as u64 >= most) {
            break;
        }
        let number = line.split(';').next().unwrap();
        if Nature::of(line) == Some(Nature::Bad) {
            rows.push(format!("row {number} no bad{echo}"));
        } else {
            take(world, at, line, delivery);
            rows.push(format!("row {number} yes"));
        }
    }
    if breaks_after.is_some() || world.strikes(Class::ErrorAfterEffect) {
        return failure(world, echo);
    }
    let place = usize::try_from(world.chance.below(rows.len() as u64)).unwrap();
    if world.strikes(Class::MissingRow) {
        rows.remove(place);
    } else if world.strikes(Class::RowTwice) {
        rows.push(rows[place].clone());
    } else if world.strikes(Class::Contradiction) {
        let number = rows[place].split(' ').nth(1).unwrap().to_owned();
        let other = if rows[place].ends_with(" yes") { "no bad" } else { "yes" };
        rows.push(format!("row {number} {other}"));
    }
    if world.strikes(Class::ExtraRow) {
        rows.push("row SOMEBODY-ELSE yes".to_owned());
    }
    if world.strikes(Class::Reordered) {
        world.chance.shuffle(&mut rows);
    }
    rows.push("end\n".to_owned());
    answer(200, rows.join("\n"))
}

fn once(world: &mut World, at: Millis, delivery: &Delivery, lines: &[&str], echo: &str) -> WireResponse {
    let [line] = lines else { return answer(400, format!("no count{echo}\nend\n")) };
    if matches!(Nature::of(line), Some(Nature::Bad | Nature::Poison)) {
        return answer(400, format!("no bad{echo}\nend\n"));
    }
    let reference = take(world, at, line, delivery);
    if world.strikes(Class::ErrorAfterEffect) {
        return failure(world, echo);
    }
    if world.strikes(Class::NoReference) {
        let (status, body) = world.chance.pick(&[(202, "taken\nend\n"), (202, ""), (200, "reference \nend\n")]);
        return answer(status, body);
    }
    answer(202, format!("reference {reference}\nend\n"))
}

fn verdict(world: &mut World, at: Millis, reference: &str, echo: &str) -> WireResponse {
    if world.strikes(Class::NoNews) {
        return match world.chance.below(3) {
            0 => answer(404, format!("unknown{echo}")),
            1 => answer(429, format!("slower{echo}")),
            _ => failure(world, echo),
        };
    }
    match world.ledger.effects.iter().find(|effect| effect.reference == reference) {
        None => answer(404, format!("unknown{echo}")),
        Some(effect) if effect.word_at > at => answer(200, "news processing\nend\n"),
        Some(effect) => match effect.word {
            Word::Yes => answer(200, "news success\nend\n"),
            Word::No => answer(200, format!("news failure not available{echo}\nend\n")),
            Word::Never => answer(200, "news processing\nend\n"),
        },
    }
}
