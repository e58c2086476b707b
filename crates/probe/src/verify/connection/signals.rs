//! What the packets of open subflows say.

use subflow_wire::mptcp::{AddAddr, Dsn, Mptcp};
use subflow_wire::tcp::Tcp;

use super::{Connection, Stage, bytes_of};
use crate::network::{Nanos, Out};
use crate::rows::{DataStep, JoinStep, SynStep};
use crate::verify::space::keep;

/// DATA_ACKs that miss the right one by less are wrong counts; others belong to other keys.
const NEAR: u64 = 4096;
/// Announced addresses that are noted and returned.
const MOST_ANNOUNCED: usize = 16;

impl Connection {
    /// Reads the options of a segment of an open subflow.
    pub(super) fn signals(&mut self, now: Nanos, tcp: &Tcp<'_>, second: bool, out: &mut Out) {
        if self.identity.version.is_none() {
            return;
        }
        for option in tcp.options().mptcp() {
            let bytes = bytes_of(&option);
            if self.own.contains(&bytes) {
                self.seen.mirrored = true;
                continue;
            }
            match option {
                Mptcp::Dss(dss) => {
                    self.seen.signals = true;
                    if let Some(ack) = dss.data_ack {
                        self.data_ack(now, ack);
                    }
                    if let Some(space) = &mut self.space {
                        space.signal(&mut self.mappings[usize::from(second)], &dss);
                    }
                }
                Mptcp::Fail(_) => self.seen.fail = true,
                Mptcp::AddAddr(announced) if !announced.echo => {
                    self.seen.signals = true;
                    self.announced(now, announced, second, out);
                }
                Mptcp::Unknown { .. } | Mptcp::Malformed { .. } => {}
                _ => self.seen.signals = true,
            }
        }
    }

    /// Notes an announced address, and returns it to its sender in version 1 (RFC 8684, section 3.4.1).
    pub(super) fn announced(&mut self, now: Nanos, announced: AddAddr, second: bool, out: &mut Out) {
        let count = self.seen.announce(&announced, self.identity.key);
        if count > MOST_ANNOUNCED || self.plain || announced.version != 1 {
            return;
        }
        let echo = bytes_of(&Mptcp::AddAddr(AddAddr { echo: true, hmac: None, ..announced }));
        if let Some(flow) = self.flow(second) {
            flow.acknowledge(now, &echo, out);
        }
    }

    pub(super) fn data_ack(&mut self, now: Nanos, ack: Dsn) {
        let expected = self.data_ack_expected();
        let number = ack.widen(expected);
        let bytes = number.wrapping_sub(self.number(0));
        let end = self.sent + u64::from(self.fins > 0);
        if bytes > end {
            let off = number.wrapping_sub(self.number(end)).min(self.number(0).wrapping_sub(number));
            let step = if off < NEAR { DataStep::BadAck } else { DataStep::OtherKey };
            if self.seen.wrong_ack.is_none() {
                self.seen.wrong_ack = Some(step);
                self.seen.data_ack = Some(number);
            }
            return;
        }
        if self.seen.wrong_ack.is_none() && self.acked < self.identity.request.first().len() as u64 {
            self.seen.data_ack = Some(number);
        }
        self.fin_acked |= self.fins > 0 && bytes == end;
        self.acked = self.acked.max(bytes.min(self.sent));
        if self.has_first_acked() && self.seen.data_rtt.is_none() {
            self.seen.data_rtt = Some(now - self.asked);
        }
    }

    pub(super) fn has_first_acked(&self) -> bool {
        self.acked >= self.identity.request.first().len() as u64
    }

    pub(super) fn payload(&mut self, relative: u32, payload: &[u8], second: bool) {
        if payload.is_empty() {
            return;
        }
        if let Some(space) = &mut self.space {
            if space.payload(&mut self.mappings[usize::from(second)], relative, payload) {
                return;
            }
            self.seen.unmapped = true;
        }
        self.seen.received += payload.len() as u64;
        keep(&mut self.seen.head, payload);
    }

    pub(super) fn was_reset(&mut self, tcp: &Tcp<'_>, second: bool) {
        let reason = tcp.options().mptcp().find_map(|option| match option {
            Mptcp::TcpRst(reset) => Some(reset.reason),
            _ => None,
        });
        self.seen.reset_reason[usize::from(second)] = reason;
        if second {
            self.seen.join = match self.seen.join {
                None => Some(JoinStep::Reset),
                Some(JoinStep::Unconfirmed) => Some(JoinStep::Dropped),
                other => other,
            };
        } else if self.stage == Stage::Opening {
            self.seen.syn = SynStep::Reset;
        } else {
            self.seen.was_reset = true;
        }
    }
}
