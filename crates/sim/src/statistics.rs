//! Quantiles, and confidence intervals over seeds.

/// The quantile `q` (0 to 1) of values in rising order: linear between the two nearest ranks, (n − 1)q counted from zero (type 7 of Hyndman
/// and Fan, "Sample quantiles in statistical packages", 1996). `None` of no values.
pub fn quantile(sorted: &[f64], q: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let place = q.clamp(0.0, 1.0) * last as f64;
    let below = place.floor() as usize;
    let (low, high) = (*sorted.get(below)?, sorted[(below + 1).min(last)]);
    Some(low + (high - low) * (place - below as f64))
}

/// What a sample looks like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// How many values.
    pub n: usize,
    /// Their mean.
    pub mean: f64,
    /// The least.
    pub least: f64,
    /// The median.
    pub p50: f64,
    /// 90 % are at most this.
    pub p90: f64,
    /// 99 % are at most this.
    pub p99: f64,
    /// 99.9 % are at most this.
    pub p999: f64,
    /// The largest.
    pub most: f64,
}

impl Summary {
    /// Summarises values, which it puts in order. `None` of no values.
    pub fn of(values: &mut [f64]) -> Option<Self> {
        values.sort_unstable_by(f64::total_cmp);
        let at = |q| quantile(values, q);
        Some(Self {
            n: values.len(),
            mean: mean(values)?,
            least: *values.first()?,
            p50: at(0.5)?,
            p90: at(0.9)?,
            p99: at(0.99)?,
            p999: at(0.999)?,
            most: *values.last()?,
        })
    }
}

/// The mean of a sample; `None` of no values.
pub fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// A mean, and how far from it the true mean may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// How many values it rests on.
    pub n: usize,
    /// The middle.
    pub mean: f64,
    /// The lower end; `None` when there are too few values to say.
    pub low: Option<f64>,
    /// The upper end; `None` when there are too few values to say.
    pub high: Option<f64>,
}

/// The confidence interval of the mean of independent values (one for each seed) by Student's t: mean ± t(n − 1) · s/√n. `level` is the
/// confidence, as .95. `None` of no values; one value has a mean without ends.
pub fn confidence(values: &[f64], level: f64) -> Option<Interval> {
    let n = values.len();
    let mean = mean(values)?;
    if n < 2 {
        return Some(Interval { n, mean, low: None, high: None });
    }
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let error = (squares / (n - 1) as f64 / n as f64).sqrt();
    let half = student_t(level, n as u32 - 1) * error;
    Some(Interval { n, mean, low: Some(mean - half), high: Some(mean + half) })
}

/// The confidence interval of the mean difference `after[i] − before[i]`, for runs paired by seed. Uses as many pairs as there are.
pub fn paired_difference(before: &[f64], after: &[f64], level: f64) -> Option<Interval> {
    let differences: Vec<f64> = before.iter().zip(after).map(|(before, after)| after - before).collect();
    confidence(&differences, level)
}

/// The confidence interval of the geometric mean of `after[i]/before[i]`, for runs paired by seed: Student's t on the logarithms. Pairs with a value
/// that is not above zero are left out.
pub fn paired_ratio(before: &[f64], after: &[f64], level: f64) -> Option<Interval> {
    let logarithms: Vec<f64> = before
        .iter()
        .zip(after)
        .filter(|(before, after)| **before > 0.0 && **after > 0.0)
        .map(|(before, after)| (after / before).ln())
        .collect();
    let interval = confidence(&logarithms, level)?;
    Some(Interval {
        n: interval.n,
        mean: interval.mean.exp(),
        low: interval.low.map(f64::exp),
        high: interval.high.map(f64::exp),
    })
}

