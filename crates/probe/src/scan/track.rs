//! What is known of targets between their first probe and their verdict, and what is to be asked of them next.
//!
//! Targets are settled in the order of their positions. Each goes through the same stages, a cooldown apart: the probes, further
//! attempts where nothing came, a plain SYN where MP_CAPABLE was not answered, and where that one was, MP_CAPABLE
//! once more.
//!
//! Times are nanoseconds on any clock that does not go back.

use std::collections::VecDeque;

use super::known::Known;
use crate::answers::{Answer, Evidence};
use crate::probes::{Kind, Kinds};
use crate::rows;
use crate::targets::Target;

/// What to do in a stage for a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// The probes of the campaign.
    First,
    /// Again, where nothing came.
    Again,
    /// A plain SYN, where MP_CAPABLE was not answered by a SYN/ACK.
    Plain,
    /// MP_CAPABLE again, where only the plain SYN was answered by a SYN/ACK.
    Confirm,
}

/// One stage: how far it was walked, and when how far it had been sent.
#[derive(Debug)]
struct Stage {
    ask: Ask,
    /// Targets below this position have been looked at.
    walked: u64,
    /// When everything below a position had been sent.
    sent: VecDeque<(u64, u64)>,
}

/// Keeps what is known of targets until they are settled.
#[derive(Debug)]
pub struct Tracker {
    cooldown_ns: u64,
    stages: Vec<Stage>,
    known: Known,
}

impl Tracker {
    /// Targets from position `begin` on are sent `kinds` of probe.
    pub fn new(kinds: Kinds, retries: u32, follow_up: bool, cooldown_ns: u64, begin: u64) -> Self {
        let again = std::iter::repeat_n(Ask::Again, retries as usize);
        let follow = follow_up && !kinds.and(Kinds::ASKING).is_empty();
        let asks = std::iter::once(Ask::First)
            .chain(again)
            .chain(follow.then_some([Ask::Plain, Ask::Confirm]).into_iter().flatten());
        let stages = asks.map(|ask| Stage { ask, walked: begin, sent: VecDeque::new() }).collect();
        Self { cooldown_ns, stages, known: Known::new(kinds, follow, begin) }
    }

    /// What each stage does, the first one first.
    pub fn stages(&self) -> impl ExactSizeIterator<Item = Ask> {
        self.stages.iter().map(|stage| stage.ask)
    }

    /// Targets below this position are settled.
    pub fn settled(&self) -> u64 {
        self.known.base()
    }

    /// Answers that came when their target was settled already.
    pub fn late(&self) -> u64 {
        self.known.late()
    }

    /// Takes an answer of the target at a position. A row comes back when it settles the target.
    pub fn answer(&mut self, position: u64, answer: &Answer<'_>, repeat: bool) -> Option<rows::Target> {
        self.known.answer(position, answer, repeat)
    }

    /// Fetches what [`answer`](Self::answer) will look at into the cache. What it returns means nothing, but must be used.
    #[inline]
    pub(super) fn touch(&self, position: u64) -> u8 {
        self.known.touch(position)
    }

    /// Notes that a stage has by now sent everything it was to send below a position.
    pub fn sent(&mut self, stage: usize, below: u64, now_ns: u64) {
        let Some(stage) = self.stages.get_mut(stage) else { return };
        if stage.ask == Ask::First {
            stage.walked = stage.walked.max(below);
        }
        if stage.sent.back().is_none_or(|&(_, before)| before < below) {
            stage.sent.push_back((now_ns, below));
        }
    }

