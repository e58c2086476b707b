//! Sending through an AF_XDP socket in copy mode: the kernel takes frames from memory that it shares with us, without a look at
//! message headers, and the device's own sending function gets them ([af_xdp]).
//!
//! No program is loaded and nothing of the device is set up anew; a queue of it can serve one such socket at a time.
//! Frames are lost where they would be lost with AF_PACKET: when the device has no carrier. A full queue is waited for.
//!
//! [af_xdp]: https://docs.kernel.org/networking/af_xdp.html

use std::io;
use std::ptr::{NonNull, null, null_mut};
use std::sync::atomic::{AtomicU32, Ordering};

use libc::{sockaddr_xdp, xdp_desc, xdp_mmap_offsets, xdp_ring_offset, xdp_umem_reg};

use crate::Error;
use crate::interface::index_of;
use crate::socket::Socket;

/// Frames in the shared memory, and entries of each ring; a power of two.
const FRAMES: u32 = 2048;
/// Bytes that a frame has there; no frame may be longer.
const FRAME_BYTES: usize = 2048;
/// Kicks without progress after which the queue counts as full.
const KICKS: u32 = 8;

/// A socket that sends.
#[derive(Debug)]
pub(crate) struct Xdp {
    socket: Socket,
    /// The frames.
    memory: Map,
    /// What is to be sent.
    sending: Queue,
    /// What has been sent.
    completed: Queue,
    /// Frames that are nobody's.
    free: Vec<u32>,
}

impl Drop for Xdp {
    fn drop(&mut self) {
        let end = self.sending.counter(self.sending.producer).load(Ordering::Relaxed);
        // Nobody is left to tell.
        let _ = self.kick(end);
    }
}

/// Memory shared with the kernel.
#[derive(Debug)]
struct Map {
    start: NonNull<u8>,
    len: usize,
}

/// A ring of entries between two counters, one of the kernel's and one of ours.
#[derive(Debug)]
struct Queue {
    map: Map,
    producer: usize,
    consumer: usize,
    entries: usize,
}

// SAFETY: the mappings belong to this value alone and are not bound to a thread.
unsafe impl Send for Map {}

impl Drop for Map {
    fn drop(&mut self) {
        // SAFETY: a mapping of this length, which nothing borrows any more.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.len) };
    }
}

impl Map {
    /// Maps `len` bytes: of a socket from an offset on, or new ones.
    fn new(len: usize, of: Option<(&Socket, libc::off_t)>) -> Result<Self, Error> {
        let access = libc::PROT_READ | libc::PROT_WRITE;
        let (flags, fd, offset) = match of {
            Some((socket, offset)) => (libc::MAP_SHARED | libc::MAP_POPULATE, socket.fd(), offset),
            None => (libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_POPULATE, -1, 0),
        };
        // SAFETY: a new mapping at a place that the kernel chooses; the result is checked.
        let map = unsafe { libc::mmap(null_mut(), len, access, flags, fd, offset) };
        match NonNull::new(map.cast()) {
            Some(start) if map != libc::MAP_FAILED => Ok(Self { start, len }),
            _ => Err(Error::System { what: "map memory for sending", source: io::Error::last_os_error() }),
        }
    }
}

impl Queue {
    /// Maps a ring of a socket with entries of `entry_bytes`.
    fn new(
        socket: &Socket,
        offsets: &xdp_ring_offset,
        page: libc::off_t,
        entry_bytes: usize,
    ) -> Result<Self, Error> {
        let place = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX);
        let (producer, consumer, entries) =
            (place(offsets.producer), place(offsets.consumer), place(offsets.desc));
        let size = FRAMES as usize * entry_bytes;
        let len = entries.saturating_add(size);
        // Whatever the kernel says must lie inside and be aligned.
        let fits = |offset: usize, align: usize| {
            offset < len && len - offset >= align && offset.is_multiple_of(align)
        };
        if !(fits(producer, 4) && fits(consumer, 4) && entries.is_multiple_of(8)) || len == usize::MAX {
            let source = io::Error::from(io::ErrorKind::InvalidData);
            return Err(Error::System { what: "read the layout of the sending ring", source });
        }
        Ok(Self { map: Map::new(len, Some((socket, page)))?, producer, consumer, entries })
    }

    fn counter(&self, at: usize) -> &AtomicU32 {
        // SAFETY: inside the mapping, as `new` has checked.
        let place = unsafe { self.map.start.add(at) }.cast::<u32>();
        // SAFETY: aligned, valid as long as the mapping, and only ever touched as an atomic, by us and by the kernel.
        unsafe { AtomicU32::from_ptr(place.as_ptr()) }
    }

    /// Where an entry stands.
    fn entry<T>(&self, number: u32) -> NonNull<T> {
        let at = self.entries + (number % FRAMES) as usize * size_of::<T>();
        // SAFETY: inside the mapping, whose length is that of all entries behind `entries`.
        unsafe { self.map.start.add(at) }.cast()
    }
}

