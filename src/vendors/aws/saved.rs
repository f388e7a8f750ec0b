//! A plan as a file: what was to be done when it was made, so that exactly that is done later, or is told why not.
//!
//! It holds no secret, only where secrets are.

use serde::{Deserialize, Serialize};

use super::compare::{believe, changes};
use super::held::Held;
use super::plan::{Step, delete, in_order, secret_changes};
use super::resource::Resource;
use crate::model::Fault;
use crate::outcome::{Action, Change, Outcome};
use crate::rules::{Levels, apply_levels};
use crate::wire::Secret;

/// The name and version of the shape.
pub const SCHEMA: &str = "payables.aws-plan.v1";

/// A plan as a file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "T: Deserialize<'de>"))]
pub struct SavedPlan<T> {
    /// [`SCHEMA`].
    pub schema: String,
    /// `portal` or `invoice-unit`.
    pub resource: String,
    /// The target that it was made for.
    pub target: String,
    /// Where that is: the endpoint and the profile, or a trial.
    pub place: String,
    /// When it was made, RFC 3339 in UTC.
    pub made_at: String,
    /// What is to be done.
    pub steps: Vec<SavedStep<T>>,
}

/// One step of it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "T: Deserialize<'de>"))]
pub struct SavedStep<T> {
    /// What is to be done.
    pub action: Action,
    /// What it is called.
    pub name: Option<String>,
    /// The file that speaks of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The fields that change.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
    /// What is wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wanted: Option<T>,
    /// What AWS held when the plan was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<T>,
    /// How that stood: its version and its statuses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standing: Option<String>,
}

impl<T: Resource> SavedPlan<T> {
    /// The plan that these steps are; those that are not done are left out.
    pub fn of(target: &str, place: String, made_at: String, steps: &[Step<T>]) -> Self
    where
        T: Clone,
    {
        let steps = steps.iter().filter(|step| step.outcome == Outcome::Planned);
        let saved = |step: &Step<T>| SavedStep {
            action: step.action,
            name: step.name.clone(),
            file: step.file.clone(),
            changes: step.changes.clone(),
            wanted: step.wanted.clone(),
            held: step.held.as_ref().map(|held| held.content.clone()),
            standing: step.held.as_ref().map(Held::standing),
        };
        Self {
            schema: SCHEMA.to_owned(),
            resource: T::WORD.to_owned(),
            target: target.to_owned(),
            place,
            made_at,
            steps: steps.map(saved).collect(),
        }
    }

    /// What it says, without a look at what AWS holds now.
    pub fn as_planned(self) -> Vec<Step<T>> {
        let step = |saved: SavedStep<T>| Step {
            action: saved.action,
            name: saved.name,
            file: saved.file,
            wanted: saved.wanted,
            held: saved.held.map(|content| Held { content, secrets: vec![], version: None, statuses: vec![], facts: vec![] }),
            changes: saved.changes,
            faults: Vec::new(),
            outcome: Outcome::Planned,
        };
        self.steps.into_iter().map(step).collect()
    }

    /// What of it is to be done now, given what AWS holds now. What is done already is unchanged; what has changed since
    /// otherwise is held.
    pub fn follow(self, held: Vec<Held<T>>, secret: &dyn Fn(&super::Reference<'_>) -> Option<Secret>) -> Vec<Step<T>> {
        let mut held: Vec<Option<Held<T>>> = held.into_iter().map(Some).collect();
        let mut steps = Vec::with_capacity(self.steps.len());
        for saved in self.steps {
            let arn = saved.held.as_ref().and_then(Resource::arn).map(str::to_owned);
            let identity = saved.wanted.as_ref().and_then(Resource::identity);
            let by_arn = |held: &Held<T>| arn.as_deref().is_some_and(|arn| held.arn() == arn);
            let by_identity = |held: &Held<T>| identity.is_some() && held.content.identity() == identity;
            let place = |is_meant: &dyn Fn(&Held<T>) -> bool| held.iter().position(|held| held.as_ref().is_some_and(is_meant));
            // What the plan has seen is known by its ARN; another one of the same name is another one. Where it was to be replaced,
            // the other one may be what came of that.
            let is_made = arn.is_none() || saved.action == Action::Replace;
            let place = place(&by_arn).or_else(|| place(&by_identity).filter(|_| is_made));
            let now = place.and_then(|place| held.get_mut(place)).and_then(Option::take);
            steps.push(saved.follow(now, secret));
        }
        let left_alone: Vec<Held<T>> = held.into_iter().flatten().collect();
        in_order(steps, &left_alone)
    }
}

impl<T: Resource> SavedStep<T> {
    /// Whether it has what its action needs, and nothing else.
    pub fn is_whole(&self) -> bool {
        let has = (self.wanted.is_some(), self.held.is_some());
        match self.action {
            Action::Create => has == (true, false),
            Action::Change | Action::Replace => has == (true, true),
            Action::Delete => has == (false, true),
            // What is kept stands in no plan.
            Action::Keep => false,
        }
    }

