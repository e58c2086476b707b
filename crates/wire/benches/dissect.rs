//! What one packet costs from frame to options, over a mix like that of a server's trace.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use subflow_wire::ip::{protocol, v4, v6};
use subflow_wire::link::{ether_type, ethernet};
use subflow_wire::mptcp::{Dsn, Dss, Mapping, Mptcp};
use subflow_wire::tcp::{Flags, Header, Tcp, TcpOption};
use subflow_wire::{Dissection, LinkType, dissect};

/// One Ethernet frame with a TCP segment.
fn frame(v6: bool, options: &[TcpOption<'_>], payload: usize) -> Vec<u8> {
    let payload = vec![0xa5; payload];
    let mut out = vec![0; 2000];
    let number = if v6 { ether_type::IPV6 } else { ether_type::IPV4 };
    let ethernet = ethernet::Header { dst: [2; 6], src: [4; 6], tags: &[], ether_type: number };
    let mut at = ethernet.emit(&mut out).expect("room");
    let segment = Header::segment_len(options, &payload);
    let (src, dst) = if v6 {
        let header = v6::Header::new(1.into(), 2.into(), protocol::TCP);
        at += header.emit(segment, &mut out[at..]).expect("room");
        (header.src.into(), header.dst.into())
    } else {
        let header = v4::Header::new(1.into(), 2.into(), protocol::TCP);
        at += header.emit(segment, &mut out[at..]).expect("room");
        (header.src.into(), header.dst.into())
    };
    let tcp = Header { src_port: 443, dst_port: 50_000, flags: Flags::ACK, window: 500, ..Header::default() };
    at += tcp.emit(src, dst, options, &payload, &mut out[at..]).expect("room");
    out.truncate(at);
    out
}

/// Data with mappings, acknowledgements with data acknowledgements, and plain TCP, in IPv4 and IPv6.
fn mix() -> Vec<Vec<u8>> {
    let stamps = TcpOption::Timestamps { value: 1, echo: 2 };
    let ack = Dss { data_ack: Some(Dsn::Long(9)), mapping: None, data_fin: false, reserved: 0 };
    let mapping = Mapping { dsn: Dsn::Long(7), subflow_seq: 1, len: 1400, checksum: None };
    let data = Dss { data_ack: Some(Dsn::Short(9)), mapping: Some(mapping), ..ack };
    let nop = TcpOption::Nop;
    let plain = [nop, nop, stamps];
    let with_ack = [nop, nop, stamps, TcpOption::Mptcp(Mptcp::Dss(ack))];
    let with_data = [nop, nop, stamps, nop, nop, TcpOption::Mptcp(Mptcp::Dss(data))];
    let mut frames = Vec::new();
    for v6 in [false, false, true] {
        frames.push(frame(v6, &with_data, 1400));
        frames.push(frame(v6, &with_ack, 0));
        frames.push(frame(v6, &plain, 700));
    }
    frames
}

fn benches(c: &mut Criterion) {
    let frames: Vec<_> = mix().into_iter().cycle().take(900).collect();
    let mut group = c.benchmark_group("packet");
    group.throughput(Throughput::Elements(frames.len() as u64));
    group.bench_function("dissect", |b| {
        b.iter(|| {
            for frame in &frames {
                black_box(dissect(LinkType::ETHERNET, black_box(frame), frame.len() as u32));
            }
        });
    });
    group.bench_function("dissect_to_options", |b| {
        b.iter(|| {
            let mut sum = 0u64;
            for frame in &frames {
                let Dissection::Ip(ip) = dissect(LinkType::ETHERNET, black_box(frame), frame.len() as u32)
                else {
                    continue;
                };
                let Ok(tcp) = Tcp::parse(ip.payload) else { continue };
                sum += u64::from(tcp.seq()) + u64::from(ip.payload_len);
                for option in tcp.options() {
                    match option {
                        TcpOption::Timestamps { value, .. } => sum += u64::from(value),
                        TcpOption::Mptcp(Mptcp::Dss(dss)) => sum += u64::from(dss.mapped_bytes()),
                        _ => {}
                    }
                }
            }
            black_box(sum)
        });
    });
    group.bench_function("dissect_to_mptcp", |b| {
        b.iter(|| {
            let mut sum = 0u64;
            for frame in &frames {
                let Dissection::Ip(ip) = dissect(LinkType::ETHERNET, black_box(frame), frame.len() as u32)
                else {
                    continue;
                };
                let Ok(tcp) = Tcp::parse(ip.payload) else { continue };
                sum += u64::from(tcp.seq()) + u64::from(ip.payload_len);
                if let Some(Mptcp::Dss(dss)) = tcp.options().first_mptcp() {
                    sum += u64::from(dss.mapped_bytes());
                }
            }
            black_box(sum)
        });
    });
    group.finish();
}

criterion_group!(all, benches);
criterion_main!(all);
