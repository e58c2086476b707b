//! Delays without a common clock: the offset and the skew between two clocks from packets in both directions.
//!
//! No packet arrives before it was sent, so packets one way bound the offset from above and packets the other way from
//! below. Between the bounds nothing but an assumption decides: half-way is right when the shortest delays of both
//! directions are equal (Paxson, "On calibrating measurements of packet transit times", SIGMETRICS 1998). The skew is the
//! slope of the line under all delays that comes closest to them (Moon, Skelly, Towsley, "Estimation and removal of clock
//! skew from network delay measurements", INFOCOM 1999): an edge of their lower hull.

use crate::rows::{Basis, Side};

/// Delays of one direction that are kept for medians and percentiles.
const MOST_SAMPLES: usize = 1 << 17;
/// Points of a hull that are kept; a hull of real delays has some dozens.
const MOST_CORNERS: usize = 1 << 14;
/// Packets that each half of a direction's time must have for its slope to count.
const FEWEST: usize = 8;
/// How many more packets of each half may lie under the line, within its error. With 3, three of 100,000 estimates from 400 packets
/// each way are further off than their error (measured; at most by a quarter of it).
const UNDER: usize = 3;
/// No clock that anybody sets by a network runs this much off.
const MOST_SKEW: f64 = 1e-3;
/// Errors below the resolution of most captures are not claimed, in nanoseconds.
const RESOLUTION: f64 = 1000.0;

/// A lower convex hull of points that come in order of x.
#[derive(Clone, Debug, Default)]
struct Hull {
    corners: Vec<(i64, i64)>,
}

impl Hull {
    fn push(&mut self, x: i64, y: i64) {
        if let Some(last) = self.corners.last_mut()
            && last.0 == x
        {
            if last.1 <= y {
                return;
            }
            self.corners.pop();
        }
        while let [.., (x1, y1), (x2, y2)] = self.corners[..] {
            let turn = i128::from(x2 - x1) * i128::from(y - y1) - i128::from(y2 - y1) * i128::from(x - x1);
            if turn > 0 {
                break;
            }
            self.corners.pop();
        }
        if self.corners.len() == MOST_CORNERS {
            // Every other corner: the hull becomes a little higher between them, never lower.
            let mut index = 0;
            self.corners.retain(|_| {
                index += 1;
                index % 2 == 1
            });
        }
        self.corners.push((x, y));
    }

    /// The lowest point above the line of this slope through the origin.
    fn lowest(&self, slope: f64) -> Option<f64> {
        self.corners.iter().map(|&(x, y)| y as f64 - slope * x as f64).reduce(f64::min)
    }

    /// The edge over `x`.
    fn edge(&self, x: f64) -> Option<Edge> {
        let edge = self.corners.windows(2).find(|edge| x <= edge[1].0 as f64)?;
        let [(x1, y1), (x2, y2)] = edge else { return None };
        let slope = (y2 - y1) as f64 / (x2 - x1) as f64;
        let (from, to) = (*x1 as f64, *x2 as f64);
        Some(Edge { slope, height: *y1 as f64 - slope * from, from, to })
    }
}

/// An edge of a hull: its line, with the height at 0, and between which x it lies.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Edge {
    slope: f64,
    height: f64,
    from: f64,
    to: f64,
}

/// Delays of one direction of one subflow, as the two clocks give them: x is when, on the clock of A, y the time on the
/// receiver's clock minus that on the sender's, both in nanoseconds from some origin. x never falls.
#[derive(Clone, Debug, Default)]
pub(crate) struct Points {
    low: Hull,
    high: Hull,
    count: u64,
    sum_x: i128,
    sum_y: i128,
    last: Option<i64>,
    steps: u128,
    sample: Vec<(i64, i64)>,
    stride: u64,
}

impl Points {
    /// Adds a delay.
    pub(crate) fn push(&mut self, x: i64, y: i64) {
        self.low.push(x, y);
        self.high.push(x, -y);
        self.sum_x += i128::from(x);
        self.sum_y += i128::from(y);
        if let Some(last) = self.last.replace(y) {
            self.steps += u128::from(last.abs_diff(y));
        }
        let stride = self.stride.max(1);
        if self.count.is_multiple_of(stride) {
            if self.sample.len() == MOST_SAMPLES {
                let mut index = 0;
                self.sample.retain(|_| {
                    index += 1;
                    index % 2 == 1
                });
                self.stride = stride * 2;
            }
            if self.count.is_multiple_of(self.stride.max(1)) {
                self.sample.push((x, y));
            }
        }
        self.count += 1;
    }

