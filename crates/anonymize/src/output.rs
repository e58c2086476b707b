//! The new capture: container and compression by its name, complete or not there at all.

use crate::Error;
use flate2::write::GzEncoder;
use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};
use subflow_capture::{Container, pcap, pcapng};
use subflow_wire::LinkType;

/// Where a packet was captured: file, interface, and how its frames begin now.
pub(crate) type Interface = (u32, u32, LinkType);

/// What a name says about the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Form {
    container: Container,
    compression: Option<Compressor>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Compressor {
    Zstd,
    Gzip,
}

impl Form {
    fn of(path: &Path) -> Self {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        let (stem, compression) = match name.rsplit_once('.') {
            Some((stem, "zst" | "zstd")) => (stem, Some(Compressor::Zstd)),
            Some((stem, "gz")) => (stem, Some(Compressor::Gzip)),
            _ => (name.as_str(), None),
        };
        let container = if stem.ends_with(".pcapng") || stem.ends_with(".ntar") {
            Container::Pcapng
        } else {
            Container::Pcap
        };
        Self { container, compression }
    }
}

enum Compressing {
    Plain(BufWriter<File>),
    Zstd(zstd::Encoder<'static, BufWriter<File>>),
    Gzip(GzEncoder<BufWriter<File>>),
}

impl Write for Compressing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(inner) => inner.write(bytes),
            Self::Zstd(inner) => inner.write(bytes),
            Self::Gzip(inner) => inner.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(inner) => inner.flush(),
            Self::Zstd(inner) => inner.flush(),
            Self::Gzip(inner) => inner.flush(),
        }
    }
}

impl Compressing {
    fn finish(self) -> io::Result<()> {
        let mut buffer = match self {
            Self::Plain(inner) => inner,
            Self::Zstd(inner) => inner.finish()?,
            Self::Gzip(inner) => inner.finish()?,
        };
        buffer.flush()
    }
}

enum Writer {
    Pcap(pcap::Writer<BufWriter<Compressing>>),
    Pcapng(pcapng::Writer<BufWriter<Compressing>>, HashMap<Interface, u32>),
}

/// A capture in the making, under a name of its own until it is published. It is deleted if it never is.
pub(crate) struct Output {
    path: PathBuf,
    draft: Draft,
    writer: Writer,
}

/// The unpublished file.
pub(crate) struct Draft {
    path: PathBuf,
    published: bool,
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.published {
            // If it cannot be deleted there is nothing more to be done about it.
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl Draft {
    /// Where it lies.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Gives it its name.
    pub(crate) fn publish(mut self, path: &Path, force: bool) -> Result<(), Error> {
        if !force && path.exists() {
            return Err(Error::Exists { path: path.to_owned() });
        }
        fs::rename(&self.path, path).map_err(|source| Error::Output { path: path.to_owned(), source })?;
        self.published = true;
        Ok(())
    }
}

impl Output {
    /// Begins a capture for packets of these interfaces. `fine` says that microseconds are too coarse for their times.
    pub(crate) fn create(path: &Path, interfaces: &[Interface], fine: bool) -> Result<Self, Error> {
        let fail = |source| Error::Output { path: path.to_owned(), source };
        let form = Form::of(path);
        let mut links: Vec<LinkType> = interfaces.iter().map(|interface| interface.2).collect();
        links.sort();
        links.dedup();
        if form.container == Container::Pcap && links.len() > 1 {
            let links = links.iter().map(LinkType::to_string).collect();
            return Err(Error::ManyLinks { path: path.to_owned(), links });
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let draft = path.with_file_name(format!(".{name}.{}.part", std::process::id()));
        let file = OpenOptions::new().write(true).create_new(true).open(&draft).map_err(fail)?;
        let draft = Draft { path: draft, published: false };
        let file = BufWriter::with_capacity(1 << 16, file);
        let inner = match form.compression {
            None => Compressing::Plain(file),
            Some(Compressor::Zstd) => Compressing::Zstd(zstd::Encoder::new(file, 0).map_err(fail)?),
            Some(Compressor::Gzip) => Compressing::Gzip(GzEncoder::new(file, flate2::Compression::default())),
        };
        let inner = BufWriter::with_capacity(1 << 16, inner);
        let writer = match form.container {
            Container::Pcap => {
                let link = links.first().copied().unwrap_or(LinkType::ETHERNET);
                let resolution = if fine { pcap::Resolution::Nanos } else { pcap::Resolution::Micros };
                Writer::Pcap(pcap::Writer::new(inner, link, resolution).map_err(fail)?)
            }
            Container::Pcapng => {
                let mut writer = pcapng::Writer::new(inner).map_err(fail)?;
                let mut numbers = HashMap::new();
                for interface in interfaces {
                    // Neither its name nor what somebody wrote about it.
                    let number = writer.add_interface(pcapng::Interface::new(interface.2)).map_err(fail)?;
                    numbers.insert(*interface, number);
                }
                Writer::Pcapng(writer, numbers)
            }
        };
        Ok(Self { path: path.to_owned(), draft, writer })
    }

    /// Writes a packet.
    pub(crate) fn write(
        &mut self,
        interface: Interface,
        time_ns: i64,
        wire_len: u32,
        data: &[u8],
    ) -> Result<(), Error> {
        match &mut self.writer {
            Writer::Pcap(writer) => writer.write(time_ns, wire_len, data),
            Writer::Pcapng(writer, numbers) => {
                let number = numbers.get(&interface).copied().unwrap_or(0);
                writer.write(number, time_ns, wire_len, data, None)
            }
        }
        .map_err(|source| Error::Output { path: self.path.clone(), source })
    }

    /// Writes what is left, and gives the file back to be looked at and published.
    pub(crate) fn finish(self) -> Result<Draft, Error> {
        let Self { path, draft, writer } = self;
        let inner = match writer {
            Writer::Pcap(writer) => writer.finish(),
            Writer::Pcapng(writer, _) => writer.finish(),
        };
        let finish = |inner: BufWriter<Compressing>| inner.into_inner().map_err(io::Error::from)?.finish();
        inner.and_then(finish).map_err(|source| Error::Output { path, source })?;
        Ok(draft)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_says_what_it_will_be() {
        let form = |name: &str| {
            let form = Form::of(Path::new(name));
            (form.container, form.compression)
        };
        assert_eq!(form("a.pcap"), (Container::Pcap, None));
        assert_eq!(form("a"), (Container::Pcap, None));
        assert_eq!(form("a.PCAPNG"), (Container::Pcapng, None));
        assert_eq!(form("a.pcap.zst"), (Container::Pcap, Some(Compressor::Zstd)));
        assert_eq!(form("a.pcapng.gz"), (Container::Pcapng, Some(Compressor::Gzip)));
    }

    #[test]
    fn what_is_not_published_leaves_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out.pcap");
        let output = Output::create(&path, &[], false).unwrap();
        drop(output);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
        let draft = Output::create(&path, &[], false).unwrap().finish().unwrap();
        draft.publish(&path, false).unwrap();
        let draft = Output::create(&path, &[], false).unwrap().finish().unwrap();
        assert!(matches!(draft.publish(&path, false), Err(Error::Exists { .. })));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
