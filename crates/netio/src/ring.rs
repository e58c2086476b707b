//! The receiving ring: memory that the kernel fills block by block (TPACKET_V3).
//!
//! A block is the kernel's until it is full or [`RETIRE_MS`] have passed since its first packet, then ours until
//! it is given back. When all blocks are ours, the kernel drops packets and counts them.

use std::io;
use std::ptr::{NonNull, null_mut};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use libc::c_int;

use crate::block::{BLOCK_STATUS, Block};
use crate::interface::{index_of, is_there};
use crate::socket::Socket;
use crate::{ANY, Config, Error, Framing, Instruction, Statistics, Trouble};

/// Bytes of a block: the longest packet (256 KiB) fits, and 64 of them make the usual ring.
const BLOCK_BYTES: usize = 1 << 20;
/// Bytes of a block where packets are cut to [`SHORT`] bytes: a block that is handed over is in use as a whole, however little is in it, so
/// more of them hold out longer.
const SMALL_BLOCK_BYTES: usize = 1 << 18;
const SHORT: u32 = 4096;
/// Fewest blocks: one to fill, one to read, and some to spare.
const FEWEST_BLOCKS: usize = 4;
/// Milliseconds after which the kernel hands over a block that is not full (at most twice as many).
const RETIRE_MS: u32 = 10;
/// Only the kernel's arithmetic needs it here: packets of any length fit a block.
const FRAME_BYTES: usize = 2048;

/// Interfaces of modems, and others without a link layer (linux/if_arp.h).
const ARPHRD_RAWIP: u16 = 519;
/// Hardware whose packets begin with a link header that is worth having.
const LINK_HARDWARE: [u16; 7] = [
    libc::ARPHRD_ETHER,
    libc::ARPHRD_LOOPBACK,
    libc::ARPHRD_IEEE80211,
    libc::ARPHRD_IEEE80211_PRISM,
    libc::ARPHRD_IEEE80211_RADIOTAP,
    // No header at all: the packets are IP packets.
    libc::ARPHRD_NONE,
    ARPHRD_RAWIP,
];

/// Packets of one interface, or of all, as the kernel takes them in.
#[derive(Debug)]
pub struct Ring {
    socket: Socket,
    map: NonNull<u8>,
    blocks: usize,
    block_bytes: usize,
    /// The block that is read next.
    current: usize,
    framing: Framing,
    /// Number of the interface; 0 for all.
    index: u32,
    statistics: Statistics,
}

// SAFETY: the mapping belongs to this value alone and is not bound to a thread.
unsafe impl Send for Ring {}

impl Ring {
    /// How long a packet may lie in a block that the kernel has not handed over yet.
    pub const LATENCY: Duration = Duration::from_millis(2 * RETIRE_MS as u64);

    /// Opens a ring. From when this returns, every packet is either in it or counted as dropped.
    pub fn open(config: &Config) -> Result<Self, Error> {
        Self::opened(config, None, true)
    }

    /// Opens a ring for what others send and a filter lets through: what this host sends does not come. The program sees
    /// packets as they begin in the ring, returns how many bytes of each to keep ([`Config::snap_len`] at most, which it does
    /// not enforce) and must be right, or the kernel refuses it.
    pub fn open_filtered(config: &Config, filter: &[Instruction]) -> Result<Self, Error> {
        Self::opened(config, Some(filter), false)
    }

    /// The same for what others send and for what this host sends.
    pub fn open_filtered_both(config: &Config, filter: &[Instruction]) -> Result<Self, Error> {
        Self::opened(config, Some(filter), true)
    }

    fn opened(config: &Config, filter: Option<&[Instruction]>, sent: bool) -> Result<Self, Error> {
        let any = config.interface == ANY;
        let index = if any { 0 } else { index_of(&config.interface)? };
        let mut socket = Socket::open(any)?;
        let mut framing = Framing::Cooked;
        if !any {
            let hardware = socket.bind(index, false)?.hardware;
            if LINK_HARDWARE.contains(&hardware) {
                framing = Framing::Link(hardware);
            } else {
                socket = Socket::open(true)?;
            }
        }
        let version = libc::tpacket_versions::TPACKET_V3 as c_int;
        socket.set(libc::SOL_PACKET, libc::PACKET_VERSION, &version, "use a TPACKET_V3 ring")?;
        let block_bytes = if config.snap_len > SHORT { BLOCK_BYTES } else { SMALL_BLOCK_BYTES };
        let blocks = config.ring_bytes.div_ceil(block_bytes).max(FEWEST_BLOCKS);
        let request = libc::tpacket_req3 {
            tp_block_size: block_bytes as u32,
            tp_block_nr: u32::try_from(blocks).unwrap_or(u32::MAX),
            tp_frame_size: FRAME_BYTES as u32,
            tp_frame_nr: u32::try_from(blocks.saturating_mul(block_bytes / FRAME_BYTES)).unwrap_or(u32::MAX),
            tp_retire_blk_tov: RETIRE_MS,
            tp_sizeof_priv: 0,
            tp_feature_req_word: 0,
        };
        socket.set(libc::SOL_PACKET, libc::PACKET_RX_RING, &request, "make the ring of packets")?;
        match filter {
            None => socket.keep(config.snap_len.max(1))?,
            Some(program) => {
                socket.filter(program)?;
                if !sent {
                    let what = "ignore what is sent";
                    socket.set(libc::SOL_PACKET, libc::PACKET_IGNORE_OUTGOING, &c_int::from(true), what)?;
                }
            }
        }
        let map = map(&socket, blocks * block_bytes)?;
        let statistics = Statistics::default();
        let ring = Self { socket, map, blocks, block_bytes, current: 0, framing, index, statistics };
        if config.promiscuous && !any {
            let request = libc::packet_mreq {
                mr_ifindex: index.cast_signed(),
                mr_type: libc::PACKET_MR_PROMISC as u16,
                mr_alen: 0,
                mr_address: [0; 8],
            };
            let what = "make the interface promiscuous";
            ring.socket.set(libc::SOL_PACKET, libc::PACKET_ADD_MEMBERSHIP, &request, what)?;
        }
        ring.socket.bind(index, true)?;
        Ok(ring)
    }

