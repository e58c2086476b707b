//! The classic libpcap format: a header of 24 bytes, then records with headers of 16 bytes (24 in the "modified"
//! format of old Linux distributions).

mod header;
mod reader;
mod search;
mod writer;

pub(crate) use header::{HEADER_LEN, Header};
pub(crate) use reader::Reader;
pub use writer::{Resolution, Writer};

#[cfg(test)]
mod tests;
