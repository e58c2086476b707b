//! Numbers and intervals for people.

use super::measure::LEVEL;
use crate::figure::Unit;
use crate::text::{bytes, counted, grouped, seconds, share};
use subflow_sim::statistics::Interval;

/// A number with three digits that matter: `1.23`, `12.3`, `1,234`.
pub(super) fn number(value: f64) -> String {
    match value.abs() {
        _ if value < 0.0 => format!("−{}", number(-value)),
        size if size >= 100.0 => grouped(value.round() as u64),
        0.0 => "0".to_owned(),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 0.1 => format!("{value:.2}"),
        _ => format!("{value:.4}"),
    }
}

/// A number without decimals that say nothing.
pub(super) fn whole(value: f64) -> String {
    if value.fract() == 0.0 { format!("{value}") } else { number(value) }
}

/// A rate: `1.23 Gbit/s`.
pub(super) fn rate(bits: f64) -> String {
    let mut scaled = bits;
    let mut units = ["bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"].iter();
    let mut unit = units.next().unwrap_or(&"");
    while scaled >= 999.5 {
        let Some(next) = units.next() else { break };
        (scaled, unit) = (scaled / 1000.0, next);
    }
    format!("{} {unit}", number(scaled))
}

/// A load: `load 20 %`.
pub(super) fn load(load: f64) -> String {
    format!("load {}", whole_share(load))
}

/// A fraction as per cent, without a decimal that is zero.
pub(super) fn whole_share(fraction: f64) -> String {
    let shown = share(fraction);
    shown.strip_suffix(".0 %").map_or(shown.clone(), |whole| format!("{whole} %"))
}

/// A number of a unit.
pub(super) fn amount(unit: Unit, value: f64) -> String {
    match unit {
        Unit::Seconds => seconds(value),
        Unit::Bytes if value < 0.0 => format!("−{}", bytes((-value).round() as u64)),
        Unit::Bytes => bytes(value.round() as u64),
        Unit::Share | Unit::BitsPerSecond if value < 0.0 => format!("−{}", amount(unit, -value)),
        Unit::Share if value != 0.0 && value.abs() < 0.001 => format!("{:.4} %", value * 100.0),
        Unit::Share => share(value),
        Unit::BitsPerSecond => rate(value),
        _ => number(value),
    }
}

/// An estimate with its interval: `3.21 (3.00 to 3.42)`; without one, the number alone.
pub(super) fn estimate(unit: Unit, interval: &Interval) -> String {
    let value = amount(unit, interval.mean);
    match (interval.low, interval.high) {
        (Some(low), Some(high)) => format!("{value} ({} to {})", amount(unit, low), amount(unit, high)),
        _ => value,
    }
}

/// How sure an interval is: `95 % interval over 5 seeds`, `one seed`.
pub(super) fn sureness(interval: &Interval) -> String {
    match interval.n {
        1 => "one seed".to_owned(),
        n => format!("{} interval over {}", whole_share(LEVEL), counted(n as u64, "seed")),
    }
}

/// A ratio as a difference: `27.0 % below`, `3.1 % above`, `the same as`.
pub(super) fn against(ratio: f64) -> String {
    match ratio - 1.0 {
        change if change.abs() < 0.0005 => "the same as".to_owned(),
        change if change < 0.0 => format!("{} below", share(-change)),
        change => format!("{} above", share(change)),
    }
}

/// Names with commas and an `and`.
pub(super) fn list(names: &[String]) -> String {
    joined(names, "and")
}

/// Names with commas and an `or`.
pub(super) fn either(names: &[String]) -> String {
    joined(names, "or")
}

fn joined(names: &[String], last_by: &str) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [rest @ .., last] => format!("{} {last_by} {last}", rest.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        assert_eq!([0.0, 1.234, 12.34, 1234.4, 0.01].map(number), ["0", "1.23", "12.3", "1,234", "0.0100"]);
        assert_eq!(rate(12_345_678.0), "12.3 Mbit/s");
        assert_eq!(
            [number(-22.4), amount(Unit::Share, -0.5), amount(Unit::Bytes, -2e3)],
            ["−22.4", "−50.0 %", "−2 kB"]
        );
        assert_eq!([whole(8.0), whole(7.5)], ["8", "7.50"]);
        assert_eq!(load(0.2), "load 20 %");
        assert_eq!(load(0.125), "load 12.5 %");
        assert_eq!(amount(Unit::Share, 0.000_01), "0.0010 %");
    }

    #[test]
    fn intervals() {
        let one = Interval { n: 1, mean: 2.0, low: None, high: None };
        assert_eq!((estimate(Unit::Count, &one), sureness(&one)), ("2.00".to_owned(), "one seed".to_owned()));
        let five = Interval { n: 5, mean: 2.0, low: Some(1.5), high: Some(2.5) };
        assert_eq!(estimate(Unit::Count, &five), "2.00 (1.50 to 2.50)");
        assert_eq!(sureness(&five), "95 % interval over 5 seeds");
    }

    #[test]
    fn comparisons() {
        assert_eq!([0.73, 1.25, 1.0].map(against), ["27.0 % below", "25.0 % above", "the same as"]);
        let names = ["a", "b", "c"].map(str::to_owned);
        assert_eq!((list(&names[..1]), list(&names)), ("a".to_owned(), "a, b and c".to_owned()));
    }
}
