//! TCP options (RFC 9293, section 3.2): a walk that survives anything, and each option's way back.

use crate::Full;
use crate::bytes::{Writer, be16, be32, room, u8_at};
use crate::mptcp::{self, Mptcp};

/// Option kind numbers.
pub mod kind {
    /// End of the options.
    pub const END: u8 = 0;
    /// Padding.
    pub const NOP: u8 = 1;
    /// Maximum segment size (RFC 9293).
    pub const MAX_SEGMENT_SIZE: u8 = 2;
    /// Window scale (RFC 7323).
    pub const WINDOW_SCALE: u8 = 3;
    /// SACK permitted (RFC 2018).
    pub const SACK_PERMITTED: u8 = 4;
    /// SACK blocks (RFC 2018).
    pub const SACK: u8 = 5;
    /// Timestamps (RFC 7323).
    pub const TIMESTAMPS: u8 = 8;
    /// Multipath TCP.
    pub const MPTCP: u8 = crate::mptcp::KIND;
    /// TCP Fast Open cookie (RFC 7413).
    pub const FAST_OPEN: u8 = 34;
    /// Experiments (RFC 6994); Fast Open before it had its own kind.
    pub const EXPERIMENT: u8 = 254;
}

/// Marks a kind 254 option as TCP Fast Open.
pub const FASTOPEN_MAGIC: u16 = 0xf989;

/// One TCP option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TcpOption<'a> {
    /// End of the options; what follows is padding.
    End,
    /// One byte of padding.
    Nop,
    /// Largest segment the sender takes, in bytes.
    MaxSegmentSize(u16),
    /// Binary logarithm of the window's unit.
    WindowScale(u8),
    /// The sender understands SACK.
    SackPermitted,
    /// Ranges of sequence numbers that arrived out of order.
    Sack(SackBlocks<'a>),
    /// The sender's clock and the last one it saw.
    Timestamps {
        /// The sender's clock.
        value: u32,
        /// The other side's clock, returned.
        echo: u32,
    },
    /// Fast Open cookie of kind 34; empty when one is asked for.
    FastOpen(&'a [u8]),
    /// Fast Open cookie in the experimental kind 254.
    FastOpenExperimental(&'a [u8]),
    /// Multipath TCP.
    Mptcp(Mptcp<'a>),
    /// Any other kind.
    Unknown {
        /// Kind number.
        kind: u8,
        /// What follows the length byte.
        data: &'a [u8],
    },
    /// An option that cannot be read. When it is the last one, its length made it impossible to go on.
    Malformed {
        /// Kind number.
        kind: u8,
        /// The whole option, or all bytes that are left.
        bytes: &'a [u8],
        /// What is wrong.
        reason: &'static str,
    },
}

/// The blocks of a SACK option: (left edge, right edge), the right one excluded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SackBlocks<'a> {
    bytes: &'a [u8],
}

impl<'a> SackBlocks<'a> {
    /// Blocks from the bytes after kind and length, 8 a block; `None` for another length.
    pub fn new(bytes: &'a [u8]) -> Option<Self> {
        bytes.len().is_multiple_of(8).then_some(Self { bytes })
    }
}

impl Iterator for SackBlocks<'_> {
    type Item = (u32, u32);

    #[inline]
    fn next(&mut self) -> Option<(u32, u32)> {
        let block = (be32(self.bytes, 0)?, be32(self.bytes, 4)?);
        self.bytes = self.bytes.get(8..)?;
        Some(block)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.bytes.len() / 8, Some(self.bytes.len() / 8))
    }
}

impl ExactSizeIterator for SackBlocks<'_> {}

/// Walks options in the order in which they stand.
///
/// A length of 0 or 1, or beyond the bytes, yields one [`TcpOption::Malformed`] and ends the walk. A kind
/// that is known with a length that is wrong yields one, too, and the walk goes on.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    rest: &'a [u8],
}

impl<'a> Options<'a> {
    /// Walks the option bytes of a header.
    #[inline]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The first Multipath TCP option, if any, without decoding the others.
    #[inline]
    pub fn first_mptcp(self) -> Option<Mptcp<'a>> {
        self.mptcp().next()
    }

    /// The Multipath TCP options alone, without decoding the others.
    #[inline]
    pub fn mptcp(self) -> impl Iterator<Item = Mptcp<'a>> {
        let mut rest = self.rest;
        core::iter::from_fn(move || {
            loop {
                let (&first, after) = rest.split_first()?;
                match first {
                    kind::END => return None,
                    kind::NOP => rest = after,
                    _ => {
                        let len = usize::from(*after.first()?);
                        if len < 2 {
                            return None;
                        }
                        let (option, next) = rest.split_at_checked(len)?;
                        rest = next;
                        if first == kind::MPTCP {
                            return Some(Mptcp::parse(option));
                        }
                    }
                }
            }
        })
    }

    #[cold]
    fn stop(&mut self, kind: u8, reason: &'static str) -> TcpOption<'a> {
        TcpOption::Malformed { kind, bytes: core::mem::take(&mut self.rest), reason }
    }
}

