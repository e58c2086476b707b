//! The fixed names that stand in text columns.

use subflow_rows::names;

names! {
    /// IP version of a packet or address.
    pub enum Family {
        /// IPv4
        Ipv4 => "ipv4",
        /// IPv6
        Ipv6 => "ipv6",
    }
}

names! {
    /// Which way bytes went, seen from the connection: the client is the sender of the initial SYN.
    pub enum Direction {
        /// Client to server.
        C2s => "c2s",
        /// Server to client.
        S2c => "s2c",
    }
}

impl Direction {
    /// The other way.
    pub const fn reverse(self) -> Self {
        match self {
            Self::C2s => Self::S2c,
            Self::S2c => Self::C2s,
        }
    }

    /// 0 for `c2s`, 1 for `s2c`: the index in every per-direction pair.
    pub const fn index(self) -> usize {
        self as usize
    }
}

names! {
    /// Which end of the connection sent a subflow's SYN.
    pub enum Opener {
        /// The end that opened the connection.
        Client => "client",
        /// The other end.
        Server => "server",
    }
}

names! {
    /// How far a subflow came.
    pub enum State {
        /// Its three-way handshake completed (a join: the third ACK with the HMAC, or data acknowledged later).
        Established => "established",
        /// A SYN that nothing answered.
        SynLost => "syn_lost",
        /// The SYN was answered by a reset.
        Refused => "refused",
        /// A SYN/ACK came, then a reset before the subflow was established.
        Reset => "reset",
        /// A SYN/ACK came, its confirmation did not.
        Unconfirmed => "unconfirmed",
        /// A join was answered without MP_JOIN: a box took the option away, or the peer is not the one.
        Stripped => "stripped",
        /// The handshake is not in the capture, traffic is.
        Midstream => "midstream",
    }
}

names! {
    /// Where a connection fell back to plain TCP (RFC 8684, section 3.7).
    pub enum Fallback {
        /// It did not.
        None => "none",
        /// The option was gone from the SYN when the server got it, or the client retried without it.
        Syn => "syn",
        /// The SYN carried MP_CAPABLE, the SYN/ACK did not.
        SynAck => "synack",
        /// The SYN/ACK returned the client's own option: a mirroring box, so the client cannot use it.
        Mirror => "mirror",
        /// The third ACK and the first data went without MPTCP options.
        FirstData => "first_data",
        /// A DSS checksum failed: MP_FAIL, then an infinite mapping or data without mappings.
        Checksum => "checksum",
        /// MPTCP options went missing, or an infinite mapping was sent, later on.
        Later => "later",
    }
}

names! {
    /// How a connection ended.
    pub enum Close {
        /// DATA_FIN in both directions, or in one and nothing after it.
        DataFin => "data_fin",
        /// MP_FASTCLOSE.
        FastClose => "fastclose",
        /// Its last subflow was reset.
        Reset => "reset",
        /// TCP FINs only: a connection that fell back, or whose DATA_FIN was not seen.
        Fin => "fin",
        /// Nothing heard for longer than the idle limit.
        Timeout => "timeout",
        /// The capture ended first.
        Open => "open",
    }
}

names! {
    /// Why data was sent again on another subflow, as far as a capture shows it.
    pub enum ReinjectionCause {
        /// The subflow that held the data had been reset or closed.
        HolderClosed => "holder_closed",
        /// The subflow that held the data was repeating itself after a timeout, or had gone silent.
        HolderTimeout => "holder_timeout",
        /// The subflow that held the data did not show a timeout, but no DATA_ACK had moved on for as long as one takes:
        /// the sender's timer for the data level.
        DataTimeout => "data_timeout",
        /// The subflow that held the data showed a loss without a timeout: duplicate or selective ACKs, or a fast
        /// retransmission; told at the sender only.
        HolderLoss => "holder_loss",
        /// The data went out on both subflows within the same round-trip time; told at the sender only.
        Redundant => "redundant",
        /// Sent elsewhere later than that, while the holder showed neither silence nor loss; told at the sender only.
        Opportunistic => "opportunistic",
    }
}

names! {
    /// What held a direction up.
    pub enum StallKind {
        /// Data fills the receive window so that less than a segment fits, or it is closed.
        ReceiveWindow => "receive_window",
        /// The receiver holds data that it cannot hand on: a lower byte is missing.
        HeadOfLine => "head_of_line",
        /// Everything was acknowledged, and the application had nothing to send until later.
        Application => "application",
        /// Data was in flight and the window open, but nothing new was sent or acknowledged.
        NoProgress => "no_progress",
    }
}

names! {
    /// What an event is.
    pub enum EventKind {
        /// Data moved to another subflow after one died without closing.
        Handover => "handover",
        /// The connection fell back to plain TCP.
        Fallback => "fallback",
        /// MP_PRIO changed a subflow's priority.
        MpPrio => "mp_prio",
        /// MP_FAIL: the DSS checksum failed at the sender of this option.
        MpFail => "mp_fail",
        /// MP_FASTCLOSE.
        FastClose => "fastclose",
        /// MP_TCPRST gave a reason for a reset.
        TcpRst => "tcprst",
        /// REMOVE_ADDR withdrew addresses.
        RemoveAddr => "remove_addr",
        /// DATA_FIN: the end of one direction's data.
        DataFin => "data_fin",
        /// A mapping of length 0: MPTCP ends here, the rest is one plain byte stream.
        InfiniteMapping => "infinite_mapping",
        /// Something that the RFCs forbid; the detail says what.
        Violation => "violation",
    }
}

names! {
    /// What a packet did with data-level bytes.
    pub enum Carried {
        /// Carried them for the first time.
        New => "new",
        /// Carried again what another subflow had carried.
        Reinjection => "reinjection",
        /// Carried them again on the same subflow, under new subflow sequence numbers.
        MetaRetransmission => "meta_retransmission",
        /// Repeated the same subflow sequence numbers: a retransmission of TCP.
        Retransmission => "retransmission",
    }
}

names! {
    /// Which round-trip time a sample is of.
    pub enum Sampled {
        /// Data to the ACK that covers it, by Karn's rule.
        Ack => "ack",
        /// A TCP timestamp to its first echo (RFC 7323).
        Timestamp => "timestamp",
        /// Data to the DATA_ACK that covers it.
        DataAck => "data_ack",
    }
}
