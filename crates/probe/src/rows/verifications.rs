//! Table `verifications`.

use std::net::IpAddr;

use subflow_rows::{Hex32, Hex64, Time, names, table};

names! {
    /// What a server proved, or failed to prove, about one version of Multipath TCP.
    pub enum Conclusion {
        /// It acknowledged our data with numbers made from our key, proved its own key, and took a second subflow that it proved by HMAC.
        TrueSupport => "true_support",
        /// It proved both keys on the first subflow, and takes no second one to the same address and port.
        RefusesJoins => "refuses_joins",
        /// It acknowledged our data with numbers made from our key, but nothing proved its own: it sent no data and no HMAC.
        Unproven => "unproven",
        /// Its data sequence numbers or HMAC fit other keys than those in the handshake: a box changed a key on the way.
        KeyRewritten => "key_rewritten",
        /// The handshake has the option, and no packet behind it: a box takes it out of packets that are no SYN.
        StrippedInData => "stripped_in_data",
        /// Data with the option is lost or reset, while the same request over plain TCP is acknowledged.
        BlockedInData => "blocked_in_data",
        /// Something nearer than the target ends the connections, by the number of hops to whoever answers.
        Proxied => "proxied",
        /// TCP works, and Multipath TCP is given up: column `fallback` says where.
        FallsBack => "falls_back",
        /// Something returns our own options as they were sent: no support.
        Mirrored => "mirrored",
        /// Options or numbers that no version allows in their place.
        Malformed => "malformed",
        /// SYNs with the option vanish, while a plain one is answered.
        DroppedWithOption => "dropped_with_option",
        /// SYNs with the option are reset, while a plain one is answered.
        ResetWithOption => "reset_with_option",
        /// SYNs are answered, and then nothing is acknowledged: no TCP that works.
        NoTcp => "no_tcp",
        /// Every SYN is reset.
        Closed => "closed",
        /// Someone says by ICMP that it cannot be reached.
        Unreachable => "unreachable",
        /// Nothing answers at all.
        Filtered => "filtered",
    }
}

impl Conclusion {
    /// Whether the target itself speaks the version, as far as it can be proved.
    pub fn supports(self) -> bool {
        matches!(self, Self::TrueSupport | Self::RefusesJoins)
    }
}

names! {
    /// What came of the SYN with MP_CAPABLE.
    pub enum SynStep {
        /// Nothing came.
        Silent => "silent",
        /// An ICMP error.
        Icmp => "icmp",
        /// A reset.
        Reset => "reset",
        /// A SYN/ACK without an option of Multipath TCP.
        NoOption => "no_option",
        /// A SYN/ACK with padding where the option would be.
        Padded => "padded",
        /// A SYN/ACK with an option that the version does not know in this place.
        Malformed => "malformed",
        /// A SYN/ACK that returns our own option.
        Mirrored => "mirrored",
        /// A SYN/ACK with a key of its own.
        Capable => "capable",
    }
}

names! {
    /// What came of our first data, which carries both keys (version 1) or a mapping (version 0).
    pub enum DataStep {
        /// Not acknowledged, by TCP or otherwise.
        Silent => "silent",
        /// The connection was reset.
        Reset => "reset",
        /// Acknowledged by TCP alone: no option of Multipath TCP in any packet after the SYN/ACK.
        NoSignal => "no_signal",
        /// Our own option came back as it was sent.
        Mirrored => "mirrored",
        /// MP_FAIL.
        Fail => "mp_fail",
        /// The infinite mapping, which ends the use of mappings.
        Infinite => "infinite_mapping",
        /// A DATA_ACK that no number made from our key explains.
        OtherKey => "other_key",
        /// A DATA_ACK that our key explains, but for data that was never sent.
        BadAck => "bad_ack",
        /// Signals came, but none that acknowledged the data.
        Unacknowledged => "unacknowledged",
        /// Acknowledged with the DATA_ACK that our key demands.
        Acknowledged => "acknowledged",
    }
}

