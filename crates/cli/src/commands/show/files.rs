//! What is written when files are asked for.

use crate::args::ShowOutputArgs;
use crate::failure::Failure;
use crate::text::counted;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use subflow_analysis::rows::{Sink, all_schemas};
use subflow_report::connection::{One, page, svg};
use subflow_report::{Output, mptcptrace, xplot};
use subflow_store::{DirectorySink, FileFormat, Selection};

/// Where which kind of file goes.
#[derive(Debug)]
pub(super) struct Files {
    html: Option<PathBuf>,
    svg: Option<PathBuf>,
    csv: Option<PathBuf>,
    xplot: Option<PathBuf>,
    mptcptrace: Option<PathBuf>,
}

impl Files {
    pub(super) fn new(args: &ShowOutputArgs) -> Self {
        let ShowOutputArgs { all: _, html, svg, csv, xplot, mptcptrace } = args;
        Self {
            html: html.clone(),
            svg: svg.clone(),
            csv: csv.clone(),
            xplot: xplot.clone(),
            mptcptrace: mptcptrace.clone(),
        }
    }

    /// Whether no file is wanted.
    pub(super) const fn is_empty(&self) -> bool {
        self.html.is_none()
            && self.svg.is_none()
            && self.csv.is_none()
            && self.xplot.is_none()
            && self.mptcptrace.is_none()
    }

    /// Writes them all; says what was written, a line each. `capture` is the name of the input.
    pub(super) fn write(&self, one: &One<'_>, capture: &str) -> Result<Vec<String>, Failure> {
        let mut told = Vec::new();
        if let Some(path) = &self.html {
            let file = File::create(path).map_err(|error| refused(path, &error))?;
            let mut out = BufWriter::new(file);
            page(one, capture).write(&mut out).map_err(Failure::failed)?;
            out.flush().map_err(|error| refused(path, &error))?;
            told.push(format!("page in {}", path.display()));
        }
        if let Some(path) = &self.svg {
            let text = svg(one).map_err(Failure::failed)?;
            fs::write(path, text).map_err(|error| refused(path, &error))?;
            told.push(format!("drawing in {}", path.display()));
        }
        if let Some(dir) = &self.csv {
            told.push(tables(one, dir)?);
        }
        for (dir, files) in [
            (&self.xplot, xplot::files as fn(&One<'_>, &str) -> Vec<Output>),
            (&self.mptcptrace, mptcptrace::files),
        ] {
            let Some(dir) = dir else { continue };
            let files = files(one, capture);
            fs::create_dir_all(dir).map_err(|error| refused(dir, &error))?;
            for file in &files {
                let path = dir.join(&file.name);
                fs::write(&path, &file.text).map_err(|error| refused(&path, &error))?;
            }
            told.push(format!("{} in {}", counted(files.len() as u64, "file"), dir.display()));
        }
        Ok(told)
    }
}

/// All tables of the connection.
fn tables(one: &One<'_>, dir: &Path) -> Result<String, Failure> {
    // What is not about connections stays out.
    let schemas: Vec<_> = all_schemas()
        .into_iter()
        .filter(|schema| !["traffic", "hosts", "issues"].contains(&schema.table))
        .collect();
    let mut sink = DirectorySink::create(dir, FileFormat::Csv, &Selection::all(&schemas))?;
    one.rows(|row| sink.row(row));
    let written = sink.finish()?;
    let rows: u64 = written.iter().map(|table| table.rows).sum();
    Ok(format!(
        "{} with {} in {}",
        counted(written.len() as u64, "table"),
        counted(rows, "row"),
        dir.display()
    ))
}

fn refused(path: &Path, error: &io::Error) -> Failure {
    Failure::failed(format!("cannot write {}: {error}", path.display()))
        .hint("name a place that you may write to, on a disk with room")
}
