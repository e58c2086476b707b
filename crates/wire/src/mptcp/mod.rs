//! The options of Multipath TCP, TCP option kind 30: version 0 (RFC 6824, section 3) and
//! version 1 (RFC 8684, section 3).
//!
//! A subtype that is unknown and an option whose length fits no form of its subtype are values like any
//! other, so one bad option never hides the packet. Reserved bits are kept: what was parsed is emitted
//! again byte for byte.

mod add_addr;
mod capable;
mod dss;
mod fail;
mod fastclose;
mod join;
mod prio;
mod remove_addr;
mod tcprst;

pub use add_addr::AddAddr;
pub use capable::Capable;
pub use dss::{Dsn, Dss, Mapping};
pub use fail::Fail;
pub use fastclose::FastClose;
pub use join::Join;
pub use prio::Prio;
pub use remove_addr::RemoveAddr;
pub use tcprst::TcpRst;

use crate::Full;
use crate::bytes::room;

/// The TCP option kind of Multipath TCP.
pub const KIND: u8 = 30;

/// Subtype numbers (RFC 8684, section 8.1), the upper four bits of an option's third byte.
pub mod subtype {
    /// Multipath capable.
    pub const MP_CAPABLE: u8 = 0;
    /// Join a connection.
    pub const MP_JOIN: u8 = 1;
    /// Data sequence signal: data acknowledgement and mapping.
    pub const DSS: u8 = 2;
    /// Announce an address.
    pub const ADD_ADDR: u8 = 3;
    /// Withdraw addresses.
    pub const REMOVE_ADDR: u8 = 4;
    /// Change a subflow's priority.
    pub const MP_PRIO: u8 = 5;
    /// Checksum failed, or fallback.
    pub const MP_FAIL: u8 = 6;
    /// Abort the connection.
    pub const MP_FASTCLOSE: u8 = 7;
    /// Reason of a subflow's reset, version 1 only.
    pub const MP_TCPRST: u8 = 8;
    /// Private experiments.
    pub const MP_EXPERIMENTAL: u8 = 15;
}

/// One Multipath TCP option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mptcp<'a> {
    /// MP_CAPABLE.
    Capable(Capable),
    /// MP_JOIN.
    Join(Join),
    /// DSS.
    Dss(Dss),
    /// ADD_ADDR.
    AddAddr(AddAddr),
    /// REMOVE_ADDR.
    RemoveAddr(RemoveAddr<'a>),
    /// MP_PRIO.
    Prio(Prio),
    /// MP_FAIL.
    Fail(Fail),
    /// MP_FASTCLOSE.
    FastClose(FastClose),
    /// MP_TCPRST.
    TcpRst(TcpRst),
    /// A subtype that no RFC defines, or the experimental one.
    Unknown {
        /// The subtype number.
        subtype: u8,
        /// The whole option, kind and length included.
        bytes: &'a [u8],
    },
    /// A length that fits no form of the subtype.
    Malformed {
        /// The subtype, when the option is long enough to have one.
        subtype: Option<u8>,
        /// The whole option, kind and length included.
        bytes: &'a [u8],
        /// What is wrong.
        reason: &'static str,
    },
}

impl<'a> Mptcp<'a> {
    /// Reads one whole option: kind, length and the rest, exactly as many bytes as it is long.
    #[inline]
    pub fn parse(option: &'a [u8]) -> Self {
        let Some(&first) = option.get(2) else {
            return Self::Malformed { subtype: None, bytes: option, reason: "option without a subtype" };
        };
        let subtype = first >> 4;
        let (parsed, reason) = match subtype {
            subtype::DSS => (Dss::parse(option).map(Self::Dss), "length does not fit the DSS flags"),
            subtype::MP_CAPABLE => {
                (Capable::parse(option).map(Self::Capable), "MP_CAPABLE length is none of 4, 12, 20, 22, 24")
            }
            subtype::MP_JOIN => (Join::parse(option).map(Self::Join), "MP_JOIN length is none of 12, 16, 24"),
            subtype::ADD_ADDR => {
                (AddAddr::parse(option).map(Self::AddAddr), "ADD_ADDR length fits no address family")
            }
            subtype::REMOVE_ADDR => {
                (RemoveAddr::parse(option).map(Self::RemoveAddr), "REMOVE_ADDR without an address id")
            }
            subtype::MP_PRIO => (Prio::parse(option).map(Self::Prio), "MP_PRIO length is neither 3 nor 4"),
            subtype::MP_FAIL => (Fail::parse(option).map(Self::Fail), "MP_FAIL length is not 12"),
            subtype::MP_FASTCLOSE => {
                (FastClose::parse(option).map(Self::FastClose), "MP_FASTCLOSE length is not 12")
            }
            subtype::MP_TCPRST => (TcpRst::parse(option).map(Self::TcpRst), "MP_TCPRST length is not 4"),
            _ => return Self::Unknown { subtype, bytes: option },
        };
        parsed.unwrap_or(Self::Malformed { subtype: Some(subtype), bytes: option, reason })
    }

