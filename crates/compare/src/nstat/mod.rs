//! A capture against the MPTCP counters of the kernel on one of its ends.

mod expected;
mod parse;

pub use parse::{Counters, Host, ParseError, parse};

use crate::rows::{Counter, Verdict};
use expected::Expected;
use subflow_analysis::rows::Tables;

/// Rows for every MPTCP counter that is not zero, or should not be. `far` says that the capture was taken at the other end:
/// what the path lost or changed is then no contradiction.
pub fn counters(tables: &Tables, counted: &Counters, host: Host, far: bool) -> Vec<Counter> {
    let mut rows: Vec<Counter> = expected::COUNTERS
        .iter()
        .filter_map(|rule| {
            let actual = counted.get(rule.name);
            let expected = (rule.of)(tables, host);
            row(rule.name, host, actual, expected, rule.heard, far)
        })
        .collect();
    for (name, actual) in counted.iter() {
        if !expected::COUNTERS.iter().any(|rule| rule.name == name) && actual > 0 {
            rows.push(Counter {
                counter: name.to_owned(),
                host: host.as_str(),
                expected: None,
                actual,
                difference: None,
                verdict: Verdict::Invisible,
                reason: Some("counted inside the kernel; no packet shows it".to_owned()),
            });
        }
    }
    rows
}

/// The end whose counters these are: the one that sent MP_CAPABLE, or received it; nothing when both did, or neither.
pub fn guess(counted: &Counters) -> Option<Host> {
    let asked = counted.get("MPTcpExtMPCapableSYNTX") > 0;
    let was_asked = counted.get("MPTcpExtMPCapableSYNRX") > 0;
    match (asked, was_asked) {
        (true, false) => Some(Host::Client),
        (false, true) => Some(Host::Server),
        _ => None,
    }
}

/// Whether a capture was taken nearer to the other end than to this one, told by the round-trip times of the two parts of
/// the path; false when it cannot be told.
pub fn is_far(tables: &Tables, host: Host) -> bool {
    let mean = |column: fn(&subflow_analysis::rows::Subflow) -> Option<f64>| {
        tables.subflows.iter().filter_map(column).reduce(f64::min)
    };
    match (mean(|row| row.rtt_min_s2c), mean(|row| row.rtt_min_c2s)) {
        (Some(to_client), Some(to_server)) => match host {
            Host::Client => to_client > 2.0 * to_server,
            Host::Server => to_server > 2.0 * to_client,
        },
        _ => false,
    }
}

fn row(
    name: &str,
    host: Host,
    actual: u64,
    expected: Expected,
    heard: Option<bool>,
    far: bool,
) -> Option<Counter> {
    let (expected, verdict, reason) = match expected {
        Expected::Invisible(why) => (None, Verdict::Invisible, Some(why)),
        Expected::Count(expected) if expected == actual => (Some(expected), Verdict::Equal, None),
        Expected::Count(expected) => {
            // At the far end, what this host heard is less than what was sent, what it sent more than what arrived.
            let lost = match heard {
                Some(true) => expected > actual,
                Some(false) => actual > expected,
                None => false,
            };
            let reason = (far && lost).then(|| {
                "the capture was taken at the other end; the rest was lost or changed on the path".to_owned()
            });
            (Some(expected), reason.as_ref().map_or(Verdict::Unexplained, |_| Verdict::Explained), reason)
        }
        Expected::Between(low, high, why) if (low..=high).contains(&actual) => {
            let equal = actual == low;
            let verdict = if equal { Verdict::Equal } else { Verdict::Explained };
            (Some(low), verdict, (!equal).then_some(why))
        }
        Expected::Between(low, _, why) => {
            let lost = far && heard.is_some_and(|heard| heard == (low > actual));
            let reason = lost.then(|| {
                format!("the capture was taken at the other end, and the path lost or changed some ({why})")
            });
            (Some(low), reason.as_ref().map_or(Verdict::Unexplained, |_| Verdict::Explained), reason)
        }
    };
    if actual == 0 && expected.unwrap_or_default() == 0 && verdict != Verdict::Unexplained {
        return None;
    }
    Some(Counter {
        counter: name.to_owned(),
        host: host.as_str(),
        expected,
        actual,
        difference: expected.map(|expected| actual.cast_signed() - expected.cast_signed()),
        verdict,
        reason,
    })
}
