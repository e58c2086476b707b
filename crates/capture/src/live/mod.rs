//! Packets from network interfaces as they come.
//!
//! A thread empties the kernel's rings and sends batches on; [`Live`] puts them in order of time and lends the packets out.
//! Between the two lies a bounded number of batches: when the packets come faster than they are taken, the rings fill up,
//! and the kernel drops packets and counts them.

mod clock;
mod frame;
mod reader;
mod record;
mod sorter;
mod status;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use subflow_netio::{Ring, Sender};
use subflow_wire::LinkType;

use crate::{Issue, Packet, Packets, Reason};
use reader::{BATCHES, Batch, Reader};
pub use record::{Recorder, Recording};
use sorter::Sorter;
pub use status::{Counted, Notice, State, Status};
pub use subflow_netio::{ANY, Error as OpenError, interface_names};

/// What is to be received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Names of interfaces, or [`ANY`] alone.
    pub interfaces: Vec<String>,
    /// Bytes of each packet to keep, from the link header on.
    pub snap_len: u32,
    /// Bytes of each interface's ring, where packets wait while the analysis is busy.
    pub ring_bytes: usize,
    /// Whether to also receive what is addressed to other hosts.
    pub promiscuous: bool,
}

/// An interface that packets come from; [`Packet::interface`] is its place in [`Live::interfaces`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// How its packets begin: as its hardware has it, or after a Linux cooked header.
    pub link: LinkType,
}

/// What came next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next<'a> {
    /// A packet.
    Packet(Packet<'a>),
    /// None within the time that one was waited for.
    Quiet,
    /// No more will come: it was [stopped](Live::stop), or no interface is left.
    End,
}

/// The packets of network interfaces, merged in order of time, from when this is opened to when it is stopped.
///
/// Times never go back, so that a recording of what is lent out reads in the same order: a packet that the system hands
/// over late is put in its place, as long as that takes no longer than some hundredths of a second, and otherwise gets the
/// time of the packet before it; when the clock is set back, times go on by the old one. Both are
/// [issues](Self::issues).
pub struct Live {
    interfaces: Vec<Interface>,
    batches: Receiver<Batch>,
    used: SyncSender<Batch>,
    sorter: Sorter,
    status: Status,
    notices: Vec<Notice>,
    stop: Arc<AtomicBool>,
    reader: Option<JoinHandle<()>>,
    ended: bool,
    packets: u64,
    last_ns: i64,
}

impl Live {
    /// Opens the interfaces. From when this returns, every packet is either lent out or counted.
    pub fn open(config: &Config) -> Result<Self, OpenError> {
        let mut rings = Vec::with_capacity(config.interfaces.len());
        let mut interfaces = Vec::with_capacity(config.interfaces.len());
        for name in &config.interfaces {
            let ring = Ring::open(&subflow_netio::Config {
                interface: name.clone(),
                snap_len: config.snap_len,
                ring_bytes: config.ring_bytes,
                promiscuous: config.promiscuous,
            })?;
            interfaces.push(Interface { name: name.clone(), link: frame::link_type(ring.framing()) });
            rings.push(ring);
        }
        let (full, batches) = sync_channel(BATCHES);
        let (used, empty) = sync_channel(BATCHES + 1);
        let stop = Arc::new(AtomicBool::new(false));
        let mut reader = Reader::new(rings, full, empty, Arc::clone(&stop));
        let status = reader.status();
        let reader = thread::Builder::new()
            .name("ring".to_owned())
            .spawn(move || reader.run())
            .map_err(|source| OpenError::System { what: "start a thread", source })?;
        Ok(Self {
            interfaces,
            batches,
            used,
            sorter: Sorter::default(),
            status,
            notices: Vec::new(),
            stop,
            reader: Some(reader),
            ended: false,
            packets: 0,
            last_ns: i64::MIN,
        })
    }

    /// The interfaces, in the order in which they were named.
    pub fn interfaces(&self) -> &[Interface] {
        &self.interfaces
    }

