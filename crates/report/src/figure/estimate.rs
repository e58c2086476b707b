//! Numbers that are known to within an interval.

use plotly::common::{ErrorData, ErrorType};

/// A number, and between which others the true one is likely to be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The number.
    pub value: f64,
    /// The ends of the interval; `None` where there is too little to say.
    pub interval: Option<(f64, f64)>,
}

impl Estimate {
    /// A number without an interval.
    pub fn exact(value: f64) -> Self {
        Self { value, interval: None }
    }

    /// How far the interval goes above and below the number; nothing where there is none.
    fn reach(&self) -> (f64, f64) {
        self.interval
            .map_or((0.0, 0.0), |(low, high)| ((high - self.value).max(0.0), (self.value - low).max(0.0)))
    }
}

/// The whiskers of a series, in the colour of a token; `None` where no number has an interval.
pub(super) fn whiskers(estimates: &[Estimate], colour: String) -> Option<ErrorData> {
    if estimates.iter().all(|estimate| estimate.interval.is_none()) {
        return None;
    }
    let (above, below) = estimates.iter().map(Estimate::reach).unzip();
    Some(ErrorData::new(ErrorType::Data).array(above).array_minus(below).symmetric(false).color(colour))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whiskers_reach_from_the_number_to_the_ends() {
        let estimate = Estimate { value: 3.0, interval: Some((1.0, 4.5)) };
        assert_eq!(estimate.reach(), (1.5, 2.0));
        assert_eq!(Estimate::exact(3.0).reach(), (0.0, 0.0));
        assert!(whiskers(&[Estimate::exact(3.0)], String::new()).is_none());
        assert!(whiskers(&[Estimate::exact(3.0), estimate], String::new()).is_some());
    }
}
