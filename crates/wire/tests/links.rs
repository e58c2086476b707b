//! One small packet behind every link header and inside every tunnel.

use std::net::IpAddr;

use subflow_wire::ip::{protocol, v4, v6};
use subflow_wire::link::{ether_type, ethernet, null, ppp, sll};
use subflow_wire::{Dissection, IpPacket, LinkType, dissect, udp};

const PAYLOAD: &[u8] = b"twenty bytes of TCP.";

/// An IPv4 packet with a TCP segment that is none, enough to be found again.
fn inner4() -> Vec<u8> {
    wrap4(protocol::TCP, PAYLOAD)
}

fn inner6() -> Vec<u8> {
    wrap6(protocol::TCP, PAYLOAD)
}

fn wrap4(protocol: u8, payload: &[u8]) -> Vec<u8> {
    let header = v4::Header::new([10, 0, 0, 1].into(), [10, 0, 0, 2].into(), protocol);
    let mut out = vec![0; header.header_len()];
    header.emit(payload.len(), &mut out).unwrap();
    out.extend(payload);
    out
}

fn wrap6(protocol: u8, payload: &[u8]) -> Vec<u8> {
    let header = v6::Header::new(1.into(), 2.into(), protocol);
    let mut out = vec![0; header.header_len()];
    header.emit(payload.len(), &mut out).unwrap();
    out.extend(payload);
    out
}

fn wrap_udp(port: u16, payload: &[u8]) -> Vec<u8> {
    let (src, dst): (IpAddr, IpAddr) = ([10, 0, 0, 1].into(), [10, 0, 0, 2].into());
    let mut out = vec![0; payload.len() + 8];
    udp::emit((src, 40_000), (dst, port), payload, &mut out).unwrap();
    wrap4(protocol::UDP, &out)
}

fn ethernet(number: u16, tags: &[ethernet::Tag], payload: &[u8]) -> Vec<u8> {
    let mut out = vec![0; 100];
    let header = ethernet::Header { dst: [2; 6], src: [4; 6], tags, ether_type: number };
    let len = header.emit(&mut out).unwrap();
    out.truncate(len);
    out.extend(payload);
    out
}

fn after(header: &[u8], rest: &[u8]) -> Vec<u8> {
    [header, rest].concat()
}

#[track_caller]
fn packet(link: LinkType, frame: &[u8]) -> IpPacket<'_> {
    match dissect(link, frame, frame.len() as u32) {
        Dissection::Ip(ip) => ip,
        other => panic!("{link}: {other:?}"),
    }
}

/// The inner packet comes out, whole, and each shorter piece of the frame is survived.
#[track_caller]
fn holds(link: LinkType, frame: &[u8]) {
    let ip = packet(link, frame);
    assert_eq!((ip.protocol, ip.payload), (protocol::TCP, PAYLOAD), "{link}");
    assert_eq!(ip.payload_len as usize, PAYLOAD.len(), "{link}");
    for len in 0..frame.len() {
        if let Dissection::Ip(ip) = dissect(link, &frame[..len], frame.len() as u32)
            && ip.protocol == protocol::TCP
        {
            assert_eq!(ip.payload_len as usize, PAYLOAD.len(), "{link} cut at {len}");
            assert!(PAYLOAD.starts_with(ip.payload), "{link} cut at {len}");
        }
    }
}

#[test]
fn raw() {
    for link in [LinkType::RAW, LinkType::RAW_12, LinkType::RAW_14, LinkType::IPV4] {
        holds(link, &inner4());
    }
    holds(LinkType::RAW, &inner6());
    holds(LinkType::IPV6, &inner6());
}

#[test]
fn ethernet_and_tags() {
    use ethernet::Tag;
    holds(LinkType::ETHERNET, &ethernet(0x0800, &[], &inner4()));
    holds(LinkType::ETHERNET, &ethernet(0x86dd, &[], &after(&inner6(), &[0; 9])));
    holds(LinkType::ETHERNET, &ethernet(0x0800, &[Tag::vlan(7)], &inner4()));
    let tag = |protocol| Tag { protocol, control: 0x2fff };
    holds(
        LinkType::ETHERNET,
        &ethernet(0x86dd, &[tag(0x88a8), tag(0x9100), tag(0x8100), Tag::vlan(1)], &inner6()),
    );
    holds(LinkType::ETHERNET, &ethernet(ether_type::VN_TAG, &[], &after(&[0, 0, 0, 0, 8, 0], &inner4())));
    let backbone = after(&[0; 4], &ethernet(0x0800, &[], &inner4()));
    holds(LinkType::ETHERNET, &ethernet(ether_type::BACKBONE, &[], &backbone));
}

