//! Downloads over TCP and over Multipath TCP from the same server, in alternation, and what the difference is worth.

mod tls;
mod url;

pub use tls::Trust;
pub use url::Url;
