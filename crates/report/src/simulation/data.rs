//! The tables, by scheme, load and run.

use super::class::Class;
use std::collections::{BTreeSet, HashMap};
use subflow_sim::rows::{Change, Flow, Link, Queue, Run, Tables};

/// All runs with their rows.
pub(super) struct Data<'a> {
    /// Schemes in the order in which they were given; the others are compared with the first.
    pub(super) schemes: Vec<&'a str>,
    /// Loads in rising order; one `None` for workloads without a load.
    pub(super) loads: Vec<Option<f64>>,
    /// Runs by number.
    pub(super) runs: Vec<RunData<'a>>,
    /// Size classes in which there are flows, when there are two or more; else none.
    pub(super) classes: Vec<Class>,
}

/// One run with its rows.
pub(super) struct RunData<'a> {
    /// Its row.
    pub(super) row: &'a Run,
    /// Place of its scheme.
    pub(super) scheme: usize,
    /// Place of its load.
    pub(super) load: usize,
    /// Its flows by number.
    pub(super) flows: Vec<&'a Flow>,
    /// Its links as they were sampled.
    pub(super) links: Vec<&'a Link>,
    /// Its queues as they were sampled.
    pub(super) queues: Vec<&'a Queue>,
    /// What changed, by time.
    pub(super) changes: Vec<&'a Change>,
}

impl<'a> Data<'a> {
    /// Puts rows in their places. Rows of runs that are not in the table of runs are left out.
    pub(super) fn of(tables: &'a Tables) -> Self {
        let mut rows: Vec<&Run> = tables.runs.iter().collect();
        rows.sort_by_key(|run| run.run_id);
        let mut schemes: Vec<&str> = Vec::new();
        let mut loads: Vec<Option<f64>> = Vec::new();
        for run in &rows {
            if !schemes.contains(&run.scheme.as_str()) {
                schemes.push(&run.scheme);
            }
            if !loads.contains(&run.load) {
                loads.push(run.load);
            }
        }
        loads.sort_by(|a, b| a.unwrap_or(0.0).total_cmp(&b.unwrap_or(0.0)));
        let mut runs: Vec<RunData<'_>> = rows
            .into_iter()
            .map(|row| RunData {
                row,
                scheme: schemes.iter().position(|scheme| *scheme == row.scheme).unwrap_or(0),
                load: loads.iter().position(|load| *load == row.load).unwrap_or(0),
                flows: Vec::new(),
                links: Vec::new(),
                queues: Vec::new(),
                changes: Vec::new(),
            })
            .collect();
        let places: HashMap<u32, usize> =
            runs.iter().enumerate().map(|(place, run)| (run.row.run_id, place)).collect();
        macro_rules! sort_in {
            ($($table:ident),+) => { $(
                for row in &tables.$table {
                    if let Some(place) = places.get(&row.run_id) {
                        runs[*place].$table.push(row);
                    }
                }
            )+ };
        }
        sort_in!(flows, links, queues, changes);
        for run in &mut runs {
            run.flows.sort_by_key(|flow| flow.flow_id);
            run.changes.sort_by(|a, b| a.time.total_cmp(&b.time));
        }
        let some = |class: &Class| tables.flows.iter().any(|flow| class.holds(flow));
        let mut classes: Vec<Class> = Class::each().filter(some).collect();
        if classes.len() < 2 {
            classes.clear();
        }
        Self { schemes, loads, runs, classes }
    }

    /// The runs of a scheme at a load, by number.
    pub(super) fn of_cell(&self, scheme: usize, load: usize) -> impl Iterator<Item = &RunData<'a>> {
        self.runs.iter().filter(move |run| run.scheme == scheme && run.load == load)
    }

    /// Pairs of runs with the same seed at a load: of the first scheme, and of another.
    pub(super) fn pairs(
        &self,
        scheme: usize,
        load: usize,
    ) -> impl Iterator<Item = (&RunData<'a>, &RunData<'a>)> {
        self.of_cell(0, load).filter_map(move |first| {
            let other = self.of_cell(scheme, load).find(|run| run.row.seed == first.row.seed)?;
            Some((first, other))
        })
    }

    /// All size classes with that of all flows in front.
    pub(super) fn all_classes(&self) -> impl Iterator<Item = Class> {
        std::iter::once(Class::ALL).chain(self.classes.iter().copied())
    }

    /// How many different seeds there are.
    pub(super) fn seeds(&self) -> usize {
        self.runs.iter().map(|run| run.row.seed).collect::<BTreeSet<_>>().len()
    }

    /// Places of all schemes and loads with runs, by load.
    pub(super) fn cells(&self) -> impl Iterator<Item = (usize, usize)> {
        let pairs =
            (0..self.loads.len()).flat_map(|load| (0..self.schemes.len()).map(move |scheme| (scheme, load)));
        pairs.filter(|&(scheme, load)| self.of_cell(scheme, load).next().is_some())
    }

    /// The run that stands for a scheme where only one can be shown: at the highest load, of the first seed.
    pub(super) fn shown(&self, scheme: usize) -> Option<&RunData<'a>> {
        (0..self.loads.len()).rev().find_map(|load| self.of_cell(scheme, load).next())
    }

    /// Which runs [`Data::shown`] picks, in words: `the run at the highest load, 60 %, with the first seed`.
    pub(super) fn shown_words(&self) -> String {
        let load = self.load_name(self.loads.len().saturating_sub(1));
        match (&load[..], self.loads.len(), self.seeds()) {
            ("", _, 1) => "its only run".to_owned(),
            ("", ..) => "the run with the first seed".to_owned(),
            (load, 1, 1) => format!("the run at {load}"),
            (load, 1, _) => format!("the run at {load} with the first seed"),
            (load, _, 1) => format!("the run at the highest {}", load.replace("load ", "load, ")),
            (load, ..) => {
                format!("the run at the highest {}, with the first seed", load.replace("load ", "load, "))
            }
        }
    }

    /// A load in words; empty where there is none.
    pub(super) fn load_name(&self, load: usize) -> String {
        match self.loads.get(load) {
            Some(Some(load)) => super::words::load(*load),
            _ => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tables::small;
    use super::*;

    #[test]
    fn rows_come_to_their_runs() {
        let tables = small();
        let data = Data::of(&tables);
        assert_eq!(data.schemes, ["ecmp", "flowbender"]);
        assert_eq!(data.loads, [Some(0.2), Some(0.4)]);
        assert_eq!(data.seeds(), 2);
        assert_eq!(data.cells().collect::<Vec<_>>(), [(0, 0), (1, 0), (0, 1), (1, 1)]);
        let pairs: Vec<_> = data.pairs(1, 1).map(|(a, b)| (a.row.run_id, b.row.run_id)).collect();
        assert_eq!(pairs, [(4, 5), (6, 7)]);
        for run in &data.runs {
            assert!(run.flows.iter().all(|flow| flow.run_id == run.row.run_id));
        }
        assert_eq!(data.shown(1).map(|run| run.row.run_id), Some(5));
        assert_eq!(data.load_name(1), "load 40 %");
        assert_eq!(data.shown_words(), "the run at the highest load, 40 %, with the first seed");
        assert_eq!(data.classes.len(), 2);
    }
}
