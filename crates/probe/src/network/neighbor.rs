//! Asking a neighbour for its hardware address: ARP (RFC 826) and neighbour discovery (RFC 4861, section 4.3).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::{Duration, Instant};

use subflow_netio::{Config, Ring, Sender, wait};
use subflow_wire::icmp::{Family, Message, emit_message};
use subflow_wire::ip::{protocol, v6};
use subflow_wire::{Dissection, LinkType, dissect};

use crate::Error;

const ARP: [u8; 2] = [0x08, 0x06];
/// Ethernet and IPv4, and the lengths of their addresses.
const ARP_HEAD: [u8; 6] = [0, 1, 8, 0, 6, 4];
const SOLICITATION: u8 = 135;
const ADVERTISEMENT: u8 = 136;
const SOURCE_LINK: u8 = 1;
const TARGET_LINK: u8 = 2;

/// How often is asked, and how long each answer is waited for.
const ATTEMPTS: u32 = 3;
const PATIENCE: Duration = Duration::from_millis(700);

/// The frame that asks for a neighbour's hardware address.
pub(super) fn question(mac: [u8; 6], src: IpAddr, neighbor: IpAddr) -> Option<Vec<u8>> {
    match (src, neighbor) {
        (IpAddr::V4(src), IpAddr::V4(neighbor)) => {
            let mut frame = [[0xff; 6], mac].concat();
            frame.extend(ARP);
            frame.extend(ARP_HEAD);
            frame.extend([0, 1]);
            frame.extend(mac);
            frame.extend(src.octets());
            frame.extend([0; 6]);
            frame.extend(neighbor.octets());
            frame.resize(60, 0);
            Some(frame)
        }
        (IpAddr::V6(src), IpAddr::V6(neighbor)) => {
            let low = neighbor.octets();
            let group = Ipv6Addr::new(
                0xff02,
                0,
                0,
                0,
                0,
                1,
                0xff00 | u16::from(low[13]),
                u16::from_be_bytes([low[14], low[15]]),
            );
            let mut body = neighbor.octets().to_vec();
            body.extend([SOURCE_LINK, 1]);
            body.extend(mac);
            let mut message = [0; 32];
            let len = emit_message(src.into(), group.into(), (SOLICITATION, 0), [0; 4], &body, &mut message)
                .ok()?;
            let header = v6::Header { hop_limit: 255, ..v6::Header::new(src, group, protocol::ICMPV6) };
            let mut packet = [0; 40];
            header.emit(len, &mut packet).ok()?;
            let mut frame = vec![0x33, 0x33, 0xff, low[13], low[14], low[15]];
            frame.extend(mac);
            frame.extend([0x86, 0xdd]);
            frame.extend(packet);
            frame.extend(&message[..len]);
            Some(frame)
        }
        _ => None,
    }
}

/// The hardware address that a frame says a neighbour has.
pub(super) fn answer(frame: &[u8], neighbor: IpAddr) -> Option<[u8; 6]> {
    match neighbor {
        IpAddr::V4(neighbor) => {
            let reply =
                frame.get(12..14)? == ARP && frame.get(14..20)? == ARP_HEAD && frame.get(20..22)? == [0, 2];
            let from = Ipv4Addr::from(*frame.get(28..)?.first_chunk::<4>()?);
            (reply && from == neighbor).then_some(*frame.get(22..)?.first_chunk::<6>()?)
        }
        IpAddr::V6(neighbor) => {
            let Dissection::Ip(ip) = dissect(LinkType::ETHERNET, frame, frame.len() as u32) else {
                return None;
            };
            let message =
                Message::parse(Family::V6, ip.payload).filter(|_| ip.protocol == protocol::ICMPV6)?;
            if message.ty != ADVERTISEMENT || ip.hop_limit != 255 {
                return None;
            }
            let (of, mut options) = message.body.split_first_chunk::<16>()?;
            if Ipv6Addr::from(*of) != neighbor {
                return None;
            }
            while let [kind, units, ..] = *options {
                if kind == TARGET_LINK {
                    return options.get(2..)?.first_chunk::<6>().copied();
                }
                options = options.get(8 * usize::from(units.max(1))..).unwrap_or_default();
            }
            // Who answers a question to a single host may leave its address out.
            frame.get(6..)?.first_chunk::<6>().copied()
        }
    }
}

/// Asks on an interface until there is an answer.
pub(crate) fn resolve(
    interface: &str,
    mac: [u8; 6],
    src: IpAddr,
    neighbor: IpAddr,
) -> Result<[u8; 6], Error> {
    let none = || Error::NoGateway { gateway: neighbor, interface: interface.to_owned() };
    let config =
        Config { interface: interface.to_owned(), snap_len: 128, ring_bytes: 4 << 20, promiscuous: false };
    let mut rings = [Ring::open(&config)?];
    let mut sender = Sender::open(interface, false)?;
    let question = question(mac, src, neighbor).ok_or_else(none)?;
    for _ in 0..ATTEMPTS {
        sender.send(&[&question])?;
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            wait(&rings, Duration::from_millis(20))?;
            for ring in &mut rings {
                while let Some(block) = ring.next_block() {
                    if let Some(found) = block.frames().find_map(|frame| answer(frame.data, neighbor)) {
                        return Ok(found);
                    }
                }
            }
        }
    }
    Err(none())
}

#[cfg(test)]
mod tests {
    use super::*;

    const US: [u8; 6] = [2, 0, 0, 0, 0, 1];
    const THEM: [u8; 6] = [2, 0, 0, 0, 0, 9];

    #[test]
    fn arp() {
        let (src, neighbor) = ("192.0.2.1".parse().unwrap(), "192.0.2.9".parse().unwrap());
        let mut frame = question(US, src, neighbor).unwrap();
        assert_eq!(
            frame[..22],
            [255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0, 1, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1]
        );
        assert_eq!(frame[22..42], [2, 0, 0, 0, 0, 1, 192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 192, 0, 2, 9]);
        assert_eq!(answer(&frame, neighbor), None);
        frame[21] = 2;
        frame[22..28].copy_from_slice(&THEM);
        frame[28..32].copy_from_slice(&[192, 0, 2, 9]);
        assert_eq!(answer(&frame, neighbor), Some(THEM));
        assert_eq!(answer(&frame, src), None);
        assert_eq!(answer(&frame[..30], neighbor), None);
    }

    #[test]
    fn neighbour_discovery() {
        let (src, neighbor): (Ipv6Addr, Ipv6Addr) =
            ("fe80::1".parse().unwrap(), "2001:db8::12:3456".parse().unwrap());
        let frame = question(US, src.into(), neighbor.into()).unwrap();
        assert_eq!(frame[..6], [0x33, 0x33, 0xff, 0x12, 0x34, 0x56]);
        let Dissection::Ip(ip) = dissect(LinkType::ETHERNET, &frame, frame.len() as u32) else {
            panic!("no IP")
        };
        assert_eq!((ip.dst.to_string().as_str(), ip.hop_limit), ("ff02::1:ff12:3456", 255));
        assert_eq!(subflow_wire::checksum::transport(ip.src, ip.dst, protocol::ICMPV6, ip.payload), 0);
        assert_eq!(answer(&frame, neighbor.into()), None);
        let mut reply = frame.clone();
        reply[54] = ADVERTISEMENT;
        reply[78] = TARGET_LINK;
        reply[80..86].copy_from_slice(&THEM);
        assert_eq!(answer(&reply, neighbor.into()), Some(THEM));
        // Without the option, the frame's own source.
        assert_eq!(answer(&reply[..78], neighbor.into()), Some(US));
    }
}
