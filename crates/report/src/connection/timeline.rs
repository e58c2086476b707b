//! Who did what when: one list made from all tables, for terminal and page alike.

use super::One;
use super::text::end;
use crate::text::{bytes, counted, grouped, seconds as duration};
use std::collections::{BTreeMap, BTreeSet};
use subflow_analysis::rows::{
    Announcement, Carried, Close, Direction, Event, EventKind, Fallback, Opener, Packet, Reinjection, Stall,
    StallKind, State, Subflow,
};
use subflow_rows::{Time, names};

names! {
    /// What an entry of the timeline tells.
    pub enum Kind {
        /// The handshake of the initial subflow.
        Handshake => "handshake",
        /// The handshake of a further subflow.
        Join => "join",
        /// ADD_ADDR, or its echo.
        Announcement => "announcement",
        /// REMOVE_ADDR.
        Withdrawal => "withdrawal",
        /// MP_PRIO.
        Priority => "priority",
        /// The first data on a subflow.
        Data => "data",
        /// Data went on elsewhere after a subflow died.
        Handover => "handover",
        /// Data carried again on another subflow.
        Reinjection => "reinjection",
        /// Data carried again on the same subflow.
        Retransmission => "retransmission",
        /// A direction stood still.
        Stall => "stall",
        /// MPTCP came to an end, TCP went on.
        Fallback => "fallback",
        /// MP_FAIL.
        Failure => "failure",
        /// An infinite mapping.
        InfiniteMapping => "infinite mapping",
        /// Something that the RFCs forbid.
        Violation => "violation",
        /// Something that they allow, and that is worth telling.
        Advice => "advice",
        /// DATA_FIN.
        DataFin => "data fin",
        /// FIN of a subflow.
        Fin => "fin",
        /// RST of a subflow.
        Reset => "reset",
        /// MP_FASTCLOSE.
        FastClose => "fastclose",
        /// The end.
        Close => "close",
    }
}

/// One thing that happened, or several of one kind that were put together.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// When the first of them was seen.
    pub time: Time,
    /// When the last of them was.
    pub until: Time,
    /// First and last frame, within their file; null for what no packet shows.
    pub frames: Option<(u64, u64)>,
    /// The subflow; null for what concerns all of them.
    pub subflow: Option<u32>,
    /// Who did it.
    pub direction: Option<Direction>,
    /// What it is.
    pub kind: Kind,
    /// How many of them.
    pub count: u64,
    /// How many bytes they carried, where they carry any.
    pub bytes: u64,
    /// Of reinjections: the subflow that carried the bytes first.
    pub from: Option<u32>,
    /// The particulars, in words; of several things those of the first one.
    pub detail: String,
}

impl Entry {
    /// What happened, in words, without time, frame, subflow and direction.
    pub fn text(&self) -> String {
        let many = self.count > 1;
        let with = |text: String| {
            if self.detail.is_empty() { text } else { format!("{text} ({})", self.detail) }
        };
        match self.kind {
            Kind::Reinjection => {
                let from =
                    self.from.map_or_else(String::new, |from| format!(" first sent on subflow {from}"));
                with(format!("{} of {}{from}", counted(self.count, "reinjection"), bytes(self.bytes)))
            }
            Kind::Retransmission => {
                with(format!("{} of {}", counted(self.count, "retransmission"), bytes(self.bytes)))
            }
            Kind::Fin => "FIN".to_owned(),
            _ if many => format!("{} ({} times): {}", self.kind, grouped(self.count), self.detail),
            Kind::Handshake | Kind::Join | Kind::Announcement | Kind::Data | Kind::Close => {
                self.detail.clone()
            }
            _ => format!("{}: {}", self.kind, self.detail),
        }
    }
}

/// The whole timeline in order of time, nothing put together.
pub fn timeline(one: &One<'_>) -> Vec<Entry> {
    let mut entries = Vec::new();
    let handshakes = Handshakes::of(one.packets);
    entries.extend(one.subflows.iter().map(|subflow| opened(one, subflow, &handshakes)));
    entries.extend(one.announcements.iter().map(announced));
    entries.extend(one.reinjections.iter().map(reinjected));
    let resets: BTreeMap<u64, &Event> = one
        .events
        .iter()
        .filter(|event| event.kind == EventKind::TcpRst)
        .map(|event| (event.frame, event))
        .collect();
    entries.extend(one.events.iter().filter(|event| event.kind != EventKind::TcpRst).map(event));
    entries.extend(one.stalls.iter().filter(|stall| stall.kind != StallKind::Application).map(stalled));
    segments(one, &resets, &mut entries);
    entries.extend(close(one));
    entries.sort_by_key(|entry| (entry.time, entry.frames, entry.kind));
    entries
}

/// An entry of one thing that a packet shows.
fn single(time: Time, frame: u64, kind: Kind, subflow: u32, direction: Direction, detail: String) -> Entry {
    Entry {
        time,
        until: time,
        frames: Some((frame, frame)),
        subflow: Some(subflow),
        direction: Some(direction),
        kind,
        count: 1,
        bytes: 0,
        from: None,
        detail,
    }
}

