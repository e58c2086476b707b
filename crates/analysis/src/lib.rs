//! Packets to Multipath TCP connections, subflows and everything counted about them.
//!
//! Bytes and timestamps go in ([`Analyzer::packet`]), rows of the passive tables come out through a
//! [`rows::Sink`]: no sockets, no clock, no file formats. Memory follows open connections, not packets.

mod addr;
mod analyzer;
mod connection;
mod duplicates;
mod flow;
mod issues;
mod options;
mod reassembly;
pub mod rows;
mod segment;
mod sight;
pub mod summary;
mod track;
mod traffic;

pub use addr::{class, is_global};
pub use analyzer::{Analyzer, OpenConnection, OpenSubflow, View};
pub use options::{Filter, IpPrefix, Options};
