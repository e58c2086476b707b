//! DSS, the data sequence signal: data acknowledgement, mapping and DATA_FIN
//! (RFC 6824 and RFC 8684, section 3.3).

use crate::Full;
use crate::bytes::{Writer, be16, be32, be64};

const DATA_ACK: u8 = 0x01;
const DATA_ACK_LONG: u8 = 0x02;
const MAPPING: u8 = 0x04;
const DSN_LONG: u8 = 0x08;
const DATA_FIN: u8 = 0x10;

/// A data sequence number as it stands on the wire. The short form is the low half of the long one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dsn {
    /// Low 32 bits.
    Short(u32),
    /// All 64 bits.
    Long(u64),
}

impl Dsn {
    fn read(option: &[u8], at: usize, long: bool) -> Option<Self> {
        if long { be64(option, at).map(Self::Long) } else { be32(option, at).map(Self::Short) }
    }

    /// 4 or 8 bytes.
    fn width(self) -> usize {
        match self {
            Self::Short(_) => 4,
            Self::Long(_) => 8,
        }
    }

    fn write(self, w: &mut Writer<'_>) {
        match self {
            Self::Short(value) => w.u32(value),
            Self::Long(value) => w.u64(value),
        };
    }

    /// The 64-bit number nearest to `near` (a number of the same direction) that this stands for.
    #[inline]
    pub fn widen(self, near: u64) -> u64 {
        match self {
            Self::Long(value) => value,
            Self::Short(low) => {
                let distance = low.wrapping_sub(near as u32) as i32;
                near.wrapping_add_signed(i64::from(distance))
            }
        }
    }

    /// The low 32 bits, which both forms have.
    #[inline]
    pub fn low(self) -> u32 {
        match self {
            Self::Short(value) => value,
            Self::Long(value) => value as u32,
        }
    }
}

/// Which data-level bytes a stretch of subflow bytes carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// Data sequence number of the first byte.
    pub dsn: Dsn,
    /// Subflow sequence number of the first byte, relative to the subflow's initial sequence number
    /// (the first byte of a subflow has 1); 0 for a DATA_FIN without data.
    pub subflow_seq: u32,
    /// Data-level length in bytes, DATA_FIN included; 0 is the infinite mapping of a fallback.
    pub len: u16,
    /// Checksum over the data and the mapping.
    pub checksum: Option<u16>,
}

/// DSS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dss {
    /// Next data sequence number expected.
    pub data_ack: Option<Dsn>,
    /// The mapping.
    pub mapping: Option<Mapping>,
    /// Flag F. The DATA_FIN takes the last number of the mapping; without a mapping it has no number
    /// (against the RFC, yet seen).
    pub data_fin: bool,
    /// Bits that mean nothing, in place in the option's third and fourth byte: 0x0fe0, and the width
    /// bits 0x02 and 0x08 of a field that is not there.
    pub reserved: u16,
}

impl Dss {
    /// The infinite mapping, which ends the use of mappings (RFC 8684, section 3.7): data-level length 0.
    /// With a DATA_FIN, whose own number must be counted, a length of 0 is a mistake instead.
    #[inline]
    pub fn is_infinite(&self) -> bool {
        matches!(self.mapping, Some(mapping) if mapping.len == 0) && !self.data_fin
    }

    /// Bytes of data that the mapping covers: its length without the number of the DATA_FIN.
    #[inline]
    pub fn mapped_bytes(&self) -> u16 {
        self.mapping.map_or(0, |mapping| mapping.len.saturating_sub(u16::from(self.data_fin)))
    }

    #[inline]
    pub(super) fn parse(option: &[u8]) -> Option<Self> {
        let flags = *option.get(3)?;
        let mut reserved = u16::from_be_bytes([option.get(2)? & 0x0f, flags & 0xe0]);
        let mut at = 4;
        let data_ack = if flags & DATA_ACK != 0 {
            let ack = Dsn::read(option, at, flags & DATA_ACK_LONG != 0)?;
            at += ack.width();
            Some(ack)
        } else {
            reserved |= u16::from(flags & DATA_ACK_LONG);
            None
        };
        let mapping = if flags & MAPPING != 0 {
            let dsn = Dsn::read(option, at, flags & DSN_LONG != 0)?;
            at += dsn.width();
            let (subflow_seq, len) = (be32(option, at)?, be16(option, at + 4)?);
            at += 6;
            let checksum = be16(option, at);
            at += if checksum.is_some() { 2 } else { 0 };
            Some(Mapping { dsn, subflow_seq, len, checksum })
        } else {
            reserved |= u16::from(flags & DSN_LONG);
            None
        };
        (at == option.len()).then_some(Self { data_ack, mapping, data_fin: flags & DATA_FIN != 0, reserved })
    }

    /// Bytes on the wire: 4 + A·(4+4a) + M·(10+4m+2·checksum).
    #[expect(clippy::len_without_is_empty, reason = "no option is empty")]
    pub fn len(&self) -> usize {
        let ack = self.data_ack.map_or(0, Dsn::width);
        let mapping =
            self.mapping.map_or(0, |m| m.dsn.width() + 6 + if m.checksum.is_some() { 2 } else { 0 });
        4 + ack + mapping
    }

