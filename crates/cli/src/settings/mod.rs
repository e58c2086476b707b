//! What is to be done: the command line over the environment over the configuration file, checked in one place.

mod analyze;
mod config;
mod layers;
mod live;
mod reading;

pub(crate) use analyze::{Analyze, Output, Stream};
pub(crate) use live::Live;
pub(crate) use reading::{Reading, Talk};
