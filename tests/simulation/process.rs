//! A process that can die, be stopped, or stand still at any step it takes.

use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use payables_bridge::bridge::Stopper;
use payables_bridge::engine::record::RunId;
use tokio::sync::Notify;
use tokio::time::{Instant, Sleep, sleep, sleep_until};

use super::world::Shared;

/// What is to happen to a process.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Fortune {
    /// The step at which it dies.
    pub(super) dies_at: Option<u32>,
    /// After how long it dies.
    pub(super) dies_after: Option<Duration>,
    /// The step at which it is told to stop.
    pub(super) stops_at: Option<u32>,
    /// The step at which it stands still, and for how long.
    pub(super) pauses_at: Option<(u32, Duration)>,
    /// The step at which its clock is set, and by how much.
    pub(super) clock_at: Option<(u32, i64)>,
}

/// A process.
pub(super) struct Process {
    pub(super) id: u32,
    fortune: Fortune,
    world: Shared,
    is_dead: AtomicBool,
    steps: AtomicU32,
    wakes: Mutex<Option<Instant>>,
    /// For how long it has stood still, in milliseconds.
    pub(super) paused: AtomicI64,
    /// Whom to tell of a death that happens elsewhere.
    life: Mutex<Option<Waker>>,
    pub(super) stopper: Mutex<Option<Stopper>>,
    pub(super) run: Mutex<Option<RunId>>,
    /// Told when it stands still, and when it has ended.
    pub(super) pauses: Notify,
}

impl Process {
    pub(super) fn new(id: u32, fortune: Fortune, world: Shared) -> Self {
        Self {
            id,
            fortune,
            world,
            is_dead: AtomicBool::new(false),
            steps: AtomicU32::new(0),
            wakes: Mutex::new(None),
            paused: AtomicI64::new(0),
            life: Mutex::new(None),
            stopper: Mutex::new(None),
            run: Mutex::new(None),
            pauses: Notify::new(),
        }
    }

    pub(super) fn is_dead(&self) -> bool {
        self.is_dead.load(Ordering::Relaxed)
    }

    /// Takes a step. Says whether it lives on.
    pub(super) fn step(&self, what: &str) -> bool {
        if self.is_dead() {
            return false;
        }
        let step = self.steps.fetch_add(1, Ordering::Relaxed) + 1;
        let mut world = self.world.lock();
        world.steps += 1;
        if self.fortune.dies_at == Some(step) || world.deadly_steps.contains(&world.steps) {
            world.tell(|| format!("process {}: dies at step {step}, {what}", self.id));
            self.is_dead.store(true, Ordering::Relaxed);
            if let Some(life) = self.life.lock().unwrap().take() {
                life.wake();
            }
            return false;
        }
        if let Some((_, by)) = self.fortune.clock_at.filter(|(at, _)| *at == step) {
            world.skew += by;
            world.tell(|| format!("process {}: the clock is set by {by} ms", self.id));
        }
        if let Some((_, long)) = self.fortune.pauses_at.filter(|(at, _)| *at == step) {
            world.tell(|| format!("process {}: stands still for {} s at step {step}, {what}", self.id, long.as_secs()));
            *self.wakes.lock().unwrap() = Some(Instant::now() + long);
            self.paused.store(i64::try_from(long.as_millis()).unwrap(), Ordering::Relaxed);
            self.pauses.notify_one();
        }
        drop(world);
        if self.fortune.stops_at == Some(step)
            && let Some(stopper) = self.stopper.lock().unwrap().as_ref()
        {
            self.world.lock().tell(|| format!("process {}: is told to stop", self.id));
            stopper.stop();
        }
        true
    }

    /// Until when it stands still.
    fn stands_still(&self) -> Option<Instant> {
        (*self.wakes.lock().unwrap()).filter(|wakes| *wakes > Instant::now())
    }

    /// Takes a step on a task of its own: the dead go no further, and whoever stands still waits.
    pub(super) async fn pass(&self, what: &str) {
        if !self.step(what) {
            pending::<()>().await;
        }
        self.live().await;
    }

    /// Lets time pass, as the process sees it.
    pub(super) async fn rest(&self, time: Duration) {
        sleep(time).await;
        self.live().await;
    }

    async fn live(&self) {
        while let Some(wakes) = self.stands_still() {
            sleep_until(wakes).await;
        }
        if self.is_dead() {
            pending::<()>().await;
        }
    }
}

/// What a process does, until it has done it (`Some`) or dies (`None`).
pub(super) struct Life<'l, F> {
    process: &'l Process,
    work: Pin<Box<F>>,
    pause: Option<Pin<Box<Sleep>>>,
    death: Option<Pin<Box<Sleep>>>,
}

impl<'l, F: Future> Life<'l, F> {
    pub(super) fn new(process: &'l Process, work: F) -> Self {
        let death = process.fortune.dies_after.map(|time| Box::pin(sleep(time)));
        Self { process, work: Box::pin(work), pause: None, death }
    }
}

impl<F: Future> Future for Life<'_, F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        *this.process.life.lock().unwrap() = Some(context.waker().clone());
        loop {
            if let Some(death) = &mut this.death
                && death.as_mut().poll(context).is_ready()
            {
                this.process.world.lock().tell(|| format!("process {}: dies in between", this.process.id));
                this.process.is_dead.store(true, Ordering::Relaxed);
                this.death = None;
            }
            if this.process.is_dead() {
                return Poll::Ready(None);
            }
            if let Some(wakes) = this.process.stands_still() {
                let pause = this.pause.get_or_insert_with(|| Box::pin(sleep_until(wakes)));
                if pause.as_mut().poll(context).is_pending() {
                    return Poll::Pending;
                }
            }
            this.pause = None;
            let done = this.work.as_mut().poll(context);
            if this.process.is_dead() {
                return Poll::Ready(None);
            }
            if let Poll::Ready(done) = done {
                return Poll::Ready(Some(done));
            }
            if this.process.stands_still().is_none() {
                return Poll::Pending;
            }
        }
    }
}
