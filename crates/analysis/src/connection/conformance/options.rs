//! What single options may say, and when (RFC 8684, sections 3.1 to 3.6).

use super::{Connection, MOST_IDS, Subflow, end, place};
use crate::{
    addr::{class, is_global},
    connection::subflow::Phase,
    flow::End,
    rows::{Direction, Fallback, Finding},
    segment::Segment,
};
use std::net::IpAddr;
use subflow_wire::{
    keys::Version,
    mptcp::{AddAddr, Capable, FastClose, Join, Mptcp, Prio},
};

impl Connection {
    /// An option other than DSS, before it has its effect.
    pub(in crate::connection) fn check_option(
        &mut self,
        subflow: &Subflow,
        direction: Direction,
        segment: &Segment<'_>,
        option: &Mptcp<'_>,
    ) {
        match *option {
            Mptcp::Capable(option) if !subflow.join => {
                self.check_capable(subflow, direction, segment, option);
            }
            Mptcp::Join(option) if subflow.join => self.check_join(subflow, direction, segment, option),
            Mptcp::AddAddr(option) => self.check_add_addr(subflow, direction, segment, option),
            Mptcp::RemoveAddr(option) => self.check_remove_addr(subflow, direction, segment, option.ids),
            Mptcp::Prio(option) => self.check_prio(subflow, direction, segment, option),
            Mptcp::FastClose(option) => self.check_fastclose(subflow, direction, segment, option),
            Mptcp::TcpRst(_) if !segment.flags.rst() => {
                self.finding_once(subflow, direction, segment, Finding::TcpRstWithoutRst, || {
                    "MP_TCPRST in a segment that resets nothing".to_owned()
                });
            }
            _ => {}
        }
    }

    fn check_capable(
        &mut self,
        subflow: &Subflow,
        direction: Direction,
        segment: &Segment<'_>,
        option: Capable,
    ) {
        let from = if segment.flags.syn() { "of the handshake" } else { "of the third ACK" };
        let syn = segment.flags.syn() && !segment.flags.ack();
        // In the SYN/ACK it makes the answer unusable, which is told as such.
        if option.extensibility() && !(segment.flags.syn() && segment.flags.ack()) {
            self.finding_once(subflow, direction, segment, Finding::CapableFlagB, || {
                format!("flag B is set in the MP_CAPABLE {from}")
            });
        }
        let algorithms = if option.version == 0 { 0x3f } else { 0x1f };
        if syn && option.flags & algorithms == 0 {
            self.finding_once(subflow, direction, segment, Finding::CapableNoAlgorithm, || {
                "MP_CAPABLE offers no cryptographic algorithm".to_owned()
            });
        }
        if option.version > 0 && option.deny_join() {
            self.watch.denies_join[direction.index()] = true;
        }
        if !segment.flags.syn() && self.checksum == Some(true) && !option.checksum_required() {
            self.finding_once(subflow, direction, segment, Finding::ChecksumFlagDropped, || {
                "the handshake asked for checksums, this MP_CAPABLE has flag A unset".to_owned()
            });
        }
    }

    fn check_join(&mut self, subflow: &Subflow, direction: Direction, segment: &Segment<'_>, option: Join) {
        if let Join::Syn { reserved, .. } | Join::SynAck { reserved, .. } = option
            && reserved != 0
        {
            self.finding_once(subflow, direction, segment, Finding::ReservedBits, || {
                "bits of MP_JOIN are set that have no meaning".to_owned()
            });
        }
        match option {
            Join::Syn { backup, address_id, token, .. } => {
                self.use_id(direction, address_id, None);
                self.ask_for_backup(subflow.id, direction, backup);
                let known = self.capable.contains(&true);
                if !known && subflow.id == 0 {
                    self.finding_once(subflow, direction, segment, Finding::JoinTokenUnknown, || {
                        format!("token {token:08x} belongs to no connection of this capture")
                    });
                }
                if self.fallback != Fallback::None {
                    self.finding_once(subflow, direction, segment, Finding::JoinAfterFallback, || {
                        "a join, though the connection had fallen back to plain TCP".to_owned()
                    });
                } else if self.capable[0] && self.watch.third_ack.is_none() && !self.first_mapped {
                    self.finding_once(subflow, direction, segment, Finding::JoinTooEarly, || {
                        "a join before the initial handshake was complete".to_owned()
                    });
                }
                let (peer, owner) = match direction {
                    Direction::C2s => (self.server, Direction::S2c),
                    Direction::S2c => (self.client, Direction::C2s),
                };
                if self.watch.denies_join[owner.index()] && subflow.dst == peer {
                    self.finding_once(subflow, direction, segment, Finding::JoinForbidden, || {
                        format!("a join to {}, though its host had set flag C", end(peer))
                    });
                }
            }
            Join::SynAck { backup, address_id, .. } => {
                self.use_id(direction, address_id, None);
                self.ask_for_backup(subflow.id, direction, backup);
            }
            Join::Ack { .. } => {}
        }
    }

