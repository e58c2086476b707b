//! Flows: 4-tuples without a direction, and the table that finds them.

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use std::{
    hash::BuildHasher,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

/// An address and a port.
pub(crate) type End = (IpAddr, u16);

/// The two ends of a flow, lower one first, so that both directions give the same key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct FlowKey {
    low: u128,
    high: u128,
    ports: u32,
    v6: bool,
}

impl FlowKey {
    /// The key of a packet, and which side sent it: 0 the lower end, 1 the higher.
    pub(crate) fn of(src: IpAddr, src_port: u16, dst: IpAddr, dst_port: u16) -> (Self, usize) {
        let (from, to) = (bits(src), bits(dst));
        let v6 = src.is_ipv6();
        if (from, src_port) <= (to, dst_port) {
            (Self { low: from, high: to, ports: u32::from(src_port) << 16 | u32::from(dst_port), v6 }, 0)
        } else {
            (Self { low: to, high: from, ports: u32::from(dst_port) << 16 | u32::from(src_port), v6 }, 1)
        }
    }

    /// Address and port of side 0 or 1.
    pub(crate) fn end(&self, side: usize) -> End {
        let (bits, port) =
            if side == 0 { (self.low, (self.ports >> 16) as u16) } else { (self.high, self.ports as u16) };
        let addr = if self.v6 {
            IpAddr::V6(Ipv6Addr::from_bits(bits))
        } else {
            IpAddr::V4(Ipv4Addr::from_bits(bits as u32))
        };
        (addr, port)
    }

    /// Whether the flow runs over IPv6.
    pub(crate) const fn is_v6(&self) -> bool {
        self.v6
    }
}

fn bits(addr: IpAddr) -> u128 {
    match addr {
        IpAddr::V4(addr) => u128::from(addr.to_bits()),
        IpAddr::V6(addr) => addr.to_bits(),
    }
}

/// From keys to numbers of flows. The hash is seeded per run: nobody can craft collisions.
#[derive(Debug, Default)]
pub(crate) struct FlowIndex {
    table: HashTable<(FlowKey, u32)>,
    hasher: RandomState,
    last: Option<(FlowKey, u32)>,
}

impl FlowIndex {
    /// The flow with this key. Packets come in trains, so the last answer is tried first.
    pub(crate) fn get(&mut self, key: &FlowKey) -> Option<u32> {
        if let Some((last, flow)) = self.last
            && last == *key
        {
            return Some(flow);
        }
        let found = *self.table.find(self.hasher.hash_one(key), |entry| entry.0 == *key)?;
        self.last = Some(found);
        Some(found.1)
    }

    /// Lets the key stand for this flow from now on.
    pub(crate) fn set(&mut self, key: FlowKey, flow: u32) {
        let hash = self.hasher.hash_one(key);
        if let Some(entry) = self.table.find_mut(hash, |entry| entry.0 == key) {
            entry.1 = flow;
        } else {
            let hasher = &self.hasher;
            self.table.insert_unique(hash, (key, flow), |entry| hasher.hash_one(entry.0));
        }
        self.last = Some((key, flow));
    }

    /// Forgets the key, if it still stands for this flow.
    pub(crate) fn remove(&mut self, key: &FlowKey, flow: u32) {
        let hash = self.hasher.hash_one(key);
        if let Ok(entry) = self.table.find_entry(hash, |entry| entry.0 == *key && entry.1 == flow) {
            entry.remove();
        }
        self.last = None;
    }
}

/// Things that keep their number while they live; numbers are used again.
#[derive(Debug)]
pub(crate) struct Slab<T> {
    items: Vec<Option<T>>,
    free: Vec<u32>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { items: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slab<T> {
    /// Takes a thing and says its number.
    pub(crate) fn insert(&mut self, item: T) -> u32 {
        if let Some(number) = self.free.pop() {
            self.items[number as usize] = Some(item);
            return number;
        }
        self.items.push(Some(item));
        u32::try_from(self.items.len() - 1).expect("fewer than 2^32 flows are open at once")
    }

    /// The thing with this number.
    pub(crate) fn get(&self, number: u32) -> Option<&T> {
        self.items.get(number as usize).and_then(Option::as_ref)
    }

    /// The thing with this number.
    pub(crate) fn get_mut(&mut self, number: u32) -> Option<&mut T> {
        self.items.get_mut(number as usize).and_then(Option::as_mut)
    }

    /// Takes the thing with this number out.
    pub(crate) fn remove(&mut self, number: u32) -> Option<T> {
        let item = self.items.get_mut(number as usize)?.take()?;
        self.free.push(number);
        Some(item)
    }

    /// How many live.
    pub(crate) fn len(&self) -> usize {
        self.items.len() - self.free.len()
    }

    /// Every number in use or used before.
    pub(crate) fn numbers(&self) -> std::ops::Range<u32> {
        0..self.items.len() as u32
    }
}

#[cfg(test)]
mod tests {
    use super::{FlowIndex, FlowKey, Slab};

    #[test]
    fn both_directions_share_a_key() {
        let (a, b) = ("10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap());
        let (there, from) = FlowKey::of(a, 4000, b, 80);
        let (back, to) = FlowKey::of(b, 80, a, 4000);
        assert_eq!(there, back);
        assert_eq!((from, to), (0, 1));
        assert_eq!(there.end(0), (a, 4000));
        assert_eq!(there.end(1), (b, 80));
        let same = FlowKey::of(a, 80, a, 70);
        assert_eq!((same.1, same.0.end(1)), (1, (a, 80)), "same address: ports decide");
    }

    #[test]
    fn index_and_slab_forget_what_is_removed() {
        let (key, _) = FlowKey::of("::1".parse().unwrap(), 1, "::2".parse().unwrap(), 2);
        let mut index = FlowIndex::default();
        assert_eq!(index.get(&key), None);
        index.set(key, 7);
        index.set(key, 8);
        index.remove(&key, 7);
        assert_eq!(index.get(&key), Some(8));
        index.remove(&key, 8);
        assert_eq!(index.get(&key), None);

        let mut slab = Slab::default();
        let (a, b) = (slab.insert('a'), slab.insert('b'));
        assert_eq!(slab.remove(a), Some('a'));
        assert_eq!((slab.get(a), slab.get(b), slab.len()), (None, Some(&'b'), 1));
        assert_eq!(slab.insert('c'), a);
    }
}
