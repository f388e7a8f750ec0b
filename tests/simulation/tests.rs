//! The tests themselves.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use super::night::{Case, Plan, have};
use super::oracle::{Books, judge};
use super::sabotage::Sabotage;
use super::swarm::Class;

/// What happened in nights: each thing, and how often. Whatever is never there is not tested either.
type Sightings = BTreeMap<String, u64>;

/// What must have happened among many nights besides the faults.
const TO_BE_SEEN: &[&str] = &[
    "item accepted",
    "item held",
    "item in_doubt",
    "item invalid",
    "item not_sent",
    "item presumed",
    "item rejected",
    "item submitted",
    "item unchanged",
    "process died",
    "process failed",
    "process finished",
    "note broke off",
    "note stopped early",
    "version accepted",
    "version held",
    "version presumed",
    "version rejected",
    "version superseded",
];

/// What happened in a night.
fn sightings(case: &Case) -> Sightings {
    let mut seen = Sightings::new();
    for (class, struck) in Class::ALL.iter().zip(&case.struck).filter(|(_, struck)| **struck > 0) {
        seen.insert(format!("fault {class:?}"), *struck);
    }
    seen.insert("effect".to_owned(), case.ledger.effects.len() as u64);
    seen.insert("call".to_owned(), case.sent.len() as u64);
    seen.insert("step".to_owned(), u64::from(case.steps));
    let mut see = |what: String| *seen.entry(what).or_default() += 1;
    for ended in &case.ended {
        ended.items.iter().for_each(|item| see(format!("item {}", item.outcome.word())));
        match (&ended.summary, &ended.error) {
            (Some(summary), _) => {
                see("process finished".to_owned());
                for word in ["broke off", "stopped early", "taken twice", "in a row ended in doubt"] {
                    if summary.notes.iter().any(|note| note.contains(word)) {
                        see(format!("note {word}"));
                    }
                }
            }
            (None, Some(_)) => see("process failed".to_owned()),
            (None, None) => see("process died".to_owned()),
        }
    }
    for (version, _) in case.store.with(Books::read).versions {
        see(format!("version {}", version.standing.state.word()));
    }
    seen
}

/// Has a night and judges it. A night that panics is wrong, too.
fn verdict(plan: Plan, is_watched: bool) -> (Vec<String>, Sightings) {
    let night = catch_unwind(AssertUnwindSafe(|| {
        let case = have(plan);
        (judge(&case), if is_watched { sightings(&case) } else { Sightings::new() })
    }));
    night.unwrap_or_else(|panic| {
        let text =
            panic.downcast_ref::<String>().cloned().or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        (vec![format!("panic: {}", text.unwrap_or_default())], Sightings::new())
    })
}

/// Tells all that happens in a night, and what is wrong with it.
fn tell(plan: Plan) -> String {
    let told = catch_unwind(AssertUnwindSafe(|| {
        let case = have(Plan { is_traced: true, ..plan });
        let wrong = judge(&case);
        format!("{}\n{}", case.trace.join("\n"), wrong.join("\n"))
    }));
    told.unwrap_or_else(|_| "the night panicked".to_owned())
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

/// Has these nights on all processors. Returns what happened, and the nights that went wrong: all of them, or the first ones.
fn have_many(
    first: u64,
    count: u64,
    plan: Plan,
    goes_on: bool,
    counts: fn(&str) -> bool,
) -> (Sightings, Vec<(u64, Vec<String>)>) {
    // What is wrong counts when `counts` says so.
    let next = AtomicU64::new(first);
    let (seen, wrong) = (Mutex::new(Sightings::new()), Mutex::new(Vec::new()));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + count || (!goes_on && !wrong.lock().unwrap().is_empty()) {
                        return;
                    }
                    // All of many nights are judged, and the first of them looked at closely: that is enough to see that
                    // everything happens.
                    let (mut found, sightings) = verdict(Plan { seed, ..plan }, seed < first + 2_000);
                    for (what, count) in sightings {
                        *seen.lock().unwrap().entry(what).or_default() += count;
                    }
                    found.retain(|wrong| counts(wrong));
                    if !found.is_empty() {
                        wrong.lock().unwrap().push((seed, found));
                    }
                }
            });
        }
    });
    let mut wrong = wrong.into_inner().unwrap();
    wrong.sort();
    (seen.into_inner().unwrap(), wrong)
}

