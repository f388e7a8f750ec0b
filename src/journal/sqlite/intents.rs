//! Intents, in the table that bears their name.

use rusqlite::OptionalExtension as _;

use super::Sqlite;
use super::trouble::Trouble;
use crate::engine::state::Millis;
use crate::journal::{Carried, Concluded, Intent, IntentId, Intents, NewIntent, OpenIntent, Result, ScopeId};

impl Intents for Sqlite {
    fn intents(&mut self, scope: ScopeId, subject: &str) -> Result<Vec<Intent>> {
        let sql = "SELECT id, operation, digest, token, at FROM intent \
                   WHERE scope = ?1 AND subject = ?2 AND outcome IS NULL ORDER BY id";
        self.ask(|connection| {
            let mut statement = connection.prepare_cached(sql)?;
            let rows = statement.query_map((scope, subject), |row| {
                let (id, operation, digest, token, at) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?);
                Ok(Intent { id, operation, digest, token, at })
            })?;
            Ok(rows.collect::<std::result::Result<_, _>>()?)
        })
    }

    fn carried(&mut self, scope: ScopeId, subject: &str, operation: &str) -> Result<Option<Carried>> {
        let sql = "SELECT ended_at, detail FROM intent WHERE scope = ?1 AND subject = ?2 AND operation = ?3 AND outcome = ?4 \
                   ORDER BY id DESC LIMIT 1";
        self.ask(|connection| {
            let mut statement = connection.prepare_cached(sql)?;
            let row = statement.query_row((scope, subject, operation, Concluded::Done.word()), |row| {
                let (at, detail): (_, Option<String>) = (row.get(0)?, row.get(1)?);
                Ok(Carried { at, detail: detail.unwrap_or_default() })
            });
            Ok(row.optional()?)
        })
    }

    fn may_have_carried(&mut self, scope: ScopeId, subject: &str, operation: &str) -> Result<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM intent WHERE scope = ?1 AND subject = ?2 AND operation = ?3 \
                   AND (outcome IS NULL OR outcome NOT IN (?4, ?5)))";
        let ended = (Concluded::Refused.word(), Concluded::NotSent.word());
        self.ask(|connection| {
            let mut statement = connection.prepare_cached(sql)?;
            Ok(statement.query_row((scope, subject, operation, ended.0, ended.1), |row| row.get(0))?)
        })
    }

    fn open_intents(&mut self) -> Result<Vec<OpenIntent>> {
        let sql = "SELECT scope, subject, operation, at FROM intent WHERE outcome IS NULL ORDER BY id";
        self.ask(|connection| {
            let mut statement = connection.prepare_cached(sql)?;
            let rows = statement.query_map((), |row| {
                let (scope, subject, operation, at) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
                Ok(OpenIntent { scope, subject, operation, at })
            })?;
            Ok(rows.collect::<std::result::Result<_, _>>()?)
        })
    }

    fn intend(&mut self, intent: &NewIntent) -> Result<IntentId> {
        self.sound()?;
        self.has_room()?;
        let sql = "INSERT INTO intent (scope, run, subject, operation, digest, token, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        self.write(|connection| {
            let NewIntent { scope, run, subject, operation, digest, token, at } = intent;
            connection.prepare_cached(sql)?.execute((scope, run, subject, operation, digest, token, at))?;
            Ok(connection.last_insert_rowid())
        })
    }

    fn conclude(&mut self, intent: IntentId, at: Millis, how: Concluded, detail: &str) -> Result<()> {
        let sql =
            "UPDATE intent SET ended_at = ?2, outcome = ?3, detail = ?4, digest = zeroblob(32) WHERE id = ?1 AND outcome IS NULL";
        self.write(|connection| match connection.prepare_cached(sql)?.execute((intent, at, how.word(), detail))? {
            0 => Err(Trouble::Wrong(format!("there is no open intent {intent}"))),
            _ => Ok(()),
        })
    }

    fn lapse(&mut self, scope: ScopeId, before: Millis, at: Millis) -> Result<()> {
        let sql = "UPDATE intent SET ended_at = ?3, outcome = ?4, detail = 'its token may be forgotten by now', \
                   digest = zeroblob(32) WHERE outcome IS NULL AND at < ?2 \
                   AND scope IN (SELECT id FROM scope WHERE kind = (SELECT kind FROM scope WHERE id = ?1))";
        self.write(|connection| {
            connection.prepare_cached(sql)?.execute((scope, before, at, Concluded::Overtaken.word()))?;
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rusqlite::Connection;

    use super::*;
    use crate::adapter::Scope;
    use crate::journal::{Journal as _, NewRun};

    fn new(scope: ScopeId, run: i64, token: &str) -> NewIntent {
        let (subject, operation) = ("arn".to_owned(), "Put".to_owned());
        NewIntent { scope, run, subject, operation, digest: [7; 32], token: token.to_owned(), at: 5 }
    }

    #[test]
    fn an_older_journal_learns_of_intents_and_keeps_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("payables.db");
        drop(Sqlite::open(&path, Duration::ZERO).unwrap());
        // A journal as the first version of its shape left it.
        let old = Connection::open(&path).unwrap();
        old.execute_batch("DROP TABLE intent; PRAGMA user_version = 1").unwrap();
        drop(old);
        assert!(Sqlite::read(&path).unwrap_err().to_string().contains("older version"));
        let word = || "x".to_owned();
        {
            let mut journal = Sqlite::open(&path, Duration::ZERO).unwrap();
            let scope = Scope { kind: word(), environment: word(), endpoint: word(), account: word() };
            let scope = journal.scope(&scope).unwrap();
            let run = journal.begin(&NewRun { name: word(), scope, target: word(), at: 1, inputs: vec![] }).unwrap();
            let first = journal.intend(&new(scope, run, "a")).unwrap();
            journal.intend(&new(scope, run, "b")).unwrap();
            assert!(journal.intend(&new(scope, run, "b")).is_err(), "a token is for one intent");
            journal.conclude(first, 9, Concluded::Done, "arn").unwrap();
            assert!(journal.conclude(first, 9, Concluded::Done, "arn").is_err(), "it has ended");
        }
        let mut journal = Sqlite::open(&path, Duration::ZERO).unwrap();
        let open = journal.intents(1, "arn").unwrap();
        assert_eq!(open.iter().map(|intent| intent.token.as_str()).collect::<Vec<_>>(), ["b"]);
        assert_eq!((open[0].digest, open[0].at), ([7; 32], 5));
        assert!(journal.intents(1, "another").unwrap().is_empty());
        let all = journal.open_intents().unwrap();
        assert_eq!(
            all.iter().map(|open| (open.subject.as_str(), open.operation.as_str(), open.at)).collect::<Vec<_>>(),
            [("arn", "Put", 5)]
        );
        assert_eq!(journal.carried(1, "arn", "Put").unwrap(), Some(Carried { at: 9, detail: "arn".to_owned() }));
        assert_eq!(journal.carried(1, "arn", "Delete").unwrap(), None);
        let may_have = |journal: &mut Sqlite, operation| journal.may_have_carried(1, "arn", operation).unwrap();
        assert_eq!((may_have(&mut journal, "Put"), may_have(&mut journal, "Delete")), (true, false));
        let forgotten = "SELECT count(*) FROM intent WHERE digest = zeroblob(32) AND outcome IS NOT NULL";
        assert_eq!(journal.connection.query_row(forgotten, (), |row| row.get::<_, i64>(0)).unwrap(), 1);
        let mut lines = Vec::new();
        journal.export(&mut lines).unwrap();
        assert_eq!(String::from_utf8(lines).unwrap().lines().filter(|line| line.starts_with(r#"{"intent":"#)).count(), 2);
        journal.lapse(1, 5, 9).unwrap();
        assert_eq!(journal.intents(1, "arn").unwrap().len(), 1);
        journal.lapse(1, 6, 9).unwrap();
        assert_eq!(journal.intents(1, "arn").unwrap(), []);
        assert_eq!(journal.connection.query_row(forgotten, (), |row| row.get::<_, i64>(0)).unwrap(), 2);
        assert_eq!(journal.prunable(10).unwrap().intents, 2);
        assert_eq!((journal.prune(9, "me").unwrap().intents, journal.prune(10, "me").unwrap().intents), (0, 2));
        drop(journal);
        assert_eq!(Sqlite::check(&path).unwrap(), []);
    }
}
