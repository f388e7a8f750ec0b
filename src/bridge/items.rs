//! Runs as streams: each document comes out once, as soon as it is settled.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::thread::JoinHandle;

use futures_core::Stream;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

use super::build::Bridge;
use super::stopper::Stopper;
use super::{Error, Observer};
use crate::intake::Input;
use crate::report::{Item, Summary};

/// How many documents may be settled that nobody has taken yet. Then nothing new is begun, so memory stays flat.
const MOST_WAITING: usize = 256;

/// What a run is to do.
pub(super) enum Work<'r> {
    Submit(Vec<Input<'r>>),
    Plan(Vec<Input<'r>>),
    FollowUp,
    Retry(Option<String>),
}

/// What a stream brings.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "nearly all of them are the large one")]
pub enum Progress {
    /// All input has been read and stored, and so many documents are going to be sent.
    Imported(u64),
    /// A document has come to its end.
    Settled(Item),
}

/// A run in progress, as a stream of the documents that it settles.
///
/// The run has a thread of its own, so that whatever happens to the caller, what is on its way is recorded. When the stream
/// is dropped, that is finished, and nothing more is begun. A stream is to be read: while 256 documents wait in it, nothing
/// new is begun; what is on its way is still recorded.
///
/// ```
/// # use payables_bridge::bridge::Items;
/// async fn print(mut items: Items) -> Result<u8, payables_bridge::bridge::Error> {
///     while let Some(item) = items.next().await {
///         println!("{:?} {}", item.number, item.outcome.word());
///     }
///     Ok(items.summary().await?.exit().code())
/// }
/// ```
pub struct Items {
    name: String,
    receiver: UnboundedReceiver<Message>,
    waiting: Arc<AtomicUsize>,
    ended: Option<Result<Summary, Error>>,
    stopper: Stopper,
    finished: bool,
    thread: Option<JoinHandle<()>>,
}

enum Message {
    Progress(Progress),
    End(Result<Summary, Error>),
}

impl Items {
    /// Begins the work on a thread of its own.
    pub(super) fn begin(bridge: Bridge, work: Work<'static>, name: String) -> Self {
        let (sender, receiver) = mpsc::unbounded_channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        let stopper = bridge.stopper();
        let run = name.clone();
        let spawned = std::thread::Builder::new().name("payables-run".to_owned()).spawn({
            let waiting = Arc::clone(&waiting);
            move || {
                let mut outlet = Outlet { sender, waiting };
                let ended = work_here(&bridge, work, &run, &mut outlet);
                // Whoever has heard of the end may open the journal anew, so it is closed by then.
                drop(bridge);
                let _nobody_listens = outlet.sender.send(Message::End(ended));
            }
        });
        let (thread, ended) = match spawned {
            Ok(thread) => (Some(thread), None),
            Err(error) => (None, Some(Err(Error::Transport(format!("no thread for the run: {error}"))))),
        };
        Self { name, receiver, waiting, ended, stopper, finished: false, thread }
    }

    /// The run's name, by which the journal knows it.
    pub fn run(&self) -> &str {
        &self.name
    }

    /// Stops the run: what is on its way is finished, the rest is left for the next run.
    pub fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    /// The next document that is settled; `None` when there are no more.
    pub async fn next(&mut self) -> Option<Item> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// The next thing that happens; `None` when the run is over.
    pub async fn progress(&mut self) -> Option<Progress> {
        std::future::poll_fn(|context| self.poll_progress(context)).await
    }

    /// The documents as they are settled, for programs without a runtime. Not for use on a runtime's own threads.
    pub fn blocking(&mut self) -> impl Iterator<Item = Item> {
        std::iter::from_fn(|| {
            while self.ended.is_none() && !self.finished {
                let message = self.receiver.blocking_recv();
                if let Some(Progress::Settled(item)) = self.take(message) {
                    return Some(item);
                }
            }
            None
        })
    }

    /// The counts and sums of the run. What has not been taken from the stream by then is counted and not told.
    ///
    /// # Errors
    /// When the run could not go on.
    pub async fn summary(mut self) -> Result<Summary, Error> {
        while self.progress().await.is_some() {}
        self.take_end()
    }

    /// The same, for programs without a runtime.
    ///
    /// # Errors
    /// When the run could not go on.
    pub fn blocking_summary(mut self) -> Result<Summary, Error> {
        for _ in self.blocking() {}
        self.take_end()
    }

    fn take_end(&mut self) -> Result<Summary, Error> {
        // The thread has said its last word; what it still does is to let go of the journal.
        if let Some(thread) = self.thread.take() {
            let _panicked = thread.join();
        }
        self.ended
            .take()
            .unwrap_or_else(|| Err(Error::Transport("the run broke off; its journal knows how far it came".to_owned())))
    }

    fn poll_progress(&mut self, context: &mut Context<'_>) -> Poll<Option<Progress>> {
        if self.ended.is_some() || self.finished {
            return Poll::Ready(None);
        }
        let message = std::task::ready!(self.receiver.poll_recv(context));
        Poll::Ready(self.take(message))
    }

    /// Takes a message in; `None` when it was the last.
    fn take(&mut self, message: Option<Message>) -> Option<Progress> {
        match message {
            Some(Message::Progress(progress)) => {
                self.waiting.fetch_sub(1, Ordering::Relaxed);
                return Some(progress);
            }
            Some(Message::End(ended)) => self.ended = Some(ended),
            None => self.finished = true,
        }
        None
    }
}

impl Stream for Items {
    type Item = Item;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Item>> {
        loop {
            match std::task::ready!(self.poll_progress(context)) {
                Some(Progress::Settled(item)) => return Poll::Ready(Some(item)),
                Some(Progress::Imported(_)) => {}
                None => return Poll::Ready(None),
            }
        }
    }
}

impl Drop for Items {
    fn drop(&mut self) {
        self.stopper.stop();
    }
}

fn work_here(bridge: &Bridge, work: Work<'_>, name: &str, outlet: &mut Outlet) -> Result<Summary, Error> {
    // Calls have a thread of their own, so that an answer is taken in while this one stores.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(|error| Error::Transport(format!("no runtime for the run: {error}")))?;
    runtime.block_on(bridge.work(work, name, outlet))
}

/// Passes on what happens. When nobody takes it any more, the run has been told to stop.
struct Outlet {
    sender: UnboundedSender<Message>,
    waiting: Arc<AtomicUsize>,
}

impl Outlet {
    fn pass(&self, progress: Progress) {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let _nobody_listens = self.sender.send(Message::Progress(progress));
    }
}

impl Observer for Outlet {
    fn imported(&mut self, going: u64) {
        self.pass(Progress::Imported(going));
    }

    fn item(&mut self, item: Item) {
        self.pass(Progress::Settled(item));
    }

    fn is_full(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) >= MOST_WAITING && !self.sender.is_closed()
    }
}
