//! Headers as a real host would send them.
