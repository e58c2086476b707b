//! Bars and histograms.

use super::estimate::whiskers;
use super::{Axis, Colour, Estimate, Figure};
use plotly::common::{DashType, Line, Marker, Mode, Orientation};
use plotly::{Bar, Scatter};

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

    /// A series of upright bars with whiskers where intervals are known; a text for each is shown on hovering.
    pub fn estimates(
        self,
        name: &str,
        colour: Colour,
        bars: impl IntoIterator<Item = (String, Estimate, String)>,
    ) -> Self {
        let bars = bars.into_iter().map(|(place, estimate, text)| (place, colour, estimate, text));
        self.coloured_estimates(name, bars)
    }

    /// The same with a colour for each bar.
    pub fn coloured_estimates(
        mut self,
        name: &str,
        bars: impl IntoIterator<Item = (String, Colour, Estimate, String)>,
    ) -> Self {
        let (mut places, mut colours) = (Vec::new(), Vec::new());
        let (mut estimates, mut texts) = (Vec::new(), Vec::new());
        for (place, colour, estimate, text) in bars {
            places.push(place);
            colours.push(colour.token());
            estimates.push(estimate);
            texts.push(text);
        }
        let sizes = estimates.iter().map(|estimate: &Estimate| estimate.value).collect();
        // The legend shows the colour of a series that has one.
        let one = colours.windows(2).all(|pair| pair[0] == pair[1]);
        let marker = match colours.first().filter(|_| one) {
            Some(colour) => Marker::new().color(colour.clone()),
            None => Marker::new().color_array(colours),
        };
        let mut bar = Bar::new(places, sizes).name(name).marker(marker).hover_text_array(texts);
        if let Some(whiskers) = whiskers(&estimates, "var(--ink)".to_owned()) {
            bar = bar.error_y(whiskers);
        }
        self.figure = self.figure.trace(&*bar);
        self
    }

    /// A dashed line with marks over the places of upright bars, as for a limit.
    pub fn marks(
        mut self,
        name: &str,
        colour: Colour,
        marks: impl IntoIterator<Item = (String, f64)>,
    ) -> Self {
        let (places, sizes): (Vec<String>, Vec<f64>) = marks.into_iter().unzip();
        if places.is_empty() {
            return self;
        }
        let line = Line::new().width(1.5).dash(DashType::Dash).color(colour.token());
        let marker = Marker::new().size(8).color(colour.token());
        let trace = Scatter::new(places, sizes).name(name).mode(Mode::LinesMarkers).line(line).marker(marker);
        self.figure = self.figure.trace(&*trace);
        self
    }

    /// The figure.
    pub fn figure(self) -> Figure {
        self.figure
    }
}
