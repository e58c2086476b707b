//! A box that drops SYNs with Multipath TCP options; a SYN without them passes.

use super::{Action, Way};
use crate::header::Header;

/// Drops SYNs with the option.
#[derive(Clone, Debug)]
pub struct DropSyn {
    /// SYN/ACKs, too.
    pub answers: bool,
    /// So many are dropped, then all pass.
    pub most: u64,
    /// Segments dropped so far.
    pub dropped: u64,
}

impl DropSyn {
    /// Every SYN with the option, for ever.
    pub const fn new() -> Self {
        Self { answers: false, most: u64::MAX, dropped: 0 }
    }

    pub(super) fn pass(&mut self, _way: Way, header: &Header) -> Action {
        let meant = header.flags.syn() && (self.answers || !header.flags.ack());
        if !meant || self.dropped >= self.most || header.mptcp().next().is_none() {
            return Action::Forward;
        }
        self.dropped += 1;
        Action::Drop
    }
}

impl Default for DropSyn {
    fn default() -> Self {
        Self::new()
    }
}
