//! The files of a folder, and the secrets that they speak of.

use std::collections::HashMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::cli::Failure;
use crate::config::AwsTarget;
use crate::model::Fault;
use crate::outcome::Exit;
use crate::vendors::aws::{File, Judged, PLAN_SCHEMA, Reference, Resource, SavedPlan};
use crate::wire::Secret;

/// The largest file that is read; thousands of accounts take a tenth of that.
const LARGEST: u64 = 1 << 20;
/// The largest plan: it may have many of them.
const LARGEST_PLAN: u64 = 256 << 20;

/// What stands in messages for the field of a secret, until it is known which field that is.
const THE_SECRET: &str = "(the secret)";

/// What references stand for. Each is looked up once: a command may take its time.
#[derive(Debug, Default)]
pub(super) struct Vault {
    /// Nobody's secrets, for trials.
    simulated: bool,
    known: HashMap<String, Result<Secret, String>>,
}

impl Vault {
    /// Empty as yet. In a trial, a secret that cannot be had is made up.
    pub(super) fn new(is_trial: bool) -> Self {
        Self { simulated: is_trial, known: HashMap::new() }
    }

    /// Looks up the secrets that a file speaks of; those that cannot be had are faults of it.
    pub(super) fn look_up<T: Resource>(&mut self, judged: &mut Judged<'_, T>) {
        let faults = self.look_up_all(&judged.content);
        judged.faults.extend(faults);
    }

    /// The same for what a plan speaks of.
    pub(super) fn look_up_all<T: Resource>(&mut self, content: &T) -> Vec<Fault> {
        let find = |(path, reference): (&'static str, &Reference<'_>)| {
            let why = self.find(path, reference.given()?).err()?;
            Some(Fault::error("AWS-042", path, why))
        };
        content.secrets().into_iter().filter_map(find).collect()
    }

    fn find(&mut self, path: &str, reference: &str) -> Result<(), String> {
        if !self.known.contains_key(reference) {
            let found = AwsTarget::secret(THE_SECRET, reference);
            let found = if self.simulated { found.or_else(|_| Ok(Secret::new("a-made-up-secret"))) } else { found };
            let found = found.and_then(|secret| match Reference::refuses(&secret) {
                Some(why) => Err(format!("{THE_SECRET}: {why}")),
                None => Ok(secret),
            });
            self.known.insert(reference.to_owned(), found);
        }
        match self.known.get(reference) {
            // One secret may stand in several fields.
            Some(Err(why)) => Err(why.replacen(THE_SECRET, path, 1)),
            _ => Ok(()),
        }
    }

    /// What a reference stands for.
    pub(super) fn get(&self, reference: &Reference<'_>) -> Option<Secret> {
        self.known.get(reference.given()?)?.as_ref().ok().cloned()
    }
}

/// What apply is given: files, or a plan.
#[derive(Debug)]
pub(super) enum Given {
    Files(Vec<File>),
    Plan(String, String),
}

/// The same, read.
pub(super) enum Wanted<'g, T> {
    Files(Vec<Judged<'g, T>>),
    Plan(SavedPlan<T>),
}

/// What a plan says first: whether it is one, and of what.
#[derive(Deserialize)]
struct Head {
    schema: String,
    resource: String,
}

