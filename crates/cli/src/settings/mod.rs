//! What is to be done: the command line over the environment over the configuration file, checked in one place.

mod analyze;
mod compare;
mod config;
mod layers;
mod reading;

pub(crate) use analyze::{Analyze, Output, Stream};
pub(crate) use compare::{Compare, Wanted, With};
pub(crate) use reading::{Reading, Talk};
