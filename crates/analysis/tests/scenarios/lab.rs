//! A tiny lab: builds packets with the wire crate and feeds them to the analyser.

use std::net::IpAddr;
use subflow_analysis::{Analyzer, Options, rows::Tables};
use subflow_capture::Packet;
use subflow_wire::{
    LinkType,
    ip::{v4, v6},
    keys::{Key, Version, join_hmac, leftmost64},
    mptcp::{Capable, Dsn, Dss, Join, Mapping, Mptcp},
    tcp::{self, Flags, TcpOption},
};

/// The connection's directions as indices.
pub(crate) const C2S: usize = 0;
pub(crate) const S2C: usize = 1;

pub(crate) const SYN: Flags = Flags::SYN;
pub(crate) const ACK: Flags = Flags::ACK;
pub(crate) const RST: Flags = Flags::RST;
pub(crate) const SYN_ACK: Flags = Flags(Flags::SYN.0 | Flags::ACK.0);
pub(crate) const FIN_ACK: Flags = Flags(Flags::FIN.0 | Flags::ACK.0);

pub(crate) const KEYS: [Key; 2] = [Key(0xb49d_03c2_011d_7aba), Key(0x8fb9_c7b4_93f3_3d4b)];

/// A subflow between two ends, sequence numbers kept.
#[derive(Clone, Debug)]
pub(crate) struct Path {
    pub(crate) ends: [(IpAddr, u16); 2],
    pub(crate) isn: [u32; 2],
    pub(crate) next: [u32; 2],
    pub(crate) hop_limit: u8,
}

impl Path {
    /// `client` and `server` as `address:port`; the direction indices are those of the connection.
    pub(crate) fn new(client: &str, server: &str) -> Self {
        let end = |text: &str| {
            let end: std::net::SocketAddr = text.parse().unwrap();
            (end.ip(), end.port())
        };
        let isn = [0xffff_fff0, 7_000];
        Self { ends: [end(client), end(server)], isn, next: isn, hop_limit: 64 }
    }
}

/// One segment to be sent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shot<'a> {
    pub(crate) flags: Flags,
    pub(crate) options: Vec<TcpOption<'a>>,
    pub(crate) payload: usize,
    /// Instead of the path's next sequence number.
    pub(crate) seq: Option<u32>,
    pub(crate) hop_limit: Option<u8>,
    /// Instead of 500, and of what the path's other direction has sent.
    pub(crate) window: Option<u16>,
    pub(crate) ack: Option<u32>,
}

impl<'a> Shot<'a> {
    pub(crate) fn new(flags: Flags, options: &[Mptcp<'a>], payload: usize) -> Self {
        let options = options.iter().map(|&option| TcpOption::Mptcp(option)).collect();
        Self { flags, options, payload, ..Self::default() }
    }
}

/// The packets so far.
#[derive(Debug, Default)]
pub(crate) struct Lab {
    frames: Vec<(i64, Vec<u8>)>,
    pub(crate) now: i64,
    identification: u16,
}

impl Lab {
    pub(crate) fn new() -> Self {
        Self { now: 1_000_000_000_000, ..Self::default() }
    }

    /// Lets milliseconds pass.
    pub(crate) fn wait(&mut self, ms: i64) {
        self.now += ms * 1_000_000;
    }

    /// Sends one segment in a direction of the path; a millisecond passes.
    pub(crate) fn send(&mut self, path: &mut Path, direction: usize, shot: &Shot<'_>) {
        let (from, to) = (path.ends[direction], path.ends[1 - direction]);
        let seq = shot.seq.unwrap_or(path.next[direction]);
        let ack = shot.ack.unwrap_or(path.next[1 - direction]);
        let ack = if shot.flags.ack() { ack } else { 0 };
        let header = tcp::Header {
            src_port: from.1,
            dst_port: to.1,
            seq,
            ack,
            flags: shot.flags,
            window: shot.window.unwrap_or(500),
            urgent: 0,
        };
        let payload = vec![0; shot.payload];
        let mut packet = vec![0; 2000];
        let len = header.emit(from.0, to.0, &shot.options, &payload, &mut packet).unwrap();
        packet.truncate(len);
        self.identification += 1;
        self.push(from.0, to.0, &packet, shot.hop_limit.unwrap_or(path.hop_limit));
        let end = seq
            .wrapping_add(shot.payload as u32)
            .wrapping_add(u32::from(shot.flags.syn()))
            .wrapping_add(u32::from(shot.flags.fin()));
        if end.wrapping_sub(path.next[direction]) as i32 > 0 {
            path.next[direction] = end;
        }
        self.wait(1);
    }

