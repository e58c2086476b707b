//! Downloads over TCP and over Multipath TCP from the same server, in alternation, and what the difference is worth: middleboxes cost
//! performance, too.

mod run;
mod summary;
mod tls;
mod url;
pub mod words;

pub use run::{Outcome, Settings, run};
pub use summary::{CONFIDENCE, Compared, Median, Summary};
pub use tls::Trust;
pub use url::Url;
