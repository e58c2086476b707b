//! Streams of Multipath TCP and of plain TCP, and what the kernel tells of them. Needs no privilege.
//!
//! A socket of protocol 262 asks for Multipath TCP (RFC 8684) and is otherwise used like one of TCP: the streams here are those of the
//! standard library. Numbers and layouts are those of linux/mptcp.h and linux/tcp.h, whose structures only ever grow at their end.

use std::io;
use std::mem::size_of;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::time::{Duration, Instant};

use libc::{c_int, c_void, sockaddr, sockaddr_in, sockaddr_in6, socklen_t};

pub use crate::stream_info::{MptcpInfo, Protocol, TcpInfo};

/// IPPROTO_MPTCP.
const MPTCP: c_int = 262;
/// Level of the options of Multipath TCP.
const SOL_MPTCP: c_int = 284;
/// Its MPTCP_INFO.
const MPTCP_INFO: c_int = 1;
/// Connections that may wait to be accepted.
const BACKLOG: c_int = 128;
/// Longest headers that the kernel keeps of a SYN: IPv6 with options and TCP with options fit.
const SYN_BYTES: usize = 512;

/// A socket that is to be connected.
#[derive(Debug)]
pub struct Dial {
    socket: OwnedFd,
}

impl Dial {
    /// A socket for a destination of this family, bound to a local address and an interface where they are given. An interface makes
    /// the kernel look for a route out of it, whatever better one there is elsewhere.
    ///
    /// # Errors
    /// A kernel without Multipath TCP, or where it is switched off, refuses sockets of it (see [`is_missing`]); an address that is not
    /// this host's is refused, too.
    pub fn open(
        protocol: Protocol,
        v6: bool,
        local: Option<IpAddr>,
        interface: Option<&str>,
    ) -> io::Result<Self> {
        let socket = socket(protocol, v6, libc::SOCK_STREAM | libc::SOCK_NONBLOCK)?;
        if let Some(name) = interface {
            set_bytes(&socket, libc::SOL_SOCKET, libc::SO_BINDTODEVICE, name.as_bytes())?;
        }
        if let Some(addr) = local {
            bind(&socket, SocketAddr::new(addr, 0))?;
        }
        Ok(Self { socket })
    }

    /// The local address and port; the port is 0, and the address unspecified, as long as they are open.
    pub fn local(&self) -> io::Result<SocketAddr> {
        name_of(&self.socket)
    }

    /// Connects, within a time.
    ///
    /// # Errors
    /// What the kernel says; `TimedOut` when the time was over.
    pub fn connect(self, to: SocketAddr, patience: Duration) -> io::Result<TcpStream> {
        let begin = Instant::now();
        let (address, len) = encode(to);
        // SAFETY: an address of that length, which outlives the call.
        let result = unsafe { libc::connect(self.socket.as_raw_fd(), (&raw const address).cast(), len) };
        if result != 0 {
            let error = io::Error::last_os_error();
            if error.raw_os_error() != Some(libc::EINPROGRESS) {
                return Err(error);
            }
            self.await_connection(begin, patience)?;
        }
        let stream = TcpStream::from(self.socket);
        stream.set_nonblocking(false)?;
        Ok(stream)
    }

    fn await_connection(&self, begin: Instant, patience: Duration) -> io::Result<()> {
        loop {
            let left = patience.saturating_sub(begin.elapsed());
            if left.is_zero() {
                return Err(io::Error::from(io::ErrorKind::TimedOut));
            }
            // A millisecond more, or the last fraction would be waited for without rest.
            let millis = c_int::try_from(left.as_millis() + 1).unwrap_or(c_int::MAX);
            let mut entry = libc::pollfd { fd: self.socket.as_raw_fd(), events: libc::POLLOUT, revents: 0 };
            // SAFETY: one entry, which outlives the call.
            let ready = unsafe { libc::poll(&raw mut entry, 1, millis) };
            match ready {
                0 => {}
                ready if ready > 0 => break,
                _ => {
                    let error = io::Error::last_os_error();
                    if error.kind() != io::ErrorKind::Interrupted {
                        return Err(error);
                    }
                }
            }
        }
        let mut bytes = [0; size_of::<c_int>()];
        get(&self.socket, libc::SOL_SOCKET, libc::SO_ERROR, &mut bytes)?;
        match c_int::from_ne_bytes(bytes) {
            0 => Ok(()),
            number => Err(io::Error::from_raw_os_error(number)),
        }
    }
}

