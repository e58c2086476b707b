//! Which nodes and links there are. One topology a file; each yields a [`Graph`](crate::net::Graph), in which interfaces are numbered host by host.

mod custom;
mod dumbbell;
mod fat_tree;
mod leaf_spine;
mod multihomed;
mod two_path;

pub use custom::{Custom, CustomHost, CustomInterface, CustomLink, CustomSwitch};
pub use dumbbell::Dumbbell;
pub use fat_tree::FatTree;
pub use leaf_spine::LeafSpine;
pub use multihomed::Multihomed;
pub use two_path::TwoPath;

/// Why a topology cannot be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A number is out of its range.
    #[error("{what} must be {range}, not {value}")]
    Range {
        /// Which number.
        what: &'static str,
        /// What is allowed.
        range: &'static str,
        /// What it was.
        value: u64,
    },
    /// A link or host names a node that is not there.
    #[error("no switch named {0:?}")]
    Unknown(String),
    /// Two nodes have one name.
    #[error("two nodes are named {0:?}")]
    Twice(String),
}

/// Refuses a number that is out of its range.
fn check(ok: bool, what: &'static str, range: &'static str, value: u64) -> Result<(), Error> {
    if ok { Ok(()) } else { Err(Error::Range { what, range, value }) }
}