    fn push(&mut self, src: IpAddr, dst: IpAddr, segment: &[u8], hop_limit: u8) {
        let mut packet = vec![0; 60];
        let header_len = match (src, dst) {
            (IpAddr::V4(src), IpAddr::V4(dst)) => {
                let identification = self.identification;
                let header = v4::Header { hop_limit, identification, ..v4::Header::new(src, dst, 6) };
                header.emit(segment.len(), &mut packet).unwrap()
            }
            (IpAddr::V6(src), IpAddr::V6(dst)) => {
                let header = v6::Header { hop_limit, ..v6::Header::new(src, dst, 6) };
                header.emit(segment.len(), &mut packet).unwrap()
            }
            _ => panic!("both ends are of one family"),
        };
        packet.truncate(header_len);
        packet.extend_from_slice(segment);
        self.frames.push((self.now, packet));
    }

    /// Repeats the last packet after so many nanoseconds, as a mirror port does.
    pub(crate) fn repeat_last(&mut self, delay: i64, hop_limit: Option<u8>) {
        let (time, mut packet) = self.frames.last().unwrap().clone();
        if let Some(hop_limit) = hop_limit {
            let place = if packet[0] >> 4 == 4 { 8 } else { 7 };
            packet[place] = hop_limit;
        }
        self.frames.push((time + delay, packet));
    }

    /// Exchanges the last two packets' places, not their times.
    pub(crate) fn swap_last(&mut self) {
        let count = self.frames.len();
        let (left, right) = self.frames.split_at_mut(count - 1);
        std::mem::swap(&mut left[count - 2].1, &mut right[0].1);
    }

    /// Loses packets: keeps those for which `keep(number)` holds, counted from 0.
    pub(crate) fn keep(&mut self, keep: impl Fn(usize) -> bool) {
        let mut number = 0;
        self.frames.retain(|_| {
            number += 1;
            keep(number - 1)
        });
    }

    pub(crate) fn count(&self) -> usize {
        self.frames.len()
    }

    /// The tables of what was sent.
    pub(crate) fn analyze(&self) -> Tables {
        self.analyze_with(Options::default())
    }

    pub(crate) fn analyze_with(&self, options: Options) -> Tables {
        let mut analyzer = Analyzer::new(options, Tables::default());
        for (number, (time, data)) in self.frames.iter().enumerate() {
            analyzer.packet(&Packet {
                time_ns: *time,
                wire_len: data.len() as u32,
                link: LinkType::RAW,
                interface: 0,
                file: 0,
                frame: number as u64 + 1,
                data,
            });
        }
        let mut tables = analyzer.finish();
        tables.sort();
        tables
    }
}

pub(crate) fn capable(version: Version, keys: &[Key]) -> Mptcp<'static> {
    Mptcp::Capable(Capable {
        version: version as u8,
        flags: 0x01,
        sender_key: keys.first().copied(),
        receiver_key: keys.get(1).copied(),
        data_len: None,
        checksum: None,
    })
}

/// The option of the SYN: v0 shows the key, v1 does not.
pub(crate) fn capable_syn(version: Version) -> Mptcp<'static> {
    capable(version, if version == Version::V0 { &KEYS[..1] } else { &[] })
}

/// The three-way handshake of the initial subflow.
pub(crate) fn open(lab: &mut Lab, path: &mut Path, version: Version) {
    lab.send(path, C2S, &Shot::new(SYN, &[capable_syn(version)], 0));
    lab.send(path, S2C, &Shot::new(SYN_ACK, &[capable(version, &KEYS[1..])], 0));
    lab.send(path, C2S, &Shot::new(ACK, &[capable(version, &KEYS)], 0));
}

/// What a join shows.
pub(crate) struct Joining {
    pub(crate) opener: usize,
    pub(crate) version: Version,
    pub(crate) address_id: u8,
    pub(crate) backup: bool,
}

