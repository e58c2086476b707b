//! What is known about each input file.

use std::fmt;

/// One file that packets are read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileInfo {
    /// The path as given, or `-` for standard input.
    pub name: String,
    /// Size on disk in bytes (compressed, where it is); `None` for pipes.
    pub size: Option<u64>,
    /// What the first bytes said; `None` until the file was opened, or when it is no capture.
    pub container: Option<Container>,
    /// How it is compressed; `None` when it is not, or until it was opened.
    pub compression: Option<Compression>,
}

/// The file formats that hold packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Container {
    /// Classic libpcap format, in any byte order and time resolution.
    Pcap,
    /// pcapng.
    Pcapng,
}

impl fmt::Display for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Container::Pcap => "pcap",
            Container::Pcapng => "pcapng",
        })
    }
}

/// The compressions that are undone on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// gzip, RFC 1952.
    Gzip,
    /// Zstandard, RFC 8878.
    Zstd,
    /// xz.
    Xz,
    /// LZ4 frames.
    Lz4,
    /// bzip2.
    Bzip2,
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Compression::Gzip => "gzip",
            Compression::Zstd => "zstd",
            Compression::Xz => "xz",
            Compression::Lz4 => "lz4",
            Compression::Bzip2 => "bzip2",
        })
    }
}
