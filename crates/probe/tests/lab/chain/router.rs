//! The routers of all paths, in one process between two interfaces.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use subflow_netio::{Config, Ring, Sender, wait};
use subflow_wire::checksum::{ones_complement, transport};
use subflow_wire::icmp::{ErrorMessage, Object, v4_type, v6_type};
use subflow_wire::ip::{protocol, v4, v6};
use subflow_wire::mptcp;

use super::behaviour::{Behaviour, Fate, Memory, answer};
use super::packet::{Packet, addresses, header_len, limit_at, one_hop};
use super::{End, Hop, Path, Quote, Stage, number, router};
use crate::paths;

/// Bytes of the link header.
const LINK: usize = 14;
/// An MPLS label stack of one entry: label 16001, bottom of the stack, hop limit 1.
const LABELS: [u8; 4] = [0x03, 0xe8, 0x11, 0x01];
/// Class and type of an incoming label stack (RFC 4950).
const MPLS: (u8, u8) = (1, 1);

/// `SET INTERFACE INTERFACE`: routes between a prober on the first interface and servers on the second until standard input ends.
pub(crate) fn forward(mut arguments: impl Iterator<Item = String>) -> Result<(), String> {
    let set = arguments.next().ok_or("a set of paths lacks")?;
    let names: [String; 2] =
        [arguments.next().ok_or("an interface lacks")?, arguments.next().ok_or("an interface lacks")?];
    let words = |error: subflow_netio::Error| error.to_string();
    let open = |name: &String| {
        let config =
            Config { interface: name.clone(), snap_len: 2000, ring_bytes: 16 << 20, promiscuous: true };
        // Everything, but not what is sent.
        let all = subflow_netio::Instruction { code: 0x06, jump_true: 0, jump_false: 0, k: 2000 };
        Ring::open_filtered(&config, &[all])
    };
    let mut rings = [open(&names[0]).map_err(words)?, open(&names[1]).map_err(words)?];
    let mut senders =
        [Sender::open(&names[0], false).map_err(words)?, Sender::open(&names[1], false).map_err(words)?];
    let ended = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&ended);
    std::thread::spawn(move || {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        told.store(true, Ordering::Relaxed);
    });
    writeln!(std::io::stdout(), "\nforwarding").map_err(|error| error.to_string())?;
    let mut routers = Routers { paths: paths(&set), ..Routers::default() };
    while !ended.load(Ordering::Relaxed) {
        wait(&rings, Duration::from_millis(10)).map_err(words)?;
        for from in 0..2 {
            while let Some(block) = rings[from].next_block() {
                for frame in block.frames() {
                    let Some((back, bytes)) = routers.frame(frame.data, from == 0) else { continue };
                    let sender = &mut senders[if back { from } else { 1 - from }];
                    while sender.send(&[&bytes]).map_err(words)? == 0 {}
                }
            }
        }
    }
    Ok(())
}

#[derive(Default)]
struct Routers {
    paths: Vec<Path>,
    memory: Memory,
    /// When each router last said something about a target.
    said: HashMap<(u16, usize), Instant>,
    /// Whose connection it is that a redirected packet belongs to.
    redirected: HashMap<(IpAddr, u16), u16>,
}

/// What becomes of a packet: whether it goes back to where it came from, and its bytes.
type Out = Option<(bool, Vec<u8>)>;

impl Routers {
    /// What becomes of a frame from the prober's side, or from the servers'.
    fn frame(&mut self, frame: &[u8], outward: bool) -> Out {
        let pass = || Some((false, frame.to_vec()));
        let Some((link, packet)) = frame.split_at_checked(LINK) else { return pass() };
        if !matches!(link[12..], [0x08, 0x00] | [0x86, 0xdd]) {
            return pass();
        }
        let Some((src, dst)) = addresses(packet) else { return pass() };
        let Some(n) = number(if outward { dst } else { src }) else { return pass() };
        let (back, bytes) =
            if outward { self.outward(n, src, packet)? } else { (false, self.homeward(n, src, packet)?) };
        let link = if back { [&link[6..12], &link[..6], &link[12..]].concat() } else { link.to_vec() };
        Some((back, [link, bytes].concat()))
    }

    fn path(&self, n: u16) -> Path {
        self.paths[usize::from(n) % self.paths.len()].clone()
    }

    fn outward(&mut self, n: u16, from: IpAddr, packet: &[u8]) -> Out {
        let path = self.path(n);
        let mut bytes = packet.to_vec();
        for (place, hop) in path.hops.iter().enumerate() {
            let mut stages = [Stage::Before, Stage::After].into_iter();
            for stage in stages.by_ref() {
                if stage == Stage::After {
                    if bytes[limit_at(&bytes)] <= 1 {
                        return self.expired(n, &path, place, from, &bytes).map(|bytes| (true, bytes));
                    }
                    one_hop(&mut bytes);
                }
                if hop.stage != stage || hop.behaviour == Behaviour::Pass {
                    continue;
                }
                let Some(mut segment) = Packet::parse(&bytes) else { continue };
                match hop.behaviour.outward(&mut segment, &mut self.memory) {
                    Fate::On => bytes = segment.emit(),
                    Fate::Gone => return None,
                    Fate::Answered(answer) => {
                        return self.home(&path, place, answer.emit()).map(|bytes| (true, bytes));
                    }
                }
                if let Behaviour::Redirect(_) = hop.behaviour {
                    self.redirected.insert((segment.dst(), segment.src_port()), n);
                }
            }
        }
        match path.end {
            End::Kernel => Some((false, bytes)),
            End::Nobody => None,
            End::V0 => {
                let segment = Packet::parse(&bytes).filter(Packet::is_syn)?;
                let mut options = vec![vec![2, 4, 5, 0xb4]];
                if segment.option(mptcp::KIND).is_some_and(|option| option.len() == 12 && option[2] == 0) {
                    options.push([&[mptcp::KIND, 12, 0x00, 0x81][..], &[0x55; 8]].concat());
                }
                let bytes = answer(&segment, 0x12, options).emit();
                self.home(&path, path.hops.len(), bytes).map(|bytes| (true, bytes))
            }
        }
    }

