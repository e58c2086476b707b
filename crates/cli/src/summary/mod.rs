//! The summary on the terminal: what a study prints first. The numbers come from
//! [`subflow_analysis::summary`]; here they become lines, a file a section. Sections without anything to tell are left
//! out.

mod addresses;
pub(crate) mod compare;
mod connections;
mod delays;
mod issues;
mod outcomes;
mod repeats;
pub(crate) mod scan;
mod sheet;
pub(crate) mod sim;
mod sizes;
mod subflows;
pub(crate) mod tracebox;
mod traffic;
pub(crate) mod verify;

use subflow_analysis::summary::Summary;

/// The summary as text, at most 100 columns wide.
pub(crate) fn render(summary: &Summary) -> String {
    let sections = [
        connections::render(summary),
        traffic::render(summary),
        traffic::render_services(summary),
        subflows::render(summary),
        subflows::render_states(summary),
        addresses::render(summary),
        delays::render(summary),
        sizes::render(summary),
        sizes::render_blocks(summary),
        repeats::render(summary),
        repeats::render_choice(summary),
        outcomes::render(summary),
        issues::render(&summary.issues),
    ];
    let told: Vec<_> = sections.into_iter().filter(|section| !section.is_empty()).collect();
    told.join("\n")
}

/// A share of a whole: `12.3 %`, nothing where the whole is nothing.
fn percent(part: u64, whole: u64) -> String {
    if whole == 0 { String::new() } else { share(part as f64 / whole as f64) }
}

/// A fraction as `12.3 %`.
fn share(fraction: f64) -> String {
    format!("{:.1} %", fraction * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use subflow_analysis::rows::{AnyRow, Issue, Sink};

    #[test]
    fn shares_of_nothing_are_not_told() {
        assert_eq!(percent(1, 0), "");
        assert_eq!(percent(1, 3), "33.3 %");
    }

    #[test]
    fn a_capture_without_tcp_has_a_short_summary() {
        assert_eq!(render(&Summary::default()), "No MPTCP connections, no TCP packets\n");
    }

    #[test]
    fn every_section_of_a_full_summary() {
        let mut summary = testing::full();
        summary.row(AnyRow::Issue(Issue {
            file: "a.pcap".to_owned(),
            offset: Some(123_456),
            reason: "file ends inside a packet record".to_owned(),
            count: 1,
            lost: true,
        }));
        let text = render(&summary);
        assert!(text.lines().all(|line| line.chars().count() <= 100 && !line.ends_with(' ')), "{text}");
        insta::assert_snapshot!(text);
    }
}

#[cfg(test)]
mod testing {
    //! A summary in which every section has something to tell.

    use std::collections::BTreeMap;
    use subflow_analysis::rows::{Close, Fallback, State};
    use subflow_analysis::summary::{
        Amount, Announced, ByFamily, Distribution, Repeats, ServiceUse, Summary,
    };

    fn amount(packets: u64, bytes: u64) -> Amount {
        Amount { packets, bytes }
    }

    fn numbers(numbers: &[f64]) -> Distribution {
        let mut distribution = Distribution::default();
        numbers.iter().for_each(|&number| distribution.add(number));
        distribution
    }

    pub(super) fn full() -> Summary {
        let service = |connections, mptcp, tcp| ServiceUse { connections, mptcp, tcp };
        let announced = |announcements, addresses: &[&str], joined| Announced {
            announcements,
            addresses: addresses.iter().filter_map(|addr| addr.parse().ok()).collect(),
            joined,
        };
        let mut summary = Summary::default();
        summary.tcp = ByFamily {
            total: amount(136_100_000, 143_881_404_416),
            ipv4: amount(128_500_000, 138_512_695_296),
            ipv6: amount(7_600_000, 5_368_709_120),
        };
        summary.mptcp = ByFamily {
            total: amount(29_400_000, 22_011_707_392),
            ipv4: amount(25_000_000, 19_864_223_744),
            ipv6: amount(4_400_000, 2_147_483_648),
        };
        summary.services = BTreeMap::from([
            (
                "http (80)",
                service(4573, amount(28_000_000, 21_000_000_000), amount(100_000_000, 90_000_000_000)),
            ),
            (
                "iperf (5001)",
                service(326, amount(1_400_000, 1_011_707_392), amount(1_400_000, 1_011_707_392)),
            ),
            ("ssh (22)", service(0, amount(0, 0), amount(34_700_000, 51_869_697_024))),
        ]);
        summary.connections = 5098;
        summary.established = 4899;
        summary.versions = BTreeMap::from([(Some(0), 4000), (Some(1), 890), (None, 9)]);
        summary.incomplete = 12;
        summary.unanswered = 100;
        summary.attempted = BTreeMap::from([(1, 2500), (2, 1400), (9, 999)]);
        summary.subflows = BTreeMap::from([(1, 2793), (2, 1323), (32, 783)]);
        summary.states =
            BTreeMap::from([(State::Established, 8701), (State::SynLost, 1200), (State::Refused, 7)]);
        summary.announcing = 3321;
        summary.most_announced = 14;
        summary.announced = BTreeMap::from([
            ("v4 private", announced(900, &["10.0.0.1", "10.0.0.2"], 0)),
            ("v6 global", announced(100, &["2001:4::1"], 70)),
        ]);
        summary.join_delay = numbers(&[0.05, 0.15, 0.5, 2.0, 4000.0]);
        summary.rtt_spread = numbers(&[0.000_25, 0.02, 0.3]);
        summary.reinjected = Repeats {
            connections: 1000,
            with_any: 250,
            bytes: 480_764,
            unique_bytes: 320_668_857,
            fraction: numbers(&[0.0, 0.0, 0.25]),
        };
        summary.retransmitted = Repeats {
            connections: 1000,
            with_any: 400,
            bytes: 1_800_000,
            unique_bytes: 320_668_857,
            fraction: numbers(&[0.0, 0.01, 0.5]),
        };
        summary.retransmitted_bytes = 2_000_000;
        summary.data_bytes = [20_000_000, 300_668_857];
        summary.reinjected_bytes = [764, 480_000];
        summary.handovers = 31;
        summary.with_handover = 17;
        summary.fallbacks = BTreeMap::from([(Fallback::None, 4899), (Fallback::SynAck, 199)]);
        summary.closes = BTreeMap::from([(Close::DataFin, 4000), (Close::Timeout, 899)]);
        summary.hosts = 7100;
        summary.clients = 7000;
        summary
    }
}