    /// How its packets begin.
    pub fn framing(&self) -> Framing {
        self.framing
    }

    /// The next block of packets, if the kernel has handed one over. It goes back when it is dropped.
    pub fn next_block(&mut self) -> Option<Block<'_>> {
        if self.status(self.current).load(Ordering::Acquire) & libc::TP_STATUS_USER == 0 {
            return None;
        }
        let at = self.current * self.block_bytes;
        self.current = (self.current + 1) % self.blocks;
        // SAFETY: the block lies inside the mapping.
        let start = unsafe { self.map.add(at) };
        // SAFETY: the block is ours, so the kernel does not write to it until its status is set back, which is done when
        // the value returned is dropped; it borrows this ring, so the mapping stays.
        Some(unsafe { Block::new(start, self.block_bytes) })
    }

    /// Share of the blocks that wait to be read, from 0 to 1.
    pub fn fill(&self) -> f64 {
        let waiting = (0..self.blocks)
            .filter(|&block| self.status(block).load(Ordering::Relaxed) & libc::TP_STATUS_USER != 0)
            .count();
        waiting as f64 / self.blocks as f64
    }

    /// How long it holds out at least when nobody reads it and so many bytes come a second, headers of the ring included (some 100
    /// bytes a packet).
    pub fn endurance(&self, bytes_a_second: f64) -> Duration {
        // Blocks are handed over when they are full, or when their time is over.
        let block = (self.block_bytes as f64 / bytes_a_second).min(f64::from(RETIRE_MS) / 1e3);
        Duration::try_from_secs_f64(self.blocks as f64 * block).unwrap_or(Duration::ZERO)
    }

    /// What the kernel has counted since the ring was opened.
    pub fn statistics(&mut self) -> Result<Statistics, Error> {
        // Reading sets the kernel's counters to zero.
        let new: libc::tpacket_stats_v3 = self
            .socket
            .get(libc::SOL_PACKET, libc::PACKET_STATISTICS)
            .map_err(|source| Error::System { what: "read the counters of the ring", source })?;
        self.statistics.packets += u64::from(new.tp_packets);
        self.statistics.drops += u64::from(new.tp_drops);
        self.statistics.freezes += u64::from(new.tp_freeze_q_cnt);
        Ok(self.statistics)
    }

    /// Lets no more packets in. What is in the ring can still be read, the last of it after [`LATENCY`](Self::LATENCY).
    pub fn stop(&self) -> Result<(), Error> {
        self.socket.keep(0)
    }

    /// Whether something has happened to the interface since this was asked last.
    pub fn trouble(&self) -> Option<Trouble> {
        self.socket.take_error()?;
        Some(if self.index == 0 || is_there(self.index) { Trouble::Down } else { Trouble::Gone })
    }

    fn status(&self, block: usize) -> &AtomicU32 {
        // SAFETY: the place lies inside the mapping, as `block` is below `blocks`.
        let place = unsafe { self.map.add(block * self.block_bytes + BLOCK_STATUS) }.cast::<u32>();
        // SAFETY: aligned, valid as long as this ring, and only ever touched as an atomic, by us and by the kernel.
        unsafe { AtomicU32::from_ptr(place.as_ptr()) }
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // SAFETY: the mapping of `open`, of this length, which nothing borrows any more.
        unsafe { libc::munmap(self.map.as_ptr().cast(), self.blocks * self.block_bytes) };
    }
}

fn map(socket: &Socket, len: usize) -> Result<NonNull<u8>, Error> {
    let access = libc::PROT_READ | libc::PROT_WRITE;
    // SAFETY: a new mapping at a place that the kernel chooses; the result is checked.
    let map = unsafe { libc::mmap(null_mut(), len, access, libc::MAP_SHARED, socket.fd(), 0) };
    match NonNull::new(map.cast()) {
        Some(start) if map != libc::MAP_FAILED => Ok(start),
        _ => Err(Error::System { what: "map the ring of packets", source: io::Error::last_os_error() }),
    }
}

/// Waits until one of the rings has a block to read or something to tell, or the time is over. Returns whether one has
/// [`trouble`](Ring::trouble) to tell.
pub fn wait(rings: &[Ring], patience: Duration) -> Result<bool, Error> {
    let mut fds: Vec<libc::pollfd> = rings
        .iter()
        .map(|ring| libc::pollfd { fd: ring.socket.fd(), events: libc::POLLIN, revents: 0 })
        .collect();
    let millis = c_int::try_from(patience.as_millis()).unwrap_or(c_int::MAX);
    // SAFETY: an array of that many entries, which outlives the call.
    let result = unsafe { libc::poll(fds.as_mut_ptr(), fds.len() as libc::nfds_t, millis) };
    if result < 0 {
        let source = io::Error::last_os_error();
        if source.kind() == io::ErrorKind::Interrupted {
            return Ok(false);
        }
        return Err(Error::System { what: "wait for packets", source });
    }
    Ok(fds.iter().any(|fd| fd.revents & (libc::POLLERR | libc::POLLHUP | libc::POLLNVAL) != 0))
}
