//! A TCP segment as the analysis looks at it: the header's numbers, and the options that matter already found.

use subflow_wire::{
    mptcp::{Dss, Mptcp},
    tcp::{Flags, Tcp, TcpOption},
};

/// One TCP segment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Segment<'a> {
    /// When, in nanoseconds since the epoch.
    pub(crate) time: i64,
    /// Frame number within its file.
    pub(crate) frame: u64,
    /// Sequence number.
    pub(crate) seq: u32,
    /// Acknowledgement number.
    pub(crate) ack: u32,
    /// Flags.
    pub(crate) flags: Flags,
    /// Payload bytes on the wire.
    pub(crate) len: u32,
    /// Timestamp value and echo.
    pub(crate) timestamps: Option<(u32, u32)>,
    /// The first DSS option.
    pub(crate) dss: Option<Dss>,
    /// Whether there are MPTCP options besides that DSS.
    pub(crate) others: bool,
    /// Whether the snap length or damage hides options.
    pub(crate) options_cut: bool,
    /// What is wrong with the options, if they are damaged.
    pub(crate) damage: Option<&'static str>,
    /// TTL or hop limit.
    pub(crate) hop_limit: u8,
    /// Receive window as it stands in the header.
    pub(crate) window: u16,
    /// Window scale option.
    pub(crate) window_scale: Option<u8>,
    tcp: Tcp<'a>,
}

impl<'a> Segment<'a> {
    /// Looks through the options of a segment once.
    #[inline]
    pub(crate) fn of(tcp: Tcp<'a>, wire_payload: u32, hop_limit: u8, time: i64, frame: u64) -> Self {
        let mut segment = Self {
            time,
            frame,
            seq: tcp.seq(),
            ack: tcp.ack(),
            flags: tcp.flags(),
            len: wire_payload.saturating_sub(tcp.header_len() as u32),
            timestamps: None,
            dss: None,
            others: false,
            options_cut: tcp.options_cut(),
            damage: None,
            hop_limit,
            window: tcp.window(),
            window_scale: None,
            tcp,
        };
        for option in tcp.options() {
            match option {
                TcpOption::Timestamps { value, echo } => segment.timestamps = Some((value, echo)),
                TcpOption::Mptcp(Mptcp::Dss(dss)) if segment.dss.is_none() => segment.dss = Some(dss),
                TcpOption::Mptcp(_) => segment.others = true,
                TcpOption::WindowScale(shift) => segment.window_scale = Some(shift),
                TcpOption::Malformed { reason, .. } => {
                    // Where the snap length cut, the walk ends in an option that is only cut.
                    segment.damage = (!segment.options_cut).then_some(reason);
                    segment.options_cut = true;
                }
                _ => {}
            }
        }
        segment
    }

    /// Whether the segment carries any MPTCP option.
    pub(crate) const fn has_mptcp(&self) -> bool {
        self.dss.is_some() || self.others
    }

    /// All its MPTCP options in order.
    pub(crate) fn mptcp(&self) -> impl Iterator<Item = Mptcp<'a>> + use<'a> {
        self.tcp.options().filter_map(|option| match option {
            TcpOption::Mptcp(option) => Some(option),
            _ => None,
        })
    }

    /// The first MP_CAPABLE or MP_JOIN.
    pub(crate) fn handshake(&self) -> Option<Mptcp<'a>> {
        if !self.others {
            return None;
        }
        self.mptcp().find(|option| matches!(option, Mptcp::Capable(_) | Mptcp::Join(_)))
    }
}
