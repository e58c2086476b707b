//! Pictures and pages from tables: a self-contained HTML report, one connection in full, in words.
//!
//! [`capture`] is the report on a capture, [`simulation`] that on a simulation, [`page`] what every page is made of, [`figure`]
//! what is drawn in it. [`connection`] is one connection in full, for a terminal, as a page and as a drawing; [`explain`] says why
//! things were counted as they were; [`xplot`] and [`mptcptrace`] are files for other tools.

pub mod capture;
pub mod connection;
mod error;
pub mod explain;
pub mod figure;
mod file;
pub mod mptcptrace;
mod output;
pub mod page;
pub mod simulation;
pub mod text;
pub mod tracebox;
pub mod xplot;

pub use capture::capture_report;
pub use error::Error;
pub use output::Output;
pub use simulation::simulation_report;
pub use tracebox::tracebox_report;