impl Joining {
    const NONCES: [u32; 2] = [0x0102_0304, 0x0506_0708];

    pub(crate) fn new(opener: usize, version: Version, address_id: u8) -> Self {
        Self { opener, version, address_id, backup: false }
    }

    fn nonces(&self) -> [u32; 2] {
        Self::NONCES.map(|nonce| nonce ^ u32::from(self.address_id) << 16)
    }

    pub(crate) fn syn(&self) -> Mptcp<'static> {
        let token = KEYS[1 - self.opener].token(self.version);
        Mptcp::Join(Join::Syn {
            backup: self.backup,
            address_id: self.address_id,
            token,
            nonce: self.nonces()[0],
            reserved: 0,
        })
    }

    pub(crate) fn syn_ack(&self) -> Mptcp<'static> {
        let [ours, theirs] = self.nonces();
        let hmac = join_hmac(self.version, KEYS[1 - self.opener], KEYS[self.opener], theirs, ours);
        Mptcp::Join(Join::SynAck {
            backup: self.backup,
            address_id: 0,
            hmac: leftmost64(&hmac),
            nonce: theirs,
            reserved: 0,
        })
    }

    pub(crate) fn ack(&self) -> Mptcp<'static> {
        let [ours, theirs] = self.nonces();
        let hmac = join_hmac(self.version, KEYS[self.opener], KEYS[1 - self.opener], ours, theirs);
        Mptcp::Join(Join::Ack { hmac, reserved: 0 })
    }
}

/// The handshake of a join.
pub(crate) fn join(lab: &mut Lab, path: &mut Path, joining: &Joining) {
    lab.send(path, joining.opener, &Shot::new(SYN, &[joining.syn()], 0));
    lab.send(path, 1 - joining.opener, &Shot::new(SYN_ACK, &[joining.syn_ack()], 0));
    lab.send(path, joining.opener, &Shot::new(ACK, &[joining.ack()], 0));
}

/// Data sequence number of an offset.
pub(crate) fn dsn(version: Version, direction: usize, offset: i64) -> u64 {
    KEYS[direction].idsn(version).wrapping_add(1).wrapping_add(offset as u64)
}

/// A mapping as an option: data offset `data`, at relative subflow sequence number `relative`.
pub(crate) fn map(version: Version, direction: usize, data: i64, relative: u32, len: u16) -> Mptcp<'static> {
    let dsn = Dsn::Long(dsn(version, direction, data));
    Mptcp::Dss(Dss {
        data_ack: None,
        mapping: Some(Mapping { dsn, subflow_seq: relative, len, checksum: None }),
        data_fin: false,
        reserved: 0,
    })
}

/// A DATA_ACK of everything that `direction` sent before offset `data`, to be sent the other way.
pub(crate) fn data_ack(version: Version, direction: usize, data: i64) -> Mptcp<'static> {
    Mptcp::Dss(Dss {
        data_ack: Some(Dsn::Long(dsn(version, direction, data))),
        mapping: None,
        data_fin: false,
        reserved: 0,
    })
}

/// Sends `len` bytes of data offset `data` with a mapping of their own.
pub(crate) fn data(lab: &mut Lab, path: &mut Path, version: Version, direction: usize, data: i64, len: u16) {
    let relative = path.next[direction].wrapping_sub(path.isn[direction]);
    let option = map(version, direction, data, relative, len);
    lab.send(path, direction, &Shot::new(ACK, &[option], usize::from(len)));
}

/// DATA_FIN at an offset, on its own.
pub(crate) fn data_fin(lab: &mut Lab, path: &mut Path, version: Version, direction: usize, offset: i64) {
    let dss = Mptcp::Dss(Dss {
        data_ack: None,
        mapping: Some(Mapping {
            dsn: Dsn::Long(dsn(version, direction, offset)),
            subflow_seq: 0,
            len: 1,
            checksum: None,
        }),
        data_fin: true,
        reserved: 0,
    });
    lab.send(path, direction, &Shot::new(ACK, &[dss], 0));
}

pub(crate) const VERSIONS: [Version; 2] = [Version::V0, Version::V1];
pub(crate) const CLIENT: &str = "10.0.0.1:40000";
pub(crate) const CLIENT2: &str = "10.0.1.1:40001";
pub(crate) const SERVER: &str = "192.0.2.1:80";
