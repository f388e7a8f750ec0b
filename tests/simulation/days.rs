//! What comes in, day by day, and who is there to work on it.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::documents::{Nature, Paper, Pile};
use super::night::{Ended, Night, Work};
use super::operator;
use super::process::Fortune;
use super::swarm::Class;

/// What is wanted.
pub(super) struct Days {
    papers: Vec<Paper>,
    /// What each of them was before.
    before: Vec<Paper>,
    editions: u32,
}

/// Documents that stop whole calls, or wait for ever, are rarer than others.
const NATURES: [Nature; 12] = [
    Nature::Good,
    Nature::Good,
    Nature::Good,
    Nature::Good,
    Nature::Good,
    Nature::Good,
    Nature::Failing,
    Nature::Failing,
    Nature::Bad,
    Nature::Poison,
    Nature::Silent,
    Nature::Guarded,
];

impl Days {
    pub(super) fn new(night: &mut Night) -> Self {
        let paper = |place: u64, nature| Paper { number: format!("PO-{place}"), nature, edition: 1 };
        let papers: Vec<Paper> = if night.plan.single.is_some() {
            let natures = [Nature::Good, if night.knobs.is_once { Nature::Failing } else { Nature::Poison }, Nature::Good];
            (1..).zip(natures).map(|(place, nature)| paper(place, nature)).collect()
        } else {
            let count = 3 + night.chance.below(10);
            (1..=count).map(|place| paper(place, night.chance.pick(&NATURES))).collect()
        };
        Self { before: papers.clone(), papers, editions: 1 }
    }

    pub(super) async fn pass(&mut self, night: &mut Night) {
        if night.plan.single.is_some() {
            self.pass_simply(night).await;
        } else {
            let days = 2 + night.chance.below(3);
            for day in 1..=days {
                let lines = self.lines(night, day == 1);
                self.day(night, lines).await;
                let seconds = night.chance.pick(&[20, 300, 900, 40_000, 86_400]);
                night.pass_time(seconds).await;
            }
        }
        self.heal(night).await;
    }

    /// Two days on which nothing goes wrong but what is meant to.
    async fn pass_simply(&mut self, night: &mut Night) {
        for day in 1..=2 {
            if day == 2 {
                self.editions += 1;
                self.papers[0].edition = self.editions;
            }
            for _ in 0..3 {
                let lines = self.papers.iter().map(Paper::json).collect();
                let is_finished = night.alone(Work::Sync(pile(night, lines)), Fortune::default()).await;
                night.pass_time(20).await;
                if is_finished {
                    break;
                }
            }
            if night.knobs.is_once {
                night.alone(Work::Ask, Fortune::default()).await;
            }
            night.pass_time(1000).await;
            night.operate();
        }
    }

    /// What comes in today.
    fn lines(&mut self, night: &mut Night, is_first: bool) -> Vec<String> {
        let mut lines = Vec::new();
        for place in 0..self.papers.len() {
            if !is_first && night.chance.percent(30) {
                self.before[place] = self.papers[place].clone();
                self.editions += 1;
                self.papers[place].edition = self.editions;
                self.papers[place].nature = night.chance.pick(&NATURES);
            } else if night.strikes(Class::OldContent) {
                std::mem::swap(&mut self.before[place], &mut self.papers[place]);
            }
            if night.chance.percent(20) {
                continue;
            }
            lines.push(self.papers[place].json());
            if night.strikes(Class::SameTwice) {
                lines.push(self.papers[place].json());
            }
            if night.strikes(Class::TwoContents) {
                self.editions += 1;
                lines.push(Paper { edition: self.editions, ..self.papers[place].clone() }.json());
            }
            if night.strikes(Class::Invalid) {
                let number = format!("{}X", self.papers[place].number);
                let broken = [
                    format!(r#"{{"kind":"purchase_order","number":"{number}","lines":[]}}"#),
                    "{\"kind\":\"purchase_order\",".to_owned(),
                    "no document".to_owned(),
                ];
                lines.push(broken[usize::try_from(night.chance.below(3)).unwrap()].clone());
            }
        }
        if lines.is_empty() {
            lines.push(self.papers[0].json());
        }
        night.chance.shuffle(&mut lines);
        lines
    }

    async fn day(&mut self, night: &mut Night, lines: Vec<String>) {
        for _ in 0..4 {
            let work = Work::Sync(pile(night, lines.clone()));
            let mut fortune = night.fortune();
            if night.strikes(Class::TwoNodes) {
                if fortune.pauses_at.is_none() {
                    let seconds = night.chance.pick(&[10, 300, 3000]);
                    let step = u32::try_from(1 + night.chance.below(40)).unwrap();
                    fortune.pauses_at = Some((step, Duration::from_secs(seconds)));
                }
                two_nodes(night, work, lines.clone(), fortune).await;
            } else if night.alone(work, fortune).await {
                break;
            }
            let seconds = night.chance.pick(&[1, 20, 120, 700, 1500]);
            night.pass_time(seconds).await;
            if night.chance.percent(20) {
                // Nobody begins it again today.
                break;
            }
        }
        if night.knobs.is_once && night.chance.percent(50) {
            let fortune = night.fortune();
            night.alone(Work::Ask, fortune).await;
        }
        if night.chance.percent(30) {
            night.operate();
        }
        if night.strikes(Class::Retry) {
            operator::retry(&night.store, &night.world);
        }
    }

    /// Nothing goes wrong any more, and all that was wanted comes once more, until all is quiet.
    async fn heal(&mut self, night: &mut Night) {
        {
            let mut world = night.world.lock();
            world.swarm.is_on = false;
            world.tell(|| "nothing goes wrong any more".to_owned());
        }
        night.pass_time(700).await;
        for round in 0..8 {
            let lines = self.papers.iter().map(Paper::json).collect();
            night.alone(Work::Sync(pile(night, lines)), Fortune::default()).await;
            night.pass_time(4000).await;
            if night.knobs.is_once {
                night.alone(Work::Ask, Fortune::default()).await;
            }
            if night.is_quiet() && round > 0 {
                return;
            }
            night.operate();
        }
    }
}

/// Something to read for the next process.
fn pile(night: &Night, lines: Vec<String>) -> Pile {
    Pile { name: format!("input-{}.jsonl", night.processes + 1), lines }
}

/// One process stands still in the middle of it, another one takes over, and then the first one goes on.
async fn two_nodes(night: &mut Night, work: Work, lines: Vec<String>, fortune: Fortune) {
    let first = night.spawn(fortune);
    let later_fortunes = [night.fortune(), night.fortune()].map(|fortune| Fortune { clock_at: None, ..fortune });
    let mut others = Vec::new();
    for fortune in later_fortunes {
        let work = Work::Sync(pile(night, lines.clone()));
        others.push((night.spawn(fortune), work));
    }
    let rest = night.chance.pick(&[1, 30, 700]);
    let night_now = &*night;
    let (zombie, others) = tokio::join!(night_now.live(Arc::clone(&first), work), async {
        first.pauses.notified().await;
        let mut ended: Vec<Ended> = Vec::new();
        for (process, work) in others {
            sleep(Duration::from_secs(rest)).await;
            ended.push(night_now.live(process, work).await);
            night_now.operate();
        }
        ended
    });
    let has_company = !others.is_empty();
    night.ended.extend([zombie].into_iter().chain(others).map(|ended| Ended { has_company, ..ended }));
}
