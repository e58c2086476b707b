//! Segments without sense: any bytes on any subflow, again and elsewhere, lost, late and out of order. No sender behaves so; the
//! truth and the analysis must agree all the same.

use std::collections::{BTreeMap, BinaryHeap};
use std::net::SocketAddr;

use subflow_sim::capture::{Place, Settings, Taps};
use subflow_sim::header::{Header, OptionBytes, Payload};
use subflow_sim::observe::{End, Fact, Handshake, Observer, Sight};
use subflow_sim::truth::Truth;
use subflow_sim::truth::rows::TruthConnection;
use subflow_sim::{Duration, Time};
use subflow_wire::keys::{Version, join_hmac, leftmost64};
use subflow_wire::mptcp::{Capable, Dsn, Dss, Join, Mapping, Mptcp};
use subflow_wire::tcp::Flags;

use crate::compare::{analyze, differences};
use crate::script::KEYS;

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % below
    }
}

/// Ranges that have come, and up to where all of them have.
#[derive(Default)]
struct Received(BTreeMap<u64, u64>, u64);

impl Received {
    fn take(&mut self, start: u64, len: u64) {
        let end = self.0.entry(start).or_default();
        *end = (*end).max(start + len);
        while let Some((&start, &end)) = self.0.first_key_value().filter(|range| *range.0 <= self.1) {
            self.0.remove(&start);
            self.1 = self.1.max(end);
        }
    }
}

struct Sub {
    ends: [SocketAddr; 2],
    isn: [u32; 2],
    /// Position, offset, length of what each end has sent here.
    sent: [Vec<(u64, u64, u16)>; 2],
    next: [u64; 2],
    received: [Received; 2],
    delay: Duration,
}

/// A segment under way: subflow, sender, header, and what it carries (position, offset, length).
type UnderWay = (usize, End, Header, Option<(u64, u64, u16)>);

struct Chaos<O> {
    dice: Dice,
    observer: O,
    now: Time,
    subs: Vec<Sub>,
    data: [u64; 2],
    received: [Received; 2],
    /// Arrivals to come: time and number, the earliest first.
    arrivals: BinaryHeap<std::cmp::Reverse<(Time, usize)>>,
    segments: Vec<UnderWay>,
    version: Version,
}

impl<O: Observer> Chaos<O> {
    fn header(&mut self, sub: usize, from: End, flags: Flags) -> Header {
        let it = &self.subs[sub];
        let (this, other) = (from.index(), from.other().index());
        let seq = it.isn[this].wrapping_add(1).wrapping_add(it.next[this] as u32);
        let ack = it.isn[other].wrapping_add(1).wrapping_add(it.received[other].1 as u32);
        let mut header = Header::new(it.ends[this], it.ends[other], seq, ack, flags, 5000);
        header.options = OptionBytes::segment(Some(((self.now.0 / 1_000_000_000) as u32, 1)));
        header.identification = self.segments.len() as u16;
        header.payload.stream = Payload::stream(0, from == End::Server);
        header
    }

    fn send(
        &mut self,
        sub: usize,
        from: End,
        mut header: Header,
        carries: Option<(u64, u64, u16)>,
        may_be_lost: bool,
    ) {
        let at = Sight { now: self.now, connection: 0, subflow: sub as u32, end: from };
        self.observer.sent(at, &mut header);
        let number = self.segments.len();
        self.segments.push((sub, from, header, carries));
        if may_be_lost && self.dice.roll(10) == 0 {
            return;
        }
        let late = Duration::from_micros(if may_be_lost { self.dice.roll(8000) } else { 0 });
        self.arrivals.push(std::cmp::Reverse((self.now + self.subs[sub].delay + late, number)));
    }

    /// Lets everything arrive until a time.
    fn until(&mut self, time: Time) {
        while let Some(&std::cmp::Reverse((at, number))) =
            self.arrivals.peek().filter(|next| next.0.0 <= time)
        {
            self.arrivals.pop();
            self.now = at;
            let (sub, from, header, carries) = self.segments[number];
            let to = from.other();
            self.observer.arrived(Sight { now: at, connection: 0, subflow: sub as u32, end: to }, &header);
            if let Some((position, offset, len)) = carries {
                self.subs[sub].received[from.index()].take(position, u64::from(len));
                self.received[from.index()].take(offset, u64::from(len));
                self.ack(sub, to);
            }
        }
        self.now = time;
    }

