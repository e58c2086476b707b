//! What was simulated, in words.

use super::data::Data;
use super::words::{list, number, rate, whole, whole_share};
use crate::page::{Cell, Column, Section, Table};
use crate::text::{bytes, counted, grouped, seconds};
use subflow_sim::scenario::{Balance, BalanceKind, Scenario, Scheme, Topology, Workload};

/// What was simulated, as far as the tables do not say it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// Name of the scenario.
    pub name: String,
    /// What it shows, in a sentence or two; may be empty.
    pub description: String,
    /// What it is made of: what, and how it is set.
    pub settings: Vec<(String, String)>,
    /// Schemes: name, load balancing, transport.
    pub schemes: Vec<[String; 3]>,
}

impl About {
    /// A name and a description alone, for tables without their scenario.
    pub fn new(name: &str, description: &str) -> Self {
        Self { name: name.to_owned(), description: description.to_owned(), ..Self::default() }
    }
}

impl From<&Scenario> for About {
    fn from(scenario: &Scenario) -> Self {
        let mut settings = vec![("network".to_owned(), network(&scenario.topology))];
        let mut set = |what: &str, words: String| settings.push((what.to_owned(), words));
        set("workload", workload(&scenario.workload));
        if !scenario.loads.is_empty() {
            let loads: Vec<String> = scenario.loads.iter().copied().map(whole_share).collect();
            set("loads", list(&loads));
        }
        let seeds: Vec<String> = scenario.seeds.iter().map(u64::to_string).collect();
        set("seeds", if seeds.len() > 12 { grouped(seeds.len() as u64) } else { list(&seeds) });
        set("simulated time", {
            let ends =
                if scenario.stop_when_complete { " at most, or until all flows are complete" } else { "" };
            format!("{}{ends}", seconds(scenario.duration.as_secs_f64()))
        });
        if scenario.warm_up.0 > 0 {
            set("warm-up", format!("throughput counts from {} on", seconds(scenario.warm_up.as_secs_f64())));
        }
        if let Some(sample) = scenario.sample {
            set("samples of links and queues", format!("every {}", seconds(sample.as_secs_f64())));
        }
        for failure in &scenario.failures {
            let repair = failure.repair.map_or_else(
                || "for good".to_owned(),
                |repair| format!("until {}", seconds(repair.as_secs_f64())),
            );
            let name = scenario
                .topology
                .graph()
                .map_or_else(|_| "a link".to_owned(), |graph| graph.link_name(failure.links[0]));
            let name = name.replace(" -> ", " – ");
            set("failure", format!("{name} from {} {repair}", seconds(failure.at.as_secs_f64())));
        }
        if !scenario.failures.is_empty() {
            set("detection of failures", format!("after {}", seconds(scenario.detection.as_secs_f64())));
        }
        Self {
            name: scenario.name.clone(),
            description: scenario.description.clone(),
            settings,
            schemes: scenario.schemes.iter().map(scheme).collect(),
        }
    }
}

fn network(topology: &Topology) -> String {
    let link = |link: &subflow_sim::net::LinkSettings| {
        let mut words = format!(
            "{}, {} a hop, {} of buffer",
            rate(link.rate.bps() as f64).replace(".00 ", " ").replace(".0 ", " "),
            seconds(link.delay.as_secs_f64()),
            bytes(link.buffer)
        );
        if let Some(mark) = link.mark {
            words.push_str(&format!(", ECN marks above {}", bytes(mark)));
        }
        if link.loss > 0.0 {
            words.push_str(&format!(", {} % random loss", number(link.loss * 100.0)));
        }
        words
    };
    match topology {
        Topology::FatTree(it) => {
            let half = it.k / 2;
            let ratio = f64::from(it.hosts) / f64::from(half.max(1));
            let bisection = if it.hosts > half {
                format!("oversubscribed {}:1", whole(ratio))
            } else {
                "full bisection".to_owned()
            };
            let hosts = counted(u64::from(it.k * half * it.hosts), "host");
            format!("fat-tree, k = {}, {hosts}, {bisection}; {}", it.k, link(&it.fabric))
        }
        Topology::LeafSpine(it) => format!(
            "leaf-spine, {} leaves with {} each, {}; {}",
            it.leaves,
            counted(u64::from(it.hosts), "host"),
            counted(u64::from(it.spines), "spine"),
            link(&it.fabric)
        ),
        Topology::Dumbbell(it) => {
            format!(
                "dumbbell, {} of hosts; bottleneck {}",
                counted(u64::from(it.pairs), "pair"),
                link(&it.forward)
            )
        }
        Topology::TwoPath(it) => {
            let [(first, _), (second, _)] = &it.paths;
            format!("two paths: {}; and {}", link(first), link(second))
        }
        Topology::Phone(it) => {
            format!("phone with WiFi ({}) and cellular ({})", link(&it.wifi.0), link(&it.cellular.0))
        }
        Topology::Custom(it) => format!(
            "{}, {}, {} between switches",
            counted(it.hosts.len() as u64, "host"),
            counted(it.switches.len() as u64, "switch"),
            counted(it.links.len() as u64, "cable")
        ),
    }
}

