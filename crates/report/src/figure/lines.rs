//! Lines and points over two numeric axes.

use super::estimate::whiskers;
use super::{Axis, Colour, Estimate, Figure};
use plotly::Scatter;
use plotly::common::{DashType, Line, LineShape, Marker, MarkerSymbol, Mode};

/// One or more lines.
pub struct Lines {
    figure: Figure,
    shape: LineShape,
}

impl Lines {
    /// No line yet. Points are joined straight.
    pub fn new(id: &str, title: &str, x: Axis, y: Axis) -> Self {
        Self { figure: Figure::new(id, title, x, y), shape: LineShape::Linear }
    }

    /// Each value holds until the next point.
    pub fn steps(self) -> Self {
        Self { shape: LineShape::Hv, ..self }
    }

    /// Adds a line. A NaN in `y` is a gap.
    pub fn line(mut self, name: &str, colour: Colour, x: &[f64], y: &[f64]) -> Self {
        let line = Line::new().shape(self.shape.clone()).width(2.0).color(colour.token());
        let y: Vec<Option<f64>> = y.iter().map(|y| y.is_finite().then_some(*y)).collect();
        let trace = Scatter::new(x.to_vec(), y).name(name).mode(Mode::Lines).line(line);
        self.figure = self.figure.trace(&*trace);
        self
    }

    /// Adds a line with a mark and whiskers at each point; a text for each is shown on hovering.
    pub fn estimates(mut self, name: &str, colour: Colour, points: &[(f64, Estimate, String)]) -> Self {
        let x = points.iter().map(|point| point.0).collect();
        let estimates: Vec<Estimate> = points.iter().map(|point| point.1).collect();
        let y: Vec<f64> = estimates.iter().map(|estimate| estimate.value).collect();
        let texts = points.iter().map(|point| point.2.clone()).collect();
        let line = Line::new().width(2.0).color(colour.token());
        let marker = Marker::new().size(7).color(colour.token());
        let mut trace = Scatter::new(x, y)
            .name(name)
            .mode(Mode::LinesMarkers)
            .line(line)
            .marker(marker)
            .text_array(texts);
        if let Some(whiskers) = whiskers(&estimates, colour.token()) {
            trace = trace.error_y(whiskers);
        }
        self.figure = self.figure.trace(&*trace);
        self
    }

    /// Adds a dashed line, as for a limit.
    pub fn dashed(mut self, name: &str, colour: Colour, x: &[f64], y: &[f64]) -> Self {
        let line = Line::new().width(1.5).dash(DashType::Dash).color(colour.token());
        let trace = Scatter::new(x.to_vec(), y.to_vec()).name(name).mode(Mode::Lines).line(line);
        self.figure = self.figure.trace(&*trace);
        self
    }

    /// The figure.
    pub fn figure(self) -> Figure {
        self.figure
    }
}

/// Points, up to hundreds of thousands.
pub struct Points {
    figure: Figure,
}

impl Points {
    /// No point yet.
    pub fn new(id: &str, title: &str, x: Axis, y: Axis) -> Self {
        Self { figure: Figure::new(id, title, x, y) }
    }

    /// Adds points of one kind. `texts` are shown on hovering, one a point, or none at all.
    pub fn series(
        mut self,
        name: &str,
        colour: Colour,
        symbol: MarkerSymbol,
        points: &[(f64, f64)],
        texts: Vec<String>,
    ) -> Self {
        let (x, y): (Vec<f64>, Vec<f64>) = points.iter().copied().unzip();
        let marker = Marker::new().size(5).symbol(symbol).color(colour.token());
        let mut trace = Scatter::new(x, y).name(name).mode(Mode::Markers).marker(marker);
        if !texts.is_empty() {
            trace = trace.text_array(texts);
        }
        self.figure = self.figure.trace(&*trace);
        self
    }

    /// The figure.
    pub fn figure(self) -> Figure {
        self.figure
    }
}
