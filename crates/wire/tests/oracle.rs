//! On well-formed packets the dissector and the builders agree with etherparse.

use std::net::IpAddr;

use etherparse::{NetSlice, PacketBuilder, SlicedPacket, TcpOptionElement, TransportSlice};
use proptest::prelude::*;
use subflow_wire::ip::{protocol, v4, v6};
use subflow_wire::link::ethernet;
use subflow_wire::tcp::{Flags, Header, Tcp, TcpOption};
use subflow_wire::{Dissection, LinkType, dissect};

proptest! {
    #[test]
    fn we_read_what_etherparse_writes(
        v6 in any::<bool>(), vlan in proptest::option::of(0u16..4096), ttl in any::<u8>(), ports in any::<(u16, u16)>(),
        seq in any::<u32>(), window in any::<u16>(), stamps in any::<(u32, u32)>(), payload in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let options = [TcpOptionElement::Timestamp(stamps.0, stamps.1), TcpOptionElement::MaximumSegmentSize(1400)];
        let link = PacketBuilder::ethernet2([1; 6], [2; 6]);
        let mut frame = Vec::new();
        macro_rules! finish {
            ($link:expr) => {{
                let ip = if v6 { $link.ipv6([3; 16], [4; 16], ttl) } else { $link.ipv4([5; 4], [6; 4], ttl) };
                ip.tcp(ports.0, ports.1, seq, window).syn().options(&options).unwrap().write(&mut frame, &payload).unwrap()
            }};
        }
        match vlan {
            Some(id) => finish!(link.single_vlan(id.try_into().unwrap())),
            None => finish!(link),
        }
        let Dissection::Ip(ip) = dissect(LinkType::ETHERNET, &frame, frame.len() as u32) else { panic!("not IP") };
        prop_assert_eq!((ip.hop_limit, ip.protocol, ip.src.is_ipv6(), ip.fragment), (ttl, protocol::TCP, v6, None));
        prop_assert_eq!(ip.payload.len(), ip.payload_len as usize);
        let tcp = Tcp::parse(ip.payload).unwrap();
        prop_assert_eq!((tcp.src_port(), tcp.dst_port(), tcp.seq(), tcp.window()), (ports.0, ports.1, seq, window));
        prop_assert_eq!((tcp.flags(), tcp.payload()), (Flags::SYN, &payload[..]));
        let read: Vec<_> = tcp.options().take(2).collect();
        prop_assert_eq!(read, [TcpOption::Timestamps { value: stamps.0, echo: stamps.1 }, TcpOption::MaxSegmentSize(1400)]);
        prop_assert_eq!(subflow_wire::checksum::transport(ip.src, ip.dst, protocol::TCP, ip.payload), 0);
    }

    #[test]
    fn etherparse_reads_what_we_write(
        v6 in any::<bool>(), tags in 0usize..3, class in any::<u8>(), numbers in any::<(u32, u32)>(), flags in 0u16..0x100,
        payload in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let mut frame = [0u8; 400];
        let link = ethernet::Header {
            dst: [1; 6], src: [2; 6], tags: &[ethernet::Tag::vlan(5); 2][..tags],
            ether_type: if v6 { 0x86dd } else { 0x0800 },
        };
        let mut at = link.emit(&mut frame).unwrap();
        let tcp = Header { src_port: 80, dst_port: 81, seq: numbers.0, ack: numbers.1, flags: Flags(flags), window: 9, urgent: 0 };
        let options = [TcpOption::WindowScale(7), TcpOption::SackPermitted];
        let segment = Header::segment_len(&options, &payload);
        let (src, dst): (IpAddr, IpAddr) = if v6 {
            let ip = v6::Header { traffic_class: class, ..v6::Header::new(1.into(), 2.into(), protocol::TCP) };
            at += ip.emit(segment, &mut frame[at..]).unwrap();
            (ip.src.into(), ip.dst.into())
        } else {
            let ip = v4::Header { traffic_class: class, ..v4::Header::new(1.into(), 2.into(), protocol::TCP) };
            at += ip.emit(segment, &mut frame[at..]).unwrap();
            (ip.src.into(), ip.dst.into())
        };
        at += tcp.emit(src, dst, &options, &payload, &mut frame[at..]).unwrap();
        let sliced = SlicedPacket::from_ethernet(&frame[..at]).unwrap();
        prop_assert_eq!(sliced.vlan_ids().len(), tags);
        let Some(TransportSlice::Tcp(read)) = sliced.transport else { panic!("no TCP") };
        prop_assert_eq!((read.sequence_number(), read.acknowledgment_number()), numbers);
        prop_assert_eq!((read.payload(), read.syn(), read.fin()), (&payload[..], flags & 2 != 0, flags & 1 != 0));
        let header = read.to_header();
        match sliced.net {
            Some(NetSlice::Ipv4(ip)) => {
                let ip = ip.header();
                prop_assert_eq!(ip.to_header().calc_header_checksum(), ip.header_checksum());
                prop_assert_eq!(header.calc_checksum_ipv4(&ip.to_header(), &payload), Ok(read.checksum()));
                prop_assert_eq!(ip.dcp().value() << 2 | ip.ecn().value(), class);
            }
            Some(NetSlice::Ipv6(ip)) => {
                let ip = ip.header();
                prop_assert_eq!(header.calc_checksum_ipv6(&ip.to_header(), &payload), Ok(read.checksum()));
                prop_assert_eq!(ip.traffic_class(), class);
            }
            _ => panic!("no IP"),
        }
    }
}
