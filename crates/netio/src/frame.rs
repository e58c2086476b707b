//! A packet as the kernel hands it over.

use crate::Vlan;

/// ARPHRD number of the loopback interface.
const LOOPBACK: u16 = 772;
/// Packet type of what this host sends.
const OUTGOING: u8 = 4;

/// One packet as it lies in the ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// When the kernel took it in, in nanoseconds since the Unix epoch.
    pub time_ns: i64,
    /// Its length in bytes, before it was cut.
    pub wire_len: u32,
    /// The bytes that were kept, from the link header on or, cooked, from the network header on.
    pub data: &'a [u8],
    /// The tag that the network card or the kernel took out of it.
    pub vlan: Option<Vlan>,
    /// Number of the interface.
    pub interface: u32,
    /// ARPHRD number of its hardware.
    pub hardware: u16,
    /// EtherType.
    pub protocol: u16,
    /// 0 to us, 1 broadcast, 2 multicast, 3 to somebody else, 4 sent by us.
    pub packet_type: u8,
    /// Sender's address and how many of its bytes count.
    pub address: ([u8; 8], u8),
}

impl Frame<'_> {
    /// Whether this host sent it over its loopback interface, where it comes a second time, as received.
    pub fn is_sent_to_self(&self) -> bool {
        self.hardware == LOOPBACK && self.packet_type == OUTGOING
    }
}
