//! Queues, windows, stalls, intervals, reinjections and choices between subflows, by hand.

use crate::lab::{
    ACK, C2S, CLIENT, CLIENT2, Joining, Lab, Path, RST, S2C, SERVER, SYN, SYN_ACK, Shot, VERSIONS, capable,
    capable_syn, data, data_ack, join, map, open,
};
use subflow_analysis::{
    Options,
    rows::{Direction, Fallback, Reinjection, ReinjectionCause, Series, StallKind, Tables},
};
use subflow_wire::{
    keys::Version,
    tcp::{SackBlocks, TcpOption},
};

const V1: Version = Version::V1;

fn near(a: Option<f64>, b: f64) -> bool {
    a.is_some_and(|a| (a - b).abs() < 1e-9)
}

/// Two subflows, captured at the client: the way to the server and back takes 20 ms on the first, 60 ms on the second.
fn at_client() -> (Lab, Path, Path) {
    let (mut lab, mut first, mut second) =
        (Lab::new(), Path::new(CLIENT, SERVER), Path::new(CLIENT2, SERVER));
    lab.send(&mut first, C2S, &Shot::new(SYN, &[capable_syn(V1)], 0));
    lab.wait(19);
    lab.send(&mut first, S2C, &Shot::new(SYN_ACK, &[capable(V1, &crate::lab::KEYS[1..])], 0));
    lab.send(&mut first, C2S, &Shot::new(ACK, &[capable(V1, &crate::lab::KEYS)], 0));
    let joining = Joining::new(C2S, V1, 1);
    lab.send(&mut second, C2S, &Shot::new(SYN, &[joining.syn()], 0));
    lab.wait(59);
    lab.send(&mut second, S2C, &Shot::new(SYN_ACK, &[joining.syn_ack()], 0));
    lab.send(&mut second, C2S, &Shot::new(ACK, &[joining.ack()], 0));
    (lab, first, second)
}

/// An ACK of the server for what the client sent: the data level up to `offset`, the subflow up to now or `less` bytes below.
fn ack(lab: &mut Lab, path: &mut Path, offset: i64, less: u32) {
    let ack = Some(path.next[C2S].wrapping_sub(less));
    let shot = Shot { ack, window: Some(60_000), ..Shot::new(ACK, &[data_ack(V1, C2S, offset)], 0) };
    lab.send(path, S2C, &shot);
}

fn copies(lab: &Lab) -> Vec<Reinjection> {
    lab.analyze().reinjections
}

#[test]
fn bytes_wait_for_the_subflow_that_brings_the_missing_one() {
    for version in VERSIONS {
        let (mut lab, mut first, mut second) =
            (Lab::new(), Path::new(CLIENT, SERVER), Path::new(CLIENT2, SERVER));
        open(&mut lab, &mut first, version);
        join(&mut lab, &mut second, &Joining::new(C2S, version, 1));
        let start = lab.now;
        data(&mut lab, &mut first, version, S2C, 0, 1000);
        data(&mut lab, &mut first, version, S2C, 2000, 1000); // 1 ms
        data(&mut lab, &mut first, version, S2C, 3000, 500); // 2 ms
        lab.wait(297);
        data(&mut lab, &mut second, version, S2C, 1000, 600); // 300 ms
        data(&mut lab, &mut first, version, S2C, 1600, 400); // 301 ms: the rest
        let tables = lab.analyze();
        let row = &tables.connections[0];
        assert_eq!(
            (row.bytes_s2c, row.out_of_order_bytes_s2c, row.reorder_queued_bytes_s2c),
            (3500, 1000, 1500)
        );
        // 600 bytes from 2500 below the highest on, 400 from 1900 on.
        assert_eq!(row.reorder_distance_max_s2c, Some(2500));
        assert!(near(row.reorder_distance_mean_s2c, (600.0 * 2200.5 + 400.0 * 1700.5) / 1000.0));
        // 1000 bytes for 300 ms, 500 for 299 ms.
        assert!(near(Some(row.reorder_byte_seconds_s2c), 300.0 + 149.5));
        assert!(near(row.reorder_wait_mean_s2c, 449.5 / 3500.0) && near(row.reorder_wait_max_s2c, 0.3));
        assert_eq!(row.reorder_queue_max_s2c, 1500);
        assert!(near(Some(row.head_of_line_time_s2c), 0.3));
        assert_eq!((row.reorder_distance_mean_c2s, row.reorder_wait_mean_c2s), (None, None));
        let [one, two] = &tables.subflows[..] else { panic!("two subflows") };
        assert!(near(Some(two.head_of_line_time_s2c), 0.299) && near(Some(one.head_of_line_time_s2c), 0.001));
        // 1 ms with 1000 bytes and 298 with 1500; then 1 ms with 1500.
        assert!(near(Some(two.head_of_line_byte_seconds_s2c), 1.0 + 447.0));
        assert!(near(Some(one.head_of_line_byte_seconds_s2c), 1.5));
        assert_eq!((one.data_bytes_s2c, two.data_bytes_s2c), (2900, 600));
        let [stall] = &tables.stalls[..] else { panic!("one stall: {:?}", tables.stalls) };
        assert_eq!(
            (stall.kind, stall.subflow_id, stall.bytes_waiting),
            (StallKind::HeadOfLine, Some(1), 1500)
        );
        assert_eq!((stall.start.0, stall.start_frame, stall.end_frame), (start + 1_000_000, 8, Some(10)));
        assert!(near(Some(stall.duration), 0.299));
    }
}

