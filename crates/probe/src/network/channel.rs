//! Sends IP packets and hears what answers them.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use subflow_netio::{Config, Error as NetError, Framing, RawSender, Ring, Sender, Shield, wait};

use super::filter::answers;
use super::ways::{Found, Hop};
use super::{Nanos, Options, Way, Ways};
use crate::Error;

/// Bytes of the ring of each interface.
const RING_BYTES: usize = 8 << 20;
/// Ports that are taken when none are named, and where they are looked for: above those that the kernel gives to its connections.
const PORTS: u16 = 64;
const LOWEST: u16 = 61_000;
/// How often others may have one of them before that counts as an error.
const TRIES: u16 = 40;
/// A packet whose time is further off came while the system's clock was set.
const CLOCK_STEP_NS: Nanos = 1_000_000_000;
/// ARPHRD numbers whose packets begin with 14 bytes of header.
const ETHERNETS: [u16; 2] = [1, 772];
const ARP: u16 = 0x0806;
const IPV6: u16 = 0x86dd;

/// A port of an interface: who sends there; its ring is in [`Channel::rings`] at the same place.
#[derive(Debug)]
struct Wire {
    interface: usize,
    sender: Option<Sender>,
    /// Bytes before the IP header in its ring.
    link: usize,
}

/// Our end of the network: packets leave and come back here, and the kernel keeps silent on our ports while this lives.
#[derive(Debug)]
pub struct Channel {
    ways: Ways,
    wires: Vec<Wire>,
    rings: Vec<Ring>,
    raw: Option<RawSender>,
    shield: Shield,
    clock: Clock,
    frame: Vec<u8>,
}

/// Time since the Unix epoch that never goes back.
#[derive(Clone, Copy, Debug)]
struct Clock {
    start: Instant,
    unix: Nanos,
}

impl Clock {
    /// A clock that agrees with the kernel's, by which packets are stamped: both are read at once, and of some tries that is taken in
    /// which least time passed between.
    fn new() -> Self {
        const TRIES: usize = 5;
        let read = || {
            let start = Instant::now();
            let unix =
                SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_nanos() as Nanos);
            (start.elapsed(), Self { start, unix })
        };
        let best = (1..TRIES)
            .map(|_| read())
            .fold(read(), |best, other| if other.0 < best.0 { other } else { best });
        best.1
    }

    fn now(&self) -> Nanos {
        self.unix.saturating_add(i64::try_from(self.start.elapsed().as_nanos()).unwrap_or(i64::MAX))
    }
}

impl Channel {
    /// Takes the ports. Interfaces are opened when the first way leads there; that packet sockets may be opened at all is tried now.
    pub fn open(options: &Options) -> Result<Self, Error> {
        let raw = RawSender::open()?;
        Ok(Self {
            ways: Ways::new(options),
            wires: Vec::new(),
            rings: Vec::new(),
            raw: Some(raw),
            shield: shield(options.ports)?,
            clock: Clock::new(),
            frame: Vec::new(),
        })
    }

    /// Our ports, first and last.
    pub fn ports(&self) -> (u16, u16) {
        self.shield.ports()
    }

    /// The time.
    pub fn now(&self) -> Nanos {
        self.clock.now()
    }

    /// The way to an address. Where the next hop has to be asked for, that is done while [`receive`](Self::receive) runs; then ask
    /// [`neighbor`](Self::neighbor).
    pub fn find(&mut self, target: std::net::IpAddr) -> Result<Found, Error> {
        let found = self.ways.find(target)?;
        for interface in self.wires.len()..self.ways.interfaces().len() {
            self.open_wire(interface)?;
        }
        self.ask()?;
        Ok(found)
    }

    /// The way by a next hop that was asked for; `None` while it has not answered, an error when it does not.
    pub fn neighbor(&self, hop: &Hop) -> Result<Option<Way>, Error> {
        self.ways.neighbor(hop)
    }

    /// Sends an IP packet, and says when. `None` when the system takes it only later.
    pub fn send(&mut self, way: &Way, to: std::net::IpAddr, packet: &[u8]) -> Result<Option<Nanos>, Error> {
        let now = self.now();
        let taken = match (&way.link, self.wires.get_mut(way.interface)) {
            (Some(link), Some(Wire { sender: Some(sender), .. })) => {
                self.frame.clear();
                self.frame.extend_from_slice(link);
                self.frame.extend_from_slice(packet);
                sender.send(&[&self.frame])? > 0
            }
            _ => match &self.raw {
                // What the system does not let out is as good as lost on the way.
                Some(raw) => {
                    raw.send(packet, to)?;
                    true
                }
                None => false,
            },
        };
        Ok(taken.then_some(now))
    }

