//! The fixed names in the tables of `check`.

use subflow_rows::names;

names! {
    /// What a check found on one path, from one local address to one port.
    pub enum CheckVerdict {
        /// Multipath TCP was agreed upon and is still in use after data went both ways.
        Works => "works",
        /// Multipath TCP was agreed upon, and no data came to tell whether it lasts.
        HandshakeOnly => "handshake_only",
        /// The option did not reach the server in the SYN.
        StrippedSyn => "stripped_syn",
        /// The option of the server's SYN/ACK did not come back.
        StrippedSynAck => "stripped_syn_ack",
        /// The handshake kept the option, later packets lost it or its mapping, and the connection fell back.
        StrippedData => "stripped_data",
        /// Nothing answers a SYN with the option; one without it is answered.
        Dropped => "dropped",
        /// A SYN with the option is reset; one without it is answered.
        Reset => "reset",
        /// The handshake with the option works, then no data gets through; without the option it does.
        Stalled => "stalled",
        /// The SYN/ACK returns our own option.
        Mirrored => "mirrored",
        /// The option arrived with another content.
        Altered => "altered",
        /// Another host ends our connection and opens one of its own to the server.
        Proxied => "proxied",
        /// The connection fell back to plain TCP, and where the option got lost is not known.
        FellBack => "fell_back",
        /// The server's system does not speak Multipath TCP, or it is switched off there.
        ServerWithout => "server_without",
        /// This system sent no option: it does not speak Multipath TCP, or it is switched off, perhaps by itself for a while.
        NotSent => "not_sent",
        /// Every connection is reset: nothing listens there, or a firewall says so.
        Closed => "closed",
        /// No connection could be made, with the option or without.
        Unreachable => "unreachable",
    }
}

impl CheckVerdict {
    /// Whether a box on the path keeps Multipath TCP from working end to end; null when that cannot be told.
    pub const fn affected(self) -> Option<bool> {
        match self {
            Self::Works => Some(false),
            Self::StrippedSyn
            | Self::StrippedSynAck
            | Self::StrippedData
            | Self::Dropped
            | Self::Reset
            | Self::Stalled
            | Self::Mirrored
            | Self::Altered
            | Self::Proxied => Some(true),
            Self::HandshakeOnly
            | Self::FellBack
            | Self::ServerWithout
            | Self::NotSent
            | Self::Closed
            | Self::Unreachable => None,
        }
    }
}

names! {
    /// What came of an attempt at a connection.
    pub enum Attempt {
        /// It was made, and data went both ways.
        Complete => "complete",
        /// It was made, and then no data came.
        Stalled => "stalled",
        /// It was made, and then it was reset or closed.
        Broken => "broken",
        /// Nothing answered the SYN.
        TimedOut => "timed_out",
        /// The SYN was reset.
        Reset => "reset",
        /// The system or a router says that there is no way.
        Unreachable => "unreachable",
        /// The system refused something else.
        Failed => "failed",
    }
}

names! {
    /// What became of the option of Multipath TCP on its way from one end to the other.
    pub enum Passage {
        /// It arrived as it was sent.
        Kept => "kept",
        /// Padding arrived in its place.
        Padded => "padded",
        /// It was missing.
        Removed => "removed",
        /// It arrived with another content.
        Altered => "altered",
        /// The other end's own option came back.
        Mirrored => "mirrored",
        /// It was not sent.
        NotSent => "not_sent",
    }
}

names! {
    /// What came of an attempt to join a second subflow to a connection.
    pub enum JoinResult {
        /// The server answered with the HMAC that only it can know.
        Joined => "joined",
        /// It answered with MP_JOIN, but a wrong HMAC.
        WrongHmac => "wrong_hmac",
        /// A SYN/ACK came without MP_JOIN: a box took the option out, or answered itself.
        NoOption => "no_option",
        /// The server refused by a reset that says why (MP_TCPRST, RFC 8684, section 3.6).
        Refused => "refused",
        /// It was reset.
        Reset => "reset",
        /// Nothing came.
        Silent => "silent",
    }
}

names! {
    /// What an end knows of its packets, and from where.
    pub enum Sight {
        /// It saw them: a packet socket.
        Packets => "packets",
        /// It saw the SYN: the system kept it.
        SavedSyn => "saved_syn",
        /// It knows what the system says of the connection.
        System => "system",
    }
}

names! {
    /// What came of one download.
    pub enum FetchOutcome {
        /// The whole answer came.
        Complete => "complete",
        /// It was left when it had as many bytes as were allowed.
        Enough => "enough",
        /// The connection could not be made.
        NoConnection => "no_connection",
        /// TLS could not be agreed upon.
        NoTls => "no_tls",
        /// What came is no answer of HTTP.
        NoHttp => "no_http",
        /// The connection ended before the answer did.
        Broken => "broken",
        /// The time was over.
        TimedOut => "timed_out",
    }
}

names! {
    /// What became of Multipath TCP in a connection that asked for it, as this system tells it.
    pub enum Negotiated {
        /// It was agreed upon and kept to the end.
        Kept => "kept",
        /// It was agreed upon, and the connection fell back later.
        FellBack => "fell_back",
        /// The answer to the SYN did not have the option.
        Refused => "refused",
        /// Nothing answered the SYN with the option, and this system left it out in the end.
        Dropped => "dropped",
        /// This system did not ask for it.
        NotSent => "not_sent",
    }
}