    fn number(&self, of: End, offset: u64) -> Dsn {
        let dsn = KEYS[of.index()].idsn(self.version).wrapping_add(1).wrapping_add(offset);
        if self.version == Version::V0 { Dsn::Short(dsn as u32) } else { Dsn::Long(dsn) }
    }

    fn ack(&mut self, sub: usize, from: End) {
        let mut header = self.header(sub, from, Flags::ACK);
        let data_ack = Some(self.number(from.other(), self.received[from.other().index()].1));
        let dss = Dss { data_ack, mapping: None, data_fin: false, reserved: 0 };
        header.options.mptcp(&Mptcp::Dss(dss)).unwrap();
        self.send(sub, from, header, None, true);
    }

    /// A segment of `len` bytes, `skip` bytes into a mapping.
    fn carry(&mut self, sub: usize, from: End, mapping: (u64, u64, u16), skip: u16, len: u16) {
        let (position, offset, mapped) = mapping;
        let this = from.index();
        let mut header = self.header(sub, from, Flags::ACK);
        let (position, start) = (position + u64::from(skip), position);
        header.seq = self.subs[sub].isn[this].wrapping_add(1).wrapping_add(position as u32);
        let dsn = KEYS[this].idsn(self.version).wrapping_add(1).wrapping_add(offset + u64::from(skip));
        header.payload = Payload { dsn, len, ..header.payload };
        let mapping = Mapping {
            dsn: self.number(from, offset),
            subflow_seq: start as u32 + 1,
            len: mapped,
            checksum: None,
        };
        let data_ack = Some(self.number(from.other(), self.received[from.other().index()].1));
        let dss = Dss { data_ack, mapping: Some(mapping), data_fin: false, reserved: 0 };
        header.options.mptcp(&Mptcp::Dss(dss)).unwrap();
        self.send(sub, from, header, Some((position, offset + u64::from(skip), len)), true);
    }

    /// Bytes of the data level under new subflow numbers.
    fn fresh(&mut self, sub: usize, from: End, offset: u64, len: u16) {
        let this = from.index();
        let position = self.subs[sub].next[this];
        let mapping = (position, offset, len);
        self.carry(sub, from, mapping, 0, len);
        self.subs[sub].sent[this].push(mapping);
        self.subs[sub].next[this] += u64::from(len);
        self.data[this] = self.data[this].max(offset + u64::from(len));
    }

    fn step(&mut self) {
        let gap = self.dice.roll(3000);
        self.until(self.now + Duration::from_micros(gap));
        let sub = self.dice.roll(self.subs.len() as u64) as usize;
        let from = if self.dice.roll(3) == 0 { End::Server } else { End::Client };
        let this = from.index();
        let len = 1 + self.dice.roll(1400) as u16;
        let sent = self.subs[sub].sent[this].len() as u64;
        match self.dice.roll(10) {
            // On another subflow, or on this one once more, from anywhere.
            0 | 1 if self.data[this] > 0 => {
                let offset = self.dice.roll(self.data[this]);
                self.fresh(sub, from, offset, len);
            }
            // What the other end waits for.
            4 | 5 if sent > 0 => {
                let it = &self.subs[sub];
                let missing =
                    it.sent[this].iter().find(|sent| sent.0 + u64::from(sent.2) > it.received[this].1);
                let mapping = *missing.unwrap_or(&it.sent[this][0]);
                self.carry(sub, from, mapping, 0, mapping.2);
            }
            // The same subflow numbers again, perhaps a part of them.
            2 | 3 if sent > 0 => {
                let back = self.dice.roll(sent.min(20));
                let mapping = self.subs[sub].sent[this][(sent - 1 - back) as usize];
                let skip =
                    if self.dice.roll(2) == 0 { 0 } else { self.dice.roll(u64::from(mapping.2)) as u16 };
                self.carry(sub, from, mapping, skip, mapping.2 - skip);
            }
            _ => self.fresh(sub, from, self.data[this], len),
        }
    }

