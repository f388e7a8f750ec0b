//! The target that is meant, the way to its account, and the journal.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::bridge::aws::{Access, Account, Kept, Trouble};
use crate::cli::args::Output;
use crate::cli::args::aws::TargetArgs;
use crate::cli::{Failure, logging};
use crate::config::{AwsTarget, Configuration};
use crate::journal::Sqlite;
use crate::outcome::Exit;
use crate::rules::Levels;
use crate::sandbox::{Options, Sandbox};
use crate::vendors::aws::{Held, Judged};
use crate::wire::Secret;

/// What the configuration says of a target.
pub(super) struct Office {
    pub(super) target: AwsTarget,
    pub(super) configuration: Configuration,
    pub(super) output: Output,
}

/// A way to an account.
pub(super) struct Desk {
    pub(super) account: Account,
    sandbox: Option<Sandbox>,
}

impl Office {
    pub(super) fn of(args: &TargetArgs) -> Result<Self, Failure> {
        logging::begin(false);
        let configuration = Configuration::load(args.config.as_deref())?;
        let target = configuration.aws_target(args.to.as_deref())?;
        Ok(Self { target, configuration, output: args.output })
    }

    pub(super) fn levels(&self) -> &Levels {
        &self.target.settings.rules
    }

    /// Gets ready to talk to AWS, or to a simulated one that holds nothing.
    pub(super) async fn desk(&self, is_trial: bool) -> Result<Desk, Failure> {
        let settings = &self.target.settings;
        let mut access = Access {
            profile: settings.profile.clone(),
            region: settings.region.clone(),
            endpoint: settings.endpoint.clone(),
            timeout: self.target.timeout(),
            key: None,
        };
        let unexpected = |error: &dyn std::fmt::Display| Failure::new(Exit::Unexpected, error.to_string());
        let sandbox = if is_trial {
            let started = Sandbox::start(Options::default()).await;
            let sandbox = started.map_err(|error| unexpected(&format_args!("the simulator cannot start: {error}")))?;
            let ready = sandbox.ready().aws;
            access.endpoint = Some(ready.endpoint);
            access.region = Some(ready.region);
            access.key = Some((ready.access_key_id, Secret::new(ready.secret_access_key)));
            Some(sandbox)
        } else {
            None
        };
        let account = Account::open(&access).await.map_err(|error| unexpected(&error))?;
        Ok(Desk { account, sandbox })
    }

    /// The journal, which is written to; that of a trial dies with it.
    pub(super) fn journal(&self, is_trial: bool, wait_lock: u64) -> Result<Sqlite, Failure> {
        if is_trial {
            return Ok(Sqlite::temporary()?);
        }
        Ok(Sqlite::open(&self.configuration.journal()?, Duration::from_secs(wait_lock))?)
    }

    /// Where the journal is.
    pub(super) fn journal_path(&self) -> Result<PathBuf, Failure> {
        Ok(self.configuration.journal()?)
    }
}

impl Desk {
    /// Ends a trial.
    pub(super) async fn close(self) {
        if let Some(sandbox) = self.sandbox {
            sandbox.stop().await;
        }
    }

    /// All that AWS holds of a kind.
    pub(super) async fn all<T: Kept>(&self) -> Result<Vec<Held<T>>, Failure> {
        self.account.all::<T>().await.map_err(|trouble| refused(&trouble))
    }

    /// The one that is meant by an ARN, or by a file.
    pub(super) async fn meant<T: Kept>(&self, meant: &str, judged: Vec<Judged<'_, T>>) -> Result<Held<T>, Failure> {
        let nothing = || Failure::new(Exit::Documents, format!("AWS holds no {} that {meant} stands for", T::NOUN));
        let Some(one) = judged.into_iter().next() else {
            return self.account.get(meant).await.map_err(|trouble| refused(&trouble))?.ok_or_else(nothing);
        };
        if one.content.arn().is_none() && one.content.identity().is_none() {
            let place = |path: &str| if path.is_empty() { String::new() } else { format!("{path}: ") };
            let says: Vec<String> =
                one.faults.iter().map(|fault| format!("{}{} [{}]", place(&fault.path), fault.message, fault.rule)).collect();
            let message = format!("{} does not say which {} is meant: {}", one.name, T::NOUN, says.join("; "));
            return Err(Failure::new(Exit::Usage, message));
        }
        let all = self.all::<T>().await?;
        let by_arn = all.iter().position(|held| one.content.arn() == Some(held.arn()));
        let identity = one.content.identity();
        let by_identity = || all.iter().position(|held| identity.is_some() && held.content.identity() == identity);
        by_arn.or_else(by_identity).and_then(|place| all.into_iter().nth(place)).ok_or_else(nothing)
    }
}

/// A question that AWS did not answer.
pub(super) fn refused(trouble: &Trouble) -> Failure {
    let words: Vec<String> = trouble.faults().into_iter().map(|fault| fault.message).collect();
    Failure::new(trouble.exit(), format!("AWS cannot be asked: {}", words.join("; ")))
}

/// Writes a file whole, or not at all.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::new(Exit::Usage, format!("{} cannot be written: {error}", path.display()));
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    std::io::Write::write_all(&mut file, bytes).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}
