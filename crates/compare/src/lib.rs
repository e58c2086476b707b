//! Two captures of the same traffic, two runs of the same test, or a capture and the kernel's counters, held against each other.
