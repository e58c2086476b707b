//! What the first bytes of a file say.

use crate::{Compression, pcap, pcapng};

/// The compression that begins with these bytes.
pub(super) fn compression(first: &[u8]) -> Option<Compression> {
    match *first {
        [0x1f, 0x8b, ..] => Some(Compression::Gzip),
        // A frame, or a skippable frame before it.
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some(Compression::Zstd),
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some(Compression::Xz),
        [0x04, 0x22, 0x4d, 0x18, ..] | [0x02, 0x21, 0x4c, 0x18, ..] => Some(Compression::Lz4),
        [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, ..]
        | [b'B', b'Z', b'h', b'1'..=b'9', 0x17, 0x72, 0x45, 0x38, ..] => Some(Compression::Bzip2),
        _ => None,
    }
}

/// Whether this is a section header of pcapng.
pub(super) fn is_pcapng(first: &[u8]) -> bool {
    let order = pcapng::section_order(first, 0);
    first.starts_with(&pcapng::SECTION_HEADER.to_le_bytes()) && order.is_some()
}

/// Whether a file that ends here may have been meant as a capture or as a compressed one.
pub(super) fn may_become_capture(first: &[u8]) -> bool {
    const BEGINNINGS: [&[u8]; 12] = [
        &[0xd4, 0xc3, 0xb2, 0xa1],
        &[0xa1, 0xb2, 0xc3, 0xd4],
        &[0x4d, 0x3c, 0xb2, 0xa1],
        &[0xa1, 0xb2, 0x3c, 0x4d],
        &[0x34, 0xcd, 0xb2, 0xa1],
        &[0xa1, 0xb2, 0xcd, 0x34],
        &[0x0a, 0x0d, 0x0d, 0x0a],
        &[0x1f, 0x8b],
        &[0x28, 0xb5, 0x2f, 0xfd],
        &[0xfd, b'7', b'z', b'X', b'Z', 0],
        &[0x04, 0x22, 0x4d, 0x18],
        b"BZh",
    ];
    let header = if first.starts_with(&pcapng::SECTION_HEADER.to_le_bytes()) { 12 } else { pcap::HEADER_LEN };
    first.len() < header
        && BEGINNINGS.iter().any(|magic| first.starts_with(magic) || magic.starts_with(first))
}

/// What a file that is no capture looks like.
pub(super) fn hint(first: &[u8]) -> &'static str {
    match first {
        [b's', b'n', b'o', b'o', b'p', 0, ..] => {
            "a snoop file; convert it with `editcap -F pcapng`; subflow reads pcap and pcapng"
        }
        [b'P', b'K', 3, 4, ..] => "a zip archive; unpack it first",
        [b'P', b'A', b'R', b'1', ..] => "a Parquet file; subflow reads pcap and pcapng here",
        [0x7f, b'E', b'L', b'F', ..] => "a program; subflow reads pcap and pcapng",
        [b'R', b'T', b'S', b'S', ..] | [b'X', b'C', b'P', 0, ..] | [b'G', b'M', b'B', b'U', ..] => {
            "a file of another capture program; convert it with `editcap -F pcapng`"
        }
        [0x0a, 0x0d, 0x0d, 0x0a, ..] => "a pcapng section header without its byte-order mark",
        _ if compression(first).is_some() => "compressed twice; undo one compression first",
        _ if pcap::Header::parse(first).is_some() || is_pcapng(first) => "a capture",
        _ if !first.is_empty()
            && first.iter().all(|byte| matches!(byte, 0x20..=0x7e | b'\t' | b'\r' | b'\n')) =>
        {
            "this looks like text; subflow reads pcap and pcapng, also compressed"
        }
        _ => "subflow reads pcap and pcapng, also compressed by gzip, zstd, xz, lz4 or bzip2",
    }
}
