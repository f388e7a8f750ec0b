//! The spill file: room that was set aside for an answer that came when the disk was full.
//!
//! What a vendor answered cannot be asked for again. The file is filled with zeros when the journal is opened, so writing
//! into it takes no new block. What lies in it is taken into the journal when that is opened the next time.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::chain::digest;
use super::mark::hex;
use super::place::options;
use crate::engine::state::Millis;
use crate::journal::{CallId, Error, Evidence, EvidenceKind, MOST_EVIDENCE, Result};

/// Room for the largest answer, its headers, and several small answers that were on their way at the same time.
const ROOM: usize = MOST_EVIDENCE + (256 << 10);

/// The line in front of a body.
#[derive(Serialize, Deserialize)]
struct Head {
    call: CallId,
    at: Millis,
    kind: EvidenceKind,
    status: u16,
    headers: Vec<(String, String)>,
    cut: bool,
    /// How many bytes of body follow the line.
    length: usize,
    /// SHA-256 of the body.
    body: String,
}

/// The open file.
#[derive(Debug)]
pub(super) struct Spill {
    file: File,
    path: PathBuf,
    used: usize,
}

impl Spill {
    /// Opens the file, says what lies in it, and sets the room aside, which is really there afterwards.
    pub(super) fn open(path: PathBuf) -> Result<(Self, Vec<(CallId, Evidence)>)> {
        let failed = |error| Error::Unusable(format!("{} cannot be used: {error}", path.display()));
        let mut file = options().create(true).truncate(false).open(&path).map_err(failed)?;
        let length = usize::try_from(file.metadata().map_err(failed)?.len()).unwrap_or(usize::MAX);
        if length < ROOM {
            let zeros = vec![0; ROOM - length];
            file.seek(SeekFrom::End(0)).and_then(|_| file.write_all(&zeros)).and_then(|()| file.sync_all()).map_err(failed)?;
        }
        let (spilled, used) = read(&path)?;
        Ok((Self { file, path, used }, spilled))
    }

    /// What lies in the file.
    pub(super) fn look(path: &Path) -> Result<Vec<(CallId, Evidence)>> {
        Ok(read(path)?.0)
    }

    /// Writes down what came back of a call. What there is no room for is cut.
    pub(super) fn put(&mut self, call: CallId, evidence: &Evidence) -> io::Result<()> {
        // The line's checksum and numbers take some room, too, even when the body is cut to nothing.
        let headers: usize = evidence.headers.iter().map(|(name, value)| name.len() + value.len() * 6 + 8).sum();
        let room = ROOM.saturating_sub(self.used).saturating_sub(headers + 512);
        let body = evidence.body.get(..evidence.body.len().min(room)).unwrap_or_default();
        let head = Head {
            call,
            at: evidence.at,
            kind: evidence.kind,
            status: evidence.status,
            headers: evidence.headers.clone(),
            cut: evidence.cut || body.len() < evidence.body.len(),
            length: body.len(),
            body: hex(&digest(body)),
        };
        let line = serde_json::to_string(&head)?;
        let mut record = format!("{} {line}\n", hex(&digest(line.as_bytes()))).into_bytes();
        record.extend_from_slice(body);
        if record.len() > ROOM.saturating_sub(self.used) {
            return Err(io::Error::new(io::ErrorKind::StorageFull, "the spill file is full, too"));
        }
        let at = u64::try_from(self.used).unwrap_or(u64::MAX);
        self.file.seek(SeekFrom::Start(at))?;
        self.file.write_all(&record)?;
        self.file.sync_data()?;
        self.used += record.len();
        Ok(())
    }

    /// Empties the file; the room stays.
    pub(super) fn clear(&mut self) -> Result<()> {
        if self.used == 0 {
            return Ok(());
        }
        let zeros = vec![0; self.used];
        let cleared = self.file.seek(SeekFrom::Start(0)).and_then(|_| self.file.write_all(&zeros));
        cleared
            .and_then(|()| self.file.sync_data())
            .map_err(|error| Error::Unusable(format!("{} cannot be emptied: {error}", self.path.display())))?;
        self.used = 0;
        Ok(())
    }
}