    fn flags(&self) -> u8 {
        let ack = match self.data_ack {
            None => 0,
            Some(Dsn::Short(_)) => DATA_ACK,
            Some(Dsn::Long(_)) => DATA_ACK | DATA_ACK_LONG,
        };
        let mapping = match self.mapping {
            None => 0,
            Some(Mapping { dsn: Dsn::Short(_), .. }) => MAPPING,
            Some(Mapping { dsn: Dsn::Long(_), .. }) => MAPPING | DSN_LONG,
        };
        // A width bit may only stand alone where the field it belongs to is absent.
        let mut kept = self.reserved as u8 & 0xe0;
        if ack == 0 {
            kept |= self.reserved as u8 & DATA_ACK_LONG;
        }
        if mapping == 0 {
            kept |= self.reserved as u8 & DSN_LONG;
        }
        ack | mapping | kept | if self.data_fin { DATA_FIN } else { 0 }
    }

    /// Writes the option and returns its length.
    pub fn emit(&self, out: &mut [u8]) -> Result<usize, Full> {
        let mut w = Writer::new(out);
        let third = super::subtype::DSS << 4 | (self.reserved >> 8) as u8 & 0x0f;
        w.u8(super::KIND).u8(self.len() as u8).u8(third).u8(self.flags());
        if let Some(ack) = self.data_ack {
            ack.write(&mut w);
        }
        if let Some(mapping) = self.mapping {
            mapping.dsn.write(&mut w);
            w.u32(mapping.subflow_seq).u16(mapping.len);
            if let Some(checksum) = mapping.checksum {
                w.u16(checksum);
            }
        }
        w.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mptcp::Mptcp;
    use proptest::prelude::*;

    #[track_caller]
    fn both_ways(bytes: &[u8], value: Dss) {
        assert_eq!(Mptcp::parse(bytes), Mptcp::Dss(value));
        let mut out = [0; 40];
        let len = value.emit(&mut out).unwrap();
        assert_eq!(&out[..len], bytes);
    }

    const NOTHING: Dss = Dss { data_ack: None, mapping: None, data_fin: false, reserved: 0 };

    #[test]
    fn acknowledgements() {
        both_ways(&[30, 4, 0x20, 0], NOTHING);
        both_ways(&[30, 8, 0x20, 1, 0, 0, 0, 9], Dss { data_ack: Some(Dsn::Short(9)), ..NOTHING });
        both_ways(
            &[30, 12, 0x20, 3, 1, 2, 3, 4, 5, 6, 7, 8],
            Dss { data_ack: Some(Dsn::Long(0x0102_0304_0506_0708)), ..NOTHING },
        );
    }

    #[test]
    fn mapping_with_everything() {
        let bytes = [
            30, 28, 0x20, 0x1f, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 3, 0, 4, 0xab, 0xcd,
        ];
        let mapping = Mapping { dsn: Dsn::Long(2), subflow_seq: 3, len: 4, checksum: Some(0xabcd) };
        let value = Dss { data_ack: Some(Dsn::Long(1)), mapping: Some(mapping), data_fin: true, ..NOTHING };
        both_ways(&bytes, value);
        assert_eq!(value.mapped_bytes(), 3);
    }

    #[test]
    fn mapping_of_every_width() {
        for (flags, len) in [(4u8, 14usize), (5, 18), (7, 22), (0x0c, 18), (0x0d, 22), (0x0f, 26)] {
            for checksum in [0, 2] {
                let len = len + checksum;
                let mut bytes = vec![5u8; len];
                bytes[..4].copy_from_slice(&[30, len as u8, 0x20, flags]);
                let Mptcp::Dss(value) = Mptcp::parse(&bytes) else { panic!("{flags} {len}") };
                assert_eq!(value.mapping.unwrap().checksum.is_some(), checksum == 2);
                both_ways(&bytes, value);
            }
        }
    }

    #[test]
    fn fin_without_mapping_and_stray_width_bits_survive() {
        both_ways(&[30, 4, 0x20, 0x10], Dss { data_fin: true, ..NOTHING });
        both_ways(&[30, 4, 0x2f, 0xea], Dss { reserved: 0x0fea, ..NOTHING });
    }

    #[test]
    fn infinite_mapping() {
        let mapping = Mapping { dsn: Dsn::Short(1), subflow_seq: 1, len: 0, checksum: None };
        let dss = Dss { mapping: Some(mapping), ..NOTHING };
        assert!(dss.is_infinite());
        assert!(!Dss { data_fin: true, ..dss }.is_infinite());
        assert!(!NOTHING.is_infinite());
        assert_eq!(dss.mapped_bytes(), 0);
    }

    #[test]
    fn lengths_that_do_not_fit_the_flags() {
        for bytes in [
            &[30, 5, 0x20, 0, 0][..],
            &[30, 4, 0x20, 1],
            &[30, 10, 0x20, 1, 0, 0, 0, 0, 0, 0],
            &[30, 3, 0x20],
        ] {
            assert!(matches!(Mptcp::parse(bytes), Mptcp::Malformed { subtype: Some(2), .. }), "{bytes:?}");
        }
    }

    #[test]
    fn short_numbers_widen_across_the_wrap() {
        assert_eq!(Dsn::Short(5).widen(0x1_ffff_fff0), 0x2_0000_0005);
        assert_eq!(Dsn::Short(0xffff_fff0).widen(0x2_0000_0005), 0x1_ffff_fff0);
        assert_eq!(Dsn::Short(0).widen(u64::MAX), 0);
        assert_eq!(Dsn::Long(7).widen(u64::MAX), 7);
        assert_eq!(Dsn::Long(0x1_0000_0007).low(), 7);
    }

    proptest! {
        #[test]
        fn widening_undoes_narrowing(number in any::<u64>(), off in any::<i32>()) {
            let near = number.wrapping_add_signed(-i64::from(off));
            prop_assert_eq!(Dsn::Short(number as u32).widen(near), number);
        }
    }
}
