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
    let known = own.and_then(|step| step.wanted.as_ref());
    let text = file_text(held, known).map_err(|error| Failure::new(Exit::Unexpected, error))?;
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
        let old = fs::read_to_string(&path).map_err(refused)?;
        let Some(new) = with_arn(&old, held.arn()) else {
            let message = format!("the ARN cannot be written into {}; write arn = {:?} at its top", path.display(), held.arn());
            return Ok((Outcome::Held, path, vec![Fault::error("AWS-055", Field::ROOT, message)]));
        };
        office::write(&path, new.as_bytes())?;
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
    faults.extend(differs.into_iter().map(|change| {
        let [old, new] = change.quoted();
        Fault::warning("AWS-055", &change.path, format!("AWS has {old}, the file {new}"))
    }));
    faults.extend(step.faults.iter().filter(|fault| fault.is_error()).cloned());
    Ok((Outcome::Held, path, faults))
}

/// The text of a file with this ARN in it and all else as it was, if that is what comes of it: whatever stands first in TOML belongs
/// to no table.
fn with_arn(old: &str, arn: &str) -> Option<String> {
    let old = old.strip_prefix('\u{feff}').unwrap_or(old);
    let mut wanted: toml::Table = toml::from_str(old).ok()?;
    let had = wanted.insert("arn".to_owned(), arn.into()).is_some();
    let mut is_top = true;
    let kept = old.split_inclusive('\n').filter(|line| {
        let line = line.trim_start();
        is_top &= !line.starts_with('[');
        !(had && is_top && line.strip_prefix("arn").is_some_and(|rest| rest.trim_start().starts_with('=')))
    });
    let end = if old.contains("\r\n") { "\r\n" } else { "\n" };
    let new: String = [format!("arn = {arn:?}{end}")].into_iter().chain(kept.map(str::to_owned)).collect();
    let same = toml::from_str::<toml::Table>(&new).is_ok_and(|new| new == wanted);
    same.then_some(new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_is_written_into_a_file_and_nothing_else_changes() {
        assert_eq!(with_arn("# a\nname = 1\n", "x").unwrap(), "arn = \"x\"\n# a\nname = 1\n");
        assert_eq!(with_arn("\u{feff}arn = \"old\"\r\nname = 1\r\n", "x").unwrap(), "arn = \"x\"\r\nname = 1\r\n");
        let tags = "name = 1\n[resource_tags]\narn = \"mine\"\n";
        assert_eq!(with_arn(tags, "x").unwrap(), format!("arn = \"x\"\n{tags}"));
        let text = "note = \"\"\"\narn = 7\n\"\"\"\narn = \"old\"\n";
        assert_eq!(with_arn(text, "x"), None, "what stands within a text is not touched");
        assert_eq!(with_arn("\"arn\" = \"old\"\n", "x"), None);
        assert_eq!(with_arn("name = ", "x"), None);
    }
}
