//! How much a figure may differ.

use super::figures::FIGURES;

/// How much, and which way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Threshold {
    /// Share of the value in A.
    pub share: f64,
    /// Which differences count: both, only rises (`+`), only falls (`-`).
    pub way: Option<Way>,
}

/// A direction of change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// B is above A.
    Up,
    /// B is below A.
    Down,
}

impl Threshold {
    /// Whether this difference from this value goes beyond it.
    pub(super) fn is_passed(self, difference: f64, from: f64) -> bool {
        let counts = match self.way {
            None => true,
            Some(Way::Up) => difference > 0.0,
            Some(Way::Down) => difference < 0.0,
        };
        // The smallest of roundings is no difference.
        counts && difference.abs() > self.share * from.abs() * (1.0 + 1e-12) && difference != 0.0
    }
}

/// A threshold that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ThresholdError {
    /// Neither a share nor a figure with a share.
    #[error("threshold `{0}` is neither a share, as 5%, nor a figure with a share, as goodput_s2c=10%")]
    Form(String),
    /// There is no such figure.
    #[error("there is no figure `{0}`")]
    Figure(String),
}

/// The thresholds of all figures.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Thresholds {
    all: Option<Threshold>,
    some: Vec<(&'static str, Threshold)>,
}

impl Thresholds {
    /// Reads `5%` (every figure) and `FIGURE=10%`; `+10%` and `-10%` count rises or falls only. The last one of a figure
    /// counts.
    pub fn new(texts: &[String]) -> Result<Self, ThresholdError> {
        let mut thresholds = Self::default();
        for text in texts {
            let form = || ThresholdError::Form(text.clone());
            match text.split_once('=') {
                None => thresholds.all = Some(share(text).ok_or_else(form)?),
                Some((name, given)) => {
                    let name = name.trim();
                    let figure = FIGURES.iter().find(|figure| figure.name == name);
                    let figure = figure.ok_or_else(|| ThresholdError::Figure(name.to_owned()))?;
                    thresholds.some.push((figure.name, share(given).ok_or_else(form)?));
                }
            }
        }
        Ok(thresholds)
    }

    /// Whether none was given.
    pub fn is_empty(&self) -> bool {
        self.all.is_none() && self.some.is_empty()
    }

    /// The threshold of a figure.
    pub fn of(&self, figure: &str) -> Option<Threshold> {
        self.some.iter().rev().find(|(name, _)| *name == figure).map(|(_, threshold)| *threshold).or(self.all)
    }
}

fn share(text: &str) -> Option<Threshold> {
    let text = text.trim();
    let (way, rest) = match text.split_at_checked(1)? {
        ("+", rest) => (Some(Way::Up), rest),
        ("-", rest) => (Some(Way::Down), rest),
        _ => (None, text),
    };
    let share = rest.strip_suffix('%')?.trim().parse::<f64>().ok()? / 100.0;
    (share.is_finite() && share >= 0.0).then_some(Threshold { share, way })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(texts: &[&str]) -> Result<Thresholds, ThresholdError> {
        Thresholds::new(&texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn the_figure_goes_before_all_and_the_last_before_the_first() {
        let thresholds = read(&["5%", "handovers=0%", "handovers=-20%"]).expect("valid");
        assert_eq!(thresholds.of("fallbacks"), Some(Threshold { share: 0.05, way: None }));
        assert_eq!(thresholds.of("handovers"), Some(Threshold { share: 0.2, way: Some(Way::Down) }));
        assert_eq!(Thresholds::default().of("handovers"), None);
    }

    #[test]
    fn what_cannot_be_read_is_told() {
        for text in ["", "5", "x%", "handovers=5", "handovers=", "-", "nan%", "--5%"] {
            assert!(matches!(read(&[text]), Err(ThresholdError::Form(_))), "{text}");
        }
        assert_eq!(read(&["handover=5%"]), Err(ThresholdError::Figure("handover".to_owned())));
    }
}
