//! Which packet of one capture is which of the other, within one direction of one subflow.

use super::record::{Record, digest};
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use subflow_wire::tcp::Flags;

/// How one direction of a flow differs between the captures.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shift {
    /// Sequence numbers in B minus those in A.
    pub(crate) seq: u32,
    /// Acknowledgement numbers in B minus those in A.
    pub(crate) ack: u32,
    /// Clock of B minus clock of A, give or take a delay, in nanoseconds.
    pub(crate) clock: i64,
}

/// What stands at the other end for a packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mate {
    /// Nothing.
    #[default]
    None,
    /// That packet; `by_order` when only their order tells.
    Packet { index: usize, by_order: bool },
    /// This many of its bytes in other packets. One of them begins or ends with it and measures the delay.
    Pieces { bytes: u32, index: Option<usize> },
    /// The packet is one more copy of one that has its mate.
    Copy,
}

/// Mates of the packets of A and of B.
pub(crate) struct Mates {
    pub(crate) a: Vec<Mate>,
    pub(crate) b: Vec<Mate>,
}

/// What two packets must share to be one, from the surest to the weakest.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    /// Position, length, flags, ACK, timestamps, identification.
    All,
    /// A box gave it another identification, or another ACK (a proxy).
    Stamps,
    /// A box changed or took the timestamps.
    Identification,
    /// Only place and order.
    Order,
}

/// Copies of a packet without identification come this close together, in nanoseconds.
const COPY_NS: i64 = 5_000_000;

/// Fields that the path is seen to leave alone: packets that differ in them are not one.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Keeps {
    stamps: bool,
    identification: bool,
}

/// Matches the packets of A with those of B, both in order of time, that lie within `window` nanoseconds of one another.
pub(crate) fn settle(a: &[Record], b: &[Record], shift: Shift, window: i64, keeps: &mut Keeps) -> Mates {
    let mut mates = Mates { a: vec![Mate::None; a.len()], b: vec![Mate::None; b.len()] };
    let in_reach = |x: &Record, y: &Record| (y.time - x.time - shift.clock).abs() <= window;
    for level in [Level::All, Level::Stamps, Level::Identification, Level::Order] {
        if level == Level::Identification && keeps.stamps {
            continue;
        }
        let kept = *keeps;
        let print = |record: &Record, delta: Shift| {
            let seq = record.seq.wrapping_sub(delta.seq);
            let ack = if record.has(Flags::ACK) { record.ack.wrapping_sub(delta.ack) } else { 0 };
            let control = record.flags & (Flags::SYN | Flags::FIN | Flags::RST).0;
            let base = (seq, record.len, control, level as u8);
            let bare = record.span() == 0;
            match level {
                Level::All => Some(digest((
                    base,
                    ack,
                    record.flags,
                    record.stamps,
                    record.identification,
                    record.window,
                ))),
                Level::Stamps => record
                    .stamps
                    .filter(|_| record.has(Flags::ACK))
                    .map(|stamps| digest((base, bare.then_some(ack), stamps))),
                Level::Identification => (record.identification != 0)
                    .then(|| digest((base, bare.then_some(ack), record.identification))),
                Level::Order => Some(digest((
                    base,
                    bare.then_some(ack),
                    record.stamps.filter(|_| kept.stamps),
                    kept.identification.then_some(record.identification),
                ))),
            }
        };
        let mut waiting: HashMap<u64, VecDeque<usize>> = HashMap::new();
        for (index, record) in b.iter().enumerate().filter(|&(index, _)| mates.b[index] == Mate::None) {
            if let Some(print) = print(record, shift) {
                waiting.entry(print).or_default().push_back(index);
            }
        }
        if waiting.is_empty() {
            continue;
        }
        let home = Shift { seq: 0, ack: 0, clock: 0 };
        for (index, record) in a.iter().enumerate() {
            if mates.a[index] != Mate::None {
                continue;
            }
            let Some(line) = print(record, home).and_then(|print| waiting.get_mut(&print)) else { continue };
            // Those in front that lie too far back are of use to nobody.
            while line.front().is_some_and(|&front| b[front].time - record.time - shift.clock < -window) {
                line.pop_front();
            }
            let Some(&front) = line.front() else { continue };
            if in_reach(record, &b[front]) {
                line.pop_front();
                let by_order = level == Level::Order;
                mates.a[index] = Mate::Packet { index: front, by_order };
                mates.b[front] = Mate::Packet { index, by_order };
                if level != Level::Order {
                    keeps.stamps |= record.stamps.is_some() && record.stamps == b[front].stamps;
                    keeps.identification |=
                        record.identification != 0 && record.identification == b[front].identification;
                }
            }
        }
    }
    mark_copies(a, &mut mates.a);
    mark_copies(b, &mut mates.b);
    pieces(a, b, shift, window, &mut mates);
    mates
}

