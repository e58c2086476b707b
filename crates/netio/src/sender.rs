//! Frames out of an interface, many a system call.

use std::io;
use std::ptr::null_mut;

use libc::{c_int, iovec, mmsghdr};

use crate::Error;
use crate::interface::index_of;
use crate::socket::Socket;
use crate::xdp::Xdp;

/// Sends frames as they are, link header and all.
#[derive(Debug)]
pub struct Sender(Way);

#[derive(Debug)]
enum Way {
    Packet(Socket),
    Xdp(Box<Xdp>),
}

impl Sender {
    /// Frames that one call of [`send`](Self::send) takes at most.
    pub const BATCH: usize = 64;

    /// A sender on an interface with link headers. With `bypass`, frames go past the queueing discipline straight to the
    /// driver, faster, and unseen by captures on this very interface.
    pub fn open(interface: &str, bypass: bool) -> Result<Self, Error> {
        let index = index_of(interface)?;
        let socket = Socket::open(false)?;
        if bypass {
            let what = "send past the queueing discipline";
            socket.set(libc::SOL_PACKET, libc::PACKET_QDISC_BYPASS, &c_int::from(true), what)?;
        }
        socket.bind(index, false)?;
        Ok(Self(Way::Packet(socket)))
    }

    /// A sender through AF_XDP in copy mode, half as fast again, on one queue of an interface, from 0; frames go past the queueing
    /// discipline and are unseen by captures on this interface. Not every kernel and interface has it, and each queue only once:
    /// an error says nothing against [`open`](Self::open).
    pub fn open_fast(interface: &str, queue: u32) -> Result<Self, Error> {
        Ok(Self(Way::Xdp(Box::new(Xdp::open(interface, queue)?))))
    }

    /// Whether it is one of [`open_fast`](Self::open_fast).
    pub fn is_fast(&self) -> bool {
        matches!(self.0, Way::Xdp(_))
    }

    /// Sends the first frames of a batch, as many as the system takes now and at most [`BATCH`](Self::BATCH). Returns how
    /// many; 0 when its queue is full.
    pub fn send(&mut self, frames: &[&[u8]]) -> Result<usize, Error> {
        let frames = frames.get(..Self::BATCH).unwrap_or(frames);
        match &mut self.0 {
            Way::Packet(socket) => send(socket, frames),
            Way::Xdp(xdp) => xdp.send(frames),
        }
    }
}

/// Sends a batch by one system call.
fn send(socket: &Socket, frames: &[&[u8]]) -> Result<usize, Error> {
    let mut pieces = [iovec { iov_base: null_mut(), iov_len: 0 }; Sender::BATCH];
    // SAFETY: made of integers and pointers, for which zero is a value.
    let mut messages: [mmsghdr; Sender::BATCH] = unsafe { std::mem::zeroed() };
    let count = frames.len().min(Sender::BATCH);
    for ((frame, piece), message) in frames.iter().zip(&mut pieces).zip(&mut messages) {
        // The kernel only reads from it.
        piece.iov_base = frame.as_ptr().cast_mut().cast();
        piece.iov_len = frame.len();
        message.msg_hdr.msg_iov = &raw mut *piece;
        message.msg_hdr.msg_iovlen = 1;
    }
    // SAFETY: `count` messages, each of one piece; all of them and the frames outlive the call.
    let sent =
        unsafe { libc::sendmmsg(socket.fd(), messages.as_mut_ptr(), count as u32, libc::MSG_DONTWAIT) };
    if sent >= 0 {
        return Ok(sent.unsigned_abs() as usize);
    }
    let source = io::Error::last_os_error();
    match source.raw_os_error() {
        Some(libc::EAGAIN | libc::ENOBUFS | libc::EINTR) => Ok(0),
        Some(libc::ENETDOWN | libc::ENXIO | libc::ENODEV) => Err(Error::Down),
        _ => Err(Error::System { what: "send packets", source }),
    }
}
