//! Data on backup subflows while a regular one is alive (RFC 8684, section 3.3.8).

use super::{Connection, Subflow};
use crate::{
    rows::{Direction, Finding},
    segment::Segment,
};

/// A subflow whose receiver was heard from so recently is alive, in nanoseconds.
const ALIVE: i64 = 200_000_000;
/// Unless its sender had to repeat itself so recently.
const TROUBLED: i64 = 1_000_000_000;

/// What is known of a subflow's priority and liveness.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Life {
    /// Which side asked the other for this to be a backup.
    asked: [bool; 2],
    /// When each side was last heard from, SYN and RST left out.
    heard: [Option<i64>; 2],
}

/// Payload on a backup against the wish of its receiver.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct BackupUse {
    bytes: u64,
    packets: u64,
    first: Option<(i64, u64, u16)>,
}

impl Connection {
    fn life(&mut self, subflow: u16) -> &mut Life {
        let index = usize::from(subflow);
        if self.watch.lives.len() <= index {
            self.watch.lives.resize(index + 1, Life::default());
        }
        &mut self.watch.lives[index]
    }

    /// One side asks that a subflow be a backup, or no longer.
    pub(super) fn ask_for_backup(&mut self, subflow: u16, asker: Direction, backup: bool) {
        self.watch.any_backup |= backup;
        if self.watch.any_backup {
            self.life(subflow).asked[asker.index()] = backup;
        }
    }

    /// Counts payload that should have gone elsewhere.
    pub(super) fn observe_backup(
        &mut self,
        subflow: &mut Subflow,
        direction: Direction,
        segment: &Segment<'_>,
    ) {
        let receiver = direction.reverse().index();
        let life = self.life(subflow.id);
        life.heard[direction.index()] = Some(segment.time);
        let known = subflow.halves[direction.index()].space.as_ref();
        let fresh = known.is_some_and(|space| space.position(segment.seq) >= space.next());
        if !life.asked[receiver] || segment.len == 0 || !fresh {
            return;
        }
        let now = segment.time;
        let better =
            self.watch.lives.iter().zip(&self.holders).enumerate().find(|(index, (life, holder))| {
                *index != usize::from(subflow.id)
                    && !life.asked[receiver]
                    && !holder.closed
                    && life.heard[receiver].is_some_and(|time| now - time <= ALIVE)
                    && !holder.paths[direction.index()].recovery.troubled(now - TROUBLED)
            });
        let Some((index, _)) = better else { return };
        let used = &mut subflow.watch[direction.index()].backup;
        used.bytes += u64::from(segment.len);
        used.packets += 1;
        used.first.get_or_insert((segment.time, segment.frame, u16::try_from(index).unwrap_or(u16::MAX)));
    }

    /// Tells at the end what backups carried.
    pub(super) fn tell_backup_use(&mut self, subflow: &Subflow) {
        for direction in [Direction::C2s, Direction::S2c] {
            let used = subflow.watch[direction.index()].backup;
            let Some((time, frame, other)) = used.first else { continue };
            let detail = format!(
                "{} bytes in {} packets on backup subflow {} while subflow {other} was alive",
                used.bytes, used.packets, subflow.id
            );
            self.finding_at(subflow.id, direction, time, frame, Finding::BackupUsed, detail);
        }
    }
}