    fn open(&mut self, sub: usize) {
        let version = self.version.into();
        let capable = |sender: bool, receiver: bool, first: usize| {
            Mptcp::Capable(Capable {
                version,
                flags: 1,
                sender_key: sender.then_some(KEYS[first]),
                receiver_key: receiver.then_some(KEYS[1 - first]),
                data_len: None,
                checksum: None,
            })
        };
        let hmac = |of: usize| join_hmac(self.version, KEYS[of], KEYS[1 - of], of as u32, 1 - of as u32);
        let token = KEYS[1].token(self.version);
        let (backup, reserved) = (false, 0);
        let options = if sub == 0 {
            [capable(version == 0, false, 0), capable(true, false, 1), capable(true, true, 0)]
        } else {
            [
                Mptcp::Join(Join::Syn { backup, address_id: sub as u8, token, nonce: 0, reserved }),
                Mptcp::Join(Join::SynAck {
                    backup,
                    address_id: 0,
                    hmac: leftmost64(&hmac(1)),
                    nonce: 1,
                    reserved,
                }),
                Mptcp::Join(Join::Ack { hmac: hmac(0), reserved: 0 }),
            ]
        };
        let flags = [Flags::SYN, Flags::SYN | Flags::ACK, Flags::ACK];
        let froms = [End::Client, End::Server, End::Client];
        for ((option, flags), from) in options.into_iter().zip(flags).zip(froms) {
            let mut header = self.header(sub, from, flags);
            if flags.syn() {
                header.seq = self.subs[sub].isn[from.index()];
                header.options = OptionBytes::syn(1460, true, Some((1, 1)), Some(7));
            }
            header.options.mptcp(&option).unwrap();
            self.send(sub, from, header, None, false);
            self.until(self.now + self.subs[sub].delay);
        }
        for end in [End::Client, End::Server] {
            let fact = Fact::Handshake { subflow: sub as u32, state: Handshake::Established };
            self.observer.fact(self.now, 0, end, fact);
        }
    }
}

fn run(seed: u64, steps: u32) -> Vec<String> {
    let settings = Settings { snap: 0, ..Settings::default() };
    let mut taps = Taps::new(settings);
    for end in [End::Client, End::Server] {
        taps.add(Place::Ends(end), Vec::new()).unwrap();
    }
    let mut dice = Dice(seed);
    let subs = (0..2 + dice.roll(3)).map(|n| Sub {
        ends: [SocketAddr::from(([10, 0, n as u8, 1], 4000)), SocketAddr::from(([10, 9, 0, 1], 80))],
        isn: [dice.roll(1 << 32) as u32, u32::MAX - dice.roll(1000) as u32],
        sent: Default::default(),
        next: [0; 2],
        received: Default::default(),
        delay: Duration::from_micros(500 + dice.roll(20_000)),
    });
    let subs: Vec<_> = subs.collect();
    let version = if dice.roll(2) == 0 { Version::V0 } else { Version::V1 };
    let mut chaos = Chaos {
        dice,
        observer: (Truth::new(settings), taps),
        now: Time::ZERO,
        subs,
        data: [0; 2],
        received: Default::default(),
        arrivals: BinaryHeap::new(),
        segments: Vec::new(),
        version,
    };
    for end in [End::Client, End::Server] {
        for of in [End::Client, End::Server] {
            chaos.observer.fact(Time::ZERO, 0, end, Fact::Key { of, key: KEYS[of.index()], version });
        }
    }
    for sub in 0..chaos.subs.len() {
        chaos.open(sub);
    }
    for _ in 0..steps {
        chaos.step();
    }
    chaos.until(Time::MAX);
    let (truth, taps) = (chaos.observer.0.finish(), chaos.observer.1);
    // Otherwise there is nothing to compare.
    let copies = |row: &TruthConnection| row.reinjected_bytes_c2s.min(row.retransmitted_bytes_c2s) > 0;
    assert!(steps < 100 || truth.connections.iter().all(copies), "seed {seed}");
    assert!(steps < 100 || truth.rtts.len() > 20, "seed {seed}: {}", truth.rtts.len());
    assert_eq!(truth.mappings.len() as u32, steps);
    let captures = taps.finish().unwrap();
    let ends = [End::Client, End::Server].into_iter().zip(captures);
    let found = ends.flat_map(|(end, capture)| {
        let found = differences(&analyze(capture), &truth, end);
        found.into_iter().map(move |text| format!("seed {seed}, {end}: {text}"))
    });
    found.collect()
}

#[test]
fn nonsense_is_analysed_to_the_truth() {
    let wrong: Vec<_> = (0..60).flat_map(|seed| run(seed, 10 + 10 * seed as u32)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