    /// The shortest delay as the clocks give it; 0 without one.
    pub(crate) fn lowest(&self) -> i64 {
        self.low.lowest(0.0).unwrap_or_default() as i64
    }

    /// The delays, freed from the clocks: seconds.
    pub(crate) fn summary(&self, clocks: &Clocks, sender: Side) -> Option<Summary> {
        if self.count == 0 {
            return None;
        }
        let slope = sign(sender) * clocks.skew;
        let shift = sign(sender) * (clocks.offset - clocks.skew * clocks.middle);
        let count = self.count as f64;
        let mut delays: Vec<f64> =
            self.sample.iter().map(|&(x, y)| y as f64 - slope * x as f64 - shift).collect();
        delays.sort_by(f64::total_cmp);
        let rank = |share: f64| {
            let index = ((delays.len() as f64 * share).ceil() as usize).clamp(1, delays.len()) - 1;
            delays.get(index).copied().unwrap_or_default() / 1e9
        };
        Some(Summary {
            min: (self.low.lowest(slope)? - shift) / 1e9,
            median: rank(0.5),
            mean: (self.sum_y as f64 / count - slope * (self.sum_x as f64 / count) - shift) / 1e9,
            p99: rank(0.99),
            max: (-self.high.lowest(-slope)? - shift) / 1e9,
            jitter: (self.count > 1).then(|| self.steps as f64 / (count - 1.0) / 1e9),
        })
    }

    /// Slope of the line under the delays, and its error: how far the line can be turned about the packets it rests on, to either
    /// side, until a few others lie under it, as if the lowest had waited like them.
    fn slope(&self) -> Option<(f64, f64)> {
        let (&(first, _), &(last, _)) = self.low.corners.first().zip(self.low.corners.last())?;
        let middle = (first + last) as f64 / 2.0;
        let Edge { slope, height, from, to } = self.low.edge(middle)?;
        let mut turns = [Vec::new(), Vec::new()];
        for &(x, y) in &self.sample {
            let (above, x) = (y as f64 - slope * x as f64 - height, x as f64);
            if x > middle {
                turns[1].push(above / (x - from));
            } else {
                turns[0].push(above / (to - x));
            }
        }
        let mut error = 2.0 * RESOLUTION / ((last - first) as f64 / 2.0);
        for turns in &mut turns {
            if turns.len() < FEWEST {
                return None;
            }
            turns.sort_by(f64::total_cmp);
            error += turns[UNDER.max(turns.len() / 100)];
        }
        Some((slope, error))
    }
}

/// What the delays of a direction come to, in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Summary {
    pub(crate) min: f64,
    pub(crate) median: f64,
    pub(crate) mean: f64,
    pub(crate) p99: f64,
    pub(crate) max: f64,
    pub(crate) jitter: Option<f64>,
}

/// Towards B the offset is added to a delay, towards A it is taken away.
fn sign(sender: Side) -> f64 {
    match sender {
        Side::A => 1.0,
        Side::B => -1.0,
    }
}

/// How the clocks relate, in nanoseconds from the origin of the points.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Clocks {
    /// Clock of B minus clock of A in the middle, beyond the rough offset that the points leave out.
    pub(crate) offset: f64,
    pub(crate) error: Option<f64>,
    pub(crate) low: Option<f64>,
    pub(crate) high: Option<f64>,
    pub(crate) basis: Basis,
    /// Middle of the time that the points cover.
    pub(crate) middle: f64,
    pub(crate) skew: f64,
    pub(crate) skew_error: Option<f64>,
}

/// What is known of the clocks beforehand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sharing {
    /// Nothing; they are taken as one if no packet contradicts.
    #[default]
    Unknown,
    /// Both captures share one clock.
    Same,
    /// They are two clocks, however close.
    Different,
}

