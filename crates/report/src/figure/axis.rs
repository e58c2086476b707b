//! Axes: what they measure.

use serde_json::{Value, json};

/// What the numbers on an axis are; decides ticks, hover texts and the name of the CSV's column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Seconds, shown as µs, ms, s, min, h or d.
    Seconds,
    /// Bytes, shown as B, kB, MB, …
    Bytes,
    /// A fraction of 1, shown as per cent.
    Share,
    /// How many.
    Count,
    /// A plain number, as a mean or a quotient.
    Number,
    /// How often a second.
    PerSecond,
    /// Bit/s, shown as kbit/s, Mbit/s, …
    BitsPerSecond,
    /// Milliseconds since 1970 UTC, shown as date and time.
    Time,
    /// Names, in the order in which they first come.
    Name,
}

impl Unit {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Seconds => "s",
            Self::Bytes => "B",
            Self::Share => "share",
            Self::Count => "count",
            Self::Number => "number",
            Self::PerSecond => "1/s",
            Self::BitsPerSecond => "bit/s",
            Self::Time => "time",
            Self::Name => "name",
        }
    }
}

/// An axis of a figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    title: String,
    unit: Unit,
    log: bool,
    range: Option<[f64; 2]>,
}

impl Axis {
    /// A linear axis.
    pub fn new(title: &str, unit: Unit) -> Self {
        Self { title: title.to_owned(), unit, log: false, range: None }
    }

    /// Makes it logarithmic; values of 0 and less are not drawn.
    pub fn log(self) -> Self {
        Self { log: true, ..self }
    }

    /// Fixes what is shown at first; otherwise it is as wide as the data.
    pub fn range(self, from: f64, to: f64) -> Self {
        Self { range: Some([from, to]), ..self }
    }

    /// Whether it is logarithmic.
    pub fn is_log(&self) -> bool {
        self.log
    }

    pub(super) fn to_json(&self) -> Value {
        json!({ "title": self.title, "unit": self.unit.as_str(), "log": self.log, "range": self.range })
    }
}
