//! Bars and histograms.

use super::{Axis, Colour, Figure};
use plotly::Bar;
use plotly::common::{Marker, Orientation};

/// Bars over names or numbers, upright or lying; a histogram when the places are bins that were counted before.
pub struct Bars {
    figure: Figure,
    lying: bool,
}

impl Bars {
    /// Upright bars: `x` holds the places, `y` measures.
    pub fn upright(id: &str, title: &str, x: Axis, y: Axis) -> Self {
        Self { figure: Figure::new(id, title, x, y), lying: false }
    }

    /// Lying bars, for long names: `x` measures, `y` holds the places, the first on top.
    pub fn lying(id: &str, title: &str, x: Axis, y: Axis) -> Self {
        Self { figure: Figure::new(id, title, x, y), lying: true }
    }

    /// A series with a bar for each place.
    pub fn series<P: Into<String>>(
        mut self,
        name: &str,
        colour: Colour,
        bars: impl IntoIterator<Item = (P, f64)>,
    ) -> Self {
        let (places, sizes): (Vec<String>, Vec<f64>) =
            bars.into_iter().map(|(place, size)| (place.into(), size)).unzip();
        let marker = Marker::new().color(colour.token());
        self.figure = if self.lying {
            let bar = Bar::new(sizes, places).orientation(Orientation::Horizontal).name(name).marker(marker);
            self.figure.trace(&*bar)
        } else {
            self.figure.trace(&*Bar::new(places, sizes).name(name).marker(marker))
        };
        self
    }

    /// The figure.
    pub fn figure(self) -> Figure {
        self.figure
    }
}