impl Given {
    /// Reads what is there: a plan has a name that ends in `.json`.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        if !path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json")) {
            return read(path).map(Self::Files);
        }
        // Neither a device nor a pipe has an end that one could wait for.
        if fs::metadata(path).is_ok_and(|about| !about.is_file() || about.len() > LARGEST_PLAN) {
            let message =
                format!("{} is no plan: it is no plain file, or larger than {} MiB", path.display(), LARGEST_PLAN >> 20);
            return Err(Failure::new(Exit::Usage, message));
        }
        match fs::read_to_string(path) {
            Ok(text) => Ok(Self::Plan(path.display().to_string(), text)),
            Err(error) => Err(Failure::new(Exit::Usage, format!("{} cannot be read: {error}", path.display()))),
        }
    }

    /// What it says.
    pub(super) fn wanted<'g, T: Resource + Deserialize<'g>>(
        &'g self,
        judge: impl FnOnce(&'g [File]) -> Vec<Judged<'g, T>>,
    ) -> Result<Wanted<'g, T>, Failure> {
        let (name, text) = match self {
            Self::Files(files) => return Ok(Wanted::Files(judge(files))),
            Self::Plan(name, text) => (name, text),
        };
        let no_plan = |why: &dyn std::fmt::Display| Failure::new(Exit::Usage, format!("{name} is no plan: {why}"));
        if text.trim().is_empty() {
            return Err(no_plan(&"it is empty"));
        }
        // The words of the reader may repeat what stands there.
        let place = |error: serde_json::Error| no_plan(&format_args!("it stops being one in line {}", error.line()));
        let head: Head = serde_json::from_str(text).map_err(place)?;
        if head.schema != PLAN_SCHEMA {
            return Err(no_plan(&format_args!("its schema is not {PLAN_SCHEMA}")));
        }
        if head.resource != T::WORD {
            return Err(no_plan(&format_args!("it is one for payables {}", head.resource)));
        }
        let saved: SavedPlan<T> = serde_json::from_str(text).map_err(place)?;
        Ok(Wanted::Plan(saved))
    }
}

/// The file that is meant, where no ARN is.
pub(super) fn meant(meant: &str) -> Vec<File> {
    if meant.starts_with("arn:") { Vec::new() } else { vec![read_one(Path::new(meant))] }
}

/// The files of a folder; none where there is no folder.
pub(super) fn read_if_any(folder: &Path) -> Result<Vec<File>, Failure> {
    let is_empty = fs::read_dir(folder).is_ok_and(|entries| {
        !entries
            .filter_map(Result::ok)
            .any(|entry| entry.path().extension().is_some_and(|extension| extension.eq_ignore_ascii_case("toml")))
    });
    if is_empty || !folder.exists() { Ok(Vec::new()) } else { read(folder) }
}

/// A folder within a folder that has files as well; they are not read.
pub(super) fn folder_with_more(path: &Path) -> Option<PathBuf> {
    let folders = fs::read_dir(path).ok()?.filter_map(Result::ok).map(|entry| entry.path()).filter(|path| path.is_dir());
    folders.into_iter().find(|folder| {
        let is_ours =
            |path: PathBuf| path.is_dir() || path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("toml"));
        fs::read_dir(folder).is_ok_and(|entries| entries.filter_map(Result::ok).any(|entry| is_ours(entry.path())))
    })
}

/// The files of a path: itself, or those in it whose names end in `.toml`, by name.
pub(super) fn read(path: &Path) -> Result<Vec<File>, Failure> {
    let refuse =
        |path: &Path, error: &std::io::Error| Failure::new(Exit::Usage, format!("{} cannot be read: {error}", path.display()));
    let mut paths: Vec<PathBuf> = Vec::new();
    if path.is_dir() {
        for entry in fs::read_dir(path).map_err(|error| refuse(path, &error))? {
            let file = entry.map_err(|error| refuse(path, &error))?.path();
            if file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("toml")) {
                paths.push(file);
            }
        }
        if paths.is_empty() {
            return Err(Failure::new(Exit::Usage, format!("{} has no file in it whose name ends in .toml", path.display())));
        }
        paths.sort();
    } else {
        fs::metadata(path).map_err(|error| refuse(path, &error))?;
        paths.push(path.to_owned());
    }
    Ok(paths.iter().map(|path| read_one(path)).collect())
}

/// One file. What cannot be read is told of like what is wrong in it, so that the others are looked at as well.
pub(super) fn read_one(path: &Path) -> File {
    let name = path.display().to_string();
    // Neither a device nor a pipe has an end that one could wait for.
    match fs::metadata(path) {
        Ok(about) if about.is_file() => {}
        Ok(_) => return File::unreadable(name, "it is no plain file"),
        Err(error) => return File::unreadable(name, error),
    }
    let mut text = String::new();
    let read = fs::File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_string(&mut text));
    match read.map(|size| size as u64) {
        Err(error) => File::unreadable(name, error),
        Ok(size) if size > LARGEST => File::unreadable(name, format!("it is larger than {} KiB", LARGEST >> 10)),
        Ok(_) => File::new(name, text.strip_prefix('\u{feff}').unwrap_or(&text)),
    }
}
