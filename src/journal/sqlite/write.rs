//! What is stored: each function is the inside of one commit.

use rusqlite::Connection;

use super::trouble::{Tried, Trouble};
use super::{chain, read};
use crate::adapter::Scope;
use crate::engine::state::{Millis, Standing, State};
use crate::journal::{
    Act, Arm, CallId, Evidence, Import, Move, NewRun, NewVersion, Ruling, RunId, ScopeId, Settle, VersionId, moved_twice,
    write_item,
};
use crate::report::Item;

/// A value as JSON text.
fn json<T: serde::Serialize>(value: &T) -> Tried<String> {
    serde_json::to_string(value).map_err(|error| Trouble::Wrong(format!("it cannot be written: {error}")))
}

fn item_text(item: &Item) -> Tried<String> {
    let mut text = Vec::with_capacity(512);
    let wrong = |error: String| Trouble::Wrong(format!("an item cannot be written: {error}"));
    write_item(item, &mut text).map_err(|error| wrong(error.to_string()))?;
    String::from_utf8(text).map_err(|error| wrong(error.to_string()))
}

pub(super) fn scope(connection: &Connection, scope: &Scope) -> Tried<ScopeId> {
    if let Some(known) = read::scope_of(connection, scope)? {
        return Ok(known);
    }
    connection.prepare_cached("INSERT INTO scope (kind, environment, endpoint, account) VALUES (?1, ?2, ?3, ?4)")?.execute((
        &scope.kind,
        &scope.environment,
        &scope.endpoint,
        &scope.account,
    ))?;
    Ok(connection.last_insert_rowid())
}

pub(super) fn begin(connection: &Connection, run: &NewRun) -> Tried<RunId> {
    connection
        .prepare_cached("INSERT INTO run (name, scope, target, began_at, inputs) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute((&run.name, run.scope, &run.target, run.at, json(&run.inputs)?))?;
    Ok(connection.last_insert_rowid())
}

pub(super) fn end(connection: &Connection, run: RunId, at: Millis, summary: &str) -> Tried<()> {
    let sql = "UPDATE run SET ended_at = ?2, summary = ?3 WHERE id = ?1";
    match connection.prepare_cached(sql)?.execute((run, at, summary))? {
        0 => Err(no_run(run)),
        _ => Ok(()),
    }
}

fn no_run(run: RunId) -> Trouble {
    Trouble::Wrong(format!("there is no run {run}"))
}

fn scope_of_run(connection: &Connection, run: RunId) -> Tried<ScopeId> {
    let mut statement = connection.prepare_cached("SELECT scope FROM run WHERE id = ?1")?;
    let mut rows = statement.query([run])?;
    rows.next()?.ok_or_else(|| no_run(run))?.get(0).map_err(Trouble::from)
}

/// The vendor has one version of a document: whatever was accepted before makes room for the one that is now, and what had
/// made room already is certainly gone.
const MAKE_ROOM: &str = "UPDATE version SET changed_at = CASE state WHEN 'accepted' THEN ?2 ELSE changed_at END, \
     state = 'superseded', doubtful = 0 WHERE id IN (SELECT o.id FROM version v \
     CROSS JOIN version o INDEXED BY version_by_number ON o.number = v.number AND o.scope = v.scope AND o.kind = v.kind \
     AND o.owner = v.owner AND o.revision < v.revision WHERE v.id = ?1 AND v.revision > 1 \
     AND (o.state = 'accepted' OR o.state = 'superseded' AND o.doubtful = 1))";

/// The moves of one commit. All of them are tried, so that all that are refused can be named.
struct Moves<'c> {
    connection: &'c Connection,
    /// The call that is settled by them.
    call: Option<CallId>,
    fenced: Vec<VersionId>,
}

impl<'c> Moves<'c> {
    fn new<'m>(connection: &'c Connection, moves: impl Iterator<Item = &'m Move>) -> Self {
        Self { connection, call: None, fenced: moved_twice(moves) }
    }

    fn end(mut self) -> Tried<()> {
        self.fenced.sort_unstable();
        self.fenced.dedup();
        if self.fenced.is_empty() { Ok(()) } else { Err(Trouble::Fenced(self.fenced)) }
    }

    /// Moves a version that stands as the move says.
    fn apply(&mut self, change: &Move) -> Tried<()> {
        match update(self.connection, change) {
            Ok(0) => self.fenced.push(change.version),
            Ok(_) => self.after(change)?,
            Err(Trouble::Sql(error)) if Trouble::is_guard(&error) => self.fenced.push(change.version),
            Err(other) => return Err(other),
        }
        Ok(())
    }

    /// What a move brings with it.
    fn after(&self, change: &Move) -> Tried<()> {
        if change.to.state == State::Accepted {
            let sql = "INSERT INTO payee (scope, payee) SELECT scope, payee FROM version \
                 WHERE id = ?1 AND payee IS NOT NULL ON CONFLICT DO NOTHING";
            self.connection.prepare_cached(sql)?.execute([change.version])?;
            self.connection.prepare_cached(MAKE_ROOM)?.execute((change.version, change.to.changed_at))?;
        }
        // Whoever moves it: what becomes of a version that was armed is what became of its attempt.
        let leaves = change.from == State::Armed && change.to.state != State::Armed;
        if leaves || self.call.is_some() {
            let sql = "UPDATE attempt SET outcome = ?2 WHERE version = ?1 AND (outcome IS NULL AND ?3 OR call = ?4)";
            let params = (change.version, change.to.state.word(), leaves, self.call);
            self.connection.prepare_cached(sql)?.execute(params)?;
        }
        Ok(())
    }
}

