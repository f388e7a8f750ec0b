//! What signs calls: the credentials themselves, or a token that is fetched for them, kept while it is good, and fetched
//! anew.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::drive::Drive;
use super::evidence::clean;
use super::line::Line;
use crate::adapter::Token;
use crate::engine::run::Event;
use crate::engine::state::State;
use crate::formats::percent;
use crate::journal;
use crate::model::Fault;
use crate::outcome::Exit;
use crate::transport::Permit;
use crate::wire::{Credentials, Secret};

/// A token is fetched anew so long before its end, or a tenth of its life before it.
const MARGIN: Duration = Duration::from_secs(300);
/// No token is trusted for longer, whatever is said of it.
const LONGEST_LIFE: Duration = Duration::from_secs(86_400);
/// The waits between questions for a token that brought nothing.
const WAITS: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(4)];

/// Credentials, and the token that was fetched for them.
pub(super) struct Session {
    pub(super) credentials: Credentials,
    token: Mutex<Option<Held>>,
    /// One question for a token at a time: whoever comes meanwhile waits for its answer, and has the last failure, with its time.
    fetching: tokio::sync::Mutex<Option<(Instant, NoToken)>>,
}

struct Held {
    token: Secret,
    until: Instant,
}

/// Why there is no token.
#[derive(Debug, Clone)]
pub(super) enum NoToken {
    /// The credentials were refused.
    Refused(Fault),
    /// Nobody answered as one could rely on.
    Down(String),
}

impl Session {
    pub(super) fn new(credentials: Credentials) -> Self {
        Self { credentials, token: Mutex::new(None), fetching: tokio::sync::Mutex::new(None) }
    }

    fn held(&self) -> std::sync::MutexGuard<'_, Option<Held>> {
        self.token.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The token is not used any more.
    pub(super) fn forget(&self) {
        *self.held() = None;
    }
}

impl Line {
    /// What signs a call now; `None`: a token has to be fetched first.
    pub(super) fn signer(&self) -> Option<Secret> {
        if self.submit.login().is_none() {
            return self.session.credentials.secrets().next().cloned();
        }
        let held = self.session.held();
        held.as_ref().filter(|held| Instant::now() < held.until).map(|held| held.token.clone())
    }

    /// What signs a call, fetched if it has to be.
    pub(super) async fn log_in(&self) -> Result<Secret, NoToken> {
        let came = Instant::now();
        let mut failure = self.session.fetching.lock().await;
        // What was answered meanwhile is an answer to this question, too.
        if let Some((at, why)) = failure.as_ref().filter(|(at, _)| *at >= came) {
            tracing::debug!(seconds = at.elapsed().as_secs(), "no token, as was heard a moment ago");
            return Err(why.clone());
        }
        let mut waits = WAITS.iter();
        let why = loop {
            if let Some(signer) = self.signer() {
                return Ok(signer);
            }
            let why = match self.fetch().await {
                Ok(()) => continue,
                Err(NoToken::Down(why)) => why,
                Err(refused) => break refused,
            };
            match waits.next() {
                Some(wait) => tokio::time::sleep(*wait).await,
                None => break NoToken::Down(why),
            }
        };
        *failure = Some((Instant::now(), why.clone()));
        Err(why)
    }

    async fn fetch(&self) -> Result<(), NoToken> {
        let Some(login) = self.submit.login() else { return Err(NoToken::Down("there are no credentials".to_owned())) };
        let asked = Instant::now();
        let request = login.request(&self.session.credentials);
        let response = self.transport.send(request, Permit::new(|| true)).await;
        // An error may repeat what it was asked, as the form had it or not, and is told to people.
        let mut secrets: Vec<String> = Vec::new();
        for secret in self.session.credentials.secrets() {
            let mut encoded = String::new();
            percent::encode(secret.expose(), &mut encoded);
            secrets.extend([secret.expose().to_owned(), encoded]);
        }
        let secrets: Vec<&str> = secrets.iter().map(String::as_str).collect();
        let response = clean(response, &secrets).map_err(|error| NoToken::Down(format!("no token could be fetched: {error}")))?;
        match login.decode(&response) {
            // It could sign nothing, and would be asked for without end.
            Token::Granted(_, Duration::ZERO) => Err(NoToken::Down("a token was given that ends at once".to_owned())),
            Token::Granted(token, lifetime) => {
                let lifetime = lifetime.min(LONGEST_LIFE);
                tracing::info!(seconds = lifetime.as_secs(), "a token was fetched");
                let until = asked + lifetime.saturating_sub(MARGIN.min(lifetime / 10));
                *self.session.held() = Some(Held { token, until });
                Ok(())
            }
            Token::Refused(fault) => Err(NoToken::Refused(fault)),
            Token::Unclear(why) => Err(NoToken::Down(format!("no token could be fetched: {why}"))),
        }
    }
}

/// What is known of the token that signs calls.
#[derive(Debug, Default)]
pub(super) struct TokenWatch {
    /// Whether one is needed at all: there is something to send, and the vendor wants one.
    pub(super) needed: bool,
    /// Whether the engine knows that there is none.
    pub(super) missing: bool,
    /// Whether none can be had.
    refused: bool,
}

impl Drive<'_> {
    /// Whether anything may be sent.
    pub(super) fn has_something_to_send(&mut self) -> Result<bool, journal::Error> {
        let states = [State::Ready, State::InDoubt].into_iter().take(if self.shelf.doubtful { 2 } else { 1 });
        for state in states {
            if !self.journal.list(self.scope, state, 0, 1)?.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Tells the engine whether there is a token, and fetches one where there is none.
    pub(super) fn watch_token(&mut self) {
        let is_missing = self.token.needed && self.line.signer().is_none();
        if is_missing != self.token.missing {
            self.token.missing = is_missing;
            self.events.push(Event::Token(!is_missing));
        }
        if is_missing && self.login.is_empty() && !self.token.refused {
            let line = Arc::clone(&self.line);
            self.login.spawn(async move { line.log_in().await.map(drop) });
        }
    }

    pub(super) fn logged_in(&mut self, login: Result<Result<(), NoToken>, tokio::task::JoinError>) {
        let (exit, why) = match login {
            Ok(Ok(())) => return,
            Ok(Err(NoToken::Refused(fault))) => (Exit::Refused, fault.message),
            Ok(Err(NoToken::Down(why))) => (Exit::Temporary, why),
            Err(error) => (Exit::Unexpected, format!("a question for a token ended in a way that it cannot: {error}")),
        };
        self.token.refused = true;
        self.events.push(Event::Stop(exit, why));
    }
}