/// The packets of one subflow's handshake.
#[derive(Clone, Copy, Debug, Default)]
struct Handshake<'a> {
    syn: Option<&'a Packet>,
    syns: u64,
    synack: Option<&'a Packet>,
    ack: Option<&'a Packet>,
}

struct Handshakes<'a>(BTreeMap<u32, Handshake<'a>>);

impl<'a> Handshakes<'a> {
    fn of(packets: &'a [Packet]) -> Self {
        let mut all: BTreeMap<u32, Handshake<'a>> = BTreeMap::new();
        for packet in packets {
            let handshake = all.entry(packet.subflow_id).or_default();
            let (syn, ack) = (packet.flags.contains('S'), packet.flags.contains('.'));
            match handshake.syn {
                None if syn && !ack => (handshake.syn, handshake.syns) = (Some(packet), 1),
                Some(first) if syn && !ack && first.direction == packet.direction => handshake.syns += 1,
                Some(first) if syn && ack && first.direction != packet.direction => {
                    handshake.synack = handshake.synack.or(Some(packet));
                }
                Some(first)
                    if !syn
                        && ack
                        && first.direction == packet.direction
                        && handshake.synack.is_some()
                        && !packet.flags.contains('R') =>
                {
                    handshake.ack = handshake.ack.or(Some(packet));
                }
                _ => {}
            }
        }
        Self(all)
    }
}

impl Handshake<'_> {
    /// Which packets were seen, and how long each took.
    fn words(&self) -> String {
        let later = |packet: &Packet, before: &Packet| duration((packet.time.0 - before.time.0) as f64 / 1e9);
        let Some(syn) = self.syn else { return "its SYN is not in the capture".to_owned() };
        let mut words = if self.syns > 1 { format!("SYN {} times", self.syns) } else { "SYN".to_owned() };
        if let Some(synack) = self.synack {
            words.push_str(&format!(", SYN/ACK after {}", later(synack, syn)));
            if let Some(ack) = self.ack {
                words.push_str(&format!(", ACK after {}", later(ack, synack)));
            }
        }
        words
    }
}

/// The handshake of a subflow and what came of it.
fn opened(one: &One<'_>, subflow: &Subflow, handshakes: &Handshakes<'_>) -> Entry {
    let handshake = handshakes.0.get(&subflow.subflow_id).copied().unwrap_or_default();
    let direction = match subflow.opener {
        Opener::Client => Direction::C2s,
        Opener::Server => Direction::S2c,
    };
    let join = subflow.subflow_id != 0;
    let (from, to) = (end(subflow.src_addr, subflow.src_port), end(subflow.dst_addr, subflow.dst_port));
    let mut detail = if join {
        format!("{} joins {from} → {to}", subflow.opener)
    } else {
        format!("{} opens {from} → {to}", subflow.opener)
    };
    if join && subflow.backup {
        detail.push_str(" as backup");
    }
    detail.push_str(&format!("; {}", handshake.words()));
    let outcome = match subflow.state {
        State::Established if join => "joined",
        State::Established => "established",
        State::SynLost => "no answer",
        State::Refused => "refused by a reset",
        State::Reset => "reset in the handshake",
        State::Unconfirmed => "not confirmed",
        State::Stripped => "answered without MP_JOIN",
        State::Midstream => "seen in midstream",
    };
    detail.push_str(&format!(": {outcome}"));
    match subflow.hmac_ok {
        Some(true) => detail.push_str(", HMACs right"),
        Some(false) => detail.push_str(", HMAC wrong"),
        None if join => detail.push_str(", HMAC not checked"),
        None => {}
    }
    if !join
        && one.connection.fallback == Fallback::None
        && let Some(version) = one.connection.version
    {
        detail.push_str(&format!(", version {version}"));
    }
    let first =
        handshake.syn.or_else(|| one.packets.iter().find(|packet| packet.subflow_id == subflow.subflow_id));
    let last = handshake.ack.or(handshake.synack).or(first);
    let kind = if join { Kind::Join } else { Kind::Handshake };
    let mut entry = single(subflow.start, 0, kind, subflow.subflow_id, direction, detail);
    entry.frames = first.zip(last).map(|(first, last)| (first.frame, last.frame));
    entry
}

fn announced(row: &Announcement) -> Entry {
    let addr = row.port.map_or_else(|| row.addr.to_string(), |port| end(row.addr, port));
    let mut detail = if row.echo {
        format!("echo of address id {}, {addr}", row.address_id)
    } else {
        format!("announces {addr} ({}) as address id {}", row.class, row.address_id)
    };
    if row.repeated {
        detail.push_str(", again");
    }
    match row.hmac_ok {
        Some(true) => detail.push_str(", HMAC right"),
        Some(false) => detail.push_str(", HMAC wrong"),
        None => {}
    }
    match row.echoed {
        Some(true) => detail.push_str(", echoed"),
        Some(false) => detail.push_str(", never echoed"),
        None => {}
    }
    if row.joined {
        detail.push_str(", joined later");
    }
    single(row.time, row.frame, Kind::Announcement, row.subflow_id, row.direction, detail)
}

