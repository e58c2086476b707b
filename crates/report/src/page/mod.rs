//! A page: one HTML file that needs nothing else.
//!
//! A [`Page`] is a title and [`Section`]s of [`Block`]s: sentences, key figures, tables and
//! [figures](crate::figure::Figure). Written out, it holds its style sheet, its scripts, plotly and all data; it asks
//! nobody for anything (a content security policy in it sees to that), follows the reader's light or dark setting and
//! has a switch, fits a phone and paper, and gives the data of every table and figure as CSV.
//!
//! All texts are escaped: addresses, file names and details of events come from captures, which anybody may have
//! written.
//!
//! ```
//! use subflow_report::page::{Block, Cell, Column, Page, Section, Table};
//! let table = Table::new("closes", "How connections ended", [Column::text("close"), Column::number("connections")])
//!     .row([Cell::text("data_fin"), Cell::count(12)]);
//! let section = Section::new("closes", "Closes").text("All of them ended well.").table(table);
//! let mut page = Vec::new();
//! Page::new("A <title>", "trace.pcap").section(section).write(&mut page)?;
//! let page = String::from_utf8(page).expect("UTF-8");
//! assert!(page.contains("<h1>A &#60;title&#62;</h1>"));
//! # Ok::<(), subflow_report::Error>(())
//! ```
//!
//! A page with moving parts of its own adds its data with [`Page::data`] and its script with [`Page::script`]. Scripts
//! find this in the object `subflow`:
//!
//! | | |
//! |---|---|
//! | `subflow.data(name)` | what was added under the name, parsed |
//! | `subflow.figure(element, spec)` | draws a figure (as [`Figure::to_json`] makes it, parsed) into an empty element, now |
//! | `subflow.element(tag, attributes, ...children)` | makes an element; children are elements or texts, never HTML |
//! | `subflow.csv(name, columns, rows)` | hands the reader a CSV file |
//! | `subflow.format(unit, value)` | a number for people, by the unit's name in a figure's JSON (`s`, `B`, `share`, …) |

mod assets;
mod json;
mod table;

use crate::error::Error;
use crate::figure::{Figure, View};
use askama::Template;
use std::io::Write;
pub use table::{Cell, Column, Table};

/// A page under construction.
pub struct Page {
    title: String,
    subtitle: String,
    sections: Vec<Section>,
    data: Vec<(String, String)>,
    scripts: Vec<&'static str>,
}

/// A part of a page, with a heading and a place in its table of contents.
pub struct Section {
    id: String,
    heading: String,
    blocks: Vec<Block>,
}

/// A piece of a section.
pub enum Block {
    /// A paragraph.
    Text(String),
    /// Findings, a sentence each, as a list.
    Findings(Vec<Finding>),
    /// Figures in large type.
    Facts(Vec<Fact>),
    /// A table.
    Table(Table),
    /// Figures beside one another where there is room.
    Figures(Vec<Figure>),
    /// Figures of which the reader sees one set at a time.
    Choice(Choice),
    /// Says that there is nothing to show, and why.
    Empty(String),
    /// HTML that a template has made, with everything in it escaped.
    Markup(String),
}

/// Figures of the same kind for several things, say loads: the reader chooses one; on paper, and without scripts, all are there.
#[derive(Clone)]
pub struct Choice {
    label: String,
    options: Vec<(String, Vec<Figure>)>,
}

impl Choice {
    /// Nothing to choose yet. The label says what is chosen, for those who cannot see it.
    pub fn new(label: &str) -> Self {
        Self { label: label.to_owned(), options: Vec::new() }
    }

    /// Adds an option; figures in which nothing is drawn are left out, and so is an option without figures.
    pub fn option(mut self, name: impl Into<String>, figures: impl IntoIterator<Item = Figure>) -> Self {
        let figures: Vec<_> = figures.into_iter().filter(|figure| !figure.is_empty()).collect();
        if !figures.is_empty() {
            self.options.push((name.into(), figures));
        }
        self
    }

    /// Whether nothing is drawn in it.
    pub fn is_empty(&self) -> bool {
        self.options.is_empty()
    }
}

/// A finding in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How it is to be taken.
    pub tone: Tone,
    /// A sentence or two.
    pub words: String,
}

/// How a finding is to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// As it is.
    Plain,
    /// As good news.
    Good,
    /// With care: it may mean something.
    Care,
    /// As bad news.
    Bad,
}

