//! What the frames are, worked out from tshark's fields alone: a plain byte-range model without any of the analysis.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::io::{self, Write};
use std::path::Path;
use std::process::Command;

/// A mapping: relative subflow sequence number, data sequence number, length.
type Range = (u32, i64, i64);

/// Whether tshark is there; says so loudly when it is not.
pub(crate) fn is_there() -> bool {
    let there = Command::new("tshark").arg("--version").output().is_ok_and(|output| output.status.success());
    if !there {
        let _ = writeln!(io::stderr(), "skipped: tshark is not on the PATH (Debian: apt-get install tshark)");
    }
    there
}

const FIELDS: [&str; 11] = [
    "frame.number",
    "tcp.stream",
    "tcp.dstport",
    "tcp.len",
    "tcp.seq",
    "tcp.flags",
    "tcp.options.mptcp.subtype",
    "tcp.options.mptcp.rawdataseqno",
    "tcp.options.mptcp.subflowseqno",
    "tcp.options.mptcp.datalvllen",
    "tcp.srcport",
];

/// One packet as tshark reads it.
struct Packet {
    frame: u64,
    stream: u64,
    /// Port of the receiver.
    to: u64,
    /// To the server's port, which is the lower one in these captures.
    c2s: bool,
    len: i64,
    /// Relative: 0 is the SYN, 1 the first byte.
    seq: i64,
    flags: u64,
    subtypes: Vec<u64>,
    /// Low 32 bits of the data sequence number, relative subflow sequence number, length.
    mapping: Option<(u32, i64, i64)>,
}

impl Packet {
    fn syn(&self) -> bool {
        self.flags & 0x12 == 0x02
    }

    fn syn_ack(&self) -> bool {
        self.flags & 0x12 == 0x12
    }

    fn rst(&self) -> bool {
        self.flags & 0x04 != 0
    }
}

/// A capture of one connection.
pub(crate) struct Reference {
    packets: Vec<Packet>,
}

fn number(text: &str) -> Option<u64> {
    let text = text.split(',').next()?;
    text.strip_prefix("0x").map_or_else(|| text.parse().ok(), |hex| u64::from_str_radix(hex, 16).ok())
}

impl Reference {
    pub(crate) fn of(path: &Path) -> Self {
        Self::filtered(path, "tcp")
    }

    /// Those packets that have one of these ports: a connection among others.
    pub(crate) fn of_ports(path: &Path, ports: &[u64]) -> Self {
        let ports: Vec<_> = ports.iter().map(|port| format!("tcp.port == {port}")).collect();
        Self::filtered(path, &ports.join(" || "))
    }

    fn filtered(path: &Path, filter: &str) -> Self {
        let mut command = Command::new("tshark");
        command.arg("-r").arg(path).args(["-Y", filter]);
        command.args(["-o", "tcp.relative_sequence_numbers:TRUE", "-T", "fields"]);
        for field in FIELDS {
            command.args(["-e", field]);
        }
        let output = command.output().expect("tshark runs");
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        let packets = text.lines().filter_map(|line| {
            let cells: Vec<_> = line.split('\t').collect();
            let mapping = match (number(cells[7]), number(cells[8]), number(cells[9])) {
                (Some(dsn), Some(ssn), Some(len)) => Some((dsn as u32, ssn as i64, len as i64)),
                _ => None,
            };
            Some(Packet {
                frame: number(cells[0])?,
                stream: number(cells[1])?,
                to: number(cells[2])?,
                c2s: number(cells[2])? < number(cells[10])?,
                len: number(cells[3])? as i64,
                seq: number(cells[4])? as i64,
                flags: number(cells[5])?,
                subtypes: cells[6].split(',').filter_map(number).collect(),
                mapping,
            })
        });
        Self { packets: packets.collect() }
    }

