use super::*;
use proptest::prelude::*;

const MSS: u64 = 1000;

fn ms(n: u64) -> Time {
    Time::ZERO + Duration::from_millis(n)
}

fn settings(detection: LossDetection, sack: bool) -> SenderSettings {
    SenderSettings { detection, sack, ..SenderSettings::default() }
}

/// A sender with so many segments out, sent one a millisecond from 0 on.
fn sending(count: u64, settings: &SenderSettings) -> Sender {
    let mut sender = Sender::default();
    for i in 0..count {
        assert_eq!(sender.transmit(ms(i), i * MSS, MSS as u16, 0, settings), i * MSS);
    }
    sender
}

#[test]
fn acknowledgments_in_order_give_round_trip_times() {
    let settings = settings(LossDetection::Dupthresh(3), true);
    let mut sender = sending(4, &settings);
    let acked = sender.on_ack(ms(10), 2 * MSS, &[], true, &settings);
    assert_eq!((acked.bytes, acked.advanced, acked.flight), (2 * MSS, 2 * MSS, 4 * MSS));
    assert_eq!(
        acked.rtt,
        Some(Duration::from_millis(10)),
        "of the first segment that is covered, as Linux takes it"
    );
    assert_eq!((sender.una(), sender.in_flight()), (2 * MSS, 2 * MSS));
    // Old, repeated and impossible acknowledgments change nothing.
    for ack in [0, MSS, 9 * MSS] {
        assert_eq!(sender.on_ack(ms(11), ack, &[], true, &settings).bytes, 0);
    }
    let acked = sender.on_ack(ms(12), 4 * MSS, &[], true, &settings);
    assert!(acked.bytes == 2 * MSS && sender.is_idle() && sender.deadline() == Time::MAX);
}

#[test]
fn three_segments_beyond_make_a_loss() {
    let settings = settings(LossDetection::Dupthresh(3), true);
    let mut sender = sending(8, &settings);
    for (n, entered) in [(2, false), (3, false), (4, true)] {
        let acked = sender.on_ack(ms(10 + n), 0, &[(MSS, n * MSS)], true, &settings);
        assert_eq!((acked.bytes, acked.entered), (MSS, entered), "after {n}");
    }
    // Eight out, three SACKed, one lost.
    assert_eq!((sender.in_flight(), sender.to_repair()), (4 * MSS, MSS));
    assert!(sender.forced());
    let (seq, segment) = sender.retransmit(ms(15), &settings).expect("lost");
    assert_eq!((seq, segment.dsn, segment.sent_times), (0, 0, 2));
    assert_eq!((sender.in_flight(), sender.to_repair()), (5 * MSS, 0));
    assert!(sender.retransmit(ms(15), &settings).is_none());
    // A partial acknowledgment: still recovering; then all that was out.
    let acked = sender.on_ack(ms(25), 4 * MSS, &[], true, &settings);
    assert!(!acked.recovered && acked.rtt.is_none(), "Karn: the retransmission measures nothing");
    let acked = sender.on_ack(ms(26), 8 * MSS, &[], true, &settings);
    assert!(acked.recovered && sender.phase() == Phase::Open);
    assert_eq!((sender.counts.recoveries, sender.counts.retransmits), (1, 1));
}

#[test]
fn a_window_is_repaired_in_one_recovery() {
    // Segments 0, 2 and 4 of ten are lost.
    let settings = settings(LossDetection::Dupthresh(3), true);
    let mut sender = sending(10, &settings);
    let blocks = [(7 * MSS, 8 * MSS), (5 * MSS, 7 * MSS), (3 * MSS, 4 * MSS), (MSS, 2 * MSS)];
    let acked = sender.on_ack(ms(20), 0, &blocks, true, &settings);
    assert!(acked.entered);
    let again: Vec<u64> =
        std::iter::from_fn(|| sender.retransmit(ms(20), &settings)).map(|(seq, _)| seq).collect();
    assert_eq!(again, [0, 2 * MSS, 4 * MSS]);
    assert!(sender.on_ack(ms(30), 10 * MSS, &[], true, &settings).recovered);
    assert_eq!(sender.counts.recoveries, 1);
}

#[test]
fn without_sack_duplicates_count_and_partial_acknowledgments_name_the_next_hole() {
    let settings = settings(LossDetection::Dupthresh(3), false);
    let mut sender = sending(8, &settings);
    let mut entered = 0;
    for _ in 0..3 {
        entered += u32::from(sender.on_ack(ms(10), 0, &[], true, &settings).entered);
    }
    assert_eq!(entered, 1);
    assert_eq!(sender.retransmit(ms(10), &settings).map(|(seq, _)| seq), Some(0));
    // Segment 3 was lost, too.
    let acked = sender.on_ack(ms(20), 3 * MSS, &[], true, &settings);
    assert!(!acked.recovered && !acked.entered);
    assert_eq!(sender.retransmit(ms(20), &settings).map(|(seq, _)| seq), Some(3 * MSS));
    assert!(sender.on_ack(ms(30), 8 * MSS, &[], true, &settings).recovered);
    assert_eq!((sender.in_flight(), sender.counts.recoveries), (0, 1));
}

