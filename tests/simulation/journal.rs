//! A journal that outlives its processes, and in which every write is two steps: one before the commit and one after it. A
//! process that dies at the first leaves nothing, one that dies at the second leaves a commit that it never learns of.

use std::sync::{Arc, Mutex, MutexGuard};

use payables_bridge::adapter::Scope;
use payables_bridge::engine::record::{CallId, Digest, Key, RunId, ScopeId, Version, VersionId};
use payables_bridge::engine::state::{Millis, State};
use payables_bridge::journal::{
    Act, Arm, Attempt, Error, Evidence, Import, Journal, Memory, NewRun, OpenCall, Result, Ruling, RunRecord, Settle, Tally,
};
use payables_bridge::report::Item;

use super::process::Process;
use super::sabotage::Sabotage;
use super::swarm::Class;
use super::world::{Armed, Shared};

/// What is on the disk.
#[derive(Clone, Default)]
pub(super) struct Store(Arc<Mutex<Disk>>);

#[derive(Default)]
struct Disk {
    memory: Memory,
    /// What is left of it after a power loss, where a sabotaged journal does not keep its word.
    kept: Memory,
    writes: u32,
}

impl Store {
    pub(super) fn with<T>(&self, work: impl FnOnce(&mut Memory) -> T) -> T {
        work(&mut self.lock().memory)
    }

    fn lock(&self) -> MutexGuard<'_, Disk> {
        self.0.lock().unwrap()
    }

    /// A write was done. A good journal has nothing to do here: what it said is stored is stored.
    fn wrote(&self, what: &str, sabotage: Option<Sabotage>) {
        let mut disk = self.lock();
        disk.writes += 1;
        let keeps = match sabotage {
            Some(Sabotage::NoIntent) => what != "arm",
            Some(Sabotage::NoSync) => disk.writes.is_multiple_of(3),
            _ => return,
        };
        if keeps {
            disk.kept = disk.memory.clone();
        }
    }

    /// The power is gone.
    pub(super) fn power_loss(&self, sabotage: Option<Sabotage>) {
        if matches!(sabotage, Some(Sabotage::NoIntent | Sabotage::NoSync)) {
            let mut disk = self.lock();
            disk.memory = disk.kept.clone();
        }
    }
}

/// The journal of one process.
pub(super) struct Crashable {
    pub(super) store: Store,
    pub(super) process: Arc<Process>,
    pub(super) world: Shared,
    pub(super) sabotage: Option<Sabotage>,
}

fn gone() -> Error {
    Error::Failed("the process is dead".to_owned())
}

impl Crashable {
    fn read<T>(&self, work: impl FnOnce(&mut Memory) -> Result<T>) -> Result<T> {
        if self.process.is_dead() { Err(gone()) } else { self.store.with(work) }
    }

    fn write<T>(&self, what: &'static str, work: impl FnOnce(&mut Memory) -> Result<T>) -> Result<T> {
        if !self.process.step(what) {
            return Err(gone());
        }
        let mut fails_after = false;
        {
            let mut world = self.world.lock();
            let full = match what {
                "arm" => world.strikes(Class::FullAtArm),
                "keep" => world.strikes(Class::FullAtKeep),
                _ => false,
            };
            if full {
                return Err(Error::Failed("no space left on the disk".to_owned()));
            }
            if world.strikes(Class::Busy) {
                return Err(Error::Busy("somebody else has it".to_owned()));
            }
            if world.strikes(Class::CommitFails) {
                fails_after = world.chance.percent(50);
                if !fails_after {
                    return Err(Error::Failed("input/output error".to_owned()));
                }
            }
        }
        let done = self.store.with(work);
        if done.is_ok() {
            self.store.wrote(what, self.sabotage);
        }
        self.world.lock().tell(|| {
            let end = done.as_ref().err().map(|error| format!(": {error}")).unwrap_or_default();
            format!("process {}: {what}{end}", self.process.id)
        });
        if !self.process.step(what) {
            return Err(gone());
        }
        if fails_after { Err(Error::Failed("input/output error".to_owned())) } else { done }
    }

    /// The contents that a call carries.
    fn contents(&self, call: &Arm) -> Vec<Digest> {
        let digest = |memory: &mut Memory, id| memory.version(id).ok().flatten().map(|version| version.digest);
        self.store.with(|memory| call.armed.iter().filter_map(|change| digest(memory, change.version)).collect())
    }
}

impl Journal for Crashable {
    fn scope(&mut self, scope: &Scope) -> Result<ScopeId> {
        self.read(|memory| memory.scope(scope))
    }

    fn begin(&mut self, run: &NewRun) -> Result<RunId> {
        let id = self.write("begin", |memory| memory.begin(run))?;
        *self.process.run.lock().unwrap() = Some(id);
        Ok(id)
    }

