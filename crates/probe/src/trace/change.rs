//! One difference between what was sent and what was seen.

use std::fmt;
use std::net::IpAddr;

use subflow_wire::mptcp::{self, Mptcp};
use subflow_wire::tcp::{Options, TcpOption, kind};

use crate::answers::OptionBytes;
use crate::rows::{ChangeKind, Field};

/// A difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What is different.
    pub field: Field,
    /// How.
    pub kind: ChangeKind,
    /// Kind number of the option, when it is one.
    pub option: Option<u8>,
    /// Place of the option among those that were sent, or were added; 0 for other fields.
    pub place: u8,
    /// As it was sent.
    pub sent: Option<Value>,
    /// As it was seen.
    pub seen: Option<Value>,
}

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// A number.
    Number(u32),
    /// Bits.
    Bits(u32),
    /// An address.
    Addr(IpAddr),
    /// One option, kind and length included.
    Option(OptionBytes),
    /// The kinds of several options, in their order.
    Kinds(OptionBytes),
    /// The bytes of all options.
    Options(OptionBytes),
    /// So many bytes of payload.
    Bytes(u32),
}

impl Change {
    /// A field that has another value.
    pub(super) fn value(field: Field, sent: Value, seen: Value) -> Self {
        Self { field, kind: ChangeKind::Changed, option: None, place: 0, sent: Some(sent), seen: Some(seen) }
    }

    /// Whether it is what was done to the same thing.
    pub(super) fn same_place(&self, other: &Self) -> bool {
        let added = |change: &Self| matches!(change.kind, ChangeKind::Added | ChangeKind::Doubled);
        (self.field, self.option, self.place) == (other.field, other.option, other.place)
            && added(self) == added(other)
    }

    /// Whether the same was done to the same thing. The values count only where the same was sent.
    pub(super) fn same(&self, other: &Self) -> bool {
        self.same_place(other)
            && self.kind == other.kind
            && (self.sent != other.sent || self.sent.is_none() || self.seen == other.seen)
    }

    /// Whether the checksum of TCP covers it.
    pub(super) fn is_covered(&self) -> bool {
        use Field::{Dscp, FlowLabel, FragmentOffset, IpEcn, IpFlags, IpHeaderLength, IpId, IpOptions, Ttl};
        !matches!(
            self.field,
            Dscp | FlowLabel
                | FragmentOffset
                | IpEcn
                | IpFlags
                | IpHeaderLength
                | IpId
                | IpOptions
                | Ttl
                | Field::Checksum
        )
    }

    /// Whether it is an option of Multipath TCP.
    pub fn is_mptcp(&self) -> bool {
        self.field == Field::Mptcp
    }

    /// Whether addresses or ports were translated.
    pub fn is_translation(&self) -> bool {
        matches!(self.field, Field::SrcAddr | Field::DstAddr | Field::SrcPort | Field::DstPort)
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.field, self.option) {
            (Field::OtherOption, Some(kind)) => write!(f, "option {kind}")?,
            (field, _) => f.write_str(field.as_str())?,
        }
        match (self.kind, &self.sent, &self.seen) {
            (ChangeKind::Changed | ChangeKind::Moved, Some(sent), Some(seen)) => {
                write!(f, " {sent} → {seen}")
            }
            (ChangeKind::Added | ChangeKind::Doubled, _, Some(seen)) => write!(f, " {} {seen}", self.kind),
            (kind, ..) => write!(f, " {kind}"),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Bits(bits) => write!(f, "{bits:#x}"),
            Self::Addr(addr) => write!(f, "{addr}"),
            Self::Bytes(len) => write!(f, "{len} bytes"),
            Self::Options(bytes) => hex(bytes.as_slice(), f),
            Self::Kinds(kinds) => {
                for (index, &kind) in kinds.as_slice().iter().enumerate() {
                    if index > 0 {
                        f.write_str(",")?;
                    }
                    match option_name(kind) {
                        Some(name) => f.write_str(name)?,
                        None => write!(f, "{kind}")?,
                    }
                }
                Ok(())
            }
            Self::Option(bytes) => option(bytes.as_slice(), f),
        }
    }
}

/// The short name of a kind of option, as the language of options has it.
pub(super) fn option_name(kind: u8) -> Option<&'static str> {
    Some(match kind {
        kind::END => "eol",
        kind::NOP => "nop",
        kind::MAX_SEGMENT_SIZE => "mss",
        kind::WINDOW_SCALE => "ws",
        kind::SACK_PERMITTED => "sackok",
        kind::SACK => "sack",
        kind::TIMESTAMPS => "ts",
        mptcp::KIND => "mptcp",
        kind::FAST_OPEN => "tfo",
        _ => return None,
    })
}

/// The field that a kind of option is.
pub(super) fn option_field(kind: u8) -> Field {
    match kind {
        kind::MAX_SEGMENT_SIZE => Field::Mss,
        kind::WINDOW_SCALE => Field::WindowScale,
        kind::SACK_PERMITTED => Field::SackPermitted,
        kind::TIMESTAMPS => Field::Timestamps,
        mptcp::KIND => Field::Mptcp,
        kind::FAST_OPEN => Field::FastOpen,
        _ => Field::OtherOption,
    }
}

fn hex(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

fn option(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match Options::new(bytes).next() {
        Some(TcpOption::MaxSegmentSize(size)) => write!(f, "{size}"),
        Some(TcpOption::WindowScale(shift)) => write!(f, "{shift}"),
        Some(TcpOption::Timestamps { value, echo }) => write!(f, "{value}/{echo}"),
        Some(TcpOption::SackPermitted) => f.write_str("sackok"),
        Some(TcpOption::Mptcp(Mptcp::Capable(capable))) => {
            write!(f, "capable v{} {}", capable.version, bytes.len())?;
            match capable.sender_key {
                Some(key) => write!(f, " key {:016x}", key.0),
                None => Ok(()),
            }
        }
        _ => hex(bytes, f),
    }
}
