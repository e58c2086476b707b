//! What the server tells a client over their connection: lines of text, `name=value`, between a first line with the version and a last
//! line `end`.
//!
//! ```text
//! subflow-check 1
//! nonce=00c0ffee00c0ffee
//! listens=mptcp
//! …
//! end
//! ```
//!
//! Names that are not known are passed over, so that a later server can tell more; what a client of this version must know and does
//! not find makes the report unreadable.

use std::fmt::{self, Write};
use std::net::SocketAddr;
use std::str::FromStr;

use subflow_rows::FromText;
use subflow_wire::tcp::Flags;

use super::seen::Seen;
use crate::rows::Sight;

/// First line.
const VERSION: &str = "subflow-check 1";
/// Most bytes of a report, fillings included.
pub const MOST_BYTES: usize = 16 << 10;

/// What the server tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The number that the client named, so that no other answer is taken for this one.
    pub nonce: u64,
    /// Whether the server listens with Multipath TCP.
    pub listens_mptcp: bool,
    /// From where it knows its packets.
    pub sight: Sight,
    /// The client's address and port as the server's system has them.
    pub peer: SocketAddr,
    /// Its own address and port.
    pub local: SocketAddr,
    /// Whether the connection is one of Multipath TCP at this moment.
    pub mptcp: bool,
    /// Subflows at this moment, the first one included; `None` without Multipath TCP.
    pub subflows: Option<u8>,
    /// The next data sequence number that it expects; `None` without Multipath TCP.
    pub receive_next: Option<u64>,
    /// Whether the system counted a SYN with MP_CAPABLE since the connection before; `None` when it does not count.
    pub counted_syn: Option<bool>,
    /// The client's SYN as it came.
    pub syn: Option<Seen>,
    /// The SYN/ACK as it left.
    pub syn_ack: Option<Seen>,
    /// The client's first packet with data as it came.
    pub data: Option<Seen>,
    /// The first packet with data as it left; `None` in the first report, before anything left.
    pub data_back: Option<Seen>,
}

/// Why bytes are no report.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadReport {
    /// Too long, or no text.
    #[error("no text of at most {MOST_BYTES} bytes")]
    NoText,
    /// It does not begin as one of this version does.
    #[error("no report of version 1")]
    NoReport,
    /// The last line is missing.
    #[error("the report is cut")]
    Cut,
    /// A line that has to be there is missing or unreadable.
    #[error("'{name}' is missing or unreadable")]
    Missing {
        /// Its name.
        name: &'static str,
    },
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{VERSION}")?;
        writeln!(f, "nonce={:016x}", self.nonce)?;
        writeln!(f, "listens={}", if self.listens_mptcp { "mptcp" } else { "tcp" })?;
        writeln!(f, "sight={}", self.sight)?;
        writeln!(f, "peer={}", self.peer)?;
        writeln!(f, "local={}", self.local)?;
        writeln!(f, "mptcp={}", self.mptcp)?;
        if let Some(subflows) = self.subflows {
            writeln!(f, "subflows={subflows}")?;
        }
        if let Some(number) = self.receive_next {
            writeln!(f, "receive_next={number:016x}")?;
        }
        if let Some(counted) = self.counted_syn {
            writeln!(f, "counted_syn={counted}")?;
        }
        let packets = [
            ("syn", &self.syn),
            ("syn_ack", &self.syn_ack),
            ("data", &self.data),
            ("data_back", &self.data_back),
        ];
        for (name, packet) in packets {
            if let Some(seen) = packet {
                writeln!(f, "{name}={}", Line(seen))?;
            }
        }
        writeln!(f, "end")
    }
}

/// A packet in one line: source, destination, time to live, flags, sequence number, window, bytes of data, options in hexadecimal.
struct Line<'a>(&'a Seen);

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Seen { src, dst, ttl, flags, seq, window, data_len, options } = self.0;
        write!(f, "{src} {dst} {ttl} {} {seq} {window} {data_len} {}", flags.0, hex(options))
    }
}

/// Bytes in hexadecimal; `-` for none.
pub(super) fn hex(bytes: &[u8]) -> String {
    if bytes.is_empty() {
        return "-".to_owned();
    }
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing into a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if text == "-" {
        return Some(Vec::new());
    }
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let all = pairs.iter().map(|&[high, low]| Some((digit(high)? << 4 | digit(low)?) as u8)).collect();
    if rest.is_empty() { all } else { None }
}

fn packet(text: &str) -> Option<Seen> {
    fn next<T: FromStr>(words: &mut std::str::Split<'_, char>) -> Option<T> {
        words.next()?.parse().ok()
    }
    let mut words = text.split(' ');
    let seen = Seen {
        src: next(&mut words)?,
        dst: next(&mut words)?,
        ttl: next(&mut words)?,
        flags: Flags(next(&mut words)?),
        seq: next(&mut words)?,
        window: next(&mut words)?,
        data_len: next(&mut words)?,
        options: unhex(words.next()?)?,
    };
    // No header has room for more.
    (seen.options.len() <= 40 && words.next().is_none()).then_some(seen)
}

