//! Moments as text: RFC 3339 in UTC with nanoseconds, and what people type for it.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use std::fmt;

/// Shows nanoseconds since 1970-01-01 UTC as RFC 3339: `2026-01-02T03:04:05.000000006Z`. Always nine decimals, so that
/// texts sort as times do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rfc3339(pub i64);

impl fmt::Display for Rfc3339 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Every i64 of nanoseconds lies between the years 1677 and 2262, well inside what jiff can hold.
        let time = Timestamp::from_nanosecond(i128::from(self.0)).unwrap_or_default();
        write!(f, "{time:.9}")
    }
}

/// A text that is no moment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// Neither RFC 3339 nor a civil date.
    #[error("not a time: write 2026-01-31, 2026-01-31 12:30, 2026-01-31 12:30:05.5 (all UTC) or RFC 3339")]
    Form,
    /// A moment that 64 bits of nanoseconds cannot hold.
    #[error("out of range: the years 1678 to 2261 can be told")]
    Range,
}

/// Reads RFC 3339 with any offset, or `YYYY-MM-DD[ HH:MM[:SS[.fraction]]]` in UTC, as nanoseconds since 1970.
///
/// ```
/// use subflow_store::time::parse;
/// assert_eq!(parse("1970-01-01 00:01"), Ok(60_000_000_000));
/// assert_eq!(parse("1970-01-01T01:00:01+01:00"), Ok(1_000_000_000));
/// ```
pub fn parse(text: &str) -> Result<i64, ParseError> {
    let text = text.trim();
    let time = if let Ok(time) = text.parse::<Timestamp>() {
        time
    } else {
        // A date alone first: as a date and time it would be read leniently, too, but this says what is meant.
        let civil = match text.parse::<Date>() {
            Ok(date) if text.len() <= "YYYY-MM-DD".len() => date.to_datetime(jiff::civil::Time::midnight()),
            _ => text.parse::<DateTime>().map_err(|_| ParseError::Form)?,
        };
        TimeZone::UTC.to_timestamp(civil).map_err(|_| ParseError::Range)?
    };
    i64::try_from(time.as_nanosecond()).map_err(|_| ParseError::Range)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_nine_decimals_and_z() {
        assert_eq!(Rfc3339(0).to_string(), "1970-01-01T00:00:00.000000000Z");
        assert_eq!(Rfc3339(1_767_323_045_000_000_006).to_string(), "2026-01-02T03:04:05.000000006Z");
        assert_eq!(Rfc3339(-1).to_string(), "1969-12-31T23:59:59.999999999Z");
    }

    #[test]
    fn the_ends_of_the_range_are_shown() {
        assert_eq!(Rfc3339(i64::MAX).to_string(), "2262-04-11T23:47:16.854775807Z");
        assert_eq!(Rfc3339(i64::MIN).to_string(), "1677-09-21T00:12:43.145224192Z");
    }

    #[test]
    fn reads_what_it_shows() {
        for ns in [0, 1, -1, 1_767_323_045_000_000_006, i64::MAX, i64::MIN] {
            assert_eq!(parse(&Rfc3339(ns).to_string()), Ok(ns));
        }
    }

    #[test]
    fn reads_civil_times_as_utc() {
        let day = 1_767_312_000_000_000_000;
        assert_eq!(parse("2026-01-02"), Ok(day));
        assert_eq!(parse("2026-01-02 03:04"), Ok(day + (3 * 3600 + 4 * 60) * 1_000_000_000));
        assert_eq!(
            parse("2026-01-02T03:04:05.5"),
            Ok(day + (3 * 3600 + 4 * 60 + 5) * 1_000_000_000 + 500_000_000)
        );
        assert_eq!(parse("2026-01-02T01:00:00+01:00"), Ok(day));
        assert_eq!(parse(" 2026-01-02 "), Ok(day));
    }

    #[test]
    fn refuses_the_rest() {
        for text in ["", "yesterday", "12:30", "2026-13-01", "2026-01-02 25:00", "1767312000"] {
            assert_eq!(parse(text), Err(ParseError::Form), "{text}");
        }
        assert_eq!(parse("9000-01-01"), Err(ParseError::Range));
    }
}
