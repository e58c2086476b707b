//! No false alarms: every finding on traffic of real hosts is listed here, and each was looked up in the packets.

use crate::support::{findings::Findings, run::tables};
use std::{collections::BTreeMap, path::Path};
use subflow_analysis::rows::{EventKind, Finding};
use subflow_testdata::{files_below, folder};

/// Capture below `truth`, finding, how often, why it is right.
const REAL: [(&str, Finding, usize, &str); 13] = [
    ("03_addaddr_zoo_mixed/client.pcap", Finding::UnreachableAddressAnnounced, 1, "fe80::9 was configured"),
    (
        "03_addaddr_zoo_mixed/server.pcap",
        Finding::UnreachableAddressAnnounced,
        1,
        "the same at the other end",
    ),
    (
        "03_addaddr_zoo_v4/client.pcap",
        Finding::UnreachableAddressAnnounced,
        3,
        "169.254, 192.0.2 and 198.51.100",
    ),
    ("03_addaddr_zoo_v4/server.pcap", Finding::UnreachableAddressAnnounced, 3, "the same at the other end"),
    (
        "07_join_bad_hmac_ack/server.pcap",
        Finding::JoinHmacWrong,
        1,
        "a box behind the client's capture changed it",
    ),
    (
        "07_join_bad_token/server.pcap",
        Finding::JoinTokenUnknown,
        1,
        "a box behind the client's capture changed it",
    ),
    ("08_mirror/client.pcap", Finding::CapableMirrored, 1, "the box under test"),
    (
        "12_one_interface/client_c2.pcap",
        Finding::JoinTokenUnknown,
        1,
        "the initial subflow is on the other interface",
    ),
    (
        "12_one_interface/server_s2.pcap",
        Finding::JoinTokenUnknown,
        1,
        "the initial subflow is on the other interface",
    ),
    (
        "15_userspace_pm/client.pcap",
        Finding::RemoveAddrUnknown,
        1,
        "frame 236 withdraws 23; only 21, 22 were used",
    ),
    ("15_userspace_pm/server.pcap", Finding::RemoveAddrUnknown, 1, "the same at the other end"),
    ("perf/kernel-v1.pcap.zst", Finding::AddAddrNotEchoed, 7, "sent right before the FIN of its subflow"),
    ("crafted/v0_failed_joins.pcap", Finding::JoinHmacWrong, 1, "its truth says so"),
];

#[test]
fn every_finding_on_kernel_traffic_is_real() {
    let mut findings = Findings::default();
    let (Some(truth), Some(perf), Some(crafted)) = (folder("truth"), folder("perf"), folder("crafted"))
    else {
        return;
    };
    let mut expected: BTreeMap<(String, Finding), usize> =
        REAL.iter().map(|&(name, finding, count, _)| ((name.to_owned(), finding), count)).collect();
    let mut captures: Vec<_> = files_below(&truth)
        .into_iter()
        .filter(|path| path.extension().is_some_and(|ending| ending == "pcap" || ending == "pcapng"))
        .map(|path| (path.strip_prefix(&truth).expect("below it").to_string_lossy().into_owned(), path))
        .collect();
    assert!(captures.len() > 90, "{} captures", captures.len());
    captures.push(("perf/kernel-v1.pcap.zst".to_owned(), perf.join("kernel-v1.pcap.zst")));
    captures.push(("perf/kernel-v0.pcap.zst".to_owned(), perf.join("kernel-v0.pcap.zst")));
    for name in ["v0_failed_joins.pcap", "v0_reinjection.pcap", "v1_reinjection.pcap", "v0_seq_wrap.pcap"] {
        captures.push((format!("crafted/{name}"), crafted.join(name)));
    }
    for (name, path) in &captures {
        for (finding, count) in told(path) {
            let known = expected.remove(&(name.clone(), finding)).unwrap_or(0);
            findings.equal(&format!("{name}: {finding}"), count, known);
        }
    }
    findings.equal("what was not found", expected, BTreeMap::new());
    findings.settle(13);
}

/// How often each finding is there.
fn told(path: &Path) -> BTreeMap<Finding, usize> {
    let mut counts = BTreeMap::new();
    for event in tables(path).events {
        if let Some(finding) = event.finding {
            assert_eq!(event.kind, finding.kind());
            assert!(matches!(event.kind, EventKind::Violation | EventKind::Advice) && event.rule.is_some());
            *counts.entry(finding).or_default() += 1;
        }
    }
    counts
}

#[test]
fn checksums_of_a_kernel_are_right() {
    let Some(folder) = folder("truth") else { return };
    let row = tables(&folder.join("30_full_payload/client.pcap")).connections.remove(0);
    assert_eq!(row.checksum, Some(true));
    assert_eq!((row.checksums_wrong, row.checksums_unverified), (Some(0), Some(0)));
    assert!(row.checksums_right.is_some_and(|right| right > 30), "{:?}", row.checksums_right);
}
