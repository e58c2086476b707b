//! Exit codes.

use std::process::ExitCode;

/// How the command ends, as scripts see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// 0: done. Also when the reader of standard output went away, as `head` does.
    Done = 0,
    /// 1: failed; or, with `--strict`, something in the input could not be read.
    Failed = 1,
    /// 2: the command line, the environment or the configuration asks for what cannot be.
    Usage = 2,
    /// 130: interrupted with Ctrl-C; what had been read by then was written.
    Interrupted = 130,
}

/// The same for `--help` and the man page.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0    done
  1    failed; with --strict also when something in the input could not be read
  2    wrong usage
  130  interrupted with Ctrl-C: what had been read was written (press it twice to stop at once)";

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
