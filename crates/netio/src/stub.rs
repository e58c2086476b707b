//! The same names on systems without packet sockets: nothing can be opened.

use std::convert::Infallible;
use std::marker::PhantomData;
use std::time::Duration;

use crate::{Addresses, Config, Error, Frame, Framing, Instruction, Statistics, Trouble};

/// No names are known.
pub fn interface_names() -> Vec<String> {
    Vec::new()
}

/// Always [`Error::Unsupported`].
pub fn addresses(_interface: &str) -> Result<Addresses, Error> {
    Err(Error::Unsupported)
}

/// Not known.
pub fn interface_towards(_from: std::net::IpAddr, _to: std::net::IpAddr) -> Option<String> {
    None
}

/// No interface is known.
pub fn is_there(_index: u32) -> bool {
    false
}

/// There is nobody to ask.
pub fn ask_for_short_turns() -> bool {
    false
}

/// Cannot be.
#[derive(Debug)]
pub struct Ring(Infallible);

impl Ring {
    /// Nothing waits.
    pub const LATENCY: Duration = Duration::ZERO;

    /// Always [`Error::Unsupported`].
    pub fn open(_config: &Config) -> Result<Self, Error> {
        Err(Error::Unsupported)
    }

    /// Always [`Error::Unsupported`].
    pub fn open_filtered(_config: &Config, _filter: &[Instruction]) -> Result<Self, Error> {
        Err(Error::Unsupported)
    }

    /// Always [`Error::Unsupported`].
    pub fn open_filtered_both(_config: &Config, _filter: &[Instruction]) -> Result<Self, Error> {
        Err(Error::Unsupported)
    }

    /// Never called.
    pub fn framing(&self) -> Framing {
        match self.0 {}
    }

    /// Never called.
    pub fn next_block(&mut self) -> Option<Block<'_>> {
        match self.0 {}
    }

    /// Never called.
    pub fn fill(&self) -> f64 {
        match self.0 {}
    }

    /// Never called.
    pub fn endurance(&self, _bytes_a_second: f64) -> Duration {
        match self.0 {}
    }

    /// Never called.
    pub fn statistics(&mut self) -> Result<Statistics, Error> {
        match self.0 {}
    }

    /// Never called.
    pub fn stop(&self) -> Result<(), Error> {
        match self.0 {}
    }

    /// Never called.
    pub fn trouble(&self) -> Option<Trouble> {
        match self.0 {}
    }
}

/// Never called with a ring.
pub fn wait(_rings: &[Ring], _patience: Duration) -> Result<bool, Error> {
    Err(Error::Unsupported)
}

/// Cannot be.
#[derive(Debug)]
pub struct Block<'a>(Infallible, PhantomData<&'a ()>);

impl Block<'_> {
    /// Never called.
    pub fn frames(&self) -> Frames<'_> {
        match self.0 {}
    }
}

/// Cannot be.
#[derive(Clone, Debug)]
pub struct Frames<'a>(Infallible, PhantomData<&'a ()>);

impl<'a> Iterator for Frames<'a> {
    type Item = Frame<'a>;

    fn next(&mut self) -> Option<Frame<'a>> {
        match self.0 {}
    }
}

/// Cannot be.
#[derive(Debug)]
pub struct Sender(Infallible);

impl Sender {
    /// Frames that one call of [`send`](Self::send) takes at most.
    pub const BATCH: usize = 64;

    /// Always [`Error::Unsupported`].
    pub fn open(_interface: &str, _bypass: bool) -> Result<Self, Error> {
        Err(Error::Unsupported)
    }

    /// Always [`Error::Unsupported`].
    pub fn open_fast(_interface: &str, _queue: u32) -> Result<Self, Error> {
        Err(Error::Unsupported)
    }

    /// Never called.
    pub fn is_fast(&self) -> bool {
        match self.0 {}
    }

    /// Never called.
    pub fn send(&mut self, _frames: &[&[u8]]) -> Result<usize, Error> {
        match self.0 {}
    }
}

/// Cannot be.
#[derive(Debug)]
pub struct RawSender(Infallible);

impl RawSender {
    /// Always [`Error::Unsupported`].
    pub fn open() -> Result<Self, Error> {
        Err(Error::Unsupported)
    }

    /// Never called.
    pub fn send(&self, _packet: &[u8], _to: std::net::IpAddr) -> Result<bool, Error> {
        match self.0 {}
    }
}

/// Cannot be.
#[derive(Debug)]
pub struct Shield(Infallible);

impl Shield {
    /// Always [`Error::Unsupported`].
    pub fn open(_first: u16, _last: u16) -> Result<Self, Error> {
        Err(Error::Unsupported)
    }

    /// Never called.
    pub fn ports(&self) -> (u16, u16) {
        match self.0 {}
    }
}
