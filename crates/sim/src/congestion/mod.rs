//! Congestion control: the windows of all subflows of one connection.
//!
//! One file an algorithm, each with its equation and source. An algorithm says how a window grows in congestion avoidance and what
//! is left of it after a loss; what is the same for all stands here: slow start, the reaction to ECN marks, timeouts, idle times.
//! A plain TCP connection is a connection with one subflow.
//!
//! Windows are counted in packets of the maximum segment size, as `f64`, because the equations are; [`Congestion::window`] gives
//! bytes. An ACK that covers n packets grows a window as n ACKs of one packet at the same window would (appropriate byte counting,
//! RFC 3465, without its limit, as Linux does).
//!
//! **How exact coupled algorithms are.** What depends on all subflows (the sums and maxima of LIA, OLIA and BALIA) is kept and
//! computed anew when windows have changed by more than 1/64 of themselves in sum, when a smoothed round-trip time has changed by
//! more than 1/64, after every 1/16 of the total window that is acknowledged, and after every loss, timeout and change of the set of
//! subflows. Right after that the increments are exact; in between they are off by at most 1/16, since each is a product of at most
//! four factors that have moved by at most 1/64.

mod balia;
mod cubic;
mod dctcp;
mod ewtcp;
mod lia;
mod newreno;
mod olia;
mod shared;
mod subflow;
mod wvegas;

use crate::prefetch::{prefetch, prefetch_index};
use crate::time::{Duration, Time};
pub use dctcp::GAIN as DCTCP_GAIN;
use shared::Shared;
use std::str::FromStr;
use subflow::{Own, Subflow};

/// The least window, in packets.
const LEAST: f64 = 1.0;

subflow_rows::names! {
    /// A congestion control algorithm.
    pub enum Algorithm {
        /// RFC 5681 and 6582.
        NewReno => "newreno",
        /// RFC 9438.
        Cubic => "cubic",
        /// RFC 8257.
        Dctcp => "dctcp",
        /// RFC 6356: the linked increases algorithm.
        Lia => "lia",
        /// Khalili and others 2012: the opportunistic linked increases algorithm.
        Olia => "olia",
        /// Peng and others 2013: the balanced linked adaptation.
        Balia => "balia",
        /// Cao and others 2012: weighted Vegas.
        WVegas => "wvegas",
        /// Honda and others 2009: equally weighted TCP.
        Ewtcp => "ewtcp",
        /// NewReno on every subflow by itself.
        Uncoupled => "uncoupled",
    }
}

impl Algorithm {
    /// Whether packets are sent as ECN-capable by default: DCTCP cannot do without marks.
    pub const fn needs_ecn(self) -> bool {
        matches!(self, Self::Dctcp)
    }

    /// Whether the window of a subflow depends on the other subflows.
    pub const fn is_coupled(self) -> bool {
        matches!(self, Self::Lia | Self::Olia | Self::Balia | Self::WVegas | Self::Ewtcp)
    }

    /// Whether what it keeps of its own has to hear of every ACK.
    const fn observes(self) -> bool {
        matches!(self, Self::Dctcp | Self::Olia)
    }
}

impl FromStr for Algorithm {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        Self::ALL.iter().copied().find(|algorithm| algorithm.as_str() == name).ok_or(())
    }
}

/// What an ACK says to congestion control.
#[derive(Clone, Copy, Debug)]
pub struct Ack {
    /// When it arrived.
    pub now: Time,
    /// Bytes newly acknowledged, cumulatively or by SACK.
    pub acked: u64,
    /// Of them, those with an ECN echo.
    pub marked: u64,
    /// The round-trip time that it measures; `None` when it measures none (Karn's rule).
    pub rtt: Option<Duration>,
    /// Bytes on their way after this ACK and before what it lets out.
    pub in_flight: u64,
    /// Whether the window, and not the application or the receiver, held the sender back. If not, the window does not grow.
    pub cwnd_limited: bool,
}

/// The windows of all subflows of one connection.
#[derive(Clone, Debug)]
#[repr(C)]
pub struct Congestion {
    algorithm: Algorithm,
    mss: f64,
    per_byte: f64,
    subflows: Vec<Subflow>,
    initial: f64,
    shared: Shared,
}

impl Congestion {
    /// A connection without subflows yet. `mss` is the maximum segment size in bytes; the initial window is RFC 6928's.
    pub fn new(algorithm: Algorithm, mss: u32, initial_window_packets: u32) -> Self {
        let mss = f64::from(mss.max(1));
        Self {
            algorithm,
            mss,
            per_byte: mss.recip(),
            initial: f64::from(initial_window_packets.max(1)),
            subflows: Vec::with_capacity(1),
            shared: Shared::default(),
        }
    }

