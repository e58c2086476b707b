//! Curves of many values, and values over time, with as many points as a screen can show.

use std::collections::BTreeMap;

/// Points of a curve: more than a screen has columns of pixels.
const POINTS: usize = 400;
/// Of these, the largest values: one by one, as tails are what matters.
const TAIL: usize = 60;

/// The cumulative distribution of values in rising order: (value, share of values that do not exceed it).
pub(super) fn cumulative(sorted: &[f64]) -> Vec<(f64, f64)> {
    let count = sorted.len();
    kept(count).map(|at| (sorted[at], (at + 1) as f64 / count as f64)).collect()
}

/// Values in rising order, over the share of values that come before them.
pub(super) fn ranked(sorted: &[f64]) -> Vec<(f64, f64)> {
    let count = sorted.len();
    kept(count).map(|at| (at as f64 / (count - 1).max(1) as f64, sorted[at])).collect()
}

/// The places of the values that are kept.
fn kept(count: usize) -> impl Iterator<Item = usize> {
    let head = count.saturating_sub(TAIL);
    let step = head.div_ceil(POINTS - TAIL).max(1);
    (0..head).filter(move |at| at % step == step - 1).chain(head..count)
}

/// Moments of samples, put together so that there are at most so many: each gets the number of its column.
#[derive(Debug, PartialEq)]
pub(super) struct Columns {
    /// Begin and end of each column, seconds.
    pub(super) spans: Vec<(f64, f64)>,
    of: BTreeMap<u64, usize>,
}

impl Columns {
    /// Columns for samples that ended at these moments, the interval before each included.
    pub(super) fn of(ends: impl Iterator<Item = (f64, f64)>, most: usize) -> Self {
        let moments: BTreeMap<u64, (f64, f64)> =
            ends.map(|(end, interval)| (end.to_bits(), (end - interval, end))).collect();
        let group = moments.len().div_ceil(most.max(1)).max(1);
        let mut spans: Vec<(f64, f64)> = Vec::new();
        let mut of = BTreeMap::new();
        // Bits of floats that are not negative are in their order.
        for (number, (bits, (begin, end))) in moments.into_iter().enumerate() {
            if number % group == 0 {
                spans.push((begin, end));
            } else if let Some(last) = spans.last_mut() {
                last.1 = end;
            }
            of.insert(bits, spans.len() - 1);
        }
        Self { spans, of }
    }

    /// The column of a sample that ended at this moment.
    pub(super) fn column(&self, end: f64) -> Option<usize> {
        self.of.get(&end.to_bits()).copied()
    }

    /// Middles of the columns.
    pub(super) fn middles(&self) -> Vec<f64> {
        self.spans.iter().map(|(begin, end)| 0.5 * (begin + end)).collect()
    }
}

/// Means of values with weights, column by column.
#[derive(Clone, Debug)]
pub(super) struct Means(Vec<(f64, f64)>);

impl Means {
    /// No value yet in so many columns.
    pub(super) fn new(columns: usize) -> Self {
        Self(vec![(0.0, 0.0); columns])
    }

    /// Adds a value.
    pub(super) fn add(&mut self, column: usize, value: f64, weight: f64) {
        if let Some((sum, weights)) = self.0.get_mut(column) {
            *sum += value * weight;
            *weights += weight;
        }
    }

    /// The means; `None` in columns without a value.
    pub(super) fn means(&self) -> Vec<Option<f64>> {
        self.0.iter().map(|(sum, weights)| (*weights > 0.0).then(|| sum / weights)).collect()
    }

    /// The mean over all columns.
    pub(super) fn mean(&self) -> Option<f64> {
        let (sum, weights) = self.0.iter().fold((0.0, 0.0), |(a, b), (sum, weights)| (a + sum, b + weights));
        (weights > 0.0).then(|| sum / weights)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_values_are_all_there() {
        assert_eq!(cumulative(&[1.0, 2.0, 2.0, 5.0]), [(1.0, 0.25), (2.0, 0.5), (2.0, 0.75), (5.0, 1.0)]);
        assert_eq!(ranked(&[1.0, 2.0, 5.0]), [(0.0, 1.0), (0.5, 2.0), (1.0, 5.0)]);
        assert_eq!(ranked(&[7.0]), [(0.0, 7.0)]);
        assert_eq!(cumulative(&[]), []);
    }

    #[test]
    fn of_many_values_the_tail_is_kept() {
        let values: Vec<f64> = (1..=100_000).map(f64::from).collect();
        let curve = cumulative(&values);
        assert!(curve.len() <= POINTS, "{}", curve.len());
        assert_eq!(curve.last(), Some(&(100_000.0, 1.0)));
        assert_eq!(curve[curve.len() - 2].0, 99_999.0);
        assert!(curve.iter().all(|(value, share)| (value / 100_000.0 - share).abs() < 1e-12));
    }

    #[test]
    fn samples_are_put_together() {
        let ends = [(1.0, 1.0), (2.0, 1.0), (3.0, 1.0), (1.0, 1.0)];
        let columns = Columns::of(ends.into_iter(), 2);
        assert_eq!(columns.spans, [(0.0, 2.0), (2.0, 3.0)]);
        assert_eq!([1.0, 2.0, 3.0, 4.0].map(|end| columns.column(end)), [Some(0), Some(0), Some(1), None]);
        assert_eq!(columns.middles(), [1.0, 2.5]);
        let mut means = Means::new(2);
        means.add(0, 1.0, 1.0);
        means.add(0, 0.5, 3.0);
        assert_eq!((means.means(), means.mean()), (vec![Some(0.625), None], Some(0.625)));
    }
}
