//! A packet as the rest of subflow sees it.

use subflow_wire::LinkType;

/// One packet, borrowed from the reader's buffer until the next call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// Capture time in nanoseconds since the Unix epoch (UTC).
    pub time_ns: i64,
    /// Length on the wire in bytes, without the frame check sequence; never less than `data.len()`.
    pub wire_len: u32,
    /// How the bytes begin: the LINKTYPE_ number of the file or of the interface.
    pub link: LinkType,
    /// Number of the interface within its file, counted over all sections (pcapng); 0 for pcap.
    pub interface: u32,
    /// Index into [`Input::files`](crate::Input::files).
    pub file: u32,
    /// Record number within its file, from 1, as Wireshark counts; skipped records count, too.
    pub frame: u64,
    /// The captured bytes; a frame check sequence that the file announces is already cut off.
    pub data: &'a [u8],
}
