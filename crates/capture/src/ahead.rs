//! Reading ahead: decompression, framing and sorting in a thread of their own.

use crate::{Input, Packet};
use std::{
    sync::mpsc::{Receiver, SendError, SyncSender, sync_channel},
    thread::{self, JoinHandle},
};
use subflow_wire::LinkType;

/// A batch is sent when it holds this many packets …
const BATCH_PACKETS: usize = 2048;
/// … or this many bytes.
const BATCH_BYTES: usize = 512 * 1024;
/// Batches under way between the two threads.
const BATCHES: usize = 4;

/// Packets in time order, wherever they are read.
pub trait Packets {
    /// The next packet; `None` at the end.
    fn next_packet(&mut self) -> Option<Packet<'_>>;

    /// Bytes read so far, as they lie on disk.
    fn bytes_read(&self) -> u64;
}

impl Packets for Input {
    #[inline]
    fn next_packet(&mut self) -> Option<Packet<'_>> {
        Input::next_packet(self)
    }

    fn bytes_read(&self) -> u64 {
        Input::bytes_read(self)
    }
}

/// A packet whose bytes end here in its batch.
#[derive(Clone, Copy)]
struct Head {
    time_ns: i64,
    wire_len: u32,
    link: LinkType,
    interface: u32,
    file: u32,
    frame: u64,
    end: usize,
}

#[derive(Default)]
struct Batch {
    bytes: Vec<u8>,
    heads: Vec<Head>,
    /// What [`Input::bytes_read`] said when the batch was full.
    read: u64,
}

/// An [`Input`] that is read by another thread, a few batches ahead. The packets are the same in the same order.
pub struct Ahead {
    batch: Batch,
    next: usize,
    full: Option<Receiver<Batch>>,
    empty: Option<SyncSender<Batch>>,
    reader: Option<JoinHandle<Option<Input>>>,
}

impl Ahead {
    /// Begins to read; hands the input back where the system gives no thread.
    pub fn start(input: Input) -> Result<Self, Box<Input>> {
        let (full_out, full) = sync_channel(BATCHES);
        let (empty, empty_in) = sync_channel::<Batch>(BATCHES + 1);
        // The input follows once there is a thread to take it.
        let (hand_over, taken) = sync_channel::<Input>(1);
        let reader = thread::Builder::new().name("reader".to_owned()).spawn(move || {
            let mut input = taken.recv().ok()?;
            loop {
                let mut batch = empty_in.try_recv().unwrap_or_default();
                batch.fill(&mut input);
                // Nobody listens any more: what was asked for has been read.
                if batch.heads.is_empty() || full_out.send(batch).is_err() {
                    return Some(input);
                }
            }
        });
        let Ok(reader) = reader else { return Err(Box::new(input)) };
        if let Err(SendError(input)) = hand_over.send(input) {
            return Err(Box::new(input));
        }
        Ok(Self {
            batch: Batch::default(),
            next: 0,
            full: Some(full),
            empty: Some(empty),
            reader: Some(reader),
        })
    }

    /// Ends the reading, if it has not ended yet, and hands the input back: its issues are complete as far as was read.
    ///
    /// # Panics
    /// Passes on a panic of the reading thread.
    pub fn finish(mut self) -> Input {
        (self.full, self.empty) = (None, None);
        let reader = self.reader.take().expect("there is one reader until the end");
        let input = reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        input.expect("the reader was handed its input")
    }

    /// Takes the next batch; `None` at the end of the input.
    fn turn(&mut self) -> Option<()> {
        let next = self.full.as_ref()?.recv().ok()?;
        let mut used = std::mem::replace(&mut self.batch, next);
        self.next = 0;
        used.clear();
        if let Some(empty) = &self.empty {
            // A full channel means that there are buffers enough.
            let _ = empty.try_send(used);
        }
        Some(())
    }
}

impl Packets for Ahead {
    #[inline]
    fn next_packet(&mut self) -> Option<Packet<'_>> {
        if self.next == self.batch.heads.len() {
            self.turn()?;
        }
        let start = self
            .next
            .checked_sub(1)
            .and_then(|before| self.batch.heads.get(before))
            .map_or(0, |head| head.end);
        let head = self.batch.heads.get(self.next)?;
        self.next += 1;
        Some(Packet {
            time_ns: head.time_ns,
            wire_len: head.wire_len,
            link: head.link,
            interface: head.interface,
            file: head.file,
            frame: head.frame,
            data: self.batch.bytes.get(start..head.end).unwrap_or_default(),
        })
    }

    fn bytes_read(&self) -> u64 {
        self.batch.read
    }
}

impl Batch {
    fn clear(&mut self) {
        self.bytes.clear();
        self.heads.clear();
    }

    fn fill(&mut self, input: &mut Input) {
        while self.heads.len() < BATCH_PACKETS && self.bytes.len() < BATCH_BYTES {
            let Some(packet) = input.next_packet() else { break };
            self.bytes.extend_from_slice(packet.data);
            self.heads.push(Head {
                time_ns: packet.time_ns,
                wire_len: packet.wire_len,
                link: packet.link,
                interface: packet.interface,
                file: packet.file,
                frame: packet.frame,
                end: self.bytes.len(),
            });
        }
        self.read = input.bytes_read();
    }
}

#[cfg(test)]
mod tests {
    use super::{Ahead, Packets};
    use crate::{Input, pcap};
    use std::io::Cursor;
    use subflow_wire::LinkType;

    fn capture(packets: u32) -> Vec<u8> {
        let mut writer = pcap::Writer::new(Vec::new(), LinkType(1), pcap::Resolution::Nanos).unwrap();
        for k in 0..packets {
            let len = k % 97;
            writer.write(i64::from(k), len + 1, &vec![k as u8; len as usize]).unwrap();
        }
        let mut file = writer.finish().unwrap();
        file.extend_from_slice(&[1, 2, 3]);
        file
    }

    #[test]
    fn packets_are_the_same_as_without() {
        for count in [0, 1, 2047, 2048, 2049, 20_000] {
            let mut plain = Input::from_reader("plain", Cursor::new(capture(count))).unwrap();
            let mut ahead =
                Ahead::start(Input::from_reader("ahead", Cursor::new(capture(count))).unwrap()).ok().unwrap();
            let mut seen = 0;
            while let Some(expected) = plain.next_packet() {
                assert_eq!(ahead.next_packet(), Some(expected));
                seen += 1;
            }
            assert_eq!(seen, count);
            assert!(ahead.next_packet().is_none());
            assert!(ahead.next_packet().is_none(), "the end stays the end");
            assert_eq!(ahead.finish().issues(), plain.issues());
        }
    }

    #[test]
    fn it_can_be_stopped_early() {
        let mut ahead =
            Ahead::start(Input::from_reader("long", Cursor::new(capture(100_000))).unwrap()).ok().unwrap();
        assert!(ahead.next_packet().is_some());
        assert_eq!(ahead.finish().files().len(), 1);
    }
}
