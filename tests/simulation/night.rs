//! A night, or rather a few of them: inputs day by day, runs that break off and are begun again, people who look after what is
//! in doubt, and in the end, when nothing goes wrong any more, runs until all is quiet.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use payables_bridge::adapter::Payees;
use payables_bridge::bridge::Bridge;
use payables_bridge::engine::record::RunId;
use payables_bridge::engine::state::State;
use payables_bridge::intake::Input;
use payables_bridge::journal::Journal as _;
use payables_bridge::report::{Item, Summary};
use payables_bridge::wire::Secret;
use tokio::time::sleep;

use super::adapters::{Adapter, CANARY};
use super::chance::Chance;
use super::days::Days;
use super::documents::Pile;
use super::journal::{Crashable, Store};
use super::ledger::Ledger;
use super::network::{Network, TIMEOUT};
use super::operator;
use super::process::{Fortune, Life, Process};
use super::sabotage::Sabotage;
use super::swarm::{Class, Swarm};
use super::world::{Armed, Millis, Sent, Shared};

/// Which night.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Plan {
    pub(super) seed: u64,
    pub(super) sabotage: Option<Sabotage>,
    pub(super) is_traced: bool,
    /// A night of three documents, of one of the two vendors, without other faults than that whoever takes these steps dies;
    /// 0: nobody does.
    pub(super) single: Option<(bool, [u32; 2])>,
}

/// How the bridge is set in a night.
#[derive(Debug, Clone)]
pub(super) struct Knobs {
    pub(super) is_once: bool,
    pub(super) batch_size: usize,
    pub(super) pace: (u32, u32),
    pub(super) concurrency: usize,
    pub(super) wait: Duration,
    pub(super) deadline: Duration,
}

/// A process after its end.
#[derive(Debug, Clone)]
pub(super) struct Ended {
    pub(super) process: u32,
    pub(super) run: Option<RunId>,
    pub(super) pile: Option<Pile>,
    pub(super) items: Vec<Item>,
    /// When it came to its own end.
    pub(super) summary: Option<Summary>,
    /// Why it came to another one; nothing when it died.
    pub(super) error: Option<String>,
    pub(super) began: Millis,
    pub(super) ended: Millis,
    /// For how long it stood still.
    pub(super) paused: Millis,
    /// Whether others were at work on the same journal meanwhile.
    pub(super) has_company: bool,
}

/// All that is to be judged.
pub(super) struct Case {
    pub(super) knobs: Knobs,
    pub(super) store: Store,
    pub(super) ledger: Ledger,
    pub(super) ended: Vec<Ended>,
    pub(super) sent: Vec<Sent>,
    pub(super) armed: Vec<Armed>,
    pub(super) struck: Vec<u64>,
    pub(super) steps: u32,
    pub(super) trace: Vec<String>,
}

/// A night in progress.
pub(super) struct Night {
    pub(super) plan: Plan,
    pub(super) world: Shared,
    pub(super) store: Store,
    pub(super) chance: Chance,
    pub(super) knobs: Knobs,
    pub(super) ended: Vec<Ended>,
    pub(super) processes: u32,
    /// How far the clock has been set forward.
    forward: Millis,
}

/// What a process is to do.
#[derive(Debug, Clone)]
pub(super) enum Work {
    Sync(Pile),
    Ask,
}

/// Has a night.
pub(super) fn have(plan: Plan) -> Case {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let mut night = Night::new(plan);
        let mut days = Days::new(&mut night);
        days.pass(&mut night).await;
        night.close()
    })
}

