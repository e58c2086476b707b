//! Sends IP packets and receives what answers them.

use super::Options;
use crate::Error;

/// What was lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Losses;

/// Sends IP packets and receives what answers them.
#[derive(Debug)]
pub struct Channel;

impl Channel {
    /// Opens one.
    pub fn open(_options: &Options) -> Result<Self, Error> {
        Ok(Self)
    }
}
