//! Handshakes of the initial subflow and of joins (RFC 8684, sections 3.1 and 3.2), and resets.

use super::{
    Connection, Subflow,
    subflow::{Phase, Reset},
};
use crate::{
    rows::{Direction, EventKind, Fallback, Sampled},
    segment::Segment,
};
use subflow_wire::{
    keys::{Version, join_hmac, leftmost64},
    mptcp::{Capable, Join, Mptcp},
};

/// A reset this long after the third ACK can still be the answer to it, beyond twice the handshake's round trip.
const REFUSAL_SLACK: i64 = 5_000_000;

impl Connection {
    /// A SYN or SYN/ACK of a subflow.
    pub(super) fn syn(&mut self, subflow: &mut Subflow, direction: Direction, segment: &Segment<'_>) {
        let half = &mut subflow.halves[direction.index()];
        half.syn(segment.seq);
        half.window_scale = segment.window_scale;
        if segment.len > 0 && half.syn_bytes == 0 {
            // TCP Fast Open: these bytes come before the data sequence space (RFC 8684, appendix B).
            half.syn_bytes = u64::from(segment.len);
        }
        if let Some((value, echo)) = segment.timestamps {
            subflow.halves[direction.index()].stamps.sent(value, segment.time);
            let sample = subflow.halves[direction.reverse().index()].stamps.echoed(echo, segment.time);
            self.tell_sample(Some(subflow.id), direction.reverse(), segment, Sampled::Timestamp, sample);
        }
        if segment.flags.ack() {
            self.syn_ack(subflow, direction, segment);
        } else {
            subflow.syns += 1;
            subflow.syn_time = segment.time;
            subflow.phase = subflow.phase.max(Some(Phase::SynSent));
            if !subflow.join && !segment.has_mptcp() && !segment.options_cut {
                self.plain_syn = true;
            }
        }
    }

    fn syn_ack(&mut self, subflow: &mut Subflow, direction: Direction, segment: &Segment<'_>) {
        self.answered = true;
        let first = subflow.synack_time.is_none();
        subflow.halves[direction.reverse().index()].accept_fast_open(segment.ack);
        subflow.synack_time = Some(segment.time);
        subflow.phase = subflow.phase.max(Some(Phase::SynAcked));
        subflow.handshake_rtt =
            (first && subflow.syns == 1).then(|| (segment.time - subflow.syn_time).max(0));
        if let Some(rtt) = subflow.handshake_rtt {
            self.note_rtt(subflow, rtt);
        }
        if segment.options_cut {
            return;
        }
        if subflow.join {
            if !segment.mptcp().any(|option| matches!(option, Mptcp::Join(Join::SynAck { .. }))) {
                subflow.stripped = true;
            }
        } else if !self.capable[1] && self.fallback == Fallback::None {
            let fallback = if self.plain_syn { Fallback::Syn } else { Fallback::SynAck };
            self.fall_back(subflow, direction, segment.time, segment.frame, fallback);
        }
    }

    /// The round trip that the handshake showed, for judging reinjections.
    fn note_rtt(&mut self, subflow: &Subflow, rtt: i64) {
        if let Some(holder) = self.holders.get_mut(usize::from(subflow.id)) {
            holder.rtt = Some(holder.rtt.unwrap_or(0).max(rtt));
        }
    }

    /// An ordinary segment may be what confirms the handshake.
    pub(super) fn confirm(&mut self, subflow: &mut Subflow, direction: Direction, segment: &Segment<'_>) {
        let Some(phase) = subflow.phase.filter(|&phase| phase != Phase::Confirmed) else { return };
        let confirmed = if direction == subflow.opener {
            // Of a join, only the ACK with the HMAC does (`join`); of the initial subflow any ACK after the SYN/ACK.
            !subflow.join && segment.flags.ack() && phase == Phase::SynAcked
        } else {
            segment.len > 0 || segment.dss.is_some()
        };
        if confirmed {
            self.confirmed(subflow, segment);
        }
    }

