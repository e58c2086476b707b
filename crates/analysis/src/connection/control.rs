//! MPTCP options that steer a connection: announcements, priorities, failures, closes.

use super::{Connection, MOST_ANNOUNCEMENTS, Subflow};
use crate::{
    addr::class,
    flow::End,
    rows::{Announcement, Direction, EventKind, Finding},
    segment::Segment,
};
use subflow_rows::Time;
use subflow_wire::{
    keys::{Version, add_addr_hmac},
    mptcp::{AddAddr, Mptcp, Prio},
};

impl Connection {
    /// Every MPTCP option but the segment's first DSS.
    pub(super) fn control(&mut self, subflow: &mut Subflow, direction: Direction, segment: &Segment<'_>) {
        for option in segment.mptcp() {
            self.check_option(subflow, direction, segment, &option);
            match option {
                Mptcp::Capable(option) if !subflow.join => self.capable(subflow, direction, segment, option),
                Mptcp::Join(option) if subflow.join => self.join(subflow, direction, segment, option),
                Mptcp::AddAddr(option) => self.add_addr(subflow, direction, segment, option),
                Mptcp::RemoveAddr(option) => {
                    let ids = option.ids.iter().map(u8::to_string).collect::<Vec<_>>().join(", ");
                    let detail = format!("withdraws address id {ids}");
                    self.event(subflow, direction, segment, EventKind::RemoveAddr, detail);
                }
                Mptcp::Prio(option) => self.prio(subflow, direction, segment, option),
                Mptcp::Fail(option) => self.fail(subflow, direction, segment, option.dsn),
                Mptcp::FastClose(option) => {
                    let peer = self.keys[direction.reverse().index()];
                    let detail = match peer {
                        Some(key) if key != option.key => "abort with a key that is not the receiver's",
                        _ => "abort of the connection",
                    };
                    // A wrong key makes it void (RFC 8684, section 3.5).
                    self.fastclose |= peer.is_none_or(|key| key == option.key);
                    self.event(subflow, direction, segment, EventKind::FastClose, detail);
                }
                Mptcp::TcpRst(option) => {
                    let again = if option.transient() { ", transient" } else { "" };
                    let detail = format!("reset: {}{again}", option.reason_text());
                    self.event(subflow, direction, segment, EventKind::TcpRst, detail);
                }
                Mptcp::Capable(_) | Mptcp::Join(_) => {
                    let detail = "handshake option on the wrong subflow";
                    self.finding(subflow, direction, segment, Finding::HandshakeMisplaced, detail);
                }
                Mptcp::Unknown { subtype, .. } => {
                    let detail = format!("unknown MPTCP subtype {subtype}");
                    self.finding(subflow, direction, segment, Finding::OptionUnknown, detail);
                }
                Mptcp::Malformed { reason, .. } => {
                    let detail = format!("damaged MPTCP option: {reason}");
                    self.finding(subflow, direction, segment, Finding::OptionLength, detail);
                }
                Mptcp::Dss(_) => {}
            }
        }
    }

    /// ADD_ADDR (RFC 6824, section 3.4.1; RFC 8684, section 3.4.1).
    fn add_addr(&mut self, subflow: &Subflow, direction: Direction, segment: &Segment<'_>, option: AddAddr) {
        if !option.echo && option.version == 0 && self.version.is_none() {
            self.version = Some(Version::V0);
        }
        if self.announcements.len() >= MOST_ANNOUNCEMENTS {
            self.events_lost += 1;
            return;
        }
        let hmac_ok = option.hmac.and_then(|hmac| {
            let (sender, receiver) = (self.keys[direction.index()]?, self.keys[direction.reverse().index()]?);
            let expected = add_addr_hmac(sender, receiver, option.address_id, option.addr, option.port);
            (option.version == 1).then_some(expected == hmac)
        });
        if hmac_ok == Some(false) {
            let detail = format!("wrong HMAC in ADD_ADDR of {}", option.addr);
            self.finding(subflow, direction, segment, Finding::AddAddrHmacWrong, detail);
        }
        let mut repeated = false;
        for before in &mut self.announcements {
            let same = (before.address_id, before.addr, before.port)
                == (option.address_id, option.addr, option.port);
            if same && before.echo == option.echo && before.direction == direction {
                repeated = true;
            }
            if same && option.echo && before.direction == direction.reverse() && before.echoed.is_some() {
                before.echoed = Some(true);
            }
        }
        self.announcements.push(Announcement {
            connection_id: self.id,
            subflow_id: u32::from(subflow.id),
            time: Time(segment.time),
            frame: segment.frame,
            direction,
            address_id: option.address_id,
            addr: option.addr,
            port: option.port,
            class: class(option.addr),
            echo: option.echo,
            echoed: (!option.echo && option.version == 1).then_some(false),
            repeated,
            hmac_ok,
            joined: false,
        });
    }

    /// A subflow to this end is attempted: announcements of it led to something.
    pub(super) fn mark_joined(&mut self, to: End) {
        for announcement in &mut self.announcements {
            if announcement.addr == to.0 && announcement.port.is_none_or(|port| port == to.1) {
                announcement.joined = true;
            }
        }
    }

    /// MP_PRIO: an address id of the sender, if present (v0 only), names other subflows than the one that carries it.
    fn prio(&mut self, subflow: &Subflow, direction: Direction, segment: &Segment<'_>, option: Prio) {
        let priority = if option.backup { "backup" } else { "regular" };
        let detail = match option.address_id {
            None => {
                if let Some(holder) = self.holders.get_mut(usize::from(subflow.id)) {
                    holder.backup = Some(option.backup);
                }
                format!("subflow {} becomes {priority}", subflow.id)
            }
            Some(id) => {
                let side = direction.index();
                for holder in self.holders.iter_mut().filter(|holder| holder.address_ids[side] == Some(id)) {
                    holder.backup = Some(option.backup);
                }
                format!("subflows of address id {id} become {priority}")
            }
        };
        self.event(subflow, direction, segment, EventKind::MpPrio, detail);
    }
}