    /// The way home from the servers.
    fn homeward(&mut self, n: u16, src: IpAddr, packet: &[u8]) -> Option<Vec<u8>> {
        let port = Packet::parse(packet).map(|segment| segment.dst_port());
        let whose = port.and_then(|port| self.redirected.get(&(src, port))).copied().unwrap_or(n);
        let path = self.path(whose);
        self.home(&path, path.hops.len(), packet.to_vec())
    }

    /// The way home from behind so many routers.
    fn home(&mut self, path: &Path, routers: usize, mut bytes: Vec<u8>) -> Option<Vec<u8>> {
        for hop in path.hops[..routers].iter().rev() {
            if bytes[limit_at(&bytes)] <= 1 {
                return None;
            }
            one_hop(&mut bytes);
            if hop.behaviour == Behaviour::Pass {
                continue;
            }
            let Some(mut segment) = Packet::parse(&bytes) else { continue };
            match hop.behaviour.homeward(&mut segment, &mut self.memory) {
                Fate::On => bytes = segment.emit(),
                Fate::Gone | Fate::Answered(_) => return None,
            }
        }
        Some(bytes)
    }

    /// What the router at a place says of a packet that ran out of hops.
    fn expired(&mut self, n: u16, path: &Path, place: usize, to: IpAddr, bytes: &[u8]) -> Option<Vec<u8>> {
        let Hop { quote, every, .. } = path.hops[place];
        let now = Instant::now();
        if quote == Quote::Silent {
            return None;
        }
        let last = self.said.get(&(n, place));
        if every.is_some_and(|every| last.is_some_and(|&last| now - last < every)) {
            return None;
        }
        self.said.insert((n, place), now);
        let quoted = self.restored(path, place, bytes);
        let length = header_len(&quoted)?;
        let cut = match quote {
            Quote::Transport(count) => quoted.get(..length + count).unwrap_or(&quoted),
            _ => &quoted[..],
        };
        let labels = [Object { class: MPLS.0, ctype: MPLS.1, data: &LABELS }];
        let extended = matches!(quote, Quote::Mpls | Quote::OldMpls);
        let ty = if to.is_ipv4() { v4_type::TIME_EXCEEDED } else { v6_type::TIME_EXCEEDED };
        let error = ErrorMessage {
            ty,
            code: 0,
            rest: [0; 4],
            quote: cut,
            extensions: if extended { &labels } else { &[] },
        };
        let from = router(place + 1, to.is_ipv6());
        let mut message = vec![0; 2000];
        let len = error.emit(from, to, &mut message).ok()?;
        message.truncate(len);
        if quote == Quote::OldMpls {
            message[4..8].fill(0);
            message[2..4].fill(0);
            let number = protocol::ICMPV6;
            let sum =
                if to.is_ipv4() { ones_complement(&message) } else { transport(from, to, number, &message) };
            message[2..4].copy_from_slice(&sum.to_be_bytes());
        }
        let mut header = [0; 40];
        // What it sends passes the routers before it.
        let hop_limit = 64 - place as u8;
        let len = match (from, to) {
            (IpAddr::V4(from), IpAddr::V4(to)) => {
                let header_of = v4::Header::new(from, to, protocol::ICMP);
                v4::Header { hop_limit, ..header_of }.emit(message.len(), &mut header)
            }
            (IpAddr::V6(from), IpAddr::V6(to)) => {
                let header_of = v6::Header::new(from, to, protocol::ICMPV6);
                v6::Header { hop_limit, ..header_of }.emit(message.len(), &mut header)
            }
            _ => return None,
        };
        Some([&header[..len.ok()?], &message].concat())
    }

    /// A packet as the boxes before a router let it be quoted.
    fn restored(&self, path: &Path, place: usize, bytes: &[u8]) -> Vec<u8> {
        let boxes = || path.hops[..=place].iter().rev().map(|hop| hop.behaviour);
        let restores = |behaviour| {
            matches!(behaviour, Behaviour::Sequence(true) | Behaviour::Nat(true) | Behaviour::Redirect(true))
        };
        // A box that acts after its look at the hop limit has not touched what expires at it.
        let own = path.hops[place];
        let untouched = own.stage == Stage::After && restores(own.behaviour);
        if untouched || !boxes().any(restores) {
            return bytes.to_vec();
        }
        let Some(mut segment) = Packet::parse(bytes) else { return bytes.to_vec() };
        for behaviour in boxes() {
            behaviour.quoted(&mut segment, &self.memory);
        }
        segment.emit()
    }
}