#[test]
fn ethernet_with_a_length() {
    let snap = after(&[0xaa, 0xaa, 3, 0, 0, 0, 8, 0], &inner4());
    holds(LinkType::ETHERNET, &ethernet(48, &[], &after(&snap, &[0; 5])));
    holds(LinkType::ETHERNET, &ethernet(43, &[], &after(&[6, 6, 3], &inner4())));
    holds(LinkType::ETHERNET, &ethernet(ether_type::JUMBO_LLC, &[], &snap));
    let tree = ethernet(38, &[], &after(&[0x42, 0x42, 3], &[0; 35]));
    assert_eq!(dissect(LinkType::ETHERNET, &tree, 60), Dissection::NotIp);
}

#[test]
fn what_is_not_ip() {
    let arp = ethernet(ether_type::ARP, &[], &[0; 28]);
    assert_eq!(dissect(LinkType::ETHERNET, &arp, 42), Dissection::NotIp);
    assert_eq!(dissect(LinkType(147), &arp, 42), Dissection::UnknownLink(LinkType(147)));
    let Dissection::Malformed(why) = dissect(LinkType::ETHERNET, &arp[..13], 42) else { panic!("short") };
    assert_eq!(
        (why.layer, why.offset, why.to_string()),
        ("ethernet", 0, "ethernet at byte 0: header cut short".into())
    );
    let broken = ethernet(0x0800, &[], &[0x99; 30]);
    let Dissection::Malformed(why) = dissect(LinkType::ETHERNET, &broken, 44) else { panic!("broken") };
    assert_eq!((why.layer, why.offset, why.reason), ("ip", 14, "version is neither 4 nor 6"));
    // The packet is believed, not the EtherType.
    holds(LinkType::ETHERNET, &ethernet(0x0800, &[], &inner6()));
}

#[test]
fn cooked() {
    let mut out = [0; 20];
    for hardware in [1, 772, 65_534] {
        let header = sll::Header { packet_type: 4, hardware, address: ([1; 8], 6), ether_type: 0x0800 };
        assert_eq!(header.emit(&mut out), Ok(sll::HEADER_LEN));
        holds(LinkType::SLL, &after(&out[..16], &inner4()));
        let header =
            sll::Header2 { ether_type: 0x86dd, interface: 3, hardware, packet_type: 0, address: ([0; 8], 0) };
        assert_eq!(header.emit(&mut out), Ok(sll::HEADER_LEN2));
        holds(LinkType::SLL2, &after(&out, &inner6()));
    }
    let tagged = sll::Header { packet_type: 0, hardware: 1, address: ([0; 8], 6), ether_type: 0x8100 };
    tagged.emit(&mut out).unwrap();
    holds(LinkType::SLL, &after(&out[..16], &after(&[0, 5, 8, 0], &inner4())));
    let netlink = sll::Header { hardware: 824, ..tagged };
    netlink.emit(&mut out).unwrap();
    let frame = after(&out[..16], &inner4());
    assert_eq!(dissect(LinkType::SLL, &frame, 56), Dissection::NotIp);
    let gre = sll::Header2 {
        ether_type: 0x0800,
        interface: 1,
        hardware: 778,
        packet_type: 0,
        address: ([0; 8], 4),
    };
    gre.emit(&mut out).unwrap();
    holds(LinkType::SLL2, &after(&out, &inner4()));
}

#[test]
fn loopback_of_every_system_and_order() {
    let mut out = [0; 4];
    for big_endian in [false, true] {
        for family in null::AF_INET6 {
            assert_eq!(null::emit(family, big_endian, &mut out), Ok(null::HEADER_LEN));
            holds(LinkType::NULL, &after(&out, &inner6()));
            holds(LinkType::LOOP, &after(&out, &inner6()));
        }
        null::emit(null::AF_INET, big_endian, &mut out).unwrap();
        holds(LinkType::NULL, &after(&out, &inner4()));
    }
    null::emit(7, false, &mut out).unwrap();
    let frame = after(&out, &inner4());
    assert_eq!(dissect(LinkType::NULL, &frame, 44), Dissection::NotIp);
}