fn reinjected(row: &Reinjection) -> Entry {
    let mut words = Vec::new();
    if let Some(cause) = row.cause {
        words.push(cause.as_str().replace('_', " "));
    }
    if row.useful == Some(false) {
        words.push("of no use".to_owned());
    }
    let mut entry =
        single(row.time, row.frame, Kind::Reinjection, row.to_subflow, row.direction, words.join(", "));
    entry.bytes = row.bytes;
    entry.from = row.from_subflow;
    entry
}

fn event(row: &Event) -> Entry {
    let kind = match row.kind {
        EventKind::Handover => Kind::Handover,
        EventKind::Fallback => Kind::Fallback,
        EventKind::MpPrio => Kind::Priority,
        EventKind::MpFail => Kind::Failure,
        EventKind::FastClose => Kind::FastClose,
        EventKind::TcpRst => Kind::Reset,
        EventKind::RemoveAddr => Kind::Withdrawal,
        EventKind::DataFin => Kind::DataFin,
        EventKind::InfiniteMapping => Kind::InfiniteMapping,
        EventKind::Violation => Kind::Violation,
        EventKind::Advice => Kind::Advice,
    };
    single(row.time, row.frame, kind, row.subflow_id, row.direction, row.detail.clone())
}

/// A direction that stood still; an application that had nothing to send is no news.
fn stalled(row: &Stall) -> Entry {
    let what = match row.kind {
        StallKind::ReceiveWindow => "the receive window is full",
        StallKind::HeadOfLine => "a missing byte holds up the receiver",
        StallKind::NoProgress => "nothing is acknowledged",
        StallKind::Application => "nothing to send",
    };
    let seconds = duration(row.duration);
    let until = Time(row.start.0.saturating_add((row.duration * 1e9).round() as i64));
    Entry {
        time: row.start,
        until,
        frames: Some((row.start_frame, row.end_frame.unwrap_or(row.start_frame))),
        subflow: row.subflow_id,
        direction: Some(row.direction),
        kind: Kind::Stall,
        count: 1,
        bytes: row.bytes_waiting,
        from: None,
        detail: format!("{what} for {seconds}, {} wait", bytes(row.bytes_waiting)),
    }
}

/// What the packets themselves tell: first data, retransmissions, FINs and resets.
fn segments(one: &One<'_>, resets: &BTreeMap<u64, &Event>, entries: &mut Vec<Entry>) {
    let mut with_data = BTreeSet::new();
    let mut finished = BTreeSet::new();
    let meta: BTreeMap<u64, u64> = one
        .carriages
        .iter()
        .filter(|row| row.carried == Carried::MetaRetransmission)
        .map(|row| (row.frame, row.bytes))
        .collect();
    for packet in one.packets {
        let (subflow, direction) = (packet.subflow_id, packet.direction);
        let entry = |kind, detail| single(packet.time, packet.frame, kind, subflow, direction, detail);
        if packet.bytes > 0 && with_data.insert(subflow) {
            entries.push(entry(Kind::Data, format!("first data, {}", bytes(packet.bytes))));
        }
        if packet.retransmitted_bytes > 0 {
            let detail = String::new();
            entries.push(Entry { bytes: packet.retransmitted_bytes, ..entry(Kind::Retransmission, detail) });
        } else if let Some(&bytes) = meta.get(&packet.frame) {
            let detail = "new subflow sequence numbers".to_owned();
            entries.push(Entry { bytes, ..entry(Kind::Retransmission, detail) });
        }
        if packet.flags.contains('F') && finished.insert((subflow, direction.index())) {
            entries.push(entry(Kind::Fin, String::new()));
        }
        if packet.flags.contains('R') {
            let detail = resets.get(&packet.frame).map_or("RST", |event| event.detail.as_str());
            entries.push(entry(Kind::Reset, detail.trim_start_matches("reset: ").to_owned()));
        }
    }
}

fn close(one: &One<'_>) -> Option<Entry> {
    let connection = one.connection;
    let detail = match connection.close {
        Close::DataFin => "the connection ends by DATA_FIN",
        Close::FastClose => "the connection ends by MP_FASTCLOSE",
        Close::Reset => "the connection ends: its last subflow was reset",
        Close::Fin => "the connection ends by FIN alone",
        Close::Timeout => "last packet, then silence for longer than the idle limit",
        Close::Open => "the capture ends here, the connection is open",
    };
    let last = one.packets.last();
    let time = Time(connection.start.0.saturating_add((connection.duration * 1e9).round() as i64));
    Some(Entry {
        time,
        until: time,
        frames: last.map(|packet| (packet.frame, packet.frame)),
        subflow: None,
        direction: None,
        kind: Kind::Close,
        count: 1,
        bytes: 0,
        from: None,
        detail: detail.to_owned(),
    })
}