    /// The subtype number, when there is one.
    pub fn subtype(&self) -> Option<u8> {
        Some(match self {
            Self::Capable(_) => subtype::MP_CAPABLE,
            Self::Join(_) => subtype::MP_JOIN,
            Self::Dss(_) => subtype::DSS,
            Self::AddAddr(_) => subtype::ADD_ADDR,
            Self::RemoveAddr(_) => subtype::REMOVE_ADDR,
            Self::Prio(_) => subtype::MP_PRIO,
            Self::Fail(_) => subtype::MP_FAIL,
            Self::FastClose(_) => subtype::MP_FASTCLOSE,
            Self::TcpRst(_) => subtype::MP_TCPRST,
            Self::Unknown { subtype, .. } => *subtype,
            Self::Malformed { subtype, .. } => return *subtype,
        })
    }

    /// Bytes that [`Mptcp::emit`] writes, kind and length included.
    #[expect(clippy::len_without_is_empty, reason = "no option is empty")]
    pub fn len(&self) -> usize {
        match self {
            Self::Capable(option) => option.len(),
            Self::Join(option) => option.len(),
            Self::Dss(option) => option.len(),
            Self::AddAddr(option) => option.len(),
            Self::RemoveAddr(option) => option.len(),
            Self::Prio(option) => option.len(),
            Self::Fail(_) => Fail::LEN,
            Self::FastClose(_) => FastClose::LEN,
            Self::TcpRst(_) => TcpRst::LEN,
            Self::Unknown { bytes, .. } | Self::Malformed { bytes, .. } => bytes.len(),
        }
    }

    /// Writes the whole option and returns its length.
    pub fn emit(&self, out: &mut [u8]) -> Result<usize, Full> {
        match self {
            Self::Capable(option) => option.emit(out),
            Self::Join(option) => option.emit(out),
            Self::Dss(option) => option.emit(out),
            Self::AddAddr(option) => option.emit(out),
            Self::RemoveAddr(option) => option.emit(out),
            Self::Prio(option) => option.emit(out),
            Self::Fail(option) => option.emit(out),
            Self::FastClose(option) => option.emit(out),
            Self::TcpRst(option) => option.emit(out),
            Self::Unknown { bytes, .. } | Self::Malformed { bytes, .. } => {
                room(out, bytes.len())?.copy_from_slice(bytes);
                Ok(bytes.len())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn unknown_and_short_options_are_values() {
        assert_eq!(Mptcp::parse(&[30, 4, 0xf3, 9]), Mptcp::Unknown { subtype: 15, bytes: &[30, 4, 0xf3, 9] });
        assert!(matches!(Mptcp::parse(&[30, 2]), Mptcp::Malformed { subtype: None, .. }));
        assert!(matches!(Mptcp::parse(&[]), Mptcp::Malformed { subtype: None, .. }));
        assert!(matches!(Mptcp::parse(&[30, 5, 0x00, 0, 0]), Mptcp::Malformed { subtype: Some(0), .. }));
    }

    #[test]
    fn a_buffer_too_small_is_told_so() {
        let option = Mptcp::Fail(Fail { dsn: 1, reserved: 0 });
        assert_eq!(option.emit(&mut [0; 5]), Err(Full { needed: 12, room: 5 }));
    }

    proptest! {
        /// Whatever the bytes, parsing and emitting gives them back, reserved bits and all.
        #[test]
        fn emit_gives_back_every_byte(subtype in 0u8..16, low in 0u8..16, rest in proptest::collection::vec(any::<u8>(), 0..38)) {
            let mut option = vec![KIND, rest.len() as u8 + 3, subtype << 4 | low];
            option.extend(&rest);
            let parsed = Mptcp::parse(&option);
            prop_assert_eq!(parsed.len(), option.len());
            prop_assert_eq!(parsed.subtype(), Some(subtype));
            let mut out = [0; 40];
            let len = parsed.emit(&mut out).unwrap();
            prop_assert_eq!(&out[..len], &option[..]);
            prop_assert_eq!(Mptcp::parse(&out[..len]), parsed);
        }

        #[test]
        fn never_panics(option in proptest::collection::vec(any::<u8>(), 0..64)) {
            let parsed = Mptcp::parse(&option);
            prop_assert_eq!(parsed.len(), option.len());
        }
    }
}
