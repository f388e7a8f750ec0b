//! Whether the oracle sees what it should: a good night is spoilt in one place, and the check that is for it speaks up.

use payables_bridge::engine::state::State;
use payables_bridge::outcome::Outcome;

use super::adapters::CANARY;
use super::documents::{Nature, Paper, digest};
use super::ledger::{Effect, Word};
use super::night::{Case, Plan, have};
use super::oracle::{Books, judge_books};
use super::world::Sent;

/// A good night, and its books.
fn good(is_once: bool) -> (Case, Books) {
    let mut case = have(Plan { single: Some((is_once, [0; 2])), ..Plan::default() });
    case.knobs.pace = (1, 1);
    let books = case.store.with(Books::read);
    assert_eq!(judge_books(&case, &books), Vec::<String>::new());
    (case, books)
}

/// Spoils a good night of either vendor in one place; the check with this name has to say so.
fn caught(check: &str, is_once: bool, spoil: impl FnOnce(&mut Case, &mut Books)) {
    let (mut case, mut books) = good(is_once);
    spoil(&mut case, &mut books);
    let wrong = judge_books(&case, &books);
    assert!(wrong.iter().any(|wrong| wrong.starts_with(&format!("{check}:"))), "{check} is not among {wrong:?}");
}

fn effect_like(other: &Effect, content: &str) -> Effect {
    Effect { content: digest(content), ..other.clone() }
}

fn standing(books: &mut Books, state: State) -> &mut payables_bridge::engine::state::Standing {
    let found = books.versions.iter_mut().find(|(version, _)| version.standing.state == state);
    &mut found.unwrap().0.standing
}

#[test]
fn a_document_that_is_lost_is_seen() {
    for is_once in [false, true] {
        for state in [State::Received, State::Ready, State::Armed, State::Submitted, State::InDoubt] {
            caught("O1", is_once, |_, books| standing(books, State::Accepted).state = state);
        }
        caught("O1", is_once, |case, _| _ = case.ended[0].items.pop());
        caught("O1", is_once, |case, _| {
            let item = case.ended[0].items[0].clone();
            case.ended[0].items.push(item);
        });
    }
}

#[test]
fn what_was_done_twice_is_seen() {
    caught("O2", true, |case, _| {
        let again = case.ledger.effects.iter().find(|effect| effect.word == Word::Yes).unwrap().clone();
        case.ledger.effects.push(again);
    });
    caught("O2", true, |case, _| {
        // Refused in the end, and sent again before that could be known.
        let mut again = case.ledger.effects.iter().find(|effect| effect.word == Word::No).unwrap().clone();
        again.at = again.word_at - 1;
        case.ledger.effects.push(again);
    });
}

#[test]
fn what_is_said_and_not_true_is_seen() {
    for is_once in [false, true] {
        caught("O3", is_once, |case, _| case.ledger.effects.clear());
        caught("O3", is_once, |case, _| {
            for effect in &mut case.ledger.effects {
                effect.content = [7; 32];
            }
        });
    }
    caught("O4", true, |case, _| {
        for effect in &mut case.ledger.effects {
            effect.word = Word::Yes;
        }
    });
    caught("O4", false, |case, books| {
        let (version, _) = books.versions.iter().find(|(version, _)| version.standing.state == State::Rejected).unwrap();
        let refused = Effect { number: version.key.number.clone(), content: version.digest, ..case.ledger.effects[0].clone() };
        case.ledger.effects.push(refused);
    });
}

#[test]
fn what_nobody_meant_is_seen() {
    for is_once in [false, true] {
        caught("O5", is_once, |case, _| {
            let stranger = effect_like(&case.ledger.effects[0], "PO-9;good 1;11.5");
            case.ledger.effects.push(stranger);
        });
        caught("O5", is_once, |case, _| case.ledger.effects[0].at -= 3_600_000);
        caught("O5", is_once, |_, books| books.versions.iter_mut().for_each(|(_, attempts)| attempts.clear()));
        caught("O8", is_once, |case, _| {
            let again = case.sent.iter().find(|sent| !sent.contents.is_empty()).unwrap().clone();
            case.sent.push(again);
        });
        caught("O8", is_once, |case, _| case.sent.retain(|sent| sent.contents.is_empty()));
        caught("O8", is_once, |case, _| case.sent.iter_mut().for_each(|sent| sent.wrote = false));
        caught("O8", is_once, |_, books| {
            books.versions.iter_mut().flat_map(|(_, attempts)| attempts).for_each(|attempt| attempt.evidence.clear());
        });
    }
}

#[test]
fn an_old_version_at_the_vendor_is_seen() {
    caught("O6", false, |case, _| {
        // The first one comes once more, after the second.
        let late = case.ledger.effects[0].clone();
        case.ledger.effects.push(late);
    });
    let paper = Paper { number: "PO-1".to_owned(), nature: Nature::Good, edition: 1 };
    let (case, _) = good(false);
    assert_eq!(case.ledger.effects[0].content, digest(&paper.line()), "the ledger and the journal compare the same thing");
}

#[test]
fn a_secret_is_seen() {
    for is_once in [false, true] {
        caught("O9", is_once, |case, _| case.ended[0].items[0].reference = Some(format!("x{CANARY}")));
        caught("O9", is_once, |case, _| case.ended[0].error = Some(format!("x{CANARY}")));
        caught("O9", is_once, |case, _| case.ended[0].summary.as_mut().unwrap().note(format!("x{CANARY}")));
        caught("O9", is_once, |_, books| {
            let mut attempts = books.versions.iter_mut().flat_map(|(_, attempts)| attempts);
            attempts.next().unwrap().evidence[0].body.extend_from_slice(CANARY.as_bytes());
        });
    }
}

#[test]
fn a_report_that_does_not_add_up_is_seen() {
    for is_once in [false, true] {
        caught("O10", is_once, |case, _| case.ended[0].items[0].outcome = Outcome::Held);
        caught("O10", is_once, |case, _| _ = case.ended[0].items.pop());
        caught("O10", is_once, |case, _| case.ended[0].items.iter_mut().for_each(|item| item.amount = None));
        caught("O10", is_once, |case, _| case.ended[0].summary.as_mut().unwrap().requests += 1);
        caught("O10", is_once, |case, _| case.ledger.effects.clear());
    }
}

#[test]
fn a_run_without_end_or_measure_is_seen() {
    for is_once in [false, true] {
        caught("O11", is_once, |case, _| case.ended[0].ended += 10 * 3_600_000);
        caught("O11", is_once, |case, _| {
            let call = case.sent.iter().find(|sent| !sent.contents.is_empty()).unwrap().clone();
            let call = Sent { wrote: true, ..call };
            case.sent.extend([call.clone(), call.clone(), call]);
            case.sent.sort_by_key(|sent| sent.at);
        });
    }
}
