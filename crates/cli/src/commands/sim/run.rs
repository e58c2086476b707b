//! `subflow sim run`, `fabric` and `phone`: every scheme, load and seed of a scenario.

use super::keep;
use crate::commands::bar::bar;
use crate::commands::rows::Rows;
use crate::console;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::interrupt;
use crate::settings::Simulation;
use crate::summary::sim as summary;
use crate::text::counted;
use indicatif::ProgressBar;
use std::cell::Cell;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use subflow_report::simulation::{About, simulation_report};
use subflow_sim::rows::Tables;
use subflow_sim::scenario::{self, RunError, Scenario};
use subflow_sim::sweep::{self, Folder, Job};
use subflow_sim::time::Time;

/// Parts of a run that the progress bar knows.
const PARTS: u64 = 1000;

pub(super) fn run(mut simulation: Simulation) -> Result<Exit, Failure> {
    if simulation.print {
        console::print(&simulation.plan)?;
        return Ok(Exit::Done);
    }
    if simulation.dir.is_none() && !simulation.scenario.captures.is_empty() {
        if !simulation.talk.quiet {
            console::note("the captures of the scenario are left out: -o DIR names a folder for them");
        }
        simulation.scenario.captures.clear();
    }
    let folder = match &simulation.dir {
        Some(dir) => Some(Folder::open(dir, &simulation.plan).map_err(|error| {
            Failure::failed(error).hint("name another folder with -o, or remove this one to begin anew")
        })?),
        None => None,
    };
    interrupt::watch_saying(
        "\ninterrupted: what was done is kept; the same command goes on (Ctrl-C again stops at once)",
    );
    let jobs = sweep::jobs(&simulation.scenario);
    let (tables, done) = all(&simulation, folder.as_ref(), &jobs)?;
    let complete = done == jobs.len();
    if !complete && !simulation.talk.quiet {
        console::warning(format!("incomplete: {done} of {}", counted(jobs.len() as u64, "run")));
    }
    if let Some(path) = &simulation.report {
        simulation_report(&About::from(&simulation.scenario), &tables, path).map_err(|error| {
            Failure::failed(error)
                .hint("name a file that you may write to, on a disk with room, with --report")
        })?;
        if !simulation.talk.quiet {
            console::note(format!("report in {}", path.display()));
        }
    }
    let text = || summary::results(&simulation.scenario, &tables);
    let mut rows = Rows::open(simulation.output, text)?;
    rows.put(&tables.runs);
    rows.put(&tables.flows);
    rows.put(&tables.links);
    rows.put(&tables.queues);
    rows.put(&tables.changes);
    rows.finish()?;
    Ok(if complete { Exit::Done } else { Exit::Interrupted })
}

/// The tables of all runs, in their order, and how many runs were completed.
fn all(simulation: &Simulation, folder: Option<&Folder>, jobs: &[Job]) -> Result<(Tables, usize), Failure> {
    let bar = bar(
        simulation.talk.progress,
        Some(jobs.len() as u64 * PARTS),
        "{wide_bar} {percent:>3}%  {msg}  {eta} left",
    );
    let one = |job: &Job| -> Result<Option<Tables>, Failure> {
        if interrupt::is_pressed() {
            return Ok(None);
        }
        let done = match folder {
            Some(folder) if folder.is_done(job) => Some(keep::read(folder, job)?),
            _ => simulate(&simulation.scenario, folder, job, &bar)?,
        };
        Ok(done)
    };
    let (mut all, mut done) = (Tables::default(), 0);
    let finished = sweep::sweep(jobs, simulation.threads, one, |job, result| {
        let Some(tables) = result? else { return Ok(false) };
        bar.set_message(format!("{} done", counted(u64::from(job.run_id) + 1, "run")));
        tables.into_rows().for_each(|row| all.row(row));
        done += 1;
        Ok(true)
    });
    bar.finish_and_clear();
    finished.map(|()| (all, done))
}

/// Does one run. Nothing after Ctrl-C.
fn simulate(
    scenario: &Scenario,
    folder: Option<&Folder>,
    job: &Job,
    bar: &ProgressBar,
) -> Result<Option<Tables>, Failure> {
    let told = Cell::new(0);
    let tell = |now: u64| {
        bar.inc(now.saturating_sub(told.get()));
        told.set(now.max(told.get()));
    };
    let progress = |time: Time| {
        let part = time.0 as f64 / scenario.duration.0.max(1) as f64;
        tell(((part * PARTS as f64) as u64).min(PARTS));
        !interrupt::is_pressed()
    };
    let mut open = |name: &str| -> io::Result<Box<dyn Write>> {
        let dir = folder.map(|folder| folder.run(job)).unwrap_or_default();
        fs::create_dir_all(&dir)?;
        Ok(Box::new(BufWriter::new(File::create(dir.join(name))?)))
    };
    let captures: Option<&mut scenario::Open<'_>> = if folder.is_some() { Some(&mut open) } else { None };
    let tables = match scenario::run(scenario, job, captures, &progress) {
        Ok(tables) => tables,
        Err(RunError::Stopped) => return Ok(None),
        Err(error) => return Err(Failure::failed(error)),
    };
    tell(PARTS);
    if let Some(folder) = folder {
        keep::write(folder, job, &tables)?;
    }
    Ok(Some(tables))
}
