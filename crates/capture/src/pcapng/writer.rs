//! Writing pcapng files.

use std::io::{self, Write};

use subflow_wire::LinkType;

use super::block::{BYTE_ORDER, ENHANCED_PACKET, INTERFACE, MAX_READ, SECTION_HEADER};
use crate::MAX_CAPTURED;

const OPT_COMMENT: u16 = 1;
const IF_NAME: u16 = 2;
const IF_DESCRIPTION: u16 = 3;
const IF_TSRESOL: u16 = 9;
const INTERFACE_STATISTICS: u32 = 5;
const ISB_IFRECV: u16 = 4;
const ISB_IFDROP: u16 = 5;

/// An interface to be described in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interface<'a> {
    /// How its packets begin.
    pub link: LinkType,
    /// Name, such as `eth0`.
    pub name: Option<&'a str>,
    /// Free text.
    pub description: Option<&'a str>,
}

impl Interface<'_> {
    /// An interface without a name.
    pub fn new(link: LinkType) -> Self {
        Self { link, name: None, description: None }
    }
}

/// Writes a pcapng file of one section: little-endian, times in nanoseconds, any number of interfaces. Nothing is
/// buffered here but one block: give it a `BufWriter` for files.
#[derive(Debug)]
pub struct Writer<W: Write> {
    inner: W,
    interfaces: u32,
    block: Vec<u8>,
}

impl<W: Write> Writer<W> {
    /// Writes the section header.
    pub fn new(inner: W) -> io::Result<Self> {
        let mut writer = Self { inner, interfaces: 0, block: Vec::new() };
        writer.begin(SECTION_HEADER);
        writer.word(BYTE_ORDER);
        writer.half(1);
        writer.half(0);
        // Section length: not known.
        writer.block.extend_from_slice(&u64::MAX.to_le_bytes());
        writer.end()?;
        Ok(writer)
    }

    /// Describes an interface and returns its number, which packets name.
    pub fn add_interface(&mut self, interface: Interface<'_>) -> io::Result<u32> {
        self.begin(INTERFACE);
        self.half(interface.link.0);
        self.half(0);
        self.word(MAX_CAPTURED);
        if let Some(name) = interface.name {
            self.option(IF_NAME, name.as_bytes())?;
        }
        if let Some(description) = interface.description {
            self.option(IF_DESCRIPTION, description.as_bytes())?;
        }
        self.option(IF_TSRESOL, &[9])?;
        self.option(0, &[])?;
        self.end()?;
        self.interfaces += 1;
        Ok(self.interfaces - 1)
    }

    /// Writes one packet: the interface's number, its time in nanoseconds since the epoch (not before it), its length
    /// on the wire in bytes (raised to what was captured), the captured bytes, and a comment for the reader.
    pub fn write(
        &mut self,
        interface: u32,
        time_ns: i64,
        wire_len: u32,
        data: &[u8],
        comment: Option<&str>,
    ) -> io::Result<()> {
        let captured = u32::try_from(data.len()).ok().filter(|&len| len <= MAX_CAPTURED);
        let (Ok(time), Some(captured), true) =
            (u64::try_from(time_ns), captured, interface < self.interfaces)
        else {
            return Err(invalid(format!(
                "no packet of {} bytes at {time_ns} ns on interface {interface} of {}",
                data.len(),
                self.interfaces
            )));
        };
        self.begin(ENHANCED_PACKET);
        self.word(interface);
        self.word((time >> 32) as u32);
        self.word(time as u32);
        self.word(captured);
        self.word(wire_len.max(captured));
        self.block.extend_from_slice(data);
        self.pad();
        if let Some(comment) = comment {
            self.option(OPT_COMMENT, comment.as_bytes())?;
            self.option(0, &[])?;
        }
        self.end()
    }

    /// Writes what was counted at an interface up to a time: packets that came (those dropped included), and packets that
    /// were dropped because nobody read them in time.
    pub fn statistics(
        &mut self,
        interface: u32,
        time_ns: i64,
        received: u64,
        dropped: u64,
    ) -> io::Result<()> {
        let time = time_ns.max(0).cast_unsigned();
        self.begin(INTERFACE_STATISTICS);
        self.word(interface);
        self.word((time >> 32) as u32);
        self.word(time as u32);
        self.option(ISB_IFRECV, &received.to_le_bytes())?;
        self.option(ISB_IFDROP, &dropped.to_le_bytes())?;
        self.option(0, &[])?;
        self.end()
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

    fn begin(&mut self, kind: u32) {
        self.block.clear();
        self.word(kind);
        self.word(0);
    }

    fn end(&mut self) -> io::Result<()> {
        let len = u32::try_from(self.block.len() + 4).ok().filter(|&len| len <= MAX_READ);
        let len = len.ok_or_else(|| invalid("block is too long".to_owned()))?;
        self.word(len);
        if let Some(front) = self.block.get_mut(4..8) {
            front.copy_from_slice(&len.to_le_bytes());
        }
        self.inner.write_all(&self.block)
    }

    fn option(&mut self, code: u16, value: &[u8]) -> io::Result<()> {
        let len = u16::try_from(value.len())
            .map_err(|_| invalid(format!("option of {} bytes is too long", value.len())))?;
        self.half(code);
        self.half(len);
        self.block.extend_from_slice(value);
        self.pad();
        Ok(())
    }

    fn pad(&mut self) {
        self.block.resize(self.block.len().next_multiple_of(4), 0);
    }

    fn word(&mut self, value: u32) {
        self.block.extend_from_slice(&value.to_le_bytes());
    }

    fn half(&mut self, value: u16) {
        self.block.extend_from_slice(&value.to_le_bytes());
    }
}

fn invalid(reason: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, reason)
}
