//! What was found, to wherever it is wanted: the terminal, tables, a page.

use super::names;
use crate::commands::rows::Growing;
use crate::console;
use crate::failure::Failure;
use crate::settings::{Output, Showing, Talk};
use crate::summary::tracebox as summary;
use std::io::{self, BufWriter, Stdout, Write};
use subflow_probe::rows::Asks;
use subflow_probe::trace::{Concluded, Trace, classic, conclude};
use subflow_report::tracebox::{Collected, Lookups, tracebox_report};

/// Takes targets as they are done.
pub(super) struct Found<'a> {
    show: &'a Showing,
    rows: Growing,
    collected: Collected,
    /// Where lines in the shape of the classic tool go, and why they could not.
    classic_out: BufWriter<Stdout>,
    closed: Option<io::ErrorKind>,
}

impl<'a> Found<'a> {
    /// Opens the output.
    pub(super) fn open(show: &'a Showing) -> Result<Self, Failure> {
        Ok(Self {
            show,
            rows: Growing::open(&show.output, false)?,
            collected: Collected::default(),
            classic_out: console::stdout(),
            closed: None,
        })
    }

    /// Takes a target, and shows its rows to `look`; `before` is what was known of it. The error only says that the output takes no more.
    pub(super) fn take(
        &mut self,
        trace: &Trace,
        before: &str,
        look: impl FnOnce(&Concluded),
    ) -> io::Result<()> {
        if self.show.classic {
            self.classic(trace)?;
        }
        let target = conclude(trace);
        look(&target);
        self.rows.put(&target.target)?;
        target.hops.iter().try_for_each(|row| self.rows.put(row))?;
        target.modifications.iter().try_for_each(|row| self.rows.put(row))?;
        self.collected.add(target, before);
        Ok(())
    }

    /// A line in the shape of the classic tool: of the first kind of SYN that was asked with.
    fn classic(&mut self, trace: &Trace) -> io::Result<()> {
        let asks =
            trace.runs.iter().map(|run| run.asks).find(|asks| !matches!(asks, Asks::Plain | Asks::Data));
        let line = classic::json(trace, asks.unwrap_or(Asks::Plain), self.show.max_hop, self.show.verbose);
        let result = match line {
            Some(line) => writeln!(self.classic_out, "{line}").and_then(|()| self.classic_out.flush()),
            None => Ok(()),
        };
        if let Err(error) = &result {
            self.closed.get_or_insert(error.kind());
        }
        result
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
        let Self { show, rows, collected, closed, .. } = self;
        if let Some(closed) = closed {
            return Err(io::Error::from(closed).into());
        }
        rows.finish(true, talk)?;
        let people = show.output == Output::Summary && !show.classic;
        let lookups = Lookups {
            names: if show.names && (people || show.html.is_some()) {
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
