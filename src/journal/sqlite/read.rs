//! What is asked of the journal.
//!
//! What start-up and the run loop ask for is found by an index that each statement names: were the index gone, the
//! statement would fail instead of looking through everything that is over.

use std::collections::BTreeMap;

use rusqlite::{CachedStatement, Connection, OptionalExtension, Params, Row};

use super::rows::{self, version_columns};
use super::trouble::{Tried, Trouble};
use crate::adapter::Scope;
use crate::engine::state::{Millis, State};
use crate::journal::{Act, Attempt, CallId, Evidence, Key, OpenCall, RunId, RunRecord, ScopeId, Tally, Version, VersionId};
use crate::report::Item;

macro_rules! select_versions {
    ($from:literal, $rest:literal) => {
        concat!("SELECT ", version_columns!(), " FROM version v ", $from, " JOIN content c ON c.version = v.id WHERE ", $rest)
    };
}

pub(super) const ONE_VERSION: &str = select_versions!("", "v.id = ?1");
pub(super) const KNOWN: &str = select_versions!(
    "INDEXED BY version_by_number",
    "v.number = ?2 AND v.scope = ?1 AND v.kind = ?3 AND v.owner = ?4 AND v.state <> 'cancelled' \
     AND (v.state <> 'superseded' OR v.doubtful = 1) ORDER BY v.id DESC"
);
pub(super) const LAST_REVISION: &str = "SELECT max(revision) FROM version INDEXED BY version_by_number \
     WHERE number = ?2 AND scope = ?1 AND kind = ?3 AND owner = ?4";
pub(super) const LIST: &str = select_versions!(
    "INDEXED BY version_by_state",
    "v.scope = ?1 AND v.state = ?2 AND v.state <> 'accepted' AND v.id > ?3 ORDER BY v.id LIMIT ?4"
);
/// There are as many accepted versions as there are documents, so they are walked through in their own order.
const LIST_ACCEPTED: &str = select_versions!("NOT INDEXED", "v.scope = ?1 AND v.state = ?2 AND v.id > ?3 ORDER BY v.id LIMIT ?4");
pub(super) const DUE: &str = select_versions!(
    "INDEXED BY version_to_ask",
    "v.scope = ?1 AND v.state IN ('submitted', 'presumed') AND v.state = 'submitted' AND v.ask_at > 0 AND v.ask_at <= ?2 \
     AND (?4 IS NULL OR v.run = ?4) ORDER BY v.ask_at, v.id LIMIT ?3"
);
pub(super) const PAYLOAD: &str = "SELECT body FROM payload WHERE version = ?1";
pub(super) const PAYEES: &str = "SELECT payee FROM payee WHERE scope = ?1 ORDER BY payee";
/// The last attempt of a version decides which call it is armed for.
pub(super) const OPEN_CALLS: &str = concat!(
    "SELECT ",
    version_columns!(),
    ", a.call, a.place, k.at FROM attempt a INDEXED BY one_open_attempt CROSS JOIN call k ON k.id = a.call \
     CROSS JOIN version v ON v.id = a.version JOIN content c ON c.version = v.id \
     WHERE a.outcome IS NULL AND k.scope = ?1 AND v.state = 'armed' ORDER BY a.call, a.place"
);
pub(super) const NUMBERS: &str = "SELECT v.number FROM attempt a INDEXED BY attempt_by_call \
     CROSS JOIN version v ON v.id = a.version WHERE a.call = ?1 ORDER BY a.place";
pub(super) const EVIDENCE: &str = "SELECT at, kind, status, headers, body, cut FROM evidence INDEXED BY evidence_by_call \
     WHERE call = ?1 ORDER BY id";
pub(super) const LAST_EVIDENCE: &str = "SELECT at, kind, status, headers, body, cut FROM evidence INDEXED BY evidence_by_call \
     WHERE call = ?1 ORDER BY id DESC LIMIT 1";
