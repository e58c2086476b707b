//! What the options of one answer say.

use subflow_wire::Key;
use subflow_wire::mptcp::{self, Capable, Join};
use subflow_wire::tcp::{Options, TcpOption};

use crate::probes::{Asked, CANARY_KIND, Kind};
use crate::rows::{AnswerKind, Finding};

/// Paddings in a row that no stack writes between its options, but a box does that overwrites one.
const PADDING: u32 = 4;

/// What the option of Multipath TCP in an answer holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mptcp {
    /// Version of the first MP_CAPABLE.
    pub version: Option<u8>,
    /// Its flags.
    pub flags: Option<u8>,
    /// Its key.
    pub key: Option<Key>,
    /// Reason of MP_TCPRST.
    pub reset_reason: Option<u8>,
    /// Whether the canary came back; `None` when there was none.
    pub canary_returned: Option<bool>,
}

/// What the options of an answer hold beside Multipath TCP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Common {
    /// Maximum segment size.
    pub(super) mss: Option<u16>,
    /// The timestamp of ours that it returns.
    pub(super) echo: Option<u32>,
}

/// Judges a SYN/ACK or a reset by its options.
///
/// An option returned as sent is a mirror's work, whatever else there is: version 0 has a key of the answering side and
/// version 1 has a key at all (RFC 6824 and RFC 8684, section 3.1). What is returned with another version, a
/// second time, or without a hash function is no support either.
pub fn judge(asked: &Asked, kind: AnswerKind, options: Options<'_>) -> (Finding, Mptcp) {
    let (finding, mptcp, _) = look(asked, kind, options);
    (finding, mptcp)
}

/// The same, and what else the options hold: one walk for all.
#[inline]
pub(super) fn look(asked: &Asked, kind: AnswerKind, options: Options<'_>) -> (Finding, Mptcp, Common) {
    let mut common = Common::default();
    let mut found = Mptcp { canary_returned: asked.canary.map(|_| false), ..Mptcp::default() };
    let (mut mptcp_options, mut mirrored, mut proper) = (0_u32, false, None);
    let (mut padding, mut longest) = (0_u32, 0_u32);
    for option in options {
        padding = if option == TcpOption::Nop { padding + 1 } else { 0 };
        longest = longest.max(padding);
        match option {
            TcpOption::Mptcp(option) => {
                mptcp_options += 1;
                match option {
                    mptcp::Mptcp::Capable(capable) => {
                        if found.version.is_none() {
                            found.version = Some(capable.version);
                            found.flags = Some(capable.flags);
                            found.key = capable.sender_key;
                        }
                        mirrored |= is_ours(asked, &capable);
                        proper = proper.or(supports(asked, &capable));
                    }
                    mptcp::Mptcp::Join(Join::Syn { token, nonce, .. }) => {
                        mirrored |= asked.join == Some((token, nonce));
                    }
                    mptcp::Mptcp::TcpRst(reset) => found.reset_reason = Some(reset.reason),
                    _ => {}
                }
            }
            TcpOption::Unknown { kind: CANARY_KIND, data: &[a, b] }
                if asked.canary == Some(u16::from_be_bytes([a, b])) =>
            {
                mirrored = true;
                found.canary_returned = Some(true);
            }
            TcpOption::Malformed { kind: mptcp::KIND, .. } => mptcp_options += 1,
            TcpOption::MaxSegmentSize(size) => common.mss = common.mss.or(Some(size)),
            TcpOption::Timestamps { echo, .. } => common.echo = common.echo.or(Some(echo)),
            _ => {}
        }
    }
    let finding = match (kind, mirrored, mptcp_options, proper) {
        (AnswerKind::Icmp, ..) => Finding::Icmp,
        (AnswerKind::Reset, ..) if found.reset_reason.is_some() => Finding::MptcpReset,
        (AnswerKind::Reset, ..) => Finding::Reset,
        (_, true, ..) => Finding::Mirrored,
        (_, _, 0, _) if longest >= PADDING && asked.kind.asks() => Finding::Stripped,
        (_, _, 0, _) => Finding::NoOption,
        (_, _, 1, Some(proper)) => proper,
        _ => Finding::Malformed,
    };
    (finding, found, common)
}

/// Whether an MP_CAPABLE is one that we sent.
fn is_ours(asked: &Asked, capable: &Capable) -> bool {
    match capable.sender_key {
        Some(key) => capable.receiver_key.is_none() && asked.v0_key == Some(key),
        None => matches!(asked.kind, Kind::V1 | Kind::Both) && capable.version == 1,
    }
}

