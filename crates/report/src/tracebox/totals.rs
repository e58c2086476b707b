//! What many paths come to: categories and behaviours, by network and by box.

use super::lookups::Network;
use std::collections::BTreeMap;
use std::net::IpAddr;
use subflow_probe::rows::{Behaviour, Category, Confidence, Traced};

/// Networks and boxes that are counted apart; those that come later are counted as others.
pub const MOST_PLACES: usize = 65_536;

/// How many targets came to what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Targets.
    pub targets: u64,
    /// By what was known of them before, behaviour and category. Without knowledge the first is empty.
    pub ways: BTreeMap<(String, Option<Behaviour>, Category), u64>,
    /// By how sure the verdict is.
    pub confidence: BTreeMap<Confidence, u64>,
    /// By network.
    pub networks: BTreeMap<Network, Counts>,
    /// Targets in networks that are not counted apart.
    pub other_networks: u64,
    /// By the hops that a box stands between, and what it does.
    pub boxes: BTreeMap<Place, u64>,
    /// Targets behind boxes that are not counted apart.
    pub other_boxes: u64,
    /// Probes sent.
    pub probes: u64,
    /// Verified answers.
    pub answers: u64,
    /// What seemed to be an answer and was none.
    pub rejected: u64,
}

/// Where a box stands, and what it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// The last hop before it; none for the sender, or when it stayed silent.
    pub after: Option<IpAddr>,
    /// The first hop behind it.
    pub before: Option<IpAddr>,
    /// What it does.
    pub behaviour: Option<Behaviour>,
}

/// Targets by category and behaviour.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts(pub BTreeMap<(Category, Option<Behaviour>), u64>);

impl Counts {
    /// All.
    pub fn targets(&self) -> u64 {
        self.0.values().sum()
    }

    /// Those of a category.
    pub fn of(&self, category: Category) -> u64 {
        self.0.iter().filter(|((of, _), _)| *of == category).map(|(_, count)| count).sum()
    }

    /// Behaviours of affected targets, the most frequent first.
    pub fn behaviours(&self) -> Vec<(Option<Behaviour>, u64)> {
        let affected = self.0.iter().filter(|((category, _), _)| *category == Category::MiddleboxAffected);
        let mut list: Vec<_> = affected.map(|((_, behaviour), count)| (*behaviour, *count)).collect();
        list.sort_by_key(|&(behaviour, count)| (std::cmp::Reverse(count), behaviour));
        list
    }
}

impl Totals {
    /// Counts a target; `before` is what a scan or verification said of it, if anything.
    pub fn add(&mut self, row: &Traced, before: &str) {
        self.targets += 1;
        self.probes += u64::from(row.probes);
        self.answers += u64::from(row.answers);
        self.rejected += u64::from(row.rejected);
        *self.ways.entry((before.to_owned(), row.behaviour, row.category)).or_default() += 1;
        *self.confidence.entry(row.confidence).or_default() += 1;
        let network = Network::of(row.addr);
        if self.networks.len() < MOST_PLACES || self.networks.contains_key(&network) {
            *self.networks.entry(network).or_default().0.entry((row.category, row.behaviour)).or_default() +=
                1;
        } else {
            self.other_networks += 1;
        }
        if row.category == Category::MiddleboxAffected
            && (row.after_addr.is_some() || row.before_addr.is_some())
        {
            // A box that answers as the target has no address of its own.
            let before = row.before_addr.filter(|addr| *addr != row.addr);
            let place = Place { after: row.after_addr, before, behaviour: row.behaviour };
            if self.boxes.len() < MOST_PLACES || self.boxes.contains_key(&place) {
                *self.boxes.entry(place).or_default() += 1;
            } else {
                self.other_boxes += 1;
            }
        }
    }

    /// Targets of a category.
    pub fn of(&self, category: Category) -> u64 {
        self.ways.iter().filter(|((.., of), _)| *of == category).map(|(_, count)| count).sum()
    }

    /// Targets by category and behaviour.
    pub fn behaviours(&self) -> BTreeMap<(Category, Option<Behaviour>), u64> {
        let mut counts = BTreeMap::new();
        for ((_, behaviour, category), count) in &self.ways {
            *counts.entry((*category, *behaviour)).or_default() += count;
        }
        counts
    }

    /// Whether anything was known of the targets before.
    pub fn is_known_before(&self) -> bool {
        self.ways.keys().any(|(before, ..)| !before.is_empty())
    }

    /// The places of boxes, those with the most targets behind them first.
    pub fn places(&self) -> Vec<(Place, u64)> {
        let mut list: Vec<_> = self.boxes.iter().map(|(place, count)| (*place, *count)).collect();
        list.sort_by_key(|&(place, count)| (std::cmp::Reverse(count), place));
        list
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{stripped, traced};
    use super::*;

    #[test]
    fn everything_is_counted_once() {
        let mut totals = Totals::default();
        let affected = stripped().target;
        totals.add(&affected, "supports_v1");
        totals.add(&affected, "supports_v1");
        totals.add(&traced(Category::True, Some(Behaviour::PassThrough)), "supports_v1");
        totals.add(&traced(Category::Unresponsive, None), "filtered");
        assert_eq!(
            (totals.targets, totals.of(Category::MiddleboxAffected), totals.of(Category::Plain)),
            (4, 2, 0)
        );
        assert_eq!(totals.ways.values().sum::<u64>(), 4);
        assert_eq!(totals.networks.len(), 1);
        let network = totals.networks.values().next().expect("one");
        assert_eq!((network.targets(), network.of(Category::True)), (4, 1));
        assert_eq!(network.behaviours(), [(Some(Behaviour::Strip), 2)]);
        let places = totals.places();
        assert_eq!(places.len(), 1);
        assert_eq!((places[0].0.after, places[0].1), (affected.after_addr, 2));
        assert!(totals.is_known_before());
        assert_eq!(totals.behaviours()[&(Category::MiddleboxAffected, Some(Behaviour::Strip))], 2);
    }
}