    fn confirmed(&mut self, subflow: &mut Subflow, segment: &Segment<'_>) {
        subflow.phase = Some(Phase::Confirmed);
        if subflow.confirm_time.is_none() {
            subflow.confirm_time = Some(segment.time);
            if let Some(synack) = subflow.synack_time {
                // SYN to SYN/ACK is the far side of the capture point, SYN/ACK to ACK the near side.
                let rtt = segment.time - synack + subflow.handshake_rtt.unwrap_or(0);
                self.note_rtt(subflow, rtt.max(0));
            }
        }
    }

    /// A reset. It refuses the handshake when it is the responder's answer to the SYN or to the third ACK.
    pub(super) fn reset(&mut self, subflow: &mut Subflow, direction: Direction, segment: &Segment<'_>) {
        if subflow.reset.is_some() {
            return;
        }
        let reason = segment.mptcp().find_map(|option| match option {
            Mptcp::TcpRst(reset) => Some(reset.reason_text()),
            _ => None,
        });
        let was_closed = subflow.closed();
        let in_handshake = match subflow.phase {
            Some(Phase::SynSent | Phase::SynAcked) => true,
            Some(Phase::Confirmed) => {
                let responder = &subflow.halves[subflow.opener.reverse().index()];
                let patience = 2 * subflow.handshake_rtt.unwrap_or(0) + REFUSAL_SLACK;
                let prompt = subflow.confirm_time.is_some_and(|time| segment.time - time <= patience);
                direction != subflow.opener
                    && subflow.join
                    && responder.packets == 0
                    && (prompt || subflow.hmac_ok == Some(false))
            }
            None => false,
        };
        subflow.reset = Some(Reset { time: segment.time, reason, in_handshake });
        self.note_closed(subflow, was_closed);
    }

    /// MP_CAPABLE on the initial subflow.
    pub(super) fn capable(
        &mut self,
        subflow: &mut Subflow,
        direction: Direction,
        segment: &Segment<'_>,
        option: Capable,
    ) {
        let version = Version::try_from(option.version).ok();
        if !segment.flags.syn() {
            self.capable_ack(subflow, direction, segment, option, version);
            return;
        }
        if !segment.flags.ack() {
            self.capable[0] = true;
            // A version asks for those below it, too, but for 0, whose SYN looks different.
            self.offered |= match option.version {
                0 => 1,
                highest => (2_u32 << u32::from(highest.min(15))).wrapping_sub(2) as u16,
            };
            // Later versions are asked for as such and answered as v1 at best.
            self.version = self.version.or(version);
            self.checksum = Some(self.checksum.unwrap_or(false) || option.checksum_required());
            if let Some(key) = option.sender_key {
                self.learn_key(direction, key);
            }
            return;
        }
        if self.capable[1] {
            return;
        }
        let client_key = self.keys[direction.reverse().index()];
        let mirrored = self.capable[0]
            && match version {
                Some(Version::V0) => client_key.is_some() && option.sender_key == client_key,
                _ => option.sender_key.is_none(),
            };
        self.capable[1] = true;
        if mirrored {
            self.fall_back(subflow, direction, segment.time, segment.frame, Fallback::Mirror);
            return;
        }
        let offered = !self.capable[0] || self.offered >> option.version & 1 == 1;
        let objection = if option.sender_key.is_none() || version.is_none() {
            Some("without a usable key")
        } else if !offered {
            Some("of a version that the SYN did not offer")
        } else if option.extensibility() {
            Some("with the unassigned flag B")
        } else if !option.hmac() {
            Some("without a known cryptographic algorithm")
        } else {
            None
        };
        if let Some(objection) = objection {
            let detail = format!("the SYN/ACK answers with an MP_CAPABLE {objection}");
            self.event(subflow, direction, segment, EventKind::Violation, detail);
            self.fall_back(subflow, direction, segment.time, segment.frame, Fallback::SynAck);
        }
        let Some(key) = option.sender_key else { return };
        if version != self.version {
            self.forget_key(direction.reverse());
        }
        self.version = version;
        self.checksum = Some(self.checksum.unwrap_or(false) || option.checksum_required());
        self.learn_key(direction, key);
    }

