//! Interactive figures, drawn by plotly in the page.
//!
//! A [`Figure`] is data with its meaning: traces, two [`Axis`]es with units, the definition in words and the population
//! it is drawn over. How it looks (fonts, colours in the light and the dark, ticks, hover texts, what fits on a phone
//! and on paper) is decided in one place for all figures, `assets/figure.js`, when it is drawn: only once it comes into
//! view.
//!
//! Helpers make the usual kinds: [`Cdf`], [`Bars`], [`Lines`], [`Points`], [`Gantt`], [`HeatMap`]. Anything else can be made of
//! plotly's own traces with [`Figure::trace`]; colours are then to be [`Colour`]s, which follow the theme.
//!
//! ```
//! use subflow_report::figure::{Axis, Cdf, Unit};
//! let figure = Cdf::new("join-delay", "Delay of the second subflow", Axis::new("delay", Unit::Seconds).log())
//!     .line("all connections", &[(0.05, 0.5), (1.5, 1.0)])
//!     .cut(0.2)
//!     .figure()
//!     .definition("Start of the second subflow minus start of the initial one.")
//!     .over("connections with a second subflow", 2);
//! assert!(figure.to_json().contains("\"delay\""));
//! ```
//!
//! Many points: [`Points`] and [`Lines`] may hold hundreds of thousands. The page keeps all of them and draws those that
//! make a difference at the present zoom (at most one a spot of about two pixels), so that panning stays smooth without
//! WebGL.

mod axis;
mod bars;
mod cdf;
mod estimate;
mod gantt;
mod heat;
mod lines;

pub use axis::{Axis, Unit};
pub use bars::Bars;
pub use cdf::Cdf;
pub use estimate::Estimate;
pub use gantt::{Gantt, Span};
pub use heat::HeatMap;
pub use lines::{Lines, Points};
use plotly::Trace;
use serde_json::{Value, json};

/// A colour of the theme, for marks: one value in the light and one in the dark, told apart by colour-blind readers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// The colour of a subflow, the same in every figure; after eight they repeat.
    Subflow(u32),
    /// Something that is as it should be.
    Good,
    /// Something lost or failed.
    Bad,
    /// Context, in the background.
    Muted,
}

impl Colour {
    /// What stands in a trace; the page puts the theme's value there.
    pub fn token(self) -> String {
        match self {
            Self::Subflow(id) => format!("var(--s{})", id % 8),
            Self::Good => "var(--good)".to_owned(),
            Self::Bad => "var(--bad)".to_owned(),
            Self::Muted => "var(--muted)".to_owned(),
        }
    }
}

/// A figure with its data and what it means.
#[derive(Clone)]
pub struct Figure {
    id: String,
    title: String,
    definition: String,
    population: Option<(String, u64)>,
    alternative: String,
    height: u32,
    wide: bool,
    zoom: bool,
    legend: bool,
    x: Axis,
    y: Axis,
    traces: Vec<Value>,
    stacked: bool,
    cuts: Vec<f64>,
    levels: Vec<(f64, String)>,
    order: Option<Vec<String>>,
    csv: Option<Value>,
}

impl Figure {
    /// An empty figure. The id is unique in its page and names its CSV file: lower-case letters, digits and `-`.
    pub fn new(id: &str, title: &str, x: Axis, y: Axis) -> Self {
        Self {
            id: id.to_owned(),
            title: title.to_owned(),
            definition: String::new(),
            population: None,
            alternative: String::new(),
            height: 300,
            wide: false,
            zoom: false,
            legend: false,
            x,
            y,
            traces: Vec::new(),
            stacked: false,
            cuts: Vec::new(),
            levels: Vec::new(),
            order: None,
            csv: None,
        }
    }

    /// What the figure shows, in words, below it.
    pub fn definition(self, words: &str) -> Self {
        Self { definition: words.to_owned(), ..self }
    }

    /// What it is drawn over, in the plural, and how many of these there are: `n = …`.
    pub fn over(self, population: &str, n: u64) -> Self {
        Self { population: Some((population.to_owned(), n)), ..self }
    }

    /// What a reader who cannot see it should know: the finding, in a sentence.
    pub fn alternative(self, words: &str) -> Self {
        Self { alternative: words.to_owned(), ..self }
    }