/// The t that |t| of Student's distribution with so many degrees of freedom exceeds with probability 1 − `level`. Infinite for none.
pub fn student_t(level: f64, freedom: u32) -> f64 {
    if freedom == 0 || level >= 1.0 {
        return f64::INFINITY;
    }
    let (mut low, mut high) = (0.0, 1.0);
    while within(high, freedom) < level && high < 1e12 {
        high *= 2.0;
    }
    // Halving until doubles have no more room.
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if within(middle, freedom) < level { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

/// The probability that |t| is at most `t`, by the finite sums of Abramowitz and Stegun, 26.7.3 and 26.7.4.
fn within(t: f64, freedom: u32) -> f64 {
    let angle = (t / f64::from(freedom).sqrt()).atan();
    let (sin, cos) = angle.sin_cos();
    let mut sum = 0.0;
    if freedom.is_multiple_of(2) {
        let mut term = 1.0;
        for step in (0..freedom).step_by(2) {
            sum += term;
            term *= cos * cos * f64::from(step + 1) / f64::from(step + 2);
        }
        sin * sum
    } else {
        let mut term = cos;
        for step in (1..freedom).step_by(2) {
            sum += term;
            term *= cos * cos * f64::from(step + 1) / f64::from(step + 2);
        }
        std::f64::consts::FRAC_2_PI * (angle + sin * sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Random};

    fn close(a: Option<f64>, b: f64, tolerance: f64) {
        assert!(a.is_some_and(|a| (a - b).abs() <= tolerance), "{a:?} is not {b}");
    }

    #[test]
    fn quantiles() {
        let values = [1.0, 2.0, 4.0, 8.0];
        for (q, expected) in [(0.0, 1.0), (0.5, 3.0), (0.25, 1.75), (0.9, 6.8), (1.0, 8.0), (7.0, 8.0)] {
            close(quantile(&values, q), expected, 1e-12);
        }
        assert_eq!(quantile(&[], 0.5), None);
        let mut values = [3.0, 1.0, 2.0];
        let summary = Summary::of(&mut values).unwrap();
        assert_eq!(
            (summary.n, summary.mean, summary.least, summary.p50, summary.most),
            (3, 2.0, 1.0, 2.0, 3.0)
        );
        assert_eq!(Summary::of(&mut []), None);
    }

    /// The tables that every text book has.
    #[test]
    fn students_t() {
        for (level, freedom, expected) in [
            (0.95, 1, 12.7062),
            (0.95, 2, 4.3027),
            (0.95, 4, 2.7764),
            (0.95, 9, 2.2622),
            (0.95, 30, 2.0423),
            (0.99, 9, 3.2498),
            (0.90, 19, 1.7291),
            (0.95, 100_000, 1.9600),
        ] {
            close(Some(student_t(level, freedom)), expected, 5e-5);
        }
        assert_eq!(student_t(0.95, 0), f64::INFINITY);
    }

    #[test]
    fn intervals() {
        // Mean 3, s² = 2.5, s/√n = .70711, t(4) = 2.7764.
        let interval = confidence(&[1.0, 2.0, 3.0, 4.0, 5.0], 0.95).unwrap();
        close(interval.low, 3.0 - 1.96324, 1e-4);
        close(interval.high, 3.0 + 1.96324, 1e-4);
        assert_eq!(confidence(&[7.0], 0.95), Some(Interval { n: 1, mean: 7.0, low: None, high: None }));
        assert_eq!(confidence(&[], 0.95), None);
    }

    #[test]
    fn pairs() {
        let (before, after) = ([10.0, 20.0, 30.0], [9.0, 18.0, 27.0]);
        let ratio = paired_ratio(&before, &after, 0.95).unwrap();
        close(Some(ratio.mean), 0.9, 1e-12);
        close(ratio.low, 0.9, 1e-9);
        let difference = paired_difference(&before, &after, 0.95).unwrap();
        // Differences −1, −2, −3: mean −2, s = 1, t(2) = 4.3027.
        close(difference.high, -2.0 + 4.30265 / 3f64.sqrt(), 1e-4);
        assert_eq!(paired_ratio(&[0.0], &[1.0], 0.95), None);
    }

    /// 95 % of the intervals of samples of five hold the true mean.
    #[test]
    fn intervals_cover() {
        let mut random = Random::new(1, Purpose::Workload);
        let held = (0..4000)
            .filter(|_| {
                // Twelve uniforms less six are close to a standard normal.
                let values: Vec<f64> =
                    (0..5).map(|_| (0..12).map(|_| random.unit()).sum::<f64>() - 6.0).collect();
                let interval = confidence(&values, 0.95).unwrap();
                interval.low.unwrap() <= 0.0 && interval.high.unwrap() >= 0.0
            })
            .count();
        assert!(held.abs_diff(3800) < 70, "{held}");
    }
}
