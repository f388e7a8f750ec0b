//! Rows of the database as values of the journal.

use rusqlite::Row;
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::{Error as NoSuchWord, StrDeserializer};

use super::trouble::{Tried, Trouble};
use crate::adapter::Scope;
use crate::engine::state::{Standing, State};
use crate::journal::{Act, Evidence, EvidenceKind, Key, RunRecord, ScopeId, Version, read_item};
use crate::model::Kind;
use crate::report::Item;

/// The columns that [`version`] reads, of `version v` and `content c`.
macro_rules! version_columns {
    () => {
        "v.id, v.kind, v.owner, v.number, v.revision, v.digest, c.memo, v.payee, v.run, c.item, v.state, v.epoch, v.doubtful, \
         v.released, v.not_before, v.rest_until, v.first_armed_at, v.asked, v.ask_at, v.submitted_at, v.reference, v.fault, \
         v.changed_at, v.scope"
    };
}
pub(super) use version_columns;

/// A version with its scope.
pub(super) fn version(row: &Row<'_>) -> Tried<(ScopeId, Version)> {
    let id = row.get(0)?;
    let wrong = |what: &str, why: String| Trouble::Wrong(format!("{what} of version {id} cannot be read: {why}"));
    let kind = row.get_ref(1)?.as_str().map_err(|error| wrong("the kind", error.to_string()))?;
    let state = row.get_ref(10)?.as_str().map_err(|error| wrong("the state", error.to_string()))?;
    let fault = row.get_ref(21)?.as_str_or_null().map_err(|error| wrong("the fault", error.to_string()))?;
    let item = row.get_ref(9)?.as_bytes().map_err(|error| wrong("the item", error.to_string()))?;
    let version = Version {
        id,
        key: Key {
            kind: word::<Kind>(kind).map_err(|error| wrong("the kind", error.to_string()))?,
            owner: row.get(2)?,
            number: row.get(3)?,
        },
        revision: row.get(4)?,
        digest: row.get(5)?,
        memo: row.get(6)?,
        payee: row.get(7)?,
        run: row.get(8)?,
        item: read_item(item).map_err(|error| wrong("the item", error))?,
        standing: Standing {
            state: State::from_word(state).ok_or_else(|| wrong("the state", format!("there is no {state:?}")))?,
            epoch: row.get(11)?,
            doubtful: row.get(12)?,
            released: row.get(13)?,
            not_before: row.get(14)?,
            rest_until: row.get(15)?,
            first_armed_at: row.get(16)?,
            asked: row.get(17)?,
            ask_at: row.get(18)?,
            submitted_at: row.get(19)?,
            reference: row.get(20)?,
            fault: fault.map(serde_json::from_str).transpose().map_err(|error| wrong("the fault", error.to_string()))?,
            changed_at: row.get(22)?,
        },
    };
    Ok((row.get(23)?, version))
}

/// The value that a word stands for.
fn word<'w, T: Deserialize<'w>>(word: &'w str) -> Result<T, NoSuchWord> {
    let word: StrDeserializer<'w, NoSuchWord> = word.into_deserializer();
    T::deserialize(word)
}

/// The state of a word that a row holds.
pub(super) fn state(word: &str) -> Tried<State> {
    State::from_word(word).ok_or_else(|| Trouble::Wrong(format!("there is no state {word:?}; the journal was changed by hand")))
}

/// Evidence, of the columns at, kind, status, headers, body, cut. A body that was pruned is one that was cut to nothing.
pub(super) fn evidence(row: &Row<'_>) -> Tried<Evidence> {
    let wrong = |error: String| Trouble::Wrong(format!("evidence cannot be read: {error}"));
    let body: Option<Vec<u8>> = row.get(4)?;
    let cut: bool = row.get(5)?;
    let kind: String = row.get(1)?;
    let headers: String = row.get(3)?;
    Ok(Evidence {
        at: row.get(0)?,
        kind: word::<EvidenceKind>(&kind).map_err(|error| wrong(error.to_string()))?,
        status: row.get(2)?,
        headers: serde_json::from_str(&headers).map_err(|error| wrong(error.to_string()))?,
        cut: cut || body.is_none(),
        body: body.unwrap_or_default(),
    })
}

/// A run, of all columns in their order.
pub(super) fn run(row: &Row<'_>) -> Tried<RunRecord> {
    let id = row.get(0)?;
    let inputs: String = row.get(7)?;
    let inputs = serde_json::from_str(&inputs)
        .map_err(|error| Trouble::Wrong(format!("the inputs of run {id} cannot be read: {error}")))?;
    Ok(RunRecord {
        id,
        name: row.get(1)?,
        scope: row.get(2)?,
        target: row.get(3)?,
        began_at: row.get(4)?,
        imported_at: row.get(5)?,
        ended_at: row.get(6)?,
        inputs,
        summary: row.get(8)?,
    })
}

/// A scope, of all columns in their order.
pub(super) fn scope(row: &Row<'_>) -> Tried<(ScopeId, Scope)> {
    let scope = Scope { kind: row.get(1)?, environment: row.get(2)?, endpoint: row.get(3)?, account: row.get(4)? };
    Ok((row.get(0)?, scope))
}

/// What a person did to a version, of the columns at, version, verb, who, reason.
pub(super) fn act(row: &Row<'_>) -> Tried<Act> {
    Ok(Act { at: row.get(0)?, version: row.get(1)?, verb: row.get(2)?, who: row.get(3)?, reason: row.get(4)? })
}

/// An item, of one column.
pub(super) fn item(row: &Row<'_>) -> Tried<Item> {
    let text = row.get_ref(0)?.as_bytes().map_err(|error| Trouble::Wrong(error.to_string()))?;
    read_item(text).map_err(|error| Trouble::Wrong(format!("an item cannot be read: {error}")))
}