impl Report {
    /// Reads a report.
    ///
    /// # Errors
    /// Where the bytes are none, whatever they are.
    pub fn parse(bytes: &[u8]) -> Result<Self, BadReport> {
        if bytes.len() > MOST_BYTES {
            return Err(BadReport::NoText);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| BadReport::NoText)?;
        let mut lines = text.lines();
        if lines.next() != Some(VERSION) {
            return Err(BadReport::NoReport);
        }
        let mut found: Vec<(&str, &str)> = Vec::new();
        loop {
            match lines.next() {
                None => return Err(BadReport::Cut),
                Some("end") => break,
                Some(line) => found.extend(line.split_once('=')),
            }
        }
        let get = |wanted: &str| found.iter().find(|(name, _)| *name == wanted).map(|&(_, value)| value);
        let hex64 = |name| u64::from_str_radix(get(name)?, 16).ok();
        let flag = |name| get(name)?.parse::<bool>().ok();
        let ends = |name| get(name)?.parse::<SocketAddr>().ok();
        let need = |name: &'static str| BadReport::Missing { name };
        Ok(Self {
            nonce: hex64("nonce").ok_or(need("nonce"))?,
            listens_mptcp: match get("listens") {
                Some("mptcp") => true,
                Some("tcp") => false,
                _ => return Err(need("listens")),
            },
            sight: get("sight").and_then(Sight::from_text).ok_or(need("sight"))?,
            peer: ends("peer").ok_or(need("peer"))?,
            local: ends("local").ok_or(need("local"))?,
            mptcp: flag("mptcp").ok_or(need("mptcp"))?,
            subflows: get("subflows").and_then(|text| text.parse().ok()),
            receive_next: hex64("receive_next"),
            counted_syn: flag("counted_syn"),
            syn: get("syn").and_then(packet),
            syn_ack: get("syn_ack").and_then(packet),
            data: get("data").and_then(packet),
            data_back: get("data_back").and_then(packet),
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;
    use std::net::IpAddr;

    pub(in crate::check) fn report() -> Report {
        Report {
            nonce: 0x00c0_ffee,
            listens_mptcp: true,
            sight: Sight::System,
            peer: "10.0.0.1:4000".parse().unwrap(),
            local: "[fd00::2]:443".parse().unwrap(),
            mptcp: true,
            subflows: Some(1),
            receive_next: Some(u64::MAX),
            counted_syn: None,
            syn: None,
            syn_ack: None,
            data: None,
            data_back: None,
        }
    }

    #[test]
    fn the_text_of_a_report() {
        let text = report().to_string();
        assert_eq!(
            text,
            "subflow-check 1\nnonce=0000000000c0ffee\nlistens=mptcp\nsight=system\npeer=10.0.0.1:4000\nlocal=[fd00::2]:443\nmptcp=true\n\
             subflows=1\nreceive_next=ffffffffffffffff\nend\n"
        );
        let parse = |text: &str| Report::parse(text.as_bytes());
        assert_eq!(parse(&text), Ok(report()));
        // Later versions of the server may tell more, and lines may end as those of HTTP do.
        assert_eq!(parse(&text.replace("sight=", "weather=rain\nnonsense\nsight=")), Ok(report()));
        assert_eq!(parse(&text.replace('\n', "\r\n")), Ok(report()));
        assert_eq!(parse(&(text.clone() + "filling")), Ok(report()));
        assert_eq!(parse(&text.replace("check 1", "check 2")), Err(BadReport::NoReport));
        assert_eq!(parse(&text.replace("end\n", "")), Err(BadReport::Cut));
        assert_eq!(parse(&text.replace("peer=10", "peer=x")), Err(BadReport::Missing { name: "peer" }));
        assert_eq!(parse(&("x".repeat(MOST_BYTES) + &text)), Err(BadReport::NoText));
        assert_eq!(Report::parse(&[0xff]), Err(BadReport::NoText));
    }

    fn seen() -> impl Strategy<Value = Option<Seen>> {
        let ends = (any::<IpAddr>(), any::<u16>()).prop_map(|(addr, port)| SocketAddr::new(addr, port));
        let options = proptest::collection::vec(any::<u8>(), 0..=40);
        let numbers = (any::<u8>(), 0..0x1000_u16, any::<u32>(), any::<u16>(), any::<u32>());
        proptest::option::of((ends.clone(), ends, numbers, options).prop_map(
            |(src, dst, (ttl, flags, seq, window, data_len), options)| Seen {
                src,
                dst,
                ttl,
                flags: Flags(flags),
                seq,
                window,
                data_len,
                options,
            },
        ))
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(nonce in any::<u64>(), flags in any::<[bool; 2]>(), subflows in any::<Option<u8>>(),
                receive_next in any::<Option<u64>>(), counted_syn in any::<Option<bool>>(),
                packets in [seen(), seen(), seen(), seen()]) {
            let [syn, syn_ack, data, data_back] = packets;
            let [listens_mptcp, mptcp] = flags;
            let report = Report {
                nonce, listens_mptcp, mptcp, subflows, receive_next, counted_syn, syn, syn_ack, data, data_back, ..report()
            };
            let text = report.to_string();
            prop_assert!(text.len() < MOST_BYTES);
            prop_assert_eq!(Report::parse(text.as_bytes()), Ok(report));
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = Report::parse(&bytes);
        }

        #[test]
        fn no_damage_panics(at in 0_usize..400, byte in any::<u8>(), cut in 0_usize..400, syn in seen()) {
            let mut bytes = Report { syn, ..report() }.to_string().into_bytes();
            if let Some(place) = bytes.get_mut(at) {
                *place = byte;
            }
            bytes.truncate(cut.max(1));
            let _ = Report::parse(&bytes);
        }
    }
}
