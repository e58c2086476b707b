//! What every algorithm keeps about a subflow.

use super::{Ack, Algorithm, cubic, dctcp, olia, wvegas};

/// How far a smoothed round-trip time may move before coupled terms are computed anew.
const RTT_SLACK: f64 = 1.0 / 64.0;

/// One subflow: its window and what algorithms share, in one cache line, and what its algorithm adds.
#[derive(Clone, Debug)]
#[repr(C, align(64))]
pub(super) struct Subflow {
    /// Congestion window, packets.
    pub(super) window: f64,
    /// Slow start threshold, packets; infinite until the first loss.
    pub(super) ssthresh: f64,
    /// Smoothed round-trip time, seconds; 0 before the first sample.
    pub(super) srtt: f64,
    /// `srtt` when coupled terms were last computed.
    pub(super) srtt_then: f64,
    /// 1/srtt when coupled terms were last computed; 0 without one.
    pub(super) per_rtt: f64,
    /// Bytes acknowledged so far.
    pub(super) delivered: u64,
    /// No further reaction to marks before this many bytes are acknowledged.
    pub(super) reduced_until: u64,
    /// Whether it takes part.
    pub(super) live: bool,
    /// Whether the retransmission timer ran out and no ACK came since.
    pub(super) timed_out: bool,
    /// What only its algorithm knows.
    pub(super) own: Own,
}

/// State of one algorithm.
#[derive(Clone, Debug)]
pub(super) enum Own {
    None,
    Cubic(cubic::State),
    Dctcp(dctcp::State),
    Olia(olia::State),
    WVegas(wvegas::State),
}

impl Own {
    pub(super) fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Cubic => Self::Cubic(cubic::State::default()),
            Algorithm::Dctcp => Self::Dctcp(dctcp::State::default()),
            Algorithm::Olia => Self::Olia(olia::State::default()),
            Algorithm::WVegas => Self::WVegas(wvegas::State::default()),
            _ => Self::None,
        }
    }
}

impl Subflow {
    pub(super) fn new(window: f64, own: Own) -> Self {
        Self {
            window,
            ssthresh: f64::INFINITY,
            srtt: 0.0,
            srtt_then: 0.0,
            per_rtt: 0.0,
            delivered: 0,
            reduced_until: 0,
            live: true,
            timed_out: false,
            own,
        }
    }

    pub(super) fn in_slow_start(&self) -> bool {
        self.window < self.ssthresh
    }

    /// Books an ACK: bytes, the smoothed round-trip time (RFC 6298's gain of 1/8), in and out of recovery.
    pub(super) fn hear(&mut self, ack: &Ack) {
        self.delivered += ack.acked;
        if let Some(rtt) = ack.rtt {
            let rtt = rtt.as_secs_f64();
            if self.srtt > 0.0 {
                self.srtt += (rtt - self.srtt) * 0.125;
            } else {
                self.srtt = rtt;
            }
        }
    }

    /// The same for what its algorithm keeps of its own.
    pub(super) fn observe(&mut self, ack: &Ack) {
        match &mut self.own {
            Own::Dctcp(state) => state.observe(ack, self.delivered),
            Own::Olia(state) => state.acked(ack.acked),
            _ => {}
        }
    }

    /// Whether the smoothed round-trip time has moved so far that coupled terms are to be computed anew.
    pub(super) fn rtt_moved(&self) -> bool {
        (self.srtt - self.srtt_then).abs() > self.srtt_then * RTT_SLACK
    }

    /// Slow start (RFC 5681, 3.1): one packet for each acknowledged. Yields the packets that are left for congestion avoidance when the
    /// threshold is reached.
    pub(super) fn slow_start(&mut self, packets: f64) -> f64 {
        let grown = self.window + packets;
        if grown <= self.ssthresh {
            self.window = grown;
            0.0
        } else {
            self.window = self.ssthresh;
            grown - self.ssthresh
        }
    }
}