#[test]
fn ppp_and_its_like() {
    let mut out = [0; 4];
    assert_eq!(ppp::emit(ppp::IPV4, &mut out), Ok(4));
    let framed = after(&out, &inner4());
    holds(LinkType::PPP, &framed);
    holds(LinkType::PPP_HDLC, &framed);
    holds(LinkType::PPP, &after(&[0x00, 0x57], &inner6()));
    holds(LinkType::PPP, &after(&[0x21], &inner4()));
    holds(LinkType::PPP_WITH_DIR, &after(&[1], &framed));
    holds(LinkType::PPP_PPPD, &after(&[0, 3, 0, 0x21], &inner4()));
    holds(LinkType::PPP_PPPD, &after(&[1, 0x21], &inner4()));
    holds(LinkType::CHDLC, &after(&[0x0f, 0, 8, 0], &inner4()));
    holds(LinkType::PPP_HDLC, &after(&[0x8f, 0, 0x86, 0xdd], &inner6()));
    holds(LinkType::C_HDLC_WITH_DIR, &after(&[0, 0x0f, 0, 8, 0], &inner4()));
    holds(LinkType::FRELAY, &after(&[0x18, 0x41, 3, 0xcc], &inner4()));
    holds(LinkType::FRELAY, &after(&[0x18, 0x41, 8, 0], &inner4()));
    holds(LinkType::FRELAY_WITH_DIR, &after(&[0, 0x18, 0x41, 3, 0, 0x80, 0, 0, 0, 8, 0], &inner4()));
    let control = [0xff, 3, 0xc0, 0x21, 1, 1, 0, 4];
    assert_eq!(dissect(LinkType::PPP, &control, 8), Dissection::NotIp);
}

#[test]
fn pppoe_bounds_what_it_holds() {
    let session = |payload: &[u8]| {
        let len = (payload.len() as u16).to_be_bytes();
        after(&[0x11, 0, 0, 9, len[0], len[1]], payload)
    };
    let frame = session(&after(&[0, 0x21], &inner4()));
    holds(LinkType::PPP_ETHER, &frame);
    holds(LinkType::ETHERNET, &ethernet(ether_type::PPPOE, &[], &after(&frame, &[0; 7])));
    assert_eq!(dissect(LinkType::PPP_ETHER, &[0x11, 9, 0, 0, 0, 0], 6), Dissection::NotIp);
}

#[test]
fn wifi() {
    let snap = after(&[0xaa, 0xaa, 3, 0, 0, 0, 8, 0], &inner4());
    let plain = |kind: u8, flags: u8, len: usize| {
        let mut header = vec![0; len];
        header[0] = kind;
        header[1] = flags;
        after(&header, &snap)
    };
    holds(LinkType::IEEE802_11, &plain(0x08, 1, 24));
    holds(LinkType::IEEE802_11, &plain(0x08, 3, 30));
    holds(LinkType::IEEE802_11, &plain(0x88, 2, 26));
    holds(LinkType::IEEE802_11, &plain(0x88, 0x82, 30));
    for (kind, flags) in [(0x80, 0), (0x48, 0), (0x08, 0x41)] {
        let frame = plain(kind, flags, 24);
        assert_eq!(dissect(LinkType::IEEE802_11, &frame, 80), Dissection::NotIp);
    }
    let mut aggregate = vec![0; 40];
    aggregate[0] = 0x88;
    aggregate[24] = 0x80;
    holds(LinkType::IEEE802_11, &after(&aggregate, &snap));

    // Two presence words, a time, and flags that say: check sequence, padding after the header.
    let radiotap = [0, 0, 25, 0, 3, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0x30];
    let mut padded = plain(0x88, 1, 28);
    padded.extend([0; 4]);
    holds(LinkType::IEEE802_11_RADIOTAP, &after(&radiotap, &padded));
    holds(LinkType::IEEE802_11_RADIOTAP, &after(&[0, 0, 8, 0, 0, 0, 0, 0], &plain(0x08, 1, 24)));
    let mut prism = vec![0; 144];
    prism[..8].copy_from_slice(&[0x44, 0, 0, 0, 144, 0, 0, 0]);
    holds(LinkType::IEEE802_11_PRISM, &after(&prism, &plain(0x08, 1, 24)));
    let mut avs = vec![0; 64];
    avs[..8].copy_from_slice(&[0x80, 0x21, 0x10, 1, 0, 0, 0, 64]);
    holds(LinkType::IEEE802_11_AVS, &after(&avs, &plain(0x08, 1, 24)));
    holds(LinkType::IEEE802_11_PRISM, &after(&avs, &plain(0x08, 1, 24)));
    holds(LinkType::PPI, &after(&[0, 0, 8, 0, 105, 0, 0, 0], &plain(0x08, 1, 24)));
    holds(LinkType::PPI, &after(&[0, 0, 12, 0, 1, 0, 0, 0, 9, 9, 9, 9], &ethernet(0x0800, &[], &inner4())));
}

