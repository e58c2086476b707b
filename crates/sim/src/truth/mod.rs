//! The truth about a run: what the ends of each connection did and saw, in the terms in which captures are analysed.
//!
//! [`Truth`] watches a world. Each end of a connection is a vantage point of its own, as a capture at that end would be: what it
//! sends counts when it sends it, what comes to it when it arrives. Data-level positions are those that the sender meant (not read
//! from options), handshakes, fallbacks and closes are told by the ends themselves; options count as the ends sent and received them.
//! Nothing here is shared with the analysis: it keeps every byte range for ever, and sees no capture.

mod data;
mod finish;
pub mod rows;
mod side;
mod stream;

use std::collections::BTreeMap;

use subflow_rows::Time as Moment;
use subflow_wire::mptcp::Mptcp;

use crate::capture::Settings;
use crate::header::{Header, NO_SERIAL};
use crate::net::{LinkId, Why};
use crate::observe::{End, Fact, Observer, Sight};
use crate::time::Time;
use rows::{
    Carried, Direction, EventKind, Tables, TruthAnnouncement, TruthDrop, TruthEvent, TruthMapping,
    TruthReinjection, TruthRtt,
};
use side::{Effect, Seen, Side};

/// What both ends together know of a connection.
#[derive(Clone, Debug, Default)]
struct Connection {
    sides: [Side; 2],
}

/// Watches a run and writes its tables.
#[derive(Clone, Debug, Default)]
pub struct Truth {
    settings: Settings,
    connections: BTreeMap<u32, Connection>,
    tables: Tables,
}

impl Truth {
    /// Times are those of captures with the same settings.
    pub fn new(settings: Settings) -> Self {
        Self { settings, ..Self::default() }
    }

    fn moment(&self, now: Time) -> Moment {
        Moment(self.settings.time_ns(now))
    }

    /// A segment at an end, sent by `from`.
    fn see(&mut self, at: Sight, from: End, header: &Header) -> Effect {
        let connection = self.connections.entry(at.connection).or_default();
        let side = &mut connection.sides[at.end.index()];
        let effect = side.see(Seen { now: at.now, from, subflow: at.subflow, header });
        self.tell(at, from, &effect);
        effect
    }

    /// Rows of what a segment did.
    fn tell(&mut self, at: Sight, from: End, effect: &Effect) {
        let Some(subflow) = effect.subflow else { return };
        let (connection_id, vantage, time) = (u64::from(at.connection), at.end, self.moment(at.now));
        let (subflow_id, direction) = (subflow as u32, Direction::from(from));
        for part in effect.again.iter().filter(|part| part.subflow != subflow) {
            self.tables.reinjections.push(TruthReinjection {
                connection_id,
                vantage,
                direction,
                time,
                dsn: part.start,
                bytes: part.bytes,
                from_subflow: part.subflow as u32,
                to_subflow: subflow_id,
                delay: at.now.since(part.time).as_secs_f64(),
            });
        }
        if let Some(rtt) = effect.rtt {
            let direction = Direction::from(from.other());
            let rtt = rtt.as_secs_f64();
            self.tables.rtts.push(TruthRtt { connection_id, vantage, subflow_id, direction, time, rtt });
        }
        for &(address_id, addr, port, echo) in &effect.announced {
            let row = TruthAnnouncement {
                connection_id,
                vantage,
                subflow_id,
                time,
                direction,
                address_id,
                addr,
                port,
                echo,
            };
            self.tables.announcements.push(row);
        }
        for &kind in &effect.events {
            self.tables.events.push(TruthEvent { connection_id, vantage, subflow_id, time, direction, kind });
        }
    }

