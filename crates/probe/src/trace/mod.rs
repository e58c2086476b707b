//! What the boxes on a path do to packets, and where: probes with growing hop limits, and what routers quote of them.
//!
//! A router that drops a packet because its hop limit has run out sends back the beginning of it, often all of it, as it got it
//! (RFC 792, RFC 1812 section 4.3.2.3, RFC 4443, RFC 4884). [`compare()`] holds such a quote against what was sent,
//! [`place()`] says between which hops a change was made, and [`conclude()`] what the path makes of Multipath TCP. All of them are
//! pure: they serve live probing and captures ([`offline`]) alike. The method is that of Detal et al., "Revealing
//! middlebox interference with tracebox" (IMC 2013).

mod change;
pub mod classic;
mod compare;
mod conclude;
mod flow;
mod infer;
mod language;
pub mod offline;
mod options;
mod path;
mod pin;
mod place;
mod record;
mod run;
mod session;
mod settings;
mod speaker;
mod tables;
mod walk;
pub mod words;

pub use change::{Change, Value};
pub use compare::{Comparison, Quote, Shown, compare, mpls_labels};
pub use conclude::{Edge, Span, Verdict};
pub use language::{BadOptions, OptionSpec, Values};
pub use path::Path;
pub use place::{Placed, place};
pub use record::{Quoted, Run, Seen, Step, Trace, asks, judge_answer};
pub use run::run;
pub use settings::Settings;
pub use tables::{Concluded, conclude};

#[cfg(test)]
mod offline_tests;
#[cfg(test)]
mod simulated;
#[cfg(test)]
mod talk_tests;
#[cfg(test)]
mod tests;