#[test]
fn a_full_window_an_idle_sender_and_one_that_does_not_move() {
    let (mut lab, mut path, _) = at_client();
    // Room for 2500 bytes, segments of 536 as the server announced none.
    let advertise = |lab: &mut Lab, path: &mut Path, offset, window| {
        let shot = Shot { window: Some(window), ..Shot::new(ACK, &[data_ack(V1, C2S, offset)], 0) };
        lab.send(path, S2C, &shot);
    };
    advertise(&mut lab, &mut path, 0, 2500);
    data(&mut lab, &mut path, V1, C2S, 0, 1000);
    data(&mut lab, &mut path, V1, C2S, 1000, 1000);
    lab.wait(199); // 500 bytes of room for 200 ms
    advertise(&mut lab, &mut path, 2000, 5000);
    lab.wait(299); // idle for 300 ms
    data(&mut lab, &mut path, V1, C2S, 2000, 1000);
    lab.wait(399); // nothing moves for 400 ms
    advertise(&mut lab, &mut path, 3000, 5000);
    lab.wait(49);
    advertise(&mut lab, &mut path, 3000, 4000);
    let tables = lab.analyze();
    let row = &tables.connections[0];
    assert!(near(row.receive_window_time_c2s, 0.2), "{:?}", row.receive_window_time_c2s);
    assert!(near(row.application_time_c2s, 0.3) && near(row.idle_time_c2s, 0.35));
    assert!(near(row.no_progress_time_c2s, 0.4));
    assert_eq!((row.data_flight_max_c2s, row.receive_window_min_c2s), (Some(2000), Some(2500)));
    assert_eq!(row.receive_window_max_c2s, Some(5000));
    // 1 ms with 1000 bytes, 200 with 2000, 400 with 1000.
    assert!(near(row.data_flight_mean_c2s, (1.0 + 400.0 + 400.0) / 601.0 * 1e3));
    assert_eq!((row.receive_window_time_s2c, row.idle_time_s2c, row.data_flight_max_s2c), (None, None, None));
    assert_eq!(row.data_rtt_samples_c2s, 2);
    assert!(near(row.data_rtt_min_c2s, 0.2) && near(row.data_rtt_max_c2s, 0.4));
    let found: Vec<_> =
        tables.stalls.iter().map(|row| (row.kind, row.subflow_id, row.bytes_waiting)).collect();
    let expected = [
        (StallKind::ReceiveWindow, Some(0), 2000),
        (StallKind::Application, None, 0),
        (StallKind::NoProgress, Some(0), 1000),
    ];
    assert_eq!(found, expected);
    let subflow = &tables.subflows[0];
    assert_eq!((subflow.flight_max_c2s, subflow.flight_max_s2c), (Some(2000), Some(0)));
}

