//! Multipath TCP: the connection above the subflows.

mod data;
mod reorder;
mod scheduler;

pub use data::{DataSender, Supply};
pub use reorder::DataReceiver;
pub use scheduler::{Candidate, Scheduler};
