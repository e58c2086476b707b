//! pcapng: blocks with their length in front and behind; sections with a byte order each; interfaces with a link type
//! and a time resolution each.

mod block;
mod interface;
mod reader;
mod search;
mod writer;

pub(crate) use block::{SECTION_HEADER, section_order};
pub(crate) use reader::Reader;
pub use writer::{Interface, Writer};

#[cfg(test)]
mod tests;
