//! A conversation, as far as it decides: no socket, no clock.

use std::net::IpAddr;

use super::{Out, Received};
use crate::Error;

/// A time in nanoseconds since the Unix epoch. It never goes back within a run, whatever is done to the system's clock.
pub type Nanos = i64;

/// All that is said to one address and heard from it, or about it.
///
/// Only one talk at a time is on with an address, so that ports and echo identifiers need not be shared: a second one
/// waits until the first is over.
pub trait Talk {
    /// The address it is about.
    fn remote(&self) -> IpAddr;

    /// It begins. Where it may send from is [`Out::local`].
    fn begin(&mut self, now: Nanos, out: &mut Out);

    /// A packet has come that may belong to it: TCP from its address, or from another one that it has sent to, to one of our
    /// ports; an ICMP error that quotes a packet to these; an echo reply from them. Boxes may have rewritten parts of what is
    /// quoted, and anybody can send anything: it has to verify. `packet.time` is when the kernel took it in.
    fn packet(&mut self, now: Nanos, packet: &Received<'_>, out: &mut Out);

    /// The time that it asked for has come.
    fn timer(&mut self, now: Nanos, out: &mut Out);

    /// A packet that it gave this number has been handed to the kernel at this time.
    fn sent(&mut self, _id: u32, _at: Nanos, _out: &mut Out) {}

    /// There is no way to the address; nothing will be sent, and it ends here.
    fn no_way(&mut self, _now: Nanos, _why: &Error) {}

    /// Whether all is said. Asked after each of the calls above; one that has neither a timer nor a packet on its way is over, too.
    fn is_over(&self) -> bool;
}
