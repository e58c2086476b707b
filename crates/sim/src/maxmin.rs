//! Max-min fair rates by progressive filling (Bertsekas and Gallager, *Data Networks*, 6.5.2): all rates rise together, and a flow stops
//! rising when a link of its path is full.
//!
//! The most that ideal congestion control could make of the paths of a run, if every subflow were treated alike. A connection has the
//! sum of its subflows.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// The max-min fair rate of each path, in the unit of `capacity`. `capacity` holds one number for each link; a path is a list of link
/// numbers, and a link that it passes twice is filled twice as fast.
///
/// A path without links has no limit (infinity). A link that is not in `capacity` has none.
///
/// Takes O(L log L) for L links on all paths together: 1024 hosts with 16 subflows each take some 20 ms.
pub fn max_min<P: AsRef<[u32]>>(capacity: &[f64], paths: &[P]) -> Vec<f64> {
    let (start, users) = users(capacity.len(), paths);
    let mut left: Vec<f64> = capacity.iter().map(|&c| if c > 0.0 { c } else { 0.0 }).collect();
    let mut count: Vec<u32> = start.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let mut rates = vec![f64::INFINITY; paths.len()];
    // What a link could give each of its rising flows only ever goes up, so that an entry that has become too low is put back.
    let mut heap: BinaryHeap<Reverse<(Share, u32)>> = BinaryHeap::with_capacity(capacity.len());
    for (link, (&left, &count)) in left.iter().zip(&count).enumerate() {
        if count > 0 {
            heap.push(Reverse((Share(left / f64::from(count)), link as u32)));
        }
    }
    while let Some(Reverse((Share(share), link))) = heap.pop() {
        let l = link as usize;
        if count[l] == 0 {
            continue;
        }
        let now = (left[l] / f64::from(count[l])).max(share);
        if now > share {
            heap.push(Reverse((Share(now), link)));
            continue;
        }
        for &path in &users[start[l] as usize..start[l + 1] as usize] {
            let rate = &mut rates[path as usize];
            if rate.is_finite() {
                continue;
            }
            *rate = share;
            for &other in paths[path as usize].as_ref() {
                if let Some(left) = left.get_mut(other as usize) {
                    *left = (*left - share).max(0.0);
                    count[other as usize] -= 1;
                }
            }
        }
    }
    rates
}

/// For each link the paths over it: `users[start[l]..start[l + 1]]`.
fn users<P: AsRef<[u32]>>(links: usize, paths: &[P]) -> (Vec<u32>, Vec<u32>) {
    let mut start = vec![0u32; links + 1];
    let known = |path: &P| {
        path.as_ref().iter().map(|&link| link as usize).filter(|&link| link < links).collect::<Vec<_>>()
    };
    for path in paths {
        for link in known(path) {
            start[link + 1] += 1;
        }
    }
    for link in 0..links {
        start[link + 1] += start[link];
    }
    let mut next = start.clone();
    let mut users = vec![0u32; start[links] as usize];
    for (number, path) in paths.iter().enumerate() {
        for link in known(path) {
            users[next[link] as usize] = number as u32;
            next[link] += 1;
        }
    }
    (start, users)
}

/// A share of a link, ordered; never NaN.
#[derive(Clone, Copy, PartialEq)]
struct Share(f64);

impl Eq for Share {}

impl PartialOrd for Share {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Share {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Random};
    use proptest::prelude::*;

    #[test]
    fn the_text_book() {
        // Two links of 1 and 2; flow 0 over both, 1 over the first, 2 and 3 over the second.
        let paths: [&[u32]; 5] = [&[0, 1], &[0], &[1], &[1], &[]];
        let rates = max_min(&[1.0, 2.0], &paths);
        assert_eq!(rates, [0.5, 0.5, 0.75, 0.75, f64::INFINITY]);
    }

    #[test]
    fn a_link_passed_twice_counts_twice() {
        assert_eq!(max_min(&[1.0], &[[0, 0]]), [0.5]);
        assert_eq!(max_min(&[0.0], &[[0]]), [0.0]);
        assert_eq!(max_min(&[1.0], &[[7]]), [f64::INFINITY]);
    }

