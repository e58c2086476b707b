//! What an analysis of conformance can find, and the rule that each finding rests on.

use super::EventKind;
use subflow_rows::names;
use subflow_wire::keys::Version;

/// Declares the findings once: name, weight, the rule in RFC 8684 and in RFC 6824, and what it means.
macro_rules! findings {
    ($($(#[doc = $doc:literal])+ $variant:ident => $name:literal, $kind:ident, $v1:literal, $v0:literal;)+) => {
        names! {
            /// A thing that contradicts the RFCs, or that they allow and that is worth knowing.
            pub enum Finding {
                $($(#[doc = $doc])+ $variant => $name,)+
            }
        }

        impl Finding {
            /// Whether the RFCs forbid it (`violation`) or it may be in order (`advice`).
            pub const fn kind(self) -> EventKind {
                match self { $(Self::$variant => EventKind::$kind,)+ }
            }

            /// The rule, as it is numbered for this version of the protocol; unknown versions count as 1.
            pub const fn rule(self, version: Option<Version>) -> &'static str {
                match (self, version) {
                    $((Self::$variant, Some(Version::V0)) => $v0, (Self::$variant, _) => $v1,)+
                }
            }

            /// The rule in RFC 8684 (version 1) and in RFC 6824 (version 0).
            pub const fn rules(self) -> [&'static str; 2] {
                match self { $(Self::$variant => [$v1, $v0],)+ }
            }

            /// What it means, in words.
            pub const fn doc(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc,)+),)+ }
            }
        }
    };
}

