//! A box that translates addresses and ports (RFC 3022, NAPT; endpoint-independent mapping as RFC 4787 and RFC 5382 ask for).
//!
//! Addresses inside options (ADD_ADDR) are not translated, which is why a server cannot use them.

use std::net::{IpAddr, SocketAddr};

use super::{Action, Table, Way};
use crate::header::Header;

/// Translates the inner side's addresses to one outer address.
#[derive(Clone, Debug)]
pub struct Nat {
    outer: IpAddr,
    next_port: u16,
    out: Table<SocketAddr, u16>,
    back: Table<u16, SocketAddr>,
}

impl Nat {
    /// A box whose outer side has this address; it gives out ports from `first_port` on.
    pub fn new(outer: IpAddr, first_port: u16) -> Self {
        Self { outer, next_port: first_port, out: Table::default(), back: Table::default() }
    }

    /// The outer address and port of an inner one, if it has sent anything.
    pub fn outer_of(&self, inner: SocketAddr) -> Option<SocketAddr> {
        Some(SocketAddr::new(self.outer, *self.out.get(&inner)?))
    }

    pub(super) fn pass(&mut self, way: Way, header: &mut Header) -> Action {
        if header.src.is_ipv4() != self.outer.is_ipv4() {
            return Action::Forward;
        }
        match way {
            Way::Out => {
                let inner = SocketAddr::new(header.src, header.src_port);
                let port = match self.out.get(&inner) {
                    Some(&port) => port,
                    None => {
                        let port = self.next_port;
                        self.next_port = port.checked_add(1).unwrap_or(1024);
                        self.out.insert(inner, port);
                        self.back.insert(port, inner);
                        port
                    }
                };
                (header.src, header.src_port) = (self.outer, port);
            }
            Way::In if header.dst == self.outer => {
                // Nobody inside asked for it.
                let Some(inner) = self.back.get(&header.dst_port) else { return Action::Drop };
                (header.dst, header.dst_port) = (inner.ip(), inner.port());
            }
            Way::In => {}
        }
        Action::Forward
    }
}
