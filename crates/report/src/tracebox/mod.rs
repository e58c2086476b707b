//! Paths and what boxes on them do to Multipath TCP: for a terminal and as a page.
//!
//! [`Path`] puts the rows of one target together as people look at them, [`Collected`] keeps what a run yields, [`Totals`] says what many
//! targets come to, and [`tracebox_report`] writes the page.

mod collect;
mod data;
mod lookups;
mod page;
mod path;
#[cfg(test)]
pub(crate) mod testing;
mod totals;
pub mod words;

pub use collect::{Collected, Kept, MOST_KEPT};
pub use lookups::{BadLine, Lookups, Network, Operators};
pub use page::{tracebox_report, write_tracebox};
pub use path::{Lane, Line, Mark, Path};
pub use totals::{Counts, MOST_PLACES, Place, Totals};
