//! Round-trip times against the delays that the paths were given.

use super::{Capture, Scenario, Vantage, scenarios};
use crate::support::findings::Findings;
use serde_json::Value;
use std::net::IpAddr;
use subflow_analysis::rows::{Opener, Subflow};
use subflow_testdata::folder;

/// What timers of the emulator, scheduling and delayed ACKs may add, seconds.
const SLACK: f64 = 0.020;
/// An end answers within this time at its own capture point, seconds.
const NEAR: f64 = 0.001;

/// A path: the client's addresses on it, both one-way delays together, and how long a full queue takes. Seconds.
struct Path {
    clients: Vec<IpAddr>,
    delay: f64,
    queue: f64,
}

/// The paths of a scenario as they were at its start; empty where the truth does not tell.
fn paths(scenario: &Scenario) -> Vec<Path> {
    let paths = scenario.truth["topology"]["paths"].as_array();
    paths.into_iter().flatten().map(path).collect()
}

fn path(truth: &Value) -> Path {
    let one_way = |way: &str| {
        let link = truth.get(way).or(truth.get("both")).expect("a direction");
        link["delay"].as_f64().expect("milliseconds") / 1e3
    };
    let clients = ["c4", "c6"].into_iter().filter_map(|member| truth[member].as_str());
    let queue = |link: &Value| {
        let (limit, rate) = (link["limit"].as_f64()?, link["rate"].as_f64()?);
        Some(limit * 8.0 / (rate * 1e6))
    };
    Path {
        clients: clients.map(|addr| addr.parse().expect("an address")).collect(),
        delay: one_way("ab") + one_way("ba"),
        queue: truth.get("both").and_then(queue).unwrap_or(0.0),
    }
}

#[test]
fn round_trips_are_those_of_the_paths() {
    let Some(root) = folder("truth") else { return };
    let mut findings = Findings::default();
    for scenario in scenarios(&root) {
        let paths = paths(&scenario);
        for capture in scenario.captures() {
            for row in capture.tables.subflows.iter().filter(|row| row.opener == Opener::Client) {
                if let Some(path) = paths.iter().find(|path| path.clients.contains(&row.src_addr)) {
                    subflow(&mut findings, &capture, row, path);
                }
            }
        }
    }
    findings.settle(3_000);
}

fn subflow(findings: &mut Findings, capture: &Capture<'_>, row: &Subflow, path: &Path) {
    let place = format!("{}: {}:{}", capture.name, row.src_addr, row.src_port);
    // Each end sees the whole path in what it sends itself, and its own answers at once.
    let c2s = (row.rtt_min_c2s, row.rtt_mean_c2s);
    let s2c = (row.rtt_min_s2c, row.rtt_mean_s2c);
    let (far, near, handshake) = match capture.vantage {
        Vantage::Client => (c2s, s2c, (path.delay, path.delay + path.queue)),
        Vantage::Server => (s2c, c2s, (0.0, 0.0)),
        Vantage::Between => return,
    };
    let mut within = |what: &str, seen: Option<f64>, least: f64, most: f64| {
        if let Some(seen) = seen {
            let holds = (least..=most + SLACK).contains(&seen);
            findings.holds(&place, holds, || format!("{what} {seen} is not within {least} and {most}"));
        }
    };
    // Once the delay of its path grew in mid-transfer.
    let grown = if capture.scenario.name == "32_rtt_steps" { 0.280 } else { 0.0 };
    within("handshake", row.rtt_handshake, handshake.0, handshake.1);
    within("smallest round trip", far.0, path.delay, path.delay + path.queue);
    within("mean round trip", far.1, path.delay, path.delay + path.queue + grown);
    within("smallest answer", near.0, 0.0, NEAR - SLACK);
}

#[test]
fn growing_delays_show() {
    let Some(root) = folder("truth") else { return };
    let scenario = super::scenario(root.join("32_rtt_steps"));
    for capture in scenario.captures().filter(|capture| capture.vantage == Vantage::Server) {
        // Path 1 grew from 20 to 300 ms in steps, path 2 stayed at 80 ms.
        let rows: Vec<_> = capture.tables.subflows.iter().collect();
        let (min, max) = (rows[0].rtt_min_s2c.unwrap(), rows[0].rtt_max_s2c.unwrap());
        assert!((0.020..0.030).contains(&min) && (0.300..0.330).contains(&max), "{min} to {max}");
        assert!((0.080..0.100).contains(&rows[1].rtt_mean_s2c.unwrap()));
        let spread = capture.tables.connections[0].rtt_spread.unwrap();
        let means = rows[0].rtt_mean_s2c.unwrap() - rows[1].rtt_mean_s2c.unwrap();
        assert!((spread - means.abs()).abs() < 1e-9, "{spread} between {means}");
    }
}
