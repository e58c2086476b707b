//! Rows into files: Parquet, JSON, JSON lines and CSV, all driven by the schemas that the rows declare.
//!
//! A [`Selection`] says which tables and columns are wanted. A sink takes rows as the analysis yields them:
//! [`DirectorySink`] keeps one file a table, [`StreamSink`] writes to one stream, such as standard output. Both
//! hold a bounded number of rows in memory and write the same bytes for the same rows: no clock and no random order
//! gets into a file.
//!
//! | kind of column | Parquet | JSON, JSON lines | CSV |
//! |---|---|---|---|
//! | bool | `BOOLEAN` | `true`, `false` | `true`, `false` |
//! | int | `INT64` | number | digits |
//! | float | `DOUBLE` | number, shortest that reads back the same | the same |
//! | text | `STRING` | string | text |
//! | time `t` | `TIMESTAMP(MICROS, UTC)` | RFC 3339 with nanoseconds | the same |
//! | time `t_ns` | `INT64`, nanoseconds since 1970 | number | digits |
//! | null | null | `null` | empty |

mod batch;
pub mod csv;
pub mod dictionary;
mod directory;
mod error;
mod growing;
pub mod json;
pub mod jsonl;
mod layout;
pub mod parquet;
pub mod records;
mod rows;
mod selection;
pub mod sql;
mod stream;
pub mod time;
mod writer;

pub use directory::{DirectorySink, FileFormat, Written};
pub use error::Error;
pub use growing::GrowingSink;
pub use layout::{Field, Form, Layout};
pub use selection::{Selection, SelectionError};
pub use stream::StreamSink;
pub use writer::TableWriter;