    /// What the kernel has counted up to about a tenth of a second ago; final when [`next`](Self::next) has said
    /// [`Next::End`].
    pub fn status(&self) -> &Status {
        &self.status
    }

    /// What has happened to the interfaces since this was asked last.
    pub fn take_notices(&mut self) -> Vec<Notice> {
        std::mem::take(&mut self.notices)
    }

    /// Lets no more packets in. Those that came before are still lent out, then comes [`Next::End`].
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// The next packet, waited for so long at most.
    pub fn next(&mut self, patience: Duration) -> Next<'_> {
        if !self.sorter.is_ready() && !self.refill(patience) {
            return if self.ended { Next::End } else { Next::Quiet };
        }
        let Some(found) = self.sorter.next() else { return Next::Quiet };
        self.packets += 1;
        if found.time_ns < self.last_ns {
            self.status.late += 1;
        }
        self.last_ns = self.last_ns.max(found.time_ns);
        Next::Packet(Packet {
            time_ns: self.last_ns,
            wire_len: found.wire_len,
            link: self.interfaces.get(found.interface as usize).map_or(LinkType::NULL, |one| one.link),
            interface: found.interface,
            file: 0,
            frame: self.packets,
            data: found.data,
        })
    }

    /// Stops, forgets what was not lent out, and returns the final counters.
    pub fn finish(mut self) -> Status {
        self.stop();
        while !self.ended {
            self.sorter.clear();
            self.refill(Duration::from_secs(1));
        }
        std::mem::take(&mut self.status)
    }

    /// What is missing or was changed of the packets so far, with the places of the interfaces in
    /// [`interfaces`](Self::interfaces) for [`Issue::file`].
    pub fn issues(&self) -> Vec<Issue> {
        self.status.issues()
    }

    /// Takes batches until there is a packet to lend out. Returns whether there is.
    fn refill(&mut self, patience: Duration) -> bool {
        let deadline = Instant::now() + patience;
        while !self.sorter.is_ready() && !self.ended {
            match self.batches.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(mut batch) => {
                    self.notices.append(&mut batch.notices);
                    if let Some(status) = batch.status.take() {
                        self.status = Status { late: self.status.late, ..*status };
                    }
                    self.sorter.add(batch, &self.used);
                }
                Err(RecvTimeoutError::Timeout) => return false,
                Err(RecvTimeoutError::Disconnected) => {
                    self.ended = true;
                    self.sorter.release_all();
                    if let Some(Err(panic)) = self.reader.take().map(JoinHandle::join) {
                        std::panic::resume_unwind(panic);
                    }
                }
            }
        }
        self.sorter.is_ready()
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Packets for Live {
    fn next_packet(&mut self) -> Option<Packet<'_>> {
        while !self.sorter.is_ready() && !self.ended {
            self.refill(Duration::from_secs(1));
        }
        match self.next(Duration::ZERO) {
            Next::Packet(packet) => Some(packet),
            Next::Quiet | Next::End => None,
        }
    }

    /// Nothing is read from a disk.
    fn bytes_read(&self) -> u64 {
        0
    }
}

/// Sends frames out of an interface; for tests that need load.
pub type FrameSender = Sender;

impl Status {
    fn issues(&self) -> Vec<Issue> {
        let mut issues = Vec::new();
        let mut add = |file: usize, count: u64, reason: Reason| {
            if count > 0 {
                issues.push(Issue { file: file as u32, offset: None, reason, count });
            }
        };
        for (place, counted) in self.interfaces.iter().enumerate() {
            add(place, counted.dropped, Reason::DroppedByKernel);
            add(place, counted.outages, Reason::InterfaceDown);
        }
        add(0, self.late, Reason::HandedOverLate);
        add(0, u64::from(self.set_back_ns > 0), Reason::ClockSetBack { back_ns: self.set_back_ns });
        issues
    }
}
