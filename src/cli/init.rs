//! `payables init`: a commented configuration and an example, never over something that is there.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::Path;

use super::args::InitArgs;
use super::{Ended, Failure, tell};
use crate::config::FILE_NAME;
use crate::outcome::Exit;

const CONFIG: &str = include_str!("init/payables.toml");
const EXAMPLE: &str = include_str!("init/example-order.json");
const EXAMPLE_NAME: &str = "example-order.json";

/// `payables init`
pub(super) fn init(args: &InitArgs) -> Ended {
    fs::create_dir_all(&args.dir).map_err(|error| refuse(&args.dir, &error))?;
    write(&args.dir.join(FILE_NAME), CONFIG)?;
    write(&args.dir.join(EXAMPLE_NAME), EXAMPLE)?;
    let example = args.dir.join(EXAMPLE_NAME);
    tell(format_args!("Next: payables sync {} --to tipalti --dry-run --pretty", example.display()));
    Ok(Exit::Done)
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    match file.and_then(|mut file| file.write_all(text.as_bytes())) {
        Ok(()) => {
            tell(format_args!("wrote {}", path.display()));
            Ok(())
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            Err(Failure::new(Exit::Usage, format!("{} is there already; it is left as it is", path.display())))
        }
        Err(error) => Err(refuse(path, &error)),
    }
}

fn refuse(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(Exit::Unexpected, format!("{} cannot be written: {error}", path.display()))
}
