//! What is done next, step by step.

use subflow_wire::checksum::dss_checksum;
use subflow_wire::keys::{Version, join_hmac, leftmost64};
use subflow_wire::mptcp::{Capable, FastClose, Join, Mptcp};
use subflow_wire::tcp::Tcp;

use super::{Connection, Identity, Stage, bytes_of};
use crate::answers::OptionBytes;
use crate::network::{Nanos, Out};
use crate::rows::{AnswerStep, JoinStep, SynStep};
use crate::verify::flow::{Flow, State};
use crate::verify::handshake::{judge_join, judge_syn_ack};
use crate::verify::space::Space;

/// How often our DATA_FIN is sent.
const FINS: u32 = 3;

impl Connection {
    /// The SYN/ACK of the first subflow has come.
    pub(super) fn opened(&mut self, now: Nanos, tcp: &Tcp<'_>, out: &mut Out) {
        self.seen.syn_ack(tcp);
        let Some(version) = self.identity.version else {
            self.seen.syn = SynStep::NoOption;
            return self.ask(now, out);
        };
        let (step, capable) = judge_syn_ack(version, self.identity.key, tcp);
        self.seen.syn = step;
        self.seen.flags = capable.map(|capable| capable.flags);
        self.seen.server_key = capable.and_then(|capable| capable.sender_key);
        match (step, self.seen.server_key) {
            (SynStep::Capable, Some(key)) => {
                self.checksum |= capable.is_some_and(|capable| capable.checksum_required());
                self.space = Some(Space::new(key.idsn(version)));
                if self.identity.join_first {
                    self.establish(now, out);
                    self.join(now, out);
                } else {
                    self.ask(now, out);
                }
            }
            (SynStep::NoOption | SynStep::Padded, _) => {
                self.plain = true;
                self.ask(now, out);
            }
            _ => self.abort(now, out),
        }
    }

    /// Ends the handshake without data: the third ACK with both keys, and a DATA_ACK, by which the server knows that it has arrived.
    pub(super) fn establish(&mut self, now: Nanos, out: &mut Out) {
        let (Some(version), Some(server_key)) = (self.identity.version, self.seen.server_key) else { return };
        let capable = self.capable(version, Some(self.identity.key), Some(server_key));
        let option = bytes_of(&Mptcp::Capable(capable));
        self.own.push(option);
        self.first.acknowledge(now, &option, out);
        let signal = self.signal();
        self.first.acknowledge(now, &signal, out);
    }

    /// Sends the first part of the request.
    pub(super) fn ask(&mut self, now: Nanos, out: &mut Out) {
        (self.stage, self.asked, self.until) = (Stage::Asking, now, now + self.timing.patience);
        let payload = self.identity.request.first().to_vec();
        let keys = self.seen.server_key.filter(|_| !self.plain);
        let is_established = self.identity.join_first && matches!(self.seen.join, Some(JoinStep::Confirmed));
        let option = match (self.identity.version, keys) {
            (Some(_), Some(_)) if is_established => self.mapped(0, 1, &payload, false),
            (Some(Version::V1), Some(server_key)) => {
                let checksum =
                    self.checksum.then(|| dss_checksum(self.number(0), 1, payload.len() as u16, &payload));
                let capable = self.capable(Version::V1, Some(self.identity.key), Some(server_key));
                let capable = Capable { data_len: Some(payload.len() as u16), checksum, ..capable };
                let option = bytes_of(&Mptcp::Capable(capable));
                self.own.push(option);
                option
            }
            (Some(Version::V0), Some(server_key)) => {
                let capable = self.capable(Version::V0, Some(self.identity.key), Some(server_key));
                let option = bytes_of(&Mptcp::Capable(capable));
                self.own.push(option);
                self.first.third_ack(now, option, out);
                self.mapped(0, 1, &payload, false)
            }
            _ => OptionBytes::new(&[]),
        };
        self.first_option = option;
        self.first.data(now, &payload, option, out);
        self.sent = payload.len() as u64;
    }