const FIND: &str = select_versions!("INDEXED BY version_by_number", "v.number = ?1 ORDER BY v.id DESC");
const ATTEMPTS: &str = "SELECT call, epoch, armed_at, outcome FROM attempt WHERE version = ?1 ORDER BY epoch";
// What was done about the journal itself is about no version.
const ACTS: &str = "SELECT at, coalesce(version, 0), verb, who, reason FROM act WHERE version IS nullif(?1, 0) ORDER BY id";
const RUNS: &str = "SELECT * FROM run ORDER BY id DESC LIMIT ?1";
pub(super) const RUN: &str = "SELECT * FROM run INDEXED BY run_by_name WHERE name = ?1 ORDER BY id LIMIT 1";
pub(super) const ITEMS: &str = "SELECT item FROM item WHERE run = ?1 AND sequence > ?2 ORDER BY sequence LIMIT ?3";
/// What is accepted and what is not are counted by indexes of their own, both without looking at a version itself.
pub(super) const TALLY: &str = "SELECT scope, state, count(*), min(changed_at) FROM version INDEXED BY version_by_state \
     WHERE state <> 'accepted' GROUP BY scope, state \
     UNION ALL SELECT scope, 'accepted', count(*), min(changed_at) FROM version INDEXED BY version_accepted \
     WHERE state = 'accepted' GROUP BY scope";

fn all<T>(mut statement: CachedStatement<'_>, params: impl Params, read: impl Fn(&Row<'_>) -> Tried<T>) -> Tried<Vec<T>> {
    let mut rows = statement.query(params)?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(read(row)?);
    }
    Ok(all)
}

fn first<T>(connection: &Connection, sql: &str, params: impl Params, read: impl Fn(&Row<'_>) -> Tried<T>) -> Tried<Option<T>> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    rows.next()?.map(read).transpose()
}

fn versions(connection: &Connection, sql: &str, params: impl Params) -> Tried<Vec<Version>> {
    all(connection.prepare_cached(sql)?, params, |row| Ok(rows::version(row)?.1))
}

/// A number that is not below zero.
fn count<T: TryFrom<i64>>(row: &Row<'_>, column: usize) -> Tried<T> {
    let count: i64 = row.get(column)?;
    T::try_from(count).map_err(|_| Trouble::Wrong(format!("{count} is no count; the journal was changed by hand")))
}

/// As many as SQLite can be asked for.
fn limit(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX)
}

pub(super) fn scope_of(connection: &Connection, scope: &Scope) -> Tried<Option<ScopeId>> {
    let sql = "SELECT id FROM scope WHERE kind = ?1 AND environment = ?2 AND endpoint = ?3 AND account = ?4";
    let params = (&scope.kind, &scope.environment, &scope.endpoint, &scope.account);
    Ok(connection.prepare_cached(sql)?.query_row(params, |row| row.get(0)).optional()?)
}

pub(super) fn scopes(connection: &Connection) -> Tried<Vec<(ScopeId, Scope)>> {
    all(connection.prepare_cached("SELECT * FROM scope ORDER BY id")?, [], rows::scope)
}

pub(super) fn payees(connection: &Connection, scope: ScopeId) -> Tried<Vec<String>> {
    all(connection.prepare_cached(PAYEES)?, [scope], |row| Ok(row.get(0)?))
}

pub(super) fn known(connection: &Connection, scope: ScopeId, key: &Key) -> Tried<(Vec<Version>, u32)> {
    let params = (scope, &key.number, key.kind.word(), &key.owner);
    let last: Option<u32> = connection.prepare_cached(LAST_REVISION)?.query_row(params, |row| row.get(0))?;
    // Most documents are new, and then there is nothing to look for.
    let Some(last) = last else { return Ok((Vec::new(), 0)) };
    Ok((versions(connection, KNOWN, params)?, last))
}

pub(super) fn list(connection: &Connection, scope: ScopeId, state: State, after: VersionId, most: usize) -> Tried<Vec<Version>> {
    let sql = if state == State::Accepted { LIST_ACCEPTED } else { LIST };
    versions(connection, sql, (scope, state.word(), after, limit(most)))
}