findings! {
    /// The options of a TCP header cannot be walked to their end.
    OptionsDamaged => "options_damaged", Violation, "RFC 9293, section 3.1", "RFC 9293, section 3.1";
    /// The length of an MPTCP option fits no form of its subtype.
    OptionLength => "option_length", Violation, "RFC 8684, section 3", "RFC 6824, section 3";
    /// An MPTCP option of a subtype that is not assigned.
    OptionUnknown => "option_unknown", Violation, "RFC 8684, section 7.2", "RFC 6824, section 8";
    /// Bits of an MPTCP option are set that have no meaning; receivers ignore them.
    ReservedBits => "reserved_bits", Advice, "RFC 8684, section 3", "RFC 6824, section 3";
    /// MP_CAPABLE on a joined subflow, or MP_JOIN on the initial one.
    HandshakeMisplaced => "handshake_misplaced", Violation, "RFC 8684, section 3.2", "RFC 6824, section 3.2";
    /// The SYN/ACK answers with an MP_CAPABLE that the client cannot use.
    CapableUnusable => "capable_unusable", Violation, "RFC 8684, section 3.1", "RFC 6824, section 3.1";
    /// The SYN/ACK returns the client's own MP_CAPABLE: a box on the path, or a host that copies options, mirrors it.
    CapableMirrored => "capable_mirrored", Advice, "RFC 8684, section 3.1", "RFC 6824, section 3.1";
    /// Flag B of MP_CAPABLE is set, which is to be 0.
    CapableFlagB => "capable_flag_b", Violation, "RFC 8684, section 3.1", "RFC 6824, section 3.1";
    /// MP_CAPABLE in a SYN offers no cryptographic algorithm: flag H and its neighbours are 0.
    CapableNoAlgorithm => "capable_no_algorithm", Violation, "RFC 8684, section 3.1", "RFC 6824, section 3.1";
    /// The third ACK names another key than the handshake before it.
    CapableOtherKey => "capable_other_key", Violation, "RFC 8684, section 3.1", "RFC 6824, section 3.1";
    /// The first packet of the client after the SYN/ACK carried no MP_CAPABLE, yet MPTCP went on.
    CapableUnconfirmed => "capable_unconfirmed", Advice, "RFC 8684, section 3.1", "RFC 6824, section 3.1";
    /// The key does not fit the data sequence numbers that came before it.
    KeyMisfit => "key_misfit", Violation, "RFC 8684, section 3.1", "RFC 6824, section 3.1";
    /// One side asked for checksums, the third ACK says that there are none.
    ChecksumFlagDropped => "checksum_flag_dropped", Violation, "RFC 8684, section 3.1", "RFC 6824, section 3.1";
    /// Checksums were agreed upon, a mapping came without one.
    ChecksumMissing => "checksum_missing", Violation, "RFC 8684, section 3.3.1", "RFC 6824, section 3.3.1";
    /// No checksums were agreed upon, a mapping carries one.
    ChecksumUnasked => "checksum_unasked", Violation, "RFC 8684, section 3.3.1", "RFC 6824, section 3.3.1";
    /// The DSS checksum does not fit the bytes it covers: they, or the mapping, were changed on the path.
    ChecksumWrong => "checksum_wrong", Violation, "RFC 8684, section 3.3.1", "RFC 6824, section 3.3.1";
    /// The HMAC of a join is wrong.
    JoinHmacWrong => "join_hmac_wrong", Violation, "RFC 8684, section 3.2", "RFC 6824, section 3.2";
    /// A join with a token that belongs to no connection of the capture: a wrong token, or a connection that began before.
    JoinTokenUnknown => "join_token_unknown", Advice, "RFC 8684, section 3.2", "RFC 6824, section 3.2";
    /// A join before the handshake of the initial subflow was complete.
    JoinTooEarly => "join_too_early", Violation, "RFC 8684, section 3.2", "RFC 6824, section 3.2";
    /// A join to the address and port for which the peer had forbidden it by flag C.
    JoinForbidden => "join_forbidden", Violation, "RFC 8684, section 3.1", "RFC 8684, section 3.1";
    /// A join to a connection that had fallen back to plain TCP.
    JoinAfterFallback => "join_after_fallback", Advice, "RFC 8684, section 3.7", "RFC 6824, section 3.6";
    /// The HMAC of an ADD_ADDR is wrong.
    AddAddrHmacWrong => "add_addr_hmac_wrong", Violation, "RFC 8684, section 3.4.1", "RFC 8684, section 3.4.1";
    /// An ADD_ADDR without the HMAC that version 1 asks for.
    AddAddrHmacMissing => "add_addr_hmac_missing", Violation, "RFC 8684, section 3.4.1", "RFC 8684, section 3.4.1";
    /// An announcement that was never echoed: it, or the echo, was lost, or the receiver ignores it.
    AddAddrNotEchoed => "add_addr_not_echoed", Advice, "RFC 8684, section 3.4.1", "RFC 8684, section 3.4.1";
    /// An echo of an announcement that is not in the capture.
    AddAddrEchoUnasked => "add_addr_echo_unasked", Advice, "RFC 8684, section 3.4.1", "RFC 8684, section 3.4.1";
    /// Two addresses under one address id, without REMOVE_ADDR between them.
    AddressIdReused => "address_id_reused", Violation, "RFC 8684, section 3.4.1", "RFC 6824, section 3.4.1";
    /// An announced address that no other host can reach: loopback, link-local, multicast, unspecified, reserved, or one
    /// kept for documentation.
    UnreachableAddressAnnounced => "unreachable_address_announced", Advice, "RFC 6890, section 2.2.2", "RFC 6890, section 2.2.2";
    /// A host on a public address announces a private one, which its peer cannot reach over the Internet.
    PrivateAddressAnnounced => "private_address_announced", Advice, "RFC 6890, section 2.2.2", "RFC 6890, section 2.2.2";
    /// REMOVE_ADDR of an address id that neither an announcement nor a subflow had used.
    RemoveAddrUnknown => "remove_addr_unknown", Advice, "RFC 8684, section 3.8", "RFC 6824, section 3.7";
    /// MP_PRIO on a subflow that was not established.
    PrioUnestablished => "prio_unestablished", Advice, "RFC 8684, section 3.3.8", "RFC 6824, section 3.3.8";
    /// Data on a subflow for which the receiver had asked as a backup only, while a regular one was alive.
    BackupUsed => "backup_used", Advice, "RFC 8684, section 3.3.8", "RFC 6824, section 3.3.8";
    /// MP_FASTCLOSE with a key that is not the receiver's: it counts for nothing.
    FastCloseKeyWrong => "fastclose_key_wrong", Violation, "RFC 8684, section 3.5", "RFC 6824, section 3.5";
    /// MP_TCPRST in a segment without RST.
    TcpRstWithoutRst => "tcprst_without_rst", Violation, "RFC 8684, section 3.6", "RFC 8684, section 3.6";
    /// A sequence number far outside the window.
    SequenceFarOff => "sequence_far_off", Violation, "RFC 9293, section 3.4", "RFC 9293, section 3.4";
    /// A data sequence number far outside the window.
    DataSequenceFarOff => "data_sequence_far_off", Violation, "RFC 8684, section 3.8", "RFC 6824, section 3.7";
    /// Payload that no mapping covers, though the connection goes on as MPTCP.
    DataOutsideMapping => "data_outside_mapping", Violation, "RFC 8684, section 3.3.1", "RFC 6824, section 3.3.1";
    /// A mapping gives subflow bytes other data sequence numbers than a mapping before it.
    MappingContradicts => "mapping_contradicts", Violation, "RFC 8684, section 3.3.1", "RFC 6824, section 3.3.1";
    /// DATA_FIN without a mapping, so that it has no data sequence number.
    DataFinUnmapped => "data_fin_unmapped", Violation, "RFC 8684, section 3.3.3", "RFC 6824, section 3.3.3";
    /// A DATA_FIN with another data sequence number than the one before it.
    DataFinMoved => "data_fin_moved", Violation, "RFC 8684, section 3.3.3", "RFC 6824, section 3.3.3";
    /// Data with sequence numbers at or beyond the DATA_FIN.
    DataAfterDataFin => "data_after_data_fin", Violation, "RFC 8684, section 3.3.3", "RFC 6824, section 3.3.3";
    /// A DATA_FIN that no DATA_ACK covered, though all subflows were closed.
    DataFinNotAcked => "data_fin_not_acked", Advice, "RFC 8684, section 3.3.3", "RFC 6824, section 3.3.3";
    /// A DATA_ACK beyond all data that were sent: packets are missing from the capture, or the receiver errs.
    DataAckBeyondData => "data_ack_beyond_data", Advice, "RFC 8684, section 3.3.2", "RFC 6824, section 3.3.2";
    /// A DATA_ACK that is lower than an earlier one on the same subflow, in a packet that was sent later.
    DataAckBack => "data_ack_back", Advice, "RFC 8684, section 3.3.2", "RFC 6824, section 3.3.2";
}

#[cfg(test)]
mod tests {
    use super::Finding;
    use std::collections::BTreeSet;
    use subflow_wire::keys::Version;

    #[test]
    fn names_are_distinct_and_every_rule_names_a_section() {
        let names: BTreeSet<_> = Finding::ALL.iter().map(|finding| finding.as_str()).collect();
        assert_eq!(names.len(), Finding::ALL.len());
        for finding in Finding::ALL {
            for version in [None, Some(Version::V0), Some(Version::V1)] {
                let rule = finding.rule(version);
                assert!(rule.starts_with("RFC ") && rule.contains(", section "), "{finding}: {rule}");
            }
            assert!(finding.doc().trim().ends_with('.'), "{finding}");
        }
    }
}
