//! A scan on the wire: sends probes at a rate, receives what comes, asks again where nothing came, and settles one target after
//! the other.
//!
//! [`run`] is the one entry. What decides is in `track`, which knows neither sockets nor clocks; `send` and `receive` only carry
//! out. Targets are numbered by their position in the order of the [`Plan`](crate::targets::Plan), and everything that
//! has to be remembered of them is kept only from when they are probed until they are settled, a few
//! cooldowns later: memory follows rate and cooldown, not the number of targets.

mod about;
mod campaign;
mod filter;
mod known;
mod network;
mod receive;
mod run;
mod send;
mod settings;
mod sink;
mod state;
mod throttle;
mod track;
mod work;

pub use about::{About, AboutServer};
pub use campaign::{DryRun, dry_run};
pub use network::{Network, find};
pub use run::{Outcome, run};
pub use settings::{Rate, Resets, Settings};
pub use sink::{Kept, Progress, Sink};
pub use state::State;
pub use track::{Ask, Tracker};
