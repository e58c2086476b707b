//! Captures of scans with known truth, judged as a scan judges what it receives.

use std::collections::BTreeMap;
use std::fs;
use std::net::IpAddr;

use serde_json::Value;
use subflow_probe::answers::classify;
use subflow_probe::probes::Kind;
use subflow_probe::rows::{Finding, Probe, Target, Verdict};

fn judged(path: &std::path::Path) -> (Vec<Probe>, BTreeMap<IpAddr, Target>) {
    let mut probes = Vec::new();
    let targets = classify(&[path.to_owned()], |row| probes.push(row)).expect("a capture");
    let count = targets.len();
    let targets: BTreeMap<_, _> = targets.into_iter().map(|row| (row.addr, row)).collect();
    assert_eq!(targets.len(), count);
    (probes, targets)
}

#[test]
fn crafted_answers_are_judged_as_their_truth_says() {
    let Some(folder) = subflow_testdata::folder("crafted") else { return };
    let (probes, targets) = judged(&folder.join("scan_answers.pcap"));
    let truth: Value = serde_json::from_slice(&fs::read(folder.join("scan_answers.json")).unwrap()).unwrap();
    let answers = truth["answers"].as_array().unwrap();
    assert_eq!((answers.len(), targets.len(), probes.len()), (10, 10, 9));
    for answer in answers {
        let row = &targets[&answer["server"].as_str().unwrap().parse().unwrap()];
        let what = answer["what"].as_str().unwrap();
        let verdict = match what {
            "v0 real" => Verdict::SupportsV0,
            "v1 real" => Verdict::SupportsV1,
            "v0 mirrored key" | "v1 mirrored option" => Verdict::Mirrored,
            "plain TCP" => Verdict::PlainTcp,
            "reset" => Verdict::Closed,
            "silence" => Verdict::Filtered,
            "v1 asked, v0 answered" | "MP_CAPABLE twice" => Verdict::Malformed,
            what if what.starts_with("option damaged") => Verdict::Malformed,
            what => panic!("unknown truth {what}"),
        };
        assert_eq!(row.verdict, verdict, "{what}");
        let supports = matches!(verdict, Verdict::SupportsV0 | Verdict::SupportsV1 | Verdict::SupportsBoth);
        assert_eq!(answer["truly_mptcp"].as_bool(), Some(supports), "{what}");
        let asked = if answer["probe_version"] == 0 { (row.v0, row.v1) } else { (row.v1, row.v0) };
        assert!(asked.0.is_some() && asked.1.is_none());
    }
    assert!(probes.iter().all(|row| !row.repeat && row.ttl > 0));
    let timed: Vec<_> = probes.iter().filter_map(|row| row.rtt).collect();
    assert_eq!(timed, [0.05; 8]);
}

#[test]
fn a_scan_of_nine_kinds_of_targets_is_judged_as_its_truth_says() {
    let Some(folder) = subflow_testdata::folder("probe/scan") else { return };
    let (probes, targets) = judged(&folder.join("scanner.pcap"));
    let truth: Value = serde_json::from_slice(&fs::read(folder.join("truth.json")).unwrap()).unwrap();
    let truths = truth["topology"]["targets"].as_array().unwrap();
    assert_eq!((truths.len(), targets.len()), (9, 18));
    for (truth, family) in truths.iter().flat_map(|truth| [(truth, "v4"), (truth, "v6")]) {
        let row = &targets[&truth[family].as_str().unwrap().parse().unwrap()];
        let what = truth["what"].as_str().unwrap();
        let verdict = match what {
            what if what.starts_with("MPTCP") => Verdict::SupportsV1,
            "plain TCP server" => Verdict::PlainTcp,
            "closed port" | "server with TCP reset by firewall" => Verdict::Closed,
            "filtered (SYN dropped)" => Verdict::Filtered,
            what if what.starts_with("middlebox mirrors") => Verdict::Mirrored,
            // The SYN was stripped on the way there: the server answers as one of plain TCP, and only a look at the path can tell.
            what if what.starts_with("middlebox strips") => Verdict::PlainTcp,
            what if what.starts_with("SYN with option 30 dropped") => Verdict::DroppedWithOption,
            what => panic!("unknown truth {what}"),
        };
        assert_eq!(row.verdict, verdict, "{what} {family}");
        assert_eq!(truth["truly_mptcp_v1"].as_bool(), Some(verdict == Verdict::SupportsV1), "{what}");
        assert_eq!(u64::from(row.port), truth["port"].as_u64().unwrap());
        if verdict == Verdict::SupportsV1 {
            assert_eq!((row.v1_flags, row.join), (Some(0x81), Some(Finding::MptcpReset)), "{what}");
            assert!(row.v1_key.is_some() && row.v0_key.is_none());
        }
    }
    // The filtered target leaves four probes unanswered, the one behind the box that drops the option three, in both families.
    assert_eq!(probes.len(), 72 - 2 * 4 - 2 * 3);
    assert_eq!(probes.iter().filter(|row| row.finding == Finding::MptcpReset).count(), 4);
    assert!(probes.iter().filter(|row| row.finding == Finding::MptcpReset).all(|row| row.kind == Kind::Join));
}
