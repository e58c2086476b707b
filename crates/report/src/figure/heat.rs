//! Shares over time, a row a thing.

use super::{Axis, Figure, Unit};
use serde_json::{Value, json};

/// A heat map of shares from 0 to 1. `None` is a hole.
pub struct HeatMap {
    figure: Figure,
    columns: Vec<f64>,
    names: Vec<String>,
    rows: Vec<Vec<Option<f64>>>,
}

impl HeatMap {
    /// An empty one: the columns are places on the x axis, evenly apart.
    pub fn new(id: &str, title: &str, x: Axis, columns: Vec<f64>) -> Self {
        let figure = Figure::new(id, title, x, Axis::new("", Unit::Name)).wide();
        Self { figure, columns, names: Vec::new(), rows: Vec::new() }
    }

    /// Adds a row below the others, a cell a column.
    pub fn row(mut self, name: &str, cells: Vec<Option<f64>>) -> Self {
        self.names.push(name.to_owned());
        self.rows.push(cells);
        self
    }

    /// The figure; its CSV has a line for each cell with the name of what is measured.
    pub fn figure(self, measure: &str) -> Figure {
        let height = 130 + 15 * u32::try_from(self.names.len()).unwrap_or(40).max(4);
        let lines: Vec<Vec<Value>> = self
            .names
            .iter()
            .zip(&self.rows)
            .flat_map(|(name, cells)| {
                self.columns
                    .iter()
                    .zip(cells)
                    .map(move |(at, cell)| vec![json!(name), json!(at), json!(cell)])
            })
            .collect();
        let empty = self.names.is_empty() || self.columns.is_empty();
        let mut figure = self.figure.height(height).csv(&["row", "at", measure], lines);
        if !empty {
            let trace = plotly::HeatMap::new(self.columns, self.names, self.rows);
            figure = figure.trace(&*trace);
        }
        figure
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_a_thing() {
        let axis = || Axis::new("time", Unit::Seconds);
        assert!(HeatMap::new("h", "H", axis(), vec![0.5]).figure("busy").is_empty());
        let figure =
            HeatMap::new("h", "H", axis(), vec![0.5, 1.5]).row("a", vec![Some(0.25), None]).figure("busy");
        let json: Value = serde_json::from_str(&figure.to_json()).expect("JSON");
        assert_eq!(json["data"][0]["type"], "heatmap");
        assert_eq!(json["data"][0]["z"], json!([[0.25, null]]));
        assert_eq!(json["csv"]["rows"], json!([["a", 0.5, 0.25], ["a", 1.5, null]]));
    }
}
