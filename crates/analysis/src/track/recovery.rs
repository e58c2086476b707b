//! How a subflow recovers from loss: after a timeout, or after duplicate ACKs.

/// The shortest retransmission timeout of Linux; RFC 6298 asks for a second.
pub(crate) const SHORTEST_TIMEOUT: i64 = 200_000_000;

/// A moment and its frame.
type At = (i64, u64);

/// One direction of a subflow: when data went, what came back for it, and how it was repeated.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Recovery {
    /// The last data, and the last ACK that said something about it.
    sent: Option<i64>,
    heard: Option<i64>,
    /// The first duplicate or selective ACK since the last one that moved on.
    duplicate: Option<At>,
    /// Repeats below this position go on with the recovery that began.
    until: i64,
    /// The first repeat of the last recovery from a timeout, and of the last one from duplicate ACKs.
    timeout: Option<At>,
    fast: Option<At>,
}

impl Recovery {
    /// Data was sent. If it repeats something below `next`, or fills a hole there, `repeats` is where that begins.
    #[inline]
    pub(crate) fn sent(&mut self, repeats: Option<i64>, next: i64, at: At) {
        if let Some(start) = repeats {
            let silent = self.sent.max(self.heard).is_some_and(|last| at.0 - last >= SHORTEST_TIMEOUT);
            if silent {
                self.timeout = Some(at);
                self.until = next;
            } else if start >= self.until && self.duplicate.is_some() {
                self.fast = Some(at);
                self.until = next;
            }
        }
        self.sent = Some(at.0);
    }

    /// An ACK came: it moved on, or it was a duplicate (RFC 5681, section 2) or a selective one, or said nothing new.
    #[inline]
    pub(crate) fn acked(&mut self, moved: bool, duplicate: bool, at: At) {
        if duplicate {
            self.duplicate.get_or_insert(at);
        } else if moved {
            self.duplicate = None;
        }
        if moved || duplicate {
            self.heard = Some(at.0);
        }
    }

    /// The repeat that began a recovery from a timeout at `since` or later.
    pub(crate) fn timeout_since(&self, since: i64) -> Option<At> {
        self.timeout.filter(|at| at.0 >= since)
    }

    /// What showed a loss without a timeout at `since` or later: a fast retransmission, or the duplicate ACKs before it.
    pub(crate) fn loss_since(&self, since: i64) -> Option<At> {
        self.fast.filter(|at| at.0 >= since).or(self.duplicate.filter(|at| at.0 >= since))
    }

    /// Whether a timeout or another sign of loss was seen at `since` or later.
    pub(crate) fn troubled(&self, since: i64) -> bool {
        self.timeout_since(since).is_some() || self.loss_since(since).is_some()
    }

    /// Whether neither data went nor anything came back for as long as a timeout takes.
    pub(crate) fn silent(&self, now: i64) -> bool {
        self.sent.max(self.heard).is_some_and(|last| now - last >= SHORTEST_TIMEOUT)
    }
}

#[cfg(test)]
mod tests {
    use super::Recovery;

    const MS: i64 = 1_000_000;

    #[test]
    fn a_repeat_after_silence_is_a_timeout() {
        let mut recovery = Recovery::default();
        recovery.sent(None, 0, (0, 1));
        recovery.sent(None, 1000, (10 * MS, 2));
        assert!(!recovery.silent(209 * MS) && recovery.silent(210 * MS));
        recovery.sent(Some(0), 2000, (230 * MS, 3));
        assert_eq!(recovery.timeout_since(0), Some((230 * MS, 3)));
        // What goes on with it is not another one.
        recovery.acked(true, false, (240 * MS, 4));
        recovery.sent(Some(1000), 2000, (241 * MS, 5));
        assert_eq!(recovery.timeout_since(231 * MS), None);
        assert_eq!(recovery.loss_since(0), None);
    }

    #[test]
    fn a_repeat_after_duplicates_is_fast() {
        let mut recovery = Recovery::default();
        for k in 0..5 {
            recovery.sent(None, k * 1000, (k * MS, k as u64));
        }
        recovery.acked(false, true, (20 * MS, 10));
        recovery.acked(false, true, (21 * MS, 11));
        assert_eq!(
            recovery.loss_since(5 * MS),
            Some((20 * MS, 10)),
            "the duplicates say so before the repeat"
        );
        recovery.sent(Some(0), 5000, (22 * MS, 12));
        assert_eq!(recovery.loss_since(0), Some((22 * MS, 12)));
        assert_eq!(recovery.timeout_since(0), None);
        recovery.acked(true, false, (40 * MS, 13));
        recovery.sent(None, 5000, (41 * MS, 14));
        assert_eq!(recovery.loss_since(23 * MS), None);
    }

    #[test]
    fn a_probe_without_either_is_neither() {
        let mut recovery = Recovery::default();
        recovery.sent(None, 0, (0, 1));
        recovery.sent(Some(0), 1000, (50 * MS, 2));
        assert_eq!((recovery.timeout_since(0), recovery.loss_since(0)), (None, None));
    }
}
