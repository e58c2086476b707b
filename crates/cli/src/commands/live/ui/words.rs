//! Figures in few columns.

use std::net::IpAddr;

/// A number with three digits that matter: `999`, `12.3k`, `4.56M`, `7.89G`.
pub(super) fn short(number: f64) -> String {
    let mut scaled = number;
    for unit in ["", "k", "M", "G", "T"] {
        if scaled < 999.5 {
            let decimals = match unit {
                "" => 0,
                _ if scaled < 9.995 => 2,
                _ => usize::from(scaled < 99.95),
            };
            return format!("{scaled:.decimals$}{unit}");
        }
        scaled /= 1000.0;
    }
    format!("{scaled:.0}P")
}

/// A span in whole units: `7s`, `3m05`, `2h07`, `4d03`.
pub(super) fn span(seconds: f64) -> String {
    let whole = seconds.max(0.0) as u64;
    match whole {
        0..60 => format!("{whole}s"),
        60..3600 => format!("{}m{:02}", whole / 60, whole % 60),
        3600..86_400 => format!("{}h{:02}", whole / 3600, whole % 3600 / 60),
        _ => format!("{}d{:02}", whole / 86_400, whole % 86_400 / 3600),
    }
}

/// Hours, minutes, seconds: `00:01:23`.
pub(super) fn clock(seconds: u64) -> String {
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// A round-trip time in milliseconds, three digits: `0.25`, `12.3`, `340`.
pub(super) fn millis(seconds: f64) -> String {
    let millis = seconds * 1e3;
    let decimals = if millis < 9.995 { 2 } else { usize::from(millis < 99.95) };
    format!("{millis:.decimals$}")
}

/// Address and port.
pub(super) fn end(addr: IpAddr, port: u16) -> String {
    match addr {
        IpAddr::V4(addr) => format!("{addr}:{port}"),
        IpAddr::V6(addr) => format!("[{addr}]:{port}"),
    }
}

/// The two ends of a connection in so many columns: addresses are cut in their middle, ports stay.
pub(super) fn ends(from: (IpAddr, u16), to: (IpAddr, u16), width: usize) -> String {
    let (from, to) = (end(from.0, from.1), end(to.0, to.1));
    let room = width.saturating_sub(1);
    let (a, b) = (from.chars().count(), to.chars().count());
    let half = room / 2;
    let (a, b) = if a + b <= room {
        (a, b)
    } else if a <= half {
        (a, room - a)
    } else if b <= room - half {
        (room - b, b)
    } else {
        (half, room - half)
    };
    format!("{}→{}", cut(&from, a), cut(&to, b))
}

/// A text in so many columns, its middle left out if it must be: the end of an address tells more than its middle.
fn cut(text: &str, width: usize) -> String {
    let chars: Vec<char> = text.chars().collect();
    if chars.len() <= width {
        return text.to_owned();
    }
    let tail = width.saturating_sub(1) * 2 / 3;
    let head = width.saturating_sub(1) - tail;
    chars.iter().take(head).chain(&['…']).chain(chars.iter().skip(chars.len() - tail)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short() {
        for (number, text) in [
            (0.0, "0"),
            (999.4, "999"),
            (999.9, "1.00k"),
            (12_345.0, "12.3k"),
            (999_999.0, "1.00M"),
            (4.56e9, "4.56G"),
            (1e17, "100P"),
        ] {
            assert_eq!(short(number), text);
        }
        for (seconds, text) in [(0.0, "0s"), (59.9, "59s"), (185.0, "3m05"), (7625.0, "2h07"), (1e6, "11d13")]
        {
            assert_eq!(span(seconds), text);
        }
        assert_eq!(clock(3683), "01:01:23");
        assert_eq!(["0.25", "12.3", "340"], [0.000_25, 0.0123, 0.34].map(millis));
    }

    #[test]
    fn ends_fit_their_column() {
        let v4 = |text: &str, port| (text.parse().expect("an address"), port);
        let (a, b) = (v4("10.0.0.1", 40_000), v4("192.0.2.77", 443));
        assert_eq!(ends(a, b, 40), "10.0.0.1:40000→192.0.2.77:443");
        let c = v4("2001:db8:1234:5678:9abc:def0:1234:5678", 443);
        for width in [16, 20, 27, 40] {
            for (from, to) in [(a, b), (a, c), (c, a), (c, c)] {
                let text = ends(from, to, width);
                assert!(text.chars().count() <= width, "{text}");
                assert!(text.contains('→') && text.ends_with(&to.1.to_string()[1..]), "{text}");
            }
        }
    }
}
