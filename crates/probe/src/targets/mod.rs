//! What to probe, in which order: sets of addresses and ports, a keyed random order over them, shards that partition it.
//!
//! [`Plan`] is made once from [`Wanted`] and then only read: positions lead to targets, and the source of an answer leads
//! back to its position. Memory follows the number of ranges, not of addresses.

mod list;
mod permutation;
mod places;
mod ports;
mod ranges;
pub mod special;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use sha2::{Digest, Sha256};

pub(crate) use list::hex;
pub use list::{BadLine, List};
pub use permutation::Permutation;
pub(crate) use permutation::mix;
pub use places::Places;
pub use ports::Ports;
pub use ranges::{Bits, Range, Ranges};

use crate::Error;

/// An address and a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Target {
    /// The address.
    pub addr: IpAddr,
    /// The TCP port.
    pub port: u16,
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::net::SocketAddr::new(self.addr, self.port).fmt(f)
    }
}

/// What was asked for.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Addresses, prefixes and ranges to probe. There is no default.
    pub targets: List,
    /// Prefixes that may be probed; empty for all. Against [`block`](Self::block) the longest match decides.
    pub allow: List,
    /// Prefixes that must not be probed.
    pub block: List,
    /// Prefixes whose owners do not want to be probed, and IPv6 prefixes in which every address answers: never probed,
    /// whatever else is allowed.
    pub never: List,
    /// Whether addresses of the special-purpose registries and multicast may be probed, for laboratories.
    pub special: bool,
    /// The ports, at least one.
    pub ports: Ports,
    /// Seed of the order.
    pub seed: u64,
    /// How many targets at most, over all shards; they are the first of the order.
    pub max_targets: Option<u64>,
    /// Number of this shard, below [`shards`](Self::shards).
    pub shard: u64,
    /// In how many shards the targets are split; at least 1.
    pub shards: u64,
}

/// The targets of one shard in their order.
#[derive(Clone, Debug)]
pub struct Plan {
    v4: Places<u32>,
    v6: Places<u128>,
    ports: Ports,
    order: Permutation,
    /// Targets of all shards.
    total: u64,
    shard: u64,
    shards: u64,
    seed: u64,
    special: bool,
    public: bool,
    asked: u128,
    reading: List,
}

/// Targets that are looked up together.
const STRIDE: usize = 64;

/// Blocked addresses among those asked for saturate here; only all of IPv6 is more.
const EVERYTHING: u128 = u128::MAX;

impl Plan {
    /// Settles what is to be probed.
    pub fn new(mut wanted: Wanted) -> Result<Self, Error> {
        if wanted.targets.is_empty() {
            return Err(Error::NoTargets);
        }
        if wanted.shards == 0 || wanted.shard >= wanted.shards {
            return Err(Error::NoSuchShard { shard: wanted.shard, shards: wanted.shards });
        }
        if wanted.ports.is_empty() {
            return Err(Error::NoPorts);
        }
        let mut reading = List::default();
        for list in [&mut wanted.targets, &mut wanted.allow, &mut wanted.block, &mut wanted.never] {
            list.report(&mut reading);
        }
        // An allow list of one family leaves nothing of the other.
        let some = !wanted.allow.is_empty();
        let (asked4, v4, public4) = settle(
            std::mem::take(&mut wanted.targets.v4),
            (some, &wanted.allow.v4),
            &wanted.block.v4,
            std::mem::take(&mut wanted.never.v4),
            (wanted.special, &special::v4()),
        );
        let (asked6, v6, public6) = settle(
            std::mem::take(&mut wanted.targets.v6),
            (some, &wanted.allow.v6),
            &wanted.block.v6,
            std::mem::take(&mut wanted.never.v6),
            (wanted.special, &special::v6()),
        );
        let ports = wanted.ports.len() as u64;
        let size = |places: &Option<_>| places.as_ref().map(Places::<u32>::len);
        let v4 = Some(Places::new(&v4)).flatten();
        let addresses = size(&v4);
        let v6 = Places::new(&v6);
        let all = addresses
            .zip(v6.as_ref().map(Places::len))
            .and_then(|(v4, v6)| v4.checked_add(v6)?.checked_mul(ports))
            .filter(|&all| all <= Permutation::MAX_LEN);
        let (Some(v4), Some(v6), Some(all)) = (v4, v6, all) else { return Err(Error::TooManyTargets) };
        if all == 0 {
            return Err(Error::AllBlocked);
        }
        Ok(Self {
            v4,
            v6,
            ports: wanted.ports,
            order: Permutation::new(all, wanted.seed),
            total: wanted.max_targets.map_or(all, |most| most.min(all)),
            shard: wanted.shard,
            shards: wanted.shards,
            seed: wanted.seed,
            special: wanted.special,
            public: public4 || public6,
            asked: asked4.checked_add(asked6).unwrap_or(EVERYTHING),
            reading,
        })
    }

