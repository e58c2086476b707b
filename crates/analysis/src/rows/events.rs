//! Table `events`.

use super::{Direction, EventKind, Finding};
use subflow_rows::{Time, table};

table! {
    /// One row per thing worth telling: handovers, fallbacks, priority changes, failures, closes, withdrawn addresses,
    /// protocol violations and advice.
    pub struct Event: "events" {
        /// The connection.
        pub connection_id: u64,
        /// The subflow that it was seen on.
        pub subflow_id: u32,
        /// When.
        pub time: Time,
        /// Frame number within its file.
        pub frame: u64,
        /// Who sent it.
        pub direction: Direction,
        /// What it is.
        pub kind: EventKind,
        /// The particulars, in words.
        pub detail: String,
        /// Name of what was found, of violations and advice; null for other events.
        pub finding: Option<Finding>,
        /// The rule that it touches: RFC and section; null where none does.
        pub rule: Option<&'static str>,
    }
}
