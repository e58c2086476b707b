//! Flows that arrive as a Poisson process at a load.

use super::{Flow, Sizes};
use crate::random::Random;
use crate::time::{Duration, Time};

/// Poisson arrivals between random pairs of hosts.
#[derive(Clone, Debug, PartialEq)]
pub struct Arrivals {
    /// Offered payload as a fraction of `capacity`.
    pub load: f64,
    /// What the load is a fraction of, bit/s. For a fabric: the rates of all host links together, divided by the oversubscription.
    pub capacity: f64,
    /// How large flows are.
    pub sizes: Sizes,
    /// How long flows arrive.
    pub duration: Duration,
}

impl Arrivals {
    /// Flows per second over all hosts: load · capacity/(8 · mean size).
    pub fn rate(&self) -> f64 {
        self.load * self.capacity / (8.0 * self.sizes.mean())
    }
}

/// The flows of [`Arrivals`], in the order of their starts: source and destination uniform among the hosts and different.
pub fn poisson(hosts: u32, arrivals: &Arrivals, random: &mut Random) -> Vec<Flow> {
    let rate = arrivals.rate();
    let mut flows = Vec::new();
    if hosts < 2 || !(rate > 0.0 && rate.is_finite()) {
        return flows;
    }
    let mut now = 0.0;
    loop {
        now += random.exponential(rate.recip());
        if now >= arrivals.duration.as_secs_f64() {
            return flows;
        }
        let src = random.below(u64::from(hosts)) as u32;
        let dst = random.below(u64::from(hosts) - 1) as u32;
        let dst = dst + u32::from(dst >= src);
        flows.push(Flow::new(Time::from_secs_f64(now), src, dst, arrivals.sizes.sample(random)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Purpose;

    #[test]
    fn the_load_is_realised() {
        for load in [0.2, 0.6] {
            let arrivals = Arrivals {
                load,
                capacity: 128.0 * 10e9 / 4.0,
                sizes: Sizes::web_search(),
                duration: Duration::from_secs(4),
            };
            let flows = poisson(128, &arrivals, &mut Random::new(3, Purpose::Workload));
            let offered = flows.iter().map(|flow| flow.bytes as f64 * 8.0).sum::<f64>() / 4.0;
            // Standard deviation √(n E[size²])/(n E[size]): with 18,000 flows or more at most 2.1 %.
            assert!((offered / arrivals.capacity / load - 1.0).abs() < 0.063, "{offered}");
            assert!(flows.iter().all(|flow| flow.src != flow.dst && flow.src < 128 && flow.dst < 128));
            assert!(flows.is_sorted_by_key(|flow| flow.start));
            // The variance of exponential gaps is the square of their mean.
            let gaps: Vec<f64> =
                flows.windows(2).map(|pair| (pair[1].start - pair[0].start).as_secs_f64()).collect();
            let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
            let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64;
            assert!((variance / (mean * mean) - 1.0).abs() < 0.1, "{variance} {mean}");
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_flows() {
        let arrivals = Arrivals {
            load: 0.4,
            capacity: 1e9,
            sizes: Sizes::data_mining(),
            duration: Duration::from_secs(10),
        };
        let run = |seed| poisson(16, &arrivals, &mut Random::new(seed, Purpose::Workload));
        assert_eq!(run(1), run(1));
        assert_ne!(run(1), run(2));
    }

    #[test]
    fn nothing_comes_of_nothing() {
        let arrivals =
            Arrivals { load: 0.0, capacity: 1e9, sizes: Sizes::fixed(1), duration: Duration::from_secs(1) };
        let random = &mut Random::new(1, Purpose::Workload);
        assert!(poisson(16, &arrivals, random).is_empty());
        assert!(poisson(1, &Arrivals { load: 1.0, ..arrivals.clone() }, random).is_empty());
        assert!(poisson(16, &Arrivals { load: f64::NAN, ..arrivals }, random).is_empty());
    }
}
