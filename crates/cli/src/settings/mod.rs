//! What is to be done: the command line over the environment over the configuration file, checked in one place.

mod analyze;
mod anonymize;
mod candidates;
mod check;
mod compare;
mod config;
mod layers;
mod live;
mod output;
mod query;
mod reading;
mod scan;
mod sim;
mod tracebox;
mod verify;

pub(crate) use analyze::Analyze;
pub(crate) use anonymize::Anonymize;
pub(crate) use candidates::{Candidate, tell_bad_lines};
pub(crate) use check::{Check, ServeCheck};
pub(crate) use compare::{Compare, With};
pub(crate) use live::Live;
pub(crate) use output::{Output, Stream, Wanted};
pub(crate) use query::Query;
pub(crate) use reading::{Reading, Talk};
pub(crate) use scan::{Scan, ScanOf, Sending};
pub(crate) use sim::Simulation;
pub(crate) use tracebox::{Probing, Showing, Tracebox, TraceboxOf};
pub(crate) use verify::Verify;
