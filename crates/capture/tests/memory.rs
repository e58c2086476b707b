//! Memory follows neither the size of the input nor the lengths that it claims. One test, alone in its process.

use std::io::Read;

use subflow_capture::Input;

/// `head`, then `record` over and over, up to `left` bytes in all.
struct Endless {
    head: Vec<u8>,
    record: Vec<u8>,
    place: usize,
    left: usize,
}

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let mut done = 0;
        while done < buffer.len() && self.left > 0 {
            let source = if self.head.is_empty() { &self.record[self.place..] } else { &self.head[..] };
            let len = source.len().min(buffer.len() - done).min(self.left);
            buffer[done..done + len].copy_from_slice(&source[..len]);
            done += len;
            self.left -= len;
            if self.head.is_empty() {
                self.place = (self.place + len) % self.record.len();
            } else {
                self.head.drain(..len);
            }
        }
        Ok(done)
    }
}

fn peak_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[test]
fn peak_memory_stays_small_whatever_comes() {
    let header = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0];
    let words = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
    let section = words(&[0x0a0d_0d0a, 28, 0x1a2b_3c4d, 1, u32::MAX, u32::MAX, 28]);
    let interface = words(&[1, 20, 1, 0, 20]);
    let cases = [
        ("empty packets of one time", header.clone(), words(&[7, 7, 0, 0])),
        ("huge lengths", header.clone(), words(&[7, 7, 0xffff_ff00, 0xffff_ff00])),
        ("large packets", header.clone(), [words(&[7, 7, 16 << 20, 16 << 20]), vec![0; 16 << 20]].concat()),
        ("largest packets", header, [words(&[7, 7, 262_144, 262_144]), vec![0; 262_144]].concat()),
        ("interfaces", section.clone(), interface.clone()),
        ("unknown interfaces", section.clone(), words(&[6, 36, 9, 0, 0, 4, 4, 0, 36])),
        ("sections", section.clone(), [section.clone(), interface].concat()),
        ("blocks of impossible length", section, words(&[6, 0xffff_fff0])),
    ];
    for (what, head, record) in cases {
        let reader = Endless { head, record, place: 0, left: 64 << 20 };
        let mut input = Input::from_reader(what, reader).expect("a capture");
        let mut packets = 0_u64;
        while input.next_packet().is_some() {
            packets += 1;
        }
        assert!(input.issues().len() < 8, "{what}: {:?}", input.issues());
        match peak_kib() {
            // The case with large packets holds 16 MiB itself.
            Some(peak) => assert!(peak < 80 << 10, "{what}: {peak} KiB after {packets} packets"),
            None => eprintln!("skipped: the system does not tell the peak memory"),
        }
    }
}
