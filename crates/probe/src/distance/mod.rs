//! How many hops away a target is, by what answers: the SYN/ACK of an open port, the reset of a closed one, and the reply to
//! an echo.
//!
//! A proxy that ends connections for a server speaks its protocol, and no key or checksum gives it away. But it is nearer: its SYN/ACK comes
//! already for a hop limit with which nothing else reaches the server. [`Measure`] finds the smallest hop limit that each kind of
//! probe is answered with; [`Distances::proxy`] compares.

mod measure;
mod search;

pub use measure::{Measure, Settings};

/// Which answer a distance is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The SYN/ACK of the port that is asked about.
    SynAck,
    /// The reset of a port that is closed.
    Reset,
    /// The reply to an ICMP echo request.
    Echo,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::SynAck, Self::Reset, Self::Echo];
}

/// What is known of one distance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Distance {
    /// Smallest hop limit that was answered, which is the number of routers on the way and one more; `None` when nothing was.
    pub hops: Option<u8>,
    /// Largest hop limit that a router has said was too small; 0 when none has.
    pub beyond: u8,
    /// Hops on the way back, by the hop limit that the answer had left ([`back`]); `None` when nothing was answered.
    pub back: Option<u8>,
}

/// Hops that a packet has come, if whoever sent it began with a hop limit of 64, 128 or 255, as mostly; 1 from a neighbour.
pub fn back(left: u8) -> u8 {
    let begun: u8 = match left {
        0..=64 => 64,
        65..=128 => 128,
        129.. => 255,
    };
    (begun - left).saturating_add(1)
}

impl Distance {
    /// Whether a router has said that one hop less is too little, so that the distance does not rest on silence.
    pub fn is_sure(&self) -> bool {
        self.hops.is_some_and(|hops| hops == self.beyond + 1)
    }
}

/// The distances of a target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Distances {
    /// Of the SYN/ACK.
    pub syn_ack: Distance,
    /// Of a closed port's reset.
    pub reset: Distance,
    /// Of the echo reply.
    pub echo: Distance,
}

impl Distances {
    /// The distance of a kind.
    pub fn of(&self, kind: Kind) -> &Distance {
        match kind {
            Kind::SynAck => &self.syn_ack,
            Kind::Reset => &self.reset,
            Kind::Echo => &self.echo,
        }
    }

    /// Whether somebody nearer answers for the target. Yes, when a router beyond the place the SYN/ACK comes from has said that another probe
    /// went further, or when reset and echo reply agree on a place further on; no, when one of them comes from the same place;
    /// `None` when there is nothing to compare with. Silence alone accuses nobody: who limits how often he answers seems further away.
    ///
    /// What comes back over as many hops comes from the same host, however far it had to be sent: some boxes give the packets of
    /// connections new hop limits, so that everything behind them seems as near as they are.
    pub fn proxy(&self) -> Option<bool> {
        let near = self.syn_ack.hops?;
        let others = [self.reset, self.echo];
        let same = |distance: &Distance| distance.back.is_some() && distance.back == self.syn_ack.back;
        let further = |distance: &Distance| distance.hops.is_some_and(|hops| hops > near) && !same(distance);
        let passed = |distance: &Distance| distance.beyond >= near && !same(distance);
        let agree = self.reset.hops == self.echo.hops && further(&self.reset) && further(&self.echo);
        if agree || others.iter().any(|distance| distance.hops.is_some() && passed(distance)) {
            return Some(true);
        }
        if others.iter().any(|distance| distance.hops.is_some_and(|hops| hops <= near || same(distance))) {
            return Some(false);
        }
        // A probe that nobody answered, but that was seen beyond.
        others.iter().any(passed).then_some(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hops: u8, sure: bool) -> Distance {
        Distance { hops: Some(hops), beyond: if sure { hops - 1 } else { 0 }, back: Some(hops) }
    }

    #[test]
    fn who_answers_from_nearer_is_a_proxy() {
        let nothing = Distance::default();
        let judge = |syn_ack, reset, echo| Distances { syn_ack, reset, echo }.proxy();
        assert_eq!(judge(at(5, true), at(5, true), at(5, true)), Some(false));
        assert_eq!(judge(at(3, true), at(5, true), at(5, true)), Some(true));
        // Behind silent routers, both others say the same.
        assert_eq!(judge(at(3, false), at(5, false), at(5, false)), Some(true));
        // A proxy for all of TCP.
        assert_eq!(judge(at(3, true), at(3, true), at(5, true)), Some(true));
        // An echo that was answered late, perhaps because answers are limited.
        assert_eq!(judge(at(3, true), at(3, true), at(5, false)), Some(false));
        assert_eq!(judge(at(3, true), nothing, at(5, false)), None);
        // Nothing answers, but a router further on has seen the probe.
        assert_eq!(judge(at(3, true), Distance { beyond: 4, ..nothing }, nothing), Some(true));
        assert_eq!(judge(at(3, true), Distance { beyond: 2, ..nothing }, nothing), None);
        assert_eq!(judge(nothing, at(3, true), at(3, true)), None);
        // A box that sets the hop limit of TCP: the server seems as near as the box, but its answers come as far as the echo's.
        let lifted = Distance { back: Some(5), ..at(3, true) };
        assert_eq!(judge(lifted, lifted, at(5, true)), Some(false));
        assert_eq!(judge(lifted, nothing, at(5, true)), Some(false));
        assert_eq!([64, 63, 128, 120, 255, 250, 1].map(back), [1, 2, 1, 9, 1, 6, 64]);
        assert!(at(3, true).is_sure() && !at(3, false).is_sure() && !nothing.is_sure());
    }
}
