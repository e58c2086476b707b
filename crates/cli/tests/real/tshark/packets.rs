//! TCP packets as tshark dissects them.

use std::path::Path;
use std::process::Command;

/// Address and port.
pub(crate) type End = (String, u16);

/// The fields that are asked for, in this order.
const FIELDS: [&str; 22] = [
    "tcp.stream",
    "mptcp.stream",
    "ip.src",
    "ip.dst",
    "ipv6.src",
    "ipv6.dst",
    "tcp.srcport",
    "tcp.dstport",
    "tcp.seq_raw",
    "tcp.flags",
    "tcp.len",
    "tcp.options.mptcp.subtype",
    "tcp.options.mptcp.version",
    "tcp.options.mptcp.sendkey",
    "tcp.options.mptcp.recvtok",
    "tcp.options.mptcp.rawdataseqno",
    "tcp.options.mptcp.subflowseqno",
    "tcp.options.mptcp.datalvllen",
    "tcp.options.mptcp.datafin.flag",
    "tcp.options.mptcp.dseqn8.flag",
    "mptcp.expected_token",
    "mptcp.expected_idsn",
];

/// What maps bytes of a subflow to the data level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Mapping {
    /// MP_CAPABLE with data: the connection's first bytes, so many.
    First(u16),
    /// A DSS option.
    Dss {
        /// Data sequence number as it stands there.
        dsn: u64,
        /// Whether it has 64 bits.
        long: bool,
        /// Relative subflow sequence number.
        subflow_seq: u32,
        /// Bytes of data.
        len: u16,
    },
}

/// A TCP packet.
#[derive(Debug)]
pub(crate) struct Packet {
    pub(crate) stream: u32,
    pub(crate) mptcp_stream: Option<u32>,
    pub(crate) from: End,
    pub(crate) to: End,
    pub(crate) seq: u32,
    flags: u16,
    pub(crate) len: u32,
    /// Subtypes of its MPTCP options.
    pub(crate) subtypes: Vec<u8>,
    pub(crate) version: Option<u8>,
    /// The sender's key.
    pub(crate) key: Option<u64>,
    /// The token that tshark computes from that key, and the first data sequence number.
    pub(crate) token: Option<u32>,
    pub(crate) idsn: Option<u64>,
    /// The token in an MP_JOIN.
    pub(crate) receiver_token: Option<u32>,
    pub(crate) mapping: Option<Mapping>,
}

impl Packet {
    pub(crate) fn syn(&self) -> bool {
        self.flags & 0x02 != 0
    }

    pub(crate) fn ack(&self) -> bool {
        self.flags & 0x10 != 0
    }

    pub(crate) fn has(&self, subtype: u8) -> bool {
        self.subtypes.contains(&subtype)
    }
}

/// All TCP packets of a capture.
pub(crate) fn packets(file: &Path) -> Vec<Packet> {
    let mut command = Command::new("tshark");
    command.arg("-n").arg("-r").arg(file).args(["-Y", "tcp", "-T", "fields", "-E", "separator=/t"]);
    command.args(FIELDS.iter().flat_map(|field| ["-e", field]));
    let output = command.output().expect("tshark runs");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "tshark on {}: {stderr}", file.display());
    String::from_utf8(output.stdout).expect("UTF-8").lines().map(packet).collect()
}

fn packet(line: &str) -> Packet {
    let values: Vec<&str> = line.split('\t').collect();
    let value = |name: &str| {
        let index = FIELDS.iter().position(|field| *field == name).expect("a field that is asked for");
        values.get(index).copied().filter(|value| !value.is_empty())
    };
    let number = |name: &str| value(name).map(|text| parse(text).unwrap_or_else(|| panic!("{name}: {text}")));
    let end = |v4: &str, v6: &str, port: &str| {
        let addr = value(v4).or(value(v6)).expect("an address").to_owned();
        (addr, number(port).expect("a port") as u16)
    };
    let len = number("tcp.options.mptcp.datalvllen").map(|len| len as u16);
    let mapping = match (number("tcp.options.mptcp.rawdataseqno"), len) {
        (Some(dsn), Some(len)) => Some(Mapping::Dss {
            dsn,
            long: flag(value("tcp.options.mptcp.dseqn8.flag")),
            subflow_seq: number("tcp.options.mptcp.subflowseqno").expect("of a mapping") as u32,
            // A DATA_FIN takes a number and stands for no byte.
            len: len - u16::from(flag(value("tcp.options.mptcp.datafin.flag"))),
        }),
        (None, Some(len)) => Some(Mapping::First(len)),
        _ => None,
    };
    let subtypes = value("tcp.options.mptcp.subtype").unwrap_or_default();
    Packet {
        stream: number("tcp.stream").expect("a stream") as u32,
        mptcp_stream: number("mptcp.stream").map(|stream| stream as u32),
        from: end("ip.src", "ipv6.src", "tcp.srcport"),
        to: end("ip.dst", "ipv6.dst", "tcp.dstport"),
        seq: number("tcp.seq_raw").expect("a sequence number") as u32,
        flags: number("tcp.flags").expect("flags") as u16,
        len: number("tcp.len").unwrap_or(0) as u32,
        subtypes: subtypes.split(',').filter_map(parse).map(|subtype| subtype as u8).collect(),
        version: number("tcp.options.mptcp.version").map(|version| version as u8),
        key: number("tcp.options.mptcp.sendkey"),
        token: number("mptcp.expected_token").map(|token| token as u32),
        idsn: number("mptcp.expected_idsn"),
        receiver_token: number("tcp.options.mptcp.recvtok").map(|token| token as u32),
        mapping,
    }
}

fn parse(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

/// tshark 4.0 writes flags as 0 and 1, later versions as False and True.
fn flag(value: Option<&str>) -> bool {
    matches!(value, Some("1" | "True"))
}
