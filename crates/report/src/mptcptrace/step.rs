//! One packet with a DSS option, as mptcptrace's rules see it.

use crate::connection::One;
use subflow_analysis::rows::{Direction, Packet};

/// A mapping as it stands in the option, data sequence numbers cut to 32 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mapping {
    pub(super) start: u32,
    /// Its length in the option: a DATA_FIN counts one.
    pub(super) bytes: u32,
    pub(super) fin: bool,
}

impl Mapping {
    pub(super) const fn end(&self) -> u32 {
        self.start.wrapping_add(self.bytes)
    }
}

/// A packet with a DSS option.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    /// Microseconds since 1970: finer times are cut.
    pub(super) time: i64,
    pub(super) direction: Direction,
    /// Number of the subflow.
    pub(super) subflow: u32,
    /// Subflow sequence number.
    pub(super) seq: u32,
    /// Subflow acknowledgement number.
    pub(super) ack: Option<u32>,
    /// Payload bytes.
    pub(super) payload: u32,
    pub(super) mapping: Option<Mapping>,
    pub(super) data_ack: Option<u32>,
    /// Receive window, scaled.
    pub(super) window: u32,
}

/// Microseconds as mptcptrace writes them: `seconds.micros`.
pub(super) fn stamp(micros: i64) -> String {
    format!("{}.{:06}", micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000))
}

/// Microseconds as seconds.
pub(super) fn seconds(micros: i64) -> f64 {
    let whole = micros.div_euclid(1_000_000);
    whole as f64 + micros.rem_euclid(1_000_000) as f64 / 1e6
}

/// Low 32 bits of the data sequence numbers of both directions' bytes 0.
pub(super) fn bases(one: &One<'_>) -> [u32; 2] {
    let low = |hex: Option<subflow_rows::Hex64>| hex.map_or(0, |hex| hex.0 as u32);
    [low(one.connection.client_first_dsn), low(one.connection.server_first_dsn)]
}

impl Step {
    /// What the packet is to mptcptrace; nothing without a DSS option.
    pub(super) fn of(packet: &Packet, bases: [u32; 2]) -> Option<Self> {
        let own = packet.direction.index();
        let low = |base: u32, offset: i64| base.wrapping_add(offset as u32);
        let mapping = packet.dsn.zip(packet.mapping_bytes).map(|(dsn, bytes)| Mapping {
            start: low(bases[own], dsn),
            bytes: u32::try_from(bytes).unwrap_or(u32::MAX),
            fin: packet.data_fin,
        });
        let data_ack = packet.data_ack.map(|ack| low(bases[1 - own], ack));
        if mapping.is_none() && data_ack.is_none() {
            return None;
        }
        Some(Self {
            time: packet.time.0.div_euclid(1000),
            direction: packet.direction,
            subflow: packet.subflow_id,
            seq: packet.seq,
            ack: packet.ack,
            payload: u32::try_from(packet.bytes).unwrap_or(u32::MAX),
            mapping,
            data_ack,
            window: packet.window.map_or(0, |window| window as u32),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_cut_to_microseconds() {
        assert_eq!(stamp(1_420_070_400_270_050), "1420070400.270050");
        assert_eq!(seconds(1_500_000), 1.5);
        assert_eq!(seconds(-500_000), -0.5);
    }
}