/// The version that an MP_CAPABLE properly answers what was asked with.
fn supports(asked: &Asked, capable: &Capable) -> Option<Finding> {
    let proper = capable.sender_key.is_some()
        && capable.receiver_key.is_none()
        && capable.hmac()
        && !capable.extensibility();
    match (proper, capable.version, asked.kind) {
        (true, 0, Kind::V0 | Kind::Both) => Some(Finding::V0),
        (true, 1, Kind::V1 | Kind::Both) => Some(Finding::V1),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 8] = [0xb4, 0x9d, 0x03, 0xc2, 0x01, 0x1d, 0x7a, 0xba];
    const THEIRS: [u8; 8] = [0x8f, 0xb9, 0xc7, 0xb4, 0x93, 0xf3, 0x3d, 0x4b];

    fn asked(kind: Kind) -> Asked {
        Asked {
            kind,
            seq: 1,
            v0_key: matches!(kind, Kind::V0 | Kind::Both).then_some(Key(u64::from_be_bytes(KEY))),
            join: (kind == Kind::Join).then_some((0xb49d_03c2, 0x011d_7aba)),
            canary: Some(0x1234),
        }
    }

    fn of(kind: Kind, options: &[&[u8]]) -> Finding {
        let options = options.concat();
        judge(&asked(kind), AnswerKind::SynAck, Options::new(&options)).0
    }

    fn capable(version: u8, flags: u8, key: &[u8]) -> Vec<u8> {
        [&[30, 4 + key.len() as u8, version, flags], key].concat()
    }

    #[test]
    fn proper_answers() {
        assert_eq!(of(Kind::V1, &[&capable(1, 0x01, &THEIRS)]), Finding::V1);
        assert_eq!(of(Kind::V1, &[&[2, 4, 5, 0xb4], &capable(1, 0xa1, &THEIRS)]), Finding::V1);
        assert_eq!(of(Kind::V0, &[&capable(0, 0x81, &THEIRS)]), Finding::V0);
        assert_eq!(of(Kind::Both, &[&capable(1, 0x01, &THEIRS)]), Finding::V1);
        assert_eq!(of(Kind::Both, &[&capable(0, 0x01, &THEIRS)]), Finding::V0);
    }

    #[test]
    fn what_is_returned_as_sent_is_mirrored() {
        assert_eq!(of(Kind::V1, &[&capable(1, 0x01, &[])]), Finding::Mirrored);
        assert_eq!(of(Kind::V0, &[&capable(0, 0x81, &KEY)]), Finding::Mirrored);
        assert_eq!(of(Kind::Both, &[&capable(1, 0x01, &[]), &capable(0, 0x81, &KEY)]), Finding::Mirrored);
        assert_eq!(of(Kind::Join, &[&[30, 12, 0x10, 1], &KEY]), Finding::Mirrored);
        // A key of its own does not help who returns the canary.
        assert_eq!(of(Kind::V1, &[&capable(1, 0x01, &THEIRS), &[253, 4, 0x12, 0x34]]), Finding::Mirrored);
        assert_eq!(of(Kind::Plain, &[&[253, 4, 0x12, 0x34]]), Finding::Mirrored);
        assert_eq!(of(Kind::V1, &[&capable(1, 0x01, &THEIRS), &[253, 4, 0x12, 0x35]]), Finding::V1);
    }

    #[test]
    fn what_fits_no_version_is_malformed() {
        // Version 0 to version 1 and the other way, twice, without HMAC, with the B flag, cut, both keys, unasked.
        assert_eq!(of(Kind::V1, &[&capable(0, 0x81, &THEIRS)]), Finding::Malformed);
        assert_eq!(of(Kind::V0, &[&capable(1, 0x81, &THEIRS)]), Finding::Malformed);
        let twice = capable(0, 0x81, &THEIRS);
        assert_eq!(of(Kind::V0, &[&twice, &twice]), Finding::Malformed);
        assert_eq!(of(Kind::V1, &[&capable(1, 0x00, &THEIRS)]), Finding::Malformed);
        assert_eq!(of(Kind::V1, &[&capable(1, 0x41, &THEIRS)]), Finding::Malformed);
        assert_eq!(of(Kind::V1, &[&capable(1, 0x01, &THEIRS[..5])]), Finding::Malformed);
        assert_eq!(of(Kind::V1, &[&capable(1, 0x01, &[THEIRS, KEY].concat())]), Finding::Malformed);
        assert_eq!(of(Kind::Plain, &[&capable(1, 0x01, &THEIRS)]), Finding::Malformed);
        assert_eq!(of(Kind::V0, &[&capable(1, 0x01, &[])]), Finding::Malformed);
        assert_eq!(of(Kind::V1, &[&[30, 1]]), Finding::Malformed);
        assert_eq!(of(Kind::Join, &[&[30, 16, 0x10, 1], &KEY, &[0; 4]]), Finding::Malformed);
    }

    #[test]
    fn nothing_and_padding() {
        assert_eq!(of(Kind::V1, &[&[2, 4, 5, 0xb4, 1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2]]), Finding::NoOption);
        assert_eq!(of(Kind::V1, &[&[2, 4, 5, 0xb4], &[1; 12]]), Finding::Stripped);
        assert_eq!(of(Kind::V1, &[&[2, 4, 5, 0xb4], &[1; 3]]), Finding::NoOption);
        assert_eq!(of(Kind::Plain, &[&[1; 12]]), Finding::NoOption);
        assert_eq!(of(Kind::Plain, &[]), Finding::NoOption);
    }

    #[test]
    fn resets() {
        let (finding, found) = judge(&asked(Kind::Join), AnswerKind::Reset, Options::new(&[30, 4, 0x80, 1]));
        assert_eq!((finding, found.reset_reason), (Finding::MptcpReset, Some(1)));
        let (finding, found) = judge(&asked(Kind::V1), AnswerKind::Reset, Options::new(&[]));
        assert_eq!((finding, found.reset_reason, found.canary_returned), (Finding::Reset, None, Some(false)));
    }
}
