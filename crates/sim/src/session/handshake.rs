//! Handshakes (RFC 8684 and RFC 6824, sections 3.1 and 3.2), and where they end in plain TCP (section 3.7).

use std::net::SocketAddr;

use subflow_wire::Key;
use subflow_wire::keys::{Version, join_hmac, leftmost64};
use subflow_wire::mptcp::{Capable, Join as JoinOption, Mptcp};
use subflow_wire::tcp::{Flags, TcpOption};

use super::peer::Peer;
use super::subflow::{Phase, Subflow};
use crate::header::{Header, OptionBytes};
use crate::observe::{Fact, Fallback, Handshake};
use crate::time::Time;

/// Window scale of Linux with its usual buffers.
const USUAL_SCALE: u8 = 7;

impl Peer {
    /// Opens a subflow: the first one with MP_CAPABLE, others with MP_JOIN.
    pub fn open(&mut self, now: Time, id: u32, local: SocketAddr, remote: SocketAddr) {
        let mut it = Subflow::new(id, local, remote, true);
        it.local_isn = self.random.next_u32();
        it.local_nonce = self.random.next_u32();
        it.address_id = self.locals.iter().position(|&addr| addr == local.ip()).unwrap_or(0) as u8;
        it.backup = self.settings.backup && it.address_id > 0;
        if self.subflows.is_empty() {
            self.multipath = self.settings.version.is_some();
            self.tell_key(false);
            self.remotes.push((0, remote.ip()));
        }
        self.congestion.add();
        self.subflows.push(it);
        self.send_syn(now, self.subflows.len() - 1);
    }

    fn send_syn(&mut self, now: Time, i: usize) {
        let patience = self.settings.patience;
        let it = &mut self.subflows[i];
        it.again_at = now + patience * (1 << it.tries.min(6));
        it.tries += 1;
        let (initial, tries, isn) = (i == 0, it.tries, it.local_isn);
        if initial && self.multipath && tries > self.settings.attempts {
            // Something on the path may drop the option; Linux counts `net.mptcp.syn_retrans_before_tcp_fallback`.
            self.fall_back(0, Fallback::Syn);
        }
        let option = if !initial {
            let it = &self.subflows[i];
            let token = self.remote_key.map_or(0, |key| key.token(self.version));
            Some(Mptcp::Join(JoinOption::Syn {
                backup: it.backup,
                address_id: it.address_id,
                token,
                nonce: it.local_nonce,
                reserved: 0,
            }))
        } else if self.multipath {
            let key = (self.version == Version::V0).then_some(self.key);
            Some(self.capable(key, None, None))
        } else {
            None
        };
        let mut header = self.handshake_segment(now, i, Flags::SYN, option);
        (header.seq, header.ack) = (isn, 0);
        self.send(i, header);
    }

    /// A SYN or SYN/ACK.
    fn handshake_segment(&mut self, now: Time, i: usize, flags: Flags, option: Option<Mptcp<'_>>) -> Header {
        let mut header = self.segment(now, i, flags);
        let window = self.settings.transport.receive_window;
        header.window = window.min(u64::from(u16::MAX)) as u16;
        let it = &self.subflows[i];
        let scale = (!flags.ack() || it.scales.is_some()).then(|| own_scale(window));
        let stamps = it.timestamps.then_some((self.clock(now), it.recent));
        header.options = OptionBytes::syn(self.settings.transport.mss, it.sack, stamps, scale);
        if let Some(option) = option {
            // A SYN has room: 20 bytes of others, 16 at most of these.
            let _ = header.options.mptcp(&option);
        }
        header
    }

