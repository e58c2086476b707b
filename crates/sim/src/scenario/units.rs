//! Quantities as people write them: `10 Gb/s`, `1.5 ms`, `64 KiB`.

use super::error::suggestion;
use crate::time::{Duration, Rate};
use toml::de::DeValue;

/// Bytes that the unit `packets` stands for: a full Ethernet frame's payload.
pub(super) const PACKET: u64 = 1500;

const TIMES: [(&str, f64); 7] =
    [("s", 1.0), ("ms", 1e-3), ("us", 1e-6), ("µs", 1e-6), ("ns", 1e-9), ("ps", 1e-12), ("min", 60.0)];

const RATES: [(&str, f64); 10] = [
    ("b/s", 1.0),
    ("bit/s", 1.0),
    ("kb/s", 1e3),
    ("Mb/s", 1e6),
    ("Gb/s", 1e9),
    ("Tb/s", 1e12),
    ("bps", 1.0),
    ("kbps", 1e3),
    ("Mbps", 1e6),
    ("Gbps", 1e9),
];

const SIZES: [(&str, f64); 10] = [
    ("B", 1.0),
    ("kB", 1e3),
    ("KB", 1e3),
    ("MB", 1e6),
    ("GB", 1e9),
    ("KiB", 1024.0),
    ("MiB", 1048576.0),
    ("GiB", 1073741824.0),
    ("packets", PACKET as f64),
    ("packet", PACKET as f64),
];

/// A number, whole or not.
pub(super) fn number(value: &DeValue<'_>) -> Result<f64, String> {
    let parsed = match value {
        DeValue::Integer(_) => integer(value)? as f64,
        DeValue::Float(float) => {
            float.as_str().replace('_', "").parse().map_err(|_| "not a number".to_owned())?
        }
        _ => return Err(format!("a {} instead of a number", value.type_str())),
    };
    if parsed.is_finite() { Ok(parsed) } else { Err("not a finite number".to_owned()) }
}

/// A whole number, not negative.
pub(super) fn integer(value: &DeValue<'_>) -> Result<u64, String> {
    match value {
        DeValue::Integer(integer) => u64::from_str_radix(&integer.as_str().replace('_', ""), integer.radix())
            .map_err(|_| "not a whole number from 0 to 2^64 - 1".to_owned()),
        _ => Err(format!("a {} instead of a whole number", value.type_str())),
    }
}

/// A whole number in a range.
pub(super) fn within(least: u64, most: u64) -> impl Fn(&DeValue<'_>) -> Result<u64, String> {
    move |value| match integer(value)? {
        found if (least..=most).contains(&found) => Ok(found),
        found => Err(format!("{found} is not between {least} and {most}")),
    }
}

/// A number from 0 to 1.
pub(super) fn share(value: &DeValue<'_>) -> Result<f64, String> {
    match number(value)? {
        found if (0.0..=1.0).contains(&found) => Ok(found),
        found => Err(format!("{found} is not between 0 and 1")),
    }
}

/// True or false.
pub(super) fn boolean(value: &DeValue<'_>) -> Result<bool, String> {
    value.as_bool().ok_or_else(|| format!("a {} instead of true or false", value.type_str()))
}

/// A text.
pub(super) fn text(value: &DeValue<'_>) -> Result<String, String> {
    value.as_str().map(str::to_owned).ok_or_else(|| format!("a {} instead of a text", value.type_str()))
}

/// One of some names.
pub(super) fn choice<T: Copy>(names: &[(&str, T)]) -> impl Fn(&DeValue<'_>) -> Result<T, String> {
    move |value| {
        let name = text(value)?;
        names.iter().find(|(known, _)| *known == name).map(|&(_, value)| value).ok_or_else(|| {
            let known: Vec<_> = names.iter().map(|(known, _)| *known).collect();
            format!("{name:?} is unknown{}", suggestion(&name, &known))
        })
    }
}

/// A span of time: a text with a unit, or a number of seconds. At most 1e6 s.
pub(super) fn duration(value: &DeValue<'_>) -> Result<Duration, String> {
    let seconds = quantity(value, &TIMES, "10 ms")?;
    if (0.0..=1e6).contains(&seconds) {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err(format!("{seconds} s is not between 0 and 1e6 s"))
    }
}

