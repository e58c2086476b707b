//! Tables of two runs side by side, cell by cell.

use std::collections::BTreeSet;
use subflow_analysis::rows::Tables;
use subflow_rows::{Row, Value};

/// How far cells may differ.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tolerance {
    /// Columns that are not compared.
    pub(crate) without: &'static [&'static str],
    /// How far columns in seconds, and times, may lie apart.
    pub(crate) seconds: f64,
    /// The frame number that a frame has in the second run.
    pub(crate) frame: fn(u64) -> u64,
}

/// Nothing may differ.
pub(crate) const EXACT: Tolerance = Tolerance { without: &[], seconds: 0.0, frame: |frame| frame };

/// Every difference between two runs but those of table `issues`.
pub(crate) fn differences(was: &Tables, is: &Tables, tolerance: Tolerance) -> Vec<String> {
    let mut found = Vec::new();
    rows(&mut found, &was.traffic, &is.traffic, tolerance);
    rows(&mut found, &was.connections, &is.connections, tolerance);
    rows(&mut found, &was.subflows, &is.subflows, tolerance);
    rows(&mut found, &was.announcements, &is.announcements, tolerance);
    rows(&mut found, &was.reinjections, &is.reinjections, tolerance);
    rows(&mut found, &was.events, &is.events, tolerance);
    rows(&mut found, &was.hosts, &is.hosts, tolerance);
    found
}

/// The names of the columns that differ, of rows that stand at the same place; a table of another length differs in
/// the column `rows`.
pub(crate) fn columns<R: Row>(was: &[R], is: &[R]) -> BTreeSet<&'static str> {
    let mut names = BTreeSet::new();
    if was.len() != is.len() {
        names.insert("rows");
    }
    for (was, is) in was.iter().zip(is) {
        for ((was, is), column) in was.cells().as_ref().iter().zip(is.cells().as_ref()).zip(R::SCHEMA.columns)
        {
            if was != is {
                names.insert(column.name);
            }
        }
    }
    names
}

fn rows<R: Row>(found: &mut Vec<String>, was: &[R], is: &[R], tolerance: Tolerance) {
    let table = R::SCHEMA.table;
    if was.len() != is.len() {
        found.push(format!("{table}: {} rows, not {}", is.len(), was.len()));
        return;
    }
    for (index, (was, is)) in was.iter().zip(is).enumerate() {
        for ((was, is), column) in was.cells().as_ref().iter().zip(is.cells().as_ref()).zip(R::SCHEMA.columns)
        {
            // Means over time move with the times.
            let moves = tolerance.seconds > 0.0 && column.name.contains("flight_mean");
            let same = moves
                || tolerance.without.contains(&column.name)
                || match (was, is) {
                    (Value::Int(was), Value::Int(is)) if column.name == "frame" => {
                        (tolerance.frame)(was.unsigned_abs()) == is.unsigned_abs()
                    }
                    (Value::Float(was), Value::Float(is)) if column.unit == "s" => {
                        (was - is).abs() <= tolerance.seconds
                    }
                    (Value::Time(was), Value::Time(is)) => (was - is).abs() as f64 <= tolerance.seconds * 1e9,
                    _ => was == is,
                };
            if !same {
                found.push(format!("{table} {index}: {} is {is:?}, not {was:?}", column.name));
            }
        }
    }
}
