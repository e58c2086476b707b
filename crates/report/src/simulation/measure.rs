//! What is measured of a run, and what all runs of a scheme say together.

use super::class::Class;
use super::data::{Data, RunData};
use crate::figure::Estimate;
use subflow_sim::rows::Flow;
use subflow_sim::statistics::{Interval, confidence, paired_ratio, quantile};

/// The confidence of all intervals.
pub(super) const LEVEL: f64 = 0.95;

impl From<Interval> for Estimate {
    fn from(interval: Interval) -> Self {
        Self { value: interval.mean, interval: interval.low.zip(interval.high) }
    }
}

/// A number that many values have.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Statistic {
    /// Their mean.
    Mean,
    /// A quantile.
    Quantile(f64),
}

impl Statistic {
    /// Those that are shown.
    pub(super) const ALL: [Self; 4] =
        [Self::Mean, Self::Quantile(0.5), Self::Quantile(0.99), Self::Quantile(0.999)];

    /// The number, of values in rising order. `None` of a quantile with less than one value above it: that would be the largest value under
    /// another name.
    pub(super) fn of(self, sorted: &[f64]) -> Option<f64> {
        match self {
            Self::Mean => subflow_sim::statistics::mean(sorted),
            Self::Quantile(q) if (1.0 - q) * sorted.len() as f64 >= 1.0 - 1e-9 => quantile(sorted, q),
            Self::Quantile(_) => None,
        }
    }

    /// Its name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::Quantile(0.5) => "median",
            Self::Quantile(0.99) => "99th percentile",
            Self::Quantile(_) => "99.9th percentile",
        }
    }

    /// Its name in ids.
    pub(super) fn id(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::Quantile(0.5) => "p50",
            Self::Quantile(0.99) => "p99",
            Self::Quantile(_) => "p999",
        }
    }
}

/// Values of the flows of a class, in rising order; those that have none are left out.
pub(super) fn values(run: &RunData<'_>, class: Class, of: impl Fn(&Flow) -> Option<f64>) -> Vec<f64> {
    let mut values: Vec<f64> =
        run.flows.iter().filter(|flow| class.holds(flow)).filter_map(|flow| of(flow)).collect();
    values.sort_unstable_by(f64::total_cmp);
    values
}

/// The mean over the runs of a scheme at a load, one value a seed, with its interval.
pub(super) fn over_seeds(
    data: &Data<'_>,
    (scheme, load): (usize, usize),
    measure: impl Fn(&RunData<'_>) -> Option<f64>,
) -> Option<Interval> {
    let values: Vec<f64> = data.of_cell(scheme, load).filter_map(measure).collect();
    confidence(&values, LEVEL)
}

/// Values of flows of a class that both runs have (completed in both), each in rising order.
pub(super) fn common(
    before: &RunData<'_>,
    after: &RunData<'_>,
    class: Class,
    of: impl Fn(&Flow) -> Option<f64>,
) -> [Vec<f64>; 2] {
    let mut values = [Vec::new(), Vec::new()];
    let mut others = after.flows.iter().peekable();
    for flow in before.flows.iter().filter(|flow| class.holds(flow)) {
        while others.next_if(|other| other.flow_id < flow.flow_id).is_some() {}
        let other = others.next_if(|other| other.flow_id == flow.flow_id);
        if let Some((first, second)) = of(flow).zip(other.and_then(|other| of(other))) {
            values[0].push(first);
            values[1].push(second);
        }
    }
    for side in &mut values {
        side.sort_unstable_by(f64::total_cmp);
    }
    values
}

/// A statistic of a scheme divided by that of the first scheme, seed by seed over the flows that were completed in both: the
/// geometric mean with its interval, and over how many flows.
pub(super) fn relative(
    data: &Data<'_>,
    (scheme, load): (usize, usize),
    class: Class,
    statistic: Statistic,
    of: impl Fn(&Flow) -> Option<f64>,
) -> Option<(Interval, u64)> {
    let (mut before, mut after, mut flows) = (Vec::new(), Vec::new(), 0);
    for (first, other) in data.pairs(scheme, load) {
        let [a, b] = common(first, other, class, &of);
        if let Some((x, y)) = statistic.of(&a).zip(statistic.of(&b)) {
            before.push(x);
            after.push(y);
            flows += a.len() as u64;
        }
    }
    Some((paired_ratio(&before, &after, LEVEL)?, flows))
}

/// A sum over the flows of a run.
pub(super) fn sum(run: &RunData<'_>, of: impl Fn(&Flow) -> u64) -> u64 {
    run.flows.iter().map(|flow| of(flow)).sum()
}

/// A part of a whole; `None` where the whole is nothing.
pub(super) fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[cfg(test)]
mod tests {
    use super::super::tables::small;
    use super::*;

    #[test]
    fn a_quantile_needs_a_value_above_it() {
        let values: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!(Statistic::Quantile(0.99).of(&values), Some(99.01));
        assert_eq!(Statistic::Quantile(0.99).of(&values[..99]), None);
        assert_eq!(Statistic::Quantile(0.5).of(&values[..2]), Some(1.5));
        assert_eq!(Statistic::Mean.of(&values[..3]), Some(2.0));
        assert_eq!(Statistic::Mean.of(&[]), None);
    }

    /// At load 40 %, seed 1: slowdowns of ECMP 2, 4, 6 and one that was not completed; of FlowBender 1, 2, 3, 9. Seed 2: 4, 8, 12, and 2, 4, 6.
    #[test]
    fn schemes_are_compared_over_flows_that_both_completed() {
        let tables = small();
        let data = Data::of(&tables);
        let (first, other) = data.pairs(1, 1).next().expect("a pair");
        let both = common(first, other, Class::ALL, |flow| flow.slowdown);
        assert_eq!(both, [vec![2.0, 4.0, 6.0], vec![1.0, 2.0, 3.0]]);
        let (interval, flows) =
            relative(&data, (1, 1), Class::ALL, Statistic::Mean, |flow| flow.slowdown).expect("a ratio");
        assert_eq!((interval.n, flows), (2, 7));
        assert!((interval.mean - 0.5).abs() < 1e-12);
    }

    #[test]
    fn means_over_seeds() {
        let tables = small();
        let data = Data::of(&tables);
        let mean = |run: &RunData<'_>| Statistic::Mean.of(&values(run, Class::ALL, |flow| flow.slowdown));
        // 4 and 8 (its fourth flow has slowdown 8): mean 6, s = 2√2, s/√2 = 2, t(1) = 12.7062.
        let interval = over_seeds(&data, (0, 1), mean).expect("an interval");
        assert_eq!((interval.n, interval.mean), (2, 6.0));
        assert!((interval.high.expect("an end") - (6.0 + 2.0 * 12.7062)).abs() < 1e-3);
        assert_eq!(over_seeds(&data, (0, 7), mean), None);
    }

    #[test]
    fn ratios_of_nothing_are_unknown() {
        assert_eq!((ratio(1, 0), ratio(1, 4)), (None, Some(0.25)));
    }
}
