//! Captures that can be shared: addresses, keys, tokens and payload are replaced, and the analysis of what is left gives
//! the same tables but for addresses and keys.
//!
//! [`run`] reads the input twice. The first pass is the analysis: it learns whose subflow each flow is, which keys there
//! are, and which checksums are wrong. The second rewrites frame by frame; every replacement follows from a [`Secret`], so
//! that captures which belong together stay comparable. Then the output is read as anybody would and compared with the
//! input.
//!
//! A new frame is all zero at first, and only what is understood is copied or rewritten into it: link headers field by
//! field, IP headers with other addresses, TCP headers with options from a list. Nothing gets through by being overlooked.

mod addresses;
mod audit;
mod book;
mod error;
mod flows;
mod fragments;
mod frame;
mod headers;
mod learn;
mod options;
mod output;
mod run;
mod secret;
mod sums;
mod verify;

pub use addresses::AddressMap;
pub use error::Error;
pub use run::{Phase, Progress, Report, Settings, run};
pub use secret::{Secret, TooShort};
