//! IP packets without a link header, which the kernel routes: the only way for a packet to this very host, for what is put on the
//! loopback interface by a packet socket has not passed the routing and is dropped as a martian.

use std::io;
use std::mem::{size_of, zeroed};
use std::net::IpAddr;

use libc::{c_int, c_void, sockaddr_in, sockaddr_in6, socklen_t};

use crate::Error;
use crate::socket::Socket;

/// Sends IP packets as they are, headers and all, but for IPv4's checksum, and its identification where it is 0.
#[derive(Debug)]
pub struct RawSender {
    v4: Socket,
    /// None where the system has no IPv6.
    v6: Option<Socket>,
}

impl RawSender {
    /// A sender of both families.
    pub fn open() -> Result<Self, Error> {
        let v4 = Socket::with(libc::AF_INET, libc::SOCK_RAW, libc::IPPROTO_RAW)?;
        let v6 = match Socket::with(libc::AF_INET6, libc::SOCK_RAW, libc::IPPROTO_RAW) {
            Ok(socket) => {
                let what = "send whole IPv6 packets";
                socket.set(libc::IPPROTO_IPV6, libc::IPV6_HDRINCL, &c_int::from(true), what)?;
                Some(socket)
            }
            Err(Error::NotPermitted) => return Err(Error::NotPermitted),
            Err(_) => None,
        };
        Ok(Self { v4, v6 })
    }

    /// Sends a packet to the host that its header names, which is `to`. Returns whether it was taken; it is not when a queue is
    /// full, or the system does not let it out (no route, rules of a firewall).
    pub fn send(&self, packet: &[u8], to: IpAddr) -> Result<bool, Error> {
        let (data, len): (*const c_void, usize) = (packet.as_ptr().cast(), packet.len());
        let sent = match to {
            IpAddr::V4(to) => {
                // SAFETY: made of integers, for which zero is a value.
                let mut address: sockaddr_in = unsafe { zeroed() };
                address.sin_family = libc::AF_INET as u16;
                address.sin_addr.s_addr = u32::from(to).to_be();
                let (place, size) = ((&raw const address).cast(), size_of::<sockaddr_in>() as socklen_t);
                // SAFETY: so many bytes to an address of that length; both outlive the call.
                unsafe { libc::sendto(self.v4.fd(), data, len, libc::MSG_DONTWAIT, place, size) }
            }
            IpAddr::V6(to) => {
                let Some(socket) = &self.v6 else { return Ok(false) };
                // SAFETY: made of integers, for which zero is a value.
                let mut address: sockaddr_in6 = unsafe { zeroed() };
                address.sin6_family = libc::AF_INET6 as u16;
                address.sin6_addr.s6_addr = to.octets();
                let (place, size) = ((&raw const address).cast(), size_of::<sockaddr_in6>() as socklen_t);
                // SAFETY: so many bytes to an address of that length; both outlive the call.
                unsafe { libc::sendto(socket.fd(), data, len, libc::MSG_DONTWAIT, place, size) }
            }
        };
        if sent >= 0 {
            return Ok(true);
        }
        let source = io::Error::last_os_error();
        match source.raw_os_error() {
            Some(
                libc::EAGAIN
                | libc::ENOBUFS
                | libc::EINTR
                | libc::EPERM
                | libc::ENETUNREACH
                | libc::EHOSTUNREACH
                | libc::EADDRNOTAVAIL,
            ) => Ok(false),
            Some(libc::ENETDOWN | libc::ENXIO | libc::ENODEV) => Err(Error::Down),
            _ => Err(Error::System { what: "send packets", source }),
        }
    }
}
