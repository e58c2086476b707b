//! The tables of the active side. The field comments are the data dictionary.

mod campaigns;
mod names;
mod probes;
mod targets;

pub use campaigns::Campaign;
pub use names::{AnswerKind, End, Finding, Sending, Verdict};
pub use probes::Probe;
use subflow_rows::{Row, Schema};
pub use targets::Target;

/// The schemas of the tables of a scan.
pub const SCHEMAS: [Schema; 3] = [Probe::SCHEMA, Target::SCHEMA, Campaign::SCHEMA];
