//! Vectors and closed forms.

use super::subflow::Own;
use super::*;

pub(super) const MSS: u32 = 1460;

/// A connection in congestion avoidance with these windows (packets) and round-trip times (seconds).
pub(super) fn avoiding(algorithm: Algorithm, windows: &[f64], rtts: &[f64]) -> Congestion {
    let mut congestion = Congestion::new(algorithm, MSS, 10);
    for (&window, &rtt) in windows.iter().zip(rtts) {
        let i = congestion.add();
        let subflow = &mut congestion.subflows[i];
        subflow.window = window;
        subflow.ssthresh = 1.0;
        subflow.srtt = rtt;
    }
    congestion
}

pub(super) fn ack(bytes: u64) -> Ack {
    Ack { now: 0, acked: bytes, marked: 0, rtt: None, in_flight: 0, cwnd_limited: true }
}

/// Growth of window `i` on an ACK of one packet.
pub(super) fn growth(congestion: &Congestion, i: usize) -> f64 {
    let mut congestion = congestion.clone();
    let before = congestion.subflows[i].window;
    congestion.on_ack(i, &ack(u64::from(MSS)));
    congestion.subflows[i].window - before
}

/// What window `i` loses by a loss.
pub(super) fn cut(congestion: &Congestion, i: usize) -> f64 {
    let mut congestion = congestion.clone();
    let before = congestion.subflows[i].window;
    congestion.on_loss(i, 0, 0);
    before - congestion.subflows[i].window
}

fn close(a: f64, b: f64, tolerance: f64) {
    assert!((a - b).abs() <= tolerance, "{a} is not {b}");
}

const CASES: [(&[f64], &[f64]); 3] =
    [(&[10.0, 20.0], &[0.1, 0.2]), (&[20.0, 10.0], &[0.05, 0.2]), (&[40.0, 10.0, 5.0], &[0.02, 0.05, 0.3])];

#[test]
fn lia_vectors() {
    let expected: [&[f64]; 3] = [&[0.025, 0.025], &[0.039506; 2], &[0.020352; 3]];
    let alphas = [0.75, 1.185185, 1.11934];
    for (((windows, rtts), steps), alpha) in CASES.into_iter().zip(expected).zip(alphas) {
        let congestion = avoiding(Algorithm::Lia, windows, rtts);
        let total: f64 = windows.iter().sum();
        for (i, &step) in steps.iter().enumerate() {
            close(growth(&congestion, i), step, 1e-6);
            close(growth(&congestion, i) * total, alpha, 1e-5);
            close(cut(&congestion, i), windows[i] / 2.0, 1e-12);
        }
    }
}

#[test]
fn balia_vectors() {
    let steps: [&[f64]; 3] = [&[0.025, 0.0125], &[0.039506, 0.013333], &[0.020352, 0.012537, 0.016964]];
    let cuts: [&[f64]; 3] = [&[5.0, 10.0], &[10.0, 7.5], &[20.0, 7.5, 3.75]];
    for (((windows, rtts), steps), cuts) in CASES.into_iter().zip(steps).zip(cuts) {
        let congestion = avoiding(Algorithm::Balia, windows, rtts);
        for i in 0..windows.len() {
            close(growth(&congestion, i), steps[i], 1e-6);
            close(cut(&congestion, i), cuts[i], 1e-12);
        }
    }
}

#[test]
fn olia_vectors() {
    let mut congestion = avoiding(Algorithm::Olia, &[10.0, 20.0], &[0.1, 0.2]);
    for (i, bytes) in [100_000_000, 400_000_000].into_iter().enumerate() {
        let Own::Olia(state) = &mut congestion.subflows[i].own else { panic!("not OLIA") };
        state.set(bytes);
    }
    close(growth(&congestion, 0), 0.075, 1e-9);
    close(growth(&congestion, 1), -0.0125, 1e-9);
}

#[test]
fn slow_start_doubles_and_its_end_is_exact() {
    let mut congestion = Congestion::new(Algorithm::NewReno, 1000, 10);
    congestion.add();
    assert!(congestion.in_slow_start(0));
    for round in 0..4 {
        assert_eq!(congestion.window(0), 10_000 << round);
        congestion.on_ack(0, &ack(10_000 << round));
    }
    congestion.on_loss(0, 0, 160_000);
    assert_eq!((congestion.window(0), congestion.ssthresh(0)), (80_000, 80_000));
    congestion.on_timeout(0, 0, 0);
    assert_eq!((congestion.window(0), congestion.ssthresh(0)), (1000, 40_000));
    congestion.on_timeout(0, 0, 0);
    assert_eq!(congestion.ssthresh(0), 40_000);
    // 49 packets: 39 up to the threshold, 10 beyond it at one fortieth each.
    congestion.on_ack(0, &ack(49_000));
    close(congestion.window_packets(0), 40.25, 1e-9);
}

#[test]
fn dctcp_cuts_by_half_alpha_once_a_window() {
    let mut congestion = Congestion::new(Algorithm::Dctcp, 1000, 100);
    congestion.add();
    let marked = |acked, marked| Ack { acked, marked, in_flight: 100_000, ..ack(0) };
    // The first mark ends the empty observation window: all of it was marked, and alpha stays 1.
    congestion.on_ack(0, &marked(1000, 1000));
    assert_eq!(congestion.window(0), 50_000);
    assert_eq!(congestion.dctcp_alpha(0), Some(1.0));
    // One window of data without marks, another cut only after it.
    for _ in 0..100 {
        congestion.on_ack(0, &Ack { cwnd_limited: false, ..marked(1000, 0) });
    }
    assert_eq!(congestion.dctcp_alpha(0), Some(1.0));
    congestion.on_ack(0, &marked(1000, 1000));
    let alpha = 1.0 - (1.0 - 1.0 / 101.0) / 16.0;
    close(congestion.dctcp_alpha(0).unwrap(), alpha, 1e-12);
    close(congestion.window_packets(0), 50.0 * (1.0 - alpha / 2.0), 1e-9);
}

#[test]
fn marks_halve_the_others_once_a_window() {
    for algorithm in [Algorithm::NewReno, Algorithm::Lia, Algorithm::Uncoupled] {
        let mut congestion = avoiding(algorithm, &[40.0], &[0.1]);
        let marked = Ack { marked: 1460, in_flight: 40 * 1460, ..ack(1460) };
        congestion.on_ack(0, &marked);
        congestion.on_ack(0, &marked);
        close(congestion.window_packets(0), 20.0, 1e-9);
    }
}