    /// Height in pixels; 300 unless set.
    pub fn height(self, pixels: u32) -> Self {
        Self { height: pixels, ..self }
    }

    /// Takes the whole width of the page instead of a column.
    pub fn wide(self) -> Self {
        Self { wide: true, ..self }
    }

    /// Can be zoomed and panned. Leave it off where scrolling past on a phone matters more.
    pub fn zoom(self) -> Self {
        Self { zoom: true, ..self }
    }

    /// Names what is drawn even where it is one thing alone.
    pub fn legend(self) -> Self {
        Self { legend: true, ..self }
    }

    /// Bars of one place stand on one another instead of side by side.
    pub fn stacked(self) -> Self {
        Self { stacked: true, ..self }
    }

    /// The order of the names on the y axis from the top; without it, that in which they first come.
    pub fn order(self, names: Vec<String>) -> Self {
        Self { order: Some(names), ..self }
    }

    /// Marks a value of the x axis with a thin line.
    pub fn cut(mut self, at: f64) -> Self {
        self.cuts.push(at);
        self
    }

    /// Marks a value of the y axis with a dashed line, with a word on it unless that is empty.
    pub fn level(mut self, at: f64, words: &str) -> Self {
        self.levels.push((at, words.to_owned()));
        self
    }

    /// Adds a trace made with plotly.
    pub fn trace(mut self, trace: &dyn Trace) -> Self {
        // Plotly serialises what it made itself; a trace that it cannot is left out rather than the page.
        if let Ok(value) = serde_json::from_str(&trace.to_json()) {
            self.traces.push(value);
        }
        self
    }

    /// Replaces what the CSV holds; without it, the traces' points.
    pub fn csv<R: IntoIterator<Item = Vec<Value>>>(self, columns: &[&str], rows: R) -> Self {
        let rows: Vec<Value> = rows.into_iter().map(Value::Array).collect();
        Self { csv: Some(json!({ "columns": columns, "rows": rows })), ..self }
    }

    /// Whether nothing is drawn in it; say so in a sentence instead of showing it.
    pub fn is_empty(&self) -> bool {
        let holds = |value: &Value| value.as_array().is_some_and(|values| !values.is_empty());
        !self.traces.iter().any(|trace| trace.get("x").is_some_and(holds))
    }

    /// The figure as JSON, as `assets/figure.js` takes it.
    pub fn to_json(&self) -> String {
        json!({
            "id": self.id,
            "title": self.title,
            "x": self.x.to_json(),
            "y": self.y.to_json(),
            "height": self.height,
            "zoom": self.zoom,
            "legend": self.legend,
            "stacked": self.stacked,
            "cuts": self.cuts,
            "levels": self.levels,
            "order": self.order,
            "csv": self.csv,
            "data": self.traces,
        })
        .to_string()
    }

    /// Its id.
    pub fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn view(&self) -> View<'_> {
        View {
            id: &self.id,
            title: &self.title,
            definition: &self.definition,
            population: self.population.as_ref().map(|(what, n)| (what.as_str(), crate::text::grouped(*n))),
            label: if self.alternative.is_empty() {
                self.title.clone()
            } else {
                format!("{}. {}", self.title, self.alternative)
            },
            height: self.height,
            wide: self.wide,
        }
    }
}

/// What the page's template shows around the drawing.
pub(crate) struct View<'a> {
    pub(crate) id: &'a str,
    pub(crate) title: &'a str,
    pub(crate) definition: &'a str,
    pub(crate) population: Option<(&'a str, String)>,
    pub(crate) label: String,
    pub(crate) height: u32,
    pub(crate) wide: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subflow_keeps_its_colour_and_colours_repeat() {
        assert_eq!(Colour::Subflow(0).token(), "var(--s0)");
        assert_eq!(Colour::Subflow(9).token(), Colour::Subflow(1).token());
    }

    #[test]
    fn a_figure_without_points_is_empty() {
        let axis = || Axis::new("x", Unit::Count);
        assert!(Figure::new("a", "A", axis(), axis()).is_empty());
        let none = Lines::new("a", "A", axis(), axis()).line("b", Colour::Muted, &[], &[]).figure();
        assert!(none.is_empty());
        let some = Lines::new("a", "A", axis(), axis()).line("b", Colour::Muted, &[1.0], &[2.0]).figure();
        assert!(!some.is_empty());
    }
}
