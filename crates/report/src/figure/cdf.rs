//! Cumulative distributions.

use super::{Axis, Colour, Figure, Unit};
use plotly::Scatter;
use plotly::common::{DashType, Line, LineShape, Mode};

/// A cumulative distribution: one or more step lines from 0 to 100 %.
pub struct Cdf {
    figure: Figure,
    lines: u32,
}

impl Cdf {
    /// An empty one over this axis.
    pub fn new(id: &str, title: &str, x: Axis) -> Self {
        let y = Axis::new("cumulative share", Unit::Share).range(0.0, 1.0);
        Self { figure: Figure::new(id, title, x, y), lines: 0 }
    }

    /// A line of points (value, share of values that do not exceed it), as
    /// [`Distribution::curve`](subflow_analysis::summary::Distribution::curve) yields them. On a logarithmic axis values
    /// of 0 are not drawn, but lift the beginning of the line.
    pub fn line(mut self, name: &str, points: &[(f64, f64)]) -> Self {
        if points.is_empty() {
            return self;
        }
        let dashes = [DashType::Solid, DashType::Dash, DashType::Dot, DashType::DashDot];
        let dash = dashes[self.lines as usize % dashes.len()].clone();
        let (x, y): (Vec<f64>, Vec<f64>) = points.iter().copied().unzip();
        let colour = Colour::Subflow(self.lines).token();
        let trace = Scatter::new(x, y)
            .name(name)
            .mode(Mode::Lines)
            .line(Line::new().shape(LineShape::Hv).width(2.0).dash(dash).color(colour));
        self.figure = self.figure.trace(&*trace);
        self.lines += 1;
        self
    }

    /// Marks a value that studies use as a limit.
    pub fn cut(self, at: f64) -> Self {
        Self { figure: self.figure.cut(at), ..self }
    }

    /// The figure.
    pub fn figure(self) -> Figure {
        self.figure
    }
}
