//! Settings of `subflow compare`.

use super::Wanted;
use super::layers::Layer;
use super::reading::{Reading, lower_layers, reading_flags};
use crate::args::{CompareArgs, FilterArgs, Side};
use crate::failure::Failure;
use std::path::{Path, PathBuf};
use subflow_compare::ends::{self, Sharing};
use subflow_compare::nstat::Host;
use subflow_compare::runs::{ThresholdError, Thresholds};

/// What `subflow compare` is to do.
#[derive(Debug)]
pub(crate) struct Compare {
    pub(crate) a: PathBuf,
    pub(crate) with: With,
    pub(crate) reading: Reading,
    pub(crate) wanted: Wanted,
}

/// What A is compared with.
#[derive(Debug)]
pub(crate) enum With {
    /// Another capture: two ends, or two runs, whatever they turn out to be.
    Capture { b: PathBuf, ends: ends::Settings, runs: bool, thresholds: Thresholds },
    /// The kernel's counters.
    Kernel { nstat: PathBuf, before: Option<PathBuf>, host: Option<Host> },
}

impl Compare {
    /// Checks what was asked for.
    pub(crate) fn new(args: CompareArgs) -> Result<Self, Failure> {
        let Some(a) = args.a else { return Err(Failure::usage("a capture is missing")) };
        for path in [Some(&a), args.b.as_ref()].into_iter().flatten() {
            if path == Path::new("-") {
                return Err(Failure::usage(
                    "standard input cannot be compared: captures are read more than once",
                )
                .hint("save it to a file first, as in: tcpdump -w trace.pcap tcp"));
            }
        }
        let flags = Layer { format: Wanted::flag(&args.rows), ..reading_flags(&args.read, &args.talk) };
        let mut layer = flags.over(lower_layers()?);
        let wanted = Wanted::new(args.rows, layer.format.take())?;
        let reading = Reading::of(FilterArgs::default(), &args.talk, &layer)?;
        let thresholds = Thresholds::new(&args.thresholds).map_err(|error| {
            let hint = match error {
                ThresholdError::Form(_) => "as in --threshold 5% or --threshold goodput_s2c=-10%",
                ThresholdError::Figure(_) => "subflow compare --list-figures lists them",
            };
            Failure::usage(error).hint(hint)
        })?;
        let with = match (args.nstat, args.b) {
            (Some(nstat), _) => {
                let host = args.side.map(|side| match side {
                    Side::Client => Host::Client,
                    Side::Server => Host::Server,
                });
                With::Kernel { nstat, before: args.nstat_before, host }
            }
            (None, Some(b)) => {
                let sharing = match (args.same_clock, args.different_clocks) {
                    (true, _) => Sharing::Same,
                    (_, true) => Sharing::Different,
                    _ => Sharing::Unknown,
                };
                let mut ends = ends::Settings { sharing, series: args.series, ..ends::Settings::default() };
                ends.window_ns = args.window.unwrap_or(ends.window_ns);
                let runs = args.runs || !thresholds.is_empty();
                With::Capture { b, ends, runs, thresholds }
            }
            (None, None) => return Err(Failure::usage("a second capture is missing")),
        };
        Ok(Self { a, with, reading, wanted })
    }
}
