//! Captures of probes through three routers and a box, with known truth: what is concluded from them must be that.

use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use serde_json::Value;
use subflow_probe::rows::{
    Asks, Behaviour, Category, ChangeKind, Confidence, Direction, Field, Finding, HopAnswer, QuoteKind,
};
use subflow_probe::trace::{Concluded, conclude, offline};

/// What is concluded from a capture, IPv4 first, and the truth.
fn read(folder: &str, files: &[&str]) -> Option<(Vec<Concluded>, Value)> {
    let folder = subflow_testdata::folder("probe")?.join(folder);
    let paths: Vec<PathBuf> = files.iter().map(|file| folder.join(file)).collect();
    Some((concluded(&paths), truth(&folder)))
}

fn truth(folder: &Path) -> Value {
    serde_json::from_slice(&fs::read(folder.join("truth.json")).expect("a truth")).expect("JSON")
}

fn concluded(paths: &[PathBuf]) -> Vec<Concluded> {
    offline::read(paths).expect("a capture").iter().map(conclude).collect()
}

/// Every row of the hop table against the truth: who answered there, and for each probe a row.
fn check_hops(concluded: &Concluded, truth: &Value, dropped_from: Option<(Asks, u8)>) {
    let family = if concluded.target.addr.is_ipv4() { "v4" } else { "v6" };
    let routers: Vec<(u8, IpAddr)> = truth["topology"]["hops"]
        .as_array()
        .expect("hops")
        .iter()
        .map(|hop| (hop["ttl"].as_u64().unwrap() as u8, hop[family].as_str().unwrap().parse().unwrap()))
        .collect();
    let addr = concluded.target.addr.to_string();
    let probes =
        truth["probes"].as_array().expect("probes").iter().filter(|probe| probe["dst"] == addr.as_str());
    // What goes further than the target is no part of its path, unless nothing answers.
    let silent = |kind: &Value| dropped_from.is_some_and(|(what, _)| kind.as_str() == Some(what.as_str()));
    let probes: Vec<_> =
        probes.filter(|probe| probe["ttl"].as_u64() <= Some(4) || silent(&probe["kind"])).collect();
    assert_eq!(concluded.hops.len(), probes.len(), "{family}");
    for probe in probes {
        let hop = probe["ttl"].as_u64().unwrap() as u8;
        let asks = match probe["kind"].as_str().unwrap() {
            "unknown" => Asks::Canary,
            "dss" => Asks::Data,
            kind => *Asks::ALL.iter().find(|asks| asks.as_str() == kind).unwrap(),
        };
        let row = concluded.hops.iter().find(|row| (row.hop, row.probe) == (hop, asks)).expect("a row");
        assert_eq!((row.probes, row.flow, row.round), (1, 0, 1));
        if dropped_from.is_some_and(|(what, from)| what == asks && hop >= from) {
            assert_eq!((row.answer, row.from_addr, row.rtt), (HopAnswer::Silent, None, None));
            continue;
        }
        match routers.iter().find(|&&(at, _)| at == hop && at < 4) {
            Some(&(_, router)) => {
                assert_eq!((row.answer, row.from_addr), (HopAnswer::TimeExceeded, Some(router)));
            }
            None => {
                let answers: &[HopAnswer] = if asks == Asks::Data {
                    &[HopAnswer::Reset]
                } else {
                    &[HopAnswer::SynAck, HopAnswer::Reset]
                };
                assert!(answers.contains(&row.answer), "{row:?}");
                assert_eq!(row.from_addr, Some(concluded.target.addr));
            }
        }
        // The lab's links are a few milliseconds long.
        assert!(row.rtt.is_some_and(|rtt| rtt > 0.0 && rtt < 0.03), "{row:?}");
        if row.answer == HopAnswer::TimeExceeded {
            assert_eq!(row.quoted_ttl, Some(1));
            assert_eq!(row.return_hops, Some(hop));
        }
    }
}

#[test]
fn a_clean_path() {
    let Some((targets, truth)) = read("t1_clean", &["client.pcap"]) else { return };
    assert_eq!(targets.len(), 2);
    for concluded in &targets {
        check_hops(concluded, &truth, None);
        assert_eq!(concluded.modifications, []);
        assert!(concluded.hops.iter().all(|row| row.changes.is_none_or(|changes| changes == 0)));
        let row = &concluded.target;
        assert_eq!((row.category, row.behaviour), (Category::True, Some(Behaviour::PassThrough)));
        assert_eq!((row.v1, row.v0), (Some(Finding::V1), Some(Finding::NoOption)));
        assert_eq!((row.join, row.canary), (Some(Finding::MptcpReset), Some(Finding::NoOption)));
        assert_eq!((row.syn_ack_hops, row.silent_hops, row.confidence), (Some(4), 0, Confidence::High));
        assert_eq!((row.after_hop, row.before_hop, row.rejected), (None, None, 0));
        assert_eq!(row.data_passed, Some(true));
    }
}

#[test]
fn old_tool_v1_server_called_stripped() {
    // The same path, asked for version 0 alone, is no path that strips.
    let Some((targets, _)) = read("t1_clean", &["client.pcap"]) else { return };
    for concluded in &targets {
        assert_eq!(concluded.target.v0, Some(Finding::NoOption));
        assert_ne!(concluded.target.behaviour, Some(Behaviour::Strip));
    }
}