#[test]
fn after_a_fallback_the_ack_of_tcp_is_that_of_the_data() {
    let (mut lab, mut path) = (Lab::new(), Path::new(CLIENT, SERVER));
    lab.send(&mut path, C2S, &Shot::new(SYN, &[capable_syn(V1)], 0));
    lab.send(&mut path, S2C, &Shot::new(SYN_ACK, &[], 0));
    lab.send(&mut path, C2S, &Shot::new(ACK, &[], 0));
    lab.send(&mut path, C2S, &Shot::new(ACK, &[], 400));
    lab.wait(9);
    lab.send(&mut path, S2C, &Shot { window: Some(300), ..Shot::new(ACK, &[], 0) });
    lab.wait(99);
    lab.send(&mut path, C2S, &Shot::new(ACK, &[], 200));
    lab.wait(19);
    lab.send(&mut path, S2C, &Shot { window: Some(300), ..Shot::new(ACK, &[], 0) });
    let row = &lab.analyze().connections[0];
    assert_eq!((row.fallback, row.bytes_c2s), (Fallback::SynAck, 600));
    assert!(near(row.idle_time_c2s, 0.1) && near(row.application_time_c2s, 0.1));
    // 300 bytes of room, 200 of them used: a segment of 400 does not fit.
    assert!(near(row.receive_window_time_c2s, 0.02), "{:?}", row.receive_window_time_c2s);
    assert_eq!((row.data_flight_max_c2s, row.receive_window_max_c2s), (Some(400), Some(300)));
}

#[test]
fn from_the_middle_windows_are_not_known() {
    let (mut lab, mut path, _) = at_client();
    data(&mut lab, &mut path, V1, C2S, 0, 1000);
    data(&mut lab, &mut path, V1, C2S, 1000, 1000);
    ack(&mut lab, &mut path, 2000, 0);
    lab.wait(200);
    data(&mut lab, &mut path, V1, C2S, 2000, 1000);
    let count = lab.count();
    lab.keep(|number| number + 4 >= count);
    let row = &lab.analyze().connections[0];
    assert!(!row.complete);
    assert_eq!((row.receive_window_time_c2s, row.receive_window_max_c2s), (None, None));
    assert_eq!((row.no_progress_time_c2s, row.scheduled_c2s), (None, None));
    assert!(near(row.idle_time_c2s, 0.201), "{:?}", row.idle_time_c2s);
}

#[test]
fn one_direction_alone_tells_of_no_flight() {
    let (mut lab, mut path, _) = at_client();
    for k in 0..5 {
        data(&mut lab, &mut path, V1, S2C, k * 1000, 1000);
    }
    let only_server = |tables: Tables| {
        let (row, subflow) = (&tables.connections[0], &tables.subflows[0]);
        assert_eq!(row.bytes_s2c, 5000);
        assert_eq!((row.data_flight_max_s2c, row.idle_time_s2c), (None, None));
        assert_eq!((subflow.flight_max_s2c, subflow.flight_mean_s2c), (None, None));
    };
    // SYN/ACKs and data of the server.
    lab.keep(|number| [1, 4].contains(&number) || number > 5);
    only_server(lab.analyze());
}

#[test]
fn a_repeat_after_silence_explains_a_copy() {
    let (mut lab, mut first, mut second) = at_client();
    data(&mut lab, &mut first, V1, C2S, 0, 1000);
    let sent = lab.count() as u64;
    lab.wait(250);
    let again = Shot {
        seq: Some(first.next[C2S].wrapping_sub(1000)),
        ..Shot::new(ACK, &[map(V1, C2S, 0, 1, 1000)], 1000)
    };
    lab.send(&mut first, C2S, &again);
    let timeout = lab.count() as u64;
    data(&mut lab, &mut second, V1, C2S, 0, 1000);
    let row = &copies(&lab)[0];
    assert_eq!((row.cause, row.cause_frame), (Some(ReinjectionCause::HolderTimeout), Some(timeout)));
    assert_eq!(row.from_frame, Some(sent));
}

#[test]
fn selective_acks_explain_a_copy() {
    let (mut lab, mut first, mut second) = at_client();
    data(&mut lab, &mut first, V1, C2S, 0, 1000);
    data(&mut lab, &mut first, V1, C2S, 1000, 1000);
    lab.wait(20);
    // The second segment has come, the first has not.
    let end = first.next[C2S];
    let block = [end.wrapping_sub(1000).to_be_bytes(), end.to_be_bytes()].concat();
    let mut sack = Shot { ack: Some(end.wrapping_sub(2000)), ..Shot::new(ACK, &[data_ack(V1, C2S, 0)], 0) };
    sack.options.push(TcpOption::Sack(SackBlocks::new(&block).unwrap()));
    lab.send(&mut first, S2C, &sack);
    let frame = lab.count() as u64;
    data(&mut lab, &mut second, V1, C2S, 0, 1000);
    let row = &copies(&lab)[0];
    assert_eq!((row.cause, row.cause_frame), (Some(ReinjectionCause::HolderLoss), Some(frame)));
}

