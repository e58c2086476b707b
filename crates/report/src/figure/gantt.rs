//! What lasted from when to when.

use super::{Axis, Colour, Figure, Unit};
use plotly::Scatter;
use plotly::common::{Line, Mode};
use serde_json::{Value, json};
use std::collections::HashSet;

/// One bar.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    /// The row it lies in; rows are shown from the top in the order in which their first spans begin.
    pub row: String,
    /// Its beginning, in the unit of the axis.
    pub from: f64,
    /// Its end.
    pub to: f64,
    /// What is shown on hovering.
    pub text: String,
}

/// Bars over time, a row a thing.
pub struct Gantt {
    figure: Figure,
    rows: Vec<Value>,
    begins: Vec<(f64, String)>,
    width: f64,
}

impl Gantt {
    /// No bar yet. Bars are this many pixels thick.
    pub fn new(id: &str, title: &str, time: Axis, width: f64) -> Self {
        let figure = Figure::new(id, title, time, Axis::new("", Unit::Name)).wide().zoom();
        Self { figure, rows: Vec::new(), begins: Vec::new(), width }
    }

    /// Adds bars of one kind; all of them are one path, so that thousands do no harm.
    pub fn series(mut self, name: &str, colour: Colour, spans: &[Span]) -> Self {
        let mut x = Vec::with_capacity(spans.len() * 3);
        let mut y = Vec::with_capacity(spans.len() * 3);
        let mut texts = Vec::with_capacity(spans.len() * 3);
        for span in spans {
            x.extend([Some(span.from), Some(span.to), None]);
            y.extend([Some(span.row.clone()), Some(span.row.clone()), None]);
            texts.extend([span.text.clone(), span.text.clone(), String::new()]);
            self.begins.push((span.from, span.row.clone()));
            self.rows.push(json!([name, span.row, span.from, span.to, span.text]));
        }
        let line = Line::new().width(self.width).color(colour.token());
        let trace = Scatter::new(x, y).name(name).mode(Mode::Lines).line(line).text_array(texts);
        self.figure = self.figure.trace(&*trace);
        self
    }

    /// The figure.
    pub fn figure(mut self) -> Figure {
        self.begins.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut seen = HashSet::new();
        let order =
            self.begins.into_iter().map(|(_, row)| row).filter(|row| seen.insert(row.clone())).collect();
        let rows = self.rows.into_iter().filter_map(|row| match row {
            Value::Array(cells) => Some(cells),
            _ => None,
        });
        self.figure.order(order).csv(&["kind", "row", "from", "to", "what"], rows)
    }
}
