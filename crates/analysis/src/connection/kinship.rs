//! Whether a flow without a handshake could be a subflow of a connection: its data sequence numbers tell.

use super::Connection;
use crate::rows::Direction;
use subflow_wire::mptcp::{Dsn, Dss};

/// How near numbers of 64 bits lie, in bytes: as far as data may be in flight, lost or not captured.
const NEAR: u64 = 1 << 27;
/// How near numbers of 32 bits lie when both the data and the DATA_ACK do: 1 chance in 65,536 that strangers do.
const NEAR_BOTH: u64 = 1 << 23;
/// How near a single number of 32 bits lies: 1 chance in 2,048.
const NEAR_ALONE: u64 = 1 << 20;

/// How the data sequence numbers of a segment agree with those of a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kinship {
    /// The distance between them in bytes.
    pub(crate) distance: u64,
    /// Whether numbers of 64 bits agree, which chance does not bring about.
    pub(crate) certain: bool,
}

impl Connection {
    /// How near the segment's data sequence numbers lie to this connection's, were the flow one of its subflows with
    /// the segment going in `direction`; nothing when one of them contradicts that.
    pub(crate) fn kinship(&self, direction: Direction, dss: &Dss) -> Option<Kinship> {
        let ack = dss.data_ack.map(|ack| (direction.reverse(), ack));
        let data = dss.mapping.map(|mapping| (direction, mapping.dsn));
        let (mut found, mut numbers): (Option<Kinship>, u32) = (None, 0);
        for (side, dsn) in [ack, data].into_iter().flatten() {
            let Some(distance) = self.distance(side, dsn) else { continue };
            let certain = matches!(dsn, Dsn::Long(_)) && self.knows_long(side);
            if distance > if certain { NEAR } else { NEAR_BOTH } {
                return None;
            }
            numbers += 1;
            let before = found.unwrap_or(Kinship { distance, certain });
            found =
                Some(Kinship { distance: before.distance.min(distance), certain: before.certain || certain });
        }
        found.filter(|kin| kin.certain || numbers == 2 || kin.distance <= NEAR_ALONE)
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
