//! What a comparison of downloads says, in sentences.

use super::run::Outcome;
use super::summary::{Compared, Median, Summary};
use crate::check::words::without_packets;

/// Sentences for a summary: what was compared, what became of Multipath TCP, and each quantity.
pub fn sentences(summary: &Summary) -> Vec<String> {
    let mut lines = Vec::new();
    for ((all, ended), name) in [(summary.tcp, "TCP"), (summary.mptcp, "Multipath TCP")] {
        if ended < all {
            lines.push(format!("{} of {all} downloads over {name} failed.", all - ended));
        }
    }
    lines.extend(negotiation(summary));
    let times = [
        (&summary.connect, "to connect"),
        (&summary.tls, "to agree upon TLS"),
        (&summary.first_byte, "to the first byte"),
        (&summary.complete, "to the last byte"),
    ];
    for (quantity, what) in times {
        if let Some(compared) = quantity {
            lines.push(time(compared, what));
        }
    }
    if let Some(compared) = &summary.throughput {
        lines.push(throughput(compared));
    }
    lines
}

/// What is worth knowing of a comparison as a whole: redirects, from where the downloads came, why packets were not watched, that it was
/// stopped.
pub fn remarks(outcome: &Outcome) -> Vec<String> {
    let mut lines: Vec<String> = outcome
        .redirects
        .iter()
        .map(|(from, status, to)| format!("{from} leads to {to} ({status})."))
        .collect();
    let pairs = outcome.fetches.len().div_ceil(2);
    let times = if pairs == 1 { "once".to_owned() } else { format!("{pairs} times") };
    lines.push(format!(
        "{} from {}, {times} over each protocol, in alternation.",
        outcome.url,
        outcome.server.ip()
    ));
    lines.extend(outcome.without_packets.as_ref().map(without_packets));
    if outcome.stopped {
        lines.push("Stopped before the end.".to_owned());
    }
    lines
}

fn negotiation(summary: &Summary) -> Vec<String> {
    let Summary { kept, fell_back, refused, dropped, not_sent, .. } = *summary;
    let of = |count: usize| {
        let all = kept + fell_back + refused + dropped + not_sent;
        if count == all {
            "all connections that asked for it".to_owned()
        } else {
            format!("{count} of {all} connections")
        }
    };
    let mut lines = Vec::new();
    if kept > 0 {
        let subflows = match summary.most_subflows {
            Some(most) if most > 1 => format!(", with up to {most} subflows"),
            _ => String::new(),
        };
        lines.push(format!("Multipath TCP was in use to the end in {}{subflows}.", of(kept)));
    }
    if fell_back > 0 {
        lines.push(format!(
            "The handshake kept the option, and {} fell back to plain TCP later: a box, most likely.",
            of(fell_back)
        ));
    }
    if refused > 0 {
        lines.push(format!(
            "The answer to the SYN came without the option in {}: the server does not speak Multipath TCP, or a box removes the option. Both sides of \
             the comparison were plain TCP there.",
            of(refused)
        ));
    }
    if dropped > 0 {
        lines.push(format!(
            "SYNs with the option were not answered in {}, and those without it were: a box drops them, and the wait for that is part of the times.",
            of(dropped)
        ));
    }
    if not_sent > 0 {
        lines.push(format!("This system left the option out in {}.", of(not_sent)));
    }
    lines
}

/// "Multipath TCP took 12 ms (5 %) longer to the first byte, …".
fn time(compared: &Compared, what: &str) -> String {
    let medians = format!(
        "median {} over TCP, {} over Multipath TCP",
        seconds(compared.tcp.value),
        seconds(compared.mptcp.value)
    );
    let Some(difference) = &compared.difference else {
        return format!("Time {what}: {medians}; no pair of downloads is complete.");
    };
    let share = share(difference.value, compared.tcp.value);
    let way = if difference.value < 0.0 { "less" } else { "longer" };
    let taken = if difference.value == 0.0 {
        format!("Multipath TCP took as long {what} as TCP")
    } else {
        format!("Multipath TCP took {}{share} {way} {what}", seconds(difference.value.abs()))
    };
    format!("{taken}, {}: {}. ({medians}.)", interval(difference, seconds), judged(difference))
}

fn throughput(compared: &Compared) -> String {
    let medians = format!(
        "median {} over TCP, {} over Multipath TCP",
        rate(compared.tcp.value),
        rate(compared.mptcp.value)
    );
    let Some(difference) = &compared.difference else {
        return format!("Throughput: {medians}; no pair of downloads is complete.");
    };
    let share = share(difference.value, compared.tcp.value);
    let way = if difference.value < 0.0 { "slower" } else { "faster" };
    let taken = if difference.value == 0.0 {
        "Multipath TCP was as fast as TCP".to_owned()
    } else {
        format!("Multipath TCP was {}{share} {way}", rate(difference.value.abs()))
    };
    format!("{taken}, {}: {}. ({medians}.)", interval(difference, rate), judged(difference))
}

