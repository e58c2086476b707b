//! What the tests share: how captures are analysed, how differences are told.

pub(crate) mod compare;
pub(crate) mod exceptions;
pub(crate) mod findings;
pub(crate) mod invariants;
pub(crate) mod json;
pub(crate) mod run;
