//! `list` and `get`: what AWS holds, without its secrets.

use std::io::{Write as _, stdout};

use serde_json::{Map, Value, json};

use super::office::{Office, refused};
use super::run;
use crate::bridge::aws::Kept;
use crate::cli::args::Output;
use crate::cli::args::aws::{GetArgs, ListArgs};
use crate::cli::print::{one_line, plain};
use crate::cli::{Ended, Failure};
use crate::outcome::Exit;
use crate::vendors::aws::{Held, Writable, file_text};

/// `list`
pub(super) fn list<T: Kept>(args: &ListArgs) -> Ended {
    let office = Office::of(&args.target)?;
    let all = run::runtime()?.block_on(async {
        let desk = office.desk(false).await?;
        desk.all::<T>().await
    })?;
    let text = match office.output {
        Output::Table => for_eyes(&all),
        Output::Json => {
            let all: Vec<Value> = all.iter().map(as_json).collect();
            format!("{:#}\n", Value::from(all))
        }
        Output::Ndjson => all.iter().map(|held| format!("{}\n", as_json(held))).collect(),
    };
    stdout().write_all(text.as_bytes()).map_err(|error| Failure::output(&error))?;
    Ok(Exit::Done)
}

/// `get`
pub(super) fn get<T: Kept + Writable>(args: &GetArgs) -> Ended {
    let office = Office::of(&args.target)?;
    if !args.arn.starts_with("arn:") {
        let message = format!("{:?} is no ARN; `payables {} list` shows them", args.arn, T::WORD);
        return Err(Failure::new(Exit::Usage, message));
    }
    let held = run::runtime()?.block_on(async {
        let desk = office.desk(false).await?;
        desk.account.get::<T>(&args.arn).await.map_err(|trouble| refused(&trouble))
    })?;
    let Some(held) = held else {
        return Err(Failure::new(Exit::Documents, format!("AWS holds no {} under {}", T::NOUN, args.arn)));
    };
    let text = match office.output {
        Output::Table => file_text(&held, None).map_err(|error| Failure::new(Exit::Unexpected, error))?,
        Output::Json => format!("{:#}\n", as_json(&held)),
        Output::Ndjson => format!("{}\n", as_json(&held)),
    };
    stdout().write_all(plain(&text).as_bytes()).map_err(|error| Failure::output(&error))?;
    Ok(Exit::Done)
}

fn for_eyes<T: Kept>(all: &[Held<T>]) -> String {
    if all.is_empty() {
        return format!("AWS holds no {}.\n", T::NOUN);
    }
    let mut text = String::new();
    for held in all {
        // ARNs are to be copied, so they stand in lines of their own.
        text.push_str(&format!("{}\n  {}\n", held.content.name().unwrap_or_default(), held.arn()));
        for status in &held.statuses {
            let reason = status.reason.as_ref().map(|reason| format!(" ({})", one_line(reason, 300))).unwrap_or_default();
            text.push_str(&format!("  {}: {}{reason}\n", status.part, status.word));
        }
    }
    plain(&text).into_owned()
}

/// What AWS holds, with what only AWS knows. Of secrets it is said that they are there.
fn as_json<T: Kept>(held: &Held<T>) -> Value {
    let statuses: Map<String, Value> = held
        .statuses
        .iter()
        .map(|status| (status.part.to_owned(), json!({ "status": status.word, "reason": status.reason })))
        .collect();
    let facts: Map<String, Value> = held.facts.iter().map(|(name, value)| ((*name).to_owned(), value.clone().into())).collect();
    let secrets: Vec<&str> = held.secrets.iter().map(|(field, _)| *field).collect();
    json!({
        "arn": held.arn(),
        "content": held.content,
        "secrets": secrets,
        "version": held.version,
        "statuses": statuses,
        "facts": facts,
    })
}
