//! The target that is meant, the way to its account, and the journal.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::bridge::aws::{Access, Account, Kept, Trouble};
use crate::cli::args::Output;
use crate::cli::args::aws::TargetArgs;
use crate::cli::{Failure, logging};
use crate::config::{AwsTarget, Configuration};
use crate::journal::Sqlite;
use crate::model::Fault;
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

    /// Where requests go, for plans: what was seen at one place says nothing of another.
    pub(super) fn place(&self, is_trial: bool) -> String {
        if is_trial {
            return "a trial".to_owned();
        }
        let (endpoint, profile) = (self.target.endpoint(), self.target.profile());
        format!("{}, profile {}", endpoint.as_deref().unwrap_or("AWS"), profile.as_deref().unwrap_or("default"))
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
        // What is done to it cannot be undone, so a file that is not sound says nothing; a word that is not known here, or that AWS
        // has gained, is no matter.
        let says_nothing = |fault: &Fault| fault.is_error() && fault.rule != "AWS-002";
        if one.faults.iter().any(says_nothing) {
            let errors = one.faults.into_iter().filter(says_nothing);
            let says: Vec<String> = errors
                .map(|fault| {
                    let rule = fault.rule.clone();
                    format!("{} [{rule}]", placed(fault))
                })
                .collect();
            let message =
                format!("{} is not sound, so it does not say which {} is meant: {}", one.name, T::NOUN, says.join("; "));
            return Err(Failure::new(Exit::Usage, message));
        }
        // An ARN decides alone: another one of the same name is another one.
        if let Some(arn) = one.content.arn() {
            let gone = || {
                let message = format!("AWS holds no {} under the ARN in {meant}; import writes those that it holds", T::NOUN);
                Failure::new(Exit::Documents, message)
            };
            return self.account.get(arn).await.map_err(|trouble| refused(&trouble))?.ok_or_else(gone);
        }
        let identity = one.content.identity();
        let is_meant = |held: &Held<T>| identity.is_some() && held.content.identity() == identity;
        let mut meant: Vec<Held<T>> = self.all::<T>().await?.into_iter().filter(is_meant).collect();
        if meant.len() > 1 {
            let arns: Vec<&str> = meant.iter().map(Held::arn).collect();
            let message = format!("AWS holds several that {} may mean: {}; name its ARN instead", one.name, arns.join(" "));
            return Err(Failure::new(Exit::Usage, message));
        }
        meant.pop().ok_or_else(nothing)
    }
}

/// What a fault says, with its field unless it says that itself.
pub(super) fn placed(fault: Fault) -> String {
    if fault.path.is_empty() || fault.message.starts_with(&fault.path) {
        return fault.message;
    }
    format!("{}: {}", fault.path, fault.message)
}

/// A question that AWS did not answer.
pub(super) fn refused(trouble: &Trouble) -> Failure {
    let why = match trouble {
        // Nothing was to be changed, so it does not matter how far the question went.
        Trouble::NotSent(why) | Trouble::MaybeSent(why) => why.clone(),
        _ => trouble.faults().into_iter().map(placed).collect::<Vec<_>>().join("; "),
    };
    Failure::new(trouble.exit(), format!("AWS cannot be asked: {why}"))
}

/// Writes a file whole, or not at all.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::new(Exit::Usage, format!("{} cannot be written: {error}", path.display()));
    // What is no file has no place for another one beside it.
    if std::fs::metadata(path).is_ok_and(|about| !about.is_file()) {
        return std::fs::OpenOptions::new().write(true).open(path).and_then(|mut it| it.write_all(bytes)).map_err(failed);
    }
    // A link stays one: what it stands for is written.
    let real = std::fs::canonicalize(path).or_else(|_| std::fs::read_link(path).map(|to| path.with_file_name("").join(to)));
    let path = real.as_deref().unwrap_or(path);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    if !folder.is_dir() {
        return Err(Failure::new(
            Exit::Usage,
            format!("{} cannot be written: there is no folder {}", path.display(), folder.display()),
        ));
    }
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // There is no secret in it: others may read what they may read of other files.
        let usual = std::fs::Permissions::from_mode(0o666);
        builder.permissions(std::fs::metadata(path).map_or(usual, |about| about.permissions()));
    }
    let mut file = builder.tempfile_in(folder).map_err(|error| failed(std::io::Error::from(error.kind())))?;
    file.write_all(bytes).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}