#[test]
fn a_box_that_strips_syns() {
    let Some((targets, truth)) = read("t2_strip", &["client.pcap"]) else { return };
    assert_eq!(targets.len(), 2);
    for concluded in &targets {
        check_hops(concluded, &truth, None);
        let row = &concluded.target;
        assert_eq!((row.category, row.behaviour), (Category::MiddleboxAffected, Some(Behaviour::Strip)));
        assert_eq!((row.direction, row.confidence), (Some(Direction::Forward), Confidence::High));
        assert_eq!((row.after_hop, row.before_hop), (Some(1), Some(2)));
        let router = |at: usize| {
            let family = if row.addr.is_ipv4() { "v4" } else { "v6" };
            truth["topology"]["hops"][at][family].as_str().unwrap().parse::<IpAddr>().ok()
        };
        assert_eq!((row.after_addr, row.before_addr), (router(0), router(1)));
        assert_eq!((row.v1, row.v0), (Some(Finding::NoOption), Some(Finding::NoOption)));
        // The box takes the option out of SYNs only, and shortens them.
        let mut asks: Vec<Asks> = concluded.modifications.iter().map(|row| row.probe).collect();
        asks.sort_unstable();
        assert_eq!(asks, [Asks::V1, Asks::V0, Asks::Join]);
        for change in &concluded.modifications {
            assert_eq!((change.field, change.kind), (Field::Mptcp, ChangeKind::Removed));
            assert_eq!((change.after_hop, change.before_hop), (Some(1), Some(2)));
            assert_eq!((change.times, change.confirmed, change.checksum_fits), (2, true, Some(true)));
        }
        assert_eq!(row.data_passed, Some(true));
    }
}

#[test]
fn translation_that_routers_undo_in_quotes() {
    let Some((targets, truth)) = read("t5_nat", &["client.pcap"]) else { return };
    assert_eq!(targets.len(), 1);
    check_hops(&targets[0], &truth, None);
    let row = &targets[0].target;
    assert_eq!(row.category, Category::True);
    assert_eq!((row.v1, row.join), (Some(Finding::V1), Some(Finding::MptcpReset)));
    assert_eq!(targets[0].modifications, []);
    assert_eq!(row.behaviour, Some(Behaviour::PassThrough));
}

#[test]
fn old_tool_cut_quote_called_deletion() {
    let Some((targets, truth)) = read("t7_short_quote", &["client.pcap"]) else { return };
    assert_eq!(targets.len(), 1);
    check_hops(&targets[0], &truth, None);
    let quotes: Vec<_> =
        targets[0].hops.iter().filter_map(|row| Some((row.hop, row.quote?, row.quote_bytes?))).collect();
    assert_eq!(
        quotes.iter().filter(|quote| quote.1 == QuoteKind::Minimal && quote.2 == 28).count(),
        4,
        "{quotes:?}"
    );
    assert_eq!(quotes.iter().filter(|quote| quote.1 == QuoteKind::Full && quote.0 == 1).count(), 2);
    assert_eq!(targets[0].modifications, []);
    assert_eq!((targets[0].target.category, targets[0].target.v1), (Category::True, Some(Finding::V1)));
}

#[test]
fn a_box_that_drops_syns_with_the_option() {
    let Some((targets, truth)) = read("t9_drop_mptcp", &["client.pcap"]) else { return };
    assert_eq!(targets.len(), 2);
    for concluded in &targets {
        check_hops(concluded, &truth, Some((Asks::V1, 2)));
        let row = &concluded.target;
        assert_eq!((row.category, row.behaviour), (Category::MiddleboxAffected, Some(Behaviour::Drop)));
        assert_eq!((row.after_hop, row.before_hop), (Some(1), Some(2)));
        assert_eq!((row.v1, row.plain), (Some(Finding::Silent), Some(Finding::NoOption)));
        assert_eq!(concluded.modifications, []);
        assert_eq!(row.confidence, Confidence::Medium, "one round is no two");
    }
}

#[test]
fn nine_kinds_of_targets() {
    let Some((targets, truth)) = read("scan", &["scanner.pcap"]) else { return };
    let truths = truth["topology"]["targets"].as_array().expect("targets");
    assert_eq!((truths.len(), targets.len()), (9, 18));
    for (truth, family) in truths.iter().flat_map(|truth| [(truth, "v4"), (truth, "v6")]) {
        let addr: IpAddr = truth[family].as_str().unwrap().parse().unwrap();
        let row = &targets.iter().find(|concluded| concluded.target.addr == addr).expect("a row").target;
        let what = truth["what"].as_str().unwrap();
        let (category, behaviour) = match what {
            what if what.starts_with("MPTCP ") => (Category::True, Some(Behaviour::PassThrough)),
            what if what.contains("mirrors") => (Category::MiddleboxAffected, Some(Behaviour::Mirror)),
            what if what.contains("option 30 dropped") => {
                (Category::MiddleboxAffected, Some(Behaviour::Drop))
            }
            "closed port" | "filtered (SYN dropped)" => (Category::Unresponsive, None),
            what if what.contains("reset") => (Category::Unresponsive, None),
            // Without hop limits, a box that takes the option out cannot be told from a server that has none.
            _ => (Category::Plain, Some(Behaviour::PassThrough)),
        };
        assert_eq!((row.category, row.behaviour), (category, behaviour), "{what} {addr}: {row:?}");
    }
}

#[test]
fn captures_of_both_sides_give_what_the_probers_side_gives() {
    let Some(folder) = subflow_testdata::folder("probe") else { return };
    for name in ["t1_clean", "t2_strip", "t5_nat", "t7_short_quote", "t9_drop_mptcp"] {
        let file = |file: &str| folder.join(name).join(file);
        let alone = concluded(&[file("client.pcap")]);
        for both in [["client.pcap", "server.pcap"], ["server.pcap", "client.pcap"]] {
            let both = concluded(&both.map(file));
            assert!(alone == both, "{name}");
        }
    }
}