names! {
    /// What came of the server's own data.
    pub enum AnswerStep {
        /// It sent none.
        Nothing => "nothing",
        /// It sent data without a mapping.
        Unmapped => "unmapped",
        /// Its first mapping is not where its key puts it.
        OtherKey => "other_key",
        /// Mappings came, but not that of the first byte.
        Later => "later",
        /// Its first mapping begins where its key puts it.
        Mapped => "mapped",
    }
}

names! {
    /// What came of the second subflow.
    pub enum JoinStep {
        /// Not tried: the server's MP_CAPABLE forbids joins to its address and port (flag C).
        Forbidden => "forbidden",
        /// Nothing answered its SYN.
        Silent => "silent",
        /// An ICMP error.
        Icmp => "icmp",
        /// A reset answered its SYN.
        Reset => "reset",
        /// A SYN/ACK without MP_JOIN.
        NoOption => "no_option",
        /// A SYN/ACK that returns our own MP_JOIN.
        Mirrored => "mirrored",
        /// A SYN/ACK with an MP_JOIN of another form.
        Malformed => "malformed",
        /// A SYN/ACK whose HMAC is not that of the two keys.
        WrongHmac => "wrong_hmac",
        /// The HMAC is right, but nothing came after ours.
        Unconfirmed => "unconfirmed",
        /// The HMAC is right, and ours was answered by a reset.
        Dropped => "dropped",
        /// The HMAC is right, and ours was acknowledged.
        Confirmed => "confirmed",
        /// As before, and data that we sent on it was acknowledged by a DATA_ACK.
        Carried => "carried",
    }
}

names! {
    /// Where Multipath TCP was given up.
    pub enum GivenUp {
        /// The SYN/ACK has no option.
        SynAck => "synack",
        /// The SYN/ACK has padding where the option would be: a box on the way back took it out.
        SynAckPadded => "synack_padded",
        /// The server acknowledges data properly, and then sends data without a mapping.
        FirstData => "first_data",
        /// MP_FAIL.
        Fail => "mp_fail",
        /// The infinite mapping.
        Infinite => "infinite_mapping",
    }
}

names! {
    /// What came of the same request over plain TCP.
    pub enum PlainStep {
        /// Nothing answered the SYN.
        Silent => "silent",
        /// An ICMP error.
        Icmp => "icmp",
        /// The SYN was reset.
        Reset => "reset",
        /// The SYN was answered; the request was not acknowledged.
        Mute => "mute",
        /// The SYN was answered; the request was reset.
        Dropped => "dropped",
        /// The request was acknowledged, and not answered.
        Acknowledged => "acknowledged",
        /// The request was answered with data.
        Answered => "answered",
    }
}

