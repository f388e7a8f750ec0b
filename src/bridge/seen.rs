//! Which numbers a run has met: the second document with a number is a repetition or a contradiction.
//!
//! It keeps twelve bytes a document, not the number: a 64-bit hash of the number and 32 bits of the content's digest.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

use crate::model::Kind;

/// What a document is to those that came before it in the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sighting {
    /// The first with its number.
    First,
    /// The number came before, with the same content.
    Same,
    /// The number came before, with other content.
    Different,
}

/// The identity of a document within a run: a hash of its kind, owner and number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Key(u64);

impl Key {
    /// The key of a kind, whose number it is where that has to be said, and a number.
    pub fn new(kind: Kind, owner: &str, number: &str) -> Self {
        use xxhash_rust::xxh3::xxh3_64_with_seed as hash;
        let kind = kind as u64;
        Self(hash(number.as_bytes(), if owner.is_empty() { kind } else { hash(owner.as_bytes(), kind) }))
    }
}

/// Small tables instead of a large one: a table that grows is there twice for a moment, and only one of these is.
const SHARDS: usize = 256;

type Shard = HashMap<[u32; 2], u32, BuildHasherDefault<AsIs>>;

/// The numbers of a run.
pub struct Seen {
    shards: Vec<Shard>,
    different: HashSet<Key>,
}

impl Default for Seen {
    fn default() -> Self {
        Self { shards: (0..SHARDS).map(|_| Shard::default()).collect(), different: HashSet::new() }
    }
}

impl Seen {
    /// Notes a document by its key and the digest of its content.
    #[expect(clippy::cast_possible_truncation, reason = "halves of the hash are what is kept")]
    pub fn note(&mut self, key: Key, digest: u64) -> Sighting {
        let halves = [key.0 as u32, (key.0 >> 32) as u32];
        let Some(shard) = self.shards.get_mut(key.0 as usize % SHARDS) else { return Sighting::First };
        match shard.get(&halves) {
            None => {
                shard.insert(halves, digest as u32);
                Sighting::First
            }
            Some(&earlier) if earlier == digest as u32 => Sighting::Same,
            Some(_) => {
                self.different.insert(key);
                Sighting::Different
            }
        }
    }

    /// Whether documents of this key contradict each other.
    pub fn is_contradictory(&self, key: Key) -> bool {
        self.different.contains(&key)
    }
}

/// The keys are hashes already.
#[derive(Default)]
struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }
    fn write_u32(&mut self, half: u32) {
        // The shard took the low bits of the first half, and the table looks at the low and the top ones.
        self.0 = self.0.rotate_left(32) ^ u64::from(half).rotate_left(24);
    }
    fn write_usize(&mut self, _length: usize) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repetitions_and_contradictions_are_told_apart() {
        let mut seen = Seen::default();
        let key = Key::new(Kind::PurchaseOrder, "", "PO-1");
        assert_eq!(seen.note(key, 7), Sighting::First);
        assert_eq!(seen.note(key, 7), Sighting::Same);
        assert!(!seen.is_contradictory(key));
        assert_eq!(seen.note(key, 8), Sighting::Different);
        assert!(seen.is_contradictory(key));
        assert_eq!(seen.note(Key::new(Kind::Invoice, "", "PO-1"), 8), Sighting::First);
        assert_eq!(seen.note(Key::new(Kind::Invoice, "V1", "PO-1"), 9), Sighting::First);
        assert_eq!(seen.note(Key::new(Kind::Invoice, "V2", "PO-1"), 8), Sighting::First);
    }

    #[test]
    fn many_numbers_do_not_collide() {
        let mut seen = Seen::default();
        for number in 0..200_000 {
            assert_eq!(seen.note(Key::new(Kind::PurchaseOrder, "", &format!("PO-{number}")), number), Sighting::First);
        }
        let largest = seen.shards.iter().map(HashMap::len).max().unwrap();
        assert!(largest < 2 * 200_000 / SHARDS, "{largest}");
    }
}
