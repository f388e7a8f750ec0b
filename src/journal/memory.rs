//! A journal in memory: for tests, and for whoever wants to try the bridge without a file. It dies with the process.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{
    Act, Arm, Attempt, CallId, Error, Evidence, Import, Journal, Key, Move, NewRun, NewVersion, OpenCall, Result, Ruling, RunId,
    RunRecord, ScopeId, Settle, Tally, Version, VersionId, moved_twice,
};
use crate::adapter::Scope;
use crate::engine::state::{Millis, State};
use crate::report::Item;

/// A journal in memory.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    scopes: Vec<Scope>,
    runs: Vec<RunRecord>,
    items: HashMap<RunId, Vec<Item>>,
    versions: BTreeMap<VersionId, (ScopeId, Version)>,
    payloads: HashMap<VersionId, Vec<u8>>,
    /// The versions of each document, the oldest first.
    documents: HashMap<(ScopeId, Key), Vec<VersionId>>,
    /// Versions by their state, so that what is over costs nothing.
    by_state: BTreeSet<(ScopeId, State, VersionId)>,
    payees: BTreeSet<(ScopeId, String)>,
    calls: BTreeMap<CallId, Call>,
    attempts: HashMap<VersionId, Vec<Tried>>,
    /// Calls with an attempt that has no outcome.
    unsettled: BTreeSet<CallId>,
    acts: Vec<Act>,
}

/// An attempt: its call, its epoch, when it was armed, and what became of it.
type Tried = (CallId, u32, Millis, Option<State>);

#[derive(Debug, Clone)]
struct Call {
    scope: ScopeId,
    at: Millis,
    members: Vec<VersionId>,
    evidence: Vec<Evidence>,
}

impl Memory {
    /// An empty journal.
    pub fn new() -> Self {
        Self::default()
    }

    fn get(&self, id: VersionId) -> Option<&Version> {
        self.versions.get(&id).map(|(_, version)| version)
    }

