//! TCP, one subflow at a time: state machines that take segments and the time, and say what is to be sent and when to be woken.
//!
//! There is no engine in here and no packet: `world` binds these to the network.

mod loss;
mod ranges;
mod receiver;
mod rtt;
mod segment;
mod sender;

pub use loss::LossDetection;
pub use ranges::Ranges;
pub use receiver::{AckSettings, EcnEcho, Reaction, Receiver, ReceiverCounts};
pub use rtt::{RtoSettings, Rtt};
pub use segment::Segment;
pub use sender::{Acked, Phase, Sender, SenderCounts, SenderSettings, TimerDid};
