//! packetdrill conversations with the kernel: what its counters of the `MPTcpExt` group say of each.
//!
//! One end is the kernel, the other the script, so a counter is about one direction. Where a script stopped (a newer
//! kernel answers otherwise than it expects), what it had recorded is there all the same.

use crate::support::{
    exceptions::{Exception, Judge},
    invariants::add_up,
    run::{run, tables},
};
use std::{collections::BTreeMap, path::Path};
use subflow_analysis::{
    rows::{Direction, EventKind, Fallback, State, Tables},
    summary::{Summary, is_mptcp},
};
use subflow_testdata::folder;

/// How many conversations there are.
const CONVERSATIONS: usize = 20;

/// Why a recording shows something else than the counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    /// The recording ended before the kernel's last packets.
    EndedEarly,
    /// The kernel takes a SYN without the H flag for plain TCP and does not count it.
    NotMptcpToTheKernel,
    /// The script aborts with the wrong key, which the kernel ignores.
    WrongKey,
    /// The script sends the option twice, once on a segment that is no reset.
    NoReset,
    /// The script's infinite mapping comes after the kernel's socket has gone.
    SocketGone,
}

const EXCEPTIONS: &[Exception<Why>] = &[
    Exception {
        why: Why::EndedEarly,
        places: &[
            ("add_addr_add_addr_client", "announcements received", "0"),
            ("add_addr_add_addr_client", "echoes sent", "0"),
            ("add_addr_add_addr_client", "joins attempted", "0"),
            ("fastclose_receive_fastclose_with_rst_multi_v4", "announcements sent", "1"),
            ("mp_join_mp_join_server_v4", "announcements sent", "1"),
            ("mp_prio_mp_prio_server_v4", "announcements sent", "1"),
            ("mp_reset_mp_reset_multi_v4", "announcements sent", "1"),
        ],
    },
    Exception {
        why: Why::NotMptcpToTheKernel,
        places: &[
            ("mp_capable_v1_bind_tcpfallback_flagH", "connections", "1"),
            ("mp_capable_v1_bind_tcpfallback_flagH", "fallbacks", "1"),
        ],
    },
    Exception {
        why: Why::WrongKey,
        places: &[("fastclose_receive_fastclose_with_rst_v4", "fastclose received", "1")],
    },
    Exception { why: Why::NoReset, places: &[("mp_reset_mp_reset_single", "tcprst received", "2")] },
    Exception {
        why: Why::SocketGone,
        places: &[
            ("mp_reset_mp_reset_single", "fallbacks", "1"),
            ("mp_reset_mp_reset_single", "infinite_mapping received", "1"),
        ],
    },
];

/// The counters of a `.mib` file: names in its first line, values in its second.
fn counters(path: &Path) -> BTreeMap<String, u64> {
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines = text.lines().map(|line| line.split_whitespace().skip(1));
    let names = lines.next().expect("names");
    let values = lines.next().expect("values").map(|value| value.parse().expect("a number"));
    names.map(str::to_owned).zip(values).collect()
}

#[test]
fn every_conversation_agrees_with_its_counters() {
    let Some(folder) = folder("truth_pkt") else { return };
    let mut paths: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "pcap"))
        .collect();
    paths.sort();
    assert_eq!(paths.len(), CONVERSATIONS);
    let mut judge = Judge::<Why>::new(EXCEPTIONS);
    for path in paths {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let tables = tables(&path);
        let (summary, packets) = run(&path, Summary::default());
        judge.equal(&name, "packets", summary.tcp.total.packets, packets);
        add_up(&mut judge.findings, &name, &tables);
        conversation(&mut judge, &name, &tables, &counters(&path.with_extension("mib")));
    }
    judge.settle(20 * 21);
}

fn conversation(judge: &mut Judge<Why>, name: &str, tables: &Tables, counters: &BTreeMap<String, u64>) {
    let counter = |name: &str| *counters.get(name).unwrap_or_else(|| panic!("no counter {name}"));
    let sum = |names: &[&str]| names.iter().map(|name| counter(name)).sum::<u64>();
    let rows = &tables.connections;
    judge.equal(name, "connections", rows.len() as u64, sum(&["MPCapableSYNTX", "MPCapableSYNRX"]));
    let mptcp =
        rows.iter().filter(|row| row.subflows_established > 0 && is_mptcp(row.fallback)).count() as u64;
    judge.equal(name, "MPTCP connections", mptcp, sum(&["MPCapableSYNACKRX", "MPCapableACKRX"]));
    let fallbacks = rows.iter().filter(|row| row.fallback != Fallback::None).count() as u64;
    let places = ["MPCapableFallbackSYNACK", "MPCapableFallbackACK", "DssFallback", "InfiniteMapRx"];
    judge.equal(name, "fallbacks", fallbacks, sum(&places));

    let joins = || tables.subflows.iter().filter(|row| row.subflow_id != 0);
    judge.equal(name, "joins attempted", joins().count() as u64, sum(&["MPJoinSynTx", "MPJoinSynRx"]));
    let established = joins().filter(|row| row.state == State::Established).count() as u64;
    judge.equal(name, "joins established", established, sum(&["MPJoinSynAckRx", "MPJoinAckRx"]));

    // The kernel is the client where it sent the SYN.
    let kernel = if counter("MPCapableSYNTX") > 0 { Direction::C2s } else { Direction::S2c };
    for (way, from, announced, echoed) in
        [("sent", kernel, "AddAddrTx", "EchoAddTx"), ("received", kernel.reverse(), "AddAddr", "EchoAdd")]
    {
        let seen = |echo: bool| {
            let rows = tables.announcements.iter();
            rows.filter(|row| row.direction == from && row.echo == echo).count() as u64
        };
        judge.equal(name, &format!("announcements {way}"), seen(false), counter(announced));
        judge.equal(name, &format!("echoes {way}"), seen(true), counter(echoed));
    }
    for (kind, sent, received) in [
        (EventKind::RemoveAddr, "RmAddrTx", "RmAddr"),
        (EventKind::MpPrio, "MPPrioTx", "MPPrioRx"),
        (EventKind::MpFail, "MPFailTx", "MPFailRx"),
        (EventKind::FastClose, "MPFastcloseTx", "MPFastcloseRx"),
        (EventKind::TcpRst, "MPRstTx", "MPRstRx"),
        (EventKind::InfiniteMapping, "InfiniteMapTx", "InfiniteMapRx"),
    ] {
        for (way, from, truth) in [("sent", kernel, sent), ("received", kernel.reverse(), received)] {
            let events = tables.events.iter();
            let seen = events.filter(|row| row.kind == kind && row.direction == from).count() as u64;
            judge.equal(name, &format!("{kind} {way}"), seen, counter(truth));
        }
    }
}
