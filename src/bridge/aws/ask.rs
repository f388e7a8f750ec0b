//! One question to AWS, asked again where that does no harm, and what a failure means: by whether AWS may have acted.

use std::error::Error;
use std::future::Future;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::Duration;

use aws_sdk_invoicing::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

use super::Account;
use crate::bridge::evidence::text;
use crate::journal::Concluded;
use crate::model::Fault;
use crate::outcome::{Exit, Outcome};
use crate::vendors::aws::{Meaning, Refusal};
use crate::wire::{Secret, SendError};

/// How often something is asked in all.
const MOST_TRIES: u32 = 4;
const FIRST_PAUSE: Duration = Duration::from_millis(400);
const LONGEST_PAUSE: Duration = Duration::from_secs(20);

/// A request that brought nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// AWS said no.
    #[error("{}: {}", .0.code, .0.message)]
    Refused(Box<Refusal>),
    /// There are no credentials, or they cannot be had.
    #[error("{0}")]
    Credentials(String),
    /// It certainly did not reach AWS, or AWS had no time for it.
    #[error("{0}")]
    NotSent(String),
    /// AWS may or may not have acted on it.
    #[error("{0}")]
    MaybeSent(String),
}

impl Trouble {
    /// What AWS's no means.
    pub fn meaning(&self) -> Option<Meaning> {
        match self {
            Self::Refused(refusal) => Some(refusal.meaning()),
            _ => None,
        }
    }

    /// Whether nothing else needs to be tried, since whoever asks may not.
    pub fn is_denied(&self) -> bool {
        matches!(self, Self::Credentials(_)) || self.meaning() == Some(Meaning::Denied)
    }

    /// What became of what was asked for, and how its intent ended, if it did.
    pub(super) fn outcome(&self) -> (Outcome, Option<Concluded>) {
        match self {
            Self::MaybeSent(_) => (Outcome::InDoubt, None),
            Self::NotSent(_) => (Outcome::NotSent, Some(Concluded::NotSent)),
            _ if self.is_denied() => (Outcome::NotSent, Some(Concluded::Refused)),
            _ => (Outcome::Rejected, Some(Concluded::Refused)),
        }
    }

    /// The code that a command ends with which could do nothing because of it.
    pub fn exit(&self) -> Exit {
        match self {
            _ if self.is_denied() => Exit::Refused,
            Self::Refused(_) | Self::Credentials(_) => Exit::Documents,
            Self::NotSent(_) | Self::MaybeSent(_) => Exit::Temporary,
        }
    }

    /// What is told of it.
    pub fn faults(&self) -> Vec<Fault> {
        let root = crate::model::Path::ROOT;
        match self {
            Self::Refused(refusal) if self.is_denied() => {
                let message = format!("AWS refuses whoever asks ({}): {}", refusal.code, refusal.message);
                vec![Fault::error("AWS-065", root, message).vendor(Some(&refusal.code), Some(&refusal.message))]
            }
            Self::Refused(refusal) => refusal.faults(),
            Self::Credentials(why) => vec![Fault::error("AWS-065", root, why.clone())],
            Self::NotSent(why) => vec![Fault::error("AWS-063", root, format!("this was not carried out: {why}"))],
            Self::MaybeSent(why) => vec![Fault::error("AWS-062", root, format!("AWS may have done it: {why}"))],
        }
    }

    /// The same without secrets that AWS, or whatever stands in its place, may have sent back.
    pub(super) fn without(self, secrets: &[Secret]) -> Self {
        let secrets: Vec<&str> = secrets.iter().map(Secret::expose).collect();
        let clean = |words: String| text(&words, &secrets);
        match self {
            Self::Refused(refusal) => {
                let fields = refusal.fields.into_iter().map(|(name, words)| (clean(name), clean(words))).collect();
                let (message, code) = (clean(refusal.message), clean(refusal.code));
                let (reason, resource) = (refusal.reason.map(clean), refusal.resource.map(clean));
                Self::Refused(Box::new(Refusal { message, code, reason, resource, fields, ..*refusal }))
            }
            Self::Credentials(why) => Self::Credentials(clean(why)),
            Self::NotSent(why) => Self::NotSent(clean(why)),
            Self::MaybeSent(why) => Self::MaybeSent(clean(why)),
        }
    }
}