fn workload(workload: &Workload) -> String {
    let size = |size: u64| {
        if size == u64::MAX { "without end".to_owned() } else { format!("of {}", bytes(size)) }
    };
    match workload {
        Workload::Permutation { bytes, .. } => {
            format!("permutation: every host sends to one other, flows {}", size(*bytes))
        }
        Workload::AllToAll { bytes, .. } => {
            format!("all to all: every host sends to every other, flows {}", size(*bytes))
        }
        Workload::Incast { senders, bytes, .. } => {
            format!("incast: {senders} hosts send to one at the same time, flows {}", size(*bytes))
        }
        Workload::PartitionAggregate(it) => format!(
            "partition-aggregate: {} queries a second, each of {} hosts, answers of {}",
            whole(it.queries_per_second),
            it.fanout,
            bytes(it.response)
        ),
        Workload::Poisson { sizes, arrive, .. } => format!(
            "Poisson arrivals for {}, flows of {} on average",
            seconds(arrive.as_secs_f64()),
            bytes(sizes.mean() as u64)
        ),
        Workload::Flows(flows) => counted(flows.len() as u64, "listed flow"),
    }
}

fn scheme(scheme: &Scheme) -> [String; 3] {
    let transport = &scheme.transport;
    let mut words = transport.algorithm.as_str().to_owned();
    match &transport.multipath {
        Some(multipath) => {
            words.push_str(&format!(", MPTCP, {}", counted(u64::from(multipath.subflows), "subflow")));
        }
        None => words.push_str(", TCP"),
    }
    words.push_str(&format!(", RTO from {}", seconds(transport.sender.rto.min.as_secs_f64())));
    if transport.ecn {
        words.push_str(", ECN");
    }
    if scheme.handshake {
        words.push_str(", with handshakes");
    }
    [scheme.name.clone(), balance(&scheme.balance), words]
}

fn balance(balance: &Balance) -> String {
    let salt = match (&balance.kind, balance.salted) {
        (BalanceKind::Hash(_), false) => ", the same hash everywhere",
        _ => "",
    };
    let ttl =
        if matches!(balance.kind, BalanceKind::Hash(_)) && balance.ttl { ", TTL in the hash" } else { "" };
    format!("{}{salt}{ttl}", balance.name())
}

pub(super) fn section(about: &About, data: &Data<'_>) -> Section {
    let mut section = Section::new("about", "What was simulated");
    if !about.description.trim().is_empty() {
        section = section.text(about.description.trim());
    }
    if !about.settings.is_empty() {
        let mut table =
            Table::new("settings", "Scenario", [Column::text("what"), Column::text("as it was set")]);
        for (what, words) in &about.settings {
            table.push([Cell::text(what), Cell::text(words)]);
        }
        section = section.table(table);
    }
    if about.schemes.is_empty() {
        let schemes: Vec<String> = data.schemes.iter().map(|scheme| (*scheme).to_owned()).collect();
        return if schemes.is_empty() {
            section
        } else {
            section.text(format!("Schemes: {}.", list(&schemes)))
        };
    }
    let columns = ["scheme", "load balancing", "transport"].map(Column::text);
    let mut table = Table::new("schemes", "Schemes", columns);
    for scheme in &about.schemes {
        table.push(scheme.iter().map(Cell::text));
    }
    section.table(table)
}

#[cfg(test)]
mod tests {
    use super::*;
    use subflow_sim::scenario::builtin;

    fn about(name: &str) -> About {
        About::from(&builtin(name).expect("a scenario").scenario().expect("a right one"))
    }

    #[test]
    fn scenarios_are_told_in_words() {
        let about = about("oversubscribed");
        let told = |what: &str| {
            about.settings.iter().find(|(name, _)| name == what).map(|(_, words)| words.as_str())
        };
        assert_eq!(
            told("network"),
            Some(
                "fat-tree, k = 8, 512 hosts, oversubscribed 4:1; 10 Gbit/s, 1 µs a hop, 600 kB of buffer, ECN marks above 97.5 kB"
            )
        );
        assert_eq!(told("loads"), Some("20 %, 40 % and 60 %"));
        assert_eq!(about.schemes[1][..2], ["flowbender", "flowbender"]);
        assert_eq!(about.schemes[0][2], "dctcp, TCP, RTO from 10 ms, ECN");
    }

    #[test]
    fn failures_are_named() {
        let about = about("link-failure");
        assert!(
            about
                .settings
                .contains(&("failure".to_owned(), "agg0.0 – core0 from 30 ms until 90 ms".to_owned()))
        );
        assert!(about.schemes[2][2].starts_with("lia, MPTCP, 4 subflows"));
    }

    #[test]
    fn all_that_come_with_the_program_are_told() {
        for builtin in subflow_sim::scenario::BUILTINS {
            let about = about(builtin.name);
            assert!(
                about.settings.iter().all(|(_, words)| !words.is_empty() && !words.contains("NaN")),
                "{about:?}"
            );
        }
    }
}
