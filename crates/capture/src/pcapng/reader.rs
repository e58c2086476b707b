//! Indexing the blocks of a buffer.

use super::block::{
    self, CUSTOM, CUSTOM_NOT_COPIED, ENHANCED_PACKET, INTERFACE, JOURNAL, MAX_READ, MIN_BLOCK,
    OBSOLETE_PACKET, SECTION_HEADER, SIMPLE_PACKET, sane_length, section_order,
};
use super::interface::Description;
use super::search::{Verdict, block_at, search};
use crate::MAX_CAPTURED;
use crate::issue::{Issues, Reason};
use crate::record::{Chunk, Indexed, Record, Stop, u32_at};
use crate::window::{Pushed, StepBack, Window};

/// Interfaces that are kept in a section, so that a file of nothing else does not fill the memory.
const MAX_INTERFACES: usize = 65_536;

/// Decoder state of one pcapng file.
pub(crate) struct Reader {
    file: u32,
    frame: u64,
    big_endian: bool,
    interfaces: Vec<Description>,
    /// Interfaces of the sections before this one.
    interfaces_before: u32,
    /// Time of the packet before, for those without one.
    time: Option<i64>,
    /// File offset where damage began while the next block is sought.
    searching: Option<u64>,
}

/// Why the inner loop came back.
enum Turn {
    /// A section of the other byte order begins at this place.
    Other(usize),
    Stop(Indexed),
}

/// Why a packet block was not taken.
enum Refused {
    Barrier,
    Skipped(Reason),
}

impl Reader {
    pub(crate) fn new(file: u32) -> Self {
        Self {
            file,
            frame: 0,
            big_endian: false,
            interfaces: Vec::new(),
            interfaces_before: 0,
            time: None,
            searching: None,
        }
    }

    /// Packets so far.
    pub(crate) fn frame(&self) -> u64 {
        self.frame
    }

    /// Indexes what is there.
    pub(crate) fn index(&mut self, chunk: Chunk<'_>, window: &mut Window, issues: &mut Issues) -> Indexed {
        let mut at = chunk.start;
        loop {
            let turn = if self.big_endian {
                self.index_as::<true>(chunk, at, window, issues)
            } else {
                self.index_as::<false>(chunk, at, window, issues)
            };
            match turn {
                Turn::Stop(indexed) => return indexed,
                Turn::Other(place) => {
                    self.big_endian = !self.big_endian;
                    at = place;
                }
            }
        }
    }

    fn index_as<const BIG: bool>(
        &mut self,
        chunk: Chunk<'_>,
        start: usize,
        window: &mut Window,
        issues: &mut Issues,
    ) -> Turn {
        let bytes = chunk.bytes;
        let mut at = start;
        loop {
            if self.searching.is_some() {
                match self.search::<BIG>(chunk, at, issues) {
                    Ok(found) => at = found,
                    Err(stop) => return Turn::Stop(stop),
                }
            }
            let Some(head) = bytes.get(at..).and_then(|rest| rest.first_chunk::<12>()) else {
                return self.end(chunk, at, MIN_BLOCK as usize, issues);
            };
            let kind = u32_at::<BIG>(head, 0);
            if kind == SECTION_HEADER {
                match section_order(bytes, at) {
                    Some(order) if order != BIG => return Turn::Other(at),
                    Some(_) => {}
                    None => {
                        self.damage(chunk, at, Reason::BadBlock { kind }, issues);
                        at += 4;
                        continue;
                    }
                }
            }
            let len = u32_at::<BIG>(head, 4);
            if !sane_length(len) {
                self.damage(chunk, at, Reason::BadBlockLength { kind, len }, issues);
                at += 4;
                continue;
            }
            let next = at + len as usize;
            if next > bytes.len() {
                match kind {
                    ENHANCED_PACKET | OBSOLETE_PACKET | SIMPLE_PACKET if len > MAX_READ => {
                        let len = u64::from(len);
                        issues.add(self.file, chunk.offset(at), Reason::TooLarge { len });
                        self.frame += 1;
                        return Turn::Stop(Indexed { at, stop: Stop::Skip(len) });
                    }
                    // Not packets, and too long for anything else that is looked into.
                    _ if len > MAX_READ => {
                        return Turn::Stop(Indexed { at, stop: Stop::Skip(u64::from(len)) });
                    }
                    _ => return self.end(chunk, at, len as usize, issues),
                }
            }
            let block = bytes.get(at..next).unwrap_or_default();
            if block.last_chunk::<4>() != head[4..].first_chunk::<4>() {
                // Wrong at the front or at the back? At the front, unless a block follows.
                let follows = next == bytes.len() && chunk.last
                    || match block_at::<BIG>(bytes, chunk.last, next) {
                        Verdict::Yes => true,
                        Verdict::No => false,
                        Verdict::Unclear(_) if next + MIN_BLOCK as usize <= bytes.len() => true,
                        Verdict::Unclear(need) => return self.end(chunk, at, len as usize + need, issues),
                    };
                self.damage(chunk, at, Reason::BadBlockLength { kind, len }, issues);
                if !follows {
                    at += 4;
                    continue;
                }
                self.searching = None;
            }
            match kind {
                ENHANCED_PACKET | OBSOLETE_PACKET | SIMPLE_PACKET => {
                    match self.packet::<BIG>(chunk, at, kind, block, window, issues) {
                        Ok(()) => {}
                        Err(Refused::Barrier) => return Turn::Stop(Indexed { at, stop: Stop::Barrier }),
                        Err(Refused::Skipped(reason)) => issues.add(self.file, chunk.offset(at), reason),
                    }
                    self.frame += 1;
                }
                // Nothing to deliver, but Wireshark numbers these among the packets.
                CUSTOM | CUSTOM_NOT_COPIED | JOURNAL => self.frame += 1,
                INTERFACE => self.interface::<BIG>(chunk, at, block, issues),
                SECTION_HEADER => {
                    self.interfaces_before =
                        self.interfaces_before.saturating_add(self.interfaces.len() as u32);
                    self.interfaces.clear();
                }
                _ => {}
            }
            at = next;
        }
    }

