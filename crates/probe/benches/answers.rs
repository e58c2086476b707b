//! What one more answer costs from frame to verdict, apart from receiving it and writing rows.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use subflow_probe::answers::{Reader, Repeats};
use subflow_probe::probes::{Frame, Kind, Kinds, Probes, Secret, Source, SourcePorts};
use subflow_probe::scan::Tracker;
use subflow_probe::targets::{List, Plan, Wanted};
use subflow_wire::LinkType;
use subflow_wire::ip::{protocol, v4};
use subflow_wire::mptcp::{Capable, Mptcp};
use subflow_wire::tcp::{self, Flags, TcpOption};

/// Answers that are looked at: more than the caches hold.
const ANSWERS: u64 = 1 << 18;
const OURS: [u8; 4] = [192, 0, 2, 1];
const NOW_NS: i64 = 1_700_000_000_123_456_000;

fn probes() -> Probes {
    let source = Source { mac: [2; 6], v4: Some(([4; 6], OURS.into())), v6: None };
    Probes::new(Secret::new(7), SourcePorts::default(), source, false).expect("the options fit")
}

fn plan() -> Plan {
    let mut targets = List::default();
    targets.add("10.0.0.0/8").expect("a prefix");
    let ports = [80].into_iter().collect();
    Plan::new(Wanted { targets, ports, special: true, shards: 1, ..Wanted::default() }).expect("a plan")
}

/// The SYN/ACKs of servers that support version 1, in the order of the targets, each a frame.
fn frames(plan: &Plan, probes: &Probes) -> Vec<Vec<u8>> {
    let mut probe = Frame::EMPTY;
    let answer = |position| {
        let target = plan.target(position)?;
        probes.write(&target, Kind::V1, (NOW_NS / 1000) as u32, &mut probe);
        let cookie = probes.secret().cookie(&target, Kind::V1);
        let std::net::IpAddr::V4(addr) = target.addr else { return None };
        let capable = Capable {
            version: 1,
            flags: Capable::HMAC,
            sender_key: Some(subflow_wire::Key(position)),
            receiver_key: None,
            data_len: None,
            checksum: None,
        };
        let options = [
            TcpOption::MaxSegmentSize(1460),
            TcpOption::SackPermitted,
            TcpOption::Timestamps { value: 9, echo: cookie.clock },
            TcpOption::Nop,
            TcpOption::WindowScale(7),
            TcpOption::Mptcp(Mptcp::Capable(capable)),
        ];
        let header = tcp::Header {
            src_port: target.port,
            dst_port: probes.ports().port(Kind::V1, &cookie),
            seq: 77,
            ack: cookie.seq.wrapping_add(1),
            flags: Flags::SYN | Flags::ACK,
            window: 65_160,
            urgent: 0,
        };
        let len = tcp::Header::segment_len(&options, &[]);
        let mut frame = vec![0; 34 + len];
        frame[12..14].copy_from_slice(&[8, 0]);
        v4::Header::new(addr, OURS.into(), protocol::TCP).emit(len, &mut frame[14..]).ok()?;
        header
            .emit(addr.into(), std::net::Ipv4Addr::from(OURS).into(), &options, &[], &mut frame[34..])
            .ok()?;
        Some(frame)
    };
    (0..ANSWERS).map_while(answer).collect()
}

fn answers(c: &mut Criterion) {
    let (plan, probes) = (plan(), probes());
    let frames = frames(&plan, &probes);
    assert_eq!(frames.len() as u64, ANSWERS);
    let reader = Reader::new(&probes);
    let read = |frame: &'static [u8]| {
        reader.read(LinkType::ETHERNET, frame, frame.len() as u32, NOW_NS).expect("an answer")
    };
    let frames: &'static [Vec<u8>] = frames.leak();
    let mut group = c.benchmark_group("answer");
    group.throughput(Throughput::Elements(ANSWERS));
    group.bench_function("verified and judged", |b| {
        b.iter(|| frames.iter().fold(0, |sum, frame| sum + u64::from(read(frame).ttl)));
    });
    group.bench_function("and its target found, and settled", |b| {
        b.iter(|| {
            let mut tracker = Tracker::new(Kinds::only(Kind::V1), 0, true, 1_000_000_000, 0);
            let mut repeats = Repeats::new(20);
            let mut settled = 0;
            for frame in frames {
                let answer = read(frame);
                let position = plan.position_of(&answer.target).expect("of the plan");
                let repeat = repeats.check(&answer);
                settled += usize::from(tracker.answer(position, &answer, repeat).is_some());
            }
            settled
        });
    });
    group.bench_function("its row of table probes", |b| {
        let answer = read(&frames[0]);
        b.iter(|| {
            (0..ANSWERS)
                .fold(0, |sum, _| sum + black_box(&answer).row(false).options.map_or(0, |text| text.len()))
        });
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10);
    targets = answers
}
criterion_main!(benches);