impl Night {
    fn new(plan: Plan) -> Self {
        let mut chance = Chance::new(plan.seed);
        let swarm = if plan.single.is_some() { Swarm::none() } else { Swarm::draw(&mut chance) };
        let is_once = plan.single.map_or_else(|| chance.percent(50), |(is_once, _)| is_once);
        let mut knobs = Knobs {
            is_once,
            batch_size: chance.pick(&[1, 2, 3, 5, 50]),
            pace: chance.pick(&[(1, 1), (8, 8), (2, 1), (0, 1)]),
            concurrency: chance.pick(&[1, 1, 2, 4]),
            wait: Duration::from_secs(chance.pick(&[0, 60, 700, 1000])),
            deadline: Duration::from_secs(chance.pick(&[300, 1200, 14_400])),
        };
        if plan.single.is_some() {
            knobs = Knobs {
                batch_size: 2,
                concurrency: 2,
                wait: Duration::from_secs(60),
                deadline: Duration::from_secs(14_400),
                ..knobs
            };
        }
        let ledger = Ledger::new(is_once);
        let world = Shared::new(chance.fork(), swarm, ledger, plan.is_traced);
        world.lock().deadly_steps = plan.single.map_or([0; 2], |(_, steps)| steps);
        world.lock().tell(|| format!("night {}: {knobs:?}", plan.seed));
        Self { plan, world, store: Store::default(), chance, knobs, ended: Vec::new(), processes: 0, forward: 0 }
    }

    pub(super) fn strikes(&mut self, class: Class) -> bool {
        self.world.lock().swarm.strikes(class, &mut self.chance)
    }

    /// What is to happen to the next process.
    pub(super) fn fortune(&mut self) -> Fortune {
        let mut fortune = Fortune::default();
        let step = |chance: &mut Chance| {
            let most = chance.pick(&[8, 30, 60, 200]);
            u32::try_from(1 + chance.below(most)).unwrap()
        };
        if self.strikes(Class::Kill) {
            fortune.dies_at = Some(step(&mut self.chance));
        }
        if self.strikes(Class::PowerLoss) {
            let most = self.chance.pick(&[300, 3_000, 100_000]);
            fortune.dies_after = Some(Duration::from_millis(self.chance.below(most)));
        }
        if self.strikes(Class::Stop) {
            fortune.stops_at = Some(step(&mut self.chance));
        }
        for (class, seconds) in [(Class::PauseShort, 10), (Class::PauseLong, 300), (Class::PauseVeryLong, 3000)] {
            if self.strikes(class) {
                fortune.pauses_at = Some((step(&mut self.chance), Duration::from_secs(seconds)));
            }
        }
        if self.strikes(Class::ClockStep) {
            let by = self.chance.pick(&[-3_600_000, -60_000, 20_000, 100_000]);
            // Further forward than that, and the clock says that a document has rested when it has not.
            if self.forward + by.max(0) <= 200_000 {
                self.forward += by.max(0);
                fortune.clock_at = Some((step(&mut self.chance), by));
            }
        }
        fortune
    }

    /// A new process.
    pub(super) fn spawn(&mut self, fortune: Fortune) -> Arc<Process> {
        self.processes += 1;
        Arc::new(Process::new(self.processes, fortune, self.world.clone()))
    }

