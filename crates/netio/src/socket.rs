//! The packet socket itself: opening, options, binding.

use std::io;
use std::mem::{size_of, zeroed};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use libc::{c_int, socklen_t};

use crate::{Error, Instruction, MAX_FILTER};

/// EtherType 0x0003: every protocol.
const ALL: u16 = libc::ETH_P_ALL as u16;
/// "Return so many bytes", the only instruction of the filters here (classic BPF).
const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;

/// A packet socket.
#[derive(Debug)]
pub(crate) struct Socket(OwnedFd);

/// What the kernel says of the interface that a socket is bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bound {
    /// ARPHRD number of its hardware.
    pub(crate) hardware: u16,
}

impl Socket {
    /// Opens a socket that receives nothing yet. Its packets come with link header, or `cooked` without.
    pub(crate) fn open(cooked: bool) -> Result<Self, Error> {
        Self::of(libc::AF_PACKET, if cooked { libc::SOCK_DGRAM } else { libc::SOCK_RAW })
    }

    /// Opens a socket of any family.
    pub(crate) fn of(family: c_int, kind: c_int) -> Result<Self, Error> {
        Self::with(family, kind, 0)
    }

    /// Opens a socket of any family and protocol.
    pub(crate) fn with(family: c_int, kind: c_int, protocol: c_int) -> Result<Self, Error> {
        // SAFETY: plain numbers; the result is checked.
        let fd = unsafe { libc::socket(family, kind | libc::SOCK_CLOEXEC, protocol) };
        if fd < 0 {
            let error = io::Error::last_os_error();
            return Err(match error.raw_os_error() {
                Some(libc::EPERM | libc::EACCES) => Error::NotPermitted,
                _ => Error::System { what: "open a socket", source: error },
            });
        }
        // SAFETY: a descriptor that was just opened and that nobody else owns.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    pub(crate) fn fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }

    /// Sets an option of the level SOL_PACKET or SOL_SOCKET.
    pub(crate) fn set<T: Copy>(
        &self,
        level: c_int,
        name: c_int,
        value: &T,
        what: &'static str,
    ) -> Result<(), Error> {
        let (data, len) = ((&raw const *value).cast(), size_of::<T>() as socklen_t);
        // SAFETY: the kernel reads `len` bytes from a value that outlives the call.
        let result = unsafe { libc::setsockopt(self.fd(), level, name, data, len) };
        if result == 0 { Ok(()) } else { Err(Error::System { what, source: io::Error::last_os_error() }) }
    }

    /// Gets an option of plain integers.
    pub(crate) fn get<T: Plain>(&self, level: c_int, name: c_int) -> io::Result<T> {
        // SAFETY: `Plain` types are made of integers, for which zero is a value.
        let mut value: T = unsafe { zeroed() };
        let mut len = size_of::<T>() as socklen_t;
        // SAFETY: the kernel writes at most `len` bytes, the size of the value.
        let result =
            unsafe { libc::getsockopt(self.fd(), level, name, (&raw mut value).cast(), &raw mut len) };
        if result == 0 { Ok(value) } else { Err(io::Error::last_os_error()) }
    }

    /// Keeps so many bytes of each packet from now on; 0 lets none in, and none is counted.
    pub(crate) fn keep(&self, bytes: u32) -> Result<(), Error> {
        let mut code = [libc::sock_filter { code: RETURN, jt: 0, jf: 0, k: bytes }];
        let program = libc::sock_fprog { len: 1, filter: code.as_mut_ptr() };
        // The kernel copies the program, which lives on until then.
        self.set(libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, &program, "set the snap length")
    }

    /// Lets in what a program says, and as many bytes of it.
    pub(crate) fn filter(&self, instructions: &[Instruction]) -> Result<(), Error> {
        let mut code: Vec<libc::sock_filter> = instructions
            .iter()
            .take(MAX_FILTER)
            .map(|i| libc::sock_filter { code: i.code, jt: i.jump_true, jf: i.jump_false, k: i.k })
            .collect();
        let program = libc::sock_fprog { len: code.len() as u16, filter: code.as_mut_ptr() };
        // The kernel checks and copies the program, which lives on until then.
        self.set(libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, &program, "filter packets")
    }

    /// Binds to an interface (0: all of them), receiving either everything or nothing, and says what it is bound to.
    pub(crate) fn bind(&self, index: u32, receive: bool) -> Result<Bound, Error> {
        let system = |what| move |source| Error::System { what, source };
        // SAFETY: made of integers, for which zero is a value.
        let mut address: libc::sockaddr_ll = unsafe { zeroed() };
        address.sll_family = libc::AF_PACKET as u16;
        address.sll_protocol = if receive { ALL.to_be() } else { 0 };
        address.sll_ifindex = index.cast_signed();
        let mut len = size_of::<libc::sockaddr_ll>() as socklen_t;
        // SAFETY: an address of that length, which outlives the call.
        let result = unsafe { libc::bind(self.fd(), (&raw const address).cast(), len) };
        if result != 0 {
            return Err(system("bind to the interface")(io::Error::last_os_error()));
        }
        // SAFETY: the kernel writes at most `len` bytes, the size of the address.
        let result = unsafe { libc::getsockname(self.fd(), (&raw mut address).cast(), &raw mut len) };
        if result != 0 {
            return Err(system("look at the interface")(io::Error::last_os_error()));
        }
        Ok(Bound { hardware: address.sll_hatype })
    }

    /// The error that waits at the socket, which is taken from it.
    pub(crate) fn take_error(&self) -> Option<io::Error> {
        match self.get::<c_int>(libc::SOL_SOCKET, libc::SO_ERROR) {
            Ok(0) => None,
            Ok(number) => Some(io::Error::from_raw_os_error(number)),
            Err(error) => Some(error),
        }
    }
}

/// Types of integers only, so that any bytes are a value.
///
/// # Safety
/// Every pattern of bytes must be a value of the type.
pub(crate) unsafe trait Plain {}

// SAFETY: an integer.
unsafe impl Plain for c_int {}
// SAFETY: three integers.
unsafe impl Plain for libc::tpacket_stats_v3 {}
// SAFETY: sixteen integers.
unsafe impl Plain for libc::xdp_mmap_offsets {}