#[test]
fn rarer_networks() {
    let snap = after(&[0xaa, 0xaa, 3, 0, 0, 0, 8, 0], &inner4());
    let frame = ethernet(0x0800, &[], &inner4());
    let zeros = [0u8; 64];
    let typed = |len: usize| {
        let mut header = zeros[..len].to_vec();
        header[len - 2] = 8;
        after(&header, &inner4())
    };
    holds(LinkType::ATM_RFC1483, &snap);
    holds(LinkType::SUNATM, &after(&[2, 0, 0, 0], &snap));
    holds(LinkType::FDDI, &after(&[0x50, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2], &snap));
    holds(LinkType::IP_OVER_FC, &after(&zeros[..16], &snap));
    let mut ring = zeros[..20].to_vec();
    ring[1] = 0x40;
    holds(LinkType::IEEE802_5, &after(&ring[..14], &snap));
    ring[8] = 0x80;
    ring[14] = 0x06;
    holds(LinkType::IEEE802_5, &after(&ring, &snap));
    holds(LinkType::APPLE_IP_OVER_IEEE1394, &typed(18));
    holds(LinkType::DSA_TAG_BRCM, &typed(18));
    holds(LinkType::DSA_TAG_DSA, &typed(18));
    holds(LinkType::DSA_TAG_EDSA, &typed(22));
    holds(LinkType::DSA_TAG_BRCM_PREPEND, &after(&zeros[..4], &frame));
    holds(LinkType::NETANALYZER, &after(&zeros[..4], &after(&frame, &zeros[..4])));
    holds(LinkType::ETHERNET_MPACKET, &after(&zeros[..8], &after(&frame, &zeros[..4])));
    let mut infiniband = zeros[..44].to_vec();
    infiniband[40] = 8;
    holds(LinkType::IPOIB, &after(&infiniband, &inner4()));
    holds(LinkType::SLIP, &after(&zeros[..16], &inner4()));
    holds(LinkType::ENC, &after(&zeros[..12], &inner6()));
    holds(LinkType::IPNET, &after(&zeros[..24], &inner6()));
    holds(LinkType::PFLOG, &after(&[61, 2], &after(&zeros[..62], &inner4())));
}

#[test]
fn netfilter_log_in_both_orders() {
    let len = (inner4().len() + 4) as u16;
    for big in [false, true] {
        let word = |value: u16| if big { value.to_be_bytes() } else { value.to_le_bytes() };
        let attributes =
            [[2, 0, 0, 0], [word(5)[0], word(5)[1], word(10)[0], word(10)[1]], [b'x', 0, 0, 0]].concat();
        let payload = [word(len), word(9)].concat();
        holds(LinkType::NFLOG, &[attributes, payload, inner4()].concat());
    }
}

#[test]
fn label_stacks() {
    let stack = [0, 1, 0, 64, 0, 2, 1, 64];
    holds(LinkType::MPLS, &after(&stack, &inner4()));
    holds(LinkType::ETHERNET, &ethernet(ether_type::MPLS, &[], &after(&stack[4..], &inner6())));
    let wire = after(&[0, 0, 0, 1], &ethernet(0x0800, &[], &inner4()));
    holds(LinkType::ETHERNET, &ethernet(ether_type::MPLS, &[], &after(&stack, &wire)));
    holds(LinkType::RAW, &wrap4(protocol::MPLS, &after(&stack, &inner4())));
    let Dissection::Malformed(why) = dissect(LinkType::MPLS, &[0; 200], 200) else { panic!("no bottom") };
    assert_eq!(why.layer, "mpls");
}

