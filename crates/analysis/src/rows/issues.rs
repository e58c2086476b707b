//! Table `issues`.

use subflow_rows::table;

table! {
    /// One row per file and reason: what could not be read or used.
    pub struct Issue: "issues" {
        /// The file; empty where the reason concerns no file.
        pub file: String,
        /// Byte offset of the first such place in the (uncompressed) file; null where there is none.
        pub offset: Option<u64> => "B",
        /// What was wrong, in words; of packets, with the frame of the first one.
        pub reason: String,
        /// How often.
        pub count: u64,
        /// Whether something of the input is missing from the tables because of it, as opposed to an oddity that was
        /// dealt with (copies, disorder, a clock set back).
        pub lost: bool,
    }
}
