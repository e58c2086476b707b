//! Rows thinned to what a drawing can show: at most a few marks a column.

use super::One;
use std::collections::{BTreeMap, BTreeSet};
use subflow_analysis::rows::{Carried, Direction};

/// Whose bars: the subflow, and why it carried the data.
pub(super) type Whose = (u32, Carried);

/// A vertical line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Bar {
    pub(super) x: f64,
    pub(super) low: f64,
    pub(super) high: f64,
}

/// Vertical lines, those that touch within a column joined.
#[derive(Debug)]
pub(super) struct Bars {
    step: f64,
    gap: f64,
    lists: BTreeMap<Whose, Vec<Bar>>,
}

impl Bars {
    /// Columns are `step` wide; lines less than `gap` apart touch.
    pub(super) fn new(step: f64, gap: f64) -> Self {
        Self { step: step.max(f64::MIN_POSITIVE), gap, lists: BTreeMap::new() }
    }

    /// Adds a line; lines come in order of time.
    pub(super) fn add(&mut self, whose: Whose, time: f64, low: f64, high: f64) {
        let x = (time / self.step).round() * self.step;
        let list = self.lists.entry(whose).or_default();
        match list.last_mut() {
            Some(last) if last.x == x && low <= last.high + self.gap && high >= last.low - self.gap => {
                last.low = last.low.min(low);
                last.high = last.high.max(high);
            }
            _ => list.push(Bar { x, low, high }),
        }
    }

    /// All of them.
    pub(super) fn lists(&self) -> impl Iterator<Item = (&Whose, &Vec<Bar>)> {
        self.lists.iter()
    }
}

/// The corners of a line that only rises, one step a column at most.
pub(super) fn stairs(points: impl Iterator<Item = (f64, f64)>, step: f64) -> Vec<(f64, f64)> {
    let mut corners: Vec<(f64, f64)> = Vec::new();
    let mut column = f64::NEG_INFINITY;
    for (time, value) in points {
        let Some(&(_, last)) = corners.last() else {
            corners.push((time, value));
            continue;
        };
        if value <= last {
            continue;
        }
        if time - column < step
            && let Some(corner) = corners.last_mut()
        {
            corner.1 = value;
        } else {
            corners.extend([(time, last), (time, value)]);
            column = time;
        }
    }
    corners
}

/// Points, one a spot of this width and height at most, by whose they are.
pub(super) fn spots(
    points: impl Iterator<Item = (Option<u32>, f64, f64)>,
    (width, height): (f64, f64),
) -> BTreeMap<Option<u32>, Vec<(f64, f64)>> {
    let mut taken = BTreeSet::new();
    let mut spots: BTreeMap<Option<u32>, Vec<(f64, f64)>> = BTreeMap::new();
    for (whose, x, y) in points {
        if taken.insert((whose, (x / width) as i64, (y / height) as i64)) {
            spots.entry(whose).or_default().push((x, y));
        }
    }
    spots
}

/// A line of seconds and bit/s.
type Rates = Vec<(f64, f64)>;

/// New data in bit/s over so many equal parts of the connection: of all subflows, and of each that carried any.
pub(super) fn goodput(one: &One<'_>, direction: Direction, bins: usize) -> (Rates, BTreeMap<u32, Rates>) {
    let width = one.connection.duration.max(1e-6) / bins as f64;
    let mut sums: BTreeMap<u32, Vec<u64>> = BTreeMap::new();
    let mut total = vec![0; bins];
    for row in one.carriages.iter().filter(|row| row.direction == direction && row.carried == Carried::New) {
        let bin = ((one.seconds(row.time) / width) as usize).min(bins - 1);
        total[bin] += row.bytes;
        sums.entry(row.subflow_id).or_insert_with(|| vec![0; bins])[bin] += row.bytes;
    }
    let line = |sums: &[u64]| {
        let steps = sums.iter().enumerate().flat_map(|(bin, bytes)| {
            let rate = *bytes as f64 * 8.0 / width;
            [(bin as f64 * width, rate), ((bin + 1) as f64 * width, rate)]
        });
        steps.collect::<Rates>()
    };
    (line(&total), sums.iter().map(|(id, sums)| (*id, line(sums))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_of_one_column_are_joined_while_they_touch() {
        let mut bars = Bars::new(1.0, 0.5);
        for (time, low, high) in [(0.1, 0.0, 10.0), (0.2, 10.0, 20.0), (0.3, 50.0, 60.0), (1.1, 60.0, 70.0)] {
            bars.add((0, Carried::New), time, low, high);
        }
        let list: Vec<_> =
            bars.lists().flat_map(|(_, list)| list).map(|bar| (bar.x, bar.low, bar.high)).collect();
        assert_eq!(list, [(0.0, 0.0, 20.0), (0.0, 50.0, 60.0), (1.0, 60.0, 70.0)]);
    }

    #[test]
    fn stairs_never_fall() {
        let points = [(0.0, 1.0), (1.0, 3.0), (2.0, 2.0), (3.0, 4.0), (3.1, 5.0)];
        assert_eq!(
            stairs(points.into_iter(), 0.5),
            [(0.0, 1.0), (1.0, 1.0), (1.0, 3.0), (3.0, 3.0), (3.0, 5.0)]
        );
    }

    #[test]
    fn a_spot_is_taken_once() {
        let points = [(None, 0.1, 0.1), (None, 0.2, 0.2), (Some(0), 0.2, 0.2), (None, 1.1, 0.1)];
        let spots = spots(points.into_iter(), (1.0, 1.0));
        assert_eq!((spots[&None].len(), spots[&Some(0)].len()), (2, 1));
    }
}