    pub(super) fn asking(&mut self, now: Nanos, is_late: bool, out: &mut Out) {
        let acknowledged = self.first.is_all_acknowledged();
        if acknowledged && !self.seen.acknowledged {
            self.seen.acknowledged = true;
            self.seen.ack_rtt = Some(now - self.asked);
            if !self.plain {
                // The signal may come in a packet of its own.
                self.until = self.until.min(now + self.grace());
            }
        }
        let given_up = self.seen.fail || self.space.as_ref().is_some_and(|space| space.infinite);
        if (self.plain || given_up) && acknowledged {
            self.plain = true;
            self.finish(now, false, out);
        } else if !self.plain && (self.has_first_acked() || self.seen.wrong_ack.is_some()) {
            if self.identity.join_first {
                let joined = self.seen.join == Some(JoinStep::Confirmed);
                self.finish(now, joined, out);
            } else {
                self.join(now, out);
            }
        } else if is_late && acknowledged && !self.seen.signals && !self.insisted {
            // One acknowledgement without a signal proves nothing: it takes two.
            self.insisted = true;
            self.until = now + self.grace();
            let payload = self.identity.request.first().to_vec();
            self.first.repeat_first(now, &payload, self.first_option, out);
        } else if is_late && acknowledged {
            self.plain |= !self.seen.signals;
            self.finish(now, false, out);
        } else if is_late {
            self.abort(now, out);
        }
    }

    /// Opens the second subflow.
    pub(super) fn join(&mut self, now: Nanos, out: &mut Out) {
        let (Some(version), Some(server_key)) = (self.identity.version, self.seen.server_key) else { return };
        if self.seen.flags.is_some_and(|flags| flags & Capable::DENY_JOIN != 0) && version == Version::V1 {
            self.seen.join = Some(JoinStep::Forbidden);
            return self.finish(now, false, out);
        }
        (self.stage, self.until) = (Stage::Joining, now + self.timing.patience);
        let ends = (self.identity.local[1], self.identity.remote);
        let Identity { id, iss, clock, nonce, .. } = self.identity;
        let mut flow = Flow::new(id + 1, ends, iss[1], clock, self.timing.rto, self.timing.retries);
        let token = server_key.token(version);
        let option = Join::Syn { backup: false, address_id: 0, token, nonce, reserved: 0 };
        flow.open(now, bytes_of(&Mptcp::Join(option)), out);
        self.second = Some(flow);
    }

    /// The SYN/ACK of the second subflow has come.
    pub(super) fn joined(&mut self, now: Nanos, tcp: &Tcp<'_>, out: &mut Out) {
        let (Some(version), Some(server_key)) = (self.identity.version, self.seen.server_key) else { return };
        let Identity { key, nonce, .. } = self.identity;
        let (step, answer) = judge_join(version, key, server_key, nonce, tcp);
        self.seen.join = Some(step);
        if let Some(answer) = answer {
            self.seen.hmac_seen = Some(answer.hmac);
            self.seen.hmac_expected =
                Some(leftmost64(&join_hmac(version, server_key, key, answer.nonce, nonce)));
        }
        let Some(flow) = self.flow(true) else { return };
        match (step, answer) {
            (JoinStep::Unconfirmed, Some(answer)) => {
                let hmac = join_hmac(version, key, server_key, nonce, answer.nonce);
                flow.third_ack(now, bytes_of(&Mptcp::Join(Join::Ack { hmac, reserved: 0 })), out);
            }
            _ => flow.reset(now, &OptionBytes::new(&[]), out),
        }
    }

    pub(super) fn joining(&mut self, now: Nanos, is_late: bool, out: &mut Out) {
        let Some(second) = &mut self.second else { return };
        let state = second.state;
        if state == State::Open && !is_late {
            if self.seen.join == Some(JoinStep::Confirmed) {
                self.after_join(now, true, out);
            }
            return;
        }
        if state == State::Opening && !is_late {
            return;
        }
        if matches!(state, State::GaveUp | State::Opening) && self.seen.join.is_none() {
            self.seen.join = Some(if self.seen.icmp_on[1] { JoinStep::Icmp } else { JoinStep::Silent });
        }
        second.reset(now, &OptionBytes::new(&[]), out);
        let ended = self.space.as_ref().is_some_and(Space::is_ended) || self.seen.their_fin;
        self.seen.early |= ended || self.received() > 0;
        self.after_join(now, false, out);
    }

    /// The second subflow is there, or will not come.
    fn after_join(&mut self, now: Nanos, joined: bool, out: &mut Out) {
        if self.identity.join_first { self.ask(now, out) } else { self.finish(now, joined, out) }
    }