fn update(connection: &Connection, change: &Move) -> Tried<usize> {
    let Standing { state, epoch, doubtful, released, not_before, rest_until, first_armed_at, .. } = &change.to;
    let Standing { asked, ask_at, submitted_at, reference, fault, changed_at, .. } = &change.to;
    let fault = fault.as_ref().map(json).transpose()?;
    let mut statement = connection.prepare_cached(
        "UPDATE version SET state = ?4, epoch = ?5, doubtful = ?6, released = ?7, not_before = ?8, rest_until = ?9, \
         first_armed_at = ?10, asked = ?11, ask_at = ?12, submitted_at = ?13, reference = ?14, fault = ?15, changed_at = ?16 \
         WHERE id = ?1 AND state = ?2 AND epoch = ?3",
    )?;
    let params = rusqlite::params![
        change.version,
        change.from.word(),
        change.epoch,
        state.word(),
        epoch,
        doubtful,
        released,
        not_before,
        rest_until,
        first_armed_at,
        asked,
        ask_at,
        submitted_at,
        reference,
        fault,
        changed_at
    ];
    Ok(statement.execute(params)?)
}

fn insert(connection: &Connection, scope: ScopeId, run: RunId, new: &NewVersion) -> Tried<()> {
    let standing = &new.standing;
    let fault = standing.fault.as_ref().map(json).transpose()?;
    let mut statement = connection.prepare_cached(
        "INSERT INTO version (scope, kind, owner, number, revision, digest, payee, run, state, epoch, doubtful, released, \
         not_before, rest_until, first_armed_at, asked, ask_at, submitted_at, reference, fault, changed_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21)",
    )?;
    let params = rusqlite::params![
        scope,
        new.key.kind.word(),
        new.key.owner,
        new.key.number,
        new.revision,
        new.digest,
        new.payee,
        run,
        standing.state.word(),
        standing.epoch,
        standing.doubtful,
        standing.released,
        standing.not_before,
        standing.rest_until,
        standing.first_armed_at,
        standing.asked,
        standing.ask_at,
        standing.submitted_at,
        standing.reference,
        fault,
        standing.changed_at
    ];
    statement.execute(params)?;
    let id = connection.last_insert_rowid();
    let mut content = connection.prepare_cached("INSERT INTO content (version, memo, item) VALUES (?1, ?2, ?3)")?;
    content.execute((id, &new.memo, item_text(&new.item)?))?;
    connection.prepare_cached("INSERT INTO payload (version, body) VALUES (?1, ?2)")?.execute((id, &new.payload))?;
    Ok(())
}

pub(super) fn report<'i>(connection: &Connection, run: RunId, items: impl Iterator<Item = &'i Item>) -> Tried<()> {
    let mut items = items.peekable();
    if items.peek().is_none() {
        return Ok(());
    }
    let last = "SELECT coalesce(max(sequence), 0) FROM item WHERE run = ?1";
    let last: i64 = connection.prepare_cached(last)?.query_row([run], |row| row.get(0))?;
    let sql = "INSERT INTO item (run, sequence, outcome, item) VALUES (?1, ?2, ?3, ?4)";
    let mut statement = connection.prepare_cached(sql)?;
    for (sequence, item) in (last + 1..).zip(items) {
        statement.execute((run, sequence, item.outcome.word(), item_text(item)?))?;
    }
    Ok(())
}

pub(super) fn import(connection: &Connection, run: RunId, part: &Import) -> Tried<()> {
    let scope = scope_of_run(connection, run)?;
    let mut moves = Moves::new(connection, part.moves.iter().map(|(change, _)| change));
    for (change, item) in &part.moves {
        moves.apply(change)?;
        if let Some(item) = item {
            let (version, item) = (change.version, item_text(item)?);
            connection.prepare_cached("UPDATE content SET item = ?2 WHERE version = ?1")?.execute((version, item))?;
            connection.prepare_cached("UPDATE version SET run = ?2 WHERE id = ?1")?.execute((version, run))?;
        }
    }
    moves.end()?;
    for new in &part.new {
        insert(connection, scope, run, new)?;
    }
    report(connection, run, part.items.iter())
}

