//! Verification: does a target that answers with the option of Multipath TCP really speak it?
//!
//! A client in user space opens a connection to each target and proves what can be proved: that data is acknowledged with numbers made
//! from our key, that the server's data has numbers made from its own, and that a second subflow can be opened, whose HMAC
//! takes both (RFC 6824 and RFC 8684, sections 3.1 to 3.3). Where that fails it says at which step, and a connection of plain TCP tells a box that
//! dislikes the option from a server that is down.
//!
//! [`Verifier`] is the [`Talk`](crate::network::Talk) with one target, without socket or clock; [`run`] carries many of them out.
//! [`conclude`] says what the steps prove, [`words()`] says it to people.

#[cfg(test)]
mod captured;
mod connection;
mod flow;
mod handshake;
mod judge;
mod request;
mod run;
mod seen;
mod settings;
mod space;
#[cfg(test)]
mod tests;
mod verifier;
mod words;

pub use judge::conclude;
pub use request::Request;
pub use run::{Kept, Outcome, Sink, run};
pub use settings::{Patience, Settings, Target, Versions};
pub use verifier::{Shared, Verifier};
pub use words::words;
