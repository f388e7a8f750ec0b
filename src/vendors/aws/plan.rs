//! What has to be done so that AWS holds what files say: for each file and for each thing that AWS holds one step, which says
//! field by field what changes.
//!
//! Nothing is deleted because nobody speaks of it, unless that is asked for; nothing is replaced, unless that is asked for.

use std::collections::{BTreeSet, VecDeque};

use super::Judged;
use super::compare::{believe, changes};
use super::held::Held;
use super::resource::Resource;
use super::wire::Call;
use crate::model::{Fault, Path};
use crate::outcome::{Action, Change, Outcome};
use crate::wire::Secret;

/// What may be done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Allowed {
    /// Delete what AWS holds and no file speaks of.
    pub prune: bool,
    /// Delete and create anew where a field cannot be changed.
    pub replace: bool,
}

/// One thing, and what is to be done with it.
#[derive(Debug, Clone)]
pub struct Step<T> {
    /// What is to be done.
    pub action: Action,
    /// What it is called.
    pub name: Option<String>,
    /// The file that speaks of it.
    pub file: Option<String>,
    /// What is wanted; nothing where it is to be deleted.
    pub wanted: Option<T>,
    /// What AWS holds; nothing where it is to be created.
    pub held: Option<Held<T>>,
    /// The fields that change.
    pub changes: Vec<Change>,
    /// What is to be said of it.
    pub faults: Vec<Fault>,
    /// `planned` or `unchanged`; `invalid` or `held` where it is not done.
    pub outcome: Outcome,
}

impl<T: Resource> Step<T> {
    /// Its ARN, if AWS holds it.
    pub fn arn(&self) -> Option<&str> {
        self.held.as_ref().map(Held::arn)
    }

    /// The requests that do it, in their order.
    pub fn calls(&self) -> Vec<Call<'_, T>> {
        let arn = self.arn().unwrap_or_default();
        let Some(wanted) = &self.wanted else {
            return if self.action == Action::Delete { vec![Call::Delete(arn)] } else { Vec::new() };
        };
        match self.action {
            Action::Create => vec![Call::Create(wanted)],
            Action::Replace => vec![Call::Delete(arn), Call::Create(wanted)],
            Action::Change => {
                let mut calls = Vec::new();
                if self.changes.iter().any(|change| !change.path.starts_with("resource_tags.")) {
                    calls.push(Call::Change(arn, wanted));
                }
                let tags = self.changes.iter().filter_map(|change| Some((change.path.strip_prefix("resource_tags.")?, change)));
                let (set, unset): (Vec<_>, Vec<_>) = tags.partition(|(_, change)| change.new.is_some());
                // Room is made first: there may be so many tags and no more.
                if !unset.is_empty() {
                    calls.push(Call::Untag(arn, unset.into_iter().map(|(name, _)| name.to_owned()).collect()));
                }
                if !set.is_empty() {
                    let pair = |(name, change): (&str, &Change)| (name.to_owned(), change.new.clone().unwrap_or_default());
                    calls.push(Call::Tag(arn, set.into_iter().map(pair).collect()));
                }
                calls
            }
            Action::Delete | Action::Keep => Vec::new(),
        }
    }

    /// What is still to be done to what AWS holds now, secrets included.
    pub fn left(&self, now: &Held<T>, secret: &dyn Fn(&super::Reference<'_>) -> Option<Secret>) -> Vec<Change> {
        let Some(wanted) = &self.wanted else { return Vec::new() };
        let mut left = changes(Some(&now.content), wanted);
        secret_changes(now, wanted, secret, &mut left);
        left
    }

    /// Whether the other one has to be done first: it has the name that this one is to have, or an account that this one takes in.
    /// Gives the rule that says so.
    pub fn waits_for(&self, other: &Self) -> Option<&'static str> {
        let held = other.held.as_ref()?;
        if self.takes_name_of(held) {
            return Some("AWS-061");
        }
        (!joining(self).is_disjoint(&accounts(Some(&held.content)))).then_some("AWS-053")
    }

    /// Whether what it makes would be called like something that AWS holds.
    fn takes_name_of(&self, held: &Held<T>) -> bool {
        let is_made = matches!(self.action, Action::Create | Action::Replace) && self.arn() != Some(held.arn());
        let name = self.wanted.as_ref().and_then(Resource::identity);
        is_made && name.is_some() && held.content.identity() == name
    }

    /// Whether it gives its name up when it is done.
    fn gives_up_name(&self) -> bool {
        self.outcome == Outcome::Planned && self.destroys()
    }

    /// Does not do it before what is in its way has been done.
    pub fn hold_for(&mut self, rule: &'static str, name: Option<&str>) {
        let name = name.unwrap_or_default();
        let message = match rule {
            "AWS-061" => format!("{name} has the name that this one is to have, and nothing of two can have it"),
            _ => format!(
                "accounts of it are in {name} still, which has to give them up first; take them out there and apply that, then apply this"
            ),
        };
        self.hold(rule, message);
    }

    /// Whether it takes away what AWS cannot give back.
    pub fn destroys(&self) -> bool {
        matches!(self.action, Action::Delete | Action::Replace)
    }

    /// Does not do it, and says why.
    pub fn hold(&mut self, rule: &'static str, message: String) {
        if self.outcome == Outcome::Planned {
            self.outcome = Outcome::Held;
            self.faults.push(Fault::error(rule, Path::ROOT, message));
        }
    }
}

