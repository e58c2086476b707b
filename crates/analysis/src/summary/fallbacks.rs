//! Which connections fell back: where in their life, to which service, and on the way of which direction.

use super::service;
use crate::rows::{Connection, Direction, Event, EventKind, Fallback};
use std::collections::{BTreeMap, HashMap};

/// Connections that fell back, by place, service and the direction of the packet that showed it (`c2s`: something
/// happened to what the client sent, or to its options).
#[derive(Clone, Debug, Default)]
pub struct Fallen {
    counts: BTreeMap<(Fallback, &'static str, Option<Direction>), u64>,
    /// Directions of connections whose own row is still to come.
    directions: HashMap<u64, Direction>,
}

impl Fallen {
    /// How many, by place, service and direction (`None`: no event says it), in this order.
    pub fn counts(&self) -> impl Iterator<Item = (Fallback, &'static str, Option<Direction>, u64)> + '_ {
        self.counts.iter().map(|(&(place, service, direction), &count)| (place, service, direction, count))
    }

    pub(super) fn add_event(&mut self, row: &Event) {
        if row.kind == EventKind::Fallback {
            self.directions.insert(row.connection_id, row.direction);
        }
    }

    pub(super) fn add_connection(&mut self, row: &Connection) {
        let direction = self.directions.remove(&row.connection_id);
        if row.fallback != Fallback::None {
            let place = (row.fallback, service(Some(row.server_port)), direction);
            *self.counts.entry(place).or_default() += 1;
        }
    }
}