impl Block {
    /// The figures in it.
    fn drawn(&self) -> impl Iterator<Item = &Figure> {
        let (figures, options): (&[Figure], &[_]) = match self {
            Self::Figures(figures) => (figures, &[]),
            Self::Choice(choice) => (&[], &choice.options),
            _ => (&[], &[]),
        };
        figures.iter().chain(options.iter().flat_map(|(_, figures): &(String, Vec<Figure>)| figures))
    }
}

impl Tone {
    fn class(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Good => "good",
            Self::Care => "care",
            Self::Bad => "bad",
        }
    }
}

/// A key figure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// What it is.
    pub label: String,
    /// The figure.
    pub value: String,
    /// More about it, small; may be empty.
    pub note: String,
}

impl Fact {
    /// A key figure.
    pub fn new(label: &str, value: impl Into<String>, note: impl Into<String>) -> Self {
        Self { label: label.to_owned(), value: value.into(), note: note.into() }
    }
}

impl Section {
    /// An empty section. The id is unique in its page: lower-case letters, digits and `-`.
    pub fn new(id: &str, heading: &str) -> Self {
        Self { id: id.to_owned(), heading: heading.to_owned(), blocks: Vec::new() }
    }

    /// Adds a block.
    pub fn block(mut self, block: Block) -> Self {
        self.blocks.push(block);
        self
    }

    /// Adds a paragraph.
    pub fn text(self, words: impl Into<String>) -> Self {
        self.block(Block::Text(words.into()))
    }

    /// Adds a table.
    pub fn table(self, table: Table) -> Self {
        self.block(Block::Table(table))
    }

    /// Adds figures; those in which nothing is drawn are left out.
    pub fn figures(self, figures: impl IntoIterator<Item = Figure>) -> Self {
        let figures: Vec<_> = figures.into_iter().filter(|figure| !figure.is_empty()).collect();
        if figures.is_empty() { self } else { self.block(Block::Figures(figures)) }
    }

    /// Adds figures to choose from; a single option needs no choice, and nothing is left out.
    pub fn choice(self, mut choice: Choice) -> Self {
        match choice.options.len() {
            0 => self,
            1 => self.figures(choice.options.remove(0).1),
            _ => self.block(Block::Choice(choice)),
        }
    }

    /// Says in a sentence that there is nothing to show.
    pub fn empty(self, words: impl Into<String>) -> Self {
        self.block(Block::Empty(words.into()))
    }
}

impl Page {
    /// An empty page; the subtitle says what it is about.
    pub fn new(title: &str, subtitle: &str) -> Self {
        Self {
            title: title.to_owned(),
            subtitle: subtitle.to_owned(),
            sections: Vec::new(),
            data: Vec::new(),
            scripts: Vec::new(),
        }
    }

    /// Adds a section.
    pub fn section(mut self, section: Section) -> Self {
        self.sections.push(section);
        self
    }

    /// Adds data, a JSON document, for a script of the page.
    pub fn data(mut self, name: &str, json: &str) -> Self {
        self.data.push((name.to_owned(), json::in_script(json)));
        self
    }

    /// Adds a script of the page's own; it runs after those of every page. Never made of data.
    pub fn script(mut self, script: &'static str) -> Self {
        self.scripts.push(script);
        self
    }

    /// Writes the page.
    ///
    /// # Errors
    /// Where the writer fails.
    pub fn write<W: Write>(&self, out: &mut W) -> Result<(), Error> {
        let sections: Vec<SectionView<'_>> = self.sections.iter().map(SectionView::of).collect();
        let figures: Vec<(String, String)> = self
            .sections
            .iter()
            .flat_map(|section| &section.blocks)
            .flat_map(Block::drawn)
            .map(|figure| (figure.id().to_owned(), json::in_script(&figure.to_json())))
            .collect();
        let view = PageView {
            title: &self.title,
            subtitle: &self.subtitle,
            version: env!("CARGO_PKG_VERSION"),
            sections,
            data: &self.data,
            style: assets::STYLE,
            // Four megabytes that only figures need.
            plotly: if figures.is_empty() { "" } else { assets::plotly() },
            figures,
            scripts: assets::SCRIPTS.iter().chain(&self.scripts).copied().collect(),
        };
        view.write_into(out).map_err(Error::Page)
    }
}

#[derive(Template)]
#[template(path = "page.html")]
struct PageView<'a> {
    title: &'a str,
    subtitle: &'a str,
    version: &'a str,
    sections: Vec<SectionView<'a>>,
    figures: Vec<(String, String)>,
    data: &'a [(String, String)],
    style: &'a str,
    plotly: &'a str,
    scripts: Vec<&'a str>,
}