    /// Asks for the memory that an acknowledgment of a subflow needs.
    #[inline]
    pub fn prefetch(&self, i: usize) {
        prefetch_index(&self.subflows, i);
        if self.algorithm.observes()
            && let Some(subflow) = self.subflows.get(i)
        {
            prefetch(&subflow.own);
        }
    }

    /// The algorithm.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// A subflow comes in, in slow start. Yields its number: 0, 1, 2 …; numbers are not used again.
    pub fn add(&mut self) -> usize {
        self.subflows.push(Subflow::new(self.initial, Own::new(self.algorithm)));
        self.changed();
        self.subflows.len() - 1
    }

    /// A subflow is gone; the others go on without it.
    pub fn remove(&mut self, i: usize) {
        if let Some(subflow) = self.subflows.get_mut(i) {
            subflow.live = false;
            self.changed();
        }
    }

    /// An ACK outside of recovery.
    pub fn on_ack(&mut self, i: usize, ack: &Ack) {
        let Some(subflow) = self.subflows.get_mut(i) else { return };
        subflow.hear(ack);
        subflow.timed_out = false;
        if self.algorithm.observes() {
            subflow.observe(ack);
        }
        if self.algorithm.is_coupled() && subflow.rtt_moved() {
            self.shared.stale = true;
        }
        if ack.marked > 0 {
            // RFC 3168, 6.1.2: at most one reaction per window of data, and no growth on an ACK with an echo.
            if subflow.delivered > subflow.reduced_until {
                subflow.reduced_until = subflow.delivered + ack.in_flight;
                self.decrease(i, ack.now, Cause::Mark);
            }
            return;
        }
        if self.algorithm == Algorithm::WVegas {
            wvegas::on_ack(&mut self.subflows, i, ack, self.per_byte);
            return;
        }
        if !ack.cwnd_limited {
            if let Own::Cubic(state) = &mut subflow.own {
                state.pause(ack.now);
            }
            return;
        }
        let mut packets = ack.acked as f64 * self.per_byte;
        if subflow.in_slow_start() {
            packets = subflow.slow_start(packets);
            self.shared.stale |= self.algorithm.is_coupled();
        }
        if packets > 0.0 {
            self.increase(i, packets, ack.now);
        }
    }

    /// An ACK while in fast recovery: what is learnt from it is kept, but the window stays.
    pub fn on_recovery_ack(&mut self, i: usize, ack: &Ack) {
        let Some(subflow) = self.subflows.get_mut(i) else { return };
        subflow.hear(ack);
        if self.algorithm.observes() {
            subflow.observe(ack);
        }
    }

    /// Fast recovery begins: a packet was found lost. The window is what it will be afterwards; how packets are let out in
    /// between (RFC 6937 or one per ACK) is for the sender to decide.
    pub fn on_loss(&mut self, i: usize, now: Time, in_flight: u64) {
        let Some(subflow) = self.subflows.get_mut(i) else { return };
        subflow.reduced_until = subflow.delivered + in_flight;
        self.decrease(i, now, Cause::Loss);
    }

    /// Fast recovery ends: all that was out when it began is acknowledged (RFC 6582, 3.2 step 3, the second option).
    pub fn on_recovered(&mut self, i: usize, _now: Time) {
        if let Some(subflow) = self.subflows.get_mut(i) {
            subflow.window = subflow.window.min(subflow.ssthresh.max(LEAST));
            self.changed();
        }
    }

    /// The retransmission timer ran out: one packet, and slow start up to what a loss would have left (RFC 5681, 3.1).
    /// A timer that runs out again for the same data leaves the threshold alone.
    pub fn on_timeout(&mut self, i: usize, now: Time, in_flight: u64) {
        let Some(subflow) = self.subflows.get_mut(i) else { return };
        subflow.reduced_until = subflow.delivered + in_flight;
        if !subflow.timed_out {
            self.decrease(i, now, Cause::Timeout);
        }
        let subflow = &mut self.subflows[i];
        subflow.timed_out = true;
        subflow.window = LEAST;
        self.changed();
    }

    /// The scheduler punishes the subflow for holding back the connection: its window and threshold are halved. It is for the
    /// caller to do so at most once per round-trip time.
    pub fn penalise(&mut self, i: usize) {
        if let Some(subflow) = self.subflows.get_mut(i) {
            subflow.window = (subflow.window / 2.0).max(LEAST);
            if subflow.ssthresh.is_finite() {
                subflow.ssthresh = (subflow.ssthresh / 2.0).max(2.0);
            }
            self.changed();
        }
    }

