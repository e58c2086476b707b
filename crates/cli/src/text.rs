//! Numbers for people: those of the report's pages.

pub(crate) use subflow_report::text::{bytes, counted, grouped, seconds};