#[test]
fn a_timeout_loses_everything_and_doubles() {
    let settings = settings(LossDetection::Dupthresh(3), true);
    let mut sender = sending(3, &settings);
    assert_eq!(sender.deadline(), ms(1000));
    assert_eq!(sender.on_timer(ms(999), &settings), TimerDid::Nothing);
    assert_eq!(sender.on_timer(ms(1000), &settings), TimerDid::Expired);
    assert_eq!((sender.deadline(), sender.phase()), (ms(3000), Phase::Loss));
    assert_eq!((sender.in_flight(), sender.to_repair()), (0, 3 * MSS));
    assert_eq!(sender.retransmit(ms(1000), &settings).map(|(seq, _)| seq), Some(0));
    assert_eq!(sender.in_flight(), MSS);
    let acked = sender.on_ack(ms(1010), MSS, &[], true, &settings);
    assert!(acked.rtt.is_none() && !acked.recovered);
    assert_eq!(sender.retransmit(ms(1010), &settings).map(|(seq, _)| seq), Some(MSS));
    assert_eq!(sender.retransmit(ms(1010), &settings).map(|(seq, _)| seq), Some(2 * MSS));
    assert!(sender.on_ack(ms(1020), 3 * MSS, &[], true, &settings).recovered);
    assert_eq!((sender.counts.timeouts, sender.counts.retransmits), (1, 3));
}

#[test]
fn a_duplicate_sack_tells_of_a_needless_retransmission() {
    let settings = settings(LossDetection::Dupthresh(3), true);
    let mut sender = sending(4, &settings);
    sender.on_ack(ms(10), 2 * MSS, &[], true, &settings);
    let acked = sender.on_ack(ms(11), 2 * MSS, &[(0, MSS)], true, &settings);
    assert_eq!((acked.spurious, acked.bytes), (1, 0));
    // Within the block that follows it.
    let acked = sender.on_ack(ms(12), 2 * MSS, &[(3 * MSS, 4 * MSS), (3 * MSS, 4 * MSS)], true, &settings);
    assert_eq!((acked.spurious, acked.bytes), (1, MSS));
    assert_eq!(sender.counts.spurious, 2);
}

#[test]
fn rack_waits_a_quarter_of_the_round_trip_when_there_was_reordering() {
    let settings = settings(LossDetection::Rack, true);
    let mut sender = sending(8, &settings);
    // The first two segments arrive: a round trip of 20 ms. Then segments 4 and 5, before 2 and 3.
    sender.on_ack(ms(20), MSS, &[], true, &settings);
    sender.on_ack(ms(21), 2 * MSS, &[], true, &settings);
    let acked = sender.on_ack(ms(24), 2 * MSS, &[(4 * MSS, 5 * MSS)], true, &settings);
    assert!(!acked.entered);
    // Segment 2, sent at 2 ms, is due at 2 + 20 + 20/4 = 27 ms; 3 a millisecond later.
    assert_eq!(sender.deadline(), ms(27));
    // It was only late: its arrival shows reordering.
    sender.on_ack(ms(25), 3 * MSS, &[(4 * MSS, 5 * MSS)], true, &settings);
    assert_eq!(sender.deadline(), ms(28));
    assert_eq!(sender.on_timer(ms(28), &settings), TimerDid::Entered);
    assert_eq!(sender.retransmit(ms(28), &settings).map(|(seq, _)| seq), Some(3 * MSS));
    // The retransmission is lost as well: what was sent after it arrives a round trip later.
    sender.transmit(ms(29), 8 * MSS, MSS as u16, 0, &settings);
    sender.on_ack(ms(48), 3 * MSS, &[(4 * MSS, 8 * MSS)], true, &settings);
    sender.on_ack(ms(49), 3 * MSS, &[(4 * MSS, 9 * MSS)], true, &settings);
    assert_eq!(sender.deadline(), ms(53), "28 + 20 + 5");
    sender.on_timer(ms(53), &settings);
    assert_eq!(sender.retransmit(ms(53), &settings).map(|(seq, _)| seq), Some(3 * MSS));
    assert_eq!((sender.counts.retransmits, sender.counts.recoveries), (2, 1));
}

#[test]
fn a_fin_takes_a_number_and_no_data() {
    let settings = settings(LossDetection::Dupthresh(3), true);
    let mut sender = Sender::default();
    sender.transmit(ms(0), 0, 501, Segment::FIN, &settings);
    assert_eq!(sender.nxt(), 501);
    assert_eq!(sender.segments().next().map(Segment::payload), Some(500));
    assert_eq!(sender.on_ack(ms(5), 501, &[], true, &settings).bytes, 501);
}