/// Estimates offset and skew. `rough` is the offset that the points leave out, in nanoseconds.
pub(crate) fn estimate(lanes: &[(Side, &Points)], sharing: Sharing, rough: i64) -> Clocks {
    let spans = lanes
        .iter()
        .filter_map(|(_, points)| Some((points.low.corners.first()?.0, points.low.corners.last()?.0)));
    let (first, last) = spans.reduce(|all, one| (all.0.min(one.0), all.1.max(one.1))).unwrap_or_default();
    let middle = (first + last) as f64 / 2.0;
    let (skew, skew_error) = match sharing {
        Sharing::Same => (0.0, Some(0.0)),
        _ => combined_skew(lanes),
    };
    let bound = |side: Side| {
        let lowest = lanes.iter().filter(|lane| lane.0 == side).filter_map(|(sender, points)| {
            let slope = sign(*sender) * skew;
            Some(points.low.lowest(slope)? + slope * middle)
        });
        lowest.reduce(f64::min)
    };
    // A wrong skew moves the bounds at both ends of the time.
    let drift = skew_error.unwrap_or_default() * (last - first) as f64 / 2.0 + RESOLUTION;
    let (high, low) = (bound(Side::A), bound(Side::B).map(|lowest| -lowest));
    let zero = -(rough as f64);
    let agrees = sharing == Sharing::Unknown
        && skew == 0.0
        && low.is_some_and(|low| low <= zero + RESOLUTION)
        && high.is_some_and(|high| zero - RESOLUTION <= high);
    let (basis, offset, error) = match (low, high) {
        _ if sharing == Sharing::Same => (Basis::Given, zero, Some(0.0)),
        (None, None) => (Basis::None, 0.0, None),
        (Some(low), Some(high)) if agrees => {
            (Basis::Agree, zero, Some((high - zero).max(zero - low) + drift))
        }
        (Some(low), Some(high)) => {
            (Basis::Symmetry, f64::midpoint(low, high), Some((high - low).abs() / 2.0 + drift))
        }
        (None, Some(one)) | (Some(one), None) => (Basis::OneWay, one, None),
    };
    Clocks { offset, error, low, high, basis, middle, skew, skew_error }
}

