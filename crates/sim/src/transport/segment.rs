//! What a sender remembers of a segment until it is acknowledged.

use crate::time::Time;

/// One segment in the window of a subflow. Segments lie in order and without gaps, so that its sequence number follows from the
/// first one's and the lengths; the low bits are kept to find a number quickly. 24 bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Segment {
    /// Data sequence number of its first byte, as offset in the stream.
    pub dsn: u64,
    /// When it was sent last.
    pub sent: Time,
    /// Low 32 bits of its sequence number.
    pub seq: u32,
    /// Sequence numbers that it takes: payload, and one for a FIN.
    pub len: u16,
    /// [`Segment::SACKED`] and the others.
    pub flags: u8,
    /// How often it was sent, up to 255.
    pub sent_times: u8,
}

impl Segment {
    /// The receiver holds it beyond a hole.
    pub const SACKED: u8 = 1;
    /// It is deemed lost.
    pub const LOST: u8 = 2;
    /// A retransmission of it is under way.
    pub const RESENT: u8 = 4;
    /// It ends with a FIN.
    pub const FIN: u8 = 8;
    /// Its data was carried by another subflow before (or by this one in another place).
    pub const REINJECTED: u8 = 16;
    /// Its data was handed to other subflows because this one failed.
    pub const HANDED_OVER: u8 = 32;

    /// Whether any of the given flags is set.
    #[inline]
    pub fn is(&self, flags: u8) -> bool {
        self.flags & flags != 0
    }

    /// Bytes of data in it.
    #[inline]
    pub fn payload(&self) -> u16 {
        self.len - u16::from(self.is(Self::FIN))
    }
}
