//! Numbers for people.

/// A whole number with thousands separated by commas: `1,234,567`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number with its noun, in the plural where it must be: `1 packet`, `2 packets`.
pub fn counted(number: u64, noun: &str) -> String {
    let plural = match number {
        1 => "",
        _ if noun.ends_with('s') || noun.ends_with("ch") => "es",
        _ => "s",
    };
    format!("{} {noun}{plural}", grouped(number))
}

/// A duration with three digits that matter, in the unit that suits it: `250 µs`, `12.3 ms`, `1.50 s`, `3,600 s`, `−20 ms`.
pub fn seconds(duration: f64) -> String {
    if duration < 0.0 {
        return format!("−{}", seconds(-duration));
    }
    let (number, unit) = match duration {
        s if s < 0.999_5e-3 => (s * 1e6, "µs"),
        s if s < 0.999_5 => (s * 1e3, "ms"),
        s => (s, "s"),
    };
    if number >= 999.5 {
        return format!("{} {unit}", grouped(number.round() as u64));
    }
    format!("{number:.*} {unit}", decimals(number))
}

/// An amount of bytes in powers of 1000, with three digits that matter: `999 B`, `12.3 kB`, `1.50 GB`.
pub fn bytes(bytes: u64) -> String {
    let mut number = bytes as f64;
    let mut units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"].iter();
    let mut unit = units.next().unwrap_or(&"B");
    while number >= 999.5 {
        let Some(next) = units.next() else { break };
        (number, unit) = (number / 1000.0, next);
    }
    if *unit == "B" { format!("{bytes} B") } else { format!("{number:.*} {unit}", decimals(number)) }
}

/// A share of a whole: `12.3 %`, nothing where the whole is nothing.
pub fn percent(part: u64, whole: u64) -> String {
    if whole == 0 { String::new() } else { share(part as f64 / whole as f64) }
}

/// A fraction as `12.3 %`.
pub fn share(fraction: f64) -> String {
    format!("{:.1} %", fraction * 100.0)
}

/// How many decimals leave three digits of a number below 1000.
fn decimals(number: f64) -> usize {
    if number >= 100.0 || number.fract() == 0.0 { 0 } else { 1 + usize::from(number < 10.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_separated() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (123_456, "123,456"),
            (u64::MAX, "18,446,744,073,709,551,615"),
        ] {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn nouns_follow_their_number() {
        assert_eq!(counted(1, "packet"), "1 packet");
        assert_eq!(counted(0, "packet"), "0 packets");
        assert_eq!(counted(1234, "packet"), "1,234 packets");
        assert_eq!([1, 2].map(|number| counted(number, "address")), ["1 address", "2 addresses"]);
        assert_eq!(counted(3, "switch"), "3 switches");
    }

    #[test]
    fn durations_have_three_digits_that_matter() {
        for (number, text) in [
            (0.0, "0 µs"),
            (0.000_25, "250 µs"),
            (0.012_34, "12.3 ms"),
            (0.2, "200 ms"),
            (1.0, "1 s"),
            (1.5, "1.50 s"),
            (59.94, "59.9 s"),
            (3600.0, "3,600 s"),
            (0.999_7, "1.00 s"),
            (-0.02, "−20 ms"),
        ] {
            assert_eq!(seconds(number), text);
        }
    }

    #[test]
    fn bytes_are_in_powers_of_a_thousand() {
        for (number, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1 kB"),
            (12_345, "12.3 kB"),
            (999_999, "1.00 MB"),
            (1_500_000_000, "1.50 GB"),
        ] {
            assert_eq!(bytes(number), text);
        }
    }

    #[test]
    fn shares_of_nothing_are_not_told() {
        assert_eq!(percent(1, 0), "");
        assert_eq!(percent(1, 3), "33.3 %");
    }
}
