//! A box that changes bytes of the payload without changing their number, as an application-level gateway may, and repairs the TCP
//! checksum. Only a DSS checksum shows it (RFC 8684, section 3.3.1).

use super::{Flow, Table, Way};
use crate::header::Header;

/// Changes bytes at one place of every flow.
#[derive(Clone, Debug)]
pub struct Change {
    /// In this direction.
    pub way: Way,
    /// From this byte of the flow on, counted from the byte after the SYN.
    pub at: u32,
    /// So many bytes.
    pub len: u16,
    /// Only flows of this inner port; all when `None`.
    pub inner_port: Option<u16>,
    /// Segments changed so far.
    pub changed: u64,
    origins: Table<Flow, u32>,
}

impl Change {
    /// Changes the bytes from `at` on of every flow in one direction, in every copy.
    pub fn new(way: Way, at: u32, len: u16) -> Self {
        Self { way, at, len, inner_port: None, changed: 0, origins: Table::default() }
    }

    pub(super) fn pass(&mut self, way: Way, header: &mut Header) {
        let flow = Flow::of(way, header);
        if way != self.way || self.inner_port.is_some_and(|port| port != flow.inner.port()) {
            return;
        }
        if header.flags.syn() {
            self.origins.insert(flow, header.seq.wrapping_add(1));
            return;
        }
        let Some(&origin) = self.origins.get(&flow) else { return };
        // Positions of the segment's bytes on the flow; the part that is to change, if any.
        let start = header.seq.wrapping_sub(origin);
        let end = start.saturating_add(u32::from(header.payload.len));
        let (from, to) = (start.max(self.at), end.min(self.at.saturating_add(u32::from(self.len))));
        if from < to {
            header.payload.changed_at = (from - start) as u16;
            header.payload.changed = (to - from) as u16;
            self.changed += 1;
        }
    }
}
