//! BSD loopback: a four-byte address family before the packet, in whatever byte order the host had.

use crate::Full;
use crate::bytes::{array_at, room};
use crate::dissect::{Next, Step};

/// Bytes of the header.
pub const HEADER_LEN: usize = 4;

/// Address family of IPv4, the same on every system.
pub const AF_INET: u32 = 2;

/// Address families that stand for IPv6: Linux, Windows, NetBSD and OpenBSD, Solaris, FreeBSD, macOS.
pub const AF_INET6: [u32; 6] = [10, 23, 24, 26, 28, 30];

/// Reads the header at `at`. Both byte orders are accepted, whoever captured: families are small numbers.
pub(crate) fn enter(frame: &[u8], at: usize, wire_end: usize) -> Step {
    let Some(bytes) = array_at::<4>(frame, at) else { return Step::cut("null", at) };
    let family = u32::from_le_bytes(bytes).min(u32::from_be_bytes(bytes));
    if family == AF_INET || AF_INET6.contains(&family) {
        Step::new(Next::Ip, at + HEADER_LEN, wire_end)
    } else {
        Step::not_ip(at)
    }
}

/// Writes the header in little-endian byte order (type NULL) or network byte order (type LOOP).
pub fn emit(family: u32, big_endian: bool, out: &mut [u8]) -> Result<usize, Full> {
    let bytes = if big_endian { family.to_be_bytes() } else { family.to_le_bytes() };
    room(out, HEADER_LEN)?.copy_from_slice(&bytes);
    Ok(HEADER_LEN)
}