/// Whether an error of [`Dial::open`] or [`listen`] says that this kernel has no Multipath TCP, or has it switched off.
pub fn is_missing(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EPROTONOSUPPORT | libc::ENOPROTOOPT | libc::EINVAL))
}

/// Whether a connection was refused by a reset.
pub fn is_reset(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ECONNREFUSED | libc::ECONNRESET | libc::EPIPE))
}

/// Whether the kernel or a router says that there is no way.
pub fn is_unreachable(error: &io::Error) -> bool {
    let codes = [
        libc::ENETUNREACH,
        libc::EHOSTUNREACH,
        libc::EADDRNOTAVAIL,
        libc::ENETDOWN,
        libc::EACCES,
        libc::EPERM,
    ];
    error.raw_os_error().is_some_and(|code| codes.contains(&code))
}

/// Listens on an address and port; on `::` for both families. With `save_syn`, which only plain TCP knows, the kernel keeps the headers
/// of each connection's SYN for [`saved_syn`].
pub fn listen(protocol: Protocol, at: SocketAddr, save_syn: bool) -> io::Result<TcpListener> {
    let socket = socket(protocol, at.is_ipv6(), libc::SOCK_STREAM)?;
    let yes: c_int = 1;
    set_bytes(&socket, libc::SOL_SOCKET, libc::SO_REUSEADDR, &yes.to_ne_bytes())?;
    if at.is_ipv6() {
        let only: c_int = c_int::from(!at.ip().is_unspecified());
        set_bytes(&socket, libc::IPPROTO_IPV6, libc::IPV6_V6ONLY, &only.to_ne_bytes())?;
    }
    if save_syn {
        set_bytes(&socket, libc::IPPROTO_TCP, libc::TCP_SAVE_SYN, &yes.to_ne_bytes())?;
    }
    bind(&socket, at)?;
    // SAFETY: plain numbers; the result is checked.
    if unsafe { libc::listen(socket.as_raw_fd(), BACKLOG) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(TcpListener::from(socket))
}

/// Which of some listeners have connections to accept, as soon as any has, and at the latest when the time is over.
pub fn ready(listeners: &[TcpListener], patience: Duration) -> Vec<usize> {
    let mut entries: Vec<libc::pollfd> = listeners
        .iter()
        .map(|listener| libc::pollfd { fd: listener.as_raw_fd(), events: libc::POLLIN, revents: 0 })
        .collect();
    let millis = c_int::try_from(patience.as_millis()).unwrap_or(c_int::MAX);
    // SAFETY: an array of that many entries, which outlives the call.
    let count = unsafe { libc::poll(entries.as_mut_ptr(), entries.len() as libc::nfds_t, millis) };
    if count <= 0 {
        return Vec::new();
    }
    (0..entries.len()).filter(|&at| entries[at].revents & libc::POLLIN != 0).collect()
}

/// The IP and TCP headers of the SYN that began an accepted connection; `None` when the kernel kept none. It gives them once.
pub fn saved_syn(stream: &TcpStream) -> Option<Vec<u8>> {
    let mut bytes = vec![0; SYN_BYTES];
    let len = get(stream, libc::IPPROTO_TCP, libc::TCP_SAVED_SYN, &mut bytes).ok()?;
    bytes.truncate(len);
    (len > 0).then_some(bytes)
}

/// What the kernel knows of the connection of Multipath TCP behind a stream; `None` when the stream is plain TCP, or has become it.
pub fn mptcp_info(stream: &TcpStream) -> Option<MptcpInfo> {
    let mut bytes = [0; 256];
    let len = get(stream, SOL_MPTCP, MPTCP_INFO, &mut bytes).ok()?;
    MptcpInfo::read(bytes.get(..len)?)
}

/// What the kernel knows of the stream's first subflow, or of the stream of plain TCP.
pub fn tcp_info(stream: &TcpStream) -> Option<TcpInfo> {
    let mut bytes = [0; 512];
    let len = get(stream, libc::IPPROTO_TCP, libc::TCP_INFO, &mut bytes).ok()?;
    TcpInfo::read(bytes.get(..len)?)
}

/// Sends one packet as it is, IP header and all, the way that the kernel finds from this local address out of this interface. Needs
/// CAP_NET_RAW. The kernel fills in an IPv4 header's length and checksum.
pub fn send_packet(local: IpAddr, interface: Option<&str>, to: IpAddr, packet: &[u8]) -> io::Result<()> {
    let family = if to.is_ipv6() { libc::AF_INET6 } else { libc::AF_INET };
    let socket = open(family, libc::SOCK_RAW, libc::IPPROTO_RAW)?;
    if let Some(name) = interface {
        set_bytes(&socket, libc::SOL_SOCKET, libc::SO_BINDTODEVICE, name.as_bytes())?;
    }
    bind(&socket, SocketAddr::new(local, 0))?;
    let (address, len) = encode(SocketAddr::new(to, 0));
    let (data, size) = (packet.as_ptr().cast::<c_void>(), packet.len());
    // SAFETY: the packet and an address of that length, which outlive the call.
    let sent = unsafe { libc::sendto(socket.as_raw_fd(), data, size, 0, (&raw const address).cast(), len) };
    if sent < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

fn socket(protocol: Protocol, v6: bool, kind: c_int) -> io::Result<OwnedFd> {
    let number = match protocol {
        Protocol::Tcp => libc::IPPROTO_TCP,
        Protocol::Mptcp => MPTCP,
    };
    open(if v6 { libc::AF_INET6 } else { libc::AF_INET }, kind, number)
}

fn open(family: c_int, kind: c_int, protocol: c_int) -> io::Result<OwnedFd> {
    // SAFETY: plain numbers; the result is checked.
    let fd = unsafe { libc::socket(family, kind | libc::SOCK_CLOEXEC, protocol) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: a descriptor that was just opened and that nobody else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

fn set_bytes(socket: &OwnedFd, level: c_int, name: c_int, value: &[u8]) -> io::Result<()> {
    let (data, len) = (value.as_ptr().cast(), value.len() as socklen_t);
    // SAFETY: the kernel reads `len` bytes from a value that outlives the call.
    let result = unsafe { libc::setsockopt(socket.as_raw_fd(), level, name, data, len) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Gets an option as bytes, and says how many.
fn get(socket: &impl AsRawFd, level: c_int, name: c_int, value: &mut [u8]) -> io::Result<usize> {
    let mut len = socklen_t::try_from(value.len()).unwrap_or(socklen_t::MAX);
    let data = value.as_mut_ptr().cast();
    // SAFETY: the kernel writes at most `len` bytes, the length of the buffer.
    let result = unsafe { libc::getsockopt(socket.as_raw_fd(), level, name, data, &raw mut len) };
    if result == 0 { Ok(value.len().min(len as usize)) } else { Err(io::Error::last_os_error()) }
}

fn bind(socket: &OwnedFd, to: SocketAddr) -> io::Result<()> {
    let (address, len) = encode(to);
    // SAFETY: an address of that length, which outlives the call.
    let result = unsafe { libc::bind(socket.as_raw_fd(), (&raw const address).cast(), len) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Room for an address of either family.
#[repr(C)]
union Address {
    v4: sockaddr_in,
    v6: sockaddr_in6,
}

fn encode(to: SocketAddr) -> (Address, socklen_t) {
    match to {
        SocketAddr::V4(to) => {
            let v4 = sockaddr_in {
                sin_family: libc::AF_INET as u16,
                sin_port: to.port().to_be(),
                sin_addr: libc::in_addr { s_addr: u32::from(*to.ip()).to_be() },
                sin_zero: [0; 8],
            };
            (Address { v4 }, size_of::<sockaddr_in>() as socklen_t)
        }
        SocketAddr::V6(to) => {
            let v6 = sockaddr_in6 {
                sin6_family: libc::AF_INET6 as u16,
                sin6_port: to.port().to_be(),
                sin6_flowinfo: to.flowinfo(),
                sin6_addr: libc::in6_addr { s6_addr: to.ip().octets() },
                sin6_scope_id: to.scope_id(),
            };
            (Address { v6 }, size_of::<sockaddr_in6>() as socklen_t)
        }
    }
}

fn name_of(socket: &OwnedFd) -> io::Result<SocketAddr> {
    // Zeros are an address of either family.
    let mut bytes = [0_u8; size_of::<sockaddr_in6>()];
    let mut len = bytes.len() as socklen_t;
    let place = bytes.as_mut_ptr().cast::<sockaddr>();
    // SAFETY: the kernel writes at most `len` bytes, the length of the buffer; it does not mind how they are aligned.
    let result = unsafe { libc::getsockname(socket.as_raw_fd(), place, &raw mut len) };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    // Both begin with the family in the host's order and the port in that of the network.
    let family = c_int::from(u16::from_ne_bytes([bytes[0], bytes[1]]));
    let port = u16::from_be_bytes([bytes[2], bytes[3]]);
    let addr: IpAddr = if family == libc::AF_INET6 {
        let octets: [u8; 16] = std::array::from_fn(|at| bytes[8 + at]);
        Ipv6Addr::from(octets).into()
    } else {
        Ipv4Addr::new(bytes[4], bytes[5], bytes[6], bytes[7]).into()
    };
    Ok(SocketAddr::new(addr, port))
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(5);

    fn pair(
        server: Protocol,
        client: Protocol,
        addr: &str,
    ) -> io::Result<(TcpStream, TcpStream, SocketAddr)> {
        let local: IpAddr = addr.parse().unwrap();
        let listener = listen(server, SocketAddr::new(local, 0), server == Protocol::Tcp)?;
        let dial = Dial::open(client, local.is_ipv6(), Some(local), None)?;
        let bound = dial.local()?;
        let to = listener.local_addr()?;
        let stream = dial.connect(to, PATIENCE)?;
        let (mut accepted, from) = listener.accept()?;
        assert_eq!(from, bound);
        let mut stream = stream;
        stream.write_all(b"ping")?;
        let mut bytes = [0; 4];
        accepted.read_exact(&mut bytes)?;
        accepted.write_all(b"pong")?;
        stream.read_exact(&mut bytes)?;
        assert_eq!(&bytes, b"pong");
        Ok((stream, accepted, to))
    }

    fn skip(error: &io::Error) {
        assert!(is_missing(error), "{error}");
        let _ = writeln!(io::stderr(), "skipped: this kernel has no Multipath TCP ({error})");
    }

    #[test]
    fn multipath_tcp_between_two_sockets_is_told_at_both_ends() {
        for addr in ["127.0.0.1", "::1"] {
            let (client, server, _) = match pair(Protocol::Mptcp, Protocol::Mptcp, addr) {
                Ok(pair) => pair,
                Err(error) => return skip(&error),
            };
            for stream in [&client, &server] {
                let info = mptcp_info(stream).expect("Multipath TCP");
                assert!(!info.fallback && info.remote_key);
                assert_eq!(info.extra_subflows, 0);
            }
            assert!(saved_syn(&server).is_none());
        }
    }

    #[test]
    fn plain_tcp_at_either_end_is_told_and_the_syn_is_kept() {
        let (client, server, to) = pair(Protocol::Tcp, Protocol::Tcp, "127.0.0.1").unwrap();
        assert!(mptcp_info(&client).is_none() && mptcp_info(&server).is_none());
        let info = tcp_info(&client).expect("TCP");
        assert!(info.timestamps && info.sack && info.window_scale);
        let syn = saved_syn(&server).expect("the SYN");
        // IPv4 without options, to the port of the listener, SYN alone.
        assert_eq!(syn[0], 0x45);
        assert_eq!(u16::from_be_bytes([syn[22], syn[23]]), to.port());
        assert_eq!(syn[33] & 0x3f, 2);
        match pair(Protocol::Tcp, Protocol::Mptcp, "::1") {
            Ok((client, server, _)) => {
                assert!(mptcp_info(&client).is_none());
                // MP_CAPABLE of version 1 (kind 30, 4 bytes) stands in the SYN.
                let syn = saved_syn(&server).expect("the SYN");
                assert!(syn.windows(3).any(|bytes| bytes == [30, 4, 1]), "{syn:x?}");
            }
            Err(error) => skip(&error),
        }
    }

    #[test]
    fn failures_are_told_apart() {
        let listener = listen(Protocol::Tcp, "127.0.0.1:0".parse().unwrap(), false).unwrap();
        let to = listener.local_addr().unwrap();
        drop(listener);
        let dial = || Dial::open(Protocol::Tcp, false, None, None).unwrap();
        assert!(is_reset(&dial().connect(to, PATIENCE).unwrap_err()));
        let foreign = Dial::open(Protocol::Tcp, false, Some("192.0.2.1".parse().unwrap()), None).unwrap_err();
        assert!(is_unreachable(&foreign), "{foreign}");
    }
}