    /// Walks the targets whose cooldown after a stage is over to the next one: `ask` is called with stage, position and
    /// kinds of probe to send, until it says that it has enough for now; `settle` with the position of each target
    /// that is through, what was sent to it, and what is known of it.
    pub fn walk<E>(
        &mut self,
        now_ns: u64,
        mut ask: impl FnMut(usize, u64, Kinds) -> bool,
        mut settle: impl FnMut(u64, Kinds, Option<&Evidence>) -> Result<(), E>,
    ) -> Result<(), E> {
        for stage in 1..self.stages.len() {
            let limit = self.over(stage - 1, now_ns).max(self.stages[stage].walked);
            for position in self.stages[stage].walked..limit {
                let kinds = self.next_kinds(self.stages[stage].ask, position);
                self.stages[stage].walked = position + 1;
                if !kinds.is_empty() && !ask(stage, position, kinds) {
                    break;
                }
            }
        }
        let limit = self.over(self.stages.len() - 1, now_ns);
        while self.known.base() < limit {
            self.known.settle_first(&mut settle)?;
        }
        Ok(())
    }

    /// How far a stage was walked: what it asked lies below.
    pub fn walked(&self, stage: usize) -> u64 {
        self.stages.get(stage).map_or(0, |stage| stage.walked)
    }

    /// The position below which the cooldown after a stage is over.
    fn over(&mut self, stage: usize, now_ns: u64) -> u64 {
        let stage = &mut self.stages[stage];
        let mut over = self.known.base();
        // The last note that is old enough stays, for it is asked for again.
        while let Some(&(at, below)) = stage.sent.front() {
            if at.saturating_add(self.cooldown_ns) > now_ns {
                break;
            }
            over = below;
            if stage.sent.get(1).is_none_or(|&(next, _)| next.saturating_add(self.cooldown_ns) > now_ns) {
                break;
            }
            stage.sent.pop_front();
        }
        over
    }

    /// The kinds of probe that a target gets in a stage.
    fn next_kinds(&mut self, ask: Ask, position: u64) -> Kinds {
        let Some((answered, evidence)) = self.known.of(position) else { return Kinds::NONE };
        let opened = |kinds| evidence.is_some_and(|evidence| evidence.opened(kinds));
        let (kinds, plain) = (self.known.kinds(), Kinds::only(Kind::Plain));
        match ask {
            Ask::First => Kinds::NONE,
            Ask::Again => kinds.without(answered),
            Ask::Plain if opened(Kinds::ASKING) || answered.has(Kind::Plain) => Kinds::NONE,
            Ask::Plain => {
                self.known.sent_plain(position);
                plain
            }
            Ask::Confirm if opened(plain) && !opened(Kinds::ASKING) => kinds.and(Kinds::ASKING),
            Ask::Confirm => Kinds::NONE,
        }
    }
}

