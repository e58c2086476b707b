//! Texts of flags, environment variables and the configuration that are more than numbers.

use clap::ValueEnum;
use subflow_analysis::IpPrefix;
use subflow_store::time;

/// The output formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A summary for people
    Table,
    /// One JSON document with a key a table
    Json,
    /// JSON lines, a row each
    Jsonl,
    /// Comma-separated values, one table a file
    Csv,
    /// Apache Parquet files, only with -o
    Parquet,
}

impl Format {
    /// The name, as it is written.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Json => "json",
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
            Self::Parquet => "parquet",
        }
    }
}

/// The forms of a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Recorded {
    /// pcap, times in nanoseconds
    Pcap,
    /// pcapng, with the names and counters of the interfaces
    Pcapng,
}

/// A moment in nanoseconds since 1970.
pub(super) fn moment(text: &str) -> Result<i64, String> {
    time::parse(text).map_err(|error| error.to_string())
}

/// An address, or a prefix as `10.0.0.0/8`.
pub(super) fn prefix(text: &str) -> Result<IpPrefix, String> {
    text.parse()
}

/// Seconds, more than none, in nanoseconds.
pub(crate) fn seconds(text: &str) -> Result<i64, String> {
    const MOST: f64 = 9e9;
    match text.trim().parse::<f64>() {
        // Below the limit the product fits 64 bits with room to spare.
        Ok(seconds) if seconds > 0.0 && seconds <= MOST => Ok((seconds * 1e9).round() as i64),
        _ => Err("not a number of seconds above 0".to_owned()),
    }
}

/// Seconds, before or after, in nanoseconds.
pub(super) fn offset(text: &str) -> Result<i64, String> {
    const MOST: f64 = 4e9;
    match text.trim().parse::<f64>() {
        Ok(seconds) if seconds.abs() <= MOST => {
            // Apart, as a float of this size holds no nanoseconds.
            let (whole, fraction) = (seconds.trunc(), seconds.fract());
            Ok(whole as i64 * 1_000_000_000 + (fraction * 1e9).round() as i64)
        }
        _ => Err("not a number of seconds".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_more_than_none() {
        assert_eq!(seconds("600"), Ok(600_000_000_000));
        assert_eq!(seconds("0.5"), Ok(500_000_000));
        for text in ["0", "-1", "nan", "inf", "1e300", "ten", ""] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }

    #[test]
    fn offsets_may_be_negative() {
        assert_eq!(offset("-86400"), Ok(-86_400_000_000_000));
        assert_eq!(offset("1.5"), Ok(1_500_000_000));
        assert_eq!(offset("0"), Ok(0));
        for text in ["nan", "inf", "1e10", "ten", ""] {
            assert!(offset(text).is_err(), "{text}");
        }
    }

    #[test]
    fn formats_have_one_name_only() {
        for format in Format::value_variants() {
            assert_eq!(Format::from_str(format.as_str(), false), Ok(*format));
        }
    }
}