    /// The same with this many targets at most, over all shards: the first of the order.
    #[must_use]
    pub fn limited(self, most: u64) -> Self {
        Self { total: self.total.min(most), ..self }
    }

    /// Targets of this shard.
    pub fn len(&self) -> u64 {
        (self.total + self.shards - 1 - self.shard) / self.shards
    }

    /// Whether this shard has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The target at a position below [`len`](Self::len).
    #[inline]
    pub fn target(&self, position: u64) -> Option<Target> {
        let (number, port) = self.number(position)?;
        let hint = match number.checked_sub(self.v4.len()) {
            None => self.v4.hint(number),
            Some(number) => self.v6.hint(number),
        };
        self.found(number, port, hint?)
    }

    /// The targets at some positions, `None` for those there are not. Each step is made for all of them, so that misses in the cache
    /// do not wait for one another: with a list of a million addresses twice as fast as one by one.
    pub fn targets(&self, positions: impl IntoIterator<Item = u64>, out: &mut [Option<Target>]) {
        let mut positions = positions.into_iter();
        for places in out.chunks_mut(STRIDE) {
            let mut numbers = [(u64::MAX, 0); STRIDE];
            let mut hints = [None; STRIDE];
            for (number, position) in numbers.iter_mut().zip(positions.by_ref().take(places.len())) {
                if let Some(found) = self.number(position) {
                    *number = found;
                }
            }
            for (hint, &(number, _)) in hints.iter_mut().zip(&numbers) {
                *hint = match number.checked_sub(self.v4.len()) {
                    None => self.v4.hint(number),
                    Some(number) => self.v6.hint(number),
                };
            }
            for (place, (&(number, port), hint)) in places.iter_mut().zip(numbers.iter().zip(hints)) {
                *place = hint.and_then(|hint| self.found(number, port, hint));
            }
        }
    }

    /// The number of the address and of the port at a position.
    #[inline]
    fn number(&self, position: u64) -> Option<(u64, usize)> {
        let place = position.checked_mul(self.shards)?.checked_add(self.shard)?;
        if place >= self.total {
            return None;
        }
        let number = self.order.at(place);
        let ports = self.ports.len() as u64;
        Some(if ports == 1 { (number, 0) } else { (number / ports, (number % ports) as usize) })
    }

    #[inline]
    fn found(&self, number: u64, port: usize, hint: u32) -> Option<Target> {
        let addr = match number.checked_sub(self.v4.len()) {
            None => IpAddr::V4(Ipv4Addr::from(self.v4.at_from(hint, number)?)),
            Some(number) => IpAddr::V6(Ipv6Addr::from(self.v6.at_from(hint, number)?)),
        };
        Some(Target { addr, port: self.ports.at(port)? })
    }

