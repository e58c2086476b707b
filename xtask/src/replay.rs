//! `cargo xtask replay`: load for live captures, out of a capture that is sent again and again.

use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use subflow_capture::Input;
use subflow_capture::live::FrameSender;
use subflow_wire::{Dissection, dissect};

/// Bytes of the Ethernet header in front of each packet.
const ETHERNET: usize = 14;
/// IP protocol number of TCP.
const TCP: u8 = 6;
/// Ports from here on are those of clients, which change with every round.
const FIRST_EPHEMERAL: u16 = 32_768;
/// Sequence numbers differ by this from round to round.
const STRIDE: u32 = 0x0101_0101;
/// Longest packet that an ordinary interface takes, from the IP header on.
const MTU: usize = 1500;

/// Send the TCP packets of a capture over an interface, again and again
///
/// Every round has other client ports and sequence numbers, so that it is made of new connections. Packets get a new Ethernet
/// header and are filled up with zeros to the length they had on the wire. Meant for a veth pair that nobody else uses.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Interface to send from
    interface: String,

    /// What to send
    capture: PathBuf,

    /// Packets a second
    #[arg(long, default_value_t = 100_000)]
    rate: u64,

    /// For how long
    #[arg(long, default_value_t = 5)]
    seconds: u64,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let packets = read(&args.capture)?;
    let mut sender = FrameSender::open(&args.interface, true)?;
    let wanted = args.rate * args.seconds;
    let (mut sent, mut round, mut next) = (0_u64, 0_u32, 0_usize);
    let mut batch: Vec<Vec<u8>> = vec![Vec::new(); FrameSender::BATCH];
    let begin = Instant::now();
    while sent < wanted {
        let due = (begin.elapsed().as_secs_f64() * args.rate as f64) as u64;
        let count = due.min(wanted).saturating_sub(sent).min(FrameSender::BATCH as u64) as usize;
        if count == 0 {
            sleep(Duration::from_micros(200));
            continue;
        }
        for frame in batch.iter_mut().take(count) {
            frame.clone_from(&packets[next].bytes);
            packets[next].rewrite(round, frame);
            next += 1;
            if next == packets.len() {
                (next, round) = (0, round + 1);
            }
        }
        let frames: Vec<&[u8]> = batch.iter().take(count).map(Vec::as_slice).collect();
        let mut gone = 0;
        while gone < count {
            let now = sender.send(frames.get(gone..).unwrap_or_default())?;
            if now == 0 {
                sleep(Duration::from_micros(50));
            }
            gone += now;
        }
        sent += count as u64;
    }
    let seconds = begin.elapsed().as_secs_f64();
    eprintln!("{sent} packets in {seconds:.2} s, {:.0} a second", sent as f64 / seconds);
    Ok(())
}

/// A frame to send, and where its TCP header begins.
struct Template {
    bytes: Vec<u8>,
    tcp: usize,
}

impl Template {
    /// Other ports and sequence numbers for every round, the same in both directions. Checksums are left as they are: they
    /// are not looked at.
    fn rewrite(&self, round: u32, frame: &mut [u8]) {
        let Some(tcp) = frame.get_mut(self.tcp..).and_then(<[u8]>::first_chunk_mut::<12>) else { return };
        for at in [0, 2] {
            let port = u16::from_be_bytes([tcp[at], tcp[at + 1]]);
            if port >= FIRST_EPHEMERAL {
                let port = FIRST_EPHEMERAL | port.wrapping_add(round as u16);
                tcp[at..at + 2].copy_from_slice(&port.to_be_bytes());
            }
        }
        for at in [4, 8] {
            let number = u32::from_be_bytes([tcp[at], tcp[at + 1], tcp[at + 2], tcp[at + 3]]);
            let number = number.wrapping_add(round.wrapping_mul(STRIDE));
            tcp[at..at + 4].copy_from_slice(&number.to_be_bytes());
        }
    }
}

fn read(capture: &PathBuf) -> Result<Vec<Template>> {
    let mut input = Input::open(std::slice::from_ref(capture))?;
    let mut templates = Vec::new();
    while let Some(packet) = input.next_packet() {
        let Dissection::Ip(ip) = dissect(packet.link, packet.data, packet.wire_len) else { continue };
        let len = ip.total_len as usize;
        if ip.protocol != TCP || ip.fragment.is_some() || len > MTU {
            continue;
        }
        let protocol: u16 = if ip.src.is_ipv4() { 0x0800 } else { 0x86dd };
        let mut bytes = vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1];
        bytes.extend_from_slice(&protocol.to_be_bytes());
        bytes.extend_from_slice(ip.header);
        let tcp = bytes.len();
        bytes.extend_from_slice(ip.payload);
        bytes.resize(ETHERNET + len, 0);
        templates.push(Template { bytes, tcp });
    }
    if templates.is_empty() {
        bail!("{} holds no TCP packet of at most {MTU} bytes", capture.display());
    }
    Ok(templates)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_differ_in_ports_and_numbers_only() {
        let mut bytes = vec![0xee; ETHERNET];
        bytes.extend([0x9c, 0x40, 0, 80, 0, 0, 0, 1, 0, 0, 0, 2, 0x50, 0x10]);
        let template = Template { bytes, tcp: ETHERNET };
        let mut frame = template.bytes.clone();
        template.rewrite(0, &mut frame);
        assert_eq!(frame, template.bytes);
        template.rewrite(3, &mut frame);
        assert_eq!(frame[14..26], [0x9c, 0x43, 0, 80, 3, 3, 3, 4, 3, 3, 3, 5]);
        assert_eq!((&frame[..14], &frame[26..]), (&template.bytes[..14], &template.bytes[26..]));
    }
}
