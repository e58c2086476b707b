//! No bytes whatever make the dissector panic, read beyond the frame, or contradict itself.

use proptest::prelude::*;
use subflow_wire::icmp::{Family, Message};
use subflow_wire::ip::protocol;
use subflow_wire::tcp::{Tcp, TcpOption};
use subflow_wire::{Dissection, LinkType, dissect, udp};

fn check(link: LinkType, frame: &[u8], wire_len: u32) {
    match dissect(link, frame, wire_len) {
        Dissection::Ip(ip) => {
            assert!(ip.header.len() >= 20);
            assert!(ip.header.len() + ip.payload.len() <= frame.len());
            assert!(ip.payload.len() <= ip.payload_len as usize);
            assert!(ip.payload_len < ip.total_len);
            assert_eq!(ip.total_len - ip.payload_len, ip.header.len() as u32);
            if let Ok(tcp) = Tcp::parse(ip.payload) {
                for option in tcp.options() {
                    if let TcpOption::Sack(blocks) = option {
                        assert!(blocks.count() <= 5);
                    }
                }
            }
            for (number, family) in [(protocol::ICMP, Family::V4), (protocol::ICMPV6, Family::V6)] {
                if ip.protocol == number
                    && let Some(message) = Message::parse(family, ip.payload)
                {
                    let _ = (message.quote(), message.extensions().map(|e| e.objects().count()));
                }
            }
            let _ = udp::Udp::parse(ip.payload);
        }
        Dissection::Malformed(why) => assert!(!why.reason.is_empty() && !why.to_string().is_empty()),
        Dissection::UnknownLink(unknown) => assert_eq!(unknown.name(), None),
        Dissection::NotIp => {}
    }
}

/// Headers that lead somewhere, in random order, so that deep layers are reached.
fn layers() -> impl Strategy<Value = Vec<u8>> {
    let layer = prop_oneof![
        Just(vec![2, 2, 2, 2, 2, 2, 4, 4, 4, 4, 4, 4, 8, 0]),
        Just(vec![2, 2, 2, 2, 2, 2, 4, 4, 4, 4, 4, 4, 0x81, 0, 0, 1, 0x86, 0xdd]),
        Just(vec![2, 2, 2, 2, 2, 2, 4, 4, 4, 4, 4, 4, 0x88, 0x47]),
        Just(vec![2, 2, 2, 2, 2, 2, 4, 4, 4, 4, 4, 4, 0x88, 0x64]),
        Just(vec![0x11, 0, 0, 1, 0, 60, 0, 0x21]),
        Just(vec![0, 0, 0x11, 64]),
        Just(vec![0xaa, 0xaa, 3, 0, 0, 0, 8, 0]),
        (
            prop_oneof![Just(4u8), Just(6), Just(17), Just(41), Just(47), Just(51), Just(97), Just(1)],
            any::<u16>(),
            5u8..7
        )
            .prop_map(|(number, len, words)| {
                let len = len.to_be_bytes();
                let mut header = vec![0x40 | words, 0, len[0] & 3, len[1], 0, 0, 0, 0, 64, number];
                header.resize(usize::from(words) * 4, 1);
                header
            }),
        (
            prop_oneof![
                Just(0u8),
                Just(4),
                Just(6),
                Just(17),
                Just(43),
                Just(44),
                Just(51),
                Just(58),
                Just(60)
            ],
            any::<u16>()
        )
            .prop_map(|(number, len)| {
                let len = len.to_be_bytes();
                let mut header = vec![0x60, 0, 0, 0, len[0] & 3, len[1], number, 64];
                header.resize(40, 1);
                header
            }),
        (prop_oneof![Just(0u8), Just(6), Just(44), Just(60), Just(17)], 0u8..3)
            .prop_map(|(next, len)| vec![next, len, 0xc2, 4, 0, 1, 0, 0]),
        prop_oneof![Just(4789u16), Just(2152), Just(6081)].prop_map(|port| {
            let port = port.to_be_bytes();
            vec![0x99, 0x99, port[0], port[1], 0, 60, 0, 0, 8, 0, 0x65, 0x58, 0, 0, 1, 0]
        }),
        Just(vec![0x20, 0, 0x65, 0x58, 0, 0, 0, 1]),
        proptest::collection::vec(any::<u8>(), 0..12),
    ];
    proptest::collection::vec(layer, 0..10).prop_map(|layers| layers.concat())
}

proptest! {
    #[test]
    fn random_bytes_at_every_link_type(frame in proptest::collection::vec(any::<u8>(), 0..200), wire_len in any::<u32>()) {
        for number in 0..320 {
            check(LinkType(number), &frame, wire_len);
        }
    }

    #[test]
    fn likely_headers_at_every_link_type(frame in layers(), wire_len in 0u32..4000, cut in 0usize..400) {
        for number in 0..320 {
            check(LinkType(number), &frame, wire_len);
            check(LinkType(number), &frame[..cut.min(frame.len())], wire_len);
        }
    }
}