    /// Waits for packets, until a time at the latest, and hands over what has come: when, and the packet from its IP header on.
    pub fn receive(&mut self, until: Nanos, mut packet: impl FnMut(Nanos, &[u8])) -> Result<(), Error> {
        self.ask()?;
        let patience = Duration::from_nanos(u64::try_from(until - self.now()).unwrap_or(0));
        // In whole milliseconds, of which one is too much rather than too little.
        let patience =
            Duration::from_millis(u64::try_from(patience.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX));
        if self.rings.is_empty() {
            std::thread::sleep(patience);
            return Ok(());
        }
        if wait(&self.rings, patience)? && self.rings.iter().any(|ring| ring.trouble().is_some()) {
            return Err(NetError::Down.into());
        }
        let clock = self.clock;
        for (ring, wire) in self.rings.iter_mut().zip(&self.wires) {
            while let Some(block) = ring.next_block() {
                let now = clock.now();
                for frame in block.frames() {
                    let Some(bytes) = frame.data.get(wire.link..) else { continue };
                    if self.ways.is_asking()
                        && matches!(frame.protocol, ARP | IPV6)
                        && self.ways.hear(wire.interface, frame.data)
                    {
                        continue;
                    }
                    if frame.protocol == ARP {
                        continue;
                    }
                    let stepped = (frame.time_ns - now).abs() > CLOCK_STEP_NS;
                    packet(if stepped { now } else { frame.time_ns.min(now) }, bytes);
                }
            }
        }
        Ok(())
    }

    /// Packets that the kernel dropped because we were too slow.
    pub fn drops(&mut self) -> Result<u64, Error> {
        let mut drops = 0;
        for ring in &mut self.rings {
            drops += ring.statistics()?.drops;
        }
        Ok(drops)
    }

    /// Asks the neighbours whose time it is.
    fn ask(&mut self) -> Result<(), Error> {
        if !self.ways.is_asking() {
            return Ok(());
        }
        for (interface, frame) in self.ways.questions(self.clock.now()) {
            if let Some(Wire { sender: Some(sender), .. }) = self.wires.get_mut(interface) {
                // A full queue takes it the next time.
                sender.send(&[&frame])?;
            }
        }
        Ok(())
    }

    fn open_wire(&mut self, interface: usize) -> Result<(), Error> {
        let Some(known) = self.ways.interfaces().get(interface) else { return Ok(()) };
        let name = known.name.clone();
        let config =
            Config { interface: name.clone(), snap_len: 0xffff, ring_bytes: RING_BYTES, promiscuous: false };
        // The filter has to know how packets begin, which the interface tells.
        let link_of = |ring: &Ring| match ring.framing() {
            Framing::Link(hardware) if ETHERNETS.contains(&hardware) => 14,
            Framing::Link(_) | Framing::Cooked => 0_u32,
        };
        let mut link = 14;
        let mut ring = Ring::open_filtered(&config, &answers(link, self.ports()))?;
        if link_of(&ring) != link {
            link = link_of(&ring);
            ring = Ring::open_filtered(&config, &answers(link, self.ports()))?;
        }
        // Captures of this host shall see what it sends; the rates are not those of a scan.
        let sender = if link == 14 { Some(Sender::open(&name, false)?) } else { None };
        self.wires.push(Wire { interface, sender, link: link as usize });
        self.rings.push(ring);
        Ok(())
    }
}

/// Takes ports: those that were named, or some that are free.
fn shield(named: Option<(u16, u16)>) -> Result<Shield, Error> {
    if let Some((first, last)) = named {
        return Ok(Shield::open(first, last)?);
    }
    let places = (u16::MAX - LOWEST) / PORTS;
    let start =
        std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), std::process::id()) as u16 % places;
    let mut tried = 0;
    loop {
        let first = LOWEST + (start + tried) % places * PORTS;
        match Shield::open(first, first + PORTS - 1) {
            Err(NetError::PortInUse { .. }) if tried < TRIES => tried += 1,
            other => return Ok(other?),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_ours_alone() {
        let first = shield(None).unwrap();
        let (low, high) = first.ports();
        assert!(low >= LOWEST && high - low == PORTS - 1, "{low}-{high}");
        assert!(std::net::TcpListener::bind(("127.0.0.1", low)).is_err());
        assert!(
            matches!(shield(Some((low, high))), Err(Error::Net(NetError::PortInUse { port })) if port == low)
        );
        let second = shield(None).unwrap();
        assert_ne!(second.ports(), first.ports());
        drop(first);
        assert!(shield(Some((low, high))).is_ok());
    }

    #[test]
    fn the_clock_is_that_of_the_kernel() {
        let clock = Clock::new();
        let off = |_| {
            let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as Nanos;
            (clock.now() - unix).abs()
        };
        // However busy the machine is, one of many looks is not interrupted.
        let least = (0..1000).map(off).min().unwrap();
        assert!(least < 50_000, "{least} ns");
    }
}