    /// The position of a target; `None` when this shard does not have it.
    #[inline]
    pub fn position_of(&self, target: &Target) -> Option<u64> {
        let number = match target.addr {
            IpAddr::V4(addr) => self.v4.number_of(addr.into())?,
            IpAddr::V6(addr) => self.v4.len() + self.v6.number_of(addr.into())?,
        };
        let port = self.ports.number_of(target.port)?;
        let place = self.order.position_of(number * self.ports.len() as u64 + port as u64);
        (place < self.total && place % self.shards == self.shard).then_some(place / self.shards)
    }

    /// Targets of all shards together, after [`Wanted::max_targets`].
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Addresses of IPv4 and of IPv6 that may be probed.
    pub fn addresses(&self) -> (u64, u64) {
        (self.v4.len(), self.v6.len())
    }

    /// Addresses that were asked for and are blocked.
    pub fn blocked(&self) -> u128 {
        self.asked.saturating_sub(u128::from(self.v4.len()) + u128::from(self.v6.len()))
    }

    /// How many ports.
    pub fn ports(&self) -> u64 {
        self.ports.len() as u64
    }

    /// The first address of a family that may be probed.
    pub fn first(&self, v6: bool) -> Option<IpAddr> {
        if v6 {
            self.v6.at(0).map(|addr| Ipv6Addr::from(addr).into())
        } else {
            self.v4.at(0).map(|addr| Ipv4Addr::from(addr).into())
        }
    }

    /// The seed of order and probes.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Number of this shard and how many there are.
    pub fn shard(&self) -> (u64, u64) {
        (self.shard, self.shards)
    }

    /// The ports as text.
    pub fn ports_text(&self) -> String {
        self.ports.to_string()
    }

    /// Whether special-purpose addresses may be among the targets.
    pub fn special(&self) -> bool {
        self.special
    }

    /// SHA-256 over everything that decides which target stands at which position, in hexadecimal. Two plans with the same are the
    /// same.
    pub fn digest(&self) -> String {
        let mut digest = Sha256::new();
        let numbers = [self.total, self.shard, self.shards, self.seed, self.order.len()];
        for number in numbers {
            digest.update(number.to_be_bytes());
        }
        digest.update(self.ports.to_string());
        self.v4.each_range(|first, size| {
            digest.update(first.to_be_bytes());
            digest.update(size.to_be_bytes());
        });
        self.v6.each_range(|first, size| {
            digest.update(first.to_be_bytes());
            digest.update(size.to_be_bytes());
        });
        hex(&digest.finalize())
    }

    /// Whether addresses of others are among the targets: any that is not in a special-purpose registry.
    pub fn is_public(&self) -> bool {
        self.public
    }

    /// Targets in the densest /24 of IPv4 and the densest /48 of IPv6, for limits per network.
    pub fn densest(&self) -> u64 {
        let ports = self.ports.len() as u64;
        self.v4.densest(24).max(self.v6.densest(48)).saturating_mul(ports)
    }

    /// What could not be read in the lists, and their digests. It names no ranges.
    pub fn reading(&self) -> &List {
        &self.reading
    }
}

/// How many addresses were asked for, which of them may be probed, and whether there are public ones among those.
fn settle<B: Bits>(
    targets: Vec<Range<B>>,
    (allow_some, allow): (bool, &[Range<B>]),
    block: &[Range<B>],
    never: Vec<Range<B>>,
    (special, registry): (bool, &Ranges<B>),
) -> (u128, Ranges<B>, bool) {
    let targets = Ranges::union(targets);
    let asked = targets.size().unwrap_or(EVERYTHING);
    let mut left = targets;
    if allow_some && allow.is_empty() {
        left = Ranges::default();
    } else if !(allow.is_empty() && block.is_empty()) {
        left = left.intersection(&Ranges::decide(allow, block));
    }
    if !never.is_empty() {
        left = left.difference(&Ranges::union(never));
    }
    let ordinary = left.difference(registry);
    let public = ordinary.size() != Some(0);
    (asked, if special { left } else { ordinary }, public)
}

#[cfg(test)]
mod tests;
