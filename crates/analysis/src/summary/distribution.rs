//! A distribution of numbers in bounded memory: exact while small, a sketch beyond.

use sketches_ddsketch::{Config, DDSketch};
use std::fmt;

/// So many numbers are kept as they are.
const MOST_EXACT: usize = 1 << 16;
/// Relative error of quantiles beyond that.
const ERROR: f64 = 0.005;

/// Quantiles of non-negative numbers: exact up to 65,536 of them, within 0.5 % beyond.
#[derive(Clone, Default)]
pub struct Distribution {
    exact: Vec<f64>,
    sketch: Option<Box<DDSketch>>,
    count: u64,
}

impl fmt::Debug for Distribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Distribution")
            .field("count", &self.count)
            .field("median", &self.quantile(0.5))
            .finish()
    }
}

impl Distribution {
    /// Takes a number; anything but a finite one is left out.
    pub fn add(&mut self, number: f64) {
        if !number.is_finite() {
            return;
        }
        self.count += 1;
        if let Some(sketch) = &mut self.sketch {
            sketch.add(number);
            return;
        }
        self.exact.push(number);
        if self.exact.len() > MOST_EXACT {
            let mut sketch = DDSketch::new(Config::new(ERROR, 4096, 1e-9));
            for number in self.exact.drain(..) {
                sketch.add(number);
            }
            self.sketch = Some(Box::new(sketch));
        }
    }

    /// How many numbers.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Whether quantiles are exact.
    pub fn is_exact(&self) -> bool {
        self.sketch.is_none()
    }

    /// The number that a share `q` (0 to 1) of all numbers does not exceed: the smallest with rank ≥ q · count.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        if let Some(sketch) = &self.sketch {
            return sketch.quantile(q).ok().flatten();
        }
        let mut sorted = self.exact.clone();
        sorted.sort_by(f64::total_cmp);
        let rank = (q * sorted.len() as f64).ceil() as usize;
        sorted.get(rank.saturating_sub(1)).copied()
    }

    /// The share of numbers that do not exceed `limit`; `None` without numbers.
    pub fn share_within(&self, limit: f64) -> Option<f64> {
        if let Some(sketch) = &self.sketch {
            // The sketch answers quantiles only: look for the share by halving.
            let (mut low, mut high) = (0.0, 1.0);
            for _ in 0..24 {
                let middle = f64::midpoint(low, high);
                match sketch.quantile(middle).ok().flatten() {
                    Some(number) if number <= limit => low = middle,
                    _ => high = middle,
                }
            }
            return Some(low);
        }
        let within = self.exact.iter().filter(|&&number| number <= limit).count();
        (!self.exact.is_empty()).then(|| within as f64 / self.exact.len() as f64)
    }
}

impl Distribution {
    /// The cumulative distribution as points (number, share of numbers that do not exceed it), rising in both, at most
    /// about `most` of them: exact while it is small and has no more different numbers than that; else at evenly
    /// spaced ranks, the smallest and the largest number always among them.
    pub fn curve(&self, most: usize) -> Vec<(f64, f64)> {
        let mut points: Vec<(f64, f64)> = Vec::new();
        let mut push = |number: f64, share: f64| match points.last_mut() {
            Some(last) if last.0 >= number => last.1 = share,
            _ => points.push((number, share)),
        };
        if self.sketch.is_some() {
            let steps = most.max(1);
            for step in 0..=steps {
                let share = step as f64 / steps as f64;
                if let Some(number) = self.quantile(share) {
                    push(number, share);
                }
            }
            return points;
        }
        let mut sorted = self.exact.clone();
        sorted.sort_by(f64::total_cmp);
        let count = sorted.len();
        for (index, &number) in sorted.iter().enumerate() {
            push(number, (index + 1) as f64 / count as f64);
        }
        if points.len() > most.max(2) {
            let (last, step) = (points.len() - 1, points.len().div_ceil(most.max(2)));
            let mut index = 0;
            points.retain(|_| {
                let keep = index % step == 0 || index == last;
                index += 1;
                keep
            });
        }
        points
    }
}

#[cfg(test)]
mod tests {
    use super::{Distribution, MOST_EXACT};

    #[test]
    fn a_curve_has_a_point_for_each_number() {
        let mut numbers = Distribution::default();
        assert_eq!(numbers.curve(10), []);
        for number in [2.0, 0.0, 1.0, 1.0] {
            numbers.add(number);
        }
        assert_eq!(numbers.curve(10), [(0.0, 0.25), (1.0, 0.75), (2.0, 1.0)]);
    }

    #[test]
    fn a_long_curve_is_thinned_and_keeps_its_ends() {
        for count in [1000, 2 * MOST_EXACT] {
            let mut numbers = Distribution::default();
            (1..=count).for_each(|number| numbers.add(number as f64));
            let curve = numbers.curve(100);
            assert!((50..=102).contains(&curve.len()), "{}", curve.len());
            assert!(curve.is_sorted_by(|a, b| a.0 < b.0 && a.1 < b.1));
            let (first, last) = (curve[0], curve[curve.len() - 1]);
            assert!((first.0 - 1.0).abs() < 0.01 && (last.0 / count as f64 - 1.0).abs() < 0.01, "{last:?}");
            assert!((last.1 - 1.0).abs() < f64::EPSILON);
            for (number, share) in curve.into_iter().skip(1) {
                assert!((number / count as f64 / share - 1.0).abs() < 0.02, "{number} {share}");
            }
        }
    }

    #[test]
    fn small_ones_are_exact() {
        let mut numbers = Distribution::default();
        assert_eq!((numbers.quantile(0.5), numbers.share_within(1.0)), (None, None));
        for number in [5.0, 1.0, 4.0, 2.0, 3.0, f64::NAN] {
            numbers.add(number);
        }
        assert_eq!(numbers.count(), 5);
        assert_eq!(numbers.quantile(0.0), Some(1.0));
        assert_eq!(numbers.quantile(0.5), Some(3.0));
        assert_eq!(numbers.quantile(1.0), Some(5.0));
        assert_eq!(numbers.share_within(2.5), Some(0.4));
    }

    #[test]
    fn large_ones_are_near() {
        let mut numbers = Distribution::default();
        let count = 3 * MOST_EXACT;
        for number in 1..=count {
            numbers.add(number as f64);
        }
        assert!(!numbers.is_exact());
        for q in [0.05, 0.5, 0.95] {
            let expected = q * count as f64;
            assert!((numbers.quantile(q).unwrap() / expected - 1.0).abs() < 0.01);
            assert!((numbers.share_within(expected).unwrap() - q).abs() < 0.01);
        }
    }
}