/// Makes the plan: the steps in the order in which they have to be done. `secret` gives what a reference stands for.
pub fn plan<'f, T: Resource>(
    wanted: Vec<Judged<'f, T>>,
    held: Vec<Held<T>>,
    allowed: Allowed,
    secret: &dyn Fn(&super::Reference<'_>) -> Option<Secret>,
) -> Vec<Step<T>> {
    let mut held: Vec<Option<Held<T>>> = held.into_iter().map(Some).collect();
    let mut taken = Taken::new();
    let mut steps = Vec::new();
    for judged in wanted {
        let Judged { name: file, content, mut faults } = judged;
        let found = find(&content, &held, &taken, &mut faults).and_then(|place| held.get_mut(place).and_then(Option::take));
        taken.extend(found.as_ref().map(|held| (held.arn().to_owned(), held.content.identity(), file.to_owned())));
        if let Some(held) = &found {
            believe(&mut faults, &held.content, &content);
        }
        let sound = !faults.iter().any(Fault::is_error);
        steps.push(if sound {
            step(file, content, found, faults, allowed, secret)
        } else {
            unsound(file, content, found, faults)
        });
    }
    let rest: Vec<Held<T>> = held.into_iter().flatten().collect();
    let all_sound = steps.iter().all(|step| step.outcome != Outcome::Invalid);
    let wanted: BTreeSet<String> = steps.iter().filter_map(|step| step.wanted.as_ref().and_then(Resource::identity)).collect();
    let mut left_alone = Vec::new();
    for held in rest {
        if !allowed.prune {
            left_alone.push(held);
            continue;
        }
        let is_wanted = held.content.identity().is_some_and(|identity| wanted.contains(&identity));
        let mut step = delete(held);
        if !all_sound || is_wanted {
            // The file that is not sound may be the one that speaks of it.
            let message = "a file that is not sound may speak of it; mend the others first, then it can be told whether it goes";
            step.hold("AWS-052", message.to_owned());
        }
        steps.push(step);
    }
    in_order(steps, &left_alone)
}

/// The step that deletes something.
pub fn delete<T: Resource>(held: Held<T>) -> Step<T> {
    Step {
        action: Action::Delete,
        name: held.content.name(),
        file: None,
        wanted: None,
        held: Some(held),
        changes: Vec::new(),
        faults: Vec::new(),
        outcome: Outcome::Planned,
    }
}

/// What AWS holds and a file has spoken of: its ARN, what it is known by, and the file.
type Taken = Vec<(String, Option<String>, String)>;

/// Whether two speak of one thing: by their ARNs where both are known, else by what cannot be changed.
fn is_same(one: (Option<&str>, Option<&String>), other: (Option<&str>, Option<&String>)) -> bool {
    match (one.0, other.0) {
        (Some(one), Some(other)) => one == other,
        _ => one.1.is_some() && one.1 == other.1,
    }
}

