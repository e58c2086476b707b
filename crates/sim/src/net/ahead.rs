//! Packets of which the memory has been asked for.

use super::PacketId;

/// Packets that a list has room for; of more, the first would be forgotten by the cache again.
const ROOM: usize = 64;

/// A short list that takes an item, or does not, without a branch.
#[derive(Clone, Debug)]
pub(super) struct List {
    ids: [PacketId; ROOM],
    len: usize,
}

impl Default for List {
    fn default() -> Self {
        Self { ids: [PacketId(0); ROOM], len: 0 }
    }
}

impl List {
    #[inline]
    pub(super) fn clear(&mut self) {
        self.len = 0;
    }

    /// Adds a packet if it is wanted; in a full list it takes the place of the last one.
    #[inline]
    pub(super) fn push_if(&mut self, wanted: bool, id: PacketId) {
        self.ids[self.len % ROOM] = id;
        self.len = (self.len + usize::from(wanted)).min(ROOM - 1);
    }

    #[inline]
    pub(super) fn ids(&self) -> &[PacketId] {
        self.ids.get(..self.len).unwrap_or_default()
    }
}