    /// MP_CAPABLE of the third ACK, alone or with the first data.
    fn capable_ack(
        &mut self,
        subflow: &mut Subflow,
        direction: Direction,
        segment: &Segment<'_>,
        option: Capable,
        version: Option<Version>,
    ) {
        self.capable[2] = true;
        if self.fallback == Fallback::SynAck && option.sender_key.is_some() {
            // The client took the answer all the same.
            self.fallback = Fallback::None;
            self.events.retain(|event| event.kind != EventKind::Fallback);
        }
        self.version = self.version.or(version);
        self.checksum = Some(self.checksum.unwrap_or(false) || option.checksum_required());
        for (side, key) in [(direction, option.sender_key), (direction.reverse(), option.receiver_key)] {
            let Some(key) = key else { continue };
            match self.keys[side.index()] {
                None => self.learn_key(side, key),
                Some(known) if known != key => {
                    let detail = format!("the third ACK names another key of the {}", owner(side));
                    self.event(subflow, direction, segment, EventKind::Violation, detail);
                }
                Some(_) => {}
            }
        }
        if let Some(len) = option.data_len.filter(|&len| len > 0 && segment.len > 0) {
            self.first_mapping(subflow, direction, segment, len);
        }
    }

    /// MP_JOIN on a subflow of this connection.
    pub(super) fn join(
        &mut self,
        subflow: &mut Subflow,
        direction: Direction,
        segment: &Segment<'_>,
        option: Join,
    ) {
        let opener = subflow.opener;
        match option {
            Join::Syn { backup, address_id, token, nonce, .. } => {
                subflow.nonces[direction.index()] = Some(nonce);
                subflow.address_id = Some(address_id);
                subflow.backup = backup;
                self.note_address(subflow, direction, address_id);
                self.tokens[direction.reverse().index()].get_or_insert(token);
            }
            Join::SynAck { backup, address_id, hmac, nonce, .. } => {
                subflow.nonces[direction.index()] = Some(nonce);
                subflow.backup |= backup;
                self.note_address(subflow, direction, address_id);
                let expected = self.expected_hmac(subflow, opener.reverse()).map(|hmac| leftmost64(&hmac));
                self.judge_hmac(
                    subflow,
                    direction,
                    segment,
                    expected.map(|expected| expected == hmac),
                    "SYN/ACK",
                );
            }
            Join::Ack { hmac, .. } => {
                if subflow.phase != Some(Phase::Confirmed) {
                    let expected = self.expected_hmac(subflow, opener);
                    self.judge_hmac(
                        subflow,
                        direction,
                        segment,
                        expected.map(|expected| expected == hmac),
                        "third ACK",
                    );
                }
                if subflow.phase.is_some() && direction == opener {
                    self.confirmed(subflow, segment);
                }
            }
        }
    }

    /// One side has given its end of the subflow an address id.
    fn note_address(&mut self, subflow: &Subflow, side: Direction, id: u8) {
        if let Some(holder) = self.holders.get_mut(usize::from(subflow.id)) {
            holder.address_ids[side.index()] = Some(id);
        }
    }

    /// The HMAC that `sender` must show, when keys and nonces are known.
    fn expected_hmac(&self, subflow: &Subflow, sender: Direction) -> Option<[u8; 20]> {
        let (this, other) = (sender.index(), sender.reverse().index());
        Some(join_hmac(
            self.version?,
            self.keys[this]?,
            self.keys[other]?,
            subflow.nonces[this]?,
            subflow.nonces[other]?,
        ))
    }

    fn judge_hmac(
        &mut self,
        subflow: &mut Subflow,
        direction: Direction,
        segment: &Segment<'_>,
        ok: Option<bool>,
        place: &str,
    ) {
        let Some(ok) = ok else { return };
        subflow.hmac_ok = Some(subflow.hmac_ok.unwrap_or(true) && ok);
        if !ok {
            let detail = format!("wrong HMAC in the {place} of a join (RFC 8684, section 3.2)");
            self.event(subflow, direction, segment, EventKind::Violation, detail);
        }
    }
}

fn owner(side: Direction) -> &'static str {
    match side {
        Direction::C2s => "client",
        Direction::S2c => "server",
    }
}