impl<'a> Iterator for Options<'a> {
    type Item = TcpOption<'a>;

    #[inline]
    fn next(&mut self) -> Option<TcpOption<'a>> {
        let (&first, after) = self.rest.split_first()?;
        match first {
            kind::END => {
                self.rest = &[];
                return Some(TcpOption::End);
            }
            kind::NOP => {
                self.rest = after;
                return Some(TcpOption::Nop);
            }
            _ => {}
        }
        let Some(&len) = after.first() else {
            return Some(self.stop(first, "option cut before its length"));
        };
        if len < 2 {
            return Some(self.stop(first, "option length below 2"));
        }
        let Some((option, rest)) = self.rest.split_at_checked(usize::from(len)) else {
            return Some(self.stop(first, "option longer than what is left"));
        };
        self.rest = rest;
        Some(TcpOption::parse(option))
    }
}

impl<'a> TcpOption<'a> {
    /// Reads one whole option: kind, length and the rest.
    #[inline]
    fn parse(option: &'a [u8]) -> Self {
        let kind = u8_at(option, 0).unwrap_or(kind::END);
        let data = option.get(2..).unwrap_or(&[]);
        let read = match kind {
            kind::TIMESTAMPS => match (be32(data, 0), be32(data, 4), data.len()) {
                (Some(value), Some(echo), 8) => Some(Self::Timestamps { value, echo }),
                _ => None,
            },
            mptcp::KIND => Some(Self::Mptcp(Mptcp::parse(option))),
            kind::SACK => SackBlocks::new(data).map(Self::Sack),
            kind::MAX_SEGMENT_SIZE if data.len() == 2 => be16(data, 0).map(Self::MaxSegmentSize),
            kind::WINDOW_SCALE if data.len() == 1 => u8_at(data, 0).map(Self::WindowScale),
            kind::SACK_PERMITTED if data.is_empty() => Some(Self::SackPermitted),
            kind::MAX_SEGMENT_SIZE | kind::WINDOW_SCALE | kind::SACK_PERMITTED => None,
            kind::FAST_OPEN => Some(Self::FastOpen(data)),
            kind::EXPERIMENT if be16(data, 0) == Some(FASTOPEN_MAGIC) => {
                Some(Self::FastOpenExperimental(data.get(2..).unwrap_or(&[])))
            }
            _ => Some(Self::Unknown { kind, data }),
        };
        read.unwrap_or(Self::Malformed { kind, bytes: option, reason: "option length does not fit its kind" })
    }

    /// Kind number.
    pub fn kind(&self) -> u8 {
        match self {
            Self::End => kind::END,
            Self::Nop => kind::NOP,
            Self::MaxSegmentSize(_) => kind::MAX_SEGMENT_SIZE,
            Self::WindowScale(_) => kind::WINDOW_SCALE,
            Self::SackPermitted => kind::SACK_PERMITTED,
            Self::Sack(_) => kind::SACK,
            Self::Timestamps { .. } => kind::TIMESTAMPS,
            Self::FastOpen(_) => kind::FAST_OPEN,
            Self::FastOpenExperimental(_) => kind::EXPERIMENT,
            Self::Mptcp(_) => kind::MPTCP,
            Self::Unknown { kind, .. } | Self::Malformed { kind, .. } => *kind,
        }
    }

    /// Bytes that [`TcpOption::emit`] writes.
    #[expect(clippy::len_without_is_empty, reason = "no option is empty")]
    pub fn len(&self) -> usize {
        match self {
            Self::End | Self::Nop => 1,
            Self::MaxSegmentSize(_) => 4,
            Self::WindowScale(_) => 3,
            Self::SackPermitted => 2,
            Self::Sack(blocks) => 2 + blocks.bytes.len(),
            Self::Timestamps { .. } => 10,
            Self::FastOpen(cookie) => 2 + cookie.len(),
            Self::FastOpenExperimental(cookie) => 4 + cookie.len(),
            Self::Mptcp(option) => option.len(),
            Self::Unknown { data, .. } => 2 + data.len(),
            Self::Malformed { bytes, .. } => bytes.len(),
        }
    }

    /// Writes the whole option and returns its length.
    pub fn emit(&self, out: &mut [u8]) -> Result<usize, Full> {
        let needed = self.len();
        let len = u8::try_from(needed).map_err(|_| Full { needed, room: 255 })?;
        let mut w = Writer::new(room(out, needed)?);
        match *self {
            Self::End | Self::Nop => w.u8(self.kind()),
            Self::MaxSegmentSize(size) => w.u8(self.kind()).u8(len).u16(size),
            Self::WindowScale(shift) => w.u8(self.kind()).u8(len).u8(shift),
            Self::SackPermitted => w.u8(self.kind()).u8(len),
            Self::Sack(blocks) => w.u8(self.kind()).u8(len).put(blocks.bytes),
            Self::Timestamps { value, echo } => w.u8(self.kind()).u8(len).u32(value).u32(echo),
            Self::FastOpen(data) | Self::Unknown { data, .. } => w.u8(self.kind()).u8(len).put(data),
            Self::FastOpenExperimental(data) => w.u8(self.kind()).u8(len).u16(FASTOPEN_MAGIC).put(data),
            Self::Malformed { bytes, .. } => w.put(bytes),
            Self::Mptcp(option) => return option.emit(out),
        };
        w.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(bytes: &[u8]) -> Vec<TcpOption<'_>> {
        Options::new(bytes).collect()
    }

