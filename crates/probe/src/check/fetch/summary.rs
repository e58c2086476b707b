//! What many downloads say together: medians, and how sure they are.
//!
//! Nothing is assumed of how the times are distributed. The interval of a median goes from one order statistic to another, such that the
//! true median lies between them with at least 95 % probability (the sign test turned round); it is exact, and needs six values.

use crate::rows::{Fetch, FetchOutcome, Negotiated};

/// Probability with which an interval is to hold the true median.
pub const CONFIDENCE: f64 = 0.95;

/// The median of some values with its interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Median {
    /// Values.
    pub count: usize,
    /// The median.
    pub value: f64,
    /// Between these two the true median lies with at least [`CONFIDENCE`]; `None` for fewer than six values.
    pub interval: Option<(f64, f64)>,
}

impl Median {
    /// Of some values; `None` when there are none.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut sorted: Vec<f64> = values.into_iter().filter(|value| value.is_finite()).collect();
        sorted.sort_by(f64::total_cmp);
        let count = sorted.len();
        let (low, high) = (sorted.get(count.checked_sub(1)? / 2)?, sorted.get(count / 2)?);
        let interval =
            rank(count).and_then(|rank| Some((*sorted.get(rank)?, *sorted.get(count - 1 - rank)?)));
        Some(Self { count, value: (low + high) / 2.0, interval })
    }

    /// Whether the interval holds zero; `None` without one.
    pub fn may_be_zero(&self) -> Option<bool> {
        self.interval.map(|(low, high)| low <= 0.0 && high >= 0.0)
    }
}

/// How many of the least and of the greatest values lie outside the interval: the most for which the binomial distribution of the number of
/// values below the median leaves at least [`CONFIDENCE`] inside.
fn rank(count: usize) -> Option<usize> {
    let most_outside = (1.0 - CONFIDENCE) / 2.0;
    // The probability of none, then of one, two … values below the median, and their sum.
    let mut term = 0.5_f64.powi(i32::try_from(count).ok()?);
    let mut sum = 0.0;
    let mut found = None;
    for below in 0..count {
        sum += term;
        if sum > most_outside {
            break;
        }
        found = Some(below);
        term *= (count - below) as f64 / (below + 1) as f64;
    }
    found
}

/// One quantity by both protocols.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Compared {
    /// Over plain TCP.
    pub tcp: Median,
    /// Over Multipath TCP.
    pub mptcp: Median,
    /// Multipath TCP less TCP, pair by pair; `None` when no pair is complete.
    pub difference: Option<Median>,
}

/// What all downloads say together.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Summary {
    /// Downloads over plain TCP, and those that came to an end.
    pub tcp: (usize, usize),
    /// Downloads over Multipath TCP, and those that came to an end.
    pub mptcp: (usize, usize),
    /// Connections in which Multipath TCP was agreed upon and kept.
    pub kept: usize,
    /// Connections that fell back after the handshake.
    pub fell_back: usize,
    /// Connections whose SYN/ACK did not have the option.
    pub refused: usize,
    /// Connections that were only made without the option.
    pub dropped: usize,
    /// Connections for which this system did not ask.
    pub not_sent: usize,
    /// Most subflows of one connection.
    pub most_subflows: Option<u32>,
    /// Seconds to connect.
    pub connect: Option<Compared>,
    /// Seconds of the TLS handshake.
    pub tls: Option<Compared>,
    /// Seconds to the first byte.
    pub first_byte: Option<Compared>,
    /// Seconds to the last byte.
    pub complete: Option<Compared>,
    /// Bits a second between them.
    pub throughput: Option<Compared>,
}

impl Summary {
    /// From the rows of one run.
    pub fn of(rows: &[Fetch]) -> Self {
        let over = |mptcp: bool| {
            let all = rows.iter().filter(|row| row.mptcp == mptcp);
            (all.clone().count(), all.filter(|row| ended(row)).count())
        };
        let were = |wanted: Negotiated| rows.iter().filter(|row| row.negotiated == Some(wanted)).count();
        Self {
            tcp: over(false),
            mptcp: over(true),
            kept: were(Negotiated::Kept),
            fell_back: were(Negotiated::FellBack),
            refused: were(Negotiated::Refused),
            dropped: were(Negotiated::Dropped),
            not_sent: were(Negotiated::NotSent),
            most_subflows: rows.iter().filter_map(|row| row.subflows).max(),
            connect: compared(rows, |row| row.connect),
            tls: compared(rows, |row| row.tls),
            first_byte: compared(rows, |row| row.first_byte),
            complete: compared(rows, |row| row.complete),
            throughput: compared(rows, |row| row.throughput),
        }
    }
}

fn ended(row: &Fetch) -> bool {
    matches!(row.outcome, FetchOutcome::Complete | FetchOutcome::Enough)
}