    #[inline(always)]
    fn packet<const BIG: bool>(
        &mut self,
        chunk: Chunk<'_>,
        at: usize,
        kind: u32,
        block: &[u8],
        window: &mut Window,
        issues: &mut Issues,
    ) -> Result<(), Refused> {
        let Some(fields) = block::packet::<BIG>(kind, block) else {
            return Err(Refused::Skipped(Reason::BadBlock { kind }));
        };
        let Some(interface) = self.interfaces.get(fields.interface as usize) else {
            return Err(Refused::Skipped(Reason::UnknownInterface { interface: fields.interface }));
        };
        let room = (block.len() - 4).saturating_sub(fields.data) as u32;
        let captured = fields.captured.unwrap_or_else(|| {
            let snaplen = if interface.snaplen == 0 { u32::MAX } else { interface.snaplen };
            fields.original.min(snaplen).min(room)
        });
        if captured > room {
            return Err(Refused::Skipped(Reason::BadBlock { kind }));
        }
        if captured > MAX_CAPTURED {
            return Err(Refused::Skipped(Reason::TooLarge { len: u64::from(captured) }));
        }
        let mut fcs = interface.fcs;
        let options = fields.data + (captured as usize).next_multiple_of(4);
        if options + 4 < block.len() && kind != SIMPLE_PACKET {
            let option_bytes = block.get(options..block.len() - 4).unwrap_or_default();
            fcs = block::fcs_in_flags::<BIG>(option_bytes).unwrap_or(fcs);
        }
        let wire = fields.original.max(captured).saturating_sub(fcs);
        let time = match fields.ticks {
            Some(ticks) => interface.time(ticks),
            None => self.time.unwrap_or(0),
        };
        let record = Record {
            time,
            at: (at + fields.data) as u32,
            captured: captured.min(wire),
            wire,
            frame: (self.frame + 1) as u32,
            interface: self.interfaces_before.saturating_add(fields.interface),
            link: interface.link,
            slot: chunk.slot,
        };
        let mut note = |reason| issues.add(self.file, chunk.offset(at), reason);
        match window.push(record) {
            Ok(Pushed::Sorted) => {}
            Ok(Pushed::TooLate) => note(Reason::OutOfOrder),
            Err(StepBack(back_ns)) => {
                note(Reason::ClockStepsBack { back_ns });
                return Err(Refused::Barrier);
            }
        }
        if captured > fields.original {
            note(Reason::CapturedAboveOriginal);
        }
        if fields.ticks.is_none() {
            note(Reason::NoTime);
        }
        self.time = Some(time);
        Ok(())
    }

    #[cold]
    fn interface<const BIG: bool>(&mut self, chunk: Chunk<'_>, at: usize, block: &[u8], issues: &mut Issues) {
        let reason = match Description::parse::<BIG>(block) {
            Some(description) if self.interfaces.len() < MAX_INTERFACES => {
                self.interfaces.push(description);
                return;
            }
            Some(_) => Reason::TooManyInterfaces { limit: MAX_INTERFACES as u32 },
            None => Reason::BadBlock { kind: INTERFACE },
        };
        issues.add(self.file, chunk.offset(at), reason);
    }

    #[cold]
    fn damage(&mut self, chunk: Chunk<'_>, at: usize, reason: Reason, issues: &mut Issues) {
        issues.add(self.file, chunk.offset(at), reason);
        self.searching = chunk.offset(at);
    }

    /// The bytes from `at` on are no complete block.
    #[cold]
    fn end(&mut self, chunk: Chunk<'_>, at: usize, need: usize, issues: &mut Issues) -> Turn {
        if !chunk.last {
            return Turn::Stop(Indexed { at, stop: Stop::More(need) });
        }
        if at < chunk.bytes.len() {
            issues.add(self.file, chunk.offset(at), Reason::CutInRecord);
        }
        Turn::Stop(Indexed { at: chunk.bytes.len(), stop: Stop::More(0) })
    }

    /// Looks for a block from `from` on and says what was lost.
    #[cold]
    fn search<const BIG: bool>(
        &mut self,
        chunk: Chunk<'_>,
        from: usize,
        issues: &mut Issues,
    ) -> Result<usize, Indexed> {
        let found = search::<BIG>(chunk.bytes, chunk.last, from);
        chunk.settle(found, &mut self.searching, self.file, issues)
    }
}
