//! What the tests share: where the captures are, how they are analysed, how differences are told.

pub(crate) mod compare;
pub(crate) mod data;
pub(crate) mod exceptions;
pub(crate) mod findings;
pub(crate) mod invariants;
pub(crate) mod json;
pub(crate) mod run;
