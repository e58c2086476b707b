//! The fixed names of what a path does to probes.

use subflow_rows::names;

names! {
    /// What a probe of a path asks. Beside each there is a plain SYN, to tell what the option is to blame for.
    pub enum Asks {
        /// A SYN with MP_CAPABLE of version 1, 4 bytes (RFC 8684, section 3.1).
        V1 => "v1",
        /// A SYN with MP_CAPABLE of version 0, 12 bytes with a key (RFC 6824, section 3.1).
        V0 => "v0",
        /// A SYN with both, version 1 first.
        Both => "both",
        /// A SYN with MP_JOIN and a token that nobody has (RFC 8684, section 3.2).
        Join => "join",
        /// A SYN with an experimental option that nobody knows (RFC 4727, section 2).
        Canary => "canary",
        /// A SYN of plain TCP.
        Plain => "plain",
        /// Data on an open connection, with the option that belongs there.
        Data => "data",
        /// A SYN with options that the user chose.
        Custom => "custom",
    }
}

names! {
    /// What came back of the probes that were to end at a hop.
    pub enum HopAnswer {
        /// "Time exceeded" (RFC 792, RFC 4443): a router, and a quote of the probe as it got there.
        TimeExceeded => "time_exceeded",
        /// Another ICMP error: someone cannot or will not deliver.
        Unreachable => "unreachable",
        /// A SYN/ACK: the target, or who speaks for it.
        SynAck => "syn_ack",
        /// A reset.
        Reset => "reset",
        /// A segment of the open connection.
        Ack => "ack",
        /// Nothing, however often it was asked.
        Silent => "silent",
    }
}

names! {
    /// How much of a probe an ICMP error quotes.
    pub enum QuoteKind {
        /// All of it.
        Full => "full",
        /// IP and TCP headers with all options; the payload is cut.
        Headers => "headers",
        /// More than 8 bytes of TCP, but not all options.
        Partial => "partial",
        /// 8 bytes of TCP, ports and sequence number (RFC 792).
        Minimal => "minimal",
        /// Less than that.
        Short => "short",
    }
}

names! {
    /// What part of a packet a box changed.
    pub enum Field {
        /// Length of the IPv4 header: IP options came or went.
        IpHeaderLength => "ip_header_length",
        /// Differentiated services code point.
        Dscp => "dscp",
        /// The two bits of explicit congestion notification in the IP header.
        IpEcn => "ip_ecn",
        /// Length of the packet.
        IpLength => "ip_length",
        /// Identification of IPv4.
        IpId => "ip_id",
        /// Flags of IPv4: do not fragment, more fragments, and the reserved one.
        IpFlags => "ip_flags",
        /// Fragment offset of IPv4.
        FragmentOffset => "fragment_offset",
        /// Time to live or hop limit, beyond what routers do to it.
        Ttl => "ttl",
        /// Protocol, or next header.
        Protocol => "protocol",
        /// Source address.
        SrcAddr => "src_addr",
        /// Destination address.
        DstAddr => "dst_addr",
        /// IPv4 options.
        IpOptions => "ip_options",
        /// Flow label of IPv6.
        FlowLabel => "flow_label",
        /// Source port.
        SrcPort => "src_port",
        /// Destination port.
        DstPort => "dst_port",
        /// Sequence number.
        Sequence => "sequence",
        /// Acknowledgement number.
        Acknowledgement => "acknowledgement",
        /// Length of the TCP header.
        TcpHeaderLength => "tcp_header_length",
        /// Flags of TCP, the reserved bits included.
        Flags => "flags",
        /// Receive window.
        Window => "window",
        /// Checksum of TCP.
        Checksum => "checksum",
        /// Urgent pointer.
        Urgent => "urgent",
        /// Option maximum segment size.
        Mss => "mss",
        /// Option window scale.
        WindowScale => "window_scale",
        /// Option SACK permitted.
        SackPermitted => "sack_permitted",
        /// Option timestamps.
        Timestamps => "timestamps",
        /// Option of Multipath TCP.
        Mptcp => "mptcp",
        /// Option Fast Open.
        FastOpen => "fast_open",
        /// Any other option of TCP.
        OtherOption => "other_option",
        /// The order of the options.
        OptionOrder => "option_order",
        /// Bytes between and behind the options.
        Padding => "padding",
        /// What follows the TCP header.
        Payload => "payload",
    }
}

names! {
    /// What a box did to a field.
    pub enum ChangeKind {
        /// Another value.
        Changed => "changed",
        /// Padding stands in the place of the option; all lengths are as they were.
        Padded => "padded",
        /// The option is gone, and the header is shorter.
        Removed => "removed",
        /// Something that was not sent.
        Added => "added",
        /// An option twice that was sent once.
        Doubled => "doubled",
        /// The same options in another order.
        Moved => "moved",
        /// The checksum does not fit what it covers: the packet will not be taken.
        Broken => "broken",
    }
}

names! {
    /// Which way the packet went that was changed.
    pub enum Direction {
        /// On the way to the target: seen in the quotes of the routers behind the box.
        Forward => "forward",
        /// On the way back: the routes of both ways can differ, and where on the way cannot be told.
        Return => "return",
    }
}

names! {
    /// What a path makes of Multipath TCP.
    pub enum Category {
        /// The target itself answered properly.
        True => "true",
        /// A box on the way changed the option, answered, or let nothing with it pass.
        MiddleboxAffected => "middlebox_affected",
        /// The target itself answered, without the option, and no box was seen to be to blame.
        Plain => "plain",
        /// The target does not open a connection, whether asked for Multipath TCP or not.
        Unresponsive => "unresponsive",
    }
}

names! {
    /// What the boxes on a path do.
    pub enum Behaviour {
        /// Nothing.
        PassThrough => "pass_through",
        /// The option is taken out or padded over.
        Strip => "strip",
        /// Nothing with the option passes.
        Drop => "drop",
        /// Who asks with the option is sent a reset.
        Reset => "reset",
        /// Options come back as they were sent.
        Mirror => "mirror",
        /// A box answers in the target's place: its SYN/ACK comes from fewer hops than the target's other answers.
        Proxy => "proxy",
        /// Fields are given other values.
        Rewrite => "rewrite",
        /// Addresses or ports are translated, where that shows.
        Nat => "nat",
    }
}

names! {
    /// How sure a verdict is.
    pub enum Confidence {
        /// Seen at least twice, and nothing speaks against it.
        High => "high",
        /// Seen at least twice, but something that would confirm or place it did not answer.
        Medium => "medium",
        /// Seen once, or inferred.
        Low => "low",
    }
}
