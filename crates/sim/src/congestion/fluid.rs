//! Fixpoints of the increments and decrements themselves: where what ACKs add is what losses take away.

use super::subflow::Own;
use super::tests::{MSS, avoiding, cut, growth};
use super::{Algorithm, Congestion};

/// The windows at which each subflow gains and loses alike when a packet on path i is lost with probability `loss[i]`.
/// Found by following the mean change of windows per packet, slower and slower.
fn fixpoint(algorithm: Algorithm, rtts: &[f64], loss: &[f64]) -> Vec<f64> {
    let mut windows = vec![20.0; loss.len()];
    for step in 0..60_000 {
        let mut congestion = avoiding(algorithm, &windows, rtts);
        for (subflow, p) in congestion.subflows.iter_mut().zip(loss) {
            if let Own::Olia(state) = &mut subflow.own {
                // Between two losses 1/p packets get through.
                state.set((f64::from(MSS) / p) as u64);
            }
        }
        let pace = if step < 40_000 { 20.0 } else { 2.0 };
        let change = |congestion: &Congestion, i: usize, p: f64| {
            (1.0 - p) * growth(congestion, i) - p * cut(congestion, i)
        };
        let next = windows.iter().zip(loss).zip(rtts).enumerate().map(|(i, ((w, &p), rtt))| {
            // ACKs come at w/rtt a second.
            (w + pace * change(&congestion, i, p) * w / rtt / 100.0).max(super::LEAST)
        });
        windows = next.collect();
    }
    windows
}

fn close(found: &[f64], expected: &[f64], tolerance: f64) {
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() <= tolerance, "{found} is not {expected}");
    }
}

#[test]
fn two_paths_of_different_loss() {
    let (rtts, loss) = ([0.1, 0.1], [0.001, 0.004]);
    close(&fixpoint(Algorithm::Lia, &rtts, &loss), &[35.8, 8.9], 0.1);
    close(&fixpoint(Algorithm::Balia, &rtts, &loss), &[37.7, 7.0], 0.1);
    // The fluid has the second window at its lower limit of 1. Ours stays a little above: a loss leaves a packet, not half of one.
    close(&fixpoint(Algorithm::Olia, &rtts, &loss), &[43.7, 1.0], 0.15);
}

/// w = √(2(1−p)/p) for NewReno; EWTCP's two windows are half of it each.
#[test]
fn the_square_root_law() {
    let reno = |p: f64| (2.0 * (1.0 - p) / p).sqrt();
    let (rtts, loss) = ([0.1, 0.1], [0.001, 0.004]);
    close(&fixpoint(Algorithm::Uncoupled, &rtts, &loss), &[reno(0.001), reno(0.004)], 0.01);
    close(&fixpoint(Algorithm::Ewtcp, &rtts, &loss), &[reno(0.001) / 2.0, reno(0.004) / 2.0], 0.01);
}

/// On equal paths every coupled algorithm takes what one TCP would take (RFC 6356, 1, goal 2).
#[test]
fn equal_paths_are_worth_one_tcp() {
    for algorithm in [Algorithm::Lia, Algorithm::Olia, Algorithm::Balia] {
        for n in [1, 2, 4] {
            let windows = fixpoint(algorithm, &vec![0.05; n], &vec![0.001; n]);
            let reno = (2.0f64 * 0.999 / 0.001).sqrt();
            close(&[windows.iter().sum()], &[reno], 0.1);
        }
    }
}