pub(super) fn due(
    connection: &Connection,
    scope: ScopeId,
    run: Option<RunId>,
    until: Millis,
    most: usize,
) -> Tried<Vec<Version>> {
    versions(connection, DUE, (scope, until, limit(most), run))
}

pub(super) fn version(connection: &Connection, id: VersionId) -> Tried<Option<Version>> {
    first(connection, ONE_VERSION, [id], |row| Ok(rows::version(row)?.1))
}

pub(super) fn payload(connection: &Connection, id: VersionId) -> Tried<Option<Vec<u8>>> {
    first(connection, PAYLOAD, [id], |row| Ok(row.get(0)?))
}

pub(super) fn unsettled(connection: &Connection, scope: ScopeId) -> Tried<Vec<OpenCall>> {
    let member = |row: &Row<'_>| Ok((row.get::<_, CallId>(24)?, count(row, 25)?, row.get(26)?, rows::version(row)?.1));
    let mut calls: BTreeMap<CallId, OpenCall> = BTreeMap::new();
    for (id, place, armed_at, version) in all(connection.prepare_cached(OPEN_CALLS)?, [scope], member)? {
        let new = || OpenCall { id, armed_at, members: Vec::new(), numbers: Vec::new(), evidence: None };
        calls.entry(id).or_insert_with(new).members.push((place, version));
    }
    let mut calls: Vec<OpenCall> = calls.into_values().collect();
    for call in &mut calls {
        call.numbers = all(connection.prepare_cached(NUMBERS)?, [call.id], |row| Ok(row.get(0)?))?;
        call.evidence = first(connection, LAST_EVIDENCE, [call.id], rows::evidence)?;
    }
    Ok(calls)
}

fn evidence(connection: &Connection, call: CallId) -> Tried<Vec<Evidence>> {
    all(connection.prepare_cached(EVIDENCE)?, [call], rows::evidence)
}

pub(super) fn attempts(connection: &Connection, version: VersionId) -> Tried<Vec<Attempt>> {
    let attempt = |row: &Row<'_>| {
        let outcome: Option<String> = row.get(3)?;
        let (call, epoch, armed_at) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let outcome = outcome.map(|word| rows::state(&word)).transpose()?;
        Ok(Attempt { call, epoch, armed_at, outcome, evidence: evidence(connection, call)? })
    };
    all(connection.prepare_cached(ATTEMPTS)?, [version], attempt)
}

pub(super) fn acts(connection: &Connection, version: VersionId) -> Tried<Vec<Act>> {
    all(connection.prepare_cached(ACTS)?, [version], rows::act)
}

pub(super) fn find(connection: &Connection, number: &str) -> Tried<Vec<(ScopeId, Version)>> {
    all(connection.prepare_cached(FIND)?, [number], rows::version)
}

pub(super) fn tally(connection: &Connection) -> Tried<Vec<Tally>> {
    let tally = |row: &Row<'_>| {
        let state: String = row.get(1)?;
        Ok(Tally { scope: row.get(0)?, state: rows::state(&state)?, count: count(row, 2)?, oldest: row.get(3)? })
    };
    let mut tallies = all(connection.prepare_cached(TALLY)?, [], tally)?;
    tallies.sort_by_key(|tally| (tally.scope, tally.state));
    Ok(tallies)
}

pub(super) fn runs(connection: &Connection, most: usize) -> Tried<Vec<RunRecord>> {
    all(connection.prepare_cached(RUNS)?, [limit(most)], rows::run)
}

pub(super) fn run(connection: &Connection, name: &str) -> Tried<Option<RunRecord>> {
    first(connection, RUN, [name], rows::run)
}

pub(super) fn items(connection: &Connection, run: RunId, after: u64, most: usize) -> Tried<Vec<Item>> {
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    all(connection.prepare_cached(ITEMS)?, (run, after, limit(most)), rows::item)
}
