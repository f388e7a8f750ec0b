//! Does the steps of a plan, one request after the other: the intent is stored, then AWS is asked, then what AWS holds is read
//! back. What was left in the middle is found out by reading back, too, so nothing is done twice and nothing is lost.

use std::time::Duration;

use super::intents::digest;
use super::{Account, Kept, Trouble};
use crate::engine::state::Millis;
use crate::journal::{self, Concluded, Intents, Journal, RunId, ScopeId};
use crate::model::{Fault, Path};
use crate::outcome::{Action, Change, Outcome};
use crate::vendors::aws::{Call, Held, Meaning, Reference, Step};
use crate::wire::Secret;

/// How long is waited until AWS shows what it has done: it may show an older state for a while.
pub(super) const LOOKS: [Duration; 4] =
    [Duration::ZERO, Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(2)];

/// A journal that keeps intents.
pub trait Store: Journal + Intents {}
impl<J: Journal + Intents> Store for J {}

/// What became of a step.
#[derive(Debug, Clone, PartialEq)]
pub struct Applied {
    /// What became of it.
    pub outcome: Outcome,
    /// Its ARN.
    pub arn: Option<String>,
    /// What is to be said of it.
    pub faults: Vec<Fault>,
    /// AWS refuses whoever asks, so nothing else needs to be tried.
    pub denied: bool,
}

impl Applied {
    fn new(outcome: Outcome, arn: Option<String>, faults: Vec<Fault>) -> Self {
        Self { outcome, arn, faults, denied: false }
    }
}

/// Does steps, and remembers.
pub struct Apply<'a> {
    /// Where.
    pub account: &'a Account,
    /// What is remembered.
    pub journal: &'a mut dyn Store,
    /// Which account, for the journal.
    pub scope: ScopeId,
    /// The run.
    pub run: RunId,
    /// How long a token is used for an intent whose end was not seen.
    pub window: Duration,
    /// What references to secrets stand for.
    pub secret: &'a (dyn Fn(&Reference<'_>) -> Option<Secret> + 'a),
    /// Milliseconds since 1970 in UTC.
    pub clock: &'a (dyn Fn() -> Millis + 'a),
}

/// What became of a request.
enum Called {
    Done { arn: Option<String>, token_was_used: bool },
    Ended(Applied),
}

/// What a look at AWS shows, after a request whose end is not known.
enum Seen {
    /// It was done.
    Done(String),
    /// Something else is there.
    Another,
    /// It was not done, or does not show yet.
    NotYet,
}

