//! A simulated path whose delays, losses, clocks, NAT and sequence shift are known, seen from both ends.

use proptest::prelude::*;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use subflow_analysis::rows::{Direction, Tables};
use subflow_analysis::{Analyzer, Options};
use subflow_capture::pcap;
use subflow_compare::ends::{self, Capture, Report, Settings, Sharing};
use subflow_compare::rows::Side;
use subflow_wire::keys::Key;
use subflow_wire::mptcp::{Capable, Mptcp};
use subflow_wire::tcp::{Flags, Header, TcpOption};
use subflow_wire::{LinkType, mptcp};

const PACKETS: u32 = 300;
const BYTES: u32 = 100;
const START: i64 = 1_700_000_000_000_000_000;

/// What is simulated.
#[derive(Clone, Debug)]
struct Path2 {
    offset: i64,
    skew_ppm: f64,
    there: i64,
    back: i64,
    step: i64,
    nat: bool,
    shift: u32,
    queues: Vec<i64>,
    lost: Vec<bool>,
}

/// One packet at one end.
struct Sent {
    time: i64,
    from_client: bool,
    header: Header,
    options: Vec<u8>,
    len: usize,
}

/// Both ends' captures of the simulation, and how many packets were lost on the way to the server.
fn simulate(path: &Path2) -> ([Vec<Sent>; 2], u64) {
    let mut ends = [Vec::new(), Vec::new()];
    let on_b = |time: i64| time + path.offset + ((time - START) as f64 * path.skew_ppm * 1e-6) as i64;
    let capable = |sender: Option<u64>, receiver: Option<u64>| {
        let option = TcpOption::Mptcp(Mptcp::Capable(Capable {
            version: 1,
            flags: mptcp::Capable::HMAC,
            sender_key: sender.map(Key),
            receiver_key: receiver.map(Key),
            data_len: None,
            checksum: None,
        }));
        let mut bytes = [0; 40];
        let len = option.emit(&mut bytes).expect("fits");
        bytes[..len].to_vec()
    };
    let mut send = |time: i64,
                    from_client: bool,
                    arrives: Option<i64>,
                    flags: Flags,
                    seq: u32,
                    ack: u32,
                    options: &[u8],
                    len: usize| {
        let stamp = TcpOption::Timestamps { value: (time / 1_000_000) as u32, echo: 1 };
        let mut bytes = [0; 40];
        let used = stamp.emit(&mut bytes).expect("fits");
        let options = [&bytes[..used], options].concat();
        let header = Header { src_port: 40_000, dst_port: 443, seq, ack, flags, window: 500, urgent: 0 };
        let (here, there) = if from_client { (0, 1) } else { (1, 0) };
        let clock = |end: usize, time: i64| if end == 1 { on_b(time) } else { time };
        ends[here].push(Sent { time: clock(here, time), from_client, header, options: options.clone(), len });
        if let Some(arrives) = arrives {
            ends[there].push(Sent { time: clock(there, arrives), from_client, header, options, len });
        }
    };
    let (isn, peer) = (u32::MAX - 5_000, 77);
    let key = 0x0123_4567_89ab_cdef;
    let mut now = START;
    send(now, true, Some(now + path.there), Flags::SYN, isn, 0, &capable(None, None), 0);
    now += path.there;
    send(
        now,
        false,
        Some(now + path.back),
        Flags::SYN | Flags::ACK,
        peer,
        isn + 1,
        &capable(Some(!key), None),
        0,
    );
    now += path.back;
    send(
        now,
        true,
        Some(now + path.there),
        Flags::ACK,
        isn + 1,
        peer + 1,
        &capable(Some(key), Some(!key)),
        0,
    );
    let mut lost = 0;
    for index in 0..PACKETS {
        let time = now + path.step * (i64::from(index) + 1);
        let queue = path.queues[index as usize];
        let seq = (isn + 1).wrapping_add(index * BYTES);
        let gone = path.lost[index as usize];
        lost += u64::from(gone);
        let arrives = time + path.there + queue;
        send(
            time,
            true,
            (!gone).then_some(arrives),
            Flags::ACK | Flags::PSH,
            seq,
            peer + 1,
            &[],
            BYTES as usize,
        );
        if !gone {
            let answer = arrives + path.back + path.queues[(PACKETS - 1 - index) as usize];
            send(arrives, false, Some(answer), Flags::ACK, peer + 1, seq.wrapping_add(BYTES), &[], 0);
        }
    }
    // Something in the end, so that both captures cover all of it.
    let end = now + path.step * i64::from(PACKETS + 2) + path.there + path.back + 20_000_000;
    send(
        end,
        true,
        Some(end + path.there),
        Flags::ACK | Flags::FIN,
        (isn + 1).wrapping_add(PACKETS * BYTES),
        peer + 1,
        &[],
        0,
    );
    (ends, lost)
}

