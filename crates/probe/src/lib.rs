//! The active side of subflow: who supports Multipath TCP, and who only seems to.
//!
//! Probes are values, answers are events. [`targets`] says who is asked in which order, [`probes`] what is asked, [`answers`]
//! what the answers mean; none of them sends or waits. [`scan`] puts them on the wire by way of `subflow-netio`. [`network`] does
//! so for conversations, where what is sent next depends on what has come.

pub mod answers;
pub mod check;
pub mod distance;
mod error;
pub mod network;
pub mod probes;
pub mod rows;
pub mod scan;
mod stop;
mod summary;
pub mod targets;
pub mod trace;
pub mod verify;

pub use error::Error;
pub use stop::Stop;
pub use subflow_netio::Error as NetError;
pub use summary::{PortSummary, Summary};