/// The row of a target from which nothing came.
pub(super) fn silent(target: &Target, sent: Kinds) -> rows::Target {
    Evidence::default().row(target, sent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answers::{Mptcp, OptionBytes, Packet};
    use crate::rows::{AnswerKind, Finding, Verdict};

    const TARGET: Target = Target { addr: std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), port: 80 };

    fn answer(kind: Kind, finding: Finding) -> Answer<'static> {
        let tcp = if finding == Finding::Reset { AnswerKind::Reset } else { AnswerKind::SynAck };
        let packet = Packet::Tcp { kind: tcp, window: 1, ack: 1, mss: None, options: OptionBytes::new(&[]) };
        Answer {
            time_ns: 0,
            target: TARGET,
            src_addr: TARGET.addr,
            src_port: 1,
            kind,
            ttl: 60,
            rtt_micros: None,
            finding,
            mptcp: Mptcp::default(),
            packet,
        }
    }

    /// What was asked in which stage, and what was settled.
    type Walked = (Vec<(usize, u64, String)>, Vec<(u64, Verdict)>);

    /// Walks at a time; what was asked, and what was settled with which verdict.
    fn walk(tracker: &mut Tracker, now: u64) -> Walked {
        let (mut asked, mut settled) = (Vec::new(), Vec::new());
        let walked = tracker.walk::<()>(
            now,
            |stage, position, kinds| {
                asked.push((stage, position, kinds.to_string()));
                true
            },
            |position, sent, evidence| {
                let row = evidence.cloned().unwrap_or_default().row(&TARGET, sent);
                settled.push((position, row.verdict));
                Ok(())
            },
        );
        assert_eq!(walked, Ok(()));
        (asked, settled)
    }

    #[test]
    fn targets_go_through_all_stages() {
        let kinds = Kinds::only(Kind::V1);
        let mut tracker = Tracker::new(kinds, 1, true, 100, 0);
        assert_eq!(tracker.stages().collect::<Vec<_>>(), [Ask::First, Ask::Again, Ask::Plain, Ask::Confirm]);
        tracker.sent(0, 4, 1000);
        // The first supports it, the second resets it, the third drops it, the fourth is silent.
        assert_eq!(tracker.answer(0, &answer(Kind::V1, Finding::V1), false), None);
        tracker.answer(1, &answer(Kind::V1, Finding::Reset), false);
        assert_eq!(walk(&mut tracker, 1099), (vec![], vec![]));
        let (asked, settled) = walk(&mut tracker, 1100);
        assert_eq!(asked, [(1, 2, "v1".into()), (1, 3, "v1".into())]);
        assert_eq!(settled, []);
        tracker.sent(1, tracker.walked(1), 1200);
        let (asked, _) = walk(&mut tracker, 1300);
        assert_eq!(asked, [(2, 1, "plain".into()), (2, 2, "plain".into()), (2, 3, "plain".into())]);
        tracker.sent(2, tracker.walked(2), 1300);
        tracker.answer(1, &answer(Kind::Plain, Finding::NoOption), false);
        tracker.answer(2, &answer(Kind::Plain, Finding::NoOption), false);
        let (asked, settled) = walk(&mut tracker, 1400);
        assert_eq!(asked, [(3, 1, "v1".into()), (3, 2, "v1".into())]);
        assert_eq!((settled, tracker.settled()), (vec![], 0));
        tracker.sent(3, tracker.walked(3), 1400);
        let (_, settled) = walk(&mut tracker, 1500);
        assert_eq!(
            settled,
            [
                (0, Verdict::SupportsV1),
                (1, Verdict::ResetWithOption),
                (2, Verdict::DroppedWithOption),
                (3, Verdict::Filtered),
            ]
        );
        assert_eq!((tracker.settled(), tracker.known.is_empty()), (4, true));
        tracker.answer(2, &answer(Kind::V1, Finding::V1), false);
        assert_eq!(tracker.late(), 1);
    }

    #[test]
    fn an_answer_to_the_confirmation_clears_the_box() {
        let mut tracker = Tracker::new(Kinds::only(Kind::V1), 0, true, 10, 5);
        tracker.sent(0, 6, 0);
        walk(&mut tracker, 10);
        tracker.sent(1, 6, 10);
        tracker.answer(5, &answer(Kind::Plain, Finding::NoOption), false);
        assert_eq!(walk(&mut tracker, 20).0, [(2, 5, "v1".into())]);
        tracker.sent(2, 6, 20);
        tracker.answer(5, &answer(Kind::V1, Finding::V1), false);
        assert_eq!(walk(&mut tracker, 30).1, [(5, Verdict::SupportsV1)]);
    }

    #[test]
    fn a_walk_that_is_told_to_wait_goes_on_where_it_stopped() {
        let mut tracker = Tracker::new(Kinds::only(Kind::V1), 1, false, 10, 0);
        tracker.sent(0, 10, 0);
        let mut asked = Vec::new();
        for _ in 0..4 {
            let mut room = 3;
            tracker
                .walk::<()>(
                    10,
                    |_, position, _| {
                        asked.push(position);
                        room -= 1;
                        room > 0
                    },
                    |_, _, _| Ok(()),
                )
                .unwrap();
        }
        assert_eq!(asked, (0..10).collect::<Vec<_>>());
        assert_eq!(tracker.walked(1), 10);
    }

    #[test]
    fn kinds_that_do_not_ask_are_not_followed_up() {
        let tracker = Tracker::new(Kinds::only(Kind::Plain).with(Kind::Join), 2, true, 10, 0);
        assert_eq!(tracker.stages().len(), 3);
    }
}