/// The skew that both directions agree on; 0, and how far it may be from that, when they do not, or when it is no clear
/// multiple of its error. A queue that grows looks like a skew, but one way only: seen from the other direction the clock would have to
/// run the other way.
fn combined_skew(lanes: &[(Side, &Points)]) -> (f64, Option<f64>) {
    let clearest = |side: Side| {
        let slopes = lanes.iter().filter(|lane| lane.0 == side).filter_map(|(sender, points)| {
            points.slope().map(|(slope, error)| (sign(*sender) * slope, error))
        });
        slopes.min_by(|one, other| one.1.total_cmp(&other.1))
    };
    let (Some((there, error_there)), Some((back, error_back))) = (clearest(Side::A), clearest(Side::B))
    else {
        return (0.0, None);
    };
    let (weight_there, weight_back) = (error_there.powi(-2), error_back.powi(-2));
    let skew = (there * weight_there + back * weight_back) / (weight_there + weight_back);
    let error = (error_there * weight_there + error_back * weight_back) / (weight_there + weight_back);
    let error = error.max((there - back).abs() / 2.0);
    let agree = (there - back).abs() <= error_there + error_back;
    let clear =
        [(there, error_there), (back, error_back)].iter().all(|(slope, error)| slope.abs() > 4.0 * error);
    if agree && clear && skew.abs() <= MOST_SKEW {
        (skew, Some(error))
    } else {
        (0.0, Some(skew.abs() + error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_hull_is_the_lower_one() {
        let mut hull = Hull::default();
        for (x, y) in [(0, 5), (1, 2), (2, 9), (3, 1), (4, 4), (4, 3), (6, 8)] {
            hull.push(x, y);
        }
        assert_eq!(hull.corners, [(0, 5), (1, 2), (3, 1), (4, 3), (6, 8)]);
        assert_eq!(hull.lowest(0.0), Some(1.0));
        assert_eq!(hull.edge(2.0), Some(Edge { slope: -0.5, height: 2.5, from: 1.0, to: 3.0 }));
    }

    #[test]
    fn figures_of_five_delays_by_hand() {
        let mut points = Points::default();
        for (x, delay) in [(0, 10), (10, 30), (20, 20), (30, 50), (40, 40)] {
            points.push(x, delay + 7);
        }
        let clocks = estimate(&[(Side::A, &points)], Sharing::Same, -7);
        assert_eq!((clocks.basis, clocks.offset), (Basis::Given, 7.0));
        let summary = points.summary(&clocks, Side::A).unwrap();
        let ns = |seconds: f64| (seconds * 1e9).round();
        assert_eq!((ns(summary.min), ns(summary.median), ns(summary.mean)), (10.0, 30.0, 30.0));
        assert_eq!((ns(summary.p99), ns(summary.max)), (50.0, 50.0));
        assert_eq!(summary.jitter.map(ns), Some(18.0));
    }

    #[test]
    fn an_offset_of_nothing_is_taken_when_nothing_contradicts() {
        let (mut there, mut back) = (Points::default(), Points::default());
        for x in 0..100 {
            there.push(x * 1_000_000, 5_000_000 + x * 100);
            back.push(x * 1_000_000, 40_000_000 + x * 90);
        }
        let lanes = [(Side::A, &there), (Side::B, &back)];
        let clocks = estimate(&lanes, Sharing::Unknown, 0);
        assert_eq!((clocks.basis, clocks.offset), (Basis::Agree, 0.0));
        let clocks = estimate(&lanes, Sharing::Different, 0);
        assert_eq!(clocks.basis, Basis::Symmetry);
        assert!((clocks.offset + 17_500_000.0).abs() < 1e6, "{clocks:?}");
        assert!(clocks.error.unwrap() >= 17_500_000.0);
    }

    #[test]
    fn samples_stay_bounded_and_regular() {
        let mut points = Points::default();
        for x in 0..400_000 {
            points.push(x, x);
        }
        assert!(points.sample.len() <= MOST_SAMPLES);
        assert!(points.sample.windows(2).all(|pair| pair[1].0 - pair[0].0 == 4), "{}", points.stride);
    }

    /// Two clocks, and packets each way whose queues are empty now and then.
    #[derive(Clone, Debug)]
    struct Two {
        offset: i64,
        skew_ppm: f64,
        shortest: (i64, i64),
        seconds: i64,
        queues: Vec<(i64, i64)>,
    }

    /// How far skew and offset are off, in parts of their errors, after the shortest delay was checked.
    fn off(two: &Two) -> (f64, f64) {
        let packets = two.queues.len() as i64;
        let step = two.seconds * 1_000_000_000 / packets;
        let middle = step as f64 * (packets - 1) as f64 / 2.0;
        let (mut there, mut back) = (Points::default(), Points::default());
        for (x, (q1, q2)) in (0..).map(|index| step * index).zip(&two.queues) {
            let drift = (two.skew_ppm * 1e-6 * (x as f64 - middle)) as i64;
            there.push(x, two.shortest.0 + q1 * q1 / 5_000_000 + two.offset + drift);
            back.push(x, two.shortest.1 + q2 * q2 / 5_000_000 - two.offset - drift);
        }
        let clocks = estimate(&[(Side::A, &there), (Side::B, &back)], Sharing::Different, 0);
        let error = clocks.error.unwrap();
        let delay = there.summary(&clocks, Side::A).unwrap().min * 1e9;
        assert!((delay - two.shortest.0 as f64).abs() <= error + 0.5e6, "{delay} {clocks:?}");
        let skew = (clocks.skew - two.skew_ppm * 1e-6).abs() / clocks.skew_error.unwrap();
        (skew, (clocks.offset - two.offset as f64).abs() / error)
    }

    proptest! {
        /// Whatever the clocks, the delays and the queues, estimates are hardly ever further off than their errors, and
        /// never twice as far.
        #[test]
        fn estimates_lie_within_twice_their_errors(
            offset in -10_000_000_000_i64..10_000_000_000,
            skew_ppm in -200.0..200.0_f64,
            there_ms in 1..80_i64,
            back_ms in 1..80_i64,
            seconds in 5..120_i64,
            queues in proptest::collection::vec((0..5_000_000_i64, 0..5_000_000_i64), 400),
        ) {
            let shortest = (there_ms * 1_000_000, back_ms * 1_000_000);
            let (skew, offset) = off(&Two { offset, skew_ppm, shortest, seconds, queues });
            prop_assert!(skew <= 2.0 && offset <= 1.0, "skew {skew}, offset {offset} of their errors");
        }
    }

    /// The same queues every time: one estimate of a thousand may be further off than its error.
    #[test]
    fn errors_are_what_they_say() {
        let mut state = 88_172_645_463_325_252_u64;
        let mut draw = |least: i64, most: i64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            least + (state % (most - least) as u64) as i64
        };
        let mut skews = 0;
        for _ in 0..2000 {
            let two = Two {
                offset: draw(-10_000_000_000, 10_000_000_000),
                skew_ppm: draw(-200_000, 200_000) as f64 / 1e3,
                shortest: (draw(1_000_000, 80_000_000), draw(1_000_000, 80_000_000)),
                seconds: draw(5, 120),
                queues: (0..400).map(|_| (draw(0, 5_000_000), draw(0, 5_000_000))).collect(),
            };
            let (skew, offset) = off(&two);
            assert!(offset <= 1.0, "{two:?}");
            skews += u32::from(skew > 1.0);
        }
        assert!(skews <= 2, "{skews} of 2000");
    }
}
