//! The fixed names that stand in text columns.

use subflow_rows::names;

names! {
    /// What kind of packet an answer is.
    pub enum AnswerKind {
        /// A SYN/ACK.
        SynAck => "syn_ack",
        /// A reset.
        Reset => "reset",
        /// An ICMP error that quotes the probe.
        Icmp => "icmp",
    }
}

names! {
    /// What the answer to a probe, or its absence, says about Multipath TCP.
    pub enum Finding {
        /// Nothing came.
        Silent => "silent",
        /// An ICMP error: host, network or port cannot be reached, or someone forbids it.
        Icmp => "icmp",
        /// A reset.
        Reset => "reset",
        /// A reset with MP_TCPRST (RFC 8684, section 3.6): only who speaks version 1 sends it.
        MptcpReset => "mptcp_reset",
        /// A SYN/ACK without an option of Multipath TCP.
        NoOption => "no_option",
        /// A SYN/ACK with padding where the option would be: a box on the way back took it out.
        Stripped => "stripped",
        /// A SYN/ACK with an option that no version knows in this place: the other version, twice, cut, without HMAC.
        Malformed => "malformed",
        /// A SYN/ACK that returns our own option: the key of version 0, the 4 bytes of version 1, token and random number of a join, or the canary.
        Mirrored => "mirrored",
        /// A SYN/ACK with MP_CAPABLE of version 0 and a key of its own.
        V0 => "v0",
        /// A SYN/ACK with MP_CAPABLE of version 1 and a key of its own.
        V1 => "v1",
    }
}

impl Finding {
    /// Of several findings the weightiest counts: a SYN/ACK before a reset, that before an ICMP error; and a mirror betrays itself at
    /// any time.
    pub(crate) fn weight(self) -> u8 {
        match self {
            Self::Silent => 0,
            Self::Icmp => 1,
            Self::Reset => 2,
            Self::MptcpReset => 3,
            Self::Mirrored => 5,
            Self::NoOption | Self::Stripped | Self::Malformed | Self::V0 | Self::V1 => 4,
        }
    }
}

names! {
    /// What all answers of a target together say.
    pub enum Verdict {
        /// Answers both versions properly.
        SupportsBoth => "supports_both",
        /// Answers version 1 properly.
        SupportsV1 => "supports_v1",
        /// Answers version 0 properly.
        SupportsV0 => "supports_v0",
        /// Something returns what it is sent: no support.
        Mirrored => "mirrored",
        /// Answers with an option that no version knows in this place.
        Malformed => "malformed",
        /// A box on the way back pads over the option of the SYN/ACK.
        Stripped => "stripped",
        /// Answers, without the option.
        PlainTcp => "plain_tcp",
        /// Answers a plain SYN, and does not answer one with the option.
        DroppedWithOption => "dropped_with_option",
        /// Answers a plain SYN, and resets one with the option.
        ResetWithOption => "reset_with_option",
        /// Answers a plain SYN, and was not asked for Multipath TCP.
        Open => "open",
        /// Resets every SYN.
        Closed => "closed",
        /// Someone says by ICMP that it cannot be reached.
        Unreachable => "unreachable",
        /// Nothing answers at all.
        Filtered => "filtered",
    }
}

names! {
    /// How a campaign ended.
    pub enum End {
        /// Everything was sent and settled.
        Complete => "complete",
        /// It was stopped.
        Stopped => "stopped",
        /// Its time was over.
        OutOfTime => "out_of_time",
        /// The interface went away or could not send.
        Interface => "interface",
        /// The rows could not be taken.
        Output => "output",
    }
}

names! {
    /// How frames of a scan left.
    pub enum Sending {
        /// By AF_XDP in copy mode.
        Xdp => "af_xdp",
        /// By packet sockets, past the queueing discipline.
        Direct => "af_packet",
        /// By packet sockets, through the queueing discipline.
        Queued => "af_packet_queued",
    }
}
