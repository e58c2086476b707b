//! Which subflow carried data when: time in columns, a lane for each direction of each subflow, and marks.

use super::One;
use super::timeline::{Entry, Kind};
use subflow_analysis::rows::{Direction, State};

/// One direction of one subflow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lane {
    /// The subflow.
    pub subflow: u32,
    /// The direction.
    pub direction: Direction,
    /// Payload bytes by column.
    pub bytes: Vec<u64>,
}

/// What a mark stands for, the more important ones last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// Retransmissions.
    Retransmission,
    /// FIN.
    Fin,
    /// Data that another subflow had carried.
    Reinjection,
    /// Its direction stood still.
    Stall,
    /// MP_PRIO.
    Priority,
    /// MP_FAIL, a fallback or an infinite mapping.
    Failure,
    /// The subflow was opened or joined.
    Opened,
    /// A join that led to nothing.
    Failed,
    /// RST or MP_FASTCLOSE.
    Reset,
    /// Data went on elsewhere.
    Handover,
}

impl Mark {
    /// The character that stands for it on a terminal.
    pub const fn letter(self) -> char {
        match self {
            Self::Retransmission => 't',
            Self::Fin => 'f',
            Self::Reinjection => 'R',
            Self::Stall => 'S',
            Self::Priority => 'P',
            Self::Failure => '!',
            Self::Opened => 'o',
            Self::Failed => '?',
            Self::Reset => 'X',
            Self::Handover => 'H',
        }
    }

    /// What the character means.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Retransmission => "retransmission",
            Self::Fin => "FIN",
            Self::Reinjection => "reinjection",
            Self::Stall => "stall",
            Self::Priority => "priority change",
            Self::Failure => "fallback or MP_FAIL",
            Self::Opened => "opened",
            Self::Failed => "failed join",
            Self::Reset => "reset",
            Self::Handover => "handover",
        }
    }

    /// What became of a subflow's handshake; nothing where it was not seen.
    pub(super) const fn of_state(state: State) -> Option<Self> {
        match state {
            State::Established => Some(Self::Opened),
            State::Midstream => None,
            _ => Some(Self::Failed),
        }
    }

    pub(super) fn of(kind: Kind) -> Option<Self> {
        Some(match kind {
            Kind::Retransmission => Self::Retransmission,
            Kind::Fin => Self::Fin,
            Kind::Reinjection => Self::Reinjection,
            Kind::Stall => Self::Stall,
            Kind::Priority => Self::Priority,
            Kind::Fallback | Kind::Failure | Kind::InfiniteMapping => Self::Failure,
            Kind::Reset | Kind::FastClose => Self::Reset,
            Kind::Handover => Self::Handover,
            _ => return None,
        })
    }
}

/// The picture before it is drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Lanes {
    /// Seconds that one column stands for.
    pub column: f64,
    /// Lanes with data, by subflow, `c2s` first.
    pub lanes: Vec<Lane>,
    /// For each subflow, in order: its number, first and last column in which it was heard from, and its marks by column.
    pub subflows: Vec<(u32, usize, usize, Vec<Option<Mark>>)>,
    /// Most bytes in a column of any lane.
    pub highest: u64,
}

impl Lanes {
    /// Sorts packets and timeline entries into this many columns, at least one.
    pub fn new(one: &One<'_>, entries: &[Entry], columns: usize) -> Self {
        let columns = columns.max(1);
        let span = one.connection.duration.max(1e-6);
        let column_of = |seconds: f64| ((seconds / span * columns as f64) as usize).min(columns - 1);
        let mut lanes: Vec<Lane> = one
            .subflows
            .iter()
            .flat_map(|subflow| {
                [Direction::C2s, Direction::S2c].map(|direction| Lane {
                    subflow: subflow.subflow_id,
                    direction,
                    bytes: vec![0; columns],
                })
            })
            .collect();
        for packet in one.packets {
            let lane = packet.subflow_id as usize * 2 + packet.direction.index();
            let column = column_of(one.seconds(packet.time));
            if let Some(sum) = lanes.get_mut(lane).and_then(|lane| lane.bytes.get_mut(column)) {
                *sum += packet.bytes;
            }
        }
        lanes.retain(|lane| lane.bytes.iter().any(|&bytes| bytes > 0));
        let mut subflows: Vec<_> = one
            .subflows
            .iter()
            .map(|subflow| {
                let start = one.seconds(subflow.start);
                let (first, last) = (column_of(start), column_of(start + subflow.duration));
                let mut marks = vec![None; columns];
                if let Some(place) = marks.get_mut(first) {
                    *place = Mark::of_state(subflow.state);
                }
                (subflow.subflow_id, first, last, marks)
            })
            .collect();
        for entry in entries {
            let (Some(mark), Some(subflow)) = (Mark::of(entry.kind), entry.subflow) else { continue };
            let Some((.., marks)) = subflows.get_mut(subflow as usize) else { continue };
            if let Some(place) = marks.get_mut(column_of(one.seconds(entry.time))) {
                *place = (*place).max(Some(mark));
            }
        }
        let highest = lanes.iter().flat_map(|lane| &lane.bytes).copied().max().unwrap_or(0);
        Self { column: span / columns as f64, lanes, subflows, highest }
    }
}
