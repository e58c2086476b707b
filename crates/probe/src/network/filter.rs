//! What rings let in: TCP to our ports, ICMP errors, echo replies to our identifiers, and what neighbours say of their addresses.

use subflow_netio::Instruction;

use super::program::{
    IF_ABOVE, IF_AT_LEAST, IF_BITS, IF_EQUAL, LOAD_BYTE, LOAD_BYTE_X, LOAD_HALF, LOAD_HALF_X,
    LOAD_HEADER_LEN, Program, To,
};

/// Bytes kept of each packet: all.
const KEPT: u32 = 0xffff;

/// "In the range of our ports, or not": two comparisons.
fn ours(program: &mut Program, (first, last): (u16, u16)) {
    program.test(IF_AT_LEAST, first.into(), To::Next, To::Drop);
    program.test(IF_ABOVE, last.into(), To::Drop, To::Keep);
}

/// The filter for packets whose IP header begins after `link` bytes, 14 (Ethernet) or 0 (no link header).
pub(super) fn answers(link: u32, ports: (u16, u16)) -> Vec<Instruction> {
    let mut four = Program::default();
    four.load(LOAD_HALF, link + 6).test(IF_BITS, 0x1fff, To::Drop, To::Next);
    four.load(LOAD_HEADER_LEN, link).load(LOAD_BYTE, link + 9);
    four.test(IF_EQUAL, 6, To::Next, To::On(3));
    four.load(LOAD_HALF_X, link + 2);
    ours(&mut four, ports);
    four.test(IF_EQUAL, 1, To::Next, To::Drop).load(LOAD_BYTE_X, link);
    // Unreachable, time exceeded, parameter problem, and the reply to an echo.
    for error in [3, 11, 12] {
        four.test(IF_EQUAL, error, To::Keep, To::Next);
    }
    four.test(IF_EQUAL, 0, To::Next, To::Drop).load(LOAD_HALF_X, link + 4);
    ours(&mut four, ports);

    let mut six = Program::default();
    six.load(LOAD_BYTE, link + 6).test(IF_EQUAL, 6, To::Next, To::On(3));
    six.load(LOAD_HALF, link + 42);
    ours(&mut six, ports);
    six.test(IF_EQUAL, 58, To::Next, To::Drop).load(LOAD_BYTE, link + 40);
    // Errors, what neighbours say, and the reply to an echo.
    six.test(IF_AT_LEAST, 128, To::Next, To::Keep).test(IF_EQUAL, 136, To::Keep, To::Next);
    six.test(IF_EQUAL, 129, To::Next, To::Drop).load(LOAD_HALF, link + 44);
    ours(&mut six, ports);

    let mut program = Program::default();
    if link == 0 {
        program.load(LOAD_BYTE, 0).test(IF_AT_LEAST, 0x60, To::On(four.len()), To::Next).append(four);
        return program.append(six).finish(KEPT);
    }
    program.load(LOAD_HALF, 12);
    // ARP replies.
    program.test(IF_EQUAL, 0x0806, To::Next, To::On(2)).load(LOAD_HALF, 20).test(
        IF_EQUAL,
        2,
        To::Keep,
        To::Drop,
    );
    program.test(IF_EQUAL, 0x0800, To::Next, To::On(four.len())).append(four);
    program.test(IF_EQUAL, 0x86dd, To::Next, To::Drop).append(six).finish(KEPT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::program::kept;

    fn v4(protocol: u8, rest: &[u8]) -> Vec<u8> {
        let mut packet = vec![0; 20];
        packet[0] = 0x46;
        packet[9] = protocol;
        // One word of IP options.
        packet.extend([1, 1, 1, 1]);
        packet.extend(rest);
        packet.resize(packet.len() + 20, 0);
        packet
    }

    fn v6(protocol: u8, rest: &[u8]) -> Vec<u8> {
        let mut packet = vec![0; 40];
        packet[0] = 0x6f;
        packet[6] = protocol;
        packet.extend(rest);
        packet.resize(packet.len() + 20, 0);
        packet
    }

    #[test]
    fn what_may_be_ours_is_kept_and_nothing_else() {
        for link in [14, 0] {
            let program = answers(link, (61_000, 61_063));
            let keep = |packet: &[u8]| {
                let kind: [u8; 2] = if packet[0] >> 4 == 6 { [0x86, 0xdd] } else { [8, 0] };
                let header = [vec![0; 12], kind.to_vec()].concat();
                let frame = if link == 0 { packet.to_vec() } else { [header, packet.to_vec()].concat() };
                kept(&program, &frame) == KEPT
            };
            for (port, inside) in [(60_999_u16, false), (61_000, true), (61_063, true), (61_064, false)] {
                let [a, b] = port.to_be_bytes();
                assert_eq!(keep(&v4(6, &[0, 80, a, b])), inside, "{link} {port}");
                assert_eq!(keep(&v6(6, &[0, 80, a, b])), inside, "{link} {port}");
                assert_eq!(keep(&v4(1, &[0, 0, 0, 0, a, b])), inside, "{link} {port}");
                assert_eq!(keep(&v6(58, &[129, 0, 0, 0, a, b])), inside, "{link} {port}");
                assert!(!keep(&v4(17, &[0, 80, a, b])) && !keep(&v6(17, &[0, 80, a, b])));
                assert!(!keep(&v4(1, &[8, 0, 0, 0, a, b])) && !keep(&v6(58, &[128, 0, 0, 0, a, b])));
            }
            for error in [3, 11, 12] {
                assert!(keep(&v4(1, &[error])));
            }
            for kind in [1, 3, 127, 136] {
                assert!(keep(&v6(58, &[kind])));
            }
            assert!(!keep(&v4(1, &[5])) && !keep(&v6(58, &[135])));
            let mut fragment = v4(6, &[0, 80, 0xee, 0x48]);
            assert!(keep(&fragment));
            fragment[7] = 1;
            assert!(!keep(&fragment));
        }
        let mut arp = vec![0; 60];
        arp[12..14].copy_from_slice(&[8, 6]);
        let program = answers(14, (61_000, 61_063));
        for (operation, reply) in [(1, false), (2, true)] {
            arp[21] = operation;
            assert_eq!(kept(&program, &arp) == KEPT, reply);
        }
    }
}