/// Which of those that AWS holds is meant.
fn find<T: Resource>(content: &T, held: &[Option<Held<T>>], taken: &Taken, faults: &mut Vec<Fault>) -> Option<usize> {
    let noun = T::NOUN;
    let places = |matches: &dyn Fn(&Held<T>) -> bool| -> Vec<usize> {
        held.iter().enumerate().filter(|(_, held)| held.as_ref().is_some_and(matches)).map(|(place, _)| place).collect()
    };
    let identity = content.identity();
    let own = (content.arn(), identity.as_ref());
    if let Some((_, _, file)) = taken.iter().find(|(arn, known, _)| is_same(own, (Some(arn), known.as_ref()))) {
        let message = format!("{file} speaks of the same {noun}; keep one of the two files");
        faults.push(Fault::error("AWS-041", Path::ROOT, message));
        return None;
    }
    if let Some(arn) = content.arn() {
        if let [place] = places(&|held| held.arn() == arn).as_slice() {
            return Some(*place);
        }
        let message = format!("AWS holds no {noun} with this ARN; it is looked for by what else the file says");
        faults.push(Fault::warning("AWS-043", "arn", message));
    }
    let identity = identity?;
    match places(&|held| held.content.identity().as_ref() == Some(&identity)).as_slice() {
        [] => None,
        [place] => Some(*place),
        several => {
            let message =
                format!("AWS holds {} of them that are called {identity}; say by `arn` which one is meant", several.len());
            faults.push(Fault::error("AWS-044", Path::ROOT, message));
            None
        }
    }
}

fn unsound<T: Resource>(file: &str, content: T, held: Option<Held<T>>, faults: Vec<Fault>) -> Step<T> {
    Step {
        action: if held.is_some() { Action::Change } else { Action::Create },
        name: content.name(),
        file: Some(file.to_owned()),
        wanted: Some(content),
        held,
        changes: Vec::new(),
        faults,
        outcome: Outcome::Invalid,
    }
}

