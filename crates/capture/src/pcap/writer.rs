//! Writing pcap files.

use std::io::{self, Write};

use subflow_wire::LinkType;

use crate::{MAX_CAPTURED, Packet};

/// Resolution of the times in a pcap file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// Microseconds, magic number 0xa1b2c3d4: read by everything.
    Micros,
    /// Nanoseconds, magic number 0xa1b23c4d.
    Nanos,
}

/// Writes a pcap file in little-endian byte order. Nothing is buffered here: give it a `BufWriter` for files.
#[derive(Debug)]
pub struct Writer<W: Write> {
    inner: W,
    resolution: Resolution,
}

impl<W: Write> Writer<W> {
    /// Writes the file header, with a snapshot length of [`MAX_CAPTURED`].
    pub fn new(mut inner: W, link: LinkType, resolution: Resolution) -> io::Result<Self> {
        let magic: u32 = match resolution {
            Resolution::Micros => 0xa1b2_c3d4,
            Resolution::Nanos => 0xa1b2_3c4d,
        };
        let mut header = [0; 24];
        let (fixed, rest) = header.split_at_mut(16);
        fixed[..4].copy_from_slice(&magic.to_le_bytes());
        fixed[4..6].copy_from_slice(&2_u16.to_le_bytes());
        fixed[6..8].copy_from_slice(&4_u16.to_le_bytes());
        rest[..4].copy_from_slice(&MAX_CAPTURED.to_le_bytes());
        rest[4..].copy_from_slice(&u32::from(link.0).to_le_bytes());
        inner.write_all(&header)?;
        Ok(Self { inner, resolution })
    }

    /// Writes one packet: its time in nanoseconds since the epoch (0 to the year 2106; cut to the file's
    /// resolution), its length on the wire in bytes (raised to what was captured), and the captured bytes.
    pub fn write(&mut self, time_ns: i64, wire_len: u32, data: &[u8]) -> io::Result<()> {
        let seconds = u32::try_from(time_ns.div_euclid(1_000_000_000));
        let captured = u32::try_from(data.len()).ok().filter(|&len| len <= MAX_CAPTURED);
        let (Ok(seconds), Some(captured)) = (seconds, captured) else {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("pcap holds no packet of {} bytes at {time_ns} ns", data.len()),
            ));
        };
        let nanos = time_ns.rem_euclid(1_000_000_000) as u32;
        let fraction = match self.resolution {
            Resolution::Micros => nanos / 1000,
            Resolution::Nanos => nanos,
        };
        let mut header = [0; 16];
        for (field, value) in
            header.chunks_exact_mut(4).zip([seconds, fraction, captured, wire_len.max(captured)])
        {
            field.copy_from_slice(&value.to_le_bytes());
        }
        self.inner.write_all(&header)?;
        self.inner.write_all(data)
    }

    /// Writes a packet that was read; its link type must be the file's.
    pub fn write_packet(&mut self, packet: &Packet<'_>) -> io::Result<()> {
        self.write(packet.time_ns, packet.wire_len, packet.data)
    }

    /// Flushes what lies below.
    pub fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }

    /// Flushes what lies below and gives it back.
    pub fn finish(mut self) -> io::Result<W> {
        self.inner.flush()?;
        Ok(self.inner)
    }
}