    fn capable(&self, sender: Option<Key>, receiver: Option<Key>, data_len: Option<u16>) -> Mptcp<'static> {
        Mptcp::Capable(Capable {
            version: self.version.into(),
            flags: Capable::HMAC | if self.checksum { Capable::CHECKSUM_REQUIRED } else { 0 },
            sender_key: sender,
            receiver_key: receiver,
            data_len,
            checksum: data_len.filter(|_| self.checksum).map(|_| 0),
        })
    }

    /// MP_CAPABLE of the third ACK, or of the first data.
    pub(super) fn both_keys(&self, data_len: Option<u16>) -> Mptcp<'static> {
        self.capable(Some(self.key), self.remote_key, data_len)
    }

    fn tell_key(&mut self, remote: bool) {
        if self.settings.version.is_none() {
            return;
        }
        let (of, key) = if remote { (self.end.other(), self.remote_key) } else { (self.end, Some(self.key)) };
        if let Some(key) = key {
            self.facts.push(Fact::Key { of, key, version: self.version });
        }
    }

    fn learn_key(&mut self, key: Key) {
        if self.remote_key.is_none() {
            self.remote_key = Some(key);
            self.remote_first = Some(key.idsn(self.version).wrapping_add(1));
            self.tell_key(true);
        }
    }

    /// Options of a SYN or SYN/ACK that are not Multipath TCP's.
    fn negotiate(&mut self, i: usize, header: &Header) {
        let own = own_scale(self.settings.transport.receive_window);
        let it = &mut self.subflows[i];
        it.remote_isn = header.seq;
        (it.timestamps, it.sack, it.scales) = (false, false, None);
        for option in header.options() {
            match option {
                TcpOption::Timestamps { value, .. } => (it.timestamps, it.recent) = (true, value),
                TcpOption::SackPermitted => it.sack = true,
                TcpOption::WindowScale(scale) => it.scales = Some((own, scale.min(14))),
                _ => {}
            }
        }
    }

    /// A SYN from the other end.
    pub(super) fn passive_open(&mut self, now: Time, id: u32, header: &Header) {
        let local = SocketAddr::new(header.dst, header.dst_port);
        let remote = SocketAddr::new(header.src, header.src_port);
        let mut it = Subflow::new(id, local, remote, false);
        it.local_isn = self.random.next_u32();
        it.local_nonce = self.random.next_u32();
        let initial = self.subflows.is_empty();
        if initial {
            self.listen(id, header);
            self.remotes.push((0, remote.ip()));
        } else {
            it.address_id = self.locals.iter().position(|&addr| addr == local.ip()).unwrap_or(0) as u8;
            let token = self.key.token(self.version);
            match header.mptcp().next() {
                Some(Mptcp::Join(JoinOption::Syn { backup, address_id, token: asked, nonce, .. }))
                    if asked == token && self.multipath =>
                {
                    (it.backup, it.remote_id, it.remote_nonce) = (backup, address_id, nonce);
                }
                Some(_) => it.phase = Phase::Dead,
                None => it.foreign = true,
            }
        }
        let refused = it.phase == Phase::Dead;
        self.congestion.add();
        self.subflows.push(it);
        let i = self.subflows.len() - 1;
        self.negotiate(i, header);
        if refused {
            self.tell(i, Handshake::Refused);
            self.refuse(now, i, header);
        } else {
            self.tell(i, Handshake::Unconfirmed);
            self.send_syn_ack(now, i);
        }
    }

    /// The initial SYN.
    fn listen(&mut self, id: u32, header: &Header) {
        let Some(Mptcp::Capable(capable)) = header.mptcp().next() else { return };
        let Ok(version) = Version::try_from(capable.version) else { return };
        if !self.settings.server_knows {
            // The host does not know of it, but that is what it does.
            self.facts.push(Fact::Fallback { subflow: id, kind: Fallback::SynAck });
            return;
        }
        self.version = version;
        self.first = self.key.idsn(version).wrapping_add(1);
        self.checksum |= capable.checksum_required();
        self.multipath = true;
        self.tell_key(false);
        if let Some(key) = capable.sender_key {
            self.learn_key(key);
        }
    }

    fn send_syn_ack(&mut self, now: Time, i: usize) {
        let patience = self.settings.patience;
        let it = &mut self.subflows[i];
        it.again_at = now + patience * (1 << it.tries.min(6));
        it.tries += 1;
        let isn = it.local_isn;
        let option = if i == 0 {
            self.multipath.then(|| self.capable(Some(self.key), None, None))
        } else if self.subflows[i].foreign {
            None
        } else {
            let hmac = self.hmac(i, true).unwrap_or_default();
            let it = &self.subflows[i];
            Some(Mptcp::Join(JoinOption::SynAck {
                backup: it.backup,
                address_id: it.address_id,
                hmac: leftmost64(&hmac),
                nonce: it.local_nonce,
                reserved: 0,
            }))
        };
        let mut header = self.handshake_segment(now, i, Flags::SYN | Flags::ACK, option);
        header.seq = isn;
        self.send(i, header);
    }

    /// The HMAC that this end shows, or that the other one must show.
    fn hmac(&self, i: usize, own: bool) -> Option<[u8; 20]> {
        let it = &self.subflows[i];
        let (this, other) = ((self.key, it.local_nonce), (self.remote_key?, it.remote_nonce));
        let (sender, receiver) = if own { (this, other) } else { (other, this) };
        Some(join_hmac(self.version, sender.0, receiver.0, sender.1, receiver.1))
    }

    /// A SYN/ACK.
    pub(super) fn syn_ack(&mut self, now: Time, i: usize, header: &Header) {
        if self.subflows[i].phase != Phase::SynSent {
            // Its answer was lost.
            if self.subflows[i].open() {
                self.third_ack(now, i);
            }
            return;
        }
        if header.ack != self.subflows[i].local_isn.wrapping_add(1) {
            return;
        }
        self.negotiate(i, header);
        self.subflows[i].again_at = Time::MAX;
        if i > 0 && (!self.multipath || self.closed.is_some()) {
            self.tell(i, Handshake::Reset);
            self.reset(now, i, None);
            return;
        }
        if i == 0 {
            self.answered(header);
            self.subflows[0].phase = Phase::Established;
        } else if !self.join_answered(i, header) {
            self.tell(i, Handshake::Stripped);
            self.reset(now, i, Some(6));
            return;
        } else {
            self.subflows[i].phase = Phase::Waiting;
            self.subflows[i].again_at = now + self.settings.patience;
        }
        self.tell(i, Handshake::Established);
        self.third_ack(now, i);
    }

    /// What the SYN/ACK of the initial subflow says of Multipath TCP.
    fn answered(&mut self, header: &Header) {
        if !self.multipath {
            return;
        }
        let capable = header.mptcp().find_map(|option| match option {
            Mptcp::Capable(capable) => Some(capable),
            _ => None,
        });
        match capable.map(|capable| (capable, capable.sender_key)) {
            None => self.fall_back(0, Fallback::SynAck),
            Some((_, None)) => self.fall_back(0, Fallback::Mirror),
            Some((_, Some(key))) if key == self.key => self.fall_back(0, Fallback::Mirror),
            Some((capable, Some(key))) => {
                self.checksum |= capable.checksum_required();
                self.learn_key(key);
            }
        }
    }

    fn join_answered(&mut self, i: usize, header: &Header) -> bool {
        let answer = header.mptcp().find_map(|option| match option {
            Mptcp::Join(JoinOption::SynAck { backup, address_id, hmac, nonce, .. }) => {
                Some((backup, address_id, hmac, nonce))
            }
            _ => None,
        });
        let Some((backup, address_id, hmac, nonce)) = answer else { return false };
        let it = &mut self.subflows[i];
        (it.remote_id, it.remote_nonce) = (address_id, nonce);
        it.backup |= backup;
        self.hmac(i, false).is_some_and(|expected| leftmost64(&expected) == hmac)
    }

    /// The third segment of the handshake.
    fn third_ack(&mut self, now: Time, i: usize) {
        let mut header = self.segment(now, i, Flags::ACK);
        let option = if i > 0 {
            self.hmac(i, true).map(|hmac| Mptcp::Join(JoinOption::Ack { hmac, reserved: 0 }))
        } else {
            self.multipath.then(|| self.both_keys(None))
        };
        if let Some(option) = option {
            let _ = header.options.mptcp(&option);
        }
        self.send(i, header);
    }

    /// A segment that may be the third one of a handshake that the other end began. False when it is to be ignored.
    pub(super) fn third_segment(&mut self, now: Time, i: usize, header: &Header) -> bool {
        if !header.flags.ack() || header.ack != self.subflows[i].local_isn.wrapping_add(1) {
            return false;
        }
        if i > 0 && !self.subflows[i].foreign {
            let shown = header.mptcp().find_map(|option| match option {
                Mptcp::Join(JoinOption::Ack { hmac, .. }) => Some(hmac),
                _ => None,
            });
            if shown.is_none() {
                return false;
            }
            if shown != self.hmac(i, false) {
                self.reset(now, i, Some(1));
                return false;
            }
        }
        if i == 0 && self.multipath {
            let shown = header.mptcp().find_map(|option| match option {
                Mptcp::Capable(capable) => capable.sender_key,
                _ => None,
            });
            match shown {
                Some(key) => {
                    self.learn_key(key);
                    self.confirmed = true;
                }
                // Version 0 also takes a DSS as confirmation, for it knows the key already.
                None if header.mptcp().next().is_some() && self.remote_key.is_some() => self.confirmed = true,
                None => self.fall_back(0, Fallback::FirstData),
            }
        }
        self.subflows[i].phase = Phase::Established;
        self.subflows[i].again_at = Time::MAX;
        self.tell(i, Handshake::Established);
        if i > 0 && !self.subflows[i].foreign {
            // The opener may send data only when it has heard of this (RFC 8684, section 3.2).
            self.ack(now, i);
        }
        true
    }

    /// The answer to a segment of the handshake did not come.
    pub(super) fn repeat_handshake(&mut self, now: Time, i: usize) {
        let tries = self.subflows[i].tries;
        self.subflows[i].again_at = Time::MAX;
        match self.subflows[i].phase {
            Phase::SynSent | Phase::SynReceived if tries >= self.settings.most_syns => self.lose(now, i),
            Phase::SynSent => self.send_syn(now, i),
            Phase::SynReceived => self.send_syn_ack(now, i),
            Phase::Waiting => {
                self.subflows[i].again_at = now + self.settings.patience;
                self.third_ack(now, i);
            }
            Phase::Established | Phase::Dead => {}
        }
    }
}

/// The scale with which windows up to this size fit.
fn own_scale(window: u64) -> u8 {
    (USUAL_SCALE..14).find(|&scale| window >> scale <= u64::from(u16::MAX)).unwrap_or(14)
}