    /// Those of the moves that were decided on a standing that is not the present one, or break one of the two guards.
    fn fenced<'m>(&self, moves: impl Iterator<Item = &'m Move> + Clone) -> Result<()> {
        let stands = |change: &Move| {
            self.get(change.version)
                .is_some_and(|version| version.standing.state == change.from && version.standing.epoch == change.epoch)
        };
        let mut fenced = moved_twice(moves.clone());
        fenced.extend(moves.clone().filter(|change| !stands(change)).map(|change| change.version));
        if fenced.is_empty() {
            let becomes: HashMap<VersionId, State> = moves.clone().map(|change| (change.version, change.to.state)).collect();
            let opens = moves.filter(|change| change.to.state.is_open()).map(|change| change.version);
            fenced.extend(opens.filter(|version| self.is_contested(*version, &becomes)));
        }
        fenced.sort_unstable();
        fenced.dedup();
        if fenced.is_empty() { Ok(()) } else { Err(Error::Fenced(fenced)) }
    }

    /// Whether another version of the same document is open once these have moved.
    fn is_contested(&self, id: VersionId, becomes: &HashMap<VersionId, State>) -> bool {
        let Some((scope, version)) = self.versions.get(&id) else { return false };
        let siblings = self.documents.get(&(*scope, version.key.clone())).map(Vec::as_slice).unwrap_or_default();
        let state = |id: &VersionId| becomes.get(id).copied().or_else(|| Some(self.get(*id)?.standing.state));
        siblings.iter().any(|other| *other != id && state(other).is_some_and(State::is_open))
    }

    /// Whether nobody knows what became of an attempt of a version.
    fn has_open_attempt(&self, id: VersionId) -> bool {
        self.attempts.get(&id).is_some_and(|attempts| attempts.iter().any(|attempt| attempt.3.is_none()))
    }

    fn apply(&mut self, change: &Move) {
        let Some((scope, version)) = self.versions.get_mut(&change.version) else { return };
        self.by_state.remove(&(*scope, version.standing.state, version.id));
        if version.standing.state == State::Armed && change.to.state != State::Armed {
            // Whoever moves it: what becomes of a version that was armed is what became of its attempt.
            for attempt in self.attempts.entry(change.version).or_default().iter_mut().filter(|attempt| attempt.3.is_none()) {
                attempt.3 = Some(change.to.state);
            }
        }
        version.standing = change.to.clone();
        self.by_state.insert((*scope, version.standing.state, version.id));
        if change.to.state == State::Accepted {
            if let Some(payee) = &version.payee {
                self.payees.insert((*scope, payee.clone()));
            }
            self.make_room(change.version, change.to.changed_at);
        }
    }

    /// The vendor has one version of a document: whatever was accepted before makes room for the one that is now.
    fn make_room(&mut self, id: VersionId, at: Millis) {
        let Some((scope, version)) = self.versions.get(&id) else { return };
        let siblings = self.documents.get(&(*scope, version.key.clone())).cloned().unwrap_or_default();
        let revision = version.revision;
        for older in siblings {
            if self.get(older).is_some_and(|other| other.revision < revision) {
                self.supersede(older, at, false);
            }
        }
    }

    /// What was accepted makes room, perhaps in doubt; of what had made room already, a doubt can only end.
    fn supersede(&mut self, id: VersionId, at: Millis, doubtful: bool) {
        let Some(version) = self.get(id) else { return };
        let mut to = version.standing.clone();
        match to.state {
            State::Accepted => (to.state, to.doubtful, to.changed_at) = (State::Superseded, doubtful, at),
            State::Superseded => to.doubtful &= doubtful,
            _ => return,
        }
        let change = Move::new(version, to);
        self.apply(&change);
    }

    fn insert(&mut self, scope: ScopeId, run: RunId, new: &NewVersion) {
        let id = VersionId::try_from(self.versions.len()).unwrap_or_default() + 1;
        self.payloads.insert(id, new.payload.clone());
        self.documents.entry((scope, new.key.clone())).or_default().push(id);
        self.by_state.insert((scope, new.standing.state, id));
        let version = Version {
            id,
            key: new.key.clone(),
            revision: new.revision,
            digest: new.digest,
            memo: new.memo.clone(),
            payee: new.payee.clone(),
            run,
            item: new.item.clone(),
            standing: new.standing.clone(),
        };
        self.versions.insert(id, (scope, version));
    }

    fn run_of(&mut self, run: RunId) -> Result<&mut RunRecord> {
        self.runs.iter_mut().find(|record| record.id == run).ok_or_else(|| Error::Failed(format!("there is no run {run}")))
    }

    fn rulings(&mut self, run: Option<RunId>, rulings: &[Ruling]) {
        for ruling in rulings {
            self.apply(&ruling.to);
            if let Some(older) = ruling.superseded {
                self.supersede(older, ruling.to.to.changed_at, ruling.to.to.state != State::Accepted);
            }
            if let (Some(run), Some(item)) = (run, &ruling.item) {
                self.items.entry(run).or_default().push(item.clone());
            }
        }
    }
}

impl Journal for Memory {
    fn scope(&mut self, scope: &Scope) -> Result<ScopeId> {
        let place = self.scopes.iter().position(|known| known == scope).unwrap_or_else(|| {
            self.scopes.push(scope.clone());
            self.scopes.len() - 1
        });
        Ok(ScopeId::try_from(place).unwrap_or_default() + 1)
    }

    fn begin(&mut self, run: &NewRun) -> Result<RunId> {
        let id = RunId::try_from(self.runs.len()).unwrap_or_default() + 1;
        self.runs.push(RunRecord {
            id,
            name: run.name.clone(),
            scope: run.scope,
            target: run.target.clone(),
            began_at: run.at,
            imported_at: None,
            ended_at: None,
            inputs: run.inputs.clone(),
            summary: None,
        });
        Ok(id)
    }

    fn end(&mut self, run: RunId, at: Millis, summary: &str) -> Result<()> {
        let record = self.run_of(run)?;
        record.ended_at = Some(at);
        record.summary = Some(summary.to_owned());
        Ok(())
    }

    fn payees(&mut self, scope: ScopeId) -> Result<Vec<String>> {
        Ok(self.payees.iter().filter(|(of, _)| *of == scope).map(|(_, payee)| payee.clone()).collect())
    }

    fn known(&mut self, scope: ScopeId, key: &Key) -> Result<(Vec<Version>, u32)> {
        let ids = self.documents.get(&(scope, key.clone())).map(Vec::as_slice).unwrap_or_default();
        let all = || ids.iter().rev().filter_map(|id| self.get(*id));
        let counts = |version: &&Version| match version.standing.state {
            State::Superseded => version.standing.doubtful,
            state => state != State::Cancelled,
        };
        Ok((all().filter(counts).cloned().collect(), all().map(|version| version.revision).max().unwrap_or_default()))
    }

