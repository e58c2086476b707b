//! What was found, to wherever it is wanted: the terminal, tables, a page.

use super::names;
use crate::commands::rows::Growing;
use crate::console;
use crate::failure::Failure;
use crate::settings::{Output, Showing, Talk};
use crate::summary::tracebox as summary;
use std::io;
use subflow_probe::trace::Concluded;
use subflow_report::tracebox::{Collected, Lookups, tracebox_report};

/// Takes targets as they are done.
pub(super) struct Found<'a> {
    show: &'a Showing,
    rows: Growing,
    collected: Collected,
}

impl<'a> Found<'a> {
    /// Opens the output.
    pub(super) fn open(show: &'a Showing) -> Result<Self, Failure> {
        Ok(Self { show, rows: Growing::open(&show.output, false)?, collected: Collected::default() })
    }

    /// Takes a target; `before` is what was known of it. The error only says that the output takes no more.
    pub(super) fn take(&mut self, target: Concluded, before: &str) -> io::Result<()> {
        self.rows.put(&target.target)?;
        target.hops.iter().try_for_each(|row| self.rows.put(row))?;
        target.modifications.iter().try_for_each(|row| self.rows.put(row))?;
        self.collected.add(target, before);
        Ok(())
    }

    /// Puts the rows so far where they belong.
    pub(super) fn flush(&mut self) {
        // A failure is told with the next row, or at the end.
        let _ = self.rows.flush();
    }

    /// Targets so far.
    pub(super) fn targets(&self) -> u64 {
        self.collected.totals.targets
    }

    /// What they come to.
    pub(super) fn collected(&self) -> &Collected {
        &self.collected
    }

    /// Finishes all outputs; `source` says where it comes from.
    pub(super) fn finish(self, source: &str, talk: Talk) -> Result<(), Failure> {
        let Self { show, rows, collected } = self;
        rows.finish(true, talk)?;
        let people = show.output == Output::Summary && !show.classic;
        let lookups = Lookups {
            names: if show.names && (people || show.html.is_some() || show.classic) {
                names::look_up(&collected)
            } else {
                Default::default()
            },
            operators: show.operators.clone(),
        };
        if let Some(path) = &show.html {
            tracebox_report(&collected, &lookups, source, path).map_err(|error| {
                Failure::failed(error)
                    .hint("name a file that you may write to, on a disk with room, with --html")
            })?;
            if !talk.quiet {
                console::note(format!("page in {}", path.display()));
            }
        }
        if people && collected.totals.targets > 0 {
            console::print(&summary::report(&collected, &lookups, talk.verbose))?;
        } else if !talk.quiet && !show.classic {
            console::note(summary::in_a_line(&collected.totals));
        }
        Ok(())
    }
}
