//! Opens the inputs: all of them, before anything is read.

use std::fs::File;
use std::io::{IsTerminal, stdin};

use super::args::DocumentArgs;
use super::{Failure, mapping};
use crate::intake::Input;
use crate::outcome::Exit;

/// Opens the files of a command, to be read through its mapping if it names one.
pub(super) fn documents(args: &DocumentArgs) -> Result<Vec<Input<'static>>, Failure> {
    // A mapping that is wrong is found before anything is read.
    let mapping = args.mapping.as_deref().map(mapping::load).transpose()?;
    let inputs = open(&args.files)?;
    Ok(match mapping {
        None => inputs,
        Some(mapping) => inputs.into_iter().map(|input| input.mapped(mapping.clone())).collect(),
    })
}

/// Opens files; `-` is standard input, and so is no file at all.
pub(super) fn open(files: &[String]) -> Result<Vec<Input<'static>>, Failure> {
    let standard = ["-".to_owned()];
    let files = if files.is_empty() { &standard[..] } else { files };
    if files.iter().filter(|file| *file == "-").count() > 1 {
        return Err(Failure::new(Exit::Usage, "standard input can be read once only; write `-` once"));
    }
    files.iter().map(|file| open_one(file)).collect()
}

fn open_one(name: &str) -> Result<Input<'static>, Failure> {
    if name == "-" {
        if stdin().is_terminal() {
            return Err(Failure::new(Exit::Usage, "name a file, or send documents to standard input"));
        }
        return Ok(Input::new(name, stdin()));
    }
    let refuse = |error: std::io::Error| Failure::new(Exit::Usage, format!("{name} cannot be opened: {error}"));
    let file = File::open(name).map_err(refuse)?;
    if file.metadata().map_err(refuse)?.is_dir() {
        return Err(Failure::new(Exit::Usage, format!("{name} is a directory; name the files in it")));
    }
    Ok(Input::new(name, file))
}