    fn end(&mut self, run: RunId, at: Millis, summary: &str) -> Result<()> {
        self.write("end", |memory| memory.end(run, at, summary))
    }

    fn payees(&mut self, scope: ScopeId) -> Result<Vec<String>> {
        self.read(|memory| memory.payees(scope))
    }

    fn known(&mut self, scope: ScopeId, key: &Key) -> Result<(Vec<Version>, u32)> {
        self.read(|memory| memory.known(scope, key))
    }

    fn list(&mut self, scope: ScopeId, state: State, after: VersionId, most: usize) -> Result<Vec<Version>> {
        self.read(|memory| memory.list(scope, state, after, most))
    }

    fn due(&mut self, scope: ScopeId, run: Option<RunId>, until: Millis, most: usize) -> Result<Vec<Version>> {
        self.read(|memory| memory.due(scope, run, until, most))
    }

    fn version(&mut self, id: VersionId) -> Result<Option<Version>> {
        self.read(|memory| memory.version(id))
    }

    fn payload(&mut self, id: VersionId) -> Result<Option<Vec<u8>>> {
        self.read(|memory| memory.payload(id))
    }

    fn unsettled(&mut self, scope: ScopeId) -> Result<Vec<OpenCall>> {
        let sabotage = self.sabotage;
        self.read(|memory| {
            let open = memory.unsettled(scope)?;
            Ok(open.into_iter().filter(|call| !super::sabotage::reclaims(sabotage, memory, call)).collect())
        })
    }

    fn import(&mut self, run: RunId, part: &Import) -> Result<()> {
        self.write("import", |memory| memory.import(run, part))
    }

    fn promote(&mut self, run: RunId, at: Millis) -> Result<u64> {
        self.write("promote", |memory| memory.promote(run, at))
    }

    fn arm(&mut self, call: &Arm) -> Result<CallId> {
        let contents = self.contents(call);
        let mut call = call.clone();
        super::sabotage::unfence(self.sabotage, &self.store, call.superseded.iter_mut().chain(&mut call.armed));
        let process = self.process.id;
        let world = self.world.clone();
        self.write("arm", |memory| {
            let id = memory.arm(&call)?;
            let mut world = world.lock();
            let at = world.now();
            world.armed.push(Armed { call: id, process, at, contents });
            Ok(id)
        })
    }

    fn keep(&mut self, call: CallId, evidence: &Evidence) -> Result<()> {
        self.write("keep", |memory| memory.keep(call, evidence))
    }

    fn settle(&mut self, settle: &Settle) -> Result<()> {
        let mut settle = settle.clone();
        super::sabotage::unfence(self.sabotage, &self.store, settle.rulings.iter_mut().map(|ruling| &mut ruling.to));
        let told = settle.clone();
        self.write("settle", |memory| memory.settle(&settle))?;
        self.world.lock().tell(|| {
            let ends = told.rulings.iter().map(|ruling| format!("{} {}", ruling.to.version, ruling.to.to.state.word()));
            format!("  {}", ends.collect::<Vec<_>>().join(", "))
        });
        Ok(())
    }

    fn rule(&mut self, run: Option<RunId>, rulings: &[Ruling], acts: &[Act]) -> Result<()> {
        let mut rulings = rulings.to_vec();
        super::sabotage::unfence(self.sabotage, &self.store, rulings.iter_mut().map(|ruling| &mut ruling.to));
        self.write("rule", |memory| memory.rule(run, &rulings, acts))
    }

    fn report(&mut self, run: RunId, items: &[Item]) -> Result<()> {
        self.write("report", |memory| memory.report(run, items))
    }

    fn scopes(&mut self) -> Result<Vec<(ScopeId, Scope)>> {
        self.read(Journal::scopes)
    }

    fn tally(&mut self) -> Result<Vec<Tally>> {
        self.read(Journal::tally)
    }

    fn find(&mut self, number: &str) -> Result<Vec<(ScopeId, Version)>> {
        self.read(|memory| memory.find(number))
    }

    fn attempts(&mut self, version: VersionId) -> Result<Vec<Attempt>> {
        self.read(|memory| memory.attempts(version))
    }

    fn acts(&mut self, version: VersionId) -> Result<Vec<Act>> {
        self.read(|memory| memory.acts(version))
    }

    fn runs(&mut self, most: usize) -> Result<Vec<RunRecord>> {
        self.read(|memory| memory.runs(most))
    }

    fn run(&mut self, name: &str) -> Result<Option<RunRecord>> {
        self.read(|memory| memory.run(name))
    }

    fn items(&mut self, run: RunId, after: u64, most: usize) -> Result<Vec<Item>> {
        self.read(|memory| memory.items(run, after, most))
    }
}
