//! What really happened, as tables to hold an analysis against.