/// All that lies in a spill file, and how many bytes of it that takes. What is torn was never said to be kept.
fn read(path: &Path) -> Result<(Vec<(CallId, Evidence)>, usize)> {
    let mut bytes = Vec::new();
    match File::open(path).and_then(|file| file.take(u64::try_from(ROOM).unwrap_or(u64::MAX)).read_to_end(&mut bytes)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((Vec::new(), 0)),
        Err(error) => return Err(Error::Unusable(format!("{} cannot be read: {error}", path.display()))),
        Ok(_) => {}
    }
    let (mut all, mut rest) = (Vec::new(), bytes.as_slice());
    while let Some((record, length)) = one(rest) {
        all.push(record);
        rest = rest.get(length..).unwrap_or_default();
    }
    let used = bytes.len() - rest.len();
    // Part of a record may stand behind the whole ones; it is wiped out with them.
    let torn = rest.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    if torn > 0 {
        tracing::warn!(path = %path.display(), "the spill file holds part of an answer that was not written whole");
    }
    Ok((all, used + torn))
}

fn one(bytes: &[u8]) -> Option<((CallId, Evidence), usize)> {
    let end = bytes.iter().position(|byte| *byte == b'\n' || *byte == 0)?;
    let (sum, line) = std::str::from_utf8(bytes.get(..end)?).ok()?.split_once(' ')?;
    if sum != hex(&digest(line.as_bytes())) {
        return None;
    }
    let head: Head = serde_json::from_str(line).ok()?;
    let body = bytes.get(end + 1..end + 1 + head.length)?;
    if head.body != hex(&digest(body)) {
        return None;
    }
    let Head { call, at, kind, status, headers, cut, .. } = head;
    Some(((call, Evidence { at, kind, status, headers, body: body.to_owned(), cut }), end + 1 + body.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(length: usize) -> Evidence {
        let headers = vec![("date".to_owned(), "today\n".to_owned())];
        Evidence { at: 5, kind: EvidenceKind::Answer, status: 200, headers, body: vec![0; length], cut: false }
    }

    #[test]
    fn answers_come_out_as_they_went_in_and_the_room_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("spill");
        let (mut spill, _) = Spill::open(path.clone()).unwrap();
        spill.put(7, &answer(10)).unwrap();
        spill.put(8, &answer(MOST_EVIDENCE)).unwrap();
        assert_eq!(Spill::look(&path).unwrap(), [(7, answer(10)), (8, answer(MOST_EVIDENCE))]);
        // There is less room than this takes, and more than nothing.
        spill.put(9, &answer(MOST_EVIDENCE)).unwrap();
        let (_, cut) = Spill::look(&path).unwrap().pop().unwrap();
        assert!(cut.cut && !cut.body.is_empty() && cut.body.len() < MOST_EVIDENCE);
        // At last there is no room for anything.
        assert!((0..10).any(|_| spill.put(10, &answer(1)).is_err()));
        drop(spill);
        let (mut spill, _) = Spill::open(path.clone()).unwrap();
        spill.clear().unwrap();
        assert_eq!(Spill::look(&path).unwrap(), []);
        assert_eq!(std::fs::metadata(&path).unwrap().len(), ROOM as u64);
    }

    #[test]
    fn what_is_torn_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("spill");
        let (mut spill, _) = Spill::open(path.clone()).unwrap();
        spill.put(7, &answer(10)).unwrap();
        let used = spill.used;
        spill.put(8, &answer(100)).unwrap();
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[used + 3] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        assert_eq!(Spill::look(&path).unwrap().len(), 1);
        let (mut spill, _) = Spill::open(path.clone()).unwrap();
        spill.clear().unwrap();
        assert!(std::fs::read(&path).unwrap().iter().all(|byte| *byte == 0));
    }
}
