//! Paths and what boxes on them do to Multipath TCP: for a terminal and as a page.
//!
//! [`Path`] puts the rows of one target together as people look at them, [`Totals`] says what many come to.

mod collect;
mod lookups;
mod path;
#[cfg(test)]
pub(crate) mod testing;
mod totals;
pub mod words;

pub use collect::{Collected, Kept, MOST_KEPT};
pub use lookups::{BadLine, Lookups, Network, Operators};
pub use path::{Lane, Line, Mark, Path};
pub use totals::{Counts, MOST_PLACES, Place, Totals};
