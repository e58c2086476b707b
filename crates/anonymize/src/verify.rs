//! The output is looked at as anybody would: its tables must be those of the input with addresses and keys replaced, and
//! nothing may be left in it of what was to go.

use crate::{
    Error,
    frame::Rewriting,
    run::{Phase, Watch},
};
use std::{
    collections::HashSet,
    fmt::Debug,
    net::{IpAddr, SocketAddr},
    path::Path,
};
use subflow_analysis::{
    Analyzer, Options, class, is_global,
    rows::{Direction, EventKind, Finding, Tables},
};
use subflow_capture::{Input, Packet};
use subflow_wire::{Dissection, Key, Layer, dissect_layers, ip::protocol, mptcp::Mptcp, tcp::Tcp};

/// Differences told of one table.
const MOST_TOLD: usize = 3;

/// Reads the output at `path`; returns in what its tables differ from what `tables` should have become. What is left
/// that should not be is an error. `frames` are the numbers that frames had in the input, where they are others now.
pub(crate) fn verify(
    path: &Path,
    shift_ns: i64,
    tables: &Tables,
    rewriting: &mut Rewriting,
    frames: Option<&[u64]>,
    watch: &mut Watch<'_>,
) -> Result<Vec<String>, Error> {
    let expected = expected(tables, rewriting);
    let scanner = Scanner::new(rewriting);
    let mut input = Input::open(&[path.to_owned()])?;
    let mut analyzer = Analyzer::new(Options::default(), Tables::default());
    let mut packets = 0;
    while let Some(packet) = input.next_packet() {
        packets += 1;
        if let Some(what) = scanner.find(&packet) {
            return Err(Error::Leak { what, frame: packet.frame });
        }
        let frame = frames.map_or(Some(packet.frame), |frames| frames.get(packets as usize - 1).copied());
        let packet =
            Packet { frame: frame.unwrap_or(0), time_ns: packet.time_ns.saturating_sub(shift_ns), ..packet };
        analyzer.packet(&packet);
        watch.look(Phase::Verifying, packets, &input)?;
    }
    let mut found = analyzer.finish();
    found.sort();
    Ok(compare(&expected, &found))
}

/// The tables of the input as they should be afterwards.
fn expected(tables: &Tables, rewriting: &mut Rewriting) -> Tables {
    let mut tables = tables.clone();
    let Rewriting { secret, book, addresses, .. } = rewriting;
    let numbers: Vec<u64> = tables.connections.iter().map(|row| row.connection_id).collect();
    let shifts =
        |id: u64| numbers.binary_search(&id).ok().and_then(|row| book.shifts(row)).unwrap_or_default();
    for row in &mut tables.connections {
        row.client_addr = addresses.map(row.client_addr);
        row.server_addr = addresses.map(row.server_addr);
        let [client, server] = shifts(row.connection_id);
        for (key, idsn, first, shift) in [
            (&mut row.client_key, &mut row.client_idsn, &mut row.client_first_dsn, client),
            (&mut row.server_key, &mut row.server_idsn, &mut row.server_first_dsn, server),
        ] {
            if let Some(key) = key {
                key.0 = secret.key(Key(key.0)).0;
            }
            if let Some(first) = first {
                // Without a key and with short numbers only, the upper half was never known.
                let short = idsn.is_none() && first.0 >> 32 == 0;
                let shifted = first.0.wrapping_add(shift);
                first.0 = if short { shifted & 0xffff_ffff } else { shifted };
            }
            if let Some(idsn) = idsn {
                idsn.0 = idsn.0.wrapping_add(shift);
            }
        }
        for token in [&mut row.client_token, &mut row.server_token].into_iter().flatten() {
            token.0 = book.token(token.0);
        }
    }
    for row in &mut tables.subflows {
        row.src_addr = addresses.map(row.src_addr);
        row.dst_addr = addresses.map(row.dst_addr);
    }
    for row in &mut tables.announcements {
        row.addr = addresses.map(row.addr);
    }
    for row in &mut tables.hosts {
        row.addr = addresses.map(row.addr);
    }
    tables.hosts.sort_by_key(|row| row.addr);
    for row in &mut tables.events {
        let [client, server] = shifts(row.connection_id);
        // MP_FAIL tells a number of what its sender received.
        let shift = if row.direction == Direction::C2s { server } else { client };
        let mut token = false;
        let word = |word: &str| {
            let after_token = std::mem::replace(&mut token, word == "token");
            if let Ok(addr) = word.parse::<IpAddr>() {
                return addresses.map(addr).to_string();
            }
            if let Ok(end) = word.parse::<SocketAddr>() {
                return SocketAddr::new(addresses.map(end.ip()), end.port()).to_string();
            }
            if let Some((key, comma)) = wrong_key(row.finding, word) {
                return format!("{:016x}{comma}", secret.key(key).0);
            }
            match u64::from_str_radix(word, 16) {
                Ok(value) if after_token && word.len() == 8 => {
                    format!("{:08x}", book.token(value as u32))
                }
                Ok(dsn) if row.kind == EventKind::MpFail && word.len() == 16 => {
                    format!("{:016x}", dsn.wrapping_add(shift))
                }
                _ => word.to_owned(),
            }
        };
        row.detail = row.detail.split(' ').map(word).collect::<Vec<_>>().join(" ");
    }
    tables
}

/// A key in the words of a finding that tells keys, and the comma behind it.
fn wrong_key(finding: Option<Finding>, word: &str) -> Option<(Key, &str)> {
    let (digits, comma) = word.strip_suffix(',').map_or((word, ""), |digits| (digits, ","));
    let told = finding == Some(Finding::FastCloseKeyWrong) && digits.len() == 16;
    Some((Key(u64::from_str_radix(digits, 16).ok().filter(|_| told)?), comma))
}

