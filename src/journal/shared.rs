//! What every journal does alike.

use std::collections::HashSet;

use super::{Move, VersionId};

/// Versions that one commit would move twice: the second move is decided on what the first one made of them.
pub(super) fn moved_twice<'m>(moves: impl Iterator<Item = &'m Move>) -> Vec<VersionId> {
    let mut seen = HashSet::new();
    moves.map(|change| change.version).filter(|version| !seen.insert(*version)).collect()
}
