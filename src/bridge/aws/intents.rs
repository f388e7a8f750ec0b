//! The intent of a request: stored before AWS is asked, taken up again while AWS may know its token, and looked up where AWS may
//! not show yet what it has done.

use sha2::{Digest as _, Sha256};

use super::Kept;
use super::apply::Apply;
use crate::engine::state::Millis;
use crate::journal::{self, Concluded, Digest, Intent, IntentId, NewIntent};
use crate::vendors::aws::{Call, Held, Secrets, Step};

/// An intent that was stored.
pub(super) struct Intended {
    id: IntentId,
    pub(super) token: String,
    /// The token may have reached AWS in an earlier run.
    pub(super) was_used: bool,
}

impl Apply<'_> {
    /// Stores an intent, or takes up the one that an earlier run has left open. Another one of this operation that was left open
    /// about the subject is overtaken: what AWS holds was read since, and this was decided on it.
    pub(super) fn intend(
        &mut self,
        subject: &str,
        operation: &str,
        digest: &dyn Fn(&str) -> Digest,
    ) -> journal::Result<Intended> {
        let now = (self.clock)();
        let mut taken_up = None;
        let all = self.journal.intents(self.scope, subject)?;
        for open in all.into_iter().filter(|open| open.operation == operation) {
            // A clock that was set back says nothing of how long ago it was.
            let is_young = (0..=self.window_ms()).contains(&(now - open.at));
            if taken_up.is_none() && is_young && open.digest == digest(&open.token) {
                taken_up = Some(Intended { id: open.id, token: open.token, was_used: true });
            } else {
                self.journal.conclude(open.id, now, Concluded::Overtaken, "what AWS holds was read back")?;
            }
        }
        if let Some(intended) = taken_up {
            return Ok(intended);
        }
        let token = format!("{:032x}", fastrand::u128(..));
        let (subject, operation, digest) = (subject.to_owned(), operation.to_owned(), digest(&token));
        let new = NewIntent { scope: self.scope, run: self.run, subject, operation, digest, token: token.clone(), at: now };
        Ok(Intended { id: self.journal.intend(&new)?, token, was_used: false })
    }

    /// Whether something else of this name was asked for lately, and nobody knows whether AWS made it. It may not show that yet.
    pub(super) fn is_open_otherwise(
        &mut self,
        subject: &str,
        operation: &str,
        digest: &dyn Fn(&str) -> Digest,
    ) -> journal::Result<bool> {
        let (now, window) = ((self.clock)(), self.window_ms());
        let is_other = |open: &Intent| {
            open.operation == operation && (0..=window).contains(&(now - open.at)) && open.digest != digest(&open.token)
        };
        Ok(self.journal.intents(self.scope, subject)?.iter().any(is_other))
    }

    /// What AWS has made lately, and has certainly not deleted since on our word: its ARN. It may not show that yet.
    pub(super) fn made_lately<T: Kept>(&mut self, subject: &str) -> journal::Result<Option<String>> {
        let [create, _, delete] = T::OPERATIONS;
        let Some(made) = self.journal.carried(self.scope, subject, create)? else { return Ok(None) };
        let is_young = (0..=self.window_ms()).contains(&((self.clock)() - made.at));
        // How an intent ended may have been read back; then AWS shows what it made.
        if !is_young || !made.detail.starts_with("arn:") {
            return Ok(None);
        }
        let may_be_deleted = self.journal.may_have_carried(self.scope, &made.detail, delete)?;
        Ok((!may_be_deleted).then_some(made.detail))
    }

    /// Whether something that AWS shows was deleted on our word lately. ARNs are not used twice, so it will go; what shows after a
    /// long while is there, whatever the journal says.
    pub(super) fn is_deleted<T: Kept>(&mut self, arn: &str) -> journal::Result<bool> {
        let [.., delete] = T::OPERATIONS;
        let (now, window) = ((self.clock)(), self.window_ms());
        let is_young = |at: Millis| (0..=window).contains(&(now - at));
        Ok(self.journal.carried(self.scope, arn, delete)?.is_some_and(|deleted| is_young(deleted.at)))
    }

    fn window_ms(&self) -> Millis {
        Millis::try_from(self.window.as_millis()).unwrap_or(Millis::MAX / 4)
    }

    pub(super) fn conclude(&mut self, intent: Option<&Intended>, how: Concluded, detail: &str) -> journal::Result<()> {
        match intent {
            Some(intent) => self.journal.conclude(intent.id, (self.clock)(), how, detail),
            None => Ok(()),
        }
    }
}

/// A request in short, and what it was decided on. It is made with the token, so that two of one content have nothing in common.
///
/// Of the secrets of a request two bytes of a digest go into it: enough to notice that one was changed, and not enough to find
/// it out. Since many of them together would be enough, digests are forgotten when an intent has ended.
pub(super) fn digest<T: Kept>(step: &Step<T>, call: &Call<'_, T>, expose: Secrets<'_>, token: &str) -> Digest {
    let keyed = |bytes: &[u8]| -> Digest {
        let mut hasher = Sha256::new();
        hasher.update(token);
        hasher.update(bytes);
        hasher.finalize().into()
    };
    let mut content = call.line(&|reference| reference.given().unwrap_or_default().to_owned(), "");
    // What is made does not depend on what was there before: after a replacement that was broken off, it is the same.
    if !matches!(call, Call::Create(_)) {
        content.extend_from_slice(step.held.as_ref().map(Held::fingerprint).unwrap_or_default().as_bytes());
    }
    let (mut digest, secret) = (keyed(&content), keyed(&call.line(expose, "")));
    for (place, byte) in digest.iter_mut().rev().zip(secret).take(2) {
        *place = byte;
    }
    digest
}
