//! Figures of MPTCP connections that must be those of tshark: directly, or computed from the fields that it reads out
//! of the packets.

use crate::{
    captures,
    tshark::{
        self, End, Packet,
        reference::{self, Connection, Half, Subflow},
    },
};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::path::Path;
use std::process::Command;

/// Where subflow is right to differ: the end of the file's path, the figure, ours, tshark's, and why.
const EXCEPTIONS: [(&str, &str, &str, &str, &str); 4] = [
    ("unused/mp_rejected.pcap", "connection 0: bytes_c2s", "28", "0", BEYOND_THE_FRAME),
    ("unused/mp_rejected.pcap", "connection 0: blocks_c2s", "1", "0", BEYOND_THE_FRAME),
    ("unused/mp_rejected.pcap", "connection 0: subflow 0: bytes_c2s", "28", "0", BEYOND_THE_FRAME),
    ("unused/mp_rejected.pcap", "connection 0: subflow 0: unique_bytes_c2s", "28", "0", BEYOND_THE_FRAME),
];

const BEYOND_THE_FRAME: &str = "options were cut out of this packet by hand, its IPv6 payload length still counts them; \
    subflow takes the length of a packet from its IP header, because mirroring switches and taps cut frames";

/// MPTCP options that make rows or events of their own: subtype, name, and where they are found.
const COUNTED: [(u8, &str); 6] =
    [(3, "ADD_ADDR"), (4, "remove_addr"), (5, "mp_prio"), (6, "mp_fail"), (7, "fastclose"), (8, "tcprst")];

#[test]
fn mptcp_in_real_captures_is_what_tshark_sees() {
    let Some(folder) = subflow_testdata::folder("real") else { return };
    if !tshark::is_there() {
        return;
    }
    let files: Vec<_> = captures::below(&folder)
        .into_iter()
        .filter(|file| !file.starts_with(folder.join("_general")))
        .collect();
    assert!(!files.is_empty(), "no captures in {}", folder.display());
    let mut different = BTreeSet::new();
    for file in &files {
        different.extend(compare(file).found.into_iter().map(|(figure, ours, theirs)| {
            format!("{}: {figure}: ours {ours}, tshark's {theirs}", file.display())
        }));
    }
    for (end, figure, ours, theirs, why) in EXCEPTIONS {
        let line = format!("{end}: {figure}: ours {ours}, tshark's {theirs}");
        let known: Vec<_> = different.iter().filter(|found| found.ends_with(&line)).cloned().collect();
        assert_eq!(known.len(), 1, "no longer different: {line} ({why})");
        different.remove(&known[0]);
    }
    let different: Vec<_> = different.into_iter().collect();
    assert!(different.is_empty(), "{} differences:\n{}", different.len(), different.join("\n"));
}

/// Differences found: figure, ours, tshark's.
#[derive(Default)]
struct Differences {
    found: Vec<(String, String, String)>,
}

impl Differences {
    #[expect(clippy::needless_pass_by_value, reason = "figures are made for the comparison")]
    fn check<T: Debug + PartialEq>(&mut self, figure: impl Into<String>, ours: T, theirs: T) {
        if ours != theirs {
            self.found.push((figure.into(), format!("{ours:?}"), format!("{theirs:?}")));
        }
    }
}

/// tshark's subflows and their connections, by their ends.
type Counterparts<'a> = BTreeMap<[End; 2], (&'a Connection, &'a Subflow)>;

fn compare(file: &Path) -> Differences {
    let ours = analyze(file);
    let packets = tshark::packets(file);
    let theirs = reference::connections(&packets);
    let mut all = Differences::default();
    compare_totals(&mut all, &ours, &packets, &theirs);
    let mut counterparts = Counterparts::new();
    for connection in theirs.values() {
        let subflows = connection.subflows.iter();
        counterparts.extend(subflows.map(|subflow| (pair(&subflow.ends), (connection, subflow))));
    }
    for row in rows(&ours, "connections") {
        let subflows: Vec<_> = rows(&ours, "subflows")
            .filter(|subflow| subflow["connection_id"] == row["connection_id"])
            .collect();
        let name = format!("connection {}", row["connection_id"]);
        let initial = subflows.first().and_then(|initial| counterparts.get(&pair(&ends(initial))));
        let Some(&(connection, _)) = initial else {
            all.check(name, Some("there"), None);
            continue;
        };
        compare_connection(&mut all, &name, row, connection);
        for ours in subflows {
            let name = format!("{name}: subflow {}", ours["subflow_id"]);
            match counterparts.get(&pair(&ends(ours))) {
                Some(&(owner, subflow)) if std::ptr::eq(owner, connection) => {
                    compare_subflow(&mut all, &name, ours, subflow);
                }
                other => all.check(name, Some("there"), other.map(|_| "in another connection")),
            }
        }
    }
    all
}

