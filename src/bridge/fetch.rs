//! Fetches orders from a vendor: asks what the adapter wants asked, again where that helps, and hands each order out once, and
//! again only where it was changed meanwhile.
//!
//! Questions change nothing at the vendor, so there is no journal, and dropping the future is harmless.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use tokio::time::{sleep, sleep_until};

use super::line::Line;
use super::session::NoToken;
use crate::adapter::{Answer, Fetch, Fetched, Page, Question, Stamp, Wanted};
use crate::engine::pace::{Jitter, Pace};
use crate::model::{Fault, Path, Severity, shorten};
use crate::outcome::Exit;
use crate::rules::{Levels, apply_levels};
use crate::transport::Permit;

/// How often a question is asked again that brought nothing, or was refused: some that are refused are answered the third
/// time.
const MOST_RETRIES: u32 = 4;
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// The most pages of one question: a vendor that always has one more does not hold us for ever.
const MOST_PAGES: usize = 10_000;

/// Fetches orders from one vendor. [`BridgeBuilder::fetcher`](super::BridgeBuilder::fetcher) makes one.
///
/// ```no_run
/// use std::ops::ControlFlow;
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// use payables_bridge::adapter::{Span, Wanted, When};
/// use payables_bridge::bridge::{Bridge, Form};
/// use payables_bridge::vendors::amazon::Amazon;
/// use payables_bridge::wire::{Credentials, Secret};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let parts = [("client_id", "LWA_CLIENT_ID"), ("client_secret", "LWA_CLIENT_SECRET"), ("refresh_token", "LWA_REFRESH_TOKEN")];
/// let mut secrets = Vec::new();
/// for (part, variable) in parts {
///     secrets.push((part, Secret::new(std::env::var(variable)?)));
/// }
/// let fetcher = Bridge::builder()
///     .vendor(Arc::new(Amazon::default()))
///     .credentials(Credentials::new(secrets))
///     .pace(10, 10)
///     .fetcher()?;
/// let yesterday = Wanted::Placed(Span { since: When::Ago(Duration::from_secs(86_400)), until: None });
/// fetcher
///     .fetch(&yesterday, Form::Orders, &mut |fetched| {
///         println!("{:?}: {} remarks", fetched.number, fetched.faults.len());
///         ControlFlow::Continue(())
///     })
///     .await?;
/// # Ok(())
/// # }
/// ```
pub struct Fetcher {
    pub(super) line: Line,
    pub(super) pace: (u32, u32),
    pub(super) levels: Levels,
    pub(super) seed: u64,
}

/// What orders become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Canonical purchase orders.
    Orders,
    /// Drafts of invoices, with what was accepted.
    Invoices,
}

/// Why no more orders came. What was handed out before stands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct FetchError {
    /// What is wrong and what to do.
    pub message: String,
    /// The code.
    pub exit: Exit,
}

impl FetchError {
    fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { message: message.into(), exit }
    }
}

impl Fetcher {
    /// Fetches what is wanted, and hands out each order as it comes, until it is told to break off.
    ///
    /// # Errors
    /// When the vendor cannot be asked for that, refuses the caller, or gives no usable answer.
    pub async fn fetch(
        &self,
        wanted: &Wanted,
        form: Form,
        take: &mut dyn FnMut(Fetched) -> ControlFlow<()>,
    ) -> Result<(), FetchError> {
        let Some(fetch) = self.line.submit.fetch() else {
            return Err(FetchError::new(Exit::Usage, "this vendor has no orders to give"));
        };
        let questions = fetch.questions(wanted, self.line.unix_seconds());
        let mut asking = Asking {
            line: &self.line,
            fetch,
            pace: Pace::new(self.pace.0, self.pace.1),
            jitter: Jitter::new(self.seed),
            renewed: false,
            seen: HashSet::new(),
            numbers: HashSet::new(),
        };
        for question in questions.map_err(|why| FetchError::new(Exit::Usage, why))? {
            let mut next = Some(question);
            let mut pages = HashSet::new();
            while let Some(question) = next.take() {
                if pages.len() >= MOST_PAGES || !pages.insert(question.0.clone()) {
                    return Err(FetchError::new(Exit::Temporary, "the vendor gives one page after another without end"));
                }
                let page = match asking.page(&question).await? {
                    Ok(page) => page,
                    Err(fault) => {
                        if take(self.levelled(Fetched { faults: vec![*fault], ..Fetched::default() })).is_break() {
                            return Ok(());
                        }
                        break;
                    }
                };
                for order in &page.orders {
                    let Some(fetched) = asking.order(order, form).await? else { continue };
                    if take(self.levelled(fetched)).is_break() {
                        return Ok(());
                    }
                }
                next = page.next;
            }
        }
        Ok(())
    }

    fn levelled(&self, mut fetched: Fetched) -> Fetched {
        apply_levels(&self.levels, &mut fetched.faults);
        if fetched.faults.iter().any(Fault::is_error) {
            fetched.document = None;
        }
        fetched
    }
}

/// Questions in progress.
struct Asking<'f> {
    line: &'f Line,
    fetch: &'f dyn Fetch,
    pace: Pace,
    jitter: Jitter,
    /// Whether the token was fetched because the last one was refused.
    renewed: bool,
    /// Digests of the orders that came, as they came.
    seen: HashSet<u64>,
    numbers: HashSet<String>,
}

