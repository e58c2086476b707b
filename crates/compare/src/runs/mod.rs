//! Two runs of the same test, or repetitions of each: the figures of their tables side by side.

mod figures;
mod statistics;
mod threshold;

pub use figures::{FIGURES, Figure};
pub use threshold::{Threshold, ThresholdError, Thresholds};

use crate::rows::Difference;
use subflow_analysis::rows::Tables;

/// The figures of one run; a figure that its tables do not give is not there.
#[derive(Clone, Debug)]
pub struct Run {
    values: Vec<Option<f64>>,
}

impl Run {
    /// Adds up the tables of a run.
    pub fn of(tables: &Tables) -> Self {
        Self { values: FIGURES.iter().map(|figure| (figure.of)(tables)).collect() }
    }
}

/// A row for every figure that any run has.
pub fn differences(a: &[Run], b: &[Run], thresholds: &Thresholds) -> Vec<Difference> {
    let column = |runs: &[Run], index: usize| -> Vec<f64> {
        runs.iter().filter_map(|run| run.values.get(index).copied().flatten()).collect()
    };
    let rows = FIGURES.iter().enumerate().filter_map(|(index, figure)| {
        let (a, b) = (column(a, index), column(b, index));
        (!a.is_empty() || !b.is_empty()).then(|| difference(figure, &a, &b, thresholds))
    });
    rows.collect()
}

fn difference(figure: &Figure, a: &[f64], b: &[f64], thresholds: &Thresholds) -> Difference {
    let (value_a, value_b) = (statistics::mean(a), statistics::mean(b));
    let difference = value_a.zip(value_b).map(|(a, b)| b - a);
    let relative =
        difference.zip(value_a).filter(|(_, a)| *a != 0.0).map(|(difference, a)| difference / a.abs());
    let interval = statistics::welch(a, b);
    let threshold = thresholds.of(figure.name);
    let beyond = threshold.is_some_and(|threshold| match difference {
        // A figure that one side only has is another result, however small.
        None => true,
        Some(difference) => {
            let sure = interval.is_none_or(|(low, high)| low > 0.0 || high < 0.0);
            sure && threshold.is_passed(difference, value_a.unwrap_or_default())
        }
    });
    Difference {
        metric: figure.name.to_owned(),
        unit: figure.unit,
        runs_a: a.len() as u64,
        runs_b: b.len() as u64,
        value_a,
        value_b,
        difference,
        relative,
        difference_low: interval.map(|interval| interval.0),
        difference_high: interval.map(|interval| interval.1),
        p_value: statistics::mann_whitney(a, b),
        threshold: threshold.map(|threshold| threshold.share),
        beyond,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIGURE: Figure = Figure { name: "handovers", unit: "", doc: "", of: |_| None };

    fn row(a: &[f64], b: &[f64], thresholds: &[&str]) -> Difference {
        let thresholds =
            Thresholds::new(&thresholds.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>());
        difference(&FIGURE, a, b, &thresholds.expect("valid"))
    }

    #[test]
    fn one_run_each_is_judged_by_the_threshold_alone() {
        let one = row(&[10.0], &[11.5], &["10%"]);
        assert_eq!((one.difference, one.relative, one.beyond), (Some(1.5), Some(0.15), true));
        assert_eq!((one.difference_low, one.p_value), (None, None));
        assert!(!row(&[10.0], &[11.0], &["10%"]).beyond);
        assert!(!row(&[10.0], &[100.0], &["goodput_c2s=1%"]).beyond);
    }

    #[test]
    fn from_nothing_to_something_is_beyond_every_threshold() {
        let one = row(&[0.0], &[1.0], &["50%"]);
        assert_eq!((one.relative, one.beyond), (None, true));
        assert!(!row(&[0.0], &[0.0], &["50%"]).beyond);
    }

    #[test]
    fn repetitions_that_scatter_are_not_beyond() {
        assert!(!row(&[10.0, 20.0, 30.0], &[14.0, 25.0, 36.0], &["5%"]).beyond);
        assert!(row(&[10.0, 10.1, 9.9], &[12.0, 12.1, 11.9], &["5%"]).beyond);
    }

    #[test]
    fn thresholds_may_look_one_way_only() {
        assert!(!row(&[10.0], &[20.0], &["handovers=-10%"]).beyond);
        assert!(row(&[10.0], &[5.0], &["handovers=-10%"]).beyond);
        assert!(row(&[10.0], &[20.0], &["handovers=+10%"]).beyond);
    }
}
