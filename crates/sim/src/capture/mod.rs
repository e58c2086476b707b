//! Captures: header records into pcapng files, with times of the simulated clock.

mod taps;

pub use taps::{Place, Taps};

use std::io::{self, Write};

use subflow_capture::pcapng;

use crate::header::Header;
use crate::time::Time;
use crate::wire_image::{Framing, Image};

/// How captures look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// What stands before the IP header.
    pub framing: Framing,
    /// Captured bytes of a frame at most; 0 for all of them.
    pub snap: u32,
    /// The time of the capture at simulated time 0, in nanoseconds since 1970-01-01 UTC.
    pub epoch_ns: i64,
}

impl Settings {
    /// 2026-01-01 00:00:00 UTC.
    pub const EPOCH_NS: i64 = 1_767_225_600_000_000_000;

    /// The time of the capture at a simulated time, in nanoseconds since 1970-01-01 UTC. Parts of a nanosecond are cut off.
    pub fn time_ns(&self, now: Time) -> i64 {
        self.epoch_ns.saturating_add(i64::try_from(now.as_nanos()).unwrap_or(i64::MAX))
    }
}

impl Default for Settings {
    /// Ethernet, 128 bytes a frame: every header, and little payload.
    fn default() -> Self {
        Self { framing: Framing::Ethernet, snap: 128, epoch_ns: Self::EPOCH_NS }
    }
}

/// A pcapng file being written. An error of the file is kept, and nothing is written after it.
#[derive(Debug)]
pub struct Capture<W: Write> {
    writer: pcapng::Writer<W>,
    image: Image,
    settings: Settings,
    error: Option<io::Error>,
    packets: u64,
}

impl<W: Write> Capture<W> {
    /// Begins a file.
    ///
    /// # Errors
    /// Of the file.
    pub fn new(inner: W, settings: Settings) -> io::Result<Self> {
        let writer = pcapng::Writer::new(inner)?;
        let image = Image::new(settings.framing, settings.snap);
        Ok(Self { writer, image, settings, error: None, packets: 0 })
    }

    /// Describes a place where packets are seen; returns its number in the file.
    ///
    /// # Errors
    /// Of the file.
    pub fn interface(&mut self, name: &str) -> io::Result<u32> {
        let link = self.settings.framing.link_type();
        self.writer.add_interface(pcapng::Interface { name: Some(name), ..pcapng::Interface::new(link) })
    }

    /// Writes a packet seen at an interface.
    pub fn packet(&mut self, interface: u32, now: Time, header: &Header) {
        if self.error.is_some() {
            return;
        }
        let time_ns = self.settings.time_ns(now);
        let (frame, wire_len) = self.image.frame(header);
        match self.writer.write(interface, time_ns, wire_len, frame, None) {
            Ok(()) => self.packets += 1,
            Err(error) => self.error = Some(error),
        }
    }

    /// Packets written so far.
    pub fn packets(&self) -> u64 {
        self.packets
    }

    /// Ends the file and gives it back.
    ///
    /// # Errors
    /// The first error of the file, whenever it happened.
    pub fn finish(self) -> io::Result<W> {
        match self.error {
            Some(error) => Err(error),
            None => self.writer.finish(),
        }
    }
}
