//! What a night happens in: time, chance, the vendor, requests on their way, and a record of everything for the oracle.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::time::Instant;

use payables_bridge::engine::record::{CallId, Digest};
use payables_bridge::wire::WireResponse;

use super::chance::Chance;
use super::ledger::Ledger;
use super::swarm::{Class, Swarm};

/// Milliseconds since 1970, as the world has it; clocks may go wrong.
pub(super) type Millis = i64;

/// Nobody looks at a clock more often in a night, unless it is caught in a loop.
const MOST_LOOKS: u64 = 200_000;
/// When nights begin.
const BEGINNING: Millis = 1_772_000_000_000;

/// A call as it left a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) process: u32,
    pub(super) at: Millis,
    /// What it carried; nothing for a question.
    pub(super) contents: Vec<Digest>,
    /// Whether it asked for a token. Those are not counted among the requests of a run.
    pub(super) is_login: bool,
    /// Whether a byte of the body left.
    pub(super) wrote: bool,
}

/// An intent as the journal took it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Armed {
    pub(super) call: CallId,
    pub(super) process: u32,
    pub(super) at: Millis,
    pub(super) contents: Vec<Digest>,
}

/// A request on its way to the vendor.
#[derive(Debug, Clone)]
pub(super) struct Delivery {
    /// Which call it is of.
    pub(super) trip: usize,
    pub(super) is_copy: bool,
    /// Whether it asks for a token.
    pub(super) is_login: bool,
    pub(super) body: Vec<u8>,
    pub(super) keys: String,
}

/// The world.
pub(super) struct World {
    pub(super) chance: Chance,
    pub(super) swarm: Swarm,
    pub(super) ledger: Ledger,
    pub(super) sent: Vec<Sent>,
    pub(super) armed: Vec<Armed>,
    pub(super) steps: u32,
    /// How often anybody looked at a clock.
    looks: u64,
    /// The steps of the night at which whoever takes them dies.
    pub(super) deadly_steps: [u32; 2],
    /// How far clocks are off.
    pub(super) skew: Millis,
    /// Until when nothing gets through, and until when the vendor wants no calls.
    pub(super) outage_until: Millis,
    pub(super) storm_until: Millis,
    began: Instant,
    on_the_way: BTreeMap<(Millis, u64), Delivery>,
    deliveries: u64,
    answers: BTreeMap<usize, WireResponse>,
    trace: Option<Vec<String>>,
}

/// The world, as everybody has it.
#[derive(Clone)]
pub(super) struct Shared(Arc<Mutex<World>>);

impl Shared {
    pub(super) fn new(chance: Chance, swarm: Swarm, ledger: Ledger, is_traced: bool) -> Self {
        Self(Arc::new(Mutex::new(World {
            chance,
            swarm,
            ledger,
            sent: Vec::new(),
            armed: Vec::new(),
            steps: 0,
            looks: 0,
            deadly_steps: [0; 2],
            skew: 0,
            outage_until: 0,
            storm_until: 0,
            began: Instant::now(),
            on_the_way: BTreeMap::new(),
            deliveries: 0,
            answers: BTreeMap::new(),
            trace: is_traced.then(Vec::new),
        })))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap()
    }

    /// What a process reads on its clock.
    pub(super) fn clock(&self) -> Millis {
        let mut world = self.lock();
        world.looks += 1;
        let (looks, time) = (world.looks, world.now() + world.skew);
        drop(world);
        assert!(looks < MOST_LOOKS, "a process does the same thing over and over");
        time
    }
}

impl World {
    pub(super) fn now(&self) -> Millis {
        BEGINNING + Millis::try_from(self.began.elapsed().as_millis()).unwrap()
    }

    pub(super) fn strikes(&mut self, class: Class) -> bool {
        self.swarm.strikes(class, &mut self.chance)
    }

    /// Whether a fault goes on that lasts: from a strike of it until the time that is given and returned.
    pub(super) fn lasts(&mut self, class: Class, until: Millis) -> (bool, Millis) {
        let now = self.now();
        let until = if self.strikes(class) { now + 1000 * self.chance.pick(&[60, 600, 3600, 20_000, 90_000]) } else { until };
        (now < until && self.swarm.is_on, until)
    }

    /// Notes what happened, for eyes and for the comparison of two nights. The text is only made where it is wanted.
    pub(super) fn tell(&mut self, what: impl FnOnce() -> String) {
        let now = self.now() - BEGINNING;
        if let Some(trace) = &mut self.trace {
            trace.push(format!("{:>9}.{:03} {}", now / 1000, now % 1000, what()));
        }
    }

    pub(super) fn take_trace(&mut self) -> Vec<String> {
        self.trace.take().unwrap_or_default()
    }

    /// Sends a request on its way.
    pub(super) fn post(&mut self, at: Millis, delivery: Delivery) {
        self.deliveries += 1;
        self.on_the_way.insert((at, self.deliveries), delivery);
    }

    /// Whatever has arrived by now is received, in the order in which it arrived.
    pub(super) fn catch_up(&mut self) {
        let now = self.now();
        while let Some(first) = self.on_the_way.first_entry().filter(|first| first.key().0 <= now) {
            let ((at, _), delivery) = first.remove_entry();
            let (trip, is_copy) = (delivery.trip, delivery.is_copy);
            let answer = super::ledger::receive(self, at, delivery);
            self.tell(|| format!("vendor: call {trip}{} -> {}", if is_copy { " again" } else { "" }, answer.status));
            self.answers.entry(trip).or_insert(answer);
        }
    }

    /// What the vendor answered to a call, if it has arrived.
    pub(super) fn answer(&mut self, trip: usize) -> Option<WireResponse> {
        self.catch_up();
        self.answers.get(&trip).cloned()
    }
}