/// Packets without a mate that are the same as one with a mate.
fn mark_copies(records: &[Record], mates: &mut [Mate]) {
    let print = |record: &Record| {
        digest((
            record.seq,
            record.ack,
            record.len,
            record.flags,
            record.stamps,
            record.identification,
            record.window,
        ))
    };
    if mates.iter().all(|mate| *mate != Mate::None) {
        return;
    }
    let mut matched: HashMap<u64, i64> = HashMap::new();
    for (record, _) in records.iter().zip(mates.iter()).filter(|(_, mate)| **mate != Mate::None) {
        matched.insert(print(record), record.time);
    }
    for (record, mate) in records.iter().zip(mates.iter_mut()).filter(|(_, mate)| **mate == Mate::None) {
        let Some(time) = matched.get(&print(record)) else { continue };
        let close = (record.time - time).abs() <= COPY_NS && record.span() > 0;
        if record.identification != 0 || close {
            *mate = Mate::Copy;
        }
    }
}

/// Finds the bytes of packets without a mate in packets of other borders: merged, split, or cut anew.
fn pieces(a: &[Record], b: &[Record], shift: Shift, window: i64, mates: &mut Mates) {
    let lone = |records: &[Record], mates: &[Mate]| -> Vec<usize> {
        (0..records.len()).filter(|&index| mates[index] == Mate::None && records[index].len > 0).collect()
    };
    let (lone_a, lone_b) = (lone(a, &mates.a), lone(b, &mates.b));
    let Some(&origin) = lone_a.first().filter(|_| !lone_b.is_empty()) else { return };
    // Positions relative to one packet of A: signed, so that they sort.
    let base = a[origin].seq;
    let at_a = |index: usize| i64::from(a[index].seq.wrapping_sub(base) as i32);
    let at_b = |index: usize| i64::from(b[index].seq.wrapping_sub(shift.seq).wrapping_sub(base) as i32);
    let mut by_place: BTreeMap<(i64, usize), ()> = BTreeMap::new();
    let mut longest = 0;
    for &index in &lone_b {
        by_place.insert((at_b(index), index), ());
        longest = longest.max(i64::from(b[index].len));
    }
    let mut used: HashMap<usize, Vec<(i64, i64)>> = HashMap::new();
    let mut touched: HashSet<usize> = HashSet::new();
    for &x in &lone_a {
        let (from, to) = (at_a(x), at_a(x) + i64::from(a[x].len));
        let mut covered = 0;
        let mut measure = None;
        let mut next = from;
        // Bytes are taken from the left; each byte of B serves once.
        for &(place, y) in by_place.range((from - longest, 0)..(to, 0)).map(|(key, ())| key) {
            let end = place + i64::from(b[y].len);
            let (low, high) = (place.max(next), end.min(to));
            if low >= high || (b[y].time - a[x].time - shift.clock).abs() > window {
                continue;
            }
            let taken = used.entry(y).or_default();
            if taken.iter().any(|&(start, stop)| low < stop && start < high) {
                continue;
            }
            taken.push((low, high));
            covered += high - low;
            next = high;
            touched.insert(y);
            // The first piece of a split packet leaves with it, the last of merged ones completes them.
            let splits = b[y].len <= a[x].len;
            if (splits && place == from) || (!splits && end == to) {
                measure = Some(y);
            }
        }
        if covered > 0 {
            mates.a[x] = Mate::Pieces { bytes: covered as u32, index: measure };
        }
    }
    for y in touched {
        let bytes = used.get(&y).into_iter().flatten().map(|&(start, stop)| stop - start).sum::<i64>();
        mates.b[y] = Mate::Pieces { bytes: bytes as u32, index: None };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ends::testing::record;

    const NO_SHIFT: Shift = Shift { seq: 0, ack: 0, clock: 0 };
    const WINDOW: i64 = 1_000_000_000;

    #[test]
    fn a_retransmission_is_not_taken_for_its_lost_original() {
        let a = [record(0, 1, 100, 7), record(200, 1, 100, 9)];
        let b = [record(250, 1, 100, 9)];
        let mates = settle(&a, &b, NO_SHIFT, WINDOW, &mut Keeps::default());
        assert_eq!(mates.a, [Mate::None, Mate::Packet { index: 0, by_order: false }]);
    }

    #[test]
    fn rewritten_numbers_match_by_their_shift() {
        let a = [record(0, u32::MAX - 10, 100, 7), record(1, 89, 100, 8)];
        let mut b = a.clone();
        for record in &mut b {
            record.seq = record.seq.wrapping_add(1 << 31);
            record.ack = record.ack.wrapping_sub(77);
            record.time += 30;
        }
        let shift = Shift { seq: 1 << 31, ack: 77_u32.wrapping_neg(), clock: 0 };
        let mates = settle(&a, &b, shift, WINDOW, &mut Keeps::default());
        assert_eq!(mates.a[0], Mate::Packet { index: 0, by_order: false });
        assert_eq!(mates.b[1], Mate::Packet { index: 1, by_order: false });
        assert_eq!(settle(&a, &b, NO_SHIFT, WINDOW, &mut Keeps::default()).a, [Mate::None; 2]);
    }

    #[test]
    fn boxes_that_take_stamps_and_identification_leave_the_order() {
        let a = [record(0, 1, 100, 7), record(5, 101, 100, 8)];
        let mut b = a.clone();
        for record in &mut b {
            record.stamps = None;
            record.identification = 0;
            record.window = 9;
        }
        let mates = settle(&a, &b, NO_SHIFT, WINDOW, &mut Keeps::default());
        assert_eq!(mates.a[1], Mate::Packet { index: 1, by_order: true });
    }

    #[test]
    fn what_lies_too_far_apart_is_not_one() {
        let a = [record(0, 1, 100, 7)];
        let mut b = a.clone();
        b[0].time = WINDOW + 1;
        assert_eq!(settle(&a, &b, NO_SHIFT, WINDOW, &mut Keeps::default()).a, [Mate::None]);
        assert_ne!(
            settle(&a, &b, Shift { clock: 1, ..NO_SHIFT }, WINDOW, &mut Keeps::default()).a,
            [Mate::None]
        );
    }

    #[test]
    fn copies_are_copies() {
        let mut a = record(0, 1, 100, 7);
        a.identification = 5;
        let b = [a.clone(), a.clone()];
        let mates = settle(&[a], &b, NO_SHIFT, WINDOW, &mut Keeps::default());
        assert_eq!(mates.b, [Mate::Packet { index: 0, by_order: false }, Mate::Copy]);
    }

    #[test]
    fn a_split_packet_is_found_in_its_pieces() {
        let a = [record(0, 1, 300, 7)];
        let b = [record(10, 1, 100, 7), record(11, 101, 100, 7), record(12, 201, 100, 7)];
        let mates = settle(&a, &b, NO_SHIFT, WINDOW, &mut Keeps::default());
        assert_eq!(mates.a, [Mate::Pieces { bytes: 300, index: Some(0) }]);
        assert!(mates.b.iter().all(|mate| matches!(mate, Mate::Pieces { bytes: 100, .. })));
    }

    #[test]
    fn a_lost_piece_is_missed_and_merged_packets_are_found() {
        let a = [record(0, 1, 300, 7), record(1, 301, 100, 7), record(2, 401, 100, 7)];
        let b = [record(10, 1, 100, 7), record(12, 201, 100, 7), record(13, 301, 200, 7)];
        let mates = settle(&a, &b, NO_SHIFT, WINDOW, &mut Keeps::default());
        assert_eq!(mates.a[0], Mate::Pieces { bytes: 200, index: Some(0) });
        assert_eq!(mates.a[1], Mate::Pieces { bytes: 100, index: None });
        assert_eq!(mates.a[2], Mate::Pieces { bytes: 100, index: Some(2) });
        assert_eq!(mates.b[2], Mate::Pieces { bytes: 200, index: None });
    }
}
