//! What moves a flow to another path: the sender's part of FlowBender and PLB behind one type.

use super::flowbender::{self, FlowBender};
use super::plb::{self, Plb};
use crate::random::{Purpose, Random};
use crate::time::Time;

/// How senders choose the value V that switches hash, and when they choose another.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Policy {
    /// One value for good: plain ECMP.
    #[default]
    Fixed,
    /// FlowBender.
    FlowBender(flowbender::Settings),
    /// PLB.
    Plb(plb::Settings),
}

/// What one sender of data keeps for one subflow.
#[derive(Clone, Debug)]
pub struct Mover {
    random: Random,
    state: State,
}

#[derive(Clone, Debug)]
enum State {
    Fixed,
    FlowBender(FlowBender),
    Plb(Plb),
}

impl Mover {
    /// The mover of the flow with this number; its choices come from a stream of its own.
    pub fn new(policy: &Policy, seed: u64, flow: u64) -> Self {
        let mut random = Random::indexed(seed, Purpose::Balancing, flow);
        let state = match policy {
            Policy::Fixed => State::Fixed,
            Policy::FlowBender(settings) => State::FlowBender(FlowBender::new(settings, &mut random)),
            Policy::Plb(settings) => State::Plb(Plb::new(settings, &mut random)),
        };
        Self { random, state }
    }

    /// V; 0 where it is fixed.
    pub fn value(&self) -> u32 {
        match &self.state {
            State::Fixed => 0,
            State::FlowBender(state) => state.value(),
            State::Plb(state) => state.value(),
        }
    }

    /// An ACK at `now`: the first byte not acknowledged and the next to be sent (equal when nothing is on its way), bytes newly acknowledged
    /// and those of them with an ECN echo. True when V has changed. `policy` is the one of [`Mover::new`].
    pub fn on_ack(&mut self, policy: &Policy, now: Time, window: (u64, u64), bytes: (u64, u64)) -> bool {
        match (&mut self.state, policy) {
            (State::FlowBender(state), Policy::FlowBender(settings)) => {
                state.on_ack(settings, window, bytes, &mut self.random).is_some()
            }
            (State::Plb(state), Policy::Plb(settings)) => {
                state.on_ack(settings, now, window, bytes, &mut self.random).is_some()
            }
            _ => false,
        }
    }

    /// The retransmission timer ran out at `now`; `nxt` is the next byte to be sent. True when V has changed.
    pub fn on_timeout(&mut self, policy: &Policy, now: Time, nxt: u64) -> bool {
        match (&mut self.state, policy) {
            (State::FlowBender(state), Policy::FlowBender(settings)) => {
                state.on_timeout(settings, nxt, &mut self.random).is_some()
            }
            (State::Plb(state), Policy::Plb(settings)) => {
                state.on_timeout(settings, now, nxt, &mut self.random).is_some()
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_policy_moves_by_its_own_rules() {
        let full = |policy: &Policy| {
            let mut mover = Mover::new(policy, 1, 7);
            let moved = (1..=24u64)
                .filter(|n| mover.on_ack(policy, Time::ZERO, (100 * n, 100 * n + 100), (100, 100)))
                .count();
            (moved, mover.on_timeout(policy, Time::ZERO, 9999))
        };
        assert_eq!(full(&Policy::Fixed), (0, false));
        assert_eq!(full(&Policy::FlowBender(flowbender::Settings::default())), (24, true));
        assert_eq!(full(&Policy::Plb(plb::Settings::default())), (2, true));
        assert_eq!(Mover::new(&Policy::Fixed, 1, 7).value(), 0);
        assert!(std::mem::size_of::<Mover>() <= 56);
    }

    #[test]
    fn the_same_flow_chooses_alike() {
        let policy = Policy::FlowBender(flowbender::Settings { values: 1000, ..Default::default() });
        assert_eq!(Mover::new(&policy, 3, 5).value(), Mover::new(&policy, 3, 5).value());
        assert_ne!(Mover::new(&policy, 3, 5).value(), Mover::new(&policy, 3, 6).value());
    }
}