impl Account {
    /// Asks, and asks again while AWS is busy, broken or silent. `ask` makes the same request each time, token and all.
    pub(super) async fn ask<O, E, A>(&self, ask: impl Fn() -> A) -> Result<O, Trouble>
    where
        A: Future<Output = Result<O, SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata + Error + 'static,
    {
        let mut may_have_acted = false;
        for tries in 1.. {
            self.requests.fetch_add(1, Ordering::Relaxed);
            let trouble = match ask().await {
                Ok(answer) => return Ok(answer),
                Err(error) => trouble(&error),
            };
            let (again, wait) = match &trouble {
                Trouble::Refused(refusal) => match refusal.meaning() {
                    Meaning::Throttled => (true, refusal.retry_after_s),
                    Meaning::Broken => {
                        may_have_acted = true;
                        (true, refusal.retry_after_s)
                    }
                    _ => (false, None),
                },
                Trouble::MaybeSent(_) => {
                    may_have_acted = true;
                    (true, None)
                }
                Trouble::NotSent(_) => (true, None),
                Trouble::Credentials(_) => (false, None),
            };
            if !again || tries >= MOST_TRIES {
                return Err(ended(trouble, may_have_acted));
            }
            let pause = match wait {
                Some(seconds) => Duration::from_secs(seconds).min(LONGEST_PAUSE),
                None => self.jitter.lock().unwrap_or_else(PoisonError::into_inner).wait(FIRST_PAUSE, tries, LONGEST_PAUSE),
            };
            tokio::time::sleep(pause).await;
        }
        Err(Trouble::NotSent("it was not tried".to_owned()))
    }
}

/// The most pages of one list: a service that always has one more does not hold us for ever.
const MOST_PAGES: usize = 10_000;

/// All pages of a list. `ask` gives the entries of a page, and what the next one is asked for with.
pub(super) async fn pages<T, A>(mut ask: impl FnMut(Option<String>) -> A) -> Result<Vec<T>, Trouble>
where
    A: Future<Output = Result<(Vec<T>, Option<String>), Trouble>>,
{
    let (mut all, mut next) = (Vec::new(), None);
    for _ in 0..MOST_PAGES {
        let (page, more) = ask(next).await?;
        all.extend(page);
        next = more;
        if next.is_none() {
            return Ok(all);
        }
    }
    Err(Trouble::NotSent("AWS gives one page after another without end".to_owned()))
}

/// What the last of several tries means for all of them.
fn ended(trouble: Trouble, may_have_acted: bool) -> Trouble {
    let words = |refusal: &Refusal| format!("AWS says {}: {}", refusal.code, refusal.message);
    match trouble {
        Trouble::Refused(refusal) => match refusal.meaning() {
            // What they say of the last try may come of an earlier one, and is looked into.
            Meaning::Missing | Meaning::Conflict => Trouble::Refused(refusal),
            Meaning::Throttled if !may_have_acted => Trouble::NotSent(words(&refusal)),
            _ if may_have_acted => Trouble::MaybeSent(words(&refusal)),
            _ => Trouble::Refused(refusal),
        },
        Trouble::NotSent(why) if may_have_acted => Trouble::MaybeSent(why),
        other => other,
    }
}

/// What a failure of the SDK means. Nothing of the SDK's own words goes further where they may hold a request.
fn trouble<E: ProvideErrorMetadata + Error + 'static>(error: &SdkError<E, HttpResponse>) -> Trouble {
    match error {
        SdkError::ServiceError(refused) => {
            let raw = refused.raw();
            let (status, body) = (raw.status().as_u16(), raw.body().bytes().unwrap_or_default());
            let refusal = Refusal::read(status, refused.err().code(), body);
            // What is no refusal of AWS's, but of something between it and us, says nothing of what AWS did.
            if status < 400 || (!refusal.is_whole && refusal.meaning() == Meaning::Invalid) {
                return Trouble::MaybeSent(format!("its answer cannot be read (HTTP {status})"));
            }
            Trouble::Refused(Box::new(refusal))
        }
        SdkError::ResponseError(odd) => {
            Trouble::MaybeSent(format!("its answer cannot be read (HTTP {})", odd.raw().status().as_u16()))
        }
        SdkError::DispatchFailure(failure) => match failure.as_connector_error().and_then(|error| sent(error)) {
            Some(SendError::NotSent(why)) => Trouble::NotSent(why.clone()),
            Some(SendError::MaybeSent(why)) => Trouble::MaybeSent(why.clone()),
            None => Trouble::Credentials(no_credentials(error)),
        },
        SdkError::TimeoutError(_) => Trouble::MaybeSent("no answer in time".to_owned()),
        // Before a request is sent, it is signed, and for that credentials are needed.
        _ => Trouble::Credentials(no_credentials(error)),
    }
}

/// What our own client said, somewhere below.
fn sent<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e SendError> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(sent) = error.downcast_ref::<SendError>() {
            return Some(sent);
        }
        cause = error.source();
    }
    None
}

/// Why there are no credentials, in the words of the last causes: the first ones speak of the SDK.
fn no_credentials(error: &(dyn Error + 'static)) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if words.last() != Some(&text) {
            words.push(text);
        }
        cause = error.source();
    }
    if words.iter().any(|words| words.contains("endpoint")) {
        let words = words.join(": ");
        return format!(
            "the settings lead to no address of AWS's ({words}); look at AWS_USE_FIPS_ENDPOINT, at regions and endpoints"
        );
    }
    let words = words.split_off(words.len().saturating_sub(2)).join(": ");
    format!("there are no credentials to show to AWS ({words}); look at the profile and the environment, or at `aws sso login`")
}
