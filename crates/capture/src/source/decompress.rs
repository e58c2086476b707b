//! The decompressors. All of them go on with the next member, frame or stream when one ends.

use std::io::{self, BufReader, Read};

use super::{Bytes, lz4};
use crate::Compression;
use crate::issue::Reason;

/// Compressed bytes that are read at a time.
const READ: usize = 64 << 10;

/// Memory that an xz decoder may take: enough for `xz -9`, whose dictionary is 64 MiB.
const XZ_MEMORY: u64 = 128 << 20;

/// Undoes a compression.
pub(super) fn decompress(
    compression: Compression,
    compressed: impl Read + Send + 'static,
) -> io::Result<Bytes> {
    let input = BufReader::with_capacity(READ, compressed);
    Ok(match compression {
        Compression::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(input)),
        Compression::Zstd => Box::new(zstd::stream::read::Decoder::with_buffer(input)?),
        Compression::Xz => {
            let stream =
                liblzma::stream::Stream::new_stream_decoder(XZ_MEMORY, liblzma::stream::CONCATENATED)?;
            Box::new(liblzma::bufread::XzDecoder::new_stream(input, stream))
        }
        Compression::Lz4 => Box::new(lz4::Decoder::new(input)),
        Compression::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(input)),
    })
}

/// What a failed read means.
pub(crate) fn failure(compression: Option<Compression>, error: &io::Error) -> Reason {
    match (compression, error.kind()) {
        (None, _) => Reason::Unreadable(error.to_string()),
        (Some(_), io::ErrorKind::UnexpectedEof) => Reason::CompressedCut,
        (Some(compression), _) => Reason::CompressedDamaged(format!("{compression}: {error}")),
    }
}
