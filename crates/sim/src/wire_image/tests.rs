use super::*;
use proptest::prelude::*;
use std::net::SocketAddr;
use subflow_wire::checksum::{dss_checksum, ones_complement, transport};
use subflow_wire::mptcp::{Capable, Dsn, Dss, Mapping};
use subflow_wire::tcp::{Flags, Tcp, TcpOption};
use subflow_wire::{Dissection, Key, dissect};

fn segment(v6: bool) -> Header {
    let ends: [SocketAddr; 2] = if v6 {
        ["[2001:db8::1]:40000", "[2001:db8:1::2]:443"].map(|end| end.parse().unwrap())
    } else {
        ["10.0.1.1:40000", "10.0.2.2:443"].map(|end| end.parse().unwrap())
    };
    Header::new(ends[0], ends[1], 1000, 2000, Flags::ACK | Flags::PSH, 500)
}

#[test]
fn every_byte_of_a_small_ipv4_frame() {
    let mut header = segment(false);
    header.identification = 7;
    header.options = OptionBytes::segment(Some((1, 2)));
    let mut image = Image::new(Framing::Ethernet, 0);
    let (frame, wire_len) = image.frame(&header);
    let expected = [
        2, 0, 10, 0, 2, 2, 2, 0, 10, 0, 1, 1, 8, 0, // Ethernet
        0x45, 0, 0, 52, 0, 7, 0x40, 0, 64, 6, 0x23, 0xbb, 10, 0, 1, 1, 10, 0, 2, 2, // IPv4
        0x9c, 0x40, 1, 187, 0, 0, 3, 232, 0, 0, 7, 208, 0x80, 0x18, 1, 244, 0x01, 0x1b, 0, 0, // TCP
        1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2,
    ];
    assert_eq!(frame[..34], expected[..34]);
    assert_eq!(frame[50..52], ones_complement_of(&expected).to_be_bytes());
    assert_eq!((&frame[34..50], &frame[52..]), (&expected[34..50], &expected[52..]));
    assert_eq!(wire_len, 66);
}

/// The TCP checksum by the definition: over pseudo header and segment, the field itself as zero.
fn ones_complement_of(frame: &[u8]) -> u16 {
    let mut sum = Sum::new();
    sum.add(&frame[26..34]);
    sum.add_u16(6);
    sum.add_u16(frame.len() as u16 - 34);
    sum.add(&frame[34..50]);
    sum.add(&frame[52..]);
    sum.checksum()
}

#[test]
fn a_snap_length_cuts_bytes_but_no_length_and_no_checksum() {
    let mut header = segment(false);
    header.payload = Payload { stream: 1, dsn: 77, len: 1400, ..Payload::default() };
    let mut whole = Image::new(Framing::Raw, 0);
    let (full, full_len) = whole.frame(&header);
    assert_eq!((full.len(), full_len), (1440, 1440));
    for snap in [1, 20, 39, 40, 41, 96, 1439, 1440, 9000] {
        let mut cut = Image::new(Framing::Raw, snap);
        let (frame, wire_len) = cut.frame(&header);
        assert_eq!(frame, &full[..full.len().min(snap as usize)]);
        assert_eq!(wire_len, 1440);
    }
}

#[test]
fn a_dss_checksum_is_of_the_bytes_that_were_sent() {
    let mut header = segment(true);
    header.payload = Payload { stream: 4, dsn: 0x1_0000_0005, len: 3, ..Payload::default() };
    let mapping = Mapping { dsn: Dsn::Short(5), subflow_seq: 9, len: 4, checksum: Some(0) };
    let dss = Dss { data_ack: None, mapping: Some(mapping), data_fin: true, reserved: 0 };
    header.options.mptcp(&Mptcp::Dss(dss)).unwrap();
    let mut data = [0; 3];
    payload::fill(4, 0x1_0000_0005, &mut data);
    let right = dss_checksum(0x1_0000_0005, 9, 4, &data);
    for changed in [0, 2] {
        header.payload.changed = changed;
        let mut image = Image::new(Framing::Raw, 0);
        let (frame, _) = image.frame(&header);
        let Dissection::Ip(ip) = dissect(LinkType::RAW, frame, frame.len() as u32) else { panic!() };
        let tcp = Tcp::parse(ip.payload).unwrap();
        let Some(Mptcp::Dss(seen)) = tcp.options().first_mptcp() else { panic!() };
        assert_eq!(seen.mapping.unwrap().checksum, Some(right));
        assert_eq!(transport(ip.src, ip.dst, protocol::TCP, ip.payload), 0, "changed {changed}");
        let carried = dss_checksum(0x1_0000_0005, 9, 4, tcp.payload());
        assert_eq!(carried == right, changed == 0);
    }
}