    /// Lets a process work until its end, whatever that is.
    pub(super) async fn live(&self, process: Arc<Process>, work: Work) -> Ended {
        let began = self.world.lock().now();
        let journal = Crashable {
            store: self.store.clone(),
            process: Arc::clone(&process),
            world: self.world.clone(),
            sabotage: self.plan.sabotage,
        };
        let network = Network { process: Arc::clone(&process), world: self.world.clone(), sabotage: self.plan.sabotage };
        let clock = self.world.clone();
        let knobs = &self.knobs;
        let adapter = Adapter { is_once: knobs.is_once, batch_size: knobs.batch_size, sabotage: self.plan.sabotage };
        let bridge = Bridge::builder()
            .vendor(Arc::new(adapter))
            .credentials(Secret::new(format!("the secret{CANARY}")))
            .journal(journal)
            .transport(Arc::new(network))
            .clock(move || clock.clock())
            .payees(Payees::Any)
            .pace(knobs.pace.0, knobs.pace.1)
            .concurrency(knobs.concurrency)
            .replay_after(Duration::from_secs(30))
            .quarantine(Sabotage::quarantine(self.plan.sabotage))
            .wait(knobs.wait)
            .deadline(knobs.deadline)
            .timeout(TIMEOUT)
            .seed(self.plan.seed.wrapping_add(u64::from(process.id)))
            .build()
            .unwrap();
        *process.stopper.lock().unwrap() = Some(bridge.stopper());
        let items = Arc::new(Mutex::new(Vec::new()));
        let told = (Arc::clone(&items), Arc::clone(&process));
        let world = self.world.clone();
        let mut observer = move |item: Item| {
            // Whoever is dead says nothing any more.
            if !told.1.is_dead() {
                world.lock().tell(|| {
                    let rules: Vec<&str> = item.faults.iter().map(|fault| &*fault.rule).collect();
                    format!("  {} {} {rules:?}", item.number.as_deref().unwrap_or("?"), item.outcome.word())
                });
                told.0.lock().unwrap().push(item);
            }
        };
        let pile = match &work {
            Work::Sync(pile) => Some(pile.clone()),
            Work::Ask => None,
        };
        let name = pile.as_ref().map_or("a question", |pile| pile.name.as_str()).to_owned();
        self.world.lock().tell(|| format!("process {}: begins with {name}", process.id));
        let text = pile.as_ref().map(|pile| pile.lines.join("\n")).unwrap_or_default();
        let done = {
            let work = async {
                match &pile {
                    Some(pile) => bridge.sync(vec![Input::new(&pile.name, text.as_bytes())], &mut observer).await,
                    None => bridge.ask(&mut observer).await,
                }
            };
            Life::new(&process, work).await
        };
        let (summary, error) = match done {
            Some(Ok(summary)) => (Some(summary), None),
            Some(Err(error)) => (None, Some(error.to_string())),
            None => (None, None),
        };
        *process.stopper.lock().unwrap() = None;
        process.pauses.notify_one();
        let items = std::mem::take(&mut *items.lock().unwrap());
        let run = *process.run.lock().unwrap();
        let mut world = self.world.lock();
        world.tell(|| {
            let counts = summary.as_ref().map(|summary| format!("{:?} {:?}", summary.outcomes, summary.notes));
            format!("process {}: ends, {}", process.id, counts.or(error.clone()).unwrap_or_else(|| "dead".to_owned()))
        });
        let ended = world.now();
        let paused = process.paused.load(Ordering::Relaxed);
        Ended { process: process.id, run, pile, items, summary, error, began, ended, paused, has_company: false }
    }

    /// One process, alone. Says whether it came to its own end.
    pub(super) async fn alone(&mut self, work: Work, fortune: Fortune) -> bool {
        let process = self.spawn(fortune);
        let ended = self.live(process, work).await;
        let is_dead = ended.summary.is_none() && ended.error.is_none();
        let is_finished = ended.summary.is_some();
        self.ended.push(ended);
        if is_dead {
            self.store.power_loss(self.plan.sabotage);
        }
        is_finished
    }

    /// A person looks after what is in doubt and has rested.
    pub(super) fn operate(&self) {
        operator::resolve(&self.store, &self.world, self.knobs.is_once);
    }

    /// Whether nothing is left that a run or a person could do something about.
    pub(super) fn is_quiet(&self) -> bool {
        let open = [State::Received, State::Ready, State::Armed, State::Submitted, State::InDoubt];
        self.store.with(|memory| memory.tally().unwrap().iter().all(|tally| !open.contains(&tally.state)))
    }

    pub(super) async fn pass_time(&self, seconds: u64) {
        sleep(Duration::from_secs(seconds)).await;
    }

    fn close(self) -> Case {
        let mut world = self.world.lock();
        world.catch_up();
        Case {
            knobs: self.knobs.clone(),
            store: self.store.clone(),
            ledger: world.ledger.clone(),
            ended: self.ended.clone(),
            sent: world.sent.clone(),
            armed: world.armed.clone(),
            struck: world.swarm.struck.clone(),
            steps: world.steps,
            trace: world.take_trace(),
        }
    }
}