    /// A row for a segment that its sender sends; returns its number.
    fn mapping(&mut self, at: Sight, header: &Header, effect: &Effect) -> u32 {
        let Some(position) = effect.position else { return NO_SERIAL };
        let Some(connection) = self.connections.get(&at.connection) else { return NO_SERIAL };
        let side = &connection.sides[at.end.index()];
        let base = side.base[at.end.index()].unwrap_or(header.payload.dsn);
        let own = effect.subflow;
        let carried = if effect.new > 0 {
            Carried::New
        } else if effect.repeated == u64::from(header.payload.len) {
            Carried::Retransmission
        } else if effect.again.iter().any(|part| Some(part.subflow) != own) {
            Carried::Reinjection
        } else {
            Carried::MetaRetransmission
        };
        let mapped = header.mptcp().any(|option| match option {
            Mptcp::Dss(dss) => dss.mapping.is_some(),
            Mptcp::Capable(capable) => capable.data_len.is_some(),
            _ => false,
        });
        let serial = self.tables.mappings.len() as u32;
        self.tables.mappings.push(TruthMapping {
            connection_id: u64::from(at.connection),
            subflow: u64::from(at.subflow),
            direction: Direction::from(at.end),
            sent: self.moment(at.now),
            arrived: None,
            dsn: header.payload.dsn.wrapping_sub(base) as i64,
            position,
            bytes: u64::from(header.payload.len),
            carried,
            mapped,
        });
        serial
    }
}

impl Observer for Truth {
    fn sent(&mut self, at: Sight, header: &mut Header) {
        let effect = self.see(at, at.end, header);
        header.serial = self.mapping(at, header, &effect);
    }

    fn arrived(&mut self, at: Sight, header: &Header) {
        self.see(at, at.end.other(), header);
        let time = self.moment(at.now);
        if let Some(mapping) = self.tables.mappings.get_mut(header.serial as usize) {
            mapping.arrived.get_or_insert(time);
        }
    }

    fn lost(&mut self, at: Sight, link: LinkId, header: &Header, why: Why) {
        let connection = self.connections.get(&at.connection);
        let base = connection.and_then(|known| known.sides[at.end.index()].base[at.end.index()]);
        self.tables.drops.push(TruthDrop {
            connection_id: u64::from(at.connection),
            subflow: u64::from(at.subflow),
            direction: Direction::from(at.end),
            time: self.moment(at.now),
            link: u64::from(link.0),
            why: match why {
                Why::Full => "full",
                Why::Loss => "loss",
                Why::Down => "down",
                Why::Middlebox => "middlebox",
                Why::NoRoute => "no_route",
            },
            flags: header.flags.to_string(),
            bytes: u64::from(header.payload.len),
            dsn: base
                .filter(|_| header.payload.len > 0)
                .map(|base| header.payload.dsn.wrapping_sub(base) as i64),
        });
    }

    fn fact(&mut self, now: Time, connection: u32, end: End, fact: Fact) {
        let time = self.moment(now);
        let known = self.connections.entry(connection).or_default();
        let side = &mut known.sides[end.index()];
        match fact {
            Fact::Key { of, key, version } => {
                // The sender's own number of offset 0, whatever the other end comes to know of it.
                for side in &mut known.sides {
                    side.base[of.index()].get_or_insert(key.idsn(version).wrapping_add(1));
                }
            }
            Fact::Handshake { subflow, state } => side.handshake(subflow, state),
            Fact::Fallback { subflow, kind } => {
                if side.fallback.is_some() {
                    return;
                }
                side.fallback = Some(kind);
                let Some(index) = side.subflows.iter().position(|seen| seen.subflow == subflow) else {
                    return;
                };
                self.tables.events.push(TruthEvent {
                    connection_id: u64::from(connection),
                    vantage: end,
                    subflow_id: index as u32,
                    time,
                    direction: Direction::from(end),
                    kind: EventKind::Fallback,
                });
            }
            Fact::TimedOut { .. } | Fact::Lost { .. } => {}
            Fact::Closed(close) => {
                side.close.get_or_insert(close);
            }
        }
    }
}

#[cfg(test)]
mod tests;
