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
    Ack { now: Time::ZERO, acked: bytes, marked: 0, rtt: None, in_flight: 0, cwnd_limited: true }
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
    congestion.on_loss(i, Time::ZERO, 0);
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
    congestion.on_loss(0, Time::ZERO, 160_000);
    assert_eq!((congestion.window(0), congestion.ssthresh(0)), (80_000, 80_000));
    congestion.on_timeout(0, Time::ZERO, 0);
    assert_eq!((congestion.window(0), congestion.ssthresh(0)), (1000, 40_000));
    congestion.on_timeout(0, Time::ZERO, 0);
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

/// RFC 9438's formulas, computed here from the time since the loss.
#[test]
fn cubic_follows_its_curve() {
    let (w_max, rtt) = (1000.0, 0.1);
    let mut congestion = avoiding(Algorithm::Cubic, &[w_max], &[rtt]);
    let start = Time::from_secs_f64(3.0);
    congestion.on_loss(0, start, 0);
    close(congestion.window_packets(0), 700.0, 1e-9);
    let k = (300.0f64 / 0.4).cbrt();
    let curve = |t: f64| 0.4 * (t - k).powi(3) + w_max;
    let mut w = 700.0;
    let mut estimate = 700.0;
    // One ACK of 100 packets every 10 ms, so that a few are worth a window.
    for step in 0..1500 {
        let t = f64::from(step) * 0.01;
        estimate += 100.0 / w * if estimate < w_max { 9.0 / 17.0 } else { 1.0 };
        w = if curve(t) < estimate {
            f64::max(w, estimate)
        } else {
            w + (curve(t + rtt).clamp(w, 1.5 * w) - w) / w * 100.0
        };
        let now = Time::from_secs_f64(3.0 + t);
        congestion.on_ack(0, &Ack { now, ..ack(100 * u64::from(MSS)) });
        close(congestion.window_packets(0), w, 1e-6 * w);
    }
    // The curve is a round trip ahead and closely followed: at K the window is W_max again.
    assert!(w > curve(14.9) && w < curve(15.1), "{w}");
}

#[test]
fn cubic_is_friendly_and_converges_fast() {
    // In a short, small flow Reno's estimate is ahead: 0.53 packets per round trip.
    let mut congestion = avoiding(Algorithm::Cubic, &[20.0], &[0.01]);
    congestion.on_loss(0, Time::ZERO, 0);
    let mut estimate = 14.0;
    for round in 0..5u64 {
        let now = Time::ZERO + Duration::from_millis(10 * round);
        let window = congestion.window_packets(0);
        congestion.on_ack(0, &Ack { now, ..ack((window * f64::from(MSS)) as u64) });
        estimate += 9.0 / 17.0;
        close(congestion.window_packets(0), estimate, 1e-3);
    }
    // A second loss below the last W_max: W_max = w(1 + β)/2.
    let w = congestion.window_packets(0);
    congestion.on_loss(0, Time::ZERO, 0);
    let Own::Cubic(state) = &congestion.subflows[0].own else { panic!("not CUBIC") };
    close(state.w_max(), w * 0.85, 1e-9);
    close(congestion.window_packets(0), w * 0.7, 1e-9);
}

/// One path of `base` seconds that carries `rate` packets a second: the queue settles at α packets, all subflows at 10.
#[test]
fn wvegas_keeps_its_packets_in_the_queue() {
    for n in [1usize, 2] {
        let (base, rate) = (0.05, 2000.0);
        let mut congestion = Congestion::new(Algorithm::WVegas, 1000, 10);
        for _ in 0..n {
            congestion.add();
        }
        let mut now = 0.0;
        let mut queues = 0.0;
        for round in 0..4000 {
            // Each subflow alone on its own path.
            for i in 0..n {
                let w = congestion.window_packets(i);
                let rtt = (w / rate).max(base);
                let bytes = (w * 1000.0) as u64;
                congestion.on_ack(
                    i,
                    &Ack {
                        now: Time::from_secs_f64(now),
                        acked: bytes,
                        marked: 0,
                        rtt: Some(Duration::from_secs_f64(rtt)),
                        in_flight: 0,
                        cwnd_limited: true,
                    },
                );
                if round >= 2000 {
                    queues += (w - base * rate).max(0.0) / 2000.0;
                }
            }
            now += base;
        }
        // Up by one below α, down by one above it: half a packet a subflow on either side.
        let each = queues / n as f64;
        close(each, 10.0 / n as f64 + 0.5, 0.6);
    }
}

