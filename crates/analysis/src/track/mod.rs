//! The byte-exact bookkeeping under a connection: sequence spaces, mappings, round-trip times.

pub(crate) mod dataspace;
pub(crate) mod mapping;
pub(crate) mod rtt;
pub(crate) mod seqspace;