impl Apply<'_> {
    /// Does one step, unless it is not to be done.
    ///
    /// # Errors
    /// When the journal fails; then nothing more may be asked.
    pub async fn step<T: Kept>(&mut self, step: &Step<T>) -> journal::Result<Applied> {
        let mut arn = step.arn().map(str::to_owned);
        if let Some(left) = self.left_alone(step).await? {
            return Ok(left);
        }
        if step.outcome == Outcome::Unchanged {
            self.settle(step)?;
        }
        if step.outcome != Outcome::Planned {
            return Ok(Applied::new(step.outcome, arn, step.faults.clone()));
        }
        let mut token_was_used = false;
        let calls = step.calls();
        if calls.is_empty() {
            let fault = Fault::error("AWS-050", Path::ROOT, "the plan does not say what is to be done; make a new plan");
            return Ok(Applied::new(Outcome::Held, arn, vec![fault]));
        }
        for (place, call) in calls.iter().enumerate() {
            match self.call(step, call).await? {
                Called::Done { arn: made, token_was_used: used } => {
                    arn = made.or(arn);
                    token_was_used |= used;
                }
                Called::Ended(mut ended) => {
                    if place > 0 {
                        ended.faults.push(half_done(step.action));
                    }
                    ended.faults.splice(0..0, step.faults.iter().cloned());
                    return Ok(ended);
                }
            }
        }
        let mut applied = self.verified(step, arn, token_was_used).await;
        let written = step.wanted.as_ref().and_then(|wanted| wanted.arn());
        if let (Some(written), Some(arn)) = (written, &applied.arn)
            && written != arn
        {
            let message = format!("the file has the ARN of another one, which is over; this one has {arn}, and import writes it");
            applied.faults.push(Fault::warning("AWS-043", "arn", message));
        }
        applied.faults.splice(0..0, step.faults.iter().cloned());
        Ok(applied)
    }

    /// A step that is not done now, since AWS does not show yet what came of an earlier one: what is to be made was made lately, or
    /// may have been made otherwise; what is there is going to be gone. To ask once more, with another token, might double it.
    async fn left_alone<T: Kept>(&mut self, step: &Step<T>) -> journal::Result<Option<Applied>> {
        let minutes = self.window.as_secs().div_ceil(60);
        let not_sent = |arn: Option<String>, message: String| {
            let fault = Fault::error("AWS-064", Path::ROOT, message);
            Some(Applied::new(Outcome::NotSent, arn, step.faults.iter().cloned().chain([fault]).collect()))
        };
        if let (Some(arn), Outcome::Unchanged) = (step.arn(), step.outcome)
            && self.is_deleted::<T>(arn)?
        {
            let message = "it was deleted, and AWS shows it still; apply again in a while, then it is made anew".to_owned();
            return Ok(not_sent(Some(arn.to_owned()), message));
        }
        let wanted = step.wanted.as_ref().filter(|_| step.outcome == Outcome::Planned && step.action == Action::Create);
        let Some((wanted, identity)) = wanted.and_then(|wanted| Some((wanted, wanted.identity()?))) else { return Ok(None) };
        let [create, ..] = T::OPERATIONS;
        let secret = self.secret;
        let expose = |reference: &Reference<'_>| secret(reference).map(|secret| secret.expose().to_owned()).unwrap_or_default();
        if self.is_open_otherwise(&identity, create, &|token| digest(step, &Call::Create(wanted), &expose, token))? {
            let message = format!(
                "another one of this name was asked for lately, and it is not known whether AWS made it; apply again in a while, or {minutes} \
                 minutes after it was asked for"
            );
            return Ok(not_sent(None, message));
        }
        let Some(arn) = self.made_lately::<T>(&identity)? else { return Ok(None) };
        match self.account.get::<T>(&arn).await {
            Ok(Some(now)) if step.left(&now, self.secret).is_empty() => {
                Ok(Some(Applied::new(Outcome::Accepted, Some(arn), step.faults.clone())))
            }
            Ok(Some(_)) => Ok(not_sent(Some(arn), "it was made lately, and is to be another one now; apply again".to_owned())),
            Ok(None) => {
                let message = format!(
                    "AWS has made it lately, {arn}, and does not show it; apply again in a while. If somebody has deleted it since, it is made \
                     anew {minutes} minutes after it was made; another account needs a target, with a profile, of its own"
                );
                Ok(not_sent(Some(arn), message))
            }
            Err(trouble) => {
                let faults = step.faults.iter().cloned().chain(trouble.faults()).collect();
                Ok(Some(Applied { denied: trouble.is_denied(), ..Applied::new(Outcome::NotSent, Some(arn), faults) }))
            }
        }
    }

    /// What was left open about something is over when AWS holds what is wanted, and so is the end of the one that it has
    /// replaced, whose ARN the file may still have.
    fn settle<T: Kept>(&mut self, step: &Step<T>) -> journal::Result<()> {
        let [create, change, delete] = T::OPERATIONS;
        let (wanted, arn) = (step.wanted.as_ref(), step.arn().unwrap_or_default());
        let identity = wanted.and_then(|wanted| wanted.identity()).unwrap_or_default();
        let written = wanted.and_then(|wanted| wanted.arn()).filter(|written| *written != arn).unwrap_or_default();
        for (subject, operation) in [(identity.as_str(), create), (arn, change), (written, delete)] {
            for open in self.journal.intents(self.scope, subject)?.into_iter().filter(|open| open.operation == operation) {
                self.journal.conclude(open.id, (self.clock)(), Concluded::Done, arn)?;
            }
        }
        Ok(())
    }

    /// Makes one request of a step.
    async fn call<T: Kept>(&mut self, step: &Step<T>, call: &Call<'_, T>) -> journal::Result<Called> {
        let subject = match call {
            Call::Create(wanted) => wanted.identity().unwrap_or_default(),
            Call::Change(arn, _) | Call::Delete(arn) | Call::Tag(arn, _) | Call::Untag(arn, _) => (*arn).to_owned(),
        };
        let secret = self.secret;
        let expose = |reference: &Reference<'_>| secret(reference).map(|secret| secret.expose().to_owned()).unwrap_or_default();
        let intent = match call.takes_token() {
            true => Some(self.intend(&subject, call.operation(), &|token| digest(step, call, &expose, token))?),
            false => None,
        };
        let token = intent.as_ref().map(|intent| intent.token.clone()).unwrap_or_default();
        let result = T::call(self.account, call, &expose, &token).await;
        let trouble = match result {
            Ok(arn) => {
                self.conclude(intent.as_ref(), Concluded::Done, arn.as_deref().unwrap_or_default())?;
                return Ok(Called::Done { arn, token_was_used: intent.is_some_and(|intent| intent.was_used) });
            }
            Err(trouble) => self.discreet(step, trouble),
        };
        let arn = step.arn().map(str::to_owned);
        let meaning = trouble.meaning();
        // Reading back tells more than a refusal that may speak of what this very request has done.
        let is_unsure = matches!(trouble, Trouble::MaybeSent(_)) || matches!(meaning, Some(Meaning::Conflict | Meaning::Missing));
        if is_unsure {
            match self.look(step, call).await {
                // What is deleted may show for a while, and is not what was made.
                Seen::Done(arn) if matches!(call, Call::Create(_)) && self.is_deleted::<T>(&arn)? => {}
                Seen::Done(arn) => {
                    self.conclude(intent.as_ref(), Concluded::Done, &arn)?;
                    return Ok(Called::Done { arn: Some(arn).filter(|arn| !arn.is_empty()), token_was_used: false });
                }
                Seen::Another => {
                    self.conclude(intent.as_ref(), Concluded::Overtaken, "AWS holds another one")?;
                    let mut faults = trouble.faults();
                    let message = "AWS holds something else than what is wanted, and not what it held before; make a new plan";
                    faults.insert(0, Fault::error("AWS-061", Path::ROOT, message));
                    return Ok(Called::Ended(Applied::new(Outcome::Held, arn, faults)));
                }
                Seen::NotYet => {}
            }
        }
        let (outcome, how) = trouble.outcome();
        if let Some(how) = how {
            self.conclude(intent.as_ref(), how, &trouble.to_string())?;
        }
        Ok(Called::Ended(Applied { denied: trouble.is_denied(), ..Applied::new(outcome, arn, trouble.faults()) }))
    }

    /// What AWS said, without the secrets of this step.
    fn discreet<T: Kept>(&self, step: &Step<T>, trouble: Trouble) -> Trouble {
        let wanted = step.wanted.iter().flat_map(|wanted| wanted.secrets()).filter_map(|(_, reference)| (self.secret)(reference));
        let held = step.held.iter().flat_map(|held| held.secrets.iter().map(|(_, secret)| secret.clone()));
        trouble.without(&wanted.chain(held).collect::<Vec<_>>())
    }

    /// Looks at what AWS holds, some times, until it shows that a request was done.
    async fn look<T: Kept>(&self, step: &Step<T>, call: &Call<'_, T>) -> Seen {
        let mut seen = Seen::NotYet;
        for pause in LOOKS {
            tokio::time::sleep(pause).await;
            seen = self.look_once(step, call).await;
            if !matches!(seen, Seen::NotYet) {
                break;
            }
        }
        seen
    }

    async fn look_once<T: Kept>(&self, step: &Step<T>, call: &Call<'_, T>) -> Seen {
        let now: Option<Held<T>> = match call {
            Call::Create(wanted) => match self.account.all::<T>().await {
                Ok(all) => all.into_iter().find(|held| held.content.identity() == wanted.identity()),
                Err(_) => return Seen::NotYet,
            },
            Call::Change(arn, _) | Call::Delete(arn) | Call::Tag(arn, _) | Call::Untag(arn, _) => {
                match self.account.get(arn).await {
                    Ok(now) => now,
                    Err(_) => return Seen::NotYet,
                }
            }
        };
        match (call, now) {
            (Call::Delete(_), None) => Seen::Done(String::new()),
            (Call::Delete(_), Some(_)) | (Call::Create(_), None) => Seen::NotYet,
            // It was there, and is not any more.
            (_, None) => Seen::Another,
            (_, Some(now)) => {
                let left = step.left(&now, self.secret);
                // Tags have requests of their own, each with its own names.
                let is_own = |path: &str| match (path.strip_prefix("resource_tags."), call) {
                    (Some(name), Call::Tag(_, tags)) => tags.iter().any(|(own, _)| own == name),
                    (Some(name), Call::Untag(_, names)) => names.iter().any(|own| own == name),
                    (Some(_), Call::Change(..)) | (None, Call::Tag(..) | Call::Untag(..)) => false,
                    _ => true,
                };
                let was = step.held.as_ref().map(Held::fingerprint);
                if left.iter().all(|change| !is_own(&change.path)) {
                    Seen::Done(now.arn().to_owned())
                } else if was == Some(now.fingerprint()) || is_half_done(step, call, &left) {
                    Seen::NotYet
                } else {
                    Seen::Another
                }
            }
        }
    }

    /// Reads back what AWS holds after all requests of a step were taken.
    async fn verified<T: Kept>(&self, step: &Step<T>, arn: Option<String>, token_was_used: bool) -> Applied {
        let looked_for = arn.clone().unwrap_or_default();
        let mut shown = Shown::AsWanted;
        for pause in LOOKS {
            tokio::time::sleep(pause).await;
            shown = self.shown(step, &looked_for).await;
            if matches!(shown, Shown::AsWanted) {
                return Applied::new(Outcome::Accepted, arn, Vec::new());
            }
        }
        let (outcome, told) = match shown {
            Shown::AsWanted => (Outcome::Accepted, Vec::new()),
            // AWS has said yes, and may need a while.
            Shown::NotYet(why) => (Outcome::Submitted, vec![(String::new(), why)]),
            // AWS has said yes, and did something else.
            Shown::Otherwise(told) => (Outcome::Rejected, told),
        };
        // A token that was used before may have brought the answer to what was asked then.
        let outcome = if token_was_used { Outcome::NotSent } else { outcome };
        let fault = |(path, message): (String, String)| match outcome {
            Outcome::NotSent => Fault::error("AWS-064", path, format!("{message}; the next apply asks anew")),
            Outcome::Rejected => Fault::error("AWS-064", path, message),
            _ => Fault::warning("AWS-064", path, message),
        };
        Applied::new(outcome, arn, told.into_iter().map(fault).collect())
    }

    async fn shown<T: Kept>(&self, step: &Step<T>, arn: &str) -> Shown {
        let not_yet = |why: &str| Shown::NotYet(why.to_owned());
        let now = match self.account.get::<T>(arn).await {
            Ok(now) => now,
            Err(trouble) => return Shown::NotYet(format!("AWS has taken it, and it could not be read back: {trouble}")),
        };
        match (now, &step.wanted) {
            (None, None) => Shown::AsWanted,
            (Some(_), None) => not_yet("AWS has taken it, and shows it still"),
            (None, Some(_)) => not_yet("AWS has taken it, and does not show it yet"),
            (Some(now), Some(_)) => {
                let left = step.left(&now, self.secret);
                let was = step.held.as_ref().map(Held::fingerprint);
                if left.is_empty() {
                    Shown::AsWanted
                } else if was == Some(now.fingerprint()) {
                    not_yet("AWS has taken it, and shows still what was there before")
                } else {
                    let told = |change: Change| {
                        let [old, new] = change.quoted();
                        (change.path, format!("AWS shows {old} here, and was told {new}"))
                    };
                    Shown::Otherwise(left.into_iter().map(told).collect())
                }
            }
        }
    }
}

/// What AWS shows after it has taken something.
enum Shown {
    AsWanted,
    NotYet(String),
    /// Fields, and what is to be said of them.
    Otherwise(Vec<(String, String)>),
}

/// Whether what is left are tags of this very step, which are set when the rest of it is done.
fn is_half_done<T: Kept>(step: &Step<T>, call: &Call<'_, T>, left: &[Change]) -> bool {
    matches!(call, Call::Tag(..) | Call::Untag(..)) && left.iter().all(|change| step.changes.contains(change))
}

/// What is told when the first requests of a step were taken and a later one was not.
fn half_done(action: Action) -> Fault {
    match action {
        Action::Replace => {
            let message = "it has been deleted, and is not made anew yet; apply again as soon as what is said here is mended";
            Fault::error("AWS-060", Path::ROOT, message)
        }
        _ => Fault::warning("AWS-060", Path::ROOT, "a part of it was done; the next plan shows what is left"),
    }
}