    /// Remembers an address id, with the address where an announcement names it; returns the other address it had.
    fn use_id(
        &mut self,
        side: Direction,
        id: u8,
        at: Option<(IpAddr, Option<u16>)>,
    ) -> Option<(IpAddr, Option<u16>)> {
        let ids = &mut self.watch.ids;
        let Some(known) = ids.iter_mut().find(|known| known.0 == side && known.1 == id) else {
            if ids.len() < MOST_IDS {
                ids.push((side, id, at));
            }
            return None;
        };
        let before = known.2;
        known.2 = at.or(before);
        before.filter(|before| at.is_some_and(|at| at != *before))
    }

    fn check_add_addr(
        &mut self,
        subflow: &Subflow,
        direction: Direction,
        segment: &Segment<'_>,
        option: AddAddr,
    ) {
        let at = (option.addr, option.port);
        let what = || place(option.addr, option.port);
        if option.echo {
            let asked = self.announcements.iter().any(|before| {
                before.direction != direction
                    && !before.echo
                    && (before.address_id, before.addr, before.port)
                        == (option.address_id, option.addr, option.port)
            });
            if !asked && self.capable[0] {
                self.finding_once(subflow, direction, segment, Finding::AddAddrEchoUnasked, || {
                    format!("an echo of {} (id {}), which nobody announced", what(), option.address_id)
                });
            }
            return;
        }
        if option.version == 1 && option.hmac.is_none() && self.version == Some(Version::V1) {
            self.finding_once(subflow, direction, segment, Finding::AddAddrHmacMissing, || {
                format!("the announcement of {} has no HMAC", what())
            });
        }
        if let Some(before) = self.use_id(direction, option.address_id, Some(at)) {
            let detail = format!(
                "address id {} is {} here, and was {} before, without REMOVE_ADDR between them",
                option.address_id,
                what(),
                place(before.0, before.1)
            );
            self.finding(subflow, direction, segment, Finding::AddressIdReused, detail);
        }
        let again = self
            .announcements
            .iter()
            .any(|before| before.direction == direction && !before.echo && (before.addr, before.port) == at);
        if again {
            return;
        }
        let class = class(option.addr);
        let sender = if direction == Direction::C2s { self.client } else { self.server };
        if unreachable(class) && !self.lives_in(class, subflow) {
            let detail = format!("announces {} ({class})", what());
            self.finding(subflow, direction, segment, Finding::UnreachableAddressAnnounced, detail);
        } else if matches!(class, "v4 private" | "v4 shared" | "v6 unique-local") && public(sender) {
            let detail = format!("{} announces {} ({class})", sender.0, what());
            self.finding(subflow, direction, segment, Finding::PrivateAddressAnnounced, detail);
        }
    }

    /// Whether an end of the connection, or of this subflow, has an address of this class itself: then the class can be
    /// reached here.
    fn lives_in(&self, of: &str, subflow: &Subflow) -> bool {
        [self.client, self.server, subflow.src, subflow.dst].iter().any(|end| class(end.0) == of)
    }

    fn check_remove_addr(
        &mut self,
        subflow: &Subflow,
        direction: Direction,
        segment: &Segment<'_>,
        ids: &[u8],
    ) {
        for &id in ids {
            let count = self.watch.ids.len();
            self.watch.ids.retain(|known| (known.0, known.1) != (direction, id));
            let known = self.watch.ids.len() < count || id == 0;
            if !known && self.capable[0] && count < MOST_IDS {
                let again = self.watch.told.iter().any(|told| told.0 == Finding::RemoveAddrUnknown);
                if !again {
                    self.finding_once(subflow, direction, segment, Finding::RemoveAddrUnknown, || {
                        format!("withdraws address id {id}, which was not in use")
                    });
                }
            }
        }
    }

    fn check_prio(&mut self, subflow: &Subflow, direction: Direction, segment: &Segment<'_>, option: Prio) {
        match option.address_id {
            None => self.ask_for_backup(subflow.id, direction, option.backup),
            Some(id) => {
                let side = direction.index();
                for index in 0..self.holders.len() {
                    if self.holders[index].address_ids[side] == Some(id) {
                        let number = u16::try_from(index).unwrap_or(u16::MAX);
                        self.ask_for_backup(number, direction, option.backup);
                    }
                }
            }
        }
        if matches!(subflow.phase, Some(Phase::SynSent | Phase::SynAcked)) {
            self.finding_once(subflow, direction, segment, Finding::PrioUnestablished, || {
                "MP_PRIO before the subflow was established".to_owned()
            });
        }
    }

    fn check_fastclose(
        &mut self,
        subflow: &Subflow,
        direction: Direction,
        segment: &Segment<'_>,
        option: FastClose,
    ) {
        let peer = self.keys[direction.reverse().index()];
        if let Some(key) = peer.filter(|&key| key != option.key) {
            self.finding_once(subflow, direction, segment, Finding::FastCloseKeyWrong, || {
                format!("the key is {:016x}, the receiver's is {:016x}", option.key.0, key.0)
            });
        }
    }
}

/// Whether no host elsewhere can be reached at an address of this class.
fn unreachable(class: &str) -> bool {
    let (_, kind) = class.split_once(' ').unwrap_or_default();
    matches!(
        kind,
        "link-local"
            | "documentation"
            | "loopback"
            | "unspecified"
            | "multicast"
            | "reserved"
            | "v4-mapped"
            | "v4-compatible"
    )
}

fn public(end: End) -> bool {
    is_global(class(end.0))
}
