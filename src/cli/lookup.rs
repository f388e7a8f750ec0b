//! Finds the journal of a configuration, and the names by which people know what is in it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::Failure;
use crate::adapter::Scope;
use crate::config::{Configuration, Target};
use crate::engine::record::{RunId, ScopeId};
use crate::engine::state::{Millis, Rules};
use crate::journal::{Journal, RunRecord, Sqlite};

/// What is said where no run has made a journal yet.
pub(super) fn nothing_yet(path: &Path) -> String {
    format!("nothing has been sent yet: there is no journal {}; if that is not where it is, say --config", path.display())
}

/// So many runs are known by their names where documents are shown.
const MOST_RUNS: usize = 1000;

/// The configuration, and the journal that it names.
pub(super) fn configured(config: Option<&Path>) -> Result<(Configuration, PathBuf), Failure> {
    let configuration = Configuration::load(config)?;
    let journal = configuration.journal()?;
    Ok((configuration, journal))
}

/// Opens a journal to look at it; `None` when there is none yet.
pub(super) fn read(path: &Path) -> Result<Option<Sqlite>, Failure> {
    Ok(Sqlite::read_if_any(path)?)
}

/// What the state machine has to know of a target.
pub(super) fn rules(target: &Target) -> Rules {
    let quarantine = target.connection().quarantine_s.saturating_mul(1000);
    let quarantine = Millis::try_from(quarantine).unwrap_or(Millis::MAX / 4);
    Rules { repeatable: target.settings.vendor().submit().repeatable(), quarantine }
}

/// Where a target sends to.
pub(super) fn scope(target: &Target) -> Scope {
    target.settings.vendor().submit().scope()
}

/// A scope of the journal, and the target that it is.
#[derive(Debug, Clone)]
pub(super) struct Named {
    pub(super) id: ScopeId,
    pub(super) scope: Scope,
    /// The target's name; of a target that is not configured any more, the name that it had, and the account.
    pub(super) name: String,
    /// Whether sending a document twice does no harm; `None` when nobody knows any more.
    pub(super) repeatable: Option<bool>,
}

/// The scopes of a journal, all of them or that of one target.
pub(super) fn scopes(
    journal: &mut dyn Journal,
    configuration: &Configuration,
    runs: &Runs,
    to: Option<&str>,
) -> Result<Vec<Named>, Failure> {
    let kept: Vec<_> = configuration.aws_targets().into_iter().filter(|kept| to.is_none_or(|name| kept.name == name)).collect();
    let mut names = match to {
        Some(_) if !kept.is_empty() => Vec::new(),
        Some(name) => vec![name.to_owned()],
        None => configuration.written_targets(),
    };
    if to.is_none() {
        names.extend(configuration.target_names());
    }
    let mut targets = Vec::new();
    for name in names {
        match configuration.target(&name) {
            Ok(target) => targets.push((scope(&target), rules(&target).repeatable, name)),
            Err(error) if to.is_some() => return Err(error.into()),
            // Another target's settings are no reason not to look.
            Err(_) => {}
        }
    }
    targets.extend(kept.into_iter().map(|kept| (kept.scope(), true, kept.name)));
    let mut all = Vec::new();
    for (id, scope) in journal.scopes()? {
        match targets.iter().find(|(known, ..)| *known == scope) {
            Some((_, repeatable, name)) => all.push(Named { id, scope, name: name.clone(), repeatable: Some(*repeatable) }),
            None if to.is_some() => {}
            None => {
                let name = runs.last_of(id).map_or(scope.kind.as_str(), |run| run.target.as_str());
                let account: Vec<&str> =
                    [scope.environment.as_str(), scope.account.as_str()].into_iter().filter(|part| !part.is_empty()).collect();
                let name = format!("{name} ({})", account.join(", "));
                all.push(Named { id, scope, name, repeatable: None });
            }
        }
    }
    Ok(all)
}

/// The last runs.
#[derive(Debug)]
pub(super) struct Runs {
    all: Vec<RunRecord>,
    by_id: HashMap<RunId, usize>,
}

impl Runs {
    pub(super) fn of(journal: &mut dyn Journal) -> Result<Self, Failure> {
        let all = journal.runs(MOST_RUNS)?;
        let by_id = all.iter().enumerate().map(|(place, run)| (run.id, place)).collect();
        Ok(Self { all, by_id })
    }

    pub(super) fn get(&self, id: RunId) -> Option<&RunRecord> {
        self.by_id.get(&id).and_then(|place| self.all.get(*place))
    }

    /// The run's name, or what there is of it when it was long ago.
    pub(super) fn name(&self, id: RunId) -> String {
        self.get(id).map_or_else(|| format!("run {id}"), |run| run.name.clone())
    }

    /// The last run of a scope.
    pub(super) fn last_of(&self, scope: ScopeId) -> Option<&RunRecord> {
        self.all.iter().find(|run| run.scope == scope)
    }

    /// Whether a run has certainly broken off: it did not end, and a later one began, which only one at a time can.
    pub(super) fn is_broken_off(&self, id: RunId) -> bool {
        let is_last = self.all.first().is_some_and(|last| last.id == id);
        !is_last && self.get(id).is_none_or(|run| run.ended_at.is_none())
    }
}
