//! The way that the kernel would send a packet (rtnetlink(7)), with all its rules and tables. Needs no privilege.

use std::ffi::CStr;
use std::io;
use std::mem::size_of;
use std::net::IpAddr;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use libc::{c_void, nlmsghdr};

/// Bytes of the header of a message (struct nlmsghdr).
const HEADER: usize = size_of::<nlmsghdr>();
/// Bytes of the fixed part of a route (struct rtmsg).
const ROUTE: usize = 12;
/// Sequence number of the question.
const NUMBER: u32 = 1;

/// The name of the interface that packets from one address to another leave through; `None` when there is no way, or the kernel does not say.
/// Nothing is sent.
pub fn interface_towards(from: IpAddr, to: IpAddr) -> Option<String> {
    let answer = ask(&question(from, to)?).ok()?;
    name_of(interface(&answer)?)
}

/// The message that asks for a route: RTM_GETROUTE with source and destination.
fn question(from: IpAddr, to: IpAddr) -> Option<Vec<u8>> {
    let (family, bits, from, to) = match (from, to) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            (libc::AF_INET, 32, from.octets().to_vec(), to.octets().to_vec())
        }
        (IpAddr::V6(from), IpAddr::V6(to)) => {
            (libc::AF_INET6, 128, from.octets().to_vec(), to.octets().to_vec())
        }
        _ => return None,
    };
    let mut message = vec![0; HEADER + ROUTE];
    message[HEADER] = family as u8;
    // Lengths of destination and source.
    (message[HEADER + 1], message[HEADER + 2]) = (bits, bits);
    for (kind, addr) in [(libc::RTA_DST, to), (libc::RTA_SRC, from)] {
        message.extend_from_slice(&(4 + addr.len() as u16).to_ne_bytes());
        message.extend_from_slice(&kind.to_ne_bytes());
        message.extend_from_slice(&addr);
    }
    let len = message.len() as u32;
    message[..4].copy_from_slice(&len.to_ne_bytes());
    message[4..6].copy_from_slice(&libc::RTM_GETROUTE.to_ne_bytes());
    message[6..8].copy_from_slice(&(libc::NLM_F_REQUEST as u16).to_ne_bytes());
    message[8..12].copy_from_slice(&NUMBER.to_ne_bytes());
    Some(message)
}

fn ask(question: &[u8]) -> io::Result<Vec<u8>> {
    // SAFETY: plain numbers; the result is checked.
    let fd =
        unsafe { libc::socket(libc::AF_NETLINK, libc::SOCK_RAW | libc::SOCK_CLOEXEC, libc::NETLINK_ROUTE) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: a descriptor that was just opened and that nobody else owns.
    let socket = unsafe { OwnedFd::from_raw_fd(fd) };
    let (data, len): (*const c_void, usize) = (question.as_ptr().cast(), question.len());
    // SAFETY: so many bytes, which outlive the call. The kernel answers before it returns.
    let sent = unsafe { libc::send(socket.as_raw_fd(), data, len, 0) };
    if sent < 0 {
        return Err(io::Error::last_os_error());
    }
    let mut answer = vec![0_u8; 4096];
    let place = answer.as_mut_ptr().cast();
    // SAFETY: room for so many bytes, which outlives the call.
    let got = unsafe { libc::recv(socket.as_raw_fd(), place, answer.len(), libc::MSG_DONTWAIT) };
    let got = usize::try_from(got).map_err(|_| io::Error::last_os_error())?;
    answer.truncate(got);
    Ok(answer)
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// The number of the interface in an answer; `None` when it is an error, or says nothing.
fn interface(answer: &[u8]) -> Option<u32> {
    let len = usize::try_from(u32_at(answer, 0)?).ok()?.min(answer.len());
    if u16_at(answer, 4)? != libc::RTM_NEWROUTE || u32_at(answer, 8)? != NUMBER {
        return None;
    }
    let mut at = HEADER + ROUTE;
    loop {
        let size = usize::from(u16_at(answer.get(..len)?, at)?);
        if u16_at(answer, at + 2)? == libc::RTA_OIF {
            return u32_at(answer.get(..len)?, at + 4);
        }
        // Attributes begin at multiples of four bytes.
        at += size.max(4).next_multiple_of(4);
    }
}

fn name_of(index: u32) -> Option<String> {
    let mut name = [0; libc::IF_NAMESIZE];
    // SAFETY: the buffer has the size that the call wants.
    let found = unsafe { libc::if_indextoname(index, name.as_mut_ptr()) };
    if found.is_null() {
        return None;
    }
    // SAFETY: the call has put a C string into the buffer.
    let text = unsafe { CStr::from_ptr(name.as_ptr()) };
    text.to_str().ok().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_way_to_this_host_is_the_loopback_interface() {
        let way = |from: &str, to: &str| interface_towards(from.parse().unwrap(), to.parse().unwrap());
        assert_eq!(way("127.0.0.1", "127.0.0.2").as_deref(), Some("lo"));
        // Not this host's address, and two families.
        assert_eq!(way("192.0.2.1", "127.0.0.2"), None);
        assert_eq!(way("127.0.0.1", "::1"), None);
    }

    proptest! {
        #[test]
        fn no_answer_panics(mut bytes in proptest::collection::vec(any::<u8>(), 0..100), real in any::<bool>()) {
            if real && bytes.len() >= 12 {
                bytes[4..6].copy_from_slice(&libc::RTM_NEWROUTE.to_ne_bytes());
                bytes[8..12].copy_from_slice(&NUMBER.to_ne_bytes());
            }
            let _ = interface(&bytes);
        }
    }
}