#[test]
fn copies_at_once_are_redundant_and_late_ones_of_a_sound_subflow_opportunistic() {
    let (mut lab, mut first, mut second) = at_client();
    data(&mut lab, &mut first, V1, C2S, 0, 1000);
    data(&mut lab, &mut second, V1, C2S, 0, 1000);
    lab.wait(100);
    let row = &copies(&lab)[0];
    assert_eq!((row.cause, row.cause_frame), (Some(ReinjectionCause::Redundant), None));
    // 60 ms later, while the first subflow goes on.
    let (mut lab, mut first, mut second) = at_client();
    data(&mut lab, &mut first, V1, C2S, 0, 1000);
    lab.wait(30);
    data(&mut lab, &mut first, V1, C2S, 1000, 1000);
    lab.wait(30);
    data(&mut lab, &mut second, V1, C2S, 0, 1000);
    assert_eq!(copies(&lab)[0].cause, Some(ReinjectionCause::Opportunistic));
}

#[test]
fn at_the_receiver_the_time_between_copies_says_nothing() {
    for version in VERSIONS {
        let (mut lab, mut first, mut second) =
            (Lab::new(), Path::new(CLIENT, SERVER), Path::new(CLIENT2, SERVER));
        open(&mut lab, &mut first, version);
        join(&mut lab, &mut second, &Joining::new(C2S, version, 1));
        data(&mut lab, &mut first, version, C2S, 0, 1000);
        data(&mut lab, &mut second, version, C2S, 0, 1000);
        assert_eq!(copies(&lab)[0].cause, None);
    }
}

#[test]
fn a_stuck_data_level_explains_copies_of_what_tcp_has_delivered() {
    let (mut lab, mut first, mut second) = at_client();
    data(&mut lab, &mut first, V1, C2S, 1000, 1000);
    for _ in 0..3 {
        lab.wait(100);
        data(&mut lab, &mut first, V1, C2S, 0, 0);
        ack(&mut lab, &mut first, 0, 0);
    }
    data(&mut lab, &mut second, V1, C2S, 1000, 1000);
    let row = &copies(&lab)[0];
    assert_eq!((row.cause, row.cause_frame), (Some(ReinjectionCause::DataTimeout), None));
    assert_eq!(row.useful, Some(false), "the first subflow had acknowledged them");
}

#[test]
fn a_reset_explains_copies() {
    let (mut lab, mut first, mut second) = at_client();
    data(&mut lab, &mut first, V1, C2S, 0, 1000);
    lab.send(&mut first, S2C, &Shot::new(RST, &[], 0));
    let frame = lab.count() as u64;
    data(&mut lab, &mut second, V1, C2S, 0, 1000);
    let row = &copies(&lab)[0];
    assert_eq!((row.cause, row.cause_frame), (Some(ReinjectionCause::HolderClosed), Some(frame)));
}

#[test]
fn who_lacks_one_carriage_and_has_the_data_got_it_by_the_other() {
    let twice = || {
        let (mut lab, mut first, mut second) = at_client();
        data(&mut lab, &mut first, V1, C2S, 0, 1000);
        data(&mut lab, &mut second, V1, C2S, 0, 1000);
        lab.wait(50);
        (lab, first, second)
    };
    // The copy is acknowledged; then the first subflow says it has the data, and lacks what it carried.
    let (mut lab, mut first, mut second) = twice();
    ack(&mut lab, &mut second, 1000, 0);
    ack(&mut lab, &mut first, 1000, 1000);
    assert_eq!(copies(&lab)[0].useful, Some(true));
    // The copying subflow says it has the data, and lacks the copy.
    let (mut lab, mut first, mut second) = twice();
    ack(&mut lab, &mut second, 1000, 1000);
    ack(&mut lab, &mut first, 1000, 0);
    assert_eq!(copies(&lab)[0].useful, Some(false));
    // Both have come when we hear of it.
    let (mut lab, mut first, mut second) = twice();
    ack(&mut lab, &mut second, 1000, 0);
    ack(&mut lab, &mut first, 1000, 0);
    assert_eq!(copies(&lab)[0].useful, None);
    // The first subflow's ACK is older than the data: no proof.
    let (mut lab, mut first, mut second) = twice();
    ack(&mut lab, &mut first, 0, 1000);
    ack(&mut lab, &mut second, 1000, 0);
    assert_eq!(copies(&lab)[0].useful, None);
}

