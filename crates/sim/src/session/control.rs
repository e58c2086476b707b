//! Addresses, priorities, failures and aborts.

use std::net::{IpAddr, SocketAddr};

use subflow_wire::keys::{Version, add_addr_hmac};
use subflow_wire::mptcp::{AddAddr, Fail, FastClose, Mptcp, Prio, RemoveAddr, TcpRst};
use subflow_wire::tcp::Flags;

use super::peer::{Announced, Peer};
use super::settings::{Action, PathManager};
use super::subflow::{Phase, Subflow};
use crate::header::Header;
use crate::observe::{Close, End, Fallback};
use crate::time::Time;
use crate::transport::Phase as Recovery;

/// How often an announcement goes at most.
const MOST_ANNOUNCEMENTS: u8 = 3;

impl Peer {
    /// Does what was planned.
    pub(super) fn act(&mut self, now: Time, action: Action) {
        if !self.multipath || self.closed.is_some() {
            return;
        }
        match action {
            Action::Prio { subflow, backup } => {
                let Some(it) = self.subflows.get_mut(subflow).filter(|it| it.usable()) else { return };
                it.backup = backup;
                self.signal(now, subflow, &Mptcp::Prio(Prio { backup, address_id: None, reserved: 0 }));
            }
            Action::Announce(addr) => {
                let id =
                    self.locals.iter().position(|&local| local == addr).unwrap_or(self.locals.len()) as u8;
                self.announce(now, id, addr);
            }
            Action::Remove(addr) => self.remove(now, addr),
            Action::Reset { subflow, reason } => {
                if self.subflows.get(subflow).is_some_and(|it| it.open()) {
                    self.reset(now, subflow, Some(reason));
                }
            }
            Action::FastClose => self.fast_close(now),
        }
    }

    /// An option on an ACK of a subflow.
    fn signal(&mut self, now: Time, i: usize, option: &Mptcp<'_>) {
        let len = option.len().next_multiple_of(4);
        // A long ADD_ADDR has no room beside a DSS.
        let mut header = if len > 16 { self.segment(now, i, Flags::ACK) } else { self.bare_ack(now, i, len) };
        if header.options.mptcp(option).is_ok() {
            self.send(i, header);
        }
    }

    /// The subflow for signals about others.
    pub(super) fn speaker(&self) -> Option<usize> {
        let healthy = |it: &Subflow| it.usable() && it.sender.phase() != Recovery::Loss;
        let found = self.subflows.iter().position(healthy);
        found.or_else(|| self.subflows.iter().position(Subflow::usable))
    }

    /// ADD_ADDR.
    pub(super) fn announce(&mut self, now: Time, id: u8, addr: IpAddr) {
        let again_at = match self.version {
            Version::V0 => Time::MAX,
            Version::V1 => now + self.settings.patience,
        };
        self.announced.push(Announced { id, addr, again_at, tries: 1 });
        self.send_announcement(now, id, addr);
    }

    fn send_announcement(&mut self, now: Time, address_id: u8, addr: IpAddr) {
        let (Some(i), Some(remote)) = (self.speaker(), self.remote_key) else { return };
        let version = self.version.into();
        let hmac = (version == 1).then(|| add_addr_hmac(self.key, remote, address_id, addr, None));
        let option = AddAddr { version, echo: false, address_id, addr, port: None, hmac, reserved: 0 };
        self.signal(now, i, &Mptcp::AddAddr(option));
    }

    /// Announcements without an echo, and a DATA_FIN without a DATA_ACK, go again.
    pub(super) fn repeat_control(&mut self, now: Time) {
        let mut due = Vec::new();
        let patience = self.settings.patience;
        for announced in self.announced.iter_mut().filter(|announced| announced.again_at <= now) {
            announced.tries += 1;
            announced.again_at =
                if announced.tries < MOST_ANNOUNCEMENTS { now + patience } else { Time::MAX };
            due.push((announced.id, announced.addr));
        }
        for (id, addr) in due {
            self.send_announcement(now, id, addr);
        }
        if self.data_fin_at <= now {
            self.send_data_fin(now);
        }
    }

    fn remove(&mut self, now: Time, addr: IpAddr) {
        let Some(id) = self.locals.iter().position(|&local| local == addr) else { return };
        let gone: Vec<_> = (0..self.subflows.len())
            .filter(|&i| self.subflows[i].local.ip() == addr && self.subflows[i].phase != Phase::Dead)
            .collect();
        let Some(speaker) =
            (0..self.subflows.len()).find(|i| self.subflows[*i].usable() && !gone.contains(i))
        else {
            return;
        };
        self.signal(now, speaker, &Mptcp::RemoveAddr(RemoveAddr { ids: &[id as u8], reserved: 0 }));
        for i in gone {
            self.reset(now, i, None);
        }
    }