/// The difference as a share of what TCP took.
fn share(difference: f64, of: f64) -> String {
    if of > 0.0 { format!(" ({})", percent(100.0 * difference.abs() / of)) } else { String::new() }
}

fn percent(value: f64) -> String {
    if value < 9.95 { format!("{value:.1} %") } else { format!("{value:.0} %") }
}

fn interval(difference: &Median, unit: fn(f64) -> String) -> String {
    match difference.interval {
        Some((low, high)) => format!("95 % interval {} to {}", unit(low), unit(high)),
        None => "no interval".to_owned(),
    }
}

fn judged(difference: &Median) -> String {
    match difference.may_be_zero() {
        None => format!("{} pairs are too few to judge, six would do", difference.count),
        Some(true) => "no difference that this many tries can show".to_owned(),
        Some(false) => "a difference that chance does not explain".to_owned(),
    }
}

/// Seconds in the unit that suits them.
fn seconds(value: f64) -> String {
    let size = value.abs();
    if size >= 9.995 {
        format!("{value:.1} s")
    } else if size >= 0.9995 {
        format!("{value:.2} s")
    } else if size >= 0.00995 {
        format!("{:.0} ms", value * 1e3)
    } else if size >= 0.000_995 {
        format!("{:.1} ms", value * 1e3)
    } else {
        format!("{:.0} µs", value * 1e6)
    }
}

/// Bits a second in the unit that suits them.
fn rate(value: f64) -> String {
    let size = value.abs();
    if size >= 999.5e6 {
        format!("{:.2} Gbit/s", value / 1e9)
    } else if size >= 999.5e3 {
        format!("{:.1} Mbit/s", value / 1e6)
    } else {
        format!("{:.0} kbit/s", value / 1e3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::fetch::summary::tests::row;
    use crate::rows::{FetchOutcome, Negotiated};

    #[test]
    fn a_difference_that_shows_and_one_that_does_not() {
        let rows = |differences: &[f64]| {
            let mut rows = Vec::new();
            for (pair, difference) in differences.iter().enumerate() {
                rows.push(row(pair as u32, false, 0.24));
                rows.push(row(pair as u32, true, 0.24 + difference));
            }
            sentences(&Summary::of(&rows))
        };
        let lines = rows(&[0.012; 7]);
        assert_eq!(lines[0], "Multipath TCP was in use to the end in all connections that asked for it.");
        assert_eq!(
            lines[2],
            "Multipath TCP took 12 ms (5.0 %) longer to the first byte, 95 % interval 12 ms to 12 ms: a difference that chance does not explain. \
             (median 240 ms over TCP, 252 ms over Multipath TCP.)"
        );
        let lines = rows(&[0.012, -0.02, 0.03, -0.01, 0.001, -0.03, 0.02]);
        assert!(lines[2].contains("no difference that this many tries can show"), "{}", lines[2]);
        let lines = rows(&[-0.1, -0.1]);
        assert!(lines[2].starts_with(
            "Multipath TCP took 100 ms (42 %) less to the first byte, no interval: 2 pairs are too few"
        ));
        assert!(lines[4].starts_with("Multipath TCP was 24 kbit/s (71 %) faster"), "{}", lines[4]);
    }

    #[test]
    fn what_became_of_the_option_is_said() {
        let mut rows = vec![row(0, false, 0.1), row(0, true, 0.1), row(1, false, 0.1), row(1, true, 0.1)];
        rows[1].negotiated = Some(Negotiated::Refused);
        rows[3].negotiated = Some(Negotiated::FellBack);
        rows[2].outcome = FetchOutcome::TimedOut;
        let lines = sentences(&Summary::of(&rows));
        assert_eq!(lines[0], "1 of 2 downloads over TCP failed.");
        assert!(lines[1].contains("1 of 2 connections fell back"), "{}", lines[1]);
        assert!(lines[2].starts_with("The answer to the SYN came without the option in 1 of 2 connections"));
        assert!(sentences(&Summary::default()).is_empty());
    }

    #[test]
    fn units_suit_their_numbers() {
        let texts = [12.34, 1.234, 0.123, 0.00456, 0.000_007, -0.012].map(seconds);
        assert_eq!(texts, ["12.3 s", "1.23 s", "123 ms", "4.6 ms", "7 µs", "-12 ms"]);
        assert_eq!([2.5e9, 12.34e6, 7e3].map(rate), ["2.50 Gbit/s", "12.3 Mbit/s", "7 kbit/s"]);
    }
}
