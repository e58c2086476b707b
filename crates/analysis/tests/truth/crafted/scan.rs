//! `scan_answers`: a scanner's probes and ten kinds of answers.

use super::trace;
use crate::support::{findings::Findings, json::Must};
use std::net::IpAddr;
use subflow_analysis::rows::{Connection, Fallback, State};
use subflow_testdata::folder;

/// What a passive look at each answer must say: fallback, version (the answer's, where it has one), and the state of the
/// one subflow. The scanner resets whatever is answered. An answer in another version than the one asked for is of no
/// use to the client: it has shown no key, or another kind of key.
const ANSWERS: [(&str, Fallback, Option<u8>, State); 10] = [
    ("v0 real", Fallback::None, Some(0), State::Reset),
    ("v1 real", Fallback::None, Some(1), State::Reset),
    ("v0 mirrored key", Fallback::Mirror, Some(0), State::Reset),
    ("v1 mirrored option", Fallback::Mirror, Some(1), State::Reset),
    ("plain TCP", Fallback::SynAck, Some(0), State::Reset),
    ("v1 asked, v0 answered", Fallback::SynAck, Some(0), State::Reset),
    ("reset", Fallback::None, Some(1), State::Refused),
    ("silence", Fallback::None, Some(1), State::SynLost),
    ("option damaged: length 12 with version 1 in a v0 answer", Fallback::SynAck, Some(1), State::Reset),
    ("MP_CAPABLE twice", Fallback::None, Some(0), State::Reset),
];

#[test]
fn every_answer_is_told() {
    let Some(folder) = folder("crafted") else { return };
    let (truth, tables) = trace(&folder, "scan_answers");
    let mut findings = Findings::default();
    findings.equal("connections", tables.connections.len(), ANSWERS.len());
    for (truth, (what, fallback, version, state)) in truth["answers"].list().iter().zip(ANSWERS) {
        assert_eq!(truth["what"].text(), what);
        let server: IpAddr = truth["server"].text().parse().unwrap();
        let row = tables.connections.iter().find(|row: &&Connection| row.server_addr == server);
        let Some(row) = row else {
            findings.holds(what, false, || "no connection".to_owned());
            continue;
        };
        findings.equal(&format!("{what}: fallback"), row.fallback, fallback);
        findings.equal(&format!("{what}: version"), row.version, version);
        let subflow = tables.subflows.iter().find(|subflow| subflow.connection_id == row.connection_id);
        findings.equal(&format!("{what}: state"), subflow.map(|subflow| subflow.state), Some(state));
    }
    findings.settle(30);
}