table! {
    /// One row per target and version that was verified: what it proved, and what each step gave.
    pub struct Verification: "verifications" {
        /// When the first packet of this version was sent.
        pub time: Time,
        /// Address.
        pub addr: IpAddr,
        /// Port.
        pub port: u16,
        /// Version of Multipath TCP that was tried.
        pub version: u8,
        /// What it proved.
        pub conclusion: Conclusion,
        /// Where Multipath TCP was given up; null where it was not, or where its absence has another reason.
        pub fallback: Option<GivenUp>,
        /// What came of the SYN with MP_CAPABLE.
        pub syn: SynStep,
        /// What came of our first data; null when the SYN was not answered.
        pub data: Option<DataStep>,
        /// What came of the server's own data; null when none of ours was acknowledged.
        pub answer: Option<AnswerStep>,
        /// What came of the second subflow; null when the first gave no reason to try one.
        pub join: Option<JoinStep>,
        /// What came of the same request over plain TCP; null when there was no need to try.
        pub plain: Option<PlainStep>,
        /// Whether something nearer than the target answered its SYNs, by numbers of hops; null when these are not known.
        pub proxied: Option<bool>,
        /// Smallest hop limit with which a SYN was answered by a SYN/ACK.
        pub synack_hops: Option<u8>,
        /// Smallest hop limit with which a SYN to a closed port was answered by a reset.
        pub reset_hops: Option<u8>,
        /// Smallest hop limit with which an echo request was answered.
        pub echo_hops: Option<u8>,
        /// Our address.
        pub src_addr: IpAddr,
        /// Our port of the first subflow.
        pub src_port: u16,
        /// Whether the second subflow was opened before any data was sent, in a connection of its own, because the server had answered
        /// and ended the first one before there was another subflow.
        pub join_first: bool,
        /// Our port of the second subflow; null when none was tried.
        pub join_src_port: Option<u16>,
        /// Flag byte of the server's MP_CAPABLE.
        pub flags: Option<u8>,
        /// Whether data carried DSS checksums.
        pub checksum: Option<bool>,
        /// Our key.
        pub client_key: Hex64,
        /// The server's key as it came in the SYN/ACK.
        pub server_key: Option<Hex64>,
        /// Token of our key.
        pub client_token: Hex32,
        /// Token of the server's key, by which the second subflow named the connection.
        pub server_token: Option<Hex32>,
        /// The DATA_ACK that our key demands after our first data.
        pub data_ack_expected: Option<Hex64>,
        /// The first DATA_ACK that reached it or missed it, else the last one; of a short one the upper half is ours.
        pub data_ack_seen: Option<Hex64>,
        /// The data sequence number that the server's key demands of its first byte.
        pub dsn_expected: Option<Hex64>,
        /// The data sequence number nearest to it that came; of a short one the upper half is that of the expected one.
        pub dsn_seen: Option<Hex64>,
        /// Whether the DSS checksums of the server's data were right; null when it sent none.
        pub checksum_ok: Option<bool>,
        /// The HMAC that the SYN/ACK of the second subflow has to carry.
        pub hmac_expected: Option<Hex64>,
        /// The HMAC that it carried.
        pub hmac_seen: Option<Hex64>,
        /// Whether they are the same; null when none came.
        pub hmac_ok: Option<bool>,
        /// Reason of an MP_TCPRST on the first subflow.
        pub reset_reason: Option<u8>,
        /// Reason of an MP_TCPRST on the second subflow.
        pub join_reset_reason: Option<u8>,
        /// Addresses that the server announced, each as `id=address` or `id=address port`, separated by commas; null for none.
        pub announced: Option<String>,
        /// Whether the HMACs of all announcements were right; null when none had one.
        pub announced_ok: Option<bool>,
        /// Data-level bytes that we sent.
        pub sent_bytes: u64 => "B",
        /// Payload that came, on all subflows, each byte once.
        pub received_bytes: u64 => "B",
        /// What the server's answer begins with, in words: the status line of HTTP, the kind of TLS record, or its first bytes.
        pub response: Option<String>,
        /// From SYN to SYN/ACK of the first subflow; null when the SYN was repeated.
        pub rtt: Option<f64> => "s",
        /// From first data to its DATA_ACK, or, without one, to its acknowledgement.
        pub data_rtt: Option<f64> => "s",
        /// From SYN to SYN/ACK of the second subflow; null when the SYN was repeated.
        pub join_rtt: Option<f64> => "s",
        /// Time to live, or hop limit, with which the first answer came.
        pub ttl: Option<u8>,
        /// Maximum segment size in the SYN/ACK.
        pub mss: Option<u16> => "B",
        /// Receive window of the SYN/ACK, not scaled.
        pub window: Option<u16> => "B",
        /// All options of the SYN/ACK as they stood, in hexadecimal.
        pub options: Option<String>,
        /// ICMP or ICMPv6 type of the first error.
        pub icmp_type: Option<u8>,
        /// ICMP or ICMPv6 code of the first error.
        pub icmp_code: Option<u8>,
        /// Who sent the first ICMP error.
        pub icmp_from: Option<IpAddr>,
        /// Packets sent for this version.
        pub packets_sent: u32,
        /// Of these, repeated ones.
        pub packets_again: u32,
        /// Packets that came.
        pub packets_received: u32,
        /// From the first packet to the end.
        pub duration: f64 => "s",
    }
}