fn compare(expected: &Tables, found: &Tables) -> Vec<String> {
    let mut differences = Vec::new();
    rows("traffic", &expected.traffic, &found.traffic, &mut differences);
    rows("connections", &expected.connections, &found.connections, &mut differences);
    rows("subflows", &expected.subflows, &found.subflows, &mut differences);
    rows("announcements", &expected.announcements, &found.announcements, &mut differences);
    rows("reinjections", &expected.reinjections, &found.reinjections, &mut differences);
    rows("stalls", &expected.stalls, &found.stalls, &mut differences);
    rows("series", &expected.series, &found.series, &mut differences);
    rows("events", &expected.events, &found.events, &mut differences);
    rows("hosts", &expected.hosts, &found.hosts, &mut differences);
    differences
}

/// The first differences of a table.
fn rows<T: Debug + PartialEq>(table: &str, expected: &[T], found: &[T], differences: &mut Vec<String>) {
    if expected.len() != found.len() {
        differences.push(format!("{table}: {} rows became {}", expected.len(), found.len()));
    }
    let pairs = (0_u64..).zip(expected.iter().zip(found));
    for (number, (expected, found)) in pairs.filter(|(_, (a, b))| a != b).take(MOST_TOLD) {
        let (a, b) = (format!("{expected:#?}"), format!("{found:#?}"));
        let columns = a.lines().zip(b.lines()).find(|(a, b)| a != b);
        let (a, b) = columns.unwrap_or_default();
        differences.push(format!("{table}, row {number}: {} became {}", a.trim(), b.trim()));
    }
}

/// What must not be left.
struct Scanner {
    keys: HashSet<[u8; 8]>,
    /// Global IPv6 addresses of the input, which are long enough not to occur by chance.
    addresses: HashSet<[u8; 16]>,
    /// The only addresses that may be there.
    images: HashSet<IpAddr>,
}

impl Scanner {
    fn new(rewriting: &Rewriting) -> Self {
        let images: HashSet<IpAddr> = rewriting.addresses.pairs().map(|(_, to)| to).collect();
        let global = |addr: IpAddr| match addr {
            IpAddr::V6(v6) if is_global(class(addr)) && !images.contains(&addr) => Some(v6.octets()),
            _ => None,
        };
        let addresses = rewriting.addresses.pairs().filter_map(|(from, _)| global(from)).collect();
        // A key of few bits, as in hand-made captures, occurs anywhere.
        let keys = rewriting.book.keys().filter(|key| key.0.count_ones() > 8 && key.0.count_zeros() > 8);
        Self { keys: keys.map(|key| key.0.to_be_bytes()).collect(), addresses, images }
    }

    /// What a packet of the output holds that it must not.
    fn find(&self, packet: &Packet<'_>) -> Option<&'static str> {
        let mut foreign = false;
        let mut check = |addr: IpAddr| foreign |= !addr.is_unspecified() && !self.images.contains(&addr);
        let dissection = dissect_layers(packet.link, packet.data, packet.wire_len, |layer, _| {
            if let Layer::Ip(ip, _) = layer {
                check(ip.src);
                check(ip.dst);
            }
        });
        let mut payload = &[][..];
        if let Dissection::Ip(ip) = dissection
            && ip.protocol == protocol::TCP
        {
            match Tcp::parse(ip.payload) {
                Ok(tcp) if !ip.is_later_fragment() => {
                    payload = tcp.payload();
                    for option in tcp.options().mptcp() {
                        if let Mptcp::AddAddr(option) = option {
                            check(option.addr);
                        }
                    }
                }
                _ if ip.is_later_fragment() => payload = ip.payload,
                _ => {}
            }
        }
        if foreign {
            return Some("an address of the input");
        }
        if payload.iter().any(|&byte| byte != 0) {
            return Some("payload");
        }
        let holds = |window: &[u8; 8]| *window != [0; 8] && self.keys.contains(window);
        if windows(packet.data).any(holds) {
            return Some("a key of the input");
        }
        let holds = |window: &[u8; 16]| self.addresses.contains(window);
        if !self.addresses.is_empty() && windows(packet.data).any(holds) {
            return Some("an address of the input");
        }
        None
    }
}

/// All runs of `N` bytes.
fn windows<const N: usize>(bytes: &[u8]) -> impl Iterator<Item = &[u8; N]> {
    // Behind the headers there is nothing but zeros.
    let end = bytes.iter().rposition(|&byte| byte != 0).map_or(0, |last| (last + N).min(bytes.len()));
    bytes.get(..end).unwrap_or_default().windows(N).filter_map(|window| window.first_chunk())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_end_with_what_is_not_zero() {
        let bytes = [1, 2, 3, 0, 0, 0, 0, 0];
        assert_eq!(windows::<2>(&bytes).collect::<Vec<_>>(), [&[1, 2], &[2, 3], &[3, 0]]);
        assert_eq!(windows::<2>(&[0; 8]).count(), 0);
        let addr = [7; 16];
        assert_eq!(windows::<16>(&addr).count(), 1);
    }

    #[test]
    fn differences_name_table_row_and_column() {
        #[derive(Debug, PartialEq)]
        struct Row {
            bytes: u32,
        }
        let mut told = Vec::new();
        rows("t", &[Row { bytes: 1 }, Row { bytes: 2 }], &[Row { bytes: 1 }, Row { bytes: 3 }], &mut told);
        rows("u", &[Row { bytes: 1 }], &[], &mut told);
        assert_eq!(told, ["t, row 1: bytes: 2, became bytes: 3,", "u: 1 rows became 0"]);
    }
}