/// A receiver and a lossy, reordering path: whatever happens, everything arrives, and the books of the sender agree with its segments.
fn exchange(steps: &[(u8, u8)], settings: &SenderSettings) {
    let ack_settings = crate::transport::AckSettings { every: 1, ..Default::default() };
    let mut sender = Sender::default();
    let mut receiver = crate::transport::Receiver::default();
    let mut path: Vec<(u64, u64)> = Vec::new();
    let mut now = Time::ZERO;
    let total = 60;
    let mut sent = 0;
    for round in 0..4000 {
        now += Duration::from_millis(1);
        let (fate, place) = steps.get(round % steps.len().max(1)).copied().unwrap_or((0, 0));
        // Fates are for the first rounds only, so that it ends.
        let lossy = round < 200;
        while sender.in_flight() < 10 * MSS || sender.forced() {
            if let Some((seq, segment)) = sender.retransmit(now, settings) {
                path.push((seq, u64::from(segment.len)));
            } else if sent < total && sender.in_flight() < 10 * MSS {
                path.push((sender.transmit(now, sent * MSS, MSS as u16, 0, settings), MSS));
                sent += 1;
            } else {
                break;
            }
        }
        check(&sender);
        if !path.is_empty() {
            let at = if lossy { usize::from(place) % path.len() } else { 0 };
            let (seq, len) = path.remove(at);
            if !(lossy && fate % 4 == 0) {
                receiver.on_segment(now, seq, len, false, &ack_settings);
                receiver.acknowledged();
                let mut blocks = [(0, 0); 3];
                let count = receiver.take_blocks(&mut blocks);
                // Acknowledgments may be lost, too.
                if !(lossy && fate % 8 == 1) {
                    let blocks = if settings.sack { &blocks[..count] } else { &[] };
                    let acked = sender.on_ack(now, receiver.nxt(), blocks, true, settings);
                    check(&sender);
                    // The window is another one as soon as recovery has begun.
                    if settings.detection == LossDetection::Rack && sender.sacked != 0 && !acked.entered {
                        check_times(&sender, now);
                    }
                }
            }
        } else if sender.deadline() != Time::MAX {
            now = now.max(sender.deadline());
            sender.on_timer(now, settings);
            check(&sender);
        }
        if sent == total && sender.is_idle() {
            assert_eq!(receiver.nxt(), total * MSS);
            return;
        }
    }
    panic!("not done: {} of {}", sender.una(), total * MSS);
}

/// The sums that the sender keeps are those of its segments.
fn check(sender: &Sender) {
    let sum = |flag: u8| sender.segments().filter(|s| s.is(flag)).map(|s| u64::from(s.len)).sum::<u64>();
    assert_eq!(sum(Segment::SACKED), sender.sacked);
    assert_eq!(sum(Segment::LOST), sender.lost);
    assert_eq!(sum(Segment::RESENT), sender.resent);
    assert_eq!(sender.segments().map(|s| u64::from(s.len)).sum::<u64>(), sender.nxt - sender.una);
    assert!(!sender.segments().any(|s| s.is(Segment::SACKED) && s.is(Segment::LOST | Segment::RESENT)));
    let waiting = sender.segments().filter(|s| s.is(Segment::LOST) && !s.is(Segment::RESENT));
    assert_eq!(waiting.map(|s| u64::from(s.len)).sum::<u64>(), sender.to_repair());
}

/// By looking at all segments: none is left that RFC 8985 calls lost, and the next look is when the first of them may be.
fn check_times(sender: &Sender, now: Time) {
    let window = sender.rack.window(sender.phase != Phase::Open, sender.sacked, &sender.rtt);
    let under_way = sender
        .segments()
        .filter(|s| !s.is(Segment::SACKED) && (!s.is(Segment::LOST) || s.is(Segment::RESENT)));
    let overtaken =
        under_way.filter(|s| sender.rack.sent_before(s.sent, widen(s.seq, sender.una) + u64::from(s.len)));
    let due = overtaken.map(|s| s.sent + sender.rack.rtt() + window).min();
    assert!(due.is_none_or(|due| due > now));
    assert_eq!(due.unwrap_or(NEVER), sender.rack.deadline);
}

proptest! {
    #[test]
    fn everything_arrives_in_the_end(steps in proptest::collection::vec((any::<u8>(), 0u8..12), 1..200), kind in 0u8..3) {
        let settings = match kind {
            0 => settings(LossDetection::Dupthresh(3), true),
            1 => settings(LossDetection::Rack, true),
            _ => settings(LossDetection::Dupthresh(3), false),
        };
        exchange(&steps, &settings);
    }
}