    /// What is to be said of what is wanted.
    pub fn judge(&self, levels: &Levels, unix_seconds: u64) -> Vec<Fault> {
        let Some(wanted) = &self.wanted else { return Vec::new() };
        let mut faults = wanted.judge(unix_seconds);
        apply_levels(levels, &mut faults);
        if let Some(held) = &self.held {
            believe(&mut faults, held, wanted);
        }
        faults
    }

    fn follow(self, now: Option<Held<T>>, secret: &dyn Fn(&super::Reference<'_>) -> Option<Secret>) -> Step<T> {
        let Self { action, name, file, changes: planned, wanted, held, standing } = self;
        // What is deleted has to be what the plan showed.
        let drift = match (&held, &now) {
            (Some(then), Some(now)) if matches!(action, Action::Delete | Action::Replace) => changes(Some(then), &now.content),
            _ => Vec::new(),
        };
        let has_moved = match (action, standing, &now) {
            (Action::Delete | Action::Replace, Some(then), Some(now)) => then != now.standing(),
            _ => false,
        };
        let Some(wanted) = wanted else {
            let mut step = match now {
                Some(now) => delete(now),
                None => Step {
                    action,
                    name: None,
                    file: None,
                    wanted: None,
                    held: None,
                    changes: vec![],
                    faults: vec![],
                    outcome: Outcome::Unchanged,
                },
            };
            if step.held.is_none() {
                step.name = name;
            }
            if has_moved || !drift.is_empty() {
                hold(&mut step, &drift);
            }
            return step;
        };
        let is_gone = now.is_none() && action == Action::Change;
        let was_there = now.is_some();
        let mut left = changes(now.as_ref().map(|now| &now.content), &wanted);
        if let Some(now) = &now {
            secret_changes(now, &wanted, secret, &mut left);
        }
        let (action, outcome) = match action {
            _ if was_there && left.is_empty() => (Action::Keep, Outcome::Unchanged),
            Action::Replace | Action::Create if !was_there => (Action::Create, Outcome::Planned),
            action => (action, Outcome::Planned),
        };
        let unplanned: Vec<Change> = match action {
            Action::Change => left.iter().filter(|change| !planned.contains(change)).cloned().collect(),
            Action::Replace => drift,
            // It was to be made, and somebody else has made another.
            Action::Create if was_there => left.clone(),
            _ => Vec::new(),
        };
        let changes = if action == Action::Create { Vec::new() } else { left };
        let mut step = Step { action, name, file, wanted: Some(wanted), held: now, changes, faults: Vec::new(), outcome };
        if is_gone {
            let message = "AWS does not hold it any more, and the plan was to change it; make a new plan".to_owned();
            step.hold("AWS-050", message);
        } else if !unplanned.is_empty() || (has_moved && step.action == Action::Replace) {
            hold(&mut step, &unplanned);
        }
        step
    }
}

/// Holds a step whose object has changed since the plan was made, and says in which fields.
fn hold<T: Resource>(step: &mut Step<T>, drift: &[Change]) {
    step.hold("AWS-050", "AWS holds something else than when the plan was made; make a new plan".to_owned());
    for change in drift {
        let [old, new] = change.quoted();
        let message = format!("is {old} now; with the plan it would become {new}");
        step.faults.push(Fault::warning("AWS-050", &change.path, message));
    }
}
