//! Pictures and pages from tables: a self-contained HTML report, one connection in full, in words.
//!
//! [`page`] is the page itself, [`figure`] what is drawn in it, [`capture`] the report on a capture, [`explain`] why
//! things were counted as they were.

pub mod capture;
mod error;
pub mod explain;
pub mod figure;
pub mod page;
pub mod text;

pub use capture::capture_report;
pub use error::Error;
