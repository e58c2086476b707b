//! Numbers and lines for people.

use std::net::IpAddr;

/// A whole number with thousands separated by commas.
pub(crate) fn grouped(number: u64) -> String {
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

/// A number with its noun.
pub(crate) fn counted(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(number))
}

/// Bytes with three digits that matter: `842 B`, `1.17 MB`.
pub(crate) fn bytes(number: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if number < 1000 {
        return format!("{number} B");
    }
    let mut scaled = number as f64 / 1e3;
    let mut unit = 0;
    while scaled >= 999.5 && unit + 1 < UNITS.len() {
        scaled /= 1e3;
        unit += 1;
    }
    let decimals = if scaled >= 99.95 { 0 } else if scaled >= 9.995 { 1 } else { 2 };
    format!("{scaled:.decimals$} {}", UNITS[unit])
}

/// A duration with three digits that matter, in the unit that suits it.
pub(crate) fn duration(seconds: f64) -> String {
    let (number, unit) = match seconds.abs() {
        s if s < 1e-3 => (seconds * 1e6, "µs"),
        s if s < 1.0 => (seconds * 1e3, "ms"),
        _ => (seconds, "s"),
    };
    if number.abs() >= 1000.0 {
        return format!("{} {unit}", grouped(number.round() as u64));
    }
    let decimals = if number.abs() >= 100.0 || number.fract() == 0.0 {
        0
    } else {
        1 + usize::from(number.abs() < 10.0)
    };
    format!("{number:.decimals$} {unit}")
}

/// A part of a whole as a percentage; nothing where the whole is nothing.
pub(crate) fn percent(part: u64, whole: u64) -> String {
    if whole == 0 { String::new() } else { format!("{:.0} %", part as f64 * 100.0 / whole as f64) }
}

/// An address with its port, IPv6 in brackets.
pub(crate) fn end(addr: IpAddr, port: u16) -> String {
    match addr {
        IpAddr::V4(addr) => format!("{addr}:{port}"),
        IpAddr::V6(addr) => format!("[{addr}]:{port}"),
    }
}

/// Breaks text between words into lines of at most `width` characters; a longer word stands alone.
pub(crate) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_three_digits_that_matter() {
        for (number, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.00 kB"),
            (12_345, "12.3 kB"),
            (999_499, "999 kB"),
            (999_500, "1.00 MB"),
            (2_500_031, "2.50 MB"),
            (u64::MAX, "18447 PB"),
        ] {
            assert_eq!(bytes(number), text);
        }
    }

    #[test]
    fn lines_keep_to_their_width() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("incomprehensibilities of", 5), ["incomprehensibilities", "of"]);
    }

    #[test]
    fn ends_of_ipv6_stand_in_brackets() {
        assert_eq!(end("::1".parse().expect("an address"), 80), "[::1]:80");
        assert_eq!(end("10.0.0.1".parse().expect("an address"), 80), "10.0.0.1:80");
    }
}
