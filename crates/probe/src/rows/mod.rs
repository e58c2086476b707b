//! The tables of the active side. The field comments are the data dictionary.

mod campaigns;
mod check_names;
mod checks;
mod fetches;
mod names;
mod probes;
mod targets;
mod verifications;

pub use campaigns::Campaign;
pub use check_names::{Attempt, CheckVerdict, FetchOutcome, JoinResult, Negotiated, Passage, Sight};
pub use checks::Check;
pub use fetches::Fetch;
pub use names::{AnswerKind, End, Finding, Verdict};
pub use probes::Probe;
use subflow_rows::{Row, Schema};
pub use targets::Target;
pub use verifications::{
    AnswerStep, Conclusion, DataStep, GivenUp, JoinStep, PlainStep, SynStep, Verification,
};

/// The schemas of the tables of a scan.
pub const SCHEMAS: [Schema; 3] = [Probe::SCHEMA, Target::SCHEMA, Campaign::SCHEMA];

/// The schemas of the tables of a check.
pub const CHECK_SCHEMAS: [Schema; 2] = [Check::SCHEMA, Fetch::SCHEMA];
