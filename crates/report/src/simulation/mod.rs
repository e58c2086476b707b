//! The report on a simulation: what was compared, by how much one scheme is better than another, and why.
//!
//! It is made of the tables of one run or of a whole sweep. Values of runs with several seeds are shown as means with confidence
//! intervals (Student's t, one value a seed); schemes are compared pairwise, seed by seed, as all of them get the same flows. A part for which the
//! tables have nothing (no samples of links, flows without a size …) is left out.
//!
//! ```
//! use subflow_report::simulation::{About, write_simulation};
//! use subflow_sim::rows::Tables;
//! let about = About::new("incast", "Forty hosts answer one.");
//! let mut page = Vec::new();
//! write_simulation(&about, &Tables::default(), &mut page)?;
//! assert!(String::from_utf8(page).expect("UTF-8").contains("incast"));
//! # Ok::<(), subflow_report::Error>(())
//! ```

mod about;
mod answers;
mod class;
mod compare;
mod data;
mod distributions;
mod failures;
mod links;
mod listing;
mod losses;
mod measure;
mod moves;
mod queries;
mod queues;
mod relative;
mod series;
mod slowdown;
#[cfg(test)]
mod tables;
mod throughput;
mod words;

pub use about::About;

use crate::error::Error;
use crate::page::{Page, Section};
use data::Data;
use std::io::Write;
use std::path::Path;
use subflow_sim::rows::Tables;

/// Writes the report to a file, which appears under its name only when it is whole.
///
/// # Errors
/// Where the file cannot be written.
pub fn simulation_report(about: &About, tables: &Tables, path: &Path) -> Result<(), Error> {
    crate::file::whole(path, |out| write_simulation(about, tables, out))
}

/// Writes the page.
///
/// # Errors
/// Where the writer fails.
pub fn write_simulation<W: Write>(about: &About, tables: &Tables, out: &mut W) -> Result<(), Error> {
    page(about, tables).write(out)
}

fn page(about: &About, tables: &Tables) -> Page {
    let data = Data::of(tables);
    let first = [Some(answers::section(&data)), Some(about::section(about, &data))];
    let rest: [Option<Section>; 12] = [
        slowdown::section(&data),
        relative::section(&data),
        distributions::section(&data),
        queries::section(&data),
        throughput::section(&data),
        links::section(&data),
        queues::section(&data),
        losses::section(&data),
        moves::section(&data),
        failures::section(&data),
        listing::runs(&data),
        listing::flows(&data),
    ];
    let page = Page::new("Simulation", &about.name);
    first.into_iter().chain(rest).flatten().fold(page, Page::section)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(tables: &Tables) -> String {
        let mut out = Vec::new();
        write_simulation(&About::new("<b>", "It shows & tells."), tables, &mut out).expect("a page");
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn no_run_is_said_in_a_sentence() {
        let page = written(&Tables::default());
        assert!(page.contains("No run is in the tables."));
        assert!(page.contains("<p>&#60;b&#62;</p>") && !page.contains("<figure"));
    }

    #[test]
    fn parts_are_there_when_the_tables_have_them() {
        let tables = tables::small();
        let page = written(&tables);
        for id in
            ["short", "about", "slowdown", "relative", "distributions", "losses", "moves", "runs", "flows"]
        {
            assert!(page.contains(&format!("<section id=\"{id}\"")), "{id}");
        }
        for id in ["throughput", "links", "queues", "failures", "queries"] {
            assert!(!page.contains(&format!("<section id=\"{id}\"")), "{id}");
        }
    }
}
