//! The active side's way onto the network: where packets leave, who hears what comes back, and how many conversations run side by
//! side under one rate.
//!
//! What decides is a [`Talk`], which knows neither sockets nor clocks: it is given packets and times, and says what is to be sent
//! and when it wants to be woken. [`drive`] carries that out through a [`Channel`], which sends IP packets the way that
//! [`Ways`] finds for their target and keeps the kernel's own resets away while it lives.

mod channel;
mod craft;
mod drive;
mod filter;
mod neighbor;
mod out;
mod pace;
pub(crate) mod program;
mod received;
mod routes;
mod table;
mod talk;
mod ways;

pub use channel::Channel;
pub use craft::Head;
pub use drive::{Driven, Watch, drive};
pub(crate) use neighbor::resolve;
pub use out::{Local, Out};
pub use pace::Pacer;
pub use received::{Received, What};
pub(crate) use routes::{best, covers, routes};
pub use talk::{Nanos, Talk};
pub use ways::{Found, Hop, Options, Way, Ways};
