//! How large flows are: distributions given by points of their cumulative share, linear in between.

use super::{Error, lines};
use crate::random::Random;

/// Web search (Alizadeh and others, "Data center TCP", SIGCOMM 2010). Mean 1.71 MB.
const WEB_SEARCH: [(f64, f64); 11] = [
    (10e3, 0.15),
    (20e3, 0.2),
    (30e3, 0.3),
    (50e3, 0.4),
    (80e3, 0.53),
    (200e3, 0.6),
    (1e6, 0.7),
    (2e6, 0.8),
    (5e6, 0.9),
    (10e6, 0.97),
    (30e6, 1.0),
];

/// Data mining (Greenberg and others, "VL2", SIGCOMM 2009).
const DATA_MINING: [(f64, f64); 12] = [
    (180.0, 0.1),
    (216.0, 0.2),
    (560.0, 0.3),
    (900.0, 0.4),
    (1100.0, 0.5),
    (1870.0, 0.6),
    (3160.0, 0.7),
    (10e3, 0.8),
    (400e3, 0.9),
    (3.16e6, 0.95),
    (100e6, 0.98),
    (1e9, 1.0),
];

/// A distribution of flow sizes.
#[derive(Clone, Debug, PartialEq)]
pub struct Sizes {
    /// Bytes and cumulative share, both rising; before the first point the share rises from zero bytes.
    points: Vec<(f64, f64)>,
}

impl Sizes {
    /// The web search workload.
    pub fn web_search() -> Self {
        Self { points: WEB_SEARCH.to_vec() }
    }

    /// The data mining workload.
    pub fn data_mining() -> Self {
        Self { points: DATA_MINING.to_vec() }
    }

    /// All flows of one size.
    pub fn fixed(bytes: u64) -> Self {
        let bytes = bytes.max(1) as f64;
        Self { points: vec![(bytes, 0.0), (bytes, 1.0)] }
    }

    /// All sizes from `least` to `most` equally likely.
    pub fn uniform(least: u64, most: u64) -> Self {
        let (least, most) = (least.min(most).max(1) as f64, most.max(least).max(1) as f64);
        Self { points: vec![(least, 0.0), (most, 1.0)] }
    }

    /// A table, one point a line: bytes and the share of flows that are at most so large. Both rise, the last share is 1.
    ///
    /// # Errors
    /// [`Error`] names the line.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut points: Vec<(f64, f64)> = Vec::new();
        let mut last = 1;
        for (line, fields) in lines(text) {
            let err = |reason: String| Err(Error { line, reason });
            let [bytes, share] = fields[..] else {
                return err(format!("{} fields instead of bytes and share", fields.len()));
            };
            let Ok(bytes) = bytes.parse::<f64>() else {
                return err(format!("bytes {bytes:?} is not a number"));
            };
            let Ok(share) = share.parse::<f64>() else {
                return err(format!("share {share:?} is not a number"));
            };
            if !(0.0..=1e18).contains(&bytes) {
                return err(format!("bytes {bytes} is not between 0 and 1e18"));
            }
            if !(0.0..=1.0).contains(&share) {
                return err(format!("share {share} is not between 0 and 1"));
            }
            if let Some(&before) = points.last()
                && (bytes < before.0 || share < before.1)
            {
                return err(format!("{bytes} {share} is below the line before, {} {}", before.0, before.1));
            }
            points.push((bytes, share));
            last = line;
        }
        match points.last() {
            None => Err(Error { line: 1, reason: "no sizes".to_owned() }),
            Some(&(_, share)) if share < 1.0 => {
                Err(Error { line: last, reason: format!("the last share is {share} instead of 1") })
            }
            Some(&(bytes, _)) if bytes < 1.0 => {
                Err(Error { line: last, reason: "the largest size is below one byte".to_owned() })
            }
            Some(_) => Ok(Self { points }),
        }
    }

    /// A size at random, in whole bytes, at least 1.
    pub fn sample(&self, random: &mut Random) -> u64 {
        self.quantile(random.unit()).round().max(1.0) as u64
    }

    /// The size that a share of flows does not exceed, in bytes.
    pub fn quantile(&self, share: f64) -> f64 {
        let mut before = (0.0, 0.0);
        for &point in &self.points {
            if share <= point.1 && point.1 > before.1 {
                return before.0 + (point.0 - before.0) * (share - before.1) / (point.1 - before.1);
            }
            before = point;
        }
        before.0
    }

    /// The mean, in bytes.
    pub fn mean(&self) -> f64 {
        let mut before = (0.0, 0.0);
        let mut mean = 0.0;
        for &point in &self.points {
            mean += (point.1 - before.1) * (point.0 + before.0) / 2.0;
            before = point;
        }
        mean
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Purpose;

    #[test]
    fn means() {
        assert_eq!(Sizes::web_search().mean(), 1_711_250.0);
        // .1·(90 + 198 + 388 + 730 + 1000 + 1485 + 2515 + 6580 + 205000) + .05·1.78e6 + .03·51.58e6 + .02·550e6
        assert!((Sizes::data_mining().mean() - 12_658_198.6).abs() < 0.01, "{}", Sizes::data_mining().mean());
        assert_eq!(Sizes::fixed(1000).mean(), 1000.0);
        assert_eq!(Sizes::uniform(1000, 3000).mean(), 2000.0);
    }

    #[test]
    fn samples_have_the_mean_and_the_shares() {
        let sizes = Sizes::web_search();
        let mut random = Random::new(1, Purpose::Workload);
        let samples: Vec<u64> = (0..200_000).map(|_| sizes.sample(&mut random)).collect();
        let mean = samples.iter().sum::<u64>() as f64 / 200_000.0;
        // The standard deviation of a size is 4.5 MB, of this mean 10 kB.
        assert!((mean - 1_711_250.0).abs() < 40_000.0, "{mean}");
        for (bytes, share) in WEB_SEARCH {
            let found = samples.iter().filter(|&&size| size as f64 <= bytes).count() as f64 / 200_000.0;
            assert!((found - share).abs() < 0.005, "{bytes}: {found}");
        }
        assert!((0..100).all(|_| Sizes::fixed(5).sample(&mut random) == 5));
    }

    #[test]
    fn tables() {
        let sizes = Sizes::parse("# bytes share\n100 0\n\n200,0.5 # half\n1000\t1\n").unwrap();
        assert_eq!(sizes.mean(), 0.5 * 150.0 + 0.5 * 600.0);
        assert_eq!((sizes.quantile(0.0), sizes.quantile(0.25), sizes.quantile(1.0)), (100.0, 150.0, 1000.0));
        let err = |text| Sizes::parse(text).unwrap_err().to_string();
        assert_eq!(err("100 .5\n200 .4"), "line 2: 200 0.4 is below the line before, 100 0.5");
        assert_eq!(err("\n100 .5"), "line 2: the last share is 0.5 instead of 1");
        assert_eq!(err("x 1"), "line 1: bytes \"x\" is not a number");
        assert_eq!(err("1 nan"), "line 1: share NaN is not between 0 and 1");
        assert_eq!(err("1 1 1"), "line 1: 3 fields instead of bytes and share");
        assert_eq!(err(""), "line 1: no sizes");
        assert_eq!(err("0 1"), "line 1: the largest size is below one byte");
    }
}
