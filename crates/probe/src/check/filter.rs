//! What the ring of a check lets in: packets of TCP from or to some ports, from the IP header on.

use subflow_netio::Instruction;

/// Bytes kept of each packet: the longest headers fit.
pub(super) const KEPT: u32 = 160;

// Operations of classic BPF (linux/bpf_common.h).
const LOAD_HALF: u16 = 0x28;
const LOAD_BYTE: u16 = 0x30;
const LOAD_HALF_X: u16 = 0x48;
const LOAD_HEADER_LEN: u16 = 0xb1;
const AND: u16 = 0x54;
const IF_EQUAL: u16 = 0x15;
const IF_BITS: u16 = 0x45;
const JUMP: u16 = 0x05;
const RETURN: u16 = 0x06;

fn plain(code: u16, k: u32) -> Instruction {
    Instruction { code, jump_true: 0, jump_false: 0, k }
}

/// Keeps the packet when the value loaded equals `k`; goes on otherwise.
fn keep_if(k: u32) -> [Instruction; 2] {
    [Instruction { code: IF_EQUAL, jump_true: 0, jump_false: 1, k }, plain(RETURN, KEPT)]
}

/// Drops the packet unless the value loaded equals `k`.
fn only_if(k: u32) -> [Instruction; 2] {
    [Instruction { code: IF_EQUAL, jump_true: 1, jump_false: 0, k }, plain(RETURN, 0)]
}

/// The filter for cooked packets of TCP from or to these ports, of both families (IPv6 without extension headers).
pub(super) fn of_ports(ports: &[u16]) -> Vec<Instruction> {
    let mut four = vec![plain(LOAD_BYTE, 9)];
    four.extend(only_if(6));
    four.extend([
        plain(LOAD_HALF, 6),
        // No later fragments.
        Instruction { code: IF_BITS, jump_true: 0, jump_false: 1, k: 0x1fff },
        plain(RETURN, 0),
        plain(LOAD_HEADER_LEN, 0),
    ]);
    let mut six = vec![plain(LOAD_BYTE, 6)];
    six.extend(only_if(6));
    for (at, code, family) in [(0, LOAD_HALF_X, &mut four), (40, LOAD_HALF, &mut six)] {
        for port_at in [at, at + 2] {
            family.push(plain(code, port_at));
            family.extend(ports.iter().flat_map(|&port| keep_if(port.into())));
        }
        family.push(plain(RETURN, 0));
    }
    let mut program = vec![
        plain(LOAD_BYTE, 0),
        plain(AND, 0xf0),
        Instruction { code: IF_EQUAL, jump_true: 1, jump_false: 0, k: 0x40 },
        plain(JUMP, four.len() as u32),
    ];
    program.append(&mut four);
    program.push(plain(LOAD_BYTE, 0));
    program.push(plain(AND, 0xf0));
    program.extend(only_if(0x60));
    program.append(&mut six);
    program
}

#[cfg(test)]
mod tests {
    use subflow_wire::tcp::Flags;

    use super::*;
    use crate::check::seen::tests::packet;

    /// What the kernel does with such a program.
    fn run(program: &[Instruction], packet: &[u8]) -> u32 {
        let (mut a, mut x, mut at) = (0_u32, 0_usize, 0);
        let byte = |at: usize| packet.get(at).map(|&byte| u32::from(byte));
        let half = |at: usize| Some(byte(at)? << 8 | byte(at + 1)?);
        loop {
            let Instruction { code, jump_true, jump_false, k } = program[at];
            let place = k as usize;
            at += 1;
            let value = match code {
                LOAD_BYTE => byte(place),
                LOAD_HALF => half(place),
                LOAD_HALF_X => half(x + place),
                AND => Some(a & k),
                LOAD_HEADER_LEN => {
                    x = byte(place).map_or(0, |byte| (byte as usize & 15) * 4);
                    Some(a)
                }
                JUMP => {
                    at += place;
                    Some(a)
                }
                RETURN => return k,
                IF_EQUAL | IF_BITS => {
                    let yes = if code == IF_EQUAL { a == k } else { a & k != 0 };
                    at += usize::from(if yes { jump_true } else { jump_false });
                    Some(a)
                }
                _ => panic!("unknown operation {code:x}"),
            };
            // Beyond the end, the kernel drops.
            let Some(value) = value else { return 0 };
            a = value;
        }
    }

    #[test]
    fn packets_from_and_to_the_ports_are_kept() {
        let ports: Vec<u16> = (0..300).map(|n| 8000 + n).chain([443]).collect();
        let program = of_ports(&ports);
        assert!(program.len() <= subflow_netio::MAX_FILTER);
        let keep = |src: &str, dst: &str| run(&program, &packet(src, dst, Flags::SYN, 1, &[], b"")) == KEPT;
        assert!(keep("10.0.0.1:4000", "10.0.0.2:443") && keep("10.0.0.1:443", "10.0.0.2:4000"));
        assert!(keep("[fd00::1]:4000", "[fd00::2]:8000") && keep("[fd00::1]:8299", "[fd00::2]:4000"));
        assert!(!keep("10.0.0.1:4000", "10.0.0.2:80") && !keep("[fd00::1]:4000", "[fd00::2]:80"));
        let mut udp = packet("10.0.0.1:4000", "10.0.0.2:443", Flags::SYN, 1, &[], b"");
        udp[9] = 17;
        assert_eq!(run(&program, &udp), 0);
        let mut fragment = packet("10.0.0.1:4000", "10.0.0.2:443", Flags::SYN, 1, &[], b"");
        fragment[7] = 1;
        assert_eq!(run(&program, &fragment), 0);
        let mut udp = packet("[fd00::1]:4000", "[fd00::2]:443", Flags::SYN, 1, &[], b"");
        udp[6] = 17;
        assert_eq!(run(&program, &udp), 0);
        assert_eq!(run(&program, &[0x45]), 0);
        assert_eq!(run(&program, &[]), 0);
        assert_eq!(run(&program, &[0; 60]), 0);
    }
}