    /// Copies: frame, frame that carried the bytes first on another stream, bytes. Bytes that a stream repeats under the same
    /// sequence numbers are no copies.
    pub(crate) fn reinjections(&self) -> BTreeSet<(u64, u64, u64)> {
        let mut found: BTreeMap<(u64, u64, i64), u64> = BTreeMap::new();
        let mut mappings: BTreeMap<(u64, bool), Vec<Range>> = BTreeMap::new();
        let mut seen: HashSet<(u64, bool, i64)> = HashSet::new();
        let mut holders: HashMap<(bool, u32), (u64, u64)> = HashMap::new();
        for packet in &self.packets {
            let half = (packet.stream, packet.c2s);
            if let Some(mapping) = packet.mapping {
                mappings.entry(half).or_default().push(mapping);
            }
            let known = mappings.get(&half).map_or(&[][..], Vec::as_slice);
            for position in packet.seq..packet.seq + packet.len {
                if !seen.insert((packet.stream, packet.c2s, position)) {
                    continue;
                }
                let inside = |&&(_, ssn, len): &&(u32, i64, i64)| ssn <= position && position < ssn + len;
                let Some(&(dsn, ssn, _)) = known.iter().rev().find(inside) else { continue };
                let byte = dsn.wrapping_add((position - ssn) as u32);
                match holders.get(&(packet.c2s, byte)) {
                    None => {
                        holders.insert((packet.c2s, byte), (packet.stream, packet.frame));
                    }
                    Some(&(stream, frame)) if stream != packet.stream => {
                        *found.entry((packet.frame, frame, 0)).or_default() += 1;
                    }
                    Some(_) => {}
                }
            }
        }
        found.into_iter().map(|((frame, first, _), bytes)| (frame, first, bytes)).collect()
    }

    /// The stream of the first packet.
    pub(crate) fn first_stream(&self) -> u64 {
        self.packets.first().map_or(0, |packet| packet.stream)
    }

    /// The first SYN/ACK of each stream to a client's port, where it carries no MP_CAPABLE. Clients of other addresses may have
    /// the same port.
    pub(crate) fn syn_acks_without_option(&self, port: u64) -> BTreeSet<u64> {
        let mut first: BTreeMap<u64, &Packet> = BTreeMap::new();
        for packet in self.packets.iter().filter(|packet| packet.syn_ack() && packet.to == port) {
            first.entry(packet.stream).or_insert(packet);
        }
        first.values().filter(|packet| !packet.subtypes.contains(&0)).map(|packet| packet.frame).collect()
    }

    /// Frames of the handshake of each join, in order of their SYNs: SYNs, SYN/ACKs, the third ACK, and the reset of one that
    /// never came further.
    pub(crate) fn joins(&self) -> Vec<BTreeSet<u64>> {
        let mut joins: Vec<(u64, BTreeSet<u64>, bool)> = Vec::new();
        for packet in &self.packets {
            if packet.syn()
                && packet.subtypes.contains(&1)
                && joins.iter().all(|join| join.0 != packet.stream)
            {
                joins.push((packet.stream, BTreeSet::new(), packet.c2s));
            }
        }
        for (stream, frames, opener) in &mut joins {
            let own: Vec<_> = self.packets.iter().filter(|packet| packet.stream == *stream).collect();
            frames.extend(
                own.iter().filter(|packet| packet.syn() || packet.syn_ack()).map(|packet| packet.frame),
            );
            let third = own.iter().find(|packet| packet.c2s == *opener && packet.flags & 0x06 == 0);
            frames.extend(third.map(|packet| packet.frame));
            let data = own.iter().any(|packet| packet.len > 0);
            // The opener may close before it learns that it was refused.
            let fin = own.iter().any(|packet| packet.flags & 0x01 != 0 && packet.c2s != *opener);
            let reset = own.iter().find(|packet| packet.rst()).filter(|_| !data && !fin);
            frames.extend(reset.map(|packet| packet.frame));
        }
        joins.into_iter().map(|join| join.1).collect()
    }

    /// The last frame of the side that fell silent first on a stream, and the first data on another stream after it that no
    /// stream had carried.
    pub(crate) fn handover(&self, old: u64) -> (u64, u64) {
        let last = |c2s: bool| {
            self.packets
                .iter()
                .filter(|packet| packet.stream == old && packet.c2s == c2s)
                .map(|packet| packet.frame)
                .max()
        };
        let silent = last(true).min(last(false)).expect("both sides spoke");
        let mut carried: BTreeSet<(bool, u32)> = BTreeSet::new();
        for packet in &self.packets {
            let Some((dsn, ssn, _)) = packet.mapping.filter(|_| packet.len > 0) else { continue };
            let first = dsn.wrapping_add((packet.seq - ssn) as u32);
            let mut new = false;
            for byte in 0..packet.len {
                new |= carried.insert((packet.c2s, first.wrapping_add(byte as u32)));
            }
            if new && packet.frame > silent && packet.stream != old {
                return (silent, packet.frame);
            }
        }
        panic!("no new data after frame {silent}");
    }
}
