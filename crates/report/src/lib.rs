//! Pictures and pages from tables: a self-contained HTML report, one connection in full, in words.

pub mod connection;
pub mod mptcptrace;