    fn list(&mut self, scope: ScopeId, state: State, after: VersionId, most: usize) -> Result<Vec<Version>> {
        let range = (scope, state, after.saturating_add(1))..=(scope, state, VersionId::MAX);
        Ok(self.by_state.range(range).take(most).filter_map(|(_, _, id)| self.get(*id)).cloned().collect())
    }

    fn due(&mut self, scope: ScopeId, run: Option<RunId>, until: Millis, most: usize) -> Result<Vec<Version>> {
        let of = |state| self.by_state.range((scope, state, VersionId::MIN)..=(scope, state, VersionId::MAX));
        let waiting = of(State::Submitted).filter_map(|(_, _, id)| self.get(*id));
        let mut due: Vec<&Version> = waiting
            .filter(|version| (1..=until).contains(&version.standing.ask_at))
            .filter(|version| run.is_none_or(|run| run == version.run))
            .collect();
        due.sort_by_key(|version| (version.standing.ask_at, version.id));
        Ok(due.into_iter().take(most).cloned().collect())
    }

    fn version(&mut self, id: VersionId) -> Result<Option<Version>> {
        Ok(self.get(id).cloned())
    }

    fn payload(&mut self, id: VersionId) -> Result<Option<Vec<u8>>> {
        Ok(self.payloads.get(&id).cloned())
    }

    fn unsettled(&mut self, scope: ScopeId) -> Result<Vec<OpenCall>> {
        let calls = self.unsettled.iter().filter_map(|id| Some((*id, self.calls.get(id)?)));
        let open = calls.filter(|(_, call)| call.scope == scope).map(|(id, call)| {
            let is_armed_for = |version: &Version| {
                let attempts = self.attempts.get(&version.id).map(Vec::as_slice).unwrap_or_default();
                version.standing.state == State::Armed && attempts.last().is_some_and(|(of, ..)| *of == id)
            };
            let all = || call.members.iter().filter_map(|version| self.get(*version));
            OpenCall {
                id,
                armed_at: call.at,
                members: all().cloned().enumerate().filter(|(_, version)| is_armed_for(version)).collect(),
                numbers: all().map(|version| version.key.number.clone()).collect(),
                evidence: call.evidence.last().cloned(),
            }
        });
        Ok(open.filter(|call| !call.members.is_empty()).collect())
    }

    fn import(&mut self, run: RunId, part: &Import) -> Result<()> {
        let scope = self.run_of(run)?.scope;
        self.fenced(part.moves.iter().map(|(change, _)| change))?;
        for (change, item) in &part.moves {
            self.apply(change);
            if let (Some(item), Some((_, version))) = (item, self.versions.get_mut(&change.version)) {
                version.item = item.clone();
                version.run = run;
            }
        }
        for new in &part.new {
            self.insert(scope, run, new);
        }
        self.items.entry(run).or_default().extend(part.items.iter().cloned());
        Ok(())
    }

    fn promote(&mut self, run: RunId, at: Millis) -> Result<u64> {
        let record = self.run_of(run)?;
        record.imported_at = Some(at);
        let scope = record.scope;
        let range = (scope, State::Received, VersionId::MIN)..=(scope, State::Received, VersionId::MAX);
        let received: Vec<VersionId> = self.by_state.range(range).map(|(_, _, id)| *id).collect();
        let mut promoted = 0;
        for id in received {
            let Some(version) = self.get(id).filter(|version| version.run == run) else { continue };
            let mut to = version.standing.clone();
            to.state = State::Ready;
            to.changed_at = at;
            let change = Move::new(version, to);
            self.apply(&change);
            promoted += 1;
        }
        Ok(promoted)
    }

    fn arm(&mut self, call: &Arm) -> Result<CallId> {
        self.fenced(call.superseded.iter().chain(&call.armed))?;
        let contested: Vec<VersionId> =
            call.armed.iter().map(|change| change.version).filter(|version| self.has_open_attempt(*version)).collect();
        if !contested.is_empty() {
            return Err(Error::Fenced(contested));
        }
        for change in call.superseded.iter().chain(&call.armed) {
            self.apply(change);
        }
        let id = CallId::try_from(self.calls.len()).unwrap_or_default() + 1;
        let members: Vec<VersionId> = call.armed.iter().map(|change| change.version).collect();
        for change in &call.armed {
            if let Some((_, version)) = self.versions.get_mut(&change.version) {
                version.run = call.run;
            }
            self.attempts.entry(change.version).or_default().push((id, change.to.epoch, call.at, None));
        }
        self.calls.insert(id, Call { scope: call.scope, at: call.at, members, evidence: Vec::new() });
        self.unsettled.insert(id);
        Ok(id)
    }