/// Downloads that failed are left out, and with them their pairs' differences.
fn compared(rows: &[Fetch], value: impl Fn(&Fetch) -> Option<f64>) -> Option<Compared> {
    let of = |mptcp: bool| rows.iter().filter(move |row| row.mptcp == mptcp && ended(row));
    let differences = of(true).filter_map(|row| {
        let other = of(false).find(|other| other.pair == row.pair)?;
        Some(value(row)? - value(other)?)
    });
    Some(Compared {
        tcp: Median::of(of(false).filter_map(&value))?,
        mptcp: Median::of(of(true).filter_map(&value))?,
        difference: Median::of(differences),
    })
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;
    use subflow_rows::Time;

    /// A download that took so many seconds to its first byte, and twice as many to its last.
    pub(in crate::check::fetch) fn row(pair: u32, mptcp: bool, seconds: f64) -> Fetch {
        Fetch {
            time: Time(0),
            url: "http://h/".to_owned(),
            server_addr: [192, 0, 2, 1].into(),
            port: 80,
            local_addr: None,
            pair,
            first: false,
            mptcp,
            outcome: FetchOutcome::Complete,
            status: Some(200),
            connect: Some(seconds / 2.0),
            tls: None,
            first_byte: Some(seconds),
            complete: Some(2.0 * seconds),
            bytes: 1000,
            throughput: Some(8000.0 / seconds),
            negotiated: mptcp.then_some(Negotiated::Kept),
            subflows: mptcp.then_some(1),
            mptcp_received: None,
            retransmits: None,
            rtt: None,
            syn_ack: None,
            syn_ack_options: None,
            error: None,
        }
    }

    #[test]
    fn ranks_are_those_of_the_sign_test() {
        // Tables of nonparametric statistics, two-sided 95 %: from the second value of 9, the third of 12, the sixth of 20,
        // the fortieth of 100.
        let expected = [
            (5, None),
            (6, Some(0)),
            (8, Some(0)),
            (9, Some(1)),
            (12, Some(2)),
            (20, Some(5)),
            (100, Some(39)),
        ];
        for (count, wanted) in expected {
            assert_eq!(rank(count), wanted, "{count}");
        }
    }

    #[test]
    fn medians_of_even_and_odd_numbers_of_values() {
        assert_eq!(Median::of([]), None);
        assert_eq!(Median::of([f64::NAN]), None);
        let median = |values: &[f64]| Median::of(values.iter().copied()).unwrap();
        assert_eq!(median(&[3.0]), Median { count: 1, value: 3.0, interval: None });
        assert_eq!(median(&[3.0, 1.0]).value, 2.0);
        assert_eq!(median(&[9.0, 1.0, 2.0]).value, 2.0);
        let six = median(&[6.0, 5.0, 4.0, 3.0, 2.0, 1.0]);
        assert_eq!((six.value, six.interval, six.may_be_zero()), (3.5, Some((1.0, 6.0)), Some(false)));
        assert_eq!(median(&[-1.0, 1.0, 1.0, 1.0, 1.0, 1.0]).may_be_zero(), Some(true));
    }

    #[test]
    fn pairs_are_compared_with_each_other() {
        let mut rows = Vec::new();
        for pair in 0..7 {
            // The network changes from pair to pair; the difference stays 10 ms.
            let seconds = 0.1 * f64::from(pair + 1);
            rows.push(row(pair, false, seconds));
            rows.push(row(pair, true, seconds + 0.01));
        }
        let summary = Summary::of(&rows);
        assert_eq!((summary.tcp, summary.mptcp, summary.kept), ((7, 7), (7, 7), 7));
        let first = summary.first_byte.unwrap();
        assert!((first.tcp.value - 0.4).abs() < 1e-9 && (first.mptcp.value - 0.41).abs() < 1e-9);
        let difference = first.difference.unwrap();
        assert!((difference.value - 0.01).abs() < 1e-9);
        assert_eq!(difference.may_be_zero(), Some(false));
        // A failed download takes its pair with it.
        rows[0].outcome = FetchOutcome::TimedOut;
        let first = Summary::of(&rows).first_byte.unwrap();
        assert_eq!((first.tcp.count, first.mptcp.count, first.difference.unwrap().count), (6, 7, 6));
        assert_eq!(Summary::of(&rows).tls, None);
        assert_eq!(Summary::of(&[]), Summary::default());
    }

    proptest! {
        #[test]
        fn the_interval_holds_the_sample_median(values in proptest::collection::vec(-1e6_f64..1e6, 1..60)) {
            let median = Median::of(values.iter().copied()).unwrap();
            if let Some((low, high)) = median.interval {
                prop_assert!(low <= median.value && median.value <= high);
            }
            prop_assert_eq!(median.interval.is_some(), values.len() >= 6);
        }
    }
}
