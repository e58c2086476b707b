//! The tables of the active side. The field comments are the data dictionary.

mod campaigns;
mod check_names;
mod checks;
mod fetches;
mod hops;
mod modifications;
mod names;
mod probes;
mod targets;
mod trace_names;
mod traced;
mod verifications;

pub use campaigns::Campaign;
pub use check_names::{Attempt, CheckVerdict, FetchOutcome, JoinResult, Negotiated, Passage, Sight};
pub use checks::Check;
pub use fetches::Fetch;
pub use hops::Hop;
pub use modifications::Modification;
pub use names::{AnswerKind, End, Finding, Sending, Verdict};
pub use probes::Probe;
use subflow_rows::{Row, Schema};
pub use targets::Target;
pub use trace_names::{
    Asks, Behaviour, Category, ChangeKind, Confidence, Direction, Field, HopAnswer, QuoteKind,
};
pub use traced::Traced;
pub use verifications::{
    AnswerStep, Conclusion, DataStep, GivenUp, JoinStep, PlainStep, SynStep, Verification,
};

/// The schemas of the tables of a scan.
pub const SCHEMAS: [Schema; 3] = [Probe::SCHEMA, Target::SCHEMA, Campaign::SCHEMA];

/// The schemas of the tables of a check.
pub const CHECK_SCHEMAS: [Schema; 2] = [Check::SCHEMA, Fetch::SCHEMA];

/// The schemas of the tables of the path prober.
pub const TRACE_SCHEMAS: [Schema; 3] = [Hop::SCHEMA, Modification::SCHEMA, Traced::SCHEMA];
