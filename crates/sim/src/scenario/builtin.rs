//! The scenarios that come with the program: one for each published figure that it can repeat.

use super::{Error, Scenario};
use std::io;

/// A scenario that comes with the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Builtin {
    /// Its name.
    pub name: &'static str,
    /// Its text, to begin one's own with.
    pub text: &'static str,
}

impl Builtin {
    /// Reads it.
    ///
    /// # Errors
    /// None, as tests read them all.
    pub fn scenario(&self) -> Result<Scenario, Error> {
        Scenario::parse(self.text, &format!("{}.toml", self.name), &mut |_| {
            Err(io::ErrorKind::NotFound.into())
        })
    }
}

macro_rules! builtins {
    ($($name:literal,)+) => {
        /// All of them, in the order in which they are listed.
        pub const BUILTINS: &[Builtin] = &[
            $(Builtin { name: $name, text: include_str!(concat!("../../scenarios/", $name, ".toml")) },)+
        ];
    };
}

builtins! {
    "subflow-count",
    "completion-times",
    "oversubscribed",
    "link-failure",
    "phone-handover",
    "two-rtts",
    "polarisation",
    "incast",
}

/// The one of that name.
pub fn builtin(name: &str) -> Option<Builtin> {
    BUILTINS.iter().copied().find(|builtin| builtin.name == name)
}
