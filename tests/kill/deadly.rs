//! A journal and a transport that end their own process at one named step.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use payables_bridge::adapter::Scope;
use payables_bridge::engine::record::{CallId, Key, Ruling, RunId, ScopeId, Version, VersionId};
use payables_bridge::engine::state::{Millis, State};
use payables_bridge::journal::{
    Act, Arm, Attempt, Evidence, Import, Journal, NewRun, OpenCall, Result, RunRecord, Settle, Sqlite, Tally,
};
use payables_bridge::report::Item;
use payables_bridge::transport::{Http, Permit, Sending, Transport};
use payables_bridge::wire::WireRequest;

/// Burns down at one occurrence of one step.
pub(super) struct Fuse {
    step: String,
    left: AtomicUsize,
}

impl Fuse {
    /// From a text such as `arm.after.2`: right after the second call of `arm` has returned.
    pub(super) fn new(text: &str) -> Arc<Self> {
        let (step, nth) = text.rsplit_once('.').unwrap();
        Arc::new(Self { step: step.to_owned(), left: AtomicUsize::new(nth.parse().unwrap()) })
    }

    /// Whether this is the step, and its time has come.
    fn is_due(&self, step: &str, when: &str) -> bool {
        let is_ours = self.step.split_once('.') == Some((step, when));
        is_ours && self.left.fetch_sub(1, Ordering::SeqCst) == 1
    }

    pub(super) fn burn(&self, step: &str, when: &str) {
        if self.is_due(step, when) {
            die();
        }
    }
}

/// The process ends here and now. To the files and the sockets that is what SIGKILL is: no destructor runs, nothing is
/// flushed, nothing is closed in order. Unlike a signal that one sends to oneself through a program, it leaves the other
/// threads no time to go on.
fn die() -> ! {
    std::process::abort()
}

/// The real thing, until the fuse has burnt down.
pub(super) struct Deadly<T> {
    pub(super) inner: T,
    pub(super) fuse: Arc<Fuse>,
}

macro_rules! passes_on {
    ($($name:ident($($arg:ident: $type:ty),*) -> $out:ty;)*) => {
        $(fn $name(&mut self, $($arg: $type),*) -> Result<$out> {
            self.fuse.burn(stringify!($name), "before");
            let done = self.inner.$name($($arg),*);
            self.fuse.burn(stringify!($name), "after");
            done
        })*
    };
}

impl Journal for Deadly<Sqlite> {
    passes_on! {
        scope(scope: &Scope) -> ScopeId;
        begin(run: &NewRun) -> RunId;
        end(run: RunId, at: Millis, summary: &str) -> ();
        payees(scope: ScopeId) -> Vec<String>;
        known(scope: ScopeId, key: &Key) -> (Vec<Version>, u32);
        list(scope: ScopeId, state: State, after: VersionId, most: usize) -> Vec<Version>;
        due(scope: ScopeId, run: Option<RunId>, until: Millis, most: usize) -> Vec<Version>;
        version(id: VersionId) -> Option<Version>;
        payload(id: VersionId) -> Option<Vec<u8>>;
        unsettled(scope: ScopeId) -> Vec<OpenCall>;
        import(run: RunId, part: &Import) -> ();
        promote(run: RunId, at: Millis) -> u64;
        arm(call: &Arm) -> CallId;
        keep(call: CallId, evidence: &Evidence) -> ();
        settle(settle: &Settle) -> ();
        rule(run: Option<RunId>, rulings: &[Ruling], acts: &[Act]) -> ();
        report(run: RunId, items: &[Item]) -> ();
        scopes() -> Vec<(ScopeId, Scope)>;
        tally() -> Vec<Tally>;
        find(number: &str) -> Vec<(ScopeId, Version)>;
        attempts(version: VersionId) -> Vec<Attempt>;
        acts(version: VersionId) -> Vec<Act>;
        runs(most: usize) -> Vec<RunRecord>;
        run(name: &str) -> Option<RunRecord>;
        items(run: RunId, after: u64, most: usize) -> Vec<Item>;
    }
}

/// Longer than a request needs to be written on loopback, and shorter than a slow vendor takes to answer.
const ON_ITS_WAY: Duration = Duration::from_millis(30);

impl Transport for Deadly<Http> {
    fn send(&self, request: WireRequest, permit: Permit) -> Sending<'_> {
        Box::pin(async move {
            self.fuse.burn("send", "before");
            let waits = self.fuse.is_due("answer", "before");
            let (fuse, written) = (Arc::clone(&self.fuse), Arc::new(AtomicBool::new(false)));
            let begun = Arc::clone(&written);
            // It is asked when the connection stands and the first byte of the body is about to leave.
            let permit = Permit::new(move || {
                let may_write = permit.may_write();
                if !begun.swap(true, Ordering::SeqCst) {
                    fuse.burn("body", "before");
                }
                may_write
            });
            let sending = self.inner.send(request, permit);
            if waits {
                let _whatever_came = tokio::time::timeout(ON_ITS_WAY, sending).await;
                die();
            }
            let back = sending.await;
            self.fuse.burn("answer", "after");
            back
        })
    }
}
