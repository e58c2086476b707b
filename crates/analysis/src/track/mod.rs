//! The byte-exact bookkeeping under a connection: sequence spaces, mappings, round-trip times, queues and windows.

pub(crate) mod dataspace;
pub(crate) mod flight;
pub(crate) mod mapping;
pub(crate) mod path;
pub(crate) mod recovery;
pub(crate) mod reorder;
pub(crate) mod rtt;
pub(crate) mod sender;
pub(crate) mod seqspace;
pub(crate) mod series;
