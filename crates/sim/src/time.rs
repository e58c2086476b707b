//! Time in integer picoseconds, and rates.
//!
//! A picosecond divides the time of a byte on every usual rate (800 ps at 10 Gb/s, 20 ps at 400 Gb/s), and 2^64 of them are 213
//! days.

use std::fmt;
use std::ops::{Add, AddAssign, Div, Mul, Sub};

/// A moment: picoseconds since the run began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub u64);

/// A span of time in picoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration(pub u64);

/// Picoseconds of a second.
pub const PS_PER_S: u64 = 1_000_000_000_000;

impl Time {
    /// The beginning.
    pub const ZERO: Self = Self(0);
    /// Later than everything.
    pub const MAX: Self = Self(u64::MAX);

    /// Seconds since the run began.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / PS_PER_S as f64
    }

    /// The moment so many seconds after the beginning, to the nearest picosecond; negative and NaN become zero.
    pub fn from_secs_f64(seconds: f64) -> Self {
        Self(Duration::from_secs_f64(seconds).0)
    }

    /// Nanoseconds since the run began, rounded down: the times of captures.
    pub const fn as_nanos(self) -> u64 {
        self.0 / 1000
    }

    /// Time since `earlier`, zero when that is later.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration(self.0.saturating_sub(earlier.0))
    }
}

impl Duration {
    /// No time.
    pub const ZERO: Self = Self(0);
    /// Longer than every run.
    pub const MAX: Self = Self(u64::MAX);

    /// So many picoseconds.
    pub const fn from_ps(ps: u64) -> Self {
        Self(ps)
    }

    /// So many nanoseconds.
    pub const fn from_nanos(ns: u64) -> Self {
        Self(ns.saturating_mul(1000))
    }

    /// So many microseconds.
    pub const fn from_micros(us: u64) -> Self {
        Self(us.saturating_mul(1_000_000))
    }

    /// So many milliseconds.
    pub const fn from_millis(ms: u64) -> Self {
        Self(ms.saturating_mul(1_000_000_000))
    }

    /// So many seconds.
    pub const fn from_secs(s: u64) -> Self {
        Self(s.saturating_mul(PS_PER_S))
    }

    /// So many seconds, to the nearest picosecond; negative and NaN become zero.
    pub fn from_secs_f64(seconds: f64) -> Self {
        Self((seconds * PS_PER_S as f64).round() as u64)
    }

    /// In seconds.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / PS_PER_S as f64
    }

    /// `self - other`, not below zero.
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// The product, rounded to the nearest picosecond, not above [`Duration::MAX`].
    pub fn mul_f64(self, factor: f64) -> Self {
        Self((self.0 as f64 * factor).round() as u64)
    }
}

impl Add<Duration> for Time {
    type Output = Self;
    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl AddAssign<Duration> for Time {
    fn add_assign(&mut self, span: Duration) {
        *self = *self + span;
    }
}

impl Sub<Duration> for Time {
    type Output = Self;
    fn sub(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(span.0))
    }
}

impl Sub for Time {
    type Output = Duration;
    fn sub(self, earlier: Self) -> Duration {
        self.since(earlier)
    }
}

impl Add for Duration {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Duration {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for Duration {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self.saturating_sub(other)
    }
}

impl Mul<u64> for Duration {
    type Output = Self;
    fn mul(self, factor: u64) -> Self {
        Self(self.0.saturating_mul(factor))
    }
}

impl Div<u64> for Duration {
    type Output = Self;
    /// Rounded down; by zero gives [`Duration::MAX`].
    fn div(self, divisor: u64) -> Self {
        self.0.checked_div(divisor).map_or(Self::MAX, Self)
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} s", self.as_secs_f64())
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} s", self.as_secs_f64())
    }
}

/// A rate in bits per second, never zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rate(u64);

impl Rate {
    /// So many bits per second, at least one.
    pub const fn from_bps(bps: u64) -> Self {
        Self(if bps == 0 { 1 } else { bps })
    }

    /// So many megabits (10^6) per second.
    pub const fn from_mbps(mbps: u64) -> Self {
        Self::from_bps(mbps.saturating_mul(1_000_000))
    }

    /// So many gigabits (10^9) per second.
    pub const fn from_gbps(gbps: u64) -> Self {
        Self::from_bps(gbps.saturating_mul(1_000_000_000))
    }

    /// Bits per second.
    pub const fn bps(self) -> u64 {
        self.0
    }

    /// What `bytes` take on this rate: `8e12 * bytes / rate` ps, to the nearest picosecond (half up). Exact where a byte takes
    /// whole picoseconds, at most half a picosecond off elsewhere.
    pub const fn serialization(self, bytes: u64) -> Duration {
        let exact = bytes as u128 * 8 * PS_PER_S as u128 + self.0 as u128 / 2;
        let ps = exact / self.0 as u128;
        Duration(if ps > u64::MAX as u128 { u64::MAX } else { ps as u64 })
    }

    /// The bytes that pass in a span of time, rounded down.
    pub const fn bytes_in(self, span: Duration) -> u64 {
        (self.0 as u128 * span.0 as u128 / (8 * PS_PER_S as u128)) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_takes_what_it_takes() {
        assert_eq!(Rate::from_gbps(10).serialization(1500), Duration(1_200_000));
        assert_eq!(Rate::from_gbps(400).serialization(64), Duration(1280));
        assert_eq!(Rate::from_mbps(100).serialization(1), Duration(80_000));
        // 8e12 * 1500 / 3 = 4e15 exactly; 8e12 / 7 = 1142857142857.14…, 8e12 * 2 / 7 = …285.71.
        assert_eq!(Rate::from_bps(3).serialization(1500), Duration(4_000_000_000_000_000));
        assert_eq!(Rate::from_bps(7).serialization(1), Duration(1_142_857_142_857));
        assert_eq!(Rate::from_bps(7).serialization(2), Duration(2_285_714_285_714));
        assert_eq!(Rate::from_bps(16_000_000_000_000).serialization(1), Duration(1), "half up");
        assert_eq!(Rate::from_bps(1).serialization(u64::MAX), Duration::MAX);
        assert_eq!(Rate::from_gbps(10).bytes_in(Duration::from_micros(1)), 1250);
    }

    #[test]
    fn seconds_there_and_back() {
        assert_eq!(Time::from_secs_f64(1.5), Time(1_500_000_000_000));
        assert_eq!(Duration::from_secs_f64(-1.0), Duration::ZERO);
        assert_eq!(Duration::from_millis(2).as_secs_f64(), 0.002);
        assert_eq!(Time(1999).as_nanos(), 1);
        assert_eq!(Time(5) - Time(7), Duration::ZERO);
    }
}