#[test]
fn choices_are_judged_where_there_is_one() {
    let (mut lab, mut first, mut second) = at_client();
    let mut at = 0;
    let mut send = |lab: &mut Lab, path: &mut Path, segments: i64, rtt: i64| {
        for _ in 0..segments {
            data(lab, path, V1, C2S, at, 1000);
            at += 1000;
        }
        lab.wait(rtt);
        ack(lab, path, at, 0);
    };
    // Neither has a sample yet: 4000 bytes are proven on each, round trips of 20 and 60 ms.
    send(&mut lab, &mut first, 4, 20);
    send(&mut lab, &mut second, 4, 60);
    assert_eq!(lab.analyze().connections[0].scheduled_c2s, Some(0));
    // Now both could take any of these.
    send(&mut lab, &mut first, 3, 20);
    send(&mut lab, &mut second, 2, 60);
    let row = &lab.analyze().connections[0];
    assert_eq!((row.scheduled_c2s, row.lowest_rtt_c2s), (Some(5), Some(3)));
    assert_eq!((row.scheduled_s2c, row.lowest_rtt_s2c), (None, None), "not near the server");
}

#[test]
fn intervals_add_up_to_the_whole() {
    let (mut lab, mut first, mut second) = at_client();
    let start = 1_000_000_000_000;
    data(&mut lab, &mut first, V1, C2S, 0, 1000);
    ack(&mut lab, &mut first, 1000, 0);
    lab.wait(1000);
    data(&mut lab, &mut first, V1, C2S, 1000, 1000);
    data(&mut lab, &mut second, V1, C2S, 1000, 700);
    lab.wait(2000);
    ack(&mut lab, &mut first, 2000, 0);
    let tables = lab.analyze();
    let of = |direction, subflow: Option<u32>| {
        tables.series.iter().filter(move |row| row.direction == direction && row.subflow_id == subflow)
    };
    let whole: Vec<_> = of(Direction::C2s, None).collect();
    let brief = |row: &&Series| {
        ((row.start.0 - start) / 1_000_000, row.packets, row.data_bytes, row.reinjected_bytes, row.flight_max)
    };
    assert_eq!(
        whole.iter().map(brief).collect::<Vec<_>>(),
        [(0, 5, 1000, 0, Some(1000)), (1000, 2, 1000, 700, Some(1000)), (3000, 0, 0, 0, Some(0))]
    );
    assert_eq!(whole[2].rtt_samples, 0, "the copy spoils the sample of the data level");
    assert_eq!(of(Direction::C2s, Some(0)).map(|row| row.rtt_samples).collect::<Vec<_>>(), [1, 0, 1]);
    assert_eq!(whole[0].window_min, Some(60_000));
    let row = &tables.connections[0];
    let sum = |column: fn(&Series) -> u64, subflows: bool| {
        tables.series.iter().filter(|row| row.subflow_id.is_some() == subflows).map(column).sum::<u64>()
    };
    for subflows in [false, true] {
        assert_eq!(sum(|row| row.packets, subflows), row.packets);
        assert_eq!(sum(|row| row.wire_bytes, subflows), row.wire_bytes);
        assert_eq!(sum(|row| row.data_bytes, subflows), row.bytes_c2s);
        assert_eq!(sum(|row| row.bytes, subflows), 2700);
    }
    assert!(near(row.payload_amplification_c2s, 1.35));
    let none = lab.analyze_with(Options { series_ns: None, ..Options::default() });
    assert_eq!((none.series.len(), none.connections), (0, tables.connections.clone()));
    let half = lab.analyze_with(Options { series_ns: Some(500_000_000), ..Options::default() });
    assert!(half.series.iter().all(|row| (row.start.0 - start) % 500_000_000 == 0 && row.duration == 0.5));
}