#[test]
fn nights() {
    let count = setting("SIMULATION_NIGHTS").unwrap_or(400);
    let first = setting("SIMULATION_FIRST").unwrap_or(0);
    let began = std::time::Instant::now();
    let (seen, wrong) = have_many(first, count, Plan::default(), setting("SIMULATION_ALL").is_some(), |_| true);
    println!("{count} nights in {:?}", began.elapsed());
    for (what, count) in &seen {
        println!("{count:>12} {what}");
    }
    for (seed, wrong) in &wrong {
        println!("seed {seed}: {}", wrong.join("\n    "));
    }
    if let Some((seed, wrong)) = wrong.first() {
        panic!("seed {seed}:\n{}\n{}", tell(Plan { seed: *seed, ..Plan::default() }), wrong.join("\n"));
    }
    let faults = Class::ALL.iter().map(|class| format!("fault {class:?}"));
    let all: Vec<String> = faults.chain(TO_BE_SEEN.iter().map(|what| (*what).to_owned())).collect();
    let never: Vec<&String> = all.iter().filter(|what| !seen.contains_key(*what)).collect();
    assert!(never.is_empty(), "this has never happened: {never:?}");
}

#[test]
fn one() {
    if let Some(seed) = setting("SIMULATION_SEED") {
        println!("{}", tell(Plan { seed, ..Plan::default() }));
    }
}

/// Whether something went wrong between the bridge and the vendor, and not only in the books.
fn is_harm(wrong: &str) -> bool {
    ["O2", "O3", "O4", "O5", "O6"].iter().any(|check| wrong.starts_with(check))
}

#[test]
fn a_broken_bridge_is_caught() {
    let most = setting("SIMULATION_SABOTAGE").unwrap_or(1500);
    for sabotage in Sabotage::ALL {
        let plan = Plan { sabotage: Some(sabotage), ..Plan::default() };
        let (_, found) = have_many(0, most, plan, false, is_harm);
        println!("{sabotage:?}: {:?}", found.first());
        assert!(!found.is_empty(), "{sabotage:?} does no harm that is noticed within {most} nights");
    }
}

/// Every night with one death, at every step that there is, has an end like any other.
#[test]
fn a_death_at_any_step_is_survived() {
    for is_once in [false, true] {
        let mut step = 1;
        while survives(is_once, [step, 0]) >= step {
            step += 1;
        }
        println!("once {is_once}: {} steps", step - 1);
        assert!(step > 100, "there are more steps than that in a night");
    }
}

/// Every night with two deaths, too. That takes a while, so it is only had where nights are had in numbers.
#[test]
fn two_deaths_at_any_steps_are_survived() {
    if setting("SIMULATION_NIGHTS").is_none() {
        return;
    }
    for is_once in [false, true] {
        let (mut first, mut pairs) = (1, 0_u32);
        loop {
            let mut second = first + 1;
            let steps = survives(is_once, [first, 0]);
            while survives(is_once, [first, second]) >= second {
                second += 1;
                pairs += 1;
            }
            if steps < first {
                break;
            }
            first += 1;
        }
        println!("once {is_once}: {pairs} pairs of steps");
    }
}

/// Has a night with these deaths, and says how many steps it had.
fn survives(is_once: bool, steps: [u32; 2]) -> u32 {
    let plan = Plan { single: Some((is_once, steps)), ..Plan::default() };
    let case = have(plan);
    let wrong = judge(&case);
    assert!(wrong.is_empty(), "once {is_once}, deaths at {steps:?}:\n{}", tell(plan));
    case.steps
}

#[test]
fn a_seed_is_a_night() {
    for seed in 0..setting("SIMULATION_TWICE").unwrap_or(30) {
        let plan = Plan { seed, is_traced: true, ..Plan::default() };
        let (first, second) = (have(plan).trace, std::thread::spawn(move || have(plan).trace).join().unwrap());
        let differs = first.iter().zip(&second).position(|(one, other)| one != other);
        assert!(first == second, "seed {seed}: {:?}", differs.map(|at| (&first[at], &second[at])));
    }
}
