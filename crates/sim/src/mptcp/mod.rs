//! Multipath TCP: the connection above the subflows.

mod data;
mod reorder;

pub use data::{DataSender, Supply};
pub use reorder::DataReceiver;