    /// The options of a segment that steer the connection.
    pub(super) fn control(&mut self, now: Time, i: usize, header: &Header) {
        if !self.multipath || self.subflows[i].foreign {
            return;
        }
        for option in header.mptcp() {
            match option {
                Mptcp::AddAddr(announced) => self.announcement(now, i, &announced),
                Mptcp::Prio(prio) => match prio.address_id {
                    None => self.subflows[i].backup = prio.backup,
                    Some(id) => {
                        for it in self.subflows.iter_mut().filter(|it| it.remote_id == id) {
                            it.backup = prio.backup;
                        }
                    }
                },
                Mptcp::RemoveAddr(removed) => {
                    self.remotes.retain(|remote| !removed.ids.contains(&remote.0));
                    for n in 1..self.subflows.len() {
                        let it = &self.subflows[n];
                        if removed.ids.contains(&it.remote_id) && it.phase != Phase::Dead {
                            self.reset(now, n, None);
                        }
                    }
                }
                Mptcp::Fail(_) => self.failed(),
                Mptcp::FastClose(close) if close.key == self.key => self.aborted(now),
                _ => {}
            }
        }
    }

    /// ADD_ADDR, or its echo.
    fn announcement(&mut self, now: Time, i: usize, option: &AddAddr) {
        if option.echo {
            for announced in &mut self.announced {
                if (announced.id, announced.addr) == (option.address_id, option.addr) {
                    announced.again_at = Time::MAX;
                }
            }
            return;
        }
        if option.version == 1 {
            let remote = self.remote_key.unwrap_or(self.key);
            let hmac = add_addr_hmac(remote, self.key, option.address_id, option.addr, option.port);
            if option.hmac != Some(hmac) {
                return;
            }
            let echo = AddAddr { echo: true, hmac: None, ..*option };
            self.signal(now, i, &Mptcp::AddAddr(echo));
        }
        if self.remotes.contains(&(option.address_id, option.addr)) {
            return;
        }
        self.remotes.push((option.address_id, option.addr));
        if self.end == End::Client && self.settings.path_manager == PathManager::FullMesh {
            let port = option.port.unwrap_or(self.subflows[0].remote.port());
            self.mesh(SocketAddr::new(option.addr, port));
        }
    }

    /// The other end has found a wrong checksum (RFC 8684, section 3.7).
    fn failed(&mut self) {
        if self.subflows.iter().filter(|it| it.open() && !it.foreign).count() == 1 {
            self.fall_back(0, Fallback::Checksum);
            self.infinite = true;
        }
    }

    /// A checksum failed on one of several subflows: MP_FAIL with a reset.
    pub(super) fn fail_subflow(&mut self, now: Time, i: usize, dsn: u64) {
        let mut header = self.segment(now, i, Flags::RST | Flags::ACK);
        let _ = header.options.mptcp(&Mptcp::Fail(Fail { dsn, reserved: 0 }));
        if self.version == Version::V1 {
            let _ = header.options.mptcp(&Mptcp::TcpRst(TcpRst { flags: 0, reason: 6 }));
        }
        self.send(i, header);
        self.lose(now, i);
    }

    /// A checksum failed on the only subflow: MP_FAIL, and plain TCP from here on.
    pub(super) fn fail_connection(&mut self, now: Time, i: usize, dsn: u64) {
        let mut header = self.segment(now, i, Flags::ACK);
        let _ = header.options.mptcp(&Mptcp::Fail(Fail { dsn, reserved: 0 }));
        self.fall_back(i, Fallback::Checksum);
        self.infinite = true;
        self.send(i, header);
    }

    /// MP_FASTCLOSE on one subflow, resets on the others (RFC 8684, section 3.5).
    fn fast_close(&mut self, now: Time) {
        let (Some(speaker), Some(key)) = (self.speaker(), self.remote_key) else { return };
        self.signal(now, speaker, &Mptcp::FastClose(FastClose { key, reserved: 0 }));
        for i in 0..self.subflows.len() {
            if i != speaker && self.subflows[i].phase != Phase::Dead {
                self.reset(now, i, None);
            }
        }
        self.end_with(now, Close::FastClose);
    }

    /// The other end has aborted: resets are the answer.
    pub(super) fn aborted(&mut self, now: Time) {
        self.end_with(now, Close::FastClose);
        for i in 0..self.subflows.len() {
            if self.subflows[i].phase != Phase::Dead {
                self.reset(now, i, None);
            }
        }
    }
}
