//! Ports whose packets the kernel leaves to us.
//!
//! A program that speaks TCP by itself has the kernel against it: it knows no connection of these ports and resets whatever comes.
//! A listening socket on the port makes it look there first, and the socket's filter, which lets nothing in, drops the packet
//! without a word (`tcp_filter` comes before anything is answered). Rings get their copy before that. It takes no privilege and no
//! rule of a firewall, and ends with the process, however that ends.

use std::io;
use std::mem::{size_of, zeroed};

use libc::{c_int, sockaddr_in, sockaddr_in6, socklen_t};

use crate::Error;
use crate::socket::Socket;

/// Keeps the kernel silent on a range of TCP ports, at all addresses of this host, of IPv4 and IPv6, while it lives.
#[derive(Debug)]
pub struct Shield {
    sockets: Vec<Socket>,
    first: u16,
}

impl Shield {
    /// Takes the ports from `first` to `last`. [`Error::PortInUse`] when somebody else has one of them.
    pub fn open(first: u16, last: u16) -> Result<Self, Error> {
        let sockets: Result<Vec<_>, Error> = (first..=last).map(silent).collect();
        Ok(Self { sockets: sockets?, first })
    }

    /// First and last port.
    pub fn ports(&self) -> (u16, u16) {
        let more = self.sockets.len().saturating_sub(1);
        (self.first, self.first.saturating_add(u16::try_from(more).unwrap_or(u16::MAX)))
    }
}

/// A socket that listens on a port and lets nothing in.
fn silent(port: u16) -> Result<Socket, Error> {
    // Both families by one socket, or IPv4 alone where there is no IPv6.
    match listening(port, true) {
        Err(Error::System { source, .. })
            if matches!(source.raw_os_error(), Some(libc::EAFNOSUPPORT | libc::EADDRNOTAVAIL)) =>
        {
            listening(port, false)
        }
        other => other,
    }
}

fn listening(port: u16, v6: bool) -> Result<Socket, Error> {
    let system = |what| move |source| Error::System { what, source };
    let socket = Socket::of(if v6 { libc::AF_INET6 } else { libc::AF_INET }, libc::SOCK_STREAM)?;
    // Before anything can come.
    socket.keep(0)?;
    let result = if v6 {
        socket.set(libc::IPPROTO_IPV6, libc::IPV6_V6ONLY, &c_int::from(false), "listen for both families")?;
        // SAFETY: made of integers, for which zero is a value; the address :: is zero.
        let mut address: sockaddr_in6 = unsafe { zeroed() };
        address.sin6_family = libc::AF_INET6 as u16;
        address.sin6_port = port.to_be();
        let len = size_of::<sockaddr_in6>() as socklen_t;
        // SAFETY: an address of that length, which outlives the call.
        unsafe { libc::bind(socket.fd(), (&raw const address).cast(), len) }
    } else {
        // SAFETY: made of integers, for which zero is a value; the address 0.0.0.0 is zero.
        let mut address: sockaddr_in = unsafe { zeroed() };
        address.sin_family = libc::AF_INET as u16;
        address.sin_port = port.to_be();
        let len = size_of::<sockaddr_in>() as socklen_t;
        // SAFETY: an address of that length, which outlives the call.
        unsafe { libc::bind(socket.fd(), (&raw const address).cast(), len) }
    };
    let failed = |what| {
        let source = io::Error::last_os_error();
        match source.raw_os_error() {
            Some(libc::EADDRINUSE) => Error::PortInUse { port },
            _ => system(what)(source),
        }
    };
    if result != 0 {
        return Err(failed("take a port"));
    }
    // SAFETY: plain numbers.
    if unsafe { libc::listen(socket.fd(), 1) } != 0 {
        return Err(failed("listen on a port"));
    }
    Ok(socket)
}
