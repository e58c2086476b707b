//! What the tests share.
#![allow(dead_code)]

use std::io::{Cursor, Read};

use subflow_capture::{Input, Issue, Packet, pcap, pcapng};
use subflow_wire::LinkType;

/// A packet that outlives the reader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Owned {
    pub(crate) time_ns: i64,
    pub(crate) wire_len: u32,
    pub(crate) link: u16,
    pub(crate) interface: u32,
    pub(crate) file: u32,
    pub(crate) frame: u64,
    pub(crate) data: Vec<u8>,
}

impl From<Packet<'_>> for Owned {
    fn from(packet: Packet<'_>) -> Self {
        Self {
            time_ns: packet.time_ns,
            wire_len: packet.wire_len,
            link: packet.link.0,
            interface: packet.interface,
            file: packet.file,
            frame: packet.frame,
            data: packet.data.to_vec(),
        }
    }
}

/// Everything an input yields.
pub(crate) fn drain(input: &mut Input) -> Vec<Owned> {
    let mut packets = Vec::new();
    while let Some(packet) = input.next_packet() {
        packets.push(packet.into());
    }
    packets
}

/// Everything in these bytes.
pub(crate) fn read(bytes: Vec<u8>) -> (Vec<Owned>, Vec<Issue>) {
    let mut input = Input::from_reader("test", Cursor::new(bytes)).expect("a capture");
    let packets = drain(&mut input);
    (packets, input.issues().to_vec())
}

/// A pcap file of link type 1 in nanoseconds with packets at these times; the data of each is its number.
pub(crate) fn pcap_at(times: &[i64]) -> Vec<u8> {
    let mut writer = pcap::Writer::new(Vec::new(), LinkType(1), pcap::Resolution::Nanos).expect("a header");
    for (number, &time) in times.iter().enumerate() {
        writer.write(time, 1500, &(number as u32).to_le_bytes()).expect("a packet");
    }
    writer.finish().expect("a file")
}

/// The same as pcapng.
pub(crate) fn pcapng_at(times: &[i64]) -> Vec<u8> {
    let mut writer = pcapng::Writer::new(Vec::new()).expect("a section");
    let interface = writer.add_interface(pcapng::Interface::new(LinkType(1))).expect("an interface");
    for (number, &time) in times.iter().enumerate() {
        writer.write(interface, time, 1500, &(number as u32).to_le_bytes(), None).expect("a packet");
    }
    writer.finish().expect("a file")
}

/// A reader that hands out a few bytes at a time.
pub(crate) struct Dribble<R>(pub(crate) R, pub(crate) usize);

impl<R: Read> Read for Dribble<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let len = buffer.len().min(self.1);
        self.0.read(&mut buffer[..len])
    }
}
