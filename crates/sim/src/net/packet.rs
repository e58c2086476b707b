//! What the network moves: 32-byte packets in an arena, named by index.

use crate::prefetch::prefetch_index;

/// No header record.
pub const NONE: u32 = u32::MAX;

/// Flags of a packet.
pub mod flags {
    /// A pure ACK: `seq` and `dsn` are the cumulative ACK and the DATA_ACK, `len` is the window.
    pub const ACK: u8 = 0x01;
    /// ECN-capable: marked instead of nothing; packets without it are only ever dropped.
    pub const ECT: u8 = 0x02;
    /// Congestion experienced: a queue was over its threshold.
    pub const CE: u8 = 0x04;
    /// Echo of a mark, on ACKs.
    pub const ECE: u8 = 0x08;
    /// Opens a subflow. Has a header record.
    pub const SYN: u8 = 0x10;
    /// Closes one. Has a header record.
    pub const FIN: u8 = 0x20;
    /// Sent before.
    pub const RTX: u8 = 0x40;
    /// Carries a DSS option, which makes it longer.
    pub const MPTCP: u8 = 0x80;
}

/// The index of a packet in the arena.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PacketId(pub u32);

/// An interned path: the index of its first link in the table of hops.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PathId(pub u32);

impl PathId {
    /// The path without links: for packets that are not under way.
    pub const NOWHERE: Self = Self(0);
    /// Where events say that packets are that were on a link when it failed.
    pub(super) const LOST: Self = Self(1);
}

/// A packet: what every one of them needs, half a cache line. Everything else is in the state of the endpoints, or in a cold header record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(align(32))]
pub struct Packet {
    /// Whose it is; means nothing to the network.
    pub subflow: u32,
    /// The way it takes.
    pub path: PathId,
    /// First byte at subflow level, or the cumulative ACK.
    pub seq: u64,
    /// First byte at data level, or the DATA_ACK.
    pub dsn: u64,
    /// Payload in bytes; on pure ACKs the window, scaled.
    pub len: u16,
    /// The next link of the path: 0 at the sender. While it is under way its event knows; written when an endpoint gets to see the packet.
    pub hop: u8,
    /// See [`flags`].
    pub flags: u8,
    /// Index of the cold header record, or [`NONE`].
    pub header: u32,
}

const _: () = assert!(size_of::<Packet>() == 32);

impl Packet {
    /// Whether all of these flags are set.
    pub const fn has(&self, flags: u8) -> bool {
        self.flags & flags == flags
    }
}

impl Default for Packet {
    fn default() -> Self {
        Self { subflow: 0, path: PathId::NOWHERE, seq: 0, dsn: 0, len: 0, hop: 0, flags: 0, header: NONE }
    }
}

/// Packets, each at a place that stays its own until it is freed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Arena {
    slots: Vec<Packet>,
    free: Vec<u32>,
}

impl Arena {
    /// A place for a packet: the one freed last, which is still in the cache.
    #[inline]
    pub(crate) fn alloc(&mut self, packet: Packet) -> PacketId {
        if let Some(id) = self.free.pop() {
            self.slots[id as usize] = packet;
            return PacketId(id);
        }
        self.slots.push(packet);
        PacketId(self.slots.len() as u32 - 1)
    }

    #[inline]
    pub(crate) fn free(&mut self, id: PacketId) {
        self.free.push(id.0);
    }

    #[inline]
    pub(crate) fn get(&self, id: PacketId) -> &Packet {
        &self.slots[id.0 as usize]
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, id: PacketId) -> &mut Packet {
        &mut self.slots[id.0 as usize]
    }

    /// Asks for the memory of a packet.
    #[inline]
    pub(crate) fn prefetch(&self, id: PacketId) {
        prefetch_index(&self.slots, id.0 as usize);
    }

    /// Packets that exist now.
    pub(crate) const fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }
}
