//! `import`: files from what AWS holds. What somebody has written stays, unless it says the same.

use std::fs;
use std::path::{Path, PathBuf};

use super::office::{self, Office};
use super::run;
use super::steps::on_stdout;
use crate::bridge::aws::Kept;
use crate::cli::args::aws::ImportArgs;
use crate::cli::{Ended, Failure};
use crate::model::{Fault, Path as Field, Source};
use crate::outcome::{Action, Exit, Outcome};
use crate::report::Item;
use crate::vendors::aws::{self, Allowed, Held, Judged, Step, Writable, file_name, file_text};

/// Where files are written.
pub(super) fn folder(args: &ImportArgs, usual: &str) -> PathBuf {
    args.dir.clone().unwrap_or_else(|| PathBuf::from(usual))
}

/// `import`
pub(super) fn import<T: Kept + Writable>(args: &ImportArgs, office: &Office, folder: &Path, there: Vec<Judged<'_, T>>) -> Ended {
    let held = run::runtime()?.block_on(async {
        let desk = office.desk(false).await?;
        desk.all::<T>().await
    })?;
    fs::create_dir_all(folder)
        .map_err(|error| Failure::new(Exit::Usage, format!("{} cannot be made: {error}", folder.display())))?;
    let mut reported = on_stdout(office, false);
    // A file that says the same is one that would change nothing.
    let arns: Vec<String> = held.iter().map(|held| held.arn().to_owned()).collect();
    let steps = aws::plan(there, held.clone(), Allowed { prune: false, replace: true }, &|_| None);
    for arn in &arns {
        let Some(held) = held.iter().find(|held| held.arn() == arn) else { continue };
        let own = steps.iter().find(|step| step.arn() == Some(arn));
        let (outcome, file, faults) = write_one(args, folder, held, own)?;
        let file = file.display().to_string();
        reported.item(Item {
            kind: None,
            number: held.content.name(),
            outcome,
            reference: Some(arn.clone()),
            faults,
            source: Some(Source { file: Some(file.into()), ..Source::default() }),
            plan: None,
            amount: None,
        });
    }
    reported.finish()
}

/// Writes the file of one, unless there is one.
fn write_one<T: Kept + Writable>(
    args: &ImportArgs,
    folder: &Path,
    held: &Held<T>,
    own: Option<&Step<T>>,
) -> Result<(Outcome, PathBuf, Vec<Fault>), Failure> {
    let text = file_text(held).map_err(|error| Failure::new(Exit::Unexpected, error))?;
    let Some((step, path)) = own.and_then(|step| Some((step, PathBuf::from(step.file.clone()?)))) else {
        let path = folder.join(file_name(held));
        if path.exists() && !args.overwrite {
            let message = format!("{} is there and speaks of something else; move it, or use --overwrite", path.display());
            return Ok((Outcome::Held, path, vec![Fault::error("AWS-055", Field::ROOT, message)]));
        }
        office::write(&path, text.as_bytes())?;
        return Ok((Outcome::Accepted, path, Vec::new()));
    };
    let refused = |error: std::io::Error| Failure::new(Exit::Usage, format!("{} cannot be read: {error}", path.display()));
    // Whether a secret is the same is not asked: nobody has to have it to import.
    let is_secret = |path: &str| held.secrets.iter().any(|(field, _)| *field == path);
    let differs: Vec<_> = step.changes.iter().filter(|change| !(is_secret(&change.path) && change.new.is_some())).collect();
    if step.action != Action::Create && differs.is_empty() && step.outcome != Outcome::Invalid {
        if step.wanted.as_ref().and_then(|wanted| wanted.arn()) == Some(held.arn()) {
            return Ok((Outcome::Unchanged, path, Vec::new()));
        }
        // Its own words stay, and the ARN comes before them: whatever stands first in TOML belongs to no table.
        let old = fs::read_to_string(&path).map_err(refused)?;
        let old: String = old
            .lines()
            .filter(|line| !line.trim_start().starts_with("arn ") && !line.trim_start().starts_with("arn="))
            .map(|line| format!("{line}\n"))
            .collect();
        office::write(&path, format!("arn = {:?}\n{old}", held.arn()).as_bytes())?;
        return Ok((Outcome::Accepted, path, Vec::new()));
    }
    if args.overwrite {
        office::write(&path, text.as_bytes())?;
        return Ok((Outcome::Accepted, path, Vec::new()));
    }
    let mut faults = vec![Fault::error(
        "AWS-055",
        Field::ROOT,
        format!("{} says something else than AWS; compare them with plan, or use --overwrite", path.display()),
    )];
    let text = |value: &Option<String>| value.as_ref().map_or_else(|| "nothing".to_owned(), |value| format!("{value:?}"));
    faults.extend(differs.into_iter().map(|change| {
        Fault::warning("AWS-055", &change.path, format!("AWS has {}, the file {}", text(&change.old), text(&change.new)))
    }));
    faults.extend(step.faults.iter().filter(|fault| fault.is_error()).cloned());
    Ok((Outcome::Held, path, faults))
}