struct SectionView<'a> {
    id: &'a str,
    heading: &'a str,
    blocks: Vec<BlockView<'a>>,
}

/// A block as the template shows it.
enum BlockView<'a> {
    Text(&'a str),
    Findings(&'a [Finding]),
    Facts(&'a [Fact]),
    Table(&'a Table),
    Figures(Vec<View<'a>>),
    Choice(&'a str, Vec<(&'a str, Vec<View<'a>>)>),
    Empty(&'a str),
    Markup(&'a str),
}

impl<'a> SectionView<'a> {
    fn of(section: &'a Section) -> Self {
        let blocks = section.blocks.iter().map(|block| match block {
            Block::Text(words) => BlockView::Text(words),
            Block::Findings(findings) => BlockView::Findings(findings),
            Block::Facts(facts) => BlockView::Facts(facts),
            Block::Table(table) => BlockView::Table(table),
            Block::Figures(figures) => BlockView::Figures(figures.iter().map(Figure::view).collect()),
            Block::Choice(choice) => {
                let options = choice.options.iter().map(|(name, figures)| {
                    (name.as_str(), figures.iter().map(Figure::view).collect::<Vec<_>>())
                });
                BlockView::Choice(&choice.label, options.collect())
            }
            Block::Empty(words) => BlockView::Empty(words),
            Block::Markup(markup) => BlockView::Markup(markup),
        });
        Self { id: &section.id, heading: &section.heading, blocks: blocks.collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::{Axis, Bars, Colour, Unit};

    const HOSTILE: &str = "<script>alert(1)</script>.pcap";

    fn written(page: &Page) -> String {
        let mut out = Vec::new();
        page.write(&mut out).expect("a page");
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn nothing_hostile_gets_out_of_its_place() {
        let axis = |unit| Axis::new(HOSTILE, unit);
        let figure = Bars::upright("f", HOSTILE, axis(Unit::Name), axis(Unit::Count))
            .series(HOSTILE, Colour::Good, [(HOSTILE, 1.0)])
            .figure()
            .definition(HOSTILE)
            .over(HOSTILE, 1)
            .alternative("\" onmouseover=\"alert(1)");
        let table = Table::new("t", HOSTILE, [Column::text(HOSTILE)]).row([Cell::text(HOSTILE)]);
        let section = Section::new("s", HOSTILE)
            .text(HOSTILE)
            .empty(HOSTILE)
            .table(table)
            .figures([figure])
            .block(Block::Facts(vec![Fact::new(HOSTILE, HOSTILE, HOSTILE)]))
            .block(Block::Findings(vec![Finding { tone: Tone::Bad, words: HOSTILE.to_owned() }]));
        let page = Page::new(HOSTILE, HOSTILE).section(section).data("d", &format!("[\"{HOSTILE}\"]"));
        let text = written(&page);
        assert!(!text.contains("<script>alert"));
        assert!(!text.contains("\" onmouseover"));
        assert!(text.contains("&#60;script&#62;alert(1)&#60;/script&#62;.pcap"));
        assert!(text.contains("\\u003cscript"));
    }

    #[test]
    fn a_choice_of_one_is_none() {
        let figure = |id: &str| {
            let axis = |unit| Axis::new("a", unit);
            Bars::upright(id, "t", axis(Unit::Name), axis(Unit::Count))
                .series("s", Colour::Good, [("a", 1.0)])
                .figure()
        };
        let empty = Figure::new("e", "E", Axis::new("a", Unit::Count), Axis::new("b", Unit::Count));
        let one = Choice::new("load").option("20 %", [figure("f")]).option("40 %", [empty]);
        let text = written(&Page::new("a", "b").section(Section::new("s", "S").choice(one)));
        assert!(text.contains("data-figure=\"f\"") && !text.contains("<div class=\"choice\""));
        let two = Choice::new("load").option("<20 %", [figure("f")]).option("40 %", [figure("g")]);
        let text = written(&Page::new("a", "b").section(Section::new("s", "S").choice(two)));
        assert!(text.contains("data-choice=\"load\"") && text.contains("data-option=\"&#60;20 %\""));
        assert!(text.contains("id=\"figure-f\"") && text.contains("id=\"figure-g\""));
        assert!(!text.contains("data-figure=\"e\""));
    }

    #[test]
    fn a_page_names_no_other_place() {
        let text = written(&Page::new("a", "b"));
        assert!(!text.contains("plotly.js v"), "without figures it is not needed");
        assert!(!text.contains("http:") && !text.contains("https:"), "our own part refers to nothing");
        assert!(text.contains("default-src 'none'"));
    }
}