#[test]
fn ip_in_ip() {
    holds(LinkType::RAW, &wrap4(protocol::IPV4, &inner4()));
    holds(LinkType::RAW, &wrap4(protocol::IPV6, &inner6()));
    holds(LinkType::RAW, &wrap6(protocol::IPV4, &inner4()));
    holds(LinkType::RAW, &wrap6(protocol::IPV6, &inner6()));
    holds(LinkType::RAW, &wrap4(protocol::ETHERIP, &after(&[0x30, 0], &ethernet(0x86dd, &[], &inner6()))));
    let authenticated = after(&[6, 4, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1], &after(&[9; 12], PAYLOAD));
    holds(LinkType::RAW, &wrap4(protocol::AH, &authenticated));
    holds(LinkType::RAW, &wrap6(protocol::AH, &authenticated));
}

#[test]
fn gre_with_every_field() {
    for (flags, fields) in [(0x00, 0), (0x80, 4), (0x20, 4), (0x30, 8), (0xb0, 12)] {
        let header = after(&[flags, 0, 8, 0], &[7; 12][..fields]);
        holds(LinkType::RAW, &wrap4(protocol::GRE, &after(&header, &inner4())));
    }
    let bridged = after(&[0, 0, 0x65, 0x58], &ethernet(0x86dd, &[ethernet::Tag::vlan(3)], &inner6()));
    holds(LinkType::RAW, &wrap6(protocol::GRE, &bridged));
    let pptp =
        after(&[0x30, 0x81, 0x88, 0x0b, 0, 24, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 0xff, 3, 0, 0x21], &inner4());
    holds(LinkType::RAW, &wrap4(protocol::GRE, &pptp));
    let frame = ethernet(0x0800, &[], &inner4());
    holds(LinkType::RAW, &wrap4(protocol::GRE, &after(&[0, 0, 0x88, 0xbe], &frame)));
    let second = after(&[0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 0, 0, 0, 0, 0, 0, 0], &frame);
    holds(LinkType::RAW, &wrap4(protocol::GRE, &second));
    let third = after(&[0x10, 0, 0x22, 0xeb, 0, 0, 0, 1, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], &frame);
    holds(LinkType::RAW, &wrap4(protocol::GRE, &third));
    holds(LinkType::RAW, &wrap4(protocol::GRE, &after(&[0, 0, 0x88, 0x3e, 0, 0, 0, 0], &inner4())));
}

#[test]
fn tunnels_on_udp_ports() {
    let frame = ethernet(0x0800, &[], &inner4());
    let vxlan = after(&[8, 0, 0, 0, 0, 0, 42, 0], &frame);
    holds(LinkType::RAW, &wrap_udp(4789, &vxlan));
    holds(LinkType::RAW, &wrap_udp(8472, &vxlan));
    holds(LinkType::RAW, &wrap_udp(6081, &after(&[1, 0, 0x65, 0x58, 0, 0, 1, 0, 9, 9, 9, 9], &frame)));
    holds(LinkType::RAW, &wrap_udp(6081, &after(&[0, 0, 0x86, 0xdd, 0, 0, 1, 0], &inner6())));
    holds(LinkType::RAW, &wrap_udp(2152, &after(&[0x30, 255, 0, 40, 0, 0, 0, 1], &inner4())));
    holds(LinkType::RAW, &wrap_udp(2152, &after(&[0x32, 255, 0, 44, 0, 0, 0, 1, 0, 7, 0, 0], &inner4())));
    let extended = [0x34, 255, 0, 44, 0, 0, 0, 1, 0, 0, 0, 0x85, 1, 0x10, 1, 0];
    holds(LinkType::RAW, &wrap_udp(2152, &after(&extended, &inner6())));
}

#[test]
fn network_service_header() {
    let nsh = after(&[0, 2, 1, 1, 0, 0, 1, 255], &inner4());
    holds(LinkType::ETHERNET, &ethernet(ether_type::NSH, &[], &nsh));
}

#[test]
fn garbage_on_a_tunnel_port_is_udp() {
    for port in [4789, 2152, 6081] {
        for garbage in [&[0xffu8; 40][..], &[0x08; 3], &[]] {
            let frame = wrap_udp(port, garbage);
            assert_eq!(packet(LinkType::RAW, &frame).protocol, protocol::UDP);
        }
    }
    let other = wrap_udp(53, &after(&[8, 0, 0, 0, 0, 0, 42, 0], &ethernet(0x0800, &[], &inner4())));
    assert_eq!(packet(LinkType::RAW, &other).protocol, protocol::UDP);
}

