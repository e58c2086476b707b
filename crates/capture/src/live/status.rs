//! What is known of a live capture besides its packets.

/// Counters of a live capture.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Status {
    /// By interface, in the order in which they were named.
    pub interfaces: Vec<Counted>,
    /// Packets that the system handed over too late to be put in order; they got the time of the packet before.
    pub late: u64,
    /// By how much the clock was set back, in nanoseconds, summed up. Times go on by the old clock.
    pub set_back_ns: i64,
}

/// Counters of one interface.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Counted {
    /// Packets that the kernel took in or dropped.
    pub packets: u64,
    /// Those of them that it dropped because the ring was full.
    pub dropped: u64,
    /// How often the ring was found full.
    pub freezes: u64,
    /// Packets left out because the loopback interface shows them a second time, as received.
    pub sent_to_self: u64,
    /// Share of the ring that waits to be read, from 0 to 1.
    pub fill: f64,
    /// Whether packets can come.
    pub state: State,
    /// How often it was found down.
    pub outages: u64,
}

/// Whether packets can come from an interface.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// They can.
    #[default]
    Up,
    /// It is down; they will when it is up again.
    Down,
    /// It was removed.
    Gone,
}

/// Something that happened to an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The state of an interface has changed.
    Changed {
        /// Its place among the interfaces.
        interface: u32,
        /// What it is now.
        state: State,
    },
    /// The capture cannot go on.
    Failed(String),
}

impl Status {
    /// Packets that the kernel dropped, over all interfaces.
    pub fn dropped(&self) -> u64 {
        self.interfaces.iter().map(|counted| counted.dropped).sum()
    }

    /// Packets that were taken in and not dropped, over all interfaces: those that are or will be lent out.
    pub fn delivered(&self) -> u64 {
        let of = |counted: &Counted| counted.packets.saturating_sub(counted.dropped + counted.sent_to_self);
        self.interfaces.iter().map(of).sum()
    }

    /// Share of the fullest ring that waits to be read, from 0 to 1.
    pub fn fill(&self) -> f64 {
        self.interfaces.iter().map(|counted| counted.fill).fold(0.0, f64::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_are_over_all_interfaces() {
        let one = Counted { packets: 100, dropped: 7, sent_to_self: 40, fill: 0.5, ..Counted::default() };
        let two = Counted { packets: 10, dropped: 1, fill: 0.25, ..Counted::default() };
        let status = Status { interfaces: vec![one, two], ..Status::default() };
        assert_eq!((status.dropped(), status.delivered(), status.fill()), (8, 62, 0.5));
    }
}