#[test]
fn a_path_that_is_gone_no_longer_counts() {
    let mut congestion = avoiding(Algorithm::Lia, &[10.0, 20.0], &[0.1, 0.2]);
    congestion.remove(1);
    close(growth(&congestion, 0), 0.1, 1e-12);
    assert_eq!(congestion.add(), 2);
    assert_eq!(congestion.window(7), 0);
}

/// Windows that grow by many ACKs with cached terms against the same with terms computed on every ACK.
#[test]
fn cached_terms_are_close_enough() {
    for algorithm in [Algorithm::Lia, Algorithm::Olia, Algorithm::Balia] {
        let mut cached = avoiding(algorithm, &[30.0, 8.0, 15.0], &[0.02, 0.1, 0.05]);
        let mut exact = cached.clone();
        let mut state = 1u64;
        for n in 0..20_000u64 {
            state = crate::random::mix(state + n);
            let i = (state % 3) as usize;
            if state >> 40 < 1 << 15 {
                cached.on_loss(i, Time::ZERO, 0);
                exact.on_loss(i, Time::ZERO, 0);
            }
            // Round-trip times wander by a fifth.
            let rtt = [0.02, 0.1, 0.05][i] * (1.0 + ((state >> 20) % 100) as f64 * 0.002);
            let ack = Ack { rtt: Some(Duration::from_secs_f64(rtt)), ..ack(u64::from(MSS)) };
            exact.shared.stale = true;
            cached.on_ack(i, &ack);
            exact.on_ack(i, &ack);
            for j in 0..3 {
                let (a, b) = (cached.window_packets(j), exact.window_packets(j));
                assert!((a - b).abs() <= 0.02 * b, "{algorithm} {n}: {a} {b}");
            }
        }
    }
}

#[test]
fn nothing_upsets_it() {
    for &algorithm in Algorithm::ALL {
        let mut congestion = Congestion::new(algorithm, 0, 0);
        congestion.on_ack(3, &ack(1));
        congestion.on_loss(3, Time::ZERO, 1);
        congestion.on_timeout(3, Time::ZERO, 1);
        for _ in 0..3 {
            congestion.add();
        }
        let mut state = 9u64;
        for n in 0..30_000u64 {
            state = crate::random::mix(state + n);
            let i = (state % 4) as usize;
            let ack = Ack {
                now: Time(n * 1_000_000),
                acked: (state >> 8) % 5000,
                marked: if state.is_multiple_of(5) { (state >> 9) % 9000 } else { 0 },
                rtt: (!state.is_multiple_of(3)).then_some(Duration((state >> 12) % 3_000_000_000)),
                in_flight: (state >> 20) % 100_000,
                cwnd_limited: !state.is_multiple_of(7),
            };
            match (state >> 50) % 64 {
                0 => congestion.on_loss(i, ack.now, ack.in_flight),
                1 => congestion.on_timeout(i, ack.now, ack.in_flight),
                2 => congestion.penalise(i),
                3 => congestion.on_idle(i),
                4 => congestion.on_recovered(i, ack.now),
                5 => congestion.on_recovery_ack(i, &ack),
                _ => congestion.on_ack(i, &ack),
            }
            for j in 0..3 {
                let window = congestion.window_packets(j);
                assert!(window.is_finite() && window >= 1.0, "{algorithm}: {window}");
            }
        }
    }
}

#[test]
fn names_there_and_back() {
    for &algorithm in Algorithm::ALL {
        assert_eq!(algorithm.as_str().parse(), Ok(algorithm));
    }
    assert_eq!("reno".parse::<Algorithm>(), Err(()));
}
