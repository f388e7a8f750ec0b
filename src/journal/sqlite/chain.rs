//! The hash chains: each piece of evidence and each act is bound to the one before it, so that a change is seen.
//!
//! A chain shows that a row in its midst was changed or taken out. That its end was cut off is seen from the outside only,
//! by comparing with a head that was written down elsewhere.

use rusqlite::{Connection, OptionalExtension, Row};
use sha2::{Digest as _, Sha256};

use super::trouble::Tried;
use crate::journal::{Act, CallId, Evidence};

/// A link of a chain, or what a body comes to.
pub(super) type Hash = [u8; 32];

/// What the first row is chained to.
const NOTHING: Hash = [0; 32];

/// Collects the fields of a row. Each has its length in front of it, so that no two rows read alike.
struct Link(Sha256);

impl Link {
    fn new(table: &str, previous: &[u8]) -> Self {
        Self(Sha256::new()).bytes(table.as_bytes()).bytes(previous)
    }

    fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.update(u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
        self.0.update(bytes);
        self
    }

    fn number(self, number: i64) -> Self {
        self.bytes(&number.to_be_bytes())
    }

    fn hash(self) -> Hash {
        self.0.finalize().into()
    }
}

/// What a body comes to.
pub(super) fn digest(body: &[u8]) -> Hash {
    Sha256::digest(body).into()
}

const EVIDENCE_HEAD: &str = "SELECT hash FROM evidence ORDER BY id DESC LIMIT 1";
const ACT_HEAD: &str = "SELECT hash FROM act ORDER BY id DESC LIMIT 1";

fn head(connection: &Connection, sql: &str) -> Tried<Hash> {
    let head = connection.prepare_cached(sql)?.query_row([], |row| row.get(0)).optional()?;
    Ok(head.unwrap_or(NOTHING))
}

/// The fields of evidence that the chain binds.
struct Bound<'e> {
    previous: &'e [u8],
    call: CallId,
    at: i64,
    kind: &'e str,
    status: i64,
    headers: &'e str,
    body_digest: &'e [u8],
    cut: bool,
}

impl Bound<'_> {
    fn hash(&self) -> Hash {
        let link = Link::new("evidence", self.previous).number(self.call).number(self.at).bytes(self.kind.as_bytes());
        let link = link.number(self.status).bytes(self.headers.as_bytes()).bytes(self.body_digest);
        link.number(i64::from(self.cut)).hash()
    }
}

/// Appends evidence to its chain.
pub(super) fn append_evidence(connection: &Connection, call: CallId, evidence: &Evidence, headers: &str) -> Tried<()> {
    let (previous, body_digest) = (head(connection, EVIDENCE_HEAD)?, digest(&evidence.body));
    let kind = evidence.kind.word();
    let bound = Bound {
        previous: &previous,
        call,
        at: evidence.at,
        kind,
        status: i64::from(evidence.status),
        headers,
        body_digest: &body_digest,
        cut: evidence.cut,
    };
    let hash = bound.hash();
    connection
        .prepare_cached(
            "INSERT INTO evidence (call, at, kind, status, headers, body, body_digest, cut, previous, hash) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?
        .execute((
            call,
            evidence.at,
            kind,
            evidence.status,
            headers,
            &evidence.body,
            body_digest,
            evidence.cut,
            previous,
            hash,
        ))?;
    Ok(())
}

fn act_hash(previous: &[u8], at: i64, version: Option<i64>, verb: &str, who: &str, reason: &str) -> Hash {
    let link = Link::new("act", previous).number(at).number(version.unwrap_or_default());
    link.bytes(verb.as_bytes()).bytes(who.as_bytes()).bytes(reason.as_bytes()).hash()
}

/// Appends an act to its chain; one that is of the journal as a whole has the version 0.
pub(super) fn append_act(connection: &Connection, act: &Act) -> Tried<()> {
    let previous = head(connection, ACT_HEAD)?;
    let version = (act.version != 0).then_some(act.version);
    let hash = act_hash(&previous, act.at, version, &act.verb, &act.who, &act.reason);
    connection
        .prepare_cached("INSERT INTO act (at, version, verb, who, reason, previous, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?
        .execute((act.at, version, &act.verb, &act.who, &act.reason, previous, hash))?;
    Ok(())
}

/// Follows a chain and says what is wrong with it.
fn follow(
    connection: &Connection,
    (name, sql): (&str, &str),
    row: impl Fn(&Row<'_>) -> rusqlite::Result<(Hash, bool)>,
) -> Tried<Vec<String>> {
    let mut wrong = Vec::new();
    let mut last = NOTHING;
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    while let Some(next) = rows.next()? {
        let id: i64 = next.get("id")?;
        let (previous, stored): (Vec<u8>, Vec<u8>) = (next.get("previous")?, next.get("hash")?);
        if previous != last {
            wrong.push(format!("{name} {id} does not follow on the one before it: a row was taken out, put in or changed"));
        }
        let (hash, body_is_right) = row(next)?;
        if hash.as_slice() != stored {
            wrong.push(format!("{name} {id} was changed after it was stored"));
        }
        if !body_is_right {
            wrong.push(format!("the body of {name} {id} was changed after it was stored"));
        }
        last = stored.try_into().unwrap_or(NOTHING);
    }
    Ok(wrong)
}

/// What is wrong with the chain of evidence.
pub(super) fn follow_evidence(connection: &Connection) -> Tried<Vec<String>> {
    follow(connection, ("evidence", "SELECT * FROM evidence ORDER BY id"), |row| {
        let body: Option<Vec<u8>> = row.get("body")?;
        let (previous, body_digest): (Vec<u8>, Vec<u8>) = (row.get("previous")?, row.get("body_digest")?);
        let (kind, headers): (String, String) = (row.get("kind")?, row.get("headers")?);
        let bound = Bound {
            previous: &previous,
            call: row.get("call")?,
            at: row.get("at")?,
            kind: &kind,
            status: row.get("status")?,
            headers: &headers,
            body_digest: &body_digest,
            cut: row.get("cut")?,
        };
        Ok((bound.hash(), body.is_none_or(|body| digest(&body).as_slice() == body_digest)))
    })
}

/// What is wrong with the chain of acts.
pub(super) fn follow_acts(connection: &Connection) -> Tried<Vec<String>> {
    follow(connection, ("act", "SELECT * FROM act ORDER BY id"), |row| {
        let previous: Vec<u8> = row.get("previous")?;
        let (verb, who, reason): (String, String, String) = (row.get("verb")?, row.get("who")?, row.get("reason")?);
        Ok((act_hash(&previous, row.get("at")?, row.get("version")?, &verb, &who, &reason), true))
    })
}
