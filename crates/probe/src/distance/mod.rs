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
    pub fn proxy(&self) -> Option<bool> {
        let near = self.syn_ack.hops?;
        let others = [self.reset, self.echo];
        let further = |distance: &Distance| distance.hops.is_some_and(|hops| hops > near);
        let passed = |distance: &Distance| distance.beyond >= near;
        let agree = self.reset.hops == self.echo.hops && further(&self.echo);
        if agree || others.iter().any(|distance| distance.hops.is_some() && passed(distance)) {
            return Some(true);
        }
        if others.iter().any(|distance| distance.hops.is_some_and(|hops| hops <= near)) {
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
        Distance { hops: Some(hops), beyond: if sure { hops - 1 } else { 0 } }
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
        assert_eq!(judge(at(3, true), Distance { hops: None, beyond: 4 }, nothing), Some(true));
        assert_eq!(judge(at(3, true), Distance { hops: None, beyond: 2 }, nothing), None);
        assert_eq!(judge(nothing, at(3, true), at(3, true)), None);
        assert!(at(3, true).is_sure() && !at(3, false).is_sure() && !nothing.is_sure());
    }
}
