//! Interned paths: each a run of links in one table, named by where it begins.

use foldhash::fast::FixedState;
use hashbrown::HashTable;
use std::hash::BuildHasher;

use super::{LinkId, PathId, freight};

/// Bits of a place in the table; above them an event keeps the number of a freight.
pub(super) const PLACE_BITS: u32 = u32::BITS - freight::BITS;
/// These bits.
pub(super) const PLACE: u32 = (1 << PLACE_BITS) - 1;

/// Behind the last link of a path.
pub(super) const END: u32 = u32::MAX;

/// Longest path: a packet counts its hops in 8 bits.
pub(super) const MOST_HOPS: usize = 250;

/// All paths that were ever asked for. The index is only ever asked for equality, so its order means nothing.
#[derive(Clone, Debug)]
pub(super) struct Paths {
    hops: Vec<u32>,
    index: HashTable<u32>,
}

impl Default for Paths {
    fn default() -> Self {
        // Numbers 0 and 1 are the paths without links.
        Self { hops: vec![END, END], index: HashTable::new() }
    }
}

fn hash(links: &[u32]) -> u64 {
    FixedState::with_seed(0).hash_one(links)
}

fn at(hops: &[u32], path: u32) -> &[u32] {
    let rest = hops.get(path as usize..).unwrap_or_default();
    let len = rest.iter().position(|&hop| hop == END).unwrap_or(rest.len());
    &rest[..len]
}

impl Paths {
    /// The link at a place of the table, [`END`] behind the last of a path. What is above the bits of a place counts for nothing.
    #[inline]
    pub(super) fn link(&self, place: u32) -> u32 {
        self.hops[(place & PLACE) as usize]
    }

    /// The link before a place of the table; none at the beginning of a path.
    #[inline]
    pub(super) fn link_before(&self, place: u32) -> Option<u32> {
        let before = (place & PLACE).checked_sub(1)?;
        Some(self.link(before)).filter(|&link| link != END)
    }

    /// The links of a path.
    pub(super) fn links(&self, path: PathId) -> impl Iterator<Item = LinkId> {
        at(&self.hops, path.0).iter().map(|&link| LinkId(link))
    }

    /// The number of a path; none for one that is too long.
    pub(super) fn intern(&mut self, links: &[u32]) -> Option<PathId> {
        if links.is_empty() {
            return Some(PathId::NOWHERE);
        }
        if links.len() > MOST_HOPS || self.hops.len() + links.len() >= PLACE as usize {
            return None;
        }
        let hashed = hash(links);
        if let Some(&path) = self.index.find(hashed, |&path| at(&self.hops, path) == links) {
            return Some(PathId(path));
        }
        let path = self.hops.len() as u32;
        self.hops.extend_from_slice(links);
        self.hops.push(END);
        let hops = &self.hops;
        self.index.insert_unique(hashed, path, |&other| hash(at(hops, other)));
        Some(PathId(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_paths_have_one_number() {
        let mut paths = Paths::default();
        let a = paths.intern(&[1, 2, 3]).expect("short");
        let b = paths.intern(&[1, 2]).expect("short");
        assert_eq!(paths.intern(&[1, 2, 3]), Some(a));
        assert_ne!(a, b);
        assert_eq!(paths.links(a).collect::<Vec<_>>(), [LinkId(1), LinkId(2), LinkId(3)]);
        assert_eq!((paths.link(b.0 + 1), paths.link(b.0 + 2)), (2, END));
        assert_eq!((paths.link_before(b.0 + 2), paths.link_before(b.0)), (Some(2), None));
        assert_eq!(paths.intern(&[]), Some(PathId::NOWHERE));
        assert_eq!(paths.link(PathId::NOWHERE.0), END);
        assert_eq!(paths.intern(&[7; 251]), None);
    }
}
