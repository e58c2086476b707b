//! `subflow tables`: the data dictionary.

use crate::args::TablesArgs;
use crate::console;
use crate::exit::Exit;
use crate::failure::Failure;
use subflow_analysis::rows::{DETAIL_SCHEMAS, SCHEMAS};
use subflow_compare::rows::{ENDS_SCHEMAS, NSTAT_SCHEMAS, RUNS_SCHEMAS, SERIES_SCHEMA};
use subflow_probe::rows::Verification;
use subflow_rows::Row;
use subflow_store::dictionary::{self, Chapter};

pub(super) fn run(args: &TablesArgs) -> Result<Exit, Failure> {
    let chapters = chosen(&args.tables)?;
    let page = if args.list_fields {
        let schemas: Vec<_> = chapters.iter().flat_map(|chapter| &chapter.schemas).copied().collect();
        dictionary::fields(&schemas)
    } else {
        dictionary::markdown(&chapters)
    };
    console::print(&page)?;
    Ok(Exit::Done)
}

/// Every table of every command.
fn chapters() -> [Chapter; 10] {
    [
        Chapter {
            title: "Captures",
            source: "`analyze` yields these tables, `live` too; `query` and `--report` read them.",
            schemas: SCHEMAS.to_vec(),
        },
        Chapter {
            title: "Captures, packet by packet",
            source: "`analyze --detail` adds these tables, `show` draws from them.",
            schemas: DETAIL_SCHEMAS.to_vec(),
        },
        Chapter {
            title: "Both ends of the same connections",
            source: "`compare A B` yields these tables, `delays` with `--series`.",
            schemas: [ENDS_SCHEMAS.as_slice(), &[SERIES_SCHEMA]].concat(),
        },
        Chapter {
            title: "Two runs, and the kernel's counters",
            source: "`compare --runs` yields `differences`, `compare --nstat` yields `counters`.",
            schemas: [RUNS_SCHEMAS, NSTAT_SCHEMAS].concat(),
        },
        Chapter {
            title: "Scans",
            source: "`scan` yields these tables: one row an answer, one a target, one a run.",
            schemas: subflow_probe::rows::SCHEMAS.to_vec(),
        },
        Chapter {
            title: "Verifications",
            source: "`verify` yields this table.",
            schemas: vec![Verification::SCHEMA],
        },
        Chapter {
            title: "Paths",
            source: "`tracebox` yields these tables: one row a hop, one a change on the way, one a target.",
            schemas: subflow_probe::rows::TRACE_SCHEMAS.to_vec(),
        },
        Chapter {
            title: "Checks",
            source: "`check` yields these tables, `fetches` with `--fetch`.",
            schemas: subflow_probe::rows::CHECK_SCHEMAS.to_vec(),
        },
        Chapter {
            title: "Simulations",
            source: "`sim` yields these tables. Times are seconds of the simulation, which has no calendar.",
            schemas: subflow_sim::rows::SCHEMAS.to_vec(),
        },
        Chapter {
            title: "The truth about simulated captures",
            source: "`sim -o DIR` writes these tables beside the captures of a run, in `DIR/runs/NUMBER`: what happened, as the simulated hosts and \
                     links know it. Columns that `analyze` has, too, mean the same.",
            schemas: subflow_sim::truth::rows::SCHEMAS.to_vec(),
        },
    ]
}

/// The tables of these names, or all.
fn chosen(names: &[String]) -> Result<Vec<Chapter>, Failure> {
    let mut chapters = chapters().to_vec();
    let tables = chapters.iter().flat_map(|chapter| &chapter.schemas);
    let tables: Vec<&str> = tables.map(|schema| schema.table).collect();
    if let Some(name) = names.iter().find(|name| !tables.contains(&name.as_str())) {
        return Err(Failure::usage(format!("there is no table `{name}`"))
            .hint(format!("the tables are {}", tables.join(", "))));
    }
    if !names.is_empty() {
        for chapter in &mut chapters {
            chapter.schemas.retain(|schema| names.iter().any(|name| name == schema.table));
        }
        chapters.retain(|chapter| !chapter.schemas.is_empty());
    }
    Ok(chapters)
}