/// A rate: a text with a unit, or a number of bits per second. From 1 bit/s to 100 Tb/s.
pub(super) fn rate(value: &DeValue<'_>) -> Result<Rate, String> {
    let bps = quantity(value, &RATES, "10 Gb/s")?;
    if (1.0..=1e14).contains(&bps) {
        Ok(Rate::from_bps(bps.round() as u64))
    } else {
        Err(format!("{bps} bit/s is not between 1 bit/s and 100 Tb/s"))
    }
}

/// A size: a text with a unit, or a number of bytes. At most 1e18.
pub(super) fn size(value: &DeValue<'_>) -> Result<u64, String> {
    let bytes = quantity(value, &SIZES, "64 KiB")?;
    if (0.0..=1e18).contains(&bytes) {
        Ok(bytes.round() as u64)
    } else {
        Err(format!("{bytes} B is not between 0 and 1e18 B"))
    }
}

fn quantity(value: &DeValue<'_>, units: &[(&str, f64)], example: &str) -> Result<f64, String> {
    let Some(text) = value.as_str() else { return number(value) };
    let text = text.trim();
    let end = text
        .char_indices()
        .find(|&(at, c)| {
            let exponent = matches!(c, 'e' | 'E')
                && text[at + 1..].starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-'));
            !(c.is_ascii_digit() || matches!(c, '.' | '+' | '-') || exponent)
        })
        .map_or(text.len(), |(at, _)| at);
    let (number, unit) = (&text[..end], text[end..].trim());
    let Ok(number) = number.parse::<f64>() else {
        return Err(format!("{text:?} does not begin with a number; write it as {example:?}"));
    };
    let names: Vec<_> = units.iter().map(|(name, _)| *name).collect();
    match units.iter().find(|(name, _)| *name == unit) {
        Some((_, factor)) => Ok(number * factor),
        None if unit.is_empty() => Err(format!("{text:?} has no unit; write it as {example:?}")),
        None => Err(format!("unit {unit:?} is unknown{}", suggestion(unit, &names))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with<T>(text: &str, parse: impl Fn(&DeValue<'_>) -> Result<T, String>) -> Result<T, String> {
        parse(DeValue::parse(text).expect("TOML").get_ref())
    }

    #[test]
    fn quantities() {
        assert_eq!(with("'10 Gb/s'", rate), Ok(Rate::from_gbps(10)));
        assert_eq!(with("'100Mbps'", rate), Ok(Rate::from_mbps(100)));
        assert_eq!(with("1_000_000", rate), Ok(Rate::from_mbps(1)));
        assert_eq!(with("'1.5 ms'", duration), Ok(Duration::from_micros(1500)));
        assert_eq!(with("'1e-3s'", duration), Ok(Duration::from_millis(1)));
        assert_eq!(with("0.25", duration), Ok(Duration::from_millis(250)));
        assert_eq!(with("'2 min'", duration), Ok(Duration::from_secs(120)));
        assert_eq!(with("'64 KiB'", size), Ok(65536));
        assert_eq!(with("'65 packets'", size), Ok(97_500));
        assert_eq!(with("0x10", size), Ok(16));
        assert_eq!(with("7", within(1, 9)), Ok(7));
        assert_eq!(with("0.5", share), Ok(0.5));
    }

    #[test]
    fn what_is_no_quantity() {
        let rate = |text| with(text, rate).unwrap_err();
        assert_eq!(rate("'fast'"), "\"fast\" does not begin with a number; write it as \"10 Gb/s\"");
        assert_eq!(rate("'10'"), "\"10\" has no unit; write it as \"10 Gb/s\"");
        assert_eq!(rate("'10 Gbs'"), "unit \"Gbs\" is unknown; did you mean \"Gb/s\"?");
        assert_eq!(rate("0"), "0 bit/s is not between 1 bit/s and 100 Tb/s");
        assert_eq!(rate("true"), "a boolean instead of a number");
        assert_eq!(with("-1", duration).unwrap_err(), "not a whole number from 0 to 2^64 - 1");
        assert_eq!(with("inf", duration).unwrap_err(), "not a finite number");
        assert_eq!(with("12", within(1, 9)).unwrap_err(), "12 is not between 1 and 9");
        assert_eq!(with("1.5", share).unwrap_err(), "1.5 is not between 0 and 1");
        let colour = choice(&[("red", 1), ("green", 2)]);
        assert_eq!(with("'green'", &colour), Ok(2));
        assert_eq!(with("'gren'", &colour).unwrap_err(), "\"gren\" is unknown; did you mean \"green\"?");
    }
}
