//! wVegas

use super::Ack;
use super::subflow::Subflow;

#[derive(Clone, Debug, Default)]
pub(super) struct State {}

pub(super) fn on_ack(_subflows: &mut [Subflow], _i: usize, _ack: &Ack, _per_byte: f64) {}
