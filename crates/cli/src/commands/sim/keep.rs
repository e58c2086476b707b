//! The folder of a sweep: each run's tables as CSV, so that what is done need not be done again, and beside its captures the truth
//! about them.

use crate::failure::Failure;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Write};
use std::path::Path;
use subflow_rows::{ReadRow, Row};
use subflow_sim::rows::Tables;
use subflow_sim::sweep::{Folder, Job};
use subflow_sim::truth::rows as truth;
use subflow_store::{DirectorySink, FileFormat, Layout, Selection, TableWriter, csv};

/// Reads the tables of a run that is done.
pub(super) fn read(folder: &Folder, job: &Job) -> Result<Tables, Failure> {
    let dir = folder.run(job);
    Ok(Tables {
        runs: table(&dir)?,
        flows: table(&dir)?,
        links: table(&dir)?,
        queues: table(&dir)?,
        changes: table(&dir)?,
        ..Tables::default()
    })
}

fn table<R: ReadRow>(dir: &Path) -> Result<Vec<R>, Failure> {
    let path = dir.join(R::SCHEMA.table).with_extension("csv");
    File::open(&path).and_then(|file| csv::read(BufReader::new(file))).map_err(|error| {
        Failure::failed(format!("cannot go on with {}: {error}", path.display()))
            .hint("remove the `.done` file beside its folder, so that this run is done again")
    })
}

/// Keeps the tables of a run, and says that it is done.
pub(super) fn write(folder: &Folder, job: &Job, tables: &Tables) -> Result<(), Failure> {
    let dir = folder.run(job);
    let failed = |error: io::Error| {
        Failure::failed(format!("cannot write to {}: {error}", dir.display()))
            .hint("name a folder that you may write to, on a disk with room, with -o")
    };
    fs::create_dir_all(&dir).map_err(failed)?;
    put(&dir, &tables.runs).map_err(failed)?;
    put(&dir, &tables.flows).map_err(failed)?;
    put(&dir, &tables.links).map_err(failed)?;
    put(&dir, &tables.queues).map_err(failed)?;
    put(&dir, &tables.changes).map_err(failed)?;
    if let Some(truth) = &tables.truth {
        write_truth(&dir, truth)?;
    }
    folder.mark_done(job).map_err(Failure::failed)
}

fn write_truth(dir: &Path, truth: &truth::Tables) -> Result<(), Failure> {
    let mut sink = DirectorySink::create(dir, FileFormat::Parquet, &Selection::all(&truth::SCHEMAS))?;
    truth.connections.iter().for_each(|row| sink.put(row));
    truth.subflows.iter().for_each(|row| sink.put(row));
    truth.mappings.iter().for_each(|row| sink.put(row));
    truth.reinjections.iter().for_each(|row| sink.put(row));
    truth.drops.iter().for_each(|row| sink.put(row));
    truth.rtts.iter().for_each(|row| sink.put(row));
    truth.announcements.iter().for_each(|row| sink.put(row));
    truth.events.iter().for_each(|row| sink.put(row));
    sink.finish()?;
    Ok(())
}

fn put<R: Row>(dir: &Path, rows: &[R]) -> io::Result<()> {
    let file = File::create(dir.join(R::SCHEMA.table).with_extension("csv"))?;
    let mut out = BufWriter::new(file);
    let mut writer = csv::Writer::new(Layout::new(&R::SCHEMA), &mut out)?;
    for row in rows {
        writer.row(row.cells().as_ref())?;
    }
    writer.finish()?;
    drop(writer);
    out.flush()
}
