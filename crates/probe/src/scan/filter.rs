//! What the ring lets in: what may answer a probe, told by address, protocol and port. The rest of a busy host's traffic costs nothing.

use std::net::{Ipv4Addr, Ipv6Addr};

use subflow_netio::Instruction;

use crate::network::program::{
    IF_ABOVE, IF_AT_LEAST, IF_BITS, IF_EQUAL, LOAD_BYTE, LOAD_BYTE_X, LOAD_HALF, LOAD_HALF_X,
    LOAD_HEADER_LEN, LOAD_WORD, Program, To,
};

/// Bytes kept of each packet: the longest quote of a SYN fits.
const KEPT: u32 = 256;

/// The filter for Ethernet frames to these addresses and ports.
pub(super) fn answers(v4: Option<Ipv4Addr>, v6: Option<Ipv6Addr>, ports: (u16, u16)) -> Vec<Instruction> {
    let (first, last) = (u32::from(ports.0), u32::from(ports.1));
    let mut four = Program::default();
    if let Some(addr) = v4 {
        four.load(LOAD_WORD, 30).test(IF_EQUAL, addr.into(), To::Next, To::Drop);
        four.load(LOAD_HALF, 20).test(IF_BITS, 0x1fff, To::Drop, To::Next);
        four.load(LOAD_HEADER_LEN, 14).load(LOAD_BYTE, 23);
        four.test(IF_EQUAL, 6, To::Next, To::On(3));
        four.load(LOAD_HALF_X, 16).test(IF_AT_LEAST, first, To::Next, To::Drop);
        four.test(IF_ABOVE, last, To::Drop, To::Keep);
        four.test(IF_EQUAL, 1, To::Next, To::Drop);
        // Unreachable, time exceeded, parameter problem.
        four.load(LOAD_BYTE_X, 14).test(IF_EQUAL, 3, To::Keep, To::Next);
        four.test(IF_EQUAL, 11, To::Keep, To::Next).test(IF_EQUAL, 12, To::Keep, To::Drop);
    }
    let mut program = Program::default();
    program.load(LOAD_HALF, 12);
    if v4.is_some() {
        program.test(IF_EQUAL, 0x0800, To::Next, To::On(four.len()));
        program.append(four);
    }
    program.test(IF_EQUAL, 0x86dd, To::Next, To::Drop);
    if let Some(addr) = v6 {
        let words = u128::from(addr);
        for word in 0..4 {
            let value = (words >> (96 - 32 * word)) as u32;
            program.load(LOAD_WORD, 38 + 4 * word).test(IF_EQUAL, value, To::Next, To::Drop);
        }
        program.load(LOAD_BYTE, 20).test(IF_EQUAL, 6, To::Next, To::On(3));
        program.load(LOAD_HALF, 56).test(IF_AT_LEAST, first, To::Next, To::Drop);
        program.test(IF_ABOVE, last, To::Drop, To::Keep);
        program.test(IF_EQUAL, 58, To::Next, To::Drop);
        // Error messages.
        program.load(LOAD_BYTE, 54).test(IF_AT_LEAST, 128, To::Drop, To::Keep);
    } else {
        program.test(IF_EQUAL, 0, To::Drop, To::Drop);
    }
    program.finish(KEPT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::program::kept;

    fn v4_frame(dst: [u8; 4], protocol: u8, rest: &[u8]) -> Vec<u8> {
        let mut frame = vec![0; 34];
        frame[12..14].copy_from_slice(&[8, 0]);
        frame[14] = 0x46;
        frame[23] = protocol;
        frame[30..34].copy_from_slice(&dst);
        // One word of IP options.
        frame.extend([1, 1, 1, 1]);
        frame.extend(rest);
        frame.resize(frame.len() + 20, 0);
        frame
    }

    fn v6_frame(dst: Ipv6Addr, protocol: u8, rest: &[u8]) -> Vec<u8> {
        let mut frame = vec![0; 54];
        frame[12..14].copy_from_slice(&[0x86, 0xdd]);
        frame[20] = protocol;
        frame[38..54].copy_from_slice(&dst.octets());
        frame.extend(rest);
        frame.resize(frame.len() + 20, 0);
        frame
    }

    #[test]
    fn what_may_be_an_answer_is_kept_and_nothing_else() {
        let (four, six): (Ipv4Addr, Ipv6Addr) =
            ("192.0.2.1".parse().unwrap(), "2001:db8::1".parse().unwrap());
        let port = |port: u16| [vec![0, 80], port.to_be_bytes().to_vec()].concat();
        for (v4, v6) in [(Some(four), Some(six)), (Some(four), None), (None, Some(six))] {
            let program = answers(v4, v6, (61_000, 61_999));
            let keep = |frame: &[u8]| kept(&program, frame) == KEPT;
            let (with4, with6) = (v4.is_some(), v6.is_some());
            for (number, inside) in [(60_999, false), (61_000, true), (61_999, true), (62_000, false)] {
                assert_eq!(keep(&v4_frame([192, 0, 2, 1], 6, &port(number))), inside && with4, "{number}");
                assert_eq!(keep(&v6_frame(six, 6, &port(number))), inside && with6, "{number}");
            }
            assert!(!keep(&v4_frame([192, 0, 2, 2], 6, &port(61_000))));
            assert!(!keep(&v6_frame("2001:db8::2".parse().unwrap(), 6, &port(61_000))));
            for (ty, error) in [(0, false), (3, true), (8, false), (11, true), (12, true)] {
                assert_eq!(keep(&v4_frame([192, 0, 2, 1], 1, &[ty])), error && with4, "{ty}");
            }
            for (ty, error) in [(1, true), (3, true), (127, true), (128, false), (135, false)] {
                assert_eq!(keep(&v6_frame(six, 58, &[ty])), error && with6, "{ty}");
            }
            assert!(!keep(&v4_frame([192, 0, 2, 1], 17, &port(61_000))));
            assert!(!keep(&v6_frame(six, 17, &port(61_000))));
            let mut fragment = v4_frame([192, 0, 2, 1], 6, &port(61_000));
            fragment[21] = 1;
            assert!(!keep(&fragment));
            let mut arp = v4_frame([192, 0, 2, 1], 6, &port(61_000));
            arp[12..14].copy_from_slice(&[8, 6]);
            assert!(!keep(&arp) && !keep(&arp[..20]));
        }
    }
}