    /// Nothing was sent for longer than a retransmission timeout: the window starts anew (RFC 5681, 4.1).
    pub fn on_idle(&mut self, i: usize) {
        let initial = self.initial;
        if let Some(subflow) = self.subflows.get_mut(i) {
            subflow.window = subflow.window.min(initial);
            if let Own::Cubic(state) = &mut subflow.own {
                state.forget_epoch();
            }
            self.changed();
        }
    }

    /// The congestion window, in bytes. A subflow that is not there has none.
    pub fn window(&self, i: usize) -> u64 {
        self.subflows.get(i).map_or(0, |subflow| (subflow.window * self.mss) as u64)
    }

    /// The congestion window, in packets.
    pub fn window_packets(&self, i: usize) -> f64 {
        self.subflows.get(i).map_or(0.0, |subflow| subflow.window)
    }

    /// The slow start threshold, in bytes; `u64::MAX` until the first loss.
    pub fn ssthresh(&self, i: usize) -> u64 {
        self.subflows.get(i).map_or(u64::MAX, |subflow| {
            if subflow.ssthresh.is_finite() { (subflow.ssthresh * self.mss) as u64 } else { u64::MAX }
        })
    }

    /// Whether the subflow is in slow start.
    pub fn in_slow_start(&self, i: usize) -> bool {
        self.subflows.get(i).is_some_and(Subflow::in_slow_start)
    }

    /// The smoothed round-trip time, in seconds (gain 1/8); `None` before the first sample.
    pub fn srtt(&self, i: usize) -> Option<f64> {
        self.subflows.get(i).and_then(|subflow| (subflow.srtt > 0.0).then_some(subflow.srtt))
    }

    /// DCTCP's estimate of the fraction of marked bytes; `None` for other algorithms.
    pub fn dctcp_alpha(&self, i: usize) -> Option<f64> {
        match &self.subflows.get(i)?.own {
            Own::Dctcp(state) => Some(state.alpha()),
            _ => None,
        }
    }

    /// Congestion avoidance: the window grows for `packets` acknowledged.
    fn increase(&mut self, i: usize, packets: f64, now: Time) {
        let shared = &mut self.shared;
        match self.algorithm {
            Algorithm::NewReno | Algorithm::Uncoupled | Algorithm::Dctcp => {
                let subflow = &mut self.subflows[i];
                subflow.window += packets * newreno::increase(subflow.window);
                return;
            }
            Algorithm::Cubic => {
                cubic::increase(&mut self.subflows[i], packets, now);
                return;
            }
            Algorithm::Ewtcp => {
                shared.refresh(self.algorithm, &mut self.subflows);
                let subflow = &mut self.subflows[i];
                subflow.window += packets * ewtcp::increase(subflow.window, shared.live);
                return;
            }
            Algorithm::Lia | Algorithm::Olia | Algorithm::Balia => {}
            Algorithm::WVegas => return,
        }
        shared.refresh(self.algorithm, &mut self.subflows);
        let subflow = &mut self.subflows[i];
        let step = match self.algorithm {
            Algorithm::Lia => lia::increase(subflow.window, shared),
            Algorithm::Balia => balia::increase(subflow, shared),
            _ => olia::increase(subflow, shared),
        };
        let before = subflow.window;
        subflow.window = (before + packets * step).max(LEAST);
        shared.moved(subflow.window - before, before, packets);
    }

    /// What is left of a window after a loss, a mark or a timeout becomes the threshold and, but for a timeout, the window.
    fn decrease(&mut self, i: usize, now: Time, cause: Cause) {
        self.shared.refresh(self.algorithm, &mut self.subflows);
        let several = self.shared.live > 1;
        let subflow = &mut self.subflows[i];
        let window = subflow.window;
        let (left, least) = match &mut subflow.own {
            Own::Cubic(state) => (state.decrease(window, now, cause), 2.0),
            Own::Dctcp(state) => (state.decrease(window, cause), 2.0),
            Own::Olia(state) => {
                state.lost();
                // Khalili and others, draft-khalili-mptcp-congestion-control-05, 3: the least threshold is 1 when there are several.
                (window / 2.0, if several { 1.0 } else { 2.0 })
            }
            Own::None if self.algorithm == Algorithm::Balia => {
                (balia::decrease(subflow, &self.shared), if several { 1.0 } else { 2.0 })
            }
            Own::WVegas(state) => {
                state.restart();
                (newreno::decrease(window), 2.0)
            }
            Own::None => (newreno::decrease(window), 2.0),
        };
        subflow.ssthresh = left.max(least);
        subflow.window = subflow.ssthresh;
        self.changed();
    }

    fn changed(&mut self) {
        self.shared.stale = true;
    }
}

/// Why a window shrinks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    Loss,
    Mark,
    Timeout,
}

#[cfg(test)]
mod fluid;
#[cfg(test)]
mod tests;
