//! Am I affected by a middlebox? A check from this host to a server of the user's choice, over each local address and port.
//!
//! The client ([`run`]) connects by the kernel's Multipath TCP and by plain TCP, and asks the other end ([`Server`], `serve-check`) what it
//! saw of its packets. Where this process may see packets (CAP_NET_RAW), both ends compare what left with what arrived ([`Flows`],
//! [`compare`]); where it may not, the kernel's word remains ([`Sight`](crate::rows::Sight)). [`words`] says in sentences what the rows mean.
//!
//! [`fetch`] compares downloads over TCP and over Multipath TCP from the same server.

pub mod compare;
mod counters;
mod error;
pub mod fetch;
mod filter;
mod flows;
mod http;
mod join;
mod judge;
mod local;
mod report;
mod run;
mod seen;
mod serve;
mod settings;
mod talk;
mod watch;
pub mod words;

pub use error::Error;
pub use flows::{Flow, Flows, MOST_FLOWS};
pub use http::BadMessage;
pub use local::Local;
pub use report::{BadReport, MOST_BYTES, Report};
pub use run::{Outcome, affected, locals, run};
pub use seen::Seen;
pub use serve::{ServeSettings, Served, Server};
pub use settings::{DEFAULT_PORTS, Place, Settings};
pub use watch::Watch;