#[test]
fn garbage_in_a_tunnel_that_vouches_for_it_is_malformed() {
    let frame = wrap4(protocol::IPV4, &[0x99; 40]);
    let Dissection::Malformed(why) = dissect(LinkType::RAW, &frame, 60) else { panic!("garbage") };
    assert_eq!((why.offset, why.reason), (20, "version is neither 4 nor 6"));
    let arp = wrap4(protocol::GRE, &after(&[0, 0, 8, 6], &[0; 28]));
    assert_eq!(packet(LinkType::RAW, &arp).protocol, protocol::GRE);
    let keepalive = wrap4(protocol::GRE, &[0; 4]);
    assert_eq!(packet(LinkType::RAW, &keepalive).protocol, protocol::GRE);
}

#[test]
fn depth_is_bounded() {
    let mut frame = inner4();
    for _ in 0..20 {
        frame = wrap4(protocol::IPV4, &frame);
    }
    assert_eq!(packet(LinkType::RAW, &frame).protocol, protocol::IPV4);
    let mut tags = ethernet(0x0800, &[ethernet::Tag::vlan(1); 20], &inner4());
    holds(LinkType::ETHERNET, &tags);
    tags.truncate(60);
    assert!(matches!(dissect(LinkType::ETHERNET, &tags, 134), Dissection::Malformed(_)));
}

#[test]
fn a_later_fragment_is_no_tunnel() {
    let mut frame = wrap4(protocol::IPV4, &inner4());
    frame[6..8].copy_from_slice(&[0, 3]);
    let ip = packet(LinkType::RAW, &frame);
    assert_eq!((ip.protocol, ip.is_later_fragment()), (protocol::IPV4, true));
    frame[6..8].copy_from_slice(&[0x20, 0]);
    assert_eq!(packet(LinkType::RAW, &frame).protocol, protocol::TCP);
}

#[test]
fn offloaded_packets_take_their_length_from_the_wire() {
    let mut frame = ethernet(0x0800, &[], &inner4());
    frame[16..18].fill(0);
    let Dissection::Ip(ip) = dissect(LinkType::ETHERNET, &frame, 9014) else { panic!("offload") };
    assert_eq!((ip.total_len, ip.payload_len), (9000, 8980));
    // Inside a tunnel, the packet around it bounds the length.
    let mut inner = inner4();
    inner[2..4].fill(0);
    let tunnel = after(&wrap4(protocol::IPV4, &inner), &[0; 30]);
    let ip = packet(LinkType::RAW, &tunnel);
    assert_eq!((ip.total_len, ip.payload), (40, PAYLOAD));
}

#[test]
fn layers_are_told_from_the_outside_in() {
    use subflow_wire::{Layer, dissect_layers};
    let vxlan = after(&[8, 0, 0, 0, 0, 0, 7, 0], &ethernet(ether_type::IPV4, &[], &inner4()));
    let frame = ethernet(ether_type::IPV4, &[ethernet::Tag::vlan(5)], &wrap_udp(4789, &vxlan));
    let mut told = Vec::new();
    let found =
        dissect_layers(LinkType::ETHERNET, &frame, frame.len() as u32, |layer, at| told.push((layer, at)));
    assert_eq!(found, dissect(LinkType::ETHERNET, &frame, frame.len() as u32));
    let Dissection::Ip(innermost) = found else { panic!("{found:?}") };
    let offsets: Vec<usize> = told.iter().map(|&(_, at)| at).collect();
    // Ethernet, VLAN tag, IPv4, then behind UDP and VXLAN: Ethernet, IPv4.
    assert_eq!(offsets, [0, 0, 14, 18, 54, 68]);
    assert_eq!(told[0].0, Layer::Link(LinkType::ETHERNET));
    assert_eq!(told[1].0, Layer::Ethernet);
    assert_eq!(told[2].0, Layer::EtherType(ether_type::VLAN));
    assert!(matches!(told[3].0, Layer::Ip(ip, 38) if ip.protocol == protocol::UDP));
    assert_eq!(told[5].0, Layer::Ip(innermost, 88));
}
