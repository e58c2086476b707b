//! Settings of every command that reads captures.

use super::config;
use super::layers::{Layer, Process};
use crate::args::{FilterArgs, ReadArgs, TalkArgs};
use crate::failure::Failure;
use std::io::{self, IsTerminal};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::thread;
use subflow_analysis::{Filter, Options};

/// How captures are read, and how much is said meanwhile.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    pub(crate) options: Options,
    pub(crate) threads: usize,
    pub(crate) talk: Talk,
}

/// How much is said on standard error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Talk {
    pub(crate) quiet: bool,
    pub(crate) verbose: bool,
    pub(crate) progress: bool,
}

impl Talk {
    /// From the flags and what is below them.
    pub(super) fn of(args: &TalkArgs, layer: &Layer) -> Self {
        let quiet = layer.quiet.unwrap_or(false);
        Self { quiet, verbose: args.verbose, progress: layer.progress.unwrap_or(true) && !quiet }
    }
}

impl Reading {
    /// Settings of a command without more flags than these; `command` stands in messages.
    pub(crate) fn new(
        captures: &[PathBuf],
        filter: FilterArgs,
        read: &ReadArgs,
        talk: &TalkArgs,
        command: &str,
    ) -> Result<Self, Failure> {
        refuse_terminal(captures, command)?;
        Self::of(filter, talk, &reading_flags(read, talk).over(lower_layers()?))
    }

    /// From flags laid over what is below them.
    pub(super) fn of(filter_args: FilterArgs, talk: &TalkArgs, layer: &Layer) -> Result<Self, Failure> {
        let mut options = Options { filter: filter(filter_args)?, ..Options::default() };
        if let Some(idle_timeout_ns) = layer.idle_timeout {
            options.idle_timeout_ns = idle_timeout_ns;
        }
        Ok(Self {
            options,
            threads: layer
                .threads
                .or_else(|| thread::available_parallelism().ok())
                .map_or(1, NonZeroUsize::get),
            talk: Talk::of(talk, layer),
        })
    }
}

/// Environment over configuration file.
pub(super) fn lower_layers() -> Result<Layer, Failure> {
    Ok(Layer::from_environment(&Process)?.over(config::load(&Process)?))
}

/// Nobody types a capture.
pub(super) fn refuse_terminal(captures: &[PathBuf], command: &str) -> Result<(), Failure> {
    if captures.iter().any(|path| path == Path::new("-")) && io::stdin().is_terminal() {
        return Err(Failure::usage("standard input is a terminal, not a capture")
            .hint(format!("pipe a capture into it, as in: tcpdump -w - tcp | subflow {command} -")));
    }
    Ok(())
}

/// What the flags say. A flag that is not given says nothing.
pub(super) fn reading_flags(read: &ReadArgs, talk: &TalkArgs) -> Layer {
    Layer { idle_timeout: read.idle_timeout, threads: read.threads, ..talk_flags(talk) }
}

/// What they say of how much is said.
pub(super) fn talk_flags(talk: &TalkArgs) -> Layer {
    Layer {
        quiet: pair(talk.quiet, talk.verbose),
        progress: pair(talk.progress, talk.no_progress),
        ..Layer::default()
    }
}

/// Two opposite flags, of which neither may be given.
pub(super) fn pair(yes: bool, no: bool) -> Option<bool> {
    (yes || no).then_some(yes)
}

fn filter(args: FilterArgs) -> Result<Filter, Failure> {
    if let (Some(since), Some(until)) = (args.since, args.until)
        && since >= until
    {
        return Err(Failure::usage("--since is not before --until: no packet would be left"));
    }
    Ok(Filter {
        ports: args.ports,
        hosts: args.hosts,
        since_ns: args.since,
        until_ns: args.until,
        connections: args.connections,
    })
}
