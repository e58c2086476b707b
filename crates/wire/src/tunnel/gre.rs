//! GRE (RFC 2784, RFC 2890), its version 1 for PPTP (RFC 2637), and mirrored traffic in it (ERSPAN).

use crate::bytes::{be16, be32, u8_at};
use crate::dissect::{Next, Step};
use crate::link::ether_type;

const CHECKSUM: u16 = 0x8000;
const ROUTING: u16 = 0x4000;
const KEY: u16 = 0x2000;
const SEQUENCE: u16 = 0x1000;
const ACKNOWLEDGEMENT: u16 = 0x0080;
const VERSION: u16 = 0x0007;

const ERSPAN_1_OR_2: u16 = 0x88be;
const ERSPAN_3: u16 = 0x22eb;
const WCCP: u16 = 0x883e;

/// Reads the header at `at`.
pub(crate) fn enter(frame: &[u8], at: usize, wire_end: usize) -> Step {
    let (Some(flags), Some(carried)) = (be16(frame, at), be16(frame, at + 2)) else {
        return Step::cut("gre", at);
    };
    let has = |flag: u16| usize::from(flags & flag != 0);
    match flags & VERSION {
        0 if flags & ROUTING != 0 => Step::not_ip(at),
        0 => {
            let inside = at + 4 + 4 * (has(CHECKSUM) + has(KEY) + has(SEQUENCE));
            follow(frame, carried, flags, inside, wire_end)
        }
        1 => {
            let inside = at + 8 + 4 * (has(SEQUENCE) + has(ACKNOWLEDGEMENT));
            // Without a sequence number there is no payload, only an acknowledgement.
            if flags & SEQUENCE == 0 {
                return Step::not_ip(at);
            }
            Step::new(Next::Ppp, inside, wire_end)
        }
        _ => Step::bad("gre", at, "unknown version"),
    }
}

fn follow(frame: &[u8], carried: u16, flags: u16, at: usize, wire_end: usize) -> Step {
    match carried {
        // Type II has a header of its own and always a sequence number; type I has neither.
        ERSPAN_1_OR_2 => Step::new(Next::Ethernet, at + if flags & SEQUENCE != 0 { 8 } else { 0 }, wire_end),
        ERSPAN_3 => {
            let Some(last) = be32(frame, at + 8) else { return Step::cut("erspan", at) };
            let subheader = if last & 1 != 0 { 8 } else { 0 };
            Step::new(Next::Ethernet, at + 12 + subheader, wire_end)
        }
        // A redirect header stands before the packet in version 2.
        WCCP => match u8_at(frame, at).map(|b| b >> 4) {
            Some(4) => Step::new(Next::Ip, at, wire_end),
            Some(_) => Step::new(Next::Ip, at + 4, wire_end),
            None => Step::cut("gre", at),
        },
        // A keepalive has 0; there are no lengths here as in Ethernet.
        number if number < ether_type::MIN_ETHER_TYPE => Step::not_ip(at),
        number => Step::new(Next::EtherType(number), at, wire_end),
    }
}
