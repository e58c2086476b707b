//! Fixpoints.
