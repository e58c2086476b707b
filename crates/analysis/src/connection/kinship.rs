//! Whether a flow without a handshake could be a subflow of a connection: its data sequence numbers tell.

use super::Connection;
use crate::rows::Direction;
use subflow_wire::mptcp::{Dsn, Dss};

impl Connection {
    /// How near the segment's data sequence numbers lie to this connection's, were the flow one of its subflows with
    /// the segment going in `direction`.
    pub(crate) fn affinity(&self, direction: Direction, dss: &Dss) -> Option<u64> {
        const NEAR: u64 = 1 << 27;
        let long = |dsn: Dsn| matches!(dsn, Dsn::Long(_));
        let ack = dss.data_ack.map(|ack| (direction.reverse(), ack));
        let data = dss.mapping.map(|mapping| (direction, mapping.dsn));
        let mut nearest = None;
        for (side, dsn) in [ack, data].into_iter().flatten() {
            let Some(distance) = self.distance(side, dsn) else { continue };
            let limit = if long(dsn) && self.knows_long(side) { NEAR } else { NEAR >> 4 };
            if distance > limit {
                return None;
            }
            nearest = Some(nearest.map_or(distance, |before: u64| before.min(distance)));
        }
        nearest
    }

    /// How near a data sequence number lies to what this direction has shown, if it could be one of its own.
    fn distance(&self, direction: Direction, dsn: Dsn) -> Option<u64> {
        let base = self.base[direction.index()]?;
        let data = &self.data[direction.index()];
        let near = base.dsn.wrapping_add(data.next().unwrap_or(0).max(data.acked().max(0)) as u64);
        let away = |a: u64, b: u64| a.wrapping_sub(b).cast_signed().unsigned_abs();
        Some(match dsn {
            Dsn::Long(dsn) if base.full => away(dsn, near),
            _ => u64::from(dsn.low().wrapping_sub(near as u32).cast_signed().unsigned_abs()),
        })
    }

    /// Whether 64-bit data sequence numbers of this direction are known, so that [`distance`](Self::distance) proves
    /// more than chance.
    fn knows_long(&self, direction: Direction) -> bool {
        self.base[direction.index()].is_some_and(|base| base.full)
    }
}
