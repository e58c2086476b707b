//! Packets in and out of files.
//!
//! [`Input`] reads pcap and pcapng in all their variants, plain or compressed (gzip, zstd, xz, LZ4, bzip2), from
//! files, folders, patterns and standard input, and yields the packets of all of them in time order. What cannot be
//! read is counted ([`Issue`]), never fatal. [`Live`] yields the packets of network interfaces as they come.
//! [`pcap::Writer`] and [`pcapng::Writer`] write.
//!
//! ```
//! use subflow_capture::{Input, pcap};
//! use subflow_wire::LinkType;
//!
//! let mut writer = pcap::Writer::new(Vec::new(), LinkType(1), pcap::Resolution::Nanos)?;
//! writer.write(1_700_000_000_000_000_001, 1500, &[0; 60])?;
//! let file = writer.finish()?;
//!
//! let mut input = Input::from_reader("example", std::io::Cursor::new(file))?;
//! let packet = input.next_packet().expect("one packet");
//! assert_eq!((packet.time_ns, packet.wire_len), (1_700_000_000_000_000_001, 1500));
//! assert!(input.next_packet().is_none());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod ahead;
mod error;
mod file;
mod input;
mod issue;
pub mod live;
mod merge;
mod packet;
mod paths;
pub mod pcap;
pub mod pcapng;
mod record;
mod source;
mod stream;
mod window;

pub use ahead::{Ahead, Packets};
pub use error::Error;
pub use file::{Compression, Container, FileInfo};
pub use input::Input;
pub use issue::{Issue, Reason};
pub use live::Live;
pub use packet::Packet;

/// Longest packet that is delivered, in captured bytes: libpcap's MAXIMUM_SNAPLEN.
pub const MAX_CAPTURED: u32 = 262_144;