    proptest! {
        /// No link is over-full, and every flow has a full link on which nobody is faster.
        #[test]
        fn every_flow_has_a_bottleneck(seed in 0u64..200) {
            let mut random = Random::new(seed, Purpose::Workload);
            let capacity: Vec<f64> = (0..12).map(|_| 1.0 + random.unit() * 9.0).collect();
            let paths: Vec<Vec<u32>> = (0..30)
                .map(|_| {
                    let mut links: Vec<u32> = (0..12).collect();
                    random.shuffle(&mut links);
                    links.truncate(1 + random.below(4) as usize);
                    links
                })
                .collect();
            let rates = max_min(&capacity, &paths);
            let mut load = [0.0; 12];
            let mut fastest = [0.0f64; 12];
            for (path, &rate) in paths.iter().zip(&rates) {
                for &link in path {
                    load[link as usize] += rate;
                    fastest[link as usize] = fastest[link as usize].max(rate);
                }
            }
            for link in 0..12 {
                prop_assert!(load[link] <= capacity[link] + 1e-9);
            }
            for (path, &rate) in paths.iter().zip(&rates) {
                let holds = |link: usize| load[link] > capacity[link] - 1e-9 && rate > fastest[link] - 1e-9;
                prop_assert!(path.iter().any(|&link| holds(link as usize)), "{path:?}");
            }
        }
    }

    /// A k-ary fat-tree with links of 1: the path from one host to another by the core switch (`up`, `over`).
    fn fat_tree_path(k: u32, from: u32, to: u32, up: u32, over: u32) -> Vec<u32> {
        let half = k / 2;
        let hosts = k * half * half;
        let (edge_from, edge_to) = (from / half, to / half);
        let (pod_from, pod_to) = (edge_from / half, edge_to / half);
        // Numbers: host up, host down, edge up, edge down, aggregation up, aggregation down; each tier has as many links as hosts.
        let mut path = vec![from];
        if edge_from != edge_to {
            path.push(2 * hosts + edge_from * half + up);
            if pod_from != pod_to {
                path.push(4 * hosts + (pod_from * half + up) * half + over);
                path.push(5 * hosts + (pod_to * half + up) * half + over);
            }
            path.push(3 * hosts + edge_to * half + up);
        }
        path.push(hosts + to);
        path
    }

    /// Mean rate of a host, in percent of its link, of a random permutation with `n` subflows, for each seed.
    fn permutation(k: u32, n: u32, seeds: u64, polarised: bool) -> Vec<f64> {
        let half = u64::from(k / 2);
        let hosts = k * k * k / 4;
        let capacity = vec![1.0; 6 * hosts as usize];
        (0..seeds)
            .map(|seed| {
                let mut workload = Random::new(seed, Purpose::Workload);
                let mut hashing = Random::new(seed, Purpose::Hashing);
                let to = crate::workload::derangement(hosts, &mut workload);
                let mut paths = Vec::new();
                for from in 0..hosts {
                    for _ in 0..n {
                        // Both tiers take the hash modulo k/2: with the same hash, they choose alike.
                        let up = hashing.below(half) as u32;
                        let over = if polarised { up } else { hashing.below(half) as u32 };
                        paths.push(fat_tree_path(k, from, to[from as usize], up, over));
                    }
                }
                100.0 * max_min(&capacity, &paths).iter().sum::<f64>() / f64::from(hosts)
            })
            .collect()
    }

    fn mean(values: &[f64]) -> f64 {
        values.iter().sum::<f64>() / values.len() as f64
    }

    #[test]
    fn subflows_fill_a_fat_tree() {
        for (n, expected) in [(1, 47.7), (2, 63.2), (4, 77.7), (8, 88.6), (16, 94.7)] {
            let found = mean(&permutation(8, n, 20, false));
            assert!((found - expected).abs() < 1.0, "k = 8, n = {n}: {found}");
        }
        for (n, expected) in [(1, 42.5), (2, 58.7), (4, 73.5), (8, 85.0), (16, 92.3)] {
            let found = mean(&permutation(16, n, 2, false));
            assert!((found - expected).abs() < 1.0, "k = 16, n = {n}: {found}");
        }
    }

    #[test]
    fn the_same_hash_at_every_tier_polarises() {
        for (k, seeds, salted, unsalted) in [(8, 20, 47.9, 29.0), (16, 5, 43.2, 17.1)] {
            let found = (mean(&permutation(k, 1, seeds, false)), mean(&permutation(k, 1, seeds, true)));
            assert!((found.0 - salted).abs() < 1.2 && (found.1 - unsalted).abs() < 1.2, "k = {k}: {found:?}");
        }
    }
}