    #[test]
    fn the_options_of_a_linux_syn() {
        let bytes = [2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 9, 0, 0, 0, 7, 1, 3, 3, 7, 30, 4, 1, 0x81];
        let options = all(&bytes);
        assert_eq!(
            options[..5],
            [
                TcpOption::MaxSegmentSize(1460),
                TcpOption::SackPermitted,
                TcpOption::Timestamps { value: 9, echo: 7 },
                TcpOption::Nop,
                TcpOption::WindowScale(7),
            ]
        );
        assert!(matches!(options[5..], [TcpOption::Mptcp(Mptcp::Capable(_))]));
        assert!(matches!(Options::new(&bytes).first_mptcp(), Some(Mptcp::Capable(_))));
    }

    #[test]
    fn sack_blocks() {
        let bytes = [5, 18, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 5, 0, 0, 0, 9];
        let [TcpOption::Sack(blocks)] = all(&bytes)[..] else { panic!("no SACK") };
        assert_eq!(blocks.len(), 2);
        assert_eq!(blocks.collect::<Vec<_>>(), [(1, 2), (5, 9)]);
        assert!(matches!(all(&[5, 6, 0, 0, 0, 1])[..], [TcpOption::Malformed { kind: 5, .. }]));
    }

    #[test]
    fn fast_open_in_both_kinds() {
        assert_eq!(all(&[34, 4, 1, 2]), [TcpOption::FastOpen(&[1, 2])]);
        assert_eq!(all(&[34, 2]), [TcpOption::FastOpen(&[])]);
        assert_eq!(all(&[254, 5, 0xf9, 0x89, 7]), [TcpOption::FastOpenExperimental(&[7])]);
        assert_eq!(all(&[254, 4, 0, 1]), [TcpOption::Unknown { kind: 254, data: &[0, 1] }]);
    }

    #[test]
    fn the_walk_goes_on_after_a_wrong_length_of_a_known_kind() {
        let options = all(&[2, 3, 5, 30, 5, 0, 0, 0, 1, 0, 9, 9]);
        assert!(matches!(options[0], TcpOption::Malformed { kind: 2, .. }));
        assert!(matches!(options[1], TcpOption::Mptcp(Mptcp::Malformed { .. })));
        assert_eq!(options[2..], [TcpOption::Nop, TcpOption::End]);
    }

    #[test]
    fn the_walk_ends_where_a_length_leads_nowhere() {
        for bytes in [&[1, 30, 0, 1][..], &[1, 30, 1, 1], &[1, 30, 9, 1], &[1, 30]] {
            let options = all(bytes);
            assert_eq!(options.len(), 2);
            assert!(
                matches!(options[1], TcpOption::Malformed { kind: 30, bytes: b, .. } if b == &bytes[1..])
            );
            assert!(Options::new(bytes).first_mptcp().is_none());
        }
    }

    #[test]
    fn several_mptcp_options_of_one_packet() {
        let bytes = [1, 30, 3, 0x50, 30, 4, 0x40, 1, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0, 30, 3, 0x51];
        assert_eq!(Options::new(&bytes).mptcp().count(), 3);
    }

    proptest! {
        #[test]
        fn emit_gives_back_every_byte(bytes in proptest::collection::vec(any::<u8>(), 0..44)) {
            let mut out = [0u8; 64];
            let mut at = 0;
            let mut ended = false;
            for option in Options::new(&bytes) {
                at += option.emit(&mut out[at..]).unwrap();
                ended = option == TcpOption::End;
            }
            prop_assert!(at == bytes.len() || ended);
            prop_assert_eq!(&out[..at], &bytes[..at]);
        }

        #[test]
        fn the_short_walk_finds_what_the_long_one_does(bytes in option_soup()) {
            let long: Vec<_> = Options::new(&bytes)
                .filter_map(|o| if let TcpOption::Mptcp(m) = o { Some(m) } else { None })
                .collect();
            let short: Vec<_> = Options::new(&bytes).mptcp().collect();
            prop_assert_eq!(long, short);
        }
    }

    /// Bytes that look like options more often than chance would have it.
    fn option_soup() -> impl Strategy<Value = Vec<u8>> {
        let option = (prop_oneof![Just(1u8), Just(30), Just(8), any::<u8>()], 0u8..12, any::<u8>()).prop_map(
            |(kind, len, fill)| {
                let mut bytes = vec![fill; usize::from(len).max(1)];
                bytes[0] = kind;
                if let Some(b) = bytes.get_mut(1) {
                    *b = len;
                }
                bytes
            },
        );
        proptest::collection::vec(option, 0..8).prop_map(|options| options.concat())
    }
}