#[test]
fn the_checksum_of_the_first_data_counts_from_the_key() {
    let key = Key(0xb49d_03c2_011d_7aba);
    let mut header = segment(false);
    header.payload = Payload { stream: 0, dsn: key.idsn(Version::V1) + 1, len: 10, ..Payload::default() };
    let capable = Capable {
        version: 1,
        flags: 0x81,
        sender_key: Some(key),
        receiver_key: Some(Key(1)),
        data_len: Some(10),
        checksum: Some(0),
    };
    header.options.mptcp(&Mptcp::Capable(capable)).unwrap();
    let mut image = Image::new(Framing::Raw, 0);
    let (frame, _) = image.frame(&header);
    let tcp = Tcp::parse(&frame[20..]).unwrap();
    let Some(Mptcp::Capable(seen)) = tcp.options().first_mptcp() else { panic!() };
    let right = dss_checksum(0xf63b_f958_2b0c_154c, 1, 10, tcp.payload());
    assert_eq!(seen, Capable { checksum: Some(right), ..capable });
}

#[test]
fn an_infinite_mapping_keeps_its_zero() {
    let mut header = segment(false);
    let mapping = Mapping { dsn: Dsn::Long(5), subflow_seq: 9, len: 0, checksum: Some(0) };
    let dss = Dss { data_ack: None, mapping: Some(mapping), data_fin: false, reserved: 0 };
    header.options.mptcp(&Mptcp::Dss(dss)).unwrap();
    let mut image = Image::new(Framing::Raw, 0);
    let (frame, _) = image.frame(&header);
    assert_eq!(&frame[40..], header.options.as_bytes());
}

prop_compose! {
    fn any_header()(
        v6: bool, ports: (u16, u16), numbers: (u32, u32), flags in 0u16..0x200, window: u16,
        ttl in 1u8..=255, traffic_class: u8, identification: u16, stream in 0u32..100, dsn: u64, len in 0u16..1460,
        stamps: Option<(u32, u32)>, blocks in proptest::collection::vec(any::<(u32, u32)>(), 0..4),
        dss in proptest::option::of((any::<u64>(), any::<u32>(), any::<u16>(), any::<bool>())),
    ) -> Header {
        let mut header = segment(v6);
        (header.src_port, header.dst_port) = ports;
        (header.seq, header.ack) = numbers;
        header.flags = Flags(flags);
        header.window = window;
        header.hop_limit = ttl;
        header.traffic_class = traffic_class;
        header.identification = identification;
        header.payload = Payload { stream, dsn, len, ..Payload::default() };
        header.options = OptionBytes::segment(stamps);
        header.options.sack(&blocks, if dss.is_some() { 20 } else { 0 });
        if let Some((data_ack, subflow_seq, len, data_fin)) = dss {
            let mapping = Mapping { dsn: Dsn::Short(dsn as u32), subflow_seq, len, checksum: None };
            let ack = Dsn::Short(data_ack as u32);
            let dss = Dss { data_ack: Some(ack), mapping: Some(mapping), data_fin, reserved: 0 };
            header.options.mptcp(&Mptcp::Dss(dss)).unwrap();
        }
        header
    }
}

proptest! {
    /// What the rest of subflow reads in a frame is the header record.
    #[test]
    fn a_frame_reads_as_its_header(header in any_header(), raw: bool) {
        let framing = if raw { Framing::Raw } else { Framing::Ethernet };
        let mut image = Image::new(framing, 0);
        let (frame, wire_len) = image.frame(&header);
        prop_assert_eq!(frame.len(), wire_len as usize);
        let Dissection::Ip(ip) = dissect(framing.link_type(), frame, wire_len) else { panic!("not IP") };
        prop_assert_eq!((ip.src, ip.dst), (header.src, header.dst));
        prop_assert_eq!((ip.hop_limit, ip.traffic_class), (header.hop_limit, header.traffic_class));
        if ip.src.is_ipv4() {
            prop_assert_eq!(ip.identification, u32::from(header.identification));
            prop_assert_eq!(ones_complement(ip.header), 0);
        }
        prop_assert_eq!(ip.total_len, header.wire_len());
        prop_assert_eq!(transport(ip.src, ip.dst, protocol::TCP, ip.payload), 0);
        let tcp = Tcp::parse(ip.payload).unwrap();
        prop_assert_eq!((tcp.src_port(), tcp.dst_port()), (header.src_port, header.dst_port));
        prop_assert_eq!((tcp.seq(), tcp.ack(), tcp.window()), (header.seq, header.ack, header.window));
        prop_assert_eq!(tcp.flags(), header.flags);
        prop_assert_eq!(tcp.option_bytes(), header.options.as_bytes());
        let damaged = tcp.options().any(|option| matches!(option, TcpOption::Malformed { .. }));
        prop_assert!(!damaged);
        let mut data = vec![0; usize::from(header.payload.len)];
        payload::fill(header.payload.stream, header.payload.dsn, &mut data);
        prop_assert_eq!(tcp.payload(), &data[..]);
    }
}
