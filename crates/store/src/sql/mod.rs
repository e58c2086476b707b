//! SQL over the tables: those that an analysis yields, kept in memory, or those that lie stored as Parquet.
//!
//! [`Inputs`] tells captures from stored tables. A [`Session`] holds the tables, an answer is [`Rows`], and [`Rows::write`]
//! puts them into any [`Form`]. Statements read only: whatever would write is refused.
//!
//! The engine is DataFusion. It is asynchronous inside; here it runs on the calling thread, and nothing of it shows.
//!
//! ```
//! use subflow_store::sql::{Answer, Form, Session};
//!
//! let session = Session::of_captures()?;
//! let statements = session.parse("SELECT count(*) AS connections FROM connections")?;
//! let Answer::Rows(rows) = session.run(&statements[0])? else { unreachable!() };
//! let mut text = Vec::new();
//! rows.write(Form::Csv, &mut text, &|| false)?;
//! assert_eq!(text, b"connections\n0\n");
//! # Ok::<(), subflow_store::sql::Error>(())
//! ```

mod answer;
mod catalogue;
mod cells;
mod error;
mod grid;
mod inputs;
mod memory;
mod near;
mod session;
mod statement;
mod stored;

pub use answer::{Answer, Form, Rows};
pub use error::{Error, Place};
pub use inputs::{Inputs, StoredFile, describe};
pub use memory::MemorySink;
pub use session::Session;
pub use statement::{Command, Sql, Statement, is_complete};