pub(super) fn promote(connection: &Connection, run: RunId, at: Millis) -> Tried<u64> {
    let scope = scope_of_run(connection, run)?;
    connection.prepare_cached("UPDATE run SET imported_at = ?2 WHERE id = ?1")?.execute((run, at))?;
    let mut statement = connection.prepare_cached(PROMOTE)?;
    Ok(u64::try_from(statement.execute((scope, run, at))?).unwrap_or_default())
}

pub(super) const PROMOTE: &str = "UPDATE version INDEXED BY version_by_state SET state = 'ready', changed_at = ?3 \
     WHERE scope = ?1 AND state = 'received' AND state <> 'accepted' AND run = ?2";

/// Stores the intent of a call; `floor` is an identifier that the call's must be above.
pub(super) fn arm(connection: &Connection, call: &Arm, floor: CallId) -> Tried<CallId> {
    let mut moves = Moves::new(connection, call.superseded.iter().chain(&call.armed));
    for change in call.superseded.iter().chain(&call.armed) {
        moves.apply(change)?;
    }
    moves.end()?;
    let sql = "INSERT INTO call (id, run, scope, at) VALUES (max(?4, coalesce((SELECT max(id) FROM call), 0)) + 1, ?1, ?2, ?3)";
    connection.prepare_cached(sql)?.execute((call.run, call.scope, call.at, floor))?;
    let id = connection.last_insert_rowid();
    let sql = "INSERT INTO attempt (version, epoch, call, place, armed_at) VALUES (?1, ?2, ?3, ?4, ?5)";
    let mut statement = connection.prepare_cached(sql)?;
    let mut carry = connection.prepare_cached("UPDATE version SET run = ?2 WHERE id = ?1 AND run <> ?2")?;
    let mut contested = Vec::new();
    for (place, change) in (0_i64..).zip(&call.armed) {
        match statement.execute((change.version, change.to.epoch, id, place, call.at)) {
            Ok(_) => _ = carry.execute((change.version, call.run))?,
            Err(error) if Trouble::is_guard(&error) => contested.push(change.version),
            Err(error) => return Err(error.into()),
        }
    }
    if contested.is_empty() { Ok(id) } else { Err(Trouble::Fenced(contested)) }
}

/// Stores what came back; `false` when there is no such call.
pub(super) fn keep(connection: &Connection, call: CallId, evidence: &Evidence) -> Tried<bool> {
    let is_there = connection.prepare_cached("SELECT 1 FROM call WHERE id = ?1")?.exists([call])?;
    if is_there {
        chain::append_evidence(connection, call, evidence, &json(&evidence.headers)?)?;
    }
    Ok(is_there)
}

/// Takes in what was spilled when the journal could not take it. What came into the journal all the same is not taken
/// twice, and of a call that the journal does not know a note is left.
pub(super) fn take_spilled(connection: &Connection, spilled: &[(CallId, Evidence)], at: Millis) -> Tried<()> {
    let sql = "SELECT 1 FROM evidence INDEXED BY evidence_by_call WHERE call = ?1 AND at = ?2 AND kind = ?3 AND body_digest = ?4";
    for (call, evidence) in spilled {
        let params = (call, evidence.at, evidence.kind.word(), chain::digest(&evidence.body));
        if connection.prepare_cached(sql)?.exists(params)? || keep(connection, *call, evidence)? {
            continue;
        }
        let body = String::from_utf8_lossy(&evidence.body);
        let start: String = body.chars().take(500).collect();
        let reason =
            format!("call {call} is not in the journal; its answer had the status {} and began: {start}", evidence.status);
        let act = Act { at, version: 0, verb: "spill".to_owned(), who: "payables".to_owned(), reason };
        chain::append_act(connection, &act)?;
    }
    Ok(())
}

pub(super) fn settle(connection: &Connection, settle: &Settle) -> Tried<()> {
    rulings(connection, Some(settle.call), Some(settle.run), &settle.rulings)
}

pub(super) fn rule(connection: &Connection, run: Option<RunId>, ruled: &[Ruling], acts: &[Act]) -> Tried<()> {
    rulings(connection, None, run, ruled)?;
    acts.iter().try_for_each(|act| chain::append_act(connection, act))
}

fn rulings(connection: &Connection, call: Option<CallId>, run: Option<RunId>, rulings: &[Ruling]) -> Tried<()> {
    let mut moves = Moves { call, ..Moves::new(connection, rulings.iter().map(|ruling| &ruling.to)) };
    let sql = "UPDATE version SET state = 'superseded', changed_at = ?2, doubtful = ?3 WHERE id = ?1 AND state = 'accepted'";
    for ruling in rulings {
        moves.apply(&ruling.to)?;
        if let Some(older) = ruling.superseded {
            let doubtful = ruling.to.to.state != State::Accepted;
            connection.prepare_cached(sql)?.execute((older, ruling.to.to.changed_at, doubtful))?;
        }
    }
    moves.end()?;
    match run {
        Some(run) => report(connection, run, rulings.iter().filter_map(|ruling| ruling.item.as_ref())),
        None => Ok(()),
    }
}
