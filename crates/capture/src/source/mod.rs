//! Bytes of one file: opened, uncompressed, and its format told by the first of them.

mod decompress;
mod lz4;
mod magic;

use std::io::{self, Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

pub(crate) use decompress::failure;

use crate::issue::Reason;
use crate::{Compression, Container, pcap};

/// Enough for every magic number, and the pcap file header.
const LOOK: usize = 32;

/// No compression has larger blocks with a checksum each than this, but for odd settings of xz.
const FIRST_BLOCK: u64 = 4 << 20;

/// Uncompressed bytes.
pub(crate) type Bytes = Box<dyn Read + Send>;

/// A file whose first bytes were looked at.
pub(crate) struct Source {
    pub(crate) compression: Option<Compression>,
    pub(crate) content: Content,
}

/// What a file holds.
pub(crate) enum Content {
    /// The bytes behind the file header.
    Pcap(pcap::Header, Bytes),
    /// All bytes.
    Pcapng(Bytes),
    /// No capture, but a file that may have become one: empty, cut, or damaged.
    Broken(Reason),
    /// Something else.
    Other { first_bytes: Vec<u8>, hint: &'static str },
}

impl Content {
    pub(crate) fn container(&self) -> Option<Container> {
        match self {
            Content::Pcap(..) => Some(Container::Pcap),
            Content::Pcapng(_) => Some(Container::Pcapng),
            Content::Broken(_) | Content::Other { .. } => None,
        }
    }
}

impl Source {
    /// Looks at the first bytes of a reader and undoes its compression.
    pub(crate) fn open(reader: impl Read + Send + 'static) -> Source {
        let mut reader = reader;
        let (first, failed) = read_some(&mut reader);
        if let Some(error) = failed {
            return Source {
                compression: None,
                content: Content::Broken(Reason::Unreadable(error.to_string())),
            };
        }
        let Some(compression) = magic::compression(&first) else {
            let empty = if first.is_empty() { Reason::Empty } else { Reason::CutInFileHeader };
            return Source {
                compression: None,
                content: Self::content(first, Box::new(reader), None, empty),
            };
        };
        let content = match decompress::decompress(compression, Cursor::new(first).chain(reader)) {
            Ok(mut plain) => {
                let (first, failed) = read_some(&mut plain);
                match failed {
                    Some(error) if first.is_empty() => Content::Broken(failure(Some(compression), &error)),
                    _ => Self::content(first, plain, Some(compression), Reason::CutInFileHeader),
                }
            }
            Err(error) => Content::Broken(failure(Some(compression), &error)),
        };
        Source { compression: Some(compression), content }
    }

    fn content(first: Vec<u8>, rest: Bytes, compression: Option<Compression>, short: Reason) -> Content {
        if let Some(header) = pcap::Header::parse(&first) {
            let mut begin = Cursor::new(first);
            begin.set_position(pcap::HEADER_LEN as u64);
            return Content::Pcap(header, Box::new(begin.chain(rest)));
        }
        if magic::is_pcapng(&first) {
            return Content::Pcapng(Box::new(Cursor::new(first).chain(rest)));
        }
        if magic::may_become_capture(&first) {
            return Content::Broken(short);
        }
        // Damage inside the first compressed block shows only at its end.
        let damage = |_| io::copy(&mut rest.take(FIRST_BLOCK), &mut io::sink()).err();
        if let Some(error) = compression.and_then(damage) {
            return Content::Broken(failure(compression, &error));
        }
        let hint = magic::hint(&first);
        Content::Other { first_bytes: first.into_iter().take(8).collect(), hint }
    }
}

/// The first bytes, and why there are no more.
fn read_some(reader: &mut impl Read) -> (Vec<u8>, Option<io::Error>) {
    let mut first = Vec::with_capacity(LOOK);
    let failed = reader.by_ref().take(LOOK as u64).read_to_end(&mut first).err();
    (first, failed)
}

/// Counts the bytes that pass, for the progress bar.
pub(crate) struct Counting<R> {
    inner: R,
    count: Arc<AtomicU64>,
}

impl<R: Read> Counting<R> {
    pub(crate) fn new(inner: R, count: Arc<AtomicU64>) -> Self {
        Self { inner, count }
    }
}

impl<R: Read> Read for Counting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.count.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

#[cfg(test)]
mod tests;