    fn keep(&mut self, call: CallId, evidence: &Evidence) -> Result<()> {
        let call = self.calls.get_mut(&call).ok_or_else(|| Error::Failed(format!("there is no call {call}")))?;
        call.evidence.push(evidence.clone());
        Ok(())
    }

    fn settle(&mut self, settle: &Settle) -> Result<()> {
        self.fenced(settle.rulings.iter().map(|ruling| &ruling.to))?;
        self.rulings(Some(settle.run), &settle.rulings);
        for ruling in &settle.rulings {
            for attempt in
                self.attempts.entry(ruling.to.version).or_default().iter_mut().filter(|attempt| attempt.0 == settle.call)
            {
                attempt.3 = Some(ruling.to.to.state);
            }
        }
        let members = self.calls.get(&settle.call).map(|call| call.members.clone()).unwrap_or_default();
        let is_open = |version: &VersionId| {
            let attempts = self.attempts.get(version).map(Vec::as_slice).unwrap_or_default();
            attempts.iter().any(|attempt| attempt.0 == settle.call && attempt.3.is_none())
        };
        if !members.iter().any(is_open) {
            self.unsettled.remove(&settle.call);
        }
        Ok(())
    }

    fn rule(&mut self, run: Option<RunId>, rulings: &[Ruling], acts: &[Act]) -> Result<()> {
        self.fenced(rulings.iter().map(|ruling| &ruling.to))?;
        self.rulings(run, rulings);
        self.acts.extend_from_slice(acts);
        Ok(())
    }

    fn report(&mut self, run: RunId, items: &[Item]) -> Result<()> {
        self.items.entry(run).or_default().extend_from_slice(items);
        Ok(())
    }

    fn scopes(&mut self) -> Result<Vec<(ScopeId, Scope)>> {
        Ok((1..).zip(self.scopes.iter().cloned()).collect())
    }

    fn tally(&mut self) -> Result<Vec<Tally>> {
        let mut tallies: BTreeMap<(ScopeId, State), Tally> = BTreeMap::new();
        for (scope, version) in self.versions.values() {
            let (state, changed) = (version.standing.state, version.standing.changed_at);
            let tally = tallies.entry((*scope, state)).or_insert(Tally { scope: *scope, state, count: 0, oldest: changed });
            tally.count += 1;
            tally.oldest = tally.oldest.min(changed);
        }
        Ok(tallies.into_values().collect())
    }

    fn find(&mut self, number: &str) -> Result<Vec<(ScopeId, Version)>> {
        Ok(self.versions.values().rev().filter(|(_, version)| version.key.number == number).cloned().collect())
    }

    fn attempts(&mut self, version: VersionId) -> Result<Vec<Attempt>> {
        let attempts = self.attempts.get(&version).map(Vec::as_slice).unwrap_or_default();
        let evidence = |call: &CallId| self.calls.get(call).map(|call| call.evidence.clone()).unwrap_or_default();
        let tell = |(call, epoch, armed_at, outcome): &Tried| Attempt {
            call: *call,
            epoch: *epoch,
            armed_at: *armed_at,
            outcome: *outcome,
            evidence: evidence(call),
        };
        Ok(attempts.iter().map(tell).collect())
    }

    fn acts(&mut self, version: VersionId) -> Result<Vec<Act>> {
        Ok(self.acts.iter().filter(|act| act.version == version).cloned().collect())
    }

    fn runs(&mut self, most: usize) -> Result<Vec<RunRecord>> {
        Ok(self.runs.iter().rev().take(most).cloned().collect())
    }

    fn run(&mut self, name: &str) -> Result<Option<RunRecord>> {
        Ok(self.runs.iter().find(|run| run.name == name).cloned())
    }

    fn items(&mut self, run: RunId, after: u64, most: usize) -> Result<Vec<Item>> {
        let items = self.items.get(&run).map(Vec::as_slice).unwrap_or_default();
        Ok(items.iter().skip(usize::try_from(after).unwrap_or(usize::MAX)).take(most).cloned().collect())
    }
}
