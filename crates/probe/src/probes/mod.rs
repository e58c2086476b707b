//! Probes: SYNs whose every variable field is a keyed function of the target and of what is asked, so that an answer is
//! verified, and a mirrored option recognised, without remembering what was sent.
//!
//! Source ports lie outside the range that the kernel gives to its own connections (32768 to 60999 by default), so that
//! nothing of this host is mistaken for a probe. The kernel knows nothing of the probes: to a SYN/ACK on an address of its own
//! it answers with a reset, which closes the half-open connection at the target and disturbs nothing here. It is
//! one packet more per answer; [`Settings::resets`](crate::scan::Settings::resets) says when we send it ourselves.

mod asked;
mod cookie;
mod frames;
mod kind;
mod template;

pub use asked::Asked;
pub use cookie::{Cookie, Secret};
pub use frames::{Probes, Source};
pub use kind::{Kind, Kinds};
pub use template::Frame;

/// TCP option kind of the canary: an experiment (RFC 4727) that no server answers, so that who returns it mirrors.
pub const CANARY_KIND: u8 = 253;

/// The range of source ports, cut into as many equal parts as there are kinds of probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourcePorts {
    first: u16,
    each: u16,
}

impl SourcePorts {
    /// From the first to the last port, both included; `None` when that is fewer than one for each kind.
    pub fn new(first: u16, last: u16) -> Option<Self> {
        let each = (u32::from(last) + 1).checked_sub(u32::from(first))? / Kind::ALL.len() as u32;
        (each > 0 && first > 0).then_some(Self { first, each: each as u16 })
    }

    /// First and last port that probes come from.
    pub fn range(&self) -> (u16, u16) {
        (self.first, self.first + self.each * Kind::ALL.len() as u16 - 1)
    }

    /// The port of a probe.
    #[inline]
    pub fn port(&self, kind: Kind, cookie: &Cookie) -> u16 {
        let within = (u32::from(cookie.port) * u32::from(self.each)) >> 16;
        self.first + kind as u16 * self.each + within as u16
    }

    /// The kind of probe that comes from a port.
    #[inline]
    pub fn kind(&self, port: u16) -> Option<Kind> {
        Kind::ALL.get(usize::from(port.checked_sub(self.first)? / self.each)).copied()
    }
}

impl Default for SourcePorts {
    /// 61000 to 65534.
    fn default() -> Self {
        Self { first: 61_000, each: 907 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_lead_back_to_kinds() {
        let ports = SourcePorts::default();
        assert_eq!(ports.range(), (61_000, 65_534));
        assert_eq!(Some(ports), SourcePorts::new(61_000, 65_535));
        for port in [0, 0xffff] {
            for &kind in Kind::ALL {
                let cookie = Cookie { port, ..Cookie::default() };
                assert_eq!(ports.kind(ports.port(kind, &cookie)), Some(kind));
            }
        }
        assert_eq!((ports.kind(60_999), ports.kind(65_535)), (None, None));
        assert_eq!(SourcePorts::new(5, 8), None);
        assert_eq!(SourcePorts::new(8, 5), None);
    }
}
