//! Answers: from received bytes to verified events, from events to findings, from findings to verdicts.
//!
//! Nothing here sends, waits or reads a clock.

mod answer;
mod evidence;
mod finding;
mod offline;
mod read;
mod repeats;

pub use answer::{Answer, IcmpError, OptionBytes, Packet};
pub use evidence::{Evidence, verdict};
pub use finding::{Mptcp, judge};
pub use offline::{Offline, classify};
pub use read::{Reader, Rejected};
pub(crate) use repeats::Mark;
pub use repeats::Repeats;