impl Xdp {
    /// A socket on a queue of an interface.
    pub(crate) fn open(interface: &str, queue: u32) -> Result<Self, Error> {
        let index = index_of(interface)?;
        let socket = Socket::of(libc::AF_XDP, libc::SOCK_RAW)?;
        let memory = Map::new(FRAMES as usize * FRAME_BYTES, None)?;
        let request = xdp_umem_reg {
            addr: memory.start.as_ptr() as u64,
            len: memory.len as u64,
            chunk_size: FRAME_BYTES as u32,
            headroom: 0,
            flags: 0,
            tx_metadata_len: 0,
        };
        let what = "share memory for sending";
        socket.set(libc::SOL_XDP, libc::XDP_UMEM_REG, &request, what)?;
        for ring in [libc::XDP_UMEM_FILL_RING, libc::XDP_UMEM_COMPLETION_RING, libc::XDP_TX_RING] {
            socket.set(libc::SOL_XDP, ring, &FRAMES, "make the sending rings")?;
        }
        let offsets: xdp_mmap_offsets = socket
            .get(libc::SOL_XDP, libc::XDP_MMAP_OFFSETS)
            .map_err(|source| Error::System { what: "read the layout of the sending ring", source })?;
        let page = libc::XDP_UMEM_PGOFF_COMPLETION_RING as libc::off_t;
        let completed = Queue::new(&socket, &offsets.cr, page, size_of::<u64>())?;
        let sending = Queue::new(&socket, &offsets.tx, libc::XDP_PGOFF_TX_RING, size_of::<xdp_desc>())?;
        let address = sockaddr_xdp {
            sxdp_family: libc::AF_XDP as u16,
            sxdp_flags: libc::XDP_COPY,
            sxdp_ifindex: index,
            sxdp_queue_id: queue,
            sxdp_shared_umem_fd: 0,
        };
        let len = size_of::<sockaddr_xdp>() as libc::socklen_t;
        // SAFETY: an address of that length, which outlives the call.
        let result = unsafe { libc::bind(socket.fd(), (&raw const address).cast(), len) };
        if result != 0 {
            let source = io::Error::last_os_error();
            return Err(Error::System { what: "bind to a queue of the interface", source });
        }
        Ok(Self { socket, memory, sending, completed, free: (0..FRAMES).collect() })
    }

    /// Hands frames to the kernel and returns how many there was room for; 0 when its queue is full.
    pub(crate) fn send(&mut self, frames: &[&[u8]]) -> Result<usize, Error> {
        self.reclaim();
        let producer = self.sending.counter(self.sending.producer);
        let start = producer.load(Ordering::Relaxed);
        let mut count = 0_u32;
        for frame in frames {
            if frame.len() > FRAME_BYTES {
                let source = io::Error::from(io::ErrorKind::InvalidInput);
                return Err(Error::System { what: "send a frame that long", source });
            }
            let Some(number) = self.free.pop() else { break };
            let at = number as usize * FRAME_BYTES;
            // SAFETY: the frame lies inside the mapping, for `number` is below `FRAMES`.
            let place = unsafe { self.memory.start.add(at) };
            // SAFETY: it has room for as much, is nobody's until it is in the ring, and does not overlap what is read.
            unsafe { place.copy_from_nonoverlapping(NonNull::from(*frame).cast(), frame.len()) };
            let entry = xdp_desc { addr: at as u64, len: frame.len() as u32, options: 0 };
            // SAFETY: an entry behind the producer's counter, which the kernel does not read yet.
            unsafe { self.sending.entry(start.wrapping_add(count)).write(entry) };
            count += 1;
        }
        let end = start.wrapping_add(count);
        self.sending.counter(self.sending.producer).store(end, Ordering::Release);
        // What it leaves in the ring goes with the next batch: nothing that is in there can be taken back.
        self.kick(end)?;
        Ok(count as usize)
    }

    /// Has the kernel send until it has taken everything before `end`, or takes no more.
    fn kick(&self, end: u32) -> Result<(), Error> {
        let consumer = self.sending.counter(self.sending.consumer);
        let mut before = consumer.load(Ordering::Acquire);
        let mut idle = 0;
        while before != end && idle < KICKS {
            // SAFETY: no data and no address.
            let sent = unsafe { libc::sendto(self.socket.fd(), null(), 0, libc::MSG_DONTWAIT, null(), 0) };
            if sent < 0 {
                let source = io::Error::last_os_error();
                match source.raw_os_error() {
                    // Some of them, or all that it does at a time.
                    Some(libc::EAGAIN | libc::EBUSY | libc::ENOBUFS | libc::EINTR) => {}
                    Some(libc::ENETDOWN | libc::ENXIO | libc::ENODEV) => return Err(Error::Down),
                    _ => return Err(Error::System { what: "send packets", source }),
                }
            }
            let now = consumer.load(Ordering::Acquire);
            idle = if now == before { idle + 1 } else { 0 };
            before = now;
        }
        Ok(())
    }

    /// Takes back the frames that have left.
    fn reclaim(&mut self) {
        let producer = self.completed.counter(self.completed.producer).load(Ordering::Acquire);
        let mut consumer = self.completed.counter(self.completed.consumer).load(Ordering::Relaxed);
        while consumer != producer && self.free.len() < FRAMES as usize {
            // SAFETY: an entry that the kernel has written and will not write again before it is consumed.
            let address: u64 = unsafe { self.completed.entry(consumer).read() };
            let number = address / FRAME_BYTES as u64;
            if number < u64::from(FRAMES) {
                self.free.push(number as u32);
            }
            consumer = consumer.wrapping_add(1);
        }
        self.completed.counter(self.completed.consumer).store(consumer, Ordering::Release);
    }
}