fn compare_totals(
    all: &mut Differences,
    ours: &Value,
    packets: &[Packet],
    theirs: &BTreeMap<u32, Connection>,
) {
    let traffic = |mptcp: Option<bool>| {
        rows(ours, "traffic")
            .filter(|row| mptcp.is_none_or(|mptcp| row["mptcp"] == mptcp))
            .map(|row| number(row, "packets"))
            .sum::<u64>()
    };
    all.check("TCP packets", traffic(None), packets.len() as u64);
    let mptcp = theirs.values().flat_map(|connection| &connection.subflows).flat_map(|s| &s.halves);
    all.check("MPTCP packets", traffic(Some(true)), mptcp.map(|half| half.packets).sum());
    all.check("connections", rows(ours, "connections").count(), theirs.len());
    for (subtype, kind) in COUNTED {
        let found = match subtype {
            3 => rows(ours, "announcements").count(),
            _ => rows(ours, "events").filter(|event| event["kind"] == kind).count(),
        };
        let seen = packets.iter().flat_map(|packet| &packet.subtypes).filter(|&&s| s == subtype).count();
        all.check(kind, found, seen);
    }
}

fn compare_connection(all: &mut Differences, name: &str, row: &Value, theirs: &Connection) {
    all.check(format!("{name}: version"), row["version"].as_u64(), theirs.version.map(u64::from));
    let sides = [("client", "c2s"), ("server", "s2c")].into_iter().zip(&theirs.sides);
    for ((side, direction), their) in sides {
        let text = |column: &str| row[format!("{side}_{column}")].as_str().map(str::to_owned);
        all.check(format!("{name}: {side} key"), text("key"), their.key.map(|key| format!("{key:016x}")));
        all.check(format!("{name}: {side} token"), text("token"), their.token.map(|t| format!("{t:08x}")));
        all.check(format!("{name}: {side} IDSN"), text("idsn"), their.idsn.map(|dsn| format!("{dsn:016x}")));
        for (column, their) in [
            ("bytes", their.data),
            ("reinjected_bytes", their.reinjected),
            ("meta_retransmitted_bytes", their.again),
            ("out_of_order_bytes", their.out_of_order),
            ("blocks", their.blocks),
        ] {
            let column = format!("{column}_{direction}");
            all.check(format!("{name}: {column}"), number(row, &column), their);
        }
    }
    all.check(format!("{name}: fallback"), row["fallback"] == "synack", theirs.fell_back);
    all.check(format!("{name}: fallback of any kind"), row["fallback"] != "none", theirs.fell_back);
    let attempted = number(row, "subflows_attempted");
    all.check(format!("{name}: subflows attempted"), attempted, theirs.subflows.len() as u64);
    if theirs.subflows.iter().all(|subflow| subflow.halves[0].isn().is_some()) {
        let established = theirs.subflows.iter().filter(|subflow| subflow.established()).count() as u64;
        all.check(format!("{name}: subflows established"), number(row, "subflows_established"), established);
    }
}

fn compare_subflow(all: &mut Differences, name: &str, row: &Value, theirs: &Subflow) {
    all.check(format!("{name}: opener"), ends(row), theirs.ends.clone());
    for (side, direction) in ["c2s", "s2c"].into_iter().enumerate() {
        let half: &Half = &theirs.halves[theirs.client ^ side];
        for (column, their) in [
            ("packets", half.packets),
            ("bytes", half.bytes),
            ("unique_bytes", half.unique),
            ("retransmitted_bytes", half.bytes - half.unique),
            ("retransmitted_packets", half.repeating_packets),
            ("reinjected_bytes", half.reinjected),
        ] {
            let column = format!("{column}_{direction}");
            all.check(format!("{name}: {column}"), number(row, &column), their);
        }
    }
}

/// The tables of a capture.
fn analyze(file: &Path) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_subflow"))
        .env_clear()
        .env("XDG_CONFIG_HOME", "/nonexistent")
        .args(["analyze", "-f", "json"])
        .arg(file)
        .output()
        .expect("runs");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {stderr}", file.display());
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn rows<'a>(document: &'a Value, table: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    document[table].as_array().expect("a table").iter()
}

fn number(row: &Value, column: &str) -> u64 {
    row[column].as_u64().unwrap_or_else(|| panic!("{column} is no number in {row}"))
}

/// Sender and receiver of a subflow's SYN.
fn ends(row: &Value) -> [End; 2] {
    ["src", "dst"].map(|end| {
        let addr = row[format!("{end}_addr")].as_str().expect("text").to_owned();
        (addr, number(row, &format!("{end}_port")) as u16)
    })
}

/// The same without an order.
fn pair(ends: &[End; 2]) -> [End; 2] {
    let mut ends = ends.clone();
    ends.sort();
    ends
}
