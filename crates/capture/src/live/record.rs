//! A recording of what is lent out, packet for packet.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use super::{Interface, Status};
use crate::{Container, Packet, pcap, pcapng};

/// So many bytes are gathered before they are written.
const GATHERED: usize = 1 << 18;

/// A file of packets in the making. It is written in pieces that end with a packet, so that a process that is killed leaves a
/// whole file behind, if not a complete one.
pub struct Recorder {
    form: Form,
    gathered: usize,
    packets: u64,
}

enum Form {
    Pcap(pcap::Writer<Pieces>),
    Pcapng(pcapng::Writer<Pieces>),
}

/// What has been recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recording {
    /// Packets.
    pub packets: u64,
}

impl Recorder {
    /// Makes the file, in place of one of that name. pcap has room for one link type only, which is then that of the first
    /// interface.
    pub fn create(path: &Path, container: Container, interfaces: &[Interface]) -> io::Result<Self> {
        let pieces = Pieces { file: File::create(path)?, piece: Vec::with_capacity(2 * GATHERED) };
        let form = match container {
            Container::Pcap => {
                let link = interfaces.first().map_or(subflow_wire::LinkType::ETHERNET, |one| one.link);
                Form::Pcap(pcap::Writer::new(pieces, link, pcap::Resolution::Nanos)?)
            }
            Container::Pcapng => {
                let mut writer = pcapng::Writer::new(pieces)?;
                for interface in interfaces {
                    let name = Some(interface.name.as_str());
                    writer.add_interface(pcapng::Interface {
                        name,
                        ..pcapng::Interface::new(interface.link)
                    })?;
                }
                Form::Pcapng(writer)
            }
        };
        let mut recorder = Self { form, gathered: 0, packets: 0 };
        recorder.flush()?;
        Ok(recorder)
    }

    /// Whether a file of this kind can hold packets of all these interfaces.
    pub fn can_hold(container: Container, interfaces: &[Interface]) -> bool {
        container == Container::Pcapng || interfaces.windows(2).all(|pair| pair[0].link == pair[1].link)
    }

    /// Writes one packet.
    #[inline]
    pub fn write(&mut self, packet: &Packet<'_>) -> io::Result<()> {
        match &mut self.form {
            Form::Pcap(writer) => writer.write_packet(packet)?,
            Form::Pcapng(writer) => {
                writer.write(packet.interface, packet.time_ns, packet.wire_len, packet.data, None)?;
            }
        }
        self.packets += 1;
        self.gathered += packet.data.len();
        if self.gathered >= GATHERED {
            self.flush()?;
        }
        Ok(())
    }

    /// Brings what was gathered to the file.
    pub fn flush(&mut self) -> io::Result<()> {
        self.gathered = 0;
        match &mut self.form {
            Form::Pcap(writer) => writer.flush(),
            Form::Pcapng(writer) => writer.flush(),
        }
    }

    /// Completes the file: pcapng also gets the kernel's counters, at the time of the last packet.
    pub fn finish(mut self, status: &Status, time_ns: i64) -> io::Result<Recording> {
        if let Form::Pcapng(writer) = &mut self.form {
            for (interface, counted) in (0..).zip(&status.interfaces) {
                writer.statistics(interface, time_ns.max(0), counted.packets, counted.dropped)?;
            }
        }
        self.flush()?;
        Ok(Recording { packets: self.packets })
    }
}

/// Gathers bytes until it is told to write them.
struct Pieces {
    file: File,
    piece: Vec<u8>,
}

impl Write for Pieces {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.piece.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let result = self.file.write_all(&self.piece);
        self.piece.clear();
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Input;
    use crate::live::Counted;
    use subflow_wire::LinkType;

    #[test]
    fn a_recording_reads_as_it_was_lent_out() {
        let dir = tempfile::tempdir().unwrap();
        let interfaces = ["a", "b"].map(|name| Interface { name: name.to_owned(), link: LinkType::SLL2 });
        for container in [Container::Pcap, Container::Pcapng] {
            let path = dir.path().join(container.to_string());
            assert!(Recorder::can_hold(container, &interfaces));
            let mut recorder = Recorder::create(&path, container, &interfaces).unwrap();
            let data = [7; 3000];
            let packet = |k: u64| Packet {
                time_ns: 1_700_000_000_000_000_001 + k.cast_signed() / 2,
                wire_len: 3000 + k as u32,
                link: LinkType::SLL2,
                interface: if container == Container::Pcap { 0 } else { k as u32 % 2 },
                file: 0,
                frame: k + 1,
                data: &data[..k as usize],
            };
            (0..1000).for_each(|k| recorder.write(&packet(k)).unwrap());
            // Killed here, it would leave whole packets.
            let early = Input::open(std::slice::from_ref(&path)).unwrap();
            assert!(early.issues().is_empty());
            let status = Status { interfaces: vec![Counted::default(); 2], ..Status::default() };
            assert_eq!(recorder.finish(&status, packet(999).time_ns).unwrap(), Recording { packets: 1000 });
            let mut input = Input::open(&[path]).unwrap();
            for k in 0..1000 {
                assert_eq!(input.next_packet(), Some(packet(k)));
            }
            assert!(input.next_packet().is_none());
            assert!(input.issues().is_empty(), "{:?}", input.issues());
        }
    }

    #[test]
    fn pcap_holds_one_link_type() {
        let interface = |link| Interface { name: String::new(), link };
        let mixed = [interface(LinkType::ETHERNET), interface(LinkType::RAW)];
        assert!(
            !Recorder::can_hold(Container::Pcap, &mixed) && Recorder::can_hold(Container::Pcapng, &mixed)
        );
    }
}