    /// Sends the rest of the request on one of the subflows, if the server still wants it.
    pub(super) fn finish(&mut self, now: Nanos, second: bool, out: &mut Out) {
        if self.space.as_ref().is_some_and(Space::is_ended) {
            return self.close(now, out);
        }
        let whole = (self.identity.request.first().len() + self.identity.request.rest().len()) as u64;
        (self.stage, self.on_second) = (Stage::Finishing, second);
        self.until = now + self.timing.patience;
        let payload = self.identity.request.rest().to_vec();
        let offset = whole - payload.len() as u64;
        let Some(relative) = self.flow(second).map(|flow| flow.next_relative()) else { return };
        let option = self.mapped(offset, relative, &payload, false);
        if let Some(flow) = self.flow(second) {
            flow.data(now, &payload, option, out);
        }
        self.sent = whole;
        if second {
            // On a subflow that carries nothing, nothing will be lost for long.
            self.until = now + self.grace();
        }
    }

    pub(super) fn finishing(&mut self, now: Nanos, is_late: bool, out: &mut Out) {
        let all_acked = self.acked >= self.sent;
        if self.on_second {
            let dead = self.flow(true).is_none();
            if all_acked {
                self.seen.join = Some(JoinStep::Carried);
                (self.on_second, self.until) = (false, now + self.timing.patience);
            } else if dead || is_late {
                // The same data once more, where data is known to arrive.
                return self.finish(now, false, out);
            } else {
                return;
            }
        }
        if let Some(space) = &self.space
            && !self.plain
            && (self.seen.fail || space.infinite)
        {
            self.plain = true;
        }
        let answered = match &self.space {
            Some(space) if !self.plain => {
                let judged = !matches!(space.step, AnswerStep::Nothing | AnswerStep::Later);
                self.seen.unmapped || judged && all_acked && (!space.head.is_empty() || space.is_ended())
            }
            _ => !self.seen.head.is_empty() || self.first.their_fin,
        };
        if answered || is_late || self.seen.their_fin && self.first.their_fin {
            self.close(now, out);
        }
    }

    /// Begins to end it.
    pub(super) fn close(&mut self, now: Nanos, out: &mut Out) {
        (self.stage, self.until) =
            (Stage::Closing, now + self.timing.linger + 2 * self.first.rtt.unwrap_or(0));
        if self.plain || self.space.is_none() {
            let option = OptionBytes::new(&[]);
            self.first.fin(now, option, out);
        } else {
            self.data_fin(now, out);
        }
        self.closing(now, false, out);
    }

    pub(super) fn data_fin(&mut self, now: Nanos, out: &mut Out) {
        if self.fins >= FINS || self.fin_acked {
            self.fin_due = None;
            return;
        }
        self.fins += 1;
        let option = self.mapped(self.sent, 0, &[], true);
        if let Some(flow) = self.flow(false) {
            flow.acknowledge(now, &option, out);
        }
        self.fin_due = Some(now + self.timing.grace.min(2 * self.first.rtt.unwrap_or(0) + 200_000_000));
    }

    pub(super) fn closing(&mut self, now: Nanos, is_late: bool, out: &mut Out) {
        if self.fin_acked || self.plain {
            self.fin_due = None;
            let option = self.signal();
            self.first.fin(now, option, out);
            if let Some(second) = &mut self.second {
                second.fin(now, option, out);
            }
        }
        let closed = self.first.is_closed() && self.second.as_ref().is_none_or(Flow::is_closed);
        if closed || is_late {
            self.abort(now, out);
        }
    }

    /// Ends it at once; what is still open is reset.
    pub(in crate::verify) fn abort(&mut self, now: Nanos, out: &mut Out) {
        self.ended = now;
        self.stage = Stage::Over;
        self.fin_due = None;
        let fast = match (self.seen.server_key, self.plain) {
            (Some(key), false) if self.acked > 0 => {
                bytes_of(&Mptcp::FastClose(FastClose { key, reserved: 0 }))
            }
            _ => OptionBytes::new(&[]),
        };
        for (flow, option) in [(Some(&mut self.first), fast), (self.second.as_mut(), OptionBytes::new(&[]))] {
            if let Some(flow) = flow {
                if flow.is_closed() { flow.end() } else { flow.reset(now, &option, out) }
            }
        }
    }
}
