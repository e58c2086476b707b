//! Why a command gives up: what, where, why, and what to do next.

use crate::exit::Exit;
use crate::text::counted;
use std::fmt::{self, Display};
use std::io;

/// An error as it is shown: one line, and a `hint:` line with the next step where there is one.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    what: String,
    hint: Option<String>,
    closed_pipe: bool,
}

impl Failure {
    /// The work could not be done.
    pub(crate) fn failed(what: impl Display) -> Self {
        Self { exit: Exit::Failed, what: what.to_string(), hint: None, closed_pipe: false }
    }

    /// What was asked for cannot be.
    pub(crate) fn usage(what: impl Display) -> Self {
        Self { exit: Exit::Usage, ..Self::failed(what) }
    }

    /// Adds the next step.
    pub(crate) fn hint(self, hint: impl Display) -> Self {
        Self { hint: Some(hint.to_string()), ..self }
    }

    /// The code to exit with.
    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }

    /// The next step.
    pub(crate) fn next_step(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// Whether the reader of standard output went away, which is an end and no error.
    pub(crate) fn is_closed_pipe(&self) -> bool {
        self.closed_pipe
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl From<subflow_store::Error> for Failure {
    fn from(error: subflow_store::Error) -> Self {
        use subflow_store::Error;
        let failure = Self { closed_pipe: error.is_closed_pipe(), ..Self::failed(&error) };
        match &error {
            Error::Folder { source, .. } if source.kind() == io::ErrorKind::AlreadyExists => {
                failure.hint("a file of that name is in the way; name another folder with -o")
            }
            Error::Folder { .. } | Error::File { .. } => {
                failure.hint("name a folder that you may write to, on a disk with room, with -o")
            }
            Error::Stream(_) => failure,
        }
    }
}

impl From<subflow_store::sql::Error> for Failure {
    fn from(error: subflow_store::sql::Error) -> Self {
        use subflow_store::sql::Error;
        let text = error.to_string();
        let hint = error.hint().map(str::to_owned);
        let failure = match error {
            Error::Stream(source) => return Self::from(source),
            Error::Cancelled => Self { exit: Exit::Interrupted, ..Self::failed(text) },
            error if error.is_usage() => Self::usage(text),
            _ => Self::failed(text),
        };
        Self { hint, ..failure }
    }
}

impl From<subflow_probe::Error> for Failure {
    fn from(error: subflow_probe::Error) -> Self {
        use subflow_probe::{Error, NetError};
        match error {
            Error::NotAcknowledged { targets } => Self::usage(format!(
                "there are public addresses among the {}, and nobody has said that their owners were considered",
                counted(targets, "target")
            ))
            .hint(
                "see what would be sent with --dryrun; if you answer for it, say so with --i-have-permission, and whom to ask \
                 with --contact",
            ),
            Error::AllBlocked => Self::usage(error)
                .hint("private and other special-purpose addresses are probed with --special only"),
            Error::State { .. } => Self::failed(error)
                .hint("give the arguments of that scan again, or begin another one: without --resume, in another folder"),
            Error::BadLine(_) => {
                Self::failed(error).hint("correct the line, or leave --strict out to pass over such lines")
            }
            Error::List { .. } => Self::failed(error),
            Error::NoRoute { .. } | Error::NotEthernet { .. } => {
                Self::failed(error).hint("name another interface with -i")
            }
            Error::NoSource { .. } => {
                Self::failed(error).hint("name another interface with -i, or an address with --source-ip")
            }
            Error::NoGateway { .. } => {
                Self::failed(error).hint("is it up? its hardware address can be given with --gateway-mac")
            }
            Error::Net(error) => match error {
                NetError::NotPermitted => Self::failed("not permitted to send and receive packets")
                    .hint("allow it once with: sudo setcap cap_net_raw+ep $(which subflow)"),
                NetError::NoInterface { name, known } => {
                    Self::failed(format!("there is no interface '{name}'"))
                        .hint(format!("there are {}", known.join(", ")))
                }
                NetError::Down => Self::failed(error).hint("bring it up, as in: sudo ip link set eth0 up"),
                error => Self::failed(error),
            },
            Error::Capture(error) => Self::failed(error),
            error => Self::usage(error),
        }
    }
}

/// For writing to standard output.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::from(subflow_store::Error::Stream(error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_pipe_is_an_end() {
        assert!(Failure::from(io::Error::from(io::ErrorKind::BrokenPipe)).is_closed_pipe());
        assert!(!Failure::from(io::Error::from(io::ErrorKind::StorageFull)).is_closed_pipe());
    }

    #[test]
    fn usage_exits_with_2() {
        let failure = Failure::usage("no").hint("yes");
        assert_eq!((failure.exit(), failure.next_step()), (Exit::Usage, Some("yes")));
        assert_eq!(Failure::failed("no").exit(), Exit::Failed);
    }
}