fn step<T: Resource>(
    file: &str,
    content: T,
    held: Option<Held<T>>,
    faults: Vec<Fault>,
    allowed: Allowed,
    secret: &dyn Fn(&super::Reference<'_>) -> Option<Secret>,
) -> Step<T> {
    let mut changes = changes(held.as_ref().map(|held| &held.content), &content);
    if let Some(held) = &held {
        secret_changes(held, &content, secret, &mut changes);
    }
    let fixed: Vec<&str> = changes.iter().map(|change| change.path.as_str()).filter(|path| T::FIXED.contains(path)).collect();
    let action = match &held {
        None => Action::Create,
        Some(_) if changes.is_empty() => Action::Keep,
        Some(_) if fixed.is_empty() => Action::Change,
        Some(_) => Action::Replace,
    };
    let needs_replacement = (action == Action::Replace && !allowed.replace).then(|| {
        let fields = fixed.join(", ");
        let (noun, action) = (T::NOUN, "--replace");
        format!(
            "{fields} cannot be changed in {noun}s that are there; {action} deletes it and makes it anew, or correct the file"
        )
    });
    // What is created is shown by what it is called; its fields stand in the file.
    if action == Action::Create {
        changes.clear();
    }
    let mut step = Step {
        action,
        name: content.name(),
        file: Some(file.to_owned()),
        wanted: Some(content),
        held,
        changes,
        faults,
        outcome: if action == Action::Keep { Outcome::Unchanged } else { Outcome::Planned },
    };
    let lost: Vec<&str> = match (&step.held, step.wanted.as_ref().and_then(Resource::tags)) {
        (Some(held), None) => held.content.tags().into_iter().flat_map(super::Tags::ours).map(|(name, _)| name).collect(),
        _ => Vec::new(),
    };
    let lost = lost.join(", ");
    if let Some(message) = needs_replacement {
        step.hold("AWS-051", message);
    } else if action == Action::Replace && !lost.is_empty() {
        // Whoever goes on after it was deleted could not tell what they were.
        let message =
            format!("a replacement would lose its tags ({lost}), of which the file does not speak; write [resource_tags]");
        step.hold("AWS-051", message);
    }
    step
}

/// Secrets that are not those that AWS shows. What they are is not said.
pub(super) fn secret_changes<T: Resource>(
    held: &Held<T>,
    wanted: &T,
    secret: &dyn Fn(&super::Reference<'_>) -> Option<Secret>,
    changes: &mut Vec<Change>,
) {
    const HIDDEN: &str = "(a secret)";
    let wanted = wanted.secrets();
    for (path, reference) in &wanted {
        let there = held.secret(path);
        let is_same = secret(reference).zip(there).is_some_and(|(wanted, there)| wanted.expose() == there.expose());
        if !is_same {
            let new = reference.given().map(|reference| format!("{HIDDEN} from {}", shown(reference)));
            changes.push(Change { path: (*path).to_owned(), old: there.map(|_| HIDDEN.to_owned()), new });
        }
    }
    for (path, _) in held.secrets.iter().filter(|(path, _)| wanted.iter().all(|(known, _)| known != path)) {
        changes.push(Change { path: (*path).to_owned(), old: Some(HIDDEN.to_owned()), new: None });
    }
}

/// Where a secret is from. A command may hold one itself.
fn shown(reference: &str) -> &str {
    if reference.starts_with("cmd:") { "a command" } else { reference }
}

/// Steps in an order in which AWS takes them: what is deleted first, and names and accounts are given up before others take them.
/// Where steps wait for each other, or for one that is not done, they are held: of a replacement the first half would be done.
pub(super) fn in_order<T: Resource>(steps: Vec<Step<T>>, left_alone: &[Held<T>]) -> Vec<Step<T>> {
    let (deletions, mut rest): (VecDeque<_>, VecDeque<_>) = steps.into_iter().partition(|step| step.action == Action::Delete);
    let mut ordered: Vec<Step<T>> = deletions.into();
    // How many have been put back since one was taken out for good.
    let mut put_back = 0;
    while let Some(mut step) = rest.pop_front() {
        let waits = step.outcome == Outcome::Planned && rest.iter().any(|other| step.waits_for(other).is_some());
        if waits && put_back < rest.len() {
            put_back += 1;
            rest.push_back(step);
            continue;
        }
        put_back = 0;
        if let Some((rule, name)) = in_the_way(&step, &ordered, &rest, left_alone) {
            step.hold_for(rule, name.as_deref());
        }
        ordered.push(step);
    }
    ordered
}

/// What has what a step takes, and does not give it up before: the rule that says so, and its name or ARN.
fn in_the_way<T: Resource>(
    step: &Step<T>,
    before: &[Step<T>],
    after: &VecDeque<Step<T>>,
    left_alone: &[Held<T>],
) -> Option<(&'static str, Option<String>)> {
    let of_step = |other: &Step<T>| step.waits_for(other).map(|rule| (rule, other.name.clone()));
    let kept = |other: &&Step<T>| match step.waits_for(other) {
        Some("AWS-061") => !other.gives_up_name(),
        // What was done before has given its accounts up.
        waits => waits.is_some() && other.outcome != Outcome::Planned,
    };
    let left = left_alone.iter().find_map(|held| {
        if step.takes_name_of(held) {
            return Some(("AWS-061", Some(held.arn().to_owned())));
        }
        let takes = !joining(step).is_disjoint(&accounts(Some(&held.content)));
        takes.then(|| ("AWS-053", held.content.name()))
    });
    before.iter().find(kept).and_then(of_step).or_else(|| after.iter().find_map(of_step)).or(left)
}

fn accounts<T: Resource>(content: Option<&T>) -> BTreeSet<String> {
    content.map(|content| content.accounts().iter().map(ToString::to_string).collect()).unwrap_or_default()
}

/// The accounts that a step brings into a unit.
fn joining<T: Resource>(step: &Step<T>) -> BTreeSet<String> {
    let was = accounts(step.held.as_ref().map(|held| &held.content));
    accounts(step.wanted.as_ref()).difference(&was).cloned().collect()
}
