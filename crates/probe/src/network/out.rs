//! What a talk wants done: packets to send, and when to be woken.

use std::net::IpAddr;

use super::Nanos;

/// Where a talk sends from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Local {
    /// Our address.
    pub addr: IpAddr,
    /// First of the ports that are ours.
    first: u16,
    /// How many there are.
    count: u16,
    /// Where this talk begins to count.
    from: u16,
}

impl Local {
    /// `count` ports from `first` on, counted from the one with number `from`.
    pub fn new(addr: IpAddr, first: u16, count: u16, from: u16) -> Self {
        let count = count.clamp(1, (u16::MAX - first).saturating_add(1));
        Self { addr, first, count, from: from % count }
    }

    /// The `n`-th port of this talk, which is also good as an echo identifier. They differ for `n` below
    /// [`ports`](Self::ports); two talks that follow each other with one address begin with different ones.
    pub fn port(&self, n: u16) -> u16 {
        let place = (u32::from(self.from) + u32::from(n)) % u32::from(self.count);
        self.first + place as u16
    }

    /// The number that leads to a port; `None` when the port is not ours.
    pub fn number(&self, port: u16) -> Option<u16> {
        let place = port.checked_sub(self.first).filter(|&place| place < self.count)?;
        Some(
            ((u32::from(place) + u32::from(self.count) - u32::from(self.from)) % u32::from(self.count))
                as u16,
        )
    }

    /// How many different ports there are.
    pub fn ports(&self) -> u16 {
        self.count
    }
}

/// Takes what a talk wants done.
#[derive(Clone, Debug)]
pub struct Out {
    local: Local,
    bytes: Vec<u8>,
    /// Number and end in `bytes` of each packet.
    packets: Vec<(u32, usize)>,
    wake: Option<Nanos>,
    waken: bool,
}

impl Out {
    /// One with nothing in it; for tests of talks as well.
    pub fn new(local: Local) -> Self {
        Self { local, bytes: Vec::new(), packets: Vec::new(), wake: None, waken: false }
    }

    /// Where packets are to come from.
    pub fn local(&self) -> Local {
        self.local
    }

    /// Sends an IP packet, from its header on, as soon as the rate allows. When it has left, [`Talk::sent`](super::Talk::sent) is
    /// told the number. The IPv4 identification should not be 0, for the kernel may choose one then on the loopback interface.
    pub fn send(&mut self, id: u32, packet: &[u8]) {
        self.bytes.extend_from_slice(packet);
        self.packets.push((id, self.bytes.len()));
    }

    /// Wakes the talk at this time, instead of at the one asked for before. A time that has passed is now.
    pub fn wake(&mut self, at: Nanos) {
        (self.wake, self.waken) = (Some(at), true);
    }

    /// Does not wake the talk.
    pub fn sleep(&mut self) {
        (self.wake, self.waken) = (None, true);
    }

    /// What is to be sent, number and packet, in order.
    pub fn packets(&self) -> impl Iterator<Item = (u32, &[u8])> {
        let starts = std::iter::once(0).chain(self.packets.iter().map(|&(_, end)| end));
        let packet =
            |(start, &(id, end)): (usize, &(u32, usize))| (id, self.bytes.get(start..end).unwrap_or(&[]));
        starts.zip(&self.packets).map(packet)
    }

    /// When it is to be woken, if anything was said about that since [`clear`](Self::clear).
    pub fn timer(&self) -> Option<Option<Nanos>> {
        self.waken.then_some(self.wake)
    }

    /// Forgets everything but where packets come from.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.packets.clear();
        (self.wake, self.waken) = (None, false);
    }

    /// The same for another talk.
    pub(super) fn reset(&mut self, local: Local) {
        self.local = local;
        self.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_go_round() {
        let local = Local::new("192.0.2.1".parse().unwrap(), 61_000, 8, 6);
        let ports: Vec<u16> = (0..8).map(|n| local.port(n)).collect();
        assert_eq!(ports, [61_006, 61_007, 61_000, 61_001, 61_002, 61_003, 61_004, 61_005]);
        for n in 0..8 {
            assert_eq!(local.number(local.port(n)), Some(n));
        }
        assert_eq!((local.number(60_999), local.number(61_008)), (None, None));
        assert_eq!(Local::new(local.addr, u16::MAX, 9, 5).port(7), u16::MAX);
    }

    #[test]
    fn packets_and_timers() {
        let mut out = Out::new(Local::new("192.0.2.1".parse().unwrap(), 61_000, 8, 0));
        assert_eq!(out.timer(), None);
        out.send(7, b"one");
        out.send(8, b"");
        out.send(9, b"three");
        out.wake(5);
        let all: Vec<_> = out.packets().collect();
        assert_eq!(all, [(7, &b"one"[..]), (8, b""), (9, b"three")]);
        assert_eq!(out.timer(), Some(Some(5)));
        out.sleep();
        assert_eq!(out.timer(), Some(None));
        out.clear();
        assert_eq!((out.packets().count(), out.timer()), (0, None));
    }
}