/// Writes a capture; the server's end is behind the NAT and the box that shifts sequence numbers.
fn write(file: &Path, mut packets: Vec<Sent>, server: bool, path: &Path2) {
    packets.sort_by_key(|packet| packet.time);
    let out = std::fs::File::create(file).expect("a file");
    let mut writer = pcap::Writer::new(out, LinkType::RAW, pcap::Resolution::Nanos).expect("starts");
    for mut packet in packets {
        // Made from what the sender sent, so the same at both ends.
        let byte = (packet.header.seq / BYTES) as u8;
        let nat = server && path.nat;
        let client = if nat { [198, 51, 100, 7] } else { [10, 0, 0, 1] };
        let port = if nat { 61_234 } else { 40_000 };
        let (mut src, mut dst) = (Ipv4Addr::from(client), Ipv4Addr::new(192, 0, 2, 1));
        (packet.header.src_port, packet.header.dst_port) = (port, 443);
        if !packet.from_client {
            (src, dst) = (dst, src);
            (packet.header.src_port, packet.header.dst_port) = (443, port);
        }
        if server && packet.from_client {
            packet.header.seq = packet.header.seq.wrapping_add(path.shift);
        } else if server {
            packet.header.ack = packet.header.ack.wrapping_add(path.shift);
        }
        let options: Vec<_> = subflow_wire::tcp::Options::new(&packet.options).collect();
        let payload = vec![byte; packet.len];
        let mut segment = vec![0; Header::segment_len(&options, &payload)];
        packet.header.emit(IpAddr::V4(src), IpAddr::V4(dst), &options, &payload, &mut segment).expect("fits");
        let mut bytes = vec![0x45, 0];
        bytes.extend(((20 + segment.len()) as u16).to_be_bytes());
        bytes.extend([0, 0, 0x40, 0, 64 - u8::from(server), 6, 0, 0]);
        bytes.extend(src.octets());
        bytes.extend(dst.octets());
        bytes.extend(segment);
        writer.write(packet.time, bytes.len() as u32, &bytes).expect("writes");
    }
    writer.finish().expect("finishes");
}

fn tables(path: &Path) -> Tables {
    let mut input = subflow_capture::Input::open(&[path.to_owned()]).expect("a capture");
    let mut analyzer = Analyzer::new(Options::default(), Tables::default());
    while let Some(packet) = input.next_packet() {
        analyzer.packet(&packet);
    }
    let mut tables = analyzer.finish();
    tables.sort();
    tables
}

fn compared(path: &Path2) -> (Report, u64) {
    let dir = tempfile::tempdir().expect("a folder");
    let files: [[PathBuf; 1]; 2] = [[dir.path().join("a.pcap")], [dir.path().join("b.pcap")]];
    let ([a, b], lost) = simulate(path);
    write(&files[0][0], a, false, path);
    write(&files[1][0], b, true, path);
    let [tables_a, tables_b] = [tables(&files[0][0]), tables(&files[1][0])];
    let settings = Settings { sharing: Sharing::Different, ..Settings::default() };
    let captures =
        [Capture { paths: &files[0], tables: &tables_a }, Capture { paths: &files[1], tables: &tables_b }];
    (ends::compare(captures[0], captures[1], settings, &mut || true).expect("readable"), lost)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever clocks, delays, losses, NAT and shift: counts are exact, and estimates within their stated errors.
    #[test]
    fn the_path_is_recovered(
        offset in -5_000_000_000_i64..5_000_000_000,
        skew_ppm in -150.0..150.0_f64,
        there in 1_000_000..60_000_000_i64,
        back in 1_000_000..60_000_000_i64,
        step in 5_000_000..200_000_000_i64,
        nat in any::<bool>(),
        shift in prop_oneof![Just(0_u32), any::<u32>()],
        queues in proptest::collection::vec((0..2_000_i64).prop_map(|q| q * q), PACKETS as usize),
        lost in proptest::collection::vec(proptest::bool::weighted(0.05), PACKETS as usize),
    ) {
        let path = Path2 { offset, skew_ppm, there, back, step, nat, shift, queues, lost };
        let (report, lost) = compared(&path);
        prop_assert_eq!(report.matches.len(), 1);
        let one = &report.matches[0];
        prop_assert_eq!((one.translated, one.sequence_shifted), (nat, shift != 0));
        prop_assert_eq!(one.nearer_client, Some(Side::A));
        let row = |direction| report.paths.iter().find(|row| row.direction == direction).expect("a path");
        let (there_row, back_row) = (row(Direction::C2s), row(Direction::S2c));
        prop_assert_eq!((there_row.packets_lost, back_row.packets_lost), (lost, 0));
        prop_assert_eq!(there_row.packets_appeared + back_row.packets_appeared, 0);
        prop_assert_eq!(there_row.packets_matched + lost, u64::from(PACKETS) + 3);
        // Offset in the middle of the time that was matched, on the clock of A.
        let at = report.clock.at.expect("known").0;
        let truth = offset as f64 + (at - START) as f64 * skew_ppm * 1e-6;
        let error = report.clock.offset_error.expect("bounded");
        prop_assert!((report.clock.offset.expect("known") - truth / 1e9).abs() <= error, "{:?}, {truth}", report.clock);
        let skew_error = report.clock.skew_error_ppm.expect("enough packets");
        prop_assert!((report.clock.skew_ppm.expect("known") - skew_ppm).abs() <= skew_error * 1.01, "{:?}", report.clock);
        for (row, delay) in [(there_row, there), (back_row, back)] {
            let min = row.delay_min.expect("matched");
            // No queue is shorter than 0, and the shortest of 300 is short.
            prop_assert!((min - delay as f64 / 1e9).abs() <= error + 0.000_5, "{min} {delay} within {error}");
        }
    }
}
