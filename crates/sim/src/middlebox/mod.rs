//! Boxes on a path that are no endpoints: they strip options, drop SYNs, mirror, proxy, translate addresses, change payload, rewrite
//! sequence numbers.
//!
//! A box stands where packets enter a link, and sees both directions. It acts on header records alone: what it makes of a segment is
//! what travels on, and what the other end reads.

mod change;
mod drop;
mod mirror;
mod nat;
mod proxy;
mod rewrite;
mod strip;

pub use change::Change;
pub use drop::DropSyn;
pub use mirror::Mirror;
pub use nat::Nat;
pub use proxy::Proxy;
pub use rewrite::Rewrite;
pub use strip::{Segments, Strip};

use std::net::SocketAddr;

use crate::header::Header;
use crate::net::LinkId;

/// What a box remembers. The hash is always the same, so that a run is.
type Table<K, V> = hashbrown::HashMap<K, V, foldhash::fast::FixedState>;

/// Which way a segment passes a box.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Way {
    /// From the inner side, where the clients are.
    Out,
    /// From the outer side.
    In,
}

impl Way {
    /// The other way.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Out => Self::In,
            Self::In => Self::Out,
        }
    }

    const fn index(self) -> usize {
        self as usize
    }
}

/// What becomes of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It goes on, perhaps changed.
    Forward,
    /// It is lost.
    Drop,
    /// The box has taken it: no loss, but it does not go on.
    Consume,
}

/// Segments that a box sends itself: which way each travels.
pub type Sent = Vec<(Way, Header)>;

/// Any box.
#[derive(Clone, Debug)]
pub enum Middlebox {
    /// Removes options.
    Strip(Strip),
    /// Drops SYNs with the option.
    DropSyn(DropSyn),
    /// Returns the client's own option.
    Mirror(Mirror),
    /// Terminates TCP.
    Proxy(Proxy),
    /// Translates addresses and ports.
    Nat(Nat),
    /// Changes payload.
    Change(Change),
    /// Shifts sequence numbers.
    Rewrite(Rewrite),
}

impl Middlebox {
    /// Passes a segment through the box. What the box itself sends is added to `sent`.
    pub fn pass(&mut self, way: Way, header: &mut Header, sent: &mut Sent) -> Action {
        match self {
            Self::Strip(it) => it.pass(way, header),
            Self::DropSyn(it) => return it.pass(way, header),
            Self::Mirror(it) => it.pass(way, header),
            Self::Proxy(it) => return it.pass(way, header, sent),
            Self::Nat(it) => return it.pass(way, header),
            Self::Change(it) => it.pass(way, header),
            Self::Rewrite(it) => it.pass(way, header),
        }
        Action::Forward
    }
}

/// The boxes of a network, by the links at whose entrance they stand. Several may stand on one link: outward packets pass them in
/// the order in which they were added, inward packets in the opposite one.
#[derive(Clone, Debug, Default)]
pub struct Middleboxes {
    boxes: Vec<Middlebox>,
    links: Table<LinkId, (Way, Vec<usize>)>,
}

impl Middleboxes {
    /// No boxes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a box where packets enter `outward` (towards the servers) and `inward` (back).
    pub fn add(&mut self, middlebox: Middlebox, outward: LinkId, inward: LinkId) {
        let index = self.boxes.len();
        self.boxes.push(middlebox);
        self.links.entry(outward).or_insert_with(|| (Way::Out, Vec::new())).1.push(index);
        self.links.entry(inward).or_insert_with(|| (Way::In, Vec::new())).1.insert(0, index);
    }

    /// The links at whose entrance there is a box.
    pub fn links(&self) -> Vec<LinkId> {
        let mut links: Vec<_> = self.links.keys().copied().collect();
        links.sort();
        links
    }

    /// Whether there is a box at the entrance of a link.
    pub fn stand_on(&self, link: LinkId) -> bool {
        self.links.contains_key(&link)
    }

    /// Passes a segment that is about to enter a link through the boxes there. In `sent`, true stands for the way of this segment.
    pub fn pass(&mut self, link: LinkId, header: &mut Header, sent: &mut Vec<(bool, Header)>) -> Action {
        let Some((way, boxes)) = self.links.get(&link) else { return Action::Forward };
        let mut own = Sent::new();
        for &index in boxes {
            let Some(middlebox) = self.boxes.get_mut(index) else { continue };
            let action = middlebox.pass(*way, header, &mut own);
            sent.extend(own.drain(..).map(|(to, header)| (to == *way, header)));
            if action != Action::Forward {
                return action;
            }
        }
        Action::Forward
    }
}

/// A flow as a box sees it: the end on the inner side, and the other one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Flow {
    inner: SocketAddr,
    outer: SocketAddr,
}

impl Flow {
    fn of(way: Way, header: &Header) -> Self {
        let src = SocketAddr::new(header.src, header.src_port);
        let dst = SocketAddr::new(header.dst, header.dst_port);
        match way {
            Way::Out => Self { inner: src, outer: dst },
            Way::In => Self { inner: dst, outer: src },
        }
    }
}

#[cfg(test)]
mod tests;
