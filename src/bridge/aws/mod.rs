//! AWS Invoicing: what it holds is read, compared with what is wanted, and brought about, each step remembered before it is
//! taken.
//!
//! This is where the SDK's types end. They show secrets when they are printed, so nothing of them goes further.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use std::time::Duration;
//!
//! use payables_bridge::bridge::aws::{Access, Account};
//! use payables_bridge::vendors::aws::{Held, Preference};
//!
//! let account = Account::open(&Access { timeout: Duration::from_secs(30), ..Access::default() }).await?;
//! let all: Vec<Held<Preference<'static>>> = account.all().await?;
//! for held in &all {
//!     println!("{} {:?}", held.arn(), held.statuses);
//! }
//! # Ok(())
//! # }
//! ```

mod apply;
mod ask;
mod intents;
mod invoices;
mod portal;
mod preferences;
mod units;

use std::future::Future;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_sdk_invoicing::Client;
use aws_smithy_types::DateTime;

use crate::engine::pace::Jitter;
use crate::model::{Date, Text};
use crate::transport::aws::connect;
use crate::transport::{Http, HttpError};
use crate::vendors::aws::{Call, Held, Resource, Secrets};

pub use apply::{Applied, Apply, Store};
pub use ask::Trouble;
pub use invoices::Paper;
pub use portal::{NewStatus, Portal, Supplier};

pub use crate::transport::aws::Access;

/// An account of AWS's.
pub struct Account {
    client: Client,
    http: Http,
    jitter: Mutex<Jitter>,
    requests: AtomicU64,
}

impl Account {
    /// Gets ready to talk to AWS. Whether the credentials are taken shows with the first request.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub async fn open(access: &Access) -> Result<Self, HttpError> {
        let (client, http) = connect(access).await?;
        Ok(Self { client, http, jitter: Mutex::new(Jitter::new(fastrand::u64(..))), requests: AtomicU64::new(0) })
    }

    /// How many requests were made, each try counted.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// All that AWS holds of a kind.
    ///
    /// # Errors
    /// When AWS does not tell.
    pub async fn all<T: Kept>(&self) -> Result<Vec<Held<T>>, Trouble> {
        T::all(self).await
    }

    /// What AWS holds under an ARN, if it does.
    ///
    /// # Errors
    /// When AWS does not tell.
    pub async fn get<T: Kept>(&self, arn: &str) -> Result<Option<Held<T>>, Trouble> {
        T::get(self, arn).await
    }
}

/// What is kept at AWS: a [`Preference`](crate::vendors::aws::Preference) or an
/// [`InvoiceUnit`](crate::vendors::aws::InvoiceUnit).
pub trait Kept: Resource + Clone + Send + Sync {
    #[doc(hidden)]
    fn all(account: &Account) -> impl Future<Output = Result<Vec<Held<Self>>, Trouble>> + Send;
    #[doc(hidden)]
    fn get(account: &Account, arn: &str) -> impl Future<Output = Result<Option<Held<Self>>, Trouble>> + Send;
    /// Makes a request, and gives the ARN that AWS answers.
    #[doc(hidden)]
    fn call(
        account: &Account,
        call: &Call<'_, Self>,
        secrets: Secrets<'_>,
        token: &str,
    ) -> impl Future<Output = Result<Option<String>, Trouble>>;
}

fn text(text: impl Into<String>) -> Text<'static> {
    Text::from(text.into())
}

fn texts<S: AsRef<str>>(list: &[S]) -> Vec<Text<'static>> {
    list.iter().map(|entry| text(entry.as_ref())).collect()
}

/// A list for a request; one that is empty is left out.
fn list<T: From<String>>(texts: &[Text<'_>]) -> Option<Vec<T>> {
    (!texts.is_empty()).then(|| texts.iter().map(|text| T::from(text.to_string())).collect())
}

/// The ARN of an answer. One without it is not AWS's, whatever its status says.
fn told(arn: String) -> Result<Option<String>, Trouble> {
    if arn.starts_with("arn:") {
        return Ok(Some(arn));
    }
    Err(Trouble::MaybeSent("its answer has no ARN".to_owned()))
}

fn given(text: &Text<'_>) -> Option<String> {
    text.given().map(str::to_owned)
}

/// A moment as RFC 3339 in UTC; parts of a second are not shown.
fn moment(time: &DateTime) -> String {
    let timestamp = jiff::Timestamp::from_second(time.secs());
    timestamp.map_or_else(|_| time.secs().to_string(), |time| time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

fn date(time: &DateTime) -> Option<Date> {
    moment(time).parse().ok()
}
