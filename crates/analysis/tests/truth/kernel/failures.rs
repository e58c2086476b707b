//! Joins that failed and connections that fell back: the state and the place of fallback at each capture point.

use super::{Capture, exceptions::Why};
use crate::support::{exceptions::Judge, run::Ask};
use std::collections::BTreeMap;
use subflow_analysis::rows::{Fallback, State};

/// States of subflows other than established, by `scenario/file`.
const STATES: [(&str, &[(State, u64)]); 14] = [
    // The HMAC is damaged behind the client's capture; the answer is a reset either way.
    ("07_join_bad_hmac_ack/client.pcap", &[(State::Reset, 1)]),
    ("07_join_bad_hmac_ack/server.pcap", &[(State::Reset, 1)]),
    ("07_join_bad_token/client.pcap", &[(State::Refused, 1)]),
    ("07_join_bad_token/server.pcap", &[(State::Refused, 1)]),
    ("07_join_rst_limit/client.pcap", &[(State::Reset, 1)]),
    ("07_join_rst_limit/server.pcap", &[(State::Reset, 1)]),
    // Dropped behind the server's capture, which shows SYNs without an answer like the client's.
    ("07_join_syn_dropped/client.pcap", &[(State::SynLost, 1)]),
    ("07_join_syn_dropped/server.pcap", &[(State::SynLost, 1)]),
    ("07_join_synack_dropped/client.pcap", &[(State::SynLost, 1)]),
    ("07_join_synack_dropped/server.pcap", &[(State::Unconfirmed, 1)]),
    // 46 tokens unknown; 25 rejected at the third ACK and 61 answered when the client had gone.
    ("10_many_short/client.pcap", &[(State::Refused, 46), (State::Reset, 86)]),
    ("10_many_short/server.pcap", &[(State::Refused, 46), (State::Reset, 86)]),
    ("21_server_off/client.pcap", &[(State::Refused, 1)]),
    ("21_server_off/server.pcap", &[(State::Refused, 1)]),
];

/// Places of fallback, by `scenario/file`.
const FALLBACKS: [(&str, Fallback, u64); 16] = [
    ("08_mirror/client.pcap", Fallback::Mirror, 1),
    ("08_mirror/server.pcap", Fallback::SynAck, 1),
    ("08_payload_csum_paced/client.pcap", Fallback::Checksum, 1),
    ("08_payload_csum_paced/server.pcap", Fallback::Checksum, 1),
    ("08_strip_data_mid/client.pcap", Fallback::Later, 1),
    ("08_strip_data_mid/server.pcap", Fallback::Later, 1),
    ("08_strip_syn/client.pcap", Fallback::SynAck, 1),
    ("08_strip_syn_nft/client.pcap", Fallback::SynAck, 1),
    ("08_strip_syn_nft/server.pcap", Fallback::SynAck, 1),
    ("08_strip_synack/client.pcap", Fallback::SynAck, 1),
    // The server's capture shows the SYN/ACK before the option is taken away.
    ("08_strip_synack/server.pcap", Fallback::FirstData, 1),
    ("08_syn_blackhole/client.pcap", Fallback::Syn, 1),
    ("10_many_short/client.pcap", Fallback::SynAck, 20),
    ("10_many_short/server.pcap", Fallback::SynAck, 20),
    ("21_server_off/client.pcap", Fallback::SynAck, 1),
    ("21_server_off/server.pcap", Fallback::SynAck, 1),
];

pub(super) fn judge(judge: &mut Judge<Why>, capture: &Capture<'_>) {
    let name = capture.name.as_str();
    let mut states = capture.tables.states();
    states.remove(&State::Established);
    states.remove(&State::Midstream);
    let told = STATES.iter().find(|(place, _)| *place == name).map_or(&[][..], |(_, states)| states);
    judge.equal(name, "states", states, told.iter().copied().collect());
    let mut fallbacks = BTreeMap::new();
    for row in capture.tables.connections.iter().filter(|row| row.fallback != Fallback::None) {
        *fallbacks.entry(row.fallback).or_insert(0) += 1;
    }
    let told = FALLBACKS.iter().filter(|(place, ..)| *place == name).map(|&(_, kind, count)| (kind, count));
    judge.equal(name, "kinds of fallback", fallbacks, told.collect());
}
