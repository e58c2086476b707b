//! The same names on systems without these sockets: plain TCP works as far as the standard library has it, the rest is unsupported.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

pub use crate::stream_info::{MptcpInfo, Protocol, TcpInfo};

fn unsupported<T>() -> io::Result<T> {
    Err(io::Error::from(io::ErrorKind::Unsupported))
}

/// A socket that is to be connected.
#[derive(Debug)]
pub struct Dial(());

impl Dial {
    /// Only plain TCP, from wherever the system likes.
    pub fn open(
        protocol: Protocol,
        _v6: bool,
        local: Option<IpAddr>,
        interface: Option<&str>,
    ) -> io::Result<Self> {
        if protocol == Protocol::Tcp && local.is_none() && interface.is_none() {
            Ok(Self(()))
        } else {
            unsupported()
        }
    }

    /// Not known before it is connected.
    pub fn local(&self) -> io::Result<SocketAddr> {
        unsupported()
    }

    /// Connects, within a time.
    pub fn connect(self, to: SocketAddr, patience: Duration) -> io::Result<TcpStream> {
        TcpStream::connect_timeout(&to, patience)
    }
}

/// Whether an error says that this system has no Multipath TCP.
pub fn is_missing(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::Unsupported
}

/// Whether a connection was refused by a reset.
pub fn is_reset(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionRefused | ConnectionReset | BrokenPipe)
}

/// Whether there is no way.
pub fn is_unreachable(error: &io::Error) -> bool {
    use io::ErrorKind::{AddrNotAvailable, HostUnreachable, NetworkUnreachable};
    matches!(error.kind(), NetworkUnreachable | HostUnreachable | AddrNotAvailable)
}

/// Only plain TCP, without the SYN.
pub fn listen(protocol: Protocol, at: SocketAddr, save_syn: bool) -> io::Result<TcpListener> {
    if protocol == Protocol::Tcp && !save_syn { TcpListener::bind(at) } else { unsupported() }
}

/// All of them, after a while: whoever accepts has to wait.
pub fn ready(listeners: &[TcpListener], patience: Duration) -> Vec<usize> {
    std::thread::sleep(patience);
    (0..listeners.len()).collect()
}

/// No system but Linux keeps it.
pub fn saved_syn(_stream: &TcpStream) -> Option<Vec<u8>> {
    None
}

/// Always plain TCP.
pub fn mptcp_info(_stream: &TcpStream) -> Option<MptcpInfo> {
    None
}

/// Not known.
pub fn tcp_info(_stream: &TcpStream) -> Option<TcpInfo> {
    None
}

/// Unsupported.
pub fn send_packet(_local: IpAddr, _interface: Option<&str>, _to: IpAddr, _packet: &[u8]) -> io::Result<()> {
    unsupported()
}