impl Asking<'_> {
    /// What becomes of an order; `None` when it came before.
    async fn order(&mut self, order: &str, form: Form) -> Result<Option<Fetched>, FetchError> {
        if !self.seen.insert(xxhash_rust::xxh3::xxh3_64(order.as_bytes())) {
            return Ok(None);
        }
        let mut fetched = match form {
            Form::Orders => guarded(|| self.fetch.order(order)),
            Form::Invoices => self.invoice(order).await?,
        };
        if let Some(number) = &fetched.number
            && !self.numbers.insert(number.clone())
        {
            // Two drafts without a number would be two invoices for one order.
            let fault = match form {
                Form::Orders => Fault::warning(
                    "DOC-FETCHED",
                    Path::ROOT,
                    "the order came before with other content: it was changed meanwhile; this is the later one, drop the earlier one",
                ),
                Form::Invoices => Fault::error(
                    "DOC-FETCHED",
                    Path::ROOT,
                    "the order was changed while orders were fetched, so its draft is of what it was; fetch it again by its number",
                ),
            };
            fetched.faults.push(fault);
        }
        Ok(Some(fetched))
    }

    async fn invoice(&mut self, order: &str) -> Result<Fetched, FetchError> {
        let question = match catch_unwind(AssertUnwindSafe(|| self.fetch.standing(order))) {
            Ok(Ok(question)) => question,
            Ok(Err(fetched)) => return Ok(*fetched),
            Err(_) => return Ok(unreadable()),
        };
        let standing = match self.page(&question).await? {
            Ok(page) => page.orders,
            // What an order does not say stays open, and is told; why it is not said is told too.
            Err(fault) => {
                let mut fetched = guarded(|| self.fetch.invoice(order, &[]));
                fetched.faults.push(Fault { severity: Severity::Warning, ..*fault });
                return Ok(fetched);
            }
        };
        Ok(guarded(|| self.fetch.invoice(order, &standing)))
    }

    /// Asks until an answer comes. The inner error is a question that was refused.
    async fn page(&mut self, question: &Question) -> Result<Result<Page, Box<Fault>>, FetchError> {
        let mut tries = 0;
        loop {
            let answer = self.ask(question).await?;
            // Whatever else is said of a call, its token was good.
            self.renewed &= matches!(answer, Answer::Expired(_) | Answer::Unclear(_));
            let (last, wait) = match answer {
                Answer::Page(page) => return Ok(Ok(page)),
                Answer::Expired(fault) if self.renewed => return Err(FetchError::new(Exit::Refused, with_words(fault))),
                Answer::Expired(_) => {
                    self.renewed = true;
                    self.line.session.forget();
                    continue;
                }
                Answer::Refused { fault, for_good } if for_good || tries == MOST_RETRIES => return Ok(Err(Box::new(fault))),
                Answer::Refused { fault, .. } => (fault.message, None),
                Answer::BackOff(fault, wait) => (with_words(fault), wait),
                Answer::Unclear(doubt) => {
                    let words = doubt.vendor_message.map(|words| format!(": {words}")).unwrap_or_default();
                    (format!("{}{words}", doubt.why), None)
                }
            };
            if tries == MOST_RETRIES {
                return Err(FetchError::new(Exit::Temporary, format!("asked {} times; the last time: {last}", tries + 1)));
            }
            tracing::info!(question = question.0, why = last, "a question is asked again");
            sleep(wait.unwrap_or_else(|| self.jitter.wait(FIRST_PAUSE, tries, LONGEST_PAUSE)).min(LONGEST_PAUSE)).await;
            tries += 1;
        }
    }

    async fn ask(&mut self, question: &Question) -> Result<Answer, FetchError> {
        let signer = match self.line.log_in().await {
            Ok(signer) => signer,
            Err(NoToken::Refused(fault)) => return Err(FetchError::new(Exit::Refused, with_words(fault))),
            Err(NoToken::Down(why)) => return Err(FetchError::new(Exit::Temporary, why)),
        };
        let now = self.line.now().tick;
        let may_go = self.pace.next(now);
        if may_go > now {
            sleep_until(self.line.instant(may_go)).await;
        }
        self.pace.take(may_go);
        let stamp = Stamp { unix_seconds: self.line.unix_seconds(), secret: Some(&signer) };
        // It may be asked as late as it likes.
        let response = self.line.transport.send(self.fetch.ask(question, &stamp), Permit::new(|| true)).await;
        let response = match self.line.without_secrets(&stamp, response) {
            Ok(response) => response,
            Err(error) => return Ok(Answer::Unclear(error.to_string().into())),
        };
        if let Some(interval) = self.line.submit.interval(&response) {
            self.pace.slow_down(interval);
        }
        let read = catch_unwind(AssertUnwindSafe(|| self.fetch.page(question, &response)));
        Ok(read.unwrap_or_else(|_| Answer::Unclear("the answer could not be read".into())))
    }
}

/// A message, and what the vendor said.
fn with_words(fault: Fault) -> String {
    let words = fault.vendor_message.filter(|words| !fault.message.contains(words.as_str()));
    let words = words.map(|words| format!(" (the vendor says: {})", shorten(&words))).unwrap_or_default();
    format!("{}{words}", fault.message)
}

/// An order that makes the reader fail is one that cannot be read.
fn guarded(read: impl FnOnce() -> Fetched) -> Fetched {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| unreadable())
}

fn unreadable() -> Fetched {
    let fault = Fault::error("DOC-FETCHED", Path::ROOT, "an order could not be read");
    Fetched { faults: vec![fault], ..Fetched::default() }
}
