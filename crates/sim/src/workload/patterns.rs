//! Fixed patterns: permutation, all-to-all, incast, partition-aggregate.

use super::Flow;
use crate::random::Random;
use crate::time::{Duration, Time};

/// A uniformly random permutation of `0..hosts` that leaves nobody in place: entry i is where i sends to. Needs two hosts; with fewer,
/// it is empty.
pub fn derangement(hosts: u32, random: &mut Random) -> Vec<u32> {
    let mut to: Vec<u32> = (0..hosts).collect();
    if hosts < 2 {
        return Vec::new();
    }
    // One permutation in e has no fixed point.
    loop {
        random.shuffle(&mut to);
        if to.iter().enumerate().all(|(from, &to)| from as u32 != to) {
            return to;
        }
    }
}

/// Every host sends `bytes` to one other and receives from one other. Starts are spread uniformly over `spread`, so that slow
/// starts do not march in step.
pub fn permutation(hosts: u32, bytes: u64, spread: Duration, random: &mut Random) -> Vec<Flow> {
    let to = derangement(hosts, random);
    let start = |random: &mut Random| Time(random.below(spread.0.saturating_add(1)));
    to.iter().enumerate().map(|(from, &to)| Flow::new(start(random), from as u32, to, bytes)).collect()
}

/// Every host sends `bytes` to every other, in the order of senders, then receivers; starts as in [`permutation`].
pub fn all_to_all(hosts: u32, bytes: u64, spread: Duration, random: &mut Random) -> Vec<Flow> {
    let mut flows = Vec::with_capacity(hosts as usize * hosts.saturating_sub(1) as usize);
    for src in 0..hosts {
        for dst in (0..hosts).filter(|&dst| dst != src) {
            flows.push(Flow::new(Time(random.below(spread.0.saturating_add(1))), src, dst, bytes));
        }
    }
    flows
}

/// `senders` different hosts, chosen at random, send `bytes` each to `receiver` at the same time. Fewer when there are not so many.
pub fn incast(
    hosts: u32,
    receiver: u32,
    senders: u32,
    bytes: u64,
    start: Time,
    random: &mut Random,
) -> Vec<Flow> {
    let mut others: Vec<u32> = (0..hosts).filter(|&host| host != receiver).collect();
    choose(&mut others, senders, random);
    others.iter().map(|&src| Flow { group: Some(0), ..Flow::new(start, src, receiver, bytes) }).collect()
}

/// Partition-aggregate: queries arrive as a Poisson process; each has an aggregator ask `fanout` other hosts, all of
/// which answer as soon as the question has come.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PartitionAggregate {
    /// Queries per second over all hosts.
    pub queries_per_second: f64,
    /// How many hosts are asked for each query.
    pub fanout: u32,
    /// Bytes of a question.
    pub request: u64,
    /// Bytes of an answer.
    pub response: u64,
    /// How long queries arrive.
    pub duration: Duration,
}

/// The flows of [`PartitionAggregate`]: for each query and host a question, and an answer that waits for it. Flows of a query
/// share their `group`; it is answered when the last of them is complete.
pub fn partition_aggregate(hosts: u32, pattern: &PartitionAggregate, random: &mut Random) -> Vec<Flow> {
    let mut flows = Vec::new();
    let rate = pattern.queries_per_second;
    if hosts < 2 || rate.is_nan() || rate <= 0.0 {
        return flows;
    }
    let mut now = 0.0;
    for query in 0.. {
        now += random.exponential(rate.recip());
        if now >= pattern.duration.as_secs_f64() {
            break;
        }
        let aggregator = random.below(u64::from(hosts)) as u32;
        let mut workers: Vec<u32> = (0..hosts).filter(|&host| host != aggregator).collect();
        choose(&mut workers, pattern.fanout, random);
        for &worker in &workers {
            let question = flows.len() as u32;
            let start = Time::from_secs_f64(now);
            flows.push(Flow { group: Some(query), ..Flow::new(start, aggregator, worker, pattern.request) });
            let answer = Flow::new(Time::ZERO, worker, aggregator, pattern.response);
            flows.push(Flow { after: Some(question), group: Some(query), ..answer });
        }
    }
    flows
}

/// Leaves `n` of `hosts`, chosen at random.
fn choose(hosts: &mut Vec<u32>, n: u32, random: &mut Random) {
    random.shuffle(hosts);
    hosts.truncate(n as usize);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Purpose;

    fn random(seed: u64) -> Random {
        Random::new(seed, Purpose::Workload)
    }

    #[test]
    fn a_permutation_has_no_fixed_points_and_all_receive() {
        for seed in 0..50 {
            for hosts in [2, 3, 16, 128] {
                let flows = permutation(hosts, 7, Duration(1000), &mut random(seed));
                assert_eq!(flows.len(), hosts as usize);
                assert!(
                    flows.iter().all(|flow| flow.src != flow.dst && flow.bytes == 7 && flow.start.0 <= 1000)
                );
                let mut receivers: Vec<_> = flows.iter().map(|flow| flow.dst).collect();
                receivers.sort_unstable();
                assert_eq!(receivers, (0..hosts).collect::<Vec<_>>());
            }
        }
        assert!(permutation(1, 7, Duration::ZERO, &mut random(0)).is_empty());
    }

    /// The nine derangements of four are equally likely: chi square with 8 degrees of freedom, 26.1 is exceeded once in a thousand.
    #[test]
    fn derangements_are_uniform() {
        let mut random = random(1);
        let mut counts = std::collections::HashMap::new();
        for _ in 0..9000 {
            *counts.entry(derangement(4, &mut random)).or_insert(0.0) += 1.0;
        }
        assert_eq!(counts.len(), 9);
        let chi2: f64 = counts.values().map(|n: &f64| (n - 1000.0).powi(2) / 1000.0).sum();
        assert!(chi2 < 26.1, "{chi2}");
    }

    #[test]
    fn patterns_have_their_flows() {
        let all = all_to_all(5, 1, Duration::ZERO, &mut random(0));
        assert_eq!(all.len(), 20);
        assert!(all.iter().all(|flow| flow.src != flow.dst && flow.start == Time::ZERO));

        let flows = incast(10, 3, 4, 1000, Time(5), &mut random(2));
        let mut senders: Vec<_> = flows.iter().map(|flow| flow.src).collect();
        senders.sort_unstable();
        senders.dedup();
        assert!(senders.len() == 4 && !senders.contains(&3));
        assert_eq!(incast(10, 3, 40, 1000, Time(5), &mut random(2)).len(), 9);
    }

    #[test]
    fn answers_follow_questions() {
        let pattern = PartitionAggregate {
            queries_per_second: 1000.0,
            fanout: 8,
            request: 1600,
            response: 2000,
            duration: Duration::from_secs(1),
        };
        let flows = partition_aggregate(32, &pattern, &mut random(4));
        // 1000 queries with a standard deviation of 32.
        let queries = flows.len() / 16;
        assert!(queries.abs_diff(1000) < 160, "{queries}");
        for (n, pair) in flows.chunks(2).enumerate() {
            let [question, answer] = pair else { panic!("odd") };
            assert_eq!((question.src, question.dst, question.bytes), (answer.dst, answer.src, 1600));
            assert_eq!((answer.after, answer.bytes), (Some(2 * n as u32), 2000));
            assert_eq!((question.group, answer.group), (Some(n as u32 / 8), Some(n as u32 / 8)));
        }
    }
}
